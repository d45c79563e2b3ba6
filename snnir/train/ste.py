# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false
"""Tuning a layer by gradient descent through its rounding: the escalation where the closed form is not good enough.

The rounding tuning of Ji et al. (arXiv 1801.00746): the forward pass has rounded weights, the gradient goes to a
floating-point copy as if they were not (straight-through estimator), so that small changes accumulate until they make a
rounding come out differently. The loss is the mean squared error of the layer's sums on calibration data, without
labels; the optimiser is Adam on all data at once, so that a run is deterministic.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.precision import largest
from snnir.tuning.rounding import Matrix, Rounded, Vector

RATE = 0.02
"""Learning rate of Adam, in units of a row's scale."""


def tuned(
    inputs: NDArray[Any], outputs: NDArray[Any], start: Rounded, weights: Matrix, bits: int, steps: int
) -> tuple[Rounded, Vector]:
    """The integers and the bias after `steps` steps, (rows, features) and (rows,).

    `inputs` (samples, features) and `outputs` (samples, rows) are what the layer gets and should make; it starts from
    the real `weights` with the scales of `start`. Raises `SnnirError` without torch.
    """
    try:
        import torch  # noqa: PLC0415  (an extra)
    except ImportError:
        raise SnnirError("ste", "training needs torch", "pip install 'snnir[train]', or leave ste out") from None
    x = torch.tensor(np.asarray(inputs, np.float32))
    y = torch.tensor(np.asarray(outputs, np.float32))
    means = (x.mean(0), y.mean(0))
    x, y = x - means[0], y - means[1]
    scale = torch.tensor(start.scale.astype(np.float32))[:, None]
    master = torch.tensor((weights / start.scale[:, None]).astype(np.float32), requires_grad=True)
    factor = torch.ones_like(scale, requires_grad=True)
    optimiser = torch.optim.Adam([master, factor], RATE)
    most = float(largest(bits))
    for _ in range(steps):
        optimiser.zero_grad()
        whole = master + (master.round().clamp(-most, most) - master).detach()
        loss = torch.nn.functional.mse_loss(x @ (whole * scale * factor).T, y) / y.var().clamp_min(1e-30)
        loss.backward()
        optimiser.step()
    integers = master.detach().round().clamp(-most, most).numpy().astype(np.float64)
    scales = np.maximum((scale * factor).detach().numpy().astype(np.float64)[:, 0], np.finfo(np.float64).tiny)
    found = Rounded(integers, scales)
    return found, means[1].numpy().astype(np.float64) - found.weights @ means[0].numpy().astype(np.float64)
