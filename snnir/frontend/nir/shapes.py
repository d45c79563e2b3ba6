"""The shape of every signal of a NIR graph, inferred along its edges, and the Inputs that say a wrong one.

Signals start at Inputs; where a cycle is reached from none, at the first node (by name) that states its own shape. An
Input whose shape fits nothing behind it is tried without its first dimensions, which time steps or samples then are,
and with the shape that its readers state; what leaves the fewest contradictions is taken, and reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from snnir.frontend.checks import NEURON_LIMIT
from snnir.frontend.network import Shape, text_of
from snnir.frontend.nir.edges import Flat
from snnir.frontend.nir.fields import Node
from snnir.frontend.nir.lints import Findings
from snnir.frontend.nir.rules import Outcome, Problem, Repair, leave, own_shape

_TIME = 100
"""A number of neurons that only an Input states is taken for a number of steps from here on."""


@dataclass
class Shapes:
    """What each node receives and emits, and what conversion has to change in it."""

    into: dict[str, Shape] = field(default_factory=dict[str, Shape])
    out: dict[str, Shape] = field(default_factory=dict[str, Shape])
    problems: list[Problem] = field(default_factory=list[Problem])

    def repair(self, node: str) -> Repair:
        """The change that a node needs."""
        found: list[Repair] = [each.repair for each in self.problems if each.node == node and each.repair]
        return found[0] if found else ""


def infer(flat: Flat, findings: Findings) -> Shapes:
    """All shapes. What does not fit is a finding; what can be repaired counts as if it were."""
    stated: dict[str, Shape] = {}
    before = len(findings.found)
    for name in sorted(flat.nodes):
        node = flat.nodes[name]
        if node.kind in ("Input", "Output") and "shape" in node.counts:
            shape = node.counts["shape"]
            if not shape or min(shape) < 1:
                what = f"'{name}' has the shape {text_of(shape)}, but every dimension needs at least 1 neuron"
                findings.defect("unknown-shape", node.place, what, "correct its shape")
            elif _size(shape) > NEURON_LIMIT:
                what = f"'{name}' has more than {NEURON_LIMIT} neurons"
                findings.defect("unknown-shape", node.place, what, "correct its shape")
            elif node.kind == "Input" and not node.inner:
                stated[name] = shape
    if len(findings.found) > before:
        return Shapes()
    best = _Propagation(flat, stated).run()
    for name in list(stated):
        best, stated = _try(flat, stated, name, best)
    for problem in best.problems:
        problem.report(findings)
    return best


def _size(shape: Shape) -> int:
    size = 1
    for each in shape:
        size *= each
    return size


def _try(flat: Flat, stated: dict[str, Shape], name: str, best: Shapes) -> tuple[Shapes, dict[str, Shape]]:
    """Replace the shape of one Input by one that contradicts less, if there is one."""
    node, shape = flat.nodes[name], stated[name]
    what = f"the shape is {text_of(shape)}, but no time or batch belongs into it"
    place = node.place.inside("shape")
    counted = _only_time(flat, stated)
    if counted is not None:
        what = (
            f"{text_of(shape)} neurons are stated here alone ('{counted}' has one of each parameter): these are steps"
        )
        problem = Problem("time-dimension", place, what, "reads one neuron")
        return _changed(flat, stated, name, (1,), problem)
    if not best.problems:
        return best, stated
    choices: list[tuple[Shape, Problem]] = []
    for cut in range(1, len(shape)):
        rest = shape[cut:]
        lint = "batch-dimension" if set(shape[:cut]) == {1} else "time-dimension"
        choices.append((rest, Problem(lint, place, what, f"reads it as {text_of(rest)}")))
    wanted = {own_shape(flat.nodes[each]) for each in _readers(flat, name)}
    if len(wanted) == 1 and (only := next(iter(wanted))) is not None and only != shape:
        said = f"the shape is {text_of(shape)}, but all that read it take {text_of(only)}"
        choices.append((only, Problem("input-shape", place, said, f"takes {text_of(only)}")))
    for rest, problem in choices:
        tried, changed = _changed(flat, stated, name, rest, problem)
        better = (_worst(tried), _weight(flat, name, tried) - 1) < (_worst(best), _weight(flat, name, best))
        if better and (problem.lint != "input-shape" or (_worst(best) and len(tried.problems) == 1)):
            best, stated = tried, changed
    return best, stated


def _worst(shapes: Shapes) -> int:
    """How many problems nobody but the author can repair."""
    return sum(not each.cure for each in shapes.problems)


def _weight(flat: Flat, name: str, shapes: Shapes) -> int:
    """How many problems there are. Neurons without a shape behind a matrix count double where theirs has more than one
    dimension, which then nobody but the Input says."""
    behind = any(flat.nodes[each].is_matrix for each in _readers(flat, name))
    scalars = (each.place for each in shapes.problems if each.lint == "scalar-parameters")
    many = {str(place) for place in scalars} if behind else set[str]()
    doubled = (node for node in flat.nodes.values() if str(node.place) in many)
    extra = sum(2 for node in doubled if not own_shape(node) and len(shapes.into[node.name]) > 1)
    return len(shapes.problems) + extra


def _changed(
    flat: Flat, stated: Mapping[str, Shape], name: str, shape: Shape, problem: Problem
) -> tuple[Shapes, dict[str, Shape]]:
    changed = {**stated, name: shape}
    shapes = _Propagation(flat, changed).run()
    shapes.problems.insert(0, problem)
    return shapes, changed


def _readers(flat: Flat, name: str) -> Iterator[str]:
    """The nodes that read a node, behind wires."""
    waiting, seen = list(flat.out.get(name, ())), set[str]()
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            if flat.is_wire(each):
                waiting.extend(flat.out.get(each, ()))
            else:
                yield each


def _only_time(flat: Flat, stated: Mapping[str, Shape]) -> str | None:
    """A neuron of a graph in which only Inputs and Outputs state a shape, one large number.

    Norse wrote such files from a recording: the number of its steps became the shape.
    """
    shapes = {*stated.values(), *(node.counts["shape"] for node in flat.nodes.values() if "shape" in node.counts)}
    inside = [node for node in flat.nodes.values() if node.kind not in ("Input", "Output")]
    if len(shapes) != 1 or not all(node.is_population and not own_shape(node) for node in inside):
        return None
    (shape,) = shapes
    return min((node.name for node in inside), default=None) if len(shape) == 1 and shape[0] >= _TIME else None


class _Propagation:
    """One run through the graph with given shapes of the Inputs."""

    def __init__(self, flat: Flat, stated: Mapping[str, Shape]) -> None:
        self.flat, self.stated = flat, stated
        self.result = Shapes()
        self.failed: set[str] = set()

    def run(self) -> Shapes:
        """Follow the edges until nothing is left, then compare both ends of every edge."""
        order = sorted(self.flat.nodes)
        queue: list[str] = []
        for name in order:
            if name not in self.flat.into:
                shape = self.stated.get(name) or self.guess(name)
                if shape is not None:
                    self.visit(name, shape, queue)
        while True:
            while queue:
                name = self.next(queue)
                queue.remove(name)
                if name not in self.result.into and name not in self.failed:
                    self.visit(name, self.incoming(name), queue)
            left = [name for name in order if name not in self.result.into and name not in self.failed]
            guesses = ((name, self.guess(name)) for name in left)
            start = next(((name, shape) for name, shape in guesses if shape is not None), None)
            if start is None:
                break
            self.visit(*start, queue)
        self.compare(order)
        self.unknown(left)
        return self.result

    def next(self, queue: Sequence[str]) -> str:
        """The node to go on with: one all of whose inputs are known, if there is one."""
        for name in queue:
            if all(each in self.result.out for each in self.flat.into.get(name, ())):
                return name
        return queue[0]

    def incoming(self, name: str) -> Shape:
        """What arrives at a node, of which one input at least is known."""
        known = [self.result.out[each] for each in self.flat.into.get(name, ()) if each in self.result.out]
        own = own_shape(self.flat.nodes[name])
        return own if own in known else known[0]

    def guess(self, name: str) -> Shape | None:
        """The shape that a node must receive by its own fields, or by those of what reads it."""
        node = self.flat.nodes[name]
        own = own_shape(node)
        if own is None and (node.is_population or node.kind in ("Input", "Output", "Scale", "Delay")):
            readers = (own_shape(self.flat.nodes[each]) for each in self.flat.out.get(name, ()))
            own = next((shape for shape in readers if shape), None)
        return own

    def visit(self, name: str, shape: Shape, queue: list[str]) -> None:
        """Give a node its shape and let its readers follow."""
        node = self.flat.nodes[name]
        readers = [self.flat.nodes[each] for each in _readers(self.flat, name)]
        start = node.kind == "Input" and name not in self.flat.into
        outcome = Outcome(shape) if start else leave(node, shape, readers)
        self.result.into[name] = shape
        self.result.problems.extend(outcome.problems)
        if outcome.shape is None:
            self.failed.add(name)
            return
        self.result.out[name] = outcome.shape
        queue.extend(each for each in self.flat.out.get(name, ()) if each not in self.result.into)

    def compare(self, order: Sequence[str]) -> None:
        """Every input of a node must have the shape with which the node was visited."""
        for name in order:
            node, taken = self.flat.nodes[name], self.result.into.get(name)
            sources = [each for each in self.flat.into.get(name, ()) if each in self.result.out]
            for source in sources:
                arriving = self.result.out[source]
                if taken is not None and arriving != taken:
                    self.result.problems.append(self.mismatch(node, source, arriving, taken, len(sources)))

    def mismatch(self, node: Node, source: str, arriving: Shape, taken: Shape, count: int) -> Problem:
        """A signal that differs from what its target has been taken to receive."""
        what = f"this {node.kind} receives {text_of(arriving)} from '{source}'"
        other = f"and {text_of(taken)} from another node" if count > 1 else f"but takes {text_of(taken)}"
        return Problem("shape-mismatch", node.place, f"{what}, {other}", hint="correct one of the shapes")

    def unknown(self, left: Sequence[str]) -> None:
        """What no shape reached, unless something else is to blame for that."""
        if left and not self.failed:
            node = self.flat.nodes[left[0]]
            what = f"nothing says how many neurons this {node.kind} has"
            self.result.problems.append(Problem("unknown-shape", node.place, what, hint="give an Input its shape"))
