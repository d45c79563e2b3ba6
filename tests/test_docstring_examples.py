"""The examples in the docstrings of our dialects are IR that parses, verifies and prints back."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

import pytest
from xdsl.context import Context
from xdsl.dialects import test as test_dialect
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser

from snnir.universe import SNNIR_UNIVERSE

EXAMPLE = re.compile(r"```mlir\n(.*?)```", re.DOTALL)
DIALECTS = [factory() for factory in SNNIR_UNIVERSE.all_dialects.values()]
OPS: dict[str, type[Operation]] = {op.name: op for dialect in DIALECTS for op in dialect.operations}
ATTRIBUTES: dict[str, type[Attribute]] = {each.name: each for dialect in DIALECTS for each in dialect.attributes}


def examples(cls: type) -> list[str]:
    """The `mlir` blocks of a class's own docstring."""
    return EXAMPLE.findall(inspect.cleandoc(cls.__doc__ or ""))


def context() -> Context:
    """A context with all our dialects."""
    ctx = Context()
    for dialect in (Builtin, test_dialect.Test, *DIALECTS):
        ctx.load_dialect(dialect)
    return ctx


class ExampleParser(Parser):
    """Values that an example uses but does not define are defined by a test op in front of it."""

    def parse_example(self) -> ModuleOp:
        """The operations of the text in a module."""
        ops: list[Operation] = []
        while (op := self.parse_optional_operation()) is not None:
            ops.append(op)
        assert not self.lexer.input.content[self.pos :].strip(), "text after the last operation"
        for values in self.forward_ssa_references.values():
            for value in values.values():
                source = test_dialect.TestOp(result_types=[value.type])
                value.replace_all_uses_with(source.results[0])
                ops.insert(0, source)
        return ModuleOp(ops)


def parse(text: str) -> ModuleOp:
    """An example as a module."""
    return ExampleParser(context(), text, "docstring").parse_example()


def nested(module: ModuleOp) -> Iterable[str]:
    """The names of all operations in a module."""
    return (op.name for op in module.walk())


SHOWN = [(name, text) for name, op in sorted(OPS.items()) for text in examples(op)]


@pytest.mark.parametrize(("name", "text"), SHOWN, ids=[name for name, _ in SHOWN])
def test_operations(name: str, text: str) -> None:
    module = parse(text)
    module.verify()
    assert name in nested(module), "the example does not show the operation"
    printed = str(module)
    assert str(Parser(context(), printed, "printed").parse_module()) == printed


def test_every_operation_is_shown() -> None:
    """An operation that only makes sense inside another one may be shown in the other one's example."""
    assert OPS.keys() - {shown for _, text in SHOWN for shown in nested(parse(text))} == set()


@pytest.mark.parametrize("name", sorted(ATTRIBUTES))
def test_attributes(name: str) -> None:
    cls = ATTRIBUTES[name]
    assert (cls.__doc__ or "").strip(), "no docstring"
    for text in examples(cls):
        attribute = Parser(context(), text.strip(), "docstring").parse_attribute()
        attribute.verify()
        assert isinstance(attribute, cls)
        assert Parser(context(), str(attribute), "printed").parse_attribute() == attribute


def test_undefined_values_are_supplied() -> None:
    module = parse('"test.op"(%a, %b) : (i32, i64) -> ()'.replace("test.op", "builtin.unrealized_conversion_cast"))
    assert [op.name for op in module.body.block.ops][:2] == ["test.op", "test.op"]
