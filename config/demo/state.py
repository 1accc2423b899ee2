"""Is the database empty, the demo, or somebody's work? And may the demo be served from here?"""

from collections.abc import Iterable
from enum import Enum

from django.db import DatabaseError

from institutions.models import Installation, Institution, User

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
BEYOND = (
    "The demo has public passwords and may only be served on this machine: ALLOWED_HOSTS must hold"
    " nothing but 127.0.0.1, localhost and [::1]. 示例库的密码是公开的，只能在本机使用：ALLOWED_HOSTS"
    " 只能是 127.0.0.1、localhost 和 [::1]。"
)


class State(Enum):
    EMPTY = "empty"
    DEMO = "demo"
    IN_USE = "in use"


def of_database() -> State:
    """Say what the database holds; reference data alone (regions, service items) is empty."""
    if Installation.is_demo():
        return State.DEMO
    if User._default_manager.exists() or Institution.objects.exists():
        return State.IN_USE
    return State.EMPTY


def beyond_loopback(hosts: Iterable[str]) -> list[str]:
    """Return the hosts from which others than this machine could reach the portal."""
    return sorted(set(hosts) - LOOPBACK)


def refusal(hosts: Iterable[str]) -> str:
    """Return why this database may not be served under these hosts; nothing if it may.

    A database that has no tables yet is not a demo.
    """
    if not beyond_loopback(hosts):
        return ""
    try:
        return BEYOND if Installation.is_demo() else ""
    except DatabaseError:
        return ""
