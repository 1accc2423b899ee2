from django.urls import path

from config.pages import campaign, home, institution

urlpatterns = [
    # /
    path("", home.home, name="home"),
    # /institutions/<pk>/
    path("institutions/<int:pk>/", institution.institution_detail, name="institution_detail"),
    # /campaigns/<pk>/board/
    path("campaigns/<int:pk>/board/", campaign.campaign_board, name="campaign_board"),
    # /phases/<pk>/
    path("phases/<int:pk>/", campaign.phase_board, name="phase_board"),
]
