from django.urls import path

from supervision.views import (
    bulk_moves,
    calendar,
    complaints,
    draws,
    effects,
    experts,
    extensions,
    feedback,
    notices,
    phases,
    problems,
    rectifications,
    rounds,
    samples,
    sanctions,
    self_checks,
    statistics,
    surveys,
    visits,
    year_plans,
)

app_name = "supervision"

urlpatterns = [
    # /supervision/plans/
    path("plans/", year_plans.year_plan_list, name="year_plan_list"),
    path("plans/new/", year_plans.year_plan_create, name="year_plan_create"),
    path("plans/<int:pk>/", year_plans.year_plan_detail, name="year_plan_detail"),
    path("plans/<int:pk>/edit/", year_plans.year_plan_edit, name="year_plan_edit"),
    path("plans/<int:pk>/issue/", year_plans.year_plan_issue, name="year_plan_issue"),
    path("plans/<int:pk>/coverage/", year_plans.year_plan_coverage, name="year_plan_coverage"),
    path("plans/<int:pk>/rounds/new/", year_plans.planned_create, name="planned_create"),
    # /supervision/planned/
    path("planned/<int:pk>/edit/", year_plans.planned_edit, name="planned_edit"),
    path("planned/<int:pk>/remove/", year_plans.planned_remove, name="planned_remove"),
    path("planned/<int:pk>/start/", year_plans.planned_start, name="planned_start"),
    # /supervision/experts/
    path("experts/", experts.expert_list, name="expert_list"),
    path("experts/new/", experts.expert_create, name="expert_create"),
    path("experts/<int:pk>/", experts.expert_detail, name="expert_detail"),
    path("experts/<int:pk>/edit/", experts.expert_edit, name="expert_edit"),
    path("ties/<int:pk>/withdraw/", experts.tie_withdraw, name="tie_withdraw"),
    # /supervision/rounds/
    path("rounds/", rounds.round_list, name="round_list"),
    path("rounds/new/", rounds.round_create, name="round_create"),
    path("rounds/<int:pk>/", rounds.round_detail, name="round_detail"),
    path("rounds/<int:pk>/edit/", rounds.round_edit, name="round_edit"),
    path("rounds/<int:pk>/issue/", rounds.round_issue, name="round_issue"),
    path("rounds/<int:pk>/close/", rounds.round_close, name="round_close"),
    path("rounds/<int:pk>/visits/new/", rounds.visit_create, name="visit_create"),
    path("rounds/<int:pk>/draw/", draws.draw_create, name="draw_create"),
    # /supervision/draws/
    path("draws/<int:pk>/", draws.draw_detail, name="draw_detail"),
    # /supervision/visits/
    path("visits/", visits.visit_list, name="visit_list"),
    path("visits/calendar/", calendar.visit_calendar, name="visit_calendar"),
    path("visits/offline/", visits.visit_offline, name="visit_offline"),
    path("visits/<int:pk>/", visits.visit_detail, name="visit_detail"),
    path("visits/<int:pk>/edit/", visits.visit_edit, name="visit_edit"),
    path("visits/<int:pk>/record/", visits.visit_record, name="visit_record"),
    path("visits/<int:pk>/lines/", visits.line_save, name="line_save"),
    path("visits/<int:pk>/photos/", visits.line_photo, name="line_photo"),
    path("visits/<int:pk>/files/<uuid:key>/", visits.visit_file, name="visit_file"),
    path("visits/<int:pk>/submit/", visits.visit_submit, name="visit_submit"),
    path("visits/<int:pk>/agree/", visits.visit_agree, name="visit_agree"),
    path("visits/<int:pk>/object/", visits.visit_object, name="visit_object"),
    path("visits/<int:pk>/settle/", visits.visit_settle, name="visit_settle"),
    path("visits/<int:pk>/reschedule/", visits.visit_reschedule, name="visit_reschedule"),
    path("visits/<int:pk>/cancel/", visits.visit_cancel, name="visit_cancel"),
    path("visits/<int:pk>/feedback/", feedback.visit_feedback, name="visit_feedback"),
    path("visits/<int:pk>/sign/", feedback.visit_sign, name="visit_sign"),
    path("visits/<int:pk>/samples/", samples.visit_samples, name="visit_samples"),
    path("visits/<int:pk>/surveys/", surveys.survey_entries, name="survey_entries"),
    path("visits/<int:pk>/surveys/reveal/", surveys.survey_reveal, name="survey_reveal"),
    # /supervision/signatures/
    path("signatures/<int:pk>/files/<uuid:key>/", feedback.signature_file, name="signature_file"),
    # /supervision/samples/ /supervision/checks/
    path("samples/", samples.sample_list, name="sample_list"),
    path("samples/rates/", samples.sample_rates, name="sample_rates"),
    path("samples/<int:pk>/", samples.sample_detail, name="sample_detail"),
    path("samples/<int:pk>/reveal/", samples.sample_reveal, name="sample_reveal"),
    path("checks/<int:pk>/save/", samples.check_save, name="check_save"),
    # /supervision/surveys/
    path("surveys/", surveys.survey_list, name="survey_list"),
    path("surveys/<int:pk>/remove/", surveys.survey_remove, name="survey_remove"),
    # /supervision/visit-policy/
    path("visit-policy/", surveys.visit_policy, name="visit_policy"),
    # /supervision/lines/
    path("lines/<int:pk>/remove/", visits.line_remove, name="line_remove"),
    path("lines/<int:pk>/files/<uuid:key>/", visits.line_file, name="line_file"),
    # /supervision/problems/
    path("problems/", problems.problem_list, name="problem_list"),
    path("problems/new/", problems.problem_create, name="problem_create"),
    path("problems/spread/", self_checks.spread_list, name="spread_list"),
    path("problems/<int:pk>/spread/", self_checks.spread_create, name="spread_create"),
    path("problems/<int:pk>/", problems.problem_detail, name="problem_detail"),
    path("problems/<int:pk>/files/<uuid:key>/", problems.problem_file, name="problem_file"),
    # /supervision/rectifications/
    path("rectifications/", rectifications.rectification_list, name="rectification_list"),
    path(
        "rectifications/sign/",
        bulk_moves.rectification_sign_many,
        name="rectification_sign_many",
    ),
    path(
        "rectifications/close/",
        bulk_moves.rectification_close_many,
        name="rectification_close_many",
    ),
    path(
        "rectifications/statistics/",
        statistics.rectification_statistics,
        name="rectification_statistics",
    ),
    path(
        "rectifications/<int:pk>/",
        rectifications.rectification_detail,
        name="rectification_detail",
    ),
    path(
        "rectifications/<int:pk>/save/",
        rectifications.rectification_save,
        name="rectification_save",
    ),
    path(
        "rectifications/<int:pk>/note/",
        rectifications.rectification_note,
        name="rectification_note",
    ),
    path(
        "rectifications/<int:pk>/files/<uuid:key>/",
        rectifications.rectification_file,
        name="rectification_file",
    ),
    path(
        "rectifications/<int:pk>/sign/",
        rectifications.rectification_sign,
        name="rectification_sign",
    ),
    path(
        "rectifications/<int:pk>/apply/",
        rectifications.rectification_apply,
        name="rectification_apply",
    ),
    path(
        "rectifications/<int:pk>/close/",
        rectifications.rectification_close,
        name="rectification_close",
    ),
    path(
        "rectifications/<int:pk>/send-back/",
        rectifications.rectification_send_back,
        name="rectification_send_back",
    ),
    path(
        "rectifications/<int:pk>/withdraw/",
        rectifications.rectification_withdraw,
        name="rectification_withdraw",
    ),
    path("rectifications/<int:pk>/extend/", extensions.extension_ask, name="extension_ask"),
    path(
        "rectifications/<int:pk>/extend/grant/",
        extensions.extension_grant,
        name="extension_grant",
    ),
    path(
        "rectifications/<int:pk>/extend/refuse/",
        extensions.extension_refuse,
        name="extension_refuse",
    ),
    path(
        "rectifications/<int:pk>/effect/",
        effects.rectification_effect,
        name="rectification_effect",
    ),
    # /supervision/effects/
    path("effects/<int:pk>/files/<uuid:key>/", effects.effect_file, name="effect_file"),
    # /supervision/spreads/
    path("spreads/<int:pk>/", self_checks.spread_detail, name="spread_detail"),
    # /supervision/self-checks/
    path("self-checks/", self_checks.self_check_list, name="self_check_list"),
    path("self-checks/answer/", self_checks.self_check_answer, name="self_check_answer"),
    path("self-checks/<int:pk>/", self_checks.self_check_detail, name="self_check_detail"),
    path(
        "self-checks/<int:pk>/send_back/",
        self_checks.self_check_send_back,
        name="self_check_send_back",
    ),
    # /supervision/progress/
    path("progress/<int:pk>/files/<uuid:key>/", rectifications.note_file, name="note_file"),
    # /supervision/sanctions/
    path("sanctions/", sanctions.sanction_list, name="sanction_list"),
    path("sanctions/new/", sanctions.sanction_create, name="sanction_create"),
    path("sanctions/<int:pk>/", sanctions.sanction_detail, name="sanction_detail"),
    path("sanctions/<int:pk>/reject/", sanctions.sanction_reject, name="sanction_reject"),
    path("sanctions/<int:pk>/files/<uuid:key>/", sanctions.sanction_file, name="sanction_file"),
    # /supervision/phases/
    path("phases/<int:pk>/confirm/", phases.phase_confirm, name="phase_confirm"),
    # /supervision/notices/
    path("notices/", notices.notice_list, name="notice_list"),
    path("notices/receipts/", notices.notice_receipt_list, name="notice_receipt_list"),
    path("notices/new/", notices.notice_create, name="notice_create"),
    path("notices/<int:pk>/", notices.notice_detail, name="notice_detail"),
    path("notices/<int:pk>/edit/", notices.notice_edit, name="notice_edit"),
    path("notices/<int:pk>/document/", notices.notice_document, name="notice_document"),
    path("notices/<int:pk>/issue/", notices.notice_issue, name="notice_issue"),
    path("notices/<int:pk>/drop/", notices.notice_drop, name="notice_drop"),
    path("notices/<int:pk>/withdraw/", notices.notice_withdraw, name="notice_withdraw"),
    path("notices/<int:pk>/receive/", notices.notice_receive, name="notice_receive"),
    # /supervision/complaints/
    path("complaints/", complaints.complaint_list, name="complaint_list"),
    path("complaints/new/", complaints.complaint_create, name="complaint_create"),
    path("complaints/statistics/", complaints.complaint_statistics, name="complaint_statistics"),
    path("complaints/<int:pk>/", complaints.complaint_detail, name="complaint_detail"),
    path("complaints/<int:pk>/reply/", complaints.complaint_reply, name="complaint_reply"),
    path("complaints/<int:pk>/close/", complaints.complaint_close, name="complaint_close"),
    path(
        "complaints/<int:pk>/send-back/",
        complaints.complaint_send_back,
        name="complaint_send_back",
    ),
    path("complaints/<int:pk>/withdraw/", complaints.complaint_withdraw, name="complaint_withdraw"),
    path("complaints/<int:pk>/files/<uuid:key>/", complaints.complaint_file, name="complaint_file"),
]
