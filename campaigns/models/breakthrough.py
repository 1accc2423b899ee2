from dataclasses import replace
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from campaigns.models.campaign import Campaign
from institutions import clock
from institutions.models import Department, Institution, Kind, Post, StoredFile
from institutions.models.scoping import ScopedQuerySet, WorkQuerySet
from institutions.notifying import notify, posts_at
from institutions.workflow import NOTE, Move, Need, Offer, Side, Workflow

# What an item is judged by, as the paper words it: 内容要具体，可操作性强，要在某一方面…有明显突破方面.
CRITERIA = {"specific": "内容具体", "workable": "可操作性强", "ahead": "有明显突破方面"}


class BreakthroughRoundQuerySet(WorkQuerySet):
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        """Return the rounds of campaigns in sight; one that is not issued only to its own bureau."""
        if post is None:
            return self.none()
        rows = ~Q(status=BreakthroughRound.Status.DRAFT)
        if post.institution.is_bureau:
            rows |= Q(institution=post.institution_id)
        return self.filter(rows, campaign__in=Campaign.objects.visible_to(post))


class BreakthroughRound(Workflow):
    """突破事项填报: one a campaign; what each unit and department hands in by one day, and to whom."""

    class Status(models.TextChoices):
        DRAFT = "draft", "拟定"
        ISSUED = "issued", "已下达"

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.DRAFT)
    campaign = models.OneToOneField(
        Campaign, models.PROTECT, verbose_name="活动", related_name="breakthrough"
    )
    name = models.CharField("名称", max_length=120)
    due = models.DateField("报送时限（含当日）")
    receiver = models.CharField("报送至", max_length=60)

    objects: ClassVar = BreakthroughRoundQuerySet.as_manager()

    # Whose it becomes is known to campaigns.breakthrough.issue, which makes the submissions along with the move.
    MOVES = {
        "issue": Move(
            "下达",
            frozenset({Status.DRAFT}),
            Status.ISSUED,
            "campaigns.change_campaign",
            Side.ASKS,
            needs=(
                Need("活动印发后才能下达", holds=lambda r: not r.campaign.is_draft),
                Need("还没有设置填报项数", holds=lambda r: r.quotas.exists()),
            ),
            tone="primary",
            confirm="下达后各单位、科室马上收到，时限和项数不能再改。",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "突破事项填报"
        ordering: ClassVar = ["-due", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "issued"]), name="breakthroughround_status_known"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:breakthrough_round", args=[self.pk])

    @property
    def is_draft(self) -> bool:
        return self.status == self.Status.DRAFT

    @property
    def note(self) -> str:
        """The 注明 under the table in the words of the annex, from the quotas, the day and the receiver."""
        return (
            f"注明：{'，'.join(_said(list(self.quotas.all())))}，事项内容要具体，可操作性强，要在某一方面与其他单位或"
            f"我市其他先进区县相比有明显突破方面，请各科室、单位于 {self.due.month} 月 {self.due.day} 日前报"
            f"{self.receiver}。"
        )


def standing(unit: Institution) -> tuple[int, str]:
    """Where a unit stands in a paper: hospitals, 妇幼, 疾控 … in the order of the kinds; the bureau's own come last."""
    return (len(Kind) if unit.is_bureau else list(Kind).index(Kind(unit.kind)), unit.code)


def _said(quotas: "list[BreakthroughQuota]") -> list[str]:
    """Return the quotas as the annex words them; departments and other units stand together if theirs are equal."""
    by_sort = {quota.sort: quota for quota in quotas}
    sorts = BreakthroughQuota.Sort
    named, departments = by_sort.get(sorts.NAMED), by_sort.get(sorts.DEPARTMENTS)
    others = by_sort.get(sorts.OTHERS)
    parts = []
    if named:
        units = "、".join(u.known_as for u in sorted(named.institutions.all(), key=standing))
        parts.append(f"{units}各填报 {named.span} 项")
    other = "其他单位" if named else "各单位"
    if departments and others and departments.span == others.span:
        return [*parts, f"局机关各科室和{other}各填报 {others.span} 项"]
    if departments:
        parts.append(f"局机关各科室各填报 {departments.span} 项")
    if others:
        parts.append(f"{other}各填报 {others.span} 项")
    return parts


class BreakthroughQuotaQuerySet(ScopedQuerySet):
    institution_path = "round__institution"
    item_path = None

    def visible_to(self, post: Post | None) -> Self:
        return self.filter(round__in=BreakthroughRound.objects.visible_to(post))


class BreakthroughQuota(models.Model):
    """填报项数: how many items a sort of units hands in: those named, the bureau's departments, all others."""

    class Sort(models.TextChoices):
        NAMED = "named", "指定单位"
        DEPARTMENTS = "departments", "局机关科室"
        OTHERS = "others", "其他单位"

    round = models.ForeignKey(BreakthroughRound, models.CASCADE, related_name="quotas")
    sort = models.CharField("填报对象", max_length=12, choices=Sort)
    institutions = models.ManyToManyField(Institution, blank=True, verbose_name="指定单位")
    departments = models.ManyToManyField(Department, blank=True, verbose_name="局机关科室")
    least = models.PositiveSmallIntegerField("最少项数")
    most = models.PositiveSmallIntegerField("最多项数")

    objects = BreakthroughQuotaQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "填报项数"
        ordering: ClassVar = ["round", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "sort"], name="breakthroughquota_once"),
            models.CheckConstraint(
                condition=Q(sort__in=["named", "departments", "others"]),
                name="breakthroughquota_sort_known",
            ),
            models.CheckConstraint(
                condition=Q(least__gte=1, most__gte=F("least")),
                name="breakthroughquota_in_order",
                violation_error_message="最多项数不能少于最少项数",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_sort_display()}各{self.span}项"

    @property
    def span(self) -> str:
        """2-3, or 2 where both ends are the same, as the annex writes it."""
        return span(self.least, self.most)


def span(least: int, most: int) -> str:
    return str(least) if least == most else f"{least}-{most}"


class BreakthroughSubmissionQuerySet(WorkQuerySet):
    item_path = None

    def open(self) -> Self:
        return self.filter(status__in=BreakthroughSubmission.OPEN)

    def overdue(self) -> Self:
        """Return those that are still to be handed in, though the day has passed."""
        return self.open().filter(round__due__lt=clock.today())

    def late(self) -> Self:
        """Return those that were handed in for the first time after the day."""
        return self.filter(first_submitted_at__date__gt=F("round__due"))

    def delayed(self) -> Self:
        """Return those with an item that is past its deadline and not done."""
        items = BreakthroughItem.objects.delayed()
        return self.filter(
            status=BreakthroughSubmission.Status.ACCEPTED, pk__in=items.values("submission")
        )

    def own(self, post: Post) -> Self:
        """Return those the post's institution hands in, or its department at a bureau."""
        return self.filter(own_q(post))

    def asked(self, post: Post) -> Self:
        return self.filter(Q(supervisor=post.institution_id) & ~own_q(post))


def own_q(post: Post) -> Q:
    """Return the condition "handed in by this post's institution or department"."""
    place = Q(department__isnull=True)
    if post.department_id:
        place |= Q(department=post.department_id)
    return Q(institution=post.institution_id) & place


class BreakthroughSubmission(Workflow):
    """突破事项报送: the items of one institution, or of one department of the bureau itself."""

    class Status(models.TextChoices):
        OPEN = "open", "待报送"
        SUBMITTED = "submitted", "待审核"
        RETURNED = "returned", "已退回"
        ACCEPTED = "accepted", "已采纳"

    OPEN = frozenset({Status.OPEN, Status.RETURNED})
    EDITABLE = OPEN

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.OPEN)
    round = models.ForeignKey(
        BreakthroughRound, models.PROTECT, verbose_name="填报", related_name="submissions"
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, verbose_name="科室", related_name="+"
    )
    least = models.PositiveSmallIntegerField("最少项数")
    most = models.PositiveSmallIntegerField("最多项数")
    first_submitted_at = models.DateTimeField("首次报送时间", null=True, editable=False)
    submitted_at = models.DateTimeField("报送时间", null=True, editable=False)
    decided_at = models.DateTimeField("审核时间", null=True, editable=False)
    opinion = models.TextField("审核意见", blank=True, editable=False)

    objects: ClassVar = BreakthroughSubmissionQuerySet.as_manager()

    MOVES = {
        "submit": Move(
            "报送",
            OPEN,
            Status.SUBMITTED,
            "campaigns.write_breakthrough",
            Side.ANSWERS,
            needs=(Need("填报项数不符合要求", holds=lambda s: not s.shortfall),),
            tone="primary",
        ),
        "recall": Move(
            "撤回修改",
            frozenset({Status.SUBMITTED}),
            Status.OPEN,
            "campaigns.write_breakthrough",
            Side.ANSWERS,
        ),
        "accept": Move(
            "采纳",
            frozenset({Status.SUBMITTED}),
            Status.ACCEPTED,
            "campaigns.review_breakthrough",
            Side.ASKS,
            needs=(
                Need(
                    "每个事项三条标准都符合才能采纳", holds=lambda s: not s.items.unmet().exists()
                ),
            ),
            tone="primary",
        ),
        "send_back": Move(
            "退回",
            frozenset({Status.SUBMITTED}),
            Status.RETURNED,
            "campaigns.review_breakthrough",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "突破事项报送"
        ordering: ClassVar = ["round", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["round", "institution", "department"], name="breakthroughsubmission_once"
            ),
            models.UniqueConstraint(
                fields=["round", "institution"],
                condition=Q(department__isnull=True),
                name="breakthroughsubmission_once_a_unit",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "submitted", "returned", "accepted"]),
                name="breakthroughsubmission_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="open")
                | Q(submitted_at__isnull=False, first_submitted_at__isnull=False),
                name="breakthroughsubmission_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="accepted") | Q(decided_at__isnull=False),
                name="breakthroughsubmission_accepted_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "status"], name="breakthrough_list"),
            models.Index(fields=["institution", "status"], name="breakthrough_of_institution"),
        ]

    def __str__(self) -> str:
        return f"{self.unit_name}突破事项"

    def get_absolute_url(self) -> str:
        return reverse("campaigns:breakthrough_detail", args=[self.pk])

    @property
    def unit_name(self) -> str:
        """填报单位: the institution, or the department of the bureau."""
        return self.department.name if self.department else self.institution.known_as

    @property
    def span(self) -> str:
        return span(self.least, self.most)

    @property
    def shortfall(self) -> str:
        """Why the number of items keeps it from being handed in, with the numbers; nothing when it is right."""
        n = self.items.count()
        if n < self.least:
            return f"应填报 {self.span} 项，现有 {n} 项，还差 {self.least - n} 项"
        if n > self.most:
            return f"应填报 {self.span} 项，现有 {n} 项，多出 {n - self.most} 项"
        return ""

    @property
    def was_late(self) -> bool:
        """Whether it was handed in for the first time after the day; a later version after a return is not."""
        first = self.first_submitted_at
        return bool(first and first.astimezone(clock.SHANGHAI).date() > self.round.due)

    @property
    def is_overdue(self) -> bool:
        return self.status in self.OPEN and self.round.due < clock.today()

    def stands_on(self, side: Side, post: Post) -> bool:
        """A department's own is written by posts of that department and judged by none of them."""
        if not super().stands_on(side, post):
            return False
        if self.department_id is None:
            return True
        at_home = post.department_id == self.department_id
        return at_home if side is Side.ANSWERS else not at_home

    def moves_for(self, post: Post | None) -> list[Offer]:
        """The moves, with the numbers of the quota in the reason why it cannot be handed in."""
        offers = super().moves_for(post)
        return [replace(o, reason=self.shortfall) if o.name == "submit" else o for o in offers]

    def submit(self, *, by: Post, version: int) -> None:
        """Hand it in; ValidationError with the numbers when there are too few or too many items."""
        now = clock.now()
        try:
            self._move(
                "submit",
                by=by,
                version=version,
                submitted_at=now,
                first_submitted_at=self.first_submitted_at or now,
            )
        except ValidationError as refused:
            raise ValidationError(self.shortfall) from refused

    def recall(self, *, by: Post, version: int) -> None:
        self._move("recall", by=by, version=version)

    def accept(self, *, by: Post, version: int, note: str = "") -> None:
        self._decide("accept", by=by, version=version, note=note)
        notify(self.writers, f"突破事项已采纳：{self}", url=self.get_absolute_url())

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        """Return it with an opinion; those who wrote it are told."""
        self._move("send_back", by=by, version=version, note=note, opinion=note)
        notify(self.writers, f"突破事项被退回：{self}", url=self.get_absolute_url())

    @property
    def writers(self) -> list[int]:
        """The ids of the held posts that write this one."""
        return writers_of(self.institution_id, self.department_id)


def writers_of(institution: int, department: int | None) -> list[int]:
    posts = posts_at([institution], "campaigns.write_breakthrough")
    if department is None:
        return posts
    at_home = Post.objects.filter(pk__in=posts, department=department)
    return list(at_home.values_list("pk", flat=True))


class BreakthroughItemQuerySet(ScopedQuerySet):
    institution_path = "submission__institution"
    item_path = None
    bureau_path = "submission__bureau"

    def unmet(self) -> Self:
        """Return the items that are not found to meet all three criteria."""
        return self.exclude(**dict.fromkeys(CRITERIA, True))

    def delayed(self) -> Self:
        return self.filter(due__lt=clock.today(), progress=BreakthroughItem.Progress.DOING)


class BreakthroughItem(models.Model):
    """突破事项: one line of the table, how it was judged, and how far it has come."""

    class Progress(models.TextChoices):
        DOING = "doing", "推进中"
        DONE = "done", "已完成"

    submission = models.ForeignKey(BreakthroughSubmission, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField("序号")
    name = models.CharField("突破事项名称", max_length=120)
    content = models.TextField("具体内容", max_length=2000)
    measures = models.TextField("措施", max_length=2000)
    due = models.DateField("完成时限")
    person = models.CharField("分管责任人", max_length=40)
    office = models.CharField("责任科室", max_length=60)

    specific = models.BooleanField(CRITERIA["specific"], null=True)
    workable = models.BooleanField(CRITERIA["workable"], null=True)
    ahead = models.BooleanField(CRITERIA["ahead"], null=True)
    opinion = models.CharField("审核意见", max_length=500, blank=True)

    progress = models.CharField("进展", max_length=8, choices=Progress, default=Progress.DOING)
    progress_text = models.TextField("进展情况", blank=True, max_length=2000)
    delay_reason = models.TextField("逾期原因", blank=True, max_length=1000)
    progressed_on = models.DateField("进展日期", null=True, blank=True)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="佐证材料")

    objects = BreakthroughItemQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "突破事项"
        ordering: ClassVar = ["submission", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["submission", "position"], name="breakthroughitem_position_once"
            ),
            models.CheckConstraint(
                condition=Q(progress__in=["doing", "done"]), name="breakthroughitem_progress_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{self.submission.get_absolute_url()}#item-{self.pk}"

    @property
    def verdicts(self) -> list[tuple[str, bool | None]]:
        """Each criterion with yes, no or not yet judged."""
        return [(label, getattr(self, name)) for name, label in CRITERIA.items()]

    @property
    def is_judged(self) -> bool:
        return all(verdict is not None for _, verdict in self.verdicts)

    @property
    def is_delayed(self) -> bool:
        return self.progress == self.Progress.DOING and self.due < clock.today()
