"""The tokens of the `.snn` language: one table for the parser, the formatter, Pygments and editors.

`TOKENS` says how each token is written, what an error message calls it, and how it is coloured. `terminals` makes the
part of the lark grammar of it. Pygments (`snnir.frontend.snn.pygments`) and editors (`textmate_grammar`) know no
context; `colouring` makes rules for them that need none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

WORD = r"[A-Za-z_][A-Za-z0-9_.$]*"
"""A name: letters, digits, `_`, `.` and `$`."""

_END = r"(?![A-Za-z0-9_.$])"
_REAL = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SIGNED = rf"[+-]?{_REAL}"
COMMENT = r"#[^\n]*"
BLANK = r"[ \t\f\r\n]+"

S, V = "time", "voltage"
"""What units measure; nothing else has one (a rate is 1 / time)."""


@dataclass(frozen=True)
class Unit:
    """A unit: its factor to seconds, volts or 1 / seconds, and the exponents of time and voltage."""

    factor: Fraction
    dimension: tuple[int, int]
    words: str


UNITS: dict[str, Unit] = {
    "s": Unit(Fraction(1), (1, 0), "seconds"),
    "ms": Unit(Fraction(1, 10**3), (1, 0), "milliseconds, 1e-3 s"),
    "us": Unit(Fraction(1, 10**6), (1, 0), "microseconds, 1e-6 s"),
    "ns": Unit(Fraction(1, 10**9), (1, 0), "nanoseconds, 1e-9 s"),
    "V": Unit(Fraction(1), (0, 1), "volts"),
    "mV": Unit(Fraction(1, 10**3), (0, 1), "millivolts, 1e-3 V"),
    "Hz": Unit(Fraction(1), (-1, 0), "hertz, 1 / s"),
    "kHz": Unit(Fraction(10**3), (-1, 0), "kilohertz, 1e3 / s"),
}
"""The units that may follow a number."""

KEYWORDS = {
    "network": "the program",
    "input": "declares a signal from outside",
    "population": "declares neurons",
    "signal": "names what a chain of operations computes",
    "output": "declares what the host reads",
    "generate": "gives an input a default stimulus",
    "let": "names a constant",
    "block": "defines declarations with parameters",
    "instance": "puts a block into the network",
    "include": "reads the constants and blocks of another file",
}
"""Words that start a declaration. They may be names too."""

RESERVED = "using"
"""The one word that is never a name."""


@dataclass(frozen=True)
class TokenKind:
    """One kind of token. `pattern` is a regular expression, or the text itself when `literal`."""

    name: str
    pattern: str
    words: str
    scope: str
    pygments: str
    literal: bool = False
    priority: int = 0

    @property
    def regex(self) -> str:
        """The pattern as a regular expression that matches this token alone (words whole)."""
        if not self.literal:
            return self.pattern
        return re.escape(self.pattern) + (_END if self.pattern.isalpha() else "")


def _literal(name: str, text: str, scope: str, pygments: str, words: str = "") -> TokenKind:
    return TokenKind(name, text, words or f"`{text}`", scope, pygments, literal=True)


def _mark(name: str, text: str) -> TokenKind:
    return _literal(name, text, "punctuation.snn", "Punctuation")


def _operator(name: str, text: str) -> TokenKind:
    return _literal(name, text, "keyword.operator.snn", "Operator")


_UNIT_WORDS = "|".join(sorted(UNITS, key=len, reverse=True))
_GAP = rf"(?:[ \t\f\r\n]|{COMMENT}\n)*"

TOKENS: tuple[TokenKind, ...] = (
    *(_literal(word.upper(), word, "keyword.declaration.snn", "Keyword.Declaration") for word in KEYWORDS),
    _literal("USING", RESERVED, "keyword.other.snn", "Keyword"),
    TokenKind(
        "NUMBERS",
        rf"\[\s*+{_SIGNED}\s*+(?>,\s*+{_SIGNED}\s*+)*+,?\s*+\]",
        "a list `[...]`",
        "",
        "",
        priority=3,
    ),
    TokenKind(
        "DIMENSIONS", rf"[0-9]+(?:x[0-9]+)+{_END}", "a shape such as 8x8", "constant.numeric.snn", "Number", priority=2
    ),
    TokenKind(
        "QUANTITY",
        rf"{_SIGNED}[ \t]*(?:{_UNIT_WORDS}){_END}(?!{_GAP}(?:->|[\[=]))",
        "a number",
        "keyword.other.unit.snn",
        "Keyword.Type",
        priority=2,
    ),
    TokenKind("NUMBER", _SIGNED, "a number", "constant.numeric.snn", "Number"),
    TokenKind("TIMES", rf"x{_END}", "`x`", "keyword.operator.snn", "Operator", priority=2),
    TokenKind("STRING", r'"[^"\n]*"', '"text in quotes"', "string.quoted.double.snn", "String"),
    TokenKind("NAME", rf"(?!{RESERVED}{_END}){WORD}", "a name", "variable.other.snn", "Name"),
    _operator("ARROW", "->"),
    _operator("PLUS", "+"),
    _operator("MINUS", "-"),
    _operator("STAR", "*"),
    _operator("SLASH", "/"),
    _operator("BAR", "|"),
    _operator("EQUAL", "="),
    _mark("COLON", ":"),
    _mark("COMMA", ","),
    _mark("LBRACE", "{"),
    _mark("RBRACE", "}"),
    _mark("LPAR", "("),
    _mark("RPAR", ")"),
    _mark("LSQB", "["),
    _mark("RSQB", "]"),
)
"""Every token. `NUMBERS` is a list of plain numbers taken in one piece, which is only for speed.

The unit of a `QUANTITY` stands on the line of its number, and is no name that starts a declaration, as in
`dt = 1 s -> a : direct`.
"""

WORDS = {kind.name: kind.words for kind in TOKENS} | {"$END": "the end of the file"}
"""What messages call each terminal."""


def terminals() -> str:
    """The terminals of the lark grammar, and what stands between tokens."""
    lines: list[str] = []
    for kind in TOKENS:
        priority = f".{kind.priority}" if kind.priority else ""
        pattern = f'"{kind.pattern}"' if kind.literal else f"/{kind.pattern.replace('/', chr(92) + '/')}/"
        lines.append(f"{kind.name}{priority}: {pattern}")
    return "\n".join([*lines, f"%ignore /{BLANK}/", f"%ignore /{COMMENT}/", ""])


@dataclass(frozen=True)
class Colour:
    """A regular expression for highlighting; `kinds` says what each group is to Pygments and to TextMate, or `None`."""

    regex: str
    kinds: tuple[tuple[str, str] | None, ...]


def colouring() -> list[Colour]:
    """Rules for highlighters, to be tried in order at each place: what is a keyword is told by what follows it."""
    look = {kind.name: (kind.pygments, kind.scope) for kind in TOKENS}
    words = "|".join(sorted(KEYWORDS, key=len, reverse=True))
    marks = "|".join(re.escape(k.pattern) for k in TOKENS if k.literal and look[k.name][0] == "Punctuation")
    operators = "|".join(re.escape(k.pattern) for k in TOKENS if k.literal and look[k.name][0] == "Operator")
    return [
        Colour(f"({COMMENT})", (("Comment.Single", "comment.line.number-sign.snn"),)),
        Colour(r'("[^"\n]*")', (look["STRING"],)),
        Colour(rf'({words})(?=\s+[A-Za-z_"])', (look["INPUT"],)),
        Colour(rf"({RESERVED}){_END}", (look["USING"],)),
        Colour(rf"([0-9]+(?:x[0-9]+)+){_END}", (look["DIMENSIONS"],)),
        Colour(rf"({_REAL})([ \t]*)({_UNIT_WORDS}){_END}", (look["NUMBER"], None, look["QUANTITY"])),
        Colour(rf"({_REAL})", (look["NUMBER"],)),
        Colour(rf"({WORD})(?=\s*\()", (("Name.Function", "entity.name.function.snn"),)),
        Colour(rf"({WORD})", (look["NAME"],)),
        Colour(f"({operators})", (look["ARROW"],)),
        Colour(f"({marks})", (look["COMMA"],)),
    ]


def textmate_grammar() -> dict[str, object]:
    """The grammar for editors, as it is stored in docs/editor/snn.tmLanguage.json."""
    patterns: list[dict[str, object]] = []
    for rule in colouring():
        captures = {str(number): {"name": kind[1]} for number, kind in enumerate(rule.kinds, 1) if kind}
        patterns.append({"match": rule.regex, "captures": captures})
    return {"name": "snn", "scopeName": "source.snn", "fileTypes": ["snn"], "patterns": patterns}
