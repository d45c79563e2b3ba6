"""What a program is worth after a stage: accuracy and spikes in the simulator, synapses, delay memories, limits."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.delays import MEMORIES, Reads
from snnir.dialects.connections import connections_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.flow.training.forms import program_of, synapses
from snnir.flow.transformation import Share
from snnir.passes.limits import check
from snnir.sim import Network, chunks
from snnir.train.samples import Samples

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Judged:
    """What a program did with some samples."""

    right: NDArray[np.bool_]
    """Whether the class of each sample is right."""
    spikes: dict[str, float]
    """Of an inference, by population, on average."""

    @property
    def share(self) -> dict[str, float]:
        """The share of right classes as plain values."""
        return asdict(Share.of(self.right))


def judged(network: Network, samples: Samples, classify: str, told: Told | None = None) -> Judged:
    """Run a program in the simulator, some samples at a time."""
    output = next(iter(network.outputs.values()))
    spiking = [name for name, p in network.populations.items() if p.spiking]
    right = np.zeros(len(samples), np.bool_)
    totals = dict.fromkeys(spiking, 0)
    record = list(dict.fromkeys((*spiking, output)))
    for first, signals in chunks(network, samples.inputs, record=record, progress=told):
        found = classes(signals[output], classify)
        right[first : first + len(found)] = found == samples.labels[first : first + len(found)]
        for name in spiking:
            totals[name] += int(signals[name].sum(dtype=np.int64))
    return Judged(right, {name: total / len(samples) for name, total in totals.items()})


def classes(emitted: NDArray[Any], classify: str) -> NDArray[np.intp]:
    """The class of each sample, (samples,), from what the output emits, (samples, steps, neurons)."""
    if classify == "sum":
        return emitted.sum(axis=1, dtype=np.float64).argmax(axis=1)
    return (emitted.max(axis=1) if classify == "max" else emitted[:, -1]).argmax(axis=1)


def figures(module: ModuleOp, machine: Machine | None) -> dict[str, Any]:
    """What a program takes, as it stands in `training.json`."""
    projections = synapses(module)
    return {
        "synapses": sum(projections.values()),
        "projections": projections,
        "delay_memory": delay_memory(program_of(module)),
        "problems": [] if machine is None else problems(module, machine),
    }


def delay_memory(network: NetworkOp) -> dict[str, int]:
    """Entries of each kind of delay memory, one for each population, when all neurons fire in every step."""
    total: dict[str, int] = dict.fromkeys(MEMORIES, 0)
    for population in network.sources.values():
        if not isinstance(population, NeuronOp):
            continue
        try:
            connections = connections_of(population)
        except SnnirError:
            continue  # no crossbar can hold it, which `problems` says
        late = [c for c in connections if c.delay]
        groups = [(c.source, c.delay, np.flatnonzero(c.synapses.outdegree())) for c in late]
        driven = np.zeros(population.size, np.bool_)
        for c in late:
            driven |= c.synapses.fanin() > 0
        reads = Reads.of(groups, int(driven.sum()))
        for memory in MEMORIES:
            total[memory] += reads.bound(memory)
    return total


def problems(module: ModuleOp, machine: Machine) -> list[str]:
    """The limits of a machine that a program breaks, one line each."""
    found = check(program_of(module), machine)
    return [finding.message for finding in found.of("error")]


def refuse_what_cannot_fit(module: ModuleOp, machine: Machine, place: str, *, pruned: bool) -> None:
    """Raise `SnnirError` where a program breaks limits of a machine before it is trained.

    `pruned`: as it will be, with as many synapses as pruning is to leave.
    """
    found = check(program_of(module), machine)
    errors = found.of("error")
    if not errors:
        return
    first = errors[0]
    others = "".join(f"\n{place}: error: {each.message}\n  fix: {each.hint}" for each in errors[1:])
    what = f"even pruned, {first.message}" if pruned else first.message
    raise (
        SnnirError(place, what, first.hint, "")
        if not others
        else SnnirError(place, what, "", f"  fix: {first.hint}{others}")
    )
