"""The file system as a port. Names are relative to the project's folder, with `/`.

Knows nothing of rules or jobs. `Disk` is the real one; the wrappers below stand before another
`Files` and change what it seems to hold.
"""

from __future__ import annotations

import errno
import os
import stat

from pybuild.typed import Iterable, NamedTuple, Protocol

_look = os.stat  # as it is now: while a load is watched something else stands there


class Status(NamedTuple):
    """What `stat` says of a file: time in ns since the epoch, size in bytes, inode number."""

    mtime_ns: int
    size: int
    inode: int
    is_folder: bool = False


class Files(Protocol):
    """What the engine and the front ends may ask of a file system."""

    def status(self, name: str) -> Status | None:
        """The status, links followed, or None if there is no such file. Raises OSError."""

    def digest(self, name: str) -> bytes:
        """xxh3-128 of the content (of all that is below, for a folder). Raises OSError."""

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        """Names of the files and of the folders in a folder ("" is the project), each sorted, links
        that lead nowhere left out; both empty if it cannot be listed."""

    def read(self, name: str) -> bytes: ...

    def make_folder(self, name: str) -> None: ...

    def remove(self, name: str) -> None:
        """Removes a file, or a folder (a name that ends in a slash) with all in it. No error if it
        is not there. Raises OSError."""

    def rename(self, old: str, new: str) -> None: ...

    def touch(self, name: str) -> None:
        """Sets the time to now; makes an empty file if there is none."""

    def set_writable(self, name: str, writable: bool) -> None: ...


class Disk:
    """The real file system, seen from the working directory."""

    def status(self, name: str) -> Status | None:
        try:
            found = _look(name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return None
            raise
        return Status(found.st_mtime_ns, found.st_size, found.st_ino, stat.S_ISDIR(found.st_mode))

    def digest(self, name: str) -> bytes:
        from pybuild.content import digest_of, handle_digest

        try:
            handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        except IsADirectoryError:
            return self._folder_digest(name)
        try:
            found = os.fstat(handle)
            if stat.S_ISDIR(found.st_mode):
                return self._folder_digest(name)
            if not stat.S_ISREG(found.st_mode):
                # A pipe or device has no content to compare; its identity stands for it.
                return digest_of(f"{found.st_mode} {found.st_rdev}".encode())
            return handle_digest(handle, found.st_size)
        finally:
            os.close(handle)

    def _folder_digest(self, name: str) -> bytes:
        from xxhash import xxh3_128

        total = xxh3_128()
        base = name.rstrip("/")
        todo = [""]
        while todo:
            inner = todo.pop()
            files, folders = self.listing(f"{base}/{inner}".rstrip("/"))
            for each in files:
                total.update(os.fsencode(f"f{inner}{each}\0"))
                total.update(self.digest(f"{base}/{inner}{each}"))
            for each in reversed(folders):
                total.update(os.fsencode(f"d{inner}{each}\0"))
                todo.append(f"{inner}{each}/")
        return total.digest()

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(folder or ".") as entries:
                for entry in entries:
                    if not entry.is_symlink():
                        (folders if entry.is_dir() else files).append(entry.name)
                    elif (found := _behind(entry)) is not None:
                        (folders if stat.S_ISDIR(found.st_mode) else files).append(entry.name)
        except OSError:
            # Not there, not a folder, or not ours to look into: nothing in it matches anything.
            return [], []
        files.sort()
        folders.sort()
        return files, folders

    def read(self, name: str) -> bytes:
        with open(name, "rb") as handle:
            return handle.read()

    def make_folder(self, name: str) -> None:
        os.makedirs(name, exist_ok=True)

    def remove(self, name: str) -> None:
        try:
            os.unlink(name.rstrip("/"))
        except FileNotFoundError:
            pass
        except (IsADirectoryError, PermissionError):
            # A folder where a file was made is somebody else's: it is not ours to empty.
            if not name.endswith("/") or not os.path.isdir(name):
                raise
            from shutil import rmtree

            rmtree(name)

    def rename(self, old: str, new: str) -> None:
        os.replace(old, new)

    def touch(self, name: str) -> None:
        if name.endswith("/"):
            self.make_folder(name)
        else:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o666))
        os.utime(name)

    def set_writable(self, name: str, writable: bool) -> None:
        mode = stat.S_IMODE(os.stat(name).st_mode)
        os.chmod(name, mode | stat.S_IWUSR if writable else mode & ~0o222)


def _behind(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What a link leads to; None if it leads nowhere or in a circle."""
    try:
        return entry.stat()
    except OSError:
        return None


class FilesWrapper:
    """Another `Files`, unchanged; the base of those that change something."""

    def __init__(self, inner: Files) -> None:
        self.inner = inner

    def status(self, name: str) -> Status | None:
        return self.inner.status(name)

    def digest(self, name: str) -> bytes:
        return self.inner.digest(name)

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        return self.inner.listing(folder)

    def read(self, name: str) -> bytes:
        return self.inner.read(name)

    def make_folder(self, name: str) -> None:
        self.inner.make_folder(name)

    def remove(self, name: str) -> None:
        self.inner.remove(name)

    def rename(self, old: str, new: str) -> None:
        self.inner.rename(old, new)

    def touch(self, name: str) -> None:
        self.inner.touch(name)

    def set_writable(self, name: str, writable: bool) -> None:
        self.inner.set_writable(name, writable)


class Recording(FilesWrapper):
    """Notes which names and folders were looked at, and what was found first."""

    def __init__(self, inner: Files) -> None:
        super().__init__(inner)
        self.statuses: dict[str, Status | None] = {}
        self.listings: dict[str, tuple[list[str], list[str]]] = {}

    def status(self, name: str) -> Status | None:
        found = self.inner.status(name)
        self.statuses.setdefault(name, found)
        return found

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        found = self.inner.listing(folder)
        self.listings.setdefault(folder, found)
        return found


class Untouched(FilesWrapper):
    """Whatever is to be written, removed or touched stays as it is."""

    def make_folder(self, name: str) -> None: ...

    def remove(self, name: str) -> None: ...

    def rename(self, old: str, new: str) -> None: ...

    def touch(self, name: str) -> None: ...

    def set_writable(self, name: str, writable: bool) -> None: ...


class Pretending(Untouched):
    """`-n`: what jobs would have made looks made, with unknown bytes; nothing is written."""

    def __init__(self, inner: Files, now_ns: int) -> None:
        super().__init__(inner)
        self.now_ns = now_ns
        self.made: set[str] = set()

    def pretend(self, names: Iterable[str]) -> None:
        """From now on these files look as if they had just been made."""
        self.made.update(names)

    def status(self, name: str) -> Status | None:
        if name in self.made:
            return Status(self.now_ns, 0, 0, name.endswith("/"))
        return self.inner.status(name)

    def digest(self, name: str) -> bytes:
        if name in self.made:
            from pybuild.content import digest_of

            return digest_of(b"pretended " + os.fsencode(name))
        return self.inner.digest(name)
