"""Fields of our own: a decimal kept as a whole number, and several codes kept in one column."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable


class FixedField(models.BigIntegerField):
    """A `Decimal` with a fixed number of places, stored as an integer of its smallest unit.

    As `DecimalField`, 2.665 is saved as 2.66 by SQLite and 2.67 by PostgreSQL, and SQLite adds floats. As integers
    both add, compare and rank alike. Values must be rounded (`institutions.rounding.half_up`) before they get here:
    one that has more places raises `ValueError`.
    """

    # What django-stubs reads: set with a Decimal (or what is exact), got as one.
    _pyi_private_set_type: Decimal | int | str | Combinable  # type: ignore[assignment]
    _pyi_private_get_type: Decimal  # type: ignore[assignment]

    def __init__(self, *args: Any, places: int = 2, **kwargs: Any) -> None:
        self.places = places
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "places": self.places}

    def from_db_value(self, value, expression, connection):
        return None if value is None else Decimal(int(value)).scaleb(-self.places)

    def to_python(self, value):
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError as error:
            raise ValidationError("请填写数字") from error

    def get_prep_value(self, value):
        if value is None or hasattr(value, "resolve_expression"):
            return value
        scaled = Decimal(str(value)).scaleb(self.places)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {self.places} places: round it first")
        return int(scaled)

    def formfield(self, **kwargs):
        return models.Field.formfield(
            self,
            **{
                "form_class": forms.DecimalField,
                "decimal_places": self.places,
                "max_digits": 15,
                **kwargs,
            },
        )


class TagsField(models.CharField):
    """Several short codes in one column, kept as `|a|b|`, so that both databases find one of them alike."""

    # What django-stubs reads: set with the codes, got as a tuple of them.
    _pyi_private_set_type: Iterable[str]  # type: ignore[assignment]
    _pyi_private_get_type: tuple[str, ...]  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs = {"max_length": 80, "blank": True, "default": (), **kwargs}
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, *rest: Any) -> tuple[str, ...]:
        return self.to_python(value)

    def to_python(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            value = value.split("|")
        return tuple(code for code in value or () if code)

    def get_prep_value(self, value: Any) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        return f"|{'|'.join(value)}|" if value else ""
