"""What one job is bound to, and the values that its placeholders have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pybuild.content import digest_of
from pybuild.graph import VALUE_FOLDER, Job
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.recipe import RecipeTemplate
from pybuild.pipefile.rules import Pipeline, Rule
from pybuild.pipefile.template import (
    FILE_PARTS,
    FileName,
    FilledText,
    WholeFile,
    evaluate,
    file_part,
    fill_value,
)
from pybuild.pipefile.tuples import PRODUCT, Way
from pybuild.pipefile.usercode import UserCode
from pybuild.source import BuildError, Diagnostic
from pybuild.typed import Any, Protocol

NOTHING: Mapping[str, Any] = {}
# What a task stands for: all outputs of a rule, what a name without a recipe needs, or a file that
# a rule behind a split may make. A job of a makefile is marked in the same place.
RULE, NAME, LATE, GUEST = "rule", "name", "late", "guest"


class World(Protocol):
    """What a binding asks of the instantiation that it belongs to."""

    pipeline: Pipeline
    prints: Fingerprints

    def outputs_of(self, rule: Rule) -> list[str]: ...

    def value_job(self, rule: Rule) -> Job: ...


class Binding:
    """What one job is bound to: its rule, the files of its driver (`members`) and the texts that
    the rule's captures have in them (`captured`; `each` has those of all members of a group or
    tuple).

    `sources` and `later` are prerequisites that are known already (rules with `%`). `task` is set
    for a task that only stands for others: all outputs of a rule, what a name without a recipe
    needs, or a file that a rule behind a split may make. `job` is the job, where there is one, and
    `closed` says that its inputs are filled in.
    """

    __slots__ = (
        "aliases",
        "captured",
        "closed",
        "each",
        "job",
        "later",
        "lineage",
        "members",
        "rule",
        "sources",
        "stem",
        "task",
        "world",
    )

    job: Job

    def __init__(
        self,
        world: World,
        rule: Rule,
        members: tuple[str, ...] = (),
        captured: tuple[str, ...] = (),
        stem: str = "",
        lineage: int = 0,
        task: str = "",
    ) -> None:
        self.world = world
        self.rule = rule
        self.members: tuple[str, ...] | list[str] = members
        self.captured = captured
        self.stem = stem
        self.lineage = lineage
        self.task = task
        self.closed = False
        self.aliases: Mapping[str, Any] = NOTHING
        self.each: list[tuple[str, ...]] | None = None
        self.sources: Sequence[str] = ()
        self.later: Sequence[str] = ()

    @property
    def driving_inputs(self) -> Sequence[str]:
        """The files of the driver that are inputs of the job."""
        return () if self.rule.for_each else self.members

    def join(self, name: str, captured: tuple[str, ...], lineage: int) -> None:
        """A further match of the same group; a capture that differs becomes a list."""
        if self.each is None:
            self.each = [self.captured]
        members = self.members if isinstance(self.members, list) else list(self.members)
        members.append(name)
        self.members = members
        self.each.append(captured)
        self.lineage |= lineage

    def call(self, alias: str, value: Any) -> None:
        """Gives a file, or several, a name that the job's texts can use."""
        self.aliases = {**self.aliases, alias: value}

    def knows(self, name: str) -> bool:
        """Whether a name is one of the driver's captures."""
        return bool(self.captured or self.each) and name in self.rule.captures

    def capture(self, name: str) -> Any:
        """The text of a capture, or in a group the list of its texts if there are several; in a
        tuple of one set the texts in the order of its files."""
        if self.rule.way is not None:
            return self._of_places(name, self.rule.way)
        place = self.rule.captures.index(name)
        if self.each is None:
            return FileName(self.captured[place])
        texts = [FileName(text) for text in sorted({captured[place] for captured in self.each})]
        return texts[0] if len(texts) == 1 else texts

    def _of_places(self, name: str, way: Way) -> Any:
        texts = [
            FileName(captured[names.index(name)])
            for names, captured in zip(way.captures, self.each or (), strict=True)
            if name in names
        ]
        return texts[0] if way.kind == PRODUCT else texts

    def value_job(self, name: str) -> Job:
        """The job that makes the object of a rule of the kind `value`."""
        return self.world.value_job(self.world.pipeline.named[name])

    def files(self, names: Sequence[str]) -> Sequence[str]:
        """Names of files as texts see them: what stands for an object is no file of theirs."""
        if not self.world.pipeline.values:
            return names
        return [name for name in names if not name.startswith(VALUE_FOLDER)]

    def _inputs(self, job: Job) -> Sequence[str]:
        """A job's inputs as its texts see them: in a tuple a file may stand twice."""
        members = self.driving_inputs
        inputs = self.files(job.inputs)
        if self.rule.way is None or len(set(members)) == len(members):
            return inputs
        return (*members, *(name for name in inputs if name not in members))

    def lookup(
        self, job: Job, changed: Sequence[str] = (), outputs: Sequence[str] = ()
    ) -> JobLookup:
        """From names to values, for a closed job."""
        return JobLookup(self, self._inputs(job), outputs or job.outputs, job, changed)

    def early_lookup(self) -> JobLookup:
        """From names to values, as far as the driver tells."""
        return JobLookup(self, self.driving_inputs, (), None, ())

    def member_lookups(self, lookup: JobLookup) -> Iterator[JobLookup]:
        """One lookup for each match of a group, with that match's own captures."""
        if self.each is None or self.rule.way is not None:
            yield lookup
            return
        for name, captured in zip(self.members, self.each, strict=True):
            one = Binding(self.world, self.rule, (name,), captured)
            one.aliases = self.aliases
            inputs = lookup.inputs if self.rule.for_each else [name]
            yield JobLookup(one, inputs, lookup.outputs, lookup.job, ())

    def private_digest(self, template: RecipeTemplate) -> bytes:
        """Digest of the shared values, of the job's own, and of what called functions give."""
        parts = [template.shared_digest]
        for name in template.private_names:
            is_capture = self.knows(name)
            value = self.capture(name) if is_capture else _plain_value(self.lookup(self.job)(name))
            parts.append(f"{name}={value}".encode("utf-8", "surrogateescape"))
        for hole in template.calls:
            value = evaluate(hole.reference, self.lookup(self.job), hole.span)
            with UserCode(hole.span, "PB212", f"`{hole.reference}` gives what has no digest: "):
                parts.append(self.world.prints.of_value(_plain_value(value)))
        return digest_of(b"\0".join(parts))


def _plain_value(value: Any) -> Any:
    if isinstance(value, FileName | FilledText):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain_value(each) for each in value]
    return value


class JobLookup:
    """The names of one job and their values. Raises KeyError for a name that it does not have."""

    __slots__ = ("binding", "changed", "inputs", "job", "outputs")

    def __init__(
        self,
        binding: Binding,
        inputs: Sequence[str],
        outputs: Sequence[str],
        job: Job | None,
        changed: Sequence[str],
    ) -> None:
        self.binding = binding
        self.inputs = inputs
        self.outputs = outputs
        self.job = job
        self.changed = changed

    def __call__(self, name: str) -> Any:
        return self._value(name, self.binding.rule.params)

    def without_params(self, name: str) -> Any:
        """What a name means in a value of `@params`: another of them, or itself, it does not."""
        return self._value(name, NOTHING)

    def _value(self, name: str, params: Mapping[str, Any]) -> Any:
        binding = self.binding
        if binding.knows(name):
            return binding.capture(name)
        own = _OWN.get(name)
        if own is not None:
            return own(self)
        if name in FILE_PARTS:
            return file_part(self._first(binding.members or self.inputs, name), name)
        if name in binding.aliases:
            return self._renamed(binding.aliases[name])
        if name in params:
            return fill_value(params[name], self.without_params)
        pipeline = binding.world.pipeline
        if name in pipeline.namespace:
            return pipeline.namespace[name]
        if name in pipeline.named:
            return whole_files(binding.world.outputs_of(pipeline.named[name]))
        raise KeyError(name)

    def _first(self, names: Sequence[str], what: str) -> WholeFile:
        if not names:
            raise BuildError(Diagnostic("PB211", f"`<{what}>`: this job has none"))
        return WholeFile(names[0])

    def _targets(self) -> Sequence[str]:
        if self.outputs or self.job is None:
            return self.outputs
        return [str(each) for each in self.job.patterns] or [self.job.name]

    def _renamed(self, value: Any) -> Any:
        """A named target of an atomic job goes by its temporary name."""
        job = self.job
        if isinstance(value, str) and job and self.outputs and value in job.outputs:
            return WholeFile(self.outputs[job.outputs.index(value)])
        return value


def whole_files(names: Iterable[str]) -> list[WholeFile]:
    return [WholeFile(name) for name in names]


_OWN: dict[str, Callable[[JobLookup], Any]] = {
    "input": lambda self: self._first(self.inputs, "input"),
    "inputs": lambda self: whole_files(self.inputs),
    "output": lambda self: self._first(self._targets(), "output"),
    "outputs": lambda self: whole_files(self._targets()),
    "order_only": lambda self: whole_files(
        self.binding.files(self.job.order_only) if self.job else ()
    ),
    "changed": lambda self: whole_files(self.binding.files(self.changed)),
    "stem": lambda self: FileName(self.binding.stem),
    "rule": lambda self: FileName(self.binding.rule.label),
}
