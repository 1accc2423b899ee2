"""What was done and what each person gets for it: declared by a clerk, verified by the bureau, split by the head."""

from pathlib import Path

import pytest

from tests.browser.person import People, workbook

pytestmark = pytest.mark.browser

SERVICES = [
    ["年度", "服务代码", "服务名称", "服务项目", "当量系数", "单位"],
    ["2023", "GX-01", "高血压患者随访", "07a", "1", "人次"],
    ["2023", "LN-01", "老年人健康体检", "06", "3.5", "人"],
]


def test_a_quarter_is_declared_and_verified(people: People, tmp_path: Path):
    officer = people("officer")
    officer.menu("数据管理", "导入")
    officer.fill("导入什么", "工作当量")
    officer.fill("文件", workbook(tmp_path / "工作当量.xlsx", SERVICES))
    officer.press("上传并检查")
    officer.press("确认导入")
    officer.menu("年终结算", "工作量")
    officer.open("布置申报")
    officer.fill("年度", "2023")
    officer.fill("季度", "第1季度")
    officer.fill("申报截止", "2023-03-31")
    officer.press("布置")
    officer.see("已布置")

    clerk = people("staff", phone=True)
    clerk.menu("工作台")
    clerk.see("请申报工作量")
    clerk.menu("年终结算", "工作量")
    clerk.open("青年路")
    clerk.fill("高血压患者随访", "1000")
    clerk.fill("老年人健康体检", "40")
    clerk.press("保存并提交")
    clerk.see("已提交，等待核定", "待核定")

    officer.menu("年终结算", "工作量")
    officer.open_row("青年路", "待核定")
    officer.see("本季度没有抽查这项服务的档案")
    officer.fill("老年人健康体检核定数量", "38")
    with officer.expecting(422):
        officer.press("保存并核定")
    officer.see("与建议数量不同，请写明理由")
    officer.fill("老年人健康体检核定说明", "2份重复")
    officer.press("保存并核定")
    officer.see("已核定", "38.00", "2份重复")


def test_a_staff_member_sees_his_own_line_only(people: People):
    head = people("head")
    for name in ("随访岗一", "体检岗一"):
        head.menu("机构人员", "人员名册")
        head.open("登记人员")
        head.fill("机构", "青年路社区卫生服务中心")
        head.fill("姓名", name)
        head.fill("岗位", "公卫科")
        head.fill("到岗日期", "2020-01-01")
        head.press("保存")
        head.see(f"已保存“{name}”")
    head.menu("年终结算", "绩效分配")
    head.open("新的绩效分配")
    head.fill("年度", "2023")
    head.fill("期间", "第1季度")
    head.fill("分配总额", "1000")
    head.fill("依据", "院务会决定")
    head.press("列出人员")
    for name, post, number in (("随访岗一", "公卫科经办人", "300"), ("体检岗一", "", "100")):
        head.open(name)
        if post:
            head.fill("对应账号任职", post)
        head.fill("质量系数", "1")
        head.fill("高血压患者随访", number)
        head.press("保存")
    head.see("750.00", "250.00", "差0.00")
    head.move("确认")
    head.see("已确认")

    clerk = people("staff", phone=True)
    clerk.menu("年终结算", "绩效分配")
    clerk.open("青年路")
    clerk.see("我的一行", "随访岗一", "750.00")
    clerk.not_see("体检岗一", "250.00")
    officer = people("officer")
    officer.menu("年终结算", "绩效分配")
    officer.open("青年路")
    officer.see("1,000.00", "2人", "这里只显示合计")
    officer.not_see("随访岗一", "750.00")
