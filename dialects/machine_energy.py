"""What a machine takes, in energy: a part of the machine of `snnir.dialects.platform`.

Dynamic energies are whole numbers of femtojoule, as those of links are, and are multiplied with what was counted in a
run (`snnir.energy`); the static power is a whole number of nanowatt.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Energy:
    """What the crossbars and neurons take. What is not stated takes nothing; energies of hops are those of `Link`."""

    synapse: int = 0
    """A synaptic operation: one spike on a row, for each weight other than 0 that a slice has on this row."""
    event: int = 0
    """Each spike that is taken from the input buffer and drives a row of a slice, besides what its synapses take."""
    read: int = 0
    """One read of a slice's cells, in steps in which a spike drives any of its rows."""
    convert: int = 0
    """One analogue-to-digital conversion of a column as it is built, at each such read."""
    add: int = 0
    """Adding one partial sum to one neuron."""
    update: int = 0
    """Updating a neuron in a step in which a spike drives any row of its slice, or of a partial sum added to it."""
    idle: int = 0
    """Updating a neuron in any other step."""
    spike: int = 0
    """Encoding one emitted spike."""
    delay: int = 0
    """A delay memory's work for one event in one step: taking it out and, where it goes on, in again. Of a `ring`:
    adding to one slot of a later step."""
    static: int = 0
    """Nanowatt that a crossbar in use takes at all times."""

    def problem(self) -> str | None:
        """What makes this no statement of energies, in words; `None` when nothing does."""
        for f in fields(self):
            if getattr(self, f.name) < 0:
                return f"energy.{f.name} must not be negative"
        return None
