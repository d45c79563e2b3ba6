"""SDF3 files: application graphs (SDF and CSDF), architecture graphs and mappings, as the `dataflow` dialect.

The format is that of Stuijk, Geilen, Basten, "SDF3: SDF For Free", ACSD 2006; see docs/sdf3.md for what is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from snnir.errors import SnnirError
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.sdf3.architecture import read_architecture
from snnir.frontend.sdf3.build import build_graph
from snnir.frontend.sdf3.graph import Graph, read_graph
from snnir.frontend.sdf3.mapping import Binding, read_mapping
from snnir.frontend.sdf3.phases import PhaseReader
from snnir.frontend.sdf3.xml import Element, read_tree, shortened

TYPES = ("sdf", "csdf")
_IGNORED = {"sdf3": {"version"}}


def read(path: Path, options: FrontendOptions) -> ModuleOp:
    """The graphs of an SDF3 file as a module. Raises `SnnirError` at the element that is wrong."""
    if options != FrontendOptions():
        hint = "omit --dt, --steps, --semantics, --reset, --fix and --platform"
        raise SnnirError(path, "options for networks do not apply to an SDF3 file", hint)
    root = read_tree(path)
    _check_root(root)
    notes = Notes()
    application, platform = root.one("applicationGraph"), root.one("architectureGraph")
    mapping = root.one("mapping")
    if application is None and platform is None:
        hint = "<applicationGraph> and <architectureGraph> are read"
        raise root.error("the file holds neither an application nor an architecture", hint)
    graph = None if application is None else read_graph(application, PhaseReader())
    architecture = None if platform is None else read_architecture(platform)
    binding = Binding() if mapping is None else read_mapping(mapping, graph, architecture, notes.add)
    module = ModuleOp([])
    module.location = root.location
    if architecture is not None:
        module.body.block.add_op(architecture)
    if graph is not None:
        module.body.block.add_op(build_graph(graph, binding))
        _note_choices(graph, notes)
    for name, count in Counter(_unread(root)).items():
        notes.add(path, f"left out: {name} ({count} times)" if count > 1 else f"left out: {name}")
    notes.show()
    return module


def _check_root(root: Element) -> None:
    if root.name != "sdf3":
        raise root.error(f"the root is <{shortened(root.name)}>, not <sdf3>", "this is no SDF3 file")
    kind = root.optional("type")
    if kind is not None and kind not in TYPES:
        hint = "scenarios (sadf, fsmsadf) and other kinds are not read; sdf and csdf are"
        raise root.error(f"the type '{shortened(kind)}' is not known", hint)


def _note_choices(graph: Graph, notes: Notes) -> None:
    """What was chosen where the file leaves a choice, and what bounds the throughput beside cycles."""
    several = [actor.name for actor in graph.actors.values() if len(actor.processors) > 1]
    if several:
        what = f"{len(several)} actors name" if len(several) > 1 else f"actor '{several[0]}' names"
        notes.add(
            graph.element.place,
            f"{what} several processors; times are those of the first marked as default, else of the first",
        )
    bounded = sum(channel.capacity is not None for channel in graph.channels.values())
    if bounded:
        what = f"{bounded} channels have a bufferSize" if bounded > 1 else "a channel has a bufferSize"
        notes.add(graph.element.place, f"{what}: a producer waits for space in it")
    late = sum(bool(channel.latency) for channel in graph.channels.values())
    if late:
        what = f"{late} channels ask for a latency" if late > 1 else "a channel asks for a latency"
        notes.add(graph.element.place, f"{what}: kept, but no analysis looks at it")
    loose = [port for actor in graph.actors.values() for port in actor.ports.values() if port.channel is None]
    if loose:
        place = loose[0].element.place
        notes.add(place, f"{len(loose)} ports are connected to no channel and left out, the first '{loose[0].name}'")


def _unread(element: Element) -> Iterator[str]:
    """Elements and attributes that nobody asked for, as they are written."""
    for name in element.attributes:
        if name not in element.seen and name not in _IGNORED.get(element.name, ()):
            yield f"attribute '{name}' of <{element.name}>"
    for child in element.children:
        if child.read:
            yield from _unread(child)
        else:
            yield f"<{child.name}> in <{element.name}>"
