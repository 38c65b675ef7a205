"""A format changes nothing but the layout: the same tree, the same jobs, nothing to be run again,
all comments there; and a second one changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from pybuild.pipefile.format import format_text
from pybuild.pipefile.inline import Tidy
from pybuild.source import BuildError
from tests.property.random_project import models

from .meaning import comments_of, copy_of, jobs_of, tree_of
from .test_format import ruff

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/Pipefile"))
UNHURRIED = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def formatted(text: str, tidy: Tidy | None = None) -> str:
    """The text formatted, which is the same when it is formatted again."""
    once = format_text(text, "Pipefile", tidy)
    assert format_text(once, "Pipefile", tidy) == once
    return once


# -- examples -------------------------------------------------------------------------------------


def test_the_project_and_its_examples_are_formatted() -> None:
    words = ["--format", "--check", "Pipefile", "examples"]
    done = subprocess.run([sys.executable, "-m", "pybuild", *words], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stdout


def untidy(text: str) -> str:
    """A Pipefile of the examples with another layout: tabs for the indentation of its blocks, no
    blank behind a colon, no blank lines, double ones between words."""
    rows = []
    for row in text.split("\n"):
        if row.startswith("    "):
            rows.append("\t" + row[4:])
        elif row.strip() and row[0] not in "#@":
            head, mark, rest = row.partition("#")
            is_assignment = "=" in head.split(":")[0]
            head = head.replace(" = ", "  =") if is_assignment else head.replace(" ", "  ")
            rows.append(head + mark + rest)
        elif row.strip():
            rows.append(row)
    return "\n".join(rows) + "\n\n\n"


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_jobs_of_an_example_stay(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy_of(folder, tmp_path / "project"))
    text = Path("Pipefile").read_text()
    before = jobs_of()
    for other in (formatted(text), formatted(text, ruff(tmp_path)), untidy(text)):
        Path("Pipefile").write_text(other)
        assert jobs_of() == before
        made = formatted(other)
        assert comments_of(made) == comments_of(text)
        Path("Pipefile").write_text(made)
        assert jobs_of() == before


def test_nothing_runs_because_of_a_format(tmp_path: Path) -> None:
    folder = copy_of(ROOT / "examples" / "text-index", tmp_path / "project")
    path = folder / "Pipefile"
    path.write_text(untidy(path.read_text()))

    def pybuild(*words: str) -> str:
        command = [sys.executable, "-m", "pybuild", *words]
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout

    assert " ran, 0 up to date" in pybuild("packages=json")
    assert "1 file formatted" in pybuild("--format")
    last = pybuild("packages=json").splitlines()[-1]
    assert "up to date (" in last, last


# -- random projects ------------------------------------------------------------------------------

BLANKS = st.sampled_from([" ", "  ", "\t", " \\\n  ", " \\\n\t"])
FREE = st.sampled_from(["", " ", "\t"])


@st.composite
def layouts(draw: st.DrawFn, text: str) -> str:
    """The text of a random project with another layout."""
    rows: list[str] = []
    indent = ""
    for row in text.split("\n"):
        if row.startswith("    "):
            rows.append(indent + row[4:])
            continue
        if not row.strip():
            rows.append(draw(FREE))
            continue
        indent = draw(st.sampled_from(["    ", "\t", "  "]))
        if not (rows and rows[-1].startswith("@")):
            rows += draw(st.lists(st.sampled_from(["", " ", "# said", "#\tso"]), max_size=2))
        rows.append(draw(headers(row)))
    return "\n".join(rows) + "\n" * draw(st.integers(0, 3))


@st.composite
def headers(draw: st.DrawFn, row: str) -> str:
    """A line at the margin of such a project, with other blanks and perhaps a comment."""
    if row.startswith(("@", "python")):
        return row + draw(FREE)
    if " = " in row:
        return row.replace(" = ", draw(FREE) + "=" + draw(FREE))
    first, *others = row.split()
    line = first
    for word in others:
        line += (draw(FREE) if word == "&:" else draw(BLANKS)) + word
    return line + draw(st.sampled_from(["", "  ", " # why"]))


@settings(UNHURRIED, max_examples=12)
@given(st.data())
def test_jobs_of_random_projects_stay(data: st.DataObject) -> None:
    model = data.draw(models(most_rules=4))
    text = model.pipefile()
    untidied = data.draw(layouts(text))
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as name:
        for path, content in model.sources.items():
            place = Path(name, path)
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content)
        os.chdir(name)
        try:
            Path("Pipefile").write_text(text)
            before = jobs_of()
            for each in (untidied, formatted(untidied), formatted(untidied, ruff(Path(name)))):
                Path("Pipefile").write_text(each)
                assert jobs_of() == before, each
            assert comments_of(each) == comments_of(untidied)
        finally:
            os.chdir(here)


# -- random texts ---------------------------------------------------------------------------------

PLAIN = [
    "a", "b.c", "x=y", 'r="a b"', '"q # r"', '"s:t"', "u\\:v", "w\\#", "<in>", "<f('#)')>", "z&",
    "<m:[12:]>", "<r:**>", "*.c", "s;t", "%", "%.o", "'", "split", "include", "a" * 40, "ü",
]  # fmt: skip
ODD = [
    "\\ ", "(p", "q)", "&", "python", "-include", "collate", "value", "@", "=", "==", "\\", ";", "<", ">",
]  # fmt: skip
GAPS = [" ", " ", "  ", "\t", " \\\n ", "\\\n", " \f", " \\\n # c\n"]
MARKS = [":", " : ", ": ", "&:", " &: ", ": \\\n", " \\\n:"]
ROWS = [
    "x", "y  ", "'", '"  ', "cat <<end  ", "end", "\\", "a \\", "  z", "\tz", "# c  ", "", "python:",
    " python :", "python :  # why", "  p(1) # c", "    q", "@", "@- x", "#!/bin/sh", "<in>",
    "# at the margin\x00", "$(  ", ")",
]  # fmt: skip
ATTRIBUTES = ["@env( A='1' )", "@temp", "@depends( 'a',\n\n 'b')", "@desc( '(' )", "@phony( )  # c"]
OTHERS = [
    "x=1", "x ?=[ 1,\n 2 ]", "x  += (\n'a' # c\n )", "x = \'\'\'\n a: b  \n\'\'\'", "include a  b # c",
    "x = \\\n 1", "-include \\\n  a", "x = (1)#d",
]  # fmt: skip


@st.composite
def words(draw: st.DrawFn, least: int = 0) -> str:
    """Words of a header, and what stands between them."""
    chosen = draw(st.lists(st.sampled_from(PLAIN * 5 + ODD), min_size=least, max_size=3))
    return "".join(word + draw(st.sampled_from(GAPS)) for word in chosen)


@st.composite
def rules(draw: st.DrawFn) -> list[str]:
    """A rule, perhaps with attributes and a recipe."""
    rows = draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=2))
    header = draw(st.sampled_from(["", "", "", "split ", "collate  ", "combinations( 2 ) "]))
    for least in draw(st.sampled_from([(1,), (1,), (1, 1)])):
        header += draw(words(least)) + draw(st.sampled_from(MARKS))
    header += draw(words()) + draw(st.sampled_from(["", "", "| ", "|x"]))
    return [*rows, header + draw(st.sampled_from(["", " ", " # c", "  #d "]))]


@st.composite
def blocks(draw: st.DrawFn) -> list[str]:
    """Indented lines, with comments at the margin between them."""
    indent = draw(st.sampled_from(["  ", "    ", "\t", "\t\t"]))
    rows = draw(st.lists(st.sampled_from(ROWS), min_size=1, max_size=6))
    return [row.rstrip("\x00") if row.endswith("\x00") else indent + row for row in rows]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Statements and blocks, most of which make a Pipefile."""
    out: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["rule", "rule", "rule", "python", "other"]))
        if kind == "other":
            out.append(draw(st.sampled_from(OTHERS)))
        elif kind == "python":
            out += [draw(st.sampled_from(["python:", "python : # c"])), *draw(blocks())]
        else:
            out += draw(rules()) + (draw(blocks()) if draw(st.booleans()) else [])
        out += draw(st.lists(st.sampled_from(["", " ", "# c", "#", "\f# d"]), max_size=2))
    end = draw(st.sampled_from(["", "\n", "\n\n "]))
    return draw(st.sampled_from(["\n", "\r\n"])).join(out) + end


@settings(UNHURRIED, max_examples=150)
@given(texts())
@example("a& :b")
@example("a: <f('\\\n')>")
@example("a: (b # c\n d)")
@example("x = (1)")
@example("split \fa :")
@example("collate\\\na :")
@example("a:\n  cat <<end  \n  b  \n# margin\n  end\n")
def test_the_tree_of_random_texts_stays(text: str) -> None:
    try:
        made = formatted(text)
    except BuildError as error:
        assert error.diagnostics
        assume(False)
    before, _ = tree_of(text.replace("\r\n", "\n"))
    after, diagnostics = tree_of(made.replace("\r\n", "\n"))
    assert not diagnostics
    assert after == before
    assert comments_of(made) == comments_of(text)
    assert ("\r\n" in made) <= ("\r\n" in text)
