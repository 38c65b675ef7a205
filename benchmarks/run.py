"""Measures pybuild beside other build tools, in turn, on generated projects.

    python benchmarks/run.py --json FILE           all but the million jobs: an hour or two
    python benchmarks/run.py --from FILE ... --write    docs/benchmarks.md from what was measured
    python benchmarks/run.py --only wide/noop --size 1000
    python benchmarks/watching.py --write          what `--watch` takes, to the same page
    python benchmarks/run.py --small               everything at tiny sizes, to see that it works

The exit status is 1 if a tool failed or did not run the jobs that it had to.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from meter import Meter
from page import APART, page
from phases import PHASES
from records import Record, Results, machine, merge, read
from shapes import SHAPES
from suite import CASES, MILLION, SMALL, Case, chosen
from tools import TOOLS, Tool
from trial import Trial

DOCS = Path(__file__).parents[1] / "docs"
SLOW = ("snakemake", "pypipegraph2")  # seconds for each start: not for --small, unless asked for


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", nargs="+", default=[], metavar="SHAPE/PHASE", help="or SHAPE, or /PHASE")
    add("--size", nargs="+", type=int, default=[], metavar="N", help="instead of the usual sizes")
    add("--tools", nargs="+", default=[], metavar="TOOL", help=", ".join(TOOLS))
    add("--peers", nargs="+", default=[], metavar="FOLDER", help="look for tools here first")
    add("--rounds", type=int, default=10, help="of phases like a no-op (10)")
    add("--cold-rounds", type=int, help="of phases like a cold build (3; above 10,000 jobs 1)")
    add("--million", action="store_true", help="a million jobs, and nothing else")
    add("--small", action="store_true", help="everything at tiny sizes")
    add("--limit", type=float, metavar="S", help="seconds for one run (900; a million jobs 7200)")
    add("--work", metavar="FOLDER", help="where projects are made (the temporary folder)")
    add("--json", type=Path, metavar="FILE", help="write the results here, after each phase")
    add(
        "--from", dest="sources", nargs="+", type=Path, metavar="FILE", help="measure nothing: read"
    )
    add(
        "--write",
        nargs="?",
        const=DOCS,
        type=Path,
        metavar="FOLDER",
        help="write benchmarks.md and benchmarks.svg (to docs)",
    )
    return parser


def present(names: list[str], peers: list[str]) -> list[Tool]:
    """The tools that are here: in the folders given, beside this Python, on the path."""
    path = os.pathsep.join(
        [*peers, os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
    )
    found: list[Tool] = []
    for name in names:
        try:
            found.append(TOOLS[name](path))
        except LookupError as error:
            say(f"{name} is left out: {error.args[0]} is not there")
    return found


def measure(
    cases: list[Case], tools: list[Tool], options: argparse.Namespace, work: Path
) -> Iterator[Record]:
    meter = Meter(work, options.limit or (7200 if options.million else 900))
    if not meter.compiled:
        say("no C compiler: memory below that of Python (9 MB) can't be seen")
    for case in cases:
        for size in case.sizes:
            cold = options.cold_rounds or (3 if size <= 10_000 else 1)
            trial = Trial(SHAPES[case.shape](size), tools, meter, work / "trial", say)
            yield from trial.phases(case.phases, options.rounds, cold)
            trial.close()


def run(options: argparse.Namespace) -> Results:
    """Measures what was asked for."""
    cases = SMALL if options.small else MILLION if options.million else CASES
    wanted = list(chosen(cases, options.only, options.size))
    names = options.tools or [each for each in TOOLS if not (options.small and each in SLOW)]
    tools = present(names, options.peers)
    if options.small:
        options.rounds, options.cold_rounds = 2, 1
    versions = {tool.name: [tool.version()] for tool in tools}
    results = Results([machine()], versions, options.small, [])
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.work) as work:
        for record in measure(wanted, tools, options, Path(work)):
            results.records.append(record)
            if options.json:
                results.save(options.json)
    return results


def write(results: Results, folder: Path) -> None:
    from plot import draw

    drawn = draw(results, folder / "benchmarks.svg")
    text = page(results, "benchmarks.svg" if drawn else "")
    file = folder / "benchmarks.md"
    if file.exists():
        _, title, rest = file.read_text(encoding="utf-8").partition(APART)
        text += "\n" * bool(title) + title + rest
    file.write_text(text, encoding="utf-8")


def main() -> int:
    parser = arguments()
    options = parser.parse_args()
    for text in options.only:
        shape, _, phase = text.partition("/")
        if (shape and shape not in SHAPES) or (phase and phase not in PHASES):
            parser.error(f"{text}: shapes are {', '.join(SHAPES)}; phases {', '.join(PHASES)}")
    if unknown := [name for name in options.tools if name not in TOOLS]:
        parser.error(f"no tool {', '.join(unknown)}; there are {', '.join(TOOLS)}")
    if options.small and options.write:
        parser.error("--small is not for the page")
    results = merge(map(read, options.sources)) if options.sources else run(options)
    if results.small and options.write == DOCS:
        parser.error("these are results of --small, which are not for the page")
    if options.write:
        write(results, options.write)
    else:
        print(page(results, ""))
    for line in results.wrong():
        say(f"wrong: {line}")
    return 1 if results.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
