"""A file system in memory, with a clock that goes on by one tick for each change."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass

from pybuild.content import digest_of
from pybuild.files import Status

_TICK_NS = 1_000_000_007
_DAY_NS = 24 * 3600 * 10**9


@dataclass(slots=True)
class _File:
    data: bytes
    mtime_ns: int
    inode: int
    writable: bool = True


class MemoryFiles:
    """`pybuild.files.Files` without a disk. Its time starts a day ago, so that what was written is
    settled; names in `broken` cannot be looked at; `reads` counts how often bytes were read."""

    def __init__(self) -> None:
        self.now_ns = (time.time_ns() - _DAY_NS) // 10**9 * 10**9 + 123_456_789
        self.broken: set[str] = set()
        self.reads: dict[str, int] = {}
        self._files: dict[str, _File] = {}
        self._folders: set[str] = {""}
        self._inodes = 0

    # -- for tests -------------------------------------------------------------------------

    def tick(self) -> int:
        """A new moment."""
        self.now_ns += _TICK_NS
        return self.now_ns

    def write(self, name: str, data: bytes | str = b"") -> None:
        """Writes a file and makes the folders above it."""
        content = data.encode() if isinstance(data, str) else data
        self.make_folder(name.rpartition("/")[0])
        old = self._files.get(name)
        if old is not None:
            if not old.writable:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
            old.data, old.mtime_ns = content, self.tick()
            return
        self._inodes += 1
        self._files[name] = _File(content, self.tick(), self._inodes)

    def set_time(self, name: str, mtime_ns: int) -> None:
        self._files[name].mtime_ns = mtime_ns

    def names(self) -> list[str]:
        """All files."""
        return sorted(self._files)

    def is_writable(self, name: str) -> bool:
        return self._files[name].writable

    # -- the port --------------------------------------------------------------------------

    def _check(self, name: str) -> None:
        if name in self.broken:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)

    def status(self, name: str) -> Status | None:
        self._check(name)
        bare = name.rstrip("/")
        if bare in self._folders:
            return Status(self.now_ns, 0, 0, True)
        found = self._files.get(name)
        return None if found is None else Status(found.mtime_ns, len(found.data), found.inode)

    def digest(self, name: str) -> bytes:
        bare = name.rstrip("/")
        if bare in self._folders:
            below = [each for each in self.names() if each.startswith(f"{bare}/")]
            return digest_of(b"".join(each.encode() + self.digest(each) for each in below))
        self.reads[name] = self.reads.get(name, 0) + 1
        return digest_of(self.read(name))

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        base = folder.rstrip("/")
        start = f"{base}/" if base else ""
        below = [each for each in (*self._files, *self._folders) if each.startswith(start) and each]
        inner = {each[len(start) :] for each in below}
        files = sorted(
            each for each in inner if f"{start}{each}" in self._files and "/" not in each
        )
        folders = {each.partition("/")[0] for each in inner} - set(files)
        return files, sorted(each for each in folders if each)

    def read(self, name: str) -> bytes:
        self._check(name)
        if name not in self._files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self._files[name].data

    def make_folder(self, name: str) -> None:
        parts = name.rstrip("/").split("/")
        for end in range(1, len(parts) + 1):
            folder = "/".join(parts[:end])
            if folder in self._files:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), folder)
            self._folders.add(folder)

    def remove(self, name: str) -> None:
        bare = name.rstrip("/")
        self._files.pop(name, None)
        if bare in self._folders:
            self._folders -= {each for each in self._folders if f"{each}/".startswith(f"{bare}/")}
            for each in self.names():
                if each.startswith(f"{bare}/"):
                    del self._files[each]

    def rename(self, old: str, new: str) -> None:
        if old not in self._files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), old)
        self._files[new] = self._files.pop(old)

    def touch(self, name: str) -> None:
        if name.endswith("/"):
            self.make_folder(name)
        elif name in self._files:
            self._files[name].mtime_ns = self.tick()
        else:
            self.write(name)

    def set_writable(self, name: str, writable: bool) -> None:
        self._files[name].writable = writable
