"""Whether the state of a machine is sound: against itself, its events, and the packages of its residents."""

from collections.abc import Iterator

import numpy as np

from snnir.errors import SnnirError
from snnir.runtime.state import State, problems
from snnir.runtime.store import Store, described, rebuilt


def findings(store: Store) -> Iterator[str]:
    """What is wrong with a machine; nothing when all is well."""
    state, events, packages = store.audit()
    yield from problems(state)
    try:
        again = rebuilt(store.platform, events)
    except (SnnirError, KeyError, TypeError, ValueError, IndexError, StopIteration) as error:
        yield f"the events do not lead to any state: {error}"
        return
    yield from _differences(state, again)
    for each in state.residents.values():
        if each.package not in packages:
            yield f"the package of {each.name} is missing"
    for digest, found in packages.items():
        if digest != found:
            yield f"the bytes of package {digest} have the digest {found}"


def _differences(state: State, again: State) -> Iterator[str]:
    for name in sorted(state.residents.keys() | again.residents.keys()):
        here, there = state.residents.get(name), again.residents.get(name)
        if here is None or there is None:
            yield f"{name} is on the machine by its {'events' if here is None else 'tables'} alone"
        elif described(here) != described(there):
            yield f"{name} is another one by the events than by the tables"
    for crossbar in np.flatnonzero(state.owner != again.owner).tolist():
        yield f"crossbar {crossbar} belongs to another by the events than by the tables"
    if state.next != again.next:
        yield "the number of the next resident is not the one after the events"
