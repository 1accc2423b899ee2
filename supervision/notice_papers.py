"""A notice as an official paper: the same for the screen, for a draft to look at, and for the frozen document."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from institutions import clock
from institutions.official import Annex, Paper, blocks
from supervision.models import Notice

GAP = "\u3000"
_SIGNED = {
    Notice.Kind.DEMAND: (
        f"签收单位（盖章）：{GAP * 7}签收人（签字）：",
        f"签收日期：{GAP * 3}年{GAP * 2}月{GAP * 2}日",
    ),
    Notice.Kind.FEEDBACK: (
        f"督导组组长（签字）：{GAP * 6}被督导机构负责人（签字）：",
        f"日期：{GAP * 3}年{GAP * 2}月{GAP * 2}日",
    ),
}
# Papers to many bear 文件; a paper to one institution bears the name alone.
_TO_MANY = frozenset({Notice.Kind.BULLETIN, Notice.Kind.RECALL})


def as_table(annex: Annex) -> dict[str, Any]:
    """Return an annex as it is kept beside the notice."""
    return {
        "title": annex.title,
        "columns": list(annex.columns),
        "widths": list(annex.widths),
        "rows": [list(row) for row in annex.rows],
        "note": annex.note,
    }


def annexes(tables: Sequence[dict[str, Any]]) -> list[Annex]:
    return [
        Annex(t["title"], t["columns"], t["rows"], t.get("widths", ()), t.get("note", ""))
        for t in tables
    ]


def paper_of(
    notice: Notice, *, number: str = "", day: date | None = None, signer: str = ""
) -> Paper:
    """Return what the notice says; a draft bears today's date and an open number."""
    office = notice.institution.name
    many = notice.kind in _TO_MANY
    title = notice.signer.title if notice.signer else ""
    return Paper(
        office=office,
        mark=f"{office}文件" if many else office,
        number=number or notice.number_text or _open_number(notice),
        signer=signer or notice.signer_title or title,
        title=notice.title,
        addressee=notice.addressee,
        body=blocks(notice.body),
        day=day or notice.issued_on or clock.today(),
        annexes=annexes(notice.tables),
        signatures=_SIGNED.get(Notice.Kind(notice.kind), ()),
        printed_by=office if many else "",
    )


def _open_number(notice: Notice) -> str:
    return f"{notice.word}〔{clock.today().year}〕{GAP}号" if notice.word else "（印发时编号）"


def file_name(notice: Notice) -> str:
    return f"{notice.number_text or '拟稿'} {notice.title}"[:120].strip() + ".docx"
