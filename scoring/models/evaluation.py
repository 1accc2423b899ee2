from datetime import date
from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models import Campaign, Clause, Standard
from campaigns.rules import Figures
from institutions import clock
from institutions.fields import FixedField
from institutions.models import Post, ServiceItem, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from supervision.models import Problem


class EvaluationQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the evaluations one runs, and those with a sheet in sight."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        own = super().visible_to(post)
        if post.institution.is_bureau and post.item_ids is None:
            return own
        sheets = ScoreSheet.objects.visible_to(post).values("evaluation")
        return self.filter(Q(pk__in=own.values("pk")) | Q(pk__in=sheets))


class Evaluation(Workflow):
    """评价: one standard, one period, one group of institutions, with its dates.

    Publication, the appeal window and 定稿 belong to it, since a rank needs the whole group. `institution` and
    `supervisor` are both who evaluates (the bureau, or a centre over its clinics).
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "拟定"
        OPEN = "open", "进行中"
        PUBLISHED = "published", "已公布"
        FINAL = "final", "已定稿"

    # What was verified may be seen by the institutions.
    SHOWN = frozenset({Status.PUBLISHED, Status.FINAL})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    name = models.CharField("名称", max_length=80)
    year = models.PositiveSmallIntegerField("年度")
    quarter = models.PositiveSmallIntegerField("季度")
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="所属活动"
    )
    standard = models.ForeignKey(Standard, models.PROTECT, verbose_name="评价标准")
    starts = models.DateField("开始")
    self_due = models.DateField("自评截止（含当日）")
    verify_due = models.DateField("核定截止（含当日）")
    published_at = models.DateTimeField("公布时间", null=True, editable=False)
    appeal_until = models.DateField("申诉截止（含当日）", null=True, editable=False)

    objects: ClassVar = EvaluationQuerySet.as_manager()

    MOVES = {
        "open": Move(
            "启动评价",
            frozenset({Status.DRAFT}),
            Status.OPEN,
            "scoring.change_evaluation",
            Side.ASKS,
            needs=(Need("还没有选择被评价机构", holds=lambda e: e.sheets.exists()),),
            tone="primary",
            confirm="启动后各机构即可开始自评。",
        ),
        "publish": Move(
            "公布结果",
            frozenset({Status.OPEN}),
            Status.PUBLISHED,
            "scoring.publish_evaluation",
            Side.ASKS,
            needs=(
                Need(
                    "还有机构的评分没有核定",
                    holds=lambda e: (
                        not e.sheets.exclude(status=ScoreSheet.Status.VERIFIED).exists()
                    ),
                ),
            ),
            tone="primary",
            confirm="公布后各机构即可看到得分、名次和扣分理由。",
        ),
        "finalise": Move(
            "定稿",
            frozenset({Status.PUBLISHED}),
            Status.FINAL,
            "scoring.publish_evaluation",
            Side.ASKS,
            needs=(
                Need(
                    "申诉期还没有结束",
                    holds=lambda e: e.appeal_until is None or e.appeal_until < clock.today(),
                ),
                Need(
                    "还有申诉没有答复",
                    holds=lambda e: not e.appeals.filter(status="submitted").exists(),
                ),
            ),
            tone="primary",
            confirm="定稿后得分不能再改，进入年终计算。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "评价"
        ordering: ClassVar = ["-year", "-quarter", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quarter__gte=0, quarter__lte=4), name="evaluation_quarter_0_to_4"
            ),
            models.CheckConstraint(
                condition=Q(self_due__gte=F("starts")) & Q(verify_due__gte=F("self_due")),
                name="evaluation_dates_in_order",
                violation_error_message="日期应为：开始 ≤ 自评截止 ≤ 核定截止",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "open", "published", "final"]),
                name="evaluation_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "open"]) | Q(published_at__isnull=False),
                name="evaluation_published_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("scoring:evaluation_detail", args=[self.pk])

    def open(self, *, by: Post, version: int) -> None:
        """Start it; `scoring.opening.open_evaluation` also makes the lines."""
        self._move("open", by=by, version=version)

    def publish(self, *, by: Post, version: int, appeal_until: date) -> None:
        """Show the results; `scoring.publishing.publish` ranks first."""
        self._move(
            "publish",
            by=by,
            version=version,
            published_at=clock.now(),
            appeal_until=appeal_until,
        )

    def finalise(self, *, by: Post, version: int) -> None:
        """Close it for good: its sheets count in the year."""
        self._move("finalise", by=by, version=version)

    @property
    def is_shown(self) -> bool:
        """Whether the institutions may see what was verified."""
        return self.status in self.SHOWN


class SheetQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the sheets in reach; a post limited to items sees every sheet that has a section of its items."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        rows = super().visible_to(post)
        if any(grant.items is not None for grant in post.reach.grants):
            # Only then: an OR of two subqueries keeps the database from the index of the list.
            sections = ScoreSection.objects.visible_to(post).values("sheet")
            rows = self.filter(Q(pk__in=rows.values("pk")) | Q(pk__in=sections))
        if not post.institution.is_bureau:
            rows = rows.exclude(
                ~Q(supervisor=post.institution_id), evaluation__status=Evaluation.Status.DRAFT
            )
        return rows


class ScoreSheet(Workflow):
    """评分表: one institution in one evaluation: self-assessed, then verified beside it, then shown.

    Totals are stored beside the lines they sum (hundredths), written in the transaction that changes a line.
    """

    class Status(models.TextChoices):
        FILLING = "filling", "自评中"
        SUBMITTED = "submitted", "待核定"
        RETURNED = "returned", "已退回"
        VERIFIED = "verified", "已核定"

    EDITABLE = frozenset({Status.FILLING, Status.RETURNED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.FILLING)
    evaluation = models.ForeignKey(
        Evaluation, models.PROTECT, verbose_name="评价", related_name="sheets"
    )
    year = models.PositiveSmallIntegerField("年度")
    quarter = models.PositiveSmallIntegerField("季度")
    imported = models.BooleanField("导入", default=False)
    self_points = FixedField("自评得分", default=0, editable=False)
    self_full = FixedField("自评满分", default=0, editable=False)
    points = FixedField("核定得分", default=0, editable=False)
    full = FixedField("核定满分", default=0, editable=False)
    score = FixedField("得分率", null=True, editable=False)
    rank = models.PositiveIntegerField("名次", null=True, editable=False)
    group = models.CharField("排名组", max_length=20, blank=True, editable=False)
    submitted_at = models.DateTimeField("提交时间", null=True, editable=False)
    verified_at = models.DateTimeField("核定时间", null=True, editable=False)

    objects: ClassVar = SheetQuerySet.as_manager()

    # Which lines are still missing is checked by the deeds in scoring/verifying.py.
    MOVES = {
        "submit": Move(
            "提交自评",
            EDITABLE,
            Status.SUBMITTED,
            "scoring.submit_sheet",
            Side.ANSWERS,
            needs=(
                Need(
                    "评价还没有启动或已经结束",
                    holds=lambda s: s.evaluation.status == Evaluation.Status.OPEN,
                ),
            ),
            tone="primary",
            confirm="提交后自评不能再改，由督导方核定。",
        ),
        "send_back": Move(
            "退回自评",
            frozenset({Status.SUBMITTED}),
            Status.RETURNED,
            "scoring.verify_sheet",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "verify": Move(
            "完成核定",
            frozenset({Status.SUBMITTED}),
            Status.VERIFIED,
            "scoring.verify_sheet",
            Side.ASKS,
            tone="primary",
        ),
        "reopen": Move(
            "重新核定",
            frozenset({Status.VERIFIED}),
            Status.SUBMITTED,
            "scoring.verify_sheet",
            Side.ASKS,
            needs=(
                NOTE,
                Need("结果已公布", holds=lambda s: s.evaluation.status == Evaluation.Status.OPEN),
            ),
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "评分表"
        ordering: ClassVar = ["-year", "-quarter", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["evaluation", "institution"], name="sheet_once"),
            models.CheckConstraint(
                condition=Q(status__in=["filling", "submitted", "returned", "verified"]),
                name="sheet_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="verified")
                | Q(score__isnull=False, verified_at__isnull=False, full__gt=0),
                name="sheet_verified_has_score",
            ),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__gte=0, score__lte=100),
                name="sheet_score_0_to_100",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "year", "quarter", "status"], name="sheet_list"),
            # In the order of the list, so that a page of it is read and not sorted.
            models.Index(fields=["bureau", "year", "quarter", "id"], name="sheet_page"),
            models.Index(fields=["institution", "year", "quarter"], name="sheet_of_institution"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as} {self.evaluation}"

    def get_absolute_url(self) -> str:
        return reverse("scoring:sheet_detail", args=[self.pk])

    @property
    def is_final(self) -> bool:
        return self.evaluation.status == Evaluation.Status.FINAL

    def submit(self, *, by: Post, version: int) -> None:
        """Hand in; `scoring.filling.submit` checks the lines first."""
        self._move("submit", by=by, version=version, submitted_at=clock.now())

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        """Return the self-assessment; `scoring.verifying.send_back` opens its sections again."""
        self._move("send_back", by=by, version=version, note=note)

    def verify(self, *, by: Post, version: int, score: Decimal) -> None:
        """Close the sheet with its score; `scoring.verifying.verify` makes it."""
        self._move("verify", by=by, version=version, verified_at=clock.now(), score=score)

    def reopen(self, *, by: Post, version: int, note: str) -> None:
        """Take the score away again, before publication."""
        self._move("reopen", by=by, version=version, note=note, verified_at=None, score=None)

    def shows_verified_to(self, post: Post) -> bool:
        """Say whether `post` may see what was verified: everybody after publication, before it who asks."""
        return (
            self.evaluation.is_shown
            or post.institution_id == self.supervisor_id
            or post.institution.is_bureau
        )


class SectionQuerySet(WorkQuerySet):
    def visible_to(self, post: Post | None) -> Self:
        """Return the sections in reach; those of a draft only to its supervisor and the bureaus above."""
        rows = super().visible_to(post)
        if post is not None and not post.institution.is_bureau:
            rows = rows.exclude(
                ~Q(supervisor=post.institution_id),
                sheet__evaluation__status=Evaluation.Status.DRAFT,
            )
        return rows


class ScoreSection(Workflow):
    """评分分项: the clauses of one item on one sheet (or of one first-level clause without an item).

    Each has its own verifier (none where it was imported), so that lead agencies work on one sheet at once; its version
    guards its lines.
    """

    class Status(models.TextChoices):
        OPEN = "open", "待核定"
        DONE = "done", "已核定"

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    sheet = models.ForeignKey(ScoreSheet, models.CASCADE, related_name="sections")
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    title = models.CharField("分项", max_length=80)
    position = models.PositiveSmallIntegerField("顺序")
    self_points = FixedField("自评得分", default=0, editable=False)
    self_full = FixedField("自评满分", default=0, editable=False)
    points = FixedField("核定得分", default=0, editable=False)
    full = FixedField("核定满分", default=0, editable=False)
    verifier = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="核定人", related_name="+", editable=False
    )
    verified_at = models.DateTimeField("核定时间", null=True, editable=False)

    objects: ClassVar = SectionQuerySet.as_manager()

    MOVES = {
        "finish": Move(
            "本项核定完毕",
            frozenset({Status.OPEN}),
            Status.DONE,
            "scoring.verify_sheet",
            Side.ASKS,
            tone="primary",
        ),
        "resume": Move(
            "继续核定",
            frozenset({Status.DONE}),
            Status.OPEN,
            "scoring.verify_sheet",
            Side.ASKS,
            needs=(
                Need(
                    "评分表已核定",
                    holds=lambda s: s.sheet.status == ScoreSheet.Status.SUBMITTED,
                ),
            ),
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "评分分项"
        ordering: ClassVar = ["sheet", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sheet", "position"], name="section_position_once"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "done"]), name="section_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="open") | Q(verified_at__isnull=False),
                name="section_done_has_time",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "item", "status"], name="section_list")]

    def __str__(self) -> str:
        return f"{self.title}"

    def stands_on(self, side: Side, post: Post) -> bool:
        """A lead agency judges what the bureau asks of its institutions; a centre judges its clinics by itself."""
        led = post.institution_id != self.supervisor_id
        if side is not Side.ANSWERS and led and not self.supervisor.is_bureau:
            return False
        return super().stands_on(side, post)

    def get_absolute_url(self) -> str:
        return f"{reverse('scoring:sheet_detail', args=[self.sheet_id])}#s{self.position}"

    def finish(self, *, by: Post, version: int) -> None:
        """Say that every line is judged; `scoring.verifying.finish` checks it."""
        self._move("finish", by=by, version=version, verifier=by, verified_at=clock.now())

    def resume(self, *, by: Post, version: int) -> None:
        """Open it again while the sheet is not verified."""
        self._move("resume", by=by, version=version, verifier=None, verified_at=None)


class ScoreLineQuerySet(ScopedQuerySet):
    institution_path = "section__institution"
    item_path = "section__item"
    bureau_path = "section__bureau"

    def of(self, line: "ScoreLine") -> Self:
        """Return the lines of the same sheet."""
        return self.filter(sheet=line.sheet_id)

    def counts(self, section_id: int) -> dict[str, int]:
        """Return how many lines there are, and how many of them in one section."""
        return self.aggregate(
            sheet=models.Count("pk"), section=models.Count("pk", filter=Q(section=section_id))
        )

    def unfilled(self) -> Self:
        return self.filter(self_points__isnull=True, self_full__gt=0)

    def unjudged(self) -> Self:
        return self.filter(points__isnull=True, full__gt=0)

    def without_reason(self) -> Self:
        """Return the lines that lose points, or are taken out, and do not say why."""
        return self.filter(Q(na=True) | Q(points__lt=F("full")), reason="")


class ScoreLine(models.Model):
    """评分行: the figures, points and reason of one leaf clause; its text and rule are the edition's.

    Two sides: what the institution fills in (`self_…`, kept as typed) and what the supervisor verifies. `full` is what
    the clause counts in the total: its full marks, or 0 where it does not apply; without points it is then 未评.
    """

    sheet = models.ForeignKey(ScoreSheet, models.CASCADE, related_name="lines")
    section = models.ForeignKey(ScoreSection, models.CASCADE, related_name="lines")
    clause = models.ForeignKey(Clause, models.PROTECT, verbose_name="条款", related_name="+")
    self_numerator = FixedField("自评分子", null=True, blank=True)
    self_denominator = FixedField("自评分母", null=True, blank=True)
    self_entered = FixedField("自评填报得分", null=True, blank=True)
    self_deductions = models.PositiveIntegerField("自评扣分次数", null=True, blank=True)
    self_grade = models.CharField("自评等级", max_length=1, blank=True)
    self_genuine = models.PositiveIntegerField("自评真实份数", null=True, blank=True)
    self_checked = models.PositiveIntegerField("自评核实份数", null=True, blank=True)
    self_na = models.BooleanField("自评不适用", default=False)
    self_note = models.CharField("自评说明", max_length=300, blank=True)
    self_points = FixedField("自评得分", null=True, editable=False)
    self_full = FixedField("自评适用满分", editable=False)
    numerator = FixedField("核定分子", null=True, blank=True)
    denominator = FixedField("核定分母", null=True, blank=True)
    entered = FixedField("核定填报得分", null=True, blank=True)
    deductions = models.PositiveIntegerField("扣分次数", null=True, blank=True)
    grade = models.CharField("核定等级", max_length=1, blank=True)
    genuine = models.PositiveIntegerField("真实份数", null=True, blank=True)
    checked = models.PositiveIntegerField("核实份数", null=True, blank=True)
    na = models.BooleanField("核定不适用", default=False)
    reason = models.CharField("扣分理由", max_length=300, blank=True)
    points = FixedField("核定得分", null=True, editable=False)
    full = FixedField("核定适用满分", editable=False)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    problem = models.OneToOneField(
        Problem,
        models.PROTECT,
        null=True,
        editable=False,
        verbose_name="转为问题",
        related_name="score_line",
    )

    objects = ScoreLineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评分行"
        ordering: ClassVar = ["section", "clause__position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sheet", "clause"], name="line_once"),
            models.CheckConstraint(
                condition=Q(self_full__gte=0) & Q(full__gte=0), name="line_full_not_negative"
            ),
            models.CheckConstraint(
                condition=(Q(points__isnull=True) | (Q(full__gt=0) & Q(points__lte=F("full"))))
                & (
                    Q(self_points__isnull=True)
                    | (Q(self_full__gt=0) & Q(self_points__lte=F("self_full")))
                ),
                name="line_points_within_full",
            ),
        ]

    def __str__(self) -> str:
        return str(self.clause)

    @property
    def is_filled(self) -> bool:
        return self.self_points is not None or self.self_full == 0

    @property
    def is_judged(self) -> bool:
        return self.points is not None or self.full == 0

    @property
    def loses(self) -> bool:
        """Whether a point was lost, or the clause was taken out: both are answered for by a reason."""
        return self.na or (self.points is not None and self.points < self.full)

    @property
    def self_figures(self) -> Figures:
        return Figures(
            numerator=self.self_numerator,
            denominator=self.self_denominator,
            points=self.self_entered,
            deductions=self.self_deductions,
            grade=self.self_grade or None,
            genuine=self.self_genuine,
            verified=self.self_checked,
            not_applicable=self.self_na,
        )

    @property
    def figures(self) -> Figures:
        return Figures(
            numerator=self.numerator,
            denominator=self.denominator,
            points=self.entered,
            deductions=self.deductions,
            grade=self.grade or None,
            genuine=self.genuine,
            verified=self.checked,
            not_applicable=self.na,
        )
