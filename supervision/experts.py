"""Keeping the pool of experts: who is in it, and their declared ties."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from institutions import audit
from institutions.models import Institution, Post
from supervision.models import Expert, ExpertTie

PERM = "supervision.change_round"


def may_keep(bureau: Institution, post: Post) -> bool:
    """Say whether the post keeps the pool of that bureau."""
    return post.has_perm(PERM) and post.acts_for(bureau.pk) and bureau.is_bureau


def store(expert: Expert, *, by: Post) -> Expert:
    """Put an expert into the pool of the post's own bureau, or save what has changed."""
    new = expert.pk is None
    if new:
        expert.bureau = by.institution
    _refuse_stranger(expert, by)
    with transaction.atomic():
        expert.save()
        _record(expert, "add" if new else "change", "专家入库" if new else "修改专家", by)
    return expert


def declare(tie: ExpertTie, *, by: Post) -> ExpertTie:
    """Store a declared tie: from now on the expert is neither drawn for nor sent to that institution."""
    _refuse_stranger(tie.expert, by)
    with transaction.atomic():
        tie.save()
        _record(tie.expert, "declare", "申报回避", by, note=_said(tie))
    return tie


def withdraw(tie: ExpertTie, *, by: Post) -> None:
    _refuse_stranger(tie.expert, by)
    with transaction.atomic():
        _record(tie.expert, "withdraw", "撤销回避", by, note=_said(tie))
        tie.delete()


def _said(tie: ExpertTie) -> str:
    return f"{tie.institution.name}：{tie.reason}（{tie.starts or '—'} 至 {tie.ends or '—'}）"


def _refuse_stranger(expert: Expert, post: Post) -> None:
    if not may_keep(expert.bureau, post):
        raise PermissionDenied("专家库由建库的卫生健康行政部门维护")


def _record(expert: Expert, verb: str, label: str, by: Post, *, note: str = "") -> None:
    audit.record(
        f"supervision.expert.{verb}",
        label,
        by=by,
        bureau=expert.bureau,
        on=expert,
        institution=expert.employer,
        note=note,
        data={"professions": expert.professions, "active": expert.active},
    )
