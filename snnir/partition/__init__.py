"""Clustering and placement on arrays: which neurons and inputs share a crossbar, and where each crossbar's load goes.

No IR: a clustering takes `Demand`s (neurons that read the same axons) and returns the `Part`s of each cluster; a
placement takes a traffic matrix and a mesh and returns a slot for each cluster.
"""

from snnir.partition.demand import Demand, Part, PartitionError
from snnir.partition.greedy import greedy
from snnir.partition.placement import row_major, swap_placement

__all__ = ["Demand", "Part", "PartitionError", "greedy", "row_major", "swap_placement"]
