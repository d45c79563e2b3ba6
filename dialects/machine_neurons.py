"""What neurons of a machine can be: the models and semantics that the emitted configuration can state."""

from dataclasses import fields

from snnir.semantics import Semantics

_MEMBRANE = ("scale", "bias", "decay", "gain", "drift", "threshold", "v_reset")
ACTIVATED = ("relu", "clip")
"""Models without a state, which emit codes: q = min(most, max(least, floor((scale * sum + bias - zero) / step + 1/2))).
They are one operation, whose limits make the function: the code of a value rises with it."""
_CODE = ("scale", "bias", "step", "zero", "least", "most")
COEFFICIENTS: dict[str, tuple[str, ...]] = {
    "if": _MEMBRANE,
    "lif": _MEMBRANE,
    "cuba_lif": (*_MEMBRANE, "syn_decay", "syn_gain"),
    **dict.fromkeys(ACTIVATED, _CODE),
}
"""The constants that a neuron of each model holds: the factor of its column sum, its constant current, and those of
`snnir.semantics.Coefficients`, or of the code that it emits."""
SPIKING_MODELS = tuple(model for model in COEFFICIENTS if model not in ACTIVATED)
"""Models that emit spikes."""

_SUPPORTED: dict[str, tuple[object, ...]] = {
    "decay": ("euler", "exp", "exact"),
    "reset": ("value", "subtract"),
    "spikes": (1,),
    "floor": ("none",),
    "refractory": (0,),
    "out_delay": (0,),
    "bias": ("synapse",),
    "weights": ("exact",),
    "state": ("f64",),
}
"""The values of each field of `Semantics` that a machine knows; any value where a field is not named. Decay and pulse
only make constants, and constants are plain numbers."""


def unsupported(model: str, semantics: Semantics) -> list[str]:
    """What a machine cannot do of a neuron's semantics, as `refractory = 3`; empty when it can do all of it."""
    found = {f.name: getattr(semantics, f.name) for f in fields(semantics)}
    if model != "cuba_lif":
        del found["bias"]  # where there is no synapse, a bias can enter in one place only
    return [f"{name} = {value}" for name, value in found.items() if value not in _SUPPORTED.get(name, (value,))]
