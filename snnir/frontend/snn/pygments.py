"""The `.snn` language for Pygments, which finds this lexer through the entry point `pygments.lexers`."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pygments import lexer
from pygments.token import Whitespace, string_to_tokentype

from snnir.frontend.snn.tokens import BLANK, Colour, colouring

_groups: Any = getattr(lexer, "bygroups")  # noqa: B009  (it has no type)


def _rule(colour: Colour) -> tuple[str, Any]:
    kinds = [string_to_tokentype(kind[0]) if kind else Whitespace for kind in colour.kinds]
    return colour.regex, _groups(*kinds)


class SnnLexer(lexer.RegexLexer):
    """Colours programs of the `.snn` language."""

    name = "snn"
    aliases: ClassVar[Sequence[str]] = ["snn"]
    filenames: ClassVar[Sequence[str]] = ["*.snn"]
    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [(BLANK, Whitespace), *(_rule(each) for each in colouring())],
    }
