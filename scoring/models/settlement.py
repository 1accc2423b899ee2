from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from institutions import clock
from institutions.fields import FixedField
from institutions.models import Post, StoredFile
from institutions.models.scoping import WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from scoring.models.year import YearResult


class SettlementQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the sheets in reach; the institution itself sees its own from the publication on."""
        rows = super().visible_to(post)
        if post is None:
            return rows
        return rows.exclude(status=Settlement.Status.DRAFT, institution=post.institution_id)

    def with_all(self) -> Self:
        return self.select_related(
            "institution__region", "supervisor__bureau", "author", "result", "confirmed_by"
        )


class Settlement(Workflow):
    """结算单: what one institution is paid for a year, made from its frozen result, published, confirmed and paid.

    本年结算 = 期初结转 + 核定金额 + 更正 − 扣减 − 已预拨. A negative one is paid back, or carried into the next year's
    sheet as its 期初结转. All amounts are yuan.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "草案"
        PUBLISHED = "published", "公示"
        CONFIRMED = "confirmed", "确认"
        PAID = "paid", "已拨付"

    OPEN = frozenset({Status.DRAFT, Status.PUBLISHED, Status.CONFIRMED})
    # What the next year may build on.
    DECIDED = frozenset({Status.CONFIRMED, Status.PAID})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    year = models.PositiveSmallIntegerField("年度")
    result = models.OneToOneField(
        YearResult, models.PROTECT, verbose_name="年终结果", related_name="settlement"
    )
    opening = FixedField("期初结转", default=Decimal(0))
    approved = FixedField("核定金额")
    correction = FixedField("异议更正", default=Decimal(0))
    deducted = FixedField("扣减", default=Decimal(0))
    prepaid = FixedField("已预拨")
    due = FixedField("本年结算")
    paid = FixedField("已拨付", default=Decimal(0))
    village_share = models.CharField("村级占比", max_length=8, blank=True)
    own_part = FixedField("本级", null=True)
    village_part = FixedField("村级", null=True)
    published_at = models.DateTimeField("公示时间", null=True, editable=False)
    objections_until = models.DateField("异议截止（含当日）", null=True, editable=False)
    confirmed_at = models.DateTimeField("确认时间", null=True, editable=False)
    confirmed_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="确认人", related_name="+", editable=False
    )
    paid_at = models.DateTimeField("结清时间", null=True, editable=False)

    objects: ClassVar = SettlementQuerySet.as_manager()

    MOVES = {
        "publish": Move(
            "公示",
            frozenset({Status.DRAFT}),
            Status.PUBLISHED,
            "scoring.prepare_settlement",
            Side.ASKS,
            tone="primary",
            confirm="公示后机构可以看到结算单，并在公示期内提出异议。",
        ),
        "confirm": Move(
            "确认",
            frozenset({Status.PUBLISHED}),
            Status.CONFIRMED,
            "scoring.confirm_settlement",
            Side.SECOND,
            needs=(
                Need("还有异议没有答复", holds=lambda s: not s.has_open_objections),
                Need("公示期还没有结束", holds=lambda s: s.period_over),
            ),
            tone="primary",
            confirm="确认后结算单不能再改，可以拨付。",
        ),
        "finish": Move(
            "结清",
            frozenset({Status.CONFIRMED}),
            Status.PAID,
            "scoring.prepare_settlement",
            Side.ASKS,
            needs=(Need("还没有付清", holds=lambda s: s.left <= 0),),
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "结算单"
        ordering: ClassVar = ["-year", "institution"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "published", "confirmed", "paid"]),
                name="settlement_status_known",
            ),
            models.UniqueConstraint(
                fields=["supervisor", "institution", "year"], name="settlement_once_a_year"
            ),
            models.CheckConstraint(
                condition=Q(
                    due=F("opening")
                    + F("approved")
                    + F("correction")
                    - F("deducted")
                    - F("prepaid")
                ),
                name="settlement_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(due__gte=0, paid__gte=0, paid__lte=F("due"))
                | Q(due__lt=0, paid__lte=0, paid__gte=F("due")),
                name="settlement_paid_within_due",
            ),
            models.CheckConstraint(
                condition=Q(deducted__gte=0), name="settlement_deducted_positive"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["bureau", "year"], name="settlement_list")]

    def __str__(self) -> str:
        return f"{self.institution.known_as}{self.year}年结算单"

    def get_absolute_url(self) -> str:
        return reverse("scoring:settlement_detail", args=[self.pk])

    @property
    def left(self) -> Decimal:
        """What is still to be paid; negative: to be paid back or carried over."""
        return self.due - self.paid

    @property
    def has_open_objections(self) -> bool:
        return self.objections.filter(status__in=SettlementObjection.OPEN).exists()

    @property
    def period_over(self) -> bool:
        return self.objections_until is not None and clock.today() > self.objections_until

    def add_up(self) -> None:
        """Set 本年结算 from its parts."""
        self.due = self.opening + self.approved + self.correction - self.deducted - self.prepaid


class SettlementObjectionQuerySet(WorkQuerySet):
    item_path = None


class SettlementObjection(Workflow):
    """结算异议: what an institution objects to in its published sheet; answered with a reason, corrected in yuan if upheld."""

    class Status(models.TextChoices):
        SUBMITTED = "submitted", "待答复"
        UPHELD = "upheld", "采纳"
        REJECTED = "rejected", "不予采纳"
        WITHDRAWN = "withdrawn", "已撤回"

    OPEN = frozenset({Status.SUBMITTED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.SUBMITTED)
    settlement = models.ForeignKey(
        Settlement, models.PROTECT, verbose_name="结算单", related_name="objections"
    )
    reason = models.TextField("异议和理由")
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")
    submitted_at = models.DateTimeField("提出时间", default=clock.now, editable=False)
    correction = FixedField("更正金额", null=True, editable=False)
    opinion = models.TextField("答复意见", blank=True, editable=False)
    decided_at = models.DateTimeField("答复时间", null=True, editable=False)
    decided_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="答复人", related_name="+", editable=False
    )

    objects: ClassVar = SettlementObjectionQuerySet.as_manager()

    MOVES = {
        "withdraw": Move("撤回异议", OPEN, Status.WITHDRAWN, "scoring.write_appeal", Side.ANSWERS),
        "uphold": Move(
            "采纳并更正",
            OPEN,
            Status.UPHELD,
            "scoring.prepare_settlement",
            Side.SECOND,
            needs=(NOTE,),
            tone="primary",
        ),
        "reject": Move(
            "不予采纳",
            OPEN,
            Status.REJECTED,
            "scoring.prepare_settlement",
            Side.SECOND,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "结算异议"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["submitted", "upheld", "rejected", "withdrawn"]),
                name="settlement_objection_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["upheld", "rejected"])
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(opinion="")),
                name="settlement_objection_decided_with_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status="upheld") | Q(correction__isnull=False),
                name="settlement_objection_upheld_says_how_much",
            ),
            models.UniqueConstraint(
                fields=["settlement"],
                condition=Q(status="submitted"),
                name="settlement_objection_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.settlement}的异议"

    def get_absolute_url(self) -> str:
        return self.settlement.get_absolute_url()
