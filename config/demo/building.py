"""Filling the empty database: the ground at once, then the year deed by deed; all of it or nothing."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F

from config.demo import people, units
from config.demo.breakthrough import BreakthroughStory
from config.demo.campaign import CampaignStory
from config.demo.capability import CapabilityStory
from config.demo.cast import TODAY, YESTERDAY, Cast
from config.demo.checks import CheckStory
from config.demo.days import Year
from config.demo.figures import FigureStory
from config.demo.loop import LoopStory
from config.demo.money import MoneyStory
from config.demo.neighbour import NeighbourStory
from config.demo.notices import NoticeStory
from config.demo.other_papers import OtherBureaux
from config.demo.papers import Papers
from config.demo.planning import PlanningStory
from config.demo.plans import PlanStory
from config.demo.publications import PublicationStory
from config.demo.resources import ResourceStory
from config.demo.sanctions import SanctionStory
from config.demo.sheets import SheetStory
from config.demo.targets import TargetStory
from config.demo.trying import TryingStory
from config.demo.visits import VisitStory
from config.demo.year import YearStory
from institutions import clock
from institutions.models import Installation, Notification


def build() -> Iterator[str]:
    """Build the demo and say what is being done, line by line."""
    yield "机构、人员……"
    papers: Papers | None = None
    try:
        with transaction.atomic():
            Installation.mark_demo()
            set_on = clock.today()
            with clock.at(people.STARTED):
                units.build()
                people.build(password_set_on=set_on)
            cast = Cast()
            papers = Papers(cast)
            # Lived through first, by itself: what is drawn for 2023 does not depend on it.
            first = Year(until=date(2019, 12, 31))
            others = OtherBureaux(cast, first, papers)
            others.plan()
            CapabilityStory(cast, first, papers).plan()
            earlier = Year(until=date(2021, 12, 31))
            of_2021 = BreakthroughStory(cast, earlier, papers)
            of_2021.plan()
            year = Year(until=YESTERDAY)
            story = CampaignStory(cast, year, papers)
            story.plan()
            PlanStory(cast, year, papers, story).plan()
            sheets = SheetStory(cast, year, papers)
            sheets.plan()
            visits = VisitStory(cast, year, papers)
            visits.plan()
            NeighbourStory(cast, year, sheets, visits.rectifying).plan()
            YearStory(cast, year, papers, sheets).plan()
            figures = FigureStory(cast, year)
            figures.plan()
            SanctionStory(cast, year, papers).plan()
            TargetStory(cast, year).plan()
            PlanningStory(cast, year, visits).plan()
            NoticeStory(cast, year, papers).plan()
            LoopStory(cast, year, visits.rectifying).plan()
            ResourceStory(cast, year, papers).plan()
            CheckStory(cast, earlier, year, story).plan()
            TryingStory(cast, year).plan()
            MoneyStory(cast, year).plan()
            PublicationStory(cast, year, story).plan()
            # Its targets and figures are followed on: what its passages became is complete only now.
            year.on(date(2023, 3, 21), of_2021.paper.link)
            figures.plan_elsewhere(others.centres)
            yield "2018、2019年其他地区的活动……"
            done = first.live()
            yield "2021年的活动、突破事项……"
            done += earlier.live()
            yield "2023年的活动、督导、整改、评价……"
            done += year.live()
    except BaseException:
        Installation._demo = None
        for file in papers.stored if papers else []:
            file.path.unlink(missing_ok=True)
        raise
    _read_old_notes()
    yield f"示例数据已生成，共经历 {done} 件事。账号：manage.py demo --accounts"


def _read_old_notes() -> None:
    """What is older than a week has been read: the bell shows what is new."""
    with clock.at(TODAY):
        week = clock.now() - timedelta(days=7)
    old = Notification.objects.filter(created_at__lt=week, read_at__isnull=True)
    old.update(read_at=F("created_at"))
