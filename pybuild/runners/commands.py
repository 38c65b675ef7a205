"""Starts the lines of recipes, waits for them, and keeps together what they print.

They are in make's own process group and have its terminal, as a recipe may ask something: that is
what a run by the engine does otherwise.
"""

from __future__ import annotations

import errno
import os
import select

from pybuild import signals
from pybuild.makefile.ports import Command, Ended, Interrupted, Slots
from pybuild.runners.again import Again
from pybuild.runners.jobserver import temporary_folder
from pybuild.runners.process import encoded
from pybuild.typed import TYPE_CHECKING, Any, Callable, Mapping, Sequence

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import FrameType

_NOT_STARTED = 127
_DEFAULT_PATH = "/bin:/usr/bin"
_RESTORED = (signals.SIGPIPE, signals.SIGXFSZ)  # Python ignores them
_CAUGHT = (signals.SIGINT, signals.SIGTERM, signals.SIGHUP, signals.SIGQUIT)
_HAS_PIDFD = hasattr(os, "pidfd_open")
_CHUNK = 1 << 16
_MUTEX = "fnm:"


class Starter:
    """Starts programs, found by the search path of the environment that they get. An environment
    that comes again is converted once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}
        self._environment: Mapping[str, str] = {}
        self._encoded: dict[bytes, bytes] = {}

    def start(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        actions: Sequence[tuple[Any, ...]] = (),
    ) -> int:
        """The number of the new process. Raises OSError, or ValueError for words that no process
        can have."""
        if environment is not self._environment:
            self._encoded = encoded(environment)
            self._environment = environment
        name = argv[0]
        if "/" in name:
            return self._spawn(name, argv, actions)
        key = name, environment.get("PATH", _DEFAULT_PATH)
        known = self._found.get(key)
        if known is not None:
            try:
                return self._spawn(known, argv, actions)
            except FileNotFoundError:
                del self._found[key]
        return self._search(key, argv, actions)

    def _search(
        self, key: tuple[str, str], argv: Sequence[str], actions: Sequence[tuple[Any, ...]]
    ) -> int:
        """Tries one folder after the other; what was wrong with a file counts for more than that
        there is none."""
        name, path = key
        worst: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        for folder in path.split(os.pathsep) if name else ():
            program = os.path.join(folder, name) if folder else name
            if not os.access(program, os.X_OK) or os.path.isdir(program):
                worst = _why_not(program) or worst
                continue
            try:
                process = self._spawn(program, argv, actions)
            except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
                worst = error
            else:
                self._found[key] = program
                return process
        raise worst

    def _spawn(self, program: str, argv: Sequence[str], actions: Sequence[tuple[Any, ...]]) -> int:
        try:
            return os.posix_spawn(
                program, list(argv), self._encoded, file_actions=actions, setsigdef=_RESTORED
            )
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
        return os.posix_spawn(
            "/bin/sh",
            ["/bin/sh", program, *argv[1:]],
            self._encoded,
            file_actions=actions,
            setsigdef=_RESTORED,
        )


def _why_not(program: str) -> OSError | None:
    """What keeps a file of the search path from being the program; None if it is not there."""
    try:
        os.stat(program)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _told(name: str, error: OSError | ValueError) -> str:
    return f"{name}: {getattr(error, 'strerror', None) or error}"


class _Unguarded:
    """Signals do what they always do. (`contextlib` would be half of what this module costs to
    import, and each recursive make pays for it.)"""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


MOST_RAN = 50  # commands of shells that are noted, but for one more that tells of others
Ran = tuple[tuple[str, ...], Mapping[str, str], bytes, int]
"""A command of a shell: its words, its environment, what it printed, and its exit status."""


class ShellRunner:
    """Runs `$(shell ...)`. `complain` is told why a command cannot be started, in a line without
    make's name; `begin` is called before each. All of a run is inside of `holding`, and the
    wait for its end inside of `waiting`, where Interrupted ends it. `ran` are the first of them,
    `ahead` those that have been run already because they would be the next: they are not run again,
    and `caught_up` is called at the last."""

    def __init__(
        self, complain: Callable[[str], None], begin: Callable[[], None] = lambda: None
    ) -> None:
        self._complain = complain
        self._begin = begin
        self._starter = Starter()
        self.ran: list[Ran] = []
        self.ahead: list[Ran] = []
        self.caught_up: Callable[[], None] = lambda: None
        self.holding: Callable[[], AbstractContextManager[None]] = _Unguarded
        self.waiting: Callable[[], AbstractContextManager[None]] = _Unguarded

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, int]:
        self._begin()
        words = tuple(argv)
        is_ahead = bool(self.ahead) and self.ahead[0][:2] == (words, environment)
        if is_ahead:
            _, _, output, status = self.ahead.pop(0)
        else:
            self.ahead.clear()
        if not self.ahead:
            self.caught_up()
        if not is_ahead:
            with self.holding():
                output, status = self._run(argv, environment)
        if len(self.ran) <= MOST_RAN:
            self.ran.append((words, environment, output, status))
        return output, status

    def _run(self, argv: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, int]:
        reading, writing = os.pipe()
        try:
            try:
                process = self._starter.start(
                    argv, environment, [(os.POSIX_SPAWN_DUP2, writing, 1)]
                )
            finally:
                os.close(writing)
            try:
                with self.waiting():
                    pieces = list(iter(lambda: os.read(reading, _CHUNK), b""))
            except Interrupted as stop:
                os.kill(process, stop.signum)
                os.waitpid(process, 0)
                raise
        except (OSError, ValueError) as error:
            self._complain(_told(argv[0], error))
            return b"", _NOT_STARTED
        finally:
            os.close(reading)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return b"".join(pieces), code if code >= 0 else 128 - code


class OutputLock:
    """A file that is locked while a piece of output is written, by this make and those below. With
    the `name` that a make above has given (`fnm:PATH`) that one is used. Raises OSError, or
    ValueError for another name."""

    def __init__(self, name: str = "") -> None:
        self._made = ""
        if name and not name.startswith(_MUTEX):
            raise ValueError(f"invalid --sync-mutex string '{name}'")
        if name:
            self.handle = os.open(name.removeprefix(_MUTEX), os.O_RDWR)
            self.name = name
            return
        path = os.path.join(temporary_folder(), f"Gm{os.getpid()}-{os.urandom(4).hex()}")
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._made = path
        self.name = _MUTEX + path

    def __enter__(self) -> None:
        import fcntl

        try:
            fcntl.lockf(self.handle, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks: pieces may come between each other

    def __exit__(self, *_: object) -> None:
        import fcntl

        try:
            fcntl.lockf(self.handle, fcntl.LOCK_UN)
        except OSError:
            pass

    def close(self) -> None:
        """Forgets the file; whoever has made it removes it."""
        os.close(self.handle)
        if self._made:
            try:
                os.unlink(self._made)
            except OSError:
                pass  # somebody has tidied up


class _Kept:
    """What a target has printed so far: its standard output and error, in one file if they go to
    the same place."""

    __slots__ = ("error", "output")

    def __init__(self, is_one: bool) -> None:
        self.output = _kept_file()
        self.error = self.output if is_one else _kept_file()

    def close(self) -> None:
        for each in {self.output, self.error}:
            os.close(each)


def _kept_file() -> int:
    import fcntl

    from pybuild.runners.unnamed import unnamed_file

    handle = unnamed_file("output", temporary_folder())
    fcntl.fcntl(handle, fcntl.F_SETFL, os.O_APPEND)  # several processes may write there
    return handle


class CommandRunner:
    """The port `Commands`. `sync` is the type of `-O` ("" or `none` for none), which needs a
    `lock`; `around` are the lines before and behind each piece (`-w`). `inherited` are handles that
    recursive commands get. `begin` is called before anything is started or said. `again` starts
    this program itself."""

    def __init__(
        self,
        *,
        begin: Callable[[], None] = lambda: None,
        sync: str = "",
        lock: OutputLock | None = None,
        around: tuple[str, str] = ("", ""),
        inherited: Sequence[int] = (),
        again: Again | None = None,
    ) -> None:
        self._again = again
        self.sync = "" if sync == "none" or lock is None else sync
        self.around = around
        self._begin = begin
        self._lock = lock
        self._inherited = tuple(inherited)
        self._starter = Starter()
        self._numbers: dict[int, int] = {}  # of targets, by process
        self._processes: dict[int, int] = {}  # by what tells of their end
        self._kept: dict[int, _Kept] = {}
        self._ended: list[Ended] = []
        self._reading_stdin = 0  # the process that has standard input
        self._no_stdin = -1
        self._is_one_stream = _is_same_file(1, 2) if self.sync else False
        self._poll = select.poll()
        self._signum = 0
        self._is_busy = False  # with what a signal must not come between
        self._is_interruptible = False
        self._bell = self._button = -1
        self._handlers: dict[int, Any] = {}

    # -- signals ---------------------------------------------------------------------------

    def catch_signals(self) -> None:
        """From now on a signal to stop raises Interrupted: from `start` or `wait`, or at once while
        nothing runs. A second one does what it did before, but for SIGTERM, which is blocked then.
        Those that are ignored stay so. For the main thread."""
        self._ring_on_signals()
        for each in _CAUGHT:
            if signals.getsignal(each) != signals.SIG_IGN:
                self._handlers[each] = signals.signal(each, self._note)
        if not _HAS_PIDFD:
            self._handlers[signals.SIGCHLD] = signals.signal(signals.SIGCHLD, _pass)

    def _ring_on_signals(self) -> None:
        self._bell, self._button = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._button, False)
        signals.set_wakeup_fd(self._button, warn_on_full_buffer=False)
        self._poll.register(self._bell, select.POLLIN)

    def holding(self) -> AbstractContextManager[None]:
        """In here a signal to stop is only noted; at the end it does what it does elsewhere."""
        return _Holding(self)

    def interruptible(self) -> AbstractContextManager[None]:
        """In here a signal to stop raises Interrupted at once, whatever runs."""
        return _Interruptible(self)

    def _note(self, signum: int, _: FrameType | None) -> None:
        self._signum = signum
        if self._is_interruptible:
            self._check_signal()
        self._raise_if_idle()

    def _raise_if_idle(self) -> None:
        if not (self._is_busy or self._numbers or self._ended):
            self._check_signal()

    def close(self) -> None:
        """Nothing more is run; signals do again what they did."""
        for signum, handler in self._handlers.items():
            signals.signal(signum, handler)
        self._handlers.clear()
        if self._bell >= 0:
            signals.set_wakeup_fd(-1)
        for each in (self._bell, self._button, self._no_stdin, *self._processes):
            if each >= 0:
                os.close(each)
        self._bell = self._button = self._no_stdin = -1
        self._processes.clear()
        for kept in self._kept.values():
            kept.close()
        self._kept.clear()

    def stop(self, signum: int) -> None:
        for process in self._numbers:
            try:
                os.kill(process, signum)
            except ProcessLookupError:
                pass

    # -- starting --------------------------------------------------------------------------

    def start(self, number: int, command: Command) -> int:
        self._is_busy = True
        try:
            return self._start(number, command)
        finally:
            self._is_busy = False

    def _start(self, number: int, command: Command) -> int:
        self._check_signal()
        self._begin()
        actions: list[tuple[Any, ...]] = []
        reads_stdin = not self._reading_stdin
        if not reads_stdin:
            actions.append((os.POSIX_SPAWN_DUP2, self._empty_stdin(), 0))
        if self.sync:
            self._redirect(number, command, actions)
        if command.is_recursive:
            actions += [(os.POSIX_SPAWN_DUP2, each, each) for each in self._inherited]
        try:
            process = 0
            if command.is_recursive and self._again is not None:
                process = self._again.start(command, actions, self.close)
            if not process:
                process = self._starter.start(command.argv, command.environment, actions)
        except (OSError, ValueError) as error:
            self._ended.append(Ended(number, _NOT_STARTED, _told(command.argv[0], error)))
            return -1
        if reads_stdin:
            self._reading_stdin = process
        self._numbers[process] = number
        if _HAS_PIDFD:
            handle = os.pidfd_open(process)
            self._processes[handle] = process
            self._poll.register(handle, select.POLLIN)
        return process

    def _empty_stdin(self) -> int:
        """A standard input at its end, for all but one of those that run."""
        if self._no_stdin < 0:
            self._no_stdin, writing = os.pipe()
            os.close(writing)
        return self._no_stdin

    def _redirect(self, number: int, command: Command, actions: list[tuple[Any, ...]]) -> None:
        if command.is_recursive and self.sync != "recurse":
            self.finish(number)  # it prints on its own; what came before it goes before
            return
        kept = self._keep(number)
        actions.append((os.POSIX_SPAWN_DUP2, kept.output, 1))
        actions.append((os.POSIX_SPAWN_DUP2, kept.error, 2))

    def _keep(self, number: int) -> _Kept:
        kept = self._kept.get(number)
        if kept is None:
            kept = self._kept[number] = _Kept(self._is_one_stream)
        return kept

    # -- output ----------------------------------------------------------------------------

    def say(self, number: int, text: str, to_error: bool = False) -> None:
        self._begin()
        if not self.sync:
            _write(2 if to_error else 1, text.encode("utf-8", "surrogateescape"))
            return
        kept = self._keep(number)
        handle = kept.error if to_error else kept.output
        _write(handle, text.encode("utf-8", "surrogateescape"))

    def finish(self, number: int) -> None:
        kept = self._kept.pop(number, None)
        if kept is None:
            return
        try:
            self._hand_out(kept)
        finally:
            kept.close()

    def _hand_out(self, kept: _Kept) -> None:
        if not os.fstat(kept.output).st_size and not os.fstat(kept.error).st_size:
            return
        entering, leaving = self.around
        assert self._lock is not None
        with self._lock:
            _write(1, entering.encode("utf-8", "surrogateescape"))
            _copy(kept.output, 1)
            if kept.error != kept.output:
                _copy(kept.error, 2)
            _write(1, leaving.encode("utf-8", "surrogateescape"))

    # -- waiting ---------------------------------------------------------------------------

    def wait(self, block: bool, slots: Slots | None = None) -> Sequence[Ended]:
        self._is_busy = True
        try:
            return self._wait(block, slots)
        finally:
            self._is_busy = False

    def _wait(self, block: bool, slots: Slots | None) -> Sequence[Ended]:
        self._check_signal()
        timeout = None if block and self._numbers and not self._ended else 0.0
        handle = slots.fileno() if slots is not None and timeout is None else -1
        if slots is not None and timeout is None:
            timeout = slots.retry_after()
        if handle >= 0 and timeout is None:
            self._poll.register(handle, select.POLLIN)
        try:
            self._gather(timeout, handle)
        finally:
            if handle >= 0:
                self._forget(handle)
        ended, self._ended = self._ended, []
        if self.sync == "line":
            for each in ended:
                if not each.status:  # else it is told why, in the same piece
                    self.finish(each.number)
        return ended

    def _forget(self, handle: int) -> None:
        try:
            self._poll.unregister(handle)
        except KeyError:
            pass

    def _gather(self, timeout: float | None, slots_handle: int) -> None:
        if not _HAS_PIDFD and self._bell < 0:
            self._gather_blindly(timeout)
            return
        milliseconds = None if timeout is None else int(timeout * 1000)
        while True:
            events = self._poll.poll(milliseconds)
            self._check_signal()
            for handle, _ in events:
                if handle == self._bell:
                    _drain(self._bell)
                elif handle in self._processes:
                    self._end(handle)
            if not _HAS_PIDFD:
                self._look_at_all(os.WNOHANG)
            if self._ended or timeout is not None or not self._numbers:
                return
            if any(handle == slots_handle for handle, _ in events):
                return

    def _gather_blindly(self, timeout: float | None) -> None:
        """Without anything that tells: waits for one after the other."""
        self._look_at_all(os.WNOHANG)
        while timeout is None and self._numbers and not self._ended:
            self._look_at_all(0)

    def _look_at_all(self, options: int) -> None:
        for process in list(self._numbers):
            found, status = os.waitpid(process, options)
            if found:
                self._note_end(process, status)
                if not options:
                    return

    def _check_signal(self) -> None:
        if self._signum:
            signum = self._signum
            if signum == signals.SIGTERM:
                # Each make that gets it sends another to the makes below, which tidy up already.
                signals.pthread_sigmask(signals.SIG_BLOCK, (signum,))
            signals.signal(signum, self._handlers.pop(signum))
            self._signum = 0  # it may have come again
            raise Interrupted(signum)

    def _end(self, handle: int) -> None:
        process = self._processes.pop(handle)
        self._poll.unregister(handle)
        os.close(handle)
        self._note_end(process, os.waitpid(process, 0)[1])

    def _note_end(self, process: int, status: int) -> None:
        number = self._numbers.pop(process)
        if self._reading_stdin == process:
            self._reading_stdin = 0
        has_core = os.WIFSIGNALED(status) and os.WCOREDUMP(status)
        code = os.waitstatus_to_exitcode(status)
        self._ended.append(Ended(number, code, has_core=has_core))


class _Holding:
    """Signals to stop are only noted; at the end they do what they do elsewhere."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    def __enter__(self) -> None:
        self._before, self._runner._is_busy = self._runner._is_busy, True

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._runner._is_busy = self._before
        if error is None:
            self._runner._raise_if_idle()


class _Interruptible:
    """Signals to stop raise Interrupted at once."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    def __enter__(self) -> None:
        self._runner._is_interruptible = True
        try:
            self._runner._check_signal()
        except Interrupted:
            self._runner._is_interruptible = False
            raise

    def __exit__(self, *_: object) -> None:
        self._runner._is_interruptible = False


def _pass(_: int, __: FrameType | None) -> None:
    """Lets a signal ring the bell."""


def _drain(handle: int) -> None:
    try:
        while os.read(handle, _CHUNK):
            pass
    except BlockingIOError:
        pass


def _is_same_file(first: int, second: int) -> bool:
    try:
        return os.path.sameopenfile(first, second)
    except OSError:
        return False


def _write(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _copy(source: int, target: int) -> None:
    os.lseek(source, 0, os.SEEK_SET)
    while piece := os.read(source, _CHUNK):
        _write(target, piece)
