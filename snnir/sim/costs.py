"""How long the two ways of adding take: what decides between a matrix product and adding event by event.

Nanoseconds, measured by `benchmarks/simulation_costs.py` on the two cores of the machine on which this was written
(Xeon, 2 MB second-level cache per core). Results do not depend on them: both ways give the same bits where there is a
choice.
"""

SCAN = 0.8
"""Per element of a signal that is searched for events."""
CONVERT = 1.2
"""Per element of a signal that becomes float64."""
PRODUCT = 0.06
"""Per multiplication of a matrix product."""
EVENT = 15.0
"""Per event that is found and listed."""
ADD = 0.9
"""Per weight that an event adds to a row of targets."""
START_EVENTS = 40_000.0
"""Per call that adds event by event."""
START_PRODUCT = 4_000.0
"""Per call of a matrix product."""
SCATTER = 20.0
"""Per weight that is added to a place of its own (sparse weights)."""
GATHER = 4.5
"""Per element of a window that is copied for a convolution."""
PLACE = 60.0
"""Per entry of the matrix of patches that a convolution makes from events."""
STREAM = 1.0
"""Per weight of a sparse matrix and row, when every row is multiplied."""


def dense_is_cheaper(elements: int, additions: int, width: int) -> bool:
    """For `elements` of a signal against `width` targets each, of which events cause `additions`."""
    product = START_PRODUCT + elements * (CONVERT + PRODUCT * width)
    events = START_EVENTS + elements * SCAN + additions * ADD + additions / max(1, width) * EVENT
    return product <= events


def windows_are_cheaper(elements: int, entries: int, width: int) -> bool:
    """For `elements` of all patches of a convolution with `width` outputs each, against `entries` made by events."""
    product = START_PRODUCT + elements * (GATHER + PRODUCT * width)
    return product <= START_EVENTS + entries * (PLACE + ADD * width)


def rows_are_cheaper(products: int, additions: int) -> bool:
    """For a sparse matrix: all weights times all rows, against the weights that events reach."""
    return START_PRODUCT + products * STREAM <= START_EVENTS + additions * SCATTER
