"""The table `experts`: a bureau's pool of experts, one row an expert, known by its code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from campaigns.models.group import Profession
from institutions import sheets
from institutions.models import Post
from institutions.tables import BATCH, Change, Column, ModelTable, Row, code_of
from supervision.models import Expert

PROFESSIONS = {str(profession.label): profession.value for profession in Profession}


def _words(stored: str) -> str:
    return "；".join(str(Profession(value).label) for value in stored.split(",") if value)


class ExpertTable(ModelTable):
    """The experts of the unit's own pool; ties are declared on the expert's page."""

    kind = "experts"
    label = "督导专家库"
    purpose = "督导专家的专业、所在单位和任职；回避关系在专家页登记。"
    model = Expert
    keyed = ("code",)
    columns = (
        Column("专家编号", "code", sheets.code(20), required=True, example="ZJ01"),
        Column("专家", "title", sheets.text(60), required=True, example="督导专家（妇产）"),
        Column(
            "专业",
            "professions",
            sheets.many(sheets.choice(PROFESSIONS)),
            required=True,
            lookup="as_stored",
            show=_words,
            help="、".join(PROFESSIONS),
            example="公共卫生",
        ),
        Column(
            "所在单位代码",
            "employer",
            sheets.code(32),
            lookup="find_place",
            show=code_of,
            help="机构表里的代码；与“区外单位”填一个",
            example="ZC-RMYY",
        ),
        Column("区外单位", "outside", sheets.text(80), blank=""),
        Column(
            "用户名",
            "post",
            sheets.code(40),
            lookup="find_post",
            show=lambda v: v.user.username if v and v.user else None,
            help="有任职的专家才能抽中",
        ),
        Column("在库", "active", sheets.boolean, blank=True, example="是"),
        Column("备注", "note", sheets.text(200), blank=""),
    )
    import_perms = ("supervision.view_expert",)
    export_perm = "supervision.view_expert"

    @classmethod
    def may_import(cls, post: Post) -> bool:
        """Who keeps the pool: the bureau's officers."""
        return super().may_import(post) and post.has_perm("supervision.change_round")

    def prepare(self) -> None:
        """Load the posts of the subtree that can record visits, by user name; the expert's post goes first."""
        self.posts: dict[str, Post] = {}
        unit = self.scope.unit
        if unit is None:
            return
        found = Post.objects.held().filter(
            institution__path__startswith=unit.path, role__in=("expert", "lead", "officer")
        )
        for post in found.select_related("user", "institution").order_by("-role", "pk"):
            if post.user:
                known = self.posts.setdefault(post.user.username.lower(), post)
                if post.role == "expert" and known.role != "expert":
                    self.posts[post.user.username.lower()] = post

    def as_stored(self, values: list[str]) -> str:
        return ",".join(value for value in Profession.values if value in values)

    def find_post(self, text: str) -> Post:
        if text.lower() not in self.posts:
            raise ValueError("没有这个用户的督导专家、条线牵头或局科室任职")
        return self.posts[text.lower()]

    def resolve(self, row: Row) -> None:
        unit = self.scope.unit
        if unit is None or not unit.is_bureau:
            self.bad(row, "专家编号", "专家库由卫生健康行政部门建立")
        if row["employer"] is None and not row["outside"] and row["post"] is None:
            self.bad(row, "所在单位代码", "请填写所在单位代码或区外单位")

    def check_all(self, rows: list[Row]) -> None:
        """One post stands for one expert."""
        first: dict[int, Row] = {}
        for row in rows:
            if row["post"] is not None:
                other = first.setdefault(row["post"].pk, row)
                if other is not row:
                    self.bad(row, "用户名", f"与第{other.number}行是同一个任职")

    def in_scope(self) -> Any:
        rows = Expert.objects.filter(bureau=self.scope.unit)
        return rows.select_related("employer", "post__user")

    def compare(self, rows: list[Row]) -> Iterator[Change]:
        found = self.existing(rows)
        taken = {expert.post_id: expert.code for expert in found.values() if expert.post_id}
        for row in rows:
            post = row["post"]
            if post is not None and taken.get(post.pk, row["code"]) != row["code"]:
                self.bad(row, "用户名", f"这个任职已是专家 {taken[post.pk]}")
            yield self.change(row, found.get(self.key(row)))

    def change(self, row: Row, old: Any) -> Change:
        found = super().change(row, old)
        # An institution of the scope is a light row here; compared by its code.
        same = old is not None and code_of(old.employer) == code_of(row["employer"])
        found.diffs = [diff for diff in found.diffs if not (same and diff[0] == "所在单位代码")]
        if old is not None:
            found.state = "changed" if found.diffs else "unchanged"
        return found

    def write(self, changes: list[Change]) -> None:
        fields = [column.name for column in self.columns if column.name != "code"]
        rows = []
        for change in changes:
            given = self.attributes(change)
            if given.get("employer_id") is None and given.get("employer") is None:
                post = given.get("post")
                given["employer"] = post.institution if post and not given["outside"] else None
            rows.append(Expert(bureau=self.scope.unit, **given))
        Expert.objects.bulk_create(
            rows,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["bureau", "code"],
            update_fields=fields,
        )

    def export(self, year: int | None) -> Iterator[Sequence[Any]]:
        for expert in self.in_scope().order_by("code").iterator(chunk_size=2000):
            yield [
                None if (value := self.stored(expert, c.name)) is None else c.show(value)
                for c in self.columns
            ]
