"""A text that is read again after a change is known as one that is read for the first time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from pybuild.lsp.analysis import Analysis, Place, Reader
from pybuild.pipefile.rules import Rule
from tests.editors.places import blocks_of
from tests.lsp.known import known
from tests.lsp.test_robust import SHORT
from tests.lsp.test_texts import NOT_RUN

ROOT = Path(__file__).parents[2]
EXAMPLES = {path.parent.name: path.read_text() for path in ROOT.glob("examples/*/Pipefile")}
PAGES = sorted(ROOT.glob("docs/*.md"))

# Each kind of thing that one place can change the meaning of elsewhere.
TANGLED = """\
# a comment above
cc ?= "gcc"
flags = ["-O2", "-Wall"]
flags += "-g"
both = f"{cc} {flags}"
tag = "<part>"
sources = glob("*.c")
.PHONY: clean all
all: <part> <both_of>
clean:
    rm -rf <cc> out

@desc("one <n>")
@params(k=[1, 2], mark=tag)
@env(TAG=tag, CC=cc)
part: out/<n>.o: src/<n>.c ref="a b.txt" | lib/
    <cc> <flags> <k> "<input>" > <output> \\
        && echo '<n>' $$ $(CC) <mark>
    python:
        print(f"{inputs} {cc} {rows}")
# a comment between
@pool("few", 2)
both_of: a.txt b.txt &: <sources>
    cat <inputs> > <outputs[0]>

@follows(part)
value rows: <part>
    python:
        return [str(each) for each in inputs]

python:
    def reads_of(name):
        return [name]
    output = 1

split cut: out/*.fa: <cc>.txt
    touch <output> <unknown> <unknwon
collate merged: m/<a>.txt: m/<a>-<b:[12]>.txt ref=<cc>
    cat <reads_of(a)> <inputs> <ref.ext> > <output>
x.o y.o: %.o: %.c
    cc <stem> <input.nothing>
include other.pipe
-include nowhere.pipe
%.z: %.y
    gzip <input> > <cc>
%.z: %.y
    gzip <input>
"""
OTHER = "extra = cc\nfrom_other: <extra>.in\n    cp <input> <output> <part>\n"
PIECES = [
    "\n", " ", "    ", "\x0b", "\f", "\t", ":", "|", "<", ">", "<cc>", "<n>", '"', "'", "(", ")", "[", "#", "@",
    "=", "+=", "?=", "%", "\\", "\\\n", "é", "🙂", "cc", "part", "flags", "x", "python:\n",
    "    python:\n        x = 1\n", "include other.pipe\n", "@temp\n", '@desc("x")\n', ".PHONY: part\n",
    'cc = "clang"\n', "cc = nothing\n", "value part: x\n", '"""', "lib: \n    ar\n", "# note\n",
]  # fmt: skip


class Typist:
    """Changes a text, most often near where it did last."""

    def __init__(self, text: str, seed: int) -> None:
        self.text = text
        self._before = text
        self._chance = random.Random(seed)
        self._at = 0

    def type(self) -> str:
        """The text after the next change."""
        chance = self._chance
        if chance.random() < 0.4:
            self._at = chance.randrange(len(self.text) + 1)
        how = chance.random()
        start = min(self._at, len(self.text))
        end = start
        new = ""
        if how < 0.55:
            new = chance.choice(PIECES)
        elif how < 0.8:
            end = min(len(self.text), start + chance.choice((1, 1, 2, 5, 60)))
        elif how < 0.9:  # lines change their places
            other = chance.randrange(len(self.text) + 1)
            new = self.text[other : other + 80]
        else:
            self.text, self._before = self._before, self.text
            return self.text
        self._before = self.text
        self.text = self.text[:start] + new + self.text[end:]
        self._at = start + len(new)
        return self.text


def type_in(folder: Path, text: str, seed: int, changes: int) -> None:
    """Reads a text after each change of some, with what is kept and without."""
    place = Place(str(folder), "Pipefile")
    again = Reader(lambda _: False)
    typists = {"Pipefile": Typist(text, seed), "other.pipe": Typist(OTHER, seed)}
    chance = random.Random(seed)
    texts = {name: each.text for name, each in typists.items()}
    for _ in range(changes):
        name = "other.pipe" if "other" in text and chance.random() < 0.2 else "Pipefile"
        texts = {**texts, name: typists[name].type()}
        if chance.random() < 0.3:  # a completion parses the text before it is read
            again.sheet(place, name, texts[name])
        found = known(again.read(place, texts))
        assert found == known(Reader(lambda _: False).read(place, texts)), texts


def sources_in(folder: Path) -> None:
    (folder / "other.pipe").write_text(OTHER)
    for name in ("a.c", "b.c"):
        (folder / name).touch()


@pytest.mark.parametrize(
    ("text", "changes"),
    [(TANGLED, 150), (SHORT, 60), ("".join(NOT_RUN), 40)],
    ids=["tangled", "short", "not run"],
)
def test_a_changed_text_is_known_as_a_new_one(tmp_path: Path, text: str, changes: int) -> None:
    sources_in(tmp_path)
    type_in(tmp_path, text, 0, changes)


FEW = """\
cc = "gcc"
a.o: a.c
    <cc> -c <input>
@desc("b")
b.o: b.c
    clang -c <input>
c.o: c.c
    python:
        print(cc)
last: a.o b.o
    <cc> <inputs> -o <output>
"""


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("clang -c", "clang -O2 -c", ["a.o", "c.o", "last"]),  # this rule alone has changed
        ("gcc", "tcc", ["b.o"]),  # all but one name the variable
        ("a.o: a.c", "\na.o: a.c", ["a.o", "b.o", "last"]),  # Python knows its lines
        ("cc = ", "# note\nother = 1\ncc = ", ["a.o", "b.o", "last"]),
        ("last: a", "input_ = 1\nlast: a", ["a.o", "b.o", "c.o", "last"]),
        ('desc("b")', "desc(cc)", ["a.o", "c.o", "last"]),
        ("c.o: c.c", "c.o: c.c\nvalue new: c.c", []),  # values count for all
    ],
)
def test_rules_that_a_change_does_not_reach_are_kept(
    tmp_path: Path, old: str, new: str, again: list[str]
) -> None:
    place, reader = Place(str(tmp_path), "Pipefile"), Reader(lambda _: False)
    before = rules_in(reader.read(place, {"Pipefile": FEW}))
    after = rules_in(reader.read(place, {"Pipefile": FEW.replace(old, new)}))
    assert [name for name in before if before[name] is after.get(name)] == again


def rules_in(analysis: Analysis) -> dict[str, Rule]:
    assert analysis.loaded is not None
    return {rule.label: rule for rule in analysis.loaded.pipeline.rules}


def test_a_file_that_is_included_twice_has_its_rules_twice(tmp_path: Path) -> None:
    place, reader = Place(str(tmp_path), "Pipefile"), Reader(lambda _: False)
    (tmp_path / "other.pipe").write_text("%.z: %.y\n    gzip <input>\n")
    for text in ("include other.pipe\n" * 2, "# once more\n" + "include other.pipe\n" * 2):
        loaded = reader.read(place, {"Pipefile": text}).loaded
        assert loaded is not None
        assert [rule.index for rule in loaded.pipeline.rules] == [0, 1]


def test_projects_in_one_folder_do_not_move_each_other_s_nodes(tmp_path: Path) -> None:
    reader = Reader(lambda _: False)
    one = reader.read(Place(str(tmp_path), "Pipefile"), {"Pipefile": FEW})
    seen = known(one)
    reader.read(Place(str(tmp_path), "other"), {"other": "# above\n" + FEW})
    reader.read(Place(str(tmp_path / ".."), "Pipefile"), {"Pipefile": "# above\n" + FEW})
    assert known(one) == seen


def many() -> Iterator[tuple[str, str]]:
    yield "tangled", TANGLED
    yield "short", SHORT
    yield "not run", "".join(NOT_RUN)
    yield from EXAMPLES.items()
    for page in PAGES:
        yield page.stem, "".join(blocks_of(page))


@pytest.mark.long
@pytest.mark.parametrize(("name", "text"), list(many()), ids=lambda value: value[:20])
def test_many_changes_of_many_texts(tmp_path: Path, name: str, text: str) -> None:
    del name
    sources_in(tmp_path)
    for seed in range(3):
        type_in(tmp_path, text, seed, 60)
