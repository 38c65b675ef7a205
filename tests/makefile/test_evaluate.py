"""Makefile text to variables and rules; what is said of faults, word for word as GNU make 4.4.1."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.makefile.builtin import complete
from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.evaluate import Reader
from pybuild.makefile.expand import Expander
from pybuild.makefile.looks import Looks
from pybuild.makefile.ports import Services
from pybuild.makefile.rules import Database, Entry
from pybuild.makefile.variables import Export, Origin, Scope
from tests.makefile.stand_in import Console, Shell


class World:
    """A reader of `Makefile` in an empty folder."""

    def __init__(self) -> None:
        self.console = Console()
        self.variables = Scope()
        self.variables.define("SHELL", "/bin/sh", Origin.DEFAULT)
        self.expander = Expander(self.variables, Services(self.console, Shell(), Looks()))
        self.database = Database()
        self.reader = Reader(self.database, self.expander, default_folders=())

    def read(self, text: str) -> World:
        Path("Makefile").write_text(text)
        self.reader.read_file("Makefile")
        self.reader.finish()
        return self

    def said(self, text: str) -> str:
        """All that is said, the error that ends it included."""
        try:
            self.read(text)
        except MakeError as error:
            place = error.place or "make"
            return f"{self.console.said}{place}: *** {error.message}.  Stop.\n"
        return self.console.said

    def value(self, name: str) -> str:
        return self.expander.value(name)

    def entry(self, name: str) -> Entry:
        (entry,) = self.database.targets[name].entries
        return entry

    def listed(self, name: str) -> str:
        return listed(self.entry(name))


def listed(entry: Entry) -> str:
    """Prerequisites as they are written."""
    found = []
    has_bar = False
    for item in entry.prerequisites:
        if item.order_only and not has_bar:
            found.append("|")
            has_bar = True
        if item.wait:
            found.append(".WAIT")
        found.append(item.name)
    return " ".join(found)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World()


FAULTS = [
    ("foo bar\n", 1, "missing separator"),
    ("        foo\n", 1, "missing separator (did you mean TAB instead of 8 spaces?)"),
    (
        "ifeq(a,b)\nendif\n",
        1,
        "missing separator (ifeq/ifneq must be followed by whitespace)",
    ),
    ("a ; b: c\n", 1, "missing separator"),
    ("A B = 3\n", 1, "missing separator"),
    ("override A B\n", 1, "missing separator"),
    ("a b \\\nc\n", 1, "missing separator"),
    ("endef\n", 1, "missing separator"),
    ("X = ;\na $(X): b\n", 2, "missing separator"),
    ("define X\na:\nfoo\nendef\n\n$(eval $(X))\n", 6, "missing separator"),
    ("\techo hi\na:\n", 1, "recipe commences before first target"),
    ("a:\n\t@:\nX = 1\n\t@:\n", 4, "recipe commences before first target"),
    ("a: ; @:\n$(info)\n\t@:\n", 3, "recipe commences before first target"),
    ("\tfoo: bar\n", 1, "recipe commences before first target"),
    ("a: b: c\n", 1, "target pattern contains no '%'"),
    ("a: : b\n", 1, "missing target pattern"),
    ("a: %x %y: b\n", 1, "multiple target patterns"),
    ("%.o: %.c: %.d\n", 1, "mixed implicit and static pattern rules"),
    ("%.o a: b\n", 1, "mixed implicit and normal rules"),
    ("= 3\n", 1, "empty variable name"),
    ("$(empty) = 3\n", 1, "empty variable name"),
    ("a: = c\n", 1, "empty variable name"),
    ("undefine\n", 1, "empty variable name"),
    ("define\nendef\n", 1, "empty variable name"),
    ("a:\n\ndefine A\n\n", 3, "missing 'endef', unterminated 'define'"),
    ("else\n", 1, "extraneous 'else'"),
    ("endif\n", 1, "extraneous 'endif'"),
    ("ifdef A\nelse\nelse\nendif\n", 3, "only one 'else' per conditional"),
    ("ifdef A\nelse\nelse ifdef B\nendif\n", 3, "only one 'else' per conditional"),
    ("ifdef A\n", 2, "missing 'endif'"),
    ("\n$(eval ifdef A)\n\n", 2, "missing 'endif'"),
    ("ifdef A B\nendif\n", 1, "invalid syntax in conditional"),
    ("ifeq (a,b\nendif\n", 1, "invalid syntax in conditional"),
    ('ifeq "a" a\nendif\n', 1, "invalid syntax in conditional"),
    ("a::;@:\na:;@:\n", 2, "target file 'a' has both : and :: entries"),
    ("a b &:\n", 1, "grouped targets must provide a recipe"),
    ("a:\n\nload x.so\n", 3, "'load' is not supported: pybuild has no plugins in C"),
]


@pytest.mark.parametrize(("text", "line", "message"), FAULTS)
def test_faults(world: World, text: str, line: int, message: str) -> None:
    assert world.said(text) == f"Makefile:{line}: *** {message}.  Stop.\n"


WARNINGS = [
    (
        "a:;@echo 1\na:;@echo 2\n",
        "Makefile:2: warning: overriding recipe for target 'a'\n"
        "Makefile:1: warning: ignoring old recipe for target 'a'\n",
    ),
    (
        "a:\n\t@echo 1\n\na:\n\t@echo 2\n",
        "Makefile:5: warning: overriding recipe for target 'a'\n"
        "Makefile:2: warning: ignoring old recipe for target 'a'\n",
    ),
    (
        "b c &: ; @:\nc d &: ; @:\n",
        "Makefile:2: warning: overriding recipe for target 'c'\n"
        "Makefile:1: warning: ignoring old recipe for target 'c'\n"
        "Makefile:2: warning: overriding group membership for target 'c'\n",
    ),
    ("a a:\n\t@echo 1\n", "Makefile:1: target 'a' given more than once in the same rule\n"),
    ("a: %.o: %.c\n", "Makefile:1: target 'a' doesn't match the target pattern\n"),
    ("a %.o: b\n", "Makefile:1: *** mixed implicit and normal rules: deprecated syntax\n"),
    (
        "ifdef A\nelse xx\nendif xx\n",
        "Makefile:2: extraneous text after 'else' directive\n"
        "Makefile:3: extraneous text after 'endif' directive\n",
    ),
    ("ifeq (a,b) c\nendif\n", "Makefile:1: extraneous text after 'ifeq' directive\n"),
    ("define A = x\nendef\n", "Makefile:1: extraneous text after 'define' directive\n"),
    ("define A\nendef x\n", "Makefile:2: extraneous text after 'endef' directive\n"),
    (
        ".SUFFIXES: .a .b\n.b.a: foo\n\t@:\n",
        "Makefile:3: warning: ignoring prerequisites on suffix rule definition\n",
    ),
    (".WAIT: a\n\t@:\n", None),
    (
        ".NOTINTERMEDIATE: x\n.SECONDARY: x\n",
        "make: *** x cannot be both .NOTINTERMEDIATE and .SECONDARY.  Stop.\n",
    ),
    (
        ".NOTINTERMEDIATE:\n.SECONDARY:\n",
        "make: *** .NOTINTERMEDIATE and .SECONDARY are mutually exclusive.  Stop.\n",
    ),
]


@pytest.mark.parametrize(("text", "expected"), WARNINGS)
def test_warnings(world: World, text: str, expected: str | None) -> None:
    if expected is None:
        expected = (
            "Makefile:1: .WAIT should not have prerequisites\n"
            "Makefile:1: .WAIT should not have commands\n"
        )
    assert world.said(text) == expected


def test_assignments_by_each_operator(world: World) -> None:
    world.read(
        "A ?= 3\nA += 4\nB := 1\nB += $(A)\nC :::= $(A) $$x\nC += $(B)\nD != echo hi; echo ho\n"
        "E ::= $(A)\nA = 9\n"
    )
    values = {name: world.variables.variables[name].value for name in "ABCDE"}
    assert values == {"A": "9", "B": "1 3 4", "C": "3 4 $$x $(B)", "D": "hi ho", "E": "3 4"}
    assert [world.variables.variables[name].recursive for name in "ABCDE"] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_values_keep_blanks_behind_and_lose_comments(world: World) -> None:
    world.read("A =   3   # foo\nB = a\\#b\nC = $(subst #,x,a#b)# z\n$(A)B=4\n")
    assert world.value("A") == "3   "
    assert world.value("B") == "a#b"
    assert world.value("C") == "axb"


def test_appending_nothing_adds_no_blank(world: World) -> None:
    world.read("A = 1\nA +=\nE :=\nE += x\nE +=\n")
    assert (world.value("A"), world.value("E")) == ("1", "x")


def test_words_of_directives_may_be_variables(world: World) -> None:
    names = "else endif ifdef ifeq include export vpath override private undefine endef define"
    world.read("".join(f"{name} = {name}!\n" for name in names.split()))
    assert all(world.value(name) == f"{name}!" for name in names.split())


def test_words_of_directives_may_be_targets(world: World) -> None:
    world.read("export: b\ninclude: c\noverride : d\n")
    assert [*world.database.targets] == ["export", "b", "include", "c", "override", "d"] or {
        "export",
        "include",
        "override",
    } <= {name for name, target in world.database.targets.items() if target.is_target}


def test_define(world: World) -> None:
    world.read(
        "define A\na\n  define inner\n  endef\n\tendef\nendef # c\n"
        "n = B\ndefine $(n) :=\n$(A)\nendef\ndefine B +=\n\nx\nendef\n"
        "define C !=\necho 1\nendef\nexport define D ?=\nd \\\n  e\nendef\ndefine E\nendef\n"
    )
    assert world.value("A") == "a\n  define inner\n  endef\n\tendef"
    assert world.value("B") == world.value("A") + " \nx"
    assert (world.value("C"), world.value("D"), world.value("E")) == ("1", "d e", "")
    assert world.variables.variables["D"].export is Export.YES


def test_modifiers(world: World) -> None:
    world.variables.define("X", "cmd", Origin.COMMAND)
    world.variables.define("Y", "cmd", Origin.COMMAND)
    world.variables.define("Z", "cmd", Origin.COMMAND)
    world.read(
        "X = 1\noverride Y += 2\nundefine X\noverride undefine Z\n"
        "private export P = 1\nunexport Q = 2\n"
    )
    assert (world.value("X"), world.value("Y")) == ("cmd", "cmd 2")
    assert "Z" not in world.variables.variables
    assert world.variables.variables["Y"].origin is Origin.OVERRIDE
    private = world.variables.variables["P"]
    assert (private.is_private, private.export) == (True, Export.YES)
    assert world.variables.variables["Q"].export is Export.NO


def test_export_of_lists(world: World) -> None:
    world.read("L = A B\nexport $(L)\nunexport B\nA ?= 3\n")
    variables = world.variables.variables
    assert (variables["A"].export, variables["B"].export) == (Export.YES, Export.NO)
    assert variables["A"].value == ""  # it is defined by being exported
    assert not world.database.export_all
    world.read("export\n")
    assert world.database.export_all
    world.read("unexport\n")
    assert not world.database.export_all


def test_conditionals(world: World) -> None:
    assert (
        world.said(
            "ifdef A\n$(info 0)\nelse ifdef B\nelse ifeq (a, a)\n$(info 1)\nifdef C\n$(error)\nelse\n"
            "$(info 2)\nendif\nelse ifeq ($(error x))\nelse\n$(info 3)\nendif\n"
            "ifeq \"a\"'a' # c\n$(info 4)\nendif\nifeq (a , a)\n$(info 5)\nendif\n"
            "ifeq ((a,b),(a,b))\n$(info 6)\nendif\nifneq 'a,b' \"a,c\"\n$(info 7)\nendif\n"
            "E = $(empty)\nifdef E\n$(info 8)\nendif\nn = E\nifdef $(n)\n\t$(info 9)\nendif\n"
        )
        == "1\n2\n4\n5\n6\n7\n8\nMakefile:33: *** recipe commences before first target.  Stop.\n"
    )


def test_parts_that_are_not_read(world: World) -> None:
    said = world.said(
        "a:\n\t1\nifdef A\n\t2\n\telse\nelse = 1\nfoo bar\ndefine Y\nendif\nendef\nifeq foo\nelse\n"
        "endif\nendif\n\t3\n"
    )
    assert said == ""
    recipe = world.entry("a").recipe
    assert recipe is not None
    assert recipe.lines == ["1", "3"]


def test_recipes(world: World) -> None:
    world.read(
        "a: b ; x \\\n\ty \\\n z\n\t# foo\n\t   bar # $(x)\n\n# comment\n\t\n\tzip\nc: ;\nd:\n"
    )
    recipe = world.entry("a").recipe
    assert recipe is not None
    assert recipe.lines == [" x \\\ny \\\n z", "# foo", "   bar # $(x)", "", "zip"]
    assert recipe.place == Place("Makefile", 1)
    # make counts lines from the first, whatever is between
    assert [place.line for place in recipe.places] == [1, 2, 3, 4, 5]
    empty = world.entry("c").recipe
    assert empty is not None
    assert empty.lines == [""]
    assert world.entry("d").recipe is None


def test_the_prefix_of_recipes(world: World) -> None:
    world.read(".RECIPEPREFIX = >x\na:\n> 1 \\\n> 2\n\tV = 3\n.RECIPEPREFIX =\nb:\n\t4\n")
    first, second = world.entry("a").recipe, world.entry("b").recipe
    assert first is not None
    assert second is not None
    assert (first.lines, first.prefix) == ([" 1 \\\n 2"], ">")
    assert (second.lines, second.prefix) == (["4"], "\t")
    assert world.value("V") == "3"


def test_the_prerequisites_of_the_recipe_come_first(world: World) -> None:
    world.read("a: x y\na: z x | w\na: r s x; @:\na: t .WAIT x | k\n")
    assert [(item.name, item.order_only, item.wait) for item in world.entry("a").prerequisites] == [
        ("r", False, False),
        ("s", False, False),
        ("x", False, False),
        ("x", False, False),
        ("y", False, False),
        ("z", False, False),
        ("x", False, False),
        ("w", True, False),
        ("t", False, False),
        ("x", False, True),
        ("k", True, False),
    ]


def test_double_colons_and_groups(world: World) -> None:
    world.read("g h &:: i ; j\ng:: ; k\na b&: c ; d\ne & f: ; x\n")
    first, second = world.database.targets["g"].entries
    assert (first.group, second.group) == (("g", "h"), ())
    assert world.database.targets["g"].is_double
    assert world.entry("a").group == ("a", "b")
    assert world.entry("&").group == ()


def test_static_patterns(world: World) -> None:
    world.read(
        "x.o d/y.o: %.o: %.c q% %/%.d same | e/%.z ; foo\nd/z.o: d/%.o: %.c q/%\n"
        "a\\%b.o: a\\%b%: x\\%% y% %y\\%\n"
    )
    assert world.listed("x.o") == "x.c qx x/%.d same | e/x.z"
    assert world.listed("d/y.o") == "d/y.c qd/y d/y/%.d same | e/d/y.z"
    assert world.listed("d/z.o") == "z.c q/z"
    assert world.listed("a%b.o") == "x%.o y.o .oy\\%"
    assert [world.entry(name).stem for name in ("x.o", "d/y.o", "d/z.o")] == ["x", "d/y", "z"]


def test_pattern_rules(world: World) -> None:
    world.read(
        "%.o: %.c x ; foo\n%.x: %.c; foo\n%.x: %.c; bar\n%.y:: %.c | d; z\n%.x %.z: %.c; baz\n"
        "%.o: %.c x\n"
    )
    found = [
        (rule.targets, [item.name for item in rule.prerequisites], rule.is_terminal)
        for rule in world.database.patterns
    ]
    assert found == [
        (("%.y",), ["%.c", "d"], True),
        (("%.x", "%.z"), ["%.c"], False),
        (("%.o",), ["%.c", "x"], False),
    ]
    assert world.database.patterns[2].recipe is None
    assert "%.o" not in world.database.targets


def test_suffix_rules(world: World) -> None:
    world.read(
        ".c.o: ; foo\n.c: ; bar\n.c.a: ; @\n%.o: %.c ; first\n.SUFFIXES: .c .o .a\n%.o: %.x ; y\n"
        ".o: x\n"
    )
    complete(world.database, rules=False)
    made = [rule for rule in world.database.patterns if rule.recipe is not None]
    assert [(rule.targets, rule.prerequisites[0].name) for rule in made] == [
        (("%.o",), "%.c"),
        (("%.o",), "%.x"),
        (("%",), "%.c"),
        (("(%.o)",), "%.c"),
        (("%.a",), "%.c"),
    ]
    assert world.database.patterns[0].recipe is not None
    assert world.database.patterns[0].recipe.lines == [" first"]


def test_suffix_rules_with_prerequisites_are_plain_for_posix(world: World) -> None:
    world.read(".POSIX:\n.SUFFIXES: .a .b\n.b.a: foo ; @:\n")
    complete(world.database, rules=False)
    assert all(rule.recipe is None for rule in world.database.patterns)
    assert world.listed(".b.a") == "foo"


def test_escapes_in_names(world: World) -> None:
    world.read("a: b\\ c d\\:e g\\\\\\ h k\\#l\nb\\ c: ;\nd\\:e: ;\nf\\\\: ;\nk\\#l: ;\ni\\%j: ;\n")
    assert [item.name for item in world.entry("a").prerequisites] == ["b c", "d:e", "g\\ h", "k#l"]
    assert {"b c", "d:e", "f\\", "k#l", "i%j"} <= {
        name for name, target in world.database.targets.items() if target.is_target
    }


def test_names_are_cleaned_and_members_divided(world: World) -> None:
    world.read("./a .//b ./. ./../d ./: ./e .//x lib(a b)  lib( c ) lib(d)\nlib(x y): q\n")
    assert world.database.targets["b"].is_target
    assert world.database.targets["./"].is_target
    assert world.listed("a") == "e x lib(a) lib(b) lib(c) lib(d)"
    assert world.listed("lib(y)") == "q"


def test_wildcards(world: World) -> None:
    for name in ("b.c", "a.c"):
        Path(name).touch()
    world.read("all: *.c *.h\n*.c: x\nV = *.c\n")
    assert world.listed("all") == "a.c b.c *.h"
    assert world.listed("a.c") == world.listed("b.c") == "x"
    assert world.value("V") == "*.c"


def test_what_expansion_gives_is_parsed(world: World) -> None:
    assert (
        world.said(
            "X = a:b\n$(X)\nY = c:;@hi\n$(Y)\nZ=d:e=f\n$(Z)\nW = : q\ng h$(W) r\nE=i\\:j \\#\n"
            "$(E): k\nN = a = b\n$(info x)\nv: $(N)\n"
        )
        == "x\n"
    )
    assert world.listed("a") == "b"
    assert world.entry("c").recipe is not None
    scope = world.database.targets["d"].scope
    assert scope is not None
    assert scope.variables["e"].value == "f"
    assert world.listed("g") == world.listed("h") == "q r"
    assert world.listed("i:j") == "k"
    assert world.listed("v") == "a = b"


def test_variables_of_targets(world: World) -> None:
    world.variables.define("C", "cmd", Origin.COMMAND)
    world.read(
        "Y = 1\na b: A := $(Y)\nY = 2\na: A += $(Y)\na: B += $(Y)\na: private export D = 4 ; # 5\n"
        "a: C = 5\nb: override C = 6\nb: U ?= 7\nb: Y ?= 8\nb: unexport V = 1\n"
    )
    one, two = world.database.targets["a"].scope, world.database.targets["b"].scope
    assert one is not None
    assert two is not None
    assert (one.variables["A"].value, one.variables["A"].appends) == ("1 2", False)
    assert (one.variables["B"].value, one.variables["B"].appends) == ("$(Y)", True)
    assert (one.variables["D"].value, one.variables["D"].is_private) == ("4 ; # 5", True)
    assert one.variables["D"].export is Export.YES
    assert one.variables["C"].value == "cmd"
    assert (two.variables["C"].value, two.variables["C"].origin) == ("6", Origin.OVERRIDE)
    assert two.variables["U"].value == "7"
    assert "Y" not in two.variables
    assert two.variables["V"].export is Export.NO
    assert world.database.targets["a"].entries == []


def test_variables_of_patterns(world: World) -> None:
    world.read("X = 1\n%.o: A := $(X)\n%: B += $(X)\nlib%: override C ?= 3\nX = 2\n")
    found = [
        (each.pattern, each.variable.name, each.variable.value)
        for each in world.database.pattern_variables
    ]
    assert found == [("%.o", "A", "1"), ("%", "B", "$(X)"), ("lib%", "C", "3")]
    _, second, third = (each.variable for each in world.database.pattern_variables)
    assert (second.appends, second.is_conditional) == (True, False)
    assert (third.appends, third.is_conditional) == (False, True)
    assert third.origin is Origin.OVERRIDE


def test_second_expansion(world: World) -> None:
    world.read(
        "x: $$y\n.SECONDEXPANSION:\na: b $$c\na: z\na: d $$e ; foo\na: $$f\np.o: %.o: %.c q$$% ; @:\n"
        "%.x: %.y $$(%) | $$@ ; @:\n"
    )
    entry = world.entry("a")
    assert listed(entry) == "z"
    assert [(later.text, later.position) for later in entry.later] == [
        ("d $e", 0),
        ("b $c", 0),
        ("$f", 1),
    ]
    assert world.listed("x") == "$y"
    static = world.entry("p.o").later[0]
    assert (static.text, static.stem) == ("$*.c q$$*", "p")
    pattern = world.database.patterns[0]
    assert pattern.later is not None
    assert pattern.later.text == "%.y $(%) | $@"


def test_special_targets(world: World) -> None:
    world.read(
        ".DEFAULT: ; foo\n.PRECIOUS: %.o x\n.SECONDARY: y %.p\n.SILENT: z\n.IGNORE:\n"
        ".DELETE_ON_ERROR:\n.PHONY: a b\n.LOW_RESOLUTION_TIME: r\n.NOTPARALLEL: q\n.ONESHELL:\n"
        ".EXPORT_ALL_VARIABLES:\n.INTERMEDIATE: i %.i\n.NOTINTERMEDIATE: %.n\n"
        ".SUFFIXES: .a .b\n.SUFFIXES:\n.SUFFIXES: .c .c\n"
    )
    database = world.database
    targets = database.targets
    assert database.default_recipe is not None
    assert database.default_recipe.lines == [" foo"]
    assert (database.precious_patterns, targets["x"].is_precious) == (["%.o"], True)
    assert targets["y"].is_secondary
    assert targets["i"].is_intermediate
    assert database.not_intermediate_patterns == ["%.n"]
    assert (targets["z"].is_silent, database.all_silent, database.all_ignored) == (
        True,
        False,
        True,
    )
    assert database.delete_on_error
    assert database.one_shell
    assert database.export_all
    assert targets["a"].is_phony
    assert targets["b"].is_phony
    assert database.low_resolution == {"r"}
    assert (targets["q"].is_serial, database.not_parallel) == (True, False)
    assert database.suffixes == [".c"]


def test_posix_takes_effect_on_the_next_line(world: World) -> None:
    world.read(".POSIX:\nX = a \\\n   b   \\\nc\n")
    assert world.value("X") == "a  b    c"
    assert (world.value(".SHELLFLAGS"), world.value("CC")) == ("-ec", "c99")
    assert world.expander.is_posix


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        (".x: ;\n%.a: ;\n./x: ;\nb: ;\n", "x"),
        (".x/y: ;\n", ".x/y"),
        ("a: ;\n.DEFAULT_GOAL :=\nb: ;\nc: ;\n", "b"),
        (".DEFAULT_GOAL := c\nb: ;\n", "c"),
        ("$(A): b ; x\nb: ;\n", "b"),
        ("a: X = 3\nb:\n", "b"),
    ],
)
def test_the_default_goal(world: World, text: str, goal: str) -> None:
    world.read(text)
    assert world.value(".DEFAULT_GOAL") == goal


def test_the_default_goal_is_there_on_the_next_line(world: World) -> None:
    assert world.said("a: ;\nifeq ($(info [$(.DEFAULT_GOAL)]),)\nendif\n") == "[a]\n"


def test_includes(world: World) -> None:
    Path("inc").mkdir()
    Path("inc/z.mk").write_text("$(info $(MAKEFILE_LIST))\nZ = 1\n")
    Path("b.mk").write_text("b:\n")
    Path("a.mk").write_text("a:\n")
    world.reader.set_include_folders(["inc", "nosuch"], [])
    said = world.said(
        "N = ?\ninclude ./$N.mk z.mk # c\n-include n1\nsinclude n2\ninclude n3 n*.q\n"
    )
    assert said == "Makefile a.mk b.mk inc/z.mk\n"
    assert world.value("Z") == "1"
    assert world.value(".INCLUDE_DIRS") == "inc"
    assert world.value(".DEFAULT_GOAL") == "a"
    assert [(each.name, each.required, each.found) for each in world.reader.makefiles] == [
        ("Makefile", True, True),
        ("a.mk", True, True),
        ("b.mk", True, True),
        ("inc/z.mk", True, True),
        ("n1", False, False),
        ("n2", False, False),
        ("n3", True, False),
        ("n*.q", True, False),
    ]
    assert world.reader.makefiles[-1].error == "No such file or directory"
    assert world.reader.makefiles[-1].place == Place("Makefile", 5)


def test_a_folder_is_no_makefile(world: World) -> None:
    Path("inc").mkdir()
    assert world.said("include inc\n") == "make: *** inc: Is a directory.  Stop.\n"


def test_makefiles_of_the_environment_give_no_goal(world: World) -> None:
    Path("pre.mk").write_text("pre:\nP = 1\n")
    world.variables.define("MAKEFILES", "pre.mk nosuch.mk", Origin.ENVIRONMENT)
    world.reader.read_variable_makefiles()
    world.read("a:\n")
    assert (world.value("P"), world.value(".DEFAULT_GOAL")) == ("1", "a")
    assert world.value("MAKEFILE_LIST") == "pre.mk Makefile"


def test_vpath(world: World) -> None:
    world.read("vpath %.c a/ ./b:c//d/:/ .\nvpath x $(n) y\nvpath z q\nvpath z\nvpath % .\n")
    assert world.database.vpaths == [("%.c", ["a", "./b", "c//d", "/"]), ("x", ["y"])]
    world.read("vpath\n")
    assert world.database.vpaths == []


def test_text_of_eval_has_the_place_of_its_line(world: World) -> None:
    world.read("define X\na:\n\t@:\n\tfalse\nendef\n\n$(eval $(X) \\\n   b: c)\n")
    recipe = world.entry("a").recipe
    assert recipe is not None
    assert recipe.places == [Place("Makefile", 7), Place("Makefile", 8)]


def test_no_rules_while_recipes_run(world: World) -> None:
    world.read("a:\n\t@:\n\t$(eval b: X = 3)$(eval b:)\n")
    recipe = world.entry("a").recipe
    assert recipe is not None
    world.reader.running = recipe
    world.expander.place = recipe.places[1]
    with pytest.raises(MakeError) as caught:
        world.expander.expand(recipe.lines[1])
    assert caught.value.message == "prerequisites cannot be defined in recipes"
    assert caught.value.place == Place("Makefile", 2)
    assert world.database.targets["b"].scope is not None


def test_watched_variables(world: World) -> None:
    seen: list[str] = []
    world.reader.watched["FLAGS"] = lambda: seen.append(world.value("FLAGS"))
    world.read("FLAGS = a\nFLAGS += b\na: FLAGS = c\ndefine FLAGS\nd\nendef\n")
    assert seen == ["a", "a b", "d"]


def test_a_makefile_that_includes_itself(world: World, tmp_path: Path) -> None:
    path = tmp_path / "self.mk"
    path.write_text(f"include {path}\n")
    with pytest.raises(MakeError) as failure:
        world.reader.read_file(str(path))
    assert failure.value.message == "Too many open files"
    assert failure.value.place == Place(str(path), 1)
