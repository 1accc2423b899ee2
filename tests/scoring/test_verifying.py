"""The supervisor's side: by section and by line, by whom it concerns, then the sheet, then the public."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from institutions.models import Event
from institutions.workflow import StaleState
from scoring import verifying
from scoring.models import Evaluation, ScoreLine, ScoreSection, ScoreSheet
from scoring.publishing import appeal_deadline
from tests.scoring import scenes

JSON = {"HTTP_ACCEPT": "application/json"}
CANARY = "核定金丝雀理由"


@pytest.fixture
def evaluation(world) -> Evaluation:
    over = scenes.standard(world.county)
    return scenes.opened(world.posts.officer, over, [world.centre, world.other_centre])


@pytest.fixture
def sheet(world, evaluation) -> ScoreSheet:
    sheet = evaluation.sheets.get(institution=world.centre)
    scenes.hand_in(sheet, world.posts.head)
    sheet.refresh_from_db()
    return sheet


def section_of(sheet, item) -> ScoreSection:
    return next(s for s in scenes.sections(sheet) if (s.item and s.item.code) == item)


def post_line(client, line, data, **more):
    version = ScoreSection.objects.get(pk=line.section_id).version
    url = reverse("scoring:section_line_save", args=[line.pk])
    return client.post(url, {"version": version, **data}, **more)


def test_both_sides_stand_beside_each_other_and_a_line_saves_alone(sheet, world, log_in):
    client = log_in(world.posts.officer)
    section = section_of(sheet, "02")
    page = client.get(reverse("scoring:section_verify", args=[section.pk]))
    assert page.status_code == 200
    line = scenes.lines(sheet)["B1"]
    answer = post_line(client, line, {"numerator": "80", "denominator": "100"}, **JSON)
    said = answer.json()
    assert said["line"]["points"] == "8.89" and said["line"]["owed"] == "还要填写扣分理由"
    given = {"numerator": "80", "denominator": "100", "note": "5 份签到表缺失"}
    assert post_line(client, line, given, **JSON).json()["line"]["owed"] == ""
    line.refresh_from_db()
    section.refresh_from_db()
    assert line.points == Decimal("8.89") and line.self_points == Decimal("9.44")
    assert section.points == Decimal("8.89")


def test_a_section_is_finished_only_judged_and_with_a_reason_for_every_lost_point(
    sheet, world, log_in
):
    client = log_in(world.posts.officer)
    section = section_of(sheet, "02")
    url = reverse("scoring:section_finish", args=[section.pk])
    page = client.post(url, {"version": section.version})
    assert page.status_code == 400 and "B1 健康讲座：还没有核定" in page.content.decode()
    adopt = reverse("scoring:section_adopt", args=[section.pk])
    client.post(adopt, {"version": section.version})
    section.refresh_from_db()
    page = client.post(url, {"version": section.version})
    text = page.content.decode()
    assert "B1 健康讲座：请填写扣分理由" in text and "B2 宣传栏：请填写扣分理由" not in text
    line = scenes.lines(sheet)["B1"]
    post_line(client, line, {**scenes.POSTED["B1"], "note": "差 5 场"})
    section.refresh_from_db()
    assert client.post(url, {"version": section.version}).status_code == 302
    section.refresh_from_db()
    assert section.status == "done" and section.verifier == world.posts.officer


def test_taking_over_one_line_leaves_the_others(sheet, world, log_in):
    client = log_in(world.posts.officer)
    section = section_of(sheet, "02")
    line = scenes.lines(sheet)["B2"]
    client.post(
        reverse("scoring:section_adopt", args=[section.pk]),
        {"version": section.version, "line": line.pk},
    )
    lines = scenes.lines(sheet)
    assert lines["B2"].points == Decimal(5) and lines["B1"].points is None


def test_a_sheet_is_verified_only_with_every_section_done(sheet, world, log_in):
    client = log_in(world.posts.officer)
    url = reverse("scoring:sheet_verify", args=[sheet.pk])
    page = client.post(url, {"version": sheet.version}, follow=True)
    assert "健康教育：本项还没有核定完毕" in page.content.decode()
    scenes.judge(sheet, world.posts.officer)
    client.post(url, {"version": sheet.version})
    sheet.refresh_from_db()
    assert sheet.status == "verified"
    assert (sheet.points, sheet.full, sheet.score) == (
        scenes.TOTAL,
        Decimal(50),
        Decimal("81.88"),
    )
    line = scenes.lines(sheet)["B1"]
    assert post_line(client, line, scenes.POSTED["B1"], **JSON).status_code == 409


def test_what_does_not_apply_leaves_points_and_full_marks(sheet, world):
    scenes.judge(sheet, world.posts.officer)
    section = section_of(sheet, "01")
    verifying.resume(section, by=world.posts.officer, version=section.version)
    section = section_of(sheet, "01")
    line = scenes.lines(sheet)["B5"]
    given = {"na": True, "note": "没有档案系统"}
    verifying.judge_line(line, given, by=world.posts.officer, version=section.version)
    section.refresh_from_db()
    verifying.finish(section, by=world.posts.officer, version=section.version)
    sheet.refresh_from_db()
    verifying.verify(sheet, by=world.posts.officer, version=sheet.version)
    sheet.refresh_from_db()
    # 40.94 − 2.50 of 45
    assert (sheet.points, sheet.full) == (Decimal("38.44"), Decimal(45))
    assert sheet.score == Decimal("85.42")


def test_deductions_below_zero_stop_at_zero_for_the_sheet(world):
    clauses = [
        ("A", "", "", "全部", "manual", 5, "", "", "", None, False),
        ("A1", "A", "", "倒扣", "deduct", 5, "", "", "", Decimal(5), True),
    ]
    over = scenes.standard(world.county, code="D", clauses=clauses)
    evaluation = scenes.opened(world.posts.officer, over, [world.centre])
    figures = {"A1": {"deductions": 3}}
    sheet = scenes.verified(
        evaluation.sheets.get(),
        filler=world.posts.head,
        verifier=world.posts.officer,
        figures=figures,
    )
    assert (sheet.points, sheet.score) == (0, 0)
    assert sheet.sections.get().points == Decimal(-10)


def test_a_lead_agency_judges_its_items_and_nothing_else(sheet, world, log_in):
    client = log_in(world.posts.lead)
    own, foreign = section_of(sheet, "02"), section_of(sheet, "07a")
    assert client.get(reverse("scoring:section_verify", args=[own.pk])).status_code == 200
    assert client.get(reverse("scoring:section_verify", args=[foreign.pk])).status_code == 404
    lines = scenes.lines(sheet)
    assert post_line(client, lines["B1"], scenes.POSTED["B1"], **JSON).status_code == 200
    assert post_line(client, lines["B3"], scenes.POSTED["B3"], **JSON).status_code == 404
    page = client.get(reverse("scoring:sheet_detail", args=[sheet.pk]))
    text = page.content.decode()
    assert page.status_code == 200 and "健康讲座" in text and "高血压" not in text
    verify = reverse("scoring:sheet_verify", args=[sheet.pk])
    assert client.post(verify, {"version": sheet.version}).status_code == 403


def test_an_institution_never_judges_itself(world, log_in):
    over = scenes.standard(world.county, code="V", kinds=["clinic"])
    evaluation = scenes.opened(world.posts.head, over, [world.clinic])
    clinic_sheet = evaluation.sheets.get()
    scenes.hand_in(clinic_sheet, world.posts.doctor)
    client = log_in(world.posts.head)
    section = scenes.sections(clinic_sheet)[0]
    assert client.get(reverse("scoring:section_verify", args=[section.pk])).status_code == 200
    doctor = log_in(world.posts.doctor)
    assert doctor.get(reverse("scoring:section_verify", args=[section.pk])).status_code == 403


def test_a_centre_cannot_judge_its_own_sheet(sheet, world, log_in):
    client = log_in(world.posts.head)
    section = scenes.sections(sheet)[0]
    assert client.get(reverse("scoring:section_verify", args=[section.pk])).status_code == 403
    line = scenes.lines(sheet)["A1"]
    assert post_line(client, line, scenes.POSTED["A1"], **JSON).status_code == 403


def test_two_verifiers_on_two_sections_do_not_disturb_each_other(sheet, world):
    first, second = section_of(sheet, "02"), section_of(sheet, "01")
    lines = scenes.lines(sheet)
    verifying.judge_line(
        lines["B1"], scenes.FIGURES["B1"], by=world.posts.officer, version=first.version
    )
    verifying.judge_line(
        lines["B5"], scenes.FIGURES["B5"], by=world.posts.second_officer, version=second.version
    )
    sheet.refresh_from_db()
    assert sheet.points == Decimal("11.94")
    with pytest.raises(StaleState):
        verifying.judge_line(
            lines["B2"], scenes.FIGURES["B2"], by=world.posts.second_officer, version=first.version
        )


def test_sending_back_gives_the_reason_and_opens_the_sections_again(sheet, world, log_in):
    scenes.judge(sheet, world.posts.officer)
    client = log_in(world.posts.officer)
    url = reverse("scoring:sheet_send_back", args=[sheet.pk])
    page = client.post(url, {"version": sheet.version})
    assert page.status_code == 200 and "请写明理由" in page.content.decode()
    client.post(url, {"version": sheet.version, "note": "讲座次数与台账不符"})
    sheet.refresh_from_db()
    assert sheet.status == "returned"
    assert not sheet.sections.filter(status="done").exists()
    text = log_in(world.posts.head).get(sheet.get_absolute_url()).content.decode()
    assert "讲座次数与台账不符" in text


def test_before_publication_an_institution_sees_only_its_own_side(evaluation, sheet, world, log_in):
    scenes.judge(sheet, world.posts.officer)
    line = scenes.lines(sheet)["B1"]
    ScoreLine.objects.filter(pk=line.pk).update(
        numerator=Decimal("77.77"), points=Decimal("8.64"), reason=CANARY
    )
    verifying.verify(sheet, by=world.posts.officer, version=sheet.version)
    sheet.refresh_from_db()
    score = f"{sheet.score:.2f}"
    pages = [
        sheet.get_absolute_url(),
        evaluation.get_absolute_url(),
        reverse("scoring:sheet_list"),
        reverse("scoring:evaluation_list"),
        reverse("scoring:sheet_list") + "?format=csv",
    ]
    for post in (world.posts.head, world.posts.staff, world.posts.street):
        client = log_in(post)
        for url in pages:
            answer = client.get(url)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            text = content.decode()
            assert CANARY not in text and score not in text and "77.77" not in text, (post, url)
    other = evaluation.sheets.get(institution=world.other_centre)
    scenes.verified(other, filler=world.posts.other_head, verifier=world.posts.officer)
    client = log_in(world.posts.officer)
    client.post(
        reverse("scoring:evaluation_publish", args=[evaluation.pk]),
        {"version": Evaluation.objects.get(pk=evaluation.pk).version},
    )
    text = log_in(world.posts.head).get(sheet.get_absolute_url()).content.decode()
    assert CANARY in text and score in text
    evaluation.refresh_from_db()
    assert evaluation.status == "published"


@pytest.mark.row("X12")
def test_publication_ranks_the_group_and_opens_the_appeal_window(evaluation, world, log_in):
    from datetime import date

    for institution, filler, bad in [
        (world.centre, world.posts.head, False),
        (world.other_centre, world.posts.other_head, True),
    ]:
        figures = {**scenes.FIGURES, "A1": {"numerator": Decimal(0)}} if bad else scenes.FIGURES
        sheet = evaluation.sheets.get(institution=institution)
        scenes.verified(sheet, filler=filler, verifier=world.posts.officer, figures=figures)
    evaluation.refresh_from_db()
    client = log_in(world.posts.leader)
    url = reverse("scoring:evaluation_publish", args=[evaluation.pk])
    client.post(url, {"version": evaluation.version})
    evaluation.refresh_from_db()
    ranks = dict(evaluation.sheets.values_list("institution__code", "rank"))
    assert ranks == {"ZC-QNL": 1, "ZC-WC": 2}
    assert set(evaluation.sheets.values_list("group", flat=True)) == {
        "乡镇卫生院、社区卫生服务中心"
    }
    assert appeal_deadline(date(2023, 9, 28), world.county, 2023) == date(2023, 10, 11)
    page = client.get(evaluation.get_absolute_url())
    assert page.status_code == 200 and "各机构各项得分率" in page.content.decode()
    finalise = reverse("scoring:evaluation_finalise", args=[evaluation.pk])
    client.post(finalise, {"version": evaluation.version})
    evaluation.refresh_from_db()
    assert evaluation.status == "published"  # the window is open
    scenes.window_over(evaluation)
    client.post(finalise, {"version": evaluation.version})
    evaluation.refresh_from_db()
    assert evaluation.status == "final"


def test_an_evaluation_with_an_open_sheet_is_not_published(evaluation, sheet, world, log_in):
    client = log_in(world.posts.officer)
    url = reverse("scoring:evaluation_publish", args=[evaluation.pk])
    page = client.post(url, {"version": evaluation.version}, follow=True)
    assert "还有机构的评分没有核定" in page.content.decode()
    evaluation.refresh_from_db()
    assert evaluation.status == "open"


def test_a_verified_sheet_is_reopened_with_a_reason_before_publication(sheet, world, log_in):
    scenes.judge(sheet, world.posts.officer)
    verifying.verify(sheet, by=world.posts.officer, version=sheet.version)
    client = log_in(world.posts.officer)
    url = reverse("scoring:sheet_reopen", args=[sheet.pk])
    client.post(url, {"version": sheet.version, "note": "复核抽查份数"})
    sheet.refresh_from_db()
    assert sheet.status == "submitted" and sheet.score is None


def test_pages_cost_the_same_for_ten_and_sixty_lines(world, log_in):
    counts = {"verify": [], "detail": []}
    for size, quarter in ((10, 1), (60, 2)):
        clauses = [("A", "", "", "全部", "manual", size, "", "", "", None, False)] + [
            (f"A{i}", "A", "01", f"条款{i}", "yes_no", 1, "", "", "", None, False)
            for i in range(size)
        ]
        over = scenes.standard(world.county, code=f"N{size}", clauses=clauses)
        evaluation = scenes.opened(world.posts.officer, over, [world.centre], quarter=quarter)
        sheet = evaluation.sheets.get()
        ScoreLine.objects.filter(sheet=sheet).update(self_numerator=1, self_points=1)
        ScoreSheet.objects.filter(pk=sheet.pk).update(status="submitted")
        client = log_in(world.posts.officer)
        client.get(reverse("scoring:sheet_list"))
        section = sheet.sections.get()
        for name, url in (
            ("verify", reverse("scoring:section_verify", args=[section.pk])),
            ("detail", sheet.get_absolute_url()),
        ):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts[name].append(len(queries))
    for name, pair in counts.items():
        assert pair[0] == pair[1] <= 25, (name, pair)


@pytest.mark.row("X12")
def test_every_change_of_a_verified_score_leaves_its_trace(sheet, world, log_in):
    client = log_in(world.posts.officer)
    section, line = section_of(sheet, "02"), scenes.lines(sheet)["B1"]
    post_line(client, line, {"numerator": "80", "denominator": "100", "note": "缺签到"}, **JSON)
    post_line(client, line, {"numerator": "80", "denominator": "100", "note": "缺五份"}, **JSON)
    post_line(client, line, {"numerator": "90", "denominator": "100", "note": "补正"}, **JSON)
    events = list(Event.objects.of(sheet).filter(action="scoring.scoresheet.judge"))
    # The second save changed the reason alone.
    assert [(e.before, e.after) for e in events] == [("", "8.89"), ("8.89", "10.00")]
    assert "基妇科经办人" in events[0].who and events[0].institution_text == world.centre.name
    section.refresh_from_db()
    client.post(reverse("scoring:section_adopt", args=[section.pk]), {"version": section.version})
    taken = Event.objects.of(sheet).filter(action="scoring.scoresheet.judge").last()
    assert taken.label == "照自评核定" and ["B2", "", "5.00"] in taken.data["lines"]
