"""A program of layers as a training description lists them: dense projections, bundles of delayed synapses."""

import re
from dataclasses import replace

import numpy as np
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Attribute, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import NEURON_OPS, BundleOp, DenseOp, InputOp, NetworkOp, NeuronOp, OutputOp, WeightedOp
from snnir.frontend.names import symbol
from snnir.semantics import PRESETS, Semantics, check_discretisation, discretise, preset
from snnir.train.description import DelayLevels, Description, NetworkPart

_MEMBRANES = {"if": "integrator", "lif": "li", "cuba_lif": "cuba_li"}
"""Of each model the one that never fires."""
_ASKED = re.compile(r"\s*([^\s(]+)\s*(?:\((.*)\))?\s*")


def layered_program(description: Description, input_name: str, steps: int) -> ModuleOp:
    """The program of `[network] layers`, all weights 0, for inferences of so many steps.

    Populations are called `hidden1`, `hidden2`, ... and `out`; the output is `label`. Gains are such that a weight of 1
    raises a membrane (or a synapse) by 1. Raises `SnnirError` for parameters that make no neurons.
    """
    part, text = description.network, description.text
    network = NetworkOp(symbol(part.name), part.dt, steps)
    source = InputOp(symbol(input_name), SignalType.spikes(part.layers[0]))
    neurons: list[NeuronOp] = []
    projections: list[WeightedOp] = []
    before: SSAValue = source.signal
    last = len(part.layers) - 2
    for number, size in enumerate(part.layers[1:]):
        name = "out" if number == last else f"hidden{number + 1}"
        try:
            population = _population(part, name, size, reads_out=number == last)
        except ValueError as error:
            raise text.error("network", str(error), "change the parameters of [network]") from None
        levels = part.delays if number or (part.delays and part.delays.inputs) else None
        own = [_projection(part, before, f"{name}.weight", size, levels)]
        if part.recurrent is not None and number < last:
            again = DelayLevels(part.recurrent.levels, part.recurrent.stride, part.recurrent.delay)
            own.append(_projection(replace(part, bias=False), population.signal, f"{name}.recurrent", size, again))
        population.operands = [each.current for each in own]
        neurons.append(population)
        projections += own
        before = population.signal
    network.body.block.add_ops([source, *neurons, *projections, OutputOp("label", before)])
    module = ModuleOp([network])
    module.verify()
    return module


def _population(part: NetworkPart, name: str, size: int, *, reads_out: bool) -> NeuronOp:
    """Neurons of one layer, their inputs still missing. Raises `ValueError`."""
    model = _MEMBRANES[part.model] if reads_out and part.readout == "membrane" else part.model
    tau = part.readout_tau if reads_out and part.readout_tau is not None else part.tau
    semantics = _semantics(part.semantics, model)
    given = {"tau": tau, "tau_mem": tau, "tau_syn": part.tau_syn, "threshold": part.threshold}
    values = {"r": 1.0, "w_in": 1.0, "v_leak": 0.0, "v_reset": 0.0, **given}
    names = NEURON_OPS[model].names()
    plain = {each: values[each] for each in names}
    problem = check_discretisation(model, plain, part.dt, semantics) if semantics.decay != "int12" else None
    if problem is not None:
        raise ValueError(problem)
    if semantics.decay == "int12":
        raise ValueError("integer states are not trained; compile the trained program for them")
    unit = discretise(model, plain, part.dt, semantics)
    plain["r"] = 1.0 / float(np.asarray(unit.gain))
    if "w_in" in plain:
        plain["w_in"] = 1.0 / float(np.asarray(unit.syn_gain))
    parameters: dict[str, Attribute] = {each: FloatAttr(value, 64) for each, value in plain.items()}
    return NEURON_OPS[model](name, [], parameters, semantics, NEURON_OPS[model].emitted(SignalType.spikes(size)))


def _preset(asked: str) -> str:
    """The preset of a text like `nir(reset = subtract)`. Raises `ValueError`."""
    found = _ASKED.fullmatch(asked)
    if found is None or found[1] not in PRESETS:
        raise ValueError(f"no semantics preset '{asked}'; there are {', '.join(PRESETS)}")
    return found[1]


def _semantics(asked: str, model: str) -> Semantics:
    """A preset, with changes, as `--semantics` takes it. Raises `ValueError`."""
    found, name = _ASKED.fullmatch(asked), _preset(asked)
    assert found is not None
    changes = [each.partition("=") for each in (found[2] or "").split(",") if each.strip()]
    return preset(name, model).changed({field.strip(): value.strip() for field, _, value in changes})


def _projection(part: NetworkPart, source: SSAValue, key: str, targets: int, levels: DelayLevels | None) -> WeightedOp:
    """All-to-all synapses, one for each delay level where there are several."""
    assert isinstance(source.type, SignalType)
    size = source.type.size
    bias = TensorAttr.of(f"{key}.bias", np.zeros(targets, np.float32)) if part.bias else None
    result = SignalType.current(targets)
    delay = max(PRESETS[_preset(part.semantics)].connection_delay, 0 if levels is None else levels.first)
    if levels is None or levels.levels == 1:
        weights = TensorAttr.of(key, np.zeros((targets, size), np.float32))
        return DenseOp(source, weights, result, bias=bias, delay=delay)
    weights = TensorAttr.of(key, np.zeros((levels.levels, targets, size), np.float32))
    return BundleOp(source, weights, result, stride=levels.stride, bias=bias, delay=delay)


def input_of(description: Description, arrays: list[str]) -> str:
    """The name of the input of a program of layers: what `[network] input` says, or the only array of the data.

    Raises `SnnirError` where the data hold none of that name, or several and nothing says which.
    """
    asked, text = description.network.input, description.text
    if asked is not None and asked not in arrays:
        raise text.error("network.input", f"the data hold no array '{asked}'", f"they hold {', '.join(arrays)}")
    if asked is None and len(arrays) != 1:
        held = ", ".join(arrays) or "nothing"
        raise text.error("network", f"nothing says which array of the data is the input ({held})", "add input = ..")
    return asked if asked is not None else arrays[0]
