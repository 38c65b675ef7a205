"""Writes the attributes of rules into the highlighters: `python -m tests.editors.regenerate`.

To be run when an attribute has come or gone; the tests of words say so. The other lists are short and
change with the grammar, by hand.
"""

from __future__ import annotations

import re
import textwrap

from pybuild.pipefile.attributes import ATTRIBUTES
from tests.editors.places import ROOT

NAMES = sorted(ATTRIBUTES)
_LISP = textwrap.fill(" ".join(f'"{name}"' for name in NAMES), 84, subsequent_indent="    ")
# What stands before the list, the list, what stands behind it.
FILES = {
    "grammar/pipefile.tmLanguage.json": (
        r'"begin": "\^\(@\)\(\?:\(',
        r"\w+(?:\|\w+)*",
        "|".join(NAMES),
    ),
    "editors/vim/syntax/pipefile.vim": (r'"\^@\\%\(', r"\w+(?:\\\|\w+)*", "\\|".join(NAMES)),
    "editors/emacs/pipefile-mode.el": (
        r"\(defconst pipefile-attributes\s+'\(",
        r"[^()]*",
        _LISP,
    ),
}


def with_attributes(name: str, text: str) -> str:
    """The text of one of these files with the attributes that the code has."""
    before, words, wanted = FILES[name]
    done, count = re.subn(f"({before}){words}", lambda found: found[1] + wanted, text, count=1)
    if not count:
        raise SystemExit(f"{name}: no place for the attributes")
    return done


if __name__ == "__main__":
    for each in FILES:
        path = ROOT / each
        path.write_text(with_attributes(each, path.read_text("utf-8")), encoding="utf-8")
