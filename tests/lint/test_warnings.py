"""What `--lint` warns of, and what it leaves alone: a false alarm is worse than silence.

Each case is a recipe or a Pipefile with the codes that are due, by line; cases without codes are
those that look alike and are right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.source import Fix

from .fixing import fixed
from .looking import look, told


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: an empty project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of_recipe(recipe: str) -> list[tuple[int, str]]:
    """What is said of one rule with two prerequisites and some variables."""
    text = (
        'tools = ["a", "b"]\none = ["a"]\nflags = "-O2"\nempty ?= "x"\n'
        f"out.txt: in.txt other.txt log=log.txt\n{recipe}\n"
        "\nuse: out.txt\n    echo <tools> <one> <flags> <empty> > <output>\n"
    )
    return [(line - 5, code) for line, code in told(look(text, "in.txt", "other.txt", "log.txt"))]


HABITS = [
    ("cp $< $@", ["PB501", "PB501"]),
    ('cp "$<" "$@"', ["PB501", "PB501"]),
    ("cat $^ > <output>", ["PB501"]),
    ("mkdir -p $(@D); touch $(@F)", ["PB501", "PB501"]),
    ("touch $*.o <output>", ["PB501"]),
    ("echo $@.tmp > <output>", ["PB501"]),
    ("$(CC) <input> > <output>", ["PB502"]),
    ("$(MAKE) -C sub > <output>", ["PB502"]),
    ("gcc $(flags) <input> > <output>", ["PB502"]),
    ("cat $(wildcard *.txt) > <output>", ["PB502"]),
    ("echo $(shell date) > <output>", ["PB502"]),
    ("for i in a b; do echo $$i; done > <output>", ["PB503"]),
    ('echo "$${i}" > <output>', ["PB503"]),
    ("gcc $flags <input> > <output>", ["PB511"]),
    ('gcc "${flags}" <input> > <output>', ["PB511"]),
    # What looks like these and is right.
    ("awk '{print $1, $@, $<, $$2}' <input> > <output>", []),
    ('grep -E "^$|^#" <input> > <output>', []),
    ("grep -v '^$' <input> > <output>", []),
    ('grep "x$" <input> > <output>', []),
    ('f() { echo "$@"; }; f <input> > <output>', []),
    ('set -- <inputs>; echo "$@" "$*" > <output>', []),
    ("echo $(date) $(pwd) > <output>", []),
    ("echo $(sort <input>) > <output>", []),
    ("echo $((1 + 2)) > <output>", []),
    ("sleep 1 & echo $! $? $# $0 > <output>", []),
    ("echo $$ > <output>; mv x /tmp/x.$$", []),
    ("echo \\$@ \\$(CC) > <output>", []),
    ("# $@ $(CC)\ntouch <output>", []),
    ("cat > <output> <<'EOF'\n$@ $(CC) $$x\nEOF", []),
    ("flags=1; echo $flags > <output>", []),
    ("read flags < <input>; echo $flags > <output>", []),
    ("for flags in a b; do echo $flags; done > <output>", []),
    ("echo $HOME ${USER:-me} $undefined > <output>", []),
    ('echo "${flags:-none}" > <output>', []),
    ("echo $empty > <output>", []),  # `?=`: it may be in the environment
    ("BUILD() { echo; }; x=$(BUILD) > <output>", []),
    ("#!/usr/bin/env perl\nprint $@, $$x, $<;", []),
]


@pytest.mark.parametrize(("recipe", "codes"), HABITS)
def test_habits(recipe: str, codes: list[str]) -> None:
    text = "\n".join(f"    {line}" for line in recipe.split("\n"))
    assert [code for _, code in of_recipe(text)] == codes


HAZARDS = [
    ('cat "<inputs>" > <output>', ["PB506"]),
    ("cat '<inputs>' > <output>", ["PB506"]),
    ('cc "<tools>" > <output>', ["PB506"]),
    ("gcc -I<tools> <input> > <output>", ["PB507"]),
    ("cat <inputs>.gz > <output>", ["PB507"]),
    ("x=<inputs>; touch <output>", ["PB507"]),
    ("sort <input> > <input>", ["PB512"]),
    ("sort <input> 2> <log>; touch <output>", ["PB512"]),
    ("rm -rf <empty>/lib; touch <output>", ["PB508"]),
    ('rm -r -f "<empty>/"; touch <output>', ["PB508"]),
    ("cat <inputs>", ["PB510"]),
    ("rm -f <output>", ["PB510"]),
    ("rm -f <output>; echo done", ["PB510"]),
    # What looks like these and is right.
    ('cat "<input>" <inputs> > "<output>"', []),
    ('echo "made of <inputs>." > <output>', []),
    ("echo <inputs>. > <output>", []),
    ('printf "%s" "<inputs>" > <output>', []),
    ('x="<inputs>"; touch <output>', []),
    ('[ -n "<inputs>" ] && touch <output>', []),
    ('wc <<< "<inputs>" > <output>', []),
    ("gcc -I<one> -I<tools[0]> <input> > <output>", []),
    ("gcc -I<flags> <input>.x > <output>", []),
    ("(cat <inputs>) > <output>", []),
    ("cat <(sort <input>) <log> > <output>", []),
    ("sort <input> -o <output>", []),
    ("paste <input> <log> > <output>", []),
    ("cat <input> <log> >> <output>", []),
    ("rm -rf <output>/x <flags>/x; touch <output>", []),
    ("rm -rf build/<empty>/lib; touch <output>", []),
    ("rm -rf <empty>; touch <output>", []),
    ("echo rm -rf; ls <empty>/lib > <output>", []),
    ("tar xf <input>", []),
    ("make", []),
    ("cat <inputs> | tee out.txt", []),
    ("echo $(touch out.txt)", []),
    ("if true; then echo; fi", []),
    ("<tools> <input>", []),
    ("rm -f x; exit 1", []),
]


@pytest.mark.parametrize(("recipe", "codes"), HAZARDS)
def test_hazards(recipe: str, codes: list[str]) -> None:
    assert [code for _, code in of_recipe(f"    {recipe}")] == codes


FOLDERS = [
    (["cd sub && make", "cp <input> <output>"], [1]),
    (["cd sub; make", "cat <log> > out.txt"], [1]),
    (["cd sub", "cp <input> <output>"], [1]),
    (["touch x", "cd sub && cp <input> x"], [2]),
    (["(cd sub && make)", "cp <input> <output>"], []),
    (["cd sub && make", "cd ..", "cp <input> <output>"], []),
    (["pushd sub", "make", "popd", "cp <input> <output>"], []),
    (["cd sub && cp ../<input> ../<output>"], []),
    (["here=$PWD", "cd sub", "cp $here/<input> $here/<output>"], []),
    (["cd sub && make > log"], []),
    (["cd . && cp <input> <output>"], []),
    (["cd /tmp && ls > x"], []),
    (["if true; then", "  cd sub", "fi", "touch <output>"], []),
    (["cat > out.txt <<EOF", "cd sub", "EOF", "cat <input>"], []),
]


@pytest.mark.parametrize(("rows", "lines"), FOLDERS)
def test_a_folder_that_stays_changed(rows: list[str], lines: list[int]) -> None:
    found = of_recipe("\n".join(f"    {row}" for row in rows))
    assert found == [(line, "PB505") for line in lines]


def test_folders_of_absolute_names_may_change() -> None:
    root = Path.cwd()
    text = f"{root}/out: {root}/in\n    cd sub && make\n    cp <input> <output>\n"
    assert told(look(text, "in")) == []


def test_a_list_of_one_is_a_word() -> None:
    text = 'one: in.txt\n    cat "<inputs>" x<inputs> > <output>\n'
    assert told(look(text, "in.txt")) == []


MANY = [
    "all.txt: *.in",
    "all.txt: a.in b.in",
    "collate all: <kind>.txt: <kind>-<n>.in",
    "product pairs: <a.basename>-<b.basename>.txt: a=*.in b=*.in",
    "all.txt: <each>",
    "%.txt: %.in b.in",
]


@pytest.mark.parametrize("header", MANY)
def test_headers_with_several_inputs(header: str) -> None:
    text = (
        f'{header}\n    cat "<inputs>" > <output>\neach: <x>.out: <x>.in\n    cp <input> <output>\n'
    )
    found = look(text, "a.in", "b.in", "x-1.in", "x-2.in")
    assert (2, "PB506") in told(found)


ONE = ["<x>.txt: <x>.in", "all.txt: a.in", "%.txt: %.in", "a.txt b.txt: %.txt: %.in"]


@pytest.mark.parametrize("header", ONE)
def test_headers_with_one_input(header: str) -> None:
    assert told(look(f'{header}\n    cat "<inputs>" > <output>\n', "a.in", "b.in")) == []


PIPEFILES = [
    # Variables and functions that nothing uses.
    ('x = 1\na:\n    touch <output>\n', [(1, "PB601")]),
    ('x = 1\na:\n    touch x\n', [(1, "PB601")]),
    ('python:\n    def f():\n        return f\na:\n    touch <output>\n', [(2, "PB602")]),
    ('x = 1\na:\n    touch <output> <x>\n', []),
    ('x = 1\ny = x\na:\n    touch <output> <y>\n', []),
    ('x = 1\n@desc("number <x>")\na:\n    touch <output>\n', []),
    ('x = 1\n@params(y=x)\na:\n    touch <output>\n', []),
    ('x = "a"\nout/<x>:\n    touch <output>\n', []),
    ('x = 1\na:\n    python:\n        output.write_text(str(x))\n', []),
    ('x = 1\npython:\n    print(globals()["x"], end="")\na:\n    touch <output>\n', []),
    ('k = 2\ncombinations(k) c: <inputs[0]>-<inputs[1]>.o: *.in\n    touch <output>\n', []),
    ('_x = 1\na:\n    touch <output>\n', []),
    ('-include more.pipe\nx = 1\na:\n    touch <output>\n', []),
    ('python:\n    def f():\n        return "x"\na: <f()>\n    touch <output>\nx:\n    touch x\n', []),
    ('python:\n    def f(*_):\n        return True\n@uptodate_if(f)\na:\n    touch <output>\n', []),
    # A mistake and what follows from it are told once.
    ('src = "x"\na:\n    touch a <srcc>\n', [(3, "PB201")]),
    ('SRC = "b.in"\na: $(SRC)x\n    touch <output>\n', [(2, "PB305")]),
    # Values that nothing sees.
    ('x = 1\nx = 2\na:\n    touch <output> <x>\n', [(1, "PB603")]),
    ('x = 1\nb:\n    touch b <x>\nx = 2\n', [(1, "PB603")]),
    ('x = 1\nx = x + 1\na:\n    touch <output> <x>\n', []),
    ('x = 1\ny = x\nx = 2\na:\n    touch <output> <x> <y>\n', []),
    ('x = "a"\nx += "b"\na:\n    touch <output> <x>\n', []),
    ('x = 1\nx ?= 2\na:\n    touch <output> <x>\n', []),
    ('x = 1\npython:\n    y = x\nx = 2\na:\n    touch <output> <x>\n', []),
    (
        'python:\n    def f():\n        return x\nx = 1\ny = f()\nx = 2\n'
        'a:\n    touch <output> <x> <y>\n',
        [],
    ),
    ('x = 1\n-include more.pipe\nx = 2\na:\n    touch <output> <x>\n', []),
    # What may be removed.
    ('DESTDIR ?= ""\n.PHONY: u\nu:\n    rm -rf <DESTDIR>/usr/lib/it\n', []),
    ('p ?= "a"\npython:\n    assert p, "p is empty"\n.PHONY: u\nu:\n    rm -rf <p>/lib\n', []),
    ('p = env("P", "a")\n.PHONY: u\nu:\n    rm -rf <p>/lib\n', [(4, "PB508")]),
    # `.PHONY`.
    ('.PHONY: b\na:\n    touch <output>\n', [(1, "PB608")]),
    ('.PHONY: a all\nall: a\na:\n    echo\n', []),
    ('.PHONY: do\ndo: x.o\nx.o:\n    touch <output>\n', []),
    # Names that hide others.
    (
        'python:\n    from os import path\na: b.in\n    python:\n        path.exists(input)\n',
        [(5, "PB604")],
    ),
    (
        'python:\n    from os import path\na: b.in\n    python:\n        from os import path\n'
        '        path.exists(input)\n',
        [],
    ),
    ('python:\n    from os import path\na: b.in\n    python:\n        print(input)\n', []),
    ('list = ["a"]\na:\n    python:\n        print(list("a"))\n', [(4, "PB605")]),
    ('list = ["a"]\na:\n    python:\n        print(list)\n', []),
    ('list = ["a"]\na:\n    python:\n        list = str\n        print(list("a"))\n', []),
    ('dir = "a"\na:\n    echo <dir> > <output>\n', []),
    # References that stay as they are.
    ('x = "a"\na: $(x)\n    touch <output>\n', [(2, "PB504")]),
    ('x = "$(CC) -O2"\na:\n    echo <x> > <output>\n', [(1, "PB504")]),
    ('y = "a"\nx = "<y>/b"\na:\n    echo <x> <y> > <output>\n', [(2, "PB509")]),
    ('x = "$(date) <b>bold</b>"\na:\n    echo <x> > <output>\n', []),
    ('y = "a"\nx = "<y>.d"\n@depfile(x)\na:\n    echo <y> > <output>\n', []),
    ('b = "a"\nx = "<b>bold</b>"\na:\n    echo <x> <b> > <output>\n', []),
    ('x = "a<z>"\na:\n    echo <x> > <output>\n', []),
    # Rules between which the order decides.
    ('a: b.o\n%.o: %.in\n    cp <input> <output>\n%.o: %.in a.in\n    cp <input> <output>\n', [(4, "PB606")]),
    ('a: b.o\n%.o: %.in\n    cp <input> <output>\n%.o: %.c\n    cp <input> <output>\n', [(4, "PB607")]),
    ('a: b.o\n%.o: %.in\n    cp <input> <output>\nb%.o: b%.in\n    cp <input> <output>\n', []),
    ('a: b.o\n%.o: %.in\n    cp <input> <output>\n%.o: %.z\n    cp <input> <output>\n', []),
    ('a: a.o\n%.o: %.in b.in\n    cp <input> <output>\n%.o: %.in\n    cp <input> <output>\n', [(4, "PB607")]),
    # What makes nothing.
    ('clean:\n    rm -rf build\n', [(1, "PB510")]),
    ('.PHONY: clean\nclean:\n    rm -rf build\n', []),
    ('@phony\nclean:\n    rm -rf build\n', []),
    ('@touch("<output>")\na:\n    echo\n', []),
    ('@shell("fish -c")\na:\n    echo\n', []),
    ('clean:\n    rm -rf build\n-include more.pipe\n', []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), PIPEFILES)
def test_pipefiles(text: str, wanted: list[tuple[int, str]]) -> None:
    found = look(text, "a.in", "b.in", "b.c", "$(x)")
    assert told(found) == wanted
    for each in found:
        assert each.severity == ("warning" if each.code >= "PB5" else "error")


CURES = [
    ("PB501", "a: b.in\n    cp $< <output>\n", "a: b.in\n    cp <input> <output>\n"),
    ("PB501", "a: b.in\n    cp <input> $(@D)/a\n", "a: b.in\n    cp <input> <output.path>/a\n"),
    ("PB502", "CC = 'cc'\na: b.in\n    $(CC) <input> > a\n", "CC = 'cc'\na: b.in\n    <CC> <input> > a\n"),
    ("PB502", "a:\n    x=$(shell ls) make\n", "a:\n    x=$(ls) make\n"),
    ("PB503", "a:\n    for i in x; do touch a $$i; done\n", "a:\n    for i in x; do touch a $i; done\n"),
    ("PB505", "a: b.in\n    cd x && make\n    cp <input> a\n", "a: b.in\n    (cd x && make)\n    cp <input> a\n"),
    ("PB506", 'a: b.in a.in\n    cat "<inputs>" > a\n', "a: b.in a.in\n    cat <inputs> > a\n"),
    ("PB509", 'f = "x"\ny = "<f>/z"\na:\n    touch a <y>\n', 'f = "x"\ny = f"{f}/z"\na:\n    touch a <y>\n'),
    ("PB510", "clean:\n    rm -f x\n", ".PHONY: clean\nclean:\n    rm -f x\n"),
    ("PB511", 'o = "x"\na:\n    touch a $o\n', 'o = "x"\na:\n    touch a <o>\n'),
    ("PB601", 'o = "x"\na:\n    touch a\n', "a:\n    touch a\n"),
    ("PB603", 'o = 1\no = 2\na:\n    touch a <o>\n', "o = 2\na:\n    touch a <o>\n"),
    ("PB608", ".PHONY: claen\nclean:\n    touch clean\n", ".PHONY: clean\nclean:\n    touch clean\n"),
    ("PB201", "a: b.in\n    cp <inptu> <output>\n", "a: b.in\n    cp <input> <output>\n"),
    ("PB201", "a: b.in\n    sort <b.in>a\n", "a: b.in\n    sort < b.in >a\n"),
    ("PB204", 'src = "b.in"\na: <srcc>\n    touch a\nz: <src>\n    touch z\n', 'src = "b.in"\na: <src>\n    touch a\nz: <src>\n    touch z\n'),
    ("PB207", "x = gcc\na:\n    touch a <x>\n", 'x = "gcc"\na:\n    touch a <x>\n'),
    ("PB211", "a: b.in\n    touch a <input.basenam>\n", "a: b.in\n    touch a <input.basename>\n"),
    ("PB215", "a: b.in\n    cat <input> <e> > a\ne: f:\n    touch f\n", "a: b.in <e>\n    cat <input> <e> > a\ne: f:\n    touch f\n"),
    ("PB220", "@allways\na:\n    touch a\n", "@always\na:\n    touch a\n"),
    ("PB302", "c: out/x<ext>: *.in\n    cat <inputs> > <output>\n", "collate c: out/x<ext>: *.in\n    cat <inputs> > <output>\n"),
    ("PB305", "a.txt: bb.in\n    cp <input> <output>\n", "a.txt: b.in\n    cp <input> <output>\n"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "cured"), CURES)
def test_the_first_fix_cures(code: str, text: str, cured: str) -> None:
    """The text becomes what is due, and nothing is said of it any more."""
    found = [each for each in look(text, "a.in", "b.in") if each.code == code]
    assert len(found) == 1
    fix: Fix = found[0].fixes[0]
    assert fixed(text, fix) == cured
    assert told(look(cured)) == []
