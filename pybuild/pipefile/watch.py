"""Python at load, watched: what it opens, lists, imports, asks the environment, or cannot be known.

Python tells of files, folders, processes and the network by audit events (PEP 578). It tells
nothing of `stat` and of the environment: those are stood in for while a load is watched. Clock and
dice are noticed by a profile function, which is put in only where the text of the Python names one.
"""

from __future__ import annotations

import os
import sys
from _thread import _local
from collections.abc import Callable, Iterator
from types import CodeType, FrameType

from pybuild.kinds import ABSENT, FILE, FOLDER, kind_of
from pybuild.regex import regex
from pybuild.seen import Seen
from pybuild.typed import Any

_HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_LIBRARY = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "")
_PACKAGES = regex(r"/(?:site|dist)-packages/")
_CACHES = regex(r"(?:^|/)(?:__pycache__|\.pybuild)/|\.pyc$")
_IMPORTER = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")

_DOUBTFUL = regex(
    rb"\b(?:time|datetime|date|clock|random|uuid|secrets|urandom|getrandom|getpid|getppid|gettempdir"
    rb"|getloadavg|scandir|tempfile|mkstemp|mkdtemp|platform|getpass|getlogin|socket|process_time)\b"
)
# Functions in C that give something else each time: of `time`, of `datetime`'s classes, of the
# system, of dice.
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
_CHANGES = frozenset(
    "os.mkdir os.rmdir os.remove os.rename os.link os.symlink os.truncate os.utime os.chmod".split()
)
_ODD_EVENTS = {
    "os.chdir": "works in another folder",
    "sqlite3.connect": "opens a database",
    "builtins.input": "asks for input",
}
_NETWORK = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.")

_watches: list[Watch] = []  # the one that is on, if any; a hook cannot be taken out again


class Watch:
    """Notes in `seen` what the user's Python does once it is on (`begin`): between `enter` and
    `leave`, which stand around all calls of it. What pybuild itself does is not noted, but for what
    it does `with noted():`."""

    def __init__(self, seen: Seen, root: str) -> None:
        self.seen = seen
        self.root = os.path.join(os.path.abspath(root), "")
        self._inside = 0
        self._paused = _local()  # by thread: what others do meanwhile counts
        self._is_doubtful = False
        self._asked: dict[str, None] = {}
        self._changed: dict[str, None] = {}
        self._functions: dict[str, Callable[..., Any]] = {}

    def begin(self) -> None:
        """From now on this watch notes, and no other one."""
        if not _hooked:
            _hooked.append(True)
            sys.addaudithook(_hook)
        _watches[:] = [self]

    def enter(self) -> None:
        """The user's Python is about to run. What Python does not tell of is stood in for."""
        self._inside += 1
        if self._inside > 1:
            return
        os.environ.__class__ = _Environment
        os.environb.__class__ = _Environment
        for name in ("stat", "access"):
            self._stand_in(name, self.seen.note_look)
        for name in ("lstat", "readlink"):
            self._stand_in(name, self._note_link)
        sys.meta_path.insert(0, self)
        if self._is_doubtful:
            self._start_profile()

    def leave(self) -> None:
        """It has run."""
        self._inside -= 1
        if self._inside:
            return
        for name, function in self._functions.items():
            setattr(os, name, function)
        os.environ.__class__ = os._Environ
        os.environb.__class__ = os._Environ
        sys.meta_path.remove(self)
        if self._is_doubtful:
            self._end_profile()
        if self._asked:
            self._note_modules()
        for name in self._changed:
            (self.seen.note_file if kind_of(name) == FILE else self.seen.note_look)(name)
        self._changed.clear()

    @property
    def is_inside(self) -> bool:
        return self._inside > 0

    @property
    def is_noting(self) -> bool:
        return self._inside > 0 and not getattr(self._paused, "depth", 0)

    def pause(self) -> Pause:
        """`with watch.pause():` what pybuild does within the user's Python is not noted."""
        return Pause(self)

    def _stand_in(self, function: str, note: Callable[[str], None]) -> None:
        real = self._functions[function] = getattr(os, function)

        def noting(path: Any, *arguments: Any, **named: Any) -> Any:
            if self.is_noting and named.get("dir_fd") is None:
                name = _name(path)
                if name is not None and not _is_ours(name):
                    with self.pause():
                        note(name)
            return real(path, *arguments, **named)

        setattr(os, function, noting)

    def _note_link(self, name: str) -> None:
        self.seen.note_look(name)
        self.seen.note_link(name)

    def _start_profile(self) -> None:
        with self.pause():
            import threading
        threading.setprofile(self._profile_thread)
        sys.setprofile(self._profile)

    def _end_profile(self) -> None:
        import threading

        sys.setprofile(None)
        threading.setprofile(None)

    def _profile_thread(self, frame: FrameType, event: str, argument: Any) -> None:
        """A thread may live longer than what it is watched for."""
        if self._inside:
            self._profile(frame, event, argument)

    # -- what Python tells -----------------------------------------------------------------

    def event(self, kind: str, arguments: tuple[Any, ...]) -> None:
        """An audit event."""
        if kind == "open":
            self._opened(*arguments)
        elif kind in ("os.listdir", "os.scandir"):
            self._listed(arguments[0])
        elif kind == "compile":
            self._compiled(*arguments)
        elif kind == "exec":
            self._executed(arguments[0])
        elif kind in _CHANGES:
            names = [name for each in arguments[:2] if (name := _text_of(each))]
            self._changed.update(dict.fromkeys(name for name in names if not _is_ours(name)))
        elif kind in _ODD_EVENTS:
            self._cannot_know(_ODD_EVENTS[kind])
        elif kind in _COMMANDS:
            self._cannot_know("runs a command (of `sh(...)` it would be known what it prints)")
        elif kind.startswith(_NETWORK):
            self._cannot_know(f"uses the network ({kind})")

    def _cannot_know(self, what: str) -> None:
        self.seen.unknowable[f"{self._place()} {what}"] = None

    def _opened(self, path: Any, _: Any, flags: Any) -> None:
        name = _name(path)
        if name is None or _is_ours(name) or kind_of(name) == FOLDER:
            return
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_TRUNC):
            self._changed[name] = None
        else:
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
        if isinstance(text, bytes) and self._is_of_user(str(filename)) and _DOUBTFUL.search(text):
            self._doubt()

    def _executed(self, code: Any) -> None:
        """Modules from elsewhere come as code that was compiled before."""
        if (
            isinstance(code, CodeType)
            and self._is_of_user(code.co_filename)
            and any(_DOUBTFUL.search(name.encode()) for name in _names_in(code))
        ):
            self._doubt()

    def _doubt(self) -> None:
        self._is_doubtful = True
        if self._inside:
            self._start_profile()

    def _is_of_user(self, filename: str) -> bool:
        """Whether code was written for the project: what neither Python nor pybuild nor an
        installed package brings."""
        if filename.startswith("<"):
            return filename == "<string>"
        path = os.path.join(self.root, filename)
        return not (path.startswith((_HERE, _LIBRARY)) or _PACKAGES.search(path))

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            owner = getattr(argument, "__self__", None)
            if type(owner) is os.DirEntry and argument.__name__ == "stat" and self.is_noting:
                with self.pause():
                    self.seen.note_look(os.fsdecode(owner.path))
            if not _is_odd(argument):
                return
            caller, name = frame, argument.__name__
        elif event == "call" and frame.f_back is not None:
            if not _is_odd_code(frame.f_code):
                return
            caller, name = frame.f_back, frame.f_code.co_name
        else:
            return
        if self._is_of_user(caller.f_code.co_filename) and self.is_noting:
            place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
            self.seen.unknowable[f"{place} calls `{name}`"] = None

    def _place(self) -> str:
        """The line of the project's Python that is running."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if self._is_of_user(frame.f_code.co_filename):
                return f"{frame.f_code.co_filename}:{frame.f_lineno}"
            frame = frame.f_back
        return "Python"

    def environment(self, name: str | None) -> None:
        """A variable was asked for; None: all of them."""
        values = os.environ._data  # type: ignore[attr-defined]
        names = [name] if name is not None else [os.fsdecode(each) for each in values]
        if name is None:
            self.seen.note_names_of_variables(names)
        for each in names:
            if each != "_":
                value = values.get(os.fsencode(each))
                self.seen.variables.setdefault(each, None if value is None else os.fsdecode(value))

    def find_spec(self, name: str, *_: object) -> None:
        """Python asks for a module, as it does all in `sys.meta_path`."""
        if self.is_noting:
            self._asked[name] = None

    def _note_modules(self) -> None:
        """Files of the modules that were asked for, and that nothing stands before them; those
        that are not there must stay away."""
        for name in self._asked:
            module = sys.modules.get(name)
            filename = getattr(module, "__file__", None)
            if filename is None and module is not None and not hasattr(module, "__path__"):
                continue  # built in
            if filename:
                if _is_ours(filename):
                    continue
                self.seen.note_file(filename)
                if _PACKAGES.search(filename):
                    continue
            self._note_absent(name, filename)
        self._asked.clear()

    def _note_absent(self, name: str, found: str | None) -> None:
        """Where a module would be looked for before it is found."""
        parent, _, last = name.rpartition(".")
        places = list(getattr(sys.modules.get(parent), "__path__", ())) if parent else sys.path
        for place in places:
            base = os.path.join(place, last)
            for each in (os.path.join(base, "__init__.py"), base + ".py", base):
                if each == found:
                    return
                if kind_of(each) == ABSENT and (each != base or found is None):
                    self.seen.kinds[each] = ABSENT


def end_watch() -> None:
    """From now on nothing is noted."""
    _watches.clear()


class Pause:
    """While it is on, a watch notes nothing."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __enter__(self) -> None:
        paused = self.watch._paused
        paused.depth = getattr(paused, "depth", 0) + 1

    def __exit__(self, *_: object) -> None:
        self.watch._paused.depth -= 1


class noted:  # noqa: N801
    """`with noted():` what pybuild itself does here counts for the load."""

    __slots__ = ()

    def __enter__(self) -> None:
        for watch in _watches:
            watch.enter()

    def __exit__(self, *_: object) -> None:
        for watch in _watches:
            watch.leave()


class _Environment(os._Environ[Any]):
    """The environment, of texts or of bytes, telling the watches what it is asked."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str | bytes):
            _tell_environment(os.fsdecode(key))
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[Any]:
        _tell_environment(None)
        return super().__iter__()

    def __len__(self) -> int:
        _tell_environment(None)
        return super().__len__()

    def __repr__(self) -> str:
        _tell_environment(None)
        return super().__repr__()


def _tell_environment(name: str | None) -> None:
    for watch in _watches:
        if watch.is_noting:
            watch.environment(name)


_hooked: list[bool] = []


def _hook(kind: str, arguments: tuple[Any, ...]) -> None:
    if not _watches or kind == "object.__getattr__":
        return
    watch = _watches[-1]
    # Python of the build file is compiled before it is called.
    if watch.is_noting if watch.is_inside else kind == "compile":
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


def _text_of(path: Any) -> str | None:
    return None if path is None or isinstance(path, float) else _name(path)


def _names_in(code: CodeType) -> Iterator[str]:
    todo = [code]
    for each in todo:
        yield from each.co_names
        todo += [inner for inner in each.co_consts if isinstance(inner, CodeType)]


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
