"""How far activations reach: what one spike in every step stands for.

The largest value would make most neurons fire rarely, because of a few outliers; a percentile makes these few saturate
(Rueckauer et al., Front. Neurosci. 11:682, 2017, section 2.2.2: 99.9 of the activations above 0).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.tuning.ranges import thinned

VALUES = 1 << 21
"""Values of which the percentile is taken: of more than these, equally many from everywhere."""


def reach(values: "NDArray[Any]", percentile: float) -> float:
    """The percentile of the values above 0; 1 where there is none, so that nothing ever fires."""
    flat = values.reshape(-1)
    above = flat[flat > 0]
    return float(np.percentile(thinned(above, VALUES), percentile)) if len(above) else 1.0


def score_range(scores: "NDArray[Any]", percentile: float) -> tuple[float, float]:
    """What no spike and one spike in every step stand for, where the largest of the scores (samples, neurons) counts.

    Spikes have to tell the largest from the second: the range is that in which both can be, from the least largest to
    the greatest second score, the few samples beyond a percentile left out.
    """
    ordered = np.sort(scores.reshape(len(scores), -1), axis=1)
    least = float(np.percentile(ordered[:, -1], 100.0 - percentile))
    greatest = float(np.percentile(ordered[:, -2:][:, 0], percentile))
    low, high = min(least, greatest), max(least, greatest)
    return (low, high) if high > low else (high - 1.0, high)
