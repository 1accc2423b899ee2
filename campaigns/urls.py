from django.urls import path

from campaigns.views import (
    breakthrough,
    campaigns,
    census,
    checks,
    copying,
    documents,
    drafting,
    gaps,
    groups,
    plans,
    publications,
    reports,
    series,
    standard_editing,
    standards,
    targets,
    tasks,
    work_logs,
)

app_name = "campaigns"

# /campaigns/
campaign_urls = [
    path("", campaigns.campaign_list, name="campaign_list"),
    path("new/", drafting.campaign_create, name="campaign_create"),
    path("<int:pk>/", campaigns.campaign_detail, name="campaign_detail"),
    path("<int:pk>/edit/", drafting.campaign_edit, name="campaign_edit"),
    path("<int:pk>/text/", drafting.campaign_text, name="campaign_text"),
    path("<int:pk>/issue/", campaigns.campaign_issue, name="campaign_issue"),
    path("<int:pk>/receive/", campaigns.campaign_receive, name="campaign_receive"),
    path("<int:pk>/copy/", copying.campaign_copy, name="campaign_copy"),
    path("<int:pk>/difference/", copying.campaign_difference, name="campaign_difference"),
    path("<int:pk>/close/", campaigns.campaign_close, name="campaign_close"),
    path("<int:pk>/document/", documents.campaign_document, name="campaign_document"),
    path("<int:pk>/files/<uuid:key>/", campaigns.campaign_file, name="campaign_file"),
    path(
        "<int:pk>/files/<uuid:key>/remove/",
        drafting.campaign_file_remove,
        name="campaign_file_remove",
    ),
]

# Parts of a campaign: /campaigns/<pk>/phases/, /campaigns/passages/<pk>/
part_urls = [
    path("<int:pk>/phases/", drafting.phase_edit, name="phase_edit"),
    path("<int:pk>/recipients/", drafting.recipient_edit, name="recipient_edit"),
    path("<int:pk>/recipients/remove/", drafting.recipient_remove, name="recipient_remove"),
    path("<int:pk>/focuses/new/", drafting.focus_create, name="focus_create"),
    path("focuses/<int:pk>/", drafting.focus_edit, name="focus_edit"),
    path("focuses/<int:pk>/delete/", drafting.focus_delete, name="focus_delete"),
    path("passages/", campaigns.passage_list, name="passage_list"),
    path("passages/<int:pk>/", drafting.passage_edit, name="passage_edit"),
    path("receipts/", campaigns.receipt_list, name="receipt_list"),
]

# /campaigns/tasks/<pk>/
task_urls = [
    path("tasks/", tasks.task_list, name="task_list"),
    path("<int:pk>/duties/", tasks.duty_matrix, name="duty_matrix"),
    path("<int:pk>/tasks/new/", tasks.task_create, name="task_create"),
    path("tasks/<int:pk>/", tasks.task_detail, name="task_detail"),
    path("tasks/<int:pk>/edit/", tasks.task_edit, name="task_edit"),
    path("tasks/<int:pk>/delete/", tasks.task_delete, name="task_delete"),
    path("tasks/<int:pk>/extend/", tasks.task_extend, name="task_extend"),
]

# /campaigns/reports/
report_urls = [
    path("reports/", reports.report_list, name="report_list"),
    path("reports/<int:pk>/", reports.report_detail, name="report_detail"),
    path("reports/<int:pk>/save/", reports.report_save, name="report_save"),
    path("reports/<int:pk>/submit/", reports.report_submit, name="report_submit"),
    path("reports/<int:pk>/recall/", reports.report_recall, name="report_recall"),
    path("reports/<int:pk>/accept/", reports.report_accept, name="report_accept"),
    path("reports/<int:pk>/send_back/", reports.report_send_back, name="report_send_back"),
    path("reports/<int:pk>/take_over/", reports.report_take_over, name="report_take_over"),
    path("reports/<int:pk>/files/<uuid:key>/", reports.report_file, name="report_file"),
    path(
        "reports/<int:pk>/files/<uuid:key>/remove/",
        reports.report_file_remove,
        name="report_file_remove",
    ),
]

# /campaigns/standards/
standard_urls = [
    path("standards/", standards.standard_list, name="standard_list"),
    path("standards/<int:pk>/", standards.standard_detail, name="standard_detail"),
    path("standards/<int:pk>/publish/", standards.standard_publish, name="standard_publish"),
    path(
        "standards/<int:pk>/difference/", standards.standard_difference, name="standard_difference"
    ),
    path("standards/<int:pk>/export/", standards.standard_export, name="standard_export"),
    path("standards/new/", standard_editing.standard_create, name="standard_create"),
    path("standards/<int:pk>/head/", standard_editing.standard_head, name="standard_head"),
    path("standards/<int:pk>/edit/", standard_editing.standard_edit, name="standard_edit"),
    path("standards/<int:pk>/levels/", standard_editing.standard_levels, name="standard_levels"),
    path("standards/<int:pk>/edition/", standard_editing.standard_edition, name="standard_edition"),
    path(
        "standards/<int:pk>/next_year/",
        standard_editing.standard_next_year,
        name="standard_next_year",
    ),
    path("standards/<int:pk>/clauses/new/", standard_editing.clause_create, name="clause_create"),
    path("standards/clauses/<int:pk>/", standard_editing.clause_edit, name="clause_edit"),
    path("standards/clauses/<int:pk>/move/", standard_editing.clause_move, name="clause_move"),
    path(
        "standards/clauses/<int:pk>/delete/", standard_editing.clause_delete, name="clause_delete"
    ),
]

# /campaigns/breakthroughs/: rounds/<pk>/, <pk>/ (a submission), items/<pk>/
breakthrough_urls = [
    path("breakthroughs/", breakthrough.breakthrough_list, name="breakthrough_list"),
    path(
        "<int:pk>/breakthroughs/new/",
        breakthrough.breakthrough_round_create,
        name="breakthrough_round_create",
    ),
    path(
        "breakthroughs/rounds/<int:pk>/",
        breakthrough.breakthrough_round,
        name="breakthrough_round",
    ),
    path(
        "breakthroughs/rounds/<int:pk>/edit/",
        breakthrough.breakthrough_round_edit,
        name="breakthrough_round_edit",
    ),
    path(
        "breakthroughs/rounds/<int:pk>/issue/",
        breakthrough.breakthrough_round_issue,
        name="breakthrough_round_issue",
    ),
    path(
        "breakthroughs/rounds/<int:pk>/summary/",
        breakthrough.breakthrough_summary,
        name="breakthrough_summary",
    ),
    path("breakthroughs/<int:pk>/", breakthrough.breakthrough_detail, name="breakthrough_detail"),
    path(
        "breakthroughs/<int:pk>/table/", breakthrough.breakthrough_table, name="breakthrough_table"
    ),
    path(
        "breakthroughs/<int:pk>/submit/",
        breakthrough.breakthrough_submit,
        name="breakthrough_submit",
    ),
    path(
        "breakthroughs/<int:pk>/recall/",
        breakthrough.breakthrough_recall,
        name="breakthrough_recall",
    ),
    path(
        "breakthroughs/<int:pk>/review/",
        breakthrough.breakthrough_review,
        name="breakthrough_review",
    ),
    path(
        "breakthroughs/<int:pk>/items/new/",
        breakthrough.breakthrough_item_create,
        name="breakthrough_item_create",
    ),
    path(
        "breakthroughs/items/<int:pk>/",
        breakthrough.breakthrough_item_edit,
        name="breakthrough_item_edit",
    ),
    path(
        "breakthroughs/items/<int:pk>/delete/",
        breakthrough.breakthrough_item_delete,
        name="breakthrough_item_delete",
    ),
    path(
        "breakthroughs/items/<int:pk>/progress/",
        breakthrough.breakthrough_progress,
        name="breakthrough_progress",
    ),
    path(
        "breakthroughs/items/<int:pk>/files/<uuid:key>/",
        breakthrough.breakthrough_file,
        name="breakthrough_file",
    ),
]

# /campaigns/plans/, /campaigns/plans/calls/
plan_urls = [
    path("plans/", plans.plan_list, name="plan_list"),
    path("plans/calls/", plans.plan_call_list, name="plan_call_list"),
    path("plans/calls/new/", plans.plan_call_create, name="plan_call_create"),
    path("plans/calls/<int:pk>/", plans.plan_call_detail, name="plan_call_detail"),
    path("plans/calls/<int:pk>/edit/", plans.plan_call_edit, name="plan_call_edit"),
    path("plans/<int:pk>/", plans.plan_detail, name="plan_detail"),
    path("plans/<int:pk>/save/", plans.plan_save, name="plan_save"),
    path("plans/<int:pk>/submit/", plans.plan_submit, name="plan_submit"),
    path("plans/<int:pk>/recall/", plans.plan_recall, name="plan_recall"),
    path("plans/<int:pk>/accept/", plans.plan_accept, name="plan_accept"),
    path("plans/<int:pk>/send_back/", plans.plan_send_back, name="plan_send_back"),
    path("plans/<int:pk>/revise/", plans.plan_revise, name="plan_revise"),
    path("plans/<int:pk>/files/<uuid:key>/", plans.plan_file, name="plan_file"),
    path(
        "plans/<int:pk>/files/<uuid:key>/remove/", plans.plan_file_remove, name="plan_file_remove"
    ),
]

# /campaigns/logs/
log_urls = [
    path("logs/", work_logs.log_list, name="log_list"),
    path("logs/new/", work_logs.log_create, name="log_create"),
    path("logs/coverage/", work_logs.log_coverage, name="log_coverage"),
    path("logs/staff/", work_logs.log_staff, name="log_staff"),
    path("<int:pk>/checked/", work_logs.log_checks, name="log_checks"),
    path("logs/<int:pk>/", work_logs.log_detail, name="log_detail"),
    path("logs/<int:pk>/edit/", work_logs.log_edit, name="log_edit"),
    path("logs/<int:pk>/follow_up/", work_logs.log_follow_up, name="log_follow_up"),
    path("logs/<int:pk>/select/", work_logs.log_select, name="log_select"),
    path("logs/<int:pk>/unselect/", work_logs.log_unselect, name="log_unselect"),
    path("logs/<int:pk>/recommend/", work_logs.log_recommend, name="log_recommend"),
    path("logs/<int:pk>/files/<uuid:key>/", work_logs.log_file, name="log_file"),
    path(
        "logs/<int:pk>/files/<uuid:key>/remove/", work_logs.log_file_remove, name="log_file_remove"
    ),
]

# /campaigns/groups/
group_urls = [
    path("groups/", groups.group_list, name="group_list"),
    path("groups/new/", groups.group_create, name="group_create"),
    path("groups/<int:pk>/", groups.group_detail, name="group_detail"),
    path("groups/<int:pk>/edit/", groups.group_edit, name="group_edit"),
    path("groups/<int:pk>/dissolve/", groups.group_dissolve, name="group_dissolve"),
    path("groups/<int:pk>/members/new/", groups.member_create, name="member_create"),
    path("groups/members/<int:pk>/remove/", groups.member_remove, name="member_remove"),
    path("groups/<int:pk>/files/<uuid:key>/", groups.group_file, name="group_file"),
]

# /campaigns/series/
series_urls = [
    path("series/", series.series_list, name="series_list"),
    path("series/new/", series.series_create, name="series_create"),
    path("series/adopt/", series.series_adopt, name="series_adopt"),
    path("series/fill/", series.series_fill, name="series_fill"),
    path("series/coverage/", series.series_coverage, name="series_coverage"),
    path("series/<int:pk>/", series.series_detail, name="series_detail"),
    path("series/<int:pk>/edit/", series.series_edit, name="series_edit"),
]

# /campaigns/censuses/
census_urls = [
    path("censuses/", census.census_list, name="census_list"),
    path("censuses/new/", census.census_create, name="census_create"),
    path("censuses/<int:pk>/", census.census_detail, name="census_detail"),
    path("censuses/<int:pk>/edit/", census.census_edit, name="census_edit"),
    path("censuses/<int:pk>/fill/", census.census_fill, name="census_fill"),
]

# /campaigns/targets/
target_urls = [
    path("targets/", targets.target_list, name="target_list"),
    path("targets/new/", targets.target_create, name="target_create"),
    path("targets/<int:pk>/", targets.target_detail, name="target_detail"),
    path("targets/<int:pk>/edit/", targets.target_edit, name="target_edit"),
    *(
        path(f"contributions/<int:pk>/{step}", view, name=f"contribution_{name}")
        for step, view, name in (
            ("", targets.contribution_detail, "detail"),
            ("save/", targets.contribution_save, "save"),
            ("report/", targets.contribution_report, "report"),
            ("recall/", targets.contribution_recall, "recall"),
            ("renew/", targets.contribution_renew, "renew"),
            ("confirm/", targets.contribution_confirm, "confirm"),
            ("send_back/", targets.contribution_send_back, "send_back"),
            ("files/<uuid:key>/", targets.contribution_file, "file"),
        )
    ),
]

# /campaigns/gaps/
gap_urls = [
    path("gaps/", gaps.gap_list, name="gap_list"),
    path("gaps/new/", gaps.gap_create, name="gap_create"),
    path("gaps/plans/<int:pk>/", gaps.gap_plan, name="gap_plan"),
    path("gaps/<int:pk>/", gaps.gap_detail, name="gap_detail"),
    path("gaps/<int:pk>/edit/", gaps.gap_edit, name="gap_edit"),
    path("gaps/<int:pk>/finish/", gaps.gap_finish, name="gap_finish"),
    path("gaps/<int:pk>/confirm/", gaps.gap_confirm, name="gap_confirm"),
    path("gaps/<int:pk>/send_back/", gaps.gap_send_back, name="gap_send_back"),
    path("gaps/<int:pk>/files/<uuid:key>/", gaps.gap_file, name="gap_file"),
    path("gaps/<int:pk>/files/<uuid:key>/remove/", gaps.gap_file_remove, name="gap_file_remove"),
]

# /campaigns/secondments/
secondment_urls = [
    path("secondments/", gaps.secondment_list, name="secondment_list"),
    path("secondments/new/", gaps.secondment_create, name="secondment_create"),
    *(
        path(f"secondments/<int:pk>/{step}", view, name=f"secondment_{name}")
        for step, view, name in (
            ("", gaps.secondment_detail, "detail"),
            ("edit/", gaps.secondment_edit, "edit"),
            ("approve/", gaps.secondment_approve, "approve"),
            ("send_back/", gaps.secondment_send_back, "send_back"),
            ("reapply/", gaps.secondment_reapply, "reapply"),
            ("withdraw/", gaps.secondment_withdraw, "withdraw"),
            ("finish/", gaps.secondment_finish, "finish"),
        )
    ),
]

# /campaigns/checks/, /campaigns/preparations/
check_urls = [
    path("checks/", checks.check_list, name="check_list"),
    path("checks/new/", checks.check_create, name="check_create"),
    path("checks/calendar/", checks.check_calendar, name="check_calendar"),
    path("checks/<int:pk>/", checks.check_detail, name="check_detail"),
    path("checks/<int:pk>/edit/", checks.check_edit, name="check_edit"),
    path("checks/<int:pk>/result/", checks.check_result, name="check_result"),
    path("checks/<int:pk>/preparations/new/", checks.preparation_create, name="preparation_create"),
    path("preparations/", checks.preparation_list, name="preparation_list"),
    path("preparations/<int:pk>/", checks.preparation_detail, name="preparation_detail"),
    path("preparations/<int:pk>/edit/", checks.preparation_edit, name="preparation_edit"),
    path("preparations/<int:pk>/remove/", checks.preparation_remove, name="preparation_remove"),
    path("preparations/<int:pk>/finish/", checks.preparation_finish, name="preparation_finish"),
    path("preparations/<int:pk>/resume/", checks.preparation_resume, name="preparation_resume"),
    path(
        "preparations/<int:pk>/files/<uuid:key>/", checks.preparation_file, name="preparation_file"
    ),
]

# /campaigns/publications/, /campaigns/objections/; what anybody may read: campaigns/public_urls.py
publication_urls = [
    path("publications/", publications.publication_list, name="publication_list"),
    path("publications/new/", publications.publication_create, name="publication_create"),
    *(
        path(f"publications/<int:pk>/{step}", view, name=f"publication_{name}")
        for step, view, name in (
            ("", publications.publication_detail, "detail"),
            ("edit/", publications.publication_edit, "edit"),
            ("submit/", publications.publication_submit, "submit"),
            ("discard/", publications.publication_discard, "discard"),
            ("send_back/", publications.publication_send_back, "send_back"),
            ("publish/", publications.publication_publish, "publish"),
            ("withdraw/", publications.publication_withdraw, "withdraw"),
            ("replace/", publications.publication_replace, "replace"),
            ("table/remove/", publications.publication_table_remove, "table_remove"),
            ("files/<uuid:key>/", publications.publication_file, "file"),
            ("files/<uuid:key>/remove/", publications.publication_file_remove, "file_remove"),
        )
    ),
    path("objections/", publications.objection_list, name="objection_list"),
    path("objections/<int:pk>/", publications.objection_detail, name="objection_detail"),
    path("objections/<int:pk>/reply/", publications.objection_reply, name="objection_reply"),
    path("objections/<int:pk>/reveal/", publications.objection_reveal, name="objection_reveal"),
]

urlpatterns = [
    *campaign_urls,
    *part_urls,
    *task_urls,
    *report_urls,
    *standard_urls,
    *breakthrough_urls,
    *plan_urls,
    *log_urls,
    *group_urls,
    *series_urls,
    *census_urls,
    *target_urls,
    *gap_urls,
    *secondment_urls,
    *check_urls,
    *publication_urls,
]
