"""Questions about jobs, answered by a forked process: to hold all files against all rules may take
longer than between two keystrokes, and what the answer needs is thrown away with the process."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PIECE = 1 << 20
_LONGEST_S = 60
_MOST_FILES = 1 << 16
_NICER = 5  # by so much it gives way to the server, which somebody may be typing to
UNASKED = 15  # and where nobody waits for the answer


class NoAnswer(Exception):
    """The process that was to answer has failed, with what it said."""


async def ask(question: Callable[[], T], nicer: int = _NICER) -> T:
    """What a function returns (it has to be picklable), called in a process of its own, of a lower
    priority by `nicer` (as of `nice`). If the task that waits is cancelled, the process ends.
    Raises NoAnswer."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        _answer(question, writing, nicer)
    os.close(writing)
    try:
        data = await asyncio.wait_for(_all_of(reading), _LONGEST_S)
    except TimeoutError:
        os.kill(process, signal.SIGKILL)
        raise NoAnswer(f"it took more than {_LONGEST_S} s") from None
    except asyncio.CancelledError:
        os.kill(process, signal.SIGKILL)
        raise
    finally:
        os.close(reading)
        os.waitpid(process, 0)
    try:
        is_answer, answer = pickle.loads(data)
    except (pickle.UnpicklingError, EOFError) as error:
        raise NoAnswer("the process died") from error
    if not is_answer:
        raise NoAnswer(answer)
    return answer  # type: ignore[no-any-return]


def _answer(question: Callable[[], object], writing: int, nicer: int) -> None:
    """Writes the answer and ends the process, whatever happens: it must never go on as a second
    server on the same streams."""
    try:
        os.nice(nicer)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(nothing, stream)
        # Nobody is to wait for the end of what only this process would still hold open.
        os.closerange(3, writing)
        os.closerange(writing + 1, _MOST_FILES)
        try:
            data = pickle.dumps((True, question()))
        except Exception as error:
            data = pickle.dumps((False, f"{type(error).__name__}: {error}"))
        with open(writing, "wb") as out:
            out.write(data)
    finally:
        os._exit(0)


async def _all_of(reading: int) -> bytes:
    """All that comes through a pipe."""
    loop = asyncio.get_running_loop()
    os.set_blocking(reading, False)
    done: asyncio.Future[None] = loop.create_future()
    pieces: list[bytes] = []

    def take() -> None:
        try:
            piece = os.read(reading, _PIECE)
        except BlockingIOError:
            return
        if piece:
            pieces.append(piece)
        elif not done.done():
            done.set_result(None)

    loop.add_reader(reading, take)
    try:
        await done
    finally:
        loop.remove_reader(reading)
    return b"".join(pieces)
