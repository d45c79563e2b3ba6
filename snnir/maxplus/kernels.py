"""The compiled loops below `snnir.maxplus.sweeps`; importing this module loads numba.

The state of a node: its value, its choice, and the best offer that waits for its next visit with the choice that comes
with it. A choice is a place in the list of edges and the node that this edge leads to, packed in one integer; -1
stands for none.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])

State = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Values and choices, one per node, and offers, one row per node."""

OFFER, OFFERED = 0, 1
"""The columns of the offers."""

TAIL, TIME, TOKENS = 0, 1, 2
"""The columns of the list of edges."""

NODE_BITS = 31
NODE = (1 << NODE_BITS) - 1
NO_OFFER = -(1 << 62)

LIMIT = 1 << 61
"""Values up to this one, and weights up to it in magnitude, can be added in 64 bits."""

_IDLE, _ACTIVE, _RAISED = 0, 1, 2
"""A node is active when it has something to offer; raised: since its last visit, and with another choice."""

_UNSEEN, _OPEN = -1, -2


def compiled(function: Function) -> Function:
    """The function in machine code, kept on disk for the next process if some folder for that can be written."""
    numba: Any = import_module("numba")
    try:
        return numba.njit(function, cache=True)
    except RuntimeError:
        return numba.njit(function)


@compiled
def token_free_directions(tail: NDArray[Any], head: NDArray[Any], tokens: NDArray[Any]) -> tuple[bool, bool]:
    """Whether a token-free edge leads to the same or a greater node, and to the same or a smaller one."""
    up, down = False, False
    for edge in range(len(tail)):
        if tokens[edge] == 0:
            up |= tail[edge] <= head[edge]
            down |= tail[edge] >= head[edge]
            if up and down:
                break
    return up, down


@compiled
def token_free_order(
    tail: NDArray[Any],
    head: NDArray[Any],
    tokens: NDArray[Any],
    position: NDArray[np.int32],
    begin: NDArray[np.int32],
    heads: NDArray[np.int32],
    path: NDArray[np.int32],
) -> tuple[int, int]:
    """Numbers the nodes so that `position[head] < position[tail]` for token-free edges (depth-first search).

    (0, 0) if that is possible; otherwise `path[i:j]` for the result (i, j) are the nodes of a token-free cycle, in
    order. `begin` (size + 2, zeros), `heads` (one entry per token-free edge) and `path` (size) are room to work in.
    """
    size = len(position)
    for edge in range(len(tail)):
        if tokens[edge] == 0:
            begin[tail[edge] + 2] += 1
    for node in range(size):
        begin[node + 2] += begin[node + 1]
    for edge in range(len(tail)):
        if tokens[edge] == 0:
            node = tail[edge]
            heads[begin[node + 1]] = head[edge]
            begin[node + 1] += 1
    # from here on begin[node] is the next edge to follow, and the last one to follow is found from the end
    last = begin[1:].copy()
    position[:] = _UNSEEN
    count = 0
    for root in range(size):
        if position[root] != _UNSEEN:
            continue
        position[root] = _OPEN
        path[0] = root
        depth = 1
        while depth:
            node = path[depth - 1]
            edge = begin[node]
            while edge < last[node] and position[heads[edge]] >= 0:
                edge += 1
            begin[node] = edge + 1
            if edge == last[node]:
                position[node] = count
                count += 1
                depth -= 1
            elif position[heads[edge]] == _OPEN:
                first = depth - 1
                while path[first] != heads[edge]:
                    first -= 1
                return first, depth
            else:
                position[heads[edge]] = _OPEN
                path[depth] = heads[edge]
                depth += 1
    return 0, 0


@compiled
def sort_by_head(
    graph: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]],
    position: NDArray[np.int32],
    flip: bool,
    begin: NDArray[np.int32],
    edges: NDArray[Any],
) -> None:
    """Fills `edges` with (tail, time, tokens), those that lead to node v from `begin[v]` on, in the order given.

    Nodes are renumbered by `position`; if that is empty they keep their numbers, or, to `flip`, take them from the end.
    `begin` has two entries more than there are nodes, all 0.
    """
    tail, head, time, tokens = graph
    last = len(begin) - 3
    move = len(position) > 0
    for edge in range(len(head)):
        node = position[head[edge]] if move else (last - head[edge] if flip else head[edge])
        begin[node + 2] += 1
    for node in range(last + 1):
        begin[node + 2] += begin[node + 1]
    for edge in range(len(head)):
        node = position[head[edge]] if move else (last - head[edge] if flip else head[edge])
        place = begin[node + 1]
        begin[node + 1] = place + 1
        edges[place, TAIL] = position[tail[edge]] if move else (last - tail[edge] if flip else tail[edge])
        edges[place, TIME] = time[edge]
        edges[place, TOKENS] = tokens[edge]


@compiled
def choose_heaviest(begin: NDArray[np.int32], edges: NDArray[Any], state: State) -> None:
    """Lets every node choose its edge of the greatest time."""
    values, choices, _ = state
    for node in range(len(values)):
        for place in range(begin[node], begin[node + 1]):
            tail, time = edges[place, TAIL], edges[place, TIME]
            if choices[tail] < 0 or time > values[tail]:
                values[tail] = time
                choices[tail] = (place << NODE_BITS) | node


@compiled
def restart(state: State, active: NDArray[np.uint8], numerator: int, denominator: int) -> None:
    """Multiplies all values by numerator / denominator, rounded down, and drops all offers.

    What is rounded down keeps an inequality value(u) >= integer + value(v), so active nodes, and those whose offers are
    dropped, are the only ones that still have something to offer. All become active when a value is too large to be
    multiplied exactly; then it is rounded anyhow, to `LIMIT` / 2 at most.
    """
    values, _, offers = state
    exact = LIMIT // numerator
    for node in range(len(values)):
        if values[node] <= exact:
            values[node] = values[node] * numerator // denominator
        else:
            values[node] = min(values[node] / denominator * numerator, LIMIT / 2)
            exact = -1
        if offers[node, OFFERED] >= 0:
            active[offers[node, OFFERED] & NODE] = _ACTIVE
            offers[node, OFFER] = NO_OFFER
            offers[node, OFFERED] = -1
    if exact < 0:
        active[:] = _ACTIVE


@compiled
def sweep(
    begin: NDArray[np.int32],
    edges: NDArray[Any],
    state: State,
    active: NDArray[np.uint8],
    chosen: NDArray[np.int32],
    scale: int,
    price: int,
) -> tuple[int, int, int]:
    """Visits the active nodes once, in order: each accepts its offer and raises the tails of the edges that lead to it.

    An edge weighs scale * time - price * tokens. A tail that is still to come is raised at once. One that was already
    visited gets an offer, which it accepts at its next visit: were it to choose at once, it would not compare
    what its other heads gain in this sweep, and long cycles would be found piece by piece.

    Returns how many nodes, listed in `chosen`, made a new choice (-1 when a value exceeds `LIMIT`), how many times a
    node was raised or got an offer, and how many edges were looked at.
    """
    values, choices, offers = state
    count, news, work = 0, 0, 0
    for node in range(len(values)):
        if active[node] == _IDLE:
            continue
        changed = active[node] == _RAISED
        active[node] = _IDLE
        if offers[node, OFFERED] >= 0:
            if offers[node, OFFER] > values[node]:
                news += 1
                values[node] = offers[node, OFFER]
                choices[node] = offers[node, OFFERED]
                changed = True
            offers[node, OFFER] = NO_OFFER
            offers[node, OFFERED] = -1
        value = values[node]
        if value > LIMIT:
            return -1, news, work
        if changed:
            chosen[count] = node
            count += 1
        work += begin[node + 1] - begin[node]
        for place in range(begin[node], begin[node + 1]):
            tail = edges[place, TAIL]
            offer = scale * np.int64(edges[place, TIME]) - price * np.int64(edges[place, TOKENS]) + value
            if offer > values[tail]:
                if tail > node:
                    news += 1
                    values[tail] = offer
                    choices[tail] = (place << NODE_BITS) | node
                    active[tail] = _RAISED
                elif offer > offers[tail, OFFER]:
                    offers[tail, OFFER] = offer
                    offers[tail, OFFERED] = (place << NODE_BITS) | node
                    active[tail] = max(active[tail], _ACTIVE)
                    news += 1
    return count, news, work


@compiled
def greater(time: int, tokens: int, other_time: int, other_tokens: int) -> bool:
    """Whether time / tokens > other_time / other_tokens, for positive tokens, without overflow (Euclid's algorithm)."""
    while True:
        whole, other = time // tokens, other_time // other_tokens
        if whole != other:
            return whole > other
        time, other_time = time - whole * tokens, other_time - other * other_tokens
        if time == 0 or other_time == 0:
            return time > 0
        time, tokens, other_time, other_tokens = other_tokens, other_time, tokens, time


@compiled
def best_chosen_cycle(
    edges: NDArray[Any],
    state: State,
    chosen: NDArray[np.int32],
    mark: NDArray[np.int64],
    stamp: int,
    scale: int,
    price: int,
) -> tuple[int, int, int]:
    """Of the cycles that the choices lead to from the nodes `chosen`, the first of the greatest ratio.

    Returns its time, its tokens, and a node on it; -1 for the node when no ratio exceeds price / scale. If scale is 0
    any ratio does. Marks in `mark`, all below
    `stamp`, become at most `stamp` + number of these nodes - 1.
    """
    _, choices, _ = state
    best_time, best_tokens, best = price, scale, -1
    for index in range(len(chosen)):
        node = np.int64(chosen[index])
        name = stamp + index
        while choices[node] >= 0 and mark[node] < stamp:
            mark[node] = name
            node = choices[node] & NODE
        if choices[node] >= 0 and mark[node] == name:
            first, time, tokens = int(node), 0, 0
            while True:
                place = choices[node] >> NODE_BITS
                time += int(edges[place, TIME])
                tokens += int(edges[place, TOKENS])
                node = choices[node] & NODE
                if node == first:
                    break
            if best_tokens == 0 or greater(time, tokens, best_time, best_tokens):
                best_time, best_tokens, best = time, tokens, first
    return best_time, best_tokens, best


@compiled
def cycle_of_choices(state: State, first: int) -> NDArray[np.int64]:
    """The choices around the cycle through node `first`."""
    _, choices, _ = state
    length, node = 1, choices[first] & NODE
    while node != first:
        length, node = length + 1, choices[node] & NODE
    walk = np.empty(length, np.int64)
    for step in range(length):
        walk[step] = choices[node]
        node = choices[node] & NODE
    return walk


@compiled
def number_edges(
    head: NDArray[Any], nodes: NDArray[np.int64], places: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """The numbers of the edges that are the `places[i]`-th, from 0, of those that lead to `nodes[i]` (all different).

    `head`: the node that each edge leads to, all below `size`.
    """
    slot = np.full(size, -1, np.int32)
    slot[nodes] = np.arange(len(nodes))
    passed = np.zeros(len(nodes), np.int64)
    numbers = np.empty(len(nodes), np.int64)
    for edge in range(len(head)):
        index = slot[head[edge]]
        if index >= 0:
            if passed[index] == places[index]:
                numbers[index] = edge
            passed[index] += 1
    return numbers


@compiled
def follow_choices(
    edges: NDArray[Any],
    state: State,
    active: NDArray[np.uint8],
    path: NDArray[np.int32],
    mark: NDArray[np.int64],
    stamp: int,
    scale: int,
    price: int,
) -> bool:
    """Raises every node to the weight of its whole path of choices, of whose cycles none may have positive weight.

    False when a value exceeds `LIMIT`. Marks, all below `stamp`, become at most `stamp`.
    """
    values, choices, _ = state
    for start in range(len(values)):
        node, depth = np.int64(start), 0
        while choices[node] >= 0 and mark[node] < stamp:
            mark[node] = stamp
            path[depth] = node
            depth += 1
            node = choices[node] & NODE
        value = values[node]
        while depth:
            depth -= 1
            node = np.int64(path[depth])
            place = choices[node] >> NODE_BITS
            value += scale * np.int64(edges[place, TIME]) - price * np.int64(edges[place, TOKENS])
            if value > values[node]:
                if value > LIMIT:
                    return False
                values[node] = value
                active[node] = _ACTIVE
            value = values[node]
    return True
