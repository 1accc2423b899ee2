from datetime import date
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse

from campaigns.models import Campaign, Clause, Phase, Task
from institutions import clock
from institutions.fields import TagsField
from institutions.models import Institution, Post, ServiceItem, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from supervision.models.tags import Aspect, KeyGroup, tag_labels
from supervision.models.visit import Severity, VisitLine


class Source(models.TextChoices):
    """问题来源. The words of formats.md."""

    NATION = "nation", "国家"
    PROVINCE = "province", "省级"
    CITY = "city", "市级"
    COUNTY = "county", "区级"
    QUARTERLY = "quarterly", "季度督导"
    DAILY = "daily", "日常督导"
    SELF = "self", "自查"


# 问题类别: classes in common use, offered as suggestions; the same class within the window of 反弹 is a recurrence.
CATEGORIES = (
    "档案不真实",
    "死亡后仍有随访",
    "重复档案",
    "身份证号错误或重复",
    "空项漏项逻辑错误",
    "电话错误或打不通",
    "未按频次随访",
    "体检项目缺项",
    "体检结果未反馈",
    "血压血糖控制率不实",
    "健康教育次数不足",
    "接种证与冷链管理",
    "产后访视不及时",
    "协管巡查次数不足",
    "资金支出不合规",
    "未设专账",
    "台账与系统数据不一致",
    "绩效方案未落实",
)


class ProblemQuerySet(WorkQuerySet):
    pass


class Problem(models.Model):
    """问题: what was found at one institution, by whom, on which clause; its rectification is a duty of its own."""

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="problems"
    )
    supervisor = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="督导方", related_name="+"
    )
    source = models.CharField("来源", max_length=10, choices=Source)
    year = models.PositiveSmallIntegerField("年度")
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    clause = models.ForeignKey(Clause, models.PROTECT, null=True, blank=True, verbose_name="条款")
    category = models.CharField("问题类别", max_length=40, blank=True)
    objective = models.CharField(
        "目标类别", max_length=8, choices=Task.Objective.choices, blank=True
    )
    severity = models.CharField("严重程度", max_length=8, choices=Severity, default=Severity.MINOR)
    text = models.TextField("问题描述")
    groups = TagsField("重点人群")
    aspects = TagsField("问题表现")
    found_on = models.DateField("发现日期")
    found_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="发现人", related_name="+", editable=False
    )
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="所属活动"
    )
    phase = models.ForeignKey(
        Phase,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="须在此阶段内整改",
        related_name="problems",
    )
    visit_line = models.OneToOneField(
        VisitLine, models.PROTECT, null=True, editable=False, related_name="problem"
    )
    origin = models.CharField("出处", max_length=120, blank=True, editable=False)
    spreads_from = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="spread"
    )
    recurs_from = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="recurrences"
    )
    occurrence = models.PositiveSmallIntegerField("第几次出现", default=1, editable=False)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")

    objects = ProblemQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "问题"
        ordering: ClassVar = ["-found_on", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="problem_source_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="problem_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(recurs_from__isnull=True, occurrence=1)
                | Q(recurs_from__isnull=False, occurrence__gt=1),
                name="problem_recurrence_counted",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "-found_on"], name="problem_list"),
            models.Index(fields=["institution", "item", "category"], name="problem_recurs"),
        ]

    def __str__(self) -> str:
        return self.text[:40]

    def get_absolute_url(self) -> str:
        return reverse("supervision:problem_detail", args=[self.pk])

    def save(self, *args, **kwargs):
        if self._state.adding and self.bureau_id is None:
            self.bureau_id = self.institution.bureau_id
        super().save(*args, **kwargs)

    @property
    def group_labels(self) -> list[str]:
        return tag_labels(KeyGroup, self.groups)

    @property
    def aspect_labels(self) -> list[str]:
        return tag_labels(Aspect, self.aspects)


class RectificationQuerySet(WorkQuerySet):
    def open(self) -> Self:
        return self.filter(status__in=Rectification.OPEN)

    def overdue(self) -> Self:
        return self.filter(status__in=Rectification.WITH_INSTITUTION, due__lt=clock.today())

    def unsigned(self) -> Self:
        """Return those that should have been signed for by now and are not."""
        return self.filter(status=Rectification.Status.ASSIGNED, sign_due__lt=clock.today())


class Rectification(Workflow):
    """整改: the duty of one institution for one problem, from 交办 to 销号.

    `supervisor` is the institution's parent, whoever found the problem; a lead agency verifies its items besides.
    `due` moves only by an extension that was asked for and granted, or when the work is returned; `original_due` is the
    date of 交办 and stays. `author` is who last applied for closing: evidence is compulsory, and who verifies is neither that person (in any
    of his posts) nor of the institution (eTools' rule for serious findings, here for every closing).
    """

    class Status(models.TextChoices):
        ASSIGNED = "assigned", "待签收"
        SIGNED = "signed", "整改中"
        APPLIED = "applied", "待复核"
        RETURNED = "returned", "已退回"
        CLOSED = "closed", "已销号"
        WITHDRAWN = "withdrawn", "已撤回"

    OPEN = frozenset({Status.ASSIGNED, Status.SIGNED, Status.APPLIED, Status.RETURNED})
    WITH_INSTITUTION = frozenset({Status.ASSIGNED, Status.SIGNED, Status.RETURNED})
    EDITABLE = frozenset({Status.SIGNED, Status.RETURNED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.ASSIGNED)
    problem = models.OneToOneField(
        Problem, models.PROTECT, verbose_name="问题", related_name="rectification"
    )
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    due = models.DateField("整改时限（含当日）")
    original_due = models.DateField("交办时的时限", editable=False)
    sign_due = models.DateField("签收时限（含当日）", null=True, editable=False)
    since = models.DateField("本次计时起", default=clock.today, editable=False)
    measures = models.TextField("整改措施", blank=True)
    leader = models.CharField("责任领导", max_length=40, blank=True)
    person = models.CharField("责任人", max_length=40, blank=True)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    assigned_at = models.DateTimeField("交办时间", default=clock.now)
    signed_at = models.DateTimeField("签收时间", null=True, editable=False)
    applied_at = models.DateTimeField("申请销号时间", null=True, editable=False)
    closed_at = models.DateTimeField("销号时间", null=True, editable=False)
    verifier = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="复核人", related_name="+", editable=False
    )
    opinion = models.TextField("复核意见", blank=True, editable=False)
    returns = models.PositiveSmallIntegerField("退回次数", default=0, editable=False)

    objects: ClassVar = RectificationQuerySet.as_manager()

    MOVES = {
        "sign": Move(
            "签收",
            frozenset({Status.ASSIGNED}),
            Status.SIGNED,
            "supervision.answer_rectification",
            Side.ANSWERS,
            tone="primary",
        ),
        "apply": Move(
            "申请销号",
            frozenset({Status.SIGNED, Status.RETURNED}),
            Status.APPLIED,
            "supervision.answer_rectification",
            Side.ANSWERS,
            needs=(
                Need("请先填写整改措施", holds=lambda r: bool(r.measures.strip())),
                Need("请先填写责任人", holds=lambda r: bool(r.person.strip())),
                Need("请先上传佐证材料", holds=lambda r: r.files.exists()),
            ),
            tone="primary",
        ),
        "close": Move(
            "复核通过，销号",
            frozenset({Status.APPLIED}),
            Status.CLOSED,
            "supervision.verify_rectification",
            Side.SECOND,
            tone="primary",
        ),
        "send_back": Move(
            "退回整改",
            frozenset({Status.APPLIED}),
            Status.RETURNED,
            "supervision.verify_rectification",
            Side.ASKS,
            needs=(NOTE, Need("请填写新的整改时限", field="due")),
            tone="danger",
        ),
        "withdraw": Move(
            "撤回交办",
            frozenset({Status.ASSIGNED, Status.SIGNED, Status.RETURNED}),
            Status.WITHDRAWN,
            "supervision.verify_rectification",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "整改"
        ordering: ClassVar = ["due", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["assigned", "signed", "applied", "returned", "closed", "withdrawn"]
                ),
                name="rectification_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["assigned", "withdrawn"]) | Q(signed_at__isnull=False),
                name="rectification_signed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False, verifier__isnull=False)
                | ~Q(status="closed") & Q(closed_at__isnull=True),
                name="rectification_closed_has_time_and_verifier",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "due"], name="rectification_list"),
            models.Index(
                fields=["bureau", "due"],
                condition=Q(status__in=["assigned", "signed", "applied", "returned"]),
                name="rectification_open",
            ),
            models.Index(fields=["institution", "status", "due"], name="rectification_of_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.institution.known_as}：{self.problem}"

    def save(self, *args, **kwargs):
        if self._state.adding and self.original_due is None:
            self.original_due = self.due
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("supervision:rectification_detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        return self.status in self.WITH_INSTITUTION and self.due < clock.today()

    @property
    def is_unsigned(self) -> bool:
        """Whether the institution should have signed for it by now."""
        return (
            self.status == self.Status.ASSIGNED
            and self.sign_due is not None
            and self.sign_due < clock.today()
        )

    @property
    def signed_on(self) -> date | None:
        return self.signed_at.astimezone(clock.SHANGHAI).date() if self.signed_at else None

    @property
    def done_on(self) -> date | None:
        """完成日期: the day on which the institution reported it done, while that stands."""
        if self.applied_at is None or self.status not in (self.Status.APPLIED, self.Status.CLOSED):
            return None
        return self.applied_at.astimezone(clock.SHANGHAI).date()

    def _move(self, name: str, **given: Any) -> None:
        """Make the move; steps of the reminder that had fallen while the institution had it are on record by then."""
        if self.status not in self.WITH_INSTITUTION or name == "sign":
            super()._move(name, **given)
            return
        with transaction.atomic():
            self.reminders.settle(self, clock.today())
            super()._move(name, **given)

    def sign(self, *, by: Post, version: int) -> None:
        self._move("sign", by=by, version=version, signed_at=clock.now())

    def apply(self, *, by: Post, version: int) -> None:
        """Apply for closing; an extension that was not decided yet is no longer needed and lapses."""
        with transaction.atomic():
            data = self._let_extension_lapse()
            self._move(
                "apply", by=by, version=version, data=data, applied_at=clock.now(), author=by
            )

    def close(self, *, by: Post, version: int, note: str = "") -> None:
        self._move(
            "close",
            by=by,
            version=version,
            note=note,
            opinion=note,
            closed_at=clock.now(),
            verifier=by,
        )

    def send_back(self, *, by: Post, version: int, note: str, due: date) -> None:
        if due < clock.today():
            raise ValidationError("新的整改时限不能早于今天")
        self._move(
            "send_back",
            by=by,
            version=version,
            note=note,
            opinion=note,
            due=due,
            since=clock.today(),
            returns=self.returns + 1,
        )

    def withdraw(self, *, by: Post, version: int, note: str) -> None:
        with transaction.atomic():
            data = self._let_extension_lapse()
            self._move("withdraw", by=by, version=version, note=note, data=data, opinion=note)

    def _let_extension_lapse(self) -> dict[str, int] | None:
        """Let the open request for an extension lapse, in the transaction of the move that makes it pointless."""
        asked = self.extensions.filter(status="asked")
        lapsed = asked.update(status="lapsed", decided_at=clock.now())
        return {"extension_lapsed": lapsed} if lapsed else None


class UnderRectification(ScopedQuerySet):
    institution_path = "rectification__institution"
    item_path = "rectification__item"
    bureau_path = "rectification__bureau"


class ProgressNote(models.Model):
    """整改进展: what was done so far, with files."""

    rectification = models.ForeignKey(Rectification, models.CASCADE, related_name="progress")
    text = models.TextField("进展")
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="附件")
    author = models.ForeignKey(Post, models.PROTECT, verbose_name="填写人", related_name="+")
    at = models.DateTimeField("时间", default=clock.now)

    objects = UnderRectification.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "整改进展"
        ordering: ClassVar = ["rectification", "pk"]

    def __str__(self) -> str:
        return self.text[:40]
