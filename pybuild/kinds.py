"""What a name in the file system is, and whether its time proves anything.

Part of every start, so it imports next to nothing. Times are in ns since the epoch.
"""

from __future__ import annotations

import os
import stat

ABSENT, FILE, FOLDER = 0, 1, 2

_TICK_NS = 20_000_000
_COARSE_TICK_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


def is_settled(mtime_ns: int, now_ns: int) -> bool:
    """Whether a file's time is safely older than the moment of looking at it, so that no later
    change can hide behind the same time. File systems with whole seconds get more time."""
    tick = _TICK_NS if mtime_ns % _SECOND_NS else _COARSE_TICK_NS
    return mtime_ns + tick < now_ns


def kind_of(name: str) -> int:
    """Whether a name is nothing, a file or a folder, links followed."""
    try:
        return FOLDER if stat.S_ISDIR(os.stat(name).st_mode) else FILE
    except (OSError, ValueError):
        return ABSENT
