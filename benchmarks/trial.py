"""One shape at one size: a tree for each tool, in which all of them are run in turn."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from graph import Graph
from meter import FailedRun, Meter
from phases import PHASES, Phase
from records import Figure, Record
from tools import Tool

Stamp = tuple[int, int]  # inode and time of an output


class Tree:
    """The project of one tool."""

    def __init__(self, folder: Path, tool: Tool, graph: Graph) -> None:
        self.folder = folder
        self.tool = tool
        self.graph = graph
        self.edits: dict[str, int] = {}
        self.built = False
        self.settled = False
        folder.mkdir()
        graph.write(folder)
        tool.write(folder, graph)
        self.given = frozenset(os.listdir(folder))
        self.outputs = [f"{folder}/{job.output}" for job in graph.jobs]
        self.stamps: list[Stamp | None] = [None] * len(self.outputs)

    def clean(self) -> None:
        """Removes outputs and whatever the tool has left."""
        for entry in os.scandir(self.folder):
            if entry.name not in self.given:
                _remove(entry)
        for folder in self.graph.folders():
            for entry in os.scandir(self.folder / folder):
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
        self.stamps = [None] * len(self.outputs)
        self.built = self.settled = False

    def ran(self) -> int:
        """How many outputs are another file than when this was last asked, or have gone."""
        before = self.stamps
        self.stamps = [_stamp(place) for place in self.outputs]
        return sum(map(_differ, before, self.stamps))

    def change(self, phase: Phase) -> None:
        """Does to the sources what the phase asks for. Their times come out above those of all
        outputs: clocks of file systems have ticks, and some tools read whole seconds."""
        tick = 1_000_000_000 if self.tool.whole_seconds else 1
        newest = max((stamp[1] for stamp in self.stamps if stamp), default=0) // tick
        for name in phase.changed(self.graph):
            place = f"{self.folder}/{name}"
            self.edits[name] = self.edits.get(name, 0) + (phase.change in ("edit", "header"))
            while True:
                if phase.change == "touch":
                    os.utime(place)
                else:
                    with open(place, "w", encoding="utf-8") as file:
                        file.write(self.graph.source(name, self.edits[name]))
                if os.stat(place).st_mtime_ns // tick > newest:
                    break
                time.sleep(0.001)

    def listed(self, lines: list[str]) -> int:
        """How many jobs a dry run has listed: each command ends with the output."""
        names = {line.rstrip().rpartition(" ")[2] for line in lines}
        return sum(job.output in names for job in self.graph.jobs)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)


def _stamp(place: str) -> Stamp | None:
    try:
        found = os.stat(place)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _differ(one: Stamp | None, other: Stamp | None) -> bool:
    return one != other


class Trial:
    """Runs phases. A tool that fails takes no further part."""

    def __init__(
        self,
        graph: Graph,
        tools: list[Tool],
        meter: Meter,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self.graph = graph
        self.meter = meter
        self.say = say
        folder.mkdir()
        self.folder = folder
        self.trees = [
            Tree(folder / str(number), tool, graph)
            for number, tool in enumerate(tools)
            if graph.shape in tool.shapes and graph.size <= tool.largest
        ]

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def phases(self, names: Collection[str], rounds: int, cold: int) -> Iterator[Record]:
        """Runs phases in the order of the table: `cold` rounds of those that cost about as much as
        a cold build, `rounds` of the others."""
        for name, phase in PHASES.items():
            if name in names and (phase.change != "header" or self.graph.header):
                yield self.phase(phase, cold if self.costly(phase) else rounds)

    def costly(self, phase: Phase) -> bool:
        if phase.long or not phase.change:
            return phase.long
        return 2 * self.graph.downstream(phase.changed(self.graph)[0]) > len(self.graph.jobs)

    def phase(self, phase: Phase, rounds: int) -> Record:
        record = Record(
            shape=self.graph.shape,
            size=self.graph.size,
            phase=phase.name,
            jobs=len(self.graph.jobs),
            listing=phase.asks == "dry" and phase.fresh,
            load=os.getloadavg()[0],
            expected={},
            figures={},
            failed={},
        )
        taking = {tree: words for tree in self.trees if (words := phase.words(tree.tool))}
        if not phase.fresh:
            self.settle(taking, record)
        for tree in taking:
            record.expected[tree.tool.name] = phase.expected(tree.tool, self.graph)
            record.figures[tree.tool.name] = []
        for number in range(rounds):
            self.say(f"{self.graph.shape}/{phase.name} {self.graph.size}: round {number + 1}")
            self.prepare(list(taking), phase)
            for tree, words in list(taking.items()):
                try:
                    record.figures[tree.tool.name].append(self.run(tree, words, phase))
                except FailedRun as error:
                    self.fail(tree, record, str(error))
                    del taking[tree]
        return record

    def fail(self, tree: Tree, record: Record, text: str) -> None:
        name = tree.tool.name
        self.say(f"{name} failed: {text}")
        record.failed[name] = text
        if not record.figures.get(name):
            record.figures.pop(name, None)
        self.trees.remove(tree)

    def settle(self, taking: dict[Tree, list[str]], record: Record) -> None:
        """Brings trees to where a build has nothing to do. The second time files are no longer as
        young as the look at them, so that nobody has to read them again."""
        for _ in range(2):
            for tree in [each for each in taking if not each.settled]:
                try:
                    self.meter.run(tree.tool.build(), tree.folder)
                except FailedRun as error:
                    self.fail(tree, record, str(error))
                    del taking[tree]
                    continue
                tree.built = True
                tree.ran()
            if not all(tree.settled for tree in taking):
                time.sleep(0.1)
        for tree in taking:
            tree.settled = True

    def prepare(self, trees: list[Tree], phase: Phase) -> None:
        """What each run of a round finds; done for all before the first one starts."""
        for tree in trees:
            if phase.fresh:
                if tree.built:
                    tree.clean()
                continue
            tree.change(phase)
            if phase.forget:
                tree.tool.forget(tree.folder)
            tree.settled = not (phase.change or phase.forget)
        if phase.long:
            os.sync()  # or the first one would wait for what the last one wrote

    def run(self, tree: Tree, words: list[str], phase: Phase) -> Figure:
        usage = self.meter.run(words, tree.folder)
        tree.built |= phase.asks == "build"
        listed = tree.listed(self.meter.printed()) if phase.asks == "dry" and phase.fresh else -1
        return Figure(*usage, ran=tree.ran(), listed=listed)
