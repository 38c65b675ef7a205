"""Diagnostics as text: place, excerpt, caret, notes, help."""

from __future__ import annotations

from collections.abc import Iterable

from pybuild.source import Diagnostic, Note, Span

PAGE = "docs/diagnostics.md"  # has a section for each code
_LONGEST = 160


def render(diagnostic: Diagnostic) -> str:
    """One diagnostic as lines of text, without a newline at the end."""
    place = f"{diagnostic.span}: " if diagnostic.span else "pybuild: "
    head = f"{place}{diagnostic.severity}: {diagnostic.message} [{diagnostic.code}]"
    lines = [one_line(head)]
    if diagnostic.span:
        lines += excerpt(diagnostic.span)
    for note in diagnostic.notes:
        lines += _note(note)
    if diagnostic.help:
        lines.append(one_line(f"  help: {diagnostic.help}"))
    return "\n".join(lines)


def one_line(line: str) -> str:
    """The text as one line that does nothing to a terminal, whatever names are in it."""
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in line
    )


def _note(note: Note) -> list[str]:
    if note.span is None:
        return [one_line(f"  note: {note.message}")]
    return [one_line(f"  note: {note.message} at {note.span}"), *excerpt(note.span)]


def excerpt(span: Span) -> list[str]:
    """The line that a span starts in, with carets below it. Tabs keep their width; any other
    character that cannot be shown is replaced by one that can."""
    number, column = span.place
    line = span.source.line(number)
    size = max(1, min(span.end - span.start, len(line) - column + 1))
    cut = max(0, column - _LONGEST // 2) if len(line) > _LONGEST else 0
    shown = line[cut : cut + _LONGEST]
    before = "".join(char if char == "\t" else " " for char in line[cut : column - 1])
    margin = " " * len(str(number))
    carets = "^" * max(1, min(size, len(shown) - len(before)))
    text = "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in shown)
    return [f"  {number} | {text}", f"  {margin} | {before}{carets}"]


def as_data(diagnostics: Iterable[Diagnostic]) -> list[dict[str, object]]:
    """Diagnostics as plain data for JSON; lines and columns count from 1, in characters."""
    return [
        {
            "code": each.code,
            "severity": each.severity,
            "message": each.message,
            "help": each.help,
            "page": f"{PAGE}#{each.code.lower()}",
            **place_data(each.span),
            "notes": [{"message": note.message, **place_data(note.span)} for note in each.notes],
            "tags": list(each.tags),
            "fixes": [
                {
                    "title": fix.title,
                    "edits": [{**place_data(edit.span), "text": edit.text} for edit in fix.edits],
                }
                for fix in each.fixes
            ],
        }
        for each in diagnostics
    ]


def place_data(span: Span | None) -> dict[str, object]:
    """A place as fields of a JSON object; the end is behind the last character."""
    if span is None:
        return {"file": None}
    line, column = span.place
    end_line, end_column = span.source.place(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }
