"""How long the parts of a start took, in the order in which they began."""

from __future__ import annotations

import time

from pybuild.typed import NamedTuple


class Span(NamedTuple):
    """One phase: its name, how deep it lies in others, and when it began and ended (`monotonic`
    seconds)."""

    name: str
    depth: int
    began: float
    ended: float


class Phases:
    """`with phases("load"):` around each phase; phases may lie in each other."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.before = time.process_time()  # CPU seconds of the start of Python
        self._spans: list[Span | None] = []
        self._depth = 0

    def __call__(self, name: str) -> Phase:
        return Phase(self, name)

    def spans(self) -> list[Span]:
        """All phases that have ended."""
        return [span for span in self._spans if span is not None]


class Phase:
    """One phase while it lasts."""

    __slots__ = ("began", "name", "phases", "place")

    def __init__(self, phases: Phases, name: str) -> None:
        self.phases = phases
        self.name = name

    def __enter__(self) -> None:
        phases = self.phases
        self.place = len(phases._spans)
        phases._spans.append(None)
        phases._depth += 1
        self.began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        phases = self.phases
        phases._depth -= 1
        phases._spans[self.place] = Span(self.name, phases._depth, self.began, time.monotonic())
