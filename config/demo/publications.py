"""What the bureau shows to everybody, and two objections: one answered, one still to be. All made up (示例)."""

from datetime import date
from uuid import NAMESPACE_URL, uuid5

from campaigns import disclosing
from campaigns.models import Objection, Publication
from config.demo.campaign import CampaignStory
from config.demo.cast import Cast
from config.demo.days import Year
from scoring.result_tables import sources, take_table

FLOW = """一、动员部署：各机构学习方案，制定本单位推进计划。
二、自查整改：对照问题清单逐条整改，按季开展自评。
三、督导评价：区卫生健康局会同区疾控中心、区妇幼保健院等单位现场督导，按季核定得分。
四、总结提升：年终汇总得分，结果公示后用于经费拨付。
欢迎社会各界和居民监督（示例）。"""
RESULT = """三季度基本公共卫生服务项目评价已经完成，各机构得分率和名次见附表。对结果有异议的，请在公示期内提出（示例）。"""
PRAISE = (
    """在质量提升年活动中，王村镇中心卫生院推进问题整改行动快、效果好，予以通报表扬（示例）。"""
)
SAID = (
    (date(2023, 11, 14), "附表里只有得分率，请说明各机构按什么标准评分（示例）。"),
    (date(2023, 11, 16), "希望把村卫生室的得分也公开（示例）。"),
)
ANSWER = (
    "评分依据是本年度区级评价标准，条款和分值各机构可在系统内查看，公开版将随下次公示附上（示例）。"
)


class PublicationStory:
    """Lives through what is published: drafted by the office, decided by the leader in charge, heard about by the public."""

    def __init__(self, cast: Cast, year: Year, story: CampaignStory) -> None:
        self.cast, self.year, self.story = cast, year, story

    def plan(self) -> None:
        self.year.on(
            date(2023, 3, 7), lambda: self.draft("flow", "质量提升年活动流程", FLOW), hour=10
        )
        self.year.on(
            date(2023, 9, 5),
            lambda: self.draft("commendation", "关于表扬问题整改先进单位的通报", PRAISE),
            hour=10,
        )
        self.year.on(date(2023, 11, 10), self.result, hour=10)
        for number, (day, text) in enumerate(SAID):
            self.year.on(day, lambda n=number, text=text: self.hear(n, text), hour=15)

    def draft(self, kind: str, title: str, text: str, workdays: int | None = None) -> Publication:
        by = self.cast.post("jifu")
        row = Publication(
            kind=kind, title=title, text=text, workdays=workdays, campaign=self.story.campaign
        )
        disclosing.save_publication(row, by=by)
        self.year.after(1, lambda: self.decide(row))
        return row

    def result(self) -> None:
        by = self.cast.post("jifu")
        row = self.draft("result", "三季度评价结果公示", RESULT, workdays=7)
        ranked = next(value for value, _ in sources(row, by) if value.startswith("evaluation"))
        disclosing.set_table(row, take_table(row, ranked, by=by), by=by, version=row.version)

    def decide(self, row: Publication) -> None:
        disclosing.submit(row, by=self.cast.post("jifu"), version=row.version)
        disclosing.publish(row, by=self.cast.post("fenguan"), version=row.version)

    def hear(self, number: int, text: str) -> None:
        row = Publication.objects.get(kind="result")
        heard = disclosing.receive(
            row,
            key=uuid5(NAMESPACE_URL, text),
            address="192.0.2.1",
            text=text,
            name="某居民（示例）" if number else "",
        ).objection
        if not number:
            self.year.after(2, lambda: self.answer(heard))

    def answer(self, heard: Objection) -> None:
        disclosing.reply(heard, by=self.cast.post("jifu"), version=heard.version, answer=ANSWER)
