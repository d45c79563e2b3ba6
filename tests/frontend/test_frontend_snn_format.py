"""The formatter: one layout for each program, comments kept, the program unchanged."""

from __future__ import annotations

import dataclasses
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnir.errors import SnnirError
from snnir.frontend.snn.format import WIDTH, format_program
from snnir.frontend.snn.syntax import parse, tokens
from snnir.frontend.snn.tree import Negative, Number
from snnir.frontend.source import Source, Span

SHORT = """# First.

# Second.
let   tau=5ms # a
let tau2 = 5ms*( 3+4 )/-tau  # long one
let x = - 3
include "a.snn" let cell=lif(tau=tau,) using nir ( reset=subtract , refractory=3 )


block layer(n,w){ # open

population h[ n x 3 ]:cell # trailing
 # own


}
network a{ dt=1e-3 steps=2 # c
  input s[3]instance i:layer(n=1,w="k")s[ 0 : 3,4:5 : 2]+b->c:dense( weights=[[1,2],[3,4]],bias=- tau)|direct
generate s:file( "x" )
  output  y=h:flatten|direct

  # last
  }  # bye
# end
"""
FORMATTED = """# First.

# Second.
let tau = 5 ms                    # a
let tau2 = 5 ms * (3 + 4) / -tau  # long one
let x = -3
include "a.snn"
let cell = lif(tau = tau) using nir(reset = subtract, refractory = 3)

block layer(n, w) {           # open
  population h[n x 3] : cell  # trailing
  # own
}
network a {
  dt = 1e-3
  steps = 2  # c
  input s[3]
  instance i : layer(n = 1, w = "k")
  s[0:3, 4:5:2] + b -> c : dense(weights = [[1, 2], [3, 4]], bias = -tau) | direct
  generate s : file("x")
  output y = h : flatten | direct

  # last
}  # bye
# end
"""
CUBA = "tau_syn = 2e-3, tau_mem = 4e-3, r = 4.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_in = 2.0"
NUMBERS = ", ".join(str(i) for i in range(100, 140))
LONG = f"""network a {{
  a -> b : conv2d(weights = "{"a" * 60}", bias = "{"b" * 40}", scale = 4) | sum_pool(kernel = 2)
  population hidden[128] : cuba_lif({CUBA}) using nir
  population hidden[128] : cuba_lif(tau_syn = 2e-3, # one
   # own
   tau_mem = 4e-3 # two
   , r = 4.0, v_leak = # mid
   0.0) # end
   using nir # really
  a -> b : dense(weights = [[{NUMBERS}],[1,2]], bias = [{NUMBERS}])
  a -> b : dense(weights = [1, # one
  2, 3,
  # rest
  4])
}}
"""
BROKEN = f"""network a {{
  a -> b : conv2d(
    weights = "{"a" * 60}",
    bias = "{"b" * 40}", scale = 4
  )
    | sum_pool(kernel = 2)
  population hidden[128] : cuba_lif(
    {CUBA}
  ) using nir
  population hidden[128] : cuba_lif(
    tau_syn = 2e-3,  # one
    # own
    tau_mem = 4e-3,  # two
    r = 4.0,
    v_leak =  # mid
      0.0
  )            # end
    using nir  # really
  a -> b : dense(
    weights = [
      [
        {", ".join(str(i) for i in range(100, 122))},
        {", ".join(str(i) for i in range(122, 140))}
      ],
      [1, 2]
    ],
    bias = [
      {", ".join(str(i) for i in range(100, 123))},
      {", ".join(str(i) for i in range(123, 140))}
    ]
  )
  a -> b : dense(
    weights = [
      1,  # one
      2, 3,
      # rest
      4
    ]
  )
}}
"""


def plain(node: Any) -> Any:
    """A syntax tree without places, signs folded into their numbers."""
    if isinstance(node, Span | Source):
        return None
    if isinstance(node, Negative) and isinstance(node.operand, Number) and node.operand.text[0].isdigit():
        return ["Number", f"-{node.operand.text}", node.operand.unit, None]
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        names = [field.name for field in dataclasses.fields(node) if field.name != "starts"]
        return [type(node).__name__, *(plain(getattr(node, name)) for name in names)]
    if isinstance(node, list | tuple):
        return [plain(each) for each in node]  # pyright: ignore[reportUnknownVariableType]
    return node.tolist() if isinstance(node, np.ndarray) else node


def tree(text: str) -> Any:
    """The program in a text."""
    return plain(parse(Source("a", text.removeprefix("\ufeff"))))


def comments(text: str) -> list[str]:
    """The comments of a text, in order."""
    found = re.findall(r'"[^"\n]*"|(#[^\n]*)', text)
    return [comment.rstrip() for comment in found if comment]


def check(text: str) -> None:
    """Formatting keeps program and comments, and is done when it is done once."""
    result = format_program(text)
    assert tree(result) == tree(text)
    assert comments(result) == comments(text)
    assert format_program(result) == result
    assert not re.search(r"[ \t]$|\n\n\n|\{\n\n|\n\n *\}", result, re.MULTILINE)


@pytest.mark.parametrize(("text", "expected"), [(SHORT, FORMATTED), (LONG, BROKEN), ("", ""), ("#x", "#x\n")])
def test_layout(text: str, expected: str) -> None:
    assert format_program(text) == expected
    assert format_program(expected) == expected
    check(text) if text else None


def test_lines_are_short_where_they_can_be() -> None:
    lines = [line for line in format_program(LONG).splitlines() if "#" not in line]
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("let a = 5ms", "let a = 5 ms\n"),
        ("let a = 5 -3", "let a = 5 - 3\n"),
        ("let a = 5 - -3", "let a = 5 - -3\n"),
        ("let a = - ( - x )", "let a = -(-x)\n"),
        ("let a=+3*x/( 2+y )", "let a = +3 * x / (2 + y)\n"),
        ("let a = [ - x , 1 , ]", "let a = [-x, 1]\n"),
        ("let a = [1,2,]", "let a = [1, 2]\n"),
        ("let a = [[ 1,2 ] , [3,x ]]", "let a = [[1, 2], [3, x]]\n"),
        ("let a = lif", "let a = lif\n"),
        ("let a = 1e-3\r\nlet b = 2", "let a = 1e-3\nlet b = 2\n"),
        ("\ufefflet a = 1", "let a = 1\n"),
        ("let a = 1\n\n\n\n\nlet b = 2\n\n\n", "let a = 1\n\nlet b = 2\n"),
        ("network a { dt = 1e-3 s -> b : direct }", "network a {\n  dt = 1e-3\n  s -> b : direct\n}\n"),
        ("network a { input x[2 x n+1] : f64 }", "network a {\n  input x[2 x n + 1] : f64\n}\n"),
        ("network a { x[n : 2*n,-3:k] -> b : direct }", "network a {\n  x[n:2 * n, -3:k] -> b : direct\n}\n"),
        ("network a { input[1] -> b : direct }", "network a {\n  input[1] -> b : direct\n}\n"),
        ("block b ( ) { }", "block b() {\n}\n"),
        ("network a # c\n{ }", "network a  # c\n  {\n}\n"),
        ("let a = 1 # one\n # two\nlet bc = 2 # three", "let a = 1  # one\n# two\nlet bc = 2  # three\n"),
        ("let a = 1 # one\nlet bc = 2 # three", "let a = 1   # one\nlet bc = 2  # three\n"),
    ],
)  # fmt: skip
def test_details(text: str, expected: str) -> None:
    assert format_program(text) == expected
    check(text)


def test_shipped_programs(samples: Path) -> None:
    """The layout of the samples is canonical."""
    programs = sorted(samples.rglob("*.snn"))
    assert programs
    for path in programs:
        assert format_program(path.read_text()) == path.read_text()


def test_long_lines_do_not_push_comments_away() -> None:
    """Only comments behind code of up to 80 columns are aligned."""
    text = f'let a = 1  # one\nlet b = "{"x" * 80}"  # two\nlet cc = 3  # three\n'
    assert format_program(text) == text


def test_a_syntax_error_is_refused() -> None:
    with pytest.raises(SnnirError, match=r"^x\.snn:2:5: error: unexpected `=`, expected a name"):
        format_program("let x = 1\nlet = 3", "x.snn")
    with pytest.raises(SnnirError, match="nested too deeply"):
        format_program(f"let x = {'(' * 5000}1{')' * 5000}")


def scattered(text: str, generator: random.Random) -> str:
    """The same tokens with other blanks, line breaks and comments between them."""
    gaps = [" ", "  ", "\n", "\n\n\n", " # c\n", "\n# own\n", "\n\n  # two\n # three # four\n", "\t", "\r\n", " #\n"]
    words = [str(token) for token in tokens(Source("a", text))]
    return "".join(word + generator.choice(gaps if generator.random() < 0.5 else [" "]) for word in words)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([FORMATTED, BROKEN]))
def test_any_layout_of_the_same_tokens(seed: int, text: str) -> None:
    """Comments and blanks anywhere. (A unit stays on the line of its number: it is one token.)"""
    check(scattered(text, random.Random(seed)))
