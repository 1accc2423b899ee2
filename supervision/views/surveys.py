"""Resident surveys at a visit, and the settings of who sends the team."""

from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions.http import Request, posted_version
from institutions.workflow import StaleState
from supervision import surveying
from supervision.models import ResidentSurvey, Visit, VisitPolicy
from supervision.models.survey import Group
from supervision.sample_lists import SurveyList, rate
from supervision.sampling import on_team_side
from supervision.survey_forms import SurveyForm, VisitPolicyForm
from supervision.views.rounds import supervises
from supervision.views.visits import visit_rows

VIEW = "supervision.view_visit"
RECORD = "supervision.record_visit"
CHANGE = "supervision.change_round"


@require_safe
@permission_required(VIEW, raise_exception=True)
def survey_list(request: Request) -> HttpResponse:
    rows = Visit.objects.visible_to(request.post)
    context = {"may_set": supervises(request.post)}
    return SurveyList(request, rows).response("supervision/survey_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(VIEW, raise_exception=True)
def survey_entries(request: Request, pk: int) -> HttpResponse:
    """The surveys of a visit with the quota and the rates, and entering another one."""
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    form = None
    if visit.may_record(request.post):
        form = SurveyForm(request.POST or None, initial={"key": uuid4()})
    elif request.method == "POST":
        if visit.status not in Visit.EDITABLE:
            raise StaleState(visit, visit.version)
        raise PermissionDenied("问卷由督导组登记")
    if form is not None and form.is_bound and form.is_valid():
        surveying.enter(visit, by=request.post, **form.answers)
        messages.success(request, "已登记一份问卷")
        return redirect(f"{reverse('supervision:survey_entries', args=[visit.pk])}#enter")
    rows = list(
        ResidentSurvey.objects.visible_to(request.post)
        .filter(visit=visit)
        .select_related("author__institution")
    )
    return _entries(request, visit, rows, form=form)


@require_POST
@permission_required(VIEW, raise_exception=True)
def survey_reveal(request: Request, pk: int) -> HttpResponse:
    """Show the phones in full, once."""
    visit = get_object_or_404(visit_rows(request.post), pk=pk)
    rows = surveying.reveal(visit, by=request.post)
    form = SurveyForm(initial={"key": uuid4()}) if visit.may_record(request.post) else None
    return _entries(request, visit, rows, form=form, shown=True)


@require_POST
@permission_required(RECORD, raise_exception=True)
def survey_remove(request: Request, pk: int) -> HttpResponse:
    rows = ResidentSurvey.objects.visible_to(request.post).select_related("visit__round")
    survey = get_object_or_404(rows, pk=pk)
    if survey.visit.status not in Visit.EDITABLE:
        raise StaleState(survey.visit, survey.visit.version)
    surveying.remove(survey, by=request.post)
    messages.success(request, "已删除这份问卷")
    return redirect("supervision:survey_entries", survey.visit_id)


def _entries(
    request: Request,
    visit: Visit,
    rows: list[ResidentSurvey],
    *,
    form: SurveyForm | None,
    shown: bool = False,
) -> HttpResponse:
    found = surveying.tally(rows)
    quotas = surveying.policy_of(visit.supervisor).quotas
    counts = {group: sum(row.group == group for row in rows) for group in Group.values}
    return render(
        request,
        "supervision/survey_entries.html",
        {
            "visit": visit,
            "rows": rows,
            "form": form,
            "tally": found,
            "kpis": [
                {
                    "label": "调查人数",
                    "value": found.people,
                    "unit": f"/ {sum(quotas.values())} 人",
                },
                {
                    "label": "知晓率",
                    "value": rate(found.awareness),
                    "note": f"答对 {found.right} / {found.asked} 题",
                },
                {
                    "label": "满意度",
                    "value": rate(found.satisfaction),
                    "note": f"满意、基本满意 {found.satisfied} / {found.valid} 人",
                },
                {
                    "label": "面访率",
                    "value": rate(found.face_rate),
                    "note": f"{found.faced} / {found.face_asked} 人",
                },
                {
                    "label": "上门服务率",
                    "value": rate(found.home_rate),
                    "note": f"{found.at_home} / {found.home_asked} 人",
                },
            ],
            "quotas": [
                (Group(group).label, counts[group], wanted, max(0, wanted - counts[group]))
                for group, wanted in quotas.items()
            ],
            "shown": shown,
            # The visited institution does not learn who was asked, not even by a masked phone.
            "may_reveal": on_team_side(visit, request.post),
            "crumbs": [
                ("现场督导", reverse("supervision:visit_list")),
                (visit.institution.known_as, visit.get_absolute_url()),
            ],
        },
        status=422 if form is not None and form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CHANGE, raise_exception=True)
def visit_policy(request: Request) -> HttpResponse:
    """How many records and residents one's teams check, and how long personal data are kept."""
    post = request.post
    if not supervises(post):
        raise PermissionDenied("现场核查设置由组织督导的单位维护")
    row = VisitPolicy.objects.visible_to(post).filter(institution=post.institution_id).first()
    row = row or VisitPolicy(institution=post.institution, version=0)
    version = posted_version(request) if request.method == "POST" else row.version
    if version != row.version:
        raise StaleState(row, version)
    form = VisitPolicyForm(request.POST or None, instance=row)
    if form.is_bound and form.is_valid():
        surveying.set_policy(form.instance, by=post, version=version)
        messages.success(request, "已保存，从下一次抽取和调查起生效")
        return redirect("supervision:visit_policy")
    context = {
        "form": form,
        "version": version,
        "crumbs": [("居民问卷", reverse("supervision:survey_list"))],
    }
    return render(
        request,
        "supervision/visit_policy.html",
        context,
        status=422 if form.errors else 200,
    )
