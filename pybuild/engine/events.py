"""What a build tells the world, in order. Reporters read these and nothing else."""

from __future__ import annotations

from pybuild.engine.staleness import Verdict
from pybuild.graph import Job, Script
from pybuild.source import Diagnostic
from pybuild.typed import NamedTuple


class Judged(NamedTuple):
    """A job was examined: up to date, or stale with its reasons. `outputs` is the number of its
    files, as far as they are known: those that a split made last time are."""

    job: Job
    verdict: Verdict
    outputs: int = 0


class Started(NamedTuple):
    """A job begins. `estimate` is how long it took last time, in seconds, or None."""

    job: Job
    script: Script
    attempt: int
    estimate: float | None


class Output(NamedTuple):
    """A job that is alone has printed something; others are told of in `Finished.output`."""

    job: Job
    data: bytes


class Finished(NamedTuple):
    """A job ended. `error` is empty if it went well; `again` says that it will be tried again.

    `output` is what it printed and has not been told yet; `log` the file that keeps it all.
    """

    job: Job
    seconds: float
    error: str = ""
    output: bytes = b""
    log: str = ""
    ignored: bool = False
    again: bool = False
    help: str = ""


class Unknown(NamedTuple):
    """A dry run can't tell about a job: the splits named have to run first."""

    job: Job
    splits: tuple[Job, ...]


class Removed(NamedTuple):
    """Files that pybuild took away: leftovers of a split, temporary files."""

    job: Job
    names: tuple[str, ...]


class Progress(NamedTuple):
    """How far the build is: jobs with a recipe that are settled, wanted, running; seconds left, if
    that can be told."""

    done: int
    wanted: int
    running: int
    remaining: float | None


class Message(NamedTuple):
    """Something that stops nothing but should be known: damaged state, a lock waited for."""

    text: str


class Complaint(NamedTuple):
    """A diagnostic that came up while building."""

    diagnostic: Diagnostic


class Failure(NamedTuple):
    """One failed job for the summary, with the last lines that it printed."""

    job: Job
    error: str
    tail: tuple[str, ...]
    log: str


class Summary(NamedTuple):
    """The end: counts of jobs (`touched`: those whose targets were only touched, by `-t`), the
    failures, and the jobs left out because of them."""

    ran: int
    up_to_date: int
    failures: tuple[Failure, ...]
    skipped: tuple[Job, ...]
    seconds: float
    goals: tuple[str, ...]
    dry: bool = False
    stopped: bool = False
    unknown: int = 0
    touched: int = 0


class Watching(NamedTuple):
    """All is done that could be done; from now on changes are waited for. `files` is how many files
    and folders count."""

    files: int


class Changed(NamedTuple):
    """Files have changed, and a build begins because of that. `names` are those that are known to
    count, in order; `stopped` says that what ran was stopped for it."""

    names: tuple[str, ...]
    stopped: bool = False


class ServiceChanged(NamedTuple):
    """A service was `started`, `stopped` (to be started anew) or has `ended` by itself or with its
    rule; `note` says why."""

    name: str
    state: str
    note: str = ""


class Said(NamedTuple):
    """A service has printed whole lines."""

    name: str
    data: bytes


Event = (
    Judged
    | Started
    | Output
    | Finished
    | Unknown
    | Removed
    | Progress
    | Message
    | Complaint
    | Summary
    | Watching
    | Changed
    | ServiceChanged
    | Said
)
