"""The 整改台账 goes out with its eighteen columns and comes in again."""

import io
from datetime import timedelta

import pytest
from django.urls import reverse

from institutions import clock
from institutions.tables import Scope
from supervision.ledger_tables import RectificationTable
from supervision.lists import RectificationList
from supervision.models import Problem, Rectification
from tests.supervision.making import applied, fresh, rectification

HEADERS = RectificationTable.headers()


def scope(post):
    return Scope.of(fresh(post))


def plan(post, *rows, only=None):
    headers = only or HEADERS
    lines = [",".join(headers), *(",".join(str(row.get(h, "")) for h in headers) for row in rows)]
    table = RectificationTable(scope(post))
    return table, table.plan(io.BytesIO("\n".join(lines).encode()), "台账.csv")


def line(row, **more):
    problem = row.problem
    return {
        "问题来源": problem.get_source_display(),
        "发现日期": problem.found_on.isoformat(),
        "机构": row.institution.name,
        "项目": row.item.short_name,
        "问题描述": problem.text,
        "问题性质": problem.get_severity_display(),
        "整改时限": row.due.isoformat(),
        **more,
    }


def test_the_columns_are_those_of_the_page():
    assert [column.label for column in RectificationList.columns] == HEADERS
    assert len(HEADERS) == 18


def test_what_was_taken_out_is_filled_in_and_taken_in(world, log_in):
    row = rectification(world, world.centre)
    row.sign(by=world.posts.head, version=row.version)
    said = {
        "整改措施": "补做体检",
        "责任领导": "分管副主任",
        "责任人": "经办人",
        "整改进展": "已补做12人",
    }
    table, found = plan(world.posts.head, line(row, **said))
    assert found.ok and len(found.changed) == 1, found.errors
    table.commit(found)
    row.refresh_from_db()
    assert (row.measures, row.person, row.version) == ("补做体检", "经办人", 3)
    assert row.progress.get().text == "已补做12人"
    _, again = plan(world.posts.head, line(row, **said))
    assert again.ok and not again.changes and again.unchanged == 1
    listed = reverse("supervision:rectification_list")
    sent = log_in(world.posts.head).get(listed, {"format": "csv"})
    content = b"".join(sent.streaming_content)
    table = RectificationTable(scope(world.posts.head))
    back = table.plan(io.BytesIO(content), "导出.csv")
    assert back.ok and not back.changes and back.unchanged == 1, back.errors
    whole = RectificationTable(Scope.of(world.posts.officer, reading=True))
    assert b"".join(whole.write_csv(None)).decode("utf-8-sig").splitlines()[0] == ",".join(HEADERS)


def test_a_ledger_kept_elsewhere_is_handed_out(world):
    day = clock.today()
    rows = [
        {
            "问题来源": "市级",
            "发现日期": day.isoformat(),
            "机构": unit,
            "项目": "老年人",
            "问题描述": f"问题{n}",
            "问题性质": "严重",
            "整改措施": "已列计划",
            "责任人": "经办人",
            "整改时限": (day + timedelta(days=9)).isoformat(),
            "整改进展": "刚开始",
        }
        for n, unit in enumerate((world.centre.name, world.other_centre.code))
    ]
    table, found = plan(world.posts.officer, *rows)
    assert found.ok and len(found.new) == 2, found.errors
    table.commit(found)
    duty = Rectification.objects.get(problem__text="问题0")
    assert (duty.status, duty.measures, duty.problem.severity) == ("assigned", "已列计划", "major")
    assert duty.progress.get().text == "刚开始" and duty.problem.groups == ("elderly",)
    done = {**rows[0], "问题描述": "早办完的", "销号状态": "已销号"}
    _, refused = plan(world.posts.officer, done)
    assert "已办结" in refused.errors[0].reason


def test_it_moves_no_deadline_and_writes_only_at_home(world):
    row = rectification(world, world.centre)
    _, found = plan(world.posts.head, line(row, 整改措施="x"))
    assert "签收后" in found.errors[0].reason
    row.sign(by=world.posts.head, version=row.version)
    later = (row.due + timedelta(days=5)).isoformat()
    _, found = plan(world.posts.head, line(row, 整改时限=later))
    assert "只能由延期或退回改变" in found.errors[0].reason
    _, found = plan(world.posts.officer, line(row, 整改措施="x"))
    assert "被督导机构" in found.errors[0].reason
    waiting = applied(row, world.posts.head)
    _, found = plan(world.posts.head, line(waiting, 整改措施="y"))
    assert not found.ok
    _, found = plan(world.posts.other_head, line(row, 整改措施="x"))
    assert "管辖范围" in found.errors[0].reason
    _, found = plan(world.posts.head, line(row, 机构="没有的机构"))
    assert not found.ok
    assert Problem.objects.count() == 1


def test_who_moved_a_row_meanwhile_goes_first(world):
    row = rectification(world, world.centre)
    row.sign(by=world.posts.head, version=row.version)
    table, found = plan(world.posts.head, line(row, 整改措施="x"))
    row.withdraw(by=world.posts.officer, version=row.version, note="重复")
    with pytest.raises(Exception, match="什么也没有写入"):
        table.commit(found)
    assert Rectification.objects.get().measures == ""
