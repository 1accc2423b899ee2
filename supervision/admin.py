"""Working records of this floor, to be looked at by the auditor; they move by their own pages alone."""

from typing import ClassVar

from django.contrib import admin

from institutions.admin import ReadOnlyAdmin
from supervision.models import Problem, Rectification, Reminder, Sanction, SupervisionRound, Visit


@admin.register(SupervisionRound)
class SupervisionRoundAdmin(ReadOnlyAdmin):
    list_display = ("name", "type", "year", "quarter", "supervisor", "starts", "ends", "status")
    list_filter = ("type", "status", "year")
    list_select_related = ("supervisor",)
    search_fields = ("name",)

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("supervision.view_round")

    def has_module_permission(self, request):
        return self.has_view_permission(request)


@admin.register(Visit)
class VisitAdmin(ReadOnlyAdmin):
    list_display = ("institution", "round", "lead", "starts", "visited_on", "status")
    list_filter = ("status",)
    list_select_related = ("institution", "round", "lead__institution")
    search_fields = ("institution__search", "round__name")
    exclude: ClassVar = ("files",)


@admin.register(Problem)
class ProblemAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "institution", "item", "source", "severity", "found_on")
    list_filter = ("source", "severity", "year")
    list_select_related = ("institution", "item")
    search_fields = ("text", "institution__search")
    exclude: ClassVar = ("files",)


@admin.register(Rectification)
class RectificationAdmin(ReadOnlyAdmin):
    list_display = ("problem", "institution", "supervisor", "due", "status", "closed_at")
    list_filter = ("status",)
    list_select_related = ("problem", "institution", "supervisor")
    search_fields = ("problem__text", "institution__search")
    exclude: ClassVar = ("files",)


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ("rectification", "step", "on", "sent_at")
    list_filter = ("step",)
    list_select_related = ("rectification__institution", "rectification__problem")
    search_fields = ("rectification__problem__text", "rectification__institution__search")


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    list_display = ("institution", "kind", "year", "status", "decided_at")
    list_filter = ("kind", "status", "year")
    list_select_related = ("institution",)
    search_fields = ("institution__search", "reason")
    exclude: ClassVar = ("files",)
