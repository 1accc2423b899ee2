from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models.campaign import Campaign, InCampaignQuerySet, Phase
from institutions import clock
from institutions.fields import FixedField
from institutions.models import Department, Institution, Post, ServiceItem, StoredFile
from institutions.models.scoping import WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.roles import Role
from institutions.rounding import half_up, plain_text
from institutions.workflow import NOTE, Move, Need, Side, Workflow

# Who sees what is reported to the own institution; a bureau sees it anyway.
RECEIVING = frozenset({Role.HEAD, Role.STAFF, Role.LEAD})


class TaskQuerySet(InCampaignQuerySet):
    def visible_to(self, post: Post | None) -> Self:
        """Return the tasks of campaigns in sight that concern an institution in sight, or are reported to it."""
        tasks = super().visible_to(post)
        if post is None or (post.institution.is_bureau and post.item_ids is None):
            return tasks
        duties = Task.institutions.through.objects.filter(
            post.reach.institutions_q("institution__")
        )
        rows = Q(pk__in=duties.values("task"))
        if post.role in RECEIVING:
            rows |= Q(receiver=post.institution_id)
        return tasks.filter(rows)


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
        PERCENT = "percent", "完成比例"
        COVERAGE = "coverage", "全覆盖（逐项勾选）"
        CHECK = "check", "自查（等次和问题数）"

    class Objective(models.TextChoices):
        """What a task betters, in the words of 二七卫计〔2018〕29号."""

        FLOW = "flow", "优化服务流程"
        PLACE = "place", "改善就医环境"
        EASE = "ease", "完善便民措施"
        ORDER = "order", "规范医疗管理"
        QUALITY = "quality", "提升医疗质量"
        SAFETY = "safety", "保证医疗安全"

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
    goal = FixedField("目标值", null=True, blank=True)
    unit = models.CharField("计量单位", max_length=10, blank=True)
    covers = models.JSONField("覆盖对象", default=list, blank=True)
    objectives = models.CharField("目标类别", max_length=60, blank=True)
    programme = models.CharField("所属工程", max_length=40, blank=True)
    leaders = models.ManyToManyField(
        Post, blank=True, verbose_name="责任领导", related_name="led_tasks"
    )
    departments = models.ManyToManyField(Department, blank=True, verbose_name="牵头科室")
    institutions = models.ManyToManyField(Institution, blank=True, verbose_name="责任单位")
    unit_departments = models.ManyToManyField(
        Department, blank=True, verbose_name="责任科室", related_name="answered_tasks"
    )
    receiver = models.ForeignKey(
        Institution,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="报送至",
        related_name="+",
    )
    passes_on = models.ForeignKey(
        "campaigns.Report",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="落实的上级任务",
        related_name="passed_on",
        editable=False,
    )

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "任务"
        ordering: ClassVar = ["campaign", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "position"], name="task_position_once"),
            models.CheckConstraint(
                condition=Q(goal__isnull=True) | Q(goal__gt=0), name="task_goal_above_zero"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:task_detail", args=[self.pk])

    def clean(self) -> None:
        """Check what makes the way of counting complete: a percentage stays below 100, a coverage names its set."""
        if self.done_by == self.DoneBy.COVERAGE and len(self.covers) < 2:
            raise ValidationError({"covers": "请写明要覆盖哪些对象，至少两个，每行一个"})
        if self.goal is None:
            return
        if self.done_by == self.DoneBy.PERCENT and self.goal > 100:
            raise ValidationError({"goal": "比例不能超过 100"})
        if self.done_by == self.DoneBy.COVERAGE and self.goal > len(self.covers):
            raise ValidationError({"goal": "目标不能超过覆盖对象的个数"})

    @property
    def measure(self) -> str:
        """The unit in which this task is counted."""
        return "%" if self.done_by == self.DoneBy.PERCENT else self.unit

    @property
    def goal_value(self) -> Decimal | None:
        """The number to be reached: as written, or for a coverage without one the whole set."""
        if self.goal is None and self.done_by == self.DoneBy.COVERAGE:
            return Decimal(len(self.covers))
        return self.goal

    @property
    def goal_text(self) -> str:
        """The target as people say it (≥60%, 3个以上, 全覆盖 3 个); empty when there is none."""
        if self.goal is None and self.done_by == self.DoneBy.COVERAGE:
            return f"全覆盖（{len(self.covers)}{self.unit or '个'}）"
        return "" if self.goal is None else f"≥{plain_text(self.goal)}{self.measure}"

    @property
    def objective_labels(self) -> list[str]:
        return [self.Objective(code).label for code in self.objectives.split()]

    @property
    def unit_names(self) -> list[str]:
        """责任科室单位: departments and units, as one list."""
        departments = [row.name for row in self.unit_departments.all()]
        return [*departments, *(row.known_as for row in self.institutions.all())]

    @property
    def answering(self) -> str:
        """Who answers, printed as the papers print it; what nobody holds is left out, nothing at all is empty."""
        parts = {
            "责任领导": [row.title for row in self.leaders.all()],
            "牵头科室": [row.full_name for row in self.departments.all()],
            "责任科室单位": self.unit_names,
        }
        said = [f"{label}：{'、'.join(names)}" for label, names in parts.items() if names]
        return f"（{'，'.join(said)}）" if said else ""


class ReportQuerySet(WorkQuerySet):
    item_path = "task__item"

    def visible_to(self, post: Post | None) -> Self:
        """Return the reports of institutions in sight, and those that are made to the post's own institution."""
        rows = super().visible_to(post)
        if post is None or post.role not in RECEIVING:
            return rows
        received = Q(supervisor=post.institution_id)
        if post.item_ids is not None:
            received &= Q(task__item__in=post.item_ids)
        return rows | self.filter(received)

    def own(self, post: Post) -> Self:
        """Return those that the post's institution makes, or its department at a bureau."""
        return self.filter(own_q(post))

    def asked(self, post: Post) -> Self:
        """Return those that are made to the post's institution, without its own department's."""
        return self.filter(Q(supervisor=post.institution_id) & ~own_q(post))

    def open(self) -> Self:
        return self.filter(status__in=Report.OPEN)

    def overdue(self) -> Self:
        return self.open().filter(due__lt=clock.today())


def own_q(post: Post) -> Q:
    """Return the condition "made by this post's institution or department"."""
    place = Q(department__isnull=True)
    if post.department_id:
        place |= Q(department=post.department_id)
    return Q(institution=post.institution_id) & place


class Report(Workflow):
    """任务报送: what one institution, or department of the bureau, owes for one task; made at the issue."""

    class Level(models.TextChoices):
        """What a unit finds itself at when it checks itself against a capability standard."""

        BELOW = "below", "未达基本标准"
        BASIC = "basic", "基本标准"
        RECOMMENDED = "recommended", "推荐标准"

    class Stage(models.TextChoices):
        """Where a construction project stands."""

        PREPARING = "preparing", "前期准备"
        STARTED = "started", "已开工"
        FINISHED = "finished", "已完工"

    class Status(models.TextChoices):
        OPEN = "open", "待报送"
        SUBMITTED = "submitted", "待审核"
        RETURNED = "returned", "已退回"
        ACCEPTED = "accepted", "已采纳"

    OPEN = frozenset({Status.OPEN, Status.RETURNED})
    EDITABLE = OPEN
    # Ways of counting that give a number of each unit.
    COUNTED = frozenset({Task.DoneBy.NUMBER, Task.DoneBy.PERCENT, Task.DoneBy.COVERAGE})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    task = models.ForeignKey(Task, models.PROTECT, verbose_name="任务", related_name="reports")
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, verbose_name="科室", related_name="+"
    )
    due = models.DateField("完成时限")
    text = models.TextField("完成情况", blank=True)
    number = models.PositiveIntegerField("完成数量", null=True, blank=True)
    numerator = models.PositiveIntegerField("完成数", null=True, blank=True)
    denominator = models.PositiveIntegerField("应完成数", null=True, blank=True)
    covered = models.JSONField("已覆盖", default=list, blank=True)
    level = models.CharField("自查等次", max_length=12, choices=Level, blank=True)
    problems = models.PositiveIntegerField("查出问题数", null=True, blank=True)
    stage = models.CharField("项目进度", max_length=12, choices=Stage, blank=True)
    # What a bureau took over from the reports of its own units: how many there were and handed in, levels, problems.
    sums = models.JSONField(default=dict, blank=True, editable=False)
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
                Need(
                    "请先填写完成数和应完成数",
                    holds=lambda r: r.task.done_by != Task.DoneBy.PERCENT or r.value is not None,
                ),
                Need(
                    "请先勾选已覆盖的对象，或填写为什么还没有",
                    holds=lambda r: (
                        r.task.done_by != Task.DoneBy.COVERAGE or bool(r.covered or r.text.strip())
                    ),
                ),
                Need(
                    "请先填写自查等次和问题数",
                    holds=lambda r: r.task.done_by != Task.DoneBy.CHECK or r.is_checked,
                ),
                Need(
                    "请先选择项目进度",
                    holds=lambda r: r.task.kind != Task.Kind.CONSTRUCTION or bool(r.stage),
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
            models.UniqueConstraint(
                fields=["task", "institution"],
                condition=Q(department__isnull=True),
                name="report_once",
            ),
            models.UniqueConstraint(fields=["task", "department"], name="report_once_a_department"),
            models.CheckConstraint(
                condition=Q(numerator__isnull=True, denominator__isnull=True)
                | Q(denominator__gt=0, numerator__lte=F("denominator")),
                name="report_part_of_whole",
                violation_error_message="完成数不能超过应完成数",
            ),
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
            models.Index(fields=["supervisor", "status", "due"], name="report_of_supervisor"),
        ]

    def __str__(self) -> str:
        return f"{self.unit_name}：{self.task}"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:report_detail", args=[self.pk])

    @property
    def unit_name(self) -> str:
        """Who reports: the institution, or the department of the bureau."""
        return self.department.name if self.department else self.institution.known_as

    @property
    def is_checked(self) -> bool:
        """Say whether the self-check is told: a unit's level, or the sum of a bureau's units, and the problems."""
        return bool(self.level or self.sums.get("checked")) and self.problems is not None

    @property
    def value(self) -> Fraction | None:
        """What is reached so far, exactly, in the task's measure; None while nothing is told."""
        match self.task.done_by:
            case Task.DoneBy.NUMBER if self.number is not None:
                return Fraction(self.number)
            case Task.DoneBy.PERCENT if self.numerator is not None and self.denominator:
                return Fraction(100 * self.numerator, self.denominator)
            case Task.DoneBy.COVERAGE:
                return Fraction(len(self.covered))
        return None

    @property
    def value_text(self) -> str:
        """What is reached as people say it: 12个, 56%（560/1000）, 2/3, 基本标准，问题5个."""
        match self.task.done_by:
            case Task.DoneBy.CHECK if self.is_checked:
                return f"{self.level_text}，问题{self.problems}个"
            case Task.DoneBy.COVERAGE:
                return f"{len(self.covered)}/{len(self.task.covers)}"
        value = self.value
        if value is None:
            return self.get_stage_display()
        more = f"（{self.numerator}/{self.denominator}）" if self.denominator else ""
        return f"{plain_text(half_up(value, 2))}{self.task.measure}{more}"

    @property
    def level_text(self) -> str:
        """The level of the unit, or of how many units each, where a bureau tells the sum."""
        levels = self.sums.get("levels", {})
        if not levels:
            return self.get_level_display()
        highest_first = reversed(self.Level.choices)
        return "、".join(
            f"{label}{levels[code]}家" for code, label in highest_first if levels.get(code)
        )

    @property
    def reached(self) -> bool | None:
        """Say whether the task's number is reached; None where there is no number, or none yet."""
        goal, value = self.task.goal_value, self.value
        return None if goal is None or value is None else value >= goal

    def stands_on(self, side: Side, post: Post) -> bool:
        """As every row; but a department's report is its own posts', and judged by another's of the bureau."""
        if self.department_id is None:
            return super().stands_on(side, post)
        mine = post.department_id == self.department_id
        return mine if side is Side.ANSWERS else not mine and super().stands_on(side, post)

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
        self._decide("accept", by=by, version=version, note=note)

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        """Return the report with what is missing; its institution is told."""
        self._move("send_back", by=by, version=version, note=note, opinion=note)
        writers = posts_at([self.institution_id], "campaigns.write_report")
        if self.department_id:
            at_home = Post.objects.filter(pk__in=writers, department=self.department_id)
            writers = list(at_home.values_list("pk", flat=True))
        notify(writers, f"任务报送被退回：{self.task}", url=self.get_absolute_url())
