"""The front end for `.nir` files (HDF5), with a reader of its own.

A NIR file says neither how long a step is nor what happens in one, and knows no delays. What is assumed instead is said
in notes on stderr: the step where the file shows it (`infer_dt`), semantics `nir` unless `--semantics` names others,
and a delay of one step on each connection that closes a cycle. Everything else is in the file or an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from snnir.frontend.build import build, check_parameters
from snnir.frontend.hdf5 import Place
from snnir.frontend.names import symbol, symbols
from snnir.frontend.network import Input, Network, Output, Population, Projection, Reference, Value, preset_named
from snnir.frontend.nir_nodes import DEFAULTS, MODELS, Graph, Node, field_of, read_graph
from snnir.frontend.nir_paths import Path, Wiring, wire
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.semantics import PARAMETERS, PRESETS, Semantics
from snnir.tensors import Tensor

_TOLERANCE = 1e-6
_DIGITS = 3


def read(path: FilePath | str, options: FrontendOptions) -> ModuleOp:
    """The network in a `.nir` file as IR, verified. Raises `SnnirError` with the place in the file."""
    graph = read_graph(path)
    return _Reader(graph, wire(graph), options).module()


class _Reader:
    def __init__(self, graph: Graph, wiring: Wiring, options: FrontendOptions) -> None:
        self.graph, self.wiring, self.options = graph, wiring, options
        self.place: Place = graph.place
        self.symbols = symbols(graph.nodes)
        self.tensors: dict[str, Tensor] = {}
        self.notes = Notes()

    def module(self) -> ModuleOp:
        """Everything that the file says and the notes on what it does not."""
        wiring = self.wiring
        semantics = preset_named(self.options.semantics, str(self.place)) or PRESETS["nir"]
        populations = [self.population(node, semantics) for node in wiring.populations]
        for each in populations:
            check_parameters(each, 0.0)
        dt = self.dt()
        self.note_semantics()
        self.note_names()
        self.note_defaults()
        network = Network(
            symbol(FilePath(self.place.file).stem),
            dt,
            self.place,
            self.options.steps,
            self.place,
            [Input(self.symbols[node.name], node.shape, node.place) for node in wiring.inputs],
            populations,
            self.projections(),
            [Output(self.symbols[o.name], self.reference(source, o.place), o.place) for o, source in wiring.outputs],
            self.place,
            read_platform(self.options.platform) if self.options.platform is not None else None,
        )
        module = build(network)
        for path in wiring.paths:
            if wiring.closes_cycle(path):
                what = f"the connection {path.source.name} -> {path.target.name} closes a cycle"
                self.notes.add(_origin(path), f"{what}; NIR states no delays, so it gets delay 1")
        self.notes.show()
        return module

    def dt(self) -> float:
        """The step: as asked for, else as the file shows it."""
        asked, found = self.options.dt, infer_dt(self.wiring.populations)
        shown = f"r = tau/dt in every LIF and CubaLIF node for dt = {found} s, as snnTorch exports them"
        if asked is not None:
            if found and found != asked:
                self.notes.add(self.place, f"--dt {asked:g} is used, although {shown}")
            return asked
        if not found:
            hint = "pass --dt with the step in seconds for which the network was trained, for example --dt 1e-3"
            raise self.place.error("a NIR file does not say how long a step is, and nothing in this one shows it", hint)
        self.notes.add(self.place, f"dt = {found} s is assumed: {shown}")
        if self.options.semantics is None:
            what = "snnTorch's files do not say whether a spike subtracts the threshold"
            self.notes.add(self.place, f"{what}; if it does, pass --semantics snntorch_subtract")
        return found

    def note_semantics(self) -> None:
        """Say which semantics are assumed when none are asked for."""
        if self.options.semantics is None:
            what = "semantics nir are assumed: forward Euler, a spike when v > threshold, then v = v_reset"
            self.notes.add(self.place, f"{what}; --semantics names others ({', '.join(PRESETS)})")

    def note_names(self) -> None:
        """Say which names had to change."""
        changed = [f"'{name}' is {new}" for name, new in self.symbols.items() if name != new]
        if changed:
            listed = ", ".join(changed[:12]) + (", ..." if len(changed) > 12 else "")
            self.notes.add(self.place, f"names that are no valid symbols were changed: {listed}")

    def note_defaults(self) -> None:
        """Say which fields are missing, which nodes nothing feeds, and which biases are none."""
        fed = {path.target.name for path in self.wiring.paths}
        for name in sorted(self.graph.nodes):
            node = self.graph.nodes[name]
            if not node.is_neuron:
                if node.kind == "Affine" and not node.fields["bias"].size:
                    self.notes.add(node.place.inside("bias"), "bias = False is read as: no bias")
                continue
            parameters = map(field_of, PARAMETERS[MODELS[node.kind]])
            missing = [f"{field} = {DEFAULTS[field]:g}" for field in parameters if field not in node.fields]
            if missing:
                self.notes.add(node.place, f"not in the file, NIR's default is used: {', '.join(missing)}")
            if name not in fed:
                self.notes.add(node.place, f"nothing feeds this {node.kind} node")

    def population(self, node: Node, semantics: Semantics) -> Population:
        """A neuron node as a population."""
        name, model = self.symbols[node.name], MODELS[node.kind]
        parameters: dict[str, Value] = {}
        for parameter in PARAMETERS[model]:
            field = field_of(parameter)
            array = node.fields.get(field)
            place = node.place.inside(field)
            if array is None or array.shape == ():
                value = DEFAULTS[field] if array is None else float(array)
                parameters[parameter] = Value(value, place)
            else:
                parameters[parameter] = Value(Tensor.of(f"{name}.{parameter}", array), place)
        return Population(name, node.shape, model, parameters, semantics, node.place)

    def projections(self) -> list[Projection]:
        """The projections in order. A weight node that sums several sources adds its bias once per target."""
        done: set[tuple[str, str]] = set()
        result: list[Projection] = []
        for path in self.wiring.paths:
            weight, key = path.weight, (path.weight.name if path.weight else "", path.target.name)
            bias = None
            if weight is not None and weight.kind == "Affine" and weight.fields["bias"].size and key not in done:
                bias = self.value(weight, "bias")
            done.add(key)
            field = "scale" if weight is not None and weight.kind == "Scale" else "weight"
            origin = _origin(path)
            result.append(
                Projection(
                    self.reference(path.source, origin),
                    self.reference(path.target, origin),
                    "one_to_one" if weight is None or weight.kind == "Scale" else "dense",
                    Value(1.0, origin) if weight is None else self.value(weight, field),
                    origin,
                    bias,
                    delay=int(self.wiring.closes_cycle(path)),
                )
            )
        return result

    def value(self, node: Node, field: str) -> Value:
        """A field of a weight node; nodes that are used twice share their tensors."""
        key = f"{self.symbols[node.name]}.{field}"
        if key not in self.tensors:
            self.tensors[key] = Tensor.of(key, node.fields[field])
        return Value(self.tensors[key], node.place.inside(field))

    def reference(self, node: Node, origin: Place) -> Reference:
        """A node by its symbol."""
        return Reference(self.symbols[node.name], origin)


def _origin(path: Path) -> Place:
    return path.weight.place if path.weight is not None else path.target.place


def infer_dt(populations: Sequence[Node]) -> float | None:
    """The step in seconds for which every leaky neuron has `r = tau/dt` (CubaLIF: and `w_in = tau_syn/dt`).

    That is how snnTorch and SpikingJelly export neurons whose input has weight one. The step must be a number of at
    most three digits, and `r = 1` everywhere is no evidence. `None` when the file shows nothing.
    """
    pairs = [pair for node in populations for pair in _time_constants(node.fields)]
    taus = np.concatenate([tau for tau, _ in pairs]) if pairs else np.empty(0)
    gains = np.concatenate([gain for _, gain in pairs]) if pairs else np.empty(0)
    usable = (
        taus.size and np.isfinite(taus).all() and np.isfinite(gains).all() and (taus > 0).all() and (gains > 0).all()
    )
    if not usable or np.allclose(gains, 1.0, rtol=_TOLERANCE, atol=0.0):
        return None
    for digits in range(_DIGITS):
        dt = float(f"{taus[0] / gains[0]:.{digits}e}")
        if dt > 0 and np.allclose(gains * dt, taus, rtol=_TOLERANCE, atol=0.0):
            return dt
    return None


def _time_constants(fields: Mapping[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Time constants and the gains that should be as many steps, of one population."""
    names = [("tau", "r"), ("tau_mem", "r"), ("tau_syn", "w_in")]
    result: list[tuple[np.ndarray, np.ndarray]] = []
    for tau, gain in names:
        if tau in fields and gain in fields:
            both = np.broadcast_arrays(fields[tau].astype(np.float64), fields[gain].astype(np.float64))
            result.append((both[0].ravel(), both[1].ravel()))
    return result
