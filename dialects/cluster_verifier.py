"""The invariants of a partitioned program, checked against the program itself.

Every neuron is in exactly one slice; every synapse is on exactly one crossbar; partial sums meet their neurons; delays
are kept; rows, columns, places and routes fit the machine that the module names.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.cluster import ClusterOp, InputOp, ProgramOp, address_of
from snnir.dialects.cluster_attributes import PartialType, Slice
from snnir.dialects.connections import Connection, connections_of, source_of
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.errors import SnnirError

Axon = tuple[str, int]
"""A source and a delay; with a neuron's number it names one axon."""
_BLOCK = 1 << 22


def network_for(op: Operation, name: str) -> NetworkOp:
    """The program `@name` in the module around `op`."""
    parent = op.parent
    for other in parent.ops if parent is not None else ():
        if isinstance(other, NetworkOp) and other.sym_name.data == name:
            return other
    raise VerifyException(f"there is no snn.network @{name} beside it")


def verify_program(program: ProgramOp) -> None:
    """Raise `VerifyException` when an invariant is broken."""
    network = network_for(program, program.network.root_reference.data)
    sources = network.sources
    for op in program.inputs:
        source = sources.get(op.sym_name.data)
        if source is None or isinstance(source, NeuronOp) or op.signal.type.size != source.size:
            raise VerifyException(f"cluster.input @{op.sym_name.data} is no input of the program of that size")
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


def row_axons(cluster: ClusterOp) -> list[tuple[Axon, NDArray[np.int64]]]:
    """The axons of consecutive rows: source and delay, and the neurons."""
    groups = zip(cluster.signals, cluster.axons, strict=True)
    return [((address_of(signal)[0], a.data.delay), a.data.neurons.array) for signal, a in groups]


def _verify_signals(cluster: ClusterOp) -> None:
    """Each axon is carried by the signal that is read, and no axon feeds two rows."""
    seen: dict[Axon, set[int]] = defaultdict(set)
    for signal, axons in zip(cluster.signals, cluster.axons, strict=True):
        name, carried = address_of(signal)
        wanted = axons.data.neurons.array
        if not np.isin(wanted, carried).all():
            raise VerifyException(f"@{cluster.sym_name.data}: reads neurons of @{name} that the signal does not carry")
        group = seen[name, axons.data.delay]
        if not group.isdisjoint(wanted.tolist()):
            raise VerifyException(f"@{cluster.sym_name.data}: an axon of @{name} feeds two rows")
        group.update(wanted.tolist())


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
    """Every synapse lies on exactly one crossbar: count, per neuron and axon, the slices that hold it."""
    try:
        connections = connections_of(population)
    except SnnirError as error:
        raise VerifyException(error.message) from None
    columns = _columns_of(connections)
    total = sum(len(numbers) for numbers, _ in columns.values())
    block = max(1, _BLOCK // max(total, 1))
    for first in range(0, population.size, block):
        chosen = np.arange(first, min(first + block, population.size))
        counts = np.zeros((len(chosen), total), np.int16)
        for cluster, part in slices:
            position = part.neurons.array
            position = position[(position >= first) & (position < first + block)] - first
            if position.size:
                counts[np.ix_(position, _slice_columns(cluster, part, rows[cluster], columns))] += 1
        _compare(population.sym_name.data, chosen, counts, connections, columns)


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
        if not np.isin(mine, numbers).all():
            where = f"@{cluster.sym_name.data}: slice of @{part.population}"
            raise VerifyException(
                f"{where} has a row of @{axon[0]} (delay {axon[1]}) that the population does not read"
            )
        found.append(offset + np.searchsorted(numbers, mine))
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _compare(
    name: str,
    chosen: NDArray[np.int64],
    counts: NDArray[np.int16],
    connections: list[Connection],
    columns: dict[Axon, tuple[NDArray[np.int64], int]],
) -> None:
    for connection in connections:
        numbers, offset = columns[connection.source, connection.delay]
        places = offset + np.searchsorted(numbers, connection.neurons)
        held = counts[np.arange(len(chosen)), places[chosen]] if connection.one_to_one else counts[:, places]
        wrong = np.argwhere(held != 1)
        if len(wrong):
            target = int(chosen[wrong[0][0]])
            source = connection.neurons[target if connection.one_to_one else wrong[0][1]]
            raise VerifyException(
                f"the synapse from @{connection.source}[{source}] to @{name}[{target}] (delay {connection.delay}) "
                f"is on {held[tuple(wrong[0])]} crossbars instead of one"
            )


def _verify_partials(program: ProgramOp) -> None:
    for cluster in program.clusters:
        for part, result in zip(cluster.parts, cluster.results, strict=True):
            if isinstance(result.type, PartialType) and len(list(result.uses)) != 1:
                raise VerifyException(f"@{cluster.sym_name.data}: a partial sum is added in exactly one place")
            if part.is_partial:
                use = next(iter(result.uses)).operation
                assert isinstance(use, ClusterOp)
                homes = [p for p, sums in zip(use.parts, use.sums_of_slices, strict=True) if result in sums]
                if (homes[0].population, homes[0].neurons) != (part.population, part.neurons):
                    raise VerifyException(f"@{use.sym_name.data}: adds partial sums of other neurons than its own")


def _verify_outputs(program: ProgramOp, network: NetworkOp) -> None:
    found = {op.sym_name.data: op for op in program.outputs}
    if set(found) != set(network.outputs):
        raise VerifyException(f"the outputs are {sorted(found)}, those of the program {sorted(network.outputs)}")
    for name, output in network.outputs.items():
        source, neurons, _ = source_of(output.signal, output)
        carried = [address_of(signal) for signal in found[name].signals]
        numbers = np.concatenate([part for _, part in carried]) if carried else np.empty(0)
        if {s for s, _ in carried} != {source} or not np.array_equal(np.sort(numbers), np.sort(neurons)):
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
    for op in program.body.block.ops:
        if isinstance(op, ClusterOp | InputOp):
            _verify_routes(op, machine)


def _verify_routes(op: ClusterOp | InputOp, machine: Machine) -> None:
    if op.routes is None:
        return
    name = op.sym_name.data
    start = op.place.data.tile if isinstance(op, ClusterOp) and op.place is not None else machine.tiles.host
    for attribute in op.routes:
        route = attribute.data
        if route.result >= len(op.results):
            raise VerifyException(f"@{name}: a route belongs to a result that does not exist")
        if route.path[0] != start or (route.to_host and route.path[-1] != machine.tiles.host):
            raise VerifyException(f"@{name}: a route starts at its own router and ends at its destination's")
        if any(x >= machine.tiles.mesh[0] or y >= machine.tiles.mesh[1] for x, y in route.path):
            raise VerifyException(f"@{name}: a route leaves the mesh")
