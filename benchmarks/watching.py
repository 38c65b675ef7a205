"""Measures how long it takes from the end of a write to the start of the recipe: `pybuild --watch`
beside a loop of entr and make, and Task's watch.

    python benchmarks/watching.py                     200 edits in a project of 10,000 jobs
    python benchmarks/watching.py --jobs 100 --edits 5 --idle 1
    python benchmarks/watching.py --write             the table goes to docs/benchmarks.md too

The time of an edit is taken after the file was closed; that of the recipe by the recipe, which is
`date` alone, so that the start of a shell and of `date` counts for all.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from page import WATCHING

DOCS = Path(__file__).parents[1] / "docs"
PATIENCE = 10.0  # seconds for one edit; after that it counts as missed
MOST_MISSED = 5
LONGEST = 150.0  # seconds for all edits of one tool; the table says how many there were

PIPEFILE = """\
all: out/*.t
out/<n>.t: src/<n>.c
    date +%s.%N > <output>
"""
MAKEFILE = """\
sources := $(wildcard src/*.c)
all: $(sources:src/%.c=out/%.t)
out/%.t: src/%.c
\tdate +%s.%N > $@
"""


class Tool(NamedTuple):
    """A way to watch: how the project is written down, what builds all of it, and what watches."""

    name: str
    needs: tuple[str, ...]
    write: Callable[[Path, int], None]
    build: str
    watch: str


def write_pipefile(folder: Path, _: int) -> None:
    (folder / "Pipefile").write_text(PIPEFILE)


def write_makefile(folder: Path, _: int) -> None:
    (folder / "Makefile").write_text(MAKEFILE)


def write_taskfile(folder: Path, jobs: int) -> None:
    lines = ["version: '3'", "tasks:", "  default:", "    deps:"]
    lines += [f"      - t{number}" for number in range(jobs)]
    for number in range(jobs):
        lines += [
            f"  t{number}:",
            f"    cmds: ['date +%s.%N > out/f{number}.t']",
            f"    sources: [src/f{number}.c]",
            f"    generates: [out/f{number}.t]",
        ]
    (folder / "Taskfile.yml").write_text("\n".join(lines) + "\n")


TOOLS = (
    Tool("pybuild --watch", ("pybuild",), write_pipefile, "pybuild -s", "pybuild --watch"),
    Tool(
        "entr and make -rR",
        ("entr", "make"),
        write_makefile,
        "make -rRs",
        "find src -name '*.c' | entr -n -p make -rRs",
    ),
    Tool("task --watch", ("task",), write_taskfile, "task -s -C 2", "task -s -C 2 --watch"),
)


class Result(NamedTuple):
    """Seconds from each write to its recipe, and the share of a processor when nothing happens."""

    tool: str
    seconds: list[float]
    missed: int
    idle: float

    def row(self) -> str:
        """A row of the table."""
        ordered = sorted(self.seconds)
        worst = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
        cells = [
            self.tool,
            str(len(ordered)),
            str(self.missed),
            *(f"{1000 * each:.0f} ms" for each in (statistics.median(ordered), worst, ordered[-1])),
            f"{100 * self.idle:.2f} %",
        ]
        return f"| {' | '.join(cells)} |"


HEADER = [
    "| tool | edits | missed | median | 99th percentile | slowest | CPU while nothing happens |",
    "|---|--:|--:|--:|--:|--:|--:|",
]


def make_project(folder: Path, jobs: int) -> None:
    """The sources, and a folder for what is made."""
    for name in ("src", "out"):
        (folder / name).mkdir(parents=True)
    for number in range(jobs):
        (folder / f"src/f{number}.c").write_text(str(number))


def measure(tool: Tool, folder: Path, options: argparse.Namespace) -> Result:
    """Builds all, watches, and edits one file after the other. Raises RuntimeError if nothing
    happens."""
    make_project(folder, options.jobs)
    tool.write(folder, options.jobs)
    subprocess.run(tool.build, shell=True, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    watcher = subprocess.Popen(
        ["sh", "-c", tool.watch],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        time.sleep(options.settle)
        began, before = time.monotonic(), cpu_of(watcher.pid)
        time.sleep(options.idle)
        idle = (cpu_of(watcher.pid) - before) / (time.monotonic() - began)
        took = list(edits(folder, options))
    finally:
        os.killpg(watcher.pid, signal.SIGTERM)
        watcher.wait()
    seconds = [each for each in took if each is not None]
    if not seconds:
        raise RuntimeError("nothing was made anew")
    return Result(tool.name, seconds, len(took) - len(seconds), idle)


def edits(folder: Path, options: argparse.Namespace) -> Iterator[float | None]:
    """The seconds that each edit took, None for one that started nothing; not many of those."""
    missed = 0
    dice = random.Random(1)
    end = time.monotonic() + LONGEST
    for number in range(options.edits):
        name = f"f{dice.randrange(options.jobs)}"
        target = folder / f"out/{name}.t"
        old = target.read_text()
        (folder / f"src/{name}.c").write_text(f"{number} {dice.random()}")
        written = time.time()
        text = changed(target, old)
        missed += not text
        yield float(text) - written if text else None
        if time.monotonic() > end or missed == MOST_MISSED:
            return
        time.sleep(options.pause)


def changed(target: Path, old: str) -> str:
    """What a file has been made to say; "" if it stays as it is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        text = target.read_text()
        if text != old and text.endswith("\n"):
            return text
        time.sleep(0.001)
    return ""


def cpu_of(session: int) -> float:
    """Seconds of CPU that all processes of a session have used."""
    total = 0
    for each in Path("/proc").iterdir():
        try:
            fields = (each / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def main(words: Sequence[str]) -> int:
    """Returns the exit status: 1 if a tool did nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--settle", type=float, default=5.0, help="seconds after the start")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds in which nothing happens")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two edits")
    parser.add_argument("--write", action="store_true", help="write to docs/benchmarks.md")
    options = parser.parse_args(words)
    lines = list(HEADER)
    failed = False
    for tool in TOOLS:
        if missing := [each for each in tool.needs if not shutil.which(each)]:
            print(f"{tool.name} is left out: {missing[0]} is not there", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                lines.append(measure(tool, Path(folder) / "project", options).row())
                print(lines[-1], file=sys.stderr, flush=True)
            except (RuntimeError, subprocess.CalledProcessError) as error:
                print(f"{tool.name}: {error}", file=sys.stderr)
                failed = True
    print("\n".join(lines))
    if options.write:
        page = DOCS / "benchmarks.md"
        text = page.read_text().partition(WATCHING)[0].rstrip()
        about = (
            f"From the end of a write to the start of the recipe, in {options.jobs:,} jobs. An "
            f"edit of which nothing is made within {PATIENCE:g} s is missed."
        )
        page.write_text("\n".join([text, "", WATCHING, "", about, "", *lines, ""]))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
