"""Expansion of references: what texts become, by a table that real make agrees with."""

from __future__ import annotations

import pytest

from pybuild.makefile.environment import child_environment
from pybuild.makefile.errors import MakeError, Place
from pybuild.makefile.variables import Export, Origin, Scope
from tests.makefile.expansion import assert_real_make_agrees, console, make_expander, outcome

TABLE = (
    ("plain", "plain"),
    ("$t", "a b a c"),
    ("$(t)${t}", "a b a ca b a c"),
    ("$$t$$$$", "$t$$"),
    ("a$ b", "ab"),
    ("$(nosuch)", ""),
    ("$(dollar)", "$t"),
    ("$(simple)", "$t"),
    ("$($(one))", "a b a c"),
    ("$(${one})", "a b a c"),
    ("$($(colon))", "X b X c"),
    ("$($(pair)=Q)", "Q b Q c"),
    ("$(t$(sign)a=X)", "X b X c"),
    ("$(t:a=X)", "X b X c"),
    ("$(t:a=)", " b  c"),
    ("$(t:=.o)", "a.o b.o a.o c.o"),
    ("$(t:%=%.o)", "a.o b.o a.o c.o"),
    ("$(t:%=)", ""),
    ("$(t:a=$(pct))", "% b % c"),
    ("$(t:$(pct)=$(pct).o)", "a.o b.o a.o c.o"),
    ("$(t:a=b=c)", "b=c b b=c c"),
    ("$(t:b:a=c)", "a b a c"),
    ("$(t: a=b)", "a b a c"),
    (r"$(value pct)$(pct:\%=x)$(pct:\%=)", "%x"),
    ("$(t:a)", ""),
    ("$(:a=b)", ""),
    ("$(files:.c=.o)", "a.o b.o sub/c.d"),
    ("$(files:%.c=x/%.o)", "x/a.o x/b.o sub/c.d"),
    ("${a(b}", "odd"),
    ("$(a(b) $(zz))", "odd )"),
    ("A$(a$(one) $t", "A"),
    ("$(words (a,b) c)", "2"),
    ("${words a,b) c}", "2"),
    ("$(words\ta b)", "2"),
    ("$(foo bar)", ""),
    ("$(info)", ""),
    ("$(@D)$(^F)", ""),
    ("$(origin @D) $(flavor <F) $(value ^F)", "automatic recursive $(notdir $^)"),
    ("$(foo", "Makefile:100: *** unterminated variable reference.  Stop."),
    ("$(a${b)}", "Makefile:100: *** unterminated variable reference.  Stop."),
    ("$(words x", "Makefile:100: *** unterminated call to function 'words': missing ')'.  Stop."),
    (
        "${words $(foo",
        "Makefile:100: *** unterminated call to function 'words': missing '}'.  Stop.",
    ),
    ("$(open)", "Makefile:23: *** unterminated variable reference.  Stop."),
    (
        "$(selfish)",
        "Makefile:19: *** Recursive variable 'selfish' references itself (eventually).  Stop.",
    ),
    (
        "$(round)",
        "Makefile:20: *** Recursive variable 'round' references itself (eventually).  Stop.",
    ),
    (
        "$(bad)",
        "Makefile:22: *** first argument to 'word' function must be greater than 0.  Stop.",
    ),
    ("$(told)", "Makefile:100: *** told.  Stop."),
)


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_expansion(text: str, expected: str) -> None:
    assert outcome(make_expander(), text) == expected


def test_real_make_agrees(tmp_path) -> None:
    assert_real_make_agrees(TABLE, tmp_path)


def test_a_dollar_at_the_end_stays() -> None:
    assert make_expander().expand("a$") == "a$"


def test_effects_come_before_an_error_further_on() -> None:
    expander = make_expander()
    with pytest.raises(MakeError, match="unterminated"):
        expander.expand("$(info first)$(foo")
    assert console(expander).printed == "first\n"


def test_the_same_text_again_after_an_error() -> None:
    expander = make_expander()
    assert outcome(expander, "$(selfish)") == outcome(expander, "$(selfish)")
    assert outcome(expander, "$t") == "a b a c"


def test_folder_and_file_of_automatic_variables() -> None:
    expander = make_expander()
    expander.variables.define("@", "out/a.o", Origin.AUTOMATIC, recursive=False)
    expander.variables.define("^", "src/a.c b.h", Origin.AUTOMATIC, recursive=False)
    assert expander.expand("$(@D) $(@F) $(^D) $(^F)") == "out a.o src . a.c b.h"


def test_undefined_variables_are_warned_of() -> None:
    expander = make_expander()
    expander.warns_undefined = True
    expander.expand(
        "$(nope) $(nope:a=b) $(call nope,1) $(origin other) $(value other) $(MAKEFILES)"
    )
    assert console(expander).warned == "Makefile:100: warning: undefined variable 'nope'\n" * 3


def test_a_warning_without_a_place_names_the_program() -> None:
    expander = make_expander()
    expander.place = None
    expander.expand("$(warning hm)")
    assert console(expander).warned == "make: hm\n"


def test_variables_are_listed() -> None:
    names = make_expander().expand("$(.VARIABLES)").split()
    assert {"t", "@D", ".VARIABLES"} <= set(names)


class TestAppending:
    def test_to_what_is_outside(self) -> None:
        expander = make_expander([("A", "=", "one $(D)"), ("D", "=", "dee"), ("E", ":=", "")])
        scope = Scope(Scope(expander.variables))
        assert scope.outer is not None
        for where, name, value in (
            (scope, "A", "$(D)"),
            (scope, "E", "x"),
            (scope.outer, "A", "pat"),
        ):
            where.define(name, value, Origin.FILE).appends = True
        scope.define("D", "inner", Origin.FILE)
        expander.scope = scope
        assert expander.expand("$A|$E") == "one inner pat inner|x"
        assert (
            expander.expand("$(foreach A,loop,$A) $(foreach x,1,$A)") == "loop one inner pat inner"
        )

    def test_nothing_leaves_its_blank(self) -> None:
        expander = make_expander([("A", "=", "base"), ("B", "=", "$(nothing)")])
        expander.scope = Scope(expander.variables)
        expander.scope.define("A", "$(nothing)", Origin.FILE).appends = True
        expander.scope.define("B", "b", Origin.FILE).appends = True
        assert expander.expand("[$A][$B]") == "[base ][b]"


def test_private_variables_are_seen_by_functions_of_their_own_target() -> None:
    expander = make_expander()
    own = Scope(expander.variables)
    own.define("P", "p", Origin.FILE).is_private = True
    expander.scope = own
    assert expander.expand("$(foreach x,1 2,$P)$(call P)") == "p pp"
    expander.scope = Scope(own)
    assert expander.expand("[$P]$(foreach x,1 2,$P)") == "[] "


class TestEnvironment:
    def test_what_a_command_gets(self) -> None:
        expander = make_expander(
            [("FOO", "=", "mk $(X)"), ("X", "=", "x"), ("YES", "=", "$(X)"), ("no.t", "=", "")]
        )
        expander.environment = {
            "FOO": "env", "B.DOT": "1", "GONE": "1", "MAKELEVEL": "2", "MAKE_RESTARTS": "1",
            "SHELL": "/bin/zsh",
        }  # fmt: skip
        scope = expander.variables
        for name, value in expander.environment.items():
            if scope.find(name) is None and name != "GONE":
                scope.define(name, value, Origin.ENVIRONMENT)
        scope.variables["YES"].export = Export.YES
        scope.variables["no.t"].export = Export.YES
        scope.define("CMD", "c$$d", Origin.COMMAND)
        scope.define("C.D", "dots", Origin.COMMAND)
        scope.define("MAKEFLAGS", "k", Origin.FILE)
        scope.define("MAKELEVEL", "7", Origin.FILE)
        scope.define("CC", "cc", Origin.DEFAULT)
        expected = {
            "FOO": "mk x", "YES": "x", "no.t": "", "B.DOT": "1", "CMD": "c$d", "MAKEFLAGS": "k",
            "MAKELEVEL": "3", "SHELL": "/bin/zsh",
        }  # fmt: skip
        assert child_environment(scope, expander) == expected
        expander.export_all = True
        assert child_environment(scope, expander) == {**expected, "X": "x"}
        scope.variables["SHELL"].export = Export.YES
        scope.variables["FOO"].export = Export.NO
        changed = child_environment(scope, expander)
        assert changed["SHELL"] == "/bin/sh" and "FOO" not in changed

    def test_a_target_inherits_that_a_variable_is_exported(self) -> None:
        expander = make_expander([("A", "=", "outer"), ("B", "=", "outer")])
        expander.variables.variables["A"].export = Export.YES
        expander.variables.variables["B"].export = Export.YES
        scope = Scope(expander.variables)
        scope.define("A", "inner", Origin.FILE)
        scope.define("B", "inner", Origin.FILE).export = Export.NO
        assert child_environment(scope, expander) == {"A": "inner", "MAKELEVEL": "1"}

    def test_a_value_that_runs_a_command_sees_its_old_one(self) -> None:
        expander = make_expander(
            [("A", "=", "$(shell echo x$$A)"), ("B", "=", "$(shell echo x$$B)")]
        )
        expander.environment = {**expander.environment, "A": "old"}
        expander.variables.variables["B"].export = Export.YES
        assert expander.expand("$A $B") == "xold x"

    def test_loops_and_calls_are_seen(self) -> None:
        expander = make_expander([("X", "=", "global")])
        expander.variables.variables["X"].export = Export.YES
        text = "$(foreach X,1 2,$(shell echo $$X)) $(let Y,1,$(shell echo $$Y))$(shell echo $$X)"
        assert expander.expand(text) == "1 2 global"


def test_eval_is_read_at_the_present_place() -> None:
    expander = make_expander()
    read: list[tuple[str, Place | None]] = []
    expander.read = lambda text, place: read.append((text, place))
    assert expander.expand("a$(eval x = $$(t) $t)b") == "ab"
    assert read == [("x = $(t) a b a c", Place("Makefile", 100))]


def test_calls_nest_deeply() -> None:
    text = "$(call rest,$(foreach x,$(many),$x))"
    expander = make_expander()
    expander.variables.define("many", " ".join(["w"] * 2000), Origin.FILE)
    expander.variables.define(
        "rest", "$(if $1,$(call rest,$(wordlist 2,9999,$1)),end)", Origin.FILE
    )
    assert expander.expand(text) == "end"
