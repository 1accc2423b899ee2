"""Who and what takes part: institutions by code, posts by user name, fetched anew on each day of the demo."""

import csv
from collections.abc import Iterator
from datetime import date
from importlib import resources

from institutions import clock
from institutions.models import Institution, Kind, Post, Region, ServiceItem

YEAR = 2023
TODAY = date(2023, 11, 20)
# The last day that is over: nothing of the demo lies later than the moment it is looked at.
YESTERDAY = date(2023, 11, 17)
# One password for all demo accounts, shown by `demo --accounts`; such a database serves this machine alone.
PASSWORD = "Zhoucun-demo-2023"  # noqa: S105
CENTRES = ("ZC-FY", "ZC-QNL", "ZC-WC", "ZC-NJ", "ZC-BJ", "ZC-JKQ")
PROFESSIONAL = ("ZC-CDC", "ZC-FY", "ZC-JSB", "ZC-JD")
MIDWIFERY = ("ZC-SZYY", "ZC-148", "ZC-RMYY", "ZC-FY")
# Who answers for an institution, and who does the daily work there.
HEADS = {
    "ZC-SZYY": "szyy",
    "ZC-148": "y148",
    "ZC-RMYY": "renmin",
    "ZC-FY": "dajie",
    "ZC-CDC": "jikongzr",
    "ZC-JD": "dadui",
    "ZC-JSB": "jingshen",
    "ZC-QNL": "qingnian",
    "ZC-WC": "wangcun",
    "ZC-NJ": "nanjiao",
    "ZC-BJ": "beijiao",
    "ZC-JKQ": "jingkai",
    "ZL-A": "linqu1",
    "ZL-B": "linqu2",
    "SJ-ZX": "shilizx",
    "EQ-HZ": "houzhai",
    "EQ-MZ": "mazhai",
    "EQ-SQ1": "erqi1",
    "EQ-SQ2": "erqi2",
    "ZW-SPT": "shapotou",
    "ZW-ZN": "zhongning",
    "ZW-HY": "haiyuan",
    "ZW-BH": "binhe",
    "ZW-SPT-A": "shapotou1",
    "ZW-SPT-B": "shapotou2",
    "ZW-ZN-A": "zhongning1",
    "ZW-ZN-B": "zhongning2",
    "ZW-HY-A": "haiyuan1",
    "ZW-HY-B": "haiyuan2",
}
STAFF = {
    "ZC-FY": "dajiegw",
    "ZC-RMYY": "renmingw",
    "ZC-QNL": "qingniangw",
    "ZC-WC": "wangcungw",
    "ZC-NJ": "nanjiaogw",
    "ZC-BJ": "beijiaogw",
    "ZC-JKQ": "jingkaigw",
}


def rows(name: str) -> Iterator[dict[str, str]]:
    """Read one of the demo's own tables."""
    text = resources.files("config.demo").joinpath(f"data/{name}.csv").read_text("utf-8")
    return csv.DictReader(text.splitlines(keepends=True))


def many(cell: str) -> list[str]:
    return [part for part in cell.split(";") if part]


class Cast:
    """Looks up by code and name; a post is fetched once for each day, since its reach depends on the date."""

    def __init__(self) -> None:
        self.units = {
            unit.code: unit
            for unit in Institution.objects.select_related("bureau", "region", "parent")
        }
        self.items = {item.code: item for item in ServiceItem.objects.all()}
        self.regions = {region.code: region for region in Region.objects.filter(level__gte=2)}
        self._ids: dict[tuple[str, str], int] = {}
        self._posts: dict[tuple[int, date], Post] = {}

    def unit(self, code: str) -> Institution:
        return self.units[code]

    def below(self, code: str) -> list[Institution]:
        """Return the clinics and stations of a centre in the order of their codes."""
        path = self.units[code].path
        return [
            u for _, u in sorted(self.units.items()) if u.path.startswith(path) and u.code != code
        ]

    def post(self, username: str, role: str = "") -> Post:
        """Return the post of a person today: the first, or the one with that role."""
        key = (username, role)
        if key not in self._ids:
            held = Post.objects.filter(user__username=username).order_by("pk")
            found = (held.filter(role=role) if role else held).values_list("pk", flat=True).first()
            if found is None:
                raise LookupError(username)
            self._ids[key] = found
        day = clock.today()
        if (self._ids[key], day) not in self._posts:
            self._posts[self._ids[key], day] = Post.objects.select_related(
                "institution__bureau", "institution__region", "user", "region"
            ).get(pk=self._ids[key])
        return self._posts[self._ids[key], day]

    def head(self, unit: Institution) -> Post:
        return self.post(HEADS.get(unit.code) or doctor_name(unit))

    def worker(self, unit: Institution) -> Post:
        """Return who does the daily work: the public health staff, else the head."""
        return self.post(STAFF[unit.code]) if unit.code in STAFF else self.head(unit)

    def forget(self) -> None:
        """Fetch posts anew: their mandates have changed today."""
        self._posts.clear()


def doctor_name(clinic: Institution) -> str:
    """Return the user name at a clinic: the head of its centre and the clinic's number (wangcun01)."""
    parent, _, number = clinic.code.rpartition("-")
    return f"{HEADS[parent]}{number}"


def is_clinic(unit: Institution) -> bool:
    return unit.kind in (Kind.CLINIC, Kind.STATION)
