"""The narrow middle of the house: jobs, what they run, and who makes which file. Data only.

Both front ends write these; the engine, the runners and the reports read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import CodeType

from pybuild.source import Span
from pybuild.typed import Any, NamedTuple, Protocol


class ShellPart(NamedTuple):
    """A script for a shell. `shell` is the command that takes the text as its last argument.
    `ignore_errors` and `always` are make's `-` and `+` where they are those of one line alone."""

    text: str
    shell: tuple[str, ...] = ("bash", "-euo", "pipefail", "-c")
    ignore_errors: bool = False
    always: bool = False


class ScriptPart(NamedTuple):
    """A script that starts with `#!`; `program` is what that line names."""

    text: str
    program: tuple[str, ...]


VALUE_FOLDER = ".pybuild/values/"  # files that stand for Python objects: their digests, their bytes


class ValueFiles(NamedTuple):
    """What stands on disk for a Python object: the file with its digest, and the one with its bytes
    ("" if they are not kept). Where nothing can be told of an object, the digest of its recipe and
    the bytes of its inputs stand for it."""

    digest: str
    kept: str
    recipe: bytes
    inputs: tuple[str, ...]


class PythonPart(NamedTuple):
    """A block of Python. `namespace` has what the build file defined, `names` what this job adds.

    `paths` are names whose values are file names (or lists of them) to be given as `Path`s,
    `values` those whose values are objects that other blocks return. If the block itself `returns`
    something, a figure is saved to the first of `outputs` that is left, an object kept in the files
    of `value`; where it is made again, with these variables in its `environment`. `code_digest`
    tells functions, classes and modules of the build file apart by their code.
    """

    code: CodeType
    namespace: Mapping[str, Any]
    names: Mapping[str, Any]
    paths: Mapping[str, str | list[str]]
    values: Mapping[str, PythonPart] = {}
    returns: bool = False
    outputs: tuple[str, ...] = ()
    value: ValueFiles | None = None
    environment: tuple[tuple[str, str], ...] = ()
    code_digest: Callable[[Any], bytes] | None = None


def told_name(name: str) -> str:
    """A file's name as people are told it: a value by the name of its rule."""
    return f"<{name.removeprefix(VALUE_FOLDER)}>" if name.startswith(VALUE_FOLDER) else name


Part = ShellPart | ScriptPart | PythonPart


class Script(NamedTuple):
    """What a job runs, with all names filled in: parts one after the other. `unset` are variables
    of the environment that it does not get."""

    parts: tuple[Part, ...]
    echo: str
    silent: bool = False
    ignore_errors: bool = False
    always: bool = False  # make's `+`: runs even in a dry run
    environment: tuple[tuple[str, str], ...] = ()
    folders: tuple[str, ...] = ()
    touch: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


class Recipe(Protocol):
    """How a job is done. The digests tell whether it is still done in the same way."""

    @property
    def text_digest(self) -> bytes:
        """Of the text as written and of the code it reaches."""

    @property
    def values_digest(self) -> bytes:
        """Of the values that it uses: variables, captures, attributes."""

    @property
    def values_key(self) -> bytes:
        """Of what `values` returns: many jobs share one set of values."""

    def values(self) -> Mapping[str, str]:
        """Each value used that all jobs of the rule share, as text: for telling what changed."""

    def expand(self, job: Job, changed: Sequence[str], outputs: Sequence[str]) -> Script:
        """The script for a job. `changed` are its inputs that are newer than its outputs;
        `outputs` are the names to write to (temporary ones for an atomic job).
        Raises BuildError."""

    def expand_attribute(self, job: Job, text: str) -> str:
        """A text of an attribute (a depfile's name) with its placeholders filled in."""


class Traits(NamedTuple):
    """How the jobs of one rule are run and judged; shared by all of them. Times in seconds.
    `always`: what is told as the reason to run each time, or nothing. `optional`: the recipe need
    not make its files, and those that are not there when it is over count as made each time.
    `folders`: files may be folders. `told_by_itself`: prerequisites may be read from what the
    recipe wrote, so that one which was not recorded is news only if it is young. `service`: a task
    that goes on while a watch builds."""

    rule: str
    description: str = ""
    phony: bool = False
    temporary: bool = False
    protected: bool = False
    precious: bool = False
    atomic: bool = False
    always: str = ""
    silent: bool = False
    ignore_errors: bool = False
    depfile: str = ""
    pool: str = ""
    resources: Mapping[str, float] = {}
    retries: int = 0
    retry_delay: float = 0.0
    timeout: float = 0.0
    touch_last: tuple[str, ...] = ()
    hooks: tuple[Callable[[], object] | str, ...] = ()
    check: Callable[..., object] | None = None
    optional: bool = False
    folders: bool = False
    told_by_itself: bool = False
    service: bool = False


class Job:
    """One recipe on concrete names; compared by identity.

    `name` is unique in the graph and the same in the next run: the first output, or what stands
    for it. `patterns` are the globs of a split, whose outputs are known only after it ran.
    `inputs` and `order_only` are filled in when the job is closed (`Grow.close`).
    """

    __slots__ = (
        "binding",
        "inputs",
        "name",
        "number",
        "order_only",
        "origin",
        "outputs",
        "patterns",
        "recipe",
        "traits",
    )

    def __init__(
        self,
        name: str,
        outputs: tuple[str, ...],
        traits: Traits,
        origin: Span,
        recipe: Recipe | None = None,
        patterns: tuple[Any, ...] = (),
        binding: Any = None,
    ) -> None:
        self.name = name
        self.number = -1
        self.outputs = outputs
        self.inputs: tuple[str, ...] = ()
        self.order_only: tuple[str, ...] = ()
        self.recipe = recipe
        self.traits = traits
        self.origin = origin
        self.patterns = patterns
        self.binding = binding

    def __repr__(self) -> str:
        return f"Job({self.name!r})"


class Header(NamedTuple):
    """A rule of a makefile as it is told: its `label`, and words with `%` if it is a pattern."""

    label: str
    targets: tuple[str, ...]
    prerequisites: tuple[str, ...]
    order_only: tuple[str, ...]
    is_pattern: bool
    has_recipe: bool
    traits: Traits
    origin: Span


class Graph:
    """All jobs known so far, and who makes each file. Jobs are only ever added. `has_tasks` says
    that some job has no files: what needs it always runs."""

    __slots__ = ("has_tasks", "jobs", "pools", "producer")

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.producer: dict[str, Job] = {}
        self.pools: dict[str, int] = {}
        self.has_tasks = False

    def add(self, job: Job) -> None:
        """Adds a job and its known outputs. Two jobs for one file are the caller's to see."""
        job.number = len(self.jobs)
        self.jobs.append(job)
        for output in job.outputs:
            self.producer[output] = job
        if job.traits.phony and (job.recipe is not None or job.traits.optional):
            self.has_tasks = True
            self.producer[job.name] = job
