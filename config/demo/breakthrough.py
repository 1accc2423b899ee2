"""The campaign of 2021 and its breakthrough items: handed out, handed in, judged, and followed to the end of the year."""

from datetime import date, timedelta

from campaigns import breakthrough, drafting, issuing
from campaigns.models import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
    Campaign,
    Passage,
    Phase,
)
from campaigns.models.breakthrough import CRITERIA
from config.demo import chance
from config.demo.cast import Cast, rows
from config.demo.days import Year
from config.demo.papers import Papers
from institutions.models import Department, Post

NUMBER = "周卫健字〔2021〕20号"
ISSUED = date(2021, 2, 26)
DUE = date(2021, 3, 12)
UNITS = (
    "ZC-RMYY",
    "ZC-FY",
    "ZC-CDC",
    "ZC-JD",
    "ZC-QNL",
    "ZC-JSB",
    "ZC-WC",
    "ZC-NJ",
    "ZC-BJ",
    "ZC-JKQ",
)
NAMED = ("ZC-RMYY", "ZC-FY", "ZC-CDC")
# Who writes for a department of the bureau; of the others nobody has handed in.
WRITERS = {
    "基妇科": "jifu",
    "医政医管与疾控监督科": "yizheng",
    "规划信息与财务审计科": "caiwu",
    "办公室": "bangong",
}
LATE = {"ZC-QNL": 3}  # working days after the day
RETURNED_ONCE = "ZC-CDC"
STILL_RETURNED = "ZC-NJ"
WAITING = {"ZC-JSB", "规划信息与财务审计科"}
STILL_OPEN = "ZC-JKQ"
WORDS = (
    (
        "三、组织保障（三）建立健全工作落实机制",
        "要紧密结合省市区委一系列重要决策部署和卫生健康工作实际，统筹协调，相互促进。每个科室、单位要结合各自工作"
        "实际制定具体突破事项，细化措施，明确时限，确保我区卫生健康服务水平和服务能力持续提升，不断满足人民群众对卫生"
        "健康服务的新要求。",
    ),
    (
        "附件：区卫生健康系统落实突破事项汇总表　注明",
        "区人民医院、区妇幼保健院、区疾控中心各填报 2-3 项，局机关各科室和其他单位各填报 1-2 项，事项内容要具体，"
        "可操作性强，要在某一方面与其他单位或我市其他先进区县相比有明显突破方面，请各科室、单位于 3 月 12 日前报局办公室"
        "公务邮箱。",
    ),
)
PROGRESS = {label: value for value, label in BreakthroughItem.Progress.choices}


class BreakthroughStory:
    """Issues the paper of 2021, then lets units and departments hand in, the office judge, and the year pass."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers
        self.round = BreakthroughRound()

    def plan(self) -> None:
        self.year.on(date(2021, 2, 24), self.draft, hour=9)
        self.year.on(ISSUED, self.issue, hour=10)

    def draft(self) -> None:
        by = self.cast.post("bangong")
        campaign = drafting.register(
            Campaign(
                name="医疗卫生服务建设推进年活动",
                title="关于印发《周村区医疗卫生服务建设推进年活动实施方案》的通知",
                number=NUMBER,
                year=2021,
                issued_on=ISSUED,
                signer="局长",
                salutation="系统各单位，局机关相关科室：",
                goals="补短板、强弱项，抓基础、促提升；着力提升全区医疗卫生服务能力和水平。",
            ),
            by=by,
        )
        lines = [drafting.Line(heading, text) for heading, text in WORDS]
        drafting.write_passages(campaign, lines, by=by, version=campaign.version)
        phase = Phase(name="全年推进", starts=ISSUED, ends=date(2021, 12, 31))
        drafting.save_phases(campaign, [phase], [], by=by, version=campaign.version)
        units = [self.cast.unit(code) for code in UNITS]
        issuing.address(campaign, units, by=by, version=campaign.version)
        for passage in Passage.objects.filter(campaign=campaign):
            drafting.link_passage(
                passage,
                by=by,
                version=campaign.version,
                phases=[],
                tasks=[],
                focuses=[],
                standards=[],
                became="突破事项填报",
                nothing="",
            )
            campaign.refresh_from_db(fields=["version"])
        self._set_up(campaign, by)

    def _set_up(self, campaign: Campaign, by: Post) -> None:
        sorts = BreakthroughQuota.Sort
        departments = list(Department.objects.filter(institution=by.institution))
        self.round = breakthrough.set_up(
            BreakthroughRound(
                campaign=campaign,
                name="区卫生健康系统落实突破事项",
                due=DUE,
                receiver="局办公室公务邮箱",
            ),
            [
                breakthrough.Quota(sorts.NAMED, 2, 3, [self.cast.unit(code) for code in NAMED]),
                breakthrough.Quota(sorts.DEPARTMENTS, 1, 2, departments=departments),
                breakthrough.Quota(sorts.OTHERS, 1, 2),
            ],
            by=by,
        )

    def issue(self) -> None:
        campaign = Campaign.objects.get(pk=self.round.campaign_id)
        issuing.issue(campaign, by=self.cast.post("juzhang"), version=campaign.version)
        for code in UNITS:
            unit = self.cast.unit(code)
            self.year.on(
                ISSUED,
                lambda unit=unit: issuing.receive(campaign, by=self.cast.worker(unit)),
                hour=chance.between(11, 16, code, "2021"),
            )
        self.round.refresh_from_db()
        made = breakthrough.issue(
            self.round, by=self.cast.post("bangong"), version=self.round.version
        )
        for submission in made:
            if self._lines(submission):
                day = DUE - timedelta(days=chance.between(1, 6, str(submission)))
                if submission.institution.code in LATE:
                    day = DUE + timedelta(days=LATE[submission.institution.code])
                self.year.on(day, lambda s=submission: self.write(s))

    @staticmethod
    def _key(submission: BreakthroughSubmission) -> str:
        department = submission.department
        return department.name if department else submission.institution.code

    def _lines(self, submission: BreakthroughSubmission) -> list[dict[str, str]]:
        key = self._key(submission)
        return [row for row in rows("breakthroughs") if (row["科室"] or row["单位"]) == key]

    def _writer(self, submission: BreakthroughSubmission) -> Post:
        if submission.department:
            return self.cast.post(WRITERS[submission.department.name])
        return self.cast.worker(submission.institution)

    def _reviewer(self, submission: BreakthroughSubmission) -> Post:
        """The office judges all but its own."""
        return self.cast.post("jifukz" if self._key(submission) == "办公室" else "bangong")

    def write(self, submission: BreakthroughSubmission) -> None:
        by = self._writer(submission)
        submission.refresh_from_db()
        for row in self._lines(submission):
            item = BreakthroughItem(
                submission=submission,
                name=row["突破事项名称"],
                content=row["具体内容"],
                measures=row["措施"].replace("；", "；\n"),
                due=date.fromisoformat(row["完成时限"]),
                person=row["分管责任人"],
                office=row["责任科室"],
            )
            breakthrough.save_item(item, by=by, version=submission.version)
        if self._key(submission) != STILL_OPEN:
            self.submit(submission)

    def submit(self, submission: BreakthroughSubmission, *, again: bool = False) -> None:
        submission.refresh_from_db()
        submission.submit(by=self._writer(submission), version=submission.version)
        key = self._key(submission)
        if key in WAITING:
            return
        refused = key in (RETURNED_ONCE, STILL_RETURNED) and not again
        self.year.after(2, lambda: self.judge(submission, refused=refused))

    def judge(self, submission: BreakthroughSubmission, *, refused: bool) -> None:
        submission.refresh_from_db()
        by = self._reviewer(submission)
        opinion = "请写明具体目标数字和与其他单位相比突破在哪里" if refused else ""
        said = {
            **dict.fromkeys(CRITERIA, True),
            "specific": not refused,
            "ahead": not refused,
            "opinion": opinion,
        }
        verdicts = {item.pk: said for item in submission.items.all()}
        breakthrough.judge(submission, verdicts, by=by, version=submission.version)
        if refused:
            submission.send_back(by=by, version=submission.version, note=opinion)
            if self._key(submission) != STILL_RETURNED:
                self.year.after(2, lambda: self.submit(submission, again=True))
            return
        submission.accept(by=by, version=submission.version)
        told = {row["突破事项名称"]: row for row in self._lines(submission)}
        for item in submission.items.all():
            row = told[item.name]
            if row["进展"]:
                day = date.fromisoformat(row["进展日期"])
                self.year.on(day, lambda i=item, r=row: self.follow(i, r))

    def follow(self, item: BreakthroughItem, row: dict[str, str]) -> None:
        item.refresh_from_db()
        submission = BreakthroughSubmission.objects.get(pk=item.submission_id)
        item.submission = submission
        evidence = []
        if submission.department is None and row["进展"] == "已完成":
            evidence = [self.papers.paper(submission.institution, "突破事项")]
        breakthrough.save_progress(
            item,
            by=self._writer(submission),
            version=submission.version,
            progress=PROGRESS[row["进展"]],
            text=row["进展情况"],
            delay_reason=row["逾期原因"],
            files=evidence,
        )
