"""What counts for the goals that are watched, and what a batch of changed names asks for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from enum import Enum

from pybuild.engine.flat import COLUMNS, Flat, journal_look
from pybuild.files import Status
from pybuild.kept import folders_of
from pybuild.names import folder_of
from pybuild.project import Project
from pybuild.report.brief import nothing_to_do
from pybuild.seen import Seen
from pybuild.source import BuildError
from pybuild.typed import NamedTuple, Protocol
from pybuild.watch.door import Question
from pybuild.watch.events import Batch
from pybuild.watch.loops import TICK_NS
from pybuild.watch.proof import Proof

_READ = ("inputs", "discovered")
_AT_ONCE = 1000  # rows: more are not read by `Flat.compare`


class Act(Enum):
    """What is to be done: nothing, a build of what a kept graph shows to be out of date, or a load
    and a build of all."""

    NOTHING = 0
    PART = 1
    WHOLE = 2


class Step(NamedTuple):
    """What a batch asks for: the names that have changed, and their rows in the kept graph."""

    act: Act
    names: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()


NOTHING = Step(Act.NOTHING)


class Scope(Protocol):
    """What counts."""

    files: int
    is_right: bool
    """Whether the Pipefile is."""

    def cares(self, name: str) -> bool:
        """Whether an event of this name may count."""

    def folders(self) -> Iterable[str]:
        """The folders that hold what counts."""

    def step(self, batch: Batch) -> Step:
        """What a batch asks for."""

    def again(self) -> Step:
        """What is to be done if nothing has changed and a build is asked for all the same."""

    def answer(self, question: Question) -> str | None:
        """What is to be said to somebody who asks whether all is up to date; None if it is not, or
        that is not known. All that has happened is known by `step`."""

    def is_behind(self) -> bool:
        """Whether another build has left a younger graph."""

    def close(self) -> None:
        """Lets go of files."""


class KeptScope:
    """The scope of a kept graph: files are rows, and what the load has seen is with them. `journal`
    is the path of the journal, `began_ns` when the last round began, in ns since the epoch."""

    is_right = True

    def __init__(self, flat: Flat, journal: str, began_ns: int) -> None:
        self.flat = flat
        self.journal = journal
        self._round_ns = began_ns, time.time_ns()
        self.names = flat.names()
        used = {row for column in COLUMNS for row in flat.array(column, "I")}
        self._rows = {name: row for row, name in enumerate(self.names) if row in used}
        self.files = len(self._rows)
        self._read = _names_of(flat.seen)
        self._listed = frozenset(flat.seen.folders)
        self._proof = Proof(flat, self.names, self._rows)
        for column, kind in (("times", "q"), ("sizes", "q"), ("inodes", "Q"), ("digests", "B")):
            flat.array(column, kind)  # read now, not when somebody waits
        for column in COLUMNS:
            flat.array(column + ".ends", "I")

    def cares(self, name: str) -> bool:
        return os.fsencode(name) in self._rows or self._was_seen(name)

    def _was_seen(self, name: str) -> bool:
        return name in self._read or folder_of(name) in self._listed or name in self._listed

    def folders(self) -> Iterable[str]:
        names = map(os.fsdecode, self.names)
        return {*map(folder_of, names), *map(folder_of, self._read), *self._listed}

    def step(self, batch: Batch) -> Step:
        flat = self.flat
        self._proof.note(batch)
        inode, size = journal_look(self.journal)
        if inode != flat.journal[0] or size < flat.journal[1]:
            return Step(Act.WHOLE, tuple(sorted(filter(self.cares, batch.names))))
        seen = sorted(filter(self._was_seen, batch.names))
        if (seen or batch.everything or flat.seen.commands) and not self._holds():
            return Step(Act.WHOLE, tuple(seen))
        return self.part(batch)

    def again(self) -> Step:
        return Step(Act.PART)

    def answer(self, question: Question) -> str | None:
        flat = self.flat
        if question.key != flat.key or flat.seeds or flat.seen.commands or self.is_behind():
            return None
        if not (self._holds(question.environment) and self._proof.holds()):
            return None
        return nothing_to_do(flat.goals, flat.jobs, dry=question.dry)

    def is_behind(self) -> bool:
        return journal_look(self.journal) != self.flat.journal

    def _holds(self, environment: Mapping[str, str] = os.environ) -> bool:
        """Whether a load would see the same. What was seen is left alone if not: the graph may go
        on while the Pipefile is wrong, and must not be kept as one of what is there now."""
        seen = self.flat.seen.copy()
        if seen.holds(environment):
            self.flat.seen = seen
            return True
        return False

    def part(self, batch: Batch) -> Step:
        """The same, whatever has become of what the load read."""
        rows = sorted({*self._changed(batch), *self._changed_meanwhile(batch)})
        if not rows:
            return NOTHING
        names = tuple(sorted(os.fsdecode(self.names[row]) for row in rows))
        return Step(Act.PART, names, tuple(rows))

    def _changed(self, batch: Batch) -> list[int]:
        """The rows of files whose bytes are others now."""
        flat, names = self.flat, self.names
        if batch.everything:
            moved = [row for row in flat.moved(names) if names[row] in self._rows]
        else:
            known = (self._rows.get(os.fsencode(name)) for name in batch.names)
            moved = flat.moved_of(names, [row for row in known if row is not None])
        parts = (moved[start : start + _AT_ONCE] for start in range(0, len(moved), _AT_ONCE))
        changed = [row for part in parts for row in flat.compare(names, part)]
        left = {row for job in flat.seeds for row in flat.rows("outputs", job)} if changed else ()
        return [row for row in changed if row not in left or not self._is_of_round(row)]

    def _is_of_round(self, row: int) -> bool:
        """Whether a file has changed during the last round. A target of a job that failed then is
        what the job has left."""
        began_ns, ended_ns = self._round_ns
        return began_ns - TICK_NS <= _changed_ns(self.names[row]) <= ended_ns

    def _changed_meanwhile(self, batch: Batch) -> list[int]:
        """The rows of files that are no job's and were changed during the last round, after jobs
        had read them: the graph knows them as they are now, and that these jobs have to run."""
        flat = self.flat
        seeds = frozenset(flat.seeds)
        read = {row for job in seeds for column in _READ for row in flat.rows(column, job)}
        if not batch.everything:
            read &= {self._rows.get(os.fsencode(name), -1) for name in batch.names}
        return [
            row for row in read if self._is_of_round(row) and not flat.users([row], ("outputs",))
        ]

    def close(self) -> None:
        self.flat.close()


class LoadedScope:
    """The scope of a project that was loaded and whose graph cannot be kept, or that is wrong: each
    change takes a load of all. `began_ns` is when the load began, in ns since the epoch."""

    is_right = True

    def __init__(self, project: Project, began_ns: int) -> None:
        self.began_ns = began_ns
        self.project = project
        self._seen = project.watch.seen if project.watch else Seen()
        self._read = _names_of(self._seen) | {project.path}
        self._made = frozenset(project.graph.producer)
        self._above = folders_of(self._made)
        self._needed = self._names_needed()
        self.files = len(self._needed)
        self._looks = {name: _status(project, name) for name in self._made}

    def _names_needed(self) -> set[str]:
        project = self.project
        needed = {*project.looked.statuses, *self._made}
        for job in project.graph.jobs:
            needed.update(job.inputs)
            needed.update(job.order_only)
            trace = project.journal.trace(job.name)
            needed.update(trace.discovered if trace else ())
        return needed

    def cares(self, name: str) -> bool:
        return name in self._needed or name in self._read or self._is_listed(name)

    def _is_listed(self, name: str) -> bool:
        return folder_of(name) in self.project.looked.listings

    def folders(self) -> Iterable[str]:
        return {*map(folder_of, self._needed | self._read), *self.project.looked.listings}

    def step(self, batch: Batch) -> Step:
        names = {*batch.names, *self._needed, *self._read} if batch.everything else batch.names
        changed = sorted(filter(self._has_changed, names))
        if batch.everything:
            changed += filter(self._lists_others, self.project.looked.listings)
        return Step(Act.WHOLE, tuple(changed)) if changed else NOTHING

    def _has_changed(self, name: str) -> bool:
        now = _status(self.project, name)
        if name in self._made:
            return now != self._looks[name] and self._differs(name, now)
        if self._is_listed(name) and not (now and now.is_folder):
            listed = self.project.looked.listings[folder_of(name)][0]
            if (name.rpartition("/")[2] in listed) != (now is not None):
                return True
        if name not in self._needed and name not in self._read:
            return False
        return self._differs(name, now)

    def _lists_others(self, folder: str) -> bool:
        """Whether a folder lists other files and folders than it did, but for what rules make."""
        base = f"{folder}/" if folder else ""

        def told(listing: tuple[list[str], list[str]]) -> set[str]:
            return {base + each for part in listing for each in part} - self._made - self._above

        return told(self.project.files.listing(folder)) != told(
            self.project.looked.listings[folder]
        )

    def _differs(self, name: str, now: Status | None) -> bool:
        """Whether a file's bytes are not those that are known of it; what nothing is known of
        differs if it was touched since the load."""
        if now is None:
            return self.project.looked.statuses.get(name, now) is not None or name in self._made
        stamp = self.project.journal.stamp(name)
        known = stamp.digest if stamp else self._seen.files.get(name, (0, 0, 0, b""))[3]
        if stamp is not None and stamp.fits(now):
            return False
        if known:
            return self.project.files.digest(name) != known
        return os.stat(name).st_ctime_ns >= self.began_ns

    def again(self) -> Step:
        return Step(Act.WHOLE)

    def answer(self, question: Question) -> None:
        """Nothing is known that would do for a start."""

    def is_behind(self) -> bool:
        return False

    def close(self) -> None:
        """There is nothing to let go of."""


class BrokenScope:
    """The scope while the Pipefile is wrong: a load is tried again when something changes that the
    last one, or the last good one, has read; meanwhile the last good graph goes on (`kept`, if
    there is one)."""

    is_right = False

    def __init__(self, kept: KeptScope | None, project: Project) -> None:
        self.kept = kept
        self.files = kept.files if kept else 0
        self._project = project
        names = {project.path, *(_names_of(project.watch.seen) if project.watch else ())}
        if kept:
            names |= _names_of(kept.flat.seen)
        self._read = {name: self._digest(name) for name in names}

    def over(self, kept: KeptScope) -> BrokenScope:
        """The same, after another build by the last good graph, which is kept anew."""
        if self.kept is not None:
            self.kept.close()
        self.kept = kept
        return self

    def _digest(self, name: str) -> bytes:
        try:
            return self._project.files.digest(name)
        except OSError:
            return b""

    def cares(self, name: str) -> bool:
        return name in self._read or bool(self.kept and self.kept.cares(name))

    def folders(self) -> Iterable[str]:
        return {*map(folder_of, self._read), *(self.kept.folders() if self.kept else ())}

    def step(self, batch: Batch) -> Step:
        names = self._read if batch.everything else batch.names & self._read.keys()
        changed = tuple(sorted(name for name in names if self._digest(name) != self._read[name]))
        if changed:
            return Step(Act.WHOLE, changed)
        return self.kept.part(batch) if self.kept else NOTHING

    def again(self) -> Step:
        return Step(Act.WHOLE)

    def answer(self, question: Question) -> None:
        """Nothing is known that would do for a start."""

    def is_behind(self) -> bool:
        return False

    def close(self) -> None:
        if self.kept:
            self.kept.close()


def _names_of(seen: Seen) -> set[str]:
    """The names that were looked at, relative to the working folder if they are below it."""
    here = os.getcwd() + "/"
    names = {*seen.files, *seen.kinds, *seen.looks, *seen.links}
    return names | {name.removeprefix(here) for name in names}


def _changed_ns(name: bytes) -> int:
    """The time of the last change of a file, which nobody can set; 0 if it is not there."""
    try:
        return os.stat(name).st_ctime_ns
    except OSError:
        return 0


def _status(project: Project, name: str) -> Status | None:
    try:
        return project.files.status(name)
    except (OSError, BuildError):
        return None
