"""The stages of a training, in order: train all delays, prune, train what is left, train with rounded weights."""

from dataclasses import dataclass
from typing import Literal

from snnir.train.description import Description, prune_steps

Kind = Literal["train", "prune", "fine-tune", "round", "quantise"]
SLOWER = {"fine-tune": 0.5, "quantise": 0.1}
"""Learning rates of later stages as a share of that of the first, where nothing else is said."""


@dataclass(frozen=True)
class Stage:
    """One of them."""

    name: str
    kind: Kind
    epochs: int = 0
    lr: float = 0.0
    keep: int = 0
    """What a pruning keeps; 0 for one by memory."""
    bits: int | None = None
    """Of the weights after it; `None`: float."""

    @property
    def starts_from_floats(self) -> bool:
        """Whether what it leaves are the floats that the next stage starts from."""
        return self.kind != "round"


def stages_of(description: Description, bits: int | None) -> tuple[Stage, ...]:
    """All stages; `bits` are those of rounded weights."""
    training, prune, quantise = description.training, description.prune, description.quantise
    found = [Stage("train", "train", training.epochs, training.lr)]
    steps = prune_steps(prune) if prune is not None else ()
    for number, keep in enumerate(steps):
        assert prune is not None
        suffix = f"-{number + 1}" if len(steps) > 1 else ""
        found.append(Stage(f"prune{suffix}", "prune", keep=keep))
        if prune.epochs:
            rate = prune.lr or training.lr * SLOWER["fine-tune"]
            found.append(Stage(f"fine-tune{suffix}", "fine-tune", prune.epochs, rate))
    if quantise is not None:
        found.append(Stage("round", "round", bits=bits))
        if quantise.epochs:
            rate = quantise.lr or training.lr * SLOWER["quantise"]
            found.append(Stage("quantise", "quantise", quantise.epochs, rate, bits=bits))
    return tuple(found)
