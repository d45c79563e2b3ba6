"""Who wrote a `.nir` file, and what follows from that: the length of a step, and the semantics.

A NIR file says neither, but exporters leave traces in the numbers. For a leaky node with time constant `tau` and
resistance `r`, and a step of `dt` seconds (seen in the sources of the exporters and in published files):

    r = tau/dt, w_in = tau_syn/dt     snnTorch (dt = 1e-4), SpikingJelly: forward Euler, an input of 1 adds 1
    r = tau/dt * exp(-dt/tau)         Rockpool: exponential decay
    r = 1                             Norse, sinabs: the step is not in the file
    r = 1/dt in an IF                 SpikingJelly: an input of 1 adds 1
    r = 1 in an IF                    sinabs, Norse: an input of 1 adds 1, whatever the step is

A step counts as shown when it has at most three digits, as people choose steps. Time constants of 1 or more in every
node count steps, not seconds, unless they fit a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Place
from snnir.frontend.network import preset_named
from snnir.frontend.nir.fields import Node
from snnir.frontend.nir.lints import Findings
from snnir.frontend.options import FrontendOptions
from snnir.semantics import PRESETS, TIME_CONSTANTS

DEFAULT_DT = 1e-3
"""The step of networks whose dynamics do not depend on it."""

_TOLERANCE = 1e-6
_DIGITS = 3
_SNNTORCH_DT = 1e-4
_LEAKY = {"LI": ("tau", "r"), "LIF": ("tau", "r"), "CubaLI": ("tau_mem", "r"), "CubaLIF": ("tau_mem", "r")}
_STEP_LIMIT = 0.05
"""Time constants of 1 s and more are believed for steps from here on."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What one node shows: the law that its numbers obey, and the step for which they do."""

    law: str
    dt: float
    node: Node


@dataclass(frozen=True)
class Meaning:
    """What the reader assumes. `time_scale` multiplies the time constants: 1, or dt where they count steps.

    `unit_gain`: the resistances of IF nodes are 1/dt and stand for 1. `rockpool`: Rockpool wrote the file, so that its
    CubaLIF nodes mean i = (i + I) * exp(-dt/tau_syn), v = v * exp(-dt/tau_mem) + i (measured on Rockpool 3.1.0).
    """

    dt: float
    semantics: str
    time_scale: float = 1.0
    unit_gain: bool = False
    rockpool: bool = False


def _euler(tau: Floats, gain: Floats) -> Floats:
    return tau / gain


def _rockpool(tau: Floats, gain: Floats) -> Floats:
    """The dt that solves gain = tau/dt * exp(-dt/tau): with x = dt/tau, x * exp(x) = 1/gain (Newton's method)."""
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.log1p(1.0 / gain)
        for _ in range(50):
            x = x - (x * np.exp(x) - 1.0 / gain) / (np.exp(x) * (1.0 + x))
    return x * tau


LAWS: dict[str, tuple[str, Callable[[Floats, Floats], Floats]]] = {
    "euler": ("r = tau/dt", _euler),
    "rockpool": ("r = tau/dt * exp(-dt/tau)", _rockpool),
}
"""Laws of leaky nodes: how they are written, and the step for which they hold."""


def evidence_of(node: Node) -> Evidence | None:
    """What one node shows about its exporter; `None` when its numbers obey no law for a step of few digits."""
    if node.kind == "IF":
        gain = _floats(node, "r")
        if gain is None or (gain <= 1).any():
            return None
        dt = _rounded(1.0 / gain)
        return None if dt is None else Evidence("per second", dt, node)
    if node.kind not in _LEAKY:
        return None
    pairs = [_pair(node, *_LEAKY[node.kind])]
    if "tau_syn" in node.numbers:
        pairs.append(_pair(node, "tau_syn", "w_in"))
    if any(pair is None for pair in pairs):
        return None
    known = [pair for pair in pairs if pair is not None]
    if all(bool(np.allclose(gain, 1.0, rtol=_TOLERANCE, atol=0.0)) for _, gain in known):
        return None
    for law, (_, solve) in LAWS.items():
        of_interest = known if law == "euler" else known[:1]
        dt = _rounded(np.concatenate([solve(tau, gain) for tau, gain in of_interest]))
        if dt is not None:
            return Evidence(law, dt, node)
    return None


def _floats(node: Node, name: str) -> Floats | None:
    """A field as positive numbers; `None` when it is missing or holds others."""
    tensor = node.numbers.get(name)
    if tensor is None or not tensor.size:
        return None
    array = tensor.array.astype(np.float64).ravel()
    return array if bool(np.isfinite(array).all() and (array > 0).all()) else None


def _pair(node: Node, tau: str, gain: str) -> tuple[Floats, Floats] | None:
    taus, gains = _floats(node, tau), _floats(node, gain)
    if taus is None or gains is None or (len(taus) != len(gains) and 1 not in (len(taus), len(gains))):
        return None
    both = np.broadcast_arrays(taus, gains)
    return both[0], both[1]


def _rounded(steps: Floats) -> float | None:
    """The number of few digits that all of them are, but for rounding."""
    first = float(steps[0])
    if not isfinite(first) or first <= 0:
        return None
    for digits in range(_DIGITS):
        dt = float(f"{first:.{digits}e}")
        if dt > 0 and np.allclose(steps, dt, rtol=_TOLERANCE, atol=0.0):
            return dt
    return None


def depends_on_dt(nodes: Iterable[Node]) -> list[Node]:
    """The nodes whose dynamics depend on the length of a step."""
    return [node for node in nodes if node.kind in _LEAKY or node.kind == "Delay"]


def infer(nodes: Sequence[Node], place: Place, options: FrontendOptions, findings: Findings) -> Meaning:
    """Step and semantics: what the options say, else what the file shows, with notes on the evidence."""
    asked = preset_named(options.semantics, str(place))
    return _Inference(nodes, place, options, findings).meaning(asked)


class _Inference:
    def __init__(self, nodes: Sequence[Node], place: Place, options: FrontendOptions, findings: Findings) -> None:
        self.nodes = sorted(nodes, key=lambda node: node.name)
        self.place, self.options, self.findings = place, options, findings
        self.note = findings.notes.add
        self.found = [each for node in self.nodes if (each := evidence_of(node)) is not None]

    def meaning(self, asked: str | None) -> Meaning:
        """Everything that is assumed."""
        leaky = [each for each in self.found if each.law != "per second"]
        conflict = self.conflict()
        complete = conflict is None and len(leaky) == sum(node.kind in _LEAKY for node in self.nodes)
        shown = self.found[0] if self.found and complete else None
        law = leaky[0].law if leaky and complete else None
        unit_gain = self.unit_gain(None if shown is None else shown.dt)
        in_steps = self.in_steps()
        dt, why = self.dt(shown, conflict, in_steps)
        seen = "rockpool" if law == "rockpool" else "snntorch" if law == "euler" and dt == _SNNTORCH_DT else None
        semantics = self.semantics(asked, seen, conflict)
        self.note_assumptions(dt, why, asked, semantics, seen)
        if in_steps:
            self.report_steps(in_steps, dt)
        self.note_reset(semantics)
        self.note_pulse(semantics)
        return Meaning(dt, semantics, dt if in_steps else 1.0, unit_gain, self.rockpool(law, semantics))

    def conflict(self) -> tuple[Evidence, Evidence] | None:
        """Two nodes that show different things."""
        if not self.found:
            return None
        first = self.found[0]
        for each in self.found[1:]:
            laws = {each.law, first.law} - {"per second"}
            if len(laws) > 1 or not np.isclose(each.dt, first.dt, rtol=1e-9, atol=0.0):
                return first, each
        return None

    def dt(
        self, shown: Evidence | None, conflict: tuple[Evidence, Evidence] | None, in_steps: list[Node]
    ) -> tuple[float, str]:
        """The step, and why it is assumed: as asked for, else as the file shows it, else any where none is needed."""
        asked = self.options.dt
        if asked is not None:
            if shown is not None and not np.isclose(shown.dt, asked, rtol=_TOLERANCE, atol=0.0):
                self.note(self.place, f"--dt {asked:g} is used, although {self.evidence()}")
            return asked, ""
        if conflict is not None:
            self.report_conflict(*conflict)
            return DEFAULT_DT, ""
        if shown is not None:
            return shown.dt, self.evidence()
        timed = depends_on_dt(self.nodes)
        if in_steps:
            return DEFAULT_DT, "time constants count steps"
        if not timed:
            plain = all(_is_one(node) for node in self.nodes if node.kind == "IF")
            gain = "; r = 1 in every IF node, as sinabs and Norse export them" if plain else ""
            return DEFAULT_DT, f"no node of this network depends on it{gain}"
        node = timed[0]
        reason = "a Delay needs it" if node.kind == "Delay" else f"{_gains(node)} of '{node.name}' shows none"
        hint = "pass --dt with the step in seconds for which the network was trained, for example --dt 1e-3"
        what = f"a NIR file does not say how long a step is, and nothing in this one shows it: {reason}"
        self.findings.defect("unknown-dt", self.place, what, hint)
        return DEFAULT_DT, ""

    def report_conflict(self, one: Evidence, other: Evidence) -> None:
        """Two nodes that contradict each other are a finding."""
        what = f"'{one.node.name}' shows {_shown(one)}, but '{other.node.name}' shows {_shown(other)}"
        hint = "pass --dt with the step in seconds, and --semantics, which decide"
        self.findings.defect("conflict", other.node.place, what, hint)

    def evidence(self) -> str:
        """What shows the step, in words."""
        first = self.found[0]
        kinds = sorted({each.node.kind for each in self.found})
        what = f"{_shown(first)} in every {' and '.join(kinds)} node"
        if first.law == "rockpool":
            return f"{what}, as Rockpool exports them"
        if first.law == "per second":
            return f"{what}, as SpikingJelly exports them"
        return f"{what}, as snnTorch {'exports' if first.dt == _SNNTORCH_DT else 'and SpikingJelly export'} them"

    def semantics(self, asked: str | None, seen: str | None, conflict: tuple[Evidence, Evidence] | None) -> str:
        """The preset: as asked for, else as the file shows it, else `nir`."""
        if asked is not None:
            if seen == "rockpool" and asked != seen:
                self.note(self.place, f"--semantics {asked} is used, although {self.evidence()}")
            return asked
        if conflict is not None and self.options.dt is not None and conflict[0].law != conflict[1].law:
            self.report_conflict(*conflict)
        return seen or "nir"

    def note_assumptions(self, dt: float, why: str, asked: str | None, semantics: str, seen: str | None) -> None:
        """Say what is assumed, and on what evidence."""
        step = f"dt = {dt:g} s" if why else ""
        names = f"--semantics names others ({', '.join(PRESETS)})"
        if asked is not None or seen is None:
            if step:
                self.note(self.place, f"{step} is assumed: {why}; --dt names another")
            if asked is None:
                what = f"semantics {semantics} are assumed: {PRESETS[semantics].why}"
                self.note(self.place, f"{what}; {names}")
            return
        both = f"{step} and semantics {semantics}" if step else f"semantics {semantics}"
        self.note(self.place, f"{both} are assumed: {why or self.evidence()}")
        self.note(self.place, f"semantics {semantics}: {PRESETS[semantics].why}; {names}")

    def in_steps(self) -> list[Node]:
        """The nodes whose time constants count steps: all of those that have one, or none."""
        timed: list[Node] = []
        for node in self.nodes:
            taus = [node.numbers[name].array for name in sorted(TIME_CONSTANTS & set(node.numbers))]
            if any(not tau.size or not (tau >= 1).all() for tau in taus):
                return []
            timed += [node] if taus else []
        asked = self.options.dt
        believed = any(each.law != "per second" for each in self.found) and asked is None
        return [] if believed or (asked is not None and asked >= _STEP_LIMIT) else timed

    def report_steps(self, nodes: list[Node], dt: float) -> None:
        """Time constants that count steps are a finding."""
        for node in nodes:
            name = min(TIME_CONSTANTS & set(node.numbers))
            shown = f"{name} is {float(node.numbers[name].array.min()):g} here and no time constant is below 1 s"
            what = f"{shown} in the whole file: they count steps, not seconds"
            cure = f"multiplies them by dt = {dt:g} s"
            self.findings.repairable("time-in-steps", node.place.inside(name), what, cure)

    def unit_gain(self, shown: float | None) -> bool:
        """Whether the resistances of IF nodes are 1/dt and stand for 1."""
        gains = [each for each in self.found if each.law == "per second"]
        whole = len(gains) == sum(node.kind == "IF" for node in self.nodes)
        dt = self.options.dt if self.options.dt is not None else shown
        if not gains or not whole or dt is None or not np.isclose(gains[0].dt, dt, rtol=_TOLERANCE, atol=0.0):
            return False
        self.note(gains[0].node.place.inside("r"), "r = 1/dt is read as 1 per step, as SpikingJelly means it")
        return True

    def rockpool(self, law: str | None, semantics: str) -> bool:
        """Whether the gains of CubaLIF nodes are Rockpool's."""
        synapses = [node for node in self.nodes if node.kind == "CubaLIF"]
        if law != "rockpool" or semantics != "rockpool" or not synapses:
            return False
        what = "Rockpool's CubaLIF adds its synapse to the membrane as it is, whatever r and w_in say"
        self.note(
            synapses[0].place, f"{what}; they are read as 1 / (1 - exp(-dt/tau_mem)) and tau_syn/dt * exp(-dt/tau_syn)"
        )
        return True

    def note_reset(self, semantics: str) -> None:
        """Say what is not in the file about resets."""
        spiking = [node for node in self.nodes if "v_threshold" in node.numbers]
        if self.options.reset is not None or not spiking or PRESETS[semantics].semantics.reset != "value":
            return
        if semantics == "snntorch":
            what = "snnTorch's files do not say whether a spike subtracts the threshold"
            how = "pass --reset subtract_late for its default, --reset subtract for reset_delay=False"
            self.note(self.place, f"{what}; if it does, {how}")
        elif all("v_reset" not in node.numbers for node in spiking):
            what = "no v_reset is in the file, as before nir 1.0.5: a spike resets v to 0"
            self.note(self.place, f"{what}; if it subtracts the threshold, pass --reset subtract")

    def note_pulse(self, semantics: str) -> None:
        """Say that spikes are boxes where that makes results depend on the step."""
        plain = [node for node in self.nodes if node.kind == "LIF" and _is_one(node)]
        if plain and PRESETS[semantics].semantics.pulse != "dirac":
            what = "a spike is a current of 1 that lasts for one step, so that results depend on dt"
            other = f"--semantics '{semantics}(pulse = dirac)' makes it a charge, as NIR's equations do"
            self.note(plain[0].place.inside("r"), f"{what} (r = 1); {other}")


def _is_one(node: Node) -> bool:
    return "r" in node.numbers and bool((node.numbers["r"].array == 1).all())


def _gains(node: Node) -> str:
    return "r = 1" if _is_one(node) else "r"


def _shown(evidence: Evidence) -> str:
    law = "r = 1/dt" if evidence.law == "per second" else LAWS[evidence.law][0]
    return f"{law} for dt = {evidence.dt:g} s"
