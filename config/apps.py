from django.apps import AppConfig
from django.contrib.admin import apps as admin


class PortalConfig(AppConfig):
    name = "config"
    verbose_name = "公卫督导"
    default = True

    def ready(self) -> None:
        """Register the check that a demo stays on its machine."""
        from config.demo import guard  # noqa: F401


class PortalAdminConfig(admin.AdminConfig):
    default_site = "config.admin.PortalAdminSite"
    default = False
