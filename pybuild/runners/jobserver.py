"""Slots shared with other makes: a pipe or a named pipe with one byte for each free slot.

The make at the top puts the bytes in. Each make has one slot of its own; for any other it takes a
byte, and puts the same one back. Whoever reads must not wait in that: the byte may be gone to
somebody else by then. So a handle of its own is opened where the system lets us, that does not
wait.
"""

from __future__ import annotations

import os
import select
import stat

from pybuild.makefile.errors import MakeError

_FIFO = "fifo:"
_TOKEN = b"+"
_LOAD_PAUSE = 1.0  # seconds until one asks again if the load was too high


class Load:
    """The limit of `-l`: how many tasks may be ready to run on this machine."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit

    def is_high(self) -> bool:
        """Whether nothing more is to be started."""
        return self.limit is not None and _ready_tasks() >= self.limit


def _ready_tasks() -> float:
    try:
        with open("/proc/loadavg") as file:
            return int(file.read().split()[3].partition("/")[0]) - 1.0  # without ourselves
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0


class OwnSlots:
    """The slots of a make that shares them with nobody: `count`, or any number if 0."""

    def __init__(self, count: int = 1, load: float | None = None) -> None:
        self.count = count
        self.auth = ""
        self._load = Load(load)
        self._used = 0
        self._waits_for_load = False

    def take(self) -> bool:
        self._waits_for_load = False
        if self._used:
            if self.count and self._used >= self.count:
                return False
            if self._load.is_high():
                self._waits_for_load = True
                return False
        self._used += 1
        return True

    def give_back(self) -> None:
        self._used -= 1

    def fileno(self) -> int:
        return -1

    def retry_after(self) -> float | None:
        return _LOAD_PAUSE if self._waits_for_load else None

    def inherited(self) -> tuple[int, ...]:
        return ()

    def close(self) -> None:
        """Nobody is waiting for what we have."""


class SharedSlots:
    """One end of a jobserver: one slot of its own, others by bytes that are read from `reading` and
    written to `writing`. `auth` is the value of `--jobserver-auth` for others, `inherited`
    are the handles that it names; `made` is the named pipe to remove at the end."""

    def __init__(
        self,
        reading: int,
        writing: int,
        auth: str,
        *,
        load: float | None = None,
        inherited: tuple[int, ...] = (),
        made: str = "",
    ) -> None:
        self.auth = auth
        self._writing = writing
        self._inherited = inherited
        self._made = made
        self._owner = os.getpid()
        self._load = Load(load)
        self._waits_for_load = False
        self._own_is_used = False
        self._tokens: list[bytes] = []
        for each in inherited:
            os.set_inheritable(each, False)  # only those get them that are to
        self._reading = _not_waiting(reading)

    def take(self) -> bool:
        self._waits_for_load = False
        if not self._own_is_used:
            self._own_is_used = True
            return True
        if self._load.is_high():
            self._waits_for_load = True
            return False
        token = self._read()
        if token:
            self._tokens.append(token)
        return bool(token)

    def _read(self) -> bytes:
        try:
            if os.get_blocking(self._reading):
                poll = select.poll()
                poll.register(self._reading, select.POLLIN)
                if not poll.poll(0):
                    return b""
            return os.read(self._reading, 1)
        except BlockingIOError:
            return b""

    def give_back(self) -> None:
        if self._tokens:
            os.write(self._writing, self._tokens.pop())
        else:
            self._own_is_used = False

    def fill(self, count: int) -> None:
        """Puts in the bytes of the make at the top, as many of `count` as the pipe takes."""
        os.set_blocking(self._writing, False)
        try:
            os.write(self._writing, _TOKEN * count)
        finally:
            os.set_blocking(self._writing, True)

    def fileno(self) -> int:
        return self._reading

    def retry_after(self) -> float | None:
        return _LOAD_PAUSE if self._waits_for_load else None

    def inherited(self) -> tuple[int, ...]:
        return self._inherited

    def close(self) -> None:
        """Gives all slots back; the handles that others have stay theirs."""
        if os.getpid() != self._owner:
            return
        while self._tokens:
            try:
                os.write(self._writing, self._tokens.pop())
            except OSError:
                break  # nobody is left to have it
        for each in {self._reading, self._writing, *self._inherited}:
            os.close(each)
        if self._made:
            try:
                os.unlink(self._made)
            except OSError:
                pass  # somebody has tidied up


def _not_waiting(reading: int) -> int:
    """A handle to the same pipe that does not wait, or the same one if there can be none: what
    others have must not change under them."""
    if not os.get_blocking(reading):
        return reading
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            made = os.open(f"{folder}/{reading}", os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        if os.path.sameopenfile(made, reading) and os.get_blocking(reading):
            return made
        os.close(made)
    return reading


def serve(jobs: int, style: str = "", load: float | None = None) -> SharedSlots:
    """The jobserver of the make at the top, for `jobs` (2 or more). `style` is `fifo`, `pipe`, or
    "" for the first that can be had. Raises MakeError."""
    if style not in ("", "fifo", "pipe"):
        raise MakeError(f"unknown jobserver auth style '{style}'")
    shared = None if style == "pipe" else _serve_by_name(load, must=style == "fifo")
    if shared is None:
        reading, writing = os.pipe()
        shared = SharedSlots(
            reading, writing, f"{reading},{writing}", load=load, inherited=(reading, writing)
        )
    shared.fill(jobs - 1)
    return shared


def _serve_by_name(load: float | None, must: bool) -> SharedSlots | None:
    path = os.path.join(temporary_folder(), f"GMfifo{os.getpid()}")
    try:
        os.mkfifo(path, 0o600)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writing = os.open(path, os.O_WRONLY)
    except (OSError, AttributeError) as error:
        if must:
            reason = getattr(error, "strerror", None) or error
            raise MakeError(f"cannot create jobserver fifo {path}: {reason}") from None
        return None
    return SharedSlots(reading, writing, _FIFO + path, load=load, made=path)


def join(auth: str, load: float | None = None) -> tuple[SharedSlots | None, str]:
    """The jobserver that another make offers by `--jobserver-auth=AUTH`. Without one, None and why
    (a line for standard error; "" if nothing is to be said before the usual warning)."""
    if auth.startswith(_FIFO):
        path = auth.removeprefix(_FIFO)
        try:
            reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            writing = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            return None, f"cannot open jobserver {path}: {error.strerror}"
        os.set_blocking(writing, True)
        return SharedSlots(reading, writing, auth, load=load), ""
    first, _, second = auth.partition(",")
    try:
        reading, writing = int(first), int(second)
    except ValueError:
        return None, f"invalid --jobserver-auth string '{auth}'"
    if not _is_pipe(reading) or not _is_pipe(writing):
        return None, ""
    return SharedSlots(reading, writing, auth, load=load, inherited=(reading, writing)), ""


def _is_pipe(handle: int) -> bool:
    try:
        return handle >= 0 and stat.S_ISFIFO(os.fstat(handle).st_mode)
    except OSError:
        return False


def temporary_folder() -> str:
    """Where files go that live as long as make does."""
    for name in ("MAKE_TMPDIR", "TMPDIR"):
        folder = os.environ.get(name, "")
        if folder and os.path.isdir(folder):
            return folder
    return "/tmp"
