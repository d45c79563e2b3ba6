"""What `snn-opt` does once its arguments are known: read, run the pipeline, print.

A subclass of xDSL's driver. It raises whatever goes wrong; `snnir.cli.snn_opt.main` prints it.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, nullcontext
from importlib import import_module
from io import BytesIO, StringIO
from itertools import accumulate
from pathlib import Path
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.passes import ModulePass, PassPipeline
from xdsl.utils.diagnostic import Diagnostic
from xdsl.utils.exceptions import DiagnosticException, MultipleSpansParseError, ParseError, ShrinkException
from xdsl.utils.lexer import Span
from xdsl.utils.target import Target
from xdsl.xdsl_opt_main import xDSLOptMain

from snnir.cli.arguments import DATAFLOW, FRONTENDS, TARGETS, TOOL, add_arguments, format_of
from snnir.cli.errors import Situation, describe
from snnir.cli.extensions import installed_passes, load_extension
from snnir.cli.instruments import Instruments
from snnir.cli.locations import LocatingParser
from snnir.cli.output import check_writable, is_special, write_whole
from snnir.cli.pipeline import Text, build_passes, make, read_pipeline
from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.universe import SNNIR_UNIVERSE, dialect_factory, pass_factory

STDIN = "<stdin>"
MACHINE = "platform.machine"
"""The module attribute that holds the machine."""

GENERIC_DIALECTS = {
    "builtin": ("xdsl.dialects.builtin", "Builtin"),
    "arith": ("xdsl.dialects.arith", "Arith"),
    "func": ("xdsl.dialects.func", "Func"),
    "pdl": ("xdsl.dialects.pdl", "PDL"),
    "test": ("xdsl.dialects.test", "Test"),
}
"""xDSL's dialects that are useful beside ours."""

GENERIC_PASSES = {
    "apply-pdl": ("xdsl.transforms.apply_pdl", "ApplyPDLPass"),
    "canonicalize": ("xdsl.transforms.canonicalize", "CanonicalizePass"),
    "cse": ("xdsl.transforms.common_subexpression_elimination", "CommonSubexpressionElimination"),
    "dce": ("xdsl.transforms.dead_code_elimination", "DeadCodeElimination"),
}
"""xDSL's passes that do not depend on a dialect of its own."""

_SPLIT = re.compile(rb"^// -----[ \t]*\r?$", re.MULTILINE)
_FRONTEND_ARGUMENTS = {"dt": None, "steps": None, "semantics": None, "reset": None, "fix": False}
"""The arguments that say what a file may leave open, and what they are when they are not given."""


class SNNOptMain(xDSLOptMain):
    """One run of `snn-opt`."""

    def __init__(self, args: argparse.Namespace, situation: Situation) -> None:
        self.args = args
        self.situation = situation
        self.available_frontends = {}
        self.available_passes = {}
        self.available_targets = {}
        self.ctx = Context(allow_unregistered=args.allow_unregistered_dialect)
        self.register_all_dialects()
        self.register_all_frontends()
        self.register_all_passes()
        self.register_all_targets()
        self.situation.input_name = self.get_input_name()
        self.instruments = Instruments(args, situation)
        self.line_offset = 0
        with self.instruments.timed("load"):
            for target in args.load:
                self.register_extension(target)
            self.target = self.make_target()
            self.setup_pipeline()

    # What there is

    def register_all_dialects(self) -> None:
        """Ours, and the few of xDSL that are useful beside them."""
        for name, where in GENERIC_DIALECTS.items():
            self.ctx.register_dialect(name, dialect_factory(*where))
        for name, factory in SNNIR_UNIVERSE.all_dialects.items():
            self.ctx.register_dialect(name, factory)

    def register_all_passes(self) -> None:
        """Ours, xDSL's generic ones, and those of installed packages; `--load` adds more later."""
        self.available_passes |= SNNIR_UNIVERSE.all_passes
        self.available_passes |= {name: pass_factory(*where) for name, where in GENERIC_PASSES.items()}
        for name, factory in installed_passes().items():
            self.register_new_pass(name, factory, "an installed package")

    def register_new_pass(self, name: str, factory: Callable[[], type[ModulePass]], origin: str) -> None:
        """Register a pass that is not ours; `SnnirError` when its name is taken."""
        if name in self.available_passes:
            raise SnnirError(origin, f"there is already a pass '{name}'", "give it another name")
        self.register_pass(name, factory)

    def register_extension(self, target: str) -> None:
        """Register what a `--load` brings in; `SnnirError` when a name is taken."""
        extension = load_extension(target)
        for name, cls in extension.passes.items():
            self.register_new_pass(name, lambda cls=cls: cls, target)
        known = set(self.ctx.registered_dialect_names)
        for name, dialect in extension.dialects.items():
            if name not in known:
                self.ctx.load_dialect(dialect)
                continue
            self.ctx.load_registered_dialect(name)
            if dialect not in self.ctx.loaded_dialects:
                raise SnnirError(target, f"there is already a dialect '{name}'", "give it another name")

    def register_all_targets(self) -> None:
        """IR text, and SDF3 files of dataflow graphs; configurations are written by `snnc`."""
        self.available_targets |= {name: _target_factory(*where) for name, where in TARGETS.items()}

    def register_all_frontends(self) -> None:
        """IR text, and the formats of `FRONTENDS`, whose modules are imported when a file needs them."""
        self.available_frontends["mlir"] = self.read_mlir
        for extension in FRONTENDS:
            self.available_frontends[extension] = lambda _, extension=extension: self.read_program(extension)

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        """xDSL's arguments and ours."""
        add_arguments(arg_parser)

    def make_target(self) -> Target:
        """The target that `--target` and the printing arguments describe."""
        to_xml = (self.args.output_file or "").endswith(".xml")
        name: str = self.args.target or (DATAFLOW if to_xml else "mlir")
        text = Text(name, "--target")
        elements = read_pipeline(text.content, text.source)
        if len(elements) != 1 or elements[0].name not in self.available_targets:
            raise SnnirError(TOOL, f"unknown target '{name}'", "known: " + ", ".join(self.available_targets))
        factory: Callable[[], type[Target]] = self.available_targets[elements[0].name]  # pyright: ignore[reportAssignmentType]
        target = make(elements[0], factory(), text)
        chosen = {
            "print_generic_format": self.args.print_op_generic,
            "print_properties_as_attributes": self.args.print_no_properties,
            "print_debuginfo": self.args.print_debuginfo,
            "syntax_highlight": self.args.syntax_highlight,
        }
        wanted = [field for field, said in chosen.items() if said]
        if target.name == DATAFLOW and (wanted or self.args.split_input_file):
            hint = "omit --split-input-file, --syntax-highlight and what begins with --print-"
            raise SnnirError(TOOL, "an SDF3 file is printed in one way", hint)
        return dataclasses.replace(target, **dict.fromkeys(wanted, True))

    def setup_pipeline(self) -> None:
        """Build the passes that `--pass-pipeline` or `--passes` names."""
        if self.args.pass_pipeline is not None and self.args.passes:
            raise SnnirError(TOOL, "both --pass-pipeline and --passes are given", "give one of them")
        text = self.args.passes if self.args.pass_pipeline is None else self.args.pass_pipeline
        passes = build_passes(text, self.available_passes)
        self.pipeline = PassPipeline(passes, self.instruments.between_passes)

    # What a run does

    def run(self) -> None:
        """Read, transform and print each chunk of the input; nothing is written before all of them are done."""
        if self.args.list_passes:
            print(self.list_passes())
            return
        output = self.output_path()
        if self.args.disable_verify:
            Attribute.__post_init__ = _nothing
        Diagnostic.colored = self.args.syntax_highlight
        try:
            self.process_all(output)
        except ShrinkException:
            if not self.args.shrink:
                raise
            print("Success, can shrink")
            return
        self.instruments.report()
        if self.args.shrink:
            print("Failure, can't shrink")
            sys.exit(1)

    def list_passes(self) -> str:
        """All passes with their options, ours first."""
        from snnir.cli.listing import pass_listing  # noqa: PLC0415  (only needed here)

        ours = SNNIR_UNIVERSE.all_passes
        theirs = {name: factory for name, factory in self.available_passes.items() if name not in ours}
        return f"{pass_listing(ours)}\n\nother passes:\n\n{pass_listing(theirs)}"

    def get_input_name(self) -> str:
        """The input's name in places of errors."""
        return self.args.input_file if self.args.input_file not in (None, "-") else STDIN

    def output_path(self) -> Path | None:
        """Where `-o` leads, `None` for stdout; `SnnirError` when it cannot be written."""
        if self.args.output_file in (None, "-"):
            return None
        path = Path(self.args.output_file)
        check_writable(path)
        return path

    def process_all(self, output: Path | None) -> None:
        """All chunks through the pipeline, then everything that is to be written."""
        from snnir import tensors  # noqa: PLC0415  (numpy: not for --help)

        printed: list[str] = []
        diagnostics: list[str] = [] if output else printed
        policy = None
        with tensors.source_directory(self.source_directory()):
            if output is not None and not is_special(output) and not self.args.elide_tensors:
                with tensors.sink(f"{output.name}.safetensors") as policy:
                    self.process_chunks(printed, diagnostics)
            else:
                with tensors.elided() if self.args.elide_tensors else nullcontext():
                    self.process_chunks(printed, diagnostics)
            with self.instruments.timed("write"):
                if output is None:
                    sys.stdout.write("".join(printed))
                    sys.stdout.flush()
                    return
                if policy is not None:
                    tensors.write_stored(policy, output.parent)
                write_whole(output, "".join(printed))
        sys.stdout.write("".join(diagnostics))

    def source_directory(self) -> Path:
        """Names of tensor files in the input are relative to this directory."""
        return Path() if self.get_input_name() == STDIN else Path(self.args.input_file).parent

    def process_chunks(self, printed: list[str], diagnostics: list[str]) -> None:
        """Append what each chunk becomes to `printed`, and errors that are asked for to `diagnostics`."""
        extension = self.input_extension()
        for number, (chunk, offset) in enumerate(self.chunks(extension)):
            if number:
                printed.append("// -----\n")
            try:
                printed.append(self.process(chunk, extension, offset))
            except (ParseError, DiagnosticException, SnnirError) as error:
                of_parser = isinstance(error, ParseError)
                if not (self.args.parsing_diagnostics if of_parser else self.args.verify_diagnostics):
                    raise
                diagnostics.append(f"{describe(error, self.situation)}\n")
            self.situation.activity = ""

    def process(self, chunk: bytes, extension: str, line_offset: int) -> str:
        """One chunk of input, read, transformed and printed."""
        self.line_offset = line_offset
        self.situation.module = None
        with self.instruments.timed("read"):
            module = self.available_frontends[extension](BytesIO(chunk))
        self.situation.module = module
        self.apply_passes(module)
        with self.instruments.timed("print"):
            return self.output_resulting_program(module)

    def input_extension(self) -> str:
        """The format of the input: `--frontend`, else what its name says, `mlir` for stdin."""
        if self.args.frontend:
            return self.args.frontend
        name = self.get_input_name()
        extension = "mlir" if name == STDIN else format_of(Path(name))
        if extension not in self.available_frontends:
            what = f"unknown file extension '.{extension}'" if extension else "the file name has no extension"
            known = "known are .mlir, .snn, .nir, .onnx, .json (SONATA), .xml (SDF3) and ...connection_info.txt"
            raise SnnirError(name, what, f"{known}; --frontend names the format of a file with another name")
        return extension

    def chunks(self, extension: str) -> Iterable[tuple[bytes, int]]:
        """The pieces of the input and the number of lines before each; programs are read by their front ends."""
        if extension != "mlir":
            if self.args.split_input_file:
                raise SnnirError(
                    self.get_input_name(), f"a .{extension} file cannot be split", "omit --split-input-file"
                )
            return [(b"", 0)]
        for argument, absent in _FRONTEND_ARGUMENTS.items():
            if getattr(self.args, argument) != absent:
                hint = "in .mlir all of this is part of the text"
                programs = ", ".join(name for name in FRONTENDS if name != DATAFLOW)
                raise SnnirError(TOOL, f"--{argument} is for programs ({programs})", hint)
        from_stdin = self.get_input_name() == STDIN
        content = sys.stdin.buffer.read() if from_stdin else Path(self.args.input_file).read_bytes()
        pieces = _SPLIT.split(content) if self.args.split_input_file else [content]
        lines = accumulate((piece.count(b"\n") for piece in pieces[:-1]), initial=0)
        return zip(pieces, lines, strict=True)

    def read_mlir(self, stream: IO[bytes]) -> ModuleOp:
        """IR text; the machine of `--platform` replaces the one in it."""
        try:
            text = stream.read().decode()
        except UnicodeDecodeError as error:
            raise SnnirError(self.get_input_name(), f"not UTF-8 text: {error.reason} at byte {error.start}") from None
        parser = LocatingParser(self.ctx, text, self.get_input_name(), self.line_offset)
        try:
            module = parser.parse_module(not self.args.no_implicit_module)
        except ParseError as error:
            raise self.moved(error) from error
        except ValueError as error:
            place = f"{self.get_input_name()}:{parser.line_and_column(parser.pos)[0]}"
            raise SnnirError(place, str(error)) from error
        if self.args.platform is not None:
            read_platform = import_module("snnir.frontend.platform").read_platform
            module.attributes[MACHINE] = read_platform(self.args.platform)
        return module

    def moved(self, error: ParseError) -> ParseError:
        """The error with the line numbers of the whole file."""

        def move(span: Span[str] | Span[bytes]) -> Span[str] | Span[bytes]:
            return dataclasses.replace(span, line_offset=self.line_offset)

        error.span = move(error.span)
        if isinstance(error, MultipleSpansParseError):
            error.refs = [(move(span), text) for span, text in error.refs]
        return error

    def read_program(self, extension: str) -> ModuleOp:
        """A program, through its front end."""
        if self.get_input_name() == STDIN:
            raise SnnirError(STDIN, f"a .{extension} program is read from a file only", "name the file")
        path = Path(self.args.input_file)
        path.stat()
        read = import_module(FRONTENDS[extension]).read
        args = self.args
        return read(path, FrontendOptions(args.dt, args.steps, args.semantics, args.reset, args.fix, args.platform))

    def output_resulting_program(self, prog: ModuleOp) -> str:
        """The module as the target prints it, ending in one newline."""
        text = StringIO()
        self.target.emit(self.ctx, prog, text)
        return text.getvalue().rstrip("\n") + "\n"


def read_module(driver: SNNOptMain) -> ModuleOp:
    """The one verified module of a network that a driver's arguments name."""
    from snnir import tensors  # noqa: PLC0415  (numpy: not for --help)

    extension = driver.input_extension()
    if extension == DATAFLOW:
        name = driver.get_input_name()
        hint = f"snn-opt {name} -p dataflow-analyze-throughput"
        raise SnnirError(name, "an SDF3 file holds a dataflow graph, and no network", hint)
    with tensors.source_directory(driver.source_directory()):
        ((content, _),) = driver.chunks(extension)
        module = driver.available_frontends[extension](BytesIO(content))
    driver.situation.module = module
    module.verify()
    return module


def _target_factory(module: str, name: str) -> Callable[[], type[Target]]:
    """A function that imports `module`, when something is to be printed, and returns the target."""
    return lambda: getattr(import_module(module), name)


def _nothing(self: Attribute) -> None:
    """Takes the place of the attributes' verifier when `--disable-verify` is given."""


@contextmanager
def xdsl_state_kept() -> Generator[None]:
    """Undo afterwards what a run changes in xDSL's classes, so that runs in one process do not influence each other."""
    post_init, colored = Attribute.__post_init__, Diagnostic.colored
    try:
        yield
    finally:
        Attribute.__post_init__ = post_init
        Diagnostic.colored = colored
