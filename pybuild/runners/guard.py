"""What ends the jobs when pybuild itself is killed, and who is to be ended with them.

A shell in a process group of its own waits for its input to end, which is when pybuild has died.
Then it reads a table that pybuild has kept, in a file that only the two of them have open, and
kills what is in it. It holds the project's lock until then, so that no other build starts beside
jobs that still write. To change the table is one small write: nobody is woken by it.

A row of the table has a process group (0 if it is not known yet) and the pipe that the job prints
to, as /proc shows it: `pipe:[INODE]`. That is told before the job is started: whoever has it open
belongs to that job, though pybuild may have died before it knew the group. A worker has a second
row, which it keeps itself, for the process that it has started.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from pybuild.runners.unnamed import unnamed_file

_SCRIPT = r"""
while read -r line; do :; done
pipes=
while read -r group pipe; do
    [ "$group" = 0 ] || kill -9 "-$group" 2>/dev/null
    [ "$pipe" = - ] || pipes="$pipes $pipe"
done <&8
[ -n "$pipes" ] && [ -d /proc/self/fd ] || exit 0
for round in 1 2; do
    for pipe in $pipes; do
        ls -l /proc/[0-9]*/fd/[12] 2>/dev/null | grep -F " $pipe" |
            sed 's:.*/proc/\([0-9]*\)/fd/.*:\1:' | while read -r process; do
            kill -9 "$process" 2>/dev/null
        done
    done
done
"""
_TABLE_HANDLE = 8
_LOCK_HANDLE = 9
_ROW = 64  # bytes; a write of one row is never seen in part


class Row:
    """A row of the table that is in the file `handle`."""

    __slots__ = ("handle", "number")

    def __init__(self, handle: int, number: int) -> None:
        self.handle = handle
        self.number = number

    def tell(self, group: int, pipe: str = "-") -> None:
        """What has this row is this process group (0: there is none, or none known yet), and prints
        to this pipe. A group is to be taken out before its number can be another's."""
        text = f"{group} {pipe}".ljust(_ROW - 1) + "\n"
        os.pwrite(self.handle, text.encode(), self.number * _ROW)

    def group(self) -> int:
        """The process group that was told."""
        return int(os.pread(self.handle, _ROW, self.number * _ROW).partition(b" ")[0])


class Guard:
    """The guard of one build. `folder` is where its table may be; `lock` is a file handle that it
    inherits, or -1."""

    def __init__(self, folder: str, lock: int = -1) -> None:
        self._table = unnamed_file("pybuild-guard", folder)
        self._rows = 0
        self._free: list[Row] = []
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

    def row(self) -> Row:
        """A row for what is about to be started; to be given back with `forget`."""
        if self._free:
            return self._free.pop()
        self._rows += 1
        return Row(self._table, self._rows - 1)

    def forget(self, row: Row) -> None:
        """What had this row has ended."""
        row.tell(0)
        self._free.append(row)

    def close(self) -> None:
        """Nothing runs any more: the guard goes home."""
        os.ftruncate(self._table, 0)
        os.close(self._writing)
        os.waitpid(self._pid, 0)
        os.close(self._table)


def printing_to(marks: Collection[str]) -> Iterator[int]:
    """The processes that print to the pipes with these marks, as the guard finds them: also those
    that left the process group of their job. None where there is no /proc."""
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()] if marks else []
    except OSError:
        return
    for process in processes:
        for handle in (1, 2):
            try:
                found = os.readlink(f"/proc/{process}/fd/{handle}")
            except OSError:
                continue  # it has ended, has closed it, or is somebody else's
            if found in marks:
                yield int(process)
                break
