# pyright: basic, reportMissingImports=false, reportArgumentType=false, reportOperatorIssue=false
# ruff: noqa: PLC0415  (each platform has an environment of its own)
"""Makes the files of this folder: small networks, exported and simulated by the platforms that users train them with.

    python record.py snntorch        snntorch 1.0.0, nirtorch 2.6, nir 1.0.8, torch 2.13.0
    python record.py spikingjelly    spikingjelly 2.0.0, same others
    python record.py rockpool        rockpool 3.1.0, same others
    python record.py sinabs          sinabs 3.1.3, nirtorch 2.0.2, nir 1.0.4, torch 2.13.0

Each writes `<name>.nir` and `<name>.npz`: `x`, the input spikes (steps, lines), and `out`, the platform's own output.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import nir
import numpy as np
import torch
from torch import nn

FOLDER = Path(__file__).parent
STEPS, LINES, HIDDEN, OUT = 60, 12, 20, 5


def spikes() -> torch.Tensor:
    """(steps, 1, lines)."""
    return (torch.rand(STEPS, 1, LINES) < 0.3).float()


def save(name: str, graph: nir.NIRGraph, x: torch.Tensor, out: list[torch.Tensor]) -> None:
    """Write a network and what its platform makes of the input."""
    nir.write(FOLDER / f"{name}.nir", graph)
    arrays = {"x": x.reshape(STEPS, -1).numpy().astype(np.uint8), "out": torch.stack(out).numpy().astype(np.uint8)}
    np.savez_compressed(FOLDER / f"{name}.npz", **arrays)


def stepped(net: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """The output of each step."""
    with torch.no_grad():
        found = [net(each) for each in x]
    return [(each[0] if isinstance(each, tuple) else each)[0] for each in found]


def snntorch() -> None:
    """Leaky, recurrent and synaptic neurons; both resets, at once and delayed."""
    import snntorch as snn
    from snntorch import utils
    from snntorch.export_nir import export_to_nir

    def layer(kind: str, **how: object) -> nn.Module:
        if kind == "leaky":
            return snn.Leaky(beta=torch.rand(HIDDEN) * 0.3 + 0.6, threshold=torch.full((HIDDEN,), 0.7), **how)
        if kind == "rleaky":
            return snn.RLeaky(beta=0.9, linear_features=HIDDEN, **how)
        return snn.RSynaptic(alpha=0.7, beta=0.9, linear_features=HIDDEN, **how)

    for kind, reset, late in [
        ("leaky", "subtract", True),
        ("leaky", "subtract", False),
        ("leaky", "zero", True),
        ("rleaky", "zero", True),
        ("rleaky", "subtract", False),
        ("rsynaptic", "subtract", True),
        ("rsynaptic", "zero", True),
    ]:
        how = {"init_hidden": True, "output": True, "reset_mechanism": reset, "reset_delay": late}
        net = nn.Sequential(nn.Linear(LINES, HIDDEN), layer(kind, **how))
        x = spikes()
        graph = export_to_nir(net, x[0], ignore_dims=[0])
        utils.reset(net)
        save(f"snntorch_{kind}_{reset}_{'late' if late else 'now'}", graph, x, stepped(net, x))


def spikingjelly() -> None:
    """Integrate-and-fire with r = 1/dt, and current-based neurons."""
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    kinds: dict[str, Callable[[], nn.Module]] = {
        "if": neuron.IFNode,
        "cuba": lambda: neuron.CUBALIFNode(c_decay=0.5, v_decay=0.75),
    }
    for name, make in kinds.items():
        net = nn.Sequential(layer.Linear(LINES, HIDDEN), make(), layer.Linear(HIDDEN, OUT), make())
        x = spikes()
        functional.set_step_mode(net, "s")
        functional.reset_net(net)
        graph = export_to_nir(net, x[0], dt=1e-4)
        functional.reset_net(net)
        save(f"spikingjelly_{name}", graph, x, stepped(net, x))


def rockpool() -> None:
    """Current-based neurons that emit several spikes in a step."""
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LIFTorch, LinearTorch, to_nir

    how = {"dt": 1e-3, "tau_mem": 0.02, "tau_syn": 0.01, "threshold": 1.0}
    first = LinearTorch((LINES, HIDDEN), has_bias=True)
    net = Sequential(first, LIFTorch(HIDDEN, **how), LinearTorch((HIDDEN, OUT)), LIFTorch(OUT, **how))
    x = spikes()
    with torch.no_grad():
        out, _, _ = net(x.transpose(0, 1))
    save("rockpool_cuba", to_nir(net, x.transpose(0, 1)[:, 0]), x, list(out[0]))


def sinabs() -> None:
    """Integrate-and-fire with several spikes in a step, clipped below."""
    import sinabs.layers as sl
    from sinabs.nir import to_nir

    def neurons() -> nn.Module:
        return sl.IAFSqueeze(batch_size=1, min_v_mem=-1.0)

    net = nn.Sequential(nn.Linear(LINES, HIDDEN), neurons(), nn.Linear(HIDDEN, OUT, bias=False), neurons())
    x = spikes()
    with torch.no_grad():
        net[2].weight *= 6  # so that several spikes fall into one step
        out = net(x[:, 0])
    save("sinabs_if", to_nir(net, x[:1, 0]), x, list(out))


if __name__ == "__main__":
    torch.manual_seed(0)
    {"snntorch": snntorch, "spikingjelly": spikingjelly, "rockpool": rockpool, "sinabs": sinabs}[sys.argv[1]]()
