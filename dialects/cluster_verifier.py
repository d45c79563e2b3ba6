"""The invariants of a partitioned program, checked against the program itself.

Every neuron is in exactly one slice; every synapse is on exactly one crossbar; partial sums meet their neurons; delays
are kept; rows, columns, places and routes fit the machine that the module names.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Block, Operation, OpResult, SSAValue
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SignalType, symbol
from snnir.dialects.cluster import ClusterOp, InputOp, OutputOp, ProgramOp, address_of
from snnir.dialects.cluster_attributes import Slice
from snnir.dialects.cluster_cells import Cells
from snnir.dialects.cluster_reads import verify_delay_memories
from snnir.dialects.cluster_routes_verifier import verify_routes
from snnir.dialects.cluster_synapses import AxonGroups, Groups, verify_synapses
from snnir.dialects.cluster_tables import AxonTable, RowTable, Signals, SliceTable
from snnir.dialects.connections import emitter_of
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import InputOp as SourceOp
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.indices import Indices
from snnir.synapses import IntArray


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
    clusters = program.clusters
    for op in [*clusters, *program.outputs]:
        _verify_operands(op, program.body.block)
    populations = {name: op for name, op in sources.items() if isinstance(op, NeuronOp)}
    elements = {name: op.signal_type.element for name, op in populations.items()}
    slices: dict[str, list[tuple[int, ClusterOp, Slice, SSAValue]]] = {name: [] for name in populations}
    for number, cluster in enumerate(clusters):
        for part, result in zip(cluster.parts, cluster.results, strict=True):
            if part.population not in slices:
                raise VerifyException(f"@{cluster.sym_name.data}: the program has no population @{part.population}")
            if isinstance(result.type, SignalType) and result.type.element != elements[part.population]:
                what = f"emits signals of {result.type.element}, @{part.population} of {elements[part.population]}"
                raise VerifyException(f"@{cluster.sym_name.data}: a slice {what}")
            slices[part.population].append((number, cluster, part, result))
    tables = {name: SliceTable.of(some) for name, some in slices.items()}
    for name, population in populations.items():
        _verify_neurons(name, population.size, tables[name])
    groups = Groups()
    rows = _verify_signals(program, {name: op.size for name, op in sources.items()}, tables, groups)
    for name, population in populations.items():
        verify_synapses(population, tables[name], rows, groups)
    _verify_partials(program)
    _verify_outputs(program, network)
    machine = machine_of(program)
    if machine is not None:
        _verify_machine(program, machine)
        if machine.crossbar.synapses:
            _verify_storage(program, network, machine.crossbar.synapses)


def _verify_operands(op: ClusterOp | OutputOp, block: Block) -> None:
    for value in op.operands:
        if not (isinstance(value, OpResult) and isinstance(value.op, ClusterOp | InputOp) and value.op.parent is block):
            raise VerifyException(f"@{op.sym_name.data}: reads something that no cluster or input of the program makes")


def _verify_signals(
    program: ProgramOp, sizes: Mapping[str, int], tables: Mapping[str, SliceTable], groups: Groups
) -> RowTable:
    """Each axon is carried by the signal that is read, and none feeds two rows or is windowed twice.

    The neurons of each source are in one signal each; `sizes` says how many there are, `tables` which slices
    populations have. Returns what feeds the rows of clusters.
    """
    clusters, signals = program.clusters, Signals.of(program, sizes, tables)
    table = AxonTable.of(clusters, signals)
    first = signals.first[table.sources][table.owners]
    inside = table.neurons < signals.first[1:][table.sources][table.owners] - first
    carried = signals.carriers[first + np.where(inside, table.neurons, 0)]
    wrong: IntArray = table.owners[~inside | (carried != table.signals[table.owners])]
    stray = int(table.clusters[wrong[0]]) if wrong.size else len(clusters)
    earlier: list[int] = table.repeated[table.repeated < stray].tolist()
    for number in earlier:
        _verify_once(clusters[number], groups[clusters[number]])
    if wrong.size:
        what = f"reads neurons of @{signals.names[int(table.sources[wrong[0]])]} that the signal does not carry"
        raise VerifyException(f"@{clusters[stray].sym_name.data}: {what}")
    return RowTable(table, signals.names, len(clusters))


def _verify_once(cluster: ClusterOp, groups: AxonGroups) -> None:
    """A signal that is read several times, equally late, is read for other neurons each time."""
    seen: dict[tuple[SSAValue, int, bool], list[NDArray[np.int64]]] = defaultdict(list)
    for signal, group in zip(cluster.signals, groups, strict=True):
        key = signal, group.axon[1], group.windowed
        if any(np.isin(group.neurons, other).any() for other in seen[key]):
            raise VerifyException(f"@{cluster.sym_name.data}: an axon of @{group.axon[0]} feeds two rows")
        seen[key].append(group.neurons)


def _verify_neurons(name: str, size: int, table: SliceTable) -> None:
    over = table.owners[table.neurons >= size]
    if over.size:
        raise VerifyException(f"@{table.clusters[int(over[0])].sym_name.data}: @{name} has only {size} neurons")
    counts = np.bincount(table.neurons[~table.partial[table.owners]], minlength=size)
    wrong = np.flatnonzero(counts != 1)
    if wrong.size:
        raise VerifyException(f"neuron {wrong[0]} of @{name} is in {counts[wrong[0]]} slices instead of one")


def _verify_partials(program: ProgramOp) -> None:
    for cluster in program.clusters:
        parts = cluster.parts
        for part, result in zip(parts, cluster.results, strict=True):
            if not part.is_partial:
                continue
            use = result.get_unique_use()
            if use is None:
                raise VerifyException(f"@{cluster.sym_name.data}: a partial sum is added in exactly one place")
            if not isinstance(use.operation, ClusterOp):
                raise VerifyException(f"@{cluster.sym_name.data}: a partial sum is added by another cluster")
        if not any(part.adds for part in parts):
            continue
        for part, sums in zip(parts, cluster.sums_of_slices, strict=True):
            for value in sums:
                assert isinstance(value, OpResult)
                if address_of_sum(value) != (part.population, part.neurons):
                    raise VerifyException(f"@{cluster.sym_name.data}: adds partial sums of other neurons than its own")


def address_of_sum(value: OpResult) -> tuple[str, Indices]:
    """The population and the neurons that partial sums are for."""
    assert isinstance(value.op, ClusterOp)
    part = value.op.slices.data[value.index].data
    return part.population, part.neurons


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


def _verify_states(name: str, parts: Sequence[Slice], machine: Machine) -> None:
    """A crossbar keeps the states of the neurons that it is given: one per column where the machine says no more."""
    sizes = [(part.size, part.is_partial) for part in parts]
    neurons = sum([size for size, is_partial in sizes if not is_partial])
    most = max([size for size, _ in sizes], default=0)
    limit = machine.crossbar.neurons or machine.crossbar.weight_columns
    if max(neurons, most) > limit:
        raise VerifyException(f"@{name} has {max(neurons, most)} neurons, a crossbar keeps {limit}")


def _verify_storage(program: ProgramOp, network: NetworkOp, limit: int) -> None:
    """No crossbar holds more weights other than 0 than it has memory for; counted where it has more cells than that."""
    cells = Cells(network)
    for cluster in program.clusters:
        if sum([len(part.rows) * part.columns for part in cluster.parts]) <= limit:
            continue
        weights = cells.weights(cluster)
        if weights > limit:
            raise VerifyException(f"@{cluster.sym_name.data} holds {weights} weights, a crossbar stores {limit}")


def _verify_machine(program: ProgramOp, machine: Machine) -> None:
    taken: dict[object, str] = {}
    for cluster in program.clusters:
        name, parts, rows = cluster.sym_name.data, cluster.parts, cluster.rows
        used = max([part.column + part.columns for part in parts], default=0)
        if rows > machine.crossbar.rows or used > machine.crossbar.weight_columns:
            limit = f"{machine.crossbar.rows} rows and {machine.crossbar.weight_columns} columns"
            raise VerifyException(f"@{name} needs {rows} rows and {used} columns, a crossbar has {limit}")
        _verify_states(name, parts, machine)
        late = max([a.data.delay for a in cluster.axons.data], default=0)
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
    verify_delay_memories(program.clusters, machine.delays)
    verify_routes([*program.clusters, *program.inputs], machine)
