"""Rounding with error feedback: the error of each weight is made good by those that are not rounded yet.

GPTQ (Frantar et al., ICLR 2023, arXiv 2210.17323), a fast form of Optimal Brain Quantization: the rows of W are rounded
so that (W - Q) H (W - Q)^T is small, with H = X^T X of the inputs. Features are taken in descending order of their
second moment (the paper's "act-order"), in blocks whose errors are passed on together.
"""

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from snnir.precision import largest
from snnir.tuning.rounding import Matrix, Rounded, Vector

DAMPING = 0.01
"""What is added to the diagonal of H, as a part of its mean (the paper's value)."""
BLOCK = 32
"""Features whose errors are passed on together."""


def damped(hessian: Matrix, damping: float = DAMPING) -> Matrix:
    """H with `damping` times its mean diagonal added to the diagonal; the unit matrix where H is 0."""
    mean = float(np.diagonal(hessian).mean()) if len(hessian) else 0.0
    result = hessian.copy()
    result[np.diag_indices(len(result))] += damping * mean if mean > 0 else 1.0
    return result


class Feedback:
    """The factor of an H, with which any number of weights can be rounded."""

    def __init__(self, hessian: Matrix) -> None:
        """`hessian`: (features, features), symmetric and positive definite."""
        self._order = np.argsort(-np.diagonal(hessian), kind="stable")
        # H^-1 = U^T U with U upper triangular; with J the reversal, J H J = L L^T gives U = J L^-1 J
        backwards = hessian[np.ix_(self._order[::-1], self._order[::-1])]
        lower = cholesky(backwards, lower=True, check_finite=False)
        inverse = solve_triangular(lower, np.eye(len(lower)), lower=True, check_finite=False)
        self._factor = np.ascontiguousarray(inverse[::-1, ::-1])

    def solved(self, right: Matrix) -> Matrix:
        """`right H^-1`, (rows, features)."""
        factor, result = self._factor, np.empty(right.shape)
        result[:, self._order] = (right[:, self._order] @ factor.T) @ factor
        return result

    def rounded(self, weights: Matrix, scale: Vector, bits: int) -> Rounded:
        """The weights as integers of `bits` bits, (rows, features), for given scales."""
        most, factor = largest(bits), self._factor
        rest = np.ascontiguousarray((weights / scale[:, None])[:, self._order].T)
        result = np.empty_like(rest)
        for start in range(0, len(rest), BLOCK):
            end = min(start + BLOCK, len(rest))
            errors = np.empty((end - start, rest.shape[1]))
            for n in range(start, end):
                np.minimum(np.maximum(np.rint(rest[n]), -most), most, out=result[n])
                errors[n - start] = (rest[n] - result[n]) / factor[n, n]
                rest[n + 1 : end] -= factor[n, n + 1 : end, None] * errors[n - start]
            rest[end:] -= factor[start:end, end:].T @ errors
        integers = np.empty_like(result)
        integers[self._order] = result
        return Rounded(np.ascontiguousarray(integers.T), scale)
