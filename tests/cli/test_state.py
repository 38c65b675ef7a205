"""What is recorded, looked at and set right: `--adopt`, `--forget`, `--stale`, `--history`."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from pybuild.engine.traces import Journal, stand_in
from pybuild.files import Disk

from .conftest import Place

PIPEFILE = """\
word = "hi"
all: sum.txt <pages>
copy: out/<n>.txt: in/<n>.txt
    echo <word> > <output>; cat <input> >> <output>
sum.txt: <copy>
    cat <inputs> > <output>
split cut: parts/*.x: in/list
    for n in $(cat <input>); do echo $n > parts/$n.x; done
pages: pages/<p>.p: parts/<p>.x
    cp <input> <output>
"""


@pytest.fixture
def built(place: Place) -> Place:
    """A project of which all is made: four plain jobs, a split, and two jobs behind it."""
    place.put(Pipefile=PIPEFILE)
    for name in ("a", "b", "c"):
        place.write(f"in/{name}.txt", name)
    place.write("in/list", "one two")
    place.run()
    return place


def ran(place: Place, *words: str) -> list[str]:
    """What a build runs: the names of its jobs, by `--explain`."""
    lines = place.run("-s", "--explain", "-j1", *words).stdout.splitlines()
    return list(dict.fromkeys(line.split(": ")[0] for line in lines if ": " in line))


def runs_nothing(place: Place, *words: str) -> bool:
    """Whether a build finds all up to date."""
    return " up to date (" in place.run(*words).stdout


def looks(place: Place) -> dict[str, tuple[int, int, int]]:
    """What can be seen of all files and folders from outside, pybuild's own left out."""
    found = {}
    for path in [place.folder, *place.folder.rglob("*")]:
        status = path.lstat()
        name = str(path.relative_to(place.folder))
        if not name.startswith(".pybuild") and name != ".":
            found[name] = (status.st_mtime_ns, status.st_ctime_ns, status.st_mode)
    return found


def forget_all(place: Place) -> None:
    shutil.rmtree(place.folder / ".pybuild")


def jobs(place: Place) -> set[str]:
    """The jobs that are recorded."""
    return set(Journal(str(place.folder / ".pybuild" / "journal")).jobs())


# -- adopting ------------------------------------------------------------------------------


def test_the_records_are_rebuilt_from_the_files(built: Place) -> None:
    before, recorded = looks(built), jobs(built)
    forget_all(built)
    done = built.run("--adopt")
    assert done.stdout == "pybuild: 7 adopted, 0 left because a target is missing\n"
    assert looks(built) == before
    assert jobs(built) == recorded
    assert runs_nothing(built)
    assert looks(built) == before


def test_what_is_adopted_is_followed_like_what_was_made(built: Place) -> None:
    forget_all(built)
    built.run("--adopt")
    built.write("in/a.txt", "other")
    assert ran(built) == ["out/a.txt", "sum.txt"]
    assert runs_nothing(built)
    built.write("in/list", "two three")
    assert ran(built) == ["parts/*.x", "pages/three.p"]
    assert not (built.folder / "parts/one.x").exists()
    assert ran(built, "word=ho") == ["out/a.txt", "out/b.txt", "out/c.txt", "sum.txt"]


def test_only_what_the_goals_need_is_adopted(built: Place) -> None:
    forget_all(built)
    assert "1 adopted" in built.run("--adopt", "out/a.txt").stdout
    assert jobs(built) == {"out/a.txt"}
    assert "2 adopted" in built.run("--adopt", "copy").stdout
    assert "4 adopted" in built.run("--adopt").stdout
    assert "0 adopted" in built.run("--adopt").stdout


def test_a_job_whose_target_is_missing_is_left(built: Place) -> None:
    forget_all(built)
    (built.folder / "out/b.txt").unlink()
    done = built.run("--adopt")
    assert done.stdout.splitlines() == [
        "out/b.txt: left: `out/b.txt` is not there",
        "pybuild: 6 adopted, 1 left because a target is missing",
    ]
    assert built.run("--adopt", "-s").stdout == ""
    assert ran(built) == ["out/b.txt", "sum.txt"]


def test_a_job_that_makes_several_needs_all_of_them(place: Place) -> None:
    place.put(Pipefile="a b &: s\n    cp s a; cp s b\n", s="", a="")
    assert "a: left: `b` is not there\n" in place.run("--adopt").stdout
    place.put(b="")
    assert "1 adopted, 0 left" in place.run("--adopt").stdout


def test_a_split_without_files_is_left(built: Place) -> None:
    forget_all(built)
    shutil.rmtree(built.folder / "parts")
    done = built.run("--adopt")
    assert "parts/*.x: left: nothing matches `parts/*.x`\n" in done.stdout
    assert "pybuild: 4 adopted, 1 left" in done.stdout
    assert not (built.folder / "parts").exists()
    assert ran(built) == ["parts/*.x", "pages/one.p", "pages/two.p"]


@pytest.mark.parametrize("option", ["--adopt", "-t"])
def test_a_split_takes_no_file_that_is_a_source_or_made_by_others(
    option: str, place: Place
) -> None:
    place.put(
        Pipefile="all: <cut> parts/other.x end\n"
        "split cut: parts/*.x: parts/spec.x\n    for n in $(cat parts/spec.x); do cp parts/spec.x parts/$n.x; done\n"
        "parts/other.x: | <cut>\n    echo > <output>\n"
        "end: parts/head.x <cut>\n    cat <inputs> > <output>\n"
    )
    place.write("parts/spec.x", "one")
    place.write("parts/head.x", "head")
    place.run()
    forget_all(place)
    place.run(option)
    assert runs_nothing(place)
    place.write("parts/spec.x", "two")
    place.run()
    assert place.files() == [
        "Pipefile",
        "end",
        "parts/head.x",
        "parts/other.x",
        "parts/spec.x",
        "parts/two.x",
    ]


def test_a_missing_source_is_an_error_as_in_a_build(built: Place) -> None:
    forget_all(built)
    built.put(Pipefile="all: a\na: none\n    cp none a\n", a="")
    done = built.run("--adopt", status=2)
    assert "no rule makes `none`" in done.stderr and "adopted" not in done.stdout
    assert jobs(built) == set()
    done = built.run("--adopt", "al", status=2)
    assert "did you mean `all`" in done.stderr


def test_nothing_runs_and_nothing_is_touched(place: Place) -> None:
    place.put(
        Pipefile="""\
python:
    def hook():
        open("ran", "a")

all: plus task made kept guarded end d/x
@posttask(hook, "touch ran")
@touch("flag")
plus: s
    +touch ran; touch plus
.PHONY: task
task:
    touch ran
@mkdir("more")
made: s
    touch made ran
@atomic
kept: s
    touch kept ran
@protected
guarded: s
    touch guarded ran
@temp
mid: s
    touch mid ran
end: mid
    touch end ran
d/x: s
    touch ran d/x
""",
        s="",
        plus="",
        made="",
        kept="",
        guarded="",
        mid="",
        end="",
    )
    place.write("d/x")
    before = looks(place)
    assert "7 adopted, 0 left" in place.run("--adopt").stdout
    assert looks(place) == before
    place.put(s="changed")
    before = looks(place)
    assert "6 adopted, 0 left" in place.run("--adopt").stdout, "`end` has seen the same `mid`"
    assert looks(place) == before


def test_a_temporary_file_that_is_gone_counts_by_its_record(place: Place) -> None:
    place.put(
        Pipefile="end: mid\n    cat mid > end\n@temp\nmid: s\n    cat s > mid\n",
        s="text",
    )
    place.run()
    assert place.files() == ["Pipefile", "end", "s"]
    place.put(end="by hand")
    assert place.run("--adopt").stdout.startswith("pybuild: 1 adopted, 0 left")
    assert runs_nothing(place)
    assert (place.folder / "end").read_text() == "by hand"
    forget_all(place)
    assert "mid: left: `mid` is not there\n" in place.run("--adopt").stdout
    assert ran(place) == ["mid", "end"]


def test_an_unfinished_file_of_an_atomic_job_stays_unfinished(place: Place) -> None:
    place.put(Pipefile="@atomic\na.txt: s\n    echo half > <output>; false\n", s="")
    place.run(status=2)
    assert len(place.files()) == 3
    place.write("a.txt", "whole")
    for option in ("--adopt", "-t"):
        place.run(option, "-B")
        assert (place.folder / "a.txt").read_text() == "whole"


def test_a_depfile_that_is_there_counts(place: Place) -> None:
    place.put(
        Pipefile='@depfile("a.d")\na.o: a.c\n    cp a.c a.o; echo "a.o: a.c a.h" > a.d\n',
    )
    place.write("a.c")
    place.write("a.h")
    place.run()
    forget_all(place)
    place.run("--adopt")
    assert runs_nothing(place)
    place.write("a.h", "new")
    assert ran(place) == ["a.o"]


def test_adopting_an_included_file(place: Place) -> None:
    place.put(
        list="",
        Pipefile="all: a b\ninclude more.pipe\na:\n    echo > a\n"
        "more.pipe: list\n    printf 'b:\\n    echo > b\\n' > more.pipe\n",
    )
    done = place.run("--adopt", status=2)
    assert "`more.pipe` has to be made before it can be read" in done.stderr
    assert place.files() == ["Pipefile", "list"]
    place.run()
    forget_all(place)
    assert "3 adopted" in place.run("--adopt").stdout
    assert runs_nothing(place)


def test_adopting_goes_with_no_dry_run(built: Place) -> None:
    for option in ("-n", "-q"):
        assert "`--adopt` runs nothing" in built.run("--adopt", option, status=2).stderr


@pytest.mark.parametrize("level", ["1", "2", "3"])
def test_adopting_at_lower_levels(level: str, built: Place) -> None:
    forget_all(built)
    assert "7 adopted" in built.run("--adopt", "--checksum-level", level).stdout
    assert runs_nothing(built, "--checksum-level", level)


# -- forgetting ----------------------------------------------------------------------------


def test_forgetting_a_target_and_a_rule(built: Place) -> None:
    before = looks(built)
    assert built.run("--forget", "out/a.txt").stdout == "pybuild: 1 job forgotten\n"
    assert looks(built) == before
    assert ran(built) == ["out/a.txt"]
    assert built.run("--forget", "copy", "sum.txt").stdout == "pybuild: 4 jobs forgotten\n"
    assert built.run("--forget", "copy").stdout == "pybuild: 0 jobs forgotten\n"
    assert ran(built) == ["out/a.txt", "out/b.txt", "out/c.txt", "sum.txt"]
    built.run("--forget=out/a.txt", "--forget=out/b.txt")
    assert ran(built) == ["out/a.txt", "out/b.txt"]
    assert runs_nothing(built)


@pytest.mark.parametrize("level", ["1", "2", "3", "4"])
def test_what_is_forgotten_runs_at_levels_1_to_4(level: str, built: Place) -> None:
    built.run("--forget", "sum.txt")
    assert ran(built, "--checksum-level", level) == ["sum.txt"]


def test_a_split_that_is_forgotten_still_owns_its_files(built: Place) -> None:
    assert "1 job forgotten" in built.run("--forget", "parts/one.x").stdout
    assert (built.folder / "parts/one.x").exists()
    built.write("in/list", "two")
    built.run("--force=cut")
    assert not (built.folder / "parts/one.x").exists()
    assert "pages/one.p" in built.run("--stale").stdout


def test_forgetting_what_only_a_split_makes_known(built: Place) -> None:
    built.write("in/list", "two one")
    assert "1 job forgotten" in built.run("--forget", "pages/one.p").stdout
    assert ran(built) == ["parts/*.x", "pages/one.p"]
    built.write("in/list", "one two")
    assert "2 jobs forgotten" in built.run("--forget", "pages").stdout
    assert sorted(ran(built)) == ["pages/one.p", "pages/two.p", "parts/*.x"]


def test_forgetting_a_job_made_on_demand(place: Place) -> None:
    place.put(Pipefile="all: a.o b.o\n%.o: %.c\n    cp <input> <output>\n")
    place.write("a.c")
    place.write("b.c")
    place.run()
    assert "1 job forgotten" in place.run("--forget", "a.o").stdout
    assert ran(place) == ["a.o"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smu.txt", "did you mean `sum.txt`"),
        ("cop", "did you mean `copy`"),
        ("in/a.txt", "no rule makes `in/a.txt`"),
        ("all", "`all` has no recipe"),
    ],
)
def test_forgetting_an_unknown_name_forgets_nothing(name: str, told: str, built: Place) -> None:
    assert told in built.run("--forget", "sum.txt", name, status=2).stderr
    assert runs_nothing(built)


# -- leftovers -----------------------------------------------------------------------------


def without(place: Place, *rules: str) -> None:
    """Takes rules out of the Pipefile."""
    text = (place.folder / "Pipefile").read_text()
    lines = text.splitlines(keepends=True)
    for rule in rules:
        at = next(at for at, line in enumerate(lines) if line.startswith(f"{rule}:"))
        del lines[at : at + 2]
        lines = [line.replace(f" <{rule}>", "") if line[0] != " " else line for line in lines]
    place.put(Pipefile="".join(lines))


def test_leftovers_are_listed_and_removed_when_asked(built: Place) -> None:
    assert built.run("--stale").stdout == "pybuild: 0 leftovers\n"
    without(built, "pages")
    (built.folder / "in/b.txt").unlink()
    before = looks(built)
    listed = "out/b.txt\npages/one.p\npages/two.p\npybuild: 3 leftovers\n"
    assert built.run("--stale").stdout == listed
    assert built.run("--stale", "--remove", "-n").stdout == listed
    assert looks(built) == before
    assert built.run("--stale", "--remove").stdout.splitlines() == [
        "removed out/b.txt",
        "removed pages/one.p",
        "removed pages/two.p",
        "pybuild: 3 removed",
    ]
    assert not (built.folder / "pages").exists()
    assert {"out/a.txt", "out/c.txt", "sum.txt"} <= set(built.files())
    assert jobs(built) == {"out/a.txt", "out/c.txt", "sum.txt", "parts/*.x"}
    assert built.run("--stale").stdout == "pybuild: 0 leftovers\n"
    assert ran(built) == ["sum.txt"]


def test_edited_files_are_kept(built: Place) -> None:
    without(built, "pages")
    built.write("pages/two.p", "mine")
    for words in (["--stale"], ["--stale", "--remove"], ["--stale", "--remove"]):
        done = built.run(*words)
        assert "edited since, kept: pages/two.p\n" in done.stdout
        assert "1 edited since and kept" in done.stdout
    assert (built.folder / "pages/two.p").read_text() == "mine"
    assert not (built.folder / "pages/one.p").exists()


def test_the_same_size_and_time_hide_no_edit(built: Place) -> None:
    without(built, "pages")
    path = built.folder / "pages/two.p"
    status = path.stat()
    path.write_text("own\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    built.run("--stale", "--remove")
    assert path.read_text() == "own\n"


KEPT = {
    "inactive": '@active_if(env("OFF") == "")\nr: out/<n>.x: in/<n>.txt\n    cp <input> <output>\n',
    "behind inactive": '@active_if(env("OFF") == "")\nq: q/<n>: in/<n>.txt\n    cp <input> <output>\n'
    "@optional\nr: out/<basename>.x: <q>\n    cp <input> <output>\n",
    "inactive, on demand": '@active_if(env("OFF") == "")\n%.x: in/%.txt\n    cp <input> <output>\n',
    "optional": "@optional\nr: out/<n>.x: in/<n>.txt\n    cp <input> <output>\n",
    "no data": "r: out/<n>.x: in/<n>.txt\n    cp <input> <output>\n",
    "precious": "@precious\nr: out/<n>.x: in/<n>.txt keep\n    cp <input> <output>\n",
    "protected": "@protected\nr: out/<n>.x: in/<n>.txt keep\n    cp <input> <output>\n",
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_a_rule_may_make_another_time_is_kept(kind: str, place: Place) -> None:
    goal = "a.x" if "demand" in kind else "<r>"
    place.put(Pipefile=f"all: end {goal}\nend:\n    touch end\n{KEPT[kind]}", keep="")
    place.write("in/a.txt")
    place.write("in/b.txt")
    place.run()
    made = place.files()
    gone = ["in/b.txt"] if kind in ("precious", "protected") else ["in/a.txt", "in/b.txt"]
    if "inactive" in kind:
        gone = []
    for name in gone:
        (place.folder / name).unlink()
    environment = {"OFF": "1"} if "inactive" in kind else {}
    done = place.run("--stale", "--remove", env=environment)
    assert "0 removed" in done.stdout
    assert place.files() == [name for name in made if name not in gone]


def test_an_optional_rule_with_data_has_leftovers(place: Place) -> None:
    place.put(Pipefile="@optional\nr: out/<n>.x: in/<n>.txt\n    cp <input> <output>\n")
    place.write("in/a.txt")
    place.write("in/b.txt")
    place.run()
    (place.folder / "in/b.txt").unlink()
    assert place.run("--stale").stdout == "out/b.x\npybuild: 1 leftover\n"


def test_files_of_a_split_and_behind_it_are_none(built: Place) -> None:
    """Also when the split is out of date, was changed by hand, or failed."""
    built.write("in/list", "one")
    built.write("parts/two.x", "by hand")
    before = built.files()
    assert "0 removed" in built.run("--stale", "--remove").stdout
    text = (built.folder / "Pipefile").read_text().replace("; done", "; done; false")
    built.put(Pipefile=text)
    built.run(status=2)
    built.run("--stale", "--remove")
    assert set(built.files()) >= {name for name in before if "two" not in name}
    built.put(Pipefile=PIPEFILE)
    built.run()
    assert built.run("--stale").stdout == "pages/two.p\npybuild: 1 leftover\n"


def test_sources_are_none(place: Place) -> None:
    """A file that was made once and is needed now, however it is needed."""
    place.put(
        Pipefile="""\
all: one two three four.pipe five.txt
one two three four.pipe:
    echo 'x = "1"' > <output>
five.txt:
    echo 5 > <output>
"""
    )
    place.run()
    place.put(
        Pipefile="""\
include four.pipe
text = read("five.txt")
all: end
end: one two | three
    cat <inputs> > end
"""
    )
    before = place.files()
    assert "0 removed" in place.run("--stale", "--remove").stdout
    assert place.files() == before


def test_nothing_outside_the_project_is_touched(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (place.folder / "link").symlink_to(outside)
    (place.folder / "real").mkdir()
    (place.folder / "alias").symlink_to("real")
    names = f"../outside/a {outside}/b link/c alias/d e"
    place.put(Pipefile=f"all: {names}\n{names}:\n    echo > <output>\n")
    place.run()
    place.put(Pipefile="all: real/d\nreal/d:\n    echo > <output>\n")
    assert place.run("--stale", "--remove").stdout == "removed e\npybuild: 1 removed\n"
    assert sorted(os.listdir(outside)) == ["a", "b", "c"]
    assert (place.folder / "real/d").exists()


def test_records_that_name_what_no_rule_would(place: Place, tmp_path: Path) -> None:
    """Whatever a journal from elsewhere says: nothing outside, and not the project itself."""
    place.put(Pipefile="all: a\na:\n    touch a\n", mine="")
    (tmp_path / "outside").write_text("")
    place.run()
    names = ["../", "./", "..", ".", "", "/", "../outside", "a/../../outside", ".pybuild/journal"]
    names += [".pybuild/", "none/../mine", "./mine", f"{tmp_path}/outside"]
    journal = Journal(str(place.folder / ".pybuild" / "journal"))
    trace = journal.trace("a")
    assert trace is not None
    for number, name in enumerate(names):
        status = Disk().status(os.path.join(place.folder, name))
        digest = stand_in(status) if status else bytes(16)
        made = trace._replace(outputs=(name,), output_digests=digest)
        journal.finish(f"job {number}", made, {}, {})
    journal.close()
    assert place.run("--stale", "--remove").stdout == "pybuild: 0 removed\n"
    assert place.files() == ["Pipefile", "a", "mine"]
    assert (tmp_path / "outside").exists()


def test_folders_that_become_empty_go(place: Place) -> None:
    names = "one/two/three/x four/x five/x six/x"
    place.put(Pipefile=f"all: {names}\n{names}:\n    echo > <output>\n")
    place.run()
    place.write("four/mine")
    place.put(Pipefile="all: end\nend: | five\n    ls six > end; echo > six/y\n")
    (place.folder / "empty").mkdir()
    place.run("--stale", "--remove")
    folders = sorted(each.name for each in place.folder.iterdir() if each.is_dir())
    assert folders == [".pybuild", "empty", "five", "four"]


def test_folders_that_were_made_as_a_whole(place: Place) -> None:
    text = "a/ b/ c/: s\n    mkdir -p <output>/d; cp s <output>/d/x; cp s <output>/y\n"
    place.put(Pipefile="all: a/ b/ c/\n" + text, s="")
    place.run()
    place.put(Pipefile="all: c/y\nc/y: s\n    cp s c/y\n")
    place.write("b/mine")
    done = place.run("--stale", "--remove")
    assert done.stdout.splitlines()[:2] == ["removed a/", "edited since, kept: b/"]
    assert not (place.folder / "a").exists()
    assert {"b/mine", "b/d/x", "c/y", "c/d/x"} <= set(place.files())


def test_odd_names(place: Place) -> None:
    names = [b"a b", b"new\nline", b"\xff\xfe", b"-dash", b"it's $5", b"esc\x1b[1m"]
    folder = os.fsencode(place.folder)
    os.mkdir(folder + b"/in")
    place.put(
        Pipefile="all: <copy> end\nend:\n    touch end\ncopy: out/<n>.x: in/<n>.txt\n    cp <input> <output>\n"
    )
    for name in [*names, b"stays"]:
        Path(os.fsdecode(folder + b"/in/" + name + b".txt")).write_bytes(name)
    place.run()
    forget_all(place)
    assert "8 adopted" in place.run("--adopt").stdout
    assert runs_nothing(place)
    for name in names:
        os.unlink(folder + b"/in/" + name + b".txt")
        lines = place.run("--history", os.fsdecode(b"out/" + name + b".x")).stdout.splitlines()
        assert "no rule makes it now" in lines[1]
    listed = place.run("--stale").stdout.splitlines()
    assert len(listed) == len(names) + 1
    assert "out/new\\nline.x" in listed
    assert f"{len(names)} removed" in place.run("--stale", "--remove").stdout
    assert os.listdir(folder + b"/out") == [b"stays.x"]
    assert "1 job forgotten" in place.run("--forget", "out/stays.x").stdout


def test_killed_while_it_removes(place: Place) -> None:
    """What it says of 1,000 long names does not fit into the pipe: it cannot be at its end."""
    names = [f"out/{'x' * 200}{number:04}" for number in range(1000)]
    place.put(Pipefile="all: <copy>\ncopy: out/<n>: in/<n>\n    cp <input> <output>\n")
    (place.folder / "in").mkdir()
    for name in names:
        (place.folder / name.replace("out", "in", 1)).touch()
    (place.folder / "in/stays").touch()
    (place.folder / "out").mkdir()
    for name in [*names, "out/stays"]:
        (place.folder / name).touch()
    assert "1001 adopted" in place.run("--adopt").stdout
    for name in names:
        (place.folder / name.replace("out", "in", 1)).unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "pybuild", "--stale", "--remove"],
        cwd=place.folder,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.read(1) == b"r"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    left = len(list((place.folder / "out").iterdir())) - 1
    assert 0 < left < 1000
    assert f"{left} leftovers" in place.run("--stale").stdout
    assert runs_nothing(place)
    assert f"{left} removed" in place.run("--stale", "--remove").stdout
    assert jobs(place) == {"out/stays"}
    assert runs_nothing(place)
    assert place.files() == ["Pipefile", "in/stays", "out/stays"]


def test_records_of_files_that_are_gone_already_go_too(built: Place) -> None:
    without(built, "pages")
    shutil.rmtree(built.folder / "pages")
    assert built.run("--stale", "--remove").stdout == "pybuild: 0 removed\n"
    assert not any(job.startswith("pages/") for job in jobs(built))


def without_privileges() -> None:
    """From here on permissions hold for root as well (PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(24, 1)


def run_unprivileged(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pybuild", *words],
        cwd=place.folder,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=without_privileges,
    )


def test_a_folder_that_cannot_be_written(place: Place) -> None:
    names = "out/a out/b free/c"
    place.put(Pipefile=f"all: {names}\n{names}:\n    echo > <output>\n")
    assert run_unprivileged(place).returncode == 0
    place.put(Pipefile="all: end\nend:\n    echo > end\n")
    (place.folder / "out").chmod(0o555)
    done = run_unprivileged(place, "--stale", "--remove")
    (place.folder / "out").chmod(0o777)
    assert done.returncode == 2
    assert "pybuild: cannot remove `out/a`: Permission denied\n" in done.stderr
    assert done.stdout.splitlines() == ["removed free/c", "pybuild: 1 removed, 2 cannot be removed"]
    assert run_unprivileged(place, "--stale").stdout == "out/a\nout/b\npybuild: 2 leftovers\n"


def test_records_that_cannot_be_written(place: Place) -> None:
    place.put(Pipefile="all: a\na: s\n    cp s a\n", s="")
    assert run_unprivileged(place).returncode == 0
    for name in ("journal", "lock", ""):
        (place.folder / ".pybuild" / name).chmod(0o555)
    try:
        for words in (["--history", "a"], ["--stale"]):
            assert run_unprivileged(place, *words).returncode == 0
        for words in (["--adopt", "-B"], ["--forget", "a"]):
            done = run_unprivileged(place, *words)
            assert done.returncode == 2
            assert "cannot record in .pybuild/journal: Permission denied" in done.stderr
    finally:
        for name in ("", "lock", "journal"):
            (place.folder / ".pybuild" / name).chmod(0o777)
    assert "up to date" in run_unprivileged(place).stdout


# -- history -------------------------------------------------------------------------------


def test_history_says_when_and_with_what(built: Place) -> None:
    lines = built.run("--history", "out/a.txt").stdout.splitlines()
    assert lines[0].startswith("out/a.txt: started at ") and lines[0].endswith(" s")
    started = datetime.fromisoformat(lines[0].split(" at ")[1].split(",")[0])
    assert started.tzinfo is not None
    assert abs((datetime.now().astimezone() - started).total_seconds()) < 3600
    assert lines[1:3] == ["  recipe: unchanged", "  values: unchanged"]
    assert [line.rpartition(" (")[0] for line in lines[3:]] == [
        "  target out/a.txt",
        "  prerequisite in/a.txt",
    ]
    assert all(line.endswith("): unchanged") for line in lines[3:])


def test_history_says_what_has_changed(built: Place) -> None:
    built.write("in/a.txt", "new")
    (built.folder / "out/a.txt").unlink()
    built.put(Pipefile=PIPEFILE.replace("cat <input> >>", "tac <input> >>"))
    text = built.run("word=ho", "--history", "out/a.txt").stdout
    assert "  recipe: changed\n" in text
    assert "  values: `word` changed from `hi` to `ho`\n" in text
    assert "): changed, now " in text
    assert "): missing\n" in text
    (built.folder / "in/a.txt").unlink()
    text = built.run("--history", "out/a.txt").stdout
    assert "no rule makes it now" in text and text.count("): missing\n") == 2


def test_history_as_data(built: Place) -> None:
    built.write("in/b.txt", "new")
    data = json.loads(built.run("--history", "sum.txt", "--format=json").stdout)
    assert (data["target"], data["job"], data["rule"]) == ("sum.txt", "sum.txt", "sum.txt")
    assert datetime.fromisoformat(data["started"]).tzinfo is not None
    assert data["seconds"] > 0 and data["ran"] and not data["interrupted"]
    assert (data["recipe"], data["values"], data["older"]) == ("unchanged", "unchanged", [])
    assert [each["name"] for each in data["prerequisites"]] == [f"out/{n}.txt" for n in "abc"]
    assert {each["state"] for each in data["prerequisites"]} == {"unchanged"}
    data = json.loads(built.run("--history=out/b.txt", "--format=json").stdout)
    [file] = data["prerequisites"]
    assert file["state"] == "changed" and file["now"] != file["digest"]


def test_history_of_older_runs(place: Place) -> None:
    place.put(Pipefile="a: s\n    cp s a; echo told\n", s="")
    for text in "123":
        place.put(s=text)
        place.run()
    place.run("--forget", "a")
    assert "there is no record" in place.run("--history", "a").stdout
    place.run("--adopt")
    lines = place.run("--history", "a").stdout.splitlines()
    assert lines[0].startswith("a: taken as made at ") and lines[0].endswith(", without a run")
    before = [line for line in lines if line.startswith("  before: started at ")]
    assert len(before) == 3
    data = json.loads(place.run("--history", "a", "--format=json").stdout)
    assert not data["ran"] and data["seconds"] is None
    times = [each["started"] for each in data["older"]]
    assert len(times) == 3 and times == sorted(times, reverse=True)
    assert (place.folder / data["log"]).read_text() == "told\n"
    assert f"  log: {data['log']}" in lines


def test_history_of_a_job_that_failed(place: Place) -> None:
    place.put(Pipefile="a: s\n    cp s a; test ! -s s\n", s="")
    place.run()
    place.put(s="bad")
    place.run(status=2)
    assert "did not end well" in place.run("--history", "a").stdout


def test_history_of_files_of_splits_and_behind_them(built: Place) -> None:
    text = built.run("--history", "parts/one.x").stdout
    assert text.startswith("parts/*.x: started at ")
    assert "  target parts/two.x (" in text
    built.write("in/list", "two")
    assert built.run("--history", "pages/one.p").stdout.startswith("pages/one.p: started at ")


def test_history_names_values_as_rules_do(place: Place) -> None:
    place.put(
        Pipefile="out: <words>\n    python:\n        output.write_text(str(words))\n"
        "value words:\n    python:\n        return 3\n"
    )
    place.run("-s")
    assert "  prerequisite <words> (" in place.run("--history", "out").stdout


def test_history_of_what_was_found_by_a_depfile(place: Place) -> None:
    place.put(
        Pipefile='@depfile("a.d")\na.o: a.c\n    cp a.c a.o; echo "a.o: a.c a.h" > a.d\n',
    )
    place.write("a.c")
    place.write("a.h")
    place.run()
    place.write("a.h", "new")
    text = place.run("--history", "a.o").stdout
    assert "  prerequisite a.c (" in text
    assert "  discovered a.h (" in text and "): changed, now " in text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smu.txt", "did you mean `sum.txt`"),
        ("copy", "`copy` is a rule with 3 jobs"),
        ("in/a.txt", "no rule makes `in/a.txt`"),
    ],
)
def test_history_of_what_has_none(name: str, told: str, built: Place) -> None:
    assert told in built.run("--history", name, status=2).stderr
    assert "`text` or `json`" in built.run("--history", "sum.txt", "--format=x", status=2).stderr


# -- all of them ---------------------------------------------------------------------------

EACH = (["--adopt"], ["--forget", "sum.txt"], ["--stale"], ["--history", "sum.txt"])


@pytest.mark.parametrize("words", EACH, ids=lambda words: words[0])
def test_a_build_that_runs_is_waited_for(words: list[str], built: Place) -> None:
    lock = built.folder / ".pybuild" / "lock"
    with lock.open("r+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [sys.executable, "-m", "pybuild", *words],
            cwd=built.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert "waiting for another build" in process.stderr.readline()
        assert process.poll() is None
    assert process.wait(60) == 0
    process.stderr.close()


@pytest.mark.parametrize("words", EACH, ids=lambda words: words[0])
@pytest.mark.parametrize("damage", ["garbage", "foreign", "nothing", "folder"])
def test_damaged_records(damage: str, words: list[str], built: Place) -> None:
    journal = built.folder / ".pybuild" / "journal"
    if damage == "garbage":
        with journal.open("ab") as handle:
            handle.write(b"garbage")
    elif damage == "foreign":
        journal.write_bytes(b"SQLite format 3\0")
    elif damage == "nothing":
        forget_all(built)
    else:
        journal.unlink()
        journal.mkdir()
    files = built.files()
    if damage == "folder" and words == ["--adopt"]:
        assert "cannot record in" in built.run(*words, status=2).stderr
        return
    done = built.run(*words)
    assert done.stderr.count("\n") == (damage != "nothing")
    assert built.files() == files
    if damage != "folder":
        built.run()
        assert runs_nothing(built)


def test_elsewhere_and_with_another_name(built: Place) -> None:
    (built.folder / "Pipefile").rename(built.folder / "other.pipe")
    words = ["-C", "project", "-f", "other.pipe"]
    above = Place(built.folder.parent)
    assert "0 adopted" in above.run(*words, "--adopt").stdout
    assert "started at" in above.run(*words, "--history", "sum.txt").stdout
    assert "0 leftovers" in above.run(*words, "--stale").stdout
    assert "1 job forgotten" in above.run(*words, "--forget", "sum.txt").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--remove"], "`--remove` goes with `--stale`"),
        (["--adopt", "--remove"], "`--remove` goes with `--stale`"),
        (["--adopt", "--stale"], "one at a time"),
        (["--stale", "sum.txt"], "it takes no goals"),
        (["--history", "sum.txt", "out/a.txt"], "takes one target"),
        (["--forget"], "needs a value"),
    ],
)
def test_what_does_not_go_together(words: list[str], told: str, built: Place) -> None:
    assert told in built.run(*words, status=2).stderr


def test_mistakes_in_the_pipefile_end_all_of_them(built: Place) -> None:
    built.put(Pipefile=PIPEFILE + "broken: <nobody>\n    x <what>\n")
    files = built.files()
    for words in (*EACH, ["--stale", "--remove"]):
        assert "error:" in built.run(*words, status=2).stderr
    assert built.files() == files
