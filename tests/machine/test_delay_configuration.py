"""Delay memories in a configuration: read, checked, too small, and of no concern to the timing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machine_builder import Builder, Document, write

from snnir import machine
from snnir.errors import SnnirError
from snnir.machine import functional
from snnir.machine.__main__ import main
from snnir.machine.parts import Configuration, DelayMemory, Delays
from snnir.machine.together import Running, Together, work_of

Change = Callable[[Document], object]
MEMORIES = ("ring", "queue", "circular", "fifo")
HINT = "reserve more of it (margin of cluster-size-delays), prune delays, or choose a machine with a larger memory"


def builder(weight_bits: int | None = 8) -> Builder:
    """One neuron for each of three lines of `x`, at once and late, which also reads itself late; `c1` has no delay."""
    found = Builder(version=2, rows=8, columns=8, weight_bits=weight_bits)
    found.input("x", 3)
    found.population("a", 2)
    found.population("b", 1, output="o")
    found.crossbar("c0", (0, 0), rows=[("x", [0, 1], 0), ("x", [1, 2], 3), ("a", [0, 1], 2)])
    found.slice("sa", "a", [0, 1], [[1, 0], [0, 2], [1, 1], [3, 0], [0, 0], [-1, 1]], threshold=2.0)
    found.crossbar("c1", (1, 0), rows=[("a", [0, 1], 0)])
    found.slice("sb", "b", [0], [[1], [1]])
    return found


def loaded(directory: Path, change: Change = lambda _: None, weight_bits: int | None = 8) -> Configuration:
    """The configuration after a change of its document."""
    made = builder(weight_bits)
    document = json.loads(json.dumps(made.document()))
    change(document)
    write(directory, document, made.tensors)
    return machine.load(directory)


def stated(memory: str, entries: int = 0, reserved: int | None = None, bits: int = 16) -> Change:
    """A machine with delay memories, perhaps with entries that the first crossbar reserves."""

    def change(document: Document) -> None:
        document["machine"]["delays"] = {"memory": memory, "entries": entries, "bits": bits}
        if reserved is not None:
            document["crossbars"][0]["delays"] = {"entries": reserved, "bound": 99, "observed": None}

    return change


def inputs(steps: int = 12, samples: int = 3) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    return {"x": (rng.random((samples, steps, 3)) < 0.6).astype(np.uint8)}


def test_it_is_read(tmp_path: Path) -> None:
    plain = loaded(tmp_path / "plain")
    assert plain.machine.delays is None and all(crossbar.delays is None for crossbar in plain.crossbars)
    found = loaded(tmp_path / "some", stated("circular", 70, 12))
    assert found.machine.delays == Delays("circular", 70, 16)
    assert [crossbar.delays for crossbar in found.crossbars] == [DelayMemory(12, 99, None), None]
    assert [found.entries_of(crossbar) for crossbar in found.crossbars] == [12, 70]
    assert [crossbar.has_delays for crossbar in found.crossbars] == [True, False]

    def seen(document: Document) -> None:
        stated("fifo", 0, 7)(document)
        document["crossbars"][0]["delays"]["observed"] = 5

    found = loaded(tmp_path / "seen", seen)
    assert found.crossbars[0].delays == DelayMemory(7, 99, 5)
    assert found.entries_of(found.crossbars[1]) is None


@pytest.mark.parametrize("memory", MEMORIES)
def test_spikes_and_times_are_those_without_a_memory(memory: str, tmp_path: Path) -> None:
    plain = loaded(tmp_path / "plain")
    found = loaded(tmp_path / "some", stated(memory))
    before, after = (machine.run(each, inputs()) for each in (plain, found))
    assert before.spikes["a"].any() and before.delay_peaks == {}
    for name in ("a", "b"):
        assert np.array_equal(before.spikes[name], after.spikes[name])
    assert set(after.delay_peaks) == {"c0"} and after.delay_peaks["c0"] > 0
    times = [machine.simulate(c, r.counts) for c, r in ((plain, before), (found, after))]
    assert np.array_equal(times[0].finish, times[1].finish) and times[0].busy == times[1].busy


def test_machines_run_together_as_without_a_memory(tmp_path: Path) -> None:
    finish: list[list[int]] = []
    for number, change in enumerate((lambda _: None, stated("circular", 70, 40))):
        configuration = loaded(tmp_path / str(number), change)
        counts = machine.run(configuration, inputs()).counts
        company = Together(configuration.machine)
        company.add(Running("only", work_of(configuration, counts), 0, counts.steps))
        company.run()
        finish.append(company.finish("only").tolist())
    assert finish[0] == finish[1] and len(finish[0]) == 36


def test_the_command_says_what_was_held(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "data.npz", **inputs())  # pyright: ignore[reportArgumentType]
    for memory in ("", "fifo"):
        configuration = loaded(tmp_path / f"m{memory}", stated(memory) if memory else lambda _: None)
        words = [str(configuration.path.parent), "--data", str(tmp_path / "data.npz")]
        assert main(words) == 0
        text = capsys.readouterr().out
        assert main([*words, "--json"]) == 0
        peaks = json.loads(capsys.readouterr().out).get("delay_peaks", {})
        assert peaks == machine.run(configuration, inputs()).delay_peaks
        assert ("delay memory" in text) == bool(memory)
        assert not memory or f"{peaks['c0']} entries at most, in c0" in text


def test_the_command_writes_nothing_where_a_memory_is_too_small(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "data.npz", **inputs())  # pyright: ignore[reportArgumentType]
    loaded(tmp_path / "m", stated("queue", 2))
    assert main([str(tmp_path / "m"), "--data", str(tmp_path / "data.npz"), "--trace", str(tmp_path / "t.csv")]) == 1
    said = capsys.readouterr()
    assert not said.out and "the delay memory of 'c0' holds 2 events" in said.err
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize("bits", [0, 1, 8])
def test_bits_are_for_sizes_only(bits: int, tmp_path: Path) -> None:
    """A slot is said to have the bits of a weight; the sums in it are as exact as those of columns."""
    found = machine.run(loaded(tmp_path / "ring", stated("ring", bits=bits)), inputs())
    expected = machine.run(loaded(tmp_path / "plain"), inputs())
    assert np.array_equal(found.spikes["a"], expected.spikes["a"])


# --- too small


@pytest.mark.parametrize(
    ("memory", "entries", "step", "who"),
    [
        # x1 and x2 are read 3 steps late, a0 not at all (its cells are 0), a1 2 steps late
        ("queue", 0, 1, "1 of 'x'"),
        ("queue", 1, 1, "2 of 'x'"),
        ("queue", 2, 1, "1 of 'a'"),
        ("queue", 3, 2, "1 of 'x'"),
        ("fifo", 4, 2, "1 of 'a'"),
        # fresh events enter both queues
        ("circular", 3, 1, "2 of 'x'"),
        ("circular", 5, 1, "1 of 'a'"),
        # in step 2 the three of step 1 go on, with three more entries
        ("circular", 6, 2, "1 of 'x'"),
    ],
)
def test_too_many_events(memory: str, entries: int, step: int, who: str, tmp_path: Path) -> None:
    configuration = loaded(tmp_path, stated(memory, 0, entries))
    spikes = np.array([[[0, 0, 0]] * 4, [[1, 0, 0], [0, 1, 1], [0, 1, 0], [0, 1, 1]]], np.uint8)
    with pytest.raises(SnnirError) as caught:
        machine.run(configuration, {"x": spikes})
    message = f"step {step}, sample 1: the delay memory of 'c0' holds {entries} events, and neuron {who} sends one more"
    assert caught.value.message == message
    assert caught.value.place == f"{tmp_path / 'config.json'}:/crossbars/0"
    assert caught.value.hint == HINT


def test_too_few_slots(tmp_path: Path) -> None:
    """Found before anything runs: slots do not depend on spikes."""
    loaded(tmp_path / "enough", stated("ring", 0, 8))
    message = "the delay memory of 'c0' has 7 slots, and 2 sums with delays of up to 3 steps need 8"
    for change in (stated("ring", 0, 7), stated("ring", 7)):
        with pytest.raises(SnnirError) as caught:
            loaded(tmp_path / "few", change)
        assert (caught.value.message, caught.value.hint) == (message, HINT)
        assert caught.value.place.endswith("config.json:/crossbars/0")
    free = loaded(tmp_path / "other", stated("ring"))
    limited = replace(free, machine=replace(free.machine, delays=Delays("ring", 7)))
    with pytest.raises(SnnirError, match="has 7 slots"):
        machine.run(limited, inputs())


def test_the_machine_limits_where_nothing_is_reserved(tmp_path: Path) -> None:
    free = machine.run(loaded(tmp_path / "free", stated("circular")), inputs())
    most = free.delay_peaks["c0"]
    same = machine.run(loaded(tmp_path / "same", stated("circular", most)), inputs())
    assert same.delay_peaks == free.delay_peaks
    with pytest.raises(SnnirError, match=f"holds {most - 1} events"):
        machine.run(loaded(tmp_path / "less", stated("circular", most - 1)), inputs())


# --- contradictions


def without_machine(document: Document) -> None:
    stated("fifo", 0, 4)(document)
    del document["machine"]["delays"]


def on_the_other(document: Document) -> None:
    stated("fifo")(document)
    document["crossbars"][1]["delays"] = {"entries": 4, "bound": 4, "observed": None}


def edited(**fields: Any) -> Change:
    def change(document: Document) -> None:
        stated("fifo", 0, 4)(document)
        own = ("bound", "observed", "reserved")
        document["machine"]["delays"] |= {key: value for key, value in fields.items() if key not in own}
        document["crossbars"][0]["delays"] |= {key: value for key, value in fields.items() if key in own}

    return change


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (without_machine, "/crossbars/0/delays", "entries of a delay memory, and the machine has none"),
        (on_the_other, "/crossbars/1/delays", "no row has a delay"),
        (stated("fifo", 5, 6), "/crossbars/0/delays/entries", "6 entries are reserved, and the memory has 5"),
        (stated("fifo", 0, -1), "/crossbars/0/delays/entries", "-1 is less than the minimum of 0"),
        (edited(memory="shift"), "/machine/delays/memory", "'shift' is not one of"),
        (edited(bits=-1), "/machine/delays/bits", "-1 is less than the minimum of 0"),
        (edited(entries=1.5), "/machine/delays/entries", "1.5 is not of type 'integer'"),
        (edited(color=1), "/machine/delays", "'color' was unexpected"),
        (edited(bound="many"), "/crossbars/0/delays/bound", "'many' is not of type 'integer'"),
        (edited(observed=-2), "/crossbars/0/delays/observed", "-2 is less than the minimum of 0"),
        (edited(reserved=2), "/crossbars/0/delays", "'reserved' was unexpected"),
    ],
)
def test_contradictions(change: Change, place: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SnnirError) as caught:
        loaded(tmp_path, change)
    assert caught.value.place == f"{tmp_path / 'config.json'}:{place}", str(caught.value)
    assert message in caught.value.message
    assert caught.value.hint


def test_files_of_version_1_have_none(tmp_path: Path) -> None:
    for number, path in enumerate(("/machine/delays", "/crossbars/0/delays")):
        made = Builder()
        made.input("x", 1)
        made.population("a", 1, output="o")
        made.crossbar("c0", (0, 0), rows=[("x", [0], 1)])
        made.slice("sa", "a", [0], [[1]])
        document = json.loads(json.dumps(made.document()))
        stated("fifo", 0, 4 if number else None)(document)
        if number:
            del document["machine"]["delays"]
        write(tmp_path / str(number), document, made.tensors)
        with pytest.raises(SnnirError, match="does not belong here") as caught:
            machine.load(tmp_path / str(number))
        assert caught.value.place.endswith(path)


def test_rings_hold_whole_numbers(tmp_path: Path) -> None:
    machine.run(loaded(tmp_path / "fifo", stated("fifo"), weight_bits=None), inputs())
    with pytest.raises(SnnirError, match="a ring buffer of real numbers") as caught:
        loaded(tmp_path / "ring", stated("ring"), weight_bits=None)
    assert caught.value.place.endswith("/machine/delays/memory")


def test_rings_add_exactly_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = loaded(tmp_path, stated("ring"))
    monkeypatch.setattr(functional, "sums_are_exact", lambda *_: False)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(SnnirError, match="sums of slice 'sa' take more than 53 bits") as caught:
        machine.run(configuration, inputs())
    assert caught.value.hint


def test_analog_cells_with_memories(tmp_path: Path) -> None:
    """Events reach the rows as without a memory; sums that are made before columns are read are refused."""

    def reader(name: str, rows: functional.Reals) -> functional.Reals:
        part, home = configuration.slices[name], configuration.home[name]
        return rows @ home.cells[part.rows, slice(*part.columns)].astype(np.float64) + 0.25

    configuration = loaded(tmp_path / "plain")
    expected = machine.run(configuration, inputs(), reader=reader)
    for memory in MEMORIES:
        configuration = loaded(tmp_path / memory, stated(memory))
        if memory == "ring":
            with pytest.raises(SnnirError, match="analog cells") as caught:
                machine.run(configuration, inputs(), reader=reader)
            assert caught.value.place.endswith("/machine/delays/memory")
            continue
        found = machine.run(configuration, inputs(), reader=reader)
        assert np.array_equal(found.spikes["a"], expected.spikes["a"])
