"""Clusters read whole and clusters read token by token: the same ops, the same places, the same errors."""

from __future__ import annotations

import random
import re
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_text import context, damage
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import ParseError, VerifyException

from snnir.cli.errors import USER_ERRORS
from snnir.cli.locations import LocatingParser
from snnir.dialects.attributes import IndicesAttr
from snnir.dialects.cluster import ClusterOp, OutputOp
from snnir.dialects.quick_text import indices_of, ordinary_reading
from snnir.indices import Indices

TOKEN = re.compile(r'@?"[^"]*"|%[\w.$-]+|@\w+|\w[\w.]*|![\w.]+|->|\S')
SPACE_OR_TOKEN = re.compile(rf"\s+|{TOKEN.pattern}")
SPACES = (" ", " ", " ", "  ", "\n    ", "\t", " // why, %x[0:2] rows (\n ", "")
OPS = (Path(__file__).parent / "cluster" / "ops.mlir").read_text()
PRINTED = (
    "cluster.program of @n {\n"
    "  %x = cluster.input @x : !snn.signal<64, spike>\n"
    "  %a, %b = cluster.cluster @c0 axons(%x[0:4, 7], %b[0:2] delay 1) sums(%p) "
    'slices(neurons @p[0:2] rows [0:5] column 0 adds 1, neurons @"q 1"[3] rows [] column 9) '
    "delays(entries = 3, bound = 4, observed = 0) at [0, 1] crossbar 2 "
    "routes(0 to tile [1, 0], tile [1, 1] and 1 to host) : (!snn.signal<64, spike>, !snn.signal<1, spike>, "
    "!cluster.partial<2>) -> (!snn.signal<2, spike>, !snn.signal<1, spike>)\n"
    "  %p = cluster.cluster @c1 axons(%a[1]) slices(partial @p[0:2] rows [0] column 0) : "
    "(!snn.signal<2, spike>) -> !cluster.partial<2>\n"
    "  cluster.cluster @c2 axons() slices() : () -> ()\n"
    "  %w = cluster.cluster @c3 axons(%x[0:9] delay 2 windowed, %a[0] windowed) slices(neurons @w[0:4] rows [0:2] "
    "column 0 reads 2 kernel [4, 7] windows [0:10]) delays(entries = 12, bound = 12) : "
    "(!snn.signal<64, spike>, !snn.signal<2, spike>) -> !snn.signal<4, spike>\n"
    "  cluster.output @y(%a, %b) : !snn.signal<2, spike>, !snn.signal<1, spike>\n"
    "}\n"
)


def show(module: ModuleOp, *, places: bool = False) -> str:
    """A module as text."""
    stream = StringIO()
    Printer(stream, print_generic_format=places, print_debuginfo=places).print_op(module)
    return stream.getvalue()


def outcome(text: str, *, quick: bool = True) -> tuple[str, ...]:
    """What comes of a text: the ops with their places, or the error with its place."""
    with nullcontext() if quick else ordinary_reading():
        try:
            return ("ops", show(LocatingParser(context(), text, "text").parse_module(), places=True))
        except ParseError as error:
            return ("syntax", str(error.span.start), str(error.span.end), str(error))
        except USER_ERRORS as error:
            return (type(error).__name__, str(error), getattr(error, "place", ""))


def assert_same(text: str) -> tuple[str, ...]:
    """The outcome, which must be one in both ways."""
    quick = outcome(text)
    assert quick == outcome(text, quick=False), text
    return quick


def runs(rng: random.Random, *, wrong: bool = True) -> str:
    """The text of an index set, not always canonical; now and then one that repeats itself, where that may be."""
    found: list[str] = []
    position = rng.choice((0, 0, 3, 64))
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        stop, step = position + rng.choice((1, 1, 2, 2, 4, 16)), rng.choice((1, 1, 1, 2, 3))
        single = stop == position + 1 and rng.random() < 0.7
        found.append(str(position) if single else f"{position}:{stop}" + (f":{step}" if step > 1 else ""))
        position = stop + rng.choice((0, 1, 1, 2, 5, 5, 5, -1 if wrong else 5))
    return f"[{', '.join(found)}]"


def cluster_texts(rng: random.Random, count: int, *, wrong: bool = True) -> list[str]:
    """A program of clusters that read an input and each other, before and behind themselves, in canonical spelling."""

    def indices() -> str:
        return runs(rng, wrong=wrong)

    made: list[tuple[str, str]] = [("x", "!snn.signal<99, spike>")]
    slices: list[list[tuple[str, str, str]]] = []
    for number in range(count):
        slices.append([])
        for part in range(rng.randrange(4)):
            kind = rng.choice(("neurons", "neurons", "partial"))
            population, neurons = rng.choice(("@p", "@hidden.1", '@"0/conv 1"', '@""')), indices()
            size = len(indices_of(neurons) or "x")
            type_ = f"!snn.signal<{size}, spike>" if kind == "neurons" else f"!cluster.partial<{size}>"
            name = rng.choice((f"v{number}_{part}", f"{number}{part}", f"p.{number}-{part}"))
            made.append((name, type_))
            text = f"{kind} {population}{neurons} rows {indices()} column {rng.randrange(99)}"
            adds = rng.choice(("", "", f" adds {rng.randrange(3)}")) if wrong or kind == "neurons" else ""
            reads = rng.choice(("", "", f" reads {rng.choice((1, 2))} kernel {indices()} windows {indices()}"))
            slices[-1].append((name, type_, text + adds + (reads if wrong else "")))
    lines = ["cluster.program of @n {", "%x = cluster.input @x : !snn.signal<99, spike>"]
    for number, parts in enumerate(slices):
        read = [rng.choice(made) for _ in range(rng.randrange(5))]
        sums = [rng.choice(made) for _ in range(rng.choice((0, 0, 1, 2)))]
        axons = [
            f"%{name}{indices()}" + rng.choice(("", "", f" delay {rng.randrange(9)}", " windowed")) for name, _ in read
        ]
        results = ", ".join(f"%{name}" for name, _, _ in parts) + (" = " if parts else "")
        line = f"{results}cluster.cluster @c{number} axons({', '.join(axons)})"
        line += f" sums({', '.join('%' + name for name, _ in sums)})" if sums else ""
        line += f" slices({', '.join(text for _, _, text in parts)})"
        delays = ("", f" delays(entries = {number}, bound = 900)", " delays(entries = 2, bound = 2, observed = 1)")
        line += delays[number % 3]
        line += rng.choice(("", f" at [{rng.randrange(9)}, 3] crossbar {rng.randrange(4)}"))
        line += rng.choice(("", " routes()", " routes(0 to tile [0, 7], host and 2 to host)"))
        line += rng.choice(("", "", "", " {note = 1 : i64}"))
        types = [type_ for _, type_, _ in parts]
        made_types = types[0] if len(types) == 1 else f"({', '.join(types)})"
        lines.append(f"{line} : ({', '.join(type_ for _, type_ in [*read, *sums])}) -> {made_types}")
    spikes = [value for value in made if wrong or "signal" in value[1]]
    given_out = [rng.choice(spikes) for _ in range(rng.randrange(1, 4))]
    lines.append(
        f"cluster.output @y({', '.join('%' + name for name, _ in given_out)}) : "
        f"{', '.join(type_ for _, type_ in given_out)}"
    )
    return [*lines, "}", ""]


def test_what_is_printed_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when an xDSL of another version has no place for this, or its tokens follow each other differently."""

    def refuse(parser: Parser) -> ClusterOp:
        raise AssertionError(parser.pos)

    expected = assert_same(PRINTED)
    assert expected[0] == "ops"
    monkeypatch.setattr(ClusterOp, "parse", refuse)
    monkeypatch.setattr(OutputOp, "parse", refuse)
    assert outcome(PRINTED) == expected
    assert show(Parser(context(), PRINTED).parse_module()) == f"builtin.module {{\n{indented(PRINTED)}}}"
    with pytest.raises(AssertionError):
        outcome(PRINTED, quick=False)


def indented(text: str) -> str:
    """The text as it stands in a module."""
    return re.sub("^(?=.)", "  ", text, flags=re.MULTILINE)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_random_clusters_read_the_same_both_ways(rng: random.Random) -> None:
    lines = cluster_texts(rng, rng.randrange(5))
    if rng.random() < 0.5:
        line = rng.randrange(len(lines))
        lines[line] = spaced(lines[line], rng)
    assert_same("\n".join(lines))


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_damaged_clusters_give_the_same_errors(rng: random.Random) -> None:
    lines = cluster_texts(rng, rng.randrange(1, 4))
    line = rng.randrange(2, len(lines) - 2)
    lines[line] = damaged(lines[line], rng)
    assert_same("\n".join(lines))


def damaged(line: str, rng: random.Random) -> str:
    """The line with some tokens left out, doubled, exchanged or replaced, and its spaces as they were."""
    pieces = SPACE_OR_TOKEN.findall(line)
    tokens = [number for number, piece in enumerate(pieces) if not piece.isspace()]
    for number, token in zip(tokens, damage([pieces[number] for number in tokens], rng), strict=False):
        pieces[number] = token
    return "".join(pieces)


def spaced(text: str, rng: random.Random) -> str:
    """The text with other spaces and comments between some tokens."""
    tokens = TOKEN.findall(text)
    words = re.compile(r"\w")
    result = ""
    for token in tokens:
        glue = rng.choice(SPACES)
        needs = bool(result) and bool(words.match(result[-1])) and bool(words.match(token[0]))
        result += (glue or " " if needs else glue) + token
    return result


@pytest.mark.parametrize(
    ("found", "instead", "problem"),
    [
        ("[0:4, 7]", "[0:4, 3]", "distinct"),
        ("[0:4, 7]", "[4:2]", "4:2:1 is not a run"),
        ("column 9", "column 99999999999", "column 99999999999 is out of range"),
        ("partial<2>) ->", "partial<3>) ->", "type"),
        ("partial<2>\n", "partial<3>\n", "type"),
        ("%p = ", "%a = ", "already defined"),
        ("%p = ", "%q, %p = ", "results"),
        ("sums(%p)", "sums(%nowhere)", "not defined"),
        ("%a, %b)", "%a#1, %b)", "out of bounds"),
        (" slices()", " slice()", "slices"),
        (": () -> ()", ": () -> () ?", "region|Expected|block"),
        ("adds 1", "adds -1", "Expected|expected"),
        ("delay 1", "delay -1", "a delay is a number of steps"),
        ("entries = 3", "entries = 5", "1 to 4 entries are reserved"),
        ("entries = 3", "entries = 0", "not 0"),
        ("bound = 4, ", "", "'bound' is missing"),
        ("observed = 0", "observed = 4", "4 entries were in use, and only 3 are reserved"),
        ("observed = 0", "seen = 0", "'seen' is unknown"),
        ("[1, 0]", "[1]", "a router is"),
        ("[1, 0]", "[1, 1]", "each destination once"),
        ("signal<64", "signal<0", "empty"),
        ("() -> ()\n", "(", "type expected|Unexpected|expected"),
    ],
)
def test_errors_are_those_of_the_ordinary_parser(found: str, instead: str, problem: str) -> None:
    assert found in PRINTED
    kind, *rest = assert_same(PRINTED.replace(found, instead, 1))
    assert kind != "ops"
    assert re.search(problem, " ".join(rest))


def test_two_errors_come_in_the_order_of_the_text() -> None:
    twice = PRINTED.replace("partial<2>) ->", "partial<3>) ->").replace("%p = ", "%a = ")
    assert assert_same(twice)[0] == "syntax"
    late = PRINTED.replace("@c2 axons() slices() : () -> ()", "@c2 axons() slices() : () -> () §")
    assert "§" in assert_same(late)[-1]
    assert "§" not in assert_same(late.replace("partial<2>) ->", "partial<3>) ->"))[-1]


def test_whole_programs_are_read_the_same_both_ways() -> None:
    for chunk in OPS.split("// -----\n"):
        assert assert_same(chunk)[0] == "ops"
        plain = re.sub(r"^ *//.*\n", "", chunk, flags=re.MULTILINE)
        assert assert_same(plain)[0] == "ops"


def test_locations_in_the_text_are_kept() -> None:
    located = re.sub(r"(?<=[>)])\n", ' loc("net.snn":3:4)\n', PRINTED)
    assert '"net.snn":3:4' in assert_same(located)[1]


def test_operations_of_other_dialects_may_stand_between() -> None:
    other = '  %t = "test.op"() ({\n' + PRINTED.split("{\n")[1].split("\n", 1)[0].replace("x", "t2") + "\n"
    other += "  cluster.cluster @c9 axons(%a[0]) slices() : (!snn.signal<2, spike>) -> ()\n  }) : () -> i32\n"
    for line in ("  %p = ", "  cluster.cluster @c2", "  cluster.output"):
        assert assert_same(PRINTED.replace(line, other + line))[0] == "ops"


def test_text_to_ir_to_text_for_200_random_clusters() -> None:
    text = "\n".join(cluster_texts(random.Random(4), 200, wrong=False))
    assert assert_same(text)[0] == "ops"
    printed = show(Parser(context(), text).parse_module())
    assert printed.count("cluster.cluster") == 200
    for way in (nullcontext, ordinary_reading):
        with way():
            assert show(Parser(context(), printed).parse_module()) == printed


@given(st.randoms(use_true_random=False))
def test_index_sets_read_the_same_both_ways(rng: random.Random) -> None:
    text = spaced(runs(rng), rng) if rng.random() < 0.3 else runs(rng)
    results: list[str] = []
    for quick in (True, False):
        with nullcontext() if quick else ordinary_reading():
            try:
                parser = Parser(context(), f"#snn.indices<{text}>, 7")
                attribute = parser.parse_attribute()
                assert isinstance(attribute, IndicesAttr)
                parser.parse_punctuation(",")
                assert parser.parse_integer() == 7
                assert attribute.data == Indices.of(attribute.data.array)
                results.append(str(attribute))
            except (ParseError, VerifyException) as error:
                results.append(str(error))
    assert results[0] == results[1]


class Loud(Printer):
    """A printer with its own way with types."""

    def print_attribute(self, attribute: Attribute) -> None:
        """As in a text for people who are far away."""
        self.print_string(f"<<{attribute.name}>>")


def test_printers_have_their_own_way_with_types() -> None:
    module = Parser(context(), PRINTED).parse_module()
    stream = StringIO()
    Loud(stream).print_op(module)
    assert ": (<<snn.signal>>, <<snn.signal>>, <<cluster.partial>>) -> (<<snn.signal>>, <<snn.signal>>)" in (
        stream.getvalue()
    )
    with ordinary_reading():
        assert show(module) == show(Parser(context(), PRINTED).parse_module())
    assert show(module) == f"builtin.module {{\n{indented(PRINTED)}}}"
