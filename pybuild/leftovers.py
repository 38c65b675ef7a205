"""Leftovers: files that an earlier build made and that no rule makes now. Found and removed.

Whoever removes files has to be sure. So a file counts as a leftover only if no rule could make it,
also if that rule does nothing now: because it is not active, has no data, or waits for a split.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence

from pybuild.engine.key import STATE_FOLDER
from pybuild.engine.staleness import ANY_FOLDER
from pybuild.engine.traces import Journal
from pybuild.files import Files
from pybuild.graph import Job
from pybuild.names import Anything, Pattern, folder_of, normalise, overlaps
from pybuild.pipefile.instantiate import Instantiation
from pybuild.pipefile.load import Loaded
from pybuild.pipefile.rules import PATTERN, Rule
from pybuild.pipefile.upstream import target_reach
from pybuild.source import BuildError
from pybuild.typed import NamedTuple

_WRITABLE = 0o222
_NO_NAMES = frozenset(("", ".", ".."))


class Leftovers(NamedTuple):
    """Files that no rule makes now: `unchanged` since they were made, `edited` since, `read_only`
    (a rule may have protected them); those that are recorded and `gone`; and those that are `kept`
    because a rule may make them another time. Each with the digest that was recorded."""

    unchanged: dict[str, bytes]
    edited: dict[str, bytes]
    read_only: dict[str, bytes]
    gone: dict[str, bytes]
    kept: dict[str, bytes]


def find_leftovers(
    loaded: Loaded, journal: Journal, files: Files, read: Iterable[str]
) -> Leftovers:
    """The leftovers of a project whose splits have said what they made, as far as that is known.
    `read` are files that the load has read."""
    found = Leftovers({}, {}, {}, {}, {})
    keeps = _Keeps(loaded, journal, read)
    for name, made in sorted(journal.made().items()):
        if keeps.surely(name):
            continue
        try:
            status = files.status(name)
            if keeps.perhaps(name):
                if status is not None:
                    found.kept[name] = made
            elif status is None:
                found.gone[name] = made
            elif made == ANY_FOLDER or status.is_folder != name.endswith("/"):
                continue  # it stands for what is in it, or is not what was made
            elif not journal.is_as_made(name, made, status, files.digest):
                found.edited[name] = made
            elif os.stat(name).st_mode & _WRITABLE:
                found.unchanged[name] = made
            else:
                found.read_only[name] = made
        except OSError:
            found.edited[name] = made  # it cannot be looked at, and is kept
    return found


def remove_leftovers(
    found: Leftovers, loaded: Loaded, journal: Journal, files: Files
) -> Iterator[tuple[str, OSError | None]]:
    """Removes the leftovers that are unchanged, folders that are empty then, and the records of
    jobs of which nothing is left. Gives each file, and why it could not be removed if so. Raises
    OSError if the journal cannot be written."""
    waiting = {job: set(_made_by(journal, job)) for job in _idle_jobs(loaded, journal, found)}
    jobs_of: dict[str, list[str]] = {}
    for job, names in waiting.items():
        for name in names:
            jobs_of.setdefault(name, []).append(job)
    folders = _wanted_folders(loaded)
    for name in [*found.gone, *found.unchanged]:
        if name in found.unchanged:
            try:
                status = files.status(name)
                made = found.unchanged[name]
                if status and not journal.is_as_made(name, made, status, files.digest):
                    continue  # somebody has just written to it
                files.remove(name)
                _remove_empty(folder_of(name.rstrip("/")), folders)
            except OSError as error:
                yield name, error
                continue
            yield name, None
        # The record goes after the file: without it the file would pass for a source.
        for job in jobs_of.get(name, ()):
            waiting[job].discard(name)
            if not waiting[job]:
                journal.forget(job)


def _made_by(journal: Journal, job: str) -> Sequence[str]:
    trace = journal.trace(job)
    return trace.outputs if trace else ()


def _idle_jobs(loaded: Loaded, journal: Journal, found: Leftovers) -> Iterator[str]:
    """The recorded jobs that are no jobs now and of whose files all are gone or to be removed."""
    world = loaded.world
    going = found.unchanged.keys() | found.gone.keys()
    for job in journal.jobs():
        outputs = _made_by(journal, job)
        is_idle = job not in world.graph.producer and world.search.find(job) is None
        if is_idle and outputs and all(name in going for name in outputs):
            yield job


def _wanted_folders(loaded: Loaded) -> set[str]:
    """Folders that rules name, without slashes at their ends."""
    graph = loaded.world.graph
    names = {name for job in graph.jobs for name in (*job.inputs, *job.order_only)}
    return {name.rstrip("/") for name in (*names, *graph.producer, *loaded.world.named_files())}


def _remove_empty(folder: str, wanted: Collection[str]) -> None:
    """Removes a folder and those above it as far as they are empty and nobody wants them."""
    while folder and folder not in wanted:
        try:
            os.rmdir(folder)
        except OSError:
            return  # something is in it, or it is not ours to remove
        folder = folder_of(folder)


class _Keeps:
    """Tells which of the recorded files are to be left alone."""

    def __init__(self, loaded: Loaded, journal: Journal, read: Iterable[str]) -> None:
        self.world = loaded.world
        self.here = os.path.realpath(".")
        _close_all(self.world)
        jobs = self.world.graph.jobs
        self.named = self.world.named_files()
        self.named.update(source.name for source in loaded.sources)
        self.named.update(normalise(os.path.relpath(name)) for name in read)
        self.named.update(name for job in jobs for name in (*job.inputs, *job.order_only))
        self.named.update(_made_by_splits(jobs, journal))
        self.patterns = _kept_patterns(self.world)
        self._safe_folders: dict[str, bool] = {}

    def surely(self, name: str) -> bool:
        """Whether a rule makes the file, or needs it, or it is none of this project."""
        world = self.world
        return (
            name in world.graph.producer
            or name in self.named
            or world.universe.is_planned(name)
            or not self._is_inside(name)
            or world.search.find(name) is not None
        )

    def perhaps(self, name: str) -> bool:
        """Whether a rule may make the file another time, or wants it kept."""
        return any(each.match(name) is not None for each in self.patterns) or (
            name.endswith("/") and self._holds_others(name)
        )

    def _is_inside(self, name: str) -> bool:
        """Whether the file lies in the project, and goes by its own name: behind a link to a folder
        there may be a file that has another name, too."""
        *folders, last = name.rstrip("/").split("/")
        if not _NO_NAMES.isdisjoint((*folders, last)) or STATE_FOLDER in (*folders[:1], last):
            return False
        folder = "/".join(folders)
        found = self._safe_folders.get(folder)
        if found is None:
            found = os.path.realpath(folder) == os.path.join(self.here, *folders)
            self._safe_folders[folder] = found
        return found

    def _holds_others(self, folder: str) -> bool:
        """Whether something is to be kept in a folder that was made as a whole."""
        inside = Pattern([folder, Anything()])
        names = (*self.world.graph.producer, *self.named)
        return any(each.startswith(folder) for each in names) or any(
            overlaps(each, inside) for each in self.patterns
        )


def _close_all(world: Instantiation) -> None:
    """Fills in what jobs need, as far as it can be known."""
    for job in world.graph.jobs:  # it may grow meanwhile
        try:
            world.close(job)
        except BuildError:
            pass  # a build will tell; what the job names is known all the same


def _made_by_splits(jobs: Iterable[Job], journal: Journal) -> Iterator[str]:
    """The files of splits that are jobs now: by their record, and what killed ones have left."""
    for job in jobs:
        if job.patterns:
            yield from _made_by(journal, job.name)
            begun = journal.started(job.name)
            yield from (begun.left or ()) if begun else ()


def _kept_patterns(world: Instantiation) -> list[Pattern]:
    """What the targets of rules look like that may make files which are not planned now, or whose
    files are never to be removed."""
    rules = world.pipeline.rules
    idle = [rule for rule in rules if _is_idle(world, rule)]
    found = {rule.index: rule for rule in idle}
    for feeder in idle:  # it grows meanwhile
        for rule in rules:
            if rule.index not in found and _may_feed(feeder, rule):
                found[rule.index] = rule
                idle.append(rule)
    kept = [rule for rule in rules if rule.traits.precious or rule.traits.protected]
    return [reach for rule in (*idle, *kept) for reach in target_reach(rule)]


def _is_idle(world: Instantiation, rule: Rule) -> bool:
    """Whether a rule makes nothing now and may make files another time."""
    if rule.recipe is None and not rule.splits:
        return False
    jobs = world.jobs_of[rule.index]
    if rule.splits and any(job.number not in world.made_of for job in jobs):
        return True
    return not rule.settings.active or not (jobs or rule.flavour == PATTERN)


def _may_feed(maker: Rule, rule: Rule) -> bool:
    """Whether a rule may get more jobs by what another makes."""
    if rule.flavour == PATTERN:
        return True  # by a chain of others, if need be
    reaches = target_reach(maker)
    return any(
        each.rule == maker.name
        if each.rule
        else each.call is not None or any(overlaps(each.reach(), reach) for reach in reaches)
        for each in rule.drivers
    )
