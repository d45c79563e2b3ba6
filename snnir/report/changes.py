"""What passes that change a network note about each layer, for the report of a transformation. No IR here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerChange:
    """One thing that a pass did to one layer; passes list these in `self.layers`, in program order."""

    layer: str
    """The population, or the key of the weights, in the words of the program: `@hidden`, `'conv1.weight'`."""
    place: str
    """Where the layer comes from: `net.snn:12:5`, `model.onnx:/nodes/conv1`."""
    change: str
    """What was done, in one sentence without a full stop; with the numbers that matter: `bias folded into 'w'`."""
    sqnr: float | None = None
    """Signal-to-noise ratio of the layer's values after against before the change, in dB; `None`: not measured (then
    exact, or without data to measure on, as `change` says), infinite: equal."""
    bits: int | None = None
    """Bits of what was changed (weights, or the codes of a signal), where the change gave it a precision."""
