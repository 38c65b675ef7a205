"""The TextMate grammar knows each word of the language, and no others."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pybuild.pipefile.attributes import ATTRIBUTES
from pybuild.pipefile.builtins import LoadTime
from pybuild.pipefile.template import FILE_PARTS, JOB_NAMES
from tests.editors.places import ROOT
from tests.editors.regenerate import FILES, with_attributes

GRAMMAR = json.loads((ROOT / "grammar" / "pipefile.tmLanguage.json").read_text("utf-8"))


def kinds() -> set[str]:
    """The words before a header, as the parser's own grammar has them."""
    lark = (ROOT / "grammar" / "pipefile.lark").read_text(encoding="utf-8")
    line = re.search(r"^KIND\.\d+: /(.*?)\\\(", lark, re.MULTILINE)
    assert line is not None
    return set(re.findall(r"\w+", line[1]))


def builtins() -> set[str]:
    load_time = LoadTime({}, lambda _: [], lambda _: [], lambda: None)  # type: ignore[arg-type, return-value]
    return {*load_time.names(), "Path"}


WORDS = {
    "attributes": set(ATTRIBUTES),
    "kinds": kinds(),
    "builtins": builtins(),
    "job names": set(JOB_NAMES),
    "reserved names": {*JOB_NAMES, *FILE_PARTS},
    "file parts": set(FILE_PARTS),
    "keywords": {"python", "include"},
}


def _rules(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [rule for each in node for rule in _rules(each)]
    if not isinstance(node, dict):
        return []
    return [node, *(rule for each in node.values() for rule in _rules(each))]


def _named(scope: str) -> set[str]:
    """The words that a group of this scope stands for: alternatives of plain words."""
    found: set[str] = set()
    for rule in _rules(GRAMMAR):
        for kind, captures in (("begin", "beginCaptures"), ("match", "captures")):
            if kind not in rule:
                continue
            groups = _groups(rule[kind])
            named = {0: rule} if kind == "match" else {}
            named |= {int(key): value for key, value in rule.get(captures, {}).items()}
            for number, value in named.items():
                if value.get("name") == scope:
                    found |= set(re.findall(r"[A-Za-z_]{2,}", groups[number]))
    return found


def _groups(pattern: str) -> list[str]:
    """The text of a pattern and of its numbered groups, without lookarounds and classes."""
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", lambda found: " " * len(found[0]), pattern)
    out = [""]
    stack: list[tuple[int, int]] = []
    for index, char in enumerate(bare):
        if char == "(":
            is_group = bare[index + 1 : index + 2] != "?"
            out += [""] * is_group
            stack.append((len(out) - 1 if is_group else -1, index + 1))
        elif char == ")":
            number, start = stack.pop()
            if number > 0:
                out[number] = bare[start:index]
    out[0] = re.sub(r"\(\?[=!<][^()]*\)", "", bare)
    return out


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (["entity.name.function.decorator.pipefile"], "attributes"),
        (["storage.type.kind.pipefile"], "kinds"),
        (["support.function.builtin.pipefile", "support.class.pipefile"], "builtins"),
        (["variable.language.pipefile"], "reserved names"),
        (["support.variable.property.pipefile"], "file parts"),
        (["keyword.control.python.pipefile", "keyword.control.import.pipefile"], "keywords"),
    ],
)
def test_the_textmate_grammar_knows_each_word(scopes: list[str], words: str) -> None:
    assert set().union(*map(_named, scopes)) == WORDS[words]


def test_python_in_recipes_knows_the_names_of_a_job() -> None:
    match = GRAMMAR["repository"]["job-name"]["match"]
    assert {each for each in WORDS["job names"] if re.search(match, f"f({each})")} == WORDS[
        "job names"
    ]
    assert not re.search(match, "x.input") and not re.search(match, "inputs_2")


def test_both_grammars_have_the_same_operators_of_assignment() -> None:
    begin = GRAMMAR["repository"]["assignment"]["begin"]
    assert [each for each in ("=", "?=", "+=", "==", ":=") if re.match(begin, f"x {each} 1")] == [
        "=",
        "?=",
        "+=",
    ]


@pytest.mark.parametrize("name", FILES)
def test_the_attributes_are_those_of_the_code(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert with_attributes(name, text) == text, "run `python -m tests.editors.regenerate`"
