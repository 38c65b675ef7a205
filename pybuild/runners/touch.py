"""`-t`: no recipe runs; targets are touched and recorded as done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pybuild.engine.ports import Happening, Outcome
from pybuild.files import Files
from pybuild.graph import Job, Script


class TouchRunner:
    """Touches the outputs of a job; of a split those files that are there (`existing`)."""

    def __init__(self, files: Files, existing: Callable[[Job], Sequence[str]]) -> None:
        self.files = files
        self.existing = existing
        self._ended: list[Outcome] = []

    def start(self, batch: Sequence[tuple[Job, Script]]) -> None:
        for job, _ in batch:
            self._touch(job)

    def _touch(self, job: Job) -> None:
        error = ""
        for name in self.existing(job) if job.patterns else job.outputs:
            try:
                self.files.touch(name)
            except OSError as problem:
                error = f"cannot touch `{name}`: {problem.strerror}"
        self._ended.append(Outcome(job, error))

    def recall(self) -> None: ...

    def wait(self, timeout: float | None) -> Sequence[Happening]:
        ended, self._ended = self._ended, []
        return ended

    def wake(self) -> None: ...

    def stop(self, signum: int) -> Sequence[Outcome]:
        return ()

    def call(self, hook: Callable[[], object] | str) -> str:
        return ""

    def close(self) -> None: ...
