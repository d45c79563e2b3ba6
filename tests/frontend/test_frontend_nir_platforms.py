"""Networks that other platforms exported and simulated (`recorded/record.py`): read, run, and equal spike for spike."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnir import export
from snnir.dialects.snn import networks
from snnir.frontend.nir import reader as nir
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.sim import simulate
from snnir.sim.entry import network_of

h5py: Any = import_module("h5py")
FOLDER = Path(__file__).parent / "recorded"

WHAT: dict[str, dict[str, Any]] = {
    "snntorch_leaky_subtract_late": {"reset": "subtract_late"},
    "snntorch_leaky_subtract_now": {"reset": "subtract"},
    "snntorch_leaky_zero_late": {},
    "snntorch_rleaky_zero_late": {"semantics": "snntorch(refractory = 1)"},
    "snntorch_rleaky_subtract_now": {"reset": "subtract"},
    "snntorch_rsynaptic_subtract_late": {"reset": "subtract_late"},
    "snntorch_rsynaptic_zero_late": {"semantics": "snntorch(refractory = 1)"},
    "spikingjelly_if": {"semantics": "nir(compare = ge)"},
    "spikingjelly_cuba": {"semantics": "nir(compare = ge)"},
    "rockpool_cuba": {"fix": True},
    "sinabs_if": {"semantics": "sinabs"},
}
"""What has to be said about each file beside what it shows."""


@pytest.mark.parametrize("name", WHAT)
def test_the_platform_and_we_compute_the_same(name: str, tmp_path: Path) -> None:
    module = nir.read(FOLDER / f"{name}.nir", FrontendOptions(**WHAT[name]))
    (op,) = networks(module)
    network = network_of(op)
    recorded = np.load(FOLDER / f"{name}.npz")
    (line,), (output,) = network.inputs, network.outputs.values()
    found = simulate(network, {line: recorded["x"][None]})[output][0]
    assert recorded["out"].sum() > 0
    assert np.array_equal(found, recorded["out"])
    if name.startswith(("rockpool", "spikingjelly")):  # whose gains are read as others than the file has
        export.write(op, tmp_path / "again.nir", Notes())
        with h5py.File(FOLDER / f"{name}.nir") as before, h5py.File(tmp_path / "again.nir") as after:
            for node, group in before["node/nodes"].items():
                for field in set(group) - {"shape", "type"}:
                    again: Any = after[f"node/nodes/{node}/{field}"]
                    assert again[()].tobytes() == group[field][()].tobytes(), (node, field)


def test_several_spikes_in_a_step_are_recorded() -> None:
    """The references of platforms that emit several spikes in a step hold such steps."""
    assert np.load(FOLDER / "rockpool_cuba.npz")["out"].max() > 1
    assert np.load(FOLDER / "sinabs_if.npz")["out"].max() > 1
