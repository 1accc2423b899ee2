"""The campaign of 2021 and its breakthrough items: handed out, handed in, judged, and followed to the end of the year."""

from datetime import date, timedelta

from campaigns import breakthrough
from campaigns.models import (
    BreakthroughItem,
    BreakthroughQuota,
    BreakthroughRound,
    BreakthroughSubmission,
    Campaign,
)
from campaigns.models.breakthrough import CRITERIA
from config.demo import chance
from config.demo.cast import Cast, rows
from config.demo.days import Year
from config.demo.other_papers import ZHOUCUN, PaperStory
from config.demo.papers import Papers
from institutions.models import Department, Post

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
PROGRESS = {label: value for value, label in BreakthroughItem.Progress.choices}


class BreakthroughStory:
    """Issues the paper of 2021 with its round, then lets units and departments hand in, the office judge, and the year pass."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers
        self.round = BreakthroughRound()
        self.paper = PaperStory(cast, year, papers, ZHOUCUN, units=UNITS)

    def plan(self) -> None:
        self.paper.then.append(self._set_up)
        self.paper.plan()
        self.year.on(ZHOUCUN.issued, self.issue, hour=11)

    def _set_up(self, campaign: Campaign) -> None:
        by = self.cast.post(ZHOUCUN.by)
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
