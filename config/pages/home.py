"""The first page after login: my work, then the state of what my post looks after."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaigns.check_lists import coming_checks, left_tag, ready_tag
from campaigns.models import Campaign
from campaigns.work import work_for as campaign_work
from config.pages.campaign import campaign_kpis, timeline
from config.pages.leader import work_for as leader_work
from institutions.http import Request
from institutions.models import Post
from institutions.roles import ADMINISTRATORS, Role
from institutions.work import GROUPS, WorkLine
from scoring.work import work_for as scoring_work
from supervision.work import work_for as supervision_work

# A post follows a few campaigns at a time; the rest are in the list.
SHOWN = 2


@require_safe
def home(request: Request):
    """Compose the page from one function per floor; an administrator, who sees no work, gets his tools instead."""
    post = request.post
    if post is None:
        return render(request, "config/home_no_post.html")
    if post.role in ADMINISTRATORS - {Role.AUDITOR}:
        return render(request, "config/home_administrator.html")
    lines = [
        *campaign_work(post),
        *supervision_work(post),
        *scoring_work(post),
        *leader_work(post),
    ]
    return render(
        request,
        "config/home.html",
        {
            "groups": grouped(lines),
            "checks": [
                (check, left_tag(check), ready_tag(check)) for check in coming_checks(post, SHOWN)
            ],
            "campaigns": campaigns_in_hand(post),
        },
    )


def grouped(lines: list[WorkLine]) -> list[tuple[str, str, list[WorkLine]]]:
    """Return (group, its title, its lines) in the order of urgency; nothing without a line."""
    return [
        (group, title, chosen)
        for group, title in GROUPS.items()
        if (chosen := [line for line in lines if line.group == group and line.count])
    ]


def campaigns_in_hand(post: Post) -> list[dict]:
    """Return the campaigns that run, each with its figures and phases."""
    running = Campaign.objects.visible_to(post).filter(status=Campaign.Status.ISSUED)
    return [
        {
            "campaign": campaign,
            "kpis": campaign_kpis(campaign, post),
            "phases": timeline(campaign.phases.all()),
        }
        for campaign in running.select_related("bureau").prefetch_related("phases")[:SHOWN]
    ]
