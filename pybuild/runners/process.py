"""Processes as the operating system has them: starting, signalling, and what became of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence

_SIGNALS = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def spawn(
    program: str,
    words: list[str],
    environment: Mapping[bytes, bytes],
    actions: Sequence[tuple[int, ...]] = (),
) -> int:
    """Starts a process in a group of its own, with the usual signals; returns its number. Raises
    OSError, or ValueError for words that no process can have."""
    return os.posix_spawn(
        program,
        words,
        environment,
        file_actions=actions,
        setpgroup=0,
        setsigdef=_SIGNALS,
        setsigmask=(),
    )


def encoded(environment: Mapping[str, str]) -> dict[bytes, bytes]:
    """An environment as the system wants it: to convert it for each process takes time."""
    return {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}


def cannot_start(error: OSError | ValueError) -> str:
    """Why nothing was started, in words."""
    return f"cannot start: {getattr(error, 'strerror', None) or error}"


def told_status(status: int) -> str:
    """An exit status of `waitpid` in words; "" for success."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"killed by {name}"
    return f"exit status {code}" if code else ""


def send_to_group(group: int, signum: int) -> None:
    """Sends a signal to a process group, if there is one; 0 stands for none."""
    if group <= 0:
        return  # group 0 would be our own
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        pass
