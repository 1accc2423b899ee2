"""What a bureau shows to everybody, from draft to decision; and what comes in about it, until it is answered."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import disclosing
from campaigns.models import Objection, Publication
from campaigns.publication_forms import PublicationForm, ReplyForm
from campaigns.publication_lists import (
    ObjectionList,
    PublicationList,
    objection_tag,
    objection_time_tag,
    period_text,
    publication_tag,
)
from institutions import files
from institutions.http import Request, posted_version
from institutions.models import Event
from institutions.moves import AskForm, moves_for_template, press, refusals_said
from institutions.workflow import StaleState

GET_POST = ["GET", "HEAD", "POST"]


def _crumb() -> tuple[str, str]:
    return "信息公开", reverse("campaigns:publication_list")


@require_safe
@permission_required(disclosing.VIEW, raise_exception=True)
def publication_list(request: Request) -> HttpResponse:
    rows = Publication.objects.visible_to(request.post).select_related("institution")
    rows = rows.annotate(owed=Count("objections", filter=Q(objections__status="open")))
    unit = request.post.institution
    # A bureau that shows nothing has no public page.
    shown = rows.shown().filter(institution=unit).exists()
    return PublicationList(request, rows).response(
        "campaigns/publication_list.html", {"code": unit.code if shown else ""}
    )


def _publication(request: Request, pk: int) -> Publication:
    rows = Publication.objects.visible_to(request.post).select_related(
        "institution", "supervisor", "author", "decided_by", "campaign", "replaces__institution"
    )
    return get_object_or_404(rows, pk=pk)


def _own_draft(request: Request, pk: int) -> Publication:
    row = _publication(request, pk)
    if not request.post.acts_for(row.institution_id):
        raise PermissionDenied("由拟稿的卫生健康行政部门办理")
    if not row.is_draft:
        raise StaleState(row, row.version)
    return row


@require_http_methods(GET_POST)
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_create(request: Request) -> HttpResponse:
    return _edit(request, Publication())


@require_http_methods(GET_POST)
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, _own_draft(request, pk))


def _edit(request: Request, row: Publication) -> HttpResponse:
    form = PublicationForm(
        request.POST or None, request.FILES or None, post=request.post, instance=row
    )
    if form.is_bound and form.is_valid():
        row = form.save(commit=False)
        disclosing.save_publication(
            row, by=request.post, version=posted_version(request), files=form.stored
        )
        messages.success(request, "已保存。核对后提交领导决定")
        return redirect(row)
    context = {
        "form": form,
        "row": row,
        "version": row.version if row.pk else "",
        "cancel_url": row.get_absolute_url() if row.pk else _crumb()[1],
        "crumbs": [_crumb()],
    }
    status = 422 if form.errors else 200
    return render(request, "campaigns/publication_form.html", context, status=status)


@require_safe
@permission_required(disclosing.VIEW, raise_exception=True)
def publication_detail(request: Request, pk: int) -> HttpResponse:
    return _page(request, _publication(request, pk))


def _page(request: Request, row: Publication, *, pressed: AskForm | None = None) -> HttpResponse:
    post = request.post
    writes = post.has_perm(disclosing.WRITE) and post.acts_for(row.institution_id)
    moves = moves_for_template(row, post, url=lambda name: _url(row, name), pressed=pressed)
    objections = Objection.objects.visible_to(post).filter(publication=row)
    context = {
        "row": row,
        "tag": publication_tag(row),
        "period": period_text(row),
        "public_url": request.build_absolute_uri(row.public_url) if row.published_on else "",
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "key": file.key,
                "url": reverse("campaigns:publication_file", args=[row.pk, file.key]),
            }
            for file in row.files.all()
        ],
        "may_edit": writes and row.is_draft,
        "may_replace": writes and row.is_shown,
        "decides": any(move.name == "publish" for move in moves),
        "moves": moves,
        "owed": objections.owed().count(),
        "heard": objections.exists(),
        "follower": row.followers.exclude(status=Publication.Status.DISCARDED).first(),
        "history": Event.objects.of(row),
        "crumbs": [_crumb()],
    }
    status = 422 if pressed is not None else 200
    return render(request, "campaigns/publication_detail.html", context, status=status)


def _url(row: Publication, name: str) -> str:
    return reverse(f"campaigns:publication_{name}", args=[row.pk])


def _press(
    request: Request, pk: int, name: str, deed: Callable[..., Any], done: str
) -> HttpResponse:
    row = _publication(request, pk)
    form = press(request, row, name, deed=lambda **given: deed(row, **given), done=done)
    return redirect(row) if form is None else _page(request, row, pressed=form)


@require_POST
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_submit(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "submit", disclosing.submit, "已提交，等待领导决定")


@require_POST
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_discard(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "discard", disclosing.discard, "已作废")


@require_POST
@permission_required(disclosing.DECIDE, raise_exception=True)
def publication_send_back(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "send_back", disclosing.send_back, "已退回修改")


@require_POST
@permission_required(disclosing.DECIDE, raise_exception=True)
def publication_publish(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "publish", disclosing.publish, "已发布，任何人不登录都能看到")


@require_POST
@permission_required(disclosing.DECIDE, raise_exception=True)
def publication_withdraw(request: Request, pk: int) -> HttpResponse:
    return _press(request, pk, "withdraw", disclosing.withdraw, "已撤下")


@require_POST
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_replace(request: Request, pk: int) -> HttpResponse:
    """Draft its successor and go on to its text."""
    row = _publication(request, pk)
    with refusals_said(request):
        draft = disclosing.start_replacement(row, by=request.post)
        messages.success(request, "已按原文拟出新稿，改好后提交；领导同意发布时替换原来的")
        return redirect("campaigns:publication_edit", draft.pk)
    return redirect(row)


@require_POST
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_table_remove(request: Request, pk: int) -> HttpResponse:
    row = _own_draft(request, pk)
    disclosing.set_table(row, None, by=request.post, version=posted_version(request))
    messages.success(request, "已去掉附表")
    return redirect(row)


@require_safe
@permission_required(disclosing.VIEW, raise_exception=True)
def publication_file(request: Request, pk: int, key: str) -> HttpResponse:
    return files.serve(_publication(request, pk).files, key)


@require_POST
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_file_remove(request: Request, pk: int, key: str) -> HttpResponse:
    row = _own_draft(request, pk)
    file = get_object_or_404(row.files.all(), key=key)
    disclosing.remove_file(row, file, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除“{file.name}”")
    return redirect(row)


# --- Objections -------------------------------------------------------------------------------------


@require_safe
@permission_required(disclosing.VIEW, raise_exception=True)
def objection_list(request: Request) -> HttpResponse:
    rows = Objection.objects.visible_to(request.post).select_related("publication")
    return ObjectionList(request, rows).response(
        "campaigns/objection_list.html", {"crumbs": [_crumb()]}
    )


def _objection(request: Request, pk: int) -> Objection:
    rows = Objection.objects.visible_to(request.post).select_related(
        "institution", "publication__institution"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
@permission_required(disclosing.VIEW, raise_exception=True)
def objection_detail(request: Request, pk: int) -> HttpResponse:
    return _objection_page(request, _objection(request, pk))


@require_POST
@permission_required(disclosing.ANSWER, raise_exception=True)
def objection_reveal(request: Request, pk: int) -> HttpResponse:
    """Show name and phone, once: the page answers this POST and is nowhere to be found again."""
    row = _objection(request, pk)
    disclosing.reveal(row, by=request.post)
    return _objection_page(request, row, shown=True)


@require_POST
@permission_required(disclosing.ANSWER, raise_exception=True)
def objection_reply(request: Request, pk: int) -> HttpResponse:
    row = _objection(request, pk)
    if not row.may("reply", request.post):
        raise PermissionDenied("由发布公开内容的单位答复")
    version = posted_version(request)
    if row.status not in Objection.OPEN or row.version != version:
        raise StaleState(row, version)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _objection_page(request, row, form=form)
    disclosing.reply(row, by=request.post, version=version, answer=form.cleaned_data["answer"])
    messages.success(request, "已答复，对方凭回执号可以看到")
    return redirect(row)


def _objection_page(
    request: Request, row: Objection, *, form: ReplyForm | None = None, shown: bool = False
) -> HttpResponse:
    answers = row.may("reply", request.post) and row.status in Objection.OPEN
    context = {
        "row": row,
        "tag": objection_tag(row),
        "time": objection_time_tag(row),
        "form": form or (ReplyForm() if answers else None),
        "shown": shown,
        "may_reveal": not shown and disclosing.may_reveal(row, request.post),
        "history": Event.objects.of(row),
        "crumbs": [_crumb(), ("公众意见", reverse("campaigns:objection_list"))],
    }
    status = 422 if form is not None else 200
    return render(request, "campaigns/objection_detail.html", context, status=status)
