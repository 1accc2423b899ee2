"""Rounds and visits, problems and what is done about them, plans, experts and notices."""

from datetime import date
from uuid import uuid4

from institutions.models import StoredFile
from institutions.roles import Role
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
    SelfCheck,
    Spread,
    SupervisionRound,
    Visit,
    VisitLine,
    VisitSignature,
    YearPlan,
)
from tests import builders
from tests.canaries.marks import ITEMS, NOW, mark

KINDS = (
    "rounds",
    "notices",
    "problems",
    "rectifications",
    "notes",
    "effects",
    "complaints",
    "visits",
    "visit_lines",
    "samples",
    "record_checks",
    "surveys",
    "signatures",
    "spreads",
    "self_checks",
    "year_plans",
    "planned",
    "draws",
    "experts",
    "ties",
)


def fill(asker, below, rows) -> None:
    _supervision(asker, below, rows)
    _planning(asker, below, rows)


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
