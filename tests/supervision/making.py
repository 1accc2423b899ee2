"""Rounds, visits and problems for the tests of this floor; the world is that of tests/builders.py."""

from datetime import timedelta

from campaigns.models import Campaign, Clause, Phase, Standard
from institutions import clock
from institutions.models import Post
from supervision.handing_out import NewProblem, hand_out
from supervision.models import Rectification, SupervisionRound, Visit
from tests.builders import item, picture


def fresh(post: Post) -> Post:
    """The post as the next request sees it, without a reach remembered from before."""
    return Post.objects.select_related("institution__bureau", "institution__region", "user").get(
        pk=post.pk
    )


def standard(bureau, codes=("08", "09")) -> Standard:
    row = Standard.objects.create(
        bureau=bureau, code="DD", year=2023, name="督导检查表", kinds=["community", "township"]
    )
    for position, code in enumerate(codes, start=1):
        Clause.objects.create(
            standard=row,
            code=f"D{position}",
            position=position,
            item=item(code),
            name=f"{item(code).short_name}管理",
            method="manual",
            full_marks=10,
        )
    Standard.objects.filter(pk=row.pk).update(status="published", published_at=clock.now())
    return Standard.objects.get(pk=row.pk)


def round_of(world, *, by=None, items=("08", "09"), of_standard=None, **more) -> SupervisionRound:
    by = by or world.posts.officer
    today = clock.today()
    row = SupervisionRound.objects.create(
        institution=by.institution,
        supervisor=by.institution,
        author=by,
        standard=of_standard,
        **{
            "name": "第一季度质控督导",
            "year": today.year,
            "quarter": 1,
            "starts": today,
            "ends": today + timedelta(days=30),
            **more,
        },
    )
    row.items.set([item(code) for code in items])
    return row


def visit_of(round, institution, lead, *, members=(), items=("08",), **more) -> Visit:
    today = clock.today()
    row = Visit.objects.create(
        round=round,
        institution=institution,
        supervisor=round.supervisor,
        lead=lead,
        **{"starts": today, "ends": today, **more},
    )
    row.members.set(members)
    row.items.set([item(code) for code in items])
    return row


def new_problem(institution, text="体检项目缺项", *, code="08", **more) -> NewProblem:
    today = clock.today()
    values = {
        "source": "province",
        "year": 2022,
        "found_on": today,
        "due": today + timedelta(days=10),
        "item": item(code) if code else None,
    }
    return NewProblem(institution=institution, text=text, **{**values, **more})


def rectification(world, institution, *, by=None, **more) -> Rectification:
    made = hand_out([new_problem(institution, **more)], by=by or world.posts.officer)
    return Rectification.objects.get(problem=made[0])


def ready(row: Rectification, by: Post) -> Rectification:
    """Sign, fill in and prove: all that must be there before applying for closing."""
    from institutions import files

    if row.status == "assigned":
        row.sign(by=by, version=row.version)
    row.measures, row.leader, row.person = "补做体检", "分管副主任", "公卫科经办人"
    row.save()
    row.files.add(files.store(picture(), by=by))
    return row


def applied(row: Rectification, by: Post) -> Rectification:
    ready(row, by).apply(by=by, version=row.version)
    return row


def phase(world, **more) -> Phase:
    campaign = Campaign.objects.create(
        institution=world.county,
        supervisor=world.county,
        author=world.posts.officer,
        name="质量提升年活动",
        title="通知",
        number="周卫健字〔2023〕13号",
        year=2023,
        issued_on="2023-02-28",
        status="issued",
    )
    return Phase.objects.create(
        campaign=campaign,
        institution=world.county,
        supervisor=world.county,
        author=world.posts.officer,
        position=2,
        name="整改落实阶段",
        ends="2023-03-31",
        **more,
    )
