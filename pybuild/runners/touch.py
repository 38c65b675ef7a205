"""`-t`: targets are touched and recorded as done. A recipe with `+` runs as in make."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pybuild.engine.ports import Happening, Outcome, Runner
from pybuild.files import Files
from pybuild.graph import Job, Script


class TouchRunner:
    """Touches the outputs of a job; of a split those files that are there (`existing`). What runs
    all the same is given to the runner that `make_runner` makes."""

    def __init__(
        self,
        files: Files,
        existing: Callable[[Job], Sequence[str]],
        make_runner: Callable[[], Runner],
    ) -> None:
        self.files = files
        self.existing = existing
        self._make_runner = make_runner
        self._runner: Runner | None = None
        self._ended: list[Outcome] = []

    def start(self, batch: Sequence[tuple[Job, Script]]) -> None:
        for job, script in batch:
            if not script.always:
                self._touch(job)
                continue
            if self._runner is None:
                self._runner = self._make_runner()
            self._runner.start([(job, script)])

    def _touch(self, job: Job) -> None:
        error = ""
        for name in self.existing(job) if job.patterns else job.outputs:
            try:
                self.files.touch(name)
            except OSError as problem:
                error = f"cannot touch `{name}`: {problem.strerror}"
        self._ended.append(Outcome(job, error))

    def recall(self) -> None:
        if self._runner is not None:
            self._runner.recall()

    def cancel(self, job: Job) -> None:
        if self._runner is not None:
            self._runner.cancel(job)

    def wait(self, timeout: float | None) -> Sequence[Happening]:
        ended, self._ended = self._ended, []
        if self._runner is None:
            return ended
        return [*ended, *self._runner.wait(0 if ended else timeout)]

    def wake(self) -> None:
        if self._runner is not None:
            self._runner.wake()

    def stop(self, signum: int) -> Sequence[Outcome]:
        return () if self._runner is None else self._runner.stop(signum)

    def call(self, hook: Callable[[], object] | str) -> str:
        return ""

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()
