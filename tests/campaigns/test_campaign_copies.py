"""Last year's campaign becomes next year's draft, with its days moved and every difference shown before issue."""

from datetime import date

import pytest
from django.urls import reverse

from campaigns.comparing import compare_campaigns
from campaigns.copying import Shift, copy
from campaigns.issuing import issue
from campaigns.models import Campaign, Passage, Phase
from institutions.models import Event, Holiday, Institution
from institutions.workdays import WorkCalendar
from tests.campaigns.papers import draft

COPY = {"year": "2024", "number": "示卫健字[2024]8号", "issued_on": "2024-02-28"}


def url(name, pk):
    return reverse(f"campaigns:{name}", args=[pk])


def source(world):
    """A campaign with a second phase that follows on the first, and passages that speak of their days."""
    row = draft(world, name="2023年质量提升活动", goals="对照2022年度问题清单", signer="局长")
    second = Phase.objects.create(
        campaign=row,
        institution=world.county,
        supervisor=world.county,
        position=2,
        name="整改落实阶段",
        starts=date(2023, 3, 4),
        ends=date(2023, 3, 31),
    )
    first = Passage.objects.create(
        campaign=row, position=1, heading="（一）动员部署阶段（2023年3月3日前）", text="召开会议。"
    )
    first.phases.set([row.phases.first()])
    first.tasks.set(row.tasks.all())
    last = Passage.objects.create(
        campaign=row,
        position=2,
        heading="（二）整改落实阶段（2023年3月4日—3月31日）",
        text="对照2022年度清单，5月1日另有安排。",
    )
    last.phases.set([second])
    last.focuses.set(row.focuses.all())
    issue(row, by=world.posts.officer, version=row.version)
    return row


def test_a_campaign_is_copied_into_the_next_year_with_its_days_moved(world, log_in):
    old = source(world)
    Institution.objects.filter(pk=world.maternal.pk).update(closed=date(2023, 6, 1))
    client = log_in(world.posts.officer)
    shown = client.get(url("campaign_copy", old.pk)).context["form"].initial
    assert (shown["year"], shown["number"]) == (2024, "示卫健字〔2024〕13号")
    answer = client.post(url("campaign_copy", old.pk), COPY)
    new = Campaign.objects.get(year=2024)
    assert answer.url == url("campaign_difference", new.pk)
    assert (new.status, new.copied_from, new.number) == ("draft", old, "示卫健字〔2024〕8号")
    assert (new.name, new.goals) == ("2024年质量提升活动", "对照2023年度问题清单")
    # 3 March 2024 is a Sunday: the deadline is the Friday before, and the next phase follows on it.
    days = [(p.starts, p.ends) for p in new.phases.all()]
    assert days == [(None, date(2024, 3, 1)), (date(2024, 3, 2), date(2024, 3, 29))]
    task = new.tasks.get()
    assert (task.due, task.phase) == (date(2024, 3, 1), new.phases.first())
    assert set(task.institutions.all()) == {world.centre, world.other_centre}
    assert new.focuses.get().institutions.count() == 2
    sent = set(new.recipients.values_list("institution__code", flat=True))
    assert sent == {"ZC-QNL", "ZC-WC"}
    assert not new.recipients.filter(received_at__isnull=False).exists()
    first, last = new.passages.all()
    assert first.heading == "（一）动员部署阶段（2024年3月1日前）"
    assert last.heading == "（二）整改落实阶段（2024年3月2日—3月29日）"
    assert last.text == "对照2023年度清单，5月1日另有安排。"
    assert (first.phases.get().campaign, first.tasks.get()) == (new, task)
    assert last.focuses.get().campaign == new
    assert Event.objects.of(new).get().label == "沿用到新年度"


def test_every_difference_is_shown_before_the_copy_is_issued(world, log_in):
    old = source(world)
    client = log_in(world.posts.officer)
    client.post(url("campaign_copy", old.pk), COPY)
    new = Campaign.objects.get(year=2024)
    page = client.get(url("campaign_difference", new.pk)).content.decode()
    for text in ("2023年3月3日", "2024年3月1日", "示卫健字〔2024〕8号", "继续拟稿"):
        assert text in page
    assert url("campaign_difference", new.pk) in client.get(new.get_absolute_url()).content.decode()
    new.recipients.filter(institution=world.maternal).delete()
    new.passages.filter(position=1).delete()
    new.tasks.update(name="开动员会")
    found = {s.title: s for s in compare_campaigns(old, new)}
    assert [d.state for d in found["正文"].differences] == ["removed", "changed"]
    assert [d.title for d in found["主送机构"].differences] == ["区妇幼保健院"]
    assert found["主送机构"].same == 2 and not found["督导重点"].differences
    fields = found["任务"].differences[0].fields
    assert ("任务", "召开动员部署会", "开动员会") in fields
    issue(new, by=world.posts.officer, version=new.version)
    assert client.get(url("campaign_difference", new.pk)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"year": "2023"}, "另一个年度"),
        ({"number": "示卫健字〔2023〕13号"}, "已经登记过"),
        ({"number": "八号文"}, "号"),
        ({"issued_on": ""}, "必填"),
    ],
)
def test_a_copy_needs_its_own_year_and_number(world, log_in, wrong, reason):
    old = source(world)
    answer = log_in(world.posts.officer).post(url("campaign_copy", old.pk), {**COPY, **wrong})
    assert answer.status_code == 200 and reason in answer.content.decode()
    assert Campaign.objects.count() == 1


def test_a_draft_is_not_copied_and_a_first_paper_has_no_difference(world, log_in):
    row = draft(world)
    client = log_in(world.posts.officer)
    assert client.get(url("campaign_copy", row.pk)).status_code == 403
    assert client.get(url("campaign_difference", row.pk)).status_code == 404


def test_days_are_moved_to_working_days_and_leap_days_to_what_there_is():
    shift = Shift(1, WorkCalendar({date(2025, 3, 3): False}))
    assert shift.deadline(date(2024, 3, 3)) == date(2025, 2, 28)
    assert shift.same_day(date(2024, 2, 29)) == date(2025, 2, 28)
    assert shift.deadline(date(2024, 11, 30)) == date(2025, 11, 28)
    assert shift.beginning(date(2024, 3, 10), None) == date(2025, 3, 10)
    assert (
        shift.words("〔2024〕3号，2024年11月30日前，1949年")
        == "〔2025〕3号，2025年11月28日前，1949年"
    )


def test_the_portals_own_holidays_count(world):
    old = source(world)
    Holiday.objects.create(day=date(2024, 3, 1), workday=False, name="示例")
    new = copy(
        old,
        year=2024,
        number="示卫健字〔2024〕9号",
        issued_on=date(2024, 2, 28),
        by=world.posts.officer,
    )
    assert new.phases.first().ends == date(2024, 2, 29)
