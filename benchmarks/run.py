"""Measures pybuild beside GNU make and ninja, in turn, and writes docs/benchmarks.md.

    python benchmarks/run.py [--rounds N] [--write]

Whole processes, started one after the other in a fresh copy of the same project; each round runs
every tool once, so that a drift of the machine hits all alike. Figures are medians; `ratio` is the
median of the ratios within a round. Peak memory is that of the largest single process.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PYBUILD = [sys.executable, "-m", "pybuild"]

PIPEFILE = "all: <copy>\ncopy: out/<n>.txt: in/<n>.txt\n    cp <input> <output>\n"
PYTHON_PIPEFILE = (
    "all: <copy>\ncopy: out/<n>.txt: in/<n>.txt\n    python:\n        output.write_text(n)\n"
)
MAKEFILE = "all: $(patsubst in/%,out/%,$(wildcard in/*.txt))\nout/%.txt: in/%.txt\n\t@cp $< $@\n"


class Figure(NamedTuple):
    """One run: wall and CPU seconds, peak memory in MB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Case:
    """What is measured: a project of `size` files, made before by `setup`, and the commands."""

    name: str
    size: int
    commands: dict[str, list[str]]
    fresh: bool  # outputs and records are removed before each run
    bound: str
    pipefile: str = PIPEFILE


def cases(jobs: str) -> list[Case]:
    noop = {
        "pybuild": [*PYBUILD, "-s"],
        "make -rR": ["make", "-s", "-rR"],
        "make": ["make", "-s"],
        "ninja": ["ninja", "--quiet"],
    }
    bare = {"pybuild": [*PYBUILD, "-s"], "python -c pass": [sys.executable, "-c", "pass"]}
    cold = {
        "pybuild": [*PYBUILD, "-s", jobs],
        "make": ["make", "-s", jobs],
        "make -rR": ["make", "-s", "-rR", jobs],
        "ninja": ["ninja", "--quiet", jobs],
    }
    return [
        Case("nothing to do, 10 files", 10, bare, False, "60 ms above a bare interpreter"),
        Case("nothing to do, 10,000 jobs", 10_000, noop, False, "0.5 s and 80 MB"),
        Case("1,000 jobs of `cp`, cold", 1000, cold, True, "1.5 x make"),
        Case(
            "1,000 inline Python jobs, cold",
            1000,
            {"pybuild": [*PYBUILD, "-s", "-j2"]},
            True,
            "1,000 jobs a second",
            PYTHON_PIPEFILE,
        ),
    ]


def make_project(folder: Path, case: Case) -> None:
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    for number in range(case.size):
        (folder / "in" / f"{number}.txt").write_text(f"{number}\n")
    (folder / "Pipefile").write_text(case.pipefile)
    (folder / "Makefile").write_text(MAKEFILE)
    names = [f"{number}.txt" for number in range(case.size)]
    builds = "".join(f"build out/{name}: copy in/{name}\n" for name in names)
    (folder / "build.ninja").write_text(f"rule copy\n  command = cp $in $out\n{builds}")


def clean(folder: Path) -> None:
    shutil.rmtree(folder / "out")
    (folder / "out").mkdir()
    for name in (".pybuild", ".ninja_log", ".ninja_deps"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def run(words: list[str], folder: Path) -> Figure:
    """Runs a command to its end. Raises SystemExit if it fails."""
    environment = {key: text for key, text in os.environ.items() if key != "MAKEFLAGS"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    child = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"{' '.join(words)}: {child.stderr.read() if child.stderr else status}")
    child.returncode = 0
    return Figure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure(case: Case, rounds: int, say: Callable[[str], None]) -> dict[str, list[Figure]]:
    tools = {name: words for name, words in case.commands.items() if shutil.which(words[0])}
    found: dict[str, list[Figure]] = {name: [] for name in tools}
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary) / str(index) for index, name in enumerate(tools)}
        for name, words in tools.items():
            make_project(folders[name], case)
            for _ in range(1 if case.fresh else 3):  # the second run settles what was just written
                run(words, folders[name])
        for number in range(rounds):
            say(f"{case.name}: round {number + 1}")
            for name, words in tools.items():
                if case.fresh:
                    clean(folders[name])
                found[name].append(run(words, folders[name]))
    return found


def table(case: Case, found: dict[str, list[Figure]]) -> list[str]:
    first = found["pybuild"]
    lines = [
        f"## {case.name}",
        "",
        f"Goal: {case.bound}.",
        "",
        "| tool | wall | CPU | peak memory | pybuild's wall / this |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, figures in found.items():
        wall = statistics.median(each.wall for each in figures)
        cpu = statistics.median(each.cpu for each in figures)
        memory = statistics.median(each.memory for each in figures)
        ratio = statistics.median(
            ours.wall / other.wall for ours, other in zip(first, figures, strict=True)
        )
        lines.append(
            f"| {name} | {wall * 1000:.0f} ms | {cpu * 1000:.0f} ms | {memory:.0f} MB "
            f"| {ratio:.2f} |"
        )
    if case.pipefile is PYTHON_PIPEFILE:
        wall = statistics.median(each.wall for each in first)
        lines += ["", f"{case.size / wall:,.0f} jobs a second, start and end included."]
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    arguments = parser.parse_args()
    lines = [
        "# Benchmarks",
        "",
        "Made by `python benchmarks/run.py --write`: whole processes in turn, medians of "
        f"{arguments.rounds} rounds in one run, page cache warm, `-j2` for the cold builds.",
        "Memory of a small tool reads as that of the script that starts it, some 19 MB.",
        f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}; {version('make')}; ninja {version('ninja')}.",
        "",
    ]
    for case in cases("-j2"):
        found = measure(case, arguments.rounds, lambda text: print(text, file=sys.stderr))
        lines += table(case, found)
    text = "\n".join(lines)
    print(text)
    if arguments.write:
        (ROOT / "docs" / "benchmarks.md").write_text(text)


def version(tool: str) -> str:
    if not shutil.which(tool):
        return "not there"
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0]


if __name__ == "__main__":
    main()
