"""The tools that are measured: how each is found, what it reads, and how it is called."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from graph import Graph

SHELL_SHAPES = frozenset({"wide", "chain", "layers", "c", "pipeline", "shell", "explicit"})
PYTHON_SHAPES = frozenset({"python"})


class Tool:
    """One tool. Words are those of a command line; None where it has nothing of the kind."""

    name: str
    shapes = SHELL_SHAPES
    largest = 1_000_000  # above so many jobs it takes too long to be of use
    by_content = False  # a source with another time and the same bytes makes nothing stale
    whole_seconds = False  # it sees of a file's time only that

    def __init__(self, path: str) -> None:
        """`path` is a search path. Raises LookupError if the tool is not there."""
        self.path = path

    def program(self, name: str) -> str:
        found = shutil.which(name, path=self.path)
        if not found:
            raise LookupError(name)
        return found

    def version(self) -> str:
        words = [*self.words(), "--version"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
        return found.group() if found else "unknown"

    def words(self) -> list[str]:
        raise NotImplementedError

    def write(self, folder: Path, graph: Graph) -> None:
        """Writes what the tool reads."""
        raise NotImplementedError

    def build(self) -> list[str]:
        return [*self.words(), "-j2"]

    def dry(self) -> list[str] | None:
        return [*self.words(), "-n"]

    def nothing(self) -> list[str] | None:
        """Asks for a goal with nothing to make."""
        return [*self.words(), "nothing"]

    def forget(self, folder: Path) -> None:
        """Removes what was kept of the text of build files, but not what was recorded of jobs."""


class Pybuild(Tool):
    """The command as a user calls it: the script beside the Python that runs this."""

    name = "pybuild"
    shapes = SHELL_SHAPES | PYTHON_SHAPES | {"empty"}
    by_content = True

    def words(self) -> list[str]:
        script = Path(sys.executable).with_name("pybuild")
        return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "pybuild"]

    def write(self, folder: Path, graph: Graph) -> None:
        (folder / "Pipefile").write_text(graph.pipefile, encoding="utf-8")

    def build(self) -> list[str]:
        return [*self.words(), "-s", "-j2"]

    def forget(self, folder: Path) -> None:
        for place in (folder / ".pybuild").iterdir():
            if place.is_dir() and place.name != "logs":
                shutil.rmtree(place)


class BareMake(Tool):
    """GNU make without its built-in rules."""

    name = "make -rR"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.make = self.program("make")

    def words(self) -> list[str]:
        return [self.make, "-rR"]

    def write(self, folder: Path, graph: Graph) -> None:
        (folder / "Makefile").write_text(graph.makefile, encoding="utf-8")

    def build(self) -> list[str]:
        return [*self.words(), "-s", "-j2"]


class Make(BareMake):
    """GNU make as it comes."""

    name = "make"
    largest = 10_000

    def words(self) -> list[str]:
        return [self.make]


class Ninja(Tool):
    name = "ninja"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.ninja = self.program("ninja")

    def words(self) -> list[str]:
        return [self.ninja]

    def build(self) -> list[str]:
        return [self.ninja, "--quiet", "-j2"]

    def write(self, folder: Path, graph: Graph) -> None:
        with open(folder / "build.ninja", "w", encoding="utf-8") as file:
            for kind in sorted({job.kind for job in graph.jobs}):
                command = graph.command(kind, "$in", "$out")
                file.write(f"rule {kind}\n  command = {command}\n")
                if kind == "compile":
                    file.write("  depfile = $out.d\n  deps = gcc\n")
            for job in graph.jobs:
                file.write(f"build {job.output}: {job.kind} {' '.join(job.inputs)}\n")
            file.write(f"build all: phony {' '.join(graph.goals)}\n")
            file.write("build nothing: phony\ndefault all\n")


class PythonTool(Tool):
    """Runs inline Python. The table of jobs is a file that its script reads."""

    shapes = PYTHON_SHAPES
    by_content = True
    script: str
    text: str

    def write(self, folder: Path, graph: Graph) -> None:
        table = [[job.output, job.inputs[0]] for job in graph.jobs]
        (folder / "jobs.json").write_text(json.dumps(table), encoding="utf-8")
        (folder / self.script).write_text(self.text, encoding="utf-8")

    def dry(self) -> list[str] | None:
        return None


class Doit(PythonTool):
    name = "doit"
    largest = 10_000
    script = "dodo.py"
    text = """\
import json
from pathlib import Path

DOIT_CONFIG = {"default_tasks": ["job"], "verbosity": 0}

def block(output):
    Path(output).write_text(Path(output).stem)

def task_job():
    for output, source in json.loads(Path("jobs.json").read_text()):
        yield {
            "name": output,
            "actions": [(block, [output])],
            "file_dep": [source],
            "targets": [output],
        }

def task_nothing():
    return {"actions": None}
"""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.doit = self.program("doit")

    def words(self) -> list[str]:
        return [self.doit]

    def build(self) -> list[str]:
        return [self.doit, "-n", "2"]


class Snakemake(PythonTool):
    """A `run:` block starts Python and Snakemake anew: seconds a job."""

    name = "snakemake"
    largest = 100
    script = "Snakefile"
    text = """\
numbers, = glob_wildcards("src/{n}.in")
rule all:
    input: expand("out/{n}.out", n=numbers)
rule job:
    input: "src/{n}.in"
    output: "out/{n}.out"
    run:
        open(output[0], "w").write(wildcards.n)
rule nothing:
    input: []
"""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.snakemake = self.program("snakemake")

    def words(self) -> list[str]:
        return [self.snakemake]

    def build(self) -> list[str]:
        return [self.snakemake, "-j2", "-q", "all"]

    def nothing(self) -> list[str] | None:
        return [self.snakemake, "-j2", "-q", "all", "--", "nothing"]


class Library(PythonTool):
    """A library: its script is run by our Python, `module` has to be there."""

    module: str

    def __init__(self, path: str) -> None:
        super().__init__(path)
        if importlib.util.find_spec(self.module) is None:
            raise LookupError(self.module)

    def words(self) -> list[str]:
        return [sys.executable]

    def version(self) -> str:
        import importlib.metadata

        return importlib.metadata.version(self.module)

    def build(self) -> list[str]:
        return [sys.executable, self.script]

    def nothing(self) -> list[str] | None:
        return None


class Ruffus(Library):
    """Judges by times, and by what it has recorded of them."""

    name = module = "ruffus"
    largest = 10_000
    by_content = False
    script = "ruffus_pipeline.py"
    text = r"""import glob
from ruffus import pipeline_run, regex, transform

@transform(sorted(glob.glob("src/*.in")), regex(r"src/(.*)\.in"), r"out/\1.out", r"\1")
def block(source, output, stem):
    with open(output, "w") as file:
        file.write(stem)

pipeline_run(multiprocess=2, verbose=0)
"""


class Pypipegraph2(Library):
    name = module = "pypipegraph2"
    largest = 10_000
    whole_seconds = True
    script = "pipe.py"
    text = """\
import json
from pathlib import Path
import pypipegraph2 as ppg

ppg.new(cores=2, allow_short_filenames=True, run_mode=ppg.RunMode.NONINTERACTIVE)

def block(output):
    output.write_text(output.stem)

for output, source in json.loads(Path("jobs.json").read_text()):
    ppg.FileGeneratingJob(output, block).depends_on(ppg.FileInvariant(source))
ppg.run()
"""


TOOLS: dict[str, type[Tool]] = {
    each.name: each
    for each in (Pybuild, BareMake, Make, Ninja, Doit, Snakemake, Ruffus, Pypipegraph2)
}
