"""What blocks of Python return, in the worker that runs them: objects for other blocks, figures for
their files.

Of an object its digest goes into a file, which is all that the rest of pybuild sees of it. The
object itself stays in the worker that made it; another one that needs it reads its bytes, if they
are kept, or runs the block again, once.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, ModuleType

from xxhash import xxh3_128

from pybuild.files import Disk
from pybuild.graph import ValueFiles
from pybuild.runners.worker import Refused
from pybuild.typed import Any, NamedTuple

_PROTOCOL = 5  # a newer one would give other digests
_SEEN_BY_CODE = (type, FunctionType, ModuleType)
_MOST_PARENTS = 3  # from what is inside a figure to the figure

CodeDigest = Callable[[Any], bytes]
Look = tuple[int, int, int]


class Making(NamedTuple):
    """How an object is made: the number of its block's code, the block's names and paths, the
    objects that it takes (the files of their digests, by name), its variables of the environment,
    and where it stands on disk."""

    code: int
    names: tuple[bool, bytes]
    paths: Mapping[str, Any]
    values: Mapping[str, str]
    environment: tuple[tuple[str, str], ...]
    files: tuple[str, str, bytes, tuple[str, ...]]


class Values:
    """The objects that a worker knows. `make` runs the block of one."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        code_digest: CodeDigest | None,
        make: Callable[[Making], Any],
    ) -> None:
        self._namespace = namespace
        self._code_digest = code_digest
        self._make = make
        self._makings: dict[str, Making] = {}
        self._objects: dict[str, Any] = {}

    def learn(self, makings: Mapping[str, tuple[Any, ...]]) -> None:
        """Objects that blocks may ask for, by the files of their digests."""
        self._makings.update({file: Making(*each) for file, each in makings.items()})

    def get(self, file: str) -> Any:
        """The object whose digest stands in a file. Raises what its block raises."""
        if file not in self._objects:
            making = self._makings[file]
            kept = ValueFiles(*making.files).kept
            if kept and os.path.getsize(kept):  # `-t` leaves an empty one
                self._be_module()
                with open(kept, "rb") as handle:
                    self._objects[file] = pickle.load(handle)
            else:
                self._objects[file] = self._make(making)
        return self._objects[file]

    def keep(self, files: ValueFiles, value: Any) -> None:
        """Writes what stands for an object that has just been made. Raises Refused if its bytes
        are to be kept and cannot be."""
        self._be_module()
        if files.kept:
            try:
                data = pickle.dumps(value, _PROTOCOL)
            except Exception as error:
                raise Refused(
                    f"the object cannot be kept: {type(error).__name__}: {error} "
                    "(`@cached` needs one that can be pickled: return plain data, or take it away)"
                ) from None
            _write(files.kept, data)
        try:
            digest = digest_of_object(value, self._code_digest)
        except Exception:  # it cannot be pickled: whatever it is, it comes from these
            digest = _digest_of_sources(files)
        _write(files.digest, digest.hex().encode() + b"\n")
        self._objects[files.digest] = value

    def _be_module(self) -> None:
        """Lets pickle find the classes and functions that the build file defines."""
        name = self._namespace.get("__name__", "")
        if name and name not in sys.modules:
            module = sys.modules[name] = ModuleType(name)
            module.__dict__.update(self._namespace)


class _Pickler(pickle.Pickler):
    """Writes an object for its digest: code as what it does, sets without an order."""

    def __init__(self, into: Any, code_digest: CodeDigest | None) -> None:
        super().__init__(into, _PROTOCOL)
        self._code_digest = code_digest

    def persistent_id(self, value: Any) -> bytes | None:
        kind = type(value)
        if kind is set or kind is frozenset:
            members = sorted(digest_of_object(each, self._code_digest) for each in value)
            return kind.__name__.encode() + b"".join(members)
        if self._code_digest is not None and issubclass(kind, _SEEN_BY_CODE):
            return self._code_digest(value)
        return None


class _Total:
    """A file that only adds up what is written to it."""

    def __init__(self) -> None:
        self.total = xxh3_128()

    def write(self, data: bytes) -> None:
        self.total.update(data)


def digest_of_object(value: Any, code_digest: CodeDigest | None = None) -> bytes:
    """The digest of an object by its bytes when pickled; of functions and classes in it by
    `code_digest`. The order of a set does not count. Raises what pickling it raises."""
    into = _Total()
    _Pickler(into, code_digest).dump(value)
    return into.total.digest()


def _digest_of_sources(files: ValueFiles) -> bytes:
    disk = Disk()
    total = xxh3_128(files.recipe)
    for name in files.inputs:
        total.update(name.encode("utf-8", "surrogateescape") + disk.digest(name))
    return total.digest()


def _write(name: str, data: bytes) -> None:
    """A file with these bytes, at once or not at all."""
    beside = f"{name}.new"
    with open(beside, "wb") as handle:
        handle.write(data)
    os.replace(beside, name)


# -- figures -----------------------------------------------------------------------------------


def looks_of(names: Sequence[str]) -> list[Look | None]:
    """What files look like now, to see later which of them have been written."""
    return [_look(name) for name in names]


def _look(name: str) -> Look | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def save(value: Any, names: Sequence[str], before: Sequence[Look | None]) -> None:
    """Saves a figure that a block has returned to the first of its outputs that is still as it was
    before. Raises Refused for what is no figure, or if none is left, and what saving raises."""
    saving = _saving(value)
    if saving is None:
        raise Refused(
            f"the block returned an object of type {type(value).__name__}: only a figure can be "
            "returned (what has `savefig` or `save`); write anything else to `output`"
        )
    place = next(
        (name for name, look in zip(names, before, strict=True) if _look(name) == look), None
    )
    if place is None:
        raise Refused(
            "the block returned a figure and wrote all outputs itself"
            if names
            else "the block returned a figure, and its job has no output that is known before"
        )
    saving(place)
    plots = sys.modules.get("matplotlib.pyplot")
    if plots is not None:
        plots.close("all")  # they would stay in this process


def _saving(value: Any) -> Callable[[str], object] | None:
    """What saves a figure, or what is drawn in one; None if it is neither."""
    found = value
    for _ in range(_MOST_PARENTS):
        for name in ("savefig", "save"):
            method = getattr(found, name, None)
            if callable(method):
                return method  # type: ignore[no-any-return]
        found = getattr(found, "figure", None)
    return None
