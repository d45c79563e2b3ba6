"""The invariants of a partitioned program, checked against the program itself.

Every neuron is in exactly one slice; every synapse is on exactly one crossbar; partial sums meet their neurons; delays
are kept; rows, columns, places and routes fit the machine that the module names.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import symbol
from snnir.dialects.cluster import ClusterOp, InputOp, OutputOp, ProgramOp, address_of, routes_of, source_name
from snnir.dialects.cluster_attributes import Destination, PartialType, Slice
from snnir.dialects.connections import Connection, connections_of, emitter_of
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import InputOp as SourceOp
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.indices import Indices

Axon = tuple[str, int]
"""A source and a delay; with a neuron's number it names one axon."""
Held = list[tuple[NDArray[np.int64], NDArray[np.int64]]]
"""Of each slice of a population: its neurons, and its rows as numbers of the population's axons."""


def network_for(op: Operation, name: str) -> NetworkOp:
    """The program `@name` in the module around `op`."""
    later = False
    for other in op.parent.ops if op.parent is not None else ():
        later = later or other is op
        if isinstance(other, NetworkOp) and other.sym_name.data == name:
            if later:
                # it is verified after this op, but all that follows relies on it
                other.verify()
            return other
    raise VerifyException(f"there is no snn.network {symbol(name)} beside it")


def verify_program(program: ProgramOp) -> None:
    """Raise `VerifyException` when an invariant is broken."""
    network = network_for(program, program.network.root_reference.data)
    if program.body.block.args:
        raise VerifyException("a program takes no block arguments; its inputs are cluster.input")
    sources = network.sources
    for op in program.inputs:
        source = sources.get(op.sym_name.data)
        if not isinstance(source, SourceOp) or op.signal.type != source.signal.type:
            raise VerifyException(f"cluster.input @{op.sym_name.data} is no input of the program of that type")
    for op in [*program.clusters, *program.outputs]:
        _verify_operands(op, program)
    slices: dict[str, list[tuple[ClusterOp, Slice]]] = defaultdict(list)
    for cluster in program.clusters:
        _verify_signals(cluster)
        for part in cluster.parts:
            if not isinstance(sources.get(part.population), NeuronOp):
                raise VerifyException(f"@{cluster.sym_name.data}: the program has no population @{part.population}")
            slices[part.population].append((cluster, part))
    rows = {cluster: row_axons(cluster) for cluster in program.clusters}
    for name, population in sources.items():
        if isinstance(population, NeuronOp):
            _verify_neurons(name, population.size, slices[name])
            _verify_synapses(population, slices[name], rows)
    _verify_partials(program)
    _verify_outputs(program, network)
    machine = machine_of(program)
    if machine is not None:
        _verify_machine(program, machine)


def _verify_operands(op: ClusterOp | OutputOp, program: ProgramOp) -> None:
    for value in op.operands:
        owner = value.owner
        if not isinstance(owner, ClusterOp | InputOp) or owner.parent_op() is not program:
            raise VerifyException(f"@{op.sym_name.data}: reads something that no cluster or input of the program makes")


def row_axons(cluster: ClusterOp) -> list[tuple[Axon, NDArray[np.int64]]]:
    """The axons of consecutive rows: source and delay, and the neurons."""
    groups = zip(cluster.signals, cluster.axons, strict=True)
    return [((source_name(signal), a.data.delay), a.data.neurons.array) for signal, a in groups]


def _verify_signals(cluster: ClusterOp) -> None:
    """Each axon is carried by the signal that is read, and no axon feeds two rows."""
    seen: dict[Axon, set[int]] = defaultdict(set)
    for signal, axons in zip(cluster.signals, cluster.axons, strict=True):
        name, wanted = source_name(signal), axons.data.neurons.array
        if not _carries(signal, axons.data.neurons):
            raise VerifyException(f"@{cluster.sym_name.data}: reads neurons of @{name} that the signal does not carry")
        group = seen[name, axons.data.delay]
        numbers = wanted.tolist()
        if not group.isdisjoint(numbers):
            raise VerifyException(f"@{cluster.sym_name.data}: an axon of @{name} feeds two rows")
        group.update(numbers)


def _carries(signal: SSAValue, neurons: Indices) -> bool:
    """Whether a signal carries all of the neurons."""
    if isinstance(signal.owner, InputOp):
        return neurons.stop <= signal.owner.signal.type.size
    carried = address_of(signal)[1]
    return bool(np.isin(neurons.array, carried).all())


def _verify_neurons(name: str, size: int, slices: list[tuple[ClusterOp, Slice]]) -> None:
    counts = np.zeros(size, np.int64)
    for cluster, part in slices:
        if part.neurons.stop > size:
            raise VerifyException(f"@{cluster.sym_name.data}: @{name} has only {size} neurons")
        if not part.is_partial:
            counts[part.neurons.array] += 1
    wrong = np.flatnonzero(counts != 1)
    if wrong.size:
        raise VerifyException(f"neuron {wrong[0]} of @{name} is in {counts[wrong[0]]} slices instead of one")


def _verify_synapses(
    population: NeuronOp,
    slices: list[tuple[ClusterOp, Slice]],
    rows: dict[ClusterOp, list[tuple[Axon, NDArray[np.int64]]]],
) -> None:
    """Every synapse lies on exactly one crossbar: each neuron has, in all of its slices together, each axon once."""
    try:
        connections = connections_of(population)
    except SnnirError as error:
        raise VerifyException(error.message) from None
    columns = _columns_of(connections)
    held = [(part.neurons.array, _slice_columns(cluster, part, rows[cluster], columns)) for cluster, part in slices]
    for connection in connections:
        numbers, offset = columns[connection.source, connection.delay]
        wanted = offset + np.searchsorted(numbers, connection.neurons)
        count = _count_own if connection.one_to_one else _count_all
        wrong = count(held, wanted, population.size)
        if wrong is not None:
            target, place, found = wrong
            source = connection.neurons[target if connection.one_to_one else place]
            raise VerifyException(
                f"the synapse from @{connection.source}[{source}] to @{population.sym_name.data}[{target}] "
                f"(delay {connection.delay}) is on {found} crossbars instead of one"
            )


def _count_own(held: Held, wanted: NDArray[np.int64], size: int) -> tuple[int, int, int] | None:
    """The first neuron n whose one axon `wanted[n]` is not in exactly one of its slices: n, 0, in how many it is."""
    counts = np.zeros(size, np.int64)
    for neurons, axons in held:
        counts[neurons] += np.isin(wanted[neurons], axons)
    wrong = np.flatnonzero(counts != 1)
    return (int(wrong[0]), 0, int(counts[wrong[0]])) if wrong.size else None


def _count_all(held: Held, wanted: NDArray[np.int64], size: int) -> tuple[int, int, int] | None:
    """The first neuron that lacks one of the `wanted` axons or has one twice: neuron, place in `wanted`, how often.

    Neurons and axons of a layer make too many pairs to count. Each axon gets a random number of 64 bits instead, and a
    neuron whose axons have the right sum (modulo 2**64) has them once each, but for a chance of 2**-64.
    """
    last = max((int(axons.max(initial=0)) for _, axons in held), default=0)
    marks = np.zeros(max(last, int(wanted.max(initial=0))) + 1, np.uint64)
    marks[wanted] = np.random.default_rng(0).integers(1, 1 << 64, len(wanted), np.uint64)
    sums = np.zeros(size, np.uint64)
    for neurons, axons in held:
        sums[neurons] += marks[axons].sum()
    wrong = np.flatnonzero(sums != marks.sum())
    if not wrong.size:
        return None
    counts = np.zeros(len(marks), np.int64)
    for neurons, axons in held:
        counts[axons] += wrong[0] in neurons
    place = int(np.flatnonzero(counts[wanted] != 1)[0])
    return int(wrong[0]), place, int(counts[wanted[place]])


def _columns_of(connections: list[Connection]) -> dict[Axon, tuple[NDArray[np.int64], int]]:
    """The axons of a population in a row: per source and delay the sorted neurons, and where they start."""
    read: dict[Axon, list[NDArray[np.int64]]] = defaultdict(list)
    for connection in connections:
        read[connection.source, connection.delay].append(connection.neurons)
    result: dict[Axon, tuple[NDArray[np.int64], int]] = {}
    start = 0
    for axon, parts in read.items():
        numbers = np.unique(np.concatenate(parts))
        result[axon] = (numbers, start)
        start += len(numbers)
    return result


def _slice_columns(
    cluster: ClusterOp,
    part: Slice,
    groups: list[tuple[Axon, NDArray[np.int64]]],
    columns: dict[Axon, tuple[NDArray[np.int64], int]],
) -> NDArray[np.int64]:
    """Which of the population's axons a slice's rows are."""
    wanted = part.rows.array
    found: list[NDArray[np.int64]] = []
    start = 0
    for axon, neurons in groups:
        mine = neurons[wanted[(wanted >= start) & (wanted < start + len(neurons))] - start]
        start += len(neurons)
        if not mine.size:
            continue
        numbers, offset = columns.get(axon, (np.empty(0, np.int64), 0))
        places = np.searchsorted(numbers, mine)
        if not np.array_equal(numbers[places.clip(max=len(numbers) - 1)] if len(numbers) else numbers, mine):
            where = f"@{cluster.sym_name.data}: slice of @{part.population}"
            raise VerifyException(
                f"{where} has a row of @{axon[0]} (delay {axon[1]}) that the population does not read"
            )
        found.append(offset + places)
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _verify_partials(program: ProgramOp) -> None:
    for cluster in program.clusters:
        for part, result in zip(cluster.parts, cluster.results, strict=True):
            if isinstance(result.type, PartialType) and len(list(result.uses)) != 1:
                raise VerifyException(f"@{cluster.sym_name.data}: a partial sum is added in exactly one place")
            if part.is_partial:
                use = next(iter(result.uses)).operation
                if not isinstance(use, ClusterOp):
                    raise VerifyException(f"@{cluster.sym_name.data}: a partial sum is added by another cluster")
                homes = [p for p, sums in zip(use.parts, use.sums_of_slices, strict=True) if result in sums]
                if (homes[0].population, homes[0].neurons) != (part.population, part.neurons):
                    raise VerifyException(f"@{use.sym_name.data}: adds partial sums of other neurons than its own")


def _verify_outputs(program: ProgramOp, network: NetworkOp) -> None:
    found = {op.sym_name.data: op for op in program.outputs}
    if set(found) != set(network.outputs):
        raise VerifyException(f"the outputs are {sorted(found)}, those of the program {sorted(network.outputs)}")
    for name, output in network.outputs.items():
        try:
            source = emitter_of(output)
        except SnnirError as error:
            raise VerifyException(error.message) from None
        carried = [address_of(signal) for signal in found[name].signals]
        numbers = np.concatenate([part for _, part in carried]) if carried else np.empty(0)
        if {s for s, _ in carried} != {source} or not np.array_equal(
            np.sort(numbers), np.arange(network.sources[source].size)
        ):
            raise VerifyException(f"output @{name} does not carry exactly the neurons of @{source}")


def _verify_machine(program: ProgramOp, machine: Machine) -> None:
    taken: dict[object, str] = {}
    for cluster in program.clusters:
        name = cluster.sym_name.data
        used = max((part.column + part.size for part in cluster.parts), default=0)
        if cluster.rows > machine.crossbar.rows or used > machine.crossbar.columns:
            limit = f"{machine.crossbar.rows} rows and {machine.crossbar.columns} columns"
            raise VerifyException(f"@{name} needs {cluster.rows} rows and {used} columns, a crossbar has {limit}")
        late = max((a.data.delay for a in cluster.axons), default=0)
        if late > machine.crossbar.max_delay:
            raise VerifyException(
                f"@{name} has a delay of {late} steps, the machine's longest is {machine.crossbar.max_delay}"
            )
        if cluster.place is not None:
            place = cluster.place.data
            inside = place.tile[0] < machine.tiles.mesh[0] and place.tile[1] < machine.tiles.mesh[1]
            if not inside or place.crossbar >= machine.tiles.crossbars:
                raise VerifyException(f"@{name} is placed on a crossbar that the machine does not have")
            if place in taken:
                raise VerifyException(f"@{name} and @{taken[place]} are on the same crossbar")
            taken[place] = name
    routed = any(op.routes is not None for op in [*program.clusters, *program.inputs])
    for op in [*program.clusters, *program.inputs] if routed else []:
        _verify_ways(op, machine)
        _verify_routes(op)


def _verify_ways(op: ClusterOp | InputOp, machine: Machine) -> None:
    """Each route lies in the mesh, from the op's own router to its destination's."""
    name = op.sym_name.data
    if isinstance(op, ClusterOp) and op.place is None:
        raise VerifyException(f"@{name}: has no place, so nothing can be routed")
    start = op.place.data.tile if isinstance(op, ClusterOp) and op.place is not None else machine.tiles.host
    for route in routes_of(op):
        if route.result >= len(op.results):
            raise VerifyException(f"@{name}: a route belongs to a result that does not exist")
        if route.path[0] != start or (route.to_host and route.path[-1] != machine.tiles.host):
            raise VerifyException(f"@{name}: a route starts at its own router and ends at its destination's")
        if any(x >= machine.tiles.mesh[0] or y >= machine.tiles.mesh[1] for x, y in route.path):
            raise VerifyException(f"@{name}: a route leaves the mesh")


def _verify_routes(op: ClusterOp | InputOp) -> None:
    """Each result has one route to each other tile that reads it, and to the host where it is an output."""
    name, given = op.sym_name.data, [(route.result, route.destination) for route in routes_of(op)]
    own = op.place.data.tile if isinstance(op, ClusterOp) and op.place is not None else None
    needed: set[tuple[int, Destination]] = set()
    for number, value in enumerate(op.results):
        for user in (use.operation for use in value.uses):
            if isinstance(user, ClusterOp) and user.place is not None and user.place.data.tile != own:
                needed.add((number, user.place.data.tile))
            elif isinstance(user, OutputOp):
                needed.add((number, "host"))
    if set(given) != needed:
        number, destination = min(needed.symmetric_difference(given), key=str)
        where = "the host" if destination == "host" else f"tile {list(destination)}"
        problem = "no route" if (number, destination) in needed else "a route that nothing reads"
        raise VerifyException(f"@{name}: result {number} has {problem} to {where}")
    if len(given) != len(needed):
        raise VerifyException(f"@{name}: a result has two routes to one destination")
