"""Reads makefiles: lines to variables and rules.

A line is read by what was read before it: conditionals, definitions and the prefix of recipes
count from where they stand. A rule is entered when the line after its recipe is read.
"""

from __future__ import annotations

import errno
import os

from pybuild.makefile import archive, lines
from pybuild.makefile.entering import ReadRule, RuleBook, is_pattern, plain_name, say
from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.expand import Expander
from pybuild.makefile.lines import (
    Lines,
    assignment,
    cut,
    first_word,
    joined,
    recipe_line,
    without_comment,
)
from pybuild.makefile.patterns import glob_words, short_name, split_words
from pybuild.makefile.rules import Database, PatternVariable, Prerequisite, Recipe, Target
from pybuild.makefile.variables import Export, Origin, Scope, Variable
from pybuild.regex import regex
from pybuild.typed import TYPE_CHECKING, Callable, Sequence

if TYPE_CHECKING:
    from re import Match

DEFAULT_FOLDERS = ("/usr/gnu/include", "/usr/local/include", "/usr/include")
"""Where included makefiles are looked for last."""

_MODIFIERS = frozenset(("export", "unexport", "override", "private"))
_CONDITIONALS = frozenset(("ifdef", "ifndef", "ifeq", "ifneq", "else", "endif"))
_INCLUDES = frozenset(("include", "-include", "sinclude"))
_DIRECTIVES = (
    _MODIFIERS
    | _CONDITIONALS
    | _INCLUDES
    | {"define", "undefine", "vpath", "load", "-load", "endef"}
)
_BAD_CONDITIONAL = regex(r"ifn?eq[^\s]")
_ARCHIVE = regex(r"[^\s()]*\([^()]*\s[^()]*\)")
_MOST_NESTED = 500  # makefiles within makefiles; make has them all open
_MORE_THAN_NAMES = ("$", ";", "#", "%", "=", "\\", "&", "|", "(", "*", "?", "[", "~", ".WAIT")
_READING, _WAITING, _DONE = range(3)  # what a conditional does with the lines under it


class Makefile:
    """A makefile that was read or is wanted. `name` is what it was found as, or asked for as if
    there is none. `error` is why it could not be read, "" if it was."""

    __slots__ = ("error", "name", "place", "required")

    def __init__(self, name: str, place: Place | None, required: bool, error: str) -> None:
        self.name = name
        self.place = place
        self.required = required
        self.error = error

    @property
    def found(self) -> bool:
        """Whether it was there and has been read."""
        return not self.error


class _Modifiers:
    """The words before an assignment."""

    __slots__ = ("export", "override", "private")

    def __init__(self) -> None:
        self.export: int | None = None
        self.override = False
        self.private = False

    def note(self, word: str) -> None:
        if word == "override":
            self.override = True
        elif word == "private":
            self.private = True
        else:
            self.export = Export.YES if word == "export" else Export.NO


class _Condition:
    """An open conditional."""

    __slots__ = ("has_else", "state")

    def __init__(self, state: int) -> None:
        self.state = state
        self.has_else = False


class _Source:
    """A text that is being read. `fixed` is the place of all of its lines, for `$(eval)`."""

    __slots__ = ("conditions", "file", "fixed", "lines", "rule", "skipping", "targetless")

    def __init__(self, text: str, file: str | None, fixed: Place | None) -> None:
        self.lines = Lines(text)
        self.file = file
        self.fixed = fixed
        self.conditions: list[_Condition] = []
        self.skipping = False
        self.rule: ReadRule | None = None
        self.targetless = False  # a rule without targets: its recipe is no one's

    def place(self) -> Place | None:
        return self.fixed if self.file is None else Place(self.file, self.lines.number)


class Reader:
    """Reads makefiles into a database and into the global variables of an expander.

    `makefiles` are those that were read or are wanted, in the order of reading. `watched` has what
    is called when a global variable of that name was set; `told` is called with each makefile
    before it is read, and remarks on how. `running` is the recipe whose lines are being expanded:
    text that is read meanwhile may not define rules. Messages go to the
    console of the expander's services; errors are raised as MakeError.
    """

    def __init__(
        self,
        database: Database,
        expander: Expander,
        *,
        include_folders: Sequence[str] = (),
        default_folders: Sequence[str] = DEFAULT_FOLDERS,
    ) -> None:
        self.database = database
        self.expander = expander
        self.variables: Scope = expander.variables
        self.makefiles: list[Makefile] = []
        self.watched: dict[str, Callable[[], None]] = {}
        self.told: Callable[[str, str], None] = lambda _, __: None
        self.running: Recipe | None = None
        self.prefix = "\t"
        self._depth = 0  # of makefiles that are being read
        self._names_only: dict[str, str] = {}  # lines that were nothing but a target, and which
        self._folders: list[str] = []
        self.book = RuleBook(database, expander)
        expander.read = self.read_text
        define = self.variables.define
        define(".DEFAULT_GOAL", "", Origin.FILE, recursive=False)
        define("MAKEFILE_LIST", "", Origin.FILE, recursive=False)
        define(".RECIPEPREFIX", "", Origin.DEFAULT, recursive=False)
        self.set_include_folders(include_folders, default_folders)

    def set_include_folders(
        self, folders: Sequence[str], default_folders: Sequence[str] = DEFAULT_FOLDERS
    ) -> None:
        """Where included makefiles are looked for: those of `-I` first. Those that are no folders
        do not count."""
        kept = (folder.rstrip("/") or "/" for folder in (*folders, *default_folders))
        is_folder = self.expander.services.looks.is_folder
        self._folders = [folder for folder in kept if is_folder(folder)]
        self.variables.define(
            ".INCLUDE_DIRS", " ".join(self._folders), Origin.DEFAULT, recursive=False
        )

    # Texts

    def read_file(
        self, name: str, *, required: bool = True, place: Place | None = None, search: bool = False
    ) -> bool:
        """Reads a makefile and notes it in `makefiles`; with `search` it is looked for in the
        folders of includes. Returns whether it could be read: if it is not there, that is said by
        who finds that no rule makes it. Raises MakeError for what is wrong in it."""
        if self._depth > _MOST_NESTED:
            raise MakeError(os.strerror(errno.EMFILE), place)
        self._tell(name, required, place, search)
        found, data, error = self._load(short_name(name), search)
        note = Makefile(found, place, required, error)
        self.makefiles.append(note)
        if data is None:
            return False
        known = self.variables.find("MAKEFILE_LIST")
        before = known.value if known is not None else ""
        operator = "+=" if before else ":="
        name = found.replace("$", "$$")
        self.define(self.variables, "MAKEFILE_LIST", operator, name, Place(found, 1))
        text = data.decode("utf-8", "surrogateescape")
        if "\0" in text:
            text, numbers = lines.without_nuls(text)
            for number in numbers:
                self._say("warning: NUL character seen; rest of line ignored", Place(found, number))
        self._depth += 1
        self._read(_Source(text, found, None))
        self._depth -= 1
        return True

    def _tell(self, name: str, required: bool, place: Place | None, search: bool) -> None:
        remarks = "" if self.book.sets_goal else " (no default goal)"
        remarks += " (search path)" if search else ""
        remarks += "" if required else " (don't care)"
        remarks += " (no ~ expansion)" if place is not None else ""
        self.told(name, remarks)

    def read_text(self, text: str, place: Place | None) -> None:
        """Reads makefile text all of whose lines are at that place."""
        if self.running is not None:
            place = self.running.place
        self._read(_Source(text, None, place))

    def read_variable_makefiles(self) -> None:
        """Reads those that the variable `MAKEFILES` names. They give no default goal."""
        names = self.expander.value("MAKEFILES").split()
        if not names:
            return
        self.book.sets_goal = False
        try:
            for name in names:
                self.read_file(name, required=False, search=True)
        finally:
            self.book.sets_goal = True

    def finish(self) -> None:
        """All has been read: suffix rules become pattern rules, and what the special targets say
        is looked at together. Raises MakeError."""
        self.book.finish()

    def _load(self, name: str, search: bool) -> tuple[str, bytes | None, str]:
        """The name that a makefile was found by, what it holds, and why not."""
        error = ""
        candidates = [name]
        if search and not name.startswith("/"):
            candidates += [f"{folder}/{name}" for folder in self._folders]
        for each in candidates:
            try:
                return each, self.expander.services.looks.read(each), ""
            except OSError as problem:
                error = error or os.strerror(problem.errno or errno.EIO)
                if problem.errno == errno.EISDIR:
                    raise MakeError(f"{each}: {os.strerror(errno.EISDIR)}") from None
        return name, None, error

    def _say(self, text: str, place: Place | None) -> None:
        say(self.expander, text, place)

    def _flush(self, source: _Source) -> None:
        """Enters the rule that was being read: a line that is no part of it follows."""
        source.targetless = False
        rule = source.rule
        if rule is not None:
            source.rule = None
            self.book.enter(rule)

    # Lines

    def _read(self, source: _Source) -> None:
        outer = self.expander.place
        try:
            self._read_lines(source)
            self._flush(source)
            if source.conditions:
                raise MakeError("missing 'endif'", source.place())
        finally:
            self.expander.place = outer

    def _read_lines(self, source: _Source) -> None:
        following = source.lines.next
        names_only = self._names_only
        while True:
            raw = following()
            if raw is None:
                return
            if not raw:
                continue
            if raw[0] == self.prefix:
                rule = source.rule
                if rule is not None:
                    if not source.skipping:
                        if not rule.has_recipe:
                            rule.begin_recipe(source.place(), self.prefix)
                        rule.lines.append(recipe_line(raw[1:], self.prefix))
                    continue
                if source.targetless:
                    continue
            elif raw in names_only and self._repeats(source, names_only[raw]):
                continue
            text = joined(raw, self.database.is_posix) if "\n" in raw else raw
            text = text.lstrip() if text[0] in " \t" else text
            if not text or text[0] == "#":
                continue
            self._line(source, raw, text)

    def _repeats(self, source: _Source, name: str) -> bool:
        """Reads a line that names a target and says nothing of it, once more, if it still means
        that: compilers write one for each header of each source."""
        if source.skipping or self.running is not None or self.book.wants_goal():
            return False
        self._flush(source)
        rule = source.rule = ReadRule(source.place())
        rule.targets = [name]
        rule.is_said_before = True
        return True

    def _line(self, source: _Source, raw: str, text: str) -> None:
        """Reads a line that is not of a recipe. `text` is the line as one, without blanks before
        it."""
        word = first_word(text)
        if source.skipping:
            if word in _CONDITIONALS and assignment(text) is None:
                self._condition(source, word, without_comment(text)[len(word) :].strip())
            elif word == "define" or word in _MODIFIERS:
                self._skip_definition(source, without_comment(text))
            return
        place = self.expander.place = source.place()
        if "=" in text or word in _DIRECTIVES:
            bare = without_comment(text)
            if self._assigns(source, bare, place):
                return
            if word in _CONDITIONALS:
                self._condition(source, word, bare[len(word) :].strip())
                return
            if word in _DIRECTIVES and self._directive(source, word, bare[len(word) :], place):
                return
        self._flush(source)
        if raw[0] == self.prefix:
            raise MakeError("recipe commences before first target", place)
        if not self._plain_rule(source, text, place):
            self._rule(source, raw, place)
            return
        rule = source.rule
        if rule is not None and len(rule.targets) == 1 and raw[-1] == ":" and raw[0] != ".":
            self._names_only[raw] = rule.targets[0]

    def _assigns(self, source: _Source, text: str, place: Place | None) -> bool:
        """Reads a global assignment, `define` or `undefine`, if the text is one."""
        modifiers = None
        rest = text
        while True:
            parts = assignment(rest)
            if parts is not None:
                self._flush(source)
                name, operator, value = parts
                self._assign(name, operator, value, modifiers, place)
                return True
            word = first_word(rest)
            after = rest[len(word) :].strip()
            if word == "define":
                self._flush(source)
                self._define(source, after, modifiers, place)
                return True
            if word == "undefine":
                self._flush(source)
                self._undefine(after, modifiers, place)
                return True
            if word not in _MODIFIERS:
                return False
            if modifiers is None:
                modifiers = _Modifiers()
            modifiers.note(word)
            rest = after

    def _assign(
        self,
        name: str,
        operator: str,
        value: str,
        modifiers: _Modifiers | None,
        place: Place | None,
    ) -> None:
        if "$" in name:
            name = self.expander.expand(name).strip()
        if not name:
            raise MakeError("empty variable name", place)
        if modifiers is None:
            self.define(self.variables, name, operator, value, place)
            return
        origin = Origin.OVERRIDE if modifiers.override else Origin.FILE
        variable = self.define(self.variables, name, operator, value, place, origin)
        if variable is not None:
            if modifiers.export is not None:
                variable.export = modifiers.export
            if modifiers.private:
                variable.is_private = self.variables.has_private = True

    def define(
        self,
        scope: Scope,
        name: str,
        operator: str,
        value: str,
        place: Place | None = None,
        origin: int = Origin.FILE,
    ) -> Variable | None:
        """Does an assignment in a scope. Returns the variable, None if there is none by then."""
        recursive = True
        if operator == "=":
            pass
        elif operator == "?=":
            known = scope.find(name)
            if known is not None:
                return known
        elif operator == "+=":
            known = scope.variables.get(name)
            if known is not None:
                return self._append(known, value, origin, place)
        elif operator == "!=":
            value = self.expander.shell(self.expander.expand(value))
        elif operator == ":::=":
            value = self.expander.expand(value).replace("$", "$$") if "$" in value else value
        else:
            recursive = False
            if "$" in value:
                value = self.expander.expand(value)
        variable = scope.define(name, value, origin, recursive=recursive, place=place)
        if scope is self.variables:
            self._after_set(name)
        return variable

    def _append(self, old: Variable, value: str, origin: int, place: Place | None) -> Variable:
        """`+=` on a variable that is there."""
        if not old.recursive and "$" in value:
            value = self.expander.expand(value)
        old.guard(self.variables.environment_wins)
        if origin < old.origin:
            return old
        if old.name == "MAKEFLAGS" and old is self.variables.variables.get(old.name):
            old.value = old.value.partition(" -- ")[0]  # no options are behind it
        if value:
            old.value = f"{old.value} {value}" if old.value else value
        old.origin = origin
        old.place = place
        if old is self.variables.variables.get(old.name):
            self._after_set(old.name)
        return old

    def _after_set(self, name: str) -> None:
        if name == ".RECIPEPREFIX":
            self.prefix = self.expander.value(name)[:1] or "\t"
        seen = self.watched.get(name)
        if seen is not None:
            seen()

    def _undefine(self, text: str, modifiers: _Modifiers | None, place: Place | None) -> None:
        name = self.expander.expand(text).strip()
        if not name:
            raise MakeError("empty variable name", place)
        variable = self.variables.variables.get(name)
        if variable is None:
            return
        origin = Origin.OVERRIDE if modifiers and modifiers.override else Origin.FILE
        if origin >= variable.origin:
            del self.variables.variables[name]
            if name == ".RECIPEPREFIX":
                self.prefix = "\t"

    # Definitions of several lines

    def _define(
        self, source: _Source, text: str, modifiers: _Modifiers | None, place: Place | None
    ) -> None:
        parts = assignment(text)
        if parts is None:
            name, operator = text, "="
        else:
            name, operator, extra = parts
            if extra:
                self._say("extraneous text after 'define' directive", place)
        name = self.expander.expand(name).strip()
        if not name:
            raise MakeError("empty variable name", place)
        body = self._body(source, place)
        self._assign(name.replace("$", "$$"), operator, body, modifiers, place)

    def _body(self, source: _Source, place: Place | None) -> str:
        """The text up to the `endef` that belongs to it."""
        found: list[str] = []
        depth = 1
        while True:
            raw = source.lines.next()
            if raw is None:
                raise MakeError("missing 'endef', unterminated 'define'", place)
            text = joined(raw, self.database.is_posix)
            if text[:1] != self.prefix:
                start = text.lstrip()
                word = first_word(start)
                if word == "define":
                    depth += 1
                elif word == "endef":
                    depth -= 1
                    if not depth:
                        if without_comment(start[5:]).strip():
                            self._say("extraneous text after 'endef' directive", source.place())
                        return "\n".join(found)
            found.append(text)

    def _skip_definition(self, source: _Source, text: str) -> None:
        """In a part that is not read: a definition is stepped over as one."""
        while True:
            if assignment(text) is not None:
                return
            word = first_word(text)
            if word == "define":
                self._body(source, source.place())
                return
            if word not in _MODIFIERS:
                return
            text = text[len(word) :].strip()

    # Conditionals

    def _condition(self, source: _Source, word: str, rest: str) -> None:
        place = source.place()
        conditions = source.conditions
        if word == "endif":
            if not conditions:
                raise MakeError("extraneous 'endif'", place)
            if rest:
                self._say("extraneous text after 'endif' directive", place)
            conditions.pop()
        elif word == "else":
            self._else(source, rest, place)
        elif source.skipping:
            conditions.append(_Condition(_DONE))
        else:
            holds = self._holds(word, rest, place)
            if holds is None:
                raise MakeError("invalid syntax in conditional", place)
            conditions.append(_Condition(_READING if holds else _WAITING))
        source.skipping = any(each.state != _READING for each in conditions)

    def _else(self, source: _Source, rest: str, place: Place | None) -> None:
        conditions = source.conditions
        if not conditions:
            raise MakeError("extraneous 'else'", place)
        top = conditions[-1]
        if top.has_else:
            raise MakeError("only one 'else' per conditional", place)
        word = first_word(rest)
        is_chained = word in _CONDITIONALS and word not in ("else", "endif")
        if rest and not is_chained:
            self._say("extraneous text after 'else' directive", place)
        if top.state == _READING:
            top.state = _DONE
        elif top.state == _WAITING:
            if not is_chained:
                top.state = _READING
            elif all(each.state == _READING for each in conditions[:-1]):
                self.expander.place = place
                holds = self._holds(word, rest[len(word) :].strip(), place)
                if holds is None:
                    # Make takes it for an `else` with a conditional of its own in it.
                    self._say("extraneous text after 'else' directive", place)
                    top.state = _READING
                    conditions.append(_Condition(_READING))
                elif holds:
                    top.state = _READING
        if not is_chained:
            top.has_else = True

    def _holds(self, word: str, rest: str, place: Place | None) -> bool | None:
        """Whether a condition is met; None if it is none."""
        if word in ("ifdef", "ifndef"):
            name = self.expander.expand(rest).strip() if "$" in rest else rest
            if len(name.split()) > 1:
                return None
            variable = self.expander.scope.find(name)
            return (variable is not None and variable.value != "") == (word == "ifdef")
        sides = _in_brackets(rest) if rest[:1] == "(" else _in_quotes(rest)
        if sides is None:
            return None
        left, right, extra = sides
        if extra.strip():
            self._say(f"extraneous text after '{word}' directive", place)
        expand = self.expander.expand
        return (expand(left) == expand(right)) == (word == "ifeq")

    # Directives

    def _directive(self, source: _Source, word: str, rest: str, place: Place | None) -> bool:
        """Reads a directive. Returns whether it was one."""
        if word in ("export", "unexport"):
            self._flush(source)
            self._export(rest, word == "export", place)
        elif word == "vpath":
            self._flush(source)
            self._vpath(self.expander.expand(rest))
        elif word in _INCLUDES:
            self._flush(source)
            self._include(rest, word == "include", place)
        elif word in ("load", "-load"):
            if rest.strip():
                raise MakeError("'load' is not supported: pybuild has no plugins in C", place)
            self._flush(source)
        else:
            return False
        return True

    def _export(self, text: str, exports: bool, place: Place | None) -> None:
        names = self.expander.expand(text).split()
        if not names:
            self.database.export_all = self.expander.export_all = exports
            return
        variables = self.variables
        for name in names:
            variable = variables.variables.get(name)
            if variable is None:
                variable = variables.define(name, "", Origin.FILE, recursive=False, place=place)
            variable.export = Export.YES if exports else Export.NO

    def _vpath(self, text: str) -> None:
        names = text.split(None, 1)
        vpaths = self.database.vpaths
        if not names:
            vpaths.clear()
            return
        pattern = names[0]
        if len(names) == 1:
            vpaths[:] = [each for each in vpaths if each[0] != pattern]
            return
        folders = []
        for folder in names[1].replace(":", " ").split():
            if len(folder) > 1 and folder.endswith("/"):
                folder = folder[:-1]
            if folder and folder != ".":
                folders.append(folder)
        if folders:
            vpaths.append((pattern, folders))

    def _include(self, text: str, required: bool, place: Place | None) -> None:
        for name in self._names(self.expander.expand(text)):
            self.read_file(name, required=required, place=place, search=True)

    # Names

    def _names(self, text: str) -> list[str]:
        """The names in a list of targets or prerequisites: wildcards and `~` are expanded, leading
        `./` goes, `lib(a b)` is two members."""
        if "(" in text and _ARCHIVE.search(text):
            text = _members(text)
        found = lines.words(text)
        if "./" in text:
            found = [short_name(name) if name.startswith("./") else name for name in found]
        if "*" in text or "?" in text or "[" in text or "~" in text:
            looks = self.expander.services.looks
            if "(" in text:
                looks.doubt()  # members of archives
            matches = [archive.matching(name) or glob_words(name, looks) for name in found]
            found = [name for each in matches for name in each]
        return found

    # Rules

    def _plain_rule(self, source: _Source, text: str, place: Place | None) -> bool:
        """Reads a line of nothing but names and a colon, as compilers write them by the thousand.
        Returns whether it was one."""
        for each in _MORE_THAN_NAMES:
            if each in text:
                return False
        head, colon, rest = text.partition(":")
        targets = split_words(head)
        if not targets or not colon or ":" in rest or self.running is not None:
            return False
        names = split_words(rest)
        if "./" in text:
            targets = [short_name(name) if name.startswith("./") else name for name in targets]
            names = [short_name(name) if name.startswith("./") else name for name in names]
        rule = ReadRule(place)
        rule.targets = targets
        rule.prerequisites = [Prerequisite(name) for name in names]
        source.targetless = False
        self.book.take_effect(rule)
        source.rule = rule
        return True

    def _rule(self, source: _Source, raw: str, place: Place | None) -> None:
        """Reads a line that is neither an assignment nor a directive."""
        source.targetless = False
        first: str | None = None
        stop = ""
        if ";" in raw or "#" in raw:
            raw, stop, after = cut(raw, ";#$")
            if stop == ";":
                first = after
        text = joined(raw, self.database.is_posix).lstrip()
        if "$" in text:
            head, colon, rest, unread = self._split_expanded(text, place)
        else:
            head, colon, rest = cut(text, ":")
            unread = ""
            if rest[:1] == ":":
                colon, rest = "::", rest[1:]
        if not colon:
            if not head.strip() and "$" in text:
                if first is not None and first.strip():
                    raise MakeError("missing separator", place)
                return
            raise MakeError(_missing_separator(raw), place)
        is_grouped = head.endswith("&")
        targets = self._names(head[:-1] if is_grouped else head)
        if not targets:
            source.targetless = True
            if "$" in unread:
                self.expander.expand(unread)
            return
        if "=" in rest or "=" in unread:
            whole = (rest + unread).lstrip()
            if first is not None:
                whole += ";" + joined(first, self.database.is_posix)
            if self._target_variable(targets, whole, place):
                return
        if unread:
            rest += self.expander.expand(unread) if "$" in unread else unread
        if first is None and ";" in rest:
            rest, stop, after = cut(rest, ";")
            if stop:
                first = after
        if self.running is not None:
            raise MakeError("prerequisites cannot be defined in recipes", place)
        rule = ReadRule(place)
        rule.targets = targets
        rule.is_double = colon == "::"
        rule.is_grouped = is_grouped
        if ":" in rest:
            rest = self._static(rule, rest, place)
        self._check_mixed(rule, place)
        if rest and not rest.isspace():
            self._prerequisites(rule, rest)
        if first is not None:
            rule.begin_recipe(place, self.prefix)
            rule.lines.append(recipe_line(first, self.prefix))
        self.book.take_effect(rule)
        source.rule = rule

    def _split_expanded(self, text: str, place: Place | None) -> tuple[str, str, str, str]:
        """Expands the words of a rule up to its colon: what comes before it, the colon (or two, or
        "" if there is none), what was expanded after it, and what was not."""
        done: list[str] = []
        at = 0
        length = len(text)
        expand = self.expander.expand
        while at < length:
            begin = at
            has_reference = False
            while at < length:
                char = text[at]
                if char == "$":
                    has_reference = True
                    at = lines.after_reference(text, at)
                elif char == "\\":
                    at += 2
                elif char == ":" or char in " \t":
                    break
                else:
                    at += 1
            chunk = text[begin:at]
            if has_reference:
                chunk = expand(chunk)
                self.expander.place = place
                if ";" in chunk and cut(chunk, ":;")[1] == ";":
                    raise MakeError("missing separator", place)
                if ":" in chunk:
                    before, colon, after = cut(chunk, ":")
                    if colon:
                        done.append(before)
                        if after[:1] == ":":
                            colon, after = "::", after[1:]
                        return "".join(done), colon, after, text[at:]
                    chunk = before
            elif "\\:" in chunk:
                chunk = cut(chunk, ":")[0]
            done.append(chunk)
            if at < length and text[at] == ":":
                colon = "::" if text.startswith("::", at) else ":"
                return "".join(done), colon, "", text[at + len(colon) :]
            begin = at
            while at < length and text[at] in " \t":
                at += 1
            done.append(text[begin:at])
        return "".join(done), "", "", ""

    def _static(self, rule: ReadRule, rest: str, place: Place | None) -> str:
        """Takes the target pattern of a static pattern rule. Returns what comes after it."""
        pattern, colon, after = cut(rest, ":")
        if not colon:
            return pattern
        patterns = self._names(pattern)
        if not patterns:
            raise MakeError("missing target pattern", place)
        if len(patterns) > 1:
            raise MakeError("multiple target patterns", place)
        if not is_pattern(patterns[0]):
            raise MakeError("target pattern contains no '%'", place)
        rule.pattern = patterns[0]
        return after

    def _check_mixed(self, rule: ReadRule, place: Place | None) -> None:
        """What may not stand together left of a colon."""
        targets = rule.targets
        if "%" not in "".join(targets):
            return
        if rule.pattern is not None:
            if is_pattern(targets[0]):
                raise MakeError("mixed implicit and static pattern rules", place)
            return
        are_patterns = [is_pattern(name) for name in targets]
        if all(are_patterns) or not any(are_patterns):
            return
        if are_patterns[0]:
            raise MakeError("mixed implicit and normal rules", place)
        self._say("*** mixed implicit and normal rules: deprecated syntax", place)

    def _prerequisites(self, rule: ReadRule, text: str) -> None:
        if "$" in text and self.database.second_expansion:
            rule.laters = text.strip()
            return
        rule.prerequisites = self.prerequisites(text)

    def prerequisites(self, text: str) -> list[Prerequisite]:
        """Those that an expanded text names, with what follows a `|`."""
        normal, bar, order = cut(text, "|") if "|" in text else (text, "", "")
        names = self._names(normal)
        if ".WAIT" in names:
            found = _with_waits(names, False)
        else:
            found = [Prerequisite(name) for name in names]
        return found + _with_waits(self._names(order), True) if bar else found

    def _target_variable(self, targets: list[str], text: str, place: Place | None) -> bool:
        """Reads an assignment for targets or patterns, if the text is one."""
        modifiers = None
        while True:
            parts = assignment(text)
            if parts is not None:
                break
            word = first_word(text)
            if word not in _MODIFIERS:
                return False
            if modifiers is None:
                modifiers = _Modifiers()
            modifiers.note(word)
            text = text[len(word) :].strip()
        name, operator, value = parts
        if "$" in name:
            name = self.expander.expand(name).strip()
        if not name:
            raise MakeError("empty variable name", place)
        made: Variable | None
        for target in targets:
            if is_pattern(target):
                made = self._pattern_variable(target, name, operator, value, modifiers, place)
            else:
                found = self.database.enter(plain_name(target))
                found.is_explicit = True
                made = self._own_variable(found, name, operator, value, modifiers, place)
            if made is not None and modifiers is not None:
                if modifiers.export is not None:
                    made.export = modifiers.export
                if modifiers.private:
                    made.is_private = True
        return True

    def _own_variable(
        self,
        target: Target,
        name: str,
        operator: str,
        value: str,
        modifiers: _Modifiers | None,
        place: Place | None,
    ) -> Variable | None:
        """Does an assignment among the variables of a target."""
        scope = target.scope
        if scope is None:
            scope = target.scope = Scope(self.variables)
        overrides = modifiers is not None and modifiers.override
        known = self.variables.variables.get(name)
        if (
            known is not None
            and not overrides
            and known.origin in (Origin.COMMAND, Origin.ENVIRONMENT_OVERRIDE)
        ):
            # What the command line says counts for targets, too.
            return scope.define(
                name, known.value, known.origin, recursive=known.recursive, place=place
            )
        origin = Origin.OVERRIDE if overrides else Origin.FILE
        if operator == "?=" and scope.find(name) is not None:
            return scope.variables.get(name)
        if operator == "+=" and name not in scope.variables:
            added = scope.define(name, value, origin, place=place)
            added.appends = True
            return added
        outer = self.expander.scope
        self.expander.scope = scope
        try:
            return self.define(scope, name, operator, value, place, origin)
        finally:
            self.expander.scope = outer

    def _pattern_variable(
        self,
        pattern: str,
        name: str,
        operator: str,
        value: str,
        modifiers: _Modifiers | None,
        place: Place | None,
    ) -> Variable:
        """Notes an assignment for all targets that a pattern matches."""
        overrides = modifiers is not None and modifiers.override
        origin = Origin.OVERRIDE if overrides else Origin.FILE
        told = None if overrides else self.variables.variables.get(name)
        if told is not None and told.origin not in (Origin.COMMAND, Origin.ENVIRONMENT_OVERRIDE):
            told = None
        if told is not None:
            # What the command line or the environment says, in the way that is written here.
            value, origin = told.value, told.origin
        scope = Scope(self.variables)
        if told is not None and operator in (":=", "::="):
            made = scope.define(name, value, origin, recursive=False, place=place)
        elif operator in ("+=", "?=", ":::="):
            made = scope.define(name, value, origin, place=place)
            made.appends = operator == "+="
            made.is_conditional = operator == "?="
            made.is_postponed = operator == ":::="
        else:
            set_now = self.define(scope, name, operator, value, place, origin)
            assert set_now is not None
            made = set_now
        self.database.pattern_variables.append(PatternVariable(pattern, made))
        return made


def _missing_separator(raw: str) -> str:
    """What is said of a line that means nothing."""
    if raw.startswith(" " * 8):
        return "missing separator (did you mean TAB instead of 8 spaces?)"
    if _BAD_CONDITIONAL.match(raw.lstrip()):
        return "missing separator (ifeq/ifneq must be followed by whitespace)"
    return "missing separator"


def _in_brackets(text: str) -> tuple[str, str, str] | None:
    """The two sides of `(a,b)` and what comes after."""
    depth = 0
    comma = -1
    for at, char in enumerate(text):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                if comma < 0:
                    return None
                left = text[1:comma].rstrip()
                return left, text[comma + 1 : at].lstrip(), text[at + 1 :]
        elif char == "," and depth == 1 and comma < 0:
            comma = at
    return None


def _in_quotes(text: str) -> tuple[str, str, str] | None:
    """The two sides of `'a' "b"` and what comes after."""
    sides = []
    for _ in range(2):
        quote = text[:1]
        if not quote or quote not in "'\"":
            return None
        end = text.find(quote, 1)
        if end < 0:
            return None
        sides.append(text[1:end])
        text = text[end + 1 :].lstrip()
    return sides[0], sides[1], text


def _members(text: str) -> str:
    """A list of names in which `lib(a b)` is `lib(a) lib(b)`."""

    def each(match: Match[str]) -> str:
        library, _, inside = match[0][:-1].partition("(")
        if not library:
            return match[0]
        return " ".join(f"{library}({name})" for name in inside.split())

    return _ARCHIVE.sub(each, text)


def _with_waits(names: list[str], order_only: bool) -> list[Prerequisite]:
    """Prerequisites of these names, among which `.WAIT` may be."""
    found = []
    wait = False
    for name in names:
        if name == ".WAIT":
            wait = True
        else:
            found.append(Prerequisite(name, order_only, wait))
            wait = False
    return found
