"""Notices of 2023: a 通报 a quarter, some demands and feedback, one clearance; most are received, one is still a draft."""

from collections.abc import Iterable
from datetime import date

from config.demo import chance
from config.demo.cast import Cast
from config.demo.days import Year
from config.demo.papers import Papers
from config.demo.sheets import CALENDAR
from institutions.models import Post
from scoring.bulletins import evaluation_bulletin
from scoring.models import Evaluation
from supervision import composing, noticing
from supervision.models import Notice, Rectification, SupervisionRound, Visit

WORDS = {"ZC": "周卫健督", "ZC-WC": "王卫督"}
DEMANDED = ("ZC-BJ", "ZC-JKQ")
FED_BACK = ("ZC-WC", "ZC-NJ")
CLEARED = "ZC-WC"
MOST = 4  # rectifications on one paper
SLOW = "ZC-JKQ"  # has not confirmed the last ones


class NoticeStory:
    """Writes from what the other stories have left behind by that day."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers

    def plan(self) -> None:
        for quarter in (1, 2, 3):
            self.year.on(CALENDAR[quarter][3], lambda q=quarter: self.bulletin(q), hour=15)
        self.year.on(date(2023, 9, 22), self.feed_back, hour=14)
        self.year.on(date(2023, 10, 20), self.clear, hour=10)
        self.year.on(date(2023, 11, 8), self.demand, hour=10)
        self.year.on(date(2023, 11, 9), self.demand_of_clinic, hour=10)
        self.year.on(date(2023, 11, 17), self.round_draft, hour=16)

    def bulletin(self, quarter: int) -> None:
        by = self.cast.post("jifukz")
        evaluation = Evaluation.objects.select_related("supervisor", "standard", "campaign").get(
            year=2023, quarter=quarter, institution=by.institution
        )
        self._send(evaluation_bulletin(evaluation, by=by), by=by, signer="juzhang")

    def feed_back(self) -> None:
        by = self.cast.post("jifu")
        for code in FED_BACK:
            visit = (
                Visit.objects.filter(
                    institution__code=code, supervisor=by.institution, round__quarter=3
                )
                .exclude(status__in=("planned", "cancelled"))
                .select_related("institution", "round__campaign", "lead")
                .first()
            )
            if visit:
                self._send(composing.feedback(visit, by=by), by=by, signer="juzhang")

    def clear(self) -> None:
        by = self.cast.post("jifukz")
        rows = self._rectifications(CLEARED, by, status="closed")
        if rows:
            self._send(composing.clearance(rows, by=by), by=by, signer="juzhang")

    def demand(self) -> None:
        by = self.cast.post("jifu")
        for code in DEMANDED:
            rows = self._rectifications(code, by, status__in=Rectification.WITH_INSTITUTION)
            if rows:
                self._send(composing.demand(rows, by=by), by=by, signer="juzhang")

    def demand_of_clinic(self) -> None:
        """A centre writes to its clinic in its own name."""
        by = self.cast.head(self.cast.unit("ZC-WC"))
        for clinic in self.cast.below("ZC-WC"):
            rows = self._rectifications(clinic.code, by, status__in=Rectification.WITH_INSTITUTION)
            if rows:
                self._send(composing.demand(rows, by=by), by=by, signer="wangcun")
                return

    def round_draft(self) -> None:
        """The round of the fourth quarter is told of in a draft that waits for its issue."""
        by = self.cast.post("jifukz")
        rounds = SupervisionRound.objects.select_related("supervisor", "campaign").filter(
            supervisor=by.institution, year=2023, quarter=4, type="quarterly"
        )
        round_ = rounds.first()
        if round_ is None or not round_.visits.exclude(status__in=("planned", "cancelled")):
            return
        notice = noticing.draft(composing.round_bulletin(round_, by=by), by=by)
        self._word(notice)

    def _rectifications(self, code: str, by: Post, **chosen) -> list[Rectification]:
        rows = Rectification.objects.filter(
            institution__code=code, supervisor=by.institution, **chosen
        ).select_related("institution", "item", "problem__campaign", "verifier")
        return list(rows.order_by("due", "pk")[:MOST])

    def _word(self, notice: Notice) -> None:
        Notice.objects.filter(pk=notice.pk).update(word=WORDS[notice.institution.code])
        notice.refresh_from_db()

    def _send(self, content: noticing.Draft, *, by: Post, signer: str) -> None:
        notice = noticing.draft(content, by=by)
        self._word(notice)
        noticing.issue(notice, by=self.cast.post(signer), version=notice.version)
        self.papers.stored.append(notice.paper)
        codes = notice.recipients.values_list("institution__code", flat=True)
        self._receive(notice, sorted(codes))

    def _receive(self, notice: Notice, codes: Iterable[str]) -> None:
        for code in codes:
            if code == SLOW and notice.issued_on and notice.issued_on >= date(2023, 10, 1):
                continue
            head = self.cast.head(self.cast.unit(code))
            wait = chance.between(1, 4, "notice", notice.title, code)
            self.year.after(wait, lambda h=head: self._sign(notice, h.user.username))

    def _sign(self, notice: Notice, username: str) -> None:
        noticing.receive(notice, by=self.cast.post(username))
