"""SONATA models that are wrong, damaged, or beyond what is supported: each gives its own error, at its own place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sonata_files import Model

from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sonata import reader as sonata

Change = Callable[[Model], object]
TYPES = "node_type_id model_type model_template dynamics_params\n"
EDGES = "edges/e/"
POST = "nodes/post/"


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model to change and write."""
    return Model(tmp_path / "model")


def post(template: str, cell: dict[str, Any] | None = None) -> Change:
    """Give the neurons a template, and perhaps parameters."""

    def change(model: Model) -> None:
        model.csv["net/post_types.csv"] = f"{TYPES}7 point_neuron {template} cell.json\n"
        model.csv["net/edge_types.csv"] = "edge_type_id delay syn_weight\n1 2.0 0.25\n2 1.5 0.5\n"
        if cell is not None:
            model.json["neurons/cell.json"] = cell

    return change


def csv(name: str, text: str) -> Change:
    """Put another text into a types file."""
    return lambda model: model.csv.update({name: text})


def h5(file: str, dataset: str, value: Any) -> Change:
    """Put other data into a dataset; `None` removes it."""

    def change(model: Model) -> None:
        if value is None:
            del model.h5[file][dataset]
        else:
            model.h5[file][dataset] = value

    return change


def run(key: str, value: Any) -> Change:
    """Change `run`."""
    return lambda model: model.simulation["run"].update({key: value})


def drive(**values: Any) -> Change:
    """Change the input."""
    return lambda model: model.simulation["inputs"]["drive"].update(values)


def part(section: str, key: str, value: Any) -> Change:
    """Change a section of the circuit."""
    return lambda model: model.circuit[section].update({key: value})


def weights(column: str, text: str) -> Change:
    """Add a column to the edge types."""
    return csv(
        "net/edge_types.csv",
        f"edge_type_id delay syn_weight dynamics_params {column}\n"
        f"1 2.0 0.25 exc.json {text}\n2 1.5 0.5 inh.json NULL\n",
    )


UNSUPPORTED: list[tuple[Change, str, str]] = [
    (post("nest:iaf_psc_alpha"), "post_types.csv:2", "model_template 'nest:iaf_psc_alpha' is not supported"),
    (post("NULL"), "post_types.csv:2", "no model_template"),
    (
        csv("net/post_types.csv", f"{TYPES}7 biophysical ctdb:Biophys1.hoc cell.json\n"),
        "post_types.csv:2",
        "model_type 'biophysical' is not supported",
    ),
    (csv("net/post_types.csv", f"{TYPES}7 NULL nrn:IntFire1 cell.json\n"), "post_types.csv:2", "no model_type"),
    (drive(input_type="current_clamp", module="IClamp"), "/inputs/drive/input_type", "is a current_clamp"),
    (drive(module="nwb"), "/inputs/drive/module", "spikes from module 'nwb' are not supported"),
    (weights("model_template", "stdp_synapse"), "edge_types.csv:2", "synapses 'stdp_synapse' of nrn"),
    (weights("weight_function", "gaussianLL"), "edge_types.csv:2", "weight_function 'gaussianLL'"),
    (
        h5("net/edges.h5", f"{EDGES}0/dynamics_params/tau1", np.ones(5)),
        "edges.h5:/edges/e/0/dynamics_params/tau1",
        "a synapse parameter 'tau1' is not supported",
    ),
    (
        lambda model: model.json.update({"synapses/exc.json": {"sign": 1, "erev": 0.0}}),
        "synapses/exc.json:/erev",
        "a synapse parameter erev = 0.0 is not supported",
    ),
    (post("nest:iaf_psc_delta", {"V_min": -80.0}), "cell.json:/V_min", "V_min = -80.0 of nest:iaf_psc_delta"),
    (post("nest:iaf_psc_delta", {"refractory_input": True}), "cell.json:/refractory_input", "refractory_input = true"),
    (post("nest:iaf_psc_exp", {"delta": 0.5}), "cell.json:/delta", "delta = 0.5 of nest:iaf_psc_exp"),
    (post("nest:iaf_psc_exp", {"tau_syn": 2.0}), "cell.json:/tau_syn", "nest:iaf_psc_exp has no parameter 'tau_syn'"),
    (part("networks", "gap_juncs", []), "/networks/gap_juncs", "'gap_juncs' is not supported"),
    (run("tstart", 5.0), "/run/tstart", "tstart = 5.0 is not supported"),
    (
        h5("net/post_nodes.h5", f"{POST}0/dynamics_params", np.array([b"a.json"] * 3)),
        "post_nodes.h5:/nodes/post/0/dynamics_params",
        "a dynamics_params file for each single node",
    ),
]

TIMES: list[tuple[Change, str, str]] = [
    (run("dt", 0.3), "/run/tstop", "tstop = 20 ms is not a whole number of steps of 0.3 ms"),
    (run("dt", -0.1), "/run/dt", "dt = -0.0001 is not a positive number"),
    (run("dt", "fast"), "/run/dt", 'a number is expected here, not "fast"'),
    (run("dt", True), "/run/dt", "a number is expected here, not true"),
    (run("tstop", -1), "/run/tstop", "tstop = -1 ms lies before 0"),
    (run("tstop", 1e12), "/run/tstop", "is more than 2147483648 steps"),
    (run("dt", 1.0), "spikes.h5:/spikes/pre", "a spike at 0.5 ms is not a whole number of steps of 1 ms"),
    (
        csv("net/edge_types.csv", "edge_type_id delay syn_weight\n1 2.0 0.25\n2 1.55 0.5\n"),
        "edge_types.csv:3",
        "the delay 1.55 ms is not a whole number of steps of 0.1 ms",
    ),
    (
        lambda model: model.json["neurons/cell.json"].update(refrac=0.00215),
        "neurons/cell.json:/refrac",
        "the refractory period of 'post', 2.15 ms is not a whole number of steps of 0.1 ms",
    ),
    (
        h5("net/edges.h5", f"{EDGES}0/delay", np.array([1.0, 2.0, -1.0, 1.0, 1.0])),
        "edges.h5:/edges/e/0/delay",
        "the delay -1 ms lies before 0",
    ),
    (
        lambda model: (
            post("nest:iaf_psc_delta", {"t_ref": 1.0})(model),
            csv("net/edge_types.csv", "edge_type_id delay syn_weight\n1 0.0 1.0\n2 1.5 1.0\n")(model),
        ),
        "edge_types.csv:2",
        "a delay of 0 ms, but NEST's least delay is one step",
    ),
    (h5("spikes.h5", "spikes/pre/timestamps", np.array([np.nan, 1.0, 2.0])), "spikes/pre", "nan ms is not a time"),
    (h5("spikes.h5", "spikes/pre/timestamps", np.array([-1.0, 1.0, 2.0])), "spikes/pre", "-1 ms lies before 0"),
]

MISFITS: list[tuple[Change, str, str]] = [
    (csv("net/post_types.csv", "node_type_id model_type\n7 point_neuron x\n"), "post_types.csv:2", "3 values for 2"),
    (csv("net/post_types.csv", "type model_type\n7 virtual\n"), "post_types.csv:1", "no column 'node_type_id'"),
    (
        csv("net/post_types.csv", f"{TYPES}7 virtual NULL NULL\n" * 2),
        "post_types.csv:3",
        "node_type_id = 'node_type_id'",
    ),
    (
        csv("net/post_types.csv", f"{TYPES}8 virtual NULL NULL\n"),
        "node_type_id",
        "entry 0 is of type 7, which is not in",
    ),
    (csv("net/post_types.csv", f"{TYPES}x virtual NULL NULL\n"), "post_types.csv:2", "'x' is not a whole number"),
    (csv("net/post_types.csv", ""), "post_types.csv", "this types file is empty"),
    (csv("net/post_types.csv", f'{TYPES}7 "open NULL NULL\n'), "post_types.csv:2", "this row cannot be read"),
    (csv("net/edge_types.csv", "edge_type_id delay\n1 2.0\n2 1.0\n"), "edge_types.csv:2", "type 1 have no syn_weight"),
    (csv("net/edge_types.csv", "edge_type_id syn_weight\n1 2.0\n2 1.0\n"), "edge_types.csv:2", "type 1 have no delay"),
    (
        csv("net/edge_types.csv", "edge_type_id delay syn_weight\n1 2 x\n2 1 1\n"),
        "edge_types.csv:2",
        "x is not a number",
    ),
    (csv("net/edge_types.csv", "edge_type_id delay syn_weight\n1 2 1\n1 1 1\n"), "edge_types.csv:3", "is there twice"),
    (h5("net/post_nodes.h5", f"{POST}node_type_id", None), "/nodes/post", "there is no dataset 'node_type_id'"),
    (h5("net/post_nodes.h5", f"{POST}node_id", np.array([0, 1, 1])), "/nodes/post/node_id", "node 1 is there twice"),
    (h5("net/post_nodes.h5", f"{POST}node_id", np.array([0, -1, 1])), "/node_id", "-1 is no valid number"),
    (
        h5("net/post_nodes.h5", f"{POST}node_id", np.array([0.0, 1.0, 2.0])),
        "/node_id",
        "whole numbers in one dimension",
    ),
    (h5("net/post_nodes.h5", f"{POST}node_id", np.array([0, 1])), "/node_id", "2 entries, but there are 3"),
    (
        h5("net/post_nodes.h5", f"{POST}0/dynamics_params/tau", np.array([0.01])),
        "/nodes/post/node_group_index",
        "2 reaches beyond the 1 entries of the group",
    ),
    (
        h5("net/post_nodes.h5", f"{POST}0/dynamics_params/tau", np.array([b"x"] * 3)),
        "dynamics_params/tau",
        "numbers are",
    ),
    (h5("net/post_nodes.h5", f"{POST}0/dynamics_params/tau", np.full(3, 1e-6)), "/tau", "is shorter than the step"),
    (
        h5("net/edges.h5", f"{EDGES}target_node_id", np.array([0, 0, 1, 2, 3])),
        "/target_node_id",
        "entry 4 names node 3",
    ),
    (
        h5("net/edges.h5", f"{EDGES}source_node_id", np.array([0, 0, 1, 2, 1])),
        "/source_node_id",
        "entry 3 names node 2",
    ),
    (h5("net/edges.h5", f"{EDGES}target_node_id::node_population", "past"), "/edges/e", "no node population 'past'"),
    (
        h5("net/edges.h5", f"{EDGES}target_node_id::node_population", None),
        "/target_node_id",
        "'node_population' is missing",
    ),
    (h5("net/edges.h5", f"{EDGES}target_node_id::node_population", "pre"), "/target_node_id", "names node 2"),
    (h5("net/edges.h5", f"{EDGES}edge_type_id", np.array([1, 1, 3, 1, 1])), "/edge_type_id", "entry 2 is of type 3"),
    (
        h5("net/edges.h5", f"{EDGES}0/nsyns", np.array([1, 1, 1.5, 1, 1])),
        "/edges/e/0/nsyns",
        "not a number of synapses",
    ),
    (h5("net/edges.h5", f"{EDGES}0/syn_weight", np.array([1, np.inf, 1, 1, 1])), "syn_weight", "edge 1 is not finite"),
    (h5("net/edges.h5", f"{EDGES}edge_group_index", np.array([0, 1, 2, 3, 5])), "edge_group_index", "5 reaches beyond"),
    (h5("spikes.h5", "spikes/pre/node_ids", np.array([0, 1, 2])), "spikes.h5:/spikes/pre", "entry 2 names node 2"),
    (h5("spikes.h5", "spikes/pre/node_ids", np.array([0, 1])), "spikes/pre/timestamps", "2 times are expected"),
    (h5("spikes.h5", "spikes/pre/node_ids", None), "spikes.h5:/spikes/pre", "there is no dataset 'node_ids'"),
    (h5("spikes.h5", "spikes/pre/timestamps::units", "hours"), "timestamps", "the unit 'hours' of times is not known"),
    (drive(node_set="post", input_file="./post.h5"), "post.h5", "no such file"),
    (drive(node_set="pro"), "/inputs/drive/node_set", "there is no node set 'pro'"),
    (
        lambda model: (drive(node_set="loop")(model), model.simulation.update(node_sets={"loop": ["loop"]})),
        "/node_sets/loop/0",
        "this set holds itself",
    ),
    (
        lambda model: (
            drive(node_set="all")(model),
            model.h5.update({"spikes.h5": {"spikes/gids": np.array([0]), "spikes/timestamps": np.array([1.0])}}),
        ),
        "spikes.h5:/spikes",
        "does not say whose spikes these are",
    ),
    (
        lambda model: (
            drive(node_set="post")(model),
            model.h5.update({"spikes.h5": {"spikes/gids": np.array([1]), "spikes/timestamps": np.array([1.0])}}),
        ),
        "spikes.h5:/spikes",
        "spikes for node 1 of 'post', which is not virtual",
    ),
    (part("manifest", "$NET", "$MISSING"), "/manifest/$NET", "there is no variable $MISSING"),
    (part("manifest", "$NET", "${BASE}/${NET}"), "/manifest/$NET", "variable $NET is defined by itself"),
    (part("networks", "nodes", []), "simulation_config.json", "the network has no nodes"),
    (part("networks", "nodes", [{"node_types_file": "x"}]), "/networks/nodes/0", "there is no 'nodes_file'"),
    (part("networks", "edges", {"edges_file": "x"}), "/networks/edges", "an array [ ... ] is expected here"),
    (lambda model: model.simulation.update(inputs=[1]), "/inputs", "an object { ... } is expected here"),
    (lambda model: model.simulation.update(network="./gone.json"), "gone.json", "no such file"),
]


@pytest.mark.parametrize(("change", "place", "message"), [*UNSUPPORTED, *TIMES, *MISFITS])
def test_errors(model: Model, change: Change, place: str, message: str) -> None:
    change(model)
    model.write()
    with pytest.raises(SnnirError) as caught:
        sonata.read(model.folder / "simulation_config.json", FrontendOptions())
    assert message in caught.value.message
    assert place in str(caught.value.place)
    assert "\n" not in caught.value.message


def test_the_unchanged_model_is_right(model: Model) -> None:
    assert "snn.lif" in str(sonata.read(model.write(), FrontendOptions()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"semantics": "norse"}, "--semantics norse means decay = euler, pulse = box"),
        ({"semantics": "nope"}, "no semantics preset 'nope'"),
        ({"reset": "subtract"}, "--reset subtract, but nrn:IntFire1 resets to a value"),
        ({"steps": 3}, "--steps 3 contradicts tstop = 20.0 ms, 200 steps"),
    ],
)
def test_options_that_contradict_the_model(model: Model, options: dict[str, Any], message: str) -> None:
    model.write()
    with pytest.raises(SnnirError) as caught:
        sonata.read(model.folder, FrontendOptions(**options))
    assert message in caught.value.message


def test_two_simulators_in_one_model(model: Model) -> None:
    model.csv["net/post_types.csv"] += "9 point_neuron nest:iaf_psc_exp NULL e\n"
    model.h5["net/post_nodes.h5"]["nodes/post/node_type_id"] = np.array([7, 9, 7])
    model.write()
    with pytest.raises(SnnirError, match="is for nest, others are for nrn"):
        sonata.read(model.folder, FrontendOptions())


def test_all_nodes_virtual(model: Model) -> None:
    model.csv["net/post_types.csv"] = f"{TYPES}7 virtual NULL NULL\n"
    model.circuit["networks"]["edges"] = []
    model.write()
    with pytest.raises(SnnirError, match="all nodes are virtual"):
        sonata.read(model.folder, FrontendOptions())


def test_edges_onto_virtual_nodes(model: Model) -> None:
    model.csv["net/post_types.csv"] += "8 virtual NULL NULL e\n"
    model.h5["net/post_nodes.h5"]["nodes/post/node_type_id"] = np.array([7, 8, 7])
    model.write()
    with pytest.raises(SnnirError, match="edge 2 leads to node 1 of 'post', which is virtual"):
        sonata.read(model.folder, FrontendOptions())


def test_a_folder_without_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="this folder holds no SONATA configuration"):
        sonata.read(tmp_path, FrontendOptions())


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("{", "1:2", "not JSON"),
        ('{"run": {"dt": NaN}}', "config.json", "NaN is no number"),
        ("[1]", "config.json", "an object { ... } is expected here"),
        ("{}", "config.json", "this configuration names no network"),
        ("\ud800", "config.json", "not UTF-8"),
    ],
)
def test_configurations_that_are_none(tmp_path: Path, text: str, place: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(SnnirError) as caught:
        sonata.read(path, FrontendOptions())
    assert place in str(caught.value.place)
    assert message in caught.value.message


@pytest.mark.parametrize("name", ["net/pre_nodes.h5", "net/post_nodes.h5", "net/edges.h5", "spikes.h5"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.95])
def test_truncated_files(model: Model, name: str, share: float) -> None:
    path = model.write() / name
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SnnirError) as caught:
        sonata.read(model.folder, FrontendOptions())
    assert name in str(caught.value.place)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_texts_with_flipped_bytes_give_a_model_or_an_error(model: Model, data: st.DataObject) -> None:
    """Nothing but `SnnirError` leaves the reader, whatever is in the text files."""
    model.write()
    names = ["circuit_config.json", "simulation_config.json", *model.csv, *model.json]
    path = model.folder / data.draw(st.sampled_from(names))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255) | st.sampled_from(list(b'0123456789 {}[]",\n$-.')))
    path.write_bytes(bytes(content))
    try:
        read = sonata.read(model.folder, FrontendOptions())
    except SnnirError as error:
        assert "\n" not in error.message
    else:
        assert "snn.network" in str(read)


def test_large_numbers_in_json_are_refused_in_words(model: Model) -> None:
    model.write()
    model.simulation["run"]["dt"] = 10**400
    (model.folder / "simulation_config.json").write_text(json.dumps(model.simulation))
    with pytest.raises(SnnirError):
        sonata.read(model.folder, FrontendOptions())
