"""Where the time goes: `--stats` and `--profile`."""

from __future__ import annotations

import json
import os

from .conftest import Place

PIPEFILE = "c: a b\n    cat a b > c\na:\n    echo 1 > a\nb:\n    echo 2 > b\n"


def test_a_trace_has_each_phase_and_each_job(place: Place) -> None:
    place.put(Pipefile=PIPEFILE)
    place.run("-j2", "--profile", "trace.json")
    trace = json.loads((place.folder / "trace.json").read_text())
    spans = {event["name"]: event for event in trace["traceEvents"] if event["ph"] == "X"}
    assert {"load", "build", "a", "b", "c"} <= spans.keys()
    assert all(event["dur"] >= 0 for event in spans.values())
    build, last = spans["build"], spans["c"]
    assert build["ts"] <= last["ts"]
    assert last["ts"] + last["dur"] <= build["ts"] + build["dur"]
    for first in ("a", "b"):
        assert spans[first]["ts"] + spans[first]["dur"] <= last["ts"]


def test_jobs_that_run_at_once_have_lines_of_their_own(place: Place) -> None:
    # Each waits for the other at a pipe.
    place.put(Pipefile="all: a b\na:\n    echo 1 > p; touch a\nb:\n    cat < p > b\n")
    os.mkfifo(place.folder / "p")
    place.run("-j2", "--profile=trace.json")
    events = json.loads((place.folder / "trace.json").read_text())["traceEvents"]
    lines = {event["name"]: event["tid"] for event in events if event["ph"] == "X"}
    assert lines["a"] != lines["b"]


def test_stats_name_the_phases(place: Place) -> None:
    place.put(Pipefile=PIPEFILE)
    done = place.run("--stats")
    assert "3 ran, 3 judged" in done.stderr
    assert "instantiate" in done.stderr
    assert "instantiate" not in done.stdout


def test_a_trace_that_cannot_be_written_is_an_error(place: Place) -> None:
    place.put(Pipefile=PIPEFILE)
    done = place.run("--profile", "no/trace.json", status=2)
    assert "cannot write `no/trace.json`" in done.stderr
    assert (place.folder / "c").exists()
