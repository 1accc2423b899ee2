"""The clauses of a capability review: graded by the unit, by the reviewing county, by the city; saved one by one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from institutions import clock, files
from institutions.http import Request, posted_version
from institutions.workflow import StaleState
from scoring import capability_filling as filling
from scoring import capability_reviewing as reviewing
from scoring.capability import Standing, stand_of
from scoring.capability_filling import RECHECKED, REVIEWED, SELF
from scoring.capability_forms import FilesForm, GradeForm
from scoring.models import CapabilityLine, CapabilityReview, CapabilityStep
from scoring.models.capability import FILL, REVIEW, Grade
from supervision.lists import status_tag

LINE_FIELDS = ("review__institution__region", "review__supervisor__bureau", "review__round")


@dataclass(frozen=True)
class LineView:
    """A clause as the pages show it."""

    line: CapabilityLine
    files: list[dict[str, Any]]
    shown: bool
    form: GradeForm | None = None
    state: Any = None
    files_error: str = ""

    @property
    def clause(self) -> Any:
        return self.line.clause

    @property
    def differs(self) -> bool:
        line = self.line
        return reviewing.worse(line.review_grade, line.grade) or reviewing.worse(
            line.recheck_grade, line.review_grade
        )


def line_view(
    line: CapabilityLine, *, shown: bool, form: GradeForm | None = None, files_error: str = ""
) -> LineView:
    """Return a clause with its files (prefetched) and, where it is in rectification, how far that is."""
    return LineView(
        line=line,
        files=[
            {
                "key": file.key,
                "name": file.name,
                "size": file.size,
                "url": reverse("scoring:capability_line_file", args=[line.pk, file.key]),
            }
            for file in line.files.all()
        ],
        shown=shown,
        form=form,
        state=status_tag(line.problem.rectification) if line.problem else None,
        files_error=files_error,
    )


def _lines(request: Request):
    return CapabilityLine.objects.visible_to(request.post).select_related("clause", *LINE_FIELDS)


def _line(request: Request, pk: int) -> CapabilityLine:
    return get_object_or_404(_lines(request), pk=pk)


def _review(request: Request, pk: int) -> CapabilityReview:
    rows = CapabilityReview.objects.visible_to(request.post).select_related(
        "institution__region",
        "institution__bureau",
        "supervisor__bureau",
        "standard",
        "round__institution",
        "round__group",
        "author__user",
    )
    return get_object_or_404(rows, pk=pk)


def _rows(request: Request, review: CapabilityReview) -> list[CapabilityLine]:
    return list(
        CapabilityLine.objects.visible_to(request.post)
        .filter(review=review)
        .select_related("clause__item", "clause__parent", "problem__rectification")
        .prefetch_related("files")
        .order_by("clause__position")
    )


def _chapters(views: list[LineView], review: CapabilityReview) -> list[dict[str, Any]]:
    """Group the clauses by the chapter they stand in, with how many are graded."""
    names = {
        clause.code: clause.name for clause in review.standard.clauses.filter(parent__isnull=True)
    }
    found: dict[str, dict[str, Any]] = {}
    for view in views:
        code = view.clause.code.partition(".")[0]
        chapter = found.setdefault(
            code, {"code": code, "title": f"{code} {names.get(code, '')}".strip(), "lines": []}
        )
        chapter["lines"].append(view)
    return list(found.values())


# --- The unit ---------------------------------------------------------------------------------------


@require_safe
@permission_required(FILL, raise_exception=True)
def capability_fill(request: Request, pk: int) -> HttpResponse:
    review = _review(request, pk)
    if not request.post.acts_for(review.institution_id):
        raise PermissionDenied("自评由本机构填写")
    if not filling.may_fill(review, request.post):
        return redirect(review)
    return _fill_page(request, review)


def _fill_page(
    request: Request,
    review: CapabilityReview,
    typed: GradeForm | None = None,
    *,
    status: int = 200,
    files_error: tuple[int, str] = (0, ""),
) -> HttpResponse:
    rows = _rows(request, review)
    standing = stand_of(review, rows)
    views = [
        line_view(
            line,
            shown=review.shows_reviews_to(request.post),
            form=typed if typed and typed.line.pk == line.pk else GradeForm(line, SELF),
            files_error=files_error[1] if files_error[0] == line.pk else "",
        )
        for line in rows
    ]
    steps = CapabilityStep.objects.visible_to(request.post).filter(review=review)
    return render(
        request,
        "scoring/capability_fill.html",
        {
            "review": review,
            "round": review.round,
            "chapters": _chapters(views, review),
            "standing": standing,
            "totals": totals(standing, len(rows)),
            "total": len(rows),
            "earliest": filling.earliest(review),
            "too_early": filling.earliest(review) > clock.today(),
            "candidates": filling.to_put_right(rows),
            "returned": steps.filter(label="退回机构").order_by("-pk").first()
            if review.status == CapabilityReview.Status.RETURNED
            else None,
            "crumbs": [(review, review.get_absolute_url())],
        },
        status=status,
    )


def totals(standing: Standing, total: int) -> dict[str, str]:
    """Return the words beside the clauses, as the page prints them and the script renews them."""
    ahead = standing.next
    if ahead is None:
        next_words = "已达到最高等次"
    else:
        level, missing = ahead
        next_words = f"距{level.label}还差：{'；'.join(missing)}"
    return {
        "done": str(total - standing.open),
        "level": standing.level.label,
        "next": next_words,
    }


@require_POST
@permission_required(FILL, raise_exception=True)
def capability_line_save(request: Request, pk: int) -> HttpResponse:
    line = _line(request, pk)
    if not request.post.acts_for(line.review.institution_id):
        raise PermissionDenied("自评由本机构填写")
    return _save(request, line, SELF, filling.fill_line, _fill_page, "capability_fill")


Page = Callable[..., HttpResponse]


def _save(
    request: Request,
    line: CapabilityLine,
    side: Mapping[str, str],
    deed: Callable[..., Standing],
    page: Page,
    back: str,
) -> HttpResponse:
    """Save one clause and answer as asked: JSON for the script, else the page at that clause."""
    as_json = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    form = GradeForm(line, side, data=request.POST)
    status = 400
    if form.is_valid():
        try:
            standing = deed(
                line, form.cleaned_data, by=request.post, version=posted_version(request)
            )
        except ValidationError as refused:
            form.add_error(None, refused.messages)
        except StaleState as stale:
            if not isinstance(stale.row, CapabilityLine):
                raise
            said = _stale(request, line, side)
            if as_json:
                return JsonResponse({"message": f"未保存：{said}"}, status=409)
            form.add_error(None, said)
            status = 409
        else:
            if as_json:
                counts = _counts(request, line, side, standing)
                return JsonResponse({"version": line.version, "totals": counts})
            messages.success(request, f"已保存：{line.clause.code} {line.clause.name}")
            return redirect(f"{reverse(f'scoring:{back}', args=[line.review_id])}#l{line.pk}")
    if as_json:
        return JsonResponse({"errors": form.errors}, status=400)
    return page(request, _review(request, line.review_id), form, status=status)


def _counts(
    request: Request, line: CapabilityLine, side: Mapping[str, str], standing: Standing
) -> dict[str, str]:
    """Return the words that change with one clause, for the script."""
    rows = CapabilityLine.objects.visible_to(request.post).filter(review=line.review_id)
    if side is SELF:
        return totals(standing, rows.count())
    up = rows.filter(drawn=True) if side is RECHECKED else rows
    judged = up.exclude(**{side["grade"]: ""}).count()
    return {**totals(standing, 0), "judged": str(judged)}


def _stale(request: Request, line: CapabilityLine, side: Mapping[str, str]) -> str:
    """Say what a colleague saved meanwhile, beside what was typed and is kept on the page."""
    now = _line(request, line.pk)
    grade = getattr(now, side["grade"])
    note = getattr(now, side["note"])
    label = Grade(grade).label if grade else "未评"
    more = f"，说明“{note}”" if note else ""
    return f"他人刚把本条保存为“{label}”{more}。您填写的还没有保存，请核对后刷新页面再填。"


@require_POST
@permission_required(FILL, raise_exception=True)
def capability_line_attach(request: Request, pk: int) -> HttpResponse:
    line = _line(request, pk)
    if not request.post.acts_for(line.review.institution_id):
        raise PermissionDenied("佐证材料由本机构上传")
    form = FilesForm(request.POST, request.FILES, post=request.post)
    if not form.is_valid():
        said = "；".join(form.errors["files"])
        return _fill_page(
            request, _review(request, line.review_id), status=400, files_error=(pk, said)
        )
    filling.attach(line, form.stored, by=request.post, version=posted_version(request))
    messages.success(request, f"{line.clause.code}：已上传 {len(form.stored)} 个文件")
    return redirect(f"{reverse('scoring:capability_fill', args=[line.review_id])}#l{pk}")


@require_POST
@permission_required(FILL, raise_exception=True)
def capability_line_detach(request: Request, pk: int, key: UUID) -> HttpResponse:
    line = _line(request, pk)
    filling.detach(line, key, by=request.post, version=posted_version(request))
    messages.success(request, f"{line.clause.code}：已移除文件")
    return redirect(f"{reverse('scoring:capability_fill', args=[line.review_id])}#l{pk}")


@require_safe
@permission_required("scoring.view_capability", raise_exception=True)
def capability_line_file(request: Request, pk: int, key: UUID) -> FileResponse:
    return files.serve(_line(request, pk).files, str(key))


# --- The reviewers ------------------------------------------------------------------------------------


@require_safe
@permission_required(REVIEW, raise_exception=True)
def capability_judge(request: Request, pk: int) -> HttpResponse:
    review = _review(request, pk)
    if not reviewing.may_judge(review, request.post):
        if review.status in reviewing.SIDES:
            raise PermissionDenied("条款由审核方评定")
        return redirect(review)
    return _judge_page(request, review)


def _judge_page(
    request: Request,
    review: CapabilityReview,
    typed: GradeForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    rows = _rows(request, review)
    side = reviewing.SIDES[review.status]
    up = reviewing.to_judge(review, rows)
    recheck = side is RECHECKED
    standing = stand_of(review, rows, "reviewed" if recheck else "review_grade")
    views = [
        line_view(
            line,
            shown=True,
            form=typed if typed and typed.line.pk == line.pk else GradeForm(line, side),
        )
        for line in up
    ]
    done = sum(bool(getattr(line, side["grade"])) for line in up)
    return render(
        request,
        "scoring/capability_judge.html",
        {
            "review": review,
            "round": review.round,
            "recheck": recheck,
            "chapters": _chapters(views, review),
            "standing": standing,
            "totals": {**totals(standing, len(rows)), "judged": str(done)},
            "total": len(up),
            "all": len(rows),
            "crumbs": [(review, review.get_absolute_url())],
        },
        status=status,
    )


@require_POST
@permission_required(REVIEW, raise_exception=True)
def capability_line_judge(request: Request, pk: int) -> HttpResponse:
    line = _line(request, pk)
    side = reviewing.SIDES.get(line.review.status, REVIEWED)
    return _save(request, line, side, reviewing.judge_line, _judge_page, "capability_judge")


@require_POST
@permission_required(REVIEW, raise_exception=True)
def capability_adopt(request: Request, pk: int) -> HttpResponse:
    review = _review(request, pk)
    count = reviewing.adopt(review, by=request.post, version=posted_version(request))
    messages.success(request, f"已照自评填入 {count} 条，请逐条核对")
    return redirect("scoring:capability_judge", pk)
