"""One admin site for reference data and accounts; it has no login of its own."""

from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse

from institutions.views.accounts import log_out


class PortalAdminSite(AdminSite):
    site_header = "公卫督导 · 数据管理"
    site_title = "数据管理"
    index_title = "基础数据与账号"
    enable_nav_sidebar = True

    def has_permission(self, request):
        return request.user.is_authenticated and request.user.has_perm("institutions.use_admin")

    def logout(self, request, extra_context=None):
        """There is one way out, too: recorded, and clearing the browser."""
        return log_out(request)

    def password_change(self, request, extra_context=None):
        return redirect("password_change")

    def login(self, request, extra_context=None):
        """Send the browser to the one login page there is; whoever is logged in has no business here."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect(f"{reverse('login')}?{urlencode({'next': request.get_full_path()})}")
