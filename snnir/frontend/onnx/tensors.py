"""Stored tensors of an ONNX model as arrays, whether they lie in the model or in a file beside it."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Place, shown
from snnir.frontend.network import text_of
from snnir.frontend.onnx.library import helper, numpy_helper, types

Array = NDArray[Any]

WIDENED = {"float16": np.float32, "bfloat16": np.float32}
"""Types that programs do not have, and those that hold all of their numbers."""
_NUMBERS = frozenset(
    "float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool".split()  # noqa: SIM905
)
_AGAIN = "export the model again"


class TensorProblem(Exception):
    """A tensor that cannot be read: the lint, what is wrong, how to fix it."""

    def __init__(self, lint: str, message: str, hint: str = _AGAIN) -> None:
        self.lint, self.message, self.hint = lint, message, hint
        super().__init__(message)


def array_of(proto: Any, directory: Path) -> Array:
    """The numbers of a tensor, half-precision ones as float32. Raises `TensorProblem`."""
    shape = tuple(int(n) for n in proto.dims)
    kind = type_name(int(proto.data_type))
    if kind not in _NUMBERS:
        raise TensorProblem("tensor", f"holds {kind}, which are no numbers that a program can use", "store float32")
    if shape and min(shape) < 0:
        raise TensorProblem("tensor", f"has the shape {text_of(shape)}")
    dtype: np.dtype[Any] = np.dtype(helper.tensor_dtype_to_np_dtype(proto.data_type))
    if proto.data_location == types.TensorProto.EXTERNAL:
        array = _external(proto, directory, shape, dtype)
    else:
        _check_length(proto, shape, dtype)
        try:
            array = np.asarray(numpy_helper.to_array(proto))
        except (TypeError, ValueError, OverflowError) as error:
            raise TensorProblem("tensor", f"cannot be read ({' '.join(str(error).split())})") from None
    return array.astype(WIDENED[kind]) if kind in WIDENED else array


def type_name(number: int) -> str:
    """The name of an element type, `float32`, `string`, ..."""
    if number not in types.TensorProto.DataType.values() or number == 0:
        return f"elements of the unknown type {number}"
    if number in (types.TensorProto.STRING, types.TensorProto.COMPLEX64, types.TensorProto.COMPLEX128):
        return {8: "strings", 14: "complex numbers", 15: "complex numbers"}[number]
    return str(np.dtype(helper.tensor_dtype_to_np_dtype(number)))


def _check_length(proto: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise unless the model holds as many numbers as the shape says, before anything is made of them."""
    size = prod(shape)
    if proto.HasField("raw_data"):
        held, wanted = len(proto.raw_data), size * dtype.itemsize
        what = "bytes"
    else:
        field = helper.tensor_dtype_to_field(proto.data_type)
        held, wanted, what = len(getattr(proto, field)), size, "numbers"
    if held != wanted:
        raise TensorProblem("tensor", f"holds {held} {what}, but the shape {text_of(shape)} needs {wanted}")


def _external(proto: Any, directory: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The numbers of a tensor in a file beside the model."""
    given = {entry.key: entry.value for entry in proto.external_data}
    name = given.get("location", "")
    lint, hint = "external-data", "keep the files of a model together in one folder"
    try:
        path = (directory / name).resolve()
        inside = bool(name) and path.is_relative_to(directory.resolve()) and not Path(name).is_absolute()
    except (OSError, ValueError, RuntimeError):
        inside, path = False, directory
    if not inside:
        what = f"is kept in '{shown(name)}', which is not in the folder of the model"
        raise TensorProblem(lint, what, f"{hint}; other places are not read")
    needed = prod(shape) * dtype.itemsize
    try:
        start, length = int(given.get("offset", 0)), int(given.get("length", needed))
    except ValueError:
        raise TensorProblem(lint, f"states an offset or a length in '{shown(name)}' that is no number") from None
    if length != needed or start < 0:
        what = f"states {length} bytes from byte {start} on in '{shown(name)}', but the shape {text_of(shape)} needs"
        raise TensorProblem(lint, f"{what} {needed}")
    try:
        if not path.is_file():
            raise TensorProblem(lint, f"is kept in '{shown(name)}', which is not there", hint)
        if path.stat().st_size < start + length:
            what = f"ends at byte {start + length} of '{shown(name)}', which has {path.stat().st_size}"
            raise TensorProblem(lint, what, "copy the file again")
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(length)
    except OSError as error:
        raise TensorProblem(lint, f"is kept in '{shown(name)}', which cannot be read: {error.strerror}", hint) from None
    return np.frombuffer(data, dtype.newbyteorder("<")).reshape(shape).astype(dtype)


def place_of_tensor(file: str, name: str) -> Place:
    """Where a stored tensor is: `model.onnx:/graph/initializer/name`."""
    return Place(file, "/graph/initializer").inside(name.strip("/"))
