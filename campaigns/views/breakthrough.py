"""突破事项: the round of a campaign, what each unit hands in, its review, its progress, the summary table."""

from io import BytesIO
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import breakthrough, breakthrough_annex
from campaigns.breakthrough_annex import Summary
from campaigns.breakthrough_forms import (
    DecisionForm,
    ItemForm,
    ProgressForm,
    RoundForm,
    review_forms,
    verdicts_of,
)
from campaigns.breakthrough_lists import (
    RoundSubmissionList,
    SubmissionList,
    progress_tag,
    round_tag,
    submission_tag,
    time_tag,
    with_items,
)
from campaigns.models import (
    BreakthroughItem,
    BreakthroughRound,
    BreakthroughSubmission,
)
from campaigns.views.drafting import GET_POST, own_campaign
from institutions import audit, clock, files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import moves_for_template, press, refusals_said
from institutions.workflow import Side, StaleState

VIEW = "campaigns.view_breakthrough"
WRITE = "campaigns.write_breakthrough"
REVIEW = "campaigns.review_breakthrough"
CHANGE = "campaigns.change_campaign"
SHOWN = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _round(request: Request, pk: int) -> BreakthroughRound:
    rows = BreakthroughRound.objects.visible_to(request.post).select_related(
        "campaign__institution", "institution__region", "supervisor"
    )
    return get_object_or_404(rows, pk=pk)


def _submission(request: Request, pk: int) -> BreakthroughSubmission:
    rows = BreakthroughSubmission.objects.visible_to(request.post).select_related(
        "round__campaign", "institution__region", "supervisor", "department", "author"
    )
    return get_object_or_404(rows, pk=pk)


def _item(request: Request, pk: int) -> BreakthroughItem:
    rows = BreakthroughItem.objects.visible_to(request.post).select_related(
        "submission__round__campaign",
        "submission__institution__region",
        "submission__supervisor",
        "submission__department",
    )
    return get_object_or_404(rows, pk=pk)


def _crumbs(round_: BreakthroughRound | None = None, *more: Any) -> list[tuple[Any, str]]:
    crumbs = [("突破事项", reverse("campaigns:breakthrough_list"))]
    if round_:
        crumbs.append((round_, round_.get_absolute_url()))
    return [*crumbs, *((row, row.get_absolute_url()) for row in more)]


# --- The round --------------------------------------------------------------------------------------


@require_safe
@permission_required(VIEW, raise_exception=True)
def breakthrough_list(request: Request) -> HttpResponse:
    rows = BreakthroughSubmission.objects.visible_to(request.post)
    rows = with_items(rows).select_related("institution", "department", "round")
    drafts = BreakthroughRound.objects.visible_to(request.post).filter(
        status=BreakthroughRound.Status.DRAFT
    )
    context = {"drafts": drafts if request.post.has_perm(CHANGE) else []}
    return SubmissionList(request, rows).response("campaigns/breakthrough_list.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def breakthrough_round(request: Request, pk: int) -> HttpResponse:
    """The round: what is asked, who has handed in, who is missing with a text for the chat group."""
    round_ = _round(request, pk)
    post = request.post
    seen = BreakthroughSubmission.objects.visible_to(post).filter(round=round_)
    seen = seen.select_related("institution", "department", "round")
    asks = post.acts_for(round_.institution_id)
    waiting = list(seen.open().order_by("institution__code", "pk")[:SHOWN]) if asks else []
    missing = [s for s in waiting if s.first_submitted_at is None]
    context = {
        "round": round_,
        "campaign": round_.campaign,
        "tag": round_tag(round_),
        "note": round_.note if round_.quotas.exists() else "",
        "asks": asks,
        "is_over": round_.due < clock.today(),
        "missing": missing,
        "returned": [s for s in waiting if s.first_submitted_at is not None],
        "reminder": _reminder(round_, missing),
        "mine": seen.own(post).first(),
        "may_edit": asks and round_.is_draft and post.has_perm(CHANGE),
        "moves": moves_for_template(
            round_,
            post,
            url=lambda name: reverse(f"campaigns:breakthrough_round_{name}", args=[round_.pk]),
        ),
        "history": Event.objects.of(round_) if asks else None,
        "crumbs": _crumbs(),
    }
    return RoundSubmissionList(request, with_items(seen)).response(
        "campaigns/breakthrough_round.html", context
    )


def _reminder(round_: BreakthroughRound, missing: list[BreakthroughSubmission]) -> str:
    """Return the text that is pasted into the chat group of the units."""
    today, due = clock.today(), round_.due
    names = "、".join(s.unit_name for s in missing)
    over = "时限已过，请今天内" if due < today else f"请于{due.month}月{due.day}日前"
    return (
        f"【{round_.name}】截至{today.month}月{today.day}日，还有{len(missing)}个单位（科室）没有报送突破事项：{names}。"
        f"{over}报{round_.receiver}。"
    )


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def breakthrough_round_create(request: Request, pk: int) -> HttpResponse:
    """Set up the round of a campaign of one's own; a campaign has one."""
    campaign = own_campaign(request, pk, draft=False)
    made = BreakthroughRound.objects.visible_to(request.post).filter(campaign=campaign).first()
    if made:
        return redirect(made)
    round_ = BreakthroughRound(campaign=campaign)
    initial = {"name": f"{campaign.name}突破事项", "receiver": "局办公室公务邮箱"}
    return _round_form(request, round_, initial=initial)


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def breakthrough_round_edit(request: Request, pk: int) -> HttpResponse:
    round_ = _round(request, pk)
    if not request.post.acts_for(round_.institution_id):
        raise PermissionDenied("由活动的拟稿单位设置")
    if not round_.is_draft:
        if request.method == "POST":
            raise StaleState(round_)
        raise PermissionDenied("已经下达，时限和项数不能再改")
    return _round_form(request, round_)


def _round_form(request: Request, round_: BreakthroughRound, **kwargs: Any) -> HttpResponse:
    form = RoundForm(request.POST or None, instance=round_, post=request.post, **kwargs)
    if form.is_bound and form.is_valid():
        saved = breakthrough.set_up(
            form.save(commit=False),
            form.quotas,
            by=request.post,
            version=posted_version(request),
        )
        messages.success(request, "已保存，核对后点“下达”，各单位、科室才会收到")
        return redirect(saved)
    campaign = round_.campaign
    context = {
        "form": form,
        "round": round_,
        "cancel_url": (round_ if round_.pk else campaign).get_absolute_url(),
        "crumbs": [
            ("活动", reverse("campaigns:campaign_list")),
            (campaign, campaign.get_absolute_url()),
        ],
    }
    return render(request, "campaigns/breakthrough_round_form.html", context)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def breakthrough_round_issue(request: Request, pk: int) -> HttpResponse:
    round_ = _round(request, pk)
    press(
        request,
        round_,
        "issue",
        deed=lambda **given: breakthrough.issue(round_, **given),
        done="已下达，各单位、科室会收到通知",
    )
    return redirect(round_)


# --- The table --------------------------------------------------------------------------------------


@require_safe
@permission_required(VIEW, raise_exception=True)
def breakthrough_summary(request: Request, pk: int) -> HttpResponse:
    """The annex with all accepted items in sight; `format=xlsx` as a file."""
    round_ = _round(request, pk)
    items = BreakthroughItem.objects.visible_to(request.post).filter(
        submission__round=round_, submission__status=BreakthroughSubmission.Status.ACCEPTED
    )
    items = items.select_related("submission__institution", "submission__department")
    items = items.order_by("submission__institution__code", "submission", "position")
    left = BreakthroughSubmission.objects.visible_to(request.post).filter(round=round_)
    left = left.exclude(status=BreakthroughSubmission.Status.ACCEPTED)
    context = {
        "summary": breakthrough_annex.of_district(round_, items),
        "left": left.count(),
        "list_url": f"{reverse('campaigns:breakthrough_list')}?round={round_.pk}",
        "crumbs": _crumbs(round_),
    }
    return _table_page(request, context, round_)


@require_safe
@permission_required(VIEW, raise_exception=True)
def breakthrough_table(request: Request, pk: int) -> HttpResponse:
    """The annex as one unit or department hands it in."""
    submission = _submission(request, pk)
    context = {
        "summary": breakthrough_annex.of_unit(submission, submission.items.all()),
        "left": 0,
        "crumbs": _crumbs(submission.round, submission),
    }
    return _table_page(request, context, submission)


def _table_page(
    request: Request,
    context: dict[str, Any],
    owner: BreakthroughRound | BreakthroughSubmission,
) -> HttpResponse:
    may_export = request.post.has_perm("institutions.export_table")
    if request.GET.get("format") == "xlsx" and may_export:
        return _table_file(request, context["summary"], owner)
    context |= {"title": breakthrough_annex.TITLE, "headers": breakthrough_annex.HEADERS}
    return render(request, "campaigns/breakthrough_table.html", context)


def _table_file(
    request: Request, summary: Summary, owner: BreakthroughRound | BreakthroughSubmission
) -> HttpResponse:
    with transaction.atomic():
        audit.record(
            "portal.export",
            f"导出{breakthrough_annex.TITLE}",
            by=request.post,
            bureau=request.post.institution.bureau_id,
            on=owner,
            note=f"{summary.unit}，{len(summary.rows)}项",
        )
    stream = BytesIO()
    breakthrough_annex.write_xlsx(summary, stream)
    name = f"{breakthrough_annex.TITLE}（{summary.unit}）-{clock.today():%Y%m%d}.xlsx"
    response = HttpResponse(stream.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


# --- What a unit hands in -----------------------------------------------------------------------------


@require_safe
@permission_required(VIEW, raise_exception=True)
def breakthrough_detail(request: Request, pk: int) -> HttpResponse:
    submission = _submission(request, pk)
    post = request.post
    answers = post.has_perm(WRITE) and submission.stands_on(Side.ANSWERS, post)
    accepted = submission.status == BreakthroughSubmission.Status.ACCEPTED
    submitted = submission.status == BreakthroughSubmission.Status.SUBMITTED
    moves = moves_for_template(submission, post, url=lambda name: _url(submission, name))
    items = submission.items.prefetch_related("files")
    context = {
        "submission": submission,
        "round": submission.round,
        "tag": submission_tag(submission),
        "time": time_tag(submission),
        "lines": [_line(item, accepted=accepted) for item in items],
        "accepted": accepted,
        "judged": submission.first_submitted_at is not None,
        "may_write": answers and submission.status in BreakthroughSubmission.EDITABLE,
        "may_follow": answers and accepted,
        "may_review": submitted and submission.may("accept", post),
        # Judging goes with its form, item by item.
        "moves": [move for move in moves if move.name in ("submit", "recall")],
        "shortfall": submission.shortfall,
        "history": Event.objects.of(submission),
        "crumbs": _crumbs(submission.round),
    }
    return render(request, "campaigns/breakthrough_detail.html", context)


def _url(submission: BreakthroughSubmission, name: str) -> str:
    if name in ("accept", "send_back"):
        return reverse("campaigns:breakthrough_review", args=[submission.pk])
    return reverse(f"campaigns:breakthrough_{name}", args=[submission.pk])


def _line(item: BreakthroughItem, *, accepted: bool) -> dict[str, Any]:
    return {
        "item": item,
        "progress": progress_tag(item) if accepted else None,
        "files": [
            {
                "name": f.name,
                "size": f.size,
                "url": reverse("campaigns:breakthrough_file", args=[item.pk, f.key]),
            }
            for f in item.files.all()
        ],
    }


@require_POST
@permission_required(WRITE, raise_exception=True)
def breakthrough_submit(request: Request, pk: int) -> HttpResponse:
    submission = _submission(request, pk)
    press(request, submission, "submit", done=f"已报送，等待{submission.supervisor.known_as}审核")
    return redirect(submission)


@require_POST
@permission_required(WRITE, raise_exception=True)
def breakthrough_recall(request: Request, pk: int) -> HttpResponse:
    submission = _submission(request, pk)
    press(request, submission, "recall", done="已撤回，改好后请再次报送")
    return redirect(submission)


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def breakthrough_item_create(request: Request, pk: int) -> HttpResponse:
    submission = _submission(request, pk)
    return _item_form(request, BreakthroughItem(submission=submission))


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def breakthrough_item_edit(request: Request, pk: int) -> HttpResponse:
    return _item_form(request, _item(request, pk))


def _item_form(request: Request, item: BreakthroughItem) -> HttpResponse:
    submission = item.submission
    _writable(request, submission)
    form = ItemForm(request.POST or None, instance=item)
    if form.is_bound and form.is_valid():
        breakthrough.save_item(
            form.save(commit=False), by=request.post, version=posted_version(request)
        )
        messages.success(request, f"已保存“{item.name}”，还没有报送")
        return redirect(submission)
    context = {
        "form": form,
        "item": item,
        "submission": submission,
        "crumbs": _crumbs(submission.round, submission),
    }
    return render(request, "campaigns/breakthrough_item_form.html", context)


def _writable(request: Request, submission: BreakthroughSubmission) -> None:
    """Refuse whoever does not write this submission, and any form of one that is handed in."""
    if not submission.stands_on(Side.ANSWERS, request.post):
        raise PermissionDenied("由填报单位、科室填写")
    if submission.status not in BreakthroughSubmission.EDITABLE:
        if request.method == "POST":
            raise StaleState(submission)
        raise PermissionDenied("已经报送，不能再改；审核前可以撤回修改")


@require_POST
@permission_required(WRITE, raise_exception=True)
def breakthrough_item_delete(request: Request, pk: int) -> HttpResponse:
    item = _item(request, pk)
    submission = item.submission
    breakthrough.delete_item(item, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除“{item.name}”")
    return redirect(submission)


# --- Review -----------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(REVIEW, raise_exception=True)
def breakthrough_review(request: Request, pk: int) -> HttpResponse:
    """Judge each item by the three criteria; `then` accepts or returns the whole, else it is only kept."""
    submission = _submission(request, pk)
    if not submission.may("accept", request.post):
        raise PermissionDenied("由审核单位办理，本科室的事项由其他科室审核")
    if submission.status != BreakthroughSubmission.Status.SUBMITTED:
        if request.method == "POST":
            raise StaleState(submission)
        return redirect(submission)
    data = request.POST if request.method == "POST" else None
    forms = review_forms(submission.items.all(), data)
    decision = DecisionForm(data, initial={"note": submission.opinion})
    then = request.POST.get("then", "")
    if data is not None and all(form.is_valid() for form in [*forms, decision]):
        note = decision.cleaned_data["note"]
        if then != "send_back" or note:
            return _decide(request, submission, verdicts_of(forms), then, note)
        decision.add_error("note", "退回请写明意见")
    context = {
        "submission": submission,
        "forms": forms,
        "decision": decision,
        "crumbs": _crumbs(submission.round, submission),
    }
    return render(request, "campaigns/breakthrough_review.html", context)


def _decide(
    request: Request,
    submission: BreakthroughSubmission,
    verdicts: dict[int, dict[str, Any]],
    then: str,
    note: str,
) -> HttpResponse:
    by = request.post
    breakthrough.judge(submission, verdicts, by=by, version=posted_version(request))
    if then == "send_back":
        submission.send_back(by=by, version=submission.version, note=note)
        messages.success(request, "已退回，填报单位会收到通知")
        return redirect(submission)
    if then == "accept":
        with refusals_said(request, "审核意见已保存，但还不能采纳："):
            submission.accept(by=by, version=submission.version, note=note)
            messages.success(request, "已采纳，进入汇总表")
            return redirect(submission)
        return redirect("campaigns:breakthrough_review", submission.pk)
    messages.success(request, "审核意见已保存，还没有采纳或退回")
    return redirect("campaigns:breakthrough_review", submission.pk)


# --- Progress ---------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(WRITE, raise_exception=True)
def breakthrough_progress(request: Request, pk: int) -> HttpResponse:
    """Say how far an accepted item is."""
    item = _item(request, pk)
    submission = item.submission
    if not submission.stands_on(Side.ANSWERS, request.post):
        raise PermissionDenied("由填报单位、科室填写")
    if submission.status != BreakthroughSubmission.Status.ACCEPTED:
        if request.method == "POST":
            raise StaleState(submission)
        raise PermissionDenied("审核采纳后才填写进展")
    late = breakthrough.needs_reason(item, clock.today())
    form = ProgressForm(
        request.POST or None,
        request.FILES or None,
        instance=item,
        post=request.post,
        needs_reason=late,
    )
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        breakthrough.save_progress(
            _item(request, pk),
            by=request.post,
            version=posted_version(request),
            progress=given["progress"],
            text=given["progress_text"],
            delay_reason=given.get("delay_reason", item.delay_reason),
            files=form.stored,
        )
        messages.success(request, f"已更新“{item.name}”的进展")
        return redirect(submission)
    context = {
        "form": form,
        "item": item,
        "submission": submission,
        "late": late,
        "crumbs": _crumbs(submission.round, submission),
    }
    return render(request, "campaigns/breakthrough_progress.html", context)


@require_safe
@permission_required(VIEW, raise_exception=True)
def breakthrough_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_item(request, pk).files, key)
