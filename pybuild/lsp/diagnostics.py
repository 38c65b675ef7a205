"""Complaints as the protocol tells them."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from pybuild.lsp.analysis import Analysis
from pybuild.lsp.buffers import uri_of
from pybuild.lsp.positions import Lines
from pybuild.lsp.projects import EditedProject, PythonComplaint
from pybuild.source import DEPRECATED, UNUSED, Diagnostic, Span

SOURCE = "pybuild"
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}
_TAGS = {UNUSED: types.DiagnosticTag.Unnecessary, DEPRECATED: types.DiagnosticTag.Deprecated}


def of_project(project: EditedProject) -> dict[str, list[types.Diagnostic]]:
    """All that is known to be wrong with a project by the names of its files; each file that was
    read has a list."""
    analysis = project.analysis()
    out = by_file(project.diagnostics(), analysis)
    for each in project.python_complaints():
        told = out.setdefault(each.span.source.name, [])
        where = range_of(each.span, analysis)
        if all(other.range != where for other in told):
            told.append(_of_python(each, where))
    return out


def by_file(found: Iterable[Diagnostic], analysis: Analysis) -> dict[str, list[types.Diagnostic]]:
    """Complaints by the names of their files; each file that was read has a list. What has no
    place stands at the start of the Pipefile."""
    out: dict[str, list[types.Diagnostic]] = {name: [] for name in analysis.sheets}
    out.setdefault(analysis.place.root, [])
    for each in found:
        name = each.span.source.name if each.span else analysis.place.root
        out.setdefault(name, []).append(as_told(each, analysis))
    return out


def as_told(diagnostic: Diagnostic, analysis: Analysis) -> types.Diagnostic:
    """One complaint."""
    message = diagnostic.message
    if diagnostic.help:
        message += f"\n{diagnostic.help}"
    related = []
    for note in diagnostic.notes:
        if note.span is None:
            message += f"\n{note.message}"
        else:
            uri = uri_of(analysis.place.path(note.span.source.name))
            location = types.Location(uri, range_of(note.span, analysis))
            related.append(types.DiagnosticRelatedInformation(location, note.message))
    return types.Diagnostic(
        range=range_of(diagnostic.span, analysis),
        message=message,
        severity=_SEVERITIES.get(diagnostic.severity, types.DiagnosticSeverity.Error),
        code=diagnostic.code,
        source=SOURCE,
        tags=[_TAGS[tag] for tag in diagnostic.tags if tag in _TAGS] or None,
        related_information=related or None,
    )


def _of_python(complaint: PythonComplaint, where: types.Range) -> types.Diagnostic:
    """A warning: what is wrong by its types may run all the same, and no build stops for it."""
    return types.Diagnostic(
        range=where,
        message=complaint.message,
        severity=types.DiagnosticSeverity.Warning,
        code=complaint.code or None,
        code_description=types.CodeDescription(complaint.href) if complaint.href else None,
        source=complaint.source,
    )


def range_of(span: Span | None, analysis: Analysis) -> types.Range:
    """The range of a place; the start of the file for none."""
    if span is None:
        return types.Range(types.Position(0, 0), types.Position(0, 0))
    sheet = analysis.sheets.get(span.source.name)
    if sheet is not None and sheet.tree.source.text == span.source.text:
        return sheet.lines.range(span.start, span.end)
    return Lines(span.source.text, analysis.reader.encoding).range(span.start, span.end)
