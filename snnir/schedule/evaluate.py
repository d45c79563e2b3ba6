"""The period of many bindings of one application, each for the price of a maximum cycle ratio."""

from collections.abc import Mapping

import numpy as np

from snnir.maxplus.expansion import expand
from snnir.maxplus.graph import Integers
from snnir.schedule.deployment import UNBOUND, Deployment
from snnir.schedule.firing import FiringGraph, firing_times
from snnir.schedule.wheel import Slice


class Evaluator:
    """The firings of the full graph of a deployment, expanded once; a binding only picks edges and times.

    `slices`: tile -> how much of its wheel the application gets, all of it if not named; firings on such tiles take
    their response times. `actor[node]`: the actor of each firing. `work[node, tile]`: its time there; -1 if the tile
    cannot run it.
    """

    def __init__(self, deployment: Deployment, slices: Mapping[str, int] | None = None) -> None:
        self.deployment = deployment
        self.expansion = expansion = expand(deployment.graph)
        self.actor = expansion.actor
        self.edges = expansion.graph.source, expansion.graph.target, expansion.graph.tokens
        channel = np.where(expansion.kind == 0, expansion.index, -1)
        self.channel: Integers = channel
        """The channel of the full graph that each edge comes from, -1: of none, it is there under any binding."""
        self._environment = firing_times(expansion)
        self.work = self._table(expansion.firing, slices or {})
        self.total: Integers = np.zeros((len(deployment.graph.actors), self.work.shape[1]), np.int64)
        np.add.at(self.total, self.actor, self.work)
        self.total = self.total[: len(deployment.application.graph.actors)]
        """The time of an iteration's firings of each actor of the application on each tile, negative: impossible."""

    @property
    def single(self) -> bool:
        """Whether each actor, connections too, fires once per iteration."""
        return len(self.actor) == len(self.deployment.graph.actors)

    def _table(self, firing: Integers, slices: Mapping[str, int]) -> Integers:
        tiles = self.deployment.architecture.tiles
        count = len(self.deployment.application.graph.actors)
        table = np.zeros((len(self.actor), len(tiles)), np.int64)
        nodes = np.flatnonzero(self.actor < count)
        pairs: list[tuple[int, int]] = np.stack((self.actor[nodes], firing[nodes]), axis=1).tolist()
        for number, tile in enumerate(tiles):
            share = slices.get(tile.name)
            own = Slice(tile.wheel, share) if tile.wheel and share and share != tile.wheel else None
            times = [self._times(actor, number, own) for actor in range(count)]
            table[nodes, number] = [times[actor][k % len(times[actor])] for actor, k in pairs]
        return table

    def _times(self, actor: int, tile: int, own: Slice | None) -> list[int]:
        option = self.deployment.option(actor, tile)
        if option is None:
            return [-1]
        times = option.time if isinstance(option.time, tuple) else (option.time,)
        return [time if own is None else own.response(time) for time in times]

    def firings(self, tiles: Integers) -> FiringGraph:
        """The firings under a binding; those of connections that it does not need stay, without edges."""
        deployment = self.deployment
        here = np.append(deployment.present(tiles), True)[self.channel]
        source, target, tokens = (column[here] for column in self.edges)
        every = np.concatenate((tiles, np.full(len(deployment.graph.actors) - len(tiles), UNBOUND, np.int64)))
        place = every[self.actor]
        time = np.where(place == UNBOUND, self._environment, self.work[np.arange(len(place)), place])
        transfer = deployment.transfer(tiles)
        carried = np.zeros(len(deployment.graph.actors), np.int64)
        for number, carrier in deployment.carriers.items():
            carried[carrier] = deployment.blocks[number] * transfer[number]
        return FiringGraph(source, target, tokens, time + carried[self.actor], place, self.actor)
