"""SDF3 files as the `dataflow` dialect: what is read, what is chosen, what is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from snnir.dialects.dataflow import ArchitectureOp, GraphOp, OrderOp, Use
from snnir.dialects.dataflow_architecture import architecture_of
from snnir.dialects.dataflow_attributes import Processor
from snnir.dialects.places import place_of
from snnir.errors import SnnirError
from snnir.frontend.notes import collected
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sdf3.reader import read
from snnir.schedule.architecture import Tile
from tests.sdf3_files import DECODER, read_text, without


@pytest.fixture
def notes() -> Iterator[list[str]]:
    """The notes that are shown meanwhile."""
    with collected() as lines:
        yield lines


def graph_of(folder: Path, text: str = DECODER) -> GraphOp:
    """The graph of a text."""
    (graph,) = [op for op in read_text(folder, text).body.block.ops if isinstance(op, GraphOp)]
    return graph


def test_a_whole_file(tmp_path: Path, notes: list[str]) -> None:
    graph = graph_of(tmp_path)
    assert (graph.graph and graph.graph.data, graph.network, graph.unit) == ("decoder", None, None)
    assert graph.activity.data == "worst"
    assert graph.throughput is not None
    assert graph.throughput.data == Fraction(3, 1000)
    parse, show = graph.actors
    assert (parse.kind.data, parse.sym_name.data, parse.times, parse.means) == ("task", "parse", (3, 4), (3, 4))
    assert parse.processor_types == (Processor("dsp", (3, 4), 128), Processor("arm", (5, 6)))
    assert [rate.data for rate in parse.rates] == [(2, 1), 1]
    assert [use for _, use in parse.reads] == [Use(1, 1, name="alone")]
    assert [use for _, use in show.reads] == [Use(1, 0, 8, "data", 4, 5, 6, Fraction(3, 2), 7)]
    assert "!dataflow.token<512>" in str(parse)
    assert notes == [
        f"{tmp_path}/graph.xml:4:3: note: actor 'parse' names several processors; times are those of the first marked "
        "as default, else of the first",
        f"{tmp_path}/graph.xml:4:3: note: a channel has a bufferSize: a producer waits for space in it",
        f"{tmp_path}/graph.xml:4:3: note: a channel asks for a latency: kept, but no analysis looks at it",
    ]


def test_the_architecture(tmp_path: Path) -> None:
    (op,) = [op for op in read_text(tmp_path, DECODER).body.block.ops if isinstance(op, ArchitectureOp)]
    architecture = architecture_of(op)
    assert architecture.name == "pair"
    assert architecture.tiles == (Tile("t0", "dsp", 8, 1024, 8, 96, 95), Tile("t1", "arm"))
    assert [(c.name, c.source, c.target, c.delay) for c in architecture.connections] == [
        ("c", "t0", "t1", 3),
        ("c", "t1", "t0", 4),
    ]
    assert "flitSize = #builtin.int<96>" in str(op)
    assert 'routers = ["r0"], links = [["l0", "t0", "r0"]]' in str(op)


def test_the_mapping(tmp_path: Path) -> None:
    graph = graph_of(tmp_path)
    assert [(a.resource_name, a.concurrent.data) for a in graph.actors] == [("t0", 0), ("t0", 0)]
    (order,) = [op for op in graph.body.block.ops if isinstance(op, OrderOp)]
    assert (order.crossbar.data, order.names, order.turn) == ("t0", ["parse", "parse", "show", "show", "show"], (8, 4))


def test_an_actor_on_another_type_of_processor_takes_the_time_there(tmp_path: Path) -> None:
    text = DECODER.replace(
        '<tile name="t0">\n      <processor name="proc" timeslice="4">', '<tile name="t1">\n<processor>'
    )
    text = text.replace('<actor name="show"/>\n', "").replace('<state actor="show"/>\n', "")
    parse, show = graph_of(tmp_path, text).actors
    assert (parse.resource_name, parse.times) == ("t1", (5, 6))
    assert (show.resource_name, show.concurrent.data) == (None, 1)


def test_a_mapping_on_several_tiles_says_that_connections_take_no_time(tmp_path: Path, notes: list[str]) -> None:
    graph_of(tmp_path)
    assert not any("take no time" in note for note in notes)
    moved = '<tile name="t1">\n<processor><actor name="parse"/></processor>\n</tile>\n</mapping>'
    text = DECODER.replace('<actor name="parse"/>\n', "").replace("</mapping>", moved)
    for state in ('<state actor="parse" startOfPeriodicRegime="true"/>\n', '<state actor="parse"/>\n'):
        text = text.replace(state, "")
    parse, show = graph_of(tmp_path, text).actors
    assert (parse.resource_name, show.resource_name) == ("t1", "t0")
    assert any("connections between tiles take no time" in note for note in notes)


def test_what_a_mapping_reserves_is_said_to_be_left_out(tmp_path: Path, notes: list[str]) -> None:
    graph_of(tmp_path)
    assert not any("reserved" in note for note in notes)
    inside = (
        '<memory name="mem" size="12"/><networkInterface name="ni" nrConnections="2" inBandwidth="3"/>'
        '</tile><tile name="t1"><memory name="mem" size="12"/></tile>'
    )
    text = DECODER.replace("</tile>\n  </mapping>", f"{inside}<network><slotAllocation/></network>\n  </mapping>")
    text = text.replace(
        "</network>\n  </mapping>", '</network><connection name="c"><channel name="d"/></connection></mapping>'
    )
    graph_of(tmp_path, text)
    (note,) = [note for note in notes if "reserved" in note]
    named = "<memory> (2 times), <networkInterface>, <connection>, <network>"
    assert note == (
        f"{tmp_path}/graph.xml:61:3: note: left out: what is reserved in {named}; "
        "dataflow-bind computes what a binding needs"
    )


def test_empty_parts_of_a_mapping_reserve_nothing(tmp_path: Path, notes: list[str]) -> None:
    text = DECODER.replace("</tile>\n  </mapping>", '<memory name="mem"/></tile><network/></mapping>')
    graph_of(tmp_path, text)
    assert not any("reserved" in note for note in notes)


def test_without_a_mapping_nothing_but_channels_limits_an_actor(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, without(DECODER, "mapping"))
    assert [(a.resource_name, a.concurrent.data) for a in graph.actors] == [(None, 1), (None, 1)]
    assert not graph.orders


@pytest.mark.parametrize("missing", ["applicationGraph", "architectureGraph"])
def test_either_graph_alone(tmp_path: Path, missing: str) -> None:
    text = without(without(DECODER, "mapping"), missing)
    found = [type(op) for op in read_text(tmp_path, text).body.block.ops]
    assert found == [ArchitectureOp if missing == "applicationGraph" else GraphOp]


@pytest.mark.parametrize(
    ("marks", "times"),
    [(("", ' default="true"'), (3, 4)), (("", ""), (5, 6)), ((' default="true"', ' default="true"'), (5, 6))],
)
def test_the_first_default_processor_counts_else_the_first(
    tmp_path: Path, marks: tuple[str, str], times: tuple[int, ...]
) -> None:
    text = DECODER.replace('type="dsp" default="true"', f'type="dsp"{marks[1]}')
    text = without(text.replace('<processor type="arm">', f'<processor type="arm"{marks[0]}>'), "mapping")
    assert graph_of(tmp_path, text).actors[0].times == times


@pytest.mark.parametrize(
    ("text", "rate"),
    [("2,1", (2, 1)), (" 2 , 1 ", (2, 1)), ("3*1,2", (1, 1, 1, 2)), ("2*0,1*3", (0, 0, 3)), ("1*4", 4), ("4.0", 4)],
)
def test_lists_of_phases(tmp_path: Path, text: str, rate: int | tuple[int, ...]) -> None:
    graph = graph_of(tmp_path, DECODER.replace('rate="2,1"', f'rate="{text}"'))
    assert graph.actors[0].rates.data[0].data == rate


def test_places_of_ops(tmp_path: Path) -> None:
    module = read_text(tmp_path, DECODER)
    architecture, graph = module.body.block.ops
    assert isinstance(graph, GraphOp)
    assert isinstance(architecture, ArchitectureOp)
    file = f"{tmp_path}/graph.xml"
    assert place_of(graph) == f"{file}:4:3"
    assert place_of(graph.actors[1]) == f"{file}:11:7"
    assert place_of(graph.orders[0]) == f"{file}:66:9"
    assert place_of(architecture.tiles[1]) == f"{file}:51:5"
    assert place_of(architecture.connections[0]) == f"{file}:54:5"


def test_names_of_any_characters(tmp_path: Path) -> None:
    text = DECODER.replace('"show"', '"0 é&lt;&quot;x"').replace('"data"', '"c_1_2"')
    graph = graph_of(tmp_path, text)
    assert graph.actors[1].sym_name.data == '0 é<"x'
    assert graph.actors[1].reads[0][1].name == "c_1_2"
    assert graph.actors[0].made[0].name_hint == "c_1.2"


def test_what_is_not_read_is_said(tmp_path: Path, notes: list[str]) -> None:
    text = without(DECODER, "mapping").replace('rate="1"/>', 'rate="1" colour="red"/>')
    text = text.replace("</sdf3>", '<settings type="x"><tool/></settings></sdf3>')
    text = text.replace('<actor name="show">', '<actor name="show"><port name="loose" type="out" rate="9"/>')
    graph_of(tmp_path, text)
    assert f"{tmp_path}/graph.xml: note: left out: attribute 'colour' of <port> (3 times)" in notes
    assert f"{tmp_path}/graph.xml: note: left out: <settings> in <sdf3>" in notes
    assert [note for note in notes if "1 ports are connected to no channel and left out, the first 'loose'" in note]


def test_schedules_that_begin_otherwise_are_left_out(tmp_path: Path, notes: list[str]) -> None:
    text = DECODER.replace(' startOfPeriodicRegime="true"/>\n          <state actor="parse"/>', "/>")
    text = text.replace('<state actor="show"/>', '<state actor="show" startOfPeriodicRegime="true"/>', 1)
    graph = graph_of(tmp_path, text)
    assert [a.resource_name for a in graph.actors] == ["t0", "t0"]
    assert not graph.orders
    assert any("left out: schedules" in note for note in notes)


WRONG = [
    ('type="csdf" version', 'type="sadf" version', 2, "the type 'sadf' is not known", "scenarios"),
    ("<sdf3 ", "<graphml ", 2, "not well-formed XML: mismatched tag", ""),
    (
        'name="decoder">\n    <csdf',
        'nome="decoder">\n    <csdf',
        4,
        "<applicationGraph> has no attribute 'name'",
        "name=",
    ),
    ('<actor name="show">', '<actor name=" ">', 11, "<actor> has an empty attribute 'name'", ""),
    ('<actor name="show">', '<actor name="parse">', 11, "a second actor 'parse'", "line 6"),
    ('name="p1" type="in"', 'name="p0" type="in"', 8, "a second port 'p0' of actor 'parse'", "differ"),
    ('channel name="alone"', 'channel name="data"', 15, "a second channel 'data'", "line 14"),
    ('name="p1" type="in"', 'name="p1" type="inout"', 8, "port 'p1' has the type 'inout'", "'in' or 'out'"),
    ('dstActor="show"', 'dstActor="shaw"', 14, "there is no actor 'shaw'", "did you mean 'show'?"),
    ('dstPort="in"', 'dstPort="on"', 14, "actor 'show' has no port 'on'", "there is in"),
    ('srcPort="p0"', 'srcPort="p1"', 14, "port 'p1' of actor 'parse' has the type 'in'", "swap"),
    ('srcPort="p2"', 'srcPort="p0"', 15, "port 'p0' of actor 'parse' is already connected", "channel 'data'"),
    ('rate="2,1"', 'rate="0,0"', 7, "the rate of port 'p0' is 0 in all phases", "remove"),
    ('rate="2,1"', 'rate="0"', 7, "the rate of port 'p0' is 0 in all phases", "remove"),
    ('rate="2,1"', 'rate="2,"', 7, "the rate of port 'p0' is no whole number: ''", ""),
    ('rate="2,1"', 'rate="1;2,1"', 7, "phases that come only once, before the ';'", "Kiter"),
    ('rate="2,1"', 'rate="0*1"', 7, "the rate of port 'p0' has no phases", ""),
    ('rate="2,1"', 'rate="-1*1"', 7, "a count in the rate of port 'p0' is negative", ""),
    ('rate="2,1"', 'rate="9999999999*1"', 7, "the lists of phases are longer than 4194304 together", ""),
    ('rate="2,1"', f'rate="{2**62 + 1}"', 7, "the rate of port 'p0' is too large", "2^62"),
    ('rate="2,1"', f'rate="{"9" * 5000}"', 7, "the rate of port 'p0' is too large", "2^62"),
    ('initialTokens="1"', 'initialTokens="-1"', 15, "'initialTokens' of <channel> is negative", ""),
    ('initialTokens="1"', 'initialTokens="x"', 15, "'initialTokens' of <channel> is no whole number: 'x'", ""),
    ('time="2"', 'time="2.5"', 29, "the execution time of actor 'show' is no whole number: '2.5'", "same factor"),
    ('time="2"', 'time="1e3"', 29, "the execution time of actor 'show' is no whole number: '1e3'", ""),
    ('time="2"', 'tome="2"', 29, "<executionTime> has no attribute 'time'", ""),
    ('actorProperties actor="show"', 'actorProperties actor="shew"', 27, "there is no actor 'shew'", "'show'"),
    ('actorProperties actor="show"', 'actorProperties actor="parse"', 27, "second properties of actor 'parse'", ""),
    (
        'type="dsp" default="true">\n          <executionTime time="3',
        'type="arm">\n<executionTime time="3',
        22,
        "two",
        "",
    ),
    (
        'channelProperties channel="data"',
        'channelProperties channel="dota"',
        32,
        "there is no channel 'dota'",
        "'data'",
    ),
    ('sz="8"', 'sz="1"', 33, "a buffer of 1 tokens is too small for channel 'data'", "need 2"),
    ('min="1.5"', 'min="fast"', 35, "the bandwidth is no number: 'fast'", "0.003"),
    ("0.003", "0.003/s", 40, "the throughput is no number: '0.003/s'", ""),
    ("0.003", "1e99", 40, "the throughput is too large", ""),
    ('<tile name="t1">\n      <proc', '<tile name="t0">\n      <proc', 51, "a second tile 't0'", ""),
    ('<processor name="core" type="arm"/>', "", 51, "tile 't1' has no processor", "<processor"),
    ('type="TDMA"', 'type="FCFS"', 47, "the arbitration 'FCFS' of tile 't0' is not known", "TDMA is"),
    ('wheelsize="8"', 'wheelsize="0"', 47, "the wheel of tile 't0' has no length", ""),
    ('dstTile="t1"', 'dstTile="t9"', 54, "there is no tile 't9'", "t0"),
    ('appGraph="decoder"', 'appGraph="x"', 61, "appGraph names 'x', the graph is 'decoder'", ""),
    ('timeslice="4"', 'timeslice="9"', 63, "a slice of 9 is no part of a wheel of 8", "without a timeslice"),
    ('<arbitration type="TDMA" wheelsize="8"/>', "", 63, "a slice of 4, but tile 't0' has no wheel", "arbitration"),
    ('timeslice="4"', 'timeslice="0"', 63, "a slice of 0 is no part of a wheel of 8", "without a timeslice"),
    ('<actor name="show"/>', '<actor name="shw"/>', 65, "there is no actor 'shw'", "'show'"),
    ('<actor name="show"/>', '<actor name="parse"/>', 65, "actor 'parse' is bound twice", "'t0'"),
    ('<state actor="show"/>', '<state actor="shw"/>', 69, "actor 'shw' is not bound to tile 't0'", "'show'"),
    (
        '<tile name="t0">\n      <processor name="proc" time',
        '<tile name="t1">\n<processor time',
        65,
        "cannot run",
        "dsp",
    ),
]


@pytest.mark.parametrize(("find", "replace", "line", "message", "hint"), WRONG, ids=[w[3][:40] for w in WRONG])
def test_errors(tmp_path: Path, find: str, replace: str, line: int, message: str, hint: str) -> None:
    assert find in DECODER
    with pytest.raises(SnnirError) as caught:
        read_text(tmp_path, DECODER.replace(find, replace, 1))
    error = caught.value
    if "mismatched" not in message:
        assert error.place.startswith(f"{tmp_path}/graph.xml:{line}:"), str(error)
    assert message in error.message
    assert hint in error.hint
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("<graph/>", "the root is <graph>, not <sdf3>"),
        ("no xml", "not well-formed XML: syntax error"),
        ('<sdf3 type="sdf"/>', "the file holds neither an application nor an architecture"),
        ('<sdf3 type="sdf"><applicationGraph name="g"/></sdf3>', "holds one <sdf> or one <csdf>"),
        ('<sdf3 type="sdf"><architectureGraph name="g"/></sdf3>', "an architecture without tiles"),
        ('<?xml version="1.0" encoding="klingon"?><sdf3/>', "unknown encoding"),
        ("<sdf3>" + "<a>" * 100 + "</a>" * 100 + "</sdf3>", "nested more than 64 deep"),
        (without(DECODER, "architectureGraph"), "a <mapping> without the graphs that it maps"),
        (DECODER.replace("<csdfProperties>", "<x>").replace("</csdfProperties>", "</x>"), "has no execution time"),
    ],
)
def test_files_that_are_no_graphs(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SnnirError, match=r"graph\.xml:\d+:\d+: error: ") as caught:
        read_text(tmp_path, text)
    assert message in caught.value.message


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="No such file"):
        read(tmp_path / "none.xml", FrontendOptions())


def test_entities_are_refused_before_they_expand(tmp_path: Path) -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
    for kind in (f'[<!ENTITY l0 "lol">{lines}]', '[<!ENTITY l29 SYSTEM "file:///etc/passwd">]', 'SYSTEM "x.dtd"'):
        text = f'<?xml version="1.0"?>\n<!DOCTYPE sdf3 {kind}>\n<sdf3 type="&l29;"/>'
        with pytest.raises(SnnirError, match=r"graph\.xml:2:\d+: error: document types and entities are refused"):
            read_text(tmp_path, text)


def test_options_for_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="do not apply to an SDF3 file"):
        read(tmp_path / "graph.xml", FrontendOptions(dt=1e-3))


def test_large_lists_cost_no_more_than_they_say(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, DECODER.replace('rate="2,1"', 'rate="100000*1,2"'))
    rate = graph.actors[0].rates.data[0].data
    assert isinstance(rate, tuple)
    assert len(rate) == 100001
    assert sys.getsizeof(rate) < 2**20
