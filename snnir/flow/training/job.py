"""What a training starts from: the program, the machine and the samples, each checked before anything is trained."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import blake2b
from io import StringIO
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

from snnir import tensors
from snnir.dialects.platform import ATTRIBUTE, Machine, MachineAttr, machine_of
from snnir.dialects.snn import BundleOp, SparseOp, networks
from snnir.errors import SnnirError
from snnir.flow.training.forms import as_floats, biased, network_in, program_of
from snnir.flow.training.judge import refuse_what_cannot_fit
from snnir.flow.training.program import input_of, layered_program
from snnir.flow.training.prune import pruned
from snnir.flow.training.start import drawn, input_sizes
from snnir.frontend.platform import read_platform
from snnir.passes.snn.delayed import has_delays
from snnir.sim import Network
from snnir.train.description import Description
from snnir.train.readers import read_samples
from snnir.train.samples import Samples, divided, fitted
from snnir.train.stages import Stage, stages_of

Told = Callable[[int, int], None]
Bar = Callable[[str], AbstractContextManager[Told | None]]
"""Shows how far something is, under a name, as long as its context lasts."""
Compile = Callable[[ModuleOp, Path, Path, int, Path], None]
"""Compiles a program with the default pipeline: module, its file, data, samples, directory."""
Load = Callable[[Path], ModuleOp]


@dataclass(frozen=True)
class Doors:
    """What a training needs of the command line and its driver."""

    context: Context
    load: Load
    """Reads a program of any format."""
    compile: Compile
    bar: Bar = lambda _: nullcontext()
    line: Callable[[str], None] = lambda _: None
    """Takes the lines that tell how it goes."""


@dataclass(frozen=True)
class Job:
    """Everything that a training depends on."""

    description: Description
    start: ModuleOp
    """The program with the weights that training starts from."""
    machine: Machine | None
    train: Samples
    validation: Samples | None
    test: Samples | None
    stages: tuple[Stage, ...]
    biases: frozenset[str]
    """The keys of the weights beside which a bias is trained."""
    digests: dict[str, str]

    @property
    def place(self) -> str:
        """What errors name."""
        return self.description.text.place


def job_of(description: Description, doors: Doors) -> Job:
    """Read and check all that a training needs. Raises `SnnirError` for what does not fit, before any work."""
    found = _read(description)
    module = _program(description, doors, found[0])
    machine = _machine(description, module)
    network = network_in(module)
    if not network.outputs:
        raise SnnirError(_file(description), "the program has no output, so nothing tells a class", "add an output")
    _check_classify(description, network)
    sizes, classes = input_sizes(module), network.sizes[next(iter(network.outputs.values()))]
    if description.data.format != "npz" and len(sizes) == 1:
        found = tuple(each and each.renamed(next(iter(sizes))) for each in found)
    train, validation, test = (None if each is None else fitted(each, sizes, classes, network.steps) for each in found)
    assert train is not None
    digests = _digests(description, module, machine, (train, validation, test))
    share = description.data.validation
    if isinstance(share, float):
        train, validation = divided(train, share, description.training.seed)
    stages = stages_of(description, _bits(description, machine))
    module = as_floats(module)
    biases = biased(module) if description.training.biases else frozenset[str]()
    if description.network.file is None or description.network.init == "random":
        module = drawn(module, description.training.seed, train, description.network.start_rate)
    _check_limits(description, module, machine, stages)
    return Job(description, module, machine, train, validation, test, stages, biases, digests)


def _check_classify(description: Description, network: Network) -> None:
    """Raise where spikes are to be judged by their largest or last value."""
    how, source = description.training.classify, network.populations.get(next(iter(network.outputs.values())))
    if how in ("max", "last") and source is not None and source.spiking:
        message = f'classify = "{how}", but the output spikes, and one spike tells nothing'
        raise description.text.error("training.classify", message, 'write classify = "sum", which counts them')


def _read(description: Description) -> tuple[Samples, Samples | None, Samples | None]:
    """The samples to train, validate and test with."""
    data = description.data
    validation = None if isinstance(data.validation, float) else data.validation
    train = read_samples(description, data.train, "train")
    others = [
        None if name is None else read_samples(description, name, use)
        for name, use in ((validation, "validation"), (data.test, "test"))
    ]
    return train, others[0], others[1]


def _file(description: Description) -> Path | str:
    name = description.network.file
    return description.text.place if name is None else description.path(name)


def _program(description: Description, doors: Doors, train: Samples) -> ModuleOp:
    if description.network.file is None:
        name = input_of(description, list(train.inputs))
        lines, own = train.inputs[name].shape[2], description.network.layers[0]
        if lines != own:
            message = f"the first of layers is {own}, but the data have {lines} lines"
            raise description.text.error("network.layers", message, f"write {lines} first")
        return layered_program(description, name, train.steps)
    module = doors.load(description.path(description.network.file))
    if next(networks(module), None) is None:
        raise SnnirError(_file(description), "there is no snn.network in it", "start from a program")
    return module


def _machine(description: Description, module: ModuleOp) -> Machine | None:
    """The machine of the description, or of the program; the module names it from now on."""
    name = description.hardware.platform
    if name is not None:
        module.attributes[ATTRIBUTE] = read_platform(description.path(name))
    found = machine_of(module)
    if found is None and description.hardware.deploy:
        hint = 'add platform = "file.toml" to [hardware]'
        raise description.text.error("hardware.deploy", "no machine to deploy on", hint)
    return found


def _bits(description: Description, machine: Machine | None) -> int | None:
    """The bits of rounded weights."""
    if description.quantise is None:
        return None
    asked, cells = description.quantise.bits, 0 if machine is None else machine.crossbar.weight_bits
    bits = asked or cells
    if not bits:
        raise description.text.error("quantise", "nothing says how many bits weights have", "add bits = 8")
    if machine is not None and cells and bits > cells:
        message = f"weights of {bits} bits, but those of '{machine.name}' have {cells}"
        raise description.text.error("quantise.bits", message, f"write bits = {cells}, or choose another platform")
    return bits


def _check_limits(
    description: Description, module: ModuleOp, machine: Machine | None, stages: tuple[Stage, ...]
) -> None:
    """Raise for limits that the program breaks as it starts, or will when it has been pruned."""
    place = description.text.place
    prunings = [stage for stage in stages if stage.kind == "prune"]
    if prunings and not any(
        isinstance(op, BundleOp | SparseOp) and has_delays(op) for op in program_of(module).body.block.ops
    ):
        hint = "add delays = { levels = 30, stride = 2 } to [network], or leave [prune] out"
        raise description.text.error("prune", "no projection has several delays, so there is nothing to prune", hint)
    for stage in prunings:
        module = pruned(module, stage, description, machine)
    if machine is not None:
        refuse_what_cannot_fit(module, machine, place, pruned=bool(prunings))


def _digests(
    description: Description,
    module: ModuleOp,
    machine: Machine | None,
    samples: tuple[Samples | None, Samples | None, Samples | None],
) -> dict[str, str]:
    """Of everything that is read from files; what an entry names counts, not its name."""
    found = {"the program": _digest(_text(module))}
    if machine is not None:
        found["the platform"] = _digest(str(MachineAttr(machine)))
    for name, each in zip(("train", "validation", "test"), samples, strict=True):
        if each is not None:
            found[f"data.{name}"] = each.digest
    return found


def _text(module: ModuleOp) -> str:
    """A program as text, large tensors as digests; without its machine."""
    text = StringIO()
    with tensors.printing(tensors.PrintingPolicy("beside", "")):
        for network in networks(module):
            Printer(text).print_op(network)
    return text.getvalue()


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
