"""Headers of a makefile's rules as headers of a Pipefile."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from pybuild.makefile.expressions import Names, Translator, Untold
from pybuild.makefile.looks import Looks
from pybuild.makefile.patterns import existing_words
from pybuild.makefile.references import Call, Ref, names_in, take_apart
from pybuild.makefile.search import has_glob
from pybuild.makefile.statements import Ruled, Word

_ODD = re.compile(r"[\s:|#<=&;\"\\*?\[\]]")


def header_word(name: str) -> str:
    """The name of a file as a word of a header."""
    if _ODD.search(name) is None:
        return name
    escaped = re.sub(r"([\\\"*?\[\]])", r"\\\1", name)
    escaped = re.sub(r"<(?=[A-Za-z_])", r"\\<", escaped)
    return f'"{escaped}"' if re.search(r"[\s:|#<=&;]", name) else escaped


def header(
    targets: Sequence[str],
    normal: Sequence[str],
    order_only: Sequence[str] = (),
    *,
    grouped: bool = False,
    pattern: str = "",
) -> str:
    """A header of words that are written already."""
    line = " ".join(targets) + (" &:" if grouped else ":")
    if pattern:
        line += f" {pattern}:"
    if normal:
        line += " " + " ".join(normal)
    if order_only:
        line += " | " + " ".join(order_only)
    return line


class Headers:
    """Writes words of headers so that they are what was written, where that means the same."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.targets = names.database.targets
        self._translator = Translator(names, lambda name: name in names.final)

    def normal(self, statement: Ruled) -> list[str]:
        """The prerequisites of a rule."""
        told = [each.name for each in statement.rule.prerequisites if not each.order_only]
        return self._words(statement, statement.normal, told, True)

    def order_only(self, statement: Ruled) -> list[str]:
        """Those behind the bar."""
        told = [each.name for each in statement.rule.prerequisites if each.order_only]
        return self._words(statement, statement.order_only, told, True)

    def target_words(self, statement: Ruled) -> list[str]:
        """The targets of a rule, all of them."""
        return self._words(statement, statement.targets, statement.rule.targets, False)

    def file(self, name: str) -> str:
        """A prerequisite by its name; a folder that no rule makes ends in a slash."""
        target = self.targets.get(name)
        is_made = target is not None and target.is_target
        is_folder = name[-1:] != "/" and not is_made and os.path.isdir(name)
        return header_word(f"{name}/" if is_folder else name)

    def _words(
        self, statement: Ruled, words: list[Word] | None, told: list[str], are_files: bool
    ) -> list[str]:
        plain = self.file if are_files else header_word
        meant = [name for word in words or () for name in word.names or ("",)]
        if words is None or meant != told:
            return [plain(name) for name in told]
        found: list[str] = []
        for word in words:
            written = self._word(statement, word, are_files)
            found += [written] if written else map(plain, word.names or ())
        return found

    def _word(self, statement: Ruled, word: Word, are_files: bool) -> str:
        """A word as it was written, or "" if that does not mean the same."""
        if "$" not in word.raw:
            is_pattern = has_glob(word.raw) and are_files and not self._is_made(word)
            return word.raw if is_pattern and _ODD.sub("", word.raw.strip("*?")) else ""
        for name in names_in(word.raw):
            value = statement.seen.get(name)
            if value is None or self.names.final.get(name, "").split() != value.split():
                return ""
        parts = take_apart(word.raw)
        if len(parts) == 1 and isinstance(parts[0], Call):
            return self._call(parts[0], are_files)
        made = ""
        for part in parts:
            if isinstance(part, str):
                made += header_word(part)
                continue
            is_list = part.raw and isinstance(part, Ref) and part.name in self.names.lists
            if isinstance(part, Call) or (len(parts) > 1 and (is_list or part.old is not None)):
                return ""
            if part.old is not None:
                return self._call(part, are_files)
            if not is_list and len(self.names.final.get(part.name, "").split()) != 1:
                return ""
            made += f"<{self.names.identifier(part.name)}>"
        return "" if '"' in made or has_glob(made) else made

    def _call(self, part: Ref | Call, are_files: bool) -> str:
        if not are_files:
            return ""
        try:
            return f"<{self._translator.placeholder(part, lambda _: None)}>"
        except Untold:
            return ""

    def _is_made(self, word: Word) -> bool:
        """Whether a pattern may mean a file that some rule makes, or no file at all."""
        return tuple(existing_words(word.raw, Looks())) != (word.names or ()) or any(
            name in self.targets and self.targets[name].is_target for name in word.names or ("",)
        )
