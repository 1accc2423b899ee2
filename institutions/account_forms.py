"""Forms around a login: entering, activating, changing the password, codes, making and handing over posts."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate, password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from institutions import accounts, clock
from institutions.forms import DateInput, ScopedFormMixin
from institutions.models import Department, Institution, ServiceItem, User
from institutions.models.people import LIST_LIMIT
from institutions.roles import Role


def plain_username(text: str) -> str:
    """Full-width letters and upper case mean the same login, so that each name has one count of failures."""
    return User.normalize_username(text.strip()).lower()


class LoginForm(AuthenticationForm):
    """One message whether the name is unknown, the password wrong or the login switched off."""

    error_messages = {
        "invalid_login": "用户名或密码不正确，或账号不能使用",
        "inactive": "用户名或密码不正确，或账号不能使用",
    }

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = "用户名"
        self.fields["password"].label = "密码"

    def clean_username(self) -> str:
        return plain_username(self.cleaned_data["username"])


def _password_field(label: str, autocomplete: str, hint: str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, widget=widget, max_length=128, help_text=hint)


class NewPasswordMixin(forms.Form):
    """A new password, typed twice, checked by the profile's rules for `self.user`."""

    user: User | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = "".join(password_validation.password_validators_help_texts())
        self.fields["new_password"] = _password_field("新密码", "new-password", rules)
        self.fields["new_password_again"] = _password_field("再次输入新密码", "new-password")

    def check_new_password(self) -> None:
        first = self.cleaned_data.get("new_password")
        if not first:
            return
        if first != self.cleaned_data.get("new_password_again", first):
            self.add_error("new_password_again", "两次输入的密码不一致")
            return
        try:
            password_validation.validate_password(first, self.user)
        except ValidationError as error:
            self.add_error("new_password", error)


class ActivationForm(NewPasswordMixin):
    username = forms.CharField(
        label="用户名",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    code = forms.CharField(
        label="激活码",
        max_length=40,
        help_text="由管理员发放，形如 3FKA-97QT-XMHC-D4PW，不分大小写，7 日内有效。",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "username" in given and "code" in given:
            self.user = accounts.user_with_code(plain_username(given["username"]), given["code"])
            if self.user is None:
                raise ValidationError(
                    "用户名或激活码不正确，或激活码已用过、已过期。请向发放人核对或重新领取。"
                )
            self.check_new_password()
        return given


class PasswordChangeForm(NewPasswordMixin):
    old_password = _password_field("当前密码", "current-password")

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user = request.user

    def clean_old_password(self) -> str:
        """Ask like the log-in does, so that guessing here counts and locks as it does there."""
        old = self.cleaned_data["old_password"]
        name = self.request.user.username.lower()
        if authenticate(self.request, username=name, password=old) is None:
            raise ValidationError("当前密码不正确")
        return old

    def clean(self) -> dict[str, Any]:
        if "old_password" in self.cleaned_data:
            self.check_new_password()
        return self.cleaned_data


class CodeForm(forms.Form):
    code = forms.CharField(
        label="动态码",
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": ""}
        ),
    )


class SetUpForm(CodeForm):
    """The first code of a new key; replacing a key asks for the password again."""

    code = forms.CharField(
        label="手机上显示的 6 位动态码",
        max_length=8,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, request: Any, replacing: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        if replacing:
            self.fields["password"] = _password_field("当前密码", "current-password")

    def clean_password(self) -> str:
        given = self.cleaned_data["password"]
        name = self.request.user.username.lower()
        if authenticate(self.request, username=name, password=given) is None:
            raise ValidationError("当前密码不正确")
        return given


class HolderMixin(ScopedFormMixin):
    """Who gets the post: a login in sight by its user name, or a new one with a name."""

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]
    holder: User | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"] = forms.CharField(
            label="任职人用户名",
            max_length=40,
            help_text="填已有账号的用户名，任职即加到该账号；填新的用户名，即新建账号。",
            widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        )
        self.fields["name"] = forms.CharField(
            label="姓名", max_length=40, required=False, help_text="新建账号时必填"
        )
        self.fields["phone"] = forms.CharField(
            label="手机号", max_length=20, required=False, help_text="新建账号时可填"
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data  # type: ignore[misc]
        if "username" in given:
            self.holder = self._find(plain_username(given["username"]))
        return given

    def _find(self, username: str) -> User | None:
        known = User.objects.filter(username__iexact=username).first()
        if known is None:
            return self._new(username)
        # Somebody else's login is neither told of nor taken: the name alone is what cannot be had.
        if not User.objects.visible_to(self.post).filter(pk=known.pk).exists():
            self.add_error("username", "这个用户名不能使用，请换一个")  # type: ignore[attr-defined]
            return None
        if not known.may_log_in:
            self.add_error("username", "该账号已停用或已过有效期")  # type: ignore[attr-defined]
            return None
        return known

    def _new(self, username: str) -> User | None:
        if not self.cleaned_data.get("name"):
            self.add_error("name", "没有这个用户名的账号；新建账号请填写姓名")  # type: ignore[attr-defined]
            return None
        user = User(
            username=username,
            name=self.cleaned_data["name"].strip(),
            phone=self.cleaned_data.get("phone", ""),
        )
        try:
            user.clean_fields(exclude=["password"])
        except ValidationError as error:
            for field, messages in error.message_dict.items():
                self.add_error(field if field in self.fields else None, messages)  # type: ignore[attr-defined]
            return None
        return user


class OpenPostForm(HolderMixin, forms.Form):
    """A new post and who holds it. The roles offered are those that may be given somewhere in reach."""

    institution = forms.ModelChoiceField(
        Institution.objects.all(), label="机构", to_field_name="code"
    )
    role = forms.ChoiceField(label="角色")
    title = forms.CharField(label="职务", max_length=40, help_text="如：公卫科经办人")
    department = forms.ModelChoiceField(
        Department.objects.select_related("institution"), label="科室", required=False
    )
    items = forms.ModelMultipleChoiceField(
        ServiceItem.objects.filter(parent=None),
        label="分管项目",
        required=False,
        help_text="不选表示全部项目",
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ["institution", "role", "title", "username", "name", "phone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = Role.choices if self.post.role == Role.SYSTEM else _HEAD_GIVES
        self.fields["role"].choices = [("", "---------"), *roles]  # type: ignore[attr-defined]
        self._offer_institutions(self.fields["institution"])
        mine = Department.objects.filter(institution=self.post.institution)
        self.fields["department"].queryset = mine  # type: ignore[attr-defined]
        self.order_fields(self.field_order)

    def _offer_institutions(self, field: forms.Field) -> None:
        """A county's institutions fit into a list to choose from; a province's are named by their code."""
        within = Institution.objects.under(self.post.institution).open_on(clock.today())
        field.queryset = within  # type: ignore[attr-defined]
        if within[: LIST_LIMIT + 1].count() > LIST_LIMIT:
            field.widget = forms.TextInput(attrs={"autocomplete": "off"})
            field.help_text = "填机构代码"

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("institution") and given.get("role"):
            reason = accounts.grantable(self.post, given["role"], given["institution"])
            if reason:
                self.add_error("role", reason)
        department = given.get("department")
        if department and department.institution_id != getattr(given.get("institution"), "pk", 0):
            self.add_error("department", "科室不属于所选机构")
        return given


_HEAD_GIVES = [(role.value, role.label) for role in (Role.HEAD, Role.STAFF)]


class HandOverForm(HolderMixin, forms.Form):
    """交接: to whom, from when, why; and whether a login that is left without a post is switched off."""

    on = forms.DateField(label="交接日期", widget=DateInput, help_text="今天或以前的日期")
    note = forms.CharField(
        label="说明", required=False, max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )
    retire = forms.BooleanField(
        label="原任职人没有其他任职的，停用其账号", required=False, initial=True
    )
    field_order = ["username", "name", "phone", "on", "note", "retire"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = clock.today()
        self.order_fields(self.field_order)
