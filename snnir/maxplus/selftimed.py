"""Self-timed execution: every actor fires as soon as it can. By counting tokens, independently of the expansion."""

from collections import deque
from collections.abc import Callable, Mapping
from fractions import Fraction
from heapq import heappop, heappush
from operator import add

from snnir.maxplus.errors import Deadlock, MaxPlusError
from snnir.maxplus.sdf import SDFGraph, repetition_vector

Done = Callable[[int, int], int]
"""When a firing ends, from its start and its time."""


class _InOrder:
    """What firings that overtake each other hand over on one way: a firing's part waits for those before it."""

    def __init__(self) -> None:
        self.begun: deque[tuple[int, int]] = deque()
        self.ended: set[int] = set()

    def begin(self, firing: int, amount: int) -> None:
        """A firing has started that will hand over `amount`."""
        if amount:
            self.begun.append((firing, amount))

    def end(self, firing: int, amount: int) -> int:
        """A firing has ended: how much can be had now that could not before."""
        if amount:
            self.ended.add(firing)
        released = 0
        while self.begun and self.begun[0][0] in self.ended:
            first, part = self.begun.popleft()
            self.ended.remove(first)
            released += part
        return released


class _Execution:
    """The state of a graph in execution: tokens and free room per channel, running firings, whose turn it is."""

    def __init__(self, sdf: SDFGraph, quota: list[int] | None, done: Mapping[str, Done] | None = None) -> None:
        """`quota`: how often each actor may start, None for without end. `done`: see `self_timed`."""
        actors = range(len(sdf.actors))
        if any(sdf.scattered):
            name = sdf.actors[sdf.scattered.index(True)].name
            raise MaxPlusError(
                f"self-timed execution counts tokens, but firings of {name} may start in another order than they are "
                "numbered in; concurrency 1 would keep them in order"
            )
        self.sdf = sdf
        self.now = 0
        self.quota = quota
        self.times = [actor.times for actor in sdf.actors]
        self.done = [(done or {}).get(actor.name, add) for actor in sdf.actors]
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
        late = sdf.overtaking
        self.late_tokens = [_InOrder() if late[sdf.index[channel.source]] else None for channel in sdf.channels]
        self.late_room = [_InOrder() if late[sdf.index[channel.target]] else None for channel in sdf.channels]
        self.late_ends = [_InOrder() if late[actor] else None for actor in actors]
        self.running = [0] * len(sdf.actors)
        self.started = [0] * len(sdf.actors)
        self.ended = [0] * len(sdf.actors)
        self.ends: list[tuple[int, int, int]] = []
        """End, actor and number of each running firing."""
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
        firing = self.started[actor]
        if any(self.tokens[n] < _of(channels[n].consumed, firing) for n in self.inputs[actor]):
            return False
        rooms = ((self.room[n], _of(channels[n].produced, firing)) for n in self.outputs[actor])
        return all(room is None or room >= produce for room, produce in rooms)

    def start(self, actor: int) -> None:
        """Takes the tokens and claims the room of one firing."""
        firing = self.started[actor]
        for number in self.inputs[actor]:
            consumed = _of(self.sdf.channels[number].consumed, firing)
            self.tokens[number] -= consumed
            _begin(self.late_room[number], firing, consumed)
        for number in self.outputs[actor]:
            produced = _of(self.sdf.channels[number].produced, firing)
            self._give_room(number, -produced)
            _begin(self.late_tokens[number], firing, produced)
        for number in self.ordered[actor]:
            self.busy[number] = True
        self.running[actor] += 1
        _begin(self.late_ends[actor], firing, 1)
        self.started[actor] += 1
        heappush(self.ends, (self.done[actor](self.now, _of(self.times[actor], firing)), actor, firing))

    def end(self) -> int:
        """Moves on to the next end of a firing, hands over its tokens, and returns its actor."""
        self.now, actor, firing = heappop(self.ends)
        for number in self.outputs[actor]:
            produced = _of(self.sdf.channels[number].produced, firing)
            self.tokens[number] += _end(self.late_tokens[number], firing, produced)
            self.candidates.append(self.sdf.index[self.sdf.channels[number].target])
        for number in self.inputs[actor]:
            consumed = _of(self.sdf.channels[number].consumed, firing)
            self._give_room(number, _end(self.late_room[number], firing, consumed))
            self.candidates.append(self.sdf.index[self.sdf.channels[number].source])
        for number in self.ordered[actor]:
            self.busy[number] = False
            self.turn[number] = (self.turn[number] + 1) % len(self.orders[number])
            self.candidates.append(self.orders[number][self.turn[number]])
        self.running[actor] -= _end(self.late_ends[actor], firing, 1)
        self.ended[actor] += 1
        self.candidates.append(actor)
        return actor

    def _give_room(self, number: int, tokens: int) -> None:
        room = self.room[number]
        if room is not None:
            self.room[number] = room + tokens

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
        """All that decides what happens from here on, relative to now and to the firings started last."""
        running = sorted((end - self.now, actor, self.started[actor] - firing) for end, actor, firing in self.ends)
        phases = tuple(firing % phases for firing, phases in zip(self.started, self.sdf.phases, strict=True))
        return tuple(self.tokens), tuple(self.room), tuple(self.turn), tuple(running), phases

    def stuck(self) -> Deadlock:
        """The error to raise when nothing runs and nothing can start."""
        quota = self.quota or [1 + count for count in self.started]
        behind = zip(self.sdf.actors, self.started, quota, strict=True)
        waiting = tuple(actor.name for actor, started, wanted in behind if started < wanted)
        return Deadlock(f"deadlock at time {self.now}: waiting for ever are {', '.join(waiting[:20])}", (), waiting)


def _begin(queue: _InOrder | None, firing: int, amount: int) -> None:
    if queue is not None:
        queue.begin(firing, amount)


def _end(queue: _InOrder | None, firing: int, amount: int) -> int:
    return amount if queue is None else queue.end(firing, amount)


def _of(phases: tuple[int, ...], firing: int) -> int:
    return phases[firing % len(phases)]


def self_timed(
    sdf: SDFGraph, iterations: int, done: Mapping[str, Done] | None = None, *, limit: int = 10_000_000
) -> dict[str, list[int]]:
    """The start times of the firings of the first `iterations` iterations, for each actor in order.

    Every firing starts as soon as its tokens, the room on its outputs, its actor's concurrency and its turn on shared
    resources allow, from time 0 on. `done`: of actors whose resource is not always open, when a firing ends, from its
    start and its time; not before it starts, and not in another order than firings start. Cost: the number of firings
    times their channels. Raises `Inconsistent`, `Deadlock` (with the actors that wait, no cycle) when the iterations
    cannot be completed, and `MaxPlusError` for more than `limit` firings (which take minutes) and for graphs with
    actors that start their firings in another order (`SDFGraph.scattered`).
    """
    if iterations < 0:
        raise MaxPlusError(f"cannot execute {iterations} iterations")
    repetition = repetition_vector(sdf)
    quota = [repetition[actor.name] * iterations for actor in sdf.actors]
    budget = sum(quota)
    if budget > limit:
        raise MaxPlusError(f"{iterations} iterations are {budget} firings, more than the limit of {limit}")
    execution = _Execution(sdf, quota, done)
    starts: list[list[int]] = [[] for _ in sdf.actors]
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
    up without bound) or when one part of the graph runs while another one never does, and
    for graphs with actors that start their firings in another order (`SDFGraph.scattered`).
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
