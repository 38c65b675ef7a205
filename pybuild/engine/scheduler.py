"""Which job is next. No files, no processes, no clock: events come in, actions go out.

A job's way: wanted -> closed (its inputs are known) -> waiting (for the jobs that make them) ->
judged -> ready -> running -> done. Nothing recurses over the graph; a job waits by a count, and
each edge is looked at once when its producer is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from heapq import heappop, heappush

from pybuild.engine.staleness import Stale, Verdict
from pybuild.graph import Graph, Job
from pybuild.typed import NamedTuple


class State(IntEnum):
    """Where a job is on its way."""

    UNWANTED = 0
    WANTED = 1
    WAITING = 2
    JUDGING = 3
    READY = 4
    RUNNING = 5
    DONE = 6
    ABSENT = 7  # up to date, but its outputs are temporary files that are not there
    FAILED = 8
    SKIPPED = 9


class Close(NamedTuple):
    """Find out the inputs of this job."""

    job: Job


class Examine(NamedTuple):
    """Judge this job. `early`: before its prerequisites are done (minimal mode)."""

    job: Job
    early: bool


class Start(NamedTuple):
    """Run this job, and in the same place, one after the other, those that `follow`."""

    job: Job
    follow: tuple[Job, ...] = ()


class Discard(NamedTuple):
    """All that needed this job's temporary outputs is done: remove them."""

    job: Job


_UNKNOWN_SECONDS = 1.0
# So many jobs are examined before the next one starts, that the most urgent can be among them; more
# would let processors wait.
_LOOK_AHEAD = 200
# A batch is to take so long at most, by what its jobs took before, in seconds; a job that takes
# less is brief.
_BATCH_SECONDS = 0.02
_MOST_IN_BATCH = 64

Action = Close | Examine | Start | Discard


class Capacity(NamedTuple):
    """What may run at once: `jobs` (0: no limit), totals of resources, sizes of pools."""

    jobs: int = 1
    resources: Mapping[str, float] = {}
    pools: Mapping[str, int] = {}


class _Lane(NamedTuple):
    """Ready jobs that need the same pool and resources (processors among them), most urgent
    first."""

    pool: str
    resources: tuple[tuple[str, float], ...]
    heap: list[tuple[float, int, Job]]


class _Place:
    """What runs in one place: the lane it came from, and how many jobs are left of it."""

    __slots__ = ("lane", "left")

    def __init__(self, lane: _Lane, left: int) -> None:
        self.lane = lane
        self.left = left


class Scheduler:
    """The state of one build. `durations` tells how long a job took last time, in seconds."""

    def __init__(
        self,
        graph: Graph,
        capacity: Capacity,
        durations: Callable[[Job], float | None],
        *,
        minimal: bool = False,
        keep_going: bool = False,
        order: Callable[[Job], float] | None = None,
    ) -> None:
        self.graph = graph
        self.capacity = capacity
        self.durations = durations
        self.minimal = minimal
        self.keep_going = keep_going
        self.order = order
        self.stopped = False
        self.running = 0
        self.settled = 0
        self.names = 0  # of those wanted: only names, without a recipe
        self.settled_names = 0
        self.wanted: list[Job] = []
        self.states: list[State] = []
        self.goals: set[int] = set()
        self.wanted_by: dict[int, Job] = {}
        self._waiting: list[int] = []
        self._dependants: list[list[Job]] = []
        self._priorities: dict[int, float] = {}
        self._ranked = 0
        self._look_ahead = 0
        self._running: dict[int, _Place] = {}
        self._usual: dict[str, float] = {}  # what jobs of a rule take that can be in a batch
        self._ready_seconds = 0.0
        self._known_durations = False
        self._to_close: deque[Job] = deque()
        self._to_judge: deque[tuple[Job, bool]] = deque()
        self._to_discard: deque[Job] = deque()
        self._lanes: dict[tuple[str, tuple[tuple[str, float], ...]], _Lane] = {}
        self._used: dict[str, float] = {}
        self._pooled: dict[str, int] = {}
        self._users: dict[int, int] = {}  # unfinished dependants of a temporary file's job
        self._claiming: set[int] = set()  # absent, users of what they read until theirs end
        self._open: set[int] = set()  # jobs whose inputs a split has yet to tell
        self._kept: set[int] = set()  # temporary files that a failed job still needs
        self._restored: set[int] = set()  # restored, or waiting for what is
        self._was_absent = False  # whether some job was up to date without its outputs
        self._reopened: set[int] = set()  # up to date before, and run after all
        self._holds_inputs: set[int] = set()  # jobs whose prerequisites are already wanted

    # -- asking ----------------------------------------------------------------------------

    def state(self, job: Job) -> State:
        """Where the job is on its way."""
        return self.states[job.number] if job.number < len(self.states) else State.UNWANTED

    def is_restored(self, job: Job) -> bool:
        """Whether the job was up to date without its outputs and runs because they are needed."""
        return job.number in self._reopened

    @property
    def has_ready(self) -> bool:
        """Whether some job only waits for a place to run."""
        return any(lane.heap for lane in self._lanes.values())

    @property
    def has_open(self) -> bool:
        """Whether some job waits for a split to tell its inputs."""
        return bool(self._open)

    def next_action(self, may_start: bool = True) -> Action | None:
        """What to do now, or None: then wait for a running job (or, with none, it is the end)."""
        if self._to_close:
            return Close(self._to_close.popleft())
        if self._to_judge and not self.stopped and self._look_ahead < _LOOK_AHEAD:
            return self._examine()
        if may_start and not self.stopped:
            jobs = self._take()
            if jobs:
                self._look_ahead = 0
                return Start(jobs[0], tuple(jobs[1:]))
        while self._to_discard and not self._open:
            maker = self._to_discard.popleft()
            if not self._users[maker.number] and maker.number not in self._kept:
                return Discard(maker)
        if self._to_judge and not self.stopped:
            return self._examine()
        return None

    def _examine(self) -> Examine:
        self._look_ahead += 1
        return Examine(*self._to_judge.popleft())

    def next_close(self) -> Job | None:
        """The next job whose inputs have to be found out; nothing else is asked for."""
        return self._to_close.popleft() if self._to_close else None

    def outlook(self) -> float | None:
        """Seconds until the end, as far as remembered durations tell: the longest chain behind
        what runs or is ready, or the ready work shared out, whichever is more. None if no
        duration is known."""
        if not self._known_durations:
            return None
        longest = max((-lane.heap[0][0] for lane in self._lanes.values() if lane.heap), default=0.0)
        running = max((self._priorities.get(each, 0.0) for each in self._running), default=0.0)
        shared = self._ready_seconds / (self.capacity.jobs or max(1, self.running))
        return max(longest, running, shared)

    # -- events ----------------------------------------------------------------------------

    def want(self, jobs: Iterable[Job], *, goals: bool = False) -> None:
        """These jobs have to be up to date at the end."""
        for job in jobs:
            if job.number >= len(self.states):
                self._grow(job.number + 1)
            if goals:
                self.goals.add(job.number)
            if self.states[job.number] == State.UNWANTED:
                self.states[job.number] = State.WANTED
                self.wanted.append(job)
                self.names += job.recipe is None
                self._to_close.append(job)

    def _grow(self, least: int) -> None:
        missing = max(least, len(self.graph.jobs)) - len(self.states)
        self.states.extend([State.UNWANTED] * missing)
        self._waiting.extend([0] * missing)
        self._dependants.extend([] for _ in range(missing))

    def closed(self, job: Job, splits: Sequence[Job] = ()) -> None:
        """The inputs of the job are known; or they will be when these splits are done."""
        if splits:
            self._open.add(job.number)
            self._wait_for(job, splits)
            if self.states[job.number] == State.WAITING and not self._waiting[job.number]:
                self._to_close.append(job)
            return
        self._open.discard(job.number)
        if self.minimal and job.recipe is not None and job.number not in self._restored:
            self.states[job.number] = State.JUDGING
            self._to_judge.append((job, True))
        else:
            self._hold_inputs(job)

    def _hold_inputs(self, job: Job) -> None:
        self._holds_inputs.add(job.number)
        self._wait_for(job, self._makers(job))
        if not self._waiting[job.number]:
            self._unblocked(job)

    def _makers(self, job: Job) -> list[Job]:
        """The jobs that make what the job needs; each is told that it has one more user."""
        makers = self._makers_of(job)
        if job.recipe is None and job.number in self.goals:
            # A goal that stands for a whole rule: its jobs are what was named.
            rule = job.traits.rule
            self.goals.update([each.number for each in makers if each.traits.rule == rule])
        self._count_users(makers)
        return makers

    def _count_users(self, makers: Iterable[Job]) -> None:
        for maker in makers:
            if maker.traits.temporary and maker.number not in self.goals:
                self._users[maker.number] = self._users.get(maker.number, 0) + 1

    def _wait_for(self, job: Job, makers: Sequence[Job]) -> None:
        self.states[job.number] = State.WAITING
        self.want(makers)
        for maker in makers:
            self.wanted_by.setdefault(maker.number, job)
        failed = False
        for maker in makers:
            state = self.states[maker.number]
            if state in (State.FAILED, State.SKIPPED):
                failed = True
            elif state not in (State.DONE, State.ABSENT):
                self._waiting[job.number] += 1
                self._dependants[maker.number].append(job)
        if failed:
            self._skip([job])

    def _unblocked(self, job: Job) -> None:
        """All that the job waited for is done."""
        number = job.number
        if self.states[number] != State.WAITING:
            return
        if number not in self._holds_inputs:
            self.states[number] = State.WANTED
            self._to_close.append(job)
        elif number in self._restored:
            self._restore_inputs(job)
        elif job.recipe is None:
            self._settle(job, State.DONE)
        else:
            self.states[number] = State.JUDGING
            self._to_judge.append((job, False))

    def judged(self, job: Job, verdict: Verdict, *, early: bool = False) -> None:
        """The verdict about a job."""
        if isinstance(verdict, Stale):
            if early:
                self._hold_inputs(job)
            else:
                self._restore_inputs(job)
            return
        if verdict.absent:
            self._was_absent = True
        self._settle(job, State.ABSENT if verdict.absent else State.DONE)

    def _restore_inputs(self, job: Job) -> None:
        """A stale job needs the temporary files that it reads: those that are gone are made."""
        if not self._was_absent:
            self._make_ready(job)
            return
        todo = [job]
        for each in todo:
            makers = self._makers_of(each)
            if any(self.state(maker) in (State.FAILED, State.SKIPPED) for maker in makers):
                self._skip([each])
                continue
            gone = [maker for maker in makers if self._is_gone(maker)]
            if not gone:
                self._make_ready(each)
                continue
            self.states[each.number] = State.WAITING
            self._restored.add(each.number)
            self._waiting[each.number] = len(gone)
            for maker in gone:
                self._dependants[maker.number].append(each)
                if self.states[maker.number] == State.ABSENT:
                    self._reopen(maker, todo)

    def _is_gone(self, maker: Job) -> bool:
        """Whether a job's outputs are not there, or are just being made again."""
        state = self.state(maker)
        return state == State.ABSENT or (maker.number in self._reopened and state != State.DONE)

    def _reopen(self, maker: Job, todo: list[Job]) -> None:
        """A job that was up to date without its outputs has to run after all."""
        number = maker.number
        self.settled -= 1
        self._reopened.add(number)
        self._restored.add(number)
        self.states[number] = State.WAITING
        makers = self._makers_of(maker)
        if number in self._claiming:
            self._claiming.discard(number)
        else:
            self._count_users(makers)
        if number not in self._holds_inputs:
            self._holds_inputs.add(number)
            self._wait_for(maker, makers)
            if self._waiting[number]:
                return
        todo.append(maker)

    def _makers_of(self, job: Job) -> list[Job]:
        producer = self.graph.producer
        found: dict[int, Job] = {}
        for names in (job.inputs, job.order_only):
            for name in names:
                maker = producer.get(name)
                if maker is not None and maker is not job:
                    found[maker.number] = maker
        return list(found.values())

    def discarded(self, job: Job) -> None:
        """The outputs of a job are gone: whoever comes yet and needs them has them made again."""
        if self.states[job.number] == State.DONE:
            self.states[job.number] = State.ABSENT
            self._was_absent = True
            self._reopened.discard(job.number)

    def finished(self, job: Job, ok: bool) -> None:
        """A running job has ended."""
        self._release(job)
        if ok:
            self._settle(job, State.DONE)
        else:
            self.failed(job)

    def passed(self, job: Job) -> None:
        """Nothing can be told about the job, and nothing will be done about it."""
        self._settle(job, State.DONE)

    def again(self, job: Job) -> None:
        """A running job has failed and will be started again later (by `retry`)."""
        self._release(job)
        self.states[job.number] = State.JUDGING

    def returned(self, job: Job) -> None:
        """A job of a batch has not begun: it is ready again."""
        self._release(job)
        self._make_ready(job)

    def took(self, job: Job, seconds: float) -> None:
        """A job that could be in a batch took so long, or longer."""
        rule = job.traits.rule
        before = self._usual.get(rule, seconds)
        # What got slow is believed sooner than what got fast.
        self._usual[rule] = before + (seconds - before) / (2 if seconds > before else 8)

    def retry(self, job: Job) -> None:
        """The delay of a job that will be tried again is over."""
        self._make_ready(job)

    def failed(self, job: Job) -> None:
        """The job can't be done: it failed, or its inputs can't be found or judged."""
        self.states[job.number] = State.FAILED
        self.settled += 1
        self.settled_names += job.recipe is None
        if not self.keep_going:
            self.stopped = True
        self._kept.update(each.number for each in self._makers_of(job))
        self._skip(self._dependants[job.number])

    def _skip(self, jobs: Iterable[Job]) -> None:
        todo = list(jobs)
        while todo:
            job = todo.pop()
            if self.states[job.number] not in (State.SKIPPED, State.FAILED):
                self.states[job.number] = State.SKIPPED
                self.settled += 1
                self.settled_names += job.recipe is None
                self._kept.update(each.number for each in self._makers_of(job))
                todo.extend(self._dependants[job.number])

    def _settle(self, job: Job, state: State) -> None:
        self.states[job.number] = state
        self.settled += 1
        self.settled_names += job.recipe is None
        if self._users:
            holds = job.number in self._holds_inputs
            if state == State.ABSENT and self._users.get(job.number):
                # One of its users may have it made after all.
                self._claiming.add(job.number)
                if not holds:
                    self._count_users(self._makers_of(job))
            elif holds:
                self._drop_temporaries(job)
        # One of them may have the job made again, and wait for it anew.
        dependants, self._dependants[job.number] = self._dependants[job.number], []
        for dependant in dependants:
            self._waiting[dependant.number] -= 1
            if not self._waiting[dependant.number]:
                self._unblocked(dependant)

    def _drop_temporaries(self, job: Job) -> None:
        todo = [job]
        for each in todo:
            for maker in self._makers_of(each):
                number = maker.number
                if number not in self._users:
                    continue
                self._users[number] -= 1
                if self._users[number]:
                    continue
                if number in self._claiming:
                    self._claiming.discard(number)
                    todo.append(maker)
                elif number not in self._kept and self.state(maker) == State.DONE:
                    self._to_discard.append(maker)

    # -- once more -------------------------------------------------------------------------

    def redo(self, jobs: Iterable[Job]) -> bool:
        """What these jobs read has changed: those that are done are examined once more. Whether
        that is possible, and all are as before if not: nothing that needs them may have got further
        than to wait, and neither splits nor temporary files have to do with them."""
        done = {job.number: job for job in jobs if self.state(job) in (State.DONE, State.ABSENT)}
        if self.minimal or self.stopped or not all(map(self._can_be_redone, done.values())):
            return False
        waiting: list[tuple[Job, Job]] = []
        for user in self.wanted if done else ():
            for maker in self._makers_of(user):
                if maker.number not in done:
                    continue
                if self.states[user.number] not in (State.WANTED, State.WAITING):
                    return False
                if user.number in self._holds_inputs:
                    waiting.append((maker, user))
        for maker, user in waiting:
            self._waiting[user.number] += 1
            self._dependants[maker.number].append(user)
        for job in done.values():
            self.settled -= 1
            self.states[job.number] = State.JUDGING
            self._to_judge.append((job, False))
        return True

    def _can_be_redone(self, job: Job) -> bool:
        if job.recipe is None or job.patterns or self.states[job.number] == State.ABSENT:
            return False
        around = (job, *self._makers_of(job))
        return not any(each.number in self._users for each in around)

    # -- ready jobs ------------------------------------------------------------------------

    def _make_ready(self, job: Job) -> None:
        self.states[job.number] = State.READY
        heappush(self._lane(job).heap, (-self._priority(job), job.number, job))
        self._ready_seconds += self._seconds(job)

    def _lane(self, job: Job) -> _Lane:
        traits = job.traits
        resources = tuple(sorted(traits.resources.items())) if traits.resources else ()
        key = (traits.pool, resources)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(traits.pool, _with_one_cpu(resources), [])
        return lane

    def _priority(self, job: Job) -> float:
        if self.order is not None:
            return self.order(job)
        found = self._priorities.get(job.number)
        if found is None:
            self._find_priorities()
            found = self._priorities[job.number]
        return found

    def _find_priorities(self) -> None:
        """Seconds from the start of each wanted job to the end of the longest chain behind it,
        by the durations of the last run. New jobs of a grown graph are added to what is known."""
        known = self._priorities
        new = self.wanted[self._ranked :]
        self._ranked = len(self.wanted)
        counts = {job.number: 0 for job in new}
        for job in new:
            for dependant in self._dependants[job.number]:
                counts[job.number] += dependant.number in counts
        feeds: dict[int, list[Job]] = {}
        for job in new:
            for dependant in self._dependants[job.number]:
                if dependant.number in counts:
                    feeds.setdefault(dependant.number, []).append(job)
        todo = [job for job in new if not counts[job.number]]
        for job in todo:
            behind = (known.get(each.number, 0.0) for each in self._dependants[job.number])
            # Brief jobs are all alike: which of them took longer is chance, and their order is to
            # be the same in each run.
            seconds = max(self._seconds(job), _BATCH_SECONDS)
            known[job.number] = seconds + max(behind, default=0.0)
            for feeder in feeds.get(job.number, ()):
                counts[feeder.number] -= 1
                if not counts[feeder.number]:
                    todo.append(feeder)
        for job in new:
            known.setdefault(job.number, 0.0)

    def _seconds(self, job: Job) -> float:
        known = self.durations(job)
        if known is None:
            return _UNKNOWN_SECONDS
        self._known_durations = True
        return known

    def _take(self) -> list[Job]:
        """The most urgent ready job that has a place to run, and those that may share it."""
        if self.capacity.jobs and self.running >= self.capacity.jobs:
            return []
        best: _Lane | None = None
        for lane in self._lanes.values():
            if lane.heap and (best is None or lane.heap[0] < best.heap[0]) and self._fits(lane):
                best = lane
        if best is None:
            return []
        jobs = self._first_of(best)
        self._occupy(best)
        place = _Place(best, len(jobs))
        for job in jobs:
            self._running[job.number] = place
            self._ready_seconds -= self._seconds(job)
            self.states[job.number] = State.RUNNING
        return jobs

    def _first_of(self, lane: _Lane) -> list[Job]:
        """The most urgent jobs of a lane: as many as make up a batch, and no more than the share of
        one place, so that nothing waits that could run beside it."""
        heap = lane.heap
        jobs = [heappop(heap)[2]]
        rule = jobs[0].traits.rule
        usual = self._usual.get(rule, _BATCH_SECONDS)
        if usual >= _BATCH_SECONDS or not self.capacity.jobs or not self._is_brief(jobs[0]):
            return jobs
        share = len(heap) // self.capacity.jobs
        most = min(_MOST_IN_BATCH, share, int(_BATCH_SECONDS / max(usual, 1e-6)))
        while len(jobs) < most and heap[0][2].traits.rule == rule and self._is_brief(heap[0][2]):
            jobs.append(heappop(heap)[2])
        return jobs

    def _is_brief(self, job: Job) -> bool:
        """Whether a job may be in a batch, as far as it is known itself."""
        return not job.patterns and (self.durations(job) or 0.0) < _BATCH_SECONDS

    def _fits(self, lane: _Lane) -> bool:
        if lane.pool and self._pooled.get(lane.pool, 0) >= self.capacity.pools.get(lane.pool, 1):
            return False
        if not self.running:
            return True  # whoever wants more than there is runs alone
        for name, amount in lane.resources:
            total = self.capacity.resources.get(name)
            if total is not None and self._used.get(name, 0.0) + amount > total:
                return False
        return True

    def _occupy(self, lane: _Lane) -> None:
        self.running += 1
        if lane.pool:
            self._pooled[lane.pool] = self._pooled.get(lane.pool, 0) + 1
        for name, amount in lane.resources:
            self._used[name] = self._used.get(name, 0.0) + amount

    def _release(self, job: Job) -> None:
        place = self._running.pop(job.number)
        place.left -= 1
        if place.left:
            return
        self.running -= 1
        lane = place.lane
        if lane.pool:
            self._pooled[lane.pool] -= 1
        for name, amount in lane.resources:
            self._used[name] -= amount

    # -- mistakes --------------------------------------------------------------------------

    def cycle(self) -> list[Job] | None:
        """Jobs that wait for each other in a ring, first one again at the end; None if there are
        none. To be asked when all wanted jobs are closed and nothing has been judged."""
        counts = {}
        todo = []
        for job in self.wanted:
            if self.states[job.number] == State.WAITING:
                counts[job.number] = self._waiting[job.number]
            else:
                todo.append(job)
        for job in todo:
            for dependant in self._dependants[job.number]:
                if dependant.number in counts:
                    counts[dependant.number] -= 1
                    if not counts[dependant.number]:
                        todo.append(dependant)
        left = {number for number, count in counts.items() if count > 0}
        if not left:
            return None
        waits_for: dict[int, Job] = {}
        for job in self.wanted:
            if job.number in left:
                for dependant in self._dependants[job.number]:
                    waits_for.setdefault(dependant.number, job)
        job = self.graph.jobs[min(left)]
        seen: dict[int, int] = {}
        path: list[Job] = []
        while job.number not in seen:
            seen[job.number] = len(path)
            path.append(job)
            job = waits_for[job.number]
        return [*path[seen[job.number] :], job]


def _with_one_cpu(resources: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """A job that says nothing of processors takes one."""
    if any(name == "cpus" for name, _ in resources):
        return resources
    return (*resources, ("cpus", 1.0))
