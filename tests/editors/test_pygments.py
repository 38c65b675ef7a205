"""The Pygments lexer loses nothing, and says what the parser says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import find_lexer_class_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Name, Token, _TokenType

from pybuild.lexer import PipefileLexer
from tests.editors.places import places, texts

TYPES = {
    "comment": Comment,
    "variable": Name.Variable,
    "include": Keyword.Namespace,
    "attribute": Name.Decorator,
    "kind": Keyword.Declaration,
    "rule": Name.Function,
    "placeholder": Name.Variable,
    "python": Keyword,
}
PARTS = [
    "a.o: src/*.c\n", "x = [\n", "]\n", "@desc(\"<x>\")\n", "    cc <input> -o <output>\n", "python:\n",
    "    python:\n", "        def f(x): return '<x>'\n", "\tcat <<'END'\n\tEND\n", "# a comment\n", "<n:[0-9]+>",
    "split s: out/*.x: \"a b\" | c\n", "combinations(2) p: <n[0]>: q/<n>\n", "    #!/usr/bin/env Rscript\n", "\\\n",
    "    @-+ echo '<x\n", "include a.pipe\n", "\r\n", "\x0c", "é", "\U0001f600", "    echo <f(\"a>b\", 1)> <rest:**>\n",
]  # fmt: skip


def tokens(text: str) -> list[tuple[int, _TokenType, str]]:
    return list(PipefileLexer().get_tokens_unprocessed(text))


def _is_whole(text: str) -> bool:
    """Whether the tokens are the text, each at its place."""
    found = tokens(text)
    return "".join(value for *_, value in found) == text and all(
        text.startswith(value, start) for start, _, value in found
    )


@pytest.mark.parametrize(("name", "text"), list(texts()), ids=[name for name, _ in texts()])
def test_all_that_the_project_shows_is_whole_and_without_errors(name: str, text: str) -> None:
    assert _is_whole(text)
    assert [value for _, token, value in tokens(text) if token in Error] == []


@pytest.mark.parametrize(("name", "text"), list(texts()), ids=[name for name, _ in texts()])
def test_every_place_has_the_type_that_the_parser_means(name: str, text: str) -> None:
    found = {start: (token, value) for start, token, value in tokens(text)}
    for place in places(text):
        start = place.start - 1 if place.what == "attribute" else place.start
        token, value = found[start]
        assert token in TYPES[place.what], (value, place)
        assert start + len(value) == place.end


@settings(deadline=None, max_examples=300, database=None, derandomize=True)
@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=8), max_size=12).map("".join))
def test_no_text_loses_anything(text: str) -> None:
    assert _is_whole(text)


def test_pygments_knows_it_by_name_and_by_file() -> None:
    assert find_lexer_class_by_name("pipefile").__name__ == "PipefileLexer"
    for name in ("Pipefile", "rules/align.pipe"):
        assert type(get_lexer_for_filename(name)).__name__ == "PipefileLexer"


@pytest.mark.parametrize(
    ("text", "value", "token"),
    [
        ("a: b\n    echo '<input>' x", "input", Token.Name.Variable.Magic),
        ("a: b\n    echo '<flags>' x", "flags", Token.Name.Variable),
        ("a: b\n    echo 'x' x", "'x'", Token.Literal.String.Single),
        ("a: b\n    # <input>", "# <input>", Token.Comment.Single),
        ("a: b\n    python:\n        return None", "return", Token.Keyword),
        ("a: b\n    #!/usr/bin/env python3\n    return None", "return", Token.Keyword),
        ("a: b\n    @-touch x", "@-", Token.Operator),
        ("a: <n:[0-9]+>", ":[0-9]+", Token.Literal.String.Regex),
        ("a: 'x = 1", "a: 'x = 1", Token.Error),
        ("x = lambda: 3", "lambda", Token.Keyword),
        ("a: ref=b", "ref", Token.Name.Attribute),
        ('a: "b c"', '"b c"', Token.Literal.String.Double),
        ("a.o: b.c", "a.o", Token.Name.Label),
        ("combinations(2) a: b: c", "2", Token.Literal.Number.Integer),
        ("objects: a.o: a.c", "objects", Token.Name.Function),
        ("value v: a.c", "v", Token.Name.Function),
        ("objects: %.o: %.c", "objects", Token.Name.Label),
    ],
)
def test_parts_have_their_types(text: str, value: str, token: _TokenType) -> None:
    assert (token, value) in [(found, each) for _, found, each in tokens(text)]
