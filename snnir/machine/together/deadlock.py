"""Who waits for whom when an application can never go on."""

import numpy as np

from snnir.errors import SnnirError
from snnir.machine.together.columns import NONE, OVER, Integers, State, Turn, Unit, Wait
from snnir.machine.together.tables import Block
from snnir.machine.together.work import Work


def deadlock(name: str, state: State, work: Work, block: Block) -> SnnirError:
    """Follow who waits for whom until somebody comes up twice: that is the cycle that holds all up."""
    units: Integers = state.units[block.first["units"] : block.stop["units"]]
    unit_of = {
        actor: unit for unit, row in enumerate(work.tables["units"]) for actor in _order(row, work.tables["turns"])
    }
    unit = int(np.argmax(units[:, Unit.STATE] != OVER))
    seen: list[str] = []
    reasons: list[str] = []
    while True:
        turn = int(units[unit, Unit.FIRST_TURN] + units[unit, Unit.POSITION])
        actor = int(state.turns[turn, Turn.ACTOR]) - block.first["actors"]
        step = int(units[unit, Unit.ROUND] - state.turns[turn, Turn.STAGE])
        firing = f"{work.actors[actor]!r} (step {step})"
        wait = int(units[unit, Unit.WAIT])
        if firing in seen or wait == NONE:
            break
        seen.append(firing)
        what, other = work.reasons[wait - block.first["waits"]]
        missing = f"{work.actors[other]!r} (step {step - int(state.waits[wait, Wait.LAG])})"
        unit = unit_of[other]
        turn = int(state.turns[units[unit, Unit.FIRST_TURN] + units[unit, Unit.POSITION], Turn.ACTOR])
        if turn - block.first["actors"] != other:
            missing += f", whose turn comes after {work.actors[turn - block.first['actors']]!r}"
        reasons.append(f"{firing} waits for {what} {missing}")
    reasons = reasons[seen.index(firing) if firing in seen else 0 :]
    hint = "give a channel more capacity, or change the order of a crossbar"
    return SnnirError(f"application {name!r}", f"deadlock: {'; '.join(reasons)}", hint)


def _order(unit: Integers, turns: Integers) -> list[int]:
    first, count = int(unit[Unit.FIRST_TURN]), int(unit[Unit.TURNS])
    return turns[first : first + count, Turn.ACTOR].tolist()
