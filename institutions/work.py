"""One line of "my work": what waits for a post, as a number that links to exactly those rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkLine:
    """`group` orders the home page: returned, overdue, due (soon), todo, waiting (for others)."""

    label: str
    url: str
    count: int
    group: str = "todo"
    hint: str = ""

    @property
    def tone(self) -> str:
        return {"returned": "bad", "overdue": "bad", "due": "warn", "waiting": "muted"}.get(
            self.group, "info"
        )


GROUPS = {
    "returned": "退回给我的",
    "overdue": "已经逾期",
    "due": "七日内到期",
    "todo": "等我办理",
    "waiting": "等待他人",
}
