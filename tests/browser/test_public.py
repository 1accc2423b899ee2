"""A notice from draft to the public page by two posts; a visitor without a login objects on a phone and reads the answer."""

import re

import pytest

from tests.browser.person import PHONE, People, Person

pytestmark = pytest.mark.browser

TITLE = "体检机构名单公示"


@pytest.mark.row("E06")
def test_what_two_decided_a_stranger_reads_objects_to_and_gets_an_answer(
    people: People, stranger: People
):
    visitor: Person = stranger(screen=PHONE)
    visitor.go("/public/")
    visitor.see("现在没有公开的内容")

    officer = people("officer")
    officer.menu("活动任务", "信息公开")
    officer.open("拟写公开内容")
    officer.fill("类别", "其他公示")
    officer.fill("标题", TITLE)
    officer.fill("正文", "老年人健康体检由下列机构承担：青年路社区卫生服务中心（示例）。")
    officer.press("保存")
    officer.see("提交领导决定", "发布后5个工作日")
    officer.move("提交领导决定")
    officer.see("等待领导决定，决定前不公开")

    leader = people("leader")
    leader.menu("工作台")
    leader.open("公开内容待决定")
    leader.open(TITLE)
    leader.see("请决定")
    leader.move("同意发布")
    leader.see("已发布，任何人不登录都能看到", "公开网址")

    visitor.go("/public/")
    visitor.open("示例区卫生健康局")
    visitor.open(TITLE)
    visitor.see("青年路社区卫生服务中心", "公示期")
    visitor.open("提意见")
    with visitor.expecting(422):
        visitor.fill("您的意见", "请打 13900000000")
        visitor.press("提交意见")
    visitor.see("请删去手机号码")
    visitor.fill("您的意见", "名单漏了王村镇中心卫生院（示例）")
    visitor.fill("怎样称呼您（可不填）", "某居民")
    visitor.press("提交意见")
    visitor.see("回执号只显示这一次")
    receipt = visitor.page.locator(".big strong").inner_text()
    assert re.fullmatch(r"[0-9A-Z]{10}", receipt)
    visitor.open("查答复")
    visitor.fill("回执号", receipt)
    visitor.press("查看答复")
    visitor.see("还没有答复")

    officer.menu("工作台")
    officer.open("待答复的异议")
    officer.open("名单漏了王村镇中心卫生院")
    officer.see("已留，不直接显示")
    officer.not_see("某居民")
    officer.press("显示称呼和电话")
    officer.see("某居民")
    officer.fill("答复", "已核实，将在下次公示中补充（示例）。")
    officer.press("答复")
    officer.see("对方凭回执号可以看到", "查看提意见人的称呼和电话")

    visitor.open("凭回执号查答复", inside=visitor.page.locator("footer"))
    visitor.fill("回执号", receipt)
    visitor.press("查看答复")
    visitor.see("已核实，将在下次公示中补充")

    leader.menu("活动任务", "信息公开")
    leader.open(TITLE)
    leader.move("撤下", 理由或意见="名单有误，重新核对后再公示")
    leader.see("已撤下")
    with visitor.expecting(410):
        visitor.go("/public/ZC/1/")
    visitor.see("重新核对后再公示")
