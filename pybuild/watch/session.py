"""The loop of `--watch`: a round of building, then waiting for a batch that asks for another."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from types import FrameType

from pybuild.engine.build import Interrupted
from pybuild.engine.events import (
    Changed,
    Event,
    Finished,
    Judged,
    Message,
    Started,
    Summary,
    Watching,
)
from pybuild.engine.ports import Report
from pybuild.engine.staleness import Judge
from pybuild.graph import Job
from pybuild.project import Project
from pybuild.runners.services import Services
from pybuild.seen import Seen
from pybuild.source import BuildError
from pybuild.typed import Protocol
from pybuild.watch.door import Door, Question
from pybuild.watch.events import Batch, Events
from pybuild.watch.keys import HELP, Keys
from pybuild.watch.loops import Loops
from pybuild.watch.past import Past
from pybuild.watch.reach import has_watches_left, network_of
from pybuild.watch.scope import Act, Scope, Step

_LOOK_EVERY = 0.03  # seconds between two looks for changes while jobs run
_MOST_TAKEN_IN = 2  # times that a changed file is taken into a build
_ANSWER_WITHIN = 0.03  # seconds to hear of all that has happened, when somebody asks
_GONE_EVERY = 0.2  # seconds between two looks for a project's folder that is gone


class Stopped(BaseException):
    """A signal ends the watch."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class _Stops:
    """Signals that end the watch: they raise Stopped wherever it is, but for what is held."""

    def __init__(self) -> None:
        self._is_held = False
        self._came = 0

    def catch(self) -> None:
        """From now on signals are for us. A build has handlers of its own meanwhile."""
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._come)

    def hold(self, deed: Callable[[], None]) -> None:
        """Does something that must not be left half-way. Raises Stopped when it is done."""
        self._is_held = True
        try:
            deed()
        finally:
            self._is_held = False
        if self._came:
            raise Stopped(self._came)

    def ignore(self) -> None:
        """From now on the end is near enough."""
        self._is_held = True

    def _come(self, signum: int, _: FrameType | None) -> None:
        if not self._is_held:
            raise Stopped(signum)
        self._came = signum


class Quit(BaseException):
    """A key ends the watch."""


class Rounds(Protocol):
    """Builds. `attend` is given each project that is to be built and its report, and gives what
    is to stand before that. Both raise Interrupted if the build was; mistakes are told, and end a
    round."""

    scope: Scope | None
    """What counts, by the last round; None if nothing is known."""

    def whole(self, attend: Attend) -> None:
        """Loads and builds all."""

    def part(self, step: Step, attend: Attend) -> None:
        """Builds what changed files make out of date, by the kept graph if that will do."""

    def reopen(self) -> None:
        """Takes over the graph that another build has left."""

    def report(self) -> Report:
        """Who is told of what happens between two rounds."""


Attend = Callable[[Project, Report], Report]


class Attention:
    """Stands before the report of a round: notes what its jobs have read, and looks for changes
    while they run. Unless `queue` is set, jobs that have read what has changed begin anew; if the
    build has got too far for that, or the Pipefile has changed, the round is stopped."""

    def __init__(
        self,
        project: Project,
        inner: Report,
        events: Events,
        keys: Keys,
        past: Past,
        services: Services,
        *,
        queue: bool,
    ) -> None:
        self.project = project
        project.services = services
        self.services = services
        self._serving = 0  # services that were handed over
        self.inner = inner
        self.events = events
        self.keys = keys
        self.past = past
        self.queue = queue
        self.quits = False
        self.interval: float | None = min(inner.interval or _LOOK_EVERY, _LOOK_EVERY)
        self.batch = Batch()
        self.stopped_by: tuple[str, ...] = ()
        self._read: set[str] = set()
        self._taken_in: dict[str, int] = {}  # how often a change was, without a stop

    def handle(self, event: Event) -> None:
        """Tells the report, and notes what was read."""
        if isinstance(event, Judged):
            self._note(event.job)
        elif isinstance(event, Summary):
            # A service is told of when something becomes of it.
            served = self._serving
            event = event._replace(ran=event.ran - served, up_to_date=event.up_to_date + served)
        elif isinstance(event, Started | Finished) and event.job.traits.service:
            self._serving += isinstance(event, Started)
            return
        self.past.note(event)
        self.inner.handle(event)

    def _note(self, job: Job) -> None:
        self._read.update(job.inputs)
        trace = self.project.journal.trace(job.name)
        self._read.update(trace.discovered if trace else ())

    def tick(self) -> None:
        """Looks whether something has changed."""
        self.inner.tick()
        self.services.tend()
        build = self.project.building
        if build is not None and self.keys.has_typed("q"):
            self.quits = True
            build.interrupt(signal.SIGTERM)
            return
        batch = self.events.take()
        if batch is None:
            return
        self.batch |= batch
        if self.queue or self.stopped_by or build is None:
            return
        names = self._obsoleting(batch.names, build.judge)
        if not names or any(self._taken_in.get(name, 0) >= _MOST_TAKEN_IN for name in names):
            return  # whoever writes it all the time may be a job
        if self._seen().files.keys().isdisjoint(names) and build.take_in(names):
            self._taken_in.update({name: self._taken_in.get(name, 0) + 1 for name in names})
            self.inner.handle(Changed(names, stopped=True))
        else:
            self.stopped_by = names
            build.interrupt(signal.SIGTERM)

    def close(self) -> None:
        self.inner.close()

    def _obsoleting(self, names: Iterable[str], judge: Judge) -> tuple[str, ...]:
        """The changed files that jobs of this round have read as they were before."""
        made = self.project.graph.producer
        seen = self._seen()
        return tuple(
            sorted(
                name
                for name in names
                if (name in self._read and name not in made and _is_other(name, judge))
                or (name in seen.files and self._is_reread(name, seen))
            )
        )

    def _seen(self) -> Seen:
        part, watch = self.project.part, self.project.watch
        return part.flat.seen if part else watch.seen if watch else Seen()

    def _is_reread(self, name: str, seen: Seen) -> bool:
        try:
            return self.project.files.digest(name) != seen.files[name][3]
        except OSError:
            return True


def _is_other(name: str, judge: Judge) -> bool:
    """Whether a file is not what a judge has seen."""
    try:
        before, now = judge.status(name), judge.files.status(name)
        if before is None or now is None or before.is_folder:
            return (before is None) != (now is None)
        if before == now:
            return False
        stamp = judge.stamp(name, before)
        return stamp is None or judge.files.digest(name) != stamp.digest
    except (OSError, BuildError):
        return True


class Session:
    """Builds and waits until a signal or a key ends it. `queue`: what runs is never stopped."""

    def __init__(
        self,
        rounds: Rounds,
        open_events: Callable[[str], Events],
        keys: Keys,
        services: Services,
        *,
        queue: bool,
    ) -> None:
        self.rounds = rounds
        self.services = services
        self.open_events = open_events
        self.keys = keys
        self.past = Past()
        self.queue = queue
        self.folder = os.getcwd()
        self.events = open_events("")
        self.loops = Loops()
        self.door = Door()
        self._came = Batch()  # while the last round ran
        self._held = Batch()  # what a loop has written
        self._is_stopped = False  # whether the last round was
        self._stops = _Stops()
        self._is_paused = False
        self._is_asked = False  # whether a key asks for a build

    def run(self) -> None:
        """Goes on until a key ends it, or a signal. Raises Stopped."""
        self._stops.catch()
        try:
            if self.keys.begin():
                self._tell(Message(HELP))
            step = Step(Act.WHOLE)
            while True:
                self._round(step)
                step = self._next()
        except Quit:
            return
        finally:
            self._stops.ignore()
            self.keys.end()
            self.services.close()
            self.door.close()
            self.events.close()

    def _round(self, step: Step) -> None:
        attentions: list[Attention] = []

        def attend(project: Project, report: Report) -> Report:
            queue = self.queue or not self.loops.may_stop
            attentions.append(
                Attention(
                    project, report, self.events, self.keys, self.past, self.services, queue=queue
                )
            )
            return attentions[-1]

        self.door.close()
        self.events.cares = _all
        self.past.begin_round()
        began_ns = time.time_ns()
        stopped = False
        try:
            if step.act is Act.PART:
                self.rounds.part(step, attend)
            else:
                self.rounds.whole(attend)
        except Interrupted as stop:
            if any(each.quits for each in attentions):
                raise Quit from None
            # A change ends a build by SIGTERM; other signals are somebody's.
            by_change = bool(attentions and attentions[-1].stopped_by)
            stopped = by_change and stop.signum == signal.SIGTERM
            if not stopped:
                raise Stopped(stop.signum) from None
        except OSError:
            if self._is_here():
                raise
        for each in attentions:
            self._came |= each.batch
        self._is_stopped = stopped
        self.loops.ran(began_ns, time.time_ns(), stopped=stopped)
        if self.rounds.scope is not None:
            self._listen(self.rounds.scope)

    def _listen(self, scope: Scope) -> None:
        """Listens for all that counts. Where the system does not tell of all of it, files are
        looked at from now on."""
        folders = list(scope.folders())
        why_not = _why_not(folders) if self.events.is_told else ""
        if why_not:
            self.events.close()
            self.events = self.open_events(why_not)
            self._came |= Batch(everything=True)
        self.events.cares = scope.cares
        self.events.add_folders(folders)

    def _next(self) -> Step:
        """Waits for changes that count; returns what they ask for."""
        is_told = False
        while True:
            batch = self._came | (self.events.wait(0) or Batch())
            self._came = Batch()
            if (batch == Batch() or self._is_paused) and self._is_here():
                if self.events.is_told:
                    self.door.open()
                if not is_told:
                    self._tell(Watching(self.rounds.scope.files if self.rounds.scope else 0))
                    is_told = True
                batch |= self._idle()
                batch |= self.events.wait(0) or Batch()
            if not self._is_here():
                self._return()
                return Step(Act.WHOLE)
            if batch.everything and self.rounds.scope is not None:
                self._listen(self.rounds.scope)  # there may be new folders
            step = self._step(batch)
            if self._is_asked:
                self._is_asked = False
                return self._wanted(step)
            if step.act is not Act.NOTHING and self._go(step, batch):
                held, self._held = self._held, Batch()
                return self._step(batch | held) if held != Batch() else step

    def _wanted(self, step: Step) -> Step:
        """What a key asks for: what changes ask for, and all that is out of date besides."""
        held, self._held = self._held, Batch()
        if held != Batch():
            step = self._step(Batch(held.names, everything=True))
        if step.act is not Act.NOTHING:
            return step
        return self.rounds.scope.again() if self.rounds.scope else Step(Act.WHOLE)

    def _idle(self) -> Batch:
        """Waits until something happens, answers who asks meanwhile, and does what keys say."""
        while True:
            if any(map(self._press, iter(self.keys.next, ""))):
                return Batch(everything=True)
            ready = self._wait_for_anybody()
            self._stops.hold(self.services.tend)
            if not self._is_here():
                return Batch()
            if self.events.fileno() in ready:
                return Batch()
            if self.door.fileno() in ready and self._visit():
                return Batch(everything=True)

    def _wait_for_anybody(self) -> list[int]:
        """The handles of whoever has something for us; none when it is time to look around. Of the
        end of the working folder nobody tells: while we are in it, it is not gone for the system.
        But its Pipefile is."""
        handles = [self.door.fileno(), self.keys.fileno(), *self.services.handles()]
        if not self._is_paused:
            handles.append(self.events.fileno())
        scope = self.rounds.scope
        pauses = [
            self.services.patience,
            self.keys.patience,
            None if scope and scope.is_right else _GONE_EVERY,
        ]
        patience = min((each for each in pauses if each is not None), default=None)
        return select.select([each for each in handles if each >= 0], [], [], patience)[0]

    def _press(self, key: str) -> bool:
        """Does what a key says; whether it is time to build."""
        if key == "q":
            raise Quit
        if key == "w":
            self._tell(*self.past.why())
        elif key == "l":
            self._tell(*self.past.log())
        elif key == "p":
            self._is_paused = not self._is_paused
            self._tell(Message("paused: p goes on" if self._is_paused else "going on"))
            return not self._is_paused
        elif key == "\n":
            self._is_asked = True
        else:
            self._tell(Message(HELP))
        return self._is_asked

    def _visit(self) -> bool:
        """Answers one who asks; whether another graph is that of the goals then."""
        self.door.visit(self._answer)
        scope = self.rounds.scope
        if scope is None or not scope.is_behind():
            return False
        self.rounds.reopen()
        return self.rounds.scope is not scope

    def _answer(self, question: Question) -> str | None:
        if self.rounds.scope is None or not self.events.is_quiet(_ANSWER_WITHIN):
            return None
        return self.rounds.scope.answer(question)

    def _step(self, batch: Batch) -> Step:
        scope = self.rounds.scope
        return scope.step(batch) if scope else Step(Act.WHOLE, tuple(sorted(batch.names)))

    def _go(self, step: Step, batch: Batch) -> bool:
        """Says what has changed; whether that is to start a round."""
        if not self.loops.is_endless(step.names):
            changed = tuple([name or "." for name in step.names])
            self._tell(Changed(changed, stopped=self._is_stopped))
            self._is_stopped = False
            return True
        self._held |= batch
        names = ", ".join(f"`{name}`" for name in step.names)
        self._tell(Message(f"{names}: written each time its jobs run; waiting for another change"))
        return False

    def _tell(self, *events: Event) -> None:
        report = self.rounds.report()
        for each in events:
            report.handle(each)
        report.close()

    # -- a folder that is deleted and made again -----------------------------------------------

    def _is_here(self) -> bool:
        """Whether the project's folder is still the working folder."""
        try:
            return os.path.samefile(".", self.folder)
        except OSError:
            return False

    def _return(self) -> None:
        """Waits for the folder, and begins anew there."""
        self._tell(Message(f"`{self.folder}` is gone: waiting for it"))
        self.door.close()
        self.events.close()
        while True:
            try:
                os.chdir(self.folder)
                self.events = self.open_events("")
                return
            except OSError:
                time.sleep(_GONE_EVERY)


def _why_not(folders: Iterable[str]) -> str:
    """Why the system does not tell of all changes in some folders; "" if it does."""
    found = network_of(["", *folders])
    if found is not None:
        where = f"`{found[0]}`" if found[0] else "the project"
        return f"{where} is on a file system of other machines, {found[1]}"
    return "" if has_watches_left() else "inotify watch limit reached"


def _all(_: str) -> bool:
    return True
