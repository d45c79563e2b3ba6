"""From a model to a verified machine: what `snnc` does, as functions.

`compile_model` runs a pipeline and keeps every stage in a build directory, `verify_build` holds the emitted machine
against the program, stage by stage, `summarise` says what came out.
"""
