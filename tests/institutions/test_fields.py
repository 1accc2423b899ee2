"""Points and money are whole numbers in the database and add up alike on both engines."""

from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum

from scoring.models import Adjustment, Prepayment


@pytest.fixture
def paid(world):
    for year in range(2000, 2010):
        Prepayment.objects.create(
            institution=world.centre, year=year, amount=Decimal("12345678.91")
        )
    return Prepayment.objects.all()


def test_a_sum_is_exact(paid):
    assert paid.aggregate(total=Sum("amount"))["total"] == Decimal("123456789.10")


def test_the_database_holds_hundredths(paid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT amount FROM scoring_prepayment")
        assert cursor.fetchall() == [(1234567891,)]


def test_comparison_is_in_yuan(paid):
    assert paid.filter(amount__gte=Decimal("12345678.91")).count() == 10
    assert paid.filter(amount__gt=Decimal("12345678.91")).count() == 0


@pytest.mark.parametrize("value", ["1.005", "2.665", "0.001"])
def test_a_value_that_was_not_rounded_is_refused(world, value):
    with pytest.raises(ValueError, match="round it first"):
        Adjustment.objects.create(
            institution=world.centre, year=2023, kind="bonus", points=Decimal(value), reason="示例"
        )
