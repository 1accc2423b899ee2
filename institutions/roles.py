"""Who may do what: the one table a bureau signs off. The reach of a post says on which rows (models/scoping.py)."""

from collections.abc import Iterable

from django.db import models


class Role(models.TextChoices):
    """角色. The value is stored; the label is what files and screens say."""

    SYSTEM = "system", "系统管理员"
    SECURITY = "security", "安全管理员"
    AUDITOR = "auditor", "审计员"
    LEADER = "leader", "局领导"
    OFFICER = "officer", "局科室"
    FINANCE = "finance", "局财务"
    LEAD = "lead", "条线牵头"
    EXPERT = "expert", "督导专家"
    HEAD = "head", "机构负责人"
    STAFF = "staff", "机构人员"
    STREET = "street", "街道办"


BUREAU_ROLES = frozenset({Role.LEADER, Role.OFFICER, Role.FINANCE})
# Held at a bureau, with its reach; the three administrators exclude one another (三员分立).
ADMINISTRATORS = frozenset({Role.SYSTEM, Role.SECURITY, Role.AUDITOR})
SECOND_FACTOR_ROLES = BUREAU_ROLES | ADMINISTRATORS


def excluded(held: Iterable[str], role: str) -> str:
    """Return why one person who holds these roles may not get `role` as well, or nothing.

    三员分立 (GB/T 22239-2019 8.1.4.2 d): an administrator is neither another administrator nor an officer of a bureau.
    """
    apart = ADMINISTRATORS | BUREAU_ROLES
    for other in held:
        if other != role and {other, role} <= apart and {other, role} & ADMINISTRATORS:
            return f"“{Role(other).label}”不能兼任“{Role(role).label}”"
    return ""


_READ = frozenset(
    {
        "institutions.view_institution",
        "institutions.view_notification",
        "institutions.view_capacity",
        "campaigns.view_campaign",
        "campaigns.view_task",
        "campaigns.view_report",
        "campaigns.view_breakthrough",
        "campaigns.view_standard",
        "campaigns.view_plan",
        "campaigns.view_log",
        "campaigns.view_group",
        "campaigns.view_series",
        "campaigns.view_census",
        "campaigns.view_target",
        "campaigns.view_check",
        "supervision.view_round",
        "supervision.view_visit",
        "supervision.view_problem",
        "supervision.view_rectification",
        "supervision.view_notice",
        "supervision.view_sanction",
        "supervision.view_complaint",
        "scoring.view_evaluation",
        "scoring.view_sheet",
        "scoring.view_capability",
    }
)
_MONEY = frozenset({"scoring.view_yearresult"})
# What was done, and totals of pay: also for those whose work it is. Lines of persons: models/distribution.py.
_WORK = frozenset({"scoring.view_workload", "scoring.view_distribution"})
# What the bureau shows to everybody, before and after; others read its public page.
_PUBLIC = frozenset({"campaigns.view_publication"})
# The roster names persons: for those who work with it.
_ROSTER = frozenset({"institutions.view_staffmember"})
_KEEPS = _ROSTER | {"institutions.keep_staff", "institutions.fill_capacity"}
_TABLES = frozenset(
    {"institutions.import_table", "institutions.export_table", "institutions.view_job"}
)
# Takes the evidence of its reach out of the portal in one package.
_PACKS = frozenset({"institutions.pack_evidence"})
# What the one who asks does: a bureau over its institutions, a centre over its clinics, with the same screens.
_ASKS = frozenset(
    {
        "supervision.change_round",
        "supervision.record_visit",
        "supervision.confirm_visit",
        "supervision.add_problem",
        "supervision.verify_rectification",
        "supervision.write_notice",
        "supervision.issue_notice",
        "supervision.propose_sanction",
        "supervision.close_complaint",
        "scoring.change_evaluation",
        "scoring.verify_sheet",
        "scoring.publish_evaluation",
        "scoring.decide_appeal",
        "scoring.settle_year",
        "scoring.verify_workload",
    }
)
_ANSWERS = frozenset(
    {
        "campaigns.receive_campaign",
        "campaigns.write_report",
        # An institution that a task names as its receiver (区疾控 collects 老年人体检报告) judges what comes in.
        "campaigns.review_report",
        "campaigns.write_breakthrough",
        "campaigns.write_plan",
        "campaigns.write_log",
        "campaigns.write_group",
        "campaigns.fill_series",
        "campaigns.fill_census",
        "campaigns.fill_target",
        "campaigns.prepare_check",
        "supervision.answer_rectification",
        "supervision.answer_visit",
        "supervision.receive_notice",
        "supervision.add_complaint",
        "supervision.answer_complaint",
        "scoring.fill_sheet",
        "scoring.declare_workload",
        "scoring.fill_capability",
    }
)
_ADMIN = frozenset({"institutions.use_admin"})


def _crud(*models_: str) -> frozenset[str]:
    return frozenset(
        f"{m.split('.')[0]}.{verb}_{m.split('.')[1]}"
        for m in models_
        for verb in ("view", "add", "change", "delete")
    )


_REFERENCE = _crud(
    "institutions.region",
    "institutions.institution",
    "institutions.department",
    "institutions.serviceitem",
    "institutions.responsibility",
    "institutions.population",
    "institutions.staffmember",
    "institutions.capacity",
    "institutions.holiday",
)
_ACCOUNTS = _crud(
    "institutions.user", "institutions.post", "institutions.mandate", "institutions.pairing"
)

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.SYSTEM: _REFERENCE
    | _ACCOUNTS
    | _ADMIN
    | _TABLES
    | {
        "institutions.view_notification",
        "institutions.manage_account",
        "institutions.manage_reference",
        "institutions.view_account",
        "institutions.hand_over_post",
    },
    Role.SECURITY: _ADMIN
    | {
        "institutions.view_institution",
        "institutions.view_notification",
        "institutions.view_account",
        "institutions.view_user",
        "institutions.view_post",
        "institutions.secure_account",
        "institutions.view_event",
    },
    Role.AUDITOR: _READ
    | _MONEY
    | _WORK
    | _PUBLIC
    | _ROSTER
    | _ADMIN
    | {
        "supervision.view_expert",
        "institutions.export_table",
        "institutions.view_job",
        "institutions.view_event",
        "institutions.view_account",
        "institutions.view_user",
        "institutions.view_post",
        "institutions.view_mandate",
    },
    Role.LEADER: _READ
    | _MONEY
    | _WORK
    | _PUBLIC
    | _TABLES
    | _PACKS
    | _ROSTER
    | {
        "campaigns.issue_campaign",
        "campaigns.confirm_phase",
        "campaigns.decide_publication",
        "campaigns.write_log",
        "supervision.add_problem",
        "supervision.record_visit",
        "supervision.view_expert",
        "supervision.issue_notice",
        "supervision.decide_sanction",
        "scoring.publish_evaluation",
        "scoring.recheck_evaluation",
        "scoring.freeze_year",
        "scoring.confirm_settlement",
        "scoring.decide_capability",
    },
    Role.OFFICER: _READ
    | _MONEY
    | _WORK
    | _PUBLIC
    | _TABLES
    | _PACKS
    | _ASKS
    | _KEEPS
    | {
        "institutions.manage_reference",
        "supervision.view_expert",
        "institutions.pair_leader",
        "campaigns.change_campaign",
        "campaigns.issue_campaign",
        "campaigns.confirm_phase",
        "campaigns.change_task",
        "campaigns.review_report",
        "campaigns.review_breakthrough",
        "campaigns.call_plan",
        "campaigns.review_plan",
        "campaigns.select_case",
        "campaigns.write_log",
        "campaigns.write_group",
        "campaigns.change_standard",
        "campaigns.change_series",
        "campaigns.change_census",
        "campaigns.change_target",
        "campaigns.confirm_target",
        "campaigns.change_check",
        "campaigns.prepare_check",
        "campaigns.write_publication",
        "campaigns.answer_objection",
        "supervision.add_complaint",
        # A bureau answers to the one above it: it receives that bureau's papers and reports on their tasks.
        "campaigns.receive_campaign",
        "campaigns.write_report",
        "supervision.receive_notice",
        # Its departments have breakthrough items of their own.
        "campaigns.write_breakthrough",
        "campaigns.write_plan",
        "scoring.change_policy",
        "scoring.recheck_evaluation",
        "scoring.change_capability",
        "scoring.review_capability",
        "scoring.report_capability",
    },
    Role.FINANCE: _READ
    | _MONEY
    | _WORK
    | _PUBLIC
    | _TABLES
    | _ROSTER
    | {
        "campaigns.receive_campaign",
        "campaigns.write_report",
        "campaigns.write_breakthrough",
        "campaigns.prepare_check",
        "scoring.settle_year",
        "scoring.prepare_settlement",
        "scoring.change_policy",
    },
    Role.LEAD: _READ
    | _PACKS
    | {
        "campaigns.write_log",
        "institutions.export_table",
        "institutions.view_job",
        "supervision.change_round",
        "supervision.record_visit",
        "supervision.confirm_visit",
        "supervision.add_problem",
        "supervision.verify_rectification",
        "scoring.verify_sheet",
    },
    Role.EXPERT: _READ | {"supervision.record_visit", "supervision.add_problem"},
    Role.HEAD: _READ
    | _MONEY
    | _WORK
    | _TABLES
    | _PACKS
    | _ASKS
    | _ANSWERS
    | _KEEPS
    | {
        "supervision.decide_sanction",
        "scoring.submit_sheet",
        "scoring.write_appeal",
        "scoring.apply_capability",
        "scoring.change_policy",
        "scoring.freeze_year",
        "scoring.prepare_settlement",
        "scoring.confirm_settlement",
        "scoring.distribute",
        "institutions.view_account",
        "institutions.manage_account",
        "institutions.hand_over_post",
    },
    Role.STAFF: _READ
    | _WORK
    | _ANSWERS
    | _PACKS
    | _KEEPS
    | {
        "institutions.export_table",
        "institutions.view_job",
        "supervision.record_visit",
        "supervision.add_problem",
        "scoring.verify_sheet",
    },
    Role.STREET: _READ
    | {
        "campaigns.receive_campaign",
        "supervision.receive_notice",
        # A street's 卫计办 answers for tasks as a centre does (C19).
        "campaigns.write_report",
        "campaigns.write_group",
        "campaigns.fill_target",
        "institutions.export_table",
        "institutions.view_job",
    },
}
