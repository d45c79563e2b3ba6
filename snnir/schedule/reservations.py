"""What channels between tiles get where nothing is said: buffers, bandwidth and sizes of tokens as SDF3's flow chooses.

With these choices the numbers of DFSynthesizer's tutorial come out to the unit: docs/published-guarantee.md.
"""

from dataclasses import replace
from fractions import Fraction

from snnir.maxplus.analysis import analyze
from snnir.maxplus.sdf import Channel, repetition_vector
from snnir.schedule.application import Application, Transport
from snnir.schedule.architecture import ScheduleError


def reserved(application: Application) -> Application:
    """The application with two buffers and a bandwidth for each channel that has none of its own.

    At each end half of the room that the channel has on one tile, rounded up, but enough for a firing and, at the
    source, for the initial tokens. As bandwidth the bits that an iteration moves, divided by the period of the graph
    with the rooms of one tile; a token without a size has one bit. A channel from an actor to itself stays. Raises
    `ScheduleError` for a channel without room, and as `analyze` does.
    """
    graph = application.graph
    throughput = analyze(graph, slack=False).throughput
    firings = repetition_vector(graph)
    ways: list[Transport] = []
    for number, (channel, way) in enumerate(zip(graph.channels, application.transports, strict=True)):
        if channel.source == channel.target:
            ways.append(way)
            continue
        size = max(1, way.size)
        tokens = Fraction(firings[channel.source] * sum(channel.produced), len(channel.produced))
        band = tokens * size * throughput if way.bandwidth is None and throughput is not None else way.bandwidth
        rooms = way.source_room, way.target_room
        source, target = _rooms(number, channel) if None in rooms else rooms
        ways.append(replace(way, size=size, bandwidth=band, source_room=source, target_room=target))
    return replace(application, transports=tuple(ways))


def _rooms(number: int, channel: Channel) -> tuple[int, int]:
    """The buffers at the two ends."""
    if channel.capacity is None:
        name = f"channel {number} ({channel.source} -> {channel.target})"
        raise ScheduleError(f"{name} has no room that could be divided between two tiles")
    half = -(-channel.capacity // 2)
    return max(half, *channel.produced, channel.tokens), max(half, *channel.consumed)
