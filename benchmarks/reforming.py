"""What `snn-legalize` makes of each activation: populations, and how wrong they are on values from -8 to 8.

    python benchmarks/reforming.py

Prints a row per function, per machine (`relu` alone, `relu` and `clip`) and per `error`: populations that take the
place of one, the largest and the root mean squared difference. Then the same for max pools. Takes about a minute.
"""

from __future__ import annotations

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp

from snnir.activations import activate
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import ACTIVATION_OPS, InputOp, MaxPoolOp, NetworkOp, NeuronOp, OutputOp, ReluOp, ScaleOp
from snnir.passes.snn.legalize import SNNLegalize
from snnir.sim import simulate
from snnir.sim.entry import network_of

PARAMETERS: dict[str, dict[str, float]] = {
    "leaky_relu": {"slope": 0.01},
    "clip": {"low": 0.0, "high": 6.0},
    "elu": {"alpha": 1.0},
    "selu": {"alpha": 1.67326, "gamma": 1.0507},
    "sigmoid": {},
    "tanh": {},
    "softplus": {},
}
EXACT = ("leaky_relu", "clip")
ERRORS = (0.05, 0.01, 0.002)
X = np.linspace(-8.0, 8.0, 20_001)
LIFT = 16.0


def reformed(function: str, models: tuple[str, ...], error: float) -> tuple[int, float, float]:
    """Populations in the place of one, and the largest and the root mean squared difference to it.

    The value is read through `relu(x + LIFT)`, so that it may have a sign.
    """
    current = SignalType.current(len(X))
    x = InputOp("x", current)
    attributes = {name: FloatAttr(value, 64) for name, value in PARAMETERS[function].items()}
    h = ACTIVATION_OPS[function]("h", [x], current, attributes)
    up = ScaleOp(h, FloatAttr(1.0, 64), current, bias=TensorAttr.of("lift", np.full(len(X), LIFT)))
    network = NetworkOp("n", 1e-3, 1)
    for op in (x, h, up, end := ReluOp("end", [up], current), OutputOp("y", end)):
        network.body.block.add_op(op)
    SNNLegalize(models=models, error=error).apply(Context(), ModuleOp([network]))
    values = simulate(network_of(network), {"x": X[None, None]})["end"][0, 0] - LIFT
    expected = activate(function, X, PARAMETERS[function])
    difference = np.asarray(values, np.float64) - expected
    count = sum(isinstance(op, NeuronOp) for op in network.body.block.ops) - 1
    return count, float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2)))


def pool(kernel: tuple[int, int]) -> tuple[int, int, float]:
    """Populations and neurons per output in the place of a max pool behind a relu, and the largest difference."""
    channels, height, width = 4, 6 * kernel[0], 6 * kernel[1]
    x = InputOp("x", SignalType.current(channels, height, width))
    h = ReluOp("h", [x], SignalType.current(channels, height, width))
    network = NetworkOp("n", 1e-3, 1)
    for op in (x, h, m := MaxPoolOp(h, kernel), OutputOp("y", m)):
        network.body.block.add_op(op)
    data = {"x": np.random.default_rng(0).normal(size=(20, 1, channels * height * width))}

    def output() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        arrays = network_of(network)
        return simulate(arrays, data)[arrays.outputs["y"]]

    before = output()
    SNNLegalize(models=("relu",)).apply(Context(), ModuleOp([network]))
    made = [op for op in network.body.block.ops if isinstance(op, NeuronOp)][1:]
    neurons = sum(op.size for op in made) // before.shape[2]
    return len(made), neurons, float(np.abs(output() - before).max())


def main() -> None:
    """Print the tables."""
    print(f"{'function':<12}{'machine':<12}{'error':>8}{'populations':>13}{'largest':>10}{'rms':>10}")
    for function in PARAMETERS:
        for models in (("relu",), ("relu", "clip")):
            if function == "clip" and "clip" in models:
                continue
            for error in ERRORS[:1] if function in EXACT else ERRORS:
                count, largest, rms = reformed(function, models, error)
                what = "exact" if function in EXACT else f"{error:g}"
                print(f"{function:<12}{'+'.join(models):<12}{what:>8}{count:>13}{largest:>10.1e}{rms:>10.1e}")
    print(f"\n{'max pool':<12}{'populations':>13}{'neurons per output':>20}{'largest':>10}")
    for kernel in ((2, 2), (3, 3), (4, 4)):
        count, neurons, largest = pool(kernel)
        print(f"{f'{kernel[0]} x {kernel[1]}':<12}{count:>13}{neurons:>20}{largest:>10.1e}")


if __name__ == "__main__":
    main()
