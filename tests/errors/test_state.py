"""What pybuild finds where it keeps its records, a disk without room, and odd file names.

Whatever the records look like, a build ends with what a clean one makes, or says why it can't.
"""

from __future__ import annotations

import marshal
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash

from pybuild.engine.traces import HEADER, Journal

from .folder import Folder, Run

JOURNAL = ".pybuild/journal"

PIPEFILE = """\
all: sum.txt groups.txt

copy: out/<basename>.txt: in/*.txt
    cat <input> > <output>

sum.txt: <copy>
    cat <inputs> > <output>

collate group: group/<kind>.txt: in/<kind>_<n>.txt
    cat <inputs> > <output>

split parts: parts/*.txt: in/a_1.txt
    for word in $(cat <input>); do echo "$word" > "parts/$word.txt"; done

groups.txt: <group> <parts>
    cat <inputs> > <output>
"""
GOALS = ("sum.txt", "groups.txt")
SOURCES = {"in/a_1.txt": "one\n", "in/a_2.txt": "two\n", "in/b_1.txt": "three\n"}
CHANGED = "four five\n"


class Built:
    """A project that was built, changed and built again. `check` puts it back as it was then,
    times and inodes included, so that what was recorded of its files still fits."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        folder.write({"Pipefile": PIPEFILE, **SOURCES})
        assert folder.run().status == 0
        self.first = os.stat(JOURNAL).st_size
        self.clean = {SOURCES["in/a_1.txt"]: self.goals()}
        folder.write({"in/a_1.txt": CHANGED})
        assert folder.run().status == 0
        self.clean[CHANGED] = self.goals()
        self.data = Path(JOURNAL).read_bytes()
        self.files = folder.contents()
        self.times = {name: os.stat(name).st_mtime_ns for name in self.files}

    def goals(self) -> dict[str, bytes]:
        """The files that are wanted in the end."""
        return {name: Path(name).read_bytes() for name in GOALS}

    def put_back(self) -> None:
        """All files as they were after the second build, in the same inodes if they are there."""
        for name in self.folder.contents().keys() - self.files:
            os.unlink(name)
        for name, data in self.files.items():
            if not os.path.exists(name) or os.stat(name).st_mtime_ns != self.times[name]:
                Path(name).write_bytes(data)
                os.utime(name, ns=(self.times[name], self.times[name]))
        Path(JOURNAL).write_bytes(self.data)

    def check(self, journal: bytes, source: str) -> Run:
        """A build with other records, where `in/a_1.txt` is this text now: it ends as a clean one
        does."""
        self.put_back()
        Path(JOURNAL).write_bytes(journal)
        if source != CHANGED:
            self.folder.write({"in/a_1.txt": source})
        result = self.folder.run()
        assert result.status == 0, result.text
        assert self.goals() == self.clean[source]
        return result


@pytest.fixture
def built(folder: Folder) -> Built:
    return Built(folder)


def boundaries(data: bytes) -> set[int]:
    """Where the records of a journal end."""
    ends = {len(HEADER)}
    position = len(HEADER)
    while position < len(data):
        position += 12 + int.from_bytes(data[position : position + 4], "little")
        ends.add(position)
    return ends


def told(result: Run) -> int:
    """How many lines speak of the journal."""
    return sum(JOURNAL in line for line in result.text.splitlines())


# -- damaged records ---------------------------------------------------------------------------


@pytest.mark.parametrize("source", [SOURCES["in/a_1.txt"], CHANGED], ids=["changed back", "kept"])
def test_truncated(source: str, built: Built) -> None:
    """Where the source is what it was before the last build, no older record may pass for it."""
    ends = boundaries(built.data)
    assert built.first in ends and len(built.data) in ends
    sizes = {size for end in ends for size in (end - 1, end) if size >= built.first}
    for size in sorted({0, 5, built.first // 2, *sizes}):
        result = built.check(built.data[:size], source)
        assert told(result) == (size not in ends), result.text
        again = built.folder.run()
        assert again.status == 0, again.text
        assert "up to date" in again.out and " ran" not in again.out


def test_truncated_at_each_byte(built: Built, tmp_path: Path) -> None:
    """What is left counts up to its last whole record, and is told of."""
    ends = boundaries(built.data)
    path = tmp_path / "journal"
    whole = remembered(path, built.data[: built.first])
    for size in range(built.first, len(built.data) + 1):
        found = remembered(path, built.data[:size])
        if size in ends:
            whole = found
        assert found[1:] == whole[1:]
        assert bool(found[0]) == (size not in ends)


def remembered(path: Path, data: bytes) -> tuple[object, ...]:
    """What a journal with these bytes tells: its complaint, and all that it knows."""
    path.write_bytes(data)
    journal = Journal(str(path))
    made = journal.made()
    jobs = [*made, "parts/*.txt"]
    return (
        journal.complaint,
        made,
        [(journal.trace(job), journal.started(job)) for job in jobs],
        [journal.stamp(name) for name in (*made, *SOURCES)],
    )


def test_flipped_bytes(built: Built) -> None:
    dice = random.Random(4)
    for _ in range(60):
        data = bytearray(built.data)
        for _ in range(dice.choice((1, 1, 1, 5))):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        result = built.check(bytes(data), SOURCES["in/a_1.txt"])
        assert told(result) == 1, result.text


def test_each_byte_flipped(built: Built, tmp_path: Path) -> None:
    """Reading never fails, and never takes a damaged record."""
    path = tmp_path / "journal"
    for position in range(len(built.data)):
        data = bytearray(built.data)
        data[position] ^= 1 << position % 8
        path.write_bytes(data)
        assert Journal(str(path)).complaint, position


def framed(record: object) -> bytes:
    """A record with a checksum that is right."""
    payload = marshal.dumps(record, 4)
    return len(payload).to_bytes(4, "little") + xxhash.xxh3_64_digest(payload) + payload


FOREIGN = {
    "empty": b"",
    "a newline": b"\n",
    "half a header": HEADER[:7],
    "another version": HEADER.replace(b"1", b"99") + b"x" * 100,
    "text": b"# a list of files\nout/a_1.txt\n" * 50,
    "zeros": bytes(5000),
    "random": random.Random(1).randbytes(5000),
    "zeros behind the header": HEADER + bytes(500),
    "ones behind the header": HEADER + b"\xff" * 500,
    "random behind the header": HEADER + random.Random(2).randbytes(500),
    "a record that is a number": HEADER + framed(7),
    "a record that is nothing": HEADER + framed(()),
    "a record of an unknown kind": HEADER + framed(("Q", 1, 2)),
    "a record that is too short": HEADER + framed(("T", "sum.txt")),
    "a record with another trace": HEADER + framed(("T", "sum.txt", [], (1, 2), [])),
    "a record with another stamp": HEADER + framed(("F", [("in/a_1.txt", 1)])),
    "a record that is no marshal": HEADER
    + (3).to_bytes(4, "little")
    + xxhash.xxh3_64_digest(b"\x01\x02\x03")
    + b"\x01\x02\x03",
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_content(data: bytes, built: Built) -> None:
    for source in (CHANGED, SOURCES["in/a_1.txt"]):
        result = built.check(data, source)
        assert told(result) == 1, result.text
        again = built.folder.run()
        assert again.status == 0 and told(again) == 0, again.text
        assert "up to date" in again.out and " ran" not in again.out


def test_garbage_behind_the_records(built: Built) -> None:
    """What was recorded before it counts: nothing runs."""
    result = built.check(built.data + b"garbage", CHANGED)
    assert told(result) == 1
    assert " ran" not in result.out


@pytest.mark.parametrize(("option", "status"), [("-n", 0), ("-q", 1)])
def test_looking_does_not_mend(option: str, status: int, built: Built) -> None:
    built.put_back()
    damaged = built.data[: built.first + 30]
    Path(JOURNAL).write_bytes(damaged)
    result = built.folder.run(option)
    assert result.status == status, result.text
    assert Path(JOURNAL).read_bytes() == damaged


def test_records_are_gone(built: Built) -> None:
    built.put_back()
    shutil.rmtree(".pybuild")
    result = built.folder.run()
    assert result.status == 0 and told(result) == 0
    assert built.goals() == built.clean[CHANGED]


def test_damaged_trees(built: Built) -> None:
    """A kept tree that is not whole is not used."""
    built.put_back()
    kept = list(Path(".pybuild/trees").iterdir())
    assert kept
    whole = {path: path.read_bytes() for path in kept}
    dice = random.Random(5)
    for turn in range(40):
        for path, data in whole.items():
            path.unlink()
            broken = bytearray(data)
            broken[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            path.write_bytes(data[: dice.randrange(len(data))] if turn % 2 else broken)
        result = built.folder.run()
        assert result.status == 0, result.text
        assert "up to date" in result.out and " ran" not in result.out


# -- something else where the records should be ------------------------------------------------


def test_folder_in_place_of_the_journal(folder: Folder) -> None:
    folder.write({"Pipefile": PIPEFILE, **SOURCES})
    os.makedirs(JOURNAL)
    result = folder.run()
    assert result.status == 2
    assert "PB408" in result.err and JOURNAL in result.err
    os.rmdir(JOURNAL)
    assert folder.run().status == 0


def test_empty_journal(folder: Folder) -> None:
    folder.write({"Pipefile": PIPEFILE, JOURNAL: "", **SOURCES})
    result = folder.run()
    assert result.status == 0
    assert result.err == f"pybuild: {JOURNAL} is empty: starting without records\n"
    assert "up to date" in folder.run().out


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_journal_that_is_no_regular_file(kind: str, folder: Folder) -> None:
    """It is told of, and neither read nor written; nobody waits for the other end of a pipe."""
    folder.write({"Pipefile": PIPEFILE, **SOURCES})
    os.makedirs(os.path.dirname(JOURNAL))
    if kind == "pipe":
        os.mkfifo(JOURNAL)
    else:
        os.symlink("/dev/null", JOURNAL)
    complaint = f"cannot read {JOURNAL} (it is no regular file): starting without records"
    dry = folder.spawn("-n")
    assert dry.status == 0 and complaint in dry.err and "would run" in dry.out
    result = folder.spawn()
    assert result.status == 2 and complaint in result.err
    assert "PB408" in result.err
    assert not os.path.isfile(JOURNAL)
    os.unlink(JOURNAL)
    assert folder.spawn().status == 0


@pytest.mark.parametrize("name", [".pybuild", ".pybuild/journal"])
def test_link_to_itself(name: str, folder: Folder) -> None:
    folder.write({"Pipefile": PIPEFILE, **SOURCES})
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    os.symlink(os.path.basename(name), name)
    before = folder.names()
    result = folder.run()
    assert result.status == 2
    assert "PB408" in result.err and ".pybuild" in result.err
    assert folder.names() - before <= {"out/", "group/", "parts/"}
    os.unlink(name)
    assert folder.run().status == 0


def test_file_in_place_of_the_folder(folder: Folder) -> None:
    folder.write({"Pipefile": PIPEFILE, ".pybuild": "mine\n", **SOURCES})
    before = folder.contents()
    result = folder.run()
    assert result.status == 2
    assert "PB408" in result.err
    assert folder.contents() == before


@pytest.mark.parametrize("name", ["trees", "logs", "tmp"])
def test_file_in_place_of_what_is_not_needed(name: str, folder: Folder) -> None:
    folder.write({"Pipefile": f"{PIPEFILE}    echo done\n", f".pybuild/{name}": "x", **SOURCES})
    result = folder.run()
    assert result.status == 0, result.text
    assert "done" in result.out


# -- what a failure leaves ---------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["", "@atomic", "@temp", "@uptodate_if(lambda i, o: True)"])
@pytest.mark.parametrize("words", [(f"--checksum-level={n}",) for n in range(5)] + [("-M",)])
def test_failed_job_runs_again(attribute: str, words: tuple[str, ...], folder: Folder) -> None:
    """What it left looks made, and is not."""
    folder.write(
        {
            "Pipefile": f"all: end.txt\n{attribute}\nout.txt: in.txt\n"
            "    touch <output>; test -e ok\n"
            "end.txt: out.txt\n    cp <input> <output>\n",
            "in.txt": "a\n",
        }
    )
    for _ in range(2):
        result = folder.run(*words)
        assert result.status == 2, result.text
        assert "`out.txt` failed" in result.err
        assert not os.path.exists("end.txt")
    folder.write({"ok": ""})
    assert folder.run(*words).status == 0
    assert os.path.exists("end.txt")


# -- no room -----------------------------------------------------------------------------------

MANY = "all: <many>\nmany: out/<basename>.txt: in/*.txt\n    : > <output>\n"


def write_many(folder: Folder, count: int) -> set[str]:
    """A project of jobs that need no room for what they make, only for their records; returns
    what they make."""
    names = [f"a_source_with_quite_a_long_name_{number:03}" for number in range(count)]
    folder.write({"Pipefile": MANY, **{f"in/{name}.txt": "" for name in names}})
    return {f"out/{name}.txt" for name in names}


def check_end(folder: Folder, outputs: set[str]) -> None:
    """There is room again: a run ends right, and the next has nothing to do."""
    result = folder.spawn()
    assert result.status == 0, result.text
    assert told(result) <= 1, result.text
    assert outputs <= folder.names()
    result = folder.spawn()
    assert result.status == 0
    assert "up to date" in result.out and " ran" not in result.out


@pytest.mark.parametrize("words", [(), ("-k",), ("-j1",), ("-j8", "-k")], ids=" ".join)
@pytest.mark.parametrize("blocks", [0, 1, 4])
def test_files_may_not_grow(blocks: int, words: tuple[str, ...], folder: Folder) -> None:
    """`ulimit -f`: a write beyond the limit fails as it does on a full disk."""
    outputs = write_many(folder, 60)
    result = folder.spawn(*words, before=f"ulimit -f {blocks}")
    assert result.status == 2, result.text
    assert "Traceback" not in result.text
    assert "File too large" in result.err and ".pybuild" in result.err, result.text
    check_end(folder, outputs)


def test_no_empty_journal_is_left(folder: Folder) -> None:
    """When there is room again nobody has to hear of a journal that was never written."""
    write_many(folder, 3)
    assert folder.spawn(before="ulimit -f 0").status == 2
    assert not os.path.exists(JOURNAL)
    result = folder.spawn()
    assert (result.status, result.err) == (0, "")


def test_recording_that_fails_is_no_success(folder: Folder) -> None:
    """Without `-k` nothing is started any more once a job could not be recorded."""
    outputs = write_many(folder, 200)
    result = folder.spawn("-j1", before="ulimit -f 1")
    assert result.status == 2
    assert len(outputs & folder.names()) < 20


@pytest.fixture
def small_disk(folder: Folder) -> Iterator[Folder]:
    """The project lies on a disk of one megabyte."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder.root)]
    try:
        failed = subprocess.run(mount, capture_output=True, check=False).returncode
    except FileNotFoundError:
        failed = 1
    if failed:
        pytest.skip("needs the right to mount")
    os.chdir(folder.root)
    yield folder
    os.chdir(folder.root.parent)
    subprocess.run(["umount", "-l", str(folder.root)], check=True)


def fill(pages_left: int) -> None:
    """Takes all room but for some pages."""
    with open("filler", "wb", buffering=0) as handle:
        try:
            while True:
                handle.write(bytes(4096))
        except OSError:
            pass
        handle.truncate(max(0, os.fstat(handle.fileno()).st_size - 4096 * pages_left))


@pytest.mark.parametrize("pages_left", [0, 1, 2, 3, 4])
def test_full_disk(pages_left: int, small_disk: Folder) -> None:
    outputs = write_many(small_disk, 60)
    fill(pages_left)
    result = small_disk.spawn()
    assert result.status == 2, result.text
    assert "Traceback" not in result.text
    assert "No space left" in result.err and ".pybuild" in result.err, result.text
    os.unlink("filler")
    check_end(small_disk, outputs)


def test_full_disk_with_records_on_it(small_disk: Folder) -> None:
    outputs = write_many(small_disk, 60)
    assert small_disk.spawn().status == 0
    small_disk.write({"Pipefile": MANY.replace(": >", "true; : >")})
    fill(0)
    result = small_disk.spawn()
    assert result.status == 2, result.text
    assert "Traceback" not in result.text
    assert "No space left" in result.err and ".pybuild" in result.err, result.text
    os.unlink("filler")
    check_end(small_disk, outputs)


def test_full_disk_with_nothing_to_do(small_disk: Folder) -> None:
    write_many(small_disk, 60)
    assert small_disk.spawn().status == 0
    fill(0)
    result = small_disk.spawn()
    assert result.status == 0, result.text
    assert "up to date" in result.out


def test_recipe_finds_the_disk_full(small_disk: Folder) -> None:
    small_disk.write(
        {
            "Pipefile": "out.txt: in.txt\n    dd if=/dev/zero of=<output> bs=1M count=2\n",
            "in.txt": "a\n",
        }
    )
    result = small_disk.spawn()
    assert result.status == 2
    assert "Traceback" not in result.text
    assert "`out.txt` failed" in result.err
    small_disk.write({"Pipefile": "out.txt: in.txt\n    cp <input> <output>\n"})
    check_end(small_disk, {"out.txt"})
    assert small_disk.contents()["out.txt"] == b"a\n"


# -- odd names ---------------------------------------------------------------------------------

NAMES = [
    "plain",
    "two words",
    "  blanks around  ",
    "it's",
    'say "hi"',
    "both ' and \"",
    "new\nline",
    "\n",
    "tab\there",
    "return\r",
    "bell\x07 and \x1b[31mred",
    "größe",
    "gro\u0308ße",
    "日本語",
    "🧬",
    "\u202eturned",
    "line\u2028separator",
    "-lead",
    "--help",
    "$HOME",
    "$(touch evil)",
    "`touch evil`",
    "${x:?}",
    "back\\slash",
    "end\\",
    "st*r",
    "qu?stion",
    "[ab]",
    "{a,b}",
    "#hash",
    "%percent%",
    "semi;colon",
    "a&b",
    "a|b",
    "a>b",
    "<input>",
    "\\<output>",
    "<inputs[0]>",
    "a:b",
    "a=b",
    "~",
    "~root",
    "!bang!",
    "a^b",
    "(x)",
    "@at",
    "+plus",
    "a,b",
    "dot.ted.name",
    "..two",
    "x" * 250,
    "é" * 125,
    os.fsdecode(b"not utf8 \xff\xfe"),
]
SHOWN = [name for name in NAMES if not name.startswith(".")]

ODD = {
    "shell": "    cat -- <input> > <output>\n",
    "double quotes": '    cat -- "<input>" > "<output>"\n',
    "single quotes": "    cat -- '<input>' > '<output>'\n",
    "substitution": '    printf "%s" "$(cat -- <input>)" > <output>\n',
    "file parts": "    cat -- <path>/<filename> > <output.path>/<output.basename>.txt\n",
    "python": "    python:\n        output.write_bytes(input.read_bytes())\n",
    "python and a command": "    python:\n        output.write_text(run('cat --', input))\n",
    "environment": '    cat -- "$FROM" > <output>\n',
}


@pytest.mark.parametrize("recipe", ODD.values(), ids=ODD.keys())
def test_odd_names(recipe: str, folder: Folder) -> None:
    head = '@env(FROM="<input>")\n' if "$FROM" in recipe else ""
    folder.write({"Pipefile": f"all: <copy>\n{head}copy: out/<basename>.txt: in/*.txt\n{recipe}"})
    for number, name in enumerate(NAMES):
        folder.write({f"in/{name}.txt": f"text {number}"})
    result = folder.run()
    assert result.status == 0, result.text
    found = folder.contents()
    wanted = {f"out/{name}.txt": found[f"in/{name}.txt"] for name in SHOWN}
    assert {name: data for name, data in found.items() if name.startswith("out/")} == wanted
    assert "evil" not in found
    before = {name: os.stat(name).st_mtime_ns for name in wanted}
    again = folder.run()
    assert again.status == 0
    assert "up to date" in again.out and " ran" not in again.out
    assert {name: os.stat(name).st_mtime_ns for name in wanted} == before


def test_odd_names_as_captures_and_lists(folder: Folder) -> None:
    folder.write(
        {
            "Pipefile": "all: sum.txt\n"
            "copy: out/<name>/<name>: in/<name>.txt\n    cat -- in/<name>.txt > <output>\n"
            "sum.txt: <copy>\n    cat -- <inputs> > <output>\n"
        }
    )
    for name in NAMES:
        folder.write({f"in/{name}.txt": f"{len(name)}\n"})
    result = folder.run()
    assert result.status == 0, result.text
    found = folder.contents()
    assert all(found[f"out/{name}/{name}"] == found[f"in/{name}.txt"] for name in SHOWN)
    assert sorted(found["sum.txt"].split()) == sorted(str(len(name)).encode() for name in SHOWN)
    again = folder.run()
    assert "up to date" in again.out and " ran" not in again.out
    folder.write({"in/new\nline.txt": "changed\n"})
    assert folder.run().status == 0
    assert folder.contents()["out/new\nline/new\nline"] == b"changed\n"


def test_odd_names_as_goals(folder: Folder) -> None:
    folder.write({"Pipefile": "out/<basename>.txt: in/*.txt\n    cat -- <input> > <output>\n"})
    for name in SHOWN:
        folder.write({f"in/{name}.txt": name})
    for name in SHOWN:
        result = folder.run(f"out/{name}.txt")
        assert result.status == 0, result.text
        assert os.path.exists(f"out/{name}.txt")


def test_odd_names_beside_the_pipefile(folder: Folder) -> None:
    folder.write({"Pipefile": "copy/<filename>: *.txt\n    cat -- <input> > <output>\n"})
    for name in SHOWN:
        folder.write({f"{name}.txt": name})
    result = folder.run()
    assert result.status == 0, result.text
    found = folder.contents()
    assert all(found[f"copy/{name}.txt"] == found[f"{name}.txt"] for name in SHOWN)
    again = folder.run()
    assert "up to date" in again.out and " ran" not in again.out


def test_odd_names_from_a_split(folder: Folder) -> None:
    folder.write(
        {
            "Pipefile": "all: <copy>\n"
            "split parts: parts/*.txt: names.txt\n"
            "    python:\n"
            "        import shutil\n"
            "        from pathlib import Path\n"
            "        for each in Path('in').iterdir():\n"
            "            shutil.copy(each, Path('parts') / each.name)\n"
            "copy: out/<basename>.txt: <parts>\n"
            "    cat -- <input> > <output>\n",
            "names.txt": "",
        }
    )
    for name in SHOWN:
        folder.write({f"in/{name}.txt": name})
    result = folder.run()
    assert result.status == 0, result.text
    found = folder.contents()
    assert all(found[f"out/{name}.txt"] == found[f"in/{name}.txt"] for name in SHOWN)
    again = folder.run()
    assert "up to date" in again.out and " ran" not in again.out


def test_odd_names_written_atomically(folder: Folder) -> None:
    """The temporary name may not be too long where the name itself is not."""
    folder.write(
        {"Pipefile": "@atomic\nout/<basename>.txt: in/*.txt\n    cat -- <input> > <output>\n"}
    )
    for name in SHOWN:
        folder.write({f"in/{name}.txt": name})
    result = folder.run()
    assert result.status == 0, result.text
    found = folder.contents()
    assert {name for name in found if name.startswith("out/")} == {
        f"out/{name}.txt" for name in SHOWN
    }


def test_odd_names_written_in_the_pipefile(folder: Folder) -> None:
    """Quoted words take any character but a newline."""
    folder.write(
        {
            "Pipefile": 'all: "out dir/a:b.txt" "x=1.txt" "größe #1.txt" "say \\"hi\\".txt"\n'
            '"out dir/a:b.txt": "in dir/c|d.txt"\n    cat -- <input> > <output>\n'
            '"x=1.txt" "größe #1.txt" "say \\"hi\\".txt": "in dir/c|d.txt" | "in dir/\\<e>.txt"\n'
            "    cat -- <inputs> > <output>\n",
            "in dir/c|d.txt": "a\n",
            "in dir/<e>.txt": "e\n",
        }
    )
    result = folder.run()
    assert result.status == 0, result.text
    found = folder.contents()
    for name in ("out dir/a:b.txt", "x=1.txt", "größe #1.txt", 'say "hi".txt'):
        assert found[name] == b"a\n"
    again = folder.run()
    assert "up to date" in again.out and " ran" not in again.out
