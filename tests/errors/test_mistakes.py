"""Mistakes in a Pipefile and on the command line: each is told at its place, before anything runs.

The cases stand in `cases/*.txt`, in the form that `chunks` describes.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chunks import Case, Said, pointed_at, read_cases, read_said
from conftest import Folder, Run

CASES = [
    pytest.param(case, id=f"{path.stem}: {case.title}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.txt"))
    for case in read_cases(path)
]


@pytest.mark.parametrize("case", CASES)
def test_case(case: Case, folder: Folder) -> None:
    folder.write(case.files)
    for name in case.folders:
        os.makedirs(name)
    for name, target in case.links.items():
        os.symlink(target, name)
    before = folder.names()
    result = folder.run(*case.words)
    check_complaints(case, result)
    for part in case.says:
        assert part in result.text
    for part in case.silent:
        assert part not in result.text
    assert folder.names() - before == case.made
    assert result.status == case.status, result.text
    if not any("Traceback" in part for part in case.says):
        assert "Traceback" not in result.text
    if case.status and not case.ran:
        assert not os.path.exists(".pybuild/journal"), "something was started"


def check_complaints(case: Case, result: Run) -> None:
    """What was complained of is what was due, no more and no less."""
    said = read_said(result.err)
    assert "error:" not in result.out
    left = list(said)
    missing = []
    for wanted in case.wanted:
        fitting = next((each for each in left if wanted.fits(each)), None)
        if fitting is None:
            missing.append(str(wanted))
            continue
        left.remove(fitting)
        for part in wanted.message:
            assert part in fitting.message
        for part in wanted.help:
            assert part in fitting.help, f"{fitting}: help: {fitting.help}"
        for text, place in wanted.notes:
            assert any(
                text in note and place in (where, "") for note, where in fitting.notes
            ), f"{fitting}: notes: {fitting.notes}"
        check_excerpt(case, fitting)
    assert not missing and not left, (
        f"due: {missing}; too much: {[str(each) for each in left]}\n{result.text}"
    )


def check_excerpt(case: Case, said: Said) -> None:
    """The line is shown, and the caret stands below the column."""
    if not said.file or said.file not in case.files:
        return
    line = case.files[said.file].split("\n")[said.line - 1]
    number, shown, rest = pointed_at(said)
    assert number == said.line
    assert shown in line
    assert rest and line[said.column - 1 :].startswith(rest)
