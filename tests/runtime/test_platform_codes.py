"""A machine whose rows take codes: kept with the rest of the machine, and packages are made for its cells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snnir.machine.parts import Machine, Times
from snnir.runtime.platform import Platform
from snnir.runtime.relocate import machine_document

TIME = Times("ns", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
PLAIN = Machine("m", (2, 2), 1, (0, 0), 64, 64, 8, TIME)
CODES = replace(PLAIN, signal_bits=6, cell_bits=4, signs="pair")


def test_what_is_kept() -> None:
    for each in (PLAIN, CODES):
        platform = Platform(each, True, 100)
        assert Platform.from_json(platform.as_json()) == platform
    said = {"signal_bits", "cell_bits", "signs"}
    for found in (Platform(PLAIN, True, 100).as_json(), machine_document(PLAIN)):
        assert not said & set(found)
    assert {key: machine_document(CODES)[key] for key in said} == {"signal_bits": 6, "cell_bits": 4, "signs": "pair"}


@pytest.mark.parametrize(("field", "value"), [("signal_bits", 8), ("cell_bits", 2), ("signs", "cell")])
def test_packages_for_other_cells(field: str, value: object) -> None:
    there = Platform(CODES, True, 100)
    other = replace(there, machine=replace(CODES, **{field: value}))  # pyright: ignore[reportArgumentType]
    assert there.misfit(there) is None
    problem = other.misfit(there)
    assert problem is not None and field in problem
