from django.urls import path

from config.pages import (
    campaign,
    dossiers,
    home,
    imports,
    institution,
    leader,
    overdue,
    programme,
    suggestion,
    worker,
)

urlpatterns = [
    # /
    path("", home.home, name="home"),
    # /worker.js
    path("worker.js", worker.worker, name="worker"),
    # /institutions/<pk>/
    path("institutions/<int:pk>/", institution.institution_detail, name="institution_detail"),
    # /campaigns/<pk>/board/
    path("campaigns/<int:pk>/board/", campaign.campaign_board, name="campaign_board"),
    # /phases/<pk>/
    path("phases/<int:pk>/", campaign.phase_board, name="phase_board"),
    # /supervision/plans/<pk>/suggestions/
    path(
        "supervision/plans/<int:pk>/suggestions/",
        suggestion.visit_suggestion,
        name="visit_suggestion",
    ),
    # /overdue/
    path("overdue/", overdue.overdue_list, name="overdue_list"),
    # /leaders/
    path("leaders/", leader.leader_list, name="leader_list"),
    path("leaders/<int:pk>/", leader.leader_page, name="leader_page"),
    # /programme/
    path("programme/", programme.programme_year, name="programme_year"),
    # /imports/
    path("imports/", imports.import_start, name="import_start"),
    path("imports/stage/", imports.import_stage, name="import_stage"),
    path("imports/template/<slug:kind>/", imports.import_template, name="import_template"),
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/confirm/", imports.import_confirm, name="import_confirm"),
    path("imports/<int:pk>/drop/", imports.import_drop, name="import_drop"),
    path("imports/<int:pk>/errors/", imports.import_errors, name="import_errors"),
    # /dossiers/
    path("dossiers/", dossiers.dossier_start, name="dossier_start"),
    path("dossiers/make/", dossiers.dossier_make, name="dossier_make"),
    # /exports/<kind>/
    path("exports/<slug:kind>/", imports.table_export, name="table_export"),
]
