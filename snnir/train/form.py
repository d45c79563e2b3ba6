"""A network in the form in which it is trained: weights as they were before the semantics rounded them."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from snnir.sim.bundle import Bundle
from snnir.sim.convolution import Conv
from snnir.sim.network import Current, Network, Population, Projection
from snnir.sim.operators import Dense
from snnir.train.operators import Unpruned

_Node = TypeVar("_Node", bound=Current)


@dataclass(frozen=True)
class Site:
    """Where a projection is: the node that it feeds, which synapse of it (0 or 1), and its number there."""

    node: str
    side: int
    number: int


def sites(network: Network) -> dict[Site, Projection]:
    """All projections, those of second synapses included, in the order in which they are computed."""
    found: dict[Site, Projection] = {}
    for name, node in network.nodes.items():
        second = node.second if isinstance(node, Population) else None
        for side, projections in enumerate((node.projections, () if second is None else second.projections)):
            found |= {Site(name, side, number): p for number, p in enumerate(projections)}
    return found


def feeds_integers(network: Network, site: Site) -> bool:
    """Whether what a projection feeds has integer states."""
    population = network.populations.get(site.node)
    return population is not None and population.semantics.state == "i32"


def trained_form(network: Network) -> Network:
    """The network with weights as they were before any semantics rounded them, and bundles that are not yet set."""
    return replace(
        network,
        populations={name: _whole(_unrounded(p)) for name, p in network.populations.items()},
        activations={name: _whole(each) for name, each in network.activations.items()},
        currents={name: _whole(each) for name, each in network.currents.items()},
    )


def _whole(node: _Node) -> _Node:
    """The same node with all synapses of bundles that are not yet set."""
    changed = replace(node, projections=tuple(_unpruned(p) for p in node.projections))
    if isinstance(changed, Population) and changed.second is not None:
        changed = replace(changed, second=_whole(changed.second))
    return changed


def _unpruned(p: Projection) -> Projection:
    operator = p.operator
    if not isinstance(operator, Bundle) or operator.weights.any():
        return p
    return replace(p, operator=Unpruned(operator.weights, operator.stride))


def _unrounded(population: Population) -> Population:
    if population.unrounded is None:
        return population
    first, second = population.unrounded
    sides = (population.projections, population.second.projections if population.second is not None else ())
    sides = tuple(
        tuple(replace(old, bias=now.bias) for old, now in zip(*pair, strict=True))
        for pair in zip((first, second), sides, strict=True)
    )
    side = None if population.second is None else replace(population.second, projections=sides[1])
    return replace(population, projections=sides[0], second=side, unrounded=None)


def lanes_of(p: Projection) -> NDArray[np.int64]:
    """The lane of each target: those of a channel, or of an entry of the last dimension, have one bias."""
    every = np.arange(p.operator.targets)
    if isinstance(p.operator, Conv):
        return every // (p.operator.targets // p.operator.weights.shape[0])
    return every % p.operator.weights.shape[0] if isinstance(p.operator, Dense) else every


def bias_of_lanes(p: Projection) -> NDArray[np.float64]:
    """The bias once per lane."""
    lanes = lanes_of(p)
    found = np.zeros(int(lanes.max()) + 1)
    found[lanes] = p.bias
    return found
