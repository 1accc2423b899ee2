"""Rows of every kind at every institution, each text marked with whose it is, and an oracle that says who may read it.

The oracle is written down by hand, not derived from `visible_to`: it is what the paper on roles says.
"""

import re
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from uuid import uuid4

from django.utils import timezone

from campaigns.models import (
    BreakthroughItem,
    BreakthroughRound,
    BreakthroughSubmission,
    Campaign,
    Census,
    CensusCount,
    Clause,
    Contribution,
    Gap,
    Group,
    Member,
    Objection,
    Passage,
    Phase,
    Plan,
    PlanCall,
    PlanVersion,
    Preparation,
    Publication,
    Recipient,
    Report,
    Secondment,
    Series,
    SeriesValue,
    Standard,
    SuperiorCheck,
    SupervisionFocus,
    Target,
    Task,
    WorkLog,
)
from campaigns.periods import Period
from institutions import clock
from institutions.models import (
    Capacity,
    Cooperation,
    Institution,
    PolicyEntry,
    Post,
    StaffMember,
    StoredFile,
)
from institutions.roles import Role
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
from supervision import drawing
from supervision.models import (
    Complaint,
    Draw,
    EffectCheck,
    Expert,
    ExpertTie,
    Notice,
    NoticeRecipient,
    PlannedRound,
    Problem,
    ProgressNote,
    RecordCheck,
    RecordSample,
    Rectification,
    ResidentSurvey,
    Sanction,
    SelfCheck,
    Spread,
    SupervisionRound,
    Visit,
    VisitLine,
    VisitSignature,
    YearPlan,
)
from tests import builders

CANARY = re.compile(r"金丝雀[（(]([A-Z0-9-]+)[，,]([0-9a-z]*)[，,](\w+)[）)]")
ITEMS = ("02", "08")
NOW = timezone.now()


def mark(institution: Institution, item: str, kind: str) -> str:
    return f"金丝雀（{institution.code}，{item}，{kind}）"


def fill(world: SimpleNamespace) -> SimpleNamespace:
    """Make one of everything at every institution of both counties; returns rows by kind for the detail pages."""
    rows = SimpleNamespace(campaigns=[], reports=[], problems=[], rectifications=[], visits=[])
    rows.sheets, rows.years, rows.evaluations, rows.rounds, rows.phases = [], [], [], [], []
    rows.adjustments, rows.sections, rows.lines, rows.notes, rows.visit_lines = [], [], [], [], []
    rows.focuses, rows.passages, rows.tasks, rows.standards = [], [], [], []
    rows.breakthroughs, rows.submissions, rows.items = [], [], []
    rows.plan_calls, rows.plans, rows.logs = [], [], []
    rows.sanctions, rows.proposals, rows.referrals = [], [], []
    rows.appeals = []
    rows.scenarios, rows.rechecks, rows.recheck_lines = [], [], []
    rows.capability_rounds, rows.capability_reviews, rows.capability_lines = [], [], []
    rows.capability_reports, rows.capability_draws = [], []
    rows.self_checks, rows.spreads, rows.effects = [], [], []
    rows.groups, rows.members = [], []
    rows.series, rows.censuses, rows.targets, rows.contributions = [], [], [], []
    rows.clauses = []
    rows.year_plans, rows.planned, rows.experts, rows.ties, rows.draws = [], [], [], [], []
    rows.notices = []
    rows.publications, rows.objections = [], []
    rows.staff, rows.cooperations, rows.gaps, rows.secondments = [], [], [], []
    rows.work_units = []
    rows.settlements, rows.settlement_objections, rows.allocations = [], [], []
    rows.awards = []
    rows.workloads, rows.distributions, rows.shares = [], [], []
    rows.clauses, rows.checks, rows.preparations, rows.complaints = [], [], [], []
    rows.samples, rows.record_checks, rows.surveys, rows.signatures = [], [], [], []
    rows.posts = list(Post.objects.select_related("institution").order_by("pk"))
    rows.leaders = [row for row in rows.posts if row.role == Role.LEADER]
    rows.units = list(Institution.objects.order_by("pk"))
    units = Institution.objects.exclude(kind__in=["bureau", "street"]).select_related(
        "parent", "bureau"
    )
    for bureau in (world.county, world.other_county):
        members = [u for u in units if u.bureau_id == bureau.pk]
        _campaign(bureau, members, rows)
        _plans(bureau, members, rows)
        _checks(bureau, members, rows)
        rows.standards.append(_standard(bureau))
        _figures(bureau, members, rows)
        _resources(bureau, members, rows)
        rows.clauses.append(rows.standards[-1].clauses.get(code="C02"))
        _capability(bureau, members, rows)
        askers = [bureau, *(u for u in members if any(m.parent_id == u.pk for m in members))]
        for asker in askers:
            below = [u for u in members if u.parent_id == asker.pk]
            _supervision(asker, below, rows)
            _planning(asker, below, rows)
            _scoring(asker, below, rows)
    return rows


def _campaign(bureau, members, rows) -> None:
    campaign = Campaign.objects.create(
        institution=bureau,
        supervisor=bureau,
        status="issued",
        name=mark(bureau, "", "campaign"),
        title=mark(bureau, "", "campaign"),
        number=f"示例〔2023〕{bureau.pk}号",
        year=2023,
        issued_on=date(2023, 2, 28),
        goals=mark(bureau, "", "campaign"),
    )
    phase = Phase.objects.create(
        institution=bureau,
        supervisor=bureau,
        campaign=campaign,
        position=1,
        name=mark(bureau, "", "campaign"),
        ends=date(2023, 3, 31),
    )
    rows.passages.append(
        Passage.objects.create(campaign=campaign, position=1, text=mark(bureau, "", "campaign"))
    )
    rows.focuses.append(
        SupervisionFocus.objects.create(
            campaign=campaign, position=1, names="示例", text=mark(bureau, "", "campaign")
        )
    )
    rows.campaigns.append(campaign)
    rows.phases.append(phase)
    for item in ITEMS:
        task = Task.objects.create(
            campaign=campaign,
            phase=phase,
            position=len(rows.reports) + 1,
            name=f"任务{item}",
            item=builders.item(item),
            due=date(2023, 3, 3),
        )
        rows.tasks.append(task)
        for unit in members:
            Recipient.objects.get_or_create(campaign=campaign, institution=unit)
            task.institutions.add(unit)
            rows.reports.append(
                Report.objects.create(
                    task=task,
                    institution=unit,
                    supervisor=bureau,
                    due=task.due,
                    text=mark(unit, item, "report"),
                )
            )

    _breakthrough(campaign, members, rows)


def _breakthrough(campaign, members, rows) -> None:
    bureau = campaign.institution
    round_ = BreakthroughRound.objects.create(
        institution=bureau,
        supervisor=bureau,
        status="issued",
        campaign=campaign,
        name=mark(bureau, "", "campaign"),
        due=date(2023, 3, 12),
        receiver="局办公室",
    )
    rows.breakthroughs.append(round_)
    for unit in members:
        submission = BreakthroughSubmission.objects.create(
            round=round_,
            institution=unit,
            supervisor=bureau,
            least=1,
            most=2,
            status="accepted",
            submitted_at=NOW,
            first_submitted_at=NOW,
            decided_at=NOW,
            opinion=mark(unit, "", "breakthrough"),
        )
        rows.submissions.append(submission)
        rows.items.append(
            BreakthroughItem.objects.create(
                submission=submission,
                position=1,
                name=mark(unit, "", "breakthrough"),
                content=mark(unit, "", "breakthrough"),
                measures="示例",
                due=date(2023, 9, 30),
                person="院长",
                office="办公室",
                progress_text=mark(unit, "", "breakthrough"),
            )
        )


def _plans(bureau, members, rows) -> None:
    call = PlanCall.objects.create(
        bureau=bureau,
        institution=bureau,
        kind="quality",
        name=mark(bureau, "", "campaign"),
        year=2023,
        due=date(2023, 3, 31),
    )
    rows.plan_calls.append(call)
    for unit in members:
        plan = Plan.objects.create(
            call=call,
            institution=unit,
            supervisor=bureau,
            due=call.due,
            text=mark(unit, "", "scheme"),
            status="submitted",
            edition=1,
            submitted_at=NOW,
            first_submitted_at=NOW,
        )
        PlanVersion.objects.create(
            plan=plan,
            number=1,
            text=mark(unit, "", "scheme"),
            handed_in_at=NOW,
            author=bureau.posts.first(),
        )
        rows.plans.append(plan)
        group = Group.objects.create(
            institution=unit,
            supervisor=bureau,
            kind="taskforce",
            name=mark(unit, "", "scheme"),
            set_up_on=date(2023, 3, 1),
        )
        rows.groups.append(group)
        rows.members.append(
            Member.objects.create(group=group, position=1, title=mark(unit, "", "scheme"))
        )
        for item in ITEMS:
            rows.logs.append(
                WorkLog.objects.create(
                    institution=unit,
                    supervisor=bureau,
                    kind="innovation",
                    day=date(2023, 3, 1),
                    subject=mark(unit, item, "log"),
                    text=mark(unit, item, "log"),
                    decisions=mark(unit, item, "log"),
                    item=builders.item(item),
                )
            )


def _checks(bureau, members, rows) -> None:
    check = SuperiorCheck.objects.create(
        bureau=bureau, name=mark(bureau, "", "standard"), day=date(2099, 3, 10)
    )
    rows.checks.append(check)
    for unit in (bureau, *members):
        rows.preparations.append(
            Preparation.objects.create(
                superior_check=check,
                institution=unit,
                text=mark(unit, "", "scheme"),
                due=date(2099, 3, 1),
            )
        )


def _standard(bureau) -> Standard:
    standard = Standard.objects.create(
        bureau=bureau, code=f"S{bureau.pk}", year=2023, name=mark(bureau, "", "standard"), kinds=[]
    )
    for position, item in enumerate(ITEMS, 1):
        Clause.objects.create(
            standard=standard,
            code=f"C{item}",
            position=position,
            item=builders.item(item),
            name=f"条款{item}",
            method="manual",
            full_marks=Decimal(50),
        )
    Standard.objects.filter(pk=standard.pk).update(
        status="published", published_at=NOW, full_marks=Decimal(100)
    )
    return standard


def _figures(bureau, members, rows) -> None:
    """A followed figure and a re-check with a value of each unit; the values bear no text but the fault's name."""
    census = Census.objects.create(
        bureau=bureau,
        name=mark(bureau, "", "standard"),
        starts=date(2023, 3, 4),
        due=date(2023, 3, 31),
    )
    census.items.set([builders.item(code) for code in ITEMS])
    census.institutions.set(members)
    rows.censuses.append(census)
    target = Target.objects.create(
        bureau=bureau,
        name=mark(bureau, "", "standard"),
        goal=Decimal(3),
        starts=date(2023, 1, 1),
        due=date(2023, 12, 31),
    )
    rows.targets.append(target)
    rows.contributions += [
        Contribution.objects.create(
            target=target,
            institution=unit,
            supervisor=bureau,
            value=Decimal(1),
            text=mark(unit, "", "visit"),
        )
        for unit in members
    ]
    for item in ITEMS:
        series = Series.objects.create(
            bureau=bureau,
            code=f"F{item}-{bureau.pk}",
            name=mark(bureau, "", "standard"),
            family=f"组{bureau.pk}",
            kind="count",
            unit=f"人{bureau.code}",
            numerator_name="人数",
            starts=date(2023, 1, 1),
            item=builders.item(item),
        )
        series.institutions.set(members)
        rows.series.append(series)
        period = Period.last("month", clock.today())
        for number, unit in enumerate(members, 1):
            SeriesValue.objects.create(
                series=series, institution=unit, numerator=Decimal(number), **period.key
            )
            CensusCount.objects.create(
                census=census,
                institution=unit,
                item=series.item,
                on=date(2023, 3, 10),
                total=100,
                checked=50,
                faulty=1,
                corrected=0,
                faults={mark(unit, item, "report"): 1},
            )


def _resources(bureau, members, rows) -> None:
    """People and means of each unit, a gap, a secondment, and its part of the estimate."""
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
        member = StaffMember.objects.create(
            institution=unit,
            name=mark(unit, "", "unit"),
            title=mark(unit, "", "unit"),
            joined=date(2023, 1, 1),
        )
        rows.staff.append(member)
        Capacity.objects.create(
            institution=unit, year=clock.today().year, beds=3, location=mark(unit, "", "unit")
        )
        rows.cooperations.append(
            Cooperation.objects.create(
                institution=unit,
                kind="partner",
                partner=mark(unit, "", "unit"),
                level="third",
                starts=date(2023, 1, 1),
                services=mark(unit, "", "unit"),
            )
        )
        gap = Gap.objects.create(
            institution=unit,
            supervisor=bureau,
            aspect="devices",
            text=mark(unit, "", "scheme"),
            measure=mark(unit, "", "scheme"),
            first_year=2023,
            year=2023,
            person="院长",
        )
        rows.gaps.append(gap)
        rows.secondments.append(
            Secondment.objects.create(
                institution=unit,
                supervisor=bureau,
                member=member,
                host=mark(unit, "", "scheme"),
                subject="全科",
                starts=date(2023, 3, 1),
                ends=date(2023, 6, 1),
                reason=mark(unit, "", "scheme"),
            )
        )
        PlannedWork.objects.create(institution=unit, year=2023, work_unit=service, number=10)


def _supervision(asker, below, rows) -> None:
    round_ = SupervisionRound.objects.create(
        institution=asker,
        supervisor=asker,
        status="issued",
        name=mark(asker, "", "round"),
        year=2023,
        quarter=1,
        starts=date(2023, 3, 1),
        ends=date(2023, 3, 31),
    )
    rows.rounds.append(round_)
    lead = asker.posts.exclude(role=Role.EXPERT).first()
    for unit in below:
        rows.notices.append(_notice(asker, unit, len(rows.notices) + 1))
        for item in ITEMS:
            problem = Problem.objects.create(
                institution=unit,
                supervisor=asker,
                source="county",
                year=2022,
                item=builders.item(item),
                text=mark(unit, item, "problem"),
                found_on=date(2022, 12, 1),
            )
            row = Rectification.objects.create(
                problem=problem,
                institution=unit,
                supervisor=asker,
                item=problem.item,
                due=date(2023, 3, 31),
                status="signed",
                signed_at=NOW,
                measures=mark(unit, item, "rectification"),
            )
            if lead:
                rows.notes.append(
                    ProgressNote.objects.create(
                        rectification=row, author=lead, text=mark(unit, item, "rectification")
                    )
                )
                rows.effects.append(
                    EffectCheck.objects.create(
                        rectification=row,
                        checked_on=date(2023, 4, 30),
                        result="holds",
                        note=mark(unit, item, "rectification"),
                        author=lead,
                    )
                )
                _self_check(asker, unit, problem, lead, rows)
            rows.complaints.append(
                Complaint.objects.create(
                    institution=unit,
                    supervisor=asker,
                    number=f"示例-{unit.pk}-{item}",
                    received_on=date(2023, 3, 1),
                    due=date(2023, 3, 8),
                    item=builders.item(item),
                    text=mark(unit, item, "problem"),
                )
            )
            rows.problems.append(problem)
            rows.rectifications.append(row)
        if lead is None:
            continue
        for status in ("submitted", "planned"):
            visit = Visit.objects.create(
                round=round_
                if status == "submitted"
                else SupervisionRound.objects.create(
                    institution=asker,
                    supervisor=asker,
                    status="issued",
                    name=mark(asker, "", "round"),
                    year=2023,
                    quarter=2,
                    starts=date(2023, 4, 1),
                    ends=date(2023, 4, 30),
                ),
                institution=unit,
                supervisor=asker,
                lead=lead,
                status=status,
                starts=date(2023, 3, 1),
                ends=date(2023, 3, 2),
                visited_on=date(2023, 3, 1),
                submitted_at=NOW if status == "submitted" else None,
                summary=mark(unit, "", "visit" if status == "submitted" else "plan"),
            )
            rows.visit_lines.append(
                VisitLine.objects.create(
                    visit=visit,
                    item=builders.item("02"),
                    found="good",
                    text=mark(unit, "", "visit" if status == "submitted" else "plan"),
                    author=lead,
                )
            )
            rows.visits.append(visit)
            _checked(visit, lead, rows)


def _checked(visit, lead, rows) -> None:
    """A drawn record, a survey and a signature of a visit; the texts are those that any reader of the visit may see."""
    text = mark(visit.institution, "", "visit" if visit.status == "submitted" else "plan")
    sample = RecordSample.objects.create(
        visit=visit,
        item=builders.item("02"),
        origin="range",
        first=1,
        last=9,
        population=9,
        size=1,
        seed="0",
        digest="0" * 64,
        drawn_by=lead,
    )
    rows.samples.append(sample)
    rows.record_checks.append(
        RecordCheck.objects.create(
            sample=sample, position=1, number="1", result="unreal", reason=text, checked_at=NOW
        )
    )
    rows.surveys.append(
        ResidentSurvey.objects.create(
            visit=visit,
            group="other",
            channel="home",
            asked=3,
            right=1,
            satisfaction="no",
            remark=text,
            key=uuid4(),
            author=lead,
        )
    )
    rows.signatures.append(
        VisitSignature.objects.create(
            visit=visit, party="team", means="account", title=text, post=lead, digest="0" * 64
        )
    )


def _planning(asker, below, rows) -> None:
    """An issued plan with an announced and an unannounced round, a draw, and in a bureau's pool an expert with a tie."""
    plan = YearPlan.objects.create(institution=asker, supervisor=asker, status="issued", year=2023)
    rows.year_plans.append(plan)
    for kind, type_ in (("round", "quarterly"), ("unannounced", "surprise")):
        entry = PlannedRound.objects.create(
            plan=plan,
            name=mark(asker, "", kind),
            type=type_,
            starts=date(2023, 5, 1),
            ends=date(2023, 5, 31),
        )
    rows.planned.append(entry)
    secret = SupervisionRound.objects.create(
        institution=asker,
        supervisor=asker,
        type="surprise",
        name=mark(asker, "", "unannounced"),
        year=2023,
        starts=date(2023, 5, 1),
        ends=date(2023, 5, 31),
        planned=entry,
    )
    secret.institutions.set(below)
    lead = asker.posts.exclude(role=Role.EXPERT).first()
    if lead:
        unit = {
            "code": below[0].code,
            "name": mark(asker, "", "unannounced"),
            "kind": "",
            "region": "",
        }
        result = {"strata": [{"name": "", "pool": 1, "drawn": [unit["code"]]}], "teams": []}
        rows.draws.append(
            Draw.objects.create(
                round=secret,
                number=1,
                seed="1",
                pools={"units": [unit], "people": []},
                ask=drawing.ask_of(drawing.Ask()),
                result=result,
                digest="0" * 64,
                author=lead,
            )
        )
    if asker.is_bureau:
        _publications(asker, lead, rows)
        expert = Expert.objects.create(
            bureau=asker,
            code="E1",
            title=mark(asker, "", "expert"),
            professions="tcm",
            employer=below[0],
        )
        rows.experts.append(expert)
        rows.ties.append(
            ExpertTie.objects.create(
                expert=expert, institution=below[0], reason=mark(asker, "", "expert")
            )
        )


def _publications(asker, lead, rows) -> None:
    """A draft, and an objection to something that is shown: name and phone are for those who answer."""
    ours = {"institution": asker, "supervisor": asker, "kind": "flow", "text": "示例"}
    rows.publications.append(
        Publication.objects.create(**ours, title=mark(asker, "", "publication"))
    )
    shown = Publication.objects.create(
        **ours, title="示例", status="published", published_on=NOW.date(), decided_by=lead
    )
    rows.objections.append(
        Objection.objects.create(
            institution=asker,
            supervisor=asker,
            publication=shown,
            text=mark(asker, "", "publication"),
            name=mark(asker, "", "contact"),
            receipt=f"{asker.pk:064}",
            key=uuid4(),
            due=date(2023, 4, 30),
        )
    )


def _notice(asker, unit, number) -> Notice:
    file = StoredFile.objects.create(
        name="示例.docx", kind="docx", content_type="application/zip", size=1, sha256="0" * 64
    )
    notice = Notice.objects.create(
        institution=asker,
        supervisor=asker,
        kind="demand",
        status="issued",
        word="示",
        year=2023,
        number=number,
        title=mark(unit, "", "notice"),
        body=mark(unit, "", "notice"),
        issued_on=date(2023, 3, 1),
        issued_at=NOW,
        paper=file,
        sha256=file.sha256,
    )
    NoticeRecipient.objects.create(notice=notice, institution=unit)
    return notice


def _self_check(asker, unit, problem, lead, rows) -> None:
    """What the asker has put to a unit; its wording is that unit's own here, so that each copy is told apart."""
    spread = Spread.objects.create(
        institution=asker,
        problem=problem,
        item=problem.item,
        severity="minor",
        text=mark(unit, problem.item.code, "check"),
        due=date(2023, 4, 10),
        put_right_by=date(2023, 4, 30),
        author=lead,
    )
    rows.spreads.append(spread)
    rows.self_checks.append(
        SelfCheck.objects.create(
            institution=unit,
            supervisor=asker,
            spread=spread,
            item=problem.item,
            due=spread.due,
            status="answered",
            answer="none",
            answered_at=NOW,
            note=mark(unit, problem.item.code, "check"),
        )
    )


def _scoring(asker, below, rows) -> None:
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


# --- The oracle -------------------------------------------------------------------------------------

CENTRE = {"ZC-QNL", "ZC-QNL-1", "ZC-QNL-2"}
COUNTY = CENTRE | {
    "ZC",
    "ZC-RM",
    "ZC-RM-1",
    "ZC-FY",
    "ZC-CDC",
    "ZC-SZY",
    "ZC-WC",
    "ZC-WC-1",
    "ZC-JD",
}
FAR = {"ZD", "ZD-A", "ZD-A-1"}
LEAD_ITEMS = {"02"}  # of ITEMS; the mandate is 02, 03, 09, 10
# Kinds that know no service item: a post that is limited to items sees none of them.
WITHOUT_ITEM = {"visit", "plan", "money", "scheme", "sanction"}
AT_BUREAU = {"officer", "city_officer", "far_officer", "leader", "finance", "auditor"}
# What a bureau or centre above publishes to everybody below.
PAPERS = {"campaign", "standard"}
# Where a persona stands: the units it reaches, and its own unit.
REACH = {
    "leader": (COUNTY, "ZC"),
    "officer": (COUNTY, "ZC"),
    "finance": (COUNTY, "ZC"),
    "auditor": (COUNTY, "ZC"),
    "city_officer": (COUNTY | FAR | {"ZB"}, "ZB"),
    "head": (CENTRE, "ZC-QNL"),
    "staff": (CENTRE, "ZC-QNL"),
    "doctor": ({"ZC-QNL-1"}, "ZC-QNL-1"),
    "sibling_doctor": ({"ZC-QNL-2"}, "ZC-QNL-2"),
    "other_head": ({"ZC-WC", "ZC-WC-1"}, "ZC-WC"),
    "maternal_head": ({"ZC-FY"}, "ZC-FY"),
    "street": (CENTRE | {"ZC-JD"}, "ZC-JD"),
    "far_officer": (FAR, "ZD"),
    "far_head": ({"ZD-A", "ZD-A-1"}, "ZD-A"),
    "lead": ({"ZC-CDC"}, "ZC-CDC"),
    "expert": (set(), "ZC-RM"),
    "system": (set(), ""),
    "security": (set(), ""),
    "departed": (set(), ""),
}
PARENT = {
    "ZC-QNL": "ZC",
    "ZC-QNL-1": "ZC-QNL",
    "ZC-QNL-2": "ZC-QNL",
    "ZC-WC": "ZC",
    "ZC-WC-1": "ZC-WC",
    "ZC-RM": "ZC",
    "ZC-RM-1": "ZC-RM",
    "ZC-FY": "ZC",
    "ZC-CDC": "ZC",
    "ZC-SZY": "ZC",
    "ZD-A": "ZD",
    "ZD-A-1": "ZD-A",
}


def may_read(persona: str, code: str, item: str, kind: str) -> bool:
    """Say whether a persona may read a marked text."""
    reach, home = REACH[persona]
    if kind in ("unit", "post"):
        # Who there is: known to administrators too, and to a lead agency wherever it leads.
        return code in (COUNTY if persona in ("system", "security", "lead") else reach)
    if not reach and persona != "expert":
        return False
    if kind == "discipline":
        # Accountability and discipline: leaders and auditors of the bureaus above, nobody else but its author.
        return code in reach and persona in ("leader", "auditor")
    if kind in PAPERS:
        # The paper and the standard of the bureau one works under; its own subtree's for a city.
        return (code in reach or (home.startswith(("ZC", "ZD")) and code == home[:2])) and (
            persona != "expert" or kind == "standard"
        )
    if kind == "expert":
        # The pool is the bureau's own affair: its officers, leaders and auditor, and those of a bureau above.
        return code in reach and persona in (
            "officer",
            "city_officer",
            "far_officer",
            "leader",
            "auditor",
        )
    if kind == "publication":
        # Before it is decided, and what came in about it: the bureau's own and those above; others read the public page.
        return code in reach and persona in AT_BUREAU
    if kind == "contact":
        return persona in ("officer", "city_officer", "far_officer") and code == home
    if kind == "unannounced":
        # Neither the visited nor a street that looks on learns of it; the body does, and whoever is above.
        return code in reach and persona not in ("street", "lead") and persona != "expert"
    if kind in ("round", "evaluation", "policy"):
        # Known to whoever runs it, to those above, and to those with a visit or sheet in it.
        above = {PARENT.get(unit, "") for unit in reach}
        led = persona == "lead" and kind == "evaluation" and code in COUNTY
        return code in reach or code in above or led
    if persona == "lead":
        own = code == "ZC-CDC"
        by_item = code in COUNTY and item in LEAD_ITEMS and kind not in WITHOUT_ITEM
        if not own and not by_item:
            return False
        if own and kind == "money":
            return False
        if kind == "verifying":
            return not own and by_item
        return kind != "plan"
    if code not in reach:
        return False
    if persona in ("expert", "street", "staff") and kind == "money":
        return False
    if kind in ("plan", "verifying"):
        # Not told to the one it concerns: an unannounced visit, a score that is not published.
        at_bureau = home in ("ZC", "ZD", "ZB")
        return at_bureau or PARENT.get(code) == home or (persona == "street" and kind == "none")
    return True
