"""What is wrong with a `.snn` program is said at the very place, with the line, a caret and a way to fix it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from xdsl.dialects.builtin import ModuleOp

from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from snnir.frontend.source import SIZE_LIMIT
from snnir.tensors import keys_of

PROGRAM = """\
network net {
  dt = 1e-3
  steps = 25
  weights = "w.safetensors"

  input a[2]
  population b[3] : lif(tau = 5e-3, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using nir
  a -> b : dense(weights = "fc.weight", bias = "fc.bias")
  b -> b : dense(weights = "rec.weight", delay = 1)
  output o = b
}
"""
MARK = "^"
"""Stands before the place that must be blamed; never part of a program."""

Read = Callable[..., ModuleOp]
ErrorOf = Callable[[Callable[[], object]], SnnirError]

CASES = [
    # what is replaced, by what, words of the message, words of the hint
    # -- syntax
    ("dt = 1e-3", "dt ^1e-3", "unexpected `1e-3`, expected `->`, `=`, `[` or `+`", ""),
    ("dt = 1e-3", "dt = ^@", "unexpected character `@`", ""),
    ("dt = 1e-3", "dt = 1^msec", "no unit 'msec'", "did you mean 'ms'?"),
    ("tau = 5e-3", "tau = 5 ^Ohm", "no unit 'Ohm'", "there are units s, ms, us, ns, V, mV, Hz, kHz"),
    ("tau = 5e-3", "tau ^5e-3", "unexpected `5e-3`, expected `=`", "a population reads"),
    ("tau = 5e-3", "tau = ^,", 'expected a number, "text in quotes" or a list `[...]`', "a population reads"),
    ("tau = 5e-3", "tau = [1, ^x]", "there is no constant 'x'", "there are none"),
    ("tau = 5e-3", "tau = [1 ^2]", "unexpected `2`, expected `,`, `]` or an operator", "a population reads"),
    ("tau = 5e-3", "tau = (1 + ^)", "unexpected `)`, expected a number or a constant", "a population reads"),
    ("tau = 5e-3", "^5e-3", 'unexpected `5e-3`, expected a name, `)` or "text in quotes"', "a population reads"),
    ("tau = 5e-3", "tau^, x = 1", "unexpected `,`, expected `=`", "arguments are written name = value"),
    ("a -> b : dense", "a -> b : flatten | ^: dense", "unexpected `:`, expected a name", "a projection reads"),
    ("a -> b : dense", "a + ^-> b : dense", "unexpected `->`, expected a name", "a projection reads"),
    ("output o = b", "signal y ^b", "unexpected `b`, expected `=`", "a signal reads"),
    ("output o = b", "let x ^: 5", "unexpected `:`, expected `=`", "a constant reads"),
    ("output o = b", "instance l1 ^= layer()", "unexpected `=`, expected `:`", "an instance reads"),
    ("output o = b", "generate a ^= poisson()", "unexpected `=`, expected `:`", "a stimulus reads"),
    ("output o = b", 'include ^"x.snn"', 'unexpected `"x.snn"`, expected', "stands before the network"),
    ("output o = b", "block ^l(n) { }", "unexpected `l`, expected", "stands before the network"),
    ("network net {", "^5 network net {", "unexpected `5`, expected `network`, `let`, `block` or `include`", ""),
    ("a[2]\n  ", "a\n  ^", "unexpected `population`, expected `[`", "an input reads: input pixels[64]"),
    ("a[2]", "a[^]", "unexpected `]`, expected a shape such as 64 or 8x8", "an input reads"),
    ("b[3] : ", "b[3] ^", "unexpected `lif`, expected `:`", "a population reads"),
    ("-> b : dense", "-> ^: dense", "unexpected `:`, expected a name", "a projection reads"),
    ('"fc.bias"', '^"fc.bias', "this text has no closing quote on its line", ""),
    ("output o = b", "output o ^b", "unexpected `b`, expected `=`", "an output reads: output label = out"),
    (
        "output o = b\n}",
        "output o = ^b\n",
        "unexpected the end of the file, expected `:`, `[`, `+`, the next declaration or `}`",
        "`}`",
    ),
    ("}\n", "}\n\n^network two { }\n", "unexpected `network`, expected the end of the file", "one network"),
    ("steps = 25", "steps = 25^;", "unexpected character `;`", "no `;`"),
    ("steps = 25", "steps = 25 /^/ many", "unexpected `/`, expected a number or a constant", "comments start with #"),
    ("steps = 25", "steps = 25 ^\u00e9", "unexpected character `\u00e9`", "names are made of"),
    ("steps = 25", "steps = 25 ^\x07", "unexpected character U+0007", ""),
    (
        "using nir",
        "using nir\n  ^using -> b : dense()",
        "unexpected `using`, expected `(`, the next declaration or",
        "reserved",
    ),
    # -- settings
    ("dt = 1e-3", "^dtt = 1e-3", "no setting 'dtt'", "did you mean 'dt'?"),
    ("dt = 1e-3", "dt = 1e-3 ^dt = 1e-3", "'dt' is given twice", ""),
    ("dt = 1e-3", 'dt = ^"1e-3"', "dt is a number, but this is a text in quotes", "write dt = 1 ms"),
    ("dt = 1e-3", "dt = ^0", "dt = 0 is not a positive number of seconds", "dt = 1 ms"),
    ("dt = 1e-3", "dt = ^-1 ms", "dt = -0.001 is not a positive number of seconds", "dt = 1 ms"),
    ("dt = 1e-3", "dt = ^1 mV", "dt is a time, but this is a voltage", "such as 5 ms, or in seconds: 5e-3"),
    ("dt = 1e-3", "dt = ^1e999", "1e999 is too large for a number", "below 1e308"),
    ("dt = 1e-3", "dt = ^1e308 * 1e308", "the number is too large", "below 1e308"),
    ("dt = 1e-3", "dt = ^step", "dt is a number, but there is no constant 'step'", "there are none"),
    ("network net {\n  dt = 1e-3", "network ^net {\n", "the network does not say how long a step is", "--dt"),
    ("steps = 25", "steps = ^2.5", "steps is a whole number of steps", ""),
    ("steps = 25", "steps = ^0", "steps = 0, but an inference takes at least one step", ""),
    ("steps = 25", f"steps = ^{'9' * 5000}", "99999999999999999999... is too large for a number", ""),
    ("steps = 25", f"steps = ^{'9' * 50}", "steps is a whole number", ""),
    ("steps = 25", "steps = ^2.5 ms", "steps is 2.5 ms, which is no whole number of steps of 1 ms", "a multiple of dt"),
    ("steps = 25", "steps = ^25 mV", "steps is a plain number, but this is a voltage", "without a unit"),
    ("steps = 25", "steps = ^[25]", "steps is a whole number of steps, 0 or more", "write steps = 1"),
    ("steps = 25", "steps = 25 platform = ^12", "platform is the name of a file", 'platform = "file name"'),
    (
        "steps = 25",
        'steps = 25 platform = ^"no.toml"',
        "there is no platform file",
        "relative to the file that names it",
    ),
    # -- names
    ("output o", "output ^a", "'a' is declared twice", "different names"),
    ("a -> b", "^aa -> b", "there is no input or population 'aa'", "did you mean 'a'?"),
    ("a -> b", "^zzz -> b", "there is no input or population 'zzz'", "there are a, b"),
    ("a -> b", "a -> ^bb", "there is no population 'bb'", "did you mean 'b'?"),
    ("a -> b", "a -> ^a", "'a' is an input, which takes no projections", "leads to a population"),
    ("output o = b", "output o = ^c", "there is no input or population 'c'", ""),
    (": lif(", ": ^liff(", "no neuron model 'liff'", "did you mean 'lif'?"),
    ("a -> b : dense", "a -> b : ^dence", "no kind of projection 'dence'", "did you mean 'dense'?"),
    ("tau =", "^taw =", "no parameter of lif 'taw'", "did you mean 'tau'?"),
    ("r = 1.0", "r = 1.0, ^r = 2.0", "'r' is given twice", ""),
    (": lif(tau = 5e-3, ", ": ^lif(", "population 'b' lacks tau", "nothing has a default"),
    ("delay = 1", "^dealy = 1", "no argument of dense 'dealy'", "did you mean 'delay'?"),
    # -- shapes
    ("input a[2]", "input ^a[0]", "'a' has the shape 0, but every dimension needs at least 1 neuron", ""),
    ("input a[2]", "input a[^2.5]", "a shape is made of whole numbers", "[2x34x34]"),
    ("input a[2]", "input ^a[99999x99999]", "'a' has more than 2147483647 neurons", ""),
    ("input a[2]", f"input a[^{'9' * 5000}]", "99999999999999999999... is too large for a number", ""),
    ("input a[2]", f"input a[^{'9' * 50}]", "a shape is made of whole numbers", ""),
    ("input a[2]", "input a[^2 ms]", "a shape is made of whole numbers", "[n x 4]"),
    ("input a[2]", "input a[^n]", "a shape is made of whole numbers, but there is no constant 'n'", ""),
    ("input a[2]", "input a[2] : ^f32", "'f32' is not a value of the type of an input", "spike or f64"),
    # -- semantics
    ("using nir", "using ^nirr", "no semantics preset 'nirr'", "did you mean 'nir'?"),
    ("using nir", "using nir(^rest = subtract)", "no semantics field 'rest'", "did you mean 'reset'?"),
    ("using nir", "using nir(reset = ^zero)", "'zero' is not a value of reset", "value or subtract"),
    (
        "using nir",
        "using nir(reset = ^3)",
        "a plain number is not a value of reset",
        "value or subtract or subtract_repeat or subtract_late",
    ),
    ("using nir", "using nir(reset = value, ^reset = value)", "'reset' is given twice", ""),
    ("using nir", "using nir(spikes = ^0)", "spikes is a whole number, 1 or more", "write spikes = 1"),
    ("using nir", "using nir(spikes = ^2 ms)", "spikes is a plain number, but this is a time", ""),
    ("using nir", "using nir(reset = subtract, spikes = ^999)", "spikes = 999 is more than 255", "a smaller number"),
    ("using nir", "using nir(refractory = ^2.5 ms)", "refractory is 2.5 ms, which is no whole number of steps", ""),
    ("using nir", "using nir(refractory = ^many)", "refractory is a whole number of steps, 0 or more, but", ""),
    ("using nir", "using ^nir(spikes = 3)", "several spikes in one step need reset = subtract", "after using"),
    ("using nir", "using ^nir(state = i32)", "decay = int12 and state = i32 go together", ""),
    # -- parameters
    ("tau = 5e-3", "tau = ^-5e-3", "'b': tau = -0.005 s, but a time constant must be positive", "seconds"),
    ("tau = 5e-3", "tau = ^5e-4", "tau = 0.0005 s is shorter than the step dt = 0.001 s", ""),
    ("tau = 5e-3", "tau = ^nan", "tau is a number, but there is no constant 'nan'", ""),
    ("tau = 5e-3", "tau = ^5 mV", "tau is a time, but this is a voltage", "such as 5 ms, or in seconds: 5e-3"),
    ("tau = 5e-3", "tau = ^[5 mV, 6 mV, 7 mV]", "tau is a time, but this is a voltage", ""),
    ("tau = 5e-3", "tau = ^5 ms * 2 ms", "tau is a time, but this is a number in s^2", ""),
    ("tau = 5e-3", "tau = 5 ms + ^2", "a time + a plain number has no meaning", "the same unit"),
    ("tau = 5e-3", "tau = 5 ms / (^1 - 1)", "division by zero", "another number"),
    ("tau = 5e-3", "tau = [5 ms, ^6 mV, 7 ms]", "a voltage in a list that starts with a time", "the same unit"),
    ("tau = 5e-3", "tau = [5 ms, ^[6 ms]]", "this entry is 1, but the first one is one number", ""),
    ("tau = 5e-3", "tau = 1 + ^k", "there is no constant 'k'", ""),
    ("tau = 5e-3", f"tau = {'- ' * 63}^- -5e-3 * 1", "brackets are nested too deeply", "64"),
    ("r = 1.0", "r = ^1 mV", "r is a plain number, but this is a voltage", "without a unit"),
    ("threshold = 1.0", "threshold = ^1 ms", "threshold is a voltage, but this is a time", "such as 10 mV"),
    ("tau = 5e-3", '^"taus"', "a text without a name", "name = value"),
    ("tau = 5e-3", "tau = ^[5e-3, -1, 5e-3]", "tau = -1 s, but a time constant must be positive", ""),
    ("tau = 5e-3", 'tau = ^"bad_taus"', "tau = -0.005 s, but a time constant must be positive", ""),
    ("tau = 5e-3", "tau = ^[5e-3, 6e-3]", "tau has the shape 2, but 'b' has the shape 3", "one for each neuron"),
    ("tau = 5e-3", "tau = [1, ^1e999, 3]", "1e999 is too large for a number", ""),
    ("tau = 5e-3", "tau = ^[]", "an empty list", ""),
    ("threshold = 1.0", "threshold = ^-1.0", "threshold must lie above v_reset", "lower v_reset"),
    # -- weights
    ('"w.safetensors"', '^"v.safetensors"', "v.safetensors: no such file", "relative to the file that names it"),
    ('"fc.weight"', '^"fc.wieght"', "no tensor 'fc.wieght' in", "did you mean 'fc.weight'?"),
    ('"fc.weight"', '^"nan"', "weights 'nan' holds nan at [1, 1]", "finite"),
    ('"fc.weight"', '^"turned"', "are 2x3, but a -> b needs 3x2", "targets x sources; this matrix is transposed"),
    ('"fc.weight"', '^"fc.bias"', "weights 'fc.bias' are 3, but a -> b needs 3x2", "targets x sources"),
    ('"fc.weight"', '^"integers"', "weights 'integers' are integers without a scale", "scale = ..."),
    ('"fc.weight"', '^"empty"', "weights 'empty' are 0x2", ""),
    ('"fc.weight"', "^0.5", "dense weights are a matrix, not a number", "use one_to_one"),
    ('"fc.weight"', "^[1, 2]", "weights are 2, but a -> b needs 3x2", ""),
    ('"fc.weight"', "[[1, 2], ^[3], [4, 5]]", "this row has 1 numbers, but the first one has 2", ""),
    ('"fc.bias"', "^[1, 2]", "bias has 2 entries, but a -> b has 3 targets", ""),
    ('"fc.bias"', '"fc.bias", scale = ^0', "scale is not positive", "sign"),
    ('"fc.bias"', '"fc.bias", scale = ^[1, -1, 1]', "scale is not positive", "sign"),
    ("a -> b : dense", "^a -> b : one_to_one", "a -> b connects 2 neurons one to one with 3", "use dense"),
    # -- delays and slices
    ("delay = 1", "delay = ^-1", "delay is a whole number of steps, 0 or more", ""),
    ("delay = 1", "delay = ^1.5", "delay is a whole number of steps, 0 or more", ""),
    ("delay = 1", "delay = ^1.5 ms", "delay is 1.5 ms, which is no whole number of steps of 1 ms", "number of steps"),
    ("delay = 1", "delay = ^1 Hz", "delay is a plain number, but this is a rate", ""),
    ("delay = 1", 'delay = ^"taus"', "delay is a whole number of steps, 0 or more", ""),
    ("a -> b", "a^[0:3] -> b", "[0:3] reaches beyond the 2 neurons of 'a'", "counted from 0"),
    ("a -> b", "a[^1:1] -> b", "1:1 holds no index", "stop excluded"),
    ("a -> b", "a[^0:2:0] -> b", "0:2:0 holds no index", ""),
    ("a -> b", "a[^-1] -> b", "indices are whole numbers", ""),
    ("a -> b", "a[^n] -> b", "indices are whole numbers, but there is no constant 'n'", ""),
    ("a -> b", "a^[0, 0] -> b", "a neuron is listed twice in this slice", ""),
    ("a -> b", "a^[0:999999999999] -> b", "the slice is larger than any population", ""),
]
BLAMED_ELSEWHERE = [
    # what is removed, the text before which the caret stands, words of the message, words of the hint
    (
        " using nir",
        "lif(",
        "population 'b' does not say which neuron semantics it follows",
        "add `using nir` (nir, norse,",
    ),
    ('  weights = "w.safetensors"\n', '"fc.weight"', "but the network names no weights file", "add weights = "),
    (", delay = 1", "b -> b", "zero-delay cycle b -> b: within one step", "delay = 1, or more"),
    ('weights = "fc.weight", ', "dense(bias", "this projection has no weights", 'dense(weights = "key")'),
]


def check(error: SnnirError, marked: str, name: str) -> None:
    """The error blames the marked place and shows its line with a caret."""
    before, _, after = marked.partition(MARK)
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    assert error.place == f"{name}:{line}:{column}"
    shown, caret = error.excerpt.split("\n")[:2]
    start = len(caret) - len(caret.lstrip())
    assert set(caret.strip()) == {"^"}
    blamed = (before + after)[len(before) :].split("\n")[0]
    if len(shown) < 100 and blamed.isprintable():
        assert shown[start:].startswith(blamed[: len(caret) - start])


@pytest.mark.parametrize(("old", "new", "message", "hint"), CASES)
def test_place_and_words(
    read_snn: Read, error_of: ErrorOf, tmp_path: Path, old: str, new: str, message: str, hint: str
) -> None:
    assert PROGRAM.count(old) >= 1
    marked = PROGRAM.replace(old, new, 1)
    assert marked.count(MARK) == 1
    error = error_of(lambda: read_snn(marked.replace(MARK, "")))
    assert message in error.message
    assert hint in error.hint
    check(error, marked, f"{tmp_path}/net.snn")


@pytest.mark.parametrize(("removed", "before", "message", "hint"), BLAMED_ELSEWHERE)
def test_what_is_missing(
    read_snn: Read, error_of: ErrorOf, tmp_path: Path, removed: str, before: str, message: str, hint: str
) -> None:
    assert removed in PROGRAM
    text = PROGRAM.replace(removed, "", 1)
    error = error_of(lambda: read_snn(text))
    assert message in error.message
    assert hint in error.hint
    check(error, text.replace(before, MARK + before, 1), f"{tmp_path}/net.snn")


def test_the_whole_text_of_an_error(read_snn: Read, error_of: ErrorOf, tmp_path: Path) -> None:
    error = error_of(lambda: read_snn(PROGRAM.replace("a -> b", "pixel -> b").replace("input a", "input pixels")))
    assert (
        str(error)
        == f"""{tmp_path}/net.snn:8:3: error: there is no input or population 'pixel'
    pixel -> b : dense(weights = "fc.weight", bias = "fc.bias")
    ^^^^^
  fix: did you mean 'pixels'?"""
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_with_every_line_end(read_snn: Read, error_of: ErrorOf, tmp_path: Path, end: str) -> None:
    error = error_of(lambda: read_snn(PROGRAM.replace("a -> b", "x -> b").replace("\n", end)))
    assert error.place == f"{tmp_path}/net.snn:8:3"
    assert error.excerpt.splitlines()[0] == '    x -> b : dense(weights = "fc.weight", bias = "fc.bias")'


def test_long_lines_and_tabs_are_shown_around_the_caret(read_snn: Read, error_of: ErrorOf) -> None:
    text = PROGRAM.replace("r = 1.0", "\tr = [" + "1.0, " * 200 + "x" * 200 + "]")
    error = error_of(lambda: read_snn(text))
    shown, caret = error.excerpt.split("\n")
    assert len(shown) <= 122
    assert shown[len(caret) - len(caret.lstrip()) :].startswith("xxxx")


def test_a_longer_cycle_names_all_populations(read_snn: Read, error_of: ErrorOf, tmp_path: Path) -> None:
    extra = """population c[3] : if(r = 1, threshold = 1, v_reset = 0) using nir
  b -> c : one_to_one(weights = 1)
  c -> b : one_to_one(weights = 1)
  c -> c : one_to_one(weights = 1, delay = 2)
  output"""
    error = error_of(lambda: read_snn(PROGRAM.replace("output", extra)))
    assert error.message.startswith("zero-delay cycle b -> c -> b:")
    assert error.place == f"{tmp_path}/net.snn:12:3"


@pytest.mark.parametrize(
    ("options", "message", "line"),
    [
        ({"dt": 2e-3}, "dt = 0.001 here, but --dt says 0.002", 2),
        ({"steps": 7}, "steps = 25 here, but --steps says 7", 3),
        ({"semantics": "spyx"}, "population 'b' follows other semantics than --semantics spyx", 7),
        ({"reset": "subtract"}, "population 'b' has reset = value, but --reset says subtract", 7),
        ({"semantics": "nirr"}, "--semantics: no semantics preset 'nirr'", 0),
        ({"platform": Path("no.toml")}, "no such platform file", 0),
    ],
)
def test_options_contradict(
    read_snn: Read, error_of: ErrorOf, tmp_path: Path, options: dict[str, object], message: str, line: int
) -> None:
    error = error_of(lambda: read_snn(PROGRAM, **options))
    assert message in error.message
    assert not line or error.place.startswith(f"{tmp_path}/net.snn:{line}:")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"dt": -1.0}, "dt = -1 is not a positive number"), ({"dt": 1e-3, "steps": 0}, "steps = 0, but")],
)
def test_options_make_no_sense(read_snn: Read, error_of: ErrorOf, options: dict[str, object], message: str) -> None:
    text = PROGRAM.replace("  dt = 1e-3\n", "").replace("  steps = 25\n", "")
    assert message in error_of(lambda: read_snn(text, **options)).message


@pytest.mark.parametrize(
    ("content", "message", "place"),
    [
        (b"", "the file holds no program", "net.snn:1:1"),
        (b"# only a comment\n", "the file holds no program", "net.snn:1:1"),
        (b"\x7fELF\0\0", "this is a binary file, not a program", "net.snn"),
        (b"network a {\n  dt = \xff\xfe }", "not UTF-8 text", "net.snn:2:8"),
        (b"#" * (SIZE_LIMIT + 1), "a program of more than 1 MiB is refused", "net.snn"),
    ],
)
def test_files_that_are_no_programs(
    read_snn: Read, error_of: ErrorOf, tmp_path: Path, content: bytes, message: str, place: str
) -> None:
    error = error_of(lambda: read_snn(content))
    assert error.message == message
    assert error.place == f"{tmp_path}/{place}"
    assert error.hint


def test_a_directory_is_no_program(read_snn: Read, error_of: ErrorOf, tmp_path: Path) -> None:
    (tmp_path / "net.snn").mkdir()
    error = error_of(lambda: snn.read(tmp_path / "net.snn", FrontendOptions()))
    assert "cannot be read" in error.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        b"\x02\0\0\0\0\0\0\0[]",
        b"\x04\0\0\0\0\0\0\0null",
        b'\x12\0\0\0\0\0\0\0{"fc.weight": [1]}',
        b'\x1e\0\0\0\0\0\0\0{"fc.weight": {"dtype": "F32"}}',
    ],
)
def test_damaged_weights_files(read_snn: Read, error_of: ErrorOf, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v.safetensors").write_bytes(content)
    error = error_of(lambda: read_snn(PROGRAM.replace("w.safetensors", "v.safetensors")))
    assert error.place.startswith(f"{tmp_path}/net.snn:")
    assert "v.safetensors" in error.message


def test_a_tensor_without_dimensions(read_snn: Read, error_of: ErrorOf, tmp_path: Path) -> None:
    header = b'{"s": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}'
    (tmp_path / "v.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0\x80?")
    text = PROGRAM.replace("w.safetensors", "v.safetensors").replace("r = 1.0", 'r = "s"')
    assert "tensor 's' has no dimensions" in error_of(lambda: read_snn(text)).message


def test_truncated_weights_file(read_snn: Read, error_of: ErrorOf, tmp_path: Path) -> None:
    with pytest.raises(SnnirError):
        read_snn("")
    data = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "v.safetensors").write_bytes(data[: len(data) - 1])
    last = max(keys_of(tmp_path / "w.safetensors"), key=lambda key: _end(tmp_path / "w.safetensors", key))
    error = error_of(lambda: read_snn(PROGRAM.replace("w.safet", "v.safet").replace("1.0", f'"{last}"', 1)))
    assert "the file is truncated or damaged" in error.message
    assert error.place.startswith(f"{tmp_path}/net.snn:7:")


def _end(path: Path, key: str) -> int:
    """Where a tensor ends in its file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])[key]["data_offsets"][1]
