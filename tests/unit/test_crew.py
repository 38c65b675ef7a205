"""Work that is shared is done once and whole, whatever becomes of who helps."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from pybuild.engine import crew

HERE = os.getpid()


@pytest.fixture
def of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "members", lambda _: 3)


def _squares(start: int, end: int) -> dict[int, int]:
    return {number: number * number for number in range(start, end)}


def _dies(start: int, end: int) -> dict[int, int]:
    if os.getpid() != HERE:
        os._exit(1)
    return _squares(start, end)


def _raises(start: int, end: int) -> dict[int, int]:
    if os.getpid() != HERE:
        raise ValueError
    return _squares(start, end)


def _leaves_it_to_others(start: int, end: int) -> dict[int, int]:
    """Takes nothing before a helper has told that it is there."""
    if os.getpid() == HERE and os.environ.pop("CREW_GATE", ""):
        os.read(GATE[0], 1)
    elif os.getpid() != HERE:
        os.write(GATE[1], b".")
    return {number: os.getpid() for number in range(start, end)}


GATE = os.pipe()


@pytest.mark.parametrize("pieces", [1, 2, 63, 64, 65, 1000, 100_000])
@pytest.mark.parametrize("work", [_squares, _dies, _raises])
def test_all_is_done(
    work: Callable[[int, int], dict[int, int]], pieces: int, of_three: None
) -> None:
    assert crew.share(pieces, work) == _squares(0, pieces)


def test_it_is_shared(monkeypatch: pytest.MonkeyPatch, of_three: None) -> None:
    monkeypatch.setenv("CREW_GATE", "1")
    done = crew.share(100, _leaves_it_to_others)
    assert set(done.values()) != {HERE}
    assert sorted(done) == list(range(100))


def test_nobody_is_left_behind(of_three: None) -> None:
    crew.share(1000, _dies)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_little_work_is_not_shared() -> None:
    assert crew.members(0) == 1
    assert crew.members(7999) == 1
