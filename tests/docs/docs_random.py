"""Random programs, machines and spikes, small enough to compile by the dozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

_SOURCES = '[source]\ntiles = "test"\ncrossbar = "test"\nbuffers = "test"\ntime = "test"\n'


@dataclass(frozen=True)
class Case:
    """Files of one random case: a program, a small machine, a larger one, and spikes."""

    program: Path
    small: Path
    large: Path
    data: Path


def write_case(folder: Path, seed: int) -> Case:
    """Write the files of one case: two or three dense layers, perhaps recurrent, perhaps one-to-one, with delays."""
    random = np.random.default_rng(seed)
    sizes = [int(size) for size in random.integers(3, 14, int(random.integers(3, 5)))]
    lines = [f"network n{seed} {{", "  dt = 1e-3", "  steps = 12", f"  input x[{sizes[0]}]"]
    before = "x"
    for number, size in enumerate(sizes[1:]):
        name, source = f"p{number}", sizes[number]
        lines.append(f"  population {name}[{size}] : if(r = 1.0, threshold = 2.0, v_reset = 0.0) using nir")
        lines.append(f"  {before} -> {name} : dense(weights = {_matrix(random, size, source)}, {_delay(random)})")
        if random.random() < 0.5:
            lines.append(f"  {name} -> {name} : dense(weights = {_matrix(random, size, size)}, delay = 1)")
        if size == source and random.random() < 0.5:
            lines.append(f"  {before} -> {name} : one_to_one(weights = 1.0, delay = 2)")
        before = name
    lines += [f"  output result = {before}", "}"]
    rows, columns = (int(limit) for limit in random.integers(4, 10, 2))
    case = Case(folder / "n.snn", folder / "small.toml", folder / "large.toml", folder / "spikes.npz")
    case.program.write_text("\n".join(lines) + "\n")
    case.small.write_text(_machine("small", rows, columns))
    case.large.write_text(_machine("large", 2 * rows, 3 * columns))
    np.savez(case.data, x=(random.random((4, 12, sizes[0])) < 0.4).astype(np.uint8))
    return case


def _matrix(random: np.random.Generator, targets: int, sources: int) -> str:
    return str(random.integers(-2, 4, (targets, sources)).tolist())


def _delay(random: np.random.Generator) -> str:
    return f"delay = {int(random.integers(0, 3))}"


def _machine(name: str, rows: int, columns: int) -> str:
    return (
        f'name = "{name}"\n[tiles]\nmesh = [2, 2]\ncrossbars = 99\n'
        f'[crossbar]\nrows = {rows}\ncolumns = {columns}\nfanin = "digital"\nmax_delay = 9\n'
        f'[buffers]\nevents = 9999\n[time]\nunit = "ns"\nread = 10\nevent = 2\nupdate = 1\n{_SOURCES}'
    )
