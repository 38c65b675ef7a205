"""What a recipe does that can hardly be meant: lists that become one word, a removal that may go
too far, a prerequisite that is written to, a recipe that makes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import lru_cache

from pybuild.lint.known import Known, word_before
from pybuild.lint.scans import Script, marks_of
from pybuild.pipefile import syntax
from pybuild.pipefile.rules import COLLATE, EACH, LITERAL, PATTERN, STATIC, TUPLE, Rule
from pybuild.pipefile.shelltext import DOUBLE, PLAIN, SINGLE, Spot
from pybuild.pipefile.template import Template
from pybuild.regex import regex
from pybuild.source import Diagnostic, Edit, Fix
from pybuild.typed import NamedTuple

_TEXTS = frozenset(("echo", "printf", "[", "[[", "test", "case", "logger"))
_GLUE = regex(r"[\w./=+@%-]")
_REMOVAL = regex(r"(?:^|[\s;&|({])rm[ \t][^;&|\n]*$")
_RECURSIVE = regex(r"[ \t]-[a-zA-Z]*[rR]|[ \t]--recursive\b")
_INTO = regex(r"[ \t][12]?>\|?[ \t]*$")
_SILENT = frozenset(
    "echo printf cat grep head tail wc true : rm rmdir sleep cmp ls pwd date".split()
)
_TO_ROOT = "DESTDIR"  # by custom empty where files go to the root itself
_QUOTED = regex(r"'[^']*'|\"[^\"$`\\]*\"")
_HARD = frozenset("><$`(){}\\*#")


def hazards(known: Known) -> Iterator[Diagnostic]:
    """The hazards in all recipes; rules in which there is a mistake are passed over."""
    knows_tasks = _knows_tasks(known)
    for _, rule, parts, scripts in known.written:
        if rule is None:
            continue
        files = _files(rule, known)
        for script in scripts:
            for spot in script.marks.spots:
                if spot.closed:
                    yield from _of_spot(script, spot, files, known)
        if knows_tasks and len(parts) == len(scripts) == 1 and _has_only_its_recipe(rule):
            yield from _of_outcome(scripts[0], rule, known)


class _Files(NamedTuple):
    """The names of files in a rule: those that stand for several in some job, its prerequisites;
    and all names of its own, which hide variables."""

    lists: Set[str]
    inputs: Set[str]
    own: Set[str]


def _files(rule: Rule, known: Known) -> _Files:
    inputs = {each.alias for each in (*rule.drivers, *rule.prerequisites) if each.alias}
    others = {each.alias for each in (*rule.targets, *rule.order_only) if each.alias}
    own = {*inputs, *others, *rule.params}
    return _Files(_lists(rule, known), inputs | {"input", "inputs"}, own)


def _of_spot(script: Script, spot: Spot, files: _Files, known: Known) -> Iterator[Diagnostic]:
    name = script.text[spot.start + 1 : spot.end - 1]
    value = None if name in files.own else known.variable(name)
    if name in files.lists or (isinstance(value, list | tuple) and len(value) > 1):
        yield from _of_list(script, spot)
    if name in files.inputs:
        yield from _of_writing(script, spot)
    if isinstance(value, str) and script.text.startswith("/", spot.end):
        yield from _of_removal(script, spot, name, value, known)


# -- lists ---------------------------------------------------------------------------------------


def _lists(rule: Rule, known: Known) -> frozenset[str]:
    """The names that stand for several files in some job of a rule."""
    found = set()
    if _has_many_inputs(rule):
        found.add("inputs")
    if rule.splits or (len(rule.targets) > 1 and (rule.grouped or rule.flavour != LITERAL)):
        found.add("outputs")
    if len(rule.order_only) > 1 or any(map(_is_many, rule.order_only)):
        found.add("order_only")
    near = {each.rule for each in (*rule.drivers, *rule.prerequisites, *rule.order_only)}
    for name in near - {""}:
        maker = known.pipeline.named.get(name)
        if maker is not None and (maker.flavour != LITERAL or len(maker.targets) > 1):
            found.add(name)
    return frozenset(found)


def _has_many_inputs(rule: Rule) -> bool:
    if rule.flavour in (PATTERN, STATIC):
        return len(rule.sources) > 1
    if rule.flavour in (COLLATE, TUPLE):
        return not rule.for_each
    drives = rule.flavour == EACH and not rule.for_each
    return drives + len(rule.prerequisites) > 1 or any(map(_is_many, rule.prerequisites))


def _is_many(template: Template) -> bool:
    return template.has_wildcards or bool(template.rule)


def _of_list(script: Script, spot: Spot) -> Iterator[Diagnostic]:
    text = script.text
    before, after = text[: spot.start][-1:], text[spot.end : spot.end + 1]
    name = text[spot.start : spot.end]
    if word_before(text, spot.start) in _TEXTS:
        return
    if spot.context in (DOUBLE, SINGLE):
        mark = '"' if spot.context == DOUBLE else "'"
        is_word = before == after == mark and (text[: spot.start - 1][-1:] or " ") in " \t\n"
        if is_word and not text[: spot.start - 1].rstrip(" \t").endswith("<<<"):
            span = script.span(spot.start - 1, spot.end + 1)
            yield Diagnostic(
                "PB506",
                f"in quotes all files of `{name}` are one word",
                span,
                help="take the quotes away: each file is quoted by itself",
                severity="warning",
                fixes=(Fix("take the quotes away", (Edit(span, name),)),),
            )
    elif spot.context == PLAIN and (_GLUE.match(before) or _GLUE.match(after)):
        yield Diagnostic(
            "PB507",
            f"`{name}` is a list: the text beside it goes with one item only",
            script.span(spot.start, spot.end),
            help=f"take one item, `{name[:-1]}[0]>`, or make the words of a list in Python",
            severity="warning",
        )


# -- what is written and removed -----------------------------------------------------------------


def _of_writing(script: Script, spot: Spot) -> Iterator[Diagnostic]:
    """Output of a command into a prerequisite, which empties it before anything reads it."""
    if script.text[: spot.start].rstrip(" \t")[-1:] not in (">", "|"):
        return
    found = _INTO.search(script.text, 0, spot.start)
    if spot.context == PLAIN and found is not None:
        name = script.text[spot.start : spot.end]
        yield Diagnostic(
            "PB512",
            f"this empties the prerequisite `{name}`",
            script.span(found.start() + 1, spot.end),
            help="write to `<output>`",
            severity="warning",
        )


def _of_removal(
    script: Script, spot: Spot, name: str, value: str, known: Known
) -> Iterator[Diagnostic]:
    """`rm -rf <folder>/...` where the folder may be an empty text: then it starts at the root."""
    text = script.text
    before = text[: spot.start].removesuffix('"')
    command = _REMOVAL.search(before[before.rfind("\n") + 1 :])
    if command is None or not _RECURSIVE.search(command[0]) or before[-1:] not in (" ", "\t"):
        return
    if not _may_be_empty(name, value, known):
        return
    yield Diagnostic(
        "PB508",
        f"where `{name}` is empty this removes `/{_rest(text, spot.end)}`",
        script.span(spot.start, spot.end + 1),
        help=f"refuse that before: `assert {name}` in a `python:` block",
        severity="warning",
    )


def _rest(text: str, position: int) -> str:
    found = re.match(r"/([^\s\"';&|]*)", text[position:])
    return found[1] if found else ""


def _may_be_empty(name: str, value: str, known: Known) -> bool:
    """Whether a variable may be an empty text: it is one, or the environment may say so."""
    mine = known.assignments.get(name, ())
    if name == _TO_ROOT or any(each.operator == "+=" for each in mine):
        return False
    if _is_asserted(name, known):
        return False
    return value == "" or any(
        each.operator == "?=" or re.search(r"\benv\(", each.expression.text) for each in mine
    )


def _is_asserted(name: str, known: Known) -> bool:
    return any(
        re.search(rf"\bassert\b.*\b{name}\b", row)
        for block in known.blocks()
        for _, row in block.block.rows
    )


# -- what is made --------------------------------------------------------------------------------


def _knows_tasks(known: Known) -> bool:
    """Whether all lines are known in which `.PHONY` could stand."""
    if known.pipeline.missing or any(each.code == "PB217" for each in known.pipeline.diagnostics):
        return False
    return not any(
        isinstance(each, syntax.Invalid) for tree in known.trees for each in tree.statements
    )


def _has_only_its_recipe(rule: Rule) -> bool:
    """Whether a rule has to make a file, by nothing but its recipe."""
    if rule.traits.phony or rule.splits or rule.value or not rule.targets:
        return False
    return not (rule.settings.touch or rule.settings.before or rule.settings.shell)


def _of_outcome(script: Script, rule: Rule, known: Known) -> Iterator[Diagnostic]:
    """A recipe of commands that write no files, without a redirection, for targets that are."""
    node = script.node
    if not _writes_nothing(script.text):
        return
    if node.block is None or known.has_mistake(node.span, node.block.span):
        return
    target = str(rule.targets[0])
    word = node.segments[1 if rule.name and not rule.value else 0][0]
    is_task = rule.flavour == LITERAL and re.search(r"(?m)^\s*rm\b", script.text) is not None
    start = (node.decorations[0] if node.decorations else node).span
    place = start.but(end=start.start)
    fixes = (Fix(f"say that `{target}` is no file", (Edit(place, f".PHONY: {target}\n"),)),)
    yield Diagnostic(
        "PB510",
        f"nothing in this recipe makes `{target}`",
        word.span,
        help=f"if it is a task and no file, write `.PHONY: {target}`"
        if is_task
        else "write the output to it, `> <output>`; a task that makes no file is `.PHONY`",
        severity="warning",
        fixes=fixes if is_task else (),
    )


@lru_cache(maxsize=4096)
def _writes_nothing(text: str) -> bool:
    """Whether a script is nothing but commands of which it is certain that they write no file."""
    bare = text
    for spot in reversed(marks_of(text).spots):
        bare = f"{bare[: spot.start]}FILE{bare[spot.end :]}"
    bare = _QUOTED.sub("TEXT", bare)
    if any(char in _HARD for char in bare):
        return False
    commands = [each.split() for each in re.split(r"[\n;]|&&|\|\|?|&", bare)]
    return any(commands) and all(not words or words[0] in _SILENT for words in commands)
