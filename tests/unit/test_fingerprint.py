"""Digests of code: what changes them and what must not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

from pybuild.pipefile.fingerprint import ONLY_TREE, Fingerprints, free_names

_ROOT = Path(__file__).parents[2]


def loaded(code: str, prints: Fingerprints) -> dict[str, Any]:
    """What a top-level block of Python defines, as the loader runs it."""
    text = dedent(code)
    tree = compile(text, "Pipefile", "exec", ONLY_TREE, dont_inherit=True)
    prints.register("Pipefile", tree)
    namespace: dict[str, Any] = {"__name__": "__pipefile__"}
    exec(compile(tree, "Pipefile", "exec", dont_inherit=True), namespace)
    return namespace


def digest(code: str, recipe: str = "f()", root: str = "/nowhere", first: str = "") -> bytes:
    """The digest of a recipe that uses a block. `first` is a recipe that is digested before."""
    prints = Fingerprints(root)
    namespace = loaded(code, prints)
    for each in (first, recipe) if first else (recipe,):
        tree = compile(dedent(each), "recipe", "exec", ONLY_TREE, dont_inherit=True)
        found = prints.of_code(tree, namespace)
    return found


_SAME = {
    "nothing": ("def f(): return 1", "def f(): return 1"),
    "a comment": ("def f(): return 1", "def f():  # one\n    # two\n    return 1"),
    "layout": ("def f(): return g(1, 2)\ng = max", "def f():\n\n    return g(1,\n   2)\ng = max"),
    "brackets that mean nothing": ("def f(): return 1 + 2", "def f(): return (1 + 2)"),
    "quotes": ("def f(): return 'a'", 'def f(): return "a"'),
    "a doc string": ('def f():\n    "one"\n    return 1', 'def f():\n    "two"\n    return 1'),
    "no doc string": ('def f():\n    "one"\n    return 1', "def f(): return 1"),
    "a doc string of a class": (
        "class f:\n    'one'\n    x = 1",
        "class f:\n    'two'\n    x = 1",
    ),
    "a place": ("def f(): return 1", "\n\n\ndef f(): return 1"),
    "a function that nobody calls": (
        "def f(): return 1\ndef g(): return 1",
        "def f(): return 1\ndef g(): return 2",
    ),
    "a constant that nobody uses": ("X = 1\ndef f(): return 1", "X = 2\ndef f(): return 1"),
    "a global behind a parameter": ("x = 1\ndef f(x=0): return x", "x = 2\ndef f(x=0): return x"),
    "a global behind a local": (
        "x = 1\ndef f():\n    x = 0\n    return x",
        "x = 2\ndef f():\n    x = 0\n    return x",
    ),
    "a global behind a comprehension": (
        "x = 1\ndef f(): return [x for x in 'ab']",
        "x = 2\ndef f(): return [x for x in 'ab']",
    ),
    "a global behind a lambda": (
        "x = 1\ndef f(): return lambda x: x",
        "x = 2\ndef f(): return lambda x: x",
    ),
    "a number of a library": (
        "import os\ndef f(): return os.sep",
        "import os\n\ndef f(): return os.sep",
    ),
    "keys in another order": (
        "X = {'a': 1, 'b': 2}\ndef f(): return X",
        "X = {'b': 2, 'a': 1}\ndef f(): return X",
    ),
}

_CHANGED = {
    "a constant in the code": ("def f(): return 1", "def f(): return 2"),
    "a constant of another type": ("def f(): return 1", "def f(): return 1.0"),
    "true for one": ("def f(): return 1", "def f(): return True"),
    "bytes for text": ("def f(): return 'a'", "def f(): return b'a'"),
    "an operator": ("def f(): return 1 + 2", "def f(): return 1 - 2"),
    "the order of statements": ("def f():\n a()\n b()", "def f():\n b()\n a()"),
    "a text that is no doc string": (
        "def f():\n    x = 1\n    'one'\n    return x",
        "def f():\n    x = 1\n    'two'\n    return x",
    ),
    "a helper": (
        "def g(): return 1\ndef f(): return g()",
        "def g(): return 2\ndef f(): return g()",
    ),
    "a helper below": (
        "def f(): return g()\ndef g(): return 1",
        "def f(): return g()\ndef g(): return 2",
    ),
    "a helper of a helper": (
        "def h(): return 1\ndef g(): return h()\ndef f(): return g()",
        "def h(): return 2\ndef g(): return h()\ndef f(): return g()",
    ),
    "a helper handed on": (
        "def g(x): return 1\ndef f(): return map(g, [])",
        "def g(x): return 2\ndef f(): return map(g, [])",
    ),
    "a helper for another": (
        "def g(): return 1\ndef h(): return 1\ndef f(): return g()",
        "def g(): return 1\ndef h(): return 1\ndef f(): return h()",
    ),
    "a helper in a nested function": (
        "def g(): return 1\ndef f():\n    def inner(): return g()\n    return inner()",
        "def g(): return 2\ndef f():\n    def inner(): return g()\n    return inner()",
    ),
    "a helper in a comprehension": (
        "def g(x): return 1\ndef f(): return [g(x) for x in 'ab']",
        "def g(x): return 2\ndef f(): return [g(x) for x in 'ab']",
    ),
    "a helper in a table": (
        "def g(): return 1\nT = {'a': g}\ndef f(): return T['a']()",
        "def g(): return 2\nT = {'a': g}\ndef f(): return T['a']()",
    ),
    "a constant": ("X = 1\ndef f(): return X", "X = 2\ndef f(): return X"),
    "a text": ("X = 'a'\ndef f(): return X", "X = 'b'\ndef f(): return X"),
    "an element of a list": ("X = [1, [2]]\ndef f(): return X", "X = [1, [3]]\ndef f(): return X"),
    "the order of a list": ("X = [1, 2]\ndef f(): return X", "X = [2, 1]\ndef f(): return X"),
    "a value of a mapping": ("X = {'a': 1}\ndef f(): return X", "X = {'a': 2}\ndef f(): return X"),
    "keys swapped": (
        "X = {'a': 1, 'b': 2}\ndef f(): return X",
        "X = {'a': 2, 'b': 1}\ndef f(): return X",
    ),
    "an element of a set": ("X = {'a'}\ndef f(): return X", "X = {'b'}\ndef f(): return X"),
    "a tuple for a list": ("X = [1]\ndef f(): return X", "X = (1,)\ndef f(): return X"),
    "how a nested list is cut": (
        "X = [[1], [2, 3]]\ndef f(): return X",
        "X = [[1, 2], [3]]\ndef f(): return X",
    ),
    "a default": ("def f(x=1): return x", "def f(x=2): return x"),
    "a default of a name": (
        "N = 1\ndef f(x=N): return x",
        "N = 2\ndef f(x=N): return x",
    ),
    "a default of a keyword": (
        "N = 1\ndef f(*, x=N): return x",
        "N = 2\ndef f(*, x=N): return x",
    ),
    "a value in a closure": (
        "def make(n):\n    def f(): return n\n    return f\nf = make(1)",
        "def make(n):\n    def f(): return n\n    return f\nf = make(2)",
    ),
    "a function in a closure": (
        "def g(): return 1\ndef make(n):\n    def f(): return n()\n    return f\nf = make(g)",
        "def g(): return 2\ndef make(n):\n    def f(): return n()\n    return f\nf = make(g)",
    ),
    "below functools.lru_cache": (
        "from functools import lru_cache\n@lru_cache\ndef f(): return 1",
        "from functools import lru_cache\n@lru_cache\ndef f(): return 2",
    ),
    "a helper below functools.cache": (
        "from functools import cache\ndef g(): return 1\n@cache\ndef f(): return g()",
        "from functools import cache\ndef g(): return 2\n@cache\ndef f(): return g()",
    ),
    "an argument of functools.partial": (
        "from functools import partial\ndef g(x): return x\nf = partial(g, 1)",
        "from functools import partial\ndef g(x): return x\nf = partial(g, 2)",
    ),
    "a keyword of functools.partial": (
        "from functools import partial\ndef g(x): return x\nf = partial(g, x=1)",
        "from functools import partial\ndef g(x): return x\nf = partial(g, x=2)",
    ),
    "the function of functools.partial": (
        "from functools import partial\ndef g(x): return x\nf = partial(g, 1)",
        "from functools import partial\ndef g(x): return -x\nf = partial(g, 1)",
    ),
    "below a decorator of the file": (
        "def deco(g):\n    def inner(): return g()\n    return inner\n@deco\ndef f(): return 1",
        "def deco(g):\n    def inner(): return g()\n    return inner\n@deco\ndef f(): return 2",
    ),
    "a decorator of the file": (
        "def deco(g):\n    def inner(): return g()\n    return inner\n@deco\ndef f(): return 1",
        "def deco(g):\n    def inner(): return -g()\n    return inner\n@deco\ndef f(): return 1",
    ),
    "below contextlib.contextmanager": (
        "from contextlib import contextmanager\n@contextmanager\ndef f(): yield 1",
        "from contextlib import contextmanager\n@contextmanager\ndef f(): yield 2",
    ),
    "below functools.singledispatch": (
        "from functools import singledispatch\n@singledispatch\ndef f(x=0): return 1",
        "from functools import singledispatch\n@singledispatch\ndef f(x=0): return 2",
    ),
    "an attribute of a class": (
        "class f:\n    x = 1",
        "class f:\n    x = 2",
    ),
    "a method": (
        "class f:\n    def m(self): return 1",
        "class f:\n    def m(self): return 2",
    ),
    "a static method": (
        "class f:\n    @staticmethod\n    def m(): return 1",
        "class f:\n    @staticmethod\n    def m(): return 2",
    ),
    "a property": (
        "class f:\n    @property\n    def m(self): return 1",
        "class f:\n    @property\n    def m(self): return 2",
    ),
    "a cached property": (
        "from functools import cached_property\n"
        "class f:\n    @cached_property\n    def m(self): return 1",
        "from functools import cached_property\n"
        "class f:\n    @cached_property\n    def m(self): return 2",
    ),
    "a helper of a method": (
        "def g(): return 1\nclass f:\n    def m(self): return g()",
        "def g(): return 2\nclass f:\n    def m(self): return g()",
    ),
    "a method of a base": (
        "class B:\n    def m(self): return 1\nclass f(B): pass",
        "class B:\n    def m(self): return 2\nclass f(B): pass",
    ),
    "a bound method": (
        "class C:\n    def m(self): return 1\nf = C().m",
        "class C:\n    def m(self): return 2\nf = C().m",
    ),
    "the object of a bound method": (
        "class C:\n    def __init__(self, x): self.x = x\n    def m(self): return 1\nf = C(1).m",
        "class C:\n    def __init__(self, x): self.x = x\n    def m(self): return 1\nf = C(2).m",
    ),
    "the class of an object": (
        "class C:\n    def __call__(self): return 1\nf = C()",
        "class C:\n    def __call__(self): return 2\nf = C()",
    ),
    "a field of a data class": (
        "from dataclasses import dataclass\n@dataclass\nclass f:\n    x: int = 1",
        "from dataclasses import dataclass\n@dataclass\nclass f:\n    x: int = 2",
    ),
    "a factory of a data class": (
        "from dataclasses import dataclass, field\n@dataclass\nclass f:\n"
        "    x: list = field(default_factory=lambda: [1])",
        "from dataclasses import dataclass, field\n@dataclass\nclass f:\n"
        "    x: list = field(default_factory=lambda: [2])",
    ),
    "a method of a named tuple": (
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int = 1\n"
        "    def m(self): return 1\np = P()\ndef f(): return p.m()",
        "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int = 1\n"
        "    def m(self): return 2\np = P()\ndef f(): return p.m()",
    ),
    "a method of a mapping": (
        "class P(dict):\n    def m(self): return 1\np = P()\ndef f(): return p.m()",
        "class P(dict):\n    def m(self): return 2\np = P()\ndef f(): return p.m()",
    ),
    "a method of a number": (
        "from enum import IntEnum\nclass P(IntEnum):\n    A = 1\n"
        "    def m(self): return 1\np = P.A\ndef f(): return p.m()",
        "from enum import IntEnum\nclass P(IntEnum):\n    A = 1\n"
        "    def m(self): return 2\np = P.A\ndef f(): return p.m()",
    ),
    "a slot of an object": (
        "class P:\n    __slots__ = ('x',)\n    def __init__(self, x): self.x = x\n"
        "p = P(1)\ndef f(): return p.x",
        "class P:\n    __slots__ = ('x',)\n    def __init__(self, x): self.x = x\n"
        "p = P(2)\ndef f(): return p.x",
    ),
    "a regular expression": (
        "import re\nP = re.compile('a')\ndef f(): return P",
        "import re\nP = re.compile('b')\ndef f(): return P",
    ),
    "flags of a regular expression": (
        "import re\nP = re.compile('a')\ndef f(): return P",
        "import re\nP = re.compile('a', re.I)\ndef f(): return P",
    ),
    "the end of a long regular expression": (
        "import re\nP = re.compile('x' * 300 + 'a')\ndef f(): return P",
        "import re\nP = re.compile('x' * 300 + 'b')\ndef f(): return P",
    ),
    "a path": (
        "from pathlib import Path\nP = Path('a')\ndef f(): return P",
        "from pathlib import Path\nP = Path('b')\ndef f(): return P",
    ),
    "the text of a bound method of text": ("f = 'a{}'.format", "f = 'b{}'.format"),
    "the table of a bound method of a table": ("f = {'a': 1}.get", "f = {'a': 2}.get"),
    "recursion": (
        "def f(n=1): return f(n - 1) if n else 0",
        "def f(n=1): return f(n - 1) if n else 1",
    ),
    "mutual recursion": (
        "def f(): return g()\ndef g(): return f() or 1",
        "def f(): return g()\ndef g(): return f() or 2",
    ),
    "a lambda": ("f = lambda: 1", "f = lambda: 2"),
    "the first of two lambdas on a line": (
        "f, g = lambda: 1, lambda: 0",
        "f, g = lambda: 2, lambda: 0",
    ),
    "the second of two lambdas on a line": (
        "g, f = lambda: 0, lambda: 1",
        "g, f = lambda: 0, lambda: 2",
    ),
    "which of two lambdas on a line": (
        "both = [lambda: 0, lambda: 1]; f = both[0]",
        "both = [lambda: 0, lambda: 1]; f = both[1]",
    ),
    "a lambda in a lambda": ("f = lambda: (lambda: 1)", "f = lambda: (lambda: 2)"),
    "a global beside a comprehension": (
        "x = 1\ndef f(): return [x for x in 'ab'], x",
        "x = 2\ndef f(): return [x for x in 'ab'], x",
    ),
    "a global that a comprehension runs over": (
        "x = 'ab'\ndef f(): return [x for x in x]",
        "x = 'cd'\ndef f(): return [x for x in x]",
    ),
    "a global as a default of its own name": (
        "x = 1\ndef f():\n    def g(x=x): return x\n    return g()",
        "x = 2\ndef f():\n    def g(x=x): return x\n    return g()",
    ),
    "a global that is set by name": (
        "x = 1\ndef f():\n    global x\n    x = x + 1\n    return x",
        "x = 2\ndef f():\n    global x\n    x = x + 1\n    return x",
    ),
    "an async function": ("async def f(): return 1", "async def f(): return 2"),
    "a generator": ("def f(): yield 1", "def f(): yield 2"),
    "a text with a value": ("X = 1\ndef f(): return f'{X}'", "X = 2\ndef f(): return f'{X}'"),
    "an assignment expression": (
        "X = 1\ndef f(): return (y := X)",
        "X = 2\ndef f(): return (y := X)",
    ),
    "a pattern": (
        "def f(x=0):\n    match x:\n        case 1: return 1",
        "def f(x=0):\n    match x:\n        case 2: return 1",
    ),
    "what is caught": (
        "X = KeyError\ndef f():\n    try: g()\n    except X: pass",
        "X = OSError\ndef f():\n    try: g()\n    except X: pass",
    ),
    "a decorator inside": (
        "def d(g): return g\ndef f():\n    @d\n    def g(): pass",
        "def d(g): return None\ndef f():\n    @d\n    def g(): pass",
    ),
    "a base inside": (
        "class B: x = 1\ndef f():\n    class C(B): pass",
        "class B: x = 2\ndef f():\n    class C(B): pass",
    ),
}


@pytest.mark.parametrize("name", _SAME)
def test_same(name: str) -> None:
    before, after = _SAME[name]
    assert digest(before) == digest(after)


@pytest.mark.parametrize("name", _CHANGED)
def test_changed(name: str) -> None:
    before, after = _CHANGED[name]
    assert digest(before) != digest(after)


@pytest.mark.parametrize("name", [*_SAME, *_CHANGED])
def test_the_same_code_has_the_same_digest_when_it_is_loaded_again(name: str) -> None:
    code = (_SAME | _CHANGED)[name][0]
    assert digest(code) == digest(code)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("X", "X  # c"),
        ("f( X )", "f(X)"),
        ("'doc'\nX", "X"),
    ],
)
def test_layout_of_a_recipe_does_not_count(before: str, after: str) -> None:
    code = "X = 1\ndef f(x): return x"
    assert digest(code, before) == digest(code, after)


@pytest.mark.parametrize(
    "recipe",
    [
        "X",
        "f(X)",
        "y = X",
        "[X for _ in '']",
        "(lambda: X)()",
        "(lambda X=X: X)()",
        "def g(X=X): return X",
        "def g(): return X",
        "X += 1",
        "print(f'{X}')",
        "X.real",
        "[y for y in [X]]",
        "with X as y: pass",
    ],
)
def test_a_recipe_counts_what_it_names(recipe: str) -> None:
    assert digest("X = 1\ndef f(x): return x", recipe) != digest(
        "X = 2\ndef f(x): return x", recipe
    )


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("a + b", {"a", "b"}),
        ("a.b.c", {"a"}),
        ("x = 1", set()),
        ("def f(a): return a + b", {"b"}),
        ("lambda a: a + b", {"b"}),
        ("lambda a=a: a", {"a"}),
        ("def f(a=a): return a", {"a"}),
        ("def f():\n    a = 1\n    return a", set()),
        ("def f(): return [a for a in b], a", {"a", "b"}),
        ("def f(): return [a for a in b]", {"b"}),
        ("def f(*a, b, **c): return a, b, c", set()),
        ("def f():\n    import a\n    return a", set()),
        ("def f():\n    try: pass\n    except b as a: return a", {"b"}),
        ("def f():\n    for a in b: pass\n    return a", {"b"}),
        ("def f():\n    with b as a: return a", {"b"}),
    ],
)
def test_free_names_has_at_least_what_comes_from_outside(code: str, names: set[str]) -> None:
    tree = compile(code, "recipe", "exec", ONLY_TREE, dont_inherit=True)
    assert names <= set(free_names(tree))


# -- the order in which digests are asked for -----------------------------------------------------


@pytest.mark.parametrize("first", ["", "f()"])
def test_mutual_recursion_counts_whoever_is_looked_at_first(first: str) -> None:
    """Another recipe that was digested before hides no change from this one."""
    before = "def f(): return g()\ndef g(): return f()"
    after = "def f(): return g() or 1\ndef g(): return f()"
    assert digest(before, "g()", first=first) != digest(after, "g()", first=first)


def test_a_digest_does_not_depend_on_what_was_looked_at_before() -> None:
    code = "def f(): return g()\ndef g(): return f()\n"
    assert digest(code, "g()") == digest(code, "g()", first="f()")


# -- modules of the project -----------------------------------------------------------------------

_TOOLS = "X = 1\nY = 1\ndef f(): return g()\ndef g(): return X\ndef other(): return Y\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def with_module(project: Path, text: str, code: str, recipe: str) -> bytes:
    """The digest of a recipe when the project's module `unit_tools` has this text."""
    (project / "unit_tools.py").write_text(text)
    for name in [each for each in sys.modules if each.startswith("unit_tools")]:
        del sys.modules[name]
    try:
        return digest(code, recipe, root=str(project))
    finally:
        for name in [each for each in sys.modules if each.startswith("unit_tools")]:
            del sys.modules[name]


@pytest.mark.parametrize(
    ("code", "recipe", "change", "same"),
    [
        ("import unit_tools", "unit_tools.f()", ("return X", "return -X"), False),
        ("import unit_tools", "unit_tools.f()", ("X = 1", "X = 2"), False),
        ("import unit_tools", "unit_tools.f()", ("return Y", "return -Y"), True),
        ("import unit_tools", "unit_tools.f()", ("Y = 1", "Y = 2"), True),
        ("import unit_tools", "unit_tools.X", ("X = 1", "X = 2"), False),
        ("import unit_tools", "unit_tools.X", ("return X", "return -X"), True),
        ("import unit_tools", "use(unit_tools)", ("return Y", "return -Y"), False),
        ("import unit_tools as t", "t.f()", ("return X", "return -X"), False),
        ("from unit_tools import f", "f()", ("return X", "return -X"), False),
        ("from unit_tools import f", "f()", ("return Y", "return -Y"), True),
        ("from unit_tools import X", "X", ("X = 1", "X = 2"), False),
        ("import unit_tools\ndef h(): return unit_tools.f()", "h()", ("X = 1", "X = 2"), False),
        ("import unit_tools\ndef h(): return unit_tools.f()", "h()", ("Y = 1", "Y = 2"), True),
        ("", "import unit_tools\nunit_tools.f()", ("X = 1", "X = 2"), False),
        ("", "from unit_tools import f\nf()", ("X = 1", "X = 2"), False),
        (
            "def h():\n    import unit_tools\n    return unit_tools.f()",
            "h()",
            ("X = 1", "X = 2"),
            False,
        ),
    ],
)
def test_a_module_of_the_project(
    project: Path, code: str, recipe: str, change: tuple[str, str], same: bool
) -> None:
    before = with_module(project, _TOOLS, code, recipe)
    after = with_module(project, _TOOLS.replace(*change), code, recipe)
    assert (before == after) is same


def test_a_module_from_elsewhere_counts_by_its_name(project: Path) -> None:
    module = ModuleType("unit_elsewhere")
    module.__file__ = "/usr/lib/elsewhere.py"
    module.X = 1  # type: ignore[attr-defined]
    prints = Fingerprints(str(project))
    before = prints.of_value(module, frozenset({"X"}))
    module.X = 2  # type: ignore[attr-defined]
    assert Fingerprints(str(project)).of_value(module, frozenset({"X"})) == before


# -- the same digest in each process --------------------------------------------------------------

_STABLE = {
    "a set": "X = {'a', 'bc', 'def', 'ghij'}\ndef f(): return X",
    "a frozen set in a list": "X = [frozenset(['a', 'bc', 'def', 'ghij'])]\ndef f(): return X",
    "a set as a default": "def f(x=frozenset(['a', 'bc', 'def', 'ghij'])): return x",
    "a set in the code": "def f(x=0): return x in {'a', 'bc', 'def', 'ghij'}",
    "a set of an object": (
        "class C:\n    def __init__(self): self.x = {'a', 'bc', 'def', 'ghij'}\n"
        "c = C()\ndef f(): return c"
    ),
    "a set in a slot": (
        "from dataclasses import dataclass\n@dataclass(slots=True)\nclass C:\n    x: object\n"
        "c = C({'a', 'bc', 'def', 'ghij'})\ndef f(): return c"
    ),
    "a set in a deque": (
        "from collections import deque\nX = deque([{'a', 'bc', 'def', 'ghij'}])\ndef f(): return X"
    ),
    "a class": "class f:\n    x = {'a', 'bc', 'def', 'ghij'}\n    def m(self): return 1",
    "a data class": (
        "from dataclasses import dataclass, field\n@dataclass\nclass f:\n"
        "    x: list = field(default_factory=list)"
    ),
    "an enumeration": "from enum import Enum\nclass f(Enum):\n    A = 1\n    B = 2",
    "an object without state": "X = object()\ndef f(): return X",
    "a lambda": "f = lambda: 1",
    "a lock": "import threading\nX = threading.Lock()\ndef f(): return X",
    "a bound method": "class C:\n    def m(self): return 1\nf = C().m",
    "a mapping": "X = {'a': {'b', 'cd'}, 'bc': 1, 'def': 2}\ndef f(): return X",
    "a recursive list": "X = []\nX.append(X)\ndef f(): return X",
}

_SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from tests.unit.test_fingerprint import _STABLE, digest
for name, code in _STABLE.items():
    print(name, digest(code).hex())
"""


@pytest.fixture(scope="module")
def by_seed() -> list[dict[str, str]]:
    """The digests of all stable values, for several seeds of Python's hashes."""
    outputs = []
    for seed in ("0", "1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT.format(root=str(_ROOT))],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        outputs.append(dict(row.rsplit(" ", 1) for row in done.stdout.splitlines()))
    return outputs


@pytest.mark.parametrize("name", _STABLE)
def test_digests_are_the_same_in_each_process(name: str, by_seed: list[dict[str, str]]) -> None:
    assert len({each[name] for each in by_seed}) == 1


def test_a_renamed_local_never_hides_another_change() -> None:
    """A new name may count or not; what is done with it has to."""
    one = "def f():\n    a = 1\n    return a"
    assert digest(one) != digest("def f():\n    b = 2\n    return b")
