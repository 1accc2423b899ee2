from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models.campaign import Campaign
from institutions import clock
from institutions.codes import mask_phone
from institutions.models import Post, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Offer, Side, Workflow


class PublicationQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return those of the bureaus in reach: a matter of the bureau, which the public page tells everybody else."""
        if post is None or not post.institution.is_bureau:
            return self.none()
        return super().visible_to(post)

    def shown(self) -> Self:
        """Return what anybody may read today without a login."""
        return self.filter(status=Publication.Status.PUBLISHED)


class Publication(Workflow):
    """信息公开: what a bureau shows to everybody by a leader's decision. Never changed afterwards, only replaced or taken down.

    Source: 主动公开活动流程和结果，接受社会和群众监督 (中卫市优质服务基层行方案). `institution` and `supervisor` are both
    the bureau; the period (公示期) runs from the day of publication for `workdays` working days.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "拟稿"
        SUBMITTED = "submitted", "待决定"
        PUBLISHED = "published", "已发布"
        REPLACED = "replaced", "已被替换"
        WITHDRAWN = "withdrawn", "已撤下"
        DISCARDED = "discarded", "已作废"

    class Kind(models.TextChoices):
        FLOW = "flow", "活动流程"
        RESULT = "result", "评价结果"
        COMMENDATION = "commendation", "通报表扬"
        FUNDS = "funds", "资金公示"
        OTHER = "other", "其他公示"

    # A 公示 without a period is none.
    TIMED = frozenset({Kind.RESULT, Kind.FUNDS, Kind.OTHER})
    EDITABLE = frozenset({Status.DRAFT})
    OPEN = frozenset({Status.DRAFT, Status.SUBMITTED})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    kind = models.CharField("类别", max_length=14, choices=Kind)
    title = models.CharField("标题", max_length=120)
    text = models.TextField("正文", max_length=20000)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="所属活动", related_name="+"
    )
    workdays = models.PositiveSmallIntegerField(
        "公示期（工作日）",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    table = models.JSONField("附表", null=True, blank=True, editable=False)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="附件")
    replaces = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="替换",
        related_name="followers",
        editable=False,
    )
    opinion = models.TextField("意见", blank=True, editable=False)
    published_on = models.DateField("发布日期", null=True, editable=False)
    ends = models.DateField("公示截止（含当日）", null=True, editable=False)
    decided_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="决定人", related_name="+", editable=False
    )
    removed_on = models.DateField("撤下日期", null=True, editable=False)

    objects: ClassVar = PublicationQuerySet.as_manager()

    MOVES = {
        "submit": Move(
            "提交领导决定",
            frozenset({Status.DRAFT}),
            Status.SUBMITTED,
            "campaigns.write_publication",
            Side.ASKS,
            needs=(
                Need("只有资金公示可以公布金额，请去掉附表或改类别", holds=lambda p: p.money_fits),
            ),
            tone="primary",
        ),
        "discard": Move(
            "作废",
            frozenset({Status.DRAFT}),
            Status.DISCARDED,
            "campaigns.write_publication",
            Side.ASKS,
            tone="danger",
            confirm="作废后不能恢复，确定作废？",
        ),
        "publish": Move(
            "同意发布",
            frozenset({Status.SUBMITTED}),
            Status.PUBLISHED,
            "campaigns.decide_publication",
            Side.ASKS,
            needs=(
                Need("所替换的公开内容已经撤下或被替换", holds=lambda p: p.replaces_shown),
                Need("只有资金公示可以公布金额", holds=lambda p: p.money_fits),
            ),
            tone="primary",
            confirm="发布后任何人不登录都能看到，正文不能再改，只能撤下或用新的替换。确定发布？",
        ),
        "send_back": Move(
            "退回修改",
            frozenset({Status.SUBMITTED}),
            Status.DRAFT,
            "campaigns.decide_publication",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "withdraw": Move(
            "撤下",
            frozenset({Status.PUBLISHED}),
            Status.WITHDRAWN,
            "campaigns.decide_publication",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
            confirm="撤下后原网址只显示撤下日期和您写的理由。确定撤下？",
        ),
        # Made by the publication of its successor, in the same transaction; never a button.
        "supersede": Move(
            "被新的公开内容替换",
            frozenset({Status.PUBLISHED}),
            Status.REPLACED,
            "campaigns.decide_publication",
            Side.ASKS,
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "信息公开"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "submitted",
                        "published",
                        "replaced",
                        "withdrawn",
                        "discarded",
                    ]
                ),
                name="publication_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "submitted", "discarded"])
                | Q(published_on__isnull=False, decided_by__isnull=False),
                name="publication_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["replaced", "withdrawn"], removed_on__isnull=False)
                | ~Q(status__in=["replaced", "withdrawn"]) & Q(removed_on__isnull=True),
                name="publication_removed_has_day",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["result", "funds", "other"]) | Q(workdays__isnull=False),
                name="publication_period_given",
                violation_error_message="这一类别要有公示期",
            ),
            models.CheckConstraint(
                condition=Q(ends__isnull=True) | Q(ends__gte=F("published_on")),
                name="publication_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=Q(status__in=["draft", "submitted", "published", "replaced"]),
                name="publication_replaced_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "-published_on"], name="publication_list")
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("campaigns:publication_detail", args=[self.pk])

    @property
    def public_url(self) -> str:
        return reverse("public:publication", args=[self.institution.code, self.pk])

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def is_shown(self) -> bool:
        return self.status == self.Status.PUBLISHED

    @property
    def money_fits(self) -> bool:
        """Whether the table bears no money, or may."""
        return self.kind == self.Kind.FUNDS or not (self.table or {}).get("money")

    @property
    def replaces_shown(self) -> bool:
        return self.replaces is None or self.replaces.is_shown

    @property
    def takes_objections(self) -> bool:
        """Whether anybody may object today: shown, and the last day of its period is not over."""
        return self.is_shown and self.ends is not None and clock.today() <= self.ends

    @property
    def is_over(self) -> bool:
        return self.ends is not None and self.ends < clock.today()

    def may(self, name: str, post: Post | None) -> bool:
        """Nobody decides on what he wrote himself, whichever posts he holds."""
        if not super().may(name, post):
            return False
        if name != "publish" or self.author is None or post is None:
            return True
        return post.pk != self.author_id and post.user_id != self.author.user_id

    def moves_for(self, post: Post | None) -> list[Offer]:
        return [offer for offer in super().moves_for(post) if offer.name != "supersede"]


class ObjectionQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        if post is None or not post.institution.is_bureau:
            return self.none()
        return super().visible_to(post)

    def owed(self) -> Self:
        return self.filter(status__in=Objection.OPEN)

    def overdue(self) -> Self:
        return self.owed().filter(due__lt=clock.today())


class Objection(Workflow):
    """异议: what somebody without a login says about a publication. Name and phone are personal and go with time.

    The receipt is kept as a keyed digest only: whoever wrote it can read the answer, nobody else.
    """

    class Status(models.TextChoices):
        OPEN = "open", "待答复"
        ANSWERED = "answered", "已答复"

    OPEN = frozenset({Status.OPEN})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    publication = models.ForeignKey(
        Publication, models.PROTECT, verbose_name="公开内容", related_name="objections"
    )
    text = models.TextField("意见")
    name = models.CharField("称呼", max_length=40, blank=True)
    phone = models.CharField("电话", max_length=20, blank=True)
    receipt = models.CharField(max_length=64, unique=True, editable=False)
    key = models.UUIDField(unique=True, editable=False)
    received_at = models.DateTimeField("收到时间", default=clock.now, editable=False)
    due = models.DateField("答复时限（含当日）")
    answer = models.TextField("答复", blank=True)
    answered_on = models.DateField("答复日期", null=True, editable=False)
    purged_at = models.DateTimeField("清除时间", null=True, editable=False)

    objects: ClassVar = ObjectionQuerySet.as_manager()

    MOVES = {
        "reply": Move(
            "答复",
            frozenset({Status.OPEN}),
            Status.ANSWERED,
            "campaigns.answer_objection",
            Side.ASKS,
            tone="primary",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "异议"
        ordering: ClassVar = ["due", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "answered"]), name="objection_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="open", answered_on__isnull=True)
                | Q(status="answered", answered_on__isnull=False) & ~Q(answer=""),
                name="objection_answered_has_answer",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "due"], name="objection_list"),
            models.Index(
                fields=["received_at"],
                condition=Q(purged_at__isnull=True),
                name="objection_to_purge",
            ),
        ]

    def __str__(self) -> str:
        return f"第{self.pk}号意见"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:objection_detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        return self.status in self.OPEN and self.due < clock.today()

    @property
    def has_contact(self) -> bool:
        return bool(self.name or self.phone)

    @property
    def masked_phone(self) -> str:
        return mask_phone(self.phone)


class AttemptQuerySet(ScopedQuerySet):
    institution_path = "pk"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return nothing: only the throttle counts them."""
        return self.none()


class PublicAttempt(models.Model):
    """One objection sent in, or one wrong receipt number, by a client known only by the keyed digest of its address.

    Kept in the database, so that all processes of the server count together; a day old they go.
    """

    kind = models.CharField(max_length=10)
    client = models.CharField(max_length=32)
    at = models.DateTimeField()

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "公开页访问次数"
        indexes: ClassVar = [models.Index(fields=["kind", "at"], name="public_attempt_count")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


def frozen_table(
    title: str, headers: list[str], rows: list[list[str]], *, source: str, money: bool = False
) -> dict[str, Any]:
    """Return a table as it is kept with a publication: words only, nothing looked up again when it is shown."""
    return {"title": title, "headers": headers, "rows": rows, "source": source, "money": money}
