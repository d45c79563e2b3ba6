"""`snnc`: from a trained network to a verified crossbar machine, for people who don't want to write pipelines.

a model that another tool wrote:
  snnc import cnn.nir --dt 1e-3 -o cnn.snn          what is in it, what was assumed; and as a program
  snnc sim cnn.nir --dt 1e-3 --data spikes.npz      what it computes
  snnc sim cnn.nir --golden recording.npz           is it what the other tool recorded? if not, where and why
  snnc diff cnn.nir cnn.snn                         what differs between two models, or two recordings
  snnc profile cnn.nir --data spikes.npz            how active it is
  snnc encode snn.mlir --data images.npz -o s.npz   data of an ordinary network as spikes, for a converted one
  snnc encode N-MNIST/Test --format nmnist -o s.npz published recordings, sound or a generated task as data
  snnc fmt cnn.snn                                  one layout for programs
  snnc train train.toml -o run                      train one, with delays, within the limits of a machine

a machine:
  snnc check cnn.snn --platform chip.toml           does it fit? which layer breaks which limit, and what helps
  snnc sensitivity cnn.onnx --data images.npz --platform chip.toml   how many bits, how large crossbars?
  snnc compile digits.snn --data spikes.npz -o out  every stage and the configured machine
  snnc verify out                                   the machine against the program, spike by spike
  snnc report out                                   what came out, as text or JSON
  snnc analog out                                   its crossbars as resistive cells and wires, with their errors
  snnc compile digits.snn -o out --package d.snnpkg the same, as one file for a machine that is shared
  snnc machine admit chip.db d.snnpkg               let it in beside others, with a guarantee; see snnc machine -h
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snnir.cli.arguments import (
    FRONTENDS,
    OneLineArgumentParser,
    VersionAction,
    add_model_options,
    fraction,
    numbers,
)
from snnir.cli.machine_arguments import EXAMPLES, add_machine
from snnir.cli.snn_opt import guarded, tell

TOOL = "snnc"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, 1 after an error or when something differs, 130 when interrupted."""
    return guarded(lambda: run(_parser().parse_args(sys.argv[1:] if arguments is None else arguments)))


def run(args: argparse.Namespace) -> int:
    """Run a subcommand and print what goes wrong; the compiler is imported only now."""
    from snnir.cli.commands import command_named  # noqa: PLC0415
    from snnir.cli.errors import USER_ERRORS, Situation, describe, internal_error  # noqa: PLC0415
    from snnir.cli.locations import diagnostics_kept_short  # noqa: PLC0415

    situation = Situation(TOOL)
    try:
        with diagnostics_kept_short() as situation.trap:
            code = command_named(args.command)(args, situation)
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        raise
    except USER_ERRORS as error:
        tell(error, describe(error, situation), debug=args.debug)
    except Exception as error:
        tell(error, internal_error(error, situation), debug=args.debug)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = OneLineArgumentParser(TOOL, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-v", "--version", action=VersionAction, nargs=0, help="print the versions and leave")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_import(commands.add_parser("import", help="read a model of any format, say what is in it, convert it"))
    _add_sim(commands.add_parser("sim", help="run a program, and hold it against a recording"))
    _add_diff(commands.add_parser("diff", help="what differs between two models or two recordings"))
    _add_profile(commands.add_parser("profile", help="how active a program is on data"))
    encode_help = "data of an ordinary network as spikes, or published recordings"
    _add_encode(_with_examples(commands, "encode", encode_help, ENCODE_EXAMPLES))
    _add_fmt(commands.add_parser("fmt", help="format .snn programs"))
    _add_train(_with_examples(commands, "train", "train a program, with delays, within the limits of a machine", TRAIN))
    _add_check(_with_examples(commands, "check", "which limits of a machine a model meets or breaks", CHECK_EXAMPLES))
    _add_sensitivity(
        _with_examples(
            commands, "sensitivity", "accuracy and crossbars for bits of weights and sizes", SENSITIVITY_EXAMPLES
        )
    )
    _add_compile(commands.add_parser("compile", help="compile a model into a build directory"))
    _add_verify(commands.add_parser("verify", help="hold the emitted machine against the program"))
    _add_report(commands.add_parser("report", help="say what came out of a build"))
    _add_analog(_with_examples(commands, "analog", "what a build computes on analog crossbars", ANALOG_EXAMPLES))
    add_machine(_with_examples(commands, "machine", "a machine that applications share: admit, remove, show", EXAMPLES))
    return parser


def _with_examples(commands: Any, name: str, help_: str, examples: str) -> argparse.ArgumentParser:
    """A subcommand whose help ends with examples as they are written."""
    raw = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=help_, description=help_, epilog=examples, formatter_class=raw)


def _add_model(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", help="the network: .snn, .nir, .onnx, .mlir, a SONATA folder or .json, neuron lists")
    add("-f", "--frontend", choices=["mlir", *FRONTENDS], help="its format, where its name does not say")
    add_model_options(parser)
    add("--platform", type=Path, metavar="FILE.toml", help="the machine to compile for, instead of the one named")


def _add_data(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--data", metavar="FILE", help=what)
    parser.add_argument("--samples", type=int, metavar="N", help="use only the first N samples")


DATA = ".npz with an array (samples, steps, lines) per input, perhaps `labels`; NIRData .h5; a SONATA model"
OWN_DATA = f"{DATA}; when left out, the stimulus that the program states"


def _add_names(parser: argparse.ArgumentParser) -> None:
    names_help = "what a file calls a signal, where it is called otherwise (several: separate by commas)"
    parser.add_argument("--names", action="append", default=[], metavar="SIGNAL=ARRAY", help=names_help)


def _add_common(parser: argparse.ArgumentParser, *, json: bool = True) -> None:
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--debug", action="store_true", help="the traceback of every error")


def _add_import(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    output_help = "write it as .snn, .nir, .onnx, .mlir, .sonata or .neurons, whole or not at all"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=output_help)
    _add_common(parser)


def _add_sim(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser, f"{OWN_DATA} or the inputs in the recording")
    add = parser.add_argument
    golden_help = "a recording (.npz, NIRData .h5, SONATA spikes): compare, and say where and why it differs first"
    add("--golden", type=Path, metavar="FILE", help=golden_help)
    explain_help = "longest search for what explains a difference (0: none; default 20)"
    add("--explain", type=float, default=20.0, metavar="SECONDS", help=explain_help)
    _add_names(parser)
    engine_help = "step by step, or from event to event (default: what suits the data)"
    add("--engine", choices=["auto", "steps", "events"], default="auto", help=engine_help)
    add("--voltages", metavar="NAME,...", help="record the membranes of these populations too")
    add("-o", "--output", type=Path, metavar="FILE", help="write all spikes here: .npz, or NIRData as .h5")
    _add_common(parser)


def _add_diff(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("first", type=Path, metavar="A", help="a recording, a model, or a build directory")
    add("second", type=Path, metavar="B", help="what it is compared with")
    add_model_options(parser)
    _add_data(parser, f"run both models on this: {DATA}")
    _add_names(parser)
    _add_common(parser)


def _add_profile(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser, OWN_DATA)
    _add_names(parser)
    add = parser.add_argument
    add("--top", type=int, default=3, metavar="N", help="list the N most active neurons of each population")
    add("-o", "--output", type=Path, metavar="FILE.mlir", help="write the program with its activity here")
    _add_common(parser)


ENCODE_EXAMPLES = """\
examples:
  snnc encode spiking.mlir --data images.npz -o spikes.npz
  snnc encode shd_train.h5.gz --format shd --set dt=0.014 --set steps=100 --set group=5 -o shd.npz
  snnc encode N-MNIST --format nmnist --subset test --samples 500 -o nmnist.npz
  snnc encode recordings --format wav --subset train --set late=drop -o digits.npz
  snnc encode --format lags --samples 1000 --seed 1 -o lags.npz

docs/training-data.md explains formats and options.
"""


def _add_encode(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", nargs="?", help="the spiking network, as convert-ann-to-snn made it: .mlir; with --format, the data")
    add("-f", "--frontend", choices=["mlir"], help="its format, where its name does not say")
    add("--data", metavar="FILE", help=".npz with an array (samples, 1, lines) per input, and `labels`")
    format_help = "encode files of this format in place of data of a network; lags is a generated task"
    add("--format", choices=["shd", "ssc", "nmnist", "wav", "lags"], help=format_help)
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the format, as dt=0.01")
    add("--subset", choices=["train", "test"], help="the part of a folder that holds both")
    add("--input", default="input", metavar="NAME", help="what the signal of a format is called (default: input)")
    add("--samples", type=int, metavar="N", help="use only the first N samples")
    add("--steps", type=int, metavar="N", help="steps of an inference (default: what the program says)")
    add("--seed", type=int, default=0, metavar="N", help="what random spikes are drawn from (default 0)")
    add("-o", "--output", type=Path, required=True, metavar="FILE.npz", help="write the data here")
    _add_common(parser, json=False)


def _add_fmt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a .snn program")
    parser.add_argument("--check", action="store_true", help="change nothing, list what is not formatted; exit code 1")
    _add_common(parser, json=False)


TRAIN = """\
examples:
  snnc train train.toml -o run                     all stages: train, prune, fine-tune, train with rounded weights
  snnc train train.toml -o run --resume            go on after an interruption, to the same bytes
  snnc train train.toml -o other --seed 1 --epochs 5
  snnc sim run/quantised.mlir --data test.npz

a small train.toml:
  [network]
  layers = [64, 48, 48, 10]
  delays = { levels = 30, stride = 2 }
  [data]
  train = "train.npz"
  validation = 0.1
  test = "test.npz"
  [training]
  epochs = 30
  [prune]
  by = "axon"
  keep = 15
  [quantise]
  bits = 8
  [hardware]
  platform = "chip.toml"
  deploy = true

Needs the extra `train` (torch, snntorch). docs/training.md explains all entries and what is written.
"""


def _add_train(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("description", type=Path, metavar="FILE.toml", help="what is trained, with which data, for which machine")
    output_help = "where all is written (default: NAME.trained, of NAME.toml)"
    add("-o", "--output", type=Path, metavar="DIRECTORY", help=output_help)
    add("--resume", action="store_true", help="go on from the checkpoint in the directory")
    add("--epochs", type=int, metavar="N", help="epochs of the first stage, instead of what the description says")
    add("--seed", type=int, metavar="N", help="the seed, instead of what the description says")
    add("--nir", action="store_true", help="write the trained programs as .nir too")
    _add_common(parser)


CHECK_EXAMPLES = """\
examples:
  snnc check cnn.snn --platform chip.toml          a table of the layers, every broken limit with a hint
  snnc check cnn.nir --dt 1e-3 --platform chip.toml --json > check.json
  snnc profile cnn.snn --data spikes.npz -o profiled.mlir
  snnc check profiled.mlir --platform chip.toml    buffers as full as the profile makes them

exit code: 0 when all fits, 1 when a limit is broken. docs/check-platform.md explains the table and the JSON.
"""


def _add_check(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    activity_help = "spikes that buffers must hold: a profile's peak, where there is one, or all neurons"
    parser.add_argument("--activity", choices=["peak", "worst"], default="peak", help=activity_help)
    _add_common(parser)


SENSITIVITY_EXAMPLES = """\
examples:
  snnc sensitivity cnn.onnx --data images.npz --platform chip.toml
  snnc sensitivity cnn.onnx --data test.npz --calibration train.npz --platform chip.toml --signals 4
  snnc sensitivity digits.snn --data spikes.npz --bits 2,4,8 --crossbars 32,64 --json > table.json

docs/transforming.md explains the table.
"""


def _add_sensitivity(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser, f"what accuracy is measured on, or where there are no labels, agreement: {DATA}")
    add = parser.add_argument
    calibration_help = "what transformations are fitted to, without labels (default: the file of --data)"
    add("--calibration", metavar="FILE", help=calibration_help)
    add("--bits", type=numbers, default=(2, 3, 4, 6, 8), metavar="N,...", help="bits of weights (default 2,3,4,6,8)")
    sizes_help = "rows and columns of crossbars (default 64,128,256)"
    add("--crossbars", type=numbers, default=(64, 128, 256), metavar="N,...", help=sizes_help)
    add("--signals", type=int, metavar="N", help="bits of codes between layers (default: what the machine has)")
    _add_common(parser)


def _add_compile(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser, f"profile the program on this: {DATA}")
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="the build directory to make")
    add("--pass-pipeline", metavar="PIPELINE", help="passes to run instead of the default pipeline")
    add("--activity", choices=["peak", "worst"], default="peak", help="what the guarantee assumes of the spikes")
    add("--load", action="append", default=[], metavar="FILE.py", help="file or module with passes of your own")
    add("--package", type=Path, metavar="FILE.snnpkg", help="write what run time needs to admit it to a machine")
    throughput_help = "what the package asks for wherever it is admitted: steps per second, at least"
    add("--throughput", type=fraction, metavar="STEPS_PER_S", help=throughput_help)
    add("--latency", type=fraction, metavar="SECONDS", help="the same: time until the first step is out, at most")
    _add_common(parser, json=False)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("build", type=Path, help="a build directory")
    _add_data(parser, DATA)
    timing_help = "steps whose timing is simulated (0: none; default 2000)"
    parser.add_argument("--timing-steps", type=int, default=2000, metavar="N", help=timing_help)
    _add_common(parser)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("build", type=Path, help="a build directory")
    _add_common(parser)


ANALOG_EXAMPLES = """\
examples:
  snnc compile digits.snn --platform samples/platforms/rram-128.toml --data spikes.npz -o out
  snnc analog out                                  the device that the platform states, five chips of it
  snnc analog out --device my-cells.toml           another one: tables device and source, perhaps crossbar.adc_bits
  snnc analog out --effects cells,wires --seeds 20 --json

docs/analog.md explains the model and the table.
"""


def _add_analog(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("build", type=Path, help="a build directory")
    _add_data(parser, f"{DATA}; by default what the build was compiled with")
    device_help = "the cells: a platform file, or one with the table device; by default the platform's own"
    add("--device", type=Path, metavar="FILE.toml", help=device_help)
    add("--seeds", type=int, default=5, metavar="N", help="chips that are made, each with its own errors (default 5)")
    effects_help = "some of cells, wires, noise, converter (default: all)"
    add("--effects", metavar="NAME,...", default="cells,wires,noise,converter", help=effects_help)
    ranges_help = "converters hold what the first samples need (calibrated), or all that can be (worst)"
    add("--ranges", choices=["calibrated", "worst"], default="calibrated", help=ranges_help)
    add("--fast", action="store_true", help="what wires drop to first order instead of exactly")
    _add_common(parser)


if __name__ == "__main__":
    sys.exit(main())
