"""What every template may load: dates, money and points as people write them, icons, queries."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

NOTHING = "—"
CENT = Decimal("0.01")
PLACE_IN_LIST = ("page", "after", "before")  # meaningless once the list is another one


def _day(value: date | datetime) -> date:
    """The calendar day of a date or, in the current time zone, of a moment."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


@register.filter
def date_cn(value: date | datetime | None) -> str:
    """2023年3月31日; a dash for no date."""
    if not value:
        return NOTHING
    day = _day(value)
    return f"{day.year}年{day.month}月{day.day}日"


@register.filter
def time_cn(value: datetime | None) -> str:
    """2023年3月31日 09:05, in the current time zone; a dash for no moment."""
    if not value:
        return NOTHING
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{date_cn(local)} {local:%H:%M}"


@register.filter
def days_left(value: date | datetime | None, today: date | None) -> int | None:
    """Days from `today` to the deadline: 0 is today, negative is overdue.

    A deadline is inclusive, so -1 is the first day late. None when either date is missing.
    """
    if not value or not today:
        return None
    return (_day(value) - today).days


@register.filter
def overdue_by(days: int) -> int:
    """Days late, as a positive number, from a negative answer of `days_left`."""
    return -days


@register.filter
def money(value: Decimal | int | None) -> str:
    """Yuan with thousands separators and two decimals: 1,234,567.80."""
    if value is None or value == "":
        return NOTHING
    return f"{_rounded(value):,}"


@register.filter
def points(value: Decimal | int | float | None) -> str:
    """Points with two decimals; a dash for what has not been scored."""
    if value is None or value == "":
        return NOTHING
    return f"{_rounded(value)}"


@register.filter
def percent(value: Decimal | float | None, places: int = 2) -> str:
    """A share (0.7038) as a percentage (70.38%), rounded half up to `places`."""
    if value is None or value == "":
        return NOTHING
    step = Decimal(1).scaleb(-places)
    return f"{(_decimal(value) * 100).quantize(step, ROUND_HALF_UP)}%"


def _decimal(value: Decimal | int | float | str) -> Decimal:
    # Through str, so that a float is read as it is written.
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _rounded(value: Decimal | int | float | str) -> Decimal:
    return _decimal(value).quantize(CENT, ROUND_HALF_UP)


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """The current query string with some parameters changed: `{% query sort="due" %}`.

    None removes a parameter. Unless it is itself what changes, the place in the list
    (page, after, before) is forgotten, since another list has other pages.
    """
    params = context["request"].GET.copy()
    for name in PLACE_IN_LIST:
        params.pop(name, None)
    for name, value in changes.items():
        if value is None:
            params.pop(name, None)
        elif isinstance(value, (list, tuple)):
            params.setlist(name, [str(item) for item in value])
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}"


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture from portal/icons.svg, hidden from screen readers: put words beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("portal/icons.svg"),
        name,
    )


@register.simple_block_tag
def capture(content: SafeString) -> SafeString:
    """What stands between the tags, kept by `as name` to be printed more than once."""
    return content
