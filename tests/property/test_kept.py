"""Through the kept graph comes out what the ordinary way gives.

Two folders hold the same project and get the same edits. In one of them the kept graph is deleted
before each start, so that all is loaded anew. In both the same jobs run, with the same words and
the same exit status, and the same bytes come out.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from random_project import Model, models
from sandbox import Ran, build, build_process, tree
from test_incremental import CONTENT, EDITS, Session, Step

_COUNTS = re.compile(r", \d+ up to date|, \d+ skipped")
_NOT_MADE = "pybuild: not made because of that: "
_SECONDS = re.compile(r" in \d+\.\d s|\d+\.\d s|\([-\d: ]*\d\d:\d\d:\d\d\.\d+\)")
# Most edits are of a kind after which the kept graph holds. `forget` loses records by bytes, of
# which the two have not the same number.
_KINDS = [
    *("content content content content touch swap poison remove_output edit_output".split() * 3),
    *(each for each in EDITS if each != "forget"),
]


def delete_graph(folder: Path) -> None:
    shutil.rmtree(folder / ".pybuild" / "flat", ignore_errors=True)


def build_anew(folder: Path, *words: str) -> Ran:
    """A build that has no kept graph."""
    delete_graph(folder)
    return build(folder, *words)


def told(ran: Ran) -> list[str]:
    """What pybuild said, without times; the order of jobs that run side by side is open.

    A job that only waits (`|`) for one that has failed is up to date for the kept graph, if it has
    no other reason to run; the ordinary way does not come to look at it. So after a failure it is
    open how many were up to date."""
    lines = sorted(_SECONDS.sub("", line) for line in ran.text.splitlines())
    if ran.status:
        lines = [_COUNTS.sub("", line) for line in lines if not line.startswith(_NOT_MADE)]
    return lines


def jobs(ran: Ran) -> list[tuple[str, str, bool]]:
    return sorted((*each.key, each.ended) for each in ran.notes)


def compare(kept: Ran, anew: Ran, *, exactly: bool = True) -> None:
    """A build that stops at the first failure may have come further in one of them."""
    both = f"through the kept graph: {kept}\nanew: {anew}"
    assert kept.status == anew.status, both
    if exactly:
        assert jobs(kept) == jobs(anew), both
        assert told(kept) == told(anew), both


# -- the sessions of the incremental tests --------------------------------------------------------


class Recorder:
    """A builder that remembers what its calls did."""

    def __init__(self, builder: Callable[..., Ran]) -> None:
        self.builder = builder
        self.calls: list[tuple[tuple[str, ...], Ran]] = []

    def __call__(self, folder: Path, *words: str) -> Ran:
        ran = self.builder(folder, *words)
        if folder.name == "project":
            self.calls.append((words, ran))
        return ran


class Twins:
    """Two sessions that get the same edits; the second has no kept graph."""

    def __init__(self, model: Model, base: Path) -> None:
        self.recorders = Recorder(build), Recorder(build_anew)
        self.sessions = []
        for name, recorder in zip(("kept", "anew"), self.recorders, strict=True):
            (base / name).mkdir()
            self.sessions.append(Session(model, base / name, recorder))
        self.sessions[1].clean = self.sessions[0].clean
        self.open = False  # after a stop one of them may have come further

    def edit(self, kind: str, one: int, two: int) -> None:
        for session in self.sessions:
            session.edit(kind, one, two)

    def build(self, step: Step, extra: tuple[str, ...] = ()) -> None:
        kept, anew = self.sessions
        if extra and not self.open:
            words = (*extra, "-k")
            compare(kept.run(kept.folder, *words), anew.run(anew.folder, *words))
        for recorder in self.recorders:
            recorder.calls.clear()
        kept.build(step)
        anew.build(step)
        first, second = (recorder.calls for recorder in self.recorders)
        for (words, one), (_, other) in zip(first, second, strict=True):
            self.open = self.open or bool(one.status and "-k" not in words)
            compare(one, other, exactly=not self.open)
            self.open = self.open and bool(one.status)
        if not self.open:
            assert tree(kept.folder) == tree(anew.folder)


@contextmanager
def _base() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="pybuild-"))
    try:
        yield base
    finally:
        shutil.rmtree(base, ignore_errors=True)


_edits = st.tuples(
    st.sampled_from(_KINDS),
    st.integers(0, 30),
    st.integers(0, 30),
)
_steps = st.builds(
    Step,
    st.lists(_edits, min_size=0, max_size=2).map(tuple),
    level=st.just(CONTENT),
    jobs=st.sampled_from([1, 8]),
    keep_going=st.booleans(),
    shuffle=st.just(False),
)
# Asked before a build, and answered without changing anything.
_questions = st.sampled_from([(), (), (), ("-n",), ("-q",)])


def _run_twins(model: Model, steps: list[tuple[Step, tuple[str, ...]]]) -> None:
    note(model.pipefile())
    with _base() as base:
        twins = Twins(model, base)
        twins.build(Step((), CONTENT, 8, True, False))
        for step, question in steps:
            for edit in step.edits:
                twins.edit(*edit)
            twins.build(step, question)


@settings(settings.get_profile("property"), max_examples=8)
@given(models(5), st.lists(st.tuples(_steps, _questions), min_size=2, max_size=5))
def test_edits(model: Model, steps: list[tuple[Step, tuple[str, ...]]]) -> None:
    _run_twins(model, steps)


@pytest.mark.long
@settings(settings.get_profile("property-long"), max_examples=500)
@given(models(8), st.lists(st.tuples(_steps, _questions), min_size=1, max_size=10))
def test_many_edits(model: Model, steps: list[tuple[Step, tuple[str, ...]]]) -> None:
    _run_twins(model, steps)


# -- a project with all that a load can look at ---------------------------------------------------

PIPEFILE = """\
word = "w0"
colour = env("KEPT_COLOUR", "none")
include conf.pipe
-include more.pipe

python:
    import helper
    from pathlib import Path
    listed = len(list(Path("tree").iterdir())) if Path("tree").is_dir() else -1
    def others(name):
        return [each for each in open("links.txt").read().split() if each != name]

.PHONY: all
all: <objects> <sums> <text> list.txt deep.txt made.txt linked.txt side.o

@depfile("obj/<name>.d")
objects: obj/<name>.o: src/<name>.c | tools/order.txt
    BEGIN
    headers=$(sed -n 's/^include //p' <input>)
    cat <input> $headers > <output>
    echo <output>: $headers > obj/<name>.d
    if grep -q FAIL <input>; then exit 3; fi
    END

collate sums: sum/<group>.txt: in/<group>_<n>.in
    BEGIN
    cat <inputs> > <output>; echo <word> >> <output>
    END

text: text/<name>.t: src/<name>.c <others(name)>
    BEGIN
    { cat <inputs>; echo <conf>; } > <output>
    END

list.txt: src/*.c
    BEGIN
    echo <inputs> <colour> > <output>
    END

deep.txt: tree/**/*.txt
    BEGIN
    cat <inputs> > <output>; echo <listed> >> <output>
    END

made.txt: sum/*.txt list.txt
    python:
        import os
        with open(f"{os.environ['PROPERTY_LOG']}/made.{os.getpid()}", "w") as log:
            print(f"begin made x\\nout {output}\\nend", file=log)
        output.write_text(helper.word() + "".join(each.read_text() for each in inputs))

linked.txt: link.txt
    BEGIN
    cat <input> > <output>
    END

side.o: side.txt
    BEGIN
    for each in $(cat side.txt); do echo "$each" > "tree/side_$each.txt"; done
    cp <input> <output>
    END
""".replace(
    "BEGIN",
    """{ echo "begin <rule> x"; printf 'out %s\\n' <outputs>; } > "$PROPERTY_LOG/<rule>.$$"
    [ ! -e kill ] || { rm kill; kill -9 $PPID; }""",
).replace("END", 'echo end >> "$PROPERTY_LOG/<rule>.$$"')

HELPER = "from inner import text\n\n\ndef word():\n    return text + 'H0'\n"
SOURCES = {
    "Pipefile": PIPEFILE,
    "conf.pipe": 'conf = "c0"\n',
    "helper.py": HELPER,
    "inner.py": "text = 'I0'\n",
    "links.txt": "in/x_1.in\n",
    "link_a.txt": "a\n",
    "link_b.txt": "b\n",
    "link.txt": "->link_a.txt",
    "side.txt": "\n",
    "tools/order.txt": "0\n",
    "lib/h1.h": "h1\n",
    "lib/h2.h": "h2\n",
    "src/a.c": "include lib/h1.h\n",
    "src/b.c": "include lib/h2.h\n",
    "src/c.c": "plain\n",
    "in/x_1.in": "1\n",
    "in/x_2.in": "2\n",
    "in/y_1.in": "3\n",
    "tree/one.txt": "one\n",
    "tree/low/two.txt": "two\n",
    "store/low/two.txt": "two\n",
    "store/other/three.txt": "three\n",
}
TEXTS = (
    "include lib/h1.h\n",
    "include lib/h2.h\n",
    "include lib/h1.h\ninclude lib/h2.h\n",
    "plain\n",
    "other\n",
    "FAIL\n",
    "FAIL\n",
)
OUTPUTS = (
    "obj/a.o obj/b.o sum/x.txt sum/y.txt text/a.t list.txt deep.txt made.txt linked.txt side.o"
).split()
NAMES = ("a", "b", "c", "d")
GOALS = ((), ("all",), ("list.txt",), ("made.txt",), ("deep.txt", "linked.txt"), ("objects",))
EVERYTHING = ((), ("all",))
SOME = tuple(each for each in SOURCES if each.startswith(("src", "in/", "tree/", "lib/", "link_")))

Edit = tuple[str, int, int]


class Request(NamedTuple):
    """What is asked of pybuild after some edits."""

    edits: tuple[Edit, ...]
    goals: tuple[str, ...]
    words: tuple[str, ...]
    colour: str
    killed: bool
    question: tuple[str, ...]


def _lay_out(folder: Path) -> None:
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_text(text)


def _write(path: Path, text: str) -> None:
    if path.parent.is_dir():
        path.write_text(text)


def _pick(folder: Path, number: int) -> Path | None:
    there = [folder / name for name in SOME if (folder / name).is_file()]
    return there[number % len(there)] if there else None


def edit_source(folder: Path, one: int, two: int) -> None:
    _write(folder / f"src/{NAMES[one % 4]}.c", TEXTS[two % len(TEXTS)])


def touch(folder: Path, one: int, two: int) -> None:
    path = _pick(folder, one)
    if path:
        os.utime(path, None if two % 2 else (two, two))


def edit_in_the_same_look(folder: Path, one: int, two: int) -> None:
    """Another file of the same size and time in its place."""
    path = _pick(folder, one)
    if path is None:
        return
    look, data = path.stat(), path.read_bytes()
    new = path.with_name("aside")
    new.write_bytes(data[::-1] if two % 2 else data)
    os.utime(new, ns=(look.st_atime_ns, look.st_mtime_ns))
    new.rename(path)


def swap(folder: Path, one: int, two: int) -> None:
    first, second = _pick(folder, one), _pick(folder, two)
    if first and second and first != second:
        aside = folder / "aside"
        first.rename(aside)
        second.rename(first)
        aside.rename(second)


def remove(folder: Path, one: int, two: int) -> None:
    path = _pick(folder, one)
    if path and path.parent.name in ("src", "in", "low"):
        path.unlink()


def add(folder: Path, one: int, two: int) -> None:
    name = ("src/d.c", "in/x_3.in", "in/z_1.in", "tree/low/new.txt", "tree/deep/er/new.txt")[
        one % 5
    ]
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    _write(folder / name, f"{two}\n")


def header(folder: Path, one: int, two: int) -> None:
    (folder / f"lib/h{one % 2 + 1}.h").write_text(f"{two}\n")


def remove_header(folder: Path, one: int, two: int) -> None:
    (folder / f"lib/h{one % 2 + 1}.h").unlink(missing_ok=True)


def remove_output(folder: Path, one: int, two: int) -> None:
    (folder / OUTPUTS[one % len(OUTPUTS)]).unlink(missing_ok=True)


def edit_output(folder: Path, one: int, two: int) -> None:
    path = folder / OUTPUTS[one % len(OUTPUTS)]
    if path.is_file():
        data = path.read_bytes()
        path.write_bytes(data[::-1] if two % 2 else data + b"by hand\n")


def rename_folder(folder: Path, one: int, two: int) -> None:
    places = [folder / "tree/low", folder / "tree/high"]
    old, new = places if one % 2 else places[::-1]
    if old.exists() and not new.exists():
        old.rename(new)


def retarget(folder: Path, one: int, two: int) -> None:
    (folder / "link.txt").unlink(missing_ok=True)
    (folder / "link.txt").symlink_to(f"link_{'ab'[one % 2]}.txt")


def link_folder(folder: Path, one: int, two: int) -> None:
    """A folder becomes a link to one that holds the same, or something else."""
    path = folder / "tree/low"
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
    path.symlink_to(f"../store/{('low', 'other')[one % 2]}")


def side(folder: Path, one: int, two: int) -> None:
    """The recipe of `side.o` writes these names into a folder that is searched."""
    (folder / "side.txt").write_text(" ".join(NAMES[: one % 4]) + "\n")


def order(folder: Path, one: int, two: int) -> None:
    (folder / "tools/order.txt").write_text(f"{one}\n")


def conf(folder: Path, one: int, two: int) -> None:
    (folder / "conf.pipe").write_text(f'conf = "c{one % 3}"\n')


def more(folder: Path, one: int, two: int) -> None:
    path = folder / "more.pipe"
    if path.exists():
        path.unlink()
    else:
        path.write_text(f'word = "more{one % 3}"\n')


def helper(folder: Path, one: int, two: int) -> None:
    (folder / "helper.py").write_text(HELPER.replace("H0", f"H{one % 3}"))


def inner(folder: Path, one: int, two: int) -> None:
    (folder / "inner.py").write_text(f"text = 'I{one % 3}'\n")


def links(folder: Path, one: int, two: int) -> None:
    (folder / "links.txt").write_text(("in/x_1.in", "in/x_1.in in/y_1.in", "")[one % 3] + "\n")


ODD: dict[str, Callable[[Path, int, int], None]] = {
    each.__name__: each
    for each in (
        edit_source,
        touch,
        edit_in_the_same_look,
        swap,
        remove,
        add,
        header,
        remove_header,
        remove_output,
        edit_output,
        rename_folder,
        retarget,
        link_folder,
        side,
        order,
        conf,
        more,
        helper,
        inner,
        links,
    )
}
_odd_edits = st.tuples(
    st.sampled_from(["edit_source", "edit_source", "header", *ODD]),
    st.integers(0, 40),
    st.integers(0, 40),
)
_requests = st.builds(
    Request,
    st.lists(_odd_edits, min_size=0, max_size=2).map(tuple),
    st.sampled_from(GOALS),
    st.sampled_from([("-k", "-j8"), ("-k", "-j1"), ("-j8",), ("-k", "-j8", "word=v")]),
    st.sampled_from(["none", "none", "none", "red"]),
    killed=st.sampled_from([False] * 9 + [True]),
    question=st.sampled_from([(), (), ("-n",), ("-q",)]),
)


@dataclass
class Pair:
    """The project in two folders."""

    kept: Path
    anew: Path
    # After a kill or a stop one of them may have come further, until all is made in both.
    open: bool = False

    def both(self, words: tuple[str, ...], builder: Callable[..., Ran] = build) -> tuple[Ran, Ran]:
        delete_graph(self.anew)
        return builder(self.kept, *words), builder(self.anew, *words)

    def ask(self, request: Request) -> None:
        for name, one, two in request.edits:
            note(f"edit: {name} {one} {two}")
            for folder in (self.kept, self.anew):
                ODD[name](folder, one, two)
        words = (*request.goals, *request.words)
        note(f"build: {request.colour} {' '.join(words)}")
        os.environ["KEPT_COLOUR"] = request.colour
        if request.killed:
            self.kill(words)
        if request.question and not self.open:
            before = tree(self.kept)
            compare(*self.both((*words, *request.question)), exactly="-k" in words)
            assert tree(self.kept) == before
        self.build(words, everything=request.goals in EVERYTHING)

    def kill(self, words: tuple[str, ...]) -> None:
        """Some recipe kills pybuild."""
        for folder in (self.kept, self.anew):
            (folder / "kill").touch()
        self.both(words, build_process)
        for folder in (self.kept, self.anew):
            (folder / "kill").unlink(missing_ok=True)
        self.open = True

    def build(self, words: tuple[str, ...], *, everything: bool) -> None:
        kept, anew = self.both(words)
        note(str(kept))
        self.open = self.open or bool(kept.status and "-k" not in words)
        compare(kept, anew, exactly=not self.open)
        if not kept.status:
            # Files that a recipe wrote and nobody declared are found by the next build: where one
            # of the two came further before, they are news in the other only.
            compare(*self.both(words), exactly=not self.open)
            if self.open and everything:
                compare(*self.both(words))
                self.open = False
        if not self.open:
            assert tree(self.kept) == tree(self.anew)


def _run_pair(requests: list[Request]) -> None:
    before = os.environ.get("KEPT_COLOUR")
    try:
        with _base() as base:
            pair = Pair(base / "kept", base / "anew")
            for folder in (pair.kept, pair.anew):
                folder.mkdir()
                _lay_out(folder)
            for request in requests:
                pair.ask(request)
    finally:
        os.environ.pop("KEPT_COLOUR", None)
        if before is not None:
            os.environ["KEPT_COLOUR"] = before


_FIRST = Request((), (), ("-k", "-j8"), "none", False, ())


@settings(settings.get_profile("property"), max_examples=12)
@given(st.lists(_requests, min_size=2, max_size=6))
def test_odd_edits(requests: list[Request]) -> None:
    _run_pair([_FIRST, *requests])


def test_two_projects_in_one_process(tmp_path: Path) -> None:
    """Each finds its own modules, whichever was loaded before."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        (folder / "helper.py").write_text(f"text = {folder.name!r}\n")
        (folder / "Pipefile").write_text(
            "python:\n    import helper\n\nout.txt:\n    echo <helper.text> > <output>\n"
        )
    for time in range(3):
        for folder in folders:
            (folder / "out.txt").unlink(missing_ok=True)
            (folder / "Pipefile").open("a").write(f"# {time}\n")
            assert build(folder).status == 0
            assert (folder / "out.txt").read_text() == f"{folder.name}\n"


@pytest.mark.long
@settings(settings.get_profile("property-long"), max_examples=600)
@given(st.lists(_requests, min_size=1, max_size=10))
def test_many_odd_edits(requests: list[Request]) -> None:
    _run_pair([_FIRST, *requests])
