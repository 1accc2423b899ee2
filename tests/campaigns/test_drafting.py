"""A bureau registers a campaign and writes it, part by part, until it is issued."""

from datetime import date

import pytest
from django.urls import reverse

from campaigns.models import (
    Campaign,
    Group,
    Passage,
    Phase,
    PlanCall,
    SupervisionFocus,
    Target,
    Task,
)
from campaigns.passage_forms import PassageLinkForm
from institutions.models import Event, StoredFile
from tests import builders
from tests.campaigns.papers import PAPER, draft, issued

HEAD = {
    "name": "提升活动",
    "title": "提升活动实施方案",
    "number": "示卫健字[2023]7号",
    "year": "2023",
    "issued_on": "2023-02-28",
    "signer": "局长",
    "salutation": "各有关医疗机构：",
    "goals": "提高群众满意度",
    "basis": "省市绩效评价反馈",
    "action": "save",
}


def url(name, pk):
    return reverse(f"campaigns:{name}", args=[pk])


def registered(client, **more):
    answer = client.post(reverse("campaigns:campaign_create"), {**HEAD, **more})
    assert answer.status_code == 302, answer.context["form"].errors
    return Campaign.objects.latest("pk")


@pytest.mark.row("A01", "A03")
def test_a_campaign_is_registered_with_its_head(world, log_in):
    client = log_in(world.posts.officer)
    row = registered(client, files=builders.picture("附件.jpg"))
    assert row.number == "示卫健字〔2023〕7号" and row.status == "draft"
    assert (row.bureau, row.author) == (world.county, world.posts.officer)
    page = client.get(row.get_absolute_url()).content.decode()
    for text in ("示卫健字〔2023〕7号", "局长", "提高群众满意度", "省市绩效评价反馈", "附件.jpg"):
        assert text in page
    assert Event.objects.of(row).get().label == "登记活动"


def test_a_pasted_paper_fills_the_head_before_anything_is_saved(world, log_in):
    client = log_in(world.posts.officer)
    answer = client.post(
        reverse("campaigns:campaign_create"), {"paper": PAPER, "name": "我起的名", "action": "read"}
    )
    initial = answer.context["form"].initial
    assert initial["number"] == "示卫健字〔2023〕7号" and initial["name"] == "我起的名"
    assert initial["issued_on"] == date(2023, 2, 28) and "满意度" in initial["goals"]
    assert not Campaign.objects.exists()


def test_a_pasted_paper_becomes_passages_and_the_table(world, log_in):
    row = registered(log_in(world.posts.officer), paper=PAPER)
    assert row.passages.count() == 11
    assert row.passages.get(heading="二、活动内容").nothing == "标题，无具体要求"
    first, second, third = row.focuses.all()
    assert first.names == "市中医医院 区人民医院"
    assert set(first.institutions.all()) == {world.city_hospital, world.hospital}
    assert list(second.institutions.all()) == [world.maternal]
    assert set(third.institutions.all()) == {world.centre, world.other_centre}


def test_a_number_is_registered_once_in_a_bureau(world, log_in):
    draft(world, number="示卫健字〔2023〕7号")
    client = log_in(world.posts.officer)
    answer = client.post(reverse("campaigns:campaign_create"), HEAD)
    assert answer.context["form"].errors["number"] == ["这个文号已经登记过"]
    assert "提升活动实施方案" in answer.content.decode()


@pytest.mark.parametrize("persona", ["head", "doctor", "leader", "auditor", "system", "street"])
def test_others_do_not_register(world, log_in, persona):
    client = log_in(getattr(world.posts, persona))
    assert client.get(reverse("campaigns:campaign_create")).status_code == 403


EDITS = [
    "campaign_edit",
    "campaign_text",
    "phase_edit",
    "recipient_edit",
    "task_create",
    "focus_create",
]


@pytest.mark.parametrize("name", EDITS)
def test_a_draft_is_seen_by_its_own_bureau_alone(world, log_in, name):
    row = draft(world)
    assert log_in(world.posts.officer).get(url(name, row.pk)).status_code == 200
    assert log_in(world.posts.city_officer).get(url(name, row.pk)).status_code == 404
    assert log_in(world.posts.far_officer).get(url(name, row.pk)).status_code == 404
    assert log_in(world.posts.head).get(url(name, row.pk)).status_code == 403
    assert log_in(world.posts.head).get(row.get_absolute_url()).status_code == 404
    assert log_in(world.posts.city_officer).get(row.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("name", ["campaign_edit", "campaign_text", "phase_edit", "focus_create"])
def test_what_is_issued_stands_as_printed(world, log_in, name):
    row = issued(world)
    client = log_in(world.posts.officer)
    assert client.get(url(name, row.pk)).status_code == 403
    data = {
        "campaign_edit": HEAD,
        "campaign_text": management("form", 0),
        "phase_edit": management("form", 0),
        "focus_create": {"names": "x", "text": "y", "institutions": [world.centre.pk]},
    }[name]
    answer = client.post(url(name, row.pk), {**data, "version": row.version})
    assert answer.status_code == 409
    assert Campaign.objects.get().number == "示卫健字〔2023〕13号"
    assert SupervisionFocus.objects.count() == 1


def management(prefix, total, initial=0):
    return {f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": initial}


def test_a_stale_version_saves_nothing(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    answer = client.post(url("campaign_edit", row.pk), {**HEAD, "version": row.version + 1})
    assert answer.status_code == 409
    assert Campaign.objects.get().name == "质量提升活动"
    answer = client.post(url("campaign_edit", row.pk), {**HEAD, "version": row.version})
    assert answer.status_code == 302
    assert Campaign.objects.get().name == "提升活动"


def passage_forms(row, **changes):
    data = management("form", row.passages.count() + 1, row.passages.count())
    for place, passage in enumerate(row.passages.all()):
        data[f"form-{place}-pk"] = passage.pk
        data[f"form-{place}-heading"] = passage.heading
        data[f"form-{place}-text"] = passage.text
    return {**data, "version": Campaign.objects.get(pk=row.pk).version, **changes}


def test_passages_are_merged_cut_deleted_and_added_in_the_preview(world, log_in):
    client = log_in(world.posts.officer)
    row = registered(client, paper=PAPER)
    kept = row.passages.get(position=4)
    task = Task.objects.create(campaign=row, position=1, name="会", due=date(2023, 3, 3))
    kept.tasks.add(task)
    changes = {
        "form-0-DELETE": "on",
        "form-6-merge": "on",
        "form-10-text": "甲。\r\n---\r\n乙。",
        "form-11-heading": "四、补充",
        "form-11-text": "丙。",
    }
    answer = client.post(url("campaign_text", row.pk), passage_forms(row, **changes))
    assert answer.status_code == 302
    texts = list(row.passages.values_list("position", "heading", "text"))
    assert len(texts) == 11 and [t[0] for t in texts] == list(range(1, 12))
    assert texts[4][2].startswith("1. 各机构") and "\n2. 对档案" in texts[4][2]
    assert [t[2] for t in texts[-3:]] == ["甲。", "乙。", "丙。"]
    kept.refresh_from_db()
    assert kept.position == 3 and list(kept.tasks.all()) == [task]


def test_a_paper_pasted_anew_is_shown_first_and_keeps_what_passages_became(world, log_in):
    client = log_in(world.posts.officer)
    row = registered(client, paper=PAPER)
    known = row.passages.get(position=4).pk
    again = PAPER.replace("对档案进行复核", "对全部档案进行复核")
    answer = client.post(url("campaign_text", row.pk), {"paper": again, "action": "read"})
    shown = [form.initial for form in answer.context["formset"] if form.initial]
    assert shown[3]["pk"] == known and shown[6]["pk"] is None
    assert row.passages.get(position=7).text.startswith("2. 对档案")


def test_a_foreign_passage_is_not_taken_over(world, log_in):
    client = log_in(world.posts.officer)
    row = registered(client, paper=PAPER)
    other = Passage.objects.create(campaign=draft(world), position=1, text="别的活动")
    client.post(url("campaign_text", row.pk), passage_forms(row, **{"form-0-pk": other.pk}))
    other.refresh_from_db()
    assert other.text == "别的活动" and row.passages.count() == 11


@pytest.mark.row("A04", "A05", "A06")
def test_phases_are_read_from_the_paper_with_and_without_a_start(world, log_in):
    client = log_in(world.posts.officer)
    row = registered(client, paper=PAPER)
    formset = client.get(url("phase_edit", row.pk)).context["formset"]
    data = management("form", 3) | {"version": row.version}
    for place, form in enumerate(formset):
        for name in ("name", "starts", "ends", "text"):
            data[f"form-{place}-{name}"] = form.initial.get(name) or ""
    assert client.post(url("phase_edit", row.pk), data).status_code == 302
    assert [(p.name, p.span) for p in row.phases.all()] == [
        ("动员部署阶段", "2023年3月3日前"),
        ("整改落实阶段", "2023年3月4日—3月31日"),
        ("质量提升阶段", "2023年4月1日—11月30日"),
    ]
    for start, name in (("（一）动", "动员部署阶段"), ("（二）整", "整改落实阶段")):
        linked = row.passages.get(heading__startswith=start)
        assert [p.name for p in linked.phases.all()] == [name]
    page = client.get(row.get_absolute_url()).content.decode()
    assert "chart-phases" in page and "落实" in page


def test_a_phase_with_tasks_is_not_deleted_and_one_cannot_end_before_it_starts(world, log_in):
    row = draft(world)
    phase = row.phases.get()
    client = log_in(world.posts.officer)
    data = management("form", 1, 1) | {
        "form-0-id": phase.pk,
        "form-0-name": phase.name,
        "form-0-ends": "2023-03-03",
        "version": row.version,
    }
    answer = client.post(url("phase_edit", row.pk), data | {"form-0-DELETE": "on"}, follow=True)
    assert "下还有任务" in answer.content.decode()
    assert Campaign.objects.get().version == row.version
    answer = client.post(url("phase_edit", row.pk), data | {"form-0-starts": "2023-03-04"})
    assert "截止日期不能早于开始日期" in answer.content.decode()
    assert Phase.objects.get().starts is None


@pytest.mark.row("A41", "A42", "A47")
def test_the_table_is_printed_as_written_with_several_institutions_in_a_cell(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    data = {
        "names": "市中医医院 区人民医院",
        "text": "孕产妇建档和产前 5 次随访",
        "institutions": [world.city_hospital.pk, world.hospital.pk],
        "items": [builders.item("05").pk],
        "version": row.version,
    }
    assert client.post(url("focus_create", row.pk), data).status_code == 302
    focus = row.focuses.get(position=2)
    assert set(focus.institutions.all()) == {world.city_hospital, world.hospital}
    assert [i.code for i in focus.items.all()] == ["05"]
    page = client.get(row.get_absolute_url()).content.decode()
    assert "机构名称" in page and "市中医医院 区人民医院" in page
    assert "青年路社区卫生服务中心、王村镇中心卫生院" in page


def test_a_foreign_institution_is_refused_in_every_form(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    base = {"version": row.version}
    focus = {**base, "names": "x", "text": "y", "institutions": [world.far_centre.pk]}
    assert client.post(url("focus_create", row.pk), focus).context["form"].errors["institutions"]
    task = {**base, "name": "t", "kind": "service", "done_by": "yes", "due": "2023-03-01"}
    task["institutions"] = [world.far_centre.pk]
    assert client.post(url("task_create", row.pk), task).context["form"].errors["institutions"]
    sent = {**base, "institutions": [world.far_centre.pk]}
    assert client.post(url("recipient_edit", row.pk), sent).context["form"].errors["institutions"]
    gone = client.post(url("recipient_remove", row.pk), sent, follow=True)
    assert "不是有效" in gone.content.decode() or "选择" in gone.content.decode()
    assert row.recipients.count() == 3 and row.focuses.count() == 1 and row.tasks.count() == 1


def test_a_focus_and_a_task_are_changed_and_deleted(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    focus, task = row.focuses.get(), row.tasks.get()
    data = {"names": "甲", "text": "乙", "institutions": [world.centre.pk]}
    assert client.get(url("focus_edit", focus.pk)).status_code == 200
    client.post(url("focus_edit", focus.pk), data | {"version": row.version})
    focus.refresh_from_db()
    assert focus.names == "甲"
    client.post(url("focus_delete", focus.pk), {"version": row.version + 1})
    client.post(url("task_delete", task.pk), {"version": row.version + 2})
    assert not row.focuses.exists() and not row.tasks.exists()


@pytest.mark.row("A02")
def test_recipients_are_chosen_by_kind_from_the_table_or_by_search(world, log_in):
    row = draft(world)
    row.recipients.all().delete()
    client = log_in(world.posts.officer)

    def add(**data):
        row.refresh_from_db()
        client.post(url("recipient_edit", row.pk), {**data, "version": row.version})
        return set(row.recipients.values_list("institution__code", flat=True))

    assert add(kinds=["hospital"]) == {"ZC-RM", "ZC-SZY"}
    assert add(from_table="on") == {"ZC-RM", "ZC-SZY", "ZC-QNL", "ZC-WC"}
    page = client.get(url("recipient_edit", row.pk), {"q": "jb"}).content.decode()
    assert "疾病预防" in page and 'value="hospital"' not in page
    assert "ZC-CDC" in add(institutions=[world.cdc.pk])
    assert "请选择要加入的类别、机构、科室或村居" in str(
        client.post(url("recipient_edit", row.pk), {"version": 1}).context["form"].errors
    )


def test_a_recipient_with_a_task_is_not_taken_off(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    data = {"institutions": [world.centre.pk], "version": row.version}
    page = client.post(url("recipient_remove", row.pk), data, follow=True).content.decode()
    assert "的责任单位，请先在任务中去掉" in page
    data = {"institutions": [world.maternal.pk], "version": row.version}
    client.post(url("recipient_remove", row.pk), data)
    assert row.recipients.count() == 2


@pytest.mark.row("A07", "A08")
def test_a_task_goes_to_whole_kinds_and_takes_the_end_of_its_phase(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    data = {
        "name": "学习规范",
        "kind": "learning",
        "done_by": "file",
        "area": "基本公卫",
        "phase": row.phases.get().pk,
        "kinds": ["township", "community"],
        "leaders": [world.posts.leader.pk],
        "version": row.version,
    }
    assert client.post(url("task_create", row.pk), data).status_code == 302
    task = row.tasks.get(name="学习规范")
    assert task.due == date(2023, 3, 3) and task.get_kind_display() == "学习"
    assert set(task.institutions.all()) == {world.centre, world.other_centre}
    late = client.post(url("task_create", row.pk), data | {"due": "2023-03-04"})
    assert "不能晚于阶段的截止日期" in str(late.context["form"].errors)


def test_every_passage_says_what_it_became_or_why_it_needs_nothing(world, log_in):
    client = log_in(world.posts.officer)
    row = registered(client, paper=PAPER)
    task = Task.objects.create(campaign=row, position=1, name="部署会", due=date(2023, 3, 3))
    listing = f"{reverse('campaigns:passage_list')}?campaign={row.pk}"
    before = client.get(listing).context["page"].count
    passage = row.passages.get(position=4)
    both = {"tasks": [task.pk], "nothing": "背景", "version": row.version}
    assert client.post(url("passage_edit", passage.pk), both).context["form"].errors["nothing"]
    said = {"tasks": [task.pk], "version": row.version, "then": "next"}
    answer = client.post(url("passage_edit", passage.pk), said)
    assert answer.url == url("passage_edit", row.passages.get(position=5).pk)
    assert client.get(listing).context["page"].count == before - 1
    page = client.get(row.get_absolute_url())
    assert page.context["unlinked"] == before - 1 and ">部署会</a>" in page.content.decode()
    foreign = Task.objects.create(
        campaign=draft(world), position=2, name="别的活动的任务", due=date(2023, 3, 3)
    )
    wrong = {"tasks": [foreign.pk], "version": row.version + 1}
    assert client.post(url("passage_edit", passage.pk), wrong).context["form"].errors["tasks"]


def test_a_passage_may_become_what_the_bureau_keeps_beside_campaigns(world, log_in):
    row = registered(log_in(world.posts.officer), paper=PAPER)
    for paper, name in ((None, "常设"), (row, "本活动"), (draft(world), "别的活动")):
        own = {"campaign": paper, "institution": world.county, "bureau": world.county}
        Group.objects.create(
            kind="leading", name=name, supervisor=world.county, set_up_on=date(2023, 3, 1), **own
        )
        PlanCall.objects.create(kind="quality", name=name, year=2023, due=date(2023, 4, 1), **own)
        Target.objects.create(
            campaign=paper,
            bureau=world.county,
            name=name,
            goal=3,
            starts=date(2023, 1, 1),
            due=date(2023, 12, 31),
        )
    form = PassageLinkForm(instance=row.passages.first(), post=world.posts.officer)
    for noun in ("groups", "plan_calls", "targets"):
        assert {kept.name for kept in form.fields[noun].queryset} == {"常设", "本活动"}, noun


def test_an_attachment_is_served_through_its_campaign_and_can_be_removed_from_a_draft(
    world, log_in
):
    client = log_in(world.posts.officer)
    row = registered(client, files=builders.picture())
    key = StoredFile.objects.get().key
    address = reverse("campaigns:campaign_file", args=[row.pk, key])
    assert client.get(address).status_code == 200
    assert log_in(world.posts.head).get(address).status_code == 404
    client = log_in(world.posts.officer)
    remove = reverse("campaigns:campaign_file_remove", args=[row.pk, key])
    assert client.post(remove, {"version": 9}).status_code == 409
    assert client.post(remove, {"version": row.version}).status_code == 302
    assert not row.files.exists()
