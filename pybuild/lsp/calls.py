"""Rules that depend on each other, as a hierarchy of calls: a rule calls those that make what it
needs."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from pybuild.lsp.names import FILE, RULE, Sheet, extent, label_of
from pybuild.lsp.projects import EditedProject, Here
from pybuild.lsp.references import rules_making
from pybuild.names import Pattern, overlaps
from pybuild.pipefile import syntax
from pybuild.pipefile.rules import Rule
from pybuild.pipefile.template import Template
from pybuild.pipefile.upstream import target_reach
from pybuild.typed import Any


def prepared(here: Here, offset: int) -> list[types.CallHierarchyItem]:
    """The rule that is named at a place, or makes the file that is, or stands there."""
    one = here.analysis.names.at(here.sheet, offset)
    if one is not None and one.kind == RULE:
        found = here.analysis.names.rules.get(one.name, [])
        rules = [(sheet, sheet.statement_at(each.start)) for sheet, each in found]
        return [
            _item(here.project, sheet, rule)
            for sheet, rule in rules
            if isinstance(rule, syntax.Rule)
        ]
    if one is not None and one.kind == FILE:
        items = [_item(here.project, *each) for each in rules_making(here, one.name)]
        if items:
            return items
    rule = here.sheet.statement_at(offset)
    return [_item(here.project, here.sheet, rule)] if isinstance(rule, syntax.Rule) else []


def needed(
    project: EditedProject, item: types.CallHierarchyItem
) -> Iterator[types.CallHierarchyOutgoingCall]:
    """The rules that make what a rule needs, with the words that ask for it."""
    rule = _rule_of(project, item)
    if rule is None:
        return
    for other in _rules(project):
        words = [each for each in _needs(rule) if _may_make(other, each)]
        if words and other is not rule:
            sheet, node = _node(project, other)
            if node is not None:
                ranges = _ranges(project, rule, words)
                yield types.CallHierarchyOutgoingCall(_item(project, sheet, node), ranges)


def needing(
    project: EditedProject, item: types.CallHierarchyItem
) -> Iterator[types.CallHierarchyIncomingCall]:
    """The rules that need what a rule makes, with their words for it."""
    rule = _rule_of(project, item)
    if rule is None:
        return
    for other in _rules(project):
        words = [each for each in _needs(other) if _may_make(rule, each)]
        if words and other is not rule:
            sheet, node = _node(project, other)
            if node is not None:
                ranges = _ranges(project, other, words)
                yield types.CallHierarchyIncomingCall(_item(project, sheet, node), ranges)


def _rules(project: EditedProject) -> list[Rule]:
    loaded = project.analysis().loaded
    return loaded.pipeline.rules if loaded else []


def _needs(rule: Rule) -> list[Template]:
    return [*rule.drivers, *rule.prerequisites, *rule.order_only]


def _may_make(rule: Rule, word: Template) -> bool:
    """Whether a rule may make what a word of a header asks for."""
    if word.rule:
        return rule.name == word.rule
    if word.call is not None:
        return False
    reach: Pattern = word.reach()
    return any(overlaps(reach, each) for each in target_reach(rule))


def _item(project: EditedProject, sheet: Sheet, rule: syntax.Rule) -> types.CallHierarchyItem:
    whole = extent(rule)
    return types.CallHierarchyItem(
        name=label_of(rule) or "rule",
        kind=types.SymbolKind.Function,
        uri=project.uri(sheet.name),
        range=sheet.lines.range(whole.start, whole.end),
        selection_range=sheet.lines.range(rule.span.start, rule.span.end),
        data={"file": sheet.name, "start": rule.span.start},
    )


def _rule_of(project: EditedProject, item: types.CallHierarchyItem) -> Rule | None:
    data: Any = item.data
    if not isinstance(data, dict):
        return None
    for rule in _rules(project):
        if (rule.span.source.name, rule.span.start) == (data.get("file"), data.get("start")):
            return rule
    return None


def _node(project: EditedProject, rule: Rule) -> tuple[Sheet, syntax.Rule | None]:
    sheet = project.analysis().sheets[rule.span.source.name]
    found = sheet.statement_at(rule.span.start)
    return sheet, found if isinstance(found, syntax.Rule) else None


def _ranges(project: EditedProject, rule: Rule, words: list[Template]) -> list[types.Range]:
    sheet = project.analysis().sheets[rule.span.source.name]
    spans = dict.fromkeys((each.span.start, each.span.end) for each in words)
    return [sheet.lines.range(start, end) for start, end in spans]
