from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models.campaign import Campaign
from campaigns.models.task import Task
from institutions import clock
from institutions.models import Institution, Post, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.workflow import NOTE, Move, Need, Side, Workflow


class PlanKind(models.TextChoices):
    """计划方案 as the papers call them."""

    TRAINING = "training", "年度培训督导计划"
    QUALITY = "quality", "质控计划"
    PROMOTION = "promotion", "工作推进计划"
    ASSESSMENT = "assessment", "绩效考核方案"
    CREDIT = "credit", "健康积分方案"
    IMPLEMENTATION = "implementation", "实施方案"


class PlanCallQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the calls of one's own bureau and those below it, and those a plan in sight answers."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        rows = Q(pk__in=Plan.objects.visible_to(post).order_by().values("call"))
        if post.institution.is_bureau and post.item_ids is None:
            rows |= Q(institution__in=[pk for g in post.reach.grants for pk in g.bureaus])
        return self.filter(rows)


class PlanCall(models.Model):
    """计划方案要求: a bureau asks units for a plan of one kind by a date; `institution` is the bureau."""

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="要求单位", related_name="plan_calls"
    )
    author = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="经办", related_name="+", editable=False
    )
    kind = models.CharField("类型", max_length=14, choices=PlanKind)
    name = models.CharField("名称", max_length=80)
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="活动",
        related_name="plan_calls",
    )
    year = models.PositiveSmallIntegerField("年度")
    due = models.DateField("上报时限（含当日）")
    text = models.TextField("要求", blank=True)

    objects = PlanCallQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "计划方案要求"
        ordering: ClassVar = ["-year", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "year", "name"], name="plan_call_name_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=PlanKind.values), name="plan_call_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:plan_call_detail", args=[self.pk])

    @property
    def has_lines(self) -> bool:
        """Whether its plans say, piece by piece, who answers for the work."""
        return self.kind in (PlanKind.PROMOTION, PlanKind.IMPLEMENTATION)


class PlanQuerySet(WorkQuerySet):
    item_path = None

    def open(self) -> Self:
        return self.filter(status__in=Plan.OPEN)

    def overdue(self) -> Self:
        return self.filter(status__in=Plan.OWED, due__lt=clock.today())

    def late(self) -> Self:
        """Return those whose first version came after the last day."""
        return self.filter(first_submitted_at__date__gt=F("due"))


class Plan(Workflow):
    """计划方案: what one institution hands in; each handing in is kept as a version."""

    class Status(models.TextChoices):
        OPEN = "open", "待上报"
        SUBMITTED = "submitted", "待审核"
        RETURNED = "returned", "已退回"
        ACCEPTED = "accepted", "已通过"
        REVISING = "revising", "修订中"

    # Still owed: a plan that was once accepted is revised at leisure.
    OWED = frozenset({Status.OPEN, Status.RETURNED})
    OPEN = OWED | {Status.REVISING}
    EDITABLE = OPEN

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    call = models.ForeignKey(
        PlanCall, models.PROTECT, verbose_name="计划方案要求", related_name="plans"
    )
    due = models.DateField("上报时限")
    text = models.TextField("内容", blank=True)
    files = models.ManyToManyField(
        StoredFile, blank=True, verbose_name="文件", related_name="plans"
    )
    edition = models.PositiveSmallIntegerField("版次", default=0, editable=False)
    first_submitted_at = models.DateTimeField("首次上报时间", null=True, editable=False)
    submitted_at = models.DateTimeField("上报时间", null=True, editable=False)
    decided_at = models.DateTimeField("审核时间", null=True, editable=False)
    opinion = models.TextField("审核意见", blank=True, editable=False)

    objects: ClassVar = PlanQuerySet.as_manager()

    MOVES = {
        "submit": Move(
            "上报",
            OPEN,
            Status.SUBMITTED,
            "campaigns.write_plan",
            Side.ANSWERS,
            needs=(
                Need(
                    "请先填写内容或上传文件",
                    holds=lambda p: bool(p.text.strip()) or p.files.exists(),
                ),
                Need("请先列出各项工作", holds=lambda p: not p.call.has_lines or p.lines.exists()),
                Need(
                    "每项工作都要落实到班子成员、科室、具体责任人",
                    holds=lambda p: not p.call.has_lines or not p.lines.unassigned().exists(),
                ),
            ),
            tone="primary",
        ),
        "recall": Move(
            "撤回修改",
            frozenset({Status.SUBMITTED}),
            Status.OPEN,
            "campaigns.write_plan",
            Side.ANSWERS,
        ),
        "accept": Move(
            "审核通过",
            frozenset({Status.SUBMITTED}),
            Status.ACCEPTED,
            "campaigns.review_plan",
            Side.ASKS,
            tone="primary",
        ),
        "send_back": Move(
            "退回",
            frozenset({Status.SUBMITTED}),
            Status.RETURNED,
            "campaigns.review_plan",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "revise": Move(
            "修订",
            frozenset({Status.ACCEPTED}),
            Status.REVISING,
            "campaigns.write_plan",
            Side.ANSWERS,
            confirm="修订后须重新上报审核，已通过的版本仍然保留。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "计划方案"
        ordering: ClassVar = ["due", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call", "institution"], name="plan_once"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "submitted", "returned", "accepted", "revising"]),
                name="plan_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="open") | Q(submitted_at__isnull=False, edition__gte=1),
                name="plan_submitted_has_version",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "due"], name="plan_list"),
            models.Index(fields=["institution", "status", "due"], name="plan_of_institution"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}：{self.call}"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:plan_detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        return self.status in self.OWED and self.due < clock.today()

    @property
    def was_late(self) -> bool:
        """Whether the first version came after the last day."""
        first = self.first_submitted_at
        return bool(first and first.astimezone(clock.SHANGHAI).date() > self.due)

    @property
    def all_files(self) -> models.QuerySet[StoredFile]:
        """The files of the draft and of every version that was handed in."""
        return StoredFile.objects.filter(
            Q(plans=self.pk) | Q(plan_versions__plan=self.pk)
        ).distinct()

    def submit(self, *, by: Post, version: int) -> None:
        """Hand the plan in: what was written is kept as its next version."""
        moment = clock.now()
        with transaction.atomic():
            self._move(
                "submit",
                by=by,
                version=version,
                submitted_at=moment,
                first_submitted_at=self.first_submitted_at or moment,
                edition=self.edition + 1,
                data={"edition": self.edition + 1},
            )
            kept = PlanVersion.objects.create(
                plan=self,
                number=self.edition,
                text=self.text,
                handed_in_at=moment,
                author=by,
                lines=[
                    [line.text, line.leader, line.department, line.person]
                    for line in self.lines.all()
                ],
            )
            kept.files.set(self.files.all())

    def recall(self, *, by: Post, version: int) -> None:
        self._move("recall", by=by, version=version)

    def accept(self, *, by: Post, version: int, note: str = "") -> None:
        self._decide("accept", by=by, version=version, note=note)
        self._tell("计划方案已审核通过")

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        """Return the plan with what is to be changed; its institution is told."""
        self._move("send_back", by=by, version=version, note=note, opinion=note)
        self._tell("计划方案被退回")

    def revise(self, *, by: Post, version: int) -> None:
        self._move("revise", by=by, version=version)

    def _tell(self, what: str) -> None:
        writers = posts_at([self.institution_id], "campaigns.write_plan")
        notify(writers, f"{what}：{self.call}", url=self.get_absolute_url())


class InPlanQuerySet(ScopedQuerySet):
    """Parts of a plan: seen with it."""

    institution_path = "plan__institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        return self.filter(plan__in=Plan.objects.visible_to(post))


class PlanLineQuerySet(InPlanQuerySet):
    def unassigned(self) -> Self:
        """Return the lines that lack one of the three levels of responsibility."""
        return self.filter(Q(leader="") | Q(department="") | Q(person=""))


class PlanLine(models.Model):
    """推进事项: one piece of work in a unit, down to 班子成员, 科室, 具体责任人."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField("序号")
    task = models.ForeignKey(
        Task, models.PROTECT, null=True, blank=True, verbose_name="任务", related_name="plan_lines"
    )
    text = models.CharField("工作事项", max_length=160)
    leader = models.CharField("班子成员", max_length=40, blank=True)
    department = models.CharField("科室", max_length=60, blank=True)
    person = models.CharField("具体责任人", max_length=40, blank=True)

    objects = PlanLineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "推进事项"
        ordering: ClassVar = ["plan", "position", "pk"]

    def __str__(self) -> str:
        return self.text


class PlanVersion(models.Model):
    """上报版本: what was handed in, as it was. `lines` holds [work, leader, department, person] each."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField("版次")
    text = models.TextField("内容", blank=True)
    lines = models.JSONField("推进事项", default=list)
    files = models.ManyToManyField(
        StoredFile, blank=True, verbose_name="文件", related_name="plan_versions"
    )
    handed_in_at = models.DateTimeField("上报时间")
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="上报人", related_name="+")

    objects = InPlanQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "上报版本"
        ordering: ClassVar = ["plan", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.plan}（第{self.number}版）"
