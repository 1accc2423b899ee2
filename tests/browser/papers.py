"""A short paper of the neighbouring county, registered, given to one centre and issued by real clicks.

Its bureau and centre take no part in the year of the first county, so that these walks disturb nothing there.
"""

from dataclasses import dataclass

from tests.browser.person import Person

UNIT = "邻区卫生院"
TEXT = """\
邻区卫生健康局文件

邻卫健字[2023]{number}号

{name}实施方案

各有关医疗机构：

决定开展{name}，制定方案如下。

一、活动内容

（一）动员部署阶段（2023年3月24日前）

各机构召开动员部署会，明确工作任务。

（二）整改落实阶段（2023年3月25日—4月30日前）

全部问题整改到位。

邻区卫生健康局

2023年3月17日
"""


@dataclass(frozen=True)
class Paper:
    name: str
    number: int

    @property
    def text(self) -> str:
        return TEXT.format(name=self.name, number=self.number)


def register(officer: Person, paper: Paper) -> None:
    """Read the paper in, keep its phases, and address it to the one centre."""
    officer.menu("活动任务", "活动")
    officer.open("登记活动")
    officer.fill("粘贴文件全文", paper.text)
    officer.press("读取文件")
    officer.fill("活动名称", paper.name)
    officer.fill("签发人", "局长")
    officer.press("登记为拟稿")
    officer.press("保存正文")
    officer.open("阶段", exact=True)
    officer.press("保存阶段")
    officer.see("已保存 2 个阶段")
    officer.open("主送机构", exact=True)
    officer.tick(UNIT)
    officer.press("加入所选")
    officer.see("已加入 1 个主送对象")
    officer.open("返回活动")


def issue(officer: Person) -> None:
    officer.move("印发")
    officer.see("已印发，主送机构可以签收了", "已签收0/1")
