"""Rules of the kind `value`: their outcome is a Python object."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Sandbox

GENES = """@silent
all: report.txt
value genes: genes.tsv
    python:
        open("made", "a").write("x")
        return {row.split()[0]: row.split()[1] for row in inputs[0].open()}
report: report.txt: <genes> names.txt
    python:
        output.write_text(" ".join(genes[name.strip()] for name in inputs[0].open()))
"""


def _genes(box: Sandbox, text: str = GENES) -> None:
    box.write(Pipefile=text)
    box.put("genes.tsv", "a 1\nb 2\n")
    box.put("names.txt", "a\nb\n")


@pytest.mark.parametrize("attribute", ["", "@cached\n"])
def test_an_object_is_a_prerequisite(box: Sandbox, attribute: str) -> None:
    """Below it runs again only what takes it, and only if another object was returned."""
    _genes(box, GENES.replace("value genes", f"{attribute}value genes"))
    assert box.ran() == 2
    assert box.text("report.txt") == "1 2"
    box.runs_nothing()
    assert box.text("made") == "x"
    box.put("genes.tsv", "a  1\nb   2\n")
    assert box.ran() == 1  # equal objects: nothing below
    box.runs_nothing()
    box.put("genes.tsv", "a 1\nb 3\n")
    assert box.ran() == 2
    assert box.text("report.txt") == "1 3"
    box.put("names.txt", "b\n")
    assert box.ran() == 1
    assert box.text("report.txt") == "3"
    box.runs_nothing()
    # The last build needed the object again: from its bytes, or by running its block.
    assert box.text("made") == ("xxx" if attribute else "xxxx")


def test_the_code_of_a_value_counts(box: Sandbox) -> None:
    _genes(box)
    box.run()
    _genes(box, GENES.replace("row.split()[1]", "row.split()[1] * 2"))
    assert box.ran() == 2
    assert box.text("report.txt") == "11 22"
    _genes(box, GENES.replace("row.split()[1]", "2 * row.split()[1]"))
    assert box.ran() == 1
    box.runs_nothing()


def test_explain_list_and_dry_run_name_the_value(box: Sandbox) -> None:
    _genes(box)
    listed = box.run("--list")
    assert ["genes", "value", "1", "genes:", "genes.tsv"] in [
        r.split() for r in listed.splitlines()
    ]
    dry = box.run("-n")
    assert "value genes: there is no record" in dry
    assert "value genes: `<genes>` is not there" in dry
    box.run()
    box.put("genes.tsv", "a 1\nb 5\n")
    told = box.run("--explain")
    assert "value genes: prerequisite `genes.tsv` changed" in told
    assert "report.txt: prerequisite `<genes>` changed" in told
    assert ".pybuild/values" not in told + dry + listed
    box.run("--flowchart=chart.dot")
    box.run("--flowchart=jobs.dot", "--flowchart-jobs")
    assert ".pybuild/values" not in box.text("chart.dot") + box.text("jobs.dot")
    assert box.ran("genes") == 0


def test_the_printed_rules_can_be_read_again(box: Sandbox) -> None:
    _genes(box, GENES.replace("value genes", "@cached\nvalue genes"))
    printed = box.run("-p")
    assert "@cached\nvalue genes: genes.tsv\n" in printed
    box.write(again=printed)
    assert box.ran("-f", "again") == 2
    assert box.text("report.txt") == "1 2"


def test_values_take_values_and_files_of_rules(box: Sandbox) -> None:
    text = """all: out/a out/b
value numbers: numbers.txt
    python:
        open("log", "a").write("n")
        return [int(word) for word in input.read_text().split()]
value total: <numbers> factor.txt
    python:
        open("log", "a").write("t")
        return sum(numbers) * int(input.read_text())
each: out/<n>: in/<n> | <total>
    python:
        output.write_text(f"{input.read_text()} {total} {[str(each) for each in inputs]}")
numbers.txt: source.txt
    tr , ' ' < <input> > <output>
"""
    box.write(Pipefile=text)
    for name, content in {"in/a": "A", "in/b": "B", "factor.txt": "2", "source.txt": "1,2"}.items():
        box.put(name, content)
    assert box.ran("-j1") == 5
    assert box.text("out/b") == "B 6 ['in/b']"
    assert box.text("log") == "nt"  # one worker made both and took both
    box.runs_nothing()
    box.put("source.txt", "1, 2")
    assert box.ran("-j1") == 2
    box.put("factor.txt", "3")
    assert box.ran("-j1") == 1  # it stands behind the bar: nothing follows
    box.put("in/a", "C")
    assert box.ran("-j1") == 1
    assert box.text("out/a") == "C 9 ['in/a']"
    assert box.text("log") == "ntnnt" + "tn"[::-1]


def test_the_objects_and_files_that_a_recipe_sees(box: Sandbox) -> None:
    """What stands for an object is in none of the lists; a shell part may take turns."""
    text = """value low: a
    python:
        return None
value high: b
    python:
        return {"set": {"z", "y"}, "text": input.read_text()}
out.txt: <low> a <high> b | c
    echo <inputs> <input> <order_only> <changed> > <output>
    python:
        with output.open("a") as file:
            print(low, high["text"], sorted(high["set"]), *inputs, *changed, file=file)
"""
    box.write(Pipefile=text, a="1", b="2", c="3")
    assert box.ran() == 3
    expected = "a b a c a b\nNone 2 ['y', 'z'] a b a b\n"
    assert box.text("out.txt") == expected
    box.runs_nothing()


def test_in_splits_and_groups(box: Sandbox) -> None:
    text = """all: <parts> <join>
value sizes: sizes.txt
    python:
        return [int(each) for each in input.read_text().split()]
split parts: part/*.txt: text.txt <sizes>
    python:
        for number, size in enumerate(sizes):
            Path(f"part/{number}.txt").write_text(input.read_text()[:size])
collate join: join/<group>.txt: in/<group>-<n>.txt <sizes>
    python:
        output.write_text(f"{group} {sizes} {len(inputs)}")
"""
    box.write(Pipefile=text)
    box.put("sizes.txt", "1 2")
    box.put("text.txt", "hello")
    for name in ("a-1", "a-2", "b-1"):
        box.put(f"in/{name}.txt", "")
    assert box.ran() == 4
    assert box.text("part/1.txt") == "he"
    assert box.text("join/a.txt") == "a [1, 2] 2"
    box.runs_nothing()
    box.put("sizes.txt", "1 3")
    assert box.ran() == 4
    assert box.text("part/1.txt") == "hel"
    box.runs_nothing()


def test_a_value_may_wait_for_a_split(box: Sandbox) -> None:
    text = """all: out.txt
split cut: cut/*: source
    for n in $(cat source); do echo $n > cut/$n; done
value found: <cut>
    python:
        return [each.name for each in inputs]
out.txt: <found> other
    python:
        output.write_text(" ".join(found) + input.read_text())
"""
    box.write(Pipefile=text, source="a b", other="!")
    assert box.ran() == 3
    assert box.text("out.txt") == "a b!"
    box.runs_nothing()
    box.write(other="?")
    assert box.ran() == 1
    assert box.text("out.txt") == "a b?"
    box.write(source="a b c")
    assert box.ran() == 3
    assert box.text("out.txt") == "a b c?"


@pytest.mark.parametrize("attribute", ["", "@cached\n"])
def test_classes_of_the_pipefile_count_by_their_code(box: Sandbox, attribute: str) -> None:
    def text(factor: int) -> str:
        return f"""python:
    class Box:
        def __init__(self, text):
            self.text = text
        def told(self):
            return self.text * {factor}
{attribute}value boxed: source
    python:
        return Box(input.read_text())
out: <boxed> other
    python:
        output.write_text(boxed.told() + input.read_text())
"""

    box.write(Pipefile=text(2), source="ab", other="!")
    assert box.ran() == 2
    assert box.text("out") == "abab!"
    box.runs_nothing()
    box.write(other="?")
    assert box.ran() == 1
    assert box.text("out") == "abab?"
    box.write(Pipefile=text(3))
    assert box.ran() == 2
    assert box.text("out") == "ababab?"
    box.runs_nothing()


def test_functions_that_a_block_defines_count_by_their_code(box: Sandbox) -> None:
    text = """value tools: source
    python:
        class Tool:
            def told(self):
                return "a"
        def plain():
            return "b"
        return Tool(), plain, lambda: "c"
out: <tools>
    python:
        output.write_text(tools[0].told() + tools[1]() + tools[2]())
"""
    box.write(Pipefile=text, source="")
    assert box.ran("out") == 2
    for letter in "abc":
        text = text.replace(f'"{letter}"', f'"{letter.upper()}"')
        box.write(Pipefile=text)
        assert box.ran("out") == 2
    assert box.text("out") == "ABC"
    box.write(Pipefile=text.replace("def plain():", "def plain():  # nothing new"))
    box.runs_nothing("out")


def test_what_cannot_be_pickled_counts_by_what_it_comes_from(box: Sandbox) -> None:
    text = """import threading
value lock: source
    python:
        import threading
        return {"lock": threading.Lock(), "text": input.read_text().strip()}
out: <lock> other
    python:
        output.write_text(lock["text"] + input.read_text())
""".removeprefix("import threading\n")
    box.write(Pipefile=text, source="a", other="!")
    assert box.ran() == 2
    box.runs_nothing()
    box.write(source="a ")
    assert box.ran() == 2  # nobody can tell that it is the same
    assert box.text("out") == "a!"
    box.runs_nothing()
    box.write(Pipefile="@cached\n" + text)
    output = box.run(status=2)
    assert "`value lock` failed: the object cannot be kept" in output
    assert "`@cached` needs one that can be pickled" in output
    box.write(Pipefile=text)
    assert box.ran() == 1
    box.runs_nothing()


def test_the_order_of_a_set_does_not_count(box: Sandbox) -> None:
    text = """value words: source
    python:
        return {"set": {word for word in input.read_text().split()}}
out: <words>
    python:
        output.write_text(" ".join(sorted(words["set"])))
"""
    box.write(Pipefile=text, source="a b c d e f g")
    box.run(env={"PYTHONHASHSEED": "1"})
    box.write(source="g f e d c b a")
    box.run(env={"PYTHONHASHSEED": "2"})
    output = box.run("-d", env={"PYTHONHASHSEED": "3"})
    assert "2 ran" not in output
    box.write(source="a b c d e f")
    assert box.ran() == 2


def test_a_failing_value(box: Sandbox) -> None:
    """It is a failed job, told with the lines of the Pipefile; what takes it is not made."""
    _genes(box)
    box.put("genes.tsv", "a\n")
    output = box.run(status=2)
    assert "`value genes` failed: IndexError" in output
    assert 'File "Pipefile", line 6' in output
    assert "not made because of that: `report.txt`" in output
    assert not (box.folder / ".pybuild/values/genes").exists()
    box.put("genes.tsv", "a 1\nb 2\n")
    assert box.ran() == 2


def test_touching_takes_a_value_as_made(box: Sandbox) -> None:
    _genes(box, GENES.replace("value genes", "@cached\nvalue genes"))
    box.run("-t")
    box.runs_nothing()
    box.put("names.txt", "a")
    assert box.ran() == 1
    assert box.text("report.txt") == "1"


def test_files_of_pybuild_that_are_gone_are_made_again(box: Sandbox) -> None:
    _genes(box, GENES.replace("value genes", "@cached\nvalue genes"))
    box.run()
    (box.folder / ".pybuild/values/genes.pickle").unlink()
    assert box.ran() == 1
    (box.folder / ".pybuild/values/genes").write_text("")
    assert box.ran() == 1
    box.runs_nothing()


def test_temporary_files_need_a_value_that_is_kept(box: Sandbox) -> None:
    text = """@temp
numbers: source
    cat source > numbers
@cached
value total: numbers
    python:
        return sum(map(int, input.read_text().split()))
out: <total> other
    python:
        output.write_text(f"{total} {input.read_text()}")
"""
    box.write(Pipefile=text.replace("@cached\n", ""), source="1 2", other="!")
    output = box.run("out", status=2)
    assert "put `@cached` above `total`" in output
    box.write(Pipefile=text)
    assert box.ran("out") == 3
    assert not (box.folder / "numbers").exists()
    box.write(other="?")
    assert box.ran("out") == 1
    assert box.text("out") == "3 ?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "value v: a\n    python:\n        return 1\nb: <v>\n    echo <v> > b\n",
            "5:10: error: a value can be used in Python only",
        ),
        (
            "value v: a\n    python:\n        return 1\n@desc('<v>')\nb: <v>\n    touch b\n",
            "a value can be used in Python only",
        ),
        (
            "value v: a\n    python:\n        return 1\nb: a\n    python:\n        print(v)\n",
            "5:5: error: the value `v` is no prerequisite of this rule",
        ),
        ("value v: a\n    touch b\n", "the recipe of a `value` is one block of Python"),
        ("value v: a\n", "the recipe of a `value` is one block of Python"),
        ("value v: a\n    python:\n        x = 1\n", "2:5: error: this block returns nothing"),
        (
            "value v: b: a\n    python:\n        return 1\n",
            "a `value` has a name and prerequisites, and no targets",
        ),
        (
            "value v: a\n    python:\n        return 1\nc: o/<n>: <v> i/<n>\n    touch o\n",
            "it can't drive a rule",
        ),
        (
            "value v: a\n    python:\n        return 1\nb: x=<v>\n    touch b\n",
            "`<v>` is a value and has its name already",
        ),
        (
            "value v: <w>\n    python:\n        return w\nvalue w: <v>\n    python:\n"
            "        return v\nb: <v>\n    touch b\n",
            "these need each other: `<v>` <- `<w>` <- `<v>`",
        ),
        (
            "@temp\nvalue v: a\n    python:\n        return 1\n",
            "`@temp` has no meaning above a `value`",
        ),
        ("@cached\nb: a\n    touch b\n", "`@cached` stands above a rule that is no `value`"),
        (
            "value v: a\n    python:\n        yield 1\n        return 2\n",
            "3:9: error: Python: 'yield' outside function",
        ),
        (
            "value v: i/<n>\n    python:\n        return 1\nb: <v>\n    touch b\n",
            "the capture `<n>` is used by no target",
        ),
    ],
)
def test_mistakes(box: Sandbox, text: str, said: str) -> None:
    box.write(Pipefile=text, a="")
    box.put("i/x", "")
    output = box.run(status=2)
    assert said in output, output
    assert output.count("error:") == 1, output


def test_a_value_that_is_killed_is_made_again(box: Sandbox) -> None:
    """A kill between its files leaves nothing that counts."""
    text = """@cached
value big: source
    python:
        import os, pathlib, signal, time
        class Slow:
            def __reduce__(self):
                pathlib.Path("begun").touch()
                while pathlib.Path("wait").exists():
                    time.sleep(0.01)
                return (int, ())
        return [input.read_text(), Slow()]
out: <big>
    python:
        output.write_text(big[0])
"""
    box.write(Pipefile=text, source="a")
    box.run()
    box.write(source="b", wait="")
    (box.folder / "begun").unlink()
    process = subprocess.Popen([sys.executable, "-m", "pybuild"], cwd=box.folder)
    begun: Path = box.folder / "begun"
    give_up = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < give_up:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (box.folder / "wait").unlink()
    assert box.ran() == 2
    assert box.text("out") == "b"
    box.runs_nothing()


def test_a_return_keeps_the_names_of_a_block_global(box: Sandbox) -> None:
    text = """python:
    offset = 1
    def shifted(number):
        return number + offset
value table: source
    python:
        import json
        offset = 10
        size: int = 3
        def inner(number):
            return shifted(number) + offset + size
        try:
            json.loads("{")
        except ValueError as error:
            told = str(error)[:9]
        class Of:
            kind = told
        return [inner(each) for each in range(2)], Of.kind, (last := 5), last
out: <table>
    python:
        output.write_text(f"{table} {offset}")
"""
    box.write(Pipefile=text, source="")
    assert box.ran("out") == 2
    assert box.text("out") == "([14, 15], 'Expecting', 5, 5) 1"


def test_what_a_value_does_to_its_process_is_undone(box: Sandbox) -> None:
    """Where it is made as where it is made again; it has its own environment in both."""
    text = """@env(SIZE="3", ONLY="value")
value sizes: source
    python:
        import os
        os.chdir("elsewhere")
        os.environ["LEFT"] = "yes"
        return [int(os.environ["SIZE"])]
@env(SIZE="4")
out: <sizes> other
    python:
        import os
        found = [os.environ.get(name) for name in ("SIZE", "ONLY", "LEFT")]
        output.write_text(f"{sizes} {found} {input.read_text()}")
"""
    box.write(Pipefile=text, source="", other="!")
    box.put("elsewhere/x", "")
    assert box.ran("out") == 2
    assert box.text("out") == "[3] ['4', None, None] !"
    box.write(other="?")
    assert box.ran("out") == 1
    assert box.text("out") == "[3] ['4', None, None] ?"
    assert box.names("elsewhere/.pybuild/*") == []


def test_a_value_that_is_not_active_cannot_be_taken(box: Sandbox) -> None:
    text = """all: out
@active_if(False)
value sizes: source
    python:
        return 1
out: <sizes>
    python:
        output.write_text(str(sizes))
"""
    box.write(Pipefile=text, source="")
    assert "the value `sizes` is taken, and is not active" in box.run(status=2)


RANDOM = """all: out/a out/b sizes.txt
value numbers: numbers.txt
    python:
        return {int(word) for word in input.read_text().split()}
@cached
value total: <numbers> factor.txt
    python:
        return sum(numbers) * int(input.read_text())
each: out/<n>: in/<n> <total>
    python:
        output.write_text(f"{input.read_text()} {total}")
sizes.txt: <numbers>
    python:
        output.write_text(f"{len(numbers)}")
"""
_EDITS = st.one_of(
    st.tuples(st.just("numbers.txt"), st.sampled_from(["1 2", "2 1", " 1 2", "3", "1 3", "0 3"])),
    st.tuples(st.just("factor.txt"), st.sampled_from(["1", "2", "0", " 2"])),
    st.tuples(st.sampled_from(["in/a", "in/b"]), st.sampled_from(["x", "y"])),
)


def _keys(files: Mapping[str, str]) -> dict[str, object]:
    """What each job depends on, so that it has to run when that changes and only then."""
    numbers = frozenset(map(int, files["numbers.txt"].split()))
    total = sum(numbers) * int(files["factor.txt"])
    return {
        "numbers": files["numbers.txt"],
        "total": (numbers, files["factor.txt"]),
        "sizes.txt": numbers,
        **{f"out/{n}": (files[f"in/{n}"], total) for n in "ab"},
    }


@given(rounds=st.lists(st.lists(_EDITS, max_size=3), min_size=1, max_size=4))
@settings(max_examples=8, deadline=None)
def test_after_any_edits_exactly_what_has_to_runs(rounds: list[list[tuple[str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        box = Sandbox(Path(folder))
        files = {"numbers.txt": "1 2", "factor.txt": "1", "in/a": "x", "in/b": "x"}
        box.put("Pipefile", RANDOM)
        known: dict[str, object] = {}
        for edits in [[], *rounds]:
            files |= dict(edits)
            for name, text in files.items():
                box.put(name, text)
            keys = _keys(files)
            assert box.ran() == sum(known.get(name) != key for name, key in keys.items())
            known = keys
            box.runs_nothing()
            total = sum(set(map(int, files["numbers.txt"].split()))) * int(files["factor.txt"])
            for name in "ab":
                assert box.text(f"out/{name}") == f"{files[f'in/{name}']} {total}"
            assert box.text("sizes.txt") == str(len(set(files["numbers.txt"].split())))
