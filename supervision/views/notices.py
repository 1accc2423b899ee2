"""Notices: written from what was seen, issued with a number, received one by one."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import files, official
from institutions.http import Request, posted_version
from institutions.models import Event, Post
from institutions.moves import AskForm, moves_for_template, press
from supervision import noticing
from supervision.models import Notice, NoticeRecipient
from supervision.notice_forms import ChooseForm, ComposeForm, NoticeForm
from supervision.notice_lists import NoticeList, NoticeReceiptList, notice_tag
from supervision.notice_papers import file_name, paper_of

CRUMBS = [("通报通知", reverse_lazy("supervision:notice_list"))]
VIEW = "supervision.view_notice"
GET_POST = ["GET", "HEAD", "POST"]
NAMED = 40  # institutions that have not confirmed, named on the page


def _counted(post: Post, **only):
    seen = NoticeRecipient.objects.visible_to(post).filter(notice=OuterRef("pk"), **only)
    counted = seen.order_by().values("notice").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)


def _notices(post: Post):
    return Notice.objects.visible_to(post).select_related(
        "institution", "supervisor", "author", "signer", "paper", "withdraws"
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def notice_list(request: Request) -> HttpResponseBase:
    rows = _notices(request.post).annotate(
        sent=_counted(request.post), received=_counted(request.post, received_at__isnull=False)
    )
    return NoticeList(request, rows).response(
        "supervision/notice_list.html", {"may_write": noticing.may_write(request.post)}
    )


@require_safe
@permission_required(VIEW, raise_exception=True)
def notice_receipt_list(request: Request) -> HttpResponseBase:
    rows = NoticeRecipient.objects.visible_to(request.post).filter(notice__status__in=Notice.SHOWN)
    rows = rows.select_related("notice", "institution", "received_by")
    return NoticeReceiptList(request, rows).response(
        "supervision/notice_receipt_list.html", {"crumbs": CRUMBS}
    )


@require_http_methods(GET_POST)
@permission_required(noticing.WRITE, raise_exception=True)
def notice_create(request: Request) -> HttpResponse:
    """Choose what a notice is made from; the pages of a visit, a round and a rectification post here as well."""
    if not noticing.may_write(request.post):
        raise PermissionDenied("通报通知由有下级机构的单位拟写")
    if request.method == "POST":
        return _compose(request)
    choose = ChooseForm(request.GET or None, post=request.post)
    form = None
    if choose.is_bound and choose.is_valid():
        chosen = choose.cleaned_data
        form = ComposeForm(post=request.post, kind=chosen["kind"], about=chosen["institution"])
    context = {"choose": choose, "form": form, "crumbs": CRUMBS}
    return render(request, "supervision/notice_create.html", context)


def _compose(request: Request) -> HttpResponse:
    form = ComposeForm(request.POST, post=request.post)
    if form.is_valid():
        try:
            notice = noticing.draft(form.compose(), by=request.post)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, "已拟写，请核对、修改后印发")
            return redirect("supervision:notice_edit", notice.pk)
    for reasons in form.errors.values():
        for reason in reasons:
            messages.error(request, reason)
    kind, unit = request.POST.get("kind", ""), request.POST.get("institution", "")
    return redirect(f"{reverse('supervision:notice_create')}?kind={kind}&institution={unit}")


@require_safe
@permission_required(VIEW, raise_exception=True)
def notice_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, get_object_or_404(_notices(request.post), pk=pk))


def _detail(request: Request, notice: Notice, pressed: AskForm | None = None) -> HttpResponse:
    post = request.post
    recipients = NoticeRecipient.objects.visible_to(post).filter(notice=notice)
    recipients = recipients.select_related("institution", "received_by")
    mine = recipients.filter(institution=post.institution_id).first()
    owns = post.acts_for(notice.institution_id)
    paper = paper_of(notice)
    moves = moves_for_template(
        notice,
        post,
        url=lambda name: reverse(f"supervision:notice_{name}", args=[notice.pk]),
        pressed=pressed,
    )
    shown = _notices(post)
    context = {
        "notice": notice,
        "tag": notice_tag(notice),
        "paper": paper,
        "title_lines": official.balanced(paper.title),
        "annexes": [(paper.annex_name(n), a) for n, a in enumerate(paper.annexes, 1)],
        "owns": owns,
        "moves": moves,
        "may_edit": notice.is_draft and notice.may("drop", post),
        "mine": mine,
        "may_receive": mine is not None
        and mine.received_at is None
        and notice.status == Notice.Status.ISSUED
        and post.has_perm(noticing.RECEIVE),
        "sent": recipients.count(),
        "received": recipients.filter(received_at__isnull=False).count(),
        "waiting": recipients.filter(received_at__isnull=True)[:NAMED],
        "withdraws": shown.filter(pk=notice.withdraws_id).first(),
        "withdrawn_by": shown.filter(withdraws=notice).exclude(status="dropped").first(),
        "history": Event.objects.of(notice) if owns else None,
        "crumbs": CRUMBS,
    }
    return render(request, "supervision/notice_detail.html", context)


@require_http_methods(GET_POST)
@permission_required(noticing.WRITE, raise_exception=True)
def notice_edit(request: Request, pk: int) -> HttpResponse:
    notice = get_object_or_404(_notices(request.post), pk=pk)
    if not notice.may("drop", request.post):
        raise PermissionDenied("拟稿由发文单位修改")
    if not notice.is_draft:
        return redirect(notice)
    version = posted_version(request) if request.method == "POST" else notice.version
    form = NoticeForm(request.POST or None, instance=notice, post=request.post)
    if form.is_bound and form.is_valid():
        noticing.save(
            form.instance,
            by=request.post,
            version=version,
            units=form.cleaned_data["units"],
            tables=form.kept_tables,
            **form.given,
        )
        messages.success(request, "已保存，请核对全文后印发")
        return redirect(notice)
    crumbs = [*CRUMBS, (notice.title, notice.get_absolute_url())]
    context = {"form": form, "notice": notice, "version": version, "crumbs": crumbs}
    return render(request, "supervision/notice_form.html", context)


def _pressed(request: Request, pk: int, name: str, deed=None, done: str = "") -> HttpResponse:
    notice = get_object_or_404(_notices(request.post), pk=pk)
    made: list[Notice] = []

    def act(**answers) -> None:
        answer = deed(notice, **answers)
        if isinstance(answer, Notice):
            made.append(answer)

    form = press(request, notice, name, deed=act if deed else None, done=done)
    if form is not None:
        return _detail(request, notice, pressed=form)
    return redirect(made[0] if made else notice)


@require_POST
@permission_required(noticing.ISSUE, raise_exception=True)
def notice_issue(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "issue", noticing.issue, "已印发并编号，主送机构会收到通知")


@require_POST
@permission_required(noticing.WRITE, raise_exception=True)
def notice_drop(request: Request, pk: int) -> HttpResponse:
    return _pressed(request, pk, "drop", noticing.drop, "拟稿已作废")


@require_POST
@permission_required(noticing.ISSUE, raise_exception=True)
def notice_withdraw(request: Request, pk: int) -> HttpResponse:
    done = "已拟写撤回通知，请核对后印发；印发前原文件仍然有效"
    return _pressed(request, pk, "withdraw", noticing.withdraw, done)


@require_POST
@permission_required(noticing.RECEIVE, raise_exception=True)
def notice_receive(request: Request, pk: int) -> HttpResponse:
    notice = get_object_or_404(_notices(request.post), pk=pk)
    if noticing.receive(notice, by=request.post):
        messages.success(request, "已签收")
    else:
        messages.info(request, "本单位此前已经签收，无需再签")
    return redirect(notice)


@require_safe
@permission_required(VIEW, raise_exception=True)
def notice_document(request: Request, pk: int) -> HttpResponseBase:
    """The frozen document; of a draft, the document as it would be."""
    notice = get_object_or_404(_notices(request.post), pk=pk)
    if notice.paper is not None:
        return files.serve(notice.papers, notice.paper.key)
    return files.download(
        official.write(paper_of(notice)),
        name=file_name(notice),
        content_type=official.CONTENT_TYPE,
    )
