"""What ends the jobs when pybuild itself is killed.

A shell in a process group of its own waits for its input to end, which is when pybuild has died.
Then it reads a table that pybuild has kept, in a file that only the two of them have open, and
kills what is in it. It holds the project's lock until then, so that no other build starts beside
jobs that still write. To change the table is one small write: nobody is woken by it.

A row of the table has a process group (0 if it is not known yet) and what the job prints to, as
/proc shows it: `pipe:[INODE]`, or the path of a file. That is told before the job is started:
whoever has it open belongs to that job, though pybuild may have died before it knew the group.
"""

from __future__ import annotations

import os

from pybuild.runners.unnamed import unnamed_file

_SCRIPT = r"""
while read -r line; do :; done
groups= outputs=
while read -r group output; do
    [ "$group" = 0 ] || groups="$groups $group"
    [ "$output" = - ] || outputs="$outputs $output"
done <&8
for group in $groups; do kill -9 "-$group" 2>/dev/null; done
[ -n "$outputs" ] && [ -d /proc/self/fd ] || exit 0
for round in 1 2; do
    for output in $outputs; do
        ls -l /proc/[0-9]*/fd/[12] 2>/dev/null | grep -F " -> $output" |
            sed 's:.*/proc/\([0-9]*\)/fd/[12] -> .*:\1:' | while read -r process; do
            kill -9 "$process" 2>/dev/null
        done
    done
done
"""
_TABLE_HANDLE = 8
_LOCK_HANDLE = 9
_ROW = 64  # bytes; a write of one row is never seen in part
_FREE = b"0 -".ljust(_ROW - 1) + b"\n"


class Guard:
    """The guard of one build. `folder` is where its table may be; `lock` is a file handle that it
    inherits, or -1."""

    def __init__(self, folder: str, lock: int = -1) -> None:
        self._table = unnamed_file("pybuild-guard", folder)
        self._rows = 0
        self._free: list[int] = []
        reading, self._writing = os.pipe()
        actions: list[tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, reading, 0)]
        if lock >= 0:
            actions.append((os.POSIX_SPAWN_DUP2, lock, _LOCK_HANDLE))
        # The last, for the lock may have had this number; the table has none below ten.
        actions.append((os.POSIX_SPAWN_DUP2, self._table, _TABLE_HANDLE))
        self._pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _SCRIPT],
            {"PATH": os.defpath},
            file_actions=actions,
            setpgroup=0,
        )
        os.close(reading)

    def watch(self, output: str) -> int:
        """Something is about to be started that prints there; returns the row for it."""
        if self._free:
            row = self._free.pop()
        else:
            row = self._rows
            self._rows += 1
        self.tell(row, 0, output)
        return row

    def tell(self, row: int, group: int, output: str) -> None:
        """What has this row is this process group."""
        text = b"%d %b" % (group, output.encode())
        os.pwrite(self._table, text.ljust(_ROW - 1) + b"\n", row * _ROW)

    def forget(self, row: int) -> None:
        """What had this row has ended. To be told before its number can be another's."""
        os.pwrite(self._table, _FREE, row * _ROW)
        self._free.append(row)

    def close(self) -> None:
        """Nothing runs any more: the guard goes home."""
        os.ftruncate(self._table, 0)
        os.close(self._writing)
        os.waitpid(self._pid, 0)
        os.close(self._table)
