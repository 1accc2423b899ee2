"""Regions, institutions, departments, duties and populations of the demo."""

import csv
from datetime import date
from decimal import Decimal
from importlib import resources

from config.demo import chance
from config.demo.cast import CENTRES, MIDWIFERY, many, rows
from institutions import audit
from institutions.models import (
    Affiliation,
    Capacity,
    Department,
    Institution,
    Kind,
    Population,
    Region,
    Responsibility,
    ServiceItem,
)
from institutions.models.institution import CENTRE_KINDS

KINDS = {label: value for value, label in Kind.choices}
AFFILIATIONS = {label: value for value, label in Affiliation.choices}
# Per ten thousand residents; made up, in the range of a district of eastern China.
GROUPS = {
    "children": 552,
    "pregnant": 68,
    "elderly": 1790,
    "hypertension": 1080,
    "diabetes": 415,
    "mental": 44,
    "tuberculosis": 3,
}
DEPARTMENTS = {
    "ZC": (
        "基妇科",
        "医政医管与疾控监督科",
        "规划信息与财务审计科",
        "办公室",
        "组织人事科",
        "中医药科",
        "区计生协",
        "人口监测与家庭发展科",
        "爱卫办",
    ),
}
LEADS = {
    "ZC-CDC": ("02", "03", "09", "10"),
    "ZC-FY": ("04", "05"),
    "ZC-JSB": ("08",),
    "ZC-JD": ("12",),
}


def build() -> None:
    """Make the district, its neighbour and the city above them, and the offices of the other papers."""
    _regions()
    listed = list(rows("units"))
    units: dict[str, Institution] = {}
    for row in listed:
        units[row["机构代码"]] = _institution(row, units)
    clinics = [unit for row in listed for unit in _clinics(row, units[row["机构代码"]])]
    for name in DEPARTMENTS["ZC"]:
        shown = "医养健康科" if name == "中医药科" else ""
        Department.objects.create(institution=units["ZC"], name=name, other_name=shown)
    _duties(units, clinics)
    _populations(listed, units, clinics)
    _capacities(units, clinics)
    audit.record(
        "institutions.institution.import",
        "建立机构",
        by=None,
        bureau=units["ZC"],
        data={"rows": len(units) + len(clinics), "digest": audit.digest(sorted(units))},
    )


def _regions() -> None:
    text = (
        resources.files("institutions").joinpath("data/zhoucun-regions.csv").read_text("utf-8-sig")
    )
    for row in csv.DictReader(text.splitlines()):
        parent = Region.objects.get(code=row["上级区划代码"])
        Region.objects.get_or_create(
            code=row["区划代码"],
            defaults={"name": row["名称"], "level": Region.Level.TOWN, "parent": parent},
        )
    levels = {label: value for value, label in Region.Level.choices}
    for row in rows("regions"):
        Region.objects.create(
            code=row["区划代码"],
            name=row["名称"],
            level=levels[row["级别"]],
            parent=Region.objects.get(code=row["上级区划代码"]),
        )


def _institution(row: dict[str, str], units: dict[str, Institution]) -> Institution:
    unit = Institution(
        code=row["机构代码"],
        name=row["机构名称"],
        short_name=row["简称"],
        kind=KINDS[row["机构类别"]],
        parent=units.get(row["上级机构代码"]),
        region=Region.objects.get(code=row["行政区划代码"]),
        other_names=many(row["其他名称"]),
        also_kinds=[KINDS[label] for label in many(row["兼任类别"])],
        affiliation=AFFILIATIONS.get(row["隶属"], ""),
        midwifery=row["助产机构"] == "是",
        opened=date(2012, 1, 1),
    )
    unit.save()
    return unit


def _clinics(row: dict[str, str], centre: Institution) -> list[Institution]:
    station = "服务站" in row["村卫生室名称"]
    made = []
    for number in range(1, int(row["村卫生室数"] or 0) + 1):
        name = row["村卫生室名称"].format(n=number)
        clinic = Institution(
            code=f"{centre.code}-{number:02}",
            name=name,
            short_name=name.replace("社区卫生服务站", "站").replace("村卫生室", "村室"),
            kind=Kind.STATION if station else Kind.CLINIC,
            parent=centre,
            region=centre.region,
            affiliation=Affiliation.COUNTY if station else Affiliation.TOWN,
            opened=date(2012, 1, 1),
        )
        clinic.save()
        made.append(clinic)
    return made


def _duties(units: dict[str, Institution], clinics: list[Institution]) -> None:
    items = {item.code: item for item in ServiceItem.objects.all()}
    whole = [item for item in items.values() if item.parent_id is None]
    duties = [
        Responsibility(institution=unit, item=items[code], duty="leads")
        for unit, codes in ((units[key], LEADS[key]) for key in LEADS)
        for code in codes
    ]
    duties += [
        Responsibility(institution=unit, item=item, duty="delivers")
        for unit in [
            *(u for u in units.values() if u.code in CENTRES or u.kind in CENTRE_KINDS),
            *clinics,
        ]
        for item in whole
    ]
    duties += [
        Responsibility(institution=units[code], item=items["05"], duty="delivers")
        for code in MIDWIFERY
        if code not in CENTRES
    ]
    Responsibility.objects.bulk_create(duties, batch_size=500)


def _populations(
    listed: list[dict[str, str]], units: dict[str, Institution], clinics: list[Institution]
) -> None:
    populations = []
    for year, per_mille in ((2022, 994), (2023, 1000)):
        for row in listed:
            if not row["常住人口"]:
                continue
            centre = units[row["机构代码"]]
            residents = int(row["常住人口"]) * per_mille // 1000
            populations.append(_population(centre, year, residents))
            populations += _shares(
                centre, [c for c in clinics if c.parent_id == centre.pk], year, residents
            )
        stations = [c for c in clinics if c.kind == Kind.STATION]
        populations += [
            _population(s, year, chance.between(3600, 4700, s.code) * per_mille // 1000)
            for s in stations
        ]
    Population.objects.bulk_create(populations, batch_size=500)


def _shares(
    centre: Institution, clinics: list[Institution], year: int, residents: int
) -> list[Population]:
    """Split most of a centre's residents over its clinics; the rest is served by the centre itself."""
    weights = [chance.between(70, 130, clinic.code, "share") for clinic in clinics]
    in_villages = residents * 82 // 100
    return [
        _population(clinic, year, in_villages * weight // sum(weights))
        for clinic, weight in zip(clinics, weights, strict=True)
    ]


def _population(unit: Institution, year: int, residents: int) -> Population:
    groups = {
        name: residents * rate * chance.between(94, 106, unit.code, name) // 1_000_000
        for name, rate in GROUPS.items()
    }
    return Population(institution=unit, year=year, residents=residents, **groups)


def _capacities(units: dict[str, Institution], clinics: list[Institution]) -> None:
    Capacity.objects.bulk_create(
        [_capacity(units[code], year) for code in CENTRES for year in (2022, 2023)]
        + [_clinic_capacity(clinic) for clinic in clinics],
        batch_size=500,
    )


def _capacity(centre: Institution, year: int) -> Capacity:
    """A centre's means; one has not said where it stands, and builds its 中医馆 still."""
    code, grown = centre.code, year - 2022
    posts = chance.between(40, 110, code, "posts")
    late = code == "ZC-JKQ"
    lacks = ("手术", "分娩") if code == "ZC-FY" else ("手术", "分娩", "远程医疗")
    equipment = [
        [name, chance.between(1, 4, code, name)]
        for name in ("彩超", "心电图机", "全自动生化分析仪", "DR", "急救车")
    ]
    return Capacity(
        institution=centre,
        year=year,
        functions="、".join(Capacity.FUNCTIONS),
        location="" if late else f"镇（街道）驻地，距区医院{chance.between(3, 18, code, 'km')}公里",
        traffic="" if late else "通公交，最远村（居）20分钟车程",
        radius=chance.between(25, 60, code, "radius") * 100,
        beds=chance.between(30, 90, code, "beds") + grown,
        devices=sum(number for _, number in equipment),
        equipment=equipment,
        posts=posts,
        positions=posts + 6,
        staffed=posts - chance.between(2, 9, code, "staffed") + grown,
        capabilities="、".join(word for word in Capacity.CAPABILITIES if word not in lacks),
        traditional="building" if late else "built",
        traditional_on=None if late else date(2020, 6, 1),
        subsidy=None if late and year == 2023 else Decimal(posts * 61_500 + grown * 40_000),
        pay="按“两个允许”落实绩效工资（示例）",
    )


def _clinic_capacity(clinic: Institution) -> Capacity:
    drawn = chance.between(0, 99, clinic.code, "premises")
    premises = "public" if drawn < 72 else "rented" if drawn < 85 else "private"
    return Capacity(
        institution=clinic,
        year=2023,
        radius=chance.between(8, 25, clinic.code, "radius") * 100,
        premises="" if drawn > 96 else premises,
    )
