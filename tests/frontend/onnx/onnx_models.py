"""Small ONNX models, and the comparison of what is imported of them with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import snnir
from snnir.api import Net

onnx: Any = import_module("onnx")
helper: Any = import_module("onnx.helper")
numpy_helper: Any = import_module("onnx.numpy_helper")
runtime: Any = import_module("onnxruntime")

Array = NDArray[Any]
Shape = Sequence[int | str | None]
TOLERANCE = 1e-4

IR_VERSIONS = {
    6: 4,
    7: 4,
    8: 4,
    9: 4,
    10: 5,
    11: 6,
    12: 7,
    13: 7,
    14: 7,
    15: 8,
    16: 8,
    17: 8,
    18: 8,
    19: 9,
    20: 9,
    21: 10,
}


def floats(*shape: int) -> Array:
    """Weights of both signs, the same for the same shape."""
    return np.asarray(np.random.default_rng([7, *shape]).normal(size=shape), np.float32)


def node(op: str, inputs: str, outputs: str, name: str = "", **attributes: Any) -> Any:
    """A node; inputs and outputs as words, `-` for one that is left out."""
    names = [["" if each == "-" else each for each in text.split()] for text in (inputs, outputs)]
    return helper.make_node(op, *names, name=name, **attributes)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, Shape],
    weights: Mapping[str, Array] | None = None,
    *,
    outputs: Sequence[str] | Mapping[str, Shape] = ("y",),
    opset: int = 17,
    element: int = 1,
) -> Any:
    """A model of a graph."""
    shapes = outputs if isinstance(outputs, Mapping) else dict.fromkeys(outputs)
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, element, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, 1, shape) for name, shape in shapes.items()],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (weights or {}).items()],
    )
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    result.ir_version = IR_VERSIONS.get(opset, 10)
    return result


def save(path: Path, made: Any) -> Path:
    """Write a model."""
    path.write_bytes(made.SerializeToString())
    return path


def feeds_of(net: Net, samples: int, seed: int = 0) -> dict[str, Array]:
    """Real data of both signs for all inputs, in float32, (samples, 1, ...)."""
    random = np.random.default_rng(seed)
    return {name: random.normal(size=(samples, 1, *shape)).astype(np.float32) for name, shape in net.inputs.items()}


def expected(path: Path, feeds: Mapping[str, Array], *, optimised: bool = True) -> list[Array]:
    """What onnxruntime makes of each sample, one at a time: (samples, ...) for each output.

    Its optimisations compute some quantised networks in fewer bits.
    """
    options = runtime.SessionOptions()
    if not optimised:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    rows: list[list[Array]] = []
    inputs = session.get_inputs()
    for sample in range(len(next(iter(feeds.values())))):
        given = {
            each.name: data[sample].reshape([n if isinstance(n, int) else 1 for n in each.shape])
            for each, data in zip(inputs, feeds.values(), strict=True)
        }
        rows.append(session.run(None, given))
    return [np.stack([row[n].ravel() for row in rows]) for n in range(len(rows[0]))]


def difference(net: Net, feeds: Mapping[str, Array], wanted: Sequence[Array]) -> float:
    """The largest difference between a simulation and what is expected, relative to values above 1."""
    run = net.sim({name: data.astype(np.float64) for name, data in feeds.items()})
    found = [np.asarray(each).reshape(run.samples, -1) for each in run.outputs.values()]
    assert [each.shape for each in found] == [each.shape for each in wanted]
    pairs = zip(found, wanted, strict=True)
    return max(float((np.abs(a - b) / np.maximum(1.0, np.abs(b))).max()) for a, b in pairs)


def check(path: Path, made: Any, samples: int = 3, seed: int = 0, *, optimised: bool = True) -> Net:
    """Import a model and compare it with onnxruntime on random data."""
    save(path, made)
    net = snnir.load(path)
    feeds = feeds_of(net, samples, seed)
    assert difference(net, feeds, expected(path, feeds, optimised=optimised)) < TOLERANCE
    return net
