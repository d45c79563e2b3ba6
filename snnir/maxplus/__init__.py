"""Exact max-plus analysis of timed graphs and synchronous dataflow graphs.

How fast does a pipeline run, what limits it, and how late can each result be? Two actors that hand data back and forth,
with room for two tokens between them, the second slower than the first:

>>> from snnir.maxplus import Actor, Channel, SDFGraph, analyze
>>> sdf = SDFGraph(
...     actors=(Actor("hidden", time=3), Actor("out", time=5)),
...     channels=(
...         Channel("hidden", "out", capacity=2),
...         Channel("out", "hidden", tokens=1),
...     ),
... )
>>> result = analyze(sdf)
>>> result.period
Fraction(8, 1)
>>> [str(edge) for edge in result.critical_cycle]
['hidden[0] -> out[0] (channel 0, time 3, tokens 0)', 'out[0] -> hidden[0] (channel 1, time 5, tokens 1)']
>>> result.slack["hidden"], result.start["out"], result.latency["out"]
(Fraction(0, 1), Fraction(3, 1), Fraction(8, 1))

One more token on the way back, and they overlap; now the slower actor is the limit and the other one has slack:

>>> from dataclasses import replace
>>> faster = analyze(replace(sdf, channels=(sdf.channels[0], replace(sdf.channels[1], tokens=2))))
>>> faster.period, faster.throughput, faster.slack["hidden"]
(Fraction(5, 1), Fraction(1, 5), Fraction(2, 1))

Three methods that share no code give the same period: the maximum cycle ratio of the expanded graph (the one that
`analyze` uses), the eigenvalue of the iteration matrix, and the loop in which self-timed execution ends:

>>> from snnir.maxplus import eigenvalue, iteration_matrix, self_timed_period
>>> eigenvalue(iteration_matrix(sdf)) == self_timed_period(sdf) == result.period
True

All results are integers and `fractions.Fraction`s, exact for times of any size. Errors are `MaxPlusError`s, among them
`Deadlock`, which holds the cycle, `Inconsistent`, which holds the channel, and `TooLarge`, which holds the best period
known. docs/maxplus.md shows every function with its formula. Needs numpy and scipy, and numba for large graphs.
"""

from snnir.maxplus.analysis import Analysis, analyze
from snnir.maxplus.buffers import Buffers, pareto, smallest_capacities
from snnir.maxplus.cycle_ratio import CycleRatio, maximum_cycle_ratio
from snnir.maxplus.errors import Deadlock, Inconsistent, MaxPlusError, TooLarge
from snnir.maxplus.expansion import Expansion, FiringEdge, expand
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.latency import PeriodicSchedule, completion, first_output, periodic_schedule, source_to_sink
from snnir.maxplus.modes import ModeAutomaton
from snnir.maxplus.periodic import Periodic, k_periodic
from snnir.maxplus.potentials import group_slack, node_slack, start_times
from snnir.maxplus.sdf import Actor, Channel, SDFGraph, repetition_vector
from snnir.maxplus.selftimed import self_timed, self_timed_period
from snnir.maxplus.semiring import (
    EPSILON,
    eigenvalue,
    eigenvector,
    identity,
    iteration_matrix,
    matrix,
    oplus,
    otimes,
    power,
    star,
    zeros,
)

__all__ = [
    "EPSILON",
    "Actor",
    "Analysis",
    "Buffers",
    "Channel",
    "CycleRatio",
    "Deadlock",
    "Expansion",
    "FiringEdge",
    "Inconsistent",
    "MaxPlusError",
    "ModeAutomaton",
    "Periodic",
    "PeriodicSchedule",
    "SDFGraph",
    "TimedGraph",
    "TooLarge",
    "analyze",
    "completion",
    "eigenvalue",
    "eigenvector",
    "expand",
    "first_output",
    "group_slack",
    "identity",
    "iteration_matrix",
    "k_periodic",
    "matrix",
    "maximum_cycle_ratio",
    "node_slack",
    "oplus",
    "otimes",
    "pareto",
    "periodic_schedule",
    "power",
    "repetition_vector",
    "self_timed",
    "self_timed_period",
    "smallest_capacities",
    "source_to_sink",
    "star",
    "start_times",
    "zeros",
]
