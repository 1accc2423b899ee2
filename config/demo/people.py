"""Posts, accounts, mandates and pairings of the demo. An account bears the name of its post, never a person's."""

from datetime import date

from django.contrib.auth.hashers import make_password

from config.demo.cast import CENTRES, PASSWORD, doctor_name, is_clinic, rows
from config.demo.units import LEADS
from institutions import audit, clock
from institutions.models import (
    Department,
    Institution,
    Kind,
    Mandate,
    Pairing,
    Post,
    ServiceItem,
    StaffMember,
    User,
)
from institutions.roles import Role

ROLES = {label: value for value, label in Role.choices}
STARTED = date(2018, 1, 2)  # before the first of the papers
PAIRED = {
    "juzhang": ("ZC-FY", "ZC-RMYY"),
    "fenguan": ("ZC-WC", "ZC-QNL", "ZC-CDC"),
    "fuju2": ("ZC-NJ", "ZC-BJ", "ZC-SZYY", "ZC-148"),
    "fuju3": ("ZC-JKQ", "ZC-JSB", "ZC-JD"),
}
LEAD_POSTS = {"jikong": "ZC-CDC", "fuyou": "ZC-FY", "jingfang": "ZC-JSB", "xieguan": "ZC-JD"}


def build(*, password_set_on: date) -> None:
    """Give every institution its posts, and every account the one password as if set on that day."""
    secret = make_password(PASSWORD)
    units = {unit.code: unit for unit in Institution.objects.select_related("region")}
    departments: dict[tuple[str, str], Department] = {}
    users: dict[str, User] = {}
    wanted = [
        (row["用户名"], row["职务"], ROLES[row["角色"]], row["机构代码"], row["科室"])
        for row in rows("people")
    ]
    wanted += [
        (doctor_name(unit), "站长" if unit.kind == Kind.STATION else "村医", Role.HEAD, code, "")
        for code, unit in sorted(units.items())
        if is_clinic(unit)
    ]
    for username, title, *_ in wanted:
        users.setdefault(
            username,
            User(
                username=username,
                name=title,
                password=secret,
                password_set_on=password_set_on,
                created_at=clock.now(),
            ),
        )
    User._default_manager.bulk_create(users.values(), batch_size=200)
    posts = []
    for username, title, role, code, office in wanted:
        department = None
        if office:
            key = (code, office)
            if key not in departments:
                departments[key], _ = Department.objects.get_or_create(
                    institution=units[code], name=office
                )
            department = departments[key]
        posts.append(
            Post(
                title=title,
                institution=units[code],
                department=department,
                role=role,
                region=units[code].region if role == Role.STREET else None,
                starts=STARTED,
                user=users[username],
            )
        )
    Post.objects.bulk_create(posts, batch_size=200)
    by_name = {post.user.username: post for post in reversed(posts)}
    _mandates(by_name, units["ZC"])
    _pairings(by_name, units)
    _staff(units)
    audit.record(
        "institutions.user.import",
        "建立账号",
        by=None,
        bureau=units["ZC"],
        data={"rows": len(posts), "digest": audit.digest(sorted(users))},
    )


def _mandates(posts: dict[str, Post], district: Institution) -> None:
    for username, code in LEAD_POSTS.items():
        mandate = Mandate.objects.create(
            post=posts[username],
            institution=district,
            starts=STARTED,
            source="牵头单位常设授权（周卫健字〔2023〕13号附件）",
        )
        mandate.items.set(ServiceItem.objects.filter(code__in=LEADS[code]))


def _pairings(posts: dict[str, Post], units: dict[str, Institution]) -> None:
    Pairing.objects.bulk_create(
        Pairing(post=posts[username], institution=units[code], starts=date(2023, 2, 28))
        for username, codes in PAIRED.items()
        for code in codes
    )


def _staff(units: dict[str, Institution]) -> None:
    """A small roster of each centre, by duty: no names."""
    duties = (
        ("健康档案岗", "01"),
        ("预防接种岗", "03"),
        ("妇幼保健岗", "05"),
        ("慢病随访岗", "07"),
    )
    items = {item.code: item for item in ServiceItem.objects.all()}
    StaffMember.objects.bulk_create(
        StaffMember(
            institution=units[code],
            name=f"{duty}{number}",
            title=duty,
            item=items[item],
            joined=date(2019 + number, 3, 1) if number < 3 else date(2023, 4, 3),
            trained=date(2019 + number, 3, 20) if number < 3 else date(2023, 5, 12),
        )
        for code in CENTRES
        for duty, item in duties
        for number in (1, 2, 3)
    )
    StaffMember.objects.bulk_create(
        member for number, code in enumerate(CENTRES) for member in _later(units[code], number)
    )
    _backbone()


def _later(centre: Institution, number: int) -> list[StaffMember]:
    """Two general practitioners of each centre, one of them not registered everywhere; newcomers not trained yet."""
    rows = [
        StaffMember(
            institution=centre,
            name="全科医师岗1",
            title="全科医师岗",
            joined=date(2018, 5, 2),
            trained=date(2018, 4, 20),
            gp_route="transfer",
            gp_qualified=date(2021, 12, 10),
            gp_registered=date(2022, 2, 18),
        ),
        StaffMember(
            institution=centre,
            name="全科医师岗2",
            title="全科医师岗",
            joined=date(2020, 8, 3),
            trained=date(2020, 7, 24),
            gp_route="residency",
            gp_qualified=date(2023, 7, 20),
            gp_registered=date(2023, 9, 5) if number % 2 else None,
        ),
    ]
    if number % 3 == 2:
        rows.append(
            StaffMember(
                institution=centre, name="公卫护士岗1", title="公卫护士岗", joined=date(2023, 11, 6)
            )
        )
    return rows


def _backbone() -> None:
    """The talent pool; one centre lacks data analysis, another assessment."""
    rows = StaffMember.objects.filter(institution__code__in=CENTRES)
    rows.filter(name="健康档案岗1").exclude(institution__code="ZC-NJ").update(analyses=True)
    rows.filter(name="慢病随访岗1").update(guides=True, trains=True)
    rows.filter(name="全科医师岗1").exclude(institution__code="ZC-BJ").update(assesses=True)
