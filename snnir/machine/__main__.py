"""`python -m snnir.machine DIRECTORY --data spikes.npz`: run an emitted directory and print what it did."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snnir.errors import SnnirError
from snnir.machine.configuration import load
from snnir.machine.data import SpikeData, read_spikes
from snnir.machine.functional import Run, encoded, run
from snnir.machine.guarantee import check_guarantee
from snnir.machine.parts import Configuration
from snnir.machine.timing import Timing, simulate
from snnir.machine.trace import Row, trace, write_trace


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0; 1 after an error, or when the guarantee does not hold for the activity it assumes."""
    parser = argparse.ArgumentParser("python -m snnir.machine", description="Run a configured crossbar machine.")
    parser.add_argument("directory", help="the directory that the compiler wrote")
    parser.add_argument("--data", required=True, metavar="FILE", help=".npz: a uint8 array per input, perhaps 'labels'")
    parser.add_argument("--timing-steps", type=int, metavar="N", help="time only the first N steps (default: all)")
    parser.add_argument("--trace", metavar="FILE", help="write a CSV row per firing: actor,firing,start,end,resource")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        configuration = load(options.directory)
        data = read_spikes(options.data)
        result = run(configuration, encoded(configuration, data.inputs), options.data)
        steps = result.counts.steps if options.timing_steps is None else options.timing_steps
        if not 1 <= steps <= result.counts.steps:
            message = f"{steps} steps asked for, the data has {result.counts.steps}"
            raise SnnirError("--timing-steps", message, f"ask for 1 to {result.counts.steps}")
        timing = simulate(configuration, result.counts, steps)
        summary = summarise(configuration, data, result, timing)
        if options.trace is not None:
            _write_trace(Path(options.trace), trace(configuration, timing))
    except SnnirError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(summary, indent=2) if options.json else _text(summary))
    guarantee = summary["guarantee"]
    return int(guarantee is not None and guarantee["within_activity"] and not guarantee["holds"])


def _write_trace(path: Path, rows: Iterable[Row]) -> None:
    try:
        write_trace(path, rows)
    except OSError as error:
        raise SnnirError(path, error.strerror or str(error), "write the trace to a folder that exists") from None


def summarise(configuration: Configuration, data: SpikeData, result: Run, timing: Timing) -> dict[str, Any]:
    """What the command reports, as plain JSON values; `accuracy` is null without labels, `guarantee` without one."""
    spikes = {name: int(np.count_nonzero(array)) for name, array in result.spikes.items()}
    samples = len(next(iter(result.spikes.values())))
    accuracy: float | None = None
    if data.labels is not None:
        shown = configuration.outputs[0].population
        code = next(item.code for item in configuration.populations if item.name == shown)
        found = result.spikes[shown] if code is None else code.decode(result.spikes[shown])
        answers = found.sum(1).argmax(1)
        accuracy = float((answers == data.labels).mean())
    guarantee: dict[str, Any] | None = None
    if configuration.guarantee is not None:
        check = check_guarantee(configuration, timing, result.counts)
        guarantee = {
            "steps_per_second": configuration.guarantee.steps_per_second,
            "activity": configuration.guarantee.activity,
            "holds": check.holds,
            "late_step": check.late_step,
            "within_activity": check.within_activity,
            "exceeded": check.exceeded,
            "tightness": None if check.tightness is None else float(check.tightness),
        }
    return {
        "network": configuration.name,
        "samples": samples,
        "accuracy": accuracy,
        "spikes": spikes,
        "coded": [item.name for item in configuration.populations if item.code is not None],
        "spikes_per_sample": {name: total / samples for name, total in spikes.items()},
        "timing": {
            "steps": len(timing.finish),
            "unit": timing.unit,
            "first_step": int(timing.finish[0]),
            "last_step": int(timing.finish[-1]),
            "throughput": None if timing.throughput is None else str(timing.throughput),
            "steps_per_second": timing.steps_per_second,
            "utilisation": {name: busy / max(1, int(timing.finish[-1])) for name, busy in timing.busy.items()},
            "link_flits": dict(timing.link_flits),
        },
        "guarantee": guarantee,
        **({"delay_peaks": dict(result.delay_peaks)} if result.delay_peaks else {}),
    }


def _text(summary: dict[str, Any]) -> str:
    timing, guarantee = summary["timing"], summary["guarantee"]
    lines = [f"{'network':<12}{summary['network']}, {summary['samples']} samples"]
    if summary["accuracy"] is not None:
        lines.append(f"{'accuracy':<12}{summary['accuracy']:.2%}")
    for name, mean in summary["spikes_per_sample"].items():
        lines.append(f"{'codes not 0' if name in summary['coded'] else 'spikes':<12}{mean:.1f} per sample in {name}")
    peaks: dict[str, int] = summary.get("delay_peaks", {})
    if peaks:
        most = max(peaks, key=lambda name: peaks[name])
        lines.append(f"{'delay memory':<14}{peaks[most]:,} entries at most, in {most}")
    rate = timing["steps_per_second"]
    speed = "not defined for one step" if rate is None else f"{rate:,.0f} steps/s"
    lines.append(f"{'throughput':<12}{speed} over {timing['steps']} steps")
    lines.append(f"{'first step':<12}{timing['first_step']:,} {timing['unit']}")
    if guarantee is None:
        return "\n".join([*lines, f"{'guarantee':<12}none in this configuration"])
    lines.append(f"{'guarantee':<12}{guarantee['steps_per_second']:,.0f} steps/s ({guarantee['activity']} activity)")
    if not guarantee["within_activity"]:
        lines.append(f"{'':<12}not applicable: {guarantee['exceeded']!r} was more active than assumed")
    elif guarantee["holds"]:
        lines.append(f"{'':<12}holds for every step")
    else:
        lines.append(f"{'':<12}BROKEN: step {guarantee['late_step']} was late")
    if guarantee["tightness"] is not None:
        lines.append(f"{'tightness':<12}{guarantee['tightness']:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
