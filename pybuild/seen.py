"""What a load looked at, and whether it would see the same again.

Part of every start, so it imports next to nothing. Times are in ns since the epoch.
"""

from __future__ import annotations

import os
import stat
import time

from pybuild.content import digest_of
from pybuild.kinds import ABSENT, FOLDER, is_settled, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Look = tuple[int, int, int, int]  # time, size, inode number, mode

_UNSETTLED = 0  # in place of an inode number: equal times prove nothing


class Seen:
    """What was looked at: contents of files, listings of folders, kinds and looks of names,
    targets of links, environment variables, outputs of commands; `names` are those of all
    variables, if it was asked which there are. `unknowable` says why a load cannot be kept;
    `renewed` that times have moved for nothing and were noted anew."""

    __slots__ = (
        "commands",
        "files",
        "folders",
        "kinds",
        "links",
        "looks",
        "names",
        "renewed",
        "unknowable",
        "variables",
    )

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, int, int, bytes]] = {}
        self.folders: dict[str, tuple[int, int, bytes, tuple[tuple[str, int], ...]]] = {}
        self.kinds: dict[str, int] = {}
        self.looks: dict[str, Look | None] = {}
        self.links: dict[str, str | None] = {}
        self.names: list[str] | None = None
        self.variables: dict[str, str | None] = {}
        self.commands: dict[str, str] = {}
        self.unknowable: dict[str, None] = {}
        self.renewed = False

    def data(self) -> tuple[Any, ...]:
        """All of it as plain values, for `of_data`."""
        return (
            self.files,
            self.folders,
            self.kinds,
            self.looks,
            self.links,
            self.variables,
            self.names,
            self.commands,
        )

    @staticmethod
    def of_data(data: tuple[Any, ...]) -> Seen:
        seen = Seen()
        (
            seen.files,
            seen.folders,
            seen.kinds,
            seen.looks,
            seen.links,
            seen.variables,
            seen.names,
            seen.commands,
        ) = data
        return seen

    def copy(self) -> Seen:
        """The same, to be noted in without effect on this one."""
        seen = Seen.of_data(self.data())
        seen.files, seen.folders = dict(self.files), dict(self.folders)
        seen.kinds, seen.looks = dict(self.kinds), dict(self.looks)
        seen.unknowable = dict(self.unknowable)
        seen.renewed = self.renewed
        return seen

    # -- noting ----------------------------------------------------------------------------

    def note_file(self, name: str, data: bytes | None = None) -> None:
        """The content of a file counts; `data` is what was just read of it. A file that cannot be
        read counts by its look; what a pipe or device gives is not known."""
        if name in self.files:
            return
        now_ns = time.time_ns()
        try:
            if data is None:
                # Without waiting for somebody who writes into a pipe.
                with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK), "rb") as handle:
                    found = os.fstat(handle.fileno())
                    if not stat.S_ISREG(found.st_mode):
                        self._note_device(name)
                        return
                    data = handle.read()
            else:
                found = os.stat(name)
        except OSError:
            self.note_look(name)
            return
        # What the system makes when it is read has neither size nor time.
        is_sure = len(data) == found.st_size and is_settled(found.st_ctime_ns, now_ns)
        inode = found.st_ino if is_sure else _UNSETTLED
        self.files[name] = (found.st_ctime_ns, found.st_size, inode, digest_of(data))

    def _note_device(self, name: str) -> None:
        if name != os.devnull:
            self.unknowable[f"`{name}` is read, and is no file"] = None

    def note_link(self, name: str) -> None:
        """Whether a name is a link, and what it leads to, counts."""
        if name not in self.links:
            self.links[name] = _target(name)

    def note_names_of_variables(self, names: Iterable[str]) -> None:
        """Which environment variables there are counts."""
        if self.names is None:
            self.names = sorted(names)

    def note_look(self, name: str) -> None:
        """What `stat` says of a name counts; of a folder only that it is one."""
        if name not in self.looks and name not in self.kinds:
            if kind_of(name) == FOLDER:
                self.kinds[name] = FOLDER
            else:
                self.looks[name] = _look(name)

    def note_folder(self, name: str) -> None:
        """The listing of a folder counts, as it is now."""
        now_ns = time.time_ns()
        try:
            found = os.stat(name or ".")
            digest, links = _listing(name)
        except OSError:
            self.folders[name] = (0, _UNSETTLED, b"", ())
            return
        inode = found.st_ino if is_settled(found.st_mtime_ns, now_ns) else _UNSETTLED
        self.folders[name] = (found.st_mtime_ns, inode, digest, links)

    # -- checking --------------------------------------------------------------------------

    def holds(self, environment: Mapping[str, str] = os.environ) -> bool:
        """Whether all is as it was seen. Times that moved for nothing are noted anew."""
        return (
            all(environment.get(name) == value for name, value in self.variables.items())
            and all(kind_of(name) == kind for name, kind in self.kinds.items())
            and (self.names is None or _without_last(environment) == _without_last(self.names))
            and all(_look(name) == look for name, look in self.looks.items())
            and all(_target(name) == target for name, target in self.links.items())
            and all(self._file_holds(name) for name in list(self.files))
            and self.folders_hold()
            and all(
                command_output(command)[:2] == (0, output)
                for command, output in self.commands.items()
            )
        )

    def folders_hold(self) -> bool:
        """Whether all folders list what they did."""
        return all(self._folder_holds(name) for name in list(self.folders))

    def _file_holds(self, name: str) -> bool:
        recorded = self.files[name]
        try:
            found = os.stat(name)
        except OSError:
            return False
        # The time of the last change of any kind: unlike the other it cannot be set.
        if (found.st_ctime_ns, found.st_size, found.st_ino) == recorded[:3]:
            return True
        if found.st_size != recorded[1]:
            return False
        del self.files[name]
        self.note_file(name)
        self.renewed = True
        return name in self.files and self.files[name][3] == recorded[3]

    def _folder_holds(self, name: str) -> bool:
        mtime_ns, inode, digest, links = self.folders[name]
        try:
            found = os.stat(name or ".")
        except OSError:
            return not digest
        if (found.st_mtime_ns, found.st_ino) == (mtime_ns, inode):
            return all(kind_of(link) == kind for link, kind in links)
        self.note_folder(name)
        self.renewed = True
        return self.folders[name][2] == digest


def _look(name: str) -> Look | None:
    try:
        found = os.stat(name)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


def _target(name: str) -> str | None:
    try:
        return os.readlink(name)
    except (OSError, ValueError):
        return None


def _without_last(names: Iterable[str]) -> set[str]:
    """Names of variables but for that in which a shell puts the last command."""
    return {*names} - {"_"}


def listing_of(entries: Iterable[str]) -> bytes:
    """The digest of a listing: names, those of folders with a slash behind them."""
    return digest_of("\0".join(sorted(entries)).encode("utf-8", "surrogateescape"))


def _listing(folder: str) -> tuple[bytes, tuple[tuple[str, int], ...]]:
    """The digest of what is in a folder, and the kinds of what its links lead to."""
    base = folder if not folder or folder.endswith("/") else folder + "/"
    entries: list[str] = []
    links: list[tuple[str, int]] = []
    with os.scandir(folder or ".") as found:
        for entry in found:
            name = entry.name
            if entry.is_symlink():
                kind = kind_of(base + name)
                links.append((base + name, kind))
                if kind != ABSENT:
                    entries.append(name + "/" * (kind == FOLDER))
            elif entry.is_dir():
                entries.append(name + "/")
            else:
                entries.append(name)
    return listing_of(entries), tuple(links)


def command_output(command: str) -> tuple[int, str, str]:
    """Runs a shell command; returns its exit status, what it printed, without the newlines at its
    end, and what it wrote to stderr."""
    import subprocess

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    printed = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    return done.returncode, printed, done.stderr.decode("utf-8", "replace")
