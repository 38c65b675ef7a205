"""After many random changes the tree is what a clean build would make."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Box, Watcher

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


def play(box: Box, seed: int, changes: int) -> None:
    dice = random.Random(seed)
    box.put("Pipefile", PIPEFILE)
    box.put("common.h", "common")
    for number in range(10):
        box.put(f"src/n{number}.c", str(number))
    watcher = box.watch()
    watcher.settle()
    for number in range(changes):
        change(box, dice)
        if dice.random() < 0.1:
            # A mark: when it has been built, all before it has been seen.
            box.put("common.h", f"mark {number}")
            while f"mark {number}" not in box.text("total.txt"):
                watcher.next()
            watcher.settle()
            if dice.random() < 0.2:
                assert is_clean(box, watcher, box.folder.parent / "clean")
    box.put("common.h", "the end")
    while "the end" not in box.text("total.txt"):
        watcher.next()
    watcher.settle()
    assert is_clean(box, watcher, box.folder.parent / "clean")
    assert watcher.stop() == -2
    assert (
        os.listdir(box.folder / ".pybuild/tmp") == []
        if (box.folder / ".pybuild/tmp").exists()
        else True
    )


def test_random_changes(box: Box) -> None:
    play(box, 1, 60)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_random_changes(box: Box, seed: int) -> None:
    play(box, seed, 500)
