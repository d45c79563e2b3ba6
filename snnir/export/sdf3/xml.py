"""Elements to be written, and numbers as SDF3 writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from xml.sax.saxutils import escape, quoteattr

from snnir.dialects.dataflow_attributes import Phases
from snnir.errors import SnnirError

_DIGITS = 24
_ALLOWED = ("\t", "\n", "\r")


@dataclass
class Tag:
    """An element with attributes; those that are `None` are left out."""

    name: str
    attributes: dict[str, str | int | None] = field(default_factory=dict[str, "str | int | None"])
    children: list[Tag] = field(default_factory=list["Tag"])
    text: str = ""

    def add(self, tag: str, /, **attributes: str | int | None) -> Tag:
        """A new child."""
        child = Tag(tag, dict(attributes))
        self.children.append(child)
        return child

    def lines(self, depth: int = 0) -> list[str]:
        """The text of the element, one line for each tag."""
        given = {name: str(value) for name, value in self.attributes.items() if value is not None}
        shown = "".join(f" {name}={quoteattr(_checked(value))}" for name, value in given.items())
        indent = "  " * depth
        if self.text:
            return [f"{indent}<{self.name}{shown}>{escape(_checked(self.text))}</{self.name}>"]
        if not self.children:
            return [f"{indent}<{self.name}{shown}/>"]
        inside = [line for child in self.children for line in child.lines(depth + 1)]
        return [f"{indent}<{self.name}{shown}>", *inside, f"{indent}</{self.name}>"]


def _checked(text: str) -> str:
    """The text, unless XML has no way to write one of its characters."""
    for character in text:
        code = ord(character)
        if (code < 0x20 and character not in _ALLOWED) or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF):
            raise SnnirError("sdf3", f"XML cannot write the character U+{code:04X} of {text!r}", "rename it")
    return text


def phases_list(phases: Phases) -> str:
    """`2,1`, or `2`."""
    return ",".join(map(str, phases)) if isinstance(phases, tuple) else str(phases)


def decimal(value: Fraction) -> tuple[str, bool]:
    """A decimal, and whether it is exact; otherwise the next above with 24 digits behind the point."""
    twos_and_fives = value.denominator
    for factor in (2, 5):
        while twos_and_fives % factor == 0:
            twos_and_fives //= factor
    digits = 0 if value.denominator == 1 else value.denominator.bit_length() if twos_and_fives == 1 else _DIGITS
    scaled = -(-value.numerator * 10**digits // value.denominator)
    whole, rest = divmod(scaled, 10**digits)
    text = f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".") if digits else str(whole)
    return text, Fraction(scaled, 10**digits) == value
