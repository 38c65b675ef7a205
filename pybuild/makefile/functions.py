"""The functions that a makefile can call, but those that other languages would be needed for."""

from __future__ import annotations

import os
from itertools import zip_longest

from pybuild.makefile.errors import MakeError
from pybuild.makefile.patterns import (
    existing_words,
    sort_by_bytes,
    split_pattern,
    split_words,
    substitute,
)
from pybuild.makefile.variables import ORIGIN_WORDS, Frame
from pybuild.regex import regex
from pybuild.typed import TYPE_CHECKING, Callable, NamedTuple, Sequence

if TYPE_CHECKING:
    from pybuild.makefile.expand import Expander

Arguments = Sequence[str]

_BLANKS = " \t\n\v\f\r"
_NUMBER = regex(rf"[{_BLANKS}]*([+-]?[0-9]+)[{_BLANKS}]*")
_WORD = regex(rf"[^{_BLANKS}]+")
_GREATEST = 2**63 - 1


class Function(NamedTuple):
    """`least` arguments are needed; at the `most`th commas are text (0: never). `is_lazy`: `act`
    gets its arguments unexpanded."""

    name: str
    least: int
    most: int
    act: Callable[[Expander, Arguments], str]
    is_lazy: bool = False


# Text


def _subst(_: Expander, arguments: Arguments) -> str:
    old, new, text = arguments
    return text.replace(old, new) if old else text + new


def _patsubst(_: Expander, arguments: Arguments) -> str:
    return substitute(*arguments)


def _strip(_: Expander, arguments: Arguments) -> str:
    return " ".join(split_words(arguments[0]))


def _findstring(_: Expander, arguments: Arguments) -> str:
    return arguments[0] if arguments[0] in arguments[1] else ""


def _filter(_: Expander, arguments: Arguments) -> str:
    return " ".join(_choose(arguments, True))


def _filter_out(_: Expander, arguments: Arguments) -> str:
    return " ".join(_choose(arguments, False))


def _choose(arguments: Arguments, is_wanted: bool) -> list[str]:
    patterns, text = arguments
    plain: set[str] = set()
    split: list[tuple[str, str]] = []
    for pattern in split_words(patterns):
        before, behind = split_pattern(pattern)
        if behind is None:
            plain.add(before)
        else:
            split.append((before, behind))
    words = split_words(text)
    if not split:
        return [word for word in words if (word in plain) is is_wanted]
    return [word for word in words if (word in plain or _matches(split, word)) is is_wanted]


def _matches(split: list[tuple[str, str]], word: str) -> bool:
    for before, behind in split:
        if (
            word.startswith(before)
            and word.endswith(behind)
            and len(word) >= len(before) + len(behind)
        ):
            return True
    return False


def _sort(_: Expander, arguments: Arguments) -> str:
    words = sort_by_bytes(set(split_words(arguments[0])))
    if not arguments[0].isascii():
        # Make compares first bytes as signed numbers: those that are not ASCII come first.
        words.sort(key=lambda word: word[0].isascii())
    return " ".join(words)


def _word(expander: Expander, arguments: Arguments) -> str:
    number = _number(expander, "word", "first", arguments[0])
    if number <= 0:
        raise expander.fail("first argument to 'word' function must be greater than 0")
    words = split_words(arguments[1])
    return words[number - 1] if number <= len(words) else ""


def _wordlist(expander: Expander, arguments: Arguments) -> str:
    first = _number(expander, "wordlist", "first", arguments[0])
    if first < 1:
        raise _bad_number(expander, "wordlist", "first", f"'{arguments[0]}'")
    last = _number(expander, "wordlist", "second", arguments[1])
    if last < 0:
        raise _bad_number(expander, "wordlist", "second", f"'{arguments[1]}'")
    text = arguments[2]
    start = end = -1
    for number, word in enumerate(_WORD.finditer(text), 1):
        if number > last:
            break
        if number == first:
            start = word.start()
        end = word.end()
    # The blanks between the words stay as they are.
    return text[start:end] if start >= 0 else ""


def _number(expander: Expander, function: str, ordinal: str, text: str) -> int:
    if not text.strip(_BLANKS):
        raise _bad_number(expander, function, ordinal, "empty value")
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise _bad_number(expander, function, ordinal, f"'{text}'")
    number = int(found.group(1))
    if abs(number) > _GREATEST:
        raise _bad_number(expander, function, ordinal, f"'{text}' out of range")
    return number


def _bad_number(expander: Expander, function: str, ordinal: str, what: str) -> MakeError:
    return expander.fail(f"invalid {ordinal} argument to '{function}' function: {what}")


def _words(_: Expander, arguments: Arguments) -> str:
    return str(len(split_words(arguments[0])))


def _firstword(_: Expander, arguments: Arguments) -> str:
    words = split_words(arguments[0])
    return words[0] if words else ""


def _lastword(_: Expander, arguments: Arguments) -> str:
    words = split_words(arguments[0])
    return words[-1] if words else ""


# Names of files


def _dir(_: Expander, arguments: Arguments) -> str:
    return " ".join([word[: word.rfind("/") + 1] or "./" for word in split_words(arguments[0])])


def _notdir(_: Expander, arguments: Arguments) -> str:
    return " ".join([word[word.rfind("/") + 1 :] for word in split_words(arguments[0])])


def _dot(word: str) -> int:
    """Where the suffix of a name begins, -1 if it has none."""
    at = word.rfind(".")
    return at if at > word.rfind("/") else -1


def _suffix(_: Expander, arguments: Arguments) -> str:
    words = split_words(arguments[0])
    return " ".join([word[at:] for word in words if (at := _dot(word)) >= 0])


def _basename(_: Expander, arguments: Arguments) -> str:
    words = split_words(arguments[0])
    return " ".join([word if (at := _dot(word)) < 0 else word[:at] for word in words])


def _addsuffix(_: Expander, arguments: Arguments) -> str:
    return " ".join([word + arguments[0] for word in split_words(arguments[1])])


def _addprefix(_: Expander, arguments: Arguments) -> str:
    return " ".join([arguments[0] + word for word in split_words(arguments[1])])


def _join(_: Expander, arguments: Arguments) -> str:
    pairs = zip_longest(split_words(arguments[0]), split_words(arguments[1]), fillvalue="")
    return " ".join([first + second for first, second in pairs])


def _wildcard(expander: Expander, arguments: Arguments) -> str:
    looks = expander.services.looks
    words = split_words(arguments[0])
    return " ".join([name for word in words for name in existing_words(word, looks)])


def _abspath(_: Expander, arguments: Arguments) -> str:
    return " ".join([_absolute(word) for word in split_words(arguments[0])])


def _absolute(word: str) -> str:
    plain = os.path.normpath(os.path.join(os.getcwd(), word))
    return plain[1:] if plain.startswith("//") else plain  # which Python keeps


def _realpath(expander: Expander, arguments: Arguments) -> str:
    expander.services.looks.doubt()
    return " ".join(filter(None, [_real(word) for word in split_words(arguments[0])]))


def _real(word: str) -> str:
    try:
        found = os.path.realpath(word, strict=True)
    except OSError:
        return ""
    return _absolute(found) if not word.endswith("/") or os.path.isdir(found) else ""


# Conditions


def _if(expander: Expander, arguments: Arguments) -> str:
    if expander.expand(arguments[0].strip(_BLANKS)):
        return expander.expand(arguments[1])
    return expander.expand(arguments[2]) if len(arguments) > 2 else ""


def _or(expander: Expander, arguments: Arguments) -> str:
    for argument in arguments:
        if found := expander.expand(argument.strip(_BLANKS)):
            return found
    return ""


def _and(expander: Expander, arguments: Arguments) -> str:
    found = ""
    for argument in arguments:
        found = expander.expand(argument.strip(_BLANKS))
        if not found:
            break
    return found


def _intcmp(expander: Expander, arguments: Arguments) -> str:
    texts = [expander.expand(arguments[0]), expander.expand(arguments[1])]
    numbers: list[str] = []
    for ordinal, text in zip(("first", "second"), texts, strict=True):
        found = _NUMBER.fullmatch(text)
        if found is None:
            what = f"'{text}'" if text.strip(_BLANKS) else "empty value"
            raise expander.fail(f"non-numeric {ordinal} argument to 'intcmp' function: {what}")
        digits = found.group(1).lstrip("+-").lstrip("0")
        numbers.append("-" * (text.lstrip(_BLANKS).startswith("-") and digits != "") + digits)
    left, right = numbers
    order = _compare(left, right)
    if len(arguments) == 2:
        return "" if order else left or "0"
    if order < 0:
        chosen = 2
    elif order == 0 or len(arguments) < 5:
        chosen = 3
    else:
        chosen = 4
    return expander.expand(arguments[chosen]) if chosen < len(arguments) else ""


def _compare(left: str, right: str) -> int:
    """As texts, as numbers may be of any length. Two negative ones are compared without their
    signs: so make does."""
    if left.startswith("-") is not right.startswith("-"):
        return -1 if left.startswith("-") else 1
    ours, theirs = (len(left), left), (len(right), right)
    return (ours > theirs) - (ours < theirs)


# Loops and variables


def _foreach(expander: Expander, arguments: Arguments) -> str:
    names = split_words(expander.expand(arguments[0]))
    name = names[0] if names else ""
    words = split_words(expander.expand(arguments[1]))
    body = arguments[2]
    outer, frame = expander.scope, Frame(expander.scope)
    expander.scope = frame
    made = []
    try:
        for word in words:
            frame.texts[name] = word
            made.append(expander.expand(body))
    finally:
        expander.scope = outer
    return " ".join(made)


def _let(expander: Expander, arguments: Arguments) -> str:
    names = split_words(expander.expand(arguments[0]))
    rest = expander.expand(arguments[1])
    outer, frame = expander.scope, Frame(expander.scope)
    for name in names[:-1]:
        found = _WORD.search(rest)
        frame.texts[name] = found.group() if found else ""
        rest = rest[found.end() :] if found else ""
    if names:
        frame.texts[names[-1]] = rest.lstrip(_BLANKS)
    expander.scope = frame
    try:
        return expander.expand(arguments[2])
    finally:
        expander.scope = outer


def _call(expander: Expander, arguments: Arguments) -> str:
    words = split_words(arguments[0])
    if not words:
        return ""
    name = words[0]
    function = FUNCTIONS.get(name)
    if function is not None:
        if len(arguments) == 1 and not function.least:
            return ""
        most = function.most or len(arguments)
        return expander.apply(function, arguments[1 : most + 1])
    variable = expander.find(name)
    if variable is None:
        return expander.miss(name)
    end = arguments[0].find(name) + len(name)
    return expander.call(variable, [arguments[0][:end], *arguments[1:]])


def _value(expander: Expander, arguments: Arguments) -> str:
    variable = expander.find(arguments[0])
    return variable.value if variable is not None else ""


def _origin(expander: Expander, arguments: Arguments) -> str:
    variable = expander.find(arguments[0])
    if variable is None:
        return "default" if arguments[0] == ".VARIABLES" else "undefined"
    return ORIGIN_WORDS[variable.origin]


def _flavor(expander: Expander, arguments: Arguments) -> str:
    variable = expander.find(arguments[0])
    if variable is None:
        return "simple" if arguments[0] == ".VARIABLES" else "undefined"
    return "recursive" if variable.recursive else "simple"


def _eval(expander: Expander, arguments: Arguments) -> str:
    if expander.read is not None:
        expander.read(arguments[0], expander.place)
    return ""


# The world


def _shell(expander: Expander, arguments: Arguments) -> str:
    return expander.shell(arguments[0])


def _info(expander: Expander, arguments: Arguments) -> str:
    expander.services.console.out(f"{arguments[0]}\n")
    return ""


def _warning(expander: Expander, arguments: Arguments) -> str:
    expander.warn(arguments[0])
    return ""


def _error(expander: Expander, arguments: Arguments) -> str:
    raise MakeError(arguments[0], expander.place)


def _file(expander: Expander, arguments: Arguments) -> str:
    expander.services.looks.doubt()
    what = arguments[0].strip(_BLANKS)
    for operation in (">>", ">", "<"):
        if what.startswith(operation):
            break
    else:
        raise expander.fail(f"file: invalid file operation: {what}")
    names = split_words(what[len(operation) :])
    if not names:
        raise expander.fail("file: missing filename")
    if operation == "<":
        if len(arguments) > 1:
            raise expander.fail("file: too many arguments")
        return _read_file(expander, names[0])
    text = arguments[1] if len(arguments) > 1 else None
    if expander.only_looks:
        return f"{what}\n{text}"
    if not expander.writes_files:
        return ""
    _write_file(expander, names[0], text, os.O_APPEND if operation == ">>" else os.O_TRUNC)
    return ""


def _read_file(expander: Expander, name: str) -> str:
    try:
        file = os.open(name, os.O_RDONLY)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _file_failure(expander, "open", name, error) from None
    try:
        pieces = []
        while piece := os.read(file, 1 << 20):
            pieces.append(piece)
    except OSError as error:
        raise _file_failure(expander, "read", name, error) from None
    finally:
        os.close(file)
    text = os.fsdecode(b"".join(pieces))
    return text.removesuffix("\n")


def _write_file(expander: Expander, name: str, text: str | None, mode: int) -> None:
    try:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | mode, 0o666)
    except OSError as error:
        raise _file_failure(expander, "open", name, error) from None
    try:
        if text is not None:
            rest = os.fsencode(text if text.endswith("\n") else text + "\n")
            while rest:
                rest = rest[os.write(file, rest) :]
    except OSError as error:
        raise _file_failure(expander, "write", name, error) from None
    finally:
        os.close(file)


def _file_failure(expander: Expander, action: str, name: str, error: OSError) -> MakeError:
    return MakeError(f"{action}: {name}: {error.strerror}", expander.place)


FUNCTIONS = {
    each.name: each
    for each in (
        Function("abspath", 0, 1, _abspath),
        Function("addprefix", 2, 2, _addprefix),
        Function("addsuffix", 2, 2, _addsuffix),
        Function("and", 1, 0, _and, True),
        Function("basename", 0, 1, _basename),
        Function("call", 1, 0, _call),
        Function("dir", 0, 1, _dir),
        Function("error", 0, 1, _error),
        Function("eval", 0, 1, _eval),
        Function("file", 1, 2, _file),
        Function("filter", 2, 2, _filter),
        Function("filter-out", 2, 2, _filter_out),
        Function("findstring", 2, 2, _findstring),
        Function("firstword", 0, 1, _firstword),
        Function("flavor", 0, 1, _flavor),
        Function("foreach", 3, 3, _foreach, True),
        Function("if", 2, 3, _if, True),
        Function("info", 0, 1, _info),
        Function("intcmp", 2, 5, _intcmp, True),
        Function("join", 2, 2, _join),
        Function("lastword", 0, 1, _lastword),
        Function("let", 3, 3, _let, True),
        Function("notdir", 0, 1, _notdir),
        Function("or", 1, 0, _or, True),
        Function("origin", 0, 1, _origin),
        Function("patsubst", 3, 3, _patsubst),
        Function("realpath", 0, 1, _realpath),
        Function("shell", 0, 1, _shell),
        Function("sort", 0, 1, _sort),
        Function("strip", 0, 1, _strip),
        Function("subst", 3, 3, _subst),
        Function("suffix", 0, 1, _suffix),
        Function("value", 0, 1, _value),
        Function("warning", 0, 1, _warning),
        Function("wildcard", 0, 1, _wildcard),
        Function("word", 2, 2, _word),
        Function("wordlist", 3, 3, _wordlist),
        Function("words", 0, 1, _words),
    )
}
