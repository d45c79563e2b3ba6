"""Published data formats: small files written in exactly these, read back; and files that are wrong."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import pytest
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.train.data import load, read_blocks
from snnir.train.data.audio import Encoder, read_wave
from snnir.train.data.nmnist import events

h5py: Any = _h5py

Event = tuple[float, int]


def heidelberg(path: Path, samples: Sequence[Sequence[Event]], times: str = "f2", left_out: str = "") -> Path:
    """A file as SHD is: `samples` are lists of (seconds, unit); labels 0, 1, 2, ..."""
    with h5py.File(path, "w") as file:
        columns = {"times": (times, 0), "units": ("u2", 1)}
        for name, (kind, column) in columns.items():
            if f"spikes/{name}" == left_out:
                continue
            made = file.create_dataset(f"spikes/{name}", (len(samples),), h5py.vlen_dtype(np.dtype(kind)))
            for row, sample in enumerate(samples):
                made[row] = np.array([each[column] for each in sample], kind)
        if left_out != "labels":
            file["labels"] = np.arange(len(samples), dtype=np.uint16)
        file["extra/speaker"] = np.arange(len(samples), dtype=np.uint16) + 4
        file["extra/keys"] = np.array([b"zero", b"one", b"two"])
        file["extra/meta_info/gender"] = np.array([b"female"])
    return path


def record(x: int, y: int, polarity: int, time: int) -> bytes:
    """An event of N-MNIST: 40 bits, the most significant first."""
    return struct.pack(">Q", x << 32 | y << 24 | polarity << 23 | time)[3:]


def wave_file(path: Path, sound: NDArray[np.int64], bits: int, channels: int = 1, extensible: bool = False) -> Path:
    """A RIFF WAVE file of 8 kHz; `sound` are whole numbers of the given bits, (samples,) or (samples, channels)."""
    flat = sound.reshape(-1) + (128 if bits == 8 else 0)
    body = b"".join(int(each).to_bytes(bits // 8, "little", signed=bits > 8) for each in flat)
    frame = channels * bits // 8
    head = struct.pack("<HHIIHH", 0xFFFE if extensible else 1, channels, 8000, 8000 * frame, frame, bits)
    if extensible:
        head += struct.pack("<HHIH", 22, bits, 0, 1) + bytes.fromhex("000000001000800000aa00389b71")
    chunks = b"".join(
        name + struct.pack("<I", len(each)) + each + b"\0" * (len(each) % 2)
        for name, each in ((b"fmt ", head), (b"LIST", b"abc"), (b"data", body))
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
    return path


def tone(frequency: float, seconds: float, bits: int = 16) -> NDArray[np.int64]:
    """A sine of 8 kHz."""
    angle = 2 * np.pi * frequency * np.arange(round(8000 * seconds)) / 8000
    return np.rint(np.sin(angle) * (2 ** (bits - 1) - 1) * 0.9).astype(np.int64)


EVENTS = [[(0.0, 0), (0.0301, 699), (0.0312, 698)], [(0.0105, 7), (0.0107, 7), (0.0999, 12)], [(0.005, 3)]]


@pytest.mark.parametrize("times", ["f2", "f4", "f8"])
@pytest.mark.parametrize("packed", [False, True])
def test_heidelberg_files_become_steps(tmp_path: Path, times: str, packed: bool) -> None:
    path = heidelberg(tmp_path / "shd.h5", EVENTS, times)
    if packed:
        data = path.read_bytes()
        path = tmp_path / "shd.h5.gz"
        path.write_bytes(gzip.compress(data))
    found = load("shd", path, dt=0.01)
    expected = np.zeros((3, 10, 700), np.uint8)
    for sample, step, unit in ((0, 0, 0), (0, 3, 699), (0, 3, 698), (1, 1, 7), (1, 9, 12), (2, 0, 3)):
        expected[sample, step, unit] = 1
    np.testing.assert_array_equal(found.spikes, expected)
    assert found.spikes.dtype == np.uint8
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2]
    assert found.about["speaker"].tolist() == [4, 5, 6]
    assert found.names == ("zero", "one", "two")
    grouped = load("ssc", path, dt=0.01, group=5, counts=True, samples=2).spikes
    np.testing.assert_array_equal(grouped.sum(axis=(1, 2)), [3, 3])
    assert (grouped[0, 3, 139], grouped[1, 1, 1], grouped.shape) == (2, 2, (2, 10, 140))


def test_samples_come_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    samples = [
        [(float(time), int(unit)) for time, unit in zip(rng.random(9), rng.integers(700, size=9), strict=True)]
        for _ in range(300)
    ]
    path = heidelberg(tmp_path / "shd.h5", samples, "f4")
    parts = list(read_blocks("shd", path, dt=0.05))
    assert [len(each.spikes) for each in parts] == [128, 128, 44]
    np.testing.assert_array_equal(np.concatenate([each.spikes for each in parts]), load("shd", path, dt=0.05).spikes)
    monkeypatch.setattr("snnir.train.data.dataset.LARGEST_CELLS", 200 * 20 * 700)
    with pytest.raises(SnnirError, match="the spikes take more than"):
        load("shd", path, dt=0.05)


def test_late_events_are_refused_or_counted(tmp_path: Path) -> None:
    path = heidelberg(tmp_path / "shd.h5", EVENTS, "f4")
    with pytest.raises(SnnirError, match=r"spikes/times\[1\]: error: 1 events come after step 4, the last at 0.0999 s"):
        load("shd", path, dt=0.01, steps=5)
    found = load("shd", path, dt=0.01, steps=5, late="drop")
    assert found.about["late"].tolist() == [0, 1, 0]
    assert found.spikes.sum(axis=(1, 2)).tolist() == [3, 1, 1]


@pytest.mark.parametrize(
    ("events_", "message"),
    [
        ([[(0.1, 0), (float("nan"), 1)]], r"spikes/times\[0\]: error: the time of event 1 is nan"),
        ([[(0.1, 0)], [(-0.5, 1)]], r"spikes/times\[1\]: error: the time of event 0 is -0.5"),
        ([[(0.1, 700)]], "event 0 is of neuron 700, but there are 700"),
        ([[(1e30, 3)]], r"spikes/times\[0\]: error: an event at 1e\+30 s needs"),
    ],
)
def test_events_that_cannot_be_are_named(tmp_path: Path, events_: list[list[Event]], message: str) -> None:
    with pytest.raises(SnnirError, match=message):
        load("shd", heidelberg(tmp_path / "shd.h5", events_, "f4"), dt=0.01)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = heidelberg(tmp_path / "shd.h5", [[(1e30, 3)], [(0.001, 5)] * 300], "f4")
    assert load("shd", path, dt=0.01, steps=2, late="drop").about["late"].tolist() == [1, 0]
    with pytest.raises(SnnirError, match=r"times\[1\]: error: 300 events of a neuron in one step do not fit"):
        load("shd", path, dt=0.01, steps=2, late="drop", counts=True)
    with pytest.raises(SnnirError, match="a sample of 4,000,000 steps and 700 neurons takes more than 2 GB"):
        load("shd", path, steps=4_000_000)


@pytest.mark.parametrize("left_out", ["spikes/times", "spikes/units", "labels"])
def test_missing_groups_are_named(tmp_path: Path, left_out: str) -> None:
    with pytest.raises(SnnirError, match=f":/{left_out}: error: there is no such data set"):
        load("shd", heidelberg(tmp_path / "shd.h5", EVENTS, left_out=left_out))


def _changed(path: Path, name: str, value: Any) -> None:
    with h5py.File(path, "a") as file:
        del file[name]
        file[name] = value


def test_wrong_heidelberg_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "shd.h5"
    outside = h5py.ExternalLink("other.h5", "/labels")
    for name, value, message in (
        ("labels", np.arange(2), "3 samples, but 2 labels"),
        ("labels", np.array([0.5, 1.0, 2.0]), ":/labels: error: a number per sample is expected here"),
        ("labels", outside, "this is kept in another file"),
        ("spikes/times", np.zeros((3, 4)), ":/spikes/times: error: a list of numbers per sample is expected here"),
        ("spikes", np.zeros(3), ":/spikes/times: error: there is no such data set"),
    ):
        _changed(heidelberg(path, EVENTS), name, value)
        with pytest.raises(SnnirError, match=message):
            load("shd", path)
    heidelberg(path, EVENTS)
    with h5py.File(path, "a") as file:
        file["spikes/units"][1] = np.arange(2, dtype=np.uint16)
    with pytest.raises(SnnirError, match=r"spikes/times\[1\]: error: 3 times, but 2 neurons"):
        load("shd", path)


def test_damaged_heidelberg_files_are_refused(tmp_path: Path) -> None:
    whole = heidelberg(tmp_path / "shd.h5", EVENTS).read_bytes()
    for name, data, message in (
        ("cut.h5", whole[:-100], "truncated HDF5 file"),
        ("cut.h5.gz", gzip.compress(whole)[:-100], "truncated gzip file"),
        ("no.h5.gz", whole, "gzip file"),
        ("zip.h5", b"PK\3\4" + whole, "this is a zip archive"),
        ("inner.h5.gz", gzip.compress(whole[:-100]), "truncated HDF5 file"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SnnirError, match=message):
            load("shd", tmp_path / name)
    with pytest.raises(SnnirError, match="no such file"):
        load("shd", tmp_path / "absent.h5")


def test_records_of_five_bytes(tmp_path: Path) -> None:
    path = tmp_path / "00007.bin"
    path.write_bytes(record(33, 0, 1, 0) + record(1, 2, 0, 999) + record(0, 240, 0, 5) + record(3, 4, 1, 10))
    x, y, polarity, time = events(path)
    assert x.tolist() == [33, 1, 3]
    assert y.tolist() == [0, 2, 4]
    assert polarity.tolist() == [1, 0, 1]
    assert time.tolist() == [0, 999, 10 + 8192]
    found = load("nmnist", path)
    assert found.labels is None
    places = [(0, 34 * 34 + 33), (0, 2 * 34 + 1), (8, 34 * 34 + 4 * 34 + 3)]
    assert np.argwhere(found.spikes[0]).tolist() == [list(each) for each in sorted(places)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (record(1, 1, 0, 5) + b"\1\2", "truncated: 7 bytes are no whole number of records of 5 bytes"),
        (record(1, 1, 0, 5) + record(34, 1, 0, 6), r"event 1 is at \(34, 1\), outside a sensor of 34x34"),
        (record(1, 1, 0, 5) + record(1, 1, 0, 4), "event 1 is at 4 us, after one at 5 us"),
    ],
)
def test_wrong_records_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "1.bin").write_bytes(data)
    with pytest.raises(SnnirError, match=f"1.bin: error: {message}"):
        load("nmnist", tmp_path / "1.bin")


def test_folders_and_lists_of_recordings(tmp_path: Path) -> None:
    for part, name, digit in (("Train", "00002", 5), ("Train", "00001", 9), ("Test", "00001", 7)):
        folder = tmp_path / part / str(digit)
        folder.mkdir(parents=True)
        (folder / f"{name}.bin").write_bytes(record(digit, 0, 0, 1500))
    found = load("nmnist", tmp_path, subset="train")
    assert found.labels is not None
    assert (found.labels.tolist(), found.about["number"].tolist()) == ([9, 5], [1, 2])
    assert found.spikes.shape == (2, 2, 2312)
    assert found.spikes[0, 1].argmax() == 9
    np.testing.assert_array_equal(
        load("nmnist", tmp_path / "Test").spikes, load("nmnist", tmp_path, subset="test").spikes
    )
    with pytest.raises(SnnirError, match="which part: Train or Test"):
        load("nmnist", tmp_path)
    with pytest.raises(SnnirError, match="there are no folders 0 to 9"):
        load("nmnist", tmp_path / "Test" / "7")
    (tmp_path / "60001.bs2").write_bytes(record(1, 1, 1, 0))
    listed = tmp_path / "test.txt"
    listed.write_text("#sample\tlabel\n60001\t7\n")
    labels = load("nmnist", listed).labels
    assert labels is not None
    assert labels.tolist() == [7]
    for text, message in (
        ("60001 7\n60002 1\n", r"test.txt:2: error: there is no file 60002"),
        ("x 1", "no number and"),
    ):
        listed.write_text(text)
        with pytest.raises(SnnirError, match=message):
            load("nmnist", listed)


def test_real_recordings_are_binned_as_the_reference(shared_data: Path, tmp_path: Path) -> None:
    """The reference holds columns, rows, polarities and times of published recordings: written as a file and read."""
    with np.load(shared_data / "refs" / "nmnist_test100_events.npz") as reference:
        x, y, p, t, offsets, labels = (reference[key] for key in ("x", "y", "p", "t_us", "offsets", "labels"))
        numbers = reference["ids"]
    for sample in range(3):
        part = slice(offsets[sample], offsets[sample + 1])
        times = t[part] - t[offsets[sample]]  # the reference counts from the first event
        rows = [record(*map(int, each)) for each in zip(x[part], y[part], p[part], times, strict=True)]
        (tmp_path / f"{numbers[sample]}.bs2").write_bytes(b"".join(rows))
    lines = [f"{number} {label}" for number, label in zip(numbers[:3], labels[:3], strict=True)]
    (tmp_path / "test3.txt").write_text("\n".join(lines))
    found = load("nmnist", tmp_path / "test3.txt", dt=1e-3, steps=300, counts=True, late="drop")
    with np.load(shared_data / "refs" / "cnn_nmnist_zero.npz") as reference:
        counts = next(each for each in (reference[key] for key in reference) if each.shape[2:] == (2, 34, 34))
    np.testing.assert_array_equal(found.spikes.reshape(3, 300, 2, 34, 34), counts[:, :3].swapaxes(0, 1))
    assert found.labels is not None
    assert found.labels.tolist() == labels[:3].tolist()


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("extensible", [False, True])
def test_sound_files(tmp_path: Path, bits: int, channels: int, extensible: bool) -> None:
    most = 2 ** (bits - 1)
    sound = np.array([[0, 0], [-most, most - 1], [1, -1], [most // 2, most // 4]], np.int64)[:, :channels]
    found, rate = read_wave(wave_file(tmp_path / "s.wav", sound, bits, channels, extensible))
    assert rate == 8000
    np.testing.assert_array_equal(found, sound.mean(axis=1) / most)


def test_channels_follow_the_frequency(tmp_path: Path) -> None:
    low, high = (tone(frequency, 0.4) for frequency in (300, 3000))
    wave_file(tmp_path / "0_anna_0.wav", np.concatenate([low, high]), 16)
    found = load("wav", tmp_path, channels=32)
    assert found.spikes.shape == (1, 64, 32)
    first, second = found.spikes[0].reshape(2, 32, 32).sum(axis=1)
    assert first @ np.arange(32) < 13 * first.sum()
    assert second @ np.arange(32) > 20 * second.sum()
    assert not found.spikes[0, 50:].any()
    quiet = wave_file(tmp_path / "quiet.wav", np.concatenate([low, high]) // 16, 16)
    assert (load("wav", quiet, channels=32).spikes != found.spikes).mean() < 0.02
    changes = load("wav", tmp_path / "0_anna_0.wav", channels=32, code="delta").spikes[0].reshape(64, 2, 32)
    assert changes[:2, 0, 5:8].any()
    assert changes[24:30, 1, 5:8].any()
    silent = wave_file(tmp_path / "silent.wav", np.zeros(800, np.int64), 16)
    assert not load("wav", silent).spikes.any()


def test_a_neuron_integrates_its_level() -> None:
    encoder = Encoder(channels=1, steps=8, dt=0.01, gain=0.45, lowest=100.0)
    spikes, late = encoder.spikes(tone(1000, 0.08) / 2**15, 8000, "s")
    assert late == 0
    assert spikes[:, 0].tolist() == [0, 0, 1, 0, 1, 0, 1, 0]


def test_names_of_fsdd_give_labels_and_parts(tmp_path: Path) -> None:
    for name in ("7_jackson_32", "0_theo_4", "3_theo_5"):
        wave_file(tmp_path / f"{name}.wav", tone(500, 0.1), 16)
    found = load("wav", tmp_path)
    assert found.labels is not None
    assert (found.labels.tolist(), found.about["speaker"].tolist()) == ([0, 3, 7], ["theo", "theo", "jackson"])
    tested = load("wav", tmp_path, subset="test").labels
    assert tested is not None
    assert tested.tolist() == [0]
    wave_file(tmp_path / "noise.wav", tone(500, 0.1), 16)
    with pytest.raises(SnnirError, match=r"noise.wav: error: the name gives no label"):
        load("wav", tmp_path)
    assert load("wav", tmp_path / "noise.wav").labels is None


def test_long_sound_is_refused_or_counted(tmp_path: Path) -> None:
    path = wave_file(tmp_path / "s.wav", tone(500, 1.2), 16)
    with pytest.raises(SnnirError, match=r"it lasts 1.2 s, more than 64 steps of 0.016 s"):
        load("wav", path)
    assert load("wav", path, late="drop").about["late"].tolist() == [11]


def test_wrong_sound_files_are_refused(tmp_path: Path) -> None:
    path = wave_file(tmp_path / "s.wav", tone(500, 0.1), 16)
    whole = path.read_bytes()
    place = whole.index(b"fmt ") + 8
    for data, message in (
        (whole[:-3], "truncated: 3 bytes are missing"),
        (b"RIFX" + whole[4:], "no RIFF WAVE file"),
        (whole[:place] + struct.pack("<H", 3) + whole[place + 2 :], "samples of format 3 and 16 bits are not read"),
        (whole[: place + 14] + struct.pack("<H", 12) + whole[place + 16 :], "format 1 and 12 bits are not read"),
        (whole[: place - 8] + b"data" + struct.pack("<I", 0), "there is no format or no sound"),
        (
            whole[: place - 4] + struct.pack("<I", 4) + whole[place : place + 4] + whole[whole.index(b"data") :],
            "not whole",
        ),
    ):
        path.write_bytes(data)
        with pytest.raises(SnnirError, match=message):
            load("wav", path)


@pytest.mark.parametrize(
    ("format_", "options", "message"),
    [
        ("aedat", {}, "there is no format 'aedat'"),
        ("shd", {"channels": 5}, "there is no option 'channels'"),
        ("shd", {"group": 3}, "groups of 3 do not divide 700"),
        ("shd", {"dt": 0}, "a step of 0.0 s"),
        ("shd", {"dt": "fast"}, "dt = 'fast' is not a number"),
        ("shd", {"steps": 2.5}, "steps = 2.5 is not a whole number"),
        ("shd", {"late": "ignore"}, "late = 'ignore' is not refuse or drop"),
        ("shd", {"samples": 0}, "0 samples"),
        ("shd", {"subset": "test"}, "there is no part 'test' of a file"),
        ("wav", {"channels": 400}, "400 channels are too many"),
        ("wav", {"highest": 5000.0}, "the file has up to 4000 Hz"),
        ("wav", {"subset": "other"}, "there is no part 'other'"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, format_: str, options: dict[str, Any], message: str) -> None:
    shd, wav = heidelberg(tmp_path / "a.h5", EVENTS), wave_file(tmp_path / "1_a_1.wav", tone(500, 0.1), 16)
    with pytest.raises(SnnirError, match=message):
        load(format_, wav if format_ == "wav" else shd, **options)
