"""Whether the state of a machine is sound: against itself, its events, and the packages of its residents."""

import json
from collections.abc import Iterator

import numpy as np

from snnir.errors import SnnirError
from snnir.runtime.events import described, rebuilt, requests
from snnir.runtime.state import State, problems
from snnir.runtime.store import DAMAGED, NONSENSE, Audit, Store


def findings(store: Store) -> Iterator[str]:
    """What is wrong with a machine; nothing when all is well."""
    audit = store.audit()
    yield from audit.damage
    try:
        yield from problems(audit.state)
    except NONSENSE as error:
        yield f"the tables lead to no state: {error}"
        return
    try:
        again, asked = rebuilt(store.platform, audit.events), requests(audit.events)
    except (SnnirError, *NONSENSE) as error:
        yield f"the events do not lead to any state: {error}"
        return
    yield from _differences(audit.state, again)
    yield from _problems_of_requests(audit, asked)
    for each in audit.state.residents.values():
        if each.package not in audit.packages:
            yield f"the package of {each.name} is missing"
    for digest, found in audit.packages.items():
        if digest != found:
            yield f"the bytes of package {digest} have the digest {found}"


def compact(store: Store, keep: int) -> int:
    """Put the state that they led to in place of all events but the last `keep`; how many events those were.

    Raises `SnnirError`, with nothing changed, for a machine that is not sound: the events may say what happened to it.
    """
    found = next(findings(store), None)
    if found is not None:
        raise SnnirError(store.path, f"it is not sound: {found}", DAMAGED)
    return store.forget(keep)


def _differences(state: State, again: State) -> Iterator[str]:
    for name in sorted(state.residents.keys() | again.residents.keys(), key=str):
        here, there = state.residents.get(name), again.residents.get(name)
        if here is None or there is None:
            yield f"{name} is on the machine by its {'events' if here is None else 'tables'} alone"
        elif described(here) != described(there):
            yield f"{name} is another one by the events than by the tables"
    for crossbar in np.flatnonzero(state.owner != again.owner).tolist():
        yield f"crossbar {crossbar} belongs to another by the events than by the tables"
    if state.next != again.next:
        yield "the number of the next resident is not the one after the events"


def _problems_of_requests(audit: Audit, asked: dict[str, object]) -> Iterator[str]:
    """What the tables say that residents have asked for must be what the events say."""
    for name, text in audit.asked.items():
        try:
            same = json.loads(text) == asked.get(name)
        except NONSENSE:
            same = False
        if not same:
            yield f"what {name} has asked for is something else by the events than by the tables"
