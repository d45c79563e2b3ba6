"""Operations, chains, signals, outputs and stimuli of the `.snn` language: what each becomes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.snn import NetworkOp, NeuronOp, networks
from snnir.errors import SnnirError
from snnir.frontend.stimulus import stimuli_of
from snnir.sim.stimulus import Poisson, Recording
from snnir.tensors import write_safetensors

Read = Callable[..., ModuleOp]
ErrorOf = Callable[[Callable[[], object]], SnnirError]

CELL = "if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir"
DUAL = (
    "dual_lif(tau_exc = 2 ms, tau_inh = 5 ms, tau_mem = 10 ms, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, "
    "w_exc = 1.0, w_inh = -0.5) using nir"
)
HEAD = f'let cell = {CELL}\nlet k22 = [[[[1, 2], [3, 4]]]]\nnetwork net {{ dt = 1 ms weights = "w.safetensors"\n'


def network(module: ModuleOp) -> NetworkOp:
    """The only network of a module."""
    (found,) = networks(module)
    return found


def lines(module: ModuleOp) -> list[str]:
    """The ops between inputs and the rest, without types and tensor contents."""
    return [line.strip() for line in str(module).splitlines() if line.strip().startswith(("%", "snn.output"))]


def ops(module: ModuleOp) -> list[str]:
    """Names of the ops."""
    return [op.name.removeprefix("snn.") for op in network(module).body.block.ops]


CHAINS = [
    # shape of the source, shape of the target, the chain, what is in the text of the op
    (
        "4",
        "3",
        "dense(weights = [[1,2,3,4],[1,2,3,4],[1,2,3,4]], bias = 2 mV)",
        "snn.dense %x weights",
        "-> !snn.signal<3, f64>",
    ),
    ("2x2", "3x1", "dense(weights = [[1,2,3,4],[1,2,3,4],[1,2,3,4]])", "snn.flatten %x", "-> !snn.signal<4, spike>"),
    ("2x3", "2x1", "dense(weights = [[1, 2, 3]])", "1x3xf64", "!snn.signal<2x3, spike> -> !snn.signal<2x1, f64>"),
    ("2x3", "2x3", "one_to_one(weights = 2, delay = 4)", "snn.scale %x by 2.0 delay 4", "2x3, f64"),
    ("1x4x4", "1x3x3", "conv2d(weights = k22)", "snn.conv2d %x weights", "1x3x3, f64"),
    ("1x4x4", "1x2x2", "conv2d(weights = k22, stride = 2)", "stride [2, 2]", "1x2x2, f64"),
    ("1x4x4", "1x2x3", "conv2d(weights = k22, stride = [2, 1])", "stride [2, 1]", "1x2x3, f64"),
    ("1x4x4", "1x5x5", "conv2d(weights = k22, padding = 1)", "padding [1, 1]", "1x5x5, f64"),
    ("1x4x4", "1x4x5", "conv2d(weights = k22, padding = [[0, 1], [1, 1]])", "padding [0, 1] to [1, 1]", "1x4x5, f64"),
    ("1x4x4", "1x4x4", "conv2d(weights = k22, padding = same)", "padding [0, 0] to [1, 1]", "1x4x4, f64"),
    (
        "1x4x4",
        "1x4x4",
        "conv2d(weights = k22, padding = same, dilation = 2)",
        "padding [1, 1] dilation [2, 2]",
        "1x4x4, f64",
    ),
    ("1x4x4", "1x2x2", "conv2d(weights = k22, padding = same, stride = 2)", "padding [0, 0] to [1, 1]", "1x2x2, f64"),
    ("1x4x4", "1x3x3", "conv2d(weights = k22, padding = valid)", "snn.conv2d %x", "1x3x3, f64"),
    ("2x4x4", "2x3x3", 'conv2d(weights = "grouped", groups = 2, bias = [1, 2])', "groups 2", "2x3x3, f64"),
    ("1x8", "2x6", 'conv1d(weights = "conv1", dilation = 2)', "snn.conv1d %x", "2x6, f64"),
    ("1x8", "2x8", 'conv1d(weights = "conv1", padding = [[1], [0]], scale = 0.5)', "padding [1] to [0]", "2x8, f64"),
    ("2x4x4", "2x2x2", "sum_pool(kernel = 2)", "snn.sum_pool %x kernel [2, 2]", "2x2x2, f64"),
    ("2x4x4", "2x3x1", "avg_pool(kernel = [2, 3], stride = [1, 2])", "kernel [2, 3] stride [1, 2]", "2x3x1, f64"),
    (
        "2x4x4",
        "2x3x3",
        "max_pool(kernel = 2, padding = 1)",
        "snn.max_pool %x kernel [2, 2] padding [1, 1]",
        "2x3x3, spike",
    ),
    ("2x6", "2x3", "sum_pool(kernel = [2])", "kernel [2]", "2x3, f64"),
    (
        "2x4x4",
        "2x4x4",
        "max_pool(kernel = 3, stride = 1, padding = [[1, 1], [1, 1]])",
        "kernel [3, 3] stride [1, 1]",
        "spike",
    ),
    ("2x3", "6", "flatten", "snn.flatten %x", "2x3, spike> -> !snn.signal<6, spike>"),
    ("2x3x4", "2x12", "flatten(start = 1)", "snn.flatten %x", "-> !snn.signal<2x12, spike>"),
    ("2x3x4", "6x4", "flatten(end = -2)", "snn.flatten %x", "-> !snn.signal<6x4, spike>"),
    ("3", "3", "delay(steps = 2)", "snn.delay %x by 2", "3, spike"),
    ("3", "3", "delay(steps = 2 ms)", "snn.delay %x by 2", "3, spike"),
    ("3", "3", "delay(steps = [0, 1, 2])", "3xi64, [0, 1, 2]", "3, spike"),
    ("3", "3", 'delay(steps = "delays")', '"delays", 3xi64', "3, spike"),
    ("3", "3", 'delay(steps = "short")', '"short", 3xi64', "3, spike"),
    (
        "3",
        "2x2",
        "sparse(weights = [1, 2], from = [0, 2], to = [3, 0], delays = [0, 5])",
        "delays #snn.tensor",
        "2x2, f64",
    ),
    ("3", "4", 'sparse(weights = 0.5, from = "pre", to = "post", delay = 3)', "0.5, 0.5", "delay 3"),
    ("3", "4", 'sparse(file = "list.csv")', "[0.5, 0.25]", "[0, 7]"),
]


@pytest.fixture
def read(read_snn: Read, tmp_path: Path) -> Read:
    """As `read_snn`, with more tensors and a file of connections."""
    grouped = np.arange(8.0).reshape(2, 1, 2, 2)
    tensors: dict[str, Any] = {
        "grouped": grouped,
        "conv1": np.ones((2, 1, 2), np.float32),
        "delays": np.array([0, 1, 2]),
        "short": np.array([3, 1, 2], np.int16),
        "pre": np.array([0, 2]),
        "post": np.array([3, 0]),
        "float": np.array([0.0, 1.0, 2.0]),
    }
    (tmp_path / "list.csv").write_text("to,from,weight,delay\n3,0,0.5,0\n0,2,0.25,7\n")

    def run(text: str, **options: Any) -> ModuleOp:
        write_safetensors(tmp_path / "w.safetensors", tensors)
        return read_snn(text, **options)

    read_snn("network n { dt = 1 input x[1] }")
    return run


@pytest.mark.parametrize(("source", "target", "chain", "text", "types"), CHAINS)
def test_operations(read: Read, source: str, target: str, chain: str, text: str, types: str) -> None:
    """Each operation, its arguments in the text of the op, and its type."""
    module = read(f"{HEAD} input x[{source}] population p[{target}] : cell\n x -> p : {chain} }}")
    module.verify()
    line = lines(module)[1]
    assert text in line
    assert types in line


@pytest.mark.parametrize(("source", "target", "chain", "text", "types"), CHAINS)
def test_operations_are_read_back(
    read: Read, reparsed: Callable[[ModuleOp], str], source: str, target: str, chain: str, text: str, types: str
) -> None:
    """The text of the IR is parsed back."""
    module = read(f"{HEAD} input x[{source}] population p[{target}] : cell\n x -> p : {chain} }}")
    assert reparsed(module) == str(module)
    assert text in str(module)
    assert types in str(module)


def test_chains(read: Read) -> None:
    """From left to right, `direct` is nothing; names come from the ends."""
    module = read(f"""{HEAD} input x[1x5x5] population p[2] : cell
      x -> p : conv2d(weights = k22) | direct | sum_pool(kernel = 2) | flatten
        | dense(weights = [[1, 2, 3, 4], [5, 6, 7, 8]]) }}""")
    assert ops(module) == ["input", "conv2d", "sum_pool", "flatten", "dense", "if"]
    assert [line.split(" = ")[0] for line in lines(module)] == [
        "%x",
        "%x_to_p_conv2d",
        "%x_to_p_sum_pool",
        "%x_to_p_sum_pool_flat",
        "%x_to_p",
        "%p",
    ]


def test_signals(read: Read) -> None:
    """A chain with a name is one chain, however often it is read; a name for a sum is no op of its own."""
    module = read(f"""{HEAD} input x[4] input y[4] : f64
      signal both = x + y
      signal some = both[0:2]
      signal weighted = both : one_to_one(weights = 2)
      signal again = weighted
      population p[4] : cell
      population q[2] : cell
      again -> p : direct
      weighted[0:2] + some -> q : direct
      output w = weighted
      output b = both }}""")
    assert ops(module) == ["input", "input", "add", "scale", "if", "slice", "slice", "if", "output", "output"]
    texts = lines(module)
    assert texts[3].startswith("%weighted = snn.scale %sum by 2.0")
    assert "snn.if @p(%weighted)" in texts[4]
    assert "snn.if @q(%weighted_slice, " in texts[7]
    assert "f64" in texts[1]


def test_outputs_with_chains(read: Read) -> None:
    """What the host reads may be weighted; several sources are added."""
    module = read(f"""{HEAD} input x[2] population p[2] : cell
      x -> p : direct
      output y = p + x : dense(weights = [[1, 1]], bias = 0.5)
      output z = p }}""")
    assert ops(module) == ["input", "scale", "if", "add", "dense", "output", "output"]
    assert "snn.output @y %p_x_to_y : !snn.signal<1, f64>" in lines(module)


def test_sums_and_slices(read: Read) -> None:
    """`a[0:2] + b` is one projection of a sum."""
    module = read(f"""{HEAD} input a[4] input b[2] population p[2] : cell
      a[2, 0] + b -> p : dense(weights = [[1, 2], [3, 4]]) }}""")
    assert ops(module) == ["input", "input", "slice", "add", "dense", "if"]
    assert "snn.slice %a [2, 0]" in lines(module)[2]


def test_two_synapses(read: Read) -> None:
    """`into` says which synapse; several projections to each."""
    module = read(f"""{HEAD} input a[2] input b[2] population p[2] : {DUAL}
      b -> p : direct(into = inhibitory)
      a -> p : one_to_one(weights = 2)
      b -> p : one_to_one(weights = 3, into = excitatory)
      a -> p : dense(weights = [[1, 2], [3, 4]]) | delay(steps = 1, into = inhibitory) }}""")
    op = network(module).sources["p"]
    assert isinstance(op, NeuronOp)
    line = lines(module)[-1]
    assert line.startswith("%p = snn.dual_lif @p(%a_to_p, %b_to_p | %b_to_p_1, %a_to_p_1)")


def test_names_of_chains_do_not_collide(read: Read) -> None:
    module = read(f"""{HEAD} input a[1] population a_to_b[1] : cell population b[1] : cell
      a -> b : one_to_one(weights = 1)
      a -> b : one_to_one(weights = [2])
      signal a_to_b_2 = a : one_to_one(weights = 3)
      a_to_b_2 -> b : direct }}""")
    assert len({line.split(" = ")[0] for line in lines(module)}) == len(lines(module))


def test_stimuli(read: Read, tmp_path: Path, reparsed: Callable[[ModuleOp], str]) -> None:
    """Kept as an attribute that is read back from the text."""
    module = read(f"""{HEAD} input a[2] input b[2] input c[2x1] input d[1]
      generate a : poisson(rate = 50 Hz, seed = 7)
      generate b : poisson(rate = [0.01 kHz, 20 Hz], seed = 0)
      generate c : poisson(rate = 1 / 2 ms, seed = 1)
      generate d : file("spikes.npz") }}""")
    found = stimuli_of(network(module))
    assert found["a"] == Poisson(50.0, 7)
    assert found["c"] == Poisson(500.0, 1)
    assert found["d"] == Recording(tmp_path / "spikes.npz")
    b = found["b"]
    assert isinstance(b, Poisson)
    assert np.asarray(b.rate).tolist() == [10.0, 20.0]
    assert reparsed(module) == str(module)


ERRORS = [
    # declarations, words of the message, of the hint, text that is blamed
    ("x -> p : sum_pool(kernel = 0)", "kernel is a whole number, 1 or more", "kernel = 1", "0)"),
    ("x -> p : sum_pool(kernel = [2, 2, 2])", "a kernel of 3 dimensions", "one or two", "[2, 2, 2]"),
    (
        "x -> p : sum_pool(kernel = [2, 2], stride = [2])",
        "stride has 1 numbers, but sum_pool has 2 dimensions",
        "one",
        "[2])",
    ),
    ("x -> p : sum_pool(kernel = [2, 1.5])", "kernel is a list of whole numbers, 1 or more", "[2, 2]", "[2, 1.5]"),
    ("x -> p : sum_pool()", "sum_pool lacks kernel", "sum_pool(kernel = 2)", "sum_pool"),
    ("x -> p : delay()", "delay lacks steps", "delay(steps = 1)", "delay"),
    ("x -> p : delay(steps = -1)", "steps is a whole number of steps, 0 or more", "", "-1"),
    ("x -> p : delay(steps = 1.5 ms)", "steps is 1.5 ms, which is no whole number of steps", "", "1.5 ms"),
    ("x -> p : delay(steps = [1, 1.5])", "steps is a list of whole numbers", "", "[1, 1.5]"),
    (
        'x -> p : delay(steps = "float")',
        "steps 'float' holds f64, but steps is a list of whole numbers",
        "I64",
        '"float"',
    ),
    ("x -> p : conv2d()", "this projection has no weights", "", "conv2d"),
    (
        "x -> p : conv2d(weights = [[1]])",
        "weights are 1x1, but conv2d needs 4 dimensions",
        "out x in/groups x height",
        "[[1]]",
    ),
    (
        'x -> p : conv1d(weights = "grouped")',
        "weights 'grouped' are 2x1x2x2, but conv1d needs 3",
        "length",
        '"grouped"',
    ),
    ("x -> p : conv2d(weights = 3)", "weights are no dimensions, but conv2d needs 4 dimensions", "", "3)"),
    ("x -> p : conv2d(weights = k22, padding = full)", "'full' is not a value of padding", "same or valid", "full"),
    (
        "x -> p : conv2d(weights = k22, padding = [[1, 1]])",
        "padding is 1x2, but conv2d needs 2x2",
        "behind",
        "[[1, 1]]",
    ),
    ("x -> p : conv2d(weights = k22, padding = 1 ms)", "padding is a plain number, but this is a time", "", "1 ms"),
    ("x -> p : conv2d(weights = k22, groups = 0)", "groups is a whole number, 1 or more", "", "0)"),
    ("x -> p : conv2d(weights = k22, strides = 0)", "no argument of conv2d 'strides'", "'stride'", "strides"),
    ("x -> p : conv2d(weights = k22, scale = 2 V)", "scale is a plain number, but this is a voltage", "", "2 V"),
    (
        "x -> p : sum_pool(kernel = 2, padding = same)",
        "padding is a whole number, 0 or more, but there is no constant 'same'",
        "",
        "same",
    ),
    ("x -> p : flatten(start = a)", "start is a whole number, 0 or more, but there is no constant 'a'", "", "a)"),
    ("x -> p : sparse(weights = [1], from = [0])", "these sparse connections lack to", "file =", "sparse"),
    ("x -> p : sparse(weights = [1], from = 0, to = [0])", "from is a list of whole numbers", "per synapse", "0, to"),
    (
        "x -> p : sparse(weights = [1], from = b, to = [0])",
        "from is a list of whole numbers, but there is no constant",
        "",
        "b,",
    ),
    ("x -> p : sparse(weights = [1], from = [0.5], to = [0])", "from is a list of whole numbers", "", "[0.5]"),
    (
        "x -> p : sparse(weights = [1], from = [0 ms], to = [0])",
        "from is a plain number, but this is a time",
        "",
        "[0 ms]",
    ),
    ('x -> p : sparse(file = "no.csv")', "there is no file", "relative to the file that names it", '"no.csv"'),
    ('x -> p : sparse(file = "list.csv", to = [1])', "to beside file", "the file holds weights", "to"),
    ("x -> p : sparse(file = 3)", "file is the name of a file", 'file = "file name"', "3)"),
    ('x -> p : sparse("list.csv")', "a text without a name", "name = value", '"list.csv"'),
    ("x -> p : convolve()", "no kind of projection 'convolve'", "", "convolve"),
    ("x -> p : direct(into = inhibitory)", "'p' is a if population, which has one synapse", "dual_lif", "inhibitory"),
    ("x -> d : direct(into = inhibit)", "'inhibit' is not a value of into", "excitatory or inhibitory", "inhibit)"),
    ("x -> d : flatten(into = inhibitory) | direct", "'into' stands before the end of the chain", "last", "inhibitory"),
    (
        "output y = x : flatten(into = inhibitory)",
        "'into' names a synapse, but this leads to no population",
        "",
        "inhibitory",
    ),
    (
        "signal s = x : direct(into = inhibitory)",
        "'into' names a synapse, but this leads to no population",
        "",
        "inhibitory",
    ),
    ("signal s = t signal t = s s -> p : direct", "the signals s -> t -> s are nothing but each other", "", "s s ->"),
    ("signal s = s : flatten", "nothing reads 's -> s'", "connect it", "s = s"),
    ("signal s = q", "there is no input or population 'q'", "", "q"),
    ("x -> s : direct signal s = x", "'s' is a signal, which takes no projections", "signal s = ...", "s : direct"),
    ("output y = x x -> y : direct", "'y' is an output, which takes no projections", "output y = ...", "y : direct"),
    ("output y = x y -> p : direct", "'y' is an output, which only the host reads", "", "y -> p"),
    ("x[0:999] -> p : direct", "[0:999] reaches beyond the 16 neurons of 'x'", "", "[0:999]"),
    ("generate x : poison()", "no generator 'poison'", "did you mean 'poisson'?", "poison"),
    ("generate y : poisson(rate = 1, seed = 1)", "there is no input 'y'", "", "y"),
    ("generate p : poisson(rate = 1, seed = 1)", "'p' is no input", "only inputs", "p : poisson"),
    ("generate x : poisson(rate = 50 Hz)", "this generator lacks seed", "poisson(rate = 50 Hz, seed = 1)", "poisson"),
    ("generate x : poisson(rate = 50 ms, seed = 1)", "rate is a rate, but this is a time", "such as 50 Hz", "50 ms"),
    (
        "generate x : poisson(rate = 2 kHz, seed = 1)",
        "a rate of 2000 Hz is more than one spike in each step",
        "",
        "2 kHz",
    ),
    ("generate x : poisson(rate = -1, seed = 1)", "a rate is 0 or more", "", "-1"),
    ("generate x : poisson(rate = [1, 2], seed = 1)", "2 rates for 16 neurons", "", "[1, 2]"),
    ("generate x : poisson(rate = 1, seed = 0.5)", "seed is a whole number, 0 or more", "", "0.5"),
    ("generate x : poisson(rate = 1, seed = 1 / 0)", "division by zero", "", "0)"),
    ("generate x : poisson(rate = 1, sead = 1)", "no argument of poisson 'sead'", "did you mean 'seed'?", "sead"),
    ('generate x : poisson("a", rate = 1, seed = 1)', "a text without a name", "", '"a"'),
    ("generate x : file()", "this generator names no file", 'file("spikes.npz")', "file"),
    ('generate x : file("a", "b")', "two files", "", "file"),
    ('generate x : file("a") generate x : file("b")', "'x' has two stimuli", "", 'x : file("b")'),
]


@pytest.mark.parametrize(("declarations", "message", "hint", "blamed"), ERRORS)
def test_errors(
    read: Read, error_of: ErrorOf, tmp_path: Path, declarations: str, message: str, hint: str, blamed: str
) -> None:
    """The place, the words, and the way out."""
    text = f"{HEAD} input x[1x4x4] population p[1x4x4] : cell population d[1x4x4] : {DUAL}\n{declarations}\n}}"
    error = error_of(lambda: read(text))
    assert message in error.message
    assert hint in error.hint
    position = declarations.rindex(blamed) if blamed else None
    if position is not None:
        assert error.place == f"{tmp_path}/net.snn:5:{position + 1}"


def test_long_chains_of_names(read: Read, error_of: ErrorOf) -> None:
    """Signals that are names of signals, in a row and doubled."""
    rows = ["signal s0 = x", *(f"signal s{i + 1} = s{i}" for i in reversed(range(5000)))]
    error = error_of(lambda: read(f"{HEAD} input x[1] {' '.join(rows)} output y = s5000 }}"))
    assert error.message == "more than 100 signals are names of each other"
    rows = ["signal s0 = x", *(f"signal s{i + 1} = s{i} + s{i}" for i in range(40))]
    error = error_of(lambda: read(f"{HEAD} input x[1] {' '.join(rows)} output y = s40 }}"))
    assert error.message == "more than 4096 signals are added"


FILES = [
    # content, line or array of the error, words of the message
    ("", "", "no connections in this file"),
    ("from,to,weight\n", "", "no connections in this file"),
    ("0 1\n", ":1", "2 columns, not 3 or 4"),
    ("# x\n0 1 2 # c\n\n0 1\n", ":4", "2 columns, but there are 3: from, to, weight"),
    ("from to\n", ":1", "there is no column 'weight'"),
    ("from to weight wait\n", ":1", "no column 'wait'"),
    ("from to weight to\n", ":1", "two columns 'to'"),
    ("0;1;nan\n", ":1", "nan is no finite number"),
    ("0;1;1\n0;one;1", ":2", "'one' is no number"),
    ("0;1.5;1\n", ":to", "1.5 in row 1 is no whole number, 0 or more"),
    ("0;1;1\n-1;1;1\n", ":from", "-1 in row 2 is no whole number"),
    (b"\xff\xfe0", "", "cannot be read"),
    ({"from": [0], "to": [1]}, "", "there is no column 'weight'"),
    ({"from": [0], "to": [1], "weights": [1, 2]}, ":weight", "2 numbers, but 'from' has 1"),
    ({"from": [0], "to": [[1]], "weights": [1]}, ":to", "not a list of numbers"),
    ({"from": [0], "to": [1], "weights": [1], "x": [1]}, "", "no column 'x'"),
]


@pytest.mark.parametrize(("content", "place", "message"), FILES)
def test_wrong_files_of_connections(
    read: Read, error_of: ErrorOf, tmp_path: Path, content: Any, place: str, message: str
) -> None:
    path = tmp_path / "list.csv"
    if isinstance(content, dict):
        path = tmp_path / "list.npz"
        np.savez(path, **{name: np.array(values) for name, values in content.items()})  # pyright: ignore
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    text = f'{HEAD} input x[4] population p[4] : cell x -> p : sparse(file = "{path.name}") }}'
    error = error_of(lambda: read(text))
    assert message in error.message
    assert error.place == f"{path}{place}"


def test_connections_in_npz(read: Read, tmp_path: Path) -> None:
    """Weights keep their type."""
    weights = np.array([0.5, 0.25], np.float32)
    arrays: dict[str, Any] = {"from": [0, 1], "to": [1, 0], "weights": weights, "delays": [0, 2]}
    np.savez(tmp_path / "c.npz", **arrays)
    text = str(read(f'{HEAD} input x[4] population p[4] : cell x -> p : sparse(file = "c.npz", scale = 2) }}'))
    assert "2xf32, [0.5, 0.25]" in text
    assert "2xi64, [0, 2]" in text
