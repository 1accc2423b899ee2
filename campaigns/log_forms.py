"""Forms of the work log: each kind asks only what it needs, so that the form stays short on a phone."""

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.datastructures import MultiValueDict

from campaigns.models import Campaign, Phase, Task, WorkLog
from institutions import clock
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Institution, Kind, Post, StaffMember
from institutions.staffing import kept_by

K = WorkLog.Kind
FIRST = ("day", "subject", "place", "host", "text")
LINKS = ("campaign", "phase", "task", "item")
DECIDED = ("decisions", "follow_up_due")
FLOW = ("flow_before", "flow_after", "flow_from")
# What a kind asks beyond the common fields.
ASKED: dict[str, tuple[str, ...]] = {
    K.DISPATCH: ("participants", "units", *DECIDED),
    K.MEETING: ("participants", "targets", "units", *DECIDED),
    K.TRAINING: ("participants", "targets", "trainees", "tested", "passed", "units"),
    K.PUBLICITY: ("channel", "labelled", "participants", "targets"),
    K.FIELD: ("units", *DECIDED),
    K.GUIDANCE: ("units", "targets", *DECIDED),
    K.QUALITY: ("aspect", "units", *DECIDED),
    K.INNOVATION: ("aspect", "targets"),
    K.OBSTACLE: ("aspect", *DECIDED),
    K.REENGINEERING: ("aspect", *FLOW, *DECIDED),
    K.CHECK: ("manner", "units", *DECIDED),
    K.PLATFORM: ("aspect", "platform", "units", *DECIDED),
}
# Said under the name of the kind where one chooses what to enter.
MEANT = {
    K.DISPATCH: "分阶段、分项目调度重点工作",
    K.MEETING: "定期召开的公共卫生例会、首席公卫医师团队会议",
    K.TRAINING: "规范、管理知识、适宜技术培训，含效果测试",
    K.PUBLICITY: "宣传栏、壁报、视频、三进、上门等，要有照片",
    K.FIELD: "领导一线督导、调研、包联",
    K.GUIDANCE: "技术指导组、专业机构到基层指导",
    K.QUALITY: "按质控计划检查各项目，发现问题及时整改",
    K.INNOVATION: "有示范意义的创新举措，可由主管部门遴选推荐",
    K.OBSTACLE: "床位设置、设施设备、药物目录等政策制约",
    K.REENGINEERING: "优化、细化服务流程：优化前、优化后、哪天起用、效果怎样",
    K.CHECK: "主动服务、跟踪调度、督导检查、实地考察，督查任务进展",
    K.PLATFORM: "启动会、健康驿站和家医签约等平台的联系对接、数据导入",
}
HELP = {
    "aspect": {
        K.OBSTACLE: "如：床位设置、设施设备、药物目录",
        K.QUALITY: "质控了哪些项目或环节",
        K.PLATFORM: "对接的平台，如：家医平台、健康驿站",
    }
}


class WorkLogForm(ScopedFormMixin, FilesFormMixin, forms.ModelForm):
    targets = forms.MultipleChoiceField(
        label="对象",
        required=False,
        choices=[(word, word) for word in WorkLog.TARGETS],
        widget=forms.CheckboxSelectMultiple,
    )
    labelled = forms.TypedChoiceField(
        label=WorkLog._meta.get_field("labelled").verbose_name,
        choices=[("yes", "是"), ("no", "否")],
        coerce=lambda value: value == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
        help_text="宣传材料一律要以醒目字体明示",
    )
    platform = forms.URLField(
        label=WorkLog._meta.get_field("platform").verbose_name,
        required=False,
        max_length=200,
        assume_scheme="https",
    )
    files = FilesField(label="照片和材料")

    class Meta:
        model = WorkLog
        fields = [
            *FIRST,
            "manner",
            "channel",
            "labelled",
            "participants",
            "targets",
            "trainees",
            "tested",
            "passed",
            "units",
            "aspect",
            *FLOW,
            "platform",
            *DECIDED,
            *LINKS,
        ]
        widgets = {
            "day": DateInput,
            "follow_up_due": DateInput,
            "text": forms.Textarea(attrs={"rows": 5}),
            "decisions": forms.Textarea(attrs={"rows": 3}),
            "units": forms.CheckboxSelectMultiple,
            "trainees": forms.CheckboxSelectMultiple,
            "flow_before": forms.Textarea(attrs={"rows": 3}),
            "flow_after": forms.Textarea(attrs={"rows": 3}),
            "flow_from": DateInput,
        }
        help_texts = {
            "host": "只写职务，如：分管副局长",
            "text": "做了什么、效果怎样",
            "decisions": "定了什么、由谁落实；没有可空着",
            "follow_up_due": "填写后会在工作台提醒，落实后在本页登记",
            "units": "勾选的机构计入覆盖情况",
            "trainees": "人员名册中还没有岗前培训的；勾选后名册自动填上培训日期",
            "flow_before": "一步一步写，如：挂号→候诊→建档→体检→取报告",
            "task": "本项工作落实的是哪项任务（没有可不选）",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        log = self.instance
        asked = ASKED[log.kind]
        for name in self.Meta.fields:
            if name not in (*FIRST, *LINKS, *asked):
                del self.fields[name]
        if "units" in self.fields:
            self._offer_units()
        if "trainees" in self.fields:
            self._offer_trainees()
        if log.kind == K.REENGINEERING:
            for name in FLOW:
                self.fields[name].required = True
        self._offer_links()
        if "targets" in self.fields:
            self.initial["targets"] = log.targets.split("、") if log.targets else []
        if "labelled" in self.fields and log.labelled is not None:
            self.initial["labelled"] = "yes" if log.labelled else "no"
        if "channel" in self.fields:
            self.fields["channel"].required = True
            self.fields["channel"].choices = [("", "请选择"), *WorkLog.Channel.choices]
        if "manner" in self.fields:
            self.fields["manner"].required = True
            self.fields["manner"].choices = [("", "请选择"), *WorkLog.Manner.choices]
        if log.kind == K.TRAINING:
            for name in ("participants", "targets"):
                self.fields[name].required = True
        if log.kind == K.PUBLICITY:
            self.fields["files"].label = "现场照片（至少一张）"
        if "aspect" in self.fields:
            self.fields["aspect"].help_text = HELP["aspect"].get(log.kind, "如：签约服务、健康管理")

    def _offer_units(self) -> None:
        units = below(self.post)
        if units.exists():
            self.fields["units"].queryset = units
        else:
            del self.fields["units"]

    def _offer_trainees(self) -> None:
        """Offer the newcomers without training whose rosters the post keeps, and those already ticked."""
        ticked = self.instance.trainees.values("pk") if self.instance.pk else []
        rows = StaffMember.objects.visible_to(self.post).filter(
            institution__in=Institution.objects.filter(kept_by(self.post))
        )
        newcomers = StaffMember.objects.untrained().order_by().values("pk")
        rows = rows.filter(Q(pk__in=newcomers) | Q(pk__in=ticked)).select_related("institution")
        if not self.post.has_perm("institutions.keep_staff") or not rows.exists():
            del self.fields["trainees"]
            return
        field = self.fields["trainees"]
        field.queryset = rows
        field.label_from_instance = lambda member: f"{member.name}（{member.institution.known_as}）"

    def _offer_links(self) -> None:
        known = Campaign.objects.visible_to(self.post).exclude(status=Campaign.Status.DRAFT)
        self.fields["campaign"].queryset = known
        self.fields["phase"].queryset = Phase.objects.filter(campaign__in=known)
        self.fields["task"].queryset = Task.objects.visible_to(self.post).filter(campaign__in=known)
        for name in LINKS:
            self.fields[name].empty_label = "（不选）"

    def clean_targets(self) -> str:
        return "、".join(self.cleaned_data["targets"])

    def clean_day(self):
        day = self.cleaned_data["day"]
        if day > clock.today():
            raise forms.ValidationError("日志登记已经做过的工作，日期不能晚于今天")
        return day

    def clean(self):
        cleaned = super().clean()
        self._clean_links(cleaned)
        tested, passed = cleaned.get("tested"), cleaned.get("passed")
        people = cleaned.get("participants")
        if passed is not None and tested is None:
            self.add_error("tested", "请填写测试人数")
        elif passed is not None and passed > tested:
            self.add_error("passed", "合格人数不能多于测试人数")
        if tested is not None and people is not None and tested > people:
            self.add_error("tested", "测试人数不能多于参加人数")
        if cleaned.get("follow_up_due") and not cleaned.get("decisions"):
            self.add_error("decisions", "填了落实时限，请写明要落实的事项")
        if self.instance.kind == K.CHECK and not cleaned.get("campaign"):
            self.add_error("campaign", "请选择督查的是哪个活动、哪项任务")
        if self.instance.kind == K.PUBLICITY and not self._has_photo():
            self.add_error("files", "请上传现场照片")
        return cleaned

    def _clean_links(self, cleaned: dict[str, Any]) -> None:
        """A task or phase brings its campaign along; one of another campaign is an error."""
        task = cleaned.get("task")
        if task is not None and task.phase_id and not cleaned.get("phase"):
            cleaned["phase"] = task.phase
        for name in ("phase", "task"):
            row = cleaned.get(name)
            if row is None:
                continue
            if not cleaned.get("campaign"):
                cleaned["campaign"] = row.campaign
            elif row.campaign_id != cleaned["campaign"].pk:
                self.add_error(name, "不属于所选的活动")

    def _has_photo(self) -> bool:
        if any(file.is_image for file in self.stored) or "files" in self.errors:
            return True
        return bool(self.instance.pk) and any(f.is_image for f in self.instance.files.all())

    @property
    def chosen_trainees(self) -> list[StaffMember] | None:
        return list(self.cleaned_data["trainees"]) if "trainees" in self.fields else None

    @property
    def chosen_units(self) -> list[Institution] | None:
        return list(self.cleaned_data["units"]) if "units" in self.fields else None


def below(post: Post) -> QuerySet[Institution]:
    """Return the open units that the post's own unit looks after directly, street offices left out."""
    return (
        Institution.objects.visible_to(post)
        .open_on(clock.today())
        .filter(parent=post.institution_id)
        .exclude(kind=Kind.STREET)
    )


class FollowUpForm(forms.Form):
    on = forms.DateField(label="落实日期", widget=DateInput)
    text = forms.CharField(
        label="落实情况", max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


LABELLED = [("yes", "已明示"), ("no", "未明示")]
FOLLOW_UP = [("open", "未落实"), ("overdue", "逾期未落实"), ("done", "已落实")]


class LogFilter(ScopedFilterSet):
    kind = django_filters.ChoiceFilter(choices=WorkLog.Kind.choices, label="类型")
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")
    since = django_filters.DateFilter(
        field_name="day", lookup_expr="gte", label="起", widget=DateInput
    )
    until = django_filters.DateFilter(
        field_name="day", lookup_expr="lte", label="止", widget=DateInput
    )
    target = django_filters.ChoiceFilter(
        field_name="targets",
        lookup_expr="contains",
        choices=[(word, word) for word in WorkLog.TARGETS],
        label="对象",
    )
    channel = django_filters.ChoiceFilter(choices=WorkLog.Channel.choices, label="宣传方式")
    manner = django_filters.ChoiceFilter(choices=WorkLog.Manner.choices, label="督查形式")
    labelled = django_filters.ChoiceFilter(choices=LABELLED, label="宣传标识", method="by_label")
    follow_up = django_filters.ChoiceFilter(choices=FOLLOW_UP, label="落实", method="by_follow_up")
    task = django_filters.ModelChoiceFilter(queryset=Task.objects.all(), widget=forms.HiddenInput)
    status = django_filters.ChoiceFilter(choices=WorkLog.Status.choices, label="案例状态")
    scope = django_filters.ChoiceFilter(
        choices=[("own", "本单位的"), ("below", "下级机构的")], label="范围", method="by_side"
    )

    class Meta:
        model = WorkLog
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_label(self, queryset, name, value):
        rows = queryset.filter(kind=K.PUBLICITY)
        return rows.filter(labelled=True) if value == "yes" else rows.exclude(labelled=True)

    def by_follow_up(self, queryset, name, value):
        match value:
            case "open":
                return queryset.to_follow_up()
            case "overdue":
                return queryset.overdue()
        return queryset.filter(followed_up_on__isnull=False)

    def by_side(self, queryset, name, value):
        here = Q(institution=self.post.institution_id)
        return queryset.filter(here if value == "own" else ~here)


class CoverageForm(forms.Form):
    """What is counted: a kind of work in a period, over which units."""

    kind = forms.ChoiceField(label="类型", choices=WorkLog.Kind.choices)
    campaign = forms.ModelChoiceField(
        Campaign.objects.none(), label="活动", required=False, empty_label="不限活动"
    )
    channel = forms.ChoiceField(
        label="宣传方式", required=False, choices=[("", "不限"), *WorkLog.Channel.choices]
    )
    manner = forms.ChoiceField(
        label="督查形式", required=False, choices=[("", "不限"), *WorkLog.Manner.choices]
    )
    target = forms.ChoiceField(
        label="对象",
        required=False,
        choices=[("", "不限"), *((word, word) for word in WorkLog.TARGETS)],
    )
    since = forms.DateField(label="起", widget=DateInput)
    until = forms.DateField(label="止（含当日）", widget=DateInput)
    units = forms.ChoiceField(
        label="机构范围", choices=[("direct", "本单位和直接督导的机构"), ("all", "全部下级机构")]
    )
    state = forms.ChoiceField(
        label="情况",
        required=False,
        choices=[("", "全部"), ("missing", "没有的"), ("covered", "有的")],
    )

    def __init__(self, data: MultiValueDict, *, post: Post) -> None:
        today = clock.today()
        first = {
            "kind": K.TRAINING,
            "since": (today - timedelta(days=today.timetuple().tm_yday - 1)).isoformat(),
            "until": today.isoformat(),
            "units": "direct",
        }
        given = {name: data.get(name, "") for name in self.base_fields}
        super().__init__({**given, **{n: given[n] or v for n, v in first.items()}})
        self.fields["campaign"].queryset = Campaign.objects.visible_to(post).exclude(
            status=Campaign.Status.DRAFT
        )


class StaffFilter(ScopedFilterSet):
    state = django_filters.ChoiceFilter(
        choices=[("never", "未培训"), ("after", "到岗后才培训"), ("ok", "岗前已培训")],
        label="岗前培训",
        method="by_state",
    )
    institution = django_filters.ModelChoiceFilter(queryset=Institution.objects.all(), label="机构")

    class Meta:
        model = StaffMember
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        here = request.post.institution_id
        field = self.form.fields["institution"]
        field.queryset = field.queryset.filter(Q(parent=here) | Q(pk=here))

    def by_state(self, queryset, name, value):
        return queryset.filter(trained_state=value)
