"""Words of a text, patterns with one `%`, and names with wildcards."""

from __future__ import annotations

import os

from pybuild.makefile.looks import Looks
from pybuild.regex import regex
from pybuild.typed import Callable, Iterable

_BLANKS = " \t\n\v\f\r"
_WORD = regex(rf"[^{_BLANKS}]+")
_ESCAPED = regex(r"(?s)\\(.)")
_MAGIC = frozenset("*?[\\")
_CLASSES = {
    "alnum": r"^\W_",
    "alpha": r"^\W\d_",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"^\s\x00-\x1f\x7f",
    "lower": "a-z",
    "print": r"^\x00-\x1f\x7f",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}

_split_patterns: dict[str, tuple[str, str | None]] = {}
_matchers: dict[str, Callable[[str], object]] = {}


def split_words(text: str) -> list[str]:
    """The words of a text, divided by blanks, tabs and newlines."""
    return text.split() if text.isascii() else _WORD.findall(text)


def sort_by_bytes(words: Iterable[str]) -> list[str]:
    """In the order of their bytes. For valid text that is the order of its characters."""
    found = list(words)
    found.sort(key=None if "".join(found).isascii() else os.fsencode)
    return found


def split_pattern(pattern: str) -> tuple[str, str | None]:
    """What is before and behind the first `%` of a pattern that no backslash stands before. Without
    one: the pattern as a plain text and None."""
    found = _split_patterns.get(pattern)
    if found is None:
        found = _split_patterns[pattern] = _find_percent(pattern)
    return found


def _find_percent(pattern: str) -> tuple[str, str | None]:
    before = ""
    start = 0
    while (at := pattern.find("%", start)) >= 0:
        plain = pattern[start:at].rstrip("\\")
        slashes = at - start - len(plain)
        # Backslashes count only before a `%`: two stand for one.
        before += plain + "\\" * (slashes // 2)
        if slashes % 2 == 0:
            return before, pattern[at + 1 :]
        before += "%"
        start = at + 1
    return before + pattern[start:], None


def match_pattern(pattern: str, word: str) -> str | None:
    """The part of a word that the `%` stands for; None if the pattern does not match. A pattern
    without `%` matches itself, with an empty stem."""
    before, behind = split_pattern(pattern)
    if behind is None:
        return "" if word == before else None
    if len(word) >= len(before) + len(behind) and word.startswith(before) and word.endswith(behind):
        return word[len(before) : len(word) - len(behind)]
    return None


def fill_pattern(pattern: str, stem: str) -> str:
    """The pattern with a stem in the place of its `%`."""
    before, behind = split_pattern(pattern)
    return before if behind is None else before + stem + behind


def substitute(pattern: str, replacement: str, text: str) -> str:
    """`$(patsubst)`: words that the pattern matches replaced, others as they are. The blanks
    between them stay only if the pattern has no `%`."""
    before, behind = split_pattern(pattern)
    first, second = split_pattern(replacement)
    if behind is None:
        return _replace_words(before, first if second is None else f"{first}%{second}", text)
    words = split_words(text)
    least = len(before) + len(behind)
    start, end = len(before), len(behind)
    made = [
        (
            first
            if second is None
            else f"{first}{word[start : len(word) - end] if end else word[start:]}{second}"
        )
        if len(word) >= least and word.startswith(before) and word.endswith(behind)
        else word
        for word in words
    ]
    # What a replacement without `%` makes empty does not leave its blank either.
    return " ".join(made if second is not None else filter(None, made))


def _replace_words(old: str, new: str, text: str) -> str:
    if not old:
        return text + new if not text or text[-1] in _BLANKS else text
    if old not in text:
        return text
    from re import escape, sub

    whole = rf"(?<![^{_BLANKS}]){escape(old)}(?![^{_BLANKS}])"
    return sub(whole, lambda _: new, text)


def _expand_home(word: str, looks: Looks) -> str:
    """A leading `~` or `~user` replaced; as it is if there is no such user."""
    if not word.startswith("~"):
        return word
    if word[1:2] not in ("", "/"):
        looks.doubt()  # who knows where users live
    return os.path.expanduser(word)


def short_name(name: str) -> str:
    """A name of a file without the `./` that it begins with."""
    while name.startswith("./"):
        rest = name[2:].lstrip("/")
        if not rest:
            return "./"
        name = rest
    return name


def glob_words(word: str, looks: Looks) -> list[str]:
    """What a word of targets or prerequisites stands for: the files that it matches, or itself."""
    word = _expand_home(word, looks)
    if "*" in word or "?" in word or "[" in word:
        return _glob(word, looks) or [word]
    return [word]


def existing_words(word: str, looks: Looks) -> list[str]:
    """What a word of `$(wildcard)` stands for: the files that it matches."""
    return _glob(_expand_home(word, looks), looks)


def _glob(pattern: str, looks: Looks) -> list[str]:
    if _MAGIC.isdisjoint(pattern):
        return _existing(pattern, looks)
    return sort_by_bytes(_matching(pattern, looks))


def _existing(name: str, looks: Looks) -> list[str]:
    if name.endswith("/") and (plain := name.rstrip("/")):
        if not looks.exists(plain):
            return []
        return [plain + "/" if looks.is_folder(plain) else plain]
    return [name] if looks.exists(name) else []


def _matching(pattern: str, looks: Looks) -> list[str]:
    if not _is_magic(pattern):
        return _existing(_unescape(pattern), looks)
    head, slash, base = pattern.rpartition("/")
    if not slash:
        return _names("", base, looks)
    if not base:
        return [f"{each}/" for each in _matching(head, looks) if looks.is_folder(each)]
    if not head:
        folders = ["/"]
    elif _is_magic(head):
        folders = _matching(head, looks)
    else:
        folders = [_unescape(head)]
    return [name for folder in folders for name in _names(folder, base, looks)]


def _names(folder: str, base: str, looks: Looks) -> list[str]:
    start = folder if folder in ("", "/") else folder + "/"
    if not _is_magic(base):
        name = start + _unescape(base)
        return [name] if looks.exists(name) else []
    try:
        names = looks.names(folder)
    except OSError:
        return []
    matches = _matcher(base)
    if base.startswith((".", "\\.")):
        names += [".", ".."]
    else:
        names = [name for name in names if not name.startswith(".")]
    return [start + name for name in names if matches(name)]


def _is_magic(pattern: str) -> bool:
    """Whether there is a wildcard that no backslash stands before, a `[` only with its `]`."""
    bare = _ESCAPED.sub("", pattern) if "\\" in pattern else pattern
    return "*" in bare or "?" in bare or 0 <= bare.find("[") < bare.rfind("]")


def _unescape(pattern: str) -> str:
    return _ESCAPED.sub(r"\1", pattern) if "\\" in pattern else pattern


def _matcher(pattern: str) -> Callable[[str], object]:
    """What tells whether a name matches."""
    found = _matchers.get(pattern)
    if found is None:
        before, star, behind = pattern.partition("*")
        if star and _MAGIC.isdisjoint(before + behind):
            least = len(before) + len(behind)
            found = _matchers[pattern] = lambda name: (
                len(name) >= least and name.startswith(before) and name.endswith(behind)
            )
        else:
            found = _matchers[pattern] = regex(f"(?s){_regex(pattern)}").fullmatch
    return found


def _regex(pattern: str) -> str:
    from re import escape

    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            parts.append(".*")
        elif char == "?":
            parts.append(".")
        elif char == "[":
            text, at = _bracket(pattern, at)
            parts.append(text)
        elif char == "\\" and at < len(pattern):
            parts.append(escape(pattern[at]))
            at += 1
        else:
            parts.append(escape(char))
    return "".join(parts)


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """The expression for `[...]` from behind its bracket, and where it ends."""
    from re import escape

    start = at
    is_negated = pattern[at : at + 1] in ("!", "^") and at < len(pattern)
    at += is_negated
    choices: list[str] = []
    first = at
    while at < len(pattern) and (pattern[at] != "]" or at == first):
        if pattern.startswith("[:", at) and (end := pattern.find(":]", at)) > 0:
            choices.append(f"[{_CLASSES.get(pattern[at + 2 : end], '')}]")
            at = end + 2
            continue
        at += pattern[at] == "\\" and at + 1 < len(pattern)
        low = high = pattern[at]
        at += 1
        if pattern.startswith("-", at) and at + 1 < len(pattern) and pattern[at + 1] != "]":
            high = pattern[at + 1]
            at += 2
        if low <= high:
            choices.append(f"[{escape(low)}-{escape(high)}]")
    if at >= len(pattern):
        return escape("["), start  # nothing ends it: a plain bracket
    either = "|".join(choice for choice in choices if choice != "[]") or "(?!)"
    return (f"(?!{either})." if is_negated else f"(?:{either})"), at + 1
