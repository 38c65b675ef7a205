"""Recipes that write what they read: found after the second round that they started."""

from __future__ import annotations

import os
from collections.abc import Sequence

_ROUNDS = 2
TICK_NS = 10_000_000  # a file's time may be that much older than the clock's


class Loops:
    """Counts rounds in a row that were started by the same files, written while the round before
    ran. Rounds that were stopped for such a file are counted apart: somebody may be typing."""

    def __init__(self) -> None:
        self._rounds = self._stops = 0
        self._names: Sequence[str] = ()
        self._began_ns = self._ended_ns = 0
        self._stopped = False

    def ran(self, began_ns: int, ended_ns: int, *, stopped: bool) -> None:
        """A round has gone by, in ns since the epoch, or was stopped."""
        self._began_ns, self._ended_ns, self._stopped = began_ns, ended_ns, stopped

    @property
    def may_stop(self) -> bool:
        """Whether the next round may be stopped for a change."""
        return self._stops < _ROUNDS

    def is_endless(self, names: Sequence[str]) -> bool:
        """Whether the round that these changed files ask for should not be."""
        if not (names and all(map(self._was_written_meanwhile, names))):
            self._rounds = self._stops = 0
        elif not set(names) <= set(self._names):
            self._rounds, self._stops = (0, 1) if self._stopped else (1, 0)
        elif self._stopped:
            self._stops += 1
        else:
            self._rounds += 1
        self._names = names
        return self._rounds > _ROUNDS

    def _was_written_meanwhile(self, name: str) -> bool:
        """By the time of the last change of status, which nobody can set."""
        try:
            changed_ns = os.stat(name or ".").st_ctime_ns
        except OSError:
            return False
        return self._began_ns - TICK_NS <= changed_ns <= self._ended_ns
