"""Mistakes in a Pipefile and on the command line: each is told at its place, before anything runs.

The cases stand in `cases/*.txt`, in the form that `chunks` describes.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pybuild.files import Disk
from pybuild.pipefile.attributes import ATTRIBUTES

from .chunks import Case, Said, pointed_at, read_cases, read_said
from .folder import Folder, Run

CASES = [
    pytest.param(case, id=f"{path.stem}: {case.title}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.txt"))
    for case in read_cases(path)
]


@pytest.mark.parametrize("case", CASES)
def test_case(case: Case, folder: Folder) -> None:
    folder.write(case.files)
    for name in case.folders:
        os.makedirs(name)
    for name, target in case.links.items():
        os.symlink(target, name)
    before = folder.names()
    result = folder.run(*case.words)
    check_complaints(case, result)
    for part in case.says:
        assert part in result.text
    for part in case.silent:
        assert part not in result.text
    assert folder.names() - before == case.made
    assert result.status == case.status, result.text
    if not any("Traceback" in part for part in case.says):
        assert "Traceback" not in result.text
    if case.status and not case.ran:
        assert not os.path.exists(".pybuild/journal"), "something was started"


def check_complaints(case: Case, result: Run) -> None:
    """What was complained of is what was due, no more and no less."""
    said = read_said(result.err)
    assert "error:" not in result.out
    left = list(said)
    missing = []
    for wanted in case.wanted:
        fitting = next((each for each in left if wanted.fits(each)), None)
        if fitting is None:
            missing.append(str(wanted))
            continue
        left.remove(fitting)
        for part in wanted.message:
            assert part in fitting.message
        for part in wanted.help:
            assert part in fitting.help, f"{fitting}: help: {fitting.help}"
        for text, place in wanted.notes:
            assert any(text in note and place in (where, "") for note, where in fitting.notes), (
                f"{fitting}: notes: {fitting.notes}"
            )
        check_excerpt(case, fitting)
    assert not missing and not left, (
        f"due: {missing}; too much: {[str(each) for each in left]}\n{result.text}"
    )


def check_excerpt(case: Case, said: Said) -> None:
    """The line is shown, and the caret stands below the column."""
    if not said.file or said.file not in case.files:
        return
    line = case.files[said.file].split("\n")[said.line - 1]
    number, shown, rest = pointed_at(said)
    assert number == said.line
    assert shown in line
    assert rest and line[said.column - 1 :].startswith(rest)


# -- attributes --------------------------------------------------------------------------------

# What each attribute refuses; each text stands behind `@` on the line above a rule.
WRONG = {
    "active_if": ["active_if", "active_if()", "active_if(True, False)"],
    "always": ["always(1)", "always(False)", "always(x=1)"],
    "atomic": ["atomic(1)"],
    "before": ["before", "before()", "before(3)", 'before("")'],
    "cached": ["cached(1)"],
    "depfile": ["depfile", "depfile(3)", 'depfile("")', 'depfile("a", "b")', "depfile(None)"],
    "depends": ["depends", "depends()", "depends(x=1)"],
    "desc": ["desc", "desc(3)", 'desc("a", "b")'],
    "env": ["env", 'env("A=1")', 'env({"A": "1"})'],
    "follows": ["follows", "follows()", "follows(3)", "follows(name=3)"],
    "for_each": ["for_each", "for_each()", "for_each(3)", 'for_each("")', "for_each(name=3)"],
    "ignore_errors": ["ignore_errors(1)"],
    "jobs_limit": [
        "jobs_limit",
        "jobs_limit(0)",
        "jobs_limit(-1)",
        'jobs_limit("2")',
        "jobs_limit(1.5)",
        "jobs_limit(True)",
        "jobs_limit(1, 2)",
    ],
    "mkdir": ["mkdir", "mkdir(3)", 'mkdir("")'],
    "optional": ["optional(1)"],
    "params": ["params", 'params("x")'],
    "phony": ["phony(1)"],
    "pool": [
        "pool",
        'pool("disk")',
        'pool("disk", 0)',
        "pool(3, 3)",
        'pool("", 3)',
        'pool(3, "d")',
    ],
    "posttask": ["posttask", "posttask(3)", 'posttask("")', "posttask(None)"],
    "precious": ["precious(1)"],
    "protected": ["protected(1)"],
    "resources": [
        "resources",
        "resources(4)",
        'resources(cpus="many")',
        "resources(cpus=-1)",
        "resources(cpus=None)",
        "resources(cpus=True)",
    ],
    "retries": ["retries", "retries(-1)", 'retries("x")', "retries(1.5)", 'retries(1, "soon")'],
    "service": ["service(1)"],
    "shell": ["shell", "shell(3)", 'shell("")', 'shell("sh", "-e")'],
    "silent": ["silent(1)"],
    "temp": ["temp(1)"],
    "timeout": [
        "timeout",
        'timeout("soon")',
        "timeout(-1)",
        "timeout(None)",
        'timeout("5 parsecs")',
    ],
    "touch": ["touch", "touch(3)", 'touch("")'],
    "uptodate_if": ["uptodate_if", "uptodate_if(3)", 'uptodate_if("true")', "uptodate_if(None)"],
}


def test_all_attributes_have_wrong_arguments() -> None:
    assert set(WRONG) == set(ATTRIBUTES)


@pytest.mark.parametrize("text", [each for texts in WRONG.values() for each in texts])
def test_wrong_arguments(text: str, folder: Folder) -> None:
    """The place is the attribute, and the help shows how it is written."""
    folder.write(
        {
            "Pipefile": f"# rules\n@silent\n@{text}\nout.txt: in.txt\n    cp <input> <output>\n",
            "in.txt": "a\n",
        }
    )
    result = folder.run()
    said = read_said(result.err)
    assert [str(each)[:20] for each in said] == ["Pipefile:3:1 PB221 `"], result.text
    assert f"`@{text.partition('(')[0]}`" in said[0].message
    assert ATTRIBUTES[text.partition("(")[0]].usage in said[0].help
    assert result.status == 2
    assert not os.path.exists("out.txt")


# -- texts that the form of the cases can't hold -----------------------------------------------

RULE = "out.txt: in.txt\n    cp <input> <output>\n"


def complaints(folder: Folder, pipefile: bytes, *words: str) -> list[str]:
    """What is said of a Pipefile; nothing may be made of it."""
    folder.write({"Pipefile": pipefile, "in.txt": "a\n"})
    result = folder.run(*words)
    assert result.status == 2, result.text
    assert not os.path.exists("out.txt")
    return [str(each) for each in read_said(result.err)]


def test_pipefile_that_is_not_utf8(folder: Folder) -> None:
    text = '# größe\nname = "x"\nword = "'.encode() + b"\xe4" + b'"\n' + RULE.encode()
    said = complaints(folder, text)
    assert len(said) == 1 and said[0].startswith("Pipefile:3:9 PB111 ") and "0xe4" in said[0]


def test_pipefile_that_ends_inside_a_character(folder: Folder) -> None:
    said = complaints(folder, RULE.encode() + b"# \xe2\x82")
    assert len(said) == 1 and said[0].startswith("Pipefile:3:3 PB111 ")


def test_pipefile_in_utf16(folder: Folder) -> None:
    said = complaints(folder, RULE.encode("utf-16"))
    assert len(said) == 1 and said[0].startswith("Pipefile:1:1 PB111 ")


def test_included_file_that_is_not_utf8(folder: Folder) -> None:
    folder.write({"more.pipe": b"# more\n\xff\n"})
    said = complaints(folder, b"include more.pipe\n" + RULE.encode())
    assert len(said) == 1 and said[0].startswith("more.pipe:2:1 PB111 ")


def test_columns_count_characters(folder: Folder) -> None:
    said = complaints(folder, 'out.txt: "größe €.txt" <nme>\n    cp <input> <output>\n'.encode())
    assert [each[:20] for each in said] == ["Pipefile:1:24 PB204 "]


@pytest.mark.parametrize(
    "start", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark of byte order"]
)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_line_ends(folder: Folder, start: bytes, newline: bytes) -> None:
    rows = [b'name = "x"', b"", b"out.txt: in.txt", b"    cp <inptu> <output>", b""]
    said = complaints(folder, start + newline.join(rows))
    assert [each[:20] for each in said] == ["Pipefile:4:8 PB201 `"]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_python_line_ends(folder: Folder, newline: bytes) -> None:
    rows = [b"python:", b"    x = 1", b"    y = [", b"        1,", b"    ]", b"    1 / 0", b""]
    said = complaints(folder, newline.join(rows) + RULE.encode())
    assert [each[:19] for each in said] == ["Pipefile:6:5 PB208 "]


@pytest.mark.parametrize("end", [b"", b"\r", b"\n"])
def test_line_ends_of_old(end: bytes, folder: Folder) -> None:
    folder.write({"Pipefile": b"a: b\r    touch a\rb:\r    touch b" + end})
    result = folder.run()
    assert result.status == 2
    assert result.err.startswith("Pipefile:1:5: error: the lines of `Pipefile` end in a carriage")
    assert "[PB111]" in result.err.splitlines()[0]


def test_carriage_return_in_a_recipe(folder: Folder) -> None:
    folder.write({"Pipefile": b"a:\n    printf '1\r2' > a\n"})
    assert folder.run().status == 0
    assert folder.contents()["a"] == b"1\r2"


def test_last_line_without_newline(folder: Folder) -> None:
    said = complaints(folder, b"out.txt: in.txt\n    cp <inptu> <output>")
    assert [each[:20] for each in said] == ["Pipefile:2:8 PB201 `"]


def test_null_characters(folder: Folder) -> None:
    said = complaints(folder, b'name = "a\0b"\n' + RULE.encode())
    assert [each[:11] for each in said] == ["Pipefile:1:"]


def test_null_characters_in_a_block(folder: Folder) -> None:
    said = complaints(folder, b'python:\n    x = 1\n    y = "a\0b"\n' + RULE.encode())
    assert [each[:9] for each in said] == ["Pipefile:"]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5000 + ")" * 5000,
        "x = " + "-" * 20000 + "1",
        "x = " + "+".join(["1"] * 20000),
        "python:\n" + "".join("    " + " " * n + "if 1:\n" for n in range(150)),
        "o2.txt: <" + "f(" * 3000 + ")" * 3000 + ">",
        "o2.txt: " + "<" * 5000,
        "o2.txt: in/" + "[" * 3000,
        "o2/<x>.txt: in/<x:(" + "a" * 3000 + ">",
        "o2/<x>.txt: in/<x:" + "(" * 3000 + ")" * 3000 + ">",
    ],
    ids=lambda text: text[:24].replace("\n", " "),
)
def test_absurd_texts_are_told(folder: Folder, text: str) -> None:
    """Whatever is written, it is told in a few lines, or it is right."""
    folder.write({"Pipefile": f"{RULE}{text}\n", "in.txt": "a\n"})
    result = folder.run("-n")
    assert result.status in (0, 2)
    assert result.status == 0 or read_said(result.err), result.text


GOOD = """\
size = [1, "two"]
size += ["x"]
python:
    def near(name):
        return f"in/{name}.txt"

all: <copy> sum.txt
@silent
@retries(2, delay=0)
copy: out/<s>.txt: in/<s:[ab]>.txt <near(s)> | in/b.txt
    cp <input> "<output>"  # as <s> is
collate sum/<t>.txt: out/<t><_:.?>.txt
    python:
        output.write_text("".join(map(str, inputs)))
%.z: %.txt
    gzip -c <input> > <output>
"""


def test_the_good_one_is_good(folder: Folder) -> None:
    folder.write({"Pipefile": GOOD, "in/a.txt": "a", "in/b.txt": "b", "sum.txt": "c"})
    assert folder.run("-n").status == 0


@pytest.mark.parametrize(
    "char",
    [
        pytest.param(char, marks=[] if char in ("", "<", '"', "(") else pytest.mark.long)
        for char in ("", "<", '"', "(", ">", ":", "\\", "\n", "\t", "%", "*", "|", "@")
    ],
)
def test_one_wrong_character(folder: Folder, char: str) -> None:
    """Any character taken away or replaced: it is told at a place, or it is right."""
    folder.write({"in/a.txt": "a", "in/b.txt": "b", "sum.txt": "c"})
    for position in range(len(GOOD)):
        text = GOOD[:position] + char + GOOD[position + 1 :]
        folder.write({"Pipefile": text})
        result = folder.run("-n")
        assert result.status in (0, 2), text
        if result.status == 2:
            said = read_said(result.err)
            assert said, f"{text}\n{result.text}"
            for each in said:
                assert each.file == "Pipefile", f"{text}\n{result.text}"
                assert 1 <= each.line <= text.count("\n") + 1


# -- what takes more than one run, or the whole program ----------------------------------------


def test_pattern_that_matches_only_leftovers(folder: Folder) -> None:
    before = "each: mid/<name>.t: in/<name>.txt\n    cp <input> <output>\n"
    folder.write({"Pipefile": before, "in/a.txt": "", "mid/notes": ""})
    assert folder.run().status == 0
    folder.write({"Pipefile": "all: mid/*.t\n    cat <inputs> > <output>\n"})
    result = folder.run()
    assert result.status == 2
    assert "nothing matches `mid/*.t` [PB304]" in result.err
    assert "an earlier build made what would match" in result.err
    assert "`pybuild -t mid/a.t`" in result.err and "did you mean" not in result.err
    assert folder.run("-t", "mid/a.t").status == 0
    assert folder.run().status == 0


def test_folder_that_may_not_be_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read all, so it is said to the program that it may not."""
    folder.write({"Pipefile": "all: in/*.t\n    cat <inputs> > <output>\n", "in/a.t": ""})
    listing, access = Disk.listing, os.access
    monkeypatch.setattr(
        Disk, "listing", lambda self, name: ([], []) if name == "in" else listing(self, name)
    )
    monkeypatch.setattr(os, "access", lambda name, mode: name != "in" and access(name, mode))
    result = folder.run()
    assert result.status == 2
    assert "the folder `in` cannot be read" in result.err


def test_folder_that_may_not_be_written(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Disk, name: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)

    folder.write({"Pipefile": "out/a:\n    touch out/a\n"})
    monkeypatch.setattr(Disk, "make_folder", refuse)
    result = folder.run()
    assert result.status == 2
    assert "Permission denied: out [PB405]" in result.err
    assert "give write permission" in result.err


def test_leftover_that_is_wanted(folder: Folder) -> None:
    folder.write({"Pipefile": "a.txt:\n    echo a > <output>\n"})
    assert folder.run().status == 0
    folder.write({"Pipefile": "b.txt: a.txt\n    cp <input> <output>\n"})
    result = folder.run()
    assert [str(each)[:21] for each in read_said(result.err)] == ["Pipefile:1:8 PB306 `a"]
    assert "`pybuild -t a.txt`" in result.err
    assert result.status == 2 and not os.path.exists("b.txt")
    assert folder.run("-t", "a.txt").status == 0
    assert folder.run().status == 0
    assert folder.contents()["b.txt"] == b"a\n"


def test_protected_target_that_is_out_of_date(folder: Folder) -> None:
    folder.write({"Pipefile": f"@protected\n{RULE}", "in.txt": "a\n"})
    assert folder.run().status == 0
    folder.write({"in.txt": "b\n"})
    result = folder.run()
    assert [str(each)[:19] for each in read_said(result.err)] == ["Pipefile:2:1 PB406 "]
    assert "--force out.txt" in result.err
    assert result.status == 2
    assert folder.contents()["out.txt"] == b"a\n"


def test_two_matches_behind_a_split(folder: Folder) -> None:
    """Only the run of the split shows the mistake; it is told all the same."""
    folder.write(
        {
            "Pipefile": "all: <more>\n"
            "split parts: parts/*.txt: in.txt\n"
            "    touch parts/a_1.txt parts/a_2.txt\n"
            "more: out/<s>.txt: parts/<s>_*.txt\n"
            "    cp <input> <output>\n",
            "in.txt": "a\n",
        }
    )
    result = folder.run()
    assert [str(each)[:19] for each in read_said(result.err)] == ["Pipefile:4:1 PB302 "]
    assert result.status == 2


def test_exception_in_a_module(folder: Folder) -> None:
    """The place is the line of the Pipefile; the line of the module is told."""
    folder.write(
        {
            "my-pybuild/Pipefile": "python:\n    import sys\n    sys.path.insert(0, '')\n"
            f"    import helper\n\n    helper.boom()\n{RULE}",
            "my-pybuild/helper.py": "def boom():\n    raise KeyError('x')\n",
            "my-pybuild/in.txt": "a\n",
        }
    )
    result = folder.spawn("-C", "my-pybuild")
    said = read_said(result.err)
    assert [str(each)[:19] for each in said] == ["Pipefile:6:5 PB208 "], result.text
    assert any("helper.py:2" in note for note, _ in said[0].notes)
    assert result.status == 2
    assert "Traceback" not in result.text


def test_links_that_lead_back(folder: Folder) -> None:
    """Each folder is looked at once, whatever leads to it."""
    folder.write(
        {
            "Pipefile": "out/<basename>.txt: in/**/*.txt\n    cp <input> <output>\n",
            "in/a.txt": "a\n",
        }
    )
    for name in ("one", "two", "three"):
        os.symlink(".", f"in/{name}")
    result = folder.spawn()
    assert result.status == 0, result.text
    assert folder.contents()["out/a.txt"] == b"a\n"


def test_name_with_a_newline_in_a_complaint(folder: Folder) -> None:
    """One complaint has one head line, whatever the names in it."""
    folder.write(
        {
            "Pipefile": "copy: out/<s>.txt: in/<s>.txt ref/<s>.txt\n    cp <input> <output>\n",
            "in/one\ntwo\x1b[31m.txt": "a\n",
        }
    )
    result = folder.run()
    assert [each.code for each in read_said(result.err)] == ["PB305"], result.text
    assert "\x1b" not in result.err


def test_name_that_is_not_utf8_in_a_complaint(folder: Folder) -> None:
    folder.write(
        {
            "Pipefile": "copy: out/<s>.txt: in/<s>.txt ref/<s>.txt\n    cp <input> <output>\n",
            os.fsdecode(b"in/\xff.txt"): "a\n",
        }
    )
    result = folder.spawn()
    assert result.status == 2
    assert "PB305" in result.err and "Traceback" not in result.text


@pytest.mark.parametrize(
    ("pipefile", "words", "status"),
    [
        ("a: b\n    touch a\n", (), 2),
        ("python:\n    import sys; sys.exit(0)\na:\n    touch a\n", (), 2),
        ("a:\n    touch a\n", ("nosuchtarget",), 2),
        ("a:\n    touch a\n", ("--nosuch",), 2),
        ("a:\n    touch a\n", ("-q",), 1),
        ("a:\n    touch a\n", (), 0),
    ],
)
def test_exit_status_of_the_program(
    pipefile: str, words: tuple[str, ...], status: int, folder: Folder
) -> None:
    folder.write({"Pipefile": pipefile})
    result = folder.spawn(*words)
    assert result.status == status
    assert "Traceback" not in result.text
    assert os.path.exists("a") == (status == 0)


# Python that gives what no process, file name or report can take; told, whatever it is.
ODD_VALUES = {
    "a name of an environment variable": f'@env(**{{"A=B": "x"}})\n{RULE}',
    "a null in an environment variable": f'@env(A="x\\0y")\n{RULE}',
    "a null in a command": 'x = "a\\0b"\nout.txt: in.txt\n    echo <x> > <output>\n',
    "a null in a target": 'x = "a\\0b"\n<x>: in.txt\n    cp <input> <output>\n',
    "a null in a prerequisite": 'x = "a\\0b"\nout.txt: <x>\n    cp <input> <output>\n',
    "half a character in a command": 'x = "\\ud800"\nout.txt: in.txt\n    echo <x> > <output>\n',
    "half a character in a prerequisite": 'x = "\\ud800"\nout.txt: <x>\n    cp <input> <output>\n',
    "a parameter that can't be sent": "@params(f=lambda: 1)\nout.txt: in.txt\n"
    "    python:\n        output.write_text(g(f))\n",
    "an empty target": '"": in.txt\n    echo x > out.txt\n',
    "a target that a variable leaves empty": 'x = ""\n<x>: in.txt\n    echo x > out.txt\n',
    "a split without a recipe": "split out.*: in.txt\n",
    "names without end": "names = [f\"out/{len(glob('out/*'))}.txt\"]\n"
    "<names>: in.txt\n    cp <input> <output>\n",
}


@pytest.mark.parametrize("pipefile", ODD_VALUES.values(), ids=ODD_VALUES.keys())
def test_odd_values(pipefile: str, folder: Folder) -> None:
    folder.write({"Pipefile": pipefile, "in.txt": "a\n"})
    result = folder.spawn()
    assert result.status == 2, result.text
    assert "Traceback" not in result.text
    assert read_said(result.err) or "failed: " in result.err, result.text
    assert not os.path.exists("out.txt") or os.path.getsize("out.txt") == 0


LEAVE = "python:\n    import sys\n    def leave(*files):\n        sys.exit(0)\n"


LEAVING = {
    "@active_if": f"@active_if(leave)\n{RULE}",
    "an attribute": f"@retries(leave())\n{RULE}",
    "@posttask": f"@posttask(leave)\n{RULE}",
    "@uptodate_if": "@uptodate_if(leave)\nold.txt: in.txt\n    cp <input> <output>\n",
    "a recipe": "out.txt: in.txt\n    echo <leave()> > <output>\n",
    "a prerequisite": "out.txt: in.txt <leave()>\n    cp <input> <output>\n",
    "a target": "out/<leave()>.txt: in.txt\n    cp <input> <output>\n",
    "a driver": "out/<basename>.txt: <leave()>\n    cp <input> <output>\n",
}


@pytest.mark.parametrize("rule", LEAVING.values(), ids=LEAVING.keys())
def test_a_function_that_leaves(rule: str, folder: Folder) -> None:
    """`sys.exit(0)` in a function of the Pipefile is no success of the build."""
    folder.write({"Pipefile": LEAVE + rule, "in.txt": "a\n", "old.txt": "old\n"})
    result = folder.spawn()
    assert result.status == 2, result.text
    assert "SystemExit" in result.err
    assert folder.contents()["old.txt"] == b"old\n"


def test_an_object_that_can_not_be_shown(folder: Folder) -> None:
    folder.write(
        {
            "Pipefile": "python:\n    class Odd:\n        def __repr__(self):\n"
            "            raise ValueError('no')\n"
            "x = Odd()\nout.txt: in.txt\n    python:\n"
            "        output.write_text(type(x).__name__)\n",
            "in.txt": "a\n",
        }
    )
    result = folder.spawn()
    assert "Traceback" not in result.text
    assert result.status == 0 or read_said(result.err), result.text


def test_a_block_that_goes_elsewhere(folder: Folder) -> None:
    """Names stay relative to the project."""
    folder.write(
        {"Pipefile": f"python:\n    import os\n    os.chdir('sub')\n{RULE}", "in.txt": "a\n"}
    )
    os.mkdir("sub")
    result = folder.spawn()
    assert result.status == 0, result.text
    assert os.path.exists("out.txt")
    assert os.listdir("sub") == []


@pytest.mark.parametrize(
    "goal",
    ["", "x" * 300, "sub/loop", "sub/loop/x", "in.txt/x", "a\udcffb"],
    ids=["empty", "too long", "a loop", "in a loop", "in a file", "not UTF-8"],
)
def test_odd_goals(goal: str, folder: Folder) -> None:
    folder.write({"Pipefile": RULE, "in.txt": "a\n"})
    os.mkdir("sub")
    os.symlink("loop", "sub/loop")
    result = folder.spawn(goal)
    assert result.status == 2, result.text
    assert "Traceback" not in result.text
    assert [each.code for each in read_said(result.err)] in (["PB305"], ["PB404"]), result.text


@pytest.mark.parametrize(
    "attribute", ['@touch("loop")', '@touch("in.txt/x")', '@touch("<input>/x")']
)
def test_files_that_can_not_be_touched(attribute: str, folder: Folder) -> None:
    folder.write({"Pipefile": f"{attribute}\n{RULE}", "in.txt": "a\n"})
    os.symlink("loop", "loop")
    result = folder.spawn()
    assert result.status == 2, result.text
    assert "Traceback" not in result.text
    assert "touch" in result.err
