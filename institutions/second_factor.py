"""The second factor: a code from an authenticator (TOTP), and recovery codes for the day the phone is gone."""

import secrets
import time
from base64 import b32encode
from binascii import unhexlify
from typing import Any

import segno
from django.db import transaction
from django_otp import verify_token
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from institutions import accounts, passwords
from institutions.models import Post, User

RECOVERY_CODES = 10
_NAME = "portal"


def device_of(user: User) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def passed(user: Any) -> bool:
    """Say whether the user of a request has given the code (django-otp's middleware knows)."""
    return user.is_verified()


def picture(user: User, key: str) -> str:
    """Return the QR code of a key (hexadecimal) as a data: URI of an SVG."""
    device = TOTPDevice(user=user, key=key, name=_NAME)
    return segno.make(device.config_url).svg_data_uri(scale=5, border=4, light="white")


def spelled(key: str) -> str:
    """Return the key as it is typed into a phone that cannot scan: base32 in groups of four."""
    text = b32encode(unhexlify(key)).decode().rstrip("=")
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def set_up(user: User, *, key: str, code: str, address: str) -> list[str]:
    """Take a key as the second factor once a code proves that the phone has it; return ten recovery codes.

    Nothing, when the code is wrong. What was set up before is gone, its recovery codes too.
    """
    totp = TOTP(unhexlify(key))
    totp.time = time.time()
    if not code.isdigit() or not totp.verify(int(code), tolerance=1):
        return []
    with transaction.atomic():
        forget(user)
        # The code just shown is used up: a code works once.
        TOTPDevice.objects.create(user=user, key=key, name=_NAME, confirmed=True, last_t=totp.t())
        spare = StaticDevice.objects.create(user=user, name=_NAME, confirmed=True)
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        for recovery in codes:
            spare.token_set.create(token=_stored(recovery))
        me = accounts.told_of(user, address)
        accounts.record("account.second_factor", "设置二次验证", user=user, by=me)
    return codes


def check(user: User, text: str) -> Device | None:
    """Return the device that accepts the code; each code works once, wrong ones slow the next try down."""
    plain = "".join(text.split())
    if plain.isdigit() and plain.isascii() and len(plain) <= 8:
        device, code = device_of(user), plain
    else:
        device, code = StaticDevice.objects.filter(user=user).first(), _stored(plain)
    return verify_token(user, device.persistent_id, code) if device else None


def waiting_seconds(user: User) -> int:
    """Return for how long no code is looked at after wrong ones; 0 when one may try."""
    longest = 0
    for device in (device_of(user), StaticDevice.objects.filter(user=user).first()):
        if device is None:
            continue
        allowed, details = device.verify_is_allowed()
        if not allowed:
            wait = details["locked_until"].timestamp() - time.time()
            longest = max(longest, int(wait) + 1)
    return longest


def codes_left(user: User) -> int:
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user))


def forget(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def reset(*, by: Post, user: User) -> None:
    """Take the second factor away (the phone is lost) and end all sessions; the next log-in sets up a new one."""
    accounts.require_secure(by, user)
    with transaction.atomic():
        forget(user)
        ended = accounts.end_sessions(user)
        accounts.record(
            "account.second_factor_reset", "重置二次验证", user=user, by=by, sessions=ended
        )


def _recovery_code() -> str:
    letters = "".join(secrets.choice(passwords.CODE_ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def _stored(code: str) -> str:
    """Return what is kept of a recovery code: 64 bits of a keyed digest, the width of the column."""
    return passwords.hash_code(code)[:16]
