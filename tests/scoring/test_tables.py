"""Adjustments, funds, policy, work units and workload by file; nobody speaks of his own institution."""

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse

from institutions.models import Event, PolicyEntry
from scoring.models import Adjustment, Prepayment, Workload, WorkUnit, YearResult
from scoring.summary import summary_for
from scoring.work import work_for
from tests.scoring import scenes

FILES = {
    "adjustments": "机构代码,年度,类别,分值,事由,依据\nZC-QNL,2023,加分,2.5,表彰,〔2023〕13号\n"
    "ZC-WC,2023,一票否决,,弄虚作假,\n",
    "funds": "机构代码,年度,预拨金额\nZC-QNL,2023,1200000.50\n",
    "policy": "机构代码,年度,项,值\nZC,2023,全额线,95\nZC,2023,季度权重,20%;20%;30%;30%\n"
    "ZC-QNL,2023,人均标准,40\n",
    "work_units": "年度,服务代码,服务名称,服务项目,当量系数,单位\n2023,07-1,高血压随访,07a,1.25,人次\n",
}


@pytest.fixture
def bring(tmp_path):
    def run(kind: str, text: str, *, by="officer", unit="ZC"):
        path = tmp_path / f"{kind}.csv"
        path.write_text(text, encoding="utf-8-sig")
        call_command("import_table", kind, str(path), "--unit", unit, "--as", by)

    return run


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_taken_exported_and_taken_again_without_a_change(
    world, bring, tmp_path, capsys, kind
):
    bring(kind, FILES[kind])
    out = tmp_path / "out.csv"
    call_command("export_table", kind, str(out), "--unit", "ZC", "--year", "2023")
    capsys.readouterr()
    bring(kind, out.read_text(encoding="utf-8-sig"))
    assert "没有变化" in capsys.readouterr().out
    assert Event.objects.filter(action=f"portal.import_{kind}").count() == 1


def test_what_was_imported_stands_in_the_rows(world, bring):
    for kind, text in FILES.items():
        bring(kind, text)
    assert Adjustment.objects.get(kind="bonus").points == Decimal("2.5")
    assert Prepayment.objects.get().bureau == world.county
    assert PolicyEntry.objects.get(key="人均标准").institution == world.centre
    unit = WorkUnit.objects.get()
    assert (unit.institution, unit.coefficient, unit.item.code) == (
        world.county,
        Decimal("1.25"),
        "07a",
    )
    head = "机构代码,年度,季度,服务代码,申报数量,核定数量\n"
    bring("workload", f"{head}ZC-QNL,2023,1,07-1,100,\n", by="head", unit="ZC-QNL")
    bring("workload", f"{head}ZC-QNL,2023,1,07-1,100,98.5\n")
    row = Workload.objects.get()
    assert (row.declared, row.approved) == (100, Decimal("98.5"))


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        ("adjustments", "ZC-QNL,2023,加分,5,自夸,", "不能为本机构填写"),
        ("funds", "ZC-QNL,2023,0", "不能为本机构填写"),
        ("adjustments", "ZC-WC,2023,加分,5,越界,", "没有这个机构"),
        ("policy", "ZC,2023,全额线,60", "没有这个机构"),
        ("adjustments", "ZC-QNL-1,2023,加分,,空,", "大于 0"),
        ("policy", "ZC-QNL,2023,全额线,0.9.1", "全额线"),
        ("policy", "ZC-QNL,2023,全额线,50", "不能高于全额线"),
        ("policy", "ZC-QNL,2023,季度权重,25%;25%;25%;20%", "必须是 100%"),
        ("policy", "ZC-QNL-1,2023,全额线,80", "应为结算方"),
    ],
)
def test_a_centre_cannot_give_itself_anything(world, bring, capsys, kind, row, reason):
    head = FILES[kind].splitlines()[0]
    with pytest.raises(SystemExit):
        bring(kind, f"{head}\n{row}\n", by="head", unit="ZC-QNL")
    assert reason in capsys.readouterr().err


def test_a_centre_does_not_verify_its_own_workload(world, bring, capsys):
    bring("work_units", FILES["work_units"])
    text = "机构代码,年度,季度,服务代码,申报数量,核定数量\nZC-QNL,2023,1,07-1,100,100\n"
    with pytest.raises(SystemExit):
        bring("workload", text, by="head", unit="ZC-QNL")
    assert "不能为本机构填写" in capsys.readouterr().err


def test_a_frozen_year_takes_no_more_files(world, bring, capsys):
    over = scenes.standard(world.county, clauses=scenes.MANUAL)
    scenes.final_sheets(world.posts.officer, over, {world.centre: "90"}, quarter=1)
    scenes.people([world.centre])
    call_command("settle", "2023", "--unit", "ZC", "--freeze")
    assert YearResult.objects.get().is_frozen
    for kind in ("funds", "adjustments", "policy"):
        with pytest.raises(SystemExit):
            bring(kind, FILES[kind])
        assert "已定稿" in capsys.readouterr().err


def test_work_is_counted_and_linked_to_exactly_its_rows(world, log_in):
    over = scenes.standard(world.county)
    evaluation = scenes.opened(world.posts.officer, over, [world.centre, world.other_centre])
    sheet = evaluation.sheets.get(institution=world.centre)

    def lines(post):
        client = log_in(post)
        found = {}
        for line in work_for(post):
            page = client.get(line.url)
            assert f"共 {line.count} 条" in page.content.decode(), line
            found[line.label] = line.count
        return found

    assert lines(world.posts.head)["自评已逾期"] == 1
    assert lines(world.posts.officer) == {}
    scenes.hand_in(sheet, world.posts.head)
    assert lines(world.posts.head) == {"自评等待核定": 1}
    assert lines(world.posts.officer)["请核定自评"] == 1
    assert lines(world.posts.lead) == {"请核定牵头项目": 1}


def test_the_institution_page_tells_only_what_is_public(world, log_in):
    over = scenes.standard(world.county)
    evaluation = scenes.opened(world.posts.officer, over, [world.centre])
    sheet = evaluation.sheets.get()
    scenes.verified(sheet, filler=world.posts.head, verifier=world.posts.officer)
    assert summary_for(world.centre, world.posts.head).sheets == []
    assert summary_for(world.centre, world.posts.officer).sheets == [sheet]
    scenes.published(evaluation, world.posts.officer)
    assert summary_for(world.centre, world.posts.head).sheets == [sheet]
    page = log_in(world.posts.head).get(reverse("institution_detail", args=[world.centre.pk]))
    assert page.status_code == 200 and "81.88" in page.content.decode()
