import uuid
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from institutions.models.institution import Institution
from institutions.models.scoping import ScopedQuerySet
from institutions.roles import Role

if TYPE_CHECKING:
    from institutions.models.people import Post


class Installation(models.Model):
    """One row: whether this database is the demo. The demo may move the date; a real one never."""

    demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    _demo: ClassVar[bool | None] = None

    class Meta:
        verbose_name = verbose_name_plural = "安装信息"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="installation_single")
        ]

    def __str__(self) -> str:
        return "示例库" if self.demo else "正式库"

    @classmethod
    def is_demo(cls) -> bool:
        """Say whether the database is the demo; asked once per process, since it never changes back."""
        if Installation._demo is None:
            Installation._demo = cls.objects.filter(pk=1, demo=True).exists()
        return Installation._demo

    @classmethod
    def mark_demo(cls) -> None:
        cls.objects.update_or_create(pk=1, defaults={"demo": True})
        Installation._demo = True


class AppendOnlyError(TypeError):
    """Raised on any attempt to change or delete what has been recorded."""


class EventQuerySet(models.QuerySet):
    def delete(self):
        raise AppendOnlyError("Events are never deleted.")

    def update(self, **kwargs):
        raise AppendOnlyError("Events are never changed.")

    def visible_to(self, post: "Post | None") -> Self:
        """Return the list for auditors and security administrators: the chains of the bureaus they reach."""
        if post is None or post.role not in (Role.AUDITOR, Role.SECURITY):
            return self.none()
        bureaus = [pk for grant in post.reach.grants for pk in grant.bureaus]
        return self.filter(bureau__in=bureaus)

    def of(self, row: models.Model) -> Self:
        """Return the history of one row, oldest first. Whoever may see the row may see its history."""
        return self.filter(subject=row._meta.label_lower, subject_id=row.pk).order_by("seq", "pk")


class Event(models.Model):
    """操作记录: who did what, when, to what; one chain per bureau, each link sealing the one before.

    Reads well after people and rows are gone: names are kept as text. The database itself refuses UPDATE and DELETE.
    """

    bureau = models.ForeignKey(
        Institution, models.PROTECT, null=True, verbose_name="卫生健康行政部门", related_name="+"
    )
    seq = models.PositiveBigIntegerField("序号")
    at = models.DateTimeField("时间")
    post = models.ForeignKey(
        "institutions.Post", models.PROTECT, null=True, verbose_name="任职", related_name="+"
    )
    who = models.CharField("操作人", max_length=120)
    address = models.CharField("地址", max_length=45, blank=True)
    action = models.CharField("动作", max_length=60)
    label = models.CharField("动作名称", max_length=40)
    subject = models.CharField("对象类别", max_length=60, blank=True)
    subject_id = models.PositiveBigIntegerField(null=True)
    subject_text = models.CharField("对象", max_length=200, blank=True)
    institution_text = models.CharField("机构", max_length=80, blank=True)
    before = models.CharField("原状态", max_length=40, blank=True)
    after = models.CharField("新状态", max_length=40, blank=True)
    note = models.TextField("说明", blank=True)
    data = models.JSONField("明细", default=dict, blank=True)
    mac = models.CharField("链码", max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "操作记录"
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bureau", "seq"], name="event_seq_once"),
            models.UniqueConstraint(
                fields=["seq"],
                condition=Q(bureau__isnull=True),
                name="event_seq_once_without_bureau",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["subject", "subject_id"], name="event_subject"),
            models.Index(fields=["bureau", "-at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.who} {self.label} {self.subject_text}"

    @property
    def change(self) -> str | None:
        """The states before and after, in the words of the subject's screen."""
        words: dict[str, str] = {}
        if self.subject:
            model = apps.get_model(self.subject)
            if any(field.name == "status" for field in model._meta.fields):
                words = dict(model._meta.get_field("status").flatchoices)
        return " → ".join(words.get(v, v) for v in (self.before, self.after) if v) or None

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise AppendOnlyError("Events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise AppendOnlyError("Events are never deleted.")


class ChainHead(models.Model):
    """The last link of a bureau's chain: locked while the next is added. Key 0 is the chain of no bureau."""

    key = models.PositiveBigIntegerField(primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)
    mac = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "记录链"

    def __str__(self) -> str:
        return f"{self.key}:{self.seq}"


class StoredFileQuerySet(models.QuerySet):
    def visible_to(self, post: "Post | None") -> Self:
        """Return the files oneself uploaded; others are reached through their owner, never here."""
        return self.none() if post is None else self.filter(uploader=post)


class StoredFile(models.Model):
    """附件: bytes on disk under a random name. It has no address: its owner's view serves it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField("文件名", max_length=160)
    kind = models.CharField("类型", max_length=8)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField("大小")
    sha256 = models.CharField(max_length=64)
    uploader = models.ForeignKey(
        "institutions.Post", models.PROTECT, null=True, verbose_name="上传人", related_name="+"
    )
    created_at = models.DateTimeField("上传时间", default=timezone.now)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "附件"
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return settings.FILES_ROOT / self.key.hex[:2] / self.key.hex

    @property
    def is_image(self) -> bool:
        return self.content_type.startswith("image/")


class NotificationQuerySet(models.QuerySet):
    def visible_to(self, post: "Post | None") -> Self:
        return self.none() if post is None else self.filter(post=post)


class Notification(models.Model):
    """通知: told to a post, so that whoever holds it next still finds it."""

    post = models.ForeignKey(
        "institutions.Post", models.CASCADE, verbose_name="收件", related_name="notifications"
    )
    text = models.CharField("内容", max_length=200)
    url = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField("时间", default=timezone.now)
    read_at = models.DateTimeField("已读时间", null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "通知"
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["post"], condition=Q(read_at__isnull=True), name="notification_unread"
            )
        ]

    def __str__(self) -> str:
        return self.text


class JobQuerySet(ScopedQuerySet):
    def visible_to(self, post: "Post | None") -> Self:
        """Return the jobs of the post itself: what it staged is nobody else's."""
        return self.none() if post is None else self.filter(owner=post)


class Job(models.Model):
    """后台任务: an import, an export, a settlement: it can be left and found again."""

    class State(models.TextChoices):
        STAGED = "staged", "待确认"
        QUEUED = "queued", "排队中"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        FAILED = "failed", "未完成"
        DROPPED = "dropped", "已放弃"

    kind = models.CharField("类别", max_length=20)
    title = models.CharField("名称", max_length=120)
    owner = models.ForeignKey(
        "institutions.Post", models.PROTECT, verbose_name="发起人", related_name="jobs"
    )
    unit = models.ForeignKey(Institution, models.PROTECT, verbose_name="代表机构", related_name="+")
    state = models.CharField("状态", max_length=8, choices=State, default=State.QUEUED)
    params = models.JSONField(default=dict, blank=True)
    source = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, blank=True, verbose_name="来源文件", related_name="+"
    )
    result = models.ForeignKey(
        StoredFile, models.PROTECT, null=True, blank=True, verbose_name="结果文件", related_name="+"
    )
    report = models.JSONField("结果", default=dict, blank=True)
    done = models.PositiveIntegerField("已处理", default=0)
    total = models.PositiveIntegerField("总数", default=0)
    created_at = models.DateTimeField("发起时间", default=timezone.now)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "后台任务"
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Its page; an import has one of its own, where it is confirmed."""
        if self.kind == "import":
            return reverse("import_detail", args=[self.pk])
        if self.state == self.State.STAGED and (page := self.params.get("page")):
            return reverse(page, args=[self.pk])
        return reverse("institutions:job_detail", args=[self.pk])

    @property
    def results(self) -> "models.QuerySet[StoredFile]":
        """Its result as a set of files, to be served by `files.serve`."""
        if self.result_id is None:
            return StoredFile.objects.none()
        return StoredFile.objects.filter(pk=self.result_id)


class Holiday(models.Model):
    """节假日与调休: the bureau's own table goes before the packaged calendar."""

    day = models.DateField("日期", unique=True)
    workday = models.BooleanField("上班", default=False, help_text="调休上班日打勾；放假日不打勾")
    name = models.CharField("名称", max_length=40)

    class Meta:
        verbose_name = verbose_name_plural = "节假日"
        ordering: ClassVar = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class PortalSession(AbstractBaseSession):
    """登录会话, with its user, so that a person can see and end his own."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions"
    )
    address = models.CharField("地址", max_length=45, blank=True)
    agent = models.CharField("浏览器", max_length=200, blank=True)
    started_at = models.DateTimeField("登录时间", default=timezone.now)
    seen_at = models.DateTimeField("最近活动", default=timezone.now)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = verbose_name_plural = "登录会话"

    @classmethod
    def get_session_store_class(cls):
        from institutions.sessions import SessionStore

        return SessionStore
