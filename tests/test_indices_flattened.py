"""Many index sets as one array."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from snnir.indices import Indices, flattened


@given(st.lists(st.lists(st.integers(0, 40), unique=True)))
def test_sets_follow_each_other(sets: list[list[int]]) -> None:
    numbers, counts = flattened([Indices.of(each) for each in sets])
    assert numbers.tolist() == [number for each in sets for number in each]
    assert counts.tolist() == [len(each) for each in sets]
