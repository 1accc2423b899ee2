"""Forms of the campaigns floor; every choice starts from what the post may see."""

from datetime import timedelta
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.forms import formset_factory, modelformset_factory

from campaigns.models import (
    Campaign,
    Passage,
    Phase,
    Recipient,
    Report,
    Standard,
    SupervisionFocus,
    Task,
)
from campaigns.passages import normal_number
from institutions import clock
from institutions.forms import (
    DateInput,
    FilesField,
    FilesFormMixin,
    ScopedFilterSet,
    ScopedFormMixin,
)
from institutions.models import Department, Institution, Kind, Post, Region
from institutions.roles import Role

SPLIT = "---"
WEEK = timedelta(days=7)
MOST = 10**9  # above any id; longer numbers overflow SQLite


class CampaignForm(ScopedFormMixin, FilesFormMixin, forms.ModelForm):
    """The head of the paper. `paper`, on registering, is the whole text to be read."""

    paper = forms.CharField(
        label="粘贴文件全文",
        required=False,
        max_length=60000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="从 Word、WPS 复制全文（含附件表格）粘贴到这里，点“读取文件”，文号、标题、主送和日期会自动填好，"
        "正文会按一、（一）1. 拆成条文，下一步可以逐条核对。没有电子版也可以空着。",
    )
    files = FilesField(label="附件")

    class Meta:
        model = Campaign
        fields = [
            "name",
            "title",
            "number",
            "year",
            "issued_on",
            "issuer",
            "signer",
            "salutation",
            "guideline",
            "basis",
            "goals",
            "parent",
        ]
        widgets = {
            "issued_on": DateInput,
            "guideline": forms.Textarea(attrs={"rows": 3}),
            "basis": forms.Textarea(attrs={"rows": 3}),
            "goals": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {
            "name": "平时怎么称呼这项活动，如：质量提升年活动",
            "number": "如 周卫健字〔2023〕13号；文件没有文号的，空着",
            "issuer": "本单位的文件空着；登记乡镇、街道等其他机关的文件，写它的名称",
            "guideline": "如：以“补短板、强弱项，抓基础、促提升”为主线",
            "signer": "只写职务，如：局长",
            "salutation": "照文件写，如：各有关医疗机构：",
            "basis": "依据的上级文件、规划、反馈清单，一行一份",
            "goals": "活动要达到的目标，含群众满意度目标",
            "parent": "本活动落实的是哪一个上级活动（没有可不选）",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = [code for code in self.post.institution.path.split("/") if code]
        self.fields["parent"].queryset = (
            Campaign.objects.visible_to(self.post)
            .filter(institution__code__in=codes)
            .exclude(pk=self.instance.pk)
        )
        self.fields["parent"].empty_label = "（没有）"
        if self.instance.pk:
            del self.fields["paper"]
        else:
            # First what can save typing: the paper itself.
            self.order_fields(["paper"])

    def clean_number(self) -> str:
        if not self.cleaned_data["number"]:
            return ""
        try:
            number = normal_number(self.cleaned_data["number"])
        except ValueError as error:
            raise ValidationError(str(error)) from error
        same = Campaign.objects.filter(bureau=self.post.institution.bureau_id, number=number)
        if same.exclude(pk=self.instance.pk).exists():
            raise ValidationError("这个文号已经登记过")
        return number


class PhaseForm(forms.ModelForm):
    class Meta:
        model = Phase
        fields = ["name", "starts", "ends", "text"]
        widgets = {
            "starts": DateInput,
            "ends": DateInput,
            "text": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {"starts": "文件没有写开始日期的，空着"}

    def clean(self):
        cleaned = super().clean()
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and ends < starts:
            self.add_error("ends", "截止日期不能早于开始日期")
        return cleaned


def phase_formset(extra: int) -> type[forms.BaseModelFormSet]:
    return modelformset_factory(Phase, form=PhaseForm, extra=extra, can_delete=True, max_num=12)


class PassageForm(forms.Form):
    """One passage in the preview. A line `---` in its text cuts it in two."""

    pk = forms.IntegerField(required=False, widget=forms.HiddenInput)
    heading = forms.CharField(label="标题", max_length=120, required=False)
    text = forms.CharField(
        label="正文", max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    merge = forms.BooleanField(label="并入上一条", required=False)


PassageFormSet = formset_factory(PassageForm, extra=1, can_delete=True, max_num=300)


class PasteForm(forms.Form):
    paper = forms.CharField(
        label="文件全文", max_length=60000, widget=forms.Textarea(attrs={"rows": 12})
    )


class FocusForm(ScopedFormMixin, forms.ModelForm):
    class Meta:
        model = SupervisionFocus
        fields = ["names", "institutions", "items", "text"]
        widgets = {
            "institutions": forms.CheckboxSelectMultiple,
            "items": forms.CheckboxSelectMultiple,
            "text": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {
            "names": "照文件表格里的写法，一格里可以有几个机构",
            "institutions": "这一格说的是系统里的哪些机构",
            "items": "不选表示不限项目",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance.campaign
        near = Q(parent=campaign.institution_id) | Q(
            pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution")
        )
        if self.instance.pk:
            near |= Q(pk__in=list(self.instance.institutions.values_list("pk", flat=True)))
        self.fields["institutions"].queryset = Institution.objects.visible_to(self.post).filter(
            near
        )


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


class AddRecipientsForm(forms.Form):
    """Whom to send the paper to: whole kinds, those of the table, or single institutions found by a search."""

    FOUND = 60

    kinds = forms.MultipleChoiceField(
        label="按类别全部加入", required=False, widget=forms.CheckboxSelectMultiple
    )
    from_table = forms.BooleanField(label="督导重点表中的机构全部加入", required=False)
    institutions = forms.ModelMultipleChoiceField(
        Institution.objects.none(),
        label="单独选择",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    departments = forms.ModelMultipleChoiceField(
        Department.objects.none(),
        label="局机关科室",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="由科室的任职签收",
    )
    levels = forms.MultipleChoiceField(
        label="镇街、管区、村（居）全部加入",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="由辖区街道办签收；系统中没有街道办的，由本局代为登记",
    )
    regions = forms.ModelMultipleChoiceField(
        Region.objects.none(),
        label="单独选择镇街、管区、村（居）",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self, *args: Any, campaign: Campaign, post: Post, search: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        self._offer_others(search)
        self.candidates = candidates(campaign, post)
        counts: dict[str, int] = {}
        for kind in self.candidates.order_by().values_list("kind", flat=True):
            counts[kind] = counts.get(kind, 0) + 1
        self.fields["kinds"].choices = [
            (value, f"{label}（{counts[value]}家）")
            for value, label in Kind.choices
            if value in counts
        ]
        field = self.fields["institutions"]
        field.queryset = self.candidates
        shown = self.candidates
        for word in search.lower().split():
            shown = shown.filter(search__contains=word)
        if not self.is_bound:
            field.choices = [(row.pk, row.name) for row in shown[: self.FOUND]]
        self.is_cut = shown.count() > self.FOUND

    def _offer_others(self, search: str) -> None:
        """Offer the bureau's departments, and the area below its own region, as far as not addressed yet."""
        sent, bureau = self.campaign.recipients, self.campaign.institution
        known = sent.filter(department__isnull=False).values("department")
        departments = Department.objects.filter(institution=bureau).exclude(pk__in=known)
        below = Region.objects.filter(level__gte=Region.Level.TOWN)
        if bureau.region is None:
            below = below.none()
        else:
            below = below.filter(path__startswith=bureau.region.path)
        self.areas = below.exclude(
            pk__in=sent.filter(region__isnull=False).values("region")
        ).order_by("path")
        counts: dict[int, int] = {}
        for level in self.areas.order_by().values_list("level", flat=True):
            counts[level] = counts.get(level, 0) + 1
        self.fields["levels"].choices = [
            (str(value), f"{label}（{counts[value]}个）")
            for value, label in Region.Level.choices
            if value in counts
        ]
        if search:
            departments = departments.filter(name__icontains=search)
        self.fields["departments"].queryset = departments
        field = self.fields["regions"]
        field.queryset = self.areas
        if not self.is_bound:
            shown = self.areas.filter(name__icontains=search) if search else self.areas
            field.choices = [(row.pk, row.name) for row in shown[: self.FOUND]]

    def clean(self):
        cleaned = super().clean()
        levels = [int(level) for level in cleaned.get("levels") or []]
        picked = [row.pk for row in cleaned.get("regions") or []]
        self.regions = list(self.areas.filter(Q(level__in=levels) | Q(pk__in=picked)))
        self.departments = list(cleaned.get("departments") or [])
        chosen = Q(pk__in=[row.pk for row in cleaned.get("institutions") or []])
        if cleaned.get("kinds"):
            chosen |= Q(kind__in=cleaned["kinds"])
        if cleaned.get("from_table"):
            table = SupervisionFocus.institutions.through.objects.filter(
                supervisionfocus__campaign=self.campaign
            )
            chosen |= Q(pk__in=table.values("institution"))
        self.chosen = list(self.candidates.filter(chosen))
        if not (self.chosen or self.departments or self.regions) and not self.errors:
            raise ValidationError("请选择要加入的类别、机构、科室或村居")
        return cleaned


def candidates(campaign: Campaign, post: Post) -> QuerySet[Institution]:
    """Return the open institutions in sight that the paper does not go to yet."""
    return (
        Institution.objects.visible_to(post)
        .open_on(clock.today())
        .exclude(pk=campaign.institution_id)
        .exclude(pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution"))
    )


class RemoveRecipientsForm(forms.Form):
    """Whom to take off the list: institutions, and departments, villages and streets by their row."""

    institutions = forms.ModelMultipleChoiceField(Institution.objects.none(), required=False)
    others = forms.ModelMultipleChoiceField(Recipient.objects.none(), required=False)

    def __init__(self, *args: Any, campaign: Campaign, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institutions"].queryset = Institution.objects.visible_to(post).filter(
            pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution")
        )
        sent = Recipient.objects.visible_to(post).filter(campaign=campaign)
        self.fields["others"].queryset = sent.exclude(department__isnull=True, region__isnull=True)

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("institutions") and not cleaned.get("others") and not self.errors:
            raise ValidationError("请先勾选要去掉的机构、科室或村居")
        return cleaned


def _of_paper(model: type[Model], campaign: Campaign) -> Q:
    """What a passage of the campaign may become: its own parts, and what its bureau keeps beside campaigns."""
    fields = {field.name: field for field in model._meta.get_fields()}
    keeper = "institution" if "institution" in fields else "bureau"
    kept = Q(**{keeper: campaign.institution_id})
    if "campaign" not in fields:
        return kept
    own = Q(campaign=campaign)
    if fields["campaign"].null:
        own |= kept & Q(campaign__isnull=True)
    return own


class PassageLinkForm(forms.ModelForm):
    """What a passage became: rows of the nouns it may become, or something else in words."""

    class Meta:
        model = Passage
        fields = [*Passage.LINKS, "became", "nothing"]
        widgets = dict.fromkeys(Passage.LINKS, forms.CheckboxSelectMultiple)
        help_texts = {"nothing": "如：背景说明、标题"}

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance.campaign
        for name in Passage.LINKS:
            field = self.fields[name]
            rows = field.queryset.model.objects.visible_to(post)
            field.queryset = rows.filter(_of_paper(field.queryset.model, campaign))

    def clean(self):
        cleaned = super().clean()
        became = [name for name in self.Meta.fields[:-1] if cleaned.get(name)]
        if cleaned.get("nothing") and became:
            self.add_error("nothing", "已经选了形成的内容，这里应当空着")
        return cleaned


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


WHEN = [("overdue", "已逾期"), ("week", "七日内到期"), ("later", "七日以后")]
SCOPE = [("own", "本单位报送的"), ("asked", "本单位审核的")]


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


class ReceiptFilter(ScopedFilterSet):
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")
    state = django_filters.ChoiceFilter(
        choices=[("waiting", "未签收"), ("done", "已签收")], label="签收", method="by_state"
    )
    scope = django_filters.ChoiceFilter(
        choices=[("own", "由本岗位签收的"), ("asked", "本单位发出的")],
        label="范围",
        method="by_side",
    )
    sort = django_filters.ChoiceFilter(
        choices=Recipient.Sort.choices, label="对象", method="by_sort"
    )

    class Meta:
        model = Recipient
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_state(self, queryset, name, value):
        done = queryset.filter(received_at__isnull=False)
        return queryset.waiting() if value == "waiting" else done

    def by_sort(self, queryset, name, value):
        return queryset.of_sort(value)

    def by_side(self, queryset, name, value):
        own = value == "own"
        return queryset.confirmed_by(self.post) if own else queryset.asked_by(self.post)


class CampaignFilter(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=9999)
    status = django_filters.ChoiceFilter(choices=Campaign.Status.choices, label="状态")

    class Meta:
        model = Campaign
        fields: list[str] = []


class PassageFilter(ScopedFilterSet):
    campaign = django_filters.ModelChoiceFilter(queryset=Campaign.objects.all(), label="活动")

    class Meta:
        model = Passage
        fields: list[str] = []


class StandardFilter(ScopedFilterSet):
    year = django_filters.NumberFilter(label="年度", max_value=9999)
    purpose = django_filters.ChoiceFilter(choices=Standard.Purpose.choices, label="用途")
    status = django_filters.ChoiceFilter(choices=Standard.Status.choices, label="状态")

    class Meta:
        model = Standard
        fields: list[str] = []
