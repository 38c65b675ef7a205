"""What is said when there is nothing to do. Part of every start, so it imports nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_GOALS = 3


def counted(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def up_to_date(goals: Sequence[str], jobs: int) -> str:
    """That goals are up to date, and how many jobs that are."""
    what = ", ".join(f"`{goal}`" for goal in goals[:_MOST_GOALS])
    more = "..." if len(goals) > _MOST_GOALS else ""
    return f"{what}{more} up to date ({counted(jobs, 'job')})"


def nothing_to_do(goals: Sequence[str], jobs: int, *, dry: bool) -> str:
    """All that a build, or a dry run, says where everything is up to date."""
    return f"pybuild: {f'0 would run, {jobs} up to date' if dry else up_to_date(goals, jobs)}"


def printable(text: str) -> str:
    """File names that are no UTF-8 must not break the output."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
