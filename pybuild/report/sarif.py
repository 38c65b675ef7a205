"""Diagnostics as a SARIF log, which code hosts and editors read.

Written after OASIS, *Static Analysis Results Interchange Format (SARIF) Version 2.1.0*, sections
3.13 (log), 3.14 (run), 3.27 (result), 3.30 (region), 3.49 (reporting descriptor) and 3.55 (fix).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pybuild import __version__
from pybuild.report.codes import CODES, page_of
from pybuild.source import Diagnostic, Fix, Note, Span

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"  # the usual name of the folder that file names are relative to


def as_log(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """A log with one run, as plain data for JSON: the rules that have results, and the results in
    the order of the diagnostics."""
    codes = sorted({each.code for each in diagnostics})
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "pybuild",
                        "version": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                # A column is a character of the text as Python counts them.
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, codes.index(each.code)) for each in diagnostics],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    page = page_of(code)
    level = "warning" if code >= "PB5" else "error"
    return {
        "id": code,
        "shortDescription": {"text": CODES[code]},
        "defaultConfiguration": {"level": level},
        **({"helpUri": page} if page else {}),
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    text = diagnostic.message
    if diagnostic.help:
        text += f"\n{diagnostic.help}"
    found: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": text},
        "locations": [_location(diagnostic.span)] if diagnostic.span else [],
    }
    related = [_note(each) for each in diagnostic.notes if each.span]
    if related:
        found["relatedLocations"] = related
    if diagnostic.fixes:
        found["fixes"] = [_fix(each) for each in diagnostic.fixes]
    if diagnostic.tags:
        found["properties"] = {"tags": list(diagnostic.tags)}
    return found


def _note(note: Note) -> dict[str, Any]:
    assert note.span is not None
    return {**_location(note.span), "message": {"text": note.message}}


def _location(span: Span) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": _artifact(span), "region": _region(span)},
    }


def _artifact(span: Span) -> dict[str, Any]:
    name = span.source.name
    if name.startswith("/"):
        return {"uri": f"file://{quote(name)}"}
    return {"uri": quote(name), "uriBaseId": _ROOT}


def _region(span: Span) -> dict[str, int]:
    """Lines and columns from 1; the end column is the one behind the last character."""
    line, column = span.place
    end_line, end_column = span.source.place(span.end)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _fix(fix: Fix) -> dict[str, Any]:
    """The changes of a fix, those of one file together."""
    changes: dict[str, dict[str, Any]] = {}
    for edit in fix.edits:
        change = changes.setdefault(
            edit.span.source.name,
            {"artifactLocation": _artifact(edit.span), "replacements": []},
        )
        change["replacements"].append(
            {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        )
    return {"description": {"text": fix.title}, "artifactChanges": list(changes.values())}
