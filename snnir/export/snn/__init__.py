"""Writing `.snn` programs: `writer` and what it is made of."""
