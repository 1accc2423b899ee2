"""Forms of the campaigns floor; every choice starts from what the post may see."""

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.forms import formset_factory, modelformset_factory

from campaigns.models import (
    Campaign,
    Group,
    Passage,
    Phase,
    PlanCall,
    Recipient,
    Report,
    Standard,
    SupervisionFocus,
    Target,
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
from institutions.models import Department, Institution, Kind, Post
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
            "item",
            "due",
            "leaders",
            "departments",
            "institutions",
        ]
        widgets = {
            "due": DateInput,
            "text": forms.Textarea(attrs={"rows": 4}),
            "leaders": forms.CheckboxSelectMultiple,
            "departments": forms.CheckboxSelectMultiple,
            "institutions": forms.CheckboxSelectMultiple,
        }
        help_texts = {
            "area": "如：基本公卫、家庭医生签约、健康积分",
            "due": "不填则用所选阶段的截止日期",
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
        self.fields["departments"].queryset = Department.objects.filter(institution=office)
        self.fields["due"].required = False
        for name in ("phase", "item"):
            self.fields[name].empty_label = "（不选）"
        self.order_fields([*self.Meta.fields[:-1], "kinds", "institutions"])

    def clean(self):
        cleaned = super().clean()
        phase, due = cleaned.get("phase"), cleaned.get("due")
        if not due and phase:
            cleaned["due"] = due = phase.ends
        if not due and "due" not in self.errors:
            self.add_error("due", "请填写完成时限，或选择阶段")
        if due and phase and due > phase.ends:
            self.add_error("due", f"不能晚于阶段的截止日期 {phase.ends}")
        kinds = cleaned.get("kinds")
        if kinds and "institutions" in cleaned:
            offered = self.fields["institutions"].queryset
            cleaned["institutions"] = offered.filter(
                Q(kind__in=kinds) | Q(pk__in=[row.pk for row in cleaned["institutions"]])
            )
        nobody = not cleaned.get("institutions") and not cleaned.get("departments")
        if nobody and "institutions" not in self.errors:
            self.add_error("institutions", "请选择责任单位或牵头科室")
        return cleaned

    @property
    def chosen(self) -> dict[str, Any]:
        names = ("institutions", "departments", "leaders")
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

    def __init__(
        self, *args: Any, campaign: Campaign, post: Post, search: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
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

    def clean(self):
        cleaned = super().clean()
        chosen = Q(pk__in=[row.pk for row in cleaned.get("institutions") or []])
        if cleaned.get("kinds"):
            chosen |= Q(kind__in=cleaned["kinds"])
        if cleaned.get("from_table"):
            table = SupervisionFocus.institutions.through.objects.filter(
                supervisionfocus__campaign=self.campaign
            )
            chosen |= Q(pk__in=table.values("institution"))
        self.chosen = list(self.candidates.filter(chosen))
        if not self.chosen and not self.errors:
            raise ValidationError("请选择要加入的类别或机构")
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
    institutions = forms.ModelMultipleChoiceField(
        Institution.objects.none(), error_messages={"required": "请先勾选要去掉的机构"}
    )

    def __init__(self, *args: Any, campaign: Campaign, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institutions"].queryset = Institution.objects.visible_to(post).filter(
            pk__in=Recipient.objects.filter(campaign=campaign).units().values("institution")
        )


def _of_paper(model: type[Model], campaign: Campaign) -> Q:
    """What a passage of the campaign may become: its own parts, and what its bureau keeps beside campaigns."""
    names = {field.name for field in model._meta.get_fields()}
    if not names & {"campaign"}:
        return Q(bureau=campaign.institution_id)
    own = Q(campaign=campaign)
    if model in (Group, PlanCall):
        own |= Q(campaign__isnull=True, institution=campaign.institution_id)
    if model is Target:
        own |= Q(campaign__isnull=True, bureau=campaign.institution_id)
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

    files = FilesField(label="上传佐证材料")

    class Meta:
        model = Report
        fields = ["text", "number", "held_on"]
        widgets = {"held_on": DateInput, "text": forms.Textarea(attrs={"rows": 6})}
        help_texts = {
            "text": "做了什么、什么时候、多少人参加、结果怎样；会议、培训请写明时间和内容"
        }

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        done_by = self.instance.task.done_by
        if done_by != Task.DoneBy.NUMBER:
            del self.fields["number"]
        if done_by == Task.DoneBy.FILE:
            self.fields["files"].label = "上传佐证材料（报送前至少一份）"


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
