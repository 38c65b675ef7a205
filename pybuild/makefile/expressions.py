"""Texts of a makefile as expressions and placeholders of a Pipefile.

A text is translated only where that is sure to mean the same: each variable in it has to have the
very value that make has for it at that point. Whoever asks gets `Untold` otherwise, and writes the
value down instead.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Callable

from pybuild.makefile.expand import Expander
from pybuild.makefile.helpers import WORD_FUNCTIONS, name_of
from pybuild.makefile.looks import Looks
from pybuild.makefile.patterns import existing_words
from pybuild.makefile.references import Call, Part, Ref, is_pure, take_apart
from pybuild.makefile.rules import Database
from pybuild.makefile.search import later_words
from pybuild.makefile.variables import Origin

PLAIN = re.compile(r"[\w./+@,:=~-]+")
_TAKEN = frozenset(
    """
    input inputs output outputs order_only changed stem rule path basename ext filename subdir
    subpath glob env sh read config run Path str list sorted set any int len isinstance files
    """.split()
)
AUTOMATIC = frozenset(each + form for each in "@%<?^+*|" for form in ("", "D", "F"))
_SET_BY_MAKE = frozenset(
    """
    MAKEFLAGS MFLAGS MAKEFILE_LIST MAKEFILES MAKELEVEL MAKECMDGOALS SHELL VPATH GPATH
    SUFFIXES MAKE_COMMAND MAKE_VERSION MAKE_HOST MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
    """.split()
)
_LONG = 96


class Untold(Exception):
    """There is no form for it in a Pipefile; the message says of what."""


def quoted(text: str) -> str:
    """A text as a literal of Python."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def list_literal(words: list[str]) -> str:
    """A list of texts, on one line if it is short."""
    line = "[" + ", ".join(map(quoted, words)) + "]"
    if len(line) <= _LONG:
        return line
    return "[\n" + "".join(f"    {quoted(each)},\n" for each in words) + "]"


class Names:
    """The variables of a Pipefile. `current` is what each is worth where the writing is, `final`
    what it will be worth, both as make's text; `lists` are those that are lists. `outer` are those
    that no makefile sets, `used` the stand-ins for functions of make."""

    def __init__(self, database: Database, expander: Expander) -> None:
        self.database = database
        self.expander = expander
        self.current: dict[str, str] = {}
        self.final: dict[str, str] = {}
        self.lists: set[str] = set()
        self.outer: dict[str, str] = {}
        self.used: set[str] = set()
        self.used_texts: dict[str, str] = {}  # variables with odd texts, by their names here
        self.left_in_place: set[str] = set()  # put in where they are used
        self._identifiers: dict[str, str] = {}

    def identifier(self, name: str) -> str:
        """What a variable of make is called in the Pipefile."""
        found = self._identifiers.get(name)
        if found is None:
            found = re.sub(r"\W", "_", name) or "_"
            if found[0].isdigit() or keyword.iskeyword(found) or found in _TAKEN:
                found += "_" if not found[0].isdigit() else ""
                found = found if not found[0].isdigit() else f"_{found}"
            while found in self._identifiers.values():
                found += "_"
            self._identifiers[name] = found
        return found

    def raw_of(self, name: str) -> str | None:
        """The text of a variable that is put in where it is used, else None: one that refers to
        automatic variables or has several lines, or one of make's own that is made of others."""
        if name in self.left_in_place:
            found = self.expander.variables.find(name)
            return found.value if found is not None else ""
        if name in self.final or name in self.outer:
            return None
        found = self.expander.variables.find(name)
        if found is not None and found.origin is Origin.DEFAULT and "$" in found.value:
            return None if name == "MAKE" else found.value
        return None

    def settle(self, name: str) -> None:
        """Makes sure that a variable that no makefile sets is one of the Pipefile."""
        if name in self.final or name in self.outer:
            return
        if name in AUTOMATIC or name in _SET_BY_MAKE or name.isdigit() or name[:1] == ".":
            raise Untold(f"`$({name})`")
        value = "pybuild" if name == "MAKE" else self.expander.value(name)
        self.outer[name] = self.current[name] = self.final[name] = value


class Translator:
    """Translates texts. `knows` says whether a variable is worth here what it is worth in make."""

    def __init__(self, names: Names, knows: Callable[[str], bool]) -> None:
        self.names = names
        self.knows = knows

    # -- expressions -------------------------------------------------------------------------

    def text(self, text: str, depth: int = 0) -> str:
        """An expression that is a text. Raises Untold."""
        pieces = [
            quoted(part) if isinstance(part, str) else self._as_text(part, depth)
            for part in take_apart(text)
        ]
        return " + ".join(pieces) or '""'

    def words(self, text: str, depth: int = 0) -> str:
        """An expression that is a list of words. Raises Untold."""
        found: list[str] = []
        plain: list[str] = []
        for word in later_words(text):
            parts = take_apart(word)
            if all(isinstance(part, str) for part in parts):
                plain.append("".join(map(str, parts)))
                continue
            if plain:
                found.append(list_literal(plain))
                plain = []
            found.append(self._word(parts, depth))
        if plain or not found:
            found.append(list_literal(plain))
        return " + ".join(found)

    def _word(self, parts: list[Part], depth: int) -> str:
        if len(parts) == 1:
            return self._as_words(parts[0], depth)
        pieces = []
        for part in parts:
            if isinstance(part, Call) or (isinstance(part, Ref) and not self._is_one_word(part)):
                raise Untold(f"`{part.raw}` within a word")
            pieces.append(quoted(part) if isinstance(part, str) else self._as_text(part, depth))
        return f"[{' + '.join(pieces)}]"

    def _is_one_word(self, ref: Ref) -> bool:
        value = self.names.current.get(ref.name)
        if value is None and self.names.raw_of(ref.name) is None:
            self.names.settle(ref.name)
            value = self.names.current.get(ref.name)
        return value is not None and ref.old is None and len(value.split()) == 1

    def _as_words(self, part: Part, depth: int) -> str:
        if isinstance(part, str):
            return list_literal(part.split())
        if isinstance(part, Ref):
            raw = self._inner(part, depth)
            if raw is not None:
                return self.words(raw, depth + 1)
            if part.old is not None:
                return self._substituted(part, self._variable(part.name), depth)
            name = self._variable(part.name)
            return name if part.name in self.names.lists else f"{name}.split()"
        if part.function == "call":
            return self.words(called(part, self.names.expander), self._deeper(depth))
        if part.function == "foreach":
            return self._foreach(part, depth)
        if part.function == "wildcard":
            return self._wildcard(part, depth)
        if part.function in WORD_FUNCTIONS:
            return self._function(part, lambda each: self._argument(each, depth))
        return f"{self._bracketed(self._as_text(part, depth))}.split()"

    def _as_text(self, part: Part, depth: int) -> str:
        if isinstance(part, str):
            return quoted(part)
        if isinstance(part, Ref):
            raw = self._inner(part, depth)
            if raw is not None:
                return self.text(raw, depth + 1)
            if part.old is None:
                name = self._variable(part.name)
                return f'" ".join({name})' if part.name in self.names.lists else name
        elif part.function == "shell":
            return self._shell(part, depth)
        elif part.function == "if":
            return self._if(part, depth)
        elif part.function == "call":
            return self.text(called(part, self.names.expander), self._deeper(depth))
        elif part.function not in (*WORD_FUNCTIONS, "foreach"):
            raise Untold(f"`$({part.function} ...)`")
        return f'" ".join({self._as_words(part, depth)})'

    def _inner(self, part: Ref, depth: int) -> str | None:
        """The text of a variable that is put in where it is used."""
        if "$" in part.name:
            raise Untold(f"`{part.raw}`")
        raw = None if part.old is not None else self.names.raw_of(part.name)
        if raw is not None:
            self._deeper(depth)
            if "\n" in raw:
                raise Untold(f"`{part.raw}`, which has several lines")
        return raw

    def _deeper(self, depth: int) -> int:
        if depth > 20:
            raise Untold("a variable that calls itself")
        return depth + 1

    def _variable(self, name: str) -> str:
        if name not in self.names.final:
            self.names.settle(name)
        if not self.knows(name):
            raise Untold(f"`$({name})`, which has another value later")
        return self.names.identifier(name)

    def _substituted(self, part: Ref, value: str, depth: int = -1) -> str:
        """`$(NAME:old=new)`; in a placeholder (no depth) the two are plain texts."""
        old, new = part.old or "", part.new
        if "%" not in old:
            old, new = f"%{old}", f"%{new}"
        if "\\" in old + new or (depth < 0 and "$" in old + new):
            raise Untold(f"`{part.raw}`")
        self.names.used.add("make_patsubst")
        first, second = self.text(old, max(depth, 0)), self.text(new, max(depth, 0))
        return f"make_patsubst({first}, {second}, {value})"

    def _function(self, part: Call, argument: Callable[[str], str]) -> str:
        if len(part.arguments) != WORD_FUNCTIONS[part.function]:
            raise Untold(f"`{part.raw}`")
        if part.function in ("patsubst", "filter", "filter-out") and "\\" in part.arguments[0]:
            raise Untold(f"`{part.raw}`")
        if part.function == "subst" and not part.arguments[0].strip():
            raise Untold(f"`{part.raw}`")
        name = name_of(part.function)
        given = ", ".join(argument(each.strip()) for each in part.arguments)
        self.names.used.add(name)
        return f"{name}({given})"

    def _argument(self, text: str, depth: int) -> str:
        parts = take_apart(text)
        if len(parts) == 1 and not isinstance(parts[0], str):
            return self._as_words(parts[0], depth)
        return self.text(text, depth)

    def _foreach(self, part: Call, depth: int) -> str:
        name, over, body = (*part.arguments, "", "", "")[:3]
        name = name.strip()
        if "$" in name or name in self.names.final or not re.fullmatch(r"[A-Za-z]\w*", name):
            raise Untold(f"`{part.raw}`")
        inner = Translator(self.names, lambda each: each == name or self.knows(each))
        before = dict(self.names.current), dict(self.names.final)
        self.names.current[name] = self.names.final[name] = "word"
        try:
            made = inner.words(body, depth)
        finally:
            self.names.current, self.names.final = before
        each = self.names.identifier(name)
        return f"[word for {each} in {self.words(over, depth)} for word in {made}]"

    def _wildcard(self, part: Call, depth: int) -> str:
        """The builtin `glob` where it gives what make finds: it sees files that rules will make,
        and no folders."""
        text = part.arguments[0].strip()
        names = self.names
        if not is_pure(text, names.expander):
            raise Untold(f"`{part.raw}`")
        for pattern in names.expander.expand(text).split():
            found = existing_words(pattern, Looks())
            if pattern not in found and found == sorted(found) and not self._meets_targets(pattern):
                continue
            return self._function(part, lambda each: self._argument(each, depth))
        globs = []
        for word in later_words(text):
            parts = take_apart(word)
            if len(parts) == 1 and not isinstance(parts[0], str):
                return self._function(part, lambda each: self._argument(each, depth))
            globs.append(
                f"glob({self._word(parts, depth)[1:-1]})"
                if "$" in word
                else f"glob({quoted(word)})"
            )
        return " + ".join(globs) or "[]"

    def _meets_targets(self, pattern: str) -> bool:
        from fnmatch import fnmatchcase

        if any(not fnmatchcase(each, "*.*") for each in existing_words(pattern, Looks())):
            return True  # may be a folder
        targets = self.names.database.targets.values()
        return any(each.is_target and fnmatchcase(each.name, pattern) for each in targets)

    def _shell(self, part: Call, depth: int) -> str:
        self.names.used.add("make_shell")
        return f"make_shell({self.text(part.arguments[0].strip(), depth)})"

    def _if(self, part: Call, depth: int) -> str:
        condition, then, *other = part.arguments
        holds = self.words(condition, depth)
        otherwise = self.text(other[0].strip(), depth) if other else '""'
        return f"({self.text(then.strip(), depth)} if {holds} else {otherwise})"

    def _bracketed(self, expression: str) -> str:
        return f"({expression})" if " + " in expression else expression

    # -- placeholders ------------------------------------------------------------------------

    def placeholder(self, part: Ref | Call, automatic: Callable[[str], str | None]) -> str:
        """What stands between the angle brackets for a reference; `automatic` has the forms of
        automatic variables: one that begins with `=` is a text itself. Raises Untold."""
        if isinstance(part, Call):
            if part.function not in WORD_FUNCTIONS or part.function == "wildcard":
                raise Untold(f"`{part.raw}`")
            return self._function(part, lambda each: self._given(each, automatic))
        if "$" in part.name:
            raise Untold(f"`{part.raw}`")
        name = automatic(part.name)
        if name is None:
            name = self._variable(part.name)
        if part.old is None:
            return name
        return self._substituted(part, f'"{name[1:]}"' if name[:1] == "=" else name)

    def _given(self, text: str, automatic: Callable[[str], str | None]) -> str:
        parts = take_apart(text)
        if all(isinstance(part, str) for part in parts):
            literal = "".join(map(str, parts))
            if '"' in literal or "\\" in literal or "\n" in literal:
                raise Untold(f"`{text}` as an argument")
            return f'"{literal}"'
        if len(parts) != 1:
            raise Untold(f"`{text}` as an argument")
        assert not isinstance(parts[0], str)
        found = self.placeholder(parts[0], automatic)
        return f'"{found[1:]}"' if found[:1] == "=" else found


def called(part: Call, expander: Expander) -> str:
    """The text of the variable that `$(call)` names, with the arguments put in. Raises Untold."""
    name = part.arguments[0].strip()
    found = expander.variables.find(name) if "$" not in name else None
    if found is None:
        raise Untold(f"`{part.raw}`")
    made = []
    for each in take_apart(found.value):
        if isinstance(each, str):
            made.append(each.replace("$", "$$"))
        elif isinstance(each, Ref) and each.name.isdigit() and each.old is None:
            number = int(each.name)
            given = part.arguments[number] if number < len(part.arguments) else ""
            made.append(given if number else name)
        elif re.search(r"\$[({]?\d", each.raw):
            made.append(_with_arguments(each.raw, part))
        else:
            made.append(each.raw)
    return "".join(made)


def _with_arguments(text: str, part: Call) -> str:
    """Arguments put into a reference within which they stand."""

    def put(match: re.Match[str]) -> str:
        number = int(match[1] or match[2] or match[3])
        return part.arguments[number] if 0 < number < len(part.arguments) else ""

    return re.sub(r"\$\((\d+)\)|\$\{(\d+)\}|\$(\d)", put, text)
