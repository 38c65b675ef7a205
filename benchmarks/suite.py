"""What is measured, at which sizes, and what we want to reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from phases import PHASES
from records import Record, Results, exponent


class Case(NamedTuple):
    """Phases of one shape at some sizes."""

    shape: str
    sizes: tuple[int, ...]
    phases: tuple[str, ...] = tuple(PHASES)


QUICK = ("dry", "load", "nothing", "noop", "edit")
PARSING = ("dry", "load", "nothing", "noop")
SPAWNING = ("cold", "noop", "edit", "same", "touch")

CASES = [
    Case("wide", (1000, 10_000, 100_000)),
    Case("chain", (1000, 10_000)),
    Case("layers", (1000, 10_000)),
    Case("layers", (100_000,), QUICK),
    Case("c", (1000, 10_000)),
    Case("pipeline", (1000, 10_000)),
    Case("shell", (1000, 10_000), ("cold",)),
    Case("explicit", (500, 5000), PARSING),
    Case("python", (100, 1000, 10_000, 100_000), SPAWNING),
    Case("wide", (10, 100), ("noop",)),
]

MILLION = [Case("empty", (1_000_000,), ("cold", "noop"))]

SMALL = [
    Case("wide", (10, 20)),
    Case("chain", (8,)),
    Case("layers", (24,)),
    Case("c", (10,)),
    Case("pipeline", (18,)),
    Case("shell", (8,), ("cold",)),
    Case("explicit", (8,), PARSING),
    Case("python", (10,), SPAWNING),
    Case("empty", (10,), ("cold", "noop")),
]


def chosen(cases: list[Case], only: list[str], sizes: list[int]) -> Iterator[Case]:
    """The cases that `SHAPE/PHASE`, `SHAPE` or `/PHASE` name; with sizes, at these instead."""
    pairs = [(text.partition("/")[0], text.partition("/")[2]) for text in only] or [("", "")]
    seen: set[tuple[str, str]] = set()
    for case in cases:
        phases = tuple(
            name
            for name in case.phases
            if any(shape in ("", case.shape) and phase in ("", name) for shape, phase in pairs)
            and not (sizes and (case.shape, name) in seen)
        )
        if phases:
            seen |= {(case.shape, name) for name in phases}
            yield Case(case.shape, tuple(sizes) or case.sizes, phases)


class Goal(NamedTuple):
    """At most so much of a figure: as a ratio to a peer, or, without one, of pybuild alone."""

    shape: str
    phase: str
    size: int
    most: float
    peer: str = ""
    what: str = "wall"  # or "memory" (MB), "own" (ms of CPU a job)


GOALS = [
    Goal("wide", "noop", 1000, 3.0, "ninja"),
    Goal("wide", "noop", 10_000, 1.1, "ninja"),
    Goal("wide", "noop", 10_000, 0.03, "make"),
    Goal("layers", "noop", 10_000, 1.1, "ninja"),
    Goal("c", "noop", 10_000, 1.1, "ninja"),
    Goal("wide", "noop", 100_000, 0.9, "ninja"),
    Goal("wide", "edit", 10_000, 1.2, "ninja"),
    Goal("wide", "edit", 100_000, 1.0, "ninja"),
    Goal("layers", "same", 1000, 0.1, "ninja"),
    Goal("wide", "cold", 1000, 0.8, "ninja"),
    Goal("wide", "cold", 10_000, 0.8, "ninja"),
    Goal("wide", "cold", 1000, 1.15, "make -rR"),
    Goal("wide", "cold", 10_000, 1.15, "make -rR"),
    Goal("wide", "cold", 1000, 0.25, what="own"),
    Goal("wide", "cold", 10_000, 0.25, what="own"),
    Goal("shell", "cold", 10_000, 1.2, "ninja"),
    Goal("python", "cold", 10_000, 1.0),
    Goal("python", "cold", 100, 0.01, "snakemake"),
    Goal("python", "cold", 1000, 0.01, "pypipegraph2"),
    Goal("python", "cold", 10_000, 1 / 3, "doit"),
    *(
        Goal("python", phase, size, 0.2, peer)
        for size in (1000, 10_000)
        for peer in ("ruffus", "pypipegraph2")
        for phase in ("cold", "noop", "edit")
    ),
    Goal("wide", "dry", 10_000, 2.0, "ninja"),
    Goal("wide", "load", 100_000, 3.0),
    Goal("explicit", "load", 5000, 0.5),
    Goal("empty", "noop", 1_000_000, 4.0),
    Goal("empty", "noop", 1_000_000, 600.0, what="memory"),
]

EXPONENT = 1.05  # of pybuild, every phase, from 10,000 to 100,000
MEMORY = {"noop": 0.2, "cold": 1.7}  # KB a job above the start


def reached(goal: Goal, record: Record) -> float | None:
    """The figure that a goal is about; None if it was not measured."""
    if not all(record.figures.get(tool) for tool in {"pybuild", goal.peer or "pybuild"}):
        return None
    if goal.peer:
        return record.ratio(goal.peer, goal.what)
    figure = record.median("pybuild", goal.what)
    if goal.what != "own":
        return figure
    return figure / record.jobs * 1000 if figure >= 0 else None


class Growth(NamedTuple):
    """What a phase costs one tool more at a larger size: the exponent of wall time, microseconds of
    CPU a job, KB of memory a job."""

    shape: str
    phase: str
    tool: str
    smaller: int
    larger: int
    exponent: float
    cpu: float
    memory: float


def growth(results: Results) -> Iterator[Growth]:
    """Between the two largest sizes at which a tool was measured."""
    for shape, phase in dict.fromkeys((each.shape, each.phase) for each in results.records):
        records = results.find(shape, phase)
        for tool in dict.fromkeys(tool for each in records for tool in each.figures):
            pair = [each for each in records if each.figures.get(tool)][-2:]
            if len(pair) < 2:
                continue
            small, large = pair
            more = large.jobs - small.jobs
            yield Growth(
                shape,
                phase,
                tool,
                small.size,
                large.size,
                exponent(
                    [each.jobs for each in pair], [each.median(tool, "wall") for each in pair]
                ),
                (large.median(tool, "cpu") - small.median(tool, "cpu")) / more * 1e6,
                (large.median(tool, "memory") - small.median(tool, "memory")) / more * 1024,
            )
