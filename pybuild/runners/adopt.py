"""`--adopt`: nothing runs and nothing is touched; a job has ended well if its targets are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pybuild.engine.ports import Happening, Outcome
from pybuild.files import Files
from pybuild.graph import Job, Script


class AdoptRunner:
    """Looks whether the outputs of a job are there; of a split, whether there are files that it may
    have made (`existing`)."""

    def __init__(self, files: Files, existing: Callable[[Job], Sequence[str]]) -> None:
        self.files = files
        self.existing = existing
        self._ended: list[Outcome] = []

    def start(self, batch: Sequence[tuple[Job, Script]]) -> None:
        self._ended += [Outcome(job, self._missing(job)) for job, _ in batch]

    def _missing(self, job: Job) -> str:
        """What is missing of the outputs of a job, if something is."""
        if job.patterns and not self.existing(job):
            return f"nothing matches `{'`, `'.join(map(str, job.patterns))}`"
        named = [str(each) for each in job.patterns if each.is_literal]
        for name in (*job.outputs, *named):
            try:
                if self.files.status(name) is None:
                    return f"`{name}` is not there"
            except OSError as problem:
                return f"cannot look at `{name}`: {problem.strerror}"
        return ""

    def recall(self) -> None:
        """No batch takes any time."""

    def cancel(self, job: Job) -> None:
        """What is only looked at is over at once."""

    def wait(self, timeout: float | None) -> Sequence[Happening]:
        ended, self._ended = self._ended, []
        return ended

    def wake(self) -> None:
        """`wait` never waits."""

    def stop(self, signum: int) -> Sequence[Outcome]:
        return ()

    def call(self, hook: Callable[[], object] | str) -> str:
        return ""

    def close(self) -> None:
        """There is nothing to let go of."""
