"""What is bounded from deadlines on holds in runs, flit by flit: the bound, who is too late, and the schedule."""

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from link_runs import Run, Traffic, busy_traffic

from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.expansion import expand
from snnir.maxplus.potentials import start_times
from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.schedule.deadlines import Separated, bound_with, most_with, separated
from snnir.schedule.links import Links, Way
from snnir.schedule.meetings import ANY, Facts, Meetings, limits
from snnir.schedule.stages import retimed


def facts_of(traffic: Traffic) -> Facts:
    """The graph of the traffic at the most that its producers took, and the least."""
    links = traffic.links
    actors = [Actor(f"flow{f}", max(pauses)) for f, pauses in enumerate(traffic.pauses)]
    least = {f"flow{f}": min(pauses) for f, pauses in enumerate(traffic.pauses)}
    channels = [Channel(f"carry{way}", f"flow{flow}", tokens=tokens) for flow, way, tokens in traffic.waits]
    for number, way in enumerate(links.ways):
        waiting = links.waiting(way)
        actors += [Actor(f"send{number}", int(waiting.send)), Actor(f"carry{number}", waiting.carry, None)]
        channels += [Channel(f"flow{way.flow}", f"send{number}"), Channel(f"send{number}", f"carry{number}")]
        least[f"carry{number}"] = links.alone(way, 1)
    producers, arrivals = [f"flow{f}" for f in range(len(traffic.sizes))], [f"carry{w}" for w in range(len(links.ways))]
    return Facts(SDFGraph(tuple(actors), tuple(channels)), [], least, producers, arrivals)


def there(run: Run, meetings: Meetings, meeting: int, since: int, until: int) -> int:
    """How many tokens of the other flow were on their way at some time after `since` and before `until`."""
    flow, ways = int(meetings.flow[meeting]), meetings.groups[meeting]
    counts = [
        sum(made < until and came > since for made, came in zip(run.made[flow], run.arrived[way], strict=True))
        for way in ways
    ]
    return min(counts)


@pytest.mark.parametrize("seed", range(200))
def test_no_token_takes_longer_than_what_is_there_makes_it_take(seed: int) -> None:
    random = Random(seed)
    traffic = busy_traffic(random)
    meetings, run = Meetings(traffic.links), Run(traffic)
    for number, way in enumerate(traffic.links.ways):
        mine = [meeting for meeting in range(len(meetings)) if meetings.way[meeting] == number]
        for k, (made, came) in enumerate(zip(run.made[way.flow], run.arrived[number], strict=True)):
            deadline = made + random.choice([0, 0, 1, 3, 10])
            counts = np.full(len(meetings), ANY)
            counts[mine] = [there(run, meetings, meeting, deadline, came) for meeting in mine]
            own = max(1, sum(earlier > deadline for earlier in run.arrived[number][: k + 1]))
            assert came <= deadline + meetings.bound(counts, own)[number]


def test_the_bound_by_hand() -> None:
    # tokens of 5, 2 and 9 flits are sent together over the same two links
    links = Links([3, 3], [7, 0], [5, 2, 9], [Way(0, (0, 1)), Way(1, (0, 1)), Way(2, (0, 1))])
    meetings = Meetings(links)
    assert meetings.way.tolist() == [0, 0, 1, 1, 2, 2]
    assert meetings.alone.tolist() == [3 * 6 + 7, 3 * 3 + 7, 3 * 10 + 7]
    one = np.ones(6, np.int64)
    # flow 0, in turn: 3 flits are served on each link for its first one; of its other 4, two meet both others and
    # two meet one of them; with the others once it is 6 + 2 + 9 flit times
    assert meetings.bound(one).tolist()[0] == 7 + 3 * min(6 + 2 + 9, 2 * 3 + 2 * 3 + 2 * 2)
    # flow 1: one flit more, that meets both; flow 2: the others once, and one flit time for the second link
    assert meetings.bound(one).tolist()[1] == 7 + 3 * (2 * 3 + 3)
    assert meetings.bound(one).tolist()[2] == 7 + 3 * (9 + 1 + 5 + 2)
    assert meetings.bound(0 * one).tolist() == meetings.alone.tolist()
    run = Run(Traffic(links, [], [[5], [2], [9]], [[0]] * 3))
    assert [arrived[0] for arrived in run.arrived] == [3 * 11 + 10, 3 * 5 + 10, 3 * 16 + 10]


@pytest.mark.parametrize("seed", range(50))
def test_the_first_of_the_other_flow(seed: int) -> None:
    meetings = Meetings(busy_traffic(Random(seed)).links)
    values = np.random.default_rng(seed).integers(0, 3, len(meetings.links.ways))
    first = [min(ways, key=lambda way: (values[way], ways.index(way))) for ways in meetings.groups]
    assert meetings.first_of(values).tolist() == first


@pytest.mark.parametrize("seed", range(300))
def test_who_is_too_late_is_so_in_every_run(seed: int) -> None:
    traffic = busy_traffic(Random(seed))
    meetings, run = Meetings(traffic.links), Run(traffic)
    found = limits(meetings, facts_of(traffic))
    for meeting in range(len(meetings)):
        number, flow = int(meetings.way[meeting]), int(meetings.flow[meeting])
        own, ahead = run.made[traffic.links.ways[number].flow], int(found.ahead[meeting])
        for k, came in enumerate(run.arrived[number]):
            if 0 <= k + ahead < len(run.made[flow]):
                assert run.made[flow][k + ahead] >= came
            assert there(run, meetings, meeting, own[k], came) <= found.most[meeting]


def schedule_of(facts: Facts, found: Separated | None, senders: list[str]) -> tuple[Fraction, dict[str, Fraction]]:
    """The period, and by when token 0 has arrived at the end of each actor."""
    times = {} if found is None else found.times
    silent = {sender for sender, carry in zip(senders, facts.arrivals, strict=True) if carry in times}
    actors = [
        replace(actor, time=times.get(actor.name, 0 if actor.name in silent else actor.time))
        if actor.name in times or actor.name in silent
        else actor
        for actor in facts.sdf.actors
    ]
    actors = [replace(actor, concurrency=1) if actor.name in times else actor for actor in actors]
    waits = [] if found is None else [(b, a, n) for a, each in found.waits.items() for b, n in each.items()]
    timed = retimed(replace(facts.sdf, actors=tuple(actors)), [], waits)
    graph = expand(timed.graph).graph
    critical = maximum_cycle_ratio(graph)
    period = critical.ratio if critical else Fraction(0)
    starts = start_times(graph, period)
    ends = {
        actor.name: starts[number] + actor.times[0] + timed.lag[actor.name] * period
        for number, actor in enumerate(timed.graph.actors)
    }
    return period, ends


@pytest.mark.parametrize("seed", range(300))
def test_no_token_is_later_than_the_schedule(seed: int) -> None:
    random = Random(seed)
    traffic = busy_traffic(random)
    facts, senders = facts_of(traffic), [f"send{w}" for w in range(len(traffic.links.ways))]
    found = separated(facts, traffic.links, senders)
    period, ends = schedule_of(facts, found, senders)
    if found is not None:
        assert period < schedule_of(facts, None, senders)[0]
        needed = bound_with(facts, traffic.links, found.waits)
        for number, carry in enumerate(facts.arrivals):
            assert carry not in found.times or found.times[carry] >= needed[number]
    slowest = Traffic(traffic.links, traffic.waits, traffic.sizes, [[max(each)] * 16 for each in traffic.pauses])
    for run in (Run(traffic), Run(slowest)):
        for number, carry in enumerate(facts.arrivals):
            for k, came in enumerate(run.arrived[number]):
                assert came <= ends[carry] + k * period


def test_schedules_are_found() -> None:
    better = 0
    for seed in range(100):
        traffic = busy_traffic(Random(seed))
        better += (
            separated(facts_of(traffic), traffic.links, [f"send{w}" for w in range(len(traffic.links.ways))])
            is not None
        )
    assert better >= 20


def test_tokens_with_a_wait() -> None:
    # token k + 2 is not made before ours has arrived; those up to k - wait have arrived
    ahead, most = np.full(5, 2), np.array([4, 4, 4, 4, 1])
    assert most_with(np.array([-1, 0, 1, ANY, ANY]), ahead, most).tolist() == [0, 1, 2, 4, 1]
