"""What a training is to do: the tables of `train.toml`, each a dataclass.

```toml
[network]
layers = [64, 48, 48, 10]                  # or file = "net.snn"
delays = { levels = 30, stride = 2 }

[data]
train = "train.npz"
validation = 0.1
test = "test.npz"

[training]
epochs = 30

[prune]
by = "axon"
keep = 15

[quantise]
bits = 8

[hardware]
platform = "loihi.toml"
deploy = true
```
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Any, Literal

from snnir.train.tables import Text, read_document, read_table


@dataclass(frozen=True)
class DelayLevels:
    """Between each source and each target one synapse for each delay level (arXiv 2404.10597, section II)."""

    levels: int
    """How many delays a synapse starts with."""
    stride: int = 1
    """Steps from one delay to the next."""
    first: int = 0
    """The shortest delay in steps."""
    inputs: bool = False
    """Whether the projection from the input to the first layer has delays too; in the paper it has none."""


@dataclass(frozen=True)
class Recurrence:
    """Each hidden layer reads itself, `delay` steps late at least."""

    delay: int = 1
    """The shortest delay in steps, 1 or more."""
    levels: int = 1
    """How many delays each of these synapses starts with."""
    stride: int = 1
    """Steps from one delay to the next."""


@dataclass(frozen=True)
class NetworkPart:
    """`[network]`: the program to train, from a file or as a list of layers."""

    file: str | None = None
    """A program of any format that `snnc` reads; its weights are the start."""
    init: Literal["keep", "random"] | None = None
    """Where the weights start: `keep` those of the file, or drawn anew (always where there is no file)."""
    start_rate: float = 0.05
    """Drawn weights are scaled, layer by layer, so that a neuron emits so many spikes in a step on first data."""
    layers: tuple[int, ...] = ()
    """Lines of the input and neurons of each layer, the last one the classes."""
    name: str = "trained"
    """The name of a program made of `layers`."""
    input: str | None = None
    """The name of its input: that of the array in the data by default."""
    dt: float = 1e-3
    """Seconds of one step."""
    model: Literal["if", "lif", "cuba_lif"] = "lif"
    """The neurons of each layer."""
    semantics: str = "nir"
    """A preset of docs/semantics.md, perhaps with changes: `nir(decay = exp, reset = subtract)`."""
    tau: float = 10e-3
    """Time constant of membranes in seconds."""
    tau_syn: float = 5e-3
    """Time constant of synapses in seconds, for `cuba_lif`."""
    threshold: float = 1.0
    """Of all neurons; a weight of 1 raises a membrane (or synapse) by 1."""
    readout: Literal["spikes", "membrane"] = "spikes"
    """What the classes are told by: spikes of neurons like all others, or membranes that never fire."""
    readout_tau: float | None = None
    """Time constant of the last layer in seconds; `tau` by default."""
    bias: bool = False
    """Whether neurons have a constant current."""
    delays: DelayLevels | None = None
    """Delayed synapses; without them every projection has one synapse without delay."""
    recurrent: Recurrence | None = None
    """Recurrent synapses of the hidden layers; none by default."""


@dataclass(frozen=True)
class DataPart:
    """`[data]`: what is trained and judged with."""

    train: str | int
    """A file (or folder), or how many samples of a generated task."""
    test: str | int | None = None
    """Judged once, at the end."""
    validation: str | int | float | None = None
    """The same, or the share of the training samples that is kept back; stages and epochs are judged with it."""
    format: str = "npz"
    """`npz` (as `snnc sim --data`), `shd`, `nmnist`, `wav`, or the generated task `lags`."""
    samples: int | None = None
    """Only the first so many samples of each file."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What readers of other formats take: docs/training.md."""


@dataclass(frozen=True)
class TrainingPart:
    """`[training]`: backpropagation through time with surrogate gradients."""

    epochs: int
    """Of the first stage."""
    batch: int = 32
    """Samples of one step of the optimiser."""
    lr: float = 2e-3
    """Learning rate."""
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    """Of torch, with its usual constants; `sgd` with momentum 0.9."""
    weight_decay: float = 0.0
    """Of the optimiser."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate of a stage falls: to 0 as half a cosine, or not at all."""
    clip: float = 1.0
    """Longest gradient over all parameters; 0: any."""
    slope: float = 5.0
    """Of the fast sigmoid that stands for the derivative of a spike, per threshold."""
    classify: Literal["sum", "max", "last"] | None = None
    """What a class is worth: the sum over the steps of what its neuron emits; of membranes perhaps the largest value or
    the `last`, which is the default of integrators."""
    sharpness: float = 1.0
    """Factor of that in the cross entropy."""
    smoothing: float = 0.0
    """Share of a label that is spread over all classes."""
    most_spikes: float | None = None
    """Spikes of a neuron in an inference above which it is pulled down."""
    least_spikes: float | None = None
    """Spikes of a neuron in an inference below which it is pulled up."""
    spike_strength: float = 0.1
    """Weight of these pulls in the loss: the mean over neurons of the squared excess."""
    late_strength: float = 0.0
    """Weight in the loss of the mean of |weight| * delay / longest delay, which frees delay memories."""
    biases: bool = True
    """Whether constant currents that the network has are trained too."""
    select: Literal["best", "last"] = "best"
    """Which epoch of a stage is kept: that of the best accuracy in validation (the latest of equals), or the last."""
    seed: int = 0
    """Of drawn weights, the order of samples, and the samples kept back."""
    threads: int = 1
    """Of torch; another number may sum in another order."""


@dataclass(frozen=True)
class PrunePart:
    """`[prune]`: fewer delayed synapses, then training of those that are left."""

    by: Literal["synapse", "axon", "memory"]
    """The smallest weights of each pair of neurons, whole axons (one delay of a source), or what frees delay memory."""
    keep: int | tuple[int, ...] | None = None
    """Delay levels that are kept of each pair (`synapse`) or source (`axon`); a list prunes several times."""
    entries: int | None = None
    """For `memory`: entries of a delay memory that are left; those of the platform by default."""
    epochs: int = 10
    """Of training after each pruning."""
    lr: float | None = None
    """Learning rate of it; half that of `[training]` by default."""


@dataclass(frozen=True)
class QuantisePart:
    """`[quantise]`: weights of few bits, trained as they will be rounded."""

    bits: int | None = None
    """Of a signed weight; those of the platform by default."""
    epochs: int = 5
    """Of training with rounded weights; 0 rounds only."""
    lr: float | None = None
    """Learning rate of it; a tenth of that of `[training]` by default."""


@dataclass(frozen=True)
class HardwarePart:
    """`[hardware]`: the machine whose limits hold from the start."""

    platform: str | None = None
    """A platform file; by default the one that the program names."""
    deploy: bool = False
    """Compile for it when all is trained, and judge the machine too."""
    samples: int | None = None
    """Test samples that the machine runs, the first; all by default."""


@dataclass(frozen=True)
class Description:
    """A whole training description."""

    network: NetworkPart
    data: DataPart
    training: TrainingPart
    prune: PrunePart | None = None
    quantise: QuantisePart | None = None
    hardware: HardwarePart = HardwarePart()
    text: Text = field(default=Text("train"), compare=False, repr=False)
    """Where it was read, for errors."""

    def path(self, name: str) -> Path:
        """A file that it names, relative to its own folder."""
        place = Path(self.text.place)
        return (place.parent if place.suffix == ".toml" else Path()) / name

    def with_changes(self, epochs: int | None = None, seed: int | None = None) -> "Description":
        """The same with other epochs of the first stage, or another seed."""
        given = {name: value for name, value in (("epochs", epochs), ("seed", seed)) if value is not None}
        found = replace(self, training=replace(self.training, **given))
        _check(found)
        return found

    def as_json(self) -> dict[str, Any]:
        """All entries as plain values, table by table; `None` for tables that are not there."""
        plain = asdict(replace(self, text=Text("")))
        del plain["text"]
        return plain


TABLES = tuple(f.name for f in fields(Description) if f.name != "text")


def read_description(path: Path) -> Description:
    """The description in a TOML file. Raises `SnnirError` with `file:line` for whatever makes no sense."""
    text, document = read_document(path)
    return description_of(document, text)


def description_of(document: Mapping[str, Any], text: Text | None = None) -> Description:
    """A description given as tables in tables. Raises `SnnirError`."""
    text = Text("description") if text is None else text
    for key in document:
        if key not in TABLES:
            raise text.error(key, f"no table [{key}] in a training description", f"there are {', '.join(TABLES)}")
    for key in ("network", "data", "training"):
        if key not in document:
            raise text.error(key, f"there is no table [{key}]", "docs/training.md lists all tables")
    kinds = (NetworkPart, DataPart, TrainingPart, PrunePart, QuantisePart, HardwarePart)
    parts = {
        name: read_table(kind, document[name], text, name)
        for name, kind in zip(TABLES, kinds, strict=True)
        if name in document
    }
    found = Description(**parts, text=text)  # pyright: ignore[reportArgumentType]
    _check(found)
    return found


_LEAST: dict[str, float] = {
    "network.start_rate": 0.0,
    "network.delays.levels": 1,
    "network.delays.stride": 1,
    "network.delays.first": 0,
    "network.recurrent.delay": 1,
    "network.recurrent.levels": 1,
    "network.recurrent.stride": 1,
    "data.samples": 1,
    "training.epochs": 1,
    "training.batch": 1,
    "training.weight_decay": 0.0,
    "training.clip": 0.0,
    "training.smoothing": 0.0,
    "training.most_spikes": 0.0,
    "training.least_spikes": 0.0,
    "training.spike_strength": 0.0,
    "training.late_strength": 0.0,
    "training.seed": 0,
    "training.threads": 1,
    "prune.entries": 0,
    "prune.epochs": 0,
    "quantise.bits": 2,
    "quantise.epochs": 0,
    "hardware.samples": 1,
}
"""The least value of entries."""
_POSITIVE = (
    "network.dt",
    "network.tau",
    "network.tau_syn",
    "network.threshold",
    "network.readout_tau",
    "training.lr",
    "training.slope",
    "training.sharpness",
    "prune.lr",
    "quantise.lr",
)
"""Entries that are above 0."""


def _check(found: Description) -> None:
    """Raise for entries that make no sense, alone or beside each other."""
    for key, least in _LEAST.items():
        value = _entry(found, key)
        if value is not None and not least <= value < inf:
            raise found.text.error(key, f"{key} = {value:g}", f"write {least:g} or more")
    for key in _POSITIVE:
        value = _entry(found, key)
        if value is not None and not 0 < value < inf:
            raise found.text.error(key, f"{key} = {value:g}", "write a number above 0")
    _check_network(found.network, found.text)
    _check_data(found)
    _check_training(found)
    if found.prune is not None:
        _check_prune(found.prune, found.text)
    if found.hardware.deploy and found.hardware.platform is None and found.network.file is None:
        raise found.text.error("hardware.deploy", "no machine to deploy on", 'add platform = "file.toml" to [hardware]')


def _entry(found: Description, key: str) -> Any:
    value: Any = found
    for name in key.split("."):
        value = None if value is None else getattr(value, name)
    return value


def _check_network(network: NetworkPart, text: Text) -> None:
    if (network.file is None) == (not network.layers):
        given = "both file and layers" if network.layers else "neither file nor layers"
        raise text.error("network", f"[network] has {given}", "name a program, or list the sizes of layers")
    plain = NetworkPart()
    if network.file is not None:
        for f in fields(network):
            if f.name not in ("file", "init", "start_rate") and getattr(network, f.name) != getattr(plain, f.name):
                message = f"{f.name} belongs to a network of layers, but the program is {network.file}"
                raise text.error(f"network.{f.name}", message, f"leave {f.name} out: the file says it")
        return
    if len(network.layers) < 2 or min(network.layers) < 1:
        raise text.error("network.layers", "layers are the lines of the input and at least one layer", "write [64, 10]")
    if network.init == "keep":
        raise text.error(
            "network.init", "there are no weights to keep without a file", "leave init out, or name a file"
        )
    for name, hidden in (("delays", network.delays), ("recurrent", network.recurrent)):
        if hidden is not None and len(network.layers) < 3 and not (network.delays and network.delays.inputs):
            hint = "add a hidden layer, or delays = { levels = .., inputs = true }"
            raise text.error(f"network.{name}", f"{name} belong to hidden layers, and there is none", hint)


def _check_data(found: Description) -> None:
    share = found.data.validation
    if isinstance(share, float) and not 0 < share < 1:
        raise found.text.error("data.validation", f"validation = {share:g}", "a share is above 0 and below 1")


def _check_training(found: Description) -> None:
    training, text = found.training, found.text
    if training.smoothing >= 1:
        raise text.error("training.smoothing", f"smoothing = {training.smoothing:g}", "a share is below 1")
    least, most = training.least_spikes, training.most_spikes
    if least is not None and most is not None and least > most:
        raise text.error("training.least_spikes", "least_spikes are more than most_spikes", "exchange the two")
    spikes = found.network.file is None and found.network.readout == "spikes"
    if training.classify in ("max", "last") and spikes:
        hint = 'write classify = "sum", which counts them, or readout = "membrane"'
        raise text.error("training.classify", f'classify = "{training.classify}" of spikes tells nothing', hint)


def _check_prune(prune: PrunePart, text: Text) -> None:
    if prune.by == "memory":
        if prune.keep is not None:
            raise text.error("prune.keep", "keep belongs to pruning by synapse or axon", "write entries = ..")
        return
    if prune.entries is not None:
        raise text.error("prune.entries", f"entries belong to pruning by memory, not by {prune.by}", "write keep = ..")
    if prune.keep is None:
        raise text.error("prune", f"[prune] by {prune.by} says nothing of 'keep'", "add keep = 15")
    keep = prune_steps(prune)
    if not keep or min(keep) < 1 or list(keep) != sorted(keep, reverse=True):
        raise text.error("prune.keep", f"keep = {list(keep)}", "write 1 or more, each later one smaller")


def prune_steps(prune: PrunePart) -> tuple[int, ...]:
    """What each pruning keeps; one entry of 0 for pruning by memory."""
    if prune.by == "memory":
        return (0,)
    return (prune.keep,) if isinstance(prune.keep, int) else prune.keep or ()
