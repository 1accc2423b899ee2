"""Routes of scoring: evaluations, sheets, capability, the year and its money."""

from typing import Any

from tests.access.roles import (
    ASKING,
    CLINICS,
    HEADS,
    MONEY,
    OFFICERS,
    PLANNING,
    SETTLING,
    UNITS,
    WORKERS,
    WORKING,
    answers,
    asks,
    asks_by_paper,
    decides,
    judges,
    keeps,
    owns,
    rechecks,
)
from tests.access.specs import KEY, OWN, Guarded, Move, Page, Record

ROUTES: dict[str, Any] = {
    "scoring:workload_map": OWN,
    # pages
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
    "scoring:sanction_decide": Move(
        "proposals", "plan", HEADS | {"leader"}, asks, data={"note": "x"}
    ),
    "scoring:sanction_revoke": Move(
        "sanctions", "sanction", HEADS | {"leader"}, asks, data={"note": "x"}
    ),
    # records
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
    "scoring:evaluation_notice": Guarded(
        "evaluations", "evaluation", ASKING, owns, methods=("post",)
    ),
    "scoring:sheet_raise": Guarded("sheets", "sheet", OFFICERS | UNITS | {"leader"}, asks),
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
    # people and means, gaps, secondments, the estimate
    "scoring:publication_table": Guarded("publications", "publication", OFFICERS, owns),
    "scoring:estimate_detail": Record("units", "unit", MONEY),
    "scoring:estimate_edit": Guarded("units", "unit", PLANNING, keeps),
    "scoring:estimate_split": Guarded("units", "unit", PLANNING, keeps, methods=("post",)),
    "scoring:cost_edit": Guarded("work_units", "standard", OFFICERS | {"finance"}, owns),
}
