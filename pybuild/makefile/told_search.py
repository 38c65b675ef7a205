"""The search for a pattern rule, each step of which is told (`--debug=implicit`).

It leaves no step out that could be known to lead nowhere, as the one without words does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pybuild.makefile.archive import member_of
from pybuild.makefile.debugging import Debug
from pybuild.makefile.expand import Expander
from pybuild.makefile.printing import rule_text
from pybuild.makefile.rules import Database, PatternRule, Target
from pybuild.makefile.search import Found, Match, Pass, Search
from pybuild.makefile.vpath import Directories


class ToldSearch(Search):
    """A search that tells `debug` of its steps."""

    def __init__(
        self, database: Database, directories: Directories, expander: Expander, debug: Debug
    ) -> None:
        super().__init__(database, directories, expander)
        self.debug = debug
        self._depth = 0
        self._is_mute = False
        self._is_rejected = False  # the rule that was tried last, for what is impossible
        self._rule: PatternRule | None = None  # the one that is tried
        self._fixed: frozenset[str] = frozenset()  # prerequisites of it that have no stem
        self._told: set[str] = set()  # names of which it was told that no rule makes them

    def find(self, target: Target) -> Found | None:
        self._prepare()
        self._depth = self.debug.searched
        self._tell(0, f"Looking for an implicit rule for '{target.name}'.")
        own = frozenset([each.name for entry in target.entries for each in entry.prerequisites])
        self._could_be_lax = False
        found = self._of_either(target.name, own, is_between=False, lax=False)
        if found is None and self._could_be_lax:
            self._tell(0, f"Searching for a compatibility rule for '{target.name}'.")
            found = self._of_either(target.name, own, is_between=False, lax=True)
        self._tell_found(target.name, found)
        return found

    def _tell(self, deeper: int, text: str) -> None:
        if not self._is_mute:
            self.debug.implicit(self._depth + deeper, text)

    def _tell_found(self, name: str, found: Found | None) -> None:
        if found is None:
            self._tell(0, f"No implicit rule found for '{name}'.")
            return
        member = member_of(name)
        shown = name if member is None or found.pattern[:1] != "(" else f"({member[1]})"
        self._tell(0, f"Found implicit rule '{rule_text(found.rule)}' for '{shown}'.")

    def _tell_of_member(self, name: str) -> None:
        self._tell(0, f"No implicit rule found for '{name}'.")
        self._tell(0, f"Looking for archive-member implicit rule for '{name}'.")

    def _best(
        self, name: str, matches: Sequence[Match], own: frozenset[str], lax: bool
    ) -> Found | None:
        for rule in self.database.patterns:
            if id(rule) in self._active and not lax:
                self._tell(1, f"Avoiding implicit rule recursion for rule '{rule_text(rule)}'.")
        usable = [match for match in matches if id(match[0].rule) not in self._active]
        self._was_blocked |= len(usable) < len(matches)
        rejected: set[int] = set()  # candidates of which nothing more is told
        for chains in (False, True) if usable else ():
            if chains and not lax:
                self._tell(1, "Trying harder.")
            each_pass = Pass(own, lax, chains)
            for match in usable:
                if chains and match[0].rule.is_terminal:
                    continue
                with self._muted(id(match[0]) in rejected):
                    found = self._tried(name, match, each_pass)
                if found is not None:
                    return found
                if self._is_rejected:
                    rejected.add(id(match[0]))
        return None

    def _tried(self, name: str, match: Match, each_pass: Pass) -> Found | None:
        candidate, stem, _ = match
        text = rule_text(candidate.rule)
        self._tell(1, f"Trying pattern rule '{text}' with stem '{stem}'.")
        outer = self._rule, self._fixed
        self._is_rejected = False
        self._rule = candidate.rule
        self._fixed = frozenset([each.prefix for each in candidate.words if not each.has_stem])
        try:
            return super()._tried(name, match, each_pass)
        finally:
            self._rule, self._fixed = outer

    def _is_there(self, name: str, each_pass: Pass) -> bool:
        is_there = super()._is_there(name, each_pass)
        assert self._rule is not None
        kind = "rule" if name in self._fixed else "implicit"
        rule = rule_text(self._rule)
        if name in self._told and not is_there:
            self._tell(
                1, f"Rejecting rule '{rule}' due to impossible {kind} prerequisite '{name}'."
            )
            self._is_rejected = True
            return False
        self._tell(1, f"Trying {kind} prerequisite '{name}'.")
        target = self.database.targets.get(name)
        is_mentioned = target is not None and target.is_explicit
        ought = target is not None and (target.is_target or target.is_phony)
        if ought or name in each_pass.own:
            self._tell(1, f"'{name}' ought to exist.")
        elif is_mentioned and each_pass.lax:
            self._tell(1, f"Using compatibility rule '{rule}' due to '{name}'.")
        else:
            if is_mentioned:
                of = f"Prerequisite '{name}' of rule '{rule}'"
                self._tell(1, f"{of} does not qualify as ought to exist.")
            self._tell_where(name, is_there, each_pass)
        return is_there

    def _tell_where(self, name: str, is_there: bool, each_pass: Pass) -> None:
        elsewhere = None if self.folders.exists(name) else self.directories.elsewhere(name)
        if elsewhere is not None:
            self._tell(1, f"Found prerequisite '{name}' as VPATH '{elsewhere}'.")
        elif is_there:
            self._tell(1, f"Found '{name}'.")
        elif not each_pass.chains:
            self._tell(1, f"Not found '{name}'.")

    def _between(self, name: str, rule: PatternRule, lax: bool) -> Found | None:
        if name in self._told:
            with self._muted(True):
                return super()._between(name, rule, lax)
        target = self.database.targets.get(name)
        is_explicit = name in self._fixed or (target is not None and target.is_explicit)
        kind = "explicit" if is_explicit else "intermediate"
        self._tell(1, f"Looking for a rule with {kind} file '{name}'.")
        self._depth += 1
        found = super()._between(name, rule, lax)
        self._tell_found(name, found)
        self._depth -= 1
        if found is None:
            self._told.add(name)
            text = rule_text(rule)
            self._tell(1, f"Rejecting rule '{text}' due to impossible prerequisite '{name}'.")
        return found

    @contextmanager
    def _muted(self, is_mute: bool) -> Iterator[None]:
        before, self._is_mute = self._is_mute, self._is_mute or is_mute
        try:
            yield
        finally:
            self._is_mute = before
