"""Pipelines written in Python: `from pybuild import Pipeline`.

A pipeline collects what it is told: targets, prerequisites and a function or shell text for each
rule. Only when it is run these become the statements that a Pipefile would have had, and go the
same way from there.
"""

from __future__ import annotations

import inspect
import linecache
import os
import sys
import textwrap
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn, TypeVar

from pybuild.cli.build import build_all
from pybuild.cli.flowchart import flowchart
from pybuild.cli.opening import wish_of
from pybuild.cli.options import Arguments, UsageError
from pybuild.dryrun import Silent
from pybuild.engine.build import Interrupted
from pybuild.engine.events import Complaint, Event, Judged, Started, Summary, Unknown
from pybuild.engine.ports import Report
from pybuild.engine.staleness import Stale
from pybuild.phases import Phases
from pybuild.pipefile import syntax
from pybuild.pipefile.attributes import ATTRIBUTES
from pybuild.pipefile.parse import told_word
from pybuild.pipefile.program import Reading
from pybuild.pipefile.recipe import names_in, text_holes
from pybuild.pipefile.rules import VALUE
from pybuild.pipefile.usercode import UserCode
from pybuild.report.diagnostics import render
from pybuild.report.plain import PlainReport, Tone
from pybuild.report.reasons import sentence
from pybuild.source import BuildError, Diagnostic, Source, Span, did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])
Word = Any  # a text, a path, a function that is a rule, a `Rule`, or a mapping from names to these
Words = Any  # one of these, or a list of them


class PipelineError(Exception):
    """Something is wrong with a pipeline; nothing was run. The message is what the command line
    would print."""


class JobsFailed(Exception):
    """Jobs have failed. `failures` are their names, each with what went wrong."""

    def __init__(self, failures: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {error}" for name, error in failures.items()))
        self.failures = failures


class Result(NamedTuple):
    """What a run came to: the names of jobs that ran and went well, the number of those that were
    up to date, failures (name and error), the names of jobs left out because of them, and what was
    wrong with the pipeline where `keep_going` went on all the same."""

    ran: tuple[str, ...]
    up_to_date: int
    failures: Mapping[str, str]
    skipped: tuple[str, ...]
    problems: tuple[str, ...]
    seconds: float


class PlannedJob(NamedTuple):
    """A job that a run would come to. `runs` says whether it would run, `why` for which reasons;
    None: that is known only when a split has run."""

    name: str
    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    runs: bool | None
    why: tuple[str, ...]


class Rule(NamedTuple):
    """A rule of a pipeline, to be named among the prerequisites of another."""

    pipeline: Pipeline
    name: str


class _Draft(NamedTuple):
    """A rule as it was told."""

    kind: str
    name: str
    targets: Words
    prerequisites: tuple[Words, ...]
    order_only: Words
    recipe: Callable[..., Any] | str | None
    attributes: Mapping[str, Any]
    grouped: bool
    span: Span


class _Generator(NamedTuple):
    """A function that adds rules to its owner, from files that are made first."""

    owner: Pipeline
    files: tuple[str, ...]
    function: Callable[..., Any]
    span: Span


class _Inclusion(NamedTuple):
    """A Pipefile whose rules belong to the pipeline."""

    path: str
    span: Span


class Pipeline:
    """Rules, collected in Python.

    `name` is put before the names of its rules (`name_rule`), so that several copies can be in one
    pipeline. `variables` are names that texts may use as `<name>` and functions as parameters.
    """

    def __init__(self, name: str = "", **variables: Any) -> None:
        self.name = name
        self.variables = variables
        self._parts: list[_Part] = []
        self._originals: tuple[Pipeline, ...] = ()  # what it is a copy of

    # -- rules -----------------------------------------------------------------------------

    def rule(
        self,
        targets: Words,
        *prerequisites: Words,
        order_only: Words = (),
        name: str = "",
        recipe: str | None = None,
        grouped: bool = False,
        **attributes: Any,
    ) -> Any:
        """A rule. With a `recipe` in shell, or `recipe=""` for none, it is returned; without, what
        is returned takes the function that is the recipe, as a decorator, and gives it back.
        `grouped`: one job makes all targets, though they have no placeholders."""
        return self._rule(
            "",
            targets,
            prerequisites,
            order_only=order_only,
            name=name,
            recipe=recipe,
            grouped=grouped,
            **attributes,
        )

    def collate(self, targets: Words, *prerequisites: Words, **more: Any) -> Any:
        """Like `rule`; matches that give the same targets are one job."""
        return self._rule("collate", targets, prerequisites, **more)

    def split(self, targets: Words, *prerequisites: Words, **more: Any) -> Any:
        """Like `rule`; targets may be globs, whose files are known when the job has run."""
        return self._rule("split", targets, prerequisites, **more)

    def product(self, targets: Words, *prerequisites: Words, **more: Any) -> Any:
        """Like `rule`; one job for each way to take one file of each prerequisite."""
        return self._rule("product", targets, prerequisites, **more)

    def combinations(self, size: int, targets: Words, *prerequisites: Words, **more: Any) -> Any:
        """Like `rule`; one job for each set of `size` files of the first prerequisite."""
        return self._rule(f"combinations({size})", targets, prerequisites, **more)

    def permutations(self, size: int, targets: Words, *prerequisites: Words, **more: Any) -> Any:
        """Like `combinations`; every order of the files is a job."""
        return self._rule(f"permutations({size})", targets, prerequisites, **more)

    def combinations_with_replacement(
        self, size: int, targets: Words, *prerequisites: Words, **more: Any
    ) -> Any:
        """Like `combinations`; a file may be taken more than once."""
        kind = f"combinations_with_replacement({size})"
        return self._rule(kind, targets, prerequisites, **more)

    def value(self, *prerequisites: Words, **more: Any) -> Any:
        """Like `rule`, for what is no file: the object that the function returns. Functions that
        have it among their prerequisites take it as a parameter with its name."""
        return self._rule(VALUE, (), prerequisites, **more)

    def task(self, name: str, *prerequisites: Words, **more: Any) -> Any:
        """Like `rule`, for what makes no files: it runs whenever it is wanted."""
        return self._rule("", name, prerequisites, **more, phony=True)

    def _rule(
        self,
        kind: str,
        targets: Words,
        prerequisites: tuple[Words, ...],
        *,
        order_only: Words = (),
        name: str = "",
        recipe: str | None = None,
        grouped: bool = False,
        **attributes: Any,
    ) -> Any:
        span = _caller()
        _check_attributes(attributes, span)

        def add(body: Callable[..., Any] | str | None, name: str) -> None:
            self._parts.append(
                _Draft(
                    kind, name, targets, prerequisites, order_only, body, attributes, grouped, span
                )
            )

        if recipe is not None:
            add(textwrap.dedent(recipe).strip("\n") or None, name)
            return Rule(self, name)

        def take(function: Function) -> Function:
            if not callable(function):
                raise _wrong("PB221", f"a recipe is a function or a text, not {function!r}", span)
            own = getattr(function, "__name__", "")
            is_name = own.isidentifier() and "phony" not in attributes
            add(function, name or (own if is_name else ""))
            return function

        return take

    def generate(self, *files: str | os.PathLike[str]) -> Callable[[Function], Function]:
        """A decorator: the function adds rules when these files are made, with the files as
        arguments (`Path`s). It is called at each start, so it has to add the same rules for the
        same files."""
        span = _caller()

        def take(function: Function) -> Function:
            names = tuple(os.fspath(each) for each in files)
            self._parts.append(_Generator(self, names, function, span))
            return function

        return take

    def include(self, path: str | os.PathLike[str]) -> None:
        """The rules of a Pipefile belong to this pipeline."""
        self._parts.append(_Inclusion(os.fspath(path), _caller()))

    # -- pipelines of pipelines ------------------------------------------------------------

    def add(self, other: Pipeline) -> Pipeline:
        """The rules of another pipeline belong to this one; returns the other."""
        self._parts.append(other)
        return other

    def clone(self, name: str, **variables: Any) -> Pipeline:
        """A copy with other values of its variables, and another name."""
        copy = Pipeline(name, **{**self.variables, **variables})
        copy._originals = (self, *self._originals)
        for part in self._parts:
            if isinstance(part, Pipeline):
                part = part.clone(_prefixed(name, part.name), **variables)
            copy._parts.append(part)
        return copy

    def __getitem__(self, name: str) -> Rule:
        """A rule by its name, to be used as a prerequisite: all its outputs."""
        known = [each.name for each in self._parts if isinstance(each, _Draft)]
        if name not in known:
            raise KeyError(f"{name}: {did_you_mean(name, known) or 'there is no such rule'}")
        return Rule(self, name)

    # -- running ---------------------------------------------------------------------------

    def read(self) -> Reading:
        """The statements that the pipeline comes to now. Raises BuildError."""
        return _Writer(self).reading()

    def run(
        self,
        targets: Iterable[Word] = (),
        *,
        jobs: int = 0,
        rebuild: str = "maximal",
        checksum_level: str | int = "content",
        keep_going: bool = False,
        force: Iterable[Word] = (),
        touch: bool = False,
        verbose: bool = True,
        check: bool = True,
    ) -> Result:
        """Brings targets up to date (files, functions or `Rule`s; none: the first rule). `jobs` is
        how many run at once (0: one for each CPU). What recipes print is printed, unless `verbose`
        is False. Raises PipelineError if something is wrong with the pipeline, JobsFailed if
        `check` and a job has failed. With `keep_going`, what can be made is made first."""
        arguments = self._arguments(targets)
        arguments.jobs = str(jobs) if jobs else ""
        arguments.rebuild = rebuild
        arguments.checksum_level = str(checksum_level)
        arguments.keep_going = keep_going
        arguments.forced = self._goals(force)
        arguments.touch = touch
        result = _Results(arguments, verbose).result()
        if check and result.problems:
            raise PipelineError("\n".join(result.problems))
        if check and result.failures:
            raise JobsFailed(result.failures)
        return result

    def plan(
        self,
        targets: Iterable[Word] = (),
        *,
        rebuild: str = "maximal",
        checksum_level: str | int = "content",
        force: Iterable[Word] = (),
    ) -> list[PlannedJob]:
        """The jobs that `run` would come to, in its order, without running any. Raises
        PipelineError."""
        arguments = self._arguments(targets)
        arguments.dry_run = True
        arguments.rebuild = rebuild
        arguments.checksum_level = str(checksum_level)
        arguments.forced = self._goals(force)
        return _Plan(arguments).jobs()

    def flowchart(self, path: str | os.PathLike[str], *, jobs: bool = False) -> None:
        """Draws the rules, or the jobs, to a file: .svg .html .dot .png .pdf .mermaid. Raises
        PipelineError."""
        arguments = self._arguments(())
        arguments.flowchart = os.fspath(path)
        arguments.flowchart_jobs = jobs
        with _told():
            flowchart(arguments)

    def main(self, words: Sequence[str] | None = None) -> NoReturn:
        """The command line of `pybuild`, for this pipeline. Ends the process."""
        from pybuild.cli.main import main

        main(words, program=self)

    def _arguments(self, targets: Iterable[Word]) -> Arguments:
        arguments = Arguments()
        arguments.program = self
        arguments.goals = self._goals(targets)
        return arguments

    def _goals(self, words: Word | Iterable[Word]) -> list[str]:
        """What the command line would have been told."""
        if isinstance(words, str | os.PathLike) or _is_rule(words):
            words = [words]
        names = []
        writer: _Writer | None = None
        for word in words:
            if _is_rule(word):
                with _told():
                    writer = writer or _Writer(self)
                    names.append(writer.name_of(word, _caller(), (self,)))
            else:
                names.append(os.fspath(word))
        return names


_Part = _Draft | _Generator | _Inclusion | Pipeline


def _prefixed(prefix: str, name: str) -> str:
    return f"{prefix}_{name}" if prefix else name


def _is_rule(word: Word) -> bool:
    """Whether it stands for a rule."""
    return isinstance(word, Rule) or callable(word)


# -- from what was told to statements ---------------------------------------------------------


class _Place(NamedTuple):
    """A rule or an inclusion, and the pipelines that it is in, the innermost first."""

    part: _Draft | _Inclusion
    within: tuple[Pipeline, ...]


class _Writer:
    """Turns a pipeline, and those in it, into statements. Generators are called; what they add is
    not kept."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.names: dict[str, Any] = {}
        self.files: list[tuple[str, Span]] = []
        self.places = [*self._spread()]
        # Which rules a handle or a function can mean, and which only as the copy of its pipeline.
        self.meant: dict[Hashable, list[_Place]] = {}
        self.copied: dict[Hashable, list[_Place]] = {}
        for place in self.places:
            if isinstance(place.part, _Draft) and place.part.name:
                name, recipe, (owner, *_) = place.part.name, place.part.recipe, place.within
                self.meant.setdefault((id(owner), name), []).append(place)
                if callable(recipe):
                    self.meant.setdefault(id(recipe), []).append(place)
                for original in owner._originals:
                    self.copied.setdefault((id(original), name), []).append(place)

    def _spread(self) -> Iterator[_Place]:
        """All that is in the pipeline, in its order."""
        members: dict[Pipeline, tuple[Pipeline, ...]] = {self.pipeline: (self.pipeline,)}
        waiting = deque((part, members[self.pipeline]) for part in self.pipeline._parts)
        while waiting:
            part, within = waiting.popleft()
            if isinstance(part, Pipeline):
                members[part] = (part, *within)
                waiting.extendleft((each, members[part]) for each in reversed(part._parts))
            elif isinstance(part, _Generator):
                members.setdefault(part.owner, within)
                added = self._generated(part, members)
                waiting.extendleft(
                    (each, within if owner is part.owner else members[owner])
                    for owner, parts in reversed(added)
                    for each in reversed(parts)
                )
            else:
                yield _Place(part, within)

    def _generated(
        self, generator: _Generator, members: Iterable[Pipeline]
    ) -> list[tuple[Pipeline, list[_Part]]]:
        """What a generator adds to its pipeline, and to others, if its files are there."""
        self.files += [(name, generator.span) for name in generator.files]
        if not all(map(os.path.exists, generator.files)):
            return []
        before = [(each, len(each._parts)) for each in members]
        try:
            with UserCode(generator.span, "PB207"):
                generator.function(*map(Path, generator.files))
            return [(each, each._parts[size:]) for each, size in before]
        finally:
            for each, size in before:
                del each._parts[size:]

    def reading(self) -> Reading:
        """All statements. Raises BuildError."""
        statements = tuple(map(self._statement, self.places))
        script = next((each.span.source for each in statements), Source("pipeline", ""))
        return Reading(syntax.Tree(script, statements, {}), self.names, self.files)

    def _statement(self, place: _Place) -> syntax.Statement:
        part, within = place
        if isinstance(part, _Inclusion):
            return syntax.Include(part.span, (_text_word(part.path, part.span),), False)
        return self._rule(part, within)

    def _rule(self, draft: _Draft, within: tuple[Pipeline, ...]) -> syntax.Rule:
        span = draft.span
        name = draft.name and _prefixed(within[0].name, draft.name)
        targets = self._words(draft.targets, span, within)
        prerequisites = self._words(draft.prerequisites, span, within)
        order_only = self._words(draft.order_only, span, within)
        block: syntax.Block | syntax.FunctionCall | None = None
        used = _names_in_texts(draft.attributes, span)
        if callable(draft.recipe):
            block = self._call(draft, name)
            used |= {*block.required, *block.optional}
        elif draft.recipe is not None:
            rows = tuple((0, row) for row in draft.recipe.split("\n"))
            block = syntax.Block(span, rows)
            used |= _names_in_texts(draft.recipe, span)
        params = {key: value for key, value in within[0].variables.items() if key in used}
        decorations = tuple(self._decorations(draft, params, within))
        segments: tuple[tuple[syntax.Word, ...], ...] = (targets, prerequisites)
        if draft.kind == VALUE:
            segments = (prerequisites,)
        if name:
            segments = ((_text_word(name, span),), *segments)
        return syntax.Rule(
            span, decorations, draft.kind, segments, draft.grouped, order_only, block
        )

    def _decorations(
        self, draft: _Draft, params: Mapping[str, Any], within: tuple[Pipeline, ...]
    ) -> Iterator[syntax.Decoration]:
        attributes = dict(draft.attributes)
        if params:
            attributes["params"] = {**params, **attributes.get("params", {})}
        for name, value in attributes.items():
            if value is False or value is None:
                continue
            if name == "follows":
                each = value if isinstance(value, list | tuple) else (value,)
                value = tuple(
                    self.name_of(one, draft.span, within) if _is_rule(one) else one for one in each
                )
            yield syntax.Decoration(draft.span, name, _given(value))

    def _call(self, draft: _Draft, name: str) -> syntax.FunctionCall:
        assert callable(draft.recipe)
        key = f"_{name or len(self.names)}__function"
        self.names[key] = draft.recipe
        title = getattr(draft.recipe, "__name__", repr(draft.recipe))
        required: list[str] = []
        optional: list[str] = []
        for each in inspect.signature(draft.recipe).parameters.values():
            if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD, each.POSITIONAL_ONLY):
                raise _mistake(
                    "PB221",
                    f"`{each}`: a recipe takes what it needs by name",
                    draft.span,
                    "for instance `input`, `inputs`, `output`, `outputs`, a capture, a variable",
                )
            (required if each.default is each.empty else optional).append(each.name)
        return syntax.FunctionCall(draft.span, title, key, tuple(required), tuple(optional))

    # -- words -----------------------------------------------------------------------------

    def _words(
        self, words: Words, span: Span, within: tuple[Pipeline, ...]
    ) -> tuple[syntax.Word, ...]:
        if isinstance(words, Mapping):
            return tuple(
                each._replace(alias=name)
                for name, value in words.items()
                for each in self._words(value, span, within)
            )
        if _is_rule(words):
            return (_text_word(self.name_of(words, span, within), span),)
        if isinstance(words, list | tuple):
            return tuple(each for word in words for each in self._words(word, span, within))
        if isinstance(words, os.PathLike):
            return (_text_word(os.fspath(words), span),)
        if not isinstance(words, str) or not words:
            raise _mistake("PB221", f"{words!r} is no file, pattern or rule", span)
        return tuple(_filled(told_word(words, span), within[0].variables))

    def name_of(self, rule: Word, span: Span, within: tuple[Pipeline, ...]) -> str:
        """The name of a rule in the whole pipeline. What is nearest to the innermost of the
        pipelines `within` is meant; next to a copy, the copy's rule."""
        key = (id(rule.pipeline), rule.name) if isinstance(rule, Rule) else id(rule)
        for near in within:
            meant = [each for each in self.meant.get(key, ()) if near in each.within]
            copied = [each for each in self.copied.get(key, ()) if near in each.within]
            if meant or len(copied) == 1:
                (part, (owner, *_)) = (meant or copied)[0]
                assert isinstance(part, _Draft)
                return _prefixed(owner.name, part.name)
        told = getattr(rule, "__name__", None) or getattr(rule, "name", rule)
        raise _mistake("PB215", f"`{told}` is no rule of this pipeline", span)


def _names_in_texts(value: Any, span: Span) -> set[str]:
    """The names of all placeholders in a text, or in texts of which a value is made."""
    if isinstance(value, str):
        return {name for hole in text_holes(value, span) for name in names_in(hole.reference)}
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return set()
    return {name for each in value for name in _names_in_texts(each, span)}


def _filled(word: syntax.Word, variables: Mapping[str, Any]) -> Iterator[syntax.Word]:
    """A word with the variables of its pipeline put in; a list in it makes several."""
    for place, piece in enumerate(word.pieces):
        if not isinstance(piece, syntax.Placeholder) or piece.reference.trailers or piece.regex:
            continue
        if piece.reference.name not in variables:
            continue
        value = variables[piece.reference.name]
        for each in value if isinstance(value, list | tuple) else [value]:
            text = syntax.Text(
                piece.span, os.fspath(each) if hasattr(each, "__fspath__") else str(each)
            )
            pieces = (*word.pieces[:place], text, *word.pieces[place + 1 :])
            yield from _filled(word._replace(pieces=pieces), variables)
        return
    yield word


def _text_word(text: str, span: Span) -> syntax.Word:
    return syntax.Word(span, (syntax.Text(span, text),))


def _given(value: Any) -> syntax.Given:
    if value is True:
        return syntax.Given((), {})
    if isinstance(value, Mapping):
        return syntax.Given((), value)
    return syntax.Given(tuple(value) if isinstance(value, list | tuple) else (value,), {})


def _check_attributes(attributes: Iterable[str], span: Span) -> None:
    for name in attributes:
        if name not in ATTRIBUTES:
            raise _wrong(
                "PB220", f"there is no attribute `{name}`", span, did_you_mean(name, [*ATTRIBUTES])
            )


def _mistake(code: str, message: str, span: Span, help: str = "") -> BuildError:
    return BuildError(Diagnostic(code, message, span, help=help))


def _wrong(code: str, message: str, span: Span, help: str = "") -> PipelineError:
    return PipelineError(render(Diagnostic(code, message, span, help=help)))


_SOURCES: dict[str, tuple[list[str], Source]] = {}


def _source(path: str) -> Source:
    """A script, or a notebook's cell, as it is now; the same object while it does not change."""
    linecache.checkcache(path)
    lines = linecache.getlines(path)
    known = _SOURCES.get(path)
    if known is None or known[0] is not lines:
        shown = os.path.abspath(path).removeprefix(os.path.join(os.getcwd(), "")) if lines else path
        known = _SOURCES[path] = (lines, Source(shown, "".join(lines)))
    return known[1]


def _caller() -> Span:
    """The line outside of this module that calls it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    if frame is None:
        return Span(Source("pipeline", ""), 0, 0)
    source = _source(frame.f_code.co_filename)
    return source.line_span(frame.f_lineno) if source.text else Span(source, 0, 0)


# -- what a run comes to ----------------------------------------------------------------------


class _told:  # noqa: N801
    """Around a call of the house: what is wrong becomes a PipelineError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, BuildError):
            raise PipelineError("\n".join(map(render, error.diagnostics))) from None
        if isinstance(error, UsageError):
            raise PipelineError(str(error)) from None
        if isinstance(error, Interrupted):
            raise KeyboardInterrupt from None


class _Results(Report):
    """Runs a pipeline, and notes what it comes to."""

    def __init__(self, arguments: Arguments, verbose: bool) -> None:
        self.arguments = arguments
        self.inner: Report = PlainReport(Tone()) if verbose else Silent()
        self.interval = self.inner.interval
        self.started: dict[str, None] = {}
        self.summary: Summary | None = None
        self.problems: list[str] = []

    def handle(self, event: Event) -> None:
        if isinstance(event, Started):
            self.started[event.job.name] = None
        elif isinstance(event, Summary):
            self.summary = event
        elif isinstance(event, Complaint) and event.diagnostic.severity == "error":
            self.problems.append(render(event.diagnostic))
        self.inner.handle(event)

    def tick(self) -> None:
        self.inner.tick()

    def close(self) -> None:
        self.inner.close()

    def result(self) -> Result:
        """Runs it. Raises PipelineError, KeyboardInterrupt."""
        with _told():
            wish = wish_of(self.arguments)
            build_all(self.arguments, wish, self, "a pipeline in Python", Phases())
        if self.summary is None:
            return Result((), 0, {}, (), tuple(self.problems), 0.0)
        failures = {each.job.name: each.error for each in self.summary.failures}
        return Result(
            tuple(name for name in self.started if name not in failures),
            self.summary.up_to_date,
            failures,
            tuple(each.name for each in self.summary.skipped),
            tuple(self.problems),
            self.summary.seconds,
        )


class _Plan(_Results):
    """The jobs that a run would come to."""

    def __init__(self, arguments: Arguments) -> None:
        super().__init__(arguments, False)
        self.planned: dict[str, PlannedJob] = {}

    def handle(self, event: Event) -> None:
        super().handle(event)
        if isinstance(event, Judged):
            verdict = event.verdict
            stale = isinstance(verdict, Stale)
            why = tuple(map(sentence, verdict.reasons)) if isinstance(verdict, Stale) else ()
            self._note(event.job, stale, why)
        elif isinstance(event, Unknown):
            self._note(event.job, None, ())

    def _note(self, job: Any, runs: bool | None, why: tuple[str, ...]) -> None:
        if job.recipe is not None:
            self.planned[job.name] = PlannedJob(
                job.name, job.traits.rule, tuple(job.inputs), tuple(job.outputs), runs, why
            )

    def jobs(self) -> list[PlannedJob]:
        """All of them. Raises PipelineError."""
        self.result()
        return list(self.planned.values())
