"""A round of 突破事项 by real clicks: over the quota refused, returned, handed in again, in the table on screen and as XLSX."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.browser.papers import UNIT, Paper, issue, register
from tests.browser.person import DESKTOP, PHONE, People, Person

pytestmark = pytest.mark.browser

PAPER = Paper("重点工作突破年活动", 8)
NAMES = ("建成感染性疾病科", "家庭医生签约提质", "老年人查体下村")


def _write(head: Person, name: str) -> None:
    head.open("增加")
    head.fill("突破事项名称", name)
    head.fill("具体内容", f"{name}，达到省级标准。")
    head.fill("措施", "9月底前通过验收。")
    head.fill("完成时限", "2023-09-30")
    head.fill("分管责任人", "分管院长")
    head.fill("责任科室", "医务科")
    head.press("保存事项")
    head.see(f"已保存“{name}”")


def test_the_bureau_sets_the_round_and_hands_it_out(people: People):
    officer = people("far")
    register(officer, PAPER)
    issue(officer)
    officer.open("设置突破事项填报")
    officer.fill("报送时限", "2023-03-24")
    officer.press("保存")
    officer.see("还没有下达")
    officer.move("下达")
    officer.see("已下达", "还没有报送（1个）", UNIT)


def test_more_than_the_quota_cannot_be_handed_in(people: People):
    head = people("farhead", phone=True)
    head.menu("工作台")
    head.open("突破事项待报送")
    head.open_row(UNIT)
    head.see("应填报 1-2 项")
    assert head.page.get_by_role("button", name="报送", exact=True).is_disabled()
    for name in NAMES:
        _write(head, name)
    head.see("已填 3 项", "应填报 1-2 项，现有 3 项，多出 1 项")
    assert head.page.get_by_role("button", name="报送", exact=True).is_disabled()
    head.press(f"删除 {NAMES[2]}")
    head.see("已删除")
    head.move("报送")
    head.see("已报送，等待")


def test_it_is_returned_by_the_three_criteria_and_handed_in_again(people: People):
    officer = people("far")
    officer.menu("工作台")
    officer.open("突破事项待审核")
    officer.open_row(UNIT)
    officer.open("审核", exact=True)
    _judge(officer, NAMES[0], "符合")
    _judge(officer, NAMES[1], "不符合", "没有写明提高到多少")
    officer.fill("总的意见", "第二项写明目标后再报")
    officer.press("保存并退回")
    officer.see("已退回")

    head = people("farhead", phone=True)
    head.menu("工作台")
    head.open("突破事项被退回")
    head.open_row(UNIT)
    head.see("第二项写明目标后再报", "没有写明提高到多少")
    head.open("修改", inside=head.card(NAMES[1]))
    head.fill("具体内容", "签约率由40%提高到60%。")
    head.press("保存事项")
    head.move("报送")

    officer.menu("活动任务", "突破事项")
    officer.open_row(UNIT)
    officer.open("审核", exact=True)
    for name in NAMES[:2]:
        _judge(officer, name, "符合")
    officer.press("保存并采纳")
    officer.see("已采纳")


def _judge(officer: Person, name: str, verdict: str, opinion: str = "") -> None:
    card = officer.card(name)
    for group in card.locator("fieldset").all():
        group.get_by_label(verdict, exact=True).check()
    if opinion:
        officer.fill("审核意见", opinion, inside=card)


def test_the_table_stands_on_the_screen_and_in_the_workbook(people: People, tmp_path: Path):
    officer = people("far")
    officer.menu("活动任务", "突破事项")
    officer.open_row(UNIT)
    officer.open(PAPER.name)
    officer.open("汇总表")
    for screen in (DESKTOP, PHONE):
        officer.resize(screen)
        officer.page.reload()
        officer.see(*NAMES[:2], "签约率由40%提高到60%", "填报单位：邻区卫生健康局")
        officer.not_see(NAMES[2])
    officer.resize(DESKTOP)
    sheet = load_workbook(officer.download("导出 XLSX", tmp_path)).active
    cells = [str(value) for row in sheet.iter_rows(values_only=True) for value in row if value]
    assert cells[0] == "区卫生健康系统落实突破事项汇总表"
    for words in ("填报单位：邻区卫生健康局", *NAMES[:2], "分管责任人"):
        assert any(words in cell for cell in cells), words
    assert not any(NAMES[2] in cell for cell in cells)
