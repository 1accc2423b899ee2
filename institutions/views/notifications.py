from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from institutions import clock
from institutions.http import Request, local_url
from institutions.lists import NotificationList
from institutions.models import Notification


@require_safe
@permission_required("institutions.view_notification", raise_exception=True)
def notification_list(request: Request) -> HttpResponseBase:
    """What my post was told, unread first."""
    rows = Notification.objects.visible_to(request.post)
    return NotificationList(request, NotificationList.unread_first(rows)).response(
        "institutions/notification_list.html"
    )


@require_POST
@permission_required("institutions.view_notification", raise_exception=True)
def notification_open(request: Request, pk: int) -> HttpResponse:
    """Mark one as read and go where it points."""
    row = get_object_or_404(Notification.objects.visible_to(request.post), pk=pk)
    if row.read_at is None:
        row.read_at = clock.now()
        row.save(update_fields=["read_at"])
    return redirect(local_url(row.url) or "notification_list")


@require_POST
@permission_required("institutions.view_notification", raise_exception=True)
def notification_read_all(request: Request) -> HttpResponse:
    unread = Notification.objects.visible_to(request.post).filter(read_at__isnull=True)
    unread.update(read_at=clock.now())
    return redirect("notification_list")
