"""An ONNX graph while it grows: nodes, stored tensors, and names that are there once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.names import unique

Array = NDArray[Any]
OPSET = 17
IR_VERSION = 8
"""The version of the file format that came with opset 17."""


class Graph:
    """Nodes whose signals are (samples, *shape), of one type of real numbers."""

    def __init__(self, reserved: Sequence[str], dtype: Any) -> None:
        """`reserved` are names that belong to inputs and outputs."""
        from snnir.frontend.onnx.library import helper, numpy_helper, types  # noqa: PLC0415  (the package is an extra)

        self._helper, self._numpy, self._types = helper, numpy_helper, types
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._taken = set(reserved)
        self._nodes: list[Any] = []
        self._stored: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._first = ""

    def name(self, wished: str) -> str:
        """A name that nothing else has."""
        found = unique(wished, self._taken)
        self._taken.add(found)
        return found

    def constant(self, wished: str, array: Any, dtype: Any = None) -> str:
        """A stored tensor, by default of the type of the graph; equal ones are stored once."""
        values = np.asarray(array, self.dtype if dtype is None else dtype)
        key = (str(values.dtype), values.shape, values.tobytes())
        if key not in self._constants:
            name = self.name(wished)
            self._stored.append(self._numpy.from_array(np.ascontiguousarray(values).reshape(values.shape), name))
            self._constants[key] = name
        return self._constants[key]

    def node(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """A node with one result, which has its name."""
        found = self.name(name)
        self._nodes.append(self._helper.make_node(kind, list(inputs), [found], name=found, **attributes))
        return found

    def cast(self, value: str, dtype: Any, name: str) -> str:
        """A signal in another type."""
        return self.node("Cast", [value], name, to=self._element(dtype))

    def input(self, name: str, shape: Sequence[int]) -> str:
        """An input of the graph, of any number of samples."""
        info = self._helper.make_tensor_value_info
        self._first = self._first or name
        self._inputs.append(info(name, self._element(self.dtype), ["samples", *shape]))
        return name

    def zeros(self, shape: Sequence[int], name: str) -> str:
        """A signal that is always 0, of as many samples as the first input has."""
        samples = self.node("Shape", [self._first], f"{name}.samples", start=0, end=1)
        sizes = [samples, self.constant(f"{name}.shape", shape, np.int64)]
        whole = self.node("Concat", sizes, f"{name}.sizes", axis=0)
        nothing = self._numpy.from_array(np.zeros(1, self.dtype))
        return self.node("ConstantOfShape", [whole], f"{name}.nothing", value=nothing)

    def output(self, name: str, value: str, shape: Sequence[int]) -> None:
        """An output of the graph."""
        info = self._helper.make_tensor_value_info
        self._nodes.append(self._helper.make_node("Identity", [value], [name], name=self.name(f"{name}.output")))
        self._outputs.append(info(name, self._element(self.dtype), ["samples", *shape]))

    @property
    def stored_bytes(self) -> int:
        """The size of the stored tensors."""
        return sum(len(each.raw_data) for each in self._stored)

    def document(self, name: str, text: str) -> bytes:
        """The file. Equal graphs give equal bytes."""
        helper = self._helper
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._stored)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="snnir", doc_string=text
        )
        return model.SerializeToString(deterministic=True)

    def _element(self, dtype: Any) -> int:
        return int(self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
