"""`snnc train`: train a program, with delays, within the limits of a machine; prune it, round it, deploy it."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from snnir import api
from snnir.cli.errors import Situation
from snnir.cli.progress import progress
from snnir.train.checkpoint import FILE


def train_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc train`: stages are printed as they end; with `--json` all of `training.json` at the end."""
    situation.input_name = str(args.description)
    directory = args.output if args.output is not None else Path(f"{args.description.stem}.trained")
    try:
        found = api.train(
            args.description,
            directory,
            resume=args.resume,
            epochs=args.epochs,
            seed=args.seed,
            nir=args.nir,
            bar=progress,
            line=_hidden if args.json else _shown,
        )
    except KeyboardInterrupt:
        _tell_how_to_go_on(args, directory)
        raise
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        print(f"written    {directory}/ (training.json, trained.mlir, the program after each stage)")
    return 0


def _shown(line: str) -> None:
    print(line, flush=True)


def _hidden(line: str) -> None:
    del line


def _tell_how_to_go_on(args: argparse.Namespace, directory: Path) -> None:
    """Where the checkpoint is, and the command that takes it."""
    if not (directory / FILE).exists():
        return
    words = ["snnc", "train", str(args.description), "-o", str(directory)]
    for name in ("epochs", "seed"):
        if getattr(args, name) is not None:
            words += [f"--{name}", str(getattr(args, name))]
    words += [f"--{name}" for name in ("nir", "json") if getattr(args, name)]
    print(f"checkpoint {directory / FILE}; to go on: {shlex.join([*words, '--resume'])}", file=sys.stderr)
