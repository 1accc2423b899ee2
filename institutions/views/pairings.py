"""Editing which institutions a leader is linked to (挂包)."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from institutions import clock, pairing
from institutions.http import Request
from institutions.models import Post
from institutions.moves import refusals_said
from institutions.pairing_forms import PairingForm
from institutions.roles import Role


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(pairing.PERM, raise_exception=True)
def pairing_edit(request: Request, pk: int) -> HttpResponse:
    """Choose the institutions of one leader; those taken out end yesterday."""
    leaders = Post.objects.visible_to(request.post).filter(role=Role.LEADER)
    leader = get_object_or_404(leaders.select_related("institution"), pk=pk)
    if not request.post.acts_for(leader.institution_id):
        raise PermissionDenied("只能安排本局领导的挂包联系")
    form = PairingForm(
        request.POST or None,
        leader=leader,
        post=request.post,
        initial={
            "institutions": list(leader.pairings.in_force().values_list("institution", flat=True)),
            "starts": clock.today(),
        },
    )
    if form.is_bound and form.is_valid():
        with refusals_said(request):
            begun, ended = pairing.pair(
                leader,
                form.cleaned_data["institutions"],
                by=request.post,
                starts=form.cleaned_data["starts"],
            )
            messages.success(request, f"已保存：新增{begun}家，减少{ended}家")
        return redirect("leader_page", leader.pk)
    url = reverse("leader_page", args=[leader.pk])
    context = {
        "form": form,
        "leader": leader,
        "cancel_url": url,
        "crumbs": [("挂包领导", reverse("leader_list")), (leader.title, url)],
    }
    return render(request, "institutions/pairing_form.html", context)
