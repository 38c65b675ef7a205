"""A folder with a Pipefile and the real program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


class Sandbox:
    """Writes files, runs pybuild, reads what it made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, **files: str) -> Sandbox:
        """Files by name; `Pipefile="..."`. Names with slashes: `put`."""
        for name, text in files.items():
            self.put(name, text)
        return self

    def put(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *words: str, status: int = 0, env: dict[str, str] | None = None) -> str:
        """Runs pybuild; returns stdout and stderr together. The status has to be as given."""
        import os

        done = subprocess.run(
            [sys.executable, "-m", "pybuild", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
            timeout=120,
        )
        assert done.returncode == status, done.stdout
        assert "Traceback" not in done.stdout or "Pipefile" in done.stdout, done.stdout
        return done.stdout

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def names(self, pattern: str) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(pattern))

    def runs_nothing(self, *words: str) -> None:
        """A build in which everything is up to date."""
        output = self.run(*words)
        assert "up to date (" in output, output

    def ran(self, *words: str) -> int:
        """How many jobs a build runs."""
        output = self.run(*words)
        last = output.strip().splitlines()[-1]
        if "up to date (" in last:
            return 0
        return int(last.split("pybuild: ")[1].split(" ran")[0])


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)
