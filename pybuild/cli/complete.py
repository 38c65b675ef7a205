"""`--complete SHELL WORD BEFORE...`: what a word of a command line may become.

The scripts that `--completion` prints call this at each press of the tab key. It runs nothing of
the user's, says nothing of errors, and imports the table of options only where an option is asked
for. Printed are texts, each with a null character behind it: first `names`, `files` or `folders`,
then, for names, what may stand there, for zsh and fish with a tab and a description.
"""

from __future__ import annotations

import os
import sys

from pybuild.cli.frontend import is_makefile, places, usual_makefile
from pybuild.engine.offers import NAMES, Offers, read_offers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pybuild.cli.options import Option

    Candidate = tuple[str, str]  # a text, and what it means

BASH, ZSH, FISH = "bash", "zsh", "fish"
_NAMES, _FILES, _FOLDERS = "names", "files", "folders"
_NEEDS_QUOTES = frozenset(" \t\"'\\$`&|;<>()*?[]{}!#~^")
_IN_DOUBLE = frozenset('"\\$`!')


def complete(words: Sequence[str]) -> int:
    """Prints what may stand in place of a word. `words` are the name of the shell, the word up to
    the cursor as it is typed (as it is meant, for zsh), and those before it. Returns 0."""
    # Nobody who presses the tab key wants to read what is wrong.
    try:
        shell, typed, *before = words
        word, quote = (typed, "") if shell == ZSH else unquoted(typed)
        kind, found = _candidates(word, [unquoted(each)[0] for each in before])
        texts = [kind, *_printed(found, shell, word, typed, quote)]
        data = "".join(f"{text}\0" for text in texts).encode("utf-8", "surrogateescape")
        sys.stdout.buffer.write(data)
    except Exception:
        return 0
    return 0


def _printed(
    found: Iterable[Candidate], shell: str, word: str, typed: str, quote: str
) -> Iterator[str]:
    if shell != BASH:
        # A name with a tab in it would be taken for a shorter one.
        yield from (f"{text}\t{meaning}" for text, meaning in found if "\t" not in text)
        return
    replaced = len(word) - len(unquoted(_last_piece(typed) if not quote else typed)[0])
    yield from (quoted(text[replaced:], quote) for text, _ in found)


def _last_piece(typed: str) -> str:
    """What bash replaces of a word: it takes `=` and `:` for the ends of words."""
    return typed[max(typed.rfind("="), typed.rfind(":")) + 1 :]


# -- what may stand there --------------------------------------------------------------------------


def _candidates(word: str, before: Sequence[str]) -> tuple[str, Iterable[Candidate]]:
    """What kind of thing is wanted, and for names which there are."""
    if "--" not in before:
        if before and before[-1].startswith("-"):
            option = _option(before[-1])
            if option is not None and option.takes == "value":
                return _values(option, word, "", before)
        if word.startswith("--") and "=" in word:
            name, _, value = word.partition("=")
            option = _option(name)
            return _values(option, value, f"{name}=", before) if option else (_NAMES, ())
        if word.startswith("-"):
            return _NAMES, _options(word)
        if "--format" in before or "--migrate" in before:
            return _FILES, ()
    return _goals(word, before)


def _option(name: str) -> Option | None:
    from pybuild.cli.options import option_of

    return option_of(name)


def _options(word: str) -> list[Candidate]:
    from pybuild.cli.options import OPTIONS

    return [
        (name + ("=" if option.takes == "value" and name.startswith("--") else ""), option.help)
        for option in OPTIONS
        for name in option.names
        if name.startswith(word) and option.field != "ignored"
    ]


def _values(
    option: Option, word: str, start: str, before: Sequence[str]
) -> tuple[str, Iterable[Candidate]]:
    """What an option may be given; `start` is what stands before it in the same word."""
    if option.metavar == "FILE":
        return _FILES, ()
    if option.metavar == "FOLDER":
        return _FOLDERS, ()
    if option.metavar in ("TARGET", "RULE_OR_TARGET", "GOAL"):
        _, found = _goals(word, before, with_variables=False)
        return _NAMES, [(start + text, meaning) for text, meaning in found]
    return _NAMES, [(start + each, "") for each in option.choices if each.startswith(word)]


def _goals(
    word: str, before: Sequence[str], with_variables: bool = True
) -> tuple[str, Iterable[Candidate]]:
    """Rules, targets and variables, and files where there are none."""
    if "=" in word and word.partition("=")[0].isidentifier():
        return _FILES, ()
    folder, files = places(before)
    if folder:
        os.chdir(folder)
    offers = _offers(files[0] if files else "")
    found = [(name, text) for name, text in offers.rules if name.startswith(word)]
    if with_variables:
        found += [(f"{name}=", "variable") for name in offers.variables if name.startswith(word)]
    known = {name for name, _ in found}
    found += [(name, "") for name in _steps(offers.targets, word) if name not in known]
    return (_NAMES, found) if found else (_FILES, ())


def _steps(targets: Iterable[str], word: str) -> Iterable[str]:
    """The targets that a word may become, up to the next slash: as files are completed."""
    size = len(word)
    found: dict[str, None] = {}
    for name in targets:
        if name.startswith(word):
            slash = name.find("/", size)
            found[name if slash < 0 else name[: slash + 1]] = None
    return found


def _offers(path: str) -> Offers:
    """The names of a build file: those of the last load, and those that can be read in a text that
    has changed since."""
    if (is_makefile(path) if path else usual_makefile()) or not os.path.exists(path or "Pipefile"):
        return Offers(path)
    path = path or "Pipefile"
    kept = read_offers()
    if kept is None or kept.path != path:
        return _read(path)
    if os.stat(path).st_mtime_ns <= os.stat(NAMES).st_mtime_ns:
        return kept
    now = _read(path)
    return Offers(
        path,
        list(dict.fromkeys([*now.variables, *kept.variables])),
        list((dict(now.rules) | dict(kept.rules)).items()),
        list(dict.fromkeys([*now.targets, *kept.targets])),
    )


def _read(path: str) -> Offers:
    from pybuild.cli.outline import outline

    with open(path, encoding="utf-8") as file:
        return outline(path, file.read())


# -- quoting ---------------------------------------------------------------------------------------


def unquoted(typed: str) -> tuple[str, str]:
    """What a word means that is typed in a shell, perhaps not to its end, and the quote that is
    open at its end."""
    out: list[str] = []
    quote = ""
    position = 0
    while position < len(typed):
        char = typed[position]
        position += 1
        if char == "\\" and quote != "'":
            following = typed[position : position + 1]
            if quote and following not in _IN_DOUBLE:
                out.append(char)
            out.append(following)
            position += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            out.append(char)
    return "".join(out), quote


def quoted(text: str, quote: str) -> str:
    """A text as bash reads it behind an open quote, or where there is none."""
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote:
        return "".join(f"\\{char}" if char in _IN_DOUBLE else char for char in text)
    return "".join(
        "$'\\n'" if char == "\n" else f"\\{char}" if char in _NEEDS_QUOTES else char
        for char in text
    )
