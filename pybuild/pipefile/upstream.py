"""Which splits may yet bring files to a rule, directly or through other rules.

Known from patterns alone: the targets of a split that could match a prerequisite of a rule feed it,
and what a fed rule makes may feed others.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

from pybuild.names import Affixes, Anything, Pattern, may_meet, overlaps, starting_with
from pybuild.pipefile.rules import PATTERN, Rule
from pybuild.pipefile.template import Template


class Upstream:
    """The splits above each rule."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.has_splits = any(rule.splits for rule in rules)
        self._above: dict[int, list[Rule]] = {}
        self._is_found = not self.has_splits  # which are above which: when it is asked for

    def of(self, rule: Rule) -> list[Rule]:
        """The splits above a rule, the rule itself not among them."""
        if not self._is_found:
            self._is_found = True
            self._find()
        return self._above.get(rule.index, [])

    def _find(self) -> None:
        wants = _Wants(self.rules)
        reaches: dict[int, list[Pattern]] = {}
        feeders: dict[int, list[Rule]] = {}

        def enter(other: Rule) -> None:
            """What comes out of a rule may come out of a split."""
            reaches[other.index] = target_reach(other)
            for rule in wants.candidates(other, reaches[other.index]):
                if self._may_feed(other, reaches, rule):
                    insort(feeders.setdefault(rule.index, []), other, key=_index)

        for rule in self.rules:
            if rule.splits:
                enter(rule)
        changed = True
        while changed:
            changed = False
            for rule in self.rules:
                if rule.index not in feeders:
                    continue
                found = {each.index: each for each in self.of(rule)}
                before = len(found)
                for other in feeders[rule.index]:
                    found |= {each.index: each for each in self.of(other)}
                    if other.splits:
                        found[other.index] = other
                if len(found) > before:
                    changed = True
                    self._above[rule.index] = list(found.values())
                    if rule.index not in reaches:
                        enter(rule)

    def _may_feed(self, other: Rule, reaches: dict[int, list[Pattern]], rule: Rule) -> bool:
        for template in (*rule.drivers, *rule.prerequisites, *rule.order_only):
            if template.rule:
                if template.rule == other.name:
                    return True
            elif template.call is not None:
                if template.call.reference.trailers:  # a list is what it is
                    return other.splits  # a function may look at anything
            elif any(overlaps(template.reach(), reach) for reach in reaches[other.index]):
                return other is not rule
        return bool(other.name) and other.name in rule.settings.follows


class _Wants:
    """What rules ask for, so that those whom a rule could feed are found without trying all."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._by_rule: dict[str, list[Rule]] = {}
        self._callers: list[Rule] = []
        self._names: dict[str, list[Rule]] = {}
        self._patterns: list[tuple[Pattern, Rule]] = []
        self._by_affix: Affixes[Rule] = Affixes()
        for rule in rules:
            for name in rule.settings.follows:
                self._by_rule.setdefault(name, []).append(rule)
            for template in (*rule.drivers, *rule.prerequisites, *rule.order_only):
                self._add(template, rule)
        self._sorted = sorted(self._names)

    def _add(self, template: Template, rule: Rule) -> None:
        if template.rule:
            self._by_rule.setdefault(template.rule, []).append(rule)
        elif template.call is not None:
            self._callers.append(rule)
        elif template.literal is not None:
            self._names.setdefault(template.literal, []).append(rule)
        else:
            pattern = template.reach()
            self._patterns.append((pattern, rule))
            self._by_affix.add(pattern.prefix, pattern.suffix, rule)

    def candidates(self, other: Rule, reaches: Sequence[Pattern]) -> list[Rule]:
        """At least all rules that a rule with such targets may feed, each once."""
        found = [*self._by_rule.get(other.name, ())] if other.name else []
        if other.splits:
            found += self._callers
        for reach in reaches:
            if reach.is_literal:
                found += self._names.get(str(reach), ())
                found += self._by_affix.find(str(reach))
                continue
            for name in starting_with(self._sorted, reach.prefix):
                if name.endswith(reach.suffix):
                    found += self._names[name]
            found += [rule for pattern, rule in self._patterns if may_meet(pattern, reach)]
        return list({rule.index: rule for rule in found}.values())


def _index(rule: Rule) -> int:
    return rule.index


def target_reach(rule: Rule) -> list[Pattern]:
    """Patterns that match at least every target of a rule."""
    if rule.flavour == PATTERN:
        texts = [text.partition("%") for text in rule.patterns]
        return [Pattern([a, Anything(), b] if a else [Anything(), b]) for a, _, b in texts]
    return [template.reach() for template in rule.targets]
