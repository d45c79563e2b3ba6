"""What can be wrong with a `.nir` file, by name, and the findings in one file.

Every defect of a file is found before any is reported, so that a user sees all of them at once: the first as the error,
the others as notes. A defect that leaves only one way to mean it can be repaired: `FrontendOptions.fix` does, with a
note for each; without it the error says what the repair would be. Checking goes on as if it had been made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from snnir.errors import SnnirError
from snnir.frontend.hdf5 import FileError, Place
from snnir.frontend.notes import Notes

_LISTED = 20
FIX = "snnc import --fix"
"""The command that repairs."""


@dataclass(frozen=True)
class Lint:
    """A class of defects. `repair`: what `--fix` does; empty when only the author of the file can know."""

    what: str
    repair: str = ""


LINTS: dict[str, Lint] = {
    # the file and its parts
    "not-hdf5": Lint("the file is missing, unreadable, or of another format (torch.save writes zip archives)"),
    "truncated": Lint("the end of the file is missing"),
    "damaged": Lint("the HDF5 library cannot read a part, or would crash on it"),
    "elsewhere": Lint("a part is kept in another file, or is a second name of a node"),
    "missing-part": Lint("a group, the list of edges, a node's type, or a field is missing"),
    "unknown-node": Lint("a node is of a type that NIR 1.0.8 does not define"),
    "unknown-field": Lint("a node has a field that its type does not have"),
    "wrong-type": Lint("a field holds something other than the numbers that it should"),
    "missing-bias": Lint("an Affine or a convolution has no field for its bias", "reads it as no bias"),
    "bool-bias": Lint("the bias is the single value False", "reads it as no bias"),
    "missing-input-shape": Lint(
        "a convolution does not say its input_shape (files before nir 0.2)", "takes it from the signal"
    ),
    # edges
    "dangling-edge": Lint("an edge names a node that is not there", "takes the only node that can be meant"),
    "duplicate-edge": Lint("an edge is listed twice", "counts it once"),
    "edge-into-input": Lint("an edge enters an Input of the outermost graph"),
    "edge-out-of-output": Lint("an edge leaves an Output of the outermost graph", "passes the signal of the Output on"),
    "ports": Lint("an edge names a graph that has several inputs or outputs"),
    "unconnected": Lint("a node has no edges", "leaves it out"),
    "unfed": Lint("a node without neurons has no input", "adds an Input, as nir 1.0.8 does"),
    "leads-nowhere": Lint("nothing reads a node without neurons", "adds an Output, as nir 1.0.8 does"),
    "empty-cycle": Lint("a cycle holds nothing but Inputs and Outputs of nested graphs"),
    # shapes
    "time-dimension": Lint("a shape counts time steps or samples", "leaves these dimensions out"),
    "batch-dimension": Lint("a shape begins with dimensions of 1 that nothing else has", "leaves them out"),
    "input-shape": Lint("an Input contradicts everything that reads it", "takes what the readers say"),
    "output-shape": Lint("an Output contradicts what it receives", "takes the shape of the signal"),
    "subgraph-shape": Lint(
        "an Input or Output of a nested graph contradicts its signal", "takes the shape of the signal"
    ),
    "conv-input-shape": Lint("input_shape of a convolution contradicts its signal", "takes the shape of the signal"),
    "flatten-batch": Lint("a Flatten counts a batch dimension", "counts the dimensions without it"),
    "flatten-input-type": Lint("input_type of a Flatten contradicts its signal", "takes the shape of the signal"),
    "missing-flatten": Lint("a matrix reads a signal of several dimensions as one", "flattens the signal"),
    "transposed-weight": Lint("a weight is stored sources x targets", "transposes it"),
    "scalar-parameters": Lint("the parameters of a node have no dimensions", "uses them for every neuron"),
    "ragged-parameters": Lint("the parameters of a node differ in shape", "repeats the smaller ones"),
    "shape-mismatch": Lint("a signal does not fit where it arrives"),
    "unknown-shape": Lint("nothing says how large a signal is"),
    # values
    "not-finite": Lint("a number is NaN or infinite"),
    "time-constant": Lint("a time constant is zero or negative"),
    "time-in-steps": Lint("all time constants are counted in steps, not in seconds", "multiplies them by dt"),
    "threshold": Lint("a threshold does not lie above v_reset"),
    "window": Lint("kernel, stride, padding, dilation or groups of a convolution or pool make no sense"),
    "delay": Lint("a delay is negative or no whole number of steps"),
    # what the file would have to say
    "unknown-dt": Lint("nothing in the file shows how long a step is, and --dt is not given"),
    "conflict": Lint("two nodes show different exporters or steps, and --dt or --semantics is not given"),
}
"""Every kind of defect that the reader looks for."""


class Rank(IntEnum):
    """Which findings come first: what only the author can repair, what we can, what an option would settle."""

    DEFECT = 0
    REPAIRABLE = 1
    OPTION = 2


@dataclass(frozen=True)
class Finding:
    """One defect. `repair` says what was or would be done, in this place."""

    lint: str
    rank: Rank
    error: SnnirError
    repair: str = ""


class LintError(SnnirError):
    """The first defect of a file; `findings` are all of them, in the order in which they are reported."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0].error
        self.findings = findings
        super().__init__(first.place, first.message, first.hint, first.excerpt)


@dataclass
class Findings:
    """What has been found in a file so far."""

    fix: bool
    notes: Notes
    found: list[Finding] = field(default_factory=list[Finding])

    def defect(self, lint: str, place: Place, message: str, hint: str) -> None:
        """Something that only the author of the file, or an option, can settle."""
        assert not LINTS[lint].repair
        rank = Rank.OPTION if lint in ("unknown-dt", "conflict") else Rank.DEFECT
        self.keep(Finding(lint, rank, place.error(message, hint)))

    def unrepaired(self, lint: str, place: Place, message: str, hint: str) -> None:
        """One of a repairable class that leaves several ways to mean it."""
        assert LINTS[lint].repair
        self.keep(Finding(lint, Rank.DEFECT, place.error(message, hint)))

    def repairable(self, lint: str, place: Place, message: str, repair: str) -> None:
        """Something that can be meant in one way only; the caller goes on as if it had been repaired.

        `repair` goes on from "snnc import --fix": `leaves it out`.
        """
        assert LINTS[lint].repair
        hint = f"`{FIX}` {repair}"
        self.keep(Finding(lint, Rank.REPAIRABLE, place.error(message, hint), repair))

    def file(self, error: FileError) -> None:
        """Something wrong with the file itself."""
        self.keep(Finding(error.damage, Rank.DEFECT, error))

    def keep(self, finding: Finding) -> None:
        """Remember a finding, once."""
        key = (finding.error.place, finding.error.message)
        if all((each.error.place, each.error.message) != key for each in self.found):
            self.found.append(finding)

    @property
    def has_defects(self) -> bool:
        """Whether there is anything that cannot be repaired."""
        return any(each.rank is Rank.DEFECT for each in self.found)

    @property
    def has_edge_defects(self) -> bool:
        """Whether edges are missing, so that nothing can be said about shapes."""
        kinds = {"dangling-edge", "edge-into-input", "ports", "empty-cycle", "missing-part", "unfed"}
        return any(each.rank is Rank.DEFECT and each.lint in kinds for each in self.found)

    def settle(self) -> None:
        """Raise the first finding that stays, with notes on stderr for the others; note what was repaired."""
        left = [each for each in self.found if not (self.fix and each.rank is Rank.REPAIRABLE)]
        if not left:
            repaired = Notes()
            for each in self.found:
                repaired.add(each.error.place, f"repaired: {each.error.message}; --fix {each.repair}")
            self.notes.lines[:0] = repaired.lines
            self.found.clear()
            return
        left.sort(key=lambda each: each.rank)
        others = Notes()
        for each in left[1:_LISTED]:
            others.add(each.error.place, f"also wrong: {each.error.message}; fix: {each.error.hint}")
        if len(left) > _LISTED:
            others.add(left[0].error.place.partition(":/")[0], f"{len(left) - _LISTED} more defects")
        others.show()
        raise LintError(tuple(left))
