"""What no binding and no order of an application on an architecture can beat."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from snnir.maxplus.graph import Integers
from snnir.schedule.deployment import LOCAL, UNBOUND
from snnir.schedule.evaluate import Evaluator


def least_period(evaluator: Evaluator) -> Fraction:
    """A lower bound on the period under any binding: the greatest of four.

    All work, each actor on the processor that is fastest for it, spread evenly over the tiles. The longest actor. With
    m tiles, k + 1 of the k * m + 1 longest actors share one, which is then busy for at least the k + 1 shortest of
    them (for identical machines: Graham, SIAM J. Applied Mathematics 17(2), 1969). The maximum cycle ratio of the
    graph with nothing shared, connections without time, and only the room that counts under every binding.
    """
    total = evaluator.total
    fastest = _fastest(total)
    tiles = total.shape[1]
    longest = np.sort(fastest)[::-1]
    above = np.concatenate(([0], np.cumsum(longest)))
    shared = [
        int(above[k * tiles + 1] - above[k * tiles - k]) for k in range((len(longest) - 1) // tiles + 1) if len(longest)
    ]
    return max([Fraction(int(above[-1]), tiles), *map(Fraction, shared), _alone(evaluator)])


def _alone(evaluator: Evaluator) -> Fraction:
    deployment = evaluator.deployment
    unbound = np.full(len(evaluator.total), UNBOUND, np.int64)
    graph = evaluator.firings(unbound)
    time = np.where(evaluator.actor < len(evaluator.total), _fastest(evaluator.work), 0)
    source, target, tokens = evaluator.edges
    kept = np.append(deployment.present(unbound) & (deployment.when != LOCAL), True)[evaluator.channel]
    critical = replace(graph, source=source[kept], target=target[kept], tokens=tokens[kept], time=time).critical()
    return critical.ratio if critical else Fraction(0)


def _fastest(table: Integers) -> Integers:
    """The least time of each row, 0 where no tile will do."""
    least = np.where(table < 0, np.iinfo(np.int64).max, table).min(axis=1)
    return np.where((table < 0).all(axis=1), 0, least)
