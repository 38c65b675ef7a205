"""What is kept of a run of make that had nothing to do: what it said, and all that it looked at.
While that is as it was, the next such run says the same, without reading a makefile.

It is kept outside of the project, as make leaves nothing there.
"""

from __future__ import annotations

import marshal
import os
import sys

from pybuild import __version__
from pybuild.makefile import looks
from pybuild.makefile.looks import Looks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from pybuild.runners.commands import Ran

_NOT_STARTED = 127  # the exit status of a command that there is not: make says why
_SHARED = "--jobserver-auth="
_MOST = 200  # runs that are kept
_MOST_LOOKS = 100_000
_MOST_COMMANDS = 50


class Kept:
    """What is kept of the runs with one command line in one folder and environment. `ahead` are
    commands of `$(shell)` that were run to see whether they say the same; a run that follows does
    not run them again."""

    def __init__(self, path: str, key: bytes) -> None:
        self._path = path
        self._key = key
        self.ahead: list[Ran] = []

    def replay(self) -> str | None:
        """What the run says that would find nothing to do; None if that is not sure. Goes to the
        folder that the command line says, as the run would."""
        try:
            with open(self._path, "rb") as file:
                key, folders, here, said, ran, times, *read = marshal.loads(file.read())
        except (OSError, ValueError, EOFError, TypeError):
            return None
        if key != self._key:
            return None
        before = os.getcwd()
        try:
            for folder in folders:
                os.chdir(folder)
            is_same = os.getcwd() == here and looks.reads_the_same(*read)
            if is_same and self._say_the_same(ran, read) and looks.has_the_same_times(times):
                return str(said)
        except OSError:
            pass
        os.chdir(before)
        return None

    def _say_the_same(self, ran: Sequence[Ran], read: Sequence[Any]) -> bool:
        """Runs the commands that the run would, as long as they do what they did."""
        if not ran:
            return True
        from pybuild.runners.commands import ShellRunner

        shell = ShellRunner(lambda _: None)
        self.ahead = shell.ran
        for words, environment, *result in ran:
            if [*shell.run(words, environment)] != result or not looks.reads_the_same(*read):
                return False
        return True

    def keep(
        self, folders: Sequence[str], here: str, said: str, ran: Sequence[Ran], seen: Looks
    ) -> None:
        """Keeps what a run has said that went to these folders and ended up in one, the commands
        of `$(shell)` that it ran, and what it has seen."""
        count = len(seen.times) + len(seen.folders)
        if seen.is_unsure or count > _MOST_LOOKS or len(ran) > _MOST_COMMANDS:
            return
        if any(status == _NOT_STARTED for *_, status in ran):
            return
        read = (seen.files, seen.folders, seen.kinds)
        data = marshal.dumps((self._key, list(folders), here, said, list(ran), seen.times, *read))
        place = os.path.dirname(self._path)
        made = f"{self._path}.{os.getpid()}"
        try:
            os.makedirs(place, mode=0o700, exist_ok=True)
            _make_room(place)
            with open(made, "wb") as file:
                file.write(data)
            os.replace(made, self._path)
        except OSError:
            _remove(made)  # the next run finds out for itself


def kept_of(words: Iterable[str], called: str) -> Kept | None:
    """What is kept for a command line here and now; None if nothing can be."""
    place = _place()
    if not place:
        return None
    try:
        folder = os.getcwd()
    except OSError:
        return None
    if _SHARED in os.environ.get("MAKEFLAGS", ""):
        return None  # the name of the jobserver is another one each time
    environment = [f"{name}={value}" for name, value in sorted(os.environ.items())]
    terminals = "".join([str(os.isatty(stream)) for stream in (1, 2)])  # `MAKE_TERMOUT`
    parts = [_stamp(), str(os.geteuid()), terminals, called, folder, *words, "", *environment]
    key = "\0".join(parts).encode("utf-8", "surrogateescape")
    from _blake2 import blake2b

    name = blake2b(key, digest_size=16).hexdigest()
    return Kept(os.path.join(place, name), key)


def _place() -> str:
    """The folder for what is kept, "" if there is none."""
    home = os.environ.get("HOME", "")
    cache = os.environ.get("XDG_CACHE_HOME", "") or (home and os.path.join(home, ".cache"))
    return os.path.join(cache, "pybuild", "make") if os.path.isabs(cache) else ""


def _stamp() -> str:
    """What tells this pybuild from others."""
    compiled = os.path.join(os.path.dirname(looks.__file__), "__pycache__")
    try:
        return f"{__version__} {sys.version} {os.stat(compiled).st_mtime_ns}"
    except OSError:
        return f"{__version__} {sys.version}"


def _make_room(place: str) -> None:
    """Removes the older half of what is kept, if that is too much."""
    names = os.listdir(place)
    if len(names) < _MOST:
        return
    paths = [os.path.join(place, name) for name in names]
    paths.sort(key=lambda path: os.stat(path).st_mtime_ns)
    for path in paths[: _MOST // 2]:
        _remove(path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
