"""The streams that pybuild was started with: those that are missing, and those that cannot take
what is written."""

from __future__ import annotations

import io
import os
import sys


class CannotWrite(Exception):
    """Standard output or standard error took no more; the message says why. No OSError: whoever
    minds that a file of the project cannot be written is not asked."""


class _Raw(io.FileIO):
    def write(self, data: object) -> int | None:  # type: ignore[override]
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CannotWrite(error.strerror) from None


def open_streams() -> None:
    """Makes the three standard streams usable: one that was closed leads nowhere, before a file of
    ours gets its number; writing to the others raises BrokenPipeError or CannotWrite."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number
    sys.stdout = _writer(1, getattr(sys.stdout, "encoding", None))
    sys.stderr = _writer(2, getattr(sys.stderr, "encoding", None))


def _writer(number: int, encoding: str | None) -> io.TextIOWrapper:
    """A text stream for a descriptor. File names need not be UTF-8, nor the terminal's encoding be
    able to show them."""
    raw = _Raw(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding,
        "backslashreplace",
        line_buffering=number == 2 or raw.isatty(),
    )
