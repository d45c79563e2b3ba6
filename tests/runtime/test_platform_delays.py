"""A machine with delay memories: kept with the rest of the machine, and packages are made for its kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snnir.machine.parts import Delays, Machine, Times
from snnir.runtime.platform import Platform
from snnir.runtime.relocate import machine_document

PLAIN = Machine("m", (2, 2), 1, (0, 0), 64, 64, 8, Times("ns", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))


def with_memory(memory: str = "circular", entries: int = 0) -> Platform:
    delays = Delays(memory, entries, 16)  # pyright: ignore[reportArgumentType]
    return Platform(replace(PLAIN, delays=delays), True, 100)


def test_it_is_kept() -> None:
    platform = with_memory("fifo", 7)
    assert Platform.from_json(platform.as_json()) == platform
    assert machine_document(platform.machine)["delays"] == {"memory": "fifo", "entries": 7, "bits": 16}
    assert "delays" not in machine_document(PLAIN) and "delays" not in Platform(PLAIN, True, 100).as_json()


@pytest.mark.parametrize(
    ("there", "here", "problem"),
    [
        (with_memory(), with_memory(), None),
        (with_memory(entries=5), with_memory(entries=5), None),
        (with_memory(entries=5), with_memory(entries=6), None),
        (with_memory(entries=5), with_memory(), None),
        (with_memory(entries=5), with_memory(entries=4), "it is for delay memories of 5 entries, these hold 4"),
        (with_memory(), with_memory(entries=4), "it is for delay memories without a limit, these hold 4"),
        (with_memory(), with_memory("fifo"), "of kind 'circular', these have delay memories of kind 'fifo'"),
        (with_memory(), Platform(PLAIN, True, 100), "of kind 'circular', these have no delay memories"),
        (Platform(PLAIN, True, 100), with_memory("ring"), "with no delay memories, these have delay memories of kind"),
    ],
)
def test_packages_for_other_memories(there: Platform, here: Platform, problem: str | None) -> None:
    found = here.misfit(there)
    assert found == problem or (problem is not None and found is not None and problem in found)
