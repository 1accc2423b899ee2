"""Forms of tasks: writing one, and giving an issued one to more institutions."""

from typing import Any

from django import forms
from django.db.models import Q

from campaigns.models import Recipient, Task
from institutions.forms import DateInput, ScopedFormMixin
from institutions.models import Department, Institution, Kind, Post
from institutions.roles import Role


class TaskForm(ScopedFormMixin, forms.ModelForm):
    """A task of a campaign; its institutions are among the recipients of the paper."""

    covers = forms.CharField(
        label="覆盖对象（每行一个）",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="完成方式选“全覆盖”时填写，如：区、镇（街道）、村（社区）三级各一行",
    )
    objectives = forms.MultipleChoiceField(
        label="目标类别",
        required=False,
        choices=Task.Objective.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    kinds = forms.MultipleChoiceField(
        label="按类别全选责任单位", required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Task
        fields = [
            "name",
            "text",
            "phase",
            "area",
            "kind",
            "done_by",
            "goal",
            "unit",
            "covers",
            "item",
            "due",
            "programme",
            "objectives",
            "leaders",
            "departments",
            "receiver",
            "unit_departments",
            "institutions",
        ]
        widgets = {
            "due": DateInput,
            "text": forms.Textarea(attrs={"rows": 4}),
            "leaders": forms.CheckboxSelectMultiple,
            "departments": forms.CheckboxSelectMultiple,
            "unit_departments": forms.CheckboxSelectMultiple,
            "institutions": forms.CheckboxSelectMultiple,
        }
        help_texts = {
            "area": "如：基本公卫、家庭医生签约、健康积分",
            "due": "不填则用所选阶段的截止日期",
            "goal": "每个责任单位要达到的数，比例填 60 表示 60%；没有可不填",
            "unit": "如：个、人次、例",
            "programme": "如：三高共管六病同防医防融合、369人才工程、政府十大实事",
            "receiver": "由哪个单位收集、审核各单位的报送；不选就是本局",
            "unit_departments": "局机关科室自己也要报送的，在这里选",
            "institutions": "从主送机构中选；每家印发后各有一份任务报送",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance.campaign
        office = campaign.institution_id
        recipients = Institution.objects.visible_to(self.post).filter(
            pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution")
        )
        self.fields["institutions"].queryset = recipients
        self.fields["receiver"].queryset = recipients
        self.fields["receiver"].empty_label = "本局"
        present = set(recipients.order_by().values_list("kind", flat=True))
        self.fields["kinds"].choices = [
            (value, f"全部{label}") for value, label in Kind.choices if value in present
        ]
        self.fields["phase"].queryset = campaign.phases.all()
        self.fields["leaders"].queryset = (
            Post.objects.visible_to(self.post)
            .in_office()
            .filter(institution=office, role=Role.LEADER)
            .select_related("institution")
        )
        for name in ("departments", "unit_departments"):
            self.fields[name].queryset = Department.objects.filter(institution=office)
        self.fields["due"].required = False
        for name in ("phase", "item"):
            self.fields[name].empty_label = "（不选）"
        self.initial["covers"] = "\n".join(self.instance.covers)
        self.initial["objectives"] = self.instance.objectives.split()
        self.order_fields([*self.Meta.fields[:-1], "kinds", "institutions"])

    def clean_covers(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["covers"].splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def clean_objectives(self) -> str:
        return " ".join(self.cleaned_data["objectives"])

    def clean(self):
        cleaned = super().clean()
        phase, due = cleaned.get("phase"), cleaned.get("due")
        if not due and phase:
            cleaned["due"] = due = phase.ends
        if not due and "due" not in self.errors:
            self.add_error("due", "请填写完成时限，或选择阶段")
        if due and phase and due > phase.ends:
            self.add_error("due", f"不能晚于阶段的截止日期 {phase.ends}")
        self._clean_units(cleaned)
        above = self.instance.passes_on
        if above and cleaned.get("done_by") != above.task.done_by:
            label = above.task.get_done_by_display()
            self.add_error("done_by", f"转下达的任务要与上级一样按“{label}”完成，否则不能合计")
        if above and due and due > above.due:
            self.add_error("due", f"不能晚于上级任务的时限 {above.due}")
        return cleaned

    def _clean_units(self, cleaned: dict[str, Any]) -> None:
        """Take in whole kinds; somebody must answer, and not the one who receives the reports."""
        receiver = cleaned.get("receiver")
        kinds = cleaned.get("kinds")
        if kinds and "institutions" in cleaned:
            offered = self.fields["institutions"].queryset
            chosen = offered.filter(
                Q(kind__in=kinds) | Q(pk__in=[row.pk for row in cleaned["institutions"]])
            )
            cleaned["institutions"] = chosen.exclude(pk=receiver.pk) if receiver else chosen
        units = cleaned.get("institutions") or []
        named = ("departments", "unit_departments")
        if not units and not any(cleaned.get(name) for name in named):
            if "institutions" not in self.errors:
                self.add_error("institutions", "请选择责任单位或牵头科室")
        elif receiver and receiver.pk in {row.pk for row in units}:
            self.add_error("receiver", f"{receiver}是这项任务的责任单位，不能收集自己的报送")

    @property
    def chosen(self) -> dict[str, Any]:
        names = ("institutions", "departments", "leaders", "unit_departments")
        return {name: list(self.cleaned_data[name]) for name in names}


class MoreUnitsForm(forms.Form):
    """Institutions that get an issued task later."""

    institutions = forms.ModelMultipleChoiceField(
        Institution.objects.none(),
        label="增加责任单位",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选择一个机构"},
    )

    def __init__(self, *args: Any, task: Task, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recipients = Recipient.objects.filter(campaign=task.campaign).units()
        self.fields["institutions"].queryset = (
            Institution.objects.visible_to(post)
            .filter(pk__in=recipients.values("institution"))
            .exclude(pk__in=task.institutions.values("pk"))
        )
