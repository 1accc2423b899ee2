"""One task from the draft to the confirmed phase, at a desk and on a phone, by real clicks."""

from pathlib import Path

import pytest

from tests.browser.papers import UNIT, Paper, issue, register
from tests.browser.person import DESKTOP, PHONE, People

pytestmark = pytest.mark.browser

PAPER = Paper("健康扶贫专项行动", 7)
TASK = "召开健康扶贫动员会"
PHASE = "动员部署阶段"


def test_a_task_is_drafted_and_issued(people: People):
    officer = people("far")
    register(officer, PAPER)
    officer.open("增加任务")
    officer.fill("任务", TASK)
    officer.fill("要求", "召开动员部署会，明确工作任务和完成时限。")
    officer.fill("阶段", PHASE)
    officer.fill("完成方式", "上传佐证材料")
    officer.tick("全部乡镇卫生院", group="按类别全选责任单位")
    officer.press("保存任务")
    officer.see(f"已保存任务“{TASK}”", TASK)
    head = people("farhead", phone=True)
    head.menu("活动任务", "任务报送")
    head.not_see(TASK)  # a draft is nobody's work yet
    issue(officer)


def test_the_centre_signs_reports_and_corrects(people: People, papers: Path):
    head = people("farhead", phone=True)
    head.menu("工作台")
    head.see("请签收文件")
    head.menu("活动任务", "活动")
    head.open(PAPER.name)
    head.press("签收")
    head.see("已签收")
    head.menu("活动任务", "任务报送")
    head.open(TASK)
    head.fill("完成情况", "已召开动员会。")
    head.fill("上传佐证材料（报送前至少一份）", papers / "动员会签到表.pdf")
    head.press("保存并报送")
    head.see("已报送", "动员会签到表.pdf")

    officer = people("far")
    officer.menu("工作台")
    officer.see("任务报送待审核")
    officer.open("任务报送待审核")
    officer.open(TASK)
    officer.move("退回", 理由或意见="请写明参加人数")
    officer.see("已退回")

    head.menu("工作台")
    head.open("任务报送被退回")
    head.open(TASK)
    head.see("请写明参加人数", "动员会签到表.pdf")
    head.fill("完成情况", "3月20日上午召开动员会，21人参加。")
    head.press("保存并报送")

    officer.menu("活动任务", "任务报送")
    officer.open(TASK, inside=officer.row("待审核"))
    officer.see("21人参加")
    officer.move("采纳")
    officer.see("已采纳")


def test_the_progress_shows_on_board_phase_and_task(people: People):
    officer = people("far")
    for screen in (DESKTOP, PHONE):
        officer.resize(screen)
        officer.go("/campaigns/")
        officer.open(PAPER.name)
        path = officer.page.url
        officer.go(f"{path}board/")
        officer.see("已采纳任务报送", "1/ 1 项", "已签收文件")
        officer.see("1 / 1", inside=officer.row(TASK))
        officer.open(PHASE)
        officer.see("2023年3月24日", "剩4天")
        officer.open(TASK, inside=officer.card("任务：谁完成了，谁还没有"))
        officer.see("已采纳", inside=officer.row(UNIT))
    officer.resize(DESKTOP)
    officer.go(f"{path}board/")
    officer.open(PHASE)
    officer.press("确认阶段完成")
    officer.see("本阶段已确认完成")
    officer.go(f"{path}board/")
    officer.see("已完成")
    # What nobody has looked at in any of the four forms is said.
    officer.open("任务督查情况")
    officer.see("还没有督查的任务", TASK)
    officer.open("登记督查")
    officer.fill("主题", "到卫生院看动员情况")
    officer.fill("督查形式", "实地考察")
    officer.fill("内容", "查看签到和会议记录，人员到齐。")
    officer.fill("活动", PAPER.name)
    officer.fill("任务", TASK)
    officer.press("保存")
    officer.go(f"{path.removesuffix('/')}/checked/")
    officer.see("全部任务都督查过", "已督查")
