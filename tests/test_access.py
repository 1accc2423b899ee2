"""Every route, every role, every relation: who gets in, who is refused, and that nobody reads what is not his.

The expectations are written down here and in tests/canaries.py, from the table of roles, not from the code. A move is posted
with a version that never matches: whoever may make it is told that the record has changed (409), whoever may not is
refused (403), whoever may not see the record does not learn that it exists (404). Nothing is saved.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from institutions.models import Event, Installation, Job, Notification, Post
from tests import builders, canaries
from tests.canaries import CANARY, COUNTY, LEAD_ITEMS, PARENT, REACH, may_read

pytestmark = pytest.mark.django_db

# --- Who is who ------------------------------------------------------------------------------------

OFFICERS = {"officer", "city_officer", "far_officer"}
HEADS = {
    "head",
    "doctor",
    "sibling_doctor",
    "other_head",
    "maternal_head",
    "far_head",
}
BUREAU = OFFICERS | {"leader", "finance"}
UNITS = HEADS | {"staff"}
WORKERS = BUREAU | UNITS | {"lead", "expert", "street", "auditor"}
ADMINISTRATORS = {"system", "security"}
EVERYBODY = WORKERS | ADMINISTRATORS
MONEY = BUREAU | HEADS | {"auditor"}
ASKING = OFFICERS | HEADS
# Whose own work goes into the work log.
LOGGING = OFFICERS | UNITS | {"leader", "lead"}
# Who gets things ready for a check from above.
PREPARING = OFFICERS | UNITS | {"finance"}
GROUPING = OFFICERS | UNITS | {"street"}
# Who keeps rosters and yearly capacity; who gives task numbers.
KEEPING = OFFICERS | UNITS
PLANNING = OFFICERS | HEADS | {"finance"}
# Units that supervise nobody.
CLINICS = {"doctor", "sibling_doctor"}
# Who organises supervision: whoever has units below, and a lead agency for its items.
SENDING = (ASKING | {"lead"}) - CLINICS - {"maternal_head"}
# Who reads what was done, and totals of pay.
WORKING = MONEY | {"staff"}
SETTLING = HEADS | {"finance"}
PERSONAS = [*sorted(REACH), "disabled", "anonymous"]


def home(persona: str) -> str:
    return REACH[persona][1]


def answers(persona: str, code: str, item: str) -> bool:
    return home(persona) == code


def asks(persona: str, code: str, item: str) -> bool:
    if home(persona) == code:
        return False
    if persona == "lead":
        return code in COUNTY and item in LEAD_ITEMS
    return home(persona) == PARENT.get(code)


def asks_by_paper(persona: str, code: str, item: str) -> bool:
    """A task is asked for by the bureau that issued it, of clinics too."""
    return home(persona) == code[:2] and persona not in ("leader", "finance", "auditor")


def decides(persona: str, code: str, item: str) -> bool:
    """Whose bureau runs the activity that the unit takes part in."""
    return home(persona) == code[:2]


def judges(persona: str, code: str, item: str) -> bool:
    """A lead agency judges its items on the bureau's sheets, not on those of a centre's clinics."""
    return asks(persona, code, item) and (persona != "lead" or PARENT[code] == "ZC")


def takes_part(persona: str, code: str, item: str) -> bool:
    """Either side of a visit."""
    return answers(persona, code, item) or asks(persona, code, item)


def keeps(persona: str, code: str, item: str) -> bool:
    """Reference data is kept by the unit itself, by its centre and by its bureau."""
    return home(persona) in (code, PARENT.get(code), code[:2])


def rechecks(persona: str, code: str, item: str) -> bool:
    """The bureau above looks again at what a centre evaluated, never at its own evaluation."""
    return home(persona) == PARENT.get(code) and len(home(persona)) == 2 and "-" in code


def owns(persona: str, code: str, item: str) -> bool:
    """The record is that unit's own affair: a campaign, a round, an evaluation."""
    return home(persona) == code


def works_for(persona: str, code: str, item: str) -> bool:
    """The unit itself, or whoever stands above it."""
    return home(persona) in (code, "ZB") or PARENT.get(code) == home(persona)


# --- The table -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """A page without a record: `allowed` get it, all others are refused."""

    allowed: set[str]
    method: str = "get"
    args: tuple[Any, ...] = ()
    # Without naming a year and a unit there is nothing to act on: 404 for those allowed.
    empty: bool = False


@dataclass(frozen=True)
class Record:
    """A page of one record: `allowed` roles that may read it (canaries.may_read) and stand right get it."""

    rows: str
    kind: str
    allowed: set[str]
    stands: Callable[[str, str, str], bool] = lambda persona, code, item: True
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Guarded(Record):
    """A form or a deed of one record whose state decides what the right people get; all others are refused."""

    methods: tuple[str, ...] = ("get", "post")


@dataclass(frozen=True)
class Move(Record):
    """A POST on one record: 409 for whoever may make it, since the version posted never matches."""

    data: dict[str, str] = field(default_factory=dict)


KEY = "00000000-0000-4000-8000-000000000000"
OPEN = "a page for people who are not logged in"
OWN = "a page about oneself: its rows are found by the user or post alone"

ROUTES: dict[str, Any] = {
    "login": OPEN,
    "activate": OPEN,
    "worker": OPEN,
    "supervision:visit_offline": OPEN,
    "public:home": OPEN,
    "public:bureau": OPEN,
    "public:publication": OPEN,
    "public:file": OPEN,
    "public:object": OPEN,
    "public:receipt": OPEN,
    "logout": OWN,
    "password_change": OWN,
    "second_factor": OWN,
    "second_factor_set_up": OWN,
    "session_list": OWN,
    "session_end": OWN,
    "post_switch": OWN,
    "notification_list": OWN,
    "notification_open": OWN,
    "notification_read_all": OWN,
    "institutions:job_detail": OWN,
    "institutions:job_file": OWN,
    "import_detail": OWN,
    "import_confirm": OWN,
    "import_drop": OWN,
    "import_errors": OWN,
    "scoring:workload_map": OWN,
    "home": Page(EVERYBODY | {"departed"}),
    # institutions
    "institutions:institution_list": Page(EVERYBODY),
    "institutions:staff_list": Page(BUREAU | UNITS | {"auditor", "system"}),
    "institutions:staff_skills": Page(BUREAU | UNITS | {"auditor", "system"}),
    "institutions:staff_create": Page(KEEPING),
    "institutions:capacity_list": Page(WORKERS | {"system"}),
    "institutions:cooperation_list": Page(WORKERS | {"system"}),
    "institutions:cooperation_create": Page(KEEPING),
    "institutions:item_list": Page(EVERYBODY),
    "institutions:post_list": Page(HEADS | {"system", "security", "auditor"}),
    "institutions:account_create": Page(HEADS | {"system"}),
    "institutions:event_list": Page({"auditor", "security"}),
    "institutions:event_verify": Page({"auditor", "security"}, "post"),
    "institutions:job_list": Page(EVERYBODY - {"security", "expert"}),
    "import_start": Page(BUREAU | HEADS | {"system"}),
    "import_stage": Page(BUREAU | HEADS | {"system"}, "post"),
    # campaigns
    "campaigns:campaign_list": Page(WORKERS),
    "campaigns:campaign_create": Page(OFFICERS),
    "campaigns:passage_list": Page(OFFICERS),
    "campaigns:receipt_list": Page(WORKERS),
    "campaigns:task_list": Page(WORKERS),
    "leader_list": Page(WORKERS),
    "campaigns:report_list": Page(WORKERS),
    "campaigns:breakthrough_list": Page(WORKERS),
    "campaigns:standard_list": Page(WORKERS),
    "campaigns:plan_list": Page(WORKERS),
    "campaigns:plan_call_list": Page(WORKERS),
    "campaigns:plan_call_create": Page(OFFICERS),
    "campaigns:group_list": Page(WORKERS),
    "campaigns:group_create": Page(GROUPING),
    "campaigns:log_list": Page(WORKERS),
    "campaigns:log_create": Page(LOGGING),
    "campaigns:log_coverage": Page(WORKERS),
    "campaigns:log_staff": Page(WORKERS),
    "campaigns:series_list": Page(WORKERS),
    "campaigns:series_create": Page(OFFICERS),
    "campaigns:series_adopt": Page(OFFICERS),
    "campaigns:series_fill": Page(UNITS),
    "campaigns:series_coverage": Page(WORKERS),
    "campaigns:census_list": Page(WORKERS),
    "campaigns:target_list": Page(WORKERS),
    "campaigns:target_create": Page(OFFICERS),
    "campaigns:census_create": Page(OFFICERS),
    "campaigns:check_list": Page(WORKERS),
    "campaigns:check_calendar": Page(WORKERS),
    "campaigns:check_create": Page(OFFICERS),
    "campaigns:preparation_list": Page(WORKERS),
    "campaigns:publication_list": Page(BUREAU | {"auditor"}),
    "campaigns:publication_create": Page(OFFICERS),
    "campaigns:objection_list": Page(BUREAU | {"auditor"}),
    "programme_year": Page(WORKERS),
    "overdue_list": Page(WORKERS),
    "campaigns:standard_create": Page(OFFICERS),
    "campaigns:gap_list": Page(WORKERS),
    "campaigns:gap_create": Page(UNITS),
    "campaigns:secondment_list": Page(WORKERS),
    "campaigns:secondment_create": Page(UNITS),
    # supervision
    "supervision:round_list": Page(WORKERS),
    "supervision:round_create": Page(SENDING),
    "supervision:year_plan_list": Page(WORKERS),
    "supervision:year_plan_create": Page(SENDING),
    "supervision:expert_list": Page(OFFICERS | {"leader", "auditor"}),
    "supervision:expert_create": Page(OFFICERS),
    "supervision:visit_calendar": Page(WORKERS),
    "supervision:visit_list": Page(WORKERS),
    "supervision:sample_list": Page(WORKERS),
    "supervision:sample_rates": Page(WORKERS),
    "supervision:survey_list": Page(WORKERS),
    "supervision:visit_policy": Page(SENDING),
    "supervision:problem_list": Page(WORKERS),
    "supervision:problem_create": Page(OFFICERS | UNITS | {"leader", "lead", "expert"}),
    "supervision:rectification_list": Page(WORKERS),
    "supervision:notice_list": Page(WORKERS),
    "supervision:notice_receipt_list": Page(WORKERS),
    "supervision:notice_create": Page(ASKING - CLINICS - {"maternal_head"}),
    "supervision:rectification_statistics": Page(WORKERS),
    "supervision:rectification_sign_many": Page(UNITS),
    "supervision:rectification_close_many": Page(ASKING | {"lead"}),
    "supervision:self_check_list": Page(WORKERS),
    "supervision:self_check_answer": Page(UNITS),
    "supervision:spread_list": Page(ASKING | {"lead"}),
    "supervision:sanction_list": Page(WORKERS),
    "supervision:sanction_create": Page(ASKING),
    "supervision:complaint_list": Page(WORKERS),
    "supervision:complaint_statistics": Page(WORKERS),
    "supervision:complaint_create": Page(OFFICERS | UNITS),
    # scoring
    "scoring:evaluation_list": Page(WORKERS),
    "scoring:evaluation_create": Page(ASKING),
    "scoring:sheet_list": Page(WORKERS),
    "scoring:appeal_list": Page(WORKERS),
    "scoring:honesty_list": Page(WORKERS),
    "scoring:score_summary": Page(WORKERS),
    "scoring:performance_table": Page(MONEY),
    "scoring:scenario_list": Page(MONEY),
    "scoring:scenario_create": Page(OFFICERS | HEADS | {"finance"}),
    "scoring:capability_list": Page(WORKERS),
    "scoring:capability_round_create": Page(OFFICERS),
    "scoring:year_list": Page(MONEY),
    "scoring:adjustment_list": Page(MONEY),
    "scoring:policy_list": Page(MONEY),
    "scoring:estimate_list": Page(MONEY),
    "scoring:cost_list": Page(MONEY),
    "scoring:cost_create": Page(OFFICERS | {"finance"}),
    # money
    "scoring:funding_year": Page(MONEY),
    "scoring:entry_list": Page(MONEY),
    "scoring:entry_create": Page(OFFICERS | SETTLING),
    "scoring:top_up_year": Page(MONEY),
    "scoring:outcome_list": Page(MONEY),
    "scoring:settlement_list": Page(MONEY),
    "scoring:settlement_prepare": Page(SETTLING, "post", empty=True),
    "scoring:settlement_publish_all": Page(SETTLING, "post", empty=True),
    "scoring:settlement_confirm_all": Page(HEADS | {"leader"}, "post", empty=True),
    "scoring:payment_list": Page(MONEY),
    "scoring:allocation_list": Page(MONEY),
    "scoring:allocation_create": Page({"head", "other_head", "maternal_head", "far_head"}),
    "scoring:award_list": Page(MONEY),
    "scoring:award_create": Page(OFFICERS),
    "scoring:award_rate": Page(OFFICERS | {"finance"}, args=(2023, "national")),
    "scoring:workload_list": Page(WORKING),
    "scoring:workload_call": Page(ASKING - CLINICS - {"maternal_head"}),
    "scoring:workload_start": Page(UNITS, "post"),
    "scoring:workload_bring": Page(OFFICERS | SETTLING),
    "scoring:distribution_list": Page(WORKING),
    "scoring:distribution_create": Page(HEADS),
    # records: campaigns
    "campaigns:campaign_detail": Record("campaigns", "campaign", WORKERS),
    "campaign_board": Record("campaigns", "campaign", WORKERS),
    "phase_board": Record("phases", "campaign", WORKERS),
    "campaigns:report_detail": Record("reports", "report", WORKERS),
    "campaigns:report_save": Move("reports", "report", UNITS, answers, data={"text": "x"}),
    "campaigns:report_submit": Move("reports", "report", UNITS, answers),
    "campaigns:report_recall": Move("reports", "report", UNITS, answers),
    "campaigns:report_take_over": Move("reports", "report", UNITS, answers),
    "campaigns:report_accept": Move("reports", "report", OFFICERS, asks_by_paper),
    "campaigns:report_send_back": Move(
        "reports", "report", OFFICERS, asks_by_paper, data={"note": "x"}
    ),
    "campaigns:breakthrough_round": Record("breakthroughs", "campaign", WORKERS),
    "campaigns:breakthrough_summary": Record("breakthroughs", "campaign", WORKERS),
    "campaigns:breakthrough_detail": Record("submissions", "breakthrough", WORKERS),
    "campaigns:breakthrough_table": Record("submissions", "breakthrough", WORKERS),
    "campaigns:breakthrough_round_issue": Move("breakthroughs", "campaign", OFFICERS, owns),
    "campaigns:breakthrough_submit": Move("submissions", "breakthrough", UNITS, answers),
    "campaigns:breakthrough_recall": Move("submissions", "breakthrough", UNITS, answers),
    "campaigns:plan_call_detail": Record("plan_calls", "campaign", WORKERS),
    "campaigns:plan_detail": Record("plans", "scheme", WORKERS),
    "campaigns:plan_save": Move("plans", "scheme", UNITS, answers, data={"text": "x"}),
    "campaigns:plan_submit": Move("plans", "scheme", UNITS, answers),
    "campaigns:plan_recall": Move("plans", "scheme", UNITS, answers),
    "campaigns:plan_revise": Move("plans", "scheme", UNITS, answers),
    "campaigns:plan_accept": Move("plans", "scheme", OFFICERS, asks_by_paper),
    "campaigns:plan_send_back": Move(
        "plans", "scheme", OFFICERS, asks_by_paper, data={"note": "x"}
    ),
    "campaigns:group_detail": Record("groups", "scheme", WORKERS),
    "campaigns:group_dissolve": Move("groups", "scheme", GROUPING, answers),
    "campaigns:member_remove": Move("members", "scheme", GROUPING, answers),
    "campaigns:log_detail": Record("logs", "log", WORKERS),
    "campaigns:log_follow_up": Move(
        "logs", "log", LOGGING, answers, data={"on": "2023-03-01", "text": "x"}
    ),
    "campaigns:log_select": Move("logs", "log", OFFICERS, asks_by_paper),
    "campaigns:log_unselect": Move("logs", "log", OFFICERS, asks_by_paper),
    "campaigns:log_recommend": Move("logs", "log", OFFICERS, asks_by_paper, data={"note": "x"}),
    "campaigns:campaign_issue": Move("campaigns", "campaign", OFFICERS | {"leader"}, owns),
    "campaigns:campaign_close": Move("campaigns", "campaign", OFFICERS | {"leader"}, owns),
    "supervision:phase_confirm": Move("phases", "campaign", OFFICERS | {"leader"}, owns),
    # records: supervision
    "supervision:round_detail": Record("rounds", "round", WORKERS),
    "supervision:round_issue": Move("rounds", "round", ASKING, owns),
    "supervision:round_close": Move("rounds", "round", ASKING, owns),
    "supervision:year_plan_detail": Record("year_plans", "round", WORKERS),
    "supervision:year_plan_issue": Move("year_plans", "round", ASKING, owns),
    "supervision:planned_remove": Guarded(
        "planned", "unannounced", ASKING, owns, methods=("post",)
    ),
    "supervision:planned_start": Guarded("planned", "unannounced", ASKING, owns, methods=("post",)),
    "supervision:planned_edit": Guarded("planned", "unannounced", ASKING, owns),
    "supervision:expert_detail": Record("experts", "expert", OFFICERS | {"leader", "auditor"}),
    "supervision:draw_detail": Record("draws", "unannounced", WORKERS),
    "supervision:visit_reschedule": Move(
        "visits", "visit", ASKING, asks, data={"note": "x", "date": "2099-01-01"}
    ),
    "supervision:visit_detail": Record("visits", "visit", WORKERS),
    "supervision:visit_feedback": Record("visits", "visit", WORKERS),
    "supervision:sample_detail": Record("samples", "visit", WORKERS),
    "supervision:visit_agree": Move("visits", "visit", UNITS, answers),
    "supervision:visit_object": Move("visits", "visit", UNITS, answers, data={"note": "x"}),
    "supervision:visit_settle": Move("visits", "visit", ASKING, asks, data={"note": "x"}),
    "supervision:visit_cancel": Move("visits", "visit", ASKING, asks, data={"note": "x"}),
    "supervision:problem_detail": Record("problems", "problem", WORKERS),
    "supervision:rectification_detail": Record("rectifications", "rectification", WORKERS),
    "supervision:rectification_sign": Move("rectifications", "rectification", UNITS, answers),
    "supervision:rectification_apply": Move("rectifications", "rectification", UNITS, answers),
    "supervision:rectification_save": Move(
        "rectifications", "rectification", UNITS, answers, data={"measures": "x", "person": "x"}
    ),
    "supervision:rectification_note": Move(
        "rectifications", "rectification", UNITS, answers, data={"text": "x"}
    ),
    "supervision:rectification_close": Move(
        "rectifications", "rectification", ASKING | {"lead"}, asks
    ),
    "supervision:rectification_send_back": Move(
        "rectifications",
        "rectification",
        ASKING | {"lead"},
        asks,
        data={"note": "x", "due": "2099-01-01"},
    ),
    "supervision:rectification_withdraw": Move(
        "rectifications", "rectification", ASKING | {"lead"}, asks, data={"note": "x"}
    ),
    "supervision:notice_detail": Record("notices", "notice", WORKERS),
    "supervision:notice_issue": Move("notices", "notice", ASKING | {"leader"}, asks),
    "supervision:notice_drop": Move("notices", "notice", ASKING, asks),
    "supervision:notice_withdraw": Move(
        "notices", "notice", ASKING | {"leader"}, asks, data={"note": "x"}
    ),
    "supervision:extension_ask": Move(
        "rectifications",
        "rectification",
        UNITS,
        answers,
        data={"reason": "x", "wished": "2099-01-01"},
    ),
    "supervision:extension_grant": Move(
        "rectifications", "rectification", ASKING | {"lead"}, asks, data={"due": "2099-01-01"}
    ),
    "supervision:extension_refuse": Move(
        "rectifications", "rectification", ASKING | {"lead"}, asks, data={"note": "x"}
    ),
    "supervision:rectification_effect": Move(
        "rectifications",
        "rectification",
        ASKING | {"lead"},
        asks,
        data={"on": "2023-04-30", "result": "holds", "note": "x"},
    ),
    "supervision:self_check_detail": Record("self_checks", "check", WORKERS),
    "supervision:self_check_send_back": Move(
        "self_checks",
        "check",
        ASKING | {"lead"},
        asks,
        data={"note": "x", "due": "2099-01-01"},
    ),
    "supervision:spread_detail": Record("spreads", "check", WORKERS),
    "supervision:sanction_detail": Record("sanctions", "sanction", WORKERS),
    "supervision:sanction_reject": Move(
        "proposals", "plan", HEADS | {"leader"}, asks, data={"note": "x"}
    ),
    "scoring:sanction_decide": Move(
        "proposals", "plan", HEADS | {"leader"}, asks, data={"note": "x"}
    ),
    "scoring:sanction_revoke": Move(
        "sanctions", "sanction", HEADS | {"leader"}, asks, data={"note": "x"}
    ),
    "supervision:complaint_detail": Record("complaints", "problem", WORKERS),
    "supervision:complaint_reply": Move(
        "complaints", "problem", UNITS, answers, data={"answer": "x", "handler": "x"}
    ),
    "supervision:complaint_close": Move(
        "complaints", "problem", ASKING, asks, data={"satisfied": "yes"}
    ),
    "supervision:complaint_send_back": Move(
        "complaints", "problem", ASKING, asks, data={"note": "x"}
    ),
    "supervision:complaint_withdraw": Move(
        "complaints", "problem", ASKING, asks, data={"note": "x"}
    ),
    # records: what is shown to everybody, and what they say about it
    "campaigns:publication_detail": Record("publications", "publication", BUREAU | {"auditor"}),
    "campaigns:objection_detail": Record("objections", "publication", BUREAU | {"auditor"}),
    **{
        f"campaigns:publication_{name}": Move("publications", "publication", OFFICERS, owns)
        for name in ("submit", "discard", "table_remove")
    },
    **{
        f"campaigns:publication_{name}": Move(
            "publications", "publication", {"leader"}, owns, data={"note": "x"}
        )
        for name in ("publish", "send_back", "withdraw")
    },
    "campaigns:objection_reply": Move(
        "objections", "publication", OFFICERS, owns, data={"answer": "x"}
    ),
    # records: scoring
    "scoring:evaluation_detail": Record("evaluations", "evaluation", WORKERS),
    "scoring:evaluation_open": Move("evaluations", "evaluation", ASKING, owns),
    "scoring:evaluation_publish": Move("evaluations", "evaluation", ASKING | {"leader"}, owns),
    "scoring:evaluation_finalise": Move("evaluations", "evaluation", ASKING | {"leader"}, owns),
    "scoring:sheet_detail": Record("sheets", "sheet", WORKERS),
    "scoring:sheet_submit": Move("sheets", "sheet", HEADS, answers),
    "scoring:sheet_verify": Move("sheets", "sheet", OFFICERS | UNITS, asks),
    "scoring:sheet_send_back": Move("sheets", "sheet", OFFICERS | UNITS, asks, data={"note": "x"}),
    "scoring:sheet_read": Move("sheets", "sheet", OFFICERS | UNITS, asks),
    "scoring:sheet_reopen": Move("sheets", "sheet", OFFICERS | UNITS, asks, data={"note": "x"}),
    "scoring:section_finish": Move("sections", "section", OFFICERS | UNITS | {"lead"}, judges),
    "scoring:section_resume": Move("sections", "section", OFFICERS | UNITS | {"lead"}, judges),
    "scoring:appeal_detail": Record("appeals", "appeal", WORKERS),
    "scoring:appeal_withdraw": Move("appeals", "appeal", HEADS, answers),
    "scoring:appeal_uphold": Move("appeals", "appeal", ASKING, asks, data={"note": "x"}),
    "scoring:appeal_reject": Move("appeals", "appeal", ASKING, asks, data={"note": "x"}),
    "scoring:year_detail": Record("years", "money", MONEY),
    "scoring:year_costs": Record("years", "money", MONEY),
    "scoring:scenario_detail": Record("scenarios", "money", MONEY),
    "scoring:recheck_detail": Record("rechecks", "scheme", WORKERS),
    "scoring:settlement_detail": Record("settlements", "money", MONEY),
    "scoring:settlement_publish": Move("settlements", "money", SETTLING, asks),
    "scoring:settlement_confirm": Move("settlements", "money", HEADS | {"leader"}, asks),
    "scoring:settlement_finish": Move("settlements", "money", SETTLING, asks),
    "scoring:objection_withdraw": Move("settlement_objections", "money", HEADS, answers),
    "scoring:objection_uphold": Move("settlement_objections", "money", SETTLING, asks),
    "scoring:objection_reject": Move(
        "settlement_objections", "money", SETTLING, asks, data={"note": "x"}
    ),
    "scoring:allocation_detail": Record("allocations", "evaluation", MONEY),
    "scoring:allocation_finalise": Move("allocations", "evaluation", OFFICERS | SETTLING, owns),
    "scoring:award_detail": Record("awards", "sanction", MONEY),
    "scoring:workload_detail": Record("workloads", "scheme", WORKING),
    "scoring:workload_submit": Move("workloads", "scheme", UNITS, answers),
    "scoring:workload_verify": Move("workloads", "scheme", ASKING, asks),
    "scoring:workload_send_back": Move("workloads", "scheme", ASKING, asks, data={"note": "x"}),
    "scoring:workload_reopen": Move("workloads", "scheme", ASKING, asks, data={"note": "x"}),
    "scoring:distribution_detail": Record("distributions", "money", MONEY),
    "scoring:distribution_confirm": Move("distributions", "money", HEADS, answers),
    "scoring:distribution_reopen": Move(
        "distributions", "money", HEADS, answers, data={"note": "x"}
    ),
    "scoring:distribution_freeze": Move("distributions", "money", HEADS, answers),
    # forms and deeds of records whose state decides
    "campaigns:campaign_edit": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:campaign_text": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:campaign_receive": Guarded(
        "campaigns", "campaign", UNITS | {"street"}, methods=("post",)
    ),
    "campaigns:campaign_document": Guarded("campaigns", "campaign", WORKERS, methods=("get",)),
    "campaigns:campaign_file": Guarded(
        "campaigns", "campaign", WORKERS, args=(KEY,), methods=("get",)
    ),
    "campaigns:campaign_file_remove": Guarded(
        "campaigns", "campaign", OFFICERS, owns, args=(KEY,), methods=("post",)
    ),
    "campaigns:phase_edit": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:recipient_edit": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:recipient_remove": Guarded(
        "campaigns", "campaign", OFFICERS, owns, methods=("post",)
    ),
    "campaigns:focus_create": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:focus_edit": Guarded("focuses", "campaign", OFFICERS, owns),
    "campaigns:focus_delete": Guarded("focuses", "campaign", OFFICERS, owns, methods=("post",)),
    "campaigns:passage_edit": Guarded("passages", "campaign", OFFICERS, owns),
    "campaigns:task_create": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:duty_matrix": Guarded("campaigns", "campaign", WORKERS, methods=("get",)),
    "campaigns:task_detail": Guarded("tasks", "campaign", WORKERS, methods=("get",)),
    "campaigns:task_edit": Guarded("tasks", "campaign", OFFICERS, owns),
    "campaigns:task_delete": Guarded("tasks", "campaign", OFFICERS, owns, methods=("post",)),
    "campaigns:task_extend": Guarded("tasks", "campaign", OFFICERS, owns),
    "campaigns:report_file": Guarded("reports", "report", WORKERS, args=(KEY,), methods=("get",)),
    "campaigns:report_file_remove": Guarded(
        "reports", "report", UNITS, answers, args=(KEY,), methods=("post",)
    ),
    "campaigns:breakthrough_round_create": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:breakthrough_round_edit": Guarded("breakthroughs", "campaign", OFFICERS, owns),
    "campaigns:breakthrough_review": Guarded(
        "submissions", "breakthrough", OFFICERS, asks_by_paper
    ),
    "campaigns:breakthrough_item_create": Guarded("submissions", "breakthrough", UNITS, answers),
    "campaigns:breakthrough_item_edit": Guarded("items", "breakthrough", UNITS, answers),
    "campaigns:breakthrough_item_delete": Guarded(
        "items", "breakthrough", UNITS, answers, methods=("post",)
    ),
    "campaigns:breakthrough_progress": Guarded("items", "breakthrough", UNITS, answers),
    "campaigns:breakthrough_file": Guarded(
        "items", "breakthrough", WORKERS, args=(KEY,), methods=("get",)
    ),
    "campaigns:plan_call_edit": Guarded("plan_calls", "campaign", OFFICERS, owns),
    "campaigns:plan_file": Guarded("plans", "scheme", WORKERS, args=(KEY,), methods=("get",)),
    "campaigns:plan_file_remove": Guarded(
        "plans", "scheme", UNITS, answers, args=(KEY,), methods=("post",)
    ),
    "campaigns:group_edit": Guarded("groups", "scheme", GROUPING, answers),
    "campaigns:member_create": Guarded("groups", "scheme", GROUPING, answers),
    "campaigns:group_file": Guarded("groups", "scheme", WORKERS, args=(KEY,), methods=("get",)),
    "campaigns:log_edit": Guarded("logs", "log", LOGGING, answers),
    "campaigns:log_file": Guarded("logs", "log", WORKERS, args=(KEY,), methods=("get",)),
    "campaigns:log_file_remove": Guarded(
        "logs", "log", LOGGING, answers, args=(KEY,), methods=("post",)
    ),
    "campaigns:standard_detail": Guarded("standards", "standard", WORKERS, methods=("get",)),
    "campaigns:series_detail": Record("series", "standard", WORKERS),
    "campaigns:series_edit": Guarded("series", "standard", OFFICERS, owns),
    "campaigns:census_detail": Record("censuses", "standard", WORKERS),
    "campaigns:census_edit": Guarded("censuses", "standard", OFFICERS, owns),
    "campaigns:census_fill": Guarded("censuses", "standard", UNITS),
    "campaigns:target_detail": Record("targets", "standard", WORKERS),
    "campaigns:target_edit": Guarded("targets", "standard", OFFICERS, owns),
    "campaigns:contribution_detail": Record("contributions", "visit", WORKERS),
    "campaigns:contribution_save": Move(
        "contributions", "visit", UNITS | {"street"}, answers, data={"text": "x"}
    ),
    **{
        f"campaigns:contribution_{name}": Move(
            "contributions", "visit", UNITS | {"street"}, answers
        )
        for name in ("report", "recall", "renew")
    },
    "campaigns:contribution_confirm": Move("contributions", "visit", OFFICERS, asks_by_paper),
    "campaigns:contribution_send_back": Move(
        "contributions", "visit", OFFICERS, asks_by_paper, data={"note": "x"}
    ),
    "campaigns:contribution_file": Guarded(
        "contributions", "visit", WORKERS, args=(KEY,), methods=("get",)
    ),
    "campaigns:log_checks": Record("campaigns", "campaign", WORKERS),
    "campaigns:check_detail": Record("checks", "standard", WORKERS),
    "campaigns:check_edit": Guarded("checks", "standard", OFFICERS, owns),
    "campaigns:check_result": Guarded("checks", "standard", OFFICERS, owns),
    "campaigns:preparation_create": Guarded("checks", "standard", OFFICERS, owns),
    "campaigns:preparation_detail": Record("preparations", "scheme", WORKERS),
    "campaigns:preparation_edit": Guarded("preparations", "scheme", OFFICERS, asks_by_paper),
    "campaigns:preparation_remove": Guarded(
        "preparations", "scheme", OFFICERS, asks_by_paper, methods=("post",)
    ),
    "campaigns:preparation_finish": Move(
        "preparations", "scheme", PREPARING, answers, data={"on": "2023-03-01"}
    ),
    "campaigns:preparation_resume": Move("preparations", "scheme", PREPARING, answers),
    "campaigns:preparation_file": Guarded(
        "preparations", "scheme", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:complaint_file": Guarded(
        "complaints", "problem", WORKERS, args=(KEY,), methods=("get",)
    ),
    "campaigns:standard_publish": Guarded(
        "standards", "standard", OFFICERS, owns, methods=("post",)
    ),
    "campaigns:standard_difference": Guarded("standards", "standard", WORKERS, methods=("get",)),
    "campaigns:standard_export": Guarded(
        "standards", "standard", WORKERS - {"expert"}, methods=("get",)
    ),
    "campaigns:standard_edit": Guarded("standards", "standard", OFFICERS, owns, methods=("get",)),
    "campaigns:standard_head": Guarded("standards", "standard", OFFICERS, owns),
    "campaigns:standard_levels": Guarded("standards", "standard", OFFICERS, owns),
    "campaigns:standard_edition": Guarded("standards", "standard", OFFICERS, owns),
    "campaigns:standard_next_year": Guarded("standards", "standard", OFFICERS, owns),
    "campaigns:clause_create": Guarded("standards", "standard", OFFICERS, owns),
    "campaigns:clause_edit": Guarded("clauses", "standard", OFFICERS, owns),
    "campaigns:clause_move": Guarded("clauses", "standard", OFFICERS, owns, methods=("post",)),
    "campaigns:clause_delete": Guarded("clauses", "standard", OFFICERS, owns, methods=("post",)),
    "campaigns:campaign_copy": Guarded("campaigns", "campaign", OFFICERS, owns),
    "campaigns:campaign_difference": Guarded(
        "campaigns", "campaign", WORKERS, owns, methods=("get",)
    ),
    "supervision:year_plan_edit": Guarded("year_plans", "round", ASKING, owns),
    "supervision:year_plan_coverage": Guarded(
        "year_plans", "round", WORKERS, works_for, methods=("get",)
    ),
    "supervision:planned_create": Guarded("year_plans", "round", ASKING, owns),
    "visit_suggestion": Guarded("year_plans", "round", ASKING, owns),
    "supervision:expert_edit": Guarded("experts", "expert", OFFICERS, owns),
    "supervision:tie_withdraw": Guarded("ties", "expert", OFFICERS, owns, methods=("post",)),
    "supervision:draw_create": Guarded("rounds", "round", ASKING, owns),
    "supervision:round_edit": Guarded("rounds", "round", ASKING, owns),
    "supervision:visit_create": Guarded("rounds", "round", ASKING, owns),
    "supervision:visit_edit": Guarded("visits", "visit", ASKING, asks),
    "supervision:visit_record": Guarded("visits", "visit", WORKERS, asks, methods=("get",)),
    "supervision:visit_submit": Guarded("visits", "visit", WORKERS, asks, methods=("post",)),
    "supervision:line_save": Guarded("visits", "visit", WORKERS, asks, methods=("post",)),
    "supervision:line_photo": Guarded("visits", "visit", WORKERS, asks, methods=("post",)),
    "supervision:visit_file": Guarded("visits", "visit", WORKERS, args=(KEY,), methods=("get",)),
    "supervision:line_remove": Guarded("visit_lines", "visit", WORKERS, asks, methods=("post",)),
    "supervision:line_file": Guarded(
        "visit_lines", "visit", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:visit_samples": Guarded("visits", "visit", WORKERS, methods=("get",)),
    "supervision:survey_entries": Guarded("visits", "visit", WORKERS, methods=("get",)),
    "supervision:visit_sign": Guarded("visits", "visit", WORKERS, takes_part, methods=("post",)),
    "supervision:signature_file": Guarded(
        "signatures", "visit", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:sample_reveal": Guarded(
        "samples", "visit", WORKERS, takes_part, methods=("post",)
    ),
    "supervision:check_save": Guarded("record_checks", "visit", WORKERS, asks, methods=("post",)),
    "supervision:survey_reveal": Guarded("visits", "visit", WORKERS, asks, methods=("post",)),
    "supervision:survey_remove": Guarded("surveys", "visit", WORKERS, asks, methods=("post",)),
    "supervision:problem_file": Guarded(
        "problems", "problem", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:rectification_file": Guarded(
        "rectifications", "rectification", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:note_file": Guarded(
        "notes", "rectification", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:notice_edit": Guarded("notices", "notice", ASKING, asks),
    "supervision:notice_document": Guarded("notices", "notice", WORKERS, methods=("get",)),
    "supervision:notice_receive": Guarded("notices", "notice", UNITS, answers, methods=("post",)),
    "scoring:evaluation_notice": Guarded(
        "evaluations", "evaluation", ASKING, owns, methods=("post",)
    ),
    "supervision:spread_create": Guarded("problems", "problem", ASKING | {"lead"}, asks),
    "supervision:effect_file": Guarded(
        "effects", "rectification", WORKERS, args=(KEY,), methods=("get",)
    ),
    "scoring:sheet_raise": Guarded("sheets", "sheet", OFFICERS | UNITS | {"leader"}, asks),
    "supervision:sanction_file": Guarded(
        "referrals", "discipline", WORKERS, args=(KEY,), methods=("get",)
    ),
    "scoring:evaluation_edit": Guarded("evaluations", "evaluation", ASKING, owns),
    "scoring:sheet_fill": Guarded("sheets", "sheet", UNITS, answers, methods=("get",)),
    "scoring:section_verify": Guarded(
        "sections", "section", OFFICERS | UNITS | {"lead"}, judges, methods=("get",)
    ),
    "scoring:section_adopt": Guarded(
        "sections", "section", OFFICERS | UNITS | {"lead"}, judges, methods=("post",)
    ),
    "scoring:line_save": Guarded("lines", "section", UNITS, answers, methods=("post",)),
    "scoring:section_line_save": Guarded(
        "lines", "section", OFFICERS | UNITS | {"lead"}, judges, methods=("post",)
    ),
    "scoring:line_attach": Guarded("lines", "section", UNITS, answers, methods=("post",)),
    "scoring:line_file": Guarded("lines", "section", WORKERS, args=(KEY,), methods=("get",)),
    "scoring:line_correct": Guarded("lines", "section", ASKING | {"leader"}, asks),
    **{
        f"scoring:scenario_{name}": Guarded(
            "scenarios", "money", OFFICERS | HEADS | {"finance"}, owns, methods=("post",)
        )
        for name in ("adopt", "remove")
    },
    "scoring:recheck_draw": Guarded(
        "evaluations", "evaluation", OFFICERS | {"leader"}, rechecks, methods=("post",)
    ),
    **{
        f"scoring:recheck_{name}": Guarded(
            "rechecks", "scheme", OFFICERS | {"leader"}, rechecks, methods=("post",)
        )
        for name in ("note", "feed_back")
    },
    "scoring:recheck_correct": Guarded(
        "recheck_lines", "scheme", OFFICERS | {"leader"}, rechecks, methods=("post",)
    ),
    "scoring:appeal_create": Guarded("lines", "section", HEADS, answers),
    "scoring:appeal_file": Guarded("appeals", "appeal", WORKERS, args=(KEY,), methods=("get",)),
    "scoring:line_detach": Guarded(
        "lines", "section", UNITS, answers, args=(KEY,), methods=("post",)
    ),
    # 优质服务基层行
    "scoring:capability_round": Record("capability_rounds", "standard", WORKERS),
    "scoring:capability_round_edit": Guarded("capability_rounds", "standard", OFFICERS, owns),
    "scoring:capability_start": Guarded("capability_rounds", "standard", UNITS, methods=("post",)),
    "scoring:capability_report_up": Guarded("capability_rounds", "standard", OFFICERS, owns),
    "scoring:capability_spot": Guarded("capability_rounds", "standard", OFFICERS, owns),
    "scoring:capability_close": Move("capability_rounds", "standard", OFFICERS, owns),
    "scoring:capability_report": Record("capability_reports", "scheme", WORKERS),
    "scoring:capability_draw": Record("capability_draws", "unannounced", WORKERS),
    "scoring:capability_detail": Record("capability_reviews", "scheme", WORKERS),
    "scoring:capability_fill": Guarded(
        "capability_reviews", "scheme", UNITS, answers, methods=("get",)
    ),
    "scoring:capability_put_right": Guarded("capability_reviews", "scheme", UNITS, answers),
    "scoring:capability_complete": Move("capability_reviews", "scheme", UNITS, answers),
    "scoring:capability_resume": Move("capability_reviews", "scheme", UNITS, answers),
    "scoring:capability_apply": Move(
        "capability_reviews", "scheme", HEADS, answers, data={"level": "basic"}
    ),
    "scoring:capability_judge": Guarded(
        "capability_reviews", "scheme", OFFICERS, asks_by_paper, methods=("get",)
    ),
    **{
        f"scoring:capability_{name}": Move(
            "capability_reviews", "scheme", OFFICERS, asks_by_paper, data={"note": "x"}
        )
        for name in ("adopt", "pass_on", "send_back", "fail", "reopen", "confirm")
    },
    **{
        f"scoring:capability_{name}": Guarded(
            "capability_reviews", "scheme", OFFICERS, asks_by_paper
        )
        for name in ("draw_lots", "certify")
    },
    "scoring:capability_use": Guarded("capability_reviews", "scheme", {"leader"}, decides),
    "scoring:capability_line_save": Guarded(
        "capability_lines", "scheme", UNITS, answers, methods=("post",)
    ),
    "scoring:capability_line_judge": Guarded(
        "capability_lines", "scheme", OFFICERS, asks_by_paper, methods=("post",)
    ),
    "scoring:capability_line_attach": Guarded(
        "capability_lines", "scheme", UNITS, answers, methods=("post",)
    ),
    "scoring:capability_line_file": Guarded(
        "capability_lines", "scheme", WORKERS, args=(KEY,), methods=("get",)
    ),
    "scoring:capability_line_detach": Guarded(
        "capability_lines", "scheme", UNITS, answers, args=(KEY,), methods=("post",)
    ),
    "scoring:adjustment_withdraw": Guarded(
        "adjustments", "money", OFFICERS | HEADS | {"finance"}, asks, methods=("post",)
    ),
    "scoring:settlement_pay": Guarded("settlements", "money", SETTLING, asks),
    "scoring:settlement_object": Guarded("settlements", "money", HEADS, answers),
    "scoring:objection_file": Guarded(
        "settlement_objections", "money", MONEY, args=(KEY,), methods=("get",)
    ),
    "scoring:allocation_change": Guarded(
        "allocations", "evaluation", OFFICERS | SETTLING, owns, methods=("post",)
    ),
    "scoring:award_pay": Guarded("awards", "sanction", SETTLING, asks),
    "scoring:workload_save": Guarded("workloads", "scheme", UNITS, answers, methods=("post",)),
    "scoring:workload_judge": Guarded("workloads", "scheme", ASKING, asks, methods=("post",)),
    "scoring:distribution_change": Guarded(
        "distributions", "money", HEADS, answers, methods=("post",)
    ),
    "scoring:distribution_take_in": Guarded(
        "distributions", "money", HEADS, answers, methods=("post",)
    ),
    "scoring:share_edit": Guarded("shares", "money", HEADS, answers),
    "scoring:share_drop": Guarded("shares", "money", HEADS, answers, methods=("post",)),
    # deeds of one's own unit: what they touch is found from the post, never from the request
    "scoring:adjustment_create": Page(OFFICERS | HEADS | {"finance"}),
    "scoring:policy_edit": Page(OFFICERS | HEADS | {"finance"}, args=(2023, "加分上限")),
    "scoring:year_settle": Page(OFFICERS | HEADS | {"finance"}, "post", empty=True),
    "scoring:year_confirm": Page(OFFICERS | HEADS | {"finance", "leader"}, "post", empty=True),
    "scoring:year_freeze": Page(HEADS | {"leader"}, "post", empty=True),
    "dossier_start": Page(OFFICERS | UNITS | {"leader", "lead"}),
    "dossier_make": Page(OFFICERS | UNITS | {"leader", "lead"}, "post"),
    "import_template": Page(OFFICERS | HEADS | {"leader"}, args=("problems",)),
    "table_export": Page(EVERYBODY - {"security", "expert"}, args=("institutions",)),
    # people: seen within one's reach, changed by whoever looks after accounts
    "institutions:post_detail": Record("posts", "post", HEADS | {"system", "security", "auditor"}),
    "institution_detail": Record("units", "unit", EVERYBODY),
    "leader_page": Guarded("leaders", "post", WORKERS, methods=("get",)),
    "institutions:pairing_edit": Guarded("leaders", "post", OFFICERS, owns),
    # people and means, gaps, secondments, the estimate
    "institutions:staff_edit": Guarded("staff", "unit", KEEPING, keeps),
    "institutions:capacity_detail": Record("units", "unit", WORKERS | {"system"}),
    "institutions:capacity_edit": Guarded("units", "unit", KEEPING, keeps),
    "institutions:cooperation_edit": Guarded("cooperations", "unit", KEEPING, keeps),
    "campaigns:gap_plan": Record("units", "unit", WORKERS),
    "campaigns:gap_detail": Record("gaps", "scheme", WORKERS),
    "campaigns:gap_edit": Guarded("gaps", "scheme", UNITS, answers),
    "campaigns:gap_finish": Move("gaps", "scheme", UNITS, answers, data={"note": "x"}),
    "campaigns:gap_confirm": Move("gaps", "scheme", OFFICERS, asks_by_paper),
    "campaigns:gap_send_back": Move("gaps", "scheme", OFFICERS, asks_by_paper, data={"note": "x"}),
    "campaigns:gap_file": Guarded("gaps", "scheme", WORKERS, args=(KEY,), methods=("get",)),
    "campaigns:gap_file_remove": Guarded(
        "gaps", "scheme", UNITS, answers, args=(KEY,), methods=("post",)
    ),
    "campaigns:secondment_detail": Record("secondments", "scheme", WORKERS),
    "campaigns:secondment_edit": Guarded("secondments", "scheme", UNITS, answers),
    **{
        f"campaigns:secondment_{name}": Move(
            "secondments", "scheme", OFFICERS, asks_by_paper, data={"note": "x"}
        )
        for name in ("approve", "send_back")
    },
    **{
        f"campaigns:secondment_{name}": Move(
            "secondments", "scheme", UNITS, answers, data={"note": "x"}
        )
        for name in ("reapply", "withdraw", "finish")
    },
    "campaigns:publication_edit": Guarded("publications", "publication", OFFICERS, owns),
    "campaigns:publication_replace": Guarded(
        "publications", "publication", OFFICERS, owns, methods=("post",)
    ),
    "campaigns:publication_file": Guarded(
        "publications", "publication", BUREAU | {"auditor"}, args=(KEY,), methods=("get",)
    ),
    "campaigns:publication_file_remove": Guarded(
        "publications", "publication", OFFICERS, owns, args=(KEY,), methods=("post",)
    ),
    "campaigns:objection_reveal": Guarded(
        "objections", "publication", OFFICERS, owns, methods=("post",)
    ),
    "scoring:publication_table": Guarded("publications", "publication", OFFICERS, owns),
    "scoring:estimate_detail": Record("units", "unit", MONEY),
    "scoring:estimate_edit": Guarded("units", "unit", PLANNING, keeps),
    "scoring:estimate_split": Guarded("units", "unit", PLANNING, keeps, methods=("post",)),
    "scoring:cost_edit": Guarded("work_units", "standard", OFFICERS | {"finance"}, owns),
    **{
        f"institutions:{name}": Guarded("posts", "post", HEADS | {"system"}, methods=(method,))
        for name, method in (
            ("post_hand_over", "get"),
            ("account_reset", "post"),
            ("account_deactivate", "post"),
            ("account_reactivate", "post"),
        )
    },
    **{
        f"institutions:{name}": Guarded("posts", "post", {"security"}, methods=("post",))
        for name in ("account_unlock", "account_end_sessions", "account_reset_second_factor")
    },
}
# Rows of these units stand for every relation: one's own, a sibling's, a child's, another centre's, a lead agency's
# own, another county's.
UNITS_TRIED = {"ZC-QNL", "ZC-QNL-1", "ZC-QNL-2", "ZC-WC", "ZC-CDC", "ZD-A", "ZC", "ZD"}


def our_routes() -> set[str]:
    def walk(resolver, namespace=""):
        for entry in resolver.url_patterns:
            if isinstance(entry, URLPattern):
                yield f"{namespace}{entry.name}"
            elif entry.namespace != "admin":
                yield from walk(
                    entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace
                )

    return set(walk(get_resolver()))


# --- The ground it is tried on ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground(_world, django_db_blocker):
    """The world with a canary in every row, a logged-in client for each persona; rolled back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        rows = canaries.fill(_world)
        clients = {}
        for persona in PERSONAS:
            client = Client(raise_request_exception=True)
            post = getattr(_world.posts, persona, None)
            if post is not None:
                client.force_login(post.user, backend="institutions.backends.RoleBackend")
            clients[persona] = client
        yield SimpleNamespace(world=_world, rows=rows, clients=clients)
        transaction.set_rollback(True)


def whose(row) -> tuple[str, str]:
    """Return the unit's code and the item's code of a row."""
    row = row.recipients.get() if type(row).__name__ == "Notice" else row
    if type(row).__name__ == "StaffShare":
        row = row.distribution
    if type(row).__name__ in ("ProgressNote", "EffectCheck"):
        row = row.rectification
    row = getattr(row, "visit", row)
    row = getattr(row, "submission", row)
    row = row.group if type(row).__name__ == "Member" else getattr(row, "visit", row)
    row = row.standard if type(row).__name__ == "Clause" else row
    owner = {
        "RecheckLine": "recheck",
        "PlannedRound": "plan",
        "ExpertTie": "expert",
        "Draw": "round",
        "CapabilityDraw": "round",
        "CapabilityLine": "review",
    }
    row = getattr(row, owner.get(type(row).__name__, ""), row)
    if type(row).__name__ == "ScoreLine":
        row = row.section
    if type(row).__name__ == "Institution":
        return row.code, ""
    unit = getattr(row, "institution", None) or getattr(row, "bureau", None)
    if unit is None:
        unit = row.campaign.institution
    item = getattr(row, "item", None)
    if item is None and hasattr(row, "task"):
        item = row.task.item
    if type(row).__name__ == "ScoreSheet":
        return unit.code, "02"
    return unit.code, item.code if item and type(row).__name__ != "Task" else ""


def tried(ground, spec: Record):
    """Yield one row for each unit and kind; a second one, of an item nobody leads, for the centre."""
    seen = set()
    for row in getattr(ground.rows, spec.rows):
        code, item = whose(row)
        kind = spec.kind
        if kind == "visit" and getattr(row, "visit", row).status == "planned":
            kind = "plan"
        wanted = code in UNITS_TRIED and (item != "08" or code == "ZC-QNL")
        if wanted and (code, item, kind) not in seen:
            seen.add((code, item, kind))
            yield row, code, item, kind


def ask(ground, persona: str, route: str, args, method="get", data=None):
    client = ground.clients[persona]
    with transaction.atomic():
        response = getattr(client, method)(reverse(route, args=args), data or {})
        body = response.getvalue() if response.streaming else response.content
        transaction.set_rollback(method == "post")
    return response, body.decode(errors="ignore")


def assert_no_foreign_canary(persona: str, route: str, response, body: str) -> None:
    heads = " ".join(f"{k}: {v}" for k, v in response.headers.items())
    for code, item, kind in set(CANARY.findall(body + heads)):
        assert persona in REACH and may_read(persona, code, item, kind), (
            f"{persona} reads {kind} of {code} (item {item}) at {route}"
        )


def stranger(persona: str) -> bool:
    return persona in ("anonymous", "disabled")


def assert_sent_to_login(response, route):
    assert response.status_code == 302 and settings.LOGIN_URL in response.url, route


# --- What must hold --------------------------------------------------------------------------------


def test_every_route_is_classified():
    assert our_routes() == set(ROUTES)


def by_type(cls):
    return [name for name, spec in ROUTES.items() if type(spec) is cls]


@pytest.mark.parametrize("route", by_type(Page))
def test_pages_open_to_their_roles_only(ground, route):
    spec = ROUTES[route]
    for persona in PERSONAS:
        response, body = ask(ground, persona, route, spec.args, spec.method)
        if stranger(persona):
            assert_sent_to_login(response, route)
        elif persona in spec.allowed:
            known = (200, 302, 400, 409, *((404,) if spec.empty else ()))
            assert response.status_code in known, (route, persona, response.status_code)
        else:
            assert response.status_code == 403, (route, persona, response.status_code)
        assert_no_foreign_canary(persona, route, response, body)


LISTS = [n for n in by_type(Page) if n.endswith("_list")]


@pytest.mark.parametrize("route", LISTS)
def test_exports_and_searches_stay_in_sight(ground, route):
    for persona in ROUTES[route].allowed & set(REACH):
        for query in ({"format": "csv"}, {"q": "金丝雀"}, {"q": "ZD"}, {"sort": "-0", "page": "2"}):
            response, body = ask(ground, persona, route, (), data=query)
            assert response.status_code == 200, (route, persona, query)
            assert_no_foreign_canary(persona, route, response, body)


@pytest.mark.row("X11")
@pytest.mark.parametrize("route", by_type(Record))
def test_records_out_of_sight_do_not_exist(ground, route):
    spec = ROUTES[route]
    for row, code, item, kind in tried(ground, spec):
        for persona in PERSONAS:
            response, body = ask(ground, persona, route, (row.pk, *spec.args))
            got = response.status_code
            if stranger(persona):
                assert_sent_to_login(response, route)
            elif persona not in spec.allowed:
                assert got in (403, 404), (route, persona, code, got)
            elif may_read(persona, code, item, kind):
                assert got == 200, (route, persona, code, item, kind, got)
            else:
                assert got == 404, (route, persona, code, item, kind, got)
            assert_no_foreign_canary(persona, route, response, body)


@pytest.mark.row("X11")
@pytest.mark.parametrize("route", by_type(Move))
def test_moves_are_made_by_the_right_side_only(ground, route):
    spec = ROUTES[route]
    winners = 0
    for row, code, item, kind in tried(ground, spec):
        for persona in PERSONAS:
            data = {**spec.data, "version": "0"}
            response, _ = ask(ground, persona, route, (row.pk, *spec.args), "post", data)
            got = response.status_code
            if stranger(persona):
                assert_sent_to_login(response, route)
            elif not may_read(persona, code, item, kind):
                assert got in ((404,) if persona in spec.allowed else (403, 404)), (
                    route,
                    persona,
                    code,
                    item,
                    got,
                )
            elif persona in spec.allowed and spec.stands(persona, code, item):
                assert got == 409, (route, persona, code, item, got)
                winners += 1
            else:
                assert got == 403, (route, persona, code, item, got)
    assert winners, f"nobody may ever press {route}"


@pytest.mark.parametrize("route", by_type(Guarded))
def test_forms_and_deeds_refuse_all_others(ground, route):
    spec = ROUTES[route]
    for row, code, item, kind in tried(ground, spec):
        for persona in PERSONAS:
            for method in spec.methods:
                response, body = ask(ground, persona, route, (row.pk, *spec.args), method)
                got = response.status_code
                where = (got, route, method, persona, code, item, kind)
                if stranger(persona):
                    assert_sent_to_login(response, route)
                elif not may_read(persona, code, item, kind):
                    assert got in (403, 404), where
                elif persona in spec.allowed and spec.stands(persona, code, item):
                    assert got < 500, where
                else:
                    # Or sent to the record itself, or told that it is no longer open: nothing is given or done.
                    assert got in (403, 404, 409) or (got == 302 and method == "get"), where
                assert_no_foreign_canary(persona, route, response, body)


def test_each_method_but_the_named_one_is_refused(ground):
    for route, spec in ROUTES.items():
        if isinstance(spec, Move):
            row = next(tried(ground, spec))[0]
            response, _ = ask(ground, "officer", route, (row.pk, *spec.args), "get")
            assert response.status_code == 405, route


def test_a_right_taken_away_is_gone_with_the_next_request(world, log_in):
    client = log_in(world.posts.officer)
    assert client.get(reverse("campaigns:campaign_create")).status_code == 200
    Post.objects.filter(pk=world.posts.officer.pk).update(role="finance")
    assert client.get(reverse("campaigns:campaign_create")).status_code == 403
    Post.objects.filter(pk=world.posts.officer.pk).update(ends="2020-01-01")
    assert client.get(reverse("campaigns:campaign_list")).status_code == 403
    world.posts.officer.user.is_active = False
    world.posts.officer.user.save()
    assert client.get(reverse("home")).status_code == 302


def test_what_is_ones_own_is_nobody_elses(world, log_in):
    note = Notification.objects.create(post=world.posts.head, text="金丝雀")
    job = Job.objects.create(
        kind="import", title="金丝雀", owner=world.posts.head, unit=world.centre, state="staged"
    )
    for persona in ("officer", "staff", "system", "auditor", "doctor"):
        client = log_in(getattr(world.posts, persona))
        assert "金丝雀" not in client.get(reverse("notification_list")).content.decode()
        opened = client.post(reverse("notification_open", args=[note.pk]))
        assert opened.status_code == 404
        for name in ("import_detail", "import_errors"):
            assert client.get(reverse(name, args=[job.pk])).status_code in (403, 404)
        for name in ("import_confirm", "import_drop"):
            assert client.post(reverse(name, args=[job.pk])).status_code in (403, 404)
        if world.posts.officer.has_perm("institutions.view_job"):
            listed = client.get(reverse("institutions:job_detail", args=[job.pk]))
            assert listed.status_code in (403, 404)


def test_a_get_writes_nothing_but_the_trail_of_an_export(ground):
    from django.db import connection

    def checksum() -> dict[str, int]:
        from django.apps import apps

        skip = {"institutions_portalsession", "django_session"}
        return {
            m._meta.db_table: m._base_manager.count()
            for m in apps.get_models()
            if m._meta.db_table not in skip and m._meta.managed
        }

    before, events = checksum(), Event.objects.count()
    written = []

    def watch(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        for route in by_type(Page):
            if ROUTES[route].method == "get" and route not in ("table_export",):
                for persona in ("officer", "head", "auditor"):
                    ask(ground, persona, route, ROUTES[route].args)
        for route in by_type(Record):
            row = next(tried(ground, ROUTES[route]))[0]
            ask(ground, "officer", route, (row.pk, *ROUTES[route].args))
    outside_sessions = [sql for sql in written if "portalsession" not in sql]
    assert outside_sessions == []
    assert checksum() == before and Event.objects.count() == events


def test_the_world_is_no_demo(ground):
    assert not Installation.is_demo()
    assert builders.PASSWORD
