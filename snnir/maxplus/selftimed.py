"""Self-timed execution: every actor fires as soon as it can. By counting tokens, independently of the expansion."""

from collections import deque
from fractions import Fraction
from heapq import heappop, heappush

from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.sdf import SDFGraph, repetition_vector


class _Execution:
    """The state of a graph in execution: tokens and free room per channel, running firings, whose turn it is."""

    def __init__(self, sdf: SDFGraph, quota: list[int] | None) -> None:
        """`quota`: how often each actor may start, None for without end."""
        actors = range(len(sdf.actors))
        self.sdf = sdf
        self.now = 0
        self.quota = quota
        self.time = [actor.time for actor in sdf.actors]
        self.limit = [actor.concurrency for actor in sdf.actors]
        self.tokens = [channel.tokens for channel in sdf.channels]
        self.room = [None if c.capacity is None else c.capacity - c.tokens for c in sdf.channels]
        self.inputs: list[list[int]] = [[] for _ in actors]
        self.outputs: list[list[int]] = [[] for _ in actors]
        for number, channel in enumerate(sdf.channels):
            self.outputs[sdf.index[channel.source]].append(number)
            self.inputs[sdf.index[channel.target]].append(number)
        self.orders = [[sdf.index[name] for name in order] for order in sdf.orders]
        self.turn = [0] * len(self.orders)
        self.busy = [False] * len(self.orders)
        self.ordered: list[list[int]] = [
            [number for number, order in enumerate(self.orders) if actor in order] for actor in actors
        ]
        self.running = [0] * len(sdf.actors)
        self.started = [0] * len(sdf.actors)
        self.ended = [0] * len(sdf.actors)
        self.ends: list[tuple[int, int]] = []
        self.candidates = deque(actors)

    def can_start(self, actor: int) -> bool:
        """Whether tokens, room, concurrency, turns and quota allow one more firing now."""
        limit = self.limit[actor]
        if limit is not None and self.running[actor] >= limit:
            return False
        if self.quota is not None and self.started[actor] >= self.quota[actor]:
            return False
        if any(self.busy[n] or self.orders[n][self.turn[n]] != actor for n in self.ordered[actor]):
            return False
        channels = self.sdf.channels
        if any(self.tokens[n] < channels[n].consume for n in self.inputs[actor]):
            return False
        rooms = ((self.room[n], channels[n].produce) for n in self.outputs[actor])
        return all(room is None or room >= produce for room, produce in rooms)

    def start(self, actor: int) -> None:
        """Takes the tokens and claims the room of one firing."""
        for number in self.inputs[actor]:
            self.tokens[number] -= self.sdf.channels[number].consume
        self._give_room(self.outputs[actor], -1)
        for number in self.ordered[actor]:
            self.busy[number] = True
        self.running[actor] += 1
        self.started[actor] += 1
        heappush(self.ends, (self.now + self.time[actor], actor))

    def end(self) -> int:
        """Moves on to the next end of a firing, hands over its tokens, and returns its actor."""
        self.now, actor = heappop(self.ends)
        for number in self.outputs[actor]:
            self.tokens[number] += self.sdf.channels[number].produce
            self.candidates.append(self.sdf.index[self.sdf.channels[number].target])
        self._give_room(self.inputs[actor], 1)
        for number in self.inputs[actor]:
            self.candidates.append(self.sdf.index[self.sdf.channels[number].source])
        for number in self.ordered[actor]:
            self.busy[number] = False
            self.turn[number] = (self.turn[number] + 1) % len(self.orders[number])
            self.candidates.append(self.orders[number][self.turn[number]])
        self.running[actor] -= 1
        self.ended[actor] += 1
        self.candidates.append(actor)
        return actor

    def _give_room(self, numbers: list[int], sign: int) -> None:
        for number in numbers:
            room, channel = self.room[number], self.sdf.channels[number]
            if room is not None:
                self.room[number] = room + (channel.consume if sign > 0 else -channel.produce)

    def start_all(self, budget: int) -> list[int]:
        """Starts whatever can start now, at most `budget` firings, and returns the actors of the firings started."""
        fired: list[int] = []
        while self.candidates:
            actor = self.candidates.popleft()
            while self.can_start(actor):
                if len(fired) == budget:
                    raise MaxPlusError("too many firings: the execution is unbounded or takes no time")
                self.start(actor)
                fired.append(actor)
        return fired

    def state(self) -> tuple[object, ...]:
        """All that decides what happens from here on, relative to now."""
        running = sorted((end - self.now, actor) for end, actor in self.ends)
        return tuple(self.tokens), tuple(self.room), tuple(self.turn), tuple(running)

    def stuck(self) -> Deadlock:
        """The error to raise when nothing runs and nothing can start."""
        quota = self.quota or [1 + count for count in self.started]
        behind = zip(self.sdf.actors, self.started, quota, strict=True)
        waiting = tuple(actor.name for actor, started, wanted in behind if started < wanted)
        return Deadlock(f"deadlock at time {self.now}: waiting for ever are {', '.join(waiting[:20])}", (), waiting)


def self_timed(sdf: SDFGraph, iterations: int) -> dict[str, list[int]]:
    """The start times of the firings of the first `iterations` iterations, for each actor in order.

    Every firing starts as soon as its tokens, the room on its outputs, its actor's concurrency and its turn on shared
    resources allow, from time 0 on. Cost: the number of firings times their channels. Raises `Inconsistent`, and
    `Deadlock` (with the actors that wait, no cycle) when the iterations cannot be completed.
    """
    if iterations < 0:
        raise MaxPlusError(f"cannot execute {iterations} iterations")
    repetition = repetition_vector(sdf)
    quota = [repetition[actor.name] * iterations for actor in sdf.actors]
    execution = _Execution(sdf, quota)
    starts: list[list[int]] = [[] for _ in sdf.actors]
    budget = sum(quota)
    while True:
        for actor in execution.start_all(budget):
            starts[actor].append(execution.now)
        if not execution.ends:
            break
        execution.end()
    if execution.started != quota:
        raise execution.stuck()
    return {actor.name: times for actor, times in zip(sdf.actors, starts, strict=True)}


def self_timed_period(sdf: SDFGraph, limit: int = 1_000_000) -> Fraction:
    """The period of an iteration, from the periodic regime that self-timed execution of a bounded graph ends in.

    Executes until a state recurs (Ghamarian et al., ACSD 2006): tokens, room, turns, and remaining times of running
    firings. If actor a ends f(a) firings in the loop, which lasts T, it needs T * q(a) / f(a) an iteration; the slowest
    actor counts, as independent parts of a graph each have their own pace. One state at a time is remembered, of a
    later and later instant (Brent, BIT 20, 1980), so memory stays small.

    Raises `Inconsistent`, `Deadlock`, and `MaxPlusError` when more than `limit` firings show no recurrence (tokens pile
    up without bound) or when one part of the graph runs while another one never does.
    """
    repetition = repetition_vector(sdf)
    counts = [repetition[actor.name] for actor in sdf.actors]
    if not counts:
        raise MaxPlusError("a graph without actors has no period")
    execution = _Execution(sdf, None)
    then, ended, anchor = 0, list(execution.ended), execution.state()
    instants, renewal = 0, 1
    while True:
        execution.start_all(limit - sum(execution.started))
        if not execution.ends:
            raise execution.stuck()
        instant = execution.ends[0][0]
        while execution.ends and execution.ends[0][0] == instant:
            execution.end()
        state = execution.state()
        if state == anchor:
            break
        instants += 1
        if instants == renewal:
            then, ended, anchor = execution.now, list(execution.ended), state
            renewal *= 2
    loop = execution.now - then
    firings = [now - past for now, past in zip(execution.ended, ended, strict=True)]
    if not all(firings):
        idle = ", ".join(actor.name for actor, fired in zip(sdf.actors, firings, strict=True) if not fired)
        raise MaxPlusError(f"the execution settles into a loop of {loop} time units in which {idle} never fire")
    return max(Fraction(loop * count, fired) for count, fired in zip(counts, firings, strict=True))
