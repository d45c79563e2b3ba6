"""Who reads the samples that `[data]` names: arrays, the loaders of `snnir.train.data`, and the generated task."""

from __future__ import annotations

from snnir.errors import SnnirError
from snnir.train.data import Dataset, Lags, load
from snnir.train.data.formats import READERS
from snnir.train.data.formats import made as options_as
from snnir.train.description import Description
from snnir.train.samples import Samples, made, read_npz

SIGNAL = "input"
"""What the input of loaders is called, where `[network] input` says nothing."""
SUBSETS = ("train_subset", "validation_subset", "test_subset")
"""Options that say which part of a folder is read."""
ARRAYS, TASK = "npz", "lags"
SEEDS = {"train": 0, "validation": 1, "test": 2}
"""What samples of a generated task are drawn from."""


def read_samples(description: Description, name: str | int, use: str) -> Samples:
    """The samples for `use`: train, validation or test. Raises `SnnirError` for what has no labels, or no reader."""
    data, text = description.data, description.text
    if data.format not in (ARRAYS, TASK, *READERS):
        known = ", ".join((ARRAYS, *READERS, TASK))
        raise text.error("data.format", f"there is no reader of '{data.format}'", f"there are {known}")
    if data.format == TASK:
        return _generated(description, name, use)
    if not isinstance(name, str):
        hint = f'name a file, or write format = "{TASK}" for samples that are generated'
        raise text.error(f"data.{use}", f"{use} = {name} is no file", hint)
    path = description.path(name)
    if data.format == ARRAYS:
        if data.options:
            raise text.error("data.options", "files of arrays have no options", "leave options out")
        return read_npz(path, data.samples, description.network.dt)
    options = {key: value for key, value in data.options.items() if key not in SUBSETS}
    if description.network.file is None:
        options = {"dt": description.network.dt, **options}
    subset = data.options.get(f"{use}_subset")
    return _labelled(description, str(path), load(data.format, path, samples=data.samples, subset=subset, **options))


def _generated(description: Description, name: str | int, use: str) -> Samples:
    """Samples of the task `lags`."""
    text = description.text
    if isinstance(name, str):
        hint = f"write how many: {use} = 500"
        raise text.error(f"data.{use}", f'{use} = "{name}", but samples of this task are generated', hint)
    task = options_as(Lags, text.place, description.data.options)
    found = _labelled(description, TASK, task.samples(name, SEEDS[use]))
    return found.some(slice(0, description.data.samples))


def _labelled(description: Description, place: str, found: Dataset) -> Samples:
    if found.labels is None:
        raise SnnirError(place, "the samples have no labels, and training needs one for each", "use labelled files")
    return made(place, {description.network.input or SIGNAL: found.spikes}, found.labels)
