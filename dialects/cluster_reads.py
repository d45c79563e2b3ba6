"""What clusters read of past steps, as `snnir.delays` takes it; and that what is reserved for it is right."""

from collections.abc import Sequence

import numpy as np
from xdsl.utils.exceptions import VerifyException

from snnir.delays import Reads
from snnir.delays.formulas import MEMORIES, Memory
from snnir.dialects.cluster import ClusterOp, source_name
from snnir.dialects.cluster_delays import DelayMemory
from snnir.dialects.machine_delays import Delays


def memory_of(delays: Delays) -> Memory:
    """The kind of a machine's delay memories."""
    return next(memory for memory in MEMORIES if memory == delays.memory)


def is_late(cluster: ClusterOp) -> bool:
    """Whether a cluster reads anything late."""
    return any(axons.data.delay for axons in cluster.axons.data)


def reads_of(cluster: ClusterOp) -> Reads:
    """The late rows of a cluster, windowed axons among them, and how many neurons and partial sums they drive."""
    axons = [attribute.data for attribute in cluster.axons.data]
    names = [source_name(signal) for signal in cluster.signals]
    late = {
        windowed: np.repeat(
            np.array([each.delay > 0 for each in axons if each.windowed is windowed], np.bool_),
            [len(each.neurons) for each in axons if each.windowed is windowed],
        )
        for windowed in (False, True)
    }
    targets = 0
    for part in cluster.parts:
        read = part.rows if part.windows is None else part.windows.axons
        if late[part.windows is not None][read.array].any():
            targets += part.size
    groups = [(name, each.delay, each.neurons.array) for name, each in zip(names, axons, strict=True) if each.delay]
    return Reads.of(groups, targets)


def verify_delay_memories(clusters: Sequence[ClusterOp], delays: Delays | None) -> None:
    """Raise `VerifyException` for entries that are reserved where nothing is late or the machine has no such memory,
    that are more than it has, or whose bound is above that of the cluster's rows.

    It is below where a row has no weight other than 0 on the cluster: nothing has to remember for it.
    """
    for cluster in clusters:
        if cluster.delays is not None:
            _verify(cluster, cluster.delays.data, delays)


def _verify(cluster: ClusterOp, own: DelayMemory, delays: Delays | None) -> None:
    name = cluster.sym_name.data
    if delays is None:
        raise VerifyException(f"@{name} reserves entries of a delay memory, and the machine has none")
    if not is_late(cluster):
        raise VerifyException(f"@{name} reserves entries of a delay memory, and reads nothing late")
    bound = reads_of(cluster).bound(memory_of(delays))
    if own.bound > bound:
        raise VerifyException(f"@{name}: its rows take up to {bound} entries of a delay memory, not {own.bound}")
    if delays.memory == "ring" and own.entries != own.bound:
        raise VerifyException(f"@{name}: a ring has all of its {own.bound} slots, not {own.entries}")
    if delays.entries and own.entries > delays.entries:
        raise VerifyException(f"@{name} reserves {own.entries} entries, a delay memory has {delays.entries}")
