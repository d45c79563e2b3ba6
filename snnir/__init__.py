"""A multi-level IR compiler for crossbar-based neuromorphic hardware."""
