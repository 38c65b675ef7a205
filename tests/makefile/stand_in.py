"""A console that remembers, and a shell that runs commands."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence


class Console:
    """Keeps what make says."""

    def __init__(self) -> None:
        self.said = ""

    def out(self, text: str) -> None:
        self.said += text

    def err(self, text: str) -> None:
        self.said += text


class Shell:
    """Runs commands as they are."""

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, int]:
        ran = subprocess.run(argv, stdout=subprocess.PIPE, env=dict(environment), check=False)
        return ran.stdout, ran.returncode
