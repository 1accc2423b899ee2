"""Notices: composed from what was seen, numbered once, frozen, received, withdrawn only by another one."""

import hashlib
import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from docx import Document

from institutions import clock
from institutions.models import Event, Institution, Notification, StoredFile
from institutions.workflow import StaleState
from supervision import composing, noticing
from supervision.models import Notice, NoticeRegister, Rectification, Sanction
from tests.supervision import making

WORD = "示卫健督"


@pytest.fixture
def rectification(world):
    return making.rectification(
        world, world.centre, text="随访记录血压值前后矛盾\x0b，<3次 & 无签名"
    )


def demanded(world, rectification) -> Notice:
    row = Rectification.objects.select_related("institution", "item", "problem__campaign").get(
        pk=rectification.pk
    )
    by = making.fresh(world.posts.officer)
    notice = noticing.draft(composing.demand([row], by=by), by=by)
    Notice.objects.filter(pk=notice.pk).update(word=WORD)
    notice.refresh_from_db()
    return notice


def bulletin(world, *, units=None, word=WORD) -> Notice:
    by = making.fresh(world.posts.officer)
    content = noticing.Draft(
        kind="bulletin",
        title="关于第一季度质控督导情况的通报",
        body="一、基本情况\n督导顺利。",
        recipients=units or [world.centre, world.other_centre],
    )
    notice = noticing.draft(content, by=by)
    Notice.objects.filter(pk=notice.pk).update(word=word)
    notice.refresh_from_db()
    return notice


def issued(world, notice) -> Notice:
    noticing.issue(notice, by=making.fresh(world.posts.leader), version=notice.version)
    notice.refresh_from_db()
    return notice


def url(name, notice) -> str:
    return reverse(f"supervision:notice_{name}", args=[notice.pk])


@pytest.mark.row("X10")
def test_a_demand_is_written_from_a_rectification_and_issued_as_a_word_file(
    world, rectification, log_in
):
    client = log_in(world.posts.officer)
    page = client.post(
        reverse("supervision:notice_create"),
        {"kind": "demand", "rectifications": rectification.pk},
    )
    notice = Notice.objects.get()
    assert page.url == url("edit", notice)
    assert "随访记录血压值前后矛盾" in notice.body
    assert notice.addressee == f"{world.centre.name}："
    form = client.get(page.url).context["form"]
    data = {**form.initial, "word": WORD, "version": notice.version, "keep": ["0"]}
    data["body"] = f"{notice.body}\n请认真整改。"
    data["signer"] = world.posts.leader.pk
    data = {name: value for name, value in data.items() if value is not None}
    assert client.post(page.url, data).url == notice.get_absolute_url()
    notice.refresh_from_db()
    assert notice.body.endswith("请认真整改。")
    assert "（印发时编号）" not in client.get(notice.get_absolute_url()).content.decode()
    year = clock.today().year
    client.post(url("issue", notice), {"version": notice.version})
    notice.refresh_from_db()
    assert notice.number_text == f"{WORD}〔{year}〕1号"
    answer = client.get(url("document", notice))
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == notice.sha256
    word = Document(io.BytesIO(content))
    text = "\n".join(p.text for p in word.paragraphs)
    assert f"{WORD}〔{year}〕1号\t签发人：分管局长" in text
    assert "请认真整改。" in text and "签收单位（盖章）" in text
    assert word.tables[0].rows[1].cells[2].text.startswith("随访记录血压值前后矛盾，<3次 & 无签名")


def test_a_feedback_sheet_is_written_from_a_submitted_visit(world, log_in):
    round_ = making.round_of(world, status="issued")
    visit = making.visit_of(
        round_,
        world.centre,
        world.posts.officer,
        status="submitted",
        visited_on=clock.today(),
        submitted_at=clock.now(),
        summary="总体较好",
    )
    client = log_in(world.posts.officer)
    client.post(reverse("supervision:notice_create"), {"kind": "feedback", "visit": visit.pk})
    notice = Notice.objects.get()
    assert "总体较好" in notice.body and notice.visit == visit
    assert [row.institution for row in notice.recipients.all()] == [world.centre]


def test_a_clearance_lists_closed_rectifications_only(world, rectification):
    row = Rectification.objects.select_related("institution", "problem").get(pk=rectification.pk)
    by = making.fresh(world.posts.officer)
    with pytest.raises(ValidationError, match="已销号"):
        composing.clearance([row], by=by)
    with pytest.raises(ValidationError, match="至少选择一项"):
        composing.demand([], by=by)
    making.applied(making.ready(rectification, world.posts.head), world.posts.head)
    rectification.close(by=world.posts.second_officer, version=rectification.version)
    row = Rectification.objects.select_related("institution", "problem__campaign", "verifier").get(
        pk=rectification.pk
    )
    assert "基妇科科长" in composing.clearance([row], by=by).annexes[0].rows[0]


def test_a_round_is_told_of_by_item_naming_institutions(world):
    by = making.fresh(world.posts.officer)
    round_ = making.round_of(world, status="issued")
    with pytest.raises(ValidationError, match="还没有提交"):
        composing.round_bulletin(round_, by=by)
    making.visit_of(
        round_,
        world.centre,
        world.posts.officer,
        status="submitted",
        visited_on=clock.today(),
        submitted_at=clock.now(),
    )
    content = composing.round_bulletin(round_, by=by)
    assert "督导机构1家" in content.body and world.centre.known_as in content.body
    assert content.recipients == [world.centre]
    problems = [
        making.rectification(world, unit, text="体检项目缺项", category="体检项目缺项").problem
        for unit in (world.centre, world.other_centre)
    ]
    told = composing.problems_by_item(problems)
    assert told.startswith("（一）") and "涉及2家机构" in told
    assert f"体检项目缺项（{world.centre.known_as}、{world.other_centre.known_as}）" in told


def test_numbers_count_from_one_by_office_year_and_word(world):
    one, two = issued(world, bulletin(world)), issued(world, bulletin(world))
    other = issued(world, bulletin(world, word="示卫健改"))
    assert (one.number, two.number, other.number) == (1, 2, 1)
    head = making.fresh(world.posts.head)
    content = noticing.Draft("bulletin", "中心通报", "正文", recipients=[world.clinic])
    own = noticing.draft(content, by=head)
    Notice.objects.filter(pk=own.pk).update(word=WORD)
    own.refresh_from_db()
    noticing.issue(own, by=head, version=own.version)
    own.refresh_from_db()
    assert own.number == 1


def test_a_refused_issue_leaves_neither_number_nor_file(world, settings):
    notice = bulletin(world)
    with pytest.raises(StaleState):
        noticing.issue(notice, by=world.posts.leader, version=notice.version + 5)
    with pytest.raises(PermissionDenied):
        noticing.issue(notice, by=world.posts.head, version=notice.version)
    notice.recipients.all().delete()
    with pytest.raises(ValidationError, match="主送机构"):
        noticing.issue(notice, by=world.posts.leader, version=notice.version)
    assert not NoticeRegister.objects.filter(last__gt=0).exists()
    assert not StoredFile.objects.exists()
    assert not [p for p in settings.FILES_ROOT.rglob("*") if p.is_file()]
    assert notice.number is None and notice.is_draft


def refused(sql: str, *params) -> None:
    with (
        pytest.raises((IntegrityError, Exception), match=r"never changed|one by one"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, params)


def test_the_database_itself_keeps_an_issued_notice_and_its_register(world):
    notice = issued(world, bulletin(world))
    refused("UPDATE supervision_notice SET body = 'x' WHERE id = %s", notice.pk)
    refused("UPDATE supervision_notice SET status = 'draft' WHERE id = %s", notice.pk)
    refused("UPDATE supervision_notice SET sha256 = 'x' WHERE id = %s", notice.pk)
    refused("DELETE FROM supervision_notice WHERE id = %s", notice.pk)
    refused("DELETE FROM supervision_noticerecipient WHERE notice_id = %s", notice.pk)
    refused("UPDATE supervision_noticeregister SET last = 5")
    refused("DELETE FROM supervision_noticeregister")
    twin = bulletin(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.filter(pk=twin.pk).update(status="issued")


def test_an_issued_notice_cannot_be_edited_on_any_way(world, log_in):
    notice = issued(world, bulletin(world))
    client = log_in(world.posts.officer)
    assert client.get(url("edit", notice)).url == notice.get_absolute_url()
    with pytest.raises(StaleState):
        noticing.save(
            notice,
            by=world.posts.officer,
            version=notice.version,
            units=[world.centre],
            tables=[],
            **{name: getattr(notice, name) for name in noticing.TEXT_FIELDS},
        )
    answer = client.post(url("drop", notice), {"version": notice.version})
    assert answer.status_code == 409


def test_each_recipient_confirms_once_and_the_office_sees_who_has_not(
    world, log_in, django_capture_on_commit_callbacks
):
    notice = bulletin(world)
    with django_capture_on_commit_callbacks(execute=True):
        issued(world, notice)
    told = Notification.objects.filter(url=notice.get_absolute_url())
    assert {n.post_id for n in told} >= {world.posts.head.pk, world.posts.other_head.pk}
    client = log_in(world.posts.head)
    assert "请签收通报通知" in client.get("/").content.decode()
    listed = client.get(reverse("supervision:notice_list"), {"box": "waiting"})
    assert notice.title in listed.content.decode()
    for said in ("已签收", "本单位此前已经签收"):
        assert said in client.post(url("receive", notice), follow=True).content.decode()
    assert Event.objects.filter(action="supervision.notice.receive").count() == 1
    page = log_in(world.posts.officer).get(notice.get_absolute_url()).content.decode()
    assert "1/2" in page or "1 / 2" in page
    unsigned = page[page.index('id="unsigned"') :][:200]
    assert world.other_centre.known_as in unsigned and world.centre.known_as not in unsigned
    receipts = reverse("supervision:notice_receipt_list")
    answer = client.get(receipts, {"received": "no", "format": "csv"})
    assert world.other_centre.name in b"".join(answer.streaming_content).decode()


def test_a_notice_is_withdrawn_by_another_one_and_stands_until_that_is_issued(world, log_in):
    notice = issued(world, bulletin(world))
    client = log_in(world.posts.officer)
    data = {"version": notice.version, "note": "数据有误"}
    answer = client.post(url("withdraw", notice), data)
    recall = Notice.objects.get(kind="recall")
    assert answer.url == recall.get_absolute_url()
    notice.refresh_from_db()
    assert notice.status == "issued" and "数据有误" in recall.body
    again = client.post(url("withdraw", notice), {**data, "version": notice.version}, follow=True)
    assert "已经拟写" in again.content.decode()
    issued(world, recall)
    notice.refresh_from_db()
    assert notice.status == "withdrawn" and recall.number == 2
    assert {r.institution_id for r in recall.recipients.all()} == {
        r.institution_id for r in notice.recipients.all()
    }
    head = log_in(world.posts.head)
    assert "已撤回，不再执行" in head.get(notice.get_absolute_url()).content.decode()


def test_drafts_are_seen_by_the_office_alone_and_notices_by_those_they_concern(world, log_in):
    notice = bulletin(world, units=[world.centre])
    posts = world.posts
    for post, status in ((posts.officer, 200), (posts.head, 404), (posts.city_officer, 404)):
        assert log_in(post).get(notice.get_absolute_url()).status_code == status
    issued(world, notice)
    for post, status in (
        (posts.head, 200),
        (posts.staff, 200),
        (posts.city_officer, 200),
        (posts.other_head, 404),
        (posts.doctor, 404),
        (posts.far_officer, 404),
        (posts.lead, 404),
    ):
        client = log_in(post)
        assert client.get(notice.get_absolute_url()).status_code == status, post
        assert client.get(url("document", notice)).status_code == status, post
    assert log_in(posts.doctor).get(reverse("supervision:notice_create")).status_code == 403


def test_a_demand_goes_to_one_institution_and_cannot_be_readdressed(world, rectification, log_in):
    notice = demanded(world, rectification)
    other = making.rectification(world, world.other_centre)
    by = making.fresh(world.posts.officer)
    rows = list(Rectification.objects.select_related("institution", "problem").all())
    assert other in rows
    with pytest.raises(ValidationError, match="只发给一家"):
        composing.demand(rows, by=by)
    client = log_in(world.posts.officer)
    form = client.get(url("edit", notice)).context["form"]
    data = {k: v for k, v in form.initial.items() if v is not None}
    data |= {"institutions": [world.other_centre.pk], "version": notice.version, "word": WORD}
    client.post(url("edit", notice), data)
    assert [row.institution for row in notice.recipients.all()] == [world.centre]


@pytest.mark.parametrize("word", ["示卫健督〔2023〕", "示卫健督3", "示卫(健)"])
def test_the_word_bears_neither_year_nor_number(world, log_in, word):
    notice = bulletin(world)
    client = log_in(world.posts.officer)
    form = client.get(url("edit", notice)).context["form"]
    data = {k: v for k, v in form.initial.items() if v is not None}
    answer = client.post(url("edit", notice), {**data, "word": word, "version": notice.version})
    assert "word" in answer.context["form"].errors


def test_the_list_costs_the_same_at_any_length(world, log_in, django_assert_max_num_queries):
    client = log_in(world.posts.officer)
    client.get(reverse("supervision:notice_list"))
    costs = []
    for count in (3, 12):
        for _ in range(count):
            bulletin(world)
        with django_assert_max_num_queries(14) as asked:
            client.get(reverse("supervision:notice_list"))
        costs.append(len(asked))
    assert costs[0] == costs[1]


def test_a_due_date_is_kept(world, rectification):
    notice = demanded(world, rectification)
    assert notice.due == rectification.due
    assert composing.reply_due() == clock.today() + timedelta(days=15)
    assert [composing.numeral(n) for n in (1, 10, 12, 20, 21)] == [
        "一",
        "十",
        "十二",
        "二十",
        "二十一",
    ]


def test_a_city_writes_to_its_counties(world, log_in):
    by = making.fresh(world.posts.city_officer)
    county = Institution.objects.get(pk=world.county.pk)
    notice = noticing.draft(
        noticing.Draft("bulletin", "市通报", "正文", recipients=[county]), by=by
    )
    client = log_in(world.posts.city_officer)
    form = client.get(url("edit", notice)).context["form"]
    assert county in form.fields["institutions"].queryset
    data = {"title": "市通报", "body": "正文", "institutions": [county.pk], "word": "市卫"}
    client.post(url("edit", notice), {**data, "version": notice.version})
    notice.refresh_from_db()
    assert notice.word == "市卫" and notice.recipients.get().institution == county


def test_a_decision_is_told_of_unless_only_the_entitled_may_know(world, log_in):
    client = log_in(world.posts.officer)
    fields = {
        "institution": world.centre,
        "supervisor": world.county,
        "author": world.posts.officer,
        "year": clock.today().year,
        "reason": "两次督导不合格。",
        "status": "decided",
        "decided_at": clock.now(),
        "decided_by": world.posts.leader,
    }
    open_ = Sanction.objects.create(kind="criticism", **fields)
    page = client.get(open_.get_absolute_url()).content.decode()
    assert "拟写通报" in page
    create = reverse("supervision:notice_create")
    client.post(create, {"kind": "bulletin", "sanction": open_.pk})
    notice = Notice.objects.get()
    assert notice.title == f"关于对{world.centre.known_as}通报批评的决定"
    assert "两次督导不合格。" in notice.body and "予以通报批评。" in notice.body
    secret = Sanction.objects.create(kind="referral", **fields)
    client.post(create, {"kind": "bulletin", "sanction": secret.pk})
    assert Notice.objects.count() == 1
    with pytest.raises(ValidationError, match="可以公开"):
        composing.decision(secret)
