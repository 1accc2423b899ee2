"""What a bureau shows to everybody: drafted by one, decided by another, never rewritten; and what anybody may answer to it."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import disclosing
from campaigns.models import Objection, Publication, PublicAttempt
from campaigns.work import work_for
from institutions import clock
from institutions.models import Event, Institution, Notification, Post, User
from institutions.workflow import StaleState
from supervision import retention
from tests import builders

pytestmark = pytest.mark.django_db


def fresh(post: Post) -> Post:
    return Post.objects.get(pk=post.pk)


def drafted(world, **more) -> Publication:
    fields = {
        "kind": "other",
        "title": "体检机构名单公示",
        "text": "公示如下（示例）。",
        "workdays": 5,
    }
    row = Publication(**{**fields, **more})
    disclosing.save_publication(row, by=fresh(world.posts.officer))
    return row


def published(world, **more) -> Publication:
    row = drafted(world, **more)
    disclosing.submit(row, by=fresh(world.posts.officer), version=row.version)
    disclosing.publish(row, by=fresh(world.posts.leader), version=row.version)
    return row


def object_to(row: Publication, *, address: str = "192.0.2.1", key=None, **more):
    return disclosing.receive(
        row, key=key or uuid4(), address=address, text="名单漏了一家（示例）", **more
    )


def body(response) -> str:
    return response.content.decode()


@pytest.mark.row("E06")
def test_an_officer_drafts_a_leader_decides_and_then_anybody_reads_it(
    world, client, django_capture_on_commit_callbacks
):
    officer, leader, visitor = Client(), Client(), client
    officer.force_login(world.posts.officer.user, "institutions.backends.RoleBackend")
    leader.force_login(world.posts.leader.user, "institutions.backends.RoleBackend")
    given = {
        "kind": "flow",
        "title": "活动流程公开",
        "text": "先自评，后初审（示例）。",
        "workdays": "5",
    }
    given["files"] = builders.picture("流程图.jpg")
    officer.post(reverse("campaigns:publication_create"), given)
    row = Publication.objects.get()
    public = [reverse("public:home"), reverse("public:bureau", args=["ZC"]), row.public_url]
    key = row.files.get().key
    file = reverse("public:file", args=["ZC", row.pk, key])

    def seen() -> list[bool]:
        return ["活动流程公开" in body(visitor.get(url)) for url in public[1:]]

    assert seen() == [False, False] and visitor.get(row.public_url).status_code == 404
    assert visitor.get(file).status_code == 404
    assert "示例区" not in body(visitor.get(public[0]))
    with django_capture_on_commit_callbacks(execute=True):
        officer.post(reverse("campaigns:publication_submit", args=[row.pk]), {"version": 1})
    assert Notification.objects.filter(post=world.posts.leader, text__contains="请决定").exists()
    assert visitor.get(row.public_url).status_code == 404
    refused = officer.post(reverse("campaigns:publication_publish", args=[row.pk]), {"version": 2})
    assert refused.status_code == 403
    leader.post(reverse("campaigns:publication_publish", args=[row.pk]), {"version": 2})
    assert seen() == [True, True]
    assert "示例区卫生健康局" in body(visitor.get(public[0]))
    assert visitor.get(file).status_code == 200
    page = visitor.get(row.public_url)
    row.refresh_from_db()
    assert row.published_on == clock.today() and page["Cache-Control"] == "no-store"
    assert "先自评" in body(page) and "公示期" in body(page) and "<script" not in body(page)
    assert "sessionid" not in visitor.cookies


def test_nothing_else_is_shown_without_a_login(world, client):
    row = published(world)
    for url in ("/public/ZD/", "/public/NO-SUCH/", f"/public/ZD/{row.pk}/", "/public/ZC/999999/"):
        assert client.get(url).status_code == 404, url
    assert "青年路" not in body(client.get("/public/")) + body(client.get("/public/ZC/"))
    assert client.get(reverse("campaigns:publication_list")).status_code == 302


def test_the_log_in_page_links_there_only_where_one_bureau_runs_the_server(world, client):
    row = published(world)
    assert "/public/" not in body(client.get(reverse("login")))
    Institution.objects.filter(code__in=("ZB", "ZD")).update(kind="hospital")
    assert reverse("public:bureau", args=["ZC"]) in body(client.get(reverse("login")))
    disclosing.withdraw(row, by=fresh(world.posts.leader), version=row.version, note="有误")
    assert "/public/" not in body(client.get(reverse("login")))


def test_nobody_decides_on_what_he_wrote_whichever_posts_he_holds(world):
    row = drafted(world)
    officer = fresh(world.posts.officer)
    disclosing.submit(row, by=officer, version=row.version)
    both = Post.objects.create(
        institution=world.county,
        role="leader",
        title="主持工作副局长",
        user=User.objects.get(pk=officer.user_id),
    )
    with pytest.raises(PermissionDenied):
        disclosing.publish(row, by=both, version=row.version)


def test_what_was_shown_is_never_rewritten(world, log_in):
    row = published(world)
    row.text = "改过"
    with pytest.raises(StaleState):
        disclosing.save_publication(row, by=fresh(world.posts.officer), version=row.version)
    with pytest.raises(DatabaseError), transaction.atomic():
        Publication.objects.filter(pk=row.pk).update(text="改过")
    with pytest.raises(DatabaseError), transaction.atomic():
        Publication.objects.filter(pk=row.pk).delete()
    edit = log_in(world.posts.officer).get(reverse("campaigns:publication_edit", args=[row.pk]))
    assert edit.status_code == 409


def test_a_change_is_a_new_publication_that_takes_its_place(world, client):
    old = published(world)
    officer, leader = fresh(world.posts.officer), fresh(world.posts.leader)
    new = disclosing.start_replacement(old, by=officer)
    with pytest.raises(ValidationError, match="已经在办理"):
        disclosing.start_replacement(old, by=officer)
    new.text = "更正后的名单（示例）。"
    disclosing.save_publication(new, by=officer, version=new.version)
    assert client.get(old.public_url).status_code == 200, "shown until the leader decides"
    disclosing.submit(new, by=officer, version=new.version)
    disclosing.publish(new, by=leader, version=new.version)
    gone = client.get(old.public_url)
    assert gone.status_code == 410 and new.public_url in body(gone) and "公示如下" not in body(gone)
    old.refresh_from_db()
    assert old.status == "replaced" and old.removed_on == clock.today()
    assert "更正后" in body(client.get(new.public_url))


def test_taking_it_down_is_a_dated_decision_with_a_reason(world, client, log_in):
    row = published(world)
    url = reverse("campaigns:publication_withdraw", args=[row.pk])
    leader = Client()
    leader.force_login(world.posts.leader.user, "institutions.backends.RoleBackend")
    assert leader.post(url, {"version": row.version}).status_code == 422
    assert client.get(row.public_url).status_code == 200
    leader.post(url, {"version": row.version, "note": "名单有误，重新核对"})
    gone = client.get(row.public_url)
    assert gone.status_code == 410 and "名单有误" in body(gone) and row.title not in body(gone)
    assert client.get("/public/ZC/").status_code == 404
    event = Event.objects.of(row).last()
    assert (event.before, event.after, event.note) == (
        "published",
        "withdrawn",
        "名单有误，重新核对",
    )


def test_personal_numbers_and_money_outside_a_funds_notice_are_refused(world, log_in):
    client = log_in(world.posts.officer)
    given = {"kind": "flow", "title": "流程", "text": "联系 13900000000"}
    answer = client.post(reverse("campaigns:publication_create"), given)
    assert answer.status_code == 422 and not Publication.objects.exists()
    row = drafted(world)
    table = {"title": "经费", "headers": ["机构"], "rows": [["示例"]], "source": "", "money": True}
    with pytest.raises(ValidationError, match="资金公示"):
        disclosing.set_table(row, table, by=fresh(world.posts.officer), version=row.version)
    Publication.objects.filter(pk=row.pk).update(table=table)
    row.refresh_from_db()
    with pytest.raises(ValidationError, match="资金公示"):
        disclosing.submit(row, by=fresh(world.posts.officer), version=row.version)


def test_a_notice_for_objections_has_a_period(world, log_in):
    client = log_in(world.posts.officer)
    form = client.get(reverse("campaigns:publication_create")).context["form"]
    assert form["workdays"].value() == 5
    given = {"kind": "funds", "title": "经费公示", "text": "示例", "workdays": ""}
    answer = client.post(reverse("campaigns:publication_create"), given)
    assert answer.status_code == 422 and "要有公示期" in body(answer)


# --- Objections -------------------------------------------------------------------------------------


@pytest.mark.row("E06")
def test_a_visitor_objects_gets_a_receipt_and_reads_the_answer_with_it(
    world, client, django_capture_on_commit_callbacks
):
    row = published(world)
    url = reverse("public:object", args=["ZC", row.pk])
    key = re.search(r'name="key" value="([0-9a-f-]+)"', body(client.get(url)))[1]
    given = {"key": key, "text": "名单漏了一家（示例）", "name": "某居民", "phone": "0533-0000000"}
    with django_capture_on_commit_callbacks(execute=True):
        told = body(client.post(url, given))
    receipt = re.search(r"<strong>(\w{10})</strong>", told)[1]
    again = body(client.post(url, given))
    assert "没有重复登记" in again and receipt not in again
    heard = Objection.objects.get()
    assert receipt not in heard.receipt and heard.due > clock.today()
    assert Notification.objects.filter(
        post=world.posts.officer, url=heard.get_absolute_url()
    ).exists()

    asked = reverse("public:receipt")
    assert "还没有答复" in body(client.post(asked, {"receipt": receipt.lower()}))
    officer = Client()
    officer.force_login(world.posts.officer.user, "institutions.backends.RoleBackend")
    page = body(officer.get(heard.get_absolute_url()))
    assert "名单漏了一家" in page and "某居民" not in page and "0533-0000000" not in page
    reply = reverse("campaigns:objection_reply", args=[heard.pk])
    officer.post(reply, {"version": 1, "answer": "已核实，予以补充（示例）。"})
    answered = body(client.post(asked, {"receipt": f" {receipt[:5]}-{receipt[5:]} "}))
    assert "已核实，予以补充" in answered and "某居民" not in answered
    assert "没有这个回执号" in body(client.post(asked, {"receipt": "3333333333"}))


def test_only_within_the_period_and_only_to_what_is_shown(world, client, monkeypatch):
    row = published(world)
    url = reverse("public:object", args=["ZC", row.pk])
    last = row.ends
    given = {"key": str(uuid4()), "text": "意见（示例）"}
    monkeypatch.setattr(clock, "today", lambda: last + timedelta(days=1))
    assert "不再接收" in body(client.get(url)) and client.post(url, given).status_code == 422
    monkeypatch.setattr(clock, "today", lambda: last)
    assert client.post(url, given).status_code == 200 and Objection.objects.count() == 1
    assert client.get(reverse("public:object", args=["ZC", drafted(world).pk])).status_code == 404
    without = published(world, kind="flow", workdays=None)
    assert not without.takes_objections


def test_a_period_counts_working_days(world, monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: date(2023, 9, 27))
    # 29 September to 6 October 2023 were off; 7 and 8 October were worked.
    assert published(world).ends == date(2023, 10, 10)


def test_an_objection_without_a_check_of_the_form_is_refused(world):
    row = published(world)
    strict = Client(enforce_csrf_checks=True)
    url = reverse("public:object", args=["ZC", row.pk])
    assert strict.post(url, {"key": str(uuid4()), "text": "意见"}).status_code == 403


def test_one_address_and_all_together_have_their_measure(world, client, monkeypatch):
    row = published(world)
    monkeypatch.setitem(disclosing.LIMITS, "objection", (2, 4))
    for _ in range(2):
        object_to(row)
    url = reverse("public:object", args=["ZC", row.pk])
    given = {"key": str(uuid4()), "text": "第三次的意见"}
    refused = client.post(url, given, REMOTE_ADDR="192.0.2.1")
    assert refused.status_code == 429 and "第三次的意见" in body(refused)
    object_to(row, address="2001:db8::1")
    object_to(row, address="2001:db8::2")
    with pytest.raises(disclosing.TooMany):
        object_to(row, address="2001:db8::3")
    with pytest.raises(disclosing.TooMany):
        object_to(row, address="198.51.100.7")
    assert not PublicAttempt.objects.filter(client__contains="192").exists()
    PublicAttempt.objects.update(at=clock.now() - timedelta(minutes=61))
    object_to(row)


def test_guessing_receipts_is_slowed_down_but_a_right_one_is_free(world, client, monkeypatch):
    received = object_to(published(world))
    monkeypatch.setitem(disclosing.LIMITS, "receipt", (3, 100))
    url = reverse("public:receipt")
    for _ in range(5):
        assert client.post(url, {"receipt": received.receipt}).status_code == 200
    for number in range(3):
        assert client.post(url, {"receipt": f"WRONG{number}"}).status_code == 422
    assert client.post(url, {"receipt": received.receipt}).status_code == 429


def test_contacts_are_shown_by_a_recorded_act_and_go_with_time(world, log_in):
    row = object_to(published(world), name="某居民", phone="13900000000").objection
    url = reverse("campaigns:objection_reveal", args=[row.pk])
    assert log_in(world.posts.auditor).post(url).status_code == 403
    shown = body(log_in(world.posts.officer).post(url))
    assert "某居民" in shown and "13900000000" in shown
    assert Event.objects.filter(action="campaigns.objection.reveal", subject_id=row.pk).count() == 1
    listed = log_in(world.posts.officer).get(reverse("campaigns:objection_list"), {"format": "csv"})
    assert "某居民" not in listed.getvalue().decode()
    Objection.objects.update(received_at=clock.now() - timedelta(days=180))
    assert retention.purge().objections == 0
    Objection.objects.update(received_at=clock.now() - timedelta(days=181))
    assert retention.purge().objections == 1
    row.refresh_from_db()
    assert (row.name, row.phone) == ("", "") and row.text
    assert retention.purge().objections == 0


def test_what_is_owed_stands_on_the_home_page_late_ones_apart(world, log_in):
    row = published(world)
    first, second = object_to(row).objection, object_to(row).objection
    Objection.objects.filter(pk=first.pk).update(due=clock.today() - timedelta(days=1))
    lines = {line.label: line for line in work_for(fresh(world.posts.officer))}
    assert lines["异议逾期未答复"].group == "overdue" and lines["异议逾期未答复"].count == 1
    client = log_in(world.posts.officer)
    page = body(client.get(lines["异议逾期未答复"].url))
    assert first.get_absolute_url() in page and second.get_absolute_url() not in page
    assert "tag-bad" in page
    page = body(client.get(lines["待答复的异议"].url))
    assert second.get_absolute_url() in page and first.get_absolute_url() not in page


def test_an_answer_is_given_once_and_by_the_bureau_itself(world):
    row = object_to(published(world)).objection
    with pytest.raises(PermissionDenied):
        disclosing.reply(row, by=fresh(world.posts.far_officer), version=1, answer="x")
    with pytest.raises(PermissionDenied):
        disclosing.reply(row, by=fresh(world.posts.city_officer), version=1, answer="x")
    disclosing.reply(row, by=fresh(world.posts.second_officer), version=1, answer="已核实")
    with pytest.raises(StaleState):
        disclosing.reply(row, by=fresh(world.posts.officer), version=row.version, answer="再答")


def test_lists_cost_the_same_with_ten_times_the_rows(world, log_in):
    row = published(world)
    client = log_in(world.posts.officer)
    urls = [reverse(f"campaigns:{name}") for name in ("publication_list", "objection_list")]

    def costs() -> list[int]:
        found = []
        for url in urls:
            with CaptureQueriesContext(connection) as caught:
                client.get(url)
            found.append(len(caught))
        return found

    def grow(count: int) -> None:
        for number in range(count):
            drafted(world, title=f"公示{number}")
            Objection.objects.create(
                institution=row.institution,
                supervisor=row.institution,
                publication=row,
                text="示例",
                receipt=uuid4().hex,
                key=uuid4(),
                due=clock.today(),
            )

    grow(3)
    costs()  # the session is written with the first page
    few = costs()
    grow(27)
    assert costs() == few and max(few) <= 12
