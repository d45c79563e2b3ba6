"""`hilbert`: along a space-filling curve in topological order, then swaps along the tension between neighbours.

After O. Jin, Q. Xing, Y. Li, S. Deng, S. He, G. Pan, "Mapping very large scale spiking neuron network to neuromorphic
hardware", ASPLOS 2023. Clusters that follow each other in the network lie near each other on the curve, and so on the
mesh. Then every connection pulls at its ends. What the pulls on two neighbouring clusters gain together if the two
change places is the tension between them; pairs swap, the tightest first, until no swap of neighbours helps. (An empty
crossbar is a cluster on which nothing pulls.) Here, a swap is only done when it lowers the exact cost as well.
"""

from snnir.partition.placement.cost import cost
from snnir.partition.placement.curve import compact
from snnir.partition.placement.exchange import descend, neighbours
from snnir.partition.placement.fill import fill
from snnir.partition.placement.force import Forces
from snnir.partition.placement.order import topological
from snnir.partition.placement.problem import IntArray, Options, Problem
from snnir.partition.placement.row_major import place as row_major
from snnir.partition.placement.state import State

ROUNDS = 24
"""Rounds of swaps at effort 1; in each, a cluster goes one tile further at most."""

EXACT = 200
"""Up to so many clusters all pairs of neighbours are priced exactly; beyond, tension says which."""


def place(problem: Problem, options: Options) -> IntArray:
    """See `snnir.partition.placement.place`. Starts from `row-major` instead where that is better than the curve."""
    curve = fill(problem, topological(problem), compact(problem))
    start = min(curve, row_major(problem, options), key=lambda tiles: cost(problem, tiles, options.cost))
    state = State(problem, start, options.cost)
    forces = Forces(problem) if problem.clusters > EXACT else None
    idle = 0
    for turn in range(problem.rounds(ROUNDS, options.effort)):
        idle = 0 if descend(state, *neighbours(state, turn), forces) else idle + 1
        if idle >= problem.floor.per_tile:
            break
    return state.tiles
