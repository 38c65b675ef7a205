"""What ends the jobs when pybuild itself is killed.

A shell in a process group of its own reads lines with the numbers of the groups that run. When its
input ends because pybuild has died, it kills the groups of the last line. It holds the project's
lock until then, so that no other build starts beside jobs that still write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

_SCRIPT = (
    "groups=; while IFS= read -r line; do groups=$line; done; "
    'for group in $groups; do kill -9 "-$group" 2>/dev/null; done; :'
)
_LOCK_HANDLE = 9


class Guard:
    """The guard of one build. `lock` is a file handle that it inherits, or -1."""

    def __init__(self, lock: int = -1) -> None:
        reading, self._writing = os.pipe()
        actions: list[tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, reading, 0)]
        if lock >= 0:
            actions.append((os.POSIX_SPAWN_DUP2, lock, _LOCK_HANDLE))
        self._pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _SCRIPT],
            {"PATH": os.defpath},
            file_actions=actions,
            setpgroup=0,
        )
        os.close(reading)
        self._told: tuple[int, ...] = ()

    def tell(self, groups: Iterable[int]) -> None:
        """These groups run now."""
        running = tuple(groups)
        if running != self._told:
            self._told = running
            os.write(self._writing, (" ".join(map(str, running)) + "\n").encode())

    def close(self) -> None:
        """Nothing runs any more: the guard goes home."""
        self.tell(())
        os.close(self._writing)
        os.waitpid(self._pid, 0)
