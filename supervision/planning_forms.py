"""Forms of planning: year plan, its rounds, experts and their ties, the draw, the round by risk, the calendar."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from campaigns.models import Standard
from campaigns.models.group import Profession
from institutions import clock
from institutions.forms import DateInput, ScopedFilterSet, ScopedFormMixin
from institutions.models import Institution, Post, ServiceItem
from institutions.roles import Role
from supervision import bodies, drawing, lots
from supervision.models import Expert, ExpertTie, PlannedRound, SupervisionRound, YearPlan
from supervision.year_planning import POLICY

_CHECKBOXES = forms.CheckboxSelectMultiple
QUARTERS = [(0, "不分季度"), (1, "第一季度"), (2, "第二季度"), (3, "第三季度"), (4, "第四季度")]
TYPE_HELP = (
    "季度质控、交叉检查计入综合督导次数，年度专项计入专项督导次数；飞行检查在督导前不告知机构"
)


def _items_for(post: Post) -> Any:
    return bodies.led_items(post) if bodies.leads(post) else ServiceItem.objects.filter(parent=None)


class YearPlanForm(forms.ModelForm):
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)

    class Meta:
        model = YearPlan
        fields = ("year",)


class PolicyForm(forms.ModelForm):
    """The least counts and the weights of risk."""

    class Meta:
        model = YearPlan
        fields = POLICY
        help_texts = {
            "least_comprehensive": "文件要求每年至少 4 次综合考核",
            "least_special": "0 表示不要求",
            "weight_score": "以下六项是风险建议的权重，合计最好为 100",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in POLICY:
            most = 12 if name.startswith("least") else 100
            self.fields[name].max_value = most
            self.fields[name].widget.attrs["max"] = most
            if name.startswith("weight"):
                self.fields[name].label = f"权重：{self.fields[name].label}"

    def clean(self):
        cleaned = super().clean()
        for name in POLICY:
            if (value := cleaned.get(name)) is not None and value > self.fields[name].max_value:
                self.add_error(name, f"最多 {self.fields[name].max_value}")
        weights = [cleaned.get(name) or 0 for name in POLICY if name.startswith("weight")]
        if not self.errors and not sum(weights):
            raise ValidationError("权重不能全部为 0")
        return cleaned


class PlannedRoundForm(ScopedFormMixin, forms.ModelForm):
    class Meta:
        model = PlannedRound
        fields = (
            "name",
            "type",
            "quarter",
            "starts",
            "ends",
            "items",
            "standard",
            "institutions",
            "note",
        )
        widgets = {
            "starts": DateInput,
            "ends": DateInput,
            "items": _CHECKBOXES,
            "institutions": _CHECKBOXES,
        }
        help_texts = {
            "type": TYPE_HELP,
            "items": "不选表示全部项目",
            "institutions": "不选表示全部督导机构，或组织时再抽取、再选",
        }

    quarter = forms.TypedChoiceField(label="季度", choices=QUARTERS, coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["items"].queryset = _items_for(self.post)
        if bodies.leads(self.post):
            self.fields["items"].required = True
            self.fields["items"].help_text = "选择本单位牵头的项目"
        self.fields["institutions"].queryset = bodies.units_of(self.post).order_by("code")
        standards = self.fields["standard"]
        standards.queryset = standards.queryset.exclude(status=Standard.Status.DRAFT)
        standards.empty_label = "（不选）"

    def clean(self):
        cleaned = super().clean()
        year = self.instance.plan.year
        for name in ("starts", "ends"):
            if cleaned.get(name) and cleaned[name].year != year:
                self.add_error(name, f"应在{year}年内")
        return cleaned


class ExpertForm(ScopedFormMixin, forms.ModelForm):
    """An expert of the bureau's own pool; the code stays once it is given."""

    professions = forms.MultipleChoiceField(
        label="专业",
        choices=Profession.choices,
        widget=_CHECKBOXES,
        error_messages={"required": "请至少选择一个专业"},
    )

    class Meta:
        model = Expert
        fields = (
            "code",
            "title",
            "professions",
            "post",
            "employer",
            "outside",
            "active",
            "note",
        )
        help_texts = {
            "code": "字母和数字，抽取时以它为签号，建立后不能改",
            "post": "有任职的专家才能抽中，因为要登录系统记录督导",
            "employer": "本人所在单位及其上下级机构自动回避；选了任职可以不填",
            "outside": "单位不在系统中的写在这里",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bureau = self.post.institution_id
        posts = self.fields["post"].queryset
        self.fields["post"].queryset = (
            posts.held()
            .filter(
                Q(role__in=[Role.EXPERT, Role.LEAD]) | Q(institution=bureau, role=Role.OFFICER),
                institution__bureau=bureau,
            )
            .select_related("institution")
            .order_by("institution__code", "pk")
        )
        self.fields["employer"].queryset = (
            self.fields["employer"].queryset.filter(parent=bureau).order_by("code")
        )
        for name in ("post", "employer"):
            self.fields[name].empty_label = "（不选）"
        if self.instance.pk:
            self.fields["code"].disabled = True
            self.initial["professions"] = self.instance.profession_list

    def clean_professions(self) -> str:
        return ",".join(v for v in Profession.values if v in self.cleaned_data["professions"])

    def clean(self):
        cleaned = super().clean()
        post, employer = cleaned.get("post"), cleaned.get("employer")
        if post and not employer and not cleaned.get("outside"):
            own = post.institution
            cleaned["employer"] = self.instance.employer = own
        if not (cleaned.get("employer") or cleaned.get("outside")):
            self.add_error("employer", "请选择所在单位，或填写区外单位")
        return cleaned


class TieForm(ScopedFormMixin, forms.ModelForm):
    class Meta:
        model = ExpertTie
        fields = ("institution", "reason", "starts", "ends")
        widgets = {"starts": DateInput, "ends": DateInput}
        help_texts = {
            "institution": "含其下属机构",
            "reason": "如：近亲属在该单位任职",
            "starts": "不填表示一直",
            "ends": "不填表示一直",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = self.fields["institution"].queryset
        self.fields["institution"].queryset = rows.filter(
            parent=self.post.institution_id, kind__in=bodies.VISITED_KINDS
        ).order_by("code")
        self.fields["institution"].empty_label = "请选择"

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("starts") and cleaned.get("ends") and cleaned["ends"] < cleaned["starts"]:
            self.add_error("ends", "止不能早于起")
        return cleaned


class DrawForm(forms.Form):
    """What to draw. The seed is proposed afresh; a publicly drawn number may be typed instead."""

    mode = forms.ChoiceField(label="抽取机构", choices=list(drawing.MODES.items()))
    strata = forms.ChoiceField(label="分层", choices=list(drawing.STRATA.items()), required=False)
    amount = forms.IntegerField(
        label="家数或比例",
        min_value=1,
        max_value=1000,
        required=False,
        help_text="抽全部机构时不填",
    )
    teams = forms.IntegerField(
        label="督导组数", min_value=0, max_value=50, help_text="0 表示只抽机构，督导组另行安排"
    )
    size = forms.IntegerField(label="每组人数（含组长）", min_value=1, max_value=15, required=False)
    professions = forms.MultipleChoiceField(
        label="每组须有的专业",
        choices=Profession.choices,
        widget=_CHECKBOXES,
        required=False,
        help_text="一人可以兼几个专业；括号内为可抽人数",
    )
    seed = forms.RegexField(
        label="种子",
        regex=r"^[0-9A-Za-z-]{1,64}\Z",
        help_text="系统随机给出；也可以当众填写摇出的号码。同一种子和范围总是抽出同样的结果",
        error_messages={"invalid": "种子只能用字母、数字和“-”，最多 64 位"},
    )
    reason = forms.CharField(
        label="重新抽取的理由", max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self, *args: Any, round: SupervisionRound, pools: lots.Pools, again: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not again:
            del self.fields["reason"]
        self.initial.setdefault("seed", lots.new_seed())
        there = [p for person in pools.people for p in person.professions]
        if not round.supervisor.is_bureau:
            # A centre and a lead agency send their own people, who bear a profession only in an expert pool.
            self.fields["teams"].help_text = "从本单位可督导的人员中抽；0 表示只抽机构"
            if not there:
                del self.fields["professions"]
                return
        self.fields["professions"].choices = [
            (value, f"{label}（{there.count(value)}人）") for value, label in Profession.choices
        ]

    def clean(self):
        cleaned = super().clean()
        mode, amount = cleaned.get("mode"), cleaned.get("amount")
        if mode in ("number", "share") and not amount and "amount" not in self.errors:
            self.add_error("amount", "请填写每层抽取的家数或比例")
        if mode == "share" and amount and amount > 100:
            self.add_error("amount", "比例最多 100")
        if cleaned.get("teams") and not cleaned.get("size") and "size" not in self.errors:
            self.add_error("size", "请填写每组人数")
        return cleaned

    @property
    def ask(self) -> drawing.Ask:
        given = self.cleaned_data
        teams = given.get("teams") or 0
        return drawing.Ask(
            strata=given.get("strata") or "",
            mode=given["mode"],
            amount=(given.get("amount") or 0) if given["mode"] != "all" else 0,
            teams=teams,
            size=(given.get("size") or 0) if teams else 0,
            professions=tuple(given.get("professions") or ()) if teams else (),
        )


class RiskRoundForm(forms.Form):
    """The round to make from the suggestion: from an entry of the plan, or one of its own."""

    entry = forms.ModelChoiceField(
        label="计划轮次",
        queryset=PlannedRound.objects.none(),
        required=False,
        empty_label="（计划外的轮次）",
    )
    name = forms.CharField(label="名称", max_length=80)
    type = forms.ChoiceField(label="类型", choices=SupervisionRound.Type.choices)
    items = forms.ModelMultipleChoiceField(
        label="督导项目",
        queryset=ServiceItem.objects.none(),
        widget=_CHECKBOXES,
        required=False,
        help_text="不选表示全部项目",
    )
    starts = forms.DateField(label="开始", widget=DateInput)
    ends = forms.DateField(label="截止（含当日）", widget=DateInput)
    reason = forms.CharField(
        label="改动名单的理由",
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="勾选与建议一致时不用填",
    )
    units = forms.ModelMultipleChoiceField(
        label="机构",
        queryset=Institution.objects.none(),
        error_messages={"required": "请至少选择一个机构"},
    )

    def __init__(self, *args: Any, post: Post, plan: YearPlan, units: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.fields["entry"].queryset = (
            PlannedRound.objects.visible_to(post).filter(plan=plan).order_by("starts", "pk")
        )
        self.fields["items"].queryset = _items_for(post)
        self.fields["items"].required = bodies.leads(post)
        self.fields["units"].queryset = units

    def clean(self):
        cleaned = super().clean()
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and ends < starts:
            self.add_error("ends", "截止日期不能早于开始日期")
        return cleaned


class CalendarForm(forms.Form):
    """Which month, and whose visits."""

    month = forms.RegexField(
        label="月份",
        regex=r"^20\d\d-(0[1-9]|1[0-2])\Z",
        required=False,
        widget=forms.TextInput(attrs={"type": "month"}),
        error_messages={"invalid": "请写成 2023-03"},
    )
    institution = forms.ModelChoiceField(
        label="机构", queryset=Institution.objects.none(), required=False, empty_label="全部"
    )
    member = forms.ModelChoiceField(
        label="督导人员", queryset=Post.objects.none(), required=False, empty_label="全部"
    )

    def __init__(self, *args: Any, institutions: Any, members: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].queryset = institutions
        self.fields["member"].queryset = members


class YearPlanFilter(ScopedFilterSet):
    class Meta:
        model = YearPlan
        fields = ("year", "status")


class CoverageFilter(ScopedFilterSet):
    state = django_filters.ChoiceFilter(
        label="情况",
        choices=[
            ("lacking", "次数不足"),
            ("behind", "落后于进度"),
            ("short", "未安排够"),
            ("arranged", "已安排"),
            ("covered", "已达标"),
        ],
        method="in_state",
    )

    class Meta:
        model = Institution
        fields = ("kind", "state")

    def in_state(self, queryset, name, value):
        wanted = ["behind", "short"] if value == "lacking" else [value]
        return queryset.filter(state__in=wanted)


class ExpertFilter(ScopedFilterSet):
    profession = django_filters.ChoiceFilter(
        label="专业", field_name="professions", lookup_expr="contains", choices=Profession.choices
    )
    active = django_filters.BooleanFilter(label="在库")

    class Meta:
        model = Expert
        fields = ("profession", "active")


def this_month() -> str:
    return f"{clock.today():%Y-%m}"
