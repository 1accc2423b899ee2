"""Forms of the notices: what one is made from, its text before issue, and the filters of its lists."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from institutions.forms import DateInput, ScopedFilterSet, ScopedFormMixin
from institutions.models import Institution, Post
from institutions.models import Kind as UnitKind
from institutions.official import one_line
from supervision import composing
from supervision.lists import HiddenFilter
from supervision.models import (
    Notice,
    NoticeRecipient,
    Rectification,
    Sanction,
    SupervisionRound,
    Visit,
)
from supervision.noticing import Draft, signers

Kind = Notice.Kind
CHOOSABLE = [
    (k.value, k.label) for k in (Kind.DEMAND, Kind.CLEARANCE, Kind.FEEDBACK, Kind.BULLETIN)
]
BOXES = [("own", "本单位发出的"), ("received", "发给本单位的"), ("waiting", "等本单位签收的")]
CHOICES = 100


class ChooseForm(forms.Form):
    """The first step: which kind of paper, about which institution."""

    kind = forms.ChoiceField(label="种类", choices=CHOOSABLE)
    institution = forms.ModelChoiceField(
        label="机构", queryset=Institution.objects.all(), required=False, empty_label="（不选）"
    )

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        below = Institution.objects.visible_to(post).supervised_by(post.institution)
        self.fields["institution"].queryset = below.order_by("code")

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("kind") != Kind.BULLETIN and not cleaned.get("institution"):
            self.add_error("institution", "请选择机构")
        return cleaned


class _Rectifications(forms.ModelMultipleChoiceField):
    def label_from_instance(self, row: Rectification) -> str:
        return (
            f"{composing.item_name(row)}：{one_line(row.problem.text)[:60]}（{row.due:%Y-%m-%d}前）"
        )


class _Visits(forms.ModelChoiceField):
    def label_from_instance(self, row: Visit) -> str:
        return f"{row.round.name}（{row.visited_on:%Y-%m-%d}）"


class ComposeForm(forms.Form):
    """What a notice is made from; other pages post it too, with one row chosen."""

    kind = forms.ChoiceField(choices=CHOOSABLE, widget=forms.HiddenInput)
    institution = forms.ModelChoiceField(
        queryset=Institution.objects.all(), required=False, widget=forms.HiddenInput
    )
    rectifications = _Rectifications(
        label="列入的整改",
        queryset=Rectification.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    visit = _Visits(label="现场督导", queryset=Visit.objects.all(), required=False)
    round = forms.ModelChoiceField(
        label="督导轮次",
        queryset=SupervisionRound.objects.all(),
        required=False,
        empty_label="（不取数，自己写）",
        help_text="按督导轮次拟写时，正文和问题清单从督导记录取数。季度评价的通报请打开那次评价，点“拟写通报”。",
    )

    sanction = forms.ModelChoiceField(queryset=Sanction.objects.all(), required=False)

    def __init__(
        self,
        *args: Any,
        post: Post,
        kind: str = "",
        about: Institution | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.post = post
        mine = Q(supervisor=post.institution_id)
        rows = Rectification.objects.visible_to(post).filter(mine)
        visits = (
            Visit.objects.visible_to(post)
            .filter(mine)
            .exclude(status__in=(Visit.Status.PLANNED, Visit.Status.CANCELLED))
        )
        rounds = SupervisionRound.objects.visible_to(post).filter(mine)
        self.fields["institution"].queryset = Institution.objects.visible_to(post)
        self.fields["round"].queryset = rounds.exclude(status=SupervisionRound.Status.DRAFT)
        self.fields["rectifications"].queryset = rows.select_related(
            "institution", "item", "problem__campaign", "verifier"
        ).order_by("due", "pk")
        self.fields["visit"].queryset = visits.select_related(
            "institution", "round__campaign", "lead"
        )
        decided = Sanction.objects.visible_to(post).filter(mine, status=Sanction.Status.DECIDED)
        self.fields["sanction"].queryset = decided.exclude(
            kind__in=Sanction.RESTRICTED
        ).select_related("institution", "problem__campaign")
        if kind:
            self._offer(kind, about)

    def _offer(self, kind: str, about: Institution | None) -> None:
        """Keep what this kind is made from, of the institution chosen; the most pressing first."""
        wanted = {Kind.FEEDBACK: "visit", Kind.BULLETIN: "round"}.get(Kind(kind), "rectifications")
        for name in ("rectifications", "visit", "round", "sanction"):
            if name != wanted:
                del self.fields[name]
        self.initial = {**self.initial, "kind": kind, "institution": about}
        if wanted == "round":
            return
        rows = self.fields[wanted].queryset.filter(institution=about)
        if kind == Kind.DEMAND:
            rows = rows.filter(status__in=Rectification.OPEN)
        elif kind == Kind.CLEARANCE:
            rows = rows.filter(status=Rectification.Status.CLOSED).order_by("-closed_at", "-pk")
        self.fields[wanted].queryset = rows
        self.offered = rows.count()
        if wanted == "rectifications":
            self.fields[wanted].choices = [
                (row.pk, self.fields[wanted].label_from_instance(row)) for row in rows[:CHOICES]
            ]

    def compose(self) -> Draft:
        """Return the first text. Raises ValidationError when the rows chosen do not make such a paper."""
        given = self.cleaned_data
        rows = list(given.get("rectifications") or [])
        match given["kind"]:
            case Kind.DEMAND:
                return composing.demand(rows, by=self.post)
            case Kind.CLEARANCE:
                return composing.clearance(rows, by=self.post)
            case Kind.FEEDBACK:
                if not given.get("visit"):
                    raise ValidationError("请选择一次现场督导")
                return composing.feedback(given["visit"], by=self.post)
        if given.get("sanction"):
            return composing.decision(given["sanction"])
        if given.get("round"):
            return composing.round_bulletin(given["round"], by=self.post)
        return Draft(kind=Kind.BULLETIN, title="关于××情况的通报", body="（请在这里写正文）")


class NoticeForm(ScopedFormMixin, forms.ModelForm):
    """The text of a draft, as long as it is one."""

    kinds = forms.MultipleChoiceField(
        label="按类别全选主送机构（含下级）", required=False, widget=forms.CheckboxSelectMultiple
    )
    institutions = forms.ModelMultipleChoiceField(
        label="主送机构",
        queryset=Institution.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    keep = forms.MultipleChoiceField(
        label="附件", required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Notice
        fields = ["title", "addressee", "body", "due", "word", "signer"]
        widgets = {"body": forms.Textarea(attrs={"rows": 24}), "due": DateInput}
        help_texts = {
            "addressee": "如：各有关医疗卫生机构：",
            "body": "每行一段。“一、”开头的为一级标题，“（一）”开头的为二级标题，印成文件时自动用相应字体。",
            "word": "如：示卫健督。只在本系统编号的代字，序号由系统从 1 起连续取得。",
            "due": "没有可以不填",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = Institution.objects.filter(received_notices__notice=self.instance)
        self.fields["institutions"].initial = [unit.pk for unit in chosen]
        self._offer_units(chosen)
        # One paper, one institution: a demand is about what only that institution may read.
        if self.instance.kind in (Kind.DEMAND, Kind.FEEDBACK, Kind.CLEARANCE):
            del self.fields["kinds"]
            self.fields["institutions"].queryset = chosen
            self.fields["institutions"].disabled = True
        elif self.instance.kind == Kind.RECALL:
            del self.fields["kinds"]
            self.fields["institutions"].disabled = True
        self.fields["signer"].queryset = signers(self.post.institution)
        self.fields["signer"].label_from_instance = lambda post: post.title
        self.tables = list(self.instance.tables)
        if self.tables:
            names = [(str(n), t["title"]) for n, t in enumerate(self.tables)]
            self.fields["keep"].choices = names
            self.fields["keep"].initial = [number for number, _ in names]
        else:
            del self.fields["keep"]
        self.order_fields([*self.Meta.fields, "keep", "kinds", "institutions"])

    def _offer_units(self, chosen: Any) -> None:
        """One by one those directly below and those chosen before; by kind the whole area."""
        office = self.post.institution
        self.below = Institution.objects.visible_to(self.post).under(office).exclude(pk=office.pk)
        self.fields["institutions"].queryset = self.below.filter(
            Q(parent=office.pk) | Q(pk__in=[unit.pk for unit in chosen])
        ).order_by("code")
        present = set(self.below.order_by().values_list("kind", flat=True))
        self.fields["kinds"].choices = [
            (value, f"全部{label}") for value, label in UnitKind.choices if value in present
        ]

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        named = [unit.pk for unit in cleaned.get("institutions") or []]
        wanted = Q(kind__in=cleaned.get("kinds") or []) | Q(pk__in=named)
        cleaned["units"] = list(self.below.filter(wanted).order_by("code"))
        if not cleaned["units"] and "institutions" not in self.errors:
            self.add_error("institutions", "请选择主送机构，或按类别全选")
        return cleaned

    def clean_word(self) -> str:
        word = one_line(self.cleaned_data["word"]).replace(" ", "")
        if any(char in word for char in "〔〕[]［］【】()（）") or word[-1:].isdigit():
            raise ValidationError("只填代字本身，不要年份和序号")
        return word

    @property
    def kept_tables(self) -> list[dict[str, Any]]:
        kept = set(self.cleaned_data.get("keep", []))
        return [table for n, table in enumerate(self.tables) if str(n) in kept]

    @property
    def given(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class NoticeFilter(ScopedFilterSet):
    kind = django_filters.ChoiceFilter(label="种类", choices=Kind.choices)
    status = django_filters.ChoiceFilter(label="状态", choices=Notice.Status.choices)
    box = django_filters.ChoiceFilter(label="范围", choices=BOXES, method="by_box")
    institution = HiddenFilter(queryset=Institution.objects.all(), method="to_unit")

    class Meta:
        model = Notice
        fields: list[str] = []

    def __init__(self, data=None, queryset=None, *, request, **kwargs):
        super().__init__(data, queryset, request=request, **kwargs)
        self.post = request.post

    def by_box(self, queryset, name, value):
        if value == "own":
            return queryset.filter(institution=self.post.institution_id)
        sent = NoticeRecipient.objects.visible_to(self.post).filter(
            institution=self.post.institution_id, notice__status__in=Notice.SHOWN
        )
        if value == "waiting":
            sent = sent.waiting()
        return queryset.filter(pk__in=sent.values("notice"))

    def to_unit(self, queryset, name, value):
        sent = NoticeRecipient.objects.visible_to(self.post).filter(institution=value)
        return queryset.filter(pk__in=sent.values("notice"))


class NoticeReceiptFilter(ScopedFilterSet):
    notice = HiddenFilter(queryset=Notice.objects.all())
    received = django_filters.ChoiceFilter(
        label="签收", choices=[("no", "未签收"), ("yes", "已签收")], method="by_state"
    )

    class Meta:
        model = NoticeRecipient
        fields: list[str] = []

    def by_state(self, queryset, name, value):
        return queryset.filter(received_at__isnull=value == "no")
