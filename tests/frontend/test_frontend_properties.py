"""Random networks: written as `.snn` and as `.nir` by the test, read back, equal; random damage is always an error."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import UNKNOWN_LOC, LocationAttr, ModuleOp

from snnir.errors import SnnirError
from snnir.frontend.build import build
from snnir.frontend.names import unique
from snnir.frontend.network import (
    Dense,
    Input,
    Network,
    OneToOne,
    Output,
    Population,
    Reference,
    Slice,
    Transform,
    Value,
)
from snnir.frontend.nir import reader as nir_frontend
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn_frontend
from snnir.indices import Indices
from snnir.semantics import CHOICES, COUNTS, PARAMETERS, Semantics

nir: Any = import_module("nir")

NAMES = st.sampled_from(["a", "b1", "input", "network", "x_1", "lif1.lif", "Z", "_", "population", "output", "e5"])
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
POSITIVE = st.floats(1e-2, 1e3)


class Nowhere:
    """An origin for networks that come from no file."""

    location: LocationAttr = UNKNOWN_LOC

    def error(self, message: str, hint: str = "") -> SnnirError:
        return SnnirError("nowhere", message, hint)


NOWHERE = Nowhere()


def value(draw: st.DrawFn, elements: st.SearchStrategy[float], shape: tuple[int, ...], number: bool = True) -> Value:
    """One number, or an array of a shape."""
    if number and draw(st.booleans()):
        return Value(draw(elements), NOWHERE)
    count = int(np.prod(shape))
    return Value(np.array(draw(st.lists(elements, min_size=count, max_size=count))).reshape(shape), NOWHERE)


@dataclass(frozen=True)
class Arrow:
    """A projection as the language writes it: source, part of it, target, op."""

    source: str
    part: Indices | None
    target: str
    op: Dense | OneToOne


Drawn = tuple[Network, list[Arrow]]


@st.composite
def drawn_networks(draw: st.DrawFn) -> Drawn:
    """A small network without zero-delay cycles: dense and one-to-one projections between populations of all models."""
    names = draw(st.lists(NAMES, min_size=3, max_size=6, unique=True))
    cut = draw(st.integers(1, len(names) - 2))
    inputs = [
        Input(name, tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))), NOWHERE) for name in names[:cut]
    ]
    shapes = {each.name: each.shape for each in inputs}
    for name in names[cut:-1]:
        shapes[name] = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    order = list(shapes)
    arrows = [draw(drawn_arrows(shapes, order, len(inputs))) for _ in range(draw(st.integers(0, 5)))]
    taken = {*order, names[-1]}
    transforms: list[Transform] = []
    into: dict[str, list[Reference]] = {name: [] for name in order}
    for each in arrows:
        source = Reference(each.source, NOWHERE)
        if each.part is not None:
            transforms.append(Transform(fresh(f"{each.source}_slice", taken), (source,), Slice(each.part), NOWHERE))
            source = Reference(transforms[-1].name, NOWHERE)
        name = fresh(f"{each.source}_to_{each.target}", taken)
        transforms.append(Transform(name, (source,), each.op, NOWHERE, shapes[each.target]))
        into[each.target].append(Reference(name, NOWHERE))
    populations = [draw(drawn_populations(name, shapes[name], tuple(into[name]))) for name in order[cut:]]
    outputs = [Output(names[-1], (Reference(draw(st.sampled_from(order)), NOWHERE),), NOWHERE)]
    steps = draw(st.none() | st.integers(1, 10**9))
    dt = draw(st.floats(1e-9, 1e-2))
    network = Network("net", dt, NOWHERE, steps, NOWHERE, inputs, transforms, populations, outputs, NOWHERE)
    return network, arrows


def fresh(name: str, taken: set[str]) -> str:
    """A name that nothing has yet."""
    found = unique(name, taken)
    taken.add(found)
    return found


@st.composite
def drawn_populations(draw: st.DrawFn, name: str, shape: tuple[int, ...], inputs: tuple[Reference, ...]) -> Population:
    """A population of any model with forward-Euler or exponential semantics of any kind."""
    model = draw(st.sampled_from(sorted(PARAMETERS)))
    parameters: dict[str, Value] = {}
    for parameter in PARAMETERS[model]:
        elements = {"threshold": st.floats(1.5, 9), "v_reset": st.floats(-9, 1)}.get(parameter, NUMBERS)
        elements = POSITIVE if parameter.startswith("tau") else elements
        parameters[parameter] = value(draw, elements, (int(np.prod(shape)),))
    fields = {field: draw(st.sampled_from(choices)) for field, choices in CHOICES.items()}
    counts = {field: draw(st.integers(least, 200)) for field, (least, _) in COUNTS.items()}
    semantics = Semantics(**fields, **counts)  # pyright: ignore[reportArgumentType]
    semantics = replace(semantics, decay="exp", state="f32") if semantics.decay == "int12" else semantics
    semantics = replace(semantics, state="f64") if semantics.state == "i32" else semantics
    semantics = Semantics() if semantics.problem(model) else semantics
    return Population(name, shape, model, parameters, semantics, NOWHERE, inputs)


@st.composite
def drawn_arrows(draw: st.DrawFn, shapes: dict[str, tuple[int, ...]], order: list[str], inputs: int) -> Arrow:
    """A projection that fits its ends; backwards only with a delay."""
    target = draw(st.sampled_from(order[inputs:]))
    source = draw(st.sampled_from(order))
    sources, targets = int(np.prod(shapes[source])), int(np.prod(shapes[target]))
    delay = draw(st.integers(int(order.index(source) >= order.index(target)), 4))
    part = None
    if draw(st.booleans()):
        chosen = draw(st.lists(st.integers(0, sources - 1), min_size=1, max_size=sources, unique=True))
        part, sources = Indices.of(chosen), len(chosen)
    reading = (sources,) if part else shapes[source]
    one_to_one = reading == shapes[target] or (len(shapes[target]) == 1 and sources == targets)
    scale = value(draw, POSITIVE, (targets,)) if draw(st.booleans()) else None
    bias = value(draw, NUMBERS, (targets,)) if draw(st.booleans()) else None
    if one_to_one and draw(st.booleans()):
        return Arrow(source, part, target, OneToOne(value(draw, NUMBERS, (targets,)), bias, scale, delay))
    return Arrow(source, part, target, Dense(value(draw, NUMBERS, (targets, sources), False), bias, scale, delay))


def written(each: Value) -> str:
    """A value as the language writes it."""
    return str(each.array.tolist())


def program(network: Network, arrows: list[Arrow]) -> str:
    """The network in the `.snn` language, in the order in which the network lists things."""
    lines = [f"network {network.name} {{", f"dt = {network.dt!r}"]
    lines += [] if network.steps is None else [f"steps = {network.steps}"]
    lines += [f"input {each.name}[{'x'.join(map(str, each.shape))}]" for each in network.inputs]
    for each in network.populations:
        parameters = ", ".join(f"{name} = {written(each.parameters[name])}" for name in PARAMETERS[each.model])
        changes = ", ".join(f"{name} = {choice}" for name, choice in each.semantics.differences(Semantics()).items())
        shape = "x".join(map(str, each.shape))
        lines.append(f"population {each.name}[{shape}] : {each.model}({parameters}) using nir({changes})")
    for each in arrows:
        part = str(each.part) if each.part else ""
        given = {"weights": each.op.weights, "bias": each.op.bias, "scale": each.op.scale}
        arguments = [f"{name} = {written(v)}" for name, v in given.items() if v is not None]
        arguments += [f"delay = {each.op.delay}"] if each.op.delay else []
        kind = "dense" if isinstance(each.op, Dense) else "one_to_one"
        lines.append(f"{each.source}{part} -> {each.target} : {kind}({', '.join(arguments)})")
    lines += [f"output {each.name} = {each.sources[0].name}" for each in network.outputs]
    return "\n".join([*lines, "}", ""])


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(drawn=drawn_networks())
def test_random_programs_are_read_back(drawn: Drawn, reparsed: Callable[[ModuleOp], str]) -> None:
    """Network -> `.snn` -> IR equals network -> IR, and the text of it is parsed back."""
    network, arrows = drawn
    module = build(network)
    module.verify()
    with TemporaryDirectory() as folder:
        path = Path(folder, "net.snn")
        path.write_text(program(network, arrows))
        assert str(snn_frontend.read(path, FrontendOptions())) == str(module)
    assert reparsed(module) == str(module)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sizes=st.lists(st.integers(1, 4), min_size=2, max_size=5),
    recurrent=st.lists(st.booleans(), min_size=4, max_size=4),
    skip=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_networks_in_both_formats(sizes: list[int], recurrent: list[bool], skip: bool, seed: int) -> None:
    """Layers, recurrent ones and a connection that skips: the same IR from `.nir` and from `.snn`."""
    generator = np.random.default_rng(seed)
    layers = [f"n{number}" for number in range(len(sizes))]
    nodes: dict[str, Any] = {"n0": nir.Input(input_type={"input": np.array([sizes[0]])})}
    edges: list[tuple[str, str]] = []
    lines = ["network net {", "dt = 1e-3", f"input n0[{sizes[0]}]"]
    ends = [(i - 1, i, 0) for i in range(1, len(sizes))]
    ends += [(0, len(sizes) - 1, 0)] if skip and len(sizes) > 2 else []
    ends += [(i, i, 1) for i in range(1, len(sizes)) if recurrent[i - 1]]
    for i, name in enumerate(layers[1:], 1):
        taus = generator.choice([2e-3, 4e-3, 8e-3], sizes[i])
        nodes[name] = nir.LIF(
            tau=taus,
            r=taus / 1e-3,
            v_leak=np.zeros(sizes[i]),
            v_threshold=np.ones(sizes[i]),
            v_reset=np.zeros(sizes[i]),
        )
        parameters = f"tau = {taus.tolist()}, r = {(taus / 1e-3).tolist()}, v_leak = 0, threshold = 1, v_reset = 0"
        lines.append(f"population {name}[{sizes[i]}] : lif({parameters}) using nir")
    for i, j, delay in sorted(ends, key=lambda end: (end[1], end[2], end[0])):
        weight, bias = generator.normal(size=(sizes[j], sizes[i])), generator.normal(size=sizes[j])
        node = f"n{i}_to_n{j}"
        nodes[node] = nir.Affine(weight=weight, bias=bias)
        edges += [(f"n{i}", node), (node, f"n{j}")]
        lines.append(f"n{i} -> n{j} : dense(weights = {weight.tolist()}, bias = {bias.tolist()}, delay = {delay})")
    nodes["out"] = nir.Output(output_type={"output": np.array([sizes[-1]])})
    edges.append((layers[-1], "out"))
    with TemporaryDirectory() as folder:
        nir.write(Path(folder, "net.nir"), nir.NIRGraph(nodes=nodes, edges=edges))
        Path(folder, "net.snn").write_text("\n".join([*lines, f"output out = {layers[-1]}", "}"]))
        model = nir_frontend.read(Path(folder, "net.nir"), FrontendOptions())
        for op in model.walk():
            op.attributes.pop("nir", None)  # what the file looks like, for writing it again
        assert str(model) == str(snn_frontend.read(Path(folder, "net.snn"), FrontendOptions()))


def damaged(data: bytes, generator: random.Random) -> bytes:
    """Some bytes changed, inserted or removed, or the end cut off."""
    changed = bytearray(data)
    for _ in range(generator.choice([1, 1, 2, 4, 16])):
        place = generator.randrange(len(changed))
        match generator.randrange(8):
            case 0:
                del changed[place:]
            case 1:
                del changed[place : place + generator.randrange(9)]
            case 2:
                changed[place:place] = changed[: generator.randrange(9)]
            case _:
                changed[place] = generator.choice([0, 255, generator.randrange(256), changed[place] ^ 1])
        if not changed:
            break
    return bytes(changed)


PROGRAM = b"""network net {  # comment
  dt = 1e-3 steps = 25 weights = "w.safetensors"
  input a[2x1]
  population b[3] : lif(tau = [5e-3, 6e-3, 7e-3], r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  population c[2] : if(r = 1, threshold = 1, v_reset = 0) using nir(reset = subtract, compare = ge)
  a -> b : dense(weights = "fc.weight", bias = "fc.bias", scale = 0.5)
  b -> b : dense(weights = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], delay = 1)
  b[0:2] -> c : one_to_one(weights = 0.5, delay = 2)
  output o = c
}
"""


def test_damaged_programs(read_snn: Callable[..., ModuleOp]) -> None:
    """A damaged program is read, or refused with a place in it."""
    read_snn(PROGRAM)
    generator = random.Random(1)
    refused = 0
    for _ in range(500):
        try:
            read_snn(damaged(PROGRAM, generator))
        except SnnirError as error:
            refused += 1
            assert "net.snn" in error.place
    assert refused > 200


def test_damaged_models(
    read_nir: Callable[..., ModuleOp], graph: Callable[[], tuple[Any, Any]], tmp_path: Path
) -> None:
    """A damaged file is read, or refused with its name; the HDF5 library's crashes and endless loops included."""
    read_nir(*graph())
    path = tmp_path / "net.nir"
    data = path.read_bytes()
    used = [number for number, byte in enumerate(data) if byte]
    generator = random.Random(1)
    refused = 0
    for _ in range(40):
        changed = bytearray(damaged(data, generator) if generator.random() < 0.3 else data)
        for _ in range(generator.choice([1, 3, 20])):
            changed[generator.choice(used) % len(changed)] = generator.choice([0, 255, generator.randrange(256)])
        path.write_bytes(changed)
        try:
            nir_frontend.read(path, FrontendOptions())
        except SnnirError as error:
            refused += 1
            assert "net.nir" in error.place
    assert refused > 15


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.3, 0.6, 0.9, 0.999])
def test_truncated_models(
    read_nir: Callable[..., ModuleOp], graph: Callable[[], tuple[Any, Any]], tmp_path: Path, share: float
) -> None:
    """Every truncated file is refused."""
    read_nir(*graph())
    path = tmp_path / "net.nir"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(
        SnnirError,
        match=r"net\.nir: error: (this is not an|this is an empty file, not an|damaged or truncated) HDF5 file",
    ):
        nir_frontend.read(path, FrontendOptions())


def test_a_file_that_makes_the_library_loop(
    read_nir: Callable[..., ModuleOp], graph: Callable[[], tuple[Any, Any]], tmp_path: Path
) -> None:
    """A list of free blocks that leads back to itself: HDF5 follows it for ever, the reader does not."""
    read_nir(*graph())
    path = tmp_path / "net.nir"
    data = bytearray(path.read_bytes())
    place = data.rindex(b"HEAP")
    free, start = (int.from_bytes(data[place + i : place + i + 8], "little") for i in (16, 24))
    data[start + free : start + free + 8] = free.to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(SnnirError, match="reading it never ends"):
        nir_frontend.read(path, FrontendOptions())
