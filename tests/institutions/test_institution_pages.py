"""The pages of institutions, notifications and jobs; the first administrator; the cost of the lists."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions import audit, clock, files
from institutions.models import (
    Event,
    Institution,
    Job,
    Kind,
    Mandate,
    Notification,
    Pairing,
    Population,
    Post,
    Responsibility,
    User,
)
from institutions.roles import Role
from institutions.summary import profile_for
from tests import builders

INSTITUTIONS = "institutions:institution_list"


def text(client, name, *args, **query):
    return client.get(reverse(name, args=args), query).content.decode()


# --- Institutions --------------------------------------------------------------------------------------------


def listed(client, **query):
    return {line.row.name for line in client.get(reverse(INSTITUTIONS), query).context["page"].rows}


def test_the_list_shows_the_tree_below_ones_own_place(world, log_in):
    assert listed(log_in(world.posts.head)) == {
        "青年路社区卫生服务中心",
        "示例村卫生室一",
        "示例村卫生室二",
    }


def test_one_steps_down_by_the_number_of_institutions_below(world, log_in):
    client = log_in(world.posts.officer)
    assert f"?parent={world.centre.pk}" in text(client, INSTITUTIONS)
    assert listed(client, parent=world.centre.pk) == {"示例村卫生室一", "示例村卫生室二"}
    page = text(client, INSTITUTIONS, parent=world.centre.pk)
    assert "青年路社区卫生服务中心的下级机构" in page
    page = text(client, INSTITUTIONS, parent=world.far_centre.pk)
    assert "邻区" not in page, "what is out of sight is not told of"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "qnlsq"}, {"青年路社区卫生服务中心"}),
        ({"q": "djsq"}, {"区妇幼保健院"}),  # by its other name, 大街社区卫生服务中心
        ({"q": "没有"}, set()),
        (
            {"kind": "clinic"},
            {"示例村卫生室一", "示例村卫生室二", "示例村卫生室三"},
        ),
        ({"state": "closed"}, set()),
    ],
)
def test_search_and_filters(world, log_in, query, found):
    assert listed(log_in(world.posts.officer), **query) == found


def test_a_senseless_filter_is_no_error(world, log_in):
    for query in ({"parent": "x"}, {"parent": "9" * 30}, {"under": "x"}, {"region": "0"}):
        client = log_in(world.posts.officer)
        assert client.get(reverse(INSTITUTIONS), query).status_code == 200, query


def test_the_latest_population_stands_in_the_list_and_the_export(world, log_in):
    for year, residents in ((2024, 30000), (2025, 31234), (2999, 1)):
        Population.objects.create(institution=world.centre, year=year, residents=residents)
    client = log_in(world.posts.officer)
    assert "31234" in text(client, INSTITUTIONS, q="qnl")
    export = client.get(reverse(INSTITUTIONS), {"q": "qnl", "format": "csv"})
    assert "31234,2025" in b"".join(export.streaming_content).decode("utf-8-sig")


def test_the_filters_offer_few_choices_however_large_the_area(world, log_in):
    client = log_in(world.posts.city_officer)
    form = client.get(reverse(INSTITUTIONS)).context["form"]
    assert {str(i) for i in form.fields["under"].queryset} == {
        "示例市卫生健康委",
        "示例区卫生健康局",
        "邻区卫生健康局",
    }


def more_institutions(world, numbers):
    for n in numbers:
        builders.institution(f"ZC-N{n}", f"新增卫生室{n}", Kind.CLINIC, world.centre)


def more_posts(world, numbers):
    rows = (Post(institution=world.clinic, role=Role.STAFF, title=f"村医{n}") for n in numbers)
    Post.objects.bulk_create(rows)


def more_events(world, numbers):
    for _ in numbers:
        audit.record("x.y", "某事", by=world.posts.officer, bureau=world.county)


def more_jobs(world, numbers):
    officer = world.posts.officer
    rows = (Job(kind="x", title=f"导入{n}", owner=officer, unit=world.county) for n in numbers)
    Job.objects.bulk_create(rows)


def more_notifications(world, numbers):
    rows = (Notification(post=world.posts.officer, text=f"通知{n}") for n in numbers)
    Notification.objects.bulk_create(rows)


@pytest.mark.parametrize(
    ("name", "who", "more"),
    [
        (INSTITUTIONS, "officer", more_institutions),
        ("institutions:post_list", "system", more_posts),
        ("institutions:event_list", "auditor", more_events),
        ("institutions:job_list", "officer", more_jobs),
        ("notification_list", "officer", more_notifications),
    ],
)
def test_a_list_takes_the_same_few_queries_at_20_and_at_200_rows(world, log_in, name, who, more):
    client = log_in(getattr(world.posts, who))
    client.get(reverse(name))
    counts = []
    for numbers in (range(20), range(20, 200)):
        more(world, numbers)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse(name)).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 12, [q["sql"][:90] for q in seen]


def test_a_profile_tells_who_an_institution_is_in_a_few_queries(world, django_assert_num_queries):
    Population.objects.create(institution=world.cdc, year=2023, residents=5)
    post = Post.objects.get(pk=world.posts.system.pk)
    assert post.reach
    with django_assert_num_queries(5):
        profile = profile_for(world.cdc, post)
    assert [p.title for p in profile.posts] == ["疾控公卫科牵头人"]
    assert len(profile.duties["牵头"]) == 4 and profile.population.residents == 5
    assert profile_for(world.centre, world.posts.officer).children == 2
    assert profile_for(world.centre, world.posts.officer).pairings[0].post == world.posts.leader
    assert not profile_for(world.centre, world.posts.officer).posts, "accounts are not his matter"
    assert "社区卫生服务中心" in profile_for(world.maternal, world.posts.officer).kinds


# --- Notifications -------------------------------------------------------------------------------------------


def test_unread_notifications_come_first_and_opening_marks_them(world, log_in):
    old = Notification.objects.create(post=world.posts.head, text="旧的未读", url="/posts/")
    Notification.objects.create(post=world.posts.head, text="新的已读", read_at=clock.now())
    client = log_in(world.posts.head)
    page = text(client, "notification_list")
    assert page.index("旧的未读") < page.index("新的已读")
    old.refresh_from_db()
    assert old.read_at is None, "looking at the list changes nothing"
    url = reverse("notification_open", args=[old.pk])
    assert client.get(url).status_code == 405
    assert client.post(url).url == "/posts/"
    old.refresh_from_db()
    assert old.read_at


def test_a_notification_leads_nowhere_else(world, log_in):
    row = Notification.objects.create(post=world.posts.head, text="x", url="//elsewhere.example/")
    response = log_in(world.posts.head).post(reverse("notification_open", args=[row.pk]))
    assert response.url == reverse("notification_list")


def test_one_opens_and_reads_only_what_ones_own_post_was_told(world, log_in):
    row = Notification.objects.create(post=world.posts.staff, text="给别人的")
    client = log_in(world.posts.head)
    assert client.post(reverse("notification_open", args=[row.pk])).status_code == 404
    client.post(reverse("notification_read_all"))
    row.refresh_from_db()
    assert row.read_at is None and "给别人的" not in text(client, "notification_list")


# --- Jobs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def job(world):
    return Job.objects.create(
        kind="import",
        title="导入服务人口",
        owner=world.posts.head,
        unit=world.centre,
        state="running",
        done=30,
        total=120,
    )


def test_a_running_job_is_asked_again_and_a_finished_one_is_not(world, log_in, job):
    client = log_in(world.posts.head)
    page = text(client, "institutions:job_detail", job.pk)
    assert "every 2s" in page and "30 / 120" in page and "刷新进度" in page
    url = reverse("institutions:job_detail", args=[job.pk])
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<div id=") and "<html" not in part
    job.state, job.report = "failed", {"新增": 3, "errors": ["第 4 行：人口不是整数"]}
    job.save()
    page = text(client, "institutions:job_detail", job.pk)
    assert "every 2s" not in page and "第 4 行：人口不是整数" in page and "新增" in page


def test_the_result_is_downloaded_by_its_owner_only(world, log_in, job):
    client = log_in(world.posts.head)
    url = reverse("institutions:job_file", args=[job.pk])
    assert client.get(url).status_code == 404
    job.result = files.keep(
        b"a,b", name="结果.csv", kind="csv", content_type="text/csv", by=world.posts.head
    )
    job.save()
    response = client.get(url)
    assert b"".join(response.streaming_content) == b"a,b"
    assert response["Content-Disposition"].startswith("attachment")
    for name in ("job_file", "job_detail"):
        other = reverse(f"institutions:{name}", args=[job.pk])
        assert log_in(world.posts.officer).get(other).status_code == 404


# --- The first administrator -------------------------------------------------------------------------------------


def create(**options):
    out = io.StringIO()
    call_command("create_admin", stdout=out, **options)
    return out.getvalue()


def _empty():
    """Take the world that other tests share away, within this test's transaction."""
    for model in (Mandate, Pairing, Responsibility, Post, User):
        model.objects.all().delete()
    Institution.objects.update(parent=None, bureau=None)
    Institution.objects.all().delete()


def test_an_empty_database_gets_a_bureau_and_its_administrator(db, client):
    _empty()
    builders.load_reference()
    said = create(unit="ZC", username="Admin1", name="示例区卫生健康局", region="370306")
    code = said.split("：")[1].split()[0]
    assert Institution.objects.get().bureau.code == "ZC"
    new = {"new_password": "Lü-Shan-7-Xia", "new_password_again": "Lü-Shan-7-Xia"}
    response = client.post(reverse("activate"), {"username": "admin1", "code": code, **new})
    assert response.status_code == 302
    assert User.objects.get().posts.get().role == Role.SYSTEM
    assert {"account.opened", "post.opened"} <= set(Event.objects.values_list("action", flat=True))


def test_a_second_one_is_made_only_when_meant(world):
    with pytest.raises(CommandError, match="已有系统管理员"):
        create(unit="ZC", username="second")
    assert not User.objects.filter(username="second").exists()
    assert "激活码" in create(unit="ZC", username="second", another=True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"unit": "NONE"}, "没有代码为 NONE 的机构"),
        ({"unit": "ZC-QNL"}, "不是卫生健康行政部门"),
        ({"unit": "ZB", "username": "head"}, "用户名"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(world, options, why):
    with pytest.raises(CommandError, match=why):
        create(**{"username": "second", **options})
