"""The attributes of rules: what each takes, and what it sets.

The table `ATTRIBUTES` is the one place that knows them: checking, the reference and completion
read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from pybuild.pipefile.template import unfit
from pybuild.pipefile.usercode import argument_texts
from pybuild.regex import regex
from pybuild.source import Span
from pybuild.typed import Any, NamedTuple

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = regex(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_AMOUNT = regex(r"(\d+(?:\.\d+)?)\s*([kKmMgGtT]?)i?[bB]?")
_LONGEST_S = 1e9  # some thirty years: what clocks can count with
_LARGEST = 1e300  # beyond it whole numbers have no float
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class Invariant(NamedTuple):
    """What `@depends` names: as it is written, what it is, and where it stands."""

    text: str
    thing: Any
    place: Span


class Settings:
    """What the attributes of one rule say. Texts may hold placeholders.

    `at` is the attribute that is being applied, `arguments` what stands in its brackets. `places`
    maps texts of attributes to where they stand: those that may hold placeholders, and the names of
    rules and pools. `active` is worked out from `conditions`, which may be functions; `driving` are
    texts that drive the rule, each with its name ("" for none) and place. Rules without attributes
    share one object.
    """

    def __init__(self, at: Span) -> None:
        self.at = at
        self.arguments = ""
        self.places: dict[str, Span] = {}
        self.conditions: list[tuple[Any, Span]] = []
        self.active: bool = True
        self.always: bool = False
        self.atomic: bool = False
        self.before: list[tuple[Callable[..., object] | str, Span]] = []
        self.cached: bool = False
        self.check: Callable[..., object] | None = None
        self.depends: list[Invariant] = []
        self.depfile: str = ""
        self.driving: list[tuple[str, str, Span]] = []
        self.description: str = ""
        self.environment: dict[str, str] = {}
        self.follows: list[str] = []
        self.folders: list[str] = []
        self.hooks: list[Callable[[], object] | str] = []
        self.ignore_errors: bool = False
        self.limit: int = 0
        self.optional: bool = False
        self.params: dict[str, Any] = {}
        self.param_places: dict[str, Span] = {}
        self.phony: bool = False
        self.pool: str = ""
        self.precious: bool = False
        self.protected: bool = False
        self.resources: dict[str, float] = {}
        self.retries: int = 0
        self.retry_delay: float = 0.0
        self.service: bool = False
        self.shell: str = ""
        self.silent: bool = False
        self.temporary: bool = False
        self.timeout: float = 0.0
        self.touch: list[str] = []

    def placed(self, text: str) -> str:
        """The text, whose place is now known."""
        self.places.setdefault(text, self.at)
        return text


def duration(value: Any) -> float:
    """Seconds: a number, or a text such as `90s`, `10m`, `1h30m`. Raises ValueError."""
    seconds = _seconds(value)
    if seconds is None or not 0 <= seconds <= _LONGEST_S:
        raise ValueError(f"{value!r} is no duration such as 90, '90s', '10m' or '1h30m'")
    return seconds


def _seconds(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if value <= _LONGEST_S else None
    if isinstance(value, str):
        text = value.replace(" ", "")
        found = _DURATION.findall(text)
        if found and "".join(number + unit for number, unit in found) == text:
            return sum(float(number) * _UNITS[unit] for number, unit in found)
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text)
    return None


def amount(value: Any) -> float:
    """A number, or a text such as `2G` or `500 MB` (powers of 1024). Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LARGEST:
        return float(value)
    found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no amount such as 4, '2G' or '500M'")
    return float(found[1]) * 1024.0 ** _POWERS[found[2].lower()]


def _text(value: Any, what: str) -> str:
    if hasattr(value, "__fspath__"):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} has to be a text, not {value!r}")
    return _fit(value, what)


def _fit(text: str, what: str) -> str:
    fault = unfit(text)
    if fault:
        raise ValueError(f"{what} can't hold {fault}")
    return text


def _some(values: Collection[Any], what: str) -> None:
    if not values:
        raise ValueError(f"it names no {what}")


def _count(value: Any, what: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{what} has to be a whole number from {least}, not {value!r}")
    return value


def _switch(name: str) -> Callable[[Settings], None]:
    def switch_on(settings: Settings) -> None:
        setattr(settings, name, True)

    return switch_on


def _depends(settings: Settings, *things: Any) -> None:
    _some(things, "function, value, command or file")
    texts = argument_texts(settings.arguments, len(things))
    for text, thing in zip(texts, things, strict=True):
        settings.depends.append(Invariant(text, thing, settings.at))


def _depfile(settings: Settings, path: Any) -> None:
    settings.depfile = settings.placed(_text(path, "the path"))


def _follows(settings: Settings, *rules: Any) -> None:
    _some(rules, "rule")
    settings.follows += [settings.placed(_text(rule, "a rule")) for rule in rules]


def _for_each(settings: Settings, *words: Any, **named: Any) -> None:
    _some((*words, *named), "files")
    for name, word in (*(("", word) for word in words), *named.items()):
        settings.driving.append((_text(word, "a word"), name, settings.at))


def _active_if(settings: Settings, condition: Any) -> None:
    settings.conditions.append((condition, settings.at))


def _jobs_limit(settings: Settings, n: Any) -> None:
    settings.pool, settings.limit = "", _count(n, "the limit", 1)


def _pool(settings: Settings, name: Any, n: Any) -> None:
    settings.pool = settings.placed(_text(name, "the name"))
    settings.limit = _count(n, "the size", 1)


def _resources(settings: Settings, **amounts: Any) -> None:
    _some(amounts, "resource")
    settings.resources |= {name: amount(value) for name, value in amounts.items()}


def _retries(settings: Settings, n: Any, delay: Any = 0) -> None:
    settings.retries, settings.retry_delay = _count(n, "the number", 0), duration(delay)


def _timeout(settings: Settings, time: Any) -> None:
    settings.timeout = duration(time)


def _env(settings: Settings, **values: Any) -> None:
    _some(values, "variable")
    for name, value in values.items():
        if not name or "=" in name or unfit(name):
            raise ValueError(f"{name!r} is no name of a variable")
        settings.environment[name] = settings.placed(_fit(str(value), name))


def _shell(settings: Settings, command: Any) -> None:
    settings.shell = _text(command, "the command")


def _uptodate_if(settings: Settings, function: Any) -> None:
    if not callable(function):
        raise ValueError(f"it takes a function, not {function!r}")
    settings.check = function


def _posttask(settings: Settings, *hooks: Any) -> None:
    settings.hooks += _hooks(hooks)


def _before(settings: Settings, *hooks: Any) -> None:
    settings.before += [(hook, settings.at) for hook in _hooks(hooks)]


def _hooks(hooks: tuple[Any, ...]) -> tuple[Any, ...]:
    """Functions and commands. Raises ValueError for anything else."""
    _some(hooks, "function or command")
    for hook in hooks:
        if not callable(hook):
            _text(hook, "a hook that is no function")
    return hooks


def _touch(settings: Settings, *paths: Any) -> None:
    _some(paths, "path")
    settings.touch += [settings.placed(_text(path, "the path")) for path in paths]


def _mkdir(settings: Settings, *paths: Any) -> None:
    _some(paths, "path")
    settings.folders += [settings.placed(_text(path, "the path")) for path in paths]


def _params(settings: Settings, **values: Any) -> None:
    _some(values, "value")
    settings.params |= values
    settings.param_places |= dict.fromkeys(values, settings.at)


def _desc(settings: Settings, text: Any) -> None:
    settings.description = settings.placed(_text(text, "the description"))


class Spec(NamedTuple):
    """An attribute: how it is written, what it means, what it does."""

    usage: str
    meaning: str
    apply: Callable[..., None]


ATTRIBUTES: dict[str, Spec] = {
    "active_if": Spec(
        "@active_if(condition)",
        "without effect unless the condition is true: no jobs, no outputs, no error",
        _active_if,
    ),
    "always": Spec("@always", "the jobs run in every build that wants them", _switch("always")),
    "atomic": Spec(
        "@atomic",
        "`<output>` is a temporary name, renamed when the recipe has ended well",
        _switch("atomic"),
    ),
    "before": Spec(
        '@before(function or "command", ...)',
        "run before the recipe of each job, as a part of it that does not count",
        _before,
    ),
    "cached": Spec(
        "@cached",
        "of a `value`: the object is kept on disk, and not made again where it is needed",
        _switch("cached"),
    ),
    "depends": Spec(
        '@depends(function, value, "command", Path("file"), ...)',
        "what counts besides: code, a value, what a command prints, the bytes of a file",
        _depends,
    ),
    "depfile": Spec(
        "@depfile(path)",
        "what the compiler writes there (make's form) counts as prerequisites from the next run on",
        _depfile,
    ),
    "desc": Spec("@desc(text)", "shown by `--list` and while the jobs run", _desc),
    "env": Spec("@env(NAME=value, ...)", "environment variables of the recipe", _env),
    "follows": Spec(
        "@follows(rule, ...)", "runs after these rules; makes nothing out of date", _follows
    ),
    "for_each": Spec(
        "@for_each(word, ...)",
        "what drives the rule; the prerequisites behind the colon are the only inputs",
        _for_each,
    ),
    "ignore_errors": Spec(
        "@ignore_errors", "a failure of the recipe counts as success", _switch("ignore_errors")
    ),
    "jobs_limit": Spec("@jobs_limit(n)", "at most n jobs of the rule at once", _jobs_limit),
    "mkdir": Spec("@mkdir(path, ...)", "folders to make before a job runs", _mkdir),
    "optional": Spec("@optional", "to match nothing is no error", _switch("optional")),
    "params": Spec(
        "@params(name=value, ...)",
        "values that count as part of the recipe, and are names in it",
        _params,
    ),
    "phony": Spec("@phony", "the targets are tasks and no files", _switch("phony")),
    "pool": Spec(
        "@pool(name, n)", "at most n jobs at once of all rules that name this pool", _pool
    ),
    "posttask": Spec(
        '@posttask(function or "command", ...)',
        "called once after the rule's last job, if one of them ran",
        _posttask,
    ),
    "precious": Spec(
        "@precious",
        "pybuild never removes an output, not even what a split left",
        _switch("precious"),
    ),
    "protected": Spec(
        "@protected",
        "outputs are made read-only; a job that is out of date runs only with `--force`",
        _switch("protected"),
    ),
    "resources": Spec(
        "@resources(cpus=n, mem=amount, ...)",
        "what a job takes of `-j` and of `--resources` while it runs",
        _resources,
    ),
    "retries": Spec(
        "@retries(n, delay=0)", "a job that fails is tried up to n times again", _retries
    ),
    "service": Spec(
        "@service",
        "a task that goes on: with --watch, it is started again when what it needs has changed",
        _switch("service"),
    ),
    "shell": Spec("@shell(command)", "runs the recipe instead of `bash -euo pipefail`", _shell),
    "silent": Spec("@silent", "the recipe is not echoed", _switch("silent")),
    "temp": Spec(
        "@temp",
        "outputs are deleted once nothing needs them, and made again only if needed",
        _switch("temporary"),
    ),
    "timeout": Spec("@timeout(time)", "a job that takes longer is ended and has failed", _timeout),
    "touch": Spec(
        "@touch(path, ...)",
        "touched after a job, or without placeholders after the rule's last job",
        _touch,
    ),
    "uptodate_if": Spec(
        "@uptodate_if(function)",
        "called with inputs and outputs (lists of Path) instead of the usual checks",
        _uptodate_if,
    ),
}
