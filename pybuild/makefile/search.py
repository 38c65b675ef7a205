"""The search for a pattern rule that makes a file.

A rule applies if what it needs exists, or ought to exist as a makefile mentions it; else, in a
second pass, if other pattern rules make what does not exist. Of those that apply the one with the
shortest stem is taken, then the one that was defined first.
"""

from __future__ import annotations

from pybuild.makefile.alike import Alike, Place
from pybuild.makefile.archive import member_of, member_time
from pybuild.makefile.expand import Expander
from pybuild.makefile.patterns import fill_pattern, glob_words, short_name, split_pattern
from pybuild.makefile.rules import Database, Later, PatternRule, Prerequisite, Recipe, Target
from pybuild.makefile.variables import Origin, Scope
from pybuild.makefile.vpath import Directories, Folders, split_path
from pybuild.typed import Hashable, Iterator, NamedTuple, Sequence


def pattern_prerequisites(rule: PatternRule) -> tuple[str, ...]:
    """What a pattern rule depends on, as it is written and without `|`: rules with the same target
    and the same of these are the same rule."""
    if rule.later is not None:
        return tuple([each for each in rule.later.text.split() if each != "|"])
    return tuple([each.name for each in rule.prerequisites])


def directories_of(database: Database, expander: Expander) -> Directories:
    """The folders that variables name (`VPATH`, `GPATH`, `.LIBPATTERNS`)."""
    return Directories(
        Folders(expander.services.looks),
        database,
        general=split_path(expander.value("VPATH")),
        kept=split_path(expander.value("GPATH")),
        libraries=expander.value(".LIBPATTERNS").split(),
        warn=expander.warn,
    )


def add_pattern_rule(database: Database, rule: PatternRule) -> None:
    """Adds a rule as the last one. It takes the place of a rule with the same single target and
    the same prerequisites; so one without recipe cancels it."""
    wanted = pattern_prerequisites(rule)
    targets = set(rule.targets)
    patterns = database.patterns
    for number, old in enumerate(patterns):
        first = old.targets[0]
        if (
            first in targets
            and (len(old.targets) == 1 or set(old.targets) == {first})
            and pattern_prerequisites(old) == wanted
        ):
            del patterns[number]
            break
    patterns.append(rule)


class Peer(NamedTuple):
    """Another file that the recipe of a pattern rule makes. `pattern` is what it was found by."""

    name: str
    pattern: str


class Found(NamedTuple):
    """How a pattern rule makes the file `name`. `pattern` is the target pattern that matched,
    `stem` what `$*` is. `made` says how those prerequisites are made that do not exist and that
    only a pattern rule can make: files in between, which need no further search. What `.PRECIOUS`
    and `.NOTINTERMEDIATE` say of patterns is true of a file if one of them is its `pattern`."""

    name: str
    rule: PatternRule
    pattern: str
    stem: str
    prerequisites: tuple[Prerequisite, ...]
    made: dict[str, Found]
    peers: tuple[Peer, ...]

    @property
    def recipe(self) -> Recipe | None:
        return self.rule.recipe

    @property
    def are_final(self) -> bool:
        """Whether no pattern rule is searched for the prerequisites (`%:: ...`)."""
        return self.rule.is_terminal


class _Word(NamedTuple):
    """A prerequisite of a pattern rule; `prefix` is all of it if it has no `%`."""

    prefix: str
    has_stem: bool
    suffix: str
    is_glob: bool
    is_order_only: bool
    wait: bool


class _Candidate(NamedTuple):
    """A rule by one of its target patterns. It comes in the order of definition. `first` is the
    first prerequisite if it has a stem: the folder below that of the target in which it is, what
    is before and after the stem."""

    number: int
    prefix: str
    suffix: str
    pattern: str
    rule: PatternRule
    has_slash: bool
    is_any: bool
    is_rule_for_any: bool  # another of its target patterns may be the one for any file
    is_dummy: bool
    words: tuple[_Word, ...]
    first: tuple[str, str, str] | None


# A rule that could make a file, the stem, and the folder that is put before prerequisites with it.
Match = tuple[_Candidate, str, str]


class _Plan(NamedTuple):
    """The rules for all names with the same end. `usual` have patterns that are just such an end,
    in the order in which they are tried; `between` of those the ones for a file that only another
    pattern rule needs. Whether one of `others` matches has to be seen."""

    usual: list[_Candidate]
    between: list[_Candidate]
    others: list[_Candidate]


class Pass(NamedTuple):
    """What counts as a prerequisite that a rule may have. `own` are those that are written for the
    file that is looked for; `lax`: those of all others count, too; `chains`: so does what another
    rule makes."""

    own: frozenset[str]
    lax: bool
    chains: bool


_NOTHING: frozenset[str] = frozenset()


class Search:
    """Finds pattern rules. Without an expander there are none that are expanded for each target.
    Rules may be added to the database at any time; whoever makes files or targets calls `refresh`
    of the folders."""

    def __init__(
        self,
        database: Database,
        directories: Directories,
        expander: Expander | None = None,
    ) -> None:
        self.database = database
        self.directories = directories
        self.folders = directories.folders
        self.expander = expander
        self.scope: Scope | None = None  # what is expanded again sees these variables
        self._indexed: tuple[PatternRule, ...] | list[PatternRule] = ()
        self._by_suffix: dict[str, list[_Candidate]] = {}
        self._lengths: list[int] = []  # of the suffixes, longest first
        self._plans: dict[str, _Plan] = {}
        self._active: set[int] = set()  # rules of the chain that is being tried
        self._was_blocked = False  # one of them was left out for that
        self._could_be_lax = False  # something was left out that is mentioned somewhere
        # Names that no pattern rule makes, and whether it was for want of what is mentioned.
        self._impossible: dict[tuple[str, bool], bool] = {}
        self._moment = -1
        self._alike: Alike | None = None  # if the rules are such that names may be alike
        self._special: set[str] = set()  # endings of patterns that are more than endings
        self._hopeless: set[Hashable] = set()  # what is alike to these is made by no rule

    def find(self, target: Target) -> Found | None:
        """How a pattern rule makes the target, or None. Members of archives are searched as
        `lib(member)`, then as `(member)`. What is to be expanded for the target a second time has
        to be so already. Raises MakeError."""
        self._prepare()
        name = target.name
        own = frozenset([each.name for entry in target.entries for each in entry.prerequisites])
        key = None if own else self._key(name)
        if key is not None and key in self._hopeless:
            return None
        self._could_be_lax = False
        found = self._of_either(name, own, is_between=False, lax=False)
        if found is None and self._could_be_lax:
            found = self._of_either(name, own, is_between=False, lax=True)
        if found is None and key is not None:
            self._hopeless.add(key)
        return found

    def _key(self, name: str) -> Hashable:
        """The same for names that are alike, None for one that has to be searched for."""
        if any(each in name for each in self._special):
            return None
        return self._alike.key(name) if self._alike is not None else None

    def _of_either(
        self, name: str, own: frozenset[str], *, is_between: bool, lax: bool
    ) -> Found | None:
        member = member_of(name)
        if member is None:
            return self._best(name, self._matches(name, is_between, False), own, lax)
        found = self._best(name, self._matches(name, is_between, True), own, lax)
        if found is None:
            self._tell_of_member(name)
            matches = self._matches(f"({member[1]})", is_between, True)
            found = self._best(name, matches, own, lax)
        return found

    def _tell_of_member(self, name: str) -> None:
        """It is searched for as a member of any archive now."""

    def _prepare(self) -> None:
        if self._indexed != self.database.patterns:
            self._index()
            self._impossible.clear()
            self._hopeless.clear()
        elif self._moment != self.folders.moment:
            self._impossible.clear()
            self._hopeless.clear()
        self._moment = self.folders.moment

    def _index(self) -> None:
        self._indexed = list(self.database.patterns)
        self._by_suffix.clear()
        self._plans.clear()
        number = 0
        for rule in self._indexed:
            # Without recipe it is there only to have cancelled another.
            is_dummy = rule.recipe is None
            if is_dummy and (rule.prerequisites or rule.later is not None):
                continue
            words = () if rule.later is not None else tuple(map(_word, rule.prerequisites))
            for pattern in rule.targets:
                prefix, end = split_pattern(pattern)
                suffix = end or ""
                is_any = not prefix and not suffix
                number += 1
                self._by_suffix.setdefault(suffix, []).append(
                    _Candidate(
                        number,
                        prefix,
                        suffix,
                        pattern,
                        rule,
                        "/" in pattern,
                        is_any,
                        "%" in rule.targets and not rule.is_terminal,
                        is_dummy,
                        words,
                        _first(words, "/" in pattern),
                    )
                )
        self._lengths = sorted({len(suffix) for suffix in self._by_suffix}, reverse=True)
        self._alike = self._find_alike()

    def _find_alike(self) -> Alike | None:
        """What tells names that are alike. Rules whose patterns are more than endings (`out/%.x`)
        have to be such that no search comes to them but for a name with that ending in it."""
        if self.directories.are_searched:
            return None
        candidates = [
            each for some in self._by_suffix.values() for each in some if each.suffix[-1:] != ")"
        ]
        plain = [each for each in candidates if not each.prefix and not each.has_slash]
        endings = {word.suffix for each in plain for word in each.words} - {""}
        self._special = {each.suffix for each in candidates if each.prefix or each.has_slash}
        for special in self._special:
            if any(each.endswith(special) or special.endswith(each) for each in endings):
                return None  # also if it is ""
        places = []
        for each in plain:
            if each.rule.later is not None:
                return None
            for word in each.words:
                if word.is_glob or (word.has_stem and "/" in word.suffix):
                    return None
                if word.has_stem:
                    inner, slash, before = word.prefix.rpartition("/")
                    if slash and inner.partition("/")[0] in ("", ".", ".."):
                        return None  # a folder that is there
                    places.append(Place(inner + slash, before, word.suffix))
        return Alike(self.database, self.folders, [each.suffix for each in plain], places)

    def _matches(self, name: str, is_between: bool, is_member: bool) -> list[Match]:
        """The rules one of whose target patterns matches, shortest stem first. `is_between`: it is
        searched because another pattern rule needs it."""
        start = 0 if is_member else name.rfind("/") + 1
        size = len(name)
        for length in self._lengths:
            if length < size and (ending := name[size - length :]) in self._by_suffix:
                break
        else:
            return []
        plan = self._plans.get(ending) or self._make_plan(ending)
        folder, last = name[:start], name[start:]
        others = [
            match
            for each in plan.others
            if (match := _matched(each, name, folder, last)) is not None
        ]
        if not others:
            size -= start
            return [
                (each, last[: size - len(each.suffix)], folder)
                for each in (plan.between if is_between else plan.usual)
            ]
        usual = [each for each in self._ending_alike(ending) if not each.prefix]
        matches = [
            (each, last[: len(last) - len(each.suffix)], folder)
            for each in usual
            if not each.has_slash
        ]
        matches = [each for each in matches + others if _may_be_tried(each[0], True, is_between)]
        matches.sort(key=_order)
        return matches

    def _ending_alike(self, ending: str) -> list[_Candidate]:
        """Those whose patterns end like all names that end so."""
        return [
            each
            for length in self._lengths
            if length <= len(ending)
            for each in self._by_suffix.get(ending[len(ending) - length :], ())
        ]

    def _make_plan(self, ending: str) -> _Plan:
        usual: list[_Candidate] = []
        others: list[_Candidate] = []
        for each in self._ending_alike(ending):
            (others if each.prefix or each.has_slash else usual).append(each)
        is_special = any(not each.is_any for each in usual)
        usual.sort(key=lambda each: (-len(each.suffix), each.number))
        made = self._plans[ending] = _Plan(
            [each for each in usual if _may_be_tried(each, is_special, False)],
            [each for each in usual if _may_be_tried(each, is_special, True)],
            others,
        )
        return made

    def _best(
        self, name: str, matches: list[Match], own: frozenset[str], lax: bool
    ) -> Found | None:
        if not matches:
            return None
        active = self._active
        targets = self.database.targets
        # A member's stem may have a slash in it.
        is_quick = not self.directories.are_searched and name[-1:] != ")"
        names = self.folders.names(matches[0][2]) if is_quick else None
        for chains in (False, True):
            each_pass = Pass(own, lax, chains)
            for match in matches:
                candidate, stem, folder = match
                rule = candidate.rule
                if is_quick and not chains and candidate.first is not None:
                    # Most rules end here.
                    inner, before, after = candidate.first
                    last = before + stem + after
                    there = self.folders.names(folder + inner) if inner else names
                    needed = folder + inner + last
                    if (
                        there is not None
                        and last not in there
                        and needed not in targets
                        and needed not in own
                        and needed[-1:] != ")"
                    ):
                        if id(rule) in active:
                            self._was_blocked = True
                        continue
                if id(rule) in active:
                    self._was_blocked = True
                elif not (chains and rule.is_terminal):
                    found = self._tried(name, match, each_pass)
                    if found is not None:
                        return found
        return None

    def _tried(self, name: str, match: Match, each_pass: Pass) -> Found | None:
        """The rule, if it applies."""
        candidate, stem, folder = match
        prerequisites = []
        made: dict[str, Found] = {}
        asked = (
            self._prerequisites(candidate, stem, folder)
            if candidate.rule.later is None
            else self._later(name, match)
        )
        for each in asked:
            if not self._is_there(each.name, each_pass):
                if not each_pass.chains:
                    return None
                between = self._between(each.name, candidate.rule, each_pass.lax)
                if between is None:
                    return None
                made[each.name] = between
            prerequisites.append(each)
        stem = folder + stem
        rule = candidate.rule
        return Found(
            name,
            rule,
            candidate.pattern,
            stem,
            tuple(prerequisites),
            made,
            _peers(rule, candidate.pattern, stem) if len(rule.targets) > 1 else (),
        )

    def _between(self, name: str, rule: PatternRule, lax: bool) -> Found | None:
        """How a pattern rule makes a file that `rule` needs."""
        could_be_lax = self._impossible.get((name, lax))
        if could_be_lax is not None:
            self._could_be_lax |= could_be_lax
            return None
        outer = self._was_blocked, self._could_be_lax
        self._was_blocked = self._could_be_lax = False
        self._active.add(id(rule))
        try:
            found = self._of_either(name, _NOTHING, is_between=True, lax=lax)
        finally:
            self._active.discard(id(rule))
        if found is None and not self._was_blocked:
            self._impossible[name, lax] = self._could_be_lax
        self._was_blocked |= outer[0]
        self._could_be_lax |= outer[1]
        return found

    def _is_there(self, name: str, each_pass: Pass) -> bool:
        """Whether it exists, or ought to: a makefile has it as a target or needs it."""
        if name in each_pass.own:
            return True
        target = self.database.targets.get(name)
        if target is not None:
            if target.is_target or target.is_phony or (each_pass.lax and target.is_explicit):
                return True
            self._could_be_lax |= target.is_explicit
        if self.folders.exists(name) or self.directories.elsewhere(name) is not None:
            return True
        if not name.endswith(")") or member_of(name) is None:
            return False
        self.folders.looks.doubt()
        return member_time(name) is not None

    def _prerequisites(
        self, candidate: _Candidate, stem: str, folder: str
    ) -> Iterator[Prerequisite]:
        for prefix, has_stem, suffix, is_glob, is_order_only, wait in candidate.words:
            name = f"{folder}{prefix}{stem}{suffix}" if has_stem else prefix
            if is_glob:
                for each in glob_words(short_name(name), self.folders.looks):
                    yield Prerequisite(each, is_order_only, wait, False, not has_stem)
                    wait = False
            else:
                yield Prerequisite(short_name(name), is_order_only, wait, False, not has_stem)

    def _later(self, name: str, match: Match) -> Iterator[Prerequisite]:
        """The prerequisites of a rule whose text is expanded for each target: word by word, as what
        comes behind one that is missing is not looked at."""
        candidate, stem, outer = match
        later = candidate.rule.later
        assert later is not None
        is_order_only = wait = False
        for word in later_words(later.text):
            folder = ""
            has_dollar = "$" in word
            is_named = "%" not in word
            if not is_named:
                folder = outer
                # By name: the stem may have a comma or a dollar in it.
                part = ("$(*F)" if folder else "$*") if has_dollar else stem
                word = word.replace("%", part, 1)
            texts = [word]
            if has_dollar:
                texts = self._expanded(word, name, outer + stem, later).split()
            for text in texts:
                if text == "|" and not is_order_only:
                    is_order_only = True
                elif text == ".WAIT":
                    wait = True
                else:
                    made = short_name(folder + text)
                    for each in glob_words(made, self.folders.looks) if has_glob(text) else (made,):
                        yield Prerequisite(each, is_order_only, wait, False, is_named)
                        wait = False

    def _expanded(self, text: str, name: str, stem: str, later: Later) -> str:
        expander = self.expander
        if expander is None:
            return text
        target = self.database.targets.get(name)
        scope = Scope(self.scope or expander.variables)
        written = _written(target)
        plain = [each.name for each in written if not each.order_only]
        member = member_of(name)
        for letter, value in (
            ("@", name if member is None else member[0]),
            ("%", "" if member is None else member[1]),
            ("*", stem),
            ("<", plain[0] if plain else ""),
            ("^", " ".join(dict.fromkeys(plain))),
            ("+", " ".join(plain)),
            ("|", " ".join([each.name for each in written if each.order_only])),
            ("?", ""),
        ):
            scope.define(letter, value, Origin.AUTOMATIC, recursive=False)
        old = expander.scope, expander.place
        expander.scope, expander.place = scope, later.place
        try:
            return expander.expand(text)
        finally:
            expander.scope, expander.place = old


def _order(match: Match) -> tuple[int, int]:
    return len(match[1]) + len(match[2]), match[0].number


def _matched(candidate: _Candidate, name: str, folder: str, last: str) -> Match | None:
    """The match of a name that has the candidate's suffix. A pattern without slash stands for the
    last part of the name alone."""
    prefix, length = candidate.prefix, len(candidate.suffix)
    if len(name) <= len(prefix) + length:
        return None
    if candidate.has_slash:
        if not name.startswith(prefix):
            return None
        return candidate, name[len(prefix) : len(name) - length], ""
    if len(last) < len(prefix) + length or not last.startswith(prefix):
        return None
    return candidate, last[len(prefix) : len(last) - length], folder


def _may_be_tried(candidate: _Candidate, is_special: bool, is_between: bool) -> bool:
    """`is_special`: a rule that is not for any file matches."""
    if candidate.is_dummy or (is_special and candidate.is_rule_for_any):
        return False
    return not (is_between and candidate.is_any and not candidate.rule.is_terminal)


def _first(words: Sequence[_Word], has_slash: bool) -> tuple[str, str, str] | None:
    if not words or has_slash:
        return None
    first = words[0]
    if not first.has_stem or first.is_glob or "/" in first.suffix:
        return None
    inner, slash, before = first.prefix.rpartition("/")
    return inner + slash, before, first.suffix


def _peers(rule: PatternRule, pattern: str, stem: str) -> tuple[Peer, ...]:
    return tuple([Peer(fill_pattern(each, stem), each) for each in rule.targets if each != pattern])


def _written(target: Target | None) -> list[Prerequisite]:
    if target is None:
        return []
    return [each for entry in target.entries for each in entry.prerequisites]


def _word(prerequisite: Prerequisite) -> _Word:
    name = prerequisite.name
    prefix, mark, suffix = name.partition("%")
    return _Word(
        prefix,
        bool(mark),
        suffix,
        has_glob(name),
        prerequisite.order_only,
        prerequisite.wait,
    )


def has_glob(text: str) -> bool:
    """Whether a name stands for those that match it."""
    return "*" in text or "?" in text or "[" in text


def later_words(text: str) -> list[str]:
    """The words of an unexpanded text: blanks within references do not part them."""
    if "$" not in text:
        return text.split()
    words = []
    start = -1
    ends: list[str] = []  # of the references that are open
    for at, letter in enumerate(text):
        if letter in "({":
            if ends or text[at - 1 : at] == "$":
                ends.append(")" if letter == "(" else "}")
        elif ends:
            if letter == ends[-1]:
                ends.pop()
        elif letter.isspace():
            if start >= 0:
                words.append(text[start:at])
            start = -1
            continue
        if start < 0:
            start = at
    if start >= 0:
        words.append(text[start:])
    return words
