"""Lines of makefiles as places that complaints point at."""

from __future__ import annotations

from pybuild.makefile.errors import MakeError, Place
from pybuild.names import normalise
from pybuild.source import BuildError, Diagnostic, Note, Source, Span


class Places:
    """Each makefile is read once more when somebody points at it. `included_at` is where they
    are all wanted."""

    def __init__(self, included_at: Span | None = None) -> None:
        self.included_at = included_at
        self._sources: dict[str, Source] = {}

    def span(self, place: Place | None) -> Span:
        """A line of a makefile; for what no makefile says, a source without text."""
        if place is None:
            return Span(self._source(""), 0, 0)
        return self._source(place.file).line_span(place.line)

    def errors(self) -> _Errors:
        """What is put around all that expands texts of makefiles: what is wrong with them becomes
        a BuildError."""
        return _Errors(self)

    def complaint(self, error: MakeError) -> Diagnostic:
        """What is wrong, with its line, and with who includes the makefiles."""
        notes: tuple[Note, ...] = ()
        if self.included_at is not None and self.included_at.source.text:
            notes = (Note("the makefile is included here", self.included_at),)
        span = self.span(error.place) if error.place is not None else None
        return Diagnostic("PB216", error.message, span, notes)

    def _source(self, file: str) -> Source:
        source = self._sources.get(file)
        if source is None:
            text = ""
            if file:
                try:
                    with open(file, "rb") as handle:
                        text = handle.read().decode("utf-8", "surrogateescape")
                except OSError:
                    pass  # it is gone since it was read
            source = self._sources[file] = Source(normalise(file) or "built-in rules", text)
        return source


class _Errors:
    __slots__ = ("_places",)

    def __init__(self, places: Places) -> None:
        self._places = places

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, _: object) -> None:
        if isinstance(error, MakeError):
            raise BuildError(self._places.complaint(error)) from None
