"""Reading neuron lists: `reader` and what it is made of."""
