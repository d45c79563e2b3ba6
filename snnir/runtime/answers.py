"""What the service answers, as models: they check what is sent, and make the OpenAPI description."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Place = Annotated[tuple[int, int, int], Field(description="[x, y, n]: crossbar n of tile x, y")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Answer):
    """Why there is no other answer, and what helps."""

    error: str
    fix: str
    best_steps_per_second: Annotated[
        float | None, Field(description="what could be guaranteed, when an application is refused for its throughput")
    ] = None


class Health(_Answer):
    """The service answers."""

    status: Literal["ok"]


class Resident(_Answer):
    """An application on the machine. Step k of a run is out by latency + k * period at the latest."""

    name: str
    package: Annotated[str, Field(description="the digest of its package")]
    crossbars: Annotated[list[Place], Field(description="that of each cluster")]
    links: Annotated[int, Field(description="how many links it uses")]
    steps_per_second: float
    period_seconds: float
    latency_seconds: float
    period: Annotated[str, Field(description="exactly, p/q in the platform's unit of time")]
    latency: Annotated[str, Field(description="exactly, p/q in the platform's unit of time")]


class Admitted(Resident):
    """An application that was let in."""

    critical: Annotated[list[str], Field(description="what sets the throughput")]


class Link(_Answer):
    """A link of the machine. `flows`: that cross it; `room`: so many may."""

    link: str
    flows: int
    room: int


class Machine(_Answer):
    """The machine as it is now."""

    platform: str
    crossbars: int
    free: int
    faulty: list[Place]
    reserved: list[Place]
    applications: list[Resident]
    busiest_links: list[Link]


class Removed(_Answer):
    """An application that is there no more."""

    removed: str
    crossbars: Annotated[int, Field(description="that are free now")]


class Moved(_Answer):
    """What became of the application whose crossbar failed: either `now` or `refused`, and then it is removed."""

    name: str
    now: Admitted | None
    refused: str | None


class Crossbar(_Answer):
    """A crossbar after a change. `moved`: the application that had to leave it, if any."""

    crossbar: Place
    state: Literal["faulty", "reserved", "free"]
    moved: Moved | None = None


class Migration(_Answer):
    """A move of an application, and its cost: crossbars to be programmed again, and cells in them."""

    name: str
    crossbars: int
    cells: int
    now: Admitted


class Defragmented(_Answer):
    """The moves; `dry_run`: none of them was made."""

    dry_run: bool
    moves: list[Migration]


class Check(_Answer):
    """Whether the machine's file is sound, and if not, why."""

    sound: bool
    findings: list[str]
