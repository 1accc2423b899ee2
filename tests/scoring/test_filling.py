"""The self-assessment, line by line, as a village doctor does it."""

from decimal import Decimal

import pytest
from django.urls import reverse

from institutions.models import Event, Kind
from scoring.models import Evaluation, ScoreSection, ScoreSheet
from tests import builders
from tests.scoring import scenes

JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def sheet(world) -> ScoreSheet:
    over = scenes.standard(world.county)
    evaluation = scenes.opened(world.posts.officer, over, [world.centre, world.other_centre])
    return ScoreSheet.objects.get(evaluation=evaluation, institution=world.centre)


def post_line(client, line, data, **more):
    version = ScoreSection.objects.get(pk=line.section_id).version
    url = reverse("scoring:line_save", args=[line.pk])
    return client.post(url, {"version": version, **data}, **more)


def test_an_opened_sheet_has_a_section_for_each_item_and_each_clause_without_one(sheet):
    titles = [(s.title, s.item and s.item.code) for s in scenes.sections(sheet)]
    assert [code for _, code in titles] == [None, "02", "07a", "01"]
    assert titles[0][0] == "组织管理"
    assert len(scenes.lines(sheet)) == 8
    assert sheet.self_full == sheet.full == Decimal(50)


def test_each_line_saves_by_itself_and_says_its_points(sheet, world, log_in):
    client = log_in(world.posts.staff)
    page = client.get(reverse("scoring:sheet_fill", args=[sheet.pk]))
    assert page.status_code == 200 and "高血压规范管理率" in page.content.decode()
    line = scenes.lines(sheet)["B1"]
    answer = post_line(client, line, {"numerator": "８５", "denominator": "100"}, **JSON)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert said["line"]["points"] == "9.44"
    assert "85 ÷ 分母 100 = 85.00%" in said["line"]["how"]
    assert said["totals"]["points"] == "9.44" and said["totals"]["done"] == "1"
    sheet.refresh_from_db()
    line.refresh_from_db()
    assert sheet.self_points == Decimal("9.44") == line.self_points
    assert line.self_numerator == Decimal(85)
    assert said["version"] == ScoreSection.objects.get(pk=line.section_id).version


@pytest.mark.parametrize("code", scenes.POSTED)
def test_every_method_can_be_filled_without_script(sheet, world, log_in, code):
    client = log_in(world.posts.staff)
    line = scenes.lines(sheet)[code]
    answer = post_line(client, line, scenes.POSTED[code])
    assert answer.status_code == 302
    assert answer.url.endswith(f"#l{line.pk}")
    assert scenes.lines(sheet)[code].is_filled


def test_an_error_stands_at_the_line_and_keeps_what_was_typed(sheet, world, log_in):
    client = log_in(world.posts.staff)
    line = scenes.lines(sheet)["B1"]
    wrong = {"numerator": "120", "denominator": "100"}
    answer = post_line(client, line, wrong, **JSON)
    assert answer.status_code == 400
    assert "分子 120 大于分母 100" in str(answer.json()["errors"])
    page = post_line(client, line, wrong)
    assert page.status_code == 400
    text = page.content.decode()
    assert "分子 120 大于分母 100" in text and 'value="120"' in text
    page = post_line(client, line, {"numerator": "1e3", "denominator": "100"})
    assert "不是数字" in page.content.decode()
    assert scenes.lines(sheet)["B1"].self_numerator is None


def test_a_stale_line_is_a_conflict_and_nothing_is_lost(sheet, world, log_in):
    client = log_in(world.posts.staff)
    line = scenes.lines(sheet)["B1"]
    url = reverse("scoring:line_save", args=[line.pk])
    data = {"version": 1, "numerator": "85", "denominator": "100"}
    assert client.post(url, data, **JSON).status_code == 200
    late = {**data, "numerator": "86"}
    conflict = client.post(url, late, **JSON)
    assert conflict.status_code == 409 and "没有保存" in conflict.json()["message"]
    page = client.post(url, late)
    assert page.status_code == 409 and 'value="86"' in page.content.decode()
    assert scenes.lines(sheet)["B1"].self_numerator == Decimal(85)


def test_a_denominator_of_nothing_takes_the_clause_out(sheet, world):
    line = scenes.lines(sheet)["B1"]
    figures = {"numerator": Decimal(0), "denominator": Decimal(0)}
    from scoring.filling import fill_line

    fill_line(line, figures, by=world.posts.staff, version=1)
    sheet.refresh_from_db()
    assert scenes.lines(sheet)["B1"].is_filled
    assert sheet.self_full == Decimal(40) and sheet.self_points == 0


def test_a_sheet_is_handed_in_only_when_every_line_is_filled(sheet, world, log_in):
    client = log_in(world.posts.head)
    scenes.fill(sheet, world.posts.staff, {**scenes.FIGURES, "B1": {}})
    sheet.refresh_from_db()
    url = reverse("scoring:sheet_submit", args=[sheet.pk])
    page = client.post(url, {"version": sheet.version}, follow=True)
    assert "还有 1 条没有填写：B1 健康讲座" in page.content.decode()
    scenes.fill(sheet, world.posts.staff)
    client.post(url, {"version": sheet.version})
    sheet.refresh_from_db()
    assert sheet.status == "submitted" and sheet.submitted_at
    assert sheet.self_points == scenes.TOTAL
    assert Event.objects.of(sheet).get(action="scoring.scoresheet.submit").who
    line = scenes.lines(sheet)["B1"]
    answer = post_line(log_in(world.posts.staff), line, scenes.POSTED["B1"], **JSON)
    assert answer.status_code == 409


def test_staff_fill_but_only_the_head_hands_in(sheet, world, log_in):
    scenes.fill(sheet, world.posts.staff)
    sheet.refresh_from_db()
    url = reverse("scoring:sheet_submit", args=[sheet.pk])
    answer = log_in(world.posts.staff).post(url, {"version": sheet.version})
    assert answer.status_code == 403


def test_no_one_else_fills_a_sheet(sheet, world, log_in):
    line = scenes.lines(sheet)["B1"]
    fill = reverse("scoring:sheet_fill", args=[sheet.pk])
    for post, expected in [
        (world.posts.officer, 403),
        (world.posts.other_head, 404),
        (world.posts.doctor, 404),
        (world.posts.far_head, 404),
    ]:
        client = log_in(post)
        assert client.get(fill).status_code == expected, post
        answer = post_line(client, line, scenes.POSTED["B1"])
        assert answer.status_code == expected, post


def test_evidence_is_added_seen_and_removed(sheet, world, log_in):
    client = log_in(world.posts.staff)
    line = scenes.lines(sheet)["B1"]
    url = reverse("scoring:line_attach", args=[line.pk])
    answer = client.post(url, {"version": 1, "files": [builders.picture()]})
    assert answer.status_code == 302
    stored = line.files.get()
    served = client.get(reverse("scoring:line_file", args=[line.pk, stored.key]))
    assert served.status_code == 200
    other = log_in(world.posts.other_head)
    assert other.get(reverse("scoring:line_file", args=[line.pk, stored.key])).status_code == 404
    client = log_in(world.posts.staff)
    bad = builders.SimpleUploadedFile("a.exe", b"MZ", "application/octet-stream")
    assert client.post(url, {"version": 2, "files": [bad]}).status_code == 400
    client.post(reverse("scoring:line_detach", args=[line.pk, stored.key]), {"version": 2})
    assert not line.files.exists()


@pytest.mark.row("A25")
def test_a_centre_evaluates_its_clinics_with_the_same_screens(world, log_in):
    over = scenes.standard(world.county, code="V1", kinds=[Kind.CLINIC, Kind.STATION])
    client = log_in(world.posts.head)
    page = client.post(
        reverse("scoring:evaluation_create"),
        {
            "standard": over.pk,
            "year": 2023,
            "quarter": 2,
            "starts": "2023-06-01",
            "self_due": "2023-06-20",
            "verify_due": "2023-06-30",
        },
        follow=True,
    )
    evaluation = Evaluation.objects.get()
    assert page.status_code == 200
    names = set(evaluation.sheets.values_list("institution__code", flat=True))
    assert names == {"ZC-QNL-1", "ZC-QNL-2"}
    doctor = log_in(world.posts.doctor)
    assert doctor.get(evaluation.get_absolute_url()).status_code == 404
    client = log_in(world.posts.head)
    client.post(reverse("scoring:evaluation_open", args=[evaluation.pk]), {"version": 1})
    own = evaluation.sheets.get(institution=world.clinic)
    other = evaluation.sheets.get(institution=world.sibling_clinic)
    doctor = log_in(world.posts.doctor)
    assert doctor.get(reverse("scoring:sheet_fill", args=[own.pk])).status_code == 200
    assert doctor.get(reverse("scoring:sheet_fill", args=[other.pk])).status_code == 404
    scenes.verified(own, filler=world.posts.doctor, verifier=world.posts.head)
    own.refresh_from_db()
    assert own.status == "verified" and own.score == Decimal("81.88")


def test_a_page_of_sixty_lines_costs_as_many_statements_as_one_of_ten(
    world, log_in, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for size in (10, 60):
        clauses = [("A", "", "", "全部", "manual", size, "", "", "", None, False)] + [
            (f"A{i}", "A", "01", f"条款{i}", "yes_no", 1, "", "", "", None, False)
            for i in range(size)
        ]
        over = scenes.standard(world.county, code=f"N{size}", clauses=clauses)
        evaluation = scenes.opened(
            world.posts.officer, over, [world.centre], quarter=1 if size == 10 else 2
        )
        sheet = evaluation.sheets.get()
        client = log_in(world.posts.staff)
        client.get("/scoring/sheets/")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(reverse("scoring:sheet_fill", args=[sheet.pk]))
        assert page.status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
