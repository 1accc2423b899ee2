"""The table `scores`: it fills what is open, makes what a quarter lacks, and refuses what is closed."""

from decimal import Decimal

import pytest
from django.core.management import call_command

from institutions.models import Kind
from institutions.tables import Scope
from scoring.models import Evaluation, ScoreSheet
from scoring.score_table import ScoreTable
from tests.scoring import scenes

HEAD = (
    "机构代码,年度,季度,标准代码,条款代码,自评分子,自评分母,自评得分,核定分子,核定分母,核定得分,扣分次数,"
    "核定等级,真实份数,核实份数,不适用,说明"
)
# code: 自评分子,自评分母,自评得分,核定分子,核定分母,核定得分,扣分次数,核定等级,真实份数,核实份数,不适用,说明
WHOLE = {
    "A1": "1,,,1,,,,,,,,",
    "A2": ",,5,,,5,,,,,,记录不全",
    "B1": "85,100,,85,100,9.44,,,,,,差 5 场",
    "B2": ",,5,,,,0,,,,,",
    "B3": "85,100,,85,100,3,,,,,,",
    "B4": "8,10,,8,10,,,,10,10,,",
    "B5": ",,,,,,,,,,是,没有系统",
    "B6": ",,4,,,,,B,,,,",
}


def table(code="ZC-QNL", rows=WHOLE, quarter=1, standard="S1") -> str:
    return "\r\n".join(
        [HEAD, *(f"{code},2023,{quarter},{standard},{c},{rest}" for c, rest in rows.items())]
    )


@pytest.fixture
def over(world):
    return scenes.standard(world.county)


@pytest.fixture
def bring(tmp_path):
    def run(text: str, *, by=None, unit="ZC"):
        path = tmp_path / "scores.csv"
        path.write_text(text, encoding="utf-8-sig")
        args = ["--unit", unit] + (["--as", by] if by else [])
        call_command("import_table", "scores", str(path), *args)

    return run


def refused(bring, capsys, text, **more) -> str:
    with pytest.raises(SystemExit) as stop:
        bring(text, **more)
    assert stop.value.code == 1
    return capsys.readouterr().err


def test_a_quarter_without_a_sheet_gets_a_final_one_marked_as_imported(world, over, bring, capsys):
    bring(table())
    sheet = ScoreSheet.objects.select_related("evaluation").get()
    assert sheet.imported and sheet.is_final and sheet.status == "verified"
    # 4 + 5 + 9.44 + 5 + 3 + 8 + (B5 out) + 4 = 38.44 of 45
    assert (sheet.points, sheet.full, sheet.score) == (
        Decimal("38.44"),
        Decimal(45),
        Decimal("85.42"),
    )
    assert sheet.rank == 1
    lines = scenes.lines(sheet)
    assert lines["B2"].self_points == Decimal(5) and lines["B5"].na
    assert {s.title: s.points for s in scenes.sections(sheet)}["健康教育"] == Decimal("14.44")
    bring(table())
    assert "没有变化" in capsys.readouterr().out
    assert Evaluation.objects.count() == 1


def test_every_leaf_clause_is_needed(world, over, bring, capsys):
    few = {code: rest for code, rest in WHOLE.items() if code != "B3"}
    assert "缺少条款 B3" in refused(bring, capsys, table(rows=few))
    blank = {**WHOLE, "B3": "85,100,,,,,,,,,,"}
    assert "没有核定" in refused(bring, capsys, table(rows=blank))
    assert not ScoreSheet.objects.exists()


def test_points_given_must_be_the_computed_ones(world, over, bring, capsys):
    wrong = {**WHOLE, "B1": "85,100,,85,100,9.50,,,,,,"}
    said = refused(bring, capsys, table(rows=wrong))
    assert "9.50" in said and "9.44" in said


def test_a_heading_or_an_unknown_clause_is_refused(world, over, bring, capsys):
    assert "不是末级条款" in refused(bring, capsys, table(rows={**WHOLE, "A": ",,,,,5,,,,,,"}))
    assert "没有这个条款" in refused(bring, capsys, table(rows={**WHOLE, "X9": ",,,,,5,,,,,,"}))


def test_a_closed_evaluation_is_refused_unless_nothing_changes(world, over, bring, capsys):
    bring(table())
    other = {**WHOLE, "A2": ",,5,,,6,,,,,,"}
    assert "不能再导入" in refused(bring, capsys, table(rows=other))


def test_an_open_evaluation_takes_the_side_of_the_importer(world, over, bring, capsys):
    evaluation = scenes.opened(world.posts.officer, over, [world.centre])
    sheet = evaluation.sheets.get()
    own = {"B1": "85,100,,,,,,,,,,", "B2": ",,,,,,0,,,,,"}
    bring(table(rows=own), by="head", unit="ZC-QNL")
    sheet.refresh_from_db()
    assert sheet.self_points == Decimal("14.44") and sheet.points == 0
    assert sheet.status == "filling"
    judged = {"B1": ",,,80,100,,,,,,,差 10 场"}
    said = refused(bring, capsys, table(rows=judged), by="head", unit="ZC-QNL")
    assert "核定由督导方" in said
    said = refused(bring, capsys, table(rows={"A1": "1,,,,,,,,,,,"}), by="officer")
    assert "自评由本机构填写" in said
    bring(table(rows=judged), by="officer")
    sheet.refresh_from_db()
    assert sheet.points == Decimal("8.89") and sheet.status == "filling"
    assert scenes.lines(sheet)["B1"].reason == "差 10 场"


def test_a_centre_cannot_import_its_own_final_sheet(world, over, bring, capsys):
    said = refused(bring, capsys, table(), by="head", unit="ZC-QNL")
    assert "由督导方导入" in said


def test_what_lies_outside_the_unit_is_an_unknown_code(world, over, bring, capsys):
    assert "没有这个机构" in refused(bring, capsys, table(code="ZD-A"))


def test_a_bureau_can_bring_in_the_sheets_of_clinics_for_their_centre(world, bring):
    scenes.standard(world.county, code="V1", kinds=[Kind.CLINIC])
    bring(table(code="ZC-QNL-1", standard="V1"))
    sheet = ScoreSheet.objects.get()
    assert sheet.supervisor == world.centre


def test_the_export_keeps_back_what_is_not_public(world, over):
    evaluation = scenes.opened(world.posts.officer, over, [world.centre])
    sheet = evaluation.sheets.get()
    scenes.hand_in(sheet, world.posts.head)
    scenes.judge(sheet, world.posts.officer)

    def rows(post):
        return list(ScoreTable(Scope.of(post, reading=True)).export(2023))

    points = ScoreTable.headers().index("核定得分")
    assert {row[points] for row in rows(world.posts.head)} == {None}
    assert None not in {row[points] for row in rows(world.posts.officer)}
