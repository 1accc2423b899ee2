"""Writing a campaign: its head, text, phases, table of 督导重点, recipients, and what each passage became."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from campaigns import drafting, issuing, passages
from campaigns.forms import CampaignForm, FocusForm, phase_formset
from campaigns.models import Campaign, Passage, Phase, Recipient, SupervisionFocus
from campaigns.passage_forms import SPLIT, PassageFormSet, PassageLinkForm, PasteForm
from campaigns.recipient_forms import AddRecipientsForm, RemoveRecipientsForm
from institutions import clock
from institutions.http import Request, posted_version
from institutions.moves import refusals_said

CHANGE = "campaigns.change_campaign"
GET_POST = ["GET", "HEAD", "POST"]


def own_campaign(request: Request, pk: int, *, draft: bool = True) -> Campaign:
    """Return a campaign in sight that the post's bureau writes; a posted change of an issued one meets a 409 later."""
    rows = Campaign.objects.visible_to(request.post).select_related("institution", "supervisor")
    campaign = get_object_or_404(rows, pk=pk)
    if not request.post.acts_for(campaign.institution_id):
        raise PermissionDenied("只有拟稿单位可以修改")
    if draft and not campaign.is_draft and request.method != "POST":
        raise PermissionDenied("文件已印发，正文、阶段和督导重点不能再改；可以增加任务和主送机构")
    return campaign


def frame(campaign: Campaign, **more: Any) -> dict[str, Any]:
    """What every page of a draft shows: the campaign, its version, the way back."""
    crumbs = [("活动", reverse("campaigns:campaign_list")), (campaign, campaign.get_absolute_url())]
    cancel = campaign.get_absolute_url()
    return {"campaign": campaign, "crumbs": crumbs, "cancel_url": cancel, **more}


# --- The head --------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def campaign_create(request: Request) -> HttpResponse:
    if not request.post.institution.is_bureau:
        raise PermissionDenied("活动由卫生健康行政部门登记")
    campaign = Campaign(institution=request.post.institution, supervisor=request.post.institution)
    data = request.POST if request.method == "POST" else None
    if data is not None and data.get("action") == "read":
        form = CampaignForm(instance=campaign, post=request.post, initial=_read(data))
    else:
        form = CampaignForm(
            data,
            request.FILES or None,
            instance=campaign,
            post=request.post,
            initial={"year": clock.today().year, "issued_on": clock.today()},
        )
    if form.is_bound and form.is_valid():
        paper = form.cleaned_data["paper"]
        drafting.register(form.save(commit=False), by=request.post, paper=paper, files=form.stored)
        messages.success(request, "已登记为拟稿，请核对正文，再补充阶段、主送机构和任务")
        return redirect(
            "campaigns:campaign_text" if paper else "campaigns:campaign_detail", campaign.pk
        )
    crumbs = [("活动", reverse("campaigns:campaign_list"))]
    return render(request, "campaigns/campaign_form.html", {"form": form, "crumbs": crumbs})


def _read(data) -> dict[str, Any]:
    """Return what the pasted paper says, with what was typed going before it."""
    paper = passages.read_paper(data.get("paper", ""))
    goals = next((p.text for p in paper.parts if "目标" in p.heading and p.text), "")
    said = {
        "number": paper.number,
        "title": paper.title,
        "salutation": paper.salutation,
        "issued_on": paper.issued_on,
        "year": paper.issued_on.year if paper.issued_on else None,
        "goals": goals,
    }
    typed = {
        name: data.get(name, "").strip() for name in CampaignForm.base_fields if name != "files"
    }
    return {**{n: v for n, v in typed.items() if v}, **{n: v for n, v in said.items() if v}}


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def campaign_edit(request: Request, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    form = CampaignForm(
        request.POST or None, request.FILES or None, instance=campaign, post=request.post
    )
    if form.is_bound and form.is_valid():
        drafting.save_head(
            form.save(commit=False),
            by=request.post,
            version=posted_version(request),
            files=form.stored,
        )
        messages.success(request, "已保存")
        return redirect(campaign)
    return render(request, "campaigns/campaign_form.html", frame(campaign, form=form))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def campaign_file_remove(request: Request, pk: int, key: str) -> HttpResponse:
    campaign = own_campaign(request, pk)
    file = get_object_or_404(campaign.files.all(), key=key)
    drafting.remove_file(campaign, file, by=request.post, version=posted_version(request))
    messages.success(request, f"已删除附件“{file.name}”")
    return redirect(campaign)


# --- The text --------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def campaign_text(request: Request, pk: int) -> HttpResponse:
    """Edit the passages; or paste the paper anew, which shows how it will be cut and saves nothing yet."""
    campaign = own_campaign(request, pk)
    paste = PasteForm()
    fresh = False
    if request.method == "POST" and request.POST.get("action") == "read":
        paste = PasteForm(request.POST)
        formset = _passage_forms(campaign)
        if paste.is_valid():
            parts = passages.read_paper(paste.cleaned_data["paper"]).parts
            formset = _line_forms(drafting.matched(campaign, parts))
            fresh = True
    elif request.method == "POST":
        formset = PassageFormSet(request.POST)
        if formset.is_valid():
            lines = _lines(formset)
            drafting.write_passages(
                campaign, lines, by=request.post, version=posted_version(request)
            )
            messages.success(request, f"已保存 {len(lines)} 条条文")
            return redirect(campaign)
    else:
        formset = _passage_forms(campaign)
    context = frame(campaign, formset=formset, paste=paste, fresh=fresh, split=SPLIT)
    return render(request, "campaigns/campaign_text.html", context)


def _passage_forms(campaign: Campaign):
    return _line_forms(
        [drafting.Line(row.heading, row.text, row.pk) for row in campaign.passages.all()]
    )


def _line_forms(lines: list[drafting.Line]):
    return PassageFormSet(
        initial=[{"pk": x.pk or None, "heading": x.heading, "text": x.text} for x in lines]
    )


def _lines(formset) -> list[drafting.Line]:
    """Return the passages as the preview leaves them: deleted, merged with the one above, cut in two."""
    lines: list[drafting.Line] = []
    for form in formset:
        given = form.cleaned_data
        heading, text = given.get("heading", "").strip(), given.get("text", "").strip()
        if given.get("DELETE") or not (heading or text):
            continue
        pieces = [piece.strip() for piece in text.replace("\r\n", "\n").split(f"\n{SPLIT}\n")]
        if given.get("merge") and lines:
            above = lines.pop()
            joined = "\n".join(part for part in (above.text, heading + pieces[0]) if part)
            lines.append(drafting.Line(above.heading, joined, above.pk))
        else:
            lines.append(drafting.Line(heading, pieces[0], given.get("pk") or 0))
        lines += [drafting.Line("", piece) for piece in pieces[1:] if piece]
    return lines


# --- Phases ----------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def phase_edit(request: Request, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    rows = campaign.phases.all()
    # Not for what is posted: a suggestion that is left as it was would count as not filled in.
    suggested = [] if rows or request.method == "POST" else _suggested(campaign)
    form_class = phase_formset(extra=len(suggested) or (1 if rows else 3))
    formset = form_class(
        request.POST or None,
        queryset=Phase.objects.visible_to(request.post).filter(campaign=campaign),
        initial=suggested,
    )
    if formset.is_bound and formset.is_valid():
        kept = [f.instance for f in formset if _is_kept(f)]
        kept.sort(key=lambda phase: phase.ends)
        removed = [f.instance for f in formset.deleted_forms if f.instance.pk]
        with refusals_said(request):
            drafting.save_phases(
                campaign, kept, removed, by=request.post, version=posted_version(request)
            )
            messages.success(request, f"已保存 {len(kept)} 个阶段")
            return redirect(campaign)
        return redirect("campaigns:phase_edit", campaign.pk)
    context = frame(campaign, formset=formset, suggested=bool(suggested))
    return render(request, "campaigns/phase_form.html", context)


def _is_kept(form) -> bool:
    given = form.cleaned_data
    return bool(given.get("name") and given.get("ends")) and not given.get("DELETE")


def _suggested(campaign: Campaign) -> list[dict[str, Any]]:
    found = []
    for passage in campaign.passages.all():
        span = passages.period(passage.heading)
        if span:
            name = passages.phase_name(passage.heading)[:60]
            found.append({"name": name, "starts": span[0], "ends": span[1], "text": passage.text})
    return found


# --- The table of 督导重点 ---------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def focus_create(request: Request, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    return _focus_page(request, SupervisionFocus(campaign=campaign))


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def focus_edit(request: Request, pk: int) -> HttpResponse:
    return _focus_page(request, _own_focus(request, pk))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def focus_delete(request: Request, pk: int) -> HttpResponse:
    focus = _own_focus(request, pk)
    campaign = focus.campaign
    drafting.delete_focus(focus, by=request.post, version=posted_version(request))
    messages.success(request, "已删除这一行督导重点")
    return redirect(campaign)


def _own_focus(request: Request, pk: int) -> SupervisionFocus:
    focus = get_object_or_404(SupervisionFocus.objects.visible_to(request.post), pk=pk)
    focus.campaign = own_campaign(request, focus.campaign_id)
    return focus


def _focus_page(request: Request, focus: SupervisionFocus) -> HttpResponse:
    campaign = focus.campaign
    form = FocusForm(request.POST or None, instance=focus, post=request.post)
    if form.is_bound and form.is_valid():
        chosen = {name: list(form.cleaned_data[name]) for name in ("institutions", "items")}
        drafting.save_focus(
            form.save(commit=False), by=request.post, version=posted_version(request), **chosen
        )
        messages.success(request, "已保存督导重点")
        if request.POST.get("then") == "next":
            return redirect("campaigns:focus_create", campaign.pk)
        return redirect(campaign)
    return render(request, "campaigns/focus_form.html", frame(campaign, form=form, focus=focus))


# --- Recipients ------------------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def recipient_edit(request: Request, pk: int) -> HttpResponse:
    """Add recipients; also after issue, when a paper is sent to one more."""
    campaign = own_campaign(request, pk, draft=False)
    search = request.GET.get("q", "").strip()[:40]
    form = AddRecipientsForm(
        request.POST or None, campaign=campaign, post=request.post, search=search
    )
    if form.is_bound and form.is_valid():
        added = issuing.address(
            campaign,
            form.chosen,
            by=request.post,
            version=posted_version(request),
            departments=form.departments,
            regions=form.regions,
        )
        messages.success(request, f"已加入 {added} 个主送对象")
        return redirect("campaigns:recipient_edit", campaign.pk)
    recipients = Recipient.objects.visible_to(request.post).filter(campaign=campaign)
    recipients = recipients.select_related("institution", "department", "region").order_by(
        "institution__code", "pk"
    )
    context = frame(campaign, form=form, search=search, recipients=recipients)
    return render(request, "campaigns/recipient_form.html", context)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def recipient_remove(request: Request, pk: int) -> HttpResponse:
    campaign = own_campaign(request, pk)
    form = RemoveRecipientsForm(request.POST, campaign=campaign, post=request.post)
    if not form.is_valid():
        messages.error(request, next(iter(form.errors.values()))[0])
        return redirect("campaigns:recipient_edit", campaign.pk)
    with refusals_said(request):
        removed = drafting.remove_recipients(
            campaign,
            form.cleaned_data["institutions"],
            by=request.post,
            version=posted_version(request),
            others=form.cleaned_data["others"],
        )
        messages.success(request, f"已去掉 {removed} 个主送对象")
    return redirect("campaigns:recipient_edit", campaign.pk)


# --- What became of a passage ------------------------------------------------------------------------


@require_http_methods(GET_POST)
@permission_required(CHANGE, raise_exception=True)
def passage_edit(request: Request, pk: int) -> HttpResponse:
    passage = get_object_or_404(Passage.objects.visible_to(request.post), pk=pk)
    campaign = passage.campaign = own_campaign(request, passage.campaign_id, draft=False)
    form = PassageLinkForm(request.POST or None, instance=passage, post=request.post)
    if form.is_bound and form.is_valid():
        drafting.link_passage(
            passage, by=request.post, version=posted_version(request), **form.cleaned_data
        )
        messages.success(request, "已记下这一条的落实情况")
        following = campaign.passages.filter(position__gt=passage.position).unlinked().first()
        if request.POST.get("then") == "next" and following is not None:
            return redirect("campaigns:passage_edit", following.pk)
        return redirect(f"{campaign.get_absolute_url()}#passage-{passage.pk}")
    context = frame(
        campaign, form=form, passage=passage, unlinked=campaign.passages.unlinked().count()
    )
    return render(request, "campaigns/passage_form.html", context)
