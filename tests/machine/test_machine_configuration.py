"""Reading configurations: what comes out, and one line with a place for everything that is wrong."""

import json
from collections.abc import Callable
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_builder import Builder, Document, chain, write

from snnir.errors import SnnirError
from snnir.machine import load, peak_counts, run, schema, simulate

Change = Callable[[Document], object]


def split() -> Builder:
    """Everything at once: a partial sum on another tile, two slices on one crossbar, a delay, a guarantee."""
    builder = Builder(rows=3)
    builder.input("in", 2)
    builder.population("a", 3)
    builder.population("b", 1, output="o")
    builder.tensors["bias"] = np.array([0.5, 1.0])
    builder.crossbar("c0", (0, 0), rows=[("in", [0, 1], 0)])
    builder.slice("s0", "a", [0, 2], [[1, 2], [3, 4]], partials=["part"], bias="bias")
    builder.slice("s1", "a", [1], [[5], [6]], model="cuba_lif", syn_decay=0.5, syn_gain=1.0)
    builder.crossbar("c1", (1, 0), rows=[("b", [0], 1)])
    builder.slice("part", "a", [0, 2], [[1, 1]], neuron={})
    builder.crossbar("c2", (1, 0), 1, rows=[("a", [2, 0, 1], 0)])
    builder.slice("sb", "b", [0], [[1], [1], [1]])
    peaks = {"peaks": {"in": 2}, "peaks_in": {"sb": 3}}
    builder.guarantee = {"period": "7/2", "latency": "9", "activity": "worst", "steps_per_second": 1.5, **peaks}
    return builder


def refused(directory: Path, builder: Builder, change: Change) -> SnnirError:
    """The error for a document after a change (the change may also touch the tensors of the builder)."""
    document = json.loads(json.dumps(builder.document()))
    change(document)
    write(directory, document, builder.tensors)
    with pytest.raises(SnnirError) as caught:
        load(directory)
    return caught.value


def test_what_is_read(tmp_path: Path) -> None:
    configuration = split().load(tmp_path)
    assert (configuration.name, configuration.dt, configuration.steps) == ("tiny", 0.001, None)
    assert configuration.machine.mesh == (2, 1)
    assert configuration.machine.time.columns_per_adc == 2
    assert list(configuration.slices) == ["s0", "s1", "part", "sb"]
    first = configuration.slices["s0"]
    assert (first.neurons.tolist(), first.columns, first.rows.tolist()) == ([0, 2], (0, 2), [0, 1])
    assert np.array_equal(first.bias, [0.5, 1.0])
    assert configuration.slices["part"].is_partial
    assert configuration.home["sb"].rows[0].neurons.tolist() == [2, 0, 1]
    assert [(d.source, d.target, d.delay) for d in configuration.dependencies] == [
        ("in", "s0", 0),
        ("in", "s1", 0),
        ("part", "s0", 0),
        ("s0", "sb", 0),
        ("s1", "sb", 0),
        ("sb", "part", 1),
    ]
    ways = {(flow.source, flow.to): flow.branches for flow in configuration.flows}
    assert ways["part", ((0, 0),)] == (((1, 0), (0, 0)),)
    guarantee = configuration.guarantee
    assert guarantee is not None
    assert (guarantee.period, guarantee.latency) == (Fraction(7, 2), Fraction(9))
    assert (guarantee.peaks, guarantee.peaks_in) == ({"in": 2}, {"sb": 3})


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    checker: Any = jsonschema
    checker.Draft202012Validator.check_schema(schema())

    def undescribed(part: Any, name: str) -> list[str]:
        found: list[str] = []
        for field, entry in part.get("properties", {}).items():
            target = schema()["$defs"][entry["$ref"].rsplit("/", 1)[1]] if "$ref" in entry else entry
            found += [] if "description" in entry or "description" in target else [f"{name}/{field}"]
            found += undescribed(entry, f"{name}/{field}")
        return found

    assert not [path for name, part in [("", schema()), *schema()["$defs"].items()] for path in undescribed(part, name)]


def test_integral_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    document = split().document()
    document["crossbars"][0]["slices"][0]["columns"] = [0.0, 2.0]
    document["channels"][0]["delay"] = 0.0
    write(tmp_path, document, split().tensors)
    assert load(tmp_path).slices["s0"].columns == (0, 2)


def at(*path: str | int) -> Callable[[Any], Change]:
    """`at(path)(value)`: the change that puts a value there."""

    def put(value: Any) -> Change:
        def change(document: Document) -> None:
            target: Any = document
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = value

        return change

    return put


def without(*path: str | int) -> Change:
    """The change that deletes what is there."""

    def change(document: Document) -> None:
        target: Any = document
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return change


def twice(field: str, number: int) -> Change:
    """The change that repeats an entry at the end of its list."""
    return lambda document: document[field].append(document[field][number])


S0 = ("crossbars", 0, "slices", 0)
PART = ("crossbars", 1, "slices", 0)


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        # the text and its shape
        (at("version")(3), "/version", "version 3 of the format is not supported"),
        (at("version")(0), "/version", "version 0 of the format is not supported"),
        (at("version")("1"), "/version", "'1' is not one of [1, 2]"),
        (at("version")(2), "/", "is missing"),
        (at("machine", "arity")(2), "/machine/arity", "this field does not belong here"),
        (at("machine", "time", "chip_hop")(2), "/machine/time/chip_hop", "this field does not belong here"),
        (at("format")("other"), "/format", "'snnir-configuration' was expected"),
        (without("dt"), "/", "field 'dt' is missing"),
        (at("dt")(0), "/dt", "0 is less than or equal to the minimum of 0"),
        (at("extra")(1), "/", "Additional properties are not allowed ('extra' was unexpected)"),
        (at("steps")(0), "/steps", "0 is less than the minimum of 1"),
        (at("steps")(2.5), "/steps", "2.5 is not of type 'integer', 'null'"),
        (at("inputs")([]), "/inputs", "[] should be non-empty"),
        (at("inputs", 0, "name")("a\nb"), "/inputs/0/name", "the name holds control characters"),
        (at("inputs", 0, "name")("a\ud800"), "/inputs/0/name", "the name holds control characters"),
        (at("inputs", 0, "size")(True), "/inputs/0/size", "True is not of type 'integer'"),
        (at("tensors", "file")("../cells"), "/tensors/file", "'../cells' does not match"),
        (at("tensors", "file")("none.safetensors"), "none.safetensors", "cannot be read: No such file or directory"),
        (at("tensors", "digest")("0" * 32), "cells.safetensors", "the digest is "),
        (at("machine", "arbitration")("fifo"), "/machine/arbitration", "'round-robin' was expected"),
        (at("machine", "time", "flit")(-1), "/machine/time/flit", "-1 is less than the minimum of 0"),
        (at("machine", "time", "unit")("h"), "/machine/time/unit", "'h' is not one of"),
        (without(*S0, "neuron"), "/crossbars/0/slices/0", "field 'neuron' is missing"),
        (at(*PART, "bias")(0.0), "/crossbars/1/slices/0/bias", "this field does not belong here"),
        (at(*PART, "partials")(["s0"]), "/crossbars/1/slices/0/partials", "['s0'] is expected to be empty"),
        (
            at(*S0, "neuron", "syn_decay")(1),
            "/crossbars/0/slices/0/neuron/syn_decay",
            "this field does not belong here",
        ),
        (
            without("crossbars", 0, "slices", 1, "neuron", "syn_gain"),
            "/crossbars/0/slices/1/neuron",
            "'syn_gain' is miss",
        ),
        (at(*S0, "neuron", "model")("hh"), "/crossbars/0/slices/0/neuron/model", "'hh' is not one of"),
        (at("flows", 0, "to")("moon"), "/flows/0/to", "'moon'"),
        (at("guarantee", "period")("-1"), "/guarantee", "'-1' does not match"),
        # names and places
        (at("populations", 1, "name")("in"), "/populations/1", "the name 'in' is taken by another input or pop"),
        (at("inputs")([{"name": "in", "size": 2}] * 2), "/inputs/1", "the name 'in' is taken by another"),
        (at("crossbars", 0, "slices", 1, "name")("s0"), "/crossbars/0/slices/1", "the name 's0' is taken"),
        (at("crossbars", 0, "slices", 1, "name")("in"), "/crossbars/0/slices/1", "the name 'in' is taken by /inputs/0"),
        (at("outputs", 0, "name")("s0"), "/crossbars/0/slices/0", "the name 's0' is taken by /outputs/0"),
        (at("crossbars", 1, "name")("c0"), "/crossbars/1", "the name 'c0' is taken by /crossbars/0"),
        (at("outputs", 0, "population")("x"), "/outputs/0/population", "no population 'x'"),
        (at("machine", "host")([0, 1]), "/machine/host", "the host's tile [0, 1] is outside the mesh [2, 1]"),
        (at("crossbars", 0, "tile")([2, 0]), "/crossbars/0/tile", "tile [2, 0] is outside the mesh [2, 1]"),
        (at("crossbars", 0, "index")(4), "/crossbars/0/index", "crossbar 4 of a tile with 4"),
        (at("crossbars", 2, "index")(0), "/crossbars/2", "'c1' has the same tile and index"),
        # rows, columns, indices
        (at("crossbars", 0, "rows", 0, "source")("x"), "/crossbars/0/rows/0", "no input or population 'x'"),
        (
            at("crossbars", 0, "rows", 0, "neurons")([[0, 3, 1]]),
            "/crossbars/0/rows/0/neurons",
            "index 2 does not exist",
        ),
        (
            at("crossbars", 0, "rows", 0, "neurons")([[1, 1, 1]]),
            "/crossbars/0/rows/0/neurons",
            "the range [1, 1, 1] is emp",
        ),
        (at(*S0, "rows")([[0, 1, 0]]), "/crossbars/0/slices/0/rows", "the range [0, 1, 0] is empty"),
        (at("machine", "rows")(1), "/crossbars/0/rows/0/neurons", "more indices than rows"),
        (at(*S0, "columns")([0, 9]), "/crossbars/0/slices/0/columns", "columns 0 to 9 do not exist"),
        (at(*S0, "columns")([2, 2]), "/crossbars/0/slices/0/columns", "columns 2 to 2 do not exist"),
        (at(*S0, "columns")([0, 1]), "/crossbars/0/slices/0/neurons", "more indices than columns"),
        (at(*S0, "columns")([0, 4]), "/crossbars/0/slices/0/neurons", "2 neurons for 4 columns"),
        (at(*S0, "columns")([1, 3]), "/crossbars/0/slices/1/columns", "its columns are also those of 's0'"),
        (at(*S0, "population")("in"), "/crossbars/0/slices/0/population", "no population 'in'"),
        (at(*S0, "neurons")([[0, 4, 3]]), "/crossbars/0/slices/0/neurons", "index 3 does not exist"),
        (at(*S0, "neurons")([[0, 1, 1], [0, 1, 1]]), "/crossbars/0/slices/0/neurons", "the neurons repeat one another"),
        (at(*S0, "rows")([[0, 1, 1], [0, 1, 1]]), "/crossbars/0/slices/0/rows", "the rows repeat one another"),
        (at(*S0, "rows")([[0, 3, 1]]), "/crossbars/0/slices/0/rows", "index 2 does not exist"),
        (at("crossbars", 0, "order")(["s0"]), "/crossbars/0/order", "the order s0 does not name each slice once"),
        (at("crossbars", 0, "order")(["s0", "s1", "s0"]), "/crossbars/0/order", "does not name each slice once"),
        (at("crossbars", 0, "stages")([0]), "/crossbars/0/stages", "1 stages for 2 slices"),
        (at("crossbars", 0, "stages")([0, -1]), "/crossbars/0/stages/1", "-1 is less than the minimum of 0"),
        (at("crossbars", 0, "stages")([0, 1.5]), "/crossbars/0/stages/1", "1.5 is not of type 'integer'"),
        # partial sums and populations
        (at(*S0, "partials")(["x"]), "/crossbars/0/slices/0/partials", "no partial slice 'x'"),
        (at(*S0, "partials")(["s1"]), "/crossbars/0/slices/0/partials", "no partial slice 's1'"),
        (at(*S0, "partials")(["part", "part"]), "/crossbars/0/slices/0/partials", "'s0' adds 'part' already"),
        (at(*S0, "partials")([]), "/crossbars/1/slices/0", "no slice adds the partial slice 'part'"),
        (at(*PART, "neurons")([[0, 2, 1]]), "/crossbars/0/slices/0/partials", "'part' sums for other neurons"),
        (at("populations", 0, "size")(4), "/populations/0", "4 neurons, but slices hold 3"),
        (at("populations", 0, "size")(2**31 - 1), "/populations/0", "2147483647 neurons, but slices hold 3"),
        (at("crossbars", 0, "slices", 1, "neurons")([[0, 1, 1]]), "/populations/0", "neuron 0 is in 2 slices"),
        # channels and flows
        (at("channels", 0, "from")("x"), "/channels/0/from", "no slice or input 'x'"),
        (at("channels", 0, "to")("in"), "/channels/0/to", "no slice or output 'in'"),
        (at("channels", 0, "from")("sb"), "/channels/0", "'s0' reads nothing of 'sb'"),
        (twice("channels", 0), "/channels/7", "a second channel from 'part' to 's0' with"),
        (without("channels", 0), "/channels", "no channel from 'part' to 's0' with delay 0"),
        (at("channels", 3, "delay")(2), "/channels", "no channel from 'sb' to 'part' with delay 1"),
        (
            at("channels", 3, "delay")(4),
            "/channels/3/capacity",
            "4 initial tokens do not fit a capacity of 3",
        ),
        (without("channels", -1), "/channels", "no channel from 'sb' to 'o' with delay 0"),
        (without("flows", 1), "/flows", "no flow from 'in' to tile [0, 0]"),
        (twice("flows", 0), "/flows/5", "a second flow from 'part' to tile [0, 0]"),
        (at("flows", 0, "from")("s0"), "/flows/0", "no channel needs the flow from 's0' to tile [0, 0]"),
        (at("flows", 0, "path")([[1, 0]]), "/flows/0/path", "the path (1, 0) is not the way in x first, then in y"),
        # tensors
        (at("crossbars", 0, "cells")("x"), "/crossbars/0/cells", "no tensor 'x'"),
        (at("crossbars", 0, "cells")("bias"), "/crossbars/0/cells", "the tensor 'bias' has shape (2,)"),
        (at(*S0, "bias")(0.0), "/", "nothing uses the tensor 'bias'"),
        (
            at("crossbars", 0, "slices", 1, "bias")("bias"),
            "/crossbars/0/slices/1/bias",
            "the tensor 'bias' has shape (2,)",
        ),
        (at("machine", "weight_bits")(None), "/crossbars/0/cells", "the cells 'c0.cells' are int8"),
        (at("machine", "weight_bits")(3), "/crossbars/0/cells", "a cell holds 5, which has more than 3 bits"),
        (at(*S0, "scale")(10**400), "config.json", "100000000000000000... does not fit a 64-bit number"),
        (at("dt")(10**400), "config.json", "100000000000000000... does not fit a 64-bit number"),
        # the guarantee
        (at("guarantee", "period")("1/0"), "/guarantee/period", "1/0 divides by zero"),
        (at("guarantee", "period")("0/3"), "/guarantee/period", "the period is 0"),
        (at("guarantee", "peaks")({"x": 1}), "/guarantee/peaks", "no slice or input 'x'"),
        (at("guarantee", "peaks_in")({"in": 1}), "/guarantee/peaks_in", "no slice or input 'in'"),
        (at("guarantee", "peaks")({"in": -1}), "/guarantee", "-1 is less than the minimum of 0"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: Change, place: str, message: str) -> None:
    error = refused(tmp_path, split(), change)
    assert message in error.message
    assert error.place.startswith(str(tmp_path))
    assert place in error.place
    assert error.hint
    assert len(str(error).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", ":1:1", "not JSON: Expecting value"),
        ('{"format":\n  1,,}', ":2:5", "not JSON: Expecting property name"),
        ('{"dt": NaN}', "", "'NaN' is not a number"),
        ('{"dt": -Infinity}', "", "'-Infinity' is not a number"),
        ('{"dt": 1e999}', "", "1e999 does not fit a 64-bit number"),
        ('{"dt": 1, "dt": 2}', "", "field 'dt' is given twice in one object"),
        ("[" * 100_000, "", "nested too deeply"),
        ("[]", ":/", "[] is not of type 'object'"),
        ("null", ":/", "None is not of type 'object'"),
    ],
)
def test_text_that_is_not_a_configuration(tmp_path: Path, text: str, place: str, message: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(SnnirError) as caught:
        load(tmp_path)
    assert caught.value.place == f"{tmp_path}/config.json{place}"
    assert message in caught.value.message


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b'{\n"name": "\xff"}')
    with pytest.raises(SnnirError, match=r"config\.json:2: error: not JSON: the text is not UTF-8"):
        load(tmp_path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match=r"none: error: no such directory"):
        load(tmp_path / "none")
    with pytest.raises(SnnirError, match=r"config\.json: error: cannot be read: No such file"):
        load(tmp_path)
    (tmp_path / "config.json").mkdir()
    with pytest.raises(SnnirError, match=r"config\.json: error: cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(SnnirError, match="file: error: this is a file"):
        load(str(tmp_path / "file"))


def retensor(key: str, array: np.ndarray[Any, Any], builder: Builder) -> Builder:
    builder.tensors[key] = array
    return builder


@pytest.mark.parametrize(
    ("key", "array", "message"),
    [
        ("bias", np.array([1.0, np.nan]), "the tensor 'bias' holds values that are no numbers"),
        ("bias", np.array([1, 2]), "the parameters 'bias' are int64"),
        ("c0.cells", np.zeros((3, 8), np.int64), "the cells 'c0.cells' are int64"),
        ("c0.cells", np.zeros((8, 3), np.int8), r"the tensor 'c0.cells' has shape \(8, 3\)"),
        (
            "c0.cells",
            np.eye(3, 8, 2, dtype=np.int8),
            r"the cell at row 1, column 3 is programmed, but no slice uses it",
        ),
        (
            "c0.cells",
            np.eye(3, 8, -2, dtype=np.int8),
            r"the cell at row 2, column 0 is programmed, but no slice uses it",
        ),
        ("more", np.zeros(1), "nothing uses the tensor 'more'"),
    ],
)
def test_wrong_tensors(tmp_path: Path, key: str, array: np.ndarray[Any, Any], message: str) -> None:
    with pytest.raises(SnnirError, match=message):
        retensor(key, array, split()).load(tmp_path)


def test_cells_of_one_bit_may_be_one_and_minus_one(tmp_path: Path) -> None:
    builder = chain()
    builder.weight_bits = 1
    builder.tensors = {"c0.cells": np.zeros((8, 8), np.int8), "c1.cells": np.zeros((8, 8), np.int8)}
    builder.tensors["c1.cells"][:2, 0] = 1, -1
    builder.load(tmp_path)
    builder.tensors["c1.cells"][0, 0] = 2
    with pytest.raises(SnnirError, match="a cell holds 2, which has more than 1 bits"):
        builder.load(tmp_path)


def test_a_row_that_no_slice_uses(tmp_path: Path) -> None:
    builder = split()
    builder.crossbars[2]["slices"][0]["rows"] = [[0, 2, 1]]
    with pytest.raises(SnnirError, match="no slice uses row 2"):
        builder.load(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a readable safetensors file"),
        (b"\xff" * 64, "not a readable safetensors file"),
        (b"\x02\0\0\0\0\0\0\0{}", "no tensor 'bias'"),
        (b'\x3a\0\0\0\0\0\0\0{"t":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}   \0\0', "element type BF16"),
    ],
)
def test_a_damaged_tensor_file_with_the_right_digest(tmp_path: Path, data: bytes, message: str) -> None:
    document = split().document()
    write(tmp_path, document, split().tensors)
    (tmp_path / "cells.safetensors").write_bytes(data)
    document["tensors"]["digest"] = blake2b(data, digest_size=16).hexdigest()
    (tmp_path / "config.json").write_text(json.dumps(document))
    with pytest.raises(SnnirError, match=message):
        load(tmp_path)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    directory = tmp_path_factory.mktemp("sound")
    write(directory, split().document(), split().tensors)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def damage(data: bytes, position: int, value: int, cut: bool) -> bytes:
    position %= len(data)
    return data[:position] if cut else data[:position] + bytes([value]) + data[position + 1 :]


def load_bytes(contents: dict[str, bytes]) -> None:
    """Load and run what the files say: `SnnirError`, or no error."""
    with TemporaryDirectory() as directory:
        for name, data in contents.items():
            (Path(directory) / name).write_bytes(data)
        configuration = load(directory)
    inputs = {item.name: np.ones((1, configuration.steps or 2, item.size), np.uint8) for item in configuration.inputs}
    run(configuration, inputs)
    simulate(configuration, peak_counts(configuration, 2))


@settings(max_examples=40, deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.booleans())
def test_any_damage_to_the_tensors_is_found(files: dict[str, bytes], position: int, value: int, cut: bool) -> None:
    sound = files["cells.safetensors"]
    damaged = damage(sound, position, value, cut)
    if damaged != sound:
        with pytest.raises(SnnirError, match="the digest is"):
            load_bytes({**files, "cells.safetensors": damaged})


@settings(max_examples=80, deadline=None)
@given(position=st.integers(0, 10**6), value=st.sampled_from(range(128)), cut=st.booleans())
def test_damage_to_the_text_is_an_error_or_another_sound_configuration(
    files: dict[str, bytes], position: int, value: int, cut: bool
) -> None:
    damaged = damage(files["config.json"], position, value, cut and position % 5 == 0)
    try:
        load_bytes({**files, "config.json": damaged})
    except SnnirError as error:
        assert len(str(error).splitlines()) == 2


def keys_of(value: Any) -> list[Any]:
    """Under what the parts of a JSON value are found."""
    if isinstance(value, dict):
        return sorted(cast(dict[str, Any], value))
    return list(range(len(cast(list[Any], value)))) if isinstance(value, list) else []


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_value_in_any_place_is_an_error_or_another_sound_configuration(
    files: dict[str, bytes], data: st.DataObject
) -> None:
    document: Any = json.loads(files["config.json"])
    target: Any = document
    while True:
        key = data.draw(st.sampled_from(keys_of(target)))
        if not keys_of(target[key]) or data.draw(st.integers(0, 9)) == 0:
            break
        target = target[key]
    values: list[Any] = [
        None,
        True,
        0,
        1,
        2,
        -1,
        1.5,
        1e300,
        10**12,
        "",
        "in",
        "s0",
        "host",
        [],
        {},
        [0, 0],
        [[0, 1, 1]],
    ]
    target[key] = data.draw(st.sampled_from(values))
    try:
        load_bytes({**files, "config.json": json.dumps(document).encode()})
    except SnnirError as error:
        assert len(str(error).splitlines()) == 2
