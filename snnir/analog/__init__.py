"""Crossbars as analog devices: cells with levels, spread and faults, wires that drop voltage, converters with bits.

Arrays only: nothing here knows the IR. Conductances are in siemens, resistances in ohm, voltages in volt.
"""
