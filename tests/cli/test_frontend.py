"""Which language is read: by name, by folder, by `-f`, by options."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pybuild.cli.frontend import OURS
from pybuild.cli.options import OPTIONS
from pybuild.makefile.flags import _TABLE

from .conftest import Place

MAKEFILE = "all:\n\t@echo from the makefile of $(MAKE)\n"
PIPEFILE = "all:\n    @echo from the Pipefile\n"


def test_a_folder_with_a_makefile_only(place: Place) -> None:
    place.put(Makefile=MAKEFILE)
    assert place.run().stdout == f"from the makefile of {sys.executable} -m pybuild\n"
    assert not (place.folder / ".pybuild").exists(), "make keeps no records"


def test_a_pipefile_comes_first(place: Place) -> None:
    place.put(Makefile=MAKEFILE, Pipefile=".PHONY: all\nall:\n    echo from the Pipefile\n")
    assert "from the Pipefile" in place.run().stdout
    assert "from the makefile" in place.run("-f", "Makefile").stdout
    assert "from the makefile" in place.run("-fMakefile").stdout
    assert "from the makefile" in place.run("--file=Makefile").stdout


def test_makefiles_only_by_option(place: Place) -> None:
    place.put(Makefile=MAKEFILE, Pipefile=".PHONY: all\nall:\n    echo from the Pipefile\n")
    expected = f"from the makefile of {sys.executable} -m pybuild --make\n"
    assert place.run("--make").stdout == expected


def test_a_folder_to_go_to(place: Place) -> None:
    place.write("sub/rules.mk", MAKEFILE)
    place.write("sub/Makefile", MAKEFILE)
    assert "Entering directory" in place.run("-C", "sub").stdout
    assert "from the makefile" in place.run("-Csub", "-f", "rules.mk").stdout


def test_options_that_make_has_not(place: Place) -> None:
    place.put(Makefile=MAKEFILE)
    assert "all (default)" in place.run("--list").stdout
    done = place.run("--nonsense", status=2)
    assert done.stderr.startswith("pybuild: unrecognized option '--nonsense'\nUsage: pybuild ")


def test_the_options_that_make_has_not_are_these() -> None:
    of_make = {f"-{row[1]}" for row in _TABLE if row[1]} | {f"--{row[2]}" for row in _TABLE}
    of_pybuild = {name for option in OPTIONS for name in (*option.names, *option.aliases)}
    assert of_pybuild - of_make == OURS


@pytest.mark.parametrize("name", ["make", "gmake"])
def test_the_name_of_make(place: Place, tmp_path: Path, name: str) -> None:
    """A link to the installed command; then Pipefiles do not matter."""
    installed = shutil.which("pybuild", path=os.path.dirname(sys.executable))
    if installed is None:
        pytest.skip("pybuild is not installed beside this Python")
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / name).symlink_to(installed)
    place.put(Makefile=MAKEFILE, Pipefile=PIPEFILE)
    environment = {**os.environ, "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}"}
    for called, told in ((name, name), (f"{bin}/./{name}", f"{bin}/./{name}")):
        done = subprocess.run(
            [called], cwd=place.folder, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == f"from the makefile of {told}\n"


def test_a_reader_that_goes_away(place: Place) -> None:
    """As with `| head`: pybuild ends, and so does what it has started."""
    place.put(Makefile="all: a b\na b:\n\t@yes $@ 2>/dev/null\n")
    line = f"{sys.executable} -m pybuild -j2 | head -1"
    done = subprocess.run(
        line, shell=True, cwd=place.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout in ("a\n", "b\n")
    assert "Traceback" not in done.stderr
