"""`@for_each`: what drives a rule is no input of it."""

from __future__ import annotations

import pytest

from .conftest import Sandbox

PYC = """all: <py>
@for_each("<n>.c")
py: out/<n>.pyc: lib/<n>.py docs.rst
    echo "<n> <basename><ext> <inputs[0].basename>" > <output>; cat <inputs> >> <output>
"""


def _sources(box: Sandbox, *names: str) -> None:
    for name in names:
        box.put(f"{name}.c", "")
        box.put(f"lib/{name}.py", f"{name}\n")


def test_a_rule_is_driven_by_files_that_are_no_inputs(box: Sandbox) -> None:
    box.write(Pipefile=PYC, **{"docs.rst": "D\n"})
    _sources(box, "1", "2")
    assert box.ran() == 2
    assert box.text("out/1.pyc") == "1 1.c 1\n1\nD\n"
    box.put("1.c", "changed")
    box.runs_nothing()


def test_a_kept_graph_knows_inputs_and_drivers_apart(box: Sandbox) -> None:
    box.write(Pipefile=PYC, **{"docs.rst": "D\n"})
    _sources(box, "1", "2")
    box.run()
    box.runs_nothing()
    box.put("lib/2.py", "two\n")
    assert box.ran() == 1
    assert box.text("out/2.pyc") == "2 2.c 2\ntwo\nD\n"
    _sources(box, "3")
    assert box.ran() == 1
    assert box.text("out/3.pyc") == "3 3.c 3\n3\nD\n"
    box.put("docs.rst", "E\n")
    assert box.ran() == 3
    (box.folder / "3.c").unlink()
    assert "up to date (2 jobs)" in box.run()


def test_a_driver_need_not_be_made(box: Sandbox) -> None:
    """Files that rules make drive a rule by their names alone."""
    box.write(
        Pipefile="@for_each('<mid>')\nlast: out/<basename>.txt: in/<basename>.txt\n"
        "    cp <input> <output>\nmid: mid/<n>.txt: in/<n>.txt\n    cp <input> <output>\n"
    )
    box.put("in/a.txt", "a")
    assert box.ran() == 1
    assert box.names("*/a.txt") == ["in/a.txt", "out/a.txt"]


def test_lists_drive(box: Sandbox) -> None:
    box.write(
        Pipefile="names = ['x', 'y z']\n@for_each('<names>')\nout: out/<basename>.txt: common\n"
        "    echo <basename> > <output>\n",
        common="",
        x="",
        **{"y z": ""},
    )
    assert box.ran() == 2
    assert box.text("out/y z.txt") == "y z\n"
    box.runs_nothing()


def test_several_words_drive_one_like_the_other(box: Sandbox) -> None:
    box.write(
        Pipefile="@for_each('<n>.c', '<n>.cpp')\nout: out/<n>.o: common\n    echo <n> > <output>\n",
        common="",
        **{"a.c": "", "b.cpp": ""},
    )
    assert box.ran() == 2
    assert box.names("out/*") == ["out/a.o", "out/b.o"]


def test_a_rule_may_have_no_inputs_at_all(box: Sandbox) -> None:
    box.write(
        Pipefile="@for_each(src='in/*.txt')\nout: out/<src.basename>.txt:\n"
        "    echo <src> > <output>\n"
    )
    box.put("in/a.txt", "")
    assert box.ran() == 1
    assert box.text("out/a.txt") == "in/a.txt\n"
    box.put("in/a.txt", "new")
    box.runs_nothing()


def test_groups_are_driven(box: Sandbox) -> None:
    box.write(
        Pipefile="@for_each('in/<s>_<n>.tag')\ncollate join: out/<s>.txt: data/<basename>.txt\n"
        "    echo <n> > <output>; cat <inputs> >> <output>\n"
    )
    for name in ("a_1", "a_2", "b_1"):
        box.put(f"in/{name}.tag", "")
        box.put(f"data/{name}.txt", f"{name}\n")
    assert box.ran() == 2
    assert box.text("out/a.txt") == "1 2\na_1\na_2\n"
    box.put("in/a_1.tag", "new")
    box.runs_nothing()
    box.put("data/a_1.txt", "new\n")
    assert box.ran() == 1
    box.put("data/b_2.txt", "b_2\n")
    box.runs_nothing()
    box.put("in/b_2.tag", "")
    assert box.ran() == 1
    assert box.text("out/b.txt") == "1 2\nb_1\nb_2\n"


def test_products_and_combinations_are_driven(box: Sandbox) -> None:
    box.write(
        Pipefile="all: <cross> <pair>\n"
        "@for_each(a='l/*.tag', b='r/*.tag')\n"
        "product cross: cross/<a.basename>-<b.basename>: <a.basename>.txt <b.basename>.txt\n"
        "    cat <inputs> > <output>\n"
        "@for_each('l/<n>.tag')\n"
        "combinations(2) pair: pair/<n[0]>-<n[1]>: <n[0]>.txt <n[1]>.txt\n"
        "    cat <inputs> > <output>\n"
    )
    for folder, name in (("l", "x"), ("l", "y"), ("r", "p")):
        box.put(f"{folder}/{name}.tag", "")
        box.put(f"{name}.txt", name)
    assert box.ran() == 3
    assert box.names("cross/*") == ["cross/x-p", "cross/y-p"]
    assert box.text("pair/x-y") == "xy"
    box.put("l/x.tag", "new")
    box.runs_nothing()
    box.put("y.txt", "Y")
    assert box.ran() == 2


def test_splits_are_driven(box: Sandbox) -> None:
    box.write(
        Pipefile="@for_each('<n>.list')\nsplit cut: cut/<n>/*.txt: data\n"
        "    split -l 1 data cut/<n>/; for f in cut/<n>/*; do mv $f $f.txt; done\n",
        data="1\n2\n",
        **{"a.list": ""},
    )
    assert box.ran() == 1
    assert box.names("cut/a/*") == ["cut/a/aa.txt", "cut/a/ab.txt"]
    box.put("a.list", "new")
    box.runs_nothing()


def test_prerequisites_without_a_recipe_are_driven(box: Sandbox) -> None:
    box.write(
        Pipefile="a.o:\n    echo <inputs> > <output>\n@for_each('<n>.c')\n<n>.o: <n>.h\n",
        **{"a.c": "", "a.h": ""},
    )
    box.run()
    assert box.text("a.o") == "a.h\n"


def test_a_rule_that_only_drives_is_no_prerequisite(box: Sandbox) -> None:
    box.write(
        Pipefile="@for_each('<mid>')\nlast: out/<basename>:\n    cat <mid> > <output>\n"
        "mid: mid/<n>: in/<n>\n    cp <input> <output>\n"
    )
    box.put("in/a", "")
    assert "the rule `mid` is no prerequisite of this rule" in box.run(status=2)


@pytest.mark.parametrize("used", ["<path>", "<src>", "@env"])
def test_a_driver_that_moves_counts_where_its_name_is_used(box: Sandbox, used: str) -> None:
    """The inputs stay the same then, so nothing else would tell."""
    attribute = "@env(WHERE='<path>')\n" if used == "@env" else ""
    recipe = "echo $WHERE" if used == "@env" else f"echo {used}"
    box.write(
        Pipefile=f"{attribute}@for_each(src='in/**/<n>.c')\nout: out/<n>.txt: common\n"
        f"    {recipe} > <output>\n",
        common="",
    )
    box.put("in/one/a.c", "")
    box.run()
    box.runs_nothing()
    (box.folder / "in/one").rename(box.folder / "in/two")
    assert box.ran() == 1
    assert "in/two" in box.text("out/a.txt")


def test_a_driver_that_moves_does_not_count_otherwise(box: Sandbox) -> None:
    box.write(
        Pipefile="@for_each('in/*/<n>.c')\nout: out/<n>.txt: common\n    cp <input> <output>\n",
        common="",
    )
    box.put("in/one/a.c", "")
    box.run()
    (box.folder / "in/one").rename(box.folder / "in/two")
    box.runs_nothing()


def test_what_drives_is_no_need_in_a_chart_or_a_list(box: Sandbox) -> None:
    box.write(Pipefile=PYC, **{"docs.rst": ""})
    _sources(box, "1")
    assert "out/<n>.pyc: lib/<n>.py docs.rst" in box.run("--list")
    assert "@for_each('<n>.c')\npy: out/<n>.pyc: lib/<n>.py docs.rst\n" in box.run("-p")


@pytest.mark.parametrize(
    ("pipefile", "place", "message"),
    [
        (
            "@for_each('no/<n>.c')\nr: o/<n>: common\n    cp <input> <output>\n",
            "1:1",
            "nothing mat",
        ),
        ("@for_each('<n>.c')\nr: o: common\n    cp <input> <output>\n", "1:1", "the same for each"),
        (
            "@for_each('<n>.c')\nr: o/<input.ext>: x\n    cp <n> <output>\n",
            "2:6",
            "is not known yet",
        ),
        (
            "@for_each('<n>.c')\nr: o/<m>: common\n    cp <input> <output>\n",
            "2:6",
            "not known here",
        ),
        ("@for_each('<n>.c')\nr: o/<n>: <m>\n    cp <input> <output>\n", "2:11", "by no driver"),
        ("@for_each('<n>.c', '<m>.c')\nr: o/<n>: x\n    true\n", "1:1", "not capture the same"),
        ("@for_each(a='*.c', b='*.h')\nr: o/<basename>: x\n    true\n", "1:1", "one of several wo"),
        (
            "@for_each(input='*.c')\nr: o/<basename>: x\n    true\n",
            "1:1",
            "name that every job has",
        ),
        ("@for_each(3)\nr: o/<basename>: x\n    true\n", "1:1", "has to be a text"),
        ("@for_each()\nr: o/<basename>: x\n    true\n", "1:1", "names no files"),
    ],
)
def test_mistakes(box: Sandbox, pipefile: str, place: str, message: str) -> None:
    box.write(Pipefile=pipefile, common="", **{"a.c": ""})
    output = box.run(status=2)
    assert message in output
    assert f"Pipefile:{place}:" in output
    assert box.names("o/*") == []
