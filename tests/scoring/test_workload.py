"""Workload: called for, declared, verified from record checks, brought from another system; split to the clinics."""

import io
from datetime import date
from decimal import Decimal as D

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook

from institutions import clock
from institutions.models import Job, Kind
from scoring import allocating, declaring
from scoring.models import (
    Allocation,
    AllocationPart,
    ColumnMapping,
    Workload,
    WorkloadReport,
    WorkUnit,
    YearResult,
)
from scoring.work import work_for
from supervision.models import RecordCheck, RecordSample, SupervisionRound, Visit
from tests import builders
from tests.scoring import scenes

LIST = "/scoring/workload/"


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 4, 10))


@pytest.fixture
def services(world):
    return [
        WorkUnit.objects.create(
            institution=world.county,
            year=2023,
            code=code,
            name=name,
            item=builders.item(item),
            coefficient=D(coefficient),
            unit="人次",
        )
        for code, name, item, coefficient in (
            ("GX-01", "高血压患者随访", "07a", "1.0"),
            ("LN-01", "老年人健康体检", "06", "3.5"),
        )
    ]


def checked(world, unit, item, *, real, unreal):
    """Records of one item checked on site in March."""
    round_ = SupervisionRound.objects.create(
        institution=unit.parent,
        supervisor=unit.parent,
        status="issued",
        name="一季度",
        year=2023,
        quarter=1,
        starts=date(2023, 3, 1),
        ends=date(2023, 3, 31),
    )
    visit = Visit.objects.create(
        round=round_,
        institution=unit,
        supervisor=unit.parent,
        lead=world.posts.officer,
        status="submitted",
        starts=date(2023, 3, 1),
        ends=date(2023, 3, 2),
        visited_on=date(2023, 3, 2),
        submitted_at=clock.now(),
    )
    sample = RecordSample.objects.create(
        visit=visit,
        item=builders.item(item),
        origin="range",
        first=1,
        last=100,
        population=100,
        size=real + unreal,
        seed="0",
        digest="0" * 64,
        drawn_by=world.posts.officer,
    )
    RecordCheck.objects.bulk_create(
        RecordCheck(
            sample=sample,
            position=place,
            number=str(place),
            result="real" if place <= real else "unreal",
            reason="" if place <= real else "电话不符",
            checked_at=clock.now(),
        )
        for place in range(1, real + unreal + 1)
    )


def save(client, row, numbers, *, hand_in=False):
    row.refresh_from_db()
    data = {f"n{unit.pk}": number for unit, number in numbers.items()}
    data |= {"version": row.version, **({"submit": "1"} if hand_in else {})}
    return client.post(reverse("scoring:workload_save", args=[row.pk]), data)


def labels(post):
    from institutions.models import Post

    fresh = Post.objects.select_related("institution__bureau").get(pk=post.pk)
    return {line.label: line for line in work_for(fresh) if "工作量" in line.label}


@pytest.mark.row("D27", "A26", "D29")
def test_declared_by_the_unit_verified_from_the_records_with_a_reason(world, log_in, services):
    gx, ln = services
    officer = log_in(world.posts.officer)
    call = {"year": "2023", "quarter": "1", "due": "2023-04-15"}
    officer.post(reverse("scoring:workload_call"), call)
    asked = WorkloadReport.objects.filter(supervisor=world.county)
    assert asked.count() == 5 and not asked.filter(institution__kind="street").exists()
    row = asked.get(institution=world.centre)
    assert labels(world.posts.head)["请申报工作量"].count == 1

    staff = log_in(world.posts.staff)
    page = staff.get(row.get_absolute_url()).content.decode()
    assert "高血压患者随访" in page and "2023年4月15日" in page
    assert save(staff, row, {gx: "１０００", ln: "-1"}).status_code == 422
    save(staff, row, {gx: "１０００", ln: "40"})
    row.refresh_from_db()
    assert row.status == "draft"
    save(staff, row, {gx: "1000", ln: "40"}, hand_in=True)
    row.refresh_from_db()
    assert row.status == "submitted"
    assert save(staff, row, {gx: "9999"}).status_code == 409, "locked after it is handed in"
    assert labels(world.posts.officer)["请核定工作量"].count == 1

    checked(world, world.centre, "07a", real=9, unreal=1)
    officer = log_in(world.posts.officer)
    page = officer.get(row.get_absolute_url()).content.decode()
    assert "抽查核实 10 份，真实 9 份；1000 × 9 ÷ 10 = 900.00" in page
    assert declaring.NOT_CHECKED in page
    first, second = row.rows.order_by("work_unit__code")
    url = reverse("scoring:workload_judge", args=[row.pk])
    judged = {
        "version": row.version,
        f"a{first.pk}": "900",
        f"a{second.pk}": "38",
        f"r{second.pk}": "",
        "verify": "1",
    }
    assert "请写明理由" in officer.post(url, judged).content.decode()
    assert log_in(world.posts.head).post(url, judged).status_code == 403, "not by itself"
    officer = log_in(world.posts.officer)
    officer.post(url, {**judged, f"r{second.pk}": "2 份体检表重复"})
    row.refresh_from_db()
    assert (row.status, row.verified_by) == ("verified", world.posts.officer)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.approved, first.suggested, first.reason) == (D("900"), D("900"), "")
    assert (second.approved, second.reason) == (D("38"), "2 份体检表重复")
    told = log_in(world.posts.staff).get(row.get_absolute_url()).content.decode()
    assert "2 份体检表重复" in told and "9 ÷ 10" in told


@pytest.mark.row("D27")
def test_the_three_kinds_of_unit_are_all_covered(world, log_in, services):
    log_in(world.posts.officer).post(
        reverse("scoring:workload_call"), {"year": "2023", "quarter": "1", "due": "2023-04-15"}
    )
    log_in(world.posts.head).post(
        reverse("scoring:workload_call"), {"year": "2023", "quarter": "1", "due": "2023-04-15"}
    )
    page = log_in(world.posts.officer).get(LIST, {"year": "2023"})
    kinds = {one["kind"]: one["all"] for one in page.context["coverage"]}
    assert kinds["乡镇卫生院"] == 1 and kinds["社区卫生服务中心"] == 1 and kinds["村卫生室"] == 2
    assert WorkloadReport.objects.filter(supervisor=world.centre).count() == 2


def test_a_returned_report_says_why_and_is_judged_anew(world, log_in, services):
    gx, _ = services
    head = log_in(world.posts.head)
    head.post(reverse("scoring:workload_start"), {"year": "2023", "quarter": "1"})
    row = WorkloadReport.objects.get()
    empty = head.post(
        reverse("scoring:workload_submit", args=[row.pk]), {"version": row.version}, follow=True
    )
    assert "还没有填写任何数量" in empty.content.decode()
    save(head, row, {gx: "10"}, hand_in=True)
    row.refresh_from_db()
    officer = log_in(world.posts.officer)
    url = reverse("scoring:workload_send_back", args=[row.pk])
    assert officer.post(url, {"version": row.version}).status_code == 422
    officer.post(url, {"version": row.version, "note": "请按接诊登记核对"})
    assert (
        "请按接诊登记核对" in log_in(world.posts.head).get(row.get_absolute_url()).content.decode()
    )
    assert labels(world.posts.head)["工作量被退回"].count == 1
    save(log_in(world.posts.head), row, {gx: ""})
    assert not row.rows.exists(), "an empty field takes the service away"


def test_a_frozen_year_is_left_as_it_is(world, log_in, services):
    gx, _ = services
    head = log_in(world.posts.head)
    head.post(reverse("scoring:workload_start"), {"year": "2023", "quarter": "1"})
    row = WorkloadReport.objects.get()
    YearResult.objects.create(
        unit=world.county,
        institution=world.centre,
        year=2023,
        position=1,
        rank=1,
        quarters=0,
        bonus=0,
        deduction=0,
        score=0,
        due_amount=0,
        approved_amount=0,
        top_up=0,
        prepaid=0,
        balance=0,
        frozen_at=clock.now(),
    )
    answer = save(head, row, {gx: "10"})
    assert "年终结果已定稿" in answer.content.decode() and not row.rows.exists()


# --- Another system's export ----------------------------------------------------------------------------------

LONG = [
    ["统计期别", "机构名称", "指标名称", "完成数"],
    ["第一季度", "青年路社区卫生服务中心", "高血压患者随访", "1,200"],
    ["第一季度", "青年路社区卫生服务中心", "65岁以上老年人体检", "35"],
    ["第一季度", "ZC-WC", "高血压患者随访", "800"],
    ["第一季度", "ZC-WC", "合计", "800"],
]
WIDE = [
    ["机构编码", "单位名称", "高血压随访人次", "老年人体检人数", "备注"],
    ["ZC-QNL", "青年路", "1300", "36", "已复核"],
    ["ZC-WC", "王村", "", "12", ""],
]


def upload(client, rows, layout, *, quarter="", name="省平台导出.xlsx"):
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    file = SimpleUploadedFile(name, content.getvalue())
    url = reverse("scoring:workload_bring")
    data = {"layout": layout, "year": "2023", "quarter": quarter, "file": file}
    answer = client.post(url, data)
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def by_label(form):
    return {field.label: field.html_name for field in form}


@pytest.mark.row("A26")
def test_a_long_export_is_mapped_once_previewed_and_imported(world, log_in, services):
    officer = log_in(world.posts.officer)
    page = upload(officer, LONG, "long")
    form = officer.get(page).context["form"]
    assert {name: form[name].initial for name in form.parts} == {
        "place": "机构名称",
        "service": "指标名称",
        "quantity": "完成数",
        "quarter": "",
    }
    names = by_label(form)
    first = {
        "place": "机构名称",
        "service": "指标名称",
        "quantity": "完成数",
        "quarter": "统计期别",
        names["高血压患者随访"]: "GX-01",
        names["65岁以上老年人体检"]: "LN-01",
        names["合计"]: "",
    }
    again = officer.post(page, first)
    assert again.status_code == 422 and not Workload.objects.exists(), "every service is answered"
    done = officer.post(page, {**first, names["合计"]: "-"})
    preview = officer.get(done.url)
    assert "新增 3 行" in preview.content.decode() and not Workload.objects.exists()
    job = Job.objects.get(kind="import")
    officer.post(reverse("import_confirm", args=[job.pk]))
    taken = {
        (row.institution.code, row.work_unit.code, row.quarter): row.declared
        for row in Workload.objects.all()
    }
    assert taken == {
        ("ZC-QNL", "GX-01", 1): D("1200"),
        ("ZC-QNL", "LN-01", 1): D("35"),
        ("ZC-WC", "GX-01", 1): D("800"),
    }
    # The next file needs no answers any more: the mapping is remembered for the bureau.
    form = officer.get(upload(officer, LONG, "long")).context["form"]
    assert form["quarter"].initial == "统计期别"
    assert {f.label: f.initial for f in form.service_fields} == {
        "高血压患者随访": "GX-01",
        "65岁以上老年人体检": "LN-01",
        "合计": "-",
    }
    assert ColumnMapping.objects.get().institution == world.county
    other = log_in(world.posts.far_officer)
    assert other.get(upload(other, LONG, "long")).context["form"]["quarter"].initial == ""


@pytest.mark.row("A26")
def test_a_wide_export_has_a_column_for_each_service(world, log_in, services):
    officer = log_in(world.posts.officer)
    page = upload(officer, WIDE, "wide", quarter="2")
    form = officer.get(page).context["form"]
    assert form["place"].initial == "机构编码"
    names = by_label(form)
    nothing = officer.post(page, {"place": "机构编码"})
    assert "至少对应一项服务" in nothing.content.decode()
    done = officer.post(
        page,
        {
            "place": "机构编码",
            names["高血压随访人次"]: "GX-01",
            names["老年人体检人数"]: "LN-01",
        },
    )
    assert "新增 3 行" in officer.get(done.url).content.decode()
    officer.post(reverse("import_confirm", args=[Job.objects.get(kind="import").pk]))
    rows = Workload.objects.filter(quarter=2)
    assert {(r.institution.code, r.work_unit.code, r.declared) for r in rows} == {
        ("ZC-QNL", "GX-01", D("1300")),
        ("ZC-QNL", "LN-01", D("36")),
        ("ZC-WC", "LN-01", D("12")),
    }


def test_every_error_of_an_export_is_named_by_its_row_and_nothing_is_written(
    world, log_in, services
):
    officer = log_in(world.posts.officer)
    wrong = [
        *LONG[:2],
        ["第五季度", "青年路社区卫生服务中心", "高血压患者随访", "1"],
        ["第一季度", "邻区卫生院", "高血压患者随访", "1"],
        ["第一季度", "ZC-WC", "高血压患者随访", "约800"],
    ]
    page = upload(officer, wrong, "long")
    names = by_label(officer.get(page).context["form"])
    answer = officer.post(
        page,
        {
            "place": "机构名称",
            "service": "指标名称",
            "quantity": "完成数",
            "quarter": "统计期别",
            names["高血压患者随访"]: "GX-01",
        },
    )
    errors = [(e.row, e.column) for e in answer.context["errors"]]
    assert errors == [(3, "统计期别"), (4, "机构名称"), (5, "完成数")]
    assert not Job.objects.filter(kind="import").exists() and not Workload.objects.exists()
    assert log_in(world.posts.second_officer).get(page).status_code == 404, "another's upload"


def test_a_handed_in_quarter_is_locked_for_files_too(world, log_in, services, tmp_path):
    from django.core.management import CommandError, call_command

    gx, _ = services
    head = log_in(world.posts.head)
    head.post(reverse("scoring:workload_start"), {"year": "2023", "quarter": "1"})
    row = WorkloadReport.objects.get()
    save(head, row, {gx: "10"}, hand_in=True)
    path = tmp_path / "w.csv"
    path.write_text(
        "机构代码,年度,季度,服务代码,申报数量\nZC-QNL,2023,1,GX-01,99\n", encoding="utf-8-sig"
    )
    with pytest.raises((CommandError, SystemExit)):
        call_command("import_table", "workload", str(path), "--unit", "ZC-QNL", "--as", "head")
    assert row.rows.get().declared == D("10")


# --- Centre → clinics -----------------------------------------------------------------------------------------


@pytest.fixture
def quarter(world, services):
    """Three thousand and two thousand equivalents at qualities of 0.9 and 0.8."""
    gx, _ = services
    over = scenes.standard(world.county, code="V", kinds=[Kind.CLINIC], clauses=scenes.MANUAL)
    scores = {world.clinic: "90", world.sibling_clinic: "80"}
    scenes.final_sheets(world.posts.head, over, scores, quarter=1)
    for unit, number in ((world.clinic, "300"), (world.sibling_clinic, "200")):
        Workload.objects.create(
            institution=unit,
            year=2023,
            quarter=1,
            work_unit=gx,
            declared=D(number),
            approved=D(number),
        )


@pytest.mark.row("A26", "D27", "A24")
def test_a_centre_splits_its_quarter_to_the_cent_and_each_clinic_sees_its_part(
    world, log_in, quarter
):
    head = log_in(world.posts.head)
    data = {"year": "2023", "quarter": "1", "pool": "100000.01", "basis": "村级部分（40%）"}
    head.post(reverse("scoring:allocation_create"), data)
    row = Allocation.objects.get()
    # 270 and 160 of 430
    parts = {p.institution.code: p.amount for p in row.parts.select_related("institution")}
    assert parts == {"ZC-QNL-1": D("62790.70"), "ZC-QNL-2": D("37209.31")}
    page = head.get(row.get_absolute_url()).content.decode()
    assert "合计 = 资金池，差 0.00" in page
    assert "核定数量 300 × 当量系数 1 × 质量系数 0.9000 = 270" in page
    doctor = log_in(world.posts.doctor)
    assert doctor.get(row.get_absolute_url()).status_code == 404, "a draft"
    head = log_in(world.posts.head)
    assert "已经有分配" in head.post(reverse("scoring:allocation_create"), data).content.decode()
    change = reverse("scoring:allocation_change", args=[row.pk])
    head.post(change, {"version": row.version, "pool": "430", "basis": "改"})
    row.refresh_from_db()
    assert {p.amount for p in row.parts.all()} == {D("270"), D("160")}
    head.post(reverse("scoring:allocation_finalise", args=[row.pk]), {"version": row.version})
    row.refresh_from_db()
    assert row.status == "final"
    assert head.post(change, {"version": row.version, "pool": "9", "basis": "x"}).status_code == 409
    text = log_in(world.posts.doctor).get(row.get_absolute_url()).content.decode()
    assert "270.00" in text and "示例村卫生室二" not in text and "160.00" not in text


def test_a_quarter_without_verified_work_is_not_split(world, log_in, quarter):
    Workload.objects.update(approved=None)
    answer = log_in(world.posts.head).post(
        reverse("scoring:allocation_create"),
        {"year": "2023", "quarter": "1", "pool": "1", "basis": "x"},
    )
    assert "还没有核定的工作量" in answer.content.decode() and not Allocation.objects.exists()


def test_parts_that_do_not_add_up_are_never_final(world, quarter):
    row = allocating.allocate(
        by=world.posts.head, year=2023, quarter=1, pool=D("10"), basis="村级部分"
    )
    AllocationPart.objects.filter(institution=world.clinic).update(amount=D("9.99"))
    with pytest.raises(Exception, match="与资金池不符"):
        allocating.finalise(row, by=world.posts.head, version=row.version)
