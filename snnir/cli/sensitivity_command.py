"""`snnc sensitivity`: how accurate is a network with weights of few bits, and how many crossbars does it take?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from snnir.cli.commands import model_driver
from snnir.cli.driver import read_module
from snnir.cli.errors import Situation
from snnir.dialects.platform import machine_of
from snnir.errors import SnnirError
from snnir.flow.sensitivity import Question, Sensitivity
from snnir.report.sensitivity import head_lines, note_lines, row_as_json, row_line, table_as_json


def sensitivity_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc sensitivity`: rows are printed as they are found; with `--json` all at the end."""
    if args.data is None:
        raise SnnirError("--data", "no data to measure with", "give representative inputs: --data values.npz")
    if args.samples is not None and args.samples < 1:
        raise SnnirError("--samples", f"{args.samples} samples", "ask for at least one sample")
    driver = model_driver(args, situation)
    module = read_module(driver)
    machine = machine_of(module)
    if machine is None:
        hint = 'give --platform file.toml, or write `platform = "file.toml"` in the .snn file'
        raise SnnirError(args.model, "no machine to transform for", hint)
    data, calibration = Path(args.data), Path(args.data if args.calibration is None else args.calibration)
    question = Question(machine, data, calibration, args.bits, args.crossbars, args.signals, args.samples)
    work = Sensitivity(driver.ctx, module, question)
    if args.json:
        rows = [row_as_json(row) for row in work.rows()]
        print(json.dumps(table_as_json(str(args.model), work, question, rows), indent=1))
        return 0
    print("\n".join(head_lines(str(args.model), work, question)), flush=True)
    notes: list[str] = []
    for row in work.rows():
        print(row_line(row, machine.crossbars), flush=True)
        notes += [note for note in note_lines(row, machine.crossbars) if note not in notes]
    for note in notes:
        print(note)
    return 0
