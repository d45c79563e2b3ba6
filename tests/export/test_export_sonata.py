"""SONATA out: what is written, that it is read back equal, and what is refused."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sonata_files import HERE, INT_FIRE, events, nest_network, network_in, reference, run, small_network, value

from snnir.dialects.snn import LifOp, NetworkOp, NeuronOp, networks
from snnir.errors import SnnirError
from snnir.export.sonata import writer as export
from snnir.export.sonata.edges import edges_of
from snnir.frontend.network import (
    Conv,
    Delay,
    Dense,
    Flatten,
    Input,
    Network,
    OneToOne,
    Output,
    Pool,
    Population,
    Slice,
    Sparse,
    Transform,
)
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sonata import reader as sonata
from snnir.indices import Indices
from snnir.semantics import Semantics, preset

h5py: Any = import_module("h5py")
INT_FIRE_CELL = {"tau": 0.01, "r": 0.01, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0}
WEIGHTS = np.array([[0.5, -0.25], [0.0, 2.0], [1.5, 0.75]])
Edge = tuple[str, str, int, int, float, int]


def edges(network: NetworkOp) -> list[Edge]:
    """All connections of a program: names, numbers, weight, delay."""
    found: list[Edge] = []
    for (source, target), each in edges_of(network, Notes()).items():
        columns = (each.sources, each.targets, each.weights, each.delays)
        found += [(source, target, *row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return sorted(found)


def cells(network: NetworkOp) -> dict[str, Any]:
    """Model, semantics and parameters (one number per neuron) of each population."""
    return {
        name: (op.MODEL, op.semantics.data, {k: np.broadcast_to(v, op.size).tolist() for k, v in op.parameters.items()})
        for name, op in network.sources.items()
        if isinstance(op, NeuronOp)
    }


def back(network: NetworkOp, path: Path, spikes: Any = None, notes: Notes | None = None) -> NetworkOp:
    """A program written to a folder and read again."""
    export.write(network, path, notes or Notes(), spikes)
    return next(networks(sonata.read(path, FrontendOptions())))


def int_fire(op: Any, **parameters: Any) -> NetworkOp:
    """Two inputs, one projection, three IntFire1 neurons."""
    return small_network("lif", INT_FIRE_CELL | parameters, replace(INT_FIRE, refractory=2), op)


# What comes back


@pytest.mark.parametrize("kind", ["delta", "cuba", "dual"])
@pytest.mark.parametrize("seed", [0, 1])
def test_networks_of_nest_neurons_come_back(
    kind: str, seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, spikes = nest_network(kind, seed, 500)
    notes = Notes()
    read = back(network, tmp_path / "model", spikes, notes)
    assert edges(read) == edges(network)
    assert "NEST starts these neurons at V_m" not in capsys.readouterr().err
    found, expected = cells(read), cells(network)
    rounded = [line for line in notes.lines if "rounded" in line]
    if not rounded:
        assert found == expected
    stimulus = sonata.read_stimulus(tmp_path / "model", read)
    assert {name: array.tolist() for name, array in stimulus.items()} == {n: a.tolist() for n, a in spikes.items()}
    assert run(read, stimulus) == run(network, spikes)


@st.composite
def programs(draw: st.DrawFn) -> tuple[NetworkOp, Any]:
    """A network of one or two populations that SONATA can state, with spikes for it."""
    simulator = draw(st.sampled_from(["nrn", "nest"]))
    names = ["p", "q"][: draw(st.integers(1, 2))]
    sizes = {"x": draw(st.integers(1, 4)), **{name: draw(st.integers(1, 4)) for name in names}}
    model = "lif" if simulator == "nrn" else draw(st.sampled_from(["lif", "cuba_lif", "dual_lif"]))
    transforms: list[Transform] = []
    populations: list[Population] = []
    for name in names:
        read: list[str] = []
        second: list[str] = []
        for number in range(draw(st.integers(1, 3))):
            source = draw(st.sampled_from(["x", *names]))
            inhibitory = model == "dual_lif" and draw(st.booleans())
            key = f"{name}_{number}"
            transforms += draw(projections(key, (source, sizes[source]), sizes[name], model, inhibitory))
            (second if inhibitory else read).append(key)
        populations.append(draw(neurons(name, sizes[name], simulator, model, read, second)))
    outputs = [Output(f"{name}_out", (reference(name),), HERE) for name in names]
    inputs = [Input("x", (sizes["x"],), HERE)]
    dt = draw(st.sampled_from([1e-3, 1e-4, 5e-4, 1.25e-4]))
    network = network_in(Network("n", dt, HERE, 40, HERE, inputs, transforms, populations, outputs, HERE))
    pairs = draw(st.lists(st.tuples(st.integers(0, 39), st.integers(0, sizes["x"] - 1)), max_size=60))
    return network, events("x", pairs, 40)


@st.composite
def projections(
    draw: st.DrawFn, name: str, source: tuple[str, int], targets: int, model: str, inhibitory: bool
) -> list[Transform]:
    """A projection, perhaps behind a delay or a slice."""
    low, high = (-3.0, 3.0) if model != "dual_lif" else (-3.0, -0.01) if inhibitory else (0.0, 3.0)
    weight = (
        st.floats(low, high, width=draw(st.sampled_from([32, 64]))) if model != "dual_lif" else st.floats(low, high)
    )
    start, size = source
    made: list[Transform] = []
    if draw(st.booleans()):
        chosen = sorted(draw(st.sets(st.integers(0, size - 1), min_size=1)))
        made.append(Transform(f"{name}_s", (reference(start),), Slice(Indices.of(chosen)), HERE))
        start, size = f"{name}_s", len(chosen)
    if draw(st.booleans()):
        late = draw(st.integers(1, 3) | st.lists(st.integers(1, 3), min_size=size, max_size=size).map(np.array))
        made.append(
            Transform(f"{name}_d", (reference(start),), Delay(late if isinstance(late, int) else value(late)), HERE)
        )
        start = f"{name}_d"
    kind = draw(st.sampled_from(["dense", "sparse", "one"] if size == targets else ["dense", "sparse"]))
    delay = draw(st.integers(1, 5))
    op: Dense | OneToOne | Sparse
    if kind == "dense":
        matrix = draw(st.lists(weight, min_size=size * targets, max_size=size * targets))
        op = Dense(value(np.array(matrix).reshape(targets, size)), delay=delay)
    elif kind == "one":
        op = OneToOne(value(draw(weight)), delay=delay)
    else:
        count = draw(st.integers(1, 6))

        def column(element: st.SearchStrategy[Any]) -> Any:
            return value(np.array(draw(st.lists(element, min_size=count, max_size=count))))

        op = Sparse(
            column(weight),
            column(st.integers(0, size - 1)),
            column(st.integers(0, targets - 1)),
            column(st.integers(0, 3)) if draw(st.booleans()) else None,
            delay=delay,
        )
    return [*made, Transform(name, (reference(start),), op, HERE, (targets,))]


@st.composite
def neurons(
    draw: st.DrawFn, name: str, size: int, simulator: str, model: str, read: list[str], second: list[str]
) -> Population:
    """Neurons of a SONATA model, some parameters different from neuron to neuron."""

    def numbers(low: int, high: int, scale: int) -> Any:
        """Decimal numbers, as people write them."""
        several = st.lists(st.integers(low, high), min_size=size, max_size=size)
        return np.array(draw(several)) / scale

    refractory = draw(st.integers(0, 5))
    tau = numbers(200, 3000, 100_000)
    if simulator == "nrn":
        parameters = {"tau": tau, "r": tau, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0}
        semantics = replace(INT_FIRE, refractory=refractory)
    else:
        semantics = replace(preset("nest", model), refractory=refractory)
        parameters = {"threshold": numbers(10, 30, 10), "v_reset": numbers(-10, 5, 10), "v_leak": 0.0}
        if model == "lif":
            parameters |= {"tau": tau, "r": tau, "v_leak": numbers(0, 9, 8)}
        else:
            capacity = numbers(1000, 9000, 10)
            parameters |= {"tau_mem": tau, "r": np.round(tau * 1e3, 2) / capacity}
            exc, inh = numbers(200, 900, 100_000), numbers(901, 2000, 100_000)
            if model == "cuba_lif":
                parameters |= {"tau_syn": exc, "w_in": exc}
            else:
                parameters |= {"tau_exc": exc, "tau_inh": inh, "w_exc": exc, "w_inh": inh}
    into = (tuple(map(reference, read)), tuple(map(reference, second)))
    return Population(name, (size,), model, {k: value(v) for k, v in parameters.items()}, semantics, HERE, *into)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs())
def test_random_networks_come_back(program: tuple[NetworkOp, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    network, spikes = program
    path = tmp_path_factory.mktemp("sonata") / "model"
    read = back(network, path, spikes)
    assert edges(read) == edges(network)
    assert cells(read) == cells(network)
    assert (read.step_seconds, str(read.steps)) == (network.step_seconds, str(network.steps))
    assert run(read, sonata.read_stimulus(path, read)) == run(network, spikes)


def test_many_different_neurons_keep_their_parameters_in_hdf5(tmp_path: Path) -> None:
    tau = np.linspace(0.005, 0.03, 100).round(6)
    population = Population(
        "p",
        (100,),
        "lif",
        {k: value(v) for k, v in (INT_FIRE_CELL | {"tau": tau, "r": tau}).items()},
        INT_FIRE,
        HERE,
        (reference("t"),),
    )
    transform = Transform("t", (reference("x"),), Dense(value(np.ones((100, 2)))), HERE, (100,))
    output = Output("o", (reference("p"),), HERE)
    network = network_in(
        Network("n", 1e-3, HERE, 5, HERE, [Input("x", (2,), HERE)], [transform], [population], [output], HERE)
    )
    assert cells(back(network, tmp_path / "model")) == cells(network)
    with h5py.File(tmp_path / "model" / "network" / "p_nodes.h5") as file:
        assert file["nodes/p/0/dynamics_params/tau"][:].tolist() == tau.tolist()
    assert (tmp_path / "model" / "network" / "p_node_types.csv").read_text().count("\n") == 2


# What is in the files


def test_the_layout_is_that_of_the_guide(tmp_path: Path) -> None:
    synapses = Sparse(value(np.array([1.0, 2.0, 3.0])), value(np.array([1, 1, 0])), value(np.array([0, 2, 0])), delay=1)
    export.write(int_fire(synapses), tmp_path / "model", Notes())
    with h5py.File(tmp_path / "model" / "network" / "x_p_edges.h5") as file:
        assert file.attrs["magic"] == 0x0A7A
        assert file.attrs["version"].tolist() == [0, 1]
        edge = file["edges/x_to_p"]
        names = ["source_node_id", "target_node_id", "edge_type_id", "edge_group_id", "edge_group_index"]
        assert [edge[name][:].tolist() for name in names] == [[1, 1, 0], [0, 2, 0], [100] * 3, [0] * 3, [0, 1, 2]]
        assert edge["source_node_id"].attrs["node_population"] == "x"
        assert edge["target_node_id"].attrs["node_population"] == "p"
        assert edge["0/syn_weight"][:].tolist() == [1.0, 2.0, 3.0]
        outgoing, incoming = edge["indices/source_to_target"], edge["indices/target_to_source"]
        assert outgoing["node_id_to_ranges"][:].tolist() == [[0, 1], [1, 2]]
        assert outgoing["range_to_edge_id"][:].tolist() == [[2, 3], [0, 2]]
        assert incoming["node_id_to_range"][:].tolist() == [[0, 2], [0, 0], [2, 3]]
        assert incoming["range_to_edge_id"][:].tolist() == [[0, 1], [2, 3], [1, 2]]
    with h5py.File(tmp_path / "model" / "network" / "p_nodes.h5") as file:
        names = ["node_id", "node_type_id", "node_group_id", "node_group_index"]
        assert [file["nodes/p"][name][:].tolist() for name in names] == [[0, 1, 2], [100] * 3, [0] * 3, [0, 1, 2]]
    csv = (tmp_path / "model" / "network" / "p_node_types.csv").read_text()
    assert csv == ("node_type_id model_type model_template dynamics_params\n100 point_neuron nrn:IntFire1 p_0.json\n")
    assert (tmp_path / "model" / "network" / "x_p_edge_types.csv").read_text().splitlines()[1].endswith(" 1")


def test_equal_programs_give_equal_bytes(tmp_path: Path) -> None:
    network, spikes = nest_network("dual", 3)
    for name in ("one", "two"):
        export.write(network, tmp_path / name, Notes(), spikes)
    done = subprocess.run(["diff", "-r", tmp_path / "one", tmp_path / "two"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    assert sum(1 for _ in (tmp_path / "one").rglob("*")) > 15


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    op = Conv(value(np.ones((1, 1, 1, 1))))
    transforms = [
        Transform("f", (reference("x"),), Flatten(), HERE),
        Transform("t", (reference("f"),), Dense(value(np.ones((4, 4), np.int8)), scale=value(0.5)), HERE, (2, 2)),
    ]
    population = Population(
        "p", (2, 2), "lif", {k: value(v) for k, v in INT_FIRE_CELL.items()}, INT_FIRE, HERE, (reference("t"),)
    )
    inputs, outputs = [Input("x", (1, 2, 2), HERE)], [Output("o", (reference("x"),), HERE)]
    network = network_in(Network("n", 1e-3, HERE, 5, HERE, inputs, transforms, [population], outputs, HERE))
    notes = Notes()
    read = back(network, tmp_path / "model", notes=notes)
    said = "".join(notes.lines)
    for part in ("the shape 2x2 of @p is lost", "the shape 1x2x2 of @x is lost", "multiplied by their scale"):
        assert part in said
    assert "output 'o' is not written: SONATA records what populations fire, nothing else" in said
    assert {each[4] for each in edges(read)} == {0.5}
    assert op.groups == 1


# What is refused


def chain(*ops: Any, shape: tuple[int, ...] = (1, 2, 2), population: tuple[int, ...] = (4,)) -> NetworkOp:
    """One op behind the other, then four IntFire1 neurons."""
    transforms = [
        Transform(
            f"t{n}",
            (reference(f"t{n - 1}" if n else "x"),),
            op,
            HERE,
            population if n == len(ops) - 1 and not isinstance(op, Slice | Delay) else None,
        )
        for n, op in enumerate(ops)
    ]
    target = Population(
        "p",
        population,
        "lif",
        {k: value(v) for k, v in INT_FIRE_CELL.items()},
        INT_FIRE,
        HERE,
        (reference(transforms[-1].name),),
    )
    outputs = [Output("o", (reference("p"),), HERE)]
    return network_in(Network("n", 1e-3, HERE, 5, HERE, [Input("x", shape, HERE)], transforms, [target], outputs, HERE))


SQUARE = Dense(value(np.eye(4)), delay=1)
MATRIX = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("ops", "shape", "expected"),
    [
        (
            (Flatten(), Slice(Indices.of([3, 1])), Delay(value(np.array([2, 0]))), Dense(value(MATRIX), delay=1)),
            (1, 2, 2),
            [(1, 1, 2.0, 1), (1, 2, 4.0, 1), (3, 0, 1.0, 3), (3, 2, 3.0, 3)],
        ),
        (
            (
                Sparse(
                    value(np.array([1.0, 0.0])),
                    value(np.array([2, 0])),
                    value(np.array([3, 1])),
                    value(np.array([5, 0])),
                ),
            ),
            (3,),
            [(0, 1, 0.0, 0), (2, 3, 1.0, 5)],
        ),
        ((Delay(4), OneToOne(value(0.5), delay=1)), (4,), [(n, n, 0.5, 5) for n in range(4)]),
        (
            (
                Dense(value(np.array([[1.0, 0.0], [2.0, 3.0], [0.0, 4.0], [0.0, 5.0], [6.0, 0.0]]))),
                Slice(Indices.of([4, 0, 2, 1])),
            ),
            (2,),
            [(0, 0, 6.0, 0), (0, 1, 1.0, 0), (0, 3, 2.0, 0), (1, 2, 4.0, 0), (1, 3, 3.0, 0)],
        ),
        (
            (Dense(value(MATRIX.astype(np.float32))), Delay(value(np.array([0, 1, 2, 3])))),
            (2,),
            [(0, 0, 1.0, 0), (0, 2, 3.0, 2), (1, 1, 2.0, 1), (1, 2, 4.0, 2)],
        ),
    ],
)
def test_edges_by_hand(ops: Any, shape: tuple[int, ...], expected: list[tuple[int, int, float, int]]) -> None:
    assert edges(chain(*ops, shape=shape)) == [("x", "p", *edge) for edge in expected]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: chain(Conv(value(np.ones((1, 1, 1, 1)))), population=(1, 2, 2)), "SONATA cannot state snn.conv2d"),
        (lambda: chain(Pool("sum", (1, 1)), population=(1, 2, 2)), "SONATA cannot state snn.sum_pool"),
        (lambda: chain(SQUARE, SQUARE), "cannot state this snn.dense behind another projection"),
        (lambda: chain(Dense(value(np.eye(4)), bias=value(1.0))), "cannot state the bias of this snn.dense"),
        (
            lambda: small_network(
                "if", {"r": 1.0, "threshold": 1.0, "v_reset": 0.0}, Semantics(), Dense(value(WEIGHTS))
            ),
            "snn.if @p has no SONATA model",
        ),
        (
            lambda: small_network("lif", INT_FIRE_CELL, Semantics(reset="subtract"), Dense(value(WEIGHTS))),
            "snn.lif @p computes decay = euler, pulse = box, reset = subtract, which no SONATA model does",
        ),
        (
            lambda: small_network("lif", INT_FIRE_CELL, replace(INT_FIRE, state="f32"), Dense(value(WEIGHTS))),
            "computes state = f32",
        ),
        (lambda: int_fire(Dense(value(WEIGHTS)), r=0.5), "r = 0.5 of neuron 0 of @p, but SONATA's model has r = tau"),
        (lambda: int_fire(Dense(value(WEIGHTS)), v_reset=-1.0), "v_reset = -1 of neuron 0 of @p"),
        (
            lambda: small_network("lif", INT_FIRE_CELL, preset("nest", "lif"), Dense(value(WEIGHTS))),
            "@x -> @p has a delay of 0 steps, NEST's least delay is 1",
        ),
        (
            lambda: small_network(
                "dual_lif",
                {"tau_exc": 0.002, "tau_inh": 0.005, "tau_mem": 0.01, "r": 1.0, "v_leak": 0.0, "threshold": 1.0}
                | {"v_reset": 0.0, "w_exc": 0.002, "w_inh": 0.005},
                preset("nest", "dual_lif"),
                Dense(value(WEIGHTS), delay=1),
            ),
            "weight -0.25 enters the first (excitatory) synapse of @p",
        ),
    ],
)
def test_what_sonata_cannot_state(network: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SnnirError) as caught:
        export.write(network(), tmp_path / "model", Notes())
    assert message in caught.value.message
    assert str(caught.value.place).startswith("here")
    assert list(tmp_path.iterdir()) == []


def test_a_matrix_on_the_last_dimension_is_one_for_each_row() -> None:
    matrix = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
    row = [(0, 0, 1.0, 0), (0, 2, 3.0, 0), (1, 1, 2.0, 0), (1, 2, 4.0, 0)]
    expected = [("x", "p", source + 2 * n, target + 3 * n, w, d) for n in range(2) for source, target, w, d in row]
    assert edges(chain(Dense(value(matrix)), shape=(2, 2), population=(2, 3))) == expected


def test_two_simulators(tmp_path: Path) -> None:
    cell = {k: value(v) for k, v in INT_FIRE_CELL.items()}
    populations = [
        Population("p", (2,), "lif", cell, INT_FIRE, HERE, (reference("t"),)),
        Population("q", (2,), "lif", cell, preset("nest", "lif"), HERE, (reference("t"),)),
    ]
    transforms = [Transform("t", (reference("x"),), Dense(value(np.eye(2)), delay=1), HERE, (2,))]
    ends = ([Input("x", (2,), HERE)], transforms, populations, [Output("o", (reference("p"),), HERE)])
    network = network_in(Network("n", 1e-3, HERE, 5, HERE, *ends, HERE))
    with pytest.raises(SnnirError, match=r"@q \(nest\) and @p \(nrn\) are models of two simulators"):
        export.write(network, tmp_path / "model", Notes())


def test_a_folder_that_exists_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    network = int_fire(Dense(value(WEIGHTS)))
    with pytest.raises(SnnirError, match="this exists already"):
        export.write(network, folder, Notes())
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    export.write(network, folder, Notes())
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(SnnirError, match="there is no directory"):
        export.write(network, tmp_path / "no" / "where", Notes())


def test_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    broken = events("x", [(1, 1)], 20) | {"x.sample": np.array([1])}
    with pytest.raises(SnnirError, match="more than one sample"):
        export.write(int_fire(Dense(value(WEIGHTS))), tmp_path / "model", Notes(), broken)
    assert list(tmp_path.iterdir()) == []


def test_irrelevant_fields_do_not_matter(tmp_path: Path) -> None:
    odd = replace(INT_FIRE, decay="exact", order="mem_first", bias="membrane", refractory=2)
    network = small_network("lif", INT_FIRE_CELL, odd, Dense(value(WEIGHTS)))
    (found,) = (op for op in back(network, tmp_path / "model").body.block.ops if isinstance(op, LifOp))
    assert found.semantics.data == replace(INT_FIRE, refractory=2)
