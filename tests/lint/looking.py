"""A Pipefile in the working folder, and all that is said of it."""

from __future__ import annotations

from pathlib import Path

from pybuild.lint.check import check
from pybuild.project import Opening, Project, Wish
from pybuild.source import Diagnostic


def look(text: str, *files: str) -> list[Diagnostic]:
    """All that is said of a Pipefile in a folder with these files, which are empty."""
    for name in files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("Pipefile").write_text(text, "utf-8")
    project = Project(Opening())
    project.open()
    try:
        return check(project, Wish())
    finally:
        project.close()


def told(found: list[Diagnostic]) -> list[tuple[int, str]]:
    """Line and code of each."""
    return [(each.span.place[0] if each.span else 0, each.code) for each in found]
