"""Tuples of files are those of `itertools`, whoever arrives first."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.pipefile.tuples import (
    COMBINATIONS,
    PERMUTATIONS,
    PRODUCT,
    WITH_REPLACEMENT,
    Member,
    Members,
    Way,
)

ORACLES = {
    COMBINATIONS: itertools.combinations,
    PERMUTATIONS: itertools.permutations,
    WITH_REPLACEMENT: itertools.combinations_with_replacement,
}
names = st.lists(st.sampled_from("abcdef"), unique=True)


@pytest.mark.parametrize("kind", ORACLES)
@given(arrivals=names, size=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_of_one_set(kind: str, arrivals: list[str], size: int) -> None:
    members = Members(Way(kind, size, ((),) * size))
    made = [some for name in arrivals for some in members.add(0, Member(name, ()))]
    found = [tuple(each.name for each in some) for some in made]
    assert sorted(found) == sorted(ORACLES[kind](sorted(arrivals), size))
    assert not [*members.add(0, Member(arrivals[0], ()))] if arrivals else True


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcd")), unique=True))
@settings(max_examples=60, deadline=None)
def test_a_product(arrivals: list[tuple[int, str]]) -> None:
    members = Members(Way(PRODUCT, 3, ((), (), ())))
    made = [some for place, name in arrivals for some in members.add(place, Member(name, ()))]
    sets = [[name for place, name in arrivals if place == number] for number in range(3)]
    found = [tuple(each.name for each in some) for some in made]
    assert sorted(found) == sorted(itertools.product(*sets))


texts = st.sampled_from("xyz")
CAPTURES = (("n", "a"), ("n", "m"), ("m",))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just(0), st.tuples(texts, texts)),
            st.tuples(st.just(1), st.tuples(texts, texts)),
            st.tuples(st.just(2), st.tuples(texts)),
        ),
        unique=True,
    )
)
@settings(max_examples=100, deadline=None)
def test_a_product_of_files_that_agree(arrivals: list[tuple[int, tuple[str, ...]]]) -> None:
    members = Members(Way(PRODUCT, 3, CAPTURES))
    made = [
        some
        for place, captured in arrivals
        for some in members.add(place, Member("".join(captured), captured))
    ]
    sets = [[each for place, each in arrivals if place == number] for number in range(3)]
    expected = [
        (one, two, three)
        for one, two, three in itertools.product(*sets)
        if one[0] == two[0] and two[1] == three[0]
    ]
    assert sorted(tuple(each.captured for each in some) for some in made) == sorted(expected)


def test_what_is_shared() -> None:
    assert Way(PRODUCT, 3, CAPTURES).shared == {"n", "m"}
    assert Way(PRODUCT, 2, (("n", "n"), ("a",))).shared == frozenset()
    assert Way(COMBINATIONS, 2, (("n",), ("n",))).shared == frozenset()
