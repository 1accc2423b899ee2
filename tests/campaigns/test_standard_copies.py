"""New editions, next year's standards, what differs between them, and their files."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from campaigns.comparing import compare_standards
from campaigns.models import Standard
from campaigns.publishing import publish
from campaigns.standards import COLUMNS
from campaigns.tables import StandardTable
from institutions.models import Event, Institution
from scoring.models import Evaluation
from tests.campaigns.test_standards import draft

HEADERS = [column.header for column in StandardTable.columns]


def url(name, pk):
    return reverse(f"campaigns:{name}", args=[pk])


def published(world, **more):
    standard = draft(world, **more)
    publish(standard, by=world.posts.officer)
    return standard


def body(answer):
    return b"".join(answer.streaming_content)


def four_levels():
    """Rows of a standard of 300 points and four levels: 3 parts × 5 sections × 4 groups × 5 clauses."""
    rows = []

    def row(code, parent, name, marks, **more):
        given = {"条款代码": code, "上级条款代码": parent, "条款名称": name, "评分方法": "手工"}
        given |= {"满分": marks, "服务项目": "05", "允许倒扣": "否", "核心条款": "否"}
        given |= {"标准代码": "SF300", "年度": "2023", "标准名称": "三百分标准（示例）"}
        given |= {"用途": "季度评价", "适用机构类别": "乡镇卫生院;社区卫生服务中心"}
        rows.append({**dict.fromkeys(HEADERS, ""), **given, **more})

    ways = [
        {"评分方法": "达标折算", "目标值": "90%", "下限值": "50%", "分子名称": "建册数"},
        {"评分方法": "分档", "分档": "≥90%:1;≥80%:0.5"},
        {"评分方法": "扣分", "扣分单位": "0.5", "核心条款": "是"},
        {"评分方法": "等级", "考核方式": "现场查看"},
        {"评分方法": "抽查", "评分办法": '抽查 10 份，见“操作说明”，含逗号,和"引号"'},
    ]
    for a in range(1, 4):
        row(f"{a}", "", f"第{a}部分", "100")
        for b in range(1, 6):
            row(f"{a}.{b}", f"{a}", f"第{b}节", "20")
            for c in range(1, 5):
                row(f"{a}.{b}.{c}", f"{a}.{b}", f"第{c}组", "5")
                for d, way in enumerate(ways, 1):
                    row(f"{a}.{b}.{c}.{d}", f"{a}.{b}.{c}", f"条款{d}", "1", **way)
    return rows


@pytest.fixture
def imported(world, tmp_path):
    """Import rows by the command, from a file of either form; returns the file's bytes."""
    import io

    from django.core.management import call_command

    from institutions.sheets import write_csv, write_xlsx

    def run(rows, suffix="csv"):
        cells = [[row[header] for header in HEADERS] for row in rows]
        path = tmp_path / f"standard.{suffix}"
        if suffix == "csv":
            content = b"".join(write_csv(cells, HEADERS))
        else:
            stream = io.BytesIO()
            write_xlsx(cells, HEADERS, stream, title="评价标准", numeric=())
            content = stream.getvalue()
        path.write_bytes(content)
        call_command("import_table", "standard", str(path), "--unit", "ZC", stdout=io.StringIO())
        return content

    return run


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_standard_of_300_points_and_four_levels_comes_out_as_it_went_in(
    world, log_in, imported, suffix
):
    rows = four_levels()
    imported(rows, suffix)
    standard = Standard.objects.get(code="SF300")
    assert (standard.full_marks, standard.clauses.count()) == (Decimal(300), len(rows))
    assert {c.depth for c in standard.clauses.all()} == {1, 2, 3, 4}
    client = log_in(world.posts.officer)
    answer = client.get(url("standard_export", standard.pk))
    from institutions.sheets import write_csv

    wanted = b"".join(write_csv([[r[h] for h in HEADERS] for r in rows], HEADERS))
    assert body(answer) == wanted
    assert Event.objects.of(standard).filter(label="导出评价标准").exists()


def test_an_edition_drafted_on_the_page_is_filled_by_the_import(world, log_in, imported):
    rows = four_levels()
    imported(rows)
    first = Standard.objects.get(code="SF300")
    changed = [dict(row) for row in rows]
    changed[3]["目标值"] = "95%"
    from django.core.management import CommandError

    with pytest.raises((CommandError, SystemExit)):
        imported(changed)
    client = log_in(world.posts.officer)
    data = {"reason": "省里调整目标", "in_force_from": "2023-07-01"}
    assert client.post(url("standard_edition", first.pk), data).status_code == 302
    imported(changed)
    first.refresh_from_db()
    second = Standard.objects.get(code="SF300", edition=2)
    assert (first.status, second.status) == ("replaced", "published")
    assert (second.reason, second.in_force_from) == ("省里调整目标", date(2023, 7, 1))
    clauses = compare_standards(first, second)[1]
    assert [d.title for d in clauses.differences] == ["1.1.1.1 条款1"]
    assert clauses.differences[0].fields == [("目标值", "90%", "95%")]
    assert clauses.same == len(rows) - 1


@pytest.mark.row("A27")
def test_a_new_edition_replaces_the_old_from_its_day_and_opened_evaluations_keep_theirs(
    world, log_in
):
    client = log_in(world.posts.officer)
    first = published(world)
    evaluation = Evaluation.objects.create(
        institution=world.county,
        supervisor=world.county,
        name="示例",
        year=2023,
        quarter=1,
        standard=first,
        starts=date(2023, 3, 1),
        self_due=date(2023, 3, 10),
        verify_due=date(2023, 3, 31),
    )
    data = {"reason": "按省、市要求调整工作标准", "in_force_from": "2023-07-01"}
    refused = client.post(url("standard_edition", first.pk), {**data, "reason": ""})
    assert refused.status_code == 200 and Standard.objects.count() == 1
    client.post(url("standard_edition", first.pk), data)
    second = Standard.objects.get(edition=2)
    assert (second.code, second.previous, second.clauses.count()) == (first.code, first, 3)
    again = client.post(url("standard_edition", first.pk), data)
    assert "已有一个新版次的草稿" in again.content.decode()
    client.post(url("standard_publish", second.pk))
    first.refresh_from_db()
    second.refresh_from_db()
    evaluation.refresh_from_db()
    assert (first.status, second.status) == ("replaced", "published")
    assert second.in_force_from == date(2023, 7, 1)
    assert evaluation.standard == first
    page = client.get(second.get_absolute_url()).content.decode()
    assert "按省、市要求调整工作标准" in page and "2023年7月1日" in page
    for wrong in ({"reason": "改"}, {"in_force_from": date(2023, 8, 1)}, {"levels": [1]}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Standard.objects.filter(pk=second.pk).update(**wrong)


@pytest.mark.row("C11")
def test_next_years_standard_keeps_the_codes_and_shows_clause_by_clause_what_changed(world, log_in):
    client = log_in(world.posts.officer)
    first = published(world, code="SD2017", year=2017, name="服务规范（山东2017年版）")
    answer = client.get(url("standard_next_year", first.pk))
    initial = answer.context["form"].initial
    assert initial == {"year": 2018, "code": "SD2018", "name": "服务规范（山东2018年版）"}
    taken = client.post(url("standard_next_year", first.pk), {**initial, "code": "SD2017"})
    assert "已经用过" in taken.content.decode()
    client.post(url("standard_next_year", first.pk), initial)
    second = Standard.objects.get(code="SD2018")
    assert list(second.clauses.values_list("code", flat=True)) == ["A", "A1", "A2"]
    assert not compare_standards(first, second)[1].differences
    second.clauses.filter(code="A1").update(target="95%", name="早孕建册")
    second.clauses.filter(code="A2").update(code="A3")
    page = client.get(url("standard_difference", second.pk)).content.decode()
    for text in (
        "新增 1，删去 1，修改 1，相同 1",
        "早孕建册率",
        "90%",
        "95%",
        "A3 差错",
        "A2 差错",
    ):
        assert text in page
    publish(second, by=world.posts.officer)
    first.refresh_from_db()
    assert first.status == "published"
    chosen = client.get(url("standard_difference", first.pk), {"with": second.pk})
    assert chosen.context["other"] == second
    assert client.get(url("standard_difference", first.pk), {"with": "x"}).status_code == 404
    assert client.get(url("standard_difference", first.pk), {"with": "999999"}).status_code == 404


def test_another_bureaus_drafts_are_not_compared(world, log_in):
    mine = published(world)
    other = Standard.objects.create(
        bureau=Institution.objects.get(code="ZD"), code="F", year=2023, name="邻区草稿", kinds=[]
    )
    client = log_in(world.posts.officer)
    assert client.get(url("standard_difference", mine.pk), {"with": other.pk}).status_code == 404
    page = log_in(world.posts.head).get(url("standard_difference", mine.pk))
    assert page.status_code == 200 and "邻区草稿" not in page.content.decode()


def test_the_columns_of_the_file_are_those_that_build_a_standard():
    assert set(COLUMNS) <= set(HEADERS)
