"""The invariants of a partitioned program, checked against the program itself.

Every neuron is in exactly one slice; every synapse is on exactly one crossbar; partial sums meet their neurons; delays
are kept; rows, columns, places and routes fit the machine that the module names.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SignalType, symbol
from snnir.dialects.cluster import ClusterOp, InputOp, OutputOp, ProgramOp, address_of
from snnir.dialects.cluster_attributes import Slice
from snnir.dialects.cluster_routes_verifier import verify_routes
from snnir.dialects.cluster_synapses import AxonGroups, axon_groups, verify_synapses
from snnir.dialects.connections import emitter_of
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import InputOp as SourceOp
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.indices import Indices


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
        for part in cluster.parts:
            if not isinstance(sources.get(part.population), NeuronOp):
                raise VerifyException(f"@{cluster.sym_name.data}: the program has no population @{part.population}")
            slices[part.population].append((cluster, part))
    populations = {name: op for name, op in sources.items() if isinstance(op, NeuronOp)}
    for name, population in populations.items():
        _verify_neurons(name, population.size, slices[name])
    groups = _verify_signals(program, {name: op.size for name, op in sources.items()})
    for name, population in populations.items():
        verify_synapses(population, slices[name], groups)
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


def _verify_signals(program: ProgramOp, sizes: Mapping[str, int]) -> dict[ClusterOp, AxonGroups]:
    """Each axon is carried by the signal that is read, and none feeds two rows or is windowed twice.

    The neurons of each source are in one signal each; `sizes` says how many there are. Returns what clusters read.
    """
    carriers = {name: np.full(size, -1) for name, size in sizes.items()}
    numbers: dict[SSAValue, int] = {}
    for op in [*program.inputs, *program.clusters]:
        for value in op.results:
            if isinstance(value.type, SignalType):
                numbers[value] = len(numbers)
                name, neurons = address_of(value)
                carriers[name][neurons] = numbers[value]
    found: dict[ClusterOp, AxonGroups] = {}
    for cluster in program.clusters:
        groups = found[cluster] = axon_groups(cluster)
        carried = [numbers[signal] for signal in cluster.signals]
        lengths = [len(group.neurons) for group in groups]
        expected = np.repeat(np.array(carried, np.int64), np.array(lengths, np.int64))
        start = 0
        for joined in groups.whole:
            name, size = joined.axon[0], len(joined.neurons)
            inside = joined.neurons.max(initial=0) < sizes[name]
            if not inside or (carriers[name][joined.neurons] != expected[start : start + size]).any():
                what = f"reads neurons of @{name} that the signal does not carry"
                raise VerifyException(f"@{cluster.sym_name.data}: {what}")
            start += size
        keys = list(zip(carried, (group.axon[1] for group in groups), (g.windowed for g in groups), strict=True))
        if len(set(keys)) < len(keys):
            _verify_once(cluster, groups, keys)
    return found


def _verify_once(cluster: ClusterOp, groups: AxonGroups, keys: list[tuple[int, int, bool]]) -> None:
    """A signal that is read several times, equally late, is read for other neurons each time."""
    seen: dict[tuple[int, int, bool], list[NDArray[np.int64]]] = defaultdict(list)
    for key, group in zip(keys, groups, strict=True):
        if any(np.isin(group.neurons, other).any() for other in seen[key]):
            raise VerifyException(f"@{cluster.sym_name.data}: an axon of @{group.axon[0]} feeds two rows")
        seen[key].append(group.neurons)


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


def _verify_partials(program: ProgramOp) -> None:
    for cluster in program.clusters:
        for part, result in zip(cluster.parts, cluster.results, strict=True):
            if not part.is_partial:
                continue
            if len(list(result.uses)) != 1:
                raise VerifyException(f"@{cluster.sym_name.data}: a partial sum is added in exactly one place")
            if not isinstance(next(iter(result.uses)).operation, ClusterOp):
                raise VerifyException(f"@{cluster.sym_name.data}: a partial sum is added by another cluster")
        for part, sums in zip(cluster.parts, cluster.sums_of_slices, strict=True) if cluster.sums else ():
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


def _verify_states(cluster: ClusterOp, machine: Machine) -> None:
    """A crossbar keeps the states of the neurons that it is given: one per column where the machine says no more."""
    neurons = sum(part.size for part in cluster.parts if not part.is_partial)
    most = max((part.size for part in cluster.parts), default=0)
    limit = machine.crossbar.neurons or machine.crossbar.columns
    if max(neurons, most) > limit:
        raise VerifyException(f"@{cluster.sym_name.data} has {max(neurons, most)} neurons, a crossbar keeps {limit}")


def _verify_machine(program: ProgramOp, machine: Machine) -> None:
    taken: dict[object, str] = {}
    for cluster in program.clusters:
        name = cluster.sym_name.data
        used = max((part.column + part.columns for part in cluster.parts), default=0)
        if cluster.rows > machine.crossbar.rows or used > machine.crossbar.columns:
            limit = f"{machine.crossbar.rows} rows and {machine.crossbar.columns} columns"
            raise VerifyException(f"@{name} needs {cluster.rows} rows and {used} columns, a crossbar has {limit}")
        _verify_states(cluster, machine)
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
    verify_routes([*program.clusters, *program.inputs], machine)
