"""The papers of a bureau, what its units report and write by them, its standard and its publications."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

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
from institutions.roles import Role
from tests import builders
from tests.canaries.marks import ITEMS, NOW, mark

KINDS = (
    "campaigns",
    "phases",
    "passages",
    "focuses",
    "tasks",
    "reports",
    "breakthroughs",
    "submissions",
    "items",
    "plan_calls",
    "plans",
    "groups",
    "members",
    "logs",
    "checks",
    "preparations",
    "standards",
    "clauses",
    "series",
    "censuses",
    "targets",
    "contributions",
    "gaps",
    "secondments",
    "publications",
    "objections",
)


def fill(bureau, members, rows) -> None:
    _campaign(bureau, members, rows)
    _plans(bureau, members, rows)
    _checks(bureau, members, rows)
    standard = _standard(bureau)
    rows.standards.append(standard)
    rows.clauses.append(standard.clauses.get(code="C02"))
    _figures(bureau, members, rows)
    _gaps(bureau, members, rows)
    _publications(bureau, bureau.posts.exclude(role=Role.EXPERT).first(), rows)


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


def _gaps(bureau, members, rows) -> None:
    """A gap in what a unit has, and somebody sent away to learn."""
    for unit in members:
        rows.gaps.append(
            Gap.objects.create(
                institution=unit,
                supervisor=bureau,
                aspect="devices",
                text=mark(unit, "", "scheme"),
                measure=mark(unit, "", "scheme"),
                first_year=2023,
                year=2023,
                person="院长",
            )
        )
        rows.secondments.append(
            Secondment.objects.create(
                institution=unit,
                supervisor=bureau,
                member=unit.staff.first(),
                host=mark(unit, "", "scheme"),
                subject="全科",
                starts=date(2023, 3, 1),
                ends=date(2023, 6, 1),
                reason=mark(unit, "", "scheme"),
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
