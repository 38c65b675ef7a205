"""The package as users get it: wheel, source archive, editable; and what a start imports."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words: str, **options: object) -> str:
    done = subprocess.run(words, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A wheel (built from the source archive) and a source archive."""
    folder = tmp_path_factory.mktemp("dist")
    pytest.importorskip("build")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    [wheel] = folder.glob("*.whl")
    [source] = folder.glob("*.tar.gz")
    return {"wheel": wheel, "source": source}


def test_the_grammar_is_in_both_archives(archives: dict[str, Path]) -> None:
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        names = wheel.namelist()
    assert "pybuild/pipefile/pipefile.lark" in names
    assert "pybuild/py.typed" in names
    assert {f"pybuild/cli/completion.{shell}" for shell in ("bash", "zsh", "fish")} <= {*names}
    assert not [name for name in names if name.startswith(("tests/", "grammar/", "examples/"))]
    with tarfile.open(archives["source"]) as source:
        stripped = {name.partition("/")[2] for name in source.getnames()}
    assert {"grammar/pipefile.lark", "README.md", "LICENSE", "pyproject.toml"} <= stripped


def test_an_installed_wheel_parses_and_builds(archives: dict[str, Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        str(site),
        str(archives["wheel"]),
    )
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pipefile").write_text("b: a\n    cat a > b\n")
    (project / "a").write_text("1")
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = run(
        sys.executable,
        "-c",
        "import pybuild; print(pybuild.__file__)",
        cwd=project,
        env=environment,
    )
    assert str(site) in where
    run(str(site / "bin" / "pybuild"), cwd=project, env=environment)
    assert (project / "b").read_text() == "1"


def test_a_checkout_finds_its_grammar() -> None:
    from pybuild.pipefile.grammar import grammar_text

    assert grammar_text() == (ROOT / "grammar" / "pipefile.lark").read_text()


def test_both_ways_to_start_say_the_same(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("pybuild")
    assert run(str(script), "--version") == run(sys.executable, "-m", "pybuild", "--version")


def imported(words: list[str], **options: object) -> set[str]:
    """The modules that a start imports."""
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_the_script_starts_python_with_little_where_that_will_do(tmp_path: Path) -> None:
    """Also through a link, as pipx makes one."""
    script = tmp_path / "bin" / "pybuild"
    script.parent.mkdir()
    script.symlink_to(Path(sys.executable).with_name("pybuild"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pipefile").write_text("b: a\n    cat a > b\n")
    (project / "a").write_text("1")
    assert "site" in imported([str(script)], cwd=project)
    (project / "a").write_text("other")
    run(str(script), cwd=project)
    assert (project / "b").read_text() == "other"
    for _ in range(20):  # files as young as the last look at them are read again
        names = imported([str(script)], cwd=project)
        if "pybuild.project" not in names:
            break
    assert not names & {"site", "re", "typing", "pybuild.project"}, names


def test_the_script_finds_packages_that_lie_elsewhere(
    archives: dict[str, Path], tmp_path: Path
) -> None:
    """In a virtual environment that gets what pybuild needs through a `.pth` file."""
    import xxhash

    place = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", str(place))
    [packages] = place.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        for name in wheel.namelist():
            if name.startswith("pybuild/"):
                wheel.extract(name, packages)
            elif name.endswith("/scripts/pybuild"):
                script = place / "bin" / "pybuild"
                script.write_bytes(wheel.read(name))
                script.chmod(0o755)
    (packages / "more.pth").write_text(f"{Path(xxhash.__file__).parents[1]}\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pipefile").write_text("b: a\n    cat a > b\n")
    (project / "a").write_text("1")
    assert "1 ran" in run(str(script), cwd=project)
    assert "up to date" in run(str(script), cwd=project)


# What a build with nothing to do may import besides pybuild itself. Each of these is cheap; what is
# not here costs more than judging thousands of jobs.
ALLOWED = frozenset(
    """
    __future__ __main__ _abc _ast _bisect _codecs _collections _collections_abc _compat_pickle
    _frozen_importlib _frozen_importlib_external _functools _heapq _imp _io _operator _pickle
    _posixsubprocess _signal _sitebuiltins _sre _stat _struct _thread _typing _warnings _weakref abc
    array atexit bisect builtins codecs collections collections.abc contextlib copyreg encodings
    encodings.aliases encodings.utf_8 enum errno fcntl functools gc genericpath heapq importlib
    importlib._bootstrap importlib._bootstrap_external importlib.machinery io itertools
    keyword marshal operator os os.path pickle posix posixpath re re._casefix re._compiler
    re._constants re._parser reprlib select signal site stat struct sys sysconfig time types typing
    typing.io typing.re warnings weakref xxhash xxhash._xxhash xxhash.version zipimport
    """.split()
)


def test_a_start_with_nothing_to_do_imports_little(tmp_path: Path) -> None:
    (tmp_path / "Pipefile").write_text(
        'word = "x"\nall: <up>\nup: out/<n>: in/<n>.txt\n    echo <word> | cat - <input> > <output>\n'
    )
    (tmp_path / "in").mkdir()
    for number in range(10):
        (tmp_path / "in" / f"{number}.txt").write_text(str(number))
    run(sys.executable, "-m", "pybuild", "-s", cwd=tmp_path)
    code = (
        "import sys; before = set(sys.modules); from pybuild.cli.main import run; "
        "status = run([]); assert status == 0; "
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    )
    output = run(
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path[:0] = {[str(ROOT), *_packages()]!r}; {code}",
        cwd=tmp_path,
    )
    lines = output.splitlines()
    assert "up to date (10 jobs)" in lines[0]
    imported = {name for name in lines[1:] if name.partition(".")[0] != "pybuild"}
    assert imported <= ALLOWED, sorted(imported - ALLOWED)
    ours = {name for name in lines[1:] if name.partition(".")[0] == "pybuild"}
    assert not ours & {"pybuild.runners.local", "pybuild.report.flowchart", "pybuild.cli.listing"}


def _packages() -> list[str]:
    import xxhash

    return [str(Path(xxhash.__file__).parents[1])]


def test_a_mistake_in_python_leads_to_no_file_of_ours(tmp_path: Path) -> None:
    """Where the launcher starts pybuild, there is a `..` in the names of its files."""
    (tmp_path / "Pipefile").write_text("z = 1 / 0\n", encoding="utf-8")
    start = ROOT / "tests" / ".." / "pybuild" / "start.py"
    packages = next(path for path in sys.path if path.endswith("-packages"))
    done = subprocess.run(
        [sys.executable, "-S", str(start), packages, "pybuild", "--lint"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Pipefile:1:5: error: ZeroDivisionError" in done.stdout
    assert "raised in" not in done.stdout
