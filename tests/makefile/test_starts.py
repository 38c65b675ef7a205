"""What a start of make costs: no module that a common makefile does not need, and none at all for a
make that a recipe starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pybuild
from tests.makefiles.sides import pybuild_side

COMMON = """\
CFLAGS ?= -O1
objects := $(patsubst %.c,%.o,$(wildcard *.c)) \\
    other.o
define note
one
two
endef
all: $(objects) prog
\t@:
%.o: %.c ; cc $(CFLAGS) -c $<
ifeq ($(words $(objects)),1)
prog other.o:
endif
a.h:
a.h:
.PHONY: all prog other.o
"""

LOADED = """\
import os, sys
sys.path[:0] = {paths!r}
sys.argv = ["make", "-j2", "CFLAGS=-O2"]
end = os._exit
def tell(status):
    print(*sys.modules)
    sys.stdout.flush()
    end(status)
os._exit = tell
from pybuild.cli.main import main
main()
"""


def test_a_common_makefile_needs_no_regular_expressions(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(COMMON)
    root = os.path.dirname(os.path.dirname(pybuild.__file__))
    told = subprocess.check_output(
        [sys.executable, "-S", "-c", LOADED.format(paths=[root])],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        text=True,
    )
    loaded = set(told.split())
    assert "pybuild.makefile.evaluate" in loaded
    assert loaded.isdisjoint({"re", "enum", "collections", "typing", "signal", "subprocess"})


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
@pytest.mark.parametrize("line", ["$(MAKE) -C d inner", "cd d && $(MAKE) inner"])
def test_a_make_below_is_the_one_above_once_more(line: str, tmp_path: Path) -> None:
    side = pybuild_side(tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "Makefile").write_text(f"all: ; @{line}\n")
    (tmp_path / "d" / "Makefile").write_text("inner: ; @tr '\\0' ' ' < /proc/$$PPID/cmdline\n")
    told = subprocess.check_output(
        ["make", "--no-print-directory", "the=outer"],
        cwd=tmp_path,
        env={"PATH": f"{side.bin}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        text=True,
    )
    assert "the=outer" in told
    assert "inner" not in told.split()
