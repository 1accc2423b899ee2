"""Forms of reports: what an institution writes for a task, and how the list of reports is filtered."""

from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Q

from campaigns.forms import MOST, WEEK, WHEN
from campaigns.models import Campaign, Report, Task
from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin, ScopedFilterSet
from institutions.models import Institution, Post

SCOPE = [("own", "本单位报送的"), ("asked", "本单位审核的")]


class ReportForm(FilesFormMixin, forms.ModelForm):
    """What the institution writes for a task; kept as a draft until it is handed in."""

    # What each way of counting asks for.
    ASKED: ClassVar[dict[str, tuple[str, ...]]] = {
        Task.DoneBy.NUMBER: ("number",),
        Task.DoneBy.PERCENT: ("numerator", "denominator"),
        Task.DoneBy.COVERAGE: ("covered",),
        Task.DoneBy.CHECK: ("level", "problems"),
    }

    covered = forms.MultipleChoiceField(
        label="已覆盖（逐项勾选）", required=False, widget=forms.CheckboxSelectMultiple
    )
    files = FilesField(label="上传佐证材料")

    class Meta:
        model = Report
        fields = [
            "number",
            "numerator",
            "denominator",
            "covered",
            "level",
            "problems",
            "stage",
            "text",
            "held_on",
        ]
        widgets = {"held_on": DateInput, "text": forms.Textarea(attrs={"rows": 6})}
        help_texts = {
            "text": "做了什么、什么时候、多少人参加、结果怎样；会议、培训请写明时间和内容"
        }

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        task = self.instance.task
        asked = {"text", "held_on", "files", *self.ASKED.get(task.done_by, ())}
        if task.kind == Task.Kind.CONSTRUCTION:
            asked.add("stage")
        if self.instance.institution.is_bureau and self.instance.department_id is None:
            asked.discard("level")  # the levels of its units come with the sum
        for name in set(self.fields) - asked:
            del self.fields[name]
        if "covered" in self.fields:
            self.fields["covered"].choices = [(name, name) for name in task.covers]
        if "number" in self.fields and task.unit:
            self.fields["number"].label = f"完成数量（{task.unit}）"
        if task.done_by == Task.DoneBy.FILE:
            self.fields["files"].label = "上传佐证材料（报送前至少一份）"

    def clean(self):
        cleaned = super().clean()
        part, whole = cleaned.get("numerator"), cleaned.get("denominator")
        if "numerator" in self.fields and (part is None) != (whole is None):
            self.add_error("denominator", "完成数和应完成数要一起填写")
        elif whole == 0:
            self.add_error("denominator", "应完成数不能是 0")
        elif part is not None and whole is not None and part > whole:
            self.add_error("numerator", "完成数不能超过应完成数")
        return cleaned

    @property
    def told(self) -> dict[str, Any]:
        """What `reporting.save` keeps."""
        return {name: self.cleaned_data[name] for name in self.fields if name != "files"}


def _is_id(text: str) -> bool:
    """Say whether a value of the query string can be a row's id."""
    return text.isascii() and text.isdigit() and len(text) < 10


class ReportFilter(ScopedFilterSet):
    """Filters of the report list. Phases and tasks are offered once a campaign is chosen.

    The rows are in sight already, so a task or phase that comes by a link needs no query of its own.
    """

    campaign = django_filters.ChoiceFilter(field_name="task__campaign", label="活动")
    phase = django_filters.NumberFilter(
        field_name="task__phase", label="阶段", widget=forms.HiddenInput, max_value=MOST
    )
    task = django_filters.NumberFilter(label="任务", widget=forms.HiddenInput, max_value=MOST)
    status = django_filters.ChoiceFilter(choices=Report.Status.choices, label="状态")
    when = django_filters.ChoiceFilter(choices=WHEN, label="时限", method="by_time")
    scope = django_filters.ChoiceFilter(choices=SCOPE, label="范围", method="by_side")
    institution = django_filters.ModelChoiceFilter(queryset=Institution.objects.all(), label="机构")

    class Meta:
        model = Report
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post
        campaigns = Campaign.objects.visible_to(self.post).exclude(status=Campaign.Status.DRAFT)
        self.form.fields["campaign"].choices = list(campaigns.values_list("pk", "name"))
        chosen = (data or {}).get("campaign", "")
        if _is_id(chosen):
            self._offer_tasks(chosen)
        self._offer_institutions((data or {}).get("institution", ""))

    def _offer_tasks(self, campaign: str) -> None:
        tasks = list(
            Task.objects.visible_to(self.post).filter(campaign=campaign).select_related("phase")
        )
        phases = {task.phase_id: task.phase.name for task in tasks if task.phase}
        offered = {"phase": list(phases.items()), "task": [(t.pk, t.name) for t in tasks]}
        for name, choices in offered.items():
            old = self.form.fields[name]
            self.form.fields[name] = forms.ChoiceField(
                label=old.label, choices=[("", "全部"), *choices], required=False
            )

    def _offer_institutions(self, chosen: str) -> None:
        """Offer those directly below; one further down comes by a link and stays valid."""
        near = Q(parent=self.post.institution_id) | Q(pk=self.post.institution_id)
        if _is_id(chosen):
            near |= Q(pk=chosen)
        field = self.form.fields["institution"]
        field.queryset = field.queryset.filter(near)

    def by_time(self, queryset, name, value):
        today = clock.today()
        match value:
            case "overdue":
                return queryset.overdue()
            case "week":
                return queryset.open().filter(due__range=(today, today + WEEK))
            case "later":
                return queryset.open().filter(due__gt=today + WEEK)
        return queryset

    def by_side(self, queryset, name, value):
        return queryset.own(self.post) if value == "own" else queryset.asked(self.post)
