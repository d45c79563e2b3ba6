"""Random small configurations that cannot deadlock, from a seed."""

from random import Random
from typing import Any

import numpy as np
from machine_builder import TIMES, Builder

Axon = tuple[str, int, int]


def random_builder(seed: int, busy_links: bool = False, floor: str = "plain") -> Builder:
    """A random network on a random machine; with `busy_links` tokens are long and flits slow.

    `floor`: `plain` (version 1 of the format: one flow per destination on a mesh of one chip), `mesh`, `chips` or
    `tree`, where producers have one flow to all their destinations as often as not.
    """
    random = Random(seed)
    mesh = (random.randint(1, 3), random.randint(1, 2))
    if floor == "tree":
        mesh = (random.randint(1, 7), 1)
    host = (random.randrange(mesh[0]), random.randrange(mesh[1]))
    builder = Builder(mesh=mesh, host=host, rows=64, columns=256, weight_bits=random.choice([8, 16, 32, None]))
    builder.time = random_times(random, busy_links)
    if floor != "plain":
        builder.version, builder.multicast = 2, random.random() < 0.7
        builder.arity = random.randint(2, 3) if floor == "tree" else None
    if floor == "chips":
        builder.chip = mesh
        builder.mesh = (mesh[0] * random.randint(1, 2), mesh[1] * random.randint(1, 3))
        slower = [None, 1, 2, 7, 25] if builder.time["flit"] else [None, 0]
        builder.time |= {"chip_flit": random.choice(slower), "chip_hop": random.choice([None, 0, 30])}
    add_network(builder, random, busy_links)
    return builder


def add_network(builder: Builder, random: Random, busy_links: bool = False) -> None:
    """A random network on the machine of a builder."""
    for number in range(random.randint(1, 2)):
        builder.input(f"in{number}", random.randint(1, 20 if busy_links else 4))
    for number in range(random.randint(1, 3)):
        builder.population(f"p{number}", random.randint(1, 20 if busy_links else 5))
    builder.outputs.append({"name": "o0", "population": f"p{len(builder.populations) - 1}"})
    if random.random() < 0.3:
        builder.outputs.append({"name": "o1", "population": "p0"})
    pieces = [piece for item in builder.populations for piece in random_pieces(builder, random, item)]
    place_pieces(builder, random, pieces)
    builder.capacities = {(s, t): random.choice([1, 1, 2, 3]) for s, t, _ in builder.links()}


def random_stages(builder: Builder, seed: int) -> None:
    """Stages for the slices of each crossbar, the later ones of the order more steps behind as often as not."""
    random = Random(seed)
    for crossbar in builder.crossbars:
        stages = [random.choice([0, 0, 1, 2]) for _ in crossbar["order"]]
        crossbar["stages"] = sorted(stages) if random.random() < 0.6 else stages


def random_times(random: Random, busy_links: bool) -> dict[str, Any]:
    names = [name for name in TIMES if name not in ("unit", "columns_per_adc", "flit")]
    times: dict[str, Any] = {name: random.choice([0, 0, 1, 2, 3, 10]) for name in names}
    times |= {"unit": "ps", "columns_per_adc": random.randint(1, 3)}
    return times | {"flit": random.choice([1, 3, 10]) if busy_links else random.choice([0, 1, 1, 2])}


def random_pieces(builder: Builder, random: Random, item: dict[str, Any]) -> list[dict[str, Any]]:
    """The slices of one population: its neurons in some parts, the axons of each part in some parts."""
    number, size = int(item["name"][1:]), item["size"]
    axons: list[Axon] = []
    sources = [(other["name"], other["size"], 0) for other in builder.inputs + builder.populations[:number]]
    sources += [(other["name"], other["size"], 1) for other in builder.populations[number:]]
    for name, length, least in random.sample(sources, random.randint(1, len(sources))):
        for delay in random.sample([least, least + 1, least + 2], random.choice([1, 1, 2])):
            axons += [(name, neuron, delay) for neuron in range(length)]
    neurons = random.sample(range(size), size)
    cuts = sorted(random.sample(range(1, size), min(size - 1, random.choice([0, 0, 1, 2]))))
    pieces: list[dict[str, Any]] = []
    for part, (start, stop) in enumerate(zip([0, *cuts], [*cuts, size], strict=True)):
        random.shuffle(axons)
        used = axons[: random.randint(1, len(axons))]
        split = sorted(random.choices(range(1, len(used) + 1), k=random.choice([0, 0, 1, 2])))
        bounds = list(zip([0, *split], [*split, len(used)], strict=True))
        partials: list[str] = []
        for index, (first, last) in enumerate(bounds):
            piece: dict[str, Any] = {"name": f"{item['name']}.{part}.{index}", "population": item["name"]}
            piece |= {"neurons": neurons[start:stop], "axons": used[first:last], "partials": [], "neuron": {}}
            if index == len(bounds) - 1:
                piece |= {"partials": partials, "neuron": None}
            else:
                partials.append(piece["name"])
            pieces.append(piece)
    return pieces


def place_pieces(builder: Builder, random: Random, pieces: list[dict[str, Any]]) -> None:
    """Put the pieces on crossbars at random; the order of the pieces is each crossbar's static order."""
    shelves: dict[tuple[int, int, int], list[dict[str, Any]]] = {}
    for piece in pieces:
        x, y = random.randrange(builder.mesh[0]), random.randrange(builder.mesh[1])
        shelves.setdefault((x, y, random.randrange(2)), []).append(piece)
    for (x, y, index), shelf in shelves.items():
        while sum(len(piece["axons"]) for piece in shelf) > builder.rows:
            longest = max(shelf, key=lambda piece: len(piece["axons"]))
            longest["axons"] = longest["axons"][: len(longest["axons"]) // 2]
        rows = [(source, [neuron], delay) for piece in shelf for source, neuron, delay in piece["axons"]]
        builder.crossbar(f"c{x}{y}{index}", (x, y), index, rows)
        first = 0
        for piece in shelf:
            last = first + len(piece["axons"])
            add_piece(builder, random, piece, range(first, last))
            first = last


def add_piece(builder: Builder, random: Random, piece: dict[str, Any], rows: range) -> None:
    width = len(piece["neurons"])
    weights = np.array([[random.randint(-20, 60) for _ in range(width)] for _ in rows]).reshape(len(rows), width)
    if builder.weight_bits is None:
        weights = weights / 7  # not exact: the order of additions shows
    if piece["neuron"] == {}:
        builder.slice(piece["name"], piece["population"], piece["neurons"], weights, rows, neuron={})
        return

    def parameter(low: float, high: float) -> float | str:
        if random.random() < 0.6:
            return random.uniform(low, high)
        key = f"t{len(builder.tensors)}"
        builder.tensors[key] = np.array([random.uniform(low, high) for _ in range(width)])
        return key

    model = random.choice(["if", "lif", "cuba_lif"])
    changes: dict[str, Any] = {
        "model": model,
        "order": random.choice(["syn_first", "mem_first"]),
        "compare": random.choice(["gt", "ge"]),
        "reset": random.choice(["value", "subtract"]),
        "start": random.choice(["zero", "half"]),
        "threshold": parameter(5, 60),
        "v_reset": parameter(-2, 2),
        "drift": parameter(-1, 3),
    }
    if model != "if":
        changes |= {"decay": parameter(0.5, 1), "gain": parameter(0.5, 1.5)}
    if model == "cuba_lif":
        changes |= {"syn_decay": parameter(0.1, 0.9), "syn_gain": parameter(0.5, 1)}
    scale, bias = parameter(0.5, 1.5), parameter(-1, 5)
    builder.slice(
        piece["name"], piece["population"], piece["neurons"], weights, rows, piece["partials"], scale, bias, **changes
    )
