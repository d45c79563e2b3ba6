"""How long `check-platform` takes: on the largest workloads by structure, and as a part of compiling a small network.

    python -m benchmarks.check_platform

The aim is under 2 s for alexnet_disco (43 million synapses) and VGG16 on 224x224 (15 billion when unrolled).
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.workloads import build
from snnir.dialects.platform import Machine
from snnir.frontend.platform import read_platform
from snnir.passes.limits import check
from snnir.testing import run_in_process

WORKLOADS = ("mlp784", "lenet_disco", "alexnet_disco", "mobilenet_v1", "resnet18", "vgg16")
SAMPLES = Path(__file__).parents[1] / "samples"


def large(platform: str) -> Machine:
    """A shipped machine with a million crossbars."""
    machine = read_platform(SAMPLES / "platforms" / platform).data
    return replace(machine, tiles=replace(machine.tiles, mesh=(128, 128), crossbars=64))


def main() -> int:
    """Print the table."""
    machine = large("mesh2x2-128.toml")
    head = f"{'workload':14} {'neurons':>11} {'synapses':>15} {'wall s':>7} {'CPU s':>7} {'MiB more':>9}"
    print(f"{head}  crossbars at least")
    for name in WORKLOADS:
        network = build(name)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall, cpu = time.perf_counter(), time.process_time()
        found = check(network, machine)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        neurons = sum(layer.size for layer in found.layers)
        synapses = sum(layer.figures.synapses for layer in found.layers if layer.figures is not None)
        print(f"{name:14} {neurons:11,} {synapses:15,} {wall:7.2f} {cpu:7.2f} {more:9,}  {found.least.crossbars:,}")
    in_compile()
    return 0


def in_compile() -> None:
    """What the pass and the metrics add to compiling the sample."""
    model, data = SAMPLES / "digits" / "digits.snn", SAMPLES / "digits" / "test_spikes.npz"
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = ["snnc", "compile", str(model), "--data", str(data), "--samples", "20", "-o", str(out)]
        for _ in range(2):  # the first run imports
            shutil.rmtree(out, ignore_errors=True)
            assert run_in_process(command).code == 0
        seconds = json.loads((out / "metrics.json").read_text())["seconds"]
    parts = ", ".join(f"{name} {seconds['parts'][name]:.4f} s" for name in ("check-platform", "cluster-metrics"))
    print(f"snnc compile samples/digits: {seconds['total']:.3f} s, of these {parts}")


if __name__ == "__main__":
    sys.exit(main())
