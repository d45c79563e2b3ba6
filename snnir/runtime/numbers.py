"""Numbers as people write them, exactly."""

import re
from fractions import Fraction

DIGITS = 18
"""That a number may have, before and after `/`."""


def _pattern(digits: int) -> str:
    """`250000`, `2.5e5` or `1/3`. Longer exponents would take for ever."""
    return rf"^[0-9]{{1,{digits}}}(/[0-9]{{1,{digits}}}|(\.[0-9]{{0,{digits}}})?([eE][+-]?[0-9]{{1,2}})?)$"


EXACT = _pattern(DIGITS)
"""What may be a number, as a regular expression."""


def exact(text: str, digits: int = DIGITS) -> Fraction:
    """A number from 0. Raises ValueError for anything else, and for more digits."""
    if re.fullmatch(_pattern(digits), text) and not re.search("/0+$", text):
        found = Fraction(text)
        if max(found.numerator, found.denominator) < 10**digits:
            return found
    raise ValueError(f"{text!r} is no number of at most {digits} digits, as 2.5e5 or 1/3")
