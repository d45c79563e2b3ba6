"""`snnc encode --format`: published recordings, sound and generated tasks as the data that all other commands take."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from snnir.cli.output import check_writable
from snnir.errors import SnnirError
from snnir.sim.data import write_spikes
from snnir.sim.events import Data, Events
from snnir.train.data.dataset import Dataset
from snnir.train.data.formats import made, read_blocks
from snnir.train.data.task import Lags

TASKS = ("lags",)
FORMATS = ("shd", "ssc", "nmnist", "wav", *TASKS)
LARGEST_ARRAY = 1 << 28
"""Data of more bytes are written as lists of events."""


def encode_data(args: argparse.Namespace) -> int:
    """Read the format block by block, write `.npz` whole or not at all, and say what it is."""
    check_writable(args.output)
    parts = list(_compact(_blocks(args)))
    if not parts:
        raise SnnirError(args.model or args.format, "there is no sample in it", "name a file or folder with recordings")
    steps, neurons = parts[0][1].shape[1:]
    samples = sum(len(each.spikes) for each, _ in parts)
    signal = _joined([events for _, events in parts])
    known = [each.labels for each, _ in parts if each.labels is not None]
    labels = np.concatenate(known) if len(known) == len(parts) else None
    write_spikes(args.output, {args.input: signal}, labels)
    count = sum(len(events.sample) for _, events in parts)
    print(f"{args.input}: {samples} samples x {steps} steps x {neurons} neurons, {count / samples:.4g} spikes a sample")
    late = sum(int(each.about["late"].sum()) for each, _ in parts if "late" in each.about)
    if late:
        print(f"dropped    {late} {'steps of sound' if args.format == 'wav' else 'events'} after the last step")
    if labels is None:
        print("labels     none: no name or folder gives them")
    print(f"written    {args.output}")
    return 0


def _blocks(args: argparse.Namespace) -> Iterable[Dataset]:
    options = dict(_option(each) for each in args.set)
    if args.format in TASKS:
        if args.model is not None or args.subset is not None or args.samples is None:
            message = "a generated task is read from no file"
            raise SnnirError(args.format, message, "leave the file and --subset out, and say how many: --samples 1000")
        return [made(Lags, args.format, options).samples(args.samples, args.seed)]
    if args.model is None:
        raise SnnirError(args.format, "there is nothing to read", "name a file or folder of this format")
    return read_blocks(args.format, args.model, samples=args.samples, subset=args.subset, **options)


def _option(text: str) -> tuple[str, Any]:
    """`NAME=VALUE` with a value of TOML: a number, true, false; all else is a text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SnnirError("--set", f"'{text}' is no option", "write NAME=VALUE, as dt=0.01")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value


def _compact(blocks: Iterable[Dataset]) -> Iterator[tuple[Dataset, Events]]:
    """Each block with its events in place of its array, which takes several times as much."""
    for each in blocks:
        shape = (len(each.spikes), *each.spikes.shape[1:])
        yield (
            Dataset(np.broadcast_to(np.uint8(0), shape), each.labels, each.about, each.names),
            Events.from_array(each.spikes),
        )


def _joined(parts: list[Events]) -> Data:
    """All blocks as an array, or where that is large as a list of events."""
    starts = np.cumsum([0, *(each.shape[0] for each in parts)])
    shape = (int(starts[-1]), *parts[0].shape[1:])
    sample = np.concatenate([each.sample + start for each, start in zip(parts, starts[:-1], strict=True)])
    step, index, value = (
        np.concatenate([getattr(each, name) for each in parts]) for name in ("step", "index", "value")
    )
    found = Events(shape, sample, step, index, value)
    return found.array() if np.prod(shape, dtype=np.int64) <= LARGEST_ARRAY else found
