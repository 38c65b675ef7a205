"""The names of a project: where each is defined and used, and what it means there.

Works on trees, so that a rule in which there is a mistake has names all the same. The order in
which a name gets its meaning is that of `pipefile.words`.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

from pybuild.lsp.positions import Lines
from pybuild.pipefile import syntax
from pybuild.pipefile.recipe import Insert, PythonTemplate, RecipeTemplate, compile_recipe
from pybuild.pipefile.rules import VALUE
from pybuild.pipefile.template import RESERVED
from pybuild.pipefile.usercode import names_set_by, own_nodes
from pybuild.source import BuildError, Span
from pybuild.typed import Any, NamedTuple

VARIABLE = "variable"
RULE = "rule"
CAPTURE = "capture"
NAMED_FILE = "named file"
PARAM = "param"
PYTHON = "python"  # defined by a `python:` block
JOB = "job"  # what every job has: `input`, `basename`
ATTRIBUTE = "attribute"
FILE = "file"

OF_ONE_RULE = (CAPTURE, NAMED_FILE, PARAM)

# Names in a placeholder, with what is in quotes, and parts behind a dot, to be passed over.
_INNER = re.compile(r""""[^"\n]*"|'[^'\n]*'|\.\s*[A-Za-z_]\w*|([A-Za-z_]\w*)""")
_PLACEHOLDER = re.compile(r"(?<!\\)<([A-Za-z_]\w*)[^<>\n]*>")


class Occurrence(NamedTuple):
    """A name where it stands: characters `start` to `end` of its sheet. `rule` is the number of the
    statement that it belongs to, for names of one rule only; -1 for others."""

    start: int
    end: int
    name: str
    kind: str
    rule: int = -1
    is_definition: bool = False

    @property
    def key(self) -> tuple[str, str, int]:
        """The same for all occurrences of one thing in a sheet."""
        return self.name, _SPACE.get(self.kind, self.kind), self.rule


# A name that Python defines and one that an assignment does are in one namespace.
_SPACE = {PYTHON: VARIABLE}


class Sheet:
    """One file of a project: its tree, its lines, and the names that it defines."""

    def __init__(self, tree: syntax.Tree, encoding: str) -> None:
        self.tree = tree
        self.name = tree.source.name
        self.text = tree.source.text
        self.encoding = encoding

    @cached_property
    def lines(self) -> Lines:
        """The places of its lines."""
        return Lines(self.text, self.encoding)

    @cached_property
    def rules(self) -> list[tuple[int, syntax.Rule]]:
        """The rules, with the numbers of their statements."""
        return [
            (number, each)
            for number, each in enumerate(self.tree.statements)
            if isinstance(each, syntax.Rule)
        ]

    @cached_property
    def definitions(self) -> list[Occurrence]:
        """The names that it defines for the whole project."""
        found: list[Occurrence] = []
        for statement in self.tree.statements:
            if isinstance(statement, syntax.Assignment):
                start = statement.span.start
                end = start + len(statement.name)
                found.append(Occurrence(start, end, statement.name, VARIABLE, -1, True))
            elif isinstance(statement, syntax.Rule):
                word = name_word(statement)
                if word is not None:
                    name = plain_text(word) or ""
                    span = word.span
                    found.append(Occurrence(span.start, span.end, name, RULE, -1, True))
            elif isinstance(statement, syntax.PythonBlock):
                found += _defined_by(statement, self)
        return found

    def statement_at(self, offset: int) -> syntax.Statement | None:
        """The statement that a character belongs to, with the attributes above a rule and the block
        below it."""
        number = bisect_right(self._starts, offset) - 1
        if number < 0:
            return None
        statement = self._ordered[number]
        return statement if offset <= extent(statement).end else None

    def number_of(self, statement: syntax.Statement) -> int:
        """Its number among the statements."""
        return next((n for n, each in enumerate(self.tree.statements) if each is statement), -1)

    @cached_property
    def _ordered(self) -> list[syntax.Statement]:
        found = [each for each in self.tree.statements if not isinstance(each, syntax.Comment)]
        return sorted(found, key=lambda each: extent(each).start)

    @cached_property
    def _starts(self) -> list[int]:
        return [extent(each).start for each in self._ordered]


class Names:
    """What the names of all files of a project mean."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self.sheets = sheets
        self.variables: dict[str, list[tuple[Sheet, Occurrence]]] = {}
        self.rules: dict[str, list[tuple[Sheet, Occurrence]]] = {}
        self.python: dict[str, list[tuple[Sheet, Occurrence]]] = {}
        tables = {VARIABLE: self.variables, RULE: self.rules, PYTHON: self.python}
        for sheet in sheets:
            for each in sheet.definitions:
                tables[each.kind].setdefault(each.name, []).append((sheet, each))
        self._occurrences: dict[str, list[Occurrence]] = {}

    def occurrences(self, sheet: Sheet) -> list[Occurrence]:
        """All names in a sheet, in the order of their places."""
        found = self._occurrences.get(sheet.name)
        if found is None:
            found = self._occurrences[sheet.name] = sorted(set(_Search(self, sheet).found))
        return found

    def at(self, sheet: Sheet, offset: int) -> Occurrence | None:
        """The name that a character belongs to, or that ends right before it."""
        best = None
        for each in self.occurrences(sheet):
            if each.start > offset:
                break
            if each.start <= offset <= each.end and (
                best is None or each.end - each.start < best.end - best.start
            ):
                best = each
        return best

    def same(self, sheet: Sheet, one: Occurrence) -> Iterator[tuple[Sheet, Occurrence]]:
        """All places of the thing that is named at one place."""
        others = [sheet] if one.kind in OF_ONE_RULE else self.sheets
        for other in others:
            for each in self.occurrences(other):
                if each.key == one.key:
                    yield other, each

    def definitions(self, sheet: Sheet, one: Occurrence) -> list[tuple[Sheet, Occurrence]]:
        """Where the thing that is named at one place is defined."""
        return [(other, each) for other, each in self.same(sheet, one) if each.is_definition]

    def kind_of(self, name: str) -> str:
        """What a name means that no rule has for itself; "" if nothing."""
        if name in RESERVED:
            return JOB
        if name in self.variables:
            return VARIABLE
        if name in self.python:
            return PYTHON
        return RULE if name in self.rules else ""


class Scope(NamedTuple):
    """The names that one rule has for itself."""

    captures: frozenset[str]
    named_files: frozenset[str]
    params: frozenset[str]

    def kind_of(self, name: str) -> str:
        """What a name of the rule means; "" if it is none of its own."""
        if name in self.captures:
            return CAPTURE
        if name in self.named_files:
            return NAMED_FILE
        return PARAM if name in self.params else ""


def scope_of(rule: syntax.Rule, names: Names) -> Scope:
    """The names that a rule adds to those of the project."""
    words = [word for segment in rule.segments for word in segment]
    words += rule.order_only
    named = frozenset(word.alias for word in words if word.alias)
    params: set[str] = set()
    captures: set[str] = set()
    for each in rule.decorations:
        if isinstance(each.arguments, syntax.PythonText):
            named_arguments, texts = _arguments(each.arguments.text)
            if each.name == "params":
                params.update(name for name, _ in named_arguments)
            if each.name == "for_each":
                named |= {name for name, _ in named_arguments}
                for _, text in texts:
                    captures.update(found[1] for found in _PLACEHOLDER.finditer(text))
    for word in rule.segments[-1]:
        for piece in word.pieces:
            if isinstance(piece, syntax.Placeholder) and (
                piece.regex is not None or not piece.reference.trailers
            ):
                captures.add(piece.reference.name)
    own = {name for name in captures if not names.kind_of(name) and name not in named | params}
    return Scope(frozenset(own), named, frozenset(params))


class _Search:
    """Finds all names in one sheet."""

    def __init__(self, names: Names, sheet: Sheet) -> None:
        self.names = names
        self.sheet = sheet
        self.found: list[Occurrence] = list(sheet.definitions)
        for number, statement in enumerate(sheet.tree.statements):
            if isinstance(statement, syntax.Assignment):
                self._python_text(statement.expression, None, -1)
            elif isinstance(statement, syntax.PythonBlock):
                self._block(statement)
            elif isinstance(statement, syntax.Include):
                for word in statement.words:
                    self._word(word, None, -1, "include")
            elif isinstance(statement, syntax.Rule):
                self._rule(statement, number)

    def _add(self, start: int, name: str, scope: Scope | None, rule: int) -> None:
        kind = (scope.kind_of(name) if scope else "") or self.names.kind_of(name)
        if kind:
            number = rule if kind in OF_ONE_RULE else -1
            self.found.append(Occurrence(start, start + len(name), name, kind, number))

    def _rule(self, rule: syntax.Rule, number: int) -> None:
        scope = scope_of(rule, self.names)
        for each in rule.decorations:
            self._decoration(each, scope, number)
        name = name_word(rule)
        for place, segment in enumerate(rule.segments):
            where = "prerequisite" if place == len(rule.segments) - 1 else "target"
            for word in segment:
                if word is not name:
                    self._word(word, scope, number, where)
        for word in rule.order_only:
            self._word(word, scope, number, "prerequisite")
        template = recipe_of(rule)
        if template is not None:
            self._recipe(template, scope, number)

    def _decoration(self, node: syntax.Decoration, scope: Scope, number: int) -> None:
        start = node.span.start + 1
        self.found.append(Occurrence(start, start + len(node.name), node.name, ATTRIBUTE))
        if not isinstance(node.arguments, syntax.PythonText):
            return
        base = node.arguments.span.start
        named, texts = _arguments(node.arguments.text)
        if node.name in ("params", "for_each"):
            kind = PARAM if node.name == "params" else NAMED_FILE
            for name, at in named:
                start = base + at
                self.found.append(Occurrence(start, start + len(name), name, kind, number, True))
        self._python_text(node.arguments, scope, number)
        for at, text in texts:
            inner = text[1:-1]
            if node.name == "follows" and inner in self.names.rules:
                self._add(base + at + 1, inner, None, -1)
            for found in _PLACEHOLDER.finditer(text):
                self._placeholder(base + at + found.start(), found[0], scope, number)

    def _word(self, word: syntax.Word, scope: Scope | None, number: int, where: str) -> None:
        if word.alias:
            start = word.span.start
            end = start + len(word.alias)
            self.found.append(Occurrence(start, end, word.alias, NAMED_FILE, number, True))
        text = only_text(word)
        if text is not None:
            start = word.pieces[0].span.start
            kind = FILE
            if where == "prerequisite" and text in self.names.rules:
                kind = RULE
            self.found.append(Occurrence(start, word.span.end, text, kind, -1, where == "target"))
            return
        for piece in word.pieces:
            if isinstance(piece, syntax.Placeholder):
                written = self.sheet.text[piece.span.start : piece.span.end]
                is_capture = where == "prerequisite" and scope is not None
                self._placeholder(piece.span.start, written, scope, number, is_capture)

    def _placeholder(
        self,
        start: int,
        written: str,
        scope: Scope | None,
        number: int,
        is_prerequisite: bool = False,
    ) -> None:
        """The names in `<...>`, which starts at a character."""
        for name, at in _names_in(written):
            self._add(start + at, name, scope, number)
            last = self.found[-1] if self.found else None
            if is_prerequisite and last and last.kind == CAPTURE and last.start == start + at:
                self.found[-1] = last._replace(is_definition=True)

    def _recipe(self, template: RecipeTemplate, scope: Scope, number: int) -> None:
        for part in template.parts:
            if isinstance(part, PythonTemplate):
                own = part.own
                for at, name in python_names(part.tree, self.sheet):
                    if name not in own or name in RESERVED:
                        self._add(at, name, scope, number)
                continue
            for piece in part.pieces:
                if isinstance(piece, Insert):
                    span = piece.hole.span
                    written = self.sheet.text[span.start : span.end]
                    self._placeholder(span.start, written, scope, number)

    def _block(self, node: syntax.PythonBlock) -> None:
        tree = _block_tree(node)
        if tree is None:
            return
        for at, name in python_names(tree, self.sheet):
            if name not in RESERVED:
                self._add(at, name, None, -1)

    def _python_text(self, node: syntax.PythonText, scope: Scope | None, number: int) -> None:
        for name, at in _expression_names(node.text):
            self._add(node.span.start + at, name, scope, number)


# -- parts of rules ------------------------------------------------------------------------------


def name_word(rule: syntax.Rule) -> syntax.Word | None:
    """The word that names a rule, if it has a name."""
    first = rule.segments[0]
    if len(first) != 1:
        return None
    if rule.kind == VALUE:
        return first[0]
    if len(rule.segments) == 3 and not any(map(_has_percent, rule.segments[1])):
        return first[0]
    return None


def targets_of(rule: syntax.Rule) -> tuple[syntax.Word, ...]:
    """The words that say what a rule makes."""
    if rule.kind == VALUE:
        return ()
    return rule.segments[1] if name_word(rule) is not None else rule.segments[0]


def label_of(rule: syntax.Rule) -> str:
    """What a rule is called: its name, or its targets as they are written."""
    word = name_word(rule)
    if word is not None:
        return plain_text(word) or ""
    text = rule.span.source.text
    return " ".join(text[each.span.start : each.span.end] for each in targets_of(rule))


def extent(statement: syntax.Statement) -> Span:
    """A statement with the attributes above it and the block below it."""
    span = statement.span
    if isinstance(statement, syntax.Rule):
        start = statement.decorations[0].span.start if statement.decorations else span.start
        block = statement.block
        end = block.span.end if isinstance(block, syntax.Block) else span.end
        return Span(span.source, start, end)
    if isinstance(statement, syntax.PythonBlock):
        return Span(span.source, span.start, max(span.end, statement.block.span.end))
    return span


def _target_words(rule: syntax.Rule) -> list[str]:
    """The targets of a rule that are plain names."""
    return [text for word in targets_of(rule) if (text := only_text(word)) is not None]


def goal_of(rule: syntax.Rule) -> str:
    """What has to be asked for to run all jobs of a rule; "" if there is no such word."""
    name = name_word(rule)
    if name is not None:
        return only_text(name) or ""
    words = _target_words(rule)
    plain = [each for each in words if not any(char in each for char in "%*?[")]
    return plain[0] if plain else ""


def only_text(word: syntax.Word) -> str | None:
    """The text of a word without placeholders."""
    if len(word.pieces) == 1 and isinstance(word.pieces[0], syntax.Text):
        return word.pieces[0].text
    return None


def plain_text(word: syntax.Word) -> str | None:
    """The text of a word that is nothing but text."""
    return None if word.alias else only_text(word)


def recipe_of(rule: syntax.Rule) -> RecipeTemplate | None:
    """The recipe of a rule, as far as it has the form of one."""
    return compile_recipe(rule.block, []) if isinstance(rule.block, syntax.Block) else None


def _has_percent(word: syntax.Word) -> bool:
    return any(isinstance(each, syntax.Text) and "%" in each.text for each in word.pieces)


# -- names in Python -----------------------------------------------------------------------------


def _names_in(written: str) -> list[tuple[str, int]]:
    """The names in a placeholder as it is written, with where they stand in it."""
    if ":" in written:  # a capture: what follows is a regular expression
        name = re.match(r"<([A-Za-z_]\w*)", written)
        return [(name[1], 1)] if name else []
    return [(found[1], found.start()) for found in _INNER.finditer(written) if found[1]]


@lru_cache(20_000)
def _expression_names(text: str) -> tuple[tuple[str, int], ...]:
    """The names that an expression, or the arguments of a call, use, with where they stand."""
    tree = _tree_of(text)
    if tree is None:
        return ()
    lines = Lines(text)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            at = _shifted(lines, node)
            if at >= 0 and text.startswith(node.id, at):
                found.append((node.id, at))
        elif isinstance(node, ast.JoinedStr):
            found += _in_formatted(text, lines, node)
    return tuple(dict.fromkeys(found))


@lru_cache(20_000)
def _arguments(text: str) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[int, str], ...]]:
    """The names of the arguments of a call and the texts among its arguments as they are written,
    with where they stand."""
    tree = _tree_of(text)
    if not isinstance(tree, ast.Expression) or not isinstance(tree.body, ast.Call):
        return (), ()
    lines = Lines(text)
    named = tuple((each.arg, _shifted(lines, each)) for each in tree.body.keywords if each.arg)
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            start = _shifted(lines, node)
            end = _place(lines, node.end_lineno or 1, node.end_col_offset or 0, _CALL)
            texts.append((start, text[start:end]))
    return named, tuple(texts)


_CALL = len("_(")


def _tree_of(text: str) -> ast.AST | None:
    """The tree of an expression or of arguments, in a call of `_`."""
    try:
        return ast.parse(f"_({text}\n)", mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _shifted(lines: Lines, node: Any) -> int:
    return _place(lines, node.lineno, node.col_offset, _CALL)


def _place(lines: Lines, line: int, column: int, before: int) -> int:
    """The character at a line (from 1) and column (in bytes) of Python, of which `before` bytes in
    the first line are none of the text's."""
    column -= before if line == 1 else 0
    row = lines.line(line - 1)
    if not row.isascii():
        column = len(
            row.encode("utf-8", "surrogatepass")[: max(0, column)].decode("utf-8", "ignore")
        )
    return lines.line_start(line - 1) + column


def _in_formatted(text: str, lines: Lines, node: ast.JoinedStr) -> list[tuple[str, int]]:
    """The names inside an f-string: the places of its nodes are right from Python 3.12 on only."""
    start = _shifted(lines, node)
    end = _place(lines, node.end_lineno or 1, node.end_col_offset or 0, _CALL)
    used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return [
        (found[0], found.start())
        for name in used
        for found in re.compile(rf"(?<![\w.]){re.escape(name)}\b").finditer(text, start, end)
        if "{" in text[start : found.start()]
    ]


def python_names(tree: Any, sheet: Sheet) -> Iterator[tuple[int, str]]:
    """The names in a tree of Python whose places are those of its sheet, with their offsets."""
    lines, text = sheet.lines, sheet.text
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            at = _place(lines, node.lineno, node.col_offset, 0)
            if text.startswith(node.id, at):
                yield at, node.id


def _block_tree(node: syntax.PythonBlock) -> Any:
    from pybuild.pipefile.usercode import compile_python

    source = node.span.source
    try:
        return compile_python(source, node.block.lines, source.name)[1]
    except BuildError:
        return None


def _defined_by(node: syntax.PythonBlock, sheet: Sheet) -> Iterator[Occurrence]:
    """The names that a `python:` block sets."""
    tree = _block_tree(node)
    if tree is None:
        return
    own = [each for statement in tree.body for each in own_nodes(statement)]
    told: set[str] = set()
    known = names_set_by(own)
    for each in own:
        for name, at in _set_by(each, sheet):
            if name in known and name not in told:
                told.add(name)
                yield Occurrence(at, at + len(name), name, PYTHON, -1, True)


def _set_by(node: Any, sheet: Sheet) -> Iterable[tuple[str, int]]:
    """The name that a statement of Python sets, with where it stands."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [(node.id, _place(sheet.lines, node.lineno, node.col_offset, 0))]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return _named_behind(node, node.name, sheet)
    if isinstance(node, ast.Import | ast.ImportFrom):
        bound = [each.asname or each.name.partition(".")[0] for each in node.names]
        return [found for name in bound for found in _named_behind(node, name, sheet)]
    return []


def _named_behind(node: Any, name: str, sheet: Sheet) -> Iterable[tuple[str, int]]:
    start = _place(sheet.lines, node.lineno, node.col_offset, 0)
    found = re.compile(rf"(?<![\w.]){re.escape(name)}\b").search(sheet.text, start)
    return [(name, found.start())] if found else []
