"""One mistake hides no other: a mistake is put into each statement of each example, and another one,
which has nothing to do with it, is found all the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pybuild.pipefile import syntax
from pybuild.pipefile.parse import parse
from pybuild.report.codes import CODES
from pybuild.report.diagnostics import render
from pybuild.source import Source

from .looking import look

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/Pipefile"))
PROBE = "{0}: {0}.in\n    cp <{0}_nope> <output>\n"


def _unclosed(text: str, at: syntax.Statement) -> str:
    """A quote behind the first line of the statement that is never closed."""
    return text[: at.span.end] + ' "' + text[at.span.end :]


def _doubled(text: str, at: syntax.Statement) -> str:
    return text[: at.span.start] + ": : = " + text[at.span.start :]


def _placeholder(text: str, at: syntax.Statement) -> str:
    return text[: at.span.end] + " <x[" + text[at.span.end :]


def _colons(text: str, at: syntax.Statement) -> str:
    return text[: at.span.end] + ": x: y: z" + text[at.span.end :]


def _indentation(text: str, at: syntax.Statement) -> str:
    """The line below the statement's first one is indented otherwise."""
    end = text.find("\n", at.span.end) + 1 or len(text)
    return text[:end] + "\t \tx\n    y\n" + text[end:]


MISTAKES = [_unclosed, _doubled, _placeholder, _colons, _indentation]


def statements(text: str) -> Iterator[syntax.Statement]:
    tree, found = parse(Source("Pipefile", text))
    assert not found
    for each in tree.statements:
        if not isinstance(each, syntax.Comment):
            yield each
            if isinstance(each, syntax.Rule):
                yield from each.decorations


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Goes into a copy of an example; gives the text of its Pipefile."""

    def enter(name: str) -> str:
        if name == "weather":
            pytest.importorskip("vega_datasets")
        folder = tmp_path / name
        shutil.copytree(ROOT / "examples" / name, folder)
        shutil.rmtree(folder / ".pybuild", ignore_errors=True)
        monkeypatch.chdir(folder)
        return (folder / "Pipefile").read_text("utf-8")

    return enter


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_clean(name: str, project: Callable[[str], str]) -> None:
    assert look(project(name)) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: each.__name__.strip("_"))
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_mistake_in_a_statement_hides_none_elsewhere(
    name: str, mistake: Callable[[str, syntax.Statement], str], project: Callable[[str], str]
) -> None:
    text = project(name)
    for each in statements(text):
        broken = PROBE.format("first") + mistake(text, each) + "\n" + PROBE.format("last")
        found = look(broken)
        place = each.span.place[0] + 2
        messages = [one.message for one in found if one.code == "PB201"]
        for probe in ("`<first_nope>` is not known here", "`<last_nope>` is not known here"):
            assert messages.count(probe) == 1, f"line {place}: {probe}\n{messages}"
        others = [
            one
            for one in found
            if one.severity == "error" and one.span and "_nope" not in one.message
        ]
        assert others, f"line {place}: the mistake itself is not found"


ALL_KINDS = """
dirs = ["a", "b"]
prefix ?= "x"
text = "<prefix>/$(CC)"
.PHONY: clean
clean:
    rm -rf <prefix>/lib; cd sub && make
    cp "<inputs>" $@ $(CC) $$x > <input>
@desc("one <basename>")
one: out/<basename>.o: src/*.c ref=x.h | <two>
    gcc -I<dirs> $< -o <output> $prefix
collate two: <k>.txt: <k>-<n>.in
    python:
        output.write_text(str(list(inputs)))
%.o: %.c
    cat <<EOF
    <input> $@
    EOF
split three: parts/*.txt: whole
    #!/usr/bin/env perl
    print <input>;
"""


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_taken_out_lint_has_an_answer(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dice = random.Random(seed)
    for _ in range(25):
        start = dice.randrange(len(ALL_KINDS))
        end = start + dice.choice((1, 1, 2, 5, 20))
        for each in look(ALL_KINDS[:start] + ALL_KINDS[end:]):
            assert each.code in CODES
            assert render(each)
            for fix in each.fixes:
                assert all(0 <= edit.span.start <= edit.span.end for edit in fix.edits)
