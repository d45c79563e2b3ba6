"""Reading SONATA directories: `reader` and what it is made of."""
