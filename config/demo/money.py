"""The way of the money in the demo: 2022 settled, published, objected to, confirmed and partly paid; work of 2023; one split inside a unit.

All figures are made up (示例); persons are posts.
"""

from datetime import date
from decimal import Decimal

from config.demo import chance
from config.demo.cast import Cast
from config.demo.days import Year
from institutions import clock
from institutions.models import StaffMember
from scoring import allocating, declaring, distributing, funding, settling
from scoring.models import Settlement, StaffShare, Workload, WorkloadReport, WorkUnit

CENTRE = "ZC-WC"
SMALL = "ZC-QNL"
PRICES = {
    "DA-01": "10.00",
    "DA-02": "3.00",
    "ET-01": "25.00",
    "YC-01": "35.00",
    "LN-01": "150.00",
    "GX-01": "12.00",
    "TN-01": "12.00",
    "JS-01": "20.00",
    "ZY-01": "10.00",
    "XG-01": "30.00",
}


class MoneyStory:
    """Settles 2022 as a county does, and follows the work of 2023 down to the person."""

    def __init__(self, cast: Cast, year: Year) -> None:
        self.cast, self.year = cast, year

    def plan(self) -> None:
        on = self.year.on
        on(date(2023, 1, 30), self.draw_up, hour=9)
        on(date(2023, 1, 31), self.publish, hour=9)
        on(date(2023, 2, 2), self.object, hour=15)
        on(date(2023, 2, 3), self.answer, hour=10)
        on(date(2023, 2, 16), self.confirm, hour=9)
        on(date(2023, 2, 20), self.pay, hour=10)
        on(date(2023, 2, 24), self.top_up, hour=10)
        on(date(2023, 4, 18), self.date_prepayments, hour=15)
        on(date(2023, 10, 9), self.call_work, hour=9)
        # After the services of the year are listed (config/demo/year.py, 6 November).
        on(date(2023, 11, 8), self.declare, hour=14)
        on(date(2023, 11, 10), self.verify, hour=10)
        on(date(2023, 11, 13), self.split_to_clinics, hour=10)
        on(date(2023, 11, 14), self.split_to_staff, hour=10)

    # 2022

    def _sheets(self) -> list[Settlement]:
        rows = Settlement.objects.filter(supervisor=self.cast.unit("ZC"), year=2022)
        return list(rows.with_all().order_by("institution__code"))

    def draw_up(self) -> None:
        settling.prepare(self.cast.unit("ZC"), 2022, by=self.cast.post("caiwu"))

    def publish(self) -> None:
        settling.move_all("publish", self.cast.unit("ZC"), 2022, by=self.cast.post("caiwu"))

    def object(self) -> None:
        row = next(one for one in self._sheets() if one.institution.code == SMALL)
        head = self.cast.head(self.cast.unit(SMALL))
        reason = "2022年12月预拨少到账800元，请核对银行回单（示例）。"
        settling.object_to(row, by=head, reason=reason)

    def answer(self) -> None:
        for row in self._sheets():
            for objection in row.objections.filter(status="submitted"):
                settling.uphold(
                    objection,
                    by=self.cast.post("caiwu"),
                    version=objection.version,
                    note="经核对银行回单，情况属实，予以更正（示例）。",
                    correction=Decimal("800.00"),
                )

    def confirm(self) -> None:
        settling.move_all("confirm", self.cast.unit("ZC"), 2022, by=self.cast.post("juzhang"))

    def pay(self) -> None:
        """All but one are paid in full; the last is waiting for its second half."""
        by = self.cast.post("caiwu")
        payable = [row for row in self._sheets() if row.status == "confirmed" and row.due > 0]
        for number, row in enumerate(payable, start=1):
            last = number == len(payable)
            amount = (row.due / 2).quantize(Decimal(1)) if last else row.due
            settling.pay(
                row,
                by=by,
                day=clock.today(),
                amount=amount,
                voucher=f"示例付字{number:03d}号",
            )

    def top_up(self) -> None:
        by = self.cast.post("caiwu")
        for row in self._sheets():
            owed = row.result.top_up
            if owed <= 0:
                continue
            part = (owed * 6 / 10).quantize(Decimal(1))
            funding.enter(
                row.institution,
                by=by,
                year=2022,
                kind="top_up",
                payer="county",
                day=clock.today(),
                amount=part,
                voucher=f"示例财补{row.institution.code}",
            )

    # 2023

    def date_prepayments(self) -> None:
        """What the year has prepaid is given its day and voucher."""
        by = self.cast.post("caiwu")
        for code in (SMALL, CENTRE):
            unit = self.cast.unit(code)
            total = unit.prepayments.get(year=2023).amount
            funding.enter(
                unit,
                by=by,
                year=2023,
                kind="prepaid",
                day=clock.today(),
                amount=total,
                voucher=f"示例预拨{code}",
                in_total=True,
            )

    def call_work(self) -> None:
        due = date(2023, 10, 31)
        declaring.call(by=self.cast.post("jifu"), year=2023, quarter=3, due=due)
        centre = self.cast.head(self.cast.unit(CENTRE))
        declaring.call(by=centre, year=2023, quarter=3, due=due)

    def declare(self) -> None:
        """The clinics of one centre, whose numbers are there, hand them in; so does one centre of its own."""
        units = list(WorkUnit.objects.filter(institution=self.cast.unit("ZC"), year=2023))
        for unit in units:
            unit.price = Decimal(PRICES[unit.code])
        WorkUnit.objects.bulk_update(units, ["price"])
        report = self._report(SMALL)
        numbers = {unit.pk: Decimal(chance.between(60, 900, unit.code, SMALL)) for unit in units}
        by = self.cast.worker(self.cast.unit(SMALL))
        declaring.declare(report, numbers, by=by, version=report.version)
        declaring.submit(report, by=by, version=report.version)

    def _report(self, code: str) -> WorkloadReport:
        return WorkloadReport.objects.select_related(
            "institution__region", "supervisor__bureau", "author"
        ).get(institution=self.cast.unit(code), year=2023, quarter=3)

    def verify(self) -> None:
        """The numbers of the clinics came verified by file: their reports say so."""
        centre = self.cast.unit(CENTRE)
        rows = WorkloadReport.objects.filter(supervisor=centre, year=2023, quarter=3)
        there = Workload.objects.filter(year=2023, quarter=3, approved__isnull=False)
        rows.filter(institution__in=there.values("institution")).update(
            status=WorkloadReport.Status.VERIFIED,
            submitted_at=clock.now(),
            verified_at=clock.now(),
            verified_by=self.cast.head(centre),
        )

    def split_to_clinics(self) -> None:
        head = self.cast.head(self.cast.unit(CENTRE))
        row = allocating.allocate(
            by=head,
            year=2023,
            quarter=3,
            pool=Decimal("186000.00"),
            basis="第三季度村级经费（示例）",
        )
        allocating.finalise(row, by=head, version=row.version)

    def split_to_staff(self) -> None:
        unit = self.cast.unit(SMALL)
        head = self.cast.head(unit)
        if not StaffMember.objects.filter(institution=unit).in_service().exists():
            return
        row = distributing.begin(
            by=head,
            year=2023,
            quarter=3,
            pool=Decimal("60000.00"),
            basis="院务会决定，第三季度绩效（示例）",
        )
        services = distributing.services(row)
        shares = list(StaffShare.objects.filter(distribution=row).order_by("pk"))
        for place, share in enumerate(shares):
            share.distribution = row
            distributing.save_share(
                share,
                by=head,
                version=row.version,
                post=self.cast.worker(unit) if place == 0 else None,
                quality=Decimal(chance.between(90, 110, place, SMALL)) / 100,
                numbers={
                    one.pk: Decimal(chance.between(5, 80, one.code, place)) for one in services[:4]
                },
            )
        row.refresh_from_db()
        distributing.confirm(row, by=head, version=row.version)
