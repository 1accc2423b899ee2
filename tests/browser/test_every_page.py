"""Every page of the menu for every role, at a desk and on a phone; dark colours, the keyboard, and no script at all.

Runs after the walks of the year, so that the lists have rows.
"""

from urllib.parse import urlsplit

import pytest

from tests.browser.person import DESKTOP, PHONE, People

pytestmark = pytest.mark.browser

ROLES = [
    "system",
    "security",
    "auditor",
    "leader",
    "officer2",
    "finance",
    "lead",
    "expert",
    "head2",
    "staff",
    "doctor",
    "street",
]
# The first rows of these lists are opened as well: what they show differs by role.
MAIN = {"officer2": DESKTOP, "head2": PHONE, "doctor": PHONE}


def menu_of(person) -> list[tuple[str, str]]:
    """The entries of the menu and where they lead."""
    links = person.page.locator("nav.menu a").all()
    return [(link.text_content().strip(), link.get_attribute("href")) for link in links]


@pytest.mark.parametrize("username", ROLES)
def test_each_page_of_the_menu_is_sound_at_a_desk_and_on_a_phone(stranger: People, username: str):
    person = stranger(username)
    entries = menu_of(person)
    assert entries[0][1] == "/"
    for screen in (DESKTOP, PHONE):
        person.resize(screen)
        for label, path in entries:
            person.go(path)
            assert urlsplit(person.page.url).path == path, label
            assert person.title()


@pytest.mark.parametrize("username", MAIN)
def test_the_first_row_of_each_list_opens(stranger: People, username: str):
    person = stranger(username, screen=MAIN[username])
    for _, path in menu_of(person):
        if path.startswith("/admin"):
            continue
        person.go(path)
        rows = person.page.locator("main table.stack tbody th").get_by_role("link")
        if rows.count():
            person.go(rows.first.get_attribute("href"))


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_main_pages_keep_their_contrast_in_the_dark(stranger: People, screen: dict):
    person = stranger("officer2", screen=screen, dark=True)
    person.go("/campaigns/")
    person.open_row()
    for path in (
        "/",
        "/campaigns/",
        "/supervision/rectifications/",
        "/supervision/rectifications/1/",
        "/supervision/visits/1/",
        "/scoring/evaluations/1/",
        "/scoring/sheets/1/",
        "/institutions/",
    ):
        person.go(path)


def test_the_admin_is_sound_too(stranger: People):
    person = stranger("system")
    for path in ("institution/", "institution/add/", "post/add/", "mandate/add/", "holiday/"):
        person.go(f"/admin/institutions/{path}")


def test_pages_that_are_missing_or_forbidden_say_so(stranger: People):
    doctor = stranger("doctor", screen=PHONE)
    with doctor.expecting(404):
        doctor.go("/supervision/rectifications/99999/")
        doctor.see("回到首页")
    with doctor.expecting(403):
        doctor.go("/events/")
        doctor.see("回到首页")


def test_the_keyboard_alone_is_enough(stranger: People):
    person = stranger()
    keys = person.page.keyboard

    def focused(what: str) -> str:
        return person.page.evaluate(f"document.activeElement.{what}")

    person.go("/login/")
    for _ in range(6):
        if focused("name") == "username":
            break
        keys.press("Tab")
    keys.type("doctor2")
    keys.press("Tab")
    assert focused("name") == "password"
    keys.type(person.password)
    with person.loading():
        keys.press("Enter")
    person.see("工作台")
    keys.press("Tab")
    assert focused("textContent") == "跳到正文"
    keys.press("Enter")
    assert focused("id") == "main"
    # The menu: its first drop-down opens by Enter, its first entry follows by Tab and Enter.
    person.page.locator("nav.menu summary").first.focus()
    keys.press("Enter")
    keys.press("Tab")
    with person.loading():
        keys.press("Enter")
    assert person.page.url.endswith("/campaigns/")


def test_without_script_a_rectification_is_signed_and_a_line_saved(
    people: People, stranger: People
):
    head = people("head")
    head.menu("督导整改", "问题清单")
    head.open("登记问题")
    head.fill("机构", "示例村卫生室二")
    head.fill("严重程度", "一般")
    head.fill("问题描述", "登记本没有签名")
    head.fill("发现日期", "2023-03-19")
    head.fill("整改时限（含当日）", "2023-04-28")
    head.press("登记并交办")
    head.menu("绩效评价", "评价")
    head.open("新建评价")
    head.fill("评价标准", "村卫生室")
    head.fill("季度", "第2季度")
    head.fill("开始", "2023-03-20")
    head.fill("自评截止（含当日）", "2023-04-20")
    head.fill("核定截止（含当日）", "2023-04-28")
    head.tick("示例村卫生室二", group="被评价机构")
    head.press("拟定评价")
    head.move("启动评价")

    doctor = stranger("doctor2", screen=PHONE, script=False)
    doctor.menu("督导整改", "整改台账")
    doctor.open("登记本没有签名")
    doctor.move("签收")
    doctor.see("已签收，请填写整改措施和责任人")
    doctor.menu("绩效评价", "评分表")
    doctor.open_row("第2季度")
    doctor.open("开始自评")
    line = doctor.page.locator("article.score-line").first
    line.get_by_label("是", exact=True).check()
    doctor.press("保存本条", inside=line)
    doctor.see("已保存：")
    assert doctor.page.locator("article.score-line").first.get_by_label("是").is_checked()
