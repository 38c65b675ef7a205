"""Slots that are shared with other makes, both ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pybuild.makefile.errors import MakeError
from pybuild.runners import jobserver
from pybuild.runners.jobserver import OwnSlots, SharedSlots, join, serve
from tests.gnumake import gnu_make


@pytest.fixture(params=["fifo", "pipe"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SharedSlots]:
    monkeypatch.setenv("MAKE_TMPDIR", str(tmp_path))
    made = serve(3, request.param)
    yield made
    made.close()


def test_as_many_slots_as_jobs(server: SharedSlots) -> None:
    assert [server.take() for _ in range(4)] == [True, True, True, False]
    server.give_back()
    assert [server.take() for _ in range(2)] == [True, False]


def test_two_makes_share_them(server: SharedSlots) -> None:
    other, why = join(server.auth)
    assert why == ""
    assert other is not None
    assert [other.take() for _ in range(4)] == [True, True, True, False]
    assert [server.take() for _ in range(2)] == [True, False]
    other.give_back()
    assert [server.take() for _ in range(2)] == [True, False]


def test_all_is_given_back_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKE_TMPDIR", str(tmp_path))
    server = serve(3, "fifo")
    other, _ = join(server.auth)
    assert other is not None
    assert [other.take() for _ in range(4)] == [True, True, True, False]
    other.close()
    assert [server.take() for _ in range(4)] == [True, True, True, False]
    server.close()
    assert list(tmp_path.iterdir()) == []


def test_the_same_byte_goes_back(tmp_path: Path) -> None:
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(handle, b"xy")
    slots, _ = join(f"fifo:{path}")
    assert slots is not None
    assert [slots.take() for _ in range(3)] == [True, True, True]
    slots.close()
    assert sorted(os.read(handle, 10)) == sorted(b"xy")
    os.close(handle)


def test_a_pipe_of_others_stays_as_it_is() -> None:
    reading, writing = os.pipe()
    slots, _ = join(f"{reading},{writing}")
    assert slots is not None
    assert os.get_blocking(reading)
    assert slots.take()
    assert not slots.take()
    assert slots.inherited() == (reading, writing)
    slots.close()


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ("fifo:/no/such", "cannot open jobserver /no/such: No such file or directory"),
        ("x", "invalid --jobserver-auth string 'x'"),
        ("3", "invalid --jobserver-auth string '3'"),
        ("-2,-2", ""),
        ("998,999", ""),
    ],
)
def test_a_jobserver_that_is_not_there(auth: str, why: str) -> None:
    assert join(auth) == (None, why)


def test_styles() -> None:
    with pytest.raises(MakeError) as caught:
        serve(2, "x")
    assert caught.value.message == "unknown jobserver auth style 'x'"


def test_slots_of_ones_own() -> None:
    slots = OwnSlots(2)
    assert [slots.take() for _ in range(3)] == [True, True, False]
    slots.give_back()
    assert slots.take()
    assert slots.fileno() == -1
    assert slots.retry_after() is None
    unlimited = OwnSlots(0)
    assert [unlimited.take() for _ in range(9)] == [True] * 9


def test_a_high_load_leaves_one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    load = 5.0
    monkeypatch.setattr(jobserver, "_ready_tasks", lambda: load)
    slots = OwnSlots(0, load=2.0)
    assert [slots.take() for _ in range(2)] == [True, False]
    assert slots.retry_after() == 1.0
    load = 1.0
    assert slots.take()
    assert slots.retry_after() is None


# -- with other programs -------------------------------------------------------------------

PEAK = """
import os, sys, pathlib
# How many of these run at the same time: each waits until nobody else comes.
import fcntl, time
folder = pathlib.Path(sys.argv[1])
mine = folder / f"{os.getpid()}.on"
mine.touch()
count = 0
for _ in range(20):
    count = max(count, len(list(folder.glob("*.on"))))
    time.sleep(0.01)
mine.unlink()
(folder / f"{os.getpid()}.peak").write_text(str(count))
"""


def _peak(folder: Path) -> int:
    peaks = [int(each.read_text()) for each in folder.glob("*.peak")]
    assert len(peaks) == 6
    return max(peaks)


@pytest.fixture
def makefile(tmp_path: Path) -> Path:
    (tmp_path / "peak.py").write_text(PEAK)
    (tmp_path / "run").mkdir()
    names = "a b c d e f"
    (tmp_path / "Makefile").write_text(
        f"all: {names}\n{names}:\n\t@{sys.executable} -S peak.py run\n"
    )
    return tmp_path


@pytest.mark.skipif(not gnu_make(""), reason="there is no GNU make")
def test_a_make_below_takes_slots(server: SharedSlots, makefile: Path) -> None:
    if server.auth.startswith("fifo:") and not gnu_make():
        pytest.skip("GNU make before 4.4 knows no named pipes")
    assert server.take()
    make = gnu_make() or gnu_make("")
    environment = {**os.environ, "MAKEFLAGS": f" -j3 --jobserver-auth={server.auth}"}
    done = subprocess.run(
        [make],
        cwd=makefile,
        env=environment,
        pass_fds=server.inherited(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert _peak(makefile / "run") <= 3
    assert [server.take() for _ in range(3)] == [True, True, False]


CLIENT = """
import os, re
from pybuild.makefile.flags import parse_makeflags
from pybuild.runners.jobserver import join
auth = parse_makeflags(os.environ["MAKEFLAGS"]).flags.jobserver_auth
slots, why = join(auth)
print([slots.take() for _ in range(5)].count(True) if slots else why)
if slots:
    slots.close()
"""


@pytest.mark.skipif(not gnu_make(""), reason="there is no GNU make")
@pytest.mark.parametrize("style", ["fifo", "pipe"])
def test_slots_of_a_make_above(style: str, tmp_path: Path) -> None:
    make = gnu_make()
    words = [f"--jobserver-style={style}"]
    if not make:
        if style == "fifo":
            pytest.skip("GNU make before 4.4 knows no named pipes")
        make, words = gnu_make(""), []
    (tmp_path / "client.py").write_text(CLIENT)
    (tmp_path / "Makefile").write_text(
        f"all: a b\na: ; +@{sys.executable} client.py\nb: a ; +@{sys.executable} client.py\n"
    )
    done = subprocess.run(
        [make, "-j4", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("4\n4\n", "")


@pytest.mark.skipif(shutil.which("ninja") is None, reason="there is no ninja")
def test_ninja_takes_slots(tmp_path: Path, makefile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = subprocess.run(["ninja", "--version"], capture_output=True, text=True, check=True)
    if tuple(map(int, told.stdout.split(".")[:2])) < (1, 13):
        pytest.skip("this ninja knows no jobserver")
    monkeypatch.setenv("MAKE_TMPDIR", str(tmp_path))
    (makefile / "build.ninja").write_text(
        textwrap.dedent(
            f"""
            rule peak
              command = {sys.executable} -S peak.py run
            """
        )
        + "".join([f"build {each}: peak\n" for each in "abcdef"])
    )
    server = serve(2, "fifo")
    assert server.take()
    done = subprocess.run(
        ["ninja"],
        cwd=makefile,
        env={**os.environ, "MAKEFLAGS": f" -j2 --jobserver-auth={server.auth}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert _peak(makefile / "run") <= 2
    assert [server.take() for _ in range(2)] == [True, False]
    server.close()
