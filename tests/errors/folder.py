"""A project's folder, and pybuild run in it: in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pybuild.cli.main import run

_NOT_PROJECT = ".pybuild"
_LONGEST_S = 30  # what takes longer will never end


@dataclass(frozen=True, slots=True)
class Run:
    """What one call of pybuild gave."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that was said."""
        return self.out + self.err


class Folder:
    """A project's folder, which is the working directory while the test runs."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capture = capture

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Writes files, with the folders above them."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = (
                content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            )
            path.write_bytes(data)

    def names(self) -> set[str]:
        """All that lies in the project but for pybuild's own records, folders with a slash."""
        found: set[str] = set()
        for folder, folders, files in os.walk(self.root):
            folders[:] = [each for each in folders if each != _NOT_PROJECT]
            base = os.path.relpath(folder, self.root)
            inner = "" if base == "." else base + "/"
            found.update(f"{inner}{each}/" for each in folders)
            found.update(f"{inner}{each}" for each in files)
        return found

    def contents(self) -> dict[str, bytes]:
        """The bytes of all files but for pybuild's own records."""
        return {
            name: (self.root / name).read_bytes()
            for name in sorted(self.names())
            if not name.endswith("/")
        }

    def run(self, *words: str) -> Run:
        """The command in this process: an exception that gets out of it fails the test."""
        self._capture.readouterr()
        status = run(list(words))
        out, err = self._capture.readouterr()
        return Run(status, out, err)

    def spawn(self, *words: str, before: str = "") -> Run:
        """The command in a process of its own; `before` is shell text that is run first."""
        command = [sys.executable, "-m", "pybuild", *words]
        if before:
            command = ["bash", "-c", f'{before}; exec "$@"', "bash", *command]
        done = subprocess.run(
            command,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_LONGEST_S,
            start_new_session=True,  # a pybuild that signals its own group is not to end the tests
        )
        return Run(
            done.returncode,
            done.stdout.decode("utf-8", "backslashreplace"),
            done.stderr.decode("utf-8", "backslashreplace"),
        )
