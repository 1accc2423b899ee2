from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from campaigns.models import Campaign
from institutions.models import Institution, Post, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.workflow import NOTE, Move, Need, Side, Workflow
from supervision.models.problem import Rectification
from supervision.models.visit import SupervisionRound, Visit


class NoticeQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the notices one's own unit writes, those issued below it, and those sent to a unit in sight."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        written = super().visible_to(post).values("pk")
        sent = NoticeRecipient.objects.reached_by(post).values("notice")
        shown = Q(status__in=Notice.SHOWN)
        return self.filter(
            Q(pk__in=written) & (shown | Q(institution=post.institution_id))
            | Q(pk__in=sent) & shown
        )


class Notice(Workflow):
    """通报通知: a paper composed from what was seen, numbered and frozen when it is issued, received one by one.

    `institution` and `supervisor` are both who issues it. A number is taken at issue and never before; an issued paper
    is never changed, only withdrawn by another one (`withdraws`).
    """

    class Kind(models.TextChoices):
        BULLETIN = "bulletin", "通报"
        DEMAND = "demand", "整改通知书"
        FEEDBACK = "feedback", "督导反馈单"
        CLEARANCE = "clearance", "复查销号单"
        RECALL = "recall", "撤回通知"

    class Status(models.TextChoices):
        DRAFT = "draft", "拟稿"
        ISSUED = "issued", "已印发"
        WITHDRAWN = "withdrawn", "已撤回"
        DROPPED = "dropped", "已作废"

    OPEN: ClassVar[frozenset[str]] = frozenset({Status.DRAFT})
    EDITABLE = frozenset({Status.DRAFT})
    SHOWN = frozenset({Status.ISSUED, Status.WITHDRAWN})

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    kind = models.CharField("种类", max_length=10, choices=Kind)
    word = models.CharField("机关代字", max_length=20, blank=True)
    year = models.PositiveSmallIntegerField("年份", null=True, editable=False)
    number = models.PositiveIntegerField("序号", null=True, editable=False)
    title = models.CharField("标题", max_length=200)
    addressee = models.CharField("主送", max_length=200, blank=True)
    body = models.TextField("正文")
    tables = models.JSONField("附件表格", default=list, blank=True, editable=False)
    due = models.DateField("整改报告时限（含当日）", null=True, blank=True)
    signer = models.ForeignKey(
        Post, models.PROTECT, null=True, blank=True, verbose_name="签发人", related_name="+"
    )
    signer_title = models.CharField("签发人职务", max_length=40, blank=True, editable=False)
    origin = models.CharField("依据", max_length=160, blank=True, editable=False)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, verbose_name="所属活动", editable=False
    )
    round = models.ForeignKey(
        SupervisionRound,
        models.PROTECT,
        null=True,
        verbose_name="督导轮次",
        related_name="notices",
        editable=False,
    )
    visit = models.ForeignKey(
        Visit,
        models.PROTECT,
        null=True,
        verbose_name="现场督导",
        related_name="notices",
        editable=False,
    )
    rectifications = models.ManyToManyField(
        Rectification, blank=True, verbose_name="涉及的整改", related_name="notices"
    )
    withdraws = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="withdrawals", editable=False
    )
    issued_on = models.DateField("成文日期", null=True, editable=False)
    issued_at = models.DateTimeField("印发时间", null=True, editable=False)
    paper = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, related_name="+", editable=False
    )
    sha256 = models.CharField(max_length=64, blank=True, editable=False)

    objects: ClassVar = NoticeQuerySet.as_manager()

    MOVES = {
        "issue": Move(
            "印发",
            frozenset({Status.DRAFT}),
            Status.ISSUED,
            "supervision.issue_notice",
            Side.ASKS,
            needs=(
                Need("还没有填写机关代字", holds=lambda n: bool(n.word)),
                Need("还没有选择签发人", holds=lambda n: n.signer_id is not None),
                Need("还没有选择主送机构", holds=lambda n: n.recipients.exists()),
            ),
            tone="primary",
            confirm="印发时取得文号并固定全文，此后不能再改，只能另行发文撤回。",
        ),
        "drop": Move(
            "作废拟稿",
            frozenset({Status.DRAFT}),
            Status.DROPPED,
            "supervision.write_notice",
            Side.ASKS,
            tone="danger",
            confirm="作废后这份拟稿不能再用；它没有占用文号。",
        ),
        # Pressed, it drafts the paper that withdraws this one; done when that paper is issued.
        "withdraw": Move(
            "另行发文撤回",
            frozenset({Status.ISSUED}),
            Status.WITHDRAWN,
            "supervision.issue_notice",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "通报通知"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "word", "year", "number"],
                condition=Q(number__isnull=False),
                name="notice_number_once",
            ),
            models.UniqueConstraint(
                fields=["withdraws"],
                condition=Q(withdraws__isnull=False) & ~Q(status="dropped"),
                name="notice_withdrawn_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "issued", "withdrawn", "dropped"]),
                name="notice_status_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["issued", "withdrawn"],
                    number__gte=1,
                    year__isnull=False,
                    issued_on__isnull=False,
                    issued_at__isnull=False,
                    paper__isnull=False,
                )
                & ~Q(sha256="")
                & ~Q(word="")
                | Q(status__in=["draft", "dropped"], number__isnull=True, paper__isnull=True),
                name="notice_issued_is_numbered_and_frozen",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status", "kind"], name="notice_list"),
            models.Index(fields=["institution", "status"], name="notice_of_unit"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("supervision:notice_detail", args=[self.pk])

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def number_text(self) -> str:
        """The number as papers bear it: 六角括号, no leading zeros, no 第; empty before issue."""
        return f"{self.word}〔{self.year}〕{self.number}号" if self.number else ""

    @property
    def papers(self) -> "models.QuerySet[StoredFile]":
        """The frozen document as a set of files, to be served by `files.serve`."""
        if self.paper_id is None:
            return StoredFile.objects.none()
        return StoredFile.objects.filter(pk=self.paper_id)


class NoticeRecipientQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = None

    def reached_by(self, post: Post) -> Self:
        """Return the recipients in reach, whatever the state of the notice."""
        return super().visible_to(post)

    def visible_to(self, post: Post | None) -> Self:
        """Return the recipients, of notices in sight, that are in reach; all of those of one's own unit's notices."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        own = Q(notice__institution=post.institution_id)
        reached = Q(pk__in=super().visible_to(post).values("pk"))
        return self.filter(own | reached, notice__in=Notice.objects.visible_to(post))

    def waiting(self) -> Self:
        """Return those who have been sent a notice in force and have not confirmed it."""
        return self.filter(received_at__isnull=True, notice__status=Notice.Status.ISSUED)


class NoticeRecipient(models.Model):
    """主送机构: who a notice goes to, and when who confirmed its receipt."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="recipients")
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="received_notices"
    )
    received_at = models.DateTimeField("签收时间", null=True, editable=False)
    received_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="签收人", related_name="+", editable=False
    )

    objects = NoticeRecipientQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "通知主送机构"
        ordering: ClassVar = ["notice", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notice", "institution"], name="notice_recipient_once"),
            models.CheckConstraint(
                condition=Q(received_at__isnull=True, received_by__isnull=True)
                | Q(received_at__isnull=False, received_by__isnull=False),
                name="notice_received_by_someone",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["institution"],
                condition=Q(received_at__isnull=True),
                name="notice_unreceived",
            )
        ]

    def __str__(self) -> str:
        return f"{self.notice} → {self.institution}"


class RegisterQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = None


class NoticeRegister(models.Model):
    """发文字号登记: the last number taken, by who issues, year and 机关代字; without gaps."""

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="发文机关", related_name="+"
    )
    year = models.PositiveSmallIntegerField("年份")
    word = models.CharField("机关代字", max_length=20)
    last = models.PositiveIntegerField("最后序号", default=0)

    objects = RegisterQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "发文字号登记"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "year", "word"], name="register_once")
        ]

    def __str__(self) -> str:
        return f"{self.word}〔{self.year}〕{self.last}号"
