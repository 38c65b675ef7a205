"""Makefiles that ask much of make itself: how long pybuild takes, beside GNU make.

    python benchmarks/makefiles.py MAKE [--runs N]

MAKE is the GNU make to compare with. Both take turns, and the medians of the runs are shown, in
user and system time; no recipe of these makefiles does anything, so all of it is make's own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

START = "import sys; sys.argv[0] = 'make'; from pybuild.cli.main import main; main()"


def little(folder: Path) -> None:
    """How long a start takes."""
    (folder / "Makefile").write_text("all: ; @:\n")


def patterns(folder: Path) -> None:
    """10,000 files by one pattern rule, all up to date."""
    for number in range(10_000):
        (folder / f"f{number}.in").touch()
    for number in range(10_000):
        (folder / f"f{number}.out").touch()
    (folder / "Makefile").write_text(
        "all: $(patsubst %.in,%.out,$(wildcard *.in))\n%.out: %.in\n\tcp $< $@\n"
    )


def evals(folder: Path) -> None:
    """10,000 rules and variables that `$(eval)` makes of a template."""
    (folder / "Makefile").write_text(
        """N := $(shell seq 10000)
define T
value$(1) := of $(1)
target$(1): needed$(1)
endef
all: ; @:
$(foreach n,$(N),$(eval $(call T,$(n))))
"""
    )


def calls(folder: Path) -> None:
    """Functions in functions, some of which call themselves."""
    (folder / "Makefile").write_text(
        """N := $(shell seq 10000)
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
map = $(foreach x,$(2),$(call $(1),$(x)))
twice = $(1)-$(1)
wrap = [$(call twice,$(1))]
A := $(foreach n,$(N),$(call wrap,$(n)))
B := $(call map,wrap,$(N))
C := $(foreach n,$(N),$(if $(filter %7,$(n)),$(patsubst %7,%x,$(n)),$(subst 1,one,$(n))))
D := $(call reverse,$(wordlist 1,200,$(N)))
all: ; @:
"""
    )


SHAPES: list[Callable[[Path], None]] = [little, patterns, evals, calls]


def seconds(command: list[str], folder: Path) -> float:
    """The processor time of one run, which has to go well."""
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compared(shape: Callable[[Path], None], make: str, runs: int) -> tuple[float, float]:
    """Medians in seconds: of `make`, of pybuild."""
    commands = [[make], [sys.executable, "-P", "-c", START]]
    times: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        shape(Path(folder))
        for _ in range(runs):
            for command, found in zip(commands, times, strict=True):
                found.append(seconds(command, Path(folder)))
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    """Print a table of all shapes."""
    parser = argparse.ArgumentParser(description="pybuild as make, beside GNU make.")
    parser.add_argument("make", metavar="MAKE")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    make = str(Path(given.make).absolute()) if os.sep in given.make else given.make
    print(f"{'makefile':10} {'GNU make':>10} {'pybuild':>10} {'ratio':>7}")
    for shape in SHAPES:
        theirs, ours = compared(shape, make, given.runs)
        name = shape.__name__
        print(f"{name:10} {theirs * 1000:7.1f} ms {ours * 1000:7.1f} ms {ours / theirs:7.2f}")


if __name__ == "__main__":
    main()
