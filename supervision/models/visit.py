from datetime import date
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models import Campaign, Clause, Standard
from institutions import clock
from institutions.fields import FixedField
from institutions.models import Institution, Post, ServiceItem, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.roles import Role
from institutions.workflow import NOTE, Move, Need, Side, Workflow


class Severity(models.TextChoices):
    """严重程度."""

    MINOR = "minor", "一般"
    MAJOR = "major", "严重"
    FRAUD = "fraud", "弄虚作假"


class Method(models.TextChoices):
    """督导方式."""

    REPORT = "report", "听取汇报"
    PAPERS = "papers", "查阅资料"
    SITE = "site", "现场核查"
    PHONE = "phone", "电话访谈"
    HOME = "home", "入户核查"
    SURVEY = "survey", "问卷"


class RoundQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the rounds one's bureau or centre runs, and those with a visit in sight."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        # An unannounced round is known to its supervisor and whoever is above, and to the team by its visits.
        own = (
            super()
            .visible_to(post)
            .filter(
                ~Q(type__in=SupervisionRound.UNANNOUNCED)
                | Q(supervisor__path__startswith=post.institution.path)
            )
        )
        if post.institution.is_bureau and post.item_ids is None:
            return own
        visits = Visit.objects.visible_to(post).values("round")
        return self.filter(Q(pk__in=own.values("pk")) | Q(pk__in=visits))


class SupervisionRound(Workflow):
    """督导轮次: one round of supervision of a supervisor, with its items, institutions and dates.

    `institution` and `supervisor` are both who supervises (the bureau, or a centre over its clinics).
    """

    class Type(models.TextChoices):
        QUARTERLY = "quarterly", "季度质控"
        SPECIAL = "special", "年度专项"
        DAILY = "daily", "日常督导"
        CROSS = "cross", "交叉检查"
        SURPRISE = "surprise", "飞行检查（四不两直）"
        DISPATCH = "dispatch", "日常调度"
        SURVEY = "survey", "平时调研"
        FREQUENT = "frequent", "经常性督查"

    # 综合督导 looks at the whole of an institution's work, 专项督导 at one part: each has a least count a year.
    COMPREHENSIVE = frozenset({Type.QUARTERLY, Type.CROSS})
    SPECIAL_ONLY = frozenset({Type.SPECIAL})
    # Never told to the visited before the visit.
    UNANNOUNCED = frozenset({Type.SURPRISE})

    class Status(models.TextChoices):
        DRAFT = "draft", "拟定"
        ISSUED = "issued", "进行中"
        CLOSED = "closed", "已结束"

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    name = models.CharField("名称", max_length=80)
    type = models.CharField("类型", max_length=10, choices=Type, default=Type.QUARTERLY)
    year = models.PositiveSmallIntegerField("年度")
    quarter = models.PositiveSmallIntegerField("季度", default=0, help_text="0 表示不分季度")
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="所属活动"
    )
    standard = models.ForeignKey(
        Standard, models.PROTECT, null=True, blank=True, verbose_name="依据标准"
    )
    items = models.ManyToManyField(ServiceItem, blank=True, verbose_name="督导项目")
    starts = models.DateField("开始")
    ends = models.DateField("截止（含当日）")
    planned = models.ForeignKey(
        "supervision.PlannedRound",
        models.PROTECT,
        null=True,
        editable=False,
        verbose_name="计划轮次",
        related_name="rounds",
    )
    # Which institutions it is to go to, where that was decided before the teams: by plan, by risk or by lot.
    institutions = models.ManyToManyField(
        Institution, blank=True, editable=False, verbose_name="选定机构", related_name="+"
    )
    selection = models.JSONField("选定依据", default=dict, editable=False)

    objects: ClassVar = RoundQuerySet.as_manager()

    MOVES = {
        "issue": Move(
            "下达",
            frozenset({Status.DRAFT}),
            Status.ISSUED,
            "supervision.change_round",
            Side.ASKS,
            needs=(Need("还没有安排督导组", holds=lambda r: r.visits.exists()),),
            tone="primary",
            confirm="下达后督导组成员即可看到任务并取得相应机构的查看权限。",
        ),
        "close": Move(
            "结束本轮",
            frozenset({Status.ISSUED}),
            Status.CLOSED,
            "supervision.change_round",
            Side.ASKS,
            needs=(
                Need(
                    "还有督导没有完成",
                    holds=lambda r: not r.visits.filter(status__in=Visit.OPEN).exists(),
                ),
            ),
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "督导轮次"
        ordering: ClassVar = ["-starts", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quarter__lte=4),
                name="round_quarter_0_to_4",
            ),
            models.CheckConstraint(
                condition=Q(ends__gte=F("starts")),
                name="round_ends_after_start",
                violation_error_message="截止日期不能早于开始日期",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "issued", "closed"]), name="round_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("supervision:round_detail", args=[self.pk])

    def clean(self) -> None:
        if self.starts and self.ends and self.ends < self.starts:
            raise ValidationError({"ends": "截止日期不能早于开始日期"})

    @property
    def period(self) -> str:
        return f"{self.year}年" + (f"第{'一二三四'[self.quarter - 1]}季度" if self.quarter else "")

    def stands_on(self, side: Side, post: Post) -> bool:
        """A round is run by its supervisor's own posts alone: a mandate over the supervisor does not run it."""
        return post.acts_for(self.supervisor_id) and post.item_ids is None

    def issue(self, *, by: Post, version: int, data: dict | None = None) -> None:
        """Move to issued; the reach of the teams is written by `supervision.assigning.issue_round`."""
        self._move("issue", by=by, version=version, data=data)

    def close(self, *, by: Post, version: int) -> None:
        self._move("close", by=by, version=version)


class VisitQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the visits one supervises or makes; the visited institution sees one only when it is submitted."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        mine = Q(lead=post) | Q(
            pk__in=Visit.members.through.objects.filter(post=post).values("visit")
        )
        # Only who sends the team, and whoever is above, sees the plan: to the visited, and to the bureau of a county
        # that the city visits, an unannounced visit must stay unannounced until its record is submitted.
        rows = (
            super()
            .visible_to(post)
            .filter(
                Q(supervisor__path__startswith=post.institution.path)
                | ~Q(status__in=[Visit.Status.PLANNED, Visit.Status.CANCELLED])
            )
        )
        seen = Q(pk__in=rows.values("pk")) | mine & ~Q(round__status="draft")
        if post.role == Role.LEAD:
            # What a lead agency itself supervises, at institutions that it reaches for its items.
            seen |= Q(supervisor=post.institution_id)
        return self.filter(seen)


class Visit(Workflow):
    """现场督导: one team at one institution. Recorded line by line on site, then confirmed by the institution."""

    class Status(models.TextChoices):
        PLANNED = "planned", "待督导"
        SUBMITTED = "submitted", "待机构确认"
        CONFIRMED = "confirmed", "已确认"
        OBJECTED = "objected", "机构有异议"
        CANCELLED = "cancelled", "已取消"

    OPEN: ClassVar[frozenset[str]] = frozenset({Status.PLANNED, Status.SUBMITTED, Status.OBJECTED})
    EDITABLE = frozenset({Status.PLANNED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.PLANNED)
    round = models.ForeignKey(
        SupervisionRound, models.PROTECT, verbose_name="轮次", related_name="visits"
    )
    lead = models.ForeignKey(Post, models.PROTECT, verbose_name="组长", related_name="led_visits")
    members = models.ManyToManyField(
        Post, blank=True, verbose_name="成员", related_name="joined_visits"
    )
    items = models.ManyToManyField(ServiceItem, blank=True, verbose_name="督导项目")
    starts = models.DateField("计划开始")
    ends = models.DateField("计划结束")
    visited_on = models.DateField("督导日期", null=True, blank=True)
    summary = models.TextField("总体情况", blank=True)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="附件")
    submitted_at = models.DateTimeField("提交时间", null=True, editable=False)
    answered_at = models.DateTimeField("机构答复时间", null=True, editable=False)
    answer = models.TextField("机构意见", blank=True, editable=False)
    settlement = models.TextField("异议处理意见", blank=True, editable=False)

    objects: ClassVar = VisitQuerySet.as_manager()

    MOVES = {
        "submit": Move(
            "提交督导记录",
            frozenset({Status.PLANNED}),
            Status.SUBMITTED,
            "supervision.record_visit",
            Side.ASKS,
            needs=(
                Need("本轮督导尚未下达", holds=lambda v: v.round.status == "issued"),
                Need("请先填写督导日期", holds=lambda v: v.visited_on is not None),
                Need("还没有督导记录", holds=lambda v: v.lines.exists()),
            ),
            tone="primary",
            confirm="提交后机构即可看到记录和发现的问题，问题随即交办整改。",
        ),
        "agree": Move(
            "确认督导记录",
            frozenset({Status.SUBMITTED}),
            Status.CONFIRMED,
            "supervision.answer_visit",
            Side.ANSWERS,
            tone="primary",
        ),
        "object": Move(
            "提出异议",
            frozenset({Status.SUBMITTED}),
            Status.OBJECTED,
            "supervision.answer_visit",
            Side.ANSWERS,
            needs=(NOTE,),
        ),
        "settle": Move(
            "异议处理完毕",
            frozenset({Status.OBJECTED}),
            Status.CONFIRMED,
            "supervision.confirm_visit",
            Side.ASKS,
            needs=(NOTE,),
        ),
        "reschedule": Move(
            "改期",
            frozenset({Status.PLANNED}),
            Status.PLANNED,
            "supervision.confirm_visit",
            Side.ASKS,
            # Asked for by the form, and stored as both ends of the plan.
            needs=(Need("请填写新的日期", field="date", holds=lambda v: True), NOTE),
        ),
        "cancel": Move(
            "取消督导",
            frozenset({Status.PLANNED}),
            Status.CANCELLED,
            "supervision.confirm_visit",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "现场督导"
        ordering: ClassVar = ["-starts", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["round", "institution"],
                condition=~Q(status="cancelled"),
                name="visit_once_a_round",
            ),
            models.CheckConstraint(
                condition=Q(ends__gte=F("starts")),
                name="visit_ends_after_start",
                violation_error_message="计划结束不能早于计划开始",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["planned", "submitted", "confirmed", "objected", "cancelled"]
                ),
                name="visit_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["planned", "cancelled"])
                | Q(submitted_at__isnull=False, visited_on__isnull=False),
                name="visit_submitted_has_dates",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "starts"], name="visit_list"),
            models.Index(fields=["institution", "starts"], name="visit_of_institution"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as} {self.round}"

    def get_absolute_url(self) -> str:
        return reverse("supervision:visit_detail", args=[self.pk])

    def on_team(self, post: Post) -> bool:
        return self.lead_id == post.pk or self.members.filter(pk=post.pk).exists()

    def stands_on(self, side: Side, post: Post) -> bool:
        """A team member stands on the asking side of the visit, wherever he is employed, but never at home."""
        if side is not Side.ANSWERS and post.institution_id != self.institution_id:
            return super().stands_on(side, post) or self.on_team(post)
        return super().stands_on(side, post)

    def may(self, name: str, post: Post | None) -> bool:
        """The lead or the supervisor submits; objections and cancelling are the supervisor's alone."""
        if post is None or not super().may(name, post):
            return False
        if name == "submit":
            return post.pk == self.lead_id or post.institution_id == self.supervisor_id
        return (
            name not in ("settle", "cancel", "reschedule")
            or post.institution_id == self.supervisor_id
        )

    def may_record(self, post: Post) -> bool:
        """Say whether this post writes lines now: on the team or of the supervisor, once the round is issued."""
        return (
            self.status in self.EDITABLE
            and self.round.status == SupervisionRound.Status.ISSUED
            and post.has_perm("supervision.record_visit")
            and self.stands_on(Side.ASKS, post)
        )

    def submit(self, *, by: Post, version: int, data: dict | None = None) -> None:
        """Move to submitted, with date and summary as set on the row; see `supervision.submitting.submit_visit`."""
        self._move(
            "submit",
            by=by,
            version=version,
            data=data,
            submitted_at=clock.now(),
            visited_on=self.visited_on,
            summary=self.summary,
        )

    def agree(self, *, by: Post, version: int) -> None:
        self._move("agree", by=by, version=version, answered_at=clock.now())

    def object(self, *, by: Post, version: int, note: str) -> None:
        self._move(
            "object", by=by, version=version, note=note, answer=note, answered_at=clock.now()
        )

    def settle(self, *, by: Post, version: int, note: str) -> None:
        self._move("settle", by=by, version=version, note=note, settlement=note)

    def reschedule(self, *, by: Post, version: int, note: str, to: date) -> None:
        """Move a planned visit to another day, as long as before; see `supervision.assigning.reschedule_visit`."""
        self._move(
            "reschedule",
            by=by,
            version=version,
            note=note,
            data={"from": str(self.starts), "to": str(to)},
            starts=to,
            ends=to + (self.ends - self.starts),
        )

    def cancel(self, *, by: Post, version: int, note: str) -> None:
        """Cancel a planned visit; the team's reach is taken back by `supervision.assigning.cancel_visit`."""
        self._move("cancel", by=by, version=version, note=note)


class OfVisitQuerySet(ScopedQuerySet):
    """What belongs to a visit is in sight with it; `visit_path` is the way from the row to the visit."""

    visit_path = "visit"
    institution_path = "visit__institution"
    item_path: ClassVar[str | None] = None
    bureau_path = "visit__bureau"

    def visible_to(self, post: Post | None) -> Self:
        return self.filter(**{f"{self.visit_path}__in": Visit.objects.visible_to(post)})


class LineQuerySet(OfVisitQuerySet):
    item_path = "item"

    def to_hand_out(self) -> Self:
        """The findings that become problems: those to a problem that was never solved have a duty already."""
        return self.filter(found=VisitLine.Found.PROBLEM).exclude(follow=VisitLine.Follow.STILL)


class VisitLine(models.Model):
    """督导记录: one finding on site: to a clause of the standard, to an earlier problem, or free under an item.

    `version` is the line's own: members record different lines of one visit at once, and only two who change the same
    line stand in each other's way. A phone may send the same thing twice, since it cannot know whether an answer was
    lost: `key` names a line before it is saved, `sent` names its last save; both are refused a second time.
    """

    class Found(models.TextChoices):
        GOOD = "good", "符合"
        PROBLEM = "problem", "有问题"
        NONE = "none", "不适用"

    class Follow(models.TextChoices):
        """What has become of an earlier problem."""

        CLOSED = "closed", "已整改"
        STILL = "still", "仍存在"
        AGAIN = "again", "又出现"

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="lines")
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    clause = models.ForeignKey(Clause, models.PROTECT, null=True, blank=True, verbose_name="条款")
    earlier = models.ForeignKey(
        "supervision.Problem",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="以前的问题",
        related_name="rechecks",
    )
    follow = models.CharField("复查结果", max_length=8, choices=Follow, blank=True)
    method = models.CharField("督导方式", max_length=8, choices=Method, blank=True)
    found = models.CharField("结果", max_length=8, choices=Found)
    numerator = FixedField("分子", null=True, blank=True)
    denominator = FixedField("分母", null=True, blank=True)
    points = FixedField("得分", null=True, blank=True)
    text = models.TextField("情况", blank=True)
    category = models.CharField("问题类别", max_length=40, blank=True)
    severity = models.CharField("严重程度", max_length=8, choices=Severity, blank=True)
    due = models.DateField("整改时限", null=True, blank=True)
    key = models.UUIDField(null=True, unique=True, editable=False)
    sent = models.UUIDField(null=True, unique=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="照片")
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="记录人", related_name="+")
    recorded_at = models.DateTimeField("记录时间", default=clock.now)

    objects = LineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "督导记录"
        ordering: ClassVar = ["visit", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(found="problem") | (~Q(text="") & Q(due__isnull=False)),
                name="line_problem_has_text_and_due",
                violation_error_message="有问题的记录要写明情况和整改时限",
            ),
            models.CheckConstraint(
                condition=Q(found__in=["good", "problem", "none"]), name="line_found_known"
            ),
            models.CheckConstraint(
                condition=Q(method__in=["", *Method.values]), name="line_method_known"
            ),
            models.CheckConstraint(
                condition=Q(earlier__isnull=True, follow="")
                | Q(earlier__isnull=False, follow="closed", found="good")
                | Q(earlier__isnull=False, follow__in=["still", "again"], found="problem"),
                name="line_follow_fits_result",
            ),
            models.CheckConstraint(
                condition=Q(denominator__isnull=True)
                | Q(numerator__gte=0, numerator__lte=F("denominator")),
                name="line_figures_part_of_whole",
                violation_error_message="分子不能大于分母",
            ),
            models.UniqueConstraint(
                fields=["visit", "clause"],
                condition=Q(clause__isnull=False),
                name="line_once_a_clause",
            ),
            models.UniqueConstraint(
                fields=["visit", "earlier"],
                condition=Q(earlier__isnull=False),
                name="line_once_an_earlier_problem",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_found_display()} {self.text}"[:60]

    @property
    def result(self) -> str:
        """The result as people say it: of an earlier problem, what has become of it."""
        return self.get_follow_display() or self.get_found_display()


class PhotoKeyQuerySet(OfVisitQuerySet):
    visit_path = "line__visit"
    institution_path = "line__visit__institution"
    bureau_path = "line__visit__bureau"


class PhotoKey(models.Model):
    """One photo as a phone names it before sending: what comes a second time is not kept again."""

    line = models.ForeignKey(VisitLine, models.CASCADE, related_name="photo_keys")
    key = models.UUIDField(unique=True)

    objects = PhotoKeyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "照片凭据"

    def __str__(self) -> str:
        return str(self.key)
