"""优质服务基层行: a year's review of capability, from the self-evaluation of a unit to the level that is confirmed.

国家基层函〔2018〕195号 and the plan of 中卫市: every township and community centre takes part, evaluates itself for at least six
months, puts right what it finds, applies for 基本标准 or 推荐标准; the county reviews, the city checks clauses again by lot,
the province confirms.
"""

from datetime import date
from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.capability import Level, read_levels
from campaigns.models import Campaign, Clause, Group, Standard
from institutions import clock
from institutions.models import Institution, Post, StoredFile
from institutions.models.scoping import PublishedByBureauQuerySet, ScopedQuerySet, WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from supervision.models import Problem, Sanction


class ReviewLevel(models.TextChoices):
    """等次. The labels of the two levels are the names under which a standard keeps their rules."""

    BELOW = "below", "未达到基本标准"
    BASIC = "basic", "基本标准"
    RECOMMENDED = "recommended", "推荐标准"


class Grade(models.TextChoices):
    A = "A", "A 优秀"
    B = "B", "B 良好"
    C = "C", "C 合格"
    D = "D", "D 不合格"
    NONE = "N", "不适用"


FILL = "scoring.fill_capability"
APPLY = "scoring.apply_capability"
REVIEW = "scoring.review_capability"
CHANGE = "scoring.change_capability"


class CapabilityRoundQuerySet(PublishedByBureauQuerySet):
    def open(self) -> Self:
        return self.filter(status=CapabilityRound.Status.OPEN)


class CapabilityRound(Workflow):
    """活动年度: one year of the activity as a bureau runs it for all below it: standards, deadlines, how much is checked.

    `institution` and `supervisor` are both that bureau. The deadlines are the paper's unless changed: 4月30日前…完成自查…报市,
    5月20日前…完成复核.
    """

    class Status(models.TextChoices):
        OPEN = "open", "进行中"
        CLOSED = "closed", "已结束"

    OPEN: ClassVar[frozenset[str]] = frozenset({Status.OPEN})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    name = models.CharField("名称", max_length=80)
    year = models.PositiveSmallIntegerField("年度")
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="所属活动",
        related_name="capability_rounds",
    )
    standards = models.ManyToManyField(Standard, verbose_name="能力标准", related_name="+")
    group = models.ForeignKey(
        Group,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="技术指导组",
        related_name="+",
    )
    months = models.PositiveSmallIntegerField(
        "自评不少于（月）", default=6, validators=[MaxValueValidator(36)]
    )
    self_due = models.DateField("自查上报截止（含当日）")
    recheck_due = models.DateField("复核上报截止（含当日）")
    share = models.PositiveSmallIntegerField(
        "复核抽查条款比例（%）",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    # Steps of the reminder that have been sent, as "deadline:date:step".
    reminded = models.JSONField(default=list, blank=True, editable=False)

    # Not a working table of one institution: it is scoped by its bureau.
    objects: ClassVar = CapabilityRoundQuerySet.as_manager()  # type: ignore[assignment]

    MOVES = {
        "close": Move(
            "结束本年度",
            OPEN,
            Status.CLOSED,
            CHANGE,
            Side.ASKS,
            confirm="结束后不能再申请和审核，没有达到基本标准的机构按未达到认定。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "优质服务基层行"
        ordering: ClassVar = ["-year", "institution"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "closed"]), name="capability_round_status_known"
            ),
            models.CheckConstraint(
                condition=Q(recheck_due__gte=F("self_due")),
                name="capability_round_recheck_after_self_check",
                violation_error_message="复核截止不能早于自查截止",
            ),
            models.UniqueConstraint(
                fields=["institution", "year"],
                name="capability_round_once_a_year",
                violation_error_message="本单位这一年度已经建立",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("scoring:capability_round", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN


class CapabilityReviewQuerySet(WorkQuerySet):
    item_path = None

    def settled(self) -> Self:
        return self.filter(status__in=CapabilityReview.SETTLED)


def _graded(review: "CapabilityReview") -> bool:
    return not review.lines.filter(grade="").exists()


def _reviewed(review: "CapabilityReview") -> bool:
    return not review.lines.filter(review_grade="").exists()


def _rechecked(review: "CapabilityReview") -> bool:
    return not review.lines.filter(drawn=True, recheck_grade="").exists()


class CapabilityReview(Workflow):
    """能力评审: one unit's way through one year's activity. `supervisor` is who has it now: the county, then the city.

    `started_on` is set by the system, since the months of self-evaluation count from it; none for who never began and was
    found below when the year was closed. `level` holds once settled.
    """

    class Status(models.TextChoices):
        SELF = "self", "自评中"
        DONE = "done", "自查已完成"
        APPLIED = "applied", "待审核"
        RETURNED = "returned", "已退回"
        PASSED = "passed", "审核通过，待上报"
        REPORTED = "reported", "已上报，待复核"
        CHECKING = "checking", "复核中"
        CONFIRMED = "confirmed", "复核认定"
        FINAL = "final", "省级确认"
        BELOW = "below", "未达标"

    EDITABLE = frozenset({Status.SELF, Status.RETURNED})
    SETTLED = frozenset({Status.CONFIRMED, Status.FINAL, Status.BELOW})
    # While these last, what the reviewer writes is not shown to the unit.
    CLOSED_DOORS = frozenset({Status.APPLIED, Status.CHECKING})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.SELF)
    round = models.ForeignKey(
        CapabilityRound, models.PROTECT, verbose_name="活动年度", related_name="reviews"
    )
    standard = models.ForeignKey(
        Standard, models.PROTECT, verbose_name="能力标准", related_name="+"
    )
    optional = models.BooleanField("自愿参加", default=False, editable=False)
    started_on = models.DateField("自评开始日期", null=True, editable=False)
    done_on = models.DateField("自查完成日期", null=True, editable=False)
    self_level = models.CharField(
        "自评等次", max_length=12, choices=ReviewLevel, blank=True, editable=False
    )
    applied_level = models.CharField(
        "申请等次", max_length=12, choices=ReviewLevel, blank=True, editable=False
    )
    applied_on = models.DateField("申请日期", null=True, editable=False)
    review_level = models.CharField(
        "审核等次", max_length=12, choices=ReviewLevel, blank=True, editable=False
    )
    level = models.CharField(
        "认定等次", max_length=12, choices=ReviewLevel, blank=True, editable=False
    )
    level_on = models.DateField("认定日期", null=True, editable=False)
    handed_up_on = models.DateField("上报省级日期", null=True, editable=False)
    explanation = models.TextField("认定说明", blank=True, editable=False)

    objects: ClassVar = CapabilityReviewQuerySet.as_manager()

    MOVES = {
        "complete": Move(
            "完成自查",
            frozenset({Status.SELF}),
            Status.DONE,
            FILL,
            Side.ANSWERS,
            needs=(Need("还有条款没有评定等级", holds=_graded),),
        ),
        "resume": Move("继续自评", frozenset({Status.DONE}), Status.SELF, FILL, Side.ANSWERS),
        "apply": Move(
            "申请审核",
            frozenset({Status.SELF, Status.DONE, Status.RETURNED}),
            Status.APPLIED,
            APPLY,
            Side.ANSWERS,
            needs=(Need("还有条款没有评定等级", holds=_graded),),
            tone="primary",
        ),
        "pass_on": Move(
            "审核通过",
            frozenset({Status.APPLIED}),
            Status.PASSED,
            REVIEW,
            Side.ASKS,
            needs=(Need("还有条款没有审核", holds=_reviewed), NOTE),
            tone="primary",
        ),
        "send_back": Move(
            "退回机构",
            frozenset({Status.APPLIED}),
            Status.RETURNED,
            REVIEW,
            Side.ASKS,
            needs=(NOTE,),
        ),
        "fail": Move(
            "认定未达标",
            frozenset({Status.APPLIED}),
            Status.BELOW,
            REVIEW,
            Side.ASKS,
            needs=(Need("还有条款没有审核", holds=_reviewed), NOTE),
            tone="danger",
        ),
        "hand_up": Move("上报", frozenset({Status.PASSED}), Status.REPORTED, REVIEW, Side.ASKS),
        "draw": Move(
            "抽取复核条款", frozenset({Status.REPORTED}), Status.CHECKING, REVIEW, Side.ASKS
        ),
        "spot_check": Move(
            "抽查复核",
            frozenset({Status.CONFIRMED, Status.FINAL}),
            Status.CHECKING,
            REVIEW,
            Side.ASKS,
            needs=(NOTE,),
        ),
        "confirm": Move(
            "完成复核",
            frozenset({Status.CHECKING}),
            Status.CONFIRMED,
            REVIEW,
            Side.ASKS,
            needs=(Need("还有抽中的条款没有复核", holds=_rechecked), NOTE),
            tone="primary",
        ),
        "decline": Move(
            "复核未达标",
            frozenset({Status.CHECKING}),
            Status.BELOW,
            REVIEW,
            Side.ASKS,
            needs=(Need("还有抽中的条款没有复核", holds=_rechecked), NOTE),
        ),
        "certify": Move(
            "登记省级结果",
            frozenset({Status.CONFIRMED}),
            Status.FINAL,
            REVIEW,
            Side.ASKS,
            needs=(Need("请先上报复核情况", holds=lambda r: r.handed_up_on is not None),),
            tone="primary",
        ),
        "reopen": Move(
            "重新受理",
            frozenset({Status.BELOW}),
            Status.RETURNED,
            REVIEW,
            Side.ASKS,
            needs=(NOTE,),
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "能力评审"
        ordering: ClassVar = ["-round__year", "institution__code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "self",
                        "done",
                        "applied",
                        "returned",
                        "passed",
                        "reported",
                        "checking",
                        "confirmed",
                        "final",
                        "below",
                    ]
                ),
                name="capability_review_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["self", "done", "returned", "below"])
                | Q(applied_on__isnull=False) & ~Q(applied_level=""),
                name="capability_review_applied_for_a_level",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["confirmed", "final", "below"])
                | Q(level_on__isnull=False) & ~Q(level=""),
                name="capability_review_settled_has_level",
            ),
            models.CheckConstraint(
                condition=Q(status="below") | Q(started_on__isnull=False),
                name="capability_review_begun_has_day",
            ),
            models.UniqueConstraint(
                fields=["round", "institution"], name="capability_review_once_a_round"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status"], name="capability_review_list"),
            models.Index(fields=["institution", "status"], name="capability_review_of_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as} {self.round.year}年能力评审"

    def get_absolute_url(self) -> str:
        return reverse("scoring:capability_detail", args=[self.pk])

    @property
    def levels(self) -> list[Level]:
        """The rules of its standard, lowest level first."""
        return read_levels(self.standard.levels)

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED

    def shows_reviews_to(self, post: Post) -> bool:
        """Say whether the reviewers' grades are shown: to the unit and those below it only once the door is open."""
        return post.institution.is_bureau or self.status not in self.CLOSED_DOORS


class OfCapabilityReview(ScopedQuerySet):
    institution_path = "review__institution"
    item_path = None
    bureau_path = "review__bureau"


class CapabilityLine(models.Model):
    """条款评定: the grade of one clause by the unit, by the reviewing county and, where drawn, by the city, side by side.

    Each line has a version of its own, so that several people work on different clauses at once.
    """

    review = models.ForeignKey(CapabilityReview, models.CASCADE, related_name="lines")
    clause = models.ForeignKey(Clause, models.PROTECT, verbose_name="条款", related_name="+")
    grade = models.CharField("自评等级", max_length=1, choices=Grade, blank=True)
    note = models.CharField("自评说明", max_length=300, blank=True)
    flagged = models.BooleanField("列入整改", default=False)
    files = models.ManyToManyField(
        StoredFile, blank=True, verbose_name="佐证材料", related_name="capability_lines"
    )
    problem = models.ForeignKey(
        Problem, models.PROTECT, null=True, related_name="+", editable=False
    )
    review_grade = models.CharField("审核等级", max_length=1, choices=Grade, blank=True)
    review_note = models.CharField("审核说明", max_length=300, blank=True)
    drawn = models.BooleanField("抽中复核", default=False, editable=False)
    recheck_grade = models.CharField("复核等级", max_length=1, choices=Grade, blank=True)
    recheck_note = models.CharField("复核说明", max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OfCapabilityReview.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "条款评定"
        ordering: ClassVar = ["review", "clause__position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "clause"], name="capability_line_once"),
            models.CheckConstraint(
                condition=Q(
                    grade__in=["", "A", "B", "C", "D", "N"],
                    review_grade__in=["", "A", "B", "C", "D", "N"],
                    recheck_grade__in=["", "A", "B", "C", "D", "N"],
                ),
                name="capability_line_grades_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clause.code} {self.clause.name}"

    @property
    def reviewed(self) -> str:
        """The grade that counts now: the city's, else the county's, else the unit's own."""
        return self.recheck_grade or self.review_grade or self.grade


class CapabilityStep(models.Model):
    """评审步骤: who judged what, when, with which opinion and level; never changed."""

    review = models.ForeignKey(CapabilityReview, models.CASCADE, related_name="steps")
    label = models.CharField("步骤", max_length=20)
    level = models.CharField("等次", max_length=12, choices=ReviewLevel, blank=True)
    opinion = models.TextField("意见", blank=True)
    on = models.DateField("日期")
    by = models.ForeignKey(Post, models.PROTECT, verbose_name="办理", related_name="+")

    objects = OfCapabilityReview.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评审步骤"
        ordering: ClassVar = ["review", "pk"]

    def __str__(self) -> str:
        return f"{self.label} {self.on}"


class CapabilityDrawQuerySet(ScopedQuerySet):
    """Seen by the bureau that runs the round and whoever is above it, never by those who are checked."""

    institution_path = "round__institution"
    item_path = None
    bureau_path = "round__bureau"

    def visible_to(self, post: Post | None) -> Self:
        if post is None:
            return self.none()
        return (
            super()
            .visible_to(post)
            .filter(round__institution__path__startswith=post.institution.path)
        )


class CapabilityDraw(models.Model):
    """抽取: clauses, a team or units drawn by lot (docs/drawing.md), with all that is needed to draw again; never changed."""

    class Kind(models.TextChoices):
        CLAUSES = "clauses", "复核条款"
        TEAM = "team", "复核组"
        UNITS = "units", "抽查机构"

    round = models.ForeignKey(CapabilityRound, models.PROTECT, related_name="draws")
    review = models.ForeignKey(CapabilityReview, models.PROTECT, null=True, related_name="draws")
    kind = models.CharField("抽取什么", max_length=8, choices=Kind)
    number = models.PositiveSmallIntegerField("第几次")
    seed = models.CharField("种子", max_length=64)
    pools = models.JSONField("抽取范围")
    ask = models.JSONField("抽取要求")
    result = models.JSONField("结果")
    digest = models.CharField("摘要", max_length=64)
    reason = models.CharField("事由", max_length=300, blank=True)
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="抽取人", related_name="+")
    drawn_at = models.DateTimeField("抽取时间", default=clock.now)

    objects = CapabilityDrawQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "能力评审抽取"
        ordering: ClassVar = ["round", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["round", "review", "kind", "number"], name="capability_draw_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}第{self.number}次抽取"

    def get_absolute_url(self) -> str:
        return reverse("scoring:capability_draw", args=[self.pk])


class CapabilityReportQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = None
    bureau_path = "institution"


class CapabilityReport(models.Model):
    """上报名单: the dated list that a bureau reports up, as it stood that day; a later one is another row."""

    round = models.ForeignKey(CapabilityRound, models.PROTECT, related_name="reports")
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="上报单位", related_name="+"
    )
    number = models.PositiveSmallIntegerField("第几次", default=1)
    reported_on = models.DateField("上报日期")
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="上报人", related_name="+")
    opinion = models.TextField("意见")
    rows = models.JSONField("名单")
    digest = models.CharField("摘要", max_length=64)

    objects = CapabilityReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "上报名单"
        ordering: ClassVar = ["round", "reported_on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["round", "institution", "number"], name="capability_report_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}上报名单（{self.reported_on:%Y-%m-%d}）"

    def get_absolute_url(self) -> str:
        return reverse("scoring:capability_report", args=[self.pk])

    @property
    def goes_up(self) -> bool:
        """Whether the bureau that runs the round reported beyond itself, rather than a county to it."""
        return self.institution_id == self.round.institution_id


class CapabilityUse(models.Model):
    """结果运用: what a level has as its consequence for one unit and year, decided by a leader of who runs the round."""

    class Kind(models.TextChoices):
        COMMENDATION = "commendation", "通报表扬"
        BASIC = "basic", "基本标准以上政策倾斜"
        RECOMMENDED = "recommended", "推荐标准以上政策倾斜"
        EXCLUSION = "exclusion", "不推荐评优评先"

    review = models.ForeignKey(CapabilityReview, models.PROTECT, related_name="uses")
    kind = models.CharField("类别", max_length=12, choices=Kind)
    level = models.CharField("依据的等次", max_length=12, choices=ReviewLevel)
    measures = models.JSONField("措施", default=list)
    note = models.CharField("决定意见", max_length=300)
    decided_on = models.DateField("决定日期")
    decided_by = models.ForeignKey(Post, models.PROTECT, verbose_name="决定人", related_name="+")
    sanction = models.ForeignKey(
        Sanction, models.PROTECT, null=True, verbose_name="奖惩台账", related_name="+"
    )

    objects = OfCapabilityReview.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "结果运用"
        ordering: ClassVar = ["review", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "kind"], name="capability_use_once"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


def default_dates(year: int) -> dict[str, Any]:
    """Return the deadlines of the plan of 中卫市 for a year: 4月30日 and 5月20日."""
    return {"self_due": date(year, 4, 30), "recheck_due": date(year, 5, 20)}
