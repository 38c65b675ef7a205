"""The local runner by itself: batches of jobs that follow each other in one place."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pybuild.engine.ports import Begun, Happening, Outcome, Returned
from pybuild.graph import Job, PythonPart, Script, ShellPart, Traits
from pybuild.runners.local import LocalRunner

from .parts import ORIGIN

PATIENCE = 20.0


class Bench:
    """A runner, and jobs to give it: the code of a Python block, or a command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = LocalRunner(str(folder / "state"))
        self.namespace: dict[str, Any] = {"gate": self._gate, "os": os, "signal": signal}
        self.jobs = 0
        self.now = 1.0
        self.step = 0.0
        self.happened: list[Happening] = []  # and nobody has asked for yet

    def clock(self) -> float:
        self.now += self.step
        return self.now

    def _gate(self) -> None:
        while not (self.folder / "open").exists():
            time.sleep(0.005)

    def python(self, text: str, names: dict[str, Any] | None = None, **traits: Any) -> Any:
        part = PythonPart(compile(text, "block", "exec"), self.namespace, names or {}, {})
        return self._job(part, traits)

    def shell(self, text: str, **traits: Any) -> Any:
        return self._job(ShellPart(text), traits)

    def _job(self, part: Any, traits: dict[str, Any]) -> tuple[Job, Script]:
        name = f"job{self.jobs}"
        job = Job(name, (name,), Traits("rule", **traits), ORIGIN)
        job.number = self.jobs
        self.jobs += 1
        return job, Script((part,), "")

    def start(self, *batch: tuple[Job, Script]) -> None:
        self.runner.start(batch)

    def until(self, enough: Callable[[list[Happening]], bool]) -> list[Happening]:
        """What happens until it is enough."""
        found, self.happened = self.happened, []
        give_up = time.monotonic() + PATIENCE
        while not enough(found):
            assert time.monotonic() < give_up, found
            found += self.runner.wait(0.05)
        return found

    def until_there(self, path: Path) -> None:
        give_up = time.monotonic() + PATIENCE
        while not path.exists():
            assert time.monotonic() < give_up
            self.happened += self.runner.wait(0.01)

    def ends(self, count: int) -> list[str]:
        """How so many jobs end, in order of their numbers: what they print, or `!` and the error,
        or `returned`."""
        found = self.until(lambda so_far: len(_ends(so_far)) >= count)
        return [_told(each) for each in sorted(_ends(found), key=lambda each: each.job.number)]


def _ends(found: list[Happening]) -> list[Outcome | Returned]:
    return [each for each in found if isinstance(each, Outcome | Returned)]


def _told(each: Outcome | Returned) -> str:
    if isinstance(each, Returned):
        return "returned"
    return f"!{each.error}" if each.error else each.output.decode()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    found = Bench(tmp_path)
    # The runner's clock stands still, so that no job is slow because the machine is busy.
    monkeypatch.setattr(
        "pybuild.runners.local.time", SimpleNamespace(monotonic=found.clock, sleep=time.sleep)
    )
    yield found
    monkeypatch.undo()
    found.runner.stop(signal.SIGKILL)
    found.runner.close()


def test_each_job_of_a_batch_has_its_own_output(bench: Bench) -> None:
    bench.start(
        bench.python("print('one')"),
        bench.python("pass"),
        bench.python("import subprocess; subprocess.run(['sh', '-c', 'echo three; echo err >&2'])"),
        bench.python("print('four', end='')"),
    )
    assert bench.ends(4) == ["one\n", "", "three\nerr\n", "four"]


def test_commands_of_a_batch_have_their_own_output_and_log(bench: Bench) -> None:
    bench.start(
        bench.shell("echo one"), bench.shell("true"), bench.shell("echo 3 | cat; echo 4 >&2")
    )
    found = _ends(bench.until(lambda so_far: len(_ends(so_far)) == 3))
    assert [_told(each) for each in found] == ["one\n", "", "3\n4\n"]
    logs = [each.log for each in found if isinstance(each, Outcome)]
    assert [bool(log) for log in logs] == [True, False, True]
    assert Path(logs[2]).read_text() == "3\n4\n"


def test_a_log_is_gone_when_the_next_run_prints_nothing(bench: Bench) -> None:
    job, script = bench.shell("echo one")
    bench.start((job, script))
    (first,) = _ends(bench.until(lambda so_far: len(_ends(so_far)) == 1))
    assert isinstance(first, Outcome) and Path(first.log).exists()
    bench.start((job, Script((ShellPart("true"),), "")))
    assert bench.ends(1) == [""]
    assert not Path(first.log).exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("os._exit(3)", "!exit status 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "!killed by SIGKILL"),
        ("1 / 0", "!ZeroDivisionError: division by zero"),
        ("raise SystemExit(4)", "!exit status 4"),
    ],
)
def test_a_block_that_dies_or_fails_hurts_no_other(bench: Bench, text: str, error: str) -> None:
    batch = [bench.python("print(1)"), bench.python("pass"), bench.python(text)]
    rest = [bench.python("print(4)"), bench.python("print(5)")]
    bench.start(*batch, *rest)
    assert bench.ends(5) == ["1\n", "", error, "returned", "returned"]
    bench.start(*rest)
    assert bench.ends(2) == ["4\n", "5\n"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("false", "!exit status 1"),
        ("kill -9 $$", "!killed by SIGKILL"),
        ("./no-such-program", "!exit status 127"),
    ],
)
def test_a_command_that_fails_hurts_no_other(bench: Bench, text: str, error: str) -> None:
    bench.start(bench.shell("echo 1"), bench.shell(text), bench.shell("echo 3"))
    assert bench.ends(3) == ["1\n", error, "returned"]


@pytest.mark.parametrize("kind", ["python", "shell"])
def test_a_job_that_takes_long_gives_the_rest_back(bench: Bench, kind: str) -> None:
    """And those before it become known, though the worker is busy."""
    begun = bench.folder / "begun"
    if kind == "python":
        slow = bench.python(f"open({str(begun)!r}, 'w').close()\ngate()\nprint(2)")
        batch = [bench.python("pass"), slow, bench.python("print(3)")]
    else:
        gate = f"until [ -e {bench.folder}/open ]; do sleep 0.01; done"
        slow = bench.shell(f"touch {begun}; {gate}; echo 2")
        batch = [bench.shell("true"), slow, bench.shell("echo 3")]
    bench.start(*batch)
    bench.until_there(begun)
    bench.now += 1.0
    found = bench.until(lambda so_far: len(so_far) >= 3)
    assert {type(each): each.job for each in found} == {
        Begun: batch[1][0],
        Outcome: batch[0][0],
        Returned: batch[2][0],
    }
    (bench.folder / "open").touch()
    assert bench.ends(1) == ["2\n"]
    bench.start(batch[2])
    assert bench.ends(1) == ["3\n"]


def test_a_batch_that_was_not_begun_is_not_slow(bench: Bench) -> None:
    """A worker that the machine has no time for is waited for."""
    bench.start(bench.python("pass"), bench.python("print(os.getpid())"))
    pid = int(bench.ends(2)[1])
    os.kill(pid, signal.SIGSTOP)
    bench.start(bench.python("print(3)"), bench.python("print(4)"))
    bench.now += 1.0
    assert not bench.runner.wait(0)
    os.kill(pid, signal.SIGCONT)
    assert bench.ends(2) == ["3\n", "4\n"]


def test_what_has_not_begun_can_be_recalled(bench: Bench) -> None:
    bench.start(bench.python("gate()"), bench.python("pass"), bench.python("pass"))
    bench.runner.recall()
    returned = {each.job.number for each in bench.runner.wait(0) if isinstance(each, Returned)}
    assert returned in ({1, 2}, {0, 1, 2})


def test_more_output_than_a_pipe_holds(bench: Bench) -> None:
    size = 300_000
    begun = bench.folder / "begun"
    bench.start(
        bench.python("print(1)"),
        bench.python(f"open({str(begun)!r}, 'w').close()\nprint('x' * {size})"),
        bench.python("print(3)"),
    )
    found = []

    def all_known(happened: list[Happening]) -> bool:
        bench.now += 1.0 if begun.exists() else 0.0  # until it is slow nobody reads
        found[:] = _ends(happened)
        return len(found) == 3

    bench.until(all_known)
    assert [_told(each) for each in sorted(found, key=lambda each: each.job.number)][:2] == [
        "1\n",
        "x" * size + "\n",
    ]


def test_a_block_leaves_nothing_to_the_next(bench: Bench) -> None:
    bench.start(
        bench.python("os.chdir('/'); os.environ['LEFT'] = 'x'; os.environ.pop('PATH')"),
        bench.python("print(os.getcwd() == '/', 'LEFT' in os.environ, 'PATH' in os.environ)"),
    )
    assert bench.ends(2) == ["", "False False True\n"]


def test_a_value_that_cannot_be_handed_over(bench: Bench) -> None:
    bench.start(
        bench.python("print(1)"),
        bench.python("pass", {"value": lambda: 0}),
        bench.python("print(3)"),
    )
    one, two, three = bench.ends(3)
    assert (one, three) == ("1\n", "3\n")
    assert "cannot be pickled" in two


def test_a_job_with_a_timeout_is_in_no_batch(bench: Bench) -> None:
    bench.start(bench.python("print(1)"), bench.python("print(2)", timeout=9.0))
    assert bench.ends(2) == ["1\n", "returned"]


def test_a_worker_that_is_killed_while_idle_is_replaced(bench: Bench) -> None:
    bench.start(bench.python("print(os.getpid())"), bench.python("pass"))
    pid = int(bench.ends(2)[0])
    os.kill(pid, signal.SIGKILL)
    bench.start(bench.python("print(1)"), bench.python("print(2)"))
    found = bench.ends(2)
    if "returned" in found:  # the batch was on its way before the worker was gone
        bench.start(bench.python("print(1)"), bench.python("print(2)"))
        found = bench.ends(2)
    assert found == ["1\n", "2\n"]


def test_a_batch_ends_when_it_is_stopped(bench: Bench) -> None:
    """What has not begun never does."""
    begun, third = bench.folder / "begun", bench.folder / "third"
    bench.start(
        bench.python("pass"),
        bench.python(f"open({str(begun)!r}, 'w').close()\ngate()"),
        bench.python(f"open({str(third)!r}, 'w').close()"),
    )
    bench.until_there(begun)
    ended = bench.runner.stop(signal.SIGINT)
    ended = [*bench.happened, *ended]
    assert [each.job.number for each in ended if isinstance(each, Outcome)] == [0]
    assert not third.exists()


def test_a_command_in_a_batch_gets_the_signal_and_may_tidy_up(bench: Bench) -> None:
    begun, tidied = bench.folder / "begun", bench.folder / "tidied"
    deaf = f"trap 'touch {tidied}; exit 5' INT; touch {begun}; while :; do sleep 0.01; done"
    bench.start(bench.shell("true"), bench.shell(deaf), bench.shell("true"))
    bench.until_there(begun)
    assert all(each.job.number == 0 for each in bench.runner.stop(signal.SIGINT))
    assert tidied.exists()


def test_a_command_in_a_batch_that_does_not_listen_is_killed(bench: Bench) -> None:
    begun = bench.folder / "begun"
    deaf = f"trap '' INT TERM; echo $$ > {begun}.new; mv {begun}.new {begun}; while :; do :; done"
    bench.start(bench.shell("true"), bench.shell(deaf))
    bench.until_there(begun)
    pid = int(begun.read_text())
    bench.step = 1.0
    bench.runner.stop(signal.SIGTERM)
    give_up = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists() and "Z" not in _state(pid):
        assert time.monotonic() < give_up


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
