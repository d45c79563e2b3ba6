"""Pieces of `.snn` text: numbers, times, lists, names, semantics. The language: docs/language.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from numpy.typing import NDArray

from snnir.frontend.names import unique
from snnir.frontend.snn.tokens import RESERVED, WORD
from snnir.semantics import PRESETS, Semantics, preset
from snnir.tensors import Tensor

_UNITS = ((1e-5, 1.0, "ms", 3), (1e-8, 1e-5, "us", 6))
_ASCII = re.compile(r"[^A-Za-z0-9_.$]")


def number(value: float) -> str:
    """The shortest decimal that is read as `value`; whole numbers without a point."""
    text = repr(float(value))
    return text.removesuffix(".0") if "e" not in text else text.replace("e+", "e").replace("e-0", "e-")


def seconds(value: float) -> str:
    """A time with a unit: `5 ms`. The decimal point moves, so that exactly `value` is read."""
    for least, most, unit, power in _UNITS:
        if least <= value < most:
            shifted = Decimal(repr(float(value))).scaleb(power)
            return f"{format(shifted.normalize(), 'f')} {unit}"
    return f"{number(value)} s"


def numbers(array: NDArray[Any]) -> str:
    """A list, or a list of lists: `[[0.5, 1], [2, 3]]`."""
    if array.ndim > 1:
        return f"[{', '.join(numbers(row) for row in array)}]"
    items = (str(int(each)) if array.dtype.kind in "iu" else number(float(each)) for each in array)
    return f"[{', '.join(items)}]"


def wholes(values: Sequence[int]) -> str:
    """`[2, 2]`."""
    return f"[{', '.join(map(str, values))}]"


def shape(values: Sequence[int]) -> str:
    """`[8x8]`."""
    return f"[{'x'.join(map(str, values))}]"


def valid_names(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """A name that the language has for each name; good ones keep theirs. All of them are added to `taken`."""
    result: dict[str, str] = {}
    given = list(names)
    good = [name for name in given if is_name(name) and name not in taken]
    for name in good:
        result[name] = name
    taken.update(good)
    for name in given:
        if name not in result:
            result[name] = free_name(name, taken)
    return {name: result[name] for name in given}


def is_name(name: str) -> bool:
    """Whether the language has this name."""
    return re.fullmatch(WORD, name) is not None and name != RESERVED


def free_name(name: str, taken: set[str]) -> str:
    """A name like `name` that is not taken; it is added to `taken`."""
    found = unique(cleaned(name), taken)
    taken.add(found)
    return found


def cleaned(name: str) -> str:
    """A name like `name` that the language has."""
    plain = _ASCII.sub("_", name) or "_"
    return plain if re.match(r"[A-Za-z_]", plain) and plain != RESERVED else f"n{plain}"


def semantics(given: Semantics, model: str) -> str:
    """What stands behind a population: `using spyx`, `using nir(reset = subtract)`."""
    for name in PRESETS:
        if preset(name, model) == given:
            return f"using {name}"
    differences = given.differences(preset("nir", model))
    return f"using nir({', '.join(f'{name} = {value}' for name, value in differences.items())})"


def is_small(tensor: Tensor, limit: int) -> bool:
    """Whether an array can stand in the text as it is: numbers of 64 bits, not too many."""
    return tensor.size <= limit and tensor.element in ("f64", "i64")


def key(name: str) -> str:
    """A key as a text in quotes can hold it."""
    return re.sub(r'["\n\r]', "_", name) if name != "__metadata__" else "metadata"
