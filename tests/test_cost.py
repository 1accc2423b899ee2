"""What the deeds cost, by counters that noise cannot touch, at the size of a county: docs/performance.md.

The year of 250 institutions is made by `config.bench.data`; ratios of time belong to `make bench`.
"""

import io
import tracemalloc
from math import ceil

import pytest
from django.db import connection, transaction
from django.urls import reverse

from config.bench import data, pages, steps
from config.bench.measuring import effort, statements, undone
from scoring.models import Evaluation, ScoreLine, ScoreSection, ScoreSheet, YearResult
from scoring.score_table import ScoreTable

pytestmark = [pytest.mark.perf, pytest.mark.django_db]
COUNTY = 250

# The same on both databases, in every run: the first of a sha256 over the stored figures of each deed.
OPENED = "240cf45d7b1a6ef8"
FINAL = "9325e77fdd4ca989"
FILLED = "3a0e30ab22a5545b"
SETTLED = "d5b9683af96efd42"
SPLIT = "a9f4e04f9e69c9d9"


@pytest.fixture(scope="module")
def county(django_db_setup, django_db_blocker):
    """Fill the county once for these tests, in a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield data.fill(COUNTY)
        transaction.set_rollback(True)


def count(deed) -> int:
    with undone(), statements() as counted:
        deed()
    return counted.count


def batches(model, rows: int, at_most: int) -> int:
    """How many INSERTs Django makes of so many rows: SQLite takes 999 values in one."""
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    fits = connection.ops.bulk_batch_size(fields, [None] * rows) or rows
    return ceil(rows / min(fits, at_most))


def peak_of(deed) -> float:
    """MB that Python held at most, once everything is imported."""
    with undone():
        deed()
    with undone():
        tracemalloc.start()
        try:
            deed()
            return tracemalloc.get_traced_memory()[1] / 2**20
        finally:
            tracemalloc.stop()


def bring_scores(size: int, quarter: int = data.ABSENT):
    content = data.score_file(size, quarter).getvalue()
    return lambda: steps.bring(ScoreTable(steps.scope()), io.BytesIO(content))


# --- Statements -----------------------------------------------------------------------------------------


def test_a_quarter_is_opened_in_as_many_statements_for_fifty_as_for_250(county):
    whole = count(lambda: steps.open_quarter(data.DRAFTED))
    with undone():
        sheets = data.evaluation(data.DRAFTED).sheets
        sheets.filter(institution__code__gt="I000050").delete()
        few = count(lambda: steps.open_quarter(data.DRAFTED))
    assert few == whole <= 30


def test_a_year_is_settled_in_a_few_statements_and_one_for_each_batch_of_rows(county):
    assert count(steps.settle) <= 20 + batches(YearResult, COUNTY, 2000)


def test_scores_are_imported_in_sets(county):
    size = 20
    rows = size * data.CLAUSES
    inserts = (
        batches(ScoreLine, rows, 2000)
        + batches(ScoreSection, size * len(data.ITEMS), 500)
        + batches(ScoreSheet, size, 500)
    )
    assert count(bring_scores(size)) <= 35 + inserts
    updates = batches(ScoreLine, rows, 500) + 2
    assert count(bring_scores(size, data.OPENED)) <= 35 + updates


def test_a_preview_writes_nothing_and_a_second_import_only_what_changed(county):
    content = data.score_file(20, data.ABSENT).getvalue()
    with undone(), statements() as counted:
        steps.bring(ScoreTable(steps.scope()), io.BytesIO(content), dry=True)
    assert counted.writes == 0
    again = steps.scores_again(20, 1)
    assert again.more["written"] == again.more["changed"] == 10


# --- Figures --------------------------------------------------------------------------------------------


def test_figures_are_those_of_the_limit_in_each_run_and_on_each_database(county):
    found = {
        name: step(20 if name in ("final", "filled") else COUNTY, 1)
        for name, step in {
            "opened": steps.opening_a_quarter,
            "final": steps.scores_new,
            "filled": steps.scores_open,
            "settled": steps.year_from_lines,
            "split": steps.year_by_pool,
        }.items()
    }
    assert {name: measured.equal for name, measured in found.items()} == dict.fromkeys(found, True)
    digests = {name: steps.digest([[m.more["digest"]]])[:16] for name, m in found.items()}
    assert digests == {
        "opened": OPENED,
        "final": FINAL,
        "filled": FILLED,
        "settled": SETTLED,
        "split": SPLIT,
    }


def test_the_year_agrees_with_decimals_added_up_by_hand(county):
    with undone():
        steps.settle()
        rows = YearResult.objects.filter(year=data.YEAR, unit__code=data.BUREAU)
        settled = list(
            rows.order_by("institution__code").values_list("institution__code", "quarters")
        )
    assert settled[:60] == steps.orm_scores(60)


# --- What the database has to do --------------------------------------------------------------------------


@pytest.fixture
def browser(county):
    return pages.logged_in()


def page_effort(browser, url: str) -> int:
    return pages.cost_of(browser, url).rows


def test_a_page_of_a_list_costs_the_same_when_its_quarter_is_three_times_as_long(browser, county):
    page = reverse("scoring:sheet_list")
    first = page_effort(browser, page)
    with undone():
        standard = data.evaluation(data.DRAFTED).standard
        for _ in range(2):
            row = data.add_evaluation(
                county, standard, data.NEXT, data.PREPARED, Evaluation.Status.OPEN
            )
            data.add_sheets(row, COUNTY)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        assert page_effort(browser, page) <= 1.2 * first + 2


def test_a_page_of_a_list_costs_little_more_than_one_written_by_hand(browser, county):
    by_hand = effort([(pages.BY_HAND, [county.institution_id])])
    assert page_effort(browser, reverse("scoring:sheet_list")) <= 15 * by_hand


# --- Memory ---------------------------------------------------------------------------------------------


def test_opening_holds_no_lines_in_memory(county):
    """11,250 lines as models would be more than 15 MB."""
    assert peak_of(lambda: steps.open_quarter(data.DRAFTED)) < 3


def test_the_long_form_goes_out_in_a_stream(county):
    """45,000 rows as models would be more than 60 MB; a chunk of 2,000 is held."""
    table = ScoreTable(steps.scope())
    assert peak_of(lambda: steps.Nowhere().writelines(table.write_csv(data.YEAR))) < 12


def test_a_year_takes_a_bounded_amount_for_each_institution(county):
    assert peak_of(steps.settle) * 1024 / COUNTY < 40
