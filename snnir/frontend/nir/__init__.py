"""Reading NIR files: `reader` and what it is made of."""
