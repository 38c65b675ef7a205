"""What starts a round, and what the round does."""

from __future__ import annotations

import re

from .conftest import COPY, Box, Event


def project(box: Box, *names: str) -> None:
    box.put("Pipefile", COPY)
    for name in names:
        box.put(f"src/{name}.c", name)


def test_an_edit_rebuilds_its_cone(box: Box) -> None:
    project(box, "a", "b")
    watcher = box.watch()
    assert watcher.started() == ["out/a.o", "out/b.o"]
    box.put("src/a.c", "other")
    assert watcher.until("changed")[-1]["files"] == ["src/a.c"]
    assert watcher.started() == ["out/a.o"]
    assert box.text("out/a.o") == "other"
    box.put("src/b.c", "other too")
    assert watcher.started() == ["out/b.o"]


def test_the_same_bytes_start_nothing(box: Box) -> None:
    project(box, "a", "b")
    watcher = box.watch()
    watcher.settle()
    box.put("src/a.c", "a")
    box.put("src/b.c", "other")
    assert watcher.until("changed")[-1]["files"] == ["src/b.c"]
    assert watcher.started() == ["out/b.o"]


def test_a_new_file_becomes_a_job(box: Box) -> None:
    project(box, "a")
    watcher = box.watch()
    watcher.settle()
    box.put("src/b.c", "b")
    assert watcher.started() == ["out/b.o"]
    box.put("src/b.c", "more")
    assert watcher.started() == ["out/b.o"]


def test_a_file_that_is_deleted_takes_its_job_along(box: Box) -> None:
    project(box, "a", "b")
    watcher = box.watch()
    watcher.settle()
    (box.folder / "src/b.c").unlink()
    events = watcher.settle()
    assert [each["up_to_date"] for each in events if each["event"] == "summary"] == [1]
    assert told_of_leftovers(events) == ["out/b.o"]
    box.put("src/b.c", "again")
    assert watcher.started() == ["out/b.o"]
    (box.folder / "src/a.c").unlink()
    assert told_of_leftovers(watcher.settle()) == ["out/a.o"]


def told_of_leftovers(events: list[Event]) -> list[str]:
    """The files of which it is said that no rule makes them any more."""
    texts = [str(each["text"]) for each in events if each["event"] == "message"]
    return [name for text in texts for name in re.findall("`(out/[^`]*)`", text)]


def test_a_file_that_is_renamed(box: Box) -> None:
    project(box, "a")
    watcher = box.watch()
    watcher.settle()
    (box.folder / "src/a.c").rename(box.folder / "src/z.c")
    assert watcher.started() == ["out/z.o"]


def test_a_broken_pipefile_is_shown_and_the_last_good_plan_goes_on(box: Box) -> None:
    project(box, "a")
    watcher = box.watch()
    watcher.settle()
    box.put("Pipefile", COPY + "out/<n>.x: (\n")
    events = watcher.settle()
    assert any(each["event"] == "complaint" for each in events)
    box.put("src/a.c", "while it is broken")
    assert watcher.started() == ["out/a.o"]
    assert box.text("out/a.o") == "while it is broken"
    box.put("Pipefile", COPY.replace("cp <input> <output>", "cp <input> <output>; :"))
    events = watcher.settle()
    assert not any(each["event"] == "complaint" for each in events)
    assert [each["job"] for each in events if each["event"] == "started"] == ["out/a.o"]
    box.put("src/a.c", "mended")
    assert watcher.started() == ["out/a.o"]


def test_a_pipefile_that_is_broken_from_the_start(box: Box) -> None:
    project(box, "a")
    box.put("Pipefile", "out: (\n")
    watcher = box.watch()
    watcher.settle()
    box.put("Pipefile", COPY)
    assert watcher.started() == ["out/a.o"]


def test_a_file_that_is_missing_at_first(box: Box) -> None:
    box.put("Pipefile", "all: x.txt\nx.txt: y.txt\n    cp y.txt x.txt\n")
    watcher = box.watch()
    assert any(each["event"] == "complaint" for each in watcher.settle())
    box.put("y.txt", "here")
    assert watcher.started() == ["x.txt"]


def test_a_failure_is_tried_again_when_its_file_is_mended(box: Box) -> None:
    box.put("Pipefile", "all: x.txt\nx.txt: y.txt\n    grep good y.txt > x.txt\n")
    box.put("y.txt", "bad")
    watcher = box.watch()
    events = watcher.settle()
    assert [each.get("failed") for each in events if each["event"] == "summary"] == [["x.txt"]], (
        events
    )
    box.put("y.txt", "good")
    assert watcher.started() == ["x.txt"]
    assert box.text("x.txt") == "good\n"


def test_an_output_that_is_deleted_is_made_again(box: Box) -> None:
    project(box, "a", "b")
    watcher = box.watch()
    watcher.settle()
    (box.folder / "out/a.o").unlink()
    assert watcher.started() == ["out/a.o"]


def test_a_graph_that_cannot_be_kept(box: Box) -> None:
    box.put("Pipefile", "python:\n    import time\n    now = time.time()\n" + COPY)
    box.put("src/a.c", "a")
    watcher = box.watch()
    assert watcher.started() == ["out/a.o"]
    box.put("src/a.c", "other")
    assert watcher.started() == ["out/a.o"]
    box.put("src/b.c", "new")
    assert watcher.started() == ["out/b.o"]


def test_a_folder_that_is_new(box: Box) -> None:
    box.put("Pipefile", "all: all.txt\nall.txt: src/**/*.c\n    cat <inputs> > <output>\n")
    box.put("src/one/a.c", "a")
    watcher = box.watch()
    watcher.settle()
    box.put("src/two/deep/b.c", "b")
    assert watcher.started() == ["all.txt"]
    assert box.text("all.txt") == "ab"


def test_polling(box: Box) -> None:
    project(box, "a", "b")
    watcher = box.watch("--poll=0.1")
    watcher.settle()
    box.put("src/a.c", "other")
    assert watcher.started() == ["out/a.o"]
