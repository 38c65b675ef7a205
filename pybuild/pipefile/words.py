"""Words of headers become templates: each placeholder gets its meaning."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from pybuild.names import Capture, Pattern, glob_pieces, normalise
from pybuild.pipefile import syntax
from pybuild.pipefile.recipe import any_call, names_in
from pybuild.pipefile.template import (
    RESERVED,
    Hole,
    Template,
    TemplatePiece,
    as_names,
    as_text,
    evaluate,
)
from pybuild.source import (
    BuildError,
    Diagnostic,
    Edit,
    Fix,
    Span,
    did_you_mean,
    joined,
    nearest_fixes,
)
from pybuild.typed import Any


class Words:
    """Turns words into templates, by the names of a Pipefile: what its Python defines, its
    variables, its rules (they may still grow while it is read). `lost` are names that a part of
    the file would have defined in which there is a mistake: nobody is told that they are unknown.
    `local` are the names that one rule adds, `captures` those that its prerequisites capture;
    `where` is `target`, `prerequisite` or `include`."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        variables: Mapping[str, Any],
        rule_names: Mapping[str, Span],
    ) -> None:
        self.namespace = namespace
        self.variables = variables
        self.rule_names = rule_names
        self.lost: set[str] = set()
        self.is_open = False  # what could not be read may have given any name a meaning

    def is_known(self, name: str, local: Mapping[str, Any]) -> bool:
        return (
            name in RESERVED or name in local or name in self.rule_names or name in self.namespace
        )

    def is_lost(self, name: str) -> bool:
        """Whether a name may have a value that is not known."""
        return self.is_open or name in self.lost

    def templates(
        self,
        words: Sequence[syntax.Word],
        local: Mapping[str, Any],
        captures: frozenset[str],
        where: str,
    ) -> list[Template]:
        """The templates that words stand for: a list in a word makes several. Raises BuildError
        with all that is wrong with them."""
        out: list[Template] = []
        failed: list[BuildError] = []
        for word in words:
            try:
                out += self._word(word, local, captures, where)
            except BuildError as error:
                failed.append(error)
        if failed:
            raise joined(failed)
        return out

    def _word(
        self, word: syntax.Word, local: Mapping[str, Any], captures: frozenset[str], where: str
    ) -> list[Template]:
        if len(word.pieces) == 1:
            only = word.pieces[0]
            if isinstance(only, syntax.Placeholder):
                whole = self._whole(only, word, local, captures, where)
                if whole is not None:
                    return whole
            elif only.text in self.rule_names and where == "prerequisite":
                return [Template(word.span, alias=word.alias, rule=only.text)]
            else:
                return [Template(word.span, _tidy(glob_pieces(only.text)), word.alias)]
        choices: list[list[list[TemplatePiece]]] = []
        failed: list[BuildError] = []
        for piece in word.pieces:
            if isinstance(piece, syntax.Text):
                choices.append([list(glob_pieces(piece.text))])
                continue
            try:
                choices.append(self._placeholder(piece, local, captures, where))
            except BuildError as error:
                failed.append(error)
        if failed:
            raise joined(failed)
        return [
            Template(word.span, _tidy([each for part in parts for each in part]), word.alias)
            for parts in itertools.product(*choices)
        ]

    def _whole(
        self,
        piece: syntax.Placeholder,
        word: syntax.Word,
        local: Mapping[str, Any],
        captures: frozenset[str],
        where: str,
    ) -> list[Template] | None:
        """A word that is one placeholder: a rule, a list of files, a call; else None."""
        reference = piece.reference
        name = reference.name
        if piece.regex is not None or name in local or name in captures or name in RESERVED:
            return None
        if name in self.rule_names and name not in self.namespace:
            if where != "prerequisite":
                raise BuildError(
                    Diagnostic("PB215", f"the rule `{name}` can't stand here", piece.span)
                )
            if reference.trailers:
                raise BuildError(
                    Diagnostic(
                        "PB215",
                        f"`<{reference}>`: a rule has no parts here",
                        piece.span,
                        help=f"`<{name}>` is all its outputs; for one job each, make it the first "
                        "prerequisite and use `<path>`, `<basename>`... in the target",
                    )
                )
            return [Template(word.span, alias=word.alias, rule=name)]
        if name not in self.namespace:
            return None
        if any_call(reference):
            open_names = self._open_names(reference, piece.span, local, captures)
            if where == "prerequisite":
                return [Template(word.span, alias=word.alias, call=Hole(reference, piece.span))]
            if open_names:
                return None
        value = evaluate(reference, self._global, piece.span)
        if callable(value):
            raise BuildError(
                Diagnostic(
                    "PB215", f"`{name}` is a function", piece.span, help=f"call it: `<{name}()>`"
                )
            )
        if isinstance(value, str) and any(char in value for char in "*?["):
            return [Template(word.span, _tidy(glob_pieces(value)), word.alias)]
        return [
            Template(word.span, (normalise(each),), word.alias)
            for each in as_names(value, piece.span)
        ]

    def _global(self, name: str) -> Any:
        return self.namespace[name]

    def _placeholder(
        self,
        piece: syntax.Placeholder,
        local: Mapping[str, Any],
        captures: frozenset[str],
        where: str,
    ) -> list[list[TemplatePiece]]:
        """What a placeholder inside a word is, in each of its alternatives."""
        reference = piece.reference
        name = reference.name
        hole: list[list[TemplatePiece]] = [[Hole(reference, piece.span)]]
        if piece.regex is not None:
            return [[self._capture(piece, where)]]
        if name in captures:
            if where == "prerequisite" and not reference.trailers:
                return [[self._capture(piece, where)]]
            return hole
        if name in RESERVED or name in local:
            self._check_reserved(piece, where)
            return hole
        if name in self.namespace:
            if any_call(reference):
                open_names = self._open_names(reference, piece.span, local, captures)
                if open_names or where == "prerequisite":
                    return hole
            value = evaluate(reference, self._global, piece.span)
            if isinstance(value, list | tuple | set | frozenset):
                return [[each] for each in as_names(value, piece.span)]
            text = as_text(value, piece.span)
            return [list(glob_pieces(text))] if where != "target" else [[text]]
        if name in self.rule_names:
            raise BuildError(
                Diagnostic(
                    "PB215",
                    f"the rule `{name}` can't stand inside a word",
                    piece.span,
                    help=f"`<{name}>` alone is all outputs of the rule",
                )
            )
        raise BuildError(*self.unknown(name, piece.span, local, captures, where))

    def _capture(self, piece: syntax.Placeholder, where: str) -> Capture:
        name = piece.reference.name
        if where != "prerequisite":
            raise BuildError(
                Diagnostic(
                    "PB104",
                    "a capture with a regular expression belongs into a prerequisite",
                    piece.span,
                    help=f"write `<{name}>` here",
                )
            )
        if name in RESERVED or name in self.namespace or name in self.rule_names:
            raise BuildError(
                Diagnostic(
                    "PB203",
                    f"`{name}` has a meaning already and can't be captured",
                    piece.span,
                    help="give the capture another name",
                )
            )
        if not name.isidentifier():
            raise BuildError(
                Diagnostic("PB104", f"`{name}` is no name that can be captured", piece.span)
            )
        capture = Capture(name, piece.regex)
        try:
            Pattern([capture]).regex  # noqa: B018  compiles it
        except (re.error, OverflowError, RecursionError) as error:
            raise BuildError(
                Diagnostic("PB104", f"not a regular expression: {error}", piece.span)
            ) from None
        return capture

    def _check_reserved(self, piece: syntax.Placeholder, where: str) -> None:
        name = piece.reference.name
        if where == "target" and name in ("output", "outputs", "changed", "order_only"):
            raise BuildError(
                Diagnostic("PB215", f"`<{name}>` is not known yet in a target", piece.span)
            )

    def _open_names(
        self,
        reference: syntax.Reference,
        span: Span,
        local: Mapping[str, Any],
        captures: frozenset[str],
    ) -> list[str]:
        """The arguments of a call that only a job can fill in. Raises BuildError if one is
        unknown."""
        names = [name for name in names_in(reference)[1:] if name not in self.namespace]
        for name in names:
            if not (name in captures or self.is_known(name, local)):
                raise BuildError(*self.unknown(name, span, local, captures, "call"))
        return names

    def unknown(
        self,
        name: str,
        span: Span,
        local: Mapping[str, Any],
        captures: frozenset[str],
        where: str,
    ) -> list[Diagnostic]:
        """The complaint of a name that means nothing; none if it is lost."""
        if self.is_lost(name):
            return []
        known = [*captures, *RESERVED, *local, *self.variables, *self.rule_names]
        known += [each for each in self.namespace if not each.startswith("__")]
        help = did_you_mean(name, known)
        if where == "target" and not help:
            help = "a target takes captures of its prerequisites, file parts and variables"
        if where == "recipe" and not help:
            help = (
                f"a redirection has a blank behind its `<`; for the text itself write `\\<{name}>`"
            )
        fixes = nearest_fixes(name, known, span)
        if where == "recipe":
            fixes = (*fixes, *_other_meanings(span))
        message = f"`<{name}>` is not known here"
        return [Diagnostic("PB201", message, span, help=help, fixes=fixes)]


def _other_meanings(span: Span) -> list[Fix]:
    """What else `<...>` in a script can have been meant as: two redirections, if it looks like the
    name of a file, or the text itself."""
    inner = span.source.text[span.start + 1 : span.end - 1]
    found = []
    if "." in inner and "(" not in inner:
        after = Span(span.source, span.start + 1, span.start + 1)
        before = Span(span.source, span.end - 1, span.end - 1)
        found.append(Fix("write it as redirections", (Edit(after, " "), Edit(before, " "))))
    found.append(Fix("keep it as text", (Edit(span.but(end=span.start), "\\"),)))
    return found


def _tidy(pieces: Sequence[TemplatePiece]) -> list[TemplatePiece]:
    """Texts joined and normalised."""
    out: list[TemplatePiece] = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        elif piece != "":
            out.append(piece)
    if not out:
        return [""]
    if len(out) == 1 and isinstance(out[0], str):
        return [normalise(out[0])]
    if isinstance(out[0], str) and out[0].startswith("./"):
        out[0] = out[0].lstrip("./") if not out[0].startswith("../") else out[0]
        if not out[0]:
            out.pop(0)
    return out
