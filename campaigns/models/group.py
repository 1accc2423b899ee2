from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from campaigns.models.campaign import Campaign
from institutions.models import Post, Region, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.workflow import Move, Side, Workflow


class Profession(models.TextChoices):
    """The nine fields a technical guidance group is made up of (E33)."""

    MANAGEMENT = "management", "医疗机构管理"
    MEDICINE = "medicine", "医疗"
    TCM = "tcm", "中医药"
    NURSING = "nursing", "护理"
    INFECTION = "infection", "医院感染管理"
    PUBLIC_HEALTH = "public_health", "公共卫生"
    INSPECTION = "inspection", "卫生监督"
    FINANCE = "finance", "财务管理"
    INFORMATION = "information", "信息管理"


class GroupQuerySet(WorkQuerySet):
    item_path = None


class Group(Workflow):
    """工作组织: a leading group, a guidance group, a unit's own task force, or a team of the village grid."""

    class Kind(models.TextChoices):
        LEADING = "leading", "领导小组"
        GUIDANCE = "guidance", "技术指导组"
        TASKFORCE = "taskforce", "工作专班"
        TEAM = "team", "大队（网格）"

    class Status(models.TextChoices):
        ACTIVE = "active", "在用"
        DISSOLVED = "dissolved", "已撤销"

    EDITABLE = frozenset({Status.ACTIVE})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.ACTIVE)
    kind = models.CharField("类型", max_length=10, choices=Kind)
    name = models.CharField("名称", max_length=80)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="活动", related_name="groups"
    )
    office = models.CharField("办公室设在", max_length=60, blank=True)
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, verbose_name="负责区域", related_name="+"
    )
    text = models.TextField("职责", blank=True)
    set_up_on = models.DateField("成立日期")
    files = models.ManyToManyField(
        StoredFile, blank=True, verbose_name="成立文件", related_name="groups"
    )

    objects: ClassVar = GroupQuerySet.as_manager()

    MOVES = {
        "dissolve": Move(
            "撤销",
            frozenset({Status.ACTIVE}),
            Status.DISSOLVED,
            "campaigns.write_group",
            Side.ANSWERS,
            tone="danger",
            confirm="撤销后名单不能再改，但仍可查看。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "工作组织"
        ordering: ClassVar = ["institution", "kind", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "dissolved"]), name="group_status_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "kind"], name="group_list"),
            models.Index(fields=["institution", "kind"], name="group_of_institution"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:group_detail", args=[self.pk])

    def dissolve(self, *, by: Post, version: int) -> None:
        self._move("dissolve", by=by, version=version)

    @property
    def missing_professions(self) -> list[str]:
        """The professions a guidance group still lacks; reads the members."""
        if self.kind != self.Kind.GUIDANCE:
            return []
        there = {member.profession for member in self.members.all()}
        return [label for value, label in Profession.choices if value not in there]

    def villages(self) -> models.QuerySet[Region]:
        """The villages of a team's region; none for other groups."""
        if self.kind != self.Kind.TEAM or self.region is None:
            return Region.objects.none()
        return Region.objects.filter(
            path__startswith=self.region.path, level=Region.Level.VILLAGE
        ).order_by("code")

    def areas(self) -> models.QuerySet[Region]:
        """The villages of a team's region, and the 管区 between; none for other groups."""
        if self.kind != self.Kind.TEAM or self.region is None:
            return Region.objects.none()
        return Region.objects.filter(
            path__startswith=self.region.path, level__gte=Region.Level.DISTRICT
        ).order_by("path")


class InGroupQuerySet(ScopedQuerySet):
    """Members of a group: seen with it."""

    institution_path = "group__institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        return self.filter(group__in=Group.objects.visible_to(post))


class Member(models.Model):
    """成员: a post or a written title in a group; in a team perhaps for one village."""

    class Duty(models.TextChoices):
        HEAD = "head", "组长"
        DEPUTY = "deputy", "副组长"
        MEMBER = "member", "成员"
        OFFICE = "office", "办公室主任"
        CAPTAIN = "captain", "大队长"
        TECHNICAL = "technical", "业务队长"
        BUREAU_SIDE = "bureau_side", "包村人员（卫计办）"
        CENTRE_SIDE = "centre_side", "包村人员（卫生服务中心）"
        CADRE = "cadre", "联系管区科级干部"
        DISTRICT = "district", "管区书记"
        VILLAGE = "village", "村居支部书记"
        DOCTOR = "doctor", "乡村医生"
        WORKER = "worker", "卫计专干"

    # Whom every village has: one to guide it from each side (C31).
    VILLAGE_DUTIES = (Duty.BUREAU_SIDE, Duty.CENTRE_SIDE)
    # Who answers for an area, rank by rank (C28).
    AREA_DUTIES = (Duty.CADRE, Duty.DISTRICT, Duty.VILLAGE)

    group = models.ForeignKey(Group, models.CASCADE, related_name="members")
    position = models.PositiveSmallIntegerField("序号")
    duty = models.CharField("组内职务", max_length=12, choices=Duty, default=Duty.MEMBER)
    post = models.ForeignKey(
        Post,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="任职",
        related_name="memberships",
    )
    title = models.CharField("单位和职务", max_length=80)
    profession = models.CharField("专业", max_length=14, choices=Profession, blank=True)
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="所包管区、村（居）",
        related_name="+",
    )
    text = models.CharField("分工", max_length=120, blank=True)

    objects = InGroupQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "成员"
        ordering: ClassVar = ["group", "position", "pk"]

    def __str__(self) -> str:
        return f"{self.get_duty_display()}：{self.title}"
