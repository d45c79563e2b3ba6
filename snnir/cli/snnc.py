"""`snnc`: from a trained network to a verified crossbar machine, for people who don't want to write pipelines.

snnc compile digits.snn --data spikes.npz -o out/digits     every stage and the configured machine
snnc sim digits.snn --data spikes.npz                       what the program computes
snnc verify out/digits                                      the machine against the program, spike by spike
snnc report out/digits                                      what came out, as text or JSON
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from snnir.cli.arguments import FRONTENDS, OneLineArgumentParser, VersionAction
from snnir.cli.snn_opt import guarded, tell

TOOL = "snnc"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, 1 after an error or a failed verification, 130 when interrupted."""
    return guarded(lambda: run(_parser().parse_args(sys.argv[1:] if arguments is None else arguments)))


def run(args: argparse.Namespace) -> int:
    """Run a subcommand and print what goes wrong; the compiler is imported only now."""
    from snnir.cli.commands import COMMANDS  # noqa: PLC0415
    from snnir.cli.errors import USER_ERRORS, Situation, describe, internal_error  # noqa: PLC0415
    from snnir.cli.locations import diagnostics_kept_short  # noqa: PLC0415

    situation = Situation(TOOL)
    command: Callable[[argparse.Namespace, Situation], int] = COMMANDS[args.command]
    try:
        with diagnostics_kept_short() as situation.trap:
            return command(args, situation)
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
    _add_compile(commands.add_parser("compile", help="compile a model into a build directory"))
    _add_sim(commands.add_parser("sim", help="run a program on recorded spikes"))
    _add_verify(commands.add_parser("verify", help="hold the emitted machine against the program"))
    _add_report(commands.add_parser("report", help="say what came out of a build"))
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", help=f"the network: {', '.join(f'.{name}' for name in ['mlir', *FRONTENDS])}")
    add("--dt", type=float, metavar="SECONDS", help="length of one step, where the file does not say")
    add("--steps", type=int, metavar="N", help="steps per inference, where the file does not say")
    add("--semantics", metavar="PRESET", help="neuron semantics, where the file does not say: nir, snntorch, ...")
    add("--platform", type=Path, metavar="FILE.toml", help="the machine to compile for, instead of the one named")


def _add_data(parser: argparse.ArgumentParser, *, required: bool) -> None:
    what = ".npz file: an array (samples, steps, lines) of zeros and ones per input, perhaps `labels`"
    parser.add_argument("--data", required=required, metavar="SPIKES.npz", help=what)
    parser.add_argument("--samples", type=int, metavar="N", help="use only the first N samples")


def _add_debug(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--debug", action="store_true", help="the traceback of every error")


def _add_compile(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser, required=False)
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="the build directory to make")
    add("--pass-pipeline", metavar="PIPELINE", help="passes to run instead of the default pipeline")
    add("--activity", choices=["peak", "worst"], default="peak", help="what the guarantee assumes of the spikes")
    add("--load", action="append", default=[], metavar="FILE.py", help="file or module with passes of your own")
    _add_debug(parser)


def _add_sim(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    _add_data(parser, required=True)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.npz", help="write all spikes here")
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_debug(parser)


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("build", type=Path, help="a build directory")
    _add_data(parser, required=False)
    timing_help = "steps whose timing is simulated (0: none; default 2000)"
    parser.add_argument("--timing-steps", type=int, default=2000, metavar="N", help=timing_help)
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_debug(parser)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("build", type=Path, help="a build directory")
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_debug(parser)


if __name__ == "__main__":
    sys.exit(main())
