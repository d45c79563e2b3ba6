"""`snn-opt`: reads a program or IR text, runs a pipeline of passes over it, prints the result.

Everything that `xdsl-opt` has, and what a compiler engineer misses there: pipelines in MLIR's spelling, input formats
by extension, passes loaded from the user's files, observation on stderr, and errors of one line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from snnir.cli.arguments import parse_arguments
from snnir.errors import SnnirError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0, 1 after an error, 130 when interrupted."""
    return guarded(lambda: run(parse_arguments(sys.argv[1:] if arguments is None else arguments)))


def guarded(command: Callable[[], int]) -> int:
    """What every command does around its work: exit codes for interruption, a reader that is gone, bad arguments."""
    try:
        return command()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has gone; without this, Python complains once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except SnnirError as error:
        print(error, file=sys.stderr)
        return 1


def run(args: argparse.Namespace) -> int:
    """Run the driver and print what goes wrong; xDSL is imported only now."""
    from snnir.cli.driver import SNNOptMain, xdsl_state_kept  # noqa: PLC0415
    from snnir.cli.errors import USER_ERRORS, Situation, describe, internal_error  # noqa: PLC0415
    from snnir.cli.locations import diagnostics_kept_short  # noqa: PLC0415

    situation = Situation("snn-opt")
    try:
        with xdsl_state_kept(), diagnostics_kept_short() as situation.trap:
            SNNOptMain(args, situation).run()
            sys.stdout.flush()
        return 0
    except BrokenPipeError:
        raise
    except USER_ERRORS as error:
        tell(error, describe(error, situation), debug=args.debug)
    except Exception as error:
        tell(error, internal_error(error, situation), debug=args.debug)
    return 1


def tell(error: BaseException, text: str, *, debug: bool) -> None:
    """Print an error: below its traceback when that is asked for, else below its notes."""
    if debug:
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
    else:
        sys.stderr.write("".join(f"{note}\n" for note in getattr(error, "__notes__", ())))
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
