"""django-import-export as it comes: a `ModelResource` with natural keys, as its documentation shows. Only ever measured."""

from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import ForeignKeyWidget

from institutions.models import Institution, Region
from scoring.models import ScoreLine, YearResult


class StockInstitutions(ModelResource):
    parent = Field("parent", "parent", ForeignKeyWidget(Institution, "code"))
    region = Field("region", "region", ForeignKeyWidget(Region, "code"))

    class Meta:
        model = Institution
        fields = ("code", "name", "kind", "parent", "region")
        import_id_fields = ("code",)


class StockUnchanged(StockInstitutions):
    class Meta(StockInstitutions.Meta):
        skip_unchanged = True
        report_skipped = False


class StockLines(ModelResource):
    class Meta:
        model = ScoreLine
        fields = (
            "section__institution__code",
            "sheet__year",
            "sheet__quarter",
            "sheet__evaluation__standard__code",
            "clause__code",
            "self_numerator",
            "self_denominator",
            "self_points",
            "numerator",
            "denominator",
            "points",
            "reason",
        )


class StockScores(ModelResource):
    """Indicator rows by their natural keys: the sheet by institution and quarter, the clause by its code."""

    class Meta:
        model = ScoreLine
        fields = (
            "sheet",
            "section",
            "clause",
            "points",
            "full",
            "self_full",
        )
        import_id_fields = ("sheet", "clause")


class StockYear(ModelResource):
    class Meta:
        model = YearResult
        fields = (
            "position",
            "institution__code",
            "institution__name",
            "institution__kind",
            "population",
            "quarters",
            "bonus",
            "deduction",
            "score",
            "rank",
            "group",
            "grade",
            "due_amount",
            "ratio",
            "approved_amount",
            "top_up",
            "prepaid",
            "balance",
        )
