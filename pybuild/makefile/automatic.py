"""Automatic variables: `$@ $% $* $< $^ $+ $? $|`. Their D and F forms are the expander's."""

from __future__ import annotations

from pybuild.makefile.node import Dependency, Node
from pybuild.makefile.rules import Database
from pybuild.makefile.variables import Frame, Scope


def automatic_scope(node: Node, scope: Scope, database: Database) -> Frame:
    """A scope with the automatic variables of a node, inside of the one with its own."""
    inner = Frame(scope)
    archive, member = split_member(node.name)
    dependencies = [each for each in node.dependencies or () if not each.is_hidden]
    normal = [each for each in dependencies if not each.order_only]
    names = [_shown(each) for each in normal]
    kept = frozenset(names)
    newer = {_shown(each) for each in normal if each.has_changed}
    # One that is both is no order-only one, and stands where it comes first as either.
    once = dict.fromkeys(map(_shown, dependencies))
    inner.texts.update(
        {
            "@": archive or node.name,
            "%": member,
            "*": _stem(node, database),
            "<": _first(node, normal, database),
            "^": " ".join([each for each in once if each in kept]),
            "+": " ".join(names),
            "?": " ".join([each for each in once if each in newer]),
            "|": " ".join([each for each in once if each not in kept]),
        }
    )
    return inner


def _first(node: Node, normal: list[Dependency], database: Database) -> str:
    if node.recipe is not None and node.recipe is database.default_recipe:
        return node.name
    if node.is_by_pattern:
        # Its rule's own first one, whatever else was written for the target.
        normal = [each for each in normal if not each.is_explicit] or normal
    return _shown(normal[0]) if normal else ""


def _shown(dependency: Dependency) -> str:
    """How a prerequisite is called in a recipe: of a member of an archive, the member."""
    name = dependency.node.name
    return split_member(name)[1] or name


def _stem(node: Node, database: Database) -> str:
    """`$*`: where no pattern gave it, the name without a suffix that is known."""
    if node.stem is not None:
        return node.stem
    name = split_member(node.name)[1] or node.name
    for suffix in database.suffixes:
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return ""


def split_member(name: str) -> tuple[str, str]:
    """The archive and the member of `lib.a(m.o)`; two empty texts for another name."""
    if not name.endswith(")"):
        return "", ""
    archive, bracket, member = name[:-1].partition("(")
    return (archive, member) if bracket and archive and member else ("", "")
