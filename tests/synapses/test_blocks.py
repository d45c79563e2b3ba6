"""Many blocks at once give what each block gives by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synapse_cases import conv, dense, listed, one_to_one, pool, selected

from snnir.synapses import Blocks
from snnir.synapses import listed as listed_module
from snnir.synapses.blocks import chunks, located, numbered

KINDS = {
    "dense": dense(),
    "one-to-one": one_to_one(),
    "conv": conv(),
    "pool": pool(),
    "listed": listed(),
    "selected": selected(),
}


def some(data: Any, size: int) -> Any:
    """Some distinct numbers below `size`, in any order; perhaps none, perhaps all."""
    return np.array(data.draw(st.lists(st.integers(0, size - 1), unique=True, max_size=size)), np.int64)


def joined(parts: list[Any]) -> tuple[Any, Any]:
    """The numbers of all blocks, and the block of each."""
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


@pytest.mark.parametrize("at_a_time", [1, 1 << 20])
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_blocks_are_gathered_each_by_itself(kind: str, at_a_time: int, data: Any) -> None:
    found = data.draw(KINDS[kind])
    synapses, count = found.synapses, data.draw(st.integers(1, 4))
    sources = [some(data, synapses.sources) for _ in range(count)]
    targets = [some(data, synapses.targets) for _ in range(count)]
    marks = np.random.default_rng(0).integers(1, 1 << 64, synapses.sources, np.uint64)
    blocks = Blocks(*joined(sources), *joined(targets))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listed_module, "_AT_A_TIME", at_a_time)
        sums, read = synapses.gathered_in_blocks(blocks, marks[blocks.sources])
    there = [found.connected[np.ix_(s, t)] for s, t in zip(sources, targets, strict=True)]
    expected = [
        np.where(met, marks[s][:, None], np.uint64(0)).sum(axis=0, dtype=np.uint64)
        for met, s in zip(there, sources, strict=True)
    ]
    assert sums.tolist() == np.concatenate(expected).tolist()
    assert read.tolist() == np.concatenate([met.any(axis=1) for met in there]).tolist()


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_keys_are_numbered_and_found(keys: list[int], wanted: list[int]) -> None:
    for order in (keys, sorted(keys)):
        distinct, number = numbered(np.array(order, np.int64))
        assert distinct.tolist() == sorted(set(keys))
        assert distinct[number].tolist() == order
        places = located(distinct, np.array(wanted, np.int64)).tolist()
        assert places == [sorted(set(keys)).index(key) if key in keys else len(distinct) for key in wanted]


@given(st.lists(st.integers(0, 9)), st.integers(1, 20))
def test_chunks_are_everything_once_and_small(counts: list[int], most: int) -> None:
    parts = list(chunks(np.array(counts, np.int64), most))
    assert [number for part in parts for number in range(len(counts))[part]] == list(range(len(counts)))
    assert all(sum(counts[part]) <= most + max(counts[part], default=0) for part in parts)
