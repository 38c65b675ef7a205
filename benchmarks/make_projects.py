"""Fetch real projects with plain Makefiles, and build them with one make or two.

    python benchmarks/make_projects.py FOLDER                       fetch all, tell their commands
    python benchmarks/make_projects.py FOLDER --build MAKE          build each with MAKE as well
    python benchmarks/make_projects.py FOLDER --compare MAKE OTHER  do the same with both makes
    python benchmarks/make_projects.py FOLDER --nothing MAKE OTHER  time both with nothing to do
    python benchmarks/make_projects.py FOLDER [OPTION]... NAME...   only these

The sources are Debian's, by `apt-get source`, without Debian's own rules: what is built is what the
project's authors wrote. Needs apt, tar and a C compiler; what is in FOLDER already is not fetched
again, and every build is of a fresh copy.

`--compare` does what a working day asks of a make with each of the two, in one and the same folder:
a dry run, a build and another, a file touched, a file broken, `clean`, a build of two jobs at a
time. What they say, their statuses and the files that are there in the end have to be the same;
FOLDER/logs has what they said. `--nothing` builds once with the first of the two, and then both
take turns; shown are medians, and the median of the ratios within a round.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple


class Project(NamedTuple):
    """`source` is Debian's name of the sources, `arguments` what make is given, `in_` a folder.

    `prepare` are lines of shell that run once, before any make; `first` are the arguments of a make
    that comes before the others. `edited` is a file, from `in_`, that is touched and broken.
    """

    source: str
    arguments: tuple[str, ...] = ()
    in_: str = "."
    edited: str = ""
    prepare: str = ""
    first: tuple[str, ...] = ()


_LITTLE_GIT = ("NO_CURL=1", "NO_EXPAT=1", "NO_GETTEXT=1", "NO_TCLTK=1", "NO_PYTHON=1")
_LITTLE_NGINX = "--without-http_rewrite_module --without-http_gzip_module"
_LITTLE_FFMPEG = (
    "--disable-everything --disable-autodetect --disable-doc --disable-asm --disable-optimizations"
)

PROJECTS = [
    Project("bzip2", ("bzip2", "libbz2.a"), edited="crctable.c"),
    Project("lua5.4", ("posix",), "src", edited="lmem.c"),
    Project("lz4", ("lib",), edited="lib/lz4hc.c"),
    Project("xxhash", edited="xxhash.c"),
    Project("cjson", ("all",), edited="cJSON.c"),
    Project("tree", edited="hash.c"),
    Project("figlet", edited="utf8.c"),
    Project("zopfli", ("zopfli",), edited="src/zopfli/katajainen.c"),
    Project("libtommath", edited="bn_mp_abs.c"),
    Project("hiredis", edited="sds.c"),
    Project("mujs", edited="jsrun.c"),
    Project("busybox", edited="libbb/xatonum.c", first=("allnoconfig",)),
    Project("musl", ("lib/libc.a",), edited="src/string/strlen.c", prepare="./configure"),
    Project(
        "git",
        ("xdiff/lib.a", "reftable/libreftable.a", "CFLAGS=-O0", *_LITTLE_GIT),
        edited="xdiff/xutils.c",
    ),
    Project("redis", ("MALLOC=libc", "OPTIMIZATION=-O0"), edited="src/sds.c"),
    Project("libzstd", ("libzstd.a", "CFLAGS=-O0"), "lib", edited="common/debug.c"),
    Project("mbedtls", ("lib", "CFLAGS=-O0"), edited="library/ccm.c"),
    Project("tcc", edited="tccpp.c", prepare="./configure"),
    Project("nginx", edited="src/core/ngx_list.c", prepare=f"./configure {_LITTLE_NGINX}"),
    Project("pciutils", ("ZLIB=no", "HWDB=no", "DNS=no"), edited="lib/names.c"),
    Project("x264", edited="common/set.c", prepare="./configure --disable-asm --enable-debug"),
    Project(
        "ffmpeg",
        ("libavutil/libavutil.a", "libswresample/libswresample.a"),
        edited="libavutil/adler32.c",
        prepare=f"./configure {_LITTLE_FFMPEG}",
    ),
    Project(
        "openssl",
        ("libssl.a",),
        edited="ssl/pqueue.c",
        prepare="./Configure -O0 no-asm no-shared no-tests",
    ),
]

_ARCHIVE = re.compile(r"\.orig\.tar\.[a-z0-9]+$")


def sources(folder: Path) -> list[str]:
    """Options that let apt know of sources, with lists of its own in `folder`.

    The places are those that the system has for packages; nothing of the system is changed.
    """
    own = folder / "apt"
    if not own.exists():
        (own / "lists" / "partial").mkdir(parents=True)
        for path in Path("/etc/apt/sources.list.d").glob("*.sources"):
            text = re.sub(r"^Types:.*$", "Types: deb-src", path.read_text(), flags=re.MULTILINE)
            (own / path.name).write_text(text)
        listed = Path("/etc/apt/sources.list")
        old = listed.read_text() if listed.exists() else ""
        (own / "old.list").write_text(re.sub(r"^deb ", "deb-src ", old, flags=re.MULTILINE))
    options = ["Dir::Etc::sourcelist=/dev/null", f"Dir::Etc::sourceparts={own}"]
    options += [f"Dir::State::lists={own / 'lists'}"]
    return [word for option in options for word in ("-o", option)]


def fetch(project: Project, folder: Path, options: list[str]) -> Path:
    """The unpacked sources of `project`, in `folder`."""
    home = folder / project.source
    if not home.exists():
        archives = folder / "archives" / project.source
        archives.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["apt-get", *options, "source", "-qq", "--download-only", project.source],
            cwd=archives,
            check=True,
        )
        archive = next(each for each in archives.iterdir() if _ARCHIVE.search(each.name))
        unpacked = folder / "unpacked"
        unpacked.mkdir()
        subprocess.run(["tar", "-xf", str(archive), "-C", str(unpacked)], check=True)
        within = list(unpacked.iterdir())
        if len(within) == 1:
            within[0].rename(home)
            unpacked.rmdir()
        else:
            unpacked.rename(home)
    return home


def fresh_copy(project: Project, home: Path) -> Path:
    """A copy of the sources, prepared, always in the same place; the one before it is gone."""
    copy = home.parent / "built" / project.source
    shutil.rmtree(copy, ignore_errors=True)
    if not project.prepare:
        shutil.copytree(home, copy, symlinks=True)
        return copy
    prepared = home.parent / "prepared" / project.source
    if not prepared.exists():
        shutil.copytree(home, copy, symlinks=True)
        with (copy.parent / f"{project.source}.prepare.log").open("w") as log:
            subprocess.run(
                project.prepare, shell=True, cwd=copy, check=True, stdout=log, stderr=log
            )
        shutil.copytree(copy, prepared, symlinks=True)
        return copy
    shutil.copytree(prepared, copy, symlinks=True)
    return copy


def build(project: Project, home: Path, make: str) -> bool:
    """Build a fresh copy twice, and tell what it took; whether both builds went well."""
    copy = fresh_copy(project, home)
    statuses = []
    for what in ("first", "from nothing", "again"):
        if what == "first" and not project.first:
            continue
        start = time.monotonic()
        log = copy.parent / f"{project.source}.{what.replace(' ', '-')}.log"
        with log.open("w") as output:
            ran = subprocess.run(
                [make, *(project.first if what == "first" else project.arguments)],
                cwd=copy / project.in_,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        statuses.append(ran.returncode)
        print(f"  {what}: status {ran.returncode}, {time.monotonic() - start:.2f} s, see {log}")
    return not any(statuses)


class Step(NamedTuple):
    """A make that is run. `change` is done before: to the text of the file that is edited."""

    name: str
    options: tuple[str, ...] = ()
    goals: tuple[str, ...] | None = None  # instead of the project's
    change: Callable[[str], str] | None = None
    ordered: bool = True
    is_fresh: bool = False  # in a new copy


def broken(text: str) -> str:
    """A C file that no compiler takes."""
    return text + "\n#error broken\n"


def mended(text: str) -> str:
    """What `broken` was given."""
    return text.removesuffix("\n#error broken\n")


STEPS = [
    Step("dry run", ("-n",)),
    Step("from nothing"),
    Step("again"),
    Step("again, dry run", ("-n",)),
    Step("touched, dry run", ("-n",), change=str),
    Step("touched"),
    Step("broken", ("-k",), change=broken),
    Step("mended", change=mended),
    Step("clean", goals=("clean",)),
    Step("two jobs", ("-j2",), ordered=False, is_fresh=True),
    Step("two jobs again", ("-j2",), ordered=False),
]


# What projects write the time into takes this one.
_SAME_EACH_TIME = {"LC_ALL": "C", "SOURCE_DATE_EPOCH": "1", "KCONFIG_NOTIMESTAMP": "1"}


class Did(NamedTuple):
    """What a step did: its status, what it said, the seconds, and the files that are there then."""

    status: int
    said: list[str]
    seconds: float
    files: dict[str, str]


def day(project: Project, home: Path, make: str, logs: Path) -> dict[str, Did]:
    """Go through all steps in a fresh copy, and keep what was said below `logs`."""
    copy = fresh_copy(project, home)
    logs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as bin:
        # By the bare name, as people call it: it is what `$(MAKE)` says then.
        (Path(bin) / "make").symlink_to(make)
        environment = {**os.environ, "PATH": f"{bin}:{os.environ['PATH']}", **_SAME_EACH_TIME}
        steps = STEPS
        if project.first:
            steps = [Step("first", goals=project.first), *STEPS]
        did = {}
        for step in steps:
            if step.is_fresh:
                fresh_copy(project, home)
                if project.first:
                    done(project, steps[0], copy, environment)
            if step.change is not None:
                if not project.edited:
                    continue
                edited = copy / project.in_ / project.edited
                edited.write_text(step.change(edited.read_text("latin-1")), "latin-1")
            did[step.name] = done(project, step, copy, environment)
            log = logs / f"{step.name.replace(' ', '-').replace(',', '')}.log"
            log.write_text("".join(did[step.name].said))
    return did


def done(project: Project, step: Step, copy: Path, environment: dict[str, str]) -> Did:
    """Do one step."""
    goals = project.arguments if step.goals is None else step.goals
    log = copy.parent / f"{project.source}.log"
    start = time.monotonic()
    with log.open("wb") as output:
        ran = subprocess.run(
            ["make", *step.options, *goals],
            cwd=copy / project.in_,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    seconds = time.monotonic() - start
    text = log.read_bytes().decode(errors="backslashreplace")
    text = text.replace(environment["PATH"].partition(":")[0] + "/make", "make")
    said = re.sub(r"/tmp/cc\w{6}", "/tmp/cc", text).splitlines(keepends=True)
    return Did(ran.returncode, said if step.ordered else sorted(said), seconds, digests(copy))


def digests(folder: Path) -> dict[str, str]:
    """Digests of all files below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def compare(project: Project, home: Path, makes: Sequence[str]) -> bool:
    """Tell where the days of two makes differ; whether they do not."""
    logs = home.parent / "logs" / project.source
    ours, theirs = (
        day(project, home, make, logs / str(number)) for number, make in enumerate(makes)
    )
    same = True
    for name, mine in ours.items():
        other = theirs[name]
        differ = []
        if mine.status != other.status:
            differ.append("status")
        if mine.said != other.said:
            differ.append("said")
        names = sorted(mine.files.keys() ^ other.files.keys())
        names += [each for each in mine.files if other.files.get(each, "") != mine.files[each]]
        if names:
            differ.append(f"{len(names)} files ({' '.join(dict.fromkeys(names[:3]))})")
        same = same and not differ
        print(
            f"  {name:17} status {mine.status}, {len(mine.said):5} lines,"
            f" {mine.seconds:7.2f} s {other.seconds:7.2f} s  {', '.join(differ) or 'same'}",
            flush=True,
        )
    return same


def nothing(project: Project, home: Path, makes: Sequence[str], rounds: int = 15) -> None:
    """Tell how long each of two makes takes where all is up to date, as a row of a table."""
    copy = fresh_copy(project, home) / project.in_
    command = ["make", *project.arguments]
    taken: list[list[float]] = [[], []]
    with tempfile.TemporaryDirectory() as place:
        environments = []
        for number, make in enumerate(makes):
            bin = Path(place) / str(number)
            bin.mkdir()
            (bin / "make").symlink_to(make)
            environments.append({**os.environ, "PATH": f"{bin}:{os.environ['PATH']}"})

        def run(words: Sequence[str], number: int) -> float:
            start = time.perf_counter()
            subprocess.run(
                words, cwd=copy, env=environments[number], check=True, stdout=subprocess.DEVNULL
            )
            return time.perf_counter() - start

        if project.first:
            run(["make", *project.first], 0)
        run(command, 0)
        for each in (0, 1, 1, *[0, 1] * rounds):
            taken[each].append(run(command, each))
    ours, theirs = taken[1][-rounds:], taken[0][-rounds:]
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    figures = [f"{statistics.median(each) * 1000:.0f} ms" for each in (theirs, ours)]
    print(f"| {project.source} | {' | '.join(figures)} | {ratio:.2f} |", flush=True)


def main() -> int:
    """Fetch what is asked for, and build it; 1 if a build failed."""
    parser = argparse.ArgumentParser(description="Real projects with plain Makefiles.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--build", metavar="MAKE")
    what.add_argument("--nothing", nargs=2, metavar=("MAKE", "OTHER"))
    what.add_argument("--compare", nargs=2, metavar=("MAKE", "OTHER"))
    given = parser.parse_intermixed_args()
    folder = given.folder.resolve()
    make = given.build
    if make and os.sep in make:
        make = str(Path(make).absolute())
    options = sources(folder)
    if not any(path.is_file() for path in (folder / "apt" / "lists").iterdir()):
        subprocess.run(["apt-get", *options, "update", "-qq"], check=True)
    failed = []
    for project in PROJECTS:
        if given.names and project.source not in given.names:
            continue
        home = fetch(project, folder, options)
        print(f"cd {home / project.in_} && {' '.join(['make', *project.arguments])}", flush=True)
        if make and not build(project, home, make):
            failed.append(project.source)
        if given.nothing:
            nothing(project, home, [shutil.which(each) or each for each in given.nothing])
        if given.compare and not compare(
            project, home, [shutil.which(each) or each for each in given.compare]
        ):
            failed.append(project.source)
    if failed:
        print(f"failed: {' '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
