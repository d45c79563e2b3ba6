"""Slices of wheels, against work done one time unit after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnir.schedule.architecture import ScheduleError
from snnir.schedule.wheel import Slice

SLICES = st.integers(1, 12).flatmap(lambda wheel: st.builds(Slice, st.just(wheel), st.integers(1, wheel)))
WORK = st.integers(0, 40)


@given(SLICES, st.integers(0, 60), WORK)
def test_work_is_done_in_the_slice_only(own: Slice, start: int, work: int) -> None:
    now, left = start, work
    while left:
        left -= now % own.wheel >= own.wheel - own.length
        now += 1
    assert own.end(start, work) == now


@given(SLICES, WORK)
def test_the_response_time_is_that_of_the_worst_phase(own: Slice, work: int) -> None:
    assert own.response(work) == max(own.end(start, work) - start for start in range(own.wheel))


@given(SLICES, st.integers(0, 60), WORK, st.integers(0, 5))
def test_later_or_more_ends_later_and_a_longer_slice_earlier(own: Slice, start: int, work: int, more: int) -> None:
    assert own.end(start, work) <= own.end(start + more, work)
    assert own.end(start, work) <= own.end(start, work + more)
    longer = Slice(own.wheel, min(own.wheel, own.length + more))
    assert longer.end(start, work) <= own.end(start, work)


@given(SLICES, WORK, st.integers(0, 60))
def test_a_slice_serves_at_least_at_its_rate_after_a_pause(own: Slice, work: int, start: int) -> None:
    assert own.end(start, work) - start <= own.pause + work / own.share


def test_the_case_that_sdf3_rounds_down() -> None:
    # 7 firings of 16 in 3 of 8 units, one after the other: the last one ends when 112 units are done
    own, now = Slice(8, 3), 0
    for _ in range(7):
        now = own.end(now, 16)
    assert now == own.end(0, 112) == 5 + 112 + 37 * 5


@pytest.mark.parametrize("length", [0, 9])
def test_a_slice_must_fit(length: int) -> None:
    with pytest.raises(ScheduleError, match="does not fit a wheel of 8"):
        Slice(8, length)
