"""What can be wrong with an `.onnx` file, by name; all findings of a file are reported at once, as for `.nir` files."""

from __future__ import annotations

from snnir.errors import SnnirError
from snnir.frontend.hdf5 import Place
from snnir.frontend.nir.lints import FIX, Finding, Lint, Rank
from snnir.frontend.nir.lints import Findings as NirFindings

LINTS: dict[str, Lint] = {
    # the file and its parts
    "not-onnx": Lint("the file is missing, unreadable, or of another format"),
    "damaged": Lint("the file is truncated, or a part of it contradicts another"),
    "no-outputs": Lint("the graph has no outputs, or an output that nothing computes"),
    "duplicate": Lint("two nodes compute the same tensor"),
    "dangling": Lint("a node reads a tensor that nothing computes"),
    "cycle": Lint("nodes read each other in a circle"),
    "order": Lint("a node stands before one that it reads", "sorts the nodes"),
    "external-data": Lint(
        "weights that are kept in another file are missing, too short, or outside the model's folder"
    ),
    "tensor": Lint("a stored tensor holds fewer numbers than its shape says, or numbers of a type that is no number"),
    # what is in it
    "opset": Lint("the opset is not one of 6 to 21"),
    "operator": Lint("an operator has no counterpart in a program"),
    "use": Lint("an operator is used in a way that has no counterpart in a program"),
    "no-weights": Lint("weights are read from an input of the graph, so they are not in the file"),
    "unknown-shape": Lint("an input does not say how large it is"),
    "shape": Lint("shapes do not fit each other"),
    "kernel-shape": Lint("kernel_shape contradicts the weights of the convolution", "takes the shape of the weights"),
    "output-shape": Lint("an output states another shape than it has", "takes the shape that it has"),
}
"""Every kind of defect that the reader looks for."""


class Refused(Exception):
    """A node that cannot be converted: what is wrong, how to fix it, and the lint."""

    def __init__(self, message: str, hint: str, lint: str = "use") -> None:
        self.message, self.hint, self.lint = message, hint, lint
        super().__init__(message)


class Findings(NirFindings):
    """What has been found in an `.onnx` file so far."""

    def defect(self, lint: str, place: Place, message: str, hint: str) -> None:
        """Something that only the author of the file can settle."""
        assert not LINTS[lint].repair
        self.keep(Finding(lint, Rank.DEFECT, place.error(message, hint)))

    def error(self, lint: str, error: SnnirError) -> None:
        """The same, of an error that is made already."""
        assert not LINTS[lint].repair
        self.keep(Finding(lint, Rank.DEFECT, error))

    def repairable(self, lint: str, place: Place, message: str, repair: str) -> None:
        """Something that can be meant in one way only; the caller goes on as if it had been repaired."""
        assert LINTS[lint].repair
        self.keep(Finding(lint, Rank.REPAIRABLE, place.error(message, f"`{FIX}` {repair}"), repair))
