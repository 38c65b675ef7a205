"""The graph in columns on disk: what a start with nothing to do reads instead of the Pipefile.

Knows jobs as numbers and files as rows; no object a job. Everything in it can be had again from
the Pipefile and the journal, so whatever does not fit makes it as good as absent. The format is in
docs/design.md, "What is kept on disk". Imports next to nothing.
"""

from __future__ import annotations

import marshal
import os
import time
from sys import byteorder

from xxhash import xxh3_64_digest

from pybuild.content import handle_digest
from pybuild.kinds import is_settled
from pybuild.seen import Seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    Look = tuple[int, int, int]  # time in ns, size, inode number

MAGIC = b"pybuild flat 2\n"
DIGEST_SIZE = 16
ABSENT_SIZE = -1  # in the column of sizes: a file that need not be there
FOLDER_SIZE = -2  # a folder that counts by being there
PRESENT_SIZE = -3  # anything that is there
MOST_KEPT = 8
_FEW = 64
_MOST_READ = 1000  # files that have moved: more are left to those who can write the graph anew
_MOST_CHANGES = 5000  # more than that are worth writing the graph anew
_MANY = 8000  # files: from then on several processes look at them
_LARGE = 1 << 20  # bytes: below that a thread gains nothing

NO_LOOK = (0, 0, 0)
SINCE = ".since"  # behind the name of the graph that it belongs to

COLUMNS = ("outputs", "inputs", "order_only", "discovered")


class Unfit(Exception):
    """The file is not there, not whole, or not of this version or command line."""


class Flat:
    """A kept graph, with what has changed since it was written. Raises Unfit if it cannot be had;
    sections are read when they are asked for.

    `journal` is the journal's inode number and size when this was true, `first_size` its size when
    the graph was written; `names_known` how many names it had. `seeds` are jobs that have to be
    examined whatever their files, `goals` the names of the goals; `whole` that no part of the jobs
    can be taken out. `globs` is what expressions of the build file found. `has_grown`: the journal
    has records that are younger.
    """

    def __init__(self, path: str, key: bytes) -> None:
        self.path = path
        self.has_grown = False
        self._names: list[bytes] | None = None
        self._replaced: dict[str, bytes] = {}  # sections that were replaced since
        self._changed: dict[str, dict[int, bytes]] = {}  # bytes of sections, by offset
        try:
            self._handle = os.open(path, os.O_RDONLY)
        except OSError:
            raise Unfit(path) from None
        self._at: dict[str, tuple[int, int, bytes]] = {}
        self._arrays: dict[str, memoryview] = {}
        try:
            start = os.read(self._handle, len(MAGIC) + 12)
        except OSError:
            raise self._unfit() from None
        if not start.startswith(MAGIC) or len(start) < len(MAGIC) + 12:
            raise self._unfit()
        size = int.from_bytes(start[-12:-8], "little")
        if size > os.fstat(self._handle).st_size:
            raise self._unfit()
        self._base = len(start)
        self._at[""] = (0, size, start[-8:])
        try:
            head = marshal.loads(self.section(""))
            self._base += size
            self.key: bytes = head["key"]
            self._at |= head["sections"]
            self.journal: tuple[int, int] = head["journal"]
            self.names_known: int = head["names"]
            self.jobs: int = head["jobs"]
            self.files: int = head["files"]
            self.seeds: list[int] = head["seeds"]
            self.goals: tuple[str, ...] = head["goals"]
            self.whole: bool = head["whole"]
            self.globs: dict[str, list[str]] = head["globs"]
            self.first_size = self.journal[1]
            self.seen = Seen.of_data(head["seen"])
            self._read_since()
        except (ValueError, EOFError, TypeError, KeyError):
            raise self._unfit() from None
        if self.key != key:
            raise self._unfit()

    def _read_since(self) -> None:
        """What was written after the graph, if it is of this one. Raises ValueError, EOFError,
        TypeError."""
        try:
            with open(self.path + SINCE, "rb") as handle:
                check, data = handle.read(8), handle.read()
        except OSError:
            return
        if xxh3_64_digest(data) == check:
            found = marshal.loads(data)
            if found[0] == self._at[""][2]:
                _, self.journal, self.names_known, self.seeds, self._replaced, self._changed = found

    def write_since(self) -> None:
        """Writes what has changed. A disk that is full or may not be written to is no error: then
        the changes are found once more at the next start."""
        data = marshal.dumps(
            (
                self._at[""][2],
                self.journal,
                self.names_known,
                self.seeds,
                self._replaced,
                self._changed,
            ),
            4,
        )
        temporary = f"{self.path}.{os.getpid()}"
        try:
            with open(temporary, "wb") as handle:
                handle.write(xxh3_64_digest(data) + data)
            os.replace(temporary, self.path + SINCE)
        except OSError:
            if os.path.exists(temporary):
                os.unlink(temporary)

    def replace(self, section: str, data: bytes) -> None:
        """A section has become another one."""
        self._replaced[section] = data
        self._arrays.pop(section, None)

    def change(self, section: str, offset: int, data: bytes) -> None:
        """Some bytes of a section have become others. Raises Unfit if there are too many of them
        by now."""
        changed = self._changed.setdefault(section, {})
        changed[offset] = data
        self._arrays.pop(section, None)
        if len(changed) > _MOST_CHANGES:
            raise Unfit(self.path)

    def set_look(self, row: int, look: Look) -> None:
        """What a file looks like now. Raises Unfit."""
        for section, number in zip(("times", "sizes", "inodes"), look, strict=True):
            self.change(section, 8 * row, number.to_bytes(8, byteorder, signed=number < 0))

    def _unfit(self) -> Unfit:
        self.close()
        return Unfit(self.path)

    def close(self) -> None:
        """Lets go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def section(self, name: str) -> bytes:
        """The bytes of a section as it is now. Raises Unfit if they are not what was written."""
        if name in self._replaced:
            return self._replaced[name]
        data = self._section(name)
        if name not in self._changed:
            return data
        changed = bytearray(data)
        for offset, new in self._changed[name].items():
            changed[offset : offset + len(new)] = new
        return bytes(changed)

    def _section(self, name: str) -> bytes:
        offset, size, check = self._at[name]
        offset += self._base
        data = os.pread(self._handle, size, offset)
        while len(data) < size:
            more = os.pread(self._handle, size - len(data), offset + len(data))
            if not more:
                raise self._unfit()
            data += more
        if xxh3_64_digest(data) != check:
            raise self._unfit()
        return data

    def array(self, name: str, kind: str) -> memoryview:
        """A column of numbers (`kind` as in `struct`)."""
        if name not in self._arrays:
            self._arrays[name] = memoryview(self.section(name)).cast(kind)  # type: ignore[call-overload]
        return self._arrays[name]

    # -- files -----------------------------------------------------------------------------

    def names(self) -> list[bytes]:
        """The names of the files, by row."""
        if self._names is None:
            blob = self.section("names")
            self._names = blob.split(b"\0") if blob else []
        return self._names

    def moved(self, names: Sequence[bytes]) -> list[int]:
        """Rows of files that do not look as they did, or whose looks prove nothing: each is looked
        at once."""
        return sorted({*self._looked(names), *self.array("unsettled", "I")})

    def moved_of(self, names: Sequence[bytes], rows: Iterable[int]) -> list[int]:
        """The same, of some rows."""
        unsettled = frozenset(self.array("unsettled", "I"))
        looked = self._look_at(names)
        return [row for row in sorted(rows) if row in unsettled or looked(row, row + 1)]

    def _looked(self, names: Sequence[bytes]) -> Iterable[int]:
        """Rows of files that do not look as they did."""
        looked = self._look_at(names)
        if len(names) < _MANY:
            return looked(0, len(names))
        from pybuild.engine.crew import share

        return share(len(names), looked)

    def _look_at(self, names: Sequence[bytes]) -> Callable[[int, int], dict[int, None]]:
        """A function that finds those among the rows from one to another."""
        times, sizes = self.array("times", "q"), self.array("sizes", "q")
        inodes = self.array("inodes", "Q")

        def looked(start: int, end: int) -> dict[int, None]:
            found: dict[int, None] = {}
            look = os.stat
            row = start - 1
            part = slice(start, end)
            for name, time_ns, size, inode in zip(
                names[part], times[part], sizes[part], inodes[part], strict=True
            ):
                row += 1
                try:
                    seen = look(name)
                except OSError:
                    if size != ABSENT_SIZE:
                        found[row] = None
                    continue
                if seen.st_mtime_ns != time_ns or seen.st_size != size or seen.st_ino != inode:
                    is_folder = seen.st_mode & 0o170000 == 0o040000
                    if size != PRESENT_SIZE and not (size == FOLDER_SIZE and is_folder):
                        found[row] = None
            return found

        return looked

    def compare(self, names: Sequence[bytes], moved: Sequence[int]) -> list[int]:
        """Of files that have moved those that do not have the bytes that they had; the new looks
        of the others are kept. If they are many all are given back, unread."""
        if len(moved) > _MOST_READ:
            return list(moved)
        now_ns = time.time_ns()
        same: dict[int, Look] = {}
        differ = []
        for row, look, digest in self._read(names, moved):
            if digest != self.digest(row):
                differ.append(row)
            elif is_settled(look[0], now_ns):
                same[row] = look
        if same:
            self._keep_looks(same)
        return differ

    def _read(
        self, names: Sequence[bytes], moved: Sequence[int]
    ) -> Iterable[tuple[int, Look, bytes]]:
        """Rows with looks and digests, of files that can be read and have the size they had."""
        sizes = self.array("sizes", "q")

        def read(row: int) -> tuple[int, Look, bytes]:
            try:
                handle = os.open(names[row], os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                return row, NO_LOOK, b""
            try:
                found = os.fstat(handle)
                if found.st_mode & 0o170000 != 0o100000 or found.st_size != sizes[row]:
                    return row, NO_LOOK, b""
                digest = handle_digest(handle, found.st_size)
                return row, (found.st_mtime_ns, found.st_size, found.st_ino), digest
            except (OSError, ValueError):
                return row, NO_LOOK, b""
            finally:
                os.close(handle)

        large = [row for row in moved if sizes[row] >= _LARGE]
        if len(large) < 2:
            return map(read, moved)
        from concurrent.futures import ThreadPoolExecutor

        # Hashing lets other threads run.
        with ThreadPoolExecutor(min(len(large), os.cpu_count() or 1)) as pool:
            return list(pool.map(read, moved))

    def _keep_looks(self, same: dict[int, Look]) -> None:
        unsettled = set(self.array("unsettled", "I")).difference(same)
        self.replace("unsettled", b"".join(row.to_bytes(4, byteorder) for row in sorted(unsettled)))
        try:
            for row, look in same.items():
                self.set_look(row, look)
        except Unfit:
            return  # the files are read again next time, no more
        self.write_since()

    def digest(self, row: int) -> bytes:
        """The digest of a file's bytes when its jobs were up to date."""
        start = row * DIGEST_SIZE
        return bytes(self.array("digests", "B")[start : start + DIGEST_SIZE])

    # -- jobs ------------------------------------------------------------------------------

    def rows(self, column: str, job: int) -> memoryview:
        """The rows of a job's outputs, inputs, order-only or discovered files."""
        ends = self.array(column + ".ends", "I")
        start = ends[job - 1] if job else 0
        return self.array(column, "I")[start : ends[job]]

    def users(self, rows: Iterable[int], columns: Sequence[str]) -> set[int]:
        """The jobs that have one of the rows in one of the columns."""
        wanted = set(rows)
        found: set[int] = set()
        for column in columns:
            found.update(self._jobs_at(column, self._positions(column, wanted)))
        return found

    def users_by_row(self, columns: Sequence[str]) -> dict[int, list[int]]:
        """The jobs that have a row in one of the columns, for all rows."""
        found: dict[int, list[int]] = {}
        for column in columns:
            numbers = self.array(column, "I")
            start = 0
            for job, end in enumerate(self.array(column + ".ends", "I")):
                for row in numbers[start:end]:
                    found.setdefault(row, []).append(job)
                start = end
        return found

    def _positions(self, column: str, wanted: set[int]) -> Iterator[int]:
        """Where in a column some of the rows stand, in order."""
        numbers = self.array(column, "I")
        if len(wanted) > _FEW:
            return (at for at, row in enumerate(numbers) if row in wanted)
        data = bytes(numbers)
        return iter(sorted(at for row in wanted for at in _found_at(data, row)))

    def _jobs_at(self, column: str, positions: Iterable[int]) -> Iterator[int]:
        from bisect import bisect_right

        ends = self.array(column + ".ends", "I")
        for position in positions:
            yield bisect_right(ends, position)

    def binding(self, job: int) -> Any:
        """What the front end keeps of a job."""
        ends = self.array("bindings.ends", "I")
        data = self.array("bindings", "B")
        return marshal.loads(data[ends[job - 1] if job else 0 : ends[job]])

    def recipe(self, job: int) -> tuple[bytes, bytes, bytes]:
        """The digests of a job's recipe and values, and the key of its set of values."""
        numbers = self.array("recipes", "I")[3 * job : 3 * job + 3]
        table = self.array("table", "B")
        text, values, value_set = (
            bytes(table[each * DIGEST_SIZE : (each + 1) * DIGEST_SIZE]) for each in numbers
        )
        return text, values, value_set if any(value_set) else b""

    def odd(self) -> dict[int, tuple[Any, Any, Any]]:
        """Of jobs that are not up to date: the trace, how they were started, and a set of
        values; None where there is none."""
        return marshal.loads(self.section("odd"))  # type: ignore[no-any-return]


def _found_at(data: bytes, row: int) -> Iterator[int]:
    """The places of a number in a column of u32."""
    text = row.to_bytes(4, "little")
    at = data.find(text)
    while at >= 0:
        if at % 4 == 0:
            yield at // 4
            at = data.find(text, at + 4)
        else:
            at = data.find(text, at + 1)


def glance(path: str, key: bytes, journal: str) -> tuple[Flat, list[int]] | None:
    """The kept graph of a command line, and the rows of files that have moved; None if it does not
    hold any more. Its journal may have grown since."""
    try:
        flat = Flat(path, key)
        inode, size = journal_look(journal)
        flat.has_grown = size != flat.journal[1]
        if inode != flat.journal[0] or size < flat.journal[1] or not flat.seen.holds():
            flat.close()
            return None
        return flat, flat.moved(flat.names())
    except Unfit:
        return None


def journal_look(path: str) -> tuple[int, int]:
    """Inode number and size of a journal; zeros if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return found.st_ino, found.st_size
