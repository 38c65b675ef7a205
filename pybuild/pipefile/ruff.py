"""Python formatted by `ruff format`, where it is installed.

The project's own configuration of ruff counts (line length, quotes), but for what would not fit
into a Pipefile: blocks are indented by four blanks. Options: https://docs.astral.sh/ruff/formatter/
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_OPTIONS = (
    "format",
    "--quiet",
    "--no-cache",
    "--config=indent-width=4",
    '--config=format.indent-style="space"',
    '--config=format.line-ending="lf"',
)
_LONGEST_S = 60


def find_ruff() -> str:
    """The path of ruff; "" if there is none."""
    return find_tool("ruff")


def find_tool(name: str) -> str:
    """The path of a program: beside the running Python, else on PATH; "" if there is none."""
    beside = os.path.join(os.path.dirname(sys.executable), name)
    return beside if os.access(beside, os.X_OK) else shutil.which(name) or ""


def run_ruff(ruff: str, text: str, beside: str) -> str | None:
    """A Python text formatted by the program `ruff`, as a file that stands beside the file
    `beside` would be. None if ruff refuses the text or its configuration."""
    try:
        done = subprocess.run(
            [ruff, *_OPTIONS, f"--stdin-filename={beside}.py", "-"],
            input=text.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=_LONGEST_S,
            check=False,
        )
        return done.stdout.decode("utf-8") if done.returncode == 0 else None
    except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired):
        return None
