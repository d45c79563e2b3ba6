"""Defects of NIR files: how a test states one, and the networks that are spoilt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nir_files import Edges, chain, lif, nir, sink, source

Nodes = Mapping[str, Any]


def plain() -> tuple[dict[str, Any], Edges]:
    """2 -> 3 recurrent neurons, dt = 1 ms."""
    nodes = {
        "a": source(2),
        "fc": nir.Affine(weight=np.arange(6.0).reshape(3, 2), bias=np.zeros(3)),
        "rec": nir.Linear(weight=np.eye(3)),
        "n": lif(3),
        "o": sink(3),
    }
    return nodes, [("a", "fc"), ("fc", "n"), ("n", "rec"), ("rec", "n"), ("n", "o")]


def image(**changes: Any) -> tuple[dict[str, Any], Edges]:
    """A small convolutional network, 1x4x4 -> 2x4x4 -> 2x2x2 -> 8 -> 3."""
    conv = nir.Conv2d(
        input_shape=(4, 4), weight=np.ones((2, 1, 3, 3)), stride=1, padding=1, dilation=1, groups=1, bias=np.zeros(2)
    )
    nodes = {
        "a": source(1, 4, 4),
        "c": conv,
        "p": nir.AvgPool2d(kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([0, 0])),
        "f": nir.Flatten(input_type={"input": np.array([2, 2, 2])}, start_dim=0),
        "w": nir.Linear(weight=np.ones((3, 8))),
        "n": lif(3),
        "o": sink(3),
    }
    return {**nodes, **changes}, chain("a", "c", "p", "f", "w", "n", "o")


def nested(size: int = 2) -> tuple[dict[str, Any], Edges]:
    """A neuron in a graph."""
    inner = ({"i": source(size), "n": lif(2), "o": sink(2)}, chain("i", "n", "o"))
    return {"a": source(2), "g": inner, "o": sink(2)}, chain("a", "g", "o")


@dataclass
class Case:
    """A defect: what is changed in which network, and what must be said. `cure`: what `--fix` does."""

    lint: str
    place: str
    message: str
    cure: str = ""
    hint: str = ""
    change: Mapping[str, Any] = field(default_factory=dict[str, Any])
    base: tuple[Nodes, Edges] = field(default_factory=plain)
    dt: float | None = None
    others: int = 0


def case(lint: str, place: str, message: str, cure: str = "", /, **rest: Any) -> Case:
    """Shorter to write; further changes are named by `at`, values by `to`."""
    change = {rest.pop("at"): rest.pop("to")} if "at" in rest else rest.pop("change", {})
    return Case(lint, place, message, cure, change=change, **rest)


def changed(nodes: Nodes, edges: Edges, **other: Any) -> tuple[Nodes, Edges]:
    """Nodes replaced or added."""
    return {**nodes, **other}, edges


E = "/edges"
SCALARS = {f"nodes/n/{name}": np.array(value) for name, value in
           [("tau", 5e-3), ("r", 5.0), ("v_leak", 0.0), ("v_threshold", 1.0), ("v_reset", 0.0)]}  # fmt: skip
