"""Fetch real projects with plain Makefiles, and build them with a make.

    python benchmarks/make_projects.py FOLDER                  fetch all, tell their build commands
    python benchmarks/make_projects.py FOLDER --build MAKE     build each with MAKE as well
    python benchmarks/make_projects.py FOLDER NAME...          only these

The sources are Debian's, by `apt-get source`, without Debian's own rules: what is built is what the
project's authors wrote. Needs apt, tar and a C compiler; what is in FOLDER already is not fetched
again, and every build is of a fresh copy.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple


class Project(NamedTuple):
    """`source` is Debian's name of the sources, `arguments` what make is given, `in_` a folder."""

    source: str
    arguments: tuple[str, ...] = ()
    in_: str = "."


PROJECTS = [
    Project("bzip2", ("bzip2", "libbz2.a")),
    Project("lua5.4", ("posix",), "src"),
    Project("lz4", ("lib",)),
    Project("xxhash"),
    Project("cjson", ("all",)),
    Project("tree"),
    Project("figlet"),
    Project("zopfli", ("zopfli",)),
    Project("libtommath"),
    Project("hiredis"),
    Project("mujs"),
]


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
        archive = next(each for each in archives.iterdir() if ".orig.tar." in each.name)
        home.mkdir()
        subprocess.run(
            ["tar", "-xf", str(archive), "--strip-components=1", "-C", str(home)], check=True
        )
    return home


def build(project: Project, home: Path, make: str) -> bool:
    """Build a fresh copy twice, and tell what it took; whether both builds went well."""
    copy = home.parent / "built" / project.source
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy, symlinks=True)
    statuses = []
    for what in ("from nothing", "again"):
        start = time.monotonic()
        log = copy.parent / f"{project.source}.{what.replace(' ', '-')}.log"
        with log.open("w") as output:
            ran = subprocess.run(
                [make, *project.arguments],
                cwd=copy / project.in_,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        statuses.append(ran.returncode)
        print(f"  {what}: status {ran.returncode}, {time.monotonic() - start:.2f} s, see {log}")
    return not any(statuses)


def main() -> int:
    """Fetch what is asked for, and build it; 1 if a build failed."""
    parser = argparse.ArgumentParser(description="Real projects with plain Makefiles.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--build", metavar="MAKE")
    given = parser.parse_args()
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
    if failed:
        print(f"failed: {' '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
