import re
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse

from institutions import clock
from institutions.models import ServiceItem, StoredFile
from institutions.models.people import Post
from institutions.models.scoping import WorkQuerySet
from institutions.workflow import NOTE, Move, Side, Workflow

# 问题类别 of complaints, offered as suggestions.
CATEGORIES = (
    "服务态度",
    "签约服务",
    "健康体检",
    "预防接种",
    "慢性病随访",
    "档案信息",
    "收费和报销",
    "上班时间和值守",
    "环境和设施",
)
_NUMBER = re.compile(r"(?<![0-9])(?:1[3-9][0-9]{9}|[0-9]{17}[0-9Xx])(?![0-9])")


def refuse_identity(text: str) -> None:
    """Refuse a text with a mobile number or an identity number in it: who complained is not kept here.

    Raises ValidationError.
    """
    if _NUMBER.search(text):
        raise ValidationError("请删去电话号码、身份证号：这里不保存来电居民的身份信息")


class ComplaintQuerySet(WorkQuerySet):
    def owed(self) -> Self:
        """Return those whose institution has not answered yet."""
        return self.filter(status__in=Complaint.OWED)

    def overdue(self) -> Self:
        return self.owed().filter(due__lt=clock.today())

    def late(self) -> Self:
        """Return those that were first answered after the last day, or are overdue now."""
        return self.filter(Q(answered_on__gt=F("due")) | Q(pk__in=self.overdue().values("pk")))


class Complaint(Workflow):
    """投诉办理: a call to 12345 or a letter, handed to the institution it is about. Who complained is not kept."""

    class Channel(models.TextChoices):
        HOTLINE = "hotline", "12345热线"
        ABOVE = "above", "上级转办"
        ONLINE = "online", "网络留言"
        LETTER = "letter", "来信来访"
        DIRECT = "direct", "机构自接"

    class Kind(models.TextChoices):
        COMPLAINT = "complaint", "投诉"
        REPORT = "report", "举报"
        HELP = "help", "求助"
        QUESTION = "question", "咨询"
        ADVICE = "advice", "建议"

    class Satisfied(models.TextChoices):
        YES = "yes", "满意"
        NO = "no", "不满意"
        UNKNOWN = "unknown", "未回访"

    class Status(models.TextChoices):
        HANDED = "handed", "待答复"
        ANSWERED = "answered", "待审核"
        RETURNED = "returned", "已退回"
        CLOSED = "closed", "已办结"
        WITHDRAWN = "withdrawn", "已作废"

    OWED = frozenset({Status.HANDED, Status.RETURNED})
    OPEN = OWED | {Status.ANSWERED}

    status = models.CharField("状态", max_length=12, choices=Status, default=Status.HANDED)
    number = models.CharField("工单编号", max_length=40)
    received_on = models.DateField("收到日期")
    channel = models.CharField("渠道", max_length=8, choices=Channel, default=Channel.HOTLINE)
    kind = models.CharField("类型", max_length=10, choices=Kind, default=Kind.COMPLAINT)
    category = models.CharField("问题类别", max_length=40, blank=True)
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="服务项目"
    )
    text = models.TextField("反映内容")
    due = models.DateField("办理时限（含当日）")
    handler = models.CharField("承办岗位", max_length=40, blank=True)
    answer = models.TextField("办理情况和答复", blank=True)
    answered_on = models.DateField("首次答复日期", null=True, editable=False)
    satisfied = models.CharField(
        "回访是否满意", max_length=8, choices=Satisfied, default=Satisfied.UNKNOWN
    )
    opinion = models.TextField("审核意见", blank=True, editable=False)
    closed_on = models.DateField("办结日期", null=True, editable=False)
    files = models.ManyToManyField(StoredFile, blank=True, verbose_name="材料")

    objects: ClassVar = ComplaintQuerySet.as_manager()

    MOVES = {
        "reply": Move(
            "提交答复",
            OWED,
            Status.ANSWERED,
            "supervision.answer_complaint",
            Side.ANSWERS,
            tone="primary",
        ),
        "close": Move(
            "办结",
            frozenset({Status.ANSWERED}),
            Status.CLOSED,
            "supervision.close_complaint",
            Side.ASKS,
            tone="primary",
        ),
        "send_back": Move(
            "退回重办",
            frozenset({Status.ANSWERED}),
            Status.RETURNED,
            "supervision.close_complaint",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
        "withdraw": Move(
            "作废",
            OWED,
            Status.WITHDRAWN,
            "supervision.close_complaint",
            Side.ASKS,
            needs=(NOTE,),
            tone="danger",
        ),
    }

    class Meta:
        verbose_name = verbose_name_plural = "投诉"
        ordering: ClassVar = ["-received_on", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bureau", "number"],
                name="complaint_number_once",
                violation_error_message="这个工单编号已经登记过",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["handed", "answered", "returned", "closed", "withdrawn"]),
                name="complaint_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["handed", "withdrawn"])
                | Q(answered_on__isnull=False) & ~Q(answer=""),
                name="complaint_answered_has_answer",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_on__isnull=False)
                | ~Q(status="closed") & Q(closed_on__isnull=True),
                name="complaint_closed_has_day",
            ),
            models.CheckConstraint(
                condition=Q(due__gte=F("received_on")),
                name="complaint_due_after_received",
                violation_error_message="办理时限不能早于收到日期",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["bureau", "-received_on"], name="complaint_list"),
            models.Index(fields=["institution", "status", "due"], name="complaint_of_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.text[:30]}"

    def get_absolute_url(self) -> str:
        return reverse("supervision:complaint_detail", args=[self.pk])

    @property
    def is_overdue(self) -> bool:
        return self.status in self.OWED and self.due < clock.today()

    @property
    def in_time(self) -> bool | None:
        """Whether the first answer came in time; None while that is still open."""
        if self.answered_on is not None:
            return self.answered_on <= self.due
        return False if self.is_overdue else None

    def reply(
        self,
        *,
        by: Post,
        version: int,
        answer: str,
        handler: str = "",
        files: tuple[StoredFile, ...] | list[StoredFile] = (),
    ) -> None:
        """Answer; the first day counts for "in time". Raises ValidationError for an empty answer or an identity in it."""
        if not answer.strip():
            raise ValidationError("请填写办理情况和答复")
        refuse_identity(answer)
        with transaction.atomic():
            self._move(
                "reply",
                by=by,
                version=version,
                answer=answer,
                handler=handler or self.handler,
                answered_on=self.answered_on or clock.today(),
            )
            self.files.add(*files)

    def close(self, *, by: Post, version: int, satisfied: str, note: str = "") -> None:
        """Close it with what the call-back said."""
        self._move(
            "close",
            by=by,
            version=version,
            note=note,
            opinion=note,
            satisfied=satisfied,
            closed_on=clock.today(),
            data={"satisfied": satisfied},
        )

    def send_back(self, *, by: Post, version: int, note: str) -> None:
        self._move("send_back", by=by, version=version, note=note, opinion=note)

    def withdraw(self, *, by: Post, version: int, note: str) -> None:
        self._move("withdraw", by=by, version=version, note=note, opinion=note)
