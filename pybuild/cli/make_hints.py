"""Below what make says of an error, for people at a terminal: the line, the words in it that are
wrong, and what was likely meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.rules import Database
from pybuild.report.diagnostics import excerpt, one_line
from pybuild.source import Source, Span, did_you_mean
from pybuild.typed import NamedTuple

_DIRECTIVES = (
    "define endef undefine ifdef ifndef ifeq ifneq else endif include -include sinclude export"
    " unexport override private vpath"
).split()
_CONDITION = re.compile(r"\s*(ifdef|ifndef|ifeq|ifneq|else|endif)\b")
_DEFINITION = re.compile(r"\s*(?:(?:override|export|unexport|private)\s+)*(define|endef)\b")
_NO_RULE = re.compile(r"No rule to make target '(.*?)'(?:, needed by '(.*)')?\Z")
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")


class Hint(NamedTuple):
    """`span`: what is to be looked at. `help`: what may be done, "" if nothing is known."""

    span: Span | None
    help: str


class _Wrong(NamedTuple):
    """An error at a line. `text` is the line as it stands, with those that continue it."""

    source: Source
    start: int
    text: str
    found: re.Match[str]

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """A part of the text; what is on the first line of it, without blanks at its end."""
        end = len(self.text) if end is None else end
        part = self.text[start:end].split("\n")[0].rstrip()
        return Span(self.source, self.start + start, self.start + start + len(part))


def hint_lines(error: MakeError, database: Database, files: Collection[str]) -> list[str]:
    """What is shown of an error, as lines; none if there is nothing to add. `files` are those of
    the folder."""
    hint = _missing_rule(error.message, database, files) or _at_line(error)
    if hint is None:
        return []
    lines = excerpt(hint.span) if hint.span is not None else []
    if lines and error.place is None:
        lines.insert(0, one_line(f"  needed at {hint.span}"))
    return [*lines, one_line(f"  help: {hint.help}")] if hint.help else lines


def _at_line(error: MakeError) -> Hint | None:
    if error.place is None:
        return None
    for pattern, make_hint in _HINTS:
        found = re.fullmatch(pattern, error.message)
        if found is not None:
            wrong = _wrong(error.place, found)
            return make_hint(wrong) if wrong is not None else None
    return None


def _wrong(place: Place, found: re.Match[str]) -> _Wrong | None:
    source = _read(place.file)
    if source is None:
        return None
    lines = source.text.split("\n")
    first = min(place.line, len(lines)) - 1
    last = first
    while lines[last].endswith("\\") and last + 1 < len(lines):
        last += 1
    text = "\n".join(lines[first : last + 1])
    if not text.strip() and "endif" not in found[0]:
        return None  # it is another file by now
    return _Wrong(source, sum(len(line) + 1 for line in lines[:first]), text, found)


def _read(name: str) -> Source | None:
    try:
        with open(name, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            return Source(name, file.read())
    except OSError:
        return None


# -- no rule for a file --------------------------------------------------------------------


def _missing_rule(message: str, database: Database, files: Collection[str]) -> Hint | None:
    found = _NO_RULE.match(message)
    if found is None:
        return None
    name, wanted_by = found.groups()
    known = [each for each, target in database.targets.items() if target.is_target]
    help = did_you_mean(name, [*known, *files])
    span = _where_written(name, wanted_by, database)
    return Hint(span, help) if help or span is not None else None


def _where_written(name: str, wanted_by: str | None, database: Database) -> Span | None:
    """Where a makefile has a name as a prerequisite of a target, if it is there to the letter."""
    target = database.targets.get(wanted_by or "")
    for entry in target.entries if target is not None else ():
        if entry.place is None:
            continue
        source = _read(entry.place.file)
        start = source.line_span(entry.place.line).start if source is not None else 0
        pattern = rf":.*?(?<!\S)({re.escape(name)})(?!\S)"
        at = re.compile(pattern).search(source.text, start) if source is not None else None
        if (
            source is not None
            and at is not None
            and source.place(at.start(1))[0] == entry.place.line
        ):
            return Span(source, at.start(1), at.end(1))
    return None


# -- what is wrong in a line ---------------------------------------------------------------


def _separator(wrong: _Wrong) -> Hint:
    text = wrong.text
    blanks = len(text) - len(text.lstrip(" "))
    word = text.split()[0] if text.split() else ""
    if word.startswith(_CONFLICT):
        return Hint(wrong.span(), "a conflict of a merge was left in the file")
    found = re.match(r"\s*(ifn?eq)(?=\()", text)
    if found is not None:
        return Hint(wrong.span(*found.span(1)), f"a blank belongs between `{found[1]}` and `(`")
    start = text.find(word)
    help = did_you_mean(word, _DIRECTIVES)
    if help and not blanks:
        return Hint(wrong.span(start, start + len(word)), help)
    if blanks:
        is_one = "a blank" if blanks == 1 else f"{blanks} blanks"
        end = Span(wrong.source, wrong.start, wrong.start + blanks)
        return Hint(end, f"a line of a recipe begins with a tab, this one with {is_one}")
    return Hint(wrong.span(), "a rule has a `:` after its targets, a variable a `=` after its name")


def _tab(wrong: _Wrong) -> Hint:
    span = Span(wrong.source, wrong.start, wrong.start + 1)
    return Hint(span, "the tab makes this a line of a recipe, and no rule is before it")


def _function(wrong: _Wrong) -> Hint:
    """Something is wrong with a call."""
    found = re.search(rf"\$[({{]{re.escape(wrong.found[1])}\b", wrong.text)
    if found is None:
        return Hint(wrong.span(), "")
    missing = wrong.found.re.groups > 1
    help = f"`{wrong.found[2]}` is missing for this one" if missing else ""
    return Hint(wrong.span(found.start()), help)


def _reference(wrong: _Wrong) -> Hint:
    opened: list[int] = []
    for found in re.finditer(r"\$\$|\$?[({]|[)}]", wrong.text):
        if found[0] in ")}":
            del opened[-1:]
        elif found[0] != "$$":
            opened.append(found.start())
    if not opened:
        return Hint(wrong.span(), "")
    closing = "}" if "{" in wrong.text[opened[0] : opened[0] + 2] else ")"
    return Hint(
        wrong.span(opened[0]), f"`{closing}` is missing for this one; `$$` is a plain dollar"
    )


def _recursive(wrong: _Wrong) -> Hint:
    name = re.escape(wrong.found[1])
    found = re.search(rf"\$[({{]{name}[)}}:]", wrong.text) or re.search(name, wrong.text)
    span = wrong.span(*found.span()) if found is not None else wrong.span()
    help = f"`{wrong.found[1]} :=` takes the value it has here, `+=` adds to it"
    return Hint(span, help)


def _define(wrong: _Wrong) -> Hint:
    return Hint(wrong.span(), "it goes on up to a line with `endef`, and there is none")


def _endif(wrong: _Wrong) -> Hint:
    """The file is at its end: finds the conditional that is open."""
    lines = wrong.source.text.split("\n")
    opened: list[int] = []
    depth = 0  # of definitions
    for number, line in enumerate(lines, 1):
        definition = _DEFINITION.match(line)
        condition = _CONDITION.match(line) if line[:1] != "\t" else None
        if definition is not None:
            depth += 1 if definition[1] == "define" else -1
        elif condition is not None and not depth:
            if condition[1] == "endif":
                del opened[-1:]
            elif condition[1] != "else":
                opened.append(number)
    if not opened:
        return Hint(None, "")
    return Hint(wrong.source.line_span(opened[-1]), "there is no `endif` for this one")


def _extraneous(wrong: _Wrong) -> Hint:
    return Hint(wrong.span(), "no conditional is open here")


def _condition(wrong: _Wrong) -> Hint:
    word = wrong.text.split()[0]
    start = wrong.text.find(word) + len(word)
    rest = wrong.text[start:].lstrip()
    span = wrong.span(len(wrong.text) - len(rest))
    if word in ("ifdef", "ifndef"):
        return Hint(span, f"`{word}` takes the name of one variable")
    if rest.startswith("(") and "," not in rest:
        return Hint(span, f"a comma belongs between the two sides: `{word} (A,B)`")
    if rest.startswith("(") and rest.count("(") > rest.count(")"):
        return Hint(span, "`)` is missing at the end")
    return Hint(span, f"it is written `{word} (A,B)` or `{word} 'A' 'B'`")


def _static(wrong: _Wrong) -> Hint:
    colon = wrong.text.find(":", wrong.text.find(":") + 1)
    help = "a second colon makes it a static pattern rule; within a name a colon is written `\\:`"
    return Hint(wrong.span(colon, colon + 1) if colon >= 0 else wrong.span(), help)


def _only_line(wrong: _Wrong) -> Hint:
    return Hint(wrong.span(), "")


_HINTS: tuple[tuple[str, Callable[[_Wrong], Hint]], ...] = (
    (r"missing separator.*", _separator),
    (r"recipe commences before first target", _tab),
    (r"unterminated call to function '(.*)': missing '(.)'", _function),
    (r"insufficient number of arguments .* to function '(.*)'", _function),
    (r"unterminated variable reference", _reference),
    (r"Recursive variable '(.*)' references itself \(eventually\)", _recursive),
    (r"missing 'endef', unterminated 'define'", _define),
    (r"missing 'endif'", _endif),
    (r"extraneous '(?:else|endif)'", _extraneous),
    (r"invalid syntax in conditional", _condition),
    (
        r"(?:multiple target patterns|missing target pattern|target pattern contains no '%')",
        _static,
    ),
    (r".*", _only_line),
)
