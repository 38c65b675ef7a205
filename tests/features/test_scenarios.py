"""What users of Ruffus and pypipegraph are used to, case by case: what is made, and what runs again.

Recipes write the name of what they make to the file `ran`; `_ran` gives what a build wrote there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Sandbox

PATIENCE_S = 60.0
LOG = "    echo <output> >> ran\n"
CHAIN = f"""c.txt: b.txt
{LOG}    cat <input> > <output>
b.txt: a.txt
{LOG}    tr -s ' ' < <input> > <output>
"""
FOUR = f"""a.4: a.3
{LOG}    cp <input> <output>
a.3: a.2
{LOG}    cp <input> <output>
a.2: a.1
{LOG}    cp <input> <output>
"""
SPLIT = f"""merge.txt: <res>
{LOG}    cat /dev/null <inputs> > <output>
split cut: parts/*.chunk: big
    echo cut >> ran
    split -l 1 -a 1 --additional-suffix=.chunk <input> parts/
res: res/<basename>.res: <cut>
{LOG}    cp <input> <output>
"""


def _ran(box: Sandbox, *words: str, status: int = 0) -> list[str]:
    """The names that the recipes of a build wrote down, sorted."""
    log = box.folder / "ran"
    log.unlink(missing_ok=True)
    box.run(*words, status=status)
    return sorted(log.read_text().splitlines()) if log.exists() else []


def _put(box: Sandbox, *names: str) -> None:
    """Files whose text is their name."""
    for name in names:
        box.put(name, f"{name}\n")


def _remove(box: Sandbox, *names: str) -> None:
    for name in names:
        (box.folder / name).unlink()


def _set_time(box: Sandbox, name: str, time_ns: int) -> None:
    os.utime(box.folder / name, ns=(time_ns, time_ns))


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


# -- names, fan-in and fan-out ------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["<path>", "build"])
def test_01_suffix(box: Sandbox, folder: str) -> None:
    box.write(Pipefile=f"obj: {folder}/<basename>.o: src/*.c\n{LOG}    cp <input> <output>\n")
    _put(box, "src/a.c", "src/b.c", "src/x.txt")
    made = folder.replace("<path>", "src")
    assert _ran(box) == [f"{made}/a.o", f"{made}/b.o"]
    assert box.text(f"{made}/a.o") == "src/a.c\n"


def test_02_added_inputs(box: Sandbox) -> None:
    box.write(
        Pipefile="obj: <path>/<basename>.o: src/*.c <path>/<basename>.h common.h\n"
        f"{LOG}    echo <inputs> > <output>\n"
    )
    _put(box, "src/a.c", "src/a.h", "src/b.c", "src/b.h", "common.h")
    assert _ran(box) == ["src/a.o", "src/b.o"]
    assert box.text("src/a.o") == "src/a.c src/a.h common.h\n"
    box.put("common.h", "new")
    assert _ran(box) == ["src/a.o", "src/b.o"]
    box.put("src/a.h", "new")
    assert _ran(box) == ["src/a.o"]


def test_03_replaced_inputs(box: Sandbox) -> None:
    box.write(
        Pipefile="@for_each('*.c')\ncompile: <basename>.pyc: <basename>.py docs.rst\n"
        f"{LOG}    echo <inputs> > <output>\n"
    )
    _put(box, "1.c", "2.c", "1.py", "2.py", "docs.rst")
    assert _ran(box) == ["1.pyc", "2.pyc"]
    assert box.text("1.pyc") == "1.py docs.rst\n"
    box.put("1.c", "new")
    assert _ran(box) == []
    box.put("1.py", "new")
    assert _ran(box) == ["1.pyc"]


def test_04_path_surgery(box: Sandbox) -> None:
    box.write(
        Pipefile="feed: <subpath[1]>/<clade>/<tame>.<subdir[0]>.food: zoo/*/<clade>.<tame>.animals\n"
        f"{LOG}    cp <input> <output>\n"
    )
    _put(
        box,
        "zoo/tiger/mammals.wild.animals",
        "zoo/crocodile/reptiles.wild.animals",
        "zoo/rose/flowering.handreared.plants",
    )
    assert _ran(box) == ["zoo/mammals/wild.tiger.food", "zoo/reptiles/wild.crocodile.food"]


def test_05_parts_of_names(box: Sandbox) -> None:
    parts = "printf '%s|' <output.basename> <output.ext> <output.path> <output.subdir> > <output>"
    names = ("d/a.tar.gz", ".bashrc", "noext", "/x.txt")
    box.write(Pipefile=f".PHONY: all\nall: {' '.join(names)}\n{' '.join(names)}:\n    {parts}\n")
    told = box.run("-n")
    for name, values in zip(
        names, ("a.tar .gz d d", ".bashrc '' .", "noext '' .", "x .txt / /"), strict=True
    ):
        assert f"printf '%s|' {values} > {name}\n".replace(". >", ".  >") in told
    assert not Path("/x.txt").exists()


def test_06_items_of_two_files(box: Sandbox) -> None:
    box.write(
        Pipefile=f"product pair: out/<n>.txt: <n>.a <n>.b\n{LOG}    echo <inputs> > <output>\n"
    )
    _put(box, "job1.a", "job1.b", "job2.a", "job2.b", "job3.a", "job3.c")
    assert _ran(box) == ["out/job1.txt", "out/job2.txt"]
    assert box.text("out/job1.txt") == "job1.a job1.b\n"


def test_07_unknown_placeholder(box: Sandbox) -> None:
    box.write(Pipefile=f"up: out/<sampel>.txt: in/<sample>.txt\n{LOG}    cp <input> <output>\n")
    _put(box, "in/a.txt")
    told = box.run(status=2)
    assert "Pipefile:1:9: error: `<sampel>` is not known here" in told
    assert "did you mean `sample`?" in told
    assert box.names("out/*") == []


def test_08_nothing_matches(box: Sandbox) -> None:
    text = f"all: <up>\nup: out/<n>.txt: in/<n>.txt\n{LOG}    cp <input> <output>\n"
    box.write(Pipefile=text)
    _put(box, "in/a.csv", "in/b.csv", "in/c.csv")
    assert "Pipefile:2:18: error: nothing matches `in/<n>.txt`" in box.run(status=2)
    box.write(Pipefile=text.replace("up:", "@optional\nup:"))
    assert _ran(box) == []


def test_09_split_to_an_unknown_number(box: Sandbox) -> None:
    box.write(Pipefile=SPLIT, big="1\n2\n3\n")
    assert _ran(box) == ["cut", "merge.txt", "res/a.res", "res/b.res", "res/c.res"]
    assert box.text("merge.txt") == "1\n2\n3\n"
    assert _ran(box) == []


def test_10_split_shrinks(box: Sandbox) -> None:
    """The third result stays, but is a leftover: nothing takes it, and to name it is an error."""
    box.write(Pipefile=SPLIT, big="1\n2\n3\n")
    box.run()
    box.write(big="4\n5\n")
    assert _ran(box) == ["cut", "merge.txt", "res/a.res", "res/b.res"]
    assert box.text("merge.txt") == "4\n5\n"
    assert box.names("parts/*") == ["parts/a.chunk", "parts/b.chunk"]
    box.write(Pipefile=SPLIT + "look: res/*.res\n    ls <inputs> > ran\n")
    assert "res/c.res" not in _ran(box, "look", status=2)
    box.write(Pipefile=SPLIT + "use.txt: res/c.res\n    cp <input> <output>\n")
    assert "`res/c.res` was made by an earlier build, and no rule" in box.run("use.txt", status=2)


PAIR = """\
all: sum
a.txt b.txt &: source
    cp source a.txt; cp source b.txt; echo pair >> ran
"""
ALONE = """\
all: sum
a.txt: source
    cp source a.txt; echo alone >> ran
"""
SUM = """\
sum: <glob("?.txt")>
    cat <inputs> > <output>; echo sum >> ran
"""


def test_a_target_that_its_rule_has_lost_is_no_source(box: Sandbox) -> None:
    """A clean build would not have it, whatever has been built since."""
    box.write(Pipefile=PAIR + SUM, source="x\n")
    box.run()
    assert box.text("sum") == "x\nx\n"
    box.write(Pipefile=ALONE + SUM)
    assert _ran(box) == ["alone", "sum"]
    assert box.text("sum") == "x\n"
    box.write(Pipefile=ALONE + SUM + "# read again\n")
    assert _ran(box) == []
    box.write(Pipefile=ALONE)
    assert "b.txt" in box.run("--stale")


def test_a_target_that_its_rule_has_lost_and_has_again(box: Sandbox) -> None:
    """What counts is what was made last."""
    box.write(Pipefile=PAIR + SUM, source="x\n")
    box.run()
    box.write(Pipefile=ALONE + SUM)
    box.run()
    box.write(Pipefile=PAIR + SUM, source="y\n")
    assert _ran(box) == ["pair", "sum"]
    assert box.text("sum") == "y\ny\n"
    box.write(Pipefile=ALONE + SUM)
    assert _ran(box) == ["alone", "sum"]
    assert box.text("sum") == "y\n"


def test_11_split_member_is_deleted(box: Sandbox) -> None:
    box.write(Pipefile=SPLIT, big="1\n2\n3\n")
    box.run()
    _remove(box, "parts/b.chunk")
    assert _ran(box) == ["cut"]
    assert box.names("parts/*") == ["parts/a.chunk", "parts/b.chunk", "parts/c.chunk"]
    assert _ran(box) == []


def test_12_foreign_file_that_matches_a_split(box: Sandbox) -> None:
    box.write(Pipefile=SPLIT, big="1\n2\n")
    box.run()
    _put(box, "parts/zz.chunk")
    assert _ran(box) == []
    box.write(big="3\n4\n")
    assert _ran(box) == ["cut", "merge.txt", "res/a.res", "res/b.res"]
    assert box.text("parts/zz.chunk") == "parts/zz.chunk\n"


def test_13_split_with_no_results(box: Sandbox) -> None:
    box.write(Pipefile=SPLIT, big="")
    assert _ran(box) == ["cut", "merge.txt"]
    assert box.text("merge.txt") == ""
    assert _ran(box) == []
    box.write(big="1\n")
    assert _ran(box) == ["cut", "merge.txt", "res/a.res"]


def test_14_subdivide(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""all: <res>
split cut: sub/<n>/*.sub: <n>.in
    echo <n> >> ran
    split -l 1 -a 1 --additional-suffix=.sub <input> sub/<n>/
res: res/<n>-<m>.res: sub/<n>/<m>.sub
{LOG}    cp <input> <output>
""",
        **{"a.in": "1\n2\n", "b.in": "3\n4\n"},
    )
    assert len(_ran(box)) == 6
    box.put("a.in", "5\n6\n")
    assert _ran(box) == ["a", "res/a-a.res", "res/a-b.res"]


PAIRS = f"collate pair: out/<s>.txt: <s>.R<n:[12]>\n{LOG}    echo <inputs> > <output>\n"


def test_15_collate_pairs(box: Sandbox) -> None:
    box.write(Pipefile=PAIRS)
    _put(box, "x.R1", "x.R2", "y.R1", "z.txt")
    assert _ran(box) == ["out/x.txt", "out/y.txt"]
    assert box.text("out/x.txt") == "x.R1 x.R2\n"
    _put(box, "y.R2")
    assert _ran(box) == ["out/y.txt"]
    assert box.text("out/y.txt") == "y.R1 y.R2\n"


def test_16_member_of_a_group_is_removed(box: Sandbox) -> None:
    box.write(Pipefile=PAIRS)
    _put(box, "x.R1", "x.R2", "y.R1")
    box.run()
    _remove(box, "x.R2")
    assert _ran(box) == ["out/x.txt"]
    assert box.text("out/x.txt") == "x.R1\n"


def test_17_collate_with_an_added_file(box: Sandbox) -> None:
    box.write(
        Pipefile="collate join: out/<group>.txt: <n>.<group:fish|mammals> <group>.date_of_birth\n"
        f"{LOG}    echo <inputs> > <output>\n"
    )
    _put(box, "tuna.fish", "shark.fish", "dog.mammals", "cat.mammals")
    _put(box, "fish.date_of_birth", "mammals.date_of_birth")
    assert _ran(box) == ["out/fish.txt", "out/mammals.txt"]
    assert box.text("out/fish.txt") == "shark.fish tuna.fish fish.date_of_birth\n"
    _put(box, "cod.fish")
    assert _ran(box) == ["out/fish.txt"]


def test_18_product(box: Sandbox) -> None:
    text = (
        "product vs: out/<a.basename>_vs_<b.basename>_vs_<z>: a=1/*.t b=2/*.t 3/<z>.1 3/<z>.2\n"
        f"{LOG}    echo <inputs> > <output>\n"
    )
    box.write(Pipefile=text)
    _put(box, "1/a.t", "1/b.t", "2/p.t", "2/q.t", "3/x.1", "3/x.2", "3/y.1", "3/y.2")
    names = [f"out/{a}_vs_{b}_vs_{z}" for a in "ab" for b in "pq" for z in "xy"]
    assert _ran(box) == names
    assert box.text("out/a_vs_q_vs_x") == "1/a.t 2/q.t 3/x.1 3/x.2\n"
    _put(box, "1/c.t")
    assert _ran(box) == [f"out/c_vs_{b}_vs_{z}" for b in "pq" for z in "xy"]
    _remove(box, "2/p.t", "2/q.t")
    assert "nothing matches `2/*.t`" in box.run(status=2)
    box.write(Pipefile="@optional\n" + text)
    assert _ran(box) == []


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("permutations", ["a_b", "a_c", "b_a", "b_c", "c_a", "c_b"]),
        ("combinations", ["a_b", "a_c", "b_c"]),
        ("combinations_with_replacement", ["a_a", "a_b", "a_c", "b_b", "b_c", "c_c"]),
    ],
)
def test_19_combinatorics(box: Sandbox, kind: str, names: list[str]) -> None:
    box.write(Pipefile=f"{kind}(2) pair: out/<n[0]>_<n[1]>: <n>.t\n{LOG}    echo <n> > <output>\n")
    _put(box, "a.t", "b.t", "c.t")
    assert _ran(box) == [f"out/{name}" for name in names]
    assert box.text("out/a_b") == "a b\n"


def test_20_bundle_and_fan_out(box: Sandbox) -> None:
    """Files of one job are taken together by what their names share, and each for itself by the
    name of the rule that makes them, a split or not."""
    box.write(
        Pipefile=f"""all: <bundle> <fan> <fan_of_split>
two: two/<n>.x two/<n>.y: <n>.in
    cp <input> <outputs[0]>; cp <input> <outputs[1]>
split cut: cut/<n>.x cut/<n>.y: <n>.in
    cp <input> cut/<n>.x; cp <input> cut/<n>.y
bundle: bundle/<n>: two/<n>.x two/<n>.y
{LOG}    echo <inputs> > <output>
fan: fan/<filename>: <two>
{LOG}    echo <inputs> > <output>
fan_of_split: fan_of_split/<filename>: <cut>
{LOG}    echo <inputs> > <output>
"""
    )
    _put(box, "a.in")
    assert _ran(box) == [
        "bundle/a",
        "fan/a.x",
        "fan/a.y",
        "fan_of_split/a.x",
        "fan_of_split/a.y",
    ]
    assert box.text("bundle/a") == "two/a.x two/a.y\n"
    assert box.text("fan/a.x") == "two/a.x\n"


def test_21_product_and_regrouping(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""all: <group>
product sim: sim/<gene>-<s>.res: genes/<gene>.1 genes/<gene>.2 sims/<s>.sim
{LOG}    echo <inputs> > <output>
collate group: group/<gene>.txt: sim/<gene>-<s>.res
{LOG}    echo <inputs> > <output>
"""
    )
    _put(box, "genes/g.1", "genes/g.2", "genes/h.1", "genes/h.2")
    _put(box, "sims/1.sim", "sims/2.sim", "sims/3.sim")
    runs = [f"sim/{gene}-{s}.res" for gene in "gh" for s in "123"]
    assert _ran(box) == ["group/g.txt", "group/h.txt", *runs]
    assert box.text("sim/g-2.res") == "genes/g.1 genes/g.2 sims/2.sim\n"
    assert box.text("group/g.txt").split() == runs[:3]


# -- what runs again ----------------------------------------------------------------------------


def test_22_parallel_chains(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""all: a.3 b.3
third: <n>.3: <n>.2
{LOG}    cp <input> <output>
second: <n>.2: <n>.1
{LOG}    cp <input> <output>
"""
    )
    _put(box, "a.1", "b.1")
    assert _ran(box) == ["a.2", "a.3", "b.2", "b.3"]
    box.put("a.1", "new")
    assert _ran(box) == ["a.2", "a.3"]


def test_23_touched_intermediate(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "x"})
    box.run()
    _set_time(box, "b.txt", time.time_ns() + 10**9)
    assert _ran(box) == []
    assert _ran(box, "--checksum-level=time") == ["c.txt"]


def test_24_same_content_is_written_again(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "x"})
    box.run()
    box.put("a.txt", "x")
    assert _ran(box) == []


def test_25_early_cutoff(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "x y"})
    box.run()
    box.put("a.txt", "x   y")
    assert _ran(box) == ["b.txt"]
    assert _ran(box) == []


def test_26_equal_times(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "x"})
    box.run()
    for name in ("a.txt", "b.txt", "c.txt"):
        _set_time(box, name, 10**18)
    assert _ran(box, "--checksum-level=time") == []
    assert _ran(box) == []


def test_27_same_size_and_second(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "1"})
    second = time.time_ns() // 10**9 * 10**9
    _set_time(box, "a.txt", second)
    box.run()
    box.put("a.txt", "2")
    _set_time(box, "a.txt", second + 1)
    assert _ran(box) == ["b.txt", "c.txt"]
    box.put("a.txt", "3")
    assert _ran(box) == ["b.txt", "c.txt"]
    assert box.text("c.txt") == "3"


def test_28_minimal_with_a_gap_upstream(box: Sandbox) -> None:
    box.write(Pipefile=FOUR, **{"a.1": "x"})
    box.run()
    _remove(box, "a.2")
    assert _ran(box, "-M") == []
    assert _ran(box) == ["a.2"]
    _remove(box, "a.2")
    assert _ran(box, "--checksum-level=time") == ["a.2", "a.3", "a.4"]


def test_29_minimal_without_a_direct_input(box: Sandbox) -> None:
    box.write(Pipefile=FOUR, **{"a.1": "x"})
    box.run()
    _remove(box, "a.3")
    assert _ran(box, "-M") == ["a.3"]
    _remove(box, "a.3")
    assert _ran(box, "-M", "--checksum-level=time") == ["a.3", "a.4"]


def test_30_minimal_with_a_changed_source(box: Sandbox) -> None:
    box.write(Pipefile=FOUR, **{"a.1": "x"})
    box.run()
    box.put("a.1", "y")
    assert _ran(box, "-M", "a.3") == []
    assert _ran(box, "a.3") == ["a.2", "a.3"]


def test_31_forced_rule(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""all: <second>
first: <n>.1: <n>.in
{LOG}    cat extra/<n> <input> > <output>
second: <n>.2: <n>.1
{LOG}    cp <input> <output>
"""
    )
    _put(box, "a.in", "b.in", "extra/a", "extra/b")
    box.run()
    box.put("extra/a", "new\n")
    assert _ran(box) == []
    assert _ran(box, "--force", "first") == ["a.1", "a.2", "b.1"]


def test_32_touch(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "x"})
    box.run()
    box.put("a.txt", "y")
    assert _ran(box, "-t") == []
    assert box.text("c.txt") == "x"
    assert _ran(box) == []


def test_32_state_is_recorded_again(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "x"})
    box.run()
    for path in (box.folder / ".pybuild").rglob("*"):
        if path.is_file():
            path.unlink()
    assert _ran(box, "-t") == []
    assert _ran(box) == []
    _remove(box, "a.txt")
    assert "no rule makes `a.txt`, and there is no such file" in box.run("-t", status=2)


def test_33_output_without_a_record(box: Sandbox) -> None:
    """Levels 1 to 4 make it again, level 0 goes by its time."""
    box.write(Pipefile=f"b.txt: a.txt\n{LOG}    cp <input> <output>\n")
    _put(box, "a.txt", "b.txt")
    _set_time(box, "a.txt", 10**18)
    assert _ran(box, "--checksum-level=time") == []
    for level in ("history", "content"):
        _put(box, "b.txt")
        assert _ran(box, f"--checksum-level={level}") == ["b.txt"]
        for path in (box.folder / ".pybuild").rglob("*"):
            if path.is_file():
                path.unlink()


def test_34_changed_recipe(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, **{"a.txt": "x y"})
    box.run()
    box.write(Pipefile=CHAIN.replace("    tr -s", "    # squeeze\n    tr -s"))
    assert _ran(box) == []
    box.write(Pipefile=CHAIN.replace("tr -s ' ' < <input>", "cat <input> | tr -s ' '"))
    assert _ran(box) == ["b.txt"]
    box.write(Pipefile=CHAIN.replace("tr -s ' '", "tr x z"))
    assert _ran(box) == ["b.txt", "c.txt"]


def test_35_changed_parameter(box: Sandbox) -> None:
    text = f"b: a\n{LOG}    cp a b\n@params(extra='{{}}')\nc: a\n{LOG}    echo <extra> > c\n"
    for extra in ("A", "B", "A"):
        box.write(Pipefile="all: b c\n" + text.format(extra), a="")
        assert "c" in _ran(box)
        assert box.text("c") == f"{extra}\n"
        assert _ran(box) == []
    box.write(Pipefile="all: b c\n" + text.format("C"))
    assert _ran(box) == ["c"]


@pytest.mark.parametrize(
    ("define", "use"),
    [("", "str(value)"), ("    def told(it=value): return str(it)\n", "told()")],
)
def test_36_captured_value(box: Sandbox, define: str, use: str) -> None:
    """A variable that a block in Python uses, and one that is the default of an argument."""
    text = (
        f"python:\n    value = {{}}\n{define}out: in\n    echo <output> >> ran\n    python:\n"
        f"        output.write_text({use})\n"
    )
    box.write(Pipefile=text.format(1))
    _put(box, "in")
    assert _ran(box) == ["out"]
    box.write(Pipefile=text.format(2))
    assert _ran(box) == ["out"]
    assert box.text("out") == "2"
    assert _ran(box) == []


def test_37_prerequisite_is_added_and_removed(box: Sandbox) -> None:
    text = f"all: b c\nb: a\n{LOG}    cp a b\nc: a\n{LOG}    cp a c\n"
    box.write(Pipefile=text)
    _put(box, "a", "more")
    box.run()
    box.write(Pipefile=text.replace("c: a", "c: a more"))
    assert _ran(box) == ["c"]
    box.write(Pipefile=text)
    assert _ran(box) == ["c"]
    assert _ran(box) == []


def test_38_two_outputs_with_a_consumer_each(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""all: one.out two.out
one two &: source
    echo both >> ran
    head -n 1 source > one; tail -n 1 source > two
<n>.out: <n:one|two>
{LOG}    cp <input> <output>
""",
        source="1\n2\n",
    )
    assert _ran(box) == ["both", "one.out", "two.out"]
    box.write(source="1\n3\n")
    assert _ran(box) == ["both", "two.out"]


def test_39_renamed_input(box: Sandbox) -> None:
    """The names of the prerequisites count."""
    text = f"out: {{}}\n{LOG}    cp <input> <output>\n"
    box.write(Pipefile=text.format("one"), one="1")
    box.run()
    (box.folder / "one").rename(box.folder / "two")
    box.write(Pipefile=text.format("two"))
    assert _ran(box) == ["out"]


def test_40_order_only_predecessor(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""out: in | before
{LOG}    cp <input> <output>
@always
before:
{LOG}    date +%N > <output>
@follows("before")
other: in
{LOG}    cp <input> <output>
"""
    )
    _put(box, "in")
    assert _ran(box, "out", "other") == ["before", "other", "out"]
    assert _ran(box, "out", "other") == ["before"]


def test_41_missing_folder(box: Sandbox) -> None:
    box.write(
        Pipefile=f"res.txt: in | out/x/\n{LOG}    cp <input> <output>\n"
        f"out/x/:\n{LOG}    mkdir -p <output>\n"
    )
    _put(box, "in")
    assert _ran(box) == ["out/x/", "res.txt"]
    assert _ran(box) == []
    (box.folder / "out/x").rmdir()
    assert _ran(box) == ["out/x/"]


def test_41_folders_of_targets_are_made(box: Sandbox) -> None:
    box.write(Pipefile=f"@mkdir('work/dir')\nout/x/res: in\n{LOG}    cp <input> <output>\n")
    _put(box, "in")
    assert _ran(box) == ["out/x/res"]
    assert (box.folder / "work/dir").is_dir()
    assert _ran(box) == []


def test_42_inactive_rule(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""on ?= ""
all: merge <last>
first: a/<n>: in/<n>
{LOG}    cp <input> <output>
@active_if(on)
second: b/<n>: a/<n>
{LOG}    cp <input> <output>
last: c/<n>: b/<n>
{LOG}    cp <input> <output>
merge: <first> <second>
{LOG}    echo <inputs> > <output>
"""
    )
    _put(box, "in/x")
    assert _ran(box) == ["a/x", "merge"]
    assert box.text("merge") == "a/x\n"
    assert _ran(box) == []
    assert _ran(box, "on=yes") == ["b/x", "c/x", "merge"]
    assert box.text("merge") == "a/x b/x\n"


def test_43_links(box: Sandbox) -> None:
    box.write(Pipefile=f"link: in\n{LOG}    ln -sf <input> <output>\n")
    _put(box, "in")
    assert _ran(box) == ["link"]
    assert _ran(box) == []
    box.put("in", "new")
    assert _ran(box) == ["link"]
    assert _ran(box) == []
    _remove(box, "in")
    (box.folder / "in").symlink_to("nowhere")
    assert "`in`" in box.run(status=2)
    assert not (box.folder / "nowhere").exists()


@pytest.mark.parametrize(
    "header", ["in out &: in", "pass: <n>.src <n>.out: <n>.src", "split cut: *.src: a.src"]
)
def test_44_source_among_the_outputs(box: Sandbox, header: str) -> None:
    box.write(Pipefile=f"{header}\n{LOG}    touch <outputs>\n")
    _put(box, "in", "a.src")
    if header.startswith("split"):
        box.run()
        assert _ran(box) == []
    else:
        assert "needs itself" in box.run(status=2)
        assert box.names("*out") == []
    assert box.text("a.src") == "a.src\n"


# -- failure, interruption, several at once -----------------------------------------------------

EIGHT = f"""all: <wide> second sum
wide: wide/<n>: in/<n>
    if [ <n> = 3 ]; then exit 1; fi
{LOG}    cp <input> <output>
sum: <wide>
{LOG}    cat <inputs> > <output>
second: first
{LOG}    cp <input> <output>
first: in/1
{LOG}    cp <input> <output>
"""


def test_45_one_of_eight_fails(box: Sandbox) -> None:
    box.write(Pipefile=EIGHT)
    _put(box, *(f"in/{n}" for n in range(1, 9)))
    ran = _ran(box, "-k", status=2)
    assert ran == ["first", "second", *(f"wide/{n}" for n in (1, 2, 4, 5, 6, 7, 8))]
    told = box.run("-k", status=2)
    assert "pybuild: 0 ran, 9 up to date, 1 failed" in told
    assert "not made because of that: `sum`" in told


def test_45_nothing_starts_after_a_failure(box: Sandbox) -> None:
    """What runs ends: the other job sees the one that fails die, which is when it is known."""
    box.write(
        Pipefile=f"""all: bad second
bad:
    until [ -e begun ]; do sleep 0.01; done
    echo $$ > pid.new; mv pid.new pid; exit 1
first:
    touch begun
    until [ -e pid ]; do sleep 0.01; done
    while kill -0 $(cat pid) 2> /dev/null; do sleep 0.01; done
{LOG}    touch first
second: first
{LOG}    touch second
"""
    )
    assert _ran(box, "-j2", status=2) == ["first"]


def test_46_partial_output(box: Sandbox) -> None:
    text = f"c: b\n{LOG}    cp <input> <output>\nb: a\n{LOG}    cp <input> <output>"
    box.write(Pipefile=text + "\n", a="1")
    box.run()
    box.write(Pipefile=text + "; echo half > <output>; exit 1\n", a="2")
    assert _ran(box, status=2) == ["b"]
    assert box.text("b") == "half\n"
    assert box.text("c") == "1"
    assert _ran(box, status=2) == ["b"]
    box.write(Pipefile=text + "\n", a="1")
    assert _ran(box) == ["b"]
    box.write(Pipefile=text + "; exit 1\n", a="3")
    assert _ran(box, status=2) == ["b"]
    box.write(Pipefile=text + "\n")
    assert _ran(box) == ["b", "c"]


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_47_killed_while_the_third_runs(box: Sandbox, signum: signal.Signals) -> None:
    box.write(
        Pipefile=f"""three: two
{LOG}    echo half > <output>; echo $$ > pid.new; mv pid.new pid
    until [ -e open ]; do sleep 0.01; done
    cp <input> <output>
two: one
{LOG}    cp <input> <output>
one: in
{LOG}    cp <input> <output>
"""
    )
    _put(box, "in")
    pid = box.folder / "pid"
    with subprocess.Popen(
        [sys.executable, "-m", "pybuild"],
        cwd=box.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as build:
        _wait_for(pid.exists)
        build.send_signal(signum)
        assert build.wait(PATIENCE_S) == -signum
    _wait_for(lambda: _is_gone(int(pid.read_text())))
    _put(box, "open")
    assert _ran(box) == ["three"]
    assert box.text("three") == "in\n"


def test_48_output_is_not_made(box: Sandbox) -> None:
    box.write(Pipefile=f"c: b\n{LOG}    cp <input> <output>\nb: a\n{LOG}    true\n")
    _put(box, "a")
    told = box.run(status=2)
    assert "`b` failed: the recipe ended well but did not make `b`" in told
    assert box.text("ran") == "b\n"


def test_48_an_empty_output_is_one(box: Sandbox) -> None:
    """A recipe that does not want one says so."""
    box.write(Pipefile=f"b: a\n{LOG}    touch <output>\n")
    _put(box, "a")
    assert _ran(box) == ["b"]
    box.write(Pipefile=f"b: a\n{LOG}    touch <output>; test -s <output>\n")
    assert _ran(box, status=2) == ["b"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("out: a\n    cp a out\nout: b\n    cp b out\n", "two rules make `out`"),
        ("r: out/<n>: <n>.<e>\n    cp <input> <output>\n", "the capture `<e>` is used by no"),
        ("r: out/<basename>: x.*\n    cp <input> <output>\n", "`x.1` and `x.2` both make `out/x`"),
    ],
)
def test_49_one_output_of_two_jobs(box: Sandbox, rules: str, message: str) -> None:
    box.write(Pipefile=rules)
    _put(box, "a", "b", "x.1", "x.2")
    told = box.run(status=2)
    assert message in told
    assert "out" not in box.names("*")


def test_50_cycle(box: Sandbox) -> None:
    box.write(Pipefile=f"a: b\n{LOG}    cp b a\nb: a\n{LOG}    cp a b\n")
    assert "these need each other: `a` <- `b` <- `a`" in box.run(status=2)
    assert not (box.folder / "ran").exists()


def test_51_missing_source(box: Sandbox) -> None:
    """The complaint comes before anything runs, with the targets that need the file."""
    box.write(Pipefile=CHAIN + f"all: c.txt d.txt\nd.txt:\n{LOG}    touch <output>\n")
    told = box.run("all", status=2)
    assert "Pipefile:4:8: error: no rule makes `a.txt`, and there is no such file" in told
    assert "needed by `b.txt`" in told
    assert "needed by `c.txt`" in told
    assert not (box.folder / "ran").exists()


def test_52_limits(box: Sandbox) -> None:
    """Each of the four jobs of `slow` ends only when all of `free` have ended: so those that wait
    for their turn take up none of the two places."""
    box.write(
        Pipefile=f"""all: <slow> <free>
@jobs_limit(1)
slow: slow/<n>: in/<n>
    mkdir lock; until [ -e free/1 -a -e free/2 -a -e free/3 -a -e free/4 ]; do sleep 0.01; done
{LOG}    cp <input> <output>; rmdir lock
free: free/<n>: in/<n>
{LOG}    cp <input> <output>
"""
    )
    _put(box, *(f"in/{n}" for n in range(1, 5)))
    assert len(_ran(box, "-j2")) == 8


def test_52_limits_shared_by_rules(box: Sandbox) -> None:
    box.write(
        Pipefile="all: <one> <two>\n"
        + "".join(
            f"@pool('disk', 1)\n{name}: {name}/<n>: in/<n>\n"
            f"    mkdir lock; cp <input> <output>; rmdir lock\n{LOG}"
            for name in ("one", "two")
        )
    )
    _put(box, *(f"in/{n}" for n in range(1, 5)))
    assert len(_ran(box, "-j8")) == 8


TEMPORARY = f"""all: d1 d2
@temp
t: source
{LOG}    tr -s ' ' < <input> > <output>
d1: t
{LOG}    cp <input> <output>
d2: t
{LOG}    cp <input> <output>
"""


def test_53_temporary_output(box: Sandbox) -> None:
    box.write(Pipefile=TEMPORARY, source="x y\n")
    assert _ran(box) == ["d1", "d2", "t"]
    assert not (box.folder / "t").exists()
    assert _ran(box) == []
    _remove(box, "d1")
    assert _ran(box) == ["d1", "t"]
    box.write(source="x   y\n")
    assert _ran(box) == ["t"]
    assert not (box.folder / "t").exists()


def test_53_temporary_output_of_a_failure(box: Sandbox) -> None:
    box.write(Pipefile=TEMPORARY.replace("d1: t\n", "d1: t\n    test -e fine\n"), source="x\n")
    assert "t" in _ran(box, "-k", status=2)
    assert (box.folder / "t").exists()
    _put(box, "fine")
    assert _ran(box) == ["d1"]
    assert not (box.folder / "t").exists()


def test_54_jobs_found_by_the_run(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""-include list.pipe
names ?= []
all: <out>
@for_each("<names>")
@optional
out: out/<filename>: source
    test <filename> != bad
{LOG}    cp <input> <output>
list.pipe: list.txt
    echo "names = '$(cat <input>)'.split()" > <output>
""",
        source="",
        **{"list.txt": "a b\n"},
    )
    assert _ran(box) == ["out/a", "out/b"]
    box.put("list.txt", "a b c\n")
    assert _ran(box) == ["out/c"]
    box.put("list.txt", "a c\n")
    assert _ran(box) == []
    assert box.names("out/*") == ["out/a", "out/b", "out/c"]


def test_54_what_fails_is_tried_once(box: Sandbox) -> None:
    box.write(
        Pipefile=f"""all: <out>
split list: list/*: list.txt
    for name in $(cat <input>); do touch list/$name; done
out: out/<filename>: <list>
{LOG}    test <filename> != bad; cp <input> <output>
""",
        **{"list.txt": "a b\n"},
    )
    assert _ran(box) == ["out/a", "out/b"]
    box.put("list.txt", "a b bad\n")
    assert _ran(box, "-k", status=2) == ["out/bad"]
    box.put("list.txt", "a b\n")
    assert _ran(box) == []


def test_55_hook(box: Sandbox) -> None:
    """It is called once, if a job of its rule ran."""
    box.write(
        Pipefile=f"""all: other <out>
@posttask("echo hook >> ran")
out: out/<n>: in/<n>
{LOG}    cp <input> <output>
other: source
{LOG}    cp <input> <output>
"""
    )
    _put(box, "in/a", "in/b", "source")
    assert _ran(box) == ["hook", "other", "out/a", "out/b"]
    assert _ran(box) == []
    box.put("in/a", "new")
    assert _ran(box) == ["hook", "out/a"]
    box.put("source", "new")
    assert _ran(box) == ["other"]


def test_56_deep(box: Sandbox) -> None:
    rules = "".join(
        f"f{n}: f{n - 1}\n    python:\n        output.write_bytes(input.read_bytes())\n"
        for n in range(1, 5001)
    )
    box.write(Pipefile="all: f5000\n" + rules, f0="x")
    assert box.ran("-j2") == 5000
    box.runs_nothing()
    assert box.text("f5000") == "x"


def test_56_wide(box: Sandbox) -> None:
    box.write(
        Pipefile="out: out/<n>: in/<n>\n    python:\n        output.write_bytes(b'')\n",
    )
    (box.folder / "in").mkdir()
    for n in range(10_000):
        (box.folder / f"in/{n}").touch()
    assert box.ran("-j2") == 10_000
    box.runs_nothing()
