"""The one thread of the service that uses the machine."""

from asyncio import wrap_future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from snnir.errors import SnnirError
from snnir.runtime.manager import Manager
from snnir.runtime.state import Resident, State
from snnir.runtime.store import Busy, Store

PATIENCE = 10.0
"""Seconds that a request waits for other processes."""
Result = TypeVar("Result")


class Keeper:
    """A machine's file and the one thread that uses it, because a connection to SQLite belongs to its thread.

    So changes that are asked for here happen one after the other; other processes may change the machine too.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._thread = ThreadPoolExecutor(1, "machine")
        try:
            self._manager = self._thread.submit(lambda: Manager(Store(path, patience))).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self.platform = self._manager.store.platform

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.submit(self._manager.store.close).result()
        self._thread.shutdown()

    async def ask(self, work: Callable[[Manager], Result]) -> Result:
        """What `work` gives; it is done after all that was asked before."""
        return await wrap_future(self._thread.submit(work, self._manager))

    async def state(self) -> State:
        """The state as it is now; not to be changed."""
        return await self.ask(lambda manager: manager.store.state())


def with_package(manager: Manager, name: str) -> tuple[Resident, bytes]:
    """A resident and the bytes of its package, which other processes may take away between the two questions."""
    while True:
        resident = manager.store.state().resident(name)
        try:
            return resident, manager.store.package(resident.package)
        except Busy:
            raise
        except SnnirError:
            now = manager.store.state().residents.get(name)
            if now is not None and now.number == resident.number:
                raise
