"""What happened before: an append-only journal of finished jobs and of what files looked like.

The format is in docs/design.md, "What is kept on disk". Each record is checksummed; the first
record that does not fit ends the reading, and what is behind it is dropped. Names are numbered
once and then written as numbers. Traces are decoded only when somebody asks for them.
"""

from __future__ import annotations

import errno
import marshal
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import xxhash

from pybuild.files import Status
from pybuild.kinds import is_settled
from pybuild.typed import Any, NamedTuple

HEADER = b"pybuild journal 3\n"
_MARSHAL_VERSION = 4
DIGEST_SIZE = 16
NOT_RUN = 0.0  # in place of seconds: the job did not run, its files were taken as they are


class Stamp(NamedTuple):
    """What a file looked like. `settled`: its time was safely older than the moment of looking,
    so that no later change can hide behind the same time."""

    mtime_ns: int
    size: int
    inode: int
    digest: bytes
    settled: bool

    def fits(self, status: Status) -> bool:
        """Whether a file with this status surely has the digest of this stamp."""
        return self[4] and self[:3] == status[:3]


def stamp_of(status: Status, digest: bytes, now_ns: int) -> Stamp:
    """A stamp taken at `now_ns` (the clock was read before the bytes were)."""
    settled = is_settled(status.mtime_ns, now_ns)
    return Stamp(status.mtime_ns, status.size, status.inode, digest, settled)


def stand_in(status: Status) -> bytes:
    """What is recorded in place of a digest at the levels that read no content."""
    return (status.mtime_ns & (2**64 - 1)).to_bytes(8, "big") + status.size.to_bytes(8, "big")


class Trace(NamedTuple):
    """What happened when a job last finished well.

    `inputs`, `discovered` and `outputs` are names; the `*_digests` hold 16 bytes for each of them.
    `text` and `values` are digests of the recipe and of the values it used; `value_set` is the key
    under which the values themselves are kept. `seconds` is how long it took, or `NOT_RUN`.
    """

    text: bytes
    values: bytes
    value_set: bytes
    inputs: tuple[str, ...]
    input_digests: bytes
    discovered: tuple[str, ...]
    discovered_digests: bytes
    outputs: tuple[str, ...]
    output_digests: bytes
    started_ns: int
    seconds: float


class Begun(NamedTuple):
    """How a job was started. For a split: its globs, the files that matched them and are not of its
    making, and, if it failed, what it left; None if it was killed: then what matches now and did
    not then is of its making."""

    strangers: tuple[str, ...]
    globs: tuple[str, ...]
    left: tuple[str, ...] | None

    def ours(self, matches: Sequence[str]) -> list[str]:
        """Those of the files that match now which the job has made."""
        if self.left is None:
            return [name for name in matches if name not in self.strangers]
        return [name for name in matches if name in self.left]


# A trace as it is kept: names as numbers in an array of u32.
_Packed = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, bytes, int, float]


class Journal:
    """The traces of a project, in memory and in a file. One writer (see `lock`).

    `complaint` is a line for the user if the file was damaged or foreign, else empty.
    Nothing is written before the first record; reading alone never changes the file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.complaint = ""
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._stamps: dict[str, Stamp] = {}
        self._traces: dict[str, _Packed] = {}
        self._started: dict[str, Begun] = {}
        self._blobs: dict[bytes, Any] = {}
        self._handle = -1
        self._size = 0
        self._inode = 0
        self._read_size = 0
        self._records = 0
        self._renewed: list[str] = []
        self._first = 0  # the number of the first name in `_names`
        self._held: list[tuple[Any, ...]] | None = None
        self._names_before = 0  # how many names there were when holding began
        self._load()

    # -- reading ---------------------------------------------------------------------------

    def _load(self) -> None:
        data = self._read(0)
        if data is None:
            return
        if not data:
            self.complaint = f"{self.path} is empty: starting without records"
            return
        if not data.startswith(HEADER):
            self.complaint = f"{self.path} is not a journal of this version: starting anew"
            return
        self._replay(data, len(HEADER))

    def _read(self, start: int) -> bytes | None:
        """What the file has from `start` on; None if it cannot be read."""
        try:
            with open(self.path, "rb", opener=_without_waiting) as handle:
                self._inode = os.fstat(handle.fileno()).st_ino
                handle.seek(start)
                data = handle.read()
                self._read_size = start + len(data)
                return data
        except FileNotFoundError:
            return None
        except OSError as error:
            self.complaint = f"cannot read {self.path} ({error.strerror}): starting without records"
            return None

    def _replay(self, data: bytes, position: int) -> None:
        """Reads the records from `position` on; ends at the first that is damaged."""
        view = memoryview(data)
        try:
            while position < len(data):
                record, end = _record_at(view, position)
                self._apply(record)
                position = end
                self._records += 1
        except (ValueError, EOFError, TypeError, KeyError, IndexError):
            lost = len(data) - position
            self.complaint = (
                f"{self.path} is damaged: its last {lost} bytes are dropped; "
                "jobs recorded there run again"
            )
        self._size = position

    def _apply(self, record: tuple[Any, ...]) -> None:
        kind = record[0]
        if kind == "T":
            _, job, new_names, packed, stamps = record
            self._learn(new_names)
            self._traces[job] = _checked(packed, self._first, self._first + len(self._names))
            self._started.pop(job, None)
            for name, *stamp in stamps:
                self._stamps[name] = Stamp(*stamp)
        elif kind == "S":
            self._started[record[1]] = Begun(*record[2:])
        elif kind == "F":
            for name, *stamp in record[1]:
                self._stamps[name] = Stamp(*stamp)
        elif kind == "B":
            self._blobs[record[1]] = record[2]
        elif kind == "D":
            self._traces.pop(record[1], None)
            self._started.pop(record[1], None)
        elif kind == "Z":
            _, names, stamps, self._traces, started, self._blobs = record
            self._started = {job: Begun(*begun) for job, begun in started.items()}
            self._names = []
            self._learn(names)
            for packed in self._traces.values():
                _checked(packed, 0, len(self._names))
            self._stamps = {name: Stamp(*stamp) for name, stamp in stamps.items()}
        else:
            raise ValueError(f"record of kind {kind!r}")

    def _learn(self, names: Iterable[str]) -> None:
        for name in names:
            self._numbers[name] = self._first + len(self._names)
            self._names.append(name)

    def runs(self, job: str) -> list[tuple[int, float]]:
        """When the runs of a job began that are still in the file and ended well, in ns since the
        epoch, and how many seconds they took; the latest first. Reads all of the file."""
        found: dict[int, float] = {}
        data = memoryview((self._read(0) or b"")[: self._size])
        position = len(HEADER)
        while position < len(data):
            record, position = _record_at(data, position)
            packed = None
            if record[0] == "Z":
                packed = record[3].get(job)
            elif record[0] == "T" and record[1] == job:
                packed = record[3]
            if packed is not None:
                found[packed[9]] = packed[10]
        return sorted(found.items(), reverse=True)

    def is_current(self) -> bool:
        """Whether nobody has written to the file since it was read."""
        try:
            found = os.stat(self.path)
        except OSError:
            return self._inode == 0
        return (found.st_ino, found.st_size) == (self._inode, self._read_size)

    # -- asking ----------------------------------------------------------------------------

    def trace(self, job: str) -> Trace | None:
        """What happened when the job last finished well, if it ever did."""
        packed = self._traces.get(job)
        if packed is None:
            return None
        text, values, value_set, inputs, ins, discovered, found, outputs, outs, start, took = packed
        return Trace(
            text,
            values,
            value_set,
            self._unpack(inputs),
            ins,
            self._unpack(discovered) if discovered else (),
            found,
            self._unpack(outputs),
            outs,
            start,
            took,
        )

    def _unpack(self, numbers: bytes) -> tuple[str, ...]:
        names, first = self._names, self._first
        if len(numbers) == 4:
            return (names[int.from_bytes(numbers, sys.byteorder) - first],)
        return tuple([names[each - first] for each in memoryview(numbers).cast("I")])

    def seconds(self, job: str) -> float | None:
        """How long the job took when it last finished well."""
        packed = self._traces.get(job)
        return packed[10] if packed else None

    def started(self, job: str) -> Begun | None:
        """How the job was started, if it has not finished since."""
        return self._started.get(job)

    def unfinished(self) -> list[Begun]:
        """How splits were started that have not finished since."""
        return [begun for begun in self._started.values() if begun.globs]

    def interrupted(self) -> Iterator[str]:
        """The files of other jobs that were started and have not finished since, as far as they are
        known: what they had made before counts, and what they are called by."""
        for job, begun in self._started.items():
            if not begun.globs:
                trace = self.trace(job)
                yield from (job, *(trace.outputs if trace else ()))

    def stamp(self, name: str) -> Stamp | None:
        """What the file looked like when it was last looked at."""
        return self._stamps.get(name)

    def blob(self, key: bytes) -> Any:
        """A text or set of values kept under its digest, or None."""
        return self._blobs.get(key)

    def made(self) -> dict[str, bytes]:
        """All files that jobs made, by the traces, with their digests: those of the youngest if
        several jobs have made one."""
        out: dict[str, bytes] = {}
        names = self._names
        for packed in sorted(self._traces.values(), key=_started_ns):
            digests = packed[8]
            for index, number in enumerate(memoryview(packed[7]).cast("I")):
                start = index * DIGEST_SIZE
                out[names[number]] = digests[start : start + DIGEST_SIZE]
        return out

    def is_as_made(
        self, name: str, made: bytes, status: Status, digest: Callable[[str], bytes]
    ) -> bool:
        """Whether a file that looks like this has the bytes that it was recorded with (`made`);
        `digest` reads it, if that has to be."""
        stamp = self.stamp(name)
        if stamp is not None and stamp.fits(status):
            return stamp.digest == made or made == stand_in(status)
        try:
            return made == stand_in(status) or digest(name) == made
        except OSError:
            return False

    def jobs(self) -> list[str]:
        """The jobs of which it is recorded that they finished."""
        return list(self._traces)

    def maker(self, name: str) -> str | None:
        """The job that made a file, by the traces, or was about to. Looks at all of them."""
        number = self._numbers.get(name)
        for job, packed in self._traces.items():
            if number is not None and number in memoryview(packed[7]).cast("I"):
                return job
        return name if name in self._started else None

    # -- writing ---------------------------------------------------------------------------

    def start(self, job: str, strangers: Sequence[str] = (), globs: Sequence[str] = ()) -> None:
        """Records that a job is about to run: until it is recorded it counts as interrupted. A
        split has `globs`; `strangers` are files that match them and are not of its making."""
        self._begin(job, Begun(tuple(strangers), tuple(globs), None))

    def failed(self, job: str, left: Sequence[str]) -> None:
        """Records what a split that failed has left; it counts as interrupted all the same."""
        begun = self._started.get(job)
        if begun is not None:
            self._begin(job, begun._replace(left=tuple(left)))

    def _begin(self, job: str, begun: Begun) -> None:
        self._started[job] = begun
        self._append(("S", job, *begun))

    def finish(
        self, job: str, trace: Trace, stamps: Mapping[str, Stamp], blobs: Mapping[bytes, Any]
    ) -> None:
        """Records a finished job in one write. Raises OSError; then nothing was recorded."""
        new = [
            name
            for name in dict.fromkeys((*trace.inputs, *trace.discovered, *trace.outputs))
            if name not in self._numbers
        ]
        records: list[tuple[Any, ...]] = [
            ("B", key, value) for key, value in blobs.items() if key not in self._blobs
        ]
        before = len(self._names)
        self._learn(new)
        packed = (
            trace.text,
            trace.values,
            trace.value_set,
            self._pack(trace.inputs),
            trace.input_digests,
            self._pack(trace.discovered),
            trace.discovered_digests,
            self._pack(trace.outputs),
            trace.output_digests,
            trace.started_ns,
            trace.seconds,
        )
        fresh = [(name, *stamp) for name, stamp in stamps.items() if self.stamp(name) != stamp]
        records.append(("T", job, new, packed, fresh))
        try:
            self._append(*records)
        except OSError:
            self._unlearn(before)
            raise
        self._blobs.update(blobs)
        self._traces[job] = packed
        self._started.pop(job, None)
        self._stamps.update(stamps)

    def _pack(self, names: Sequence[str]) -> bytes:
        numbers = self._numbers
        return b"".join([numbers[name].to_bytes(4, sys.byteorder) for name in names])

    def renew(self, name: str, stamp: Stamp) -> None:
        """A file was looked at again and has the bytes it had: only its stamp moves on."""
        self._stamps[name] = stamp
        self._renewed.append(name)

    def forget(self, job: str) -> None:
        """Drops what is known of a job."""
        trace, started = self._traces.pop(job, None), self._started.pop(job, None)
        if trace is not None or started is not None:
            self._append(("D", job))

    def hold(self) -> None:
        """What is recorded from now on is written by `release`, all at once. Not for what others
        rely on before that."""
        self._held = []
        self._names_before = len(self._names)

    def release(self) -> None:
        """Writes what was held. Raises OSError; then nothing of it was recorded."""
        held, self._held = self._held, None
        if not held:
            return
        try:
            self._append(*held)
        except OSError:
            self._unlearn(self._names_before)
            for record in held:
                if record[0] == "T":
                    self._traces.pop(record[1], None)
            raise

    def _unlearn(self, before: int) -> None:
        for name in self._names[before:]:
            del self._numbers[name]
        del self._names[before:]

    def _append(self, *records: tuple[Any, ...]) -> None:
        if self._held is not None:
            self._held += records
            return
        if self._handle < 0:
            self._open()
        data = b"".join(map(_framed, records))
        try:
            written = os.write(self._handle, data)
            while written < len(data):
                written += os.write(self._handle, data[written:])
        except OSError:
            os.ftruncate(self._handle, self._size)
            raise
        self._size += len(data)
        self._records += len(records)

    def _open(self) -> None:
        os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._handle = _without_waiting(self.path, flags)
        os.ftruncate(self._handle, self._size)
        if not self._size:
            try:
                self._size = os.write(self._handle, HEADER)
            except OSError:
                os.close(self._handle)
                self._handle = -1
                os.unlink(self.path)  # an empty one would be complained of
                raise

    def close(self) -> None:
        """Writes what is held, renewed stamps and, if much of the file is dead, all anew. Raises
        OSError."""
        self.release()
        if self._renewed:
            names = dict.fromkeys(self._renewed)
            self._renewed.clear()
            try:
                self._append(("F", [(name, *self._stamps[name]) for name in names]))
            except OSError:
                pass  # the files are read again next time, no more
        if self._handle < 0:
            return
        if self._is_worn():
            self._compact()
        os.close(self._handle)
        self._handle = -1

    def _is_worn(self) -> bool:
        """Whether much of the file is dead."""
        return self._records > 200 + len(self._traces) // 2

    def names_known(self) -> int:
        """How many names have got numbers."""
        return self._first + len(self._names)

    def _compact(self) -> None:
        used = {packed[index] for packed in self._traces.values() for index in (0, 2)}
        self._blobs = {key: value for key, value in self._blobs.items() if key in used}
        stamps = {name: tuple(stamp) for name, stamp in self._stamps.items()}
        started = {job: tuple(begun) for job, begun in self._started.items()}
        snapshot = ("Z", self._names, stamps, self._traces, started, self._blobs)
        temporary = f"{self.path}.new"
        try:
            with open(temporary, "wb") as handle:
                handle.write(HEADER + _framed(snapshot))
            os.replace(temporary, self.path)
        except OSError:
            # Compaction is a convenience: the long file is as right as the short one.
            try:
                os.unlink(temporary)
            except OSError:
                pass


class Older(NamedTuple):
    """What is recorded of some jobs and files in another place than the journal: `inode` and `size`
    are those of the journal then, `names` how many names it had."""

    inode: int
    size: int
    names: int
    traces: Mapping[str, Trace]
    begun: Mapping[str, Begun]
    blobs: Mapping[bytes, Any]
    stamp: Callable[[str], Stamp | None]


class Continued(Journal):
    """A journal of which only the end is read: what is before is known from elsewhere. Has a
    complaint if that cannot be, because the end builds on what was not read."""

    def __init__(self, path: str, older: Older) -> None:
        self.older = older
        super().__init__(path)

    def _load(self) -> None:
        self._first = self.older.names
        data = self._read(self.older.size)
        if data:
            self._replay(data, 0)
        self._size = self.older.size + self._size
        try:
            found = os.stat(self.path)
        except OSError:
            found = None
        inode, size = (found.st_ino, found.st_size) if found else (0, 0)
        if inode != self.older.inode or self._inode not in (0, inode) or size < self.older.size:
            self.complaint = f"{self.path} is not the file that it was"

    def _apply(self, record: tuple[Any, ...]) -> None:
        if record[0] in "DZ":
            raise ValueError("a record of kinds that change what was before")
        super()._apply(record)

    def touched(self) -> set[str]:
        """The jobs of which something was recorded since."""
        return {*self._traces, *self._started}

    def trace(self, job: str) -> Trace | None:
        return super().trace(job) if job in self._traces else self.older.traces.get(job)

    def seconds(self, job: str) -> float | None:
        trace = self.trace(job)
        return trace.seconds if trace else None

    def started(self, job: str) -> Begun | None:
        begun = self._started.get(job)
        if begun is None and job not in self._traces:
            return self.older.begun.get(job)
        return begun

    def stamp(self, name: str) -> Stamp | None:
        return self._stamps.get(name) or self.older.stamp(name)

    def blob(self, key: bytes) -> Any:
        return self._blobs.get(key) or self.older.blobs.get(key)

    def _is_worn(self) -> bool:
        return False


def _without_waiting(path: str, flags: int) -> int:
    """Opens a regular file. Raises OSError for anything else, a pipe among it, instead of waiting
    for somebody at its other end."""
    handle = os.open(path, flags | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return handle


def _started_ns(packed: _Packed) -> int:
    return packed[9]


def _checked(packed: Any, first: int, end: int) -> _Packed:
    """A packed trace, if it has the form of one and its names are numbered from `first` up to
    `end`. Raises ValueError: the checksum only tells that a record is as it was written, not that
    we wrote it."""
    if type(packed) is not tuple or len(packed) != 11:
        raise ValueError("trace")
    for numbers, digests in zip(packed[3:9:2], packed[4:9:2], strict=True):
        if len(numbers) * 4 != len(digests):
            raise ValueError("trace")
    if any(map(end.__le__, memoryview(packed[7]).cast("I"))):
        raise ValueError("trace")
    if first and any(map(first.__gt__, memoryview(packed[3] + packed[5] + packed[7]).cast("I"))):
        raise ValueError("trace")
    return packed


def _record_at(data: memoryview, position: int) -> tuple[Any, int]:
    """The record that begins at a place of a journal, and where it ends. Raises ValueError,
    EOFError or TypeError if it is damaged."""
    start = position + 12
    end = start + int.from_bytes(data[position : position + 4], "little")
    payload = data[start:end]
    if start + len(payload) != end or xxhash.xxh3_64_digest(payload) != data[position + 4 : start]:
        raise ValueError("checksum")
    return marshal.loads(payload), end


def _framed(record: tuple[Any, ...]) -> bytes:
    payload = marshal.dumps(record, _MARSHAL_VERSION)
    return len(payload).to_bytes(4, "little") + xxhash.xxh3_64_digest(payload) + payload
