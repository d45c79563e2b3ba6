"""Comparisons, explanations and differences, as plain values and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from snnir.flow.compare import Comparison, Trace
from snnir.flow.difference import Difference
from snnir.flow.explain import Explanation, Trial

_INDENT = " " * 11
_LISTED = 6
_OTHERS = 3


@dataclass(frozen=True)
class Report:
    """A run held against a recording."""

    golden: str
    """The file of the recording."""
    samples: int
    steps: int
    """What both have."""
    comparison: Comparison
    trace: Trace | None
    explanation: Explanation | None
    """`None` where nothing differs or no search was asked for."""
    not_compared: tuple[str, ...]
    """What the recording holds beside."""
    sides: tuple[str, str] = ("expected", "found")
    title: str = "golden"

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.comparison.different

    def __str__(self) -> str:
        return "\n".join(report_lines(self))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        found, first = self.comparison, self.comparison.first
        return {
            "golden": self.golden,
            "equal": self.equal,
            "samples": self.samples,
            "steps": self.steps,
            "compared": found.compared,
            "different": found.different,
            "per_population": found.per_population,
            "first": None if first is None else asdict(first),
            "trace": None if self.trace is None else asdict(self.trace),
            "explanation": None if self.explanation is None else asdict(self.explanation),
            "not_compared": list(self.not_compared),
        }


def report_lines(report: Report) -> list[str]:
    """Per population, then the first divergence with both traces, then what explains it."""
    found = report.comparison
    lines = [f"{report.title:11}{report.golden}: {_size(report.samples, report.steps)} compared"]
    wide = max(map(len, found.per_population), default=0)
    for name, count in found.per_population.items():
        lines.append(f"{_INDENT}{name:{wide}}  " + (f"{count:,} values differ" if count else "equal"))
    if report.not_compared:
        lines.append(f"{_INDENT}not compared: {_list(report.not_compared, _OTHERS)}")
    if found.first is None:
        return [*lines, f"verdict    equal in all {found.compared:,} neuron-steps"]
    first, (one, other) = found.first, report.sides
    where = f"@{first.population}[{first.neuron}] at step {first.step} of sample {first.sample}"
    lines.append(f"first      {where}: {first.expected:g} {one}, {first.found:g} {other}")
    if report.trace is not None:
        lines += _trace_lines(report.trace, report.sides)
    if report.explanation is not None:
        lines += _explanation_lines(report.explanation)
    return [*lines, f"verdict    DIFFERENT in {found.different:,} of {found.compared:,} neuron-steps"]


def _trace_lines(trace: Trace, sides: tuple[str, str]) -> list[str]:
    rows = [
        ("step", [str(trace.start + n) for n in range(len(trace.expected))]),
        (sides[0], [f"{value:g}" for value in trace.expected]),
        (sides[1], [f"{value:g}" for value in trace.found]),
    ]
    wide = max(len(text) for _, texts in rows for text in texts)
    title = max(len(name) for name, _ in rows)
    return [f"{_INDENT}{name:{title}}  {' '.join(f'{text:>{wide}}' for text in texts)}" for name, texts in rows]


def _explanation_lines(found: Explanation) -> list[str]:
    lines = [_trial(trial, "equal then in") for trial in found.explains[:_LISTED]]
    lines += [_trial(trial, "equal so far, in") for trial in found.unfinished[:_LISTED]]
    if not lines:
        lines.append(f"by nothing that was tried{'; nearest:' if found.better else ''}")
        for trial in found.better[:_LISTED]:
            assert trial.first is not None
            lines.append(f"{trial.what}: first difference then at step {trial.first.step}")
    title = "explained" if found.explains or not found.unfinished else "perhaps"
    lines = [f"{'' if number else title:11}{line}" for number, line in enumerate(lines)]
    untried = f"; {len(found.untried)} more for which there was no time" if found.untried else ""
    return [*lines, f"tried      {len(found.tried)} changes in {found.seconds:.1f} s{untried}"]


def _trial(trial: Trial, agreement: str) -> str:
    also = f" (the same as {' and as '.join(trial.also)})" if trial.also else ""
    return f"by {trial.what}{also}: {agreement} {_size(trial.samples, trial.steps)}"


def _size(samples: int, steps: int) -> str:
    return f"{samples:,} sample{'s' if samples != 1 else ''} x {steps:,} steps"


def _list(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def difference_lines(found: Sequence[Difference], first: str, second: str) -> list[str]:
    """How two programs differ, each thing with both values and both places."""
    if not found:
        return ["program    equal: same populations, parameters, semantics, connections and weights"]
    lines = [f"program    {len(found)} difference{'s' if len(found) != 1 else ''}"]
    for each in found:
        lines.append(f"  {each.what}")
        lines.append(f"    {each.first_place or first}: {each.first}")
        lines.append(f"    {each.second_place or second}: {each.second}")
    return lines
