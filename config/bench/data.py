"""A made-up bureau of any size (示例), filled inside the database by integer arithmetic: the same on both engines.

One bureau directly above N township centres, so that each deed is as large as the scale says. 2023 has four final
quarters of 45 clauses; 2024 waits for the deeds: quarter 1 is drafted, 2 open, 3 has no sheets, 4 has sheets without lines.
"""

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.core.management import call_command
from django.db import connection, transaction

from campaigns.models import Clause, Standard
from institutions import clock
from institutions.inserting import insert_from
from institutions.models import (
    Institution,
    Kind,
    Population,
    Post,
    Region,
    ServiceItem,
    User,
)
from institutions.roles import Role
from scoring.models import (
    Adjustment,
    Evaluation,
    Prepayment,
    ScoreLine,
    ScoreSection,
    ScoreSheet,
    Workload,
    WorkUnit,
)

YEAR, NEXT = 2023, 2024
BUREAU, STANDARD = "BENCH", "BENCH45"
ITEMS = ("01", "02", "03", "04", "05", "06", "07a", "08", "09")
CLAUSES = 45
SERVICES = ("01", "02", "03")
DRAFTED, OPENED, ABSENT, PREPARED = 1, 2, 3, 4
# What the product takes in one file is 200,000 rows; 4,000 institutions of 45 clauses are 180,000.
IN_A_FILE = 4000

# The number of an institution is in its code, and every figure follows from it.
NUMBER = "CAST(SUBSTR(institution.code, 2) AS INTEGER)"


def fill(size: int) -> Post:
    """Fill an empty database with a bureau of `size` institutions; return the post that acts for it."""
    call_command("load_reference", verbosity=0)
    with transaction.atomic():
        post = _bureau()
        _institutions(post.institution, size)
        standard = _standard(post.institution)
        _year_rows(post.institution)
        for quarter in (1, 2, 3, 4):
            _final_quarter(post, standard, quarter)
        _workload(post.institution)
        _next_year(post, standard, size)
    _settle_statistics()
    return post


def the_post(username: str = "bench") -> Post:
    """Return a post of the bureau in a filled database: the officer, or `bench-system`."""
    posts = Post.objects.select_related("institution__bureau", "institution__region", "user")
    return posts.get(user__username=username)


def evaluation(quarter: int, year: int = NEXT) -> Evaluation:
    rows = Evaluation.objects.select_related("supervisor__bureau", "standard", "institution")
    return rows.get(year=year, quarter=quarter, supervisor__code=BUREAU)


def _bureau() -> Post:
    region = Region.objects.get(code="370306")
    bureau = Institution(code=BUREAU, name="示例卫生健康局", kind=Kind.BUREAU, region=region)
    bureau.save()
    Post.objects.create(
        institution=bureau, role=Role.SYSTEM, title="系统管理员", user=_user("bench-system")
    )
    return Post.objects.create(
        institution=bureau, role=Role.OFFICER, title="基层科经办人", user=_user("bench")
    )


def _user(username: str) -> User:
    user = User.objects.create_user(username, "示例经办人")
    user.password_set_on = clock.today()
    user.save()
    return user


def _institutions(bureau: Institution, size: int) -> None:
    code = "'I' || SUBSTR(CAST(1000000 + n.i AS VARCHAR(7)), 2)"
    insert_from(
        Institution,
        {
            "code": code,
            "name": f"'示例卫生院' || {code}",
            "kind": "'township'",
            "parent_id": str(int(bureau.pk)),
            "region_id": str(int(bureau.region_id or 0)),
            "path": f"'{BUREAU}/' || {code} || '/'",
            "bureau_id": str(int(bureau.pk)),
            "search": f"LOWER({code}) || ' 示例卫生院 slwsy'",
        },
        f"FROM ({_numbers(size)}) n",
    )


def _numbers(size: int) -> str:
    """A subquery of the numbers 1 to `size` in a column `i`, in the dialect of the database."""
    if connection.vendor == "postgresql":
        return f"SELECT i FROM generate_series(1, {int(size)}) AS i"  # noqa: S608
    return (
        "WITH RECURSIVE up(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM up"  # noqa: S608
        f" WHERE i < {int(size)}) SELECT i FROM up"
    )


def _standard(bureau: Institution) -> Standard:
    """45 leaf clauses under nine items, 100 marks: two of three by 达标折算 against 90%, the third by hand."""
    standard = Standard.objects.create(
        bureau=bureau,
        code=STANDARD,
        year=YEAR,
        name="示例季度评价标准",
        kinds=[Kind.TOWNSHIP],
        full_marks=Decimal(100),
    )
    items = {item.code: item for item in ServiceItem.objects.filter(code__in=ITEMS)}
    for position in range(1, CLAUSES + 1):
        Clause.objects.create(
            standard=standard,
            code=f"K{position:02d}",
            position=position,
            item=items[ITEMS[(position - 1) // 5]],
            name=f"示例条款{position}",
            method="manual" if position % 3 == 0 else "attain",
            full_marks=Decimal(marks(position)).scaleb(-2),
            target="" if position % 3 == 0 else "90%",
        )
    Standard.objects.filter(pk=standard.pk).update(
        status=Standard.Status.PUBLISHED, published_at=clock.now()
    )
    standard.refresh_from_db()
    return standard


def _year_rows(bureau: Institution) -> None:
    mine = "FROM institutions_institution institution WHERE parent_id = %s"
    common = {"bureau_id": "bureau_id", "institution_id": "id", "year": str(YEAR)}
    insert_from(
        Population,
        {
            "institution_id": "id",
            "year": str(YEAR),
            "residents": f"3000 + ({NUMBER} * 37) %% 20000",
        },
        mine,
        [bureau.pk],
    )
    insert_from(Prepayment, {**common, "amount": f"({NUMBER} %% 90) * 10000000"}, mine, [bureau.pk])
    for kind, points, every in (("bonus", 150, 10), ("deduction", 50, 7)):
        insert_from(
            Adjustment,
            {**common, "kind": f"'{kind}'", "points": str(points), "reason": "'示例事由'"},
            f"{mine} AND {NUMBER} %% {every} = 0",
            [bureau.pk],
        )


def add_evaluation(
    post: Post, standard: Standard, year: int, quarter: int, status: str
) -> Evaluation:
    """Add an evaluation by the bureau, at whatever stage."""
    day = date(year, 3 * quarter - 2, 1)
    row = Evaluation(
        name=f"{year}年第{quarter}季度示例评价",
        institution=post.institution,
        supervisor=post.institution,
        author=post,
        standard=standard,
        year=year,
        quarter=quarter,
        starts=day,
        self_due=day,
        verify_due=day,
        status=status,
        published_at=clock.now() if status == Evaluation.Status.FINAL else None,
    )
    row.save()
    return row


def add_sheets(row: Evaluation, up_to: int, **columns: str) -> None:
    """Add a sheet for each of the first `up_to` institutions; `columns` as for `insert_from`."""
    bureau = row.supervisor_id
    insert_from(
        ScoreSheet,
        {
            "evaluation_id": str(int(row.pk)),
            "bureau_id": str(int(bureau)),
            "institution_id": "institution.id",
            "supervisor_id": str(int(bureau)),
            "author_id": str(int(row.author_id or 0)),
            "year": str(int(row.year)),
            "quarter": str(int(row.quarter)),
            **columns,
        },
        f"FROM institutions_institution institution WHERE parent_id = %s AND {NUMBER} <= {int(up_to)}"
        " ORDER BY institution.code",
        [bureau],
    )


def add_sections(row: Evaluation, **columns: str) -> None:
    """Nine sections a sheet, by hand-written SQL: what `opening.add_lines` is measured against too."""
    insert_from(
        ScoreSection,
        {
            "sheet_id": "sheet.id",
            "bureau_id": "sheet.bureau_id",
            "institution_id": "sheet.institution_id",
            "supervisor_id": "sheet.supervisor_id",
            "item_id": "part.item_id",
            "title": "part.name",
            "position": "part.position",
            "self_full": "part.marks",
            "full": "part.marks",
            **columns,
        },
        "FROM scoring_scoresheet sheet CROSS JOIN ("
        " SELECT clause.item_id, item.name, (MIN(clause.position) + 4) / 5 AS position,"
        " CAST(SUM(clause.full_marks) AS BIGINT) AS marks"
        " FROM campaigns_clause clause JOIN institutions_serviceitem item ON item.id = clause.item_id"
        " WHERE clause.standard_id = %s GROUP BY clause.item_id, item.name) part"
        " WHERE sheet.evaluation_id = %s ORDER BY sheet.id, part.position",
        [row.standard_id, row.pk],
    )


def add_blank_lines(row: Evaluation) -> None:
    """45 blank lines a sheet, by hand-written SQL."""
    insert_from(
        ScoreLine,
        {
            "sheet_id": "section.sheet_id",
            "section_id": "section.id",
            "clause_id": "clause.id",
            "self_full": "clause.full_marks",
            "full": "clause.full_marks",
        },
        "FROM scoring_scoresection section JOIN scoring_scoresheet sheet ON sheet.id = section.sheet_id"
        " JOIN campaigns_clause clause ON clause.item_id = section.item_id AND clause.standard_id = %s"
        " WHERE sheet.evaluation_id = %s ORDER BY section.sheet_id, clause.position",
        [row.standard_id, row.pk],
    )


def _final_quarter(post: Post, standard: Standard, quarter: int) -> None:
    row = add_evaluation(post, standard, YEAR, quarter, Evaluation.Status.FINAL)
    done = "'2023-12-01 00:00:00+00:00'"
    add_sheets(
        row,
        10**7,
        status="'verified'",
        submitted_at=done,
        verified_at=done,
        # The real ones follow from the lines below; the check wants some.
        score="0",
        full="1",
    )
    add_sections(row, status="'done'", verifier_id=str(int(post.pk)), verified_at=done)
    share = f"(60 + ({NUMBER} * 31 + clause.position * 17 + {quarter} * 11) %% 41)"
    people = f"(100 + ({NUMBER} * 7 + clause.position * 13) %% 900)"
    reached = f"({people} * {share} / 100)"
    manual = "clause.method = 'manual'"
    full = "clause.full_marks"
    gained = (
        f"CASE WHEN {manual} THEN ({full} * {share} + 50) / 100"
        f" WHEN {reached} * 10 >= {people} * 9 THEN {full}"
        f" ELSE (2 * {full} * {reached} * 10 + 9 * {people}) / (2 * 9 * {people}) END"
    )
    figures = {
        "numerator": f"CASE WHEN {manual} THEN NULL ELSE {reached} * 100 END",
        "denominator": f"CASE WHEN {manual} THEN NULL ELSE {people} * 100 END",
        "entered": f"CASE WHEN {manual} THEN ({full} * {share} + 50) / 100 END",
        "points": gained,
        "full": full,
    }
    insert_from(
        ScoreLine,
        {
            "sheet_id": "section.sheet_id",
            "section_id": "section.id",
            "clause_id": "clause.id",
            **figures,
            **{f"self_{name}": sql for name, sql in figures.items()},
        },
        "FROM scoring_scoresection section"
        " JOIN scoring_scoresheet sheet ON sheet.id = section.sheet_id"
        " JOIN institutions_institution institution ON institution.id = section.institution_id"
        " JOIN campaigns_clause clause ON clause.item_id = section.item_id"
        f" AND clause.standard_id = {int(standard.pk)}"
        " WHERE sheet.evaluation_id = %s ORDER BY section.sheet_id, clause.position",
        [row.pk],
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # else PostgreSQL takes what was just filled for empty, and loops
        for table, owner in (("scoresection", "section_id"), ("scoresheet", "sheet_id")):
            score = ", score = (20000 * s.points + s.marks) / (2 * s.marks)"
            cursor.execute(
                f'UPDATE scoring_{table} SET points = s.points, "full" = s.marks,'  # noqa: S608
                f" self_points = s.points, self_full = s.marks{score if owner == 'sheet_id' else ''}"
                f" FROM (SELECT line.{owner} AS id, CAST(SUM(line.points) AS BIGINT) AS points,"
                f' CAST(SUM(line."full") AS BIGINT) AS marks FROM scoring_scoreline line'
                " JOIN scoring_scoresheet sheet ON sheet.id = line.sheet_id"
                f" WHERE sheet.evaluation_id = %s GROUP BY line.{owner}) s"
                f" WHERE s.id = scoring_{table}.id",
                [row.pk],
            )


def _workload(bureau: Institution) -> None:
    items = {item.code: item for item in ServiceItem.objects.filter(code__in=SERVICES)}
    for number, code in enumerate(SERVICES, start=1):
        WorkUnit.objects.create(
            bureau=bureau,
            institution=bureau,
            year=YEAR,
            code=f"{code}-1",
            name=f"示例服务{number}",
            item=items[code],
            coefficient=Decimal(number) / 2,
        )
    for quarter in (1, 2, 3, 4):
        insert_from(
            Workload,
            {
                "bureau_id": "institution.bureau_id",
                "institution_id": "institution.id",
                "year": str(YEAR),
                "quarter": str(quarter),
                "work_unit_id": "unit.id",
                "declared": f"(10 + ({NUMBER} * 13 + unit.id + {quarter}) %% 190) * 100",
                "approved": f"(10 + ({NUMBER} * 13 + {quarter}) %% 190) * 100",
            },
            "FROM institutions_institution institution CROSS JOIN scoring_workunit unit"
            " WHERE institution.parent_id = %s AND unit.institution_id = %s",
            [bureau.pk, bureau.pk],
        )


def _next_year(post: Post, standard: Standard, size: int) -> None:
    add_sheets(add_evaluation(post, standard, NEXT, DRAFTED, Evaluation.Status.DRAFT), size)
    opened = add_evaluation(post, standard, NEXT, OPENED, Evaluation.Status.OPEN)
    add_sheets(opened, IN_A_FILE)
    add_sections(opened)
    add_blank_lines(opened)
    prepared = add_evaluation(post, standard, NEXT, PREPARED, Evaluation.Status.OPEN)
    add_sheets(prepared, IN_A_FILE)
    add_sections(prepared)


def _settle_statistics() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and not connection.in_atomic_block:
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("ANALYZE")


HEAD = "机构代码,年度,季度,标准代码,条款代码,自评分子,自评分母,自评得分,核定分子,核定分母,核定得分"


def score_rows(size: int, quarter: int) -> Iterator[str]:
    """Yield the lines of a file `scores` for the first `size` institutions, both sides filled in."""
    yield HEAD
    for number in range(1, size + 1):
        for position in range(1, CLAUSES + 1):
            share, people = figures(number, position, quarter)
            if position % 3 == 0:
                gained = (marks(position) * share + 50) // 100
                side = f",,{gained // 100}.{gained % 100:02d}"
            else:
                side = f"{people * share // 100},{people},"
            yield f"I{number:06d},{NEXT},{quarter},{STANDARD},K{position:02d},{side},{side}"


def figures(number: int, position: int, quarter: int) -> tuple[int, int]:
    """Return the share reached in percent and the number of people, as `_final_quarter` makes them in SQL."""
    share = 60 + (number * 31 + position * 17 + quarter * 11) % 41
    return share, 100 + (number * 7 + position * 13) % 900


def marks(position: int) -> int:
    """Return the full marks of a clause in hundredths."""
    return 300 if position % 9 < 2 else 200


def score_file(size: int, quarter: int) -> io.BytesIO:
    return io.BytesIO("\r\n".join(score_rows(size, quarter)).encode("utf-8-sig"))
