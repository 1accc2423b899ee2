from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from campaigns.models.campaign import Campaign, InCampaignQuerySet, Phase
from institutions import clock
from institutions.models import Department, Institution, Post, ServiceItem, StoredFile
from institutions.models.scoping import WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.workflow import NOTE, Move, Need, Side, Workflow


class TaskQuerySet(InCampaignQuerySet):
    def visible_to(self, post: Post | None) -> Self:
        """Return the tasks of campaigns in sight that concern an institution in sight."""
        tasks = super().visible_to(post)
        if post is None or (post.institution.is_bureau and post.item_ids is None):
            return tasks
        duties = Task.institutions.through.objects.filter(
            post.reach.institutions_q("institution__")
        )
        return tasks.filter(pk__in=duties.values("task"))


class Task(models.Model):
    """任务: what is to be done by whom until when, and how it counts as done."""

    class Kind(models.TextChoices):
        LEARNING = "learning", "学习"
        TRAINING = "training", "培训"
        RECTIFICATION = "rectification", "整改"
        IMPROVEMENT = "improvement", "提升"
        CONSTRUCTION = "construction", "建设"
        SERVICE = "service", "服务"
        ORGANISATION = "organisation", "组织"

    class DoneBy(models.TextChoices):
        REPORT = "report", "书面报告"
        FILE = "file", "上传佐证材料"
        YES = "yes", "是否完成"
        NUMBER = "number", "完成数量"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="tasks")
    phase = models.ForeignKey(
        Phase, models.PROTECT, null=True, blank=True, verbose_name="阶段", related_name="tasks"
    )
    position = models.PositiveSmallIntegerField("序号")
    name = models.CharField("任务", max_length=120)
    text = models.TextField("要求", blank=True)
    area = models.CharField("任务领域", max_length=60, blank=True)
    kind = models.CharField("类型", max_length=14, choices=Kind, default=Kind.SERVICE)
    done_by = models.CharField("完成方式", max_length=8, choices=DoneBy, default=DoneBy.FILE)
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    due = models.DateField("完成时限（含当日）")
    leaders = models.ManyToManyField(
        Post, blank=True, verbose_name="责任领导", related_name="led_tasks"
    )
    departments = models.ManyToManyField(Department, blank=True, verbose_name="牵头科室")
    institutions = models.ManyToManyField(Institution, blank=True, verbose_name="责任科室单位")

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "任务"
        ordering: ClassVar = ["campaign", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "position"], name="task_position_once")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:task_detail", args=[self.pk])


class ReportQuerySet(WorkQuerySet):
    item_path = "task__item"

    def open(self) -> Self:
        return self.filter(status__in=Report.OPEN)

    def overdue(self) -> Self:
        return self.open().filter(due__lt=clock.today())


class Report(Workflow):
    """任务报送: what one institution owes for one task; made when the campaign is issued."""

    class Status(models.TextChoices):
        OPEN = "open", "待报送"
        SUBMITTED = "submitted", "待审核"
        RETURNED = "returned", "已退回"
        ACCEPTED = "accepted", "已采纳"

    OPEN = frozenset({Status.OPEN, Status.RETURNED})
    EDITABLE = OPEN

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    task = models.ForeignKey(Task, models.PROTECT, verbose_name="任务", related_name="reports")
    due = models.DateField("完成时限")
    text = models.TextField("完成情况", blank=True)
    number = models.PositiveIntegerField("完成数量", null=True, blank=True)
    held_on = models.DateField("完成日期", null=True, blank=True)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    submitted_at = models.DateTimeField("报送时间", null=True, editable=False)
    decided_at = models.DateTimeField("审核时间", null=True, editable=False)
    opinion = models.TextField("审核意见", blank=True, editable=False)

    objects: ClassVar = ReportQuerySet.as_manager()

    MOVES = {
        "submit": Move(
            "报送",
            OPEN,
            Status.SUBMITTED,
            "campaigns.write_report",
            Side.ANSWERS,
            needs=(
                Need("请先填写完成情况", holds=lambda r: bool(r.text.strip())),
                Need(
                    "请先上传佐证材料",
                    holds=lambda r: r.task.done_by != Task.DoneBy.FILE or r.files.exists(),
                ),
                Need(
                    "请先填写完成数量",
                    holds=lambda r: r.task.done_by != Task.DoneBy.NUMBER or r.number is not None,
                ),
            ),
            tone="primary",
        ),
        "recall": Move(
            "撤回修改",
            frozenset({Status.SUBMITTED}),
            Status.OPEN,
            "campaigns.write_report",
            Side.ANSWERS,
        ),
        "accept": Move(
            "采纳",
            frozenset({Status.SUBMITTED}),
            Status.ACCEPTED,
            "campaigns.review_report",
            Side.ASKS,
            tone="primary",
        ),
        "send_back": Move(
            "退回",
            frozenset({Status.SUBMITTED}),
            Status.RETURNED,
            "campaigns.review_report",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "任务报送"
        ordering: ClassVar = ["due", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "institution"], name="report_once"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "submitted", "returned", "accepted"]),
                name="report_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "returned"]) | Q(submitted_at__isnull=False),
                name="report_submitted_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="accepted") | Q(decided_at__isnull=False),
                name="report_accepted_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "due"], name="report_list"),
            models.Index(
                fields=["bureau", "due"],
                condition=Q(status__in=["open", "returned"]),
                name="report_open",
            ),
            models.Index(fields=["institution", "status", "due"], name="report_of_institution"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}：{self.task}"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:report_detail", args=[self.pk])

    @property
    def work_item_id(self) -> int | None:
        return self.task.item_id

    @property
    def is_overdue(self) -> bool:
        return self.status in self.OPEN and self.due < clock.today()

    @property
    def was_late(self) -> bool:
        return bool(
            self.submitted_at and self.submitted_at.astimezone(clock.SHANGHAI).date() > self.due
        )

    def submit(self, *, by: Post, version: int) -> None:
        self._move("submit", by=by, version=version, submitted_at=clock.now())

    def recall(self, *, by: Post, version: int) -> None:
        self._move("recall", by=by, version=version)

    def accept(self, *, by: Post, version: int, note: str = "") -> None:
        self._move(
            "accept", by=by, version=version, note=note, opinion=note, decided_at=clock.now()
        )

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        """Return the report with what is missing; its institution is told."""
        self._move("send_back", by=by, version=version, note=note, opinion=note)
        writers = posts_at([self.institution_id], "campaigns.write_report")
        notify(writers, f"任务报送被退回：{self.task}", url=self.get_absolute_url())
