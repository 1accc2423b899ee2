"""Reference data and accounts in Django's admin: only what the post may see, and every write an event.

Upper floors register their workflow rows with `ReadOnlyAdmin`: a record moves by its own pages, never here.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from institutions import accounts, audit
from institutions.http import Request
from institutions.models import (
    Capacity,
    Department,
    Event,
    Holiday,
    Institution,
    Job,
    Kind,
    Mandate,
    Pairing,
    Population,
    Post,
    Region,
    Responsibility,
    ServiceItem,
    StaffMember,
    StoredFile,
    User,
)
from institutions.resources import (
    InstitutionResource,
    PopulationResource,
    TableAdminMixin,
    UserResource,
)
from institutions.roles import Role

# --- Base classes ------------------------------------------------------------------------------------------


class ScopedAdmin(admin.ModelAdmin):
    """Rows, and choices of related rows, are those the active post may see."""

    actions = None  # no deed over a set: each write is looked at, and recorded, by itself
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.visible_to(request.post) if hasattr(rows, "visible_to") else rows

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs.setdefault("queryset", _choices(db_field.remote_field.model, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        kwargs.setdefault("queryset", _choices(db_field.remote_field.model, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def history_view(self, request, object_id, extra_context=None):
        """The record of the row, from the chain of events."""
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"变更记录：{row}",
            "opts": self.opts,
            "object": row,
            "events": Event.objects.of(row).reverse()[:100],
        }
        return render(request, "admin/object_events.html", context)


def _choices(model: type[models.Model], request: Request) -> models.QuerySet:
    rows = model._default_manager.all()
    if model is Region:
        return _own_regions(request.post, rows)
    return rows.visible_to(request.post) if hasattr(rows, "visible_to") else rows


def _own_regions(post: Post, rows: models.QuerySet) -> models.QuerySet:
    """The area of the post's institution; a region chosen outside it would widen a reach beyond the bureau's."""
    own = post.institution.region
    return rows.filter(path__startswith=own.path) if own else rows.none()


class RecordedAdmin(ScopedAdmin):
    """Every addition, change and deletion is an event with the values before and after."""

    def get_readonly_fields(self, request, obj=None):
        fixed = list(super().get_readonly_fields(request, obj))
        natural_key = obj is not None and any(f.name == "code" for f in self.opts.fields)
        return [*fixed, "code"] if natural_key else fixed

    def construct_change_message(self, request, form, formsets, add=False):
        return {
            str(form.fields[name].label or name): [
                _shown(form.fields[name], form.initial.get(name)),
                _shown(form.fields[name], form.cleaned_data.get(name)),
            ]
            for name in form.changed_data
        }

    def log_addition(self, request, obj, message):
        self._record(request, obj, "add", "新增", message)

    def log_change(self, request, obj, message):
        if message:
            self._record(request, obj, "change", "修改", message)

    def log_deletions(self, request, queryset):
        for row in queryset:
            self._record(request, row, "delete", "删除", {})

    def _record(self, request, row, verb: str, label: str, changes: dict[str, list[str]]) -> None:
        institution = _institution_of(row)
        audit.record(
            f"reference.{self.opts.model_name}.{verb}",
            f"{label}{self.opts.verbose_name}",
            by=request.post,
            bureau=(institution or request.post.institution).bureau_id,
            on=row,
            institution=institution,
            note="；".join(f"{k}：{a or '空'} → {b or '空'}" for k, (a, b) in changes.items()),
            data=changes,
        )


def _shown(field: forms.Field, value: Any) -> str:
    """Return a form's value as people read it: related rows by name, choices by label."""
    if value is None or value == "":
        return ""
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, list | tuple | models.QuerySet):
        return "、".join(_shown(field, one) for one in value)
    if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
        row = field.queryset.model._base_manager.filter(pk=value).first()
        return str(row) if row else str(value)
    if isinstance(field, forms.ChoiceField):
        return str(dict(list(field.choices)).get(value, value))  # type: ignore[arg-type]
    return (
        {True: "是", False: "否"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


def _institution_of(row: models.Model) -> Institution | None:
    if isinstance(row, Institution):
        return row
    if isinstance(row, User):
        post = row.posts.select_related("institution").last()
        return post.institution if post else None
    if isinstance(row, Mandate):
        return row.post.institution
    return getattr(row, "institution", None)


class SharedAdmin(RecordedAdmin):
    """What all bureaus of the database share is kept by the topmost one; the others look it up."""

    def _keeps(self, request) -> bool:
        return request.post is not None and request.post.institution.parent_id is None

    def has_add_permission(self, request):
        return self._keeps(request) and super().has_add_permission(request)

    def has_change_permission(self, request, obj=None):
        return self._keeps(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return self._keeps(request) and super().has_delete_permission(request, obj)


class ReadOnlyAdmin(ScopedAdmin):
    """Rows to look at: they come and change by their own pages or deeds alone."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class AuditorAdmin(ReadOnlyAdmin):
    """Seen by the auditor only, for the institutions in his reach."""

    institution_path: ClassVar[str] = ""

    def has_view_permission(self, request, obj=None):
        return request.post is not None and request.post.role == Role.AUDITOR

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def get_queryset(self, request):
        rows = admin.ModelAdmin.get_queryset(self, request)
        seen = Institution.objects.visible_to(request.post)
        return rows.filter(**{f"{self.institution_path}__in": seen})


# --- Who there is --------------------------------------------------------------------------------------------


@admin.register(Region)
class RegionAdmin(RecordedAdmin):
    """Down to the county the tree is the national standard's; a bureau keeps what lies below its own region."""

    list_display = ("name", "code", "level", "parent", "valid_from", "valid_to")
    list_filter = ("level",)
    list_select_related = ("parent",)
    search_fields = ("name", "code")
    autocomplete_fields = ("parent",)
    fields = ("code", "name", "level", "parent", "valid_from", "valid_to")

    def get_queryset(self, request):
        return _own_regions(request.post, super().get_queryset(request))

    def get_readonly_fields(self, request, obj=None):
        # A moved region would leave the paths below it behind.
        return [*super().get_readonly_fields(request, obj), *(["parent"] if obj else [])]

    def has_change_permission(self, request, obj=None):
        return self._is_local(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return self._is_local(obj) and super().has_delete_permission(request, obj)

    def _is_local(self, obj) -> bool:
        return obj is None or obj.level > Region.Level.COUNTY

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        if "level" in form.base_fields:
            local = [c for c in Region.Level.choices if c[0] > Region.Level.COUNTY]
            form.base_fields["level"].choices = local  # type: ignore[attr-defined]
        if "parent" in form.base_fields:
            form.base_fields["parent"].required = True
        return form


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value):
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]

    def has_changed(self, initial, data):
        return self.clean(data) != (initial or [])


class InstitutionForm(forms.ModelForm):
    other_names = LinesField(label="其他名称", required=False, help_text="每行一个")
    also_kinds = forms.MultipleChoiceField(
        label="兼任类别",
        required=False,
        choices=Kind.choices,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Institution
        fields = (
            "code",
            "name",
            "short_name",
            "kind",
            "parent",
            "region",
            "other_names",
            "also_kinds",
            "affiliation",
            "midwifery",
            "uscc",
            "licence",
            "opened",
            "closed",
        )


@admin.register(Institution)
class InstitutionAdmin(TableAdminMixin, RecordedAdmin):
    resource_classes: ClassVar = [InstitutionResource]
    form = InstitutionForm
    list_display = ("name", "code", "kind", "parent", "region", "opened", "closed")
    list_filter = ("kind", "affiliation", "midwifery")
    list_select_related = ("parent", "region")
    search_fields = ("search",)
    search_help_text = "名称、代码或拼音首字母"
    autocomplete_fields = ("parent", "region")
    ordering = ("path",)

    def get_readonly_fields(self, request, obj=None):
        fixed = super().get_readonly_fields(request, obj)
        # One's own bureau keeps its place: a bureau is moved by the one above it.
        own = obj is not None and obj.pk == request.post.institution_id
        return [*fixed, "kind", "parent"] if own else fixed

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        if "parent" in form.base_fields:
            form.base_fields["parent"].required = True
        return form


class PlaceAdmin(RecordedAdmin):
    """What describes an institution."""

    autocomplete_fields: ClassVar[tuple[str, ...]] = ("institution",)
    list_select_related: ClassVar[tuple[str, ...]] = ("institution",)
    search_fields: ClassVar[tuple[str, ...]] = ("institution__search",)
    search_help_text = "机构名称、代码或拼音首字母"


@admin.register(Department)
class DepartmentAdmin(PlaceAdmin):
    list_display = ("name", "institution")
    search_fields = ("name", "institution__search")


@admin.register(ServiceItem)
class ServiceItemAdmin(SharedAdmin):
    list_display = ("code", "name", "short_name", "parent", "key_group")
    list_select_related = ("parent",)
    search_fields = ("code", "name", "short_name")
    fields = ("code", "name", "short_name", "parent", "key_group", "aliases")
    formfield_overrides: ClassVar = {models.JSONField: {"form_class": LinesField}}


@admin.register(Responsibility)
class ResponsibilityAdmin(PlaceAdmin):
    list_display = ("institution", "item", "duty")
    list_filter = ("duty", "item")
    list_select_related = ("institution", "item")


@admin.register(Population)
class PopulationAdmin(TableAdminMixin, PlaceAdmin):
    resource_classes: ClassVar = [PopulationResource]
    list_display = ("institution", "year", "residents", "children", "pregnant", "elderly")
    list_filter = ("year",)


@admin.register(StaffMember)
class StaffMemberAdmin(PlaceAdmin):
    list_display = ("name", "institution", "title", "item", "joined", "left")
    list_filter = ("item",)
    list_select_related = ("institution", "item")
    search_fields = ("name", "institution__search")


@admin.register(Capacity)
class CapacityAdmin(PlaceAdmin):
    list_display = ("institution", "year", "beds", "devices", "posts", "radius")
    list_filter = ("year",)
    exclude = ("equipment",)


@admin.register(Holiday)
class HolidayAdmin(SharedAdmin):
    list_display = ("day", "name", "workday")
    list_filter = ("workday",)
    date_hierarchy = "day"


# --- Accounts ------------------------------------------------------------------------------------------------


@admin.register(User)
class UserAdmin(RecordedAdmin):
    """Logins are made on the portal, together with a post: one without a post is in nobody's sight."""

    list_display = ("username", "name", "phone", "is_active", "expires", "last_login")
    list_filter = ("is_active",)
    search_fields = ("username", "name", "phone", "posts__institution__search")
    fields = ("username", "name", "phone", "is_active", "expires", "last_login", "password_set_on")
    readonly_fields = ("last_login", "password_set_on")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (
            obj is None or not accounts.account_refused(request.post, obj)
        )

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and (
            obj is None or not accounts.account_refused(request.post, obj)
        )

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["username"] if obj else [])]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if not obj.may_log_in:
            accounts.end_sessions(obj)


class PostForm(forms.ModelForm):
    """A post is given here by the same rule as on the portal."""

    by: ClassVar[Post]

    class Meta:
        model = Post
        fields = (
            "title",
            "institution",
            "department",
            "role",
            "items",
            "region",
            "starts",
            "ends",
            "user",
        )
        widgets: ClassVar = {"items": forms.CheckboxSelectMultiple}

    def clean(self):
        given = super().clean() or self.cleaned_data
        role, institution = given.get("role"), given.get("institution")
        if role and institution:
            reason = accounts.grantable(self.by, role, institution)
            if reason and {"role", "institution"} & set(self.changed_data):
                raise ValidationError({"role": reason})
        if given.get("user") and given["user"].pk == self.by.user_id:
            raise ValidationError({"user": "不能给自己增设任职"})
        return given


@admin.register(Post)
class PostAdmin(TableAdminMixin, RecordedAdmin):
    """The holder is changed by a handover on the portal, which ends his sessions and tells the next one."""

    resource_classes: ClassVar = [UserResource]
    form = PostForm
    list_display = ("title", "institution", "role", "user", "starts", "ends")
    list_filter = ("role", "institution__kind")
    list_select_related = ("institution", "user")
    search_fields = ("title", "institution__search", "user__name", "user__username")
    autocomplete_fields = ("institution", "department", "region", "user")

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.post  # type: ignore[attr-defined]
        return form

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["user"] if obj else [])]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and _not_own(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and _not_own(request, obj)


def _not_own(request, post: Post | None) -> bool:
    return post is None or not accounts.post_refused(request.post, post)


class OthersPostForm(forms.ModelForm):
    """What widens a post is not given to oneself."""

    by: ClassVar[Post]

    def clean_post(self):
        post = self.cleaned_data["post"]
        reason = accounts.post_refused(self.by, post)
        if reason:
            raise ValidationError(reason)
        return post


class OthersPostAdmin(RecordedAdmin):
    form = OthersPostForm
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("post", "institution")
    search_fields: ClassVar[tuple[str, ...]] = (
        "post__title",
        "post__institution__search",
        "institution__search",
    )

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.post  # type: ignore[attr-defined]
        return form

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and _not_own(request, obj and obj.post)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and _not_own(request, obj and obj.post)


class MandateForm(OthersPostForm):
    class Meta:
        model = Mandate
        fields = ("post", "institution", "region", "all_items", "items", "starts", "ends", "source")
        widgets: ClassVar = {"items": forms.CheckboxSelectMultiple}

    def clean(self):
        given = super().clean() or self.cleaned_data
        if bool(given.get("all_items")) == bool(given.get("items")):
            raise ValidationError({"items": "请勾选“全部项目”，或选择具体项目，二者选一"})
        return given


@admin.register(Mandate)
class MandateAdmin(OthersPostAdmin):
    form = MandateForm
    list_display = ("post", "institution", "region", "all_items", "starts", "ends", "source")
    list_filter = ("all_items",)
    list_select_related = ("post__institution", "institution", "region")
    autocomplete_fields = ("post", "institution", "region")


@admin.register(Pairing)
class PairingAdmin(OthersPostAdmin):
    list_display = ("post", "institution", "starts", "ends")
    list_select_related = ("post__institution", "institution")
    fields = ("post", "institution", "starts", "ends")


# --- The record ------------------------------------------------------------------------------------------------


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "moment", "who", "label", "subject_text", "institution_text", "note")
    search_fields = ("who", "label", "subject_text", "note")
    ordering = ("-at", "-pk")

    @admin.display(description="时间", ordering="at")
    def moment(self, event: Event) -> str:
        return timezone.localtime(event.at).strftime("%Y-%m-%d %H:%M:%S")


@admin.register(StoredFile)
class StoredFileAdmin(AuditorAdmin):
    institution_path = "uploader__institution"
    list_display = ("name", "kind", "size", "sha256", "uploader", "created_at")
    list_select_related = ("uploader__institution",)
    search_fields = ("name", "sha256")


@admin.register(Job)
class JobAdmin(AuditorAdmin):
    institution_path = "owner__institution"
    list_display = ("title", "kind", "owner", "unit", "state", "created_at", "finished_at")
    list_filter = ("state", "kind")
    list_select_related = ("owner__institution", "unit")
    search_fields = ("title",)
