"""The TextMate grammar says what the parser says, and knows every word of the language."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.editors.places import ROOT, places, texts

VSCODE = ROOT / "editors" / "vscode"
SCOPES = {
    "comment": ["comment.line.number-sign"],
    "variable": ["variable.other.assignment.pipefile"],
    "include": ["keyword.control.import.pipefile"],
    "attribute": ["entity.name.function.decorator.pipefile"],
    "kind": ["storage.type.kind.pipefile"],
    "rule": ["entity.name.function.rule.pipefile"],
    "placeholder": ["meta.placeholder"],
    "python": ["keyword.control.python.pipefile"],
}
Tokens = list[list[list[Any]]]


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    if not (VSCODE / "node_modules" / "vscode-textmate").is_dir():
        pytest.skip("node packages are not installed: run `npm ci` in editors/vscode")
    return node


def tokens_of(folder: Path, named: list[tuple[str, str]]) -> dict[str, Tokens]:
    """The tokens of texts by their names."""
    node = _node()
    files = {}
    for number, (name, text) in enumerate(named):
        path = folder / str(number)
        path.write_text(text, encoding="utf-8")
        files[str(path)] = name
    done = subprocess.run(
        [node, str(VSCODE / "test" / "tokens.mjs"), *files],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return {files[path]: tokens for path, tokens in json.loads(done.stdout).items()}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _scopes_at(tokens: Tokens, text: str, position: int) -> list[str]:
    """The scopes of the character at a position of a text."""
    before = text[:position]
    column = _units(before.rpartition("\n")[2])
    for start, end, *scopes in tokens[before.count("\n")]:
        if start <= column < end:
            return scopes
    raise AssertionError(f"no token at {position}")


def test_every_place_has_the_scope_that_the_parser_means(tmp_path: Path) -> None:
    named = list(texts())
    found = tokens_of(tmp_path, named)
    wrong = []
    for name, text in named:
        for place in places(text):
            for position in (place.start, place.end - 1):
                scopes = _scopes_at(found[name], text, position)
                for wanted in SCOPES[place.what]:
                    if not any(each.startswith(wanted) for each in scopes):
                        line = text.count("\n", 0, position) + 1
                        shown = text[place.start : place.end]
                        wrong.append(f"{name}:{line}: {place.what} `{shown}` is {scopes}")
    assert not wrong, "\n".join(wrong)


def test_no_more_placeholders_than_the_parser_sees(tmp_path: Path) -> None:
    named = list(texts())
    found = tokens_of(tmp_path, named)
    wrong = []
    for name, text in named:
        seen = {place.start - 1 for place in places(text) if place.what == "placeholder"}
        position = 0
        for line, tokens in zip(text.split("\n"), found[name], strict=True):
            for start, _, *scopes in tokens:
                begins = "punctuation.definition.placeholder.begin.pipefile" in scopes
                in_attribute = "meta.attribute.pipefile" in scopes
                at = position + len(line.encode("utf-16-le")[: 2 * start].decode("utf-16-le"))
                if begins and not in_attribute and at not in seen:
                    wrong.append(f"{name}: {line}")
            position += len(line) + 1
    assert not wrong, "\n".join(wrong)


def test_no_token_is_invalid(tmp_path: Path) -> None:
    wrong = [
        f"{name}:{number}: {token}"
        for name, tokens in tokens_of(tmp_path, list(texts())).items()
        for number, line in enumerate(tokens, 1)
        for token in line
        if any(scope.startswith("invalid") for scope in token[2:])
    ]
    assert not wrong, "\n".join(wrong)


# Text, what to look at in it, and the start of a scope that it has; behind `!` one that it has not.
SPOTS = [
    ("a: b\n    cat <<END\n    <input>\n    END\n    touch x\n", "touch", "!string"),
    ("a: b\n    cat <<'END' > <output>\n    text\n    END\n", "output", "meta.placeholder"),
    ("a: b\n    cat <<'END' > <output>\n    text\n    END\n", "text", "string.unquoted.heredoc"),
    ("a: b\n    echo 'open\nc: d\n", "c: d", "entity.name.type.target.pipefile"),
    ('a: b\n    python:\n        """open\nc: d\n', "c:", "entity.name.type.target.pipefile"),
    ("a: b\n    python:\n        x = 1\n    echo <input>\n", "echo", "meta.embedded.block.shell"),
    ("a: b\n    python:\n        x = inputs[0]\n", "inputs", "variable.language.pipefile"),
    ("a: b\n    echo '<input>'\n", "input", "variable.language.pipefile"),
    ("a: b\n    echo \\<input>\n", "input", "!meta.placeholder"),
    ("a: b\n    # <input>\n", "input", "!meta.placeholder"),
    ("a: b\n    sort < file.txt\n", "file", "!meta.placeholder"),
    ("a: b\n    @-touch x\n", "@-", "keyword.operator.prefix"),
    ("a: b\n    #!/usr/bin/env python3\n    import sys\n", "import", "keyword.control.import.python"),
    ("a: b\n    #!/usr/bin/env Rscript\n    x <- TRUE\n", "TRUE", "constant.language"),
    ("@desc('<x>')\na: b\n", "x", "variable.other.placeholder.pipefile"),
    ("@nonsense\na: b\n", "nonsense", "entity.name.function.decorator.unknown"),
    ("x = glob('*.c')\n", "glob", "support.function.builtin.pipefile"),
    ("x = [\n  1,\n]\ny = 2\n", "y", "variable.other.assignment.pipefile"),
    ("a: <n:[0-9]+> | d\n", "[0-9]+", "string.regexp.pipefile"),
    ("a: <n:[0-9]+> | d\n", "|", "keyword.operator.order-only.pipefile"),
    ("a: \\\n  b\n", "b", "string.unquoted.prerequisite.pipefile"),
    ("a: ref=b\n", "ref", "variable.parameter.alias.pipefile"),
    ("a.o: %.o: %.c\n", "a.o", "entity.name.type.target.pipefile"),
    ("objs: %.o: %.c\n", "objs", "entity.name.type.target.pipefile"),
    ("combinations(2) p: <n[0]>: q/<n>\n", "2", "constant.numeric.pipefile"),
    ("a: <f(inputs[1].basename, \"x\")>\n", "basename", "support.variable.property.pipefile"),
    (".PHONY: x\n", ".PHONY", "support.constant.special.pipefile"),
]  # fmt: skip


def test_what_stands_where(tmp_path: Path) -> None:
    found = tokens_of(tmp_path, [(str(number), text) for number, (text, *_) in enumerate(SPOTS)])
    wrong = []
    for number, (text, part, scope) in enumerate(SPOTS):
        scopes = _scopes_at(found[str(number)], text, text.index(part))
        has = any(each.startswith(scope.removeprefix("!")) for each in scopes)
        if has == scope.startswith("!"):
            wrong.append(f"{text!r}: `{part}` is {scopes}, wanted {scope}")
    assert not wrong, "\n".join(wrong)
