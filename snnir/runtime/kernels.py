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
    ways: Integers,
    nodes: tuple[Integers, Integers, Integers],
    edges: tuple[Integers, Integers, Integers],
) -> None:
    """Fills `nodes` (node, owner, begin) and `edges` (tail, head, tokens) of `snnir.runtime.analysis.Graph`.

    `sequence`: the actors in the single-tile order; `channels`: source, target, delay, capacity; `leaving` and
    `entering`: (begin, channels) of each actor; `following`: the actor after it on its crossbar (-1: none) and the
    tokens on that edge; `uses`: (begin, channels) of each way; `ways`: the first way of each actor, and their number.
    """
    source, target, delay, capacity = channels
    node, owner, begin = nodes
    tail, head, tokens = edges
    actors = len(sequence)
    count = 0
    for actor in sequence:
        node[actor], owner[count] = count, actor
        count += 1
        for each in range(ways[actor], ways[actor + 1]):
            node[actors + each], owner[count] = count, actors + each
            count += 1
    edge = 0
    for own in range(count):
        begin[own] = edge
        actor = owner[own]
        if actor < actors:
            for number in range(leaving[0][actor], leaving[0][actor + 1]):
                channel = leaving[1][number]
                if way[channel] < 0:
                    head[edge] = node[target[channel]]
                    tokens[edge] = delay[channel] + lag[target[channel]] - lag[actor]
                    edge += 1
            for each in range(ways[actor], ways[actor + 1]):
                head[edge], tokens[edge] = node[actors + each], 0
                edge += 1
            for number in range(entering[0][actor], entering[0][actor + 1]):
                channel = entering[1][number]
                head[edge] = node[source[channel]]
                tokens[edge] = capacity[channel] - delay[channel] + lag[source[channel]] - lag[actor]
                edge += 1
            if following[0][actor] >= 0:
                head[edge], tokens[edge] = node[following[0][actor]], following[1][actor]
                edge += 1
        else:
            each = actor - actors
            head[edge], tokens[edge] = own, 1
            edge += 1
            for place in range(uses[0][each], uses[0][each + 1]):
                channel = uses[1][place]
                head[edge] = node[target[channel]]
                tokens[edge] = delay[channel] + lag[target[channel]] - lag[source[channel]]
                edge += 1
        tail[begin[own] : edge] = own
    begin[count] = edge


@compiled
def time_edges(
    begin: Integers, owner: Integers, firing: Integers, send: Integers, carry: Integers, times: Integers
) -> None:
    """Fills the `times` of the edges that `assemble` made: out of an actor its firing time; out of a way its `send`,
    and on all but the first, which leads back to it, its `carry` besides.
    """
    actors = len(firing)
    for node in range(len(owner)):
        first, last = np.uint64(begin[node]), np.uint64(begin[node + 1])
        way = owner[node] - actors
        time = firing[owner[node]] if way < 0 else send[way] + carry[way]
        for edge in range(first, last):
            times[edge] = time
        if way >= 0:
            times[first] = send[way]


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
def waiting(begin: Integers, links: Integers, flits: Integers, passing: Integers) -> tuple[Integers, Integers]:
    """`send` and `carry` of each way; `passing`, (links, 2): how long a flit waits for its turn on a link and takes
    there, and how much later it is at the next link.
    """
    send, carry = np.empty_like(flits), np.empty_like(flits)
    for way in range(len(flits)):
        slowest = total = 0
        for place in range(begin[way], begin[way + 1]):
            time = passing[links[place], 0]
            slowest = max(slowest, time)
            total += passing[links[place], 1]
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
    """Raises `value` until value[head[e]] >= value[tail] + weight[e] on every edge; False after `limit` rounds, or as
    soon as a cycle of positive weight shows that they would not suffice.

    Edges are sorted by their tail, of which node n has those from begin[n] to begin[n + 1]; nodes are visited in order
    of their numbers, so most edges should lead to a greater one.
    """
    changed = np.ones(len(value), np.uint8)
    last = np.full(len(value), -1, np.int64)
    for _ in range(limit):
        again = False
        for node in range(len(value)):
            if changed[node]:
                changed[node] = 0
                own = value[node]
                for edge in range(np.uint64(begin[node]), np.uint64(begin[node + 1])):
                    offered, raised = own + weight[edge], np.uint64(head[edge])
                    if offered > value[raised]:
                        value[raised] = offered
                        changed[raised] = 1
                        last[raised] = node
                        again = again or head[edge] <= node
        if not again:
            return True
        if returns(last):
            return False
    return False


@compiled
def returns(last: Integers) -> bool:
    """Whether going from a node to the one that raised it `last` (-1: none) leads back to a node.

    Such a cycle has positive weight: each value on it is at most that of the one before and the weight between them,
    as it was just so when it was raised and values only rise, and less where the last of them rose again.
    """
    seen = np.full(len(last), -1, np.int64)
    for start in range(len(last)):
        node = start
        while node >= 0 and seen[node] < 0:
            seen[node] = start
            node = last[node]
        if node >= 0 and seen[node] == start:
            return True
    return False


@compiled
def execute(begin: Integers, head: Integers, time: Integers, tokens: Integers, lag: Integers, starts: Integers) -> None:
    """Self-timed execution: `starts` (steps, nodes), zeros, gets when firing k of each node starts; its first `lag`
    ones are those of no step, and nothing waits for them.

    Edges are sorted by their tail; those without tokens lead to greater nodes.
    """
    steps, nodes = starts.shape
    found = starts.reshape(steps * nodes)
    # from a node to the head of an edge, as many firings later as it has tokens
    ahead = np.minimum(tokens, steps) * nodes + head
    for step in range(steps):
        row = step * nodes
        for node in range(nodes):
            if step >= lag[node]:
                start = found[row + node]
                for edge in range(np.uint64(begin[node]), np.uint64(begin[node + 1])):
                    place = np.uint64(row + ahead[edge])
                    if place < np.uint64(len(found)) and start + time[edge] > found[place]:
                        found[place] = start + time[edge]


@compiled
def later(starts: Integers, promised: Integers, period: int, lag: Integers) -> bool:
    """Whether a firing of a step in `starts`, (steps, nodes), comes after `promised`, that of the first one, (nodes,),
    and a period more for each one between them. The first `lag` firings of a node are those of no step.
    """
    for step in range(len(starts)):
        for node in range(len(lag)):
            if step >= lag[node] and starts[step, node] > promised[node] + period * step:
                return True
    return False


@compiled
def weigh(times: Integers, tokens: Integers, period: int, weights: Integers) -> int:
    """Fills `weights` with times - period * tokens; their greatest magnitude."""
    most = 0
    for edge in range(len(times)):
        weights[edge] = times[edge] - period * tokens[edge]
        most = max(most, abs(weights[edge]))
    return most


@compiled
def spare(
    begin: Integers, links: Integers, flits: Integers, flit: Integers, present: Integers, period: int, most: int
) -> Integers:
    """How many flows more than `present` each link may have, so that no `send` is longer than the period; at most
    `most`, and none where one is longer already.
    """
    found = np.full(len(present), most, np.int64)
    for way in range(len(flits)):
        # divisions are slow, and most links on a way are alike
        alike, longest = np.int64(-1), np.int64(0)
        for place in range(begin[way], begin[way + 1]):
            link = links[place]
            if flit[link] != alike:
                alike = flit[link]
                longest = period // max(1, flits[way] * alike)
            found[link] = max(0, min(found[link], longest - present[link]))
    return found


@compiled
def reach_host(begin: Integers, links: Integers, host: int, found: NDArray[np.bool_]) -> None:
    """Marks in `found` the links on ways that begin with link `host` or end with the link after it."""
    for way in range(len(begin) - 1):
        if links[begin[way]] == host or links[begin[way + 1] - 1] == host + 1:
            for place in range(begin[way], begin[way + 1]):
                found[links[place]] = True


@compiled
def join(first: Integers, step: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """(begin, links): ways of stretches, (stretches, ways) each: `counts` links from `first` on, `step` apart."""
    stretches, ways = counts.shape
    begin = np.empty(ways + 1, np.int64)
    links = np.empty(counts.sum(), np.int64)
    place = 0
    for way in range(ways):
        begin[way] = place
        for stretch in range(stretches):
            link = first[stretch, way]
            for _ in range(counts[stretch, way]):
                links[place] = link
                link += step[stretch, way]
                place += 1
    begin[ways] = place
    return begin, links
