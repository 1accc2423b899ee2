"""交接: a post passes to another person. The work stays with the post, so all that is open goes along by itself."""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from institutions import accounts, audit, clock, notifying
from institutions.models import Post, User


def refused(by: Post, post: Post) -> str:
    """Return why `by` may not hand this post over, or nothing."""
    if not by.has_perm("institutions.hand_over_post"):
        return "本岗位不办理交接"
    return accounts.post_refused(by, post)


def hand_over(
    *, by: Post, post: Post, to: User, on: date, note: str = "", retire: bool = True
) -> str:
    """Give `post` to `to` as of the day `on` (today or earlier); return the activation code of a new login, or "".

    The former holder loses the post and all sessions at once; with `retire`, whoever holds no other post is switched
    off. Raises PermissionDenied, ValidationError (a login that may not hold it, a day to come, a lost race).
    """
    reason = refused(by, post)
    if reason:
        raise PermissionDenied(reason)
    _check(by=by, post=post, to=to, on=on)
    former = post.user
    with transaction.atomic():
        code = "" if to.pk else accounts.open_login(to, by=by, institution=post.institution)
        # Compare-and-swap on the holder: of two handovers at the same moment, one is made.
        if not Post.objects.filter(pk=post.pk, user=former).update(user=to):
            raise ValidationError("这个任职刚刚已由他人办理交接，请刷新后再看")
        post.user = to
        post.full_clean()
        audit.record(
            "post.handed_over",
            "任职交接",
            by=by,
            bureau=post.institution.bureau_id,
            on=post,
            institution=post.institution,
            before=former.username if former else "空缺",
            after=to.username,
            note=f"{former or '空缺'} → {to}，自{on.isoformat()}起。{note}".strip(),
            data={"from": former.pk if former else None, "to": to.pk, "on": on.isoformat()},
        )
        if former:
            _part_with(former, by=by, retire=retire)
        notifying.notify([post], f"{post.title}已交接给{to.name}，未办结事项随任职移交", url="/")
    return code


def _check(*, by: Post, post: Post, to: User, on: date) -> None:
    if on > clock.today():
        raise ValidationError({"on": "交接日期不能晚于今天"})
    if to.pk is None:
        return
    if to.pk == post.user_id:
        raise ValidationError({"username": "该用户已是任职人"})
    if to.pk == by.user_id:
        raise ValidationError({"username": "不能交接给自己"})
    if not to.may_log_in:
        raise ValidationError({"username": "该账号已停用或已过有效期"})


def _part_with(former: User, *, by: Post, retire: bool) -> None:
    left = Post.objects.not_ended().filter(user=former).exists()
    if retire and not left and former.is_active:
        accounts.switch_off(former)
        accounts.record("account.deactivated", "停用账号", user=former, by=by, note="任职已交接")
    else:
        accounts.end_sessions(former)
