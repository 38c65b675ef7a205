"""Random makefiles: texts that read, and now and then do not."""

from __future__ import annotations

from hypothesis import strategies as st

from .cases import Age, Case, Command, Write

VARIABLES = ["A", "B", "C", "D"]
SOURCES = ["one.x", "two.x", "d/three.x"]
TARGETS = ["p", "q", "r", "one.y", "two.y", "d/three.y", "one.z"]
WORDS = ["a", "bb", "a.c", "b.o", "d/e.c", "%", "x y", "1", "2", "", " ", "lib%.a", ",", "-"]

Text = st.SearchStrategy[str]


def _call(name: str, *arguments: Text) -> Text:
    """`$(name argument,...)`."""
    return st.tuples(*arguments).map(lambda given: f"$({name} {','.join(given)})")


def _plain(values: Text) -> Text:
    """A reference to a variable, or a word."""
    return st.sampled_from(WORDS) | st.sampled_from(VARIABLES).map("$({})".format) | values


def _functions(inner: Text) -> Text:
    """Calls of functions on what `inner` gives, references, and words one after the other."""
    number = st.sampled_from("1234123412340")
    names = st.sampled_from(VARIABLES)
    one = ["strip", "sort", "words", "firstword", "lastword", "dir", "notdir", "suffix", "basename"]
    two = ["filter", "filter-out", "findstring", "addprefix", "addsuffix", "join", "or", "and"]
    calls = [_call(name, inner) for name in one]
    calls += [_call(name, inner, inner) for name in two]
    calls += [_call(name, inner, inner, inner) for name in ("subst", "patsubst", "if")]
    calls += [
        _call("word", number, inner),
        _call("wordlist", number, number, inner),
        _call("intcmp", number, number, inner, inner, inner),
        _call("foreach", names, inner, inner),
        _call("let", st.lists(names, max_size=3).map(" ".join), inner, inner),
        _call("call", names, inner, inner),
        _call("origin", names),
        _call("flavor", names),
        _call("value", names),
    ]
    substituted = st.tuples(names, st.sampled_from([".c=.o", "%.c=%.o", "a=b", "%=x%", "b%=%"]))
    return st.one_of(
        *calls,
        substituted.map(lambda both: f"$({both[0]}:{both[1]})"),
        st.lists(inner, min_size=2, max_size=4).map(" ".join),
        st.tuples(inner, inner).map("".join),
    )


EXPRESSIONS: Text = st.recursive(_plain(st.just("$$")), _functions, max_leaves=8)

PARAMETERS: Text = st.sampled_from(["$(1)", "$(2)", "$1$2", "$(words $(1))", "[$(0)]"])

ASSIGNMENTS: Text = st.tuples(
    st.sampled_from(["", "", "", "override ", "export "]),
    st.sampled_from(VARIABLES),
    st.sampled_from(["=", ":=", "+=", "?=", ":::=", "::="]),
    EXPRESSIONS | PARAMETERS,
).map(lambda parts: f"{parts[0]}{parts[1]} {parts[2]} {parts[3]}")

SHOWN: Text = EXPRESSIONS.map("$(info [{}])".format)


def _conditional(body: Text) -> Text:
    """`ifeq`, `ifneq` or `ifdef` around what `body` gives."""
    heads = st.one_of(
        st.tuples(EXPRESSIONS, EXPRESSIONS).map(lambda both: f'ifeq "{both[0]}" "{both[1]}"'),
        st.tuples(EXPRESSIONS, st.sampled_from(WORDS)).map(
            lambda both: f'ifneq "{both[0]}" "{both[1]}"'
        ),
        st.sampled_from(VARIABLES).map("ifdef {}".format),
        st.sampled_from(VARIABLES).map("ifndef {}".format),
    )
    return st.tuples(heads, body, body).map(
        lambda parts: f"{parts[0]}\n{parts[1]}\nelse\n{parts[2]}\nendif"
    )


NAMES: Text = st.sampled_from([*TARGETS, *SOURCES, *SOURCES, "w"] * 4 + ["none"])
PREREQUISITES: Text = st.lists(NAMES, max_size=3).map(" ".join)
ORDERED: Text = st.one_of(
    PREREQUISITES, PREREQUISITES, st.tuples(PREREQUISITES, PREREQUISITES).map(" | ".join)
)

AUTOMATIC = "'$@|$<|$^|$+|$?|$*'"
RECIPES: Text = st.sampled_from(
    [
        f"@echo {AUTOMATIC}",
        f"@echo {AUTOMATIC}; mkdir -p $(@D); touch $@",
        "echo $(A)_$(B)",
        "touch $(notdir $@)",
        "@echo '$(filter %.x,$^)' '$(^F)' '$(@D)'",
        "-@false",
        "@exit 3",
        "@:",
        "$(C)",
    ]
).map(lambda line: line if "$(C)" not in line else "@echo '$(subst ','',$(C))'")

BODIES: Text = st.lists(RECIPES, max_size=2).map(lambda lines: "".join(f"\n\t{x}" for x in lines))

RULES: Text = st.one_of(
    st.tuples(st.lists(st.sampled_from(TARGETS), min_size=1, max_size=2), ORDERED, BODIES).map(
        lambda parts: f"{' '.join(parts[0])}: {parts[1]}{parts[2]}"
    ),
    st.tuples(PREREQUISITES, BODIES).map(lambda parts: f"w:: {parts[0]}{parts[1]}"),
    st.tuples(
        st.sampled_from(["%.y", "%.z", "one.%", "d/%.y", "%", "%.y %.z"]),
        st.sampled_from(["%.x", "%.y", "two.x", "%.x two.x", "%.x | two.x", "d/%.x", ""]),
        BODIES,
    ).map(lambda parts: f"{parts[0]}: {parts[1]}{parts[2]}"),
    st.tuples(st.sampled_from(["%", "%.y"]), st.sampled_from(["%.x", "one.x"]), BODIES).map(
        lambda parts: f"one.y two.y: {parts[0]}: {parts[1]}{parts[2]}"
    ),
    st.tuples(st.sampled_from(TARGETS), ASSIGNMENTS).map(": ".join),
    st.tuples(st.sampled_from(["%.y", "%"]), ASSIGNMENTS).map(": ".join),
    st.lists(st.sampled_from(TARGETS), min_size=1, max_size=2).map(
        lambda names: f".PHONY: {' '.join(names)}"
    ),
    st.sampled_from([".SECONDEXPANSION:", ".PRECIOUS: %.y", ".DELETE_ON_ERROR:", "VPATH = d"]),
)

STATEMENTS: Text = st.one_of(ASSIGNMENTS, ASSIGNMENTS, SHOWN, RULES, RULES, RULES)

_ROUND: Text = st.tuples(*(st.tuples(ORDERED, BODIES) for _ in TARGETS)).map(
    lambda rules: (
        "\n".join(
            f"{name}: {wanted}{body}" for name, (wanted, body) in zip(TARGETS, rules, strict=True)
        )
        + "\nw::\n\t@echo w"
    )
)
"""One rule for each target, so that most runs get somewhere."""

MAKEFILES: Text = st.tuples(
    PREREQUISITES.map("all: p {}".format),
    st.lists(STATEMENTS | _conditional(ASSIGNMENTS | SHOWN), min_size=1, max_size=9).map("\n".join),
    _ROUND | _ROUND | st.just("%:\n\t@echo '$@' '$^'"),
).map("\n".join)

OPTIONS: Text = st.sampled_from(["", "", "", " -n", " -k", " -t", " -q", " -B", " -s", " -i"])

COMMANDS: Text = st.tuples(
    OPTIONS,
    st.sampled_from(["", "", " all", " p", " q r", " one.y", " A=line p", " d/three.y two.y"]),
).map(lambda parts: f"make -r{parts[0]}{parts[1]}")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A random makefile, sources and targets of random ages, and one or two command lines."""
    steps: list[Write | Age | Command] = [Write("Makefile", draw(MAKEFILES) + "\n", 100)]
    ages = st.integers(0, 9)
    steps += [Age(name, draw(ages)) for name in SOURCES]
    there = draw(st.lists(st.sampled_from(TARGETS), unique=True, max_size=4))
    steps += [Age(name, draw(ages)) for name in there]
    steps += [Command(line) for line in draw(st.lists(COMMANDS, min_size=1, max_size=2))]
    if draw(st.integers(0, 3)) == 0:
        steps += [Command(line) for line in _again(draw(COMMANDS), draw(st.sampled_from(SOURCES)))]
    return Case("random", tuple(steps))


def _again(line: str, source: str) -> list[str]:
    """Commands that make all targets by touching them, so that there is nothing to do for a few
    runs, and then there is again."""
    settled = f"sleep 0.05; {line}"
    return [f"{line} -t", settled, line, f"touch {source}; {line}"]
