"""Workers: processes forked from pybuild that run Python blocks, one at a time.

A worker has the very objects that the build file defined, as they were when it was forked. A
request is one message, the answer another; what a block prints goes through a pipe. Whatever a
block does to its process (a crash, `os.chdir`, an environment variable) stays in it or is undone;
a worker in which threads go on is replaced.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import sys
from collections.abc import Mapping
from types import CodeType, TracebackType
from typing import Any

from pybuild.graph import PythonPart

_RETIRE_ABOVE_KB = 1 << 20  # a worker that held 1 GiB more than at its start is replaced


class Worker:
    """Pybuild's end of a worker: `handle` gives answers, `output` what blocks print, through the
    pipe with the inode number `pipe`."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.namespace = namespace
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        self.pipe = os.fstat(reading).st_ino
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _become_worker(theirs, writing, namespace)
        theirs.close()
        os.close(writing)
        os.set_blocking(reading, False)
        self.connection = ours
        self.handle = ours.fileno()
        self.output = reading
        self._known: set[int] = set()

    def send(self, part: PythonPart, environment: tuple[tuple[str, str], ...]) -> None:
        """Gives the worker a block to run. Raises OSError if it has died, ValueError if a name has
        a value that cannot be handed over."""
        key = id(part.code)
        code = b"" if key in self._known else marshal.dumps(part.code)
        self._known.add(key)
        request = (key, code, _packed(dict(part.names)), dict(part.paths), environment)
        _send(self.connection, marshal.dumps(request))

    def receive(self) -> tuple[str, bool] | None:
        """Error text ("" if it went well) and whether the worker is to be replaced; None if it
        has died."""
        try:
            data = _receive(self.connection)
        except OSError:
            return None
        return marshal.loads(data) if data is not None else None

    def close(self) -> None:
        """Lets the worker end; it is gone afterwards."""
        self.connection.close()
        os.close(self.output)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _packed(names: dict[str, Any]) -> tuple[bool, bytes]:
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


# -- in the worker -----------------------------------------------------------------------------


def _become_worker(connection: socket.socket, output: int, namespace: Mapping[str, Any]) -> None:
    """The life of a worker; does not return."""
    status = 1
    try:
        os.setpgid(0, 0)
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(each, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        mine = os.dup2(connection.fileno(), 3, inheritable=False)
        os.closerange(4, 4096)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        _serve(socket.socket(fileno=mine), namespace)
        status = 0
    finally:
        os._exit(status)


class _State:
    """What a block may change in its process, as it was before."""

    def __init__(self) -> None:
        self.home = os.getcwd()
        self.environment = dict(os.environ)
        self.path = sys.path
        self.folders = list(sys.path)
        self.umask = os.umask(0)
        os.umask(self.umask)
        self._open_streams()

    def _open_streams(self) -> None:
        self.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        self.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        sys.stdout, sys.stderr = self.stdout, self.stderr

    def put_back(self) -> None:
        for stream in (sys.stdout, sys.stderr, self.stdout, self.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                pass  # the block has closed it, or its file takes no more
        if self.stdout.closed or self.stderr.closed:
            self._open_streams()
        sys.stdout, sys.stderr = self.stdout, self.stderr
        if dict(os.environ) != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        os.chdir(self.home)
        os.umask(self.umask)
        self.path[:] = self.folders
        sys.path = self.path


def _serve(connection: socket.socket, namespace: Mapping[str, Any]) -> None:
    import resource

    state = _State()
    codes: dict[int, CodeType] = {}
    limit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + _RETIRE_ABOVE_KB
    while (data := _receive(connection)) is not None:
        key, code, names, paths, extra = marshal.loads(data)
        if code:
            codes[key] = marshal.loads(code)
        os.environ.update(extra)
        error = _run(codes[key], namespace, _unpacked(names), paths, state)
        state.put_back()
        large = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > limit
        _send(connection, marshal.dumps((error, large or _has_threads())))


def _has_threads() -> bool:
    """Whether a block has left threads behind: they would go on beside the next one."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _run(
    code: CodeType,
    namespace: Mapping[str, Any],
    names: Mapping[str, Any],
    paths: Mapping[str, Any],
    state: _State,
) -> str:
    """Runs a block; what goes wrong is printed as a traceback and returned as one line."""
    from pathlib import Path

    scope = {**namespace, **names}
    for name, value in paths.items():
        scope[name] = Path(value) if isinstance(value, str) else [Path(each) for each in value]
    scope["__file__"] = code.co_filename
    try:
        exec(code, scope)
    except SystemExit as error:
        if error.code is None or error.code == 0:
            return ""
        if isinstance(error.code, str):
            state.put_back()
            print(error.code, file=sys.stderr)
            return "exit status 1"
        return f"exit status {error.code}"
    except BaseException as error:
        state.put_back()
        _print_traceback(error)
        text = str(error)
        first = text.splitlines()[0] if text else ""
        return f"{type(error).__name__}: {first}" if first else type(error).__name__
    return ""


def _print_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(type(error), error, _from_block(error.__traceback__))


def _from_block(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of this module at its start."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace
