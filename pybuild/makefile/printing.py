"""All that makefiles have said, as text: the data base that `-p` prints.

What scripts read of it is as make has it. Its comments on files tell what this run has found out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from pybuild.makefile.automatic import automatic_scope
from pybuild.makefile.builtin import SUFFIXES, builtin_suffix_recipes
from pybuild.makefile.command import split_prefix
from pybuild.makefile.errors import Place
from pybuild.makefile.node import MISSING, NEW, OLD, UNKNOWN, Node, State, Status
from pybuild.makefile.rules import (
    Database,
    Entry,
    Later,
    PatternRule,
    Prerequisite,
    Recipe,
    Target,
)
from pybuild.makefile.variables import Origin, Scope, Variable
from pybuild.makefile.vpath import Folders
from pybuild.typed import NamedTuple

_ORIGINS = {
    Origin.DEFAULT: "default",
    Origin.ENVIRONMENT: "environment",
    Origin.FILE: "makefile",
    Origin.ENVIRONMENT_OVERRIDE: "environment under -e",
    Origin.COMMAND: "command line",
    Origin.OVERRIDE: "'override' directive",
    Origin.AUTOMATIC: "automatic",
}
_ENDS = {
    Status.SUCCESS: "Successfully updated.",
    Status.QUESTION: "Needs to be updated (-q is set).",
    Status.FAILED: "Failed to be updated.",
}
_LATEST = "2514-05-30 01:53:03.107374182"  # what make shows of a time later than all


class Known(NamedTuple):
    """What is printed: what was read, and what a walk has found out. `general` is the search path
    that `VPATH` names, `time` looks at a file (`Times.time`). `nodes` and `goals` (names) are the
    walk's."""

    database: Database
    variables: Scope
    folders: Folders
    time: Callable[[Node], int]
    general: Sequence[str]
    nodes: Mapping[str, Sequence[Node]]
    goals: frozenset[str]
    makefiles: Sequence[str]
    has_builtin_rules: bool


def data_base(known: Known) -> Iterator[str]:
    """The data base in lines without their newlines."""
    yield from ("", f"# Make data base, printed on {time.ctime()}")
    yield from ("", "# Variables", "")
    for variable in known.variables.variables.values():
        yield from _variable(variable)
    yield from ("# default", ".VARIABLES := ")
    yield from _pattern_variables(known.database)
    yield from _directories(known.folders)
    yield from _implicit_rules(known.database.patterns)
    yield from ("", "# Files")
    peers = {peer.target for nodes in known.nodes.values() for node in nodes for peer in node.peers}
    if known.has_builtin_rules:
        yield from _builtin_files(known)
    for target in _targets(known):
        for node in known.nodes.get(target.name) or _unvisited(target):
            yield from _file(known, node, target.is_target or node.is_by_pattern or target in peers)
    yield from _search_paths(known)
    yield from ("", f"# Finished Make data base on {time.ctime()}", "")


# -- variables -----------------------------------------------------------------------------


def _variable(variable: Variable, before: str = "") -> Iterator[str]:
    """The definition of a variable; `before` is put in front of it."""
    private = " private" if variable.is_private else ""
    place = f" (from {_place(variable.place)})" if variable.place is not None else ""
    yield f"# {_ORIGINS[variable.origin]}{private}{place}"
    yield before + _definition(variable)


def _definition(variable: Variable) -> str:
    name, value = variable.name, variable.value
    if not variable.recursive:
        value = value.replace("$", "$$")
    elif "\n" in value:
        return f"define {name}\n{value}\nendef"
    operator = "+=" if variable.appends else "=" if variable.recursive else ":="
    return f"{name} {operator} {value}"


def _place(place: Place) -> str:
    return f"'{place.file}', line {place.line}"


def _pattern_variables(database: Database) -> Iterator[str]:
    yield from ("", "# Pattern-specific Variable Values")
    told = sorted(database.pattern_variables, key=lambda each: len(each.pattern))
    for pattern, variable in told:
        yield from ("", f"{pattern} :")
        origin, _ = _variable(variable)
        value = variable.value.replace("$", "$$")
        yield from (origin, f"# {variable.name} := {value}")
    count = len(database.pattern_variables)
    yield from ("", f"# {count or 'No'} pattern-specific variable values{'' if count else '.'}")


# -- folders -------------------------------------------------------------------------------


def _directories(folders: Folders) -> Iterator[str]:
    yield from ("", "# Directories", "")
    total = count = 0
    for name, names in folders.listed():
        count += 1
        try:
            status = os.stat(name or ".")
        except OSError:
            yield f"# {name}: could not be stat'd."
            continue
        total += len(names)
        where = f"device {status.st_dev}, inode {status.st_ino}"
        yield f"# {name or '.'} ({where}): {len(names) or 'no'} files, no impossibilities."
    yield from ("", f"# {total or 'No'} files, no impossibilities in {count} directories.")


def _search_paths(known: Known) -> Iterator[str]:
    yield from ("", "# VPATH Search Paths", "")
    paths = known.database.vpaths
    for pattern, folders in paths:
        yield f"vpath {pattern} {':'.join(folders)}"
    yield from (
        ["", f"# {len(paths)} 'vpath' search paths."] if paths else ["# No 'vpath' search paths."]
    )
    if known.general:
        yield from ("", "# General ('VPATH' variable) search path:")
        yield f"# {':'.join(known.general)}"
    else:
        yield from ("", "# No general ('VPATH' variable) search path.")


# -- rules ---------------------------------------------------------------------------------


def _implicit_rules(rules: Sequence[PatternRule]) -> Iterator[str]:
    yield from ("", "# Implicit Rules")
    for rule in rules:
        yield from ("", rule_text(rule))
        yield from _recipe(rule.recipe)
    if not rules:
        yield from ("", "# No implicit rules.")
        return
    terminal = sum(rule.is_terminal for rule in rules)
    share = f"{terminal / len(rules):.1%}"
    yield from ("", f"# {len(rules)} implicit rules, {terminal} ({share}) terminal.")


def rule_text(rule: PatternRule) -> str:
    """A pattern rule as it could stand in a makefile, without its recipe."""
    laters = [rule.later] if rule.later is not None else []
    needed = _prerequisites(rule.prerequisites, laters)
    return " ".join(rule.targets) + ("::" if rule.is_terminal else ":") + needed


def _prerequisites(prerequisites: Sequence[Prerequisite], laters: Sequence[Later] = ()) -> str:
    words = [f" {each.text}" for each in laters]
    words += [_word(each) for each in prerequisites if not each.order_only]
    only = [_word(each) for each in prerequisites if each.order_only]
    return "".join([*words, " |", *only] if only else words)


def _word(prerequisite: Prerequisite) -> str:
    return f"{' .WAIT' if prerequisite.wait else ''} {prerequisite.name}"


def _recipe(recipe: Recipe | None) -> Iterator[str]:
    if recipe is None:
        return
    where = "built-in" if recipe.place is None else f"from {_place(recipe.place)}"
    yield f"#  recipe to execute ({where}):"
    for line in recipe.lines:
        first, *others = line.split("\n")
        yield recipe.prefix + first
        # A tab at their beginning has gone when they were read.
        yield from [f"\t{each}" if recipe.prefix == "\t" else each for each in others]


# -- files ---------------------------------------------------------------------------------


def _targets(known: Known) -> Iterator[Target]:
    """All names that are known: those of makefiles, those the walk came to, those of make."""
    targets = known.database.targets
    yield from targets.values()
    for name, nodes in known.nodes.items():
        if name not in targets:
            yield nodes[0].target
    for name in known.makefiles:
        if name not in targets and name not in known.nodes:
            yield Target(name)
    if ".DEFAULT" not in targets:
        yield Target(".DEFAULT")
    nodes = [node for some in known.nodes.values() for node in some]
    asks_for_stem = any(_has_started(each) and each.stem is None for each in nodes)
    if ".SUFFIXES" not in targets and not known.has_builtin_rules and asks_for_stem:
        yield Target(".SUFFIXES")


def _builtin_files(known: Known) -> Iterator[str]:
    """The suffixes and suffix rules that nobody has written."""
    recipes = builtin_suffix_recipes()
    for name in dict.fromkeys([".SUFFIXES", *SUFFIXES.split(), *recipes]):
        target = known.database.targets.get(name)
        if target is None or not target.is_target:
            node = Node(Target(name), Entry())
            needed = _needed(known, node)
            yield from ("", "# Not a target:", f"{name}:{needed}", "#  Builtin rule")
            for remark in _remarks(known, node):
                yield f"#  {remark}"
            yield from _recipe(recipes.get(name))


def _unvisited(target: Target) -> list[Node]:
    return [Node(target, entry) for entry in target.entries or [Entry()]]


def _file(known: Known, node: Node, is_target: bool) -> Iterator[str]:
    target = node.target
    yield ""
    if not is_target:
        yield "# Not a target:"
    if target.scope is not None:
        for variable in target.scope.variables.values():
            yield from _variable(variable, f"{target.name}: ")
    yield node.name + ("::" if target.is_double else ":") + _needed(known, node)
    for remark in _remarks(known, node):
        yield f"#  {remark}"
    if _has_started(node):
        automatic = automatic_scope(node, Scope(), known.database)
        for variable in filter(None, map(automatic.find, automatic.texts)):
            yield from (f"# {_ORIGINS[variable.origin]}", f"# {_definition(variable)}")
    yield from _recipe(node.recipe)


def _has_started(node: Node) -> bool:
    """Whether its recipe was expanded in this run."""
    if node.recipe is None or node.scope is None:
        return False
    if not (node.has_run or node.status == Status.QUESTION):
        return False
    return any(split_prefix(line).rest.strip() for line in node.recipe.lines)


def _needed(known: Known, node: Node) -> str:
    if node.target.name == ".SUFFIXES":
        return "".join([f" {each}" for each in known.database.suffixes])
    if node.dependencies is None:
        return _prerequisites(node.entry.prerequisites, node.entry.later)
    told = [Prerequisite(each.node.name, each.order_only, each.wait) for each in node.dependencies]
    return _prerequisites(told)


def _remarks(known: Known, node: Node) -> Iterator[str]:
    target = node.target
    stem = node.stem
    if stem is None and _has_started(node):
        stem = automatic_scope(node, Scope(), known.database).texts["*"]
    needs_none = target.is_phony or node.entry.recipe is not None
    searched = "has" if node.searched and not needs_none else "has not"
    for is_true, remark in (
        (target.is_phony, "Phony target (prerequisite of .PHONY)."),
        (target.name in known.goals, "Command line target."),
        (target.is_precious, "Precious file (prerequisite of .PRECIOUS)."),
        (True, f"Implicit rule search {searched} been done."),
        (stem is not None, f"Implicit/static pattern stem: '{stem}'"),
        (node.is_intermediate, "File is an intermediate prerequisite."),
        (
            target.is_secondary or _was_right(node),
            "File is secondary (prerequisite of .SECONDARY).",
        ),
        (target.is_not_intermediate, "File is a prerequisite of .NOTINTERMEDIATE."),
    ):
        if is_true:
            yield remark
    others = node.entry.group[::-1] or [each.name for each in node.peers]
    if others:
        yield f"Also makes: {' '.join(others)}"
    yield _time(known, node)
    is_done = node.state == State.DONE
    yield f"File has {'' if is_done else 'not '}been updated."
    if is_done:
        yield _ENDS[node.status]


def _was_right(node: Node) -> bool:
    """Whether it was there, and nothing had to be done for it: that makes it secondary."""
    if node.has_run or node.state != State.DONE or node.status != Status.SUCCESS:
        return False
    return node.before > OLD and node.time != NEW


def _time(known: Known, node: Node) -> str:
    is_looked_at = node.time != UNKNOWN or node.state == State.DONE or node.is_phony
    moment = known.time(node) if is_looked_at else UNKNOWN
    if moment == NEW and not node.has_run:
        moment = node.before
    if moment == UNKNOWN:
        return "Modification time never checked."
    if moment == MISSING:
        return "File does not exist."
    if moment == OLD:
        return "File is very old."
    if moment == NEW:
        return f"Last modified {_LATEST}"
    seconds, rest = divmod(moment, 1_000_000_000)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    return f"Last modified {text}.{rest:09}".rstrip("0").rstrip(".")
