"""What must hold of declarations before IR is made of them; each check blames the place that is wrong."""

from __future__ import annotations

from math import isfinite, prod

import numpy as np
from numpy.typing import NDArray

from snnir.activations import ACTIVATIONS, parameter_problem
from snnir.frontend.network import Network, Origin, Population, Shape, Value, text_of
from snnir.semantics import PARAMETERS, TIME_CONSTANTS, check_discretisation
from snnir.tensors import Tensor

NEURON_LIMIT = 2**31 - 1
"""A population of more neurons is refused as a typing error."""


def check_names(network: Network) -> None:
    """Raise unless inputs, populations and outputs have different names."""
    declared: set[str] = set()
    for each in (*network.inputs, *network.transforms, *network.populations, *network.outputs):
        if each.name in declared:
            hint = "inputs, populations and outputs need different names"
            raise each.origin.error(f"'{each.name}' is declared twice", hint)
        declared.add(each.name)


def check_time(network: Network) -> None:
    """Raise unless the step is a positive number of seconds and an inference takes at least one."""
    if not isfinite(network.dt) or network.dt <= 0:
        raise network.dt_origin.error(f"dt = {network.dt:g} is not a positive number of seconds", "say dt = 1e-3")
    if network.steps is not None and network.steps < 1:
        raise network.steps_origin.error(f"steps = {network.steps}, but an inference takes at least one step")


def check_shape(shape: Shape, origin: Origin, name: str) -> None:
    """Raise unless every dimension holds something and all together not absurdly much."""
    if not shape or min(shape) < 1:
        raise origin.error(f"'{name}' has the shape {text_of(shape)}, but every dimension needs at least 1 neuron")
    if prod(shape) > NEURON_LIMIT:
        raise origin.error(f"'{name}' has more than {NEURON_LIMIT} neurons", "correct its shape")


def check_parameters(each: Population, dt: float) -> None:
    """Raise at the parameter of a population that has a wrong shape or makes no sense for steps of `dt` seconds."""
    numbers: dict[str, float | NDArray[np.float64]] = {}
    for name in parameters_of(each.model):
        value = each.parameters[name]
        if value.shape not in ((), each.shape, (prod(each.shape),)):
            what = f"{name} {value.label}has the shape {text_of(value.shape)}"
            hint = "give one number, or one for each neuron"
            raise value.origin.error(f"{what}, but '{each.name}' has the shape {text_of(each.shape)}", hint)
        check_finite(value, name)
        numbers[name] = value.array.astype(np.float64).ravel() if value.shape else float(value.array)
    if each.model in ACTIVATIONS:
        wrong = parameter_problem(each.model, numbers)
        if wrong:
            raise each.origin.error(f"'{each.name}': {wrong}", "correct the parameters")
        return
    problem = check_discretisation(each.model, numbers, dt, each.semantics)
    if problem:
        name = problem.split()[0]
        if name not in each.parameters:
            raise each.origin.error(f"'{each.name}': {problem}", "change the semantics or the parameters")
        in_seconds = name in TIME_CONSTANTS
        hint = "times are in seconds: 5e-3 is 5 ms" if in_seconds else "raise the threshold or lower v_reset"
        raise each.parameters[name].origin.error(f"'{each.name}': {problem}", hint)


def parameters_of(model: str) -> tuple[str, ...]:
    """The names of the parameters of a neuron model or an activation."""
    return ACTIVATIONS[model] if model in ACTIVATIONS else PARAMETERS[model]


def check_finite(value: Value, what: str) -> None:
    """Raise when a value is empty or holds NaN or infinity, naming the first such entry."""
    if not prod(value.shape):
        raise value.origin.error(f"{what} {value.label}holds no numbers")
    if not (value.data.is_finite if isinstance(value.data, Tensor) else np.isfinite(value.array).all()):
        array = value.array
        place = np.argwhere(~np.isfinite(array))[0].tolist()
        hint = "every number must be finite; was the training stable?"
        at = f" at {place}" if place else ""
        raise value.origin.error(f"{what} {value.label}holds {array[tuple(place)]}{at}", hint)
