"""References that nothing replaces where they stand: make's in headers and expressions, and
placeholders in expressions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pybuild.lint.known import Known
from pybuild.lint.scans import identifiers
from pybuild.pipefile import syntax
from pybuild.regex import regex
from pybuild.source import Diagnostic, Edit, Fix, Span

_IN_HEADER = regex(r"\$[({]([A-Za-z_][\w.]*)[)}]|\$[@<^]")
_IN_TEXT = regex(r"\$\(([A-Z][A-Z0-9_]*)\)")
_PLACEHOLDER = regex(r"<([A-Za-z_]\w*)>")


def texts(known: Known) -> Iterator[Diagnostic]:
    """The references that stay as they are written."""
    for node, *_ in known.written:
        if "$" in node.span.source.text[node.span.start : node.span.end]:
            for segment in (*node.segments, node.order_only):
                for word in segment:
                    yield from _in_header(word, known)
    in_attributes: frozenset[str] | None = None
    for assignments in known.assignments.values():
        for each in assignments:
            text = each.expression.text
            if "<" in text or "$(" in text:
                if in_attributes is None:
                    in_attributes = _names_in_attributes(known)
                yield from _in_expression(each, known, in_attributes)


def _in_header(word: syntax.Word, known: Known) -> Iterator[Diagnostic]:
    source = word.span.source
    for found in _IN_HEADER.finditer(source.text, word.span.start, word.span.end):
        span = Span(source, *found.span())
        ours = known.meant_by(found[1] or "")
        yield Diagnostic(
            "PB504",
            f"`{found[0]}` is make's, and here a part of the name",
            span,
            help=f"a variable is written `<{ours or found[1] or 'name'}>`",
            severity="warning",
            fixes=(Fix(f"write `<{ours}>`", (Edit(span, f"<{ours}>"),)),) if ours else (),
        )


def _names_in_attributes(known: Known) -> frozenset[str]:
    """Names in the arguments of attributes, whose texts may have placeholders."""
    return frozenset(
        name
        for node, *_ in known.written
        for each in node.decorations
        if isinstance(each.arguments, syntax.PythonText)
        for name in identifiers(each.arguments.text)
    )


def _in_expression(
    node: syntax.Assignment, known: Known, in_attributes: frozenset[str]
) -> Iterator[Diagnostic]:
    for constant in _strings(node.expression.text):
        span = _span_of(constant, node.expression)
        written = span.source.text[span.start : span.end]
        for found in _IN_TEXT.finditer(written):
            yield _of_make(found, span, known)
        if node.name not in in_attributes and "</" not in written:
            yield from _of_placeholder(written, span, known)


def _strings(text: str) -> list[ast.Constant]:
    """The plain texts in an expression, those in f-strings left out; none if it is no Python."""
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    inner = {
        id(part)
        for each in ast.walk(tree)
        if isinstance(each, ast.JoinedStr)
        for part in each.values
    }
    return [
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in inner
    ]


def _span_of(constant: ast.Constant, expression: syntax.PythonText) -> Span:
    source, first = expression.span.source, expression.span.place
    ends = (
        (constant.lineno, constant.col_offset),
        (constant.end_lineno or constant.lineno, constant.end_col_offset or 0),
    )
    start, end = (
        expression.span.start + len(expression.text.encode()[:column].decode("utf-8", "ignore"))
        if line == 1
        else source.offset(first[0] + line - 1, column)
        for line, column in ends
    )
    return Span(source, start, end)


def _of_make(found: re.Match[str], span: Span, known: Known) -> Diagnostic:
    ours = known.meant_by(found[1]) or found[1].lower()
    return Diagnostic(
        "PB504",
        f"`{found[0]}` is make's: in Python it is a text like any other",
        span.but(start=span.start + found.start(), end=span.start + found.end()),
        help=f'an f-string takes the value of a variable: `f"... {{{ours}}}"`',
        severity="warning",
    )


def _of_placeholder(written: str, span: Span, known: Known) -> Iterator[Diagnostic]:
    found = _PLACEHOLDER.search(written)
    if found is None or found[1] not in known.assignments:
        return
    is_plain = written[0] in "\"'" and not any(char in written for char in "{}\\")
    filled = "f" + _PLACEHOLDER.sub(
        lambda each: f"{{{each[1]}}}" if each[1] in known.assignments else each[0], written
    )
    yield Diagnostic(
        "PB509",
        f"`{found[0]}` stays as it is: placeholders are not replaced in expressions",
        span.but(start=span.start + found.start(), end=span.start + found.end()),
        help=f'an f-string takes the value of a variable: `f"... {{{found[1]}}}"`',
        severity="warning",
        fixes=(Fix("make it an f-string", (Edit(span, filled),)),) if is_plain else (),
    )
