"""Python at load, watched: what it opens, lists, imports, asks the environment, or cannot be known.

Python tells of files, folders, processes and the network by audit events (PEP 578). It tells
nothing of `stat` and of the environment: those are stood in for while a load is watched. Clock and
dice are noticed by a profile function, which is put in only where the text of the Python names one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

from pybuild.seen import ABSENT, Seen, kind_of

_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_LIBRARY = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "")
_PACKAGES = re.compile(r"/(?:site|dist)-packages/")
_CACHES = re.compile(r"(?:^|/)(?:__pycache__|\.pybuild)/|\.pyc$")
_IMPORTER = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")

_DOUBTFUL = re.compile(
    rb"\b(?:time|datetime|date|clock|random|uuid|secrets|urandom|getrandom|getpid|getppid|gettempdir"
    rb"|getloadavg|tempfile|mkstemp|mkdtemp|platform|getpass|getlogin|socket|process_time)\b"
)
# Functions in C that give something else each time, by module (None: of `datetime`'s classes).
_CLOCKS = frozenset(
    "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns"
    " thread_time thread_time_ns clock_gettime clock_gettime_ns localtime gmtime ctime asctime"
    " strftime".split()
)
_TODAYS = frozenset(("now", "today", "utcnow"))
_SYSTEM = frozenset("urandom getrandom getpid getppid getloadavg times getlogin".split())
_DICE = frozenset("random getrandbits".split())
_ODD_MODULES = ("random", "uuid", "secrets", "tempfile", "getpass", "platform", "socket")
_COMMANDS = frozenset(
    "subprocess.Popen os.system os.exec os.posix_spawn os.spawn os.fork os.forkpty"
    " pty.spawn".split()
)
_NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.")

_watches: list[Watch] = []  # those that are on; the hook of a process cannot be taken out


class Watch:
    """Notes in `seen` what happens while it is on (`with watch:`)."""

    def __init__(self, seen: Seen, root: str) -> None:
        self.seen = seen
        self.root = os.path.join(os.path.abspath(root), "")
        self._depth = 0
        self._profiles = False
        self._asked: dict[str, None] = {}
        self._functions: dict[str, Callable[..., Any]] = {}

    def __enter__(self) -> None:
        if not _hooked:
            _hooked.append(True)
            sys.addaudithook(_hook)
        _watches.append(self)
        os.environ.__class__ = _Environment
        for name in ("stat", "lstat", "access", "readlink"):
            self._functions[name] = getattr(os, name)
            setattr(os, name, self._noting(self._functions[name]))

    def __exit__(self, *_: object) -> None:
        for name, function in self._functions.items():
            setattr(os, name, function)
        if self._profiles:
            sys.setprofile(None)
            self._profiles = False
        _watches.remove(self)
        if not _watches:
            os.environ.__class__ = os._Environ
        self._note_modules()

    @property
    def is_pausing(self) -> bool:
        return self._depth > 0

    def pause(self) -> Pause:
        """`with watch.pause():` what pybuild itself does is not noted."""
        return Pause(self)

    def _noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def noting(path: Any, *arguments: Any, **named: Any) -> Any:
            if not self._depth and named.get("dir_fd") is None:
                name = _name(path)
                if name is not None and not _is_ours(name):
                    with self.pause():
                        self.seen.note_look(name)
            return function(path, *arguments, **named)

        return noting

    # -- what Python tells -----------------------------------------------------------------

    def event(self, kind: str, arguments: tuple[Any, ...]) -> None:
        """An audit event."""
        if kind == "open":
            self._opened(*arguments)
        elif kind in ("os.listdir", "os.scandir"):
            self._listed(arguments[0])
        elif kind == "import":
            if arguments[1] is None:
                self._asked[arguments[0]] = None
        elif kind == "compile":
            self._compiled(*arguments)
        elif kind in _COMMANDS:
            self._cannot_know("runs a command (of `sh(...)` it would be known what it prints)")
        elif kind.startswith(_NETWORK):
            self._cannot_know(f"uses the network ({kind})")

    def _cannot_know(self, what: str) -> None:
        self.seen.unknowable[f"{self._place()} {what}"] = None

    def _opened(self, path: Any, _: Any, flags: Any) -> None:
        name = _name(path)
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        if name is None or writes or _is_ours(name):
            return
        if os.path.isdir(name):
            return
        self.seen.note_file(name)

    def _listed(self, path: Any) -> None:
        name = "" if path in (None, ".", "") else _name(path)
        if name is None or _is_ours(os.path.join(name, "x")):
            return
        frame = sys._getframe(3)
        filename = frame.f_code.co_filename
        if filename in _IMPORTER or filename.startswith(_HERE):
            return
        self.seen.note_folder(name)

    def _compiled(self, text: Any, filename: Any) -> None:
        if isinstance(text, str):
            text = text.encode("utf-8", "surrogateescape")
        is_ours = isinstance(text, bytes) and self._is_of_project(str(filename))
        if is_ours and _DOUBTFUL.search(text):
            self._profiles = True
            sys.setprofile(self._profile)

    def _is_of_project(self, filename: str) -> bool:
        if filename.startswith("<"):
            return False
        path = os.path.join(self.root, filename)
        return path.startswith(self.root) and not _PACKAGES.search(path)

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            if not _is_odd(argument):
                return
            caller, name = frame, argument.__name__
        elif event == "call" and frame.f_back is not None:
            if not _is_odd_code(frame.f_code):
                return
            caller, name = frame.f_back, frame.f_code.co_name
        else:
            return
        if self._is_of_project(caller.f_code.co_filename) and not self._depth:
            place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
            self.seen.unknowable[f"{place} calls `{name}`"] = None

    def _place(self) -> str:
        """The line of the project's Python that is running."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if self._is_of_project(frame.f_code.co_filename):
                return f"{frame.f_code.co_filename}:{frame.f_lineno}"
            frame = frame.f_back
        return "Python"

    def environment(self, name: str | None) -> None:
        """A variable was asked for; None: all of them."""
        values = os.environ._data  # type: ignore[attr-defined]
        names = [name] if name is not None else [os.fsdecode(each) for each in values]
        for each in names:
            if each != "_":
                value = values.get(os.fsencode(each))
                self.seen.variables.setdefault(each, None if value is None else os.fsdecode(value))

    def _note_modules(self) -> None:
        """Files of the modules that were asked for; those that are not there must stay away."""
        for name in self._asked:
            module = sys.modules.get(name)
            filename = getattr(module, "__file__", None)
            if filename and not _is_ours(filename):
                self.seen.note_file(filename)
            elif module is None:
                self._note_absent(name)
        self._asked.clear()

    def _note_absent(self, name: str) -> None:
        parent, _, last = name.rpartition(".")
        package = sys.modules.get(parent)
        places = list(getattr(package, "__path__", ())) if parent else sys.path
        for place in places:
            for each in (os.path.join(place, last), os.path.join(place, last + ".py")):
                if kind_of(each) == ABSENT:
                    self.seen.kinds[each] = ABSENT


class Pause:
    """While it is on, a watch notes nothing."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __enter__(self) -> None:
        self.watch._depth += 1

    def __exit__(self, *_: object) -> None:
        self.watch._depth -= 1


class _Environment(os._Environ[str]):
    """The environment, telling the watches what it is asked."""

    def __getitem__(self, key: str) -> str:
        if isinstance(key, str):
            _tell_environment(key)
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        _tell_environment(None)
        return super().__iter__()

    def __len__(self) -> int:
        _tell_environment(None)
        return super().__len__()


def _tell_environment(name: str | None) -> None:
    for watch in _watches:
        if not watch.is_pausing:
            watch.environment(name)


_hooked: list[bool] = []


def _hook(kind: str, arguments: tuple[Any, ...]) -> None:
    if not _watches or kind == "object.__getattr__":
        return
    watch = _watches[-1]
    if not watch.is_pausing:
        with watch.pause():
            watch.event(kind, arguments)


def _name(path: Any) -> str | None:
    """The name of a path, or None if it is a handle."""
    if isinstance(path, int):
        return None
    try:
        return os.fsdecode(path)
    except TypeError:
        return None


def _is_ours(name: str) -> bool:
    """Whether a file belongs to Python, to pybuild, or is kept by one of them for itself."""
    if name.startswith(_HERE) or _CACHES.search(name):
        return True
    return name.startswith(_LIBRARY) and not _PACKAGES.search(name)


def _is_odd(function: Any) -> bool:
    name = getattr(function, "__name__", "")
    module = getattr(function, "__module__", None)
    if module == "time":
        return name in _CLOCKS
    if module in ("posix", "nt"):
        return name in _SYSTEM
    owner = getattr(function, "__self__", None)
    if name in _TODAYS:
        return isinstance(owner, type) and owner.__module__ == "datetime"
    return name in _DICE and type(owner).__module__ == "random"


def _is_odd_code(code: CodeType) -> bool:
    folder, _, filename = code.co_filename.rpartition("/")
    return folder + "/" == _LIBRARY and filename.removesuffix(".py") in _ODD_MODULES
