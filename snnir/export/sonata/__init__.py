"""Writing SONATA directories: `writer` and what it is made of."""
