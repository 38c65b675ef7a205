"""`--list` and `-p`: what a Pipefile says, without running any of it.

Also holds what else only looks at a project needs: which rules may yet get more jobs
(`open_rules`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pybuild.cli.opening import open_project, wish_of
from pybuild.cli.options import Arguments, UsageError
from pybuild.dryrun import Silent, as_dry, settle_splits
from pybuild.names import Capture, Wild, overlaps
from pybuild.pipefile.attributes import Settings
from pybuild.pipefile.instantiate import Instantiation
from pybuild.pipefile.lines import Block, Line, cut
from pybuild.pipefile.recipe import RecipeTemplate
from pybuild.pipefile.rules import COLLATE, PATTERN, STATIC, TUPLE, VALUE, Pipeline, Rule
from pybuild.pipefile.template import Hole, Template
from pybuild.project import Project, Wish
from pybuild.report.diagnostics import place_data
from pybuild.source import Source
from pybuild.typed import Any

_MOST_WORDS = 3
_MOST_GOALS = 1000  # words for one command line
_HEADERS = ("rule", "kind", "jobs", "targets: prerequisites", "description")


def listing(arguments: Arguments) -> int:
    """Prints the rules (`--list`) as a table or as JSON, or variables and rules in full (`-p`).

    Runs and locks nothing. Returns the exit status. Raises BuildError and UsageError.
    """
    is_data = _is_data(arguments)
    project = open_project(arguments)
    look_at_includes(project)
    project.loaded.world.tell_guest()
    parts = []
    if arguments.list_rules:
        settle_splits(project, dry_wish(arguments), Silent())
        parts.append(_json(project) if is_data else _table(project))
    if arguments.print_data_base:
        parts.append("\n\n".join(_data_base(project)))
    print("\n\n".join(parts))
    return 0


def _is_data(arguments: Arguments) -> bool:
    """Whether programs are to read what is printed. Raises UsageError."""
    if arguments.format not in ("text", "json"):
        raise UsageError(f"`--format={arguments.format}`: it is `text` or `json`")
    if arguments.format == "json" and arguments.print_data_base:
        raise UsageError("`-p` prints a Pipefile: `--format=json` is for `--list`")
    return arguments.format == "json"


# -- looking without running ---------------------------------------------------------------


def dry_wish(arguments: Arguments) -> Wish:
    """How the arguments want a build to go, as a dry run that mistakes do not end.
    Raises UsageError."""
    return as_dry(wish_of(arguments))


def look_at_includes(project: Project) -> None:
    """Says which included files have not been made yet; raises BuildError for those that are
    not there and that no rule makes."""
    project.refuse_missing_includes()
    for name, _, optional in project.loaded.pipeline.missing:
        if not optional:
            print(f"pybuild: `{name}` is not made yet: its rules are not known", file=sys.stderr)


def open_rules(world: Instantiation) -> frozenset[int]:
    """The numbers of the rules that may get further jobs once splits have run."""
    rules = [rule for rule in world.pipeline.rules if rule.settings.active]
    late = [rule for rule in rules if rule.splits and _is_unresolved(world, rule)]
    found: dict[int, Rule] = {}
    for feeder in late:
        for rule in rules:
            if rule is feeder or rule.index in found:
                continue
            if any(may_feed(feeder, each) for each in rule.drivers):
                found[rule.index] = rule
                late.append(rule)
    return frozenset(found)


def _is_unresolved(world: Instantiation, split: Rule) -> bool:
    return any(job.number not in world.made_of for job in world.jobs_of[split.index])


def may_feed(maker: Rule, template: Template) -> bool:
    """Whether files that a rule makes may be among those that a prerequisite stands for."""
    if template.rule:
        return template.rule == maker.name
    if template.call is not None:
        # A function may look at anything; a list is what it is.
        return maker.splits and bool(template.call.reference.trailers)
    if maker.flavour == PATTERN or maker.traits.phony:
        return False  # what is made on demand nothing finds, and a task makes no files
    reach = template.reach()
    return any(overlaps(reach, each.reach()) for each in maker.targets)


# -- the table -----------------------------------------------------------------------------


def _table(project: Project) -> str:
    """The rules as a table, the default goal marked."""
    from tabulate import tabulate

    pipeline = project.loaded.pipeline
    if not pipeline.rules:
        return f"`{project.path}` has no rules"
    world = project.loaded.world
    still_open = open_rules(world)
    rows = [_row(world, rule, rule.index in still_open) for rule in pipeline.rules]
    size = len(_HEADERS) if any(row[-1] for row in rows) else len(_HEADERS) - 1
    text = tabulate(
        [row[:size] for row in rows],
        _HEADERS[:size],
        "simple",
        disable_numparse=True,
        colalign=("left", "left", "right", "left", "left")[:size],
    )
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _row(world: Instantiation, rule: Rule, is_open: bool) -> tuple[str, ...]:
    name = rule.name or _shortened(target_words(rule))
    if rule is world.pipeline.default:
        name += " (default)"
    words = _shortened(target_words(rule)) + ":"
    if prerequisites := _shortened(prerequisite_words(rule)):
        words += f" {prerequisites}"
    if later := _shortened(later_words(rule)):
        words += f" | {later}"
    return name, kind_of(rule), count_of(world, rule, is_open), words, rule.settings.description


def kind_of(rule: Rule) -> str:
    """How the rule makes jobs, in the language's own words."""
    if rule.traits.phony:
        return "task"
    if rule.splits:
        return "split"
    if rule.value:
        return VALUE
    if rule.way is not None:
        return str(rule.way)
    return {COLLATE: "collate", PATTERN: "%", STATIC: "static"}.get(rule.flavour, "plain")


def count_of(world: Instantiation, rule: Rule, is_open: bool) -> str:
    """The number of jobs as far as it is known: `3`, of an open rule `?` or `3+`."""
    if not rule.settings.active:
        return "inactive"
    if rule.recipe is None:
        return "-"
    known = _jobs_known(world, rule)
    if known is None:
        return "on demand"
    if not is_open:
        return str(known)
    return f"{known}+" if known else "?"


def _jobs_known(world: Instantiation, rule: Rule) -> int | None:
    """How many jobs a rule has by now; None if it has them as others need them."""
    if rule.flavour == PATTERN:
        return None
    if rule.is_guest and rule.recipe is not None:
        return 1  # a makefile's jobs are made when they are asked for
    return len(world.jobs_of[rule.index])


def _shortened(words: Sequence[str]) -> str:
    """The first few words, and how many more there are."""
    more = len(words) - _MOST_WORDS
    if more <= 1:
        return " ".join(words)
    return f"{' '.join(words[:_MOST_WORDS])} ... ({more} more)"


# -- the rules as data ---------------------------------------------------------------------


def _json(project: Project) -> str:
    """The rules as a list of objects."""
    from json import dumps

    world = project.loaded.world
    still_open = open_rules(world)
    rules = world.pipeline.rules
    return dumps([_rule_data(world, each, each.index in still_open) for each in rules], indent=2)


def _rule_data(world: Instantiation, rule: Rule, is_open: bool) -> dict[str, object]:
    return {
        "name": rule.name,
        "default": rule is world.pipeline.default,
        "kind": kind_of(rule),
        "active": rule.settings.active,
        "recipe": rule.recipe is not None,
        "jobs": _jobs_known(world, rule),
        "open": is_open,
        "goals": _goals(world, rule, is_open),
        "targets": target_words(rule),
        "prerequisites": prerequisite_words(rule),
        "order_only": later_words(rule),
        "description": rule.settings.description,
        **place_data(rule.span),
    }


def _goals(world: Instantiation, rule: Rule, is_open: bool) -> list[str]:
    """The words to ask for to have all jobs of a rule; none where no words say that, or too many
    would have to."""
    if not rule.settings.active or rule.flavour == PATTERN:
        return []
    if rule.name:
        return [rule.name]
    literals = [each.literal for each in rule.targets if each.literal is not None]
    if len(literals) == len(rule.targets):
        found = literals[:1] if rule.grouped else literals
    else:
        found = [] if is_open else [job.name for job in world.jobs_of[rule.index]]
    return found if len(found) <= _MOST_GOALS else []


# -- words as they are written -------------------------------------------------------------


def target_words(rule: Rule) -> list[str]:
    """The targets of a rule as words of a header, with the values of variables put in."""
    if rule.flavour == PATTERN:
        return [_quoted(text, keep="%") for text in rule.patterns]
    if rule.value:
        return [rule.name]
    return [word_of(each) for each in rule.targets]


def prerequisite_words(rule: Rule) -> list[str]:
    """The prerequisites as words, the driver first if it is one of them."""
    if rule.flavour in (PATTERN, STATIC):
        return [_quoted(text, keep="%") for text in rule.sources]
    drivers = [] if rule.for_each else _driver_words(rule)
    return [*drivers, *map(word_of, rule.prerequisites)]


def later_words(rule: Rule) -> list[str]:
    """The order-only prerequisites as words."""
    if rule.flavour in (PATTERN, STATIC):
        return [_quoted(text, keep="%") for text in rule.later]
    return [word_of(each) for each in rule.order_only]


def _driver_words(rule: Rule) -> list[str]:
    """One word for each place: a list drives the rule as a whole, and written out only its first
    item would."""
    by_place: dict[int, list[Template]] = {}
    for driver, place in zip(rule.drivers, rule.places, strict=True):
        by_place.setdefault(place, []).append(driver)
    return [word_of(one[0]) if len(one) == 1 else written(one[0]) for one in by_place.values()]


def written(template: Template) -> str:
    """The word of the Pipefile that a template came from, as it stands there."""
    span = template.span
    return span.source.text[span.start : span.end]


def word_of(template: Template) -> str:
    """A template as a word that reads as the same template again."""
    alias = f"{template.alias}=" if template.alias else ""
    if template.rule:
        return f"{alias}<{template.rule}>"
    if template.call is not None:
        return f"{alias}{template.call}"
    return alias + _joined(template.pieces)


def _joined(pieces: Iterable[str | Wild | Capture | Hole]) -> str:
    """Pieces as one word, in quotes if its text needs them."""
    pieces = list(pieces)
    text = "".join(_escaped(each) if isinstance(each, str) else str(each) for each in pieces)
    plain = "".join(each for each in pieces if isinstance(each, str))
    return f'"{text}"' if any(char in ' \t:|#=&<"\\' for char in plain) or not text else text


def _quoted(text: str, keep: str = "") -> str:
    """A literal text as a word; the characters to keep are not escaped."""
    word = _joined([text])
    return word.replace("\\" + keep, keep) if keep else word


def _escaped(text: str) -> str:
    return "".join("\\" + char if char in '\\"<*?[%' else char for char in text)


# -- variables and rules in full -----------------------------------------------------------


def _data_base(project: Project) -> Iterator[str]:
    """Variables, Python blocks and rules as sections of text that can be read as a Pipefile."""
    pipeline = project.loaded.pipeline
    yield "\n".join(["# variables", *map(_assignment, *_columns(pipeline))])
    blocks = [block for source in project.loaded.sources for block in _python_blocks(source)]
    if blocks:
        yield "\n\n".join(["# Python", *blocks])
    tasks = " ".join(map(_quoted, pipeline.phony))
    yield f"# rules\n.PHONY: {tasks}" if tasks else "# rules"
    yield from (f"include {_quoted(name)}" for name in pipeline.makefiles)
    for rule in pipeline.rules:
        if not rule.is_guest:
            yield _rule(rule, rule is pipeline.default)


def _columns(pipeline: Pipeline) -> tuple[list[str], list[Any], list[str]]:
    names = list(pipeline.variables)
    return (
        names,
        [pipeline.variables[name] for name in names],
        [pipeline.origins.get(name, "file") for name in names],
    )


def _assignment(name: str, value: Any, origin: str) -> str:
    text = _python_text(value)
    return f"{name} = {text}  # {origin}" if text else f"# {name} = {value!r}  # {origin}"


def _python_text(value: Any) -> str:
    """An expression that gives the value, or nothing if none is known."""
    from ast import literal_eval

    if hasattr(value, "__fspath__"):
        return f"Path({os.fspath(value)!r})"
    text = repr(value)
    try:
        return text if literal_eval(text) == value else ""
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""


def _python_blocks(source: Source) -> Iterator[str]:
    """The top-level Python blocks of a file, as they are written."""
    text, before = source.text, ""
    for part in cut(text):
        if isinstance(part, Block) and before.rstrip(": \t") == "python":
            yield f"python:\n{text[part.start : part.end]}"
        if isinstance(part, Line | Block):
            before = text[part.start : part.end] if isinstance(part, Line) else ""


def _rule(rule: Rule, is_default: bool) -> str:
    lines = [f"# {rule.span}{', the default goal' if is_default else ''}"]
    lines += _attributes(rule.settings)
    lines.append(header_of(rule))
    if rule.recipe is not None:
        lines.append(_recipe_text(rule.recipe))
    return "\n".join(lines)


def header_of(rule: Rule) -> str:
    """The header of a rule, with the values of variables put in."""
    has_kind = rule.splits or rule.value or rule.flavour in (COLLATE, TUPLE)
    kind = f"{kind_of(rule)} " if has_kind else ""
    colon = " &:" if rule.grouped and len(rule.targets) > 1 and not rule.value else ":"
    parts = [f"{rule.name}{colon}"] if rule.name and not rule.value else []
    parts.append(" ".join(target_words(rule)) + (":" if rule.name else colon))
    if rule.flavour == STATIC:
        parts.append(" ".join(_quoted(text, keep="%") for text in rule.patterns) + ":")
    parts += prerequisite_words(rule)
    if later := later_words(rule):
        parts += ["|", *later]
    return kind + " ".join(parts)


def _recipe_text(recipe: RecipeTemplate) -> str:
    """The block of a rule as it is written, its indentation included."""
    span = recipe.span
    _, column = span.place
    return span.source.text[span.start - column + 1 : span.end]


_SWITCHES = {
    "always": "always",
    "atomic": "atomic",
    "cached": "cached",
    "ignore_errors": "ignore_errors",
    "optional": "optional",
    "phony": "phony",
    "precious": "precious",
    "protected": "protected",
    "silent": "silent",
    "temporary": "temp",
}

_VALUES: dict[str, Callable[[Settings], str]] = {
    "active_if": lambda s: "" if s.active else "False",
    "before": lambda s: _listed([hook for hook, _ in s.before]),
    "depends": lambda s: ", ".join(each.text for each in s.depends),
    "depfile": lambda s: _listed([s.depfile]),
    "desc": lambda s: _listed([s.description]),
    "env": lambda s: _named(s.environment),
    "follows": lambda s: _listed(s.follows),
    "for_each": lambda s: ", ".join(
        f"{name}={_value(text)}" if name else _value(text) for text, name, _ in s.driving
    ),
    "jobs_limit": lambda s: str(s.limit) if s.limit and not s.pool else "",
    "mkdir": lambda s: _listed(s.folders),
    "params": lambda s: _named(s.params),
    "pool": lambda s: f"{s.pool!r}, {s.limit}" if s.pool else "",
    "posttask": lambda s: _listed(s.hooks),
    "resources": lambda s: _named(s.resources),
    "retries": lambda s: f"{s.retries}, {s.retry_delay:g}" if s.retries else "",
    "shell": lambda s: _listed([s.shell]),
    "timeout": lambda s: f"{s.timeout:g}" if s.timeout else "",
    "touch": lambda s: _listed(s.touch),
    "uptodate_if": lambda s: _listed([s.check]),
}


def _attributes(settings: Settings) -> list[str]:
    """The lines that set what the settings say."""
    lines = [f"@{name}" for field, name in _SWITCHES.items() if getattr(settings, field)]
    lines += [f"@{name}({text})" for name, tell in _VALUES.items() if (text := tell(settings))]
    return lines


def _listed(values: Iterable[object]) -> str:
    return ", ".join(_value(each) for each in values if each)


def _named(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    """A value in an attribute; functions by their names."""
    if callable(value):
        return str(getattr(value, "__name__", repr(value)))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _python_text(value) or repr(value)
