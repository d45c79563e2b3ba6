"""The machine that several applications share: who is there, and what has happened so far."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from snnir.errors import SnnirError
from snnir.machine.parts import Machine
from snnir.machine.together import kernel, tables
from snnir.machine.together.columns import (
    BUSY,
    IDLE,
    NEVER,
    NONE,
    START,
    Application,
    Clock,
    Counter,
    Integers,
    Link,
    Log,
    State,
    Turn,
    Unit,
)
from snnir.machine.together.deadlock import deadlock
from snnir.machine.together.tables import Block
from snnir.machine.together.work import Work, floor_of

_MOST_TIME = 2**61
_MOST_STEPS = 2**60


@dataclass(frozen=True, eq=False)
class Running:
    """An application that starts step 0 at `start` and does so many steps, or steps until it is removed (None)."""

    name: str
    work: Work
    start: int
    steps: int | None = None


class _Resident:
    """An application that was added: its rows while it is there, and what is known of its firings."""

    def __init__(self, running: Running, block: Block) -> None:
        self.running = running
        self.block: Block | None = block
        self.gone: int | None = None
        self.ends: list[list[Integers]] = [list[Integers]() for _ in running.work.actors]
        """For each actor the times at which its firings have ended, in pieces."""

    def ends_of(self, actor: int) -> Integers:
        """When the firings of an actor have ended so far."""
        pieces = self.ends[actor]
        if len(pieces) != 1:
            self.ends[actor] = pieces = [np.concatenate(pieces) if pieces else np.zeros(0, np.int64)]
        return pieces[0]


class Together:
    """A machine and the applications on it. `now`: everything before this time has happened, nothing else."""

    def __init__(self, machine: Machine, trace: bool = False) -> None:
        """A machine without applications at time 0; with `trace` all firings are kept, see `firings`."""
        self.machine = machine
        self.now = 0
        self._floor = floor_of(replace(machine, name=""))
        self.state = tables.empty_state(self._floor, trace)
        self._residents: dict[str, _Resident] = {}
        """All by name, those that have gone too, in the order of arrival."""
        self._present: list[_Resident] = []
        """Those whose rows are in the tables, in the order of their blocks."""
        self._owners: dict[tuple[int, int, int], _Resident] = {}

    @property
    def present(self) -> tuple[str, ...]:
        """The applications that have not drained, in the order of arrival."""
        return tuple(resident.running.name for resident in self._present if resident.gone is None)

    @property
    def link_flits(self) -> Mapping[str, int]:
        """How many flits have crossed each link, for all links that any has."""
        crossed = self.state.links[:, Link.CROSSED]
        return {self._floor.names[link]: int(crossed[link]) for link in np.flatnonzero(crossed)}

    @property
    def crossings(self) -> int:
        """How many times a flit has crossed a link."""
        return int(self.state.links[:, Link.CROSSED].sum())

    @property
    def flits_under_way(self) -> int:
        """How many entries the queues of all links have: a token at its inject link counts as one."""
        return len(self.state.nodes) - int(self.state.clock[Clock.SPARE])

    def add(self, running: Running) -> None:
        """An application more. On each link its flows have their turns after those of all that are there.

        Raises `SnnirError` when its name is taken, a crossbar is not free, it is made for another machine, or starts
        in the past.
        """
        name, work = running.name, running.work
        if name in self.present:
            raise SnnirError(f"application {name!r}", "is on the machine already", "give each its own name")
        if replace(work.machine, name=self.machine.name) != self.machine:
            message = f"is configured for another machine than {self.machine.name!r}"
            raise SnnirError(f"application {name!r}", message, "configure it for this one")
        if not self.now <= running.start < _MOST_TIME:
            message = f"starts at {running.start}, and it is {self.now}"
            raise SnnirError(f"application {name!r}", message, "start it now or later")
        if running.steps is not None and not 1 <= running.steps < _MOST_STEPS:
            raise SnnirError(f"application {name!r}", f"{running.steps} steps", "ask for 1 or more")
        for place, crossbar in work.crossbars.items():
            if place in self._owners:
                message = f"its crossbar {crossbar!r} is {place[2]} of tile {list(place[:2])}, and so is one of "
                owner = self._owners[place].running.name
                raise SnnirError(f"application {name!r}", message + repr(owner), "choose free crossbars")
        self._tidy()
        state, block = tables.append(self.state, work)
        self.state = tables.lay_out(state)
        application = block.first["applications"]
        steps = _MOST_STEPS if running.steps is None else running.steps
        self.state.applications[application, Application.STEPS] = steps
        self.state.applications[application, Application.GONE] = NEVER
        self._ensure_an_event()
        kernel.push_event(self.state, running.start, START, application)
        resident = _Resident(running, block)
        self._residents.pop(name, None)
        self._residents[name] = resident
        self._present.append(resident)
        self._owners |= dict.fromkeys(work.crossbars, resident)

    def advance(self, until: int) -> None:
        """Let everything happen that happens before this time."""
        if not self.now <= until <= _MOST_TIME:
            message = f"asked for {until}, and it is {self.now}"
            raise SnnirError("together", message, f"go on to a later time, up to {_MOST_TIME}")
        self.state.clock[Clock.UNTIL] = until
        more: Mapping[int, Callable[[State], State]] = {
            kernel.NO_EVENTS_FREE: tables.with_more_events,
            kernel.NO_NODES_FREE: tables.with_more_nodes,
            kernel.LOG_FULL: lambda state: state,
        }
        while reason := kernel.advance(self.state):
            self._read_log()
            self.state = more[reason](self.state)
        self._read_log()
        self.now = until
        self._let_go()

    def run(self) -> int:
        """Go on until all applications have drained, and no further; when the last one had.

        Raises `SnnirError` when one does steps until it is removed, or can never go on, saying who waits for whom.
        """
        for resident in self._present:
            endless = self.state.applications[self._first(resident, "applications"), Application.STEPS] == _MOST_STEPS
            if resident.gone is None and endless:
                message = "has no last step, so that waiting for its end has no end"
                raise SnnirError(f"application {resident.running.name!r}", message, "remove it first")
        before = self.now
        self.advance(_MOST_TIME)
        for name in self.present:
            resident = self._residents[name]
            if self.state.clock[Clock.EVENTS] or self.state.clock[Clock.LISTED]:
                message = f"is not complete at {_MOST_TIME}, the last time that can be simulated"
                raise SnnirError(f"application {name!r}", message, "start it earlier, or with fewer steps")
            raise deadlock(name, self.state, resident.running.work, self._block(resident))
        end = max((each.gone for each in self._residents.values() if each.gone is not None), default=0)
        self._go_back(max(before, end + 1))
        return end

    def remove(self, name: str) -> None:
        """No step that has not begun will begin; the application is gone when the others are complete."""
        resident = self._get(name)
        state, block = self.state, self._block(resident)
        first, stop = block.first["units"], block.stop["units"]
        application = block.first["applications"]
        state.applications[application, Application.STEPS] = self._begun(resident)
        for unit in range(first, stop):
            if state.units[unit, Unit.STATE] == IDLE:
                state.units[unit, Unit.WAIT] = NONE
                kernel.wake_unit(state, unit)

    def kill(self, name: str) -> None:
        """The application is gone at once: firings stop, and its flits leave all queues.

        A flit that is just crossing a link still occupies it until it has, and goes no further.
        """
        resident = self._get(name)
        resident.gone = self.now
        self._let_go()
        self._keep_the_present()

    def finish(self, name: str) -> Integers:
        """When each step was complete, so far: all outputs of step k at the host. int64 (steps,).

        Of an application that has gone too, until another one of the name is added.
        """
        resident = self._known(name)
        work = resident.running.work
        ends = [resident.ends_of(actor) for actor in range(len(work.actors) - work.outputs, len(work.actors))]
        steps = min(map(len, ends))
        return np.max([times[:steps] for times in ends], axis=0)

    def firings(self, name: str) -> Mapping[str, Integers]:
        """Slice -> the ends of its firings so far, with `trace` only."""
        resident = self._known(name)
        return {resident.running.work.actors[n]: resident.ends_of(n) for n in resident.running.work.slices}

    def gone(self, name: str) -> int | None:
        """When the application had drained or was killed, None while it is there."""
        return self._known(name).gone

    def _go_back(self, time: int) -> None:
        """Let it be that time, from which on nothing has happened and nothing is left to happen."""
        self.now = time
        self.state.clock[Clock.NOW] = time
        self.state.clock[Clock.WINDOW] = time >> int(self.state.clock[Clock.WIDTH])

    def _known(self, name: str) -> _Resident:
        if name not in self._residents:
            raise SnnirError(f"application {name!r}", "was never on the machine", "add it first")
        return self._residents[name]

    def _get(self, name: str) -> _Resident:
        resident = self._residents.get(name)
        if resident is None or resident.gone is not None:
            raise SnnirError(f"application {name!r}", "is not on the machine", "name one that is")
        return resident

    def _block(self, resident: _Resident) -> Block:
        assert resident.block is not None, "an application that is there has rows"
        return resident.block

    def _first(self, resident: _Resident, table: str) -> int:
        return self._block(resident).first[table]

    def _ensure_an_event(self) -> None:
        clock = self.state.clock
        if clock[Clock.EVENTS] == len(self.state.heap):
            self.state = tables.with_more_events(self.state)

    def _begun(self, resident: _Resident) -> int:
        """The number of steps that some actor has begun."""
        state, block = self.state, self._block(resident)
        first, actors = block.first["counters"], len(resident.running.work.actors)
        begun = int(state.counters[first : first + actors, Counter.COUNT].max())
        units = state.units[block.first["units"] : block.stop["units"]]
        busy = units[units[:, Unit.STATE] == BUSY]
        stage = state.turns[busy[:, Unit.FIRST_TURN] + busy[:, Unit.POSITION], Turn.STAGE]
        return max(begun, int((busy[:, Unit.ROUND] - stage + 1).max(initial=0)))

    def _read_log(self) -> None:
        """Hand the ends of firings in the log to the applications that they belong to."""
        log = self.state.log[: self.state.clock[Clock.LOGGED]]
        self.state.clock[Clock.LOGGED] = 0
        if not len(log):
            return
        order = np.argsort(log[:, Log.ACTOR], kind="stable")
        actor, times = log[order, Log.ACTOR], log[order, Log.TIME]
        starts = np.flatnonzero(np.diff(actor, prepend=NONE))
        owners = [self._first(resident, "actors") for resident in self._present]
        pieces: list[Integers] = np.split(times, starts[1:])
        firsts: list[int] = actor[starts].tolist()
        for first, piece in zip(firsts, pieces, strict=True):
            number = bisect_right(owners, first) - 1
            self._present[number].ends[first - owners[number]].append(piece)

    def _let_go(self) -> None:
        """Free the crossbars of applications that have drained or were killed."""
        for resident in self._present:
            gone = int(self.state.applications[self._first(resident, "applications"), Application.GONE])
            if resident.gone is None and gone < NEVER:
                resident.gone = gone
        self._owners = {place: owner for place, owner in self._owners.items() if owner.gone is None}

    def _tidy(self) -> None:
        """Take the rows of applications that have gone out of the tables, when they are more than the others."""
        sizes = {True: 0, False: 0}
        for resident in self._present:
            sizes[resident.gone is None] += sum(map(len, resident.running.work.tables.values()))
        if sizes[False] > sizes[True]:
            self._keep_the_present()

    def _keep_the_present(self) -> None:
        for resident in self._present:
            if resident.gone is not None:
                resident.block = None
        self._present = [resident for resident in self._present if resident.gone is None]
        pairs = [(resident.running.work, self._block(resident)) for resident in self._present]
        self.state, blocks = tables.keep(self.state, pairs)
        for resident, block in zip(self._present, blocks, strict=True):
            resident.block = block
