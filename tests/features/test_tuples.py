"""Rules whose jobs are made of several files taken together."""

from __future__ import annotations

import pytest

from .conftest import Sandbox

PAIRS = """{kind} pair: out/<n[0]>-<n[1]>.txt: in/<n>.txt
    cat <inputs> > <output>
"""


def _sources(box: Sandbox, *names: str) -> None:
    for name in names:
        box.put(f"in/{name}.txt", name)


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [
        ("combinations(2)", "ab ac bc"),
        ("permutations(2)", "ab ac ba bc ca cb"),
        ("combinations_with_replacement(2)", "aa ab ac bb bc cc"),
    ],
)
def test_pairs_of_one_set(box: Sandbox, kind: str, pairs: str) -> None:
    box.write(Pipefile=PAIRS.format(kind=kind))
    _sources(box, "a", "b", "c")
    assert box.ran("-j1") == len(pairs.split())
    made = {name: box.text(name) for name in box.names("out/*")}
    assert made == {f"out/{pair[0]}-{pair[1]}.txt": pair for pair in pairs.split()}
    box.runs_nothing()
    _sources(box, "d")
    more = {"combinations(2)": 3, "permutations(2)": 6}.get(kind, 4)
    assert box.ran() == more
    box.put("in/a.txt", "A")
    concerned = {"combinations(2)": 3, "permutations(2)": 6}.get(kind, 4)
    assert box.ran() == concerned
    box.runs_nothing()


def test_a_product_names_its_files(box: Sandbox) -> None:
    """Eight jobs of 2 x 2 x 2; a third file in one set makes four more and runs none again."""
    pipefile = """size = 3
product cross: out/<a.basename>_<b.basename>_<inputs[2].basename>.txt: a=one/* b=two/* c=three/* x.txt
    cat <a> <b> <c> x.txt > <output>
"""
    box.write(Pipefile=pipefile, **{"x.txt": "!"})
    for name in ("one/a.t", "one/b.t", "two/p.t", "two/q.t", "three/x.t", "three/y.t"):
        box.put(name, name[-3])
    assert box.ran() == 8
    assert box.text("out/b_p_y.txt") == "bpy!"
    box.runs_nothing()
    box.put("one/c.t", "c")
    assert box.ran() == 4
    box.put("x.txt", "?")
    assert box.ran() == 12
    box.put("three/y.t", "Y")
    assert box.ran() == 6


def test_files_of_a_product_go_together_where_captures_agree(box: Sandbox) -> None:
    box.write(
        Pipefile="product join: out/<n>_<m>.txt: left/<n>.a right/<n>_<m>.b\n"
        "    cat <inputs> > <output>\n"
    )
    for name in ("left/1.a", "left/2.a", "left/3.a", "right/1_x.b", "right/1_y.b", "right/2_x.b"):
        box.put(name, name + " ")
    assert box.ran() == 3
    assert box.names("out/*") == ["out/1_x.txt", "out/1_y.txt", "out/2_x.txt"]
    assert box.text("out/1_y.txt") == "left/1.a right/1_y.b "


def test_tuples_of_what_rules_make(box: Sandbox) -> None:
    """Files that are yet to be built, those of a split among them, are taken as well."""
    pipefile = """all: <pair> <cross>

combinations(2) pair: pair/<inputs[0].basename>-<inputs[1].basename>.txt: <part>
    cat <inputs> > <output>

product cross: cross/<inputs[0].basename>-<inputs[1].basename>.txt: <part> low/*.txt
    cat <inputs> > <output>

low: low/<n>.txt: in/<n>.txt
    cp <input> <output>

split part: part/*.txt: list.txt
    for each in $(cat <input>); do echo $each > part/$each.txt; done
"""
    box.write(Pipefile=pipefile, **{"list.txt": "u v w"})
    _sources(box, "a", "b")
    assert box.ran() == 1 + 2 + 3 + 6
    box.runs_nothing()
    box.write(**{"list.txt": "u v w x"})
    assert box.ran() == 1 + 3 + 2
    box.write(**{"list.txt": "u"})
    (box.folder / "in/b.txt").unlink()
    assert box.ran() == 1  # no pair is left, which behind a split is no mistake
    box.runs_nothing()


def test_captures_and_parts_in_recipes_attributes_and_python(box: Sandbox) -> None:
    pipefile = """k = 2
@params(note="of two")
@env(PAIR="<n[0]>+<n[1]>")
@mkdir("logs/<n[1]>")
combinations(k) pair: out/<n[0]>-<n[1]>.txt: both=in/<n>.txt
    echo "$PAIR" <inputs[1].basename> <both[0]> <note> > <output>
    python:
        with output.open("a") as file:
            print(n, [each.name for each in both], file=file)
"""
    box.write(Pipefile=pipefile)
    _sources(box, "a", "b")
    box.run()
    assert box.text("out/a-b.txt") == "a+b b in/a.txt of two\n['a', 'b'] ['a.txt', 'b.txt']\n"
    assert box.names("logs/*") == ["logs/b"]
    box.runs_nothing()


def test_further_prerequisites_of_a_tuple(box: Sandbox) -> None:
    box.write(
        Pipefile="combinations(2) pair: out/<n[0]>-<n[1]>.txt: in/<n>.txt meta/<n[0]>.tag "
        "| meta/<n[1]>.tag\n    cat <inputs> > <output>\n"
    )
    _sources(box, "a", "b", "c")
    for name in "abc":
        box.put(f"meta/{name}.tag", name.upper())
    assert box.ran() == 3
    assert box.text("out/a-c.txt") == "acA"
    box.put("meta/a.tag", "?")
    assert box.ran() == 2


def test_tuples_are_listed_by_their_kind(box: Sandbox) -> None:
    box.write(Pipefile=PAIRS.format(kind="permutations(2)"))
    _sources(box, "a", "b", "c")
    listed = box.run("--list").splitlines()[2].split()
    assert listed[:4] == ["pair", "(default)", "permutations(2)", "6"]
    assert "permutations(2) pair: out/<n[0]>-<n[1]>.txt: in/<n>.txt" in box.run("-p")


@pytest.mark.parametrize(
    ("pipefile", "place", "message"),
    [
        (PAIRS.format(kind="combinations(4)"), "1:46", "takes 4 files, and there are only 3"),
        (PAIRS.format(kind="combinations(0)"), "1:1", "a whole number from 1"),
        (PAIRS.format(kind="combinations(nowhere)"), "1:1", "a whole number from 1"),
        (PAIRS.format(kind="product"), "1:26", "there is no number 1"),
        ("product p: p.txt: a b\n    echo\n", "1:1", "that several files match"),
        (
            "product p: p/<a.basename>.txt: a=in/*.txt b=none/*.x\n    echo\n",
            "1:43",
            "nothing matches `none/*.x`",
        ),
        (
            "product p: p/<n>.txt: in/<n>.txt other/<n>.t\n    echo\n",
            "1:23",
            "no files go together: `<n>`",
        ),
        (
            "product p: p/<a.basename>.txt: a=in/*.txt b=other/*.t\n    echo\n",
            "1:1",
            "`(in/a.txt, other/x.t)` and `(in/a.txt, other/y.t)` both make `p/a.txt`",
        ),
        (
            "combinations(2) p: p/<n>.txt: in/<n>.txt\n    echo\n",
            "1:22",
            "cannot stand inside a word",
        ),
        (
            "combinations(2) p: p/<inputs[0].basename>-<inputs[2].basename>: in/*.txt\n    echo\n",
            "1:43",
            "there is no number 2",
        ),
        (
            "combinations(2) p: p/<inputs[0].basename>-<inputs[1].basename>: in/<n>.txt\n    echo\n",
            "1:68",
            "the capture `<n>` is used by no target",
        ),
    ],
)
def test_mistakes(box: Sandbox, pipefile: str, place: str, message: str) -> None:
    box.write(Pipefile=pipefile)
    _sources(box, "a", "b", "c")
    box.put("other/x.t", "")
    box.put("other/y.t", "")
    output = box.run(status=2)
    assert message in output
    assert f"Pipefile:{place}:" in output
    assert box.names("p/*") == []
