"""One stage of a training in torch: epochs of backpropagation through time, each of which depends on numbers alone.

The loss is the cross entropy of what the output emits in an inference, with a pull on populations that spike too much
or too little, and on weights that arrive late. Surrogate gradients: Neftci, Mostafa and Zenke, IEEE Signal Processing
Magazine 36, 2019; delays as parallel synapses: arXiv 2404.10597, section II.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import math
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.sim.bundle import Bundle
from snnir.sim.network import Network, Population, Projection
from snnir.sim.sparse import Sparse
from snnir.train.description import TrainingPart
from snnir.train.gradients import surrogate_of
from snnir.train.libraries import torch
from snnir.train.network import TorchNetwork, weights_of
from snnir.train.samples import Samples, batches
from snnir.train.weights import Quantiser, is_trained

Tensor = torch.Tensor
Array = NDArray[Any]
Told = Callable[[int, int], None]
"""Told how many samples of an epoch are done, and of how many."""

MOMENTUM = 0.9
SMALLEST = 1e-12
"""Keeps a mean over no late weights finite."""


def versions() -> dict[str, str]:
    """Versions of what decides the last digits of weights."""
    return {"torch": str(torch.__version__), "snntorch": version("snntorch")}


@contextmanager
def deterministic(threads: int) -> Generator[None]:
    """Inside, torch sums in one order only, with so many threads; outside all is as before."""
    before = (torch.are_deterministic_algorithms_enabled(), torch.get_num_threads())
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.set_num_threads(before[1])


@dataclass(frozen=True)
class Epoch:
    """What an epoch gave."""

    loss: float
    accuracy: float
    """Right classes while training."""
    spikes: dict[str, float]
    """Of an inference, by population, while training."""


class Trainer:
    """A network, its optimiser, and the number of the stage, on which the order of samples depends."""

    def __init__(
        self,
        network: Network,
        settings: TrainingPart,
        *,
        place: str,
        stage: int,
        name: str,
        lr: float,
        epochs: int,
        biases: Collection[str] = (),
        quantiser: Quantiser | None = None,
    ) -> None:
        """`biases` are the keys of the weights of those projections whose biases are trained."""
        self._place = place
        self._settings, self._stage, self.name, self._lr, self._epochs = settings, stage, name, lr, epochs
        surrogate = surrogate_of("fast_sigmoid", slope=settings.slope)
        self.module = TorchNetwork(network, dtype="float32", surrogate=surrogate, biases=bool(biases))
        self.module.quantiser = quantiser
        self._biases = _biases_of(self.module, biases)
        self._output = next(iter(network.outputs))
        source = network.outputs[self._output]
        self._spiking = [name for name, p in network.populations.items() if p.spiking]
        self._pulled = [name for name in self._spiking if name != source]
        self._classify = settings.classify or classified_by_default(network)
        self._late = _lateness(self.module)
        self.optimiser = self._optimiser()

    def _optimiser(self) -> Any:
        parameters, settings = [p for p in self.module.parameters() if p.requires_grad], self._settings
        decay: dict[str, Any] = {"lr": self._lr, "weight_decay": settings.weight_decay}
        match settings.optimiser:
            case "adam":
                return torch.optim.Adam(parameters, **decay)
            case "adamw":
                return torch.optim.AdamW(parameters, **decay)
            case "sgd":
                return torch.optim.SGD(parameters, momentum=MOMENTUM, **decay)

    def epoch(self, samples: Samples, number: int, told: Told | None = None) -> Epoch:
        """One epoch, `number` from 1. Raises `SnnirError` when the loss or a gradient is no number any more."""
        total, right, done = 0.0, 0, 0
        counts = dict.fromkeys(self._spiking, 0.0)
        order = list(batches(len(samples), self._settings.batch, self._settings.seed, self._stage, number))
        for index, chosen in enumerate(order):
            self._set_rate((number - 1) * len(order) + index, self._epochs * len(order))
            part = samples.some(chosen)
            loss, found, emitted = self._step(part, number)
            total += loss * len(part)
            right += found
            for name, count in emitted.items():
                counts[name] += count
            done += len(part)
            if told is not None:
                told(done, len(samples))
        return Epoch(total / done, right / done, {name: count / done for name, count in counts.items()})

    def _step(self, part: Samples, number: int) -> tuple[float, int, dict[str, float]]:
        """One step of the optimiser: the loss, how many were right, and the spikes of each population."""
        labels = torch.from_numpy(part.labels)
        self.optimiser.zero_grad()
        try:
            run = self.module.run(tensors(part), record=self._spiking)
        except SnnirError as error:
            raise self._diverged(number, error.message) from None
        scores = classified(run.outputs[self._output], self._classify)
        settings = self._settings
        loss = torch.nn.functional.cross_entropy(
            settings.sharpness * scores, labels, label_smoothing=settings.smoothing
        )
        loss = loss + self._pull(run.signals) + self._lateness()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise self._diverged(number, f"the loss is {value}")
        loss.backward()
        limit = settings.clip or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(self.module.parameters(), limit))
        if not math.isfinite(norm):
            raise self._diverged(number, f"the gradient is {norm}")
        self.optimiser.step()
        counts = {name: float(run.signals[name].detach().sum()) for name in self._spiking}
        return value, int((scores.detach().argmax(1) == labels).sum()), counts

    def _diverged(self, number: int, what: str) -> SnnirError:
        message = f"epoch {number} of stage '{self.name}': {what}"
        hint = f"lower lr (now {self._lr:g}) or clip, or scale weights down; the checkpoint is of the epoch before"
        return SnnirError(self._place, message, hint)

    def _set_rate(self, step: int, steps: int) -> None:
        share = 0.5 * (1 + math.cos(math.pi * step / steps)) if self._settings.schedule == "cosine" else 1.0
        for group in self.optimiser.param_groups:
            group["lr"] = self._lr * share

    def _pull(self, signals: Mapping[str, Tensor]) -> Tensor:
        """The squared excess of spikes of a neuron in an inference, its mean over all neurons that are pulled."""
        settings = self._settings
        bounds = (settings.most_spikes, settings.least_spikes)
        excess: list[Tensor] = []
        for name in self._pulled if bounds != (None, None) else ():
            mean = signals[name].sum(1).mean(0)
            most, least = (None if bound is None else mean - bound for bound in bounds)
            excess += [each.clamp(min=0) ** 2 for each in (most, None if least is None else -least) if each is not None]
        if not excess:
            return torch.zeros(())
        neurons = sum(signals[name].shape[2] for name in self._pulled)
        return settings.spike_strength * torch.cat(excess).sum() / neurons

    def _lateness(self) -> Tensor:
        """The mean of |weight| * delay / longest delay over delayed synapses."""
        strength = self._settings.late_strength
        if not strength or not self._late:
            return torch.zeros(())
        total, count = torch.zeros(()), 0
        for key, late in self._late.items():
            mask = self.module.weights.mask(key)
            total = total + (self.module.weights.parameter(key).abs() * late * mask).sum()
            count += int(mask.sum())
        return strength * total / (count + SMALLEST)

    def accuracy(self, samples: Samples) -> float:
        """Right classes in float32, without gradients."""
        right = 0
        with torch.no_grad():
            for start in range(0, len(samples), self._settings.batch):
                part = samples.some(slice(start, start + self._settings.batch))
                scores = classified(self.module(tensors(part))[self._output], self._classify)
                right += int((scores.argmax(1) == torch.from_numpy(part.labels)).sum())
        return right / len(samples)

    @property
    def parameters(self) -> dict[str, Tensor]:
        """A copy of weights, masks and biases."""
        return {name: value.detach().clone() for name, value in self.module.state_dict().items()}

    @parameters.setter
    def parameters(self, values: Mapping[str, Tensor]) -> None:
        self.module.load_state_dict(dict(values))

    def arrays(self) -> tuple[dict[str, Array], dict[str, Array]]:
        """The weights and the biases by the keys of the weights, float32, not rounded by a quantiser."""
        return weights_of(self.module), {key: each.detach().numpy().copy() for key, each in self._biases.items()}


def tensors(part: Samples) -> dict[str, Array]:
    """The inputs of some samples as torch reads them."""
    return {name: np.ascontiguousarray(array, np.float32) for name, array in part.inputs.items()}


def classified(emitted: Tensor, how: str) -> Tensor:
    """What each class is worth, (samples, classes), from what the output emits, (samples, steps, classes)."""
    return emitted.amax(1) if how == "max" else emitted[:, -1] if how == "last" else emitted.sum(1)


def classified_by_default(network: Network) -> str:
    """What `snnc sim` takes for the answer: what an integrator holds in the end, else the sum over the steps."""
    source = network.populations.get(next(iter(network.outputs.values())))
    return "last" if isinstance(source, Population) and source.model == "integrator" else "sum"


def _trained(module: TorchNetwork) -> list[Projection]:
    """The projections whose weights are trained, in the order of the parameters of their biases."""
    found: list[Projection] = []
    for node in module.network.nodes.values():
        every = node.all_projections if isinstance(node, Population) else node.projections
        found += [p for p in every if is_trained(p)]
    return found


def _biases_of(module: TorchNetwork, keys: Collection[str]) -> dict[str, Tensor]:
    """The parameters of the biases that are trained, by key; the others stay as they are."""
    found: dict[str, Tensor] = {}
    for p, parameter in zip(_trained(module), module.biases, strict=True) if keys else ():
        parameter.requires_grad_(p.key in keys)
        if p.key in keys:
            found[p.key] = parameter
    return found


def _lateness(module: TorchNetwork) -> dict[str, Tensor]:
    """The delays of delayed synapses as a share of the longest, in a shape that multiplies their weights."""
    late: dict[str, NDArray[np.float64]] = {}
    for p in _trained(module):
        operator = p.operator
        if isinstance(operator, Bundle):
            levels = operator.weights.shape[0]
            late[p.key] = (p.delay + operator.stride * np.arange(levels, dtype=np.float64))[:, None, None]
        elif isinstance(operator, Sparse):
            late[p.key] = p.delay + operator.delays.astype(np.float64)
    longest = max((float(each.max(initial=0.0)) for each in late.values()), default=0.0)
    return {k: torch.tensor(each / longest, dtype=torch.float32) for k, each in late.items()} if longest else {}
