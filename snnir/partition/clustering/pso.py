"""PSOPART: a binary particle swarm that looks for few spikes on global synapses.

Das et al., "Mapping of Local and Global Synapses on Spiking Neuromorphic Hardware" (DATE 2018, arXiv 1908.08024). A
particle has one bit for each unit and crossbar, each with a velocity v; the bit is drawn with probability
1 / (1 + exp(-v)), after Kennedy and Eberhart's binary swarm (1997), and velocities are drawn towards the best position
of the particle and of the swarm and limited to +-vmax. Cost: spikes between crossbars, as `metrics.spikes_between`
counts them; between equals, spikes on global synapses, counted for each synapse.

Two things make it a partitioner. A unit has one crossbar: of several bits that are set one is taken at random, without
any the unit stays. And positions stay feasible: the first particle starts from the sequential fill, the others after
random moves of ever more units from there, and a move that rows, columns or slices do not allow is made in exchange for
a unit of the other crossbar, or not at all.

A velocity of -vmax is not stored, which leaves a few per unit: memory and time per particle and iteration grow with
units and synapses, not with units x crossbars. vmax is chosen such that in each iteration `strays` bits of a particle
are set that nothing draws it to. On networks with many crossbars this hardly improves on the fill that it starts from:
random moves between hundreds of crossbars do not meet.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from snnir.partition.clustering.moves import Clusters
from snnir.partition.clustering.sequential import filled, in_order
from snnir.partition.problem import Options, Plan, Problem, Vector
from snnir.partition.units import Units, plan_of, units_of
from snnir.synapses import IntArray

DRAW = 2.0
"""Kennedy and Eberhart's constant: the most that one best position adds to a velocity."""
BUDGET = 2e8
"""Synapses and units that are looked at by default; one or two minutes."""
SCATTERED = 0.5
"""The share of its units that the last particle moves at random before the first iteration; the first moves none."""
TRIES = 2
"""How many units of a full crossbar are tried in an exchange."""
TIES = 1e-7
"""The weight of spikes on global synapses, in the cost."""


def pso(problem: Problem, options: Options) -> Plan:
    """The plan of the best position of the swarm.

    Details: `particles` (20); `iterations` (100, or fewer such that particles x iterations x (synapses + 20 units) is
    at most 2e8, but 5 or more); `strays` (2) random bits per particle and iteration; `channels_last` as in
    `sequential`. As many crossbars as `sequential`, or fewer.
    """
    units = units_of(problem)
    start = filled(problem, units, in_order(units, options))
    return plan_of(problem, units, swarmed(problem, units, start, options))


@dataclass
class _Particle:
    position: IntArray
    """Unit -> cluster."""
    bits: IntArray
    """unit * clusters + cluster of the velocities that are stored, ascending."""
    velocity: Vector
    """Above -vmax."""
    best: IntArray
    cost: float
    """Of `best`."""


def swarmed(problem: Problem, units: Units, start: IntArray, options: Options) -> IntArray:
    """Unit -> cluster after all iterations."""
    if not len(units):
        return start
    random = np.random.default_rng(options.seed)
    particles = int(options.details.get("particles", 20))
    afford = int(BUDGET / (particles * (len(units.axons) + 20 * len(units))))
    iterations = int(options.details.get("iterations", min(100, max(5, afford))))
    clusters = int(start.max()) + 1
    limit = max(2.0, float(np.log(len(units) * clusters / options.details.get("strays", 2.0))))
    swarm: list[_Particle] = []
    for number in range(particles):
        position = start.copy()
        if number:
            moving = np.flatnonzero(random.random(len(units)) < SCATTERED * number / particles)
            position = _moved(problem, units, start, moving, random.integers(0, clusters, len(moving)), random)
        bits = np.arange(len(units)) * clusters + position
        swarm.append(_Particle(position, bits, np.full(len(units), 2 * limit), position, _cost(units, position)))
    best = min(swarm, key=lambda particle: particle.cost)
    leader, cost = best.best, best.cost
    for _ in range(iterations):
        for particle in swarm:
            _draw(particle, leader, clusters, limit, random)
            _step(problem, units, particle, clusters, limit, random)
            if particle.cost < cost:
                leader, cost = particle.best, particle.cost
    return leader


def _cost(units: Units, position: IntArray) -> float:
    return units.spikes_between(position) + TIES * units.spikes_on_synapses(position)


def _draw(particle: _Particle, leader: IntArray, clusters: int, limit: float, random: Generator) -> None:
    """Draws the velocities towards the best position of the particle and of the swarm, away from where it is."""
    bits, change = [particle.bits], [particle.velocity]
    for goal in (particle.best, leader):
        unit = np.flatnonzero(goal != particle.position)
        bits += [unit * clusters + goal[unit], unit * clusters + particle.position[unit]]
        change += [DRAW * random.random(len(unit)), -DRAW * random.random(len(unit))]
    found, number = np.unique(np.concatenate(bits), return_inverse=True)
    velocity = np.bincount(number, np.concatenate(change), len(found)).clip(0, 2 * limit)
    kept = velocity > 0
    particle.bits, particle.velocity = found[kept], velocity[kept]


def _step(problem: Problem, units: Units, particle: _Particle, clusters: int, limit: float, random: Generator) -> None:
    """Draws the bits of a particle and moves it there as far as it may."""
    chance = 1 / (1 + np.exp(limit - particle.velocity))
    drawn = particle.bits[random.random(len(chance)) < chance]
    strays = int(random.binomial(len(units) * clusters, float(1 / (1 + np.exp(limit)))))
    drawn = np.concatenate([drawn, random.integers(0, len(units) * clusters, strays)])
    unit, cluster = np.divmod(random.permutation(drawn), clusters)
    unit, first = np.unique(unit, return_index=True)
    goal = cluster[first]
    moving = goal != particle.position[unit]
    particle.position = _moved(problem, units, particle.position, unit[moving], goal[moving], random)
    cost = _cost(units, particle.position)
    if cost < particle.cost:
        particle.best, particle.cost = particle.position, cost


def _moved(
    problem: Problem, units: Units, position: IntArray, moving: IntArray, goal: IntArray, random: Generator
) -> NDArray[np.int64]:
    """The position after some units, in random order, have moved to their goals where they may."""
    clusters = Clusters(problem, units, position)
    for number in random.permutation(len(moving)).tolist():
        unit, to = int(moving[number]), int(goal[number])
        if clusters.place[unit] == to:
            continue
        if clusters.fits(unit, to):
            clusters.move(unit, to)
            continue
        members = clusters.members(to)
        for other in random.choice(members, min(TRIES, len(members)), replace=False).tolist():
            if clusters.exchange(unit, other):
                break
    return clusters.place
