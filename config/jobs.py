"""What jobs do: an import checks a staged file and writes it once it is confirmed; a dossier packs evidence."""

from typing import Any

from django.db import transaction

from config import dossier
from config.tables import kind_named
from institutions import audit, files, sheets
from institutions.codes import mask_personal
from institutions.jobs import Outcome, Progress, runner
from institutions.models import Job
from institutions.sheets import Refusal
from institutions.tables import Plan, Scope, Table

SHOWN = 200  # rows and errors on the page; the list of errors is offered whole


@runner("import")
def bring(job: Job, progress: Progress) -> Outcome:
    """Check the file; write it if its owner has confirmed exactly what it does. Raises `Refusal`."""
    try:
        table = kind_named(job.params["kind"])(Scope(job.unit, _owner(job)))
        plan = _plan(job, table, progress)
    except Refusal as refusal:
        _record_refusal(job, str(refusal))
        raise
    if not plan.ok:
        _record_refusal(job, str(plan))
        return Outcome(Job.State.FAILED, _report(plan), len(plan.rows), _error_list(job, plan))
    rows = len(plan.rows)
    if not job.params.get("confirmed"):
        return Outcome(Job.State.STAGED, _report(plan), rows)
    if plan.digest != job.params["confirmed"]:
        note = "核对以后，已有数据又有了变化，所以还没有写入。请重新核对下面的内容。"
        return Outcome(Job.State.STAGED, {**_report(plan), "notes": [note, *plan.notes]}, rows)
    table.commit(plan)
    return Outcome(Job.State.DONE, _report(plan), rows)


def _owner(job: Job) -> audit.Actor:
    """The post that speaks: still in office, and still allowed to import this kind."""
    post = job.owner
    table = kind_named(job.params["kind"])
    held = type(post).objects.held().filter(pk=post.pk).exists()
    if not held or not table.may_import(post) or job.unit_id != post.institution_id:
        raise Refusal(f"这个任职不能导入“{table.label}”。")
    return audit.actor(post, address=job.params.get("address", ""))


def _plan(job: Job, table: Table, progress: Progress) -> Plan:
    if job.source is None:
        raise Refusal("上传的文件已经清除，请重新上传。")
    with job.source.path.open("rb") as stream:
        return table.plan(stream, job.source.name, progress=progress)


def _report(plan: Plan) -> dict[str, Any]:
    """What the page tells; numbers of persons are masked."""
    return {
        "结果": str(plan),
        "新增": len(plan.new),
        "修改": len(plan.changed),
        "没有变化": plan.unchanged,
        "错误": plan.error_count,
        "notes": plan.notes,
        "plan": [plan.digest],
        "bad": [[e.row, e.column, mask_personal(e.value), e.reason] for e in plan.errors[:SHOWN]],
        "changes": [
            [
                c.number,
                c.state,
                c.name,
                [[h, mask_personal(a), mask_personal(b)] for h, a, b in c.diffs],
            ]
            for c in plan.changes[:SHOWN]
        ],
    }


def _error_list(job: Job, plan: Plan):
    """Every error as a table to work through."""
    rows = ([e.row, e.column, mask_personal(e.value), e.reason] for e in plan.errors)
    content = b"".join(sheets.write_csv(rows, ["行", "列", "填写的内容", "原因"]))
    name = f"{job.params['file'].rpartition('.')[0][:80]}-错误清单.csv"
    return files.keep(content, name=name, kind="csv", content_type="text/csv", by=job.owner)


def _record_refusal(job: Job, reason: str) -> None:
    with transaction.atomic():
        audit.record(
            "portal.import_refused",
            "导入被拒绝",
            by=job.owner,
            bureau=job.unit.bureau_id,
            institution=job.unit,
            note=f"{job.title}：{reason}"[:500],
            data={"sha256": job.source.sha256 if job.source else ""},
        )


runner(dossier.KIND)(dossier.build)
