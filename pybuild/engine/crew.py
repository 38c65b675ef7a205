"""Several processes look at the files of a large project: to look at one takes the kernel's time,
and Python lets only one thread at a time ask for it.
"""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LEAST = 4000  # pieces of work for which one more process is worth its start
_MOST = 8
_CHUNKS = 64


def members(pieces: int) -> int:
    """How many processes are worth having for so much work, this one included."""
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    return max(1, min(processors, pieces // _LEAST, _MOST))


def share(pieces: int, work: Callable[[int, int], dict[int, Any]]) -> dict[int, Any]:
    """What `work` gives for pieces from one number up to another, over all of them: each process
    takes the next chunk when it is done with one. Values go through `marshal`. What a process that
    dies had taken is done again here."""
    size = -(-pieces // _CHUNKS)
    chunks = range(-(-pieces // size))
    taking, giving = os.pipe()
    os.write(giving, bytes(chunks))
    os.close(giving)
    helpers = [_start(taking, work, size, pieces) for _ in range(members(pieces) - 1)]
    found, done = _work(taking, work, size, pieces)
    os.close(taking)
    for process, telling in helpers:
        with open(telling, "rb") as told:
            data = told.read()
        os.waitpid(process, 0)
        try:
            theirs, also_done = marshal.loads(data)
        except (EOFError, ValueError, TypeError):
            continue
        found |= theirs
        done += also_done
    for chunk in set(chunks).difference(done):
        found |= work(chunk * size, min(pieces, (chunk + 1) * size))
    return found


def _work(
    taking: int, work: Callable[[int, int], dict[int, Any]], size: int, pieces: int
) -> tuple[dict[int, Any], list[int]]:
    """Takes chunks until there are none; returns what was found, and which they were."""
    found: dict[int, Any] = {}
    done = []
    while ticket := os.read(taking, 1):
        start = ticket[0] * size
        found |= work(start, min(pieces, start + size))
        done.append(ticket[0])
    return found, done


def _start(
    taking: int, work: Callable[[int, int], dict[int, Any]], size: int, pieces: int
) -> tuple[int, int]:
    """Starts a process that works beside this one; returns it, and where it tells what it found."""
    telling, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, telling
    try:
        data = marshal.dumps(_work(taking, work, size, pieces))
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)
