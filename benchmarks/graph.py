"""A graph of jobs, and the project on disk that it stands for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

VERSION = "v000000"  # stands once in each source; an edit puts another number there


class Job(NamedTuple):
    """One job: `kind` names its command, `headers` are inputs that only the compiler finds."""

    output: str
    inputs: tuple[str, ...]
    kind: str
    headers: tuple[str, ...] = ()


@dataclass(slots=True)
class Graph:
    """A project of one shape: its files, its jobs in the order of their making, its build files.

    `commands` are templates with `{inputs}` and `{output}`; each ends with the output. The Pipefile
    and the Makefile say the same in what is idiomatic for them; what other tools read is made from
    the jobs.
    """

    shape: str
    size: int
    sources: dict[str, str] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    goals: list[str] = field(default_factory=list)
    commands: dict[str, str] = field(default_factory=dict)
    pipefile: str = ""
    makefile: str = ""
    edited: str = ""  # the source that is changed
    header: str = ""  # the header that is changed

    def add(self, output: str, *inputs: str, kind: str, headers: tuple[str, ...] = ()) -> str:
        """Adds a job whose inputs are there already; gives its output."""
        self.jobs.append(Job(output, inputs, kind, headers))
        return output

    def command(self, kind: str, inputs: str, output: str) -> str:
        return self.commands[kind].format(inputs=inputs, output=output)

    def folders(self) -> list[str]:
        """The folders of outputs."""
        return sorted({os.path.dirname(job.output) for job in self.jobs} - {""})

    def downstream(self, source: str) -> int:
        """How many jobs depend on a source, directly or not."""
        reached = {source}
        for job in self.jobs:
            if not (reached.isdisjoint(job.inputs) and reached.isdisjoint(job.headers)):
                reached.add(job.output)
        return len(reached) - 1

    def write(self, folder: Path) -> None:
        """Writes the sources, and folders for the outputs: make does not make them."""
        for each in {os.path.dirname(name) for name in self.sources} - {""} | set(self.folders()):
            (folder / each).mkdir(parents=True, exist_ok=True)
        place = str(folder)
        for name, text in (self.sources | self.programs).items():
            with open(f"{place}/{name}", "w", encoding="utf-8") as file:
                file.write(text)

    def source(self, name: str, edits: int) -> str:
        """The text of a source after so many edits."""
        return self.sources[name].replace(VERSION, f"v{edits:06d}")
