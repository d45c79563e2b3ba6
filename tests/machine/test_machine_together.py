"""Applications that share a machine: alone as ever, together as one, and through every change as on a plain machine."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_builder import Builder, chain
from machine_company import Guest, NaiveCompany, merged, merged_counts, merged_documents, random_company
from machine_random import random_builder, random_stages
from test_machine_properties import as_lists, loaded, random_counts

from snnir.errors import SnnirError
from snnir.machine import Configuration, Counts, Timing, peak_counts, simulate
from snnir.machine.together import Running, Together, kernel, work_of
from snnir.machine.together.columns import Clock, layout

SEEDS = st.integers(0, 2**32 - 1)
FLOORS = ["plain", "mesh", "chips", "tree"]


def alone(configuration: Configuration, counts: Counts, pause: int = 0) -> Together:
    """The machine after a run of one application, in pieces of `pause` units of time if that is not 0."""
    machine = Together(configuration.machine, trace=True)
    machine.add(Running("only", work_of(configuration, counts), 0, counts.steps))
    while pause and machine.present and machine.now < 200 * pause:
        machine.advance(machine.now + pause)
    machine.run()
    return machine


def assert_same(machine: Together, names: Sequence[str], timing: Timing) -> None:
    """The firings, the finish and the flits of all applications are those of one configuration."""
    marks = [""] if len(names) == 1 else [f"{number}:" for number in range(len(names))]
    ends = {mark + k: v for mark, name in zip(marks, names, strict=True) for k, v in machine.firings(name).items()}
    assert {name: times.tolist() for name, times in ends.items()} == {
        name: end.tolist() for name, (_, end) in timing.firings.items()
    }
    assert np.max([machine.finish(name) for name in names], axis=0).tolist() == timing.finish.tolist()
    assert machine.link_flits == timing.link_flits
    assert machine.present == ()
    assert machine.flits_under_way == 0


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("busy_links", [False, True])
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, pause=st.sampled_from([0, 1, 7, 50, 1000]))
def test_alone_an_application_takes_the_times_of_simulate(floor: str, busy_links: bool, seed: int, pause: int) -> None:
    configuration = loaded(random_builder(seed, busy_links, floor))
    counts = random_counts(configuration, seed)
    assert_same(alone(configuration, counts, pause), ["only"], simulate(configuration, counts))


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_stages_and_deadlocks_are_those_of_simulate(seed: int) -> None:
    builder = random_builder(seed, busy_links=True)
    random_stages(builder, seed)
    configuration = loaded(builder)
    counts = random_counts(configuration, seed)
    try:
        timing = simulate(configuration, counts)
    except SnnirError:
        with pytest.raises(SnnirError, match=r"'only'.*deadlock: .* waits for "):
            alone(configuration, counts)
        return
    assert_same(alone(configuration, counts), ["only"], timing)


@pytest.mark.parametrize("floor", FLOORS)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS, count=st.integers(2, 4))
def test_applications_from_the_start_are_one_configuration(floor: str, seed: int, count: int) -> None:
    configurations = [loaded(builder) for builder in random_company(seed, floor, count)]
    counts = [random_counts(each, seed) for each in configurations]
    machine = Together(configurations[0].machine, trace=True)
    names = [f"a{number}" for number in range(count)]
    for name, configuration, each in zip(names, configurations, counts, strict=True):
        machine.add(Running(name, work_of(configuration, each), 0, each.steps))
    machine.run()
    assert_same(machine, names, simulate(merged(configurations), merged_counts(counts)))


def random_guests(seed: int, count: int) -> list[Guest]:
    """Applications that come one after the other, some of which are removed or killed."""
    random = Random(seed)
    most = random.choice([20, 300, 2000])
    starts = sorted(random.randrange(most) for _ in range(count))
    guests = [Guest(start, random.randint(1, 6)) for start in starts]
    for guest in guests:
        fate = random.random()
        if fate < 0.4:
            guest.killed = guest.start + random.randrange(1 + most // 2)
        elif fate < 0.7:
            guest.removed = guest.start + random.randrange(1 + most // 2)
    return guests


@pytest.mark.parametrize("floor", FLOORS)
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, count=st.integers(2, 5))
def test_arrivals_and_departures_are_those_of_single_events(floor: str, seed: int, count: int) -> None:
    builders = random_company(seed, floor, count)
    configurations = [loaded(builder) for builder in builders]
    counts = [random_counts(each, seed) for each in configurations]
    guests = random_guests(seed, count)
    naive = NaiveCompany(
        merged_documents([builder.document() for builder in builders]), as_lists(merged_counts(counts)), guests
    )
    naive.work()
    machine = Together(configurations[0].machine, trace=True)
    events = [(guest.start, 0, n) for n, guest in enumerate(guests)]
    events += [(guest.killed, 1, n) for n, guest in enumerate(guests) if guest.killed is not None]
    events += [(guest.removed, 2, n) for n, guest in enumerate(guests) if guest.removed is not None]
    for time, kind, n in sorted(events):
        machine.advance(time)
        if kind == 0:
            machine.add(Running(str(n), work_of(configurations[n], counts[n]), time, guests[n].steps))
        elif str(n) in machine.present:
            (machine.kill if kind == 1 else machine.remove)(str(n))
    machine.run()
    assert machine.present == ()
    assert machine.flits_under_way == 0
    for n in range(count):
        assert machine.finish(str(n)).tolist() == naive.finish(n)
        for name, ends in machine.firings(str(n)).items():
            assert ends.tolist() == naive.ended[f"{n}:{name}"]
    assert machine.link_flits == {link: flits for link, flits in naive.link_flits.items() if flits}


def test_counts_repeat_and_a_start_only_shifts_all_times(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    machine = Together(configuration.machine)
    machine.add(Running("late", work_of(configuration), 1000, 50))
    end = machine.run()
    expected = simulate(configuration, peak_counts(configuration, 50)).finish + 1000
    assert machine.finish("late").tolist() == expected.tolist()
    assert machine.gone("late") == end == expected[-1]


def test_removed_the_last_step_that_has_begun_is_complete(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    expected = simulate(configuration, peak_counts(configuration, 40)).finish
    machine = Together(configuration.machine)
    machine.add(Running("a", work_of(configuration), 0))
    with pytest.raises(SnnirError, match="has no last step"):
        machine.run()
    machine.advance(int(expected[5]))
    assert machine.finish("a").tolist() == expected[:5].tolist()
    machine.remove("a")
    machine.run()
    assert 6 < len(machine.finish("a")) < 12
    assert machine.finish("a").tolist() == expected[: len(machine.finish("a"))].tolist()


def test_killed_an_application_leaves_its_crossbars_and_no_flit(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    machine = Together(configuration.machine)
    machine.add(Running("a", work_of(configuration), 0))
    machine.advance(300)
    assert machine.flits_under_way > 0
    machine.kill("a")
    assert machine.flits_under_way == 0
    assert (machine.present, machine.gone("a")) == ((), 300)
    with pytest.raises(SnnirError, match="is not on the machine"):
        machine.kill("a")
    machine.add(Running("a", work_of(configuration), 5000, 3))
    machine.run()
    expected = simulate(configuration, peak_counts(configuration, 3)).finish + 5000
    assert machine.finish("a").tolist() == expected.tolist()


def behind_a_fast_link(index: int) -> Builder:
    """One slice that sends six spikes a step over a link, with a long hop, to a slower one between chips."""
    builder = Builder(mesh=(4, 1), chip=(2, 1), host=(2, 0), version=2)
    builder.time = {**builder.time, "chip_flit": 25, "chip_hop": 0, "hop_x": 200}
    builder.input("in", 3)
    builder.population("p", 6, output="o")
    builder.crossbar("c", (0, 0), index, rows=[("in", range(3), 0)])
    builder.slice("s", "p", range(6), np.ones((3, 6)))
    return builder


@pytest.mark.parametrize(("start", "killed"), [(0, 585), (60, 548), (0, 622), (240, 700)])
def test_killed_flits_that_a_slow_link_would_have_served_let_no_other_pass_early(start: int, killed: int) -> None:
    builders = [behind_a_fast_link(index) for index in range(2)]
    configurations = [loaded(builder) for builder in builders]
    counts = [peak_counts(each, 6) for each in configurations]
    naive = NaiveCompany(
        merged_documents([builder.document() for builder in builders]),
        as_lists(merged_counts(counts)),
        [Guest(0, 6, killed=killed), Guest(start, 6)],
    )
    naive.work()
    machine = Together(configurations[0].machine)
    machine.add(Running("a", work_of(configurations[0], counts[0]), 0, 6))
    machine.add(Running("b", work_of(configurations[1], counts[1]), start, 6))
    machine.advance(killed)
    machine.kill("a")
    machine.run()
    assert machine.finish("b").tolist() == naive.finish(1)


def test_crossbars_are_those_of_the_application_that_has_the_name_now() -> None:
    works = [work_of(loaded(builder)) for builder in random_company(3, "plain", 2)]
    machine = Together(works[0].machine)
    machine.add(Running("a", works[0], 0, 2))
    machine.add(Running("other", works[1], 0))
    machine.advance(100_000)
    assert machine.present == ("other",)
    machine.add(Running("a", works[0], machine.now))
    machine.advance(machine.now + 1000)
    assert machine.present == ("other", "a")
    with pytest.raises(SnnirError, match="and so is one of 'a'"):
        machine.add(Running("b", works[0], machine.now))


@pytest.mark.parametrize("floor", FLOORS)
def test_after_a_run_it_goes_on_where_the_last_application_has_drained(floor: str) -> None:
    for seed in range(4):
        first, second = (loaded(builder) for builder in random_company(seed, floor, 2))
        counts = random_counts(second, seed)
        machine = Together(first.machine)
        machine.add(Running("first", work_of(first), 0, 3))
        end = machine.run()
        assert machine.now == end + 1
        machine.add(Running("second", work_of(second, counts), machine.now, counts.steps))
        machine.run()
        assert machine.finish("second").tolist() == (simulate(second, counts).finish + end + 1).tolist()


def test_a_new_flow_has_its_turn_before_those_served_longer_ago_only_if_it_comes_after_the_last(tmp_path: Path) -> None:
    """`b` is added when `a` was served last, so that it is next: as if it had been there all the time."""
    configurations = [loaded(builder) for builder in random_company(3, "plain", 2)]
    counts = [random_counts(each, 3) for each in configurations]
    times: list[list[int]] = []
    for early in (0, 40):
        machine = Together(configurations[0].machine)
        machine.add(Running("a", work_of(configurations[0], counts[0]), 0, 6))
        machine.advance(early)
        machine.add(Running("b", work_of(configurations[1], counts[1]), 40, 6))
        machine.run()
        times.append([*machine.finish("a").tolist(), *machine.finish("b").tolist()])
    assert times[0] == times[1]


def test_what_does_not_go(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    work, machine = work_of(configuration), Together(configuration.machine)
    machine.add(Running("a", work, 0, 2))
    with pytest.raises(SnnirError, match="'c0' is 0 of tile"):
        machine.add(Running("b", work, 0, 2))
    with pytest.raises(SnnirError, match="on the machine already"):
        machine.add(Running("a", work, 0, 2))
    with pytest.raises(SnnirError, match="0 steps"):
        machine.add(Running("b", work, 0, 0))
    other = replace(configuration, machine=replace(configuration.machine, host=(1, 0)))
    with pytest.raises(SnnirError, match="for another machine"):
        machine.add(Running("b", work_of(other), 0, 2))
    for question in (machine.finish, machine.firings, machine.gone):
        with pytest.raises(SnnirError, match="never on the machine"):
            question("b")
    machine.run()
    with pytest.raises(SnnirError, match="go on to a later time"):
        machine.advance(5)
    with pytest.raises(SnnirError, match="starts at 7"):
        machine.add(Running("b", work, 7, 2))
    machine.add(Running("b", work, 2**61 - 1, 2))
    with pytest.raises(SnnirError, match=r"not complete at 2305843009213693952.*\n.*start it earlier"):
        machine.run()


def test_tables_grow_with_flits_under_way_and_not_with_steps(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    machine = Together(configuration.machine)
    machine.add(Running("a", work_of(configuration), 0))
    machine.advance(100_000)
    nodes, events = len(machine.state.nodes), len(machine.state.heap)
    machine.advance(20_000_000)
    assert len(machine.finish("a")) > 50_000
    assert (len(machine.state.nodes), len(machine.state.heap)) == (nodes, events)


def test_many_come_and_go_and_the_tables_stay_small(tmp_path: Path) -> None:
    configuration = chain().load(tmp_path)
    machine, work = Together(configuration.machine), work_of(configuration)
    for number in range(40):
        machine.add(Running(f"a{number}", work, machine.now, 3))
        machine.advance(machine.now + 20_000)
    assert len(machine.state.ports) <= 2 * len(work.tables["ports"])
    assert machine.state.clock[Clock.EVENTS] == 0


def test_code_on_disk_is_for_these_columns() -> None:
    assert layout() == kernel.LAYOUT, "write the digest into kernel.py, so that code on disk is compiled anew"


@pytest.mark.parametrize("module", ["snnir.machine", "snnir.machine.__main__"])
def test_the_machine_alone_does_not_load_numba(module: str) -> None:
    code = f"import sys, {module}; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
