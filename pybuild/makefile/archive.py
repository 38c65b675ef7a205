"""Members of `ar` archives as targets: `lib.a(member.o)`. Reads the GNU, BSD and thin formats."""

from __future__ import annotations

import os
import time

from pybuild.regex import regex
from pybuild.typed import Iterator, NamedTuple

_MAGIC = b"!<arch>\n"
_THIN_MAGIC = b"!<thin>\n"
_WILDCARD = regex(r"[*?\[]")
_HEADER = 60  # bytes: name 16, date 12, user 6, group 6, mode 8, size 10, end 2
_DATE = 16, 28  # where the date stands in a header


class ArchiveError(Exception):
    """An archive or its member cannot be used. The message says why, in make's words."""


class Member(NamedTuple):
    """A member: its name, its date in seconds since the epoch, and where its header begins.
    `is_cut`: the archive may have had no room for all of the name."""

    name: str
    date: int
    offset: int
    is_cut: bool


def member_of(name: str) -> tuple[str, str] | None:
    """The archive and the member that `lib.a(member.o)` names; None for names of files."""
    if name[-1:] != ")":
        return None
    start = name.find("(")
    if start <= 0 or start == len(name) - 2:
        return None
    return name[:start], name[start + 1 : -1]


def members(path: str) -> Iterator[Member]:
    """The members of an archive, in their order. Raises OSError, or ArchiveError if the file is no
    archive."""
    with open(path, "rb") as handle:
        magic = handle.read(len(_MAGIC))
        if magic not in (_MAGIC, _THIN_MAGIC):
            raise ArchiveError(f"'{path}' is not a valid archive")
        names = b""
        while True:
            offset = handle.tell()
            header = handle.read(_HEADER)
            if not header:
                return
            if len(header) < _HEADER or header[58:60] != b"`\n":
                raise ArchiveError(f"'{path}' is not a valid archive")
            raw = header[:16].rstrip(b" ")
            size = _number(header[48:58])
            skipped = size
            padding = size & 1
            if raw == b"//" or raw == b"ARFILENAMES/":
                names = handle.read(size)
                skipped = 0
            elif raw not in (b"/", b"/SYM64/", b"__.SYMDEF", b"__.SYMDEF SORTED"):
                is_cut = False
                if raw.startswith(b"#1/"):
                    length = _number(raw[3:])
                    found = handle.read(length).rstrip(b"\0")
                    skipped -= length
                elif raw[:1] in (b"/", b" ") and raw[1:].split(b":")[0].isdigit():
                    start = _number(raw[1:].split(b":")[0])
                    found = names[start:].split(b"\n", 1)[0].removesuffix(b"/")
                else:
                    found = raw.removesuffix(b"/")
                    is_cut = len(raw) >= 15
                if not found.startswith(b"__.SYMDEF"):
                    date = _number(header[slice(*_DATE)])
                    yield Member(os.fsdecode(found), date, offset, is_cut)
                if magic == _THIN_MAGIC:
                    skipped = padding = 0  # the members are files of their own
            handle.seek(skipped + padding, os.SEEK_CUR)


def matching(name: str) -> list[str]:
    """What a name with wildcards for the member stands for: the members that it matches, by their
    names. Nothing if it is no such name."""
    parts = member_of(name)
    if parts is None or not _WILDCARD.search(parts[1]):
        return []
    try:
        found = {each.name for each in members(parts[0])}
    except (OSError, ArchiveError):
        return []
    from fnmatch import fnmatchcase

    return [f"{parts[0]}({each})" for each in sorted(found) if fnmatchcase(each, parts[1])]


def _number(text: bytes) -> int:
    text = text.strip()
    return int(text) if text.isdigit() else 0


def _has_name(member: Member, wanted: str) -> bool:
    """Members are known by the last part of their names, or by all of it."""
    if member.name == wanted:
        return True
    last = wanted.rpartition("/")[2]
    if member.name == last or (member.is_cut and last[: len(member.name)] == member.name):
        return True
    return "/" in member.name and member.name.rpartition("/")[2] == last


def member_time(name: str) -> int | None:
    """The date of `lib.a(member.o)` in ns since the epoch; None if there is no such archive, if it
    is none, or if it has no such member."""
    parts = member_of(name)
    if parts is None:
        return None
    try:
        for member in members(parts[0]):
            if _has_name(member, parts[1]):
                return member.date * 1_000_000_000
    except (OSError, ArchiveError):
        return None
    return None


def touch(name: str) -> None:
    """Sets the date of `lib.a(member.o)` to now. Raises OSError, or ArchiveError with what make
    says (behind `touch: `)."""
    parts = member_of(name)
    assert parts is not None
    archive, wanted = parts
    try:
        found = [each for each in members(archive) if _has_name(each, wanted)]
    except IsADirectoryError:
        raise ArchiveError(f"'{archive}' is not a valid archive") from None
    except FileNotFoundError:
        raise ArchiveError(f"Archive '{archive}' does not exist") from None
    if not found:
        raise ArchiveError(f"Member '{wanted}' does not exist in '{archive}'")
    with open(archive, "r+b") as handle:
        handle.seek(found[0].offset + _DATE[0])
        handle.write(b"%-12d" % int(time.time()))
