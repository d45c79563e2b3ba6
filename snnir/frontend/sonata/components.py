"""Component files of SONATA: the parameters that a types file names in its column `dynamics_params`.

They lie in folders that the configuration names. Published examples leave the folder out now and then and rely on the
files that come with bmtk, the reference simulator; those are known here by name, and using one is said in a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from snnir.frontend.hdf5 import Place
from snnir.frontend.notes import Notes
from snnir.frontend.sonata.config import Config, Json, read_json

Simulator = Literal["nrn", "nest"]

NEURONS = "point_neuron_models_dir"
SYNAPSES = "synaptic_models_dir"
BESIDE = "components"
"""Folder beside the configuration in which files may lie whose own folder is missing."""

_EXCITATORY: dict[str, Any] = {"level_of_detail": "instantaneous", "sign": 1}
_INHIBITORY: dict[str, Any] = {"level_of_detail": "instantaneous", "sign": -1}
_SHIPPED: dict[tuple[Simulator, str], dict[str, Any]] = {
    ("nrn", "IntFire1_exc_1.json"): {"tau": Decimal("0.024"), "type": "NEURON_IntFire1", "refrac": Decimal("0.003")},
    ("nrn", "IntFire1_inh_1.json"): {"tau": Decimal("0.007"), "type": "NEURON_IntFire1", "refrac": Decimal("0.003")},
    ("nrn", "instantaneousExc.json"): _EXCITATORY,
    ("nrn", "instantaneousInh.json"): _INHIBITORY,
    ("nrn", "instanteneousExc.json"): _EXCITATORY,
    ("nrn", "instanteneousInh.json"): _INHIBITORY,
    ("nest", "instantaneousExc.json"): {},
    ("nest", "instantaneousInh.json"): {},
    ("nest", "ExcToExc.json"): {},
    ("nest", "ExcToInh.json"): {},
    ("nest", "InhToExc.json"): {},
    ("nest", "InhToInh.json"): {},
}
"""What bmtk 1.2.0 ships in `bmtk/utils/scripts/bionet` and `pointnet` (BSD-3); `instanteneous...` is how its early
versions and the SONATA examples spell it."""


@dataclass
class Components:
    """The component files of a model, each read once."""

    config: Config
    notes: Notes
    read: dict[tuple[str, Simulator, str], Json] = field(default_factory=dict[tuple[str, Simulator, str], Json])

    def find(self, name: str, folder: str, simulator: Simulator, user: Place) -> Json:
        """The contents of file `name`, which `user` names. Raises `SnnirError` there when it is nowhere.

        Looked for in the configuration's `folder`, then in `components` beside the configuration (there also in a
        folder of the same name as the configuration's), then among the files that bmtk ships.
        """
        key = (folder, simulator, name)
        if key not in self.read:
            self.read[key] = self.look(name, folder, simulator, user)
        return self.read[key]

    def look(self, name: str, folder: str, simulator: Simulator, user: Place) -> Json:
        """`find` for the first time."""
        given = self.config.components.get(folder)
        beside = self.config.directory / BESIDE
        tried = [given[0] / name] if given else []
        tried += [beside / given[0].name / name] if given else []
        tried.append(beside / name)
        for path in tried:
            if path.is_file():
                return read_json(path)
        shipped = _SHIPPED.get((simulator, name))
        wanted = str(tried[0]) if given else f"{name} (the configuration has no components/{folder})"
        if shipped is None:
            hint = f"put it there, or into {beside}{'' if given else f', or name its folder as components/{folder}'}"
            raise user.error(f"the parameters {wanted} are missing", hint)
        values = ", ".join(f"{key} = {value}" for key, value in shipped.items()) or "no parameters"
        self.notes.add(user, f"{wanted} is missing; the file of this name that bmtk ships is used: {values}")
        return Json(shipped, Place(f"bmtk:{name}"))


def parameters_of(file: Json) -> Mapping[str, Json]:
    """The entries of a component file that are no mere descriptions (texts)."""
    return {name: entry for name, entry in file.members().items() if not isinstance(entry.value, str)}


def path_of(text: str) -> str:
    """The file that a `dynamics_params` column names."""
    return Path(text).as_posix()
