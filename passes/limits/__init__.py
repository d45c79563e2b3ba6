"""Which limits of a machine each layer of a program meets or breaks: found by structure alone, before anything runs."""

from snnir.passes.limits.check import check
from snnir.passes.limits.figures import Buffer, Figures
from snnir.passes.limits.findings import Finding, Layer, PlatformCheck
from snnir.passes.limits.weights import Weights

__all__ = ["Buffer", "Figures", "Finding", "Layer", "PlatformCheck", "Weights", "check"]
