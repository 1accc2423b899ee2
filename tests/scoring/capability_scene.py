"""Scenes of 优质服务基层行 for tests: a city's year of the activity, and a centre at any stage of it."""

from datetime import date

from django.urls import reverse

from config.demo.sheets import CAPABILITY_FILES, CAPABILITY_LEVELS, publish_standard
from institutions.models import Post
from scoring import capability_filling as filling
from scoring import capability_register as register
from scoring import capability_reviewing as reviewing
from scoring.models import CapabilityLine, CapabilityReview, CapabilityRound
from scoring.models.capability import default_dates

STARTED = date(2022, 10, 10)
APPLIES = date(2023, 4, 10)
# 44 clauses: five A make 基本标准 of the example rules, all A 推荐标准.
BASIC = "A" * 5 + "B" * 39
BELOW = "C" * 44


def city_round(world, **more) -> CapabilityRound:
    """The activity of 2023 as the city runs it for both counties, with the two example standards."""
    by = world.posts.city_officer
    standards = [publish_standard(n, by=by, levels=CAPABILITY_LEVELS) for n in CAPABILITY_FILES]
    dates = default_dates(2023)
    round = CapabilityRound(**{"name": "2023年活动", "year": 2023, **dates, **more})
    register.save_round(round, standards, by=by)
    return round


def begun(round: CapabilityRound, by: Post) -> CapabilityReview:
    return fresh(filling.start(round, by=by))


def fresh(review: CapabilityReview) -> CapabilityReview:
    rows = CapabilityReview.objects.select_related(
        "institution__bureau",
        "institution__region",
        "supervisor",
        "round__institution",
        "standard",
    )
    return rows.get(pk=review.pk)


def grade(review: CapabilityReview, grades: str) -> list[CapabilityLine]:
    """Grade the clauses in their order; core clauses come first, so that they get the best."""
    lines = sorted(filling.lines_of(review), key=lambda x: (not x.clause.core, x.clause.position))
    for line, letter in zip(lines, grades, strict=False):
        line.grade = letter
        line.version += 1
    # In one go: that each is saved by its own deed is shown elsewhere.
    CapabilityLine.objects.bulk_update(lines, ["grade", "version"])
    return filling.lines_of(review)


def applied(world, round: CapabilityRound, level: str = "basic", grades: str = BASIC):
    """The centre has graded itself and applied."""
    head = world.posts.head
    review = begun(round, head)
    grade(review, grades)
    filling.apply(review, level=level, by=head, version=review.version)
    return fresh(review)


def passed(world, review: CapabilityReview) -> CapabilityReview:
    """The county takes the centre's grades over and lets it through."""
    by = world.posts.officer
    reviewing.adopt(review, by=by, version=review.version)
    reviewing.pass_on(review, by=by, version=review.version, note="属实")
    return fresh(review)


def reported(world, review: CapabilityReview) -> CapabilityReview:
    register.report_up(review.round, by=world.posts.officer, opinion="同意上报")
    return fresh(review)


def checking(world, review: CapabilityReview, **more) -> CapabilityReview:
    reviewing.draw_clauses(
        review,
        seed="abc",
        share=20,
        by=world.posts.city_officer,
        version=review.version,
        **more,
    )
    return fresh(review)


def rechecked(world, review: CapabilityReview, worse: dict[str, str] | None = None):
    """The city grades the drawn clauses as the county did, but for those in `worse` (code → grade)."""
    by = world.posts.city_officer
    for line in CapabilityLine.objects.filter(review=review, drawn=True).select_related(
        "clause", "review__institution", "review__round"
    ):
        letter = (worse or {}).get(line.clause.code, line.review_grade)
        values = {"grade": letter, "note": "现场核查不符" if worse else ""}
        reviewing.judge_line(line, values, by=by, version=line.version)
    reviewing.finish_recheck(review, by=by, version=review.version, note="复核完毕")
    return fresh(review)


def confirmed(world, round: CapabilityRound, **more) -> CapabilityReview:
    """All the way to the city's confirmation."""
    review = reported(world, passed(world, applied(world, round, **more)))
    return rechecked(world, checking(world, review))


def url(name: str, row) -> str:
    return reverse(f"scoring:capability_{name}", args=[row.pk])
