"""The page of results, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from phases import PHASES
from records import Record, Results
from shapes import SHAPES
from suite import EXPONENT, GOALS, MEMORY, Goal, growth, reached

APART = "## Editors"  # from here on the page is written by hand, and by `watching.py`
WATCHING = "## Watching"  # the part that that one writes, the last one
HOW = """\
# Benchmarks

Pybuild beside GNU make, ninja and tools in Python: the same graphs, generated, each written down as
is usual for the tool. Figures are of whole processes. In each round every tool runs once, one after
the other, so that a drift of the machine hits all alike; a table shows medians, and a ratio is the
median of the ratios within a round. `CPU` is user and system time with all children, `own` that of
the tool's own process, children left out. `memory` is the peak of the largest single process. `jobs
run` is counted from outside: outputs that are another file than before. The page cache is warm;
builds run with `-j2`, pybuild is called by its installed command.

## How to repeat them

    pip install -e .[examples] ninja doit ruffus  # none is needed; nor snakemake, pypipegraph2
    python benchmarks/run.py --json all.json   # an hour or two
    python benchmarks/run.py --million --json million.json
    python benchmarks/run.py --from all.json million.json --write
    python benchmarks/watching.py --write      # seven minutes

`--only wide/noop` takes one piece, `--size` and `--rounds` change it, `--from` joins pieces,
`--small` tries everything at tiny sizes. Times of a shared machine move: compare ratios.

## Machine
"""


def page(results: Results, plot: str) -> str:
    """The whole page; `plot` is the file name of a picture, or empty."""
    return "\n".join(_lines(results, plot)).rstrip() + "\n"


def _lines(results: Results, plot: str) -> Iterator[str]:
    yield HOW
    yield from (f"- {text}" for text in results.machines)
    for tool, found in results.versions.items():
        yield f"- {tool} {', '.join(found)}"
    yield ""
    if plot:
        yield f"![A build with nothing to do: time against number of jobs]({plot})\n"
    for shape in dict.fromkeys(each.shape for each in results.records):
        yield f"## {shape}\n"
        yield f"{SHAPES[shape].__doc__}\n"
        for phase in PHASES.values():
            if records := results.find(shape, phase.name):
                yield f"### {shape}: {phase.title}\n"
                yield f"{phase.says}\n"
                yield from _table(records)
    yield from _growth(results)
    if wrong := results.wrong():
        yield "## What went wrong\n"
        yield from (f"- {line}" for line in wrong)


def _table(records: list[Record]) -> Iterator[str]:
    yield (
        "| jobs | tool | wall | CPU | own | memory | jobs run | rounds | pybuild / this: wall "
        "| CPU | goal |"
    )
    yield "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
    for record in records:
        for tool, figures in record.figures.items():
            yield _row(record, tool, len(figures))
    yield ""


def _row(record: Record, tool: str, rounds: int) -> str:
    ratios = ["", ""]
    if tool != "pybuild" and record.figures.get("pybuild"):
        ratios = [f"{record.ratio(tool, what):.3g}" for what in ("wall", "cpu")]
    own = record.median(tool, "own")
    cells = [
        f"{record.jobs:,}",
        tool,
        _seconds(record.median(tool, "wall")),
        _seconds(record.median(tool, "cpu")),
        _seconds(own) if own >= 0 else "",
        f"{record.median(tool, 'memory'):.1f} MB",
        _ran(record, tool),
        str(rounds),
        *ratios,
        "; ".join(_goals(record, tool)),
    ]
    return f"| {' | '.join(cells)} |"


def _ran(record: Record, tool: str) -> str:
    expected = record.expected[tool]
    counts = sorted({each.ran for each in record.figures[tool]})
    if counts == [expected]:
        return f"{expected:,}"
    return f"**{'/'.join(f'{each:,}' for each in counts)} of {expected:,}**"


def _goals(record: Record, tool: str) -> Iterator[str]:
    place = (record.shape, record.phase, record.size)
    for goal in GOALS:
        if (goal.shape, goal.phase, goal.size) == place and (goal.peer or "pybuild") == tool:
            figure = reached(goal, record)
            if figure is not None:
                yield _verdict(_bound(goal), figure <= goal.most, _of_own(goal, figure))


def _of_own(goal: Goal, figure: float) -> str:
    return f" ({figure:.2f} ms)" if goal.what == "own" else ""


def _bound(goal: Goal) -> str:
    if goal.peer:
        return f"{goal.most:.3g}"
    return {
        "wall": f"{goal.most:g} s",
        "memory": f"{goal.most:g} MB",
        "own": f"{goal.most:g} ms own CPU a job",
    }[goal.what]


def _verdict(bound: str, met: bool, more: str = "") -> str:
    return f"≤ {bound}: {'met' if met else '**missed**'}{more}"


def _growth(results: Results) -> Iterator[str]:
    rows = list(growth(results))
    if not rows:
        return
    yield "## Growth\n"
    yield (
        "Between the two largest sizes of each: the exponent of wall time (1 is linear; the goal "
        f"from 10,000 jobs on is {EXPONENT}), CPU a job, and memory a job above the start (the "
        f"goals are {MEMORY['noop']} KB with nothing to do and {MEMORY['cold']} KB cold).\n"
    )
    yield "| shape | phase | tool | sizes | exponent | CPU a job | memory a job | goal |"
    yield "|---|---|---|--:|--:|--:|--:|---|"
    for each in rows:
        verdicts = []
        if each.tool == "pybuild" and each.smaller >= 10_000:
            verdicts.append(_verdict(str(EXPONENT), each.exponent <= EXPONENT))
            if most := MEMORY.get(each.phase):
                verdicts.append(_verdict(f"{most} KB", each.memory <= most))
        yield (
            f"| {each.shape} | {PHASES[each.phase].title} | {each.tool} "
            f"| {each.smaller:,} - {each.larger:,} | {each.exponent:.2f} | {each.cpu:.1f} µs "
            f"| {each.memory:.2f} KB | {'; '.join(verdicts)} |"
        )
    yield ""


def _seconds(figure: float) -> str:
    return f"{figure:.2f} s" if figure >= 1 else f"{figure * 1000:.1f} ms"
