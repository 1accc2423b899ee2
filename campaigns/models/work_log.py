from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models.campaign import Campaign, Phase
from campaigns.models.task import Task
from institutions import clock
from institutions.models import Institution, Post, ServiceItem, StaffMember, StoredFile
from institutions.models.scoping import WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.workflow import NOTE, Move, Need, Side, Workflow

# What must stand in view on publicity material (D17).
LABEL = "国家基本公共卫生服务项目"


class WorkLogQuerySet(WorkQuerySet):
    def to_follow_up(self) -> Self:
        """Return those whose decisions have a date and are not carried out yet."""
        return self.filter(follow_up_due__isnull=False, followed_up_on__isnull=True)

    def overdue(self) -> Self:
        return self.to_follow_up().filter(follow_up_due__lt=clock.today())


class WorkLog(Workflow):
    """工作日志: what a unit did on a day. The bureau selects innovation cases and recommends them upwards."""

    class Kind(models.TextChoices):
        DISPATCH = "dispatch", "调度会议"
        MEETING = "meeting", "公卫例会"
        TRAINING = "training", "培训"
        PUBLICITY = "publicity", "宣传"
        FIELD = "field", "领导下基层"
        GUIDANCE = "guidance", "技术指导"
        QUALITY = "quality", "质控"
        INNOVATION = "innovation", "创新案例"
        OBSTACLE = "obstacle", "政策障碍"
        REENGINEERING = "reengineering", "流程再造"
        CHECK = "check", "进展督查"
        PLATFORM = "platform", "信息化对接"

    class Channel(models.TextChoices):
        BOARD = "board", "宣传栏"
        POSTER = "poster", "省级统一壁报"
        VIDEO = "video", "视频"
        ADVERT = "advert", "公益广告"
        THREE = "three", "三进"
        DOOR = "door", "上门服务"
        SITE = "site", "现场宣传"
        ONLINE = "online", "网络新媒体"

    class Manner(models.TextChoices):
        """The four forms in which progress is checked."""

        SERVICE = "service", "主动服务"
        DISPATCH = "dispatch", "跟踪调度"
        SUPERVISION = "supervision", "督导检查"
        VISIT = "visit", "实地考察"

    class Status(models.TextChoices):
        RECORDED = "recorded", "已登记"
        SELECTED = "selected", "已遴选"
        RECOMMENDED = "recommended", "已向上推荐"

    # A selected case stands as it was selected.
    EDITABLE = frozenset({Status.RECORDED})

    # Offered as written in the papers; kept as words joined by “、”.
    TARGETS = (
        "机构负责人",
        "家庭医生团队",
        "首席公卫医师团队",
        "公卫人员",
        "乡村医生",
        "新进人员",
        "中医机构",
        "医院科室",
        "居民群众",
    )

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.RECORDED)
    kind = models.CharField("类型", max_length=14, choices=Kind)
    day = models.DateField("日期")
    subject = models.CharField("主题", max_length=120)
    place = models.CharField("地点", max_length=80, blank=True)
    host = models.CharField("主持或带队（职务）", max_length=60, blank=True)
    text = models.TextField("内容")
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="活动",
        related_name="work_logs",
    )
    phase = models.ForeignKey(
        Phase, models.PROTECT, null=True, blank=True, verbose_name="阶段", related_name="work_logs"
    )
    task = models.ForeignKey(
        Task, models.PROTECT, null=True, blank=True, verbose_name="任务", related_name="work_logs"
    )
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    units = models.ManyToManyField(
        Institution, blank=True, verbose_name="参加或覆盖的机构", related_name="joined_logs"
    )
    participants = models.PositiveIntegerField("参加人数", null=True, blank=True)
    targets = models.CharField("对象", max_length=120, blank=True)
    trainees = models.ManyToManyField(
        StaffMember, blank=True, verbose_name="参训的新进人员", related_name="trainings"
    )
    tested = models.PositiveIntegerField("效果测试人数", null=True, blank=True)
    passed = models.PositiveIntegerField("测试合格人数", null=True, blank=True)
    channel = models.CharField("宣传方式", max_length=10, choices=Channel, blank=True)
    labelled = models.BooleanField(f"显著位置明示“{LABEL}”", null=True, blank=True)
    manner = models.CharField("督查形式", max_length=12, choices=Manner, blank=True)
    platform = models.URLField("平台网址", blank=True)
    aspect = models.CharField("涉及方面", max_length=60, blank=True)
    flow_before = models.TextField("优化前的流程", blank=True)
    flow_after = models.TextField("优化后的流程", blank=True)
    flow_from = models.DateField("新流程启用日期", null=True, blank=True)
    decisions = models.TextField("议定事项或建议", blank=True)
    follow_up_due = models.DateField("落实时限", null=True, blank=True)
    followed_up_on = models.DateField("落实日期", null=True, blank=True)
    follow_up = models.TextField("落实情况", blank=True)
    files = models.ManyToManyField(
        StoredFile, blank=True, verbose_name="照片和材料", related_name="work_logs"
    )

    objects: ClassVar = WorkLogQuerySet.as_manager()

    MOVES = {
        "select": Move(
            "遴选为示范案例",
            frozenset({Status.RECORDED}),
            Status.SELECTED,
            "campaigns.select_case",
            Side.ASKS,
            needs=(Need("只有创新案例可以遴选", holds=lambda log: log.is_case),),
            tone="primary",
        ),
        "unselect": Move(
            "取消遴选",
            frozenset({Status.SELECTED}),
            Status.RECORDED,
            "campaigns.select_case",
            Side.ASKS,
        ),
        "recommend": Move(
            "向上级推荐",
            frozenset({Status.SELECTED}),
            Status.RECOMMENDED,
            "campaigns.select_case",
            Side.ASKS,
            needs=(NOTE,),
            tone="primary",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "工作日志"
        ordering: ClassVar = ["-day", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="recorded")
                | Q(status__in=["selected", "recommended"], kind="innovation"),
                name="work_log_status_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="check", manner__gt="") | ~Q(kind="check") & Q(manner=""),
                name="work_log_check_has_manner",
            ),
            models.CheckConstraint(
                condition=Q(passed__isnull=True) | Q(tested__gte=F("passed")),
                name="work_log_passed_among_tested",
                violation_error_message="合格人数不能多于测试人数",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "kind", "-day"], name="work_log_list"),
            models.Index(fields=["institution", "kind", "-day"], name="work_log_of_institution"),
        ]

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        return reverse("campaigns:log_detail", args=[self.pk])

    @property
    def is_case(self) -> bool:
        return self.kind == self.Kind.INNOVATION

    @property
    def lacks_label(self) -> bool:
        """Whether publicity was made without the words every material must bear."""
        return self.kind == self.Kind.PUBLICITY and not self.labelled

    @property
    def days_late(self) -> int:
        """Days since the decisions should have been carried out; 0 or less when they are, or are not due."""
        if self.follow_up_due is None or self.followed_up_on is not None:
            return 0
        return -clock.days_left(self.follow_up_due)

    def select(self, *, by: Post, version: int, note: str = "") -> None:
        """Select an innovation case; its institution is told."""
        self._move("select", by=by, version=version, note=note)
        self._tell("创新案例入选")

    def unselect(self, *, by: Post, version: int) -> None:
        self._move("unselect", by=by, version=version)

    def recommend(self, *, by: Post, version: int, note: str) -> None:
        """Recommend a selected case to the bureau above; `note` says to whom and why."""
        self._move("recommend", by=by, version=version, note=note)
        self._tell("创新案例已向上级推荐")

    def _tell(self, what: str) -> None:
        writers = posts_at([self.institution_id], "campaigns.write_log")
        notify(writers, f"{what}：{self.subject}", url=self.get_absolute_url())
