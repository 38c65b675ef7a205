"""Both sides: GNU make and pybuild, each as `make` on a PATH of its own, and what a case does there."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.gnumake import gnu_make

from .cases import MOMENT, Case, Command

LIMIT = 60.0
"""Seconds that one command line may take."""

_TOO_LONG = "(took too long)"


class Side(NamedTuple):
    """A make: `bin` is a folder that holds it under the name `make`."""

    name: str
    bin: Path


class Ran(NamedTuple):
    """What one command line did."""

    command: str
    status: int
    stdout: str
    stderr: str


class Outcome(NamedTuple):
    """What a case did: its commands, and the files that it left.

    `files` has for each path its kind and contents and whether it was written or touched by the
    case's commands; `temporary` are the names left in the folder for temporary files.
    """

    ran: list[Ran]
    files: dict[str, tuple[str, bool]]
    temporary: list[str]

    def has_ended(self) -> bool:
        """Whether each command came to an end in time, and was not ended by a signal."""
        return not any(ran.stderr.endswith(_TOO_LONG) or ran.status > 128 for ran in self.ran)

    def told(self) -> list[str]:
        """The outcome as lines, to be compared by eye."""
        lines = []
        for ran in self.ran:
            lines.append(f"$ {ran.command}")
            lines += [f"  out: {line}" for line in ran.stdout.split("\n")[:-1]]
            lines += [f"  out: {line} (no newline)" for line in ran.stdout.split("\n")[-1:] if line]
            lines += [f"  err: {line}" for line in ran.stderr.splitlines()]
            lines.append(f"  status: {ran.status}")
        for name, (contents, fresh) in sorted(self.files.items()):
            lines.append(f"file {name}{' (written)' * fresh}: {contents!r}")
        return [*lines, *(f"left in the temporary folder: {name}" for name in self.temporary)]


def difference(expected: Outcome, got: Outcome) -> str:
    """How `got` differs from `expected`, as lines of both; empty if it does not."""
    if got == expected:
        return ""
    lines = difflib.ndiff(expected.told(), got.told())
    return "\n".join(line for line in lines if not line.startswith("?")) or "in newlines only"


def gnu_side(folder: Path) -> Side:
    """GNU make, as `make` in a folder below `folder`. There must be one (`gnu_make`)."""
    make = gnu_make()
    assert make
    bin = folder / "gnu"
    bin.mkdir(parents=True)
    (bin / "make").symlink_to(Path(make).resolve())
    return Side("GNU make", bin)


def pybuild_side(folder: Path) -> Side:
    """Pybuild, as `make` in a folder below `folder`.

    A script is told its whole path by the system, and GNU make the bare name that was typed; so the
    name is given to Python by hand. This is the one place that knows how pybuild is started.
    """
    bin = folder / "pybuild"
    bin.mkdir(parents=True)
    start = "import sys; sys.argv[0] = 'make'; from pybuild.cli.main import main; main()"
    script = bin / "make"
    script.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -c {shlex.quote(start)} "$@"\n'
    )
    script.chmod(0o755)
    return Side("pybuild", bin)


def outcome(side: Side, case: Case, room: Path) -> Outcome:
    """Do what `case` says with `side`, in `room/case`; all of `room` is removed before.

    Both sides get the same `room`, one after the other, so that no path differs.
    """
    shutil.rmtree(room, ignore_errors=True)
    folder, temporary = room / "case", room / "tmp"
    folder.mkdir(parents=True)
    temporary.mkdir()
    environment = {
        "PATH": f"{side.bin}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
        "HOME": str(room),
        "TMPDIR": str(temporary),
        "LC_ALL": "C",
        "PWD": str(folder),
    }
    ran = []
    for step in case.steps:
        if isinstance(step, Command):
            ran.append(_run(step.line, folder, environment))
        else:
            step.take(folder)
    return Outcome(ran, _left(folder), sorted(os.listdir(temporary)))


def _run(line: str, folder: Path, environment: dict[str, str]) -> Ran:
    """Run a line of shell. No child outlives it."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        stderr += f"\n{_TOO_LONG}".encode()
    return Ran(line, process.returncode, _normal(stdout), _normal(stderr))


_OWN_NAMES = [
    (re.compile(r"GMfifo\d+"), "GMfifo"),
    (re.compile(r"--sync-mutex=\S+"), "--sync-mutex=F"),
    (re.compile(r"--jobserver-auth=\d+,\d+"), "--jobserver-auth=R,W"),
    (re.compile(r"/Gm[A-Za-z0-9]{6,}"), "/Gm"),
]


def _normal(output: bytes) -> str:
    """Output without what differs from run to run: numbers of processes, names of temporary files."""
    text = output.decode(errors="surrogateescape")
    for pattern, replacement in _OWN_NAMES:
        text = pattern.sub(replacement, text)
    return text


def _left(folder: Path) -> dict[str, tuple[str, bool]]:
    """All that is in `folder` and below; see `Outcome`."""
    files = {}
    for root, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(root, name)
            status = path.lstat()
            fresh = abs(status.st_mtime - MOMENT) > 1_000_000
            if stat.S_ISDIR(status.st_mode):
                files[f"{path.relative_to(folder)}/"] = ("", False)
            elif stat.S_ISLNK(status.st_mode):
                files[str(path.relative_to(folder))] = ("-> " + os.readlink(path), False)
            else:
                files[str(path.relative_to(folder))] = (_contents(path), fresh)
    return files


def _contents(path: Path) -> str:
    """The text of a file. Archives hold the time at which they were made: of those, the names."""
    contents = path.read_bytes()
    if contents.startswith(b"!<arch>"):
        listed = subprocess.run(["ar", "t", str(path)], capture_output=True, check=False)
        contents = b"archive: " + listed.stdout
    return _normal(contents)
