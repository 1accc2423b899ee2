"""The menu says where one is: on each entry's page, and on the pages opened from it."""

import pytest
from django.urls import NoReverseMatch, get_resolver, reverse

from config.context import BESIDE, MENU


def lit(page):
    """The labels of the menu's groups and entries that are current."""
    return [
        label
        for group in page.context["portal"].menu
        if group.current
        for label in (group.label, *(child.label for child in group.children if child.current))
    ]


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("scoring:payment_list", ["年终结算", "经费年度"]),
        ("scoring:award_list", ["年终结算", "经费年度"]),
        ("scoring:scenario_list", ["年终结算", "年终表"]),
        ("scoring:honesty_list", ["绩效评价", "评价"]),
        ("institutions:cooperation_list", ["机构人员", "服务能力"]),
        ("scoring:sheet_list", ["绩效评价", "评分表"]),
        ("campaigns:standard_list", ["绩效评价", "评价标准"]),
        ("campaigns:campaign_list", ["活动任务", "活动"]),
        ("campaigns:standard_create", ["绩效评价", "评价标准"]),
        ("home", ["工作台"]),
    ],
)
def test_the_menu_lights_where_one_is(world, log_in, name, where):
    assert lit(log_in(world.posts.officer).get(reverse(name))) == where


def test_every_beginning_named_is_that_of_a_page_with_no_path_below_its_entry():
    entries = {target for _, group, _ in MENU if isinstance(group, list) for _, target, _ in group}
    assert set(BESIDE) <= entries
    names = set()
    for space in ("", "campaigns", "supervision", "scoring", "institutions"):
        resolver = get_resolver() if not space else get_resolver().namespace_dict[space][1]
        names |= {
            f"{space}:{n}" if space else n for n in resolver.reverse_dict if isinstance(n, str)
        }
    for target, beginnings in BESIDE.items():
        for beginning in beginnings:
            found = [name for name in names if name.startswith(beginning)]
            assert found, f"no view is called {beginning}…"
            for name in found:
                try:
                    path = reverse(name)
                except NoReverseMatch:
                    continue
                assert not path.startswith(reverse(target)), name
