"""Remembers what rules came to, for texts that are read again after each change (`memory`).

A rule comes to the same again if it is the same node of a tree, and all that its text names, or the
texts that its attributes came to, means the same as before. Rules that look at the disk or share
something with others (pools) are not remembered.
"""

from __future__ import annotations

from pybuild.pipefile import syntax
from pybuild.pipefile.attributes import Settings
from pybuild.pipefile.memory import Meaning, Meanings, Outcome
from pybuild.pipefile.rules import VALUE
from pybuild.regex import regex
from pybuild.typed import Any, NamedTuple

_NAME = regex(r"[^\W\d]\w*")
_LOOKING = "glob"  # a name whose value changes with the disk
_SHARING = frozenset(("pool", "jobs_limit", "depends"))


class _Kept(NamedTuple):
    """An outcome with what it depends on: the meanings of some names, and that those `without` have
    none. What Python is in it has places by lines: `line` is that of the rule, 0 if they do not
    count. `names` are all that there were, where something was said."""

    node: syntax.Rule
    outcome: Outcome
    meanings: tuple[tuple[str, Meaning], ...]
    without: frozenset[str]
    in_common: tuple[object, ...]
    line: int
    names: tuple[str, ...]


class Recollection:
    """A `Memory` of the rules of one reading, for the next one."""

    def __init__(self) -> None:
        self._before: dict[int, _Kept] = {}
        self._now: dict[int, _Kept] = {}

    def recall(self, node: syntax.Rule, meanings: Meanings) -> Outcome | None:
        """What would come of a rule now; None if that is not known."""
        kept = self._before.pop(id(node), None)  # once: a file that is included twice has two rules
        if kept is None or kept.node is not node or kept.in_common != meanings.in_common():
            return None
        if kept.line and kept.line != node.span.place[0]:
            return None
        if kept.names and kept.names != meanings.all_names():
            return None
        if meanings.any_means(kept.without):
            return None
        for name, meaning in kept.meanings:
            if not _is_same(meaning, meanings.meaning(name)):
                return None
        self._now[id(node)] = kept
        return kept.outcome

    def keep(self, node: syntax.Rule, outcome: Outcome, meanings: Meanings) -> None:
        """A rule has come to this, and has had no other effect."""
        rule, said = outcome
        names = _names_of(node, rule.settings if rule else None)
        if _LOOKING in names or node.kind == VALUE:
            return
        if any(each.name in _SHARING or (each.arguments and not rule) for each in node.decorations):
            return
        without = frozenset([each for each in names if not meanings.any_means(frozenset((each,)))])
        self._now[id(node)] = _Kept(
            node,
            outcome,
            tuple([(name, meanings.meaning(name)) for name in names if name not in without]),
            without,
            meanings.in_common(),
            node.span.place[0] if said or "python" in names else 0,
            meanings.all_names() if said else (),
        )

    def turn(self) -> None:
        """All rules of a reading are known; those that were not among them are gone."""
        self._before, self._now = self._now, {}


def _names_of(node: syntax.Rule, settings: Settings | None) -> list[str]:
    """All that could be a name in the text of a rule and in what its attributes came to."""
    first = node.decorations[0].span if node.decorations else node.span
    last = node.block.span if node.block else node.span
    texts = [first.source.text[first.start : max(last.end, node.span.end)]]
    if settings is not None:
        texts += settings.places
        texts += [text for text, _, _ in settings.driving]
        texts += map(repr, settings.params.values())
    return sorted({name for text in texts for name in _NAME.findall(text)})


def _is_same(one: Meaning, other: Meaning) -> bool:
    return one[1:] == other[1:] and _is_same_value(one.value, other.value)


def _is_same_value(one: Any, other: Any) -> bool:
    """Whether two values are the same, their types included: 1 is not True."""
    if one is other:
        return True
    if type(one) is not type(other) or isinstance(one, type):
        return False
    return bool(one == other if isinstance(one, str) else repr(one) == repr(other))
