"""SDF3 files for tests: one that says all that the format can say about a graph, tiles, and a mapping."""

from __future__ import annotations

from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from snnir.frontend.options import FrontendOptions
from snnir.frontend.sdf3.reader import read

DECODER = """\
<?xml version="1.0" encoding="UTF-8"?>
<sdf3 type="csdf" version="1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.es.ele.tue.nl/sdf3/xsd/sdf3-csdf.xsd">
  <applicationGraph name="decoder">
    <csdf name="decoder" type="Decoder">
      <actor name="parse" type="A0">
        <port name="p0" type="out" rate="2,1"/>
        <port name="p1" type="in" rate="1"/>
        <port name="p2" type="out" rate="1"/>
      </actor>
      <actor name="show">
        <port name="in" type="in" rate="1"/>
      </actor>
      <channel name="data" srcActor="parse" srcPort="p0" dstActor="show" dstPort="in"/>
      <channel name="alone" srcActor="parse" srcPort="p2" dstActor="parse" dstPort="p1" initialTokens="1"/>
    </csdf>
    <csdfProperties>
      <actorProperties actor="parse">
        <processor type="arm">
          <executionTime time="5,6"/>
        </processor>
        <processor type="dsp" default="true">
          <executionTime time="3,4"/>
          <memory><stateSize max="128"/></memory>
        </processor>
      </actorProperties>
      <actorProperties actor="show">
        <processor type="dsp" default="true">
          <executionTime time="2"/>
        </processor>
      </actorProperties>
      <channelProperties channel="data">
        <bufferSize sz="8" src="4" dst="5" mem="6"/>
        <tokenSize sz="512"/>
        <bandwidth min="1.5"/>
        <latency min="7"/>
      </channelProperties>
      <graphProperties>
        <timeConstraints>
          <throughput>0.003</throughput>
        </timeConstraints>
      </graphProperties>
    </csdfProperties>
  </applicationGraph>
  <architectureGraph name="pair">
    <tile name="t0">
      <processor name="proc" type="dsp"><arbitration type="TDMA" wheelsize="8"/></processor>
      <memory name="mem" size="1024"/>
      <networkInterface name="ni" nrConnections="8" inBandwidth="96" outBandwidth="95"/>
    </tile>
    <tile name="t1">
      <processor name="core" type="arm"/>
    </tile>
    <connection name="c" srcTile="t0" dstTile="t1" delay="3"/>
    <connection name="c" srcTile="t1" dstTile="t0" delay="4"/>
    <network slotTableSize="8" packetHeaderSize="32" flitSize="96" reconfigurationTimeNI="10">
      <router name="r0"/>
      <link name="l0" src="t0" dst="r0"/>
    </network>
  </architectureGraph>
  <mapping appGraph="decoder" archGraph="pair">
    <tile name="t0">
      <processor name="proc" timeslice="4">
        <actor name="parse"/>
        <actor name="show"/>
        <schedule>
          <state actor="parse" startOfPeriodicRegime="true"/>
          <state actor="parse"/>
          <state actor="show"/>
          <state actor="show"/>
          <state actor="show"/>
        </schedule>
      </processor>
    </tile>
  </mapping>
</sdf3>
"""


def read_text(folder: Path, text: str) -> ModuleOp:
    """The verified module of an SDF3 file with this text."""
    path = folder / "graph.xml"
    path.write_text(text, encoding="utf-8")
    module = read(path, FrontendOptions())
    module.verify()
    return module


def without(text: str, element: str) -> str:
    """The text without the one element of that name, whose tags stand alone on lines of the same indentation."""
    lines = text.splitlines(keepends=True)
    (start,) = [n for n, line in enumerate(lines) if line.strip().startswith(f"<{element}")]
    (end,) = [n for n, line in enumerate(lines) if line.strip() == f"</{element}>"]
    return "".join(lines[:start] + lines[end + 1 :])
