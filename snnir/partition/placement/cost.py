"""What a placement costs: volume times links, over all nets."""

import numpy as np

from snnir.partition.placement.metrics import Metric, metric
from snnir.partition.placement.problem import CostName, IntArray, Problem


def cost(problem: Problem, tiles: IntArray, name: CostName = "unicast") -> float:
    """Volume times links per step of a placement, `tiles` (clusters,).

    `unicast`: each net sends every value once to each destination tile, where clusters share it; its own tile costs
    nothing, and the host is one destination more. `multicast`: values cross every link of the union of these ways once.
    """
    links = net_costs(problem, tiles, metric(problem.floor, name, problem.crossing))
    return float((links * problem.nets.volumes).sum())


def net_costs(problem: Problem, tiles: IntArray, price: Metric) -> IntArray:
    """(nets,) links that one value of each net crosses."""
    nets = problem.nets
    locations = np.append(tiles, problem.floor.tiles)
    keys = np.sort(nets.net_of_pin * price.size + price.codes[locations[nets.sinks]])
    return price.full(keys, len(nets.sources), locations[nets.sources])
