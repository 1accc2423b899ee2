from django.urls import path

from campaigns.views import (
    breakthrough,
    campaigns,
    census,
    drafting,
    reports,
    series,
    standards,
    targets,
    tasks,
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
    path("<int:pk>/close/", campaigns.campaign_close, name="campaign_close"),
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

urlpatterns = [
    *campaign_urls,
    *part_urls,
    *task_urls,
    *report_urls,
    *standard_urls,
    *breakthrough_urls,
    *series_urls,
    *census_urls,
    *target_urls,
]
