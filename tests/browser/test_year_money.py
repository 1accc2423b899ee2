"""From the frozen year to money in the bank, by finance, head and leader. Runs after test_year_end, in December."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.browser.conftest import Server
from tests.browser.person import People, Person

pytestmark = pytest.mark.browser

CENTRE = "青年路"


def _due(person: Person) -> Decimal:
    """本年结算 as it stands on the sheet."""
    told = person.row("本年结算").locator("td").first.inner_text()
    return Decimal(told.replace(",", ""))


def test_a_sheet_is_published_objected_to_confirmed_and_paid(
    people: People, server: Server, tmp_path: Path
):
    finance = people("finance")
    finance.menu("工作台")
    finance.renew_password()
    finance.menu("年终结算", "结算单")
    finance.press("拟制2023年结算单")
    finance.see("已拟制", "草案")
    finance.press("全部公示")
    finance.see("已公示")

    head = people("head", phone=True)
    head.menu("年终结算", "结算单")
    head.open(CENTRE)
    head.see("大写：人民币", "公示至")
    before = _due(head)
    head.open("提出异议")
    head.fill("异议和理由", "质量奖补一千元没有计入")
    head.press("提出异议")
    head.see("异议已提出", "质量奖补一千元没有计入")

    leader = people("leader")
    leader.menu("年终结算", "结算单")
    leader.open(CENTRE)
    leader.see("还有异议没有答复")

    finance.menu("工作台")
    finance.see("请答复结算异议")
    finance.menu("年终结算", "结算单")
    finance.open(CENTRE)
    finance.fill("更正金额", "1000")
    finance.fill("答复意见", "核对属实，予以更正")
    finance.press("采纳并更正")
    finance.see("已采纳并更正", "1,000.00")
    due = _due(finance)
    assert due == before + 1000

    server.move_to("2024-01-15")
    leader.menu("工作台")
    leader.see("公示期满，请确认结算单")
    leader.menu("年终结算", "结算单")
    leader.press("确认期满的")
    leader.see("已确认")

    finance.menu("年终结算", "结算单")
    finance.open(CENTRE)
    for amount, voucher in (("400", "付字1号"), (str(due - 400), "付字2号")):
        finance.open("登记拨付")
        finance.fill("日期", "2024-01-15")
        finance.fill("拨付金额", amount)
        finance.fill("凭证号", voucher)
        finance.press("登记")
        finance.see("已登记拨付", voucher)
    finance.see("已拨付", "已结清")
    finance.menu("年终结算", "结算单")
    finance.open("拨付单")
    slip = finance.download("导出 XLSX", tmp_path)
    assert slip.read_bytes()[:2] == b"PK"

    head.menu("年终结算", "结算单")
    head.open(CENTRE)
    head.see("付字2号", "已结清")
