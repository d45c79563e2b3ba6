"""The compiled loops of admission; importing this module loads numba.

`begin` and `links` are those of `Ways`. Times are int64 in the platform's unit.
"""

import numpy as np
from numpy.typing import NDArray

from snnir.maxplus.kernels import compiled

Integers = NDArray[np.int64]
_FAR = 255
"""`snnir.runtime.distances.FAR`, which compiled code cannot see."""


@compiled
def find_ways(
    begin: Integers, order: Integers, target: Integers, place: Integers, tiles: int, way: Integers
) -> tuple[Integers, Integers]:
    """The actor and the tile of each way: one for each tile, not its own, on which something reads an actor.

    Channels `order[begin[a] : begin[a + 1]]` leave actor a; `place` is the tile of each actor, -1 for the host. `way`
    gets the way of each channel, or -1.
    """
    made = np.empty(len(order), np.int64)
    end = np.empty(len(order), np.int64)
    last = np.full(tiles + 1, -1, np.int64)
    count = 0
    for actor in range(len(begin) - 1):
        first = count
        for number in range(begin[actor], begin[actor + 1]):
            channel = order[number]
            tile = place[target[channel]]
            if tile == place[actor]:
                way[channel] = -1
                continue
            if last[tile + 1] < first:
                last[tile + 1] = count
                made[count], end[count] = actor, tile
                count += 1
            way[channel] = last[tile + 1]
    return made[:count].copy(), end[:count].copy()


@compiled
def cross(begin: Integers, links: Integers, count: int) -> tuple[Integers, Integers]:
    """The ways on each of `count` links, ascending: those of link l are the second array from first[l] on."""
    first = np.zeros(count + 2, np.int64)
    for link in links:
        first[link + 2] += 1
    for link in range(2, count + 2):
        first[link] += first[link - 1]
    ways = np.empty(len(links), np.int64)
    for way in range(len(begin) - 1):
        for place in range(begin[way], begin[way + 1]):
            link = links[place]
            ways[first[link + 1]] = way
            first[link + 1] += 1
    return first[:-1], ways


@compiled
def use(order: Integers, way: Integers, count: int) -> tuple[Integers, Integers]:
    """The channels of each of `count` ways, as in `cross`; channels of one way follow each other in `order`, mostly."""
    first = np.zeros(count + 2, np.int64)
    for channel in order:
        if way[channel] >= 0:
            first[way[channel] + 2] += 1
    for number in range(2, count + 2):
        first[number] += first[number - 1]
    channels = np.empty(first[count + 1], np.int64)
    for channel in order:
        if way[channel] >= 0:
            channels[first[way[channel] + 1]] = channel
            first[way[channel] + 1] += 1
    return first[:-1], channels


@compiled
def assemble(
    sequence: Integers,
    lag: Integers,
    channels: tuple[Integers, Integers, Integers, Integers],
    leaving: tuple[Integers, Integers],
    entering: tuple[Integers, Integers],
    following: tuple[Integers, Integers],
    way: Integers,
    uses: tuple[Integers, Integers],
    ways: tuple[Integers, Integers],
) -> tuple[Integers, Integers, Integers, Integers, Integers, Integers, Integers]:
    """(node, tail, head, tokens, actor, sent, carried): the edges of `snnir.runtime.analysis.Graph`, sorted by tail.

    `sequence`: the actors in the single-tile order; `channels`: source, target, delay, capacity; `leaving` and
    `entering`: (begin, channels) of each actor; `following`: the actor after it on its crossbar (-1: none) and the
    tokens on that edge; `uses`: (begin, channels) of each way; `ways`: (begin, ways) of each actor.
    """
    source, target, delay, capacity = channels
    actors, senders = len(sequence), len(uses[0]) - 1
    node = np.empty(actors + senders, np.int64)
    count = 0
    for actor in sequence:
        node[actor] = count
        count += 1
        for number in range(ways[0][actor], ways[0][actor + 1]):
            node[actors + ways[1][number]] = count
            count += 1
    most = 2 * len(source) + 2 * senders + actors
    tail, head, tokens = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    timed, sent, carried = np.full(most, -1, np.int64), np.full(most, -1, np.int64), np.full(most, -1, np.int64)
    edge = 0
    for actor in sequence:
        for number in range(leaving[0][actor], leaving[0][actor + 1]):
            channel = leaving[1][number]
            if way[channel] < 0:
                tail[edge], head[edge], timed[edge] = node[actor], node[target[channel]], actor
                tokens[edge] = delay[channel] + lag[target[channel]] - lag[actor]
                edge += 1
        for number in range(ways[0][actor], ways[0][actor + 1]):
            tail[edge], head[edge], timed[edge] = node[actor], node[actors + ways[1][number]], actor
            tokens[edge] = 0
            edge += 1
        for number in range(entering[0][actor], entering[0][actor + 1]):
            channel = entering[1][number]
            tail[edge], head[edge], timed[edge] = node[actor], node[source[channel]], actor
            tokens[edge] = capacity[channel] - delay[channel] + lag[source[channel]] - lag[actor]
            edge += 1
        if following[0][actor] >= 0:
            tail[edge], head[edge], timed[edge] = node[actor], node[following[0][actor]], actor
            tokens[edge] = following[1][actor]
            edge += 1
        for number in range(ways[0][actor], ways[0][actor + 1]):
            each = ways[1][number]
            tail[edge] = head[edge] = node[actors + each]
            sent[edge], tokens[edge] = each, 1
            edge += 1
            for place in range(uses[0][each], uses[0][each + 1]):
                channel = uses[1][place]
                tail[edge], head[edge] = node[actors + each], node[target[channel]]
                sent[edge] = carried[edge] = each
                tokens[edge] = delay[channel] + lag[target[channel]] - lag[actor]
                edge += 1
    return node, tail[:edge], head[:edge], tokens[:edge], timed[:edge], sent[:edge], carried[:edge]


@compiled
def count_flows(begin: Integers, links: Integers, flow: Integers, counts: Integers) -> None:
    """Adds to `counts` (links,) the flows on each link; the ways of one flow follow each other."""
    last = np.full(len(counts), -1, np.int64)
    for way in range(len(flow)):
        for place in range(begin[way], begin[way + 1]):
            link = links[place]
            if last[link] != flow[way]:
                last[link] = flow[way]
                counts[link] += 1


@compiled
def waiting(
    begin: Integers, links: Integers, flits: Integers, flit: Integers, hop: Integers, room: Integers
) -> tuple[Integers, Integers]:
    """`send` and `carry` of each way with `room[l]` flows on each link that always have a flit waiting."""
    send, carry = np.zeros_like(flits), np.zeros_like(flits)
    for way in range(len(flits)):
        slowest = total = 0
        for place in range(begin[way], begin[way + 1]):
            link = links[place]
            time = flit[link] * room[link]
            slowest = max(slowest, time)
            total += time + hop[link]
        send[way] = flits[way] * slowest
        carry[way] = total - slowest
    return send, carry


@compiled
def limited(
    begin: Integers,
    links: Integers,
    flits: Integers,
    flit: Integers,
    hop: Integers,
    room: Integers,
    flow: Integers,
    producer: Integers,
    crossing: tuple[Integers, Integers],
    uses: tuple[Integers, Integers],
    reading: tuple[Integers, Integers],
    distance: NDArray[np.uint8],
    target: int,
    send: Integers,
    carry: Integers,
) -> None:
    """Replaces `send` and `carry` of ways whose `send` is longer than `target`, as `snnir.schedule.links` does.

    `crossing`: the ways on each link, (begin, ways), those of one flow one after the other; `uses`: the channels that
    a way serves, (begin, channels); `reading`: target and delay of each channel. Flows of other applications, `room`
    less the flows of this one, are taken to have a flit waiting always.
    """
    crossing_begin, crossing_ways = crossing
    gain, cost = np.zeros(len(flow), np.int64), np.zeros(len(flow), np.int64)
    for way in range(len(flits)):
        if send[way] <= target:
            continue
        size = flits[way]
        slowest = total = once = hops = 0
        for place in range(begin[way], begin[way + 1]):
            link = links[place]
            shares = room[link] * size
            if shares * flit[link] > target:
                partly = 1 if place in (begin[way], begin[way + 1] - 1) else 2
                found = 0
                number = crossing_begin[link]
                while number < crossing_begin[link + 1]:
                    other = crossing_ways[number]
                    least = _FAR * 4
                    while number < crossing_begin[link + 1] and flow[crossing_ways[number]] == flow[other]:
                        if flow[other] != flow[way] and flits[other] < size:
                            mate = int(crossing_ways[number])
                            least = min(least, _lead(way, mate, producer, uses, reading, distance))
                        number += 1
                    if least < _FAR:
                        gain[found] = size - flits[other]
                        cost[found] = flits[other] * (partly * (size - 1) + least * size)
                        found += 1
                for best in np.argsort(cost[:found] / gain[:found], kind="mergesort"):
                    if shares * flit[link] <= target:
                        break
                    shares -= gain[best]
                    once += flit[link] * cost[best]
            time = shares * flit[link]
            slowest = max(slowest, time)
            total += time
            hops += hop[link]
        if slowest < send[way]:
            send[way] = slowest
            carry[way] = -(-(total - slowest + once) // size) + hops


@compiled
def _lead(
    own: int,
    other: int,
    producer: Integers,
    uses: tuple[Integers, Integers],
    reading: tuple[Integers, Integers],
    distance: NDArray[np.uint8],
) -> int:
    """By how many tokens the flow of way `other` can be ahead of that of way `own`; `_FAR` or more: not limited."""
    begin, channels = uses
    reader, delay = reading
    ahead = behind = 2 * _FAR
    for number in range(begin[own], begin[own + 1]):
        channel = channels[number]
        ahead = min(ahead, int(delay[channel]) + int(distance[reader[channel], producer[other]]))
    for number in range(begin[other], begin[other + 1]):
        channel = channels[number]
        behind = min(behind, int(delay[channel]) + int(distance[reader[channel], producer[own]]))
    return ahead + behind - 2 if ahead < _FAR and behind < _FAR else 2 * _FAR


@compiled
def settle(
    begin: Integers,
    head: Integers,
    weight: Integers,
    value: Integers,
    limit: int,
) -> bool:
    """Raises `value` until value[head[e]] >= value[tail] + weight[e] on every edge; False after `limit` rounds.

    Edges are sorted by their tail, of which node n has those from begin[n] to begin[n + 1]; nodes are visited in order
    of their numbers, so most edges should lead to a greater one.
    """
    changed = np.ones(len(value), np.bool_)
    for _ in range(limit):
        again = False
        for node in range(len(value)):
            if changed[node]:
                changed[node] = False
                for edge in range(begin[node], begin[node + 1]):
                    offered = value[node] + weight[edge]
                    if offered > value[head[edge]]:
                        value[head[edge]] = offered
                        changed[head[edge]] = True
                        again = again or head[edge] <= node
        if not again:
            return True
    return False


@compiled
def execute(begin: Integers, head: Integers, time: Integers, tokens: Integers, lag: Integers, starts: Integers) -> None:
    """Self-timed execution: `starts` (steps, nodes), zeros, gets when firing k of each node starts; its first `lag`
    ones are those of no step, and nothing waits for them.

    Edges are sorted by their tail; those without tokens lead to greater nodes.
    """
    for step in range(len(starts)):
        for node in range(starts.shape[1]):
            if step < lag[node]:
                continue
            start = starts[step, node]
            for edge in range(begin[node], begin[node + 1]):
                later = step + tokens[edge]
                if later < len(starts):
                    starts[later, head[edge]] = max(starts[later, head[edge]], start + time[edge])


@compiled
def spare(
    begin: Integers, links: Integers, flits: Integers, flit: Integers, present: Integers, period: int, most: int
) -> Integers:
    """How many flows more than `present` each link may have, so that no `send` is longer than the period; at most
    `most`, and none where one is longer already.
    """
    found = np.full(len(present), most, np.int64)
    for way in range(len(flits)):
        for place in range(begin[way], begin[way + 1]):
            link = links[place]
            longest = period // max(1, flits[way] * flit[link])
            found[link] = max(0, min(found[link], longest - present[link]))
    return found


@compiled
def halve(where: Integers, at: Integers) -> Integers:
    """A point of `at` for each point of `where`, (points, 2) both: both are halved along the longer side of what is
    left of `at`, again and again, and the halves belong together.
    """
    count = len(where)
    chosen = np.empty(count, np.int64)
    left, right = np.arange(count), np.arange(count)
    stack = [(0, count)]
    while stack:
        first, last = stack.pop()
        if last - first == 1:
            chosen[left[first]] = right[first]
            continue
        own, theirs = left[first:last].copy(), right[first:last].copy()
        wide = at[theirs, 0].max() - at[theirs, 0].min()
        high = at[theirs, 1].max() - at[theirs, 1].min()
        axis = 0 if wide >= high else 1
        # ties by the other coordinate; stable sorts, so that equal input gives equal output
        for points, part, full in ((where, own, left), (at, theirs, right)):
            ordered = part[np.argsort(points[part, 1 - axis], kind="mergesort")]
            full[first:last] = ordered[np.argsort(points[ordered, axis], kind="mergesort")]
        middle = (first + last) // 2
        stack.append((first, middle))
        stack.append((middle, last))
    return chosen


@compiled
def fit(where: Integers, free: Integers, width: int, host: tuple[int, int]) -> tuple[int, int, int, int]:
    """(x, y, flipped in x, flipped in y) of the move of an arrangement with which fewest points are without a place; of
    several, the one nearest to the host.

    `where`: the arrangement, (points, 2), from 0 on; `free`: places on each tile.
    """
    height = len(free) // width
    wide, high = where[:, 0].max() + 1, where[:, 1].max() + 1
    need = np.zeros((high, wide), np.int64)
    for point in range(len(where)):
        need[where[point, 1], where[point, 0]] += 1
    best, away, found = len(where) + 1, 0, (0, 0, 0, 0)
    for flip_x in range(2):
        for flip_y in range(2):
            for top in range(height - high + 1):
                for left in range(width - wide + 1):
                    missing = 0
                    for y in range(high):
                        for x in range(wide):
                            wanted = need[high - 1 - y if flip_y else y, wide - 1 - x if flip_x else x]
                            missing += max(0, wanted - free[(top + y) * width + left + x])
                        if missing > best:
                            break
                    far = abs(2 * left + wide - 2 * host[0]) + abs(2 * top + high - 2 * host[1])
                    if missing < best or (missing == best and far < away):
                        best, away, found = missing, far, (left, top, flip_x, flip_y)
    return found


@compiled
def settle_down(wanted: Integers, free: Integers, width: int) -> Integers:
    """A tile for each point: the one that it wants where there are places left, else the nearest one with a place.

    `free`, the places on each tile, is used up.
    """
    found = np.full(len(wanted), -1, np.int64)
    for point in range(len(wanted)):
        if free[wanted[point]] > 0:
            found[point] = wanted[point]
            free[wanted[point]] -= 1
    for point in range(len(wanted)):
        if found[point] < 0:
            x, y = wanted[point] % width, wanted[point] // width
            nearest = 1 << 40
            for tile in range(len(free)):
                apart = abs(tile % width - x) + abs(tile // width - y)
                if free[tile] > 0 and apart < nearest:
                    nearest = apart
                    found[point] = tile
            free[found[point]] -= 1
    return found
