"""Workload: called for, declared on a grid, verified from record checks; another system's export by a saved mapping."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import clock, jobs
from institutions.http import Request, posted_version
from institutions.middleware import client_address
from institutions.models import Event, Job
from institutions.moves import AskForm, moves_for_template, press
from institutions.sheets import Refusal
from institutions.tables import Scope
from institutions.uploads import clean_name
from scoring import converting, declaring
from scoring.models import ColumnMapping, WorkloadReport
from scoring.views.money_form import money_form
from scoring.workload_forms import (
    CallForm,
    DeclareForm,
    ExportForm,
    JudgeForm,
    MappingForm,
    PeriodForm,
)
from scoring.workload_lists import WorkloadList, coverage, report_tag

VIEW = "scoring.view_workload"
DECLARE = "scoring.declare_workload"
VERIFY = "scoring.verify_workload"
GET_POST = ["GET", "HEAD", "POST"]
CRUMBS = [("工作量", reverse_lazy("scoring:workload_list"))]


def _reports(request: Request):
    return WorkloadReport.objects.visible_to(request.post).select_related(
        "institution__region", "supervisor__bureau", "author__institution"
    )


def _quarter_now() -> dict[str, int]:
    """The quarter that is over, which is the one to report on."""
    today = clock.today()
    quarter = (today.month - 1) // 3
    return (
        {"year": today.year, "quarter": quarter}
        if quarter
        else {
            "year": today.year - 1,
            "quarter": 4,
        }
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def workload_list(request: Request) -> HttpResponse:
    listing = WorkloadList(request, _reports(request))
    post = request.post
    declares = post.has_perm(DECLARE) and post.institution.kind not in declaring.OFFICES
    context = {
        "coverage": coverage(listing.found),
        "start": PeriodForm(initial=_quarter_now(), auto_id="start_%s") if declares else None,
        "may_call": post.has_perm(VERIFY) and declaring.may_call(post),
        "may_convert": converting.may_convert(post),
    }
    return listing.response("scoring/workload_list.html", context)


@require_http_methods(GET_POST)
@permission_required(VERIFY, raise_exception=True)
def workload_call(request: Request) -> HttpResponse:
    """Ask all institutions one supervises for their workload of a quarter."""
    if not declaring.may_call(request.post):
        raise PermissionDenied("没有下级机构")
    form = CallForm(request.POST or None, initial=_quarter_now())
    if form.is_bound and form.is_valid():
        count = declaring.call(by=request.post, **form.cleaned_data)
        messages.success(request, f"已布置，新通知 {count} 家机构")
        return redirect("scoring:workload_list")
    return money_form(
        request,
        form,
        "布置工作量申报",
        "下级机构收到通知后按服务填写本季度的数量；再次布置只改还没有提交的截止日期。",
        submit="布置",
        back=reverse("scoring:workload_list"),
        crumbs=CRUMBS,
    )


@require_POST
@permission_required(DECLARE, raise_exception=True)
def workload_start(request: Request) -> HttpResponse:
    """Begin one's own report of a quarter."""
    form = PeriodForm(request.POST)
    if not form.is_valid():
        messages.error(request, "请选择年度和季度")
        return redirect("scoring:workload_list")
    return redirect(declaring.start(by=request.post, **form.cleaned_data))


@require_safe
@permission_required(VIEW, raise_exception=True)
def workload_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(_reports(request), pk=pk))


def _detail(
    request: Request,
    row: WorkloadReport,
    *,
    form: DeclareForm | None = None,
    judged: JudgeForm | None = None,
    pressed: AskForm | None = None,
    status: int = 200,
) -> HttpResponse:
    post = request.post
    fills = row.status in WorkloadReport.EDITABLE and row.may("submit", post)
    judges = row.status == WorkloadReport.Status.SUBMITTED and row.may("verify", post)
    rows = list(row.rows.select_related("work_unit__item").order_by("work_unit__code"))
    if fills and form is None:
        numbers = {one.work_unit_id: one.declared for one in rows}
        form = DeclareForm(units=declaring.services(row), numbers=numbers)
    if judges and judged is None:
        judged = JudgeForm(lines=declaring.lines(row))
    return render(
        request,
        "scoring/workload_detail.html",
        {
            "row": row,
            "tag": report_tag(row),
            "rows": rows,
            "form": form if fills else None,
            "judged": judged if judges else None,
            "moves": [
                move
                for move in moves_for_template(
                    row,
                    post,
                    url=lambda name: reverse(f"scoring:workload_{name}", args=[row.pk]),
                    pressed=pressed,
                )
                # Its own button stands under the grid.
                if not (judges and move.name == "verify")
            ],
            "history": Event.objects.of(row).order_by("-seq"),
            "crumbs": CRUMBS,
        },
        status=status,
    )


@require_POST
@permission_required(DECLARE, raise_exception=True)
def workload_save(request: Request, pk: int) -> HttpResponse:
    """Save the grid; with the second button hand it in as well."""
    row = get_object_or_404(_reports(request), pk=pk)
    if not row.may("submit", request.post):
        raise PermissionDenied("工作量由本机构申报")
    units = declaring.services(row)
    form = DeclareForm(request.POST, units=units, numbers={})
    if not form.is_valid():
        return _detail(request, row, form=form, status=422)
    try:
        declaring.declare(row, form.numbers, by=request.post, version=posted_version(request))
        if "submit" in request.POST:
            declaring.submit(row, by=request.post, version=row.version)
    except ValidationError as refused:
        form.add_error(None, refused.messages)
        row.refresh_from_db()
        return _detail(request, row, form=form, status=422)
    messages.success(request, "已提交，等待核定" if "submit" in request.POST else "已保存")
    return redirect(row)


@require_POST
@permission_required(VERIFY, raise_exception=True)
def workload_judge(request: Request, pk: int) -> HttpResponse:
    """Save the verified numbers; with the second button close the verification as well."""
    row = get_object_or_404(_reports(request), pk=pk)
    if not row.may("verify", request.post):
        raise PermissionDenied("工作量由上级核定")
    form = JudgeForm(request.POST, lines=declaring.lines(row))
    if not form.is_valid():
        return _detail(request, row, judged=form, status=422)
    try:
        declaring.judge(row, form.answers, by=request.post, version=posted_version(request))
        if "verify" in request.POST:
            declaring.verify(row, by=request.post, version=row.version)
    except ValidationError as refused:
        form.add_error(None, refused.messages)
        row.refresh_from_db()
        return _detail(request, row, judged=form, status=422)
    done = "已核定，计入年终结算" if "verify" in request.POST else "已保存"
    messages.success(request, done)
    return redirect(row)


def _press(request: Request, pk: int, name: str, done: str) -> HttpResponse:
    row = get_object_or_404(_reports(request), pk=pk)
    form = press(request, row, name, deed=partial(getattr(declaring, name), row), done=done)
    return redirect(row) if form is None else _detail(request, row, pressed=form, status=422)


@require_POST
@permission_required(DECLARE, raise_exception=True)
def workload_submit(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "submit", "已提交，等待核定")


@require_POST
@permission_required(VERIFY, raise_exception=True)
def workload_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", "已退回")


@require_POST
@permission_required(VERIFY, raise_exception=True)
def workload_verify(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "verify", "已核定，计入年终结算")


@require_POST
@permission_required(VERIFY, raise_exception=True)
def workload_reopen(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "reopen", "已重新打开核定")


# --- Another system's export ------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required("institutions.import_table", raise_exception=True)
def workload_bring(request: Request) -> HttpResponse:
    """Upload the export of another system; its columns are mapped next."""
    if not converting.may_convert(request.post):
        raise PermissionDenied("本岗位不能导入工作量")
    form = ExportForm(request.POST or None, request.FILES or None, initial=_quarter_now())
    if form.is_bound and form.is_valid():
        upload = form.cleaned_data["file"]
        name = clean_name(upload.name)
        try:
            converting.read(upload, name)
        except Refusal as refused:
            form.add_error("file", str(refused))
        else:
            upload.seek(0)
            jobs.expire()
            job = converting.stage(
                upload.read(),
                name,
                by=request.post,
                layout=form.cleaned_data["layout"],
                year=form.cleaned_data["year"],
                quarter=form.cleaned_data["quarter"],
            )
            return redirect("scoring:workload_map", job.pk)
    saved = ColumnMapping.objects.visible_to(request.post).order_by("layout")
    context = {"form": form, "saved": saved, "crumbs": CRUMBS}
    return render(
        request, "scoring/workload_bring.html", context, status=422 if form.is_bound else 200
    )


@require_http_methods(GET_POST)
@permission_required("institutions.import_table", raise_exception=True)
def workload_map(request: Request, pk: int) -> HttpResponse:
    """Say which column is what; then every error, or on to the page that shows every change."""
    own = Job.objects.visible_to(request.post).filter(
        kind=converting.KIND, state=Job.State.STAGED, source__isnull=False
    )
    job = get_object_or_404(own.select_related("source", "unit"), pk=pk)
    if not converting.may_convert(request.post):
        raise PermissionDenied("本岗位不能导入工作量")
    layout, year, quarter = (job.params[name] for name in ("layout", "year", "quarter"))
    upload = converting.load(job.source)
    units = converting.home_units(request.post.institution, year)
    form = MappingForm(
        request.POST or None,
        upload=upload,
        layout=layout,
        fixed_quarter=quarter,
        units=units,
        saved=converting.remembered(request.post, layout),
    )
    errors = []
    if form.is_bound and form.is_valid():
        converted = converting.convert(
            upload,
            layout=layout,
            columns=form.columns,
            services=form.services,
            year=year,
            quarter=quarter,
            scope=Scope.of(request.post),
        )
        errors = converted.errors
        if not errors and not converted.rows:
            form.add_error(None, "没有可以导入的数量")
        elif not errors:
            converting.remember(request.post, layout, form.columns, form.services)
            made = converting.hand_over(
                job, converted, by=request.post, address=client_address(request)
            )
            return redirect("import_detail", made.pk)
    context = {
        "form": form,
        "job": job,
        "year": year,
        "quarter": quarter,
        "layout": ColumnMapping.Layout(layout).label,
        "preview": [[row.cells.get(h, "") for h in upload.headers] for row in upload.rows[:5]],
        "headers": upload.headers,
        "count": len(upload.rows),
        "units": units,
        "errors": errors[:200],
        "error_count": len(errors),
        "crumbs": [*CRUMBS, ("导入上级系统数据", reverse("scoring:workload_bring"))],
    }
    return render(
        request, "scoring/workload_map.html", context, status=422 if form.is_bound else 200
    )
