"""What the parser sees in a Pipefile, for comparison with what highlighters make of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pybuild.pipefile import syntax
from pybuild.pipefile.attributes import ATTRIBUTES
from pybuild.pipefile.parse import parse
from pybuild.pipefile.recipe import Insert, PythonTemplate, compile_recipe
from pybuild.source import Source, Span

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted([*ROOT.glob("examples/*/Pipefile"), ROOT / "Pipefile"])


class Place(NamedTuple):
    """Characters `start` to `end` of a text. `what` is one of `comment`, `variable`, `include`,
    `attribute` (one that there is), `kind`, `rule`, `placeholder` (its name), `python` (the word that
    begins a block)."""

    start: int
    end: int
    what: str


def blocks_of(page: Path) -> list[str]:
    """The Pipefiles in a page of the documentation."""
    parts = page.read_text(encoding="utf-8").split("```pipefile\n")[1:]
    return [part.partition("```")[0] for part in parts]


def texts() -> Iterator[tuple[str, str]]:
    """Names and texts of all Pipefiles that the project shows, but for those that are not well
    formed: they show mistakes."""
    for example in EXAMPLES:
        yield str(example.relative_to(ROOT)), example.read_text(encoding="utf-8")
    for page in sorted(ROOT.glob("docs/*.md")):
        for number, text in enumerate(blocks_of(page), 1):
            if not parse(Source("Pipefile", text))[1]:
                yield f"{page.name} {number}", text


def places(text: str) -> list[Place]:
    """All that has a meaning of its own to the parser, by its place."""
    tree, _ = parse(Source("Pipefile", text))
    return sorted(each for node in tree.statements for each in _statement(node))


def _statement(node: syntax.Statement) -> Iterator[Place]:
    start = node.span.start
    if isinstance(node, syntax.Comment):
        yield Place(start, node.span.end, "comment")
    elif isinstance(node, syntax.Assignment):
        yield Place(start, start + len(node.name), "variable")
    elif isinstance(node, syntax.Include):
        yield Place(start, start + len("-include" if node.optional else "include"), "include")
        yield from _words(node.words)
    elif isinstance(node, syntax.PythonBlock):
        yield Place(start, start + len("python"), "python")
    elif isinstance(node, syntax.Rule):
        yield from _rule(node)


def _rule(node: syntax.Rule) -> Iterator[Place]:
    for each in node.decorations:
        if each.name not in ATTRIBUTES:
            continue
        yield Place(each.span.start + 1, each.span.start + 1 + len(each.name), "attribute")
    if node.kind:
        word = node.kind.partition("(")[0]
        yield Place(node.span.start, node.span.start + len(word), "kind")
    if node.kind == "value" or (len(node.segments) == 3 and not _is_static(node)):
        span = node.segments[0][0].span
        yield Place(span.start, span.end, "rule")
    for segment in (*node.segments, node.order_only):
        yield from _words(segment)
    if isinstance(node.block, syntax.Block):
        yield from _recipe(node.block)


def _is_static(node: syntax.Rule) -> bool:
    """Whether it is make's static pattern rule: a `%` in the middle."""
    source = node.span.source
    return any("%" in source.text[each.span.start : each.span.end] for each in node.segments[1])


def _words(words: tuple[syntax.Word, ...]) -> Iterator[Place]:
    for word in words:
        for piece in word.pieces:
            if isinstance(piece, syntax.Placeholder):
                yield _placeholder(piece.span, piece.reference)


def _placeholder(span: Span, reference: syntax.Reference) -> Place:
    return Place(span.start + 1, span.start + 1 + len(reference.name), "placeholder")


def _recipe(block: syntax.Block) -> Iterator[Place]:
    template = compile_recipe(block, [])
    for part in template.parts if template else ():
        if isinstance(part, PythonTemplate):
            yield Place(part.span.start, part.span.start + len("python"), "python")
            continue
        for piece in part.pieces:
            if isinstance(piece, Insert):
                yield _placeholder(piece.hole.span, piece.hole.reference)
