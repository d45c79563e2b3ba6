"""Clustering and placement on arrays: which neurons and axons share a crossbar, and which tile holds which cluster.

No IR: a clustering takes a `Problem` and returns a `Plan`, the parts of each cluster (`clustering`, one file an
algorithm); a placement takes nets between clusters and a floor of tiles and returns a tile for each cluster
(`placement`); `metrics` checks and judges plans.
"""

from snnir.partition.problem import Group, Input, Layer, Options, Part, PartitionError, Plan, Problem

__all__ = ["Group", "Input", "Layer", "Options", "Part", "PartitionError", "Plan", "Problem"]
