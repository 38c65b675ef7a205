"""Fixes done to a text, as an editor does them."""

from __future__ import annotations

from itertools import pairwise

from pybuild.source import Fix


def fixed(text: str, fix: Fix) -> str:
    """The text with the edits of a fix in it; they may not overlap."""
    edits = sorted(fix.edits, key=lambda each: (each.span.start, each.span.end))
    for one, other in pairwise(edits):
        assert one.span.end <= other.span.start
    for each in reversed(edits):
        text = text[: each.span.start] + each.text + text[each.span.end :]
    return text
