"""A year in the browser, by real clicks, in the order in which a county lives it. Each step builds on those before.

The officer works at a desk (1280 px), heads and doctors also on a phone (360 px).
"""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import ROOT
from tests.browser.person import PATIENCE, People, Person, workbook

pytestmark = pytest.mark.browser

CAMPAIGN = "质量提升年活动"
MEETING = "召开动员部署会"
PAPER = """\
示例区卫生健康局文件

周卫健字[2023]13号

2023年国家基本公共卫生服务项目质量提升年活动实施方案

各有关医疗机构：

为提升全区基本公共卫生服务能力，决定开展质量提升年活动，制定方案如下。

一、目标要求

以省市绩效评价指标反馈整改为切入点，群众满意度不断提高。

二、活动内容

（一）动员部署阶段（2023年3月3日前）

各医疗机构分别召开动员部署会，明确工作任务。

（二）整改落实阶段（2023年3月4日—3月31日前）

1. 各机构对照问题反馈清单，逐项对号入座，全部问题整改到位。

（三）质量提升阶段（2023年4月1日—11月30日前）

1. 提高重点人群的健康管理率和管理质量。

附件：督导重点内容

示例区卫生健康局

2023年2月28日
"""


# --- 1. The campaign, from paper to accepted report ----------------------------------------------------


def test_the_officer_registers_the_paper_and_its_text_is_cut_into_passages(people: People):
    officer = people("officer")
    officer.menu("活动任务", "活动")
    officer.open("登记活动")
    officer.fill("粘贴文件全文", PAPER)
    officer.press("读取文件")
    assert officer.field("文号").input_value() == "周卫健字〔2023〕13号"
    assert officer.field("印发日期").input_value() == "2023-02-28"
    officer.fill("活动名称", CAMPAIGN)
    officer.fill("签发人", "局长")
    officer.press("登记为拟稿")
    officer.see("已登记为拟稿")
    officer.press("保存正文")
    officer.see("条条文", "周卫健字〔2023〕13号", "各有关医疗机构：", "全部问题整改到位")


def test_the_officer_adds_phases_recipients_the_table_and_the_first_task(people: People):
    officer = people("officer")
    officer.open("阶段", exact=True)
    officer.see("下面的阶段是从正文标题里读出来的")
    officer.press("保存阶段")
    officer.see("已保存 3 个阶段", "动员部署阶段", "整改落实阶段", "质量提升阶段")

    officer.open("主送机构", exact=True)
    officer.tick("区人民医院", "区妇幼保健院", "青年路社区卫生服务中心", "王村镇中心卫生院")
    officer.press("加入所选")
    officer.see("已加入 4 个主送对象")
    officer.open("返回活动")

    officer.open("增加督导重点")
    officer.fill("机构名称", "区人民医院、区妇幼保健院")
    officer.tick("区人民医院", "区妇幼保健院")
    officer.fill("督导重点", "孕产妇建档和产前5次随访。")
    officer.press("保存并写下一行")
    officer.fill("机构名称", "青年路社区卫生服务中心、王村镇中心卫生院")
    officer.tick("青年路社区卫生服务中心", "王村镇中心卫生院")
    officer.fill("督导重点", "组织指导辖区卫生室（服务站）12大项目的实施。")
    officer.press("保存")
    officer.see("督导重点内容", "孕产妇建档和产前5次随访。", "区人民医院、区妇幼保健院")

    officer.open("增加任务")
    officer.fill("任务", MEETING)
    officer.fill("要求", "各医疗机构分别召开动员部署会，明确工作任务和完成时限。")
    officer.fill("阶段", "动员部署阶段")
    officer.fill("完成方式", "上传佐证材料")
    officer.tick("全部社区卫生服务中心", "全部乡镇卫生院", group="按类别全选责任单位")
    officer.press("保存任务")
    officer.see(f"已保存任务“{MEETING}”")


def test_nobody_else_sees_the_draft(people: People):
    head = people("head", phone=True)
    head.menu("活动任务", "活动")
    head.not_see(CAMPAIGN)


def test_the_officer_issues_it_and_the_centre_signs_for_it(people: People):
    officer = people("officer")
    officer.move("印发")
    officer.see("已印发，主送机构可以签收了", "已签收0/4")

    head = people("head", phone=True)
    head.menu("工作台")
    head.open(CAMPAIGN)
    head.menu("活动任务", "活动")
    head.open(CAMPAIGN)
    head.see("这份文件主送青年路社区卫生服务中心，请阅读后签收")
    head.press("签收")
    head.see("已签收", "青年路社区卫生服务中心已于2023年3月20日")


def test_the_centre_reports_and_corrects_what_is_returned(people: People, papers: Path):
    head = people("head", phone=True)
    head.menu("活动任务", "任务报送")
    head.open(MEETING)
    head.fill("完成情况", "已召开动员会，全体公卫人员参加。")
    with head.expecting(422):
        head.press("保存并报送")  # no file yet
    head.see("材料")
    head.fill("上传佐证材料（报送前至少一份）", papers / "动员会签到表.pdf")
    head.press("保存并报送")
    head.see("已报送", "动员会签到表.pdf")

    officer = people("officer")
    officer.menu("活动任务", "任务报送")
    officer.open(MEETING, inside=officer.row("待审核"))
    officer.see("已召开动员会", "动员会签到表.pdf")
    officer.move("退回", 理由或意见="请写明会议时间和参加人数")
    officer.see("已退回")

    head.menu("工作台")
    head.see("退回")
    head.menu("活动任务", "任务报送")
    head.open(MEETING)
    head.see("请写明会议时间和参加人数")
    head.fill("完成情况", "3月2日下午召开动员会，全体公卫人员23人参加。")
    head.press("保存并报送")

    officer.menu("活动任务", "任务报送")
    officer.open(MEETING, inside=officer.row("待审核"))
    officer.see("23人参加")
    officer.move("采纳")
    officer.see("已采纳")


def test_the_phase_page_shows_the_days_and_who_did_what(people: People):
    officer = people("officer")
    officer.menu("工作台")
    officer.open(CAMPAIGN)
    officer.open("整改落实阶段")
    officer.see("2023年3月31日", "剩11天")
    officer.menu("工作台")
    officer.open(CAMPAIGN)
    officer.open("动员部署阶段")
    officer.see("逾期17天", "还不能确认完成", "未采纳的任务报送 1 项")
    officer.open(MEETING, inside=officer.card("任务：谁完成了，谁还没有"))
    officer.see("已采纳", inside=officer.row("青年路"))
    officer.see("待报送", "逾期17天", inside=officer.row("王村"))


# --- 2. The problem list: every error first, then closed by a second person -----------------------------

PROBLEMS = [
    [
        "来源",
        "年度",
        "机构代码",
        "服务项目",
        "问题类别",
        "严重程度",
        "问题描述",
        "发现日期",
        "整改时限",
    ],
    [
        "省级",
        "2022",
        "ZC-QNL",
        "06",
        "重复档案",
        "一般",
        "2份老年人档案重复",
        "2022-12-20",
        "2023-03-31",
    ],
    [
        "市级",
        "2022",
        "ZC-WC",
        "07a",
        "空项漏项逻辑错误",
        "严重",
        "高血压随访空项",
        "2022-12-21",
        "2023-03-10",
    ],
]
WRONG = [
    ["县级", "2022", "ZC-没有", "06", "", "一般", "来源和机构都不对", "2022-12-20", "2023-03-31"],
    ["区级", "2022", "ZC-QNL", "99", "", "一般", "", "2022-12-20", "2022-12-01"],
]
OLD_FILES = "2份老年人档案重复"
PHONES = "3份档案的电话打不通"


def test_a_wrong_problem_list_shows_every_error_and_writes_nothing(people: People, tmp_path: Path):
    officer = people("officer")
    officer.menu("数据管理", "导入")
    officer.fill("导入什么", "问题清单")
    officer.fill("文件", workbook(tmp_path / "2022年问题清单.xlsx", [*PROBLEMS, *WRONG]))
    officer.press("上传并检查")
    officer.see("第 4 行", "第 5 行", "县级", "ZC-没有", "99")
    for row, column in ((4, "来源"), (4, "机构代码"), (5, "服务项目"), (5, "问题描述")):
        errors = officer.page.locator("tbody tr").filter(has_text=f"第 {row} 行")
        assert errors.filter(has_text=column).count() == 1, (row, column)
    officer.menu("督导整改", "问题清单")
    officer.not_see("来源和机构都不对", OLD_FILES)


def test_the_right_list_is_shown_before_it_is_written(people: People, tmp_path: Path):
    officer = people("officer")
    officer.menu("数据管理", "导入")
    officer.fill("导入什么", "问题清单")
    officer.fill("文件", workbook(tmp_path / "2022年问题清单.xlsx", PROBLEMS))
    officer.press("上传并检查")
    officer.see("新增 2 行", OLD_FILES)
    officer.press("确认导入")
    officer.see("导入完成")
    officer.menu("督导整改", "整改台账")
    officer.see(OLD_FILES, "高血压随访空项", "逾期10天")


def test_the_officer_ties_a_problem_to_the_phase(people: People):
    officer = people("officer")
    officer.menu("督导整改", "问题清单")
    officer.open("登记问题")
    officer.fill("机构", "青年路")
    officer.fill("来源", "日常督导")
    officer.fill("服务项目", "居民健康档案")
    officer.fill("严重程度", "一般")
    officer.fill("问题描述", PHONES)
    officer.fill("发现日期", "2023-03-15")
    officer.fill("整改时限（含当日）", "2023-03-31")
    officer.fill("须在此阶段内整改", "整改落实阶段")
    officer.press("登记并交办")
    officer.see(PHONES)


def rectify(person: Person, words: str, *, photo: Path, measures: str) -> None:
    """Sign, say how and who, attach the proof, apply for closing."""
    person.menu("督导整改", "整改台账")
    person.open(words)
    person.see("请先签收")
    person.move("签收")
    person.see("已签收，请填写整改措施和责任人")
    person.fill("整改措施", measures)
    person.fill("责任人", "公卫科负责人")
    person.fill("佐证材料", photo)
    person.press("保存")
    person.see(measures, photo.name)
    person.move("申请销号")
    person.see("已申请销号，等待复核")


def test_the_centre_rectifies_and_the_second_officer_closes(people: People, papers: Path):
    head = people("head")
    head.menu("工作台")
    head.see("整改")
    rectify(head, OLD_FILES, photo=papers / "整改前.jpg", measures="逐户核对，合并重复档案。")

    officer = people("officer")
    officer.menu("督导整改", "整改台账")
    officer.open(OLD_FILES)
    officer.move("退回整改", 理由或意见="请附合并后的截图", 新的时限="2023-03-28")
    officer.see("已退回整改", "2023年3月28日")

    head.menu("督导整改", "整改台账")
    head.open(OLD_FILES)
    head.see("请附合并后的截图", "2023年3月28日", "剩8天")
    head.fill("进展", "已合并，截图见附件。")
    head.press("填报进展")
    head.see("已填报进展")
    head.fill("佐证材料", papers / "整改后.jpg")
    head.press("保存")
    head.move("申请销号")

    second = people("officer2")
    second.menu("督导整改", "整改台账")
    second.open(OLD_FILES)
    second.see("已合并，截图见附件。", "整改后.jpg")
    second.move("复核通过，销号")
    second.see("已销号", "基妇科科长")


def test_the_centre_does_the_same_for_its_clinic(people: People, papers: Path):
    head, doctor = people("head"), people("doctor", phone=True)
    head.menu("督导整改", "问题清单")
    head.open("登记问题")
    head.fill("机构", "示例村卫生室一")
    head.fill("服务项目", "健康教育")
    head.fill("严重程度", "一般")
    head.fill("问题描述", "宣传栏没有按期更换")
    head.fill("发现日期", "2023-03-18")
    head.fill("整改时限（含当日）", "2023-03-31")
    head.press("登记并交办")

    rectify(doctor, "宣传栏没有按期更换", photo=papers / "整改后.jpg", measures="每两月更换一次。")
    head.menu("督导整改", "整改台账")
    head.open("宣传栏没有按期更换")
    head.move("复核通过，销号")
    head.see("已销号")


def test_a_phase_is_confirmed_only_when_nothing_is_open(people: People, papers: Path):
    officer = people("officer")
    officer.menu("工作台")
    officer.open(CAMPAIGN)
    officer.open("整改落实阶段")
    officer.see("还不能确认完成", "未销号的整改 1 项", "剩11天")

    rectify(people("head"), PHONES, photo=papers / "整改后.jpg", measures="逐份拨打核实并更正。")
    second = people("officer2")
    second.menu("督导整改", "整改台账")
    second.open(PHONES)
    second.move("复核通过，销号")

    officer.menu("工作台")
    officer.open(CAMPAIGN)
    officer.open("整改落实阶段")
    officer.press("确认阶段完成")
    officer.see("已确认", "本阶段已确认完成")


# --- 3. On site ------------------------------------------------------------------------------------------

ROUND = "2023年第一季度质控督导"
FINDING = "两份档案缺少随访记录"


def test_the_officer_plans_a_round_with_an_expert(people: People):
    officer = people("officer")
    officer.menu("督导整改", "督导轮次")
    officer.open("新建轮次")
    officer.fill("名称", ROUND)
    officer.fill("年度", "2023")
    officer.fill("季度", "第一季度")
    officer.fill("开始", "2023-03-20")
    officer.fill("截止（含当日）", "2023-03-31")
    officer.fill("依据标准", "周村区2023年")
    officer.press("保存")
    officer.open("安排督导")
    officer.tick("青年路社区卫生服务中心", group="督导机构")
    officer.fill("组长", "督导专家")
    officer.fill("计划开始", "2023-03-20")
    officer.fill("计划结束（含当日）", "2023-03-24")
    officer.press("保存")
    officer.see("青年路")
    officer.move("下达")
    officer.see("进行中")


def test_the_expert_records_on_the_phone_and_submits(people: People, papers: Path):
    expert = people("expert", phone=True)
    expert.menu("督导整改", "现场督导")
    expert.open("青年路")
    expert.open("去记录")
    lines = expert.page.locator("article[id^=clause-]")
    for index, found in ((0, "符合"), (1, "有问题"), (2, "不适用")):
        lines.nth(index).locator("legend").scroll_into_view_if_needed()
        lines.nth(index).get_by_text(found, exact=True).click()
        if found == "有问题":
            # It is kept back until it says what the problem is.
            expert.see("未发送：请写明存在的问题", inside=lines.nth(index).locator("[data-state]"))
            expert.fill("情况", FINDING, inside=lines.nth(index))
            expert.fill("整改时限（含当日）", "2023-04-05", inside=lines.nth(index))
            lines.nth(index).locator("textarea").blur()
        expert.see("已保存", inside=lines.nth(index).locator("[data-state]"))
    expert.see("已记录 3", "问题 1 个")
    folded = expert.unfold("照片", inside=lines.nth(1))
    expert.fill("添加照片", papers / "现场.jpg", inside=folded)
    expect(folded.locator(".said")).to_contain_text("MB")
    expect(folded.locator("[data-sent] li")).to_have_count(1, timeout=PATIENCE)
    expert.see("照片（1）")
    expert.fill("督导日期", "2023-03-20")
    expert.fill("总体情况", "制度齐全，档案质量有待提高。")
    expert.press("提交督导记录")
    expert.see("已提交，交办问题 1 个", "督导反馈单", FINDING)


def test_the_centre_confirms_the_record_and_the_finding_is_due(people: People):
    head = people("head", phone=True)
    head.menu("督导整改", "现场督导")
    head.open("青年路")
    head.see(FINDING, "制度齐全")
    head.move("确认督导记录")
    head.see("记录已由机构确认")
    head.menu("督导整改", "整改台账")
    head.see(FINDING, "剩16天")
    head.open(FINDING)
    head.see("请先签收", "2023年4月5日", "剩16天")


# --- 4. The quarter's evaluation ---------------------------------------------------------------------------

QUARTER = "2023年第1季度评价"
# Figures of a good centre: everything is done, so a numerator is its denominator, but for these.
FIGURES = {
    "B2": ("1", ""),  # months until the money reaches the clinics
    "C01-4": ("0", "100"),  # duplicate files
    "C02-1": ("12", ""),
    "C02-3": ("9", ""),
    "C06-1": ("50", "100"),  # the elderly: below the target
    "D4": ("0", ""),
    "V6-3": ("1", ""),
}


def self_check(person: Person, figures: dict[str, tuple[str, str]]) -> int:
    """Fill every line as its form asks; each says 已保存 before the next section. Returns how many there are."""
    person.open("自评")
    lines = person.page.locator("article.score-line").all()
    for line in lines:
        code = line.locator("h3").inner_text().split()[0]
        fill_line(line.locator("form.line-form"), *figures.get(code, ("100", "100")))
    for line in lines:
        expect(line.locator("[data-state]")).to_have_text("已保存", timeout=PATIENCE)
    return len(lines)


def fill_line(form: Locator, above: str, below: str) -> None:
    """Type the figures of one clause; leaving the line saves it."""
    asked = form.evaluate("(form) => [...form.elements].map((e) => `${e.name}:${e.type}`)")
    if "numerator:radio" in asked:
        form.get_by_label("是", exact=True).check()
    elif "grade:radio" in asked:
        form.get_by_label("A", exact=True).check()
    elif "deductions:text" in asked:
        form.get_by_label("扣分次数").fill("0")
    elif "entered:text" in asked:
        form.get_by_label("得分（分）").fill("3")
    elif "genuine:text" in asked:
        for label in ("抽查份数", "规范份数", "核实份数", "真实份数"):
            form.get_by_label(label).fill("10")
    else:
        form.get_by_role("textbox").first.fill(above)
        if "denominator:text" in asked:
            form.get_by_role("textbox").nth(1).fill(below)
    form.get_by_label("说明").focus()


def paper_figures(unit: str, figures: dict[str, tuple[str, str]]) -> list[list[str]]:
    """The same figures as a table of 评分, for a centre that keeps them in Excel."""
    head = ["机构代码", "年度", "季度", "标准代码", "条款代码", "自评分子", "自评分母"]
    rows = [[*head, "自评得分", "扣分次数", "自评等级", "真实份数", "核实份数"]]
    with (ROOT / "campaigns/data/standard-2023.csv").open(encoding="utf-8-sig") as file:
        clauses = list(csv.DictReader(file))
    above = {clause["上级条款代码"] for clause in clauses}
    for clause in clauses:
        if (code := clause["条款代码"]) in above:
            continue
        one, two = figures.get(code, ("100", "100"))
        cells = {
            "是否": ["1", "", "", "", "", "", ""],
            "手工": ["", "", "3", "", "", "", ""],
            "等级": ["", "", "", "", "A", "", ""],
            "扣分": ["", "", "", "0", "", "", ""],
            "抽查": ["10", "10", "", "", "", "10", "10"],
        }.get(clause["评分方法"], [one, two if clause["分母名称"] else "", "", "", "", "", ""])
        rows.append([unit, "2023", "1", "ZC2023", code, *cells])
    return rows


def open_evaluation(person: Person, standard: str, *units: str) -> None:
    person.menu("绩效评价", "评价")
    person.open("新建评价")
    person.fill("评价标准", standard)
    person.fill("季度", "第1季度")
    person.fill("开始", "2023-03-20")
    person.fill("自评截止（含当日）", "2023-03-25")
    person.fill("核定截止（含当日）", "2023-03-31")
    person.tick(*units, group="被评价机构")
    person.press("拟定评价")
    person.move("启动评价")
    person.see("各机构先自评并提交")


def judge_sections(person: Person, *, loses: dict[str, str]) -> None:
    """Go through the sections that are open to the person: as self-assessed, and say why where it costs points."""
    person.page.get_by_role("link", name="去核定").first.wait_for()
    person.open("去核定")
    while "/sections/" in person.page.url:
        person.press("全部照自评")
        for line in person.page.locator("article.score-line").all():
            code = line.locator("h2").inner_text().split()[0]
            if line.locator(".owed").inner_text() or code in loses:
                person.fill("扣分理由", loses.get(code, "未达到目标值"), inside=line)
                line.get_by_label("扣分理由").blur()
                person.see("已保存", inside=line.locator("[data-state]"))
        person.press("本项核定完毕")


def test_the_officer_opens_the_evaluation_of_the_quarter(people: People):
    officer = people("officer")
    open_evaluation(officer, "周村区2023年", "青年路社区卫生服务中心", "王村镇中心卫生院")
    officer.see("青年路", "王村")


def test_the_centre_fills_every_line_and_a_reload_keeps_it(people: People):
    head = people("head")
    head.menu("绩效评价", "评分表")
    head.open_row(QUARTER)
    count = self_check(head, FIGURES)
    head.page.reload()
    head.see(f"{count} / {count}")
    head.move("提交自评")
    head.see("已提交，等待")


def test_another_centre_brings_its_figures_as_a_table(people: People, tmp_path: Path):
    other = people("head2")
    other.menu("数据管理", "导入")
    other.fill("导入什么", "评分")
    rows = paper_figures("ZC-WC", {**FIGURES, "C07a-1": ("60", "100"), "C03-2": ("85", "100")})
    other.fill("文件", workbook(tmp_path / "自评.xlsx", rows))
    other.press("上传并检查")
    if other.page.get_by_label("同意修改").count():
        other.page.get_by_label("同意修改").check()
    other.press("确认导入")
    other.see("导入完成")
    other.menu("绩效评价", "评分表")
    other.open_row(QUARTER)
    other.open("继续自评")
    other.move("提交自评")
    other.see("已提交，等待")


def test_the_lead_agency_and_the_officer_verify_by_section(people: People):
    lead, officer = people("lead"), people("officer")
    for unit in ("青年路", "王村"):
        for person in (lead, officer):
            person.menu("绩效评价", "评分表")
            person.open_row(QUARTER, unit)
            judge_sections(person, loses={"C06-1": "抽查电话核实，管理率只有50%"})
        officer.move("完成核定")
        officer.see("已核定")


def test_the_officer_publishes_and_the_centre_sees_score_rank_and_why(people: People):
    officer = people("officer")
    officer.menu("绩效评价", "评价")
    officer.open(QUARTER)
    officer.move("公布结果")
    officer.see("结果已公布")

    head = people("head", phone=True)
    head.menu("工作台")
    head.menu("绩效评价", "评分表")
    head.open_row(QUARTER)
    head.see("得分", "名次", "理由：抽查电话核实，管理率只有50%")


def test_a_centre_evaluates_its_clinic_with_the_same_screens(people: People):
    head, doctor = people("head"), people("doctor", phone=True)
    open_evaluation(head, "村卫生室", "示例村卫生室一")
    doctor.menu("绩效评价", "评分表")
    doctor.open_row(QUARTER)
    self_check(doctor, FIGURES)
    doctor.move("提交自评")
    doctor.see("已提交，等待")

    head.menu("绩效评价", "评分表")
    head.open_row(QUARTER, "示例村卫生室一")
    judge_sections(head, loses={})
    head.move("完成核定")
    head.menu("绩效评价", "评价")
    head.open("村卫生室")
    head.move("公布结果")
    head.see("结果已公布")
