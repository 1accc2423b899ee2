from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Post, StoredFile
from institutions.models.scoping import WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.roles import Role
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from supervision.models.problem import Problem


class SanctionQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return what was decided in reach; a proposal only to the side that decides; a restricted kind to the entitled.

        追责问责 and 移送纪检 are seen by leaders and auditors (纪检) of the bureau, and by who proposed them.
        """
        rows = super().visible_to(post)
        if post is None:
            return rows
        if not post.institution.is_bureau:
            own = Q(supervisor=post.institution_id) | Q(status__in=Sanction.PUBLIC)
            return rows.filter(own).exclude(kind__in=Sanction.RESTRICTED)
        if post.role in (Role.LEADER, Role.AUDITOR):
            return rows
        return rows.filter(~Q(kind__in=Sanction.RESTRICTED) | Q(author=post))

    def in_force(self) -> Self:
        return self.filter(status=Sanction.Status.DECIDED)


class Sanction(Workflow):
    """奖惩: a penalty or a reward of one institution (or a person of it), from proposal to decision, perhaps revoked.

    The ladder 通报批评 → 限期整改 → 扣减经费 → 取消资格 is climbed step by step: each needs the one before in force (二七卫计
    〔2018〕29号: 考核不符合标准的，首先通报批评，限期整改，整改后仍不达标的，扣减公共卫生服务经费，直至取消资格).
    What it takes from the year-end is booked a floor higher, in the transaction of the decision.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "待决定"
        DECIDED = "decided", "已决定"
        REJECTED = "rejected", "不予采纳"
        REVOKED = "revoked", "已撤销"

    class Kind(models.TextChoices):
        CRITICISM = "criticism", "通报批评"
        DEADLINE = "deadline", "限期整改"
        CUT = "cut", "扣减经费"
        DISQUALIFICATION = "disqualification", "取消资格"
        VETO = "veto", "一票否决"
        ACCOUNTABILITY = "accountability", "追责问责"
        REFERRAL = "referral", "移送纪检"
        NO_AWARDS = "no_awards", "不予推荐评优"
        COMMENDATION = "commendation", "通报表扬"
        REWARD = "reward", "专项奖励"

    LADDER = (Kind.CRITICISM, Kind.DEADLINE, Kind.CUT, Kind.DISQUALIFICATION)
    REWARDS = frozenset({Kind.COMMENDATION, Kind.REWARD})
    RESTRICTED = frozenset({Kind.ACCOUNTABILITY, Kind.REFERRAL})
    # What takes points or all of the money from the year.
    BOOKED = frozenset({Kind.CUT, Kind.VETO})
    OPEN = frozenset({Status.PROPOSED})
    PUBLIC = frozenset({Status.DECIDED, Status.REVOKED})

    GROUNDS: ClassVar[dict[str, tuple[str, ...]]] = {
        # 周卫健字〔2023〕13号: 对…态度不端正、工作落实不力、效果不明显的要追责问责
        Kind.ACCOUNTABILITY: (
            "态度不端正",
            "工作落实不力",
            "效果不明显",
            "上级考核低于90分",
            "弄虚作假",
        ),
        Kind.REFERRAL: ("情节严重",),
        Kind.VETO: ("弄虚作假",),
        Kind.NO_AWARDS: ("未达到基本标准", "受处理影响期内"),
        # 街道意见 2018; 二七卫计〔2018〕29号: 数量、质量、群众满意度
        Kind.REWARD: (
            "工作扎实",
            "质量较高",
            "群众口碑较好",
            "考核成绩优异",
            "数量",
            "质量",
            "群众满意度",
            "国家、省优秀",
        ),
        Kind.COMMENDATION: (
            "工作扎实",
            "质量较高",
            "群众口碑较好",
            "考核成绩优异",
            "活动中表现突出",
        ),
    }

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.PROPOSED)
    kind = models.CharField("类别", max_length=16, choices=Kind)
    year = models.PositiveSmallIntegerField("年度")
    grounds = models.CharField("情形", max_length=40, blank=True)
    reason = models.TextField("事实和理由")
    person = models.CharField("责任人（职务）", max_length=40, blank=True)
    problem = models.ForeignKey(
        Problem,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="所依据的问题",
        related_name="+",
    )
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="上一步",
        related_name="followers",
        editable=False,
    )
    due = models.DateField("限期（含当日）", null=True, blank=True)
    points = FixedField("扣分", null=True, blank=True)
    amount = FixedField("奖励金额", null=True, blank=True)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="依据材料")
    proposed_at = models.DateTimeField("提出时间", default=clock.now, editable=False)
    decided_at = models.DateTimeField("决定时间", null=True, editable=False)
    decided_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="决定人", related_name="+", editable=False
    )
    opinion = models.TextField("决定意见", blank=True, editable=False)
    revoked_at = models.DateTimeField("撤销时间", null=True, editable=False)

    objects: ClassVar = SanctionQuerySet.as_manager()

    MOVES = {
        "decide": Move(
            "同意",
            frozenset({Status.PROPOSED}),
            Status.DECIDED,
            "supervision.decide_sanction",
            Side.ASKS,
            needs=(
                Need("请先上传依据材料", holds=lambda s: s.is_reward or s.files.exists()),
                Need("上一步处理已不再有效", holds=lambda s: s.follows),
                NOTE,
            ),
            tone="primary",
        ),
        "reject": Move(
            "不予采纳",
            frozenset({Status.PROPOSED}),
            Status.REJECTED,
            "supervision.decide_sanction",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "revoke": Move(
            "撤销决定",
            frozenset({Status.DECIDED}),
            Status.REVOKED,
            "supervision.decide_sanction",
            Side.ASKS,
            needs=(
                Need("后一步处理仍然有效，请先撤销后一步", holds=lambda s: not s.followed),
                NOTE,
            ),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "奖惩"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["proposed", "decided", "rejected", "revoked"]),
                name="sanction_status_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "criticism",
                        "deadline",
                        "cut",
                        "disqualification",
                        "veto",
                        "accountability",
                        "referral",
                        "no_awards",
                        "commendation",
                        "reward",
                    ]
                ),
                name="sanction_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["proposed"])
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="sanction_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["deadline", "cut", "disqualification"])
                | Q(previous__isnull=False),
                name="sanction_step_after_step",
            ),
            models.CheckConstraint(
                condition=~Q(kind="cut") | Q(points__isnull=False, points__gt=0),
                name="sanction_cut_has_points",
            ),
            models.UniqueConstraint(
                fields=["previous"],
                condition=Q(status__in=["proposed", "decided"]),
                name="sanction_one_step_after",
            ),
            models.UniqueConstraint(
                fields=["institution", "year"],
                condition=Q(kind="veto", status__in=["proposed", "decided"]),
                name="sanction_one_veto_a_year",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "year"], name="sanction_list")]

    def __str__(self) -> str:
        return f"{self.institution.known_as} {self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return reverse("supervision:sanction_detail", args=[self.pk])

    @property
    def is_reward(self) -> bool:
        return self.kind in self.REWARDS

    @property
    def follows(self) -> bool:
        """Whether the step before, where there must be one, is in force."""
        return self.previous is None or self.previous.status == self.Status.DECIDED

    @property
    def followed(self) -> bool:
        return Sanction.objects.filter(
            previous=self, status__in=(self.Status.PROPOSED, self.Status.DECIDED)
        ).exists()

    def decide(self, *, by: Post, version: int, note: str) -> None:
        self._decide("decide", by=by, version=version, note=note)
        self._tell(f"已作出决定：{self.get_kind_display()}")

    def reject(self, *, by: Post, version: int, note: str) -> None:
        self._decide("reject", by=by, version=version, note=note)

    def revoke(self, *, by: Post, version: int, note: str) -> None:
        """Take the decision back by a decision of its own, which stays on record beside the first."""
        self._move("revoke", by=by, version=version, note=note, revoked_at=clock.now())
        self._tell(f"决定已撤销：{self.get_kind_display()}")

    def _tell(self, text: str) -> None:
        if self.kind in self.RESTRICTED:
            return
        heads = posts_at([self.institution_id], "supervision.answer_rectification")
        notify(heads, f"{self.year}年{text}", url=self.get_absolute_url())

    def data(self) -> dict[str, Any]:
        """What the trail keeps of it."""
        return {
            "kind": self.kind,
            "year": self.year,
            "grounds": self.grounds,
            "points": str(self.points or ""),
            "amount": str(self.amount or ""),
            "person": self.person,
            "previous": self.previous_id,
        }
