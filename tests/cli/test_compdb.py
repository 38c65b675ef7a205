"""`--compdb`: the compilations of a project, each of which a real compiler can do."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pybuild.cli.compdb import compilations

from .conftest import Place

EXAMPLE = Path(__file__).parents[2] / "examples" / "c-project"


def entries(place: Place, *words: str, status: int = 0) -> list[dict[str, Any]]:
    """What `--compdb` prints."""
    found = json.loads(place.run("--compdb", *words, status=status).stdout)
    assert isinstance(found, list)
    assert all(set(each) == {"directory", "command", "file", "output"} for each in found)
    return found


def compile_all(found: list[dict[str, Any]]) -> None:
    """Runs each command and looks for what it makes."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    for each in found:
        assert (Path(each["directory"]) / each["file"]).is_file()
        output = Path(each["directory"], each["output"])
        output.parent.mkdir(parents=True, exist_ok=True)
        output.unlink(missing_ok=True)
        subprocess.run(each["command"], shell=True, cwd=each["directory"], check=True, timeout=120)
        assert output.is_file(), each


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("gcc -c a.c -o a.o", [("gcc -c a.c -o a.o", "a.c", "a.o")]),
        ("g++ -c a.cpp", [("g++ -c a.cpp", "a.cpp", "out")]),
        (
            "arm-none-eabi-gcc-12 -oa.o -c a.S",
            [("arm-none-eabi-gcc-12 -oa.o -c a.S", "a.S", "a.o")],
        ),
        ("/usr/bin/clang++-16 -c a.cc", [("/usr/bin/clang++-16 -c a.cc", "a.cc", "out")]),
        ("ccache distcc cc -c a.c", [("ccache distcc cc -c a.c", "a.c", "out")]),
        ("LC_ALL=C  cc  -c a.c 2>log <x >> y", [("cc -c a.c", "a.c", "out")]),
        ("cc -c a.c 2>&1 | tee log", [("cc -c a.c", "a.c", "out")]),
        ("cc -c a.c &> log", [("cc -c a.c", "a.c", "out")]),
        ("mkdir -p x && cc -c a.c; echo cc -c b.c", [("cc -c a.c", "a.c", "out")]),
        ("cc -c \\\n   a.c", [("cc -c a.c", "a.c", "out")]),
        ("cc -c a.c b.c", [("cc -c a.c b.c", "a.c", "out"), ("cc -c a.c b.c", "b.c", "out")]),
        ("cc 'a b.c' -D'X=\"a;b\"'", [("cc 'a b.c' -D'X=\"a;b\"'", "a b.c", "out")]),
        ("cc a\\ b.c \"-DX=$(cat 'x y')\"", [("cc a\\ b.c \"-DX=$(cat 'x y')\"", "a b.c", "out")]),
        ("if ! cc -c a.c; then false; fi", [("cc -c a.c", "a.c", "out")]),
        ("(cd sub && cc -c a.c)", [("cc -c a.c", "a.c", "out")]),
        ("for x in 1; do cc -c a.c; done # cc -c b.c", [("cc -c a.c", "a.c", "out")]),
        ("cat <<end\ncc -c a.c\nend\ncc -c b.c", [("cc -c b.c", "b.c", "out")]),
        ("cc -include a.c -x c b.c", [("cc -include a.c -x c b.c", "b.c", "out")]),
        ("cc a.o b.o -o app", []),
        ("cc -MM a.c > a.d", []),
        ("ar rcs x.a a.o", []),
        ("fcc -c a.c; gccgo a.c; ccache -s a.c", []),
        ("cc 'never closed a.c", []),
        ("", []),
    ],
)
def test_compilations_of_a_script(script: str, expected: list[tuple[str, str, str]]) -> None:
    found = compilations(script, "/project", "out")
    assert [(each.command, each.file, each.output) for each in found] == expected


def test_a_folder_that_a_script_goes_to() -> None:
    script = "cd lib\ncc -c a.c\ncd ../../other\ncc -c b.c\ncd /x; cc -c c.c"
    found = compilations(script, "/project", "out")
    assert [each.directory for each in found] == ["/project/lib", "/other", "/x"]


def test_the_example(place: Place) -> None:
    shutil.copytree(EXAMPLE, place.folder, dirs_exist_ok=True)
    shutil.rmtree(place.folder / "build", ignore_errors=True)
    found = entries(place)
    assert place.state() == []
    sources = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.glob("*/*.c")}
    assert {each["file"] for each in found} == sources
    assert {each["file"] for each in entries(place, "build/libfrac.a")} < sources
    place.run("-s", "objects", "library")
    compile_all(found)


def test_names_that_a_shell_would_cut(place: Place) -> None:
    place.put(
        Pipefile='all: out/<basename>.o: *.c\n    gcc -c -DNAME="\\"a b\\"" <input> -o <output>\n',
        **{"a b.c": "const char *name = NAME;\n", "it's.c": "int x;\n", "$x.c": "int y;\n"},
    )
    found = entries(place)
    assert {each["file"] for each in found} == {"a b.c", "it's.c", "$x.c"}
    compile_all(found)


def test_makefiles(place: Place) -> None:
    place.put(
        Makefile="CC = gcc\nobjects = a.o sub/b.o\nall: $(objects)\n"
        "sub/b.o: sub/b.c\n\tcd sub && $(CC) -DB -c b.c -o b.o\n",
        **{"a.c": "int a;\n"},
    )
    place.write("sub/b.c", "int b;\n")
    found = entries(place)
    assert {(each["file"], Path(each["directory"]).name) for each in found} == {
        ("a.c", place.folder.name),
        ("b.c", "sub"),
    }
    compile_all(found)


def test_what_cannot_be_planned_is_told_beside_the_rest(place: Place) -> None:
    place.put(
        Pipefile="all: a.o b.o\na.o: a.c\n    cc -c a.c\nb.o: b.c missing.h\n    cc -c b.c\n",
        **{"a.c": "", "b.c": ""},
    )
    assert "no rule makes `missing.h`" in place.run("--compdb", status=2).stderr
    assert [each["file"] for each in entries(place, "a.o")] == ["a.c"]
    assert "nonsense" in place.run("--compdb", "nonsense", status=2).stderr


def test_a_project_without_compilations(place: Place) -> None:
    place.put(Pipefile="all:\n    echo hello\n")
    assert place.run("--compdb").stdout == "[]\n"
