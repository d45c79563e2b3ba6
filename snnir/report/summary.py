"""The facts of a build as plain values (the content of `snnc report --json`; `version` counts its format)."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.cluster import ClusterOp, ProgramOp
from snnir.dialects.connections import connections_of
from snnir.dialects.dataflow import GraphOp
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import NetworkOp, NeuronOp, networks
from snnir.errors import SnnirError
from snnir.flow.directory import read_manifest, read_stage
from snnir.report.metrics import read_metrics, read_times
from snnir.report.transformation import read_transformation

VERSION = 1


def summarise_build(directory: Path, ctx: Context) -> dict[str, Any]:
    """Everything that the stages of a build say: program, machine, clusters, guarantee, what each pass counted."""
    manifest = read_manifest(directory)
    summary: dict[str, Any] = {
        "version": VERSION,
        "model": manifest.model,
        "pipeline": manifest.pipeline,
        "data": manifest.data,
        "passes": [{"name": s.name, "lossy": s.lossy, "statistics": s.statistics} for s in manifest.stages[1:]],
        "machine": None,
        "program": None,
        "clusters": None,
        "guarantee": None,
    }
    metrics = read_metrics(directory)
    summary["metrics"] = metrics and {"totals": metrics["totals"], "seconds": read_times(directory)}
    summary["energy"] = metrics and metrics.get("energy")
    summary["delays"] = metrics and metrics.get("delays")
    summary["transformation"] = read_transformation(directory)
    # a pass that replaces a level leaves out what earlier stages still hold: from the last stage back
    for stage in reversed(manifest.stages):
        found = _facts(read_stage(directory, stage, ctx))
        summary |= {key: value for key, value in found.items() if summary[key] is None}
        if all(summary[key] is not None for key in ("machine", "program", "clusters", "guarantee")):
            break
    return summary


def _facts(module: ModuleOp) -> dict[str, Any]:
    machine = machine_of(module)
    found: dict[str, Any] = {"machine": _machine(machine)} if machine is not None else {}
    for op in module.body.block.ops:
        if isinstance(op, NetworkOp):
            found["program"] = _program(op)
        if isinstance(op, ProgramOp):
            found["clusters"] = [_cluster(cluster, machine) for cluster in op.clusters]
        if isinstance(op, GraphOp) and op.period is not None and machine is not None:
            found["guarantee"] = _guarantee(op, machine, _steps(module))
    return found


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "name": machine.name,
        "mesh": list(machine.tiles.mesh),
        "crossbars": machine.crossbars,
        "rows": machine.crossbar.rows,
        "columns": machine.crossbar.columns,
        "weight_columns": machine.crossbar.weight_columns,
        "weight_bits": machine.crossbar.weight_bits or None,
        "signal_bits": machine.crossbar.signal_bits or None,
        "fanin": machine.crossbar.fanin,
        "time_unit": machine.time.unit,
        "states_energy": machine.energy is not None,
    }


def _program(network: NetworkOp) -> dict[str, Any]:
    return {
        "name": network.sym_name.data,
        "dt": network.step_seconds,
        "steps": network.steps.data if network.steps is not None else None,
        "sources": [_source(name, op) for name, op in network.sources.items()],
    }


def _source(name: str, op: Any) -> dict[str, Any]:
    activity = op.activity
    entry: dict[str, Any] = {"name": name, "size": op.size}
    if activity is not None:
        entry["spikes_per_step"] = {"mean": float(activity.mean), "peak": activity.peak.data}
    if isinstance(op, NeuronOp):
        entry["model"] = op.MODEL
        entry["semantics"] = vars(op.semantics.data)
        try:
            connections = connections_of(op)
        except SnnirError:
            return entry  # a program that was not placed may have projections that no crossbar can hold
        entry["synapses"] = sum(c.synapses.count for c in connections)
        entry["reads"] = [{"source": c.source, "delay": c.delay} for c in connections]
    return entry


def _cluster(op: ClusterOp, machine: Machine | None) -> dict[str, Any]:
    # a slice that is read several times in a step has several neurons on each of its columns
    cells = sum(len(part.rows) * part.columns for part in op.parts)
    return {
        "name": op.sym_name.data,
        "rows": op.rows,
        "columns": op.columns,
        "cells": cells,
        "used": None if machine is None else cells / (machine.crossbar.rows * machine.crossbar.weight_columns),
        "slices": [str(part) for part in op.parts],
        "tile": list(op.place.data.tile) if op.place is not None else None,
        "crossbar": op.place.data.crossbar if op.place is not None else None,
    }


def _steps(module: ModuleOp) -> int | None:
    return next((n.steps.data for n in networks(module) if n.steps is not None), None)


def _guarantee(graph: GraphOp, machine: Machine, steps: int | None) -> dict[str, Any]:
    assert graph.period is not None
    period, second = graph.period.data, machine.units_per_second
    rate = float(Fraction(second) / period) if period else None
    predicted = graph.predicted.data if graph.predicted is not None else None
    latency = graph.latency.data if graph.latency is not None else None
    slack = {a.sym_name.data: str(a.slack.data) for a in graph.actors if a.slack is not None}
    return {
        "activity": graph.activity.data,
        "period": str(period),
        "unit": machine.time.unit,
        "steps_per_second": rate,
        "inferences_per_second": rate / steps if rate is not None and steps else None,
        "predicted_steps_per_second": float(Fraction(second) / predicted) if predicted else None,
        "latency_seconds": float(latency / second) if latency is not None else None,
        "critical_cycle": [name.root_reference.data for name in graph.critical or ()],
        "slack": slack,
        "utilisation": {o.crossbar.data: float(o.utilisation.data) for o in graph.orders if o.utilisation is not None},
    }
