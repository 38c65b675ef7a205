"""Words with placeholders, and how a job's names are filled in.

A *template* is a word of a header after variables were put in: text, wildcards, captures and holes
(what only a job can tell: file parts, captures that the driver binds, calls of functions).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from pybuild.names import Anything, Capture, Pattern, Wild, split_extension
from pybuild.pipefile.syntax import Attribute, Call, Item, Reference
from pybuild.pipefile.usercode import UserCode
from pybuild.source import BuildError, Diagnostic, Span, nearest_fixes
from pybuild.typed import Any

FILE_PARTS = ("path", "basename", "ext", "filename", "subdir", "subpath")
JOB_NAMES = ("input", "inputs", "output", "outputs", "order_only", "changed", "stem", "rule")
RESERVED = frozenset((*JOB_NAMES, *FILE_PARTS))

Lookup = Callable[[str], Any]


class FileName(str):
    """A text that is, or is part of, a file's name: quoted when it is put into a shell script."""

    __slots__ = ()


class Hole:
    """A part of a template that each job fills in."""

    __slots__ = ("reference", "span")

    def __init__(self, reference: Reference, span: Span) -> None:
        self.reference = reference
        self.span = span

    def __str__(self) -> str:
        return f"<{self.reference}>"


class FilledText(str):
    """A text whose placeholders were filled in. `pieces` are its texts and values, so that in a
    shell script each is quoted as it would be there by itself."""

    __slots__ = ("pieces",)

    pieces: tuple[Any, ...]


class TextTemplate:
    """A text with placeholders that is a value: `@params(name="<basename>_x")`."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: Sequence[str | Hole]) -> None:
        self.pieces = tuple(pieces)

    def fill(self, lookup: Lookup) -> FilledText:
        """The text of one job. Raises BuildError."""
        values: list[Any] = []
        told: list[str] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                values.append(piece)
                told.append(piece)
                continue
            value = evaluate(piece.reference, lookup, piece.span)
            values.append(value)
            some = value if isinstance(value, list) else [] if value is None else [value]
            told.append(" ".join(as_text(each, piece.span) for each in some))
        text = FilledText("".join(told))
        text.pieces = tuple(values)
        return text


def fill_value(value: Any, lookup: Lookup) -> Any:
    """A value of `@params` for one job: texts in lists become plain ones. Raises BuildError."""
    if isinstance(value, TextTemplate):
        return value.fill(lookup)
    if type(value) in (list, tuple):
        filled = [fill_value(each, lookup) for each in value]
        return type(value)(str(each) if type(each) is FilledText else each for each in filled)
    return value


def holes_in(value: Any) -> list[Hole]:
    """The placeholders that jobs fill in in a value of `@params`."""
    if isinstance(value, TextTemplate):
        return [piece for piece in value.pieces if isinstance(piece, Hole)]
    if type(value) in (list, tuple):
        return [hole for each in value for hole in holes_in(each)]
    return []


TemplatePiece = str | Wild | Capture | Hole


class Template:
    """One word of a header. `alias` is its name in `ref=genome.fa`, or "".

    `rule` is set if the word stands for all outputs of that rule, `call` if it is one call of a
    function; then there are no pieces.
    """

    __slots__ = (
        "_reach",
        "alias",
        "call",
        "has_holes",
        "has_wildcards",
        "literal",
        "pieces",
        "rule",
        "span",
    )

    def __init__(
        self,
        span: Span,
        pieces: Sequence[TemplatePiece] = (),
        alias: str = "",
        rule: str = "",
        call: Hole | None = None,
    ) -> None:
        self.span = span
        self.pieces = tuple(pieces)
        self.alias = alias
        self.rule = rule
        self.call = call
        self._reach: Pattern | None = None
        # Whether there are wildcards, and whether a job has to fill something in (captures
        # included); the name, if the word is one name without any of these.
        self.has_wildcards = False
        self.has_holes = call is not None
        for piece in self.pieces:
            if isinstance(piece, Wild):
                self.has_wildcards = True
            elif not isinstance(piece, str):
                self.has_holes = True
        is_name = not (rule or self.has_wildcards or self.has_holes)
        self.literal: str | None = "".join(map(str, self.pieces)) if is_name else None

    def __str__(self) -> str:
        if self.rule:
            return f"<{self.rule}>"
        return str(self.call) if self.call else "".join(map(str, self.pieces))

    @property
    def names(self) -> frozenset[str]:
        """The names of its captures and holes."""
        return frozenset(
            piece.name if isinstance(piece, Capture) else piece.reference.name
            for piece in self.pieces
            if isinstance(piece, Capture | Hole)
        )

    def reach(self) -> Pattern:
        """A pattern that matches at least every name that the template can become."""
        if self._reach is None:
            self._reach = self._pattern()
        return self._reach

    def _pattern(self) -> Pattern:
        pieces: list[str | Wild | Capture] = []
        for piece in self.pieces:
            if isinstance(piece, Hole):
                pieces.append(Anything())
            elif isinstance(piece, str) and pieces and isinstance(pieces[-1], Anything):
                # `<path>/x` may be `x`: the folder of a name without one is `.`.
                pieces.append(piece.removeprefix("/"))
            else:
                pieces.append(piece)
        return Pattern([piece for piece in pieces if piece != ""])

    def fill(self, lookup: Lookup) -> list[str | Wild]:
        """Text and wildcards, with captures and holes filled in. Raises BuildError."""
        out: list[str | Wild] = []
        for piece in self.pieces:
            if isinstance(piece, str | Wild):
                out.append(piece)
            elif isinstance(piece, Capture):
                out.append(str(lookup(piece.name)))
            else:
                out.append(as_text(evaluate(piece.reference, lookup, piece.span), piece.span))
        return out

    def text(self, lookup: Lookup) -> str:
        """The name that a template without wildcards becomes. Raises BuildError."""
        return "".join(map(str, self.fill(lookup)))


def file_part(name: str, part: str) -> Any:
    """`path`, `basename`, `ext`, `filename`, `subdir` or `subpath` of a file, as in Ruffus's
    formatter; texts are file names, `subdir` and `subpath` lists of them."""
    folder, slash, filename = name.rstrip("/").rpartition("/")
    if part == "filename":
        return FileName(filename)
    if part == "path":
        return FileName(folder or ("/" if slash else "."))
    if part in ("basename", "ext"):
        base, ext = split_extension(filename)
        return FileName(base if part == "basename" else ext)
    folders = [each for each in folder.split("/") if each]
    root = "/" if name.startswith("/") else ""
    if part == "subdir":
        return [FileName(each) for each in (*reversed(folders), *([root] if root else []))]
    paths = [root + "/".join(folders[:end]) for end in range(len(folders), 0, -1)]
    return [FileName(each) for each in (*paths, *([root] if root else []))]


def evaluate(reference: Reference, lookup: Lookup, span: Span) -> Any:
    """The value of a placeholder. Raises BuildError at its place if it has none."""
    try:
        value = lookup(reference.name)
    except BuildError as error:
        raise error.at(span) from None
    except KeyError:
        raise _wrong(f"`<{reference.name}>`: this job has none", span) from None
    for trailer in reference.trailers:
        if isinstance(trailer, Attribute):
            value = _attribute(value, trailer.name, reference, span)
        elif isinstance(trailer, Item):
            value = _item(value, trailer.number, reference, span)
        else:
            value = _call(value, trailer, lookup, reference, span)
    return value


def check_parts(reference: Reference, span: Span) -> None:
    """Raises BuildError if a file is asked for a part that no file has; for names whose values
    are files, or texts out of their names."""
    for trailer in reference.trailers:
        if isinstance(trailer, Call):
            return
        if isinstance(trailer, Attribute) and trailer.name not in FILE_PARTS:
            raise _no_part(reference, trailer.name, span)


def _attribute(value: Any, name: str, reference: Reference, span: Span) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], FileName) and name in FILE_PARTS:
        value = value[0]
    if isinstance(value, FileName):
        if name not in FILE_PARTS:
            raise _no_part(reference, name, span)
        return file_part(value, name)
    with _failing(reference, span):
        try:
            return getattr(value, name)
        except AttributeError as error:
            raise _wrong(f"`{reference}`: {error}", span) from None


def _failing(reference: Reference, span: Span) -> UserCode:
    return UserCode(span, "PB212", f"`{reference}` failed: ")


def _no_part(reference: Reference, name: str, span: Span) -> BuildError:
    message, help = f"`{reference}`: a file has no `{name}`", f"it has {_listed()}"
    fixes = nearest_fixes(name, list(FILE_PARTS), span)
    return BuildError(Diagnostic("PB211", message, span, help=help, fixes=fixes))


def _listed() -> str:
    return ", ".join(f"`{part}`" for part in FILE_PARTS)


def _item(value: Any, index: int, reference: Reference, span: Span) -> Any:
    with _failing(reference, span):
        try:
            return value[index]
        except (IndexError, KeyError):
            size = len(value)
            count = f"{size} of them" if size != 1 else "one"
            raise _wrong(
                f"`{reference}`: there is no number {index}",
                span,
                f"there is {count}, from 0" if size == 1 else f"there are {count}, counted from 0",
            ) from None
        except TypeError as error:
            raise _wrong(f"`{reference}`: {error}", span) from None


def _call(value: Any, call: Call, lookup: Lookup, reference: Reference, span: Span) -> Any:
    arguments = [
        as_python(evaluate(each, lookup, span)) if isinstance(each, Reference) else each
        for each in call.arguments
    ]
    if not callable(value):
        raise _wrong(f"`{reference.name}` is no function", span)
    with _failing(reference, span):
        return value(*arguments)


def _wrong(message: str, span: Span, help: str = "") -> BuildError:
    return BuildError(Diagnostic("PB211", message, span, help=help))


def as_python(value: Any) -> Any:
    """A value as Python code is to see it: whole file names as `Path`s, the rest as it is."""
    from pathlib import Path

    if isinstance(value, WholeFile):
        return Path(value)
    if isinstance(value, FileName | FilledText):
        return str(value)
    if isinstance(value, list) and value and isinstance(value[0], FileName):
        return [as_python(each) for each in value]
    return value


class WholeFile(FileName):
    """A file's whole name, not a part of it."""

    __slots__ = ()


def unfit(text: str) -> str:
    """What keeps a text from being part of a file name or a command; "" if nothing does."""
    if "\0" in text:
        return "a null character"
    if not text.isascii():
        try:
            os.fsencode(text)
        except UnicodeEncodeError:
            return "half a character"
    return ""


def as_text(value: Any, span: Span) -> str:
    """A value inside a word: text or number. Raises BuildError for a list."""
    if isinstance(value, FileName):
        return value
    if isinstance(value, list | tuple | set | dict):
        raise _wrong(
            f"a {type(value).__name__} cannot stand inside a word",
            span,
            "take one of its items: `<name[0]>`",
        )
    if type(value) is str:
        text = value
    else:
        with UserCode(span, "PB212", "this cannot be a text: "):
            text = str(value)
    _refuse_unfit(text, span)
    return text


def _refuse_unfit(text: str, span: Span) -> None:
    fault = unfit(text)
    if fault:
        raise _wrong(f"{fault} cannot stand in a name or a command", span)


def as_names(value: Any, span: Span) -> list[str]:
    """What a variable or function gives, as file names: a text, a path or a list of them."""
    with UserCode(span, "PB212", "this gives no file names: "):
        return _names(value, span)


def _names(value: Any, span: Span) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list | tuple | set | frozenset):
        found: list[str] = []
        for each in sorted(value, key=str) if isinstance(value, set | frozenset) else value:
            found += _names(each, span)
        return found
    if isinstance(value, str | int | float) or hasattr(value, "__fspath__"):
        name = str(value)
        if not name:
            raise _wrong("an empty text is no file name", span, "`None` or `[]` stands for no file")
        _refuse_unfit(name, span)
        return [name]
    if hasattr(value, "__iter__") and not isinstance(value, Mapping | bytes):
        return _names(list(value), span)
    raise _wrong(
        f"a {type(value).__name__} is no file name", span, "give a text or a list of texts"
    )
