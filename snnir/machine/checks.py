"""What the parts of a configuration must say about each other. Each check raises `SnnirError` at the first violation.

The machine would otherwise compute something else than the compiler meant (a neuron in two slices, a cell that drives
a column of another slice), or faster than it can (a missing channel or flow).
"""

from collections.abc import Callable, Iterable
from typing import NoReturn

import numpy as np

from snnir.errors import SnnirError
from snnir.machine.delays.memory import Limit
from snnir.machine.delays.ring import check_slots
from snnir.machine.parts import Activation, Channel, Configuration, Crossbar, Dependency, Flow, Place, Slice, Tile
from snnir.machine.topology import branches, is_tile


def check(configuration: Configuration) -> None:
    """Raise `SnnirError` unless the parts fit together; the place is a JSON pointer into `config.json`."""
    for rule in _RULES:
        rule(configuration)


def _fail(configuration: Configuration, pointer: str, message: str, hint: str) -> NoReturn:
    raise SnnirError(f"{configuration.path}:{pointer}", message, hint)


def _check_names(configuration: Configuration) -> None:
    slices = [
        (f"/crossbars/{c}/slices/{s}", part.name)
        for c, crossbar in enumerate(configuration.crossbars)
        for s, part in enumerate(crossbar.slices)
    ]
    inputs = [(f"/inputs/{n}", item.name) for n, item in enumerate(configuration.inputs)]
    outputs = [(f"/outputs/{n}", item.name) for n, item in enumerate(configuration.outputs)]
    spaces: list[Iterable[tuple[str, str]]] = [
        inputs + slices,
        outputs + slices,
        [(f"/crossbars/{n}", item.name) for n, item in enumerate(configuration.crossbars)],
    ]
    for space in spaces:
        seen: dict[str, str] = {}
        for pointer, name in space:
            if name in seen:
                _fail(configuration, pointer, f"the name {name!r} is taken by {seen[name]}", "give each its own name")
            seen[name] = pointer
    populations = {population.name for population in configuration.populations}
    for number, output in enumerate(configuration.outputs):
        if output.population not in populations:
            message = f"no population {output.population!r}"
            _fail(configuration, f"/outputs/{number}/population", message, "name one of 'populations'")


def _check_floor(configuration: Configuration) -> None:
    machine = configuration.machine
    if machine.arity is not None and machine.mesh[1] != 1:
        _fail(configuration, "/machine/mesh", f"the tiles of a tree are {list(machine.mesh)}", "write [leaves, 1]")
    if machine.chip is not None and machine.arity is not None:
        _fail(configuration, "/machine/chip", "a tree of several chips", "only a mesh consists of chips")
    if machine.chip is not None and any(m % c for m, c in zip(machine.mesh, machine.chip, strict=True)):
        message = f"a mesh of {list(machine.mesh)} does not consist of chips of {list(machine.chip)}"
        _fail(configuration, "/machine/chip", message, "columns and rows of the mesh are multiples of those of a chip")
    if machine.time.chip_flit is not None and (machine.time.chip_flit == 0) != (machine.time.flit == 0):
        message = f"flits take {machine.time.flit} within a chip and {machine.time.chip_flit} between chips"
        _fail(configuration, "/machine/time/chip_flit", message, "either both take time or none does")
    if not is_tile(machine, machine.host):
        message = f"the host's tile {list(machine.host)} is outside the mesh {list(machine.mesh)}"
        _fail(configuration, "/machine/host", message, "attach the host to one of the mesh's routers")


def _check_device(configuration: Configuration) -> None:
    machine, device = configuration.machine, configuration.machine.device
    if device is None:
        return
    if device.r_on >= device.r_off:
        message = f"r_on is {device.r_on:g} ohm and r_off {device.r_off:g} ohm"
        _fail(configuration, "/machine/device/r_on", message, "a cell that is on has the smaller resistance")
    if device.stuck_on + device.stuck_off > 1:
        _fail(configuration, "/machine/device", "more than all cells are stuck", "shares of all cells are meant")
    if machine.weight_bits is None or machine.signs != "pair":
        message = "a device holds levels, and no conductance is negative"
        _fail(configuration, "/machine/device", message, "state 'weight_bits', and 'signs' as 'pair'")
    levels = 1 << (machine.cell_bits or machine.weight_bits - 1)
    if device.levels != levels:
        message = f"{device.levels} levels, but cells hold {levels}"
        _fail(configuration, "/machine/device/levels", message, "levels are 2 to the power of the bits of a cell")


def _check_delays(configuration: Configuration) -> None:
    """Entries are reserved where there are delays and a memory, rings have their slots and hold whole numbers."""
    machine, delays = configuration.machine, configuration.machine.delays
    if delays is not None and delays.memory == "ring" and machine.weight_bits is None:
        message = "a ring buffer of real numbers, whose sums depend on the order in which spikes come"
        _fail(configuration, "/machine/delays/memory", message, "state 'weight_bits', or use another memory")
    for number, crossbar in enumerate(configuration.crossbars):
        pointer = f"/crossbars/{number}"
        if crossbar.delays is not None:
            if delays is None:
                message = "entries of a delay memory, and the machine has none"
                _fail(configuration, f"{pointer}/delays", message, "state 'delays' of the machine, or remove these")
            if not crossbar.has_delays:
                _fail(configuration, f"{pointer}/delays", "no row has a delay", "remove 'delays' of the crossbar")
            if delays.entries and crossbar.delays.entries > delays.entries:
                message = f"{crossbar.delays.entries} entries are reserved, and the memory has {delays.entries}"
                hint = "prune delays, or choose a machine with a larger memory"
                _fail(configuration, f"{pointer}/delays/entries", message, hint)
        if delays is not None and delays.memory == "ring" and crossbar.has_delays:
            place = f"{configuration.path}:{pointer}"
            check_slots(crossbar, Limit(place, crossbar.name, configuration.entries_of(crossbar)))


def _check_sites(configuration: Configuration) -> None:
    machine = configuration.machine
    sites: dict[tuple[Tile, int], str] = {}
    for number, crossbar in enumerate(configuration.crossbars):
        pointer = f"/crossbars/{number}"
        if not is_tile(machine, crossbar.tile):
            message = f"tile {list(crossbar.tile)} is outside the mesh {list(machine.mesh)}"
            _fail(configuration, f"{pointer}/tile", message, "x and y count from 0")
        if crossbar.index >= machine.crossbars_per_tile:
            message = f"crossbar {crossbar.index} of a tile with {machine.crossbars_per_tile}"
            _fail(configuration, f"{pointer}/index", message, "indices count from 0")
        site = (crossbar.tile, crossbar.index)
        if site in sites:
            _fail(configuration, pointer, f"{sites[site]!r} has the same tile and index", "one crossbar per place")
        sites[site] = crossbar.name


def _check_crossbars(configuration: Configuration) -> None:
    for number, crossbar in enumerate(configuration.crossbars):
        pointer = f"/crossbars/{number}"
        names = [part.name for part in crossbar.slices]
        if sorted(crossbar.order) != sorted(names):
            message = f"the order {_list(crossbar.order)} does not name each slice once"
            _fail(configuration, f"{pointer}/order", message, f"order these: {_list(names)}")
        if len(crossbar.stages) != len(crossbar.order):
            message = f"{len(crossbar.stages)} stages for {len(crossbar.order)} slices"
            _fail(configuration, f"{pointer}/stages", message, "give one for each slice of the order")
        _check_cells(configuration, crossbar, pointer)


def _check_cells(configuration: Configuration, crossbar: Crossbar, pointer: str) -> None:
    """Columns belong to one slice each, rows to at least one, and cells to a row and a column of one slice."""
    machine = configuration.machine
    owners = np.full(machine.weight_columns, -1)
    unused = crossbar.cells != 0
    fed = sum(len(group.neurons) for group in crossbar.rows)
    rows = np.zeros(machine.rows, np.bool)
    windowed = np.zeros(sum(len(group.neurons) for group in crossbar.windowed), np.bool)
    for number, part in enumerate(crossbar.slices):
        columns = slice(*part.columns)
        taken = owners[columns][owners[columns] >= 0]
        if taken.size:
            message = f"its columns are also those of {crossbar.slices[int(taken[0])].name!r}"
            _fail(configuration, f"{pointer}/slices/{number}/columns", message, "give each slice its own columns")
        owners[columns] = number
        if part.windows is not None:
            if (part.rows < fed).any() or rows[part.rows].any():
                message = "its kernel sits on rows that axons or other kernels use"
                _fail(configuration, f"{pointer}/slices/{number}/rows", message, "give each kernel its own rows")
            windowed[part.axons] = True
        rows[part.rows] = True
        unused[part.rows, columns] = False
    if not windowed.all():
        message = f"no window meets axon {int(np.argmin(windowed))}"
        _fail(configuration, f"{pointer}/windowed", message, "remove the axon")
    if not rows[:fed].all():
        message = f"no slice uses row {int(np.argmin(rows[:fed]))}"
        _fail(configuration, f"{pointer}/rows", message, "remove the row, or name it in a slice")
    if unused.any():
        row, column = (int(index) for index in np.argwhere(unused)[0])
        message = f"the cell at row {row}, column {column} is programmed, but no slice uses it"
        _fail(configuration, f"{pointer}/cells", message, "unused cells must be 0")
    if machine.weight_bits is not None:
        least, most = -(1 << (machine.weight_bits - 1)), max(1, (1 << (machine.weight_bits - 1)) - 1)
        wrong = crossbar.cells[(crossbar.cells < least) | (crossbar.cells > most)]
        if wrong.size:
            message = f"a cell holds {int(wrong[0])}, which has more than {machine.weight_bits} bits"
            _fail(configuration, f"{pointer}/cells", message, f"cells go from {least} to {most}")


def _check_partials(configuration: Configuration) -> None:
    users: dict[str, str] = {}
    for part, pointer in _slices(configuration):
        for name in part.partials:
            other = configuration.slices.get(name)
            if other is None or not other.is_partial:
                _fail(
                    configuration, f"{pointer}/partials", f"no partial slice {name!r}", "name slices of kind 'partial'"
                )
            if name in users:
                _fail(configuration, f"{pointer}/partials", f"{users[name]!r} adds {name!r} already", "add each once")
            if other.population != part.population or not np.array_equal(other.neurons, part.neurons):
                message = f"{name!r} sums for other neurons"
                _fail(configuration, f"{pointer}/partials", message, "same population and neurons, in the same order")
            users[name] = part.name
    for part, pointer in _slices(configuration):
        if part.is_partial and part.name not in users:
            _fail(configuration, pointer, f"no slice adds the partial slice {part.name!r}", "name it in 'partials'")


def _check_coverage(configuration: Configuration) -> None:
    found = {population.name: 0 for population in configuration.populations}
    for part in configuration.slices.values():
        found[part.population] += 0 if part.is_partial else part.width
    for number, population in enumerate(configuration.populations):
        pointer = f"/populations/{number}"
        if found[population.name] < population.size:
            message = f"{population.size} neurons, but slices hold {found[population.name]}"
            _fail(configuration, pointer, message, "put each neuron in exactly one slice of kind 'neurons'")
        holders = np.zeros(population.size, np.int64)
        for part in configuration.slices.values():
            if part.population == population.name and not part.is_partial:
                holders[part.neurons] += 1
        if (holders != 1).any():
            neuron = int(np.argmax(holders != 1))
            message = f"neuron {neuron} is in {holders[neuron]} slices of kind 'neurons'"
            _fail(configuration, pointer, message, "put each neuron in exactly one")


def _check_codes(configuration: Configuration) -> None:
    """What slices emit is what their population does; rows take codes of the machine's bits, without a sign."""
    signals = {item.name: item for item in (*configuration.inputs, *configuration.populations)}
    limit = configuration.machine.signal_bits
    for c, crossbar in enumerate(configuration.crossbars):
        for s, part in enumerate(crossbar.slices):
            code = signals[part.population].code
            pointer = f"/crossbars/{c}/slices/{s}/neuron"
            if part.neuron is not None and isinstance(part.neuron, Activation) != (code is not None):
                message = f"{part.neuron.model!r} does not emit what {part.population!r} does"
                _fail(configuration, f"{pointer}/model", message, "'bits' of a population say that it emits codes")
            if isinstance(part.neuron, Activation) and code is not None:
                least, most = float(np.min(part.neuron.least)), float(np.max(part.neuron.most))
                if least < code.least or most > code.most:
                    message = f"codes from {least:g} to {most:g}"
                    _fail(configuration, pointer, message, f"{part.population!r} has {code.least} to {code.most}")
        for field in ("rows", "windowed"):
            for r, group in enumerate(getattr(crossbar, field)):
                code = signals[group.source].code
                if code is not None and (code.signed or code.bits > limit):
                    message = f"codes of {code.bits} bits{' with a sign' if code.signed else ''}"
                    hint = f"rows take codes of {limit} bits, without a sign" if limit else "rows take spikes only"
                    _fail(configuration, f"/crossbars/{c}/{field}/{r}/source", message, hint)


def _check_channels(configuration: Configuration) -> None:
    needed = {(d.source, d.target): d.delay for d in reversed(_needs(configuration))}
    outputs = {output.name for output in configuration.outputs}
    inputs = {item.name for item in configuration.inputs}
    delays: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str, int]] = set()
    for number, channel in enumerate(configuration.channels):
        pointer = f"/channels/{number}"
        if channel.source not in configuration.slices and channel.source not in inputs:
            _fail(configuration, f"{pointer}/from", f"no slice or input {channel.source!r}", "name one of this file")
        if channel.target not in configuration.slices and channel.target not in outputs:
            _fail(configuration, f"{pointer}/to", f"no slice or output {channel.target!r}", "name one of this file")
        pair = (channel.source, channel.target)
        if pair not in needed:
            message = f"{channel.target!r} reads nothing of {channel.source!r}"
            _fail(configuration, pointer, message, "remove the channel, or add the rows that it feeds")
        if (*pair, channel.delay) in seen:
            _fail(configuration, pointer, f"a second channel {_arrow(*pair)} with delay {channel.delay}", "keep one")
        if channel.delay > channel.capacity:
            message = f"{channel.delay} initial tokens do not fit a capacity of {channel.capacity}"
            _fail(configuration, f"{pointer}/capacity", message, "the capacity counts initial tokens too")
        seen.add((*pair, channel.delay))
        delays[pair] = min(channel.delay, delays.get(pair, channel.delay))
    for pair, delay in sorted(needed.items()):
        if delays.get(pair, delay + 1) > delay:
            message = f"no channel {_arrow(*pair)} with delay {delay}"
            _fail(configuration, "/channels", message, "each pair of a producer and its reader needs one")


def _needs(configuration: Configuration) -> list[Dependency]:
    """What must flow: what the rows and partial sums read, and the spikes of the outputs. Sorted."""
    to_host = [
        Dependency(part.name, output.name, 0)
        for output in configuration.outputs
        for part in configuration.slices.values()
        if part.population == output.population and not part.is_partial
    ]
    return sorted([*configuration.dependencies, *to_host])


def _check_flows(configuration: Configuration) -> None:
    needed = {
        route: None for channel in configuration.channels if (route := route_of(configuration, channel)) is not None
    }
    seen: set[tuple[str, Place]] = set()
    for number, flow in enumerate(configuration.flows):
        pointer = f"/flows/{number}"
        for to in flow.to:
            if (flow.source, to) not in needed:
                message = f"no channel needs the flow from {flow.source!r} to {_where(to)}"
                hint = "remove it: each producer has one flow to each other tile it feeds"
                _fail(configuration, pointer, message, hint)
            if (flow.source, to) in seen:
                _fail(configuration, pointer, f"a second flow from {flow.source!r} to {_where(to)}", "keep one")
            seen.add((flow.source, to))
        _check_branches(configuration, flow, pointer)
    for source, to in needed:
        if (source, to) not in seen:
            hint = "each producer needs one flow to each other tile that it feeds, and to the host"
            _fail(configuration, "/flows", f"no flow from {source!r} to {_where(to)}", hint)


def _check_branches(configuration: Configuration, flow: Flow, pointer: str) -> None:
    machine, home = configuration.machine, configuration.home.get(flow.source)
    if len(flow.branches) != len(flow.to):
        message = f"{len(flow.branches)} branches to {len(flow.to)} destinations"
        _fail(configuration, f"{pointer}/branches", message, "there is one to each")
    ends = [machine.host if to == "host" else to for to in flow.to]
    expected = branches(machine, machine.host if home is None else home.tile, ends)
    for number, (found, right) in enumerate(zip(flow.branches, expected, strict=True)):
        if found != right:
            field = "path" if configuration.version == 1 else f"branches/{number}"
            rule = "in x first, then in y" if machine.arity is None else "up and down the tree"
            message = f"the path {_list(found)} is not the way {rule}"
            _fail(configuration, f"{pointer}/{field}", message, f"the routers are {_list(right)}")


def _check_guarantee(configuration: Configuration) -> None:
    if configuration.guarantee is None:
        return
    slices = set(configuration.slices)
    emitters = slices | {item.name for item in configuration.inputs}
    fields = (
        ("peaks", configuration.guarantee.peaks, emitters),
        ("peaks_in", configuration.guarantee.peaks_in, slices),
    )
    for field, peaks, known in fields:
        for name in peaks:
            if name not in known:
                _fail(configuration, f"/guarantee/{field}", f"no slice or input {name!r}", "name one of this file")


def route_of(configuration: Configuration, channel: Channel) -> tuple[str, Place] | None:
    """The flow (source, destination) that a channel's tokens take; None when both ends are on one tile."""
    source, target = configuration.home.get(channel.source), configuration.home.get(channel.target)
    if target is None:
        return channel.source, "host"
    if source is not None and source.tile == target.tile:
        return None
    return channel.source, target.tile


def _slices(configuration: Configuration) -> Iterable[tuple[Slice, str]]:
    for c, crossbar in enumerate(configuration.crossbars):
        for s, part in enumerate(crossbar.slices):
            yield part, f"/crossbars/{c}/slices/{s}"


def _list(items: Iterable[object]) -> str:
    texts = [str(item) for item in items]
    return ", ".join(texts[:8]) + (f", ... ({len(texts)})" if len(texts) > 8 else "")


def _arrow(source: str, target: str) -> str:
    return f"from {source!r} to {target!r}"


def _where(place: Place) -> str:
    return "the host" if place == "host" else f"tile {list(place)}"


_RULES: tuple[Callable[[Configuration], None], ...] = (
    _check_names,
    _check_floor,
    _check_device,
    _check_sites,
    _check_crossbars,
    _check_partials,
    _check_coverage,
    _check_codes,
    _check_delays,
    _check_channels,
    _check_flows,
    _check_guarantee,
)
