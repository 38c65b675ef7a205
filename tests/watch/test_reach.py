"""What counts besides sources: depfiles, includes, modules, other folders, links."""

from __future__ import annotations

import errno

import pytest

from pybuild.cli import watch as cli_watch
from pybuild.cli.options import parse
from pybuild.watch import events

from .conftest import COPY, Box

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
