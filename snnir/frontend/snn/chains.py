"""Arrows, signals and outputs of a `.snn` program: chains of operations as nodes of the network that is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from snnir.errors import SnnirError
from snnir.frontend.names import unique
from snnir.frontend.network import Population, Reference, Shape, Slice, Transform
from snnir.frontend.snn.operations import Stage, stage_of
from snnir.frontend.snn.scope import Scope
from snnir.frontend.snn.tree import Arrow, Call, Expression, Named, Read, Word, span_of
from snnir.frontend.snn.tree import Slice as SliceText
from snnir.frontend.snn.values import Name, evaluate, whole
from snnir.frontend.source import Span
from snnir.frontend.weights import WeightsFile
from snnir.indices import Indices

SLICE_LIMIT = 1 << 24
"""Neurons of a slice."""

ALIAS_LIMIT = 100
"""Signals that are only other names of signals, one behind the other."""

SUM_LIMIT = 1 << 12
"""Signals that are added."""

READABLE = ("input", "population", "signal")

Sum = tuple[Reference, ...]
"""Signals that are added."""


class Chains:
    """The nodes made so far, what flows into each population, and the outputs."""

    def __init__(self, scope: Scope, populations: Sequence[Population], dt: Fraction, weights: WeightsFile) -> None:
        self.scope, self.dt, self.weights = scope, dt, weights
        self.populations = {each.name: each for each in populations}
        self.into: dict[str, list[Reference]] = {name: [] for name in self.populations}
        self.inhibitory: dict[str, list[Reference]] = {name: [] for name in self.populations}
        self.transforms: list[Transform] = []
        self.outputs: list[tuple[str, Sum, Span]] = []
        self.taken = set(scope.declared)
        self.aliases: dict[str, tuple[Named, Scope]] = {}
        self.resolving: list[str] = []
        self.resolved: dict[str, Sum] = {}

    def connected(self) -> list[Population]:
        """The populations with what flows into them."""
        return [
            replace(each, inputs=tuple(self.into[name]), inhibitory=tuple(self.inhibitory[name]))
            for name, each in self.populations.items()
        ]

    def signal(self, each: Named, scope: Scope) -> None:
        """Remember a signal that is another name for a sum."""
        if not self.stages_left(each.chain):
            self.aliases[scope.prefix + each.name.text] = each, scope

    def stages_left(self, chain: list[Call]) -> bool:
        """Whether anything but `direct` is applied."""
        return any(call.name.text != "direct" for call in chain)

    def named(self, each: Named, scope: Scope) -> None:
        """A signal or an output."""
        name, place = scope.prefix + each.name.text, scope.place(each.name.span)
        if not each.output and name in self.aliases:
            for call in each.chain:
                self.no_target(stage_of(call, scope, self.dt, self.weights))
            self.alias(name, place)
            return
        stages = [stage_of(call, scope, self.dt, self.weights) for call in each.chain]
        for stage in stages:
            self.no_target(stage)
        sources = self.sources(each.sources, scope, name)
        label = f"{self.text(each.sources, scope)} -> {name}"
        if each.output:
            last = f"{self.base(each.sources, scope)}_to_{name}"
            self.outputs.append((name, self.apply(sources, stages, last, label, place, None), place))
        else:
            self.apply(sources, stages, name, label, place, None, declared=True)

    def no_target(self, stage: Stage) -> None:
        """Raise where a synapse is named, but no population."""
        if stage.into is not None:
            raise stage.into[1].error("'into' names a synapse, but this leads to no population", "leave it out")

    def arrow(self, each: Arrow, scope: Scope) -> None:
        """A projection into a population."""
        target, kind, place = scope.resolve(each.target, "population", ("population",))
        shown = each.target.text
        if kind == "input":
            hint = "a projection leads to a population"
            raise place.error(f"'{shown}' is an input, which takes no projections", hint)
        if kind != "population":
            article = "an" if kind == "output" else "a"
            hint = f"write: {kind} {shown} = ..."
            raise place.error(f"'{shown}' is {article} {kind}, which takes no projections", hint)
        stages = [stage_of(call, scope, self.dt, self.weights) for call in each.chain]
        for stage in stages[:-1]:
            if stage.into is not None:
                raise stage.into[1].error("'into' stands before the end of the chain", "move it to the last operation")
        population = self.populations[target]
        synapse = stages[-1].into
        if synapse is not None and population.model != "dual_lif":
            what = f"'{shown}' is a {population.model} population, which has one synapse"
            raise synapse[1].error(what, "only dual_lif has an excitatory and an inhibitory one")
        sources = self.sources(each.sources, scope, target)
        origin = scope.place(each.sources[0].name.span.to(each.target.span))
        label = f"{self.text(each.sources, scope)} -> {target}"
        last = f"{self.base(each.sources, scope)}_to_{target}"
        result = self.apply(sources, stages, last, label, origin, population.shape)
        (self.inhibitory if synapse and synapse[0] == "inhibitory" else self.into)[target] += result

    def apply(
        self,
        sources: Sum,
        stages: list[Stage],
        last: str,
        label: str,
        origin: Span,
        shape: Shape | None,
        declared: bool = False,
    ) -> Sum:
        """The nodes of a chain; what comes out of it."""
        stages = [each for each in stages if each.op is not None]
        for number, stage in enumerate(stages):
            final = number == len(stages) - 1
            name, own = last if final else f"{last}_{stage.kind}", final and declared
            if not own:
                name = unique(name, self.taken)
                self.taken.add(name)
            wanted = shape if final and stage.shape is None else stage.shape
            place = origin if final else stage.place
            assert stage.op is not None
            self.transforms.append(Transform(name, sources, stage.op, place, wanted, label, declared=own))
            sources = (Reference(name, place),)
        return sources

    def base(self, reads: list[Read], scope: Scope) -> str:
        """A name for what is read."""
        return "_".join(self.full(each, scope) for each in reads)

    def text(self, reads: list[Read], scope: Scope) -> str:
        """What is read, for messages."""
        return " + ".join(self.full(each, scope) for each in reads)

    def full(self, each: Read, scope: Scope) -> str:
        return scope.resolve(each.name, "input or population", READABLE)[0]

    def sources(self, reads: list[Read], scope: Scope, target: str) -> Sum:
        """The signals that are read, slices of them as nodes."""
        result: list[Reference] = []
        for each in reads:
            found = self.source(each.name, scope)
            if each.part is not None:
                place = scope.place(each.part.span)
                name = unique(f"{self.full(each, scope)}_slice", self.taken)
                self.taken.add(name)
                op = Slice(indices_of(each.part, scope))
                label = f"{self.full(each, scope)} -> {target}"
                self.transforms.append(Transform(name, found, op, place, None, label))
                found = (Reference(name, place),)
            result += found
            if len(result) > SUM_LIMIT:
                raise scope.place(each.name.span).error(f"more than {SUM_LIMIT} signals are added", "add fewer")
        return tuple(result)

    def source(self, name: Word, scope: Scope) -> Sum:
        """The signals behind a name."""
        full, kind, place = scope.resolve(name, "input or population", READABLE)
        if kind == "output":
            hint = "read what the output reads"
            raise place.error(f"'{name.text}' is an output, which only the host reads", hint)
        return self.alias(full, place) if full in self.aliases else (Reference(full, place),)

    def alias(self, full: str, place: Span) -> Sum:
        """The signals behind a signal that is only another name."""
        if full not in self.resolved:
            if full in self.resolving:
                raise self.endless(full, place)
            if len(self.resolving) >= ALIAS_LIMIT:
                raise place.error(f"more than {ALIAS_LIMIT} signals are names of each other", "name the source itself")
            alias, inner = self.aliases[full]
            self.resolving.append(full)
            self.resolved[full] = self.sources(alias.sources, inner, full)
            self.resolving.pop()
        return self.resolved[full]

    def endless(self, name: str, place: Span) -> SnnirError:
        """The error for signals that only name each other."""
        ring = [*self.resolving[self.resolving.index(name) :], name]
        return place.error(f"the signals {' -> '.join(ring)} are nothing but each other", "name an input or population")


def indices_of(part: SliceText, scope: Scope) -> Indices:
    """The neurons of a slice. Raises `SnnirError`."""
    runs: list[tuple[int, int, int]] = []
    for run in part.runs:
        numbers = [_index(each, scope) for each in run]
        start, stop, step = (*numbers, numbers[0] + 1, 1) if len(numbers) == 1 else (*numbers, 1)[:3]
        if stop <= start or step < 1:
            what = f"{':'.join(map(str, numbers))} holds no index"
            where = scope.place(span_of(run[0]).to(span_of(run[-1])))
            raise where.error(what, "a slice is start:stop or start:stop:step, stop excluded")
        runs.append((start, stop, step))
    place = scope.place(part.span)
    if sum((stop - start) // step for start, stop, step in runs) > SLICE_LIMIT:
        raise place.error("the slice is larger than any population")
    try:
        return Indices.of_runs(runs)
    except ValueError:
        raise place.error("a neuron is listed twice in this slice", "list each neuron once") from None


def _index(expression: Expression, scope: Scope) -> int:
    value = evaluate(expression, scope)
    if isinstance(value, Name):
        raise value.scope.unknown_constant(value, "indices are whole numbers")
    try:
        return whole(value, "an index")
    except SnnirError:
        hint = "for example [0:32] or [0:32:2, 40]"
        raise value.span.error("indices are whole numbers, 0 or more", hint) from None
