"""Processes as the operating system has them: starting, signalling, and what became of them."""

from __future__ import annotations

import os

from pybuild import signals
from pybuild.typed import Any, Mapping, NamedTuple, Sequence

_SIGNALS = (signals.SIGPIPE, signals.SIGINT, signals.SIGTERM, signals.SIGHUP)


class Way(NamedTuple):
    """One way to start a process: a program, its words, and what `posix_spawn` is to do before."""

    program: str
    words: list[str]
    actions: tuple[tuple[Any, ...], ...] = ()


def spawn(
    ways: Sequence[Way],
    environment: Mapping[bytes, bytes],
    actions: tuple[tuple[int, ...], ...] = (),
) -> int:
    """Starts a process in a group of its own, with the usual signals, in the first of these ways
    that works; returns its number. `actions` go before those of the way. Raises OSError, or
    ValueError for words that no process can have."""
    for program, words, more in ways:
        try:
            return os.posix_spawn(
                program,
                words,
                environment,
                file_actions=actions + more,
                setpgroup=0,
                setsigdef=_SIGNALS,
                setsigmask=(),
            )
        except OSError as error:
            last = error
    raise last


def encoded(environment: Mapping[str, str]) -> dict[bytes, bytes]:
    """An environment as the system wants it: to convert it for each process takes time."""
    return {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}


def cannot_start(error: OSError | ValueError) -> str:
    """Why nothing was started, in words."""
    program = getattr(error, "filename", None)
    which = f" `{os.fsdecode(program)}`" if program else ""
    return f"cannot start{which}: {getattr(error, 'strerror', None) or error}"


def told_status(status: int) -> str:
    """An exit status of `waitpid` in words; "" for success."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        from signal import Signals

        try:
            name = Signals(-code).name
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
