"""Binding of actors to tiles, static orders, and shares of time-division wheels, with exact throughput. No IR."""
