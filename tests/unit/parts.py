"""The small parts that the tests of the engine are put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pybuild.content import digest_of
from pybuild.engine.events import Event
from pybuild.engine.ports import Happening, Outcome
from pybuild.graph import Graph, Job, Script, ShellPart, Traits
from pybuild.names import Pattern, glob_pieces
from pybuild.source import Source, Span

from .memory import MemoryFiles

ORIGIN = Span(Source("Pipefile", "all: x\n"), 0, 3)


class TextRecipe:
    """A recipe that is a text and some values."""

    def __init__(self, text: str = "make it", **values: str) -> None:
        self.text = text
        self.used: dict[str, str] = values
        self.private = ""
        self.changed: list[Sequence[str]] = []
        self.flags: dict[str, Any] = {}

    @property
    def text_digest(self) -> bytes:
        return digest_of(self.text.encode())

    @property
    def values_digest(self) -> bytes:
        return digest_of(repr((self.used, self.private)).encode())

    @property
    def values_key(self) -> bytes:
        return digest_of(repr(self.used).encode())

    def values(self) -> Mapping[str, str]:
        return self.used

    def expand(self, job: Job, changed: Sequence[str], outputs: Sequence[str]) -> Script:
        self.changed.append(tuple(changed))
        return Script((ShellPart(self.text),), self.text, **self.flags)

    def expand_attribute(self, job: Job, text: str) -> str:
        return text.replace("<output>", job.name)


class World:
    """A graph that is written down by hand: `job(outputs, inputs, ...)`."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.files = MemoryFiles()

    def job(
        self,
        outputs: str,
        inputs: str = "",
        order_only: str = "",
        *,
        recipe: TextRecipe | str | None = "",
        name: str = "",
        patterns: str = "",
        **traits: Any,
    ) -> Job:
        """A job; names are split at blanks. `recipe=None` is a rule without one."""
        made = tuple(outputs.split())
        kept = TextRecipe(f"make {outputs}") if isinstance(recipe, str) else recipe
        traits.setdefault("rule", name or outputs)
        found = Job(
            name or made[0],
            made,
            Traits(**traits),
            ORIGIN,
            kept,
            tuple(Pattern(glob_pieces(each)) for each in patterns.split()),
        )
        found.inputs = tuple(inputs.split())
        found.order_only = tuple(order_only.split())
        self.graph.add(found)
        return found


class FixedGrow:
    """Inputs are known from the start, but for jobs in `waits`, which wait for splits.

    `grown` is called with a finished split and its outputs."""

    def __init__(self, files: MemoryFiles) -> None:
        self.files = files
        self.waits: dict[str, list[Job]] = {}
        self.resolved: dict[str, tuple[str, ...]] = {}
        self.grown: Callable[[Job, tuple[str, ...]], None] = lambda job, outputs: None
        self.closing: Callable[[Job], None] = lambda job: None

    def close(self, job: Job) -> Sequence[Job]:
        self.closing(job)
        return [each for each in self.waits.get(job.name, ()) if each.name not in self.resolved]

    def resolve(self, job: Job, outputs: Iterable[str]) -> None:
        self.resolved[job.name] = tuple(outputs)
        self.grown(job, self.resolved[job.name])

    def claimable(self, job: Job) -> Sequence[str]:
        return self.strangers(job)

    def strangers(self, job: Job) -> Sequence[str]:
        return [
            name
            for name in self.files.names()
            if any(each.match(name) is not None for each in job.patterns)
        ]


Action = Callable[[Job, MemoryFiles], str]


def write_inputs(job: Job, files: MemoryFiles) -> str:
    """The usual recipe: each output holds its name and what the inputs hold."""
    data = b"".join(files.read(name) for name in job.inputs if files.status(name) is not None)
    for name in job.outputs:
        files.write(name, name.encode() + b"(" + data + b")")
    return ""


class MemoryRunner:
    """Runs Python in place of a shell: `actions` by the job's name, else `write_inputs`. What an
    action returns is the error. Jobs end in the order they were started, one at each wait."""

    def __init__(self, files: MemoryFiles) -> None:
        self.files = files
        self.actions: dict[str, Action] = {}
        self.ran: list[str] = []
        self.hooks: list[Callable[[], object] | str] = []
        self.most_at_once = 0
        self.stopped = 0
        self.closed = False
        self._running: list[Job] = []

    def start(self, batch: Sequence[tuple[Job, Script]]) -> None:
        for job, _ in batch:
            self._running.append(job)
            self.ran.append(job.name)
        self.most_at_once = max(self.most_at_once, len(self._running))

    def recall(self) -> None: ...

    def cancel(self, job: Job) -> None: ...

    def wait(self, timeout: float | None) -> Sequence[Happening]:
        if timeout == 0 or not self._running:
            return ()
        return (self._end(self._running.pop(0)),)

    def _end(self, job: Job) -> Outcome:
        error = self.actions.get(job.name, write_inputs)(job, self.files)
        said = f"{job.name} says {error}\n".encode() if error else b""
        return Outcome(job, error, said, tail=said)

    def wake(self) -> None: ...

    def stop(self, signum: int) -> Sequence[Outcome]:
        self.stopped = signum
        self._running.clear()
        return ()

    def call(self, hook: Callable[[], object] | str) -> str:
        self.hooks.append(hook)
        return ""

    def close(self) -> None:
        self.closed = True


class ListReport:
    """Keeps all events."""

    interval: float | None = None

    def __init__(self) -> None:
        self.events: list[Event] = []

    def handle(self, event: Event) -> None:
        self.events.append(event)

    def tick(self) -> None: ...

    def of(self, *kinds: type) -> list[Any]:
        """The events of some kinds, in order."""
        return [each for each in self.events if isinstance(each, kinds)]
