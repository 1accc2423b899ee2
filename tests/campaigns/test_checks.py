"""Checks from above: on the calendar, prepared for by everybody concerned, kept with their score."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import preparing, work
from campaigns.models import Preparation, SuperiorCheck
from institutions import clock
from institutions.models import Department, Notification
from institutions.workflow import StaleState
from tests import builders

DAY = date(2023, 2, 20)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: DAY)


def expected(world, **more) -> SuperiorCheck:
    fields = {"name": "省级绩效考核", "day": date(2023, 3, 10), "about": True, **more}
    check = SuperiorCheck(bureau=world.county, **fields)
    preparing.save_check(check, by=world.posts.officer)
    return check


def asked(check, unit, by, text="整理随访记录", due=date(2023, 2, 17), **more) -> Preparation:
    line = Preparation(superior_check=check, institution=unit, text=text, due=due, **more)
    preparing.save_line(line, by=by)
    return line


def test_a_check_is_put_on_the_calendar_and_counted_down(world, log_in):
    client = log_in(world.posts.officer)
    answer = client.post(
        reverse("campaigns:check_create"),
        {
            "level": "province",
            "name": "省级考核",
            "day": "2023-03-10",
            "about": "on",
            "text": "听汇报、看现场",
            "institutions": [world.centre.pk],
            "items": [builders.item("06").pk],
        },
    )
    check = SuperiorCheck.objects.get()
    assert answer.url == check.get_absolute_url()
    assert check.day_text == "2023年3月10日左右" and list(check.institutions.all()) == [
        world.centre
    ]
    asked(check, world.centre, world.posts.officer)
    for post in (world.posts.officer, world.posts.head):
        client = log_in(post)
        home = client.get("/").content.decode()
        assert "省级考核" in home and "2023年3月10日左右" in home and "还有18天" in home
        assert "0/1" in home
    page = client.get(reverse("campaigns:check_calendar"), {"year": "2023"})
    assert [row.name for row, _ in page.context["months"][3]] == ["省级考核"]
    assert "10日左右" in page.content.decode()
    listed = client.get(reverse("campaigns:check_list"), {"level": "province", "when": "coming"})
    assert listed.context["page"].count == 1


@pytest.mark.row("C27")
def test_each_prepares_what_falls_to_him_and_is_reminded(world, log_in):
    check = expected(world)
    client = log_in(world.posts.officer)
    new = reverse("campaigns:preparation_create", args=[check.pk])
    bad = client.post(new, {"text": "台账", "institution": world.centre.pk, "due": "2023-03-11"})
    assert "完成时限不能晚于检查日期" in bad.content.decode()
    with transaction.atomic():
        client.post(
            new,
            {
                "text": "整理随访记录",
                "institution": world.centre.pk,
                "duty": "公卫科经办人",
                "due": "2023-02-17",
                "more": "1",
            },
        )
    line = Preparation.objects.get()
    owed = next(x for x in work.work_for(world.posts.head) if x.label == "迎检准备逾期未完成")
    client = log_in(world.posts.staff)
    assert owed.count == 1 == client.get(owed.url).context["page"].count
    page = client.get(check.get_absolute_url()).content.decode()
    assert "请本单位准备" in page and "逾期未完成 1 项" in page
    done = client.post(
        reverse("campaigns:preparation_finish", args=[line.pk]),
        {
            "version": line.version,
            "on": "2023-02-19",
            "note": "已补齐",
            "files": builders.picture("台账.jpg"),
        },
    )
    assert done.url == check.get_absolute_url()
    line.refresh_from_db()
    assert (line.done_on, line.done_by) == (date(2023, 2, 19), world.posts.staff)
    page = client.get(line.get_absolute_url()).content.decode()
    assert "逾期完成" in page and "已补齐" in page and "台账.jpg" in page
    file = line.files.get()
    assert client.get(reverse("campaigns:preparation_file", args=[line.pk, file.key])).status_code
    assert not [x for x in work.work_for(world.posts.head) if x.label.startswith("迎检")]
    resume = reverse("campaigns:preparation_resume", args=[line.pk])
    assert client.post(resume, {"version": 1}).status_code == 409
    client.post(resume, {"version": line.version})
    assert not Preparation.objects.get().done_on
    # Another unit neither sees nor answers it.
    assert log_in(world.posts.other_head).get(line.get_absolute_url()).status_code == 404


def test_what_a_department_prepares_is_not_asked_of_the_others(world):
    check = expected(world)
    office = Department.objects.create(institution=world.county, name="财务科")
    line = asked(check, world.county, world.posts.officer, department=office, text="支出凭证")
    assert line.who == "财务科"
    world.posts.finance.department = office
    world.posts.finance.save()

    def owed(post):
        return [x.label for x in work.work_for(post) if x.label.startswith("迎检")]

    assert owed(world.posts.finance) == ["迎检准备逾期未完成"] and not owed(world.posts.officer)


def test_those_who_are_to_prepare_are_told(world, django_capture_on_commit_callbacks):
    check = expected(world)
    with django_capture_on_commit_callbacks(execute=True):
        asked(check, world.centre, world.posts.officer)
    told = set(Notification.objects.values_list("post", flat=True))
    assert told == {world.posts.head.pk, world.posts.staff.pk}


def test_the_list_of_an_earlier_check_is_taken_over_in_time(world, log_in):
    earlier = expected(world, name="上年考核", day=date(2022, 3, 10))
    asked(earlier, world.centre, world.posts.officer, due=date(2022, 3, 1))
    client = log_in(world.posts.officer)
    client.post(
        reverse("campaigns:check_create"),
        {"level": "province", "name": "今年考核", "day": "2023-03-10", "like": earlier.pk},
    )
    line = Preparation.objects.get(superior_check__name="今年考核")
    assert (line.due, line.institution, line.text) == (
        date(2023, 3, 1),
        world.centre,
        "整理随访记录",
    )


def test_the_score_is_kept_and_lies_within_the_full_marks(world, log_in):
    check = expected(world, day=date(2023, 2, 1))
    url = reverse("campaigns:check_result", args=[check.pk])
    client = log_in(world.posts.officer)
    bad = client.post(url, {"version": 1, "score": "101", "full": "100"}).content.decode()
    assert "得分应在 0 和满分之间" in bad
    assert "请填写满分" in client.post(url, {"version": 1, "score": "90"}).content.decode()
    client.post(url, {"version": 1, "score": "93.5", "full": "100", "result": "全市第2名"})
    page = client.get(check.get_absolute_url()).content.decode()
    assert "93.5/100" in page and "全市第2名" in page
    with pytest.raises(IntegrityError), transaction.atomic():
        SuperiorCheck.objects.update(score=120)
    with pytest.raises(StaleState):
        preparing.record_result(check, by=world.posts.officer, version=1, result="又改")


def test_changing_and_removing_is_the_bureaus_affair(world, log_in):
    check = expected(world)
    line = asked(check, world.centre, world.posts.officer)
    client = log_in(world.posts.officer)
    edit = reverse("campaigns:preparation_edit", args=[line.pk])
    given = {"text": "整理档案", "institution": world.other_centre.pk, "due": "2023-03-01"}
    assert client.post(edit, {**given, "version": 9}).status_code == 409
    client.post(edit, {**given, "version": line.version})
    line.refresh_from_db()
    assert (line.text, line.institution) == ("整理档案", world.other_centre)
    change = reverse("campaigns:check_edit", args=[check.pk])
    client.post(change, {"version": 1, "level": "city", "name": "市级考核", "day": "2023-04-10"})
    check.refresh_from_db()
    assert (check.name, check.level, check.about) == ("市级考核", "city", False)
    gone = reverse("campaigns:preparation_remove", args=[line.pk])
    assert log_in(world.posts.other_head).post(gone, {"version": 2}).status_code == 403
    log_in(world.posts.officer).post(gone, {"version": line.version})
    assert not Preparation.objects.exists()


@pytest.mark.parametrize("name", ["check_list", "preparation_list"])
def test_the_lists_cost_the_same_for_20_and_200_rows(world, log_in, name):
    client = log_in(world.posts.officer)
    url = reverse(f"campaigns:{name}")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(url).status_code == 200
        return len(caught)

    def more(count):
        for _ in range(count):
            check = SuperiorCheck.objects.create(
                bureau=world.county, name="市级检查", day=date(2023, 5, 1)
            )
            Preparation.objects.create(
                superior_check=check, institution=world.centre, text="台账", due=DAY
            )

    more(20)
    queries()
    few = queries()
    more(180)
    assert queries() == few <= 12
