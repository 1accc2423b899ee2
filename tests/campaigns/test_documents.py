"""The campaign's paper as a Word file: its text once, its annex as a table, its office and day at the end."""

import io
from datetime import date

import pytest
from django.urls import reverse
from docx import Document

from campaigns.campaign_paper import campaign_paper
from campaigns.models import Campaign, Passage, Phase, SupervisionFocus
from institutions.official import Level


@pytest.fixture
def campaign(world) -> Campaign:
    county = world.county
    row = Campaign.objects.create(
        institution=county,
        supervisor=county,
        status="issued",
        name="质量提升年活动",
        title="示例区2023年国家基本公共卫生服务项目质量提升年活动实施方案",
        number="示卫健字〔2023〕13号",
        signer="局长",
        salutation="各有关医疗机构：",
        year=2023,
        issued_on=date(2023, 2, 28),
    )
    passages = (
        ("二、活动内容（一）动员部署阶段（2023年3月3日前）", "召开动员部署会。"),
        ("（二）整改落实阶段（2023年3月4日—3月31日）", "1. 对照问题清单逐项整改。"),
        ("（二）整改落实阶段", "2. 对档案进行起底式复核。"),
        ("（三）强化督导。", "每季度通报。"),
        ("", f"附件：辖区各机构督导重点内容\n{county.name}\n2023年2月28日"),
    )
    for position, (heading, text) in enumerate(passages, 1):
        Passage.objects.create(campaign=row, position=position, heading=heading, text=text)
    SupervisionFocus.objects.create(
        campaign=row, position=1, names="甲医院 乙医院", text="孕产妇建档和产前5次随访"
    )
    return row


@pytest.mark.row("A41", "A48")
def test_the_word_file_ends_with_office_and_day_and_bears_the_annex(world, campaign, log_in):
    client = log_in(world.posts.officer)
    address = reverse("campaigns:campaign_document", args=[campaign.pk])
    assert address in client.get(campaign.get_absolute_url()).content.decode()
    answer = client.get(address)
    assert answer.content == client.get(address).content
    word = Document(io.BytesIO(answer.content))
    texts = [p.text for p in word.paragraphs if p.text.strip()]
    assert texts[:2] == [f"{world.county.name}文件", "示卫健字〔2023〕13号\t签发人：局长"]
    end = texts.index("附件：辖区各机构督导重点内容")
    assert texts[end + 1 : end + 3] == [world.county.name, "2023年2月28日"]
    assert texts.count("2023年2月28日") == 1
    assert texts[end + 3 :] == ["附件", "辖区各机构督导重点内容"]
    table = word.tables[0]
    assert [c.text for c in table.rows[0].cells] == ["机构名称", "督导重点"]
    assert [c.text for c in table.rows[1].cells] == ["甲医院 乙医院", "孕产妇建档和产前5次随访"]


def test_headings_are_split_by_level_and_not_repeated(world, campaign):
    paper = campaign_paper(campaign, world.posts.officer)
    heads = [(block.level, block.head) for block in paper.body if block.head]
    assert heads == [
        (Level.FIRST, "二、活动内容"),
        (Level.SECOND, "（一）动员部署阶段（2023年3月3日前）"),
        (Level.SECOND, "（二）整改落实阶段（2023年3月4日—3月31日）"),
        (Level.SECOND, "（三）强化督导。"),
    ]


def test_phases_that_the_text_does_not_name_are_a_table(world, campaign):
    for position, name in enumerate(("动员部署阶段", "总结评估阶段"), 1):
        Phase.objects.create(
            campaign=campaign,
            institution=world.county,
            supervisor=world.county,
            position=position,
            name=name,
            ends=date(2023, 3, 3 * position),
        )
    annexes = campaign_paper(campaign, world.posts.officer).annexes
    assert [annex.title for annex in annexes] == ["辖区各机构督导重点内容", "阶段安排"]
    assert annexes[1].rows[1][1:3] == ("总结评估阶段", "2023年3月6日前")


def test_who_does_not_see_the_campaign_gets_no_file(world, campaign, log_in):
    address = reverse("campaigns:campaign_document", args=[campaign.pk])
    assert log_in(world.posts.far_officer).get(address).status_code == 404
