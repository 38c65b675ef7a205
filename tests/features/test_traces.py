"""The log of a block that failed has its variables."""

from __future__ import annotations

import pytest

from .conftest import Sandbox

PIPEFILE = """python:
    import tools
all: b <good>
b: a
    echo before
    python:
        rows = input.read_text().split()
        print("reading")
        output.write_text(str(tools.total(rows)))
good: out/<n>: in/<n>
    python:
        output.write_text("fine")
"""
TOOLS = """class Silent:
    def __repr__(self):
        raise RuntimeError
def total(rows):
    silent = Silent()
    return sum(map(int, rows))
"""


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_variables_are_in_the_log_only(box: Sandbox, jobs: str) -> None:
    box.write(Pipefile=PIPEFILE, a="1 x", **{"tools.py": TOOLS})
    for number in range(8):
        box.put(f"in/{number}", "")
    output = box.run(jobs, "-k", status=2)
    (log,) = box.names(".pybuild/logs/*")
    assert f"The values of its variables are in {log}\n" in output
    assert "invalid literal for int() with base 10: 'x'" in output
    assert "rows = " not in output
    text = box.text(log)
    assert text.startswith("before\nreading\nTraceback (most recent call last):\n")
    assert text.count("      rows = ['1', 'x']\n") == 2
    assert "      silent = <Silent instance at 0x" in text
    assert "      input = PosixPath('a')\n" in text
    assert "The values of its variables" not in text
    box.write(a="1 2")
    assert box.ran() == 1
    box.runs_nothing()


def test_a_block_that_ends_by_itself_has_no_trace(box: Sandbox) -> None:
    box.write(
        Pipefile="b:\n    python:\n        import sys\n        print(1)\n        sys.exit(3)\n"
    )
    assert "variables" not in box.run(status=2)
    (log,) = box.names(".pybuild/logs/*")
    assert box.text(log) == "1\n"
