"""Workers: processes forked from pybuild that run Python blocks, or commands, one at a time.

A worker has the very objects that the build file defined, as they were when it was forked. It is
given one block, or a batch of blocks or commands that take no time, in one message. For each there
is a *ticket*, a byte in a pipe that both sides read: the worker takes one before it begins a block,
so pybuild can take back what has not begun, and the tickets that are left tell how far the worker
got even if it has died. A block that went well and printed nothing is told of together with others;
after any other, and after some milliseconds, what is known is told before the next one begins.

To start a process, and to be woken when it has ended, costs most where much has to be woken: a
worker is small, and so brief commands are cheaper in a batch. Each is in a process group of its own
all the same, and gets the signals that the worker gets.

What a block prints goes through a pipe that the worker empties when the block has ended, so that it
can be told to which block it belongs; pybuild reads there too while a block takes long. Whatever a
block does to its process (a crash, `os.chdir`, an environment variable) stays in it or is undone;
a worker in which threads go on is replaced.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType, TracebackType

from pybuild.graph import PythonPart, ValueFiles
from pybuild.runners.guard import Guard, Row
from pybuild.runners.process import Way, cannot_start, encoded, send_to_group, spawn, told_status
from pybuild.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pybuild.runners.values import Making, Values

_RETIRE_ABOVE_KB = 1 << 20  # a worker that held 1 GiB more than at its start is replaced
_TELL_AFTER = 0.01  # seconds after which a batch tells what is done: others may wait for it
_PIPE = 1 << 16  # bytes that a pipe holds
_LONGEST_ERROR = 4000
_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CONNECTION, _OUTPUT, _TICKETS, _TABLE = range(3, 7)  # the handles of a worker


class Refused(Exception):
    """What a block returned is of no use: the text says why."""


class Block(NamedTuple):
    """One block to be run: its names as `packed` gives them, the environment variables of its
    job, and how the objects that it takes are made, by the files of their digests."""

    part: PythonPart
    names: tuple[bool, bytes]
    environment: tuple[tuple[str, str], ...]
    makings: Mapping[str, tuple[PythonPart, tuple[bool, bytes]]] = {}


class Command(NamedTuple):
    """A process to be started and waited for; `environment` comes on top of that of all jobs."""

    ways: list[Way]
    environment: tuple[tuple[str, str], ...]


class Told(NamedTuple):
    """What a worker says: how the blocks from number `first` of the batch on ended, each as error
    text ("" if it went well), seconds, what it printed last, and what is for its log only; whether
    the worker is idle now, and whether it is to be replaced."""

    first: int
    ends: list[tuple[str, float, bytes, bytes]]
    idle: bool
    retire: bool


class Worker:
    """Pybuild's end of a worker: `handle` says when there is something to receive, `output` when a
    block has printed something; `mark` is what /proc shows of that pipe. The guard is told of it.
    Commands get this environment."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        environment: Mapping[bytes, bytes],
        guard: Guard,
        code_digest: Callable[[Any], bytes] | None = None,
    ) -> None:
        self.namespace = namespace
        self._guard = guard
        ours, theirs = socket.socketpair()
        self.output, writing = os.pipe()
        self._tickets, self._counter = os.pipe()
        os.set_blocking(self.output, False)
        os.set_blocking(self._tickets, False)
        self.mark = f"pipe:[{os.fstat(self.output).st_ino}]"
        self._row, self._child = guard.row(), guard.row()
        self._row.tell(0, self.mark)
        self._child.tell(0)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _become_worker(
                (writing, theirs.fileno(), self.output, self._tickets, self._child.handle),
                namespace,
                code_digest,
                Children(environment, self._child.number),
            )
        self._row.tell(self.pid, self.mark)
        theirs.close()
        os.close(writing)
        self._connection = ours
        self.handle = ours.fileno()
        self._known: set[int] = set()
        self._told: set[str] = set()  # the objects that it knows how to make
        self._sent = 0  # blocks of the batch

    def send(self, blocks: Sequence[Block | Command]) -> None:
        """Gives the worker, which is idle, a batch to run. Raises OSError if it has died."""
        batch: list[tuple[Any, ...]] = []
        for block in blocks:
            if isinstance(block, Command):
                batch.append(([tuple(way) for way in block.ways], block.environment))
                continue
            part, names, environment, makings = block
            key, code = self._coded(part)
            more: tuple[Any, ...] = ()
            if part.values or part.returns or part.value:
                own = tuple(part.value) if part.value else None
                more = (self._makings(makings), _objects(part), part.outputs, own)
            batch.append((key, code, names, part.paths, environment, more))
        self._sent = len(blocks)
        os.write(self._counter, bytes(self._sent))
        _send(self._connection, marshal.dumps(batch))

    def _coded(self, part: PythonPart) -> tuple[int, bytes]:
        """The number of a block's code, and the code itself if the worker does not know it."""
        key = id(part.code)
        if key in self._known:
            return key, b""
        self._known.add(key)
        return key, marshal.dumps(part.code)

    def _makings(
        self, makings: Mapping[str, tuple[PythonPart, tuple[bool, bytes]]]
    ) -> list[tuple[Any, ...]]:
        """What the worker has yet to learn to make the objects that a block takes."""
        found: list[tuple[Any, ...]] = []
        for file, (part, names) in makings.items():
            if file not in self._told and part.value is not None:
                self._told.add(file)
                key, code = self._coded(part)
                files = tuple(part.value)
                way = (key, names, part.paths, _objects(part), part.environment, files)
                found.append((file, code, way))
        return found

    def take_back(self) -> int:
        """How many blocks at the end of the batch have not begun; they will not."""
        return len(_available(self._tickets))

    def has_begun(self) -> bool:
        """Whether a block of the batch, which is of several, has begun."""
        import fcntl
        import termios

        left = fcntl.ioctl(self._tickets, termios.FIONREAD, bytes(4))
        return int.from_bytes(left, sys.byteorder) < self._sent

    def has_news(self) -> bool:
        """Whether there is something to receive, if only that it has died."""
        try:
            self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def receive(self) -> Told | None:
        """What the worker says; None if it has died."""
        try:
            data = _receive(self._connection)
        except OSError:
            return None
        return Told(*marshal.loads(data)) if data is not None else None

    def printed(self) -> bytes:
        """What blocks have printed that the worker itself has not taken."""
        return _available(self.output)

    def signal(self, signum: int) -> None:
        """Sends a signal to the worker and what it runs."""
        send_to_group(self.pid, signum)
        if signum == signal.SIGKILL:
            send_to_group(self._child.group(), signum)  # other signals the worker hands on

    def groups(self) -> tuple[int, int]:
        """The process groups of the worker and of what it runs (0: of nothing)."""
        return self.pid, self._child.group()

    def close(self) -> int:
        """Ends the worker; returns its exit status."""
        self._connection.close()
        for handle in (self.output, self._tickets, self._counter):
            os.close(handle)
        self.signal(signal.SIGKILL)
        self._guard.forget(self._row)
        self._guard.forget(self._child)
        return os.waitpid(self.pid, 0)[1]


def _objects(part: PythonPart) -> dict[str, str]:
    """The objects that a block takes: the files of their digests, by name."""
    return {name: each.value.digest for name, each in part.values.items() if each.value}


def packed(names: Mapping[str, Any]) -> tuple[bool, bytes]:
    """Names and their values as they are handed over. Raises ValueError for one that cannot be."""
    names = dict(names)
    try:
        return True, marshal.dumps(names)
    except ValueError:
        import pickle

    try:
        return False, pickle.dumps(names)
    except Exception as error:
        raise ValueError(f"a value that the block uses cannot be pickled: {error}") from None


def _unpacked(packed: tuple[bool, bytes]) -> Any:
    plain, data = packed
    if plain:
        return marshal.loads(data)
    import pickle

    return pickle.loads(data)


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(len(data).to_bytes(4, "little") + data)


def _receive(connection: socket.socket) -> bytes | None:
    head = _receive_exactly(connection, 4)
    return None if head is None else _receive_exactly(connection, int.from_bytes(head, "little"))


def _receive_exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _available(pipe: int, most: int = _PIPE) -> bytes:
    """What is in a pipe now. It holds no more than one read takes."""
    try:
        return os.read(pipe, most)
    except BlockingIOError:
        return b""


# -- in the worker -----------------------------------------------------------------------------


def _become_worker(
    handles: tuple[int, ...],
    namespace: Mapping[str, Any],
    code_digest: Callable[[Any], bytes] | None,
    children: Children,
) -> None:
    """The life of a worker; does not return."""
    import fcntl

    status = 1
    try:
        os.setpgid(0, 0)
        for each in (*_HANDED_ON, signal.SIGPIPE):
            signal.signal(each, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        writing, *others = handles
        nothing = os.open(os.devnull, os.O_RDONLY)
        # Out of the way first: each of them may have the number that another is to get.
        kept = [
            fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, 10)
            for handle in (nothing, writing, writing, *others)
        ]
        for number, handle in enumerate(kept):
            os.dup2(handle, number, inheritable=number < 3)
        os.closerange(len(kept), 4096)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        _serve(_Blocks(namespace, code_digest), children)
        status = 0
    finally:
        os._exit(status)


def _serve(blocks: _Blocks, children: Children) -> None:
    connection = socket.socket(fileno=_CONNECTION)
    room = blocks.room
    limit = _peak_kb() + _RETIRE_ABOVE_KB
    while (data := _receive(connection)) is not None:
        first = 0
        ends: list[tuple[str, float, bytes, bytes]] = []
        batch = marshal.loads(data)
        is_python = len(batch[0]) != len(Command._fields)
        if is_python:
            blocks.learn(batch)
        else:
            children.catch_signals()
        clock = told_at = time.perf_counter()
        for block in batch:
            if ends and (ends[-1][0] or ends[-1][2] or clock - told_at > _TELL_AFTER):
                if ends[-1][0]:
                    break  # whether the others are to begin is not for us to say
                _send(connection, marshal.dumps((first, ends, False, False)))
                first += len(ends)
                ends.clear()
                told_at = clock
            if children.signum or not _available(_TICKETS, 1):
                break
            if is_python:
                peak = _peak_kb() if block[-1] else 0
                error = blocks.run(*block)
                room.tidy()
                if block[-1]:
                    limit += _peak_kb() - peak  # objects stay, for others that take them
            else:
                error = children.run(*block)
            now = time.perf_counter()
            printed, for_log = _available(_OUTPUT), blocks.for_log
            ends.append((error[:_LONGEST_ERROR], now - clock, printed, for_log))
            blocks.for_log = b""
            clock = now
        retire = _peak_kb() > limit or _has_threads()
        _send(connection, marshal.dumps((first, ends, True, retire)))


def _peak_kb() -> int:
    """The most memory that this process has held, in KiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _has_threads() -> bool:
    """Whether a block has left threads behind: they would go on beside the next one."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


class Children:
    """The processes that a worker starts, one after the other. `row` is the number of its row in
    the guard's table."""

    def __init__(self, environment: Mapping[bytes, bytes], row: int) -> None:
        self._environment = dict(environment)
        self._row = Row(_TABLE, row)
        self._group = 0
        self._is_catching = False
        self.signum = 0

    def catch_signals(self) -> None:
        """From now on signals are for the process that runs; the worker waits for it."""
        self.signum = 0
        if not self._is_catching:
            self._is_catching = True
            for each in _HANDED_ON:
                signal.signal(each, self._hand_on)

    def _hand_on(self, signum: int, _: FrameType | None) -> None:
        self.signum = signum
        send_to_group(self._group, signum)

    def run(self, ways: list[Way], environment: tuple[tuple[str, str], ...]) -> str:
        """Runs a process to its end; returns what went wrong."""
        variables = self._environment
        if environment:
            variables = variables | encoded(dict(environment))
        try:
            process = spawn(ways, variables)
        except (OSError, ValueError) as error:
            return cannot_start(error)
        self._group = process
        self._row.tell(process)
        if self.signum:
            send_to_group(process, self.signum)  # it came before there was anybody to have it
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        self._group = 0
        self._row.tell(0)
        return told_status(os.waitpid(process, 0)[1])


class _Room:
    """What a block finds, and the next one is to find: folder, environment, search path, umask,
    streams."""

    def __init__(self) -> None:
        self._home = os.getcwd()
        self._environment = dict(os.environ)
        self._encoded = self._contents()
        self._path = sys.path
        self._folders = list(sys.path)
        self._umask = os.umask(0)
        os.umask(self._umask)
        self._open_streams()

    @staticmethod
    def _contents() -> dict[bytes, bytes]:
        # To decode all variables after each block would take longer than most blocks do.
        return dict(os.environ._data)  # type: ignore[attr-defined]

    def _open_streams(self) -> None:
        self._stdout = open(1, "w", closefd=False)  # noqa: SIM115
        self._stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.stdout, sys.stderr = self._stdout, self._stderr

    def tidy(self) -> None:
        """Puts all back as it was."""
        if sys.stdout is not self._stdout or sys.stderr is not self._stderr:
            self._flush(sys.stdout, sys.stderr)
        self._flush(self._stdout, self._stderr)
        if self._stdout.closed or self._stderr.closed:
            self._open_streams()
        sys.stdout, sys.stderr = self._stdout, self._stderr
        if os.environ._data != self._encoded:  # type: ignore[attr-defined]
            os.environ.clear()
            os.environ.update(self._environment)
        os.chdir(self._home)
        os.umask(self._umask)
        if sys.path is not self._path or self._path != self._folders:
            self._path[:] = self._folders
            sys.path = self._path

    @staticmethod
    def _flush(*streams: Any) -> None:
        for stream in streams:
            try:
                stream.flush()
            except (OSError, ValueError):
                pass  # the block has closed it, or its file takes no more


class _Blocks:
    """Runs blocks: knows their code, and the objects that they take. `for_log` is what the log of
    the last one is to say besides what it printed."""

    def __init__(
        self, namespace: Mapping[str, Any], code_digest: Callable[[Any], bytes] | None
    ) -> None:
        self.room = _Room()
        self.for_log = b""
        self._namespace = namespace
        self._code_digest = code_digest
        self._codes: dict[int, CodeType] = {}
        self._known: Values | None = None

    def learn(self, batch: Sequence[tuple[Any, ...]]) -> None:
        """The code that comes with a batch, and how objects are made that its blocks take."""
        for key, code, *_, more in batch:
            if code:
                self._codes[key] = marshal.loads(code)
            for file, inner, making in more[0] if more else ():
                if inner:
                    self._codes[making[0]] = marshal.loads(inner)
                self._values.learn({file: making})

    @property
    def _values(self) -> Values:
        if self._known is None:
            from pybuild.runners.values import Values

            self._known = Values(self._namespace, self._code_digest, self._make)
        return self._known

    def run(
        self,
        key: int,
        _: bytes,
        names: tuple[bool, bytes],
        paths: Mapping[str, Any],
        environment: Mapping[str, str],
        more: tuple[Any, ...],
    ) -> str:
        """Runs a block; what goes wrong is printed as a traceback and returned as one line."""
        try:
            if more:
                self._run_with_values(key, names, paths, environment, *more[1:])
            else:
                os.environ.update(environment)
                eval(self._codes[key], self._scope(key, names, paths))
        except SystemExit as error:
            return self._exit(error)
        except BaseException as error:
            return self._failure(error)
        return ""

    def _run_with_values(
        self,
        key: int,
        names: tuple[bool, bytes],
        paths: Mapping[str, Any],
        environment: Mapping[str, str],
        objects: Mapping[str, str],
        outputs: Sequence[str],
        own: tuple[Any, ...] | None,
    ) -> None:
        from pybuild.runners.values import looks_of, save

        scope = self._scope(key, names, paths)
        scope.update({name: self._values.get(file) for name, file in objects.items()})
        before = looks_of(outputs)
        os.environ.update(environment)
        returned = eval(self._codes[key], scope)
        self.room.tidy()  # files are named from where the block began
        if own is not None:
            self._values.keep(ValueFiles(*own), returned)
        elif returned is not None:
            save(returned, outputs, before)

    def _make(self, making: Making) -> Any:
        """Runs the block of an object that another one takes, and leaves no other trace of it."""
        scope = self._scope(making.code, making.names, making.paths)
        scope.update({name: self._values.get(file) for name, file in making.values.items()})
        os.environ.update(making.environment)
        made = eval(self._codes[making.code], scope)
        self.room.tidy()
        return made

    def _scope(
        self, key: int, names: tuple[bool, bytes], paths: Mapping[str, Any]
    ) -> dict[str, Any]:
        from pathlib import Path

        scope = {**self._namespace, **_unpacked(names)}
        for name, value in paths.items():
            scope[name] = Path(value) if isinstance(value, str) else [Path(each) for each in value]
        scope["__file__"] = self._codes[key].co_filename
        return scope

    def _exit(self, error: SystemExit) -> str:
        if error.code is None or error.code == 0:
            return ""
        if isinstance(error.code, str):
            self.room.tidy()
            print(error.code, file=sys.stderr)
            return "exit status 1"
        return f"exit status {error.code}"

    def _failure(self, error: BaseException) -> str:
        text = str(error)
        if isinstance(error, Refused):
            return text
        self.room.tidy()
        _print_traceback(error)
        from pybuild.runners.variables import traceback_with_variables

        self.for_log = traceback_with_variables(error).encode("utf-8", "backslashreplace")
        self.room.tidy()  # what a `repr` has printed or changed
        first = text.splitlines()[0] if text else ""
        return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _print_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(type(error), error, _from_block(error.__traceback__))


def _from_block(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without our own frames at its start."""
    ours = os.path.dirname(__file__)
    while trace is not None and os.path.dirname(trace.tb_frame.f_code.co_filename) == ours:
        trace = trace.tb_next
    return trace
