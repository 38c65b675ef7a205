from __future__ import annotations

import subprocess

import pytest

from pybuild.makefile.builtin import SUFFIXES, complete, install, uninstall_variables
from pybuild.makefile.looks import Looks
from pybuild.makefile.rules import Database
from pybuild.makefile.variables import ORIGIN_WORDS, Origin, Scope
from tests.gnumake import gnu_make
from tests.makefile.by_hand import database, told

MAKE = gnu_make()
needs_make = pytest.mark.skipif(not MAKE, reason="no make 4.4 to compare with")

# What is different in every make, or is a matter of the command line.
_OWN = {".FEATURES", ".VARIABLES", "MAKE_HOST", "MAKE_COMMAND", "MAKE_VERSION", ".INCLUDE_DIRS"}
_OF_COMMAND_LINE = {
    "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CURDIR", "GNUMAKEFLAGS", ".DEFAULT_GOAL", "MAKEFILE_LIST"
}  # fmt: skip


def installed(text: str = "all:", **which: bool) -> tuple[Database, Scope]:
    made, variables = database(text), Scope()
    install(made, variables, **which)
    complete(made, which.get("rules", True))
    return made, variables


def printed(*options: str) -> str:
    """The data base that the other make prints."""
    assert MAKE
    command = [MAKE, "-p", "-f", "/dev/null", *options]
    return subprocess.run(command, capture_output=True, text=True, env={}).stdout


def printed_rules(text: str) -> list[tuple[str, list[str]]]:
    rules: list[tuple[str, list[str]]] = []
    for line in text.partition("# Implicit Rules")[2].partition("# Files")[0].split("\n"):
        if line.startswith("\t"):
            rules[-1][1].append(line[1:])
        elif line and line[0] != "#":
            rules.append((line, []))
    return rules


def our_rules(made: Database) -> list[tuple[str, list[str]]]:
    return [
        (
            f"{' '.join(rule.targets)}{'::' if rule.is_terminal else ':'}"
            f"{''.join(' ' + each.name for each in rule.prerequisites)}",
            rule.recipe.lines if rule.recipe is not None else [],
        )
        for rule in made.patterns
    ]


def printed_variables(text: str) -> dict[str, tuple[str, str]]:
    lines = text.partition("# Variables")[2].partition("# variable set")[0].strip().split("\n")
    made = {}
    for what, line in zip(lines[::2], lines[1::2], strict=True):
        name, sign, value = line.split(" ", 2)
        made[name] = f"{what.removeprefix('# ')} {sign}", value
    return made


def our_variables(scope: Scope) -> dict[str, tuple[str, str]]:
    return {
        each.name: (f"{ORIGIN_WORDS[each.origin]} {'=' if each.recursive else ':='}", each.value)
        for each in scope.variables.values()
    }


@needs_make
@pytest.mark.parametrize("options", [(), ("-r",), ("-R",)])
def test_the_rules_are_those_of_make(options: tuple[str, ...]) -> None:
    made, _ = installed(rules=not options)

    assert our_rules(made) == printed_rules(printed(*options))


@needs_make
@pytest.mark.parametrize("options", [(), ("-r",), ("-R",)])
def test_the_variables_are_those_of_make(options: tuple[str, ...]) -> None:
    _, variables = installed(rules=not options, variables_too="-R" not in options)
    ours = our_variables(variables)
    theirs = printed_variables(printed(*options))
    if "-R" not in options:
        # Set from the environment or without it, in one way or another.
        theirs["SHELL"] = ("default :=", "/bin/sh")

    for name in _OWN:
        ours.pop(name, None)
        theirs.pop(name, None)
    for name in _OF_COMMAND_LINE:
        theirs.pop(name, None)
    assert ours == theirs


@needs_make
def test_a_makefile_that_changes_suffixes(tmp_path) -> None:
    text = ".q.z: ; qz\n%.o: %.q ; o\n.q.a: ; arch\n.z: ; z\n.l.r: ; lr\n%.c: %.w %.ch\nall:\n"
    (tmp_path / "Makefile").write_text(".SUFFIXES: .q .z\n" + text)
    made, variables = database(text), Scope()
    install(made, variables)
    made.suffixes += [".q", ".z"]
    complete(made)

    theirs = printed_rules(printed("-f", str(tmp_path / "Makefile")))
    assert stripped(our_rules(made)) == stripped(theirs)


def stripped(rules: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    return [(rule, [each.strip() for each in lines]) for rule, lines in rules]


def test_rules_that_a_makefile_has_come_first_and_stay() -> None:
    made, _ = installed("%.o: %.c ; mine\n%.o: %.p\nall:")

    assert our_rules(made)[:3] == [("%.o: %.c", ["mine"]), ("%.o: %.p", []), ("%.out:", [])]
    assert [rule for rule, _ in our_rules(made)].count("%.o: %.c") == 1
    assert [rule for rule, _ in our_rules(made)].count("%.o: %.p") == 1


def test_without_suffixes_only_rules_with_patterns_are_left() -> None:
    made, variables = database("all:"), Scope()
    install(made, variables)
    made.suffixes.clear()
    complete(made)

    assert [rule for rule, _ in our_rules(made)][:2] == ["(%): %", "%.out: %"]
    assert len(made.patterns) == 9


def test_without_builtin_rules_those_of_a_makefile_count() -> None:
    made, variables = database(".q.o: ; mine"), Scope()
    install(made, variables)
    made.suffixes.append(".q")
    complete(made, rules=False)

    assert ("%.o: %.q", ["mine"]) in our_rules(made)
    assert ("%.o: %.c", ["$(COMPILE.c) $(OUTPUT_OPTION) $<"]) not in our_rules(made)


def test_prerequisites_make_a_suffix_rule_plain_for_posix() -> None:
    for is_posix in (False, True):
        made, variables = database(".q.o: x ; mine"), Scope()
        install(made, variables, rules=False)
        made.is_posix = is_posix
        made.suffixes += [".q", ".o"]
        complete(made, rules=False)

        assert (("%.o: %.q", ["mine"]) in our_rules(made)) is not is_posix


def test_values_that_count_for_more_stay() -> None:
    made, variables = Database(), Scope()
    variables.define("CC", "clang", Origin.ENVIRONMENT)
    install(made, variables)

    assert variables.variables["CC"].value == "clang"
    assert variables.variables["CXX"].value == "g++"
    assert made.suffixes == SUFFIXES.split()


def test_variables_are_taken_away_again() -> None:
    made, variables = Database(), Scope()
    install(made, variables)
    variables.define("CC", "clang", Origin.FILE)
    uninstall_variables(variables)

    assert variables.variables["CC"].value == "clang"
    assert "CXX" not in variables.variables
    assert "MAKE" in variables.variables


def test_an_object_is_made_from_its_source(tmp_path, monkeypatch) -> None:
    from pybuild.makefile.search import Search
    from pybuild.makefile.vpath import Directories, Folders

    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.cpp").touch()
    (tmp_path / "p.y").touch()
    made, _ = installed()
    search = Search(made, Directories(Folders(Looks()), made))

    assert told(search, "a.o") == "$(COMPILE.cpp) $(OUTPUT_OPTION) $< a: a.cpp"
    assert told(search, "a") == "$(LINK.cpp) $^ $(LOADLIBES) $(LDLIBS) -o $@ a: a.cpp"
    assert told(search, "p.o") == ("$(COMPILE.c) $(OUTPUT_OPTION) $< p: p.c($(YACC.y) $<  p: p.y)")
    assert told(search, "a.h") == "no rule"
