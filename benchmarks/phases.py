"""The phases: what is done to a tree before each run, and what is run."""

from __future__ import annotations

from typing import NamedTuple

from graph import Graph
from tools import Tool


class Phase(NamedTuple):
    """One phase. `change` is what happens to sources before each run of a built tree."""

    name: str
    title: str
    says: str
    asks: str = "build"  # or "dry", "nothing"
    change: str = ""  # or "edit", "header", "same", "touch"
    fresh: bool = False  # on the tree with nothing built
    forget: bool = False  # what is kept of the text of build files is removed before each run
    long: bool = False  # costs about as much as a cold build, for some tools

    def words(self, tool: Tool) -> list[str] | None:
        return {"build": tool.build, "dry": tool.dry, "nothing": tool.nothing}[self.asks]()

    def changed(self, graph: Graph) -> list[str]:
        """The sources that are changed before each run."""
        if self.change == "touch":
            return list(graph.sources)
        if self.change == "header":
            return [graph.header]
        return [graph.edited] if self.change else []

    def expected(self, tool: Tool, graph: Graph) -> int:
        """How many jobs a run has to run."""
        if self.asks != "build":
            return 0
        if self.fresh:
            return len(graph.jobs)
        if not self.change or (tool.by_content and self.change in ("same", "touch")):
            return 0
        if self.change == "touch":
            return len(graph.jobs)
        return graph.downstream(self.changed(graph)[0])


PHASES = {
    phase.name: phase
    for phase in (
        Phase(
            "dry",
            "dry run",
            "`-n` of everything where nothing is built.",
            asks="dry",
            fresh=True,
        ),
        Phase("cold", "cold build", "Everything is made.", fresh=True, long=True),
        Phase(
            "load",
            "load from text",
            "`-n` where all is up to date. All that pybuild keeps but the record of jobs "
            "is deleted before each run, so it reads the text, makes the whole graph and looks "
            "at each file; the others do that at each start.",
            asks="dry",
            forget=True,
        ),
        Phase(
            "nothing",
            "a goal with nothing to make",
            "Nothing but the text is needed, and pybuild has deleted what it keeps of it: parsing "
            "and little else.",
            asks="nothing",
            forget=True,
        ),
        Phase("noop", "nothing to do", "A build where all is up to date."),
        Phase("edit", "one edit", "One source has really changed.", change="edit"),
        Phase(
            "header",
            "one header edited",
            "One header has changed, which a fifth of the sources include.",
            change="header",
        ),
        Phase(
            "same",
            "the same bytes",
            "One source was written again with the same bytes.",
            change="same",
        ),
        Phase(
            "touch",
            "all touched",
            "Each source has another time and the same bytes: tools that go by contents read and "
            "hash them all, the others make everything.",
            change="touch",
            long=True,
        ),
    )
}
