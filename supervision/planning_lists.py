"""Lists of planning: year plans, how often institutions were visited, experts."""

from collections.abc import Sequence

from django.urls import reverse

from institutions.listing import Column, Listing, Tag
from institutions.models import Institution
from supervision.coverage import STATES
from supervision.models import Expert, YearPlan
from supervision.planning_forms import CoverageFilter, ExpertFilter, YearPlanFilter

STATE_TONES = {"behind": "bad", "short": "warn", "arranged": "info", "covered": "ok"}


def plan_tag(plan: YearPlan) -> Tag:
    tone = "ok" if plan.status == YearPlan.Status.ISSUED else "muted"
    return Tag(plan.get_status_display(), tone)


class YearPlanList(Listing):
    title = "年度督导计划"
    search = ("institution__search",)
    filters = YearPlanFilter
    order = ("-year", "institution__code", "pk")
    columns: Sequence[Column] = (
        Column("计划", str),
        Column("年度", "year", sort=("year",), numeric=True),
        Column("制定单位", "institution.known_as", sort=("institution__code",)),
        Column("综合督导至少", lambda p: f"{p.least_comprehensive}次"),
        Column("专项督导至少", lambda p: f"{p.least_special}次"),
        Column("计划轮次", "entry_count", numeric=True),
        Column("状态", plan_tag, sort=("status",)),
    )


class CoverageList(Listing):
    """Institutions of a body with their visits in the year, against the plan's least counts."""

    title = "督导次数"
    search = ("search",)
    filters = CoverageFilter
    order = ("code", "pk")
    columns: Sequence[Column] = (
        Column("机构", "name", sort=("code",)),
        Column("机构代码", "code", shown=False),
        Column("机构类别", "get_kind_display", sort=("kind",)),
        Column("综合督导", "done", sort=("done",), numeric=True),
        Column("已安排", "planned", numeric=True),
        Column("专项督导", "special_done", sort=("special_done",), numeric=True),
        Column("已安排专项", "special_planned", numeric=True),
        Column("还差", "missing", sort=("missing",), numeric=True),
        Column("情况", lambda u: Tag(STATES[u.state], STATE_TONES[u.state]), sort=("state",)),
    )

    def row_url(self, row: Institution) -> str:
        return f"{reverse('supervision:visit_list')}?institution={row.pk}"


def active_tag(expert: Expert) -> Tag:
    if not expert.active:
        return Tag("不在库", "muted")
    return Tag("可抽取", "ok") if expert.post_id else Tag("没有任职", "warn")


class ExpertList(Listing):
    title = "督导专家库"
    search = ("code", "title", "employer__search", "outside")
    filters = ExpertFilter
    order = ("code", "pk")
    columns: Sequence[Column] = (
        Column("专家", "title", sort=("title",)),
        Column("编号", "code", sort=("code",)),
        Column("专业", "profession_words"),
        Column("所在单位", "works_at"),
        Column("任职", lambda e: str(e.post) if e.post else None),
        Column("回避关系", "tie_count", numeric=True),
        Column("情况", active_tag, sort=("active",)),
        Column("备注", "note", shown=False),
    )
