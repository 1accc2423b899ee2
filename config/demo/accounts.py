"""The demo's accounts as a table for the terminal, where a Chinese sign is as wide as two others."""

from unicodedata import east_asian_width

from django.db.models import QuerySet

from config.demo.cast import PASSWORD
from institutions.models import Kind, Post

HEAD = ("用户名", "职务", "机构", "角色")


def posts() -> "QuerySet[Post]":
    """Return the demo's posts, all but those of the many clinics."""
    return (
        Post.objects.filter(user__isnull=False)
        .exclude(institution__kind__in=[Kind.CLINIC, Kind.STATION])
        .select_related("user", "institution")
        .order_by("pk")
    )


def table() -> str:
    """Return the accounts one a line, the password, and how the village doctors' names are made."""
    listed = [HEAD]
    for post in posts():
        listed.append(
            (post.user.username, post.title, post.institution.known_as, post.get_role_display())
        )
    doctors = Post.objects.filter(institution__kind=Kind.CLINIC, user__isnull=False)
    example = (
        doctors.select_related("user", "institution").filter(user__username="wangcun01").first()
    )
    if example:
        listed.append(
            ("wangcun01", example.title, example.institution.known_as, example.get_role_display())
        )
    widths = [max(_width(row[column]) for row in listed) for column in range(4)]
    lines = [
        "  ".join(_padded(c, w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in listed
    ]
    lines += [
        "",
        f"共同密码：{PASSWORD}",
        f"村医共 {doctors.count()} 名，用户名为中心用户名加两位序号，如 wangcun01、qingnian12。",
    ]
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
