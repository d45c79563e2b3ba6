# pyright: basic
"""The maximum cycle ratio with networkx, which has no function for it: Lawler's scheme on its Bellman-Ford.

    python benchmarks/peers/cycle_ratio_networkx.py FILE

For the ratio of the best cycle so far, `networkx.find_negative_cycle` looks for a better one, on integers, until there
is none (Lawler, "Combinatorial Optimization", 1976; each cycle found sets the next ratio, which takes fewer steps than
halving an interval, and ends exactly). FILE and the answer are those of howard.cpp.
"""

import sys
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np


def main() -> None:
    """Read, solve, print one line."""
    data = np.fromfile(sys.argv[1], np.int64)
    size, count = data[:2].tolist()
    rows = data[2:].reshape(4, count).T.tolist()
    begin = time.process_time()
    graph = nx.MultiDiGraph()
    # from the additional node all others are reached
    graph.add_edges_from((size, node, {"time": 0, "tokens": 0}) for node in range(size))
    graph.add_edges_from((u, v, {"time": each, "tokens": held}) for u, v, each, held in rows)
    built = time.process_time()
    ratio = Fraction(min(0, *(row[2] for row in rows)) * size - 1)
    while True:
        scale, price = ratio.denominator, ratio.numerator

        def weight(u, v, parallel, scale=scale, price=price):
            return min(price * edge["tokens"] - scale * edge["time"] for edge in parallel.values())

        try:
            nodes = nx.find_negative_cycle(graph, size, weight)
        except nx.NetworkXError:
            break
        total, tokens = 0, 0
        for u, v in pairwise(nodes):
            best = max(graph[u][v].values(), key=lambda edge: scale * edge["time"] - price * edge["tokens"])
            total, tokens = total + best["time"], tokens + best["tokens"]
        ratio = Fraction(total, tokens)
    solved = time.process_time()
    (memory,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(f"{built - begin:.6f} {solved - built:.6f} {ratio.numerator} {ratio.denominator} {float(ratio)} {memory}")


if __name__ == "__main__":
    main()
