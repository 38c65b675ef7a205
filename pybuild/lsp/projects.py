"""Which project an open file belongs to, and what is known of each project now."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from pybuild.lsp.analysis import Analysis, Place, Reader
from pybuild.lsp.buffers import Buffers
from pybuild.lsp.names import Sheet
from pybuild.lsp.plan import Plan, RuleFacts, key_of
from pybuild.pipefile import syntax
from pybuild.source import Diagnostic, Note, Span, same_ends
from pybuild.typed import NamedTuple

PIPEFILE = "Pipefile"


class Here(NamedTuple):
    """A file of a project, for a request about it."""

    project: EditedProject
    analysis: Analysis
    sheet: Sheet

    def uri(self, sheet: Sheet) -> str:
        """The address of a file of the project."""
        return self.project.uri(sheet.name)

    def facts(self, rule: syntax.Rule) -> RuleFacts | None:
        """What came of a rule last time; None if that is not known."""
        plan = self.project.plan
        return plan.rules.get(key_of(rule.span)) if plan else None


class PythonComplaint(NamedTuple):
    """What somebody who knows Python says of a place: `source` is who, `href` a page about it."""

    span: Span
    message: str
    code: str
    href: str
    source: str


class EditedProject:
    """A project in the editor: what its texts say now, and what came of its rules last time."""

    def __init__(self, place: Place, buffers: Buffers, reader: Reader) -> None:
        self.place = place
        self._buffers = buffers
        self._reader = reader
        self._analysis: Analysis | None = None
        self._last: Analysis | None = None
        self.plan: Plan | None = None
        self._python: dict[str, tuple[str, Sequence[PythonComplaint]]] = {}
        self.planned: Mapping[str, str] = {}  # the texts that the plan was made of

    @property
    def reader(self) -> Reader:
        """How it is read."""
        return self._reader

    def uri(self, name: str) -> str:
        """The address of one of its files, as the editor writes it if it is open."""
        return self._buffers.uri_for(self.place.path(name))

    def forget(self) -> None:
        """A text has changed."""
        self._analysis = None

    def analysis(self) -> Analysis:
        """The project as its texts are now."""
        if self._analysis is None:
            texts = self._buffers.below(self.place.folder)
            self._analysis = self._last = self._reader.read(self.place, texts)
        return self._analysis

    def draft(self, name: str) -> Analysis:
        """The project with one file as it is now, at the least cost: what is asked for with a
        keystroke cannot wait for more."""
        text = self._buffers.below(self.place.folder).get(name)
        if self._analysis is not None or self._last is None or text is None:
            return self.analysis()
        return self._last.with_text(name, text)

    def reads(self, path: str) -> bool:
        """Whether a file belongs to the project, as it was read last."""
        name = self.place.name(path)
        return name == self.place.root or name in (self._last or self.analysis()).sheets

    def take(self, plan: Plan, analysis: Analysis) -> None:
        """A plan that was made of what was read. One that mistakes have kept from having jobs
        leaves those of the last one: they are what the user is about to come back to."""
        if not plan.has_jobs and self.plan is not None:
            last = self.plan
            plan = plan._replace(rules=last.rules, made=last.made, has_jobs=last.has_jobs)
        self.plan = plan
        self.planned = {name: sheet.text for name, sheet in analysis.sheets.items()}

    def take_python(self, name: str, text: str, found: Sequence[PythonComplaint]) -> None:
        """What is wrong with the Python of a file, as its text was."""
        self._python[name] = text, found

    def python_complaints(self) -> Iterator[PythonComplaint]:
        """What is known to be wrong with Python, at its places now. While there are mistakes in the
        Pipefile, which may be what it comes of, nothing is said."""
        analysis = self.analysis()
        if any(each.severity == "error" for each in analysis.diagnostics):
            return
        for name, (text, found) in self._python.items():
            moved = _Moved({name: text}, analysis)
            for each in found:
                span = moved.span(each.span)
                if span is not None:
                    yield each._replace(span=span)

    def diagnostics(self) -> list[Diagnostic]:
        """All that is wrong, as far as it is known now: complaints about files are those of the
        last plan, where the text at their places is still the same."""
        analysis = self.analysis()
        found = list(analysis.diagnostics)
        if self.plan is None or any(each.severity == "error" for each in found):
            return found
        told = {(each.code, each.message) for each in found}
        moved = _Moved(self.planned, analysis)
        for each in self.plan.diagnostics:
            if (each.code, each.message) not in told:
                found += moved.diagnostic(each)
        return found


class _Moved:
    """Carries places over from texts as they were to texts as they are."""

    def __init__(self, before: Mapping[str, str], analysis: Analysis) -> None:
        self._before = before
        self._analysis = analysis
        self._same: dict[str, tuple[int, int]] = {}

    def diagnostic(self, old: Diagnostic) -> list[Diagnostic]:
        """The complaint at its place now; none if what it complains of has changed."""
        if old.span is None:
            return [old]
        span = self.span(old.span)
        if span is None:
            return []
        notes = []
        for note in old.notes:
            place = self.span(note.span) if note.span else None
            notes.append(Note(note.message, place))
        return [old._replace(span=span, notes=tuple(notes), fixes=())]

    def span(self, old: Span) -> Span | None:
        """A place now; None if what stood there has changed."""
        name = old.source.name
        sheet = self._analysis.sheets.get(name)
        if sheet is None or name not in self._before:
            return None
        before, now = self._before[name], sheet.text
        if before == now:
            return Span(sheet.tree.source, old.start, old.end)
        if name not in self._same:
            self._same[name] = same_ends(before, now)
        head, tail = self._same[name]
        # What is typed right before or behind a word changes it.
        if old.end < head:
            return Span(sheet.tree.source, old.start, old.end)
        if old.start > len(before) - tail:
            by = len(now) - len(before)
            return Span(sheet.tree.source, old.start + by, old.end + by)
        return None


class Projects:
    """The projects of all open files."""

    def __init__(self, buffers: Buffers, reader: Reader) -> None:
        self._buffers = buffers
        self._reader = reader
        self._known: dict[Place, EditedProject] = {}

    def __iter__(self) -> Iterator[EditedProject]:
        return iter(tuple(self._known.values()))

    def forget(self) -> None:
        """A text has changed, here or on disk."""
        for each in self._known.values():
            each.forget()

    def let_go(self) -> None:
        """A file was closed: projects that nobody looks at any more are let go of."""
        for place, project in list(self._known.items()):
            if not any(each.path.startswith(place.folder + "/") for each in self._buffers):
                del self._known[place]
                self._reader.let_go(place)
            else:
                project.forget()

    def of(self, path: str) -> EditedProject:
        """The project that a Pipefile belongs to: that of the nearest `Pipefile` in its folder or
        further up that reads it; else it is one for itself."""
        for project in sorted(self._known.values(), key=lambda each: each.place.root != PIPEFILE):
            if project.reads(path):
                return project
        folder, name = os.path.split(path)
        if name != PIPEFILE:
            above = self._above(folder, path)
            if above is not None:
                return above
        return self._at(Place(folder, name))

    def _above(self, folder: str, path: str) -> EditedProject | None:
        while True:
            if os.path.isfile(os.path.join(folder, PIPEFILE)):
                place = Place(folder, PIPEFILE)
                known = self._known.get(place)
                project = known or EditedProject(place, self._buffers, self._reader)
                if not project.reads(path):
                    return None
                return self._known.setdefault(place, project)
            above = os.path.dirname(folder)
            if above == folder:
                return None
            folder = above

    def _at(self, place: Place) -> EditedProject:
        if place not in self._known:
            self._known[place] = EditedProject(place, self._buffers, self._reader)
        return self._known[place]

    def here(self, path: str, *, draft: bool = False) -> Here | None:
        """An open file with its project, or a draft of it; None if it cannot be read there."""
        project = self.of(path)
        analysis = project.draft(project.place.name(path)) if draft else project.analysis()
        sheet = analysis.sheets.get(project.place.name(path))
        return None if sheet is None else Here(project, analysis, sheet)
