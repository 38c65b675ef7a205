"""Random projects: rules as data, which become a Pipefile, and the sources that they read.

Files come in families. `src` holds pairs (`src/a_1.txt`), `lib` three files that are always there;
each rule makes a family of its own, told by its extension. A family has a shape: `pair` (G_N),
`single` (G), `many` (two names joined), or `one` (the file `all`). What a recipe writes depends on nothing but its word, the
variable and the function if it uses them, and the bytes and order of its inputs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

LIBRARY = ("lib/k1.inc", "lib/k2.inc", "lib/k3.inc")
GROUPS = ("a", "b", "c c")
NUMBERS = ("1", "2", "3")
# Lines `pN ...` go to part N of a split; a `#` line is dropped by lossy rules; POISON makes a
# recipe fail half way.
CONTENTS = (
    "p1 a\n",
    "p1 b\n",
    "p1 a\np2 b\n",
    "p2 c\np3 d\n",
    "",
    "no parts here\n",
    "# remark\np1 a\n",
    "# another remark\np1 a\n",
    "p3 x\np2 y\np1 z\np2 w\n",
)
POISON = "p1 a\np2 b\nPOISON\np4 d\n"

PAIR, SINGLE, MANY, ONE = "pair", "single", "many", "one"
KINDS = {
    "": ("explicit", "grouped", "chain"),
    PAIR: ("transform", "collate", "merge", "joined"),
    SINGLE: ("transform", "merge", "shard", "joined"),
    MANY: ("merge",),
    ONE: ("transform", "split"),
}
_CAPTURES = {PAIR: "<g>_<n>", SINGLE: "<g>", ONE: "all"}


@dataclass(frozen=True)
class Rule:
    """One rule and its recipe. `style` is how it names its source: 0 captures, 1 a glob, 2 the
    rule, 3 a phony name. Bits of `traits` choose how the recipe is written."""

    name: str
    kind: str
    source: str
    source_shape: str
    style: int
    python: bool = False
    lossy: bool = False
    colour: bool = False
    shaped: bool = False
    copy: bool = False
    flat: bool = False
    strict: bool = False
    word: int = 0
    temporary: bool = False
    extra: frozenset[str] = frozenset()
    order_only: str = ""

    @property
    def shape(self) -> str:
        if self.kind in ("transform",):
            return self.source_shape
        if self.kind in ("collate", "split", "grouped"):
            return SINGLE
        if self.kind == "joined":
            return MANY
        return PAIR if self.kind == "shard" else ONE

    @property
    def number(self) -> str:
        return self.name[1:]

    @property
    def suffix(self) -> str:
        return f".t{self.number}"

    @property
    def folder(self) -> str:
        return "out" if self.flat else f"d{self.number}"

    @property
    def splits(self) -> bool:
        return self.kind in ("split", "shard")


@dataclass(frozen=True)
class Model:
    """A project as it should be: its sources and its rules, the first of them to be made first."""

    sources: Mapping[str, bytes]
    rules: tuple[Rule, ...]
    shelf: tuple[Rule, ...] = ()
    colour: int = 0
    shape: int = 0
    order: int = 0
    fixed: frozenset[str] = field(default_factory=frozenset)

    def rule(self, name: str) -> Rule:
        return next(each for each in self.rules if each.name == name)

    def consumers(self, name: str) -> list[Rule]:
        return [each for each in self.rules if each.source == name or each.order_only == name]

    @property
    def leaves(self) -> list[Rule]:
        return [
            each
            for each in self.rules
            if not any(other.source == each.name for other in self.rules)
        ]

    def is_temporary(self, rule: Rule) -> bool:
        """A goal, and what is only waited for, is never taken away."""
        return rule.temporary and any(each.source == rule.name for each in self.rules)

    # -- text ------------------------------------------------------------------------------

    def pipefile(self) -> str:
        rules = list(self.rules)
        turn = self.order % len(rules)
        rules = rules[turn:] + rules[:turn]
        goals = " ".join(self._goal(each) for each in self.leaves)
        head = f'colour = "c{self.colour}"\n\n{_HELPERS.replace("SHAPE", str(self.shape))}\n'
        phony = f".PHONY: all\nall: {goals}\n\n"
        return head + phony + "\n".join(map(self._rule, rules))

    def _goal(self, rule: Rule) -> str:
        if rule.kind == "grouped":
            return _grouped(rule)
        if rule.shape == ONE and rule.style % 2:
            return f"{rule.folder}/all{rule.suffix}"
        return f"<{rule.name}>"

    def _source_text(self, rule: Rule) -> str:
        if rule.source == "src":
            folder, suffix = "src", ".txt"
        else:
            above = self.rule(rule.source)
            folder, suffix = above.folder, above.suffix
        if rule.style == 2 and rule.kind != "collate" and self._has_name(rule.source):
            return f"<{rule.source}>"
        if rule.style == 3 and rule.kind == "merge" and self._has_name(rule.source):
            return f"alias{rule.number}"
        if rule.source_shape == ONE:
            return f"{folder}/all{suffix}"
        if rule.kind in ("merge", "joined") or (rule.style and rule.kind != "collate"):
            return f"{folder}/*{suffix}"
        return f"{folder}/{_CAPTURES[rule.source_shape]}{suffix}"

    def _has_name(self, source: str) -> bool:
        return source != "src" and self.rule(source).kind != "grouped"

    def _rule(self, rule: Rule) -> str:
        later = ""
        if rule.order_only:
            above = rule.order_only
            if above.startswith("r"):
                above = f"<{above}>" if self._has_name(above) else _grouped(self.rule(above))
            later = f" | {above}"
        extra = "".join(f" {each}" for each in sorted(rule.extra))
        attributes = "@temp\n" if self.is_temporary(rule) else ""
        if rule.kind == "explicit":
            header = f"{rule.name}: {rule.folder}/all{rule.suffix}: lib/k1.inc{extra}{later}"
        elif rule.kind == "grouped":
            header = f"{_grouped(rule)} &: lib/k2.inc{extra}{later}"
        elif rule.kind == "chain":
            one, two = f".o{rule.number}", f".oo{rule.number}"
            return "\n".join(
                (
                    f"%{one}: %.inc\n{_recipe(rule, 'first')}",
                    f"%{two}: %{one}\n{_recipe(rule, 'second')}",
                    f"{attributes}{rule.name}: {rule.folder}/all{rule.suffix}: "
                    f"lib/k1{two} lib/k3{two}{extra}{later}\n{_recipe(rule)}",
                )
            )
        else:
            source = self._source_text(rule)
            keyword = {"collate": "collate ", "split": "split ", "shard": "split "}
            keyword["joined"] = "combinations_with_replacement(2) "
            header = (
                f"{keyword.get(rule.kind, '')}{rule.name}: {_target(rule, source)}: "
                f"{source}{extra}{later}"
            )
            if source.startswith("alias"):
                attributes = f".PHONY: {source}\n{source}: <{rule.source}>\n{attributes}"
        return f"{attributes}{header}\n{_recipe(rule)}"


def _grouped(rule: Rule) -> str:
    return f"{rule.folder}/x{rule.suffix} {rule.folder}/y{rule.suffix}"


def _target(rule: Rule, source: str) -> str:
    base = f"{rule.folder}/"
    if rule.kind == "merge" or (rule.kind == "transform" and rule.source_shape == ONE):
        return f"{base}all{rule.suffix}"
    if rule.kind == "split":
        return f"{base}*{rule.suffix}"
    if rule.kind == "collate":
        return f"{base}<g>{rule.suffix}"
    if rule.kind == "joined":
        return f"{base}<inputs[0].basename>+<inputs[1].basename>{rule.suffix}"
    stem = "<basename>" if "<g>" not in source else _CAPTURES[rule.source_shape]
    return f"{base}{stem}_*{rule.suffix}" if rule.kind == "shard" else f"{base}{stem}{rule.suffix}"


_HELPERS = """\
python:
    import os
    import zlib

    def begin(rule, words, outputs, inputs):
        with open(f"{os.environ['PROPERTY_LOG']}/python.{os.getpid()}", "a") as log:
            print("begin", rule, words, file=log)
            for each in outputs:
                print("out", each, file=log)
            for each in inputs:
                data = each.read_bytes()
                print(zlib.crc32(data), len(data), each, file=log)

    def end():
        with open(f"{os.environ['PROPERTY_LOG']}/python.{os.getpid()}", "a") as log:
            print("end", file=log)

    def lines_of(inputs, lossy, strict):
        for each in inputs:
            for line in each.read_text().splitlines(True):
                if strict and line.startswith("POISON"):
                    raise SystemExit(3)
                if not (lossy and line.startswith("#")):
                    yield line

    def shape():
        return outline() + "SHAPE"

    def outline():
        return "s"
"""

_SHELL_BEGIN = """\
{ echo "begin RULE WORDS"; printf 'out %s\\n' <outputs>; cksum <inputs> /dev/null; } \
> "$PROPERTY_LOG/RULE.$$"
"""
_SHELL_END = 'echo end >> "$PROPERTY_LOG/RULE.$$"\n'
_SHELL = {
    "plain": """\
{ echo RULE WORDS; cat <inputs> /dev/null | FILTER; } > <output>
CHECK <output>
""",
    "grouped": """\
for each in <outputs>; do
    { echo RULE WORDS; cat <inputs> | FILTER; } > "$each"
    CHECK "$each"
done
""",
    "parts": """\
cat <inputs> | FILTER | awk -v stem=STEM '
    /^POISON/ { exit 3 }
    /^p[0-9]/ {
        part = stem $1 "SUFFIX"
        if (!(part in seen)) { seen[part]; print "RULE WORDS" > part }
        print > part
    }'
""",
}
_PYTHON = {
    "plain": 'output.write_text(f"RULE {words}\\n" + "".join(lines_of(inputs, LOSSY, STRICT)))\n',
    "grouped": """\
for each in outputs:
    each.write_text(f"RULE {words}\\n" + "".join(lines_of(inputs, LOSSY, STRICT)))
""",
    "parts": """\
seen = set()
for line in lines_of(inputs, LOSSY, STRICT):
    if line[:1] == "p" and line[1:2].isdigit():
        part = f"STEM{line.split()[0]}SUFFIX"
        with open(part, "a" if part in seen else "w") as file:
            if part not in seen:
                seen.add(part)
                print("RULE", words, file=file)
            file.write(line)
""",
}


def _recipe(rule: Rule, step: str = "") -> str:
    """The recipe, indented. `step` names one of the rules of a chain."""
    if rule.copy and not step:
        return "    cp <input> <output>\n"
    kind = "parts" if rule.splits else "grouped" if rule.kind == "grouped" else "plain"
    words = f"w{rule.word}" + (" <colour>" if rule.colour else "")
    stem = f"{rule.folder}/"
    if rule.python:
        spoken = f"w{rule.word}" + (" {colour}" if rule.colour else "")
        spoken += " {shape()}" if rule.shaped else ""
        text = f'words = f"{spoken}"\nbegin("RULE", words, outputs, inputs)\n'
        text = f"{text}{_PYTHON[kind]}end()\n".replace("LOSSY", str(rule.lossy))
        text = text.replace("STRICT", str(rule.strict or rule.splits))
        text = text.replace("STEM", stem + ("{inputs[0].stem}_" if rule.kind == "shard" else ""))
        text = "python:\n" + textwrap.indent(text, "    ")
    else:
        text = _SHELL_BEGIN + _SHELL[kind] + _SHELL_END
        check = r"if grep -q POISON \1; then exit 3; fi" if rule.strict else ":"
        text = re.sub(r"CHECK (\S+)", check, text)
        text = text.replace("FILTER", "sed '/^#/d'" if rule.lossy else "cat")
        text = text.replace("STEM", stem + ("<input.basename>_" if rule.kind == "shard" else ""))
    text = text.replace("SUFFIX", rule.suffix).replace("WORDS", words)
    return textwrap.indent(text.replace("RULE", rule.name + step), "    ")


# -- strategies --------------------------------------------------------------------------------


@st.composite
def models(draw: st.DrawFn, most_rules: int = 6) -> Model:
    """A project that builds from scratch without an error."""
    names = [f"src/{g}_{n}.txt" for g in GROUPS for n in NUMBERS]
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
    contents = st.sampled_from(CONTENTS)
    sources = {name: draw(contents).encode() for name in (*sorted(chosen), *LIBRARY)}
    shapes = {"": "", "src": PAIR}
    rules: list[Rule] = []
    flat = draw(st.booleans())
    for number in range(1, 1 + draw(st.integers(1, most_rules))):
        source = draw(st.sampled_from(list(shapes)[::-1]))
        kinds = [
            kind
            for kind in KINDS[shapes[source]]
            if kind != "chain" or not any(rule.kind == kind for rule in rules)
        ]
        kind = draw(st.sampled_from(kinds))
        bits = draw(st.integers(0, 511))
        python = bool(bits & 1)
        rule = Rule(
            f"r{number}",
            kind,
            source,
            shapes[source],
            style=draw(st.integers(0, 3)),
            python=python,
            lossy=bool(bits & 2),
            colour=bool(bits & 4),
            shaped=python and bool(bits & 8),
            copy=kind == "transform" and bits & 48 == 48,
            flat=flat,
            temporary=kind not in ("split", "shard") and bits & 192 == 192,
            strict=bool(bits & 256),
            order_only=draw(
                st.sampled_from(["", "", "lib/k3.inc", *(each.name for each in rules)])
            ),
        )
        rules.append(rule)
        shapes[rule.name] = rule.shape
    return Model(sources, tuple(rules))
