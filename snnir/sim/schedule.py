"""The order in which signals are computed, and how many steps of a loop can be computed at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from snnir.errors import SnnirError

Edge = tuple[str, str, int]
"""Source, target and the least delay between them."""


@dataclass(frozen=True)
class Group:
    """Signals that depend on each other, in an order in which they can be computed `stride` steps at a time."""

    names: tuple[str, ...]
    stride: int | None
    """`None`: any number of steps, there is no loop."""


def schedule(place: str, names: Sequence[str], edges: Iterable[Edge]) -> tuple[Group, ...]:
    """The groups in an order of dependence. Edges from what is not in `names` do not matter.

    Raises `SnnirError` for a loop without a delay.
    """
    known = set(names)
    inner = [edge for edge in edges if edge[0] in known]
    return tuple(_group(place, members, inner) for members in _components(names, inner))


def _group(place: str, members: Sequence[str], edges: Sequence[Edge]) -> Group:
    """Within `stride` steps nothing is read that is not yet there: edges against the order are that long.

    The largest such number is a delay d for which the edges shorter than d form no loop.
    """
    own = [(s, t, d) for s, t, d in edges if s in members and t in members]
    if not own:
        return Group(tuple(members), None)
    for stride in sorted({d for _, _, d in own if d > 0}, reverse=True):
        order = _order(members, [(s, t) for s, t, d in own if d < stride])
        if order is not None:
            return Group(tuple(order), stride)
    names = " -> ".join(f"@{name}" for name in [*members, members[0]])
    raise SnnirError(place, f"a loop without a delay: {names}", "delay one of its connections by a step")


def _order(members: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[str] | None:
    order: TopologicalSorter[str] = TopologicalSorter({name: [] for name in members})
    for source, target in edges:
        order.add(target, source)
    try:
        return list(order.static_order())
    except CycleError:
        return None


def _components(names: Sequence[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Strongly connected components in topological order, each in program order."""
    from scipy.sparse import csr_array  # noqa: PLC0415  (slow to import)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not names:
        return []
    position = {name: i for i, name in enumerate(names)}
    pairs = sorted({(position[s], position[t]) for s, t, _ in edges})
    rows, columns = (list(x) for x in zip(*pairs, strict=True)) if pairs else ([], [])
    matrix = csr_array(([1.0] * len(rows), (rows, columns)), shape=(len(names), len(names)))
    labels: list[int] = connected_components(matrix, connection="strong")[1].tolist()
    order: TopologicalSorter[int] = TopologicalSorter({label: [] for label in labels})
    for row, column in pairs:
        if labels[row] != labels[column]:
            order.add(labels[column], labels[row])
    return [[n for n in names if labels[position[n]] == label] for label in order.static_order()]
