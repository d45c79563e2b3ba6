"""Reading `.snn` programs: `reader` and what it is made of."""
