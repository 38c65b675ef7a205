"""From arguments to what is opened and how it is built."""

from __future__ import annotations

from collections.abc import Sequence

from pybuild import __version__
from pybuild.cli.frontend import is_makefile, usual_makefile
from pybuild.cli.make_graph import Makefiles
from pybuild.cli.options import Arguments, UsageError
from pybuild.engine.key import STATE_FOLDER, flat_path, load_key
from pybuild.engine.staleness import Level
from pybuild.kept import Head
from pybuild.phases import Phases
from pybuild.project import Opening, Project, Wish

_LEVELS = {level.name.lower(): level for level in Level}


def open_project(arguments: Arguments) -> Project:
    """Opens the project that the arguments name. Raises BuildError if its Pipefile is wrong."""
    project = open_with_errors(arguments)
    project.refuse_errors()
    return project


def open_with_errors(arguments: Arguments, phases: Phases | None = None) -> Project:
    """The same, with the mistakes left in `project.errors`."""
    project = project_of(arguments, phases)
    project.open()
    return project


def project_of(arguments: Arguments, phases: Phases | None = None) -> Project:
    """The project that the arguments name, not opened yet. `phases` notes how long it takes."""
    if arguments.program is not None and arguments.files:
        raise UsageError("`-f`: the rules of this pipeline are in Python")
    if len(arguments.files) > 1:
        raise UsageError("one `-f` at most: a Pipefile reads others with `include`")
    makefile, level = makefile_of(arguments), level_of(arguments)
    return Project(
        Opening(
            makefile or (arguments.files[0] if arguments.files else ""),
            {} if makefile else arguments.variables,
            "" if makefile else "\n".join(arguments.eval),
            arguments.environment_overrides,
            tuple(arguments.include),
            arguments.program,
            Makefiles(arguments, arguments.eval if makefile else (), by_time=level == Level.TIME),
        ),
        level,
        phases,
    )


def makefile_of(arguments: Arguments) -> str:
    """The makefile that is read instead of a Pipefile; "" if there is a Pipefile or a program."""
    if arguments.program is not None:
        return ""
    if arguments.files:
        return arguments.files[0] if is_makefile(arguments.files[0]) else ""
    return usual_makefile()


def words_of(arguments: Arguments, goals: Sequence[str]) -> tuple[object, ...]:
    """What of a command line decides of the graph of its goals."""
    return (
        arguments.files[0] if arguments.files else "",
        tuple(goals),
        tuple(arguments.variables.items()),
        "\n".join(arguments.eval),
        arguments.environment_overrides,
        tuple(arguments.include),
    )


def head_of(arguments: Arguments, names: Sequence[str]) -> Head:
    """Under what the graph of a command line is kept; `names` are what its goals are called."""
    key = load_key(__version__, words_of(arguments, arguments.goals))
    return Head(flat_path(STATE_FOLDER, key), key, goals=names)


def level_of(arguments: Arguments) -> Level:
    """`--checksum-level`, by number or name; where there is only a makefile, times count as in make
    unless it is given. Raises UsageError."""
    text = arguments.checksum_level or ("time" if makefile_of(arguments) else "content")
    if text in _LEVELS:
        return _LEVELS[text]
    if text.isdecimal() and int(text) <= max(Level):
        return Level(int(text))
    raise UsageError(f"`--checksum-level={text}`: it is 0 to 4, or {', '.join(_LEVELS)}")


def wish_of(arguments: Arguments) -> Wish:
    """How the build is to go. Raises UsageError."""
    if arguments.rebuild not in ("maximal", "minimal"):
        raise UsageError(f"`--rebuild={arguments.rebuild}`: it is `maximal` or `minimal`")
    return Wish(
        level=level_of(arguments),
        jobs=_jobs(arguments.jobs or ("1" if makefile_of(arguments) else "")),
        resources=_resources(arguments.resources),
        minimal=arguments.rebuild == "minimal",
        keep_going=arguments.keep_going,
        ignore_errors=arguments.ignore_errors,
        everything=arguments.always_make,
        forced=frozenset(arguments.forced),
        dry=arguments.dry_run,
        question=arguments.question,
        touch=arguments.touch,
        stream=_stream(arguments.output_sync),
        load_limit=_number(arguments.load, "-l"),
        new=frozenset(arguments.new),
        old=frozenset(arguments.old),
        shuffle=_shuffle(arguments.shuffle),
    )


def _jobs(text: str) -> int:
    if not text:
        return 0
    if text == "-1":
        return -1
    if not text.isdecimal() or int(text) == 0:
        raise UsageError(f"`-j{text}`: the number of jobs is a whole number from 1")
    return int(text)


def _number(text: str, option: str) -> float:
    try:
        return float(text or 0)
    except ValueError:
        raise UsageError(f"`{option} {text}`: that is no number") from None


def _stream(kind: str) -> bool | None:
    if kind in ("", "line", "recurse"):
        return None
    if kind in ("target", "none"):
        return kind == "none"
    raise UsageError(f"`-O{kind}`: it is `none`, `line`, `target` or `recurse`")


def _shuffle(how: str) -> str:
    if how in ("", "random", "reverse", "identity", "none") or how.isdecimal():
        return how
    raise UsageError(
        f"`--shuffle={how}`: it is `random`, `reverse`, `identity`, `none` or a whole number"
    )


def _resources(texts: list[str]) -> dict[str, float]:
    from pybuild.pipefile.attributes import amount

    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            if not name or not equals:
                raise ValueError("it is written NAME=AMOUNT")
            found[name] = amount(value)
        except ValueError as error:
            raise UsageError(f"`--resources={text}`: {error}") from None
    return found
