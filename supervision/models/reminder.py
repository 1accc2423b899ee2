from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from institutions.models import Institution, Post
from institutions.models.holidays import work_calendar
from institutions.models.scoping import ScopedQuerySet
from supervision import deadlines


class ReminderQuerySet(ScopedQuerySet):
    institution_path = "rectification__institution"
    item_path = "rectification__item"
    bureau_path = "bureau"

    def settle(self, row, today: date) -> None:
        """Write the steps of `row` that have fallen and were missed, untold: the daily run was down on their day."""
        calendar = work_calendar(row.due, today)
        sent = self.filter(rectification=row, turn=row.returns, due=row.due)
        steps = deadlines.owed(
            row.due, row.since, today, calendar, sent.values_list("step", flat=True)
        )
        fallen: list[Any] = [Reminder.of(row, step, on) for step, on in steps]
        self.bulk_create(fallen, ignore_conflicts=True)


class Reminder(models.Model):
    """催办: one step that fell for one rectification, and the posts that were told.

    `turn` counts the returns of the rectification: after each the steps begin anew, as they do for a new deadline.
    """

    bureau = models.ForeignKey(Institution, models.PROTECT, related_name="+", editable=False)
    rectification = models.ForeignKey(
        "supervision.Rectification", models.PROTECT, verbose_name="整改", related_name="reminders"
    )
    turn = models.PositiveSmallIntegerField("第几次退回后")
    due = models.DateField("整改时限")
    step = models.CharField(
        "步骤", max_length=8, choices=[(step.code, step.label) for step in deadlines.STEPS]
    )
    on = models.DateField("应催办日期")
    sent_at = models.DateTimeField("发送时间", null=True)
    posts = models.ManyToManyField(Post, verbose_name="催办对象", related_name="+")

    objects = ReminderQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "催办"
        ordering: ClassVar = ["rectification", "on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rectification", "turn", "due", "step"], name="reminder_step_once"
            ),
            models.CheckConstraint(
                condition=Q(step__in=[step.code for step in deadlines.STEPS]),
                name="reminder_step_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rectification} {self.get_step_display()}"

    @classmethod
    def of(cls, row, step: deadlines.Step, on: date) -> "Reminder":
        return cls(
            bureau_id=row.bureau_id,
            rectification=row,
            turn=row.returns,
            due=row.due,
            step=step.code,
            on=on,
        )

    @property
    def told(self) -> str:
        """Whom it reached, in words; reads the prefetched posts."""
        names: Iterable[str] = (str(post) for post in self.posts.all())
        return "、".join(names)
