"""Which splits may yet bring files to a rule, directly or through other rules.

Known from patterns alone: the targets of a split that could match a prerequisite of a rule feed it,
and what a fed rule makes may feed others.
"""

from __future__ import annotations

from collections.abc import Sequence

from pybuild.names import Anything, Pattern, overlaps
from pybuild.pipefile.rules import PATTERN, Rule


class Upstream:
    """The splits above each rule."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.has_splits = any(rule.splits for rule in rules)
        self._above: dict[int, list[Rule]] = {}
        if self.has_splits:
            self._find()

    def of(self, rule: Rule) -> list[Rule]:
        """The splits above a rule, the rule itself not among them."""
        return self._above.get(rule.index, [])

    def _find(self) -> None:
        reaches: dict[int, list[Pattern]] = {}
        for rule in self.rules:
            splits = self.of(rule)
            if rule.splits:
                splits = [*splits, rule]
            if splits:
                reaches[rule.index] = target_reach(rule)
        changed = True
        while changed:
            changed = False
            for rule in self.rules:
                found = {each.index: each for each in self.of(rule)}
                before = len(found)
                for other in self.rules:
                    if other.index in reaches and self._may_feed(other, reaches, rule):
                        found |= {each.index: each for each in self.of(other)}
                        if other.splits:
                            found[other.index] = other
                if len(found) > before:
                    changed = True
                    self._above[rule.index] = list(found.values())
                    reaches.setdefault(rule.index, target_reach(rule))

    def _may_feed(self, other: Rule, reaches: dict[int, list[Pattern]], rule: Rule) -> bool:
        for template in (*rule.drivers, *rule.prerequisites, *rule.order_only):
            if template.rule:
                if template.rule == other.name:
                    return True
            elif template.call is not None:
                return other.splits  # a function may look at anything
            elif any(overlaps(template.reach(), reach) for reach in reaches[other.index]):
                return other is not rule
        return bool(other.name) and other.name in rule.settings.follows


def target_reach(rule: Rule) -> list[Pattern]:
    """Patterns that match at least every target of a rule."""
    if rule.flavour == PATTERN:
        texts = [text.partition("%") for text in rule.patterns]
        return [Pattern([a, Anything(), b] if a else [Anything(), b]) for a, _, b in texts]
    return [template.reach() for template in rule.targets]
