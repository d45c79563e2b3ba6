"""Approximations by functions that machines have. No IR here."""
