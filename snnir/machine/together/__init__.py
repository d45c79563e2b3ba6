"""Several configured applications on one machine, flit by flit, while others come and go.

    machine = Together(configuration.machine)
    machine.add(Running("first", work_of(configuration), start=0, steps=1000))
    machine.advance(50_000)
    machine.add(Running("second", work_of(other), start=50_000))   # until it is removed
    machine.advance(80_000)
    machine.remove("second")                                       # what it has begun is finished
    machine.run()
    machine.finish("first")                                        # int64: when each step was complete

Applications have crossbars of their own and meet on links only, where flows take turns. Alone, one takes exactly the
times of `snnir.machine.simulate`; several that are there from the start, those of one configuration that consists of
all of them. Importing this loads numba; nothing else in `snnir.machine` does.
"""

from snnir.machine.together.machine import Running as Running
from snnir.machine.together.machine import Together as Together
from snnir.machine.together.work import Work as Work
from snnir.machine.together.work import work_of as work_of
