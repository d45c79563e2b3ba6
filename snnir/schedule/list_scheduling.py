"""List scheduling: self-timed execution in which a free tile takes one of the firings that are ready."""

from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from snnir.schedule.deployment import UNBOUND
from snnir.schedule.firing import FiringGraph

Key = Callable[[int, int, int], tuple[int, int]]
"""What a tile takes first, from node, iteration and the time at which the firing became ready: the least."""


class Execution:
    """Self-timed execution of some iterations on tiles that run one firing at a time."""

    def __init__(self, graph: FiringGraph, iterations: int, key: Key) -> None:
        self.iterations = iterations
        self.key = key
        self.now = 0
        self.time: list[int] = graph.time.tolist()
        self.tile: list[int] = graph.tile.tolist()
        self.after: list[list[tuple[int, int]]] = [[] for _ in range(graph.size)]
        needed = np.zeros((iterations, graph.size), np.int64)
        edges: list[tuple[int, int, int]] = np.stack((graph.source, graph.target, graph.tokens), axis=1).tolist()
        for source, target, tokens in edges:
            self.after[source].append((target, tokens))
            needed[tokens:, target] += 1
        self.missing: list[list[int]] = needed.tolist()
        """How many tokens each firing of each iteration waits for."""
        self.ends: list[tuple[int, int, int]] = []
        self.ready: list[list[tuple[tuple[int, int], int, int]]] = [[] for _ in range(max(self.tile) + 1)]
        self.busy = [False] * len(self.ready)
        self.started: list[tuple[int, int]] = []
        self.starts = [[0] * graph.size for _ in range(iterations)]

    def run(self) -> None:
        """Executes until nothing is left or everything waits."""
        for iteration, missing in enumerate(self.missing):
            for node, tokens in enumerate(missing):
                if not tokens:
                    self._enable(node, iteration)
        self._serve()
        while self.ends:
            self.now = self.ends[0][0]
            while self.ends and self.ends[0][0] == self.now:
                _, node, iteration = heappop(self.ends)
                self._end(node, iteration)
            self._serve()

    def _enable(self, node: int, iteration: int) -> None:
        tile = self.tile[node]
        if tile == UNBOUND:
            self._start(node, iteration)
        else:
            heappush(self.ready[tile], (self.key(node, iteration, self.now), node, iteration))

    def _start(self, node: int, iteration: int) -> None:
        self.started.append((node, iteration))
        self.starts[iteration][node] = self.now
        heappush(self.ends, (self.now + self.time[node], node, iteration))

    def _end(self, node: int, iteration: int) -> None:
        if self.tile[node] != UNBOUND:
            self.busy[self.tile[node]] = False
        for target, tokens in self.after[node]:
            later = iteration + tokens
            if later < self.iterations:
                self.missing[later][target] -= 1
                if not self.missing[later][target]:
                    self._enable(target, later)

    def _serve(self) -> None:
        """Free tiles take what is ready."""
        for tile, ready in enumerate(self.ready):
            if ready and not self.busy[tile]:
                _, node, iteration = heappop(ready)
                self.busy[tile] = True
                self._start(node, iteration)
