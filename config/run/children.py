"""Child processes that end with us, by their own process id and however we end."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with_parent() -> None:
    """In the child, before exec: ask Linux for SIGTERM when the parent is gone, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches it through us, once."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,  # safe: children are started before any thread
        **options,
    )


def stop(
    process: subprocess.Popen[bytes], *, by: int = signal.SIGTERM, seconds: float = 15
) -> None:
    """End a child and wait for it; kill it if it has not gone after `seconds`."""
    if process.poll() is None:
        process.send_signal(by)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Stopped(Exception):
    """Somebody asked this program to end."""


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into `Stopped`, then ignore further ones."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop_once(number: int, frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    before = {each: signal.signal(each, stop_once) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
