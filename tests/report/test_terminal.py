"""The live line: what it says, that it never harms the output, and one run on a real terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pexpect
import pytest

from pybuild.engine.events import (
    Complaint,
    Event,
    Failure,
    Finished,
    Judged,
    Message,
    Output,
    Progress,
    Started,
    Summary,
)
from pybuild.engine.staleness import Reason, Stale
from pybuild.graph import Job, Script, Traits
from pybuild.report.plain import PlainReport, Tone
from pybuild.report.terminal import TerminalReport, cells, fitted
from pybuild.source import Diagnostic, Source, Span

ORIGIN = Span(Source("Pipefile", "a: b\n"), 0, 1)
PLAIN = Tone()
DIM, RED, RESET = "\x1b[2m", "\x1b[31m", "\x1b[0m"


class Screen(io.StringIO):
    """A terminal with lines of any width, for both streams. `lines` are what can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [""]
        self.column = 0
        self.written = ""

    def isatty(self) -> bool:
        """Says yes, as a terminal does."""
        return True

    def write(self, text: str) -> int:
        """Shows a text; the one control sequence it knows besides colours erases to the right."""
        self.written += text
        for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|\x1b|[^\x1b]", text):
            if part == "\x1b[K":
                self.lines[-1] = self.lines[-1][: self.column]
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.lines.append("")
                self.column = 0
            elif not part.startswith("\x1b"):
                line = self.lines[-1]
                self.lines[-1] = line[: self.column] + part + line[self.column + 1 :]
                self.column += 1
            else:
                assert part.endswith("m"), part
        return len(text)

    @property
    def last(self) -> str:
        """The line with the cursor."""
        return self.lines[-1]


class Stage:
    """A report on a screen, with a clock that stands still until it is moved."""

    def __init__(self, width: int = 80, tone: Tone = PLAIN, colour: bool | None = False) -> None:
        self.now = 100.0
        self.screen = Screen()
        self.report = TerminalReport(
            tone, self.screen, self.screen, clock=self.clock, width=lambda: width, colour=colour
        )

    def clock(self) -> float:
        """The time, in seconds."""
        return self.now

    def tell(self, *events: Event) -> None:
        """Hands events to the report."""
        for event in events:
            self.report.handle(event)

    def later(self, seconds: float) -> None:
        """Time goes on, and the report is told."""
        self.now += seconds
        self.report.tick()


def job(number: int, name: str = "", description: str = "") -> Job:
    """A job without a recipe."""
    made = Job(name or f"job{number}", (), Traits("rule", description), ORIGIN)
    made.number = number
    return made


def started(made: Job, echo: str = "", silent: bool = True) -> Started:
    """The event that a job starts, without an echo unless one is given."""
    return Started(made, Script((), echo, silent=silent and not echo), 1, None)


def summary(failures: Sequence[Failure] = ()) -> Summary:
    """The end of a build of one goal."""
    return Summary(1, 0, tuple(failures), (), 2.0, ("all",))


def progress(done: int, wanted: int, running: int, remaining: float | None = None) -> Progress:
    """How far it is."""
    return Progress(done, wanted, running, remaining)


# -- what it says --------------------------------------------------------------------------


def test_counts_jobs_times_and_estimate() -> None:
    stage = Stage()
    stage.tell(started(job(1, description="align s1")), progress(11, 40, 1))
    stage.now += 9
    stage.tell(started(job(2, description="align s2")), progress(12, 40, 2, 123.0))
    assert stage.screen.last == "[12/40] 2 running: align s1 9 s, align s2 0 s  about 2 min left"
    stage.later(3)
    assert stage.screen.last == "[12/40] 2 running: align s1 12 s, align s2 3 s  about 2 min left"


def test_a_job_without_a_description_goes_by_its_name() -> None:
    stage = Stage()
    stage.tell(started(job(1, "out/a b.txt")), progress(0, 1, 1))
    assert stage.screen.last == "[0/1] 1 running: out/a b.txt 0 s"


def test_signs_that_a_terminal_would_obey_are_not_passed_on() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a\x1b[2J\n\udcffb")), progress(0, 1, 1))
    assert stage.screen.last == "[0/1] 1 running: a?[2J??b 0 s"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.9, "0 s"), (59.9, "59 s"), (60.0, "1 min 0 s"), (185.2, "3 min 5 s"), (7600, "2 h 6 min")],
)
def test_times_that_have_passed(seconds: float, shown: str) -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1))
    stage.later(seconds)
    assert stage.screen.last == f"[0/1] 1 running: a {shown}"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0.4, ""),
        (1.0, "  about 1 s left"),
        (59.4, "  about 59 s left"),
        (59.6, "  about 1 min left"),
        (100.0, "  about 2 min left"),
        (7600.0, "  about 2 h 6 min left"),
    ],
)
def test_estimates(seconds: float | None, shown: str) -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1, seconds))
    assert stage.screen.last == f"[0/1] 1 running: a 0 s{shown}"


def test_an_estimate_runs_down_while_nothing_happens() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1, 30.0))
    stage.later(10)
    assert stage.screen.last == "[0/1] 1 running: a 10 s  about 20 s left"
    stage.later(25)
    assert stage.screen.last == "[0/1] 1 running: a 35 s"


@pytest.mark.parametrize("name", ["plain", "日本語のファイル", "e\u0301te\u0301"])
def test_it_is_never_as_wide_as_the_terminal(name: str) -> None:
    for width in range(1, 120):
        stage = Stage(width)
        for number in range(5):
            stage.tell(started(job(number, f"{name}{number}")))
        stage.tell(progress(3, 8, 5, 500.0))
        assert cells(stage.screen.last) < max(width, 2)


def test_the_estimate_stays_where_jobs_have_to_be_cut() -> None:
    stage = Stage(60)
    for number in range(5):
        stage.tell(started(job(number, f"something long {number}")))
    stage.tell(progress(3, 8, 5, 500.0))
    assert stage.screen.last == "[3/8] 5 running: something long 0 0 s,...  about 8 min left"
    assert len(stage.screen.last) == 59


def test_cutting_counts_cells() -> None:
    assert fitted("abcdef", 6) == "abcdef"
    assert fitted("abcdef", 5) == "ab..."
    assert fitted("日本語", 6) == "日本語"
    assert fitted("日本語", 5) == "日..."
    assert fitted("abcdef", 2) == ".."
    assert fitted("abcdef", 0) == ""


# -- when it is drawn ----------------------------------------------------------------------


def test_it_is_drawn_ten_times_a_second_at_most() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")))
    for number in range(1000):
        stage.now += 0.001
        stage.tell(progress(number, 1000, 1))
    drawings = re.findall(r"\[(\d+)/1000\]", stage.screen.written)
    assert 9 <= len(drawings) <= 11


def test_ticks_draw_only_what_has_changed() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1))
    stage.later(0.5)
    before = stage.screen.written
    stage.later(0.4)
    assert stage.screen.written == before
    stage.later(0.2)
    assert stage.screen.last == "[0/1] 1 running: a 1 s"


def test_a_tick_puts_back_what_was_drawn_too_lately() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 2, 1))
    stage.tell(started(job(2, "b"), echo="make b"), progress(0, 2, 2))
    assert stage.screen.lines == ["make b", ""]
    stage.later(0.2)
    assert stage.screen.lines == ["make b", "[0/2] 2 running: a 0 s, b 0 s"]


def test_without_a_running_job_there_is_no_line() -> None:
    stage = Stage()
    stage.tell(progress(0, 3, 0))
    assert stage.screen.written == ""
    stage.tell(started(job(1)), progress(0, 3, 1))
    assert stage.screen.last != ""
    stage.tell(Finished(job(1), 1.0), progress(1, 3, 0))
    stage.later(5)
    assert stage.screen.lines == [""]


def test_a_job_that_is_tried_again_is_not_there_twice() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), started(job(2, "b")), progress(0, 2, 2))
    stage.tell(Finished(job(1, "a"), 1.0, "exit status 1", again=True), progress(0, 2, 1))
    stage.later(1)
    assert stage.screen.last == "[0/2] 1 running: b 1 s"
    stage.tell(started(job(1, "a")), progress(0, 2, 2))
    stage.later(1)
    assert stage.screen.last == "[0/2] 2 running: b 2 s, a 1 s"


def test_the_end_leaves_nothing_of_it() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1))
    stage.tell(Finished(job(1, "a"), 1.0), progress(1, 1, 0), summary())
    stage.later(10)
    assert stage.screen.lines == ["pybuild: 1 ran, 0 up to date in 2.0 s", ""]


def test_closing_leaves_nothing_of_it() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1))
    stage.report.close()
    stage.later(10)
    assert stage.screen.lines == [""]


# -- beside other output -------------------------------------------------------------------

STORY: tuple[Event, ...] = (
    Message("waiting"),
    Judged(job(1), Stale((Reason("forced"),))),
    started(job(1), echo="cp a b\n"),
    progress(0, 4, 1, 10.0),
    started(job(2), echo="for x; do\n  true\ndone"),
    progress(0, 4, 2, 10.0),
    Finished(job(1), 1.0, output=b"one\ntwo"),
    progress(1, 4, 1, 5.0),
    Finished(job(2), 1.0, "exit status 1", output="é\n".encode()),
    progress(2, 4, 0),
    started(job(3), echo="third"),
    progress(2, 4, 1),
    Output(job(3), b"first line\nsecond line\n"),
    Complaint(Diagnostic("PB404", "cannot read `x`", ORIGIN)),
    Finished(job(3), 1.0, "exit status 2", ignored=True),
    progress(4, 4, 0),
    summary([Failure(job(2), "exit status 1", ("last", "words"), ".pybuild/logs/2")]),
)


@pytest.mark.parametrize("tone", [Tone(), Tone(explain=True), Tone(quiet=True)], ids=str)
@pytest.mark.parametrize("pause", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("colour", [False, True])
def test_what_is_left_is_the_plain_output(tone: Tone, pause: float, colour: bool) -> None:
    plain = io.StringIO()
    report = PlainReport(tone, plain, plain)
    stage = Stage(tone=tone, colour=colour)
    for event in STORY:
        report.handle(event)
        stage.tell(event)
        stage.later(pause)
    assert "\n".join(stage.screen.lines) == plain.getvalue()
    assert pause == 0.0 or "running" in stage.screen.written


def test_a_line_that_a_job_has_not_ended_is_left_alone() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1))
    stage.later(1)
    stage.tell(Output(job(1, "a"), b"50"))
    stage.later(1)
    assert stage.screen.lines == ["50"]
    stage.tell(Output(job(1, "a"), b" %\n"))
    stage.later(1)
    assert stage.screen.lines == ["50 %", "[0/1] 1 running: a 3 s"]


def test_what_follows_a_line_without_an_end_is_on_a_line_of_its_own() -> None:
    stage = Stage()
    stage.tell(started(job(1, "a")), progress(0, 1, 1), Output(job(1, "a"), b"no end"))
    stage.tell(Finished(job(1, "a"), 1.0), progress(1, 1, 0), summary())
    assert stage.screen.lines == ["no end", "pybuild: 1 ran, 0 up to date in 2.0 s", ""]


# -- colours -------------------------------------------------------------------------------


def test_echoes_are_dim_and_failures_red() -> None:
    stage = Stage(tone=Tone(explain=True), colour=True)
    stage.tell(*STORY)
    text = stage.screen.written
    assert f"{DIM}cp a b{RESET}\n" in text
    assert f"{DIM}for x; do\n  true\ndone{RESET}\n" in text
    assert "job1: it is forced\n" in text
    assert f"{RED}Pipefile:1:1: error: `job2` failed: exit status 1{RESET}\n" in text
    assert f"{RED}Pipefile:1:1: error: cannot read `x` [PB404]{RESET}\n  1 | a: b\n" in text
    assert "\nPipefile:1:1: warning: `job3` failed (ignored): exit status 2\n" in text
    assert f"{RESET}\n  last\n  words\n{RED}pybuild: 1 ran, " in text


def test_success_has_no_colour() -> None:
    stage = Stage(colour=True)
    stage.tell(Message("x"), Finished(job(1), 1.0, output=b"x\n"), summary())
    assert "\x1b" not in stage.screen.written


@pytest.mark.parametrize("value", ["1", "", None])
def test_no_color_is_obeyed(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_COLOR", value)
    stage = Stage(colour=None)
    stage.tell(*STORY)
    assert (DIM in stage.screen.written) is not bool(value)
    assert (RED in stage.screen.written) is not bool(value)


def test_stderr_in_a_file_has_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen, err = Screen(), io.StringIO()
    report = TerminalReport(Tone(), screen, err, clock=lambda: 0.0, width=lambda: 80)
    for event in STORY:
        report.handle(event)
    assert DIM in screen.written
    assert "failed: exit status 1" in err.getvalue()
    assert "\x1b" not in err.getvalue()


# -- the real program ----------------------------------------------------------------------


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    """A project whose one job waits until something is written to `gate`."""
    os.mkfifo(tmp_path / "gate")
    (tmp_path / "Pipefile").write_text(
        '@desc("make <output>")\nout: | gate\n    cat gate > <output>; echo done\n'
    )
    return tmp_path


def on_a_terminal(folder: Path, **environment: str) -> pexpect.spawn[str]:
    """pybuild in a folder, on a terminal of 60 columns."""
    names = ("NO_COLOR", "MAKEFLAGS", "MAKELEVEL")
    inherited = {name: text for name, text in os.environ.items() if name not in names}
    return pexpect.spawn(
        sys.executable,
        ["-m", "pybuild"],
        cwd=str(folder),
        env={**inherited, "TERM": "xterm", **environment},
        dimensions=(24, 60),
        encoding="utf-8",
        timeout=60,
    )


def rest(child: pexpect.spawn[str]) -> str:
    """What the program prints until its end, which has to be good."""
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    return child.before or ""


def seen(text: str) -> list[str]:
    """The lines that a text leaves on a screen."""
    screen = Screen()
    screen.write(text)
    return screen.lines


def test_a_run_on_a_terminal(gated: Path) -> None:
    child = on_a_terminal(gated)
    child.expect(r"\[0/1\] 1 running: make out \d+ s")
    before = f"{child.before}{child.after}"
    (gated / "gate").write_text("x")
    text = before + rest(child)
    lines = seen(text.replace("\r\n", "\n"))
    assert lines[:2] == ["cat gate > out; echo done", "done"]
    assert re.fullmatch(r"pybuild: 1 ran, 0 up to date in .* s", lines[2])
    assert lines[3:] == [""]
    assert DIM in text


def test_no_color_on_a_terminal(gated: Path) -> None:
    child = on_a_terminal(gated, NO_COLOR="1")
    child.expect_exact("1 running")
    before = f"{child.before}"
    (gated / "gate").write_text("x")
    assert "m" not in re.findall(r"\x1b\[[\d;]*(\w)", before + rest(child))


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_has_plain_output(gated: Path, term: str) -> None:
    child = on_a_terminal(gated, TERM=term)
    child.expect_exact("cat gate")
    before = f"{child.before}{child.after}"
    (gated / "gate").write_text("x")
    text = before + rest(child)
    assert "\x1b" not in text
    assert "running" not in text


def test_output_that_is_no_terminal_is_plain(tmp_path: Path) -> None:
    (tmp_path / "Pipefile").write_text("out:\n    echo x > <output>\n")
    done = subprocess.run(
        [sys.executable, "-m", "pybuild"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "TERM": "xterm"},
        timeout=60,
    )
    assert done.stdout.startswith("echo x > out\npybuild: 1 ran")
    assert "\x1b" not in done.stdout + done.stderr
