"""`platform`: the machine, as one attribute on the module, so that a pipeline is a function of text alone.

`#platform.machine<...>` holds a `Machine`: tiles on a mesh or a tree, crossbars in each, what a crossbar can do and how
long it takes. All times are integers in one unit, so that everything derived from them is exact. The meaning of each
number is given beside its field; platform TOML files use the same names and name a source for each. Why it is an
attribute and not ops: docs/dialects/platform.md.
"""

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, cast, get_type_hints

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Data, Dialect, Operation
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import CODE_BITS, decimal, parse_fields, parse_text
from snnir.dialects.machine_delays import Delays
from snnir.dialects.machine_device import CONVERTER_BITS, Device
from snnir.dialects.machine_energy import Energy
from snnir.dialects.machine_neurons import ACTIVATED
from snnir.semantics import PARAMETERS

Pair = tuple[int, int]
ATTRIBUTE = "platform.machine"
"""The name under which the module carries its machine."""
_QUIET = "said where meant"
_SAID_WHERE_MEANT = {_QUIET: True}
"""Marks fields that text states only where they differ from the default, so that older text is as it was."""


@dataclass(frozen=True)
class Tiles:
    """The tiles and the routers between them."""

    mesh: Pair
    """Tiles in x and y; router (x, y) has links to its four neighbours. On a tree: [leaves, 1]."""
    crossbars: int
    """Crossbars behind each tile's router."""
    host: Pair = (0, 0)
    """The router to which the host (inputs and outputs) is attached, that of a tile."""
    topology: str = "mesh"
    """How routers are linked: `mesh`, or `tree`, where router (i, 0) stands on tile i and its parents on no tile."""
    arity: int = 0
    """On a tree: the parent of router (i, l) is (i // arity, l + 1)."""
    chip: Pair = (0, 0)
    """Tiles in x and y of each chip, where the mesh consists of several; [0, 0]: one chip."""
    table_entries: int = 0
    """Entries of each router's table; 0: no limit. A route with one destination takes one entry, at the router where it
    starts; one with several takes one at each router that it passes."""
    routes: str = "unicast"
    """How spikes go to several tiles: `unicast`, one for each of them, or `multicast`, one that routers copy where ways
    part."""

    @property
    def is_tree(self) -> bool:
        """Whether the routers are a tree."""
        return self.topology == "tree"


@dataclass(frozen=True)
class Crossbar:
    """One crossbar and its neurons."""

    rows: int
    """Input lines (axons)."""
    columns: int
    """Output lines as they are built; a weight takes `columns_per_weight` of them, one where nothing else is said."""
    weight_bits: int = 0
    """Bits of a signed programmed weight; 0: the machine states no precision and cells hold floats."""
    fanin: str = "none"
    """How a neuron with more inputs than rows is built: `digital` partial sums, `relay` neurons, or `none`."""
    models: tuple[str, ...] = ("if", "lif", "cuba_lif")
    """Neuron models that the columns can drive."""
    max_delay: int = 0
    """The longest delay in steps that the axons can be given."""
    neurons: int = 0
    """Neurons whose state one crossbar keeps. More than `columns`: a kernel can be read at several positions in a step,
    one after the other, and each column drives one neuron per read. 0: one neuron per column."""
    signal_bits: int = field(default=0, metadata=_SAID_WHERE_MEANT)
    """Bits of the codes that rows can be given, 1 to 16; 0: spikes only."""
    cell_bits: int = field(default=0, metadata=_SAID_WHERE_MEANT)
    """Bits that one cell holds; wider weights take several cells of a row. 0: a cell holds a whole weight."""
    signs: str = field(default="cell", metadata=_SAID_WHERE_MEANT)
    """How weights get a sign: `cell`, a cell has one, or `pair`, two cells hold a weight and are subtracted."""
    adc_bits: int = field(default=0, metadata=_SAID_WHERE_MEANT)
    """Bits of a conversion of a column's current, 1 to 16; 0: exact."""
    synapses: int = field(default=0, metadata=_SAID_WHERE_MEANT)
    """Weights other than 0 that the memory of one crossbar holds; 0: one in each cell."""

    @property
    def columns_per_weight(self) -> int:
        """How many columns the weights of one neuron (or partial sum) take."""
        held = self.weight_bits - 1 if self.signs == "pair" else self.weight_bits
        slices = -(-held // self.cell_bits) if self.cell_bits else 1
        return slices * (2 if self.signs == "pair" else 1)

    @property
    def weight_columns(self) -> int:
        """Columns of weights, each driving one neuron or one partial sum: what slices are numbered by."""
        return self.columns // self.columns_per_weight


@dataclass(frozen=True)
class Buffers:
    """Memory for tokens that have arrived and wait to be used."""

    events: int
    """Spikes (or partial sums) that the input buffer of one crossbar holds."""


@dataclass(frozen=True)
class Link:
    """The network between tiles."""

    arbitration: str = "round-robin"
    """How flows share a link: `round-robin`, one flit at a time."""
    flit: int = 1
    """Time for which a flit occupies a link."""
    hop_x: int = 0
    """Further time until the flit is at the next router in x."""
    hop_y: int = 0
    """Further time until the flit is at the next router in y; on a tree, at any next router."""
    chip_flit: int = 0
    """Time for which a flit occupies a link from chip to chip; 0: as within a chip."""
    chip_hop: int = 0
    """Further time until the flit is at the next router on another chip; 0: as within a chip."""
    energy_x: int = 0
    """Femtojoule that a flit takes on its way to the next router in x; 0 in both directions: not stated."""
    energy_y: int = 0
    """Femtojoule that a flit takes on its way to the next router in y; on a tree, to any next router."""


@dataclass(frozen=True)
class Time:
    """How long a slice fires, in `unit`:
    `event * spikes in + reads * (read + convert * ceil(columns / columns_per_adc)) + add * neurons * partial sums
    + update * neurons + spike * spikes out`, with the columns as they are built (`Crossbar.columns_per_weight`)."""

    unit: str
    """`s`, `ms`, `us`, `ns` or `ps`."""
    read: int
    """One read of the crossbar."""
    event: int = 0
    """Each spike that is taken from the input buffer and drives a row."""
    convert: int = 0
    """One analogue-to-digital conversion."""
    columns_per_adc: int = 1
    """Columns that share one converter."""
    add: int = 0
    """Adding one partial sum to one column."""
    update: int = 0
    """Updating one neuron."""
    spike: int = 0
    """Encoding one emitted spike."""


SIGNS = ("cell", "pair")
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12}
"""Time units and how many of them a second has."""


@dataclass(frozen=True)
class Machine:
    """A machine: see the classes of its parts."""

    name: str
    tiles: Tiles
    crossbar: Crossbar
    buffers: Buffers
    link: Link = field(default_factory=Link)
    time: Time = field(default_factory=lambda: Time("ns", 1))
    device: Device | None = None
    """What the cells are made of; `None`: not stated."""
    delays: Delays | None = None
    """The delay memory of each crossbar; `None`: every axon keeps its own past spikes."""
    energy: Energy | None = None
    """What crossbars and neurons take; `None`: not stated."""

    @property
    def crossbars(self) -> int:
        """The number of crossbars of the whole machine."""
        return self.tiles.mesh[0] * self.tiles.mesh[1] * self.tiles.crossbars

    @property
    def units_per_second(self) -> int:
        """Time units in a second."""
        return UNITS[self.time.unit]

    def problem(self) -> str | None:
        """What makes this no machine, in words; `None` when nothing does."""
        tiles, crossbar, time = self.tiles, self.crossbar, self.time
        positive = {
            "tiles.mesh": min(tiles.mesh),
            "tiles.crossbars": tiles.crossbars,
            "crossbar.rows": crossbar.rows,
            "crossbar.columns": crossbar.columns,
            "buffers.events": self.buffers.events,
            "time.columns_per_adc": time.columns_per_adc,
        }
        for name, value in positive.items():
            if value < 1:
                return f"{name} must be at least 1"
        for part_name, part in (("tiles", tiles), ("crossbar", crossbar), ("link", self.link), ("time", time)):
            for f in fields(part):
                value = getattr(part, f.name)
                if isinstance(value, int) and value < 0:
                    return f"{part_name}.{f.name} must not be negative"
        if not (0 <= tiles.host[0] < tiles.mesh[0] and 0 <= tiles.host[1] < tiles.mesh[1]):
            return "tiles.host lies outside the mesh"
        if crossbar.weight_bits and not 2 <= crossbar.weight_bits <= 32:
            return "crossbar.weight_bits is 0 (no stated precision) or 2 to 32"
        if not crossbar.models:
            return "crossbar.models is empty"
        return (
            self._problem_of_cells()
            or self._problem_of_device()
            or self._problem_of_delays()
            or self._problem_of_energy()
            or self._problem_of_words()
            or self._problem_of_floor()
        )

    def _problem_of_cells(self) -> str | None:
        crossbar = self.crossbar
        if crossbar.signal_bits > CODE_BITS:
            return f"crossbar.signal_bits is 0 (spikes only) or 1 to {CODE_BITS}"
        if crossbar.cell_bits and not crossbar.weight_bits:
            return "crossbar.cell_bits needs crossbar.weight_bits: weights of unstated precision are not cut into cells"
        if crossbar.cell_bits > max(1, crossbar.weight_bits):
            return (
                f"crossbar.cell_bits is 0 (a cell holds a weight) or 1 to crossbar.weight_bits = {crossbar.weight_bits}"
            )
        if crossbar.signs in SIGNS and not crossbar.weight_columns:
            return f"crossbar.columns are fewer than the {crossbar.columns_per_weight} columns of one weight"
        return None

    def _problem_of_device(self) -> str | None:
        crossbar, device = self.crossbar, self.device
        if crossbar.adc_bits > CONVERTER_BITS:
            return f"crossbar.adc_bits is 0 (exact) or 1 to {CONVERTER_BITS}"
        if device is None:
            return "crossbar.adc_bits needs a table device" if crossbar.adc_bits else None
        if not crossbar.weight_bits:
            return "crossbar.weight_bits must be stated where there is a device: cells hold levels, not real numbers"
        if crossbar.signs != "pair":
            return 'crossbar.signs must be "pair" where there is a device: no conductance is negative'
        return device.problem(crossbar.cell_bits or crossbar.weight_bits - 1)

    def _problem_of_delays(self) -> str | None:
        if self.delays is None:
            return None
        if self.delays.memory == "ring" and not self.crossbar.weight_bits:
            return "crossbar.weight_bits must be stated where delays.memory is ring: slots add up whole numbers"
        return self.delays.problem()

    def _problem_of_energy(self) -> str | None:
        if self.energy is None:
            return None
        if self.energy.delay and self.delays is None:
            return "energy.delay is for a delay memory, and there is no table delays"
        return self.energy.problem()

    def _problem_of_words(self) -> str | None:
        words = {
            "crossbar.fanin": (self.crossbar.fanin, ("digital", "relay", "none")),
            "crossbar.signs": (self.crossbar.signs, SIGNS),
            "tiles.topology": (self.tiles.topology, ("mesh", "tree")),
            "tiles.routes": (self.tiles.routes, ("unicast", "multicast")),
            "link.arbitration": (self.link.arbitration, ("round-robin",)),
            "time.unit": (self.time.unit, tuple(UNITS)),
            **{f"crossbar.models '{m}'": (m, (*PARAMETERS, *ACTIVATED)) for m in self.crossbar.models},
        }
        for name, (value, choices) in words.items():
            if value not in choices:
                return f"{name} is '{value}'; use one of {', '.join(choices)}"
        return None

    def _problem_of_floor(self) -> str | None:
        tiles, link = self.tiles, self.link
        chips = tiles.chip != (0, 0)
        problems = {
            "tiles.mesh of a tree is [leaves, 1]": tiles.is_tree and tiles.mesh[1] != 1,
            "tiles.arity is at least 2 on a tree": tiles.is_tree and tiles.arity < 2,
            "tiles.arity belongs to a tree": not tiles.is_tree and tiles.arity != 0,
            "tiles.chip belongs to a mesh": tiles.is_tree and chips,
            "tiles.mesh does not consist of whole chips of tiles.chip": chips
            and (min(tiles.chip) < 1 or any(m % c for m, c in zip(tiles.mesh, tiles.chip, strict=True))),
            "link.hop_x is for a mesh; all links of a tree take link.hop_y": tiles.is_tree and link.hop_x != 0,
            "link.energy_x is for a mesh; all links of a tree take link.energy_y": tiles.is_tree and link.energy_x != 0,
            "link.chip_flit is for links between chips, and tiles.chip names none": not chips and link.chip_flit != 0,
            "link.chip_hop is for links between chips, and tiles.chip names none": not chips and link.chip_hop != 0,
            "link.flit must be at least 1 where link.chip_flit is": link.chip_flit != 0 and not link.flit,
        }
        return next((problem for problem, found in problems.items() if found), None)


GROUPS: dict[str, type] = {
    "tiles": Tiles,
    "crossbar": Crossbar,
    "buffers": Buffers,
    "link": Link,
    "time": Time,
    "device": Device,
    "delays": Delays,
    "energy": Energy,
}
"""The parts of a machine, by the name they have in text and in platform files."""
OPTIONAL = ("device", "delays", "energy")
"""Parts that a machine may be without."""


class MachineError(ValueError):
    """A machine description that does not fit; `key` is the dotted name of the entry at fault."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        super().__init__(message)


def machine_from(name: str, entries: Mapping[str, Mapping[str, object]]) -> Machine:
    """A machine from plain values, as a platform file or the IR's text gives them. Raises `MachineError`."""
    for group in entries:
        if group not in GROUPS:
            raise MachineError(group, f"no part '{group}' in a machine{_nearest(group, GROUPS)}")
    parts: dict[str, Any] = {}
    for group, class_ in GROUPS.items():
        required = group not in OPTIONAL and any(f.default is MISSING for f in fields(class_))
        if group in entries or required:
            parts[group] = _part(group, class_, entries.get(group, {}))
    machine = Machine(name, **parts)
    problem = machine.problem()
    if problem:
        raise MachineError(problem.split()[0], problem)
    return machine


def device_from(entries: Mapping[str, object]) -> Device:
    """A device from plain values, without a machine around it. Raises `MachineError`."""
    device = cast(Device, _part("device", Device, entries))
    problem = device.problem()
    if problem:
        raise MachineError(problem.split()[0], problem)
    return device


def _part(group: str, class_: type, entries: Mapping[str, object]) -> Any:
    types = get_type_hints(class_)
    values: dict[str, Any] = {}
    for key, value in entries.items():
        if key not in types:
            raise MachineError(f"{group}.{key}", f"no entry '{key}' in {group}{_nearest(key, types)}")
        values[key] = _typed(f"{group}.{key}", types[key], value)
    for f in fields(class_):
        if f.name not in values and f.default is MISSING:
            raise MachineError(group, f"{group}.{f.name} is missing")
    return class_(**values)


def _typed(key: str, type_: Any, value: object) -> object:
    if type_ is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    is_number = type_ is float and isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and abs(cast(float, value)) <= sys.float_info.max:
        return float(cast(float, value))
    if type_ is str and isinstance(value, str):
        return value
    items = tuple(cast(list[object], value)) if isinstance(value, list | tuple) else ()
    if type_ == Pair and len(items) == 2 and all(isinstance(x, int) and not isinstance(x, bool) for x in items):
        return items
    if type_ == tuple[str, ...] and items and all(isinstance(x, str) for x in items):
        return items
    wanted = {int: "a whole number", float: "a number", str: "a word in quotes", Pair: "two whole numbers [x, y]"}
    raise MachineError(key, f"{key} must be {wanted.get(type_, 'a list of words')}, not {value!r}")


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(known)}"


@irdl_attr_definition
class MachineAttr(Data[Machine]):
    """The machine that a module is compiled for.

    ```mlir
    #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 1), crossbar(rows = 32, columns = 32),
      buffers(events = 256), time(unit = "ns", read = 10)>
    ```
    """

    name = "platform.machine"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Machine:
        start = parser.pos
        entries: dict[str, dict[str, object]] = {}
        with parser.in_angle_brackets():
            name = parse_text(parser, "the machine's name")
            while parser.parse_optional_punctuation(","):
                group = parser.parse_identifier(" (a part of the machine)")
                if group in entries:
                    parser.raise_error(f"'{group}' is given twice", start)
                entries[group] = parse_fields(parser, lambda: _value(parser))
        try:
            return machine_from(name, entries)
        except MachineError as error:
            parser.raise_error(str(error), start)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string_literal(self.data.name)
            for group in GROUPS:
                part = getattr(self.data, group)
                if part is None:
                    continue
                text = ", ".join(
                    f"{f.name} = {_text(getattr(part, f.name))}" for f in fields(part) if _is_said(part, f)
                )
                printer.print_string(f", {group}({text})")

    def verify(self) -> None:
        problem = self.data.problem()
        if problem:
            raise VerifyException(problem)


def _value(parser: AttrParser) -> object:
    word = parser.parse_optional_str_literal()
    if word is not None:
        return word
    items = parser.parse_optional_comma_separated_list(parser.Delimiter.SQUARE, lambda: _value(parser))
    return items if items is not None else parser.parse_number()


def _is_said(part: object, f: "Field[Any]") -> bool:
    return _QUIET not in f.metadata or getattr(part, f.name) != f.default


def _text(value: object) -> str:
    match value:
        case str():
            return f'"{value}"'
        case float():
            return decimal(value)
        case tuple():
            return f"[{', '.join(_text(x) for x in cast(tuple[object, ...], value))}]"
        case _:
            return str(value)


def machine_of(op: Operation) -> Machine | None:
    """The machine of the module that `op` is or belongs to; `None` when it has none."""
    while op.parent_op() is not None and not isinstance(op, ModuleOp):
        op = cast(Operation, op.parent_op())
    attribute = op.attributes.get(ATTRIBUTE)
    if attribute is not None and not isinstance(attribute, MachineAttr):
        raise VerifyException(f"the module's attribute {ATTRIBUTE} is no #platform.machine")
    return attribute.data if attribute is not None else None


Platform = Dialect("platform", [], [MachineAttr])
