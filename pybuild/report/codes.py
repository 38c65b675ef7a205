"""The codes of diagnostics, and where each is explained.

A code never changes its meaning. `docs/diagnostics.md` has a section for each, with an example.
"""

from __future__ import annotations

import os

# What each code says, in a few words; where it is explained, they are the first.
CODES = {
    "PB101": "a line has no form that is known",
    "PB102": "an assignment without a value",
    "PB103": "colons or bars that do not fit",
    "PB104": "a placeholder that is not well formed",
    "PB105": "an attribute that is not well formed",
    "PB106": "tabs and blanks in one block",
    "PB107": "an indented line that belongs to no rule",
    "PB108": "`python:` without a block",
    "PB109": "an attribute that stands before no rule",
    "PB110": "a mistake in Python",
    "PB111": "a file that is no text",
    "PB201": "a name that is not known",
    "PB202": "one name for two things",
    "PB203": "a name that is taken",
    "PB204": "a capture that is not used or not bound",
    "PB205": "parts of a rule that do not go together",
    "PB206": "`+=` of what does not fit",
    "PB207": "Python that failed",
    "PB208": "a `python:` block that failed",
    "PB209": "an included file that is not there",
    "PB210": "files that include each other",
    "PB211": "a value that can't stand here",
    "PB212": "a placeholder that failed",
    "PB213": "a value that is no text in a shell recipe",
    "PB214": "a glob among the targets",
    "PB215": "a name that can't be used here",
    "PB216": "a mistake in a makefile",
    "PB217": ".PHONY of what is no plain name",
    "PB218": "a special target of make's",
    "PB220": "an attribute that there is not",
    "PB221": "an attribute that is not given what it takes",
    "PB222": "a pool of two sizes",
    "PB223": "a target that does not match its static pattern",
    "PB224": "a glob that has no end",
    "PB301": "a cycle",
    "PB302": "two matches for one target",
    "PB303": "two rules for one file",
    "PB304": "nothing matches",
    "PB305": "no rule makes it",
    "PB306": "a file that an earlier build made",
    "PB307": "a folder where a file is due",
    "PB308": "nothing to make",
    "PB309": "an included file that could not be made",
    "PB310": "no Pipefile",
    "PB401": "a recipe that did not make its target",
    "PB402": "a folder where a file was to be made",
    "PB403": "a function of `@uptodate_if` that failed",
    "PB404": "a file that can't be read",
    "PB405": "a place that can't be prepared",
    "PB406": "a protected file that is out of date",
    "PB407": "what follows a rule failed",
    "PB408": "nothing can be recorded",
    "PB409": "a chart that can't be drawn",
    "PB501": "make's automatic variable in a recipe",
    "PB502": "make's variable or function in a recipe",
    "PB503": "a doubled `$`",
    "PB504": "make's reference in a header or an expression",
    "PB505": "a `cd` that lasts",
    "PB506": "a list in quotes",
    "PB507": "a list that is glued to a text",
    "PB508": "a removal that may start at the root",
    "PB509": "a placeholder in an expression",
    "PB510": "a recipe that makes nothing",
    "PB511": "a variable of the Pipefile as one of the shell",
    "PB512": "a prerequisite that is emptied",
    "PB601": "a variable that nothing uses",
    "PB602": "a function that nothing calls",
    "PB603": "a value that nothing sees",
    "PB604": "a name of the job that hides another",
    "PB605": "a variable that hides a function of Python's",
    "PB606": "a rule that is never used",
    "PB607": "rules between which the order decides",
    "PB608": ".PHONY of what no rule makes",
}

_HERE = os.path.dirname(os.path.abspath(__file__))
# In an installed package the page lies beside this module; in a checkout among the others.
_PAGES = (
    os.path.join(_HERE, "diagnostics.md"),
    os.path.join(os.path.dirname(os.path.dirname(_HERE)), "docs", "diagnostics.md"),
)


def page_of(code: str) -> str:
    """The address (a `file:` URI with a fragment, RFC 8089) of the section about a code; "" if the
    page was not installed."""
    from pathlib import Path

    for page in _PAGES:
        if os.path.exists(page):
            return f"{Path(page).as_uri()}#{code.lower()}"
    return ""
