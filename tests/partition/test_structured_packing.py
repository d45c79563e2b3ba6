"""Packing, filling and refinement."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.partition.clustering.structured import structured
from snnir.partition.filling import Filling, further
from snnir.partition.material import material_of
from snnir.partition.metrics import check, spikes_between
from snnir.partition.packing import Bin, Piece, Room, pack
from snnir.partition.problem import Options, Part, PartitionError, Problem
from snnir.partition.refinement import Refinement, Traffic, distinct
from tests.partition.nets import Net, chain, lenet_disco, problems
from tests.partition.problems import problem as build
from tests.partition.projections import listed, one, pool

PIECES = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(-2, 3)), max_size=30)


@given(PIECES, st.integers(0, 3))
def test_pieces_lie_in_one_bin_each_within_all_limits(shapes: list[tuple[int, int, int]], slices: int) -> None:
    pieces = [
        Piece(rows, columns, (kind if kind >= 0 else -1 - number,), min(rows + columns, 12))
        for number, (rows, columns, kind) in enumerate(shapes)
    ]
    bins = pack(pieces, Room(9, 9, slices, 2.0, 12))
    assert sorted(number for bin_ in bins for number in bin_.pieces) == list(range(len(pieces)))
    for bin_ in bins:
        mine = [pieces[number] for number in bin_.pieces]
        assert bin_.rows == 9 - sum(piece.rows for piece in mine) >= 0
        assert bin_.columns == 9 - sum(piece.columns for piece in mine) >= 0
        assert bin_.neurons == 12 - sum(piece.neurons for piece in mine) >= 0
        assert bin_.kinds == {kind for piece in mine for kind in piece.kinds}
        assert not slices or len(bin_.kinds) <= slices


def test_pieces_that_complement_each_other_share_bins() -> None:
    pieces = [Piece(8, 1, (0,))] * 5 + [Piece(1, 8, (1,))] * 5
    assert len(pack(pieces, Room(9, 9, 0, 1.0))) == 5
    assert len(pack(pieces, Room(9, 9, 1, 1.0))) == 10


def test_what_is_left_can_be_filled() -> None:
    """Two pieces of 4 rows leave rows that 2 columns cannot fill; beside the narrow one they can."""
    room = Room(8, 8, 0, 2.0)
    bins = pack([Piece(2, 6, (0,)), Piece(6, 2, (1,)), Piece(2, 2, (2,))], room)
    assert sum(room.waste(bin_.rows, bin_.columns) for bin_ in bins) == 0


def _filling(problem: Problem, bins: list[Bin]) -> Filling:
    materials = [m for number in range(len(problem.layers)) if (m := material_of(problem, number))]
    return Filling(problem, materials, Room(problem.rows, problem.columns, problem.slices, 1.0), bins)


def test_gaps_are_filled_before_crossbars_are_added() -> None:
    problem = chain(64, pool(1, 8)).problem(rows=16, columns=16)
    filling = _filling(problem, [Bin(9, 16), Bin(16, 1), Bin(3, 16)])
    assert further(filling.materials, filling.room, [Bin(9, 16), Bin(16, 1), Bin(3, 16)]) == 4
    filling.fill(chained=False)
    assert np.bincount(filling.where[0]).tolist() == [2, 1, 0, 4, 4, 4, 1]
    assert filling.rows == [1, 12, 3, 0, 0, 0, 12]


def test_materials_share_no_axons() -> None:
    net = Net()
    source = net.input(16)
    net.layer("pool", (1, 2, 2), (source, pool(1, 4), 0))
    net.layer("copy", (16,), (source, one(16), 0))
    net.layer("both", (16,), (source, one(16), 0), (1, one(16), 1))
    problem = net.problem()
    counts = [m.counts.tolist() for number in range(3) if (m := material_of(problem, number))]
    assert counts == [[4] * 4, [1] * 16, [2] * 16]
    overlapping = chain(16, pool(1, 4), one(4)).problem(rows=3)
    assert material_of(overlapping, 0) is None


@settings(max_examples=60, deadline=None)
@given(problems())
def test_traffic_is_that_of_the_plan_and_refinement_never_adds_any(problem: Problem) -> None:
    try:
        plan = structured(problem, Options())
    except PartitionError:
        return
    check(problem, plan)
    filling = _filling(problem, [])
    filling.fill(chained=True)
    bins = len(filling.rows)
    tiles: list[list[Part]] = [[] for _ in range(bins)]
    traffic = Traffic(filling, tiles)
    parts = filling.parts()
    before = traffic.total()
    assert before == pytest.approx(_between(problem, filling))
    after = Refinement(filling, traffic).run()
    assert after <= before + 1e-9
    assert after == pytest.approx(_between(problem, filling))
    assert min([0, *filling.rows, *filling.columns]) == 0
    assert sum(len(part.neurons) for each in parts for part in each) == sum(len(m.counts) for m in filling.materials)


def _between(problem: Problem, filling: Filling) -> float:
    """Counted one by one."""
    read = {
        (int(problem.home[axon]), crossbar)
        for crossbar, parts in enumerate(filling.parts())
        for part in parts
        for axon in part.axons
    }
    own = {int(problem.home[axon]): int(place) for axon, place in enumerate(filling.places)}
    spikes: dict[int, float] = {}
    for axon, rate in enumerate(problem.spikes):
        spikes[int(problem.home[axon])] = float(rate)
    return sum(spikes[home] for home, crossbar in read if own[home] != crossbar)


def test_refinement_exchanges_neurons_of_two_full_crossbars() -> None:
    """Copies of copies, both layers on the wrong crossbars: every second layer goes to the first one's sources."""
    problem = chain(8, one(8), one(8)).problem(rows=8, columns=8)
    filling = _filling(problem, [Bin(8, 8), Bin(8, 8)])
    first, second = filling.materials
    for material, halves in ((first, (0, 1)), (second, (1, 0))):
        for number, crossbar in enumerate(halves):
            filling.put(material, np.arange(4) + 4 * number, crossbar)
    traffic = Traffic(filling, [[], []])
    assert traffic.total() == pytest.approx(problem.spikes.sum())
    assert Refinement(filling, traffic).run() == pytest.approx(problem.spikes[:8].sum())
    assert filling.rows == [0, 0]


def test_refinement_moves_no_more_than_there_is_room_for() -> None:
    problem = chain(4, one(4), one(4)).problem(rows=6, columns=8)
    filling = _filling(problem, [Bin(6, 8), Bin(6, 8)])
    for crossbar, material in enumerate(filling.materials):
        filling.put(material, np.arange(4), crossbar)
    Refinement(filling, Traffic(filling, [[], []])).run()
    rows = [sum(len(part.axons) for part in parts) for parts in filling.parts()]
    assert sorted(rows) == [2, 6]
    assert sorted(filling.rows) == [0, 4]


def test_refinement_adds_no_slice_to_a_crossbar_that_has_its_number() -> None:
    problem = chain(4, one(4), one(4)).problem(rows=8, columns=8, slices=1)
    filling = _filling(problem, [Bin(8, 8), Bin(8, 8)])
    for crossbar, material in enumerate(filling.materials):
        filling.put(material, np.arange(4), crossbar)
    traffic = Traffic(filling, [[], []])
    before = traffic.total()
    assert Refinement(filling, traffic).run() == before
    assert [{part.layer for part in parts} for parts in filling.parts()] == [{0}, {1}]


def test_refinement_counts_what_all_lose_that_make_room() -> None:
    """Neuron 0 would save 3 spikes where 1 and 2 save 2 each and had to go, both; 3 saves half a spike elsewhere."""
    reads = listed(5, 4, [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3)])
    spikes = {-1: [1.5, 1.5, 2.0, 2.0, 0.5]}
    task = build([((4,), [(-1, 0, reads)])], {-1: 5}, rows=8, columns=8, spikes=spikes)
    filling = _filling(task, [Bin(4, 8), Bin(2, 8), Bin(1, 8)])
    (material,) = filling.materials
    for neurons, crossbar in (([0, 3], 0), ([1, 2], 1)):
        filling.put(material, np.array(neurons), crossbar)
    nobody = np.empty(0, np.int64)
    tiles = [[], [Part(0, nobody, np.arange(4))], [Part(0, nobody, np.array([4]))]]
    traffic = Traffic(filling, tiles)
    before = traffic.total()
    assert Refinement(filling, traffic).run() == before - 0.5
    assert filling.where[0].tolist() == [0, 1, 1, 2]


def test_distinct_is_ascending() -> None:
    assert distinct(np.array([3, 1, 3, 2, 1])).tolist() == [1, 2, 3]
    assert distinct(np.empty(0, np.int64)).tolist() == []


def test_refinement_helps_lenet() -> None:
    problem = lenet_disco().problem()
    assert spikes_between(problem, structured(problem, Options())) < 720
