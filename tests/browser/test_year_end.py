"""The end of the year: settled, read on the screen, taken away as CSV, opened and saved by another office.

Runs near the end: the server lives on in December, when the passwords of March have run out.
"""

import csv
import shutil
import subprocess
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from tests.browser.conftest import Server
from tests.browser.person import People, workbook

pytestmark = pytest.mark.browser

EVALUATION = "2023年第1季度评价：周村区2023年国家基本公共卫生服务项目绩效评价标准"


def test_the_officer_settles_and_the_table_survives_another_office(
    people: People, server: Server, tmp_path: Path
):
    server.move_to("2023-12-29")
    officer = people("officer")
    officer.menu("工作台")
    officer.see("密码已使用满 90 天")
    officer.renew_password()
    officer.menu("绩效评价", "评价")
    officer.open(EVALUATION)
    officer.move("定稿")
    officer.see("已定稿")

    officer.menu("数据管理", "导入")
    officer.fill("导入什么", "服务人口")
    rows = [
        ["机构代码", "年度", "常住人口"],
        ["ZC-QNL", "2023", "30000"],
        ["ZC-WC", "2023", "25000"],
    ]
    officer.fill("文件", workbook(tmp_path / "人口.xlsx", rows))
    officer.press("上传并检查")
    officer.press("确认导入")

    officer.menu("年终结算", "年终表")
    officer.press("计算年终结果")
    officer.see("青年路", "王村", "缺考", "未定稿")
    officer.open("青年路")
    officer.see("青年路社区卫生服务中心")
    officer.menu("年终结算", "年终表")
    ours = officer.download("导出 CSV", tmp_path)
    raw = ours.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    table = cells(ours)
    assert "青年路社区卫生服务中心" in table[1] or "青年路社区卫生服务中心" in table[2]
    # Opened with every column as text, nothing changes; opened as one does by default, no figure does.
    text = "/".join(f"{column}/2" for column in range(1, len(table[0]) + 1))
    assert cells(saved_again(ours, tmp_path / "text", columns=text)) == table
    plain = cells(saved_again(ours, tmp_path / "plain"))
    assert [[figure(cell) for cell in row] for row in plain] == [
        [figure(cell) for cell in row] for row in table
    ]


def test_the_officer_tries_another_policy_and_adopts_it_before_the_leader_freezes(people: People):
    officer, leader = people("officer"), people("leader")
    officer.menu("年终结算", "年终表")
    officer.open("测算方案")
    officer.open("新的测算")
    officer.fill("方案名称", "只看一季度，满分才全额")
    officer.fill("季度权重", "100%;0%;0%;0%")
    officer.fill("全额线", "100")
    officer.press("测算并保存")
    officer.see("有变化的机构", "24.81 → 99.23", "不合格 → 优秀")
    officer.press("采用此方案")
    officer.see("方案已写入绩效政策", "已采用")
    officer.menu("年终结算", "年终表")
    officer.press("重新计算")
    officer.see("99.23", "未定稿")

    leader.menu("工作台")
    leader.renew_password()
    leader.menu("年终结算", "年终表")
    leader.see("青年路", "99.23")
    leader.press("定稿")
    leader.see("已定稿")
    officer.menu("年终结算", "年终表")
    officer.open("测算方案")
    officer.open("只看一季度，满分才全额")
    officer.see("没有机构有变化")


def test_the_centre_goes_from_the_yuan_to_the_photo(people: People):
    head = people("head", phone=True)
    head.menu("工作台")
    head.renew_password()
    head.menu("年终结算", "年终表")
    head.fill("结算方", "示例区卫生健康局")
    head.press("查看")
    head.open("青年路")
    head.see("99.23", "权重为 0，不计", "每一条扣分值多少钱")
    head.open("扣分和影响经费")
    row = head.row("C06-1")
    head.see("影响经费", inside=row)
    folded = head.unfold("这一条扣", inside=row)
    head.see("年终得分 99.23", "核定金额 = 应拨", "抽查电话核实，管理率只有50%", inside=folded)
    photo = folded.get_by_role("link", name="整改后.jpg")
    answer = head.page.request.get(photo.get_attribute("href") or "")
    assert answer.ok and answer.headers["content-type"].startswith("image/")
    with head.loading():
        row.get_by_role("link", name="C06-1").click()
    head.see("抽查电话核实，管理率只有50%", "已核定")


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def figure(cell: str) -> str | Decimal:
    """A spreadsheet keeps the figure of 89.00, not its zeros; a code keeps every sign."""
    is_code = cell.startswith("0") and cell.isdigit() and cell != "0"
    try:
        return cell if is_code else Decimal(cell.removesuffix("%"))
    except InvalidOperation:
        return cell


def saved_again(path: Path, folder: Path, *, columns: str = "") -> Path:
    """What LibreOffice makes of the file when a person opens and saves it: UTF-8, comma, quotes as needed.

    `columns` are LibreOffice's column formats (2 is text); without them it guesses as it does by default.
    """
    office = shutil.which("soffice") or pytest.fail("LibreOffice is missing (.ci/run installs it)")
    subprocess.run(
        [
            office,
            f"-env:UserInstallation=file://{folder / 'profile'}",
            "--headless",
            f"--infilter=CSV:44,34,76,1,{columns}",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1",
            "--outdir",
            str(folder),
            str(path),
        ],
        check=True,
        timeout=120,
        capture_output=True,
    )
    return folder / path.name
