"""Which delays are the strongest, against loops over synapses; which fit a memory, against every choice there is."""

from __future__ import annotations

from itertools import pairwise, product
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.pruning import memory
from snnir.pruning.memory import Option, choose, exact, hull, relaxed
from snnir.pruning.synapses import (
    Delayed,
    Kept,
    Norm,
    entries,
    groups,
    last_delays,
    strongest_of_pairs,
    strongest_of_sources,
)


def random_synapses(rng: np.random.Generator) -> Delayed:
    """A few synapses; several may have the same ends and delay, and weights are often equal."""
    count = int(rng.integers(1, 60))
    weights = rng.integers(-4, 5, count) / 4
    return Delayed(weights, *(rng.integers(0, most, count) for most in (4, 3, 6)))


def cell_weights(synapses: Delayed) -> dict[tuple[int, int, int], float]:
    """The weight of each source, target and delay."""
    found: dict[tuple[int, int, int], float] = {}
    for weight, *key in zip(synapses.weights, synapses.origins, synapses.ends, synapses.delays, strict=True):
        place = (int(key[0]), int(key[1]), int(key[2]))
        found[place] = found.get(place, 0.0) + float(weight)
    return found


def stay(strengths: dict[int, float], number: int | None, share: float | None) -> set[int]:
    """The delays that stay, of an owner's delays and how strong they are."""
    count = number if number is not None else ceil(len(strengths) * (share or 0.0))
    return set(sorted(strengths, key=lambda delay: (-strengths[delay], delay))[:count])


NUMBERS = [(1, None), (3, None), (None, 0.5), (None, 1.0), (None, 0.01)]


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kept=st.sampled_from(NUMBERS))
def test_pairs_keep_their_strongest_delays(seed: int, kept: tuple[int | None, float | None]) -> None:
    synapses = random_synapses(np.random.default_rng(seed))
    pairs: dict[tuple[int, int], dict[int, float]] = {}
    for (origin, end, delay), weight in cell_weights(synapses).items():
        pairs.setdefault((origin, end), {})[delay] = abs(weight)
    left = {pair: stay(delays, *kept) for pair, delays in pairs.items()}
    expected = [
        delay in left[origin, end]
        for origin, end, delay in zip(synapses.origins, synapses.ends, synapses.delays, strict=True)
    ]
    assert strongest_of_pairs(synapses, Kept(*kept)).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), kept=st.sampled_from(NUMBERS), norm=st.sampled_from(["l1", "l2"]))
def test_sources_keep_their_strongest_delays(seed: int, kept: tuple[int | None, float | None], norm: Norm) -> None:
    synapses = random_synapses(np.random.default_rng(seed))
    sources: dict[int, dict[int, float]] = {}
    for (origin, _, delay), weight in cell_weights(synapses).items():
        sizes = sources.setdefault(origin, {})
        sizes[delay] = sizes.get(delay, 0.0) + (abs(weight) if norm == "l1" else weight**2)
    left = {origin: stay(delays, *kept) for origin, delays in sources.items()}
    expected = [delay in left[origin] for origin, delay in zip(synapses.origins, synapses.delays, strict=True)]
    assert strongest_of_sources(synapses, Kept(*kept), norm).tolist() == expected


def test_norms_differ() -> None:
    """One large weight against several small ones."""
    weights, delays = np.array([0.9, 0.4, 0.4, 0.4]), np.array([1, 2, 2, 2])
    synapses = Delayed(weights, np.zeros(4, np.int64), np.arange(4), delays)
    assert strongest_of_sources(synapses, Kept(1), "l1").tolist() == [False, True, True, True]
    assert strongest_of_sources(synapses, Kept(1), "l2").tolist() == [True, False, False, False]


def test_shares_are_rounded_up_and_not_beyond() -> None:
    assert Kept(share=0.1).of(np.array([1, 9, 10, 11, 20, 30])).tolist() == [1, 1, 1, 2, 2, 3]
    assert Kept(share=0.5).of(np.array([1, 2, 3, 30])).tolist() == [1, 1, 2, 15]
    assert Kept(4).of(np.array([1, 4, 9])).tolist() == [1, 4, 4]


def test_lifetimes_and_entries() -> None:
    """TrueNorth's queue of 256 neurons and 16 levels has 7,936 entries (arXiv 2404.10597, section III)."""
    last = last_delays(np.array([0, 2, 0]), np.array([3, 15, 7]), 4)
    assert last.tolist() == [7, 0, 15, 0]
    assert entries(last).tolist() == [15, 0, 31, 0]
    assert int(entries(np.full(256, 15)).sum()) == 7936


def test_groups_add_up_what_is_on_one_cell() -> None:
    synapses = Delayed(np.array([1.0, -0.75, 0.5]), np.zeros(3, np.int64), np.zeros(3, np.int64), np.array([2, 2, 3]))
    _, owners, delays, magnitudes = groups(synapses.origins, synapses, "l1")
    assert owners.tolist() == [0, 0]
    assert delays.tolist() == [2, 3]
    assert magnitudes.tolist() == [0.25, 0.5]


# --- memory


def random_options(rng: np.random.Generator) -> list[Option]:
    """Up to five sources with up to four delays; some free nothing, some lose nothing."""
    found: list[Option] = []
    for _ in range(int(rng.integers(1, 6))):
        delays = np.sort(rng.choice(9, int(rng.integers(1, 5)), replace=False))
        norms = rng.integers(0, 6, len(delays)) / 4
        total = np.cumsum(norms)
        found.append(Option(entries(np.maximum(delays, int(rng.integers(0, 5)))), total[-1] - total))
    return found


def cost(options: list[Option], chosen: tuple[int, ...]) -> int:
    return sum(int(each.costs[number]) for each, number in zip(options, chosen, strict=True))


def loss(options: list[Option], chosen: tuple[int, ...]) -> float:
    return sum(float(each.losses[number]) for each, number in zip(options, chosen, strict=True))


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1.2))
def test_the_best_choice_of_all(seed: int, share: float) -> None:
    options = random_options(np.random.default_rng(seed))
    every = list(product(*(range(len(each.costs)) for each in options)))
    least, most = cost(options, (0,) * len(options)), sum(int(each.costs[-1]) for each in options)
    budget = least + int(share * (most - least))
    best = min(loss(options, chosen) for chosen in every if cost(options, chosen) <= budget)
    found = exact(options, budget)
    assert found.lost == best == found.least == loss(options, found.chosen)
    assert cost(options, found.chosen) <= budget
    assert choose(options, budget) == found
    close = relaxed(options, budget)
    assert cost(options, close.chosen) <= budget
    assert close.lost == loss(options, close.chosen)
    assert close.least <= best + 1e-12
    assert best <= close.lost
    # the multipliers lose at most what one step of one hull is worth
    steps = [each.losses[a] - each.losses[b] for each in options for a, b in pairwise(hull(each))]
    assert close.lost - best <= max(steps, default=0.0) + 1e-12


def test_large_networks_are_chosen_by_multipliers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    options = [
        Option(entries(np.arange(1, 31)), np.concatenate([[0.0], np.cumsum(rng.random(29))])[::-1]) for _ in range(48)
    ]
    best = choose(options, 1500)
    assert best.least == best.lost
    monkeypatch.setattr(memory, "EXACT_WORK", 0)
    close = choose(options, 1500)
    assert best.lost <= close.lost <= 1.01 * best.lost
    assert 0.99 * close.lost <= close.least <= best.lost
    assert close == relaxed(options, 1500)


def test_a_budget_below_the_cheapest_options() -> None:
    with pytest.raises(ValueError, match="cheapest"):
        choose([Option(np.array([3, 5]), np.array([1.0, 0.0]))], 2)


def test_hulls_leave_out_what_is_never_best() -> None:
    option = Option(np.array([1, 1, 3, 5, 7]), np.array([9.0, 8.0, 7.0, 2.0, 0.0]))
    assert hull(option) == [1, 3, 4]


def test_what_the_multipliers_leave_over_is_spent() -> None:
    """The middle option is on no hull, and all that fits."""
    option = Option(np.array([0, 4, 5]), np.array([10.0, 9.0, 0.0]))
    assert relaxed([option], 4).chosen == (1,)
    assert relaxed([option], 4).least == 2.0
