"""Max-plus algebra: the laws, the eigenproblem, and the matrix of an iteration."""

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.maxplus import (
    EPSILON,
    Actor,
    Channel,
    Deadlock,
    MaxPlusError,
    SDFGraph,
    TimedGraph,
    eigenvalue,
    eigenvector,
    identity,
    iteration_matrix,
    matrix,
    maximum_cycle_ratio,
    oplus,
    otimes,
    power,
    star,
    zeros,
)
from snnir.maxplus.semiring import Matrix

ENTRIES = st.one_of(st.just(EPSILON), st.integers(-9, 9), st.fractions(-9, 9, max_denominator=6), st.just(10**30))


def matrices(rows: int, columns: int) -> st.SearchStrategy[Matrix]:
    return st.lists(st.lists(ENTRIES, min_size=columns, max_size=columns), min_size=rows, max_size=rows).map(matrix)


def same(left: Matrix, right: Matrix) -> bool:
    return left.shape == right.shape and bool((left == right).all())


@settings(max_examples=60, derandomize=True, deadline=None)
@given(matrices(3, 2), matrices(2, 4), matrices(2, 4), matrices(4, 3))
def test_the_laws_of_the_semiring(a: Matrix, b: Matrix, c: Matrix, d: Matrix) -> None:
    assert same(otimes(otimes(a, b), d), otimes(a, otimes(b, d)))
    assert same(otimes(a, oplus(b, c)), oplus(otimes(a, b), otimes(a, c)))
    assert same(oplus(b, c), oplus(c, b))
    assert same(otimes(a, identity(2)), a)
    assert same(oplus(a, zeros(3, 2)), a)
    assert same(otimes(zeros(4, 3), a), zeros(4, 2))


def test_a_product_by_hand_is_exact() -> None:
    a = matrix([[1, EPSILON], [Fraction(1, 3), 10**30]])
    assert otimes(a, a).tolist() == [[2, EPSILON], [10**30 + Fraction(1, 3), 2 * 10**30]]
    assert otimes(a, matrix([5, 7])).tolist() == [6, 10**30 + 7]
    assert power(a, 3).tolist() == otimes(a, otimes(a, a)).tolist()
    assert power(a, 0).tolist() == identity(2).tolist()


def test_matrices_come_from_integer_arrays_too() -> None:
    assert type(matrix(np.array([[1, 2], [3, 4]], np.int32))[0, 0]) is int


@settings(max_examples=60, derandomize=True, deadline=None)
@given(matrices(4, 4))
def test_the_star_solves_its_equation(a: Matrix) -> None:
    value = eigenvalue(a)
    if value is not None and value > 0:
        with pytest.raises(MaxPlusError, match="positive weight"):
            star(a)
    else:
        closure = star(a)
        assert same(closure, oplus(identity(4), otimes(a, closure)))
        assert same(closure, power(oplus(identity(4), a), 3))


def test_the_star_of_an_ever_so_slightly_positive_cycle_is_refused() -> None:
    assert star(matrix([[0, 5], [-5, 0]])).tolist() == [[0, 5], [-5, 0]]
    with pytest.raises(MaxPlusError, match="positive weight"):
        star(matrix([[EPSILON, 5], [Fraction(1, 10**20) - 5, EPSILON]]))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(matrices(4, 4))
def test_eigenvectors_are_mapped_to_multiples(a: Matrix) -> None:
    if eigenvalue(a) is None:
        assert same(power(a, 4), zeros(4, 4))
        with pytest.raises(MaxPlusError, match="no eigenvalue"):
            eigenvector(a)
    else:
        value, vector = eigenvector(a)
        assert value == eigenvalue(a)
        assert same(otimes(a, vector), vector + value)
        assert any(entry != EPSILON for entry in vector)


def test_karp_agrees_with_policy_iteration() -> None:
    rng = random.Random(5)
    for _ in range(200):
        size = rng.randint(1, 7)
        rows = [[rng.choice([EPSILON, EPSILON, rng.randint(-50, 50)]) for _ in range(size)] for _ in range(size)]
        edges = [(j, i, int(entry), 1) for i, row in enumerate(rows) for j, entry in enumerate(row) if entry != EPSILON]
        found = maximum_cycle_ratio(TimedGraph.from_edges(size, edges))
        assert eigenvalue(matrix(rows)) == (found.ratio if found else None)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.5]], r"entry \(0, 0\) is 1.5"),
        ([[float("nan")]], "nan"),
        ([[True]], "True"),
        ([["1"]], "'1'"),
        ([[1, 2], [3]], r"entry \(0,\) is \[1, 2\]"),
    ],
)
def test_other_entries_are_refused(rows: list[list[object]], message: str) -> None:
    with pytest.raises(MaxPlusError, match=message):
        matrix(rows)


def test_shapes_must_fit() -> None:
    with pytest.raises(MaxPlusError, match="cannot add"):
        oplus(zeros(2, 2), zeros(2, 3))
    with pytest.raises(MaxPlusError, match="cannot multiply"):
        otimes(zeros(2, 2), zeros(3, 2))
    with pytest.raises(MaxPlusError, match="square"):
        power(zeros(2, 3), 2)
    with pytest.raises(MaxPlusError, match="negative"):
        power(zeros(2, 2), -1)


def test_the_matrix_of_an_iteration_by_hand() -> None:
    """Tokens: one on the channel back, one free firing of each actor; x' = M (x) x."""
    sdf = SDFGraph((Actor("a", 3), Actor("b", 5)), (Channel("a", "b"), Channel("b", "a", tokens=1)))
    assert iteration_matrix(sdf).tolist() == [[8, 8, 5], [3, 3, EPSILON], [8, 8, 5]]
    assert eigenvalue(iteration_matrix(sdf)) == 8


def test_tokens_beyond_one_iteration_move_up_in_the_queue() -> None:
    sdf = SDFGraph((Actor("a", 6, None),), (Channel("a", "a", tokens=3),))
    assert iteration_matrix(sdf).tolist() == [[EPSILON, 0, EPSILON], [EPSILON, EPSILON, 0], [6, EPSILON, EPSILON]]
    assert eigenvalue(iteration_matrix(sdf)) == 2


def test_limits_of_iteration_matrices() -> None:
    assert iteration_matrix(SDFGraph((Actor("a", 6, None),))).shape == (0, 0)
    with pytest.raises(MaxPlusError, match="holds 11 tokens, more than the limit of 10"):
        iteration_matrix(SDFGraph((Actor("a", 1, 11),)), limit=10)
    with pytest.raises(MaxPlusError, match="passes 2000000003 tokens on, more than the limit"):
        iteration_matrix(SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("a", "b", 10**9 + 1, 1),)))
    blocked = SDFGraph((Actor("a", 1), Actor("b", 1)), (Channel("b", "b"), Channel("a", "b")))
    with pytest.raises(Deadlock) as caught:
        iteration_matrix(blocked)
    assert caught.value.actors == ("b",)
