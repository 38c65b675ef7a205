"""What is out of date: each rule of the list, at each level that it belongs to."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from .conftest import Sandbox

CHAIN = "c: b\n    cat b > c\nb: a\n    tr -d ' ' < a > b\n"


def later(path: Path, seconds: int = 10) -> None:
    """Moves a file's time on."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + seconds * 10**9))


def test_touch_alone_runs_nothing_and_refreshes_the_stamp(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x y")
    assert box.ran() == 2
    later(box.folder / "a")
    box.runs_nothing()
    size = (box.folder / ".pybuild/journal").stat().st_size
    box.runs_nothing()
    assert (box.folder / ".pybuild/journal").stat().st_size == size


def test_early_cutoff(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x y")
    box.run()
    box.write(a="x  y")
    assert box.ran() == 1
    box.runs_nothing()


def test_same_time_and_size_other_bytes(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="1")
    moment = time.time() + 3600
    os.utime(box.folder / "a", (moment, moment))
    box.run()
    # As if the edit had come within the clock's tick: time, size and inode stay. A file whose time
    # is not safely older than its recording is read again.
    box.write(a="2")
    os.utime(box.folder / "a", (moment, moment))
    assert box.ran() == 2
    assert box.text("c") == "2"
    os.utime(box.folder / "a", (10**9, 10**9))
    box.runs_nothing()


def test_a_target_changed_by_hand_is_made_again(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    box.run()
    box.write(b="by hand")
    output = box.run("--explain")
    assert "target `b` changed" in output
    assert box.text("b") == "x"
    assert "1 ran" in output


def test_a_target_without_record_runs_and_touch_adopts_it(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x", b="old", c="old")
    for name in "bc":
        later(box.folder / name)
    assert "no record" in box.run("-n", "--explain")
    box.run("-t")
    assert (box.text("b"), box.text("c")) == ("old", "old")
    box.runs_nothing()


def test_level_time_accepts_what_is_newer(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x", b="old", c="old")
    for number, name in enumerate("abc"):
        later(box.folder / name, number - 100)
    box.runs_nothing("--checksum-level=0")
    later(box.folder / "a", 50)
    assert box.ran("--checksum-level=time") == 2


@pytest.mark.parametrize(("level", "runs"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1)])
def test_recipe_changes_count_from_level_2(box: Sandbox, level: int, runs: int) -> None:
    box.write(Pipefile="b: a\n    cat a > b\n", a="x")
    box.run(f"--checksum-level={level}")
    box.write(Pipefile="b: a\n    cat a  > b; :\n")
    assert box.ran(f"--checksum-level={level}") == runs


@pytest.mark.parametrize(("level", "runs"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1)])
def test_values_count_from_level_3(box: Sandbox, level: int, runs: int) -> None:
    box.write(Pipefile='word = "x"\nb: a\n    echo <word> > b\n', a="x")
    box.run(f"--checksum-level={level}")
    assert box.ran(f"--checksum-level={level}", "word=y") == runs


def test_the_list_of_inputs_counts(box: Sandbox) -> None:
    box.write(Pipefile="all.txt: in/*.txt\n    cat <inputs> > <output>\n")
    box.put("in/a.txt", "a")
    box.put("in/b.txt", "")
    box.run("--checksum-level=1")
    (box.folder / "in/b.txt").unlink()
    assert "no prerequisite any more" in box.run("--checksum-level=1", "--explain")
    box.put("in/c.txt", "")
    assert "is new among its prerequisites" in box.run("--explain")


def test_comments_in_recipes_and_code_do_not_count(box: Sandbox) -> None:
    first = 'python:\n    def f(x):\n        return x * 2\nb: a\n    python:\n        output.write_text(f("x"))\n'
    second = (
        'python:\n    # a comment\n    def f(x):\n        """A doc string."""\n\n'
        '        return (x * 2)\nb: a\n    python:\n        # why\n        output.write_text(f("x"))\n'
    )
    box.write(Pipefile=first, a="x")
    box.run()
    box.write(Pipefile=second)
    box.runs_nothing()
    box.write(Pipefile=first.replace("* 2", "* 3"))
    assert "recipe, or code that it calls" in box.run("--explain")
    assert box.text("b") == "xxx"
    box.write(Pipefile="b: a\n    # one\n    cat a > b\n")
    box.run()
    box.write(Pipefile="b: a\n    cat a > b   \n\n    # two\n")
    box.runs_nothing()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return helper(x)", "return helper(x) + 'more'"),
        ("CONSTANT = 1", "CONSTANT = 2"),
        ("default=3", "default=4"),
        ("make_adder(5)", "make_adder(6)"),
        ("class Thing:\n        size = 7", "class Thing:\n        size = 8"),
    ],
)
def test_code_that_is_reached_counts(box: Sandbox, old: str, new: str) -> None:
    text = """python:
    import functools
    CONSTANT = 1
    class Thing:
        size = 7
    def make_adder(n):
        return lambda m: n + m
    adder = make_adder(5)
    def helper(x, default=3):
        return f"{x}{default}{CONSTANT}{adder(1)}{Thing.size}"
    @functools.lru_cache
    def call(x):
        return helper(x)
    def unrelated():
        return 1
b: a
    python:
        output.write_text(call("x"))
"""
    box.write(Pipefile=text, a="x")
    box.run()
    box.write(Pipefile=text.replace("        return 1\n", "        return 2\n"))
    box.runs_nothing()
    assert old in text
    box.write(Pipefile=text.replace(old, new))
    assert box.ran() == 1
    box.runs_nothing()


def test_modules_of_the_project_count_as_far_as_they_are_used(box: Sandbox) -> None:
    box.write(
        Pipefile="python:\n    import sys\n    sys.path.insert(0, '.')\n    import tools\n"
        "b: a\n    python:\n        output.write_text(tools.shout('x'))\n",
        a="x",
    )
    box.put(
        "tools.py",
        "def shout(x):\n    return inner(x)\ndef inner(x):\n    return x\ndef no():\n    pass\n",
    )
    box.run()
    box.put(
        "tools.py",
        "def shout(x):\n    return inner(x)\ndef inner(x):\n    return x\ndef no():\n    return 1\n",
    )
    box.runs_nothing()
    box.put(
        "tools.py",
        "def shout(x):\n    return inner(x)\ndef inner(x):\n    return x + '!'\ndef no():\n    return 1\n",
    )
    assert box.ran() == 1
    assert box.text("b") == "x!"


def test_values_of_variables_used_in_python(box: Sandbox) -> None:
    box.write(
        Pipefile='word = "x"\nother = 1\nb: a\n    python:\n        output.write_text(word)\n', a=""
    )
    box.run()
    box.runs_nothing("other=2")
    output = box.run("--explain", "word=z")
    assert "`word` changed from `x` to `z`" in output
    assert box.text("b") == "z"


def test_minimal_mode(box: Sandbox) -> None:
    text = "d: c\n    cat c > d\nc: b\n    cat b > c\nb: a\n    cat a > b\n"
    box.write(Pipefile=text, a="1")
    box.run()
    (box.folder / "b").unlink()
    box.runs_nothing("-M")
    box.write(a="2")
    box.runs_nothing("--rebuild=minimal")
    (box.folder / "c").unlink()
    assert box.ran("-M") == 3
    assert box.text("d") == "2"


def test_maximal_mode_remakes_what_is_missing_upstream(box: Sandbox) -> None:
    text = "d: c\n    cat c > d\nc: b\n    cat b > c\nb: a\n    cat a > b\n"
    box.write(Pipefile=text, a="1")
    box.run()
    (box.folder / "b").unlink()
    assert box.ran() == 1


def test_force(box: Sandbox) -> None:
    box.write(
        Pipefile="all: <two>\ntwo: <n>.2: <one>\n    true\none: <n>.1: <n>.0\n    cp <input> <output>\n".replace(
            "<n>.2: <one>\n    true", "<basename>.2: <one>\n    cp <input> <output>"
        )
    )
    box.put("x.0", "")
    box.put("y.0", "")
    assert box.ran() == 4
    assert box.ran("--force", "one") == 2
    assert box.ran("--force", "x.2") == 1
    assert box.ran("-B") == 4


def test_a_failed_job_leaves_its_files_and_runs_again(box: Sandbox) -> None:
    box.write(Pipefile="b: a\n    echo half > b\n    test -e ok\n", a="x")
    for level in ("4", "1", "0"):
        output = box.run(f"--checksum-level={level}", status=2)
        assert "failed: exit status 1" in output
        assert box.text("b") == "half\n"
        later(box.folder / "b")
    box.put("ok", "")
    assert box.ran("--checksum-level=0") == 1
    box.runs_nothing()


def test_a_recipe_that_does_not_make_its_target(box: Sandbox) -> None:
    box.write(Pipefile="b: a\n    true\n", a="x")
    assert "did not make `b`" in box.run(status=2)


def test_without_keep_going_nothing_new_starts(box: Sandbox) -> None:
    box.write(
        Pipefile="all: bad good\nbad: a\n    false\ngood: a bad\n    touch good\nother: a\n    touch other\n",
        a="",
    )
    box.run("-j1", "bad", "other", status=2)
    assert not (box.folder / "other").exists()
    output = box.run("-k", "-j1", "all", "other", status=2)
    assert (box.folder / "other").exists()
    assert "not made because of that: `good`" in output


def test_a_moved_or_copied_project_stays_up_to_date(box: Sandbox, tmp_path: Path) -> None:
    box.write(Pipefile=CHAIN, a="x y")
    box.run()
    shutil.copytree(box.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("copy"))
    copy = Sandbox(tmp_path / "copy")
    copy.runs_nothing()


def test_depfile(box: Sandbox) -> None:
    box.write(
        Pipefile='@depfile("<basename>.d")\nobj: <basename>.o: *.c\n'
        "    gcc -MMD -c <input> -o <output>\n"
    )
    box.put("a.c", '#include "a.h"\nint x = N;\n')
    box.put("a.h", "#define N 1\n")
    assert box.ran() == 1
    box.runs_nothing()
    box.put("a.h", "#define N 2\n")
    assert "discovered prerequisite `a.h` changed" in box.run("--explain")
    (box.folder / "a.h").unlink()
    box.put("a.c", "int x = 3;\n")
    assert box.ran() == 1
    box.runs_nothing()


def test_temporary_files(box: Sandbox) -> None:
    text = """all: d1 d2
d1: t
    cat t > d1
d2: t
    cat t > d2
@temp
t: a
    tr -d ' ' < a > t
"""
    box.write(Pipefile=text, a="x y")
    assert box.ran() == 3
    assert not (box.folder / "t").exists()
    box.runs_nothing()
    (box.folder / "d1").unlink()
    assert box.ran() == 2
    assert not (box.folder / "t").exists()
    box.write(a="x  y")
    assert box.ran() == 1
    assert not (box.folder / "t").exists()
    box.write(a="z")
    assert box.ran() == 3


@pytest.mark.parametrize("words", [(), ("-M",), ("--checksum-level=0",)])
def test_a_goal_wants_its_temporary_file(box: Sandbox, words: tuple[str, ...]) -> None:
    text = """all: d
d: t
    cp t d
@temp
t: s
    cp s t
@temp
s: a
    cp a s
"""
    box.write(Pipefile=text, a="x")
    assert box.ran(*words) == 3
    box.run("-q", *words)
    box.run("-q", *words, "t", status=1)
    assert "`t` is not there" in box.run("-n", *words, "t")
    assert box.ran(*words, "t") == 2
    assert box.text("t") == "x"
    assert not (box.folder / "s").exists()
    box.runs_nothing(*words, "t")
    assert box.text("t") == "x"
    assert box.ran(*words, "d", "t") == (0 if words != ("--checksum-level=0",) else 1)
    assert box.text("t") == "x"


def test_a_goal_that_is_a_rule_wants_its_temporary_files(box: Sandbox) -> None:
    text = """all: <two>
@temp
one: one/<basename>.one: *.in
    cp <input> <output>
two: two/<basename>.two: <one>
    cp <input> <output>
"""
    box.write(Pipefile=text, **{"a.in": "a", "b.in": "b"})
    assert box.ran() == 4
    assert box.names("one/*") == []
    assert box.ran("one") == 2
    assert box.names("one/*") == ["one/a.one", "one/b.one"]
    box.runs_nothing("one")
    box.runs_nothing("one", "two")
    assert box.names("one/*") == ["one/a.one", "one/b.one"]


def test_leftovers_are_no_sources(box: Sandbox) -> None:
    first = "all: mid/*.txt\n    cat <inputs> > <output>\nmid/<n>.txt: in/<n>.txt\n    cp <input> <output>\n"
    box.write(Pipefile=first)
    box.put("in/a.txt", "a")
    box.put("in/b.txt", "b")
    box.run()
    (box.folder / "in/a.txt").unlink()
    box.run()
    assert box.text("all") == "b"
    box.put("mid/a.txt", "mine now")
    box.run()
    assert box.text("all") == "mine nowb"


def test_what_a_job_left_that_did_not_end_well_is_no_source(box: Sandbox) -> None:
    box.write(
        Pipefile="all: mid/*.txt\n    cat <inputs> > <output>\n"
        "mid/<n>.txt: in/<n>.txt\n    cp <input> <output>; test ! -e bad\n"
    )
    box.put("in/a.txt", "a")
    box.put("in/b.txt", "b")
    box.run()
    box.write(bad="")
    box.put("in/a.txt", "half of it")
    box.put("in/c.txt", "new")
    box.run("-k", status=2)
    for name in ("bad", "in/a.txt", "in/c.txt"):
        (box.folder / name).unlink()
    assert box.names("mid/*") == ["mid/a.txt", "mid/b.txt", "mid/c.txt"]
    box.run()
    assert box.text("all") == "b"
    box.run("-t", "mid/c.txt")
    box.run()
    assert box.text("all") == "bnew"


def test_a_leftover_that_is_named_is_an_error_until_adopted(box: Sandbox) -> None:
    box.write(Pipefile="b: a\n    cat a > b\na: src\n    cat src > a\n", src="1")
    box.run()
    box.write(Pipefile="b: a\n    cat a > b\n")
    assert "PB306" in box.run(status=2)
    box.run("-t", "a")
    box.runs_nothing()


def test_question(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    box.run("-q", status=1)
    assert not (box.folder / "b").exists()
    box.run()
    box.run("-q")
    box.run("-q", "nonsense", status=2)


def test_dry_run_runs_nothing(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    output = box.run("-n")
    assert "cat b > c" in output
    assert box.names("[bc]") == []
    assert "2 would run" in output


def test_assumed_new_and_old(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    box.run()
    assert box.ran("-W", "a") >= 1
    box.write(a="changed")
    box.runs_nothing("-o", "b")
    assert box.ran() == 2


def test_equal_times_are_up_to_date_below_content(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x", b="x", c="x")
    for name in "abc":
        os.utime(box.folder / name, (10**9, 10**9))
    box.runs_nothing("--checksum-level=0")


def test_an_edit_of_a_module_right_after_a_build_is_seen(box: Sandbox) -> None:
    """Python takes bytecode for good whose source has the same size and whole second."""
    box.write(
        Pipefile="python:\n    import tools\nb: a\n    python:\n        output.write_text(tools.f('x'))\n",
        a="",
    )
    box.put("tools.py", "def f(x):\n    return x + '1'\n")
    box.run()
    status = (box.folder / "tools.py").stat()
    box.put("tools.py", "def f(x):\n    return x + '2'\n")
    os.utime(box.folder / "tools.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert box.ran() == 1
    assert box.text("b") == "x2"
    assert not (box.folder / "__pycache__").exists()


def test_assumed_new_runs_what_follows_and_not_the_file_itself(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    box.run()
    assert "taken as changed" in box.run("-W", "b", "--explain")
    assert box.ran("-W", "b") == 1
    box.runs_nothing()


def test_assumed_old_is_no_reason(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    box.run()
    box.write(a="y")
    box.runs_nothing("-o", "a")


def test_forcing_what_is_not_there_is_an_error(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    assert "no rule makes `bb`" in box.run("--force", "bb", status=2)
    assert box.names("[bc]") == []


def test_a_folder_behind_the_bar_may_be_made_as_in_make(box: Sandbox) -> None:
    box.write(Pipefile="out/b: a | out\n    cp a out/b\nout:\n    mkdir -p out\n", a="1")
    box.run()
    box.runs_nothing()
    box.put("out/other", "")
    box.runs_nothing()


def test_explain_says_why_a_goal_does_not_run(box: Sandbox) -> None:
    box.write(Pipefile=CHAIN, a="x")
    box.run()
    assert "b: up to date: its recipe and values, 1 prerequisite and 1 target" in box.run(
        "--explain", "c"
    )


def test_a_part_that_is_gone_is_made_again(box: Sandbox) -> None:
    """Also when nothing else has changed since."""
    box.write(
        Pipefile="all: <parts>\nsplit parts: d/*.part: a\n    for i in 1 2; do cp a d/$i.part; done\n",
        a="x",
    )
    assert box.ran() == 1
    box.runs_nothing()
    box.runs_nothing()
    (box.folder / "d" / "2.part").unlink()
    assert box.ran() == 1
    assert (box.folder / "d" / "2.part").exists()


def test_what_no_goal_needs_cannot_be_forced(box: Sandbox) -> None:
    text = """a: src
    cp src a
b: src
    cp src b
split s: s/*.y: src
    touch s/1.y
t: <s>
    touch t
u: u/<basename>: <s>
    touch <output>
"""
    box.write(Pipefile=text, src="")
    for name in ("b", "t", "s", "u"):
        output = box.run("--force", name, status=2)
        assert f"no goal needs `{name}` [PB305]" in output
        assert f"`pybuild --force {name} {name}`" in output
        assert not (box.folder / "a").exists()
    assert "no rule makes `src` [PB305]" in box.run("--force", "src", status=2)
    box.run("-q", "--force", "b", status=2)
    assert box.ran("--force", "b", "a", "b") == 2
    assert box.ran("--force", "./b", "a", "b") == 1
    assert "no goal needs `u` [PB305]" in box.run("--force", "u", "t", status=2)
    assert box.ran("--force", "u/1", "u") == 1
    assert box.ran("--force", "s", "t") == 1


@pytest.mark.parametrize("level", range(5))
def test_a_dry_run_tells_no_time_of_what_is_not_there(box: Sandbox, level: int) -> None:
    box.write(Pipefile="c: b\n    cp b c\nb: a\n    cp a b\n", a="1")
    box.run(f"--checksum-level={level}")
    (box.folder / "b").unlink()
    told = box.run("-n", f"--checksum-level={level}")
    assert "c: prerequisite `b` will be made again\n" in told
    assert "newer" not in told


def test_a_further_target_makes_a_job_run(box: Sandbox) -> None:
    """It was made by nobody, or by somebody else."""
    text = "a b &: source\n    touch a b c\n"
    box.write(Pipefile=text.replace(" c\n", "\n"), source="")
    box.run()
    box.write(Pipefile=text.replace("a b &:", "a b c &:"))
    assert "a: `c` is not there" in box.run("--explain")
    box.runs_nothing()
    box.write(Pipefile=text)
    box.runs_nothing()
    box.write(
        Pipefile=text.replace("a b &:", "a b d &:").replace("a b c\n", "a b c d\n"), d="by hand"
    )
    assert "a: there is no record that it made `d`" in box.run("--explain")
    box.runs_nothing()


def test_a_rule_becomes_temporary_after_a_build_by_times(box: Sandbox) -> None:
    """What was recorded by times gets its digests before the files are taken away, also where the
    one that reads them is absent itself."""
    pipefile = """end.txt: <second>
    cp <input> <output>

@temp
second: second.txt: <first>
    cp <input> <output>

first: first.txt: source
    cp <input> <output>
"""
    box.write(Pipefile=pipefile, source="x")
    assert box.ran("--checksum-level=history") == 3
    box.write(Pipefile=pipefile.replace("first: first.txt", "@temp\nfirst: first.txt"))
    box.runs_nothing()
    assert box.names("*.txt") == ["end.txt"]
    box.runs_nothing()
