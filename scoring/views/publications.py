"""Taking a result into a draft of what is to be shown to everybody."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from campaigns import disclosing
from campaigns.models import Publication
from institutions.http import Request, posted_version
from institutions.workflow import StaleState
from scoring.result_tables import sources, take_table


class SourceForm(forms.Form):
    source = forms.ChoiceField(label="数据来源", widget=forms.RadioSelect)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(disclosing.WRITE, raise_exception=True)
def publication_table(request: Request, pk: int) -> HttpResponse:
    """Choose what the table is taken from; it is frozen into the draft."""
    rows = Publication.objects.visible_to(request.post).select_related("institution")
    row = get_object_or_404(rows, pk=pk)
    if not request.post.acts_for(row.institution_id):
        raise PermissionDenied("由拟稿的卫生健康行政部门办理")
    if not row.is_draft:
        raise StaleState(row, row.version)
    form = SourceForm(request.POST or None)
    choices = sources(row, request.post)
    form.fields["source"].choices = choices
    if form.is_bound and form.is_valid():
        table = take_table(row, form.cleaned_data["source"], by=request.post)
        disclosing.set_table(row, table, by=request.post, version=posted_version(request))
        messages.success(request, f"已取数：{table['title']}，共 {len(table['rows'])} 行")
        return redirect(row)
    return render(
        request,
        "scoring/publication_table.html",
        {
            "row": row,
            "form": form if choices else None,
            "version": row.version,
            "crumbs": [(row.title, row.get_absolute_url())],
        },
        status=422 if form.errors else 200,
    )
