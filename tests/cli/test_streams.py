"""Standard streams that are closed, or that take nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import Place

PIPEFILE = "a:\n    echo made\n    touch a\n"
KINDS = ("", "-n", "-B", "-h", "-v", "--list", "--lint", "-p")


def started(place: Place, words: str, redirections: str) -> subprocess.CompletedProcess[str]:
    """Pybuild as a shell starts it with these redirections."""
    return subprocess.run(
        ["bash", "-c", f'"$1" -m pybuild {words} {redirections}', "bash", sys.executable],
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", KINDS)
def test_closed_streams(place: Place, words: str, closed: str) -> None:
    place.put(Pipefile=PIPEFILE)
    result = started(place, words, closed)
    assert (result.returncode, result.stderr) == (0, "")
    assert (place.folder / "a").exists() == (words in ("", "-B"))
    if ">&-" not in closed.split():
        assert result.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_question_with_closed_streams(place: Place, closed: str) -> None:
    place.put(Pipefile=PIPEFILE)
    assert started(place, "-q", closed).returncode == 1
    place.run()
    assert started(place, "-q", closed).returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
@pytest.mark.parametrize("words", KINDS)
def test_output_that_cannot_be_written(place: Place, words: str) -> None:
    place.put(Pipefile=PIPEFILE)
    result = started(place, words, ">/dev/full")
    assert result.stderr == "pybuild: cannot write: No space left on device\n"
    assert result.returncode == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_complaints_that_cannot_be_written(place: Place) -> None:
    place.put(Pipefile=PIPEFILE)
    assert started(place, "nothing", "2>/dev/full").returncode == 2
    assert place.files() == ["Pipefile"]


def test_a_reader_that_has_seen_enough(place: Place) -> None:
    place.put(Pipefile=PIPEFILE)
    result = started(place, "-h", "| head -n 1")
    assert result.stdout.startswith("usage: pybuild") and result.stderr == ""
