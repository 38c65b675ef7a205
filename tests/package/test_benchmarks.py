"""The benchmarks work, and count truly: jobs that ran, and jobs that should have run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "benchmarks" / "run.py"
SHELL = "wide chain layers c pipeline".split()
PYTHON = "python empty".split()


def suite(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), *words], capture_output=True, text=True, check=False
    )


def documents() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (ROOT / "docs").iterdir()}


# Worked out by hand for the tiny sizes: all jobs; jobs behind the source that is edited.
COUNTS = {
    "wide": (20, 1),
    "chain": (8, 8),
    "layers": (24, 1 + 3 + 5),  # rings of 8, where each reads the one below and its neighbours
    "c": (11, 2),
    "pipeline": (19, 6),
    "python": (10, 1),
}
HEADER = 2 + 1  # of ten sources two include the header; and the link


def _all_is_there(records: list[dict[str, Any]]) -> None:
    found: dict[str, set[str]] = {}
    for each in records:
        found.setdefault(each["shape"], set()).add(each["phase"])
        assert "pybuild" in each["figures"], each
    assert set(found) == {*SHELL, *PYTHON, "shell", "explicit"}
    every = set("dry cold load nothing noop edit same touch".split())
    for shape in SHELL:
        assert found[shape] == every | ({"header"} if shape == "c" else set())
    assert found["python"] == set("cold noop edit same touch".split())


def _all_ran_what_they_had_to(records: list[dict[str, Any]]) -> None:
    for each in records:
        place = f"{each['shape']}/{each['phase']}"
        assert not each["failed"], place
        for tool, figures in each["figures"].items():
            assert figures, (place, tool)
            assert {one["ran"] for one in figures} == {each["expected"][tool]}, (place, tool)
            if each["phase"] == "dry":
                assert {one["listed"] for one in figures} == {each["jobs"]}, (place, tool)


def _what_had_to_run_is_right(shape: str, records: list[dict[str, Any]]) -> None:
    jobs, behind = COUNTS[shape]
    last = {each["phase"]: each["expected"] for each in records if each["shape"] == shape}
    for tool in last["cold"]:
        contents = tool == "pybuild"
        assert last["cold"][tool] == jobs
        assert last["noop"][tool] == 0
        assert last["edit"][tool] == behind
        assert last["same"][tool] == (0 if contents else behind)
        assert last["touch"][tool] == (0 if contents else jobs)
        assert last.get("header", {}).get(tool, HEADER) == HEADER


def test_all_shapes_and_phases_work_and_count_truly(tmp_path: Path) -> None:
    """In one test: the run takes most of a minute."""
    tools = [each for each in ("make", "ninja") if shutil.which(each)]
    tools += ["make -rR"] * ("make" in tools)
    before = documents()
    file = tmp_path / "all.json"
    done = suite("--small", "--json", str(file), "--tools", "pybuild", *tools)
    assert done.returncode == 0, done.stderr
    assert documents() == before
    assert "What went wrong" not in done.stdout
    records = json.loads(file.read_text())["records"]
    _all_is_there(records)
    _all_ran_what_they_had_to(records)
    for shape in COUNTS:
        _what_had_to_run_is_right(shape, records)


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of two phases, with the page that was printed beside them."""
    file = tmp_path_factory.mktemp("little") / "results.json"
    words = ["--small", "--only", "c/cold", "wide/noop", "--tools", "pybuild"]
    done = suite(*words, "--json", str(file))
    assert done.returncode == 0, done.stderr
    file.with_name("page.md").write_text(done.stdout)
    return file


def test_a_page_is_made_of_results_but_not_of_small_ones(little: Path, tmp_path: Path) -> None:
    printed = little.with_name("page.md").read_text()
    assert "### c: cold build" in printed
    assert "### wide: nothing to do" in printed
    assert suite("--from", str(little)).stdout == printed
    before = documents()
    assert suite("--small", "--write").returncode == 2
    assert suite("--from", str(little), "--write").returncode == 2
    assert documents() == before
    pytest.importorskip("matplotlib")
    assert suite("--from", str(little), "--write", str(tmp_path)).returncode == 0
    assert (tmp_path / "benchmarks.svg").read_text().startswith("<?xml")
    assert "](benchmarks.svg)" in (tmp_path / "benchmarks.md").read_text()


def test_a_wrong_count_is_told(little: Path, tmp_path: Path) -> None:
    table = json.loads(little.read_text())
    [cold] = [each for each in table["records"] if (each["shape"], each["phase"]) == ("c", "cold")]
    cold["figures"]["pybuild"][0]["ran"] -= 1
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(table))
    done = suite("--from", str(little), str(wrong))
    assert done.returncode == 1
    assert "pybuild ran 10 of 11 jobs" in done.stderr
    assert "**10 of 11**" in done.stdout
    assert suite("--from", str(wrong), str(little)).returncode == 0


def test_outputs_are_what_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that says that all went well, makes one output and writes another again."""
    monkeypatch.syspath_prepend(str(PROGRAM.parent))
    from meter import Meter  # type: ignore[import-not-found]
    from shapes import wide  # type: ignore[import-not-found]
    from tools import Tool  # type: ignore[import-not-found]
    from trial import Trial  # type: ignore[import-not-found]

    class Liar(Tool):  # type: ignore[misc]
        name = "liar"

        def write(self, folder: Path, graph: object) -> None:
            pass

        def build(self) -> list[str]:
            return ["/bin/sh", "-c", "echo made all; echo 1 > out/0000000.out; sleep 0.01"]

        def dry(self) -> list[str]:
            return ["/bin/sh", "-c", "echo cp src/0000001.in out/0000001.out"]

    work = tmp_path / "work"
    work.mkdir()
    trial = Trial(wide(3), [Liar("")], Meter(work, 60), tmp_path / "trial", lambda text: None)
    dry, cold, noop = trial.phases(["dry", "cold", "noop"], 2, 1)
    assert dry.wrong() == ["wide/dry 3: liar listed 1 of 3 jobs"]
    assert cold.wrong() == ["wide/cold 3: liar ran 1 of 3 jobs"]
    assert noop.wrong() == ["wide/noop 3: liar ran 1 of 0 jobs"]
