from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from institutions import clock, passwords
from institutions.models.institution import Institution, Kind, PlaceQuerySet, ServiceItem
from institutions.models.region import Region
from institutions.models.scoping import Grant, Reach, ids
from institutions.roles import (
    ADMINISTRATORS,
    BUREAU_ROLES,
    ROLE_PERMISSIONS,
    SECOND_FACTOR_ROLES,
    Role,
    excluded,
)

if TYPE_CHECKING:
    from datetime import date

# Above this many institutions a subtree is asked for by its path, not by a list of ids.
LIST_LIMIT = 400


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, name: str, password: str | None = None) -> "User":
        user = self.model(username=User.normalize_username(username), name=name)
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username):
        return self.get(username__iexact=User.normalize_username(username))


class UserQuerySet(models.QuerySet):
    def visible_to(self, post: "Post | None") -> Self:
        """Return the people who hold a post at an institution in sight, and oneself."""
        if post is None:
            return self.none()
        return self.filter(
            Q(posts__institution__in=Institution.objects.visible_to(post)) | Q(pk=post.user_id)
        ).distinct()


class User(AbstractBaseUser, PermissionsMixin):
    """账号: a login. What it may do follows from the post that is active, never from groups or a superuser flag."""

    is_superuser = None
    groups = None  # type: ignore[assignment]
    user_permissions = None  # type: ignore[assignment]

    username = models.CharField(
        "用户名",
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9._-]+\Z", "用户名只能用字母、数字和“._-”")],
    )
    name = models.CharField("姓名", max_length=40)
    phone = models.CharField("手机号", max_length=20, blank=True)
    is_active = models.BooleanField("启用", default=True)
    expires = models.DateField("有效期至", null=True, blank=True)
    created_at = models.DateTimeField("建立时间", default=timezone.now, editable=False)
    activation_hash = models.CharField(max_length=128, blank=True, editable=False)
    activation_expires = models.DateTimeField(null=True, blank=True, editable=False)
    password_set_on = models.DateField(null=True, blank=True, editable=False)
    password_history = models.JSONField(default=list, blank=True, editable=False)

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar = ["name"]

    class Meta:
        verbose_name = verbose_name_plural = "账号"
        ordering: ClassVar = ["username"]

    def __str__(self) -> str:
        return f"{self.name}（{self.username}）"

    @property
    def is_staff(self) -> bool:
        """Django's admin asks this; the answer is a permission of the active post."""
        return self.has_perm("institutions.use_admin")

    @property
    def may_log_in(self) -> bool:
        return self.is_active and (self.expires is None or self.expires >= clock.today())

    @property
    def password_expired(self) -> bool:
        return passwords.expired(self, clock.today())

    def set_password(self, raw_password):
        """Set the password and remember the last ones, which may not be used again."""
        if self.password and self.has_usable_password():
            self.password_history = [self.password, *self.password_history][:5]
        super().set_password(raw_password)
        self.password_set_on = clock.today()

    def password_words(self) -> list[str]:
        """Return the names of the person's institutions, which a password must not contain."""
        at = Institution.objects.filter(posts__user=self).values_list("name", "short_name")
        return [word for names in at for word in names if word] if self.pk else []

    def posts_in_office(self) -> "models.QuerySet[Post]":
        return (
            Post.objects.in_office()
            .filter(user=self)
            .select_related("institution__bureau", "institution__region", "user", "region")
            .order_by("pk")
        )

    @cached_property
    def post(self) -> "Post | None":
        """The active post: the middleware sets the chosen one; elsewhere the first in office."""
        return self.posts_in_office().first()


class PostQuerySet(PlaceQuerySet):
    def in_office(self, day: "date | None" = None) -> Self:
        day = day or clock.today()
        return self.filter(
            Q(starts__isnull=True) | Q(starts__lte=day), Q(ends__isnull=True) | Q(ends__gte=day)
        )

    def not_ended(self) -> Self:
        return self.filter(Q(ends__isnull=True) | Q(ends__gte=clock.today()))

    def held(self) -> Self:
        return self.in_office().filter(user__isnull=False, user__is_active=True)


class Post(models.Model):
    """任职: what everything else points at. A person comes and goes; the post, its work and its history stay."""

    title = models.CharField("职务", max_length=40)
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="posts"
    )
    department = models.ForeignKey(
        "institutions.Department", models.PROTECT, null=True, blank=True, verbose_name="科室"
    )
    role = models.CharField("角色", max_length=10, choices=Role)
    items = models.ManyToManyField(
        ServiceItem, blank=True, verbose_name="分管项目", help_text="不选表示全部项目"
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, verbose_name="管辖区划"
    )
    starts = models.DateField("任职起", null=True, blank=True)
    ends = models.DateField("任职止", null=True, blank=True)
    user = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name="任职人", related_name="posts"
    )

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "任职"
        ordering: ClassVar = ["institution", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(starts__isnull=True) | Q(ends__isnull=True) | Q(ends__gte=F("starts")),
                name="post_ends_after_start",
                violation_error_message="任职止不能早于任职起",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="post_role_known"),
            models.UniqueConstraint(
                fields=["institution", "title", "user"], name="post_once_a_person"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["institution", "role"], name="post_at")]

    def __str__(self) -> str:
        return f"{self.institution.known_as} {self.title}"

    def clean(self) -> None:
        if self.institution_id and self.role:
            reason = role_refused(self.role, self.institution.kind)
            if reason:
                raise ValidationError({"role": reason})
        if self.user_id and self.role:
            others = Post.objects.not_ended().filter(user=self.user_id).exclude(pk=self.pk)
            reason = excluded(others.values_list("role", flat=True), self.role)
            if reason and self.user:
                raise ValidationError({"role": f"{self.user.name}：{reason}"})

    def get_absolute_url(self) -> str:
        return reverse("institutions:post_detail", args=[self.pk])

    @property
    def needs_second_factor(self) -> bool:
        return self.role in SECOND_FACTOR_ROLES

    @cached_property
    def permissions(self) -> frozenset[str]:
        return ROLE_PERMISSIONS.get(self.role, frozenset())

    def has_perm(self, perm: str) -> bool:
        return perm in self.permissions

    @cached_property
    def item_ids(self) -> frozenset[int] | None:
        """The service items this post is limited to, parts included; None when it is not limited."""
        return _with_parts(self.items.values_list("pk", flat=True)) if self.pk else None

    @cached_property
    def reach(self) -> Reach:
        grants = []
        if self.role == Role.STREET:
            area = self.region or self.institution.region
            if area:
                grants.append(Grant(region_path=area.path, items=self.item_ids))
        elif self.role != Role.EXPERT:
            grants.append(_subtree(self.institution, self.item_ids))
        for mandate in (
            Mandate.objects.in_force()
            .filter(post=self)
            .select_related("institution", "region")
            .prefetch_related("items")
        ):
            items = None if mandate.all_items else _with_parts([i.pk for i in mandate.items.all()])
            if not mandate.all_items and items is None:
                continue
            if mandate.institution:
                grants.append(_subtree(mandate.institution, items))
            elif mandate.region:
                grants.append(Grant(region_path=mandate.region.path, items=items))
        return Reach(role=self.role, grants=tuple(grants))

    def acts_for(self, institution_id: int) -> bool:
        """Say whether this post answers, or asks, in the name of that very institution."""
        return self.institution_id == institution_id

    def asks_of(self, institution: Institution, supervisor_id: int, item_id: int | None) -> bool:
        """Say whether this post may act for `supervisor` on a row of `institution` and item.

        Either it is a post of the supervisor (limited to its own items where it is limited), or a mandate over the
        institution and item was given to it: lead agencies and confirmed team members.
        """
        if self.institution_id == supervisor_id:
            return self.item_ids is None or item_id in self.item_ids
        if self.role not in (Role.LEAD, Role.EXPERT, Role.LEADER):
            return False
        mandated = self.reach.grants[0 if self.role == Role.EXPERT else 1 :]
        return Reach(self.role, mandated).covers(institution, item_id)


def _with_parts(item_ids) -> frozenset[int] | None:
    chosen = list(item_ids)
    if not chosen:
        return None
    return frozenset(
        ServiceItem.objects.filter(Q(pk__in=chosen) | Q(parent__in=chosen)).values_list(
            "pk", flat=True
        )
    )


def _subtree(institution: Institution, items: frozenset[int] | None) -> Grant:
    under = Institution.objects.under(institution)
    if institution.is_bureau:
        bureaus = ids(under.filter(kind=Kind.BUREAU).values_list("pk", flat=True))
        return Grant(path=institution.path, bureaus=bureaus, items=items)
    members = ids(under.values_list("pk", flat=True)[: LIST_LIMIT + 1])
    return Grant(
        path=institution.path,
        institutions=members if len(members) <= LIST_LIMIT else (),
        items=items,
    )


def role_refused(role: str, kind: str) -> str:
    """Return why a role cannot be held at a kind of institution, or nothing."""
    at_bureau = kind == Kind.BUREAU
    if role in BUREAU_ROLES | ADMINISTRATORS and not at_bureau:
        return f"“{Role(role).label}”只能设在卫生健康行政部门"
    if role in (Role.HEAD, Role.STAFF) and (at_bureau or kind == Kind.STREET):
        return f"“{Role(role).label}”不能设在{Kind(kind).label}"
    if role == Role.STREET and kind != Kind.STREET:
        return "“街道办”只能设在街道办事处"
    return ""


class MandateQuerySet(PlaceQuerySet):
    institution_path = "post__institution"

    def in_force(self, day: "date | None" = None) -> Self:
        day = day or clock.today()
        return self.filter(
            Q(starts__isnull=True) | Q(starts__lte=day), Q(ends__isnull=True) | Q(ends__gte=day)
        )


class Mandate(models.Model):
    """授权: a post reaches a subtree or a region beyond its own, for some items or all, for a time.

    The one source of such reach: lead agencies hold standing ones, a confirmed supervision team dated ones.
    """

    post = models.ForeignKey(Post, models.PROTECT, verbose_name="任职", related_name="mandates")
    institution = models.ForeignKey(
        Institution,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="机构（含下级）",
        related_name="+",
    )
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, verbose_name="区划")
    all_items = models.BooleanField("全部项目", default=False)
    items = models.ManyToManyField(ServiceItem, blank=True, verbose_name="项目")
    starts = models.DateField("起", null=True, blank=True)
    ends = models.DateField("止", null=True, blank=True)
    source = models.CharField("依据", max_length=120)

    objects = MandateQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "授权"
        ordering: ClassVar = ["post", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(institution__isnull=False, region__isnull=True)
                | Q(institution__isnull=True, region__isnull=False),
                name="mandate_one_area",
                violation_error_message="机构和区划填且只填一个",
            )
        ]

    def __str__(self) -> str:
        return f"{self.post} → {self.institution or self.region}"


class PairingQuerySet(PlaceQuerySet):
    def in_force(self, day: "date | None" = None) -> Self:
        day = day or clock.today()
        return self.filter(
            Q(starts__isnull=True) | Q(starts__lte=day), Q(ends__isnull=True) | Q(ends__gte=day)
        )


class Pairing(models.Model):
    """挂包: a leader is linked to an institution and answers for supervising it."""

    post = models.ForeignKey(Post, models.PROTECT, verbose_name="领导", related_name="pairings")
    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="联系机构", related_name="pairings"
    )
    starts = models.DateField("起", null=True, blank=True)
    ends = models.DateField("止", null=True, blank=True)

    objects = PairingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "挂包联系"
        ordering: ClassVar = ["post", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["post", "institution"], name="pairing_once")
        ]

    def __str__(self) -> str:
        return f"{self.post} 挂包 {self.institution}"
