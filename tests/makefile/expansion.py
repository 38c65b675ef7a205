"""What tests of expansion share: an expander with a console that is read, and a real shell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.expand import Expander
from pybuild.makefile.looks import Looks
from pybuild.makefile.ports import Services
from pybuild.makefile.variables import Origin, Scope
from tests.gnumake import gnu_make

# The variables of the tables: name, flavor, value. Each is a line of a makefile too.
VARIABLES = (
    ("empty", ":=", ""),
    ("sp", ":=", "$(empty) $(empty)"),
    ("t", "=", "a b a c"),
    ("files", "=", "a.c  b.c\tsub/c.d"),
    ("colon", "=", "t:a=X"),
    ("pair", "=", "t:a"),
    ("pct", "=", "%"),
    ("sign", "=", ":"),
    ("one", "=", "t"),
    ("a(b", "=", "odd"),
    ("dollar", "=", "$$t"),
    ("simple", ":=", "$$t"),
    ("f", "=", "<$(0)|$(1)|$(2)|$(3)>"),
    ("outer", "=", "[$(call inner,x)$2]"),
    ("inner", "=", "{$1|$2|$(origin 2)|$(origin 3)}"),
    ("rest", "=", "$(if $1,$(firstword $1)-$(call rest,$(wordlist 2,99,$1)))"),
    ("direct", "=", "$(if $1,<$1$(let 1,$(wordlist 2,9,$1),$(direct))>)"),
    ("3", "=", "third"),
    ("selfish", "=", "$(selfish)"),
    ("round", "=", "$(about)"),
    ("about", "=", "$(round)"),
    ("bad", "=", "$(word 0,x)"),
    ("open", "=", "$(foo"),
    ("told", "=", "$(error told)"),
)
PLACE = Place("Makefile", 100)


class FakeConsole:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.printed = ""
        self.warned = ""

    def out(self, text: str) -> None:
        self.printed += text

    def err(self, text: str) -> None:
        self.warned += text


class RealShell:
    """Runs commands."""

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, int]:
        ended = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, check=False)
        return ended.stdout, ended.returncode if ended.returncode >= 0 else 128 - ended.returncode


def make_expander(variables: Sequence[tuple[str, str, str]] = VARIABLES) -> Expander:
    """An expander with these variables, whose lines are 1, 2, ... of the makefile; what is read is
    line 100."""
    scope = Scope()
    expander = Expander(scope, Services(FakeConsole(), RealShell(), Looks()))
    expander.environment = {"PATH": os.environ["PATH"]}
    scope.define("SHELL", "/bin/sh", Origin.FILE)
    for number, (name, flavor, value) in enumerate(variables, 1):
        is_simple = flavor == ":="
        text = expander.expand(value) if is_simple else value
        place = Place("Makefile", number)
        scope.define(name, text, Origin.FILE, recursive=not is_simple, place=place)
    expander.place = PLACE
    return expander


def console(expander: Expander) -> FakeConsole:
    """The console of an expander."""
    found = expander.services.console
    assert isinstance(found, FakeConsole)
    return found


def outcome(expander: Expander, text: str) -> str:
    """The expansion, or make's words for what is wrong."""
    try:
        return expander.expand(text)
    except MakeError as error:
        where = "make" if error.place is None else error.place
        return f"{where}: *** {error.message}.  Stop."


def assert_real_make_agrees(table: Sequence[tuple[str, str]], folder: Path) -> None:
    """GNU make expands all texts of a table as it says."""
    make = gnu_make()
    if not make:
        pytest.skip("no GNU make 4.4")
    texts = [text for text, _ in table]
    assert dict(zip(texts, told_by_make(make, texts, str(folder)), strict=True)) == dict(table)


def told_by_make(make: str, texts: Sequence[str], folder: str) -> list[str]:
    """What make expands each text to, or says is wrong with it."""
    definitions = [f"{name} {flavor} {value}" for name, flavor, value in VARIABLES]
    lines = definitions + [""] * (PLACE.line - len(definitions) - 1)
    told = []
    for group in (texts[start : start + 40] for start in range(0, len(texts), 40)):
        ended = _run(make, [*lines, "".join(f"$(info [{text}]@@)" for text in group)], folder)
        if ended.stderr.startswith("make: *** No targets"):
            told += [each[1:-1] for each in ended.stdout.split("@@\n")[:-1]]
            continue
        for text in group:  # one of them is wrong: one by one
            ended = _run(make, [*lines, f"x := $(empty){text}", "$(info [$x]@@)"], folder)
            if ended.stdout:
                told.append(ended.stdout.partition("[")[2].removesuffix("]@@\n"))
            else:
                told.append(ended.stderr.rstrip("\n"))
    return told


def _run(make: str, lines: Sequence[str], folder: str) -> subprocess.CompletedProcess[str]:
    with open(os.path.join(folder, "Makefile"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [make], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
