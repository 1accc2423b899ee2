from django.urls import path

from scoring.views import (
    appeals,
    awards,
    bulletins,
    capability,
    capability_lines,
    capability_rounds,
    corrections,
    costs,
    distribution,
    estimates,
    evaluations,
    funding,
    honesty,
    publications,
    raising,
    rechecks,
    sanctions,
    scenarios,
    score_tables,
    settlements,
    sheets,
    tiers,
    workload,
    year,
)

app_name = "scoring"

evaluation_urls = [
    path("evaluations/", evaluations.evaluation_list, name="evaluation_list"),
    path("evaluations/new/", evaluations.evaluation_create, name="evaluation_create"),
    path("evaluations/<int:pk>/", evaluations.evaluation_detail, name="evaluation_detail"),
    path("evaluations/<int:pk>/edit/", evaluations.evaluation_edit, name="evaluation_edit"),
    path("honesty/", honesty.honesty_list, name="honesty_list"),
    path("evaluations/<int:pk>/recheck/", rechecks.recheck_draw, name="recheck_draw"),
    path("rechecks/<int:pk>/", rechecks.recheck_detail, name="recheck_detail"),
    path("rechecks/<int:pk>/note/", rechecks.recheck_note, name="recheck_note"),
    path("rechecks/<int:pk>/feedback/", rechecks.recheck_feed_back, name="recheck_feed_back"),
    path("recheck-lines/<int:pk>/correct/", rechecks.recheck_correct, name="recheck_correct"),
    path("evaluations/<int:pk>/notice/", bulletins.evaluation_notice, name="evaluation_notice"),
    path("evaluations/<int:pk>/open/", evaluations.evaluation_open, name="evaluation_open"),
    path(
        "evaluations/<int:pk>/publish/", evaluations.evaluation_publish, name="evaluation_publish"
    ),
    path(
        "evaluations/<int:pk>/finalise/",
        evaluations.evaluation_finalise,
        name="evaluation_finalise",
    ),
]
sheet_urls = [
    path("sheets/", sheets.sheet_list, name="sheet_list"),
    path("sheets/<int:pk>/", sheets.sheet_detail, name="sheet_detail"),
    path("sheets/<int:pk>/fill/", sheets.sheet_fill, name="sheet_fill"),
    path("sheets/<int:pk>/submit/", sheets.sheet_submit, name="sheet_submit"),
    path("sheets/<int:pk>/send-back/", sheets.sheet_send_back, name="sheet_send_back"),
    path("sheets/<int:pk>/verify/", sheets.sheet_verify, name="sheet_verify"),
    path("sheets/<int:pk>/read/", sheets.sheet_read, name="sheet_read"),
    path("sheets/<int:pk>/problems/", raising.sheet_raise, name="sheet_raise"),
    path("sheets/<int:pk>/reopen/", sheets.sheet_reopen, name="sheet_reopen"),
]
section_urls = [
    path("sections/<int:pk>/verify/", sheets.section_verify, name="section_verify"),
    path("sections/<int:pk>/adopt/", sheets.section_adopt, name="section_adopt"),
    path("sections/<int:pk>/finish/", sheets.section_finish, name="section_finish"),
    path("sections/<int:pk>/resume/", sheets.section_resume, name="section_resume"),
]
line_urls = [
    path("lines/<int:pk>/save/", sheets.line_save, name="line_save"),
    path("lines/<int:pk>/judge/", sheets.section_line_save, name="section_line_save"),
    path("lines/<int:pk>/attach/", sheets.line_attach, name="line_attach"),
    path("lines/<int:pk>/files/<uuid:key>/", sheets.line_file, name="line_file"),
    path("lines/<int:pk>/files/<uuid:key>/remove/", sheets.line_detach, name="line_detach"),
]
appeal_urls = [
    path("lines/<int:pk>/correct/", corrections.line_correct, name="line_correct"),
    path("lines/<int:pk>/appeal/", appeals.appeal_create, name="appeal_create"),
    path("appeals/", appeals.appeal_list, name="appeal_list"),
    path("appeals/<int:pk>/", appeals.appeal_detail, name="appeal_detail"),
    path("appeals/<int:pk>/withdraw/", appeals.appeal_withdraw, name="appeal_withdraw"),
    path("appeals/<int:pk>/uphold/", appeals.appeal_uphold, name="appeal_uphold"),
    path("appeals/<int:pk>/reject/", appeals.appeal_reject, name="appeal_reject"),
    path("appeals/<int:pk>/files/<uuid:key>/", appeals.appeal_file, name="appeal_file"),
]
year_urls = [
    path("year/", year.year_list, name="year_list"),
    path("score-table/", score_tables.score_summary, name="score_summary"),
    path("year/performance/", score_tables.performance_table, name="performance_table"),
    path("year/settle/", year.year_settle, name="year_settle"),
    path("year/confirm/", year.year_confirm, name="year_confirm"),
    path("year/freeze/", year.year_freeze, name="year_freeze"),
    path("year/<int:pk>/", year.year_detail, name="year_detail"),
    path("year/<int:pk>/costs/", costs.year_costs, name="year_costs"),
    path("adjustments/", year.adjustment_list, name="adjustment_list"),
    path("adjustments/new/", year.adjustment_create, name="adjustment_create"),
    path("adjustments/<int:pk>/withdraw/", year.adjustment_withdraw, name="adjustment_withdraw"),
    path("sanctions/<int:pk>/decide/", sanctions.sanction_decide, name="sanction_decide"),
    path("sanctions/<int:pk>/revoke/", sanctions.sanction_revoke, name="sanction_revoke"),
    path("policy/", year.policy_list, name="policy_list"),
    path("policy/<int:year>/<str:key>/", year.policy_edit, name="policy_edit"),
]
scenario_urls = [
    path("scenarios/", scenarios.scenario_list, name="scenario_list"),
    path("scenarios/new/", scenarios.scenario_create, name="scenario_create"),
    path("scenarios/<int:pk>/", scenarios.scenario_detail, name="scenario_detail"),
    path("scenarios/<int:pk>/adopt/", scenarios.scenario_adopt, name="scenario_adopt"),
    path("scenarios/<int:pk>/remove/", scenarios.scenario_remove, name="scenario_remove"),
]

# /scoring/estimates/: <pk> is an institution; /scoring/costs/
estimate_urls = [
    path("estimates/", estimates.estimate_list, name="estimate_list"),
    path("estimates/<int:pk>/", estimates.estimate_detail, name="estimate_detail"),
    path("estimates/<int:pk>/edit/", estimates.estimate_edit, name="estimate_edit"),
    path("estimates/<int:pk>/split/", estimates.estimate_split, name="estimate_split"),
    path("costs/", estimates.cost_list, name="cost_list"),
    path("costs/new/", estimates.cost_create, name="cost_create"),
    path("costs/<int:pk>/", estimates.cost_edit, name="cost_edit"),
]

# /scoring/funding/, /scoring/settlements/, /scoring/awards/: <kind> is a kind of award
money_urls = [
    path("funding/", funding.funding_year, name="funding_year"),
    path("funding/entries/", funding.entry_list, name="entry_list"),
    path("funding/entries/new/", funding.entry_create, name="entry_create"),
    path("funding/top-up/", funding.top_up_year, name="top_up_year"),
    path("outcomes/", funding.outcome_list, name="outcome_list"),
    path("settlements/", settlements.settlement_list, name="settlement_list"),
    path("settlements/prepare/", settlements.settlement_prepare, name="settlement_prepare"),
    path("settlements/publish/", settlements.settlement_publish_all, name="settlement_publish_all"),
    path("settlements/confirm/", settlements.settlement_confirm_all, name="settlement_confirm_all"),
    path("settlements/<int:pk>/", settlements.settlement_detail, name="settlement_detail"),
    path(
        "settlements/<int:pk>/publish/", settlements.settlement_publish, name="settlement_publish"
    ),
    path(
        "settlements/<int:pk>/confirm/", settlements.settlement_confirm, name="settlement_confirm"
    ),
    path("settlements/<int:pk>/finish/", settlements.settlement_finish, name="settlement_finish"),
    path("settlements/<int:pk>/pay/", settlements.settlement_pay, name="settlement_pay"),
    path("settlements/<int:pk>/object/", settlements.settlement_object, name="settlement_object"),
    path(
        "objections/<int:pk>/withdraw/", settlements.objection_withdraw, name="objection_withdraw"
    ),
    path("objections/<int:pk>/uphold/", settlements.objection_uphold, name="objection_uphold"),
    path("objections/<int:pk>/reject/", settlements.objection_reject, name="objection_reject"),
    path(
        "objections/<int:pk>/files/<uuid:key>/", settlements.objection_file, name="objection_file"
    ),
    path("payments/", settlements.payment_list, name="payment_list"),
    path("allocations/", tiers.allocation_list, name="allocation_list"),
    path("allocations/new/", tiers.allocation_create, name="allocation_create"),
    path("allocations/<int:pk>/", tiers.allocation_detail, name="allocation_detail"),
    path("allocations/<int:pk>/change/", tiers.allocation_change, name="allocation_change"),
    path("allocations/<int:pk>/finalise/", tiers.allocation_finalise, name="allocation_finalise"),
    path("awards/", awards.award_list, name="award_list"),
    path("awards/new/", awards.award_create, name="award_create"),
    path("awards/rates/<int:year>/<str:kind>/", awards.award_rate, name="award_rate"),
    path("awards/<int:pk>/", awards.award_detail, name="award_detail"),
    path("awards/<int:pk>/pay/", awards.award_pay, name="award_pay"),
]
workload_urls = [
    path("workload/", workload.workload_list, name="workload_list"),
    path("workload/call/", workload.workload_call, name="workload_call"),
    path("workload/start/", workload.workload_start, name="workload_start"),
    path("workload/bring/", workload.workload_bring, name="workload_bring"),
    path("workload/bring/<int:pk>/", workload.workload_map, name="workload_map"),
    path("workload/<int:pk>/", workload.workload_detail, name="workload_detail"),
    path("workload/<int:pk>/save/", workload.workload_save, name="workload_save"),
    path("workload/<int:pk>/judge/", workload.workload_judge, name="workload_judge"),
    path("workload/<int:pk>/submit/", workload.workload_submit, name="workload_submit"),
    path("workload/<int:pk>/send-back/", workload.workload_send_back, name="workload_send_back"),
    path("workload/<int:pk>/verify/", workload.workload_verify, name="workload_verify"),
    path("workload/<int:pk>/reopen/", workload.workload_reopen, name="workload_reopen"),
]
distribution_urls = [
    path("distributions/", distribution.distribution_list, name="distribution_list"),
    path("distributions/new/", distribution.distribution_create, name="distribution_create"),
    path("distributions/<int:pk>/", distribution.distribution_detail, name="distribution_detail"),
    path(
        "distributions/<int:pk>/change/",
        distribution.distribution_change,
        name="distribution_change",
    ),
    path(
        "distributions/<int:pk>/take-in/",
        distribution.distribution_take_in,
        name="distribution_take_in",
    ),
    path(
        "distributions/<int:pk>/confirm/",
        distribution.distribution_confirm,
        name="distribution_confirm",
    ),
    path(
        "distributions/<int:pk>/reopen/",
        distribution.distribution_reopen,
        name="distribution_reopen",
    ),
    path(
        "distributions/<int:pk>/freeze/",
        distribution.distribution_freeze,
        name="distribution_freeze",
    ),
    path("shares/<int:pk>/", distribution.share_edit, name="share_edit"),
    path("shares/<int:pk>/drop/", distribution.share_drop, name="share_drop"),
]

# /scoring/capability/: <pk> is one unit's review of one year
capability_urls = [
    path("capability/", capability.capability_list, name="capability_list"),
    path(
        "capability/rounds/new/",
        capability_rounds.capability_round_create,
        name="capability_round_create",
    ),
    *(
        path(
            f"capability/rounds/<int:pk>/{end}",
            getattr(capability_rounds, f"capability_{name}"),
            name=f"capability_{name}",
        )
        for end, name in (
            ("", "round"),
            ("edit/", "round_edit"),
            ("start/", "start"),
            ("report/", "report_up"),
            ("spot/", "spot"),
            ("close/", "close"),
        )
    ),
    path(
        "capability/reports/<int:pk>/",
        capability_rounds.capability_report,
        name="capability_report",
    ),
    path("capability/draws/<int:pk>/", capability.capability_draw, name="capability_draw"),
    path("capability/<int:pk>/", capability.capability_detail, name="capability_detail"),
    path("capability/<int:pk>/fill/", capability_lines.capability_fill, name="capability_fill"),
    path("capability/<int:pk>/judge/", capability_lines.capability_judge, name="capability_judge"),
    path("capability/<int:pk>/adopt/", capability_lines.capability_adopt, name="capability_adopt"),
    *(
        path(
            f"capability/<int:pk>/{name.replace('_', '-')}/",
            getattr(capability, f"capability_{name}"),
            name=f"capability_{name}",
        )
        for name in (
            "complete",
            "resume",
            "apply",
            "put_right",
            "pass_on",
            "send_back",
            "fail",
            "reopen",
            "draw_lots",
            "confirm",
            "certify",
            "use",
        )
    ),
    path(
        "capability-lines/<int:pk>/save/",
        capability_lines.capability_line_save,
        name="capability_line_save",
    ),
    path(
        "capability-lines/<int:pk>/judge/",
        capability_lines.capability_line_judge,
        name="capability_line_judge",
    ),
    path(
        "capability-lines/<int:pk>/attach/",
        capability_lines.capability_line_attach,
        name="capability_line_attach",
    ),
    path(
        "capability-lines/<int:pk>/files/<uuid:key>/",
        capability_lines.capability_line_file,
        name="capability_line_file",
    ),
    path(
        "capability-lines/<int:pk>/files/<uuid:key>/remove/",
        capability_lines.capability_line_detach,
        name="capability_line_detach",
    ),
]

# The draft itself: campaigns/urls.py
publication_urls = [
    path("publications/<int:pk>/table/", publications.publication_table, name="publication_table"),
]

urlpatterns = [
    *evaluation_urls,
    *sheet_urls,
    *section_urls,
    *line_urls,
    *appeal_urls,
    *year_urls,
    *scenario_urls,
    *estimate_urls,
    *money_urls,
    *workload_urls,
    *distribution_urls,
    *capability_urls,
    *publication_urls,
]
