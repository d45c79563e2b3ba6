"""Index sets: canonical runs, exact for any selection."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.parser import Parser

from snnir.dialects.attributes import IndicesAttr
from snnir.dialects.snn import SNN
from snnir.indices import LIMIT, Indices, Run

runs = st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(1, 9)).map(lambda r: (r[0], r[0] + r[1], r[2]))
selections = st.one_of(
    st.lists(st.integers(0, 80), unique=True),
    st.lists(runs, min_size=1, max_size=4).map(lambda found: list(dict.fromkeys(i for r in found for i in range(*r)))),
)


@given(selections)
def test_a_selection_comes_back_in_its_order(values: list[int]) -> None:
    indices = Indices.of(values)
    assert indices.array.tolist() == values
    assert len(indices) == len(values)
    assert indices.stop == max(values, default=-1) + 1
    assert indices == Indices.of(np.array(values, np.int64))
    assert indices.is_span == (len(values) > 0 and values == list(range(values[0], values[0] + len(values))))
    assert Indices.of_runs(indices.runs) == indices


@given(selections)
def test_text_comes_back(values: list[int]) -> None:
    attribute = IndicesAttr(Indices.of(values))
    ctx = Context()
    ctx.load_dialect(SNN)
    again = Parser(ctx, str(attribute), "text").parse_attribute()
    assert again == attribute
    assert str(again) == str(attribute)


@given(selections, selections)
def test_a_set_covers_what_it_holds(some: list[int], others: list[int]) -> None:
    everything = Indices.of(list(dict.fromkeys([*some, *others])))
    assert everything.covers(Indices.of(some))
    assert everything.covers(Indices.of(others))
    assert Indices.of(some).covers(Indices.of(others)) == set(others).issubset(some)


@given(st.data())
def test_runs_that_reach_beyond_others_are_not_covered(data: st.DataObject) -> None:
    spans = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 2)), max_size=3)
    mine, others = (
        list(dict.fromkeys(i for start, size, step in data.draw(spans) for i in range(start, start + size, step)))
        for _ in range(2)
    )
    assert Indices.of(mine).covers(Indices.of(others)) == set(others).issubset(mine)


@pytest.mark.parametrize(("stop", "covered"), [(3, False), (4, False), (8, True), (9, False)])
def test_a_run_is_covered_from_its_first_index_to_its_last(stop: int, covered: bool) -> None:
    assert Indices.of_runs([(0, 2, 1), (4, 8, 1)]).covers(Indices.span(stop - 2, stop)) == covered


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 14)), max_size=3))
def test_spans_are_taken_only_when_they_are_canonical(spans: list[tuple[int, int]]) -> None:
    found = Indices.of_spans([start for start, _ in spans], [stop for _, stop in spans])
    if found is not None:
        assert found == Indices.of_runs([(start, stop, 1) for start, stop in spans])
        assert all(stop > start + 1 for start, stop in spans)
        assert found.array.tolist() == sorted(found.array.tolist())


def test_spans_end_somewhere() -> None:
    assert Indices.of_spans([0], [LIMIT]) == Indices.span(0, LIMIT)
    assert Indices.of_spans([0], [LIMIT + 1]) is None
    assert Indices.of_spans([2, 8], [4, 10]) == Indices(((2, 4, 1), (8, 10, 1)))


@given(st.lists(runs, min_size=1, max_size=4))
def test_any_runs_become_canonical(given_runs: list[Run]) -> None:
    values = [i for run in given_runs for i in range(*run)]
    if len(set(values)) == len(values):
        assert Indices.of_runs(given_runs) == Indices.of(values)
    else:
        with pytest.raises(ValueError, match="distinct"):
            Indices.of_runs(given_runs)


@pytest.mark.parametrize("run", [(0, 0, 1), (3, 2, 1), (0, 4, 0), (-1, 2, 1), (0, 1 << 40, 1)])
def test_what_is_no_run_is_refused(run: Run) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{run[0]}:{run[1]}:{run[2]}")):
        Indices.of_runs([run])


@pytest.mark.parametrize("values", [[-1], [1, 1], [3, 2, 3]])
def test_what_is_no_index_set_is_refused(values: list[int]) -> None:
    with pytest.raises(ValueError, match="distinct, non-negative"):
        Indices.of(values)


def test_a_long_run_is_small() -> None:
    assert Indices.span(5, 1_000_005).runs == ((5, 1_000_005, 1),)
    assert str(Indices.of(range(0, 1_000_000, 3))) == "[0:1000000:3]"
    assert Indices.span(4, 4) == Indices.of([])
