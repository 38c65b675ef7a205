"""Placeholders in shell text: where they are, and that a shell reads back what was put in."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pybuild.pipefile.shelltext import (
    COMMENT,
    DOUBLE,
    HERE,
    LITERAL_HERE,
    PLAIN,
    SINGLE,
    dollars,
    line_starts,
    quote,
    significant,
    spots,
)


def filled(script: str, value: str) -> str:
    """The script with `<x>` replaced by a value, quoted for each place."""
    out: list[str] = []
    position = 0
    for spot in spots(script):
        if script[spot.start : spot.end] == "<x>":
            out += [script[position : spot.start], quote(value, spot.context)]
            position = spot.end
    return "".join((*out, script[position:]))


def bash(script: str) -> bytes:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.encode("utf-8")],
        capture_output=True,
        check=False,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, (script, done.stderr)
    return done.stdout


# -- quoting, by what a real shell makes of it ----------------------------------------------------

_NASTY = 'it\'s a "$HOME" `x` \\ \\\\ ! * ? [a] {a,b} ~ # & ; | < > ( ) % = - é\t\n.\\n'
_texts = st.one_of(
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.text(alphabet="ab'\"\\$`!{}()<>|&;*?[]~# \t\n%=-"),
)

_CONTEXTS = {
    "plain": "printf '%s' <x>",
    "plain, in the middle of a word": "printf '%s' [<x>]",
    "double": "printf '%s' \"<x>\"",
    "double, with text around": "printf '%s' \"a<x>b\"",
    "single": "printf '%s' '<x>'",
    "single, with text around": "printf '%s' 'a<x>b'",
    "here": "cat <<END\n<x>\nEND\n",
    "here, literal": "cat <<'END'\n<x>\nEND\n",
    "here, in double quotes": 'cat <<"END"\n<x>\nEND\n',
    "here, with a backslash": "cat <<\\END\n<x>\nEND\n",
    "substituted": "printf '%s' \"$(printf '%s.' <x>)\"",
    "substituted, quoted inside": "printf '%s' \"$(printf '%s.' \"<x>\")\"",
    "in a subshell": "(printf '%s' <x>)",
    "behind a comment": "# it's <x> and \"\nprintf '%s' <x>",
    "behind quotes in a comment": "true # don't\nprintf '%s' <x>",
    "behind arithmetic": "n=$(( 1 < 2 )); printf '%s' <x>",
    "behind a redirection": "exec < /dev/null; printf '%s' <x>",
    "behind a here-document": "cat <<'A' >/dev/null\nit's \" ` $(\nA\nprintf '%s' <x>",
    "behind two here-documents": "cat <<A <<-'B' >/dev/null\nx'\nA\n\ty\"\n\tB\nprintf '%s' <x>",
    "behind a here-string": "cat <<<'a' >/dev/null; printf '%s' <x>",
    "behind an escaped quote": "printf '' \\\"; printf '%s' <x>",
    "behind escapes in double quotes": "printf '' \"\\\"'\"; printf '%s' <x>",
    "behind single quotes with a backslash": "printf '' '\\'; printf '%s' <x>",
    "a parameter": "y=<x>; printf '%s' \"$y\"",
    "a pattern": "case <x> in *) printf '%s' <x>;; esac",
    "on its own line": "printf '%s' \\\n  <x>",
    "behind a number of parameters": "printf '' $#; printf '%s' <x>",
}
_DOTTED = {"substituted", "substituted, quoted inside"}


def expected(name: str, value: str) -> bytes:
    script = _CONTEXTS[name]
    if name.startswith("here"):
        value += "\n"
    elif name in _DOTTED:
        value += "."
    elif "[<x>]" in script:
        value = f"[{value}]"
    elif "a<x>b" in script:
        value = f"a{value}b"
    return value.encode()


# The scan is no shell: docs/reference.md tells these places under "Limits".
_LIMIT = pytest.mark.xfail(strict=True, reason="a limit that the reference tells")


@pytest.mark.parametrize("name", _CONTEXTS)
@pytest.mark.parametrize("value", ["a", "", "a b", "'", "a'b\"c", "$x", _NASTY, "\\", "-n", "é ü"])
def test_the_shell_reads_what_was_put_in(name: str, value: str) -> None:
    assert bash(filled(_CONTEXTS[name], value)) == expected(name, value)


@pytest.mark.parametrize(
    "name", ["plain", "double", "single", "here", "here, literal", "substituted"]
)
@settings(max_examples=40)
@given(value=_texts)
def test_the_shell_reads_any_text(name: str, value: str) -> None:
    assume("END" not in value)
    assert bash(filled(_CONTEXTS[name], value)) == expected(name, value)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("printf '' $'a\\'b'; printf '%s' <x>", id="behind an ANSI string"),
        pytest.param("n=2; : $((1<<n))\nprintf '%s' <x>", id="behind a shift by a variable"),
        pytest.param("n=2; (( n<<n )) || :\nprintf '%s' <x>", id="behind a shift in a command"),
        pytest.param("printf '%s' \"`printf '%s' <x>`\"", id="in backquotes in double quotes"),
        pytest.param(
            "printf '%s' \"$(case a in a) printf '%s' <x>;; esac)\"", id="in a case", marks=_LIMIT
        ),
        pytest.param(
            'printf \'%s\' "${y-"<x>"}"', id="in a default in double quotes", marks=_LIMIT
        ),
        pytest.param("a=(b c); : ${#a[@]} ${a#b}; printf '%s' <x>", id="behind a length"),
        pytest.param(
            "cat <<END\n$(printf '%s' <x>)\nEND", id="substituted in a here-document", marks=_LIMIT
        ),
        pytest.param("cat <<END | tail -n 1\n  END\n<x>\nEND", id="behind an indented end word"),
        pytest.param("cat <<END-1\n<x>\nEND-1", id="an end word with a dash"),
        pytest.param("cat <<END | cat\n<x>\nEND\nprintf '' <x>", id="a pipe behind the end word"),
        pytest.param("cat <<-END\n\t<x>\n\tEND", id="a here-document without tabs"),
    ],
)
@pytest.mark.parametrize("value", ["a b", "it's"])
def test_the_shell_reads_what_was_put_in_at_odd_places(script: str, value: str) -> None:
    assert bash(filled(script, value)).decode().rstrip("\n") == value


@pytest.mark.parametrize(
    ("text", "context", "quoted"),
    [
        ("a.c", PLAIN, "a.c"),
        ("out/a-b_1.bam", PLAIN, "out/a-b_1.bam"),
        ("a b", PLAIN, "'a b'"),
        ("", PLAIN, "''"),
        ("~", PLAIN, "'~'"),
        ("*", PLAIN, "'*'"),
        ("a\n", PLAIN, "'a\n'"),
        ("a b", DOUBLE, "a b"),
        ("a b", SINGLE, "a b"),
        ('"', HERE, '"'),
        ("$`\\'\"", LITERAL_HERE, "$`\\'\""),
    ],
)
def test_quote(text: str, context: str, quoted: str) -> None:
    assert quote(text, context) == quoted


# -- spots ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("cat <input> > <output>", [("<input>", PLAIN), ("<output>", PLAIN)]),
        ("\"<a>\" '<b>' <c>", [("<a>", DOUBLE), ("<b>", SINGLE), ("<c>", PLAIN)]),
        ("<a.b[0].c>", [("<a.b[0].c>", PLAIN)]),
        ("<f(a, \"b>c\", '>')>", [("<f(a, \"b>c\", '>')>", PLAIN)]),
        ("<a><b>", [("<a>", PLAIN), ("<b>", PLAIN)]),
        # left alone
        ("\\<a>", []),
        ("'\\<a>'", []),
        ('"\\<a>"', []),
        ("cat <<E\n\\<a>\nE", []),
        ("# <a>", []),
        ("x # <a>\n<b>", [("<b>", PLAIN)]),
        ("x;# <a>", []),
        ("x#<a>", [("<a>", PLAIN)]),
        ("$(# <a>\n<b>)", [("<b>", PLAIN)]),
        ("cat < file", []),
        ("cat <3 <&3 <(x) <=", []),
        ("cat <<E\nx\nE", []),
        ("cat <<<E", []),
        ("$((1<2))", []),
        ("<1>", []),
        # contexts
        ('"$(a "<b>" <c>) <d>"', [("<b>", DOUBLE), ("<c>", PLAIN), ("<d>", DOUBLE)]),
        ("cat <<E <a>\n<b>\nE\n<c>", [("<a>", PLAIN), ("<b>", HERE), ("<c>", PLAIN)]),
        ("cat <<'E'\n<b>\nE\n<c>", [("<b>", LITERAL_HERE), ("<c>", PLAIN)]),
        ("cat <<-E\n\t<b>\n\tE\n<c>", [("<b>", HERE), ("<c>", PLAIN)]),
        (
            "cat <<A <<'B'\n<a>\nA\n<b>\nB\n<c>",
            [("<a>", HERE), ("<b>", LITERAL_HERE), ("<c>", PLAIN)],
        ),
        ("awk '{print $1}' <a>", [("<a>", PLAIN)]),
        ("awk '{print \"<a>\"}'", [("<a>", SINGLE)]),
        ('sed "s/\'/<a>/"', [("<a>", DOUBLE)]),
        ('\\"<a>', [("<a>", PLAIN)]),
        ("\\'<a>", [("<a>", PLAIN)]),
    ],
)
def test_spots(script: str, found: list[tuple[str, str]]) -> None:
    closed = [spot for spot in spots(script) if spot.closed]
    assert [(script[each.start : each.end], each.context) for each in closed] == found


@pytest.mark.parametrize("script", ["cat <file", "x <a b>", "<a\n>", "cat <a; x >", "if [ a <b ]"])
def test_what_no_bracket_closes_is_no_placeholder(script: str) -> None:
    assert [spot.closed for spot in spots(script)] == [False]


_pieces = st.lists(
    st.sampled_from(
        [
            "<x>",
            "<x",
            "'",
            '"',
            "\\",
            "$(",
            ")",
            "(",
            "`",
            "#",
            " ",
            "\n",
            "<<E",
            "<<'E'",
            "\nE\n",
            "<<<",
            "a",
            "$((",
            "))",
            "<f(",
            "<x[0]>",
            "${",
            "}",
            "<<-E",
            ";",
            "|",
        ]
    )
).map("".join)


@given(st.one_of(_pieces, st.text()))
def test_spots_of_any_text_lie_within_it_and_in_order(text: str) -> None:
    end = 0
    for spot in spots(text):
        assert text[spot.start] == "<"
        assert text[spot.start + 1].isalpha() or text[spot.start + 1] == "_"
        assert spot.start >= 0 and spot.start < spot.end <= len(text)
        assert spot.context != COMMENT
        assert spot.start >= end
        end = spot.start + 1
        assert text[spot.end - 1] == ">" or not spot.closed


# -- what counts of a script ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a\nb", "a\n\nb"),
        ("a\nb", "a\n# why\nb"),
        ("a\nb", "  # why\na\nb"),
        ("a\nb", "a  \nb\t"),
        ("a", "a\n"),
    ],
)
def test_comments_and_layout_do_not_count(one: str, other: str) -> None:
    assert significant(one) == significant(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "b"),
        ("a\nb", "b\na"),
        ("a b", "a  b"),
        ("cat <<E\n# x\nE", "cat <<E\n# y\nE"),
        ("echo '\n# x\n'", "echo '\n# y\n'"),
        ("#!/bin/sh\na", "#!/bin/bash\na"),
        ("cat <<E\na\n\nb\nE", "cat <<E\na\nb\nE"),
        ("cat <<E\na \nE", "cat <<E\na\nE"),
        ("echo 'a\n\nb'", "echo 'a\nb'"),
        ('echo "a\n\nb"', 'echo "a\nb"'),
        ("echo 'a \nb'", "echo 'a\nb'"),
        ("echo a\\ \necho b", "echo a\\\necho b"),
        ("echo a \\\n# b\nc", "echo a \\\nc"),
    ],
)
def test_what_changes_the_output_counts(one: str, other: str) -> None:
    assert bash_differs(one, other)
    assert significant(one) != significant(other)


def bash_differs(one: str, other: str) -> bool:
    """Whether the texts are different scripts; those that only name programs are taken to be."""
    if any(text.startswith(("a", "#!")) for text in (one, other)):
        return one != other
    return _told(one) != _told(other)


def _told(script: str) -> tuple[int, bytes]:
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False, timeout=20)
    return done.returncode, done.stdout


@given(st.one_of(_pieces, st.text()))
def test_what_counts_is_there_for_any_text(text: str) -> None:
    found = significant(text)
    assert len(found) <= len(text)


@pytest.mark.parametrize(
    ("script", "expanded"),
    [
        ("a $b", "$b"),
        ('"$b"', '$b"'),
        ("'$b' $c", "$c"),
        ("\\$b $c", "$c"),
        ("$'x$y' $c", "$'x$y' $c|$c"),
        ("# $b\n$c", "$c"),
        ("$(a $b)", "$(a $b)|$b)"),
        ("cat <<E\n$b\nE\n$c", "$c"),
        ("$$", "$$|$"),
    ],
)
def test_dollars_that_mean_something(script: str, expanded: str) -> None:
    """What stands from each of them to the end of its line."""
    found = [script[at:].partition("\n")[0] for at in dollars(script)]
    assert "|".join(found) == expanded


@pytest.mark.parametrize(
    ("script", "starts"),
    [
        ("a\nb", ["a", "b"]),
        ("a \\\nb\nc", ["a", "c"]),
        ("'a\nb'\nc", ["'a", "c"]),
        ("(a\nb)\nc", ["(a", "c"]),
        ("cat <<E\nx\nE\nc", ["cat", "c"]),
    ],
)
def test_lines_that_are_inside_of_nothing(script: str, starts: list[str]) -> None:
    found = [script[at:] for at in line_starts(script)]
    assert [text.split()[0] for text in found if text.split()] == starts
