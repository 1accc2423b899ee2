"""A pasted paper is read: head, passages, phases, the table."""

from datetime import date

import pytest

from campaigns.passages import named_in, normal_number, period, phase_name, read_paper
from tests.campaigns.papers import PAPER


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("周卫健字[2023]13号", "周卫健字〔2023〕13号"),
        ("周卫健字〔2023〕13号", "周卫健字〔2023〕13号"),
        (" 示卫发（2021） 020 号 ", "示卫发〔2021〕20号"),
        ("示卫发【２０２１】２号", "示卫发〔2021〕2号"),
    ],
)
def test_a_number_is_kept_with_the_brackets_of_the_standard(typed, kept):
    assert normal_number(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "2023年13号", "周卫健字2023-13", "〔2023〕13号", "字〔23〕1号"]
)
def test_what_is_no_number_is_refused_with_an_example(typed):
    with pytest.raises(ValueError, match="文号要写成"):
        normal_number(typed)


def test_the_head_is_read():
    paper = read_paper(PAPER)
    assert paper.number == "示卫健字〔2023〕7号"
    assert paper.title == "示例区2023年基本公共卫生服务提升活动实施方案"
    assert paper.salutation == "各有关医疗机构："
    assert paper.issued_on == date(2023, 2, 28)


def test_the_text_is_cut_by_its_headings():
    parts = read_paper(PAPER).parts
    assert [part.heading or part.text[:6] for part in parts] == [
        "为做好基本公",
        "一、目标要求",
        "二、活动内容",
        "（一）动员部署阶段（2023年3月3日前）",
        "（二）整改落实阶段（2023年3月4日—3月31日前）",
        "1. 各机构",
        "2. 对档案",
        "（三）质量提升阶段（2023年4月1日—11月30日前）",
        "1. 提高重",
        "三、组织保障",
        "（一）强化组织领导。",
    ]
    assert parts[3].text == "制定方案，召开会议。各医疗机构分别召开动员部署会。"
    assert parts[10].text == "实行班子成员挂包制，督导重点见附件。"
    assert next(part.heading for part in parts if part.is_title) == "二、活动内容"


def test_lines_cut_by_a_page_break_are_joined():
    parts = read_paper(PAPER).parts
    assert parts[1].text.endswith("推动各机构管理水平不断提高。")
    assert parts[8].text == "1. 提高重点人群的健康管理率。"


def test_an_age_span_is_no_numbered_passage():
    assert read_paper(PAPER).parts[6].text.endswith("0-6岁儿童、老年人为重点。")


def test_the_table_of_the_annex_is_read():
    focuses = read_paper(PAPER).focuses
    assert len(focuses) == 3
    assert focuses[0] == ("市中医医院 区人民医院", "孕产妇建档和产前 5 次随访")


@pytest.mark.parametrize(
    ("heading", "span"),
    [
        ("（一）动员部署阶段（2023年3月3日前）", (None, date(2023, 3, 3))),
        ("（二）整改（2023年3月4日—3月31日前）", (date(2023, 3, 4), date(2023, 3, 31))),
        ("（2023年12月1日至2024年1月31日）", (date(2023, 12, 1), date(2024, 1, 31))),
        ("（2023年2月30日前）", None),
        ("（3月3日前）", None),
        ("一、目标要求", None),
    ],
)
def test_the_days_of_a_phase_are_read_from_its_heading(heading, span):
    assert period(heading) == span


def test_a_phase_is_named_without_number_and_days():
    assert phase_name("（一）动员部署阶段（2023年3月3日前）") == "动员部署阶段"


def test_institutions_are_found_in_a_cell_longest_name_first():
    known = {"区人民医院": 1, "市中医医院": 2, "大街社区卫生服务中心": 3, "中心": 9, "人民医院": 8}
    assert named_in("市中医医院 区人民医院", known) == [2, 1]
    assert named_in("区妇幼保健院 (大街社区卫生服务中心)", known) == [3]
    assert named_in("没有谁", known) == []


@pytest.mark.parametrize("text", ["", "\n\n", "只有一句话", "附件：", "：", "一、\n二、", "\ufeff"])
def test_any_text_can_be_read(text):
    read_paper(text)
