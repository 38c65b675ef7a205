"""Some jobs of a kept graph as jobs again: the rules are read anew, all else is as it was kept."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Sequence

from pybuild.graph import Graph, Job
from pybuild.pipefile.binding import Binding
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.recipe import PipeRecipe
from pybuild.pipefile.rules import Pipeline, Rule
from pybuild.pipefile.template import WholeFile
from pybuild.typed import Any

_MARSHAL_VERSION = 4


def packed(job: Job) -> bytes:
    """What `Revived.add` needs of a closed job besides its files; "" for its name if that is its
    first output."""
    binding: Binding = job.binding
    name = "" if job.outputs and job.outputs[0] == job.name else job.name
    aliases = {key: _plain(value) for key, value in binding.aliases.items()}
    return marshal.dumps(
        (
            binding.rule.index,
            name,
            tuple(binding.members),
            binding.captured,
            binding.each,
            binding.stem,
            aliases,
        ),
        _MARSHAL_VERSION,
    )


def _plain(value: Any) -> Any:
    return [str(each) for each in value] if isinstance(value, list) else str(value)


def _files(value: Any) -> Any:
    return [WholeFile(each) for each in value] if isinstance(value, list) else WholeFile(value)


class Revived:
    """The jobs that were asked for, all of them closed. Is the engine's `Grow` and the `World` of
    their bindings; `outputs_of_rule` gives the files of all jobs of a rule, by its index."""

    def __init__(
        self,
        pipeline: Pipeline,
        prints: Fingerprints,
        outputs_of_rule: Callable[[int], list[str]],
    ) -> None:
        self.pipeline = pipeline
        self.prints = prints
        self.outputs_of_rule = outputs_of_rule
        self.graph = Graph()
        self.graph.pools = pipeline.pools

    def add(
        self,
        data: Any,
        outputs: tuple[str, ...],
        inputs: tuple[str, ...],
        order_only: tuple[str, ...],
    ) -> Job:
        """A job from what `packed` gave (decoded) and its files."""
        index, name, members, captured, each, stem, aliases = data
        rule = self.pipeline.rules[index]
        binding = Binding(self, rule, members, captured, stem)
        binding.each = each
        binding.aliases = {key: _files(value) for key, value in aliases.items()}
        recipe = PipeRecipe(rule.recipe, binding) if rule.recipe else None
        job = Job(name or outputs[0], outputs, rule.traits, rule.span, recipe, (), binding)
        job.inputs = inputs
        job.order_only = order_only
        binding.job = job
        binding.closed = True
        self.graph.add(job)
        return job

    def outputs_of(self, rule: Rule) -> list[str]:
        """All outputs of a rule, sorted if several jobs make them."""
        return self.outputs_of_rule(rule.index)

    def value_job(self, rule: Rule) -> Job:
        """Jobs that take objects are not brought back: `kept` has the whole graph loaded."""
        raise AssertionError(rule.name)

    # -- the engine's Grow -----------------------------------------------------------------

    def close(self, _: Job) -> list[Job]:
        return []

    def resolve(self, job: Job, outputs: Iterable[str]) -> None:
        """There are no splits among them."""

    def strangers(self, _: Job) -> Sequence[str]:
        return []

    def claimable(self, _: Job) -> Sequence[str]:
        return []
