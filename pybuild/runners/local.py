"""Runs jobs on this machine: processes and Python workers, watched by one poll.

Each process is in a group of its own, so that all it started can be ended with it; whoever has left
that group is known by the pipe that it prints to. The end of a process is told by its pidfd where
there is one, else by the end of its output.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from pybuild.engine.ports import Chunk, Outcome
from pybuild.files import digest_of
from pybuild.graph import Job, PythonPart, Script, ScriptPart, ShellPart
from pybuild.runners.command import Programs, direct_words
from pybuild.runners.guard import Guard, printing_to
from pybuild.runners.worker import Worker

_CHUNK = 1 << 16
_TAIL = 4096
_KEEP = 1 << 20  # bytes of output kept in memory; the log has all
_LONGEST_ARGUMENT = 120_000  # Linux takes 128 KiB in one argument
_GRACE = 3.0
_KILL_PAUSE = 0.01  # for processes to be gone after they were killed
_HAS_PIDFD = hasattr(os, "pidfd_open")


class _Task:
    """A job that runs: the part it is at, and where its output comes from."""

    __slots__ = (
        "buffer",
        "deadline",
        "error",
        "job",
        "log",
        "log_handle",
        "lost",
        "output",
        "part",
        "pid",
        "pidfd",
        "pipe",
        "script",
        "scripts",
        "worker",
    )

    def __init__(self, job: Job, script: Script) -> None:
        self.job = job
        self.script = script
        self.part = -1
        self.pid = 0
        self.pidfd = -1
        self.pipe = 0  # the inode number of what the job prints to
        self.output = -1
        self.worker: Worker | None = None
        self.buffer = bytearray()
        self.lost = 0
        self.log = ""
        self.log_handle = -1
        self.error = ""
        self.deadline = 0.0
        self.scripts: list[str] = []


class LocalRunner:
    """The engine's `Runner`. `stream` hands output on as it comes (for one job at a time);
    `folder` is where logs and scripts are kept; `lock` goes to the guard."""

    def __init__(
        self,
        folder: str,
        *,
        stream: bool = False,
        lock: int = -1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.stream = stream
        self.lock = lock
        self.environment = dict(os.environ if environment is None else environment)
        self.programs = Programs(self.environment)
        self._guard: Guard | None = None
        self._poll = select.poll()
        self._tasks: dict[int, _Task] = {}
        self._by_handle: dict[int, _Task] = {}
        self._idle: list[Worker] = []
        self._ended: list[Outcome] = []
        self._chunks: list[Chunk] = []
        self._null = os.open(os.devnull, os.O_RDONLY)
        self._bell, self._button = os.pipe()
        os.set_blocking(self._bell, False)
        self._poll.register(self._bell, select.POLLIN)
        self._scripts = 0

    # -- the port --------------------------------------------------------------------------

    def start(self, job: Job, script: Script) -> None:
        if self._guard is None:
            self._guard = Guard(self.lock)
        task = _Task(job, script)
        if job.traits.timeout:
            task.deadline = time.monotonic() + job.traits.timeout
        self._tasks[job.number] = task
        self._drop_log(task)
        self._next_part(task)

    def wait(self, timeout: float | None) -> Sequence[Outcome | Chunk]:
        if not self._ended and not self._chunks:
            if timeout != 0:
                self._tell_guard()
            for handle, _ in self._poll.poll(self._milliseconds(timeout)):
                task = self._by_handle.get(handle)
                if task is not None:
                    self._event(task, handle)
                elif handle == self._bell:
                    os.read(self._bell, 100)
            self._end_late()
        found: list[Outcome | Chunk] = [*self._chunks, *self._ended]
        self._chunks, self._ended = [], []
        return found

    def wake(self) -> None:
        os.write(self._button, b"!")

    def stop(self, signum: int) -> Sequence[Outcome]:
        pipes = {task.pipe for task in self._tasks.values()}
        self._signal_all(signum)
        self._signal_strays(pipes, signum)
        give_up = time.monotonic() + _GRACE
        while self._tasks and time.monotonic() < give_up:
            self._ended_by(0.1)
        self._signal_all(signal.SIGKILL)
        while self._tasks:
            self._ended_by(0.1)
        self._end_strays(pipes)
        ended, self._ended = self._ended, []
        return [each for each in ended if not each.error]

    def _tell_guard(self) -> None:
        if self._guard is not None:
            tasks = self._tasks.values()
            self._guard.tell(
                (task.pid for task in tasks if task.pid), (task.pipe for task in tasks if task.pipe)
            )

    def _ended_by(self, timeout: float) -> None:
        for handle, _ in self._poll.poll(self._milliseconds(timeout)):
            task = self._by_handle.get(handle)
            if task is not None:
                self._event(task, handle, ending=True)

    def call(self, hook: Callable[[], object] | str) -> str:
        if isinstance(hook, str):
            import subprocess

            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", hook], stdin=subprocess.DEVNULL, check=False
            )
            return f"exit status {done.returncode}" if done.returncode else ""
        try:
            hook()
        except (Exception, SystemExit) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def close(self) -> None:
        for worker in self._idle:
            worker.close()
            os.waitpid(worker.pid, 0)
        self._idle.clear()
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        for handle in (self._null, self._bell, self._button):
            os.close(handle)

    # -- starting --------------------------------------------------------------------------

    def _next_part(self, task: _Task) -> None:
        """Starts the next part of a script, or ends the job if there is none."""
        task.part += 1
        if task.part >= len(task.script.parts):
            self._touch(task)
            self._finish(task)
            return
        part = task.script.parts[task.part]
        try:
            if isinstance(part, PythonPart):
                self._start_python(task, part)
            else:
                self._start_process(task, part)
        except (OSError, ValueError) as error:
            told = getattr(error, "strerror", None) or error
            program = getattr(error, "filename", None)
            which = f" `{os.fsdecode(program)}`" if program else ""
            self._end_part(task, f"cannot start{which}: {told}")

    def _touch(self, task: _Task) -> None:
        for name in task.script.touch:
            try:
                os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
                with open(name, "ab"):
                    os.utime(name)
            except OSError as error:
                task.error = f"cannot touch `{name}`: {error.strerror}"

    def _start_process(self, task: _Task, part: ShellPart | ScriptPart) -> None:
        program, words = self._command(task, part)
        reading, writing = os.pipe()
        task.pipe = os.fstat(reading).st_ino
        self._tell_guard()
        try:
            task.pid = os.posix_spawn(
                program,
                words,
                {**self.environment, **dict(task.script.environment)}
                if task.script.environment
                else self.environment,
                file_actions=(
                    (os.POSIX_SPAWN_DUP2, self._null, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_DUP2, writing, 2),
                ),
                setpgroup=0,
                setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP),
                setsigmask=(),
            )
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
        os.close(writing)
        os.set_blocking(reading, False)
        self._watch(task, reading)
        if _HAS_PIDFD:
            task.pidfd = os.pidfd_open(task.pid)
            self._by_handle[task.pidfd] = task
            self._poll.register(task.pidfd, select.POLLIN)

    def _watch(self, task: _Task, handle: int) -> None:
        task.output = handle
        self._by_handle[handle] = task
        self._poll.register(handle, select.POLLIN)

    def _command(self, task: _Task, part: ShellPart | ScriptPart) -> tuple[str, list[str]]:
        """The program to start and its words."""
        if isinstance(part, ScriptPart):
            return part.program[0], [*part.program, self._script_file(task, part.text)]
        words = direct_words(part)
        if words is not None and not task.script.environment:
            program = self.programs.find(words[0])
            if program is not None and _is_binary_or_script(program):
                return program, words
        shell = self.programs.find(part.shell[0])
        if shell is None:
            raise FileNotFoundError(2, f"there is no `{part.shell[0]}`")
        if len(part.text) > _LONGEST_ARGUMENT and part.shell[-1] == "-c":
            return shell, [*part.shell[:-1], self._script_file(task, part.text)]
        return shell, [*part.shell, part.text]

    def _script_file(self, task: _Task, text: str) -> str:
        folder = os.path.join(self.folder, "tmp")
        os.makedirs(folder, exist_ok=True)
        self._scripts += 1
        name = os.path.join(folder, f"{os.getpid()}-{self._scripts}")
        with open(name, "w", encoding="utf-8", errors="surrogateescape") as handle:
            handle.write(text + "\n")
        task.scripts.append(name)
        return name

    def _start_python(self, task: _Task, part: PythonPart) -> None:
        worker = self._take_worker(part)
        task.worker = worker
        task.pipe = worker.pipe
        self._tell_guard()
        task.pid = worker.pid
        try:
            worker.send(part, task.script.environment)
        except OSError:
            # It died while idle (out of memory, killed from outside): a fresh one gets the job.
            self._bury(worker)
            worker = task.worker = Worker(part.namespace)
            task.pid = worker.pid
            worker.send(part, task.script.environment)
        self._by_handle[worker.handle] = task
        self._poll.register(worker.handle, select.POLLIN)
        self._watch(task, worker.output)

    def _take_worker(self, part: PythonPart) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.namespace is part.namespace:
                return worker
            self._bury(worker)
        return Worker(part.namespace)

    @staticmethod
    def _bury(worker: Worker) -> int:
        worker.close()
        return os.waitpid(worker.pid, 0)[1]

    # -- events ----------------------------------------------------------------------------

    def _milliseconds(self, timeout: float | None) -> float | None:
        deadlines = [task.deadline for task in self._tasks.values() if task.deadline]
        if deadlines:
            left = max(0.0, min(deadlines) - time.monotonic())
            timeout = left if timeout is None else min(timeout, left)
        return None if timeout is None else timeout * 1000

    def _event(self, task: _Task, handle: int, ending: bool = False) -> None:
        if handle == task.output:
            if self._read(task) and task.worker is None and task.pidfd < 0:
                self._process_ended(task, os.waitpid(task.pid, 0)[1], ending)
        elif handle == task.pidfd:
            # The number may be one that was given anew since it was polled: then nobody has ended.
            pid, status = os.waitpid(task.pid, os.WNOHANG)
            if pid:
                self._process_ended(task, status, ending)
        elif task.worker is not None:
            self._worker_answered(task, task.worker, ending)

    def _read(self, task: _Task) -> bool:
        """Takes what the job has printed; True at the end of its output."""
        while True:
            try:
                data = os.read(task.output, _CHUNK)
            except BlockingIOError:
                return False
            if not data:
                self._forget(task.output)
                return True
            self._keep(task, data)
            if len(data) < _CHUNK and task.worker is None:
                return False

    def _keep(self, task: _Task, data: bytes) -> None:
        if task.log_handle < 0:
            self._open_log(task)
        if task.log_handle >= 0:
            try:
                os.write(task.log_handle, data)
            except OSError:
                pass  # a full disk must not hide what the job says
        if self.stream:
            self._chunks.append(Chunk(task.job, data))
        task.buffer += data
        if len(task.buffer) > 2 * _KEEP:
            task.lost += len(task.buffer) - _KEEP
            del task.buffer[:-_KEEP]

    def _open_log(self, task: _Task) -> None:
        task.log = self._log_name(task.job)
        try:
            os.makedirs(os.path.dirname(task.log), exist_ok=True)
            task.log_handle = os.open(task.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except OSError:
            task.log = ""

    def _log_name(self, job: Job) -> str:
        tail = "".join(c if c.isalnum() or c in "._-" else "_" for c in job.name[-60:])
        key = digest_of(job.name.encode("utf-8", "surrogateescape")).hex()[:8]
        return os.path.join(self.folder, "logs", f"{tail}.{key}.log")

    def _drop_log(self, task: _Task) -> None:
        try:
            os.unlink(self._log_name(task.job))
        except OSError:
            pass

    def _forget(self, handle: int) -> None:
        if self._by_handle.pop(handle, None) is not None:
            self._poll.unregister(handle)

    def _process_ended(self, task: _Task, status: int, ending: bool) -> None:
        if task.output in self._by_handle:
            self._read(task)
            self._forget(task.output)
        os.close(task.output)
        if task.pidfd >= 0:
            self._forget(task.pidfd)
            os.close(task.pidfd)
            task.pidfd = -1
        if task.error or ending:
            self._signal(task, signal.SIGKILL)  # what is left of its group
        if task.error:
            self._end_strays({task.pipe})
        self._end_part(task, task.error or _told(status), ending)

    def _worker_answered(self, task: _Task, worker: Worker, ending: bool) -> None:
        answer = worker.receive()
        if worker.output in self._by_handle:
            self._read(task)
        self._forget(worker.output)
        self._forget(worker.handle)
        task.worker = None
        if answer is None:
            error = _told(self._bury(worker)) or "its process ended before the block did"
            if task.error:
                self._end_strays({task.pipe})
            self._end_part(task, task.error or error, ending)
            return
        error, retire = answer
        if retire or ending or task.error:
            self._bury(worker)
            if task.error:
                self._end_strays({task.pipe})
        else:
            self._idle.append(worker)
        self._end_part(task, task.error or error, ending)

    def _end_part(self, task: _Task, error: str, ending: bool = False) -> None:
        if error or ending:
            more = not error and task.part + 1 < len(task.script.parts)
            task.error = error or ("stopped before its end" if more else "")
            if not task.error:
                self._touch(task)
            self._finish(task)
        else:
            self._next_part(task)

    def _finish(self, task: _Task) -> None:
        if task.log_handle >= 0:
            os.close(task.log_handle)
        for name in task.scripts:
            try:
                os.unlink(name)
            except OSError:
                pass
        del self._tasks[task.job.number]
        output = b"" if self.stream else bytes(task.buffer)
        if task.lost and output:
            note = f"[{task.lost} bytes left out; all is in {task.log}]\n"
            output = note.encode() + output
        tail = bytes(task.buffer[-_TAIL:])
        self._ended.append(Outcome(task.job, task.error, output, tail, task.log))

    def _end_late(self) -> None:
        """Ends the jobs whose time is over."""
        now = time.monotonic()
        for task in self._tasks.values():
            if task.deadline and now >= task.deadline:
                late = task.error.startswith("timed out")
                if not late:
                    task.error = f"timed out after {task.job.traits.timeout:g} s"
                signum = signal.SIGKILL if late else signal.SIGTERM
                self._signal(task, signum)
                self._signal_strays({task.pipe}, signum)
                task.deadline = now + _GRACE

    def _signal_all(self, signum: int) -> None:
        for task in self._tasks.values():
            self._signal(task, signum)

    def _signal_strays(self, pipes: Collection[int], signum: int) -> bool:
        """Signals those that print to the pipes of jobs and are not in their groups any more.
        Returns whether there were any."""
        groups = {task.pid for task in self._tasks.values()}
        found = False
        for process in printing_to(pipes):
            try:
                if os.getpgid(process) not in groups:
                    os.kill(process, signum)
                    found = True
            except (ProcessLookupError, PermissionError):
                pass
        return found

    def _end_strays(self, pipes: Collection[int]) -> None:
        """Kills what is left of jobs that have ended; what starts others meanwhile is met again."""
        give_up = time.monotonic() + _GRACE
        while self._signal_strays(pipes, signal.SIGKILL) and time.monotonic() < give_up:
            time.sleep(_KILL_PAUSE)

    @staticmethod
    def _signal(task: _Task, signum: int) -> None:
        if task.pid <= 0:
            return  # group 0 would be our own
        try:
            os.killpg(task.pid, signum)
        except (ProcessLookupError, PermissionError):
            pass


def _told(status: int) -> str:
    """An exit status of `waitpid` in words; "" for success."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"killed by {name}"
    return f"exit status {code}" if code else ""


def _is_binary_or_script(program: str) -> bool:
    """Whether the kernel can start it: a script without `#!` needs a shell."""
    known = _STARTABLE.get(program)
    if known is None:
        try:
            with open(program, "rb") as handle:
                known = handle.read(2) in (b"\x7fE", b"#!", b"\xcf\xfa", b"\xca\xfe")
        except OSError:
            known = False
        _STARTABLE[program] = known
    return known


_STARTABLE: dict[str, bool] = {}
