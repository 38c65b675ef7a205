"""`--flowchart`: the boxes, arrows and colours of a project, and the files they are written to."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from typing import NamedTuple

import pytest

from .conftest import Place

STATES = ("up-to-date", "stale", "forced", "target", "unknown", "source", "failed")
SHAPES = {
    "rounded": "rule",
    "trapezium": "split",
    "invtrapezium": "collate",
    "ellipse": "phony",
    "note": "source",
    "box": "job",
}

PROGRAM = """
all: app
app: <compile> | log/
    cat <inputs> > <output>
compile: build/<b>.o: src/<b>.c config.h
    cat <inputs> > <output>
.PHONY: clean
clean:
    rm -rf build app
"""

SHARDS = """
split shard: shards/*.fa: genome.fa
    for part in $(cat <input>); do echo $part > shards/$part.fa; done
index: index/<basename>.idx: shards/*.fa
    cp <input> <output>
report: <index> title
    cat <inputs> > <output>
"""


class Box(NamedTuple):
    """A box as it is drawn."""

    detail: str
    shape: str
    state: str
    tooltip: str


class Drawing:
    """A chart in the DOT language, read back: boxes by label, arrows as pairs of labels."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.boxes: dict[str, Box] = {}
        self.arrows: set[tuple[str, str]] = set()
        self.dashed: set[tuple[str, str]] = set()
        labels = {}
        for line in text.splitlines():
            if node := re.match(r'  (n\d+) \[label="(.*?)", tooltip="(.*?)", (.*)\];$', line):
                label, _, detail = node[2].replace("\\n", "\n").partition("\n")
                tooltip = node[3].replace("\\n", "\n").split("\n")
                state = next(each for each in tooltip if each in STATES)
                round_or_not = re.findall(r"rounded|shape=(?!box,.*rounded)(\w+)", node[4])
                shape = round_or_not[0] or "rounded"
                assert label not in self.boxes
                self.boxes[label] = Box(detail, SHAPES[shape], state, node[3])
                labels[node[1]] = label
            elif edge := re.match(r"  (n\d+) -> (n\d+)( \[style=dashed\])?;$", line):
                arrows = self.dashed if edge[3] else self.arrows
                arrows.add((labels[edge[1]], labels[edge[2]]))

    def states(self) -> dict[str, str]:
        """The states of all boxes but those of sources."""
        return {label: box.state for label, box in self.boxes.items() if box.state != "source"}


def drawn(place: Place, *words: str, status: int = 0) -> Drawing:
    """The chart that goes to stdout."""
    return Drawing(place.run("--flowchart", "-", *words, status=status).stdout)


def program(place: Place) -> None:
    """Two sources to be compiled."""
    place.put(Pipefile=PROGRAM, **{"config.h": "h"})
    place.write("log/.keep")
    place.write("src/one.c", "1")
    place.write("src/two.c", "2")


def shards(place: Place) -> None:
    """A genome to be cut into three."""
    place.put(Pipefile=SHARDS, title="t", **{"genome.fa": "x y z"})


# -- boxes and arrows ----------------------------------------------------------------------


def test_rules_and_what_they_need(place: Place) -> None:
    program(place)
    chart = drawn(place)
    assert {label: box[:2] for label, box in chart.boxes.items()} == {
        "all": ("", "phony"),
        "app": ("1 job", "rule"),
        "compile": ("2 jobs", "rule"),
        "clean": ("1 job", "phony"),
        "src/<b>.c": ("2 files", "source"),
        "config.h": ("", "source"),
        "log/": ("", "source"),
    }
    assert chart.arrows == {
        ("app", "all"),
        ("compile", "app"),
        ("src/<b>.c", "compile"),
        ("config.h", "compile"),
    }
    assert chart.dashed == {("log/", "app")}


def test_jobs_and_what_they_need(place: Place) -> None:
    program(place)
    chart = drawn(place, "--flowchart-jobs")
    assert {label: box[:2] for label, box in chart.boxes.items()} == {
        "all": ("", "phony"),
        "app": ("", "job"),
        "build/one.o": ("compile", "job"),
        "build/two.o": ("compile", "job"),
        "clean": ("", "phony"),
        "src/one.c": ("", "source"),
        "src/two.c": ("", "source"),
        "config.h": ("", "source"),
        "log/": ("", "source"),
    }
    assert chart.arrows == {
        ("app", "all"),
        ("build/one.o", "app"),
        ("build/two.o", "app"),
        ("src/one.c", "build/one.o"),
        ("src/two.c", "build/two.o"),
        ("config.h", "build/one.o"),
        ("config.h", "build/two.o"),
    }


def test_goals_restrict_the_chart_to_what_they_need(place: Place) -> None:
    program(place)
    assert set(drawn(place, "compile").boxes) == {"compile", "src/<b>.c", "config.h"}
    one = drawn(place, "build/one.o")
    assert set(one.boxes) == {"compile", "src/<b>.c", "config.h"}
    assert one.boxes["compile"].detail == "1 of 2 jobs"
    assert one.boxes["src/<b>.c"].detail == "1 file"
    jobs = drawn(place, "--flowchart-jobs", "build/one.o")
    assert set(jobs.boxes) == {"build/one.o", "src/one.c", "config.h"}
    assert set(drawn(place, "clean").boxes) == {"clean"}


def test_each_kind_of_rule_has_its_shape(place: Place) -> None:
    place.put(
        Pipefile="""
all: <pair> one.t x.up
split parts: parts/*.txt: whole
    touch parts/1.txt
collate pair: pairs/<s>: reads/<s>_<n:[12]>
    cat <inputs> > <output>
%.up: %.low
    cp <input> <output>
one.t two.t: %.t: whole
    cp <input> <output>
""",
        whole="",
        **{"x.low": ""},
    )
    place.write("reads/a_1")
    place.write("reads/a_2")
    chart = drawn(place)
    assert {label: box.shape for label, box in chart.boxes.items()} == {
        "all": "phony",
        "parts": "split",
        "pair": "collate",
        "%.up": "rule",
        "one.t two.t": "rule",
        "whole": "source",
        "reads/<s>_<n:[12]>": "source",
        "%.low": "source",
    }
    assert ("%.up", "all") in chart.arrows
    assert ("%.low", "%.up") in chart.arrows


def test_names_without_a_recipe_stand_between(place: Place) -> None:
    place.put(
        Pipefile="""
.PHONY: all docs check
all: docs check
docs: a.html b.html
<b>.html: <b>.md
    cp <input> <output>
check: a.html | tool
    test -s a.html
tool:
    touch tool
""",
        **{"a.md": "", "b.md": ""},
    )
    chart = drawn(place)
    assert chart.arrows == {
        ("docs", "all"),
        ("check", "all"),
        ("<b>.html", "docs"),
        ("<b>.html", "check"),
        ("<b>.md", "<b>.html"),
    }
    assert chart.dashed == {("tool", "check")}


def test_what_only_follows_is_dashed(place: Place) -> None:
    place.put(
        Pipefile="""
one: first: a
    cp a <output>
@follows(one)
second: b
    cp b <output>
@follows(one)
third: first
    cp first <output>
""",
        a="",
        b="",
    )
    chart = drawn(place)
    assert chart.dashed == {("one", "second")}
    assert ("one", "third") in chart.arrows


def test_one_need_among_waits_makes_an_arrow_of_them(place: Place) -> None:
    place.put(
        Pipefile="""
copy: <b>.copy: <b>.text
    cp <input> <output>
last: a.copy | b.copy
    cp a.copy <output>
""",
        **{"a.text": "", "b.text": ""},
    )
    chart = drawn(place, "last")
    assert ("copy", "last") in chart.arrows
    assert not chart.dashed


def test_a_list_that_drives_a_rule_is_one_box(place: Place) -> None:
    place.put(
        Pipefile="""
names = ["a.in", "b.in", "c.in"]
out: out/<basename>: <names>
    cp <input> <output>
""",
        **{"a.in": "", "b.in": "", "c.in": ""},
    )
    chart = drawn(place)
    assert chart.arrows == {("<names>", "out")}
    assert chart.boxes["<names>"].detail == "3 files"
    assert "b.in" in chart.boxes["<names>"].tooltip


def test_a_description_is_in_the_tooltip(place: Place) -> None:
    place.put(Pipefile='@desc("turns a into b")\nb: a\n    cp a b\n', a="")
    assert "turns a into b" in drawn(place).boxes["b"].tooltip


# -- states --------------------------------------------------------------------------------


def test_states_before_and_after_a_build(place: Place) -> None:
    program(place)
    assert drawn(place).states() == {
        "all": "target",
        "app": "stale",
        "compile": "stale",
        "clean": "stale",
    }
    place.run()
    assert drawn(place, "all").states() == {
        "all": "up-to-date",
        "app": "up-to-date",
        "compile": "up-to-date",
    }
    place.write("src/one.c", "changed")
    assert drawn(place, "all").states() == {"all": "target", "app": "stale", "compile": "stale"}
    assert drawn(place, "--flowchart-jobs", "all").states() == {
        "all": "target",
        "app": "stale",
        "build/one.o": "stale",
        "build/two.o": "up-to-date",
    }


def test_a_goal_with_a_recipe_is_the_target(place: Place) -> None:
    program(place)
    assert drawn(place, "app").states() == {"app": "target", "compile": "stale"}
    assert drawn(place, "compile").states() == {"compile": "target"}


def test_forced_jobs(place: Place) -> None:
    program(place)
    place.run()
    states = drawn(place, "--flowchart-jobs", "--force", "build/two.o", "all").states()
    assert states["build/two.o"] == "forced"
    assert states["build/one.o"] == "up-to-date"
    assert drawn(place, "--force", "compile", "all").states()["compile"] == "forced"


def test_why_a_job_would_run_is_in_its_tooltip(place: Place) -> None:
    program(place)
    place.run()
    place.write("src/one.c", "changed")
    chart = drawn(place, "--flowchart-jobs", "all")
    assert "prerequisite `src/one.c` changed" in chart.boxes["build/one.o"].tooltip


def test_what_is_behind_a_split_is_not_known(place: Place) -> None:
    shards(place)
    chart = drawn(place, "report")
    assert chart.states() == {"shard": "stale", "index": "unknown", "report": "unknown"}
    assert chart.boxes["index"].detail == "? jobs"
    assert chart.arrows == {
        ("genome.fa", "shard"),
        ("shard", "index"),
        ("index", "report"),
        ("title", "report"),
    }
    place.run("report")
    chart = drawn(place, "report")
    assert set(chart.states().values()) == {"up-to-date"}
    assert chart.boxes["index"].detail == "3 jobs"
    assert ("shard", "index") in chart.arrows


def test_jobs_that_are_known_are_counted_behind_a_split(place: Place) -> None:
    shards(place)
    place.write("shards/own.fa")
    assert drawn(place, "report").boxes["index"].detail == "1+ jobs"


def test_jobs_behind_a_split_hang_on_it(place: Place) -> None:
    shards(place)
    chart = drawn(place, "--flowchart-jobs", "report")
    assert chart.states() == {"shards/*.fa": "stale", "report": "unknown"}
    assert ("shards/*.fa", "report") in chart.arrows
    place.run("report")
    chart = drawn(place, "--flowchart-jobs", "report")
    assert ("shards/*.fa", "index/x.idx") in chart.arrows
    assert ("index/x.idx", "report") in chart.arrows
    assert ("shards/*.fa", "report") not in chart.arrows


def test_the_same_chart_with_and_without_goals(place: Place) -> None:
    shards(place)
    assert drawn(place).arrows == drawn(place, "report").arrows


def test_mistakes_are_told_and_drawn(place: Place) -> None:
    place.put(
        Pipefile="""
all: good bad
good: a
    cp a <output>
bad: nothing
    cp nothing <output>
""",
        a="",
    )
    done = place.run("--flowchart", "-", status=2)
    assert "PB305" in done.stderr
    chart = Drawing(done.stdout)
    assert chart.states() == {"all": "target", "good": "stale", "bad": "failed"}


def test_a_check_that_fails_is_told_and_drawn(place: Place) -> None:
    place.put(
        Pipefile="""
python:
    def broken(inputs, outputs):
        raise RuntimeError("no idea")
@uptodate_if(broken)
b: a
    cp a <output>
c: b
    cp b <output>
""",
        a="",
        b="",
    )
    done = place.run("--flowchart", "-", status=2)
    assert "no idea" in done.stderr
    assert Drawing(done.stdout).states() == {"b": "failed", "c": "unknown"}


def test_a_ring_is_told_and_drawn(place: Place) -> None:
    place.put(Pipefile="a: b\n    cp b a\nb: a\n    cp a b\n")
    done = place.run("--flowchart", "-", status=2)
    assert "PB301" in done.stderr
    assert Drawing(done.stdout).arrows == {("a", "b"), ("b", "a")}


def test_a_rule_that_matches_nothing_is_drawn(place: Place) -> None:
    place.put(
        Pipefile="all: <one>\none: one/<x>: <x>.in\n    cp <input> <output>\n"
        "@optional\ntwo: two/<x>: <x>.in\n    cp <input> <output>\n"
    )
    done = place.run("--flowchart", "-", status=2)
    chart = Drawing(done.stdout)
    assert chart.boxes["one"][:3] == ("0 jobs", "rule", "failed")
    assert chart.boxes["two"][:3] == ("0 jobs", "rule", "up-to-date")
    assert ("one", "all") in chart.arrows


def test_nothing_is_run_recorded_or_locked(place: Place) -> None:
    place.put(
        Pipefile="""
all: <parts> b
    +touch ran all
split parts: parts/*.txt: a
    +touch ran parts/1.txt
b: a
    +touch ran b
.PHONY: task
task:
    +touch ran
""",
        a="",
    )
    drawn(place)
    drawn(place, "--flowchart-jobs", "task", "all")
    assert place.files() == ["Pipefile", "a"]
    assert place.state() == []


# -- files ---------------------------------------------------------------------------------


def test_the_name_chooses_the_format(place: Place) -> None:
    program(place)
    for name in ("c.svg", "c.html", "c.dot", "c.mermaid", "c.mmd", "C.SVG"):
        done = place.run("--flowchart", name)
        assert done.stdout == f"pybuild: wrote {name}: 4 rules, 3 sources\n"
        assert not done.stderr
    text = {path.name: path.read_text() for path in place.folder.glob("[cC].*")}
    assert ET.fromstring(text["c.svg"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert text["C.SVG"] == text["c.svg"]
    assert text["c.html"].startswith("<!DOCTYPE html>")
    assert text["c.dot"].startswith("digraph ")
    assert "\nflowchart LR\n" in text["c.mermaid"]
    assert text["c.mmd"] == text["c.mermaid"]


def test_jobs_are_counted_as_jobs(place: Place) -> None:
    program(place)
    done = place.run("--flowchart", "c.svg", "--flowchart-jobs", "build/one.o")
    assert done.stdout == "pybuild: wrote c.svg: 1 job, 2 sources\n"


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not here")
def test_pictures_are_made_by_graphviz(place: Place) -> None:
    program(place)
    place.run("--flowchart", "c.png")
    place.run("--flowchart", "c.pdf")
    assert (place.folder / "c.png").read_bytes().startswith(b"\x89PNG")
    assert (place.folder / "c.pdf").read_bytes().startswith(b"%PDF")


def test_without_graphviz_a_picture_is_refused_with_advice(place: Place) -> None:
    program(place)
    done = place.run("--flowchart", "c.png", env={"PATH": str(place.folder)}, status=2)
    assert "[PB409]" in done.stderr
    assert "help: The formats svg and html" in done.stderr
    assert not (place.folder / "c.png").exists()


def test_dot_on_stdout_is_nothing_but_dot(place: Place) -> None:
    program(place)
    text = place.run("--flowchart", "-").stdout
    assert text.startswith("digraph ")
    assert text.endswith("}\n")


@pytest.mark.parametrize("name", ["chart.tiff", "chart", "svg"])
def test_another_extension_is_refused_with_the_known_ones(place: Place, name: str) -> None:
    program(place)
    done = place.run("--flowchart", name, status=2)
    assert f"`--flowchart={name}`" in done.stderr
    for extension in (".svg", ".html", ".dot", ".png", ".pdf", ".mermaid", ".mmd"):
        assert extension in done.stderr
    assert name not in place.files()


def test_a_file_that_cannot_be_written(place: Place) -> None:
    program(place)
    done = place.run("--flowchart", "nowhere/c.svg", status=2)
    assert "cannot write the chart to `nowhere/c.svg`: No such file or directory" in done.stderr
    assert not done.stdout


def test_a_source_alone_is_nothing_to_draw(place: Place) -> None:
    program(place)
    done = place.run("--flowchart", "-", "config.h", status=2)
    assert not done.stdout
    assert "no rule makes `config.h`" in done.stderr


def test_a_goal_that_is_nothing(place: Place) -> None:
    program(place)
    assert "PB305" in place.run("--flowchart", "-", "nonsense", status=2).stderr


def test_a_pipefile_without_rules(place: Place) -> None:
    place.put(Pipefile="a = 1\n")
    assert "PB308" in place.run("--flowchart", "-", status=2).stderr
