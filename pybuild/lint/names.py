"""Names that nothing uses, values that nothing sees, and names that hide another."""

from __future__ import annotations

import _ast
import builtins
from ast import walk
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from pybuild.lint.known import Known
from pybuild.lint.scans import identifiers
from pybuild.pipefile import syntax
from pybuild.pipefile.recipe import PYTHON, PythonTemplate
from pybuild.pipefile.template import RESERVED
from pybuild.pipefile.usercode import compile_python, names_set_by, own_nodes
from pybuild.source import UNUSED, BuildError, Diagnostic, Edit, Fix, Note, Span, nearest
from pybuild.typed import Any

# Python that may take names without naming them.
_DYNAMIC = frozenset("globals locals vars eval exec __dict__ __main__ inspect".split())
_BUILTINS = frozenset(dir(builtins))


def names(known: Known) -> Iterator[Diagnostic]:
    """What is said of names."""
    yield from _overwritten(known)
    yield from _phony(known)
    yield from _hidden(known)
    # What an included file that is not there yet, or a makefile, uses nobody knows.
    if known.trees and not known.pipeline.missing and not known.pipeline.makefiles:
        yield from _unused(known)


# -- what is used ---------------------------------------------------------------------------------


def _unused(known: Known) -> Iterator[Diagnostic]:
    """Variables and functions of the first file that nothing names. Files that it includes may be
    there for others as well."""
    used = Counter(chain.from_iterable(each.names for each in known.scans))
    if not _DYNAMIC.isdisjoint(used):
        return
    for statement in known.trees[0].statements:
        if isinstance(statement, syntax.Assignment):
            name = statement.name
            is_free = not (used[name] or name.startswith("_") or known.is_told_of(name))
            if is_free and not known.has_mistake(statement.span, statement.span):
                yield _warning(
                    "PB601",
                    f"nothing uses the variable `{name}`",
                    _name_span(statement),
                    fixes=_removal(statement),
                )
        elif isinstance(statement, syntax.PythonBlock):
            yield from _unused_functions(statement, used, known)


def _unused_functions(
    block: syntax.PythonBlock, used: Counter[str], known: Known
) -> Iterator[Diagnostic]:
    tree = _tree_of(block)
    source = block.span.source
    for node in tree.body if tree else ():
        if not isinstance(node, _ast.FunctionDef) or node.decorator_list:
            continue
        start = source.offset(node.lineno, node.col_offset)
        end = source.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        own = identifiers(source.text[start:end]).count(node.name)
        is_free = not (node.name.startswith("_") or known.is_told_of(node.name))
        if used[node.name] == own and is_free:
            at = source.text.index(node.name, start + len("def"))
            span = Span(source, at, at + len(node.name))
            yield _warning("PB602", f"nothing calls the function `{node.name}`", span)


def _tree_of(block: syntax.PythonBlock) -> _ast.Module | None:
    """The tree of a block, with places of its file; None if it has a mistake."""
    try:
        return compile_python(block.span.source, block.block.lines, block.span.source.name)[1]
    except BuildError:
        return None


def _name_span(node: syntax.Assignment) -> Span:
    return node.span.but(end=node.span.start + len(node.name))


def _removal(node: syntax.Assignment) -> tuple[Fix, ...]:
    """To take a line away, if that can have no other effect."""
    text, end = node.span.source.text, node.span.end
    if "(" in node.expression.text or text[end : end + 1] not in ("\n", ""):
        return ()
    return (Fix("remove the line", (Edit(node.span.but(end=min(end + 1, len(text))), ""),)),)


# -- what is not seen -----------------------------------------------------------------------------


def _overwritten(known: Known) -> Iterator[Diagnostic]:
    """Values that are gone before anything reads them: rules are read after the whole file."""
    for tree in known.trees:
        unread: dict[str, syntax.Assignment] = {}
        for statement in tree.statements:
            if isinstance(statement, syntax.Include | syntax.PythonBlock | syntax.Invalid):
                unread.clear()
            elif isinstance(statement, syntax.Assignment):
                text = statement.expression.text
                if "(" in text:  # what is called may read anything
                    unread.clear()
                for name in identifiers(text):
                    unread.pop(name, None)
                before = unread.get(statement.name)
                if before is not None and statement.operator == "=":
                    yield _warning(
                        "PB603",
                        f"this value of `{before.name}` is never seen",
                        _name_span(before),
                        (Note("it gets another one", _name_span(statement)),),
                        "rules use the last value, wherever they stand",
                        _removal(before),
                    )
                unread[statement.name] = statement


def _phony(known: Known) -> Iterator[Diagnostic]:
    """Names in `.PHONY` that no rule makes; not where a rule that is not known might."""
    pipeline = known.pipeline
    if len(pipeline.rules) < len(known.written) - _phony_lines(known) or pipeline.makefiles:
        return
    if pipeline.missing:
        return
    targets = [each.reach() for rule in pipeline.rules for each in rule.targets]
    literals = {each.literal for rule in pipeline.rules for each in rule.targets}
    known_names = sorted({*pipeline.named, *(each for each in literals if each)})
    for name, span in pipeline.phony.items():
        if name in pipeline.named or name in literals:
            continue
        if any(each.match(name) is not None for each in targets):
            continue
        near = nearest(name, known_names, 1)
        yield _warning(
            "PB608",
            f"no rule makes `{name}`",
            span,
            help=f"did you mean `{near[0]}`?" if near else "take it away, or write its rule",
            fixes=(Fix(f"write `{near[0]}`", (Edit(span, near[0]),)),) if near else (),
        )


def _phony_lines(known: Known) -> int:
    return sum(
        len(node.segments[0]) == 1
        and [getattr(each, "text", "") for each in node.segments[0][0].pieces] == [".PHONY"]
        for node, *_ in known.written
    )


# -- what hides another ---------------------------------------------------------------------------


def _hidden(known: Known) -> Iterator[Diagnostic]:
    """Names that a block of a recipe takes for something else than they are there."""
    if not any(each.kind == PYTHON for written in known.written for each in written.parts):
        return
    bound = _bound(known)
    for rule in known.pipeline.rules:
        for part in rule.recipe.parts if rule.recipe else ():
            if isinstance(part, PythonTemplate):
                yield from _of_block(part, bound, known)


def _bound(known: Known) -> dict[str, Span]:
    """The reserved names that `python:` blocks give a meaning, and which block does."""
    found: dict[str, Span] = {}
    for block in known.blocks():
        tree = _tree_of(block)
        if tree is not None:
            own = [node for statement in tree.body for node in own_nodes(statement)]
            for name in names_set_by(own) & RESERVED:
                found.setdefault(name, block.span)
    return found


def _of_block(part: PythonTemplate, bound: dict[str, Span], known: Known) -> Iterator[Diagnostic]:
    source = part.span.source
    for name in sorted((part.names & bound.keys()) - part.own):
        node = _first_use(part.tree, name)
        if node is None:
            continue
        start = source.offset(node.lineno, node.col_offset)
        yield _warning(
            "PB604",
            f"`{name}` is the job's own here, not what a `python:` block defines",
            Span(source, start, start + len(name)),
            (Note("defined", bound[name]),),
            "give the other one another name: `import ... as ...`",
        )
    for node in walk(part.tree):
        if not isinstance(node, _ast.Call) or not isinstance(node.func, _ast.Name):
            continue
        name = node.func.id
        value = known.variable(name)
        if name in _BUILTINS and name not in part.own and isinstance(value, _PLAIN):
            start = source.offset(node.func.lineno, node.func.col_offset)
            place = known.assignments.get(name)
            yield _warning(
                "PB605",
                f"`{name}` is a variable here and can't be called",
                Span(source, start, start + len(name)),
                (Note("it hides Python's own", _name_span(place[-1])),) if place else (),
                "give the variable another name",
            )


_PLAIN = (str, int, float, list, tuple, dict, set)


def _first_use(tree: _ast.Module, name: str) -> Any:
    found = [
        node
        for node in walk(tree)
        if isinstance(node, _ast.Name) and node.id == name and isinstance(node.ctx, _ast.Load)
    ]
    return min(found, key=lambda node: (node.lineno, node.col_offset), default=None)


def _warning(
    code: str,
    message: str,
    span: Span,
    notes: tuple[Note, ...] = (),
    help: str = "",
    fixes: tuple[Fix, ...] = (),
) -> Diagnostic:
    tags = (UNUSED,) if code in ("PB601", "PB602", "PB603", "PB608") else ()
    return Diagnostic(code, message, span, notes, help, "warning", tags, fixes)
