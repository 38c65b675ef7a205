"""`--format`: which files it takes, what it writes and prints, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Place

UNTIDY = "a :b\n\tcp  b a\n"
TIDY = "a: b\n    cp  b a\n"


def piped(place: Place, text: bytes, *words: str, status: int = 0) -> bytes:
    """What `--format -` prints when it is given a text."""
    command = [sys.executable, "-m", "pybuild", "--format", "-", *words]
    done = subprocess.run(command, cwd=place.folder, input=text, capture_output=True, timeout=120)
    assert done.returncode == status, done.stderr
    return done.stdout


def test_pipefiles_below_the_folder_are_formatted(place: Place) -> None:
    for name in ("Pipefile", "rules/b.pipe", "deep/er/Pipefile", ".hidden/Pipefile", "c.txt"):
        place.write(name, UNTIDY)
    place.write("env/pyvenv.cfg")
    place.write("env/lib/Pipefile", UNTIDY)
    done = place.run("--format")
    assert done.stdout.splitlines() == [
        "pybuild: Pipefile formatted",
        "pybuild: deep/er/Pipefile formatted",
        "pybuild: rules/b.pipe formatted",
        "pybuild: 3 files formatted",
    ]
    formatted = {path for path in place.files() if (place.folder / path).read_text() == TIDY}
    assert formatted == {"Pipefile", "rules/b.pipe", "deep/er/Pipefile"}
    assert place.run("--format").stdout == "pybuild: 3 files as it should be\n"
    assert place.state() == []


def test_a_file_that_is_named_counts_whatever_its_name(place: Place) -> None:
    place.put(**{"rules.txt": UNTIDY, "Pipefile": UNTIDY})
    place.run("--format", "rules.txt")
    assert (place.folder / "rules.txt").read_text() == TIDY
    place.run("-f", "Pipefile", "--format")
    assert (place.folder / "Pipefile").read_text() == TIDY


def test_check_and_diff_write_nothing(place: Place) -> None:
    place.put(Pipefile=UNTIDY)
    done = place.run("--format", "--check", status=1)
    assert "Pipefile would change" in done.stdout
    done = place.run("--format", "--diff")
    assert done.stdout == (
        "--- Pipefile\n+++ Pipefile (formatted)\n"
        "@@ -1,2 +1,2 @@\n-a :b\n-\tcp  b a\n+a: b\n+    cp  b a\n"
    )
    assert "1 file would change" in done.stderr
    assert place.run("--format", "--check", "--diff", status=1).stdout == done.stdout
    assert (place.folder / "Pipefile").read_text() == UNTIDY
    place.put(Pipefile=TIDY)
    assert place.run("--format", "--diff", "--check").stdout == ""


def test_a_difference_can_be_applied(place: Place) -> None:
    place.put(Pipefile="a :b")
    patch = place.run("--format", "--diff", "Pipefile").stdout
    subprocess.run(["patch", "-s"], input=patch, text=True, cwd=place.folder, check=True)
    assert (place.folder / "Pipefile").read_text() == "a: b\n"


def test_what_is_formatted_is_not_written(place: Place) -> None:
    place.put(Pipefile=TIDY)
    path = place.folder / "Pipefile"
    before = path.stat()
    place.run("--format")
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_mode_and_link_stay(place: Place) -> None:
    place.write("real/rules.pipe", UNTIDY)
    real, link = place.folder / "real" / "rules.pipe", place.folder / "Pipefile"
    real.chmod(0o640)
    link.symlink_to("real/rules.pipe")
    place.run("--format", "Pipefile")
    assert link.is_symlink()
    assert real.read_text() == TIDY
    assert real.stat().st_mode & 0o777 == 0o640
    assert place.files() == ["Pipefile", "real/rules.pipe"]


def test_ends_of_lines_and_byte_order_mark_stay(place: Place) -> None:
    text = b"\xef\xbb\xbf" + UNTIDY.replace("\n", "\r\n").encode()
    assert piped(place, text) == b"\xef\xbb\xbf" + TIDY.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "text",
    [
        "x = [\na :b\n",
        "@env(\na :b\n",
        "@env(1 +)\na :b\n",
        "a b\nc :d\n",
        "  x\na :b\n",
        "python:\na :b\n",
    ],
)
def test_a_file_with_mistakes_is_left_alone(place: Place, text: str) -> None:
    place.put(Pipefile=text)
    assert "Pipefile:1:" in place.run("--format", status=2).stderr
    assert (place.folder / "Pipefile").read_text() == text


def test_mistakes_are_told_and_the_others_formatted(place: Place) -> None:
    place.put(Pipefile="d e\na :b\n", **{"b.pipe": UNTIDY})
    (place.folder / "c.pipe").write_bytes(b"a: \xff\n")
    done = place.run("--format", status=2)
    assert "Pipefile:1:3: error: " in done.stderr
    assert "`c.pipe` is not UTF-8" in done.stderr
    assert "1 file formatted, 2 files left alone, with mistakes" in done.stdout
    assert (place.folder / "Pipefile").read_text() == "d e\na :b\n"
    assert (place.folder / "b.pipe").read_text() == TIDY
    assert place.run("--format", "--check", status=2).stdout


def test_standard_input(place: Place) -> None:
    assert piped(place, UNTIDY.encode()) == TIDY.encode()
    assert piped(place, b"") == b""
    assert piped(place, UNTIDY.encode(), "--check", status=1) == b""
    assert piped(place, TIDY.encode(), "--check") == b""
    assert piped(place, b"a b\n", status=2) == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "json"), "`--format=json` says how something is printed"),
        (("--lint", "--format"), "`--format=json`"),
        (("--check",), "--check goes with --format"),
        (("--format=json", "--diff"), "--diff goes with --format, which has no value"),
        (("--format", "-n"), "`--format --check`"),
        (("--format", "x=1"), "`x=...` is a variable"),
        (("--format", "Makefile"), "is a makefile"),
        (("--format", "empty"), "there is no Pipefile"),
        (("--format=xml",), "it is `text` or `json`"),
        (("--format=",), "it is `text` or `json`"),
    ],
)
def test_what_makes_no_sense_is_refused(place: Place, words: tuple[str, ...], said: str) -> None:
    place.put(Pipefile=UNTIDY, Makefile="all:\n")
    (place.folder / "empty").mkdir()
    assert said in place.run(*words, status=2).stderr
    assert (place.folder / "Pipefile").read_text() == UNTIDY


def test_a_file_called_json_can_be_formatted(place: Place) -> None:
    place.put(json=UNTIDY)
    place.run("--format", "json")
    assert (place.folder / "json").read_text() == TIDY


def test_a_folder_that_cannot_be_written_to(place: Place) -> None:
    place.write("rules/a.pipe", UNTIDY)
    folder = place.folder / "rules"
    folder.chmod(0o555)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("whoever runs this may write anywhere")
        assert "cannot write" in place.run("--format", status=2).stderr
        assert (folder / "a.pipe").read_text() == UNTIDY
    finally:
        folder.chmod(0o755)


def test_python_is_left_alone_without_ruff(place: Place, tmp_path: Path) -> None:
    """What is found beside the interpreter counts first, so it has to be one without ruff."""
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    text = "python:\n    x=1\n"
    place.put(Pipefile=text)
    environment = {
        "PATH": os.pathsep.join(["/usr/bin", "/bin"]),
        "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
    }
    if any(os.access(f"{folder}/ruff", os.X_OK) for folder in ("/usr/bin", "/bin")):
        pytest.skip("ruff is installed for the whole system")
    command = [str(python), "-m", "pybuild", "--format"]
    subprocess.run(command, cwd=place.folder, env=environment, check=True, timeout=120)
    assert (place.folder / "Pipefile").read_text() == text
    place.run("--format")
    assert (place.folder / "Pipefile").read_text() == "python:\n    x = 1\n"
