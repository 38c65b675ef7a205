"""The engine's loop, with files in memory, a runner that is Python, and a real journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pybuild.engine.build import Build, Interrupted, Manner, NotUpToDate
from pybuild.engine.events import Complaint, Finished, Judged, Progress, Removed, Started, Summary
from pybuild.engine.scheduler import Capacity
from pybuild.engine.staleness import Level, Rules, UpToDate
from pybuild.engine.traces import Journal
from pybuild.files import Pretending
from pybuild.graph import Job
from pybuild.source import BuildError

from .memory import MemoryFiles
from .parts import FixedGrow, ListReport, MemoryRunner, TextRecipe, World, write_inputs


class Site:
    """A world that can be built again and again, each time with the journal read anew."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.world = World()
        self.files = self.world.files
        self.grow = FixedGrow(self.files)
        self.runner = MemoryRunner(self.files)
        self.report = ListReport()
        self.journal = Journal(self.path)
        self.build_now: Build | None = None

    def build(self, *goals: Job, files: Any = None, **manner: Any) -> Summary:
        """One build. Afterwards `runner.ran`, `report` and `journal` tell about this one alone."""
        self.journal = Journal(self.path)
        assert self.journal.complaint == ""
        self.report = ListReport()
        self.runner.ran.clear()
        self.grow.resolved.clear()
        self.build_now = Build(
            self.world.graph,
            self.grow,
            files or self.files,
            self.journal,
            lambda: self.runner,
            self.report,
            Manner(**manner),
        )
        try:
            return self.build_now.run(goals)
        finally:
            self.build_now.close()
            self.journal.close()

    def text(self, name: str) -> str:
        return self.files.read(name).decode()

    def known(self) -> Journal:
        return Journal(self.path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "state" / "journal")


def three(site: Site) -> Job:
    """`src` makes `a`, `a` makes `b`, `b` makes `c`."""
    site.files.write("src", "one")
    site.world.job("a", "src")
    site.world.job("b", "a")
    return site.world.job("c", "b")


def refuse(job: Job, files: MemoryFiles) -> str:
    return "exit status 1"


def do_nothing(job: Job, files: MemoryFiles) -> str:
    return ""


# -- what runs ------------------------------------------------------------------------------------


def test_all_that_is_missing_is_made(site: Site) -> None:
    found = site.build(three(site))
    assert site.runner.ran == ["a", "b", "c"]
    assert site.text("c") == "c(b(a(one)))"
    assert (found.ran, found.up_to_date, found.failures, found.skipped) == (3, 0, (), ())
    assert site.report.events[-1] == found


def test_the_second_build_runs_nothing_and_makes_no_runner(site: Site) -> None:
    goal = three(site)
    site.build(goal)
    site.runner.closed = False
    found = site.build(goal)
    assert site.runner.ran == []
    assert (found.ran, found.up_to_date) == (0, 3)
    assert not site.runner.closed
    assert site.report.of(Started) == []


def test_a_change_runs_what_follows_from_it(site: Site) -> None:
    goal = three(site)
    site.build(goal)
    site.files.write("src", "two")
    site.build(goal)
    assert site.runner.ran == ["a", "b", "c"]
    assert site.text("c") == "c(b(a(two)))"


def test_what_made_the_same_bytes_again_stops_there(site: Site) -> None:
    goal = three(site)

    def same(job: Job, files: MemoryFiles) -> str:
        files.write("a", "always the same")
        return ""

    site.runner.actions["a"] = same
    site.build(goal)
    site.files.write("src", "two")
    found = site.build(goal)
    assert site.runner.ran == ["a"]
    assert (found.ran, found.up_to_date) == (1, 2)
    site.build(goal)
    assert site.runner.ran == []


def test_below_level_four_there_is_no_early_stop(site: Site) -> None:
    goal = three(site)
    rules = Rules(Level.PARAMS)

    def same(job: Job, files: MemoryFiles) -> str:
        files.write("a", "always the same")
        return ""

    site.runner.actions["a"] = same
    site.build(goal, rules=rules)
    site.files.write("src", "two")
    site.build(goal, rules=rules)
    assert site.runner.ran == ["a", "b", "c"]


def test_events_come_in_order(site: Site) -> None:
    site.files.write("src")
    goal = site.world.job("a", "src")
    site.build(goal)
    kinds = [type(each) for each in site.report.of(Judged, Started, Finished, Summary)]
    assert kinds == [Judged, Started, Finished, Summary]


def test_a_recipe_is_told_what_has_changed(site: Site) -> None:
    for name in ("p", "q"):
        site.files.write(name)
    recipe = TextRecipe()
    goal = site.world.job("x", "p q", recipe=recipe)
    site.build(goal)
    site.files.write("q", "new")
    site.build(goal)
    assert recipe.changed == [("p", "q"), ("q",)]


def test_a_task_runs_each_time_and_leaves_no_record(site: Site) -> None:
    goal = site.world.job("", name="task", phony=True)
    for _ in range(2):
        assert site.build(goal).ran == 1
    assert site.known().trace("task") is None
    assert site.known().started("task") is None


def test_several_at_once(site: Site) -> None:
    names = [site.world.job(f"j{number}").name for number in range(5)]
    goal = site.world.job("all", " ".join(names))
    site.build(goal, capacity=Capacity(3))
    assert site.runner.most_at_once == 3


# -- failure --------------------------------------------------------------------------------------


def test_a_failure_stops_the_build_and_leaves_a_start_record(site: Site) -> None:
    goal = three(site)
    site.runner.actions["b"] = refuse
    found = site.build(goal)
    assert site.runner.ran == ["a", "b"]
    assert [each.job.name for each in found.failures] == ["b"]
    assert found.failures[0].error == "exit status 1"
    assert found.failures[0].tail == ("b says exit status 1",)
    assert [job.name for job in found.skipped] == ["c"]
    assert found.stopped
    assert site.known().started("b") is not None
    assert site.known().trace("b") is None
    assert site.known().trace("a") is not None


@pytest.mark.parametrize("level", list(Level))
def test_a_failed_job_runs_again_whatever_its_times(site: Site, level: Level) -> None:
    site.files.write("src", "one")
    goal = site.world.job("a", "src")
    rules = Rules(level)
    site.build(goal, rules=rules)

    def half(job: Job, files: MemoryFiles) -> str:
        files.write("a", "half")
        return "killed"

    site.runner.actions["a"] = half
    site.files.write("src", "two")
    site.build(goal, rules=rules)
    assert site.text("a") == "half", "what a failed job leaves is kept"
    del site.runner.actions["a"]
    site.build(goal, rules=rules)
    assert site.runner.ran == ["a"]
    assert site.text("a") == "a(two)"


def test_keep_going(site: Site) -> None:
    for name in ("bad", "good"):
        site.world.job(name)
    site.world.job("b", "bad")
    goal = site.world.job("all", "b good")
    site.runner.actions["bad"] = refuse
    found = site.build(goal, keep_going=True)
    assert site.runner.ran == ["bad", "good"]
    assert {job.name for job in found.skipped} == {"b", "all"}
    assert not found.stopped


@pytest.mark.parametrize("how", ["attribute", "prefix", "option"])
def test_an_ignored_error_counts_as_done(site: Site, how: str) -> None:
    recipe = TextRecipe()
    manner: dict[str, Any] = {"ignore_errors": True} if how == "option" else {}
    if how == "prefix":
        recipe.flags["ignore_errors"] = True
    site.world.job("a", recipe=recipe, ignore_errors=how == "attribute")
    goal = site.world.job("b", "a")

    def late(job: Job, files: MemoryFiles) -> str:
        write_inputs(job, files)
        return "exit status 3"

    site.runner.actions["a"] = late
    found = site.build(goal, **manner)
    assert site.runner.ran == ["a", "b"]
    assert found.failures == ()
    (ended, _) = site.report.of(Finished)
    assert (ended.ignored, ended.error) == (True, "exit status 3")
    site.build(goal, **manner)
    assert site.runner.ran == []


def test_a_target_that_was_not_made_is_an_error(site: Site) -> None:
    goal = three(site)
    site.runner.actions["b"] = do_nothing
    found = site.build(goal)
    assert len(found.failures) == 1
    assert "`b`" in found.failures[0].error
    assert "did not make" in found.failures[0].error
    assert site.known().started("b") is not None
    assert site.known().trace("b") is None


def test_one_target_of_two_that_was_not_made_is_an_error(site: Site) -> None:
    goal = site.world.job("x y")

    def one(job: Job, files: MemoryFiles) -> str:
        files.write("x")
        return ""

    site.runner.actions["x"] = one
    found = site.build(goal)
    assert "`y`" in found.failures[0].error


def test_a_missing_target_of_the_last_run_is_no_target_of_this_one(site: Site) -> None:
    """A file that is there because an earlier run made it does not hide that it was not made."""
    goal = site.world.job("x")
    site.build(goal)
    site.files.remove("x")
    site.runner.actions["x"] = do_nothing
    assert len(site.build(goal).failures) == 1


@pytest.mark.parametrize(("retries", "bad", "ok"), [(0, 1, False), (2, 2, True), (2, 3, False)])
def test_retries(site: Site, retries: int, bad: int, ok: bool) -> None:
    left = [bad]

    def flaky(job: Job, files: MemoryFiles) -> str:
        left[0] -= 1
        return "not yet" if left[0] >= 0 else write_inputs(job, files)

    site.runner.actions["a"] = flaky
    site.world.job("a", retries=retries)
    found = site.build(site.world.job("b", "a"))
    tries = min(bad + 1, retries + 1)
    assert site.runner.ran == ["a"] * tries + (["b"] if ok else [])
    assert bool(found.failures) is not ok
    assert [each.attempt for each in site.report.of(Started)][:tries] == list(range(1, tries + 1))
    assert [each.again for each in site.report.of(Finished)][:tries] == [True] * (tries - 1) + [
        False
    ]
    assert (site.known().started("a") is None) is ok


def test_an_error_while_looking_at_a_file_fails_the_job_alone(site: Site) -> None:
    site.files.write("secret")
    site.world.job("a", "secret")
    site.world.job("b")
    goal = site.world.job("all", "a b")
    site.files.broken.add("secret")
    found = site.build(goal, keep_going=True)
    assert site.runner.ran == ["b"]
    assert [each.job.name for each in found.failures] == ["a"]
    (complaint,) = site.report.of(Complaint)
    assert "`secret`" in complaint.diagnostic.message
    assert complaint.diagnostic.span is not None


# -- the plan -------------------------------------------------------------------------------------


def test_a_cycle_is_found_before_anything_runs(site: Site) -> None:
    site.world.job("a", "c")
    site.world.job("b", "a")
    site.world.job("c", "b")
    site.world.job("first")
    goal = site.world.job("all", "first c")
    with pytest.raises(BuildError, match="need each other"):
        site.build(goal)
    assert site.runner.ran == []
    assert not Path(site.path).exists()


def complain_about(*names: str) -> Any:
    def closing(job: Job) -> None:
        if job.name in names:
            from pybuild.source import Diagnostic

            raise BuildError(Diagnostic("PB9", f"no rule for `{job.name}`", job.origin))

    return closing


def test_all_mistakes_are_told_before_anything_runs(site: Site) -> None:
    for name in ("a", "b", "c"):
        site.world.job(name)
    goal = site.world.job("all", "a b c")
    site.grow.closing = complain_about("a", "c")
    with pytest.raises(BuildError) as raised:
        site.build(goal)
    assert [each.message for each in raised.value.diagnostics] == [
        "no rule for `a`",
        "no rule for `c`",
    ]
    assert "`all`" in raised.value.diagnostics[0].notes[-1].message
    assert site.runner.ran == []


def test_with_keep_going_a_mistake_costs_what_depends_on_it(site: Site) -> None:
    for name in ("a", "b"):
        site.world.job(name)
    goal = site.world.job("all", "a b")
    site.grow.closing = complain_about("a")
    found = site.build(goal, keep_going=True)
    assert site.runner.ran == ["b"]
    assert len(site.report.of(Complaint)) == 1
    assert [each.job.name for each in found.failures] == ["a"]


def test_a_question_is_answered_without_running_anything(site: Site) -> None:
    goal = three(site)
    with pytest.raises(NotUpToDate):
        site.build(goal, question=True, records=False)
    assert site.runner.ran == []
    site.build(goal)
    assert site.build(goal, question=True, records=False).ran == 0


def test_a_dry_run_changes_nothing(site: Site) -> None:
    goal = three(site)
    files = Pretending(site.files, site.files.now_ns)
    found = site.build(goal, files=files, dry=True, records=False)
    assert found.ran == 3
    assert [each.job.name for each in site.report.of(Started)] == ["a", "b", "c"]
    assert site.runner.ran == []
    assert site.files.names() == ["src"]
    assert not Path(site.path).exists()


# -- interrupted ----------------------------------------------------------------------------------


def test_a_signal_ends_the_build_and_keeps_what_was_done(site: Site) -> None:
    goal = three(site)

    def hit(job: Job, files: MemoryFiles) -> str:
        build = site.build_now
        assert build is not None
        build.interrupt(2)
        return write_inputs(job, files)

    site.runner.actions["b"] = hit
    with pytest.raises(Interrupted) as raised:
        site.build(goal)
    assert raised.value.signum == 2
    assert site.runner.ran == ["a", "b"]
    assert site.known().trace("a") is not None
    del site.runner.actions["b"]
    site.build(goal)
    assert site.runner.ran in (["b", "c"], ["c"])


def test_a_job_that_was_cut_off_runs_again(site: Site) -> None:
    site.world.job("a")
    site.world.job("b")
    goal = site.world.job("all", "a b")

    def hit(job: Job, files: MemoryFiles) -> str:
        build = site.build_now
        assert build is not None
        files.write("b", "half")
        build.interrupt(15)
        return write_inputs(job, files)

    site.runner.actions["a"] = hit
    with pytest.raises(Interrupted):
        site.build(goal, capacity=Capacity(2))
    assert site.runner.stopped == 15
    assert site.known().started("b") is not None
    del site.runner.actions["a"]
    site.build(goal, capacity=Capacity(2))
    assert site.runner.ran == ["b", "all"]


# -- depfiles -------------------------------------------------------------------------------------


def compiled(site: Site) -> Job:
    site.files.write("m.c", "main")
    site.files.write("m.h", "one")

    def compile(job: Job, files: MemoryFiles) -> str:
        files.write("m.d", "m.o: m.c \\\n m.h\n")
        return write_inputs(job, files)

    site.runner.actions["m.o"] = compile
    return site.world.job("m.o", "m.c", depfile="m.d")


def test_what_a_depfile_names_counts_next_time(site: Site) -> None:
    goal = compiled(site)
    site.build(goal)
    trace = site.known().trace("m.o")
    assert trace is not None
    assert trace.discovered == ("m.h",), "m.c is declared and needs no second mention"
    site.build(goal)
    assert site.runner.ran == []
    site.files.write("m.h", "two")
    site.build(goal)
    assert site.runner.ran == ["m.o"]
    site.files.touch("m.h")
    site.build(goal)
    assert site.runner.ran == []


def test_a_discovered_file_that_is_gone_makes_its_job_run(site: Site) -> None:
    goal = compiled(site)
    site.build(goal)
    site.files.remove("m.h")
    site.build(goal)
    assert site.runner.ran == ["m.o"]


def test_a_depfile_that_was_not_written_is_no_error(site: Site) -> None:
    goal = compiled(site)
    site.runner.actions["m.o"] = write_inputs
    assert site.build(goal).failures == ()


def test_a_generated_header_that_is_found_by_a_depfile_is_judged_by_its_content(site: Site) -> None:
    goal = compiled(site)
    site.files.write("h.in", "x")
    site.world.job("gen.h", "h.in")
    goal.order_only = ("gen.h",)

    def compile(job: Job, files: MemoryFiles) -> str:
        files.write("m.d", "m.o: m.c gen.h\n")
        return write_inputs(job, files)

    site.runner.actions["m.o"] = compile
    site.build(goal)
    site.files.write("h.in", "y")
    site.build(goal)
    assert site.runner.ran == ["gen.h", "m.o"]
    site.build(goal)
    assert site.runner.ran == []


# -- splits ---------------------------------------------------------------------------------------


def sharded(site: Site, count: list[int]) -> Job:
    """`src` is split into `count` shards; each has an index; `all` needs every index."""
    site.files.write("src", "one")
    split = site.world.job("", "src", name="shard", patterns="p/*")
    goal = site.world.job("all")
    site.grow.waits["all"] = [split]

    def cut(job: Job, files: MemoryFiles) -> str:
        for number in range(count[0]):
            files.write(f"p/{number}", f"{number} of {files.read('src').decode()}")
        return ""

    def grown(job: Job, outputs: tuple[str, ...]) -> None:
        for name in outputs:
            if f"i/{name}" not in site.world.graph.producer:
                site.world.graph.producer[name] = job
                site.world.job(f"i/{name}", name)
        goal.inputs = tuple(f"i/{name}" for name in outputs)

    site.runner.actions["shard"] = cut
    site.grow.grown = grown
    return goal


def test_a_split_and_what_follows_from_it(site: Site) -> None:
    goal = sharded(site, [2])
    site.build(goal)
    assert site.runner.ran == ["shard", "i/p/0", "i/p/1", "all"]
    site.build(goal)
    assert site.runner.ran == []


def test_what_a_split_left_earlier_is_taken_away(site: Site) -> None:
    count = [3]
    goal = sharded(site, count)
    site.files.write("p/stranger", "not ours")
    site.build(goal)
    assert goal.inputs == ("i/p/0", "i/p/1", "i/p/2")
    count[0] = 1
    site.files.write("src", "two")
    site.build(goal)
    assert [each for each in site.files.names() if each.startswith("p/")] == ["p/0", "p/stranger"]
    assert [set(each.names) for each in site.report.of(Removed)] == [{"p/0", "p/1", "p/2"}]
    assert site.runner.ran == ["shard", "i/p/0", "all"]


def test_a_split_that_makes_nothing(site: Site) -> None:
    goal = sharded(site, [0])
    found = site.build(goal)
    assert found.failures == ()
    assert site.runner.ran == ["shard", "all"]
    site.build(goal)
    assert site.runner.ran == []


def test_a_split_that_failed_half_way_leaves_nothing_behind_the_next_time(site: Site) -> None:
    count = [1]
    goal = sharded(site, count)
    cut = site.runner.actions["shard"]

    def half(job: Job, files: MemoryFiles) -> str:
        files.write("p/7", "half")
        return "killed"

    site.runner.actions["shard"] = half
    site.build(goal)
    assert site.text("p/7") == "half"
    site.runner.actions["shard"] = cut
    site.build(goal)
    assert [each for each in site.files.names() if each.startswith("p/")] == ["p/0"]


def test_progress_counts_what_has_a_recipe(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files.write("src", "one")
    site.world.job("x", "src")
    site.world.job("y", "x")
    both = site.world.job("both", "x y", recipe=None)
    goal = site.world.job("all", "both", recipe=None)
    # Only who shows time passing is told of progress.
    monkeypatch.setattr(ListReport, "interval", 1.0)
    site.build(goal, both)
    told = [(each.done, each.wanted) for each in site.report.of(Progress)]
    assert {wanted for _, wanted in told} == {2}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0] == (0, 2) and told[-1] == (2, 2)


# -- temporary, protected, atomic -----------------------------------------------------------------


def test_a_temporary_file_goes_and_need_not_come_back(site: Site) -> None:
    site.files.write("src", "one")
    site.world.job("t", "src", temporary=True)
    goal = site.world.job("x", "t")
    site.build(goal)
    assert site.files.names() == ["src", "x"]
    site.build(goal)
    assert site.runner.ran == []
    site.files.remove("x")
    site.build(goal)
    assert site.runner.ran == ["t", "x"]
    assert site.text("x") == "x(t(one))"
    assert site.files.names() == ["src", "x"]


def test_a_temporary_file_with_new_contents_makes_its_users_run(site: Site) -> None:
    site.files.write("src", "one")
    site.world.job("t", "src", temporary=True)
    goal = site.world.job("x", "t")
    site.build(goal)
    site.files.write("src", "two")
    site.build(goal)
    assert site.runner.ran == ["t", "x"]
    assert site.text("x") == "x(t(two))"


def test_a_protected_file_is_not_overwritten(site: Site) -> None:
    site.files.write("src", "one")
    goal = site.world.job("x", "src", protected=True)
    site.build(goal)
    assert not site.files.is_writable("x")
    site.files.write("src", "two")
    found = site.build(goal)
    assert len(found.failures) == 1
    assert site.text("x") == "x(one)"
    assert site.build(goal, rules=Rules(forced={"x"})).failures == ()
    assert site.text("x") == "x(two)"


def test_an_atomic_job_leaves_the_old_file_when_it_fails(site: Site) -> None:
    site.files.write("src", "one")
    recipe = TextRecipe()
    goal = site.world.job("x", "src", atomic=True, recipe=recipe)
    targets: list[str] = []
    expand = recipe.expand

    def remember(job: Job, changed: Any, outputs: Any) -> Any:
        targets[:] = outputs
        return expand(job, changed, outputs)

    recipe.expand = remember  # type: ignore[method-assign]

    def good(job: Job, files: MemoryFiles) -> str:
        files.write(targets[0], "whole")
        return ""

    def bad(job: Job, files: MemoryFiles) -> str:
        files.write(targets[0], "half")
        return "killed"

    site.runner.actions["x"] = good
    site.build(goal)
    assert targets != ["x"]
    assert site.text("x") == "whole"
    assert site.files.names() == ["src", "x"]
    site.runner.actions["x"] = bad
    site.files.write("src", "two")
    site.build(goal)
    assert site.text("x") == "whole"


# -- hooks ----------------------------------------------------------------------------------------


def test_a_hook_runs_once_after_the_last_job_if_one_ran(site: Site) -> None:
    for number in range(3):
        site.files.write(f"s{number}")
        site.world.job(f"x{number}", f"s{number}", rule="many", hooks=("echo done",))
    goal = site.world.job("", "x0 x1 x2", name="all", recipe=None)
    site.build(goal)
    assert site.runner.hooks == ["echo done"]
    site.build(goal)
    assert site.runner.hooks == ["echo done"]
    site.files.write("s1", "new")
    site.build(goal)
    assert site.runner.hooks == ["echo done"] * 2


def test_a_hook_does_not_run_after_a_failure_of_its_rule(site: Site) -> None:
    for number in range(2):
        site.world.job(f"x{number}", rule="many", hooks=("echo done",))
    goal = site.world.job("", "x0 x1", name="all", recipe=None)
    site.runner.actions["x1"] = refuse
    site.build(goal, keep_going=True)
    assert site.runner.hooks == []


# -- minimal --------------------------------------------------------------------------------------


def test_minimal_takes_an_up_to_date_target_as_it_is(site: Site) -> None:
    goal = three(site)
    site.build(goal)
    for name in ("src", "a"):
        site.files.remove(name)
    found = site.build(goal, minimal=True)
    assert site.runner.ran == []
    assert isinstance(site.report.of(Judged)[0].verdict, UpToDate)
    assert found.up_to_date == 1


def test_minimal_makes_a_direct_prerequisite_that_is_missing(site: Site) -> None:
    goal = three(site)
    site.build(goal)
    site.files.remove("b")
    site.build(goal, minimal=True)
    assert "b" in site.runner.ran
    assert site.text("b") == "b(a(one))"
