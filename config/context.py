"""What every page shows around its content: who acts, the menu, the date."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from campaigns.disclosing import showing_bureaus
from institutions import clock
from institutions.models import Installation, Institution, Kind, Notification


@dataclass(frozen=True)
class Entry:
    label: str
    url: str
    current: bool = False
    count: int | None = None
    children: list["Entry"] = field(default_factory=list)


# label, URL name, permission; a group is a label with a list.
MENU: list[tuple[str, Any, str]] = [
    ("工作台", "home", ""),
    (
        "活动任务",
        [
            ("活动", "campaigns:campaign_list", "campaigns.view_campaign"),
            ("任务一览", "campaigns:task_list", "campaigns.view_task"),
            ("任务报送", "campaigns:report_list", "campaigns.view_report"),
            ("突破事项", "campaigns:breakthrough_list", "campaigns.view_breakthrough"),
            ("计划方案", "campaigns:plan_list", "campaigns.view_plan"),
            ("工作日志", "campaigns:log_list", "campaigns.view_log"),
            ("工作组织", "campaigns:group_list", "campaigns.view_group"),
            ("监测指标", "campaigns:series_list", "campaigns.view_series"),
            ("目标任务", "campaigns:target_list", "campaigns.view_target"),
            ("档案复核", "campaigns:census_list", "campaigns.view_census"),
            ("上级检查", "campaigns:check_list", "campaigns.view_check"),
            ("信息公开", "campaigns:publication_list", "campaigns.view_publication"),
            ("年度概况", "programme_year", "campaigns.view_campaign"),
        ],
        "",
    ),
    (
        "督导整改",
        [
            ("年度计划", "supervision:year_plan_list", "supervision.view_round"),
            ("督导轮次", "supervision:round_list", "supervision.view_round"),
            ("现场督导", "supervision:visit_list", "supervision.view_visit"),
            ("抽查档案", "supervision:sample_list", "supervision.view_visit"),
            ("居民问卷", "supervision:survey_list", "supervision.view_visit"),
            ("问题清单", "supervision:problem_list", "supervision.view_problem"),
            ("整改台账", "supervision:rectification_list", "supervision.view_rectification"),
            ("通报通知", "supervision:notice_list", "supervision.view_notice"),
            ("对照自查", "supervision:self_check_list", "supervision.view_problem"),
            ("逾期一览", "overdue_list", "campaigns.view_report"),
            ("奖惩台账", "supervision:sanction_list", "supervision.view_sanction"),
            ("投诉办理", "supervision:complaint_list", "supervision.view_complaint"),
        ],
        "",
    ),
    (
        "绩效评价",
        [
            ("评价", "scoring:evaluation_list", "scoring.view_evaluation"),
            ("评分表", "scoring:sheet_list", "scoring.view_sheet"),
            ("申诉", "scoring:appeal_list", "scoring.view_sheet"),
            ("优质服务基层行", "scoring:capability_list", "scoring.view_capability"),
            ("评价标准", "campaigns:standard_list", "campaigns.view_standard"),
        ],
        "",
    ),
    (
        "年终结算",
        [
            ("年终表", "scoring:year_list", "scoring.view_yearresult"),
            ("经费年度", "scoring:funding_year", "scoring.view_yearresult"),
            ("工作量", "scoring:workload_list", "scoring.view_workload"),
            ("结算单", "scoring:settlement_list", "scoring.view_yearresult"),
            ("绩效分配", "scoring:distribution_list", "scoring.view_distribution"),
            ("加减分", "scoring:adjustment_list", "scoring.view_yearresult"),
            ("绩效政策", "scoring:policy_list", "scoring.view_yearresult"),
        ],
        "",
    ),
    (
        "机构人员",
        [
            ("机构", "institutions:institution_list", "institutions.view_institution"),
            ("挂包领导", "leader_list", "campaigns.view_report"),
            ("人员名册", "institutions:staff_list", "institutions.view_staffmember"),
            ("服务能力", "institutions:capacity_list", "institutions.view_capacity"),
            ("服务项目", "institutions:item_list", "institutions.view_institution"),
            ("任职与账号", "institutions:post_list", "institutions.view_account"),
            ("督导专家库", "supervision:expert_list", "supervision.view_expert"),
        ],
        "",
    ),
    (
        "数据管理",
        [
            ("导入", "import_start", "institutions.import_table"),
            ("迎检资料包", "dossier_start", "institutions.pack_evidence"),
            ("后台任务", "institutions:job_list", "institutions.view_job"),
            ("操作记录", "institutions:event_list", "institutions.view_event"),
            ("基础数据", "admin:index", "institutions.use_admin"),
        ],
        "",
    ),
]

# What is opened from an entry but has a path of its own: how the names of its views begin.
BESIDE = {
    "campaigns:campaign_list": ("phase_board",),
    "supervision:year_plan_list": ("supervision:planned_",),
    "supervision:round_list": ("supervision:draw_", "supervision:spread_"),
    "supervision:survey_list": ("supervision:visit_policy",),
    "scoring:evaluation_list": ("scoring:honesty_", "scoring:score_summary", "scoring:recheck_"),
    "scoring:sheet_list": ("scoring:section_", "scoring:line_", "scoring:appeal_create"),
    "scoring:year_list": ("scoring:scenario_", "scoring:estimate_", "scoring:cost_"),
    "scoring:funding_year": (
        "scoring:payment_",
        "scoring:allocation_",
        "scoring:award_",
        "scoring:outcome_",
    ),
    "scoring:distribution_list": ("scoring:share_",),
    "leader_list": ("institutions:pairing_",),
    "institutions:capacity_list": ("institutions:cooperation_",),
}


class Portal:
    """Lazily answers what `base.html` asks of `portal`."""

    name = "公卫督导"
    version = settings.VERSION

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.post = getattr(request, "post", None)
        self.posts = getattr(request, "posts", [])

    @property
    def demo(self) -> bool:
        return Installation.is_demo()

    @property
    def clock_moved(self) -> bool:
        return clock.moved()

    @property
    def today(self):
        return clock.today()

    @property
    def public_url(self) -> str:
        """The public page, where one bureau runs this server by itself and shows something."""
        bureaus = list(Institution.objects.filter(kind=Kind.BUREAU)[:2])
        if len(bureaus) != 1 or not showing_bureaus().exists():
            return ""
        return reverse("public:bureau", args=[bureaus[0].code])

    @cached_property
    def unread(self) -> int:
        if self.post is None:
            return 0
        return Notification.objects.visible_to(self.post).filter(read_at__isnull=True)[:100].count()

    @cached_property
    def menu(self) -> list[Entry]:
        return [] if self.post is None else self._entries(MENU)

    @cached_property
    def _paths(self) -> dict[str, str]:
        """The path of every entry by its URL name."""
        groups = [entry[1] if isinstance(entry[1], list) else [entry] for entry in MENU]
        return {target: reverse(target) for group in groups for _, target, _ in group}

    @cached_property
    def _here(self) -> str:
        """The entry one is at: the one this page stands beside, else the one with the longest path it lies below."""
        match, path = self.request.resolver_match, self.request.path
        for target, beginnings in BESIDE.items():
            if match and match.view_name.startswith(beginnings):
                return target
        below = [
            target
            for target, own in self._paths.items()
            if path == own or (own != "/" and path.startswith(own))
        ]
        return max(below, key=lambda target: len(self._paths[target]), default="")

    def _may(self, perm: str) -> bool:
        return not perm or (self.post is not None and self.post.has_perm(perm))

    def _entries(self, table: list[tuple[str, Any, str]]) -> list[Entry]:
        shown = []
        for label, target, perm in table:
            if isinstance(target, list):
                children = self._entries(target)
                if len(children) == 1:
                    shown.append(children[0])
                elif children:
                    current = any(child.current for child in children)
                    shown.append(Entry(label, "", current, children=children))
            elif self._may(perm):
                shown.append(Entry(label, self._paths[target], target == self._here))
        return shown


def portal(request: HttpRequest) -> dict[str, Portal]:
    return {"portal": Portal(request)}
