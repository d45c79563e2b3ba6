"""`snnc encode`: data of an ordinary network as spikes, for the spiking one made of it; and files of other formats."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from snnir.api import load
from snnir.cli.encode_data import encode_data
from snnir.cli.errors import Situation
from snnir.cli.output import check_writable
from snnir.dialects.snn import InputOp, NetworkOp
from snnir.errors import SnnirError
from snnir.passes.snn.rates import encode_inputs, encoding_of
from snnir.sim.data import read_labels, read_spike_arrays, write_spikes


def encode_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc encode`."""
    del situation
    if args.format is not None:
        return encode_data(args)
    for name, value in (("MODEL", args.model), ("--data", args.data)):
        if value is None:
            hint = "name a spiking network and data for it, or give --format to read files of another format"
            raise SnnirError("snnc encode", f"there is no {name}", hint)
    if args.set or args.subset is not None:
        raise SnnirError("snnc encode", "--set and --subset belong to --format", "say which format: --format nmnist")
    check_writable(args.output)
    network = load(args.model, format=args.frontend).network
    steps = args.steps if args.steps is not None else network.steps.data if network.steps is not None else None
    if steps is None:
        raise SnnirError(args.model, "the program does not say how many steps an inference takes", "give --steps")
    codes = _codes(network, args.model)
    found = read_spike_arrays(Path(args.data), args.samples, network.step_seconds)
    missing = [name for name in codes if name not in found]
    if missing:
        raise SnnirError(args.data, f"there is no data for input '{missing[0]}'", f"it holds {', '.join(found)}")
    try:
        made = encode_inputs(network, {name: found[name] for name in codes}, steps, args.seed)
    except ValueError as error:
        raise SnnirError(args.data, str(error), "give data of the ordinary network, and steps above 0") from None
    write_spikes(args.output, made, read_labels(Path(args.data), args.samples))
    for name, code in codes.items():
        samples, mean = len(made[name]), float(np.mean(made[name]))
        print(f"{name}: {samples} samples x {steps} steps as {code}, {mean:.4g} on average")
    print(f"written    {args.output}")
    return 0


def _codes(network: NetworkOp, model: str | Path) -> dict[str, str]:
    """How values arrive at each input. Raises `SnnirError` for an input that does not say so."""
    found: dict[str, str] = {}
    for name, op in network.sources.items():
        if isinstance(op, InputOp):
            how = encoding_of(op)
            if how is None:
                hint = "give the .mlir file that convert-ann-to-snn made; other formats do not keep it"
                raise SnnirError(model, f"input '{name}' does not say how values become spikes", hint)
            found[name] = how[0]
    return found
