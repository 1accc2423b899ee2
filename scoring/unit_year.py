"""Which unit's year a money page is about: asked for by `?unit=…&year=…`, else the post's own and the newest."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404

from institutions import clock
from institutions.http import Request
from institutions.models import Institution
from scoring import year_end


@dataclass(frozen=True)
class UnitYear:
    """The choice, with what else could be chosen; `whole`: the post sees all of the unit, not just its own row."""

    unit: Institution
    year: int
    units: list[Institution]
    years: list[int]
    whole: bool

    @property
    def query(self) -> str:
        return urlencode({"unit": self.unit.code, "year": self.year})


def chosen(request: Request) -> UnitYear | None:
    """Return what is asked for; None when there is nothing to choose from. An unknown unit is 404."""
    units = year_end.units_in_sight(request.post)
    code = request.GET.get("unit", "")
    unit = next((one for one in units if one.code == code), None) if code else None
    if code and unit is None:
        raise Http404
    unit = unit or (units[0] if units else None)
    if unit is None:
        return None
    years = year_end.years_in_sight(request.post, unit) or [clock.today().year]
    text = request.GET.get("year", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else years[0]
    whole = Institution.objects.visible_to(request.post).filter(pk=unit.pk).exists()
    return UnitYear(unit, year, units, sorted({*years, year}, reverse=True), whole)
