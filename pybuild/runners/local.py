"""Runs jobs on this machine: processes and Python workers, watched by one poll.

Each process is in a group of its own, so that all it started can be ended with it; whoever has left
that group is known by the pipe that it prints to. The end of a process is told by its pidfd where
there is one, else by the end of its output.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from pybuild.engine.ports import Begun, Chunk, Happening, Outcome, Returned
from pybuild.graph import Job, PythonPart, Script, ScriptPart, ShellPart
from pybuild.runners.command import Programs, can_open, simple_command
from pybuild.runners.guard import Guard, Row, printing_to
from pybuild.runners.logs import Logs
from pybuild.runners.process import Way, cannot_start, encoded, send_to_group, spawn, told_status
from pybuild.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pybuild.runners.worker import Block, Command, Worker

_CHUNK = 1 << 16
_TAIL = 4096
_KEEP = 1 << 20  # bytes of output kept in memory; the log has all
_LONGEST_ARGUMENT = 120_000  # Linux takes 128 KiB in one argument
_GRACE = 3.0
_KILL_PAUSE = 0.01  # for processes to be gone after they were killed
_SLOW = 0.05  # seconds until one looks what has become of a batch
_HAS_PIDFD = hasattr(os, "pidfd_open")
_NO_NAMES: Mapping[str, Any] = {}  # the namespace of workers that run commands


class _Task:
    """A job that runs: the part it is at, and where its output comes from."""

    __slots__ = (
        "buffer",
        "deadline",
        "error",
        "is_brief",
        "job",
        "log",
        "log_handle",
        "lost",
        "mark",
        "output",
        "part",
        "pid",
        "pidfd",
        "row",
        "script",
        "scripts",
        "seconds",
        "started",
        "worker",
    )

    def __init__(self, job: Job, script: Script, is_brief: bool) -> None:
        self.job = job
        self.is_brief = is_brief  # of the kind that can be in a batch
        self.script = script
        self.part = -1
        self.pid = 0
        self.pidfd = -1
        self.row: Row | None = None  # of the guard's table
        self.mark = ""  # of what the job prints to, for the guard
        self.worker: Worker | None = None
        self.started = 0.0
        self.output = -1
        self.buffer = bytearray()
        self.lost = 0
        self.log = ""
        self.log_handle = -1
        self.error = ""
        self.deadline = 0.0
        self.seconds: float | None = None
        self.scripts: list[str] = []


class _Batch:
    """What a worker was given: usually one block, or several of which none should take long.

    The first `settled` are done with. `due` is when to look what the worker is at; afterwards, and
    with one block from the start, its output is watched.
    """

    __slots__ = ("due", "settled", "tasks", "worker")

    def __init__(self, worker: Worker, tasks: list[_Task], due: float) -> None:
        self.worker = worker
        self.tasks = tasks
        self.settled = 0
        self.due = due


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
        self.environment = dict(os.environ if environment is None else environment)
        self.programs = Programs(self.environment)
        self._encoded = encoded(self.environment)
        self._guard = Guard(folder, lock)
        self._logs = Logs(os.path.join(folder, "logs"))
        self._poll = select.poll()
        self._tasks: dict[int, _Task] = {}
        self._timed: dict[int, _Task] = {}
        self._by_handle: dict[int, _Task | _Batch] = {}
        self._batches: dict[int, _Batch] = {}  # by the handle of the worker
        self._idle: list[Worker] = []
        self._happened: list[Happening] = []
        self._null = os.open(os.devnull, os.O_RDONLY)
        self._bell, self._button = os.pipe()
        os.set_blocking(self._bell, False)
        self._poll.register(self._bell, select.POLLIN)
        self._scripts = 0
        self._packed: dict[int, tuple[bool, bytes]] = {}  # of blocks that make objects

    # -- the port --------------------------------------------------------------------------

    def start(self, batch: Sequence[tuple[Job, Script]]) -> None:
        tasks = [self._admit(job, script) for job, script in batch]
        if len(tasks) == 1:
            self._next_part(tasks[0])
            return
        blocks = []
        for task in tasks:
            task.part = 0
            if task.is_brief and _namespace(task) is _namespace(tasks[0]):
                blocks.append(task)
            else:
                self._give_back(task)
        if blocks:
            self._start_blocks(blocks)

    def recall(self) -> None:
        for batch in self._batches.values():
            self._take_back(batch)

    def cancel(self, job: Job) -> None:
        task = self._tasks.get(job.number)
        batches = self._batches.values()
        if task is None or any(len(each.tasks) > 1 and task in each.tasks for each in batches):
            return
        task.error = "stopped"
        self._timed[job.number] = task
        self._end(task, signal.SIGTERM)

    def wait(self, timeout: float | None) -> Sequence[Happening]:
        if not self._happened:
            for handle, _ in self._poll.poll(self._milliseconds(timeout)):
                self._event(handle)
            if self._timed:
                self._end_late()
            self._look_after_batches()
        happened, self._happened = self._happened, []
        return happened

    def handles(self) -> list[int]:
        """What has something to read when `wait` would not have to wait."""
        return list(self._by_handle)

    def wake(self) -> None:
        os.write(self._button, b"!")

    def stop(self, signum: int) -> Sequence[Outcome]:
        self.recall()
        marks = self._marks()
        self._signal_all(signum)
        self._signal_strays(marks, signum)
        give_up = time.monotonic() + _GRACE
        while self._tasks and time.monotonic() < give_up:
            self._ended_by(100)
        self._signal_all(signal.SIGKILL)
        while self._tasks:
            self._ended_by(100)
        self._end_strays(marks)
        happened, self._happened = self._happened, []
        return [each for each in happened if isinstance(each, Outcome) and not each.error]

    def _ended_by(self, milliseconds: int) -> None:
        for handle, _ in self._poll.poll(milliseconds):
            self._event(handle, ending=True)

    def call(self, hook: Callable[[], object] | str) -> str:
        if isinstance(hook, str):
            import subprocess

            sys.stdout.flush()  # what a function before it has printed comes first
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
        self._idle.clear()
        self._guard.close()
        for handle in (self._null, self._bell, self._button):
            os.close(handle)

    # -- starting --------------------------------------------------------------------------

    def _admit(self, job: Job, script: Script) -> _Task:
        task = self._tasks[job.number] = _Task(job, script, self._is_brief_kind(job, script))
        if job.traits.timeout:
            task.deadline = time.monotonic() + job.traits.timeout
            self._timed[job.number] = task
        self._logs.drop(job.name)
        return task

    def _next_part(self, task: _Task) -> None:
        """Starts the next part of a script, or ends the job if there is none."""
        task.part += 1
        if task.part >= len(task.script.parts):
            self._touch(task)
            self._finish(task)
            return
        part = task.script.parts[task.part]
        if isinstance(part, PythonPart):
            self._start_blocks([task])
            return
        try:
            self._start_process(task, part)
        except (OSError, ValueError) as error:
            self._cannot_start(task, error)

    def _cannot_start(self, task: _Task, error: OSError | ValueError) -> None:
        self._end_part(task, cannot_start(error))

    def _touch(self, task: _Task) -> None:
        for name in task.script.touch:
            try:
                os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
                with open(name, "ab"):
                    os.utime(name)
            except OSError as error:
                task.error = f"cannot touch `{name}`: {error.strerror}"

    def _start_process(self, task: _Task, part: ShellPart | ScriptPart) -> None:
        ways = self._ways(task, part)
        environment = self._encoded
        if task.script.environment or task.script.unset:
            environment = environment | encoded(dict(task.script.environment))
            for name in task.script.unset:
                environment.pop(os.fsencode(name), None)
        reading, writing = os.pipe()
        task.mark = f"pipe:[{os.fstat(reading).st_ino}]"
        row = self._guard.row()
        row.tell(0, task.mark)
        task.started = time.monotonic()
        try:
            task.pid = spawn(
                ways,
                environment,
                (
                    (os.POSIX_SPAWN_DUP2, self._null, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_DUP2, writing, 2),
                ),
            )
        except (OSError, ValueError):
            self._guard.forget(row)
            os.close(reading)
            os.close(writing)
            raise
        row.tell(task.pid, task.mark)
        task.row = row
        os.close(writing)
        os.set_blocking(reading, False)
        task.output = reading
        self._watch(reading, task)
        if _HAS_PIDFD:
            task.pidfd = os.pidfd_open(task.pid)
            self._watch(task.pidfd, task)

    def _watch(self, handle: int, what: _Task | _Batch) -> None:
        self._by_handle[handle] = what
        self._poll.register(handle, select.POLLIN)

    def _ways(self, task: _Task, part: ShellPart | ScriptPart) -> list[Way]:
        """How to start the process. What needs no shell falls back to one if a file cannot be
        opened: it says so as it always does."""
        if isinstance(part, ScriptPart):
            script = self._script_file(task, part.text)
            return [Way(part.program[0], [*part.program, script])]
        ways = []
        simple = simple_command(part) if not task.script.environment else None
        if simple is not None and can_open(simple.files):
            program = self.programs.find(simple.words[0])
            if program is not None and _is_binary_or_script(program):
                ways.append(Way(program, simple.words, simple.actions))
                if not simple.files:
                    return ways
        shell = self.programs.find(part.shell[0])
        if shell is None:
            raise FileNotFoundError(2, f"there is no `{part.shell[0]}`")
        if len(part.text) > _LONGEST_ARGUMENT and part.shell[-1] == "-c":
            words = [*part.shell[:-1], self._script_file(task, part.text)]
        else:
            words = [*part.shell, part.text]
        return [*ways, Way(shell, words)]

    def _script_file(self, task: _Task, text: str) -> str:
        folder = os.path.join(self.folder, "tmp")
        os.makedirs(folder, exist_ok=True)
        self._scripts += 1
        name = os.path.join(folder, f"{os.getpid()}-{self._scripts}")
        with open(name, "w", encoding="utf-8", errors="surrogateescape") as handle:
            handle.write(text + "\n")
        task.scripts.append(name)
        return name

    # -- workers ---------------------------------------------------------------------------

    def _is_brief_kind(self, job: Job, script: Script) -> bool:
        return (
            len(script.parts) == 1
            and not isinstance(script.parts[0], ScriptPart)
            and not (isinstance(script.parts[0], ShellPart) and script.parts[0].ignore_errors)
            and not script.unset
            and not job.traits.timeout
            and not self.stream
        )

    def _start_blocks(self, tasks: Sequence[_Task]) -> None:
        """Gives a worker the block or command that each of these has come to."""
        kept: list[_Task] = []
        blocks: list[Block | Command] = []
        for task in tasks:
            try:
                blocks.append(self._block(task))
                kept.append(task)
            except (OSError, ValueError) as error:
                self._cannot_start(task, error)
        if not kept:
            return
        try:
            worker = self._worker_for(_namespace(kept[0]), blocks)
        except OSError as error:
            for task in kept:
                self._cannot_start(task, error)
            return
        for task in kept:
            task.worker = worker
        several = len(kept) > 1
        batch = _Batch(worker, kept, time.monotonic() + _SLOW if several else 0.0)
        self._batches[worker.handle] = batch
        self._watch(worker.handle, batch)
        if not several:
            self._watch(worker.output, batch)

    def _block(self, task: _Task) -> Block | Command:
        """Raises OSError, or ValueError for a value that cannot be handed over."""
        from pybuild.runners.worker import Block, Command, packed

        part = task.script.parts[task.part]
        if isinstance(part, PythonPart):
            makings = {}
            for value in _objects_below(part) if part.values else ():
                if value.value is not None:
                    makings[value.value.digest] = value, self._packed_once(value)
            return Block(part, packed(part.names), task.script.environment, makings)
        return Command(self._ways(task, part), task.script.environment)

    def _packed_once(self, part: PythonPart) -> tuple[bool, bytes]:
        """The names of a block that many others may want run. Raises ValueError."""
        from pybuild.runners.worker import packed

        key = id(part)
        if key not in self._packed:
            self._packed[key] = packed(part.names)
        return self._packed[key]

    def _worker_for(
        self, namespace: Mapping[str, Any], blocks: Sequence[Block | Command]
    ) -> Worker:
        """A worker that has been given these blocks. Raises OSError if there can be none."""
        from pybuild.runners.worker import Worker

        for index in reversed(range(len(self._idle))):
            if self._idle[index].namespace is not namespace:
                continue
            worker = self._idle.pop(index)
            try:
                worker.send(blocks)
            except OSError:
                worker.close()  # it died while idle: out of memory, killed from outside
            else:
                return worker
        worker = Worker(namespace, self._encoded, self._guard, _code_digest(blocks))
        worker.send(blocks)
        return worker

    def _take_back(self, batch: _Batch) -> None:
        """Gives back what has not begun."""
        left = batch.worker.take_back()
        if left:
            for task in batch.tasks[-left:]:
                self._give_back(task)
            del batch.tasks[-left:]

    def _give_back(self, task: _Task) -> None:
        del self._tasks[task.job.number]
        self._timed.pop(task.job.number, None)
        self._happened.append(Returned(task.job))

    def _look_after_batches(self) -> None:
        """A batch that takes longer than it should keeps only what it is at."""
        now = 0.0
        for batch in list(self._batches.values()):
            if not batch.due:
                continue
            now = now or time.monotonic()
            if now < batch.due:
                continue
            if not batch.worker.has_begun():
                batch.due = now + _SLOW  # it is the machine that is busy
                continue
            self._take_back(batch)
            if batch.worker.has_news():
                continue  # that comes first, and tells more
            done = self._settle_silent(batch)
            self._watch(batch.worker.output, batch)
            for task in batch.tasks[batch.settled :]:
                self._happened.append(Begun(task.job))
            for task in done:
                self._end_part(task, "")

    @staticmethod
    def _settle_silent(batch: _Batch) -> list[_Task]:
        """Those that ended before the last one that has begun: of what was not told of at once it
        is known that it went well and printed nothing."""
        done = batch.tasks[batch.settled : -1]
        batch.settled += len(done)
        batch.due = 0.0
        return done

    def _worker_event(self, batch: _Batch, handle: int, ending: bool) -> None:
        worker = batch.worker
        if handle == worker.output:
            self._listen(batch)
            return
        told = worker.receive()
        self._listen(batch)
        if told is None:
            self._worker_died(batch, ending)
            return
        if told.idle:
            self._take_back(batch)
            self._leave(batch)
            if told.retire or ending or any(task.error for task in batch.tasks):
                worker.close()
                if any(task.error for task in batch.tasks):
                    self._end_strays({worker.mark})
            else:
                self._idle.append(worker)
        ends = told.ends[batch.settled - told.first :]
        tasks = batch.tasks[batch.settled : batch.settled + len(ends)]
        batch.settled += len(ends)
        for task, (error, seconds, output, for_log) in zip(tasks, ends, strict=True):
            if output:
                self._keep(task, output)
            if for_log:
                self._log(task, for_log)
            if for_log and task.log:
                self._show(task, f"The values of its variables are in {task.log}\n".encode())
            if task.is_brief:
                task.seconds = seconds
            task.worker = None
            self._end_part(task, task.error or error, ending)

    def _leave(self, batch: _Batch) -> None:
        del self._batches[batch.worker.handle]
        self._forget(batch.worker.handle)
        self._forget(batch.worker.output)

    def _listen(self, batch: _Batch) -> None:
        """Takes what the block has printed that is watched."""
        if batch.due or batch.settled >= len(batch.tasks):
            return
        while data := batch.worker.printed():
            self._keep(batch.tasks[batch.settled], data)

    def _worker_died(self, batch: _Batch, ending: bool) -> None:
        """With it died the block that it was at. The first one counts as begun in any case, or
        what a worker cannot even read would kill one after the other."""
        begun = max(1, len(batch.tasks) - batch.worker.take_back())
        for task in batch.tasks[begun:]:
            self._give_back(task)
        del batch.tasks[begun:]
        done = self._settle_silent(batch)
        self._listen(batch)
        self._leave(batch)
        error = told_status(batch.worker.close()) or "its process ended before the block did"
        if any(task.error for task in batch.tasks[batch.settled :]):
            self._end_strays({batch.worker.mark})
        for task in done:
            self._end_part(task, "", ending)
        for task in batch.tasks[batch.settled :]:
            task.worker = None
            self._end_part(task, task.error or error, ending)

    # -- events ----------------------------------------------------------------------------

    def _milliseconds(self, timeout: float | None) -> float | None:
        if timeout == 0:
            return 0
        times = [task.deadline for task in self._timed.values()]
        times += [batch.due for batch in self._batches.values() if batch.due]
        if times:
            left = max(0.0, min(times) - time.monotonic())
            timeout = left if timeout is None else min(timeout, left)
        return None if timeout is None else timeout * 1000

    def _event(self, handle: int, ending: bool = False) -> None:
        found = self._by_handle.get(handle)
        if isinstance(found, _Task):
            self._process_event(found, handle, ending)
        elif found is not None:
            self._worker_event(found, handle, ending)
        elif handle == self._bell:
            os.read(self._bell, 100)

    def _process_event(self, task: _Task, handle: int, ending: bool) -> None:
        if handle != task.output:
            self._reap(task, os.WNOHANG, ending)
        elif self._read(task) and task.pidfd < 0:
            self._reap(task, 0, ending)

    def _reap(self, task: _Task, options: int, ending: bool) -> None:
        assert task.row is not None
        task.row.tell(0, task.mark)  # afterwards its number can be another's
        pid, status = os.waitpid(task.pid, options)
        if not pid:
            # The handle's number was given anew since it was polled: nobody has ended.
            task.row.tell(task.pid, task.mark)
            return
        self._guard.forget(task.row)
        if task.is_brief:
            task.seconds = time.monotonic() - task.started
        self._process_ended(task, status, ending)

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
            if len(data) < _CHUNK:
                return False

    def _keep(self, task: _Task, data: bytes) -> None:
        self._log(task, data)
        self._show(task, data)

    def _log(self, task: _Task, data: bytes) -> None:
        if task.log_handle < 0:
            task.log, task.log_handle = self._logs.open(task.job.name)
        if task.log_handle >= 0:
            try:
                os.write(task.log_handle, data)
            except OSError:
                pass  # a full disk must not hide what the job says

    def _show(self, task: _Task, data: bytes) -> None:
        if self.stream:
            self._happened.append(Chunk(task.job, data))
        task.buffer += data
        if len(task.buffer) > 2 * _KEEP:
            task.lost += len(task.buffer) - _KEEP
            del task.buffer[:-_KEEP]

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
            self._end_strays({task.mark})
        error = task.error or told_status(status)
        if error and not (task.error or ending) and _ignores_errors(task):
            self._keep(task, f"pybuild: {error} (ignored)\n".encode())
            error = ""
        self._end_part(task, error, ending)

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
        self._timed.pop(task.job.number, None)
        output = tail = b""
        if task.buffer:
            tail = bytes(task.buffer[-_TAIL:])
            output = b"" if self.stream else bytes(task.buffer)
        if task.lost and output:
            note = f"[{task.lost} bytes left out; all is in {task.log}]\n"
            output = note.encode() + output
        self._happened.append(Outcome(task.job, task.error, output, tail, task.log, task.seconds))

    def _end_late(self) -> None:
        """Ends the jobs whose time is over."""
        now = time.monotonic()
        for task in self._timed.values():
            if now >= task.deadline:
                late = bool(task.error)
                if not late:
                    task.error = f"timed out after {task.job.traits.timeout:g} s"
                self._end(task, signal.SIGKILL if late else signal.SIGTERM)

    def _end(self, task: _Task, signum: int) -> None:
        """Signals a job; if that does not help it is killed."""
        self._signal(task, signum)
        self._signal_strays({task.worker.mark if task.worker else task.mark}, signum)
        task.deadline = time.monotonic() + _GRACE

    def _signal_all(self, signum: int) -> None:
        for task in self._tasks.values():
            self._signal(task, signum)

    def _marks(self) -> set[str]:
        """What running jobs print to."""
        tasks = self._tasks.values()
        return {task.worker.mark if task.worker else task.mark for task in tasks}

    def _groups(self) -> set[int]:
        """The process groups that running jobs and all workers are in."""
        workers = [*self._idle, *(batch.worker for batch in self._batches.values())]
        groups = {task.pid for task in self._tasks.values()}
        return groups | {group for worker in workers for group in worker.groups()}

    def _signal_strays(self, marks: Collection[str], signum: int) -> bool:
        """Signals those that print to the pipes of jobs and are not in their groups any more.
        Returns whether there were any."""
        groups = self._groups()
        found = False
        for process in printing_to(marks):
            try:
                if os.getpgid(process) not in groups:
                    os.kill(process, signum)
                    found = True
            except (ProcessLookupError, PermissionError):
                pass
        return found

    def _end_strays(self, marks: Collection[str]) -> None:
        """Kills what is left of jobs that have ended; what starts others meanwhile is met again."""
        give_up = time.monotonic() + _GRACE
        while self._signal_strays(marks, signal.SIGKILL) and time.monotonic() < give_up:
            time.sleep(_KILL_PAUSE)

    @staticmethod
    def _signal(task: _Task, signum: int) -> None:
        if task.worker is not None:
            task.worker.signal(signum)
        else:
            send_to_group(task.pid, signum)


def _namespace(task: _Task) -> Mapping[str, Any]:
    """What the block that a job has come to is to find; for a command, nothing."""
    part = task.script.parts[task.part]
    return part.namespace if isinstance(part, PythonPart) else _NO_NAMES


def _ignores_errors(task: _Task) -> bool:
    """Whether the part that a job has come to may fail."""
    part = task.script.parts[task.part]
    return isinstance(part, ShellPart) and part.ignore_errors


def _objects_below(part: PythonPart) -> list[PythonPart]:
    """The blocks that make what a block takes, and what those take."""
    found = list(part.values.values())
    for each in found:
        found += [
            inner for inner in each.values.values() if not any(inner is known for known in found)
        ]
    return found


def _code_digest(blocks: Sequence[Block | Command]) -> Callable[[Any], bytes] | None:
    """What tells code of the build file apart."""
    from pybuild.runners.worker import Block

    return next((each.part.code_digest for each in blocks if isinstance(each, Block)), None)


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
