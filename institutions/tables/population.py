"""The table `population`: 服务人口, one row an institution and year."""

from institutions.models import Population
from institutions.sheets import integer
from institutions.tables.table import PLACE, YEAR, Column, ModelTable

PEOPLE = integer(max=2_000_000_000)


def _group(header: str, name: str) -> Column:
    return Column(header, name, PEOPLE, numeric=True, help="人数，可以不填")


class PopulationTable(ModelTable):
    """常住人口 and the sizes of the groups served; a centre's is its whole area."""

    kind = "population"
    label = "服务人口"
    purpose = "各机构当年的常住人口和重点人群数；中心（卫生院）填全辖区，村卫生室填所辖部分。"
    model = Population
    keyed = ("institution", "year")
    columns = (
        PLACE,
        YEAR,
        Column("常住人口", "residents", PEOPLE, required=True, numeric=True, example="30000"),
        _group("0～6岁儿童", "children"),
        _group("孕产妇", "pregnant"),
        _group("65岁及以上老年人", "elderly"),
        _group("高血压患者", "hypertension"),
        _group("2型糖尿病患者", "diabetes"),
        _group("严重精神障碍患者", "mental"),
        _group("肺结核患者", "tuberculosis"),
    )
    import_perms = ("institutions.manage_reference",)
    export_perm = "institutions.view_institution"
