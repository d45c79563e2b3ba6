"""The text of pass pipelines: what is accepted, what it means, and where errors are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline

from snnir.cli.pipeline import build_passes, pass_text, pipeline_text, read_pipeline
from snnir.errors import SnnirError


@dataclass(frozen=True)
class Plain(ModulePass):
    """A pass without options."""

    name = "plain-pass"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Many(ModulePass):
    """A pass with an option of each type."""

    name = "many"
    n: int = 0
    f: float = 0.0
    s: str = ""
    b: bool = False
    mode: Literal["fast", "slow"] = "fast"
    sizes: tuple[int, ...] = ()
    pair: tuple[int, float] = (0, 0.0)
    maybe: int | None = 7
    either: int | str = 0
    long_name: str = ""
    hidden: int = field(default=3, init=False)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Needy(ModulePass):
    """A pass with an option that must be given."""

    name = "needy"
    data: str

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Do nothing."""


AVAILABLE: dict[str, type[ModulePass]] = {each.name: each for each in (Plain, Many, Needy)}


def build(text: str) -> tuple[ModulePass, ...]:
    """The passes of a pipeline over the three passes of this file."""
    return build_passes(text, {name: lambda cls=cls: cls for name, cls in AVAILABLE.items()})


@pytest.mark.parametrize(
    "text",
    [
        "plain-pass,many{n=1}",
        "plain-pass, many{n=1}",
        "builtin.module(plain-pass,many{n=1})",
        "builtin.module( plain-pass ,\n  many { n=1 } )",
        "  builtin.module(\n    builtin.module(plain-pass),\n many{ n=1},\n)\n",
        "plain-pass,many{n=1},",
        'plain-pass{},many{n=1 s=""}',
    ],
)
def test_spellings_of_one_pipeline(text: str) -> None:
    assert build(text) == (Plain(), Many(n=1))


@pytest.mark.parametrize("text", ["", "  \n", "builtin.module()", "builtin.module(\n)"])
def test_empty_pipelines(text: str) -> None:
    assert build(text) == ()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("n=-3", Many(n=-3)),
        ("f=1e-3", Many(f=0.001)),
        ("f=.5", Many(f=0.5)),
        ("f=2", Many(f=2.0)),
        ("f=1.0e-3", Many(f=0.001)),
        ("s=8", Many(s="8")),
        ("s=a/b.npz", Many(s="a/b.npz")),
        ("s=../x(1)=2.npz", Many(s="../x(1)=2.npz")),
        ("s=true", Many(s="true")),
        ('s="a b, {c}"', Many(s="a b, {c}")),
        ("s='a \"b\"'", Many(s='a "b"')),
        (r's="a\"b\\c\n"', Many(s='a"b\\c\n')),
        ("b", Many(b=True)),
        ("b=1", Many(b=True)),
        ("b=true", Many(b=True)),
        ("b=0", Many(b=False)),
        ("mode=slow", Many(mode="slow")),
        ("sizes=1", Many(sizes=(1,))),
        ("sizes=1,2,3", Many(sizes=(1, 2, 3))),
        ("pair=1,2", Many(pair=(1, 2.0))),
        ("maybe", Many(maybe=None)),
        ("maybe=4", Many(maybe=4)),
        ("either=4", Many(either=4)),
        ('either="4"', Many(either="4")),
        ("either=x", Many(either="x")),
        ("long-name=x", Many(long_name="x")),
        ("long_name=x", Many(long_name="x")),
        ("n=1  b\n f=2", Many(n=1, b=True, f=2.0)),
    ],
)
def test_values_take_the_type_of_their_field(options: str, expected: Many) -> None:
    (built,) = build(f"many{{{options}}}")
    assert built == expected
    for name, value in vars(expected).items():
        assert type(getattr(built, name)) is type(value), name


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("plain-pas", "1:1", "unknown pass 'plain-pas'", "did you mean 'plain-pass'?"),
        ("plain-pass,\n  nothing-like-it", "2:3", "unknown pass 'nothing-like-it'", "--list-passes"),
        ("plain-pass many", "1:12", "expected ',' between passes, found 'm'", ""),
        ("plain-pass,,many", "1:12", "expected the name of a pass, found ','", ""),
        ("builtin.module(many", "1:20", "expected ')' to close 'builtin.module('", ""),
        ("builtin.module(many))", "1:21", "expected ',' between passes, found ')'", ""),
        ("snn.network(many)", "1:1", "passes run on builtin.module only", "builtin.module(...)"),
        ("many{n=1", "1:9", "found the end of the pipeline", ""),
        ("many{n=1 n=2}", "1:10", "option 'n' is given twice", ""),
        ("many{long-name=a long_name=b}", "1:18", "option 'long_name' is given twice", ""),
        ("many{n=}", "1:8", "expected a value, found '}'", ""),
        ("many{n=1, f=2}", "1:10", "expected a value, found ' '", "separated by blanks"),
        ("many{n=1 , f=2}", "1:10", "expected the name of an option", "separated by blanks"),
        ('many{s="abc}', "1:8", "this quote is not closed", ""),
        ("many{m=1}", "1:6", "many: unknown option 'm'", "known options: n, f, s, b"),
        ("many{siezs=1}", "1:6", "unknown option 'siezs'", "did you mean 'sizes'?"),
        ("many{hidden=1}", "1:6", "unknown option 'hidden'", ""),
        ("plain-pass{n=1}", "1:12", "unknown option 'n'", "this pass has no options"),
        ("many{n=x}", "1:6", "many: option 'n' expects int, not 'x'", ""),
        ("many{n=1.5}", "1:6", "option 'n' expects int, not '1.5'", ""),
        ('many{n="1"}', "1:6", "option 'n' expects int, not '1'", ""),
        ("many{n}", "1:6", "option 'n' expects int, but no value is given", ""),
        ("many{n=1,2}", "1:6", "option 'n' expects int, not '1,2'", ""),
        ("many{f=fast}", "1:6", "option 'f' expects float, not 'fast'", ""),
        ("many{b=maybe}", "1:6", "option 'b' expects bool, not 'maybe'", ""),
        ("many{mode=medium}", "1:6", "option 'mode' expects one of fast, slow, not 'medium'", ""),
        ("many{sizes=1,x}", "1:6", "option 'sizes' expects int,..., not '1,x'", ""),
        ("many{pair=1}", "1:6", "option 'pair' expects int,float, not '1'", ""),
        ("many{maybe=x}", "1:6", "option 'maybe' expects int, not 'x'", ""),
        ("many,\nneedy", "2:1", "needy: option 'data' is missing", "needy{data=...}, str"),
    ],
)
def test_errors_name_the_place(text: str, place: str, message: str, hint: str) -> None:
    with pytest.raises(SnnirError) as caught:
        build(text)
    assert caught.value.place == f"<pass-pipeline>:{place}"
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_only_passes_that_are_named_are_loaded() -> None:
    def refuse() -> type[ModulePass]:
        raise AssertionError("must not be loaded")

    assert build_passes("plain-pass", {"plain-pass": lambda: Plain, "other": refuse}) == (Plain(),)


def test_reading_does_not_need_the_passes() -> None:
    (element,) = read_pipeline("builtin.module(my-pass{a=1,2 b})")
    assert element.name == "my-pass"
    assert [(option.key, [word.text for word in option.values]) for option in element.options] == [
        ("a", ["1", "2"]),
        ("b", []),
    ]


def test_printed_pipeline_shows_what_differs_from_the_defaults() -> None:
    passes = (Plain(), Many(n=2, f=1e-7, s="a/b", b=True, sizes=(1, 2), maybe=None, long_name="x-y"))
    expected = 'many{n=2 f=1.0e-07 s="a/b" b=true sizes=1,2 maybe long-name=x-y}'
    assert pipeline_text(passes) == f"builtin.module(plain-pass, {expected})"


MANY = st.builds(
    Many,
    n=st.integers(),
    f=st.floats(allow_nan=False, allow_infinity=False),
    s=st.text(st.characters(codec="utf-8", exclude_characters="\r\f\v")),
    b=st.booleans(),
    mode=st.sampled_from(["fast", "slow"]),
    sizes=st.lists(st.integers(), min_size=1).map(tuple),
    pair=st.tuples(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    maybe=st.none() | st.integers(),
    either=st.integers() | st.text(st.characters(codec="utf-8"), min_size=1),
)


@given(st.lists(st.just(Plain()) | MANY))
@settings(max_examples=50, deadline=None)
def test_printed_pipelines_build_the_same_passes(passes: list[ModulePass]) -> None:
    assert build(pipeline_text(passes)) == tuple(passes)


@given(
    st.builds(
        Many,
        n=st.integers(),
        f=st.floats(allow_nan=False, allow_infinity=False),
        s=st.from_regex(r"[ -~]*", fullmatch=True),
        b=st.booleans(),
        sizes=st.lists(st.integers(), min_size=1).map(tuple),
    )
)
@settings(max_examples=50, deadline=None)
def test_xdsl_reads_what_we_print(each: Many) -> None:
    assert PassPipeline.parse_spec({"many": lambda: Many}, pass_text(each)).passes == (each,)
