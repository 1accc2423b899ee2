"""One problem from finding to 销号, by three roles: the bureau finds it and grants more time, the hospital puts it right
on a phone, the lead agency of the item returns it once and then closes it; then others are asked to look at home."""

from pathlib import Path

import pytest

from tests.browser.person import People

pytestmark = pytest.mark.browser

PROBLEM = "孕妇学校课程表与实际授课不符"


def test_the_officer_writes_down_what_he_found(people: People):
    officer = people("officer")
    officer.menu("督导整改", "问题清单")
    officer.open("登记问题")
    officer.fill("机构", "区妇幼保健院")
    officer.fill("来源", "日常督导")
    officer.fill("服务项目", "健康教育")
    officer.fill("问题类别", "健康教育次数不足")
    officer.fill("严重程度", "严重")
    officer.fill("问题描述", PROBLEM)
    officer.tick("孕产妇", group="重点人群")
    officer.tick("不扎实", group="问题表现")
    officer.fill("发现日期", "2023-03-17")
    officer.fill("整改时限（含当日）", "2023-03-27")
    officer.press("登记并交办")
    officer.see("已登记并交办整改", PROBLEM, "孕产妇", "不扎实")


def test_the_hospital_signs_works_and_asks_for_more_time(people: People, papers: Path):
    head = people("head3", phone=True)
    head.menu("工作台")
    head.see("请签收整改")
    head.menu("督导整改", "整改台账")
    head.open(PROBLEM)
    head.see("请先签收", "交办有回应", "前签收")
    head.move("签收")
    head.fill("整改措施", "按课程表授课，每次留签到和照片。")
    head.fill("责任领导", "分管副院长")
    head.fill("责任人", "孕妇学校负责人")
    head.fill("佐证材料", papers / "整改前.jpg")
    head.press("保存")
    asked = head.unfold("申请延期")
    with head.expecting(422):
        head.fill("申请延至", "2023-03-20", inside=asked)
        head.fill("延期理由", "外请讲师四月初才能到位", inside=asked)
        head.press("确认申请延期", inside=asked)
    head.see("要晚于现在的整改时限", "外请讲师四月初才能到位")
    asked = head.page.locator("#extensions")
    head.fill("申请延至", "2023-04-10", inside=asked)
    head.press("确认申请延期", inside=asked)
    head.see("已申请延期", "等待示例区卫生健康局审批", "上一次延期申请还没有审批")


def test_the_officer_grants_less_than_was_asked_and_the_first_date_stays(people: People):
    officer = people("officer")
    officer.menu("工作台")
    officer.open("延期申请待审批")
    officer.open(PROBLEM)
    officer.see("由2023年3月27日申请延至2023年4月10日")
    granted = officer.unfold("同意延期")
    officer.fill("同意延至", "2023-04-05", inside=granted)
    officer.press("确认同意延期", inside=granted)
    officer.see("已同意延期", "2023年4月5日", "交办时的时限", "2023年3月27日")


def test_the_lead_agency_returns_it_once_and_then_closes_it(people: People, papers: Path):
    head, lead = people("head3", phone=True), people("lead")
    head.menu("督导整改", "整改台账")
    head.open(PROBLEM)
    head.see("同意延至2023年4月5日")
    head.move("申请销号")
    head.see("等待示例区卫生健康局复核")

    lead.menu("督导整改", "整改台账")
    lead.open(PROBLEM)
    lead.move("退回整改", 理由或意见="请附授课照片", 新的时限="2023-04-07")
    lead.see("已退回整改", "2023年4月7日")

    head.menu("督导整改", "整改台账")
    head.open(PROBLEM)
    head.see("请附授课照片")
    head.fill("进展", "已按课程表授课一次。")
    head.press("填报进展")
    head.fill("佐证材料", papers / "整改后.jpg")
    head.press("保存")
    head.move("申请销号")

    lead.menu("督导整改", "整改台账")
    lead.open(PROBLEM)
    lead.see("已按课程表授课一次。", "整改后.jpg")
    lead.move("复核通过，销号")
    lead.see("已销号", "疾控公卫科牵头人")


def test_others_look_at_home_and_the_figures_tell(people: People):
    officer = people("officer")
    officer.menu("督导整改", "问题清单")
    officer.open(PROBLEM)
    officer.open("举一反三", exact=True)
    for box in officer.page.locator("input[name=kinds]:checked").all():
        box.uncheck()
    officer.tick("市中医医院", group="另选机构")
    officer.press("下发自查")
    officer.see("已下发 1 个问题", "已自查", "0 / 1 家", "市中医医院")
    officer.menu("督导整改", "对照自查")
    officer.see(PROBLEM, "待自查")
    officer.menu("督导整改", "整改台账")
    officer.open("整改统计")
    officer.see("销号率", "按时率", "按服务项目", "健康教育", "100.0%")
    officer.menu("督导整改", "整改台账")
    officer.open("批量销号")
    officer.see("没有可以办理的整改")
