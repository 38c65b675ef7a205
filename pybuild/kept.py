"""The kept graph of a project: written after a build, and brought back for the next one.

Joins what the front end knows of a load, what the engine keeps of jobs, and where it lies.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pybuild.engine.flat import COLUMNS, PRESENT_SIZE, Flat, Unfit, journal_look
from pybuild.engine.flatten import Changes, Columns, columns_of, write
from pybuild.engine.key import STATE_FOLDER
from pybuild.engine.staleness import Judge, Rules
from pybuild.engine.traces import Begun, Continued, Journal, Older, Stamp, Trace
from pybuild.files import Files, Recording, Status
from pybuild.graph import Graph, Job
from pybuild.kinds import ABSENT, FILE, FOLDER
from pybuild.names import Pattern, folder_of, glob_pieces, normalise
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.load import Loaded, Request, rules_of
from pybuild.pipefile.recipe import RecipeTemplate
from pybuild.pipefile.revive import Revived, packed
from pybuild.pipefile.rules import Pipeline
from pybuild.pipefile.watch import Watch
from pybuild.seen import Seen, listing_of
from pybuild.source import BuildError
from pybuild.typed import Any, NamedTuple

NO_RULES = (Pipeline(), Fingerprints(os.sep))

_NO_LISTING: tuple[list[str], list[str]] = ([], [])
_NEEDED = ("inputs", "discovered", "order_only")  # the columns of files that a job needs
_MOST_TAIL = 1 << 20
_MOST_ROUNDS = 3  # from then on the users of all files are found at once


class Head(NamedTuple):
    """Where a graph is kept, under which key, and what its goals are called."""

    path: str
    key: bytes
    goals: Sequence[str] = ()


def keep(
    head: Head,
    loaded: Loaded,
    watch: Watch,
    looked: Recording,
    jobs: Iterable[Job],
    files: Files,
    journal: Journal,
) -> None:
    """Writes the graph of a build that has just ended, if a later start can tell that it holds.
    `jobs` are all that were wanted; `looked` is what the load asked of the file system, and `watch`
    has seen what else it looked at."""
    if loaded.diagnostics:
        return
    seen = watch.seen
    if seen.unknowable:
        _forget(head.path)
        return
    jobs = [job for job in jobs if job.recipe is not None]
    if not all(job.binding.closed for job in jobs):
        # What they need is not known, or is not there: only a load finds out, and says so.
        _forget(head.path)
        return
    made = frozenset(loaded.world.graph.producer)
    judge = Judge(loaded.world.graph, files, journal, Rules())
    try:
        columns = columns_of(jobs, packed, judge, journal)
    except (BuildError, ValueError):
        # Something cannot be looked at, or is nothing that could be written down.
        _forget(head.path)
        return
    if seen.unknowable or not _note_looks(seen, looked, made, loaded):
        _forget(head.path)
        return
    seen.variables.update(loaded.load_time.variables_read)
    seen.commands.update(loaded.load_time.commands)
    write(
        head.path,
        columns,
        key=head.key,
        journal=journal,
        seen=seen,
        goals=head.goals,
        whole=any(map(_is_tied, jobs)),
        globs=loaded.load_time.globs,
    )


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _is_tied(job: Job) -> bool:
    """Whether a job cannot be brought back without others: its files become known late, come and
    go, functions are called with what only a whole load has, or objects are taken that may have to
    be made again."""
    traits = job.traits
    recipe: RecipeTemplate | None = job.binding.rule.recipe
    return bool(
        job.patterns
        or traits.temporary
        or (recipe is not None and (recipe.is_tied or recipe.values))
        or any(name.endswith("/") for name in (*job.inputs, *job.outputs))
    )


def _note_looks(seen: Seen, looked: Recording, made: frozenset[str], loaded: Loaded) -> bool:
    """Adds what the load asked of the file system to what was seen. False if the folders do not
    list the same any more, but for what the build has made."""
    ours = loaded.world.universe.examined()
    folders = folders_of(made)
    for name, status in looked.statuses.items():
        if name in ours:
            seen.note_look(name)
            look = seen.looks.get(name)
            if (look and look[:3]) != (status and (status.mtime_ns, status.size, status.inode)):
                return False
        elif name not in made and name.rstrip("/") not in folders:
            seen.kinds[name] = _kind(status)
    listings = dict.fromkeys(_folders_reached(looked, loaded), _NO_LISTING) | looked.listings
    for folder, before in listings.items():
        if folder not in seen.folders:
            seen.note_folder(folder)
        now = looked.inner.listing(folder)
        if now != before and _told(before, folder, made, folders) != _told(
            now, folder, made, folders
        ):
            return False
    return True


def _folders_reached(looked: Recording, loaded: Loaded) -> Iterator[str]:
    """The folders that wildcards reach now: those that were made since the load are among them."""
    from pybuild.pipefile.universe import Universe

    globs = map(Pattern, map(glob_pieces, map(normalise, loaded.load_time.globs)))
    disk = Universe(looked.inner, _never, _never)
    for pattern in (*loaded.world.universe.deep.values(), *globs):
        yield from disk.folders(pattern)


def _never(_: str) -> bool:
    return False


def folders_of(names: Iterable[str]) -> set[str]:
    """The folders that the files stand in, and those above them."""
    folders = {STATE_FOLDER}
    todo = {folder_of(name.rstrip("/")) for name in names}
    while todo:
        folders |= todo
        todo = {folder_of(name) for name in todo if name} - folders
    return folders


def _told(
    listing: tuple[list[str], list[str]], folder: str, made: frozenset[str], folders: set[str]
) -> bytes:
    """The digest of a listing without what builds make."""
    base = f"{folder}/" if folder else ""
    files = [each for each in listing[0] if base + each not in made]
    below = [f"{each}/" for each in listing[1] if base + each not in folders]
    return listing_of(files + below)


def _kind(status: Status | None) -> int:
    if status is None:
        return ABSENT
    return FOLDER if status.is_folder else FILE


# -- bringing back ------------------------------------------------------------------------------


class Part(NamedTuple):
    """What a change leaves to be looked at: jobs to build, their number in the kept graph, and the
    journal behind it. `others` is how many jobs are known to be up to date."""

    flat: Flat
    world: Revived
    journal: Continued
    numbers: dict[int, Job]
    others: int
    moved: Sequence[int]


def revive(flat: Flat, moved: Sequence[int], request: Request, path: str) -> Part | None:
    """The jobs that may have to run since the graph was kept: those with a file that has changed,
    those of which something was recorded since, and all behind them. `moved` are the rows of files
    that look different, `path` is the journal. None if only a whole load can tell."""
    try:
        return _Revival(flat, moved, request, path).part()
    except Unfit:
        return None


class _Revival:
    """One bringing back: finds the jobs and makes them."""

    def __init__(self, flat: Flat, moved: Sequence[int], request: Request, path: str) -> None:
        self.flat = flat
        self.moved = moved
        self.request = request
        self.names = flat.names()
        self.rows: dict[str, int] = {}
        self.unsettled = frozenset(flat.array("unsettled", "I"))
        self.odd = flat.odd()
        self.traces: dict[str, Trace] = {}
        self.begun: dict[str, Begun] = {}
        self.blobs: dict[bytes, Any] = {}
        older = Older(
            *flat.journal, flat.names_known, self.traces, self.begun, self.blobs, self._stamp
        )
        self.journal = Continued(path, older)

    def part(self) -> Part | None:
        flat = self.flat
        if self.journal.complaint:
            return None
        changed = self._changed()
        if changed is None:
            return None
        touched = self._touched()
        if touched is None:
            return None
        seeds = {*flat.seeds, *touched}
        seeds |= flat.users(changed, ("outputs", "inputs", "discovered"))
        if seeds and flat.whole:
            return None
        numbers = sorted(self._behind(seeds))
        rules = rules_of(self.request, flat.globs, flat.seen.commands) if numbers else NO_RULES
        if rules is None:
            return None
        world = Revived(*rules, self._outputs_of_rule)
        jobs = {number: self._job(world, number) for number in numbers}
        return Part(flat, world, self.journal, jobs, flat.jobs - len(jobs), self.moved)

    def _name(self, row: int) -> str:
        name = os.fsdecode(self.names[row])
        self.rows[name] = row
        return name

    def _stamp(self, name: str) -> Stamp | None:
        row = self.rows.get(name)
        if row is None:
            return None
        flat = self.flat
        size, inode = flat.array("sizes", "q")[row], flat.array("inodes", "Q")[row]
        digest = flat.digest(row)
        if size < 0 or not any(digest):
            return None
        settled = row not in self.unsettled
        return Stamp(flat.array("times", "q")[row], size, inode, digest, settled)

    def _changed(self) -> list[int] | None:
        """Rows of the files whose bytes are not what they were; None if something is gone that has
        to be there."""
        judge = Judge(Graph(), self.request.files, self.journal, Rules())
        changed = []
        names = [self._name(row) for row in self.moved]
        for row, name in zip(self.moved, names, strict=True):
            if self.flat.array("sizes", "q")[row] == PRESENT_SIZE:
                return None
            if judge.digest(name) != self.flat.digest(row):
                changed.append(row)
        return changed

    def _touched(self) -> set[int] | None:
        """The jobs of which something was recorded since; None if a file is made by another job
        than before, or a job may be meant that is not known by its files."""
        found: set[int] = set()
        touched = self.journal.touched()
        if touched and self.flat.whole:
            return None
        rows = {name: row for row, name in enumerate(self.names)} if touched else {}
        for job in touched:
            trace = self.journal.trace(job)
            for name in {job, *(trace.outputs if trace else ())}:
                row = rows.get(os.fsencode(name))
                if row is None:
                    continue
                makers = self.flat.users([row], ("outputs",))
                if not makers:
                    return None
                found |= makers
        return found

    def _behind(self, seeds: set[int]) -> set[int]:
        """Some jobs and all that read what they make, or wait for it: if it fails, they count as
        not made."""
        flat = self.flat
        found = set(seeds)
        fresh = seeds
        users: Mapping[int, Sequence[int]] | None = None
        rounds = 0
        while fresh:
            rows = {row for job in fresh for row in flat.rows("outputs", job)}
            rounds += 1
            if rounds > _MOST_ROUNDS and users is None:
                users = flat.users_by_row(_NEEDED)
            if users is None:
                behind = flat.users(rows, _NEEDED)
            else:
                behind = {job for row in rows for job in users.get(row, ())}
            fresh = behind - found
            found |= fresh
        return found

    def _outputs_of_rule(self, index: int) -> list[str]:
        """The files of all jobs of a rule, sorted if there are several."""
        flat = self.flat
        jobs = [job for job in range(flat.jobs) if flat.binding(job)[0] == index]
        names = [self._name(row) for job in jobs for row in flat.rows("outputs", job)]
        return names if len(jobs) == 1 else sorted(names)

    def _job(self, world: Revived, number: int) -> Job:
        flat = self.flat
        names = {
            column: tuple([self._name(row) for row in flat.rows(column, number)])
            for column in COLUMNS
        }
        job = world.add(
            flat.binding(number), names["outputs"], names["inputs"], names["order_only"]
        )
        if number in self.odd:
            trace, begun, values = self.odd[number]
            if trace is not None:
                self.traces[job.name] = Trace(*trace)
                self.blobs[self.traces[job.name].value_set] = values
            if begun is not None:
                self.begun[job.name] = Begun(*begun)
        else:
            self.traces[job.name] = self._trace(number, names)
        return job

    def _trace(self, number: int, names: Mapping[str, tuple[str, ...]]) -> Trace:
        flat = self.flat
        text, values, value_set = flat.recipe(number)

        def digests(column: str) -> bytes:
            return b"".join([flat.digest(row) for row in flat.rows(column, number)])

        return Trace(
            text,
            values,
            value_set,
            names["inputs"],
            digests("inputs"),
            names["discovered"],
            digests("discovered"),
            names["outputs"],
            digests("outputs"),
            flat.array("started", "q")[number],
            flat.array("seconds", "d")[number],
        )


def keep_again(head: Head, part: Part, files: Files) -> None:
    """Writes the kept graph with what a build of a part of it has changed."""
    flat, journal = part.flat, part.journal
    if journal_look(journal.path)[1] > 2 * flat.first_size + _MOST_TAIL:
        _forget(head.path)  # a whole load will make the journal short again
        return
    judge = Judge(part.world.graph, files, journal, Rules())
    try:
        if not flat.seen.folders_hold():
            _forget(head.path)
            return
        if not flat.seen.renewed and _keep_changes(part, judge):
            return
        columns = Columns.of(flat)
        _set_part(columns, part, judge)
    except (BuildError, Unfit):
        _forget(head.path)
        return
    write(
        head.path,
        columns,
        key=head.key,
        journal=journal,
        seen=flat.seen,
        goals=flat.goals,
        whole=flat.whole,
        globs=flat.globs,
    )


def _keep_changes(part: Part, judge: Judge) -> bool:
    """Writes what has changed beside the graph, if its files and jobs are the same. Raises
    BuildError."""
    try:
        changes = Changes(part.flat)
        _set_part(changes, part, judge)
    except Unfit:
        return False
    changes.write(part.journal)
    return True


def _set_part(columns: Columns | Changes, part: Part, judge: Judge) -> None:
    """Writes down what is recorded of the jobs of a part, and how its files look. Raises
    BuildError, Unfit."""
    rows = dict.fromkeys(part.moved)
    for number, job in part.numbers.items():
        columns.set(number, job, judge, part.journal)
        for column in ("outputs", "inputs", "discovered"):
            rows.update(dict.fromkeys(columns.rows_of(column, number)))
    for row in rows:
        columns.set_look(row, columns.name(row), judge)
