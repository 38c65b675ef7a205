from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from pybuild.makefile.expand import Expander
from pybuild.makefile.looks import Looks
from pybuild.makefile.search import Peer, Search, add_pattern_rule, later_words
from pybuild.makefile.vpath import Directories, Folders, split_path
from tests.gnumake import gnu_make
from tests.makefile.by_hand import database, found, searching, told

MAKE = gnu_make()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        Path(name).touch()


def test_the_first_rule_whose_prerequisites_exist() -> None:
    touch("x.c", "x.f")
    search = searching("%.o: %.p ; P\n%.o: %.f ; F\n%.o: %.c ; C")

    assert told(search, "x.o") == "F x: x.f"
    assert told(search, "y.o") == "no rule"


def test_the_shortest_stem_wins_folders_included() -> None:
    touch("lib/x.c")
    search = searching("%.o: %.c ; one\nlib/%.o: lib/%.c ; two")

    assert told(search, "lib/x.o") == "two x: lib/x.c"


def test_the_folder_is_put_before_what_has_the_stem() -> None:
    touch("d/x.c", "s", "d/inc/x.h")
    search = searching("%.o: %.c s inc/%.h ; C")

    assert told(search, "d/x.o") == "C d/x: d/x.c s d/inc/x.h"


def test_a_stem_is_not_empty_unless_there_is_a_folder() -> None:
    search = searching("x%.m: ; one")

    assert told(search, "x.m") == "no rule"
    assert told(search, "d/x.m") == "one d/"
    assert told(search, "xy.m") == "one y"


def test_a_pattern_without_slash_looks_at_the_last_part() -> None:
    search = searching("lib%.o: ; one")

    assert told(search, "lib/x.o") == "no rule"
    assert told(search, "d/libx.o") == "one d/x"


def test_targets_and_own_prerequisites_ought_to_exist() -> None:
    assert told(searching("%.o: %.c ; C\nx.c:"), "x.o") == "C x: x.c"
    assert told(searching("%.o: %.b ; B\n%.o: %.c ; C\nx.o: x.c"), "x.o") == "C x: x.c"
    assert told(searching("%.o: %.c ; C\n.PHONY: x.c"), "x.o") == "C x: x.c"


def test_what_others_need_ought_to_exist_in_the_end() -> None:
    assert told(searching("%.o: %.c ; C\nall: x.c"), "x.o") == "C x: x.c"
    # A chain comes before that.
    search = searching("%.o: %.c ; C\n%.o: %.p ; P\n%.p: ; made\nall: x.c")
    assert told(search, "x.o") == "P x: x.p(made x)"
    # It holds within chains, too.
    assert told(searching("%.o: %.c ; C\n%.c: %.y ; Y\nall: x.y"), "x.o") == "C x: x.c(Y x: x.y)"


def test_chains() -> None:
    touch("x.y")
    search = searching("%.o: %.c ; C\n%.c: %.y ; Y\n%.k: %.o %.c ; K")

    assert told(search, "x.o") == "C x: x.c(Y x: x.y)"
    assert told(search, "x.k") == "K x: x.o(C x: x.c(Y x: x.y)) x.c(Y x: x.y)"


def test_a_rule_that_needs_nothing_made_comes_first() -> None:
    touch("x.y", "x.p")
    search = searching("%.o: %.c ; C\n%.o: %.p ; P\n%.c: %.y ; Y")

    assert told(search, "x.o") == "P x: x.p"


def test_no_rule_is_twice_in_a_chain() -> None:
    touch("a.x.x.x", "b.x.x")
    search = searching("%.x: %.x.x ; X")

    assert told(search, "a.x") == "no rule"
    assert told(search, "b.x") == "X b: b.x.x"


def test_that_a_chain_was_cut_short_is_not_remembered() -> None:
    touch("x.c")
    # `x.j` is not made on the way from itself, but from elsewhere.
    search = searching("%.j: %.k ; J\n%.k: %.j ; K\n%.k: %.l ; L\n%.l: %.j ; M\n%.j: %.c ; C")

    assert told(search, "x.j") == "C x: x.c"
    assert told(search, "x.k") == "K x: x.j(C x: x.c)"
    assert told(search, "x.l") == "M x: x.j(C x: x.c)"


def test_a_rule_for_anything_only_if_none_is_special() -> None:
    touch("a.x.q", "b.z.q", "c.w.q")
    search = searching("%: %.q ; Q\n%.x: %.y ; X\n%.z:\n%.w: nothing")

    assert told(search, "a.x") == "no rule"
    assert told(search, "b.z") == "no rule"
    assert told(search, "c.w") == "Q c.w: c.w.q"  # that one only cancels
    assert told(search, "a.x.q.v") == "no rule"


def test_a_rule_for_anything_makes_nothing_in_between() -> None:
    touch("a.y.q")

    assert told(searching("%: %.q ; Q\n%.x: %.y ; X"), "a.x") == "no rule"
    assert told(searching("%:: %.q ; Q\n%.x: %.y ; X"), "a.x") == "X a: a.y(Q a.y: a.y.q)"


def test_a_rule_with_a_pattern_for_anything_among_others() -> None:
    assert told(searching("% %.b: ; one"), "a.b") == "no rule"
    assert told(searching("% %.b: ; one"), "a.c") == "one a.c"


def test_a_terminal_rule_is_not_part_of_a_chain() -> None:
    search = searching("%.o:: %.k ; O\n%.k: ; K")

    assert told(search, "b.o") == "no rule"
    touch("b.k")
    search.folders.refresh()
    it = found(search, "b.o")
    assert it is not None and it.are_final


def test_order_only_prerequisites_are_marked() -> None:
    touch("x.c", "out")
    it = found(searching("%.o: %.c | out ; C"), "x.o")

    assert it is not None
    assert [(each.name, each.order_only) for each in it.prerequisites] == [
        ("x.c", False),
        ("out", True),
    ]


def test_other_targets_of_the_rule() -> None:
    touch("d/x.c")
    it = found(searching("%.a sub/%.b lib%.e: %.c ; one"), "d/x.a")

    assert it is not None
    assert it.pattern == "%.a"
    assert it.peers == (Peer("sub/d/x.b", "sub/%.b"), Peer("libd/x.e", "lib%.e"))


def test_prerequisites_may_be_wildcards() -> None:
    touch("1.z", "2.z", "foo1.z")

    assert told(searching("%.o: ?.z %*.z ; Z"), "foo.o") == "Z foo: 1.z 2.z foo1.z"
    assert told(searching("%.o: %*.z ; Z"), "bar.o") == "no rule"


def patterns(text: str) -> list[str]:
    return [
        f"{' '.join(rule.targets)}: {rule.recipe.lines[0] if rule.recipe else 'none'}"
        for rule in database(text).patterns
    ]


def test_a_rule_takes_the_place_of_the_same_one() -> None:
    assert patterns("%.a: %.b ; A\n%.c: %.d ; C\n%.a: %.b ; B") == ["%.c: C", "%.a: B"]
    assert patterns("%.a: %.b ; A\n%.a: %.b") == ["%.a: none"]
    assert patterns("%.a: %.b %.c ; A\n%.a: %.b | %.c ; B") == ["%.a: B"]
    assert patterns("%.a:: %.b ; A\n%.a: %.b ; B") == ["%.a: B"]
    assert patterns("%.a: %.b %.c ; A\n%.a: %.c %.b ; B") == ["%.a: A", "%.a: B"]


def test_only_a_rule_with_one_target_is_replaced() -> None:
    assert patterns("%.a %.b: %.c ; A\n%.a %.b: %.c") == ["%.a %.b: A", "%.a %.b: none"]
    assert patterns("%.a: %.c ; A\n%.b %.a: %.c ; B") == ["%.b %.a: B"]


def test_rules_that_come_later_count() -> None:
    touch("x.c", "x.p")
    search = searching("%.o: %.c ; C")
    assert told(search, "x.o") == "C x: x.c"

    for rule in database("%.o: %.c\n%.o: %.p ; P").patterns:
        add_pattern_rule(search.database, rule)
    assert told(search, "x.o") == "P x: x.p"


def test_files_that_are_made_meanwhile_are_seen() -> None:
    search = searching("%.o: %.c ; C\n%.o: d/%.c ; D\n%.c: %.y ; Y")
    assert told(search, "x.o") == "no rule"

    touch("x.y")
    search.folders.refresh()
    assert told(search, "x.o") == "C x: x.c(Y x: x.y)"
    touch("d/x.c")
    search.folders.refresh()
    assert told(search, "x.o") == "D x: d/x.c"


def test_changes_of_a_large_folder_are_seen_at_once() -> None:
    touch(*(f"f{number}" for number in range(500)))
    folders = Folders(Looks())
    assert folders.exists("f1") and not folders.exists("g1")

    for number in range(200):
        touch(f"g{number}")
        os.unlink(f"f{number}")
        folders.refresh()
        assert folders.exists(f"g{number}") and not folders.exists(f"f{number}")
        assert folders.exists("f499") and not folders.exists("h")


def test_existence() -> None:
    touch("d/e/f")
    folders = Folders(Looks())

    for name in ("d", "d/", "d/e", "d/e/", "./d/e/f", "d/../d/e", ".", "..", "d/.", "/", "/dev"):
        assert folders.exists(name), name
    for name in ("", "x", "x/", "d/x/", "d/e/f/g", "x/.."):
        assert not folders.exists(name), name


class Texts(Expander):
    """Expands what the tests need: names of one letter, `$(*F)`, `$(X)`."""

    def __init__(self) -> None:
        from pybuild.makefile.variables import Scope

        super().__init__(Scope(), None)  # type: ignore[arg-type]
        self.asked: list[str] = []

    def expand(self, text: str) -> str:
        self.asked.append(text)

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name == "*F":
                return value_of("*").rpartition("/")[2]
            return value_of(name)

        def value_of(name: str) -> str:
            it = self.scope.find(name)
            return it.value if it is not None else ""

        return re.sub(r"\$(?:\((.*?)\)|(.))", value, text)


def test_second_expansion() -> None:
    touch("d/x.c", "d/x.h", "y", "z", "w")
    made = database(".SECONDEXPANSION:\n%.o: %$$(X) $$*.h $$< | $$(W) .WAIT w ; C\nd/x.o: y | z")
    texts = Texts()
    from pybuild.makefile.variables import Origin

    texts.variables.define("X", ".c", Origin.FILE)
    texts.variables.define("W", "w z", Origin.FILE)
    search = Search(made, Directories(Folders(Looks()), made), texts)
    it = found(search, "d/x.o")

    assert it is not None
    assert [tuple(each[:3]) for each in it.prerequisites] == [
        ("d/x.c", False, False),
        ("d/x.h", False, False),
        ("y", False, False),
        ("w", True, False),
        ("z", True, False),
        ("w", True, True),
    ]
    assert texts.scope is texts.variables


def test_what_comes_behind_a_missing_one_is_not_expanded() -> None:
    made = database(".SECONDEXPANSION:\n%.o: $$*.c $$*.h ; C")
    texts = Texts()
    search = Search(made, Directories(Folders(Looks()), made), texts)

    assert found(search, "x.o") is None
    assert set(texts.asked) == {"$*.c"}


def test_words_of_a_text_with_references() -> None:
    assert later_words(" a  b$(x y)c ${d (e)} $(f $(g h) i)j ") == [
        "a", "b$(x y)c", "${d (e)}", "$(f $(g h) i)j"
    ]  # fmt: skip
    assert later_words("") == []


def test_members_of_archives() -> None:
    touch("a.c", "d/c.c")
    search = searching("(%.o): %.c ; one\nlib.a(%.p): ; two\n(%.p): ; three")

    assert told(search, "lib.a(a.o)") == "one a: a.c"
    assert told(search, "d/lib.a(d/c.o)") == "one d/c: d/c.c"
    assert told(search, "lib.a(q.p)") == "two q"
    assert told(search, "m.a(q.p)") == "three q"
    assert told(search, "(a.o)") == "one a: a.c"


def test_the_whole_name_of_a_member_comes_first() -> None:
    assert told(searching("(%): ; one\n%: ; two"), "lib.a(x)") == "two lib.a(x)"


def test_directory_search() -> None:
    touch("v/x.c", "w/x.c", "w/y.c", "v/d/z.c")
    made = database("all:")
    made.vpaths = [("%.c", ["w/"]), ("x.%", ["v"])]
    places = Directories(Folders(Looks()), made, general=["v", "."], kept=["w"])

    assert places.find("x.c") == "w/x.c"
    assert places.find("d/z.c") == "v/d/z.c"
    assert places.find("n.c") is None
    assert places.find(f"{os.getcwd()}/x.c") is None
    touch("x.c")
    places.folders.refresh()
    assert places.find("x.c") == "x.c"
    assert places.is_kept("w/y.c", "y.c") and not places.is_kept("v/d/z.c", "d/z.c")


def test_a_target_elsewhere_counts_as_a_file() -> None:
    touch("v/x.c")
    search = searching("%.o: %.c ; C\n%.w: %.v ; V\nv/q.v:", general=["v"])

    assert told(search, "x.o") == "C x: x.c"
    assert told(search, "q.w") == "V q: q.v"
    assert search.directories.find("q.v") == "v/q.v"


def test_libraries() -> None:
    touch("v/libfoo.a", "w/libfoo.so", "w/libbar.so", "libq.a", "v/libq.so", "-lx")
    made = database("libfoo.so:")
    said: list[str] = []
    places = Directories(
        Folders(Looks()),
        made,
        general=["v", "w"],
        libraries=["lib%.so", "none", "lib%.a"],
        warn=said.append,
    )

    assert places.find("-lfoo") == "v/libfoo.a"  # the earlier folder
    assert places.find("-lbar") == "w/libbar.so"
    assert places.find("-lq") == "libq.a"
    assert places.find("-lx") == "-lx"
    assert places.find("-lnone-of-that-name") is None
    assert set(said) == {".LIBPATTERNS element 'none' is not a pattern"}


def test_search_paths_are_parted() -> None:
    assert split_path("a:b c :d") == ["a", "b", "c", "d"]


_ENDS = [".a", ".b", ".c", "", ".a.b"]
_NAMES = [d + s + e for d in ("", "d/", "d/e/") for s in ("x", "yx", "y") for e in _ENDS]


def _any_makefile(chance: random.Random) -> str:
    def pattern() -> str:
        return chance.choice(["", "", "", "d/", "x", "d/e/"]) + "%" + chance.choice(_ENDS)

    lines = []
    for number in range(chance.randint(1, 8)):
        targets = " ".join(pattern() for _ in range(chance.choice([1, 1, 1, 2])))
        needed = " ".join(
            chance.choice([pattern(), pattern(), pattern(), chance.choice(_NAMES)])
            for _ in range(chance.choice([0, 1, 1, 1, 2]))
        )
        recipe = f" ; R{number} $@ <$*> $^" if chance.random() < 0.9 else ""
        lines.append(f"{targets}{chance.choice([':', ':', ':', '::'])} {needed}{recipe}")
    for _ in range(chance.randint(0, 3)):
        needed = " ".join(chance.choice(_NAMES) for _ in range(chance.randint(0, 2)))
        lines.append(f"{chance.choice(_NAMES)}: {needed}")
    return "\n".join(lines)


@pytest.mark.skipif(not MAKE, reason="no make 4.4 to compare with")
@pytest.mark.parametrize("seed", range(60))
def test_the_rule_is_the_one_that_make_takes(seed: int, tmp_path) -> None:
    assert MAKE
    chance = random.Random(seed)
    os.makedirs("d/e")
    files = chance.sample(_NAMES, chance.randint(0, 6))
    touch(*files)
    text = _any_makefile(chance)
    goal = chance.choice([name for name in _NAMES if name not in files])
    (tmp_path / "mk").write_text(f"all:\n{text}\n")
    ran = subprocess.run([MAKE, "-rnf", "mk", goal], capture_output=True, text=True)
    said = re.findall(rf"^(R\d+) {re.escape(goal)} <(.*)>", ran.stdout, re.MULTILINE)
    if not said and f"to make target '{goal}'." not in ran.stderr and "Nothing" not in ran.stdout:
        return  # something else could not be made
    if "Circular" in ran.stderr:
        return  # the goal counts as mentioned there

    it = found(searching(f"all:\n{text}"), goal)
    ours = [] if it is None or it.recipe is None else [(it.recipe.lines[0].split()[0], it.stem)]
    assert ours == said, f"{goal}\n{files}\n{text}"


@pytest.mark.parametrize("seed", range(60))
def test_names_that_are_alike_are_found_as_others_are(seed: int) -> None:
    chance = random.Random(seed)
    endings = ["", ".a", ".b", ".b.a", ",v"]
    starts = ["%"] * 8 + ["RCS/%", "s.%"]
    rules = [
        f"%{chance.choice(endings)}:{':' * chance.randrange(2)}"
        + "".join([f" {chance.choice(starts)}{chance.choice(endings)}" for _ in range(count)])
        + f" ; {number}"
        for number, count in enumerate(chance.choices([0, 1, 1, 1, 1, 2], k=5))
    ]
    roots = ["t", "u", "v", "w", "x", "y", "z"]
    names = [f"{root}{ending}" for root in roots for ending in endings]
    touch("f", *chance.sample(names, 5), *chance.choices(["f", "f", "RCS/x,v", "s.z.a"], k=1))
    told_of = "\n".join([*rules, *(f"{each}: f" for each in chance.sample(names, 2))])
    search = searching(told_of)
    for name in chance.sample(names, len(names)):
        assert told(search, name) == told(searching(told_of), name), (told_of, name)
