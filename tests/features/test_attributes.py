"""Attributes that have to do with what else counts, and with what happens around a job."""

from __future__ import annotations

import pytest

from .conftest import Sandbox

DEPENDS = """python:
    def rounded(number):
        return inner(number)
    def inner(number):
        return number + 1
limits = {"low": 1}
all: b c
@depends(rounded, limits, "cat version", Path("schema.json"), 3)
b: a
    cat a > b
c: a
    cat a > c
"""


def _depends(box: Sandbox) -> None:
    box.write(Pipefile=DEPENDS, a="1", version="tool 1.2\n")
    box.put("schema.json", "{}")
    assert box.ran() == 2
    box.runs_nothing()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("number + 1", "number + 2", "b: `@depends rounded` changed from `"),
        ('"low": 1', '"low": 2', "b: `@depends limits` changed from `"),
        (", 3)", ", 4)", "b: `@depends 4` changed from nothing to `4`"),
    ],
)
def test_code_and_values_count(box: Sandbox, old: str, new: str, said: str) -> None:
    _depends(box)
    box.write(Pipefile=DEPENDS.replace(old, new))
    told = box.run("--explain")
    assert said in told
    assert "1 ran, 1 up to date" in told
    box.runs_nothing()
    box.write(Pipefile=DEPENDS)
    assert box.ran() == 1


def test_what_does_not_count_of_code(box: Sandbox) -> None:
    _depends(box)
    box.write(Pipefile=DEPENDS.replace("number + 1", "number + 1  # one more"))
    box.runs_nothing()


def test_what_a_command_prints_counts(box: Sandbox) -> None:
    """Also where the graph is kept: the Pipefile has not changed."""
    _depends(box)
    box.write(version="tool 1.3\n")
    told = box.run("--explain")
    assert 'b: `@depends "cat version"` changed from `tool 1.2` to `tool 1.3`' in told
    assert "1 ran, 1 up to date" in told
    box.runs_nothing()
    long = "tool 1.3\n" + "copyright\n" * 20
    box.write(version=long)
    assert box.ran() == 1
    box.write(version=long.replace("right", "left"))
    assert box.ran() == 1
    box.runs_nothing()


def test_the_bytes_of_a_file_count(box: Sandbox) -> None:
    _depends(box)
    box.put("schema.json", "{}")
    box.runs_nothing()
    box.put("schema.json", "[]")
    told = box.run("--explain")
    assert 'b: `@depends Path("schema.json")` changed from `' in told
    assert "1 ran, 1 up to date" in told
    box.runs_nothing()


def test_levels_at_which_it_counts(box: Sandbox) -> None:
    _depends(box)
    box.write(version="tool 2\n")
    for level in ("0", "1", "2"):
        box.runs_nothing("--checksum-level", level)
    assert box.ran("--checksum-level", "3") == 1


def test_the_printed_rule_depends_on_the_same(box: Sandbox) -> None:
    _depends(box)
    line = '@depends(rounded, limits, "cat version", Path("schema.json"), 3)'
    assert line in box.run("-p").splitlines()


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ('"exit 3"', "1:1: error: CommandError: exit status 3 from `exit 3`"),
        ('Path("none")', "1:1: error: `@depends`: cannot read `none`: No such file"),
        ('Path("a")', "1:1: error: `@depends`: a rule makes `a`"),
        ('Path(".")', "1:1: error: `@depends`: cannot read `.`: Is a directory"),
        ("nobody", "1:10: error: NameError: name 'nobody' is not defined"),
    ],
)
def test_mistakes_in_depends(box: Sandbox, argument: str, said: str) -> None:
    box.write(Pipefile=f"@depends({argument})\nb: a\n    cat a > b\na:\n    touch a\n", a="")
    assert said in box.run(status=2)


BEFORE = """python:
    def noted(outputs, inputs):
        with open("log", "a") as file:
            print(*outputs, "of", *inputs, file=file)
        print("noted")
    def plain():
        open("log", "a").write("plain\\n")
    def any_of(**names):
        open("log", "a").write(" ".join(sorted(names)) + "\\n")
all: <shell> block
@before(noted, "echo command >> log", plain, any_of)
shell: out/<n>: in/<n>
    cp <input> <output>
@before(noted)
block:
    python:
        output.write_text("block")
"""


def test_before_each_job(box: Sandbox) -> None:
    box.write(Pipefile=BEFORE)
    box.put("in/x", "1")
    box.put("in/y", "2")
    output = box.run("-j1")
    assert "3 ran" in output
    assert output.count("noted\n") == 3
    lines = [f"out/{n} of in/{n}\ncommand\nplain\ninputs outputs\n" for n in "xy"]
    log = box.text("log")
    assert len(log) == len("".join(lines)) + len("block of\n")
    assert all(each in log for each in (*lines, "block of\n"))
    box.runs_nothing()
    box.put("in/x", "3")
    (box.folder / "log").unlink()
    assert box.ran() == 1
    assert box.text("log") == lines[0]


def test_what_runs_before_does_not_count(box: Sandbox) -> None:
    box.write(Pipefile=BEFORE)
    box.put("in/x", "1")
    box.run()
    text = BEFORE.replace('print("noted")', 'print("noted!")').replace(
        ', "echo command >> log"', ""
    )
    box.write(Pipefile=text)
    box.runs_nothing()
    box.write(Pipefile=BEFORE.replace("@before", "# @before"))
    box.runs_nothing()
    assert "@before(noted, 'echo command >> log', plain, any_of)\n" in _printed(box)
    assert "0 would run" in box.run("-n")


def _printed(box: Sandbox) -> str:
    box.write(Pipefile=BEFORE)
    return box.run("-p")


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("broken", "`b` failed: ZeroDivisionError"),
        ('"exit 3"', "`b` failed: exit status 3"),
        ("lambda other: 0", "`b` failed: TypeError"),
    ],
)
def test_a_failure_before_is_one_of_the_job(box: Sandbox, hook: str, said: str) -> None:
    text = f"""python:
    def broken():
        1 / 0
@before({hook})
b: a
    touch b ran
"""
    box.write(Pipefile=text, a="")
    output = box.run(status=2)
    assert said in output
    assert not (box.folder / "ran").exists()
    if hook == "broken":
        assert 'File "Pipefile", line 4, in <module>' in output
        assert 'File "Pipefile", line 3, in broken' in output
