"""Run cases under GNU make alone: `python -m tests.makefiles.oracle [-v] [WORD...]`.

Takes the cases whose id holds one of the words (all if there is none), runs each three times, and
tells those that differ from run to run or take too long. With `-v` it prints what they did.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from .cases import Case, all_cases
from .sides import Outcome, gnu_side, outcome

SLOW = 2.0
"""Seconds of wall time above which a case is told to be slow."""


def main(arguments: list[str]) -> int:
    """Run the cases that `arguments` choose; 1 if any of them is not fit to be one."""
    verbose = "-v" in arguments
    words = [word for word in arguments if word != "-v"]
    cases = [case for case in all_cases() if not words or any(w in case.id for w in words)]
    unfit = 0
    with tempfile.TemporaryDirectory() as folder:
        side = gnu_side(Path(folder))
        for case in cases:
            start = time.monotonic()
            first, *more = (outcome(side, case, Path(folder, "room")) for _ in range(3))
            took = (time.monotonic() - start) / 3
            if verbose:
                _show(case, first)
            if any(each != first for each in more):
                unfit += 1
                print(f"{case.id}: differs from run to run\n  {first}\n  {more}")
            if took > SLOW:
                unfit += 1
                print(f"{case.id}: took {took:.1f} s")
    print(f"{len(cases)} cases, {unfit} unfit")
    return 1 if unfit else 0


def _show(case: Case, told: Outcome) -> None:
    """Print what a case did."""
    print(f"== {case.id}")
    for ran in told.ran:
        print(f"$ {ran.command}  [{ran.status}]")
        print(*(f"  {line}" for line in ran.stdout.splitlines()), sep="\n")
        print(*(f"  ! {line}" for line in ran.stderr.splitlines()), sep="\n")
    print("  files:", *(name + "*" * fresh for name, (_, fresh) in sorted(told.files.items())))
    if told.temporary:
        print("  left in the temporary folder:", *told.temporary)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
