from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from institutions import clock
from institutions.models import Department, Institution, Post, Region, ServiceItem, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.roles import Role
from institutions.workflow import Move, Need, Side, Workflow


class CampaignQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return one's own bureau's campaigns, those issued below it, and those issued to an institution in sight."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        reached = Recipient.objects.filter(post.reach.institutions_q("institution__"))
        rows = ~Q(status=Campaign.Status.DRAFT) & Q(pk__in=reached.values("campaign"))
        if post.institution.is_bureau and post.item_ids is None:
            below = [pk for grant in post.reach.grants for pk in grant.bureaus]
            rows |= ~Q(status=Campaign.Status.DRAFT) & Q(bureau__in=below)
            rows |= Q(institution=post.institution_id)
        return self.filter(rows)


class Campaign(Workflow):
    """活动: what a bureau sets in motion by a paper, with phases, tasks and recipients.

    `institution` and `supervisor` are both the bureau: nobody answers for the paper but its author.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "拟稿"
        ISSUED = "issued", "已印发"
        CLOSED = "closed", "已结束"

    # The head of the paper, in the order in which it is asked for and compared.
    HEAD: ClassVar = (
        "name",
        "title",
        "number",
        "year",
        "issued_on",
        "issuer",
        "signer",
        "salutation",
        "guideline",
        "basis",
        "goals",
    )

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    name = models.CharField("活动名称", max_length=120)
    title = models.CharField("文件标题", max_length=200)
    number = models.CharField(
        "文号", max_length=40, blank=True, help_text="如 周卫健字〔2023〕13号"
    )
    issuer = models.CharField("发文机关", max_length=60, blank=True)
    year = models.PositiveSmallIntegerField("年度")
    issued_on = models.DateField("印发日期")
    signer = models.CharField("签发人（职务）", max_length=40, blank=True)
    salutation = models.CharField("主送", max_length=200, blank=True)
    guideline = models.TextField("指导思想和主线", blank=True)
    basis = models.TextField("依据", blank=True)
    goals = models.TextField("目标要求", blank=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name="上级活动"
    )
    copied_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="沿用自",
        related_name="copies",
        editable=False,
    )
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="附件")

    objects: ClassVar = CampaignQuerySet.as_manager()

    MOVES = {
        "issue": Move(
            "印发",
            frozenset({Status.DRAFT}),
            Status.ISSUED,
            "campaigns.issue_campaign",
            Side.ASKS,
            needs=(
                Need("至少要有一个阶段", holds=lambda c: c.phases.exists()),
                Need("还没有选择主送机构", holds=lambda c: c.recipients.exists()),
            ),
            tone="primary",
            confirm="印发后各机构即可看到，正文和阶段不能再改。",
        ),
        "close": Move(
            "结束活动",
            frozenset({Status.ISSUED}),
            Status.CLOSED,
            "campaigns.issue_campaign",
            Side.ASKS,
            needs=(
                Need(
                    "还有阶段没有确认完成",
                    holds=lambda c: not c.phases.exclude(status=Phase.Status.CONFIRMED).exists(),
                ),
            ),
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "活动"
        ordering: ClassVar = ["-issued_on", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bureau", "number"], condition=~Q(number=""), name="campaign_number_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "issued", "closed"]), name="campaign_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:campaign_detail", args=[self.pk])

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def signed_by(self) -> str:
        """The office whose paper it is: the bureau's own, or the one whose paper the bureau has put on file."""
        return self.issuer or self.institution.name

    @property
    def cited(self) -> str:
        """How the paper is cited: number and name, or the name alone where the paper bears no number."""
        return f"{self.number} {self.name}".strip()

    @property
    def current_phase(self) -> "Phase | None":
        today = clock.today()
        phases = list(self.phases.all())
        running = [p for p in phases if (p.starts is None or p.starts <= today) and p.ends >= today]
        return running[0] if running else next((p for p in phases if p.ends >= today), None)


class InCampaignQuerySet(ScopedQuerySet):
    """Parts of a campaign: seen by whoever sees the campaign."""

    institution_path = "campaign__institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        return self.filter(campaign__in=Campaign.objects.visible_to(post))


class PassageQuerySet(InCampaignQuerySet):
    def open_to(self, post: Post) -> Self:
        """Return the passages whose links the post's own bureau still keeps: its campaigns that are not closed."""
        return self.filter(campaign__institution=post.institution_id).exclude(
            campaign__status=Campaign.Status.CLOSED
        )

    def with_links(self, post: Post) -> Self:
        """Fetch with each passage what it became, as far as the post may see that."""
        fields: dict[str, Any] = {name: Passage._meta.get_field(name) for name in Passage.LINKS}
        return self.prefetch_related(
            *(
                models.Prefetch(name, field.related_model.objects.visible_to(post))
                for name, field in fields.items()
            )
        )

    def unlinked(self) -> Self:
        """Return the passages of which nobody has said what they became, or why they need nothing."""
        rows = self.filter(became="", nothing="")
        for name in Passage.LINKS:
            through = getattr(Passage, name).through
            rows = rows.exclude(pk__in=through.objects.values("passage"))
        return rows


class Passage(models.Model):
    """条文: one numbered passage of the paper, linked to what became of it or marked as needing nothing.

    What lies on a higher floor (a round of supervision, a rule of money) is said in words by `became`.
    """

    # Every noun a passage may become, with the word that stands before its name.
    LINKS: ClassVar = {
        "phases": "阶段",
        "tasks": "任务",
        "focuses": "督导重点",
        "plan_calls": "计划方案",
        "targets": "目标任务",
        "series": "监测指标",
        "groups": "工作组织",
        "rounds": "突破事项",
        "standards": "评价标准",
    }

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="passages")
    position = models.PositiveSmallIntegerField("序号")
    heading = models.CharField("标题", max_length=120, blank=True)
    text = models.TextField("正文")
    phases = models.ManyToManyField("campaigns.Phase", blank=True, verbose_name="形成的阶段")
    tasks = models.ManyToManyField("campaigns.Task", blank=True, verbose_name="形成的任务")
    focuses = models.ManyToManyField(
        "campaigns.SupervisionFocus", blank=True, verbose_name="形成的督导重点"
    )
    standards = models.ManyToManyField(
        "campaigns.Standard", blank=True, verbose_name="形成的评价标准"
    )
    plan_calls = models.ManyToManyField(
        "campaigns.PlanCall", blank=True, verbose_name="形成的计划方案要求"
    )
    targets = models.ManyToManyField("campaigns.Target", blank=True, verbose_name="形成的目标任务")
    series = models.ManyToManyField("campaigns.Series", blank=True, verbose_name="形成的监测指标")
    groups = models.ManyToManyField("campaigns.Group", blank=True, verbose_name="形成的工作组织")
    rounds = models.ManyToManyField(
        "campaigns.BreakthroughRound", blank=True, verbose_name="形成的突破事项填报"
    )
    became = models.CharField(
        "形成的其他内容", max_length=120, blank=True, help_text="如：季度督导、年终绩效评价政策"
    )
    nothing = models.CharField("无需落实的理由", max_length=120, blank=True)

    objects = PassageQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "条文"
        ordering: ClassVar = ["campaign", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "position"], name="passage_position_once")
        ]

    def __str__(self) -> str:
        return self.heading or self.text[:30]

    @property
    def is_run_in(self) -> bool:
        """Whether the heading opens the paragraph, ended by 。, instead of standing on a line of its own."""
        return self.heading.endswith("。") and bool(self.text)

    @property
    def is_linked(self) -> bool:
        """Whether it is said what it became or why it needs nothing; reads the prefetched relations."""
        if self.became or self.nothing:
            return True
        return any(getattr(self, name).all() for name in self.LINKS)

    @property
    def links(self) -> list[tuple[str, list[models.Model]]]:
        """What it became, as (word, rows) in the order of `LINKS`; reads the prefetched relations."""
        found = [(word, list(getattr(self, name).all())) for name, word in self.LINKS.items()]
        return [(word, rows) for word, rows in found if rows]


class PhaseQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        return self.filter(campaign__in=Campaign.objects.visible_to(post))


class Phase(Workflow):
    """阶段: a stretch of the campaign with an end date (inclusive), and perhaps a start."""

    class Status(models.TextChoices):
        OPEN = "open", "进行中"
        CONFIRMED = "confirmed", "已确认完成"

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="phases")
    position = models.PositiveSmallIntegerField("序号")
    name = models.CharField("阶段名称", max_length=60)
    starts = models.DateField("开始", null=True, blank=True)
    ends = models.DateField("截止（含当日）")
    text = models.TextField("要求", blank=True)

    objects: ClassVar = PhaseQuerySet.as_manager()

    # What must be done first is known a floor higher: supervision.phases.confirm.
    MOVES = {
        "confirm": Move(
            "确认阶段完成",
            frozenset({Status.OPEN}),
            Status.CONFIRMED,
            "campaigns.confirm_phase",
            Side.ASKS,
            tone="primary",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "阶段"
        ordering: ClassVar = ["campaign", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "position"], name="phase_position_once"),
            models.CheckConstraint(
                condition=Q(starts__isnull=True) | Q(ends__gte=F("starts")),
                name="phase_ends_after_start",
                violation_error_message="截止日期不能早于开始日期",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "confirmed"]), name="phase_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("phase_board", args=[self.pk])

    @property
    def state(self) -> str:
        """done, late, now or todo, as the timeline draws it."""
        today = clock.today()
        if self.status == self.Status.CONFIRMED:
            return "done"
        if self.ends < today:
            return "late"
        return "now" if self.starts is None or self.starts <= today else "todo"

    @property
    def span(self) -> str:
        """The days as the paper writes them: 2023年3月3日前, or 2023年3月4日—3月31日."""
        end = f"{self.ends.month}月{self.ends.day}日"
        if self.starts is None:
            return f"{self.ends.year}年{end}前"
        if self.ends.year != self.starts.year:
            end = f"{self.ends.year}年{end}"
        return f"{self.starts.year}年{self.starts.month}月{self.starts.day}日—{end}"


class RecipientQuerySet(ScopedQuerySet):
    institution_path = "institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the receipts of institutions in sight, of campaigns in sight."""
        if post is None or post.role in self.hidden_from:
            return self.none()
        return self.filter(
            post.reach.institutions_q("institution__"),
            campaign__in=Campaign.objects.visible_to(post),
        )

    def waiting(self) -> Self:
        """Return those who have a running campaign's paper and have not confirmed it."""
        return self.filter(received_at__isnull=True, campaign__status=Campaign.Status.ISSUED)

    def units(self) -> Self:
        """Return the institutions themselves, without departments, villages and streets."""
        return self.filter(department__isnull=True, region__isnull=True)

    def of_sort(self, sort: str) -> Self:
        """Return those of one of the three sorts."""
        match sort:
            case Recipient.Sort.DEPARTMENT:
                return self.filter(department__isnull=False)
            case Recipient.Sort.REGION:
                return self.filter(region__isnull=False)
        return self.units()

    def confirmed_by(self, post: Post) -> Self:
        """Return those whose receipt is this post's to confirm."""
        return self.filter(confirmed_q(post))

    def asked_by(self, post: Post) -> Self:
        """Return those of the post's own bureau's papers which others confirm."""
        return self.filter(campaign__institution=post.institution_id).exclude(confirmed_q(post))


def confirmed_q(post: Post) -> Q:
    """Return the condition "this post confirms the receipt": for its institution, its department, its street's area.

    A village or street without a street office in the portal is answered for by the bureau's own officers.
    """
    here = Q(institution=post.institution_id)
    rows = here & Q(department__isnull=True)
    if post.department_id:
        rows |= Q(department=post.department_id)
    area = post.region or post.institution.region
    if post.role == Role.STREET and area is not None:
        rows |= Q(region__path__startswith=area.path)
    return rows


class Recipient(models.Model):
    """主送: an institution, a department of the bureau, or a village or street the paper goes to; who confirmed when.

    `institution` is the one whose posts confirm: the unit, the bureau of the department, the office of the street.
    """

    class Sort(models.TextChoices):
        UNIT = "unit", "机构"
        DEPARTMENT = "department", "科室"
        REGION = "region", "管区、村（居）、镇街"

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="recipients")
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="received_campaigns"
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, verbose_name="科室", related_name="+"
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, verbose_name="区划", related_name="+"
    )
    received_at = models.DateTimeField("签收时间", null=True, editable=False)
    received_by = models.ForeignKey(
        Post, models.PROTECT, null=True, verbose_name="签收人", related_name="+", editable=False
    )

    objects = RecipientQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "主送对象"
        ordering: ClassVar = ["campaign", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "institution"],
                condition=Q(department__isnull=True, region__isnull=True),
                name="recipient_once",
            ),
            models.UniqueConstraint(
                fields=["campaign", "department"], name="recipient_once_a_department"
            ),
            models.UniqueConstraint(fields=["campaign", "region"], name="recipient_once_a_region"),
            models.CheckConstraint(
                condition=Q(department__isnull=True) | Q(region__isnull=True),
                name="recipient_of_one_sort",
            ),
            models.CheckConstraint(
                condition=Q(received_at__isnull=True, received_by__isnull=True)
                | Q(received_at__isnull=False, received_by__isnull=False),
                name="recipient_received_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} → {self.name}"

    @property
    def sort(self) -> str:
        if self.department_id:
            return self.Sort.DEPARTMENT
        return self.Sort.REGION if self.region_id else self.Sort.UNIT

    @property
    def sort_label(self) -> str:
        return self.Sort(self.sort).label

    @property
    def name(self) -> str:
        """Whom the paper is addressed to."""
        return (self.department or self.region or self.institution).name

    @property
    def known_as(self) -> str:
        return self.name if self.department_id or self.region_id else self.institution.known_as


class SupervisionFocus(models.Model):
    """督导重点: one row of the annex. `names` is the cell as printed; several institutions may stand in it."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="focuses")
    position = models.PositiveSmallIntegerField("序号")
    names = models.CharField("机构名称", max_length=200)
    institutions = models.ManyToManyField(Institution, verbose_name="对应机构")
    items = models.ManyToManyField(ServiceItem, blank=True, verbose_name="服务项目")
    text = models.TextField("督导重点")

    objects = InCampaignQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "督导重点"
        ordering: ClassVar = ["campaign", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "position"], name="focus_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.names}：{self.text}"[:60]

    def get_absolute_url(self) -> str:
        return f"{reverse('campaigns:campaign_detail', args=[self.campaign_id])}#focus-{self.pk}"
