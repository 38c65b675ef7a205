"""One build at a time in a project: an advisory lock that dies with its holder."""

from __future__ import annotations

import os
from collections.abc import Callable


class Lock:
    """`flock` on a file that tells who holds it. Taken by `acquire`, let go by `release`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.handle = -1

    def acquire(self, command: str, waiting: Callable[[str], None]) -> None:
        """Takes the lock. If another build holds it, tells `waiting` who that is, and waits.
        Raises OSError if there can be no lock file."""
        if self.try_acquire(command):
            return
        import fcntl

        self._open()
        waiting(os.pread(self.handle, 1000, 0).decode("utf-8", "replace").strip())
        fcntl.flock(self.handle, fcntl.LOCK_EX)
        self._sign(command)

    def try_acquire(self, command: str) -> bool:
        """Takes the lock unless another build holds it; returns whether it did. Raises OSError if
        there can be no lock file."""
        import fcntl

        self._open()
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.handle)
            self.handle = -1
            return False
        self._sign(command)
        return True

    def _open(self) -> None:
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)

    def _sign(self, command: str) -> None:
        """Writes down who holds the lock."""
        try:
            os.ftruncate(self.handle, 0)
            holder = f"process {os.getpid()} ({command})\n"
            os.pwrite(self.handle, holder.encode("utf-8", "surrogateescape"), 0)
        except OSError:
            pass  # a full disk: the lock holds all the same, it only can't say for whom

    def release(self) -> None:
        """Lets go, also of copies that children hold."""
        if self.handle >= 0:
            import fcntl

            fcntl.flock(self.handle, fcntl.LOCK_UN)
            os.close(self.handle)
            self.handle = -1
