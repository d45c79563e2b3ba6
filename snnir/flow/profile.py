"""How active a program is on data, as plain values: what `snn-profile` attaches to the IR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from snnir.dialects.activity import PERCENTILES, ActivityAttr


def activity_table(activity: Mapping[str, ActivityAttr], top: int) -> dict[str, dict[str, Any]]:
    """The same as plain values, with the `top` neurons that fired most and the number of those that never did."""
    return {name: _entry(each, top) for name, each in activity.items()}


def _entry(activity: ActivityAttr, top: int) -> dict[str, Any]:
    counts = activity.counts.array
    order = np.argsort(-counts, kind="stable")[:top]
    levels = {f"p{p}": n for p, n in zip(PERCENTILES, activity.percentiles.data, strict=True)}
    return {
        "neurons": len(counts),
        "spikes": activity.total.data,
        "mean": float(activity.mean),
        "peak": activity.peak.data,
        **levels,
        "silent": int((counts == 0).sum()),
        "most_active": [{"neuron": int(n), "spikes": int(counts[n])} for n in order if counts[n]],
    }
