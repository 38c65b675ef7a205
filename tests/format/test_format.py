"""`--format`'s layout: cases by hand, all examples, and Pipefiles made at random.

A case is a file: a text, a line `-----`, and the text as it should be. Those whose name ends in
`ruff` have their Python formatted as well.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from pybuild.pipefile.format import format_text
from pybuild.pipefile.inline import Tidy
from pybuild.pipefile.ruff import find_ruff, run_ruff

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.case"))
SEPARATOR = "-----\n"


def ruff(folder: Path) -> Tidy:
    """The real ruff, with the configuration that holds in a folder."""
    program = find_ruff()
    if not program:
        pytest.skip("ruff is not installed")
    return lambda text: run_ruff(program, text, str(folder / "Pipefile"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, tmp_path: Path) -> None:
    before, _, after = path.read_text().partition(SEPARATOR)
    tidy = ruff(tmp_path) if path.stem.endswith("ruff") else None
    made = format_text(before, "Pipefile", tidy)
    assert made == after, "".join(difflib.ndiff(after.splitlines(True), made.splitlines(True)))
    assert format_text(made, "Pipefile", tidy) == made
