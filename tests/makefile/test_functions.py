"""Functions of makefiles: what they make, by a table that real make agrees with."""

from __future__ import annotations

import os

import pytest

from pybuild.makefile.functions import FUNCTIONS
from pybuild.makefile.looks import Looks
from pybuild.makefile.patterns import glob_words, match_pattern, split_pattern
from tests.gnumake import gnu_make
from tests.makefile.expansion import (
    assert_real_make_agrees,
    console,
    make_expander,
    outcome,
    told_by_make,
)


def _wrong(message: str) -> str:
    return f"Makefile:100: *** {message}.  Stop."


TABLE = (
    # text
    ("$(subst a,b,c,a)", "c,b"),
    ("$(subst a,b,  c ,a )", "  c ,b "),
    ("$(subst ,X,abc)", "abcX"),
    ("$(subst an,,banana)", "ba"),
    ("$(patsubst %.c,%.o,$(files))", "a.o b.o sub/c.d"),
    ("$(patsubst a,b,a aa a)", "b aa b"),
    ("$(patsubst a%,%%,ab)", "b%"),
    (r"$(patsubst a\%b,x%y,a%b)", "x%y"),
    (r"$(patsubst %,a\%b,x)", "a%b"),
    (r"$(patsubst %,a\\%b,x)", r"a\xb"),
    (r"$(patsubst a,\%,a)", "%"),
    (r"$(patsubst a,x\%y,a)", "x%y"),
    (r"$(patsubst %,\%%,x)", "%x"),
    (r"$(patsubst a\b%,\q%,a\bc)", r"\qc"),
    (r"$(patsubst a%b\%,<%>,axb% axb\%)", "axb% <x>"),
    ("$(patsubst %,q,x y)", "q q"),
    ("$(patsubst x,y,  a   x xx  x )|$(patsubst a b,y,c  a b  d)", "  a   y xx  y |c  y  d"),
    ("$(patsubst ,Q,)$(patsubst ,Q,a  b )", "Qa  b Q"),
    ("$(patsubst ,x,a)", "a"),
    ("$(patsubst %,,a b)", ""),
    ("$(patsubst %x,,a bx c)", "a c"),
    ("$(patsubst c,,$t)", "a b a "),
    ("$(patsubst a%,%,$t)", " b  c"),
    ("$(strip   a \t b  )", "a b"),
    ("$(strip  a ,  b )", "a , b"),
    ("$(findstring a,bab)$(findstring x,bab)$(findstring ,b)", "a"),
    ("$(findstring a b,xa bx)", "a b"),
    ("$(filter a% %.c,ab x.c cab)", "ab x.c"),
    ("$(filter-out a%,ab c a)", "c"),
    (r"$(filter a\%b a%b%,a%b axb axb% a%b%)", "a%b axb% a%b%"),
    (r"$(filter \%,% x)", "%"),
    (r"$(filter a\\%b,a\b a\xb)", r"a\b a\xb"),
    (r"$(filter a\\\%b,a\%b a%b)", r"a\%b"),
    (r"$(filter \\,\ \\)", r"\\"),
    (r"$(filter a\\\\%,a\x a\\x a\\\\x)", r"a\\x a\\\\x"),
    ("$(filter ,a b)|$(filter-out ,a  b)|$(filter b a,a a b c)", "|a b|a a b"),
    ("$(sort b a B é c aé bè a)", "é B a aé b bè c"),
    ("$(word  2 ,a b)$(word 5,a)", "b"),
    ("$(words $t)$(words )", "40"),
    ("$(wordlist 2,3,a  b   c d)", "b   c"),
    ("$(wordlist 2,1,a b)$(wordlist 1,0,a)$(wordlist 5,9,a)", ""),
    ("$(wordlist 2,99,a b c )", "b c"),
    ("$(firstword  a b)$(lastword a  c )$(firstword )", "ac"),
    ("$(word 1)", _wrong("insufficient number of arguments (1) to function 'word'")),
    ("$(word 0,a)", _wrong("first argument to 'word' function must be greater than 0")),
    ("$(word -1,a)", _wrong("first argument to 'word' function must be greater than 0")),
    ("$(word ,a)", _wrong("invalid first argument to 'word' function: empty value")),
    ("$(word 1x,a)", _wrong("invalid first argument to 'word' function: '1x'")),
    ("$(word 1 2,a)", _wrong("invalid first argument to 'word' function: '1 2'")),
    (
        "$(word 99999999999999999999,a)",
        _wrong("invalid first argument to 'word' function: '99999999999999999999' out of range"),
    ),
    ("$(wordlist 0,1,a)", _wrong("invalid first argument to 'wordlist' function: '0'")),
    ("$(wordlist 1,-1,a)", _wrong("invalid second argument to 'wordlist' function: '-1'")),
    ("$(wordlist 1,,a)", _wrong("invalid second argument to 'wordlist' function: empty value")),
    # names
    ("$(dir a/b c /x / d/ . a/../b)", "a/ ./ / / d/ ./ a/../"),
    ("$(notdir a/b c /x / d/ x)", "b c x   x"),
    ("$(suffix a.c a.b/c .x a. a.b.c x/.y)", ".c .x . .c .y"),
    ("$(basename a.c a.b/c .x a. a.b.c x/.y d/.z.c)", "a a.b/c  a a.b x/ d/.z"),
    ("$(addprefix p/,a b)$(addprefix a,)", "p/a p/b"),
    ("$(addprefix x y,a b)", "x ya x yb"),
    ("$(addsuffix .o,a  b)", "a.o b.o"),
    ("$(join a b c,1 2) $(join a,1 2)$(join ,)", "a1 b2 c a1 2"),
    ("$(abspath / // /a/../b /.. /../a //a/./b//c/)", "/ / /b / /a /a/b/c"),
    ("$(realpath / // nosuch /./)", "/ / /"),
    ("$(realpath Makefile/)", ""),
    # conditions
    ("$(if  ,a,b)$(if $(empty) ,a,b)$(if $(sp),a,b)", "bba"),
    ("$(if a, x , y )|$(if ,a, y )|$(if ,a)", " x | y |"),
    ("$(if ,b,c,d)", "c,d"),
    ("$(if a)", _wrong("insufficient number of arguments (1) to function 'if'")),
    ("$(or ,a)$(or  , b )$(or a , b)$(or $(empty),$(sp),x)", "aba "),
    ("$(and a,)$(and a, b )$(and  a , b ,c)$(and a,$(sp),c)", "bcc"),
    ("$(intcmp 5,5) $(intcmp  007 , +7 ) $(intcmp -0,0) $(intcmp -012,-0012)", "5 7 0 -12"),
    ("$(intcmp 4,5)$(intcmp 9,7,l,e)$(intcmp 9,7,l)", "e"),
    ("$(intcmp 1,2,a,b,c,d)$(intcmp 3,2,a,b,c,d)$(intcmp 2,2,a,b)", "ac,db"),
    ("$(intcmp -5,3,l,e,g)$(intcmp 5,-3,l,e,g)$(intcmp -00,-1,l,e,g)", "lgg"),
    ("$(intcmp -1,-2,l,e,g)$(intcmp -10,-9,l,e,g)", "lg"),
    ("$(intcmp 99999999999999999999999,99999999999999999999998,l,e,g)", "g"),
    ("$(intcmp a,1)", _wrong("non-numeric first argument to 'intcmp' function: 'a'")),
    ("$(intcmp 1,)", _wrong("non-numeric second argument to 'intcmp' function: empty value")),
    ("$(intcmp - ,1)", _wrong("non-numeric first argument to 'intcmp' function: '- '")),
    # loops, variables, calls
    ("$(foreach  x ,a b,<$x>) $(foreach x,a b, $x )", "<a> <b>  a   b "),
    ("$(foreach x y,a b,$x$(x y))$(foreach ,a b,c)", "a bc c"),
    ("$(foreach x,$(dollar) b,$x)$(foreach x,1,$(origin x) $(flavor x))", "$t bautomatic simple"),
    ("$(foreach x,y)", _wrong("insufficient number of arguments (2) to function 'foreach'")),
    ("$(let a b,  1  2  3  ,[$a|$b])", "[1|2  3  ]"),
    ("$(let a b,1,[$a|$b])$(let a,  1 2 ,[$a])$(let ,1,z)", "[1|][1 2 ]z"),
    ("$(let t,in,$t)$t", "ina b a c"),
    ("$(let a,b)", _wrong("insufficient number of arguments (2) to function 'let'")),
    ("$(call f,a, b ,c,d)", "<f|a| b |c>"),
    ("$(call  f ,a)$(call $(empty) f)", "<f|a||third>< f|||third>"),
    ("$(call outer,1,2)", "[{x||automatic|file}2]"),
    ("$(call rest,a b c)", "a-b-c-"),
    ("$(call direct,a b c)", "<a b c<b c<c>>>"),
    ("$(call nosuch,a)$(call ,a)$(call  )", ""),
    ("$(call wordlist,1,2,a b c)$(call if,,b,c)$(call words)", "a bc"),
    ("$(call foreach,x,1 2,<$$x>)", "<1> <2>"),
    ("$(call call,f,1)", "<f|1||third>"),
    ("$(call word,1 2)", _wrong("insufficient number of arguments (1) to function 'word'")),
    ("$(call if)", _wrong("insufficient number of arguments (0) to function 'if'")),
    ("$(value f)", "<$(0)|$(1)|$(2)|$(3)>"),
    ("$(origin t) $(origin nosuch) $(origin .VARIABLES) $(origin MAKEFLAG)", "file undefined default undefined"),
    ("$(flavor t) $(flavor simple) $(flavor nosuch)", "recursive simple undefined"),
    ("$(error  x , y )", _wrong("x , y ")),
    # the world
    (r"$(shell printf 'a\n\nb\n\n\n')", "a  b"),
    (r"$(shell printf 'a\r\nb\r\n')|$(shell printf '\n\na')|$(shell )", "a b|  a|"),
    ("$(shell exit 7)$(.SHELLSTATUS)", "7"),
    ("$(shell kill -9 $$$$)$(.SHELLSTATUS) $(origin .SHELLSTATUS) $(flavor .SHELLSTATUS)", "137 override simple"),
    ("$(shell echo '  x  ')", "  x  "),
    ("$(let SHELL,/bin/echo  x,$(shell hi))", "x -c hi"),
    ("$(file)", ""),
    ("$(file bad)", _wrong("file: invalid file operation: bad")),
    ("$(file > )", _wrong("file: missing filename")),
    ("$(file <x,y)", _wrong("file: too many arguments")),
    ("$(file >/nosuch/x,y)", _wrong("open: /nosuch/x: No such file or directory")),
    ("$(file <.)", _wrong("read: .: Is a directory")),
    ("$(file < nosuch )", ""),
    ("$(file > f1 , a,b)$(file >>f1,)$(file <f1)|$(shell wc -l <f1)", " a,b\n|2"),
    ("$(file >f2)$(shell wc -c <f2)", "0"),
    ("$(info", _wrong("unterminated call to function 'info': missing ')'")),
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_function(text: str, expected: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert outcome(make_expander(), text) == expected


def test_real_make_agrees(tmp_path) -> None:
    assert_real_make_agrees(TABLE, tmp_path)


def test_all_are_there() -> None:
    assert len(FUNCTIONS) == 38 and "guile" not in FUNCTIONS


def test_info_and_warning() -> None:
    expander = make_expander()
    assert expander.expand("a$(info  b ,  c  )$(warning  d,e )f") == "af"
    assert console(expander).printed == "b ,  c  \n"
    assert console(expander).warned == "Makefile:100: d,e \n"


def test_arguments_of_conditions_are_expanded_when_they_are_chosen() -> None:
    expander = make_expander()
    expander.expand(
        "$(if a,,$(info no))$(or a,$(info no))$(and ,$(info no))$(intcmp 1,1,$(info no))"
    )
    assert console(expander).printed == ""


WILDCARDS = (
    ("*.c", "B.c a.c b.c q[1].c é.c"),
    ("b* a.c nosuch a.c", "b.c b\\s a.c a.c"),
    ("d*/*.c */", "d1/x.c d2/y.c d1/ d2/ lnk/"),
    ("d1/ a.c/ d1// */x.c lnk/*", "d1/ a.c d1/ d1/x.c lnk/x.c lnk/x.c"),
    (".*", ". .. .h.c"),
    ("dang dan* dang/ */nosuch", "dang"),
    ("[ab].c [!ab].c [^ab].c [a-b].c [b-a].c", "a.c b.c B.c é.c B.c é.c a.c b.c"),
    ("[[:alpha:]].c [[:upper:]].c ?.c", "B.c a.c b.c é.c B.c B.c a.c b.c é.c"),
    (r"q\[1\].c q[1].c st\*r st\** q[[]1*", "q[1].c st*r st*r q[1].c"),
    (r"b\\s b\s b\\*", "b\\s b\\s"),
    ("./*.h .//a.c ./d*//x.c d1/../a.c d?/.", ".//a.c ./d1//x.c d1/../a.c d1/. d2/."),
    ("*.{c,h} d[1 d[1]* [*.c **/x.c", "d1 d1/x.c lnk/x.c"),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("d1", "d2"):
        os.mkdir(name)
    for name in ("a.c", "b.c", ".h.c", "B.c", "é.c", "d1/x.c", "d2/y.c", "q[1].c", "st*r", "b\\s"):
        open(name, "w").close()
    os.symlink("nowhere", "dang")
    os.symlink("d1", "lnk")
    return tmp_path


@pytest.mark.parametrize(("words", "expected"), WILDCARDS)
def test_wildcard(words: str, expected: str, folder) -> None:
    assert make_expander().expand(f"$(wildcard {words})") == expected


def test_real_make_agrees_on_wildcards(folder) -> None:
    make = gnu_make()
    if not make:
        pytest.skip("no GNU make 4.4")
    told = told_by_make(make, [f"$(wildcard {words})" for words, _ in WILDCARDS], str(folder))
    assert told == [expected for _, expected in WILDCARDS]


def test_home(folder, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert make_expander().expand("$(wildcard ~ ~/a.c ~/nosuch ~nobodyatall)") == (
        f"{folder} {folder}/a.c"
    )
    assert glob_words("~/nosuch*", Looks()) == [f"{folder}/nosuch*"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("plain", ["plain"]),
        ("nosuch*", ["nosuch*"]),
        ("[ab].c", ["a.c", "b.c"]),
        (r"st\*r", ["st*r"]),
        (r"x\*y", [r"x\*y"]),
        (r"d\1", [r"d\1"]),
        ("dan*", ["dang"]),
        ("~nobodyatall/x", ["~nobodyatall/x"]),
    ],
)
def test_words_of_prerequisites(word: str, expected: list[str], folder) -> None:
    assert glob_words(word, Looks()) == expected


@pytest.mark.parametrize(
    ("pattern", "word", "stem"),
    [
        ("%.o", "a.o", "a"),
        ("%.o", ".o", ""),
        ("%.o", "a.c", None),
        ("a%a", "a", None),
        ("plain", "plain", ""),
        (r"a\%b", "a%b", ""),
        (r"a\\%b", r"a\xb", "x"),
        ("a%%", "axx%", "xx"),
    ],
)
def test_patterns(pattern: str, word: str, stem: str | None) -> None:
    assert match_pattern(pattern, word) == stem


def test_a_pattern_without_percent_is_a_plain_text() -> None:
    assert split_pattern(r"a\%\\b") == (r"a%\\b", None)


def test_a_shell_with_flags_of_its_own() -> None:
    expander = make_expander(
        [(".SHELLFLAGS", "=", "-c 'echo \"$$0-$$1\"' 'a b'"), ("SHELL", "=", "/bin/sh")]
    )
    assert expander.expand("$(shell x)") == "a b-x"
