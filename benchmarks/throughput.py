"""Guarantee, prediction and simulation of the sample networks on the sample machines, beside the naive bound.

    python -m benchmarks.throughput

`naive`: every firing and every transport of a step one after the other, nothing overlapping: what a user without
dataflow analysis would have to assume. `peak-driven`: the machine's event-driven simulation with the assumed peak
activity in every step; guarantee / peak-driven is the tightness of the model itself.
"""

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.passes import PassPipeline

from snnir import machine
from snnir.cli.pipeline import build_passes
from snnir.dialects.dataflow import GraphOp
from snnir.dialects.platform import ATTRIBUTE, machine_of
from snnir.emit import emit
from snnir.flow.pipeline import default_pipeline
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.frontend.snn import read
from snnir.sim.data import read_spike_arrays
from snnir.universe import SNNIR_UNIVERSE

SAMPLES = Path(__file__).parent.parent / "samples"
DATA = SAMPLES / "digits" / "test_spikes.npz"
NETWORKS = ("digits", "digits_recurrent")
PLATFORMS = ("mesh2x2-128", "mesh2x2-64", "mesh2x2-32")
STEPS = 2000


def compiled(network: str, platform: str) -> tuple[ModuleOp, float, float]:
    """The configured machine, and the steps per second of the naive bound and as predicted at mean activity."""
    with redirect_stderr(StringIO()):  # notes about the replaced platform
        module = read(SAMPLES / "digits" / f"{network}.snn", FrontendOptions())
    module.attributes[ATTRIBUTE] = read_platform(SAMPLES / "platforms" / f"{platform}.toml")
    target = machine_of(module)
    assert target is not None
    naive = predicted = 0.0

    def watch(previous: object, module: ModuleOp, following: object) -> None:
        nonlocal naive, predicted
        for op in module.body.block.ops:
            if isinstance(op, GraphOp) and op.predicted is not None:
                naive = target.units_per_second / sum(actor.time.data for actor in op.actors)
                predicted = float(target.units_per_second / op.predicted.data)

    passes = build_passes(default_pipeline(target, str(DATA), None, "peak"), SNNIR_UNIVERSE.all_passes)
    context = Context()
    context.load_dialect(Builtin)
    PassPipeline(tuple(passes), watch).apply(context, module)
    return module, naive, predicted


def main() -> None:
    """Print the table."""
    header = ("naive", "guarantee", "peak-driven", "tightness", "predicted", "simulated", "tightness")
    print(f"{'steps per second':32}" + "".join(f"{name:>13}" for name in header))
    for network in NETWORKS:
        for platform in PLATFORMS:
            print(f"{network + ' on ' + platform:32}" + "".join(f"{cell:>13}" for cell in row(network, platform)))


def row(network: str, platform: str) -> list[str]:
    """One line of the table."""
    module, naive, predicted = compiled(network, platform)
    with TemporaryDirectory() as directory:
        emit(module, Path(directory))
        configuration = machine.load(directory)
    run = machine.run(configuration, read_spike_arrays(DATA))
    assert configuration.guarantee is not None
    guarantee = configuration.guarantee.steps_per_second
    peak = machine.simulate(configuration, machine.peak_counts(configuration, STEPS)).steps_per_second
    real = machine.simulate(configuration, run.counts, STEPS).steps_per_second
    assert peak is not None
    assert real is not None
    rates = [f"{rate:,.0f}" for rate in (naive, guarantee, peak, predicted, real)]
    return [*rates[:3], f"{guarantee / peak:.3f}", *rates[3:], f"{guarantee / real:.3f}"]


if __name__ == "__main__":
    main()
