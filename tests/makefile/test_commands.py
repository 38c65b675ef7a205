"""Lines of recipes as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pybuild.makefile.ports import Command, Ended, Interrupted
from pybuild.runners.commands import CommandRunner, OutputLock, ShellRunner
from pybuild.runners.jobserver import serve

ENVIRONMENT = dict(os.environ)


def _sh(text: str, *, is_recursive: bool = False) -> Command:
    return Command(("/bin/sh", "-c", text), ENVIRONMENT, is_recursive)


def _end_of(runner: CommandRunner, command: Command) -> Ended:
    runner.start(1, command)
    (ended,) = runner.wait(True)
    return ended


def _all(runner: CommandRunner, count: int) -> list[Ended]:
    found: list[Ended] = []
    while len(found) < count:
        found += runner.wait(True)
    return found


@pytest.fixture
def runner() -> Iterator[CommandRunner]:
    made = CommandRunner()
    yield made
    made.close()


def test_statuses(runner: CommandRunner) -> None:
    assert _end_of(runner, _sh("exit 0")) == Ended(1, 0)
    assert _end_of(runner, _sh("exit 3")) == Ended(1, 3)
    assert _end_of(runner, _sh("kill -9 $$")) == Ended(1, -9)
    assert runner.wait(True) == []
    assert runner.wait(False) == []


def test_several_at_a_time(runner: CommandRunner) -> None:
    for number in range(5):
        runner.start(number, _sh(f"exit {number}"))
    assert sorted(_all(runner, 5)) == [Ended(each, each) for each in range(5)]


def test_output_and_environment(runner: CommandRunner, capfd: pytest.CaptureFixture[str]) -> None:
    environment = {"PATH": ENVIRONMENT["PATH"], "X": "é"}
    runner.start(1, Command(("sh", "-c", "echo $X; echo e >&2"), environment))
    runner.wait(True)
    runner.say(1, "said\n")
    runner.say(1, "wrong\n", to_error=True)
    assert capfd.readouterr() == ("é\nsaid\n", "e\nwrong\n")


def test_programs_that_cannot_be_started(runner: CommandRunner, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    (tmp_path / "lost").write_text("#!/no/such\n")
    (tmp_path / "lost").chmod(0o755)

    def why(*argv: str, path: str = "/no/such") -> tuple[int, str]:
        ended = _end_of(runner, Command(argv, {"PATH": path}))
        return ended.status, ended.error

    assert why("nosuch") == (127, "nosuch: No such file or directory")
    assert why("./nosuch", "x") == (127, "./nosuch: No such file or directory")
    assert why("") == (127, ": No such file or directory")
    assert why(str(plain)) == (127, f"{plain}: Permission denied")
    assert why(str(tmp_path)) == (127, f"{tmp_path}: Permission denied")
    assert why("plain", path=str(tmp_path)) == (127, "plain: Permission denied")
    assert why(f"{plain}/x") == (127, f"{plain}/x: Not a directory")
    assert why("x", path=str(plain)) == (127, "x: Not a directory")
    lost = tmp_path / "lost"
    assert why(str(lost)) == (127, f"{lost}: No such file or directory")
    assert why("/bin/echo", "x" * 3_000_000) == (127, "/bin/echo: Argument list too long")


def test_a_program_is_found_by_the_path_of_the_command(
    runner: CommandRunner, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "prog").write_text(f"echo {name} $1\n")  # no `#!`: for the shell
    (tmp_path / "two" / "prog").chmod(0o755)
    path = f"{tmp_path}/one:{tmp_path}/two"
    assert _end_of(runner, Command(("prog", "a b"), {"PATH": path})).status == 0
    (tmp_path / "two" / "prog").unlink()
    (tmp_path / "one" / "prog").chmod(0o755)
    assert _end_of(runner, Command(("prog", "c"), {"PATH": path})).status == 0
    assert capfd.readouterr().out == "two a b\none c\n"


def test_handles_of_ours_are_not_theirs(
    runner: CommandRunner, capfd: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    _end_of(runner, _sh(f"test -e /proc/self/fd/{reading} && echo open"))
    os.close(reading)
    os.close(writing)
    assert capfd.readouterr().out == ""


def test_handles_of_the_jobserver_are_for_recursive_commands() -> None:
    server = serve(2, "pipe")
    runner = CommandRunner(inherited=server.inherited())
    text = " && ".join([f"test -p /proc/self/fd/{each}" for each in server.inherited()])
    assert _end_of(runner, _sh(text, is_recursive=True)).status == 0
    assert _end_of(runner, _sh(text)).status == 1
    server.close()
    runner.close()


def test_waiting_ends_when_a_slot_is_free(runner: CommandRunner) -> None:
    slots = serve(2, "pipe")
    assert slots.take()
    assert slots.take()
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    runner.start(1, _sh(f"read x </dev/fd/{reading}"))
    os.write(slots._writing, b"+")
    assert runner.wait(True, slots) == []
    assert slots.take()
    os.write(writing, b"\n")
    assert runner.wait(True, slots) == [Ended(1, 0)]
    slots.close()
    os.close(reading)
    os.close(writing)


SCRIPT = """
import os, sys
from pybuild.makefile.ports import Command, Interrupted
from pybuild.runners.commands import CommandRunner
runner = CommandRunner()
environment = dict(os.environ)
"""


def _run_script(text: str, *, given: str = "", gate: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT + text],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GATE": gate},
    )


def test_standard_input_is_for_one_at_a_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    done = _run_script(
        """
texts = ["read x; read y <$GATE; echo a $x", "cat; echo b; echo >$GATE"]
for number, text in enumerate(texts):
    runner.start(number, Command(("/bin/sh", "-c", text), environment))
done = 0
while done < 2:
    done += len(runner.wait(True))
runner.start(3, Command(("cat",), environment))
runner.wait(True)
""",
        given="one\n",
        gate=str(tmp_path / "gate"),
    )
    assert done.stdout == "b\na one\n"


def test_a_signal_interrupts_waiting() -> None:
    done = _run_script(
        """
import signal
runner.catch_signals()
text = "trap 'echo got; exit 7' TERM; kill -TERM $PPID; while :; do sleep 0.01; done"
runner.start(1, Command(("/bin/sh", "-c", text), environment))
try:
    runner.wait(True)
except Interrupted as error:
    print(error.signum, flush=True)
runner.stop(15)
print(runner.wait(True)[0].status, flush=True)
runner.close()
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""
    )
    assert done.stdout == "15\ngot\n7\nTrue\n"


@pytest.mark.parametrize("sync", ["target", "recurse"])
def test_output_of_a_target_is_one_piece(sync: str, capfd: pytest.CaptureFixture[str]) -> None:
    lock = OutputLock()
    runner = CommandRunner(sync=sync, lock=lock, around=("(\n", ")\n"))
    runner.say(1, "echo a\n")
    for number, text in ((1, "echo a"), (2, "echo b; echo e >&2")):
        runner.start(number, _sh(text))
    _all(runner, 2)
    runner.start(1, _sh("echo c; exit 1"))
    runner.wait(True)
    runner.say(1, "failed\n", to_error=True)
    assert capfd.readouterr() == ("", "")
    runner.finish(2)
    assert capfd.readouterr() == ("(\nb\n)\n", "e\n")
    runner.finish(1)
    assert capfd.readouterr() == ("(\necho a\na\nc\n)\n", "failed\n")
    runner.start(3, _sh(":"))
    runner.wait(True)
    runner.finish(3)
    assert capfd.readouterr().out == ""
    runner.close()
    lock.close()


def test_output_by_lines(capfd: pytest.CaptureFixture[str]) -> None:
    lock = OutputLock()
    runner = CommandRunner(sync="line", lock=lock)
    runner.start(1, _sh("echo a"))
    runner.wait(True)
    assert capfd.readouterr().out == "a\n"
    runner.start(1, _sh("echo b; exit 1"))
    runner.wait(True)
    assert capfd.readouterr().out == ""
    runner.finish(1)
    assert capfd.readouterr().out == "b\n"
    runner.close()
    lock.close()


@pytest.mark.parametrize(("sync", "kept"), [("target", False), ("line", False), ("recurse", True)])
def test_output_of_a_make_below(sync: str, kept: bool, capfd: pytest.CaptureFixture[str]) -> None:
    lock = OutputLock()
    runner = CommandRunner(sync=sync, lock=lock)
    runner.say(1, "make -C x\n")
    runner.start(1, _sh("echo a", is_recursive=True))
    runner.wait(True)
    assert capfd.readouterr().out == ("" if kept else "make -C x\na\n")
    runner.finish(1)
    assert capfd.readouterr().out == ("make -C x\na\n" if kept else "")
    runner.close()
    lock.close()


def test_one_stream_stays_in_order(tmp_path: Path) -> None:
    text = """
import sys
from pybuild.runners.commands import OutputLock
runner = CommandRunner(sync="target", lock=OutputLock())
text = "echo a; echo b >&2; echo c"
runner.start(1, Command(("/bin/sh", "-c", text), environment))
runner.wait(True)
runner.say(1, "d\\n", to_error=True)
runner.finish(1)
"""
    out = tmp_path / "out"
    with open(out, "w") as file:
        subprocess.run(
            [sys.executable, "-c", SCRIPT + text],
            stdout=file,
            stderr=subprocess.STDOUT,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert out.read_text() == "a\nb\nc\nd\n"


def test_a_lock_is_shared_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKE_TMPDIR", str(tmp_path))
    first = OutputLock()
    second = OutputLock(first.name)
    assert second.name == first.name
    second.close()
    assert len(list(tmp_path.iterdir())) == 1
    first.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="invalid --sync-mutex string 'x'"):
        OutputLock("x")


def _shell(argv: Sequence[str]) -> tuple[bytes, int, list[str]]:
    told: list[str] = []
    return *ShellRunner(told.append).run(argv, ENVIRONMENT), told


def test_the_shell_function() -> None:
    assert _shell(["echo", "a"]) == (b"a\n", 0, [])
    assert _shell(["sh", "-c", "echo a; exit 3"]) == (b"a\n", 3, [])
    assert _shell(["sh", "-c", "kill -9 $$"]) == (b"", 128 + signal.SIGKILL, [])
    assert _shell(["no-such-x"]) == (b"", 127, ["no-such-x: No such file or directory"])
    output, status, _ = _shell(["sh", "-c", "head -c 300000 /dev/zero"])
    assert (len(output), status) == (300_000, 0)


def test_interrupted_tells_the_signal() -> None:
    assert Interrupted(2).signum == 2
