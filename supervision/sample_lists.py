"""The lists of the record checks and of the surveys, each row with its rates."""

from collections.abc import Sequence
from fractions import Fraction

from django.db.models import QuerySet
from django.urls import reverse

from institutions.http import Request
from institutions.listing import Column, Listing, Tag
from institutions.rounding import percent_text
from supervision.lists import date_text, status_tag
from supervision.models import RecordSample, ResidentSurvey, Visit
from supervision.sample_forms import SampleFilter
from supervision.sampling import Tally, tally
from supervision.survey_forms import SurveyFilter
from supervision.surveying import SurveyTally
from supervision.surveying import tally as survey_tally


def rate(value: Fraction | None) -> str:
    """Write a rate with two decimals; a dash for none."""
    return percent_text(value) if value is not None else "—"


def _of(sample: RecordSample) -> Tally:
    return tally(sample.checks.all())


def _progress(sample: RecordSample) -> Tag:
    left = sum(not check.result for check in sample.checks.all())
    return Tag(f"还有 {left} 份", "warn") if left else Tag("已核查", "ok")


class SampleList(Listing):
    title = "抽查档案"
    search = ("visit__institution__search", "item__name", "visit__round__name")
    filters = SampleFilter
    order = ("-drawn_at", "-pk")
    columns: Sequence[Column] = (
        Column("机构", "visit.institution.known_as", sort=("visit__institution__code",)),
        Column("服务项目", "item.short_name", sort=("item__code",)),
        Column("督导轮次", "visit.round.name"),
        Column("抽取日期", lambda s: date_text(s.drawn_at), sort=("drawn_at",)),
        Column("抽取份数", "size", sort=("size",), numeric=True),
        Column("真实规范", lambda s: _of(s).real, numeric=True, shown=False),
        Column("不规范", lambda s: _of(s).incomplete, numeric=True, shown=False),
        Column("不真实", lambda s: _of(s).unreal, numeric=True, shown=False),
        Column("未核实到", lambda s: _of(s).unreached, numeric=True, shown=False),
        Column("真实率", lambda s: rate(_of(s).truth), numeric=True),
        Column("规范率", lambda s: rate(_of(s).conformity), numeric=True),
        Column("核查", _progress),
    )

    def __init__(self, request: Request, rows: QuerySet[RecordSample]) -> None:
        super().__init__(
            request,
            rows.select_related("visit__institution", "visit__round", "item").prefetch_related(
                "checks"
            ),
        )


def _said(visit: Visit) -> SurveyTally:
    return survey_tally(visit.surveys.all())


class SurveyList(Listing):
    """The visits at which residents were asked."""

    title = "居民问卷"
    search = ("institution__search", "round__name")
    filters = SurveyFilter
    order = ("-starts", "-pk")
    columns: Sequence[Column] = (
        Column("机构", "institution.known_as", sort=("institution__code",)),
        Column("督导轮次", "round.name"),
        Column("督导日期", lambda v: date_text(v.visited_on) or None, sort=("starts",)),
        Column("调查人数", lambda v: _said(v).people, numeric=True),
        Column("知晓率", lambda v: rate(_said(v).awareness), numeric=True),
        Column("满意度", lambda v: rate(_said(v).satisfaction), numeric=True),
        Column("面访率", lambda v: rate(_said(v).face_rate), numeric=True),
        Column("上门服务率", lambda v: rate(_said(v).home_rate), numeric=True),
        Column("状态", status_tag, sort=("status",)),
    )

    def __init__(self, request: Request, rows: QuerySet[Visit]) -> None:
        asked = ResidentSurvey.objects.visible_to(request.post).values("visit")
        super().__init__(
            request,
            rows.filter(pk__in=asked)
            .select_related("institution", "round")
            .prefetch_related("surveys"),
        )

    def row_url(self, row: Visit) -> str:
        return reverse("supervision:survey_entries", args=[row.pk])
