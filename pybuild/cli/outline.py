"""The names that a Pipefile defines, as far as its text shows them: nothing of it is run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pybuild.engine.offers import Offers
from pybuild.pipefile.parse import parse
from pybuild.pipefile.syntax import Assignment, Rule, Text, Word
from pybuild.source import Source

_WILD = frozenset("*?[%")


def outline(path: str, text: str) -> Offers:
    """Variables, rules and tasks, and targets without placeholders. Files that it includes are not
    read."""
    tree, _ = parse(Source(path, text.replace("\r\n", "\n")))
    variables = [node.name for node in tree.statements if isinstance(node, Assignment)]
    rules: list[str] = []
    targets: list[str] = []
    for node in tree.statements:
        if isinstance(node, Rule):
            *named, makes, needs = node.segments
            if list(_literal(makes)) == [".PHONY"]:
                rules += _literal(needs)
            else:
                targets += _literal(makes)
            rules += [name for segment in named for name in _literal(segment)]
    tasks = dict.fromkeys(rules)
    return Offers(
        path,
        list(dict.fromkeys(variables)),
        [(name, "") for name in tasks],
        [name for name in dict.fromkeys(targets) if name not in tasks],
    )


def _literal(words: Sequence[Word]) -> Iterator[str]:
    """The words that are plain names."""
    for word in words:
        texts = [piece.text for piece in word.pieces if isinstance(piece, Text)]
        name = "".join(texts)
        if len(texts) == len(word.pieces) and not _WILD.intersection(name):
            yield name
