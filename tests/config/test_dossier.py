"""迎检资料包: evidence by item and clause with readable names, index, what is missing; within rights, as a job."""

import io
import zipfile

import pytest
from django.urls import reverse
from docx import Document
from openpyxl import load_workbook

from campaigns.models import Campaign, Task
from config import dossier
from institutions import clock, files, jobs
from institutions.models import Event, Job
from institutions.roles import Role
from tests import builders
from tests.supervision import making


def evidence(unit, by, text, *, name="照片.jpg"):
    """A rectification of the unit under item 08, with one file of evidence."""
    row = making.rectification(by.world, unit, text=text, year=clock.today().year)
    row.files.add(files.store(builders.picture(name), by=by))
    return row


@pytest.fixture
def head(world):
    world.posts.head.world = world
    return world.posts.head


def package(job: Job) -> zipfile.ZipFile:
    assert job.result is not None, job.report
    return zipfile.ZipFile(io.BytesIO(job.result.path.read_bytes()))


def make(client, **data) -> Job:
    answer = client.post(reverse("dossier_make"), data)
    assert answer.status_code == 302, answer.context["form"].errors
    return Job.objects.select_related("result").latest("pk")


def test_one_click_packs_an_institution_with_index_and_gaps(world, head, log_in):
    evidence(world.centre, head, "随访不及时/缺签名", name="整改后.jpg")
    making.rectification(world, world.centre, text="没有佐证的问题", year=clock.today().year)
    client = log_in(world.posts.officer)
    page = client.get(world.centre.get_absolute_url()).content.decode()
    assert "生成迎检资料包" in page
    job = make(client, scope="institution", institution=world.centre.pk)
    assert job.state == Job.State.DONE and job.total == 1
    with package(job) as made:
        assert made.testzip() is None
        names = made.namelist()
        item = f"08 {builders.item('08').short_name}"
        known = world.centre.known_as
        wanted = f"{item}/问题整改/0001 {known} 整改佐证 随访不及时 缺签名 整改后.jpg"
        assert wanted in names
        index = Document(io.BytesIO(made.read("索引.docx")))
        assert wanted in index.tables[0].rows[1].cells[5].text
        gaps = load_workbook(io.BytesIO(made.read("缺少的材料.xlsx"))).active
        assert "没有佐证的问题" in str(list(gaps.values))
        assert "没有佐证的问题" in "".join(c.text for r in index.tables[1].rows for c in r.cells)
    shown = client.get(job.get_absolute_url()).content.decode()
    assert "下载结果" in shown and "缺少" in shown
    event = Event.objects.get(action="portal.dossier")
    assert event.data["sha256"] == job.result.sha256
    download = client.get(reverse("institutions:job_file", args=[job.pk]))
    assert "%E8%BF%8E" in download["Content-Disposition"]  # 迎


def test_it_holds_nothing_that_the_asker_may_not_see(world, head, log_in):
    evidence(world.centre, head, "中心的问题")
    evidence(world.other_centre, head, "别家的问题")
    item = builders.item("08")
    year = clock.today().year
    for post, own in ((world.posts.head, "中心的问题"), (world.posts.other_head, "别家的问题")):
        job = make(log_in(post), scope="item", item=item.pk, year=year)
        with package(job) as made:
            names = "".join(made.namelist())
            assert own in names and names.count("问题整改") == 1
    lead = make(log_in(world.posts.lead), scope="item", item=item.pk, year=year)
    assert lead.total == 0  # a lead agency of other items
    client = log_in(world.posts.head)
    answer = client.post(
        reverse("dossier_make"), {"scope": "institution", "institution": world.other_centre.pk}
    )
    assert answer.status_code == 200 and "institution" in answer.context["form"].errors
    assert client.get(lead.get_absolute_url()).status_code == 404


def test_a_job_whose_owner_has_left_packs_nothing(world, head):
    evidence(world.centre, head, "问题")
    params = {"scope": "institution", "pk": world.centre.pk, "year": clock.today().year}
    job = jobs.queue(dossier.KIND, "资料包", by=head, params=params)
    head.user.is_active = False
    head.user.save()
    jobs.perform(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED and job.result is None


def test_a_campaign_is_packed_with_its_paper_and_its_tasks(world, head, log_in):
    county = world.county
    campaign = Campaign.objects.create(
        institution=county,
        supervisor=county,
        status="issued",
        name="质量提升年活动",
        title="实施方案",
        number="示卫健字〔2023〕13号",
        year=2023,
        issued_on=clock.today(),
    )
    task = Task.objects.create(
        campaign=campaign, position=1, name="组织培训", item=builders.item("02"), due=clock.today()
    )
    report = task.reports.create(institution=world.centre, supervisor=county, due=task.due)
    report.files.add(files.store(builders.picture("签到表.jpg"), by=head))
    job = make(log_in(world.posts.officer), scope="campaign", campaign=campaign.pk)
    with package(job) as made:
        names = made.namelist()
        assert "示卫健字〔2023〕13号 实施方案.docx" in names
        assert any("任务 组织培训/0001" in name and "签到表" in name for name in names)
    assert job.report["缺少"] == "1 项"


def test_a_lost_file_is_listed_as_missing_and_old_packages_go(world, head, log_in, monkeypatch):
    row = evidence(world.centre, head, "问题")
    row.files.get().path.unlink()
    job = make(log_in(world.posts.officer), scope="institution", institution=world.centre.pk)
    with package(job) as made:
        assert "文件丢失" in "".join(
            c.text
            for r in Document(io.BytesIO(made.read("索引.docx"))).tables[-1].rows
            for c in r.cells
        )
    Job.objects.update(finished_at=clock.now() - jobs.BULKY_KEPT * 2)
    jobs.expire()
    job.refresh_from_db()
    assert job.result is None


def test_who_may_not_export_packs_nothing(world, log_in):
    expert = log_in(world.posts.expert)
    assert expert.get(reverse("dossier_start")).status_code == 403
    assert world.posts.expert.role == Role.EXPERT
    for post in (world.posts.street, world.posts.system, world.posts.auditor):
        assert log_in(post).get(reverse("dossier_start")).status_code == 403
    assert log_in(world.posts.staff).get(reverse("dossier_start")).status_code == 200
