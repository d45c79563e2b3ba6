"""One door to all formats: the files or folder of a format, and options, to spikes and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from snnir.errors import SnnirError
from snnir.train.data.dataset import Binning, Dataset, blocks, joined

STEP = {"shd": 0.01, "ssc": 0.01, "nmnist": 0.001}
"""Seconds per step of formats with events, where nothing is said."""
WORDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false"}

Made = TypeVar("Made")


def load(
    format: str,
    path: Path | str,
    *,
    samples: int | None = None,
    subset: str | None = None,
    **options: Any,
) -> Dataset:
    """Files of a format as one array of spikes.

    `format` is shd, ssc, nmnist or wav; `samples` reads the first so many; `subset` is train or test, where a folder
    holds both. The other options are those of `snnir.train.data.dataset.Binning` (dt, steps, group, counts, late), for
    `wav` of `snnir.train.data.audio.Encoder` (channels, steps, dt, code, gain, ...). Raises `SnnirError` for options
    that the format has not, for whatever is wrong with the files, and for more spikes than fit into 2 GB.
    """
    return joined(read_blocks(format, path, samples=samples, subset=subset, **options), str(path))


def read_blocks(
    format: str,
    path: Path | str,
    *,
    samples: int | None = None,
    subset: str | None = None,
    **options: Any,
) -> Iterator[Dataset]:
    """The same in parts of some hundred samples, so that files of any size can be read."""
    path = Path(path)
    if format not in READERS:
        raise SnnirError(path, f"there is no format '{format}'", f"there are {', '.join(READERS)}")
    if samples is not None and samples < 1:
        raise SnnirError(path, f"{samples} samples", "ask for at least one sample")
    yield from READERS[format](path, samples, subset, options)


def _heidelberg(path: Path, samples: int | None, subset: str | None, options: dict[str, Any]) -> Iterator[Dataset]:
    from snnir.train.data.heidelberg import CHANNELS, class_names, recordings  # noqa: PLC0415  (h5py is slow to import)

    if subset is not None:
        raise SnnirError(path, f"there is no part '{subset}' of a file", "name the file of that part")
    binning = made(Binning, path, {"dt": STEP["shd"], **options})
    names = class_names(path)
    for each in blocks(lambda: recordings(path), CHANNELS, binning, str(path), samples):
        yield Dataset(each.spikes, each.labels, each.about, names)


def _nmnist(path: Path, samples: int | None, subset: str | None, options: dict[str, Any]) -> Iterator[Dataset]:
    from snnir.train.data.nmnist import NEURONS, files, recordings  # noqa: PLC0415  (used here only)

    binning = made(Binning, path, {"dt": STEP["nmnist"], **options})
    found = files(path, subset)[:samples]
    yield from blocks(lambda: recordings(found), NEURONS, binning, str(path))


def _wav(path: Path, samples: int | None, subset: str | None, options: dict[str, Any]) -> Iterator[Dataset]:
    from snnir.train.data.audio import Encoder, encoded, sounds  # noqa: PLC0415  (used here only)

    encoder = made(Encoder, path, options)
    yield from encoded(sounds(path, subset)[:samples], encoder)


READERS: dict[str, Callable[[Path, int | None, str | None, dict[str, Any]], Iterator[Dataset]]] = {
    "shd": _heidelberg,
    "ssc": _heidelberg,
    "nmnist": _nmnist,
    "wav": _wav,
}
"""Format -> what reads it."""


def made(kind: type[Made], place: Path | str, options: Mapping[str, Any]) -> Made:
    """Options as their dataclass. Raises `SnnirError` for those that it has not, or of another type."""
    hints = get_type_hints(kind)
    known = [each.name for each in fields(kind)]  # pyright: ignore[reportArgumentType]
    values: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            raise SnnirError(place, f"there is no option '{name}'", f"there are {', '.join(known)}")
        types = get_args(hints[name]) if get_origin(hints[name]) is UnionType else (hints[name],)
        if isinstance(value, int) and not isinstance(value, bool) and float in types:
            values[name] = float(value)
        elif any(_fits(value, each) for each in types):
            values[name] = value
        else:
            words = " or ".join(_words(each) for each in types if each is not NoneType)
            raise SnnirError(place, f"{name} = {value!r} is not {words}", f"give {words}")
    return kind(**values)


def _fits(value: object, kind: Any) -> bool:
    return value in get_args(kind) if get_origin(kind) is Literal else type(value) is kind


def _words(kind: Any) -> str:
    return " or ".join(get_args(kind)) if get_origin(kind) is Literal else WORDS.get(kind, "a text")
