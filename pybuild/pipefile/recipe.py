"""Recipes: the block of a rule as parts of shell and Python, and what a job makes of them."""

from __future__ import annotations

import _ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import CodeType

from pybuild.content import digest_of
from pybuild.graph import (
    Job,
    Part,
    PythonPart,
    Script,
    ScriptPart,
    ShellPart,
    ValueFiles,
)
from pybuild.names import folder_of
from pybuild.pipefile.fingerprint import Fingerprints, free_names
from pybuild.pipefile.parse import cut_text, parse_placeholder
from pybuild.pipefile.shelltext import LITERAL_HERE, quote, significant, spots
from pybuild.pipefile.syntax import Block, FunctionCall, Reference
from pybuild.pipefile.template import (
    FileName,
    FilledText,
    Hole,
    TextTemplate,
    WholeFile,
    as_text,
    evaluate,
    holes_in,
)
from pybuild.pipefile.usercode import Row, compile_python, names_set_by, own_nodes
from pybuild.regex import regex
from pybuild.source import BuildError, Diagnostic, Source, Span
from pybuild.typed import Any, NamedTuple, Protocol

DEFAULT_SHELL = ("bash", "-euo", "pipefail", "-c")
PLAIN_SHELL = ("sh", "-eu", "-c")

SHELL, PROGRAM, PYTHON = "shell", "program", "python"

_OF_FUNCTION = 1  # CO_OPTIMIZED: code that can return something
PYTHON_LINE = regex(r"python[ \t]*:[ \t]*(#.*)?$")
_ESCAPED = regex(r"\\(<[A-Za-z_]\w*[^<>\n]*>)")
_PATH_NAMES = frozenset(("input", "output"))
_PATH_LISTS = frozenset(("inputs", "outputs", "order_only", "changed"))


_FORMS = {
    "]>": "an index is a whole number: `<inputs[0]>`, `<inputs[-1]>`",
    ")>": "an argument is a text in quotes, a number or a name",
}


class Insert(NamedTuple):
    """A placeholder in a script and the quoting in force where it stands."""

    hole: Hole
    context: str


class ShellTemplate(NamedTuple):
    """Shell text with placeholders; `text` is what counts of it."""

    pieces: tuple[str | Insert, ...]
    text: str
    program: tuple[str, ...] = ()  # what a `#!` line names


class PythonTemplate(NamedTuple):
    """A Python block: its code, its tree, the names that it takes from outside, and those that it
    sets itself; whether it may return something, and where it stands."""

    code: CodeType
    tree: _ast.Module
    names: frozenset[str]
    own: frozenset[str]
    returns: bool
    span: Span


class Stretch(NamedTuple):
    """A part of a recipe as it is written: `kind` is SHELL, PROGRAM (all of it, for the program
    that a `#!` line names) or PYTHON, whose `python:` line is `head`. `rows` are its lines with
    the offsets where they start."""

    kind: str
    rows: tuple[tuple[int, str], ...]
    head: tuple[int, str] | None = None


class Hook(NamedTuple):
    """What runs before a recipe: a command for a shell, or the call of a function of the namespace
    that takes some names of the job as keyword arguments."""

    command: str = ""
    shell: tuple[str, ...] = ()
    code: CodeType | None = None
    takes: tuple[str, ...] = ()


class Bound(Protocol):
    """What a job knows of itself, for filling in (`instantiate.Binding`)."""

    def lookup(self, job: Job, changed: Sequence[str] = ..., outputs: Sequence[str] = ...) -> Any:
        """A function from names to values."""

    def value_job(self, name: str) -> Job:
        """The job that makes the object of a rule of the kind `value`."""


class RecipeTemplate:
    """The recipe of a rule, once for all its jobs. `holes` are the placeholders of its shell
    parts; `private_names` are those names it uses whose values count and are a job's own, and
    `calls` its calls of functions; `is_tied` says that only a whole load has what they need."""

    __slots__ = (
        "before",
        "calls",
        "code_digest",
        "echo",
        "environment",
        "flags",
        "folders",
        "holes",
        "is_tied",
        "namespace",
        "parts",
        "places",
        "private_names",
        "shared_digest",
        "shared_values",
        "shell",
        "silent",
        "span",
        "text_digest",
        "touch",
        "value",
        "values",
    )

    def __init__(
        self,
        parts: tuple[ShellTemplate | PythonTemplate, ...],
        flags: str,
        echo: str,
        span: Span,
    ) -> None:
        self.parts = parts
        self.flags = flags
        self.echo = echo
        self.span = span
        self.shell: tuple[str, ...] = DEFAULT_SHELL
        self.environment: tuple[tuple[str, str], ...] = ()
        self.folders: tuple[str, ...] = ()
        self.touch: tuple[str, ...] = ()
        self.before: tuple[Hook, ...] = ()
        self.places: Mapping[str, Span] = {}
        self.silent = False
        self.namespace: dict[str, Any] = {}
        self.code_digest: Callable[[Any], bytes] | None = None
        self.value = ""  # the name of the object that it makes
        self.values: frozenset[str] = frozenset()  # the objects that its blocks take
        self.text_digest = b""
        self.shared_digest = b""
        self.shared_values: dict[str, str] = {}
        self.private_names: tuple[str, ...] = ()
        self.calls: tuple[Hole, ...] = ()
        self.is_tied = False
        self.holes = tuple(
            piece.hole
            for part in parts
            if isinstance(part, ShellTemplate)
            for piece in part.pieces
            if isinstance(piece, Insert)
        )

    def fill(self, text: str, lookup: Callable[[str], Any]) -> str:
        """A text of an attribute with its placeholders filled in. Raises BuildError."""
        return fill_text(text, lookup, self.places.get(text, self.span))

    def fill_all(self, texts: Sequence[str], lookup: Callable[[str], Any]) -> tuple[str, ...]:
        """The same for several texts."""
        return tuple([self.fill(text, lookup) for text in texts]) if texts else ()

    def variables(self, lookup: Callable[[str], Any]) -> tuple[tuple[str, str], ...]:
        """The environment variables of one job, filled in. Raises BuildError."""
        if not self.environment:
            return ()
        return tuple([(name, self.fill(text, lookup)) for name, text in self.environment])

    def finish(
        self,
        namespace: dict[str, Any],
        variables: Mapping[str, Any],
        prints: Fingerprints,
        attributes: Mapping[str, str],
        own: Collection[str],
        filled: Mapping[str, Any],
    ) -> None:
        """Works out the digests, when all names of the file are known. `variables` are those
        that count as values; `attributes` texts of attributes that count with them. `own` are the
        names whose values a job may have for itself; `filled` are values of `@params` that each
        job fills in, and that count whether they are used or not."""
        self.namespace = namespace
        self.code_digest = prints.of_value
        texts = [self.flags.encode(), " ".join(self.shell).encode()]
        used: dict[str, None] = {}
        for part in self.parts:
            if isinstance(part, ShellTemplate):
                texts.append(part.text.encode("utf-8", "surrogateescape"))
                continue
            code_names = {k: v for k, v in namespace.items() if k not in variables}
            texts.append(prints.of_code(part.tree, code_names))
            used.update(dict.fromkeys(sorted(part.names)))
        holes = list(self.holes)
        for _, text in self.environment:
            holes += text_holes(text, self.places.get(text, self.span))
        for hole in holes:
            for name in names_in(hole.reference):
                used[name] = None
                if name in namespace and name not in variables:
                    texts.append(prints.of_value(namespace[name]))
        self.calls = tuple(h for h in holes if any_call(h.reference))
        inner = [hole for value in filled.values() for hole in holes_in(value)]
        self.is_tied = any(any_call(hole.reference) for hole in (*holes, *inner))
        self.text_digest = digest_of(b"\0".join(texts))
        self.shared_values = {
            name: _told(variables[name]) for name in used if name in variables
        } | dict(attributes)
        digests = [
            name.encode() + (prints.of_value(variables[name]) if name in variables else b"")
            for name in used
            if name in variables
        ]
        digests += [f"{name}={text}".encode() for name, text in attributes.items()]
        self.shared_digest = digest_of(b"\0".join(digests))
        counted = [name for name in used if name in own and name not in filled]
        self.private_names = (*counted, *filled)


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


class PipeRecipe:
    """The recipe of one job: the rule's template and the job's own names."""

    __slots__ = ("_making", "binding", "template")

    def __init__(self, template: RecipeTemplate, binding: Bound) -> None:
        self.template = template
        self.binding = binding
        self._making: PythonPart | None = None

    @property
    def text_digest(self) -> bytes:
        return self.template.text_digest

    @property
    def values_key(self) -> bytes:
        return self.template.shared_digest

    @property
    def values_digest(self) -> bytes:
        template = self.template
        if not template.private_names and not template.calls:
            return template.shared_digest
        return self.binding.private_digest(template)  # type: ignore[attr-defined, no-any-return]

    def values(self) -> Mapping[str, str]:
        return self.template.shared_values

    def expand(self, job: Job, changed: Sequence[str], outputs: Sequence[str]) -> Script:
        template = self.template
        lookup = self.binding.lookup(job, changed, outputs)
        echoes: list[str] = []
        parts = [_hook_part(hook, template, lookup) for hook in template.before]
        for part in template.parts:
            if isinstance(part, ShellTemplate):
                text = _filled(part, lookup)
                echoes.append(text)
                if part.program:
                    parts.append(ScriptPart(text, part.program))
                else:
                    parts.append(ShellPart(text, template.shell))
            else:
                echoes.append(f"python: {job.name}")
                parts.append(self._python(part, job, lookup, outputs))
        folders = [folder_of(name.rstrip("/")) for name in outputs]
        if job.patterns:
            folders += [folder_of(each.prefix) for each in job.patterns]
        folders += template.fill_all(template.folders, lookup)
        flags = template.flags
        return Script(
            tuple(parts),
            "\n".join(echoes),
            template.silent or "@" in flags,
            "-" in flags,
            "+" in flags,
            template.variables(lookup),
            tuple(filter(None, dict.fromkeys(folders))),
            template.fill_all(template.touch, lookup),
        )

    def _python(
        self,
        part: PythonTemplate,
        job: Job,
        lookup: Callable[[str], Any],
        outputs: Sequence[str],
    ) -> PythonPart:
        if self.template.value:
            return self.making(job)
        values = part.names & self.template.values
        made = _python_part(part, self.template, lookup, values)
        if part.returns:
            made = made._replace(returns=True, outputs=tuple(outputs))
        return made._replace(values=self._values(values)) if values else made

    def _values(self, names: frozenset[str]) -> dict[str, PythonPart]:
        found = {}
        for name in sorted(names):
            job = self.binding.value_job(name)
            assert isinstance(job.recipe, PipeRecipe)
            found[name] = job.recipe.making(job)
        return found

    def making(self, job: Job) -> PythonPart:
        """The block that makes an object; one and the same for all that need it."""
        if self._making is None:
            template = self.template
            (part,) = template.parts
            assert isinstance(part, PythonTemplate)
            values = part.names & template.values
            lookup = self.binding.lookup(job)
            made = _python_part(part, template, lookup, values)
            digest, *kept = job.outputs
            self._making = made._replace(
                values=self._values(values),
                value=ValueFiles(
                    digest,
                    kept[0] if kept else "",
                    digest_of(self.text_digest + self.values_digest),
                    job.inputs,
                ),
                environment=template.variables(lookup),
            )
        return self._making

    def expand_attribute(self, job: Job, text: str) -> str:
        return self.template.fill(text, self.binding.lookup(job))


def _filled(part: ShellTemplate, lookup: Callable[[str], Any]) -> str:
    out: list[str] = []
    for piece in part.pieces:
        if isinstance(piece, str):
            out.append(piece)
        else:
            value = evaluate(piece.hole.reference, lookup, piece.hole.span)
            out.append(in_shell(value, piece.context, piece.hole.span))
    return "".join(out)


def in_shell(value: Any, context: str, span: Span) -> str:
    """A value as it is put into a script: files and lists quoted, other texts as they are."""
    if isinstance(value, FilledText):
        return "".join([in_shell(each, context, span) for each in value.pieces])
    if isinstance(value, FileName) or hasattr(value, "__fspath__"):
        return quote(str(value), context)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return " ".join([quote(as_text(each, span), context) for each in value])
    if value is None:
        return ""
    if isinstance(value, Mapping) or callable(value):
        kind = "function" if callable(value) else type(value).__name__
        raise BuildError(
            Diagnostic(
                "PB213",
                f"a {kind} cannot stand in a shell script",
                span,
                help="call it: `<name(argument)>`" if callable(value) else "use it in Python",
            )
        )
    return as_text(value, span)


def _hook_part(hook: Hook, template: RecipeTemplate, lookup: Callable[[str], Any]) -> Part:
    if hook.code is None:
        return ShellPart(hook.command, hook.shell)
    paths: dict[str, str | list[str]] = {name: list(map(str, lookup(name))) for name in hook.takes}
    return PythonPart(hook.code, template.namespace, {}, paths, code_digest=template.code_digest)


def _python_part(
    part: PythonTemplate,
    template: RecipeTemplate,
    lookup: Callable[[str], Any],
    values: frozenset[str],
) -> PythonPart:
    """A block with the names of one job, but for `values`."""
    names: dict[str, Any] = {}
    paths: dict[str, str | list[str]] = {}
    for name in part.names - values:
        try:
            value = lookup(name)
        except (KeyError, BuildError):
            continue
        if name in template.namespace and template.namespace[name] is value:
            continue
        if isinstance(value, WholeFile):
            paths[name] = str(value)
        elif isinstance(value, FileName | FilledText):
            names[name] = str(value)
        elif not isinstance(value, list):
            names[name] = value
        elif name in _PATH_LISTS or _all_files(value):
            paths[name] = [str(each) for each in value]
        else:
            names[name] = [str(each) if isinstance(each, FileName) else each for each in value]
    return PythonPart(part.code, template.namespace, names, paths, code_digest=template.code_digest)


def _all_files(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(each, WholeFile) for each in value)


def fill_text(text: str, lookup: Callable[[str], Any], span: Span) -> str:
    """A text of an attribute with its placeholders filled in."""
    if "<" not in text:
        return text
    out: list[str] = []
    position = 0
    for spot in spots(text):
        inner = parse_placeholder(text[spot.start : spot.end], span) if spot.closed else None
        if inner is None:
            continue
        out.append(_unescaped(text[position : spot.start]))
        value = evaluate(inner.reference, lookup, span)
        values = value if isinstance(value, list) else [value]
        out.append(" ".join(as_text(each, span) for each in values))
        position = spot.end
    return "".join((*out, _unescaped(text[position:])))


def text_holes(text: str, span: Span) -> list[Hole]:
    """The placeholders in a text of an attribute."""
    found = []
    for spot in spots(text) if "<" in text else ():
        inner = parse_placeholder(text[spot.start : spot.end], span) if spot.closed else None
        if inner is not None:
            found.append(Hole(inner.reference, span))
    return found


def compile_value(value: Any, span: Span) -> Any:
    """A value of `@params` with its texts, also those in lists, made ready to be filled in; one
    without placeholders is given back as it is. Raises RecursionError for a list in itself."""
    if type(value) is str and "<" in value:
        return _compile_text(value, span)
    if type(value) in (list, tuple):
        made = [compile_value(each, span) for each in value]
        same = all(one is other for one, other in zip(made, value, strict=True))
        return value if same else type(value)(made)
    return value


def _compile_text(text: str, span: Span) -> str | TextTemplate:
    pieces: list[str | Hole] = []
    for start, end, is_placeholder in cut_text(text):
        part = text[start:end]
        inner = parse_placeholder(part, span) if is_placeholder else None
        pieces.append(_unescaped(part) if inner is None else Hole(inner.reference, span))
    if any(isinstance(each, Hole) for each in pieces):
        return TextTemplate(pieces)
    return _unescaped(text)


def names_in(reference: Reference) -> list[str]:
    """The names in a placeholder, those of its arguments included."""
    names = [reference.name]
    for trailer in reference.trailers:
        for argument in getattr(trailer, "arguments", ()):
            if isinstance(argument, Reference):
                names += names_in(argument)
    return names


def any_call(reference: Reference) -> bool:
    """Whether a function is called in it."""
    return any(hasattr(trailer, "arguments") for trailer in reference.trailers)


# -- from a block to a template ----------------------------------------------------------------


def compile_recipe(block: Block, diagnostics: list[Diagnostic]) -> RecipeTemplate | None:
    """The recipe that a block stands for, or None if it is empty. What is wrong is reported."""
    source = block.span.source
    flags, stretches = written_parts(block.lines)
    if not stretches:
        return None
    parts: list[ShellTemplate | PythonTemplate] = []
    for each in stretches:
        if each.kind == PROGRAM:
            parts.append(_script(each.rows, source, diagnostics))
        elif each.kind == SHELL:
            parts.append(_shell(each.rows, source, diagnostics))
        else:
            _add_python(each, source, diagnostics, parts)
    first = stretches[0].head or stretches[0].rows[0]
    return RecipeTemplate(tuple(parts), flags, first[1], block.span)


def written_parts(rows: Sequence[Row]) -> tuple[str, list[Stretch]]:
    """make's prefixes at the start of a recipe (`@`, `-`, `+`, in order), and its parts as they are
    written; none if it is empty."""
    lines = list(rows)
    while lines and not lines[-1][1].strip():
        lines.pop()
    while lines and not lines[0][1].strip():
        lines.pop(0)
    if not lines:
        return "", []
    flags, lines = _take_flags(lines)
    if lines[0][1].startswith("#!"):
        return flags, [Stretch(PROGRAM, tuple(lines))]
    found: list[Stretch] = []
    for head, inner in cut_recipe(lines):
        if head is not None:
            found.append(Stretch(PYTHON, _dedented(inner), head))
        elif any(row.strip() for _, row in inner):
            found.append(Stretch(SHELL, tuple(inner)))
    return flags, found


def cut_recipe(lines: Sequence[Row]) -> Iterator[tuple[Row | None, Sequence[Row]]]:
    """The parts of a recipe in order: lines of shell text, or a `python:` line and those that are
    indented below it."""
    index = 0
    while index < len(lines):
        head = lines[index] if PYTHON_LINE.match(lines[index][1]) else None
        goes_on = _is_shell if head is None else _is_inner
        start = index = index + (head is not None)
        while index < len(lines) and goes_on(lines[index][1]):
            index += 1
        yield head, lines[start:index]


def _is_shell(row: str) -> bool:
    return not PYTHON_LINE.match(row)


def _is_inner(row: str) -> bool:
    """Whether a line goes on with the block above it."""
    return not row.strip() or row[0] in " \t"


def compile_call(
    call: FunctionCall, names: Sequence[str], *, returns: bool = False
) -> RecipeTemplate:
    """A recipe that calls a function with the values that these names have in a job. Unless it
    `returns`, what the function returns is for those who call it themselves."""
    row = f"{call.name}({', '.join(f'{name}={name}' for name in names)})"
    lines = [(call.span.start, f"return {row}" if returns else row)]
    code, tree = compile_python(call.span.source, lines, call.span.source.name, returns=returns)
    part = PythonTemplate(code, tree, frozenset(names), frozenset(), returns, call.span)
    return RecipeTemplate((part,), "", row, call.span)


def _take_flags(lines: list[tuple[int, str]]) -> tuple[str, list[tuple[int, str]]]:
    """make's `@`, `-` and `+` at the start of a recipe: they hold for the whole of it."""
    offset, row = lines[0]
    size = flags_size(row)
    flags = "".join(sorted(set(row[:size]) - set(" \t")))
    if not flags:
        return "", lines
    if size == len(row) and len(lines) > 1:
        return flags, lines[1:]
    return flags, [(offset + size, row[size:]), *lines[1:]]


def flags_size(row: str) -> int:
    """How many characters at the start of a recipe's first line are marks of make's and blanks;
    0 if no mark is among them."""
    rest = row.lstrip("@-+ \t")
    marks = row[: len(row) - len(rest)]
    return len(marks) if marks.strip(" \t") else 0


def _dedented(rows: Sequence[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Rows without their common indentation; none if all of them are blank."""
    indents = [len(text) - len(text.lstrip()) for _, text in rows if text.strip()]
    if not indents:
        return ()
    cut = min(indents)
    return tuple([(at + cut, text[cut:]) if text.strip() else (at, "") for at, text in rows])


def _add_python(
    stretch: Stretch,
    source: Source,
    diagnostics: list[Diagnostic],
    parts: list[ShellTemplate | PythonTemplate],
) -> None:
    assert stretch.head is not None
    offset, row = stretch.head
    head = Span(source, offset, offset + len(row))
    if not stretch.rows:
        diagnostics.append(
            Diagnostic(
                "PB108", "`python:` without a block", head, help="indent the code further below it"
            )
        )
        return
    try:
        code, tree = compile_python(source, stretch.rows, source.name, returns=True)
    except BuildError as error:
        diagnostics.extend(error.diagnostics)
        return
    own = [node for statement in tree.body for node in own_nodes(statement)]
    parts.append(
        PythonTemplate(
            code,
            tree,
            frozenset(free_names(tree)),
            frozenset(names_set_by(own)),
            bool(code.co_flags & _OF_FUNCTION),
            head,
        )
    )


def _script(
    lines: Sequence[tuple[int, str]], source: Source, diagnostics: list[Diagnostic]
) -> ShellTemplate:
    template = _shell(lines, source, diagnostics, quoting=False)
    program, _, argument = lines[0][1][2:].strip().partition(" ")
    words = (program, argument.strip()) if argument.strip() else (program,)
    text = "\n".join(row for _, row in lines)
    return ShellTemplate(template.pieces, text, words)


def _shell(
    lines: Sequence[tuple[int, str]],
    source: Source,
    diagnostics: list[Diagnostic],
    quoting: bool = True,
) -> ShellTemplate:
    text = "\n".join(row for _, row in lines)
    pieces: list[str | Insert] = []
    position = 0
    for spot in spots(text):
        span = span_in(lines, source, spot.start, spot.end)
        inner = parse_placeholder(text[spot.start : spot.end], span) if spot.closed else None
        if inner is None:
            _complain_about_form(text, spot.start, spot.end, span, diagnostics)
            continue
        if inner.regex is not None:
            diagnostics.append(
                Diagnostic(
                    "PB104",
                    "a capture with a regular expression belongs into a prerequisite",
                    span,
                    help=f"write `<{inner.reference.name}>` here",
                )
            )
        pieces.append(_unescaped(text[position : spot.start]))
        context = spot.context if quoting else LITERAL_HERE
        pieces.append(Insert(Hole(inner.reference, span), context))
        position = spot.end
    pieces.append(_unescaped(text[position:]))
    return ShellTemplate(tuple(each for each in pieces if each != ""), significant(text))


def _complain_about_form(
    text: str, start: int, end: int, span: Span, diagnostics: list[Diagnostic]
) -> None:
    """`<name[0` and the like are mistakes; `<name` before a blank is left to the shell."""
    name_end = start + 1
    while name_end < len(text) and (text[name_end].isalnum() or text[name_end] == "_"):
        name_end += 1
    if text[name_end : name_end + 1] in ("[", "("):
        help = _FORMS.get(
            text[max(start, end - 2) : end],
            "close it with `>`; a redirection has a blank behind its `<`",
        )
        diagnostics.append(
            Diagnostic(
                "PB104",
                f"`{text[start:end]}` is a placeholder that is not well formed",
                span,
                help=help,
            )
        )


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\<" in text else text


def span_in(lines: Sequence[tuple[int, str]], source: Source, start: int, end: int) -> Span:
    """Where characters of the joined lines of a stretch stand in the source."""
    position = 0
    for offset, row in lines:
        if start <= position + len(row):
            return Span(source, offset + start - position, offset + end - position)
        position += len(row) + 1
    return Span(source, lines[-1][0], lines[-1][0] + len(lines[-1][1]))
