"""`snnc compile --package`: the package beside the build, or an error before the work where that is plain."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from snnir.cli.arguments import fraction
from snnir.runtime.package import read_package
from snnir.testing import Outcome, run_in_process


@pytest.fixture
def compiled(samples: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """Compile the digits for a platform of the samples: `compiled("mesh2x2-64", "--package", "p.snnpkg")`."""

    def run(platform: str, *words: object) -> Outcome:
        model, machine = samples / "digits" / "digits.snn", samples / "platforms" / f"{platform}.toml"
        arguments = ["snnc", "compile", model, "--platform", machine, "-o", tmp_path / "out", *words]
        return run_in_process([str(word) for word in arguments])

    return run


def test_a_package_asks_for_what_was_said(compiled: Callable[..., Outcome], tmp_path: Path) -> None:
    package = tmp_path / "digits.snnpkg"
    outcome = compiled("mesh2x2-64", "--package", package, "--throughput", "2.5e4", "--latency", "1/3000")
    assert outcome.code == 0, outcome.err
    last = outcome.out.splitlines()[-1]
    found = read_package(package)
    assert last == f"package    {package}: 4 clusters, digest {found.digest}"
    assert found.application.constraints.throughput == 25000
    assert found.application.constraints.latency == Fraction(1, 3000)
    guarantee = re.search(r"period (\d+) ps exactly", outcome.out)
    assert guarantee is not None
    assert found.application.period == int(guarantee[1])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--throughput", "1e9"], r"1,000,000,000 steps/s are asked for, and [\d,]+ guaranteed at best"),
        (["--latency", "1e-9"], r"a latency of 1e-09 s is asked for, and [\d.e-]+ s the least"),
    ],
)
def test_what_the_compiler_cannot_guarantee_alone(
    compiled: Callable[..., Outcome], tmp_path: Path, words: list[str], message: str
) -> None:
    outcome = compiled("mesh2x2-64", "--package", tmp_path / "p.snnpkg", *words)
    assert outcome.code == 1
    assert re.search(message, outcome.err)
    assert (tmp_path / "out" / "build.json").is_file()
    assert not (tmp_path / "p.snnpkg").exists()


@pytest.mark.parametrize(
    ("platform", "words", "message"),
    [
        ("chips2x2-32", ["--package", "{}/p.snnpkg"], "limits the entries of routing tables"),
        ("chips2x2-32", ["--package", "{}/p.snnpkg"], "the same file without table_entries"),
        ("mesh2x2-64", ["--package", "{}/no/p.snnpkg"], "cannot be written"),
        ("mesh2x2-64", ["--package", "{}"], "cannot be written"),
        ("mesh2x2-64", ["--package", "{}/pipe"], "cannot be written"),
        ("mesh2x2-64", ["--throughput", "100"], "only a package can ask for something"),
        ("mesh2x2-64", ["--package", "{}/p.snnpkg", "--latency", "0"], "no positive number"),
        (
            "mesh2x2-64",
            ["--package", "{}/p.snnpkg", "--pass-pipeline", "snn-quantize"],
            "needs the pass dataflow-analyze-throughput, which the pipeline leaves out",
        ),
    ],
)
def test_errors_before_the_work(
    compiled: Callable[..., Outcome], tmp_path: Path, platform: str, words: list[str], message: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    outcome = compiled(platform, *(word.format(tmp_path) for word in words))
    assert outcome.code == 1
    assert message in outcome.err
    assert "fix: " in outcome.err
    assert list(tmp_path.iterdir()) == [pipe] and pipe.is_fifo()


@pytest.mark.parametrize(
    ("text", "value"), [("2.5e5", 250000), ("1/3", Fraction(1, 3)), ("7.", 7), ("5E-2", Fraction(1, 20))]
)
def test_numbers(text: str, value: Fraction) -> None:
    assert fraction(text) == value


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", "1/0", "1/00", "nan", "inf", "1e18", "1e999999999", "1_0", "٣", "1e-18"]
)
def test_no_numbers(text: str) -> None:
    with pytest.raises(Exception, match="no positive number of at most 18 digits"):
        fraction(text)
