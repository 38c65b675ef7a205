"""What ends the jobs when pybuild itself is killed, and who is to be ended with them.

A shell in a process group of its own reads lines that say what runs. When its input ends because
pybuild has died, it kills what the last line names. It holds the project's lock until then, so that
no other build starts beside jobs that still write.

A line has the process groups, a bar, and the pipes that the jobs print to. A pipe is told before
its job is started: whoever has it open belongs to that job, though pybuild may have died before it
knew the group. Pipes are found through /proc, where there is one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator

_SCRIPT = r"""
groups= pipes=
while IFS='|' read -r first second; do groups=$first pipes=$second; done
for group in $groups; do kill -9 "-$group" 2>/dev/null; done
[ -n "$pipes" ] && [ -d /proc/self/fd ] || exit 0
for round in 1 2; do
    for pipe in $pipes; do
        ls -l /proc/[0-9]*/fd/[12] 2>/dev/null | grep -F " pipe:[$pipe]" |
            sed 's:.*/proc/\([0-9]*\)/fd/.*:\1:' | while read -r process; do
            kill -9 "$process" 2>/dev/null
        done
    done
done
"""
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
        self._told = ""

    def tell(self, groups: Iterable[int], pipes: Iterable[int]) -> None:
        """These process groups run now, and print to the pipes with these inode numbers."""
        line = f"{' '.join(map(str, groups))}|{' '.join(map(str, pipes))}\n"
        if line != self._told:
            self._told = line
            os.write(self._writing, line.encode())

    def close(self) -> None:
        """Nothing runs any more: the guard goes home."""
        self.tell((), ())
        os.close(self._writing)
        os.waitpid(self._pid, 0)


def printing_to(pipes: Collection[int]) -> Iterator[int]:
    """The processes that print to these pipes, as the guard finds them: also those that left the
    process group of their job. None where there is no /proc."""
    names = {f"pipe:[{pipe}]" for pipe in pipes}
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()] if names else []
    except OSError:
        return
    for process in processes:
        for handle in (1, 2):
            try:
                found = os.readlink(f"/proc/{process}/fd/{handle}")
            except OSError:
                continue  # it has ended, has closed it, or is somebody else's
            if found in names:
                yield int(process)
                break
