"""Routes of supervision: rounds, visits, problems, rectifications, notices and sanctions."""

from typing import Any

from tests.access.roles import (
    ASKING,
    CLINICS,
    HEADS,
    OFFICERS,
    SENDING,
    UNITS,
    WORKERS,
    answers,
    asks,
    owns,
    takes_part,
    works_for,
)
from tests.access.specs import KEY, OPEN, Guarded, Move, Page, Record

ROUTES: dict[str, Any] = {
    "supervision:visit_offline": OPEN,
    # pages
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
    # records
    "supervision:phase_confirm": Move("phases", "campaign", OFFICERS | {"leader"}, owns),
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
    # forms and deeds of records whose state decides
    "supervision:complaint_file": Guarded(
        "complaints", "problem", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:year_plan_edit": Guarded("year_plans", "round", ASKING, owns),
    "supervision:year_plan_coverage": Guarded(
        "year_plans", "round", WORKERS, works_for, methods=("get",)
    ),
    "supervision:planned_create": Guarded("year_plans", "round", ASKING, owns),
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
    "supervision:spread_create": Guarded("problems", "problem", ASKING | {"lead"}, asks),
    "supervision:effect_file": Guarded(
        "effects", "rectification", WORKERS, args=(KEY,), methods=("get",)
    ),
    "supervision:sanction_file": Guarded(
        "referrals", "discipline", WORKERS, args=(KEY,), methods=("get",)
    ),
}
