"""All that an analysis knows of a project, as values that can be compared."""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any

from pybuild.lsp.analysis import Analysis
from pybuild.pipefile.syntax import Block
from pybuild.source import Source, Span


def known(analysis: Analysis) -> dict[str, Any]:
    """What is said of the texts, their trees, their names and what their rules came to."""
    loaded = analysis.loaded
    found: dict[str, Any] = {"diagnostics": [bare(each) for each in analysis.diagnostics]}
    if loaded is None:
        return found
    pipeline = loaded.pipeline
    found["trees"] = [bare(each) for each in loaded.trees]
    found["rules"] = [bare(each) for each in pipeline.rules]
    found["default"] = pipeline.default and pipeline.default.index
    found["named"] = {name: rule.index for name, rule in pipeline.named.items()}
    found["names"] = {
        sheet.name: analysis.names.occurrences(sheet) for sheet in analysis.sheets.values()
    }
    for name in ("variables", "origins", "phony", "pools", "lost", "unclear", "missing"):
        found[name] = bare(getattr(pipeline, name))
    for name in ("included", "makefiles", "is_open", "values"):
        found[name] = bare(getattr(pipeline, name))
    return found


def bare(value: Any) -> Any:
    """A value without what differs from one reading to the next: only places of texts are kept."""
    if isinstance(value, Span):
        return value.source.name, value.start, value.end, value.place
    if isinstance(value, Source):
        return value.name, value.text
    if isinstance(value, Block):
        return bare(value.span), value.lines
    if isinstance(value, ast.AST):
        return ast.dump(value, include_attributes=True)
    if isinstance(value, CodeType):
        return value.co_code, value.co_names, value.co_firstlineno
    if isinstance(value, dict):
        return {bare(key): bare(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(bare, value)]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if value is None or isinstance(value, str | bytes | int | float):
        return value
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    names = getattr(type(value), "__slots__", None)
    if names is None:
        names = getattr(value, "__dict__", None)
    if names is None:
        return repr(value)
    return type(value).__name__, [
        (name, bare(getattr(value, name, None))) for name in names if name != "_reach"
    ]
