"""Rules that may make the same name. What a build refuses is told by the plan; this is what order
decides without a word."""

from __future__ import annotations

from collections.abc import Iterator

from pybuild.lint.known import Known
from pybuild.pipefile.instantiate import Instantiation
from pybuild.pipefile.rules import PATTERN, Rule
from pybuild.source import UNUSED, Diagnostic, Note


def unreachable(known: Known) -> Iterator[Diagnostic]:
    """Rules with `%` before which another one always comes: with the same targets, and with no
    prerequisite that they do not have."""
    rules = [each for each in known.pipeline.rules if _is_on_demand(each)]
    for place, rule in enumerate(rules):
        for other in rules[:place]:
            if _always_before(other, rule):
                yield Diagnostic(
                    "PB606",
                    f"`{rule.label}` is never used: another rule comes before it",
                    rule.span,
                    (Note("the other one", other.span),),
                    "of rules that fit, the first whose prerequisites are there is taken",
                    "warning",
                    (UNUSED,),
                )
                break


def _always_before(one: Rule, other: Rule) -> bool:
    """Whether the first of two rules is taken wherever the other could be."""
    return set(other.patterns) <= set(one.patterns) and set(one.sources) <= set(other.sources)


def _is_on_demand(rule: Rule) -> bool:
    return rule.flavour == PATTERN and rule.settings.active


def rivals(world: Instantiation) -> Iterator[Diagnostic]:
    """Rules with `%` that could make a file as well as the rule that does, each pair of rules once,
    with the first such file. The plan has to stand."""
    rules = [each for each in world.pipeline.rules if _is_on_demand(each)]
    told: set[tuple[int, int]] = set()
    for rule in rules if len(rules) > 1 else ():
        for job in world.jobs_of[rule.index]:
            for other in world.search.rivals(job.outputs[0]):
                pair = (rule.index, other.index)
                if other is rule or pair in told or _always_before(rule, other):
                    continue
                told.add(pair)
                yield Diagnostic(
                    "PB607",
                    f"this rule could make `{job.outputs[0]}` as well: the order of the rules "
                    "decides",
                    other.span,
                    (Note("the one that is used", rule.span),),
                    "if that is not meant, give one of them another target",
                    "warning",
                )
