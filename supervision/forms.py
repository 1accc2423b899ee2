from contextlib import suppress
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from campaigns import rules
from campaigns.models import Campaign, Clause, Phase, Standard, Task
from institutions import clock
from institutions.forms import DateInput, FilesField, FilesFormMixin, ScopedFormMixin
from institutions.models import Institution, Post, ServiceItem
from institutions.roles import ROLE_PERMISSIONS, Role
from institutions.rounding import half_up
from supervision import bodies
from supervision.models import (
    Aspect,
    KeyGroup,
    Method,
    Problem,
    Rectification,
    Severity,
    Source,
    SupervisionRound,
    Visit,
    VisitLine,
)
from supervision.models.problem import CATEGORIES
from supervision.recording import COMPUTED, LINE_FIELDS, Place, default_due
from supervision.recusing import conflict, declared

VISITED_KINDS = bodies.VISITED_KINDS
_CHECKBOXES = forms.CheckboxSelectMultiple


class SuggestInput(forms.TextInput):
    """A text field with suggestions: `<datalist>`, which needs no script."""

    template_name = "supervision/_suggest.html"

    def __init__(self, words, attrs=None):
        super().__init__(attrs)
        self.words = words

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        list_id = f"{context['widget']['attrs'].get('id', name)}_words"
        context["widget"]["attrs"]["list"] = list_id
        return {**context, "words": self.words, "list_id": list_id}


class RoundForm(ScopedFormMixin, forms.ModelForm):
    class Meta:
        model = SupervisionRound
        fields = (
            "name",
            "type",
            "year",
            "quarter",
            "starts",
            "ends",
            "items",
            "standard",
            "campaign",
        )
        widgets = {"starts": DateInput, "ends": DateInput, "items": _CHECKBOXES}
        help_texts = {
            "items": "不选表示全部项目",
            "standard": "现场按所选标准的条款逐条记录；不选则只记录发现的问题",
        }

    quarter = forms.TypedChoiceField(
        label="季度",
        choices=[
            (0, "不分季度"),
            (1, "第一季度"),
            (2, "第二季度"),
            (3, "第三季度"),
            (4, "第四季度"),
        ],
        coerce=int,
    )
    year = forms.IntegerField(label="年度", min_value=2009, max_value=2100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["items"].queryset = ServiceItem.objects.filter(parent=None)
        if bodies.leads(self.post):
            self.fields["items"].queryset = bodies.led_items(self.post)
            self.fields["items"].required = True
            self.fields["items"].help_text = "选择本单位牵头的项目"
        for name in ("standard", "campaign"):
            self.fields[name].empty_label = "（不选）"
        standards = self.fields["standard"].queryset
        self.fields["standard"].queryset = standards.exclude(status=Standard.Status.DRAFT)
        self.fields["campaign"].queryset = self.fields["campaign"].queryset.exclude(
            status=Campaign.Status.DRAFT
        )


class TeamForm(forms.Form):
    """A team, its items and its dates; on making a plan also the institutions it goes to."""

    institutions = forms.ModelMultipleChoiceField(
        label="督导机构",
        queryset=Institution.objects.none(),
        widget=_CHECKBOXES,
        error_messages={"required": "请至少选择一个机构"},
    )
    lead = forms.ModelChoiceField(label="组长", queryset=Post.objects.none(), empty_label="请选择")
    members = forms.ModelMultipleChoiceField(
        label="成员", queryset=Post.objects.none(), widget=_CHECKBOXES, required=False
    )
    items = forms.ModelMultipleChoiceField(
        label="督导项目",
        queryset=ServiceItem.objects.none(),
        widget=_CHECKBOXES,
        required=False,
        help_text="不选表示本轮的全部项目",
    )
    starts = forms.DateField(label="计划开始", widget=DateInput)
    ends = forms.DateField(label="计划结束（含当日）", widget=DateInput)

    def __init__(
        self,
        *args: Any,
        post: Post,
        round: SupervisionRound,
        visit: Visit | None = None,
        under: Institution | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.round, self.visit = round, visit
        team = team_posts(round, post)
        self.fields["lead"].queryset = team
        self.fields["members"].queryset = team
        chosen = round.items.all()
        self.fields["items"].queryset = (
            chosen if chosen.exists() else ServiceItem.objects.filter(parent=None)
        )
        if visit is not None:
            del self.fields["institutions"]
        else:
            self.fields["institutions"].queryset = visitable(round, post, under)

    def clean(self):
        cleaned = super().clean()
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and ends < starts:
            self.add_error("ends", "计划结束不能早于计划开始")
        units = [self.visit.institution] if self.visit else list(cleaned.get("institutions") or [])
        for name in ("lead", "members"):
            given = cleaned.get(name)
            posts = [given] if name == "lead" and given else list(given or [])
            for reason in [conflict(p, u, self.round.supervisor) for p in posts for u in units]:
                if reason:
                    self.add_error(name, reason)
            for reason in declared(posts, units, starts):
                self.add_error(name, reason)
        return cleaned


def team_posts(round: SupervisionRound, post: Post):
    """Return who may be sent: posts of the supervisor, experts and lead agencies in reach; cross-checks also centres."""
    roles = [r for r, perms in ROLE_PERMISSIONS.items() if "supervision.record_visit" in perms]
    outside = Q(role__in=[Role.EXPERT, Role.LEAD])
    if round.type == SupervisionRound.Type.CROSS:
        outside |= Q(institution__parent=round.supervisor_id, role__in=[Role.HEAD, Role.STAFF])
    return (
        Post.objects.visible_to(post)
        .held()
        .filter(Q(institution=round.supervisor_id) | outside, role__in=roles)
        .select_related("institution")
        .order_by("institution", "pk")
    )


def visitable(round: SupervisionRound, post: Post, under: Institution | None):
    """Return the open institutions that the round may still visit.

    Those below `under`; without it those chosen for the round beforehand, else all that its body supervises.
    """
    planned = round.visits.exclude(status=Visit.Status.CANCELLED).values("institution")
    if under is not None:
        rows = Institution.objects.visible_to(post).open_on(clock.today())
        rows = rows.filter(parent=under, kind__in=VISITED_KINDS)
    else:
        rows = bodies.units_of(post, round.supervisor)
        chosen = round.institutions.all()
        if chosen.exists():
            rows = Institution.objects.visible_to(post).filter(pk__in=chosen.values("pk"))
    return rows.exclude(pk__in=planned)


def at_hand(institutions, post: Post, chosen: Any = None) -> list[tuple[Any, str]]:
    """Return as choices: the own institution, what stands directly below it or its bureau, and the one chosen already."""
    near = Q(parent=post.institution_id) | Q(pk=post.institution_id)
    if not post.institution.is_bureau:
        near |= Q(parent=post.institution.bureau_id)
    if chosen:
        near |= Q(pk=chosen)
    rows = institutions.filter(near).order_by("path")
    return [("", "请选择"), *((row.pk, row.known_as) for row in rows)]


class LineForm(forms.Form):
    """One line of the record on site; the paper is printed by hand (`_line.html`), this checks what comes back.

    A line to an earlier problem (`earlier`) posts what has become of it (`follow`) instead of a result. `sent` and
    `tried` name this save and earlier ones without an answer (`recording.save_line`).
    """

    found = forms.ChoiceField(
        label="结果",
        choices=VisitLine.Found.choices,
        required=False,
        error_messages={"invalid_choice": "请选择结果"},
    )
    follow = forms.ChoiceField(
        label="复查结果",
        choices=VisitLine.Follow.choices,
        required=False,
        error_messages={"invalid_choice": "请选择复查结果"},
    )
    text = forms.CharField(label="情况", max_length=2000, required=False)
    method = forms.ChoiceField(
        label="督导方式", choices=[("", "—"), *Method.choices], required=False
    )
    category = forms.CharField(label="问题类别", max_length=40, required=False)
    severity = forms.ChoiceField(
        label="严重程度", choices=[("", "—"), *Severity.choices], required=False
    )
    due = forms.DateField(label="整改时限", required=False)
    numerator = forms.DecimalField(
        label="分子", min_value=0, max_digits=12, decimal_places=2, required=False
    )
    denominator = forms.DecimalField(
        label="分母", min_value=0, max_digits=12, decimal_places=2, required=False
    )
    points = forms.DecimalField(label="得分", max_digits=8, decimal_places=2, required=False)
    clause = forms.ModelChoiceField(queryset=Clause.objects.none(), required=False)
    earlier = forms.ModelChoiceField(queryset=Problem.objects.none(), required=False)
    item = forms.ModelChoiceField(
        label="服务项目", queryset=ServiceItem.objects.all(), required=False
    )
    line = forms.ModelChoiceField(queryset=VisitLine.objects.none(), required=False)
    key = forms.UUIDField(required=False)
    sent = forms.UUIDField(required=False)
    tried = forms.CharField(required=False, max_length=800)

    def __init__(self, *args: Any, visit: Visit, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.visit = visit
        self.fields["line"].queryset = visit.lines.all()
        self.fields["earlier"].queryset = (
            Problem.objects.visible_to(post)
            .filter(institution=visit.institution_id)
            .select_related("item", "clause", "rectification")
        )
        if visit.round.standard_id:
            self.fields["clause"].queryset = visit.round.standard.clauses.leaves().select_related(
                "item"
            )

    def clean_tried(self) -> list[UUID]:
        """Return the names of earlier saves; what is none is passed over."""
        found = []
        for word in self.cleaned_data["tried"].split(",")[:20]:
            with suppress(ValueError):
                found.append(UUID(word))
        return found

    def clean(self):
        cleaned = super().clean()
        if not any(cleaned.get(name) for name in ("clause", "earlier", "line", "key")):
            raise ValidationError("找不到要记录的条款，请刷新页面")
        if self._earlier is not None:
            self._follow(cleaned)
        elif not cleaned.get("found") and "found" not in self.errors:
            self.add_error("found", "请选择结果")
        if cleaned.get("found") == VisitLine.Found.PROBLEM:
            self._problem(cleaned)
        elif "found" in cleaned:
            cleaned.update(severity="", due=None, category="")
        self._score(cleaned)
        return cleaned

    @property
    def _earlier(self) -> Problem | None:
        line = self.cleaned_data.get("line")
        return self.cleaned_data.get("earlier") or (line.earlier if line else None)

    @property
    def _clause(self) -> Clause | None:
        line = self.cleaned_data.get("line")
        return self.cleaned_data.get("clause") or (line.clause if line else None)

    def _follow(self, cleaned: dict[str, Any]) -> None:
        """Fill in the result that follows from what has become of the earlier problem."""
        earlier, follow = self._earlier, cleaned.get("follow")
        if not follow:
            if "follow" not in self.errors:
                self.add_error("follow", "请选择已整改、仍存在或又出现")
            return
        closed = earlier.rectification.status == Rectification.Status.CLOSED
        if follow == VisitLine.Follow.STILL and closed:
            self.add_error("follow", "这个问题已销号，现在又有的请选“又出现”")
        if follow == VisitLine.Follow.CLOSED:
            cleaned["found"] = VisitLine.Found.GOOD
            return
        cleaned["found"] = VisitLine.Found.PROBLEM
        cleaned["text"] = (cleaned.get("text") or "").strip() or earlier.text
        cleaned["category"] = cleaned.get("category") or earlier.category
        cleaned["severity"] = cleaned.get("severity") or earlier.severity
        if follow == VisitLine.Follow.STILL:
            cleaned["due"] = earlier.rectification.due

    def _problem(self, cleaned: dict[str, Any]) -> None:
        cleaned["severity"] = cleaned.get("severity") or Severity.MINOR
        if not (cleaned.get("text") or "").strip():
            self.add_error("text", "请写明存在的问题")
        if not cleaned.get("due") and "due" not in self.errors:
            cleaned["due"] = default_due()
        elif (
            cleaned.get("due")
            and cleaned["due"] < clock.today()
            and cleaned.get("follow") != VisitLine.Follow.STILL
        ):
            self.add_error("due", "整改时限不能早于今天")

    def _score(self, cleaned: dict[str, Any]) -> None:
        """Set the points: computed from the figures where the rule does that, else as entered."""
        clause = self._clause
        if clause is None or cleaned.get("found") == VisitLine.Found.NONE:
            cleaned.update(numerator=None, denominator=None, points=None)
            return
        if clause.rule.method in COMPUTED:
            self._compute(clause, cleaned)
            return
        cleaned.update(numerator=None, denominator=None)
        points = cleaned.get("points")
        if points is None:
            return
        lowest = None if clause.below_zero else 0
        if points > clause.full_marks or (lowest is not None and points < lowest):
            self.add_error("points", f"得分应在 0 至 {clause.full_marks} 分之间")
            return
        cleaned["points"] = half_up(points, 2)

    def _compute(self, clause: Clause, cleaned: dict[str, Any]) -> None:
        rule = clause.rule
        if not rule.uses_rate:
            cleaned["denominator"] = None
        cleaned["points"] = None
        figures = rules.Figures(cleaned.get("numerator"), cleaned.get("denominator"))
        if figures.numerator is None and figures.denominator is None:
            return
        try:
            cleaned["points"] = rules.points(rule, figures).points
        except rules.RuleError as refused:
            self.add_error("numerator", refused.reason)

    @property
    def anchor(self) -> str:
        """The place on the page from which it was sent (`recording.Entry.anchor`)."""
        for name in ("clause", "earlier", "line"):
            if self.data.get(name):
                return f"{name}-{self.data[name]}"
        return f"new-{self.data.get('item') or 0}"

    @property
    def values(self) -> dict[str, Any]:
        """The stored fields of the line."""
        return {name: self.cleaned_data[name] for name in LINE_FIELDS}

    @property
    def place(self) -> dict[str, Any]:
        """Which line it is: by row, by clause, by earlier problem, or by the key a phone gave it."""
        names = ("line", "clause", "earlier", "item", "key")
        place = {name: self.cleaned_data[name] for name in names}
        if place["line"] is not None:
            place["clause"] = place["earlier"] = None
        return place


class PhotoForm(FilesFormMixin, forms.Form):
    """Photos of a line; `key` names what a phone sends (`recording.add_photos`)."""

    files = FilesField(label="照片", required=True, error_messages={"required": "请选择照片"})

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post


class PhotoPlaceForm(forms.Form):
    """For which line a photo is, and its name; checked before anything is stored."""

    clause = forms.ModelChoiceField(queryset=Clause.objects.none(), required=False)
    earlier = forms.ModelChoiceField(queryset=Problem.objects.none(), required=False)
    line = forms.ModelChoiceField(queryset=VisitLine.objects.none(), required=False)
    line_key = forms.UUIDField(required=False)
    key = forms.UUIDField(required=False)

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = visit.lines.all()
        self.fields["line"].queryset = lines
        self.fields["clause"].queryset = Clause.objects.filter(visitline__in=lines)
        self.fields["earlier"].queryset = Problem.objects.filter(rechecks__in=lines)

    @property
    def place(self) -> Place:
        given = self.cleaned_data
        return Place(given["line"], given["clause"], given["earlier"], key=given["line_key"])

    @property
    def anchor(self) -> str:
        for name in ("clause", "earlier", "line"):
            if self.data.get(name, "").isdecimal():
                return f"{name}-{self.data[name]}"
        return ""


class SubmitForm(FilesFormMixin, forms.Form):
    """What the lead adds when the record is complete."""

    visited_on = forms.DateField(label="督导日期", widget=DateInput)
    summary = forms.CharField(
        label="总体情况",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="做得好的、主要问题和建议",
    )
    files = FilesField(label="附件（签到、现场记录等）")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.post = post

    def clean_visited_on(self):
        day = self.cleaned_data["visited_on"]
        if day > clock.today():
            raise ValidationError("督导日期不能晚于今天")
        return day


class ProblemForm(FilesFormMixin, ScopedFormMixin, forms.Form):
    """A problem found in daily work, or by the institution itself (自查)."""

    institution = forms.ModelChoiceField(
        label="机构", queryset=Institution.objects.filter(kind__in=VISITED_KINDS)
    )
    source = forms.ChoiceField(label="来源", choices=Source.choices)
    item = forms.ModelChoiceField(
        label="服务项目",
        queryset=ServiceItem.objects.all(),
        required=False,
        empty_label="综合管理（不属于某一项目）",
    )
    clause = forms.ModelChoiceField(
        label="对应条款",
        queryset=Clause.objects.leaves(),
        required=False,
        help_text="本年度标准中的条款，可不选；选了的，再次出现同一条款的问题会认出是反弹",
    )
    category = forms.CharField(
        label="问题类别", max_length=40, required=False, widget=SuggestInput(CATEGORIES)
    )
    objective = forms.ChoiceField(
        label="目标类别",
        choices=[("", "（不选）"), *Task.Objective.choices],
        required=False,
        help_text="这个问题影响哪一方面的提升目标",
    )
    severity = forms.ChoiceField(label="严重程度", choices=Severity.choices)
    text = forms.CharField(
        label="问题描述", max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
    groups = forms.MultipleChoiceField(
        label="重点人群",
        choices=KeyGroup.choices,
        required=False,
        widget=_CHECKBOXES,
        help_text="不选时按服务项目自动标记",
    )
    aspects = forms.MultipleChoiceField(
        label="问题表现", choices=Aspect.choices, required=False, widget=_CHECKBOXES
    )
    found_on = forms.DateField(label="发现日期", widget=DateInput)
    due = forms.DateField(label="整改时限（含当日）", widget=DateInput)
    phase = forms.ModelChoiceField(
        label="须在此阶段内整改",
        queryset=Phase.objects.filter(status=Phase.Status.OPEN).select_related("campaign"),
        required=False,
        empty_label="（不选）",
        help_text="选定后，该问题销号前阶段不能确认完成",
    )
    files = FilesField(label="照片或佐证材料")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, post=post, **kwargs)
        field = self.fields["institution"]
        # Any institution in sight is accepted; offered are those at hand, so that the page stays small in a province.
        field.choices = at_hand(field.queryset, post, self.initial.get("institution"))
        self._offer_clauses()
        if post.institution.is_bureau:
            self.fields["source"].choices = [c for c in Source.choices if c[0] != Source.SELF]
        else:
            # Elsewhere it follows from whose it is: one's own is 自查, another's 日常督导.
            del self.fields["source"], self.fields["phase"]

    def _offer_clauses(self) -> None:
        """Offer the clauses of this year's published standards, standard by standard; a lead agency's own items only."""
        field = self.fields["clause"]
        rows = field.queryset.filter(
            standard__status=Standard.Status.PUBLISHED,
            standard__year=clock.today().year,
            item__isnull=False,
        )
        if bodies.leads(self.post):
            led = bodies.led_items(self.post)
            rows = rows.filter(Q(item__in=led) | Q(item__parent__in=led))
        elif self.post.item_ids is not None:
            rows = rows.filter(item__in=self.post.item_ids)
        field.queryset = rows.select_related("standard", "item").order_by(
            "standard__code", "standard__edition", "position"
        )
        groups: dict[str, list[tuple[int, str]]] = {}
        for row in field.queryset:
            groups.setdefault(row.standard.name, []).append((row.pk, str(row)))
        field.choices = [("", "（不选）"), *groups.items()]

    def clean(self):
        cleaned = super().clean()
        if clause := cleaned.get("clause"):
            item = cleaned.get("item")
            kin = {clause.item_id, clause.item.parent_id}
            if item is None or item.pk in kin:
                # What comes back is recognised under the item of the clause.
                cleaned["item"] = clause.item
            else:
                self.add_error("clause", f"这个条款属于“{clause.item}”，与所选的服务项目不一致")
        unit, item = cleaned.get("institution"), cleaned.get("item")
        if unit and not self.post.reach.covers(unit, item.pk if item else None):
            self.add_error("item", "请选择您负责的服务项目")
        found_on, due = cleaned.get("found_on"), cleaned.get("due")
        if found_on and found_on > clock.today():
            self.add_error("found_on", "发现日期不能晚于今天")
        if found_on and due and due < found_on:
            self.add_error("due", "整改时限不能早于发现日期")
        if unit and not self.post.institution.is_bureau:
            own = unit.pk == self.post.institution_id
            cleaned["source"] = Source.SELF if own else Source.DAILY
        return cleaned


class MeasuresForm(FilesFormMixin, forms.Form):
    measures = forms.CharField(
        label="整改措施",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="怎样改、改到什么程度、如何防止反弹",
    )
    leader = forms.CharField(label="责任领导", max_length=40, required=False)
    person = forms.CharField(label="责任人", max_length=40)
    files = FilesField(label="佐证材料")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_save_%s", **kwargs)
        self.post = post


class NoteForm(FilesFormMixin, forms.Form):
    text = forms.CharField(label="进展", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    files = FilesField(label="附件")

    def __init__(self, *args: Any, post: Post, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="id_note_%s", **kwargs)
        self.post = post
