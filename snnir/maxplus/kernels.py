"""The compiled loops below `snnir.maxplus.sweeps`; importing this module loads numba.

The state of a node: its value and its choice, an edge that leaves it. A choice is a row in the list of edges and the
node that this edge leads to, packed in one integer, as choices are followed at random through memory; -1 stands for
none. Places in lists are unsigned, as numba takes negative ones for counted from the end, and looks for them each time.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])

Lists = tuple[NDArray[np.uint32], NDArray[Any]]
"""`begin` and `edges`: those that leave node v are in the rows from `begin[v]` to `begin[v + 1]`."""

Tails = tuple[NDArray[np.uint32], NDArray[np.uint32]]
"""`begin` and `nodes`: edges lead to node v from those from `begin[v]` to `begin[v + 1]`."""

State = tuple[NDArray[np.int64], NDArray[np.int64]]
"""The value and the choice of each node."""

HEAD, TIME, TOKENS, NUMBER = 0, 1, 2, 3
"""The columns of the rows of edges; NUMBER: of the edge in the graph. Rows of 16 bytes never lie across cache lines."""

NODE_BITS = 32
NODE = (1 << NODE_BITS) - 1

LIMIT = 1 << 61
"""Values up to this one, and weights up to it in magnitude, can be added in 64 bits."""

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
def sort_by_tail(
    graph: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]],
    position: NDArray[np.int32],
    flip: bool,
    lists: Lists,
) -> None:
    """Fills the `lists` with the edges of the graph (tail, head, time, tokens), those of a node in the order given.

    Nodes are renumbered by `position`; if that is empty they keep their numbers, or, to `flip`, take them from the end.
    The first of the lists has two entries more than there are nodes, all 0.
    """
    tail, head, time, tokens = graph
    begin, edges = lists
    last = len(begin) - 3
    move = len(position) > 0
    for edge in range(len(tail)):
        node = position[tail[edge]] if move else (last - tail[edge] if flip else tail[edge])
        begin[node + 2] += np.uint32(1)
    for node in range(last + 1):
        begin[node + 2] += begin[node + 1]
    for edge in range(len(tail)):
        node = position[tail[edge]] if move else (last - tail[edge] if flip else tail[edge])
        place = begin[node + 1]
        begin[node + 1] = place + np.uint32(1)
        edges[place, HEAD] = position[head[edge]] if move else (last - head[edge] if flip else head[edge])
        edges[place, TIME] = time[edge]
        edges[place, TOKENS] = tokens[edge]
        edges[place, NUMBER] = edge


@compiled
def retime(lists: Lists, time: NDArray[Any]) -> None:
    """Gives the edges in `lists` other times."""
    _, edges = lists
    for place in range(len(edges)):
        edges[place, TIME] = time[edges[place, NUMBER]]


@compiled
def list_tails(lists: Lists, tails: Tails) -> None:
    """Fills `tails` from the edges in `lists`; the first of them has two entries more than there are nodes, all 0."""
    starts, edges = lists
    begin, nodes = tails
    one = np.uint32(1)
    for place in range(len(edges)):
        begin[np.uint32(edges[place, HEAD]) + np.uint32(2)] += one
    for node in range(len(begin) - 2):
        begin[node + 2] += begin[node + 1]
    for node in range(len(begin) - 2):
        for place in range(starts[node], starts[node + 1]):
            following = np.uint32(edges[place, HEAD]) + one
            nodes[begin[following]] = node
            begin[following] += one


@compiled
def choose_heaviest(lists: Lists, state: State) -> None:
    """Lets every node choose its edge of the greatest time."""
    begin, edges = lists
    _, choices = state
    for node in range(len(choices)):
        first = np.int64(begin[node])
        best = first
        for place in range(first + 1, np.int64(begin[node + 1])):
            if edges[place, TIME] > edges[best, TIME]:
                best = place
        if first < begin[node + 1]:
            choices[node] = (best << NODE_BITS) | np.int64(edges[best, HEAD])


@compiled
def restart(state: State, numerator: int, denominator: int) -> bool:
    """Multiplies all values by numerator / denominator, rounded down; False if not exactly so.

    What is rounded down keeps an inequality value(u) >= integer + value(v). A value that is too large to be multiplied
    in 64 bits is rounded anyhow, to `LIMIT` / 2 at most.
    """
    values, _ = state
    most = LIMIT // numerator
    exact = True
    for node in range(len(values)):
        if values[node] <= most:
            values[node] = values[node] * numerator // denominator
        else:
            values[node] = min(values[node] / denominator * numerator, LIMIT / 2)
            exact = False
    return exact


@compiled
def best_offer(lists: Lists, values: NDArray[np.int64], node: int, scale: int, price: int) -> tuple[np.int64, np.int64]:
    """The greatest of the value of a node and what its edges offer, and the first edge that offers so much more, or -1.

    An edge weighs scale * time - price * tokens, and offers that and the value of its head.
    """
    begin, edges = lists
    best, choice = values[node], np.int64(-1)
    for place in range(begin[node], begin[node + 1]):
        weight = scale * np.int64(edges[place, TIME]) - price * np.int64(edges[place, TOKENS])
        offer = weight + values[np.uint32(edges[place, HEAD])]
        # two moves and no jump, which would often be foretold wrongly
        better = offer > best
        best = offer if better else best
        choice = np.int64(place) if better else choice
    return best, choice


@compiled
def sweep(lists: Lists, state: State, raised: NDArray[np.int32], scale: int, price: int) -> int:
    """Visits all nodes in order: each takes the best offer of its edges if that is more than its value.

    Returns how many nodes, listed in `raised`, did so; -1 when a value exceeds `LIMIT`.
    """
    _, edges = lists
    values, choices = state
    count = 0
    for node in range(len(values)):
        best, choice = best_offer(lists, values, node, scale, price)
        if choice >= 0:
            if best > LIMIT:
                return -1
            values[node] = best
            choices[node] = (choice << NODE_BITS) | np.int64(edges[choice, HEAD])
            raised[count] = node
            count += 1
    return count


@compiled
def wake(tails: Tails, node: int, active: NDArray[np.uint8]) -> None:
    """Makes the nodes active from which edges lead to `node`."""
    begin, nodes = tails
    for place in range(begin[node], begin[node + 1]):
        active[nodes[place]] = 1


@compiled
def sweep_active(
    lists: Lists,
    tails: Tails,
    state: State,
    active: NDArray[np.uint8],
    raised: NDArray[np.int32],
    scale: int,
    price: int,
) -> tuple[int, int]:
    """The same for the active nodes alone, those with an edge to a node that was raised since they were visited.

    Returns also how many edges were looked at.
    """
    begin, edges = lists
    values, choices = state
    count, work = 0, 0
    for node in range(len(values)):
        if not active[node]:
            continue
        active[node] = 0
        work += np.int64(begin[node + 1]) - np.int64(begin[node])
        best, choice = best_offer(lists, values, node, scale, price)
        if choice >= 0:
            if best > LIMIT:
                return -1, int(work)
            values[node] = best
            choices[node] = (choice << NODE_BITS) | np.int64(edges[choice, HEAD])
            raised[count] = node
            count += 1
            wake(tails, node, active)
    return count, int(work)


@compiled
def wake_all(tails: Tails, raised: NDArray[np.int32], active: NDArray[np.uint8]) -> None:
    """Makes the nodes active from which edges lead to nodes that were `raised`."""
    for node in raised:
        wake(tails, node, active)


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
    lists: Lists,
    state: State,
    chosen: NDArray[np.int32],
    mark: NDArray[np.int64],
    stamp: int,
    scale: int,
    price: int,
) -> tuple[int, int, int]:
    """Of the cycles that the choices lead to from the nodes `chosen`, the first of the greatest ratio.

    Returns its time, its tokens, and a node on it; -1 for the node when no ratio exceeds price / scale. If scale is 0
    any ratio does. Marks in `mark`, all below `stamp`, become at most `stamp` + number of these nodes - 1.
    """
    _, edges = lists
    _, choices = state
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
    _, choices = state
    length, node = 1, choices[first] & NODE
    while node != first:
        length, node = length + 1, choices[node] & NODE
    walk = np.empty(length, np.int64)
    for step in range(length):
        walk[step] = choices[node]
        node = choices[node] & NODE
    return walk


@compiled
def follow_choices(
    lists: Lists,
    state: State,
    path: NDArray[np.int32],
    mark: NDArray[np.int64],
    stamp: int,
    scale: int,
    price: int,
) -> bool:
    """Raises every node to the weight of its whole path of choices, of whose cycles none may have positive weight.

    False when a value exceeds `LIMIT`. Marks, all below `stamp`, become at most `stamp`.
    """
    _, edges = lists
    values, choices = state
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
            value = values[node]
    return True
