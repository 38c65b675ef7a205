"""What counts besides sources: depfiles, includes, modules, other folders, links."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pybuild.cli import watch as cli_watch
from pybuild.cli.options import parse
from pybuild.watch import events, reach

from .conftest import COPY, Box, Watcher

DEPFILE = """
all: x.o
@depfile(<output>.d)
x.o: x.c
    cat x.c $(cat x.c) > <output>; echo "<output>: $(cat x.c)" > <output>.d
"""


def test_a_file_that_a_depfile_names(box: Box) -> None:
    box.put("Pipefile", DEPFILE.replace("<output>.d)", '"<output>.d")'))
    box.put("x.c", "one.h")
    box.put("one.h", "1")
    box.put("two.h", "2")
    watcher = box.watch()
    assert watcher.started() == ["x.o"]
    box.put("one.h", "11")
    assert watcher.started() == ["x.o"]
    box.put("x.c", "two.h")
    assert watcher.started() == ["x.o"]
    box.put("one.h", "111")
    box.put("two.h", "22")
    assert watcher.until("changed")[-1]["files"] == ["two.h"]
    assert watcher.started() == ["x.o"]


def test_an_included_file_and_a_module(box: Box) -> None:
    box.put("Pipefile", "include more.pipe\npython:\n    import tool\n" + COPY)
    box.put("more.pipe", "x.txt:\n    echo one > x.txt\n")
    box.put("tool.py", "WORD = 'one'\n")
    box.put("src/a.c", "a")
    watcher = box.watch("x.txt", "y.txt")
    watcher.settle()
    box.put("more.pipe", "x.txt:\n    echo two > x.txt\n\ny.txt:\n    echo <tool.WORD> > y.txt\n")
    assert watcher.started() == ["x.txt", "y.txt"]
    box.put("tool.py", "WORD = 'two'\n")
    assert watcher.started() == ["y.txt"]
    assert box.text("y.txt") == "two\n"


def test_files_beside_the_project_and_behind_a_link(box: Box) -> None:
    beside = box.folder.parent / "beside"
    beside.mkdir()
    (beside / "b.txt").write_text("1")
    (beside / "c.txt").write_text("1")
    (box.folder / "linked").symlink_to(beside)
    box.put(
        "Pipefile",
        "all: x y\nx: ../beside/b.txt\n    cp <input> x\ny: linked/c.txt\n    cp <input> y\n",
    )
    watcher = box.watch()
    assert watcher.started() == ["x", "y"]
    (beside / "b.txt").write_text("2")
    assert watcher.started() == ["x"]
    (beside / "c.txt").write_text("2")
    assert watcher.started() == ["y"]


def test_plain_lines(box: Box) -> None:
    box.put("Pipefile", COPY)
    box.put("src/a.c", "a")
    watcher = box.watch("--format=text")
    lines = [watcher.next()["text"] for _ in range(3)]
    assert lines[0] == "cp src/a.c out/a.o\n"
    assert lines[2] == "pybuild: watching 2 files\n"
    box.put("src/a.c", "b")
    assert watcher.next()["text"] == "pybuild: changed: src/a.c\n"


def test_a_makefile(box: Box) -> None:
    box.put("Makefile", "x.o: x.c\n\tcp x.c x.o\n")
    box.put("x.c", "a")
    watcher = box.watch()
    assert watcher.started() == ["x.o"]
    box.put("x.c", "b")
    assert watcher.started() == ["x.o"]
    box.put("x.c", "c")
    assert watcher.started() == ["x.o"]


def test_watches_that_are_exhausted_are_polling_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], box: Box
) -> None:
    def exhausted() -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.chdir(box.folder)
    monkeypatch.setattr(events, "Observer", exhausted)
    opener = cli_watch._opener(parse(["--watch"]))
    for _ in range(2):
        opened = opener()
        opened.close()
    told = capsys.readouterr().err
    assert told.count("inotify watch limit reached") == 1
    assert "looking every second instead" in told


FEW = """
echo 9 > /proc/sys/user/max_inotify_watches && exec "$@"
"""


def few_watches(*words: str) -> list[str]:
    """A command in whose user namespace nine folders can be watched (user_namespaces(7))."""
    return ["unshare", "--user", "--map-root-user", "sh", "-c", FEW, "sh", *words]


@pytest.fixture
def limited() -> None:
    if subprocess.run(few_watches("true"), capture_output=True).returncode:
        pytest.skip("no user namespace can be made here")


def watch_with_few(box: Box) -> Watcher:
    """The program may watch nine folders in all."""
    box.watchers.append(
        Watcher(
            box.folder,
            command=few_watches(sys.executable, "-m", "pybuild", "--watch", "--format=json"),
        )
    )
    return box.watchers[-1]


def test_watches_that_are_exhausted_from_the_start(box: Box, limited: None) -> None:
    box.put("Pipefile", "all: all.txt\nall.txt: src/**/*.c\n    cat <inputs> > <output>\n")
    for number in range(20):
        box.put(f"src/{number}/a.c", "a")
    watcher = watch_with_few(box)
    assert "inotify watch limit reached" in watcher.until("message")[-1]["text"]
    watcher.settle()
    for number in (0, 10, 19):
        box.put(f"src/{number}/a.c", f"b{number}")
        watcher.until_started("all.txt")
        watcher.settle()
        assert f"b{number}" in box.text("all.txt")


def test_watches_that_are_exhausted_by_folders_made_later(box: Box, limited: None) -> None:
    box.put("Pipefile", "all: all.txt\nall.txt: src/**/*.c\n    cat <inputs> > <output>\n")
    box.put("src/0/a.c", "a")
    watcher = watch_with_few(box)
    watcher.settle()
    for number in range(20):
        box.put(f"src/{number}/a.c", "a")
    while box.text("all.txt") != "a" * 20:
        watcher.next()
    box.put("src/19/a.c", "the last")
    while "the last" not in box.text("all.txt"):
        watcher.next()
    told = [each["text"] for each in watcher.events if each["event"] == "message"]
    assert len(told) == 1
    assert "inotify watch limit reached" in told[0]


MOUNTS = """\
overlay / overlay rw,relatime 0 0
proc /proc proc rw 0 0
/dev/sda1 /home ext4 rw 0 0
server:/data /home/me/my\\040data nfs4 rw 0 0
tmpfs /home/me/my\\040data/tmp tmpfs rw 0 0
host /mnt 9p rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me", None),
        ("/home/me/my data", "nfs4"),
        ("/home/me/my data/deep/down", "nfs4"),
        ("/home/me/my data/tmp/x", None),
        ("/home/me/my database", None),
        ("/mnt", "9p"),
    ],
)
def test_file_systems_of_other_machines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str, kind: str | None
) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    monkeypatch.setattr(reach, "_MOUNTS", str(tmp_path / "mounts"))
    found = reach.network_of(["/", folder])
    assert found == (None if kind is None else (folder, kind))


def test_a_project_on_another_machine_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, box: Box
) -> None:
    box.put("Pipefile", COPY)
    box.put("src/a.c", "a")
    box.put("../mounts", f"server:/x {box.folder} nfs rw 0 0\n")
    box.put(
        "../sitecustomize.py",
        f"import pybuild.watch.reach as reach\nreach._MOUNTS = {str(box.folder.parent / 'mounts')!r}\n",
    )
    monkeypatch.setenv(
        "PYTHONPATH", f"{box.folder.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    )
    watcher = box.watch()
    assert (
        "the project is on a file system of other machines, nfs"
        in watcher.until("message")[-1]["text"]
    )
    watcher.settle()
    box.put("src/a.c", "b")
    assert watcher.started() == ["out/a.o"]
