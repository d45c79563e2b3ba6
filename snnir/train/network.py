"""A program as a torch module: the same signals as `snnir.sim.simulate`, with gradients to the weights.

    network = snnir.sim.entry.network_of(op)
    module = TorchNetwork(network, dtype="float32")
    outputs = module({"x": spikes})                    # {output: (samples, steps, size)}
    outputs["y"].sum(1).softmax(1)[...].backward()
    weights_of(module)                                 # {key: array}, for `snnir.flow.training.weights.put_weights`

In float64 all signals are the simulator's, bit for bit, where sums are exact (`snnir.sim.network.Current.exact`: spikes
or counts with weights that are integers or float32). Sums of reals and of float64 weights round, and a matrix product
adds in another order than the simulator: they are then equal up to rounding, unless the module is `ordered`, which adds
as the simulator does and is slower. In float32 everything rounds; train so, and take `TorchNetwork.exact()` to measure.

What feeds back is computed step by step (or as many steps at a time as the delays in the loop allow); everything else
for all steps at once.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Collection, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.semantics import Value
from snnir.sim.network import Network, Projection
from snnir.train.activations import encoded
from snnir.train.form import Site, bias_of_lanes, feeds_integers, lanes_of, sites, trained_form
from snnir.train.forward import Pass, Run, Term, rounded_terms
from snnir.train.gradients import Surrogate, straight, surrogate_of
from snnir.train.libraries import torch
from snnir.train.neurons import TRAINABLE, Neurons
from snnir.train.operators import applied, is_lenient
from snnir.train.signals import Signal
from snnir.train.weights import Quantiser, Weights, is_trained

Tensor = torch.Tensor
Array = NDArray[Any]
DType = Literal["float64", "float32"]


class TorchNetwork(torch.nn.Module):
    """A program with its weights as parameters.

    `biases` makes the biases of weighted projections parameters too (also those that are 0), `neurons` the named
    parameters of spiking neurons (`TRAINABLE`). Biases that the semantics puts on the membrane stay as they are.
    `ordered` (float64 only) adds in the order of the simulator also where sums round.
    """

    def __init__(
        self,
        network: Network,
        *,
        dtype: DType = "float64",
        surrogate: Surrogate | None = None,
        biases: bool = False,
        neurons: Collection[str] = (),
        ordered: bool = False,
    ) -> None:
        """Raises `SnnirError` for what cannot be trained: different weights of one key, unknown neuron parameters."""
        super().__init__()
        unknown = [name for name in neurons if name not in TRAINABLE]
        if unknown:
            raise SnnirError("train", f"no neuron parameter '{unknown[0]}' to train", f"use {', '.join(TRAINABLE)}")
        self.network = trained_form(network)
        self.dtype = torch.float64 if dtype == "float64" else torch.float32
        self.surrogate = surrogate or surrogate_of()
        self._options: dict[str, Any] = {"surrogate": self.surrogate, "biases": biases, "neurons": tuple(neurons)}
        self.ordered = ordered and dtype == "float64"
        self.quantiser: Quantiser | None = None
        """Rounds the weights of each forward pass, for quantisation-aware training; see `snnir.train.quantise`."""
        self._sites = sites(self.network)
        fed = [(p, feeds_integers(self.network, site)) for site, p in self._sites.items()]
        self.weights = Weights(fed, self.dtype)
        self.populations = torch.nn.ModuleDict(
            {
                str(number): Neurons(p, self.dtype, self.surrogate, neurons)
                for number, p in enumerate(self.network.populations.values())
            }
        )
        self._neurons: dict[str, Neurons] = dict(
            zip(self.network.populations, self.populations.values(), strict=True)  # pyright: ignore[reportArgumentType]
        )
        self._applied = {site: applied(p.operator) for site, p in self._sites.items()}
        self.biases = torch.nn.ParameterList()
        """One per projection with weights that are trained, in the order of `snnir.train.form.sites`."""
        self._bias_numbers: dict[Site, int] = {}
        for site, p in self._sites.items() if biases else ():
            if is_trained(p):
                self._bias_numbers[site] = len(self.biases)
                self.biases.append(torch.nn.Parameter(self._tensor(bias_of_lanes(p))))

    def exact(self) -> "TorchNetwork":
        """An ordered copy in float64 with the same weights, masks and quantiser: what the program will compute."""
        copy = TorchNetwork(self.network, dtype="float64", ordered=True, **self._options)
        copy.load_state_dict(self.state_dict())
        copy.quantiser = self.quantiser
        return copy

    def forward(self, inputs: Mapping[str, "Tensor | Array"]) -> dict[str, Tensor]:
        """The outputs, each (samples, steps, size), for inputs (samples, steps, lines...)."""
        return self.run(inputs).outputs

    def run(
        self, inputs: Mapping[str, "Tensor | Array"], *, record: Collection[str] = (), voltages: Collection[str] = ()
    ) -> Run:
        """Run every sample from rest, as `snnir.sim.run`; `record` names further signals, `voltages` populations.

        Raises `SnnirError` where inputs do not fit, and where a state leaves its range.
        """
        return Pass(self, self._inputs(inputs), frozenset(voltages)).run(record)

    def terms(self) -> dict[tuple[str, int], list[Term]]:
        """The projections of each node, and of its second synapse, with their weights, scales and biases now."""
        weights, scales = self.weights(self.quantiser)
        found: dict[tuple[str, int], list[Term]] = {(name, side): [] for name in self.network.nodes for side in (0, 1)}
        for site in self._sites:
            found[site.node, site.side].append(self._term(site, weights, scales))
        for name, population in self.network.populations.items():
            if population.semantics.weights != "exact":
                sides = rounded_terms([found[name, 0], found[name, 1]], population.semantics.weights)
                found[name, 0], found[name, 1] = sides
        return found

    def _term(self, site: Site, weights: Mapping[str, Tensor], scales: Mapping[str, Tensor]) -> Term:
        p = self._sites[site]
        trained = is_trained(p)
        values = weights[p.key] if trained else self._tensor(p.weights)
        scale = scales[p.key] if trained and p.key in scales else self._tensor(p.scale)
        number = self._bias_numbers.get(site)
        bias = self._tensor(p.bias) if number is None else self.biases[number][torch.tensor(lanes_of(p))]
        return Term(site, p, values, scale, bias)

    def _tensor(self, value: "Value | Array") -> Tensor:
        return torch.tensor(np.asarray(value, np.float64), dtype=self.dtype)

    def applied(self, term: Term, source: Signal, begin: int, end: int) -> Tensor:
        """What a projection adds in steps `begin` to `end`, before scale and bias."""
        p, steps = term.projection, end - begin
        if end <= p.lag:
            return torch.zeros((steps, source.samples, p.operator.targets), dtype=self.dtype)
        start = begin - p.lag - p.operator.span
        window = _chosen(p, source.window(max(0, start) if is_lenient(p.operator) else start, end - p.lag))
        result = self._applied[term.site](window, term.weights, steps)
        if self.ordered and p.operator.weighted:
            return straight(result, self._in_order(term, source, begin, end))
        return result

    def _in_order(self, term: Term, source: Signal, begin: int, end: int) -> Tensor:
        """The same from the simulator's own operator."""
        p = term.projection
        operator = p.operator.reweighted(term.weights.detach().numpy())
        lag = p.delay + operator.least  # of a bundle: later than it was, where levels were pruned since
        window = _chosen(p, source.window(begin - lag - operator.span, end - lag))
        return torch.tensor(operator.apply(window.detach().numpy(), None))

    def neurons_of(self, name: str) -> Neurons:
        """The module of a population."""
        return self._neurons[name]

    def _inputs(self, inputs: Mapping[str, "Tensor | Array"]) -> dict[str, Tensor]:
        """Inputs as (steps, samples, lines) in the module's type, coded where the program codes them."""
        found: dict[str, Tensor] = {}
        for name, size in self.network.inputs.items():
            if name not in inputs:
                have = ", ".join(inputs) or "nothing"
                raise SnnirError(f"input {name}", f"the data has no array '{name}'", f"it holds {have}")
            given = inputs[name]
            values = given if isinstance(given, Tensor) else torch.from_numpy(np.array(given, np.float64))
            if values.ndim < 3 or not values.numel() or values[0, 0].numel() != size:
                message = f"data of shape {tuple(values.shape)} for {size} lines"
                raise SnnirError(f"input {name}", message, f"give (samples, steps, {size})")
            values = values.reshape(*values.shape[:2], size)
            if name in self.network.codings:
                values = encoded(values, self.network.codings[name])
            found[name] = values.transpose(0, 1).to(self.dtype).contiguous()
        if len({values.shape[:2] for values in found.values()}) > 1:
            raise SnnirError(self.network.name, "the inputs differ in samples or steps", "give all the same number")
        return found


def _chosen(p: Projection, window: Tensor) -> Tensor:
    """The neurons that a projection reads."""
    return window if p.whole and window.shape[-1] == len(p.indices) else window[..., torch.tensor(p.indices)]


def parameters_of(module: TorchNetwork) -> dict[str, dict[str, Array]]:
    """The parameters of neurons that are trained, by population and name; numbers, or one per neuron."""
    found: dict[str, dict[str, Array]] = {}
    for name in module.network.populations:
        own = {key: value.detach().numpy().copy() for key, value in module.neurons_of(name).named_parameters()}
        found |= {name: own} if own else {}
    return found


def weights_of(module: TorchNetwork) -> dict[str, Array]:
    """The weights by their keys, as they count: 0 where pruned, whole where they must be; in the module's type.

    Not rounded by a quantiser: that is what `snnir.train.quantise.quantised` gives.
    """
    with torch.no_grad():
        return {key: w.numpy().copy() for key, w in module.weights()[0].items()}
