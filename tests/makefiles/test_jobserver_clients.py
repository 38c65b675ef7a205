"""Programs that are no make share the slots of pybuild: none says that it cannot, and all tokens
are back when they have ended."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .sides import Side

JOBS = 4

COUNT = r"""
import os, re

auth = re.findall(r"--jobserver-auth=(\S+)", os.environ["MAKEFLAGS"])[-1]
if auth.startswith("fifo:"):
    reading, writing = auth[5:], os.open(auth[5:], os.O_WRONLY)
else:
    first, writing = map(int, auth.split(","))
    reading = f"/dev/fd/{first}"
handle = os.open(reading, os.O_RDONLY | os.O_NONBLOCK)
tokens = b""
try:
    while piece := os.read(handle, 100):
        tokens += piece
except BlockingIOError:
    pass
os.write(writing, tokens)
print("free:", len(tokens))
"""


@pytest.fixture(params=["fifo", "pipe"])
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _make(room: Path, pybuild: Side, style: str, recipe: str) -> None:
    """Run a recipe with four slots, then count those that are free: all but the own one."""
    (room / "count.py").write_text(COUNT)
    (room / "Makefile").write_text(f"all: work ; +@python3 count.py\nwork:\n\t{recipe}\n")
    environment = {**os.environ, "PATH": f"{pybuild.bin}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("MAKEFLAGS", None)
    ran = subprocess.run(
        ["make", "-s", f"-j{JOBS}", f"--jobserver-style={style}"],
        cwd=room,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == (f"free: {JOBS - 1}\n", "", 0)


def _c_files(room: Path) -> None:
    for number in range(JOBS):
        (room / f"f{number}.c").write_text(f"int f{number}(int x) {{ return x * {number}; }}\n")
    called = "".join(f"int f{number}(int); " for number in range(JOBS))
    (room / "main.c").write_text(f"{called}int main(void) {{ return f0(f1(f2(f3(0)))); }}\n")


def _knows_named_pipes() -> bool:
    """GCC does from version 13 on."""
    told = subprocess.run(["gcc", "-dumpversion"], capture_output=True, text=True, check=True)
    return int(told.stdout.split(".")[0]) >= 13


@pytest.mark.skipif(not shutil.which("gcc"), reason="no gcc")
def test_gcc_with_link_time_optimisation(tmp_path: Path, pybuild: Side, style: str) -> None:
    if style == "fifo" and not _knows_named_pipes():
        pytest.skip("this gcc knows no named pipes")
    _c_files(tmp_path)
    flags = "-O2 -flto=jobserver -flto-partition=1to1"
    _make(tmp_path, pybuild, style, f"+gcc {flags} -o prog $(wildcard *.c)")
    assert (tmp_path / "prog").exists()


@pytest.mark.skipif(not shutil.which("cargo"), reason="no cargo")
def test_cargo(tmp_path: Path, pybuild: Side, style: str) -> None:
    crate = tmp_path / "crate"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text(
        '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n'
    )
    (crate / "src" / "main.rs").write_text("fn main() {}\n")
    _make(tmp_path, pybuild, style, "+cd crate && cargo build -q --offline")
    assert (crate / "target" / "debug" / "small").exists()


@pytest.mark.skipif(not shutil.which("rustc"), reason="no rustc")
def test_rustc_that_gets_no_slots(tmp_path: Path, pybuild: Side, style: str) -> None:
    (tmp_path / "main.rs").write_text("fn main() {}\n")
    _make(tmp_path, pybuild, style, "rustc -C codegen-units=4 main.rs")
    assert (tmp_path / "main").exists()
