"""Pruning between stages of a training: the pass `snn-prune-delays`, as `[prune]` asks for it."""

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.platform import Machine
from snnir.passes.snn.prune_delays import SNNPruneDelays
from snnir.train.description import Description
from snnir.train.stages import Stage


def pruned(module: ModuleOp, stage: Stage, description: Description, machine: Machine | None) -> ModuleOp:
    """A copy of a program with fewer delayed synapses. Raises `SnnirError` where none can be left."""
    prune = description.prune
    assert prune is not None
    found = module.clone()
    if prune.by == "memory":
        prune_pass = SNNPruneDelays(by="memory", entries=_entries(description, machine))
    else:
        prune_pass = SNNPruneDelays(by=prune.by, keep=stage.keep)
    prune_pass.apply(Context(), found)
    found.verify()
    return found


def _entries(description: Description, machine: Machine | None) -> int:
    """The entries that are left: those asked for, or those of one delay memory of the machine."""
    prune = description.prune
    assert prune is not None
    if prune.entries is not None:
        return prune.entries
    if machine is None or machine.delays is None or not machine.delays.entries:
        hint = "write entries = .., or name a platform whose delay memory has some"
        raise description.text.error("prune", "[prune] by memory says nothing of 'entries'", hint)
    return machine.delays.entries
