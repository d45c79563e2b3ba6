"""Sound files to spikes: mel filters, level in decibels, and a neuron for each channel.

For a step k of `dt` seconds: a Hann window of twice the step, centred on it, padded with zeros; its power spectrum; the
sums of `channels` triangular filters, evenly spaced in mel (2595 log10(1 + f / 700 Hz)) from `lowest` to `highest` Hz.
The level of a channel is in decibels below the loudest step and channel of the file, cut at `range`; x = 1 at the
loudest, 0 at `range` below and in silence. Then

- `integrate`: v = v + gain x; a spike where v >= 1, then v = v - 1. The rate of a channel follows its level.
- `delta`: a spike where the level has risen (neurons 0 to channels - 1) or fallen (the next ones) by `threshold`
  decibels or more since the last spike of the channel; then it counts from the level reached. Twice as many neurons.

Nothing is drawn at random and nothing is fitted to other files: a file always gives the same spikes.

Files: RIFF WAVE, PCM of 8, 16, 24 or 32 bits, any number of sound channels (their mean is taken), any sampling rate. In
a folder every `.wav` file is a sample; names of the Free Spoken Digit Dataset, `digit_speaker_index.wav`, give labels,
and its test set is the indices 0 to 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log10
from pathlib import Path
from struct import error as StructError
from struct import unpack_from
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.train.data.dataset import BLOCK, Dataset, Late

Reals = NDArray[np.float64]
Spikes = NDArray[np.uint8]

PCM, EXTENSIBLE = 1, 0xFFFE
PCM_SUFFIX = bytes.fromhex("000000001000800000aa00389b71")
"""The end of the 16 bytes that name a sample format in an extensible header; the format is in the first two."""
TEST_INDICES = 5
"""Recordings of FSDD with a smaller index are its test set."""
SILENCE = 1e-30


@dataclass(frozen=True)
class Encoder:
    """How sound becomes spikes; see the module."""

    channels: int = 64
    steps: int = 64
    dt: float = 0.016
    """Seconds per step."""
    code: Literal["integrate", "delta"] = "integrate"
    gain: float = 0.5
    threshold: float = 6.0
    """Decibels between two spikes of `delta`."""
    range: float = 60.0
    """Decibels below the loudest that still count."""
    lowest: float = 60.0
    highest: float | None = None
    """Hz; `None`: half the sampling rate."""
    late: Late = "refuse"

    def __post_init__(self) -> None:
        """Raise `SnnirError` for what is no encoder."""
        if self.channels < 1 or self.steps < 1:
            raise SnnirError("wav", f"{self.channels} channels, {self.steps} steps", "one of each is the least")
        if self.code not in ("integrate", "delta"):
            raise SnnirError("wav", f"there is no code '{self.code}'", "use integrate or delta")
        if self.late not in ("refuse", "drop"):
            raise SnnirError("late", f"'{self.late}' is no way to treat late sound", "use refuse or drop")
        positive = {"dt": self.dt, "gain": self.gain, "threshold": self.threshold, "range": self.range}
        for name, value in positive.items():
            if not (np.isfinite(value) and value > 0) or (name == "gain" and value > 1):
                raise SnnirError("wav", f"{name} is {value}", "it lies above 0, and the gain not above 1")

    @property
    def neurons(self) -> int:
        """Neurons of a sample."""
        return self.channels * (2 if self.code == "delta" else 1)

    def spikes(self, sound: Reals, rate: int, place: str) -> tuple[Spikes, int]:
        """The spikes of a sound (samples,), (steps, neurons), and how many steps it goes on after the last.

        Raises `SnnirError` at `place` when it is longer than the steps, unless late sound is dropped.
        """
        hop = max(1, round(self.dt * rate))
        needed = -(-len(sound) // hop)
        late = max(0, needed - self.steps)
        if late and self.late == "refuse":
            message = f"it lasts {len(sound) / rate:.3g} s, more than {self.steps} steps of {self.dt:g} s"
            raise SnnirError(place, message, "give more steps or longer ones, or let late sound drop")
        levels = self._levels(sound, rate, hop, place)
        made = self._integrated(levels) if self.code == "integrate" else self._changes(levels)
        made[min(needed, self.steps) :] = 0
        return made, late

    def _levels(self, sound: Reals, rate: int, hop: int, place: str) -> Reals:
        """x of each step and channel, from 0 to 1, (steps, channels)."""
        width = 2 * hop
        size = 1 << (4 * width - 1).bit_length()
        padded = np.zeros(hop * (self.steps + 2))
        used = sound[: hop * self.steps + hop // 2]
        padded[hop // 2 : hop // 2 + len(used)] = used
        frames = padded[np.arange(self.steps)[:, None] * hop + np.arange(width)]
        power = np.abs(np.fft.rfft(frames * np.hanning(width + 1)[:width], size)) ** 2
        energy = power @ self._filters(rate, size, place).T
        loudest = energy.max()
        if loudest <= SILENCE:
            return np.zeros_like(energy)
        decibels = 10 * np.log10(np.maximum(energy / loudest, SILENCE))
        return np.clip(1 + decibels / self.range, 0, 1)

    def _filters(self, rate: int, size: int, place: str) -> Reals:
        """Triangles over the frequencies of a spectrum, (channels, size / 2 + 1), each of area 1."""
        highest = self.highest if self.highest is not None else rate / 2
        if not 0 <= self.lowest < highest <= rate / 2:
            message = f"filters from {self.lowest:g} to {highest:g} Hz, but the file has up to {rate / 2:g} Hz"
            raise SnnirError(place, message, "give frequencies of the file as lowest and highest")
        ends = [2595 * log10(1 + each / 700) for each in (self.lowest, highest)]
        mel: Reals = np.linspace(ends[0], ends[1], self.channels + 2)
        corner: Reals = 700 * (10 ** (mel / 2595) - 1)
        frequency = np.arange(size // 2 + 1) * rate / size
        left, middle, right = (corner[k : k + self.channels, None] for k in range(3))
        rows = np.maximum(np.minimum((frequency - left) / (middle - left), (right - frequency) / (right - middle)), 0)
        area = rows.sum(axis=1, keepdims=True)
        if not area.all():
            message = f"{self.channels} channels are too many for steps of {self.dt:g} s: some hold no frequency"
            raise SnnirError(place, message, "ask for fewer channels, longer steps or a higher lowest frequency")
        return rows / area

    def _integrated(self, levels: Reals) -> Spikes:
        made = np.zeros(levels.shape, np.uint8)
        membrane = np.zeros(levels.shape[1])
        for step, level in enumerate(levels):
            membrane = membrane + self.gain * level
            made[step] = membrane >= 1
            membrane = membrane - made[step]
        return made

    def _changes(self, levels: Reals) -> Spikes:
        made = np.zeros((len(levels), 2, levels.shape[1]), np.uint8)
        reached, least = np.zeros(levels.shape[1]), self.threshold / self.range
        for step, level in enumerate(levels):
            made[step] = level - reached >= least, reached - level >= least
            reached = np.where(made[step].any(axis=0), level, reached)
        return made.reshape(len(levels), -1)


@dataclass(frozen=True)
class Sound:
    """A sound file that has not been read."""

    path: Path
    label: int | None = None
    speaker: str = ""
    index: int = -1


def sounds(path: Path, subset: str | None = None) -> list[Sound]:
    """A file, or the `.wav` files of a folder by index, speaker and digit, so that the first ones are of all digits.

    `subset` (train or test) chooses by the index, as FSDD does. Raises `SnnirError` where there is none, or where only
    some names give a label.
    """
    if subset not in (None, "train", "test"):
        raise SnnirError(path, f"there is no part '{subset}'", "use train or test")
    if not path.exists():
        raise SnnirError(path, "no such file or folder", "name a .wav file or a folder of them")
    paths = sorted(path.glob("*.wav")) if path.is_dir() else [path]
    if not paths:
        raise SnnirError(path, "there is no .wav file in this folder", "name a folder of .wav files")
    found = [_named(each) for each in paths]
    unnamed = [each for each in found if each.label is None]
    if unnamed and (subset or len(unnamed) < len(found)):
        message = "the name gives no label, speaker and index"
        raise SnnirError(unnamed[0].path, message, "call files as 7_jackson_32.wav, or none of them")
    if subset is not None:
        found = [each for each in found if (each.index < TEST_INDICES) == (subset == "test")]
        if not found:
            raise SnnirError(path, f"no file belongs to the part '{subset}'", "the test set has the indices 0 to 4")
    return sorted(found, key=lambda each: (each.index, each.speaker, each.label or 0, each.path.name))


def _named(path: Path) -> Sound:
    words = path.stem.split("_")
    if len(words) == 3 and all(word.isascii() and word.isdecimal() for word in (words[0], words[2])):
        return Sound(path, int(words[0]), words[1], int(words[2]))
    return Sound(path)


def encoded(found: Iterable[Sound], encoder: Encoder) -> Iterator[Dataset]:
    """The samples in blocks. Raises `SnnirError` as `read_wave` and `Encoder.spikes`."""
    part: list[Sound] = []
    made: list[tuple[Spikes, int]] = []
    for each in found:
        sound, rate = read_wave(each.path)
        part.append(each)
        made.append(encoder.spikes(sound, rate, str(each.path)))
        if len(part) == BLOCK:
            yield _dataset(part, made)
            part, made = [], []
    if part:
        yield _dataset(part, made)


def _dataset(part: list[Sound], made: list[tuple[Spikes, int]]) -> Dataset:
    labels = [each.label for each in part if each.label is not None]
    about: dict[str, NDArray[Any]] = {"late": np.array([late for _, late in made], np.int64)}
    if len(labels) == len(part):
        about["speaker"] = np.array([each.speaker for each in part])
        about["index"] = np.array([each.index for each in part], np.int64)
    known = np.array(labels, np.int64) if len(labels) == len(part) else None
    return Dataset(np.stack([spikes for spikes, _ in made]), known, about)


def read_wave(path: Path) -> tuple[Reals, int]:
    """A sound file: samples from -1 to below 1, the mean of its channels, (samples,); and the sampling rate in Hz.

    Raises `SnnirError` for other formats, and for files that end before their header says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SnnirError(path, f"cannot be read ({error.strerror})", "name a readable .wav file") from None
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise SnnirError(path, "this is no RIFF WAVE file", "convert the sound to .wav, PCM")
    try:
        chunks = _chunks(path, data)
        if b"fmt " not in chunks or b"data" not in chunks:
            raise SnnirError(path, "there is no format or no sound in it", "convert the sound to .wav, PCM")
        channels, rate, bits = _format(path, chunks[b"fmt "])
    except StructError:
        raise SnnirError(path, "truncated: its header is not whole", "copy the file again") from None
    body = chunks[b"data"]
    frame = channels * bits // 8
    if not body or len(body) % frame:
        message = f"{len(body)} bytes of sound are no whole number of {frame} bytes, or none"
        raise SnnirError(path, message, "copy the file again")
    return _pcm(body, bits).reshape(-1, channels).mean(axis=1), rate


def _chunks(path: Path, data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each name."""
    found: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(data):
        name, size = data[place : place + 4], unpack_from("<I", data, place + 4)[0]
        if place + 8 + size > len(data):
            missing = place + 8 + size - len(data)
            raise SnnirError(path, f"truncated: {missing} bytes are missing at its end", "copy the file again")
        found.setdefault(name, data[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    return found


def _format(path: Path, header: bytes) -> tuple[int, int, int]:
    """Channels, rate and bits of a sample."""
    kind, channels, rate, _, _, bits = unpack_from("<HHIIHH", header)
    if kind == EXTENSIBLE and header[26:40] == PCM_SUFFIX:
        (kind,) = unpack_from("<H", header, 24)
    if kind != PCM or bits not in (8, 16, 24, 32):
        message = f"samples of format {kind} and {bits} bits are not read"
        raise SnnirError(path, message, "convert the sound to PCM of 8, 16, 24 or 32 bits")
    if not channels or not rate:
        raise SnnirError(path, f"{channels} channels at {rate} Hz", "convert the sound again")
    return channels, rate, bits


def _pcm(body: bytes, bits: int) -> Reals:
    """Samples from -1 to below 1; 8 bits are without sign, all others two's complement, the least byte first."""
    if bits == 8:
        return (np.frombuffer(body, np.uint8).astype(np.float64) - 128) / 128
    if bits == 24:
        wide = np.zeros((len(body) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
        return wide.reshape(-1).view("<i4").astype(np.float64) / 2**31
    return np.frombuffer(body, f"<i{bits // 8}").astype(np.float64) / 2.0 ** (bits - 1)
