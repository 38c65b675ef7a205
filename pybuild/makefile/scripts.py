"""Recipes of makefiles as recipes of a Pipefile.

Make gives each line to a shell of its own, `sh` without `-e`, and stops at the first that fails. A
recipe of a Pipefile is one script of `bash -euo pipefail`. Lines of which each is one simple
command mean the same in both; others are put in brackets, and the script is `sh`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pybuild.makefile.command import prepared, split_prefix
from pybuild.makefile.expand import Expander
from pybuild.makefile.expressions import Translator, Untold, called, quoted
from pybuild.makefile.patterns import fill_pattern
from pybuild.makefile.references import Call, Ref, is_pure, names_in, take_apart
from pybuild.makefile.variables import Frame
from pybuild.typed import NamedTuple

WORD_START, LESS = "make_word_start", "make_less"
"""Variables with the texts `\\<` and `<`, where these cannot be written."""

_NEWLINE = re.compile(r"(?<!\\)\n")
_BEFORE_WORD = re.compile(r"\\<(?=[A-Za-z_])|(?<!<)<(?=[A-Za-z_])")
_LIKE_PLACEHOLDER = re.compile(r"<[A-Za-z_]\w*[^<>\n]*>")
_QUOTED = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
_COMPOUND = re.compile(r"[|&;()`$#{}!]|\\\n|\A\s*(?:\w+=\S*\s*)+\Z")
# What acts on the shell itself, and what bash does otherwise.
_SHELLS_OWN = frozenset(
    """
    . alias bg break case cd continue eval exec exit export fg for if pushd read readonly return
    set shift source trap ulimit umask unset until wait while time
    """.split()
)
_PLACEHOLDERS = {
    "@": "output",
    "<": "input",
    "^": "inputs",
    "+": "inputs",
    "?": "changed",
    "|": "order_only",
}
_ELSEWHERE = re.compile(r"(?:\A|\s)(?:-C|--directory|-f|--file|cd)\b")
_DEPENDENCIES = re.compile(r"(?:\A|\s|,)-M?MD(?:\s|,|\Z)")
_DEPENDENCY_FILE = re.compile(r"-M?MF\s*(\S+)")


class Script(NamedTuple):
    """A recipe of a Pipefile: its lines without indentation, and the attributes that it needs."""

    lines: tuple[str, ...]
    attributes: tuple[str, ...]


class Line(NamedTuple):
    """A line of a recipe: translated, and what make would run as far as that is known."""

    text: str
    sample: str
    silent: bool
    ignore: bool
    always: bool


class Setting:
    """What the recipe of a rule stands in. `target` is the target as a pattern or a name. `scope`
    has the variables of a sample of its targets, with the automatic ones. `is_one`: there is no
    other target, so that what has no form of its own can be written as the sample has it.
    `without_inputs`: there are no prerequisites. `is_literal`: nor do automatic variables have a
    form, as rules of several recipes are put together. `has_folders`: the target is a pattern for
    last parts of names, and some of the files that it is for are in folders."""

    def __init__(
        self,
        target: str,
        scope: Frame,
        *,
        is_one: bool,
        without_inputs: bool,
        is_literal: bool = False,
        has_folders: bool = False,
    ) -> None:
        self.target = target
        self.scope = scope
        self.is_one = is_one
        self.without_inputs = without_inputs
        self.is_literal = is_literal
        self.has_folders = has_folders


class Recipes:
    """Translates recipes. `shell` and `flags` are `SHELL` and `.SHELLFLAGS`."""

    def __init__(self, translator: Translator, expander: Expander, one_shell: bool) -> None:
        self.translator = translator
        self.names = translator.names
        self.expander = expander
        self.one_shell = one_shell

    def script(self, *parts: tuple[Sequence[str], Setting]) -> Script:
        """The recipe for lines as they stand in the makefile, one after the other. Raises
        Untold."""
        texts = [(text, setting) for lines, setting in parts for text in lines]
        found = [line for text, setting in texts for line in self._lines(text, setting)]
        found = [line for line in found if line.text.strip()]
        return self._put_together(found, parts[0][1])

    # -- texts -------------------------------------------------------------------------------

    def _lines(self, text: str, setting: Setting) -> list[Line]:
        head = split_prefix(text)
        made = []
        for piece in _NEWLINE.split(self._put_in(prepared(text, ""), 0)):
            own = split_prefix(self._without_marks(piece, setting))
            sample = self.sample(own.rest, setting.scope)
            if "MAKE" in names_in(own.rest) and _ELSEWHERE.search(sample) is None:
                raise Untold("a recipe that calls make in its own folder")
            made.append(
                Line(
                    self._translated(own.rest, setting).strip(" \t"),
                    sample,
                    head.silent or own.silent,
                    head.ignore or own.ignore,
                    head.always or own.always,
                )
            )
        return made

    def _without_marks(self, text: str, setting: Setting) -> str:
        """A line with `@`, `-` and `+` at its start where a variable stands for them (`$(Q)`)."""
        first = take_apart(text)[:1]
        if not first or isinstance(first[0], str):
            return text
        marks = self.sample(first[0].raw, setting.scope)
        return marks + text[len(first[0].raw) :] if re.fullmatch(r"[-@+ ]+", marks) else text

    def _put_in(self, text: str, depth: int) -> str:
        """The text with those variables put in that are none of the Pipefile."""
        if "$" not in text:
            return text
        if depth > 20:
            raise Untold("a variable that calls itself")
        made = []
        for part in take_apart(text):
            if isinstance(part, str):
                made.append(part.replace("$", "$$"))
                continue
            raw = None
            if isinstance(part, Ref) and part.old is None:
                raw = self.names.raw_of(part.name)
            elif isinstance(part, Call) and part.function == "call":
                raw = called(part, self.expander)
            made.append(part.raw if raw is None else self._put_in(raw, depth + 1))
        return "".join(made)

    def sample(self, text: str, scope: Frame) -> str:
        """What a text is where these variables count; as it is if expanding it does something."""
        outer, self.expander.scope = self.expander.scope, scope
        try:
            return self.expander.expand(text) if is_pure(text, self.expander) else text
        finally:
            self.expander.scope = outer

    def _translated(self, text: str, setting: Setting) -> str:
        made = ""
        for part in take_apart(text):
            if isinstance(part, str):
                piece = self._plain(part, text)
            elif isinstance(part, Call) and part.function == "shell":
                piece = f"$({self._translated(part.arguments[0].strip(), setting)})"
            else:
                piece = self._reference(part, setting)
            # `<` and a placeholder would be the start of a here-document.
            made += f" {piece}" if made[-1:] == "<" and piece[:1] == "<" else piece
        return made

    def _plain(self, text: str, line: str) -> str:
        """Text of which no part is a placeholder; `line` is all of which it is a part."""
        has_quotes = "'" in line or '"' in line

        def escaped(match: re.Match[str]) -> str:
            if match[0] == "\\<":
                return self._odd_text(WORD_START, match[0])
            if not has_quotes:
                return "< "
            if _LIKE_PLACEHOLDER.match(text, match.start()):
                return "\\<"
            return self._odd_text(LESS, match[0])

        return _BEFORE_WORD.sub(escaped, text)

    def _odd_text(self, name: str, text: str) -> str:
        self.names.used_texts[name] = text
        return f"<{name}>"

    def _reference(self, part: Ref | Call, setting: Setting) -> str:
        names = names_in(part.raw)
        try:
            if any(self._is_special(name, setting) for name in names):
                raise Untold(f"`{part.raw}`, which is other for each target")
            if setting.without_inputs and isinstance(part, Ref) and part.name in ("<", "^", "+"):
                return ""
            placeholder = self.translator.placeholder(part, self._automatic(setting))
        except Untold:
            if not setting.is_one or "?" in names or not self._is_pure(part.raw, setting):
                raise
            return self._plain(self.sample(part.raw, setting.scope), "'")
        if placeholder[:1] == "=":  # a text of its own
            return self._plain(placeholder[1:], "'")
        return f"<{placeholder}>"

    def _is_pure(self, text: str, setting: Setting) -> bool:
        outer, self.expander.scope = self.expander.scope, setting.scope
        try:
            return is_pure(text, self.expander)
        finally:
            self.expander.scope = outer

    def _is_special(self, name: str, setting: Setting) -> bool:
        """Whether a target's variables give the name another value."""
        if name in _PLACEHOLDERS or name in ("*", "%") or name[:1] in "@<^+?*|%":
            return False
        reference = f"$({name})"
        if not self._is_pure(reference, setting):
            return False
        return self.expander.expand(reference) != self.sample(reference, setting.scope)

    def _stem(self, setting: Setting) -> str:
        """Make's stem has the folder of the target in it, that of a Pipefile has not."""
        if not setting.has_folders:
            return "stem"
        self.names.used.add("make_patsubst")
        return f'make_patsubst("{setting.target}", "%", output)'

    def _last_of_stem(self, setting: Setting) -> str:
        if "/" not in setting.target:
            return "stem"
        self.names.used.add("make_notdir")
        return "make_notdir(stem)"

    def _automatic(self, setting: Setting) -> Callable[[str], str | None]:
        def form(name: str) -> str | None:
            if name[:1] in "@<^+?*|%" and (setting.is_literal or (name == "*" and setting.is_one)):
                return "=" + self.sample(f"$({name.replace('?', '^')})", setting.scope)
            if name == "*" and "%" in setting.target:
                return self._stem(setting)
            if name == "*F" and "%" in setting.target:
                return self._last_of_stem(setting)
            if name[:1] == "*":
                raise Untold(f"`$({name})`")
            found = _PLACEHOLDERS.get(name[:1]) if len(name) < 3 else None
            if found is None or len(name) == 1:
                if name == "%":
                    raise Untold("`$%`")
                return found if len(name) == 1 else None
            if name[1] not in "DF":
                return None
            if found in ("output", "input"):
                return f"{found}.{'path' if name[1] == 'D' else 'filename'}"
            if name[1] == "D":
                raise Untold(f"`$({name})`")
            self.names.used.add("make_notdir")
            return f"make_notdir({found})"

        return form

    # -- scripts -----------------------------------------------------------------------------

    def _put_together(self, lines: list[Line], setting: Setting) -> Script:
        if not lines:
            return Script(("@:",), ())
        shell, flags = self._shell(setting)
        is_usual = (shell, flags) in ((("/bin/sh"), "-c"), ("sh", "-c"))
        attributes = []
        if self.one_shell:
            texts = [line.text for line in lines]
        elif is_usual and all(_is_simple(line.sample) for line in lines):
            texts = [_ignored(line, len(lines) == 1) for line in lines]
            shell = ""
        else:
            stops = "e" not in flags.partition(" ")[0]
            last = len(lines) - 1
            texts = [_by_itself(line, number == last, stops) for number, line in enumerate(lines)]
        if shell:
            attributes.append(f"@shell({quoted(_shell_words(shell, flags))})")
        script = [piece for text in texts for piece in _laid_out(text)]
        prefix = "-" if len(lines) == 1 and lines[0].ignore else ""
        if all(line.silent for line in lines):
            prefix = "@" + prefix
        if all(line.always for line in lines):
            prefix += "+"
        script[0] = prefix + script[0]
        return Script(tuple(script), (*attributes, *self._depfile(lines, setting)))

    def _shell(self, setting: Setting) -> tuple[str, str]:
        outer, self.expander.scope = self.expander.scope, setting.scope
        try:
            return self.expander.value("SHELL") or "/bin/sh", self.expander.shell_flags()
        finally:
            self.expander.scope = outer

    def _depfile(self, lines: list[Line], setting: Setting) -> list[str]:
        """The file in which a compiler says what it has read."""
        for line in lines:
            if _DEPENDENCIES.search(line.sample) is None:
                continue
            named = _DEPENDENCY_FILE.search(line.text)
            if named is not None:
                return [f'@depfile("{_without_quotes(named[1])}")']
            target = setting.target
            if "%" in target:
                stem = "<output.path>/<stem>" if setting.has_folders else "<stem>"
                target = fill_pattern(target, stem)
            folder, slash, last = target.rpartition("/")
            start = last.rpartition(".")[0] or last
            return [f'@depfile("{folder}{slash}{start}.d")']
        return []


def _without_quotes(text: str) -> str:
    return text.strip("'\"").replace('"', "'")


def _is_simple(sample: str) -> bool:
    """Whether a line is one simple command, which does the same in bash and in any `sh`."""
    if sample.lstrip()[:1] == "#":
        return True
    bare = _QUOTED.sub("''", sample)
    if _COMPOUND.search(bare) is not None:
        return False
    words = bare.split()
    while words and re.match(r"\w+=", words[0]):
        words.pop(0)
    if not words:
        return False
    if words[0] in ("echo", "printf", "test", "["):
        return "\\" not in sample and (len(words) < 2 or words[1][:1] != "-")
    return words[0] not in _SHELLS_OWN


def _ignored(line: Line, is_only: bool) -> str:
    return f"{line.text} || true" if line.ignore and not is_only else line.text


def _by_itself(line: Line, is_last: bool, stops: bool) -> str:
    """A line that leaves nothing behind for the next one: folder, variables, options."""
    if line.text[:1] == "#":
        return line.text
    if is_last:
        if not line.ignore:
            return line.text
        if _is_simple(line.sample):
            return f"{line.text} || true"
    tail = " || true" if line.ignore else " || exit" if stops else ""
    if _is_simple(line.sample):
        return line.text + tail
    if "#" in line.text or line.text.endswith("\\"):
        return f"(\n{line.text}\n){tail}"
    return f"({line.text}){tail}"


def _shell_words(shell: str, flags: str) -> str:
    """A shell with its flags, but for the `-c` behind which the script stands."""
    words = ["sh" if shell == "/bin/sh" else shell]
    for word in flags.split():
        if re.fullmatch(r"-[a-z]*c", word):
            word = word[:-1]
        if word not in ("", "-"):
            words.append(word)
    return " ".join(words)


def _laid_out(text: str) -> list[str]:
    """The lines of a text: what one goes on with is indented with blanks."""
    first, *rest = text.split("\n")
    return [first, *(re.sub(r"\A\s+", "    ", line) for line in rest)]
