"""Fitting the weights and signals of a network to few bits, layer by layer, from unlabelled data. No IR here.

The pipeline is that of Ji et al. (ASPLOS 2018, arXiv 1801.00746): data re-encoding, then for one layer after the other,
against the already transformed layers before it, free tuning of the weights and rounding. Both tunings, which are
gradient descent there, are in closed form here: a ridge regression (`layer`) and rounding with error feedback
(`feedback`, GPTQ, arXiv 2210.17323). That layers can be calibrated one by one on little data is AdaQuant's (arXiv
2006.10518).

Weights are matrices (rows, features), a row for each neuron or output channel; calibration data (samples, features).
Integers of b bits are symmetric, from -(2**(b-1) - 1) to 2**(b-1) - 1.
"""
