"""A reading that notes the statements of makefiles as they were written, beside what they did."""

from __future__ import annotations

from collections.abc import Sequence

from pybuild.makefile.entering import ReadRule, RuleBook
from pybuild.makefile.errors import Place
from pybuild.makefile.evaluate import DEFAULT_FOLDERS, Reader
from pybuild.makefile.expand import Expander
from pybuild.makefile.lines import Lines, cut, joined
from pybuild.makefile.references import is_pure, names_in
from pybuild.makefile.rules import Database
from pybuild.makefile.search import later_words
from pybuild.makefile.variables import Origin, Scope, Variable
from pybuild.typed import NamedTuple

_COMPILERS_LISTS = (".d", ".dep", ".depend", ".P")


class Word(NamedTuple):
    """A word of a rule as it was written, and the names that it stood for (None if it cannot be
    expanded once more to see)."""

    raw: str
    names: tuple[str, ...] | None


class Assigned(NamedTuple):
    """A global assignment. `text` is its value as written, `value` what the variable had then;
    `seen` what the variables in the text were worth at that moment (None: cannot be told).
    `by_eval`: the text of the makefile does not have it, but what `$(eval)` has read."""

    place: Place | None
    name: str
    operator: str
    text: str
    value: str
    recursive: bool
    seen: dict[str, str | None]
    by_eval: bool


class Ruled(NamedTuple):
    """A rule. The words are those behind each other as written: targets, target pattern,
    prerequisites, order-only ones; None if they cannot be told apart."""

    place: Place | None
    rule: ReadRule
    targets: list[Word] | None
    normal: list[Word] | None
    order_only: list[Word] | None
    seen: dict[str, str | None]
    by_eval: bool


class Included(NamedTuple):
    """A makefile that another one includes; `was_read` is false for a list that a compiler
    writes, and for one that is not there."""

    place: Place | None
    name: str
    was_read: bool


Statement = Assigned | Ruled | Included
_Words = tuple[list[Word] | None, list[Word] | None, list[Word] | None]


class Texts:
    """The logical lines of makefiles by their numbers."""

    def __init__(self) -> None:
        self._files: dict[str, dict[int, str]] = {}

    def lines(self, file: str) -> dict[int, str]:
        """All logical lines of a file, which has been read before."""
        found = self._files.get(file)
        if found is None:
            found = self._files[file] = {}
            with open(file, encoding="utf-8", errors="surrogateescape") as text:
                source = Lines(text.read())
            while (line := source.next()) is not None:
                found[source.number] = line
        return found

    def line(self, place: Place) -> str:
        """The logical line at a place, "" if none begins there."""
        return self.lines(place.file).get(place.line, "")


class NotingReader(Reader):
    """Reads makefiles, and keeps what it reads as `statements`, in the order of reading."""

    def __init__(
        self,
        database: Database,
        expander: Expander,
        *,
        include_folders: Sequence[str] = (),
        default_folders: Sequence[str] = DEFAULT_FOLDERS,
    ) -> None:
        self.statements: list[Statement] = []
        self.texts = Texts()
        self._evals = 0
        super().__init__(
            database, expander, include_folders=include_folders, default_folders=default_folders
        )
        self.book = _NotingBook(self)

    def read_text(self, text: str, place: Place | None) -> None:
        self._evals += 1
        try:
            super().read_text(text, place)
        finally:
            self._evals -= 1

    def read_file(
        self, name: str, *, required: bool = True, place: Place | None = None, search: bool = False
    ) -> bool:
        if not search:
            return super().read_file(name, required=required, place=place)
        was_read = not name.endswith(_COMPILERS_LISTS)
        at = len(self.statements)
        if was_read:
            was_read = super().read_file(name, required=required, place=place, search=True)
        self.statements.insert(at, Included(place, name, was_read))
        return was_read

    def define(
        self,
        scope: Scope,
        name: str,
        operator: str,
        value: str,
        place: Place | None = None,
        origin: int = Origin.FILE,
    ) -> Variable | None:
        # Each makefile that is read has itself added to one variable.
        is_written = scope is self.variables and place is not None and name != "MAKEFILE_LIST"
        seen = self.values_in(value) if is_written else {}
        made = super().define(scope, name, operator, value, place, origin)
        if is_written and made is not None and self.running is None:
            self.statements.append(
                Assigned(
                    place,
                    name,
                    operator,
                    value,
                    made.value,
                    made.recursive,
                    seen,
                    self._evals > 0,
                )
            )
        return made

    def values_in(self, text: str) -> dict[str, str | None]:
        """What the variables that a text mentions are worth now."""
        found: dict[str, str | None] = {}
        for name in names_in(text):
            reference = f"$({name})"
            pure = is_pure(reference, self.expander)
            found[name] = self.expander.expand(reference) if pure else None
        return found

    def note_rule(self, rule: ReadRule) -> None:
        """A rule whose line has just been read."""
        parts: _Words = (None, None, None)
        text = ""
        if rule.place is not None and not self._evals:
            raw = cut(self.texts.line(rule.place), ";#$")[0]
            text = joined(raw, self.database.is_posix).strip()
            parts = self._words(text, rule)
        seen = self.values_in(text)
        targets, normal, order_only = parts
        self.statements.append(
            Ruled(rule.place, rule, targets, normal, order_only, seen, self._evals > 0)
        )

    def _words(self, text: str, rule: ReadRule) -> _Words:
        targets, colon, rest = cut(text, ":$")
        if not colon or rule.laters is not None:
            return None, None, None
        if rule.is_double:
            rest = rest.removeprefix(":")
        if rule.is_grouped:
            targets = targets.removesuffix("&")
        if rule.pattern is not None:
            _, colon, rest = cut(rest, ":$")
            if not colon:
                return None, None, None
        normal, _, order_only = cut(rest, "|")
        return self._every(targets), self._every(normal), self._every(order_only)

    def _every(self, text: str) -> list[Word]:
        return [self._word(each) for each in later_words(text)]

    def _word(self, raw: str) -> Word:
        if not is_pure(raw, self.expander):
            return Word(raw, None)
        found = self.prerequisites(self.expander.expand(raw))
        return Word(raw, tuple([each.name for each in found]))


class _NotingBook(RuleBook):
    def __init__(self, reader: NotingReader) -> None:
        super().__init__(reader.database, reader.expander)
        self.reader = reader

    def take_effect(self, rule: ReadRule) -> None:
        super().take_effect(rule)
        self.reader.note_rule(rule)
