"""What changes in a project's folder, in batches: the only module that knows watchdog.

Events come in on watchdog's threads and are gathered; one thread takes them when it has been quiet
for a moment. Names are relative to the project's folder.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import time
import warnings
from collections.abc import Callable, Iterable

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from pybuild.engine.key import STATE_FOLDER
from pybuild.typed import NamedTuple

_LOG = logging.getLogger("watchdog")
_LOG.propagate = False  # what it complains of is mended by looking at all files

# It warns of folders that come while it begins to watch, and watches them.
warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog")

_QUIET = 0.015  # seconds without an event that end a batch
_MORE_QUIET = 0.0005  # seconds more for each event that came
_MOST_QUIET = 0.3
_LONGEST = 10.0  # seconds: a batch is taken even if events keep coming
_FLOOD = 4000  # events that count: from then on some may have been lost
_TORRENT = 2000  # events of any kind within _TORRENT_SECONDS, after which the same is feared
_TORRENT_SECONDS = 2.0
_PATIENCE = 2.0  # seconds for watchdog's threads to end
_REST_AFTER_LOSS = 0.3  # seconds in which folders are watched again
_KINDS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


class _Losses(logging.Handler):
    """Hears of watchdog's complaints, which mean that events were lost."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, _: logging.LogRecord) -> None:
        self._tell()


class Batch(NamedTuple):
    """Names that something happened to; `everything` that more may have changed than they say."""

    names: frozenset[str] = frozenset()
    everything: bool = False

    def __or__(self, other: Batch) -> Batch:
        return Batch(self.names | other.names, self.everything or other.everything)


class Events(FileSystemEventHandler):
    """Gathers what happens below the working folder, and in some folders besides. With `poll` the
    files are looked at every so many seconds, else the system tells of changes. `cares` says which
    names count; it is asked on another thread.

    Raises OSError if the system cannot watch so many folders.
    """

    def __init__(self, poll: float | None = None) -> None:
        self.root = os.getcwd()
        self.cares: Callable[[str], bool] = _all
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._written: set[str] = set()  # files that were written to, and not closed
        self._everything = False
        self._count = 0
        self._first = self._last = 0.0
        self._beyond: dict[str, list[str]] = {}  # watched besides: folders with their names
        self._known: set[str] = set()  # these names
        self._flow, self._flow_began = 0, 0.0
        self._mark = ""  # the path of a file of ours that is waited for
        self._marks = 0
        self._has_come = threading.Event()
        self.is_told = poll is None
        self._ears, self._mouth = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._losses = _Losses(self._lose)
        _LOG.addHandler(self._losses)
        # Events of opening and reading are not asked for: a build has thousands of them.
        self._observer: BaseObserver = Observer() if poll is None else PollingObserver(timeout=poll)
        try:
            self._observer.schedule(self, self.root, recursive=True, event_filter=_KINDS)
            self._observer.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets go of all watches."""
        _LOG.removeHandler(self._losses)
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join(_PATIENCE)  # its threads end with us in any case
        os.close(self._ears)
        os.close(self._mouth)

    def add_folders(self, names: Iterable[str]) -> None:
        """Watches folders that lie elsewhere, or behind a link, too. Those that cannot be watched
        are left out."""
        for name in names:
            path = os.path.realpath(os.path.join(self.root, name))
            if name in self._known or is_plain(name) or not os.path.isdir(path):
                continue
            self._known.add(name)
            known = self._beyond.setdefault(path, [])
            known.append(name)
            if len(known) == 1:
                self._listen_beyond(path)

    def _listen_beyond(self, path: str) -> None:
        try:
            self._observer.schedule(self, path, event_filter=_KINDS)
        except OSError:
            pass  # nobody may look there, or there are no watches left

    # -- coming in ---------------------------------------------------------------------------

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog."""
        self._measure()
        is_open = isinstance(event, FileModifiedEvent)
        for path in (event.src_path, event.dest_path):
            if path:
                self._note(os.fsdecode(path), event.is_directory, is_open)

    def _note(self, path: str, is_folder: bool, is_open: bool) -> None:
        if path == self._mark:
            self._has_come.set()
        for name in self._names_of(path):
            if name != STATE_FOLDER and not name.startswith(STATE_FOLDER + "/"):
                self._note_name(name, is_folder, is_open)

    def _measure(self) -> None:
        """The system keeps so many events for us (16,384), whatever they are about, and drops what
        is more. Then very many come in a row."""
        now = time.monotonic()
        if now - self._flow_began > _TORRENT_SECONDS:
            self._flow, self._flow_began = 0, now
        self._flow += 1
        if self._flow == _TORRENT:
            self._flow = 0
            self._come(now)

    def _lose(self) -> None:
        self._come(time.monotonic() + _REST_AFTER_LOSS)

    def _come(self, last: float) -> None:
        """Anything may have happened."""
        with self._lock:
            self._begin()
            self._last = last
            self._everything = True

    def _begin(self) -> None:
        if not self._count:
            self._first = time.monotonic()
            os.write(self._mouth, b"!")
        self._count += 1

    def _note_name(self, name: str, is_folder: bool, is_open: bool) -> None:
        if not is_folder and not self.cares(name):
            return
        now = time.monotonic()
        with self._lock:
            self._begin()
            self._last = max(now, self._last)
            self._names.add(name)
            (self._written.add if is_open else self._written.discard)(name)
            # What is in a folder that comes or goes may not be told of.
            self._everything |= is_folder

    def _names_of(self, path: str) -> list[str]:
        """The names that a path has in the project."""
        folder, _, base = path.rpartition("/")
        names = [os.path.join(name, base) for name in self._beyond.get(folder, ())]
        if path == self.root:
            names.append("")
        elif path.startswith(self.root + "/"):
            names.append(path[len(self.root) + 1 :])
        return names

    # -- going out ---------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> Batch | None:
        """The next batch, once it is quiet; None if nothing happens in `timeout` seconds."""
        if not select.select([self._ears], [], [], timeout)[0]:
            return None
        while (rest := self._rest()) > 0:
            time.sleep(min(rest, _QUIET))  # a file that was open may be closed by then
        return self._take()

    def fileno(self) -> int:
        """What is ready when something has happened."""
        return self._ears

    def is_quiet(self, timeout: float) -> bool:
        """Whether nothing has happened that counts up to now: the system tells of changes in their
        order, so it is asked for one of our own, and that is waited for, `timeout` seconds at most.
        False, too, if the system does not tell of changes."""
        if not self.is_told or self._count:
            return False
        self._marks += 1
        name = f"{STATE_FOLDER}/mark.{os.getpid()}.{self._marks}"
        self._has_come.clear()
        self._mark = os.path.join(self.root, name)
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            os.unlink(name)
        except OSError:
            return False
        return self._has_come.wait(timeout) and not self._count

    def take(self) -> Batch | None:
        """The next batch if there is one and it is quiet."""
        return self._take() if self._count and self._rest() <= 0 else None

    def _rest(self) -> float:
        """For how many seconds it has to be quiet yet."""
        with self._lock:
            quiet = min(_QUIET + _MORE_QUIET * self._count, _MOST_QUIET)
            if self._written:
                quiet = _MOST_QUIET  # a file is open yet, and may be half of what it will be
            return min(self._last + quiet, self._first + _LONGEST) - time.monotonic()

    def _take(self) -> Batch:
        with self._lock:
            os.read(self._ears, 100)
            batch = Batch(frozenset(self._names), self._everything or self._count > _FLOOD)
            self._names.clear()
            self._written.clear()
            self._everything = False
            self._count = 0
        return batch


def _all(_: str) -> bool:
    return True


def is_plain(name: str) -> bool:
    """Whether a folder is inside the project, by its name, and no link leads there."""
    if name.startswith(("/", "../")) or name == "..":
        return False
    try:
        here = os.path.realpath(".")
    except FileNotFoundError:
        return False  # we are nowhere
    return os.path.realpath(name or ".") == os.path.normpath(os.path.join(here, name))
