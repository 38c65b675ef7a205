"""How editors save, bursts, loops, changes while jobs run, and the end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from .conftest import COPY, Box, Watcher, jobs_of, wait_for

SLOW = """
all: out.txt other.txt
out.txt: in.txt
    cat in.txt > out.txt; touch begun; while [ ! -e go ]; do sleep 0.02; done
other.txt: other.in
    cp <input> <output>
"""


def rename_over(path: Path, text: str) -> None:
    path.with_suffix(".tmp").write_text(text)
    path.with_suffix(".tmp").rename(path)


def backup_and_write(path: Path, text: str) -> None:
    path.rename(path.with_name(path.name + "~"))
    path.write_text(text)


def swap_file(path: Path, text: str) -> None:
    swap = path.with_name(f".{path.name}.swp")
    swap.write_text("swap")
    path.with_name("4913").write_text("")
    path.with_name("4913").unlink()
    backup_and_write(path, text)
    path.with_name(path.name + "~").unlink()
    swap.unlink()


def in_two_writes(path: Path, text: str) -> None:
    with path.open("w") as handle:
        handle.flush()
        handle.write(text)


@pytest.mark.parametrize("save", [rename_over, backup_and_write, swap_file, in_two_writes])
def test_each_way_of_saving_is_one_rebuild(box: Box, save) -> None:
    box.put("Pipefile", COPY)
    box.put("src/a.c", "a")
    box.put("src/b.c", "b")
    watcher = box.watch()
    watcher.settle()
    save(box.folder / "src/a.c", "saved")
    assert watcher.started() == ["out/a.o"]
    assert box.text("out/a.o") == "saved"
    box.put("src/b.c", "other")
    assert watcher.started() == ["out/b.o"]


def test_a_burst_is_one_plan(box: Box) -> None:
    box.put("Pipefile", "all: all.txt\nall.txt: src/*.c\n    ls src | wc -l > <output>\n")
    box.put("src/a.c", "a")
    watcher = box.watch()
    watcher.settle()
    for number in range(5000):
        box.put(f"../n{number}.c", "n")
    watcher.process.send_signal(signal.SIGSTOP)  # so that no pause of ours ends the burst
    for number in range(5000):
        (box.folder / f"../n{number}.c").rename(box.folder / f"src/n{number}.c")
    watcher.process.send_signal(signal.SIGCONT)
    assert watcher.started() == ["all.txt"]
    assert box.text("all.txt") == "5001\n"
    box.put("src/a.c", "other")
    assert watcher.until("changed")[-1]["files"] == ["src/a.c"]


def test_a_recipe_that_writes_its_source_is_named_and_stopped(box: Box) -> None:
    box.put("Pipefile", "all: x.o\nx.o: x.c\n    echo more >> x.c; cp x.c x.o\n")
    box.put("x.c", "first\n")
    watcher = box.watch()
    events = watcher.until("message")
    assert "`x.c`: written each time its jobs run" in events[-1]["text"]
    assert 3 <= len(jobs_of(events)) <= 5  # two of them may have been stopped half-way
    box.put("Pipefile", "all: x.o\nx.o: x.c\n    cp x.c x.o\n")
    watcher.until_started("x.o")
    watcher.settle()
    box.put("x.c", "by hand")
    assert watcher.started() == ["x.o"]
    assert box.text("x.o") == "by hand"


def test_what_jobs_write_starts_nothing(box: Box) -> None:
    box.put("Pipefile", "all: src/b.c\nsrc/b.c: src/a.c\n    cp <input> <output>; touch src/log\n")
    box.put("src/a.c", "a")
    watcher = box.watch()
    assert watcher.started() == ["src/b.c"]
    for text in ("one", "two"):
        box.put("src/a.c", text)
        events = watcher.settle()
        assert [each["files"] for each in events if each["event"] == "changed"] == [["src/a.c"]]
        assert jobs_of(events) == ["src/b.c"]


def slow(box: Box, *words: str):
    box.put("Pipefile", SLOW)
    box.put("in.txt", "one")
    box.put("other.in", "one")
    box.put("go", "")
    watcher = box.watch(*words)
    watcher.settle()
    (box.folder / "go").unlink()
    (box.folder / "begun").unlink()
    box.put("in.txt", "two")
    watcher.until("started")
    wait_for((box.folder / "begun").exists)
    return watcher


def test_a_change_of_what_a_running_job_has_read_stops_it(box: Box) -> None:
    watcher = slow(box)
    box.put("in.txt", "three")
    assert watcher.until("changed")[-1]["stopped"]
    watcher.until("started")
    box.put("go", "")
    watcher.settle()
    assert box.text("out.txt") == "three"


def test_a_change_of_other_files_waits(box: Box) -> None:
    watcher = slow(box)
    box.put("other.in", "two")
    box.put("go", "")
    events = watcher.until_started("other.txt") + watcher.settle()
    assert jobs_of(events) == ["other.txt"]
    assert not any(each.get("stopped") for each in events)


SEVERAL = """
all: app
app: <compile>
    cat <inputs> > app
compile: out/<n>.o: src/<n>.c h.h
    echo <n> >> starts; touch begun.<n>; while [ ! -e go.<n> ]; do sleep 0.02; done; cat <inputs> > <output>
"""


def several(box: Box, *words: str) -> Watcher:
    """Two jobs run, `a` and `b`, and wait to be let go."""
    box.put("Pipefile", SEVERAL)
    box.put("h.h", "h1 ")
    box.put("src/a.c", "a1 ")
    box.put("src/b.c", "b1 ")
    watcher = box.watch("-j2", *words)
    for name in "ab":
        wait_for((box.folder / f"begun.{name}").exists)
    return watcher


def test_only_the_jobs_that_a_change_makes_obsolete_are_stopped(box: Box) -> None:
    watcher = several(box)
    watcher.until_started("out/b.o")
    box.put("src/a.c", "a2 ")
    assert watcher.until("changed")[-1] == {
        "event": "changed",
        "files": ["src/a.c"],
        "stopped": True,
    }
    watcher.until_started("out/a.o")
    box.put("go.a", "")
    box.put("go.b", "")
    events = watcher.settle()
    assert [each["ran"] for each in events if each["event"] == "summary"] == [3]
    assert sorted(box.text("starts").split()) == ["a", "a", "b"]
    assert box.text("app") == "a2 h1 b1 h1 "


def test_jobs_that_are_done_are_done_once_more(box: Box) -> None:
    watcher = several(box)
    box.put("go.a", "")
    while watcher.until("finished")[-1]["job"] != "out/a.o":
        pass
    box.put("h.h", "h2 ")
    assert watcher.until("changed")[-1]["stopped"]
    watcher.until_started("out/a.o")
    box.put("go.b", "")
    events = watcher.settle()
    assert [each["ran"] for each in events if each["event"] == "summary"] == [3]
    assert sorted(box.text("starts").split()) == ["a", "a", "b", "b"]
    assert box.text("app") == "a1 h2 b1 h2 "
    box.put("src/b.c", "b2 ")
    watcher.settle()
    assert box.text("app") == "a1 h2 b2 h2 "


def test_a_job_that_does_not_mind_being_asked_to_end(box: Box) -> None:
    box.put(
        "Pipefile",
        "all: x\nx: y\n    trap '' TERM; touch begun; while [ ! -e go ]; do sleep 0.02; done; cp y x\n",
    )
    box.put("y", "one")
    watcher = box.watch()
    wait_for((box.folder / "begun").exists)
    box.put("y", "two")
    watcher.until("changed")
    box.put("go", "")
    watcher.settle()
    assert box.text("x") == "two"


def test_a_python_block_that_a_change_makes_obsolete(box: Box) -> None:
    box.put(
        "Pipefile",
        "all: x\nx: y\n    python:\n        import os, time\n        text = input.read_text()\n"
        "        Path('begun').touch()\n        while not os.path.exists('go'):\n"
        "            time.sleep(0.02)\n        output.write_text(text)\n",
    )
    box.put("y", "one")
    watcher = box.watch()
    wait_for((box.folder / "begun").exists)
    box.put("y", "two")
    watcher.until("changed")
    watcher.until_started("x")
    box.put("go", "")
    watcher.settle()
    assert box.text("x") == "two"


def test_queue_stops_nothing(box: Box) -> None:
    watcher = slow(box, "--watch=queue")
    box.put("in.txt", "three")
    box.put("go", "")
    events = watcher.until_started("out.txt") + watcher.settle()
    assert [each["ran"] for each in events if each["event"] == "summary"] == [1, 1]
    assert box.text("out.txt") == "three"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing(box: Box, signum: int) -> None:
    watcher = slow(box)
    assert watcher.stop(signum) == -signum
    box.put("go", "")
    idle = box.watch()
    idle.settle()
    assert idle.stop(signum) == -signum
    assert processes_in(box.folder) == []


def processes_in(folder: Path) -> list[str]:
    """The processes whose working folder this is."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdecimal() and os.readlink(each / "cwd") == str(folder):
                found.append(each.name)
        except OSError:
            pass
    return found


def test_the_project_is_free_while_it_waits(box: Box) -> None:
    import subprocess
    import sys

    box.put("Pipefile", COPY)
    box.put("src/a.c", "a")
    watcher = box.watch()
    watcher.settle()
    done = subprocess.run(
        [sys.executable, "-m", "pybuild"],
        cwd=box.folder,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "up to date" in done.stdout
    assert done.stderr == ""


def test_a_folder_that_is_deleted_and_made_again(box: Box) -> None:
    import shutil

    box.put("Pipefile", COPY)
    box.put("src/a.c", "a")
    watcher = box.watch()
    watcher.settle()
    shutil.rmtree(box.folder)
    watcher.until("message")
    new = box.folder.with_name("new")
    (new / "src").mkdir(parents=True)
    (new / "Pipefile").write_text(COPY)
    (new / "src/b.c").write_text("b")
    new.rename(box.folder)
    assert watcher.started() == ["out/b.o"]
