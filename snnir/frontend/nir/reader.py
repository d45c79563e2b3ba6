"""The front end for `.nir` files (HDF5), with a reader of its own.

The steps, a module each: the file as it is (`file`, `fields`), one flat graph (`edges`), numbers (`values`), shapes
(`shapes`, `rules`), who wrote it and so what a step is (`exporter`), declarations (`convert`), delays (`cycles`). Every
defect is collected on the way (`lints`) and reported at once. What is assumed is said in notes on stderr.
docs/nir.md has the mapping of each node and all assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from snnir.frontend.build import build
from snnir.frontend.names import symbol, unique
from snnir.frontend.network import Delay, Network, Origin, Population, Reference, Transform, Value, Weighted
from snnir.frontend.nir.convert import Converter, Declared, some, twin_of
from snnir.frontend.nir.cycles import (
    Delays,
    Graph,
    closing_edges,
    delay_connections,
    layers,
    open_cycles,
    without_sources,
)
from snnir.frontend.nir.edges import flatten
from snnir.frontend.nir.exporter import Meaning, infer
from snnir.frontend.nir.file import read_file
from snnir.frontend.nir.lints import Findings
from snnir.frontend.nir.mirror import ATTRIBUTE as MIRROR
from snnir.frontend.nir.mirror import marked_late, mirror_of
from snnir.frontend.nir.shapes import Shapes
from snnir.frontend.nir.shapes import infer as infer_shapes
from snnir.frontend.nir.values import check_values
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.semantics import PRESETS, Semantics


def read(path: Path | str, options: FrontendOptions) -> ModuleOp:
    """The network in a `.nir` file as IR, verified. Raises `SnnirError` with the place in the file.

    A `snnir.frontend.nir.lints.LintError` is the first of all `findings`; the others are shown as notes.
    """
    notes = Notes()
    network = read_network(path, options, notes)
    module = build(network)
    notes.show()
    return module


def read_network(path: Path | str, options: FrontendOptions, notes: Notes) -> Network:
    """The network in a `.nir` file as declarations, with every delay that it needs."""
    findings = Findings(options.fix, notes)
    top = read_file(path, findings)
    if top is None:
        findings.settle()
        raise AssertionError("a file that cannot be read is a finding")
    flat = flatten(top, findings)
    for name in sorted(flat.nodes):
        if not flat.nodes[name].broken:
            check_values(flat.nodes[name], findings)
    shapes = Shapes()
    if not any(node.broken for node in flat.nodes.values()) and not findings.has_edge_defects:
        shapes = infer_shapes(flat, findings)
    meaning = infer([node for node in flat.nodes.values() if not node.broken], flat.place, options, findings)
    findings.settle()
    converter = Converter(flat, shapes, meaning, options, findings)
    declared = converter.declared()
    findings.settle()
    _note_names(converter)
    declared = _Timing(converter, declared, meaning).delayed()
    return Network(
        symbol(Path(path).stem),
        meaning.dt,
        flat.place,
        options.steps,
        flat.place,
        declared.inputs,
        declared.transforms,
        declared.populations,
        declared.outputs,
        flat.place,
        read_platform(options.platform) if options.platform is not None else None,
        {MIRROR: mirror_of(path)},
    )


def _note_names(converter: Converter) -> None:
    """Say which names had to change."""
    changed = [f"'{name}' is {new}" for name, new in converter.names.items() if name != new]
    if changed:
        what = f"names that are no valid symbols were changed: {some(changed)}"
        converter.findings.notes.add(converter.flat.place, what)


class _Timing:
    """Order and delays: what the file does not state about time."""

    def __init__(self, converter: Converter, declared: Declared, meaning: Meaning) -> None:
        self.converter, self.declared = converter, declared
        self.preset, self.dt = PRESETS[meaning.semantics], meaning.dt
        self.transforms = {each.name: each for each in declared.transforms}
        self.populations = {each.name: each for each in declared.populations}
        self.taken = converter.taken
        self.added: dict[tuple[str, int], str] = {}
        for source, target in without_sources(self.edges(), {*self.populations, *(i.name for i in declared.inputs)}):
            self.replace(source, target, self.relay(source))
        self.into = self.edges()
        self.graph = self.description()

    def edges(self) -> dict[str, list[str]]:
        """What each declaration reads, by symbols."""
        everything = (*self.transforms.values(), *self.populations.values())
        into: dict[str, list[str]] = {each.name: [] for each in self.declared.inputs}
        into |= {each.name: sorted({r.name for r in each.inputs}) for each in everything}
        into |= {each.name: sorted({r.name for r in each.sources}) for each in self.declared.outputs}
        return into

    def description(self) -> Graph:
        """The graph as `cycles` sees it."""
        sources = frozenset((*(each.name for each in self.declared.inputs), *self.populations))
        weighted = {name: each.op for name, each in self.transforms.items() if isinstance(each.op, Weighted)}
        biased = frozenset(name for name, op in weighted.items() if op.bias is not None)
        return Graph(self.into, sources, frozenset(weighted), biased)

    def delayed(self) -> Declared:
        """The declarations in order, with a delay in every cycle."""
        roots = [each.name for each in self.declared.inputs] + sorted(self.populations)
        stated = frozenset(name for name, each in self.transforms.items() if isinstance(each.op, Delay))
        waiting = frozenset(name for name in stated if _least(self.transforms[name]) > 0)
        structure = closing_edges(self.into, roots)
        late = {name for name, each in self.populations.items() if each.semantics.out_delay} | waiting
        steps = self.preset.connection_delay
        outputs = frozenset(each.name for each in self.declared.outputs)
        delays = Delays()
        if steps:
            late |= self.graph.sources
            delays = delay_connections(self.graph, structure, stated, steps, outputs)
        closing = closing_edges(self.into, roots, frozenset(late))
        opening = open_cycles(self.graph, closing, frozenset(late), self.preset.late_bias)
        self.note(closing)
        layer = layers(self.into, structure, frozenset(self.populations))
        self.apply(delays)
        self.apply(opening)
        return self.ordered(self.ranks(layer))

    def note(self, closing: list[tuple[str, str]]) -> None:
        """Say where cycles are opened, and what a preset delays."""
        notes, originals = self.converter.findings.notes, {new: old for old, new in self.converter.names.items()}
        for source, target in closing:
            named = f"{originals.get(source, source)} -> {originals.get(target, target)}"
            what = f"the edge {named} closes a cycle; NIR states no delays, so it takes one step"
            notes.add(self.place(source), what)
        if self.preset.connection_delay:
            what = f"every connection takes {self.preset.connection_delay} step at least, as the semantics say"
            notes.add(self.converter.flat.place, what)

    def place(self, name: str) -> Origin:
        """Where a declaration is in the file."""
        everything = (*self.declared.inputs, *self.transforms.values(), *self.populations.values())
        return next(each.origin for each in everything if each.name == name)

    def apply(self, delays: Delays) -> None:
        """Put delays into projections, along edges, and into twins."""
        for name, steps in sorted(delays.nodes.items()):
            self.transforms[name] = _later(self.transforms[name], steps)
        for (source, target), steps in sorted(delays.twins.items()):
            twin = unique(f"{source}_late", self.taken)
            self.taken.add(twin)
            self.transforms[twin] = _later(twin_of(self.transforms[source], twin), steps)
            self.replace(source, target, twin)
        for (source, target), steps in sorted(delays.edges.items()):
            self.replace(source, target, self.late(source, steps))

    def relay(self, source: str) -> str:
        """The name of a population that emits what `source` is: an LI node whose time constant is one step."""
        name = unique(f"{source}_relay", self.taken)
        self.taken.add(name)
        transform, origin = self.transforms[source], self.place(source)
        assert transform.shape is not None
        parameters = {"tau": Value(self.dt, origin), "r": Value(1.0, origin), "v_leak": Value(0.0, origin)}
        inputs = (Reference(source, origin),)
        self.populations[name] = Population(name, transform.shape, "li", parameters, Semantics(), origin, inputs)
        what = "a cycle without neurons is closed here; a population is added that passes its signal on"
        self.converter.findings.notes.add(origin, what)
        return name

    def late(self, source: str, steps: int) -> str:
        """The name of a signal that is `steps` late."""
        if (source, steps) not in self.added:
            name = unique(f"{source}_late", self.taken)
            self.taken.add(name)
            origin = self.place(source)
            references, attributes = (Reference(source, origin),), marked_late({}, steps)
            self.transforms[name] = Transform(name, references, Delay(steps), origin, attributes=attributes)
            self.added[source, steps] = name
        return self.added[source, steps]

    def replace(self, source: str, target: str, new: str) -> None:
        """Let `target` read `new` in place of `source`."""

        def changed(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
            return tuple(Reference(new, r.origin) if r.name == source else r for r in references)

        if target in self.transforms:
            each = self.transforms[target]
            self.transforms[target] = replace(each, inputs=changed(each.inputs))
        else:
            population = self.populations[target]
            self.populations[target] = replace(population, inputs=changed(population.inputs))

    def ranks(self, layer: Mapping[str, int]) -> dict[str, int]:
        """The number of each Input and population in the order in which they are listed: by layers, then by name."""
        populations = sorted(self.populations, key=lambda name: (layer.get(name, 0), name))
        return {name: n for n, name in enumerate((*(each.name for each in self.declared.inputs), *populations))}

    def ordered(self, rank: Mapping[str, int]) -> Declared:
        """Populations in order; what each reads sorted by where it starts, then by name."""

        def starts(name: str) -> list[int]:
            found: set[int] = set()
            waiting, seen = [name], {name}
            while waiting:
                each = waiting.pop()
                if each in rank:
                    found.add(rank[each])
                else:
                    new = [r.name for r in self.transforms[each].inputs if r.name not in seen]
                    seen.update(new)
                    waiting.extend(new)
            return sorted(found)

        def inputs(population: Population) -> Population:
            key = {r.name: (starts(r.name), r.name) for r in population.inputs}
            return replace(population, inputs=tuple(sorted(population.inputs, key=lambda r: key[r.name])))

        populations = [inputs(self.populations[name]) for name in sorted(self.populations, key=rank.__getitem__)]
        return Declared(self.declared.inputs, list(self.transforms.values()), populations, self.declared.outputs)


def _least(transform: Transform) -> int:
    """The least delay of a Delay."""
    assert isinstance(transform.op, Delay)
    steps = transform.op.steps
    return steps if isinstance(steps, int) else int(steps.array.min())


def _later(transform: Transform, steps: int) -> Transform:
    """A projection that reads its sources later."""
    assert isinstance(transform.op, Weighted)
    late = replace(transform.op, delay=transform.op.delay + steps)
    return replace(transform, op=late, attributes=marked_late(transform.attributes, steps))
