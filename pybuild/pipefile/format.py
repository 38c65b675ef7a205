"""A Pipefile in one style: the same rules, comments and recipes, laid out anew.

Words, expressions and recipes are taken over as they are written; what changes is what stands
between them. Nothing here reads or writes files. What counts of a recipe (`RecipeTemplate`) stays
the same, so no job runs because of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from warnings import catch_warnings, simplefilter

from pybuild.pipefile import lines, syntax
from pybuild.pipefile.inline import INDENT, Snippet, Tidy, tidied
from pybuild.pipefile.parse import parse
from pybuild.pipefile.recipe import cut_recipe, flags_size
from pybuild.pipefile.shelltext import trimmed
from pybuild.pipefile.usercode import (
    Row,
    compile_arguments,
    compile_expression,
    is_written_as_list,
)
from pybuild.regex import regex
from pybuild.source import BuildError, Diagnostic, Source
from pybuild.typed import NamedTuple

WIDTH = 100  # of a header; longer ones are broken
_MOST_ALIGNED = 40  # further to the right a line that goes on does not begin
_HANGING = 8  # where it begins then; further than a recipe
_BYTE_ORDER_MARK = "\ufeff"

_MARK = regex(r"&:|:|\||[^\s\\]|\\(?!\n)")  # what may stand between words, and what may not
_COLON = regex(r":[ \t]*(#.*)?$")
_UNTIDIED = frozenset(("depends",))  # what it names counts as it is written

_ATTRIBUTE, _ASSIGNMENT, _INCLUDE, _RULE = "attribute", "assignment", "include", "rule"
_PYTHON, _COMMENT = "python", "comment"


def format_text(text: str, name: str, tidy: Tidy | None = None) -> str:
    """The text of a Pipefile in the one style; formatted twice it stays the same. `name` is what
    its file is called, `tidy` formats the Python in it, which is left alone without. The ends of
    lines (CRLF, if most are) and a byte order mark stay. Raises BuildError for a text with mistakes
    of form, since what is lost on one line may belong to the next."""
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    crlf = text.count("\r\n")
    is_dos = 2 * crlf > text.count("\n")
    source = Source(name, text.removeprefix(mark).replace("\r\n", "\n"))
    tree, diagnostics = parse(source)
    errors = [each for each in diagnostics if each.severity == "error"]
    with catch_warnings():
        simplefilter("ignore")  # of `"\\d"` a build tells
        errors += _wrong_expressions(tree)
    if errors:
        raise BuildError(*errors)
    python = tidied(_snippets(tree), tidy) if tidy else {}
    rows = _spaced(_items(tree, python))
    made = "".join(f"{row}\n" for row in rows)
    return mark + (made.replace("\n", "\r\n") if is_dos else made)


def _wrong_expressions(tree: syntax.Tree) -> Iterator[Diagnostic]:
    """Mistakes in Python outside of blocks, which may go on in lines that seem to be others."""
    for node in tree.statements:
        try:
            if isinstance(node, syntax.Assignment):
                compile_expression(node.expression)
            for each in node.decorations if isinstance(node, syntax.Rule) else ():
                if isinstance(each.arguments, syntax.PythonText):
                    compile_arguments(each.arguments)
        except BuildError as error:
            yield from error.diagnostics


# -- statements ----------------------------------------------------------------------------------


class _Item(NamedTuple):
    """A statement or comment: its lines, those of its block, and the comment behind it with the
    column (from 0) where it stood. `is_apart` if a blank line stood above it."""

    kind: str
    rows: Sequence[str]
    is_apart: bool
    body: Sequence[str] = ()
    comment: str = ""
    column: int = 0


def _items(tree: syntax.Tree, python: Mapping[Snippet, Sequence[str]]) -> list[_Item]:
    """What a tree holds, in the order of the text."""
    text = tree.source.text
    nodes = dict(_by_start(tree))
    found: list[_Item] = []
    end = 0
    for part in lines.cut(text):
        is_apart = text.count("\n", end, part.start) > 1
        end = part.end
        if isinstance(part, lines.Comment):
            found.append(_Item(_COMMENT, [text[part.start : part.end]], is_apart))
        elif isinstance(part, lines.Line):
            kind, rows = _statement(nodes[part.start], python)
            comment, column = "", 0
            if part.comment is not None:
                start, end = part.comment
                comment, column = text[start:end], start - text.rfind("\n", 0, start) - 1
            found.append(_Item(kind, rows, is_apart, (), comment, column))
        else:
            head = found[-1]
            block = nodes[part.start]
            assert isinstance(block, syntax.Block)
            lay_out = _python_block if head.kind == _PYTHON else _recipe
            found[-1] = head._replace(body=lay_out(block, python))
    return found


def _by_start(tree: syntax.Tree) -> Iterator[tuple[int, syntax.Statement | syntax.Block]]:
    """Statements and blocks, by where their lines begin."""
    text = tree.source.text
    for node in tree.statements:
        yield node.span.start, node
        if isinstance(node, syntax.Rule):
            for each in node.decorations:
                yield each.span.start, each
        block = node.block if isinstance(node, syntax.Rule | syntax.PythonBlock) else None
        if isinstance(block, syntax.Block):
            yield text.rfind("\n", 0, block.span.start) + 1, block


def _statement(
    node: syntax.Statement | syntax.Block, python: Mapping[Snippet, Sequence[str]]
) -> tuple[str, Sequence[str]]:
    """What kind of statement it is, and its lines."""
    if isinstance(node, syntax.Assignment):
        return _ASSIGNMENT, _assignment(node, python)
    if isinstance(node, syntax.Decoration):
        return _ATTRIBUTE, _attribute(node, python)
    if isinstance(node, syntax.Include):
        return _INCLUDE, _include(node)
    if isinstance(node, syntax.Rule):
        return _RULE, _header(node)
    return _PYTHON, ["python:"]


def _assignment(node: syntax.Assignment, python: Mapping[Snippet, Sequence[str]]) -> list[str]:
    expression = node.expression.text
    made = "\n".join(python.get(_assigned(node), ()))
    if made.startswith(_start(node)):
        other = made.removeprefix(_start(node))
        # Brackets around it would make a list of what the command line gives.
        if is_written_as_list(other) == is_written_as_list(expression):
            expression = other
    return f"{node.name} {node.operator} {expression}".split("\n")


def _attribute(node: syntax.Decoration, python: Mapping[Snippet, Sequence[str]]) -> list[str]:
    if not isinstance(node.arguments, syntax.PythonText):
        return [f"@{node.name}()" if "(" in _written(node) else f"@{node.name}"]
    snippet = _called(node)
    made = "\n".join(python.get(snippet, ()))
    if node.name in _UNTIDIED or not made.startswith(f"_{node.name}("):
        made = "\n".join(snippet.lines)
    return f"@{made[1:]}".split("\n")


def _written(node: syntax.Statement) -> str:
    span = node.span
    return span.source.text[span.start : span.end]


# -- headers -------------------------------------------------------------------------------------


class _Word(NamedTuple):
    """A word of a header with the colon behind it, if it has one; `breaks` if it began a line."""

    text: str
    breaks: bool = False
    has_colon: bool = False


def _header(rule: syntax.Rule) -> list[str]:
    """The lines of a header; as they are if something stands there that is neither word nor mark,
    such as a comment inside brackets."""
    places = [word.span for part in (*rule.segments, rule.order_only) for word in part]
    spans = sorted((span.start, span.end) for span in places)
    found = _words(rule, rule.kind, rule.span.start + len(rule.kind), spans)
    if found is None or (not rule.kind and _hides_keyword(rule, spans)):
        return _written(rule).split("\n")
    colons = [number for number, word in enumerate(found, 1) if word.has_colon]
    return _broken(found, colons[-1])


def _hides_keyword(rule: syntax.Rule, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether something else than blanks stands behind the first target: that may keep it from
    being read as a keyword."""
    (_, end), *others = spans
    gap = rule.span.source.text[end : others[0][0]] if others else ""
    return ":" not in gap and gap.strip(" \t") != ""


def _include(node: syntax.Include) -> list[str]:
    keyword = "-include" if node.optional else "include"
    spans = [(word.span.start, word.span.end) for word in node.words]
    found = _words(node, keyword, node.span.start + len(keyword), spans)
    return _written(node).split("\n") if found is None else _broken(found, 1)


def _words(
    node: syntax.Rule | syntax.Include, first: str, start: int, spans: Sequence[tuple[int, int]]
) -> list[_Word] | None:
    """The words of a logical line; `first` is a keyword before character `start`, or nothing."""
    text = node.span.source.text
    found = [_Word(first)] if first else []
    if not text.startswith(first, node.span.start):
        return None
    for begin, end in spans:
        gap = text[start:begin]
        if "\n" in text[begin:end] or not _add_marks(found, gap):
            return None
        found.append(_Word(text[begin:end], "\n" in gap and bool(found)))
        start = end
    if not _add_marks(found, text[start : node.span.end]):
        return None
    if found[-1].text == "|":
        found.pop()  # behind which nothing stands
    return found


def _add_marks(found: list[_Word], gap: str) -> bool:
    """Puts colons to the word before them. False for what cannot stand between words, and where a
    colon would be read as another one."""
    for mark in _MARK.findall(gap):
        if mark == "|":
            found.append(_Word(mark))
        elif mark not in (":", "&:") or not found or found[-1].text.endswith("&"):
            return False
        else:
            text = f"{found[-1].text}:" if mark == ":" else f"{found[-1].text} &:"
            found[-1] = found[-1]._replace(text=text, has_colon=True)
    return True


def _broken(words: Sequence[_Word], head: int) -> list[str]:
    """The words in lines that are not too long, broken where they were and where they have to be;
    `head` is how many stand before those that may be many."""
    margin = " " * _margin(words, head)
    rows = [words[0].text]
    for number, word in enumerate(words[1:], 1):
        if word.breaks or len(rows[-1]) + 1 + len(word.text) > _room(words, number):
            rows[-1] += " \\"
            rows.append(margin + word.text)
        else:
            rows[-1] += f" {word.text}"
    return rows


def _room(words: Sequence[_Word], number: int) -> int:
    """How long a line may be that ends with a word: a backslash may have to follow."""
    return WIDTH if number + 1 == len(words) else WIDTH - 2


def _margin(words: Sequence[_Word], head: int) -> int:
    """The column where lines begin that go on: that of the first word behind the head, if it stands
    in the first line and not too far to the right."""
    column = len(" ".join(word.text for word in words[:head])) + 1
    if head >= len(words) or any(word.breaks for word in words[: head + 1]):
        return _HANGING
    end = column + len(words[head].text)
    return column if column <= _MOST_ALIGNED and end <= _room(words, head) else _HANGING


# -- blocks --------------------------------------------------------------------------------------


def _recipe(block: syntax.Block, python: Mapping[Snippet, Sequence[str]]) -> list[str]:
    """The lines of a recipe, make's marks at its start included."""
    marks, rows = _split_marks(block)
    if rows[0][1].startswith("#!"):
        # All the text of a script for another program counts.
        made = _indented(rows, block, [row for _, row in rows])
    else:
        made = [line for part in cut_recipe(rows) for line in _part(part, block, python)]
    if len(rows) < len(block.lines):
        return [INDENT + marks.rstrip(), *made]
    return [INDENT + marks + made[0].removeprefix(INDENT), *made[1:]]


def _split_marks(block: syntax.Block) -> tuple[str, Sequence[Row]]:
    """make's marks before a recipe, and its lines without them: one less if they stand alone."""
    (offset, first), *others = block.lines
    size = flags_size(first)
    if others and size == len(first):
        return first, others
    return first[:size], [(offset + size, first[size:]), *others]


def _part(
    part: tuple[Row | None, Sequence[Row]],
    block: syntax.Block,
    python: Mapping[Snippet, Sequence[str]],
) -> list[str]:
    head, rows = part
    if head is None:
        return _indented(rows, block, trimmed("\n".join(row for _, row in rows)).split("\n"))
    found = _COLON.search(head[1])
    comment = found[1] if found else None
    made = [f"{INDENT}python:  {comment}" if comment else f"{INDENT}python:"]
    inner = _dedented(rows, block)
    made += _python_rows(inner, 2, block, python)
    return [*made, ""] if len(inner) < len(rows) else made


def _python_block(block: syntax.Block, python: Mapping[Snippet, Sequence[str]]) -> list[str]:
    return _python_rows(block.lines, 1, block, python)


def _python_rows(
    rows: Sequence[Row],
    depth: int,
    block: syntax.Block,
    python: Mapping[Snippet, Sequence[str]],
) -> list[str]:
    """Lines of Python, as the formatter has them unless comments stand at the margin."""
    if _has_margin_comments(rows, block):
        return _indented(rows, block, [row for _, row in rows], depth)
    snippet = _snippet(rows, depth)
    return [INDENT * depth + row if row else "" for row in python.get(snippet, snippet.lines)]


def _indented(
    rows: Sequence[Row], block: syntax.Block, made: Sequence[str], depth: int = 1
) -> list[str]:
    """New lines for rows of a block, indented; comments at the margin stay there."""
    return [
        INDENT * depth + line if line else _margin_comment(row, block)
        for row, line in zip(rows, made, strict=True)
    ]


def _margin_comment(row: Row, block: syntax.Block) -> str:
    """The comment at the margin between the lines of a block, of which it is no part."""
    offset, line = row
    source = block.span.source
    if line or not source.text.startswith("#", offset):
        return ""
    return source.line(source.place(offset)[0]).rstrip()


def _has_margin_comments(rows: Sequence[Row], block: syntax.Block) -> bool:
    return any(_margin_comment(row, block) for row in rows)


def _dedented(rows: Sequence[Row], block: syntax.Block) -> list[Row]:
    """The lines of a Python part of a recipe without the indentation that they share, and without
    blank lines behind them."""
    cut = min((len(row) - len(row.lstrip()) for _, row in rows if row.strip()), default=0)
    found = [(offset + cut, row[cut:]) if row.strip() else (offset, "") for offset, row in rows]
    while found and not (found[-1][1] or _margin_comment(found[-1], block)):
        found.pop()
    return found


# -- Python --------------------------------------------------------------------------------------


def _snippets(tree: syntax.Tree) -> Iterator[Snippet]:
    """All Python in a file that a formatter may lay out anew."""
    for node in tree.statements:
        if isinstance(node, syntax.Assignment):
            yield _assigned(node)
        elif isinstance(node, syntax.PythonBlock):
            if not _has_margin_comments(node.block.lines, node.block):
                yield _snippet(node.block.lines, 1)
        elif isinstance(node, syntax.Rule):
            yield from _rule_snippets(node)


def _rule_snippets(rule: syntax.Rule) -> Iterator[Snippet]:
    for each in rule.decorations:
        if isinstance(each.arguments, syntax.PythonText) and each.name not in _UNTIDIED:
            yield _called(each)
    if not isinstance(rule.block, syntax.Block):
        return
    _, rows = _split_marks(rule.block)
    if rows[0][1].startswith("#!"):
        return
    for head, inner in cut_recipe(rows):
        if head is not None and not _has_margin_comments(inner, rule.block):
            yield _snippet(_dedented(inner, rule.block), 2)


def _snippet(rows: Sequence[Row], depth: int) -> Snippet:
    return Snippet(tuple(row for _, row in rows), depth)


def _assigned(node: syntax.Assignment) -> Snippet:
    """An assignment as one of Python's that is as long."""
    return Snippet(tuple((_start(node) + node.expression.text).split("\n")), 0)


def _start(node: syntax.Assignment) -> str:
    return f"{node.name}{'' if node.operator == '=' else '_'} = "


def _called(node: syntax.Decoration) -> Snippet:
    """An attribute with arguments as a call that is as long."""
    return Snippet(tuple(f"_{node.name}({_arguments(node)})".split("\n")), 0)


def _arguments(node: syntax.Decoration) -> str:
    """What stands in the brackets of an attribute; in one line without blanks around it."""
    text = _written(node)
    inner = text[text.index("(") + 1 : text.rindex(")")]
    return inner if "\n" in inner else inner.strip()


# -- lines ---------------------------------------------------------------------------------------


def _spaced(items: Sequence[_Item]) -> Iterator[str]:
    """The lines of all items, with blank lines between them and comments behind them."""
    parted = _partings(items)
    for item, rows, is_parted in zip(items, _commented(items, parted), parted, strict=True):
        if is_parted:
            yield ""
        yield from rows
        yield from item.body


def _partings(items: Sequence[_Item]) -> list[bool]:
    """Before which items a blank line stands: behind what has a block; before what has one, unless
    it follows rules without a block; none between an attribute and its rule; else where there was
    one."""
    parted = [item.is_apart for item in items]
    above = False  # whether attributes stand above, and their rule is still to come
    for number, before in enumerate(items[:-1]):
        above = before.kind == _ATTRIBUTE or (above and before.kind == _COMMENT)
        if before.body or above:
            parted[number + 1] = not above
    for number, item in enumerate(items):
        if item.body:
            first = _first_line(items, parted, number)
            if first and items[first - 1].kind in (_ASSIGNMENT, _INCLUDE):
                parted[first] = True
    return [False, *parted[1:]] if parted else []


def _first_line(items: Sequence[_Item], parted: Sequence[bool], number: int) -> int:
    """The first of the comments and attributes that stand right above an item."""
    while number and not parted[number] and items[number - 1].kind in (_COMMENT, _ATTRIBUTE):
        number -= 1
    return number


def _commented(items: Sequence[_Item], parted: Sequence[bool]) -> Iterator[Sequence[str]]:
    """The lines of each item but for its block, with the comment behind it. Comments of lines that
    follow one another are aligned: where they are, if that is one column far enough to the right,
    else two blanks behind the longest line."""
    run: list[_Item] = []
    for item, is_parted in zip(items, parted, strict=True):
        if run and (is_parted or run[-1].body or len(item.rows) > 1 or not item.comment):
            yield from _aligned(run)
            run = []
        if item.comment:
            run.append(item)
        else:
            yield item.rows
    yield from _aligned(run)


def _aligned(run: Sequence[_Item]) -> Iterator[Sequence[str]]:
    column = max((len(item.rows[-1]) for item in run), default=0) + 2
    columns = {item.column for item in run}
    if len(columns) == 1:
        column = max(column, *columns)
    for item in run:
        *others, last = item.rows
        yield [*others, f"{last:<{column}}{item.comment}"]
