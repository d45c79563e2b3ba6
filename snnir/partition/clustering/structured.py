"""Our own clustering: tiles of whole projections, packed by rows and columns, gaps filled; docs/clustering.md."""

from collections.abc import Sequence
from functools import partial
from itertools import count, groupby

from snnir.partition.covers import Cover, chunks, shared
from snnir.partition.fields import Box, Field, field_of
from snnir.partition.layout import Layout
from snnir.partition.loose import Loose
from snnir.partition.material import Material, material_of
from snnir.partition.metrics import spikes_between
from snnir.partition.neighbours import Neighbours
from snnir.partition.packing import Room
from snnir.partition.polish import polished
from snnir.partition.problem import Options, PartitionError, Plan, Problem
from snnir.partition.sharing import shared_kernel, shared_parts
from snnir.partition.tiling import Crossbar, Prices, tiles
from snnir.synapses import Conv, IntArray

_ROWS = (0.8, 0.5, 0.95, 0.2)
"""Shares of the price of a crossbar that its rows bear, its columns the rest."""
_NEAR = {"crossbars": (0.01,), "spikes": (0.01, 0.1, 0.3)}
"""What room for a pool beside its sources earns; first as much as decides between equals."""
_SLACK = 0.05
_SMALL = 1000
"""Pieces up to which time does not matter."""


def structured(problem: Problem, options: Options) -> Plan:
    """The parts of each cluster: as few clusters as we know how to, then as few spikes between them.

    With the objective `spikes`, spikes come first among plans with up to 5 % (the detail `slack`), or one, more
    crossbars than the fewest (or with up to the detail `most` in all), and small plans are polished neuron by neuron.
    With `hops`, each of these plans is placed on the floor of `options.site`, and the one wins whose spikes and partial
    sums cross the fewest links. Raises `PartitionError` for a neuron that fits no crossbar, `ValueError` for `hops`
    without a site.
    """
    if options.objective == "hops" and options.site is None:
        raise ValueError("hops are counted on the floor of a site, and there is none")
    first = "crossbars" if options.objective == "crossbars" else "spikes"
    kinds = _Kinds(problem)
    found = _layouts(problem, kinds, _NEAR[first])
    fewest = min(layout.crossbars for layout in found)
    if first == "crossbars":
        best = next(layout for layout in found if layout.crossbars == fewest)
        return best.planned(problem, kinds.materials, kinds.room)
    usual = max(fewest + 1, int(fewest * (1 + options.details.get("slack", _SLACK))))
    most = max(fewest, int(options.details.get("most", usual)))
    near_fewest = [layout for layout in found if layout.crossbars <= most]
    plans = [layout.planned(problem, kinds.materials, kinds.room) for layout in near_fewest]
    best = polished(problem, min(plans, key=lambda plan: (spikes_between(problem, plan), len(plan))), options, most)
    if options.objective == "spikes" or options.site is None:
        return best
    plans += [layout.planned(problem, kinds.materials, kinds.room, grouped=True) for layout in near_fewest]
    return options.site.nearest(problem, [best, *(plan for plan in plans if len(plan) <= most)])


def _layouts(problem: Problem, kinds: "_Kinds", nearness: Sequence[float]) -> list[Layout]:
    """Different covers on crossbars, for all prices."""
    found: dict[tuple[object, ...], Layout] = {}
    for near in nearness:
        for share in _ROWS:
            prices = Prices(share, 1 - share, kinds.room.steep, near)
            for slices in _limits(problem.slices, small=kinds.most_pieces <= _SMALL):
                covers = kinds.covers(prices, slices)
                shapes = tuple((cover.layer, *cover.pattern.shapes) for cover in covers)
                if shapes not in found:
                    found[shapes] = Layout.of(covers, kinds.materials, kinds.room)
                if all(len(cover.pattern.widths) == 1 for cover in covers):
                    break
    return list(found.values())


def _limits(slices: int, *, small: bool) -> list[int]:
    """How many slices of split neurons to let share a crossbar: what is best with fewer may be best altogether.

    Most first: where they make no difference, the rest need no try.
    """
    if slices:
        return list(range(slices, max(0, slices - 4), -1))
    return [0, 4, 3, 2, 1] if small else [0]


class _Kinds:
    """The layers of a problem by how they are cut."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.materials: list[Material] = []
        """Layers that fill gaps."""
        self._layers: list[Field | Loose] = []
        self._kernels: list[Cover] = []
        homes = count()
        for number in range(len(problem.layers)):
            kernel = shared_kernel(problem, number)
            if kernel is not None:
                parts = groupby(shared_parts(problem, number, kernel, homes), lambda part: part.neurons.tobytes())
                self._kernels += [shared(list(each)) for _, each in parts]
            elif (material := material_of(problem, number)) is not None:
                self.materials.append(material)
            else:
                self._layers.append(field_of(problem, number) or Loose(problem, number))
        for field in self._layers:
            if isinstance(field, Field):
                field.pooled = next((w for m in self.materials if (w := _windows(problem, m, field.number))), None)
        neurons = problem.neurons if problem.neurons > problem.columns else 0
        self.room = Room(problem.rows, problem.columns, problem.slices, self._steep, neurons)

    @property
    def _steep(self) -> float:
        """Rows per column of all materials together."""
        columns = sum(len(each.counts) for each in self.materials)
        return sum(len(each.read) for each in self.materials) / columns if columns else 0.0

    @property
    def most_pieces(self) -> float:
        """About as many pieces as there will be, from the number of synapses."""
        layers = self._problem.layers
        synapses = sum(each.synapses.count for layer in layers for each in layer.inputs)
        neurons = sum(layer.size for layer in layers)
        cells = self._problem.rows * self._problem.columns
        return len(self._kernels) + synapses / cells + neurons / self._problem.columns

    def covers(self, prices: Prices, slices: int) -> list[Cover]:
        """All layers but the materials, cut; at most so many `slices` of split neurons together."""
        problem = self._problem
        crossbar = Crossbar(problem.rows, problem.columns, problem.digital)
        result = list(self._kernels)
        for layer in self._layers:
            if isinstance(layer, Loose):
                result += layer.covers(prices)
                continue
            families = Neighbours(layer, crossbar, prices, slices) if problem.digital and slices != 1 else None
            cut = tiles(layer, crossbar, prices, families)
            if not cut:
                most = int(problem.fanin(layer.number).max())
                raise PartitionError(layer.number, f"its neurons read {most} axons, a crossbar has {problem.rows} rows")
            result += [
                families.cover(box, width) if families and width else _box_cover(layer, box, problem.rows)
                for box, width in cut
            ]
        return result


def _windows(problem: Problem, material: Material, source: int) -> tuple[int, int] | None:
    """The windows with which a pool reads a layer, if the material is one."""
    inputs = problem.layers[material.layer].inputs
    if len(inputs) != 1 or problem.groups[inputs[0].group].source != source:
        return None
    pool = inputs[0].synapses
    if not isinstance(pool, Conv) or pool.windows.kernel != pool.windows.stride or any(pool.windows.low):
        return None
    return pool.windows.kernel


def _box_cover(layer: Field, box: Box, rows: int) -> Cover:
    pattern = chunks(box.size, layer.count(box), rows)
    return Cover(layer.number, pattern, partial(_neurons, layer, box), partial(_axons, layer, box))


def _neurons(layer: Field, box: Box) -> list[IntArray]:
    return [layer.neurons(box)]


def _axons(layer: Field, box: Box) -> list[IntArray]:
    return [layer.axons(box)]
