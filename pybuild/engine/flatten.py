"""Writes the graph in columns: all of it after a build, or what a build of a part has changed.

Only jobs that the judge finds up to date are written as such; all others are seeds, and what is
recorded of them goes along as it is.
"""

from __future__ import annotations

import marshal
import os
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

import xxhash

from pybuild.engine.flat import (
    ABSENT_SIZE,
    COLUMNS,
    DIGEST_SIZE,
    FOLDER_SIZE,
    MAGIC,
    MOST_KEPT,
    PRESENT_SIZE,
    SINCE,
    Flat,
    Unfit,
    journal_look,
)
from pybuild.engine.staleness import Judge, UpToDate
from pybuild.engine.traces import Journal, Trace
from pybuild.graph import Job
from pybuild.seen import Seen
from pybuild.typed import Any

_NOTHING = bytes(DIGEST_SIZE)
_MARSHAL_VERSION = 4


class Columns:
    """The columns of a kept graph, to be filled job by job or taken from an older one.

    A file's row has its look and digest; the looks of `unsettled` rows prove nothing. A job has
    lists of rows, what its trace says, and what the front end keeps of it. `odd` has what is
    recorded of jobs that are not up to date.
    """

    def __init__(self) -> None:
        self.names: list[bytes] = []
        self.rows: dict[str, int] = {}
        self.times = array("q")
        self.sizes = array("q")
        self.inodes = array("Q")
        self.digests = bytearray()
        self.ids = {column: array("I") for column in COLUMNS}
        self.ends = {column: array("I") for column in COLUMNS}
        self.unsettled: set[int] = set()
        self.recipes = array("I")  # three of each job: numbers in `table`
        self.table: dict[bytes, int] = {}
        self.started = array("q")
        self.seconds = array("d")
        self.bindings = bytearray()
        self.bindings_ends = array("I")
        self.odd: dict[int, tuple[Any, Any, Any]] = {}

    @staticmethod
    def of(flat: Flat) -> Columns:
        """The columns of an older graph. Raises Unfit."""
        columns = Columns()
        columns.names = flat.names()
        for name in ("times", "sizes", "inodes", "recipes", "started", "seconds"):
            getattr(columns, name).frombytes(flat.section(name))
        columns.digests = bytearray(flat.section("digests"))
        for column in COLUMNS:
            columns.ids[column].frombytes(flat.section(column))
            columns.ends[column].frombytes(flat.section(column + ".ends"))
        table = flat.section("table")
        columns.table = {
            table[at : at + DIGEST_SIZE]: at // DIGEST_SIZE
            for at in range(0, len(table), DIGEST_SIZE)
        }
        columns.bindings = bytearray(flat.section("bindings"))
        columns.bindings_ends.frombytes(flat.section("bindings.ends"))
        columns.unsettled = set(flat.array("unsettled", "I"))
        columns.odd = flat.odd()
        return columns

    def row(self, name: str) -> int:
        """The row of a file; a new one if it has none."""
        if len(self.rows) != len(self.names):
            self.rows = {os.fsdecode(each): row for row, each in enumerate(self.names)}
        row = self.rows.get(name)
        if row is None:
            row = self.rows[name] = len(self.names)
            self.names.append(os.fsencode(name))
            self.times.append(0)
            self.sizes.append(0)
            self.inodes.append(0)
            self.digests += _NOTHING
        return row

    def set_look(self, row: int, name: str, judge: Judge, judged: bool = True) -> None:
        """Writes down what a judge has seen of a file. One that no job was judged by only has to
        be there. Raises BuildError."""
        look, digest = _look_of(row, name, judge, judged, self.unsettled)
        self.times[row], self.sizes[row], self.inodes[row] = look
        if digest is not None:
            self.digests[row * DIGEST_SIZE : (row + 1) * DIGEST_SIZE] = digest

    def add(self, job: Job, binding: bytes, outputs: Sequence[str]) -> int:
        """A further job and what it has made; returns its number. What is recorded of it is to be
        `set`."""
        for column, names in (
            ("outputs", outputs),
            ("inputs", job.inputs),
            ("order_only", job.order_only),
            ("discovered", ()),
        ):
            ids = self.ids[column]
            ids.extend([self.row(name) for name in names])
            self.ends[column].append(len(ids))
        self.recipes.extend((0, 0, 0))
        self.started.append(0)
        self.seconds.append(0.0)
        self.bindings += binding
        self.bindings_ends.append(len(self.bindings))
        return len(self.started) - 1

    def set(self, number: int, job: Job, judge: Judge, journal: Journal) -> None:
        """Writes down what is recorded of a job: up to date, or odd. Raises BuildError."""
        trace = _clean_trace(number, job, judge, journal, self.odd)
        if trace is None:
            return
        for at, digest in enumerate((trace.text, trace.values, trace.value_set)):
            self.recipes[3 * number + at] = self._entry(digest)
        self.started[number] = trace.started_ns
        self.seconds[number] = trace.seconds
        self._set_discovered(number, trace.discovered)

    def rows_of(self, column: str, number: int) -> Sequence[int]:
        """The rows of a job's outputs, inputs, order-only or discovered files."""
        ends = self.ends[column]
        return self.ids[column][ends[number - 1] if number else 0 : ends[number]]

    def name(self, row: int) -> str:
        """The name of a file."""
        return os.fsdecode(self.names[row])

    def _entry(self, digest: bytes) -> int:
        digest = digest or _NOTHING
        return self.table.setdefault(digest, len(self.table))

    def _set_discovered(self, number: int, names: Sequence[str]) -> None:
        ids, ends = self.ids["discovered"], self.ends["discovered"]
        start = ends[number - 1] if number else 0
        if [os.fsdecode(self.names[row]) for row in ids[start : ends[number]]] == list(names):
            return
        new = array("I", [self.row(name) for name in names])
        longer = len(new) - (ends[number] - start)
        ids[start : ends[number]] = new
        if longer:
            for later in range(number, len(ends)):
                ends[later] += longer

    def sections(self) -> dict[str, bytes]:
        """All columns as bytes."""
        sections = {
            "names": b"\0".join(self.names),
            "times": self.times.tobytes(),
            "sizes": self.sizes.tobytes(),
            "inodes": self.inodes.tobytes(),
            "digests": bytes(self.digests),
            "unsettled": array("I", sorted(self.unsettled)).tobytes(),
            "recipes": self.recipes.tobytes(),
            "started": self.started.tobytes(),
            "seconds": self.seconds.tobytes(),
            "table": b"".join(self.table),
            "bindings": bytes(self.bindings),
            "bindings.ends": self.bindings_ends.tobytes(),
            "odd": marshal.dumps(self.odd, _MARSHAL_VERSION),
        }
        for column in COLUMNS:
            sections[column] = self.ids[column].tobytes()
            sections[column + ".ends"] = self.ends[column].tobytes()
        return sections


class Changes:
    """What a build of a part has changed in a kept graph whose files and jobs are still the same.
    Has what `Columns` has for writing that down; all of it raises Unfit for what is not the same.
    """

    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.unsettled = set(flat.array("unsettled", "I"))
        self.odd = flat.odd()

    def set_look(self, row: int, name: str, judge: Judge) -> None:
        """Writes down what a judge has seen of a file. Raises BuildError."""
        look, digest = _look_of(row, name, judge, True, self.unsettled)
        self.flat.set_look(row, look)
        if digest is not None:
            self.flat.change("digests", row * DIGEST_SIZE, digest)

    def set(self, number: int, job: Job, judge: Judge, journal: Journal) -> None:
        """Writes down what is recorded of a job: up to date, or odd. Raises BuildError."""
        trace = _clean_trace(number, job, judge, journal, self.odd)
        if trace is None:
            return
        flat = self.flat
        discovered = map(self.name, self.rows_of("discovered", number))
        same_recipe = (trace.text, trace.values, trace.value_set) == flat.recipe(number)
        if not same_recipe or tuple(discovered) != trace.discovered:
            raise Unfit(flat.path)
        flat.change("started", 8 * number, array("q", [trace.started_ns]).tobytes())
        flat.change("seconds", 8 * number, array("d", [trace.seconds]).tobytes())

    def rows_of(self, column: str, number: int) -> Sequence[int]:
        """The rows of a job's outputs, inputs, order-only or discovered files."""
        return self.flat.rows(column, number)

    def name(self, row: int) -> str:
        """The name of a file."""
        return os.fsdecode(self.flat.names()[row])

    def write(self, journal: Journal) -> None:
        """Puts the changes beside the graph."""
        flat = self.flat
        flat.replace("unsettled", array("I", sorted(self.unsettled)).tobytes())
        flat.replace("odd", marshal.dumps(self.odd, _MARSHAL_VERSION))
        flat.seeds = sorted(self.odd)
        flat.journal = journal_look(journal.path)
        flat.names_known = journal.names_known()
        flat.write_since()


def _look_of(
    row: int, name: str, judge: Judge, judged: bool, unsettled: set[int]
) -> tuple[tuple[int, int, int], bytes | None]:
    """What a judge has seen of a file, as columns have it, and its digest if that is known; the row
    is among the `unsettled` if the look proves nothing. Raises BuildError."""
    status = judge.status(name)
    if status is None:
        return (0, ABSENT_SIZE, 0), judge.digest(name)
    if not judged:
        return (0, PRESENT_SIZE, 0), None
    if status.is_folder:
        return (0, FOLDER_SIZE, 0), None if name.endswith("/") else judge.digest(name)
    stamp = judge.stamp(name, status)
    if stamp is None:
        return (0, 0, 0), None  # that of no file: it will have moved
    (unsettled.discard if stamp.settled else unsettled.add)(row)
    return status[:3], stamp.digest


def _clean_trace(
    number: int, job: Job, judge: Judge, journal: Journal, odd: dict[int, tuple[Any, Any, Any]]
) -> Trace | None:
    """What is recorded of a job that is up to date. Of one that is not, all that is known goes to
    the `odd` ones. Raises BuildError."""
    trace = journal.trace(job.name)
    odd.pop(number, None)
    if trace is not None and _is_clean(job, trace, judge):
        return trace
    begun = journal.started(job.name)
    values = journal.blob(trace.value_set) if trace else None
    odd[number] = tuple(trace) if trace else None, tuple(begun) if begun else None, values
    return None


def _is_clean(job: Job, trace: Trace, judge: Judge) -> bool:
    """Whether the record proves that the job is up to date, as long as no file moves."""
    if job.traits.check is not None or any(
        name.endswith("/") for name in (*job.inputs, *job.outputs)
    ):
        return False
    verdict = judge.judge_by(trace, job)
    return isinstance(verdict, UpToDate) and verdict.because == "record"


def columns_of(
    jobs: Iterable[Job], binding: Callable[[Job], bytes], judge: Judge, journal: Journal
) -> Columns:
    """The columns of a whole graph, as the judge sees it. Raises BuildError."""
    columns = Columns()
    for job in jobs:
        trace = journal.trace(job.name) if job.patterns else None
        number = columns.add(job, binding(job), trace.outputs if trace else job.outputs)
        columns.set(number, job, judge, journal)
    counts = set(columns.ids["inputs"])
    counts.update(columns.ids["outputs"], columns.ids["discovered"])
    for name, row in columns.rows.items():
        columns.set_look(row, name, judge, row in counts)
    return columns


def write(
    path: str,
    columns: Columns,
    *,
    key: bytes,
    journal: Journal,
    seen: Seen,
    goals: Sequence[str],
    whole: bool,
    globs: Mapping[str, Sequence[str]],
) -> None:
    """Puts a graph in the place of an older one. A disk that is full or may not be written to is
    no error: then there is none."""
    head = {
        "key": key,
        "journal": journal_look(journal.path),
        "names": journal.names_known(),
        "jobs": len(columns.started),
        "files": len(columns.names),
        "seeds": sorted(columns.odd),
        "goals": tuple(goals),
        "whole": whole,
        "globs": {text: list(found) for text, found in globs.items()},
        "seen": seen.data(),
    }
    sections = columns.sections()
    data = marshal.dumps({**head, "sections": _places(sections)}, _MARSHAL_VERSION)
    start = MAGIC + len(data).to_bytes(4, "little") + xxhash.xxh3_64_digest(data)
    folder = os.path.dirname(path)
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        _drop_oldest(folder)
        with open(temporary, "wb") as handle:
            handle.write(start + data)
            for section in sections.values():
                handle.write(section)
        os.replace(temporary, path)
        if os.path.exists(path + SINCE):
            os.unlink(path + SINCE)
    except OSError:
        for name in (temporary, path, path + SINCE):
            try:
                os.unlink(name)
            except OSError:
                pass


def _places(sections: Mapping[str, bytes]) -> dict[str, tuple[int, int, bytes]]:
    """Where each section begins, counted from the end of the head, its size and its checksum."""
    places = {}
    offset = 0
    for name, data in sections.items():
        places[name] = offset, len(data), xxhash.xxh3_64_digest(data)
        offset += len(data)
    return places


def _drop_oldest(folder: str) -> None:
    """Keeps the graphs of the last few command lines."""
    used: dict[str, int] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            path = entry.path.removesuffix(SINCE)
            used[path] = max(used.get(path, 0), entry.stat().st_mtime_ns)
    for path in sorted(used, key=used.__getitem__)[:-MOST_KEPT]:
        for name in (path, path + SINCE):
            if os.path.exists(name):
                os.unlink(name)
