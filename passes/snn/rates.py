"""How well a converted network does: rates against values, and accuracy after so many steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, StringAttr

from snnir.conversion.encoding import Code, encoded
from snnir.dialects.snn import InputOp, NetworkOp
from snnir.passes.snn.calibration import Calibration
from snnir.passes.snn.conversion import Span
from snnir.sim import chunks, simulate
from snnir.sim.data import read_labels
from snnir.sim.entry import network_of
from snnir.tuning.ranges import decibel

Array = NDArray[Any]

SAMPLES = 256
"""Samples that are run through all steps."""
ELEMENTS = 1 << 27
"""Fewer, where all their signals would be more numbers than this."""


@dataclass
class Measured:
    """A converted network against the ordinary one."""

    samples: int
    spikes: float = 0.0
    """Spikes of an inference, of all populations, on average."""
    sqnr: dict[str, float] = field(default_factory=dict[str, float])
    """The rates of each population after all steps against its values, in dB."""
    before: float | None = None
    """The accuracy of the ordinary network on these samples; `None` without labels."""
    after: dict[int, float] = field(default_factory=dict[int, float])
    """That of the converted one, by the number of steps."""


def encoding_of(op: InputOp) -> tuple[Code, float, float] | None:
    """How values arrive at an input: code, and the range that rates stand for; `None` where nothing is noted."""
    code, low, high = (op.attributes.get(name) for name in ("code", "low", "high"))
    if not isinstance(code, StringAttr):
        return None
    known: dict[str, Code] = {"current": "current", "rate": "rate", "poisson": "poisson"}
    if code.data not in known:
        return None
    ends = [float(each.value.data) if isinstance(each, FloatAttr) else end for each, end in ((low, 0.0), (high, 1.0))]
    return known[code.data], ends[0], ends[1]


def encode_inputs(network: NetworkOp, values: Mapping[str, Array], steps: int, seed: int = 0) -> dict[str, Array]:
    """What a converted network gets for the values of ordinary inputs, as it notes; other arrays stay."""
    found = dict(values)
    for number, (name, op) in enumerate(network.sources.items()):
        if isinstance(op, InputOp) and name in values and (how := encoding_of(op)) is not None:
            found[name] = encoded(np.asarray(values[name]), steps, *how, seed=seed + number)
    return found


def measured(
    original: NetworkOp, network: NetworkOp, calibration: Calibration, data: str, spans: Mapping[str, Span]
) -> Measured:
    """Run the first samples of the calibration data through both networks."""
    assert network.steps is not None
    steps, arrays = network.steps.data, network_of(network)
    size = sum(each.size for each in network.sources.values())
    count = max(1, min(SAMPLES, ELEMENTS // max(1, size * steps), calibration.samples))
    values = {name: array[:count] for name, array in calibration.inputs.items()}
    ordinary = network_of(original)
    output = next(iter(network.outputs), None)
    watched = [*spans] if output is None else [*spans, arrays.outputs[output]]
    rates = {name: np.zeros((count, arrays.sizes[name])) for name in spans}
    labels = read_labels(Path(data), count)
    right = np.zeros(steps)
    for first, part in chunks(arrays, encode_inputs(network, values, steps), record=sorted(set(watched))):
        for name in spans:
            rates[name][first : first + len(part[name])] = part[name].sum(axis=1) / steps
        if output is not None and labels is not None:
            scores = part[arrays.outputs[output]]
            if arrays.outputs[output] in spans:
                scores = np.cumsum(scores, axis=1, dtype=np.int64)
            right += (scores.argmax(axis=2) == labels[first : first + len(scores), None]).sum(axis=0)
    found = Measured(count, sum(float(rate.sum()) for rate in rates.values()) * steps / count)
    hidden = [name for name in spans if name in ordinary.sizes]
    known = simulate(ordinary, values, record=[*hidden, *({ordinary.outputs[output]} if output else ())])
    for name in hidden:
        exact, span = known[name][:, 0], spans[name]
        decoded = span.low + (span.high - span.low) * rates[name]
        found.sqnr[name] = decibel(float(np.square(exact).sum()), float(np.square(decoded - exact).sum()))
    if output is not None and labels is not None:
        found.before = float((known[ordinary.outputs[output]][:, 0].argmax(axis=1) == labels).mean())
        found.after = {t: float(right[t - 1] / count) for t in _milestones(steps)}
    return found


def _milestones(steps: int) -> list[int]:
    """1, 2, 4, ... and the last step."""
    return sorted({1 << n for n in range(steps.bit_length()) if 1 << n <= steps} | {steps})
