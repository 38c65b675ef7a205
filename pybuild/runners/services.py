"""Services: processes that go on while a watch builds. Each is started when it is up to date, and
anew when what it depends on has changed, or when it has ended.

Whoever keeps them is to call `tend` when one of their handles has something to read, and after
`patience` seconds.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Sequence

from pybuild.engine.events import Event, Said, ServiceChanged
from pybuild.engine.ports import Chunk, Happening, Outcome, Runner
from pybuild.graph import Job, Script
from pybuild.runners.local import LocalRunner
from pybuild.typed import NamedTuple

_FIRST_PAUSE = 0.5  # seconds until a service that has ended is started anew; doubled each time
_LONGEST_PAUSE = 30.0
_SOUND_AFTER = 10.0  # seconds: a service that has run so long may end without being in disgrace
_LOOK_EVERY = 0.1  # seconds, while a service is being ended


class Plan(NamedTuple):
    """How a service is to run. Services with equal `key` need not be started anew."""

    job: Job
    script: Script
    key: bytes


class _Service:
    """One service, with a runner of its own: jobs of several graphs may have the same number."""

    def __init__(self, plan: Plan, folder: str) -> None:
        self.plan = plan
        self.runner = LocalRunner(folder, stream=True)
        self.running: Job | None = None
        self.is_ending = False
        self.due: float | None = None  # when it is to be started, unless it runs
        self.began = 0.0
        self.ends = 0  # in a row, each soon after the start
        self.line = b""  # what it has printed of a line

    @property
    def name(self) -> str:
        return self.plan.job.name


class Services:
    """All services of a watch. `folder` is where logs and scripts are kept; `tell` is told of what
    becomes of them, and what they say."""

    def __init__(self, folder: str, tell: Callable[[Event], None]) -> None:
        self._folder = folder
        self._tell = tell
        self._known: dict[str, _Service] = {}

    def want(self, plan: Plan) -> None:
        """A service is to run like this; it is started, or started anew, if it does not."""
        service = self._known.get(plan.job.name)
        if service is None:
            service = self._known[plan.job.name] = _Service(plan, self._folder)
        elif service.plan.key == plan.key:
            return
        elif service.running is not None:
            self._end(service, service.running)
            self._tell(ServiceChanged(service.name, "stopped", "what it depends on has changed"))
        service.plan, service.ends, service.due = plan, 0, time.monotonic()
        self.tend()

    def keep(self, names: Collection[str]) -> None:
        """All services that are not among these are not wanted any more."""
        for name in [each for each in self._known if each not in names]:
            self._stop(self._known.pop(name))
            self._tell(ServiceChanged(name, "ended", "there is no such rule any more"))

    def handles(self) -> list[int]:
        """What has something to read when a service has spoken or ended."""
        return [each for service in self._known.values() for each in service.runner.handles()]

    @property
    def patience(self) -> float | None:
        """In how many seconds `tend` is to be called at the latest; None if there is no hurry."""
        if any(each.is_ending for each in self._known.values()):
            return _LOOK_EVERY
        dues = [each.due for each in self._known.values() if each.due is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def tend(self) -> None:
        """Tells what services have said, and starts those that are due."""
        for service in self._known.values():
            self._listen(service)
            is_due = service.due is not None and service.due <= time.monotonic()
            if is_due and service.running is None:
                self._start(service)
                self._listen(service)  # there may be nothing to be started

    def _listen(self, service: _Service) -> None:
        for each in service.runner.wait(0) if service.running else ():
            if isinstance(each, Chunk):
                self._hear(service, each.data)
            elif isinstance(each, Outcome):
                self._ended(service, each)

    def close(self) -> None:
        """Ends all services, with everything that they have started."""
        for service in self._known.values():
            self._stop(service)
        self._known.clear()

    def _start(self, service: _Service) -> None:
        service.due = None
        service.running = service.plan.job
        service.began = time.monotonic()
        self._tell(ServiceChanged(service.name, "started"))
        service.runner.start([(service.plan.job, service.plan.script)])

    def _end(self, service: _Service, running: Job) -> None:
        if not service.is_ending:
            service.is_ending = True
            service.runner.cancel(running)

    def _ended(self, service: _Service, outcome: Outcome) -> None:
        self._hear(service, b"\n" if service.line else b"")
        service.running = None
        if service.is_ending:
            service.is_ending = False
            return
        if time.monotonic() - service.began >= _SOUND_AFTER:
            service.ends = 0
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**service.ends)
        service.ends += 1
        service.due = time.monotonic() + pause
        how = outcome.error or "exit status 0"
        self._tell(ServiceChanged(service.name, "ended", f"{how}; started again in {pause:g} s"))

    def _stop(self, service: _Service) -> None:
        if service.running is not None:
            service.runner.stop(signal.SIGTERM)
        service.runner.close()

    def _hear(self, service: _Service, data: bytes) -> None:
        whole, newline, service.line = (service.line + data).rpartition(b"\n")
        if newline:
            self._tell(Said(service.name, whole + newline))


class ServiceRunner:
    """Runs jobs as another runner does, but for services, which are only handed over: such a job is
    done when the service is known. `key_of` tells what a service depends on apart."""

    def __init__(self, inner: Runner, services: Services, key_of: Callable[[Job], bytes]) -> None:
        self._inner = inner
        self._services = services
        self._key_of = key_of
        self._done: list[Outcome] = []

    def start(self, batch: Sequence[tuple[Job, Script]]) -> None:
        others = []
        for job, script in batch:
            if job.traits.service:
                self._services.want(Plan(job, script, self._key_of(job)))
                self._done.append(Outcome(job))
            else:
                others.append((job, script))
        if others:
            self._inner.start(others)

    def wait(self, timeout: float | None) -> Sequence[Happening]:
        done, self._done = self._done, []
        return [*done, *self._inner.wait(0 if done else timeout)]

    def recall(self) -> None:
        self._inner.recall()

    def cancel(self, job: Job) -> None:
        self._inner.cancel(job)

    def wake(self) -> None:
        self._inner.wake()

    def stop(self, signum: int) -> Sequence[Outcome]:
        done, self._done = self._done, []
        return [*done, *self._inner.stop(signum)]

    def call(self, hook: Callable[[], object] | str) -> str:
        return self._inner.call(hook)

    def close(self) -> None:
        self._inner.close()
