"""Large graphs: no recursion, and work that grows with the graph and no faster.

Steps are counted, not seconds.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from pybuild.engine.scheduler import Capacity, Close, Discard, Examine, Scheduler, Start, State
from pybuild.engine.staleness import Stale, UpToDate
from pybuild.files import Disk
from pybuild.graph import Graph, Job, Traits
from pybuild.names import Pattern
from pybuild.pipefile import instantiate
from pybuild.pipefile.binding import JobLookup
from pybuild.pipefile.load import Loaded
from pybuild.pipefile.upstream import Upstream
from pybuild.project import Opening, Project
from pybuild.source import Source, Span

HERE = Span(Source("Pipefile", "all: it\n"), 0, 3)
PLAIN = Traits("rule")
TEMPORARY = Traits("rule", temporary=True)
STALE = Stale(())
LARGE = 100_000
SMALL = 1_500  # counting calls costs much more than making them


class Recipe:
    """Enough of a recipe for a scheduler, which only asks whether there is one."""

    text_digest = values_digest = values_key = b""


def graph_of(edges: list[tuple[str, ...]], traits: Traits = PLAIN) -> Graph:
    """Jobs in the order given: each the name of its file, and then those of its inputs."""
    graph = Graph()
    for name, *inputs in edges:
        job = Job(name, (name,), traits, HERE, Recipe())  # type: ignore[arg-type]
        job.inputs = tuple(inputs)
        graph.add(job)
    return graph


def play(scheduler: Scheduler, *, early: bool = False) -> Counter[str]:
    """Does what the scheduler says until nothing is left; each job is stale and ends well.
    Counts actions."""
    counts: Counter[str] = Counter()
    running: deque[Job] = deque()
    closing = scheduler.next_close()
    while closing is not None:
        counts["Close"] += 1
        scheduler.closed(closing)
        closing = scheduler.next_close()
    assert early or scheduler.cycle() is None
    while True:
        action = scheduler.next_action()
        if action is None:
            if not running:
                return counts
            scheduler.finished(running.popleft(), True)
            counts["finished"] += 1
            continue
        counts[type(action).__name__] += 1
        if isinstance(action, Close):
            scheduler.closed(action.job)
        elif isinstance(action, Examine):
            scheduler.judged(action.job, STALE, early=action.early)
        elif isinstance(action, Start):
            running.append(action.job)
        else:
            assert isinstance(action, Discard)


def chain(length: int) -> list[tuple[str, ...]]:
    return [("0",), *((str(each), str(each - 1)) for each in range(1, length))]


def fan(width: int) -> list[tuple[str, ...]]:
    leaves = [str(each) for each in range(width)]
    return [*((each, "root") for each in leaves), ("root",), ("all", *leaves)]


def calls(
    scheduler: Scheduler, goal: Job, *, early: bool, counted: bool
) -> tuple[Counter[str], int]:
    """What was done, and how many Python calls that took, if that is counted."""
    made = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal made
        made += event == "call"

    if counted:
        sys.setprofile(count)
    try:
        scheduler.want([goal], goals=True)
        counts = play(scheduler, early=early)
    finally:
        sys.setprofile(None)
    return counts, made


@pytest.mark.parametrize("minimal", [False, True])
@pytest.mark.parametrize("traits", [PLAIN, TEMPORARY], ids=["plain", "temporary"])
@pytest.mark.parametrize("shape", [chain, fan])
def test_scheduler(shape: object, traits: Traits, minimal: bool) -> None:
    """100,000 jobs in a row, or side by side: each is closed, judged and started once."""
    found = {}
    for size in (SMALL, 10 * SMALL, LARGE):
        graph = graph_of(shape(size), traits)  # type: ignore[operator]
        scheduler = Scheduler(graph, Capacity(4), lambda job: None, minimal=minimal)
        counts, made = calls(scheduler, graph.jobs[-1], early=minimal, counted=size < LARGE)
        jobs = len(graph.jobs)
        assert counts["Close"] == counts["Start"] == counts["finished"] == jobs
        assert counts["Examine"] == jobs * (1 + minimal)
        assert counts["Discard"] == (jobs - 1 if traits is TEMPORARY else 0)
        assert scheduler.settled == jobs
        assert all(scheduler.state(job) == State.DONE for job in graph.jobs)
        found[size] = made / jobs
    assert found[10 * SMALL] < 1.2 * found[SMALL], found


def test_a_failure_skips_a_long_chain() -> None:
    graph = graph_of(chain(LARGE))
    scheduler = Scheduler(graph, Capacity(1), lambda job: None, keep_going=True)
    scheduler.want([graph.jobs[-1]], goals=True)
    while (job := scheduler.next_close()) is not None:
        scheduler.closed(job)
    action = scheduler.next_action()
    assert isinstance(action, Examine) and action.job is graph.jobs[0]
    scheduler.judged(action.job, STALE)
    action = scheduler.next_action()
    assert isinstance(action, Start)
    scheduler.finished(action.job, False)
    assert scheduler.next_action() is None
    assert scheduler.settled == LARGE
    assert all(scheduler.state(job) == State.SKIPPED for job in graph.jobs[1:])


def test_a_long_ring_is_found() -> None:
    edges = chain(LARGE)
    edges[0] = ("0", str(LARGE - 1))
    graph = graph_of(edges)
    scheduler = Scheduler(graph, Capacity(1), lambda job: None)
    scheduler.want([graph.jobs[-1]], goals=True)
    while (job := scheduler.next_close()) is not None:
        scheduler.closed(job)
    ring = scheduler.cycle()
    assert ring is not None and len(ring) == LARGE + 1


def test_a_long_chain_of_absent_files_is_made_again() -> None:
    """All is up to date and gone but for the last job, which is stale: all of it runs."""
    size = LARGE // 2
    graph = graph_of(chain(size), TEMPORARY)
    scheduler = Scheduler(graph, Capacity(1), lambda job: None)
    scheduler.want([graph.jobs[-1]], goals=True)
    started = 0
    while (job := scheduler.next_close()) is not None:
        scheduler.closed(job)
    while (action := scheduler.next_action()) is not None:
        if isinstance(action, Examine):
            last = action.job is graph.jobs[-1]
            scheduler.judged(action.job, STALE if last else UpToDate(absent=True))
        elif isinstance(action, Start):
            started += 1
            scheduler.finished(action.job, True)
    assert started == size


# -- loading -----------------------------------------------------------------------------------

PIPEFILE = """\
all: <five> <three>
one: one/<group>/<n>.one: src/<group>/<n>.txt
    cp <input> <output>
two: two/<basename>-<subdir[0]>.two: <one> config.txt
    cp <input> <output>
collate three: three/<group>.three: one/<group>/<n>.one
    cat <inputs> > <output>
four: four/<basename>.four: two/*.two three/x.three
    cp <input> <output>
five: five.txt: four/*.four
    cat <inputs> > <output>
"""


class CountingFiles(Disk):
    """The disk, and how often it was asked."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def listing(self, folder: str) -> tuple[list[str], list[str]]:
        self.counts[f"listing of {folder}"] += 1
        self.counts["listing"] += 1
        return super().listing(folder)


@pytest.fixture
def matches(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts the matches of patterns."""
    counts: Counter[str] = Counter()
    original = Pattern.match

    def match(self: Pattern, name: str) -> object:
        counts["match"] += 1
        return original(self, name)

    monkeypatch.setattr(Pattern, "match", match)
    yield counts


def loaded_project(folder: Path, files: int, monkeypatch: pytest.MonkeyPatch) -> CountingFiles:
    (folder / "Pipefile").write_text(PIPEFILE)
    (folder / "config.txt").touch()
    groups = "xyuv"
    for group in groups:
        (folder / "src" / group).mkdir(parents=True)
    for number in range(files):
        (folder / "src" / groups[number % 4] / f"{number}.txt").touch()
    monkeypatch.chdir(folder)
    return CountingFiles()


def load_all(files: CountingFiles, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Loads the Pipefile and closes all its jobs."""
    with monkeypatch.context() as patched:
        patched.setattr("pybuild.project.Disk", lambda: files)
        project = Project(Opening())
        project.open()
        found = project.loaded
    assert not found.diagnostics, found.diagnostics
    for job in list(found.world.graph.jobs):
        assert not found.world.close(job)
    return found


def test_many_rules_may_share_a_folder(
    tmp_path: Path, matches: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is held only against patterns that start and end as it does."""
    rules = [f"r{n}: out/<s>.{n}: src/<s>.in{n}\n  cp <input> <output>\n" for n in range(100)]
    (tmp_path / "Pipefile").write_text("".join(rules))
    (tmp_path / "src").mkdir()
    for number in range(1000):
        (tmp_path / "src" / f"{number}.in{number % 100}").touch()
    monkeypatch.chdir(tmp_path)
    found = load_all(CountingFiles(), monkeypatch)
    assert len(found.world.graph.jobs) == 1000
    assert matches["match"] <= 2 * 1000


def test_many_rules_beside_a_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a split may feed is not held against every rule."""
    calls: Counter[str] = Counter()
    original = Upstream._may_feed

    def may_feed(self: Upstream, *arguments: object) -> bool:
        calls["may feed"] += 1
        return original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Upstream, "_may_feed", may_feed)
    plain = [f"out/{n}: in/{n}\n  cp in/{n} out/{n}\n" for n in range(1000)]
    fed = ["up: up/<s>: parts/<s>.p\n  cp <input> <output>\n", "all.txt: <up>\n  cat <inputs>\n"]
    split = "split parts: parts/*.p: in/0\n  touch parts/a.p\n"
    (tmp_path / "Pipefile").write_text("".join([*plain, *fed, split]))
    (tmp_path / "in").mkdir()
    for number in range(1000):
        (tmp_path / "in" / str(number)).touch()
    monkeypatch.chdir(tmp_path)
    project = Project(Opening())
    project.open()
    world = project.loaded.world
    assert calls["may feed"] < 10
    above = {rule.label: [each.label for each in world._upstream.of(rule)] for rule in world._rules}
    assert {name for name, splits in above.items() if splits} == {"up", "all.txt"}
    assert above["up"] == above["all.txt"] == ["parts"]


def test_loading_is_linear(
    tmp_path: Path, matches: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 sources through 5 rules: no folder is listed twice, and each file is held against
    a few patterns."""
    per_file = {}
    for size in (1_000, 10_000):
        folder = tmp_path / str(size)
        folder.mkdir()
        files = loaded_project(folder, size, monkeypatch)
        matches.clear()
        found = load_all(files, monkeypatch)
        assert len(found.world.graph.jobs) == 3 * size + 4 + 1
        again = [name for name, count in files.counts.items() if count > 1 and " of " in name]
        assert not again, again
        assert files.counts["listing"] < 20
        per_file[size] = matches["match"] / size
    assert per_file[10_000] < 1.1 * per_file[1_000] + 1, per_file
    assert per_file[10_000] < 20, per_file


@pytest.mark.parametrize("bar", ["", "| "])
def test_a_long_list_of_words_is_looked_at_once(
    bar: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each word of a header could ask for is not gathered for words that ask for nothing."""
    words = [f"f{number}" for number in range(SMALL)]
    (tmp_path / "Pipefile").write_text(f"all: {bar}{' '.join(words)}\n    touch all\n")
    for word in words:
        (tmp_path / word).touch()
    gathered = 0

    def lookup(binding: object, inputs: tuple[str, ...], *others: object) -> JobLookup:
        nonlocal gathered
        gathered += len(inputs)
        return JobLookup(binding, inputs, *others)  # type: ignore[arg-type]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(instantiate, "JobLookup", lookup)
    found = load_all(CountingFiles(), monkeypatch)
    assert len(found.world.graph.jobs) == 1
    assert gathered <= SMALL
