"""Plain functions that make rows for tests; a world of two counties in which every relation of the access matrix occurs."""

import io
from datetime import date
from itertools import count
from types import SimpleNamespace

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from PIL import Image

from institutions import clock
from institutions.models import (
    Institution,
    Kind,
    Mandate,
    Pairing,
    Post,
    Region,
    Responsibility,
    ServiceItem,
    User,
)
from institutions.roles import Role

PASSWORD = "Zc-示例-2023-ok"
_numbers = count(1)


def institution(
    code: str, name: str, kind: str, parent: Institution | None = None, **more
) -> Institution:
    row = Institution(code=code, name=name, kind=kind, parent=parent, **more)
    if parent and row.region_id is None:
        row.region = parent.region
    row.save()
    return row


def post(at: Institution, role: str, title: str, *, username: str = "", items=(), **more) -> Post:
    """A post at an institution, held by a user of its own (its title stands for the name)."""
    user = User(username=username or f"u{next(_numbers)}", name=title)
    user.password = FAST_HASH
    user.password_set_on = clock.today()
    user.save()
    row = Post.objects.create(institution=at, role=role, title=title, user=user, **more)
    row.items.set(items)
    return row


def mandate(to: Post, over: Institution, codes=(), *, source: str = "常设") -> Mandate:
    row = Mandate.objects.create(post=to, institution=over, all_items=not codes, source=source)
    row.items.set(ServiceItem.objects.filter(code__in=codes))
    return row


def item(code: str) -> ServiceItem:
    return ServiceItem.objects.get(code=code)


def picture(name: str = "照片.jpg", size=(60, 40)) -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", size, (20, 90, 140)).save(content, "JPEG")
    return SimpleUploadedFile(name, content.getvalue(), "image/jpeg")


def load_reference() -> None:
    call_command("load_reference", verbosity=0)


def two_counties() -> SimpleNamespace:
    """Build the world: a city bureau over two counties; in the first every kind of unit and a post of every role."""
    w = SimpleNamespace()
    region = Region.objects.get(code="370306")
    other_region = Region.objects.get(code="370303")
    street_region = Region.objects.create(
        code="370306901", name="示例街道", level=Region.Level.TOWN, parent=region
    )
    w.city = institution("ZB", "示例市卫生健康委", Kind.BUREAU, region=region.parent)
    w.county = institution("ZC", "示例区卫生健康局", Kind.BUREAU, w.city, region=region)
    w.other_county = institution("ZD", "邻区卫生健康局", Kind.BUREAU, w.city, region=other_region)

    w.hospital = institution("ZC-RM", "区人民医院", Kind.HOSPITAL, w.county, midwifery=True)
    w.station = institution("ZC-RM-1", "示例社区卫生服务站", Kind.STATION, w.hospital)
    w.maternal = institution(
        "ZC-FY",
        "区妇幼保健院",
        Kind.MATERNAL,
        w.county,
        also_kinds=[Kind.COMMUNITY],
        other_names=["大街社区卫生服务中心"],
        midwifery=True,
    )
    w.cdc = institution("ZC-CDC", "区疾病预防控制中心", Kind.CDC, w.county)
    w.city_hospital = institution(
        "ZC-SZY", "市中医医院", Kind.HOSPITAL, w.county, affiliation="city", midwifery=True
    )
    w.centre = institution(
        "ZC-QNL", "青年路社区卫生服务中心", Kind.COMMUNITY, w.county, region=street_region
    )
    w.clinic = institution("ZC-QNL-1", "示例村卫生室一", Kind.CLINIC, w.centre)
    w.sibling_clinic = institution("ZC-QNL-2", "示例村卫生室二", Kind.CLINIC, w.centre)
    w.other_centre = institution("ZC-WC", "王村镇中心卫生院", Kind.TOWNSHIP, w.county)
    w.other_clinic = institution("ZC-WC-1", "示例村卫生室三", Kind.CLINIC, w.other_centre)
    w.street_office = institution(
        "ZC-JD", "示例街道办事处", Kind.STREET, w.county, region=street_region
    )
    w.far_centre = institution("ZD-A", "邻区卫生院", Kind.TOWNSHIP, w.other_county)
    w.far_clinic = institution("ZD-A-1", "邻区村卫生室", Kind.CLINIC, w.far_centre)

    for code in ("02", "03", "09", "10"):
        Responsibility.objects.create(institution=w.cdc, item=item(code), duty="leads")

    p = w.posts = SimpleNamespace()
    p.system = post(w.county, Role.SYSTEM, "系统管理员", username="system")
    p.security = post(w.county, Role.SECURITY, "安全管理员", username="security")
    p.auditor = post(w.county, Role.AUDITOR, "审计员", username="auditor")
    p.leader = post(w.county, Role.LEADER, "分管局长", username="leader")
    p.officer = post(w.county, Role.OFFICER, "基妇科经办人", username="officer")
    p.second_officer = post(w.county, Role.OFFICER, "基妇科科长", username="officer2")
    p.finance = post(w.county, Role.FINANCE, "财务科经办人", username="finance")
    p.lead = post(w.cdc, Role.LEAD, "疾控公卫科牵头人", username="lead")
    mandate(p.lead, w.county, ("02", "03", "09", "10"))
    p.expert = post(w.hospital, Role.EXPERT, "督导专家（妇产）", username="expert")
    p.head = post(w.centre, Role.HEAD, "中心主任", username="head")
    p.staff = post(w.centre, Role.STAFF, "公卫科经办人", username="staff")
    p.doctor = post(w.clinic, Role.HEAD, "村医（一）", username="doctor")
    p.sibling_doctor = post(w.sibling_clinic, Role.HEAD, "村医（二）", username="doctor2")
    p.other_head = post(w.other_centre, Role.HEAD, "院长", username="head2")
    p.other_doctor = post(w.other_clinic, Role.HEAD, "村医（三）", username="doctor3")
    p.maternal_head = post(w.maternal, Role.HEAD, "妇幼院长", username="head3")
    p.street = post(w.street_office, Role.STREET, "街道卫计办主任", username="street")
    p.city_officer = post(w.city, Role.OFFICER, "市基层科经办人", username="city")
    p.far_officer = post(w.other_county, Role.OFFICER, "邻区经办人", username="far")
    p.far_head = post(w.far_centre, Role.HEAD, "邻区院长", username="farhead")
    p.disabled = post(w.county, Role.OFFICER, "已停用经办人", username="disabled")
    p.disabled.user.is_active = False
    p.disabled.user.save()
    p.departed = post(
        w.county, Role.OFFICER, "已离任经办人", username="departed", ends=date(2020, 1, 1)
    )
    Pairing.objects.create(post=p.leader, institution=w.centre)
    return w


# One hash for all, made with the suite's fast hasher: the real one costs a quarter of a second each.
FAST_HASH = ""


def make_fast_hash() -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher, make_password

    global FAST_HASH
    FAST_HASH = make_password(PASSWORD, hasher=MD5PasswordHasher())
