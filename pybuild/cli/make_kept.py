"""What is kept of a run of make that had nothing to do: what it said, and all that it looked at.
While that is as it was, the next such run says the same, without reading a makefile.

It is kept outside of the project, as make leaves nothing there.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys

from pybuild import __version__
from pybuild.makefile import looks
from pybuild.makefile.looks import Earlier, Looks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pybuild.makefile.looks import Identity
    from pybuild.runners.commands import Ran

_NOT_STARTED = 127  # the exit status of a command that there is not: make says why
_SHARED = "--jobserver-auth="
_MOST = 200  # runs that are kept
_MOST_LOOKS = 100_000


class Kept:
    """What is kept of the runs with one command line in one folder and environment. `ahead` are
    commands of `$(shell)` that were run to see whether they say the same; a run that follows does
    not run them again, and sees what there was before them (`earlier`) until it gets to the last.
    `is_out` is how much of what it says has been said, in characters."""

    def __init__(self, path: str, key: bytes) -> None:
        self._path = path
        self._key = key
        self.ahead: list[Ran] = []
        self.earlier: Earlier | None = None
        self.is_out = 0

    def replay(self) -> bool:
        """Says what the run says that would find nothing to do, and goes to the folder that the
        command line says. Returns whether it is sure that there is nothing to do."""
        try:
            with open(self._path, "rb") as file:
                key, folders, here, *rest = marshal.loads(file.read())
        except (OSError, ValueError, EOFError, TypeError):
            return False
        if key != self._key:
            return False
        before = os.getcwd()
        try:
            for folder in folders:
                os.chdir(folder)
            if os.getcwd() == here and self._goes_the_same(*rest):
                return True
        except OSError:
            pass
        if folders:
            os.chdir(before)
        return False

    def _goes_the_same(
        self,
        said: Sequence[str],
        ran: Sequence[tuple[Sequence[str], Mapping[str, str | None], bytes, int]],
        files: Mapping[str, Identity],
        folders: Mapping[str, Identity],
        kinds: Mapping[str, int],
        times: Mapping[str, int],
    ) -> bool:
        """Says what the run says and runs its commands, as long as all is as it was."""
        read = (files, folders, kinds)
        if not (looks.reads_the_same(*read) and looks.has_the_same_times(times)):
            return False
        if ran:
            from pybuild.runners.commands import ShellRunner

            errors: list[str] = []
            shell = ShellRunner(errors.append)
            self.ahead = shell.ran
            self.earlier = Earlier(*read, times)
        for text, (words, changes, *result) in zip(said, ran, strict=False):
            self._say(text)
            is_same = [*shell.run(words, _changed(changes))] == result
            if errors:
                shell.ran.pop()  # it was not started: the run says why
            if not (is_same and looks.reads_the_same(*read)):
                return False
        if ran and not looks.has_the_same_times(times):
            return False
        self._say(said[-1])
        return True

    def _say(self, text: str) -> None:
        # At once, as a command may say something, too.
        sys.stdout.write(text)
        sys.stdout.flush()
        self.is_out += len(text)

    def keep(
        self,
        folders: Sequence[str],
        here: str,
        said: Sequence[str],
        ran: Sequence[Ran],
        seen: Looks,
    ) -> None:
        """Keeps what a run has said that went to these folders and ended up in one (in pieces,
        between the commands of `$(shell)`), those commands, and what it has seen."""
        from pybuild.runners.commands import MOST_RAN

        count = len(seen.times) + len(seen.folders)
        if seen.is_unsure or count > _MOST_LOOKS or len(ran) > MOST_RAN:
            return
        if any(status == _NOT_STARTED for *_, status in ran):
            return
        if any(_SHARED in environment.get("MAKEFLAGS", "") for _, environment, *_ in ran):
            return
        commands = [(words, _changes(given), *result) for words, given, *result in ran]
        read = (seen.files, seen.folders, seen.kinds, seen.times)
        data = marshal.dumps((self._key, list(folders), here, list(said), commands, *read))
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


def _changes(environment: Mapping[str, str]) -> dict[str, str | None]:
    """What makes an environment from ours: of what is secret there, nothing is to be kept."""
    made: dict[str, str | None] = dict.fromkeys(os.environ.keys() - environment.keys())
    for name, value in environment.items():
        if os.environ.get(name) != value:
            made[name] = value
    return made


def _changed(changes: Mapping[str, str | None]) -> dict[str, str]:
    """The environment that changes make from ours."""
    made = {**os.environ, **changes}
    return {name: value for name, value in made.items() if value is not None}


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

    digest = blake2b(key, digest_size=32)
    return Kept(os.path.join(place, digest.hexdigest()), digest.digest())


def _place() -> str:
    """The folder for what is kept, "" if there is none. What is kept says what is run: it is not
    taken from a folder of somebody else (of a user for whom root runs), nor put there."""
    cache, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
    try:
        found = os.stat(cache or home)
    except OSError:
        return ""
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_IWOTH:
        return ""
    place = os.path.join(cache or os.path.join(home, ".cache"), "pybuild", "make")
    return place if os.path.isabs(place) else ""


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
