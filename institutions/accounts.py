"""Accounts: who may give which post to whom, and the deeds over logins. Each deed writes its event.

A login is made without a password and gets an activation code, which is shown once to whoever made it and never
stored in plain; nobody ever knows another person's password.
"""

from collections.abc import Iterable
from datetime import timedelta

from axes.handlers.proxy import AxesProxyHandler
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import audit, clock, notifying, passwords
from institutions.models import Department, Institution, Post, ServiceItem, User
from institutions.models.people import role_refused
from institutions.roles import Role

CODE_DAYS = 7
# What the head of an institution may hand out: at his own institution, and at those below it.
_AT_HOME = frozenset({Role.STAFF})
_BELOW = frozenset({Role.HEAD, Role.STAFF})


# --- Who may -------------------------------------------------------------------------------------------


def grantable(by: Post, role: str, institution: Institution) -> str:
    """Return why `by` may not give a new post with `role` at `institution`, or nothing.

    A system administrator gives every role in the subtree of his bureau. The head of an institution gives 机构人员 at
    his own, 机构负责人 and 机构人员 below it; never his own rank or one above. Nobody else gives any.
    """
    if not institution.open_on(clock.today()):
        return "机构已停用"
    return manageable(by, role, institution) or role_refused(role, institution.kind)


def manageable(by: Post, role: str, institution: Institution) -> str:
    """Return why `by` does not manage posts with `role` at `institution`, or nothing; a closed one's are managed too."""
    if not by.has_perm("institutions.manage_account"):
        return "本岗位不管理账号"
    if role not in Role.values:
        return "没有这个角色"
    if not institution.path.startswith(by.institution.path):
        return "机构不在本岗位的管理范围内"
    if by.role != Role.SYSTEM:
        allowed = _AT_HOME if institution.pk == by.institution_id else _BELOW
        if role not in allowed:
            return f"“{Role(role).label}”须由上级系统管理员办理"
    return ""


def post_refused(by: Post, post: Post) -> str:
    """Return why `by` may not manage this post, or nothing: nobody manages his own."""
    if post.pk == by.pk or (post.user_id is not None and post.user_id == by.user_id):
        return "不能办理自己的任职"
    return manageable(by, post.role, post.institution)


def account_refused(by: Post, user: User) -> str:
    """Return why `by` may not manage this login, or nothing.

    A login opens all its posts, so one must be allowed to manage every one of them.
    """
    if user.pk == by.user_id:
        return "不能办理自己的账号"
    posts = _posts_that_count(user)
    if not posts:
        return "账号没有任职"
    return next((reason for post in posts if (reason := post_refused(by, post))), "")


def secure_refused(by: Post, user: User) -> str:
    """Return why the security administrator `by` may not unlock this login or reset its second factor, or nothing."""
    if not by.has_perm("institutions.secure_account"):
        return "本岗位不办理账号安全事项"
    if user.pk == by.user_id:
        return "不能办理自己的账号"
    within = by.institution.path
    if not all(p.institution.path.startswith(within) for p in _posts_that_count(user)):
        return "该账号还有管理范围以外的任职"
    return ""


def _posts_that_count(user: User) -> list[Post]:
    """Return the posts that are not over; all of them for somebody who holds none any more."""
    posts = list(Post.objects.filter(user=user).select_related("institution"))
    today = clock.today()
    return [p for p in posts if p.ends is None or p.ends >= today] or posts


def require_secure(by: Post, user: User) -> None:
    """Raise PermissionDenied unless `by` may see to the safety of this login."""
    _require(secure_refused(by, user))


def _require(reason: str) -> None:
    if reason:
        raise PermissionDenied(reason)


# --- Events ----------------------------------------------------------------------------------------------


def told_of(user: User, address: str) -> audit.Actor:
    """Return the person himself as the actor of an event, in his active post where he has one."""
    if user.post is None:
        return audit.Actor(None, str(user), address)
    user.post.address = address  # type: ignore[attr-defined]
    return audit.actor(user.post)


def _bureau(user: User) -> int | None:
    post = user.post or Post.objects.filter(user=user).select_related("institution").last()
    return post.institution.bureau_id if post else None


def record(
    action: str, label: str, *, user: User, by: Post | audit.Actor, note: str = "", **data: object
) -> None:
    """Record what happened to a login, in the chain of the bureau where its holder works."""
    audit.record(action, label, by=by, bureau=_bureau(user), on=user, note=note, data=data)


# --- Making, activating, resetting ------------------------------------------------------------------------


def open_post(
    *,
    by: Post,
    institution: Institution,
    role: str,
    title: str,
    user: User,
    department: Department | None = None,
    items: Iterable[ServiceItem] = (),
) -> tuple[Post, str]:
    """Make a post and give it to `user`, new or known; return it and, for a new login, the activation code.

    Raises PermissionDenied (`grantable`), ValidationError (the post or the login is not in order).
    """
    _require(grantable(by, role, institution))
    _require("" if user.pk is None or user.pk != by.user_id else "不能给自己增设任职")
    post = Post(
        institution=institution,
        department=department,
        role=role,
        title=title,
        starts=clock.today(),
        user=user if user.pk else None,
    )
    with transaction.atomic():
        code = open_login(user, by=by, institution=institution) if user.pk is None else ""
        post.user = user
        post.full_clean()
        post.save()
        post.items.set(items)
        audit.record(
            "post.opened",
            "新建任职",
            by=by,
            bureau=institution.bureau_id,
            on=post,
            institution=institution,
            after=Role(role).label,
            note=f"任职人：{user}",
        )
    return post, code


def open_login(user: User, *, by: Post | audit.Actor, institution: Institution) -> str:
    """Save a new login without a password; return its activation code, to be shown once."""
    user.set_unusable_password()
    user.full_clean(exclude=["password"])
    user.save()
    audit.record(
        "account.opened",
        "新建账号",
        by=by,
        bureau=institution.bureau_id,
        on=user,
        institution=institution,
    )
    return _new_code(user)


def _new_code(user: User) -> str:
    code = passwords.new_activation_code()
    user.activation_hash = passwords.hash_code(code)
    user.activation_expires = clock.now() + timedelta(days=CODE_DAYS)
    user.save(update_fields=["activation_hash", "activation_expires"])
    return code


def reset(*, by: Post, user: User) -> str:
    """Take the password away and end all sessions; return a new activation code, to be shown once."""
    _require(account_refused(by, user))
    with transaction.atomic():
        _forget_password(user)
        code = _new_code(user)
        ended = end_sessions(user)
        record("account.reset", "重置密码", user=user, by=by, sessions=ended)
    return code


def _forget_password(user: User) -> None:
    if user.has_usable_password():
        user.password_history = [user.password, *user.password_history][: passwords.KEPT]
    user.set_unusable_password()
    user.save(update_fields=["password", "password_history"])


def user_with_code(username: str, code: str) -> User | None:
    """Return the login that this code activates now, or None, for whatever reason."""
    try:
        user = User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        passwords.check_code(code, "0" * 64)  # the same work as for a known name
        return None
    fits = passwords.check_code(code, user.activation_hash)
    in_time = user.activation_expires is not None and clock.now() < user.activation_expires
    return user if fits and in_time and user.may_log_in else None


def activate(user: User, password: str, *, address: str) -> None:
    """Set the first password; the code is used up, whoever was logged in is not any more.

    Raises ValidationError when the code was used meanwhile.
    """
    with transaction.atomic():
        unused = User.objects.filter(pk=user.pk, activation_hash=user.activation_hash)
        if not unused.update(activation_hash="", activation_expires=None):
            raise ValidationError("激活码已经用过")
        user.activation_hash, user.activation_expires = "", None
        user.set_password(password)
        user.save(update_fields=["password", "password_set_on", "password_history"])
        end_sessions(user)
        record("account.activated", "激活账号", user=user, by=told_of(user, address))


def change_password(user: User, password: str, *, address: str) -> None:
    """Set a new password; the view ends the other sessions once it has renewed its own."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password", "password_set_on", "password_history"])
        record("account.password", "修改密码", user=user, by=told_of(user, address))


# --- Switching off, unlocking, ending sessions --------------------------------------------------------------


def deactivate(*, by: Post, user: User, note: str = "") -> None:
    """Switch a login off: it is out with its next request."""
    _require(account_refused(by, user))
    with transaction.atomic():
        switch_off(user)
        record("account.deactivated", "停用账号", user=user, by=by, note=note)


def switch_off(user: User) -> None:
    user.is_active = False
    user.activation_hash, user.activation_expires = "", None
    user.save(update_fields=["is_active", "activation_hash", "activation_expires"])
    end_sessions(user)


def reactivate(*, by: Post, user: User, note: str = "") -> str:
    """Switch a login on again with a new activation code; its old password stays gone."""
    _require(account_refused(by, user))
    with transaction.atomic():
        user.is_active = True
        user.save(update_fields=["is_active"])
        _forget_password(user)
        code = _new_code(user)
        record("account.reactivated", "启用账号", user=user, by=by, note=note)
    return code


def end_sessions(user: User, *, but: str = "") -> int:
    """End the sessions of a login, all but the one with the key `but`; return how many."""
    return user.sessions.exclude(session_key=but).delete()[0]


def end_sessions_of(*, by: Post, user: User) -> int:
    require_secure(by, user)
    with transaction.atomic():
        ended = end_sessions(user)
        record("account.sessions_ended", "结束会话", user=user, by=by, sessions=ended)
    return ended


def unlock(*, by: Post, user: User) -> None:
    """Forget the failed log-ins of this user name, from whatever address."""
    require_secure(by, user)
    with transaction.atomic():
        AxesProxyHandler.reset_attempts(username=user.username.lower())
        record("account.unlocked", "解除锁定", user=user, by=by)


def record_lockout(username: str, *, address: str) -> None:
    """Record that a login was locked for an address, and tell its holder's posts."""
    try:
        user = User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        return
    with transaction.atomic():
        outsider = audit.Actor(None, "未登录", address)
        record("session.locked", "登录锁定", user=user, by=outsider, note="连续多次密码不正确")
        text = f"有人从 {address} 多次输错您的密码，该地址已暂时不能登录您的账号"
        notifying.notify(user.posts_in_office(), text)
