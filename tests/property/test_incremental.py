"""Whatever is edited, in whatever mode it is built: what comes out is what a clean build makes, a
second build does nothing, and nothing runs that did not have to.

The oracle is pybuild itself, in a fresh folder that holds only the Pipefile and the sources.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st
from random_project import (
    CONTENTS,
    GROUPS,
    LIBRARY,
    NUMBERS,
    POISON,
    SINGLE,
    Model,
    Rule,
    models,
)
from sandbox import Note, Ran, build, build_process, make_newer, newest, tree, write_tree

TIME, HISTORY, RECIPE, PARAMS, CONTENT = range(5)


@dataclass(frozen=True)
class Step:
    """Some edits and a build. Edits are a kind and two numbers, taken modulo what there is."""

    edits: tuple[tuple[str, int, int], ...]
    level: int
    jobs: int
    keep_going: bool
    shuffle: bool


@dataclass(frozen=True)
class Known:
    """The last time that a job ended well: all that it depended on, the level, and when."""

    facts: Any
    level: int
    moment: int


@dataclass
class Clean:
    """What a clean build makes of a model."""

    ran: Ran
    files: dict[str, bytes]
    failed: tuple[Note, ...]


def family(name: str) -> str:
    return os.path.splitext(name)[1]


class Session:
    """A project that is edited and built again and again, and what should be true of it."""

    def __init__(self, model: Model, folder: Path, builder: Callable[..., Ran] = build) -> None:
        self.run = builder
        self.base = folder
        self.folder = folder / "project"
        self.folder.mkdir()
        self.model = model
        self.history = [model]
        self.clean: dict[str, Clean] = {}
        self.known: dict[tuple[str, str], Known] = {}
        self.failed: set[tuple[str, str]] = set()
        self.disturbed: set[str] = set()
        self.touched: dict[str, int] = {}
        self.made: dict[str, int] = {}
        self.moved: set[str] = set()  # sources to be given a new time, should times count
        self.moment = 0
        self.needed = TIME
        self.forgotten = False
        write_tree(self.folder, model.sources)
        self._write_pipefile()

    # -- edits -----------------------------------------------------------------------------

    def edit(self, kind: str, one: int, two: int) -> None:
        """Does an edit; if there is nothing to do it on, nothing. Without records nobody would know
        that files which no rule makes any more are leftovers."""
        if self.forgotten and (kind in LEAVING_FILES or (kind in LEAVING_PARTS and self._splits())):
            return
        before = self.model
        level = EDITS[kind](self, one, two)
        if level is None:
            return
        note(f"edit: {kind} {one} {two}")
        self.needed = max(self.needed, level)
        if self.model is not before:
            self.history.append(self.model)
            self._write_sources(before)
            self._write_pipefile()

    def _splits(self) -> bool:
        return any(rule.splits for rule in self.model.rules)

    def _write_pipefile(self) -> None:
        (self.folder / "Pipefile").write_text(self.model.pipefile())

    def _write_sources(self, before: Model) -> None:
        for name in before.sources.keys() - self.model.sources.keys():
            (self.folder / name).unlink(missing_ok=True)
        for name, data in self.model.sources.items():
            if before.sources.get(name) != data:
                write_tree(self.folder, {name: data})
                self._touch(name)

    def _touch(self, name: str) -> None:
        self.touched[name] = self.moment
        self.touched[family(name)] = self.moment
        self.moved.add(name)

    def _source(self, number: int) -> str:
        names = sorted(self.model.sources)
        return names[number % len(names)]

    def _set(self, name: str, data: str) -> int | None:
        if self.model.sources.get(name) == data.encode():
            return None
        self.model = replace(self.model, sources={**self.model.sources, name: data.encode()})
        return TIME

    def _pairs(self) -> list[str]:
        return [name for name in sorted(self.model.sources) if name.startswith("src/")]

    def _outputs(self) -> list[str]:
        """Files on disk that the present Pipefile makes."""
        clean = self.clean.get(self._key())
        if clean is None or clean.ran.status:
            return []
        on_disk = tree(self.folder)
        return [
            name
            for name in sorted(clean.files)
            if name in on_disk and name not in self.model.sources and name != "Pipefile"
        ]

    def content(self, one: int, two: int) -> int | None:
        return self._set(self._source(one), CONTENTS[two % len(CONTENTS)])

    def poison(self, one: int, two: int) -> int | None:
        return self._set(self._source(one), POISON)

    def touch(self, one: int, two: int) -> int | None:
        name = self._source(one)
        os.utime(self.folder / name)
        self._touch(name)
        return TIME

    def swap(self, one: int, two: int) -> int | None:
        """Two sources change names, times and all."""
        first, second = self._source(one), self._source(two)
        if first == second:
            return None
        sources = dict(self.model.sources)
        sources[first], sources[second] = sources[second], sources[first]
        self.model = replace(self.model, sources=sources)
        aside = self.folder / "aside"
        (self.folder / first).rename(aside)
        (self.folder / second).rename(self.folder / first)
        aside.rename(self.folder / second)
        for name in (first, second):
            self.touched[name] = self.touched[family(name)] = self.moment
        return CONTENT

    def remove_source(self, one: int, two: int) -> int | None:
        names = self._pairs()
        if len(names) < 2:
            return None
        gone = names[one % len(names)]
        sources = {name: data for name, data in self.model.sources.items() if name != gone}
        self.model = replace(self.model, sources=sources)
        return HISTORY

    def add_source(self, one: int, two: int) -> int | None:
        name = f"src/{GROUPS[one % len(GROUPS)]}_{NUMBERS[one // 3 % len(NUMBERS)]}.txt"
        if name in self.model.sources:
            return None
        self._set(name, CONTENTS[two % len(CONTENTS)])
        return HISTORY

    def rename_source(self, one: int, two: int) -> int | None:
        names = self._pairs()
        old = names[one % len(names)]
        new = f"src/{GROUPS[two % len(GROUPS)]}_{NUMBERS[two // 3 % len(NUMBERS)]}.txt"
        if new in self.model.sources:
            return None
        sources = dict(self.model.sources)
        sources[new] = sources.pop(old)
        self.model = replace(self.model, sources=sources)
        (self.folder / old).rename(self.folder / new)
        self.touched[new] = self.touched[family(new)] = self.moment
        return CONTENT

    def stranger(self, one: int, two: int) -> int | None:
        """A file of the user's where a split puts its parts."""
        splits = [rule for rule in self.model.rules if rule.splits]
        if not splits or self.forgotten:
            return None  # without a record it may be what a killed split has left
        rule = splits[one % len(splits)]
        stem = "zz" if rule.shape == SINGLE else "z_z"
        name = f"{rule.folder}/{stem}{rule.suffix}"
        self._set(name, CONTENTS[two % len(CONTENTS)])
        return HISTORY

    def remove_output(self, one: int, two: int) -> int | None:
        names = self._outputs()
        if not names:
            return None
        name = names[one % len(names)]
        (self.folder / name).unlink()
        self.disturbed.update((name, family(name)))
        return TIME

    def edit_output(self, one: int, two: int) -> int | None:
        """By hand: longer, or other bytes of the same length."""
        names = self._outputs()
        if not names:
            return None
        name = names[one % len(names)]
        path = self.folder / name
        data = path.read_bytes()
        path.write_bytes(data + b"by hand\n" if two % 2 or not data else b"?" + data[1:])
        self.disturbed.update((name, family(name)))
        self.touched[name] = self.touched[family(name)] = self.moment
        return CONTENT

    def touch_output(self, one: int, two: int) -> int | None:
        names = self._outputs()
        if not names:
            return None
        name = names[one % len(names)]
        os.utime(self.folder / name)
        self.touched[name] = self.touched[family(name)] = self.moment
        return CONTENT

    def _change_rule(self, old: Rule, **changes: Any) -> None:
        new = replace(old, **changes)
        rules = tuple(new if each is old else each for each in self.model.rules)
        self.model = replace(self.model, rules=rules)

    def word(self, one: int, two: int) -> int | None:
        rule = self.model.rules[one % len(self.model.rules)]
        self._change_rule(rule, word=two % 3)
        return RECIPE

    def temporary(self, one: int, two: int) -> int | None:
        rule = self.model.rules[one % len(self.model.rules)]
        if rule.splits:
            return None
        self._change_rule(rule, temporary=not rule.temporary)
        return CONTENT

    def extra(self, one: int, two: int) -> int | None:
        rules = [rule for rule in self.model.rules if not rule.copy]
        if not rules:
            return None
        rule = rules[one % len(rules)]
        self._change_rule(rule, extra=rule.extra ^ {LIBRARY[two % len(LIBRARY)]})
        return HISTORY

    def order_only(self, one: int, two: int) -> int | None:
        rule = self.model.rules[one % len(self.model.rules)]
        self._change_rule(rule, order_only="" if rule.order_only else LIBRARY[two % 3])
        return TIME

    def colour(self, one: int, two: int) -> int | None:
        self.model = replace(self.model, colour=one % 3)
        return PARAMS

    def shape(self, one: int, two: int) -> int | None:
        self.model = replace(self.model, shape=one % 3)
        return RECIPE

    def reorder(self, one: int, two: int) -> int | None:
        self.model = replace(self.model, order=one)
        return TIME

    def remove_rule(self, one: int, two: int) -> int | None:
        rules = [rule for rule in self.model.rules if not self.model.consumers(rule.name)]
        if len(self.model.rules) < 2 or not rules:
            return None
        gone = rules[one % len(rules)]
        self.model = replace(
            self.model,
            rules=tuple(rule for rule in self.model.rules if rule is not gone),
            shelf=(*self.model.shelf, gone),
        )
        return HISTORY

    def add_rule(self, one: int, two: int) -> int | None:
        there = {"", "src", *LIBRARY, *(rule.name for rule in self.model.rules)}
        fit = [
            rule for rule in self.model.shelf if rule.source in there and rule.order_only in there
        ]
        if not fit:
            return None
        back = fit[one % len(fit)]
        self.model = replace(
            self.model,
            rules=(*self.model.rules, back),
            shelf=tuple(rule for rule in self.model.shelf if rule is not back),
        )
        return CONTENT

    def revert(self, one: int, two: int) -> int | None:
        """Sources and Pipefile become what they were some edits ago."""
        self.model = self.history[one % len(self.history)]
        return CONTENT

    def forget(self, one: int, two: int) -> int | None:
        """The records are lost, or the end of them."""
        journal = self.folder / ".pybuild" / "journal"
        clean = self.clean.get(self._key())
        if self.needed or clean is None or clean.ran.status or not journal.exists():
            return None
        if tree(self.folder).keys() - clean.files.keys():
            return None  # without records nobody knows that these are leftovers
        if any(family(name) not in (".txt", ".inc") for name in self.model.sources):
            return None  # nor whether these came from a split that has lost its record
        self.known.clear()  # also of jobs that only a later edit brings back
        size = journal.stat().st_size
        if two % 2:
            os.truncate(journal, one * 7919 % size)
        else:
            shutil.rmtree(self.folder / ".pybuild")
        self.forgotten = True
        return CONTENT

    # -- building --------------------------------------------------------------------------

    def _key(self) -> str:
        return f"{self.model.pipefile()}\0{sorted(self.model.sources.items())}"

    def clean_build(self, jobs: int) -> Clean:
        """What a build from scratch makes of the present model."""
        key = self._key()
        if key not in self.clean:
            folder = self.base / f"clean{len(self.clean)}"
            folder.mkdir()
            write_tree(folder, {**self.model.sources, "Pipefile": self.model.pipefile().encode()})
            ran = self.run(folder, "-k", f"-j{jobs}")
            failed = tuple(each for each in ran.notes if not each.ended)
            self.clean[key] = Clean(ran, tree(folder), failed)
            shutil.rmtree(folder)
        return self.clean[key]

    def build(self, step: Step) -> None:
        clean = self.clean_build(9 - step.jobs)
        before = tree(self.folder)
        level = max(step.level, self.needed)
        if level == TIME and (before.keys() - clean.files.keys() or self.forgotten):
            level = HISTORY  # at level 0 what an earlier build left is a file like any other
        if level < CONTENT:
            for name in sorted(self.moved & self.model.sources.keys()):
                make_newer(self.folder / name, newest(self.folder))
                self._touch(name)
        words = [f"-j{step.jobs}", f"--checksum-level={level}"]
        words += ["-k"] * step.keep_going + [f"--shuffle={self.moment}"] * step.shuffle
        self.moment += 1
        note(f"build: {' '.join(words)}")
        ran = self.run(self.folder, *words)
        note(str(ran))
        self._check_needless(ran, level, before)
        self._remember(ran, level)
        failing = bool(clean.ran.status)
        poisoned = any(b"POISON" in data for data in self.model.sources.values())
        assert poisoned or not failing, f"a clean build fails: {clean.ran}"
        assert ran.status == clean.ran.status, f"clean: {clean.ran}\nhere: {ran}"
        if not failing or step.keep_going:
            self._check_bytes(clean)
        if not failing:
            self.needed = TIME
            self.forgotten = False
            # What no rule makes now is put right when its rule comes back.
            made = {*clean.files, *map(family, clean.files)}
            self.disturbed -= made
            self.moved.clear()
        again = self.run(self.folder, *words[:2], "-k")
        surplus = [each for each in again.notes if each.key not in self.failed]
        if not failing:
            assert not again.notes and "up to date (" in again.text, f"a second build ran: {again}"
        elif step.keep_going:
            assert not surplus, f"a second build ran more than what had failed: {again}"
        self._remember(again, level)
        if failing and not step.keep_going:
            self._check_bytes(clean)

    def _check_bytes(self, clean: Clean) -> None:
        now = tree(self.folder)
        broken = {name for each in clean.failed for name in each.outputs}
        suffixes = {family(name) for name in broken}
        temporary = {rule.suffix for rule in self.model.rules if self.model.is_temporary(rule)}
        for name, data in clean.files.items():
            if name in broken or (clean.ran.status and family(name) in suffixes):
                continue
            if clean.ran.status and family(name) in temporary and name not in now:
                continue  # kept for what failed, had it been made; who is not made needs it not
            assert now.get(name) == data, f"{name}: clean {data!r}, here {now.get(name)!r}"
        for name, data in self.model.sources.items():
            assert now.get(name) == data, f"the source {name} is now {now.get(name)!r}"
        if not clean.ran.status:
            made = {name for each in clean.ran.notes for name in each.outputs}
            left = [name for name in now if family(name) in temporary and name in made]
            assert not left, f"temporary files were left: {left}"

    def _remember(self, ran: Ran, level: int) -> None:
        for each in ran.notes:
            if each.ended:
                self.known[each.key] = Known(each.facts, level, self.moment)
                self.failed.discard(each.key)
            else:
                self.failed.add(each.key)
            for name in each.outputs:
                self.made[name] = self.made[family(name)] = self.moment

    def _check_needless(self, ran: Ran, level: int, before: dict[str, bytes]) -> None:
        if self.forgotten:
            return
        running = {name for each in ran.notes for name in each.outputs}
        running |= {family(name) for name in running}
        for each in ran.notes:
            known = self.known.get(each.key)
            if known is None or each.key in self.failed or known.facts != each.facts:
                continue
            if self._was_disturbed(each, before):
                continue
            if self._may_count_times(each, known, level, running):
                continue
            if self._is_wanted_again(each, ran, before):
                continue
            raise AssertionError(f"needless: {each}\nlast time: {known}\n{ran}")

    def _was_disturbed(self, each: Note, before: dict[str, bytes]) -> bool:
        names = [family(name) if "*" in name else name for name in each.outputs]
        if not self.disturbed.isdisjoint(names):
            return True
        rule = self._rule(each)
        missing = any("*" not in name and name not in before for name in each.outputs)
        return missing and not (rule and self.model.is_temporary(rule))

    def _may_count_times(self, each: Note, known: Known, level: int, running: set[str]) -> bool:
        """Where times count, or counted when it was recorded, all that was touched may run."""
        if level == CONTENT and known.level == CONTENT:
            return False
        copies = {rule.suffix for rule in self.model.rules if rule.copy}
        for name in (*each.input_names, *each.outputs):
            names = {name, family(name)}
            if copies & names or (name in each.input_names and running & names):
                return True
            if any(self.touched.get(x, -1) >= known.moment for x in names):
                return True
            if name in each.input_names and any(self.made.get(x, -1) > known.moment for x in names):
                return True
        return False

    def _is_wanted_again(self, each: Note, ran: Ran, before: dict[str, bytes]) -> bool:
        """A temporary file is made again for somebody who needs it."""
        rule = self._rule(each)
        if rule is None or not self.model.is_temporary(rule):
            return False
        if all(name in before for name in each.outputs):
            return False
        name = rule.name
        users = (other for other in self.model.rules if name in (other.source, other.order_only))
        if any(other.copy for other in users):
            return True  # it leaves no note
        if ran.status:
            return True  # who needed it may not have come to run: the build has stopped
        waiting = {other.name for other in self.model.rules if other.order_only == rule.name}
        return any(
            other.rule in waiting or not set(each.outputs).isdisjoint(other.input_names)
            for other in ran.notes
        )

    def _rule(self, each: Note) -> Rule | None:
        return next((rule for rule in self.model.rules if rule.name == each.rule), None)


LEAVING_FILES = frozenset(("remove_source", "rename_source", "remove_rule", "revert"))
LEAVING_PARTS = frozenset(("content", "poison", "swap"))  # a split then makes fewer files
EDITS: dict[str, Callable[[Session, int, int], int | None]] = {
    name: getattr(Session, name)
    for name in (
        "content touch swap add_source remove_source rename_source stranger remove_output "
        "edit_output touch_output word temporary extra order_only colour shape reorder "
        "remove_rule add_rule revert poison forget"
    ).split()
}

_edits = st.tuples(st.sampled_from(["content", *EDITS]), st.integers(0, 30), st.integers(0, 30))
_steps = st.builds(
    Step,
    st.lists(_edits, min_size=1, max_size=3).map(tuple),
    level=st.sampled_from([CONTENT, CONTENT, CONTENT, PARAMS, RECIPE, HISTORY, TIME]),
    jobs=st.sampled_from([1, 8]),
    keep_going=st.booleans(),
    shuffle=st.booleans(),
)
_FIRST = Step((), CONTENT, 8, True, False)


@contextlib.contextmanager
def _session(model: Model, builder: Callable[..., Ran] = build) -> Iterator[Session]:
    """A project that has been built once."""
    base = Path(tempfile.mkdtemp(prefix="pybuild-"))
    try:
        note(model.pipefile())
        note(repr(dict(model.sources)))
        session = Session(model, base, builder)
        session.build(_FIRST)
        yield session
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _run_session(model: Model, steps: list[Step], builder: Callable[..., Ran] = build) -> None:
    with _session(model, builder) as session:
        for step in steps:
            for edit in step.edits:
                session.edit(*edit)
            session.build(step)


@settings(settings.get_profile("property"), max_examples=35)
@given(models(), st.lists(_steps, min_size=1, max_size=6))
def test_edits(model: Model, steps: list[Step]) -> None:
    _run_session(model, steps)


@settings(settings.get_profile("property"), max_examples=4)
@given(models(), st.lists(_steps, min_size=2, max_size=3))
def test_edits_seen_by_processes(model: Model, steps: list[Step]) -> None:
    _run_session(model, steps, build_process)


@pytest.mark.long
@pytest.mark.parametrize("part", range(3))  # side by side, with `-n`
@settings(settings.get_profile("property-long"), max_examples=500)
@given(model=models(8), steps=st.lists(_steps, min_size=1, max_size=12))
def test_many_edits(part: int, model: Model, steps: list[Step]) -> None:
    _run_session(model, steps)


# -- minimal mode ------------------------------------------------------------------------------


@settings(settings.get_profile("property"), max_examples=20)
@given(models())
def test_minimal_looks_at_direct_inputs_only(model: Model) -> None:
    """Sources that no goal and no split reads itself may change, and nothing runs."""
    assume(not any(rule.source == "src" for rule in model.leaves))
    with _session(model) as session:
        for name in session.model.sources:
            if name.startswith("src/"):
                (session.folder / name).write_text("p9 something else\n")
        ran = build(session.folder, "--rebuild=minimal")
        assert ran.status == 0 and not ran.notes, str(ran)


@settings(settings.get_profile("property"), max_examples=20)
@given(models(), st.integers(0, 30))
def test_minimal_makes_what_is_missing(model: Model, number: int) -> None:
    """A direct prerequisite that is gone is made again, and all is as before."""
    with _session(model) as session:
        clean = session.clean_build(1)
        direct = {rule.source for rule in model.leaves} - {"", "src"}
        suffixes = {model.rule(name).suffix for name in direct}
        files = [name for name in sorted(clean.files) if family(name) in suffixes]
        assume(files)
        (session.folder / files[number % len(files)]).unlink()
        ran = build(session.folder, "--rebuild=minimal")
        assert ran.status == 0, str(ran)
        assert tree(session.folder) == clean.files
        again = build(session.folder, "--rebuild=minimal")
        assert again.status == 0 and not again.notes, str(again)


# -- what once went wrong ----------------------------------------------------------------------

SPLIT = """\
all: merged.txt
split parts: d/*.part: list.txt
    for each in $(cat <input>); do
        if [ "$each" = stop ]; then exit 1; fi
        echo "$each" > "d/$each.part"
    done
made: d/<basename>.made: d/*.part
    cp <input> <output>
merged.txt: <made>
    cat <inputs> /dev/null > <output>
"""


def _project(folder: Path, text: str, **sources: str) -> Path:
    folder = folder / "project"
    files = {name.replace("_", "."): data.encode() for name, data in sources.items()}
    write_tree(folder, {"Pipefile": text.encode(), **files})
    return folder


def test_parts_that_a_failed_split_left_are_no_sources(tmp_path: Path) -> None:
    folder = _project(tmp_path, SPLIT, list_txt="one two three stop\n")
    assert build(folder).status == 2
    assert {"d/one.part", "d/two.part", "d/three.part"} <= tree(folder).keys()
    (folder / "list.txt").write_text("one\n")
    ran = build(folder)
    assert ran.status == 0, str(ran)
    now = tree(folder)
    assert now["merged.txt"] == b"one\n"
    assert "d/two.made" not in now and "d/two.part" not in now


def test_a_part_that_was_edited_and_is_due_no_more(tmp_path: Path) -> None:
    folder = _project(tmp_path, SPLIT, list_txt="one two\n")
    assert build(folder).status == 0
    (folder / "d" / "two.part").write_text("by hand\n")
    (folder / "list.txt").write_text("one\n")
    ran = build(folder)
    assert ran.status == 0, str(ran)
    assert tree(folder)["merged.txt"] == b"one\n"


def test_a_file_that_appears_after_a_failed_split_is_the_users(tmp_path: Path) -> None:
    """A split removes what it made, and nothing else."""
    folder = _project(tmp_path, SPLIT, list_txt="one stop\n")
    assert build(folder).status == 2
    (folder / "d" / "mine.part").write_text("mine\n")
    (folder / "list.txt").write_text("one\n")
    build(folder)
    assert tree(folder).get("d/mine.part") == b"mine\n"


def test_a_temporary_file_stays_for_users_that_are_found_late(tmp_path: Path) -> None:
    """`all` knows what it needs only when the split has run."""
    text = """\
all: d.txt <parts>
@temp
a.txt: s.txt
    cp s.txt a.txt
split parts: d/*.part: a.txt
    cp a.txt d/one.part
c.txt: a.txt
    cp a.txt c.txt
d.txt: c.txt
    cp c.txt d.txt
"""
    folder = _project(tmp_path, text, s_txt="1\n")
    ran = build(folder, "-j1")
    assert ran.status == 0, str(ran)
    assert "a.txt" not in tree(folder)


@pytest.mark.parametrize("level", [TIME, HISTORY, RECIPE, PARAMS, CONTENT])
def test_a_change_is_seen_behind_an_absent_temporary_file(tmp_path: Path, level: int) -> None:
    text = """\
all: b.txt
@temp
a.txt: s.txt
    cp s.txt a.txt
b.txt: a.txt
    cp a.txt b.txt
"""
    folder = _project(tmp_path, text, s_txt="1\n")
    assert build(folder, f"--checksum-level={level}").status == 0
    (folder / "s.txt").write_text("2\n")
    make_newer(folder / "s.txt", newest(folder))
    assert build(folder, f"--checksum-level={level}").status == 0
    assert tree(folder)["b.txt"] == b"2\n"


def test_a_temporary_file_at_two_levels(tmp_path: Path) -> None:
    """It is recorded by its digest at every level, so that its users know it again."""
    text = """\
all: b.txt c.txt
@temp
a.txt: s.txt
    cp s.txt a.txt
b.txt: a.txt
    cat a.txt > b.txt; cat b.txt >> "$PROPERTY_LOG/ran"
c.txt: a.txt
    cp a.txt c.txt
"""
    folder = _project(tmp_path, text, s_txt="1\n")
    assert build(folder, "--checksum-level=3").status == 0
    (folder / "c.txt").unlink()
    build(folder)
    again = build(folder)
    assert "up to date (" in again.text, str(again)


def test_a_file_becomes_temporary_after_it_was_recorded_by_its_time(tmp_path: Path) -> None:
    text = """\
all: b.txt c.txt
a.txt: s.txt
    cp s.txt a.txt
b.txt: a.txt
    cp a.txt b.txt
c.txt: a.txt
    cp <input> <output>
"""
    folder = _project(tmp_path, text, s_txt="1\n")
    assert build(folder, "--checksum-level=1").status == 0
    temporary = text.replace("a.txt: s", "@temp\na.txt: s").replace("cp a.txt", "cp  a.txt")
    (folder / "Pipefile").write_text(temporary)
    assert build(folder).status == 0
    assert "a.txt" not in tree(folder)
    again = build(folder)
    assert "up to date (" in again.text, str(again)


@pytest.mark.parametrize("level", [TIME, HISTORY, RECIPE, PARAMS, CONTENT])
def test_a_temporary_file_made_again_for_one_user(tmp_path: Path, level: int) -> None:
    """Its other users, which were up to date, still are in the next build."""
    text = """\
all: b.txt c.txt
@temp
a.txt: s.txt
    cp s.txt a.txt
b.txt: a.txt
    cp a.txt b.txt
c.txt: a.txt t.txt
    cat <inputs> > <output>
"""
    folder = _project(tmp_path, text, s_txt="1\n", t_txt="1\n")
    words = f"--checksum-level={level}"
    assert build(folder, words).status == 0
    (folder / "t.txt").write_text("2\n")
    make_newer(folder / "t.txt", newest(folder))
    assert "2 ran" in build(folder, words).text
    again = build(folder, words)
    assert "up to date (" in again.text, str(again)


@pytest.mark.parametrize("level", [TIME, HISTORY, RECIPE, PARAMS, CONTENT])
def test_a_temporary_file_kept_for_a_job_that_failed(tmp_path: Path, level: int) -> None:
    """It was made again for that job, and is no newer to others."""
    text = """\
all: b.txt c.txt
@temp
a.txt: s.txt
    cp s.txt a.txt
b.txt: a.txt
    cp a.txt b.txt
c.txt: a.txt t.txt
    cat <inputs> > <output>; ! grep bad t.txt
"""
    folder = _project(tmp_path, text, s_txt="1\n", t_txt="1\n")
    words = ["-k", f"--checksum-level={level}"]
    assert build(folder, *words).status == 0
    (folder / "t.txt").write_text("bad\n")
    make_newer(folder / "t.txt", newest(folder))
    for _ in range(2):
        text = build(folder, *words).text
        assert "cp a.txt b.txt" not in text and "1 failed" in text, text


@pytest.mark.parametrize("level", [HISTORY, RECIPE, PARAMS, CONTENT])
def test_a_split_without_parts_runs_when_its_input_changes(tmp_path: Path, level: int) -> None:
    folder = _project(tmp_path, SPLIT, list_txt="")
    assert build(folder, f"--checksum-level={level}").status == 0
    (folder / "list.txt").write_text("one\n")
    make_newer(folder / "list.txt", newest(folder))
    assert build(folder, f"--checksum-level={level}").status == 0
    assert tree(folder)["merged.txt"] == b"one\n"


def test_grouped_temporary_files_are_removed(tmp_path: Path) -> None:
    text = """\
all: c.txt
@temp
a.txt b.txt &:
    echo a > a.txt
    echo b > b.txt
c.txt: a.txt b.txt
    cat <inputs> > <output>
"""
    folder = _project(tmp_path, text)
    assert build(folder).status == 0
    assert tree(folder).keys() == {"Pipefile", "c.txt"}


def test_a_grouped_rule_may_have_a_name(tmp_path: Path) -> None:
    text = """\
all: c.txt
two: a.txt b.txt &:
    echo a > a.txt
    echo b > b.txt
c.txt: <two>
    cat <inputs> > <output>
"""
    folder = _project(tmp_path, text)
    ran = build(folder)
    assert ran.status == 0, str(ran)
    assert tree(folder)["c.txt"] == b"a\nb\n"


def test_a_split_keeps_nobody_waiting_who_does_not_need_it(tmp_path: Path) -> None:
    """Jobs wait for the files that they need, never for a whole rule: `other.txt` is made while
    the split runs (which would wait for ever for it otherwise, but for a limit)."""
    text = """\
all: <parts> other.txt
@timeout("5s")
split parts: d/*.part: s.txt
    until [ -e other.txt ]; do sleep 0.01; done
    cp s.txt d/one.part
other.txt: s.txt
    cp s.txt other.txt
"""
    folder = _project(tmp_path, text, s_txt="1\n")
    ran = build(folder, "-j2")
    assert ran.status == 0, str(ran)
