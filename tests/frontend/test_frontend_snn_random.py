"""Random programs mean what the same declarations mean; damaged ones are read, or refused with a place."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import UNKNOWN_LOC, LocationAttr, ModuleOp

from snnir.dialects.snn import networks
from snnir.errors import SnnirError
from snnir.export.snn import writer as snn_export
from snnir.frontend.build import build
from snnir.frontend.network import (
    Conv,
    Delay,
    Dense,
    Flatten,
    Input,
    Network,
    OneToOne,
    Output,
    Pool,
    Population,
    Reference,
    Slice,
    Sparse,
    Transform,
    Value,
)
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from snnir.frontend.snn.format import format_program
from snnir.frontend.snn.syntax import tokens
from snnir.frontend.source import Source
from snnir.indices import Indices
from snnir.semantics import CHOICES, PARAMETERS, PRESETS, SPIKING, preset

QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
MILLI = st.integers(1, 50)
Shape = tuple[int, ...]
SHAPES: st.SearchStrategy[Shape] = st.sampled_from([1, 2, 3, 3]).flatmap(
    lambda rank: st.tuples(*[st.integers(1, 4)] * rank)
)


class Nowhere:
    """An origin for networks that come from no file."""

    location: LocationAttr = UNKNOWN_LOC

    def error(self, message: str, hint: str = "") -> SnnirError:
        return SnnirError("nowhere", message, hint)


NOWHERE = Nowhere()


@dataclass
class Pair:
    """A program as text and as declarations, side by side."""

    head: list[str] = field(default_factory=list[str])
    body: list[str] = field(default_factory=list[str])
    inputs: list[Input] = field(default_factory=list[Input])
    transforms: list[Transform] = field(default_factory=list[Transform])
    populations: dict[str, Population] = field(default_factory=dict[str, Population])
    outputs: list[Output] = field(default_factory=list[Output])
    shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])
    names: set[str] = field(default_factory=set[str])

    def constant(self, draw: st.DrawFn, text: str) -> str:
        """The text, or the name of a constant with this value."""
        if not draw(st.booleans()):
            return text
        name = f"c{len(self.head)}"
        self.head.append(f"let {name} = {text}")
        return name

    def unique(self, name: str) -> str:
        """The rule by which chains get their names."""
        found, number = name, 1
        while found in self.names:
            number += 1
            found = f"{name}_{number}"
        self.names.add(found)
        return found


def number(draw: st.DrawFn, pair: Pair, unit: str = "") -> tuple[str, float]:
    """A number in thousandths, written in one of several ways, and the float64 that it is."""
    thousandths = draw(MILLI)
    exact = float(f"{thousandths}e-3")
    ways = [f"{thousandths}e-3", f"{thousandths} / 1000", f"(2 * {thousandths} - {thousandths}) * 1e-3"]
    ways += [f"{thousandths} m{unit}", f"{thousandths * 2}m{unit} / 2", f"{exact!r} {unit}"] if unit else []
    return pair.constant(draw, draw(st.sampled_from(ways))), exact


def array(draw: st.DrawFn, pair: Pair, shape: Shape) -> tuple[str, Value]:
    """Numbers of a shape."""
    found = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(-8, 9, shape) / 8
    return pair.constant(draw, str(found.tolist())), Value(found, NOWHERE)


def population(draw: st.DrawFn, pair: Pair, name: str) -> None:
    """Neurons, perhaps by a template, perhaps in a block."""
    shape = draw(SHAPES)
    model = draw(st.sampled_from(sorted(PARAMETERS)))
    given, parameters = list[str](), dict[str, Value]()
    for key in PARAMETERS[model]:
        unit = "s" if key.startswith("tau") else "V" if key in ("threshold", "v_leak") else ""
        text, value = ("0", 0.0) if key == "v_reset" else number(draw, pair, unit)
        given.append(f"{key} = {text}")
        parameters[key] = Value(value, NOWHERE)
    base = draw(st.sampled_from([name for name in PRESETS if name != "loihi"]))
    semantics, using = preset(base, model), f"using {base}"
    if draw(st.booleans()):
        key = draw(st.sampled_from(["order", "compare", "pulse", "floor"]))
        choice = draw(st.sampled_from(CHOICES[key]))
        semantics, using = semantics.changed({key: choice}), f"{using}({key} = {choice})"
    elif draw(st.booleans()) and model in SPIKING and semantics.reset != "subtract_repeat":
        semantics, using = semantics.changed({"refractory": "3"}), f"{using}(refractory = 3 * 1e-3 s)"
    call = f"{model}({', '.join(given)}) {using}"
    if draw(st.booleans()):
        pair.head.append(f"let t{len(pair.head)} = {call}")
        call = f"t{len(pair.head) - 1}"
        if draw(st.booleans()):
            text, value = number(draw, pair)
            key = PARAMETERS[model][0]
            call, parameters[key] = f"{call}({key} = {text})", Value(value, NOWHERE)
    text = " x ".join(map(str, shape)) if draw(st.booleans()) else "x".join(map(str, shape))
    if "." in name:
        instance, inner = name.split(".")
        pair.head.append(f"block b{len(pair.head)}(n) {{ population {inner}[{text}] : {call} }}")
        pair.body.append(f"instance {instance} : b{len(pair.head) - 1}(n = {name.replace('.', '_')})")
        pair.body[-1] = pair.body[-1].replace(f"{name.replace('.', '_')})", "3)")
    else:
        pair.body.append(f"population {name}[{text}] : {call}")
    pair.shapes[name] = shape
    pair.populations[name] = Population(name, shape, model, parameters, semantics, NOWHERE)


def weighted(draw: st.DrawFn, pair: Pair, targets: int) -> tuple[str, dict[str, Any]]:
    """Bias, scale and delay."""
    text, found = "", dict[str, Any]()
    if draw(st.booleans()):
        words, found["bias"] = array(draw, pair, (targets,))
        text += f", bias = {words}"
    if draw(st.booleans()):
        words, value = number(draw, pair)
        text, found["scale"] = f"{text}, scale = {words}", Value(value, NOWHERE)
    if draw(st.booleans()):
        steps = draw(st.integers(0, 4))
        found["delay"] = steps
        text += f", delay = {steps} ms" if draw(st.booleans()) else f", delay = {steps}"
    return text, found


def stage(draw: st.DrawFn, pair: Pair, shape: Shape) -> tuple[str, str, Any, Shape, Shape | None]:
    """An operation on a signal: kind, text, declaration, the shape of its result, the shape that is asked for."""
    kinds = ["one_to_one", "delay", "dense", "sparse", *(["flatten"] if len(shape) > 1 else [])]
    kinds += {2: ["conv1d", "pool1"] * 3, 3: ["conv2d", "pool2"] * 3}.get(len(shape), [])
    kind = draw(st.sampled_from(kinds))
    size = prod(shape)
    if kind == "one_to_one":
        text, weights = array(draw, pair, (size,))
        more, rest = weighted(draw, pair, size)
        return kind, f"one_to_one(weights = {text}{more})", OneToOne(weights, **rest), shape, None
    if kind == "flatten":
        start = draw(st.integers(0, len(shape) - 2))
        result = (*shape[:start], prod(shape[start:]))
        return kind, f"flatten(start = {start})", Flatten(start), result, None
    if kind == "delay":
        if draw(st.booleans()):
            return kind, "delay(steps = 2 ms)", Delay(2), shape, None
        steps = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
        return kind, f"delay(steps = {steps})", Delay(Value(np.array(steps), NOWHERE)), shape, None
    if kind == "dense":
        targets = draw(st.integers(1, 4))
        text, weights = array(draw, pair, (targets, size))
        more, rest = weighted(draw, pair, targets)
        call = f"dense(weights = {text}{more}, shape = {targets})"
        return kind, call, Dense(weights, **rest), (targets,), (targets,)
    if kind == "sparse":
        targets, count = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        sources = draw(st.lists(st.integers(0, size - 1), min_size=count, max_size=count))
        to = draw(st.lists(st.integers(0, targets - 1), min_size=count, max_size=count))
        text, weights = array(draw, pair, (count,))
        more, rest = weighted(draw, pair, targets)
        call = f"sparse(weights = {text}, from = {sources}, to = {to}{more}, shape = [{targets}])"
        ends = (Value(np.array(sources), NOWHERE), Value(np.array(to), NOWHERE))
        return kind, call, Sparse(weights, *ends, **rest), (targets,), (targets,)
    return window(draw, pair, kind, shape)


def window(draw: st.DrawFn, pair: Pair, kind: str, shape: Shape) -> tuple[str, str, Any, Shape, Shape | None]:
    """A convolution or a pool."""
    rank = len(shape) - 1
    kernel = tuple(draw(st.integers(1, side)) for side in shape[1:])
    stride = draw(st.integers(1, 2))
    sides = tuple((side - k) // stride + 1 for side, k in zip(shape[1:], kernel, strict=True))
    if kind.startswith("pool"):
        which = draw(st.sampled_from(["sum", "avg", "max"]))
        call = f"{which}_pool(kernel = {list(kernel)}, stride = {[stride] * rank})"
        return f"{which}_pool", call, Pool(which, kernel, (stride,) * rank), (shape[0], *sides), None  # pyright: ignore
    out = draw(st.integers(1, 3))
    text, weights = array(draw, pair, (out, shape[0], *kernel))
    more, rest = weighted(draw, pair, out)
    padding = None
    if draw(st.booleans()) and stride == 1:
        more += ", padding = same"
        low = tuple((k - 1) // 2 for k in kernel)
        padding, sides = (low, tuple(k - 1 - a for k, a in zip(kernel, low, strict=True))), shape[1:]
    call = f"{kind}(weights = {text}{more}, stride = {stride}, groups = 1)"
    return kind, call, Conv(weights, stride=(stride,) * rank, padding=padding, **rest), (out, *sides), None


def sources(draw: st.DrawFn, pair: Pair, target: str) -> tuple[list[str], list[str], tuple[Reference, ...], Shape]:
    """One or two signals, perhaps sliced: the words, the names, the references, the shape."""
    name = draw(st.sampled_from(sorted(pair.shapes)))
    shape = pair.shapes[name]
    words, names, found = list[str](), list[str](), list[Reference]()
    alike = [each for each in sorted(pair.shapes) if pair.shapes[each] == shape]
    for each in [name, *draw(st.lists(st.sampled_from(alike), max_size=1))]:
        names.append(each)
        if len(words) == 0 and draw(st.booleans()) and len(alike) == 1:
            chosen = draw(st.lists(st.integers(0, prod(shape) - 1), min_size=1, unique=True))
            part = pair.unique(f"{each}_slice")
            op = Slice(Indices.of(chosen))
            pair.transforms.append(
                Transform(part, (Reference(each, NOWHERE),), op, NOWHERE, None, f"{each} -> {target}")
            )
            words.append(f"{each}{Indices.of(chosen)}")
            found.append(Reference(part, NOWHERE))
            return words, names, tuple(found), (len(chosen),)
        words.append(each)
        found.append(Reference(each, NOWHERE))
    return words, names, tuple(found), shape


def chain(
    draw: st.DrawFn, pair: Pair, target: str, shape: Shape | None, delayed: bool
) -> tuple[str, tuple[Reference, ...]]:
    """A random chain to a target of a shape (or of any): `sources : stages`, and what comes out."""
    words, names, reads, now = sources(draw, pair, target)
    last = f"{'_'.join(names)}_to_{target}"
    stages: list[tuple[str, str, Any, Shape | None]] = []
    for _ in range(draw(st.integers(0, 2))):
        kind, text, op, now, asked = stage(draw, pair, now)
        stages.append((kind, text, op, asked))
    if delayed:
        stages.append(("delay", "delay(steps = 1)", Delay(1), None))
    if shape is not None:
        text, weights = array(draw, pair, (prod(shape), prod(now)))
        more, rest = weighted(draw, pair, prod(shape))
        stages.append(("dense", f"dense(weights = {text}{more})", Dense(weights, **rest), shape))
    label = f"{' + '.join(names)} -> {target}"
    for position, (kind, _, op, asked) in enumerate(stages):
        name = pair.unique(last if position == len(stages) - 1 else f"{last}_{kind}")
        pair.transforms.append(Transform(name, reads, op, NOWHERE, asked, label))
        reads = (Reference(name, NOWHERE),)
    return " : ".join([" + ".join(words), *([" | ".join(each[1] for each in stages)] if stages else [])]), reads


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, Network]:
    """A program as text, and the declarations that it must be read as."""
    pair = Pair()
    for position in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(["x", "input", "s", "V"])) + str(position)
        shape = draw(SHAPES)
        element = draw(st.sampled_from(["spike", "f64"]))
        pair.body.append(f"input {name}[{'x'.join(map(str, shape))}]{' : f64' if element == 'f64' else ''}")
        pair.inputs.append(Input(name, shape, NOWHERE, element))  # pyright: ignore[reportArgumentType]
        pair.shapes[name] = shape
    names = [
        f"{name}{position}"
        for position, name in enumerate(draw(st.lists(st.sampled_from(["p", "i.q", "let"]), min_size=1, max_size=3)))
    ]
    names = [name.replace("i.q", f"i{position}.q") for position, name in enumerate(names)]
    for name in names:
        population(draw, pair, name)
    pair.names = {*pair.shapes, "y0", "y1", *(name.split(".")[0] for name in names if "." in name)}
    into: dict[str, tuple[Reference, ...]] = dict.fromkeys(names, ())
    inhibitory: dict[str, tuple[Reference, ...]] = dict.fromkeys(names, ())
    for _ in range(draw(st.integers(0, 4)) if names else 0):
        target = draw(st.sampled_from(names))
        text, found = chain(draw, pair, target, pair.shapes[target], delayed=True)
        second = pair.populations[target].model == "dual_lif" and draw(st.booleans())
        ends, _, stages = text.partition(" : ")
        stages = f"{stages[:-1]}, into = inhibitory)" if second else stages
        pair.body.append(f"{ends} -> {target} : {stages}")
        (inhibitory if second else into)[target] += found
    for position in range(draw(st.integers(1, 2))):
        text, found = chain(draw, pair, f"y{position}", None, delayed=False)
        pair.body.append(f"output y{position} = {text}")
        pair.outputs.append(Output(f"y{position}", found, NOWHERE))
    text = "\n".join([*pair.head, "network net {", "  dt = 1 ms", "  steps = 25", *pair.body, "}", ""])
    populations = [
        Population(p.name, p.shape, p.model, p.parameters, p.semantics, NOWHERE, into[name], inhibitory[name])
        for name, p in pair.populations.items()
    ]
    ends = (pair.inputs, pair.transforms, populations, pair.outputs)
    return text, Network("net", 1e-3, NOWHERE, 25, NOWHERE, *ends, NOWHERE)


def outcome(action: Callable[[], ModuleOp]) -> str:
    """The IR, or the message of the error."""
    try:
        module = action()
        module.verify()
        return str(module)
    except SnnirError as error:
        return f"error: {error.message}"


def read(text: str) -> ModuleOp:
    """Read a program from a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "net.snn")
        path.write_text(text)
        return snn.read(path, FrontendOptions())


def exported(module: ModuleOp) -> str:
    """The IR, written as `.snn` and read again."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "out.snn")
        snn_export.write(next(networks(module)), path, Notes())
        assert format_program(path.read_text()) == path.read_text()
        return str(snn.read(path, FrontendOptions()))


@QUICK
@given(pair=pairs())
def test_random_programs(pair: tuple[str, Network], reparsed: Callable[[ModuleOp], str]) -> None:
    """Text -> IR is what the declarations give; text -> layout -> IR is the same; the text of the IR is parsed back."""
    text, network = pair
    expected = outcome(lambda: build(network))
    assert outcome(lambda: read(text)) == expected
    formatted = format_program(text)
    assert outcome(lambda: read(formatted)) == expected
    assert format_program(formatted) == formatted
    if not expected.startswith("error"):
        assert reparsed(read(text)) == expected
        assert exported(read(text)) == expected


def test_most_random_programs_are_valid() -> None:
    """The generator reaches the IR, and all kinds of operations and models."""
    texts: list[str] = []

    @settings(
        max_examples=400,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(pair=pairs())
    def collect(pair: tuple[str, Network]) -> None:
        texts.append(outcome(lambda: build(pair[1])))

    collect()
    valid = "\n".join(text for text in texts if not text.startswith("error"))
    assert sum(text.startswith("error") for text in texts) < 0.4 * len(texts), {t for t in texts if t[:5] == "error"}
    kinds = [
        "dense",
        "conv1d",
        "conv2d",
        "sum_pool",
        "avg_pool",
        "max_pool",
        "sparse",
        "flatten",
        "slice",
        "add",
        "delay",
    ]
    assert not [kind for kind in [*kinds, *PARAMETERS] if f"snn.{kind} " not in valid]


BASE = """let tau = 5 ms
let cell = lif(tau = 2 * tau, r = 1.0, v_leak = 0 mV, threshold = 15 mV, v_reset = 0.0) using nir(refractory = 2 ms)
block layer(source, n, w) {
  population h[n] : cell
  source -> h : dense(weights = w, bias = 0.5) | delay(steps = 1)
}
network net {  # comment
  dt = 1 ms steps = 25
  weights = "w.safetensors"
  input a[2x1] : f64
  input z[1x4x4]
  generate z : poisson(rate = 50 Hz, seed = 1)
  instance l1 : layer(source = a, n = 3, w = "fc.weight")
  population b[3] : dual_lif(
    tau_exc = 5 ms, tau_inh = [5e-3, 6e-3, 7e-3], tau_mem = 10 ms, r = 1.0, v_leak = 0, threshold = 1, v_reset = 0,
    w_exc = 1, w_inh = -1) using nest
  population c[2x2x2] : if(r = 1, threshold = 1, v_reset = 0) using nir(reset = subtract, compare = ge)
  z -> c : conv2d(weights = [[[[1, 2], [3, 4]]], [[[1, 2], [3, 4]]]], padding = [[0, 0], [1, 1]]) | sum_pool(kernel = 2)
  c[0:2, 4] -> b : one_to_one(weights = 0.5, delay = 2, into = inhibitory)
  b -> b : sparse(weights = [1, -1], from = [0, 1], to = [1, 2], delays = [1, 2])
  signal s = l1.h + l1.h
  output o = s : flatten
}
"""


def damaged(text: str, generator: random.Random) -> str:
    """Some tokens deleted, doubled, exchanged, or put in from elsewhere."""
    words = [str(token) for token in tokens(Source("a", text))]
    for _ in range(generator.choice([1, 1, 1, 2, 4])):
        place, other = generator.randrange(len(words)), generator.randrange(len(words))
        match generator.randrange(5):
            case 0:
                del words[place]
            case 1:
                words.insert(place, words[place])
            case 2:
                words[place], words[other] = words[other], words[place]
            case 3:
                words.insert(place, words[other])
            case _:
                words[place] = generator.choice(
                    ["0", "-1", "1e999", "[]", "x", "let", '"k"', "using", "1 / 0", "3 V", "("]
                )
    return " ".join(words)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_programs(read_snn: Callable[..., ModuleOp], seed: int) -> None:
    """Tokens deleted, doubled or exchanged: read, or refused at a place in the file."""
    read_snn(BASE)
    generator = random.Random(seed)
    refused = 0
    for _ in range(150):
        text = damaged(BASE, generator)
        try:
            read_snn(text)
        except SnnirError as error:
            refused += 1
            assert "net.snn" in error.place, text
            assert error.message
    assert refused > 100
