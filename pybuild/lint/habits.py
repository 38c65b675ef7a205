"""Habits from make that mean something else in a recipe here.

Of these, bash takes most without a word: `$@` is empty, `$$` is its own process, `$(CC)` runs a
command `CC`. Written after GNU make's manual, *Automatic Variables* and *Functions*.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from shutil import which

from pybuild.lint.known import Known
from pybuild.lint.scans import Script
from pybuild.pipefile.rules import Rule
from pybuild.pipefile.syntax import PythonText
from pybuild.pipefile.template import Template
from pybuild.regex import regex
from pybuild.source import Diagnostic, Edit, Fix, Note

_AUTOMATIC = {"@": "output", "<": "input", "^": "inputs", "*": "stem"}
_PARTS = {"D": "path", "F": "filename"}
_PART = regex(r"\$\(([@<^*])([DF])\)")
_LONE = regex(r"\$[@<^*]")
_REFERENCE = regex(r"\$\(([A-Z][A-Z0-9_]*|[a-z_]\w*)\)")
_FUNCTION = regex(r"\$\(([a-z][a-z-]*)[ \t]")
_DOUBLED = regex(r"\$\$(?=[A-Za-z_{(])")
_OF_SHELL = regex(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")
_OWN_ARGUMENTS = regex(r"\(\)|\bfunction\s|\bset\s+(?:--|[^-+\s])|\bshift\b")
_BEFORE = " \t\n=\"'(:"
_AFTER = " \t\n\"')`;|&>"
_MAKE_FUNCTIONS = frozenset(
    "subst patsubst findstring filter filter-out wordlist words firstword lastword notdir suffix "
    "addsuffix addprefix wildcard foreach call value shell origin flavor guile".split()
)
_INSTEAD = {"MAKE": "make", "RM": "rm -f"}  # make's own variables that are commands
_FUNCTION_HELP = {
    "shell": "`$(command)` runs a command",
    "wildcard": "name the files as a prerequisite, `src/*.c`, or by `glob(...)` in a variable",
}
_CD = regex(r"(?:pushd|cd)[ \t]+(?!-|\.[ \t;&]|\.$)([^\s;&]+)[ \t]*(&&|;|(?=\n)|$)")
_FILES = frozenset(("input", "inputs", "output", "outputs", "order_only", "changed"))
_BACK = regex(r"\b(?:cd|popd)\b")


def habits(known: Known) -> Iterator[Diagnostic]:
    """What somebody used to make would write, and what it does not mean here."""
    for written in known.written:
        for script in written.scripts:
            yield from _of_dollars(script, written.rule, known)
            if written.rule is not None:
                yield from _of_folders(script, written.rule, known)


def _of_dollars(script: Script, rule: Rule | None, known: Known) -> Iterator[Diagnostic]:
    text = script.text
    taken = 0  # what is before it has been looked at
    for at in script.marks.dollars:
        if at < taken:
            continue
        doubled = _DOUBLED.match(text, at)
        if doubled:
            taken = doubled.end()
            yield _doubled(script, at)
        elif text.startswith("$$", at):
            taken = at + 2
        elif (part := _PART.match(text, at)) is not None:
            yield _automatic(script, part, rule)
        elif (lone := _LONE.match(text, at)) is not None:
            if _is_automatic(text, lone):
                yield _automatic(script, lone, rule)
        elif (reference := _REFERENCE.match(text, at)) is not None:
            if _is_make_variable(reference[1], text, known):
                yield _reference(script, reference, known)
        elif (function := _FUNCTION.match(text, at)) is not None:
            if function[1] in _MAKE_FUNCTIONS and not _is_command(function[1], text):
                yield _function(script, function)
        elif (shell := _OF_SHELL.match(text, at)) is not None:
            name = shell[1] or shell[2]
            if _is_ours_alone(name, script, known):
                yield _variable(script, shell, name)


def _doubled(script: Script, at: int) -> Diagnostic:
    span = script.span(at, at + 2)
    return Diagnostic(
        "PB503",
        "`$$` is the number of the shell's process",
        span,
        help="a recipe reaches the shell as it is written: `$` is not doubled",
        severity="warning",
        fixes=(Fix("write one `$`", (Edit(span, "$"),)),),
    )


def _is_automatic(text: str, found: re.Match[str]) -> bool:
    """Whether `$@` and the like can only have been meant as make's."""
    before = text[found.start() - 1 : found.start()] or "\n"
    after = text[found.end() : found.end() + 1] or "\n"
    if found[0] in ("$@", "$*"):
        return not _OWN_ARGUMENTS.search(text)
    # In a regular expression `$` is the end of a line: a word of its own is none.
    return before in _BEFORE and after in _AFTER


def _automatic(script: Script, found: re.Match[str], rule: Rule | None) -> Diagnostic:
    letters = found[0].strip("$()")
    name = _AUTOMATIC[letters[0]]
    has_stem = rule is not None and bool(rule.patterns)
    span = script.span(*found.span())
    if name == "stem" and not has_stem:
        help = "what a placeholder of the header took has its name: `<basename>`, `<sample>`"
        return Diagnostic(
            "PB501", f"`{found[0]}` is empty here", span, help=help, severity="warning"
        )
    placeholder = f"<{name}.{_PARTS[letters[1]]}>" if len(letters) > 1 else f"<{name}>"
    return Diagnostic(
        "PB501",
        f"`{found[0]}` is the shell's here, and no file",
        span,
        help=f"write `{placeholder}`",
        severity="warning",
        fixes=(Fix(f"write `{placeholder}`", (Edit(span, placeholder),)),),
    )


def _is_make_variable(name: str, text: str, known: Known) -> bool:
    """Whether `$(name)` runs no command that anybody could have meant."""
    is_ours = isinstance(known.variable(name), str | list)
    return (is_ours or name.isupper()) and not _is_command(name, text)


def _is_command(name: str, text: str) -> bool:
    return _is_program(name) or re.search(rf"\b{name}\b[ \t]*\(\)", text) is not None


@cache
def _is_program(name: str) -> bool:
    return which(name) is not None


def _reference(script: Script, found: re.Match[str], known: Known) -> Diagnostic:
    name = found[1]
    span = script.span(*found.span())
    ours = known.meant_by(name)
    instead = f"<{ours}>" if ours else _INSTEAD.get(name, "")
    if ours:
        help = f"a variable of the Pipefile is written `{instead}`"
    elif instead:
        help = f"write `{instead}`"
    else:
        help = f'give it a value, `{name} = "..."`, and write `<{name}>`'
    return Diagnostic(
        "PB502",
        f"`{found[0]}` runs a command `{name}` here",
        span,
        help=help,
        severity="warning",
        fixes=(Fix(f"write `{instead}`", (Edit(span, instead),)),) if instead else (),
    )


def _function(script: Script, found: re.Match[str]) -> Diagnostic:
    name = found[1]
    span = script.span(found.start(), found.end() - 1)
    cut = script.span(found.start(1), found.end())
    fixes = (Fix("run the command", (Edit(cut, ""),)),) if name == "shell" else ()
    return Diagnostic(
        "PB502",
        f"`$({name} ...)` is a function of make and runs a command `{name}` here",
        span,
        help=_FUNCTION_HELP.get(name, "compute it in a variable, which is a Python expression"),
        severity="warning",
        fixes=fixes,
    )


def _is_ours_alone(name: str, script: Script, known: Known) -> bool:
    """Whether a name is a variable of the Pipefile that the shell can't know: the script does
    nothing with it but to read it, and neither environment nor attributes have it."""
    if name in os.environ or not isinstance(known.variable(name), str | list):
        return False
    if any(each.operator == "?=" for each in known.assignments.get(name, ())):
        return False
    for each in script.node.decorations:
        if each.name == "env" and not (
            isinstance(each.arguments, PythonText)
            and "**" not in each.arguments.text
            and name not in each.arguments.text
        ):
            return False
    told = [(spot.start, spot.end) for spot in script.marks.spots if spot.closed]
    for found in re.finditer(rf"\b{name}\b", script.text):
        if any(start <= found.start() < end for start, end in told):
            continue
        before = script.text[: found.start()]
        if not before.endswith(("$", "${")):
            return False
    return True


def _variable(script: Script, found: re.Match[str], name: str) -> Diagnostic:
    span = script.span(*found.span())
    return Diagnostic(
        "PB511",
        f"`{found[0]}` is a variable of the shell, which has none of that name",
        span,
        help=f"the variable of the Pipefile is written `<{name}>`",
        severity="warning",
        fixes=(Fix(f"write `<{name}>`", (Edit(span, f"<{name}>"),)),),
    )


# -- a change of folder that lasts ---------------------------------------------------------------


def _of_folders(script: Script, rule: Rule, known: Known) -> Iterator[Diagnostic]:
    """A `cd` behind which a file is named as if it had not been: a recipe is one script."""
    moves = [_CD.match(script.text, start) for start in script.marks.lines]
    if not any(moves) or any(
        _may_be_absolute(each, known)
        for each in (*rule.targets, *rule.drivers, *rule.prerequisites, *rule.order_only)
    ):
        return
    names = _FILES | {
        each.alias for each in (*rule.targets, *rule.drivers, *rule.prerequisites) if each.alias
    }
    text = script.text
    for moved in moves:
        if moved is None or moved[1].startswith(("..", "/", '"/', "~", "$", '"$')):
            continue
        for spot in script.marks.spots:
            if spot.start < moved.end() or not spot.closed:
                continue
            if _BACK.search(text, moved.end(), spot.start):
                break
            inside = text[spot.start + 1 : spot.end - 1]
            if inside in names and text[spot.start - 1] != "/":
                yield _moved(script, moved, (spot.start, spot.end))
                break


def _may_be_absolute(template: Template, known: Known) -> bool:
    """Whether a word of a header may stand for files outside the project's folder."""
    if template.call is not None:
        return True
    if template.rule:
        rule = known.pipeline.named.get(template.rule)
        return rule is None or any(_may_be_absolute(each, known) for each in rule.targets)
    first = template.pieces[0] if template.pieces else ""
    return isinstance(first, str) and first.startswith(("/", "~"))


def _moved(script: Script, moved: re.Match[str], file: tuple[int, int]) -> Diagnostic:
    text = script.text
    span = script.span(moved.start(), moved.end(1))
    name = text[file[0] : file[1]]
    line_end = text.find("\n", moved.start())
    line_end = len(text) if line_end < 0 else line_end
    fixes: tuple[Fix, ...] = ()
    row = text[moved.start() : line_end]
    if moved[2] and file[0] > line_end and not any(char in row for char in "#\\<()"):
        fixes = (
            Fix(
                "put the line into brackets",
                (
                    Edit(script.span(moved.start(), moved.start()), "("),
                    Edit(script.span(line_end, line_end), ")"),
                ),
            ),
        )
    return Diagnostic(
        "PB505",
        f"the folder stays changed: `{name}` is looked for in `{moved[1]}`",
        span,
        (Note("this file", script.span(*file)),),
        "a recipe is one script; what is in brackets has a folder of its own: `(cd FOLDER && ...)`",
        "warning",
        fixes=fixes,
    )
