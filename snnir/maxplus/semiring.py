"""Max-plus linear algebra on exact numbers, and the matrix of an SDF graph's iteration.

The semiring: numbers and minus infinity, with max as the sum (+) and + as the product (x); zero is `EPSILON` = -inf,
one is 0. Matrices and vectors are numpy arrays of dtype object that hold Python integers and `Fraction`s, which never
round or overflow; `EPSILON`, the float -inf, is the only float in them: it compares with and absorbs exact numbers
exactly. `matrix(rows)` makes one from anything nested. Baccelli, Cohen, Olsder, Quadrat, "Synchronization and
Linearity", chapter 3.
"""

import math
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.sdf import SDFGraph, repetition_vector

EPSILON = -math.inf
"""The zero of the semiring."""

_MOST_PASSED = 1_000_000
"""So many tokens can be made in an iteration that is executed with symbols."""

Matrix = NDArray[np.object_]
"""An array of integers, fractions and EPSILON."""


def matrix(rows: Sequence[Any] | NDArray[Any]) -> Matrix:
    """A matrix (or vector) from nested sequences of integers, fractions and -inf; `MaxPlusError` for other numbers."""
    # tolist turns numpy's integers into Python's
    nested: Any = rows.tolist() if isinstance(rows, np.ndarray) else rows
    result = np.array(nested, dtype=object)
    for place, value in np.ndenumerate(result):
        if isinstance(value, bool) or not (isinstance(value, (int, Fraction)) or _is_epsilon(value)):
            raise MaxPlusError(f"entry {place} is {value!r}; an integer, a Fraction or -inf is expected")
    return result


def zeros(rows: int, columns: int) -> Matrix:
    """The matrix of EPSILON everywhere: the zero of the sum."""
    return np.full((rows, columns), EPSILON, dtype=object)


def identity(size: int) -> Matrix:
    """0 on the diagonal, EPSILON elsewhere: the one of the product."""
    result = zeros(size, size)
    np.fill_diagonal(result, 0)
    return result


def oplus(left: Matrix, right: Matrix) -> Matrix:
    """The sum: (A (+) B)[i, j] = max(A[i, j], B[i, j])."""
    if left.shape != right.shape:
        raise MaxPlusError(f"cannot add shapes {left.shape} and {right.shape}")
    return np.maximum(left, right)


def otimes(left: Matrix, right: Matrix) -> Matrix:
    """The product: (A (x) B)[i, j] = max over k of A[i, k] + B[k, j]; B may be a vector."""
    if left.ndim != 2 or right.ndim not in (1, 2) or left.shape[1] != right.shape[0]:
        raise MaxPlusError(f"cannot multiply shapes {left.shape} and {right.shape}")
    if right.ndim == 1:
        return np.max(left + right, axis=1, initial=EPSILON)
    result = zeros(left.shape[0], right.shape[1])
    for k in range(len(right)):
        some = np.flatnonzero(left[:, k] != EPSILON)
        result[some] = np.maximum(result[some], left[some, k, None] + right[k])
    return result


def power(base: Matrix, exponent: int) -> Matrix:
    """The product of `exponent` >= 0 copies of a square matrix, by repeated squaring."""
    size = _square(base)
    if exponent < 0:
        raise MaxPlusError(f"the exponent {exponent} is negative")
    result = identity(size)
    while exponent:
        if exponent & 1:
            result = otimes(result, base)
        exponent >>= 1
        if exponent:
            base = otimes(base, base)
    return result


def star(base: Matrix) -> Matrix:
    """The Kleene star A* = E (+) A (+) A^2 (+) ...: the greatest weight of a path from j to i, at [i, j].

    Floyd-Warshall, O(n^3). Raises `MaxPlusError` when the sum diverges: some cycle has positive weight.
    """
    return oplus(identity(_square(base)), _plus(base))


def eigenvalue(base: Matrix) -> Fraction | None:
    """The greatest eigenvalue: the maximum cycle mean of the precedence graph (edge j -> i of weight A[i, j]).

    Karp's formula (Discrete Mathematics 23, 1978), O(n^3): with D_k(v) the greatest weight of a walk of k edges that
    ends in v, lambda = max over v of min over k < n of (D_n(v) - D_k(v)) / (n - k). All walks may begin anywhere, as if
    from one more node with edges to all. None when there is no cycle: then A^n is EPSILON everywhere.
    """
    size = _square(base)
    walks = [np.zeros(size, dtype=object)]
    for _ in range(size):
        walks.append(otimes(base, walks[-1]))
    means = [
        _least_mean([(walks[size][node] - walk[node], size - k) for k, walk in enumerate(walks[:-1])])
        for node in np.flatnonzero(walks[size] != EPSILON).tolist()
    ]
    return max(means, default=None)


def _least_mean(sums: list[tuple[Any, int]]) -> Fraction:
    """The least total / count; totals of +inf stand for walks that do not exist."""
    best, length = sums[0]
    for total, count in sums:
        if total != -EPSILON and total * length < best * count:
            best, length = total, count
    return Fraction(best) / length


def eigenvector(base: Matrix) -> tuple[Fraction, Matrix]:
    """The greatest eigenvalue lambda and a vector v, not all EPSILON, with A (x) v = lambda (x) v.

    Column c of (A - lambda)+ for a node c on a critical cycle, where its diagonal is 0 (Baccelli et al.,
    chapter 3). Starting from v, execution is periodic from the first step. Raises `MaxPlusError` when the
    precedence graph has no cycle.
    """
    value = eigenvalue(base)
    if value is None:
        raise MaxPlusError("a matrix without cycles has no eigenvalue but EPSILON")
    closure = _plus(base - value)
    critical = next(node for node in range(len(base)) if closure[node, node] == 0)
    return value, closure[:, critical]


def iteration_matrix(sdf: SDFGraph, limit: int = 4_000) -> Matrix:
    """M with x' = M (x) x, where x and x' are the times at which the tokens are there before and after an iteration.

    The tokens are all initial ones: of channels, of free room (capacities), of free firings (concurrencies), and one
    for each order. Symbolic execution (Geilen, ACM TECS 10(2), 2010): token i begins as the unit vector e_i; a firing
    takes the maximum of the tokens that it takes, adds the actor's time, and gives the result to all that it makes;
    row i of M is the token at place i after each actor has fired as often as the repetition vector says. The greatest
    eigenvalue of M is the period of an iteration. O(firings * tokens) time, O(tokens^2) memory.

    Raises `Inconsistent`, `Deadlock` (with the actors that wait, no cycle), `MaxPlusError` for more than `limit`
    initial tokens and for more than a million tokens that are made in an iteration.
    """
    return _Symbolic(sdf, limit).iteration()


class _Symbolic:
    """The state of a symbolic execution: a vector for each token, in queues."""

    def __init__(self, sdf: SDFGraph, limit: int) -> None:
        self.sdf = sdf
        self.repetition = list(repetition_vector(sdf).values())
        arcs = list(sdf.arcs())
        passed = sum(sum(arc.produce) * self.repetition[arc.source] // len(arc.produce) for arc in arcs)
        if passed > _MOST_PASSED:
            raise MaxPlusError(f"an iteration passes {passed} tokens on, more than the limit of {_MOST_PASSED}")
        self.total = sum(arc.tokens for arc in arcs) + len(sdf.orders)
        if self.total > limit:
            raise MaxPlusError(f"the graph holds {self.total} tokens, more than the limit of {limit}")
        units = deque(identity(self.total))
        self.queues = [deque(units.popleft() for _ in range(arc.tokens)) for arc in arcs]
        self.resources = list(units)
        self.turns = [deque(sdf.index[name] for name in order) for order in sdf.orders]
        self.inputs: list[list[tuple[deque[Matrix], tuple[int, ...]]]] = [[] for _ in sdf.actors]
        self.outputs: list[list[tuple[deque[Matrix], tuple[int, ...]]]] = [[] for _ in sdf.actors]
        for arc, queue in zip(arcs, self.queues, strict=True):
            self.inputs[arc.target].append((queue, arc.consume))
            self.outputs[arc.source].append((queue, arc.produce))
        self.ordered = [[n for n, turn in enumerate(self.turns) if a in turn] for a in range(len(sdf.actors))]
        self.fired = [0] * len(sdf.actors)

    def iteration(self) -> Matrix:
        """The tokens after an iteration, a row each."""
        progress = True
        while progress:
            progress = False
            for actor in range(len(self.sdf.actors)):
                while self.can_fire(actor):
                    self.fire(actor)
                    progress = True
        if self.fired != self.repetition:
            names = zip(self.sdf.actors, self.fired, self.repetition, strict=True)
            waiting = tuple(actor.name for actor, fired, wanted in names if fired < wanted)
            raise Deadlock(f"deadlock: waiting for ever are {', '.join(waiting[:20])}", (), waiting)
        rows = [*(token for queue in self.queues for token in queue), *self.resources]
        return np.array(rows, dtype=object).reshape(self.total, self.total)

    def can_fire(self, actor: int) -> bool:
        """Whether the actor has firings left in the iteration, its tokens, and its turn."""
        k = self.fired[actor]
        return (
            k < self.repetition[actor]
            and all(len(queue) >= rate[k % len(rate)] for queue, rate in self.inputs[actor])
            and all(self.turns[n][0] == actor for n in self.ordered[actor])
        )

    def fire(self, actor: int) -> None:
        """Takes the tokens of a firing and makes those that it makes."""
        k = self.fired[actor]
        times = self.sdf.actors[actor].times
        taken = [queue.popleft() for queue, rate in self.inputs[actor] for _ in range(rate[k % len(rate)])]
        taken.extend(self.resources[n] for n in self.ordered[actor])
        start: Matrix = np.max(taken, axis=0) if taken else np.full(self.total, EPSILON, dtype=object)
        end: Matrix = start + times[k % len(times)]
        for queue, rate in self.outputs[actor]:
            queue.extend([end] * rate[k % len(rate)])
        for n in self.ordered[actor]:
            self.resources[n] = end
            self.turns[n].rotate(-1)
        self.fired[actor] += 1


def _square(base: Matrix) -> int:
    if base.ndim != 2 or base.shape[0] != base.shape[1]:
        raise MaxPlusError(f"a square matrix is expected, got shape {base.shape}")
    return len(base)


def _plus(base: Matrix) -> Matrix:
    """A (+) A^2 (+) ...: as the star, but with paths of at least one edge only."""
    closure = base.copy()
    for k in range(_square(base)):
        closure = np.maximum(closure, closure[:, k, None] + closure[k])
        if any(value > 0 for value in closure.diagonal()):
            raise MaxPlusError("the star does not exist: a cycle of the precedence graph has positive weight")
    return closure


def _is_epsilon(value: object) -> bool:
    return isinstance(value, float) and value == EPSILON
