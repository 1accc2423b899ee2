"""What a sentence of the papers asks stands in the campaign as a task, is done by the units, and taken by the bureau.

The sentences and tasks are those of the tables the demo is made of, word for word as the papers print them.
"""

from dataclasses import dataclass
from datetime import date

import pytest
from django.urls import reverse

from campaigns.models import Campaign, Passage, Report, Task, WorkLog
from config.demo.cast import many, rows
from institutions.models import Event, Kind
from tests import builders
from tests.campaigns.papers import draft

KINDS = {label: value for value, label in Task.Kind.choices}
DONE_BY = {label: value for value, label in Task.DoneBy.choices}
HEAD = {"year": "2018", "issued_on": "2018-03-20", "salutation": "各有关单位：", "action": "save"}


def url(name, *args):
    return reverse(f"campaigns:{name}", args=args)


@dataclass
class Asked:
    """One task of a paper on its way: the sentences it comes from, the campaign, the task, the unit's report."""

    row: dict[str, str]
    words: list[str]
    campaign: Campaign
    task: Task
    report: Report


def ask(world, log_in, paper: str, name: str) -> Asked:
    """The officer enters the task with who answers, says of its sentences that they became it, and issues the paper."""
    row = next(row for row in rows(f"tasks-{paper}") if row["任务"] == name)
    said = [p for p in rows(f"passages-{paper}") if row["序号"] in many(p["任务"])]
    taken = Campaign.objects.count()
    campaign = draft(world, number=f"示卫健字〔2023〕{20 + taken}号")
    passages = [
        Passage.objects.create(campaign=campaign, position=place, heading=p["标题"], text=p["正文"])
        for place, p in enumerate(said, start=1)
    ]
    client = log_in(world.posts.officer)
    answer = client.post(
        url("task_create", campaign.pk),
        {
            "name": row["任务"],
            "text": row["要求"],
            "area": row["领域"],
            "kind": KINDS[row["类型"]],
            "done_by": DONE_BY[row["完成方式"]],
            "covers": row["覆盖对象"].replace(";", "\n"),
            "goal": row["目标值"],
            "unit": row["计量单位"],
            "phase": campaign.phases.get().pk,
            "leaders": [world.posts.leader.pk],
            "institutions": [world.centre.pk],
            "version": campaign.version,
        },
    )
    assert answer.status_code == 302, answer.context["form"].errors
    task = campaign.tasks.get(name=name)
    for passage in passages:
        campaign.refresh_from_db()
        linked = {"tasks": [task.pk], "version": campaign.version}
        assert client.post(url("passage_edit", passage.pk), linked).status_code == 302
    campaign.refresh_from_db()
    client.post(url("campaign_issue", campaign.pk), {"version": campaign.version})
    report = Report.objects.get(task=task)
    return Asked(row, [p["正文"] for p in said], campaign, task, report)


def hand_in(world, log_in, asked: Asked, **more) -> Report:
    """The unit writes its report as the paper's table has it, and hands it in."""
    client = log_in(world.posts.staff)
    data = {"text": asked.row["完成情况"], "held_on": "2023-03-01", "then": "submit", **more}
    if asked.task.done_by == Task.DoneBy.FILE:
        data["files"] = builders.picture("佐证.jpg")
    asked.report.refresh_from_db()
    client.post(
        url("report_save", asked.report.pk), {**data, "version": asked.report.version}, follow=True
    )
    asked.report.refresh_from_db()
    return asked.report


def take(world, log_in, asked: Asked) -> str:
    """The bureau takes the report; returns the campaign's page, with the paper and what it became."""
    client = log_in(world.posts.officer)
    client.post(url("report_accept", asked.report.pk), {"version": asked.report.version})
    asked.report.refresh_from_db()
    assert asked.report.status == Report.Status.ACCEPTED
    page = client.get(asked.campaign.get_absolute_url()).content.decode()
    link = f'<a href="{asked.task.get_absolute_url()}">{asked.task.name}</a>'
    assert page.count(link) >= 1 + len(asked.words)
    for text in asked.words:
        assert text.splitlines()[0] in page
    assert "责任领导：分管局长" in page and asked.row["领域"] in page
    return page


def work_through(world, log_in, paper: str, name: str, **more) -> Report:
    asked = ask(world, log_in, paper, name)
    hand_in(world, log_in, asked, **more)
    take(world, log_in, asked)
    return asked.report


@pytest.mark.row("B08", "B15", "B30")
def test_platforms_the_hotline_and_hidden_dangers_are_followed_to_acceptance(world, log_in):
    work_through(world, log_in, "2021", "公卫信息化管理和医防融合")
    work_through(world, log_in, "2021", "12345处理机制")
    towns = work_through(world, log_in, "2021", "7个镇办国家卫生镇检查验收", number="7")
    assert (towns.number, towns.task.goal_text) == (7, "≥7个")
    work_through(world, log_in, "2021", "垃圾分类、消防安全和隐患排查")


@pytest.mark.row("D06")
def test_the_five_respects_of_village_doctors_are_ticked_one_by_one(world, log_in):
    asked = ask(world, log_in, "erqi", "乡村医生“五个全面”")
    assert len(asked.task.covers) == 5
    form = log_in(world.posts.staff).get(asked.report.get_absolute_url()).content.decode()
    assert all(name in form for name in asked.task.covers)
    hand_in(world, log_in, asked, covered=asked.task.covers[:4])
    shown = log_in(world.posts.officer).get(asked.report.get_absolute_url()).content.decode()
    assert "4/5" in shown
    note = {"version": asked.report.version, "note": "依法加强执业管理还没有落实"}
    log_in(world.posts.officer).post(url("report_send_back", asked.report.pk), note)
    hand_in(world, log_in, asked, covered=asked.task.covers)
    take(world, log_in, asked)
    assert asked.report.covered == asked.task.covers


@pytest.mark.row("C13", "D30")
def test_traces_and_the_creation_files_are_asked_for_before_a_report_is_handed_in(world, log_in):
    for paper, name in (("street", "服务过程留痕"), ("erqi", "“群众满意的乡镇卫生院”创建")):
        asked = ask(world, log_in, paper, name)
        data = {"text": "先写文字", "then": "submit", "version": asked.report.version}
        client = log_in(world.posts.staff)
        page = client.post(url("report_save", asked.report.pk), data, follow=True)
        assert "请先上传佐证材料" in page.content.decode()
        hand_in(world, log_in, asked)
        take(world, log_in, asked)
        assert asked.report.files.get().name == "佐证.jpg"
        labels = list(Event.objects.of(asked.report).values_list("label", flat=True))
        assert labels == ["报送", "采纳"]


@pytest.mark.row("D33")
def test_the_platform_starts_with_a_meeting_on_its_day_and_a_training_task(world, log_in):
    asked = ask(world, log_in, "erqi", "家医平台启动和培训")
    assert "2018年3月6日省卫计委召开视频会议" in asked.words[0]
    client = log_in(world.posts.officer)
    entry = {
        "day": "2018-03-06",
        "subject": "省卫计委“家医平台”视频会议",
        "text": "专题培训和部署",
        "task": asked.task.pk,
        "decisions": "与工程师联系对接，启动智能化签约服务",
    }
    client.post("/campaigns/logs/new/?kind=dispatch", entry)
    log = WorkLog.objects.get()
    assert (log.day, log.task, log.campaign) == (date(2018, 3, 6), asked.task, asked.campaign)
    hand_in(world, log_in, asked)
    take(world, log_in, asked)


@pytest.mark.row("E08", "E10", "E11")
def test_functions_capacities_and_the_tcm_area_are_listed_by_the_unit(world, log_in):
    functions = ask(world, log_in, "zhongwei", "明确功能任务")
    hand_in(world, log_in, functions, covered=functions.task.covers)
    take(world, log_in, functions)
    assert "急救和转诊" in functions.report.covered
    capacity = ask(world, log_in, "zhongwei", "提升医疗服务能力")
    hand_in(world, log_in, capacity, covered=["门诊", "急诊急救"])
    shown = log_in(world.posts.officer).get(capacity.report.get_absolute_url()).content.decode()
    assert "2/5" in shown
    built = work_through(world, log_in, "zhongwei", "中医综合服务区建设", stage="finished")
    assert built.get_stage_display() == "已完工"


@pytest.mark.row("E14", "E15", "E16")
def test_awareness_business_and_general_management_are_checked_by_their_parts(world, log_in):
    known = work_through(
        world, log_in, "zhongwei", "落实公共卫生服务", numerator="172", denominator="200"
    )
    assert (known.task.goal_text, known.value) == ("≥80%", 86)
    for name, part in (("规范业务管理", "抗菌药物管理"), ("完善综合管理制度", "财务收支预算")):
        asked = ask(world, log_in, "zhongwei", name)
        hand_in(world, log_in, asked, covered=asked.task.covers)
        take(world, log_in, asked)
        assert part in asked.report.covered


# The paper itself


@pytest.mark.row("B29", "E01", "D36")
def test_the_head_keeps_the_guideline_and_the_papers_it_rests_on(world, log_in):
    client = log_in(world.posts.officer)
    basis = ("国家基层函〔2018〕195号", "宁卫办发〔2018〕74号", "《社区卫生服务中心建设五年规划》")
    head = {
        "name": "建设推进年活动",
        "title": "建设推进年活动实施方案",
        "number": "",
        "guideline": "以“补短板、强弱项，抓基础、促提升”为主线",
        "basis": "\n".join(basis),
    }
    answer = client.post(reverse("campaigns:campaign_create"), {**HEAD, **head})
    campaign = Campaign.objects.get()
    assert answer.status_code == 302
    page = client.get(campaign.get_absolute_url()).content.decode()
    for text in ("指导思想和主线", "补短板、强弱项，抓基础、促提升", *basis):
        assert text in page
    # A second paper without a number is another paper, not the same one twice.
    second = client.post(
        reverse("campaigns:campaign_create"), {**HEAD, **head, "name": "另一项活动"}
    )
    assert second.status_code == 302
    assert campaign.cited == "建设推进年活动"


@pytest.mark.row("C03", "C06")
def test_a_streets_opinion_is_put_on_file_under_the_streets_own_name(world, log_in):
    client = log_in(world.posts.officer)
    said = [row for row in rows("passages-street") if int(row["序号"]) <= 5]
    head = {
        "name": "加强公卫服务项目",
        "title": "关于进一步加强国家基本公共卫生服务项目工作的意见",
        "number": "",
        "issuer": "示例街道办事处",
        "paper": "各管区、各村（居）、各有关部门：\n"
        + "\n".join(f"{row['标题']}\n{row['正文']}" for row in said),
    }
    client.post(reverse("campaigns:campaign_create"), {**HEAD, **head})
    campaign = Campaign.objects.get()
    page = client.get(campaign.get_absolute_url()).content.decode()
    assert '<p class="office">示例街道办事处</p>' in page and "示例区卫生健康局登记" in page
    for text in (
        "以儿童、孕产妇、老年人、慢性疾病患者为重点人群，面向全体居民免费提供",
        "每年都拨付专项资金、开展专项部署、进行专项考核",
    ):
        passage = campaign.passages.get(text__contains=text)
        campaign.refresh_from_db()
        linked = {"became": "年度专项资金、部署和考核", "version": campaign.version}
        client.post(url("passage_edit", passage.pk), linked)
        shown = client.get(campaign.get_absolute_url()).content.decode()
        assert text in shown and "年度专项资金、部署和考核" in shown


@pytest.mark.row("D01")
def test_an_activity_goes_to_centres_stations_township_centres_and_village_clinics(world, log_in):
    client = log_in(world.posts.officer)
    head = {
        "name": "抓医疗助公卫活动",
        "title": "关于印发《抓医疗助公卫活动方案》的通知",
        "number": "二七卫计〔2018〕29号",
        "salutation": "各社区卫生服务中心（站）、乡镇卫生院、村卫生所：",
    }
    client.post(reverse("campaigns:campaign_create"), {**HEAD, **head})
    campaign = Campaign.objects.get()
    kinds = [Kind.COMMUNITY, Kind.STATION, Kind.TOWNSHIP, Kind.CLINIC]
    to_whom = {"kinds": kinds, "version": campaign.version}
    client.post(url("recipient_edit", campaign.pk), to_whom)
    sent = set(campaign.recipients.values_list("institution__code", flat=True))
    assert {"ZC-QNL", "ZC-RM-1", "ZC-WC", "ZC-QNL-1", "ZC-WC-1"} <= sent
    draft_phase = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 0,
        "form-0-name": "全年",
        "form-0-ends": "2018-12-31",
    }
    campaign.refresh_from_db()
    client.post(url("phase_edit", campaign.pk), {**draft_phase, "version": campaign.version})
    campaign.refresh_from_db()
    client.post(url("campaign_issue", campaign.pk), {"version": campaign.version})
    doctor = log_in(world.posts.doctor)
    assert head["salutation"] in doctor.get(campaign.get_absolute_url()).content.decode()
    doctor.post(url("campaign_receive", campaign.pk))
    assert campaign.recipients.get(institution=world.clinic).received_by == world.posts.doctor


def test_a_passage_is_linked_to_every_noun_it_may_become(world, log_in):
    """Plans, targets, groups and figures of the bureau are offered beside the campaign's own parts."""
    from campaigns import following, grouping, planning, pursuing
    from campaigns.models import Group, PlanCall, PlanKind, Target

    campaign = draft(world)
    passage = Passage.objects.create(campaign=campaign, position=1, text="各单位制定计划")
    by = world.posts.officer
    call = PlanCall(
        kind=PlanKind.QUALITY, name="质控计划", campaign=campaign, year=2023, due=date(2023, 3, 31)
    )
    planning.ask(call, [world.centre], by=by)
    group = Group(
        kind="leading", name="活动领导小组", campaign=campaign, set_up_on=date(2023, 3, 1)
    )
    grouping.set_up(group, by=by)
    target = Target(
        bureau=world.county,
        name="建成中心2个",
        kind="count",
        goal=2,
        starts=date(2023, 1, 1),
        due=date(2023, 12, 31),
    )
    pursuing.save_target(target, by=by, institutions=[world.centre])
    series = following.adopt(
        ["健康积分"], by=by, starts=date(2023, 1, 1), institutions=[world.centre]
    )
    client = log_in(by)
    form = client.get(url("passage_edit", passage.pk)).content.decode()
    for label in ("质控计划", "活动领导小组", "建成中心2个", "健康积分参与率"):
        assert label in form
    linked = {
        "plan_calls": [call.pk],
        "groups": [group.pk],
        "targets": [target.pk],
        "series": [series[0].pk],
        "phases": [campaign.phases.get().pk],
        "focuses": [campaign.focuses.get().pk],
        "version": campaign.version,
    }
    assert client.post(url("passage_edit", passage.pk), linked).status_code == 302
    page = client.get(campaign.get_absolute_url()).content.decode()
    for row in (call, group, target, series[0], campaign.focuses.get()):
        assert f'<a href="{row.get_absolute_url()}">{row}</a>' in page
    assert not campaign.passages.unlinked().exists()
    # Taken away again, it is asked for again.
    campaign.refresh_from_db()
    client.post(url("passage_edit", passage.pk), {"version": campaign.version})
    assert campaign.passages.unlinked().get() == passage
