"""One forward pass of a program: the groups of signals in their order, loops step by step."""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from snnir.sim.network import Activation, Current, Population, Projection
from snnir.sim.schedule import Group
from snnir.train.activations import activated
from snnir.train.form import Site
from snnir.train.libraries import torch
from snnir.train.neurons import State
from snnir.train.signals import Signal
from snnir.train.weights import rounded_jointly

if TYPE_CHECKING:
    from snnir.train.network import TorchNetwork

Tensor = torch.Tensor


@dataclass(frozen=True)
class Run:
    """What a run gave."""

    outputs: dict[str, Tensor]
    """By the names of the program's outputs: (samples, steps, size)."""
    signals: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """The recorded signals, by the names of inputs, populations, activations and currents; likewise."""
    voltages: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Membranes after the update and before the reset, by the names of populations; likewise."""


@dataclass(frozen=True)
class Term:
    """A projection with all that depends on the parameters: its weights and scale in this forward pass."""

    site: Site
    projection: Projection
    weights: Tensor
    scale: Tensor
    bias: Tensor


class Pass:
    """One forward pass."""

    def __init__(self, module: "TorchNetwork", inputs: dict[str, Tensor], voltages: frozenset[str]) -> None:
        self._module, self._network = module, module.network
        self._steps, self._samples = next(iter(inputs.values())).shape[:2]
        self._terms = module.terms()
        self._signals = {
            name: Signal(self._samples, size, module.dtype, self._network.emission_delay(name))
            for name, size in self._network.sizes.items()
        }
        for name, values in inputs.items():
            self._signals[name].add(values)
        self._nodes = self._network.nodes
        self._states: dict[str, State] = {}
        self._ready: dict[Site, Tensor] = {}
        self._voltages: dict[str, list[Tensor]] = {name: [] for name in voltages}

    def run(self, record: Collection[str]) -> Run:
        """All groups, and what is asked for of them."""
        for group in self._network.groups:
            self._run(group)
        outputs = {name: self._result(source) for name, source in self._network.outputs.items()}
        voltages = {name: torch.cat(parts).transpose(0, 1) for name, parts in self._voltages.items()}
        return Run(outputs, {name: self._result(name) for name in record}, voltages)

    def _result(self, name: str) -> Tensor:
        return self._signals[name].window(0, self._steps).transpose(0, 1)

    def _run(self, group: Group) -> None:
        stride = group.stride or self._steps
        if stride < self._steps:
            self._prepare(group)
        for begin in range(0, self._steps, stride):
            for name in group.names:
                self._advance(name, begin, min(self._steps, begin + stride))
        self._ready.clear()

    def _prepare(self, group: Group) -> None:
        """What a loop reads from outside, for all steps at once."""
        for name in group.names:
            for side in (0, 1):
                for term in self._terms.get((name, side), ()):
                    if term.projection.source not in group.names:
                        self._ready[term.site] = self._part(term, 0, self._steps)

    def _advance(self, name: str, begin: int, end: int) -> None:
        node = self._nodes[name]
        current = self._sum(node, name, 0, begin, end)
        if isinstance(node, Population):
            second = self._sum(node.second, name, 1, begin, end) if node.second is not None else None
            neurons = self._module.neurons_of(name)
            state = self._states.get(name) or neurons.rest(self._samples)
            emitted, voltages, self._states[name] = neurons(current, second, state, begin)
            self._signals[name].add(emitted.to(self._module.dtype))
            if name in self._voltages:
                self._voltages[name].append(voltages)
        else:
            self._signals[name].add(activated(node, current) if isinstance(node, Activation) else current)

    def _sum(self, node: Current, name: str, side: int, begin: int, end: int) -> Tensor:
        """The input current: scale * (sum of the projections) + biases, in the order of the simulator."""
        terms = self._terms[name, side]
        shared = _shared([term.scale for term in terms])
        total: Tensor | None = None
        for term in terms:
            ready = self._ready.get(term.site)
            part = self._part(term, begin, end) if ready is None else ready[begin:end]
            if shared is None:
                part = part * term.scale
            total = part if total is None else total + part
        if total is None:
            return torch.zeros((end - begin, self._samples, node.size), dtype=self._module.dtype)
        if shared is not None and not (shared.ndim == 0 and float(shared) == 1.0):
            total = total * shared
        return self._biased(terms, total, begin)

    def _biased(self, terms: Sequence[Term], total: Tensor, first: int) -> Tensor:
        biased = [t for t in terms if t.bias.requires_grad or bool((t.bias != 0).any())]
        if not biased:
            return total
        last = first + len(total)
        starts = {t.projection.bias_start for t in biased}
        ends = sorted({first, *(start for start in starts if first < start < last), last})
        parts = []
        for begin, end in pairwise(ends):
            part = total[begin - first : end - first]
            begun = [t.bias for t in biased if t.projection.bias_start <= begin]
            parts.append(part + sum(begun[1:], start=begun[0]) if begun else part)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _part(self, term: Term, begin: int, end: int) -> Tensor:
        return self._module.applied(term, self._signals[term.projection.source], begin, end)


def _shared(scales: Sequence[Tensor]) -> Tensor | None:
    """The factor that all projections share, or `None`."""
    first = scales[0] if scales else torch.ones(())
    return first if all(s is first or bool((s == first).all()) for s in scales) else None


def rounded_terms(sides: list[list[Term]], how: Literal["trunc8", "nearest8"]) -> list[list[Term]]:
    """The terms of a population whose semantics rounds their weights."""
    weighted = [t for side in sides for t in side if t.projection.operator.weighted]
    operators = [t.projection.operator for t in weighted]
    whole, scale = rounded_jointly([t.weights for t in weighted], [t.scale for t in weighted], operators, how)
    if scale is None:
        return sides
    new = {id(t): replace(t, weights=w, scale=scale) for t, w in zip(weighted, whole, strict=True)}
    return [[new.get(id(t), t) for t in side] for side in sides]
