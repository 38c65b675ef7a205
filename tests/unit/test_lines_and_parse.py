"""From text to logical lines, and from lines to a tree."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from textwrap import dedent

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pybuild.pipefile import syntax
from pybuild.pipefile.lines import Block, Comment, Line, cut
from pybuild.pipefile.parse import parse, parse_placeholder
from pybuild.source import Diagnostic, Source, Span

# -- logical lines --------------------------------------------------------------------------------


def cut_up(text: str) -> list[str]:
    """The parts of a text with a letter for their kind: `L` line, `#` comment, `B` block."""
    out: list[str] = []
    for part in cut(text):
        inside = text[part.start : part.end]
        if isinstance(part, Line):
            out.append(f"L {inside}")
            if part.comment:
                out.append(f"# {text[slice(*part.comment)]}")
        else:
            out.append(f"{'B' if isinstance(part, Block) else '#'} {inside}")
    return out


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("\n \n\t\n", []),
        ("a: b", ["L a: b"]),
        ("a: b\n", ["L a: b"]),
        ("a: b  \n", ["L a: b"]),
        ("a: b\r\nc: d\r\n", ["L a: b", "L c: d"]),
        ("a: b\nc: d", ["L a: b", "L c: d"]),
        # comments
        ("# c", ["# # c"]),
        ("# c  \na: b # d\n", ["# # c", "L a: b", "# # d"]),
        ('a: "b#c" # d', ['L a: "b#c"', "# # d"]),
        ("a: b\\#c", ["L a: b\\#c"]),
        ("x = '#' # c", ["L x = '#'", "# # c"]),
        ('x = """#\n#""" # c', ['L x = """#\n#"""', "# # c"]),
        # a backslash at the end
        ("a: b \\\n  c\nd: e", ["L a: b \\\n  c", "L d: e"]),
        ("a: b \\\r\n  c\r\nd: e", ["L a: b \\\r\n  c", "L d: e"]),
        ("a: b \\\n  c # d\n", ["L a: b \\\n  c", "# # d"]),
        ("a: b \\", ["L a: b \\"]),
        ("x = 1 + \\\n 2\n", ["L x = 1 + \\\n 2"]),
        # brackets
        ("x = [\n 1, # one\n 2\n]\ny = 3", ["L x = [\n 1, # one\n 2\n]", "L y = 3"]),
        ("x = {'a': (1,\n2)}", ["L x = {'a': (1,\n2)}"]),
        ("x = (')'\n)\ny = 1", ["L x = (')'\n)", "L y = 1"]),
        ('x = ("""\n)"""\n)\ny = 1', ['L x = ("""\n)"""\n)', "L y = 1"]),
        ("@env(\n A='1',\n)\na: b", ["L @env(\n A='1',\n)", "L a: b"]),
        ("x += [\n1]\n", ["L x += [\n1]"]),
        ("x?=[\n1]\n", ["L x?=[\n1]"]),
        ("a: b[\nc: d", ["L a: b[", "L c: d"]),
        ("a: b{c\nd: e}", ["L a: b{c", "L d: e}"]),
        # what is never closed costs one line
        ("x = [1,\ny = 2", ["L x = [1,", "L y = 2"]),
        ("x = 'a\ny = 2", ["L x = 'a", "L y = 2"]),
        ('a: "b\nc: d', ['L a: "b', "L c: d"]),
        ("@env(\na: b", ["L @env(", "L a: b"]),
        ("a: it's\nb: isn't", ["L a: it's", "L b: isn't"]),
        # blocks
        ("a:\n\tx\n\ty\nb:", ["L a:", "B \tx\n\ty", "L b:"]),
        ("a:\n  x\n\n  y\n\nb:", ["L a:", "B   x\n\n  y", "L b:"]),
        ("a:\n  x\n# at the margin\n  y\n", ["L a:", "B   x\n# at the margin\n  y"]),
        ("a:\n  x\n# behind\nb:", ["L a:", "B   x", "# # behind", "L b:"]),
        ("a:\n  x # the shell's\n", ["L a:", "B   x # the shell's"]),
        ("a:\n  x \\\n  y", ["L a:", "B   x \\\n  y"]),
        ("  x\na: b", ["B   x", "L a: b"]),
        ("a:\r\n\tx\r\n\ty\r\nb:\r\n", ["L a:", "B \tx\r\n\ty", "L b:"]),
    ],
)
def test_cut(text: str, parts: list[str]) -> None:
    assert cut_up(text) == parts


@pytest.mark.parametrize(
    "header",
    [
        "a: <f('#')>",
        "a: <x:[(]>.c",
        "a: \\(b",
    ],
)
def test_a_header_ends_with_its_line_whatever_stands_below(header: str) -> None:
    """Brackets and strings inside a placeholder are its own affair."""
    assert cut_up(f"{header}\nb: c)d\n") == [f"L {header}", "L b: c)d"]


def test_three_quotes_in_a_header_do_not_hide_the_rest() -> None:
    text = 'a: """\npython:\n    def f():\n        """Doc."""\n'
    assert cut_up(text)[:2] == ['L a: """', "L python:"]


_soup = st.lists(
    st.sampled_from(
        [
            "all",
            ":",
            " ",
            "\n",
            "\n    ",
            "\n\t",
            "<",
            ">",
            "<x>",
            "<x:[ab]>",
            "<x.path>",
            "<x[0]>",
            "<f(a, 'b', 1.5)>",
            "<x",
            "<f(",
            '"',
            "'",
            '"""',
            "\\",
            "\\\n",
            "#",
            "# c\n",
            "=",
            "?=",
            "+=",
            "x = ",
            "x = [1,\n 2]",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "|",
            "&:",
            "::",
            "%.o",
            "*.c",
            "split s: ",
            "collate ",
            "combinations(2) ",
            "@temp\n",
            "@pool('a', 2)\n",
            "@",
            "python:",
            "python:\n    x = 1\n",
            "include ",
            "-include a b\n",
            ".PHONY: ",
            "\r\n",
            "\t",
            "ü",
            "\0",
            "\x0b",
            "\x0c",
            "\u2028",
            "\ufeff",
            "$",
            "`",
            "a=b",
            "ref=",
            "endif",
            "1",
            "-1",
            ".",
            ",",
            "\n    echo <input> > <output>\n",
            "\n  @-+\n",
            "a b",
            "\xa0",
        ]
    ),
    max_size=25,
).map("".join)
_anything = st.one_of(
    _soup, st.text(max_size=60), st.text(alphabet="ab:<>=\"'()\n \t#|@\\", max_size=40)
)


@given(_anything)
def test_parts_stand_in_order_and_lose_nothing_but_blanks(text: str) -> None:
    position = 0
    for part in cut(text):
        assert not text[position : part.start].strip(), "text between two parts"
        assert part.start < part.end
        position = part.end
        if isinstance(part, Line) and part.comment:
            assert not text[position : part.comment[0]].strip()
            position = part.comment[1]
    assert not text[position:].strip()


# -- trees ----------------------------------------------------------------------------------------


def show(tree: syntax.Tree) -> list[str]:
    """Each statement of a tree as one short text."""
    return [_statement(each) for each in tree.statements]


def _statement(node: syntax.Statement) -> str:
    if isinstance(node, syntax.Assignment):
        return f"({node.operator} {node.name} {node.expression.text})"
    if isinstance(node, syntax.Include):
        words = " ".join(map(_word, node.words))
        return f"({'-' if node.optional else ''}include {words})"
    if isinstance(node, syntax.PythonBlock):
        return f"(python {_rows(node.block)})"
    if isinstance(node, syntax.Decoration):
        return _decoration(node)
    if isinstance(node, syntax.Comment):
        source = node.span.source
        return f"({source.text[node.span.start : node.span.end]})"
    if isinstance(node, syntax.Invalid):
        return "(invalid)"
    parts = ["rule", *map(_decoration, node.decorations)]
    if node.kind:
        parts.append(f"kind={node.kind}")
    parts += ["[" + " ".join(map(_word, words)) + "]" for words in node.segments]
    if node.grouped:
        parts.append("&")
    if node.order_only:
        parts.append("| [" + " ".join(map(_word, node.order_only)) + "]")
    if node.block is not None:
        parts.append(_rows(node.block))
    return f"({' '.join(parts)})"


def _decoration(node: syntax.Decoration) -> str:
    return f"@{node.name}" + (f"({node.arguments.text})" if node.arguments else "")


def _rows(block: syntax.Block) -> str:
    return repr([text for _, text in block.lines])


def _word(word: syntax.Word) -> str:
    inside = "+".join(
        repr(piece.text)
        if isinstance(piece, syntax.Text)
        else f"<{piece.reference}{'' if piece.regex is None else ':' + piece.regex}>"
        for piece in word.pieces
    )
    return f"{word.alias}={inside}" if word.alias else inside


def tree_of(text: str) -> tuple[syntax.Tree, list[Diagnostic]]:
    return parse(Source("Pipefile", text))


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        # assignments
        ('cc = "gcc"', ['(= cc "gcc")']),
        ('cflags ?= "-O2"', ['(?= cflags "-O2")']),
        ("x += [1, 2]", ["(+= x [1, 2])"]),
        ("x=1", ["(= x 1)"]),
        ("x = [\n  1,\n]", ["(= x [\n  1,\n])"]),
        ("x = 1  # one", ["(= x 1)", "(# one)"]),
        ("x = a == b", ["(= x a == b)"]),
        ("x = y if a != b else z", ["(= x y if a != b else z)"]),
        ("x = f'<{y}>'", ["(= x f'<{y}>')"]),
        ("x = lambda a: a", ["(= x lambda a: a)"]),
        # plain rules
        ("a: b", ["(rule ['a'] ['b'])"]),
        ("a : b", ["(rule ['a'] ['b'])"]),
        ("a:", ["(rule ['a'] [])"]),
        ("a b: c d", ["(rule ['a' 'b'] ['c' 'd'])"]),
        ("a b &: c", ["(rule ['a' 'b'] ['c'] &)"]),
        ("a b&: c", ["(rule ['a' 'b'] ['c'] &)"]),
        ("a: b | c d", ["(rule ['a'] ['b'] | ['c' 'd'])"]),
        ("a: | c", ["(rule ['a'] [] | ['c'])"]),
        ("%.o: %.c", ["(rule ['%.o'] ['%.c'])"]),
        ("x.o y.o: %.o: %.c", ["(rule ['x.o' 'y.o'] ['%.o'] ['%.c'])"]),
        (".PHONY: clean", ["(rule ['.PHONY'] ['clean'])"]),
        ("a: src/*.c t?.[ch]", ["(rule ['a'] ['src/*.c' 't?.[ch]'])"]),
        ("c: o/<basename>.o: s/*.c", ["(rule ['c'] ['o/'+<basename>+'.o'] ['s/*.c'])"]),
        ("a: b \\\n  c", ["(rule ['a'] ['b' 'c'])"]),
        ("a: b # why", ["(rule ['a'] ['b'])", "(# why)"]),
        # kinds
        (
            "collate align: bam/<s>.bam: reads/<s>_R<m:[12]>.fq ref=<reference>",
            [
                "(rule kind=collate ['align'] ['bam/'+<s>+'.bam'] "
                "['reads/'+<s>+'_R'+<m:[12]>+'.fq' ref=<reference>])"
            ],
        ),
        ("split s: s/*.fa: x.fa", ["(rule kind=split ['s'] ['s/*.fa'] ['x.fa'])"]),
        ("split s/*.fa: x.fa", ["(rule kind=split ['s/*.fa'] ['x.fa'])"]),
        ("split: x", ["(rule ['split'] ['x'])"]),
        ("collate = 1", ["(= collate 1)"]),
        (
            "product p: <a.basename>-<b.basename>: a=l/*.t b=r/*.t",
            ["(rule kind=product ['p'] [<a.basename>+'-'+<b.basename>] [a='l/*.t' b='r/*.t'])"],
        ),
        (
            "combinations(2) c: <x>: *.t",
            ["(rule kind=combinations(2) ['c'] [<x>] ['*.t'])"],
        ),
        (
            "combinations_with_replacement(3) c: <x>: *.t",
            ["(rule kind=combinations_with_replacement(3) ['c'] [<x>] ['*.t'])"],
        ),
        ("value v: a <b>", ["(rule kind=value ['v'] ['a' <b>])"]),
        ("value v:", ["(rule kind=value ['v'] [])"]),
        ("value: v", ["(rule ['value'] ['v'])"]),
        ("value = 1", ["(= value 1)"]),
        ("value ?= 1", ["(?= value 1)"]),
        ("split += 1", ["(+= split 1)"]),
        ("value.txt: a", ["(rule ['value.txt'] ['a'])"]),
        # words
        ('"a b.txt": "c:d" "e|f" "g#h" "i=j"', ["(rule ['a b.txt'] ['c:d' 'e|f' 'g#h' 'i=j'])"]),
        ("a\\ b: c\\:d e\\#f g\\=h", ["(rule ['a b'] ['c:d' 'e#f' 'g=h'])"]),
        ("a\\*b: c\\%d", ["(rule ['a\\\\*b'] ['c\\\\%d'])"]),
        ("a\\<b>: c", ["(rule ['a<b>'] ['c'])"]),
        ('"a <x>.t": b', ["(rule ['a '+<x>+'.t'] ['b'])"]),
        ('o/"a b"/c: d', ["(rule ['o/'+'a b'+'/c'] ['d'])"]),
        ('"": b', ["(rule [''] ['b'])"]),
        ("über: straße", ["(rule ['über'] ['straße'])"]),
        ("a: it's", ["(rule ['a'] [\"it's\"])"]),
        ("a: b&c", ["(rule ['a'] ['b&c'])"]),
        ("a log=run.log: ref=genome.fa", ["(rule ['a' log='run.log'] [ref='genome.fa'])"]),
        ('a: ref="my genome.fa"', ["(rule ['a'] [ref='my genome.fa'])"]),
        # placeholders
        ("a: <x>", ["(rule ['a'] [<x>])"]),
        ("a: <x.y.z>", ["(rule ['a'] [<x.y.z>])"]),
        ("a: <x[0]> <x[-1].ext>", ["(rule ['a'] [<x[0]> <x[-1].ext>])"]),
        ("a: <f()>", ["(rule ['a'] [<f()>])"]),
        (
            "a: <f(x, 'a b', \"c>d\", -1, 2.5, g(y).z)>",
            ["(rule ['a'] [<f(x, 'a b', 'c>d', -1, 2.5, g(y).z)>])"],
        ),
        ("a: <f('x:y|z#')>", ["(rule ['a'] [<f('x:y|z#')>])"]),
        ("a<x:a|b>: c", ["(rule ['a'+<x:a|b>] ['c'])"]),
        ("a: <r:**>", ["(rule ['a'] [<r:**>])"]),
        ("a: <x:[0-9]{2}>.c", ["(rule ['a'] [<x:[0-9]{2}>+'.c'])"]),
        ("a: <x:(?:a b)>", ["(rule ['a'] [<x:(?:a b)>])"]),
        # recipes
        ("a: b\n\tx\n\t\ty\n", ["(rule ['a'] ['b'] ['x', '\\ty'])"]),
        ("a: b\n    x\n      y\n\n    z\n", ["(rule ['a'] ['b'] ['x', '  y', '', 'z'])"]),
        ("a:\n      x\n    y\n", ["(rule ['a'] [] ['  x', 'y'])"]),
        (
            "a:\n  # not a comment of ours\n  x\n",
            ["(rule ['a'] [] ['# not a comment of ours', 'x'])"],
        ),
        ("a:\r\n\tx\r\n\ty\r\n", ["(rule ['a'] [] ['x', 'y'])"]),
        ("a: # why\n  x\n", ["(rule ['a'] [] ['x'])", "(# why)"]),
        ("a:\n\n  x\n", ["(rule ['a'] [] ['x'])"]),
        # attributes
        ("@temp\na: b", ["(rule @temp ['a'] ['b'])"]),
        ("@retries(2, delay=1)\n@temp\na:", ["(rule @retries(2, delay=1) @temp ['a'] [])"]),
        ("@env()\na:", ["(rule @env ['a'] [])"]),
        ("@env(\n  A=')',\n)\na:", ["(rule @env(A=')',) ['a'] [])"]),
        ("@temp  # why\na:", ["(# why)", "(rule @temp ['a'] [])"]),
        ("@temp\n# between\na:", ["(# between)", "(rule @temp ['a'] [])"]),
        # python and include
        ("python:\n    x = 1\n    y = 2\n", ["(python ['x = 1', 'y = 2'])"]),
        ("python :\n    x = 1\n", ["(python ['x = 1'])"]),
        ("python:  # helpers\n    x = 1\n", ["(python ['x = 1'])", "(# helpers)"]),
        ("python: x", ["(rule ['python'] ['x'])"]),
        ("include a.pipe", ["(include 'a.pipe')"]),
        ('include a.pipe "b c.pipe"', ["(include 'a.pipe' 'b c.pipe')"]),
        ("-include a.pipe", ["(-include 'a.pipe')"]),
        ("include: x", ["(rule ['include'] ['x'])"]),
        # comments
        ("# one\n# two\n", ["(# one)", "(# two)"]),
        ("#", ["(#)"]),
        ("a:\n  x\n# after\nb:", ["(rule ['a'] [] ['x'])", "(# after)", "(rule ['b'] [])"]),
    ],
)
def test_parse(text: str, statements: list[str]) -> None:
    tree, wrong = tree_of(text)
    assert [each.message for each in wrong] == []
    assert show(tree) == statements


def test_a_comment_at_the_margin_inside_a_recipe_is_kept() -> None:
    """Comments are nodes of the tree, wherever they stand."""
    tree, _ = tree_of("a:\n  x\n# between\n  y\n")
    assert "(# between)" in show(tree)


@pytest.mark.parametrize(
    ("broken", "code", "place"),
    [
        ("x =", "PB102", (2, 1)),
        ("what is this", "PB101", None),
        ("ifeq (a,b)", "PB101", None),
        ("a: b: c: d", "PB103", (2, 8)),
        ("a:: b", "PB103", (2, 2)),
        ("a: b | c | d", "PB103", (2, 10)),
        ("a: b = c", "PB101", (2, 6)),
        ('a: "b', "PB101", (2, 4)),
        ("a: <b", "PB104", (2, 4)),
        ("a: <b+c>", "PB104", None),
        ("a: <b[x]>", "PB104", None),
        ("@temp(", "PB105", None),
        ("@1", "PB105", None),
        ("@temp)", "PB105", None),
        (": b", "PB205", (2, 1)),
    ],
)
def test_a_broken_line_costs_only_itself(
    broken: str, code: str | None, place: tuple[int, int] | None
) -> None:
    tree, wrong = tree_of(f"one: two\n{broken}\n    echo x\n# kept\nthree: four\n")
    shown = show(tree)
    assert shown[0] == "(rule ['one'] ['two'])"
    assert shown[-2:] == ["(# kept)", "(rule ['three'] ['four'])"]
    if code is not None:
        assert [each.code for each in wrong] == [code]
    for each in wrong:
        assert each.span is not None
        assert each.span.place[0] == 2
        if place:
            assert each.span.place == place


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("    echo x\n", "PB107"),
        ("x = 1\n    echo x\n", "PB107"),
        ("python:\na: b\n", "PB108"),
        ("@temp\nx = 1\n", "PB109"),
        ("@temp\n", "PB109"),
        ("@temp\npython:\n    x = 1\n", "PB109"),
        ("a:\n    x\n\ty\n", "PB106"),
        ("a:\n\tx\n        y\n", "PB106"),
    ],
)
def test_what_stands_in_the_wrong_place(text: str, code: str) -> None:
    _, wrong = tree_of(text)
    assert [each.code for each in wrong] == [code]


def test_a_huge_index_is_a_complaint_or_a_number_but_no_crash() -> None:
    tree, _ = tree_of(f"a: <x[{'1' * 5000}]>\nb: c\n")
    assert show(tree)[-1] == "(rule ['b'] ['c'])"


# -- plain headers --------------------------------------------------------------------------------

_bits = st.sampled_from(
    "a / . x.o * <n> <n.ext> <n[0]> <inputs[-1].basename> <f(x)> <n:[0-9]+> <n.> <n[]> <n[1][2].a> "
    "<n <1> < > é [ab] <n.a[0]> <é>".split()
)


@given(word=st.lists(_bits, min_size=1, max_size=5).map("".join))
@settings(max_examples=500, deadline=None)
def test_the_short_way_for_plain_words_is_the_way_of_the_grammar(word: str) -> None:
    source = Source("Pipefile", f"{word}: {word}\n  <input> {word}\n")
    short = parse(source)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_PLAIN_PIECES", "_PLAIN_PLACEHOLDER"):
            patch.setattr(f"pybuild.pipefile.parse.{name}", re.compile(r"(?!)"))
        patch.setattr("pybuild.pipefile.parse._parsed", {})
        assert parse(source) == short


_words = st.sampled_from(
    "a b.o <n> a/<n>.o <n.ext>x<n[0]> <n:x> <f(x)> src/x-1.c %.o * café it's x(1) [ab] +x? a,b ~/a @a !a $(a) {a} /a -a include -include "
    "include.d python split collate value product combinations(2) permutations( combinations "
    "ifdef".split()
)
_marks = st.sampled_from('A=b =b "q" <s> <s> \\ \\: # ; & &: | : : : ::'.split())
_blanks = st.sampled_from([" ", " ", "", "\t", "\xa0", "\f", "\x0b", "\u2028"])
_segments = st.lists(st.tuples(_words, st.just(" ")).map("".join), min_size=1, max_size=3)
_headers = st.one_of(
    st.lists(st.one_of(_words, _marks, _blanks), max_size=9).map("".join),
    st.lists(_segments.map("".join), min_size=1, max_size=4).map(": ".join),
)


@given(header=_headers)
@example(header="a: b c")
@example(header="name: a b : c")
@example(header="a:")
@example(header="split a: b")
@example(header="python :")
@settings(max_examples=500, deadline=None)  # the first one builds the grammar
def test_the_short_way_for_plain_headers_is_the_way_of_the_grammar(header: str) -> None:
    source = Source("Pipefile", f"{header}\n  recipe\n")
    short = parse(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pybuild.pipefile.parse._PLAIN_HEADER", re.compile(r"(?!)"))
        assert parse(source) == short


def test_a_file_of_plain_headers_needs_no_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("pybuild.pipefile.parse.parser")
    source = Source(
        "Pipefile", "out/1.o: in/1.c in/1.h\n  cc -c in/1.c\nall : out/*.o\nn: <n>.a: b/<n>"
    )
    tree, diagnostics = parse(source)
    assert not diagnostics
    words = [[[at(word) for word in part] for part in rule.segments] for rule in rules(tree)]
    assert words == [
        [["1:1 out/1.o"], ["1:10 in/1.c", "1:17 in/1.h"]],
        [["3:1 all"], ["3:7 out/*.o"]],
        [["4:1 n"], ["4:4 <n>.a"], ["4:11 b/<n>"]],
    ]


def rules(tree: syntax.Tree) -> list[syntax.Rule]:
    return [each for each in tree.statements if isinstance(each, syntax.Rule)]


def at(word: syntax.Word) -> str:
    line, column = word.span.place
    return f"{line}:{column} {word.span.source.text[word.span.start : word.span.end]}"


# -- spans ----------------------------------------------------------------------------------------


def nodes(value: object) -> Iterator[object]:
    """All nodes of a tree, from the outside in."""
    if isinstance(value, Span | Source):
        return
    if isinstance(value, tuple):
        if hasattr(value, "span"):
            yield value
        for each in value:
            yield from nodes(each)


def text_of(span: Span) -> str:
    return span.source.text[span.start : span.end]


_FILE = dedent(
    """\
    # first
    cc ?= "gcc"  # compiler

    @temp
    @retries(2, delay="1s")
    collate join: out/<s>.txt log="run <s>.log": in/<s>_<p:[0-9]+>.txt \\
          ref=<refs[0].path> a\\ b | tools/
    \techo <inputs>
    \t  cat

    -include "x y.pipe" z.pipe
    python:
        def f(x):
            return x
    """
)


def test_spans_are_exact() -> None:
    tree, wrong = tree_of(_FILE)
    assert wrong == []
    comment, assignment, trailing, rule, include, block = tree.statements
    assert text_of(comment.span) == "# first"
    assert isinstance(assignment, syntax.Assignment)
    assert text_of(assignment.span) == 'cc ?= "gcc"'
    assert text_of(assignment.expression.span) == '"gcc"'
    assert text_of(trailing.span) == "# compiler"
    assert isinstance(rule, syntax.Rule)
    assert text_of(rule.span).startswith("collate join:")
    assert text_of(rule.span).endswith("| tools/")
    assert [text_of(each.span) for each in rule.decorations] == [
        "@temp",
        '@retries(2, delay="1s")',
    ]
    arguments = rule.decorations[1].arguments
    assert arguments is not None
    assert text_of(arguments.span) == '2, delay="1s"'
    words = [text_of(word.span) for segment in rule.segments for word in segment]
    assert words == [
        "join",
        "out/<s>.txt",
        'log="run <s>.log"',
        "in/<s>_<p:[0-9]+>.txt",
        "ref=<refs[0].path>",
        "a\\ b",
    ]
    assert [text_of(word.span) for word in rule.order_only] == ["tools/"]
    holes = [text_of(each.span) for each in nodes(rule) if isinstance(each, syntax.Placeholder)]
    assert holes == ["<s>", "<s>", "<s>", "<p:[0-9]+>", "<refs[0].path>"]
    assert rule.block is not None
    assert text_of(rule.block.span) == "echo <inputs>\n\t  cat"
    for offset, row in rule.block.lines:
        assert tree.source.text.startswith(row, offset)
    assert isinstance(include, syntax.Include)
    assert [text_of(word.span) for word in include.words] == ['"x y.pipe"', "z.pipe"]
    assert isinstance(block, syntax.PythonBlock)
    for offset, row in block.block.lines:
        assert tree.source.text.startswith(row, offset)


def test_spans_are_exact_with_windows_newlines() -> None:
    tree, wrong = tree_of(_FILE.replace("\n", "\r\n"))
    assert wrong == []
    for each in nodes(tree.statements):
        if isinstance(each, syntax.Placeholder):
            text = text_of(each.span)
            assert text.startswith("<")
            assert text.endswith(">")
        if isinstance(each, syntax.Block):
            assert all(tree.source.text.startswith(row, offset) for offset, row in each.lines)
        if isinstance(each, syntax.Text) and text_of(each.span) != each.text:
            assert text_of(each.span).replace("\\ ", " ") == each.text


def test_placeholders_of_recipes_come_with_the_tree() -> None:
    tree, _ = tree_of("@depfile('<path>.d')\na: b\n    x <input> < y <f(1)> <no+good>\n")
    known = {text: form is not None for text, form in tree.placeholders.items()}
    assert known == {"<path>": True, "<input>": True, "<f(1)>": True}


def test_a_tree_survives_pickling() -> None:
    tree, _ = tree_of(_FILE)
    assert show(pickle.loads(pickle.dumps(tree))) == show(tree)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<x>", "x"),
        ("<x.y[1]>", "x.y[1]"),
        ("<f(x, 'y')>", "f(x, 'y')"),
        ("<x+1>", None),
        ("<x>y", None),
        ("<>", None),
        ("<1>", None),
    ],
)
def test_parse_placeholder(text: str, shown: str | None) -> None:
    found = parse_placeholder(text, Span(Source("f", text), 0, len(text)))
    assert (None if found is None else str(found.reference)) == shown


# -- anything at all ------------------------------------------------------------------------------


@settings(max_examples=400)
@given(_anything)
def test_there_is_always_a_tree(text: str) -> None:
    tree, wrong = tree_of(text)
    size = len(text)
    for each in nodes(tree.statements):
        span = each.span  # type: ignore[attr-defined]
        assert 0 <= span.start <= span.end <= size
    for diagnostic in wrong:
        assert diagnostic.span is not None
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= size
    statements = [each.span for each in tree.statements]
    invalid = any(isinstance(each, syntax.Invalid) for each in tree.statements)
    assert invalid <= bool(wrong), "something is invalid and nobody says why"
    assert all(span.source is tree.source for span in statements)


@given(_anything)
def test_good_lines_before_and_behind_are_not_lost(text: str) -> None:
    """What a text that never opens a bracket or string does to the lines around it: nothing."""
    harmless = "".join(char for char in text if char not in "()[]{}\"'\\")
    tree, _ = tree_of(f"one: two\n{harmless}\nthree: four\n")
    shown = show(tree)
    assert shown[0].startswith("(rule ['one'] ['two']")
    assert shown[-1] == "(rule ['three'] ['four'])" or shown[-1].endswith(" ['three'] ['four'])")


@given(st.lists(st.sampled_from(["# a", "a: b # c", "x = 1 # d", "@temp # e", "no no # f"])))
def test_comments_are_kept(rows: list[str]) -> None:
    tree, _ = tree_of("\n".join(rows))
    kept = [text_of(each.span) for each in tree.statements if isinstance(each, syntax.Comment)]
    assert sorted(kept) == sorted(row[row.index("#") :] for row in rows)


def test_cut_gives_plain_parts() -> None:
    found = list(cut("a: b # c\n# d\n  e\n"))
    assert found == [Line(0, 4, (5, 8)), Comment(9, 12), Block(13, 16)]
