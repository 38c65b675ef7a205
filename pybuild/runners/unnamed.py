"""Files without a name: whoever inherits the handle can write there, and nobody else knows them."""

from __future__ import annotations

import fcntl
import os

_LEAST = 10  # a shell can name handles below ten in its script: those are left to it


def unnamed_file(name: str, folder: str) -> int:
    """A new empty file that is gone when nobody has it open; its handle is 10 or more. It is in
    memory, under this name in /proc, or where that is not to be had in the folder. Raises OSError.
    """
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create(name)
    else:
        os.makedirs(os.path.join(folder, "tmp"), exist_ok=True)
        path = os.path.join(folder, "tmp", f"{name}.{os.getpid()}")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.unlink(path)
    moved = fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, _LEAST)
    os.close(handle)
    return moved
