"""Routes of campaigns: papers, reports, plans, standards, figures, gaps and publications."""

from typing import Any

from tests.access.roles import (
    BUREAU,
    GROUPING,
    LOGGING,
    OFFICERS,
    PREPARING,
    UNITS,
    WORKERS,
    answers,
    asks_by_paper,
    owns,
)
from tests.access.specs import KEY, Guarded, Move, Page, Record

ROUTES: dict[str, Any] = {
    # pages
    "campaigns:campaign_list": Page(WORKERS),
    "campaigns:campaign_create": Page(OFFICERS),
    "campaigns:passage_list": Page(OFFICERS),
    "campaigns:receipt_list": Page(WORKERS),
    "campaigns:task_list": Page(WORKERS),
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
    "campaigns:standard_create": Page(OFFICERS),
    "campaigns:gap_list": Page(WORKERS),
    "campaigns:gap_create": Page(UNITS),
    "campaigns:secondment_list": Page(WORKERS),
    "campaigns:secondment_create": Page(UNITS),
    # records
    "campaigns:campaign_detail": Record("campaigns", "campaign", WORKERS),
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
    # people and means, gaps, secondments, the estimate
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
}
