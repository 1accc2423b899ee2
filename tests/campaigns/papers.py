"""A short made-up paper in the form of the districts' papers, and plain functions that make campaigns."""

from datetime import date

from campaigns.models import Campaign, Phase, Recipient, Report, SupervisionFocus, Task

PAPER = """示例区卫生健康局文件

示卫健字[2023]7号

签发人：局长

示例区 2023 年基本公共卫生 服务提升活动实施方案

各有关医疗机构：

为做好基本公共卫生服务，经研究决定，在全区开展提升活动，制定方案如下。

一、目标要求

以省市绩效评价反馈问题整改为切入点，以提高群众满意度为目标，推动

各机构管理水平不断提高。

二、活动内容

（一）动员部署阶段（2023年3月3日前）

制定方案，召开会议。各医疗机构分别召开动员部署会。

（二）整改落实阶段（2023年3月4日—3月31日前）

1. 各机构对照2022年度问题清单逐项整改。

2. 对档案进行复核，0-6岁儿童、老年人为重点。

（三）质量提升阶段（2023年4月1日—11月30日前）

1. 提高重点人群的健

康管理率。

三、组织保障

（一）强化组织领导。实行班子成员挂包制，督导重点见附件。

附件：各机构督导重点内容

示例区卫生健康局

2023年2月28日

附件：

各机构督导重点内容

机构名称\t督导重点
市中医医院 区人民医院\t孕产妇建档和产前 5 次随访
区妇幼保健院 (大街社区卫生服务中心)\t牵头妇幼项目；组织指导辖区服务站项目的实施。
青年路社区卫生服务中心、王村镇中心卫生院\t组织指导辖区卫生室国家基本公共卫生服务项目的实施。
"""


def draft(world, **more) -> Campaign:
    """A draft with one phase, recipients and a task for both centres."""
    county = world.county
    fields = {
        "name": "质量提升活动",
        "title": "质量提升活动实施方案",
        "number": "示卫健字〔2023〕13号",
        "year": 2023,
        "issued_on": date(2023, 2, 28),
        **more,
    }
    row = Campaign.objects.create(
        institution=county, supervisor=county, author=world.posts.officer, **fields
    )
    phase = Phase.objects.create(
        campaign=row,
        institution=county,
        supervisor=county,
        position=1,
        name="动员部署阶段",
        ends=date(2023, 3, 3),
    )
    for unit in (world.centre, world.other_centre, world.maternal):
        Recipient.objects.create(campaign=row, institution=unit)
    task = Task.objects.create(
        campaign=row,
        phase=phase,
        position=1,
        name="召开动员部署会",
        kind=Task.Kind.ORGANISATION,
        done_by=Task.DoneBy.FILE,
        due=date(2023, 3, 3),
    )
    task.institutions.set([world.centre, world.other_centre])
    focus = SupervisionFocus.objects.create(
        campaign=row, position=1, names="青年路社区卫生服务中心、王村镇中心卫生院", text="组织指导"
    )
    focus.institutions.set([world.centre, world.other_centre])
    return row


def issued(world, **more) -> Campaign:
    from campaigns.issuing import issue

    row = draft(world, **more)
    issue(row, by=world.posts.officer, version=row.version)
    return row


def report_of(campaign: Campaign, institution) -> Report:
    return Report.objects.get(task__campaign=campaign, institution=institution)
