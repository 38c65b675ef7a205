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
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import Sandbox

FLAT = ".pybuild/flat"
SHOW = "out.txt:\n    echo <value> > <output>\n"
NO_ENV: Mapping[str, str] = {}


# Has imported pybuild, and forks for each start that is asked of it: ten times as fast as a start.
SERVER = """
import os, sys
import pybuild.cli.build, pybuild.pipefile.parse, pybuild.runners.local
from pybuild.cli.main import main
for line in sys.stdin:
    folder, words, environment, output = eval(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(1, 2)
        main(words)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class QuickBox(Sandbox):
    """A sandbox whose starts are forked."""

    def __init__(self, folder: Path, server: subprocess.Popen[str]) -> None:
        super().__init__(folder)
        self.server = server

    def run(self, *words: str, status: int = 0, env: dict[str, str] | None = None) -> str:
        output = self.folder.parent / f"{self.folder.name}.output"
        request = (str(self.folder), list(words), {**os.environ, **(env or {})}, str(output))
        assert self.server.stdin is not None and self.server.stdout is not None
        print(repr(request), file=self.server.stdin, flush=True)
        found = self.server.stdout.readline().strip()
        text = output.read_text()
        assert found == str(status), text
        return text


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


@pytest.fixture
def quick(tmp_path: Path, server: subprocess.Popen[str]) -> QuickBox:
    folder = tmp_path / "project"
    folder.mkdir()
    return QuickBox(folder, server)


def kept(box: Sandbox) -> list[str]:
    """The graphs that are kept."""
    return [name for name in box.names(f"{FLAT}/*") if not name.endswith(".since")]


def python(*lines: str) -> str:
    """A block of Python."""
    return "python:\n" + "".join(f"    {line}\n" for line in lines)


def settle(box: Sandbox, *words: str, env: Mapping[str, str] = NO_ENV) -> None:
    """Builds until nothing is left to do and no time is too young to prove anything."""
    box.run(*words, env=dict(env))
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
    "?=": Case('value ?= "none"\n' + SHOW, "none", "b", then={"value": "b"}),
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
        "include v.pipe\n" + SHOW,
        "a",
        "b",
        {"v.pipe": 'value = "a"\n'},
        put("v.pipe", 'value = "b"\n'),
    ),
    "-include of a file that appears": Case(
        'value = "a"\n-include v.pipe\n' + SHOW, "a", "b", change=put("v.pipe", 'value = "b"\n')
    ),
    "-include of a file that goes": Case(
        'value = "a"\n-include v.pipe\n' + SHOW,
        "b",
        "a",
        {"v.pipe": 'value = "b"\n'},
        drop("v.pipe"),
    ),
    "config": Case(
        'value = config("c.toml")["v"]\n' + SHOW,
        "a",
        "b",
        {"c.toml": 'v = "a"\n'},
        put("c.toml", 'v = "b"\n'),
    ),
    "config, json": Case(
        'value = config("c.json")["v"]\n' + SHOW,
        "a",
        "b",
        {"c.json": '{"v": "a"}'},
        put("c.json", '{"v": "b"}'),
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
        of_value('exec(open("v.py").read())'),
        "a",
        "b",
        {"v.py": 'value = "a"'},
        put("v.py", 'value = "b"'),
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
            "from glob import glob as files",
            'found = files("src/**/*.c", recursive=True)',
            SHOW_FOUND,
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
        ".x a.c b.c",
        ".x a.c b.c c.c",
        {**LISTED, "src/deep/deeper/.x": ""},
        put("src/deep/deeper/c.c", ""),
    ),
    "os.listdir of a folder that appears": Case(
        of_value(
            "try:", '    value = len(os.listdir("new"))', "except OSError:", '    value = "-"'
        ),
        "-",
        "1",
        change=put("new/x", ""),
    ),
    "glob of the Pipefile": Case(
        'value = glob("src/*.c")\n' + SHOW,
        "src/a.c src/b.c",
        "src/a.c src/b.c src/c.c",
        LISTED,
        put("src/c.c", ""),
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
        of_value('value = os.path.islink("link")'),
        "False",
        "True",
        {"one/x": ""},
        relink("link", "x"),
    ),
    "os.readlink of a link to nowhere": Case(
        of_value('value = os.readlink("link")'), "x", "y", {"link": "->x"}, relink("link", "y")
    ),
    # commands
    "sh": Case('value = sh("cat v.txt")\n' + SHOW, "a", "b", {"v.txt": "a"}, put("v.txt", "b")),
    "sh, by the environment": Case('value = sh("echo $V_ONE")\n' + SHOW, "a", "b", env=A, then=B),
    # the command line
    "NAME=value": Case(
        'value = "a"\n' + SHOW, "b", "c", words=("value=b",), then_words=("value=c",)
    ),
    "NAME=value taken away": Case(
        'value = "a"\n' + SHOW, "b", "a", words=("value=b",), then_words=()
    ),
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
def test_a_change_is_seen(quick: QuickBox, name: str) -> None:
    case = CASES[name]
    lay_out(quick.folder, case)
    settle(quick, *case.words, env=case.env)
    assert quick.text("out.txt").strip() == case.before
    case.change(quick.folder)
    words = case.words if case.then_words is None else case.then_words
    output = quick.run(*words, env=dict(case.then or case.env))
    assert quick.text("out.txt").strip() == case.after, output
    agrees(quick, *words, env=case.then or case.env)


# -- what cannot be known -----------------------------------------------------------------------

UNKNOWABLE = {
    "time.time": ("import time", "value = time.time()"),
    "from time import time": ("from time import time", "value = time()"),
    "a clock by another name": ("from time import time_ns as t", "value = t()"),
    "datetime.now": ("from datetime import datetime", "value = datetime.now().year"),
    "date.today": ("import datetime", "value = datetime.date.today().year"),
    "time.strftime": ("import time", 'value = time.strftime("%Y")'),
    "random": ("import random", "value = random.random()"),
    "randint": ("from random import randint", "value = randint(1, 9)"),
    "uuid": ("import uuid", "value = uuid.uuid4()"),
    "os.urandom": ("import os", "value = os.urandom(3).hex()"),
    "secrets": ("import secrets", "value = secrets.token_hex(3)"),
    "pid": ("import os", "value = os.getpid()"),
    "network": ("import socket", "value = socket.gethostname()"),
    "subprocess": ("import subprocess", 'value = subprocess.check_output(["echo", "a"]).decode()'),
    "os.system": ("import os", 'value = os.system("true")'),
    "os.popen": ("import os", 'value = os.popen("echo a").read()'),
    "run": ('value = run("echo a")',),
    "fork": ("import os", "pid = os.fork()", "pid or os._exit(0)", "value = os.waitpid(pid, 0)[1]"),
    "device": ('value = open("/dev/urandom", "rb").read(2).hex()',),
    "database": ("import sqlite3", 'value = sqlite3.connect(":memory:").total_changes'),
    "clock in executed text": ("import time", 'exec("value = time.time()")'),
    "clock as a default": (
        "import time",
        "from dataclasses import dataclass, field",
        "@dataclass",
        "class D:",
        "    at: float = field(default_factory=time.time)",
        "value = D().at",
    ),
    "clock in a thread": (
        "import threading, time",
        "found = []",
        "each = threading.Thread(target=lambda: found.append(time.time()))",
        "each.start()",
        "each.join()",
        "value = found[0]",
    ),
    "other working folder": (
        "import os",
        'os.chdir("d")',
        'value = open("v.txt").read()',
        'os.chdir("..")',
    ),
}


@pytest.mark.parametrize("name", UNKNOWABLE)
def test_what_cannot_be_known_is_not_kept(quick: QuickBox, name: str) -> None:
    quick.put("d/v.txt", "a")
    quick.write(Pipefile=python(*UNKNOWABLE[name]) + "out.txt:\n    echo a > <output>\n")
    output = quick.run("--explain")
    assert not kept(quick)
    assert "the graph is not kept for the next start: " in output, output
    quick.runs_nothing()
    assert not kept(quick)


def test_a_clock_in_a_module_of_the_project(quick: QuickBox) -> None:
    quick.put("helper.py", "import time\nvalue = time.time()\n")
    quick.write(Pipefile=python("import helper") + "out.txt:\n    echo a > <output>\n")
    quick.run()
    assert not kept(quick)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_clock_in_a_module_from_elsewhere(
    box: Sandbox, tmp_path_factory: pytest.TempPathFactory, compiled: bool
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "outside.py").write_text("import time\ndef f():\n    return time.time()\n")
    env = {"PYTHONPATH": f"{elsewhere}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    if compiled:
        subprocess.run([sys.executable, "-m", "compileall", "-q", elsewhere], check=True)
    box.write(
        Pipefile=python("import outside", "v = outside.f()") + "out.txt:\n    echo a > <output>\n"
    )
    box.run(env=env)
    assert not kept(box)


@pytest.mark.parametrize(
    "rule",
    ["out.txt:\n    echo <f()> > <output>\n", "out.txt: <f(rule)>\n    cat <inputs> > <output>\n"],
)
def test_a_clock_that_is_asked_late(quick: QuickBox, rule: str) -> None:
    quick.put("1", "a")
    quick.write(
        Pipefile=python("import time", "def f(*_):", "    return str(min(1, int(time.time())))")
        + rule
    )
    quick.run()
    assert not kept(quick)


def test_clocks_in_recipes_do_not_matter(quick: QuickBox) -> None:
    quick.write(
        Pipefile=python("import time", "def now():", "    return str(time.time())")
        + "out.txt:\n    python:\n        output.write_text(now())\n"
    )
    settle(quick)
    assert kept(quick)


def test_a_pipefile_from_a_pipe(box: Sandbox) -> None:
    for value in "aab":
        subprocess.run(
            [sys.executable, "-m", "pybuild", "-f", "/dev/stdin"],
            cwd=box.folder,
            input=f'value = "{value}"\n{SHOW}'.encode(),
            check=True,
        )
        assert box.text("out.txt") == f"{value}\n"


def test_a_file_of_the_system_that_has_no_size(box: Sandbox) -> None:
    """Those of /proc are made when they are read; their times say nothing."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("no /proc here")
    box.write(
        Pipefile=of_value(
            'text = open("/proc/self/environ").read()',
            'value = "".join(each for each in text.split("\\0") if each.startswith("V_ONE"))',
        )
    )
    settle(box, env=A)
    box.run(env=B)
    assert box.text("out.txt") == "V_ONE=b\n"


# -- other versions and places -------------------------------------------------------------------

COPY = "out/<name>.o: src/<name>.c\n    cp <input> <output>\n"


def copies(box: Sandbox, number: int = 3, text: str = COPY) -> Sandbox:
    """A project that copies some files."""
    box.write(Pipefile=text)
    for each in range(number):
        box.put(f"src/{each}.c", f"{each}\n")
    return box


def call(box: Sandbox, code: str, *words: str) -> str:
    """Runs pybuild in a process that does something before."""
    text = f"import sys\n{code}\nfrom pybuild.cli.main import main\nmain({list(words)!r})"
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=box.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# Says which of its modules were there at the end.
TELL = """
import os
end = os._exit
def tell(status):
    loaded = " ".join(sorted(name for name in sys.modules if name.startswith("pybuild.")))
    sys.stdout.write("LOADED " + loaded + "\\n")
    sys.stdout.flush()
    end(status)
os._exit = tell
"""


def loaded(box: Sandbox, code: str = "", *words: str) -> set[str]:
    """The modules of pybuild that a start has imported."""
    output = call(box, code + TELL, *words)
    assert "up to date (" in output, output
    return set(output.rpartition("LOADED ")[2].split())


def test_a_dry_run_and_an_explanation_of_nothing_are_what_they_would_be(box: Sandbox) -> None:
    """What a start says without reading the Pipefile is what it says after reading it."""
    settle(copies(box))
    starts = [("-n",), ("-n", "-k", "-j2"), ("-n", "-q"), ("--explain",), ("--explain", "-n")]
    short = [box.run(*words) for words in starts]
    for words, text in zip(starts, short, strict=True):
        shutil.rmtree(box.folder / ".pybuild/flat")
        assert box.run(*words) == text
        settle(box)
    box.put("src/1.c", "other\n")
    assert "2 up to date" in box.run("-n")
    assert "src/1.c" in box.run("--explain")


def test_the_usual_start_is_short(box: Sandbox) -> None:
    settle(copies(box))
    assert loaded(box) <= {
        "pybuild.cli",
        "pybuild.cli.main",
        "pybuild.cli.short",
        "pybuild.cli.streams",
        "pybuild.content",
        "pybuild.engine",
        "pybuild.engine.flat",
        "pybuild.engine.key",
        "pybuild.kinds",
        "pybuild.report",
        "pybuild.report.brief",
        "pybuild.seen",
    }


@pytest.mark.parametrize(
    "code",
    ["import pybuild; pybuild.__version__ += '.x'", "sys.version += ' x'"],
    ids=["pybuild", "Python"],
)
def test_another_version(box: Sandbox, code: str) -> None:
    settle(copies(box))
    assert "pybuild.pipefile.load" in loaded(box, code)
    box.runs_nothing()
    assert "pybuild.pipefile.load" not in loaded(box)


def test_another_python_path(box: Sandbox) -> None:
    settle(copies(box))
    before = kept(box)
    box.runs_nothing()
    here = os.environ.get("PYTHONPATH", "")
    box.run(env={"PYTHONPATH": f"{here}{os.pathsep}{box.folder}/lib"})
    assert len(kept(box)) == len(before) + 1


def test_another_python_path_with_another_module(box: Sandbox) -> None:
    box.write(Pipefile=of_value("from outside import value"))
    here = os.environ.get("PYTHONPATH", "")
    for value in "ab":
        box.put(f"{value}/outside.py", f'value = "{value}"\n')
        settle(box, env={"PYTHONPATH": f"{value}{os.pathsep}{here}"})
        assert box.text("out.txt") == f"{value}\n"


@pytest.mark.parametrize("copied", [False, True])
def test_a_project_that_moves(tmp_path: Path, copied: bool) -> None:
    here = Sandbox(tmp_path / "here")
    here.folder.mkdir()
    where = (
        python("import os", "value = os.getcwd()") + "out.txt: s.txt\n    echo <value> > <output>\n"
    )
    here.write(Pipefile=where, s_txt="")
    here.put("s.txt", "")
    settle(here)
    there = Sandbox(tmp_path / "there")
    if copied:
        shutil.copytree(here.folder, there.folder, symlinks=True)
    else:
        here.folder.rename(there.folder)
    assert there.ran() == 1
    assert there.text("out.txt").strip() == str(there.folder)
    agrees(there)


def test_projects_that_change_places(tmp_path: Path) -> None:
    one, two = Sandbox(tmp_path / "one"), Sandbox(tmp_path / "two")
    for each, text in ((one, "a"), (two, "b")):
        each.folder.mkdir()
        each.write(Pipefile="out.txt: s.txt\n    cp <input> <output>\n")
        each.put("s.txt", text)
        settle(each)
    one.folder.rename(tmp_path / "aside")
    two.folder.rename(one.folder)
    (tmp_path / "aside").rename(two.folder)
    for each, text in ((one, "b"), (two, "a")):
        each.run()
        assert each.text("out.txt") == text
        agrees(each)


# -- files that are damaged, and disks that are full ---------------------------------------------


def sections_of(data: bytes) -> dict[str, tuple[int, int]]:
    """Where the sections of a kept graph stand in its file: first byte and the one behind."""
    import marshal

    from pybuild.engine.flat import MAGIC

    start = len(MAGIC) + 12
    size = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "little")
    head = marshal.loads(data[start : start + size])
    places = {"magic": (0, len(MAGIC)), "size": (len(MAGIC), start - 8)}
    places |= {"check": (start - 8, start), "head": (start, start + size)}
    for name, (offset, length, _) in head["sections"].items():
        if length:
            places[name] = (start + size + offset, start + size + offset + length)
    return places


WITH_ALL = """\
all: <objects> late.txt
@depfile("out/<name>.d")
objects: out/<name>.o: src/<name>.c | lib/k.h
    cp <input> <output>
    echo "<output>: lib/h.h" > out/<name>.d
late.txt: lib/h.h
    test -e lib/fine && cp <input> <output>
"""


def test_damaged_files_are_ignored(quick: QuickBox) -> None:
    """Each section in turn: a start with nothing to do and one with an edited source."""
    copies(quick, 3, WITH_ALL)
    quick.put("lib/k.h", "k\n")
    quick.put("lib/h.h", "h\n")
    quick.run("-k", status=2)
    quick.run("-k", status=2)
    path = quick.folder / kept(quick)[0]
    whole = path.read_bytes()
    places = sections_of(whole)
    assert {"names", "digests", "discovered", "order_only", "odd", "head"} <= places.keys()
    before = whole.find(b"lib/h.h")
    assert before > 0
    for name, (start, end) in places.items():
        damaged = bytearray(whole)
        damaged[(start + end) // 2] ^= 0xFF
        path.write_bytes(damaged)
        output = quick.run("-n", "-k", status=0)
        assert "1 would run, 3 up to date" in output, f"{name}: {output}"
    for size in (0, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        output = quick.run("-n", "-k")
        assert "1 would run, 3 up to date" in output, f"{size}: {output}"


@pytest.mark.parametrize("kind", ["folder", "foreign", "link to nowhere", "another's"])
def test_what_stands_in_its_place(quick: QuickBox, kind: str) -> None:
    settle(copies(quick))
    path = quick.folder / kept(quick)[0]
    data = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "foreign":
        path.write_bytes(b"something else\n" * 100)
    elif kind == "link to nowhere":
        path.symlink_to("nowhere")
    else:
        quick.run("X=1")
        os.replace(quick.folder / kept(quick)[0], path)
        assert path.read_bytes() != data
    quick.runs_nothing()
    quick.put("src/1.c", "edited\n")
    assert quick.ran() == 1
    agrees(quick)


@pytest.mark.parametrize("kind", ["file", "folder in a file"])
def test_where_nothing_can_be_kept(quick: QuickBox, kind: str) -> None:
    copies(quick)
    quick.put(FLAT if kind == "file" else f"{FLAT}/x/y", "in the way")
    assert quick.ran() == 3
    quick.runs_nothing()
    quick.put("src/1.c", "edited\n")
    assert quick.ran() == 1
    agrees_all = quick.run()
    assert "up to date (" in agrees_all


FULL = """\
import resource
def limited(writes):
    def write(*arguments, **named):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        writes(*arguments, **named)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    return write
import pybuild.kept as kept
from pybuild.engine.flat import Flat
kept.write = limited(kept.write)
Flat.write_since = limited(Flat.write_since)
"""
"""The journal has room, and the graph has not."""


def test_a_disk_that_is_full(box: Sandbox) -> None:
    copies(box, 40)
    settle(box)
    box.put("src/40.c", "one more\n")
    assert "1 ran" in call(box, FULL)
    assert not box.names(f"{FLAT}/*"), "nothing half written stays"
    box.runs_nothing()
    assert kept(box)


def test_a_disk_that_is_full_after_an_edit(box: Sandbox) -> None:
    copies(box, 40)
    settle(box)
    before = box.names(f"{FLAT}/*")
    box.put("src/1.c", "edited\n")
    assert "1 ran" in call(box, FULL)
    assert box.names(f"{FLAT}/*") == before, "nothing half written stays"
    box.runs_nothing()


def test_changes_beside_a_graph(quick: QuickBox) -> None:
    """What a build of a part has changed is written beside the graph, and is damaged, lost or left
    over from an older graph without harm."""
    copies(quick, 20)
    settle(quick)
    (graph,) = kept(quick)
    since = quick.folder / f"{graph}.since"
    bytes_before = (quick.folder / graph).read_bytes()
    quick.put("src/1.c", "edited\n")
    assert quick.ran() == 1
    assert (quick.folder / graph).read_bytes() == bytes_before
    quick.runs_nothing()
    first = since.read_bytes()
    quick.put("src/2.c", "edited\n")
    assert quick.ran() == 1
    for damage in (first, b"", first[:-1], b"x" * len(first)):
        since.write_bytes(damage)
        quick.runs_nothing()
        quick.put("src/3.c", f"{damage!r}\n")
        assert quick.ran() == 1
        quick.runs_nothing()
    since.unlink()
    quick.runs_nothing()
    quick.put("src/new.c", "one more\n")
    assert quick.ran() == 1
    assert not since.exists()
    since.write_bytes(first)
    quick.runs_nothing()
    agrees(quick)


def test_a_source_that_is_missing_stays_an_error(box: Sandbox) -> None:
    """What keeps a job from being planned is told at each start, and its recipe never runs."""
    box.write(
        Pipefile="all: a.txt b.txt\n"
        "a.txt: a.in\n    cp <input> <output>\n"
        "b.txt: b.in\n    touch b.ran; cp <input> <output>\n"
    )
    box.write(**{"a.in": "a\n", "b.in": "b\n"})
    settle(box)
    for name in ("b.in", "b.ran"):
        (box.folder / name).unlink()
    for _ in range(3):
        assert "PB305" in box.run("-k", status=2)
        assert "PB305" in box.run("-k", "-q", status=2)
        assert not box.names("b.ran")
    box.put("b.in", "back\n")
    box.run()
    assert box.names("b.ran")


# -- command lines, goals and the journal ---------------------------------------------------------

TWO = """\
value = "a"
all: one.txt two.txt
shared.txt: s.txt
    echo <value> > <output>; cat <input> >> <output>
one.txt: shared.txt
    cp <input> <output>
two.txt: shared.txt t.txt
    cat <inputs> > <output>
"""


def two(box: Sandbox) -> Sandbox:
    box.write(Pipefile=TWO)
    box.put("s.txt", "s\n")
    box.put("t.txt", "t\n")
    return box


def test_two_command_lines_are_kept_side_by_side(quick: QuickBox) -> None:
    two(quick)
    settle(quick, "one.txt")
    settle(quick, "two.txt")
    assert len(kept(quick)) == 2
    quick.put("s.txt", "edited\n")
    assert quick.ran("one.txt") == 2
    assert quick.ran("two.txt") == 1
    assert quick.text("two.txt") == "a\nedited\nt\n"
    quick.runs_nothing("one.txt")
    assert len(kept(quick)) == 2
    agrees(quick, "one.txt")
    agrees(quick, "two.txt")


def test_only_the_last_few_command_lines_are_kept(quick: QuickBox) -> None:
    two(quick)
    for number in range(12):
        quick.run(f"X={number}")
    assert len(kept(quick)) <= 9
    for number in range(12):
        quick.runs_nothing(f"X={number}")


def test_values_that_alternate(quick: QuickBox) -> None:
    two(quick)
    for _ in range(2):
        for value in ("a", "b"):
            quick.run(f"value={value}")
            assert quick.text("two.txt") == f"{value}\ns\nt\n"
            quick.runs_nothing(f"value={value}")
    agrees(quick, "value=b")


def test_a_job_that_another_goal_has_left_failed(quick: QuickBox) -> None:
    """Its files are as they were; it has to run again all the same."""
    two(quick)
    settle(quick)
    text = TWO.replace("cp <input> <output>", "cp <input> <output>; test ! -e bad")
    quick.write(Pipefile=text)
    settle(quick)
    before = os.stat(quick.folder / "one.txt")
    quick.put("bad", "")
    quick.run("--force", "one.txt", "one.txt", status=2)
    os.utime(quick.folder / "one.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    (quick.folder / "bad").unlink()
    assert quick.ran() == 1
    agrees(quick)


@pytest.mark.parametrize("name", ["grouped", "named"])
def test_a_failed_job_with_a_name(quick: QuickBox, name: str) -> None:
    rule = {"grouped": "pair: a.txt b.txt &: s.txt", "named": "a: a.txt: s.txt"}[name]
    quick.write(
        Pipefile=f"all: a.txt\n{rule}\n    touch a.txt b.txt; test ! -e bad\nother: s.txt\n    cp <input> other\n"
    )
    quick.put("s.txt", "s\n")
    settle(quick)
    times = {each: os.stat(quick.folder / each) for each in ("a.txt", "b.txt")}
    quick.put("bad", "")
    quick.run("--force", "a.txt", "a.txt", status=2)
    for each, look in times.items():
        os.utime(quick.folder / each, ns=(look.st_atime_ns, look.st_mtime_ns))
    (quick.folder / "bad").unlink()
    assert quick.ran() == 1
    agrees(quick)


def test_a_file_that_another_value_makes_is_no_source(quick: QuickBox) -> None:
    """With `name=gen` a rule makes `src/gen.txt`, which was a source before: then it is none for
    others either."""
    quick.write(
        Pipefile='name = "x"\nall: sum.txt\nsum.txt: src/*.txt\n    cat <inputs> > <output>\n'
        "src/<name>.txt: s\n    cat s > <output>\n"
    )
    quick.put("s", "a\n")
    quick.put("src/gen.txt", "by hand\n")
    settle(quick)
    assert quick.text("sum.txt") == "by hand\na\n"
    quick.run("name=gen", "src/gen.txt")
    quick.run()
    agrees(quick)
    assert quick.text("sum.txt") == "a\n"


def grow(path: Path) -> None:
    """Records that say nothing about this graph."""
    from pybuild.engine.traces import Journal, Trace

    journal = Journal(str(path))
    trace = Trace(b"", b"", b"", (), b"", (), b"", ("else.txt",), bytes(16), 0, 0.0)
    journal.finish("else.txt", trace, {}, {})
    journal.close()


JOURNALS: dict[str, Callable[[Path], object]] = {
    "grown": grow,
    "emptied": lambda path: os.truncate(path, 0),
    "cut": lambda path: os.truncate(path, path.stat().st_size - 5),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "gone": lambda path: path.unlink(),
    "copied": lambda path: (shutil.copy(path, f"{path}.x"), os.replace(f"{path}.x", path)),
    "with rubbish behind": lambda path: path.write_bytes(path.read_bytes() + b"rubbish"),
    "foreign": lambda path: path.write_bytes(b"x" * (path.stat().st_size + 100)),
}


@pytest.mark.parametrize("name", JOURNALS)
def test_the_journal_has_changed(quick: QuickBox, name: str) -> None:
    settle(copies(quick))
    JOURNALS[name](quick.folder / ".pybuild/journal")
    quick.put("src/1.c", "edited\n")
    quick.run()
    assert [quick.text(f"out/{each}.o") for each in range(3)] == ["0\n", "edited\n", "2\n"]
    quick.runs_nothing()
    agrees(quick)


def test_a_journal_that_was_made_short(box: Sandbox) -> None:
    """After many edits the journal is written anew; the graph of another goal is older."""
    two(box)
    settle(box, "one.txt")
    inode = (box.folder / ".pybuild/journal").stat().st_ino
    for number in range(240):
        if (box.folder / ".pybuild/journal").stat().st_ino != inode:
            break
        box.put("t.txt", f"{number}\n")
        shutil.rmtree(box.folder / FLAT) if number % 20 == 0 and number else None
        from pybuild.engine.traces import Journal

        journal = Journal(str(box.folder / ".pybuild/journal"))
        for _ in range(60):
            journal.start("x")
            journal.forget("x")
        journal.close()
    assert (box.folder / ".pybuild/journal").stat().st_ino != inode
    box.put("s.txt", "edited\n")
    assert box.ran("one.txt") == 2
    agrees(box, "one.txt")


def test_a_journal_that_is_made_short_after_the_first_look(box: Sandbox) -> None:
    """Another build ends between the look at the journal and the lock."""
    settle(copies(box))
    box.put("src/1.c", "edited\n")
    code = (
        "import pybuild.cli.short as short, os\n"
        "look = short.look\n"
        "def late(words):\n"
        "    found = look(words)\n"
        "    from pybuild.engine.traces import HEADER\n"
        "    open('.pybuild/new', 'wb').write(HEADER)\n"
        "    os.replace('.pybuild/new', '.pybuild/journal')\n"
        "    return found\n"
        "short.look = late\n"
    )
    assert "ran" in call(box, code)
    assert "is damaged" not in box.run()
    agrees(box)


# -- what only the build tells --------------------------------------------------------------------


def test_a_split_that_nobody_reads(quick: QuickBox) -> None:
    quick.write(
        Pipefile="split parts: d/*.part: s.txt\n    cp s.txt d/one.part; cp s.txt d/two.part\n"
    )
    quick.put("s.txt", "s\n")
    settle(quick, "parts")
    quick.put("d/one.part", "by hand\n")
    assert quick.ran("parts") == 1
    assert quick.text("d/one.part") == "s\n"
    agrees(quick, "parts")
    settle(quick, "parts")
    (quick.folder / "d/two.part").unlink()
    assert quick.ran("parts") == 1
    agrees(quick, "parts")


def test_a_side_file_in_a_folder_that_a_split_fills(quick: QuickBox) -> None:
    """A file that a recipe writes beside its output is a source in the next build."""
    quick.write(
        Pipefile="all: <parts> sum.txt side.o\n"
        "split parts: d/*.part: s.txt side.o\n    cp s.txt d/one.part\n"
        "sum.txt: d/*.inc\n    cat <inputs> > <output>\n"
        "side.o: s.txt\n    cp s.txt side.o; cp s.txt d/side.inc\n"
    )
    quick.put("s.txt", "s\n")
    quick.put("d/first.inc", "first\n")
    quick.run()
    quick.run()
    assert quick.text("sum.txt") == "first\ns\n"
    agrees(quick)


def test_a_side_file_in_a_new_folder_below_a_deep_glob(quick: QuickBox) -> None:
    quick.write(
        Pipefile="all: sum.txt d/x.o\nsum.txt: src/**/*.inc\n    cat <inputs> > <output>\n"
        "d/x.o: s.txt\n    mkdir -p src/new; cp s.txt d/x.o; cp s.txt src/new/side.inc\n"
    )
    quick.put("s.txt", "s\n")
    quick.put("src/first.inc", "first\n")
    quick.run()
    quick.run()
    assert quick.text("sum.txt") == "first\ns\n"
    agrees(quick)


def test_a_file_in_a_new_folder_below_a_deep_glob(quick: QuickBox) -> None:
    """The folder was not there when the Pipefile was read: a job has made it."""
    quick.write(
        Pipefile="all: sum.txt src/d/x.o\nsum.txt: src/**/*.inc\n    cat <inputs> > <output>\n"
        "src/d/x.o: s.txt\n    cp s.txt <output>\n"
    )
    quick.put("s.txt", "s\n")
    quick.put("src/first.inc", "first\n")
    settle(quick)
    quick.put("src/d/new.inc", "new\n")
    assert quick.ran() == 1
    assert quick.text("sum.txt") == "new\nfirst\n"
    agrees(quick)


def test_a_folder_that_python_has_listed_and_a_build_fills(quick: QuickBox) -> None:
    quick.put("out/stay", "")
    quick.put("s/a.c", "")
    quick.write(
        Pipefile=python("import os", 'value = len(os.listdir("out"))')
        + "all: count.txt <objects>\ncount.txt:\n    echo <value> > <output>\n"
        "objects: out/<name>.o: s/<name>.c\n    cp <input> <output>\n"
        "sum.txt: out/*.o\n    cat <inputs> > <output>\n"
    )
    quick.run()
    assert quick.text("count.txt") == "1\n"
    quick.run()
    assert quick.text("count.txt") == "2\n"
    agrees(quick)


def test_a_file_that_another_recipe_makes_along_the_way(quick: QuickBox) -> None:
    """`b.txt` has a prerequisite and no recipe."""
    quick.write(
        Pipefile="all: k.txt\nk.txt: b.txt\n    cp b.txt k.txt\nb.txt: a.txt\n"
        "a.txt: s.txt\n    cp s.txt a.txt; cp s.txt b.txt\n"
    )
    quick.put("s.txt", "s\n")
    quick.put("b.txt", "")
    settle(quick)
    quick.put("s.txt", "edited\n")
    quick.run()
    assert quick.text("k.txt") == "edited\n"
    agrees(quick)


def test_a_header_that_is_found_late(quick: QuickBox) -> None:
    copies(quick, 3, WITH_ALL)
    for name in ("k.h", "h.h", "fine"):
        quick.put(f"lib/{name}", "1\n")
    settle(quick)
    quick.put("lib/k.h", "order only\n")
    quick.runs_nothing()
    quick.put("lib/h.h", "2\n")
    assert quick.ran() == 4
    (quick.folder / "lib/h.h").rename(quick.folder / "lib/g.h")
    quick.put("Pipefile", WITH_ALL.replace("lib/h.h", "lib/g.h"))
    assert quick.ran() == 4
    quick.runs_nothing()
    agrees(quick)


@pytest.mark.parametrize("option", ["-j0", "-j00", "-j"])
def test_a_wrong_number_of_jobs(quick: QuickBox, option: str) -> None:
    settle(copies(quick))
    output = quick.run(option, status=0 if option == "-j" else 2)
    assert ("up to date (" in output) == (option == "-j")


@pytest.mark.parametrize("words", [(), ("-q",), ("-s",), ("-k", "-j8"), ("out/1.o",)])
def test_both_ways_say_the_same(quick: QuickBox, words: tuple[str, ...]) -> None:
    copies(quick)
    settle(quick, *words[:1] if words == ("out/1.o",) else ())
    assert kept(quick)
    short = quick.run(*words)
    shutil.rmtree(quick.folder / FLAT)
    assert short == quick.run(*words)


# -- that it is used ------------------------------------------------------------------------------


def traced(box: Sandbox, calls: str, *words: str) -> list[str]:
    """The system calls of a start, as strace tells them."""
    if shutil.which("strace") is None:
        pytest.skip("no strace here")
    log = box.folder.parent / f"{box.folder.name}.strace"
    done = subprocess.run(
        [
            "strace",
            "-f",
            "-o",
            log,
            "-e",
            f"trace={calls}",
            sys.executable,
            "-m",
            "pybuild",
            *words,
        ],
        cwd=box.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if "ptrace" in done.stdout:
        pytest.skip("strace is not permitted here")
    assert done.returncode == 0 and "up to date (" in done.stdout, done.stdout
    return log.read_text().splitlines()


def test_a_start_with_nothing_to_do_looks_at_each_file_once(box: Sandbox) -> None:
    copies(box, 20)
    settle(box)
    lines = traced(box, "openat,open,stat,newfstatat,lstat,statx,execve")
    opened = [line for line in lines if "open" in line]
    for name in ("src/", "out/", "Pipefile", "journal"):
        assert not any(f'"{name}' in line for line in opened), name
    for number in range(20):
        for name in (f"src/{number}.c", f"out/{number}.o"):
            looks = [line for line in lines if f'"{name}"' in line]
            assert len(looks) == 1, looks
    assert sum('"Pipefile"' in line for line in lines) == 1
    assert sum("execve(" in line for line in lines) == 1


def test_one_edit_among_many_jobs(box: Sandbox) -> None:
    """Only the stale job comes back."""
    copies(box, 200)
    settle(box)
    (before,) = kept(box)
    box.put("src/77.c", "edited\n")
    code = (
        "import pybuild.pipefile.instantiate as whole\n"
        "whole.Instantiation.flow = None\n"
        "import pybuild.pipefile.revive as revive\n"
        "add = revive.Revived.add\n"
        "made = []\n"
        "def counted(*arguments):\n"
        "    made.append(1)\n"
        "    assert len(made) == 1\n"
        "    return add(*arguments)\n"
        "revive.Revived.add = counted\n"
    )
    output = call(box, code)
    assert "1 ran, 199 up to date" in output, output
    assert kept(box) == [before]
    box.runs_nothing()
    assert "pybuild.pipefile.load" not in loaded(box)
    agrees(box)


def test_what_waits_for_a_job_that_fails_counts_as_not_made(quick: QuickBox) -> None:
    """Also if it is up to date, and only waits: what is behind it is left out with it."""
    text = (
        "all: c.txt\n"
        "first: a.txt: a.in\n    cp a.in a.txt; ! grep -q bad a.in\n"
        "middle: b.txt: b.in | a.txt\n    cp b.in b.txt\n"
        "last: c.txt: b.txt c.in\n    cat b.txt c.in > c.txt\n"
    )
    quick.write(Pipefile=text)
    for name in ("a.in", "b.in", "c.in"):
        quick.put(name, name)
    settle(quick)
    quick.put("a.in", "bad")
    quick.put("c.in", "new")
    for _ in range(2):
        told = quick.run("-k", status=2)
        assert "0 ran, 0 up to date, 1 failed, 2 skipped" in told, told
        assert (quick.folder / "c.txt").read_text() == "b.inc.in"
    quick.put("a.in", "good")
    quick.run()
    assert (quick.folder / "c.txt").read_text() == "b.innew"
