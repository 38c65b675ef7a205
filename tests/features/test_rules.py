"""Each kind of rule, by what it builds and what a second build does."""

from __future__ import annotations

import pytest

from .conftest import Sandbox


def test_plain_targets_are_made_one_by_one(box: Sandbox) -> None:
    box.write(Pipefile="a b: c\n    echo <output> >> log; cp c <output>\n", c="1")
    box.run("a", "b")
    assert sorted(box.text("log").split()) == ["a", "b"]
    box.runs_nothing("a", "b")


def test_the_default_goal_is_all_targets_of_the_first_rule(box: Sandbox) -> None:
    box.write(Pipefile="a b: c\n    cp c <output>\nd: c\n    cp c d\n", c="1")
    box.run()
    assert box.names("[abd]") == ["a", "b"]


def test_grouped_targets_are_made_by_one_run(box: Sandbox) -> None:
    box.write(Pipefile="a b &: c\n    echo x >> log\n    touch <outputs>\n", c="1")
    box.run("b")
    assert box.text("log") == "x\n"
    assert box.names("[ab]") == ["a", "b"]
    box.runs_nothing("a", "b")


def test_a_transform_makes_a_job_for_each_match(box: Sandbox) -> None:
    box.write(Pipefile="up: out/<name>.up: in/<name>.txt\n    tr a-z A-Z < <input> > <output>\n")
    box.put("in/x.txt", "abc")
    box.put("in/y.txt", "def")
    assert box.ran() == 2
    assert box.text("out/x.up") == "ABC"
    box.put("in/z.txt", "ghi")
    assert box.ran() == 1
    box.runs_nothing()


def test_file_parts_of_a_glob_driver(box: Sandbox) -> None:
    pipefile = """all: <mark>
mark: <path>/made/<basename>-<subdir[0]><ext>: data/*/*.txt
    echo '<filename>' > <output>
"""
    box.write(Pipefile=pipefile)
    box.put("data/one/x.txt", "")
    box.run()
    assert box.text("data/one/made/x-one.txt") == "x.txt\n"
    box.runs_nothing()


def test_further_prerequisites_are_filled_in_or_added_to_each(box: Sandbox) -> None:
    pipefile = """join: out/<s>.txt: in/<s>.txt meta/<s>.tag common.txt extra/*.inc
    cat <inputs> > <output>
"""
    box.write(Pipefile=pipefile, **{"common.txt": "C"})
    for name, text in {
        "in/a.txt": "a",
        "in/b.txt": "b",
        "meta/a.tag": "1",
        "meta/b.tag": "2",
        "extra/p.inc": "P",
        "extra/q.inc": "Q",
    }.items():
        box.put(name, text)
    box.run()
    assert box.text("out/a.txt") == "a1CPQ"
    assert box.text("out/b.txt") == "b2CPQ"
    box.put("meta/a.tag", "3")
    assert box.ran() == 1
    box.put("common.txt", "D")
    assert box.ran() == 2


def test_globs_with_captures_in_further_prerequisites(box: Sandbox) -> None:
    box.write(Pipefile="out/<s>.txt: in/<s>.txt parts/<s>_*.p\n    cat <inputs> > <output>\n")
    for name in ("in/a.txt", "in/b.txt", "parts/a_1.p", "parts/a_2.p", "parts/b_1.p"):
        box.put(name, name + "\n")
    box.run()
    assert box.text("out/a.txt").split() == ["in/a.txt", "parts/a_1.p", "parts/a_2.p"]
    assert box.text("out/b.txt").split() == ["in/b.txt", "parts/b_1.p"]


@pytest.mark.parametrize(
    ("further", "found"),
    [
        ("parts/<n>*.x", "parts/a.x parts/a1.x parts/a_b.x"),
        ("parts/<n>_*.x", "parts/a_b.x parts/a_b_c.x"),
        ("parts/*_<n>.x", "parts/b_a.x parts/c_b_a.x"),
        ("*/<n>?.x", "parts/a1.x"),
    ],
)
def test_all_that_a_filled_in_glob_matches(box: Sandbox, further: str, found: str) -> None:
    """Also where the capture could have other texts in the same names."""
    box.write(Pipefile=f"<n>.out: in/<n> {further}\n    echo <inputs> > <output>\n")
    box.put("in/a", "")
    names = found.split()
    for name in (*names, "parts/b.x", "parts/ba_.x", "parts/a/b.x"):
        box.put(name, "")
    box.run()
    assert box.text("a.out").split() == ["in/a", *names]


def test_a_capture_with_slashes_is_filled_into_a_glob(box: Sandbox) -> None:
    box.write(Pipefile="out/<n>.txt: in/<n:**>.txt in/<n>/*.x\n    echo <inputs> > <output>\n")
    for name in ("in/a.txt", "in/b/c.txt", "in/a/1.x", "in/b/c/2.x"):
        box.put(name, "")
    box.run()
    assert box.text("out/a.txt").split() == ["in/a.txt", "in/a/1.x"]
    assert box.text("out/b/c.txt").split() == ["in/b/c.txt", "in/b/c/2.x"]


def test_collate_groups_by_targets(box: Sandbox) -> None:
    pipefile = """collate pair: out/<s>.txt: in/<s>_R<mate:[12]>.txt
    echo <mate> > <output>; cat <inputs> >> <output>
"""
    box.write(Pipefile=pipefile)
    for name in ("in/x_R1.txt", "in/x_R2.txt", "in/y_R1.txt", "in/z_R3.txt"):
        box.put(name, name + "\n")
    assert box.ran() == 2
    assert box.text("out/x.txt").split() == ["1", "2", "in/x_R1.txt", "in/x_R2.txt"]
    assert box.text("out/y.txt").split() == ["1", "in/y_R1.txt"]
    box.put("in/y_R2.txt", "new\n")
    assert box.ran() == 1
    (box.folder / "in/x_R2.txt").unlink()
    assert box.ran() == 1
    assert box.text("out/x.txt").split() == ["1", "in/x_R1.txt"]
    box.runs_nothing()


def test_globs_see_files_that_will_be_built_wherever_the_rule_stands(box: Sandbox) -> None:
    pipefile = """all.txt: mid/*.txt
    cat <inputs> > <output>
second: mid/<x>.txt: low/<x>.txt
    cp <input> <output>
first: low/<x>.txt: src/<x>.txt
    cp <input> <output>
"""
    box.write(Pipefile=pipefile)
    box.put("src/a.txt", "a")
    box.put("src/b.txt", "b")
    assert box.ran() == 5
    assert box.text("all.txt") == "ab"
    (box.folder / "src/a.txt").unlink()
    assert box.ran() == 1
    assert box.text("all.txt") == "b"
    box.runs_nothing()


def test_a_rule_does_not_drive_itself(box: Sandbox) -> None:
    box.write(Pipefile="sort: <s>.sorted.txt: <s>.txt\n    sort <input> > <output>\n")
    box.put("a.txt", "2\n1\n")
    for _ in range(3):
        box.run()
    assert box.names("*.txt") == ["a.sorted.txt", "a.txt"]
    (box.folder / ".pybuild/journal").unlink()
    box.run()
    assert box.names("*.txt") == ["a.sorted.txt", "a.txt"]


def test_a_rule_as_driver(box: Sandbox) -> None:
    pipefile = """all: <second>
second: out/<basename>.2: <first>
    cp <input> <output>
first: mid/<n>.1: in/<n>.txt
    cp <input> <output>
"""
    box.write(Pipefile=pipefile)
    box.put("in/a.txt", "a")
    box.run()
    assert box.text("out/a.2") == "a"


@pytest.mark.parametrize("header", ["a.one b.one:", "<names>:"])
@pytest.mark.parametrize("above", [True, False])
def test_a_rule_of_plain_targets_as_driver(box: Sandbox, header: str, above: bool) -> None:
    """Wherever it stands."""
    made = f"names = ['a.one', 'b.one']\nseed: {header}\n    echo <output> > <output>\n"
    follows = "two: <basename>.two: <seed>\n    cp <input> <output>\n"
    box.write(Pipefile=made + follows if above else follows + made)
    box.run("two")
    assert box.names("*.two") == ["a.two", "b.two"]


def test_a_list_as_driver(box: Sandbox) -> None:
    pipefile = """files = ["one.txt", "two.txt"]
out/<basename>.up: <files>
    tr a-z A-Z < <input> > <output>
"""
    box.write(Pipefile=pipefile, **{"one.txt": "x", "two.txt": "y"})
    box.run()
    assert box.names("out/*") == ["out/one.up", "out/two.up"]


def test_pattern_rules_make_chains_on_demand(box: Sandbox) -> None:
    pipefile = """final: x.c.out
    cp <input> <output>
%.out: %.mid
    cp <input> <output>; echo <stem> >> <output>
%.mid: %.in
    cp <input> <output>
"""
    box.write(Pipefile=pipefile)
    box.put("x.c.in", "data\n")
    box.put("other.in", "data\n")
    assert box.ran() == 3
    assert box.text("final") == "data\nx.c\n"
    assert not (box.folder / "other.mid").exists()
    assert box.ran("other.out") == 2
    box.runs_nothing()


def test_the_shortest_stem_wins(box: Sandbox) -> None:
    pipefile = """%.o: %.c
    echo general > <output>
lib/%.o: lib/%.c
    echo special > <output>
"""
    box.write(Pipefile=pipefile)
    box.put("lib/a.c", "")
    box.put("b.c", "")
    box.run("lib/a.o", "b.o")
    assert box.text("lib/a.o") == "special\n"
    assert box.text("b.o") == "general\n"


def test_static_pattern_rules(box: Sandbox) -> None:
    box.write(Pipefile="all: a.o b.o\na.o b.o: %.o: %.c\n    cp <input> <output>\n")
    box.put("a.c", "A")
    box.put("b.c", "B")
    assert box.ran() == 2
    assert box.text("b.o") == "B"


def test_split_and_what_follows(box: Sandbox) -> None:
    pipefile = """report: <count>
    cat <inputs> > <output>
count: counts/<basename>.n: <parts>
    wc -l < <input> > <output>
split parts: parts/*.txt: big.txt
    split -l 2 --additional-suffix=.txt <input> parts/
"""
    box.write(Pipefile=pipefile)
    box.put("big.txt", "1\n2\n3\n4\n5\n")
    *told, last = box.run("-n").splitlines()
    unknown = sum("unknown until `parts` has run" in line for line in told)
    assert unknown > 0
    assert last == f"pybuild: 1 would run, 0 up to date, {unknown} unknown until others have run"
    assert box.ran() == 5
    assert "1 prerequisite and 3 targets are as they were recorded" in box.run("-d", "parts")
    assert box.names("parts/*") == ["parts/aa.txt", "parts/ab.txt", "parts/ac.txt"]
    assert box.text("report").split() == ["2", "2", "1"]
    box.runs_nothing()
    box.put("big.txt", "1\n2\n3\n")
    box.run()
    assert box.names("parts/*") == ["parts/aa.txt", "parts/ab.txt"]
    assert box.text("report").split() == ["2", "1"]
    box.runs_nothing()


def test_split_notices_what_is_missing_and_leaves_strangers_alone(box: Sandbox) -> None:
    pipefile = """all.txt: <copy>
    cat <inputs> > <output>
copy: out/<n>.c: parts/<n>.txt
    cp <input> <output>
split parts/*.txt: big.txt
    for word in $(cat <input>); do echo $word > parts/$word.txt; done
"""
    box.write(Pipefile=pipefile)
    box.put("big.txt", "x y")
    box.put("parts/stranger.txt", "s\n")
    box.run()
    assert box.text("all.txt").split() == ["s", "x", "y"]
    (box.folder / "parts/x.txt").unlink()
    assert box.ran() == 1
    assert box.text("parts/x.txt") == "x\n"
    box.put("parts/late.txt", "l\n")
    box.run()
    assert box.text("parts/late.txt") == "l\n"
    assert box.text("all.txt").split() == ["l", "s", "x", "y"]
    box.put("big.txt", "")
    box.run()
    assert box.names("parts/*") == ["parts/late.txt", "parts/stranger.txt"]
    assert box.text("all.txt").split() == ["l", "s"]


def test_split_into_nothing_is_a_result(box: Sandbox) -> None:
    pipefile = """merge: <each>
    cat /dev/null <inputs> > <output>
each: out/<basename>: <parts>
    cp <input> <output>
split parts: parts/*.txt: big.txt
    for word in $(cat <input>); do echo $word > parts/$word.txt; done
"""
    box.write(Pipefile=pipefile)
    box.put("big.txt", "")
    assert box.ran() == 2
    assert box.text("merge") == ""
    box.runs_nothing()


def test_split_with_a_plain_target(box: Sandbox) -> None:
    pipefile = """all: <up>
up: out/<basename>.up: <part>
    tr a-z A-Z < <input> > <output>
split part: parts/one.txt: big.txt
    cp <input> parts/one.txt
"""
    box.write(Pipefile=pipefile)
    box.put("big.txt", "x\n")
    assert box.ran() == 2
    assert box.text("out/one.up") == "X\n"
    box.runs_nothing()


def test_split_for_each_match(box: Sandbox) -> None:
    pipefile = """all: <up>
up: up/<s>.<n>.txt: parts/<s>.<n>.part
    tr a-z A-Z < <input> > <output>
split cut: parts/<s>.*.part: in/<s>.txt
    for word in $(cat <input>); do echo $word > parts/<s>.$word.part; done
"""
    box.write(Pipefile=pipefile)
    box.put("in/a.txt", "x y")
    box.put("in/b.txt", "z")
    assert box.ran() == 5
    assert box.names("up/*") == ["up/a.x.txt", "up/a.y.txt", "up/b.z.txt"]
    box.put("in/b.txt", "z w")
    assert box.ran() == 2
    box.runs_nothing()


def test_split_behind_split(box: Sandbox) -> None:
    pipefile = """total: <letters>
    cat <inputs> | tr -d '\\n' > <output>
letters: l/<w>.<c>.txt: chars/<w>.<c>
    cp <input> <output>
split chars/<w>.*: words/<w>.txt
    for c in $(fold -w1 <input>); do echo $c > chars/<w>.$c; done
split words/*.txt: text
    for w in $(cat text); do echo $w > words/$w.txt; done
"""
    box.write(Pipefile=pipefile, text="ab cd")
    box.run()
    assert box.text("total") == "abcd"
    box.runs_nothing()
    box.write(text="ab e")
    box.run()
    assert box.text("total") == "abe"
    box.runs_nothing()
    assert "0 would run" in box.run("-n")


def test_phony_tasks_run_always_and_order_only_makes_nothing_stale(box: Sandbox) -> None:
    pipefile = """.PHONY: hello
a: b | hello
    cp b a
hello:
    echo hello >> log
@phony
bye:
    echo bye >> log
"""
    box.write(Pipefile=pipefile, b="1")
    assert box.ran() == 2
    assert box.ran() == 1
    assert box.text("log") == "hello\nhello\n"
    box.run("bye")
    assert box.text("log").endswith("bye\n")


def test_what_needs_a_task_always_runs(box: Sandbox) -> None:
    box.write(Pipefile=".PHONY: t\na: b t\n    cp b a\nt:\n    true\n", b="1")
    assert box.ran() == 2
    assert box.ran() == 2


def test_rules_without_recipe_add_prerequisites(box: Sandbox) -> None:
    pipefile = """all: x y
x: in
    cp in x
x: header
y: x
    cp x y
"""
    box.write(Pipefile=pipefile, header="h", **{"in": "1"})
    assert box.ran() == 2
    box.write(header="changed")
    assert box.ran() == 1


def test_a_rule_name_is_a_goal_and_a_prerequisite(box: Sandbox) -> None:
    pipefile = """app: objects
    cat <inputs> > <output>
objects: o/<n>.o: <n>.c
    cp <input> <output>
"""
    box.write(Pipefile=pipefile)
    box.put("a.c", "a")
    box.put("b.c", "b")
    assert box.ran("objects") == 2
    assert box.ran() == 1
    assert box.text("app") == "ab"


def test_named_files(box: Sandbox) -> None:
    pipefile = """reference = "ref.fa"
both: out=res/<s>.out log=res/<s>.log: in/<s>.txt ref=<reference>
    cat <ref> <in> 2>/dev/null || cat <ref> <input> > <out>
    echo <ref.basename> > <log>
""".replace(" <in> 2>/dev/null || cat <ref>", "")
    box.write(Pipefile=pipefile, **{"ref.fa": "R"})
    box.put("in/a.txt", "a")
    assert box.ran() == 1
    assert box.text("res/a.out") == "Ra"
    assert box.text("res/a.log") == "ref\n"
    box.runs_nothing()


def test_functions_in_placeholders(box: Sandbox) -> None:
    pipefile = """python:
    def reads_of(sample):
        return sorted(glob(f"reads/{sample}_*.txt"))
    def shout(text):
        return text.upper()
out/<s>.txt: samples/<s> <reads_of(s)>
    echo <shout(s)> > <output>; cat <inputs> >> <output>
reads/<s>_made.txt: samples/<s>
    echo made > <output>
"""
    box.write(Pipefile=pipefile)
    box.put("samples/x", "X\n")
    box.put("reads/x_1.txt", "1\n")
    box.run()
    assert box.text("out/x.txt").split() == ["X", "X", "1", "made"]
    box.runs_nothing()


def test_globs_in_assignments_see_what_will_be_built(box: Sandbox) -> None:
    pipefile = """objects = glob("o/*.o")
app: <objects>
    cat <inputs> > <output>
o/<n>.o: <n>.c
    cp <input> <output>
"""
    box.write(Pipefile=pipefile)
    box.put("a.c", "a")
    box.put("b.c", "b")
    assert box.ran() == 3
    assert box.text("app") == "ab"
    (box.folder / "b.c").unlink()
    assert box.ran() == 1
    assert box.text("app") == "a"
    box.runs_nothing()


def test_include(box: Sandbox) -> None:
    box.write(Pipefile="include more.pipe\n-include absent.pipe\nall: <made>\n")
    box.put("more.pipe", 'word = "hi"\nmade: out.txt: in.txt\n    echo <word> > <output>\n')
    box.put("in.txt", "")
    box.run("all")
    assert box.text("out.txt") == "hi\n"


def test_an_included_file_is_made_first(box: Sandbox) -> None:
    pipefile = """all: <extra>
include made.pipe
made.pipe: names
    for n in $(cat names); do printf '%s.txt: names\\n    echo %s > %s.txt\\n' $n $n $n; done > <output>
    echo 'extra: list: x.txt' >> <output>
    echo '    cat x.txt > list' >> <output>
"""
    box.write(Pipefile=pipefile, names="x")
    box.run()
    assert box.text("list") == "x\n"
    box.runs_nothing()


def test_folders_as_targets_and_prerequisites(box: Sandbox) -> None:
    pipefile = """count: tree/
    find tree -type f | wc -l > <output>
tree/: spec
    mkdir -p tree; for n in $(cat spec); do touch tree/$n; done
"""
    box.write(Pipefile=pipefile, spec="a b")
    assert box.ran() == 2
    assert box.text("count").strip() == "2"
    box.runs_nothing()
    box.put("tree/c", "by hand")
    assert box.ran() >= 1


def test_a_rule_without_recipe_may_have_a_driver(box: Sandbox) -> None:
    box.write(
        Pipefile="all: out/a.o\nout/<b>.o: src/<b>.c\n    cat <inputs> > <output>\n"
        "out/<b>.o: src/<b>.h\n"
    )
    box.put("src/a.c", "c")
    box.put("src/a.h", "h")
    box.run()
    assert box.text("out/a.o") == "ch"


def test_a_static_pattern_rule_may_come_first(box: Sandbox) -> None:
    box.write(Pipefile="one.t: %.t: %\n    cat <input> > <output>\n", one="1")
    box.run()
    assert box.text("one.t") == "1"


def test_two_users_of_one_temporary_file_wait_for_it(box: Sandbox) -> None:
    text = """all: x y
x: t flag
    cat <inputs> > x
y: t flag
    cat <inputs> > y
@temp
t: a
    cat a > t
"""
    box.write(Pipefile=text, a="1", flag="2")
    box.run()
    box.write(flag="3")
    assert box.ran("-j4") == 3
    assert box.text("y") == "13"


def test_a_job_behind_a_split_has_its_temporary_file(box: Sandbox) -> None:
    text = """all: <idx>
idx: i/<basename>.i: <shard> t
    cat <inputs> > <output>
split shard: p/*.t: x
    mkdir -p p; cp x p/1.t
x: t
    cp t x
@temp
t: a
    cp a t
"""
    box.write(Pipefile=text, a="1")
    box.run()
    assert box.text("i/1.i") == "11"
    assert not (box.folder / "t").exists()
    box.runs_nothing()


def test_a_folder_in_the_place_of_a_part_is_not_emptied(box: Sandbox) -> None:
    text = "split parts/*.txt: list\n    for n in $(cat list); do touch parts/$n.txt; done\n"
    box.write(Pipefile=text, list="a b")
    box.run()
    (box.folder / "parts/b.txt").unlink()
    box.put("parts/b.txt/mine", "precious")
    box.write(list="a")
    assert "parts/b.txt" in box.run(status=2)
    assert box.text("parts/b.txt/mine") == "precious"


INCLUDES_WHAT_IT_MAKES = """include made.pipe
all: out.txt
out.txt: src
    echo <word> > <output>
made.pipe: list
    cp <input> <output>
"""


def test_what_is_included_is_looked_at_in_a_dry_run(box: Sandbox) -> None:
    box.write(Pipefile=INCLUDES_WHAT_IT_MAKES, list='word = "a"\n', src="")
    assert box.ran() == 2
    assert "0 would run, 1 up to date" in box.run("-n")
    box.run("-q")
    box.write(list='word = "b"\n')
    dry = box.run("-n")
    assert "cp list made.pipe\n" in dry and "pybuild: 1 would run, 1 up to date" in dry
    box.run("-q", status=1)
    assert box.ran() == 2
    assert box.text("out.txt") == "b\n"


def test_what_is_included_and_a_prerequisite_is_counted_once(box: Sandbox) -> None:
    text = INCLUDES_WHAT_IT_MAKES.replace("out.txt: src", "out.txt: made.pipe")
    box.write(Pipefile=text, list='word = "a"\n')
    assert "pybuild: 2 ran, 0 up to date" in box.run()
    box.write(list='word = "b"\n')
    dry = box.run("-n")
    assert dry.count("cp list made.pipe") == 1 and "pybuild: 2 would run, 0 up to date" in dry
    assert "pybuild: 2 ran, 0 up to date" in box.run()
    assert box.run() == "pybuild: `all` up to date (2 jobs)\n"


@pytest.mark.parametrize("word", ["--lint", "--list", "-p", "-q", "-n"])
@pytest.mark.parametrize("include", ["include", "-include"])
def test_what_is_included_has_to_be_made_first(box: Sandbox, include: str, word: str) -> None:
    """Before it is there nobody knows what its names are."""
    text = INCLUDES_WHAT_IT_MAKES.replace("include", include, 1)
    box.write(Pipefile=text, list='word = "a"\n', src="")
    output = box.run(word, status=2)
    assert "`made.pipe` has to be made before it can be read [PB209]" in output
    assert "PB201" not in output
    assert box.ran("made.pipe") == 1
    box.run(word, status=1 if word == "-q" else 0)


@pytest.mark.parametrize(("attribute", "left"), [("", []), ("@precious\n", ["1", "2"])])
def test_a_split_that_fails_leaves_none_of_the_old_files(
    box: Sandbox, attribute: str, left: list[str]
) -> None:
    text = "split parts: parts/*: src\n    sh <input>\n"
    box.write(Pipefile=attribute + text, src="touch parts/1 parts/2\n")
    assert box.ran() == 1
    box.write(src="false\n")
    box.run(status=2)
    assert [name.removeprefix("parts/") for name in box.names("parts/*")] == left


def test_a_listed_driver_that_is_no_file_is_an_error(box: Sandbox) -> None:
    text = (
        "files = ['a.c', 'no.c']\nall: <obj>\nobj: <basename>.o: <files>\n    cp <input> <output>\n"
    )
    box.write(Pipefile=text, **{"a.c": ""})
    assert "Pipefile:3:20: error: no rule makes `no.c`" in box.run(status=2)
    assert box.names("*.o") == []
    box.write(Pipefile=text.replace("obj:", "@optional\nobj:"))
    assert box.ran() == 1


def test_a_listed_driver_may_be_made_on_demand(box: Sandbox) -> None:
    box.write(
        Pipefile="files = ['a.c', 'b.c']\nobj: <basename>.o: <files>\n    cp <input> <output>\n"
        "%.c: %.y\n    cp <input> <output>\n",
        **{"a.c": "", "b.y": ""},
    )
    assert box.ran() == 3
    assert box.names("*.o") == ["a.o", "b.o"]
    box.runs_nothing()


def test_a_listed_driver_may_come_out_of_a_split(box: Sandbox) -> None:
    box.write(
        Pipefile="files = ['cut/a', 'cut/b']\nobj: <basename>.o: <files>\n    cp <input> <output>\n"
        "split cut: cut/*: in\n    cd cut; split -l 1 -a 1 ../<input> ''\n",
        **{"in": "1\n2\n"},
    )
    assert box.ran() == 3
    assert box.text("b.o") == "2\n"
    box.runs_nothing()
    box.put("in", "1\n")
    assert "no rule makes `cut/b`" in box.run(status=2)


@pytest.mark.parametrize(
    "rule",
    [
        "p: o/<basename>: <names>",
        "p: o/<basename>: in/<names>.txt",
        "collate p: o/<basename>: <names>",
        "product p: o/<b.basename>: a=<names> b=in/*.txt",
    ],
)
def test_an_empty_list_drives_nothing(box: Sandbox, rule: str) -> None:
    text = f"names = []\nall: <p>\n{rule}\n    touch <output>\n"
    box.write(Pipefile=text)
    box.put("in/a.txt", "")
    assert "nothing matches `<names>`" in box.run(status=2)
    box.write(Pipefile=text.replace(rule, f"@optional\n{rule}"))
    assert box.ran() == 0
    box.write(Pipefile=f"names = []\nclean:\n    touch clean\n{rule}\n    touch <output>\n")
    assert box.ran("clean") == 1


@pytest.mark.parametrize("attribute", ["@active_if(False)", "@optional"])
def test_what_only_a_rule_without_jobs_could_drive_may_be_missing(
    box: Sandbox, attribute: str
) -> None:
    text = (
        "all: <c>\nc: c/<n>: b/<n>\n    cp <input> <output>\nb: b/<n>: a/<n>\n    cp <input> <output>\n"
        "{}\na: a/<n>: in/<n>\n    cp <input> <output>\n"
    )
    box.write(Pipefile=text.format(attribute))
    assert box.ran() == 0
    box.write(Pipefile=text.format("@silent"))
    assert "nothing matches `b/<n>`" in box.run(status=2)
