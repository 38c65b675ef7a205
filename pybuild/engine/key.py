"""What decides of a load, and where the graph of one is kept. Part of every start: imports next to
nothing."""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

STATE_FOLDER = ".pybuild"
# Relative: the name of a socket has 107 bytes at most, and a project may lie deeper.
DOOR = f"{STATE_FOLDER}/door"


def flat_path(folder: str, key: bytes) -> str:
    """Where the graph of a command line is kept; `key` is what decides of a load."""
    from xxhash import xxh3_64_hexdigest

    return f"{folder}/flat/{xxh3_64_hexdigest(key)}"


def load_key(version: str, words: Sequence[Any]) -> bytes:
    """All that decides of a load besides what it looks at; `words` are those of the command line
    that count."""
    import sys

    return marshal.dumps(
        (
            version,
            sys.version,
            os.path.dirname(sys.executable),
            os.getcwd(),
            os.getuid(),
            os.cpu_count(),
            os.environ.get("PYTHONPATH"),
            tuple(words),
        ),
        4,
    )
