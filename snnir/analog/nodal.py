"""What a crossbar with wires that resist computes, exactly: Kirchhoff's current law at every node.

A crossbar of M rows and N columns has two nodes a cell, one on its word line and one on its bit line:

    source i --Rw-- w(i,0) --Rw-- w(i,1) ... w(i,N-1)          word line of row i, driven with V[i] on its left
                      |G[i,0]        |G[i,1]
                    b(i,0) ...     b(i,1)                       bit lines run down to their sense amplifier
                    b(M-1,j) --Rb-- sense j, held at 0 V        current I[j]

which is the circuit of badcrossbar (Joksas and Mehonic, SoftwareX 12, 2020) and of CrossSim. The 2MN equations are
symmetric and positive definite, and those of one row know only those of the rows beside it: they are eliminated row by
row with dense blocks of the shorter side, M N min(M, N)^2 operations. Currents are linear in the voltages,
`I = V @ effective(G)`: the whole effect of the wires is another matrix of conductances.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


def effective(conductances: Reals, word: float, bit: float) -> Reals:
    """The conductances, (rows, columns), that ideal wires would need to give the same currents.

    `word` and `bit` are the resistances of a segment of the word and bit lines, in ohm; 0 for an ideal line.
    """
    _check(conductances, word, bit)
    if word == 0 and bit == 0:
        return conductances.copy()
    if conductances.shape[0] < conductances.shape[1]:
        # read from its sense amplifiers, the circuit is that of the transpose with word and bit lines exchanged:
        # resistors work both ways (reciprocity), so the currents per volt are the same
        flipped = conductances[::-1, ::-1].T
        return effective(np.ascontiguousarray(flipped), bit, word).T[::-1, ::-1].copy()
    if word == 0 or bit == 0:
        return _one_sided(conductances, word, bit)
    from snnir.analog.kernels import solve  # noqa: PLC0415  (numba is slow to import)

    return solve(np.ascontiguousarray(conductances, np.float64), 1.0 / word, 1.0 / bit)


def currents(conductances: Reals, voltages: Reals, word: float, bit: float) -> Reals:
    """The currents at the sense amplifiers, (..., columns), for voltages (..., rows)."""
    return voltages @ effective(conductances, word, bit)


def _check(conductances: Reals, word: float, bit: float) -> None:
    if conductances.ndim != 2 or not conductances.size:
        raise ValueError("conductances are rows x columns")
    if not np.isfinite(conductances).all() or (conductances < 0).any():
        raise ValueError("conductances are finite and not negative")
    if not (np.isfinite([word, bit]).all() and word >= 0 and bit >= 0):
        raise ValueError("resistances of wires are finite and not negative")


def approximate(conductances: Reals, word: float, bit: float) -> Reals:
    """`effective` to first order, rows x columns operations: each line as if those across it were ideal.

    The error is of the second order in (resistance of a line) x (conductance on it); docs/analog.md has it measured.
    """
    _check(conductances, word, bit)
    with np.errstate(invalid="ignore", divide="ignore"):
        both = _ladders(conductances, word) * _bit_ladders(conductances, bit) / conductances
    return np.where(conductances > 0, both, 0.0)


def _one_sided(g: Reals, word: float, bit: float) -> Reals:
    """Only the word lines resist, or only the bit lines: each is a ladder of its own."""
    return _bit_ladders(g, bit) if word == 0 else _ladders(g, word)


def _bit_ladders(g: Reals, bit: float) -> Reals:
    return _ladders(g[::-1].T, bit).T[::-1]


def _ladders(g: Reals, resistance: float) -> Reals:
    """Current of each rung of ladders, (ladders, rungs), that are driven with 1 V at their start, rungs to 0 V.

    By reciprocity also the current at the start, held at 0 V, for 1 V behind each rung.
    """
    below = np.zeros(len(g))
    seen = np.empty_like(g)  # conductance from each node on: its rung and the rest of the ladder
    for k in range(g.shape[1] - 1, -1, -1):
        seen[:, k] = g[:, k] + below
        below = seen[:, k] / (1.0 + seen[:, k] * resistance)
    return g * np.cumprod(1.0 / (1.0 + seen * resistance), axis=1)


def dense_reference(conductances: Reals, voltages: Reals, word: float, bit: float) -> "NDArray[Any]":
    """The same currents for one vector of voltages from the dense 2MN equations, for checks on small crossbars."""
    rows, columns = conductances.shape
    gw, gb = 1.0 / word, 1.0 / bit
    matrix, ask = np.zeros((2 * rows * columns,) * 2), np.zeros(2 * rows * columns)

    def node(row: int, column: int, line: int) -> int:
        return (line * rows + row) * columns + column

    def resistor(a: int, b: int | None, conductance: float) -> None:
        matrix[a, a] += conductance
        if b is not None:
            matrix[b, b] += conductance
            matrix[a, b] -= conductance
            matrix[b, a] -= conductance

    for i in range(rows):
        resistor(node(i, 0, 0), None, gw)
        ask[node(i, 0, 0)] += gw * voltages[i]
        for j in range(columns):
            resistor(node(i, j, 0), node(i, j, 1), conductances[i, j])
            if j:
                resistor(node(i, j, 0), node(i, j - 1, 0), gw)
            resistor(node(i, j, 1), node(i + 1, j, 1) if i + 1 < rows else None, gb)
    volts = np.linalg.solve(matrix, ask)
    return np.array([gb * volts[node(rows - 1, j, 1)] for j in range(columns)])
