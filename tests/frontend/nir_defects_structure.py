"""Defects in the parts and the edges of NIR files."""

from __future__ import annotations

import numpy as np
from nir_defects import Case, E, case, changed, image, nested, plain
from nir_files import lif, nir, pairs, sink, source

STRUCTURE: list[Case] = [
    # parts of the file
    case("missing-part", "/nodes", "'nodes' is missing or not a group", at="nodes", to=None),
    case("missing-part", E, "the list of edges is missing", at="edges", to=None),
    case("missing-part", "/nodes/n/r", "field 'r' of this LIF node is missing", at="nodes/n/r", to=None),
    case(
        "missing-part",
        "/nodes/n/r",
        "field 'r' of this LIF node is a group, not numbers",
        change={"nodes/n/r": None, "nodes/n/r/x": 3},
        others=1,
    ),
    case("missing-part", "/nodes/n", "this node has no type", at="nodes/n/type", to=None),
    case("missing-part", "/nodes/x", "'x' is not a group, so no node", at="nodes/x", to=3),
    case("missing-part", "", "the file holds a single LIF node, not a graph", at="type", to="LIF"),
    case("unknown-node", "/nodes/o", "Relay is no node type of NIR 1.0.8", at="nodes/o/type", to="Relay"),
    case(
        "unknown-field",
        "/nodes/n/refractory",
        "unknown field 'refractory' of a LIF node",
        at="nodes/n/refractory",
        to=3,
    ),
    case("unknown-field", "/delay", "unknown field 'delay' of a NIRGraph", at="delay", to=3),
    case("wrong-type", "/nodes/n/r", "numbers are expected here, not text", at="nodes/n/r", to="one"),
    case("wrong-type", "/nodes/n/r", "numbers are expected here, not bool", at="nodes/n/r", to=np.ones(3, bool)),
    case("wrong-type", "/nodes/fc/bias", "numbers are expected here, not bool", at="nodes/fc/bias", to=True),
    case(
        "wrong-type",
        "/nodes/fc/weight",
        "an integer beyond 2**53 has no exact float64",
        at="nodes/fc/weight",
        to=np.array([[2**60]]),
    ),
    case(
        "wrong-type",
        "/nodes/a/shape",
        "a list of whole numbers is expected here, not float64 of 1",
        at="nodes/a/shape",
        to=np.array([2.5]),
    ),
    case("wrong-type", "/nodes/o/type", "text is expected here, not int64", at="nodes/o/type", to=3),
    case("wrong-type", "/nodes/o/type", "the type of a node is one word", at="nodes/o/type", to=["Output", "Input"]),
    case("wrong-type", E, "edges are pairs of names, not 2", at="edges", to=["a", "b"]),
    case(
        "damaged",
        "/nodes/n/r",
        "damaged or truncated HDF5 file (neither numbers nor text)",
        at="nodes/n/r",
        to=np.ones(3, complex),
    ),
    case(
        "missing-bias", "/nodes/fc", "this Affine has no bias field", "reads it as no bias", at="nodes/fc/bias", to=None
    ),
    case(
        "bool-bias",
        "/nodes/fc/bias",
        "the bias is the single value False",
        "reads it as no bias",
        at="nodes/fc/bias",
        to=False,
    ),
    case(
        "missing-input-shape",
        "/nodes/c",
        "this Conv2d does not say its input_shape, as files before nir 0.2",
        "takes it from the signal that arrives",
        at="nodes/c/input_shape",
        to=None,
        base=image(),
    ),
    # edges
    case(
        "dangling-edge",
        "/edges[1]",
        "the edge fc -> nn names 'nn', which is no node",
        hint="did you mean 'n'?",
        at="edges",
        to=pairs(("a", "fc"), ("fc", "nn"), ("n", "rec"), ("rec", "n"), ("n", "o")),
    ),
    case(
        "dangling-edge",
        "/edges[0]",
        "the edge a -> x names 'x', which is no node",
        "takes 'fc' for it",
        at="edges",
        to=pairs(("a", "x"), ("x", "n"), ("n", "rec"), ("rec", "n"), ("n", "o")),
        others=1,
    ),
    case(
        "dangling-edge",
        "/edges[1]",
        "the edge fc -> l names 'l', which is no node",
        "takes 'l.lif' for it",
        at="edges",
        to=pairs(("a", "fc"), ("fc", "l"), ("l.lif", "rec"), ("rec", "l.lif"), ("l.lif", "o")),
        base=({("l.lif" if k == "n" else k): v for k, v in plain()[0].items()}, []),
    ),
    case(
        "dangling-edge",
        "/edges[1]",
        "the edge fc -> l names 'l', which is no node",
        hint="nodes inside 'l' were meant: l.a, l.b",
        at="edges",
        to=pairs(("a", "fc"), ("fc", "l"), ("l.a", "rec"), ("rec", "l.b"), ("l.a", "o")),
        base=({k: v for k, v in plain()[0].items() if k != "n"} | {"l.a": lif(3), "l.b": lif(3)}, []),
    ),
    case(
        "duplicate-edge",
        "/edges[5]",
        "the edge a -> fc is listed twice",
        "counts it once",
        at="edges",
        to=pairs(*plain()[1], ("a", "fc")),
    ),
    case(
        "edge-into-input", "/edges[5]", "the edge n -> a enters an Input", at="edges", to=pairs(*plain()[1], ("n", "a"))
    ),
    case(
        "edge-out-of-output",
        "/edges[2]",
        "the edge o -> rec leaves an Output",
        "lets it leave what feeds the Output",
        at="edges",
        to=pairs(("a", "fc"), ("fc", "n"), ("o", "rec"), ("rec", "n"), ("n", "o")),
    ),
    case(
        "ports",
        "/edges[0]",
        "the edge a -> g leads into the graph 'g', which has 2 Inputs",
        hint="name one of them: g.i, g.j",
        base=(
            {
                **nested()[0],
                "g": (
                    {"i": source(2), "j": source(2), "n": lif(2), "o": sink(2)},
                    [("i", "n"), ("j", "n"), ("n", "o")],
                ),
            },
            nested()[1],
        ),
    ),
    case(
        "ports",
        "/edges[1]",
        "the edge g -> o leads out of the graph 'g', which has no Outputs",
        hint="give the graph an Output",
        base=({**nested()[0], "g": ({"i": source(2), "n": lif(2)}, [("i", "n")])}, nested()[1]),
    ),
    case("unconnected", "/nodes/x", "this LIF has no edges", "leaves it out", base=changed(*plain(), x=lif(3))),
    case(
        "unfed",
        "/nodes/fc",
        "nothing feeds this Affine node",
        "adds an Input",
        at="edges",
        to=pairs(("a", "rec"), ("fc", "n"), ("n", "o"), ("rec", "n")),
        base=changed(*plain(), a=source(3)),
    ),
    case(
        "unfed",
        "/nodes/o",
        "nothing feeds this Output",
        hint="add an edge to it",
        base=changed(plain()[0], [*plain()[1][:4], ("o", "rec")]),
        others=1,
    ),
    case(
        "unfed",
        "/nodes/g/nodes/i",
        "nothing feeds this Input of a nested graph",
        "makes it an Input of the whole network",
        base=({k: v for k, v in nested()[0].items() if k != "a"}, [("g", "o")]),
    ),
    case(
        "leads-nowhere",
        "/nodes/s",
        "nothing reads this Scale node",
        "adds an Output",
        base=(plain()[0] | {"s": nir.Scale(scale=np.ones(3))}, [*plain()[1], ("n", "s")]),
    ),
    case(
        "empty-cycle",
        "/nodes/g/nodes/i",
        "this Input of a nested graph is fed by nothing but itself",
        base=(
            {"a": source(2), "g": ({"i": source(2), "o": sink(2)}, [("i", "o")]), "n": lif(2), "o": sink(2)},
            [("g", "g"), ("a", "n"), ("n", "o")],
        ),
        others=1,
    ),
]
