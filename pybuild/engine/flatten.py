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
    LOOKS,
    MAGIC,
    MOST_KEPT,
    PRESENT_SIZE,
    Flat,
    journal_look,
)
from pybuild.engine.staleness import Judge, UpToDate
from pybuild.engine.traces import Journal
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
        for row, look in flat.looks().items():
            columns.times[row], columns.sizes[row], columns.inodes[row] = look
            columns.unsettled.discard(row)
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
        status = judge.status(name)
        look = (0, 0, 0)  # that of no file: it will have moved
        digest = None
        if status is None:
            look = (0, ABSENT_SIZE, 0)
            digest = judge.digest(name)
        elif not judged:
            look = (0, PRESENT_SIZE, 0)
        elif status.is_folder:
            look = (0, FOLDER_SIZE, 0)
            digest = None if name.endswith("/") else judge.digest(name)
        elif (stamp := judge.stamp(name, status)) is not None:
            look = status[:3]
            digest = stamp.digest
            (self.unsettled.discard if stamp.settled else self.unsettled.add)(row)
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
        trace = journal.trace(job.name)
        self.odd.pop(number, None)
        if trace is None or not _is_clean(job, judge):
            begun = journal.started(job.name)
            values = journal.blob(trace.value_set) if trace else None
            self.odd[number] = (
                tuple(trace) if trace else None,
                tuple(begun) if begun else None,
                values,
            )
            return
        for at, digest in enumerate((trace.text, trace.values, trace.value_set)):
            self.recipes[3 * number + at] = self._entry(digest)
        self.started[number] = trace.started_ns
        self.seconds[number] = trace.seconds
        self._set_discovered(number, trace.discovered)

    def rows_of(self, column: str, number: int) -> array[int]:
        """The rows of a job's outputs, inputs, order-only or discovered files."""
        ends = self.ends[column]
        return self.ids[column][ends[number - 1] if number else 0 : ends[number]]

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


def _is_clean(job: Job, judge: Judge) -> bool:
    """Whether the record proves that the job is up to date, as long as no file moves."""
    if job.traits.check is not None or any(
        name.endswith("/") for name in (*job.inputs, *job.outputs)
    ):
        return False
    verdict = judge.judge(job)
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
    except OSError:
        for name in (temporary, path):
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
    with os.scandir(folder) as entries:
        found = [
            (entry.stat().st_mtime_ns, entry.path)
            for entry in entries
            if not entry.name.endswith(LOOKS)
        ]
    for _, path in sorted(found)[:-MOST_KEPT]:
        os.unlink(path)
        if os.path.exists(path + LOOKS):
            os.unlink(path + LOOKS)
