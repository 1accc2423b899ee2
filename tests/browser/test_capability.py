"""优质服务基层行 by three roles: the centre evaluates itself and applies, the county reviews and reports, the city checks drawn
clauses again on a phone, and the level is confirmed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.person import PATIENCE, People, Person

pytestmark = pytest.mark.browser

ROUND = "2023年“优质服务基层行”活动"
CENTRE = "青年路社区卫生服务中心"


def grade(person: Person, article, letter: str, note: str = "") -> None:
    """Choose a grade and see that it is saved."""
    if note:
        person.fill("说明", note, inside=article)
    with person.page.expect_response(lambda answer: "/capability-lines/" in answer.url) as saved:
        person.fill("等级", letter, inside=article)
    assert saved.value.status == 200
    expect(article.locator("[data-state]")).to_contain_text("已保存", timeout=PATIENCE)


def test_the_centre_grades_what_is_left_and_applies(people: People, papers: Path):
    head = people("head")
    head.menu("绩效评价", "优质服务基层行")
    head.see(ROUND, "2023年4月30日")
    head.open(CENTRE)
    head.see("2022年9月5日（由系统记录）", "2023年3月5日", "42 / 44 条", "未评 2 条")
    head.open("继续自评")
    last = head.page.locator("article.score-line").last
    grade(head, last, "B")
    head.see("43 / 44 条")
    grade(head, head.page.locator("article.score-line").nth(-2), "B", "记录有两处不全")
    head.see("已达到最高等次")
    head.unfold("佐证材料", inside=last)
    last.locator("input[type=file]").set_input_files(papers / "动员会签到表.pdf")
    head.press("上传", inside=last)
    head.see("已上传 1 个文件")
    head.open("完成和申请")
    head.see("自评达到：推荐标准")
    head.tick("推荐标准", group="申请等次")
    head.press("向示例区卫生健康局申请审核")
    head.see("已申请，等待示例区卫生健康局审核", "待审核")


def test_the_county_reviews_passes_and_reports_the_list(people: People):
    officer = people("officer")
    officer.menu("工作台")
    officer.open("请审核能力评审申请")
    officer.open(CENTRE)
    officer.open("逐条审核")
    officer.press("其余照自评")
    officer.see("已照自评填入 44 条", "44 / 44 条")
    officer.open("审核结论")
    officer.move("审核通过", 理由或意见="查阅资料，情况属实")
    officer.see("审核通过，待上报")
    officer.open(ROUND)
    officer.see("王村镇中心卫生院", "没有开始")
    officer.open("上报名单")
    officer.see(CENTRE, "未开始")
    officer.fill("上报意见", "同意上报")
    officer.press("上报")
    officer.see("已上报，共 3 家", "同意上报")


def test_the_city_checks_drawn_clauses_on_the_spot_and_confirms(people: People):
    city = people("city", phone=True)
    city.menu("工作台")
    city.open("请抽取条款复核")
    city.open(CENTRE)
    city.open("抽取复核条款")
    city.fill("抽查条款比例（%）", "1")
    city.press("抽取")
    city.see("已抽取，请逐条复核")
    articles = city.page.locator("article.score-line")
    for number in range(articles.count()):
        article = articles.nth(number)
        before = re.search(r"审核\s*([ABCD])", article.inner_text())
        assert before
        grade(city, article, before[1])
    count = articles.count()
    city.see(f"{count} / {count} 条")
    city.open("完成复核")
    city.move("完成复核", 理由或意见="现场核查与资料一致")
    city.see("复核认定", "推荐标准", "现场核查与资料一致")
    city.open("复核条款第1次抽取")
    city.open("重放核验")
    city.see("核验相符")

    head = people("head")
    head.menu("绩效评价", "优质服务基层行")
    head.open(CENTRE)
    head.see("认定为推荐标准")
