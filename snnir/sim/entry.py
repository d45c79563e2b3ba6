"""From IR to arrays: the program of a `snn.network` op. The only module of the simulator that knows the IR."""

import numpy as np
from xdsl.ir import Operation

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.connections import Connection, connections_of, source_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp, networks
from snnir.errors import SnnirError
from snnir.semantics import discretise
from snnir.sim.network import Network, Population, Projection


def network_in(module: Operation, place: str) -> NetworkOp:
    """The one program of a module; an error when there is none or more than one."""
    found = list(networks(module))
    if len(found) != 1:
        message = f"{len(found)} networks, but one is compiled at a time" if found else "there is no snn.network"
        raise SnnirError(place, message, "start from one program")
    return found[0]


def network_of(op: NetworkOp) -> Network:
    """The program as arrays. Raises `SnnirError` for what can be written but not run (a projection of a current)."""
    sources = op.sources
    return Network(
        name=op.sym_name.data,
        dt=op.step_seconds,
        steps=op.steps.data if op.steps else None,
        inputs={name: source.size for name, source in sources.items() if isinstance(source, InputOp)},
        populations={
            name: _population(source, op.step_seconds)
            for name, source in sources.items()
            if isinstance(source, NeuronOp)
        },
        outputs={name: source_of(output.signal, output)[0] for name, output in op.outputs.items()},
    )


def _population(op: NeuronOp, dt: float) -> Population:
    return Population(
        op.sym_name.data,
        op.size,
        op.MODEL,
        op.semantics.data,
        discretise(op.MODEL, op.parameters, dt, op.semantics.data),
        tuple(_projection(connection) for connection in connections_of(op)),
        place_of(op),
    )


def _projection(connection: Connection) -> Projection:
    op = connection.op
    weights = np.asarray(op.weights.array if isinstance(op.weights, TensorAttr) else value_of(op.weights))
    if connection.one_to_one:
        weights = np.broadcast_to(weights.ravel(), (op.current_type.size,))
    return Projection(
        connection.source,
        connection.neurons,
        weights,
        connection.one_to_one,
        1.0 if op.scale is None else value_of(op.scale),
        0.0 if op.bias is None else value_of(op.bias),
        connection.delay,
        op.weights.data.key if isinstance(op.weights, TensorAttr) else "an inline number",
        place_of(op),
    )
