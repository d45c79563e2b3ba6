"""Reading SDF3 files: `reader` and what it is made of."""
