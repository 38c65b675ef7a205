"""Questions that are answered by a process of their own."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from pybuild.lsp.asking import NoAnswer, ask

pytestmark = pytest.mark.asyncio


async def test_an_answer_comes_from_another_process_and_may_be_long() -> None:
    process, text = await ask(lambda: (os.getpid(), "x" * 3_000_000))
    assert process != os.getpid()
    assert len(text) == 3_000_000


async def test_a_question_that_fails_says_so() -> None:
    with pytest.raises(NoAnswer, match="ZeroDivisionError"):
        await ask(lambda: 1 // 0)


async def test_a_process_that_dies_gives_no_answer() -> None:
    with pytest.raises(NoAnswer, match="died"):
        await ask(lambda: os._exit(1))


async def test_what_is_not_wanted_any_more_ends(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    told = tmp_path / "pid"

    def wait_for_ever() -> str:
        told.write_text(str(os.getpid()))
        return pipe.read_text()

    task = asyncio.ensure_future(ask(wait_for_ever))
    async with asyncio.timeout(30):
        while not told.exists() or not told.read_text():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
