"""The table `users`: one row a post (任职); the same 用户名 on several rows is one person with several posts.

New logins get no password: whoever manages accounts issues an activation code in the portal. What is told of a login
that also works outside the unit is that the name cannot be used.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.db.models.functions import Lower

from institutions import clock, codes, sheets
from institutions.accounts import grantable
from institutions.models import Department, Post, User
from institutions.models.people import role_refused
from institutions.roles import Role, excluded
from institutions.tables.table import BATCH, PLACE, Change, Column, Row, Table, code_of, joined

ROLES = {str(role.label): role.value for role in Role}


def username(text: str) -> str:
    value = sheets.code(40)(text)
    if not re.fullmatch(r"[A-Za-z0-9._-]+", value):
        raise ValueError("用户名只能用字母、数字和“._-”")
    return value


class UserTable(Table):
    """Logins and posts of a subtree; roles are given by rank (institutions/accounts.py)."""

    kind = "users"
    label = "账号与任职"
    purpose = (
        "每行一个任职；一人多职写多行，用户名和姓名相同。新账号没有密码，由账号管理员发激活码。"
    )
    keyed = ("username", "institution", "title")
    columns = (
        Column(
            "用户名",
            "username",
            username,
            required=True,
            help="字母、数字和“._-”，全系统不重复",
            example="zcjfk01",
        ),
        Column("姓名", "name", sheets.text(40), required=True, example="基妇科经办人"),
        Column("职务", "title", sheets.text(40), required=True, example="经办人"),
        Column(
            "角色",
            "role",
            sheets.choice(ROLES),
            required=True,
            show=lambda v: str(Role(v).label),
            help="、".join(ROLES),
            example="局科室",
        ),
        PLACE,
        Column("科室", "department", sheets.text(60), blank="", example="基妇科"),
        Column("手机号", "phone", codes.check_phone, blank=""),
        Column(
            "分管项目",
            "items",
            sheets.many(sheets.text(60)),
            blank=[],
            lookup="find_items",
            show=lambda v: joined(code_of(item) for item in v),
            help="服务项目代码或名称，多个用“；”隔开；不填表示全部",
        ),
    )
    import_perms = ("institutions.manage_account",)
    export_perm = "institutions.manage_account"
    OF_USER = ("name", "phone")
    OF_POST = ("role", "department", "items")

    def key(self, row: Row) -> Any:
        return (row["username"].lower(), row["institution"].pk, row["title"])

    def title(self, row: Row) -> str:
        return f"{row['username']}，{row['institution']} {row['title']}"

    # --- Checks -------------------------------------------------------------------------------------

    def resolve(self, row: Row) -> None:
        if reason := role_refused(row["role"], row["institution"].kind):
            self.bad(row, "角色", reason)

    def check_all(self, rows: list[Row]) -> None:
        """One person, one name and one number, over all rows of a user name."""
        first: dict[tuple[str, str], Row] = {}
        for row in rows:
            for name in self.OF_USER:
                if not row[name]:
                    continue
                other = first.setdefault((row["username"].lower(), name), row)
                if other[name] != row[name]:
                    header = self.column(name).header
                    self.bad(row, header, f"与第{other.number}行同一用户名的{header}不同")
        for row in rows:
            if (told := first.get((row["username"].lower(), "phone"))) is not None:
                row.values["phone"] = told["phone"]

    # --- Comparing ------------------------------------------------------------------------------------

    def _load(self, rows: list[Row]) -> None:
        """What is there under these user names: the logins, and all their posts that are not over."""
        self.users: dict[str, User] = {}
        self.posts: dict[str, list[Post]] = defaultdict(list)
        wanted = sorted({row["username"].lower() for row in rows})
        for start in range(0, len(wanted), BATCH):
            found = User.objects.annotate(lower=Lower("username"))
            for user in found.filter(lower__in=wanted[start : start + BATCH]):
                self.users[user.username.lower()] = user
            posts = Post.objects.annotate(login=Lower("user__username"))
            posts = posts.filter(login__in=wanted[start : start + BATCH])
            for post in posts.select_related("institution", "department").prefetch_related("items"):
                self.posts[post.login].append(post)

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        self._load(rows)
        roles = self._roles(rows)
        for row in rows:
            change = self._change(row)
            if change.state != "unchanged":
                self._check_rank(change)
                held = [
                    role for key, role in roles[row["username"].lower()] if key != self.key(row)
                ]
                if reason := excluded(held, row["role"]):
                    self.bad(row, "角色", reason)
            yield change

    def _roles(self, rows: list[Row]) -> dict[str, list[tuple[Any, str]]]:
        """The roles of each person as they will be: what the file says goes before what is there."""
        today, coming = clock.today(), {}
        for posts in self.posts.values():
            for post in posts:
                if post.ends is None or post.ends >= today:
                    coming[self._stored_key(post)] = post.role
        coming.update({self.key(row): row["role"] for row in rows})
        roles: dict[str, list[tuple[Any, str]]] = defaultdict(list)
        for key, role in coming.items():
            roles[key[0]].append((key, role))
        return roles

    def _stored_key(self, post: Any) -> Any:
        return (post.login, post.institution_id, post.title)

    def _change(self, row: Row) -> Change:
        user = self.users.get(row["username"].lower())
        posts = self.posts[row["username"].lower()]
        post = next((p for p in posts if self._stored_key(p) == self.key(row)), None)
        diffs = [
            diff
            for names, old in ((self.OF_USER, user), (self.OF_POST, post))
            for name in names
            if (diff := self._diff(row, name, old))
        ]
        state = "new" if post is None else "changed" if diffs else "unchanged"
        return Change(row, state, self.title(row), diffs, post)

    def _diff(self, row: Row, name: str, old: Any) -> tuple[str, str, str] | None:
        column = self.column(name)
        if column.header not in self.given:
            return None
        before = column.blank if old is None else self._stored(old, name)
        if row[name] == before:
            return None
        return column.header, column.text(before), column.text(row[name])

    def _stored(self, old: Any, name: str) -> Any:
        if name == "department":
            return old.department.name if old.department else ""
        if name == "items":
            return sorted(old.items.all(), key=code_of)
        return getattr(old, name)

    def _check_rank(self, change: Change) -> None:
        """Roles are given by rank, nobody manages himself, and a login that also works elsewhere is left alone."""
        row, by = change.row, self.scope.post
        user = self.users.get(row["username"].lower())
        if change.old is not None and change.old.ends and change.old.ends < clock.today():
            self.bad(row, "职务", f"该任职已于 {change.old.ends} 结束，不能用导入恢复")
        if user is not None:
            self._check_login(row, user, {header for header, *_ in change.diffs})
        if by is not None and (reason := grantable(by, row["role"], row["institution"])):
            self.bad(row, "角色", reason)

    def _check_login(self, row: Row, user: User, touched: set[str]) -> None:
        posts, by, unit = self.posts[user.username.lower()], self.scope.post, self.scope.unit
        within = [p for p in posts if unit and p.institution.path.startswith(unit.path)]
        if posts and not within:
            self.bad(row, "用户名", "这个用户名不能使用，请换一个")
        elif len(within) < len(posts) and touched & {"姓名", "手机号"}:
            self.bad(row, "用户名", "该账号还有管辖范围以外的任职，姓名和手机号不能在这里修改")
        elif by is not None and user.pk == by.user_id:
            self.bad(row, "用户名", "不能办理自己的任职")
        elif by is not None and any(grantable(by, p.role, p.institution) for p in within):
            self.bad(row, "用户名", "该账号的现有任职不由本岗位管理")

    # --- Writing --------------------------------------------------------------------------------------

    def write(self, changes: list[Change]) -> None:
        self._write_users([change.row for change in changes])
        departments = self._departments([change.row for change in changes])
        new, changed = [], []
        for change in changes:
            row, post = change.row, change.old
            if post is None:
                post = Post(
                    user=self.users[row["username"].lower()],
                    institution_id=row["institution"].pk,
                    title=row["title"],
                )
                new.append(post)
            else:
                changed.append(post)
            post.role = row["role"]
            if "科室" in self.given:
                post.department_id = departments.get((row["institution"].pk, row["department"]))
            change.old = post
        Post.objects.bulk_create(new, batch_size=BATCH)
        Post.objects.bulk_update(changed, ["role", "department"], batch_size=200)
        if "分管项目" in self.given:
            self._write_items(changes)

    def _write_users(self, rows: list[Row]) -> None:
        new: dict[str, User] = {}
        changed: dict[str, User] = {}
        for row in rows:
            key = row["username"].lower()
            if key in self.users:
                user = changed[key] = self.users[key]
            else:
                user = new.setdefault(key, User(username=row["username"]))
                user.password = user.password or make_password(None)
            user.name = row["name"]
            if "手机号" in self.given:
                user.phone = row["phone"]
        User.objects.bulk_create(new.values(), batch_size=BATCH)
        User.objects.bulk_update(changed.values(), ["name", "phone"], batch_size=200)
        self.users.update(new)

    def _departments(self, rows: list[Row]) -> dict[tuple[int, str], int]:
        wanted = {(r["institution"].pk, r["department"]) for r in rows if r["department"]}
        places = sorted({place for place, _ in wanted})
        for attempt in ("look", "make"):
            found: dict[tuple[int, str], int] = {}
            for start in range(0, len(places), BATCH):
                there = Department.objects.filter(institution__in=places[start : start + BATCH])
                found.update(
                    ((d.institution_id, d.name), d.pk) for d in there.iterator(chunk_size=2000)
                )
            missing = sorted(wanted - found.keys())
            if attempt == "look" and missing:
                Department.objects.bulk_create(
                    (Department(institution_id=place, name=name) for place, name in missing),
                    batch_size=BATCH,
                    ignore_conflicts=True,
                )
            elif not missing:
                break
        return found

    def _write_items(self, changes: list[Change]) -> None:
        through = Post.items.through
        for start in range(0, len(changes), BATCH):
            keys = [change.old.pk for change in changes[start : start + BATCH]]
            through.objects.filter(post__in=keys).delete()
        through.objects.bulk_create(
            (
                through(post_id=change.old.pk, serviceitem_id=item.pk)
                for change in changes
                for item in change.row["items"]
            ),
            batch_size=BATCH,
        )

    # --- Out ------------------------------------------------------------------------------------------

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        posts = self.scope.limit(Post.objects.in_office().filter(Q(user__isnull=False)))
        posts = posts.select_related("user", "institution", "department").prefetch_related("items")
        for post in posts.order_by("user__username", "pk").iterator(chunk_size=500):
            user = cast(User, post.user)
            yield [
                user.username,
                user.name,
                post.title,
                str(Role(post.role).label),
                post.institution.code,
                post.department.name if post.department else None,
                user.phone,
                joined(code_of(item) for item in post.items.all()),
            ]
