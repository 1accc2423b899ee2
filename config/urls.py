from django.contrib import admin
from django.urls import include, path

from config.pages import errors

urlpatterns = [
    path("admin/", admin.site.urls),
    path("campaigns/", include("campaigns.urls")),
    path("supervision/", include("supervision.urls")),
    path("scoring/", include("scoring.urls")),
    path("public/", include("campaigns.public_urls")),
    path("", include("config.pages.urls")),
    path("", include("institutions.account_urls")),
    path("", include("institutions.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
