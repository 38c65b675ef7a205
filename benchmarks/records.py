"""What was measured: figures, records, and files of results."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1


class Figure(NamedTuple):
    """One run, as in `meter.Usage`; and from outside: jobs that ran (outputs that are another file
    than before), and for a dry run jobs that it listed (below zero: it was none)."""

    wall: float
    cpu: float
    own: float
    memory: float
    ran: int
    listed: int = -1


def _column(figures: list[Figure], what: str) -> list[float]:
    return [float(getattr(each, what)) for each in figures]


class Record(NamedTuple):
    """One phase of one shape at one size. Figures of all tools with one index are of one round."""

    shape: str
    size: int
    phase: str
    jobs: int
    listing: bool  # each run had to list all jobs
    load: float  # average, at the start
    expected: dict[str, int]  # jobs that each tool has to run
    figures: dict[str, list[Figure]]
    failed: dict[str, str]

    def median(self, tool: str, what: str) -> float:
        return statistics.median(_column(self.figures[tool], what))

    def ratio(self, tool: str, what: str, ours: str = "pybuild") -> float:
        """The median of our figure by that of another tool in the same round."""
        pairs = zip(
            _column(self.figures[ours], what), _column(self.figures[tool], what), strict=False
        )
        return statistics.median(our / max(their, 1e-6) for our, their in pairs)

    def wrong(self) -> list[str]:
        """What cannot be right: failures, and tools that ran more or fewer jobs than they must."""
        place = f"{self.shape}/{self.phase} {self.size}"
        found = [f"{place}: {tool}: {' '.join(text.split())}" for tool, text in self.failed.items()]
        for tool, figures in self.figures.items():
            for each in figures:
                if each.ran != self.expected[tool]:
                    found.append(f"{place}: {tool} ran {each.ran} of {self.expected[tool]} jobs")
                if self.listing and each.listed != self.jobs:
                    found.append(f"{place}: {tool} listed {each.listed} of {self.jobs} jobs")
        return list(dict.fromkeys(found))


class Results(NamedTuple):
    """All that one or more runs of the suite found, with what is needed to judge it."""

    machines: list[str]
    versions: dict[str, list[str]]
    small: bool
    records: list[Record]

    def find(self, shape: str, phase: str) -> list[Record]:
        """The records of one phase, by size."""
        found = [each for each in self.records if (each.shape, each.phase) == (shape, phase)]
        return sorted(found, key=lambda each: each.size)

    def wrong(self) -> list[str]:
        return [line for each in self.records for line in each.wrong()]

    def save(self, file: Path) -> None:
        """Writes a new file and renames it: a run that is stopped leaves what it had."""
        table = {
            "format": FORMAT,
            "machines": self.machines,
            "versions": self.versions,
            "small": self.small,
            "records": [
                {
                    **each._asdict(),
                    "figures": {
                        tool: [figure._asdict() for figure in figures]
                        for tool, figures in each.figures.items()
                    },
                }
                for each in self.records
            ],
        }
        fresh = file.with_name(file.name + ".new")
        fresh.write_text(json.dumps(table, indent=1), encoding="utf-8")
        fresh.replace(file)


def read(file: Path) -> Results:
    """Reads what `save` has written. Raises ValueError for another format."""
    table: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if table.get("format") != FORMAT:
        raise ValueError(f"{file}: not results of this suite")
    records = [
        Record(
            **{
                **each,
                "figures": {
                    tool: [Figure(**figure) for figure in figures]
                    for tool, figures in each["figures"].items()
                },
            }
        )
        for each in table["records"]
    ]
    return Results(table["machines"], table["versions"], table["small"], records)


def merge(many: Iterable[Results]) -> Results:
    """All results as one; what was measured twice counts as it was measured last."""
    machines: list[str] = []
    versions: dict[str, list[str]] = {}
    records: dict[tuple[str, int, str], Record] = {}
    small = False
    for each in many:
        small = small or each.small
        machines += [text for text in each.machines if text not in machines]
        for tool, found in each.versions.items():
            known = versions.setdefault(tool, [])
            known += [text for text in found if text not in known]
        records |= {(one.shape, one.size, one.phase): one for one in each.records}
    return Results(machines, versions, small, list(records.values()))


def exponent(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """The slope between the last two points, on logarithmic scales."""
    return math.log(figures[-1] / figures[-2]) / math.log(sizes[-1] / sizes[-2])


def machine() -> str:
    """One line about this computer."""
    processor = platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                processor = f"{line.partition(':')[2].strip()} ({processor})"
                break
    except OSError:
        pass
    return (
        f"{os.cpu_count()} CPUs, {processor}, {memory:.0f} GB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}"
    )
