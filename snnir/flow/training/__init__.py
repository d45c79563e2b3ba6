"""Training of programs: what `snnir.train` computes in torch, put into and taken from the IR.

`job_of` reads and checks all that a training needs, `train` runs its stages in a directory.
"""
