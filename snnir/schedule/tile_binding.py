"""Files of bindings: the lines `tile actor actor ...` of DFSynthesizer's `TileBinding` files."""

from snnir.maxplus.sdf import SDFGraph
from snnir.schedule.architecture import Architecture, ScheduleError


class BindingError(ScheduleError):
    """A line of a binding file that is wrong; `line` from 1, and `message` says why without it."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(f"line {line}: {message}")


def read_binding(text: str, graph: SDFGraph, architecture: Architecture) -> dict[str, str]:
    """The binding in `text`, actor -> tile.

    Names are those of the graph and of the architecture; the shorter form of DFSynthesizer, in which a number n means
    `tile_n` or `actor_n`, is understood where there is no such name. Empty lines and what follows a `#` do not count.
    Raises `BindingError` for unknown names and for an actor that is bound twice.
    """
    binding: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].split()
        if not words:
            continue
        tile = _known(words[0], "tile", architecture.index, number)
        for word in words[1:]:
            actor = _known(word, "actor", graph.index, number)
            if actor in binding:
                raise BindingError(number, f"actor {actor} is bound twice")
            binding[actor] = tile
    return binding


def _known(word: str, what: str, names: dict[str, int], line: int) -> str:
    for name in (word, f"{what}_{word}"):
        if name in names:
            return name
    raise BindingError(line, f"there is no {what} {word}")
