"""Which decision would make two runs agree? Found by making it: every switch of the semantics is tried in turn.

Simulators differ in few and known ways (`snnir.semantics`). Where a recording differs from our run, the program is run
again with one decision changed at a time, on as few steps as show the difference. What agrees there runs on for twice
as many steps, and so on to the end and over all samples; what disagrees is dropped. Most candidates cost a few steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.flow.compare import Divergence, Signal, Spikes, compare, prefix
from snnir.flow.variants import (
    signature,
    step_order,
    with_delay,
    with_fields,
    with_later_output,
    with_preset,
    with_recurrent_delay,
)
from snnir.semantics import CHOICES, COUNTS, PRESETS

Told = Callable[[int, int], None]
"""Told how much is done, and of how much."""
Run = Callable[[NetworkOp, Mapping[str, Signal], Told], Spikes]
"""Simulates a program on inputs, and says how far it is."""


@dataclass(frozen=True)
class Reread:
    """How a model file can be read with other semantics than it was, for files that state none."""

    read: Callable[[str, str | None], NetworkOp]
    """Takes `--semantics` and `--reset`; raises `SnnirError` where that cannot be."""
    preset: str | None = None
    """The preset that it was read with."""


BUDGET = 20.0
"""Seconds that a search may take."""
REFRACTORY = (1, 2, 3, 5)
"""Refractory periods that are tried: so many steps, and so many milliseconds."""
SHARE = 1 / 16
"""Of the budget: how long a candidate may take until it has shown the first difference or passed it."""
RESERVE = 0.6
"""Of the budget: after this, candidates that have passed the first difference go on before others are tried."""
_STEP = " 1 step "
_TOGETHER = {
    ("decay", "int12"): {"state": "i32"},
    ("decay", "exp"): {"state": "f64"},
    ("decay", "euler"): {"state": "f64"},
    ("decay", "exact"): {"state": "f64"},
}
_RESETS = ("value", "subtract")
_BASES = 5
"""After so many first changes a second one is tried."""


Candidates = dict[str, Callable[[], NetworkOp | None]]
"""What is changed, in words, and the changed program; `None` where that makes no difference or no sense."""


@dataclass(frozen=True)
class Trial:
    """How far a changed program agrees with the recording."""

    what: str
    also: tuple[str, ...]
    samples: int
    """Samples that were run."""
    steps: int
    """Steps of each that were run."""
    different: int
    """Values in which it still differed there."""
    first: Divergence | None
    changes: int = 1
    """How many decisions were changed; a preset counts as one."""


@dataclass(frozen=True)
class Explanation:
    """The outcome of a search."""

    explains: list[Trial]
    """Changes after which nothing differs, in all samples and steps that were run."""
    unfinished: list[Trial]
    """Changes after which nothing differed as far as there was time to run."""
    better: list[Trial]
    """Where there are neither: the changes after which the first difference comes latest, if later than before."""
    tried: list[str]
    untried: list[str]
    """What the time did not suffice for."""
    refused: dict[str, str]
    """What cannot be run, and why."""
    seconds: float


class _OutOfTimeError(Exception):
    """A run takes too long."""


@dataclass
class _Search:
    """The state of a search: what is compared, and until when."""

    inputs: Mapping[str, Signal]
    golden: Spikes
    order: list[str]
    run: Run
    started: float
    budget: float
    progress: Told | None
    trials: dict[str, Trial] = field(default_factory=dict[str, Trial])
    programs: dict[str, NetworkOp] = field(default_factory=dict[str, NetworkOp])
    also: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    seen: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])
    untried: list[str] = field(default_factory=list[str])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    changes: int = 1

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        if self.progress is not None:
            self.progress(int(1000 * min(self.elapsed, self.budget)), int(1000 * self.budget))
        return self.elapsed > self.budget

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def distinct(self, network: NetworkOp, candidates: Candidates) -> list[str]:
        """The candidates that make sense and are new; of those that lead to one program the first name is kept."""
        self.seen.setdefault(signature(network), "")
        new: list[str] = []
        for what, make in candidates.items():
            if self.late:
                self.untried.append(what)
                continue
            changed = make()
            if changed is None:
                continue
            other = self.seen.setdefault(signature(changed), what)
            if other == what:
                self.programs[what] = changed
                new.append(what)
            elif other in new:
                self.also[other] = (*self.also.get(other, ()), what)
        return new

    def agrees(self, what: str, samples: list[int], steps: int) -> bool:
        """Run some samples of a candidate for some steps; `False` also when that takes too long."""
        until = time.monotonic() + (self.budget * SHARE if what not in self.trials else self.budget)

        def told(done: int, total: int) -> None:
            del done, total
            if self.late or time.monotonic() > until:
                raise _OutOfTimeError

        cut = {name: prefix(signal, samples, steps) for name, signal in self.inputs.items()}
        expected = {name: prefix(signal, samples, steps) for name, signal in self.golden.items()}
        try:
            told(0, 1)
            found = compare(expected, self.run(self.programs[what], cut, told), self.order)
        except _OutOfTimeError:
            if what not in self.trials:
                self.untried.append(what)
            return False
        except SnnirError as error:  # whole numbers only, for example
            self.refused[what] = error.message
            return False
        last = self.trials.get(what)
        done = len(samples) + (last.samples if last is not None and last.steps == steps else 0)
        self.trials[what] = Trial(
            what, self.also.get(what, ()), done, steps, found.different, found.first, self.changes
        )
        return found.first is None

    def best(self, first: Divergence) -> list[Trial]:
        """The trials whose first difference comes latest, if later than at the start; of those the simplest."""
        later = [t for t in self.trials.values() if t.first is not None and t.first.step > first.step]
        latest = max((t.first.step for t in later if t.first is not None), default=0)
        best = [t for t in later if t.first is not None and t.first.step == latest]
        fewest = min((t.changes for t in best), default=1)
        return [t for t in best if t.changes == fewest]


def explain(
    network: NetworkOp,
    inputs: Mapping[str, Signal],
    golden: Spikes,
    first: Divergence,
    run: Run,
    *,
    reread: Reread | None = None,
    budget: float = BUDGET,
    progress: Told | None = None,
) -> Explanation:
    """Search for the decisions that remove the difference between `golden` and the run of `network` on `inputs`.

    `first` is the first difference. `reread` reads the model with another preset, for files that state no semantics;
    without it presets are applied to the program as it is. `budget` is in seconds; `progress` is told how many of its
    milliseconds are over.
    """
    started = time.monotonic()
    order = step_order(network)
    shape = next(iter(golden.values())).shape
    steps = min(signal.shape[1] for signal in (*golden.values(), *inputs.values()))
    search = _Search(inputs, golden, order, run, started, budget, progress)
    others = [n for n in range(min(shape[0], *(s.shape[0] for s in inputs.values()))) if n != first.sample]
    stages: tuple[Callable[[], Candidates], ...] = (
        lambda: _single_changes(network, first.population) | _presets(network, reread, again=False),
        lambda: _presets(network, reread, again=True),
        lambda: _in_one_population(network, first.population),
        lambda: _second_changes(search, first),
    )
    exact: list[Trial] = []
    for number, candidates in enumerate(stages):
        # a step more or less here or there is what platforms do: then the platform is what a user wants to know
        if not exact or (number == 1 and all(_STEP in trial.what for trial in exact)):
            search.changes = 2 if number == len(stages) - 1 else 1
            exact += _on_all_samples(search, _alive(search, network, first, steps, candidates()), others, steps)
    unfinished = [t for t in search.trials.values() if t.first is None and t not in exact]
    better = [] if exact or unfinished else search.best(first)
    tried = list(search.trials)
    return Explanation(exact, unfinished, better, tried, search.untried, search.refused, search.elapsed)


def _alive(search: _Search, network: NetworkOp, first: Divergence, steps: int, candidates: Candidates) -> list[str]:
    """The candidates that agree with the recording in the sample of the first difference, to its end."""
    left = search.distinct(network, candidates)
    length = 0
    while left and length < steps:
        first_pass, length = not length, min(steps, max(first.step + 1, 2 * length))
        passed: list[str] = []
        for what in left:
            if first_pass and passed and search.elapsed > RESERVE * search.budget:
                search.untried.append(what)  # what has passed needs the rest of the time
            elif search.agrees(what, [first.sample], length):
                passed.append(what)
        left = passed
    return left


def _on_all_samples(search: _Search, left: list[str], others: list[int], steps: int) -> list[Trial]:
    """Run the survivors on the other samples too, a growing share of them at a time, while there is time."""
    for what in left:
        done, share = 0, 1
        while done < len(others) and search.agrees(what, others[done : done + share], steps):
            done, share = done + share, 2 * share
    trials = [search.trials[what] for what in left]
    return [trial for trial in trials if trial.first is None and trial.steps == steps]


def _single_changes(network: NetworkOp, population: str, after: str = "") -> Candidates:
    """One decision of the whole program. `after` is the change that was made before, as text."""
    found: Candidates = {}
    for what, changes in _field_changes(network.step_seconds):
        found[after + what] = partial(with_fields, network, changes)
    for steps, word in ((1, "later"), (-1, "earlier")):
        found[f"{after}spikes leave{_STEP}{word} (out_delay)"] = partial(with_later_output, network, steps)
        for recurrent, kind in ((False, "projections into"), (True, "recurrent projections of")):
            make = partial(with_delay, network, population, steps, recurrent=recurrent)
            found[f"{after}{kind} @{population}{_STEP}{word}"] = make
    return found


def _presets(network: NetworkOp, reread: Reread | None, *, again: bool) -> Candidates:
    """Each platform as a whole, with each reset that its users can choose.

    First those that change the neurons alone. Then (`again`) those that delay connections, biases or spikes: where
    those delays go, the reader of the file decides, so the file is read again, where it can be. When it was read with
    such a preset, every other one takes delays away.
    """
    found: Candidates = {}
    for name, each in PRESETS.items():
        if (_timed(name) or (reread is not None and reread.preset is not None and _timed(reread.preset))) == again:
            for option, reset in _options(name):
                found[option] = partial(_preset, network, name, reset, reread if again else None)
            if again and reread is None and each.semantics.out_delay:
                what = f"--semantics {name}, recurrent projections as much earlier as spikes leave later"
                found[what] = partial(_without_double_delay, network, name)
    return found


def _timed(name: str) -> bool:
    """Whether a preset delays connections, biases or spikes."""
    chosen = PRESETS[name]
    return bool(chosen.connection_delay or chosen.late_bias or chosen.semantics.out_delay)


def _options(name: str) -> list[tuple[str, str | None]]:
    """A preset as an option, then with each other reset."""
    others = [reset for reset in _RESETS if reset != PRESETS[name].semantics.reset]
    plain: list[tuple[str, str | None]] = [(f"--semantics {name}", None)]
    return plain + [(f"--semantics {name} --reset {reset}", reset) for reset in others]


def _in_one_population(network: NetworkOp, population: str) -> Candidates:
    """Single changes of the population that differs first; nothing where it is the only one, or an input."""
    neurons = [op for op in network.sources.values() if isinstance(op, NeuronOp)]
    if len(neurons) < 2:
        return {}
    changes = _field_changes(network.step_seconds)
    return {f"{what} in @{population} alone": partial(with_fields, network, each, population) for what, each in changes}


def _second_changes(search: _Search, first: Divergence) -> Candidates:
    """A second change, after those first ones that moved the first difference furthest."""
    found: Candidates = {}
    later = [t for t in search.trials.values() if t.first is not None and t.first.step > first.step]
    later.sort(key=lambda trial: -trial.first.step if trial.first is not None else 0)
    for trial in later[:_BASES]:
        found |= _single_changes(search.programs[trial.what], first.population, f"{trial.what} and ")
    return found


def _field_changes(dt: float) -> Iterator[tuple[str, dict[str, str]]]:
    """Each value of each field of the semantics, with what else it takes, for steps of `dt` seconds."""
    for name, values in CHOICES.items():
        for value in values:
            yield f"{name} = {value}", {**_TOGETHER.get((name, value), {}), name: value}
    most = COUNTS["spikes"][1]
    yield "spikes = 1", {"spikes": "1"}
    yield f"several spikes in a step, reset = subtract (spikes = {most})", {"spikes": str(most), "reset": "subtract"}
    for steps in sorted({0, *REFRACTORY, *(round(n * 1e-3 / dt) for n in REFRACTORY)}):
        yield f"refractory = {steps}", {"refractory": str(steps)}


def _preset(network: NetworkOp, name: str, reset: str | None, reread: Reread | None) -> NetworkOp | None:
    if reread is None:
        return with_preset(network, name, reset)
    try:
        return reread.read(name, reset)
    except SnnirError:
        return None


def _without_double_delay(network: NetworkOp, name: str) -> NetworkOp | None:
    """A preset whose spikes leave late, on a program whose cycles have a delay for the same reason."""
    changed = with_preset(network, name)
    return None if changed is None else with_recurrent_delay(changed, -PRESETS[name].semantics.out_delay)
