"""Ask a demo database everything the tests want to know, in one process, and print it as JSON.

Run as `python -m tests.config.demo_facts` with the settings of that database; `tests/config/test_demo.py` does.
"""

import hashlib
import json
import re
import sys
from collections import Counter
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.db.models import Count, F, Q, Sum  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import resolve  # noqa: E402

from campaigns.models import (  # noqa: E402
    BreakthroughSubmission,
    Campaign,
    Passage,
    Phase,
    Report,
)
from config.demo.cast import PASSWORD  # noqa: E402
from institutions import audit  # noqa: E402
from institutions.models import (  # noqa: E402
    Event,
    Institution,
    Notification,
    Population,
    Post,
    StaffMember,
    StoredFile,
    User,
)
from institutions.sheets import write_csv  # noqa: E402
from scoring.models import Evaluation, ScoreLine, ScoreSection, ScoreSheet, YearResult  # noqa: E402
from scoring.year_end import HEADERS, export_rows  # noqa: E402
from supervision.models import Rectification, Visit  # noqa: E402

ROLES = (
    "jifu",
    "jifukz",
    "juzhang",
    "caiwu",
    "xitong",
    "anquan",
    "jijian",
    "shiji",
    "linqu",
    "jikong",
    "fuyou",
    "zhuanjia1",
    "qingniangw",
    "wangcun",
    "wangcungw",
    "wangcun01",
    "renmin",
    "jingkai",
    "wangcunzf",
    "shiliqu",
    "erqi",
    "zhongwei",
    "binhe",
)
LINK = re.compile(r'href="(/[^"#]*)"')
WRITES = re.compile(r"/(logout|exports)/|/files/|/file/|/template/")


def statuses(rows: Any) -> dict[str, int]:
    return dict(Counter(rows.values_list("status", flat=True)))


def wrong_sums() -> list[str]:
    """Return what does not add up: sections against their lines, sheets against their sections."""
    wrong = []
    for field in ("self_points", "self_full", "points", "full"):
        sections = ScoreSection.objects.annotate(whole=Sum(f"lines__{field}"))
        wrong += [
            f"section {s.pk} {field}" for s in sections if (s.whole or 0) != getattr(s, field)
        ]
        sheets = ScoreSheet.objects.annotate(whole=Sum(f"lines__{field}"))
        wrong += [
            f"sheet {s.pk} {field}" for s in sheets if max(s.whole or 0, 0) != getattr(s, field)
        ]
    return wrong


def names() -> list[str]:
    """Return every name of a person that is not the title of a post or a duty."""
    titles = set(Post.objects.values_list("title", flat=True))
    said = set(User._default_manager.values_list("name", flat=True))
    said |= set(Rectification.objects.exclude(person="").values_list("person", flat=True))
    said |= set(Rectification.objects.exclude(leader="").values_list("leader", flat=True))
    said |= set(Campaign.objects.exclude(signer="").values_list("signer", flat=True))
    said |= {
        re.sub(r"岗\d$", "岗", name) for name in StaffMember.objects.values_list("name", flat=True)
    }
    titles |= set(StaffMember.objects.values_list("title", flat=True))
    return sorted(said - titles)


def unlinked_passages() -> list[str]:
    """Return the passages that became nothing and do not say why, by a reading of their own."""
    rows = Passage.objects.annotate(**{f"n_{name}": Count(name) for name in Passage.LINKS})
    nothing = Q(became="", nothing="", **{f"n_{name}": 0 for name in Passage.LINKS})
    return [f"{p.campaign} {p.position}" for p in rows.filter(nothing).select_related("campaign")]


def papers() -> dict[str, list[str]]:
    """Return each paper as it would be printed, part by part, by the year and place of its office."""
    found = {}
    campaigns = Campaign.objects.filter(parent__isnull=True).select_related("institution")
    for row in campaigns.prefetch_related("passages", "focuses"):
        signer = f"签发人：{row.signer}" if row.signer else ""
        parts = [row.number, signer, row.title, row.salutation]
        for passage in row.passages.all():
            parts += [passage.heading, passage.text]
        if focuses := row.focuses.all():
            parts += ["附件：", "辖区各机构工作督导重点内容", "机构名称督导重点"]
            parts += [part for focus in focuses for part in (focus.names, focus.text)]
        found[f"{row.institution.code} {row.year}"] = parts
    return found


def pages(username: str) -> dict[str, int]:
    """Log in by the form and open one page of every kind that can be reached by links from the first."""
    client = Client(HTTP_HOST="localhost")
    answer = client.post("/login/", {"username": username, "password": PASSWORD})
    seen: dict[str, int] = {"/login/": answer.status_code}
    kinds: Counter[str] = Counter()
    waiting = ["/"]
    while waiting:
        path = waiting.pop(0)
        kind = resolve(path.partition("?")[0]).view_name
        if path in seen or kinds[kind] >= 1 or WRITES.search(path) or kind.startswith("admin:"):
            continue
        kinds[kind] += 1
        try:
            answer = client.get(path)
        except Exception as error:  # a page that breaks is what we look for
            seen[f"{path} {type(error).__name__}: {error}"] = 500
            continue
        seen[path] = answer.status_code
        if answer.status_code == 200 and "html" in answer.headers["Content-Type"]:
            found = LINK.findall(answer.content.decode())
            waiting += [
                link.replace("&amp;", "&") for link in found if not link.startswith("/static")
            ]
    return seen


def year_end() -> dict[str, str]:
    """Return the sha256 of each year-end table as exported."""
    found = {}
    for unit, year in (
        YearResult.objects.values_list("unit__code", "year")
        .distinct()
        .order_by("unit__code", "year")
    ):
        rows = YearResult.objects.filter(unit__code=unit, year=year).select_related("institution")
        table = b"".join(write_csv(export_rows(rows.order_by("position")), HEADERS))
        found[f"{unit} {year}"] = hashlib.sha256(table).hexdigest()
    return found


def facts() -> dict[str, Any]:
    return {
        "institutions": dict(Counter(Institution.objects.values_list("kind", flat=True))),
        "clinics_by_centre": dict(
            Institution.objects.filter(kind="clinic", path__startswith="ZB/ZC/")
            .values_list("parent__code")
            .annotate(n=Count("pk"))
        ),
        "people_2023": Population.objects.filter(
            year=2023, institution__parent__code="ZC"
        ).aggregate(n=Sum("residents"))["n"],
        "reports": statuses(Report.objects),
        "rectifications": statuses(Rectification.objects),
        "visits": statuses(Visit.objects),
        "sheets_q4": statuses(
            ScoreSheet.objects.filter(year=2023, quarter=4, supervisor__code="ZC")
        ),
        "breakthroughs": statuses(BreakthroughSubmission.objects),
        "evaluations": statuses(Evaluation.objects),
        "phases": list(
            Phase.objects.filter(campaign__year=2023)
            .order_by("position")
            .values_list("status", flat=True)
        ),
        "overdue": Rectification.objects.filter(
            status__in=["assigned", "signed", "returned"], due__lt="2023-11-20"
        ).count(),
        "unlinked_passages": unlinked_passages(),
        "papers": papers(),
        "reports_left": list(
            Report.objects.filter(task__campaign__year__lt=2023)
            .exclude(status=Report.Status.ACCEPTED)
            .values_list("task__name", flat=True)
        ),
        "passed_on": {
            row.institution.code: [row.status, row.sums]
            for row in Report.objects.filter(
                task__campaign__institution__code="ZW", institution__kind="bureau", level=""
            )
            .exclude(sums={})
            .select_related("institution")
        },
        "wrong_sums": wrong_sums(),
        "lines_over_full": ScoreLine.objects.filter(points__gt=F("full")).count(),
        "names": names(),
        "breaks": [str(b) for b in audit.verify()],
        "events": Event.objects.count(),
        "events_in_time": all(
            list(moments) == sorted(moments)
            for moments in (
                Event.objects.filter(bureau__code=code).order_by("seq").values_list("at", flat=True)
                for code in ("ZC", "ZL")
            )
        ),
        "notifications": Notification.objects.count(),
        "after_the_day": Event.objects.filter(at__gte="2023-11-21T00:00:00+08:00").count(),
        "files_missing": [f.name for f in StoredFile.objects.all() if not f.path.exists()],
        "year_end": year_end(),
        "pages": {name: pages(name) for name in ROLES},
    }


def size() -> dict[str, int]:
    """Return how many rows each table of ours holds, and where the chains of the trail end."""
    ours = ("institutions", "campaigns", "supervision", "scoring")
    models = [m for m in apps.get_models(include_auto_created=True) if m._meta.app_label in ours]
    return {
        **{model._meta.label: model._base_manager.count() for model in models},
        **{f"{key} {mac}": seq for key, (seq, mac) in audit.heads().items()},
    }


if __name__ == "__main__":
    print(json.dumps(size() if "--size" in sys.argv else facts(), ensure_ascii=False, default=str))  # noqa: T201
