"""Builds that are killed, interrupted, or not alone: what had finished stays finished, nothing
survives, and the next build is right.

A gate in a recipe (`PROPERTY_GATE` names the output) holds its job half way until the file `open`
appears in the log folder, so that a build can be met at a known place. No test sleeps to get an
order: each polls for what it waits for.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sandbox import LOG_VARIABLE, Note, read_notes, tree, write_tree

from pybuild.engine.traces import Journal

PATIENCE = 20.0
KILLS = 8
MANY_KILLS = 100

PIPEFILE = """\
python:
    import os
    import time
    import zlib

    def tell(text):
        with open(os.environ["PROPERTY_LOG"] + "/progress", "a") as file:
            file.write(text)

    def note(*lines):
        with open(f"{os.environ['PROPERTY_LOG']}/python.{os.getpid()}", "a") as file:
            print(*lines, sep="\\n", file=file)

    def begin(rule, outputs, inputs):
        tell("b")
        sums = [f"{zlib.crc32(each.read_bytes())} 0 {each}" for each in inputs]
        note(f"begin {rule} -", *[f"out {each}" for each in outputs], *sums)

    def end():
        note("end")
        tell("e")

    def gate(name):
        if str(name).endswith(os.environ.get("PROPERTY_GATE") or "none"):
            tell("g")
            run('until [ -e "$PROPERTY_LOG/open" ]; do sleep 0.01; done')

all: final.txt totals.txt

one: one/<g>_<n>.one: src/<g>_<n>.txt
    BEGIN(one)
    head -n 2 <input> > <output>
    GATE
    tail -n +3 <input> >> <output>
    END(one)

two: two/<basename>.two: <one>
    python:
        begin("two", outputs, inputs)
        with output.open("w") as file:
            for number, line in enumerate(input.open()):
                file.write(line.upper())
                file.flush()
                if number == 1:
                    gate(output)
        end()

collate three: three/<g>.three: two/<g>_<n>.two
    BEGIN(three)
    cat <inputs> > <output>
    GATE
    END(three)

split four: four/<g>_*.four: three/<g>.three
    BEGIN(four)
    while read -r part text; do
        echo "$part $text" >> four/<g>_$part.four
        GATE
    done < <input>
    END(four)

split five: five/<g>_*.five: three/<g>.three
    python:
        begin("five", outputs, inputs)
        for line in input.open():
            with open(f"five/{g}_{line.split()[0]}.five", "a") as file:
                file.write(line)
            gate(output)
        end()

six: six/<name>.six: four/<name>.four
    BEGIN(six)
    sort -r <input> > <output>
    GATE
    END(six)

@atomic
final: final.txt: <six>
    BEGIN(final)
    cat <inputs> > <output>
    GATE
    END(final)

totals: totals.txt: <five>
    python:
        begin("totals", outputs, inputs)
        with output.open("w") as file:
            for each in inputs:
                file.write(f"{each} {len(each.read_text())}\\n")
                file.flush()
                gate(output)
        end()
"""
_BEGIN = (
    'printf b >> "$PROPERTY_LOG/progress"\n'
    "    { echo 'begin \\1 -'; printf 'out %s\\\\n' <outputs>; cksum <inputs>; } "
    '> "$PROPERTY_LOG/\\1.$$"'
)
_GATE = (
    'case <output> in *"${PROPERTY_GATE:-none}") printf g >> "$PROPERTY_LOG/progress"; '
    'until [ -e "$PROPERTY_LOG/open" ]; do sleep 0.01; done;; esac'
)
_END = 'echo end >> "$PROPERTY_LOG/\\1.$$"; printf e >> "$PROPERTY_LOG/progress"'
# Where a build can be met: in each kind of recipe.
GATES = (
    "one/b_2.one",
    "two/c_1.two",
    "three/a.three",
    "four/c_*.four",
    "five/b_*.five",
    "six/d_P2.six",
    "final.txt",
    "totals.txt",
)


def pipefile() -> str:
    text = re.sub(r"BEGIN\((\w+)\)", _BEGIN, PIPEFILE)
    text = re.sub(r"GATE\n", lambda _: f"{_GATE}\n", text)
    return re.sub(r"END\((\w+)\)", _END, text)


def sources() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for g, group in enumerate("abcd"):
        for n in range(1, 4):
            lines = [f"p{1 + (g + n * line) % (2 + g)} {group}{n}{line}" for line in range(6)]
            found[f"src/{group}_{n}.txt"] = ("\n".join(lines) + "\n").encode()
    return found


class Run:
    """A pybuild process in a session of its own, and what it started."""

    def __init__(self, folder: Path, log: Path, *words: str, gate: str = "") -> None:
        log.mkdir(exist_ok=True)
        self.folder = folder
        self.log = log
        self.mark = f"PROPERTY_MARK={uuid.uuid4()}"
        environment = {**os.environ, LOG_VARIABLE: str(log)}
        environment["PROPERTY_MARK"] = self.mark.partition("=")[2]
        environment["PROPERTY_GATE"] = gate
        self.output = log / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pybuild", *words],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def progress(self) -> str:
        try:
            return (self.log / "progress").read_text()
        except FileNotFoundError:
            return ""

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    @property
    def notes(self) -> tuple[Note, ...]:
        return read_notes(self.log)

    def await_(self, what: Callable[[], bool]) -> None:
        """Polls until something is so, or the process has ended."""
        give_up = time.monotonic() + PATIENCE
        while not what() and self.process.poll() is None:
            assert time.monotonic() < give_up, f"it never came to that:\n{self.text}"

    def await_gate(self) -> None:
        self.await_(lambda: "g" in self.progress)
        assert "g" in self.progress, f"it ended before the gate:\n{self.text}"

    def open_gate(self) -> None:
        (self.log / "open").touch()

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end:\n{self.text}") from None

    def kill(self) -> None:
        """SIGKILL to the whole process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has just ended by itself
        self.process.wait()

    def survivors(self) -> list[str]:
        """The command lines of processes that this run started and that are still there."""
        found: list[str] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if self.mark.encode() in (entry / "environ").read_bytes():
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    if line:
                        found.append(f"{entry.name}: {line.decode(errors='replace')[:200]}")
            except OSError:
                continue  # it has just ended
        return found

    def assert_nothing_survives(self) -> None:
        give_up = time.monotonic() + PATIENCE
        while (found := self.survivors()) and time.monotonic() < give_up:
            time.sleep(0.01)
        self.end_survivors()
        assert not found, f"still running: {found}"

    def end_survivors(self) -> None:
        for line in self.survivors():
            try:
                os.kill(int(line.partition(":")[0]), signal.SIGKILL)
            except ProcessLookupError:
                pass


class Project:
    """A project to be built by real processes."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "project"
        self.folder.mkdir(parents=True)
        write_tree(self.folder, {**sources(), "Pipefile": pipefile().encode()})
        self.runs: list[Run] = []

    def start(self, *words: str, gate: str = "") -> Run:
        run = Run(self.folder, self.base / f"log{len(self.runs)}", *words, gate=gate)
        self.runs.append(run)
        return run

    @property
    def journal(self) -> Path:
        return self.folder / ".pybuild" / "journal"

    def recorded(self) -> set[str]:
        """The names of the jobs that are recorded as finished, and were not started again."""
        journal = Journal(str(self.journal))
        return {
            name
            for run in self.runs
            for name in (note.key[1] for note in run.notes)
            if journal.trace(name) is not None and journal.started(name) is None
        }

    def close(self) -> None:
        for run in self.runs:
            if run.process.poll() is None:
                run.kill()
            run.end_survivors()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    found = Project(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int, int]:
    """The files of a clean build, the length of its progress, and of its journal."""
    project = Project(tmp_path_factory.mktemp("clean"))
    run = project.start("-j4")
    assert run.end() == 0, run.text
    files = tree(project.folder)
    assert {"final.txt", "totals.txt"} <= files.keys()
    return files, len(run.progress), project.journal.stat().st_size


Clean = tuple[dict[str, bytes], int, int]


def check_recovery(project: Project, first: Run, clean: Clean) -> None:
    """All that has to hold after a run that was ended before its end."""
    first.assert_nothing_survives()
    recorded = project.recorded()
    notes = first.notes
    read = {name for note in notes for name in note.input_names}
    for note in notes:
        if note.ended and not read.isdisjoint(note.outputs):
            assert note.key[1] in recorded, f"{note.key[1]} was not recorded before it was used"
    second = project.start("-j4")
    assert second.end() == 0, f"killed:\n{first.text}\nnext:\n{second.text}"
    assert not second.survivors()
    again = sorted({note.key[1] for note in second.notes} & recorded)
    assert not again, f"these had finished and ran again: {again}\n{second.text}"
    now = tree(project.folder)
    assert now.keys() == clean[0].keys()
    assert now == clean[0]
    third = project.start("-j4")
    assert third.end() == 0
    assert not third.notes and "up to date (" in third.text, third.text


def kill_somewhere(project: Project, clean: Clean, seed: int) -> Run:
    """Kills a build: at a gate, at some point of its progress, or at a length of its journal."""
    dice = random.Random(seed)
    how = seed % 4
    if how == 0:
        run = project.start("-j4", gate=dice.choice(GATES))
        run.await_gate()
    elif how == 1:
        length = dice.randrange(clean[2])
        run = project.start("-j4")
        run.await_(lambda: project.journal.exists() and project.journal.stat().st_size >= length)
    else:
        count = dice.randrange(clean[1])
        run = project.start("-j4")
        run.await_(lambda: len(run.progress) >= count)
    run.kill()
    return run


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(seed, marks=() if seed < KILLS else pytest.mark.long)
        for seed in range(KILLS + MANY_KILLS)
    ],
)
def test_kill(project: Project, clean: Clean, seed: int) -> None:
    check_recovery(project, kill_somewhere(project, clean, seed), clean)


def test_killed_again_and_again(project: Project, clean: Clean) -> None:
    """Three kills in a row, each a bit later, and then a build that ends."""
    for gate in ("two/c_1.two", "four/c_*.four", "final.txt"):  # each needs the one before
        run = project.start("-j4", gate=gate)
        run.await_gate()
        run.kill()
        run.assert_nothing_survives()
    check_recovery(project, run, clean)


@pytest.mark.parametrize(
    ("signum", "gate"),
    [
        (signal.SIGINT, "one/b_2.one"),
        (signal.SIGINT, "two/c_1.two"),
        (signal.SIGTERM, "five/b_*.five"),
        (signal.SIGTERM, "four/c_*.four"),
        (signal.SIGHUP, "final.txt"),
    ],
)
def test_signal(project: Project, clean: Clean, signum: signal.Signals, gate: str) -> None:
    """It ends at once, by that signal, and takes all that it started along."""
    run = project.start("-j4", gate=gate)
    run.await_gate()
    run.process.send_signal(signum)
    assert run.end() == -signum, run.text
    assert not run.survivors()
    check_recovery(project, run, clean)


def test_signal_to_a_recipe_that_does_not_listen(project: Project) -> None:
    """After a while it is killed."""
    write_tree(
        project.folder,
        {
            "Pipefile": b"deaf.txt:\n"
            b"    trap '' INT TERM\n"
            b'    printf g >> "$PROPERTY_LOG/progress"\n'
            b'    until [ -e "$PROPERTY_LOG/open" ]; do sleep 0.01; done\n'
        },
    )
    run = project.start()
    run.await_gate()
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == -signal.SIGTERM, run.text
    assert not run.survivors()


STRAY = b"""\
import os, signal, subprocess, sys, time
if sys.argv[1:] == ["stray"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(os.environ["PROPERTY_LOG"] + "/progress", "a") as file:
        file.write("g")
    time.sleep(1000)
subprocess.run([sys.executable, __file__, "stray"], start_new_session=True)
"""
STRAYS = {
    "shell": f"{sys.executable} stray.py; true\n",
    "program": f"{sys.executable} stray.py\n",
    "python": "python:\n        import subprocess\n"
    f"        subprocess.run([{sys.executable!r}, 'stray.py', 'stray'], start_new_session=True)\n",
}


@pytest.mark.parametrize("recipe", STRAYS)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_what_has_left_its_group(
    project: Project, signum: signal.Signals, recipe: str
) -> None:
    """A process that a job started in a session of its own ends with the job."""
    pipefile = f"never.txt:\n    {STRAYS[recipe]}"
    write_tree(project.folder, {"Pipefile": pipefile.encode(), "stray.py": STRAY})
    run = project.start()
    run.await_gate()
    run.process.send_signal(signum)
    assert run.end() == -signum, run.text
    assert not run.survivors()


@pytest.mark.parametrize("recipe", STRAYS)
def test_end_of_time_for_what_has_left_its_group(project: Project, recipe: str) -> None:
    pipefile = f'@timeout("1s")\nnever.txt:\n    {STRAYS[recipe]}after.txt:\n    touch after.txt\n'
    write_tree(project.folder, {"Pipefile": pipefile.encode(), "stray.py": STRAY})
    run = project.start("-k", "-j1", "never.txt", "after.txt")
    assert run.end() == 2
    assert "timed out after 1 s" in run.text and (project.folder / "after.txt").exists()
    assert not run.survivors()


def test_two_builds_at_once(project: Project, clean: Clean) -> None:
    one = project.start("-j4", gate="three/a.three")
    one.await_gate()
    two = project.start("-j2")
    two.await_(lambda: "waiting for another build" in two.text)
    assert f"process {one.process.pid} (pybuild -j4)" in two.text
    assert not two.notes
    one.open_gate()
    assert one.end() == 0, one.text
    assert two.end() == 0, two.text
    assert not two.notes, two.text
    assert tree(project.folder) == clean[0]


def test_two_builds_at_once_of_a_kept_graph(project: Project) -> None:
    """Who knows from the last build what there is to do waits in the same way, and says so."""
    assert project.start("-j4").end() == 0
    (project.folder / "totals.txt").unlink()
    one = project.start("-j4", gate="totals.txt")
    one.await_gate()
    two = project.start("-j2")
    two.await_(lambda: "waiting for another build" in two.text)
    one.open_gate()
    assert one.end() == 0, one.text
    assert two.end() == 0, two.text
    assert not two.notes, two.text


def test_a_build_that_waits_for_one_that_is_killed(project: Project, clean: Clean) -> None:
    """It starts only when nothing of the other is left."""
    one = project.start("-j4", gate="four/c_*.four")
    one.await_gate()
    two = project.start("-j2")
    two.await_(lambda: "waiting for another build" in two.text)
    one.kill()
    two.await_(lambda: bool(two.notes))
    assert not one.survivors()
    assert two.end() == 0, two.text
    assert tree(project.folder) == clean[0]


def test_killed_while_it_reads_a_large_file(project: Project) -> None:
    """Jobs that run are known to whatever ends them, also while pybuild is busy elsewhere."""
    write_tree(
        project.folder,
        {
            "Pipefile": b"all: one.txt two.txt\n"
            b"one.txt:\n"
            b'    printf g >> "$PROPERTY_LOG/progress"\n'
            b'    until [ -e "$PROPERTY_LOG/open" ]; do sleep 0.01; done\n'
            b"two.txt: large.bin\n"
            b"    cp <input> <output>\n"
        },
    )
    with (project.folder / "large.bin").open("wb") as file:
        file.truncate(8 << 30)  # all holes: no room on the disk, but seconds to read
    run = project.start("-j4")
    run.await_gate()
    run.kill()
    run.assert_nothing_survives()


def test_a_split_that_was_killed_leaves_no_sources(project: Project) -> None:
    """The parts that an unfinished split left are nobody's sources."""
    text = (
        "all: merged.txt\n"
        "split parts: d/*.part: list.txt\n"
        "    for each in $(cat <input>); do\n"
        '        echo "$each" > "d/$each.part"\n'
        "    done\n"
        "    GATE\n"
        "made: d/<basename>.made: d/*.part\n"
        "    cp <input> <output>\n"
        "merged.txt: <made>\n"
        "    cat <inputs> > <output>\n"
    ).replace("GATE", _GATE)
    write_tree(project.folder, {"Pipefile": text.encode(), "list.txt": b"one two three\n"})
    first = project.start(gate="d/*.part")
    first.await_gate()
    first.kill()
    first.assert_nothing_survives()
    write_tree(project.folder, {"list.txt": b"one\n"})
    second = project.start()
    assert second.end() == 0, second.text
    assert (project.folder / "merged.txt").read_text() == "one\n"
    made = sorted(path.name for path in (project.folder / "d").iterdir())
    assert made == ["one.made", "one.part"]


BRIEF = """\
python:
    import os

    def tell(text):
        with open(os.environ["PROPERTY_LOG"] + "/progress", "a") as file:
            file.write(text)

all: <python> <shell>

python: python/<n>.txt: data/<n>.txt
    python:
        output.write_text(input.read_text())
        if n == os.environ.get("PROPERTY_GATE"):
            tell("g")
            run('until [ -e "$PROPERTY_LOG/open" ]; do sleep 0.01; done')

shell: shell/<n>.txt: python/<n>.txt
    cat <input> > <output>
    case s<n> in "${PROPERTY_GATE:-none}") printf g >> "$PROPERTY_LOG/progress"; until [ -e "$PROPERTY_LOG/open" ]; do sleep 0.01; done;; esac
"""


@pytest.mark.parametrize("gate", ["070", "s070"])
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_ended_within_a_batch(project: Project, gate: str, signum: signal.Signals) -> None:
    """Jobs that take no time share a place: nothing of them survives, and what was done stays."""
    names = [f"{number:03}" for number in range(150)]
    files = {f"data/{name}.txt": name.encode() for name in names}
    write_tree(project.folder, {"Pipefile": BRIEF.encode(), **files})
    first = project.start("-j2", gate=gate)
    first.await_gate()
    if signum == signal.SIGKILL:
        first.kill()
    else:
        first.process.send_signal(signum)
        assert first.end() == -signum, first.text
    first.assert_nothing_survives()
    done = Journal(str(project.journal))
    recorded = {
        name
        for folder in ("python", "shell")
        for name in (f"{folder}/{each}.txt" for each in names)
        if done.trace(name) is not None and done.started(name) is None
    }
    assert recorded
    second = project.start("-j2")
    assert second.end() == 0, second.text
    assert f"{300 - len(recorded)} ran, {len(recorded)} up to date" in second.text
    for folder in ("python", "shell"):
        for name in names:
            assert (project.folder / folder / f"{name}.txt").read_bytes() == name.encode()
