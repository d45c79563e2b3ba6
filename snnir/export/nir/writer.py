"""The writer of `.nir` files (Neuromorphic Intermediate Representation, Nat. Commun. 15:8122; package `nir` 1.0.8).

A network that came from a `.nir` file is written as it was: names, nesting, edges, fields, byte for byte, as far as the
network still is what the file said (`snnir.frontend.nir.mirror`, `structure`). Every other network is written node by
node (`lower`). What NIR says otherwise than the IR, and what it does not say at all, is in notes; what it cannot say is
an error that names the op.
"""

from __future__ import annotations

from pathlib import Path

from snnir.dialects.platform import ATTRIBUTE as MACHINE
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp
from snnir.export.base import listed, semantics_by_kind, title, whole
from snnir.export.nir.graph import Graph, write_file
from snnir.export.nir.lower import Lowering
from snnir.export.nir.structure import flat_graph, restored
from snnir.frontend.nir.mirror import ATTRIBUTE, stored_graph
from snnir.frontend.notes import Notes
from snnir.frontend.stimulus import ATTRIBUTE as STIMULUS


def write(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Write a network as a `.nir` file, whole or not at all. Raises `SnnirError` for what NIR cannot state."""
    graph = graph_of(network, path, notes)
    with whole(path) as temporary:
        write_file(temporary, graph)


def graph_of(network: NetworkOp, path: Path, notes: Notes) -> Graph:
    """The NIR graph of a network. `path` is for messages."""
    stored = stored_graph(network.attributes.get(ATTRIBUTE))
    lowering = Lowering(network, path, stored)
    lowering.run()
    graph = None if stored is None else restored(stored, lowering.nodes, lowering.edges)
    if stored is not None and stored.graphs and graph is None:
        notes.add(path, "written without nested graphs: the network is no longer that of the file that had them")
    for message, ops in lowering.remarks.found.items():
        notes.add(path, f"{message}: {listed(ops)}")
    _note_silence(network, path, notes)
    return flat_graph(lowering.nodes, lowering.edges) if graph is None else graph


def _note_silence(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Say what a `.nir` file does not."""
    options = [f"--dt {network.step_seconds:g}"]
    if network.steps is not None:
        options.append(f"--steps {network.steps.data}")
    notes.add(path, f"a .nir file does not say how long a step is: read it with {' '.join(options)}")
    for differences, populations in semantics_by_kind(network).items():
        if differences:
            notes.add(path, f"not in a .nir file: {differences} ({listed(populations)})")
    ops, module = list(network.body.block.ops), network.parent_op()
    silent = {
        "the machine": module is not None and MACHINE in module.attributes,
        "stimuli": any(STIMULUS in op.attributes for op in ops),
        "measured activity": any(isinstance(op, InputOp | NeuronOp) and op.activity is not None for op in ops),
    }
    if any(silent.values()):
        notes.add(path, f"not in a .nir file: {', '.join(what for what, found in silent.items() if found)}")
    currents = [op for op in ops if isinstance(op, InputOp) and not op.signal.type.is_spike]
    if currents:
        what = "a .nir file does not say that these inputs bring currents, not spikes"
        notes.add(path, f"{what}: {listed(map(title, currents))}")
