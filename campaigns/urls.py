from django.urls import path

from campaigns.views import (
    campaigns,
    copying,
    drafting,
    reports,
    standard_editing,
    standards,
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
    path("<int:pk>/copy/", copying.campaign_copy, name="campaign_copy"),
    path("<int:pk>/difference/", copying.campaign_difference, name="campaign_difference"),
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

urlpatterns = [*campaign_urls, *part_urls, *task_urls, *report_urls, *standard_urls]
