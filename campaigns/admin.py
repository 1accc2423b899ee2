"""Campaigns, tasks, reports and standards to look at: they move by their own pages alone."""

from django.contrib import admin

from campaigns.models import Campaign, Report, Standard, Task
from institutions.admin import ReadOnlyAdmin


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("name", "number", "institution", "issued_on", "status")
    list_filter = ("status", "year")
    list_select_related = ("institution",)
    search_fields = ("name", "number")


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("name", "campaign", "phase", "due", "kind")
    list_filter = ("kind",)
    list_select_related = ("campaign", "phase")
    search_fields = ("name",)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ("task", "institution", "due", "status", "submitted_at")
    list_filter = ("status",)
    list_select_related = ("task", "institution")
    search_fields = ("task__name", "institution__search")


@admin.register(Standard)
class StandardAdmin(ReadOnlyAdmin):
    list_display = ("name", "code", "year", "edition", "purpose", "status")
    list_filter = ("status", "purpose", "year")
    search_fields = ("name", "code")
