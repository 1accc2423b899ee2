"""Forms of the roster and of the yearly capacity."""

import re
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from institutions import clock
from institutions.forms import DateInput, ScopedFilterSet, ScopedFormMixin
from institutions.models import Capacity, Cooperation, Institution, Kind, StaffMember
from institutions.staffing import kept_by

# Whose means are followed: a bureau and a street office are not institutions of care.
OFFICES = (Kind.BUREAU, Kind.STREET)


class KeptFormMixin(ScopedFormMixin):
    """Offers the institutions whose data the post keeps; only its own where there is no other."""

    def offer_institutions(self) -> None:
        field = self.fields["institution"]
        field.queryset = field.queryset.filter(kept_by(self.post)).exclude(kind__in=OFFICES)
        field.empty_label = "请选择"
        if self.instance.pk:
            del self.fields["institution"]
        elif not self.post.institution.is_bureau:
            self.initial.setdefault("institution", self.post.institution_id)


class StaffForm(KeptFormMixin, forms.ModelForm):
    class Meta:
        model = StaffMember
        fields = [
            "institution",
            "name",
            "title",
            "item",
            "joined",
            "trained",
            "left",
            "guides",
            "trains",
            "analyses",
            "assesses",
            "gp_route",
            "gp_qualified",
            "gp_registered",
        ]
        widgets = dict.fromkeys(
            ("joined", "trained", "left", "gp_qualified", "gp_registered"), DateInput
        )
        help_texts = {
            "name": "同名的加编号区分",
            "title": "如：慢病随访岗",
            "trained": "登记培训日志并勾选参训人员后会自动填上；没有培训的不能指定为责任人",
            "left": "离岗后不再计入，记录保留",
            "gp_route": "全科医师转岗培训合格或规范化培训结业的填写",
            "gp_registered": "还没有加注或注册的空着，会在工作台提醒",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_institutions()
        self.fields["joined"].required = True
        self.fields["item"].empty_label = "（不限项目）"

    def clean(self):
        cleaned = super().clean()
        for name in ("trained", "gp_qualified", "gp_registered"):
            if cleaned.get(name) and cleaned[name] > clock.today():
                self.add_error(name, "日期不能晚于今天")
        if bool(cleaned.get("gp_route")) != bool(cleaned.get("gp_qualified")):
            name = "gp_qualified" if cleaned.get("gp_route") else "gp_route"
            self.add_error(name, "全科医师培训和合格日期要一起填")
        if cleaned.get("gp_registered") and not cleaned.get("gp_qualified"):
            self.add_error("gp_registered", "请先填写合格或结业日期")
        return cleaned


class StaffFilter(ScopedFilterSet):
    institution = django_filters.ModelChoiceFilter(queryset=Institution.objects.all(), label="机构")
    state = django_filters.ChoiceFilter(
        choices=[
            ("service", "在岗"),
            ("untrained", "未岗前培训"),
            ("unregistered", "全科待注册"),
            ("registered", "全科已注册"),
            ("backbone", "骨干人才"),
            ("left", "已离岗"),
        ],
        label="状态",
        method="by_state",
    )
    skill = django_filters.ChoiceFilter(
        choices=list(StaffMember.SKILLS.items()), label="骨干能力", method="by_skill"
    )
    unit = django_filters.NumberFilter(
        field_name="institution", widget=forms.HiddenInput, max_value=2**62
    )

    class Meta:
        model = StaffMember
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        here = request.post.institution_id
        field = self.form.fields["institution"]
        field.queryset = field.queryset.filter(Q(parent=here) | Q(pk=here)).exclude(
            kind=Kind.STREET
        )

    def by_state(self, queryset, name, value):
        match value:
            case "service":
                return queryset.in_service()
            case "untrained":
                return queryset.untrained()
            case "unregistered":
                return queryset.to_register()
            case "registered":
                return queryset.in_service().filter(gp_registered__isnull=False)
            case "backbone":
                return queryset.backbone()
        return queryset.filter(left__isnull=False)

    def by_skill(self, queryset, name, value):
        return queryset.in_service().filter(**{value: True})


class WordsField(forms.MultipleChoiceField):
    """Several of fixed words, kept in the model as one text joined by “、”."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, words: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(choices=[(word, word) for word in words], required=False, **kwargs)

    def prepare_value(self, value):
        return value.split("、") if isinstance(value, str) else value

    def clean(self, value):
        return "、".join(super().clean(value))


EQUIPMENT = re.compile(r"^(.{1,30}?)[\s:：×xX*]*(\d{1,5})\s*(?:台|件|套|张|辆)?$")


def read_equipment(text: str) -> list[list[Any]]:
    """Read lines (or parts between “、” and “;”) “name number”. Raises ValueError with the part that is not one."""
    rows: list[list[Any]] = []
    for part in re.split(r"[\n、;；]", text):
        if not part.strip():
            continue
        found = EQUIPMENT.match(part.strip())
        if found is None:
            raise ValueError(f"“{part.strip()[:30]}”应写成“名称 数量”，如：彩超 2")
        rows.append([found[1].strip(), int(found[2])])
    return rows


class CapacityForm(forms.ModelForm):
    """One year of one institution; what is not asked of its kind may stay empty."""

    functions = WordsField(Capacity.FUNCTIONS, label="功能任务")
    capabilities = WordsField(Capacity.CAPABILITIES, label="能够开展的服务")
    equipment_text = forms.CharField(
        label="主要设备",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="每行一种，写名称和数量，如：彩超 2",
    )

    class Meta:
        model = Capacity
        fields = [
            "functions",
            "location",
            "traffic",
            "radius",
            "beds",
            "devices",
            "posts",
            "positions",
            "staffed",
            "capabilities",
            "traditional",
            "traditional_on",
            "premises",
            "subsidy",
            "pay",
        ]
        widgets = {"traditional_on": DateInput}
        help_texts = {
            "location": "如：镇政府驻地，距区人民医院 12 公里",
            "traffic": "如：通公交，最远村 20 分钟车程",
            "devices": "空着按下面的设备清单合计",
            "posts": "核定编制",
            "subsidy": "当年落实的财政补助经费，元",
            "pay": "绩效工资政策怎样落实",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["equipment_text"] = "\n".join(f"{n} {c}" for n, c in self.instance.equipment)
        self.order_fields([*self.Meta.fields[:6], "equipment_text", *self.Meta.fields[6:]])

    def clean_equipment_text(self) -> str:
        text = self.cleaned_data["equipment_text"]
        try:
            self.instance.equipment = read_equipment(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return text

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("devices") is None and self.instance.equipment:
            cleaned["devices"] = sum(number for _, number in self.instance.equipment)
        if cleaned.get("traditional_on") and cleaned.get("traditional") != "built":
            self.add_error("traditional", "填了建成日期，请选“已建成”")
        return cleaned


class CooperationForm(KeptFormMixin, forms.ModelForm):
    class Meta:
        model = Cooperation
        fields = [
            "institution",
            "kind",
            "partner",
            "level",
            "title",
            "starts",
            "ends",
            "services",
            "rules",
        ]
        widgets = {"starts": DateInput, "ends": DateInput}
        help_texts = {
            "partner": "如：郑州大学第五附属医院；业务院长、名医工作站填派出单位",
            "title": "合作医院不用填；工作站（室）写名称，不写个人姓名",
            "services": "通过合作新增的基本医疗服务项目，用顿号分开",
            "rules": "如：有制度、有排班、每周坐诊 2 天",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_institutions()

    def clean(self):
        cleaned = super().clean()
        named = cleaned.get("kind") in (Cooperation.Kind.DEAN, Cooperation.Kind.STUDIO)
        if named and not cleaned.get("title"):
            self.add_error("title", "业务院长、工作站（室）请写明名称")
        if cleaned.get("kind") == Cooperation.Kind.PARTNER and not cleaned.get("services"):
            self.add_error("services", "请写明合作后新增的服务项目，没有写“暂无”")
        return cleaned
