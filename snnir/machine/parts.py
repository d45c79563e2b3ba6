"""The parts of a configured machine, as frozen dataclasses, and which slice waits for which.

Nothing here reads files; `snnir.machine.configuration.load` builds these from an emitted directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Tile: TypeAlias = tuple[int, int]
"""Position [x, y] of a tile, and of its router, in the mesh; on a tree [index, level], tiles on level 0."""

Place: TypeAlias = Tile | Literal["host"]
"""Where a flow ends: a tile or the host."""

Parameter: TypeAlias = float | NDArray[np.float64]
"""One number for all neurons of a slice, or one per neuron."""

UNIT_SECONDS: Mapping[str, Fraction] = {
    name: Fraction(1, 10**digits) for name, digits in {"s": 0, "ms": 3, "us": 6, "ns": 9, "ps": 12, "fs": 15}.items()
}
"""Seconds per unit of time."""


@dataclass(frozen=True)
class Times:
    """How long things take, integers in `unit` (see `config.schema.json` for each)."""

    unit: str
    read: int
    event: int
    convert: int
    columns_per_adc: int
    add: int
    update: int
    spike: int
    flit: int
    hop_x: int
    hop_y: int
    chip_flit: int | None = None
    """Of links between chips; None: as within a chip."""
    chip_hop: int | None = None


@dataclass(frozen=True)
class Device:
    """The resistive cells and the wires between them (see `config.schema.json` for each); no run here reads it."""

    levels: int
    r_on: float
    r_off: float
    variation: float
    stuck_on: float
    stuck_off: float
    read_noise: float
    wire: float


@dataclass(frozen=True)
class Delays:
    """The delay memory beside each crossbar, see `snnir.machine.delays`."""

    memory: Literal["ring", "queue", "circular", "fifo"]
    entries: int = 0
    """Slots of a ring buffer, or events of the others, of one crossbar; 0: no limit."""
    bits: int = 0
    """Bits of one slot or event, for sizes: nothing is computed with so many; 0: not stated."""


@dataclass(frozen=True)
class Machine:
    """The machine that is configured: `mesh` columns x rows of tiles, crossbars of `rows` x `columns` cells.

    `arity`: children of a router where the routers are a tree, None on a mesh; `chip`: columns x rows of tiles on each
    chip, None where there is one chip.
    """

    name: str
    mesh: tuple[int, int]
    crossbars_per_tile: int
    host: Tile
    rows: int
    columns: int
    weight_bits: int | None
    time: Times
    arity: int | None = None
    chip: tuple[int, int] | None = None
    signal_bits: int = 0
    """Bits of the codes that rows can be given; 0: spikes only."""
    cell_bits: int = 0
    """Bits that one cell holds; 0: a whole weight."""
    signs: Literal["cell", "pair"] = "cell"
    """Whether a cell has a sign, or two cells hold a weight and are subtracted."""
    adc_bits: int = 0
    """Bits of a conversion of a column's current; 0: exact."""
    device: Device | None = None
    """What cells are made of, for `snnir.analog`; None: not stated."""
    delays: Delays | None = None
    """The delay memory of a crossbar; None: each row keeps its own past spikes."""

    @property
    def columns_per_weight(self) -> int:
        """How many of the columns, as they are built, the weights of one neuron take."""
        pair = self.signs == "pair"
        held = (self.weight_bits or 0) - pair
        return (2 if pair else 1) * (-(-held // self.cell_bits) if self.cell_bits else 1)

    @property
    def weight_columns(self) -> int:
        """Columns of weights: what slices and cells are numbered by."""
        return self.columns // self.columns_per_weight


@dataclass(frozen=True, eq=False)
class Code:
    """Whole numbers of so many bits in place of spikes; q stands for the value `zero + step * q`."""

    bits: int
    signed: bool
    step: Parameter
    zero: Parameter

    @property
    def least(self) -> int:
        """The least code."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def most(self) -> int:
        """The largest code."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def dtype(self) -> "np.dtype[Any]":
        """The type of arrays of such codes: the smallest that holds all of them."""
        return np.dtype(f"{'i' if self.signed else 'u'}{1 if self.bits <= 8 else 2}")

    def encode(self, values: "NDArray[Any]") -> "NDArray[Any]":
        """The codes of values, (..., neurons): the nearest ones, halves upwards, within the range."""
        q = np.floor((np.asarray(values, np.float64) - self.zero) / self.step + 0.5)
        return np.minimum(np.maximum(q, self.least), self.most).astype(self.dtype)

    def decode(self, codes: "NDArray[Any]") -> NDArray[np.float64]:
        """The values that codes stand for."""
        return self.zero + self.step * np.asarray(codes, np.float64)


@dataclass(frozen=True)
class Signal:
    """An input or a population: a name and a number of neurons, which spike or, with a `code`, emit codes."""

    name: str
    size: int
    code: Code | None = None

    @property
    def dtype(self) -> "np.dtype[Any]":
        """The type of arrays of what it emits."""
        return np.dtype(np.uint8) if self.code is None else self.code.dtype


@dataclass(frozen=True)
class Output:
    """The host receives the spikes (or codes) of `population`."""

    name: str
    population: str


@dataclass(frozen=True, eq=False)
class RowGroup:
    """Rows of a crossbar driven by `neurons` of `source` (an input or a population), `delay` steps late."""

    source: str
    neurons: NDArray[np.int64]
    delay: int


@dataclass(frozen=True, eq=False)
class Neuron:
    """The update of the neurons of a slice; `syn_decay` and `syn_gain` are used by `cuba_lif` only."""

    model: Literal["if", "lif", "cuba_lif"]
    order: Literal["syn_first", "mem_first"]
    compare: Literal["gt", "ge"]
    reset: Literal["value", "subtract"]
    start: Literal["zero", "half"]
    decay: Parameter
    gain: Parameter
    drift: Parameter
    threshold: Parameter
    v_reset: Parameter
    syn_decay: Parameter
    syn_gain: Parameter


@dataclass(frozen=True, eq=False)
class Activation:
    """Neurons without a state: they emit the code min(most, max(least, floor((input - zero) / step + 1/2)))."""

    model: Literal["relu", "clip"]
    step: Parameter
    zero: Parameter
    least: Parameter
    most: Parameter


@dataclass(frozen=True, eq=False)
class Windows:
    """How a slice is read several times in a step: in read p its row k carries the windowed axon
    `lines[origins[p] + offsets[k]]`, none where that is -1. Each column then drives one neuron per read."""

    lines: NDArray[np.int64]
    origins: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def met(self) -> NDArray[np.int64]:
        """The windowed axon on each row in each read, (reads, rows)."""
        return self.lines[self.origins[:, None] + self.offsets]

    @cached_property
    def axons(self) -> NDArray[np.int64]:
        """The windowed axons that are read, ascending."""
        return np.unique(self.lines[self.lines >= 0])


@dataclass(frozen=True, eq=False)
class Slice:
    """Neurons of one population, or their partial sums (`neuron` is None), on columns `start <= c < stop`."""

    name: str
    population: str
    neurons: NDArray[np.int64]
    columns: tuple[int, int]
    rows: NDArray[np.int64]
    partials: tuple[str, ...]
    scale: Parameter
    bias: Parameter
    neuron: Neuron | Activation | None
    windows: Windows | None = None

    @property
    def is_partial(self) -> bool:
        """Whether this slice only sums for another one."""
        return self.neuron is None

    @property
    def width(self) -> int:
        """The number of neurons."""
        return len(self.neurons)

    @property
    def axons(self) -> NDArray[np.int64]:
        """What it reads: numbers of the crossbar's rows, or of its windowed axons."""
        return self.rows if self.windows is None else self.windows.axons

    @property
    def reads(self) -> int:
        """How often its cells are read in a step."""
        return 1 if self.windows is None else len(self.windows.origins)


@dataclass(frozen=True)
class DelayMemory:
    """What a crossbar takes of its delay memory: slots of a ring buffer, or events."""

    entries: int
    """How many are reserved; a run that needs more stops with an error."""
    bound: int
    """How many there are when every neuron spikes in every step."""
    observed: int | None
    """The most at a time on the data that the compiler had; None: it had none."""


@dataclass(frozen=True, eq=False)
class Crossbar:
    """One configured crossbar; `cells` is (rows, columns) of the machine, `order` the static order of its slices.

    In round r of the order a slice of stage s (one of `stages` for each slice of the order) fires for step r - s.
    """

    name: str
    tile: Tile
    index: int
    cells: NDArray[Any]
    rows: tuple[RowGroup, ...]
    slices: tuple[Slice, ...]
    order: tuple[str, ...]
    stages: tuple[int, ...]
    windowed: tuple[RowGroup, ...] = ()
    """What slices with windows read."""
    delays: DelayMemory | None = None
    """What is reserved of its delay memory; None: all that the machine has."""

    @property
    def has_delays(self) -> bool:
        """Whether a row, or a windowed axon, is driven later than its source emits."""
        return any(group.delay for group in (*self.rows, *self.windowed))


@dataclass(frozen=True)
class Channel:
    """A buffer of `capacity` tokens from a slice or input to a slice or output; `delay` of them are there at first."""

    source: str
    target: str
    delay: int
    capacity: int


@dataclass(frozen=True)
class Flow:
    """The way of the tokens of `source` to tiles and to the host: a tree, whose routers copy flits where it forks.

    `branches` has for each destination the routers from the last one that an earlier branch has reached (the source's
    own at first) to the destination's.
    """

    source: str
    to: tuple[Place, ...]
    branches: tuple[tuple[Tile, ...], ...]


@dataclass(frozen=True)
class Guarantee:
    """What the compiler promises: step k is complete at the host by `latency + k * period` (in the machine's unit).

    `peaks` (spikes emitted in a step, per slice and input) and `peaks_in` (spikes on a slice's rows in a step) are the
    activity that the promise assumes; empty when the file names none.
    """

    period: Fraction
    latency: Fraction
    activity: Literal["peak", "worst"]
    steps_per_second: float
    peaks: Mapping[str, int]
    peaks_in: Mapping[str, int]


@dataclass(frozen=True, order=True)
class Dependency:
    """Slice `target` reads what `source` (a slice or an input) emitted `delay` steps before."""

    source: str
    target: str
    delay: int


@dataclass(frozen=True, eq=False)
class Configuration:
    """A whole configured machine. `path` is its `config.json`, for messages; `version` that of the file's format."""

    path: Path
    version: int
    name: str
    dt: float
    steps: int | None
    machine: Machine
    inputs: tuple[Signal, ...]
    populations: tuple[Signal, ...]
    outputs: tuple[Output, ...]
    crossbars: tuple[Crossbar, ...]
    channels: tuple[Channel, ...]
    flows: tuple[Flow, ...]
    guarantee: Guarantee | None

    @cached_property
    def slices(self) -> Mapping[str, Slice]:
        """All slices by name, crossbar by crossbar."""
        return {part.name: part for crossbar in self.crossbars for part in crossbar.slices}

    @cached_property
    def home(self) -> Mapping[str, Crossbar]:
        """The crossbar of each slice, by the slice's name."""
        return {part.name: crossbar for crossbar in self.crossbars for part in crossbar.slices}

    def entries_of(self, crossbar: Crossbar) -> int | None:
        """How much the delay memory of a crossbar may hold; None: as much as comes."""
        if crossbar.delays is not None:
            return crossbar.delays.entries
        return (self.machine.delays.entries or None) if self.machine.delays is not None else None

    @cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Which slice reads what, sorted, once per delay: what the rows and the partial sums say."""
        owner = {population.name: np.full(population.size, -1) for population in self.populations}
        names = list(self.slices)
        for number, part in enumerate(self.slices.values()):
            if not part.is_partial:
                owner[part.population][part.neurons] = number
        found: set[Dependency] = set()
        for crossbar in self.crossbars:
            for part in crossbar.slices:
                found |= {Dependency(partial, part.name, 0) for partial in part.partials}
                for group, neurons, _ in taps(crossbar, part):
                    if group.source not in owner:
                        found.add(Dependency(group.source, part.name, group.delay))
                        continue
                    holders: list[int] = np.unique(owner[group.source][neurons]).tolist()
                    for number in holders:
                        found.add(Dependency(names[number], part.name, group.delay))
        return tuple(sorted(found))


def taps(crossbar: Crossbar, part: Slice) -> list[tuple[RowGroup, NDArray[np.int64], NDArray[np.int64]]]:
    """What a slice reads: for each row group that it uses, (group, neurons of the source, positions).

    `positions` are indices into `part.axons`; all positions together are each index once.
    """
    found: list[tuple[RowGroup, NDArray[np.int64], NDArray[np.int64]]] = []
    first, axons = 0, part.axons
    for group in crossbar.rows if part.windows is None else crossbar.windowed:
        last = first + len(group.neurons)
        positions = np.flatnonzero((axons >= first) & (axons < last))
        if len(positions):
            found.append((group, group.neurons[axons[positions] - first], positions))
        first = last
    return found
