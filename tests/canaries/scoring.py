"""Evaluations, sheets and lines, the year and its money, workload, and capability."""

from datetime import date
from decimal import Decimal

from campaigns.models import Clause, Standard
from institutions.models import PolicyEntry
from scoring.models import (
    Adjustment,
    Allocation,
    AllocationPart,
    Appeal,
    CapabilityDraw,
    CapabilityLine,
    CapabilityReport,
    CapabilityReview,
    CapabilityRound,
    Correction,
    Distribution,
    Evaluation,
    MoneyEntry,
    Payment,
    PlannedWork,
    Prepayment,
    Recheck,
    RecheckLine,
    Scenario,
    ScoreLine,
    ScoreSection,
    ScoreSheet,
    Settlement,
    SettlementObjection,
    StaffShare,
    WorkloadReport,
    WorkUnit,
    YearResult,
)
from supervision.models import Sanction
from tests import builders
from tests.canaries.marks import NOW, mark

KINDS = (
    "work_units",
    "evaluations",
    "sheets",
    "sections",
    "lines",
    "appeals",
    "sanctions",
    "proposals",
    "referrals",
    "adjustments",
    "years",
    "scenarios",
    "rechecks",
    "recheck_lines",
    "settlements",
    "settlement_objections",
    "awards",
    "allocations",
    "workloads",
    "distributions",
    "shares",
    "capability_rounds",
    "capability_reports",
    "capability_draws",
    "capability_reviews",
    "capability_lines",
)


def prepare(bureau, members, rows) -> None:
    """What a bureau holds once: its list of services with the estimate of each unit, and its capability round."""
    service = WorkUnit.objects.create(
        bureau=bureau,
        institution=bureau,
        year=2023,
        code="07-1",
        name=mark(bureau, "", "standard"),
        item=builders.item("08"),
        cost=Decimal("12.50"),
    )
    rows.work_units.append(service)
    for unit in members:
        PlannedWork.objects.create(institution=unit, year=2023, work_unit=service, number=10)
    _capability(bureau, members, rows)


def fill(asker, below, rows) -> None:
    standard = Standard.objects.filter(bureau=asker.bureau).first()
    clauses = list(Clause.objects.filter(standard=standard).order_by("position"))
    for quarter, status in ((1, "final"), (2, "open")):
        evaluation = Evaluation.objects.create(
            institution=asker,
            supervisor=asker,
            status=status,
            name=mark(asker, "", "evaluation"),
            year=2023,
            quarter=quarter,
            standard=standard,
            starts=date(2023, 3, 1),
            self_due=date(2023, 3, 10),
            verify_due=date(2023, 3, 31),
            published_at=NOW if status == "final" else None,
        )
        rows.evaluations.append(evaluation)
        for unit in below:
            sheet = ScoreSheet.objects.create(
                evaluation=evaluation,
                institution=unit,
                supervisor=asker,
                year=2023,
                quarter=quarter,
                status="verified" if status == "final" else "submitted",
                score=Decimal(80) if status == "final" else None,
                points=Decimal(80),
                full=Decimal(100),
                verified_at=NOW if status == "final" else None,
                submitted_at=NOW,
            )
            rows.sheets.append(sheet)
            for clause in clauses:
                section = ScoreSection.objects.create(
                    sheet=sheet,
                    institution=unit,
                    supervisor=asker,
                    item=clause.item,
                    title=clause.name,
                    position=clause.position,
                )
                rows.sections.append(section)
                kind = "verified" if status == "final" else "verifying"
                line = ScoreLine.objects.create(
                    sheet=sheet,
                    section=section,
                    clause=clause,
                    self_entered=Decimal(40),
                    self_points=Decimal(40),
                    self_note=mark(unit, clause.item.code, "selfcheck"),
                    entered=Decimal(40),
                    points=Decimal(40),
                    full=Decimal(50),
                    self_full=Decimal(50),
                    reason=mark(unit, clause.item.code, kind),
                )
                rows.lines.append(line)
                if status != "final":
                    continue
                if not asker.is_bureau:
                    Correction.objects.create(
                        bureau=asker.bureau,
                        institution=unit,
                        item=clause.item,
                        line=line,
                        points_before=Decimal(40),
                        points_after=Decimal(39),
                        reason=mark(unit, clause.item.code, "appeal"),
                        author=asker.posts.first(),
                    )
                rows.appeals.append(
                    Appeal.objects.create(
                        institution=unit,
                        supervisor=asker,
                        line=line,
                        evaluation=evaluation,
                        item=clause.item,
                        reason=mark(unit, clause.item.code, "appeal"),
                    )
                )
    for unit in below:
        for list_, kind, status, word in (
            (rows.sanctions, "criticism", "decided", "sanction"),
            (rows.proposals, "commendation", "proposed", "plan"),
            (rows.referrals, "referral", "decided", "discipline"),
        ):
            decided = status == "decided"
            list_.append(
                Sanction.objects.create(
                    institution=unit,
                    supervisor=asker,
                    kind=kind,
                    status=status,
                    year=2023,
                    reason=mark(unit, "", word),
                    decided_at=NOW if decided else None,
                    decided_by=asker.posts.first() if decided else None,
                )
            )
    for position, unit in enumerate(below, 1):
        rows.adjustments.append(
            Adjustment.objects.create(
                institution=unit,
                year=2023,
                kind="bonus",
                points=Decimal(1),
                reason=mark(unit, "", "money"),
            )
        )
        Prepayment.objects.create(institution=unit, year=2023, amount=Decimal(1000))
        rows.years.append(
            YearResult.objects.create(
                unit=asker,
                institution=unit,
                year=2023,
                position=position,
                quarters=Decimal(80),
                bonus=Decimal(1),
                deduction=Decimal(0),
                score=Decimal(81),
                rank=position,
                group=mark(unit, "", "money"),
                grade="良好",
                due_amount=Decimal(0),
                approved_amount=Decimal(0),
                top_up=Decimal(0),
                prepaid=Decimal(0),
                balance=Decimal(0),
                inputs="0" * 64,
            )
        )
    PolicyEntry.objects.create(
        institution=asker, year=2023, key="加分上限", value=mark(asker, "", "policy")
    )
    PolicyEntry.objects.create(institution=asker, year=2023, key="第二人复核", value="是")
    rows.scenarios.append(
        Scenario.objects.create(
            institution=asker,
            year=2023,
            name=mark(asker, "", "money"),
            changes={"全额线": "92"},
            inputs="0" * 64,
            author=asker.posts.first(),
        )
    )
    _money(asker, below, rows)
    if asker.is_bureau:
        return
    evaluation = Evaluation.objects.filter(supervisor=asker, status="final").get()
    line = ScoreLine.objects.filter(sheet__evaluation=evaluation).order_by("pk").first()
    recheck = Recheck.objects.create(
        bureau=asker.bureau,
        institution=asker,
        evaluation=evaluation,
        seed="0" * 32,
        pool=[line.sheet.institution.code],
        drawn=[line.sheet.institution.code],
        author=asker.bureau.posts.first(),
    )
    recheck.sheets.add(line.sheet)
    rows.rechecks.append(recheck)
    rows.recheck_lines.append(
        RecheckLine.objects.create(
            recheck=recheck,
            line=line,
            points_before=line.points,
            points=Decimal(30),
            reason=mark(asker, "", "scheme"),
            author=asker.bureau.posts.first(),
        )
    )


def _money(asker, below, rows) -> None:
    """A published sheet with an objection, a paid award, workload, the split of a centre and one inside each unit."""
    money = Decimal(1)
    for unit in below:
        sheet = Settlement.objects.create(
            institution=unit,
            supervisor=asker,
            year=2023,
            result=YearResult.objects.get(unit=asker, institution=unit),
            approved=money,
            prepaid=Decimal(0),
            due=money,
            status="published",
            objections_until=date(2099, 1, 1),
        )
        rows.settlements.append(sheet)
        rows.settlement_objections.append(
            SettlementObjection.objects.create(
                institution=unit,
                supervisor=asker,
                settlement=sheet,
                reason=mark(unit, "", "money"),
            )
        )
        for of, word in (({"settlement": sheet}, "结"), ({"award": None}, "奖")):
            if "award" in of:
                of = {"award": _award(asker, unit)}
                rows.awards.append(of["award"])
            Payment.objects.create(
                institution=unit,
                year=2023,
                day=date(2023, 12, 1),
                amount=money,
                voucher=word,
                note=mark(unit, "", "money"),
                **of,
            )
        MoneyEntry.objects.create(
            institution=unit,
            year=2023,
            kind="prepaid",
            day=date(2023, 3, 1),
            amount=money,
            voucher="1",
            note=mark(unit, "", "money"),
        )
        rows.workloads.append(
            WorkloadReport.objects.create(
                institution=unit, supervisor=asker, year=2023, quarter=1, status="submitted"
            )
        )
        distribution = Distribution.objects.create(
            institution=unit,
            supervisor=asker,
            year=2023,
            quarter=1,
            pool=money,
            basis=mark(unit, "", "money"),
            status="confirmed",
        )
        rows.distributions.append(distribution)
        rows.shares.append(
            StaffShare.objects.create(distribution=distribution, member=unit.staff.first())
        )
        _money_in_hand(asker, unit, rows)
    if not asker.is_bureau:
        allocation = Allocation.objects.create(
            institution=asker,
            supervisor=asker,
            year=2023,
            quarter=1,
            pool=money,
            basis=mark(asker, "", "evaluation"),
            status="final",
        )
        rows.allocations.append(allocation)
        for unit in below:
            AllocationPart.objects.create(
                allocation=allocation,
                institution=unit,
                year=2023,
                weight="1",
                amount=money,
                told=[mark(unit, "", "money")],
            )


def _money_in_hand(asker, unit, rows) -> None:
    """What is not done yet: a confirmed sheet to be paid, a distribution that is still a draft."""
    result = YearResult.objects.get(unit=asker, institution=unit)
    result.pk, result.year, result.group = None, 2022, ""
    result.save(force_insert=True)
    rows.settlements.append(
        Settlement.objects.create(
            institution=unit,
            supervisor=asker,
            year=2022,
            result=result,
            approved=Decimal(1),
            prepaid=Decimal(0),
            due=Decimal(1),
            status="confirmed",
        )
    )
    draft = Distribution.objects.create(
        institution=unit,
        supervisor=asker,
        year=2023,
        quarter=2,
        pool=Decimal(1),
        basis=mark(unit, "", "money"),
    )
    rows.shares.append(StaffShare.objects.create(distribution=draft, member=unit.staff.first()))


def _award(asker, unit) -> Sanction:
    return Sanction.objects.create(
        institution=unit,
        supervisor=asker,
        kind="reward",
        status="decided",
        year=2023,
        amount=Decimal(5),
        reason=mark(unit, "", "sanction"),
        decided_at=NOW,
        decided_by=asker.posts.first(),
    )


def _capability(bureau, members, rows) -> None:
    """A year of 优质服务基层行 of each bureau; every unit has applied, and the county has begun to write."""
    standard = Standard.objects.filter(bureau=bureau).first()
    round = CapabilityRound.objects.create(
        institution=bureau,
        supervisor=bureau,
        name=mark(bureau, "", "standard"),
        year=2023,
        self_due=date(2023, 4, 30),
        recheck_due=date(2023, 5, 20),
    )
    rows.capability_rounds.append(round)
    rows.capability_reports.append(
        CapabilityReport.objects.create(
            round=round,
            institution=bureau,
            reported_on=date(2023, 4, 30),
            author=bureau.posts.first(),
            opinion=mark(bureau, "", "scheme"),
            rows=[],
            digest="0" * 64,
        )
    )
    rows.capability_draws.append(
        CapabilityDraw.objects.create(
            round=round,
            kind="units",
            number=1,
            seed="0",
            pools={"units": [], "people": [], "fixed": []},
            ask={},
            result={"strata": [], "teams": []},
            digest="0" * 64,
            reason=mark(bureau, "", "unannounced"),
            author=bureau.posts.first(),
        )
    )
    for unit in members:
        review = CapabilityReview.objects.create(
            round=round,
            institution=unit,
            supervisor=bureau,
            standard=standard,
            status="applied",
            started_on=date(2022, 9, 1),
            applied_on=date(2023, 4, 1),
            applied_level="basic",
        )
        rows.capability_reviews.append(review)
        rows.capability_lines.append(
            CapabilityLine.objects.create(
                review=review,
                clause=standard.clauses.leaves().first(),
                grade="A",
                note=mark(unit, "", "scheme"),
                review_grade="B",
                review_note=mark(unit, "", "plan"),
            )
        )
