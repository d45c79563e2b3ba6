"""Throughput of a recurrent network against the delay of its recurrence: table and picture.

    python -m benchmarks.delay_throughput [--delays 16] [-o docs/images/delay-throughput.svg]

Populations in a ring, each on a crossbar of its own on another tile; the connection that closes the ring is a bundle of
delayed synapses. Its shortest delay d is the number of tokens in the ring, so the period (time per step that the
machine cannot exceed in the long run) is the time around the ring divided by d, until another cycle takes longer:
channels with little space, or in the end the slowest slice. All periods are exact; those at worst case activity.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log2
from pathlib import Path

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr

from benchmarks.machines import grid, module_of
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.dataflow import GraphOp
from snnir.dialects.platform import Machine
from snnir.dialects.snn import BundleOp, DenseOp, IfOp, InputOp, NetworkOp, OutputOp
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.semantics import Semantics

RING = 12
"""Populations in the ring."""
SIZE = 32
"""Neurons of each."""
SPACES = (1, 2)
"""Tokens beyond the delay for which channels have space."""


@dataclass(frozen=True)
class Point:
    """A guarantee."""

    period: Fraction
    """Time units of a step."""
    critical: tuple[str, ...]
    """The actors on the cycle that sets it."""


def ring(delay: int, populations: int, size: int, levels: int = 2) -> NetworkOp:
    """The program: an input into the first of so many populations; the last reaches it again `delay` steps later, and
    later still on further delay levels."""
    parameters = {"r": FloatAttr(1.0, 64), "threshold": FloatAttr(1.0, 64), "v_reset": FloatAttr(0.0, 64)}
    spikes, current = SignalType.spikes(size), SignalType.current(size)
    network = NetworkOp("ring", 1e-3, None)
    x = InputOp("x", spikes)
    cells = [IfOp(f"p{n}", [], parameters, Semantics(), spikes) for n in range(populations)]
    ones = np.full((size, size), 2.0**-5, np.float32)
    weights = np.stack([ones / 2**level for level in range(levels)])
    back = BundleOp(cells[-1].signal, TensorAttr.of("back", weights), current, stride=2, delay=delay)
    into = [
        DenseOp(source.results[0], TensorAttr.of(f"w{n}", ones), current) for n, source in enumerate([x, *cells[:-1]])
    ]
    for n, cell in enumerate(cells):
        cell.operands = [into[n].current, *([] if n else [back.current])]
    network.body.block.add_ops([x, *into, back, *cells, OutputOp("y", cells[-1].signal)])
    return network


def guarantee(network: NetworkOp, machine: Machine, space: int) -> Point:
    """The period that a mapped program is guaranteed."""
    module = module_of(network, machine)
    for step in (
        ConvertSNNToCluster(),
        ClusterPlace(),
        ClusterRoute(),
        ConvertClusterToDataflow(activity="worst", space=space),
        DataflowSchedule(),
        DataflowAnalyzeThroughput(slack=False),
    ):
        step.apply(Context(), module)
    (graph,) = (op for op in module.body.block.ops if isinstance(op, GraphOp))
    assert graph.period is not None
    return Point(graph.period.data, tuple(each.string_value() for each in graph.critical or ()))


def table(delays: Sequence[int]) -> dict[int, list[Point]]:
    """For each amount of space the guarantees at some delays."""
    machine = grid(4, rows=4 * SIZE, columns=SIZE, max_delay=max(delays) + 4)
    return {space: [guarantee(ring(d, RING, SIZE), machine, space) for d in delays] for space in SPACES}


# --- the picture


WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 90, 690, 66, 380
COLOURS = ("#d1662f", "#1f6feb")


def picture(delays: Sequence[int], points: dict[int, list[Point]], unit: float) -> str:
    """Periods over delays, both logarithmic, as SVG. `unit`: microseconds of a time unit."""
    times = {space: [float(p.period) * unit for p in found] for space, found in points.items()}
    first = max(each[0] for each in times.values())
    low, high = 2 ** np.floor(log2(min(map(min, times.values())))), 2 ** np.ceil(log2(first))
    wide = log2(delays[-1] / delays[0]) or 1.0

    def x(delay: float) -> float:
        return LEFT + (RIGHT - LEFT) * log2(delay / delays[0]) / wide

    def y(time: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * log2(time / low) / log2(high / low)

    parts = [_HEAD]
    for step in range(round(log2(high / low)) + 1):
        time = low * 2**step
        parts.append(f'  <path class="grid" d="M{LEFT} {y(time):.1f} H{RIGHT}"/>')
        parts.append(f'  <text class="note" x="{LEFT - 8}" y="{y(time) + 5:.1f}" text-anchor="end">{time:g}</text>')
    for delay in (d for d in delays if d & (d - 1) == 0):
        parts.append(f'  <path class="grid" d="M{x(delay):.1f} {TOP} V{BOTTOM}"/>')
        parts.append(f'  <text class="note" x="{x(delay):.1f}" y="{BOTTOM + 20}" text-anchor="middle">{delay}</text>')
    last = min(delays[-1] / delays[0], first / low) * delays[0]
    ends = f"M{x(delays[0]):.1f} {y(first):.1f} L{x(last):.1f} {y(first * delays[0] / last):.1f}"
    parts.append(f'  <path class="dash" d="{ends}"/>')
    for colour, (space, found) in zip(COLOURS, times.items(), strict=True):
        places = [(x(delay), y(time)) for delay, time in zip(delays, found, strict=True)]
        line = " L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        parts.append(f'  <path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'  <circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>' for a, b in places]
        words = f"space for {space} token{'s' if space > 1 else ''}"
        right = f'x="{RIGHT}" y="{places[-1][1] - 8:.1f}" text-anchor="end"'
        parts.append(f'  <text class="name" {right} fill="{colour}">{words}</text>')
    return "\n".join([*parts, "</svg>", ""])


_HEAD = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" \
role="img" aria-labelledby="title desc" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">
  <title id="title">Guaranteed period of a recurrent network against the delay of its recurrence</title>
  <desc id="desc">The period halves where the delay doubles, until another cycle of the machine takes longer; \
with more space in the channels that is later.</desc>
  <style>
    .name {{ font-size: 14px; font-weight: 600; }}
    .note {{ fill: #75808c; font-size: 14px; }}
    .pass {{ fill: #75808c; font-size: 13px; font-family: ui-monospace, 'DejaVu Sans Mono', monospace; }}
    .grid {{ stroke: #75808c; stroke-width: 0.5; stroke-opacity: 0.5; fill: none; }}
    .dash {{ stroke: #75808c; stroke-width: 2; stroke-dasharray: 5 5; fill: none; }}
  </style>
  <text class="note" x="{LEFT}" y="24">guaranteed period in microseconds per step; dashed: \
time around the ring / d</text>
  <text class="pass" x="{LEFT}" y="46">dataflow-analyze-throughput</text>
  <text class="note" x="{(LEFT + RIGHT) // 2}" y="{HEIGHT - 12}" text-anchor="middle">delay d of the recurrence, in \
steps</text>"""


def main() -> None:
    """Print the table; draw the picture where a file is named."""
    parser = argparse.ArgumentParser(description="Throughput against the delay of a recurrence.")
    parser.add_argument("--delays", type=int, default=16, help="the longest delay")
    parser.add_argument("-o", "--output", type=Path, help="an SVG file to draw")
    arguments = parser.parse_args()
    delays = range(1, arguments.delays + 1)
    unit = 1e6 / grid(1).units_per_second
    points = table(delays)
    print(f"ring of {RING} populations of {SIZE} neurons; periods in microseconds, guaranteed at any activity")
    print(f"{'delay':>6}{'ring / d':>11}" + "".join(f"{f'space {space}':>11}" for space in SPACES))
    for row, delay in enumerate(delays):
        exact = float(points[SPACES[-1]][0].period / delay) * unit
        found = "".join(f"{float(points[space][row].period) * unit:>11.4f}" for space in SPACES)
        print(f"{delay:>6}{exact:>11.4f}{found}")
    for space in SPACES:
        print(f"critical at delay {delays[-1]}, space {space}: {', '.join(points[space][-1].critical)}")
    if arguments.output is not None:
        arguments.output.write_text(picture(delays, points, unit))


if __name__ == "__main__":
    main()
