"""The daily 催办 of the year, and its penalties and rewards: proposed by the office, decided by the leaders."""

from datetime import date, timedelta
from decimal import Decimal

from config.demo.cast import Cast
from config.demo.days import Year
from config.demo.papers import Papers
from scoring import booking
from supervision import reminding, sanctioning
from supervision.models import Sanction

Kind = Sanction.Kind
FIRST = date(2023, 3, 6)
# day, unit, kind, what is known of it; decided three working days later, but for the last.
PROPOSALS = (
    (
        date(2023, 4, 24),
        "ZC-JKQ",
        Kind.CRITICISM,
        {"reason": "2022年度问题逾期未整改到位，且一季度督导再次发现同类问题（示例）。"},
    ),
    (
        date(2023, 5, 8),
        "ZC-JKQ",
        Kind.DEADLINE,
        {
            "reason": "通报后仍有问题未销号，责令限期整改（示例）。",
            "due": date(2023, 5, 31),
        },
    ),
    (
        date(2023, 6, 12),
        "ZC-JKQ",
        Kind.CUT,
        {
            "reason": "限期整改期满仍有问题未整改到位（示例）。",
            "points": Decimal("1.00"),
        },
    ),
    (
        date(2023, 6, 12),
        "ZC-JKQ",
        Kind.ACCOUNTABILITY,
        {
            "reason": "对问题整改重视不够、推进迟缓（示例）。",
            "grounds": "工作落实不力",
            "person": "分管副主任",
        },
    ),
    (
        date(2023, 7, 20),
        "ZC-WC",
        Kind.COMMENDATION,
        {
            "reason": "承办全区现场会，档案管理做法在全区推广（示例）。",
            "grounds": "活动中表现突出",
        },
    ),
    (
        date(2023, 11, 16),
        "ZC-QNL",
        Kind.REWARD,
        {
            "reason": "健康积分做法被市级推广，群众满意度居全区前列（示例）。",
            "grounds": "群众口碑较好",
            "amount": Decimal("20000.00"),
        },
    ),
)
LEFT_OPEN = {Kind.REWARD}


class SanctionStory:
    """Reminds on every working day, and lets the ladder be climbed at one unit and two be rewarded."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers

    def plan(self) -> None:
        day = FIRST
        while day <= self.year.until:
            if day.weekday() < 5:
                self.year.on(day, reminding.remind, hour=6)
            day += timedelta(days=1)
        for day, code, kind, known in PROPOSALS:
            self.year.on(day, lambda c=code, k=kind, w=known: self._propose(c, k, w))

    def _propose(self, code: str, kind: str, known: dict) -> None:
        unit = self.cast.unit(code)
        row = sanctioning.propose(
            unit,
            by=self.cast.post("jifu"),
            kind=kind,
            year=2023,
            files=[self.papers.paper(unit, "督导通报")],
            **known,
        )
        if kind not in LEFT_OPEN:
            self.year.after(3, lambda: self._decide(row))

    def _decide(self, row: Sanction) -> None:
        row.refresh_from_db()
        booking.decide(
            row, by=self.cast.post("fenguan"), version=row.version, note="情况属实，同意。"
        )
