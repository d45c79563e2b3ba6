"""The machine that applications share, and whether an application's package was made for its kind."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from snnir.machine.parts import Delays, Device, Machine, Times

_PLAIN: dict[str, Any] = {
    "signal_bits": 0,
    "cell_bits": 0,
    "signs": "cell",
    "adc_bits": 0,
    "device": None,
    "delays": None,
}
"""Entries of a machine that are left out where they are like this: spikes on the rows, a weight in a cell."""


def codes_of(machine: Machine) -> dict[str, Any]:
    """What a machine says of codes on rows and of cells, where that is not what goes without saying."""
    found = {key: value for key, value in asdict(machine).items() if key in _PLAIN}
    return {key: value for key, value in found.items() if value != _PLAIN[key]}


@dataclass(frozen=True)
class Platform:
    """A machine as run time sees it: `machine`, and two things that a configuration need not say.

    `multicast`: routers copy flits where the ways of a flow part; otherwise each destination is a flow of its own.
    `events`: spikes that the input buffer of one crossbar holds.
    """

    machine: Machine
    multicast: bool
    events: int

    @property
    def tiles(self) -> int:
        """The number of tiles."""
        return self.machine.mesh[0] * self.machine.mesh[1]

    @property
    def crossbars(self) -> int:
        """The number of crossbars; number n is crossbar n % crossbars_per_tile of tile n // crossbars_per_tile."""
        return self.tiles * self.machine.crossbars_per_tile

    def misfit(self, built_for: "Platform") -> str | None:
        """Why a package for `built_for` cannot run here, in words; None: it can.

        The number of tiles, where the host is and how many crossbars a tile has may differ; what a crossbar and a link
        can do, and how long it takes, may not. A larger buffer is no harm.
        """
        there, here = built_for.machine, self.machine
        if (there.arity is None) != (here.arity is None):
            return "it is for another topology"
        for name in ("rows", "columns", "weight_bits", "signal_bits", "cell_bits", "signs"):
            if getattr(there, name) != getattr(here, name):
                return f"it is for crossbars with {name} {getattr(there, name)}, these have {getattr(here, name)}"
        for each in fields(Times):
            before, now = getattr(there.time, each.name), getattr(here.time, each.name)
            if before != now and not each.name.startswith("chip_"):
                return f"it is for a machine with time.{each.name} {before}, here it is {now}"
        problem = _smaller_memory(there.delays, here.delays)
        if problem is not None:
            return problem
        if built_for.events > self.events:
            return f"it needs input buffers of {built_for.events} events, these hold {self.events}"
        if built_for.multicast != self.multicast:
            kinds = ("unicast", "multicast")
            return f"it is for {kinds[built_for.multicast]} routes, these are {kinds[self.multicast]}"
        return None

    def as_json(self) -> dict[str, Any]:
        """Plain values, for files."""
        plain = {key: value for key, value in asdict(self.machine).items() if key not in _PLAIN}
        return {**plain, **codes_of(self.machine), "multicast": self.multicast, "events": self.events}

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> "Platform":
        """The inverse of `as_json`. Raises KeyError, TypeError or ValueError for anything else."""
        found = {**_PLAIN, **raw}
        values: dict[str, Any] = {each.name: found[each.name] for each in fields(Machine)}
        values["time"] = Times(**raw["time"])
        values["device"] = None if found["device"] is None else Device(**found["device"])
        values["delays"] = None if found["delays"] is None else Delays(**found["delays"])
        values["mesh"], values["host"] = _pair(raw["mesh"]), _pair(raw["host"])
        values["chip"] = None if raw["chip"] is None else _pair(raw["chip"])
        return Platform(Machine(**values), bool(raw["multicast"]), int(raw["events"]))


def _smaller_memory(there: Delays | None, here: Delays | None) -> str | None:
    """Why what was built for one delay memory does not fit another; None: it does."""
    kinds = [None if each is None else each.memory for each in (there, here)]
    if kinds[0] != kinds[1]:
        words = [f"delay memories of kind '{kind}'" if kind else "no delay memories" for kind in kinds]
        return f"it is for crossbars with {words[0]}, these have {words[1]}"
    if there is not None and here is not None and here.entries and not 0 < there.entries <= here.entries:
        asked = f"of {there.entries} entries" if there.entries else "without a limit"
        return f"it is for delay memories {asked}, these hold {here.entries}"
    return None


def _pair(value: Any) -> tuple[int, int]:
    x, y = value
    return int(x), int(y)
