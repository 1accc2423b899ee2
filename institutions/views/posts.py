"""任职与账号: who holds which post, and what is done with posts and their logins."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from institutions import accounts, handing_over, second_factor
from institutions.account_forms import HandOverForm, OpenPostForm
from institutions.http import Request
from institutions.lists import PostList, post_state
from institutions.models import Event, Post, User

_PAGE = ["GET", "HEAD", "POST"]


def _posts(request: Request):
    return Post.objects.visible_to(request.post).select_related(
        "institution__bureau", "institution__region", "department", "region", "user"
    )


@require_safe
@permission_required("institutions.view_account", raise_exception=True)
def post_list(request: Request) -> HttpResponseBase:
    """The posts in sight and the logins that hold them."""
    return PostList(request, _posts(request)).response("institutions/post_list.html")


@require_safe
@permission_required("institutions.view_account", raise_exception=True)
def post_detail(request: Request, pk: int) -> HttpResponse:
    """One post: what it may reach, who holds it, what happened to it, what can be done."""
    post = get_object_or_404(_posts(request), pk=pk)
    context = {
        "post": post,
        "state": post_state(post),
        "items": post.items.all(),
        "mandates": post.mandates.in_force()
        .select_related("institution", "region")
        .prefetch_related("items"),
        "pairings": post.pairings.in_force().select_related("institution"),
        "events": Event.objects.of(post).reverse()[:20],
        "account_events": Event.objects.of(post.user).reverse()[:20] if post.user else [],
        "deeds": _deeds(request.post, post),
        "has_device": bool(post.user and second_factor.device_of(post.user)),
        "crumbs": [("任职与账号", reverse("institutions:post_list"))],
    }
    return render(request, "institutions/post_detail.html", context)


# --- What can be done, offered and done by one table -----------------------------------------------------------


@dataclass(frozen=True)
class Deed:
    """A button on the page of a post: `why_not` is the reason while it cannot be pressed."""

    label: str
    url: str
    why_not: str = ""
    confirm: str = ""
    is_page: bool = False
    tone: str = ""


def _deeds(by: Post, post: Post) -> list[Deed]:
    deeds = []

    def offer(label: str, name: str, why_not: str, **more) -> None:
        url = reverse(f"institutions:{name}", args=[post.pk])
        deeds.append(Deed(label, url, why_not, **more))

    if by.has_perm("institutions.hand_over_post"):
        offer("任职交接", "post_hand_over", handing_over.refused(by, post), is_page=True)
    if post.user and by.has_perm("institutions.manage_account"):
        _offer_account(offer, post.user, accounts.account_refused(by, post.user))
    if post.user and by.has_perm("institutions.secure_account"):
        _offer_security(offer, accounts.secure_refused(by, post.user))
    return deeds


def _offer_account(offer: Callable, user: User, why_not: str) -> None:
    if user.is_active:
        text = "原密码立即失效，并结束该账号的全部会话。确定重置？"
        offer("重置密码", "account_reset", why_not, confirm=text)
        text = "停用后该账号不能登录，其名下全部任职都不能办理业务。确定停用？"
        offer("停用账号", "account_deactivate", why_not, confirm=text, tone="danger")
    else:
        offer("启用账号", "account_reactivate", why_not)


def _offer_security(offer: Callable, why_not: str) -> None:
    offer("解除登录锁定", "account_unlock", why_not)
    offer("结束全部会话", "account_end_sessions", why_not)
    text = (
        "原来的动态码和恢复码立即失效，下次登录时重新设置。请先当面或电话核实本人身份。确定重置？"
    )
    offer("重置二次验证", "account_reset_second_factor", why_not, confirm=text, tone="danger")


def _held(request: Request, pk: int) -> tuple[Post, User]:
    post = get_object_or_404(_posts(request), pk=pk)
    if post.user is None:
        raise Http404
    return post, post.user


def _slip(request: Request, post: Post, user: User, code: str, done: str) -> HttpResponse:
    """Show an activation code: this once, in the answer itself, so that it is stored nowhere."""
    context = {
        "post": post,
        "account": user,
        "code": code,
        "done": done,
        "days": accounts.CODE_DAYS,
        "address": request.build_absolute_uri(reverse("activate")),
        "crumbs": [("任职与账号", reverse("institutions:post_list"))],
    }
    return render(request, "institutions/account_code.html", context)


# --- Deeds of who manages accounts -----------------------------------------------------------------------------


@require_http_methods(_PAGE)
@permission_required("institutions.manage_account", raise_exception=True)
def account_create(request: Request) -> HttpResponse:
    """Make a post for a person, with a new login where there is none yet."""
    initial = {"institution": request.GET.get("institution", "")[:32]}
    form = OpenPostForm(request.POST or None, post=request.post, initial=initial)
    if request.method == "POST" and form.is_valid() and form.holder:
        given = form.cleaned_data
        try:
            post, code = accounts.open_post(
                by=request.post,
                institution=given["institution"],
                role=given["role"],
                title=given["title"].strip(),
                user=form.holder,
                department=given["department"],
                items=given["items"],
            )
        except ValidationError as error:
            _tell(form, error)
        else:
            if code:
                return _slip(request, post, form.holder, code, "账号和任职已建立")
            messages.success(request, f"已为 {form.holder.name} 增设任职“{post}”。")
            return redirect(post)
    context = {"form": form, "crumbs": [("任职与账号", reverse("institutions:post_list"))]}
    return render(request, "institutions/account_create.html", context)


@require_http_methods(_PAGE)
@permission_required("institutions.hand_over_post", raise_exception=True)
def post_hand_over(request: Request, pk: int) -> HttpResponse:
    """Hand a post to another person; what is open goes along."""
    post = get_object_or_404(_posts(request), pk=pk)
    form = HandOverForm(request.POST or None, post=request.post)
    if request.method == "POST" and form.is_valid() and form.holder:
        given = form.cleaned_data
        try:
            code = handing_over.hand_over(
                by=request.post,
                post=post,
                to=form.holder,
                on=given["on"],
                note=given["note"],
                retire=given["retire"],
            )
        except ValidationError as error:
            _tell(form, error)
        else:
            if code:
                return _slip(request, post, form.holder, code, "任职已交接，接任人账号已建立")
            messages.success(request, f"“{post}”已交接给 {form.holder.name}。")
            return redirect(post)
    context = {
        "form": form,
        "post": post,
        "why_not": handing_over.refused(request.post, post),
        "crumbs": [
            ("任职与账号", reverse("institutions:post_list")),
            (str(post), post.get_absolute_url()),
        ],
    }
    return render(request, "institutions/post_hand_over.html", context)


def _tell(form, error: ValidationError) -> None:
    """Put the errors of a deed at the fields they speak of."""
    for field, texts in getattr(error, "message_dict", {None: error.messages}).items():
        form.add_error(field if field in form.fields else None, texts)


@require_POST
@permission_required("institutions.manage_account", raise_exception=True)
def account_reset(request: Request, pk: int) -> HttpResponse:
    post, user = _held(request, pk)
    code = accounts.reset(by=request.post, user=user)
    return _slip(request, post, user, code, "密码已重置")


@require_POST
@permission_required("institutions.manage_account", raise_exception=True)
def account_deactivate(request: Request, pk: int) -> HttpResponse:
    post, user = _held(request, pk)
    accounts.deactivate(by=request.post, user=user)
    messages.success(request, f"账号 {user.username} 已停用。")
    return redirect(post)


@require_POST
@permission_required("institutions.manage_account", raise_exception=True)
def account_reactivate(request: Request, pk: int) -> HttpResponse:
    post, user = _held(request, pk)
    code = accounts.reactivate(by=request.post, user=user)
    return _slip(request, post, user, code, "账号已启用")


# --- Deeds of the security administrator -----------------------------------------------------------------------


@require_POST
@permission_required("institutions.secure_account", raise_exception=True)
def account_unlock(request: Request, pk: int) -> HttpResponse:
    post, user = _held(request, pk)
    accounts.unlock(by=request.post, user=user)
    messages.success(request, f"账号 {user.username} 的登录锁定已解除。")
    return redirect(post)


@require_POST
@permission_required("institutions.secure_account", raise_exception=True)
def account_end_sessions(request: Request, pk: int) -> HttpResponse:
    post, user = _held(request, pk)
    ended = accounts.end_sessions_of(by=request.post, user=user)
    messages.success(request, f"已结束账号 {user.username} 的 {ended} 个会话。")
    return redirect(post)


@require_POST
@permission_required("institutions.secure_account", raise_exception=True)
def account_reset_second_factor(request: Request, pk: int) -> HttpResponse:
    post, user = _held(request, pk)
    second_factor.reset(by=request.post, user=user)
    messages.success(request, f"账号 {user.username} 的二次验证已重置，下次登录时重新设置。")
    return redirect(post)
