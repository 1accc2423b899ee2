from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from institutions import audit
from institutions.http import Request
from institutions.lists import EventList
from institutions.models import Event

# Beyond this many events checking takes longer than a page may: about ten seconds.
CHECKED_HERE = 200_000
SHOWN = 100


@require_safe
@permission_required("institutions.view_event", raise_exception=True)
def event_list(request: Request) -> HttpResponseBase:
    """Who did what, when, in the bureaus in reach."""
    rows = Event.objects.visible_to(request.post)
    return EventList(request, rows).response("institutions/event_list.html")


@require_POST
@permission_required("institutions.view_event", raise_exception=True)
def event_verify(request: Request) -> HttpResponse:
    """Walk the chains in reach and say whether each link holds."""
    rows = Event.objects.visible_to(request.post).order_by()
    count = rows[: CHECKED_HERE + 1].count()
    crumbs = [("操作记录", reverse("institutions:event_list"))]
    context = {
        "crumbs": crumbs,
        "count": count,
        "limit": CHECKED_HERE,
        "too_many": count > CHECKED_HERE,
    }
    if not context["too_many"]:
        # By reach, not by the rows that are left: a chain deleted as a whole is missed too.
        keys = audit.chains() & {pk for grant in request.post.reach.grants for pk in grant.bureaus}
        breaks = list(audit.verify(keys=keys))
        with transaction.atomic():
            audit.record(
                "audit.verified",
                "校验操作记录",
                by=request.post,
                bureau=request.post.institution.bureau_id,
                note=f"{len(keys)} 条记录链，{count} 条记录，{len(breaks)} 处不符",
            )
        context |= {"chains": len(keys), "breaks": breaks[:SHOWN], "broken": len(breaks)}
    return render(request, "institutions/event_verify.html", context)
