"""The keys of a terminal, one by one and unseen, while we are in its foreground.

Whatever happens the terminal is left as it was: at the end, and while the process is suspended.
"""

from __future__ import annotations

import os
import select
import signal
import termios
from types import FrameType

from pybuild.typed import Any

HELP = "keys: Enter builds, p pauses, w says why, l shows the last failure's log, q quits"
_LOOK_EVERY = 1.0  # seconds: nobody tells a process that it was brought to the foreground
_LOCAL_MODES = 3  # in what `tcgetattr` returns


class Keys:
    """Reads keys from a terminal; from nowhere if there is none (`terminal` is None)."""

    def __init__(self, terminal: int | None = None) -> None:
        self._terminal = terminal
        self._before: list[Any] | None = None  # the terminal as we found it, while it is ours
        self._typed = ""

    def begin(self) -> bool:
        """Takes the terminal over, and whenever we are brought to its foreground; whether keys can
        be pressed now. Handles SIGTSTP, SIGCONT and SIGQUIT from now on."""
        if self._terminal is None:
            return False
        signal.signal(signal.SIGTSTP, self._suspend)
        signal.signal(signal.SIGQUIT, self._suspend)
        signal.signal(signal.SIGCONT, self._resume)
        self._take()
        return self.fileno() >= 0

    def end(self) -> None:
        """Leaves the terminal as it was."""
        if self._terminal is not None:
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
            self._leave()

    def fileno(self) -> int:
        """What is ready when a key was pressed; -1 if none can be."""
        return -1 if self._terminal is None or self._before is None else self._terminal

    @property
    def patience(self) -> float | None:
        """In how many seconds to call `next` though no key can be pressed; None if never."""
        away = self._terminal is not None and self._before is None
        return _LOOK_EVERY if away else None

    def next(self) -> str:
        """The next key that was pressed, "" if none was."""
        self._take()
        self._read()
        key, self._typed = self._typed[:1], self._typed[1:]
        return key

    def has_typed(self, key: str) -> bool:
        """Whether a key was pressed; it stays where it is, with what was typed before."""
        self._read()
        return key in self._typed

    def _read(self) -> None:
        handle = self.fileno()
        if handle < 0 or not select.select([handle], [], [], 0)[0]:
            return
        try:
            data = os.read(handle, 100)
        except OSError:
            data = b""
        if not data:
            self._before = self._terminal = None  # it is gone, and nothing to be left in order
        self._typed += data.decode("ascii", "replace")

    # -- taking and leaving --------------------------------------------------------------------

    def _take(self) -> None:
        handle = self._terminal
        try:
            # In the background nobody may change a terminal.
            if handle is None or self._before or os.tcgetpgrp(handle) != os.getpgrp():
                return
            before = termios.tcgetattr(handle)
            ours = before.copy()
            ours[_LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(handle, termios.TCSADRAIN, ours)
        except (OSError, termios.error):
            return
        self._before = before

    def _leave(self) -> None:
        before, self._before = self._before, None
        if before is None or self._terminal is None:
            return
        try:
            if os.tcgetpgrp(self._terminal) == os.getpgrp():
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, before)
        except (OSError, termios.error):
            pass  # the terminal is gone

    def _suspend(self, signum: int, _: FrameType | None) -> None:
        """Lets the signal do what it does; the terminal is as it was before."""
        self._leave()
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
        # Here we go on, if it was not the end.
        signal.signal(signum, self._suspend)

    def _resume(self, _: int, __: FrameType | None) -> None:
        self._take()
