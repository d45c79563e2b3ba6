"""Training descriptions: what is written is what is read, and everything else is refused with its line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from snnir.errors import SnnirError
from snnir.train.description import (
    DataPart,
    DelayLevels,
    NetworkPart,
    PrunePart,
    TrainingPart,
    description_of,
    read_description,
)
from snnir.train.stages import Stage, stages_of

TEXT = """\
[network]
layers = [64, 48, 10]
delays = { levels = 30, stride = 2 }

[data]
train = "train.npz"
validation = 0.1

[training]
epochs = 30
lr = 1e-3
"""


def written(folder: Path, text: str) -> Path:
    """A description in a file."""
    path = folder / "train.toml"
    path.write_text(text)
    return path


def refused(folder: Path, text: str) -> str:
    """What is said of a description."""
    with pytest.raises(SnnirError) as error:
        read_description(written(folder, text))
    return str(error.value).removeprefix(f"{folder / 'train.toml'}")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = read_description(written(tmp_path, TEXT))
    assert found.network == NetworkPart(layers=(64, 48, 10), delays=DelayLevels(30, 2))
    assert found.data == DataPart("train.npz", validation=0.1)
    assert found.training == TrainingPart(30, lr=1e-3)
    assert (found.prune, found.quantise, found.hardware.deploy) == (None, None, False)
    assert found.path("a/b.npz") == tmp_path / "a" / "b.npz"
    plain = found.as_json()
    assert plain["network"]["delays"] == {"levels": 30, "stride": 2, "first": 0, "inputs": False}
    assert set(plain) == {"network", "data", "training", "prune", "quantise", "hardware"}


def test_changes_from_the_command_line(tmp_path: Path) -> None:
    found = read_description(written(tmp_path, TEXT)).with_changes(epochs=3, seed=7)
    assert (found.training.epochs, found.training.seed, found.training.lr) == (3, 7, 1e-3)
    with pytest.raises(SnnirError, match=r"training.epochs = 0"):
        found.with_changes(epochs=0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lr = 1e-3", "rate = 1e-3", ":11: error: no entry 'rate' in [training]"),
        ("lr = 1e-3", "epoch = 3", ":11: error: no entry 'epoch' in [training]\n  fix: did you mean epochs?"),
        ("lr = 1e-3", 'lr = "fast"', ':11: error: training.lr = "fast" is not a number'),
        ("lr = 1e-3", "lr = true", ":11: error: training.lr = True is not a number"),
        ("lr = 1e-3", "lr = 0", ":11: error: training.lr = 0"),
        ("lr = 1e-3", "lr = nan", ":11: error: training.lr = nan"),
        ("lr = 1e-3", "clip = inf", ":11: error: training.clip = inf"),
        (
            "lr = 1e-3",
            'optimiser = "adma"',
            ':11: error: training.optimiser = "adma" is not "adam" or "adamw" or "sgd"',
        ),
        ("lr = 1e-3", 'classify = "max"', ':11: error: classify = "max" of spikes tells nothing'),
        ("lr = 1e-3", "least_spikes = 3\nmost_spikes = 2", ":11: error: least_spikes are more than most_spikes"),
        ("epochs = 30\n", "", ":9: error: [training] says nothing of 'epochs'"),
        ("epochs = 30", "epochs = 2.5", ":10: error: training.epochs = 2.5 is not a whole number"),
        ("layers = [64, 48, 10]", "layers = [64, 48.5]", ":2: error: network.layers = [64, 48.5] is not a list"),
        ("layers = [64, 48, 10]", "layers = [64]", ":2: error: layers are the lines"),
        ("layers = [64, 48, 10]", 'file = "a.snn"', ":3: error: delays belongs to a network of layers"),
        ("layers = [64, 48, 10]", 'file = "a.snn"\nlayers = [1, 2]', ":1: error: [network] has both file and layers"),
        ("layers = [64, 48, 10]", "", ":1: error: [network] has neither file nor layers"),
        ("layers = [64, 48, 10]", 'init = "keep"\nlayers = [4, 2, 2]', ":2: error: there are no weights to keep"),
        ("layers = [64, 48, 10]", "layers = [64, 10]", ":3: error: delays belong to hidden layers"),
        ("stride = 2", "steps = 2", ":3: error: no entry 'steps' in [network.delays]"),
        ("levels = 30", "levels = 0", ":3: error: network.delays.levels = 0"),
        ("validation = 0.1", "validation = 1.5", ":7: error: validation = 1.5"),
        ("[data]", "[date]", ":5: error: no table [date]"),
        ("[data]", "[data", ":5:6: error: not TOML"),
        ("[training]", '[prune]\nby = "axon"\n[training]', ":9: error: [prune] by axon says nothing of 'keep'"),
        ("[training]", '[prune]\nby = "axon"\nkeep = [2, 4]\n[training]', ":11: error: keep = [2, 4]"),
        ("[training]", '[prune]\nby = "axon"\nkeep = 0\n[training]', ":11: error: keep = [0]"),
        ("[training]", '[prune]\nby = "memory"\nkeep = 3\n[training]', ":11: error: keep belongs to pruning"),
        (
            "[training]",
            '[prune]\nby = "axon"\nentries = 3\n[training]',
            ":11: error: entries belong to pruning by memory",
        ),
        ("[training]", "[hardware]\ndeploy = true\n[training]", ":10: error: no machine to deploy on"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TEXT
    found = refused(tmp_path, TEXT.replace(old, new))
    assert found.startswith(said), found
    assert "  fix: " in found


def test_files_that_are_not_there_and_tables_from_python(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="no such training description"):
        read_description(tmp_path / "none.toml")
    tables: dict[str, Any] = {"network": {"layers": [4, 2]}, "data": {"train": "x.npz"}, "training": {"epochs": 1}}
    assert description_of(tables).network.layers == (4, 2)
    with pytest.raises(SnnirError, match=r"^description: error: there is no table \[data\]"):
        description_of({"network": {"layers": [4, 2]}})
    with pytest.raises(SnnirError, match="'training' is no table"):
        description_of({**tables, "training": 3})


def test_the_stages(tmp_path: Path) -> None:
    """Those of arXiv 2404.10597: train, prune, fine-tune, train with rounded weights."""
    assert stages_of(read_description(written(tmp_path, TEXT)), None) == (Stage("train", "train", 30, 1e-3),)
    more = '[prune]\nby = "axon"\nkeep = [8, 4]\nepochs = 3\n[quantise]\nbits = 4\nepochs = 2\nlr = 1e-5\n'
    found = stages_of(read_description(written(tmp_path, TEXT + more)), 4)
    assert [(s.name, s.kind, s.epochs, s.keep, s.bits) for s in found] == [
        ("train", "train", 30, 0, None),
        ("prune-1", "prune", 0, 8, None),
        ("fine-tune-1", "fine-tune", 3, 0, None),
        ("prune-2", "prune", 0, 4, None),
        ("fine-tune-2", "fine-tune", 3, 0, None),
        ("round", "round", 0, 0, 4),
        ("quantise", "quantise", 2, 0, 4),
    ]
    assert [s.lr for s in found] == [1e-3, 0.0, 5e-4, 0.0, 5e-4, 0.0, 1e-5]
    without = TEXT + '[prune]\nby = "synapse"\nkeep = 2\nepochs = 0\n[quantise]\nbits = 4\nepochs = 0\n'
    assert [s.kind for s in stages_of(read_description(written(tmp_path, without)), 4)] == ["train", "prune", "round"]


def test_every_entry_says_what_it_is() -> None:
    """The page of the documentation lists them all, and so does the code."""
    page = Path(__file__).parents[2] / "docs" / "training.md"
    if not page.exists():
        pytest.skip("the page is not there")
    text = page.read_text()
    for part in (NetworkPart, DataPart, TrainingPart, PrunePart, DelayLevels):
        assert not [f.name for f in fields(part) if f"`{f.name}`" not in text]
