"""What is followed and re-checked in 2023: figures month by month, the records of the centres until 100 %. All made up (示例)."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from campaigns import following, rechecking
from campaigns.models import Campaign, Census, Series
from campaigns.models.census import FAULTS
from campaigns.periods import Frequency, Period
from config.demo import chance
from config.demo.cast import CENTRES, Cast
from config.demo.days import Year
from institutions.models import Institution, Population, ServiceItem

STARTED = date(2023, 3, 6)
FAMILIES = (
    "重点人群签约",
    "家庭医生签约",
    "面访和上门服务",
    "健康积分",
    "三高共管六病同防",
    "老年人健康管理",
    "老年人查体经费来源",
    "健康档案应用",
    "双向转诊和远程服务",
)
# The unit that reports late, so that a list of who is missing has somebody in it.
LATE = "ZC-JKQ"
CENSUS_DAYS = (date(2023, 3, 10), date(2023, 3, 17), date(2023, 3, 24), date(2023, 3, 31))
CENSUS_ITEMS = ("01", "06", "07a", "07b")
DONE = (35, 62, 88, 100)


class FigureStory:
    """Follows the figures of the campaign and lets the centres report them; re-checks all records in March."""

    def __init__(self, cast: Cast, year: Year) -> None:
        self.cast, self.year = cast, year

    def plan(self) -> None:
        self.year.on(STARTED, self.follow, hour=9)
        self.year.on(STARTED, self.recheck, hour=10)

    # --- Figures ------------------------------------------------------------------------------------

    def follow(self) -> None:
        units = [self.cast.unit(code) for code in CENTRES]
        following.adopt(
            FAMILIES, by=self.cast.post("jifu"), starts=date(2023, 1, 1), institutions=units
        )
        first = STARTED + timedelta(days=1)
        periods = [Period(2023, 0, month) for month in range(1, 11)]
        periods += [Period(2023, quarter) for quarter in range(1, 4)]
        for period in periods:
            for code in CENTRES:
                if code == LATE and period in (Period(2023, 0, 10), Period(2023, 3)):
                    continue
                self.year.on(max(_after(period), first), lambda p=period, c=code: self.fill(c, p))

    def plan_elsewhere(self, centres: Sequence[str]) -> None:
        """Centres of other bureaux report the last month and quarter, so that their pages are not empty."""
        for period in (Period(2023, 0, 10), Period(2023, 3)):
            for code in centres:
                self.year.on(_after(Period(2023, 0, 10)), lambda p=period, c=code: self.fill(c, p))

    def fill(self, code: str, period: Period) -> None:
        unit = self.cast.unit(code)
        rows = following.owed(unit, period)
        people = _people(unit)
        given = {row.pk: _pair(row, unit, period, people) for row in rows}
        following.fill(unit, period, given, by=self.cast.worker(unit))

    # --- Records ------------------------------------------------------------------------------------

    def recheck(self) -> None:
        census = Census(
            bureau=self.cast.unit("ZC"),
            campaign=Campaign.objects.filter(number="周卫健字〔2023〕13号").first(),
            name="健康档案拉网式、起底式复核",
            text="对基本公共卫生信息系统档案逐份复核，清理迁出、死亡和重复档案，补齐空项，改正错误。",
            starts=date(2023, 3, 4),
            due=date(2023, 3, 31),
        )
        rechecking.save_census(
            census,
            by=self.cast.post("jifu"),
            items=[self.cast.items[code] for code in CENSUS_ITEMS],
            institutions=[self.cast.unit(code) for code in CENTRES],
        )
        for step, day in enumerate(CENSUS_DAYS):
            for code in CENTRES:
                for item in CENSUS_ITEMS:
                    self.year.on(
                        day,
                        lambda c=code, i=item, s=step: self.count(census, c, self.cast.items[i], s),
                    )

    def count(self, census: Census, code: str, item: ServiceItem, step: int) -> None:
        unit = self.cast.unit(code)
        people = _people(unit)
        total = {
            "01": people.residents,
            "06": people.elderly,
            "07a": people.hypertension,
            "07b": people.diabetes,
        }[item.code] or 0
        percent = DONE[step] - (12 if code == LATE else 0)
        checked = total * max(percent - chance.between(0, 4, code, item.code), 1) // 100
        if percent == 100:
            checked = total
        faulty = checked * chance.between(18, 42, code, item.code, "faulty") // 1000
        corrected = faulty * (100 if percent == 100 else percent - 10) // 100
        by = self.cast.worker(unit)
        mark = rechecking.seen(rechecking.last_of(census, unit, item))
        rechecking.report(
            census,
            unit,
            item,
            by=by,
            on=CENSUS_DAYS[step],
            numbers={
                "total": total,
                "checked": checked,
                "faulty": faulty,
                "corrected": corrected,
            },
            faults=_faults(faulty, code, item.code),
            mark=mark,
        )


def _after(period: Period) -> date:
    """Figures are reported in the first days after the period."""
    month = period.ends.month % 12 + 1
    return date(period.year + (month == 1), month, 3)


def _people(unit: Institution) -> Population:
    return Population.objects.get(institution=unit, year=2023)


def _pair(row: Series, unit: Institution, period: Period, people: Population):
    """Make up a figure that rises over the year towards, and past, its target."""
    groups = {"06": people.elderly, "07a": people.hypertension, "07b": people.diabetes}
    groups |= {"04": people.children, "05": people.pregnant}
    whole = groups.get(row.item.code if row.item else "", people.residents // 20) or 100
    month = period.ends.month
    if row.kind == Series.Kind.COUNT:
        base = 12 if row.frequency == Frequency.MONTH else 90
        number = chance.between(base, base * 3, unit.code, row.code, period.code) + month
        return Decimal(number), None
    if row.kind == Series.Kind.RATIO:
        teams = chance.between(4, 9, unit.code, "teams")
        return Decimal(teams * chance.between(1700, 2200, unit.code, period.code)), Decimal(teams)
    goal = int(row.target or 40)
    start = goal - chance.between(8, 26, unit.code, row.code)
    percent = min(max(start + month * 2, 5), 99)
    jitter = chance.between(-20, 20, unit.code, row.code, period.code)
    return Decimal(whole * (percent * 10 + jitter) // 1000), Decimal(whole)


def _faults(faulty: int, *words: object) -> dict[str, int]:
    """Split the faults over their categories; what is left over is 空项."""
    weights = {"迁出": 22, "死亡": 14, "重复": 9, "身份证错误": 11, "逻辑错误": 12}
    found = {
        name: faulty * (weight + chance.between(-3, 3, name, *words)) // 100
        for name, weight in weights.items()
    }
    found["空项"] = faulty - sum(found.values())
    return {name: found[name] for name in FAULTS if found.get(name)}
