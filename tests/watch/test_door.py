"""What a watch answers to other starts in its project: that all is up to date only if it is."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pybuild import __version__
from pybuild.engine.key import DOOR, load_key
from pybuild.watch.question import ask

from .conftest import COPY, Box, Watcher, wait_for


def pybuild(box: Box, *words: str, **variables: str) -> tuple[int, str]:
    """Exit status and output of a start in the project."""
    done = subprocess.run(
        [sys.executable, "-m", "pybuild", *words],
        cwd=box.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        env={**os.environ, **variables},
    )
    return done.returncode, done.stdout


@pytest.fixture
def here(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """The project, as working folder."""
    monkeypatch.chdir(box.folder)
    return box


def said(*goals: str, variables: tuple[tuple[str, str], ...] = ()) -> str | None:
    """What the watch says of goals."""
    return ask(load_key(__version__, ("", goals, variables, "", False, ())))


def wait_until_said(*goals: str) -> str:
    """What it says when it has found that all is up to date."""
    found: list[str | None] = []

    def is_said() -> bool:
        found.append(said(*goals))
        return found[-1] is not None

    wait_for(is_said)
    return found[-1] or ""


def watched(box: Box, *words: str) -> Watcher:
    box.put("Pipefile", COPY)
    box.put("src/a.c", "a")
    box.put("src/b.c", "b")
    watcher = box.watch(*words)
    watcher.settle()
    return watcher


def test_it_says_what_a_start_would_have_said(here: Box) -> None:
    starts: list[tuple[str, ...]] = [(), ("-q",), ("-n",), ("-n", "-s"), ("--explain",)]
    starts.append(("--explain", "all"))
    watched(here)
    text = wait_until_said()
    assert ask(load_key(__version__, ("", (), (), "", False, ())), dry=True)
    (here.folder / DOOR).rename(here.folder / "door")
    alone = [pybuild(here, *words) for words in starts]
    assert alone[0] == (0, text + "\n")
    (here.folder / "door").rename(here.folder / DOOR)
    assert [pybuild(here, *words) for words in starts] == alone


def test_only_its_owner_can_open_it(here: Box) -> None:
    watched(here)
    wait_until_said()
    assert stat.S_IMODE(Path(DOOR).stat().st_mode) == 0o600


def test_what_it_does_not_know_is_found_out_by_the_start(here: Box) -> None:
    watched(here)
    wait_until_said()
    assert said("out/a.o") is None
    assert said(variables=(("x", "1"),)) is None
    assert ask(load_key("another version", ("", (), (), "", False, ()))) is None
    assert pybuild(here, "out/a.o") == (0, "pybuild: `out/a.o` up to date (1 job)\n")


def plain(box: Box) -> Path:
    return box.folder / "src/a.c"


def behind_a_link(box: Box) -> Path:
    box.put("../beside/a.txt", "beside")
    (box.folder / "src").mkdir()
    (box.folder / "src/a.c").symlink_to("../../beside/a.txt")
    return box.folder.parent / "beside/a.txt"


def with_another_name(box: Box) -> Path:
    box.put("src/a.c", "a")
    os.link(box.folder / "src/a.c", box.folder.parent / "other")
    return box.folder.parent / "other"


def in_a_linked_folder(box: Box) -> Path:
    box.put("../beside/a.c", "beside")
    (box.folder / "src").symlink_to("../beside")
    return box.folder.parent / "beside/a.c"


@pytest.mark.parametrize("place", [plain, behind_a_link, with_another_name, in_a_linked_folder])
def test_a_change_is_never_missed(here: Box, place: Callable[[Box], Path]) -> None:
    changed = place(here)
    watched(here)
    for number in range(40):
        wait_until_said()
        changed.write_text(f"now {number}")
        while said() is None:
            pybuild(here)
        assert here.text("out/a.o") == f"now {number}"


def test_a_new_file_is_never_missed(here: Box) -> None:
    watched(here)
    for number in range(30):
        wait_until_said()
        here.put(f"src/n{number}.c", "new")
        wait_until_said()
        assert here.text(f"out/n{number}.o") == "new"
    assert "32 jobs" in wait_until_said()


def test_a_target_that_was_changed_by_hand(here: Box) -> None:
    watched(here)
    wait_until_said()
    here.put("out/a.o", "by hand")
    text = said()
    assert text is None or here.text("out/a.o") == "a"


def test_a_folder_that_nobody_may_look_into_any_more(here: Box) -> None:
    if os.getuid() == 0:
        pytest.skip("the superuser may look everywhere")
    watched(here)
    wait_until_said()
    (here.folder / "src").chmod(0)
    assert said() is None
    (here.folder / "src").chmod(0o755)


def test_the_environment_is_that_of_who_asks(here: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    here.put("Pipefile", 'mode = env("MODE", "plain")\nall: x\nx:\n    echo <mode> > x\n')
    here.watch().settle()
    wait_until_said()
    monkeypatch.setenv("MODE", "other")
    assert said() is None
    assert pybuild(here, MODE="other")[0] == 0
    assert here.text("x") == "other\n"


def test_commands_whose_output_counts_are_run_by_the_start(here: Box) -> None:
    here.put("Pipefile", 'word = sh("cat word")\nall: x\nx:\n    echo <word> > x\n')
    here.put("word", "one")
    here.watch().settle()
    assert said() is None


def test_a_failure_is_no_answer(here: Box) -> None:
    here.put("Pipefile", "all: x\nx: y\n    grep good y > x\n")
    here.put("y", "bad")
    here.watch().settle()
    wait_for(Path(DOOR).exists)
    assert said() is None
    assert pybuild(here)[0] == 2


def test_a_pipefile_that_is_broken(here: Box) -> None:
    watcher = watched(here)
    wait_until_said()
    here.put("Pipefile", COPY + "out/<n>.x: (\n")
    assert said() is None
    assert any(each["event"] == "complaint" for each in watcher.settle())
    assert said() is None
    status, text = pybuild(here)
    assert status == 2
    assert "Pipefile:5" in text, text


def test_while_jobs_run_nobody_is_there(here: Box) -> None:
    here.put(
        "Pipefile",
        "all: x\nx: y\n    touch begun; while [ ! -e go ]; do sleep 0.02; done; cp y x\n",
    )
    here.put("y", "one")
    watcher = here.watch()
    wait_for((here.folder / "begun").exists)
    assert not Path(DOOR).exists()
    assert said() is None
    here.put("go", "")
    watcher.settle()
    wait_until_said()


def test_another_build_is_taken_over(here: Box) -> None:
    watched(here)
    wait_until_said()
    assert pybuild(here, "--force=out/a.o", "-s")[0] == 0  # the journal grows, no file changes
    assert said() is None
    assert pybuild(here)[0] == 0
    wait_until_said()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP])
def test_a_watch_that_is_dead_or_hangs_is_ignored(here: Box, signum: int) -> None:
    watcher = watched(here)
    text = wait_until_said()
    watcher.process.send_signal(signum)
    if signum == signal.SIGKILL:
        watcher.process.wait()
    assert Path(DOOR).exists()
    assert pybuild(here) == (0, text + "\n")
    watcher.process.kill()
    watcher.process.wait()
    here.watch().settle()
    assert wait_until_said() == text


def test_one_that_is_not_told_of_changes_says_nothing(here: Box) -> None:
    watched(here, "--poll=0.1")
    assert not Path(DOOR).exists()


def test_a_project_deep_down(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = box.folder / ("long" * 20) / ("name" * 20)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    inner = Box(deep)
    watched(inner)
    assert "2 jobs" in wait_until_said()
    inner.watchers[0].stop()


def test_nonsense_at_the_door(here: Box) -> None:
    import socket

    watched(here)
    wait_until_said()
    for nonsense in (
        b"",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\x03\0\0\0abc",
        b"GET / HTTP/1.0\r\n\r\n",
    ):
        with socket.socket(socket.AF_UNIX) as talk:
            talk.connect(DOOR)
            talk.sendall(nonsense)
            talk.shutdown(socket.SHUT_WR)
            try:
                assert talk.recv(100) == b""
            except ConnectionResetError:
                pass  # sent away before all was read
    wait_until_said()


def test_it_is_gone_with_the_watch(here: Box) -> None:
    watcher = watched(here)
    wait_until_said()
    watcher.stop()
    assert {"door", "mark"}.isdisjoint(each.partition(".")[0] for each in os.listdir(".pybuild"))
