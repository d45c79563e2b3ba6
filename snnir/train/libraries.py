"""torch and the surrogate gradients of snnTorch, both of the extra `train`. Imported by what trains, and only there."""
# pyright: basic, reportMissingImports=false

from snnir.errors import SnnirError

try:
    import torch
    from snntorch import surrogate as surrogates
except ImportError as error:
    raise SnnirError("train", f"training needs torch and snntorch ({error})", "pip install 'snnir[train]'") from None

__all__ = ["surrogates", "torch"]
