"""Where a name is defined and used; renaming it everywhere."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Iterator

from lsprotocol import types

from pybuild.lsp.buffers import uri_of
from pybuild.lsp.meanings import BUILTIN_MEANINGS
from pybuild.lsp.names import (
    ATTRIBUTE,
    FILE,
    JOB,
    Occurrence,
    Sheet,
    name_word,
    scope_of,
    targets_of,
)
from pybuild.lsp.projects import Here
from pybuild.names import normalise
from pybuild.pipefile import syntax
from pybuild.pipefile.template import FILE_PARTS, RESERVED
from pybuild.pipefile.upstream import target_reach

_PLAIN_NAME = re.compile(r"""[^\s:|#<>"'=&\\;*?\[\]%@]+""")


class CannotRename(Exception):
    """Why a name cannot be changed, or not to that."""


def definition(here: Here, offset: int) -> list[types.Location]:
    """Where what is named at a place is defined: the assignment, the rule, the word that captures
    or names a file, the rule that makes a file, or the file itself."""
    one = here.analysis.names.at(here.sheet, offset)
    if one is None:
        return []
    if one.kind == FILE:
        return _makers(here, one.name) or _on_disk(here, one.name)
    if one.kind == JOB:
        return _of_job(here, one)
    found = here.analysis.names.definitions(here.sheet, one)
    return [_location(here, sheet, each) for sheet, each in found]


def references(here: Here, offset: int, *, with_definition: bool) -> list[types.Location]:
    """All places of what is named at a place."""
    one = here.analysis.names.at(here.sheet, offset)
    if one is None or one.kind == JOB:
        return []
    return [
        _location(here, sheet, each)
        for sheet, each in here.analysis.names.same(here.sheet, one)
        if with_definition or not each.is_definition
    ]


def highlights(here: Here, offset: int) -> list[types.DocumentHighlight]:
    """The places in the same file; of a name that every job has, those in the same rule."""
    names, sheet = here.analysis.names, here.sheet
    one = names.at(sheet, offset)
    if one is None:
        return []
    found = [each for other, each in names.same(sheet, one) if other is sheet]
    if one.kind == JOB:
        around = sheet.statement_at(offset)
        found = [each for each in found if sheet.statement_at(each.start) is around]
    return [
        types.DocumentHighlight(
            sheet.lines.range(each.start, each.end),
            types.DocumentHighlightKind.Write
            if each.is_definition
            else types.DocumentHighlightKind.Read,
        )
        for each in found
    ]


def renamable(here: Here, offset: int) -> types.Range | None:
    """The place of a name that can be changed. Raises CannotRename."""
    one = _to_rename(here, offset)
    return here.sheet.lines.range(one.start, one.end)


def rename(here: Here, offset: int, new: str) -> types.WorkspaceEdit:
    """Gives what is named at a place another name, in all files. Raises CannotRename."""
    one = _to_rename(here, offset)
    names = here.analysis.names
    _refuse_name(here, one, new)
    changes: dict[str, list[types.TextEdit]] = {}
    for sheet, each in names.same(here.sheet, one):
        edit = types.TextEdit(sheet.lines.range(each.start, each.end), new)
        changes.setdefault(here.uri(sheet), []).append(edit)
    return types.WorkspaceEdit(changes=changes)


def _to_rename(here: Here, offset: int) -> Occurrence:
    one = here.analysis.names.at(here.sheet, offset)
    if one is None:
        raise CannotRename("there is no name here")
    if one.kind == JOB:
        raise CannotRename(f"`{one.name}` is a name that every job has")
    if one.kind == ATTRIBUTE:
        raise CannotRename(f"`@{one.name}` is an attribute of pybuild's")
    if one.kind == FILE:
        if not _PLAIN_NAME.fullmatch(one.name):
            raise CannotRename(f"`{one.name}` is no plain name of a file")
    elif not here.analysis.names.definitions(here.sheet, one):
        raise CannotRename(f"`{one.name}` is defined where it cannot be changed")
    return one


def _refuse_name(here: Here, one: Occurrence, new: str) -> None:
    """Raises CannotRename if something cannot be called that."""
    names = here.analysis.names
    if one.kind == FILE:
        if not _PLAIN_NAME.fullmatch(new):
            raise CannotRename(f"`{new}` is no plain name of a file")
        return
    if not new.isidentifier():
        raise CannotRename(f"`{new}` is no name: letters, digits and `_`, no digit first")
    if keyword.iskeyword(new):
        raise CannotRename(f"`{new}` is a word of Python's")
    if new in RESERVED:
        raise CannotRename(f"`{new}` is a name that every job has")
    if new in BUILTIN_MEANINGS:
        raise CannotRename(f"`{new}` is a builtin")
    if new != one.name and names.kind_of(new):
        raise CannotRename(f"`{new}` is a {names.kind_of(new)} already")
    for sheet, each in names.same(here.sheet, one):
        rule = sheet.statement_at(each.start)
        if isinstance(rule, syntax.Rule) and scope_of(rule, names).kind_of(new):
            raise CannotRename(f"a rule that names `{one.name}` has a `{new}` of its own")


def _location(here: Here, sheet: Sheet, each: Occurrence) -> types.Location:
    return types.Location(here.uri(sheet), sheet.lines.range(each.start, each.end))


def rules_making(here: Here, name: str) -> Iterator[tuple[Sheet, syntax.Rule]]:
    """The rules that may make a file, as they are written: the one that names it, else those whose
    targets match it."""
    name = normalise(name)
    all_rules = [
        (sheet, rule) for sheet in here.analysis.sheets.values() for _, rule in sheet.rules
    ]
    exact = [
        (sheet, rule)
        for sheet, rule in all_rules
        if any(_says(word, name) for word in targets_of(rule)) and not _is_phony_list(rule)
    ]
    if exact:
        yield from exact
        return
    loaded = here.analysis.loaded
    places = {
        (each.span.source.name, each.span.start)
        for each in (loaded.pipeline.rules if loaded else ())
        if any(reach.match(name) is not None for reach in target_reach(each))
    }
    for sheet, rule in all_rules:
        if (sheet.name, rule.span.start) in places:
            yield sheet, rule


def _says(word: syntax.Word, name: str) -> bool:
    only = word.pieces[0] if len(word.pieces) == 1 else None
    return isinstance(only, syntax.Text) and normalise(only.text) == name


def _is_phony_list(rule: syntax.Rule) -> bool:
    return any(_says(word, ".PHONY") for word in rule.segments[0])


def _makers(here: Here, name: str) -> list[types.Location]:
    found = []
    for sheet, rule in rules_making(here, name):
        words = targets_of(rule)
        word = next((each for each in words if _says(each, normalise(name))), None)
        span = word.span if word else rule.span
        found.append(types.Location(here.uri(sheet), sheet.lines.range(span.start, span.end)))
    return found


def _on_disk(here: Here, name: str) -> list[types.Location]:
    path = here.project.place.path(name)
    if not os.path.isfile(path):
        return []
    start = types.Position(0, 0)
    return [types.Location(uri_of(path), types.Range(start, start))]


def _of_job(here: Here, one: Occurrence) -> list[types.Location]:
    """The words of the header that `<input>`, `<output>` and their like stand for."""
    rule = here.sheet.statement_at(one.start)
    if not isinstance(rule, syntax.Rule):
        return []
    words: tuple[syntax.Word, ...] = ()
    if one.name in ("output", "outputs"):
        words = targets_of(rule)
    elif one.name in ("inputs", "changed"):
        words = rule.segments[-1]
    elif one.name in ("input", "stem", *FILE_PARTS):
        words = rule.segments[-1][:1]
    elif one.name == "order_only":
        words = rule.order_only
    elif one.name == "rule":
        name = name_word(rule)
        words = (name,) if name else targets_of(rule)[:1]
    lines = here.sheet.lines
    uri = here.uri(here.sheet)
    return [types.Location(uri, lines.range(each.span.start, each.span.end)) for each in words]
