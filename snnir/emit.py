"""Writing a configured machine to disk: `config.json` and `cells.safetensors`, all that `snnir.machine` needs."""

import json
from dataclasses import asdict
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.crossbar import (
    AxonsOp,
    ChannelOp,
    CrossbarOp,
    FlowOp,
    InputOp,
    MachineOp,
    OutputOp,
    PopulationOp,
    SliceOp,
)
from snnir.dialects.crossbar_signals import SignalOp
from snnir.dialects.crossbar_slices import TABLE
from snnir.dialects.platform import Crossbar, Machine, machine_of
from snnir.dialects.ways import branches_of, floor_of
from snnir.errors import SnnirError
from snnir.indices import Indices
from snnir.tensors import write_safetensors

VERSION = 2
_TENSORS = "cells.safetensors"


def emit(module: ModuleOp, directory: Path) -> None:
    """Write the one `crossbar.machine` of a module into an existing directory."""
    found = [op for op in module.body.block.ops if isinstance(op, MachineOp)]
    machine = machine_of(module)
    if len(found) != 1 or machine is None:
        raise SnnirError(directory, "the module holds no configured machine", "run convert-dataflow-to-crossbar last")
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    document = _document(found[0], machine, arrays)
    write_safetensors(directory / _TENSORS, arrays)
    digest = blake2b((directory / _TENSORS).read_bytes(), digest_size=16).hexdigest()
    document["tensors"] = {"file": _TENSORS, "digest": digest}
    (directory / "config.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _document(op: MachineOp, machine: Machine, arrays: "dict[str, np.ndarray[Any, Any]]") -> dict[str, Any]:
    return {
        "format": "snnir-configuration",
        "version": VERSION,
        "name": op.sym_name.data,
        "dt": float(op.dt.value.data),
        "steps": op.steps.data if op.steps is not None else None,
        "tensors": {},
        "machine": machine_document(machine),
        "inputs": [_signal(i, arrays) for i in op.children(InputOp)],
        "populations": [_signal(p, arrays) for p in op.children(PopulationOp)],
        "outputs": [
            {"name": o.sym_name.data, "population": o.population.root_reference.data} for o in op.children(OutputOp)
        ],
        "crossbars": [_crossbar(crossbar, arrays) for crossbar in op.children(CrossbarOp)],
        "channels": [
            {"from": c.origin, "to": c.target, "delay": c.delay.value.data, "capacity": c.capacity.value.data}
            for c in op.children(ChannelOp)
        ],
        "flows": _flows(op, machine),
        "guarantee": _guarantee(op, machine),
    }


def machine_document(machine: Machine) -> dict[str, Any]:
    """A machine as `config.json` describes it."""
    time, link = machine.time, machine.link
    return {
        "name": machine.name,
        "mesh": list(machine.tiles.mesh),
        "crossbars_per_tile": machine.tiles.crossbars,
        "host": list(machine.tiles.host),
        "rows": machine.crossbar.rows,
        "columns": machine.crossbar.columns,
        "weight_bits": machine.crossbar.weight_bits or None,
        "arbitration": link.arbitration,
        "time": {
            "unit": time.unit,
            "read": time.read,
            "event": time.event,
            "convert": time.convert,
            "columns_per_adc": time.columns_per_adc,
            "add": time.add,
            "update": time.update,
            "spike": time.spike,
            "flit": link.flit,
            "hop_x": link.hop_x,
            "hop_y": link.hop_y,
            "chip_flit": link.chip_flit or None,
            "chip_hop": link.chip_hop or None,
        },
        "arity": machine.tiles.arity if machine.tiles.is_tree else None,
        "chip": list(machine.tiles.chip) if machine.tiles.chip != (0, 0) else None,
        **_codes(machine.crossbar),
        **({} if machine.device is None else {"device": asdict(machine.device)}),
        **({} if machine.delays is None else {"delays": asdict(machine.delays)}),
    }


def _codes(crossbar: Crossbar) -> dict[str, Any]:
    """What is to be said of codes on rows and of cells: nothing where spikes meet cells of a whole weight."""
    bits = {"signal_bits": crossbar.signal_bits, "cell_bits": crossbar.cell_bits, "adc_bits": crossbar.adc_bits}
    signs = {"signs": crossbar.signs} if crossbar.signs != "cell" else {}
    return {key: value for key, value in bits.items() if value} | signs


def _signal(op: SignalOp, arrays: "dict[str, np.ndarray[Any, Any]]") -> dict[str, Any]:
    name = op.sym_name.data
    entry: dict[str, Any] = {"name": name, "size": op.size.value.data}
    if op.element is None or op.step is None:
        return entry
    step = _value(f"{name}.step", op.step, arrays)
    zero = 0.0 if op.zero is None else _value(f"{name}.zero", op.zero, arrays)
    return {**entry, "bits": op.element.width.data, "signed": op.is_signed, "step": step, "zero": zero}


def _crossbar(op: CrossbarOp, arrays: "dict[str, np.ndarray[Any, Any]]") -> dict[str, Any]:
    name, place = op.sym_name.data, op.place.data
    key = f"{name}.cells"
    arrays[key] = op.cells.array
    windowed = [_axons(axons) for axons in op.axons if axons.axons.data.windowed]
    return {
        "name": name,
        "tile": list(place.tile),
        "index": place.crossbar,
        "cells": key,
        "rows": [_axons(axons) for axons in op.axons if not axons.axons.data.windowed],
        **({"windowed": windowed} if windowed else {}),
        "slices": [_slice(part, arrays) for part in op.slices],
        "order": op.order,
        **({"stages": op.lags} if any(op.lags) else {}),
        **({"delays": asdict(op.delays.data)} if op.delays is not None else {}),
    }


def _axons(op: AxonsOp) -> dict[str, Any]:
    axons = op.axons.data
    return {"source": op.source.root_reference.data, "neurons": _runs(axons.neurons), "delay": axons.delay}


def _slice(op: SliceOp, arrays: "dict[str, np.ndarray[Any, Any]]") -> dict[str, Any]:
    part, name = op.part.data, op.sym_name.data
    entry: dict[str, Any] = {
        "name": name,
        "kind": part.kind,
        "population": part.population,
        "neurons": _runs(part.neurons),
        "columns": [part.column, part.column + part.columns],
        "rows": _runs(part.rows),
        "partials": op.added,
    }
    if op.table is not None:
        entry["windows"] = {key: f"{name}.{key}" for key in TABLE}
        for key, value in op.table.data.items():
            assert isinstance(value, TensorAttr)
            arrays[f"{name}.{key}"] = value.array
    if op.coefficients is not None and op.model is not None:
        values = {key: _value(f"{name}.{key}", a, arrays) for key, a in op.coefficients.data.items()}
        entry["scale"], entry["bias"] = values.pop("scale"), values.pop("bias")
        rules: dict[str, str] = {}
        if op.semantics is not None:
            semantics = op.semantics.data
            rules = {"order": semantics.order, "compare": semantics.compare, "reset": semantics.reset}
            rules |= {"start": semantics.start} if semantics.start != "zero" else {}
        entry["neuron"] = {"model": op.model.data, **rules, **values}
    return entry


def _value(key: str, attribute: Attribute, arrays: "dict[str, np.ndarray[Any, Any]]") -> float | str:
    value = value_of(attribute)
    if isinstance(attribute, TensorAttr):
        arrays[key] = np.asarray(value)
        return key
    return float(value)


def _runs(indices: Indices) -> list[list[int]]:
    return [list(run) for run in indices.runs]


def _flows(op: MachineOp, machine: Machine) -> list[dict[str, Any]]:
    floor = floor_of(machine)
    starts = {part.sym_name.data: c.place.data.tile for c in op.children(CrossbarOp) for part in c.slices}
    found: list[dict[str, Any]] = []
    for flow in op.children(FlowOp):
        source, route = flow.source.root_reference.data, flow.route.data
        branches = branches_of(starts.get(source, floor.host), route, floor)
        found.append(
            {
                "from": source,
                "to": [end if end == "host" else list(end) for end in route.ends],
                "branches": [[list(router) for router in branch] for branch in branches],
            }
        )
    return found


def _guarantee(op: MachineOp, machine: Machine) -> dict[str, Any] | None:
    if op.period is None or op.latency is None:
        return None
    period = op.period.data
    entry: dict[str, Any] = {
        "period": str(period),
        "latency": str(op.latency.data),
        "activity": "worst" if op.peaks is None else "peak",
        "steps_per_second": float(Fraction(machine.units_per_second) / period) if period else 0.0,
    }
    for key, peaks in (("peaks", op.peaks), ("peaks_in", op.peaks_in)):
        if peaks is not None:
            entry[key] = {name: a.value.data for name, a in peaks.data.items() if isinstance(a, IntegerAttr)}
    return entry
