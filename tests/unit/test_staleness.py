"""The judge: each reason appears when it should, and at the levels where it should."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pybuild.engine.staleness import Judge, Level, Reason, Rules, Stale, UpToDate
from pybuild.engine.traces import Journal, Trace
from pybuild.files import Pretending
from pybuild.graph import Job
from pybuild.report.reasons import sentence
from pybuild.source import BuildError

from .memory import MemoryFiles
from .parts import TextRecipe, World

ALL = tuple(Level)
RECORDED = ALL[1:]


class Desk:
    """A world with a journal; every question is asked of a new judge, as in a new build."""

    def __init__(self, journal: Journal) -> None:
        self.world = World()
        self.files: Any = self.world.files
        self.memory: MemoryFiles = self.world.files
        self.journal = journal

    def judge(self, level: Level = Level.CONTENT, **rules: Any) -> Judge:
        return Judge(self.world.graph, self.files, self.journal, Rules(level, **rules))

    def verdict(self, job: Job, level: Level = Level.CONTENT, **rules: Any) -> Any:
        found = self.judge(level, **rules).judge(job)
        if isinstance(found, Stale):
            assert found.reasons, "nothing is decided without a reason"
            for reason in found.reasons:
                assert sentence(reason)
        return found

    def reasons(self, job: Job, level: Level = Level.CONTENT, **rules: Any) -> list[str]:
        """The reasons as `kind name`, none if the job is up to date."""
        found = self.verdict(job, level, **rules)
        if isinstance(found, UpToDate):
            return []
        return [f"{each.kind} {each.name}".strip() for each in found.reasons]

    def make(self, *jobs: Job, level: Level = Level.CONTENT, discovered: str = "") -> None:
        """Runs jobs and records them, as a build does."""
        for job in jobs:
            judge = self.judge(level)
            stamps: dict[str, Any] = {}
            ins = b"".join(judge.record_digest(name, stamps) for name in job.inputs)
            self.journal.start(job.name)
            for name in job.outputs:
                self.memory.write(name, f"{name} of {job.inputs}")
            judge.look_again(job.outputs)
            found = tuple(discovered.split())
            recipe = job.recipe
            assert recipe is not None
            self.journal.finish(
                job.name,
                Trace(
                    recipe.text_digest,
                    recipe.values_digest,
                    recipe.values_key,
                    job.inputs,
                    ins,
                    found,
                    b"".join(judge.record_digest(name, stamps) for name in found),
                    job.outputs,
                    b"".join(judge.record_digest(name, stamps) for name in job.outputs),
                    self.memory.now_ns,
                    1.0,
                ),
                stamps,
                {recipe.values_key: dict(recipe.values())},
            )

    def reopen(self) -> None:
        """The journal as the next build finds it."""
        self.journal.close()
        self.journal = Journal(self.journal.path)
        assert self.journal.complaint == ""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Journal(str(tmp_path / "journal")))


@pytest.fixture(params=ALL, ids=lambda level: level.name.lower())
def level(request: pytest.FixtureRequest) -> Level:
    return Level(request.param)


def recipe_of(job: Job) -> TextRecipe:
    assert isinstance(job.recipe, TextRecipe)
    return job.recipe


# -- the usual answers ----------------------------------------------------------------------------


def test_what_was_made_is_up_to_date(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x y", "a")
    desk.make(job, level=level)
    desk.reopen()
    assert desk.reasons(job, level) == []


@pytest.mark.parametrize("before", ALL)
@pytest.mark.parametrize("after", ALL)
def test_a_record_of_another_level_is_as_good(desk: Desk, before: Level, after: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=before)
    desk.reopen()
    assert desk.reasons(job, after) == []


def test_an_up_to_date_job_reads_no_file(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.reopen()
    desk.memory.reads.clear()
    desk.verdict(job, level)
    assert desk.memory.reads == {}


def test_a_target_that_nobody_recorded(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    desk.memory.write("x")
    job = desk.world.job("x", "a")
    expected = [] if level == Level.TIME else ["no-record"]
    assert desk.reasons(job, level) == expected


def test_a_missing_target(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("x y", "a")
    desk.make(job, level=level)
    desk.memory.remove("y")
    assert desk.reasons(job, level) == ["missing y"]


def test_a_job_that_never_ran(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("x", "a")
    expected = ["missing x"] if level == Level.TIME else ["missing x", "no-record"]
    assert desk.reasons(job, level) == expected


def test_a_job_that_did_not_end_well(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.journal.start("x")
    desk.reopen()
    assert desk.reasons(job, level) == ["interrupted"]


def test_a_job_without_prerequisites(desk: Desk, level: Level) -> None:
    job = desk.world.job("x")
    desk.make(job, level=level)
    assert desk.reasons(job, level) == []


# -- prerequisites --------------------------------------------------------------------------------


def test_a_changed_prerequisite(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.memory.write("a", "two")
    kind = "input-changed" if level == Level.CONTENT else "input-newer"
    assert desk.reasons(job, level) == [f"{kind} a"]


def test_a_prerequisite_that_is_only_newer(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.memory.touch("a")
    assert desk.reasons(job, level) == ([] if level == Level.CONTENT else ["input-newer a"])


def test_the_same_bytes_are_read_once_and_the_stamp_is_renewed(desk: Desk) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job)
    desk.memory.touch("a")
    desk.memory.reads.clear()
    assert desk.reasons(job) == []
    assert desk.memory.reads == {"a": 1}
    desk.reopen()
    assert desk.reasons(job) == []
    assert desk.memory.reads == {"a": 1}


def test_one_target_of_two_is_older(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x y", "a")
    desk.make(job, level=level)
    status = desk.memory.status("a")
    assert status is not None
    desk.memory.set_time("x", status.mtime_ns - 1)
    assert desk.reasons(job, level) == ([] if level == Level.CONTENT else ["input-newer a"])


def test_equal_times_are_up_to_date(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    for name in ("a", "x"):
        desk.memory.set_time(name, desk.memory.now_ns)
    assert desk.reasons(job, level) == []


def test_equal_times_and_other_bytes(desk: Desk, level: Level) -> None:
    """At level 4 the bytes decide; below equal times count as up to date, as in make."""
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.memory.write("a", "two")
    for name in ("a", "x"):
        desk.memory.set_time(name, desk.memory.now_ns)
    expected = ["input-changed a"] if level == Level.CONTENT else []
    assert desk.reasons(job, level) == expected


def test_an_older_file_with_other_bytes_counts_by_its_content(desk: Desk) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job)
    desk.memory.write("a", "two")
    desk.memory.set_time("a", 10**18 + 1)
    assert desk.reasons(job) == ["input-changed a"]


def test_a_change_within_the_clocks_tick_is_not_missed(desk: Desk) -> None:
    """Same time, same size, same inode: the file was too young to be trusted."""
    desk.memory.write("a", "one")
    young = time.time_ns() + 10**9 * 3600
    desk.memory.set_time("a", young)
    job = desk.world.job("x", "a")
    desk.make(job)
    desk.memory.write("a", "two")
    desk.memory.set_time("a", young)
    assert desk.reasons(job) == ["input-changed a"]


def test_a_prerequisite_more(desk: Desk, level: Level) -> None:
    for name in "abc":
        desk.memory.write(name)
    job = desk.world.job("x", "a b")
    desk.make(job, level=level)
    job.inputs = ("a", "b", "c")
    assert desk.reasons(job, level) == ([] if level == Level.TIME else ["input-added c"])


def test_a_prerequisite_less(desk: Desk, level: Level) -> None:
    for name in "ab":
        desk.memory.write(name)
    job = desk.world.job("x", "a b")
    desk.make(job, level=level)
    job.inputs = ("a",)
    assert desk.reasons(job, level) == ([] if level == Level.TIME else ["input-removed b"])


def test_prerequisites_in_another_order(desk: Desk, level: Level) -> None:
    for name in "ab":
        desk.memory.write(name)
    job = desk.world.job("x", "a b")
    desk.make(job, level=level)
    job.inputs = ("b", "a")
    assert desk.reasons(job, level) == ([] if level == Level.TIME else ["inputs-moved"])


def test_order_only_prerequisites_never_count(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("x", "", "a")
    desk.make(job, level=level)
    desk.memory.write("a", "other")
    assert desk.reasons(job, level) == []
    desk.memory.remove("a")
    assert desk.reasons(job, level) == []
    job.order_only = ("b",)
    assert desk.reasons(job, level) == []


def test_a_task_among_the_prerequisites(desk: Desk, level: Level) -> None:
    desk.world.job("", name="task", phony=True)
    desk.memory.write("a")
    job = desk.world.job("x", "a task")
    desk.make(job, level=level)
    assert desk.reasons(job, level) == ["phony-input task"]


def test_a_task_without_a_recipe_makes_nothing_stale(desk: Desk, level: Level) -> None:
    desk.world.job("", name="task", phony=True, recipe=None)
    job = desk.world.job("x", "task")
    desk.make(job, level=level)
    assert desk.reasons(job, level) == []


def test_what_a_dry_run_would_make(desk: Desk) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job)
    desk.files = Pretending(desk.memory, time.time_ns())
    assert desk.reasons(job) == []
    desk.files.pretend(["a"])
    assert desk.reasons(job) == ["input-made a"]


def test_a_file_taken_as_new(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    assert desk.reasons(job, level, new={"a"}) == ["assumed-new a"]
    assert desk.reasons(job, level, new={"b"}) == []


def test_a_discovered_file_taken_as_new(desk: Desk, level: Level) -> None:
    desk.memory.write("x.h", "one")
    job = desk.world.job("x")
    desk.make(job, level=level, discovered="x.h")
    assert desk.reasons(job, level, new={"x.h"}) == ["assumed-new x.h"]


def test_a_file_taken_as_old(desk: Desk, level: Level) -> None:
    """`-o FILE`: neither it is made nor anything because of it."""
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.memory.write("a", "two")
    assert desk.reasons(job, level, old={"a"}) == []


def test_a_discovered_file_taken_as_old(desk: Desk, level: Level) -> None:
    """make's own example: a header has changed, and nothing is to be compiled because of it."""
    desk.memory.write("x.h", "one")
    job = desk.world.job("x")
    desk.make(job, level=level, discovered="x.h")
    desk.memory.write("x.h", "two")
    assert desk.reasons(job, level, old={"x.h"}) == []


def test_a_target_taken_as_old(desk: Desk, level: Level) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    assert desk.reasons(job, level, old={"x"}) == []


# -- recipe and values ----------------------------------------------------------------------------


def test_a_changed_recipe(desk: Desk, level: Level) -> None:
    job = desk.world.job("x")
    desk.make(job, level=level)
    recipe_of(job).text = "make it otherwise"
    assert desk.reasons(job, level) == (["recipe"] if level >= Level.RECIPE else [])


def test_a_changed_value(desk: Desk, level: Level) -> None:
    job = desk.world.job("x", recipe=TextRecipe("cc", cflags="-O1", cc="gcc"))
    desk.make(job, level=level)
    desk.reopen()
    recipe_of(job).used = {"cflags": "-O2", "cc": "gcc"}
    found = desk.verdict(job, level)
    if level < Level.PARAMS:
        assert isinstance(found, UpToDate)
    else:
        assert found == Stale((Reason("value", "cflags", "-O1", "-O2"),))


def test_a_value_more_or_less(desk: Desk) -> None:
    job = desk.world.job("x", recipe=TextRecipe("cc", cflags="-O1"))
    desk.make(job)
    recipe_of(job).used = {"cc": "gcc"}
    found = desk.verdict(job)
    assert found == Stale((Reason("value", "cflags", "-O1", ""), Reason("value", "cc", "", "gcc")))


def test_a_changed_capture(desk: Desk, level: Level) -> None:
    job = desk.world.job("x")
    desk.make(job, level=level)
    recipe_of(job).private = "sample2"
    assert desk.reasons(job, level) == (["values"] if level >= Level.PARAMS else [])


# -- outputs --------------------------------------------------------------------------------------


def test_a_target_changed_by_hand(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.memory.write("x", "by hand")
    assert desk.reasons(job, level) == (["output-changed x"] if level == Level.CONTENT else [])


def test_a_target_touched_by_hand(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.memory.touch("x")
    assert desk.reasons(job, level) == []


def test_a_split_whose_file_is_missing(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("p/1 p/2", "a", name="split", patterns="p/*")
    desk.make(job, level=level)
    job.outputs = ()
    assert desk.reasons(job, level) == []
    desk.memory.remove("p/2")
    assert desk.reasons(job, level) == ["missing p/2"]


def test_a_split_that_made_nothing_is_up_to_date(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("", "a", name="split", patterns="p/*")
    desk.make(job, level=level)
    assert desk.reasons(job, level) == []


def test_a_stranger_is_no_file_of_a_split(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("p/1", "a", name="split", patterns="p/*")
    desk.make(job, level=level)
    job.outputs = ()
    desk.memory.write("p/stranger")
    assert desk.reasons(job, level) == []


# -- discovered prerequisites ---------------------------------------------------------------------


def test_a_discovered_prerequisite(desk: Desk, level: Level) -> None:
    for name in ("a", "x.h"):
        desk.memory.write(name)
    job = desk.world.job("x", "a")
    desk.make(job, level=level, discovered="x.h")
    assert desk.reasons(job, level) == []
    desk.memory.write("x.h", "other")
    kind = "discovered" if level == Level.CONTENT else "input-newer"
    assert desk.reasons(job, level) == [f"{kind} x.h"]


def test_a_discovered_prerequisite_that_is_gone(desk: Desk, level: Level) -> None:
    for name in ("a", "x.h"):
        desk.memory.write(name)
    job = desk.world.job("x", "a")
    desk.make(job, level=level, discovered="x.h")
    desk.memory.remove("x.h")
    assert desk.reasons(job, level) == ["discovered x.h"]


# -- temporary files ------------------------------------------------------------------------------


def temporary(desk: Desk, level: Level) -> tuple[Job, Job]:
    """`a` makes the temporary `t`, which makes `x`; both were made, and `t` was deleted."""
    desk.memory.write("a", "one")
    first = desk.world.job("t", "a", temporary=True)
    last = desk.world.job("x", "t")
    desk.make(first, last, level=level)
    desk.memory.remove("t")
    desk.reopen()
    return first, last


def test_a_temporary_file_need_not_be_there(desk: Desk, level: Level) -> None:
    first, last = temporary(desk, level)
    judge = desk.judge(level)
    for job, absent in ((first, True), (last, False)):
        verdict = judge.judge(job)
        assert isinstance(verdict, UpToDate)
        assert verdict.absent is absent


def test_a_temporary_file_that_never_was(desk: Desk, level: Level) -> None:
    desk.memory.write("a")
    job = desk.world.job("t", "a", temporary=True)
    assert "missing t" in desk.reasons(job, level)


def test_a_change_behind_a_temporary_file_is_seen(desk: Desk, level: Level) -> None:
    first, _ = temporary(desk, level)
    desk.memory.write("a", "two")
    assert isinstance(desk.verdict(first, level), Stale)


@pytest.mark.parametrize("changed", ["recipe", "value"])
def test_a_changed_recipe_of_a_temporary_file_is_seen(desk: Desk, changed: str) -> None:
    first, _ = temporary(desk, Level.CONTENT)
    if changed == "recipe":
        recipe_of(first).text = "other"
    else:
        recipe_of(first).used = {"x": "1"}
    assert desk.reasons(first) == [f"{changed} x".replace("recipe x", "recipe")]


# -- imposed --------------------------------------------------------------------------------------


def test_always(desk: Desk, level: Level) -> None:
    job = desk.world.job("x", always="@always")
    desk.make(job, level=level)
    assert desk.reasons(job, level) == ["always @always"]


def test_everything(desk: Desk, level: Level) -> None:
    job = desk.world.job("x")
    desk.make(job, level=level)
    assert desk.reasons(job, level, everything=True) == ["always -B"]


@pytest.mark.parametrize("word", ["x", "y", "compile"])
def test_forced(desk: Desk, level: Level, word: str) -> None:
    job = desk.world.job("x y", rule="compile")
    other = desk.world.job("z")
    desk.make(job, other, level=level)
    assert desk.reasons(job, level, forced={word}) == ["forced"]
    assert desk.reasons(other, level, forced={word}) == []


def test_a_task(desk: Desk, level: Level) -> None:
    job = desk.world.job("", name="task", phony=True)
    assert desk.reasons(job, level) == ["phony"]


# -- checks of the user's -------------------------------------------------------------------------


def checked(desk: Desk, check: Callable[..., object]) -> Job:
    desk.memory.write("a")
    job = desk.world.job("x", "a", check=check)
    desk.make(job)
    return job


def test_a_check_decides_instead_of_times(desk: Desk, level: Level) -> None:
    seen: list[object] = []

    def fresh(inputs: list[Path], outputs: list[Path]) -> bool:
        seen.append((inputs, outputs))
        return True

    job = checked(desk, fresh)
    desk.memory.write("a", "other")
    assert desk.reasons(job, level) == []
    assert seen == [([Path("a")], [Path("x")])]


def test_a_check_that_says_no(desk: Desk, level: Level) -> None:
    def fresh(inputs: list[Path], outputs: list[Path]) -> bool:
        return False

    assert desk.reasons(checked(desk, fresh), level) == ["check fresh"]


def test_a_check_is_not_asked_about_missing_targets(desk: Desk, level: Level) -> None:
    def fresh(inputs: list[Path], outputs: list[Path]) -> bool:
        raise AssertionError

    job = checked(desk, fresh)
    desk.memory.remove("x")
    assert desk.reasons(job, level) == ["missing x"]


def test_a_check_that_fails_is_an_error_of_the_job(desk: Desk, level: Level) -> None:
    def fresh(inputs: list[Path], outputs: list[Path]) -> bool:
        raise ValueError("no idea")

    with pytest.raises(BuildError, match="no idea"):
        desk.verdict(checked(desk, fresh), level)


def test_an_interrupted_job_runs_again_whatever_its_check_says(desk: Desk, level: Level) -> None:
    job = checked(desk, lambda inputs, outputs: True)
    desk.journal.start("x")
    assert desk.reasons(job, level) == ["interrupted"]


# -- several reasons, trouble, and what is newer --------------------------------------------------


def test_all_reasons_are_given(desk: Desk) -> None:
    for name in "abc":
        desk.memory.write(name)
    job = desk.world.job("x y", "a b", recipe=TextRecipe("one", n="1"))
    desk.make(job)
    desk.memory.write("a", "other")
    desk.memory.remove("y")
    recipe_of(job).text = "two"
    recipe_of(job).used = {"n": "2"}
    job.inputs = ("a", "c")
    assert desk.reasons(job) == [
        "missing y",
        "recipe",
        "value n",
        "input-added c",
        "input-removed b",
        "input-changed a",
    ]


@pytest.mark.parametrize("name", ["a", "x"])
def test_a_file_that_cannot_be_looked_at_is_an_error(desk: Desk, level: Level, name: str) -> None:
    desk.memory.write("a", "one")
    job = desk.world.job("x", "a")
    desk.make(job, level=level)
    desk.memory.broken.add(name)
    with pytest.raises(BuildError) as raised:
        desk.verdict(job, level)
    assert f"`{name}`" in raised.value.diagnostics[0].message


def test_changed_names_what_is_newer(desk: Desk) -> None:
    for name in "ab":
        desk.memory.write(name)
    job = desk.world.job("x", "a b")
    assert desk.judge().changed(job) == ["a", "b"]
    desk.make(job)
    assert desk.judge().changed(job) == []
    desk.memory.touch("b")
    assert desk.judge().changed(job) == ["b"]
    desk.memory.remove("x")
    assert desk.judge().changed(job) == ["a", "b"]


def test_every_kind_that_is_documented_has_a_sentence() -> None:
    text = re.sub(r"\(.*?\)", "", (Reason.__doc__ or "").partition("concerned.")[2], flags=re.S)
    kinds = [each.strip() for each in text.replace("\n", " ").split(",") if each.strip()]
    assert len(kinds) > 10
    for kind in kinds:
        assert sentence(Reason(kind, "name", "1", "2"))


def test_a_time_of_another_day_has_its_date() -> None:
    """Two times of today, and one of long ago."""
    today, long_ago = time.time_ns(), 86_400 * 1_000_000_000
    both = sentence(Reason("input-newer", "a", str(today), str(today)))
    assert len(re.findall(r"\(\d\d:\d\d:\d\d\.\d{3}\)", both)) == 2
    other = sentence(Reason("input-newer", "a", str(long_ago), str(today)))
    assert re.search(r"the oldest target \(1970-01-0[12] \d\d:\d\d:\d\d\.\d{3}\)", other)
