"""What a Pipefile means, as values that can be compared whatever its layout."""

from __future__ import annotations

import ast
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from pybuild.pipefile import syntax
from pybuild.pipefile.parse import parse
from pybuild.pipefile.recipe import Insert, PythonTemplate, ShellTemplate, compile_recipe
from pybuild.project import Opening, Project
from pybuild.source import Diagnostic, Source, Span


def tree_of(text: str) -> tuple[list[Any], list[Diagnostic]]:
    """The statements of a text without places, layout and comments."""
    tree, diagnostics = parse(Source("Pipefile", text))
    statements = [each for each in tree.statements if not isinstance(each, syntax.Comment)]
    return [_bare(each) for each in statements], diagnostics


def comments_of(text: str) -> Counter[str]:
    """The comments of a text and how often each is there, but for those in recipes and Python."""
    tree, _ = parse(Source("Pipefile", text.replace("\r\n", "\n")))
    found = (node.span for node in tree.statements if isinstance(node, syntax.Comment))
    return Counter(span.source.text[span.start : span.end] for span in found)


def _bare(node: Any) -> Any:
    if isinstance(node, Span):
        return None
    if isinstance(node, syntax.PythonBlock):
        return "python", [row.rstrip() for _, row in node.block.lines]
    if isinstance(node, syntax.PythonText):
        return node.text
    if isinstance(node, syntax.Rule):
        block = _recipe(node.block) if isinstance(node.block, syntax.Block) else None
        return [*map(_bare, node._replace(block=None)), block]
    if isinstance(node, tuple):
        return [type(node).__name__, *map(_bare, node)]
    return node


def _recipe(block: syntax.Block) -> Any:
    """What counts of a recipe: scripts, placeholders with the quoting in force, code, flags."""
    wrong: list[Diagnostic] = []
    recipe = compile_recipe(block, wrong)
    if wrong or recipe is None:
        return [each.code for each in wrong]
    return recipe.flags, [
        ast.dump(part.tree)
        if isinstance(part, PythonTemplate)
        else (part.text, part.program, _inserts(part))
        for part in recipe.parts
    ]


def _inserts(part: ShellTemplate) -> list[tuple[str, str]]:
    """The placeholders of a script and the quoting in force at each."""
    found = [each for each in part.pieces if isinstance(each, Insert)]
    return [(str(each.hole.reference), each.context) for each in found]


def jobs_of() -> list[Any]:
    """All jobs of the project in the working folder, with what decides whether they run."""
    project = Project(Opening())
    project.open()
    project.refuse_errors()
    world = project.loaded.world
    found = []
    for rule in project.loaded.pipeline.rules:
        for job in world.jobs_of[rule.index]:
            world.close(job)
            recipe = job.recipe
            found.append(
                (
                    job.name,
                    job.outputs,
                    tuple(job.inputs),
                    tuple(job.order_only),
                    tuple(map(str, job.patterns)),
                    job.traits,
                    recipe and (recipe.text_digest, recipe.values_digest),
                )
            )
    assert found or not project.loaded.pipeline.rules
    return found


def copy_of(folder: Path, target: Path) -> Path:
    """A copy of a project without what builds of it have left."""
    ignored = shutil.ignore_patterns(".pybuild", "__pycache__", "build", "out", "data", "parts")
    return Path(shutil.copytree(folder, target, ignore=ignored))
