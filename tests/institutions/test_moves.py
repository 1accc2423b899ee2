"""Buttons of a workflow row, what they ask, and the press."""

from datetime import date

import pytest
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.exceptions import PermissionDenied, ValidationError
from django.template.loader import render_to_string
from django.test import RequestFactory

from campaigns.models import Campaign, Report, Task
from institutions import files
from institutions.models import Event
from institutions.moves import moves_for_template, press, refusals_said
from institutions.workflow import Move, Need, Side, StaleState
from tests import builders


@pytest.fixture
def report(world) -> Report:
    county = world.county
    campaign = Campaign.objects.create(
        institution=county,
        supervisor=county,
        name="活动",
        title="活动方案",
        number="示〔2023〕1号",
        year=2023,
        issued_on=date(2023, 2, 28),
    )
    task = Task.objects.create(campaign=campaign, position=1, name="任务", due=date(2023, 3, 3))
    return Report.objects.create(
        institution=world.centre, supervisor=county, task=task, due=task.due, text="已开展"
    )


def posted(post, **data):
    request = RequestFactory().post("/", data)
    request.session = SessionStore()
    MessageMiddleware(lambda r: None).process_request(request)
    request.post = post
    return request


def buttons(row, post, **more):
    return moves_for_template(row, post, url=lambda name: f"/x/{name}/", **more)


def test_only_the_side_whose_turn_it_is_gets_buttons(world, report):
    assert [b.name for b in buttons(report, world.posts.head)] == ["submit"]
    assert buttons(report, world.posts.officer) == []
    assert buttons(report, None) == []


def test_a_button_says_why_not_yet(world, report):
    (submit,) = buttons(report, world.posts.head)
    assert submit.reason == "请先上传佐证材料"
    assert submit.url == "/x/submit/"


def test_what_is_asked_has_ids_of_its_own_and_shows_what_was_typed(world, report):
    report.files.add(_file(world.posts.head))
    report.submit(by=world.posts.head, version=1)
    accept, back = buttons(report, world.posts.officer)
    assert not accept.asks and not back.open
    assert back.asks[0].auto_id == "id_send_back_note"
    again = buttons(report, world.posts.officer, open_move="send_back", data={"note": ""})[1]
    assert again.open and again.asks[0].errors == ["请写明理由或意见"]
    page = render_to_string("_moves.html", {"moves": [accept, again], "version": 2})
    assert 'name="note"' in page and "请写明理由或意见" in page and "<details open" in page


def test_a_press_makes_the_move_or_gives_the_form_back(world, report):
    report.files.add(_file(world.posts.head))
    assert press(posted(world.posts.head, version="1"), report, "submit") is None
    form = press(posted(world.posts.officer, version="2", note=" "), report, "send_back")
    assert form is not None and form.errors["note"]
    shown = buttons(report, world.posts.officer, pressed=form)
    assert [b.open for b in shown] == [False, True]
    report.refresh_from_db()
    assert report.status == "submitted"
    request = posted(world.posts.officer, version="2", note="材料不全")
    assert press(request, report, "send_back") is None
    assert [str(m) for m in request._messages] == ["已退回"]
    assert report.opinion == "材料不全"


def test_a_press_of_the_wrong_side_or_on_an_old_version_saves_nothing(world, report):
    report.files.add(_file(world.posts.head))
    with pytest.raises(PermissionDenied):
        press(posted(world.posts.officer, version="1"), report, "submit")
    for version in ("7", "", "x"):
        with pytest.raises(StaleState):
            press(posted(world.posts.head, version=version), report, "submit")
    assert Event.objects.of(report).count() == 0


def test_an_unmet_need_is_said_in_a_message(world, report):
    request = posted(world.posts.head, version="1")
    assert press(request, report, "submit") is None
    assert [str(m) for m in request._messages] == ["请先上传佐证材料"]
    report.refresh_from_db()
    assert report.status == "open"


def test_a_refused_deed_says_every_reason_and_only_a_refusal_is_caught(world, report):
    request = posted(world.posts.head)
    with refusals_said(request, "已保存，但还不能上报："):
        raise ValidationError(["缺材料", "缺说明"])
    said = [str(m) for m in request._messages]
    assert said == ["已保存，但还不能上报：缺材料", "已保存，但还不能上报：缺说明"]
    for passing in (PermissionDenied(), StaleState(report)):
        with pytest.raises(type(passing)), refusals_said(request):
            raise passing


def test_dates_and_files_can_be_asked_for(world, report, monkeypatch):
    move = Move(
        "延期",
        frozenset({"open"}),
        "open",
        "campaigns.review_report",
        Side.ASKS,
        needs=(Need("请填写新的时限", field="due"), Need("请上传材料", field="files")),
    )
    monkeypatch.setattr(Report, "MOVES", {"extend": move})
    given = {}

    def extend(**answers):
        given.update(answers)

    form = press(posted(world.posts.officer, version="1"), report, "extend", deed=extend)
    assert form.errors == {"due": ["请填写新的时限"], "files": ["请上传材料"]}
    request = posted(world.posts.officer, version="1", due="2023-04-01", files=builders.picture())
    assert press(request, report, "extend", deed=extend) is None
    assert given["due"] == date(2023, 4, 1) and given["version"] == 1
    assert [f.name for f in given["files"]] == ["照片.jpg"]


def _file(by):
    return files.keep(b"x", name="a.pdf", kind="pdf", content_type="application/pdf", by=by)
