"""The configuration files of a SONATA model: manifest variables, where everything is, what a simulation states.

Source: SONATA Developer Guide 0.1, "Tying it all together" and "Representing Simulations". As bmtk does, `$NAME` and
`${NAME}` are both variables, `${configdir}` is the folder of the file itself, and a relative path is relative to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from os.path import normpath
from pathlib import Path
from typing import Any, NoReturn, cast

from snnir.errors import SnnirError
from snnir.frontend.hdf5 import Place
from snnir.frontend.names import suggestion

CONFIG_NAMES = ("config.json", "simulation_config.json", "config.simulation.json")
CIRCUIT_NAMES = ("circuit_config.json", "config.circuit.json")
SIMULATION_NAMES = ("simulation_config.json", "config.simulation.json")

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_SIZE_LIMIT = 1 << 24


@dataclass(frozen=True)
class Json:
    """A value in a JSON file and the place that is blamed for it. Numbers are exact: `int` or `Decimal`."""

    value: Any
    place: Place

    def get(self, key: str) -> Json | None:
        """A member of this object; `None` when there is no such key or it is null."""
        members = self.members()
        return members.get(key)

    def need(self, key: str) -> Json:
        """A member that must be there."""
        found = self.get(key)
        if found is None:
            raise self.place.error(f"there is no '{key}'", suggestion(key, self.members(), "keys"))
        return found

    def members(self) -> dict[str, Json]:
        """The members of this object that are not null."""
        value: object = self.value
        if not isinstance(value, dict):
            raise self.place.error(
                "an object { ... } is expected here", "see the SONATA guide, sonata-extension.github.io"
            )
        items = cast(dict[str, Any], value)
        return {key: Json(item, self.place.inside(key)) for key, item in items.items() if item is not None}

    def list(self) -> list[Json]:
        """The elements of this array."""
        value: object = self.value
        if not isinstance(value, list):
            raise self.place.error("an array [ ... ] is expected here")
        items = cast(list[Any], value)
        return [Json(item, self.place.inside(str(number))) for number, item in enumerate(items)]

    def text(self) -> str:
        """This text."""
        if not isinstance(self.value, str):
            raise self.place.error(f"text is expected here, not {shown(self.value)}")
        return self.value

    def number(self) -> Decimal:
        """This number, exactly."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | Decimal):
            raise self.place.error(f"a number is expected here, not {shown(self.value)}")
        return Decimal(self.value)


def shown(value: Any) -> str:
    """A JSON value in a message, cut short."""
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."


def read_json(path: Path) -> Json:
    """A JSON file, its root an object. Raises `SnnirError` with line and column."""
    place = Place(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
        if len(data) > _SIZE_LIMIT:
            raise place.error(f"a JSON file of more than {_SIZE_LIMIT >> 20} MiB is refused")
        text = data.decode("utf-8-sig")
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except FileNotFoundError:
        raise place.error("no such file", "name an existing .json file") from None
    except OSError as error:
        raise place.error(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise place.error(f"not UTF-8 text: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = Place(str(path), f"{error.lineno}:{error.colno}")
        raise where.error(f"not JSON: {error.msg}", "correct the file here or just before") from None
    except (ValueError, RecursionError) as error:
        raise place.error(f"not JSON: {error}") from None
    result = Json(value, place)
    result.members()
    return result


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


@dataclass(frozen=True)
class TableFiles:
    """The two files of a node or edge population: HDF5 and types."""

    data: Path
    types: Path | None
    place: Place


@dataclass(frozen=True)
class SpikeInput:
    """An entry of `inputs`: spikes from a file for the nodes of a node set."""

    name: str
    module: str
    file: Path
    node_set: Json
    place: Place


@dataclass
class Config:
    """What the files of a model say, all paths resolved."""

    place: Place
    """The file that was named."""
    nodes: list[TableFiles] = field(default_factory=list[TableFiles])
    edges: list[TableFiles] = field(default_factory=list[TableFiles])
    components: dict[str, tuple[Path, Place]] = field(default_factory=dict[str, tuple[Path, Place]])
    inputs: list[SpikeInput] = field(default_factory=list[SpikeInput])
    node_sets: dict[str, Json] = field(default_factory=dict[str, Json])
    dt: Json | None = None
    """Step in ms."""
    tstop: Json | None = None
    """Length of the simulation in ms."""
    spikes_file: Path | None = None
    """Where the simulation's recorded spikes are."""
    notes: list[tuple[Place, str]] = field(default_factory=list[tuple[Place, str]])

    @property
    def directory(self) -> Path:
        """The folder of the file that was named."""
        return Path(self.place.file).parent


def find_config(path: Path) -> Path:
    """The configuration file that `path` means: itself, or the one with a usual name in the folder `path`."""
    if not path.is_dir():
        return path
    for name in (*CONFIG_NAMES, *CIRCUIT_NAMES):
        if (path / name).is_file():
            return path / name
    hint = f"name a file, or a folder that holds {' or '.join((CONFIG_NAMES[0], CIRCUIT_NAMES[0]))}"
    raise SnnirError(path, "this folder holds no SONATA configuration", hint)


def read_config(path: Path) -> Config:
    """All that a model's configuration files say, whichever of them (or their folder) `path` names."""
    return _Reader(find_config(path)).config


class _Reader:
    """Follows `network` and `simulation` from file to file; each file has its own manifest."""

    def __init__(self, path: Path) -> None:
        self.config = Config(Place(str(path)))
        self.seen: set[Path] = set()
        self.has_circuit = self.has_simulation = False
        self.file(path)
        if not self.has_circuit:
            self.beside(path, CIRCUIT_NAMES, "network")
        if not self.has_circuit:
            hint = f'add "network": "{CIRCUIT_NAMES[0]}", the file that lists nodes and edges'
            raise self.config.place.error("this configuration names no network", hint)
        if not self.has_simulation:
            self.beside(path, SIMULATION_NAMES, "simulation")

    def beside(self, path: Path, names: tuple[str, ...], what: str) -> None:
        """Use the file of a usual name in the same folder, unless it is about another network, and say so."""
        for name in names:
            other = path.parent / name
            if not other.is_file() or other.resolve() in self.seen:
                continue
            root = read_json(other)
            network = root.get("network")
            if network is not None and Resolver(root, other.parent).path(network).resolve() not in self.seen:
                continue
            self.config.notes.append((self.config.place, f"names no {what}; {other}, which is beside it, is used"))
            self.file(other)
            return

    def file(self, path: Path) -> None:
        """One configuration file and those that it names."""
        if path.resolve() in self.seen:
            return
        self.seen.add(path.resolve())
        root = read_json(path)
        resolver = Resolver(root, path.parent)
        for key in ("network", "simulation"):
            entry = root.get(key)
            if entry is not None and isinstance(entry.value, str):
                self.file(resolver.path(entry))
        if root.get("networks") is not None:
            self.circuit(root, resolver)
        if root.get("run") is not None:
            self.simulation(root, resolver)
        if root.get("components") is not None:
            for name, entry in root.need("components").members().items():
                self.config.components.setdefault(name, (resolver.path(entry), entry.place))

    def circuit(self, root: Json, resolver: Resolver) -> None:
        """`networks`: which files hold nodes and edges."""
        self.has_circuit = True
        networks = root.need("networks")
        known = set(networks.members()) - {"nodes", "edges"}
        if known:
            name = min(known)
            raise networks.place.inside(name).error(f"'{name}' is not supported", "only nodes and edges are")
        for key, found in (("nodes", self.config.nodes), ("edges", self.config.edges)):
            entries = networks.get(key)
            for entry in entries.list() if entries is not None else ():
                types = entry.get(f"{key[:-1]}_types_file")
                data = resolver.path(entry.need(f"{key}_file"))
                found.append(TableFiles(data, resolver.path(types) if types is not None else None, entry.place))

    def simulation(self, root: Json, resolver: Resolver) -> None:
        """`run`, `inputs`, `output`, node sets."""
        self.has_simulation = True
        config, run = self.config, root.need("run")
        config.dt, config.tstop = run.get("dt"), run.get("tstop")
        start = run.get("tstart")
        if start is not None and start.number() != 0:
            raise start.place.error(f"tstart = {start.number()} is not supported", "a simulation starts at 0 here")
        sets = root.get("node_sets_file")
        if sets is not None:
            config.node_sets |= read_json(resolver.path(sets)).members()
        inline = root.get("node_sets")
        config.node_sets |= inline.members() if inline is not None else {}
        inputs = root.get("inputs")
        for name, entry in inputs.members().items() if inputs is not None else ():
            found = _input(name, entry, resolver)
            config.inputs += [found] if found is not None else []
        output = root.get("output")
        if output is not None:
            file, folder = output.get("spikes_file"), output.get("output_dir")
            directory = resolver.path(folder) if folder is not None else resolver.directory
            name = Path(resolver.text(file)) if file is not None else Path("spikes.h5")
            config.spikes_file = directory / name


def _input(name: str, entry: Json, resolver: Resolver) -> SpikeInput | None:
    """An entry of `inputs`; `None` when it is switched off."""
    enabled = entry.get("enabled")
    if enabled is not None and enabled.value is False:
        return None
    kind, module = entry.need("input_type"), entry.need("module")
    if kind.text() != "spikes":
        what = f"input '{name}' is a {kind.text()}, which is not supported"
        raise kind.place.error(what, 'use spikes from a file, or switch it off with "enabled": false')
    if module.text() not in ("h5", "sonata", "hdf5", "csv"):
        hint = "record its spikes into an HDF5 or CSV file"
        raise module.place.error(f"spikes from module '{module.text()}' are not supported", hint)
    return SpikeInput(name, module.text(), resolver.path(entry.need("input_file")), entry.need("node_set"), entry.place)


class Resolver:
    """The manifest of one configuration file."""

    def __init__(self, root: Json, directory: Path) -> None:
        self.directory = directory
        manifest = root.get("manifest")
        self.given: Mapping[str, Json] = (
            {key.lstrip("$").strip("{}"): value for key, value in manifest.members().items()} if manifest else {}
        )

    def path(self, entry: Json) -> Path:
        """A path with its variables replaced, relative to the configuration file."""
        return Path(normpath(self.directory / self.text(entry)))

    def text(self, entry: Json, open_names: tuple[str, ...] = ()) -> str:
        """Text with its variables replaced."""

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name == "configdir":
                return "."
            if name in open_names:
                raise entry.place.error(f"variable ${name} is defined by itself", "give it a path")
            if name not in self.given:
                raise entry.place.error(f"there is no variable ${name}", suggestion(name, self.given, "variables"))
            return self.text(self.given[name], (*open_names, name))

        return _VARIABLE.sub(value, entry.text())
