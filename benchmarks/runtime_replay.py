"""A long trace of arrivals, departures and failures of crossbars on a simulated machine: does every guarantee hold?

    python -m benchmarks.runtime_replay [--events 10000] [--mesh 8] [--crossbars 4] [--routes unicast] [--load 0.9]

The two networks of samples/digits are compiled into packages for 32x32 crossbars, each for the activity of its spikes
(peak) and for any activity (worst); then applications arrive, ask for a part of the throughput of their package, run
flit by flit next to each other at the activity of their guarantee, and leave (`snnir.runtime.replay`). After every
event the invariant of the state is checked; of every step of every application, whether it was complete when that was
promised. The exit code is 1 if anything was broken or late. Seconds of the processor; times of single admissions are
those of the clock.
"""

import argparse
import tempfile
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np

from snnir.cli.snnc import main as snnc
from snnir.runtime.describe import outcome_as_json
from snnir.runtime.package import Package, read_package
from snnir.runtime.platform import Platform
from snnir.runtime.replay import Outcome, replay
from snnir.runtime.trace import generate, unit_of

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
NETWORKS = ("digits", "digits_recurrent")
ACTIVITIES = ("peak", "worst")


def packages(folder: Path, mesh: int, routes: str) -> dict[str, Package]:
    """Each network of samples/digits, for each assumption of activity, compiled for a mesh of 32x32 crossbars."""
    description = (SAMPLES / "platforms" / "mesh2x2-32.toml").read_text()
    for old, new in {
        "mesh = [2, 2]": f'mesh = [{mesh}, {mesh}]\nroutes = "{routes}"',
        'name = "mesh2x2-32"': f'name = "mesh{mesh}x{mesh}-32"',
    }.items():
        assert old in description
        description = description.replace(old, new)
    platform = folder / "platform.toml"
    platform.write_text(description)
    return {
        f"{network}_{activity}": _compiled(folder, platform, network, activity)
        for network in NETWORKS
        for activity in ACTIVITIES
    }


def _compiled(folder: Path, platform: Path, network: str, activity: str) -> Package:
    digits = SAMPLES / "digits"
    build, target = folder / f"{network}_{activity}", folder / f"{network}_{activity}.snnpkg"
    words = [digits / f"{network}.snn", "--platform", platform, "-o", build, "--package", target]
    words += ["--data", digits / "test_spikes.npz", "--samples", "20", "--activity", activity]
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = snnc(["compile", *map(str, words)])
    if code:
        raise SystemExit(said.getvalue())
    return read_package(target)


def table(platform: Platform, outcome: Outcome, kinds: Counter[str]) -> str:
    """The figures of a replay, a line each."""
    found = outcome_as_json(platform, outcome)
    milliseconds = 1e3 * np.quantile(outcome.seconds or [0.0], [0.5, 0.9, 0.99, 1])
    parts = np.array([float(stay.simulated / stay.period) for stay in outcome.stays if stay.simulated is not None])
    least, middle, most = 1 / np.quantile(parts, [1, 0.5, 0]) if len(parts) else (0.0, 0.0, 0.0)
    refused = ", ".join(f"{kind} {count:,}" for kind, count in found["refused_for"].items()) or "none"
    present = np.mean([platform.crossbars - free for _, free, _ in outcome.free])
    rows = {
        "events": ", ".join(f"{kind} {count:,}" for kind, count in kinds.items()),
        "acceptance": f"{found['acceptance'] or 0:.1%} of {outcome.arrived:,}; refused: {refused}",
        "failures": f"{outcome.moved:,} applications moved, {outcome.evicted:,} had no other place",
        "admission, ms": "median {:.1f}, 90 % {:.1f}, 99 % {:.1f}, most {:.1f}".format(*milliseconds),
        "steps": f"{found['steps']:,} of {found['stays']:,} stays",
        "promised / simulated": f"throughput: median {1 / middle:.3f}, least {1 / most:.3f}, most {1 / least:.3f}",
        "crossbars": f"{platform.crossbars}, on average {present:.0f} held or faulty",
        "largest free square": f"{found['largest_square']['part_of_free']:.1%} of the free crossbars, on average",
        "steps too late": f"{outcome.late:,}",
        "invariant broken": f"{len(outcome.broken):,} times",
    }
    return "\n".join(f"{name:22}{text}" for name, text in rows.items())


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mesh", type=int, default=8, help="tiles in a row")
    parser.add_argument("--crossbars", type=int, default=4, help="crossbars in a tile")
    parser.add_argument("--routes", choices=["unicast", "multicast"], default="unicast")
    parser.add_argument("--load", type=float, default=0.9, help="crossbars asked for, of all crossbars")
    parser.add_argument("--failures", type=float, default=0.1, help="failures and repairs, of all but departures")
    parser.add_argument("--parts", type=int, nargs=2, default=[10, 90], help="per cent of a package's throughput")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = packages(Path(folder), arguments.mesh, arguments.routes)
    applications = {name: package.application for name, package in found.items()}
    first = next(iter(applications.values())).platform
    platform = replace(first, machine=replace(first.machine, crossbars_per_tile=arguments.crossbars))
    for name, each in applications.items():
        per_second = float(1 / (each.period * unit_of(each.platform)))
        counts = f"{len(each.clusters):4} crossbars{len(each.channels.source):6} channels"
        print(f"{name:28}{counts}{per_second:12,.0f} steps/s when compiled", flush=True)
    count, seed, parts = arguments.events, arguments.seed, (arguments.parts[0], arguments.parts[1])
    events = generate(applications, platform, count, seed, arguments.load, arguments.failures, parts)
    start = time.process_time()
    outcome = replay(platform, found, events)
    seconds = time.process_time() - start
    print(table(platform, outcome, Counter(event.kind for event in events)))
    print(f"{'seconds':22}{seconds:.1f}")
    for each in outcome.broken[:10]:
        print(each)
    return 1 if outcome.broken or outcome.late else 0


if __name__ == "__main__":
    raise SystemExit(main())
