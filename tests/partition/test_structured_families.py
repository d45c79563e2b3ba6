"""Families: every synapse once, within the crossbar, and as few rows as neighbours can share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.partition.covers import Pattern, chunks
from snnir.partition.families import Family, classes_of
from snnir.partition.fields import Box, field_of
from snnir.partition.neighbours import Neighbours
from snnir.partition.tiling import Crossbar, Prices
from tests.partition.nets import alexnet_disco


def cost(rows: int, columns: int) -> float:
    return rows + max(0, 8 - rows - 2 * (8 - columns)) + 0.2 * columns


@settings(deadline=None)
@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(1, 31), st.integers(0, 20)), min_size=1, max_size=6, unique_by=lambda one: one[0]),
)
def test_every_class_lies_beside_each_of_its_homes_once(homes: int, classes: list[tuple[int, int]]) -> None:
    readers = [mask & (1 << homes) - 1 for mask, _ in classes]
    sizes = [size if mask else 0 for mask, (_, size) in zip(readers, classes, strict=True)]
    pattern = Family(homes, 3, 8, 2, cost).pattern(readers, sizes, [range(homes), range(homes)[::-1]])
    covered = {(n, h): np.zeros(size, np.int64) for n, size in enumerate(sizes) for h in range(homes)}
    for slabs, (rows, columns, here) in zip(pattern.pieces, pattern.shapes, strict=True):
        assert rows <= 8
        assert columns == 3 * len(here) <= 8
        for slab in slabs:
            for home in slab.homes:
                covered[slab.group, home][slab.start : slab.stop] += 1
    for (number, home), times in covered.items():
        assert (times == (readers[number] >> home & 1)).all()
    assert {home for *_, here in pattern.shapes for home in here} == set(range(homes))


def test_classes_are_the_axons_of_the_same_readers() -> None:
    found = classes_of([np.array([1, 2, 5]), np.array([2, 3, 5]), np.array([5, 9])], [1, 2, 4])
    together = {mask: axons.tolist() for mask, axons in zip(found.readers, found.axons, strict=True)}
    assert together == {1: [1], 2: [3], 3: [2], 4: [9], 7: [5]}
    assert sum(found.sizes) == 5


@pytest.mark.parametrize(
    ("layer", "channels", "rows_per_place", "crossbars"),
    [(4, 64, 480, None), (5, 64, 960, 32), (2, 96, 384, None)],
    ids=["conv3", "conv4", "conv2"],
)
def test_four_places_of_alexnet_share_rows(
    layer: int, channels: int, rows_per_place: int, crossbars: int | None
) -> None:
    """Of 16 pixels, four places of 64 channels read 4 all, 8 in pairs and 4 alone: 20 times the rows of a pixel."""
    problem = alexnet_disco().problem()
    field = field_of(problem, layer)
    assert field is not None
    neighbours = Neighbours(field, Crossbar(128, 128, True), Prices(0.8, 0.2, 3.87), 0)
    home = 32 if channels == 96 else 64
    box = Box(0, channels, 2, 4, 2, 4)
    cover = neighbours.cover(box, home)
    assert sum(rows for rows, *_ in cover.pattern.shapes) <= 4 * rows_per_place
    assert crossbars is None or len(cover.pattern.pieces) <= crossbars
    found = [each for parts in cover.parts() for each in parts]
    neurons = np.concatenate(list({home: part.neurons for home, part in found}.values()))
    assert np.array_equal(np.sort(neurons), field.neurons(box))
    for place in neurons[:: channels // 2]:
        axons = np.sort(np.concatenate([part.axons for _, part in found if place in part.neurons]))
        assert np.array_equal(axons, problem.axons_of(layer, np.array([place])))


def test_chunks_fill_all_crossbars_but_the_last() -> None:
    assert [rows for rows, *_ in chunks(5, 300, 128).shapes] == [128, 128, 44]
    assert [rows for rows, *_ in chunks(5, 256, 128).shapes] == [128, 128]
    assert chunks(5, 0, 128).shapes == [(0, 5, (0,))]
    assert isinstance(chunks(1, 1, 1), Pattern)
