"""Numbers for phases as SDF3 writes them: `2`, `2,1`, `3*1,2` for `1,1,1,2`."""

from __future__ import annotations

from dataclasses import dataclass

from snnir.dialects.dataflow_attributes import Phases, phases_of
from snnir.frontend.sdf3.xml import Element, shortened

LIMIT = 1 << 22
"""Phases of all lists of a file together; with `n*r`, a short text could ask for any amount of memory."""


@dataclass
class PhaseReader:
    """Reads lists, and counts how long they are together."""

    count: int = 0

    def read(self, element: Element, name: str, what: str) -> Phases:
        """The list that an attribute of an element says; `what` is how an error calls it."""
        text = element.required(name)
        if ";" in text:
            message = f"{what} has phases that come only once, before the ';': '{shortened(text)}'"
            raise element.error(message, "rewrite it without them: such lists are an extension of Kiter, not of SDF3")
        numbers: list[int] = []
        for part in text.split(","):
            times, star, number = part.rpartition("*")
            repeated = element.whole(times, f"a count in {what}") if star else 1
            self.count += repeated
            if self.count > LIMIT:
                raise element.error(f"the lists of phases are longer than {LIMIT} together", "use shorter cycles")
            numbers += [element.whole(number, what)] * repeated
        if not numbers:
            raise element.error(f"{what} has no phases: '{shortened(text)}'", "repeat a number once at least")
        return phases_of(numbers)

    def rate(self, element: Element, what: str) -> Phases:
        """The rate of a port: not 0 in all phases."""
        rate = self.read(element, "rate", what)
        if not any(rate) if isinstance(rate, tuple) else not rate:
            hint = "a port that never passes a token makes no sense; remove it and its channel"
            raise element.error(f"{what} is 0 in all phases", hint)
        return rate
