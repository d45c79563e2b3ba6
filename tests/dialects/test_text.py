"""IR text: what is printed parses to the same, and text that is damaged anywhere gives a clean error."""

from __future__ import annotations

import random
import re
from io import StringIO
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.test import Test
from xdsl.parser import Parser
from xdsl.printer import Printer

from snnir.cli.errors import USER_ERRORS
from snnir.cli.locations import diagnostics_kept_short
from snnir.tensors import source_directory
from snnir.universe import SNNIR_UNIVERSE

SPLIT = re.compile(r"^// -----[ \t]*\n", re.MULTILINE)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\w.@%#!$]+|->|\S')
TEXTS = [
    (f"{path.parent.name}-{number}", chunk)
    for path in sorted(Path(__file__).parent.rglob("ops.mlir"))
    for number, chunk in enumerate(SPLIT.split(path.read_text()))
]
IDS = [name for name, _ in TEXTS]


def context() -> Context:
    """A context with all our dialects."""
    ctx = Context()
    for dialect in (Builtin, Test, *(factory() for factory in SNNIR_UNIVERSE.all_dialects.values())):
        ctx.load_dialect(dialect)
    return ctx


def parse(text: str) -> ModuleOp:
    """Text as a verified module."""
    module = Parser(context(), text, "text").parse_module()
    module.verify()
    return module


def show(module: ModuleOp, *, generic: bool = False) -> str:
    """A module as text."""
    stream = StringIO()
    Printer(stream, print_generic_format=generic).print_op(module)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=IDS)
def test_text_to_ir_to_text_is_the_identity(name: str, text: str) -> None:
    module = parse(text)
    custom, generic = show(module), show(module, generic=True)
    assert show(parse(custom)) == custom
    assert show(parse(generic), generic=True) == generic
    assert show(parse(custom), generic=True) == generic
    assert show(parse(generic)) == custom
    assert show(module.clone()) == custom


@pytest.mark.parametrize("generic", [False, True], ids=["custom", "generic"])
@pytest.mark.parametrize(("name", "text"), TEXTS, ids=IDS)
def test_damaged_text_gives_clean_errors(name: str, text: str, generic: bool) -> None:
    tokens = TOKEN.findall(show(parse(text), generic=generic))
    rng = random.Random(name)
    refused = 0
    with diagnostics_kept_short(), source_directory(Path("nowhere")):
        for _ in range(25):
            damaged = " ".join(damage(tokens, rng))
            try:
                module = parse(damaged)
            except USER_ERRORS:
                refused += 1
            else:
                # what still has a meaning prints and parses like any other
                assert show(parse(show(module, generic=True))) == show(module), damaged
    assert refused or "snn.network @none" in text


def damage(tokens: list[str], rng: random.Random) -> list[str]:
    """The tokens with one of them (or a few) left out, doubled, exchanged or replaced."""
    result = list(tokens)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        place, other = rng.randrange(len(result)), rng.randrange(len(result))
        match rng.randrange(5):
            case 0:
                del result[place]
            case 1:
                result.insert(place, result[place])
            case 2:
                result[place], result[other] = result[other], result[place]
            case 3:
                result[place] = result[other]
            case _:
                result[place] = rng.choice(("-1", "0", "1", "7", "1.5", "@x", '"x"', "[]", "()", "%x", "4294967296"))
    return result
