"""The slices of a configured machine: columns of a crossbar, and what they drive."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FlatSymbolRefAttrConstr,
    Float64Type,
    FloatAttr,
    StringAttr,
    SymbolNameConstraint,
    SymbolRefAttr,
)
from xdsl.ir import Attribute
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from snnir.dialects.attributes import (
    SemanticsAttr,
    TensorAttr,
    parse_fields,
    parse_semantics,
    parse_value,
    print_value,
    symbol,
    value_of,
)
from snnir.dialects.cluster_attributes import Slice, SliceAttr, parse_slice
from snnir.dialects.machine_neurons import ACTIVATED, COEFFICIENTS, unsupported
from snnir.semantics import Semantics

TABLE = ("lines", "origins", "offsets")
"""What a slice that is read several times meets: its read p has, on its row k, the windowed axon
`lines[origins[p] + offsets[k]]`; none where that is -1."""


@irdl_op_definition
class SliceOp(IRDLOperation):
    """A slice: columns with what they drive. A `partial` slice has no neurons and is added to another; a `neurons`
    slice has the constants of its neurons (numbers, or tensors with one entry per neuron); see `crossbar.machine`."""

    name = "crossbar.slice"
    sym_name = prop_def(SymbolNameConstraint())
    part = prop_def(SliceAttr)
    adds = prop_def(ArrayAttr.constr(FlatSymbolRefAttrConstr))
    model = opt_prop_def(StringAttr)
    coefficients = opt_prop_def(DictionaryAttr)
    semantics = opt_prop_def(SemanticsAttr)
    table = opt_prop_def(DictionaryAttr)

    def __init__(
        self,
        name: str,
        part: Slice,
        adds: Sequence[str] = (),
        model: str | None = None,
        coefficients: Mapping[str, Attribute] | None = None,
        semantics: Semantics | None = None,
        table: Mapping[str, Attribute] | None = None,
    ) -> None:
        properties: dict[str, Attribute | None] = {
            "sym_name": StringAttr(name),
            "part": SliceAttr(part),
            "adds": ArrayAttr(SymbolRefAttr(added) for added in adds),
            "model": None if model is None else StringAttr(model),
            "coefficients": None if coefficients is None else DictionaryAttr(dict(coefficients)),
            "semantics": None if semantics is None else SemanticsAttr(semantics),
            "table": None if table is None else DictionaryAttr(dict(table)),
        }
        super().__init__(properties=properties)

    @property
    def added(self) -> list[str]:
        """The partial slices that are added."""
        return [reference.root_reference.data for reference in self.adds]

    def verify_(self) -> None:
        name, part = self.sym_name.data, self.part.data
        stateless = self.model is not None and self.model.data in ACTIVATED
        parts = (self.model, self.coefficients, self.model if stateless else self.semantics)
        if part.adds:
            raise VerifyException(f"@{name}: the partial sums that it adds are named, not counted")
        self._verify_table()
        if any((p is None) != part.is_partial for p in parts):
            raise VerifyException(f"@{name}: neurons have a model, constants and semantics, partial sums none of them")
        if stateless and self.semantics is not None:
            raise VerifyException(f"@{name}: what has no state has no semantics")
        if self.model is None or self.coefficients is None:
            if self.added:
                raise VerifyException(f"@{name}: a partial sum adds no other partial sums")
            return
        if self.model.data not in COEFFICIENTS:
            raise VerifyException(f"@{name}: no neuron model '{self.model.data}'")
        wrong = unsupported(self.model.data, self.semantics.data) if self.semantics is not None else []
        if wrong:
            raise VerifyException(f"@{name}: a machine cannot do {', '.join(wrong)}")
        if set(self.coefficients.data) != set(COEFFICIENTS[self.model.data]):
            raise VerifyException(f"@{name}: {self.model.data} holds {', '.join(COEFFICIENTS[self.model.data])}")
        for key, value in self.coefficients.data.items():
            if not isinstance(value, TensorAttr) and not isa(value, FloatAttr[Float64Type]):
                raise VerifyException(f"@{name}: {key} is a number (f64) or a tensor")
            if isinstance(value, TensorAttr) and value.data.size != part.size:
                raise VerifyException(f"@{name}: {key} has {value.data.size} entries for {part.size} neurons")
            if not np.isfinite(value_of(value)).all():
                raise VerifyException(f"@{name}: {key} is not finite")
        if self.model.data in ACTIVATED and not (np.asarray(value_of(self.coefficients.data["step"])) > 0).all():
            raise VerifyException(f"@{name}: a step must be positive")

    def _verify_table(self) -> None:
        """A slice that is read several times says what its windows meet, and meets nothing that it does not read."""
        name, windows = self.sym_name.data, self.part.data.windows
        found: Mapping[str, Attribute] = {} if self.table is None else self.table.data
        arrays = {key: value.array for key, value in found.items() if isinstance(value, TensorAttr)}
        if (windows is None and found) or (windows is not None and set(arrays) != set(TABLE)):
            names = ", ".join(TABLE)
            raise VerifyException(f"@{name}: slices that are read several times, and only these, meet({names})")
        if windows is None:
            return
        lines, origins, offsets = (arrays[key] for key in TABLE)
        if len(origins) != windows.reads or len(offsets) != len(windows.kernel) or lines.ndim != 1:
            raise VerifyException(f"@{name}: there is one origin per read, and one offset per row of the kernel")
        if origins.min() < 0 or offsets.min() < 0 or int(origins.max()) + int(offsets.max()) >= len(lines):
            raise VerifyException(f"@{name}: origins and offsets lead out of the lines")
        if not np.isin(lines[lines >= 0], windows.axons.array).all():
            raise VerifyException(f"@{name}: its windows meet axons that it does not read")

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        properties: dict[str, Attribute] = {"sym_name": parser.parse_symbol_name()}
        properties["part"] = SliceAttr(parse_slice(parser, counted=False))
        adds: list[SymbolRefAttr] = []
        if parser.parse_optional_keyword("adds"):
            names = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_symbol_name)
            adds = [SymbolRefAttr(name) for name in names]
        properties["adds"] = ArrayAttr(adds)
        if parser.parse_optional_keyword("meets"):
            properties["table"] = DictionaryAttr(parse_fields(parser, parser.parse_attribute))
        model = parser.parse_optional_keyword_in(tuple(COEFFICIENTS))
        if model is not None:
            properties["model"] = StringAttr(model)
            values = parse_fields(parser, lambda: parse_value(parser))
            ordered = sorted(values.items(), key=lambda item: (*COEFFICIENTS[model], item[0]).index(item[0]))
            properties["coefficients"] = DictionaryAttr(dict(ordered))
            if model not in ACTIVATED:
                parser.parse_keyword("using")
                properties["semantics"] = SemanticsAttr(parse_semantics(parser, model))
        return cls.create(properties=properties, attributes=parser.parse_optional_attr_dict())

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {symbol(self.sym_name.data)} {self.part.data}")
        if self.added:
            printer.print_string(f" adds [{', '.join(map(symbol, self.added))}]")
        if self.table is not None:
            printer.print_string(" meets(")
            printer.print_list(self.table.data.items(), lambda item: _print_field(printer, *item))
            printer.print_string(")")
        if self.model is not None and self.coefficients is not None:
            printer.print_string(f" {self.model.data}(")
            values = self.coefficients.data
            ordered = [key for key in COEFFICIENTS[self.model.data] if key in values]
            printer.print_list(ordered, lambda key: _print_field(printer, key, values[key]))
            printer.print_string(")")
            if self.semantics is not None:
                printer.print_string(" using ")
                self.semantics.print_parameter(printer)
        printer.print_op_attributes(self.attributes)


def _print_field(printer: Printer, key: str, value: Attribute) -> None:
    printer.print_string(f"{key} = ")
    print_value(printer, value)
