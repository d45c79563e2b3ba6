"""Names: the nearest known one for a typing error, valid symbols for foreign ones."""

import re
from collections.abc import Container, Iterable
from difflib import get_close_matches

_SYMBOL = re.compile(r"[A-Za-z_][A-Za-z0-9_.$]*")
_NUMBER_SUFFIX = re.compile(r"(_\d+)+$")
_LISTED = 12


def suggestion(name: str, known: Iterable[str], what: str = "") -> str:
    """A hint for an unknown name: the nearest known one, or what there is (`what`: `populations`, `keys`, ...)."""
    choices = list(known)
    nearest = get_close_matches(name, choices, 1)
    if nearest:
        return f"did you mean '{nearest[0]}'?"
    listed = ", ".join(choices[:_LISTED]) + (", ..." if len(choices) > _LISTED else "")
    return f"there {'is' if len(choices) == 1 else 'are'} {what + ' ' if what else ''}{listed or 'none'}"


def symbols(names: Iterable[str]) -> dict[str, str]:
    """A valid symbol for each name, different for different names; a valid name keeps itself.

    Other characters become `_`, a leading digit gets an `n` before it, and what would collide gets a number.
    """
    ordered = sorted(set(names))
    result = {name: name for name in ordered if _SYMBOL.fullmatch(name)}
    taken = set(result)
    for name in ordered:
        if name not in result:
            result[name] = unique(symbol(name), taken)
            taken.add(result[name])
    return result


def symbol(name: str) -> str:
    """A valid symbol that resembles `name`."""
    cleaned = re.sub(r"[^A-Za-z0-9_.$]", "_", name) or "_"
    return cleaned if re.match(r"[A-Za-z_]", cleaned) else f"n{cleaned}"


def unique(name: str, taken: Container[str]) -> str:
    """`name`, or `name_2`, `name_3`, ... : the first that is not taken."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def value_name(name: str) -> str | None:
    """A name for an SSA value that printing and parsing keep: xDSL drops one `_1` at the end each time."""
    text = _NUMBER_SUFFIX.sub("", re.sub(r"[^A-Za-z0-9_$.-]", "_", name))
    return None if not text else text if re.match(r"[A-Za-z_$.-]", text) else f"n{text}"
