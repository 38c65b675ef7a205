"""What stays different from GNU make, and why. A case that no longer differs fails the tests."""

from __future__ import annotations

_HASHED = "make takes names in the order of its hash table, which follows from nothing one can read"
_NO_SHELL_YET = "make expands the command line's `!=` before SHELL is set, and starts `-c` instead"

KNOWN = {
    "builtin/yacc-and-lex": _HASHED,
    "intermediate/removed-together": _HASHED,
    "intermediate/a-source-that-a-rule-makes-anew": "make removes a file that was there before",
    "variables/variables-variable": _HASHED,
    "makeflags/command-line-operators": _NO_SHELL_YET,
    "variables/command-line-shell": _NO_SHELL_YET,
    "rules-suffix/suffix-rule-with-prerequisites": "make gives the same warning twice",
}
"""Reasons by the ids of cases."""
