"""Reads an emitted directory (`config.json` + tensors) into a checked `Configuration`.

What is checked where: the text and its shape here, by `config.schema.json`; ranges while the parts are built; what the
parts say about each other in `snnir.machine.checks`.
"""

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn, cast

import jsonschema
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from snnir.errors import SnnirError
from snnir.machine.checks import check
from snnir.machine.parts import (
    Activation,
    Channel,
    Code,
    Configuration,
    Crossbar,
    DelayMemory,
    Delays,
    Device,
    Flow,
    Guarantee,
    Machine,
    Neuron,
    Output,
    Parameter,
    Place,
    RowGroup,
    Signal,
    Slice,
    Tile,
    Times,
    Windows,
)

CONFIG_FILE = "config.json"
FORMAT_VERSION = 2
"""The version that is written; all up to it are read."""
_COMPILE_AGAIN = "compile the network again; the directory is written as a whole"
_LONGEST = 160
_MOST_WINDOWED = 1 << 24
"""Windowed axons of one crossbar; bounds the memory."""
_MOST_DIGITS = 18


def load(directory: str | Path) -> Configuration:
    """The configuration in an emitted directory, completely checked.

    Raises `SnnirError` with the place in `config.json` (as a JSON pointer) for anything that is missing, malformed,
    out of range or contradictory; nothing else, whatever the files hold.
    """
    directory = Path(directory)
    if not directory.is_dir():
        problem = "this is a file" if directory.exists() else "no such directory"
        raise SnnirError(directory, problem, f"give the directory that the compiler wrote (with {CONFIG_FILE} in it)")
    path = directory / CONFIG_FILE
    return read(path, _read_bytes(path), lambda name: _read_bytes(path.parent / name))


def read(path: Path, text: bytes, tensors: Callable[[str], bytes]) -> Configuration:
    """The configuration in the bytes of a `config.json`; `tensors` gives those of the file of cells, by its name.

    `path` is for messages. Checks and raises as `load` does.
    """
    raw = strict_json(path, text)
    _validate(raw, path)
    reader = _Reader(path, _tensors(path, raw["tensors"], tensors))
    configuration = reader.configuration(raw)
    reader.check_all_used()
    check(configuration)
    return configuration


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema (2020-12) of `config.json`."""
    return json.loads(files("snnir.machine").joinpath("config.schema.json").read_text(encoding="utf-8"))


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SnnirError(path, f"cannot be read: {error.strerror}", _COMPILE_AGAIN) from None


def strict_json(path: Path, text: bytes) -> Any:
    """The value of a JSON text, with finite numbers of 64 bits and no field given twice, or `SnnirError`."""
    try:
        return json.loads(
            text.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
            object_pairs_hook=_no_repeats,
        )
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise SnnirError(place, f"not JSON: {error.msg}", _COMPILE_AGAIN) from None
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise SnnirError(f"{path}:{line}", "not JSON: the text is not UTF-8", _COMPILE_AGAIN) from None
    except ValueError as error:
        raise SnnirError(path, _shorten(str(error)), _COMPILE_AGAIN) from None
    except RecursionError:
        raise SnnirError(path, "nested too deeply", _COMPILE_AGAIN) from None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"'{text}' is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not np.isfinite(number):
        raise ValueError(f"{text} does not fit a 64-bit number")
    return number


def _short(text: str) -> int:
    number = int(text[:_MOST_DIGITS])
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"{text[:_MOST_DIGITS]}... does not fit a 64-bit number")
    return number


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {twice!r} is given twice in one object")
    return found


def _shorten(text: str) -> str:
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _validate(raw: Any, path: Path) -> None:
    version = cast(dict[str, Any], raw).get("version") if isinstance(raw, dict) else None
    if isinstance(version, int) and not 1 <= version <= FORMAT_VERSION:
        hint = f"versions 1 to {FORMAT_VERSION} are read; compile the network again with the compiler installed here"
        raise SnnirError(f"{path}:/version", f"version {_shorten(str(version))} of the format is not supported", hint)
    checker: Any = jsonschema  # without type information
    validator = checker.Draft202012Validator(schema())
    try:
        error = checker.exceptions.best_match(validator.iter_errors(raw))
    except (RecursionError, OverflowError, ValueError) as problem:
        raise SnnirError(path, f"cannot be checked: {_shorten(str(problem))}", _COMPILE_AGAIN) from None
    if error is not None:
        pointer = "".join(f"/{_shorten(str(step))}" for step in error.absolute_path)
        raise SnnirError(f"{path}:{pointer or '/'}", *_explain(error))


def _explain(error: Any) -> tuple[str, str]:
    """A violation of the schema as (message, hint)."""
    description = error.schema.get("description", "")
    hint = f"expected: {description}" if description else "see config.schema.json"
    if error.validator == "not" and not error.validator_value:
        return "this field does not belong here", "leave it out: this kind of slice or neuron has none"
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"field '{missing[0]}' is missing", "add it; see config.schema.json"
    if error.validator == "not":
        return "the name holds control characters", hint
    return _shorten(error.message), hint


def _tensors(path: Path, entry: dict[str, str], read_file: Callable[[str], bytes]) -> dict[str, NDArray[Any]]:
    file = path.parent / entry["file"]
    data = read_file(entry["file"])
    digest = blake2b(data, digest_size=16).hexdigest()
    if digest != entry["digest"]:
        message = f"the digest is {digest}, but {path.name} was written with {entry['digest']}"
        raise SnnirError(file, message, f"the file was changed or damaged; {_COMPILE_AGAIN}")
    try:
        return load_tensors(data)
    except KeyError as error:
        message = f"tensors of element type {error.args[0]} are not supported"
        raise SnnirError(file, message, "use int8, int16, int32, float32 or float64") from None
    except (SafetensorError, ValueError, TypeError) as error:
        raise SnnirError(file, f"not a readable safetensors file ({_shorten(str(error))})", _COMPILE_AGAIN) from None


class _Reader:
    """Builds the parts from JSON that satisfies the schema; each method gets a JSON pointer for its messages."""

    def __init__(self, path: Path, tensors: dict[str, NDArray[Any]]) -> None:
        self._path = path
        self._tensors = tensors
        self._used: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._populations: set[str] = set()

    def configuration(self, raw: dict[str, Any]) -> Configuration:
        machine = self._machine(raw["machine"])
        inputs, populations = self._signals(raw, "inputs"), self._signals(raw, "populations")
        self._populations = {population.name for population in populations}
        return Configuration(
            path=self._path,
            version=int(raw["version"]),
            name=raw["name"],
            dt=float(raw["dt"]),
            steps=None if raw["steps"] is None else int(raw["steps"]),
            machine=machine,
            inputs=inputs,
            populations=populations,
            outputs=tuple(Output(item["name"], item["population"]) for item in raw["outputs"]),
            crossbars=tuple(self._crossbar(c, machine, f"/crossbars/{n}") for n, c in enumerate(raw["crossbars"])),
            channels=tuple(Channel(c["from"], c["to"], int(c["delay"]), int(c["capacity"])) for c in raw["channels"]),
            flows=tuple(_flow(flow) for flow in raw["flows"]),
            guarantee=None if raw["guarantee"] is None else self._guarantee(raw["guarantee"]),
        )

    def check_all_used(self) -> None:
        unused = sorted(self._tensors.keys() - self._used)
        if unused:
            self._fail("", f"nothing uses the tensor {unused[0]!r}", "remove it from the tensor file")

    def _fail(self, pointer: str, message: str, hint: str) -> NoReturn:
        raise SnnirError(f"{self._path}:{pointer or '/'}", message, hint)

    def _signals(self, raw: dict[str, Any], field: str) -> tuple[Signal, ...]:
        for number, item in enumerate(raw[field]):
            if item["name"] in self._sizes:
                message = f"the name {item['name']!r} is taken by another input or population"
                self._fail(f"/{field}/{number}", message, "give each its own name")
            self._sizes[item["name"]] = int(item["size"])
        return tuple(self._signal(item, f"/{field}/{number}") for number, item in enumerate(raw[field]))

    def _signal(self, raw: dict[str, Any], pointer: str) -> Signal:
        name, size = raw["name"], int(raw["size"])
        if "bits" not in raw:
            return Signal(name, size)
        step, zero = (self._parameter(raw[key], size, f"{pointer}/{key}") for key in ("step", "zero"))
        self._check_step(step, f"{pointer}/step")
        return Signal(name, size, Code(int(raw["bits"]), bool(raw["signed"]), step, zero))

    def _check_step(self, step: Parameter, pointer: str) -> None:
        if not (np.asarray(step) > 0).all():
            self._fail(pointer, "a step is not positive", "the values of codes rise by it")

    @staticmethod
    def _machine(raw: dict[str, Any]) -> Machine:
        times = {name: None if value is None else int(value) for name, value in raw["time"].items() if name != "unit"}
        return Machine(
            name=raw["name"],
            mesh=_tile(raw["mesh"]),
            crossbars_per_tile=int(raw["crossbars_per_tile"]),
            host=_tile(raw["host"]),
            rows=int(raw["rows"]),
            columns=int(raw["columns"]),
            weight_bits=None if raw["weight_bits"] is None else int(raw["weight_bits"]),
            time=Times(raw["time"]["unit"], **cast(dict[str, Any], times)),
            arity=None if raw.get("arity") is None else int(raw["arity"]),
            chip=None if raw.get("chip") is None else _tile(raw["chip"]),
            signal_bits=int(raw.get("signal_bits", 0)),
            cell_bits=int(raw.get("cell_bits", 0)),
            signs=raw.get("signs", "cell"),
            adc_bits=int(raw.get("adc_bits", 0)),
            device=None if "device" not in raw else _device(raw["device"]),
            delays=None if "delays" not in raw else _delays(raw["delays"]),
        )

    def _crossbar(self, raw: dict[str, Any], machine: Machine, pointer: str) -> Crossbar:
        groups = self._row_groups(raw["rows"], machine.rows, f"{pointer}/rows")
        windowed = self._row_groups(raw.get("windowed", []), _MOST_WINDOWED, f"{pointer}/windowed")
        fed, lines = (sum(len(group.neurons) for group in each) for each in (groups, windowed))
        slices = tuple(
            self._slice(item, machine, (fed, lines), f"{pointer}/slices/{number}")
            for number, item in enumerate(raw["slices"])
        )
        cells = self._tensor(raw["cells"], (machine.rows, machine.weight_columns), f"{pointer}/cells")
        allowed = ("int8", "int16", "int32") if machine.weight_bits is not None else ("float32", "float64")
        if cells.dtype.name not in allowed:
            message = f"the cells {raw['cells']!r} are {cells.dtype.name}"
            self._fail(f"{pointer}/cells", message, f"with weight_bits {machine.weight_bits} use one of {allowed}")
        order = tuple(raw["order"])
        stages = tuple(raw.get("stages", [0] * len(order)))
        place = _tile(raw["tile"]), int(raw["index"])
        reserved = None if "delays" not in raw else _delay_memory(raw["delays"])
        return Crossbar(raw["name"], *place, cells, groups, slices, order, stages, windowed, reserved)

    def _row_groups(self, raw: Sequence[dict[str, Any]], left: int, pointer: str) -> tuple[RowGroup, ...]:
        groups: list[RowGroup] = []
        for number, item in enumerate(raw):
            place = f"{pointer}/{number}"
            if item["source"] not in self._sizes:
                self._fail(place, f"no input or population {item['source']!r}", "name one of this file")
            neurons = self._indices(item["neurons"], self._sizes[item["source"]], left, f"{place}/neurons", "rows")
            groups.append(RowGroup(item["source"], neurons, int(item["delay"])))
            left -= len(neurons)
        return tuple(groups)

    def _windows(self, raw: dict[str, str], rows: int, lines: int, pointer: str) -> Windows:
        """The windows of a slice; its reads stay within the table, and the table within the windowed axons."""
        found: list[NDArray[np.int64]] = []
        for key in ("lines", "origins", "offsets"):
            array = self._tensors.get(raw[key])
            if array is None or array.ndim != 1 or array.dtype.name != "int32" or not array.size:
                self._fail(f"{pointer}/{key}", f"no tensor {_shorten(raw[key])!r} of int32 in a row", _COMPILE_AGAIN)
            self._used.add(raw[key])
            found.append(array.astype(np.int64))
        windows = Windows(*found)
        if len(windows.offsets) != rows:
            self._fail(f"{pointer}/offsets", f"{len(windows.offsets)} offsets for {rows} rows", "give one per row")
        if min(windows.origins.min(), windows.offsets.min()) < 0 or windows.lines.min() < -1:
            self._fail(pointer, "a number is negative", "numbers count from 0; only lines may be -1")
        if windows.origins.max() + windows.offsets.max() >= len(windows.lines) or windows.lines.max() >= lines:
            self._fail(pointer, "a window meets what is not there", f"there are {lines} windowed axons")
        return windows

    def _slice(self, raw: dict[str, Any], machine: Machine, given: tuple[int, int], pointer: str) -> Slice:
        """A slice of a crossbar; `given` are its rows that axons feed, and its windowed axons."""
        start, stop = (int(column) for column in raw["columns"])
        if not start < stop <= machine.weight_columns:
            hint = f"a crossbar has {machine.weight_columns} columns and a slice at least one"
            self._fail(f"{pointer}/columns", f"columns {start} to {stop} do not exist", hint)
        if raw["population"] not in self._populations:
            self._fail(f"{pointer}/population", f"no population {raw['population']!r}", "name one of 'populations'")
        size = self._sizes[raw["population"]]
        rows = given[0] if "windows" not in raw else machine.rows
        used = self._indices(raw["rows"], rows, rows, f"{pointer}/rows", "driven rows")
        windows = None
        if "windows" in raw:
            windows = self._windows(raw["windows"], len(used), given[1], f"{pointer}/windows")
        width = (stop - start) * (1 if windows is None else len(windows.origins))
        neurons = self._indices(raw["neurons"], size, width, f"{pointer}/neurons", "columns")
        if len(neurons) != width:
            hint = "give one column each" if windows is None else "give one per column and read"
            self._fail(f"{pointer}/neurons", f"{len(neurons)} neurons for {width} columns", hint)
        for field, indices in (("neurons", neurons), ("rows", used)):
            if len(np.unique(indices)) != len(indices):
                self._fail(f"{pointer}/{field}", f"the {field} repeat one another", "name each index once")
        neuron = self._neuron(raw["neuron"], width, f"{pointer}/neuron") if raw["kind"] == "neurons" else None
        scale, bias = (self._parameter(raw.get(name, 0), width, f"{pointer}/{name}") for name in ("scale", "bias"))
        return Slice(
            raw["name"],
            raw["population"],
            neurons,
            (start, stop),
            used,
            tuple(raw["partials"]),
            scale,
            bias,
            neuron,
            windows,
        )

    def _neuron(self, raw: dict[str, Any], width: int, pointer: str) -> Neuron | Activation:
        if raw["model"] in ("relu", "clip"):
            keys = ("step", "zero", "least", "most")
            own = {key: self._parameter(raw[key], width, f"{pointer}/{key}") for key in keys}
            self._check_step(own["step"], f"{pointer}/step")
            return Activation(raw["model"], **own)
        names = ("decay", "gain", "drift", "threshold", "v_reset", "syn_decay", "syn_gain")
        parameters = {name: self._parameter(raw.get(name, 0), width, f"{pointer}/{name}") for name in names}
        rules = raw["order"], raw["compare"], raw["reset"], raw.get("start", "zero")
        return Neuron(raw["model"], *rules, **parameters)

    def _indices(
        self, ranges: Sequence[Sequence[int]], limit: int, room: int, pointer: str, what: str
    ) -> NDArray[np.int64]:
        """The indices below `limit` that the ranges name; `room` bounds their number, and so the memory."""
        spans = [range(int(start), int(stop), int(step) or 1) for start, stop, step in ranges]
        total = 0
        for span, (_, _, step) in zip(spans, ranges, strict=True):
            if not span or not step:
                hint = "stop must exceed start, and the step be at least 1"
                self._fail(pointer, f"the range {[span.start, span.stop, int(step)]} is empty", hint)
            if span[-1] >= limit:
                self._fail(pointer, f"index {span[-1]} does not exist", f"indices go from 0 to {limit - 1}")
            total += len(span)
            if total > room:
                self._fail(pointer, f"more indices than {what}", f"there are {room} {what} left for them")
        parts = [np.arange(span.start, span.stop, span.step, dtype=np.int64) for span in spans]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def _tensor(self, key: str, shape: tuple[int, ...], pointer: str) -> NDArray[Any]:
        array = self._tensors.get(key)
        if array is None:
            self._fail(pointer, f"no tensor {_shorten(key)!r} in the tensor file", _COMPILE_AGAIN)
        if array.shape != shape:
            self._fail(pointer, f"the tensor {key!r} has shape {array.shape}", f"the shape must be {shape}")
        if not np.isfinite(array).all():
            self._fail(pointer, f"the tensor {key!r} holds values that are no numbers", "all must be finite")
        self._used.add(key)
        array.flags.writeable = False
        return array

    def _parameter(self, raw: float | str, width: int, pointer: str) -> Parameter:
        if not isinstance(raw, str):
            return float(raw)
        array = self._tensor(raw, (width,), pointer)
        if array.dtype.name not in ("float32", "float64"):
            self._fail(pointer, f"the parameters {raw!r} are {array.dtype.name}", "store them as float64 or float32")
        return array.astype(np.float64)

    def _guarantee(self, raw: dict[str, Any]) -> Guarantee:
        period, latency = (self._fraction(raw[name], f"/guarantee/{name}") for name in ("period", "latency"))
        if not period:
            self._fail("/guarantee/period", "the period is 0", "a machine needs time for a step")
        return Guarantee(
            period,
            latency,
            raw["activity"],
            float(raw["steps_per_second"]),
            {name: int(value) for name, value in raw.get("peaks", {}).items()},
            {name: int(value) for name, value in raw.get("peaks_in", {}).items()},
        )

    def _fraction(self, text: str, pointer: str) -> Fraction:
        try:
            return Fraction(text)
        except ZeroDivisionError:
            self._fail(pointer, f"{text} divides by zero", "write the fraction as 'p/q' with q > 0")


def _device(raw: dict[str, Any]) -> Device:
    values = {name: float(value) for name, value in raw.items() if name != "levels"}
    return Device(levels=int(raw["levels"]), **values)


def _delays(raw: dict[str, Any]) -> Delays:
    return Delays(raw["memory"], int(raw["entries"]), int(raw["bits"]))


def _delay_memory(raw: dict[str, Any]) -> DelayMemory:
    observed = raw["observed"]
    return DelayMemory(int(raw["entries"]), int(raw["bound"]), None if observed is None else int(observed))


def _tile(raw: Sequence[int]) -> Tile:
    x, y = raw
    return int(x), int(y)


def _place(raw: Any) -> Place:
    return "host" if raw == "host" else _tile(raw)


def _flow(raw: dict[str, Any]) -> Flow:
    """A flow; in version 1 of the format it has one destination, and `path` instead of `branches`."""
    one = "path" in raw
    ends, branches = ([raw["to"]], [raw["path"]]) if one else (raw["to"], raw["branches"])
    return Flow(
        raw["from"],
        tuple(_place(end) for end in ends),
        tuple(tuple(_tile(router) for router in branch) for branch in branches),
    )
