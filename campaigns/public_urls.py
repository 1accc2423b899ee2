"""Pages without a login: /public/. What stands there was decided, row by row (campaigns/disclosing.py)."""

from django.urls import path

from campaigns.views import public

app_name = "public"

urlpatterns = [
    path("", public.home, name="home"),
    path("receipt/", public.receipt, name="receipt"),
    path("<slug:code>/", public.bureau, name="bureau"),
    path("<slug:code>/<int:pk>/", public.publication, name="publication"),
    path("<slug:code>/<int:pk>/object/", public.object_to, name="object"),
    path("<slug:code>/<int:pk>/files/<uuid:key>/", public.file, name="file"),
]
