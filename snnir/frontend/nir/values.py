"""Numbers in a `.nir` file that make no sense whatever the step is: NaN, time constants, thresholds."""

from __future__ import annotations

import numpy as np

from snnir.frontend.hdf5 import FileError
from snnir.frontend.nir.fields import DEFAULTS, Node
from snnir.frontend.nir.lints import Findings
from snnir.semantics import TIME_CONSTANTS


def check_values(node: Node, findings: Findings) -> None:
    """Look at every number of a node."""
    for name, tensor in sorted(node.numbers.items()):
        place = node.place.inside(name)
        try:
            finite, size = tensor.is_finite, tensor.size
        except FileError as error:
            findings.file(error)
            node.broken = True
            continue
        if not size and name != "weight":
            findings.defect("not-finite", place, f"{name} holds no numbers", "export the node again")
            node.broken = True
        elif not finite:
            array = tensor.array
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            what = f"{name} holds {array[tuple(where)]}{f' at {where}' if where else ''}"
            findings.defect("not-finite", place, what, "every number must be finite; was the training stable?")
        elif name in TIME_CONSTANTS and bool((tensor.array <= 0).any()):
            what = f"{name} = {tensor.array.min():g} s, but a time constant must be positive"
            findings.defect("time-constant", place, what, "times are in seconds: 5e-3 is 5 ms")
        elif node.kind == "Delay" and bool((tensor.array < 0).any()):
            what = f"a delay of {tensor.array.min():g} s is negative"
            findings.defect("delay", place, what, "a signal cannot arrive before it is sent")
    _check_threshold(node, findings)


def _check_threshold(node: Node, findings: Findings) -> None:
    """A neuron whose threshold does not lie above its reset would fire for ever."""
    if "v_threshold" not in node.numbers:
        return
    threshold = node.numbers["v_threshold"].array
    reset = node.numbers["v_reset"].array if "v_reset" in node.numbers else np.asarray(DEFAULTS["v_reset"])
    try:
        above = np.asarray(threshold > reset)
    except ValueError:
        return
    if not above.all() and np.isfinite(threshold).all() and np.isfinite(reset).all():
        low, high = np.broadcast_arrays(threshold, reset)
        where = tuple(np.argwhere(~above)[0].tolist())
        what = f"v_threshold = {low[where]:g} does not lie above v_reset = {high[where]:g}: a neuron would always fire"
        place = node.place.inside("v_threshold")
        findings.defect("threshold", place, what, "raise the threshold or lower v_reset")
