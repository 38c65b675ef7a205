"""After many random changes the tree is what a clean build would make."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Box, Watcher, wait_for
from .test_saving import processes_in

_WARM = 100  # changes after which all that is needed is in memory
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PIPEFILE = """
all: total.txt

total.txt: mid/*.m
    cat /dev/null <inputs> > <output>

mid/<n>.m: src/<n>.c common.h
    cat <inputs> > <output>
"""


def change(box: Box, dice: random.Random) -> None:
    names = sorted(path.name for path in (box.folder / "src").iterdir())
    name = dice.choice(names)
    path = box.folder / "src" / name
    kind = dice.randrange(6)
    if kind == 0 and len(names) > 3:
        path.unlink()
    elif kind == 1:
        path.rename(path.with_name(f"r{dice.randrange(30)}.c"))
    elif kind == 2:
        box.put("common.h", str(dice.random()))
    elif kind == 3:
        box.put(f"src/n{dice.randrange(30)}.c", str(dice.random()))
    else:
        path.write_text(str(dice.random()))


def is_clean(box: Box, watcher: Watcher, clean: Path) -> bool:
    """Whether the tree is that of a clean build; it is as soon as the watch has seen the last
    change."""
    shutil.rmtree(clean, ignore_errors=True)
    clean.mkdir()
    for name in ("src", "common.h", "Pipefile"):
        source = box.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clean / name)
    subprocess.run([sys.executable, "-m", "pybuild", "-s"], cwd=clean, check=True, timeout=60)
    made = {path.name for path in (clean / "mid").iterdir()}
    return (box.folder / "total.txt").read_bytes() == (
        clean / "total.txt"
    ).read_bytes() and made <= {path.name for path in (box.folder / "mid").iterdir()}


def until_clean(box: Box, watcher: Watcher) -> None:
    """Until the tree is that of a clean build; if a change was missed, nothing happens any more."""
    while not is_clean(box, watcher, box.folder.parent / "clean"):
        watcher.settle()


def memory(watcher: Watcher) -> int:
    """KiB of the process that are in memory."""
    status = Path(f"/proc/{watcher.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def play(box: Box, seed: int, changes: int) -> None:
    dice = random.Random(seed)
    before = 0
    box.put("Pipefile", PIPEFILE)
    box.put("common.h", "common")
    for number in range(10):
        box.put(f"src/n{number}.c", str(number))
    watcher = box.watch()
    watcher.settle()
    for number in range(changes):
        if number == _WARM:
            before = memory(watcher)
        change(box, dice)
        if dice.random() < 0.1:
            # A mark: when it has been built, all before it has been seen.
            box.put("common.h", f"mark {number}")
            while f"mark {number}" not in box.text("total.txt"):
                watcher.next()
            watcher.settle()
            if dice.random() < 0.2:
                until_clean(box, watcher)
    box.put("common.h", "the end")
    while "the end" not in box.text("total.txt"):
        watcher.next()
    until_clean(box, watcher)
    assert changes <= _WARM or memory(watcher) <= 1.2 * before
    assert watcher.stop() == -2
    assert what_is_left(box) == {"flat", "journal", "lock", "trees"}


def what_is_left(box: Box) -> set[str]:
    """What a watch leaves behind in its folder, but for empty folders and logs."""
    state = box.folder / ".pybuild"
    return {each.name for each in state.iterdir() if each.name != "logs" and any_of(each)}


def any_of(path: Path) -> bool:
    return not path.is_dir() or any(path.iterdir())


def start_and_stop(box: Box, times: int) -> None:
    box.put("Pipefile", PIPEFILE + "\n@service\nserve: common.h\n    sleep 1000\n")
    box.put("common.h", "common")
    box.put("src/a.c", "a")
    for number in range(times):
        watcher = box.watch("all", "serve", "-j2")
        box.put("src/a.c", f"{number}")
        if number % 3:
            watcher.settle()
        elif number % 2:
            watcher.until("started")
        signum = _SIGNALS[number % len(_SIGNALS)]
        status = watcher.stop(signum)
        assert status == -signum or not watcher.events  # Python itself has its own way to end
        wait_for(lambda: not processes_in(box.folder))
    done = subprocess.run(
        [sys.executable, "-m", "pybuild"],
        cwd=box.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")  # nobody has the lock
    assert what_is_left(box) == {"flat", "journal", "lock", "trees"}


def test_starts_and_stops_leave_nothing(box: Box) -> None:
    start_and_stop(box, 12)


@pytest.mark.long
def test_a_hundred_starts_and_stops_leave_nothing(box: Box) -> None:
    start_and_stop(box, 100)


def test_random_changes(box: Box) -> None:
    play(box, 1, 60)


@pytest.mark.long
def test_two_thousand_random_changes_in_one_go(box: Box) -> None:
    play(box, 7, 2000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_random_changes(box: Box, seed: int) -> None:
    play(box, seed, 500)
