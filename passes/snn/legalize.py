"""`snn-legalize`: ordinary networks rebuilt with the neurons that a machine has."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.platform import machine_of
from snnir.dialects.snn import (
    ActivationOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
)
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.snn.activation_forms import reform
from snnir.passes.snn.affine import LinearOp, type_of
from snnir.passes.snn.folder import Folder
from snnir.passes.snn.max_pools import activations_first, average, of_spikes, of_values
from snnir.passes.snn.projections import erase_unused
from snnir.passes.snn.rebuild import Builder
from snnir.passes.snn.reforming import Work, measured

HAVE = ("relu", "clip")
"""The activations from which all others are made."""


@dataclass(frozen=True)
class SNNLegalize(SNNPass):
    """Rebuild what a machine lacks from the activations that it has, `relu` or `clip` or both.

    Exact in real numbers: `leaky_relu` (two relu), `clip` without a clip (three relu), max pools (a tree of
    max(a, b) = a + relu(b - a); of spikes, neurons that fire from one spike on). `elu`, `selu`, `sigmoid`, `tanh` and
    `softplus` become piecewise linear, with as few pieces as keep the error at most `error`. A softmax at the end is
    left out, because the class stays. An output that reads a current gets a clip with wide limits, so that a machine
    can return it. Average pools, sums and all else that crossbars hold stay. In the end all is folded as `snn-fold`
    does. What was done to each layer, and how wrong it is, stands in `layers`.
    """

    name = "snn-legalize"
    lossy = True

    models: tuple[str, ...] | None = None
    """The neurons that there are; the machine's `models` by default."""
    data: str | None = None
    """An .npz file of representative inputs: fits and limits then only reach as far as values do."""
    samples: int | None = None
    """How many of its samples to run; all by default."""
    error: float = 0.01
    """The largest error of a fitted activation; of a `square`, relative to its largest value."""
    max_pool: Literal["exact", "avg", "reject"] = "exact"
    """What becomes of max pools: comparisons, average pools (which are something else), or an error."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        models = self.models if self.models is not None else target.crossbar.models if target is not None else None
        if models is None:
            fail(network, "which neurons are there?", "give models=relu,clip, or a machine with --platform")
        if not self.error > 0:
            fail(network, f"an error of {self.error:g}", "give a number above 0")
        reaches = {} if self.data is None else measured(network, Path(self.data), self.samples)
        work = Work(network, models, self.error, reaches)
        self._check(work)
        names = activations_first(work) if self.max_pool == "exact" else {}
        for each in [each for each in network.body.block.ops if isinstance(each, ActivationOp)]:
            if each.MODEL not in models:
                reform(work, each)
        for pool in [each for each in network.body.block.ops if isinstance(each, MaxPoolOp)]:
            self._pool(work, pool, names.get(pool))
        for output in network.outputs.values():
            _end(work, output)
        _sweep(network)
        folder = Folder(network)
        folder.run()
        self.layers.extend([*work.layers, *folder.layers])
        self.statistics.update(work.counts)
        self.statistics.update(folder.counts)

    @staticmethod
    def _check(work: Work) -> None:
        first = next((each for each in work.network.body.block.ops if isinstance(each, ActivationOp)), None)
        if first is not None and not set(HAVE) & set(work.models):
            message = f"@{first.sym_name.data}: a {first.MODEL}, and there are only {', '.join(work.models)} neurons"
            fail(first, message, "choose a machine with relu or clip, or run convert-ann-to-snn")

    def _pool(self, work: Work, pool: MaxPoolOp, name: str | None) -> None:
        if self.max_pool == "reject":
            fail(pool, "a max pool, which crossbars cannot add up", "max-pool=exact compares, max-pool=avg averages")
        if self.max_pool == "avg":
            average(work, pool)
        elif type_of(pool.pooled).is_spike:
            of_spikes(work, pool)
        elif set(HAVE) & set(work.models):
            of_values(work, pool, name)
        else:
            fail(pool, "a max pool of values, and no relu or clip", "choose a machine with relu or clip")


def _end(work: Work, output: OutputOp) -> None:
    """Put a population behind a current that an output reads."""
    value = output.signal
    while isinstance(value.owner, FlattenOp):
        value = value.owner.source
    if isinstance(value.owner, InputOp | NeuronOp) or type_of(value).is_discrete:
        return
    name = output.sym_name.data
    if "clip" not in work.models:
        if not set(HAVE) & set(work.models):
            return  # a machine for spikes: lowering says what to do
        message = f"output @{name} reads a current of either sign, and there is no clip that could emit it"
        fail(output, message, "choose a machine with clip neurons, or let a relu come last")
    limit = work.limit(name)
    builder = Builder(output)
    emitted = work.clipped(builder, f"{name}_value", output.signal, -limit, limit)
    output.operands[0] = emitted
    known = "from data" if name in work.reaches else "wide, without data"
    work.note(f"@{name}", output, f"a clip at {limit:g} ({known}) emits the current that it reads", "ends")


def _sweep(network: NetworkOp) -> None:
    """Erase linear ops that nobody reads any more."""
    for each in list(network.body.block.ops)[::-1]:
        if isinstance(each, LinearOp) and each.parent is not None:
            erase_unused(each.results[0])
