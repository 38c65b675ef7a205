"""The kept graph: what has to make it invalid does, and where it can be used it is.

Most tests go the same way: a project is built until the kept graph answers, something changes that
the load has looked at, and the next build has to see it. Then the kept graph is deleted: the
ordinary way must find nothing left to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import Sandbox

FLAT = ".pybuild/flat"
SHOW = "out.txt:\n    echo <value> > <output>\n"
NO_ENV: Mapping[str, str] = {}


def kept(box: Sandbox) -> list[str]:
    """The graphs that are kept."""
    return box.names(f"{FLAT}/*")


def python(*lines: str) -> str:
    """A block of Python."""
    return "python:\n" + "".join(f"    {line}\n" for line in lines)


def settle(box: Sandbox, *words: str, env: Mapping[str, str] = NO_ENV) -> None:
    """Builds until nothing is left to do and no time is too young to prove anything."""
    box.run(*words, env=dict(env))
    for _ in range(2):
        output = box.run(*words, env=dict(env))
        assert "up to date (" in output, output


def agrees(box: Sandbox, *words: str, env: Mapping[str, str] = NO_ENV) -> None:
    """The ordinary way finds nothing that the kept graph has left undone."""
    shutil.rmtree(box.folder / FLAT, ignore_errors=True)
    output = box.run(*words, env=dict(env))
    assert "up to date (" in output, f"the kept graph left this undone:\n{output}"


# -- what must make it invalid ------------------------------------------------------------------


class Case(NamedTuple):
    """A project whose `out.txt` holds `before`, a change, and what it has to hold then."""

    text: str
    before: str
    after: str
    files: Mapping[str, str] = {}
    change: Callable[[Path], object] = lambda folder: None
    env: Mapping[str, str] = {}
    then: Mapping[str, str] = {}
    words: tuple[str, ...] = ()
    then_words: tuple[str, ...] | None = None


def put(name: str, text: str) -> Callable[[Path], object]:
    """A change: a file, with its folders, gets this text."""

    def change(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


def drop(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def relink(name: str, target: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)

    return change


def of_value(*lines: str) -> str:
    """A Pipefile that works out `value` in Python and writes it down."""
    return python("import os", *lines) + SHOW


A, B = {"V_ONE": "a"}, {"V_ONE": "b"}
LISTED = {"src/a.c": "", "src/b.c": ""}
SHOW_FOUND = "value = ' '.join(sorted(map(str, found)))"

CASES = {
    # the environment
    "env": Case('value = env("V_ONE")\n' + SHOW, "a", "b", env=A, then=B),
    "env, absent before": Case('value = env("V_ONE", "none")\n' + SHOW, "none", "b", then=B),
    "?=": Case("value ?= none\n".replace("none", '"none"') + SHOW, "none", "b", then=B),
    "os.environ[]": Case(of_value('value = os.environ["V_ONE"]'), "a", "b", env=A, then=B),
    "os.environ.get": Case(of_value('value = os.environ.get("V_ONE", "-")'), "-", "b", then=B),
    "os.getenv": Case(of_value('value = os.getenv("V_ONE", "-")'), "-", "b", then=B),
    "os.environb": Case(
        of_value('value = os.environb.get(b"V_ONE", b"-").decode()'), "a", "b", env=A, then=B
    ),
    "in os.environ": Case(of_value('value = "V_ONE" in os.environ'), "False", "True", then=B),
    "os.environ iterated, changed": Case(
        of_value('value = "".join(v for k, v in os.environ.items() if k.startswith("V_"))'),
        "a",
        "b",
        env=A,
        then=B,
    ),
    "os.environ iterated, a new variable": Case(
        of_value('value = "".join(sorted(k for k in os.environ if k.startswith("V_")))'),
        "V_ONE",
        "V_ONEV_TWO",
        env=A,
        then={**A, "V_TWO": "x"},
    ),
    "os.environ iterated, one less": Case(
        of_value('value = "".join(sorted(k for k in dict(os.environ) if k.startswith("V_")))'),
        "V_ONEV_TWO",
        "V_ONE",
        env={**A, "V_TWO": "x"},
        then=A,
    ),
    "os.environ copied": Case(
        of_value('value = os.environ.copy().get("V_ONE", "-")'), "-", "b", then=B
    ),
    "os.environ as a text": Case(
        of_value("value = \"'V_ONE'\" in repr(os.environ)"), "False", "True", then=B
    ),
    "os.path.expandvars": Case(
        of_value('value = os.path.expandvars("$V_ONE").strip("$")'), "a", "b", env=A, then=B
    ),
    # files of the load
    "Pipefile": Case(
        'value = "a"\n' + SHOW, "a", "b", change=put("Pipefile", 'value = "b"\n' + SHOW)
    ),
    "included": Case(
        "include v.pipe\n" + SHOW, "a", "b", {"v.pipe": 'value = "a"\n'}, put("v.pipe", 'value = "b"\n')
    ),
    "-include of a file that appears": Case(
        'value = "a"\n-include v.pipe\n' + SHOW, "a", "b", change=put("v.pipe", 'value = "b"\n')
    ),
    "-include of a file that goes": Case(
        'value = "a"\n-include v.pipe\n' + SHOW, "b", "a", {"v.pipe": 'value = "b"\n'}, drop("v.pipe")
    ),
    "config": Case(
        'value = config("c.toml")["v"]\n' + SHOW, "a", "b", {"c.toml": 'v = "a"\n'}, put("c.toml", 'v = "b"\n')
    ),
    "config, json": Case(
        'value = config("c.json")["v"]\n' + SHOW, "a", "b", {"c.json": '{"v": "a"}'}, put("c.json", '{"v": "b"}')
    ),
    "read": Case('value = read("v.txt")\n' + SHOW, "a", "b", {"v.txt": "a"}, put("v.txt", "b")),
    "open": Case(
        of_value('value = open("v.txt").read()'), "a", "b", {"v.txt": "a"}, put("v.txt", "b")
    ),
    "open to read and write": Case(
        of_value('value = open("v.txt", "r+").read()'), "a", "b", {"v.txt": "a"}, put("v.txt", "b")
    ),
    "Path.read_text": Case(
        of_value("from pathlib import Path", 'value = Path("v.txt").read_text()'),
        "a",
        "b",
        {"v.txt": "a"},
        put("v.txt", "b"),
    ),
    "os.open": Case(
        of_value('value = os.read(os.open("v.txt", os.O_RDONLY), 9).decode()'),
        "a",
        "b",
        {"v.txt": "a"},
        put("v.txt", "b"),
    ),
    "open of a file that is not there": Case(
        of_value("try:", '    value = open("v.txt").read()', "except OSError:", '    value = "-"'),
        "-",
        "b",
        change=put("v.txt", "b"),
    ),
    "open in threads": Case(
        of_value(
            "from concurrent.futures import ThreadPoolExecutor",
            "def text(number):",
            '    return open(f"d/{number}").read()',
            "with ThreadPoolExecutor(8) as pool:",
            '    value = "".join(pool.map(text, range(64)))',
        ),
        "a" * 64,
        "a" * 31 + "b" + "a" * 32,
        {f"d/{number}": "a" for number in range(64)},
        put("d/31", "b"),
    ),
    "exec of a file": Case(
        of_value('exec(open("v.py").read())'), "a", "b", {"v.py": 'value = "a"'}, put("v.py", 'value = "b"')
    ),
    # modules
    "module": Case(
        of_value("from helper import value"),
        "a",
        "b",
        {"helper.py": 'value = "a"\n'},
        put("helper.py", 'value = "b"\n'),
    ),
    "module that a module imports": Case(
        of_value("from helper import value"),
        "a",
        "b",
        {"helper.py": "from inner import value\n", "inner.py": 'value = "a"\n'},
        put("inner.py", 'value = "b"\n'),
    ),
    "__init__ of a package": Case(
        of_value("import pack.mod", "value = pack.value"),
        "a",
        "b",
        {"pack/__init__.py": 'value = "a"\n', "pack/mod.py": ""},
        put("pack/__init__.py", 'value = "b"\n'),
    ),
    "module of a package": Case(
        of_value("from pack.mod import value"),
        "a",
        "b",
        {"pack/__init__.py": "", "pack/mod.py": 'value = "a"\n'},
        put("pack/mod.py", 'value = "b"\n'),
    ),
    "module that appears": Case(
        of_value("try:", "    from helper import value", "except ImportError:", '    value = "-"'),
        "-",
        "b",
        change=put("helper.py", 'value = "b"\n'),
    ),
    "package that appears": Case(
        of_value("try:", "    from helper import value", "except ImportError:", '    value = "-"'),
        "-",
        "b",
        change=put("helper/__init__.py", 'value = "b"\n'),
    ),
    "module of a package that appears": Case(
        of_value(
            "try:", "    from pack.mod import value", "except ImportError:", '    value = "-"'
        ),
        "-",
        "b",
        {"pack/__init__.py": ""},
        put("pack/mod.py", 'value = "b"\n'),
    ),
    "package that hides a module": Case(
        of_value("from helper import value"),
        "a",
        "b",
        {"helper.py": 'value = "a"\n'},
        put("helper/__init__.py", 'value = "b"\n'),
    ),
    "__init__ that appears": Case(
        of_value("import pack.mod", 'value = getattr(pack, "value", "-")'),
        "-",
        "b",
        {"pack/mod.py": ""},
        put("pack/__init__.py", 'value = "b"\n'),
    ),
    "find_spec of a module that appears": Case(
        of_value("from importlib.util import find_spec", 'value = find_spec("helper") is not None'),
        "False",
        "True",
        change=put("helper.py", ""),
    ),
    "import_module of a module that appears": Case(
        of_value(
            "from importlib import import_module",
            "try:",
            '    value = import_module("helper").value',
            "except ImportError:",
            '    value = "-"',
        ),
        "-",
        "b",
        change=put("helper.py", 'value = "b"\n'),
    ),
    "PYTHONPATH": Case(
        of_value("from outside import value"),
        "a",
        "b",
        {"one/outside.py": 'value = "a"\n', "two/outside.py": 'value = "b"\n'},
        env={"PYTHONPATH": "one"},
        then={"PYTHONPATH": "two"},
    ),
    # folders
    "os.listdir": Case(
        of_value('found = os.listdir("src")', SHOW_FOUND),
        "a.c b.c",
        "a.c b.c c.c",
        LISTED,
        put("src/c.c", ""),
    ),
    "os.scandir": Case(
        of_value('found = [each.name for each in os.scandir("src")]', SHOW_FOUND),
        "a.c b.c",
        "b.c",
        LISTED,
        drop("src/a.c"),
    ),
    "size by os.scandir": Case(
        of_value('value = sum(each.stat().st_size for each in os.scandir("src"))'),
        "0",
        "3",
        LISTED,
        put("src/a.c", "abc"),
    ),
    "glob.glob": Case(
        of_value("from glob import glob as files", 'found = files("src/*.c")', SHOW_FOUND),
        "src/a.c src/b.c",
        "src/a.c src/b.c src/c.c",
        LISTED,
        put("src/c.c", ""),
    ),
    "glob.glob, deep": Case(
        of_value(
            "from glob import glob as files", 'found = files("src/**/*.c", recursive=True)', SHOW_FOUND
        ),
        "src/a.c src/b.c",
        "src/a.c src/b.c src/deep/c.c",
        LISTED,
        put("src/deep/c.c", ""),
    ),
    "Path.glob": Case(
        of_value("from pathlib import Path", 'found = Path("src").glob("*.c")', SHOW_FOUND),
        "src/a.c src/b.c",
        "src/a.c src/b.c src/c.c",
        LISTED,
        put("src/c.c", ""),
    ),
    "Path.iterdir": Case(
        of_value("from pathlib import Path", 'found = Path("src").iterdir()', SHOW_FOUND),
        "src/a.c src/b.c",
        "src/a.c src/b.c src/c.c",
        LISTED,
        put("src/c.c", ""),
    ),
    "os.walk": Case(
        of_value('found = [n for _, _, names in os.walk("src") for n in names]', SHOW_FOUND),
        "a.c b.c",
        "a.c b.c c.c",
        {**LISTED, "src/deep/deeper/.x": ""} | {"src/deep/deeper/.x": ""},
        put("src/deep/deeper/c.c", ""),
    ),
    "os.listdir of a folder that appears": Case(
        of_value("try:", '    value = len(os.listdir("new"))', "except OSError:", '    value = "-"'),
        "-",
        "1",
        change=put("new/x", ""),
    ),
    "glob of the Pipefile": Case(
        'value = glob("src/*.c")\n' + SHOW, "src/a.c src/b.c", "src/a.c src/b.c src/c.c", LISTED, put("src/c.c", "")
    ),
    "deep glob of the Pipefile": Case(
        'value = glob("src/**/*.c")\n' + SHOW,
        "src/a.c src/b.c",
        "src/a.c src/b.c src/x/y/c.c",
        {**LISTED, "src/x/y/z": ""},
        put("src/x/y/c.c", ""),
    ),
    # looks
    "os.path.exists": Case(
        of_value('value = os.path.exists("v.txt")'), "False", "True", change=put("v.txt", "")
    ),
    "os.path.isfile": Case(
        of_value('value = os.path.isfile("v.txt")'), "True", "False", {"v.txt": ""}, drop("v.txt")
    ),
    "os.path.isdir": Case(
        of_value('value = os.path.isdir("d")'), "False", "True", change=put("d/x", "")
    ),
    "os.path.getsize": Case(
        of_value('value = os.path.getsize("v.txt")'), "1", "2", {"v.txt": "a"}, put("v.txt", "bb")
    ),
    "Path.stat": Case(
        of_value("from pathlib import Path", 'value = Path("v.txt").stat().st_size'),
        "1",
        "2",
        {"v.txt": "a"},
        put("v.txt", "bb"),
    ),
    "Path.exists": Case(
        of_value("from pathlib import Path", 'value = Path("v.txt").exists()'),
        "False",
        "True",
        change=put("v.txt", ""),
    ),
    "time of a file": Case(
        of_value('value = os.stat("v.txt").st_mtime_ns'),
        "1000000000",
        "2000000000",
        {"v.txt": "a"},
        lambda folder: os.utime(folder / "v.txt", ns=(2 * 10**9, 2 * 10**9)),
    ),
    "os.access": Case(
        of_value('value = os.access("v.txt", os.X_OK)'),
        "False",
        "True",
        {"v.txt": "a"},
        lambda folder: (folder / "v.txt").chmod(0o755),
    ),
    "shutil.which": Case(
        of_value("from shutil import which", 'value = which("tool", path="bin") or "-"'),
        "-",
        "bin/tool",
        {"bin/other": ""},
        lambda folder: (put("bin/tool", "")(folder), (folder / "bin/tool").chmod(0o755)),
    ),
    "link to a file": Case(
        of_value('value = open("link").read()'),
        "a",
        "b",
        {"a": "a", "b": "b", "link": "->a"},
        relink("link", "b"),
    ),
    "os.readlink of a link to a folder": Case(
        of_value('value = os.readlink("link")'),
        "one",
        "two",
        {"one/x": "", "two/x": "", "link": "->one"},
        relink("link", "two"),
    ),
    "os.path.realpath of a link to a folder": Case(
        of_value('value = os.path.basename(os.path.realpath("link"))'),
        "one",
        "two",
        {"one/x": "", "two/x": "", "link": "->one"},
        relink("link", "two"),
    ),
    "os.path.islink": Case(
        of_value('value = os.path.islink("link")'), "False", "True", {"one/x": ""}, relink("link", "x")
    ),
    "os.readlink of a link to nowhere": Case(
        of_value('value = os.readlink("link")'), "x", "y", {"link": "->x"}, relink("link", "y")
    ),
    # commands
    "sh": Case('value = sh("cat v.txt")\n' + SHOW, "a", "b", {"v.txt": "a"}, put("v.txt", "b")),
    "sh, by the environment": Case(
        'value = sh("echo $V_ONE")\n' + SHOW, "a", "b", env=A, then=B
    ),
    # the command line
    "NAME=value": Case(
        'value = "a"\n' + SHOW, "b", "c", words=("value=b",), then_words=("value=c",)
    ),
    "NAME=value taken away": Case('value = "a"\n' + SHOW, "b", "a", words=("value=b",), then_words=()),
    "-e": Case('V_ONE = "x"\nvalue = V_ONE\n' + SHOW, "x", "b", env=B, then_words=("-e",), then=B),
    "--eval": Case('value ?= "a"\n' + SHOW, "a", "b", then_words=('--eval=value = "b"',)),
    "-I": Case(
        "include v.pipe\n" + SHOW,
        "a",
        "b",
        {"one/v.pipe": 'value = "a"\n', "two/v.pipe": 'value = "b"\n'},
        words=("-Ione",),
        then_words=("-Itwo",),
    ),
    "file that appears in an earlier folder of -I": Case(
        "include v.pipe\n" + SHOW,
        "b",
        "a",
        {"one/x": "", "two/v.pipe": 'value = "b"\n'},
        put("one/v.pipe", 'value = "a"\n'),
        words=("-Ione", "-Itwo"),
    ),
    "-f": Case(
        'value = "a"\n' + SHOW, "a", "b", {"Other": 'value = "b"\n' + SHOW}, then_words=("-fOther",)
    ),
    # functions that are called late
    "environment in a placeholder": Case(
        python("import os", "def f():", '    return os.environ.get("V_ONE")')
        + "out.txt:\n    echo <f()> > <output>\n",
        "a",
        "b",
        env=A,
        then=B,
    ),
    "env in a placeholder": Case(
        python("def f():", '    return env("V_ONE")') + "out.txt:\n    echo <f()> > <output>\n",
        "a",
        "b",
        env=A,
        then=B,
    ),
    "file in a placeholder": Case(
        python("def f():", '    return open("v.txt").read()')
        + "out.txt:\n    echo <f()> > <output>\n",
        "a",
        "b",
        {"v.txt": "a"},
        put("v.txt", "b"),
    ),
    "folder in a placeholder": Case(
        python("import os", "def f():", '    return sorted(os.listdir("src"))')
        + "out.txt:\n    echo <f()> > <output>\n",
        "a.c b.c",
        "a.c b.c c.c",
        LISTED,
        put("src/c.c", ""),
    ),
    "sh in a placeholder": Case(
        python("def f():", '    return sh("cat v.txt")') + "out.txt:\n    echo <f()> > <output>\n",
        "a",
        "b",
        {"v.txt": "a"},
        put("v.txt", "b"),
    ),
    "glob in a placeholder": Case(
        python("def f():", '    return glob("src/*.c")') + "out.txt:\n    echo <f()> > <output>\n",
        "src/a.c src/b.c",
        "src/a.c src/b.c src/c.c",
        LISTED,
        put("src/c.c", ""),
    ),
    "module imported in a placeholder": Case(
        python("def f():", "    from helper import value", "    return value")
        + "out.txt:\n    echo <f()> > <output>\n",
        "a",
        "b",
        {"helper.py": 'value = "a"\n'},
        put("helper.py", 'value = "b"\n'),
    ),
    "environment in a prerequisite": Case(
        python("import os", "def f(_):", '    return os.environ["V_ONE"]')
        + "out.txt: <f(rule)>\n    cat <inputs> > <output>\n",
        "a",
        "b",
        {"a": "a", "b": "b"},
        env=A,
        then=B,
    ),
    "env in a prerequisite": Case(
        python("def f(_):", '    return env("V_ONE")')
        + "out.txt: <f(rule)>\n    cat <inputs> > <output>\n",
        "a",
        "b",
        {"a": "a", "b": "b"},
        env=A,
        then=B,
    ),
    "file in a prerequisite": Case(
        python("def f(_):", '    return open("v.txt").read().split()')
        + "out.txt: <f(rule)>\n    cat <inputs> > <output>\n",
        "a",
        "b",
        {"a": "a", "b": "b", "v.txt": "a"},
        put("v.txt", "b"),
    ),
    "folder in a prerequisite": Case(
        python(
            "import os", "def f(_):", '    return [f"src/{n}" for n in sorted(os.listdir("src"))]'
        )
        + "out.txt: <f(rule)>\n    cat <inputs> > <output>\n",
        "ab",
        "abc",
        {"src/a": "a", "src/b": "b"},
        put("src/c", "c"),
    ),
    "file in a prerequisite of a capture": Case(
        python("def f(one):", '    return open(f"{one}.list").read().split()')
        + "all: out.txt\n<one>.txt: <one>.list <f(one)>\n    cat <inputs[1]> > <output>\n",
        "a",
        "b",
        {"a": "a", "b": "b", "out.list": "a"},
        put("out.list", "b"),
    ),
    "file beside in a prerequisite of a capture": Case(
        python("def f(one):", '    return open(f"lists/{one}").read().split()')
        + "all: out.txt\n<one>.txt: <one>.in <f(one)>\n    cat <inputs[1]> > <output>\n",
        "a",
        "b",
        {"a": "a", "b": "b", "out.in": "", "lists/out": "a"},
        put("lists/out", "b"),
    ),
    "module imported in a recipe": Case(
        "out.txt:\n    python:\n        import helper\n        output.write_text(helper.value)\n",
        "a",
        "b",
        {"helper.py": 'value = "a"\n'},
        put("helper.py", 'value = "b"\n'),
    ),
    "module that a module imported in a recipe imports": Case(
        "out.txt:\n    python:\n        import helper\n        output.write_text(helper.value)\n",
        "a",
        "b",
        {"helper.py": "from inner import value\n", "inner.py": 'value = "a"\n'},
        put("inner.py", 'value = "b"\n'),
    ),
    "module that a function imports late": Case(
        python("def f():", "    from helper import value", "    return value")
        + "out.txt:\n    python:\n        output.write_text(f())\n",
        "a",
        "b",
        {"helper.py": 'value = "a"\n'},
        put("helper.py", 'value = "b"\n'),
    ),
}


def lay_out(folder: Path, case: Case) -> None:
    (folder / "Pipefile").write_text(case.text)
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_text(text)
            os.utime(path, ns=(10**9, 10**9))


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_seen(box: Sandbox, name: str) -> None:
    case = CASES[name]
    lay_out(box.folder, case)
    settle(box, *case.words, env=case.env)
    assert box.text("out.txt").strip() == case.before
    case.change(box.folder)
    words = case.words if case.then_words is None else case.then_words
    output = box.run(*words, env=dict(case.then or case.env))
    assert box.text("out.txt").strip() == case.after, output
    agrees(box, *words, env=case.then or case.env)
