"""The weights file of a program: tensors by key, opened memory-mapped and only when named."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from snnir.errors import SnnirError
from snnir.frontend.names import suggestion
from snnir.frontend.snn.values import Words
from snnir.tensors import Tensor, keys_of


class WeightsFile:
    """The safetensors file that a program names (`given` is the setting, `None` when there is none)."""

    def __init__(self, given: Words | None) -> None:
        self.given = given
        self.path = given.path if given else Path()
        self.opened: dict[str, Tensor] = {}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """What the file holds. Raises `SnnirError` where the program names the file when it cannot be read."""
        assert self.given is not None
        try:
            return keys_of(self.path)
        except SnnirError as error:
            hint = f"{error.hint}; the path is relative to the file that names it"
            raise self.given.span.error(f"{self.path}: {error.message}", hint) from None
        except _DAMAGE as error:
            raise self.damaged(self.given, error) from None

    def tensor(self, key: Words) -> Tensor:
        """The tensor that the program names by key. Raises `SnnirError` at the key."""
        if self.given is None:
            hint = 'add weights = "file.safetensors" to the network'
            raise key.span.error(f"'{key.text}' names a tensor, but the network names no weights file", hint)
        if key.text not in self.keys:
            raise key.span.error(f"no tensor '{key.text}' in {self.path}", suggestion(key.text, self.keys, "tensors"))
        if key.text not in self.opened:
            try:
                self.opened[key.text] = Tensor.open(self.path, key.text)
            except SnnirError as error:
                raise key.span.error(f"{error.place}: {error.message}", error.hint) from None
            except _DAMAGE as error:
                raise self.damaged(key, error) from None
        tensor = self.opened[key.text]
        if not tensor.shape:
            raise key.span.error(f"tensor '{key.text}' has no dimensions", "write a single number into the program")
        return tensor

    def damaged(self, given: Words, error: Exception) -> SnnirError:
        """The error for a file whose header makes no sense."""
        what = f"{self.path} is not a readable safetensors file ({type(error).__name__}: {error})"
        return given.span.error(what, "write it again")


_DAMAGE = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
"""What comes up when the header of a safetensors file is JSON of another form."""
