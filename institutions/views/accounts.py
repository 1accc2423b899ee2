"""Coming in, going out, and what belongs to one's own login."""

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_otp import login as confirm_second_factor
from django_otp.util import random_hex

from institutions import accounts, second_factor
from institutions.account_forms import (
    ActivationForm,
    CodeForm,
    LoginForm,
    PasswordChangeForm,
    SetUpForm,
    plain_username,
)
from institutions.http import Request, client_address, local_url

_PAGE = ["GET", "HEAD", "POST"]


@sensitive_post_parameters("password")
@login_not_required
@require_http_methods(_PAGE)
def log_in(request: HttpRequest) -> HttpResponse:
    """The one way in, for the portal and the admin."""
    if request.user.is_authenticated:
        return redirect("home")
    next_url = local_url(request.POST.get("next", request.GET.get("next", "")))
    form = LoginForm(request, data=request.POST or None)
    if request.method == "POST":
        name = {"username": plain_username(request.POST.get("username", ""))}
        locked = AxesProxyHandler.is_locked(request, name)
        if form.is_valid():
            return _enter(request, form.get_user(), next_url)
        if not locked and AxesProxyHandler.is_locked(request, name):
            accounts.record_lockout(name["username"], address=client_address(request))
    return render(
        request,
        "registration/login.html",
        {
            "form": form,
            "next": next_url,
            "timeout": "timeout" in request.GET,
            "out": "out" in request.GET,
        },
    )


def _enter(request: HttpRequest, user, next_url: str) -> HttpResponse:
    login(request, user)  # a new session id
    address = client_address(request)
    has_device = second_factor.device_of(user) is not None
    request.session["second_factor"] = has_device
    if has_device or settings.TOTP_REQUIRED:
        request.session["next"] = next_url
    with transaction.atomic():
        me = accounts.told_of(user, address)
        accounts.record("session.login", "登录", user=user, by=me)
    return redirect(next_url or "home")


@login_not_required
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        with transaction.atomic():
            me = accounts.told_of(request.user, client_address(request))
            accounts.record("session.logout", "退出", user=request.user, by=me)
    logout(request)
    response = redirect(f"{reverse('login')}?out=1")
    # Not "storage": it holds what other users of a shared phone have not sent yet; drafts.js clears one's own.
    response["Clear-Site-Data"] = '"cache", "cookies"'
    return response


@sensitive_post_parameters("code", "new_password", "new_password_again")
@login_not_required
@require_http_methods(_PAGE)
def activate(request: HttpRequest) -> HttpResponse:
    """Set the first password with the code that was handed out."""
    form = ActivationForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and form.user:
        try:
            accounts.activate(
                form.user, form.cleaned_data["new_password"], address=client_address(request)
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "密码已设好，请用新密码登录。")
            return redirect("login")
    return render(request, "registration/activate.html", {"form": form})


@sensitive_post_parameters()
@require_http_methods(_PAGE)
def password_change(request: Request) -> HttpResponse:
    """Change one's own password; all other sessions of the login end."""
    user = request.user
    if second_factor.device_of(user) and not second_factor.passed(user):
        return redirect("second_factor")
    form = PasswordChangeForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        accounts.change_password(
            user, form.cleaned_data["new_password"], address=client_address(request)
        )
        update_session_auth_hash(request, user)  # a new session id
        accounts.end_sessions(user, but=request.session.session_key or "")
        messages.success(request, "密码已修改，其他设备上的登录已全部退出。")
        return redirect("home")
    context = {"form": form, "expired": user.password_expired}
    return render(request, "registration/password_change.html", context)


# --- Second factor ---------------------------------------------------------------------------------------


@require_http_methods(_PAGE)
def second_factor_check(request: Request) -> HttpResponse:
    """Ask for the code of the authenticator, or a recovery code."""
    user = request.user
    if second_factor.passed(user):
        return redirect("home")
    if second_factor.device_of(user) is None:
        return redirect("second_factor_set_up")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = second_factor.check(user, form.cleaned_data["code"])
        if device is not None:
            return _confirmed(request, device)
        wait = second_factor.waiting_seconds(user)
        form.add_error(
            "code",
            f"动态码不正确或已用过，请等 {wait} 秒后换新码再试" if wait else "动态码不正确",
        )
    return render(request, "registration/second_factor.html", {"form": form})


def _confirmed(request: Request, device) -> HttpResponse:
    confirm_second_factor(request, device)
    request.session["second_factor"] = True
    request.session.cycle_key()
    note = ""
    if not hasattr(device, "key"):
        left = second_factor.codes_left(request.user)
        note = f"使用恢复码，剩余 {left} 个"
        messages.warning(
            request, f"已用掉一个恢复码，还剩 {left} 个。手机遗失的，请联系安全管理员。"
        )
    with transaction.atomic():
        me = accounts.told_of(request.user, client_address(request))
        accounts.record("session.second_factor", "二次验证", user=request.user, by=me, note=note)
    return redirect(local_url(request.session.pop("next", "")) or "home")


@sensitive_post_parameters("password", "code")
@require_http_methods(_PAGE)
def second_factor_set_up(request: Request) -> HttpResponse:
    """Show a new key as a picture, and take it once a code proves that the phone has it."""
    user = request.user
    replacing = second_factor.device_of(user) is not None
    if replacing and not second_factor.passed(user):
        return redirect("second_factor")
    form = SetUpForm(request.POST or None, request=request, replacing=replacing)
    # The key waits in the session, so that only who was shown it can confirm it.
    key = request.session.setdefault("second_factor_key", random_hex(20))
    if request.method == "POST" and form.is_valid():
        codes = second_factor.set_up(
            user, key=key, code=form.cleaned_data["code"], address=client_address(request)
        )
        if codes:
            return _set_up(request, codes)
        form.add_error("code", "动态码不正确：请确认手机时间准确，等下一个码再试")
    return render(
        request,
        "registration/second_factor_set_up.html",
        {
            "form": form,
            "replacing": replacing,
            "picture": second_factor.picture(user, key),
            "key": second_factor.spelled(key),
        },
    )


def _set_up(request: Request, codes: list[str]) -> HttpResponse:
    del request.session["second_factor_key"]
    confirm_second_factor(request, second_factor.device_of(request.user))
    request.session["second_factor"] = True
    request.session.cycle_key()
    accounts.end_sessions(request.user, but=request.session.session_key or "")
    next_url = local_url(request.session.pop("next", "")) or reverse("home")
    return render(request, "registration/recovery_codes.html", {"codes": codes, "next": next_url})


# --- Sessions and posts of one's own -----------------------------------------------------------------------


def _name_of(session_key: str) -> str:
    """Return what a page calls a session: the key itself would let whoever reads the page take it over."""
    return salted_hmac("institutions.session", session_key, algorithm="sha256").hexdigest()[:24]


@require_safe
def session_list(request: Request) -> HttpResponse:
    """Where one is logged in now."""
    own = request.session.session_key
    sessions = [
        {"row": row, "name": _name_of(row.session_key), "own": row.session_key == own}
        for row in request.user.sessions.order_by("-seen_at")
    ]
    sessions.sort(key=lambda session: not session["own"])
    context = {
        "sessions": sessions,
        "has_device": second_factor.device_of(request.user) is not None,
        "codes_left": second_factor.codes_left(request.user),
    }
    return render(request, "registration/session_list.html", context)


@require_POST
def session_end(request: Request) -> HttpResponse:
    """End one other session, or all others."""
    own = request.session.session_key
    wanted = request.POST.get("session", "")
    others = request.user.sessions.exclude(session_key=own)
    keys = [
        key
        for key in others.values_list("session_key", flat=True)
        if wanted in ("others", _name_of(key))
    ]
    if not keys and wanted != "others":
        raise Http404
    with transaction.atomic():
        ended = others.filter(session_key__in=keys).delete()[0]
        me = accounts.told_of(request.user, client_address(request))
        accounts.record("session.ended", "结束会话", user=request.user, by=me, sessions=ended)
    messages.success(request, f"已结束 {ended} 个会话。")
    return redirect("session_list")


@require_POST
def post_switch(request: Request) -> HttpResponse:
    """Act in another of one's own posts from now on."""
    wanted = request.POST.get("post", "")
    post = next((p for p in request.posts if str(p.pk) == wanted), None)
    if post is None:
        raise Http404
    request.session["post"] = post.pk
    messages.success(request, f"现以“{post}”办理。")
    return redirect("home")
