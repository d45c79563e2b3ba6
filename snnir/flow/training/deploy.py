"""The trained program on its machine: compiled as `snnc compile` does, run, and judged like the program."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir import machine
from snnir.errors import SnnirError
from snnir.flow.directory import MACHINE
from snnir.flow.training.forms import network_in
from snnir.flow.training.job import Doors, Job
from snnir.flow.training.judge import Judged, classes
from snnir.sim import simulate
from snnir.sim.data import write_spikes
from snnir.train.samples import Samples

BUILD = "deployed"
DATA = "calibration.npz"
"""What the deployed program is profiled on: samples that it was trained with."""
PROFILED = 256
AT_ONCE = 64
"""Samples that the machine runs at once; bounds the memory."""

Told = Callable[[int, int], None]


def deploy(job: Job, doors: Doors, module: ModuleOp, model: Path, classify: str) -> dict[str, Any]:
    """Compile a program (and the file that holds it) for the machine of a training, run it, and say what came out."""
    directory = model.parent
    profiled = job.train.some(slice(0, PROFILED))
    write_spikes(directory / DATA, dict(profiled.inputs), profiled.labels)
    doors.compile(module.clone(), model, directory / DATA, len(profiled), directory / BUILD)
    samples = job.test or job.validation or profiled
    samples = samples.some(slice(0, job.description.hardware.samples))
    configuration = machine.load(directory / BUILD / MACHINE)
    with doors.bar("running the machine") as told:
        on_machine, program, different = _run(configuration, module, samples, classify, told)
    guarantee = configuration.guarantee
    return {
        "build": BUILD,
        "samples": len(samples),
        "test": on_machine.share,
        "program": program.share,
        "spikes": on_machine.spikes,
        "different": different,
        "clusters": len(configuration.crossbars),
        "steps_per_second": None if guarantee is None else guarantee.steps_per_second,
    }


def _run(
    configuration: machine.Configuration, module: ModuleOp, samples: Samples, classify: str, told: Told | None
) -> tuple[Judged, Judged, int]:
    """What the machine and the program do, and in how many spikes they differ, over the program's populations."""
    network = network_in(module)
    output = next(iter(network.outputs.values()))
    names = [name for name, p in network.populations.items() if p.spiking]
    if output not in names:
        raise SnnirError(configuration.path, "the output is no spiking population", 'train with readout = "spikes"')
    found: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = []
    spikes = [dict.fromkeys(names, 0), dict.fromkeys(names, 0)]
    different = 0
    for start in range(0, len(samples), AT_ONCE):
        part = samples.some(slice(start, start + AT_ONCE))
        ours = simulate(network, part.inputs, record=names)
        inputs = {name: np.ascontiguousarray(array, np.uint8) for name, array in part.inputs.items()}
        theirs = dict(machine.run(configuration, inputs).spikes)
        for total, signals in zip(spikes, (theirs, ours), strict=True):
            for name in names:
                total[name] += int(signals[name].sum(dtype=np.int64))
        different += sum(int((ours[name] != theirs[name]).sum()) for name in names)
        right = [classes(side[output], classify) == part.labels for side in (theirs, ours)]
        found.append((right[0], right[1]))
        if told is not None:
            told(start + len(part), len(samples))
    both = [np.concatenate(each) for each in zip(*found, strict=True)]
    mean = [{name: total / len(samples) for name, total in each.items()} for each in spikes]
    return Judged(both[0], mean[0]), Judged(both[1], mean[1]), different
