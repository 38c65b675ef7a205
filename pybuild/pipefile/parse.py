"""Text becomes a tree and diagnostics; there is always a tree.

Each logical line is parsed for itself, so that a mistake costs one line. Knows the form of a
Pipefile and nothing of what names mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pybuild.pipefile import lines, syntax
from pybuild.pipefile.grammar import parser
from pybuild.pipefile.shelltext import spots
from pybuild.regex import regex
from pybuild.source import BuildError, Diagnostic, Source, Span
from pybuild.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Token, Tree

_MOST_NESTED = 50  # brackets inside a placeholder: what follows it calls itself
_NAME = regex(r"[A-Za-z_]\w*")
_ALIAS = regex(r"([A-Za-z_]\w*)=(?=.)", re.DOTALL)
# A word of make's at the start of a line, unless what follows makes it a target or a variable.
_DIRECTIVE = regex(r"([a-z]+)(?:[ \t]+(?![ \t:=+?&|])|$)")

# Placeholders that are a name with parts and indexes, and words of plain text and such placeholders
# need no grammar, which takes twenty times as long.
_PLAIN_TRAILER = regex(r"\.([A-Za-z_]\w*)|\[(-?\d{1,18})\]")
_PLACEHOLDER = r"<([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*|\[-?\d{1,18}\])*)>"
_PIECE = rf'{_PLACEHOLDER}|[^<"\\]+'
_PLAIN_PLACEHOLDER = regex(_PLACEHOLDER)
_PLAIN_PIECE = regex(_PIECE)
_PLAIN_PIECES = regex(rf"(?:{_PIECE})+")

# The same holds for a header of such words, one or two colons and a bar: its words can be nothing
# but WORDs. What could start with another terminal is left out.
_WORD = r'(?:[^\s:|#<"=&\\;]++|<[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[-?\d{1,18}\])*>)++'
_PLAIN_WORD = regex(_WORD)
_PLAIN_WORDS = rf"{_WORD}(?:[ \t]+{_WORD})*[ \t]*"
_PLAIN_HEADER = regex(
    r"(?!@|-?include\b|python\b|split\b|collate\b|value\b|product\b|combinations|permutations)"
    rf"({_PLAIN_WORDS}):(?:[ \t]*({_PLAIN_WORDS}):)?[ \t]*({_PLAIN_WORDS})?"
    rf"(?:\|[ \t]*({_PLAIN_WORDS})?)?"
)

_FORMS = (
    "a placeholder is `<name>`, `<name.part>`, `<name[0]>`, `<function(argument)>` or, "
    "in a prerequisite, `<name:regular expression>`"
)
_CONDITION = "a condition is a Python expression: `name = a if b else c`, or `@active_if(...)`"
_EXPORT = "`@env(NAME=value)` above a rule sets an environment variable for its recipe"
_DEFINE = 'a text of several lines is a Python expression: `name = """..."""`'
_DIRECTIVES = {
    "ifeq": _CONDITION,
    "ifneq": _CONDITION,
    "ifdef": _CONDITION,
    "ifndef": _CONDITION,
    "else": _CONDITION,
    "endif": _CONDITION,
    "define": _DEFINE,
    "endef": _DEFINE,
    "export": _EXPORT,
    "unexport": _EXPORT,
    "override": "`NAME=value` on the command line wins over the file: take the word away",
    "private": "take the word away: a variable belongs to the whole file",
    "undefine": "take the line away: a variable that nothing assigns is not defined",
    "vpath": "name the folder where the file is asked for: `src/%.c`",
    "sinclude": "write `-include`",
}


Forms = dict[str, Any]
"""What the grammar made of logical lines, by their text."""


def parse(source: Source, forms: Forms | None = None) -> tuple[syntax.Tree, list[Diagnostic]]:
    """The tree of a text and what is wrong with its form. `forms` are lines that were parsed
    before; those that were not are put there."""
    return parse_parts(source, lines.cut(source.text), forms)


def parse_parts(
    source: Source, parts: Iterable[lines.Part], forms: Forms | None = None
) -> tuple[syntax.Tree, list[Diagnostic]]:
    """The same for some of the parts that a text is cut into, at whose ends nothing goes on."""
    worker = _Parser(source, forms)
    for part in parts:
        if isinstance(part, lines.Line):
            worker.line(part)
        elif isinstance(part, lines.Comment):
            worker.flush()
            worker.statements.append(syntax.Comment(worker.span(part.start, part.end)))
        else:
            worker.block(part)
    worker.flush()
    worker.stray_decorations()
    found: dict[str, syntax.Form | None] = {}
    for statement in worker.statements:
        if isinstance(statement, syntax.Rule):
            if isinstance(statement.block, syntax.Block):
                found |= _placeholders("\n".join(row for _, row in statement.block.rows))
            for each in statement.decorations:
                if isinstance(each.arguments, syntax.PythonText):
                    text = each.arguments.text
                    found |= _placeholders(text) | _in_texts(text)
    return syntax.Tree(source, tuple(worker.statements), found), worker.diagnostics


# What texts of placeholders parsed to: the same few occur again and again, and a tree that comes
# from the cache brings its own, so that lark need not be imported.
_parsed: dict[str, syntax.Form | None] = {}


def parse_placeholder(text: str, span: Span) -> syntax.Placeholder | None:
    """`<...>` in a recipe, or None if the text does not have the form of a placeholder."""
    form = _form_of(text)
    return None if form is None else syntax.Placeholder(span, *form)


def _form_of(text: str) -> syntax.Form | None:
    if text not in _parsed:
        _parsed[text] = _form(text)
    return _parsed[text]


def remember(tree: syntax.Tree) -> None:
    """A tree that was parsed before: its placeholders need not be parsed again."""
    _parsed.update(tree.placeholders)


def _form(text: str) -> syntax.Form | None:
    plain = _PLAIN_PLACEHOLDER.fullmatch(text)
    if plain is not None:
        return _plain_reference(plain), None
    from lark.exceptions import LarkError

    if _is_too_deep(text):
        return None
    try:
        tree = parser().parse(text, start="placeholder")
    except LarkError:
        return None
    found = _placeholder(tree, Span(Source("", text), 0, len(text)))
    return found.reference, found.regex


def _placeholders(text: str) -> dict[str, syntax.Form | None]:
    """All that looks like a placeholder in a text, parsed."""
    found = {}
    for spot in spots(text):
        if spot.closed:
            inner = text[spot.start : spot.end]
            found[inner] = _form_of(inner)
    return found


def _in_texts(text: str) -> dict[str, syntax.Form | None]:
    """The same where nothing but placeholders has a meaning: in texts of attributes."""
    parts = [text[start:end] for start, end, inner in cut_text(text) if inner]
    return {inner: _form_of(inner) for inner in parts}


class _Parser:
    def __init__(self, source: Source, forms: Forms | None) -> None:
        self.source = source
        self.forms = forms
        self.statements: list[syntax.Statement] = []
        self.diagnostics: list[Diagnostic] = []
        self.decorations: list[syntax.Decoration] = []
        self.pending: syntax.Rule | syntax.PythonBlock | None = None
        self.owner = ""  # what the last line was, for a block that has no owner
        self.trailing: list[syntax.Comment] = []

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def complain(self, code: str, message: str, span: Span, help: str = "") -> None:
        self.diagnostics.append(Diagnostic(code, message, span, help=help))

    def flush(self) -> None:
        """A statement that might have had a block is over."""
        if self.pending is not None:
            if isinstance(self.pending, syntax.PythonBlock):
                self.complain(
                    "PB108",
                    "`python:` without a block",
                    self.pending.span,
                    "indent the code below it",
                )
            self.statements.append(self.pending)
            self.pending = None
        self.statements += self.trailing
        self.trailing = []

    def stray_decorations(self) -> None:
        for each in self.decorations:
            self.complain(
                "PB109",
                f"`@{each.name}` stands before no rule",
                each.span,
                "put it right above a rule",
            )
        self.statements += self.decorations
        self.decorations = []

    def line(self, line: lines.Line) -> None:
        self.flush()
        span = self.span(line.start, line.end)
        statement = self.statement(span)
        self.owner = type(statement).__name__
        if line.comment is not None:
            self.trailing.append(syntax.Comment(self.span(*line.comment)))
        if isinstance(statement, syntax.Decoration):
            self.decorations.append(statement)
        elif isinstance(statement, syntax.Rule | syntax.PythonBlock):
            if isinstance(statement, syntax.PythonBlock):
                self.stray_decorations()
            self.pending = statement
        else:
            if not isinstance(statement, syntax.Invalid):
                self.stray_decorations()
            else:
                self.decorations = []
            self.statements.append(statement)

    def block(self, part: lines.Block) -> None:
        block = self.dedent(part)
        self._margin_comments(part)
        pending, self.pending = self.pending, None
        if block is None:
            self._lose(pending, self.span(part.start, part.end))
        elif isinstance(pending, syntax.Rule):
            self.statements.append(
                syntax.Rule(
                    pending.span,
                    pending.decorations,
                    pending.kind,
                    pending.segments,
                    pending.grouped,
                    pending.order_only,
                    block,
                )
            )
        elif isinstance(pending, syntax.PythonBlock):
            self.statements.append(syntax.PythonBlock(pending.span, block))
        else:
            if self.owner != "Invalid":
                end = self.source.text.find("\n", part.start)
                stop = part.end if end < 0 else min(end, part.end)
                self.complain(
                    "PB107",
                    "an indented line that belongs to no rule",
                    self.span(part.start, stop),
                    "take the indentation away, or write a header above it",
                )
            self.statements.append(syntax.Invalid(block.span))
        self.flush()

    def _lose(self, pending: syntax.Rule | syntax.PythonBlock | None, span: Span) -> None:
        """A block that is not well indented: its header stays."""
        if isinstance(pending, syntax.Rule):
            self.statements.append(pending)
        text = self.source.text[span.start : span.end]
        is_python = isinstance(pending, syntax.PythonBlock)
        names = frozenset(_NAME.findall(text)) if is_python else frozenset[str]()
        self.statements.append(syntax.Invalid(span, names))

    def _margin_comments(self, part: lines.Block) -> None:
        """Comments at the margin between the lines of a block are no part of it."""
        position = part.start
        for row in self.source.text[part.start : part.end].split("\n"):
            if row.startswith("#"):
                end = position + len(row.rstrip())
                self.trailing.append(syntax.Comment(self.span(position, end)))
            position += len(row) + 1

    def dedent(self, part: lines.Block) -> syntax.Block | None:
        """The lines of a block without their common indentation; None if tabs and blanks are
        mixed."""
        text = self.source.text
        rows: list[tuple[int, str]] = []
        position = part.start
        for row in text[part.start : part.end].split("\n"):
            content = row.rstrip("\r")
            rows.append((position, "" if content[:1] not in (" ", "\t") else content))
            position += len(row) + 1
        indents = [row[: len(row) - len(row.lstrip(" \t"))] for _, row in rows if row.strip()]
        common = _common_prefix(indents)
        if self._is_mixed(rows):
            return None
        cut = len(common)
        start = part.start + cut
        taken = tuple(
            (offset + cut - start, row[cut:]) if row.strip() else (offset - start, "")
            for offset, row in rows
        )
        return syntax.Block(self.span(start, part.end), taken)

    def _is_mixed(self, rows: list[tuple[int, str]]) -> bool:
        """Whether the block is indented with tabs and with blanks, of which it complains."""
        first = ""
        for offset, row in rows:
            if not row.strip():
                continue
            first = first or row[0]
            if row[0] != first:
                used, other = ("tabs", "blanks") if first == "\t" else ("blanks", "tabs")
                self.complain(
                    "PB106",
                    f"this block is indented with {used}, this line with {other}",
                    self.span(offset, offset + len(row) - len(row.lstrip(" \t"))),
                    f"indent every line of the block with {used}",
                )
                return True
        return False

    # -- one logical line --------------------------------------------------------------------

    def statement(self, span: Span) -> syntax.Statement:
        text = self.source.text[span.start : span.end]
        directive = _DIRECTIVE.match(text)
        if directive is not None and directive[1] in _DIRECTIVES:
            word = directive[1]
            message = f"`{word}` belongs to Makefiles"
            return self.invalid(span, _Mistake("PB101", message, _DIRECTIVES[word], 0, len(word)))
        plain = _PLAIN_HEADER.fullmatch(text)
        if plain is not None:
            return self._plain_rule(plain, span)
        return self._parsed(text, span)

    def _plain_rule(self, header: re.Match[str], span: Span) -> syntax.Rule:
        """What the grammar would make of a header of plain words."""
        groups = (1, 3) if header[2] is None else (1, 2, 3)
        segments = [self._plain_words(header, group, span.start) for group in groups]
        return self._header("", segments, False, self._plain_words(header, 4, span.start), span)

    def _plain_words(self, header: re.Match[str], group: int, base: int) -> tuple[syntax.Word, ...]:
        if not header[group]:
            return ()
        words = []
        for found in _PLAIN_WORD.finditer(header.string, *header.span(group)):
            at = Span(self.source, base + found.start(), base + found.end())
            is_text = "<" not in found[0]
            pieces = (syntax.Text(at, found[0]),) if is_text else self.pieces(found[0], at.start)
            words.append(syntax.Word(at, pieces))
        return tuple(words)

    def _parsed(self, text: str, span: Span) -> syntax.Statement:
        """What the grammar makes of a logical line."""
        from lark.exceptions import UnexpectedInput

        try:
            inner = self._form_of_line(text)
        except UnexpectedInput as error:
            position = getattr(error, "pos_in_stream", None)
            if position is None or position < 0:
                position = len(text)
            return self.invalid(span, _say_what(text, position))
        return getattr(self, f"_{inner.data}")(inner, span)  # type: ignore[no-any-return]

    def _form_of_line(self, text: str) -> Any:
        """The tree of a logical line; its places are counted from the start of the line. Raises
        what lark raises."""
        forms = self.forms
        if forms is None:
            return parser().parse(text, start="statement").children[0]
        if text not in forms:
            forms[text] = parser().parse(text, start="statement").children[0]
        return forms[text]

    def invalid(self, span: Span, mistake: _Mistake) -> syntax.Invalid:
        """A line that is lost, and what is said of it."""
        at = self.span(span.start + mistake.start, min(span.start + mistake.end, span.end))
        place = at if at.start < at.end else span
        self.complain(mistake.code, mistake.message, place, mistake.help)
        text = self.source.text[span.start : span.end]
        return syntax.Invalid(span, frozenset(_NAME.findall(re.split("[:=]", text)[0])))

    def _assignment(self, tree: Tree[Token], span: Span) -> syntax.Statement:
        name, operator, expression = tree.children
        if expression is None:
            message, help = f"`{name}` is given no value", 'write an expression: `""`'
            return self.invalid(span, _Mistake("PB102", message, help, 0, span.end - span.start))
        return syntax.Assignment(span, str(name), str(operator), self.python_text(expression, span))

    def python_text(self, token: Any, span: Span) -> syntax.PythonText:
        start = span.start + token.start_pos
        text = str(token).rstrip()
        return syntax.PythonText(self.span(start, start + len(text)), text)

    def _include(self, tree: Tree[Token], span: Span) -> syntax.Statement:
        keyword, *words = tree.children
        return syntax.Include(
            span, tuple(self.word(each, span) for each in words), str(keyword).startswith("-")
        )

    def _python(self, tree: Tree[Token], span: Span) -> syntax.Statement:
        del tree
        return syntax.PythonBlock(span, syntax.Block(span, ()))

    def _attribute(self, tree: Tree[Token], span: Span) -> syntax.Statement:
        name, arguments = tree.children
        text = None if arguments is None else self.python_text(arguments, span)
        return syntax.Decoration(span, str(name), text)

    def _rule(self, tree: Any, span: Span) -> syntax.Statement:
        kind, first, one, second, two, third, bar, order_only = tree.children
        marks = [each.children[0] for each in (one, two) if each is not None]
        grouped = "&:" in map(str, marks)
        segments = [self.segment(first, span), self.segment(second, span)]
        if two is not None:
            segments.append(self.segment(third, span))
            if not segments[1]:
                return self.invalid(
                    span,
                    _Mistake(
                        "PB103",
                        "two colons with nothing between them",
                        "double-colon rules belong to Makefiles; here a rule is `name: targets: "
                        "prerequisites` or `targets: prerequisites`",
                        marks[0].start_pos,
                        marks[1].end_pos,
                    ),
                )
        del bar
        return self._header(
            str(kind) if kind is not None else "",
            segments,
            grouped,
            self.segment(order_only, span),
            span,
        )

    def _header(
        self,
        kind: str,
        segments: Sequence[tuple[syntax.Word, ...]],
        grouped: bool,
        order_only: tuple[syntax.Word, ...],
        span: Span,
    ) -> syntax.Rule:
        """A rule without its block; the attributes above it are its own."""
        decorations, self.decorations = tuple(self.decorations), []
        return syntax.Rule(span, decorations, kind, tuple(segments), grouped, order_only, None)

    def segment(self, tree: Any, span: Span) -> tuple[syntax.Word, ...]:
        return () if tree is None else tuple(self.word(each, span) for each in tree.children)

    def word(self, tree: Any, span: Span) -> syntax.Word:
        alias, token = tree.children
        start = span.start + token.start_pos
        text = str(token)
        at = self.span(span.start + (alias or token).start_pos, start + len(text))
        if not any(char in text for char in '<"\\'):
            pieces: tuple[syntax.Text | syntax.Placeholder, ...] = (
                syntax.Text(self.span(start, start + len(text)), text),
            )
        else:
            pieces = self.pieces(text, start)
        return syntax.Word(at, pieces, str(alias)[:-1] if alias is not None else "")

    def pieces(self, text: str, start: int) -> tuple[syntax.Text | syntax.Placeholder, ...]:
        """The text and placeholders of a word; inside double quotes placeholders count too."""
        if _PLAIN_PIECES.fullmatch(text):
            return self._plain_pieces(text, start)
        from lark.exceptions import UnexpectedInput

        if _is_too_deep(text):
            at = self.span(start, start + len(text))
            self.complain("PB104", "this placeholder has too many brackets inside one another", at)
            return (syntax.Text(at, text),)
        try:
            tree = parser().parse(text, start="pieces")
        except UnexpectedInput as error:
            position = max(0, getattr(error, "pos_in_stream", 0) or 0)
            self.complain(
                "PB104",
                f"`{text}` has a placeholder that is not well formed",
                self.span(start + position, start + min(len(text), position + 1)),
                _FORMS,
            )
            return (syntax.Text(self.span(start, start + len(text)), text),)
        found: list[syntax.Text | syntax.Placeholder] = []
        position = 0
        for child in tree.children:
            if isinstance(child, str):
                token: Any = child
                at = self.span(start + token.start_pos, start + token.end_pos)
                position = token.end_pos
                if token.type == "QUOTED":
                    found += self.quoted(str(token)[1:-1], at.start + 1)
                else:
                    found.append(syntax.Text(at, _unescape(str(token))))
            else:
                end = _placeholder_end(text, position)
                at = self.span(start + position, start + end)
                position = end
                found.append(_placeholder(child, at))
        return tuple(found)

    def _plain_pieces(self, text: str, start: int) -> tuple[syntax.Text | syntax.Placeholder, ...]:
        """What the grammar would make of plain text with plain placeholders in it."""
        found: list[syntax.Text | syntax.Placeholder] = []
        for piece in _PLAIN_PIECE.finditer(text):
            at = self.span(start + piece.start(), start + piece.end())
            if piece[1]:
                found.append(syntax.Placeholder(at, _plain_reference(piece)))
            else:
                found.append(syntax.Text(at, piece[0]))
        return tuple(found)

    def quoted(self, text: str, start: int) -> list[syntax.Text | syntax.Placeholder]:
        """The inside of a quoted word: a placeholder counts if it has the form of one."""
        found: list[syntax.Text | syntax.Placeholder] = []
        for begin, end, is_placeholder in cut_text(text):
            at = self.span(start + begin, start + end)
            found.append(_piece(text[begin:end], is_placeholder, at))
        return found or [syntax.Text(self.span(start, start), "")]


def text_word(text: str, span: Span, alias: str = "") -> syntax.Word:
    """A text of an attribute as a word of a header, as it would be read in quotes there. All of it
    has the place of the attribute: where a character stands in Python text is not known."""
    pieces = [_piece(text[start:end], inner, span) for start, end, inner in cut_text(text)]
    return syntax.Word(span, tuple(pieces) or (syntax.Text(span, ""),), alias)


def told_word(text: str, span: Span) -> syntax.Word:
    """A text that a Python program gives as a word of a header, with the name before its `=`.
    Raises BuildError for a placeholder that is not well formed."""
    alias = _ALIAS.match(text)
    body = text[alias.end() :] if alias else text
    for start, end, is_placeholder in cut_text(body):
        if is_placeholder and parse_placeholder(body[start:end], span) is None:
            message = f"`{body[start:end]}` is a placeholder that is not well formed"
            raise BuildError(Diagnostic("PB104", message, span, help=_FORMS))
    return text_word(body, span, alias[1] if alias else "")


def cut_text(text: str) -> Iterator[tuple[int, int, bool]]:
    """The parts of a text in which nothing but placeholders has a meaning: start, end, and whether
    it looks like a placeholder."""
    position = 0
    while position < len(text):
        opening = _next_placeholder(text, position)
        if opening > position:
            yield position, opening, False
        position = opening
        if opening < len(text):
            position = max(_placeholder_end(text, opening), opening)
            yield opening, position, True


def _piece(text: str, is_placeholder: bool, span: Span) -> syntax.Text | syntax.Placeholder:
    """A part of a text; what only looks like a placeholder is text as it stands."""
    if not is_placeholder:
        return syntax.Text(span, _unescape(text))
    return parse_placeholder(text, span) or syntax.Text(span, text)


def _common_prefix(indents: list[str]) -> str:
    if not indents:
        return ""
    low, high = min(indents), max(indents)
    for index, char in enumerate(low):
        if char != high[index]:
            return low[:index]
    return low


def _next_placeholder(text: str, position: int) -> int:
    """Where the next `<name` starts that no backslash precedes, or the end."""
    while True:
        found = text.find("<", position)
        if found < 0:
            return len(text)
        following = text[found + 1 : found + 2]
        escaped = found > 0 and text[found - 1] == "\\"
        if not escaped and (following.isalpha() or following == "_") and ">" in text[found:]:
            return found
        position = found + 1


def _placeholder_end(text: str, start: int) -> int:
    """Behind the `>` that closes the placeholder; strings in a call may hold one."""
    position = start + 1
    while position < len(text) and (text[position].isalnum() or text[position] == "_"):
        position += 1
    quote = ""
    is_regex = text[position : position + 1] == ":"
    while position < len(text):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and not is_regex:
            quote = char
        elif char == ">":
            return position + 1
        position += 1
    return len(text)


def _unescape(text: str) -> str:
    """Backslashes taken away, but for those that keep a wildcard or `%` from being one."""
    if "\\" not in text:
        return text
    out: list[str] = []
    i = 0
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text) and text[i + 1] not in "*?[%":
            i += 1
        elif text[i] == "\\" and i + 1 < len(text):
            out.append(text[i])
            i += 1
        out.append(text[i])
        i += 1
    return "".join(out)


def _placeholder(tree: Any, span: Span) -> syntax.Placeholder:
    if tree.data == "capture":
        name, regex = tree.children
        return syntax.Placeholder(span, syntax.Reference(str(name)), str(regex))
    if tree.data == "placeholder":
        tree = tree.children[0]
    return syntax.Placeholder(span, _reference(tree))


def _plain_reference(found: re.Match[str]) -> syntax.Reference:
    trailers = (
        syntax.Attribute(each[1]) if each[1] else syntax.Item(int(each[2]))
        for each in _PLAIN_TRAILER.finditer(found[2])
    )
    return syntax.Reference(found[1], tuple(trailers))


def _reference(tree: Any) -> syntax.Reference:
    name, *trailers = tree.children
    return syntax.Reference(str(name), tuple(map(_trailer, trailers)))


def _trailer(tree: Any) -> syntax.Attribute | syntax.Item | syntax.Call:
    if tree.data == "attribute_of":
        return syntax.Attribute(str(tree.children[0]))
    if tree.data == "item_of":
        return syntax.Item(int(tree.children[0]))
    return syntax.Call(tuple(_argument(each) for each in tree.children if each is not None))


def _argument(tree: Any) -> syntax.Reference | str | int | float:
    if tree.data == "text_argument":
        return str(tree.children[0])[1:-1]
    if tree.data == "number_argument":
        text = str(tree.children[0])
        return float(text) if "." in text else int(text)
    return _reference(tree)


def _is_too_deep(text: str) -> bool:
    """Whether more brackets are open at once than any placeholder needs."""
    depth = 0
    for char in text:
        if char == "(":
            depth += 1
            if depth > _MOST_NESTED:
                return True
        elif char == ")":
            depth -= 1
    return False


class _Mistake(NamedTuple):
    """What is wrong with a line, and its characters `start` to `end` that show it."""

    code: str
    message: str
    help: str
    start: int
    end: int


# Code, message and help, by the character that does not fit.
_UNEXPECTED = {
    "=": (
        "PB101",
        "a `=` stands where none can",
        'a word with `=` in it is quoted: `"a=b.txt"`; an assignment starts with a name',
    ),
    ";": (
        "PB101",
        "a `;` stands where none can",
        "a recipe stands in the lines below its header, indented; as part of a name it is quoted",
    ),
    '"': ("PB101", "this quote is never closed", 'close it with `"`'),
    "<": (
        "PB104",
        "this placeholder is not well formed",
        "a placeholder is `<name>`, `<name.part>`, `<name[0]>` or `<function(argument)>`",
    ),
    ":": ("PB103", "too many colons", 'a word with `:` in it is quoted: `"a:b.txt"`'),
    "|": (
        "PB103",
        "a `|` stands where none can",
        "order-only prerequisites stand behind one `|` after the prerequisites",
    ),
    "": ("PB101", "the line ends too early", "a rule is `targets: prerequisites`"),
}
_NO_ATTRIBUTE = ("PB105", "an attribute is `@name` or `@name(arguments)`", "close the bracket")
_NO_STATEMENT = (
    "PB101",
    "this is no assignment, rule, attribute or include",
    "a rule has a colon behind its targets; a recipe line is indented",
)
_NO_TARGETS = ("PB205", "a rule without targets", "what it makes stands before the colon")


def _say_what(text: str, position: int) -> _Mistake:
    """What is wrong with a line that does not parse at a position, in the user's words."""
    char = text[position : position + 1]
    before = text[:position]
    start = position
    if text.startswith("@"):
        said = _NO_ATTRIBUTE
    elif not any(mark in text for mark in ":="):
        said = _NO_STATEMENT
    elif char == ":" and not before.strip():
        said = _NO_TARGETS
    elif char == "=" and before.endswith((":", "!")):
        start = len(before.rstrip(":!"))
        said = (
            "PB101",
            f"`{text[start : position + 1]}` belongs to Makefiles",
            "write `=` and a Python expression, where a text stands in quotes",
        )
    else:
        said = _UNEXPECTED.get(char, ("PB101", f"`{char}` is not expected here", ""))
    return _Mistake(*said, start, position + 1)
