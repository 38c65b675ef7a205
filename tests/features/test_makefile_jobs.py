"""Makefiles in the job graph: records, explanations, pictures, and both languages together."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from .conftest import Sandbox

CONTENT = "--checksum-level=4"

PROGRAM = """\
CFLAGS := -O1
prog: main.o util.o
\tcat $^ > $@
%.o: %.c
\tgrep -v '^#' $< > $@; echo $(CFLAGS) >> $@
main.o: util.h
clean: ; -rm -f prog *.o
.PHONY: clean
"""


@pytest.fixture
def program(box: Sandbox) -> Sandbox:
    box.put("Makefile", PROGRAM)
    for name in ("main.c", "util.c", "util.h"):
        box.put(name, f"{name}\n")
    return box


# -- a makefile alone ----------------------------------------------------------------------------


def test_content_decides(program: Sandbox) -> None:
    assert program.ran(CONTENT) == 3
    program.runs_nothing(CONTENT)
    (program.folder / "main.c").touch()
    program.runs_nothing(CONTENT)
    program.put("main.c", "other\n")
    assert program.ran(CONTENT) == 2
    assert "other" in program.text("prog")


def test_same_bytes_end_it_early(program: Sandbox) -> None:
    program.run(CONTENT)
    program.put("util.c", "# a comment that is left out\nutil.c\n")
    output = program.run(CONTENT, "--explain")
    assert "util.o: prerequisite `util.c` changed" in output
    assert "pybuild: 1 ran, 2 up to date" in output


def test_a_recipe_that_changed_only_in_its_text(program: Sandbox) -> None:
    program.run(CONTENT)
    program.put("Makefile", PROGRAM.replace("cat $^ > $@", "cat  $^  >  $@"))
    output = program.run(CONTENT, "--explain")
    assert "prog: its recipe, or code that it calls, changed" in output
    assert "pybuild: 1 ran, 2 up to date" in output


def test_a_variable_of_a_recipe(program: Sandbox) -> None:
    program.run(CONTENT)
    output = program.run(CONTENT, "--explain", "CFLAGS=-O2")
    assert "main.o: `CFLAGS` changed from `-O1` to `-O2`" in output
    assert "-O2" in program.text("prog")


def test_an_exported_variable_counts(box: Sandbox) -> None:
    box.put("Makefile", 'export E = one\nunexport HOME\nx: ; echo "$$E $${HOME-none}" > x\n')
    box.run(CONTENT)
    assert box.text("x") == "one none\n"
    box.put("Makefile", box.text("Makefile").replace("= one", "= two"))
    assert "x: `E` changed from `one` to `two`" in box.run(CONTENT, "--explain")
    assert box.text("x") == "two none\n"


def test_what_is_different_each_time_runs_each_time(box: Sandbox) -> None:
    box.put("Makefile", "x: ; echo $(shell date +%N) > x\n")
    assert box.ran(CONTENT) == 1
    assert box.ran(CONTENT) == 1


def test_times_decide_unless_told_otherwise(program: Sandbox) -> None:
    program.run("--explain")
    (program.folder / "main.c").touch()
    output = program.run("--explain")
    assert "main.o: prerequisite `main.c` is newer" in output
    assert "pybuild: 2 ran, 1 up to date" in output


def test_make_and_engine_take_turns(program: Sandbox) -> None:
    program.run()
    assert "up to date (" in program.run("--explain")
    program.put("util.c", "new\n")
    program.run("--explain")
    assert "'prog' is up to date" in program.run()


def test_intermediate_files_of_make_are_not_missed(box: Sandbox) -> None:
    box.put("Makefile", "x.out:\n%.mid: %.in\n\tcp $< $@\n%.out: %.mid\n\tcp $< $@\n")
    box.put("x.in", "1\n")
    box.run()
    assert "up to date (" in box.run("--explain")
    box.put("x.in", "2\n")
    box.run("--explain")
    assert box.text("x.out") == "2\n"
    assert "is up to date" in box.run()


def test_prerequisites_that_are_found_while_it_runs(box: Sandbox) -> None:
    box.put(
        "Makefile",
        "prog: m.o\n\tcat $^ > $@\n"
        '%.o: %.c\n\tcat $< h.h > $@; echo "$@: $< h.h" > $*.d\n'
        "-include m.d\n",
    )
    box.put("m.c", "m\n")
    box.put("h.h", "h\n")
    box.run(CONTENT)
    box.runs_nothing(CONTENT)
    box.put("h.h", "H\n")
    assert "m.o: prerequisite `h.h` changed" in box.run(CONTENT, "--explain")
    assert box.text("prog") == "m\nH\n"
    box.runs_nothing(CONTENT)


def test_one_that_was_changed_before_it_was_known(box: Sandbox) -> None:
    """It is named only now, and may not be what the recipe has read."""
    box.put("Makefile", 'x: a\n\tcat a h > x; echo "x: h" > x.d\n-include x.d\n')
    box.put("a", "a\n")
    box.put("h", "h\n")
    box.run(CONTENT)
    box.put("h", "H\n")
    assert "`h` is new among its prerequisites" in box.run(CONTENT, "--explain")
    assert box.text("x") == "a\nH\n"


def test_intermediate_files_come_and_go(box: Sandbox) -> None:
    box.put("Makefile", "x.out:\n%.mid: %.in\n\tcp $< $@\n%.out: %.mid\n\tcp $< $@\n")
    box.put("x.in", "1\n")
    assert box.ran(CONTENT) == 2
    assert not (box.folder / "x.mid").exists()
    box.runs_nothing(CONTENT)
    box.put("x.in", "2\n")
    assert box.ran(CONTENT) == 2
    assert box.text("x.out") == "2\n"
    assert not (box.folder / "x.mid").exists()
    box.put("Makefile", ".PRECIOUS: %.mid\n" + box.text("Makefile"))
    box.put("x.in", "3\n")
    box.run(CONTENT)
    assert (box.folder / "x.mid").exists()


def test_grouped_targets_are_one_job(box: Sandbox) -> None:
    box.put(
        "Makefile",
        "all: a b c.p1 c.p2\na b &: i\n\tcp i a; cp i b\n%.p1 %.p2: i\n\tcp i $*.p1; cp i $*.p2\n",
    )
    box.put("i", "1\n")
    assert box.ran(CONTENT) == 2
    (box.folder / "b").unlink()
    assert "a: `b` is not there" in box.run(CONTENT, "--explain")
    (box.folder / "c.p2").unlink()
    assert box.ran(CONTENT) == 1


def test_double_colon_rules_are_one_job(box: Sandbox) -> None:
    box.put("Makefile", "x:: a\n\techo $< > x\nx:: b\n\techo $< >> x\n")
    box.put("a", "")
    box.put("b", "")
    assert box.ran(CONTENT) == 1
    assert box.text("x") == "a\nb\n"
    box.runs_nothing(CONTENT)


def test_a_double_colon_rule_without_prerequisites(box: Sandbox) -> None:
    box.put("Makefile", "x::\n\techo made > x\n")
    assert box.ran(CONTENT) == 1
    assert "x: `::` is set" in box.run(CONTENT, "--explain")


def test_what_makes_no_file_counts_as_made_each_time(box: Sandbox) -> None:
    box.put(
        "Makefile", "x: FORCE p\n\ttouch x\nFORCE:\np: check\n\ttouch p\ncheck: ; @echo checked\n"
    )
    assert box.ran(CONTENT) == 3
    output = box.run(CONTENT, "--explain")
    assert "checked" in output
    assert "p: prerequisite `check` is not there" in output
    assert "x: prerequisite `FORCE` is a task, which always runs" in output


def test_prefixes_of_lines(box: Sandbox) -> None:
    box.put(
        "Makefile", "x:\n\t-false\n\t@-sh -c 'exit 3'\n\t@echo quiet\n\ttouch x\n\ny: ; false\n"
    )
    output = box.run(CONTENT)
    assert "pybuild: exit status 1 (ignored)" in output
    assert "pybuild: exit status 3 (ignored)" in output
    assert "echo quiet" not in output
    assert "`y` failed: exit status 1" in box.run(CONTENT, "y", status=2)


def test_a_dry_run_runs_what_has_a_plus(box: Sandbox) -> None:
    box.put("Makefile", "x: y\n\ttouch x\ny:\n\t+@echo really > log\n\ttouch y\n")
    output = box.run("-n", CONTENT)
    assert "echo really" in output
    assert "2 would run" in output
    assert box.names("*") == ["Makefile", "log"]
    (box.folder / "log").unlink()
    box.run("--flowchart=chart.dot")
    box.run("--lint")
    assert not (box.folder / "log").exists()


def test_another_make_reads_makefiles(box: Sandbox) -> None:
    box.put("Makefile", "all: ; @$(MAKE) -C sub X=1\n")
    box.put("sub/Makefile", 'all: ; @echo "level $(MAKELEVEL), X $(X)"\n')
    box.put("sub/Pipefile", "all:\n    echo wrong\n")
    assert "level 1, X 1" in box.run(CONTENT)


def test_the_shell_of_a_makefile(box: Sandbox) -> None:
    box.put(
        "Makefile",
        "SHELL = python3\n.ONESHELL:\nx: i\n\timport shutil\n\tshutil.copy('$<', '$@')\n",
    )
    box.put("i", "1\n")
    box.run(CONTENT)
    assert box.text("x") == "1\n"
    box.runs_nothing(CONTENT)


def test_variables_of_targets(box: Sandbox) -> None:
    box.put("Makefile", "all: a b\na: F = one\na: c\na b c: ; echo $F > $@\nF = two\n.PHONY: all\n")
    box.run(CONTENT)
    assert [box.text(name) for name in "abc"] == ["one\n", "two\n", "one\n"]
    box.runs_nothing(CONTENT)


def test_newer_prerequisites(box: Sandbox) -> None:
    box.put("Makefile", "x: a b\n\t@echo changed: $?\n\t@touch x\n")
    box.put("a", "1")
    box.put("b", "1")
    assert "changed: a b" in box.run(CONTENT)
    box.put("b", "2")
    assert "changed: b\n" in box.run(CONTENT)


def test_directory_search_and_second_expansion(box: Sandbox) -> None:
    box.put(
        "Makefile",
        "VPATH = src\n.SECONDEXPANSION:\nx_from = a.i\nx: $$($$@_from)\n\tcp $< $@; echo $< >> $@\n",
    )
    box.put("src/a.i", "1\n")
    box.run(CONTENT)
    assert box.text("x") == "1\nsrc/a.i\n"
    box.runs_nothing(CONTENT)
    box.put("src/a.i", "2\n")
    assert box.ran(CONTENT) == 1


def test_names_with_blanks(box: Sandbox) -> None:
    box.put("Makefile", 'all: a\\ b\na\\ b: c\\ d\n\tcp "$<" "$@"\n')
    box.put("c d", "1")
    assert box.ran(CONTENT) == 1
    box.runs_nothing(CONTENT)
    box.put("c d", "2")
    assert box.ran(CONTENT, "a b") == 1


def test_order_only_and_folders(box: Sandbox) -> None:
    box.put("Makefile", "o/x: i | o\n\tcp i o/x\no: ; mkdir o\n")
    box.put("i", "1")
    assert box.ran(CONTENT) == 2
    box.put("o/more", "")
    box.runs_nothing(CONTENT)


def test_expansion_for_a_look_has_no_effect(box: Sandbox) -> None:
    box.put("Makefile", "x: i\n\t@touch x$(file >list,$^)$(info told)$(eval N := 1)\nN = 0\n")
    box.put("i", "")
    assert "told" in box.run(CONTENT)
    (box.folder / "list").unlink()
    assert "told" not in box.run(CONTENT)
    assert not (box.folder / "list").exists()
    box.run(CONTENT, "-B")
    assert box.text("list") == "i\n"


def test_not_parallel(box: Sandbox) -> None:
    line = "\t@mkdir busy && sleep 0.05 && rmdir busy && touch $@\n"
    box.put("Makefile", f".NOTPARALLEL:\nall: a b c\na b c:\n{line}")
    assert box.ran(CONTENT, "-j4") == 3


def test_a_built_in_rule_leaves_files_of_ours_alone(box: Sandbox) -> None:
    """By time it is up to date, and no build made it: it is no less a source than others."""
    box.put("Makefile", "all: tool\n")
    box.put("tool.sh", "echo from the script\n")
    box.put("tool", "my own\n")
    box.run(CONTENT)
    assert box.text("tool") == "my own\n"
    (box.folder / "tool").unlink()
    box.run(CONTENT)
    assert box.text("tool") == "echo from the script\n"
    box.put("tool.sh", "echo other\n")
    box.run(CONTENT)
    assert box.text("tool") == "echo other\n"


def test_after_a_failure_it_is_not_finished(box: Sandbox) -> None:
    box.put("Makefile", "x: i\n\techo half > x; test -s i\n")
    box.put("i", "")
    box.run(CONTENT, status=2)
    box.run("--explain", status=2)
    box.put("i", "1")
    assert box.ran(CONTENT) == 1
    box.runs_nothing(CONTENT)


# -- makefiles that are made ---------------------------------------------------------------------


def test_a_makefile_that_is_made(box: Sandbox) -> None:
    box.put(
        "Makefile",
        "include gen.mk\nall: $(LIST)\n%.t: ; touch $@\ngen.mk: list\n\techo LIST = `cat list` > $@\n",
    )
    box.put("list", "a.t b.t\n")
    assert box.ran(CONTENT) == 3
    assert box.names("*.t") == ["a.t", "b.t"]
    box.runs_nothing(CONTENT)
    box.put("list", "a.t c.t\n")
    assert box.ran(CONTENT) == 2


# -- what is wrong ------------------------------------------------------------------------------


def test_a_mistake_in_an_included_makefile(box: Sandbox) -> None:
    box.put("Pipefile", "include rules.mk\n\nall:\n    echo all\n")
    box.put("rules.mk", "x:\n\ttouch x\n\nno rule\n")
    output = box.run(status=2)
    assert "rules.mk:4:1: error: missing separator [PB216]" in output
    assert "  4 | no rule" in output
    assert "included here at Pipefile:1:9" in output


@pytest.mark.parametrize(
    ("makefile", "said"),
    [
        ("all: nothing\n", "Makefile:1:1: error: no rule makes `nothing`"),
        ("all: x\nx:\n\t$(error not so)\n", "Makefile:3:2: error: not so"),
        ("a: b\nb: a\n", "these need each other: `a` <- `b` <- `a`"),
        ("include no.mk\na:\n", "Makefile:1:1: error: no file `no.mk`, and no rule makes it"),
        ("", "`Makefile` has no rules"),
        ("x: ; $(call\n", "Makefile:1:1: error: unterminated call to function 'call'"),
    ],
)
def test_mistakes(box: Sandbox, makefile: str, said: str) -> None:
    box.put("Makefile", makefile)
    assert said in box.run(CONTENT, status=2)


def test_two_rules_for_one_file(box: Sandbox) -> None:
    box.put("Pipefile", "include Makefile\n\nx: y\n    cp y x\n")
    box.put("Makefile", "x: y\n\tcp y x\n")
    box.put("y", "")
    output = box.run(status=2)
    assert "Pipefile:3:1: error: two rules make `x` [PB303]" in output
    assert "note: the other one at Makefile:1:1" in output


# -- both languages ------------------------------------------------------------------------------


@pytest.fixture
def mixed(box: Sandbox) -> Sandbox:
    box.put(
        "Makefile",
        "data/%.csv: raw/%.txt\n\t@mkdir -p data\n\ttr ' ' , < $< > $@\n"
        "report: summary.txt\n\tcat $< > $@\nextra.txt: ; echo extra > $@\n"
        "hello: ; @echo hello $(WHO)\n.PHONY: hello\n",
    )
    box.put(
        "Pipefile",
        "include Makefile\n\nall: report <counts>\n\ncounts: out/<n>.count: <n>.txt\n"
        "    wc -l < <input> > <output>\n\n"
        "summary.txt: data/a.csv data/b.csv\n    cat <inputs> > <output>\n",
    )
    box.put("raw/a.txt", "1 2\n")
    box.put("raw/b.txt", "3 4\n")
    return box


def test_each_uses_what_the_other_makes(mixed: Sandbox) -> None:
    mixed.run()
    assert mixed.text("report") == "1,2\n3,4\n"
    assert mixed.names("out/*") == ["out/extra.count", "out/summary.count"]
    mixed.runs_nothing()
    mixed.put("raw/a.txt", "5 6\n")
    output = mixed.run("--explain")
    assert "data/a.csv: prerequisite `raw/a.txt` changed" in output
    assert mixed.text("report") == "5,6\n3,4\n"
    mixed.runs_nothing()


def test_goals_of_either(mixed: Sandbox) -> None:
    assert "hello you" in mixed.run("hello", "WHO=you")
    assert mixed.ran("data/a.csv") == 1
    assert mixed.ran("summary.txt") == 2
    assert mixed.ran("report") == 1


def test_a_kept_graph_does_not_hide_changes_of_the_makefile(mixed: Sandbox) -> None:
    mixed.put(
        "Makefile", mixed.text("Makefile").replace("echo extra", "echo $(TEXT)") + "TEXT = 1\n"
    )
    mixed.run()
    mixed.runs_nothing()
    mixed.put("Makefile", mixed.text("Makefile").replace("TEXT = 1", "TEXT = 2"))
    output = mixed.run("--explain")
    assert "extra.txt: `TEXT` changed from `1` to `2`" in output
    assert "the graph is not kept for the next start: a makefile is read" in output


def test_an_included_makefile_joins_a_project_with_a_kept_graph(box: Sandbox) -> None:
    box.put("Pipefile", "all: x\n\nx:\n    touch x\n")
    box.run()
    box.runs_nothing()
    box.put("Pipefile", "include Makefile\n\nall: x y\n\nx:\n    touch x\n")
    box.put("Makefile", "y: ; touch y\n")
    assert box.ran() == 1


def test_prerequisites_in_the_other_language(box: Sandbox) -> None:
    box.put("Makefile", "a: more\nb: ; cp plus b\n")
    box.put("Pipefile", "include Makefile\n\nall: a b\n\na:\n    cp more a\n\nb: plus\n")
    box.put("more", "1\n")
    box.put("plus", "1\n")
    box.run()
    box.runs_nothing()
    box.put("more", "2\n")
    box.put("plus", "2\n")
    box.run()
    assert box.text("a") == box.text("b") == "2\n"


def test_what_a_split_makes_for_a_makefile(box: Sandbox) -> None:
    box.put("Makefile", "total: part/a part/b\n\tcat $^ > $@\n")
    box.put(
        "Pipefile",
        "include Makefile\n\nall: total\n\nsplit part/*: i\n    cp i part/a; cp i part/b\n",
    )
    box.put("i", "1\n")
    assert box.ran() == 2
    box.runs_nothing()
    box.put("i", "2\n")
    box.run()
    assert box.text("total") == "2\n2\n"


def test_a_source_that_a_split_might_have_made(box: Sandbox) -> None:
    """It is there, so nobody waits for the split, which waits for what is made of it."""
    box.put("Makefile", "list: a.txt\n\tcp a.txt list\n")
    box.put(
        "Pipefile",
        "include Makefile\n\nall: list\n\nsplit part*.txt: list\n    cp list part1.txt\n",
    )
    box.put("a.txt", "")
    box.put("Pipefile", box.text("Pipefile").replace("part*.txt", "*.txt"))
    assert box.ran() == 1


@pytest.mark.parametrize("goals", [("a.y", "a.z"), ("a.z", "a.y"), ("a.z",)])
def test_one_recipe_for_several_targets_of_a_pattern(box: Sandbox, goals: tuple[str, ...]) -> None:
    """It is one job whichever target is asked for, and needs what any of them needs."""
    box.put("Makefile", "%.y %.z: %.x\n\tcat $^ > a.y; cp a.y a.z\na.y: extra\n")
    box.put("a.x", "x\n")
    box.put("extra", "1\n")
    assert box.ran(CONTENT, *goals) == 1
    for goal in ("a.z", "a.y"):
        box.runs_nothing(CONTENT, goal)
    box.put("extra", "2\n")
    assert box.ran(CONTENT, *goals) == 1
    assert box.text("a.z") == "x\n2\n"


def test_ignored_errors_of_one_target(box: Sandbox) -> None:
    box.put("Makefile", "all: a.x b.x\n%.x: ; false\n.IGNORE: a.x\n")
    output = box.run(CONTENT, "-k", status=2)
    assert "exit status 1 (ignored)" in output
    assert "`b.x` failed" in output
    assert "`a.x` failed" not in output


def test_a_pipeline_in_a_folder_of_makefiles_is_told(mixed: Sandbox) -> None:
    listed = mixed.run("--list")
    assert "all (default)" in listed
    assert "data/%.csv" in listed
    mixed.run("--flowchart=chart.svg")
    assert "data/%.csv" in mixed.text("chart.svg")
    assert "no errors" in mixed.run("--lint")
    mixed.run()
    assert "recipe: unchanged" in mixed.run("--history", "report")
    (mixed.folder / "raw/b.txt").unlink()
    mixed.put("Pipefile", mixed.text("Pipefile").replace("data/a.csv data/b.csv", "data/a.csv"))
    mixed.run()
    assert "data/b.csv" in mixed.run("--stale")


# -- the same as a clean build ---------------------------------------------------------------------


def random_makefile(chance: random.Random, count: int) -> str:
    """Files that are made of some before them, in one of a few ways."""
    rules = ["V = 1", "all: " + " ".join(f"f{number}" for number in range(3, count))]
    for number in range(3, count):
        names = [f"f{each}" for each in chance.sample(range(number), min(number, 2))]
        way = chance.choice(
            ["cat $^ > $@", "head -n 1 $< > $@", "cat $^ | sort -u > $@; echo $V >> $@"]
        )
        rules.append(f"f{number}: {' '.join(names)}\n\t{way}")
    return "\n".join(rules) + "\n"


@pytest.mark.parametrize("seed", range(8))
def test_incremental_equals_clean(box: Sandbox, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    box.put("Makefile", random_makefile(chance, 12))
    for number in range(3):
        box.put(f"f{number}", f"{number}\n")
    box.run(CONTENT)
    for _ in range(4):
        if chance.random() < 0.6:
            box.put(f"f{chance.randrange(3)}", f"{chance.randrange(3)}\n")
        else:
            text = box.text("Makefile")
            box.put("Makefile", text.replace("V = ", f"V = {chance.randrange(9)}", 1))
        box.run(CONTENT, "-j3")
        box.runs_nothing(CONTENT)
        clean = Sandbox(tmp_path / "clean")
        for name in ("Makefile", "f0", "f1", "f2"):
            clean.put(name, box.text(name))
        clean.run()
        for number in range(12):
            assert box.text(f"f{number}") == clean.text(f"f{number}")
        shutil.rmtree(clean.folder)


def test_ten_thousand_targets(box: Sandbox) -> None:
    numbers = range(10_000)
    box.put("Makefile", "".join(f"{each}.t: i\n\techo {each}\n" for each in numbers))
    with (box.folder / "Makefile").open("a") as file:
        file.write("all: " + " ".join(f"{each}.t" for each in numbers) + "\n")
    box.put("i", "")
    for each in numbers:
        box.put(f"{each}.t", "")
    assert "10000 adopted" in box.run("--adopt", "all")
    box.runs_nothing(CONTENT, "all")
    (box.folder / "77.t").unlink()
    output = box.run(CONTENT, "all", "--explain")
    assert "77.t: `77.t` is not there" in output
    assert "1 ran, 9999 up to date" in output
