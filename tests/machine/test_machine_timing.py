"""Times worked out by hand, deadlocks, the guarantee, and what `simulate` refuses."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine_builder import TIMES, Builder, chain

from snnir.errors import SnnirError
from snnir.machine import (
    Configuration,
    Counts,
    Timing,
    check_guarantee,
    firing_times,
    peak_counts,
    simulate,
)

ZERO = {name: value if name == "unit" else 0 for name, value in TIMES.items()} | {"columns_per_adc": 1}
PROMISE = {"period": "136", "latency": "286", "activity": "peak", "steps_per_second": 1e9 / 136}


def quiet(configuration: Configuration, steps: int, spikes_out: Mapping[str, Sequence[int]] | None = None) -> Counts:
    """No spikes at all but those given."""
    counts = peak_counts(configuration, steps)
    none = {name: np.zeros(steps, np.int64) for name in counts.spikes_out}
    given = {name: np.array(spikes) for name, spikes in (spikes_out or {}).items()}
    return Counts({name: np.zeros(steps, np.int64) for name in counts.spikes_in}, {**none, **given})


def starts(timing: Timing) -> dict[str, list[int]]:
    return {name: start.tolist() for name, (start, _) in timing.firings.items()}


def chain_timing(directory: Path) -> Timing:
    """The chain with no spikes in the first step, but one at the input; then two into `a` and two into `b`."""
    counts = Counts(
        {"sa": np.array([1, 2]), "sb": np.array([0, 2])},
        {"in": np.array([1, 2]), "sa": np.array([0, 2]), "sb": np.array([0, 0])},
    )
    return simulate(chain().load(directory), counts)


def test_chain(tmp_path: Path) -> None:
    # sa takes 100 + n_in + 10*ceil(2/2) + 5*2 + 2*n_out = 120 + n_in + 2*n_out, sb 100 + n_in + 10 + 5 = 115 + n_in.
    # Input 0 (2 flits): inject 4, 8, eject 8, 12. sa 12..133. One flit: inject 137, link 141 + 7, eject 152.
    # sb 152..267, one flit: inject 271, link 275 + 7, eject 286.
    # Input 1 (3 flits): inject 12, 16, 20, eject 24. sa 133..259, 3 flits: inject 271, link 275 + 7, eject 286.
    # sb 286..403, then 19 more as before.
    timing = chain_timing(tmp_path)
    assert starts(timing) == {"sa": [12, 133], "sb": [152, 286]}
    assert timing.firings["sb"][1].tolist() == [267, 403]
    assert timing.finish.tolist() == [286, 422]
    assert timing.throughput == Fraction(1, 136)
    assert timing.steps_per_second == pytest.approx(1e9 / 136)
    assert timing.busy == {"sa": 121 + 126, "sb": 115 + 117}
    assert timing.link_flits == {
        "inject host": 5,
        "eject (0, 0)": 5,
        "inject (0, 0)": 4,
        "(0, 0) -> (1, 0)": 4,
        "eject (1, 0)": 4,
        "inject (1, 0)": 2,
        "(1, 0) -> (0, 0)": 2,
        "eject host": 2,
    }


@pytest.mark.parametrize(
    ("pair", "finish", "starts_of_a"),
    [
        # Without spikes: input token at 8 and 12, sa takes 120, sb 115, each token 19 to the next tile or the host.
        (("sa", "sb"), [281, 535], [8, 262]),  # sa 1 waits until sb 0 has ended at 262
        (("sb", "o"), [281, 415], [8, 128]),  # sb 1 waits until the host has step 0 at 281: 281 + 115 + 19
        (("in", "sa"), [281, 409], [8, 136]),  # input 1 is sent at 128, when sa 0 has ended: 256, 275, 390, 409
        (("none", "none"), [281, 401], [8, 128]),
    ],
)
def test_capacity_of_one(tmp_path: Path, pair: tuple[str, str], finish: list[int], starts_of_a: list[int]) -> None:
    builder = chain()
    builder.capacities = {pair: 1}
    configuration = builder.load(tmp_path)
    timing = simulate(configuration, quiet(configuration, 2))
    assert starts(timing)["sa"] == starts_of_a
    assert timing.finish.tolist() == finish


def two_flows(second_tile: tuple[int, int], readers: tuple[int, int], mesh: tuple[int, int]) -> Builder:
    """`a` and `c` (4 neurons each) send to `d` and `e` (1 neuron each) on one other tile; an update takes 25."""
    builder = Builder(mesh=mesh, time={**ZERO, "update": 25, "flit": 4, "hop_x": 7})
    builder.input("in", 1)
    for name, size in (("a", 4), ("c", 4), ("d", 1), ("e", 1)):
        builder.population(name, size, output="" if size == 4 else f"o{name}")
    for name, tile in (("a", (0, 0)), ("c", second_tile)):
        builder.crossbar(f"c{name}", tile, ord(name) - ord("a"), rows=[("in", [0], 0)])
        builder.slice(f"s{name}", name, range(4), [[1, 1, 1, 1]])
    for name, source in (("d", "a"), ("e", "c")):
        builder.crossbar(f"c{name}", readers, ord(name) - ord("d"), rows=[(source, range(4), 0)])
        builder.slice(f"s{name}", name, [0], [[1]] * 4)
    return builder


@pytest.mark.parametrize(
    ("first", "starts_of_d", "starts_of_e"),
    # sa and sc send 3 and 2 flits at 108: a c a [c] [a], the markers leave at 124 and 128, and arrive 11 + 4 later;
    # with c first: c a [c] a [a]: 120 and 128. At 208 again: the turn is c's, a was the last to be served.
    [("sa", [143, 243], [139, 235]), ("sc", [143, 243], [135, 235])],
)
def test_two_flows_take_turns_on_an_inject_link(
    tmp_path: Path, first: str, starts_of_d: list[int], starts_of_e: list[int]
) -> None:
    builder = two_flows((0, 0), (1, 0), (2, 1))
    builder.flow_order = [("in", (0, 0)), (first, (1, 0))]
    configuration = builder.load(tmp_path)
    timing = simulate(configuration, quiet(configuration, 2, {"sa": [2, 2], "sc": [1, 1]}))
    assert starts(timing) == {"sa": [8, 108], "sc": [8, 108], "sd": starts_of_d, "se": starts_of_e}


def test_two_flows_take_turns_where_their_ways_meet(tmp_path: Path) -> None:
    # The input's markers leave the host at 4 and 8: sa 8..108, sc (one hop further) 23..123.
    # a arrives at the link (1, 0) -> (2, 0) at 123, 127, 131 and c at 127, 131: it serves a c a [c] [a] from 123 on.
    # The markers leave it at 139 and 143, and are there 7 + 4 later.
    configuration = two_flows((1, 0), (2, 0), (3, 1)).load(tmp_path)
    timing = simulate(configuration, quiet(configuration, 1, {"sa": [2], "sc": [1]}))
    assert starts(timing) == {"sa": [8], "sc": [23], "sd": [154], "se": [150]}


def test_hops_in_y_and_links_that_take_no_time(tmp_path: Path) -> None:
    builder = chain()
    builder.mesh, builder.time = (1, 2), {**TIMES, "flit": 0}
    builder.crossbars[1]["tile"] = [0, 1]
    configuration = builder.load(tmp_path)
    timing = simulate(configuration, quiet(configuration, 1))
    assert starts(timing) == {"sa": [0], "sb": [129]}
    assert timing.finish.tolist() == [129 + 115 + 9]


def test_slices_of_one_crossbar_fire_one_after_the_other(tmp_path: Path) -> None:
    builder = Builder(mesh=(1, 1), time={**ZERO, "read": 10, "flit": 1})
    builder.input("in", 1)
    for name in ("a", "b"):
        builder.population(name, 1, output=f"o{name}")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0)])
    builder.slice("sa", "a", [0], [[1]])
    builder.slice("sb", "b", [0], [[1]])
    builder.crossbars[0]["order"] = ["sb", "sa"]
    configuration = builder.load(tmp_path)
    timing = simulate(configuration, quiet(configuration, 2))
    assert starts(timing) == {"sb": [2, 22], "sa": [12, 32]}
    # Each output arrives 2 after its firing; a step is complete with the later one.
    assert timing.finish.tolist() == [24, 44]


def test_a_delay_lets_the_reader_go_ahead(tmp_path: Path) -> None:
    builder = Builder(mesh=(1, 1), time={**ZERO, "read": 10})
    builder.input("in", 1)
    builder.population("a", 1)
    builder.population("b", 1, output="o")
    builder.crossbar("c0", (0, 0), 0, rows=[("in", [0], 0)])
    builder.slice("sa", "a", [0], [[1]])
    builder.crossbar("c1", (0, 0), 1, rows=[("a", [0], 2)])
    builder.slice("sb", "b", [0], [[1]])
    configuration = builder.load(tmp_path)
    timing = simulate(configuration, quiet(configuration, 4))
    assert starts(timing) == {"sa": [0, 10, 20, 30], "sb": [0, 10, 20, 30]}
    builder.crossbars[1]["rows"][0]["delay"] = 0
    configuration = builder.load(tmp_path)
    assert starts(simulate(configuration, quiet(configuration, 4)))["sb"] == [10, 20, 30, 40]


def test_a_partial_sum_travels_as_its_columns(tmp_path: Path) -> None:
    builder = Builder(time={**ZERO, "read": 10, "add": 3, "event": 1, "update": 2, "spike": 5, "flit": 1})
    builder.input("in", 1)
    builder.population("a", 2, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0)])
    builder.slice("part", "a", [0, 1], [[1, 1]], neuron={})
    builder.crossbar("c1", (1, 0), rows=[])
    builder.slice("whole", "a", [0, 1], [], partials=["part"])
    configuration = builder.load(tmp_path)
    counts = Counts(
        {"part": np.array([1]), "whole": np.array([0])},
        {"in": np.array([0]), "part": np.array([0]), "whole": np.array([2])},
    )
    timing = simulate(configuration, counts)
    # part: 10 + 1 event, from 2 on; 3 flits over 3 links: 13 + 3 + 2 = 18. whole: 10 + 3*2*1 + 2*2 + 5*2 = 30.
    assert starts(timing) == {"part": [2], "whole": [18]}
    assert timing.finish.tolist() == [18 + 30 + 5]


def test_firing_time(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    part = configuration.slices["sa"]
    times = firing_times(configuration.machine.time, part, np.array([0, 3]), np.array([0, 2]))
    assert times.tolist() == [100 + 10 + 10, 100 + 3 + 10 + 10 + 4]


def test_fewer_steps_are_the_beginning_of_the_run(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    counts = peak_counts(configuration, 9)
    assert simulate(configuration, counts, 4).finish.tolist() == simulate(configuration, counts).finish.tolist()[:4]


def test_one_step_has_no_throughput(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    timing = simulate(configuration, peak_counts(configuration, 1))
    assert timing.throughput is None
    assert timing.steps_per_second is None


def test_deadlock_by_order(tmp_path: Path) -> None:
    builder = Builder()
    builder.input("in", 1)
    builder.population("a", 1)
    builder.population("b", 1, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0), ("a", [0], 0)])
    builder.slice("sa", "a", [0], [[1]], rows=[0])
    builder.slice("sb", "b", [0], [[1]], rows=[1])
    builder.crossbars[0]["order"] = ["sb", "sa"]
    configuration = builder.load(tmp_path)
    with pytest.raises(SnnirError) as caught:
        simulate(configuration, quiet(configuration, 3))
    expected = "deadlock: 'sb' (step 0) waits for the token of 'sa' (step 0), whose turn comes after 'sb'"
    assert caught.value.message == expected


def staged(directory: Path, stages: Sequence[int]) -> Configuration:
    """Two slices of one crossbar, 100 a firing; the second reads the first by way of a third on another crossbar."""
    builder = Builder()
    builder.time = {**ZERO, "read": 100}
    builder.input("in", 1)
    for name in "abc":
        builder.population(name, 1, output="o" if name == "c" else "")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0), ("b", [0], 0)])
    builder.slice("sa", "a", [0], [[1]], rows=[0])
    builder.slice("sc", "c", [0], [[1]], rows=[1])
    builder.crossbars[0]["stages"] = list(stages)
    builder.crossbar("c1", (0, 0), 1, rows=[("a", [0], 0)])
    builder.slice("sb", "b", [0], [[1]])
    return builder.load(directory)


def test_a_slice_of_a_later_stage_fires_for_an_earlier_step(tmp_path: Path) -> None:
    # One round after the other: a b c take 300 for each step. With c a step behind, c0 fires a0, a1 c0, a2 c1, ...
    plain, piped = staged(tmp_path / "plain", [0, 0]), staged(tmp_path / "piped", [0, 1])
    assert starts(simulate(plain, quiet(plain, 3))) == {
        "sa": [0, 300, 600],
        "sb": [100, 400, 700],
        "sc": [200, 500, 800],
    }
    assert starts(simulate(piped, quiet(piped, 3))) == {
        "sa": [0, 100, 300],
        "sb": [100, 200, 400],
        "sc": [200, 400, 500],
    }
    both = staged(tmp_path / "both", [2, 3])
    assert starts(simulate(both, quiet(both, 3))) == starts(simulate(piped, quiet(piped, 3)))


def test_deadlock_by_stages(tmp_path: Path) -> None:
    configuration = staged(tmp_path, [0, 5])
    with pytest.raises(SnnirError) as caught:
        simulate(configuration, quiet(configuration, 9))
    assert caught.value.message == (
        "deadlock: 'sa' (step 4) waits for space at 'sb' (step 2); 'sb' (step 2) waits for space at 'sc' (step 0), "
        "whose turn comes after 'sa'"
    )


def test_deadlock_by_capacity(tmp_path: Path) -> None:
    builder = Builder()
    builder.input("in", 1)
    builder.population("a", 1, output="o")
    builder.crossbar("c0", (0, 0), rows=[("in", [0], 0), ("a", [0], 1)])
    builder.slice("sa", "a", [0], [[1], [1]])
    builder.capacities = {("sa", "sa"): 0}
    configuration = builder.load(tmp_path)
    with pytest.raises(SnnirError) as caught:
        simulate(configuration, quiet(configuration, 1))
    assert caught.value.message == "deadlock: 'sa' (step 0) waits for space at 'sa' (step 0)"
    assert "capacity" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spikes_in": {"sa": None}}, "no counts for this slice or input"),
        ({"spikes_out": {"in": None}}, "no counts for this slice or input"),
        ({"spikes_in": {"sb": np.zeros(3, np.int64)}}, "3 steps, but others have 2"),
        ({"spikes_in": {"sb": np.zeros((2, 1), np.int64)}}, r"an array of int64 with shape \(2, 1\)"),
        ({"spikes_in": {"sb": np.zeros(2)}}, "an array of float64"),
        ({"spikes_in": {"sb": np.array([0, 3])}}, "3 spikes in a step"),
        ({"spikes_out": {"sb": np.array([-1, 0])}}, "-1 spikes in a step"),
    ],
)
def test_wrong_counts(tmp_path: Path, change: dict[str, dict[str, Any]], message: str) -> None:
    configuration = chain().load(tmp_path)
    counts = quiet(configuration, 2)
    fields: dict[str, dict[str, Any]] = {"spikes_in": dict(counts.spikes_in), "spikes_out": dict(counts.spikes_out)}
    for field, arrays in change.items():
        for name, array in arrays.items():
            fields[field][name] = array
            if array is None:
                del fields[field][name]
    with pytest.raises(SnnirError, match=message) as caught:
        simulate(configuration, Counts(**fields))
    assert caught.value.place.startswith("counts:spikes_")


@pytest.mark.parametrize("steps", [0, -1, 3])
def test_wrong_number_of_steps(tmp_path: Path, steps: int) -> None:
    configuration = chain().load(tmp_path)
    with pytest.raises(SnnirError, match=f"{steps} steps asked for, 2 counted"):
        simulate(configuration, quiet(configuration, 2), steps)


def test_times_that_do_not_fit(tmp_path: Path) -> None:
    builder = chain()
    builder.time = {**TIMES, "read": 10**12, "hop_x": 10**12}
    configuration = builder.load(tmp_path)
    assert simulate(configuration, quiet(configuration, 1000)).finish[-1] > 10**15
    with pytest.raises(SnnirError, match=r"1000000 steps can take [0-9]+ ns, more than 64 bits hold") as caught:
        simulate(configuration, quiet(configuration, 1_000_000))
    assert caught.value.place.endswith("config.json:/machine/time")


@pytest.mark.parametrize(
    ("period", "latency", "late", "throughput_holds", "tightness"),
    [
        ("136", "286", None, True, Fraction(1)),  # completion at 286 and 422: exactly in time
        ("408/3", "572/2", None, True, Fraction(1)),
        ("137", "286", None, True, Fraction(136, 137)),
        ("271/2", "286", 1, False, Fraction(272, 271)),
        ("136", "571/2", 0, True, Fraction(1)),
        ("68", "500", None, False, Fraction(2)),
    ],
)
def test_guarantee(
    tmp_path: Path, period: str, latency: str, late: int | None, throughput_holds: bool, tightness: Fraction
) -> None:
    timing = chain_timing(tmp_path / "timing")
    builder = chain()
    builder.guarantee = {**PROMISE, "period": period, "latency": latency}
    check = check_guarantee(builder.load(tmp_path), timing)
    assert (check.late_step, check.holds) == (late, late is None)
    assert check.throughput_holds is throughput_holds
    assert check.tightness == tightness
    assert check.slack == min(Fraction(latency) - 286, Fraction(latency) + Fraction(period) - 422)
    assert check.within_activity


@pytest.mark.parametrize(
    ("peaks", "exceeded"),
    [
        ({}, ""),
        ({"peaks": {"in": 2, "sa": 2}, "peaks_in": {"sa": 2}}, ""),
        ({"peaks": {"in": 1}}, "in"),
        ({"peaks": {"sa": 1}}, "sa"),
        ({"peaks_in": {"sb": 1}}, "sb"),
    ],
)
def test_activity_of_the_guarantee(tmp_path: Path, peaks: dict[str, Any], exceeded: str) -> None:
    builder = chain()
    builder.guarantee = {**PROMISE, **peaks}
    configuration = builder.load(tmp_path)
    counts = Counts(
        {"sa": np.array([1, 2, 3]), "sb": np.array([0, 2, 2])},
        {"in": np.array([1, 2, 3]), "sa": np.array([0, 2, 2]), "sb": np.array([0, 0, 1])},
    )
    check = check_guarantee(configuration, simulate(configuration, counts, 2), counts)
    assert check.exceeded == exceeded
    assert check.within_activity is (exceeded == "")


def test_no_guarantee_and_no_throughput(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    timing = simulate(configuration, quiet(configuration, 1))
    with pytest.raises(SnnirError, match="the configuration has no guarantee"):
        check_guarantee(configuration, timing)
    builder = chain()
    builder.guarantee = PROMISE
    check = check_guarantee(builder.load(tmp_path), timing)
    assert check.holds
    assert check.throughput_holds
    assert check.tightness is None
