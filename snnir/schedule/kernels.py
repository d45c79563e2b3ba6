"""The compiled loops below `snnir.schedule.annealing`; importing this module loads numba.

Arcs come as one row each, ordered by the node that they lead to, with the columns below. An arc of a channel is there
when both ends of the channel share a tile, or when they do not; then its time is longer by that of a token's way.
"""

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.kernels import LIMIT, compiled, greater

Vector = NDArray[np.int64]

SOURCE, TOKENS, CHANNEL, KIND = range(4)
"""The columns of arcs. The channel is that of the application, -1: the arc is there under any binding."""

LOCAL, CROSSING = 1, 2
"""Kinds of arcs, as in `snnir.schedule.deployment`."""

STAYS = -1
"""In place of the time of a token's way: both ends of the channel share a tile."""

TURN, NONE = -2, -1
"""In place of the arc that gave a node its value: the turn on its tile, and none."""


@compiled
def transfer_times(
    tile: Vector,
    ends: NDArray[np.int64],
    channel: NDArray[np.int64],
    ports: NDArray[np.int64],
    delays: NDArray[np.int64],
    bits: NDArray[np.int64],
    result: Vector,
) -> int:
    """How long tokens of each channel take from tile to tile; the longest, -1 if two tiles have no connection.

    `ends`: source and target of each channel. `channel`: for each the size of a token, how many there are in an
    iteration, the time if bandwidth is reserved, else -1, and how many tokens go together. `ports`: the bandwidth of
    the outputs and of the inputs of all tiles, 0 for no limit. `bits`: room to work in, of the same shape. The formula
    is that of `Deployment.transfer`.
    """
    bits[:, :] = 0
    for number in range(len(ends)):
        source, target = tile[ends[number, 0]], tile[ends[number, 1]]
        if source != target:
            bits[0, source] += channel[number, 0] * channel[number, 1]
            bits[1, target] += channel[number, 0] * channel[number, 1]
    longest = 0
    for number in range(len(ends)):
        source, target = tile[ends[number, 0]], tile[ends[number, 1]]
        if source == target:
            result[number] = STAYS
            continue
        if delays[source, target] < 0:
            return -1
        time = channel[number, 2]
        if time < 0:
            time = 0
            if channel[number, 0] > 0 and ports[0, source] > 0:
                time = max(time, -(-bits[0, source] // (ports[0, source] * channel[number, 1])))
            if channel[number, 0] > 0 and ports[1, target] > 0:
                time = max(time, -(-bits[1, target] // (ports[1, target] * channel[number, 1])))
        result[number] = (time + delays[source, target]) * channel[number, 3]
        longest = max(longest, result[number])
    return longest


@compiled
def sweep(
    arcs: tuple[Vector, NDArray[np.int64]],
    times: tuple[Vector, Vector],
    turns: tuple[Vector, Vector],
    sequence: Vector,
    scale: int,
    price: int,
    value: Vector,
    choice: Vector,
) -> bool:
    """Raises the value of each node to what the arcs into it and its turn ask for; whether any was raised.

    value(v) >= value(u) + scale * time - price * tokens. `arcs`: the first one into each node, and all of them;
    `times`: of the nodes and of the channels; `turns`: who is before each node on its tile, -1 if it has none, and the
    tokens between the two. `choice`: the arc that last raised a node.
    """
    begin, arc = arcs
    work, transfer = times
    before, gap = turns
    changed = False
    for node in sequence:
        highest, chosen = value[node], NONE
        if before[node] >= 0:
            offer = value[before[node]] + scale * work[before[node]] - price * gap[node]
            if offer > highest:
                highest, chosen = offer, TURN
        for place in range(begin[node], begin[node + 1]):
            way = 0
            if arc[place, CHANNEL] >= 0:
                way = transfer[arc[place, CHANNEL]]
                if (way == STAYS) != (arc[place, KIND] == LOCAL):
                    continue
                way = max(way, 0)
            source = arc[place, SOURCE]
            offer = value[source] + scale * (work[source] + way) - price * arc[place, TOKENS]
            if offer > highest:
                highest, chosen = offer, place
        if chosen != NONE:
            value[node] = highest
            choice[node] = chosen
            changed = True
    return changed


@compiled
def best_cycle(
    arcs: tuple[Vector, NDArray[np.int64]],
    times: tuple[Vector, Vector],
    turns: tuple[Vector, Vector],
    choice: Vector,
    mark: Vector,
    scale: int,
    price: int,
) -> tuple[int, int, int]:
    """The time, tokens and a node of the best cycle of choices that beats price / scale; the node is -1 if none does.

    Tokens are 0 when a cycle has none, or fewer.
    """
    arc = arcs[1]
    work, transfer = times
    before, gap = turns
    best_time, best_tokens, best = price, scale, -1
    mark[:] = -1
    for start in range(len(choice)):
        node = start
        while mark[node] < 0 and choice[node] != NONE:
            mark[node] = start
            node = before[node] if choice[node] == TURN else arc[choice[node], SOURCE]
        if choice[node] != NONE and mark[node] == start:
            first, time, tokens = node, 0, 0
            while True:
                place = choice[node]
                if place == TURN:
                    tokens += int(gap[node])
                    node = before[node]
                else:
                    tokens += int(arc[place, TOKENS])
                    if arc[place, CHANNEL] >= 0:
                        time += max(int(transfer[arc[place, CHANNEL]]), 0)
                    node = arc[place, SOURCE]
                time += int(work[node])
                if node == first:
                    break
            if tokens <= 0:
                return time, 0, first
            if greater(time, tokens, best_time, best_tokens):
                best_time, best_tokens, best = time, tokens, first
    return best_time, best_tokens, best


@compiled
def critical_ratio(
    arcs: tuple[Vector, NDArray[np.int64]],
    times: tuple[Vector, Vector],
    turns: tuple[Vector, Vector],
    sequence: Vector,
    ratio: tuple[int, int],
    only: bool,
    state: tuple[Vector, Vector, Vector],
    cycle: NDArray[np.int64],
) -> tuple[int, int, int]:
    """The time and tokens of the cycle of the greatest ratio, not below `ratio`, and its length; 0 if it is `ratio`.

    Tokens are 0 when a cycle has none, or when 64 bits might not do. `only`: any cycle that beats `ratio` will do.
    `state`: values, which become start times * tokens, choices, and marks to work with. `cycle` gets the nodes of the
    cycle, against its direction, and the arcs into them. Policy iteration as in `snnir.maxplus.relaxation`: sweeps in
    `sequence`, best along the arcs without tokens, until a cycle of choices shows.
    """
    arc = arcs[1]
    value, choice, mark = state
    price, scale = ratio
    longest, widest = 1, 1
    for node in range(len(times[0])):
        longest = max(longest, times[0][node])
        widest = max(widest, abs(turns[1][node]))
    ways = 0
    for number in range(len(times[1])):
        ways = max(ways, times[1][number])
    for place in range(len(arc)):
        widest = max(widest, arc[place, TOKENS])
    # the choices before a sweep form no cycle, and a sweep visits each node once: no walk behind a value has more arcs
    most = 2 * len(value) + 1
    length = 0
    while True:
        if scale > LIMIT // (most * (longest + ways)) or price > LIMIT // (most * widest):
            return 0, 0, 0
        value[:] = 0
        choice[:] = NONE
        while True:
            if not sweep(arcs, times, turns, sequence, scale, price, value, choice):
                return price, scale, length
            time, tokens, node = best_cycle(arcs, times, turns, choice, mark, scale, price)
            if tokens == 0:
                return 0, 0, 0
            if node >= 0:
                break
        first, length = node, 0
        while length == 0 or node != first:
            cycle[length, 0], cycle[length, 1] = node, choice[node]
            node = turns[0][node] if choice[node] == TURN else arc[choice[node], SOURCE]
            length += 1
        low, high = tokens, time
        while low:
            low, high = high % low, low
        price, scale = time // high, tokens // high
        if only:
            return price, scale, length


@compiled
def best_slot(
    node: int,
    tile: int,
    tiles: Vector,
    work: Vector,
    after: Vector,
    gap: Vector,
    value: Vector,
    scale: int,
    price: int,
) -> tuple[int, int]:
    """Whom a node that is on no tile should follow on a tile, and with how many tokens between; (-1, 1): the first.

    `value`: start times * scale that hold for the period price / scale. The slot in which the node can begin at its
    time, after the one before it, and delays the next one least.
    """
    chosen, tokens, least = -1, 1, -1
    for before in range(len(tiles)):
        if tiles[before] != tile:
            continue
        wait = value[before] + scale * work[before] - value[node]
        between = -(-wait // price)
        left = gap[after[before]] - between
        late = max(0, value[node] + scale * work[node] - price * left - value[after[before]])
        if least < 0 or late < least:
            chosen, tokens, least = before, between, late
    return chosen, tokens
