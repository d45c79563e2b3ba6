"""The front end for `.onnx` files: ordinary networks, one step for an inference, one sample at a time.

The steps, a module each: the file as it is (`file`, `tensors`), which operators are understood (`operators`), what
does not depend on data (`folding`), and declarations of the rest, node by node (`convert` with `context`: `weighted`,
`elementwise` with `affine`, `pools`, `layout`, on signals as `views`). Every defect is collected (`findings`) and
reported at once. docs/onnx.md has the mapping of each operator.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from snnir.errors import SnnirError
from snnir.frontend.build import build
from snnir.frontend.names import symbol
from snnir.frontend.network import Network
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform

DEFAULT_DT = 1e-3
"""The step of networks that know no time."""


def read(path: Path | str, options: FrontendOptions) -> ModuleOp:
    """The network in an `.onnx` file as IR, verified. Raises `SnnirError` with the place in the file.

    A `snnir.frontend.nir.lints.LintError` is the first of all `findings`; the others are shown as notes.
    """
    if find_spec("onnx") is None:
        raise SnnirError(path, "reading ONNX files needs the package onnx", "pip install 'snnir[onnx]'")
    for name in ("semantics", "reset"):
        if getattr(options, name) is not None:
            what = f"--{name} is about spiking neurons, but the neurons of an ONNX file have no state"
            raise SnnirError(path, what, f"omit --{name}")
    notes = Notes()
    module = build(read_network(path, options, notes))
    notes.show()
    return module


def read_network(path: Path | str, options: FrontendOptions, notes: Notes) -> Network:
    """The network in an `.onnx` file as declarations."""
    from snnir.frontend.onnx.convert import check_operators, converted  # noqa: PLC0415  (the package is an extra)
    from snnir.frontend.onnx.file import read_file  # noqa: PLC0415
    from snnir.frontend.onnx.findings import Findings  # noqa: PLC0415

    findings = Findings(options.fix, notes)
    model = read_file(path, findings)
    if model is None:
        findings.settle()
        raise AssertionError("a file that cannot be read is a finding")
    checked = Findings(options.fix, notes)
    check_operators(model, checked)
    checked.settle()
    if findings.has_defects:
        findings.settle()
    place = model.place
    if options.dt is None:
        notes.add(place, f"dt = {DEFAULT_DT:g} s is assumed: an ONNX file knows no time, and one inference is one step")
    declared = converted(model, findings)
    return Network(
        symbol(Path(path).stem),
        DEFAULT_DT if options.dt is None else options.dt,
        place,
        1 if options.steps is None else options.steps,
        place,
        declared.inputs,
        declared.transforms,
        declared.populations,
        declared.outputs,
        place,
        read_platform(options.platform) if options.platform is not None else None,
    )
