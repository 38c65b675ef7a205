"""Python functions that do in a Pipefile what functions of make do, as text: a migrated makefile
has those that it uses in a block of its own."""

from __future__ import annotations

from collections.abc import Iterable

# Function of make: how many arguments its stand-in takes. Stand-ins take texts, names of files and
# lists of them, and return a list of words.
WORD_FUNCTIONS = {
    "patsubst": 3,
    "subst": 3,
    "strip": 1,
    "findstring": 2,
    "filter": 2,
    "filter-out": 2,
    "sort": 1,
    "word": 2,
    "wordlist": 3,
    "firstword": 1,
    "lastword": 1,
    "dir": 1,
    "notdir": 1,
    "suffix": 1,
    "basename": 1,
    "addsuffix": 2,
    "addprefix": 2,
    "join": 2,
    "wildcard": 1,
}

_SOURCES = {
    "make_strip": """\
def make_strip(value):
    return [str(each) for each in value] if isinstance(value, list) else str(value).split()
""",
    "make_stem": """\
def make_stem(pattern, word):
    before, percent, behind = pattern.partition("%")
    if not percent:
        return "" if word == pattern else None
    fits = len(word) >= len(before + behind) and word.startswith(before) and word.endswith(behind)
    return word[len(before) : len(word) - len(behind)] if fits else None
""",
    "make_patsubst": """\
def make_patsubst(old, new, names):
    stems = [(word, make_stem(str(old), word)) for word in make_strip(names)]
    made = [word if stem is None else str(new).replace("%", stem, 1) for word, stem in stems]
    return [word for word in made if word]
""",
    "make_subst": """\
def make_subst(old, new, text):
    return " ".join(make_strip(text)).replace(str(old), str(new)).split()
""",
    "make_findstring": """\
def make_findstring(part, text):
    return [str(part)] if str(part) in " ".join(make_strip(text)) else []
""",
    "make_filter": """\
def make_filter(patterns, names):
    def fits(word):
        return any(make_stem(each, word) is not None for each in make_strip(patterns))
    return [word for word in make_strip(names) if fits(word)]
""",
    "make_filter_out": """\
def make_filter_out(patterns, names):
    dropped = make_filter(patterns, names)
    return [word for word in make_strip(names) if word not in dropped]
""",
    "make_sort": """\
def make_sort(names):
    return sorted(set(make_strip(names)))
""",
    "make_word": """\
def make_word(number, names):
    return make_strip(names)[int(number) - 1 : int(number)]
""",
    "make_wordlist": """\
def make_wordlist(first, last, names):
    return make_strip(names)[int(first) - 1 : int(last)]
""",
    "make_firstword": """\
def make_firstword(names):
    return make_strip(names)[:1]
""",
    "make_lastword": """\
def make_lastword(names):
    return make_strip(names)[-1:]
""",
    "make_dir": """\
def make_dir(names):
    parted = [each.rpartition("/") for each in make_strip(names)]
    return [folder + slash or "./" for folder, slash, _ in parted]
""",
    "make_notdir": """\
def make_notdir(names):
    found = [each.rpartition("/")[2] for each in make_strip(names)]
    return [each for each in found if each]
""",
    "make_parts": """\
def make_parts(name):
    folder, slash, last = name.rpartition("/")
    start, dot, end = last.rpartition(".")
    return (folder + slash + start, dot + end) if dot else (name, "")
""",
    "make_suffix": """\
def make_suffix(names):
    found = [make_parts(each)[1] for each in make_strip(names)]
    return [each for each in found if each]
""",
    "make_basename": """\
def make_basename(names):
    return [make_parts(each)[0] for each in make_strip(names)]
""",
    "make_addsuffix": """\
def make_addsuffix(suffix, names):
    return [f"{each}{suffix}" for each in make_strip(names)]
""",
    "make_addprefix": """\
def make_addprefix(prefix, names):
    return [f"{prefix}{each}" for each in make_strip(names)]
""",
    "make_join": """\
def make_join(left, right):
    from itertools import zip_longest

    pairs = zip_longest(make_strip(left), make_strip(right), fillvalue="")
    return [first + second for first, second in pairs]
""",
    "make_wildcard": """\
def make_wildcard(patterns):
    from glob import glob as files

    return [name for each in make_strip(patterns) for name in sorted(files(each))]
""",
    "make_shell": """\
def make_shell(command):
    from shlex import quote

    return sh(f"sh -c {quote(str(command))} || true").replace("\\n", " ")
""",
}


def name_of(function: str) -> str:
    """What the stand-in for a function of make is called."""
    return "make_" + function.replace("-", "_")


def block(used: Iterable[str]) -> list[str]:
    """The lines of the `python:` block with these stand-ins, and with those that they call."""
    wanted = set()
    todo = list(used)
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            text = _SOURCES[name]
            todo += [each for each in _SOURCES if each != name and f"{each}(" in text]
    if not wanted:
        return []
    lines = ["python:", "    # Functions of make, as far as this file uses them."]
    for name in [each for each in _SOURCES if each in wanted]:
        lines += [f"    {line}".rstrip() for line in _SOURCES[name].splitlines()] + [""]
    return lines
