"""`snnc check`: does a program fit a machine? Found by structure alone, before anything runs."""

from __future__ import annotations

import argparse
import json

from snnir.cli.commands import model_driver
from snnir.cli.driver import read_module
from snnir.cli.errors import Situation
from snnir.dialects.platform import machine_of
from snnir.errors import SnnirError
from snnir.passes.base import program
from snnir.passes.limits import check
from snnir.report.platform import check_as_json, check_as_text


def check_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc check`: exit code 1 when a limit is broken."""
    module = read_module(model_driver(args, situation))
    situation.module = module
    machine = machine_of(module)
    if machine is None:
        hint = 'give --platform file.toml, or write `platform = "file.toml"` in the .snn file'
        raise SnnirError(args.model, "no machine to check against", hint)
    found = check(program(module), machine, args.activity)
    model = str(args.model)
    print(json.dumps(check_as_json(found, model), indent=1) if args.json else check_as_text(found, model))
    return 0 if found.holds else 1
