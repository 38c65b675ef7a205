"""An empty folder and the real program in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Place:
    """A project's folder. `run` starts pybuild there; stdout and stderr are kept apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, **texts: str) -> None:
        """Writes files of the project's own folder."""
        for name, text in texts.items():
            self.write(name, text)

    def write(self, name: str, text: str = "") -> None:
        """Writes a file, with the folders above it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(
        self, *words: str, status: int = 0, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs pybuild to its end; its exit status has to be the one given."""
        clean = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
        done = subprocess.run(
            [sys.executable, "-m", "pybuild", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**clean, **(env or {})},
            timeout=120,
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def files(self) -> list[str]:
        """The names of all files, pybuild's own left out."""
        return sorted(
            name
            for path in self.folder.rglob("*")
            if path.is_file()
            and not (name := str(path.relative_to(self.folder))).startswith(".pybuild")
        )

    def state(self) -> list[str]:
        """What pybuild keeps of this project, but for what it parsed."""
        kept = self.folder / ".pybuild"
        return (
            sorted(path.name for path in kept.iterdir() if path.name != "trees")
            if (kept.is_dir())
            else []
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Place(folder)
