"""Switching between modes: max-plus automata, whose every step multiplies by the matrix of one of several scenarios.

A system that works in modes (scenarios), each an SDF graph over the same tokens, goes from the token times x to
M(m) (x) x in an iteration in mode m. Which mode may follow which is a graph. Gaubert, "Performance evaluation of
(max,+) automata", IEEE Trans. Automatic Control 40(12), 1995; Geilen, Stuijk, "Worst-case performance analysis of
synchronous dataflow scenarios", CODES+ISSS 2010.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.semiring import EPSILON, Matrix, oplus, otimes


@dataclass(frozen=True, eq=False)
class ModeAutomaton:
    """`matrices`: of each mode, all of one size; `transitions`: pairs (mode, mode that may come next).

    Raises `MaxPlusError` for matrices of different sizes and for transitions to unknown modes.
    """

    matrices: Mapping[str, Matrix]
    transitions: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrices", dict(self.matrices))
        object.__setattr__(self, "transitions", tuple(dict.fromkeys(self.transitions)))
        shapes = {each.shape for each in self.matrices.values()}
        if len(shapes) != 1 or any(len(shape) != 2 or shape[0] != shape[1] for shape in shapes):
            raise MaxPlusError(f"square matrices of one size are expected, got shapes {sorted(shapes)}")
        for mode in (mode for pair in self.transitions for mode in pair):
            if mode not in self.matrices:
                raise MaxPlusError(f"a transition names the unknown mode {mode}")

    @property
    def size(self) -> int:
        """The number of tokens."""
        return len(next(iter(self.matrices.values())))

    def worst_period(self) -> tuple[Fraction, tuple[str, ...]] | None:
        """The time of an iteration in the long run, on average, in the worst endless sequence of modes, and modes
        which, repeated, attain it; None when no such sequence holds anything back.

        lim sup over n and all sequences of max(M(m_n) (x) ... (x) M(m_1) (x) 0) / n is the maximum cycle mean of the
        product graph, which has a node for each mode and token and, for a transition from m to m', an edge from (m, j)
        to (m', i) of weight M(m')[i, j]. All modes may come first. O(transitions * tokens^2) edges.
        """
        place = {mode: number * self.size for number, mode in enumerate(self.matrices)}
        edges: list[tuple[int, int, Fraction | int]] = []
        for before, mode in self.transitions:
            matrix = self.matrices[mode]
            for i, j in np.argwhere(matrix != EPSILON).tolist():
                edges.append((place[before] + j, place[mode] + i, matrix[i, j]))
        scale = lcm(*(Fraction(weight).denominator for _, _, weight in edges))
        rows = [(source, target, int(weight * scale), 1) for source, target, weight in edges]
        graph = TimedGraph.from_edges(len(place) * self.size, rows)
        critical = maximum_cycle_ratio(graph)
        if critical is None:
            return None
        names = list(self.matrices)
        modes = tuple(names[int(graph.target[edge]) // self.size] for edge in critical.cycle)
        return critical.ratio / scale, modes

    def after(self, sequence: Sequence[str], start: Matrix | None = None) -> Matrix:
        """The token times after a sequence of modes, M(m_n) (x) ... (x) M(m_1) (x) `start` (all 0 by default).

        Raises `MaxPlusError` for a step that is no transition.
        """
        times = self._start(start)
        for number, mode in enumerate(sequence):
            if mode not in self.matrices:
                raise MaxPlusError(f"there is no mode {mode}")
            if number and (sequence[number - 1], mode) not in self.transitions:
                raise MaxPlusError(f"mode {mode} cannot follow {sequence[number - 1]}")
            times = otimes(self.matrices[mode], times)
        return times

    def latest(self, length: int, start: Matrix | None = None) -> Matrix:
        """The latest time of each token after any sequence of `length` modes: what no sequence exceeds.

        Exact, and not worse than exact for taking the maximum token by token: V(m) after n steps that end in m is
        M(m) (x) the sum (+) of the V of its predecessors after n - 1 steps. EPSILON when no sequence is so long.
        """
        times = self._start(start)
        if not length:
            return times
        nothing = np.full(self.size, EPSILON, dtype=object)
        ending = {mode: otimes(matrix, times) for mode, matrix in self.matrices.items()}
        for _ in range(length - 1):
            reached = dict.fromkeys(self.matrices, nothing)
            for before, mode in self.transitions:
                reached[mode] = oplus(reached[mode], ending[before])
            ending = {mode: otimes(matrix, reached[mode]) for mode, matrix in self.matrices.items()}
        latest = nothing
        for each in ending.values():
            latest = oplus(latest, each)
        return latest

    def _start(self, start: Matrix | None) -> Matrix:
        return np.zeros(self.size, dtype=object) if start is None else start
