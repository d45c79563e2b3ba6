"""Writing SDF3 files: `writer` and what it is made of."""
