"""What text cannot say, Python cannot build either."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import TensorAttr, symbol
from snnir.dialects.cluster_attributes import Place, PlaceAttr
from snnir.dialects.cluster_routes import Route, RouteAttr
from snnir.dialects.dataflow import TokenType


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: TensorAttr.of("w", np.float32(1.0) * np.ones(())),
            "a tensor has at least one dimension; write a scalar",
        ),
        (lambda: TensorAttr.of("w", np.ones((2, 0))), "a tensor has no empty dimension"),
        (lambda: PlaceAttr(Place((-1, 0), 0)), "tiles and crossbars are counted from 0"),
        (lambda: PlaceAttr(Place((0, 0), -1)), "tiles and crossbars are counted from 0"),
        (lambda: RouteAttr(Route(0, ())), "a route has at least one destination"),
        (lambda: RouteAttr(Route(0, ((0, -1),))), "results and tiles are counted from 0"),
        (lambda: RouteAttr(Route(-1, ("host",))), "results and tiles are counted from 0"),
        (lambda: TokenType.of(-1), "a token holds 0 or more values"),
    ],
)
def test_impossible_attributes(build: Callable[[], object], message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        build()


@pytest.mark.parametrize(
    ("name", "text"), [("hidden", "@hidden"), ("c0.hidden", "@c0.hidden"), ("0/lif", '@"0/lif"'), ('a"b', '@"a\\22b"')]
)
def test_names_that_are_no_identifiers_are_quoted(name: str, text: str) -> None:
    assert symbol(name) == text
