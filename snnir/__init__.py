"""A multi-level IR compiler for crossbar-based neuromorphic hardware.

`load` reads a model of any format; see `snnir.api`. Importing the package imports nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snnir.api import Net, Run, load
    from snnir.errors import SnnirError

__all__ = ["Net", "Run", "SnnirError", "load"]

_HOMES = {"Net": "snnir.api", "Run": "snnir.api", "load": "snnir.api", "SnnirError": "snnir.errors"}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for."""
    from importlib import import_module  # noqa: PLC0415

    if name not in _HOMES:
        raise AttributeError(f"module 'snnir' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
