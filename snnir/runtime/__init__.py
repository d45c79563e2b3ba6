"""Run time: applications that are admitted to a machine, with guarantees that hold, and the state of the machine.

Nothing here knows the compiler: an application is a package (`snnir.runtime.package`) of arrays and a configuration.
"""
