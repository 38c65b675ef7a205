"""Expansion: `$(NAME)`, `$(NAME:a=b)`, `$(function arguments)`, `$x`, `$$`.

A text is taken apart once; what it consists of is kept, as the same texts (bodies of functions that
are called, recipes' variables) are expanded again and again.
"""

from __future__ import annotations

import os
import sys

from pybuild.makefile.command import POSIX_SHELL_FLAGS, SHELL_FLAGS, argv_of
from pybuild.makefile.environment import child_environment
from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.functions import FUNCTIONS, Function
from pybuild.makefile.patterns import split_pattern, substitute
from pybuild.makefile.ports import Services
from pybuild.makefile.variables import Frame, Origin, Scope, Variable
from pybuild.typed import Callable, Mapping, Sequence

# Functions that call themselves nest as deep as a list is long; Python's own limit is met at some
# hundred words. Calls of Python in Python take no room on the stack of the process.
_DEPTH = 400_000
_MOST_KEPT = 20_000  # texts that are kept taken apart
_MOST_MENTIONS = 32_767  # of a variable in its own value while it is called, as in make

_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz-"
_CLOSING = {"(": ")", "{": "}"}
_BLANKS = " \t\n\v\f\r"

# Names that mean something even when they are not set: nobody mistyped them.
_KNOWN = frozenset(
    "MAKECMDGOALS MAKE_RESTARTS GNUMAKEFLAGS MAKE_TERMOUT MAKE_TERMERR MAKEOVERRIDES VPATH GPATH"
    " .DEFAULT_GOAL SUFFIXES -*-command-variables-*- MAKEFILES .LIBPATTERNS .LOADED .INCLUDE_DIRS"
    " .RECIPEPREFIX MFLAGS SHELL MAKEFLAGS .SHELLFLAGS .FEATURES .VARIABLES CURDIR".split()
)

_FOLDERS_AND_FILES = {
    name: Variable(name, value, Origin.AUTOMATIC)
    for each in "@%*+<?^"
    for name, value in (
        (f"{each}D", f"$(patsubst %/,%,$(dir ${each}))"),
        (f"{each}F", f"$(notdir ${each})"),
    )
}

Part = str | Callable[["Expander"], str]


class Inside:
    """For what is expanded in a recipe: its scope, and the place that messages point at."""

    __slots__ = ("_before", "_expander", "_place", "_scope")

    def __init__(self, expander: Expander, scope: Scope | Frame, place: Place | None) -> None:
        self._expander = expander
        self._scope = scope
        self._place = place

    def __enter__(self) -> None:
        expander = self._expander
        self._before = expander.scope, expander.place
        expander.scope, expander.place = self._scope, self._place

    def __exit__(self, *_: object) -> None:
        self._expander.scope, self._expander.place = self._before


class Expander:
    """Expands texts. `scope` is where names are looked up first (that of a target while its recipe
    or its prerequisites are expanded, else the global one); `place` is what messages point at.
    `read` reads makefile text, for `$(eval)`: it is set by whoever reads makefiles.
    `environment` is what make was started with; `export_all` what a bare `export` sets."""

    def __init__(self, variables: Scope, services: Services) -> None:
        self.variables = variables  # the global ones
        self.scope: Scope | Frame = variables
        self.services = services
        self.place: Place | None = None
        self.program = "make"  # the name that messages begin with
        self.is_posix = False
        self.warns_undefined = False
        self.read: Callable[[str, Place | None], None] | None = None
        self.environment: Mapping[str, str] = os.environ
        self.export_all = False
        self.only_looks = False  # `$(file)` gives what it would write
        self.writes_files = True  # False: `$(file)` does nothing but read
        self._definition: Place | None = None  # of the variable that is being expanded
        self._called: dict[Variable, int] = {}  # how often they may mention themselves yet
        self._shells = 0  # for whose environment variables are being expanded
        self._taken_apart: dict[str, Part] = {}
        if sys.getrecursionlimit() < _DEPTH:
            sys.setrecursionlimit(_DEPTH)

    def inside(self, scope: Scope | Frame, place: Place | None) -> Inside:
        """What is expanded meanwhile sees another scope; messages point at the place."""
        return Inside(self, scope, place)

    def expand(self, text: str) -> str:
        """The text with all references replaced by what they stand for. Raises MakeError."""
        if "$" not in text:
            return text
        part = self._taken_apart.get(text)
        if part is None:
            if len(self._taken_apart) >= _MOST_KEPT:
                self._taken_apart.clear()
            part = self._taken_apart[text] = _take_apart(text)
        return part if isinstance(part, str) else part(self)

    def value(self, name: str) -> str:
        """The expanded value of a variable, "" if there is none. Raises MakeError."""
        text = self.scope.texts.get(name)
        if text is not None:
            return text
        found = self.scope.find(name)
        if found is None:
            found = _FOLDERS_AND_FILES.get(name)
            if found is None:
                return self._names() if name == ".VARIABLES" else self.miss(name)
        return self._value_of(found)

    def _value_of(self, variable: Variable) -> str:
        if variable.appends or (variable.recursive and "$" in variable.value):
            return self._expand_value(variable)
        return variable.value

    def find(self, name: str) -> Variable | None:
        """The variable that a name means here, with the forms of automatic ones (`$(@D)`)."""
        return self.scope.find(name) or _FOLDERS_AND_FILES.get(name)

    def miss(self, name: str) -> str:
        """There is no such variable: "", and a warning if these are wanted."""
        if self.warns_undefined and name not in _KNOWN:
            self.warn(f"warning: undefined variable '{name}'")
        return ""

    def warn(self, text: str) -> None:
        """Says something about the line that is being read."""
        where = self.program if self.place is None else self.place
        self.services.console.err(f"{where}: {text}\n")

    def fail(self, message: str) -> MakeError:
        """An error in a text that is expanded. It is in the variable whose value that is."""
        return MakeError(message, self._definition or self.place)

    def apply(self, function: Function, arguments: Sequence[str]) -> str:
        """What a function makes of its arguments, which are expanded already unless it is one that
        does that itself."""
        if len(arguments) < function.least:
            raise self.fail(
                f"insufficient number of arguments ({len(arguments)}) to function '{function.name}'"
            )
        return function.act(self, arguments)

    def call(self, variable: Variable, arguments: Sequence[str]) -> str:
        """`$(call)`: the value with `$(0)` and so on. A variable may call itself."""
        outer = self.scope
        frame = Frame(outer)
        frame.number(arguments)
        before = self._called.get(variable)
        self._called[variable] = _MOST_MENTIONS
        self.scope = frame
        try:
            text = frame.texts.get(variable.name)  # its name may be a number
            return self._value_of(variable) if text is None else text
        except RecursionError:
            raise self.fail(f"Function '{variable.name}' calls itself too often") from None
        finally:
            self.scope = outer
            if before is None:
                del self._called[variable]
            else:
                self._called[variable] = before

    def shell(self, command: str) -> str:
        """`$(shell)`: what the command prints, newlines as blanks. Sets `.SHELLSTATUS`."""
        if not command.strip(_BLANKS):
            return ""
        argv = argv_of(
            command,
            self.value("SHELL"),
            self.shell_flags(),
            ifs=self.value("IFS") if self.scope.find("IFS") else None,
        )
        if argv is None:
            return ""
        printed, status = self.services.shell.run(argv, self._shell_environment())
        self.variables.define(".SHELLSTATUS", str(status), Origin.OVERRIDE, recursive=False)
        text = os.fsdecode(printed.partition(b"\0")[0])
        return text.replace("\r\n", "\n").rstrip("\n").replace("\n", " ")

    def _shell_environment(self) -> dict[str, str]:
        self._shells += 1
        try:
            return child_environment(self.scope, self)
        finally:
            self._shells -= 1

    def shell_flags(self) -> str:
        """`.SHELLFLAGS`, or what it is while nobody sets it."""
        flags = self.scope.find(".SHELLFLAGS")
        if flags is None or (flags.origin == Origin.DEFAULT and self.is_posix):
            return POSIX_SHELL_FLAGS if self.is_posix else SHELL_FLAGS
        return self.value(".SHELLFLAGS")

    def _expand_value(self, variable: Variable) -> str:
        if variable.expanding and self._shells:
            # A command that is run for this very value has the one that make was given.
            return self.environment.get(variable.name, "")
        outer = self._definition
        self._definition = variable.place or outer
        if variable.expanding and not self._may_mention_itself(variable):
            failure = self.fail(
                f"Recursive variable '{variable.name}' references itself (eventually)"
            )
            self._definition = outer
            raise failure
        was_expanding = variable.expanding
        variable.expanding = True
        try:
            if variable.appends:
                return self._appended(variable.name)
            return self.expand(variable.value)
        finally:
            variable.expanding = was_expanding
            self._definition = outer

    def _may_mention_itself(self, variable: Variable) -> bool:
        """Whether a variable that is being expanded may be so once more: if it is called."""
        left = self._called.get(variable, 0)
        if left:
            self._called[variable] = left - 1
        return left > 0

    def _appended(self, name: str) -> str:
        """The value of a variable that is appended to that of outer scopes."""
        scope = self.scope.base if isinstance(self.scope, Frame) else self.scope
        found: list[Variable] = []
        for each in scope.chain():
            variable = each.variables.get(name)
            if variable is None or (variable.is_private and each is not scope):
                continue
            found.append(variable)
            if not variable.appends:
                break
        made = ""
        for variable in reversed(found):
            text = variable.value
            plain = not variable.recursive or "$" not in text
            value = text if plain else self.expand(text)
            # It is the text that counts: one that expands to nothing leaves its blank.
            made = f"{made} {value}" if made and text else made or value
        return made

    def _names(self) -> str:
        names = dict.fromkeys(self.variables.variables)
        names.update(dict.fromkeys(_FOLDERS_AND_FILES))
        names[".VARIABLES"] = None
        return " ".join(names)


def _take_apart(text: str) -> Part:
    """What makes a text when it is asked, or the text if it is always the same. What is wrong with
    one is found only when the parts before it have been expanded, as these may have effects."""
    parts: list[Part] = []
    literal = ""
    start = 0
    while (at := text.find("$", start)) >= 0:
        literal += text[start:at]
        following = text[at + 1 : at + 2]
        start = at + 2
        if following in ("", "$"):
            literal += "$"
        elif following not in _BLANKS:
            if literal:
                parts.append(literal)
                literal = ""
            if following in _CLOSING:
                part, start = _take_reference(text, at + 2, following)
            else:
                part = _variable(following)
            parts.append(part)
            if start < 0:
                return _joined(parts)
    literal += text[start:]
    if literal or not parts:
        parts.append(literal)
    return _joined(parts)


def _joined(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]

    def join(expander: Expander) -> str:
        # A loop, not `join` of a generator: that would nest on the stack of the process.
        made = []
        for part in parts:
            made.append(part if isinstance(part, str) else part(expander))
        return "".join(made)

    return join


def _take_reference(text: str, begin: int, opening: str) -> tuple[Part, int]:
    """The reference whose text begins at `begin`, and where it ends: -1 if it does not."""
    closing = _CLOSING[opening]
    name_end = _span(text, begin, _NAME_LETTERS)
    arguments = _span(text, name_end, _BLANKS)
    if arguments > name_end or arguments == len(text):
        function = FUNCTIONS.get(text[begin:name_end])
        if function is not None:
            return _take_function(function, text, arguments, opening)
    end = text.find(closing, begin)
    if end < 0:
        return _failure("unterminated variable reference"), -1
    if text.find("$", begin, end) < 0:
        return _reference(text[begin:end]), end + 1
    balanced = _find_closing(text, begin, opening)
    if balanced < 0:
        # Brackets that do not match: all up to the first closing one is a name as it is, and
        # what comes behind it is lost.
        return _reference(text[begin:end]), len(text)
    inner = _take_apart(text[begin:balanced])
    if isinstance(inner, str):
        return _reference(inner), balanced + 1
    return (lambda expander: _refer(expander, inner(expander))), balanced + 1


def _span(text: str, begin: int, letters: str) -> int:
    """Where the run of some letters ends."""
    length = len(text)
    while begin < length and text[begin] in letters:
        begin += 1
    return begin


def _find_closing(text: str, begin: int, opening: str) -> int:
    closing = _CLOSING[opening]
    depth = 0
    end = text.find(closing, begin)
    while end >= 0:
        depth += text.count(opening, begin, end)
        if not depth:
            return end
        depth -= 1
        begin = end + 1
        end = text.find(closing, begin)
    return -1


def _take_function(function: Function, text: str, begin: int, opening: str) -> tuple[Part, int]:
    """A call from behind the function's name. Commas count outside of inner brackets."""
    closing = _CLOSING[opening]
    arguments: list[str] = []
    start = at = begin
    while True:
        comma = text.find(",", at) if len(arguments) + 1 != function.most else -1
        end = text.find(closing, at)
        inner = text.find(opening, at)
        if inner >= 0 and (end < 0 or inner < end) and (comma < 0 or inner < comma):
            end = _find_closing(text, inner + 1, opening)
            if end < 0:
                break
            at = end + 1
        elif comma >= 0 and (end < 0 or comma < end):
            arguments.append(text[start:comma])
            start = at = comma + 1
        elif end < 0:
            break
        else:
            arguments.append(text[start:end])
            return _application(function, arguments), end + 1
    message = f"unterminated call to function '{function.name}': missing '{closing}'"
    return _failure(message), -1


def _application(function: Function, texts: Sequence[str]) -> Part:
    act = function.act
    if len(texts) < function.least:

        def act(expander: Expander, arguments: Sequence[str]) -> str:
            return expander.apply(function, arguments)  # which fails

    if function.is_lazy:
        return lambda expander: act(expander, texts)
    parts = [_take_apart(each) if "$" in each else each for each in texts]
    if len(parts) == 1:
        only = parts[0]
        if isinstance(only, str):
            return lambda expander: act(expander, (only,))
        return lambda expander: act(expander, (only(expander),))

    def apply(expander: Expander) -> str:
        arguments = []
        for part in parts:
            arguments.append(part if isinstance(part, str) else part(expander))
        return act(expander, arguments)

    return apply


def _failure(message: str) -> Part:
    def fail(expander: Expander) -> str:
        raise expander.fail(message)

    return fail


def _variable(name: str) -> Part:
    def look(expander: Expander) -> str:
        text = expander.scope.texts.get(name)
        return expander.value(name) if text is None else text

    return look


def _reference(inner: str) -> Part:
    """`NAME` or `NAME:old=new`, without references of its own."""
    if ":" not in inner:
        return _variable(inner)
    return lambda expander: _refer(expander, inner)


def _refer(expander: Expander, inner: str) -> str:
    name, colon, rest = inner.partition(":")
    old, equals, new = rest.partition("=")
    if not colon or not equals:
        return expander.value(inner)
    suffix, behind = split_pattern(old)
    if behind is None:
        old, new = f"%{suffix}", f"%{new}"
    return substitute(old, new, expander.value(name))
