"""`--list` and `-p`: what they say, and that they do nothing else."""

from __future__ import annotations

import fcntl
import json
import re

from .conftest import Place

SPLIT = """
split parts: parts/*.txt: whole.txt
    for part in $(cat <input>); do echo $part > parts/$part.txt; done
copy: copies/<basename>.txt: parts/*.txt
    cp <input> <output>
gather: all.txt: <copy>
    cat <inputs> > <output>
"""


def rows(text: str) -> dict[str, list[str]]:
    """The cells of a table below its heading, by the first cell of their line."""
    heading, rule, *lines = text.splitlines()
    starts = [found.start() for found in re.finditer("-+", rule)]
    ends = [*starts[1:], None]
    found = {}
    for line in [heading, *lines]:
        name, *cells = (line[start:end].strip() for start, end in zip(starts, ends, strict=True))
        found[name] = cells
    return found


def listed(place: Place, *words: str) -> dict[str, list[str]]:
    """The table of the rules, without its heading."""
    found = rows(place.run("--list", *words).stdout)
    del found["rule"]
    return found


def test_each_kind_of_rule_has_a_line(place: Place) -> None:
    place.put(
        Pipefile="""
cc = "gcc"
all: app
app: <compile> | log
    cat <inputs> > <output>
@desc("one object file for each source")
compile: build/<basename>.o: src/*.c ref=<cc>.h
    touch <output>
collate pair: pairs/<s>.p: reads/<s>_<n:[12]>.fq
    cat <inputs> > <output>
split parts: parts/*.txt: gcc.h
    touch parts/1.txt
%.gz: %
    gzip -k <input>
one.t two.t: %.t: gcc.h
    touch <output>
.PHONY: clean
clean:
    rm -rf build
@active_if(False)
never: gcc.h
    false
""",
        log="",
    )
    for name in ("gcc.h", "src/a.c", "src/b.c", "src/c.c", "reads/x_1.fq", "reads/x_2.fq"):
        place.write(name)
    assert listed(place) == {
        "all (default)": ["plain", "-", "all: app", ""],
        "app": ["plain", "1", "app: <compile> | log", ""],
        "compile": [
            "plain",
            "3",
            "build/<basename>.o: src/*.c ref=gcc.h",
            "one object file for each source",
        ],
        "pair": ["collate", "1", "pairs/<s>.p: reads/<s>_<n:[12]>.fq", ""],
        "parts": ["split", "1", "parts/*.txt: gcc.h", ""],
        "%.gz": ["%", "on demand", "%.gz: %", ""],
        "one.t two.t": ["static", "2", "one.t two.t: gcc.h", ""],
        "clean": ["task", "1", "clean:", ""],
        "never": ["plain", "inactive", "never: gcc.h", ""],
    }


def data(place: Place) -> list[dict[str, object]]:
    """The rules as programs read them."""
    found = json.loads(place.run("--list", "--format=json").stdout)
    assert isinstance(found, list)
    return found


def test_rules_as_data(place: Place) -> None:
    place.put(
        Pipefile="""
cc = "gcc"
app: <objects> | log
    cat <inputs> > <output>
@desc("one for each source")
objects: build/<n>.o: src/<n>.c ref=<cc>.h
    touch <output>
""",
        log="",
    )
    place.put(**{"src/a.c": "", "src/b.c": "", "gcc.h": ""})
    app, objects = data(place)
    assert app == {
        "name": "",
        "default": True,
        "kind": "plain",
        "active": True,
        "recipe": True,
        "jobs": 1,
        "open": False,
        "goals": ["app"],
        "targets": ["app"],
        "prerequisites": ["<objects>"],
        "order_only": ["log"],
        "description": "",
        "file": "Pipefile",
        "line": 3,
        "column": 1,
        "end_line": 3,
        "end_column": len("app: <objects> | log") + 1,
    }
    assert (objects["name"], objects["jobs"], objects["goals"]) == ("objects", 2, ["objects"])
    assert objects["prerequisites"] == ["src/<n>.c", "ref=gcc.h"]
    assert (objects["line"], objects["description"]) == (6, "one for each source")


def test_a_pipefile_without_rules_is_an_empty_list(place: Place) -> None:
    place.put(Pipefile="x = 1\n")
    assert data(place) == []


def test_goals_have_all_jobs_of_a_rule_made(place: Place) -> None:
    place.put(
        Pipefile="""
one two:
    touch <output>
three four &:
    touch three four
out/<n>: in/<n>.txt
    touch <output>
product pair/<a.basename>-<b.basename>: a=in/*.txt b=in/*.txt
    touch <output>
x.o: %.o: %.c
    touch <output>
split parts/<n>/*.t: in/<n>.txt
    touch parts/<n>/1.t
.PHONY: clean
clean:
    true
""",
        **{"in/a.txt": "", "in/b c.txt": "", "x.c": ""},
    )
    for rule in data(place):
        goals, count = rule["goals"], rule["jobs"]
        assert isinstance(goals, list) and goals, rule
        said = place.run("--", *goals).stdout
        assert f"pybuild: {count} ran, 0 up to date" in said, rule


def test_rules_that_no_words_ask_for_have_no_goals(place: Place) -> None:
    place.put(
        Pipefile=SPLIT.replace("copy: ", "")
        .replace("<copy>", "copies/*.txt")
        .replace("gather: ", "")
        + "%.z: %.y\n    cp <input> <output>\n@active_if(False)\nnever: whole.txt\n    true\n"
        + "many/<n>: in/<n>.txt\n    touch <output>\n",
        **{"whole.txt": "a b", **{f"in/{number}.txt": "" for number in range(1001)}},
    )
    found = {str(rule["targets"]): rule for rule in data(place)}
    assert [(rule["jobs"], rule["open"], rule["goals"]) for rule in found.values()] == [
        (1, False, ["parts"]),
        (0, True, []),
        (1, False, ["all.txt"]),
        (None, False, []),
        (0, False, []),
        (1001, False, []),
    ]


def test_what_is_no_list_is_not_printed_as_data(place: Place) -> None:
    place.put(Pipefile="a:\n    touch a\n")
    assert "`--format=json` is for `--list`" in place.run("-p", "--format=json", status=2).stderr
    assert "it is `text` or `json`" in place.run("--list", "--format=sarif", status=2).stderr


def test_without_descriptions_there_is_no_column_for_them(place: Place) -> None:
    place.put(Pipefile="a:\n    touch a\n")
    assert rows(place.run("--list").stdout)["rule"] == ["kind", "jobs", "targets: prerequisites"]


def test_a_command_line_variable_counts(place: Place) -> None:
    place.put(Pipefile='src = "none"\nall: out/<basename>: <src>/*.c\n    cp <input> <output>\n')
    place.write("here/a.c")
    cells = listed(place, "src=here")["all (default)"]
    assert cells == ["plain", "1", "out/<basename>: here/*.c"]


def test_a_long_list_of_words_is_cut(place: Place) -> None:
    names = " ".join(f"n{number}" for number in range(9))
    place.put(Pipefile=f"all: {names}\nn0 n1 n2 n3:\n    touch <output>\n")
    found = listed(place)
    assert found["all (default)"][-1] == "all: n0 n1 n2 ... (6 more)"
    assert found["n0 n1 n2 n3"] == ["plain", "4", "n0 n1 n2 n3:"]


def test_words_are_quoted_as_the_language_asks(place: Place) -> None:
    place.put(Pipefile='"a b.txt": "c:d" plain\n    touch <output>\n')
    assert listed(place)['"a b.txt" (default)'][-1] == '"a b.txt": "c:d" plain'


def test_behind_a_split_the_number_of_jobs_is_not_known_until_it_has_run(place: Place) -> None:
    place.put(Pipefile=SPLIT, **{"whole.txt": "x y z"})
    assert [cells[1] for cells in listed(place).values()] == ["1", "?", "1"]
    place.run("parts")
    assert [cells[1] for cells in listed(place).values()] == ["1", "3", "1"]
    place.put(**{"whole.txt": "x y"})
    assert [cells[1] for cells in listed(place).values()] == ["1", "?", "1"]


def test_jobs_that_are_known_are_counted_behind_a_split(place: Place) -> None:
    place.put(Pipefile=SPLIT, **{"whole.txt": "x"})
    place.write("parts/own.txt")
    assert listed(place)["copy"][1] == "1+"


def test_a_split_of_what_a_split_made_is_followed(place: Place) -> None:
    place.put(
        Pipefile="""
all: <third>
split first: one/*.a: source
    touch one/p.a one/q.a
split second: two/<basename>/*.b: one/*.a
    touch two/<basename>/r.b
third: three/<subdir[0]>.c: two/*/*.b
    touch <output>
""",
        source="",
    )
    assert [cells[1] for cells in listed(place).values()] == ["-", "1", "?", "?"]
    place.run()
    assert [cells[1] for cells in listed(place).values()] == ["-", "1", "2", "2"]


def test_only_a_driver_that_a_split_may_feed_makes_the_number_unknown(place: Place) -> None:
    place.put(
        Pipefile="""
split parts: parts/*.txt: whole.txt
    touch parts/1.txt
report: reports/<basename>: data/*.csv <parts>
    cat <inputs> > <output>
""",
        **{"whole.txt": ""},
    )
    place.write("data/a.csv")
    place.write("data/b.csv")
    assert listed(place)["report"][1] == "2"


def test_nothing_is_run_recorded_or_locked(place: Place) -> None:
    place.put(
        Pipefile="""
split parts: parts/*.txt: whole.txt
    +touch ran parts/1.txt
other: <parts>
    +touch ran other
""",
        **{"whole.txt": ""},
    )
    place.run("--list")
    place.run("-p")
    assert place.files() == ["Pipefile", "whole.txt"]
    assert place.state() == []


def test_a_build_that_holds_the_project_does_not_matter(place: Place) -> None:
    place.put(Pipefile=SPLIT, **{"whole.txt": "x y"})
    place.run()
    with (place.folder / ".pybuild" / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert listed(place)["copy"][1] == "2"
        assert "split parts: parts/*.txt: whole.txt" in place.run("-p").stdout


def test_data_that_is_not_there_yet_is_no_mistake(place: Place) -> None:
    place.put(Pipefile=SPLIT + "more: more/<s>: data/<s>.csv\n    cp <input> <output>\n")
    found = listed(place)
    assert found["copy"][1] == "?"
    assert found["more"][1] == "0"


def test_a_pipefile_that_is_wrong_is_not_listed(place: Place) -> None:
    place.put(Pipefile="a: b\n    cp <nope> <output>\n")
    for option in ("--list", "-p"):
        done = place.run(option, status=2)
        assert not done.stdout
        assert "PB201" in done.stderr


def test_a_file_to_be_included_that_nothing_makes_is_a_mistake(place: Place) -> None:
    place.put(Pipefile="include rules.pipe\na:\n    touch a\n")
    assert "PB209" in place.run("--list", status=2).stderr


def test_a_file_to_be_included_that_is_not_made_yet_is_spoken_of(place: Place) -> None:
    place.put(Pipefile="include rules.pipe\nrules.pipe:\n    echo 'b: c' > <output>\n")
    done = place.run("--list")
    assert "`rules.pipe` is not made yet" in done.stderr
    assert list(rows(done.stdout)) == ["rule", "rules.pipe (default)"]
    assert place.files() == ["Pipefile"]


def test_a_pipefile_without_rules(place: Place) -> None:
    place.put(Pipefile="a = 1\n")
    assert place.run("--list").stdout == "`Pipefile` has no rules\n"


# -- the data base -------------------------------------------------------------------------

FULL = """
cc ?= "gcc"
flags = "-O2"
flags += "-g"
home ?= "none"
sources = ["src/a.c", "src/b.c"]
odd = object()
python:
    def object_of(name):
        # where an object file is
        return f"build/{name}.o"

.PHONY: all clean
all: app "a b.txt"
@desc("links")
@resources(cpus=2, mem="1G")
@retries(2, "1m")
app: build/a.o build/b.o ref=ref.fa | log
    cat <inputs> > <output>  # <cc> <flags>
@temp
compile: build/<basename>.o: <sources>
    @cp <input> <output>
x.t y.t: %.t: src/a.c
    cp <input> <output>
%.up: %.low
    tr a-z A-Z < <input> > <output>
"a b.txt": <object_of("a")>
    python:
        if True:
            output.write_text("1")
collate both: both/<s:[ab]>.z: src/<s>.c
    cat <inputs> > <output>
split parts: parts/*.txt: ref.fa
    touch parts/1.txt
one two &: ref.fa
    touch one two
@follows(compile)
@pool("disk", 3)
clean:
    rm -rf build
""".replace("both/<s:[ab]>.z: src/<s>.c", "both/<s>.z: src/<s:[ab]>.c")


def without_places(text: str) -> str:
    """The text without the comments that say where a rule stands, and what was not readable."""
    return re.sub(r"(?m)^# (\S+:\d+:\d+|odd = ).*\n", "", text)


def full(place: Place) -> None:
    """A project that uses most of the language."""
    place.put(Pipefile=FULL, log="", **{"ref.fa": ">r", "z.low": "z"})
    place.write("src/a.c", "a")
    place.write("src/b.c", "b")


def test_variables_have_their_values_and_where_these_come_from(place: Place) -> None:
    full(place)
    lines = place.run("-p", "cc=clang", "more=1 2", env={"home": "/h"}).stdout.splitlines()
    assert "cc = 'clang'  # command line" in lines
    assert "more = '1 2'  # command line" in lines
    assert "home = '/h'  # environment" in lines
    assert "flags = '-O2 -g'  # file" in lines
    assert "sources = ['src/a.c', 'src/b.c']  # file" in lines
    assert any(re.fullmatch("# odd = <object object at .*>  # file", line) for line in lines)


def test_rules_are_printed_with_attributes_headers_and_recipes(place: Place) -> None:
    full(place)
    text = place.run("-p").stdout
    for part in (
        "# rules\n.PHONY: all clean\n",
        ', the default goal\nall: app "a b.txt"\n',
        "@desc('links')\n@resources(cpus=2, mem=1073741824)\n@retries(2, 60)\n"
        "app: build/a.o build/b.o ref=ref.fa | log\n    cat <inputs> > <output>  # <cc> <flags>\n",
        "@temp\ncompile: build/<basename>.o: <sources>\n    @cp <input> <output>\n",
        "\nx.t y.t: %.t: src/a.c\n",
        "\n%.up: %.low\n",
        "\ncollate both: both/<s>.z: src/<s:[ab]>.c\n",
        "\nsplit parts: parts/*.txt: ref.fa\n",
        "\none two &: ref.fa\n",
        "@follows('compile')\n@pool('disk', 3)\nclean:\n",
        '        if True:\n            output.write_text("1")\n',
    ):
        assert part in text


def test_what_is_printed_reads_as_the_same_pipefile(place: Place) -> None:
    full(place)
    first = place.run("-p").stdout
    place.put(**{"again.pipe": first})
    second = place.run("-p", "-f", "again.pipe").stdout
    assert without_places(second) == without_places(first)


def test_what_is_printed_builds_the_same_files(place: Place) -> None:
    full(place)
    place.put(**{"again.pipe": place.run("-p").stdout})
    goals = ("all", "x.t", "z.up", "both", "parts", "two")
    place.run(*goals)
    made = {name: (place.folder / name).read_bytes() for name in place.files()}
    for name in set(made) - {"Pipefile", "again.pipe", "log", "ref.fa", "z.low"}:
        if not name.startswith("src/"):
            (place.folder / name).unlink()
    place.run("-B", "-f", "again.pipe", *goals)
    assert {name: (place.folder / name).read_bytes() for name in place.files()} == made
    assert {"app", "a b.txt", "x.t", "z.up", "both/b.z", "parts/1.txt", "one"} <= set(made)


def test_the_list_and_the_data_base_can_be_had_together(place: Place) -> None:
    place.put(Pipefile="a:\n    touch a\n")
    text = place.run("--list", "-p").stdout
    assert text.index("a (default)") < text.index("# variables") < text.index("a:\n    touch a")
