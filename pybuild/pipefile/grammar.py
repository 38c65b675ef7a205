"""The parser that lark makes of `grammar/pipefile.lark`.

The only module that imports lark, and only when something has to be parsed: the import alone takes
as long as judging ten thousand jobs.
"""

from __future__ import annotations

import os
from functools import cache

from pybuild.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

_HERE = os.path.dirname(os.path.abspath(__file__))
# In a wheel the grammar lies beside this module; in a checkout it has a folder of its own.
_PLACES = (
    os.path.join(_HERE, "pipefile.lark"),
    os.path.join(os.path.dirname(os.path.dirname(_HERE)), "grammar", "pipefile.lark"),
)


def grammar_text() -> str:
    """The text of the grammar. Raises FileNotFoundError if the installation is broken."""
    for place in _PLACES:
        if os.path.exists(place):
            with open(place, encoding="utf-8") as handle:
                return handle.read()
    raise FileNotFoundError(_PLACES[0])


@cache
def parser() -> Lark:
    """The LALR parser, with the start symbols `statement`, `pieces` and `placeholder`."""
    from lark import Lark

    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="contextual",
        start=["statement", "pieces", "placeholder"],
        propagate_positions=False,
        maybe_placeholders=True,
    )
