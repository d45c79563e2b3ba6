"""Times in ms, as SONATA states them, and steps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Place

_TOLERANCE = 1e-6
"""Of a step: how far a time may lie beside the grid, since decimal times are not exact in binary."""
_ROUNDING = 4.0
"""Of the spacing of floating-point numbers: how far rounding may move a time."""
_FINEST = 9
_LARGEST = float(1 << 31)


def milliseconds(seconds: float) -> Decimal:
    """Seconds in ms, exactly as the decimal number that is printed for them."""
    return Decimal(repr(float(seconds))).scaleb(3)


def seconds(ms: Decimal | float) -> float:
    """The number nearest to a decimal number of ms, in seconds."""
    number = ms if isinstance(ms, Decimal) else Decimal(repr(float(ms)))
    return float(number.scaleb(-3))


def _on_grid(times: NDArray[Any], step: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The nearest multiples of `step`, and which times are that multiple but for rounding."""
    times = times if times.dtype.kind == "f" else times.astype(np.float64)
    exact = times.astype(np.float64)
    nearest = np.rint(exact / step)
    slack = np.maximum(_TOLERANCE * step, _ROUNDING * np.spacing(np.abs(times)).astype(np.float64))
    return nearest, np.abs(exact - nearest * step) <= np.minimum(slack, step / 4)


def representing_dt(times: NDArray[Any]) -> float | None:
    """The longest step 1, 1e-1, 1e-2, ... ms of which all times (in ms) are multiples, in seconds; `None`: none is."""
    for digits in range(_FINEST + 1):
        if _on_grid(times, float(Decimal(1).scaleb(-digits)))[1].all():
            return float(Decimal(1).scaleb(-digits - 3))
    return None


def steps_of(times: NDArray[Any], dt: float, what: str, place: Place) -> NDArray[np.int64]:
    """Times in ms as numbers of steps of `dt` seconds.

    Raises `SnnirError` at `place` naming `what`, the first time that is not a whole number of steps, and a step length
    for which all of them are; also for times that are negative, infinite or absurdly long.
    """
    ms = float(milliseconds(dt))
    finite = np.isfinite(times)
    if not finite.all():
        raise place.error(f"{what} {times[~finite][0]} ms is not a time")
    if times.size and times.min() < 0:
        raise place.error(f"{what} {times.min():g} ms lies before 0")
    nearest, whole = _on_grid(times, ms)
    if not whole.all():
        number = int(np.argmin(whole))
        better = representing_dt(times)
        wanted = f"all of them are for --dt {better:g}" if better else "no step down to 1e-12 s represents all of them"
        raise place.error(f"{what} {times[number]:.12g} ms is not a whole number of steps of {ms:g} ms", wanted)
    if nearest.size and nearest.max() > _LARGEST:
        raise place.error(f"{what} {times.max():g} ms is more than {int(_LARGEST)} steps", "use a larger --dt")
    return nearest.astype(np.int64)
