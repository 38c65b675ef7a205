"""The scheduler: events in, actions out, no files, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.engine.scheduler import Capacity, Close, Discard, Examine, Scheduler, Start, State
from pybuild.engine.staleness import Reason, Stale, UpToDate, Verdict
from pybuild.graph import Job

from .parts import World

FINAL = {State.DONE, State.ABSENT, State.FAILED, State.SKIPPED}
STALE = Stale((Reason("missing"),))
FRESH = UpToDate()
ABSENT = UpToDate(absent=True)


class Drive:
    """Answers the actions of a scheduler until it has none left, and keeps a list of them.

    `verdicts` and `failing` go by the job's name; `absent` temporary files are made by a start and
    gone after a discard, and a job that starts without them is an error of the scheduler.
    """

    def __init__(self, world: World, jobs: int = 1, **options: Any) -> None:
        self.world = world
        self.durations: dict[str, float] = {}
        capacity = Capacity(jobs, options.pop("resources", {}), options.pop("pools", {}))
        self.plan = Scheduler(
            world.graph, capacity, lambda job: self.durations.get(job.name), **options
        )
        self.verdicts: dict[str, Verdict] = {}
        self.failing: set[str] = set()
        self.waits: dict[str, list[Job]] = {}
        self.done: Callable[[Job], None] = lambda job: None
        self.log: list[str] = []
        self.actions = 0
        self.most_at_once = 0
        self.running: list[Job] = []
        self.gone: set[str] = set()

    def run(self, *goals: Job) -> Drive:
        self.plan.want(goals, goals=True)
        while (job := self.plan.next_close()) is not None:
            self.close(job)
        return self.go()

    def close(self, job: Job) -> None:
        self.actions += 1
        waits = [
            each
            for each in self.waits.get(job.name, ())
            if self.plan.state(each) not in (State.DONE, State.ABSENT)
        ]
        self.plan.closed(job, waits)

    def go(self) -> Drive:
        while True:
            action = self.plan.next_action()
            if action is None:
                if not self.running:
                    return self
                self.finish(self.running[0])
                continue
            self.actions += 1
            if isinstance(action, Close):
                self.actions -= 1
                self.close(action.job)
            elif isinstance(action, Examine):
                self.examine(action.job, action.early)
            elif isinstance(action, Start):
                self.start(action.job)
            else:
                assert isinstance(action, Discard)
                self.log.append(f"-{action.job.name}")
                self.gone.update(action.job.outputs)
                self.plan.discarded(action.job)

    def examine(self, job: Job, early: bool) -> None:
        assert self.plan.state(job) == State.JUDGING
        verdict = self.verdicts.get(job.name, STALE)
        if verdict == ABSENT:
            self.gone.update(job.outputs)
        self.plan.judged(job, verdict, early=early)

    def start(self, job: Job) -> None:
        assert self.plan.state(job) == State.RUNNING
        producer = self.world.graph.producer
        for name in (*job.inputs, *job.order_only):
            maker = producer.get(name)
            assert maker is None or self.plan.state(maker) in (State.DONE, State.ABSENT), name
        for name in job.inputs:
            assert name not in self.gone, f"{job.name} was started without {name}"
        self.log.append(f"+{job.name}")
        self.running.append(job)
        self.most_at_once = max(self.most_at_once, len(self.running))

    def finish(self, job: Job) -> None:
        self.running.remove(job)
        ok = job.name not in self.failing
        self.plan.finished(job, ok)
        if ok:
            self.gone.difference_update(job.outputs)
            self.done(job)
        else:
            self.log.append(f"!{job.name}")

    @property
    def started(self) -> list[str]:
        return [each[1:] for each in self.log if each[0] == "+"]

    def states(self) -> dict[str, str]:
        return {job.name: self.plan.state(job).name.lower() for job in self.world.graph.jobs}


@pytest.fixture
def world() -> World:
    return World()


# -- order ----------------------------------------------------------------------------------------


def test_makers_run_before_what_they_are_for(world: World) -> None:
    world.job("b", "a")
    goal = world.job("c", "b")
    world.job("a")
    assert Drive(world).run(goal).started == ["a", "b", "c"]


def test_only_what_is_wanted_runs(world: World) -> None:
    world.job("a")
    goal = world.job("b")
    drive = Drive(world).run(goal)
    assert drive.started == ["b"]
    assert drive.states() == {"a": "unwanted", "b": "done"}


def test_what_is_up_to_date_does_not_run(world: World) -> None:
    world.job("a")
    goal = world.job("b", "a")
    drive = Drive(world)
    drive.verdicts = {"a": FRESH}
    assert drive.run(goal).started == ["b"]


def test_jobs_without_a_recipe_are_passed(world: World) -> None:
    world.job("a")
    goal = world.job("", "a b", name="all", recipe=None)
    world.job("b")
    drive = Drive(world).run(goal)
    assert drive.started == ["a", "b"]
    assert drive.states()["all"] == "done"


def test_the_longest_chain_goes_first(world: World) -> None:
    world.job("short")
    world.job("long1")
    world.job("long2", "long1")
    goal = world.job("all", "short long2")
    started = Drive(world).run(goal).started
    assert started[0] == "long1"
    assert started[-1] == "all"


def test_remembered_seconds_count_for_the_longest_chain(world: World) -> None:
    world.job("quick1")
    world.job("quick2", "quick1")
    world.job("slow")
    goal = world.job("all", "quick2 slow")
    drive = Drive(world)
    drive.durations = {"quick1": 1.0, "quick2": 1.0, "slow": 60.0, "all": 1.0}
    assert drive.run(goal).started == ["slow", "quick1", "quick2", "all"]


def test_an_order_of_the_users_own(world: World) -> None:
    for name in "abc":
        world.job(name)
    goal = world.job("", "a b c", name="all", recipe=None)
    drive = Drive(world, order=lambda job: {"a": 1.0, "b": 3.0, "c": 2.0}.get(job.name, 0.0))
    assert drive.run(goal).started == ["b", "c", "a"]


def test_each_job_runs_once_however_many_need_it(world: World) -> None:
    world.job("a b c")
    for name in "xyz":
        world.job(name, "a b c", "a")
    goal = world.job("all", "x y z a")
    drive = Drive(world, 4).run(goal)
    assert sorted(drive.started) == sorted(["a", "x", "y", "z", "all"])


def test_order_only_prerequisites_are_waited_for(world: World) -> None:
    goal = world.job("b", "", "a")
    world.job("a")
    assert Drive(world, 4).run(goal).started == ["a", "b"]


# -- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (3, 3), (0, 8), (20, 8)])
def test_so_many_at_once(world: World, jobs: int, most: int) -> None:
    names = [world.job(f"j{number}").name for number in range(8)]
    goal = world.job("all", " ".join(names))
    assert Drive(world, jobs).run(goal).most_at_once == most


class Counting(Drive):
    """Keeps the most jobs of each pool, and the most of a resource, that ran at once."""

    def __init__(self, world: World, jobs: int = 1, **options: Any) -> None:
        super().__init__(world, jobs, **options)
        self.pools: dict[str, int] = {}
        self.mem = 0.0

    def start(self, job: Job) -> None:
        super().start(job)
        for pool in {each.traits.pool for each in self.running}:
            count = sum(each.traits.pool == pool for each in self.running)
            self.pools[pool] = max(count, self.pools.get(pool, 0))
        mem = sum(each.traits.resources.get("mem", 0) for each in self.running)
        self.mem = max(self.mem, mem)


def test_a_pool_limits_its_jobs_and_no_others(world: World) -> None:
    pooled = [world.job(f"p{number}", pool="disk").name for number in range(5)]
    free = [world.job(f"f{number}").name for number in range(5)]
    goal = world.job("all", " ".join(pooled + free))
    drive = Counting(world, 6, pools={"disk": 2})
    drive.run(goal)
    assert drive.pools["disk"] == 2
    assert drive.most_at_once == 6
    assert set(drive.started) == {*pooled, *free, "all"}


def test_a_full_pool_starves_nobody(world: World) -> None:
    """The urgent jobs are all in one pool; the others still fill the places left."""
    pooled = [world.job(f"p{number}", pool="disk").name for number in range(5)]
    free = [world.job(f"f{number}").name for number in range(3)]
    goal = world.job("all", " ".join(pooled + free))
    drive = Drive(world, 2, pools={"disk": 1})
    drive.durations = dict.fromkeys(pooled, 100.0)
    drive.run(goal)
    assert drive.started[:2] == ["p0", "f0"]
    assert drive.most_at_once == 2


def test_a_pool_without_a_size_takes_one(world: World) -> None:
    names = [world.job(f"p{number}", pool="disk").name for number in range(3)]
    goal = world.job("all", " ".join(names))
    drive = Counting(world, 3)
    drive.run(goal)
    assert drive.pools["disk"] == 1


def test_resources_are_shared_out(world: World) -> None:
    names = [world.job(f"m{number}", resources={"mem": 4.0}).name for number in range(5)]
    goal = world.job("all", " ".join(names))
    drive = Counting(world, 5, resources={"mem": 10.0})
    drive.run(goal)
    assert drive.mem == 8
    assert len(drive.started) == 6


def test_who_wants_more_than_there_is_runs_alone(world: World) -> None:
    world.job("big", resources={"mem": 40.0})
    names = [world.job(f"m{number}", resources={"mem": 4.0}).name for number in range(3)]
    goal = world.job("all", " ".join(["big", *names]))
    drive = Counting(world, 5, resources={"mem": 10.0})
    drive.run(goal)
    assert drive.mem == 40
    assert len(drive.started) == 5


def test_a_job_takes_one_processor_unless_it_says_otherwise(world: World) -> None:
    names = [world.job(f"j{number}").name for number in range(4)]
    names.append(world.job("wide", resources={"cpus": 3.0}).name)
    goal = world.job("all", " ".join(names))
    drive = Drive(world, 8, resources={"cpus": 3.0})
    assert drive.run(goal).most_at_once == 3
    assert len(drive.started) == 6


def test_no_place_no_start(world: World) -> None:
    goal = world.job("a")
    drive = Drive(world)
    drive.plan.want([goal], goals=True)
    drive.close(drive.plan.next_close())  # type: ignore[arg-type]
    action = drive.plan.next_action(may_start=False)
    assert isinstance(action, Examine)
    drive.examine(action.job, action.early)
    assert drive.plan.next_action(may_start=False) is None
    assert drive.plan.has_ready
    assert drive.go().started == ["a"]


# -- failure --------------------------------------------------------------------------------------


def failing(world: World) -> Job:
    world.job("bad")
    world.job("b1", "bad")
    world.job("b2", "b1 bad")
    world.job("b3", "", "b2")
    world.job("good")
    return world.job("all", "b3 good")


def test_after_a_failure_nothing_starts(world: World) -> None:
    goal = failing(world)
    drive = Drive(world)
    drive.failing = {"bad"}
    assert drive.run(goal).log == ["+bad", "!bad"]
    assert drive.plan.stopped


def test_after_a_failure_what_runs_ends(world: World) -> None:
    goal = failing(world)
    drive = Drive(world, 2)
    drive.failing = {"bad"}
    drive.run(goal)
    assert drive.started == ["bad", "good"]
    assert drive.states()["good"] == "done"


def test_with_keep_going_all_else_goes_on(world: World) -> None:
    goal = failing(world)
    drive = Drive(world, keep_going=True)
    drive.failing = {"bad"}
    drive.run(goal)
    assert sorted(drive.started) == ["bad", "good"]
    skipped = dict.fromkeys(("b1", "b2", "b3", "all"), "skipped")
    assert drive.states() == {"bad": "failed", "good": "done", **skipped}
    assert drive.plan.settled == len(drive.plan.wanted) == 6


def test_two_failures_skip_a_job_once(world: World) -> None:
    for name in ("x", "y"):
        world.job(name)
    goal = world.job("all", "x y")
    drive = Drive(world, 2, keep_going=True)
    drive.failing = {"x", "y"}
    drive.run(goal)
    assert drive.plan.settled == 3
    assert drive.states() == {"x": "failed", "y": "failed", "all": "skipped"}


def test_a_job_wanted_after_its_maker_has_failed_is_skipped(world: World) -> None:
    bad = world.job("bad")
    drive = Drive(world, keep_going=True)
    drive.failing = {"bad"}
    drive.run(bad)
    late = world.job("late", "bad")
    drive.run(late)
    assert drive.states()["late"] == "skipped"


# -- retries --------------------------------------------------------------------------------------


def test_a_job_that_is_tried_again_frees_its_place(world: World) -> None:
    flaky = world.job("flaky", pool="disk")
    world.job("other", pool="disk")
    goal = world.job("all", "flaky other")
    drive = Drive(world, 1)
    drive.plan.want([goal], goals=True)
    while (job := drive.plan.next_close()) is not None:
        drive.close(job)
    while not drive.running:
        action = drive.plan.next_action()
        assert action is not None
        if isinstance(action, Examine):
            drive.examine(action.job, action.early)
        else:
            drive.start(action.job)
    assert drive.running == [flaky]
    drive.running.clear()
    drive.plan.again(flaky)
    assert drive.plan.running == 0
    drive.go()
    assert drive.started == ["flaky", "other"]
    drive.plan.retry(flaky)
    drive.go()
    assert drive.started == ["flaky", "other", "flaky", "all"]


# -- cycles ---------------------------------------------------------------------------------------


def cycle_of(world: World, *goals: Job) -> list[str] | None:
    drive = Drive(world)
    drive.plan.want(goals, goals=True)
    while (job := drive.plan.next_close()) is not None:
        drive.close(job)
    found = drive.plan.cycle()
    return None if found is None else [each.name for each in found]


def test_no_cycle(world: World) -> None:
    world.job("a")
    world.job("b", "a")
    assert cycle_of(world, world.job("c", "a b")) is None


def test_a_cycle_is_told_from_end_to_end(world: World) -> None:
    world.job("a", "c")
    world.job("b", "a")
    world.job("c", "b")
    world.job("d", "c")
    found = cycle_of(world, world.job("all", "d"))
    assert found is not None
    assert found[0] == found[-1]
    assert sorted(found[1:]) == ["a", "b", "c"]
    needs = {"a": "c", "b": "a", "c": "b"}
    assert all(needs[one] == other for one, other in pairwise(found))


def test_a_cycle_of_order_only_prerequisites(world: World) -> None:
    world.job("a", "", "b")
    assert cycle_of(world, world.job("b", "a")) is not None


def test_a_cycle_that_nobody_wants_is_none(world: World) -> None:
    world.job("a", "b")
    world.job("b", "a")
    assert cycle_of(world, world.job("c")) is None


def test_a_cycle_behind_a_long_chain(world: World) -> None:
    world.job("x0", "x1")
    world.job("x1", "x0")
    for number in range(2000):
        world.job(f"y{number}", f"y{number - 1}" if number else "x0")
    found = cycle_of(world, world.graph.jobs[-1])
    assert found is not None
    assert set(found) == {"x0", "x1"}


# -- splits ---------------------------------------------------------------------------------------


def test_an_open_job_waits_for_the_split_and_then_for_its_files(world: World) -> None:
    split = world.job("", "src", name="split", patterns="p/*")
    world.job("src")
    goal = world.job("all")
    drive = Drive(world, 2)
    drive.waits["all"] = [split]

    def grow(job: Job) -> None:
        if job is split:
            for number in range(3):
                world.job(f"i{number}", "src")
            goal.inputs = ("i0", "i1", "i2")

    drive.done = grow
    drive.run(goal)
    assert drive.started[:2] == ["src", "split"]
    assert sorted(drive.started[2:5]) == ["i0", "i1", "i2"]
    assert drive.started[5:] == ["all"]


def test_a_split_that_is_up_to_date_lets_the_open_jobs_go(world: World) -> None:
    split = world.job("", name="split", patterns="p/*")
    goal = world.job("all")
    drive = Drive(world)
    drive.waits["all"] = [split]
    drive.verdicts = {"split": FRESH}
    assert drive.run(goal).started == ["all"]


def test_an_open_job_behind_a_failed_split_is_skipped(world: World) -> None:
    split = world.job("", name="split", patterns="p/*")
    goal = world.job("all")
    drive = Drive(world, keep_going=True)
    drive.waits["all"] = [split]
    drive.failing = {"split"}
    assert drive.run(goal).states() == {"split": "failed", "all": "skipped"}


def test_a_split_behind_a_split(world: World) -> None:
    one = world.job("", name="one", patterns="p/*")
    two = world.job("", name="two", patterns="q/*")
    goal = world.job("all")
    drive = Drive(world)
    drive.waits = {"two": [one], "all": [two]}
    assert drive.run(goal).started == ["one", "two", "all"]


# -- minimal mode ---------------------------------------------------------------------------------


def chain(world: World) -> Job:
    world.job("a")
    world.job("b", "a")
    return world.job("c", "b")


def test_minimal_takes_an_up_to_date_target_as_it_is(world: World) -> None:
    goal = chain(world)
    drive = Drive(world, minimal=True)
    drive.verdicts = {"c": FRESH}
    drive.run(goal)
    assert drive.started == []
    assert drive.states() == {"a": "unwanted", "b": "unwanted", "c": "done"}


def test_minimal_looks_further_only_from_what_is_stale(world: World) -> None:
    goal = chain(world)
    drive = Drive(world, minimal=True)
    drive.verdicts = {"b": FRESH}
    drive.run(goal)
    assert drive.started == ["c"]
    assert drive.states()["a"] == "unwanted"


def test_minimal_runs_all_that_is_stale_in_order(world: World) -> None:
    assert Drive(world, minimal=True).run(chain(world)).started == ["a", "b", "c"]


def test_minimal_goes_through_rules_without_a_recipe(world: World) -> None:
    world.job("a")
    goal = world.job("", "a", name="all", recipe=None)
    assert Drive(world, minimal=True).run(goal).started == ["a"]


# -- temporary files ------------------------------------------------------------------------------


@pytest.mark.parametrize("minimal", [False, True])
def test_a_temporary_file_goes_when_its_last_user_is_done(world: World, minimal: bool) -> None:
    world.job("t", temporary=True)
    world.job("x", "t")
    world.job("y", "t")
    goal = world.job("all", "x y")
    log = Drive(world, minimal=minimal).run(goal).log
    assert log.count("-t") == 1
    assert log.index("-t") > max(log.index("+x"), log.index("+y"))


def test_a_temporary_file_goes_before_the_end_of_the_build(world: World) -> None:
    for number in range(3):
        world.job(f"t{number}", temporary=True)
        world.job(f"x{number}", f"t{number}")
    goal = world.job("all", "x0 x1 x2")
    log = Drive(world).run(goal).log
    assert {"-t0", "-t1", "-t2"} <= set(log)


def test_two_temporary_files_of_one_job(world: World) -> None:
    world.job("t u", temporary=True)
    goal = world.job("x", "t u")
    assert Drive(world).run(goal).log == ["+t", "+x", "-t"]


def test_a_temporary_goal_stays(world: World) -> None:
    temporary = world.job("t", temporary=True)
    goal = world.job("x", "t")
    assert Drive(world).run(goal, temporary).log == ["+t", "+x"]


def test_a_temporary_file_stays_while_an_order_only_user_waits(world: World) -> None:
    world.job("t", temporary=True)
    world.job("x", "t")
    world.job("z")
    world.job("y", "z", "t")
    goal = world.job("all", "x y")
    drive = Drive(world)
    drive.durations = {"t": 9.0, "x": 9.0, "z": 1.0, "y": 1.0, "all": 1.0}
    log = drive.run(goal).log
    assert log.index("+x") < log.index("+z") < log.index("+y")
    assert "-t" not in log[: log.index("+y")]


def test_a_chain_of_temporary_files(world: World) -> None:
    world.job("t", temporary=True)
    world.job("u", "t", temporary=True)
    goal = world.job("x", "u")
    log = Drive(world).run(goal).log
    assert [each for each in log if each[0] == "+"] == ["+t", "+u", "+x"]
    assert log.index("+u") < log.index("-t")
    assert log.index("+x") < log.index("-u")


def test_temporary_files_of_what_is_up_to_date_stay_away(world: World) -> None:
    world.job("t", temporary=True)
    goal = world.job("x", "t")
    drive = Drive(world)
    drive.verdicts = {"t": ABSENT, "x": FRESH}
    drive.run(goal)
    assert drive.started == []
    assert drive.states() == {"t": "absent", "x": "done"}


@pytest.mark.parametrize("minimal", [False, True])
def test_a_temporary_file_is_restored_for_a_stale_user(world: World, minimal: bool) -> None:
    world.job("t", temporary=True)
    goal = world.job("x", "t")
    drive = Drive(world, minimal=minimal)
    drive.verdicts = {"t": ABSENT}
    assert drive.run(goal).log == ["+t", "+x", "-t"]
    assert drive.plan.settled == len(drive.plan.wanted)


@pytest.mark.parametrize("minimal", [False, True])
def test_a_chain_of_temporary_files_is_restored(world: World, minimal: bool) -> None:
    world.job("t", temporary=True)
    world.job("u", "t", temporary=True)
    world.job("v", "u", temporary=True)
    goal = world.job("x", "v")
    drive = Drive(world, minimal=minimal)
    drive.verdicts = dict.fromkeys("tuv", ABSENT)
    drive.run(goal)
    assert drive.started == ["t", "u", "v", "x"]
    assert {each for each in drive.log if each[0] == "-"} == {"-t", "-u", "-v"}
    assert drive.plan.settled == len(drive.plan.wanted)


def test_a_temporary_file_stays_for_one_that_may_be_restored(world: World) -> None:
    """`u` is absent and up to date; that `x` has it made again is only known when `y` is done."""
    world.job("t", temporary=True)
    world.job("u", "t", temporary=True)
    world.job("w", "t")
    world.job("y", "w")
    goal = world.job("x", "u y")
    drive = Drive(world)
    drive.verdicts = {"u": ABSENT}
    drive.run(goal)
    assert drive.started == ["t", "w", "y", "u", "x"]
    assert sorted(each for each in drive.log if each[0] == "-") == ["-t", "-u"]


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("minimal", [False, True])
def test_two_stale_users_wait_for_one_restored_file(world: World, jobs: int, minimal: bool) -> None:
    """Both need the file; neither may start before it is there again."""
    world.job("t", temporary=True)
    world.job("x", "t")
    world.job("y", "t")
    goal = world.job("all", "x y")
    drive = Drive(world, jobs, minimal=minimal)
    drive.durations = {"t": 1.0, "x": 1.0, "y": 50.0, "all": 1.0}
    drive.verdicts = {"t": ABSENT}
    drive.run(goal)
    assert drive.started[0] == "t"
    assert sorted(drive.started) == ["all", "t", "x", "y"]


def test_a_fresh_user_does_not_restore_anything(world: World) -> None:
    world.job("t", temporary=True)
    world.job("x", "t")
    world.job("y", "t")
    goal = world.job("all", "x y")
    drive = Drive(world)
    drive.verdicts = {"t": ABSENT, "x": FRESH, "y": FRESH, "all": FRESH}
    assert drive.run(goal).started == []


def test_a_temporary_file_of_a_failed_user_is_kept(world: World) -> None:
    world.job("t", temporary=True)
    world.job("x", "t")
    world.job("y", "t")
    goal = world.job("all", "x y")
    drive = Drive(world, keep_going=True)
    drive.failing = {"x"}
    drive.run(goal)
    assert "-t" not in drive.log


def test_a_temporary_file_of_a_skipped_user_is_kept(world: World) -> None:
    world.job("t", temporary=True)
    world.job("bad")
    world.job("x", "t bad")
    world.job("y", "t")
    goal = world.job("all", "x y")
    drive = Drive(world, keep_going=True)
    drive.failing = {"bad"}
    drive.run(goal)
    assert "-t" not in drive.log


def test_a_job_that_turns_up_late_finds_its_temporary_file(world: World) -> None:
    """A split shows late that a file is needed which its first user is done with."""
    world.job("t", temporary=True)
    world.job("x", "t")
    split = world.job("", "x", name="split", patterns="p/*")
    goal = world.job("all")
    drive = Drive(world)
    drive.waits["all"] = [split]

    def grow(job: Job) -> None:
        if job is split:
            world.job("late", "t")
            goal.inputs = ("late", "x")

    drive.done = grow
    drive.run(goal)
    assert drive.started[-2:] == ["late", "all"]
    assert drive.log.count("-t") >= 1


# -- any graph ------------------------------------------------------------------------------------


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[World, dict[str, Verdict], set[str]]:
    world = World()
    verdicts: dict[str, Verdict] = {}
    bad: set[str] = set()
    size = draw(st.integers(1, 9))
    for number in range(size):
        earlier = [f"j{each}" for each in range(number)]
        some = (
            st.lists(st.sampled_from(earlier), max_size=3, unique=True) if earlier else st.just([])
        )
        inputs, behind = draw(some), draw(some)
        name = f"j{number}"
        temporary = draw(st.booleans())
        recipe: Any = "" if draw(st.integers(0, 5)) else None
        world.job(
            name,
            " ".join(inputs),
            " ".join(each for each in behind if each not in inputs),
            recipe=recipe,
            temporary=temporary and recipe is not None,
            pool=draw(st.sampled_from(["", "", "p", "q"])),
            resources=draw(st.sampled_from([{}, {}, {"mem": 2.0}, {"cpus": 2.0}])),
        )
        choices: Sequence[Verdict] = [STALE, STALE, FRESH, ABSENT] if temporary else [STALE, FRESH]
        verdicts[name] = draw(st.sampled_from(choices))
        if draw(st.integers(0, 4)) == 0:
            bad.add(name)
    return world, verdicts, bad


@settings(max_examples=300)
@given(_graphs(), st.integers(0, 3), st.booleans(), st.booleans())
def test_every_wanted_job_ends_once_and_in_order(
    graph: tuple[World, dict[str, Verdict], set[str]], jobs: int, minimal: bool, fails: bool
) -> None:
    """The order of makers and users is checked at each start (`Drive.start`)."""
    world, verdicts, bad = graph
    drive = Counting(
        world,
        jobs,
        minimal=minimal,
        keep_going=True,
        resources={"mem": 3.0, "cpus": 3.0},
        pools={"p": 2},
    )
    drive.verdicts = verdicts
    drive.failing = bad if fails else set()
    drive.run(world.graph.jobs[-1])
    plan = drive.plan
    assert len(set(drive.started)) == len(drive.started)
    assert all(plan.state(job) in FINAL for job in plan.wanted)
    assert plan.settled == len(plan.wanted)
    assert plan.running == 0
    assert jobs == 0 or drive.most_at_once <= jobs
    assert drive.pools.get("p", 0) <= 2
    assert drive.pools.get("q", 0) <= 1
    assert drive.actions <= 5 * len(plan.wanted)  # close, examine (early too), start, discard
    for job in plan.wanted:
        makers = [world.graph.producer.get(name) for name in (*job.inputs, *job.order_only)]
        ill = any(
            maker is not None and plan.state(maker) in (State.FAILED, State.SKIPPED)
            for maker in makers
        )
        if plan.state(job) == State.SKIPPED:
            assert ill
        elif plan.state(job) == State.DONE and job.name in drive.started:
            assert not ill


@pytest.mark.parametrize("minimal", [False, True])
def test_work_grows_with_the_graph_and_no_faster(minimal: bool) -> None:
    counts = []
    for size in (200, 400):
        world = World()
        for number in range(size):
            world.job(f"t{number}", f"t{number - 1}" if number else "", temporary=True)
        goal = world.job("all", f"t{size - 1}")
        drive = Drive(world, minimal=minimal).run(goal)
        assert len(drive.started) == size + 1
        counts.append(drive.actions)
    assert counts[1] <= 2 * counts[0]


def test_a_deep_graph_needs_no_deep_stack(world: World) -> None:
    for number in range(5000):
        world.job(f"j{number}", f"j{number - 1}" if number else "")
    drive = Drive(world, keep_going=True)
    drive.failing = {"j0"}
    drive.run(world.graph.jobs[-1])
    assert drive.plan.settled == 5000


# -- batches --------------------------------------------------------------------------------------


def _ready(count: int, jobs: int, **traits: Any) -> tuple[Scheduler, dict[str, float]]:
    """A scheduler with so many ready jobs of one rule, all known to be brief."""
    world = World()
    goals = [world.job(f"j{number}", **{"name": f"j{number}", **traits}) for number in range(count)]
    durations: dict[str, float] = {}
    plan = Scheduler(world.graph, Capacity(jobs, {}, {"p": 1}), lambda job: durations.get(job.name))
    for job in goals:
        job.traits = job.traits._replace(rule="many")
    plan.want(goals, goals=True)
    while (job := plan.next_close()) is not None:
        plan.closed(job)
    for _ in goals:
        action = plan.next_action()
        assert isinstance(action, Examine)
        plan.judged(action.job, STALE)
    plan.took(goals[0], 0.0001)
    return plan, durations


def _started(plan: Scheduler) -> list[list[str]]:
    """The jobs that start now, those of one place together."""
    found = []
    while isinstance(action := plan.next_action(), Start):
        found.append([each.name for each in (action.job, *action.follow)])
    return found


def test_brief_jobs_share_a_place() -> None:
    """No more than the share of one place, so that each has something to do."""
    plan, _ = _ready(10, jobs=2)
    assert [len(each) for each in _started(plan)] == [4, 2]
    assert plan.running == 2


def test_a_place_is_free_when_its_last_job_is_done() -> None:
    plan, _ = _ready(10, jobs=2)
    first, _ = _started(plan)
    jobs = {job.name: job for job in plan.wanted}
    for name in first[:-1]:
        plan.finished(jobs[name], True)
    assert not _started(plan)
    plan.finished(jobs[first[-1]], True)
    assert len(_started(plan)) == 1


def test_a_job_that_comes_back_is_started_again() -> None:
    plan, _ = _ready(4, jobs=1)
    (first,) = _started(plan)
    jobs = {job.name: job for job in plan.wanted}
    assert first == ["j0", "j1", "j2"]
    plan.returned(jobs["j2"])
    plan.finished(jobs["j0"], True)
    plan.finished(jobs["j1"], True)
    assert _started(plan) == [["j2"]]
    plan.finished(jobs["j2"], True)
    assert _started(plan) == [["j3"]]


def test_jobs_that_took_long_are_alone() -> None:
    plan, durations = _ready(10, jobs=2)
    durations.update(dict.fromkeys(("j1", "j3"), 3.0))
    for each in _started(plan):
        assert len(each) == 1 or not {"j1", "j3"} & set(each)


def test_a_rule_that_gets_slow_has_no_batches() -> None:
    plan, _ = _ready(10, jobs=2)
    plan.took(plan.wanted[0], 1.0)
    assert [len(each) for each in _started(plan)] == [1, 1]


def test_a_pool_is_one_place_for_a_batch() -> None:
    plan, _ = _ready(10, jobs=4, pool="p")
    (first,) = _started(plan)
    assert len(first) == 2


def test_without_a_limit_all_start_at_once() -> None:
    plan, _ = _ready(10, jobs=0)
    assert [len(each) for each in _started(plan)] == [1] * 10


def test_brief_jobs_start_in_their_order() -> None:
    """Which of them took longer is chance."""
    world = World()
    drive = Drive(world)
    goals = [world.job(f"j{number}") for number in range(3)]
    drive.durations = {"j0": 0.002, "j1": 0.009, "j2": 0.004}
    assert drive.run(*goals).started == ["j0", "j1", "j2"]
