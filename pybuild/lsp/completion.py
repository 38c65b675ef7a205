"""What may stand at a place."""

from __future__ import annotations

import builtins
import os
import re
from collections.abc import Iterable, Iterator

from lsprotocol import types

from pybuild.lsp import context
from pybuild.lsp.context import Context, context_at
from pybuild.lsp.hover import value_of
from pybuild.lsp.meanings import BUILTIN_MEANINGS, JOB_MEANINGS, KIND_MEANINGS
from pybuild.lsp.names import Names, Scope, scope_of
from pybuild.lsp.projects import Here
from pybuild.pipefile.attributes import ATTRIBUTES
from pybuild.pipefile.template import FILE_PARTS, JOB_NAMES
from pybuild.pipefile.tuples import KINDS

TRIGGERS = ("<", "@", ".", "/", '"', "'", ":")
_MOST_FILES = 500
_MOST_VALUES = 8
_NOT_PLAIN = re.compile(r"[\s:|#=&]")  # a word with one of them stands in quotes
_TAKEN_FOR_SIGNS = re.compile(r'[\\"<*?\[%]')  # in quotes, too: a backslash takes the meaning away
Kind = types.CompletionItemKind


def complete(here: Here, offset: int) -> types.CompletionList:
    """What may stand at a place, for the word before it."""
    at = context_at(here.sheet, offset)
    items = list(_items(here, at, offset))
    return types.CompletionList(is_incomplete=len(items) >= _MOST_FILES, items=items)


def takes_python(here: Here, offset: int) -> bool:
    """Whether a place is one for Python: in a block or an expression, and not in a text there."""
    return context_at(here.sheet, offset).kind in (context.PYTHON, context.EXPRESSION)


def _items(here: Here, at: Context, offset: int) -> Iterator[types.CompletionItem]:
    names = here.analysis.names
    if at.kind == context.PLACEHOLDER:
        yield from _placeholders(here, at, offset)
    elif at.kind == context.PART:
        yield from (_item(each, Kind.Property, JOB_MEANINGS[each]) for each in FILE_PARTS)
    elif at.kind == context.ATTRIBUTE_NAME:
        yield from _attributes(here)
    elif at.kind == context.START:
        yield from _statements(here)
        yield from _words(here, at.prefix, offset)
    elif at.kind in (context.ARGUMENT, context.EXPRESSION):
        yield from _expression(here, at, names)
    elif at.kind == context.PREREQUISITE:
        for name in names.rules:
            yield _item(name, Kind.Function, "rule")
        yield from _words(here, at.prefix, offset)
    elif at.kind in (context.TARGET, context.INCLUDE):
        yield from _words(here, at.prefix, offset)
    elif at.kind in (context.SHELL, context.EXPRESSION_TEXT, context.ARGUMENT_TEXT):
        yield from _files(here, at.prefix, offset)


def _item(
    label: str, kind: Kind, detail: str = "", documentation: str = "", rank: int = 5
) -> types.CompletionItem:
    return types.CompletionItem(
        label=label,
        kind=kind,
        detail=detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, documentation)
        if documentation
        else None,
        sort_text=f"{rank}{label}",
    )


def _placeholders(here: Here, at: Context, offset: int) -> Iterator[types.CompletionItem]:
    """The names that a placeholder may have here, with the `>` that closes it."""
    names = here.analysis.names
    scope = scope_of(at.rule, names) if at.rule else None
    closing = "" if at.of or here.sheet.text.startswith(">", offset) else ">"
    for item in _placeholder_names(here, at, scope, names):
        if closing:
            item.insert_text = item.label + closing
        yield item


def _placeholder_names(
    here: Here, at: Context, scope: Scope | None, names: Names
) -> Iterator[types.CompletionItem]:
    if scope is not None and at.rule is not None:
        facts = here.facts(at.rule)
        for name in sorted(scope.captures):
            taken = dict.fromkeys(job.captures.get(name, "") for job in facts.jobs) if facts else {}
            shown = [f"`{each}`" for each in taken if each][:_MOST_VALUES]
            told = f"takes {', '.join(shown)}" if shown else ""
            yield _item(name, Kind.TypeParameter, "capture", told, 1)
        for name in sorted(scope.named_files):
            yield _item(name, Kind.File, "named file", rank=1)
        for name in sorted(scope.params):
            yield _item(name, Kind.Variable, "`@params`", rank=1)
    if at.rule is not None or at.of:
        for name in (*JOB_NAMES, *FILE_PARTS):
            if name != "stem" or _has_percent(at):
                yield _item(name, Kind.Keyword, JOB_MEANINGS[name], rank=2)
    yield from _variables(here, names, 3)
    for name in names.rules:
        if name.isidentifier():
            yield _item(name, Kind.Function, "all outputs of the rule", rank=4)


def _has_percent(at: Context) -> bool:
    return (
        at.rule is not None
        and "%" in at.rule.span.source.text[at.rule.span.start : at.rule.span.end]
    )


def _variables(here: Here, names: Names, rank: int) -> Iterator[types.CompletionItem]:
    for name in names.variables:
        yield _item(name, Kind.Variable, value_of(here, name) or "variable", rank=rank)
    for name in names.python:
        if name not in names.variables:
            yield _item(name, Kind.Method, "of a `python:` block", rank=rank)


def _attributes(here: Here) -> Iterator[types.CompletionItem]:
    snippets = _takes_snippets(here)
    for name, spec in ATTRIBUTES.items():
        item = _item(name, Kind.Event, spec.usage, spec.meaning)
        if "(" in spec.usage and snippets:
            item.insert_text = f"{name}($1)"
            item.insert_text_format = types.InsertTextFormat.Snippet
        yield item


def _takes_snippets(here: Here) -> bool:
    return here.project.reader.takes_snippets


def _statements(here: Here) -> Iterator[types.CompletionItem]:
    for kind, meaning in KIND_MEANINGS.items():
        yield _item(kind, Kind.Keyword, "kind of rule", meaning)
    for kind in KINDS:
        if kind not in KIND_MEANINGS:
            yield _item(f"{kind}(2)", Kind.Keyword, "kind of rule")
    yield _item("include", Kind.Keyword, "reads another file in place")
    yield _item("-include", Kind.Keyword, "the same; it need not be there")
    yield _item("python:", Kind.Keyword, "a block of Python, run when the file is read")
    yield _item(".PHONY:", Kind.Keyword, "targets that are tasks and no files")
    for name in here.analysis.names.variables:
        yield _item(name, Kind.Variable, value_of(here, name) or "variable")
    for name in here.analysis.names.rules:
        yield _item(name, Kind.Function, "rule")


def _expression(here: Here, at: Context, names: Names) -> Iterator[types.CompletionItem]:
    yield from _variables(here, names, 3)
    if at.of == "follows":
        for name in names.rules:
            yield _item(name, Kind.Function, "rule", rank=1)
    for name, meaning in BUILTIN_MEANINGS.items():
        yield _item(name, Kind.Function, "builtin", meaning, 4)
    if len(at.prefix) >= 2:
        for name in dir(builtins):
            if name.startswith(at.prefix):
                yield _item(name, Kind.Function, "Python", rank=6)


def _files(here: Here, prefix: str, offset: int) -> Iterator[types.CompletionItem]:
    """Files and folders that go on from a prefix: on disk, and those that rules make. The whole
    word is replaced, as editors disagree on whether a slash ends one."""
    folder, _, _ = prefix.rpartition("/")
    base = f"{folder}/" if folder or prefix.startswith("/") else ""
    where = here.sheet.lines.range(offset - len(prefix), offset)
    found: dict[str, types.CompletionItem] = {}
    for name, is_folder in _on_disk(here, folder or ("/" if base else "")):
        label = base + name + ("/" if is_folder else "")
        found[label] = _item(label, Kind.Folder if is_folder else Kind.File, rank=6)
    plan = here.project.plan
    for name in plan.made if plan else ():
        if name.startswith(base):
            inner, slash, _ = name[len(base) :].partition("/")
            label = base + inner + slash
            kind = Kind.Folder if slash else Kind.File
            if label not in found:
                found[label] = _item(label, kind, "" if slash else "a rule makes it", rank=6)
            if len(found) > _MOST_FILES:
                break
    for label, item in found.items():
        if label.startswith(prefix):
            item.text_edit = types.TextEdit(where, label)
            item.filter_text = label
            yield item


def _words(here: Here, prefix: str, offset: int) -> Iterator[types.CompletionItem]:
    """Files as words of a header: in quotes if they need them. The quotes of a folder stay open."""
    is_quoted = here.sheet.text.endswith('"', 0, offset - len(prefix))
    for item in _files(here, prefix, offset):
        assert isinstance(item.text_edit, types.TextEdit)
        word = _TAKEN_FOR_SIGNS.sub(r"\\\g<0>", item.label)
        if not is_quoted and (word != item.label or _NOT_PLAIN.search(word)):
            word = f'"{word}' if word.endswith("/") else f'"{word}"'
        item.text_edit.new_text = word
        yield item


def _on_disk(here: Here, folder: str) -> Iterable[tuple[str, bool]]:
    try:
        with os.scandir(here.project.place.path(folder)) as entries:
            for count, entry in enumerate(entries):
                if count >= _MOST_FILES:
                    return
                if not entry.name.startswith(".") and entry.name.isprintable():
                    yield entry.name, entry.is_dir()
    except OSError:
        return
