"""The feedback at the end of a visit: what it says, both signatures, and the institution's objection."""

import base64
import io

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image

from institutions import files
from institutions.models import Event, Notification
from supervision.models import VisitSignature
from tests.supervision.test_visits import (  # noqa: F401
    press,
    problem_line,
    save,
    submit,
    submitted,
    visit,
)


def drawing(size=(600, 200)) -> str:
    content = io.BytesIO()
    Image.new("RGB", size, "white").save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def sign(client, visit, **values):  # noqa: F811
    return client.post(reverse("supervision:visit_sign", args=[visit.pk]), values)


def feedback(client, visit):  # noqa: F811
    return client.get(reverse("supervision:visit_feedback", args=[visit.pk])).content.decode()


@pytest.mark.row("X05")
def test_both_sides_sign_the_feedback_on_the_teams_phone(world, log_in, submitted):  # noqa: F811
    client = log_in(world.posts.expert)
    page = feedback(client, submitted)
    assert "三份档案缺项" in page and "整改时限" in page and "尚未签字" not in page
    assert sign(client, submitted, party="team").status_code == 302  # by account
    refused = sign(client, submitted, party="unit")
    assert refused.status_code == 403  # not the other side's account
    unnamed = sign(client, submitted, party="unit", drawing=drawing())
    assert unnamed.status_code == 422 and "请填写签字人的职务" in unnamed.content.decode()
    drawn = sign(client, submitted, party="unit", drawing=drawing(), title="中心副主任")
    assert drawn.status_code == 302
    team, unit = VisitSignature.objects.order_by("party")
    assert (team.means, unit.means, unit.title) == ("account", "drawn", "中心副主任")
    assert team.digest == unit.digest and unit.file.content_type == "image/png"
    again = sign(client, submitted, party="unit", drawing=drawing(), title="中心主任")
    assert again.status_code == 302 and "已经签字" in feedback(client, submitted)
    assert VisitSignature.objects.count() == 2
    url = reverse("supervision:signature_file", args=[unit.pk, unit.file.key])
    assert log_in(world.posts.head).get(url).status_code == 200
    assert log_in(world.posts.other_head).get(url).status_code == 404
    assert "与督导记录一致" in feedback(log_in(world.posts.head), submitted)
    assert Event.objects.filter(action="supervision.visit.sign").count() == 2


def test_what_is_no_picture_is_no_signature(world, log_in, submitted):  # noqa: F811
    client = log_in(world.posts.expert)
    for wrong in ("data:text/html;base64,PGI+", "data:image/png;base64,AAAA", "签"):
        answer = sign(client, submitted, party="team", title="组长", drawing=wrong)
        assert answer.status_code == 422 and "签名没有保存成功" in answer.content.decode()
    assert not VisitSignature.objects.exists()


def test_the_institutions_confirmation_by_account_is_its_signature(world, log_in, submitted):  # noqa: F811
    press(log_in(world.posts.head), submitted, "agree")
    row = VisitSignature.objects.get()
    assert (row.party, row.means, row.post) == ("unit", "account", world.posts.head)


def test_nobody_signs_before_the_record_is_submitted_nor_for_others(world, log_in, visit):  # noqa: F811
    client = log_in(world.posts.expert)
    assert sign(client, visit, party="team").status_code == 403
    save(client, visit, **problem_line(visit))
    submit(client, visit)
    assert sign(log_in(world.posts.other_head), visit, party="unit").status_code == 404
    assert sign(log_in(world.posts.city_officer), visit, party="team").status_code == 403
    assert sign(log_in(world.posts.head), visit, party="team").status_code == 403


def test_an_objection_is_kept_with_its_time_and_shown_to_the_bureau(
    world,
    log_in,
    submitted,  # noqa: F811
    django_capture_on_commit_callbacks,
):
    with django_capture_on_commit_callbacks(execute=True):
        press(log_in(world.posts.head), submitted, "object", note="其中一份已补录")
    submitted.refresh_from_db()
    assert submitted.answered_at is not None
    assert "有异议" in Notification.objects.filter(post=world.posts.officer).latest("pk").text
    page = feedback(log_in(world.posts.officer), submitted)
    assert "其中一份已补录" in page and "等待督导方处理" in page


def test_a_drawn_signature_is_a_picture_and_is_not_purged_as_ownerless(world, log_in, submitted):  # noqa: F811
    sign(log_in(world.posts.expert), submitted, party="team", title="组长", drawing=drawing())
    row = VisitSignature.objects.get()
    assert row.file_id in files.owned_keys()
    values = {"visit": submitted, "post": row.post, "title": "x", "digest": "0" * 64}
    for wrong in (
        {"party": "unit", "means": "drawn"},
        {"party": "unit", "means": "account", "file": row.file},
        {"party": "team", "means": "account"},
        {"party": "both", "means": "account"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            VisitSignature.objects.create(**values, **wrong)
