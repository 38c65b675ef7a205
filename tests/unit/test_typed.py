"""Records behave as those of `typing` do."""

from __future__ import annotations

import pickle
import typing
from collections.abc import Callable
from typing import Any

import pytest

from pybuild import typed

# A type checker takes both for the same.
Light: Any = vars(typed)["NamedTuple"]


class Point(Light):  # type: ignore[misc]
    """A place."""

    x: int
    y: int = 2
    label: str = ""

    def sum(self) -> int:
        return int(self.x + self.y)

    @property
    def twice(self) -> int:
        return 2 * int(self.x)


class Reference(typing.NamedTuple):
    """A place."""

    x: int
    y: int = 2
    label: str = ""

    def sum(self) -> int:
        return int(self.x + self.y)

    @property
    def twice(self) -> int:
        return 2 * int(self.x)


class Nothing(Light):  # type: ignore[misc]
    """Has no fields."""


SAME: dict[str, Callable[[Any], object]] = {
    "by place": lambda kind: tuple(kind(1, 3, "a")),
    "by name": lambda kind: tuple(kind(label="a", x=1)),
    "defaults": lambda kind: tuple(kind(1)),
    "fields": lambda kind: (kind(1).x, kind(1).y, kind(1, label="l").label),
    "names of fields": lambda kind: kind._fields,
    "method": lambda kind: kind(1, 5).sum(),
    "property": lambda kind: kind(4).twice,
    "docstring": lambda kind: kind.__doc__,
    "replace": lambda kind: tuple(kind(1)._replace(y=9)),
    "equal to a tuple": lambda kind: kind(1) == (1, 2, ""),
    "hash": lambda kind: hash(kind(1)) == hash((1, 2, "")),
    "order": lambda kind: kind(1) < kind(1, 3),
    "unpacking": lambda kind: [*kind(1)],
    "text": lambda kind: repr(kind(1, label="b")).partition("(")[2],
    "is a tuple": lambda kind: isinstance(kind(1), tuple),
    "pickle": lambda kind: pickle.loads(pickle.dumps(kind(1, 7), 5)) == kind(1, 7),
    "no dictionary": lambda kind: hasattr(kind(1), "__dict__"),
    "match": lambda kind: _matched(kind(1, 2, "c"), kind),
}

REFUSED: dict[str, Callable[[Any], object]] = {
    "too few": lambda kind: kind(),
    "too many": lambda kind: kind(1, 2, "", 4),
    "unknown": lambda kind: kind(1, z=3),
    "twice": lambda kind: kind(1, x=3),
    "replace of no field": lambda kind: kind(1)._replace(z=3),
    "assignment": lambda kind: setattr(kind(1), "x", 2),
}


def _matched(value: Any, kind: Any) -> object:
    match value:
        case kind(1, y, label="c"):
            return y
    return None


@pytest.mark.parametrize("what", SAME)
def test_a_record_is_like_a_named_tuple(what: str) -> None:
    assert SAME[what](Point) == SAME[what](Reference)


@pytest.mark.parametrize("what", REFUSED)
def test_a_record_refuses_what_a_named_tuple_refuses(what: str) -> None:
    for kind in (Point, Reference):
        with pytest.raises((TypeError, ValueError, AttributeError)):
            REFUSED[what](kind)


def test_a_record_without_fields() -> None:
    assert Nothing() == ()
    with pytest.raises(TypeError):
        Nothing(1)
