"""Switching between modes, against all sequences."""

from fractions import Fraction
from itertools import pairwise, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_methods import examples

from snnir.maxplus import (
    EPSILON,
    Actor,
    Channel,
    MaxPlusError,
    ModeAutomaton,
    SDFGraph,
    eigenvalue,
    iteration_matrix,
    matrix,
    oplus,
)


def pairs(*modes: str) -> list[tuple[str, str]]:
    """All transitions."""
    return [(before, after) for before in modes for after in modes]


def random_automaton(rng: Random) -> ModeAutomaton:
    size, modes = rng.randint(1, 3), "xyz"[: rng.randint(1, 3)]

    def entry() -> Fraction | float:
        return EPSILON if rng.random() < 0.4 else Fraction(rng.randint(0, 9), rng.randint(1, 2))

    matrices = {mode: matrix([[entry() for _ in range(size)] for _ in range(size)]) for mode in modes}
    transitions = ((before, after) for before in modes for after in modes if rng.random() < 0.6)
    return ModeAutomaton(matrices, tuple(transitions))


def sequences(automaton: ModeAutomaton, length: int) -> list[tuple[str, ...]]:
    allowed = set(automaton.transitions)
    return [
        sequence
        for sequence in product(automaton.matrices, repeat=length)
        if all(p in allowed for p in pairwise(sequence))
    ]


@settings(examples, max_examples=150)
@given(st.randoms(use_true_random=False))
def test_the_worst_period_is_that_of_a_repeated_sequence(rng: Random) -> None:
    """No product of matrices around a cycle of modes has a greater eigenvalue a step, and one has as great a one."""
    automaton = random_automaton(rng)
    means: list[Fraction] = []
    # most maxima are attained by five modes or fewer; the one found is checked by itself
    for length in range(1, 6):
        for sequence in sequences(automaton, length):
            if (sequence[-1], sequence[0]) in automaton.transitions:
                value = mean(automaton, sequence)
                means.extend([] if value is None else [value])
    worst = automaton.worst_period()
    if worst is None:
        assert not means
        return
    period, modes = worst
    assert max(means, default=period) <= period
    assert all(pair in automaton.transitions for pair in pairwise((*modes, modes[0])))
    assert mean(automaton, modes) == period


def mean(automaton: ModeAutomaton, sequence: tuple[str, ...]) -> Fraction | None:
    """The time of a step when the sequence is repeated for ever."""
    size = automaton.size
    columns = [
        automaton.after(sequence, matrix([0 if i == j else EPSILON for i in range(size)])).tolist() for j in range(size)
    ]
    value = eigenvalue(matrix([list(row) for row in zip(*columns, strict=True)]))
    return None if value is None else value / len(sequence)


@examples
@given(st.randoms(use_true_random=False))
def test_the_latest_times_are_those_of_all_sequences(rng: Random) -> None:
    automaton = random_automaton(rng)
    for length in range(4):
        expected = matrix([EPSILON] * automaton.size)
        for sequence in sequences(automaton, length):
            expected = oplus(expected, automaton.after(sequence))
        assert list(automaton.latest(length)) == list(expected)


def test_two_scenarios_of_a_graph() -> None:
    """A decoder whose frames are large or small; a large one is followed by two small ones at least."""

    def frame(time: int) -> SDFGraph:
        return SDFGraph((Actor("decode", time), Actor("show", 5)), (Channel("decode", "show", capacity=1),))

    large, small = (iteration_matrix(frame(time)) for time in (12, 2))
    anything = ModeAutomaton({"large": large, "small": small}, tuple(pairs("large", "small")))
    assert anything.worst_period() == (17, ("large",))
    spaced = ModeAutomaton(
        {"large": large, "small": small, "again": small},
        (("large", "small"), ("small", "again"), ("again", "again"), ("again", "large")),
    )
    worst = spaced.worst_period()
    assert worst is not None
    assert worst[0] == Fraction(17 + 7 + 7, 3)
    assert sorted(worst[1]) == ["again", "large", "small"]
    assert max(spaced.latest(4)) == max(spaced.after(["large", "small", "again", "large"])) == 17 + 7 + 7 + 17


def test_a_sequence_without_end_may_not_exist() -> None:
    automaton = ModeAutomaton({"x": matrix([[3]]), "y": matrix([[4]])}, (("x", "y"),))
    assert automaton.worst_period() is None
    assert list(automaton.latest(2)) == [7]
    assert list(automaton.latest(3)) == [EPSILON]
    with pytest.raises(MaxPlusError, match="x cannot follow y"):
        automaton.after(["y", "x"])


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(MaxPlusError, match="one size"):
        ModeAutomaton({"x": matrix([[3]]), "y": matrix([[4, 0], [0, 4]])}, ())
    with pytest.raises(MaxPlusError, match="unknown mode y"):
        ModeAutomaton({"x": matrix([[3]])}, (("x", "y"),))
    with pytest.raises(MaxPlusError, match="no mode y"):
        ModeAutomaton({"x": matrix([[3]])}, ()).after(["y"])
