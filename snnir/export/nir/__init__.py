"""Writing NIR files: `writer` and what it is made of."""
