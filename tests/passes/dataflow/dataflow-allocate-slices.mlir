// RUN: snn-opt %s -p dataflow-allocate-slices | filecheck %s
// RUN: snn-opt %s -p 'dataflow-allocate-slices{analysis=exact}' | filecheck %s --check-prefix=EXACT
// RUN: snn-opt %s -p 'dataflow-allocate-slices{throughput=1/299 analysis=guaranteed}' | filecheck %s --check-prefix=RATE
// RUN: snn-opt %s -p dataflow-allocate-slices,dataflow-analyze-throughput | filecheck %s --check-prefix=AGAIN

// 112 units of work on one tile. Half of the wheel is needed for one iteration in 300 units if every firing waits as
// long as it can, 16 + 6 * 5 units in 3 of 8, one pause more than it has to on average. Together they need 896/3.
// CHECK:  period 224
// CHECK:  dataflow.order @tile [@a, @b, @c, @d, @e, @f, @g] wheel 8 slice 4
// EXACT:  period 896/3
// EXACT:  wheel 8 slice 3
// RATE:   period 896/3
// RATE:   wheel 8 slice 3
// AGAIN:  period 224
builtin.module {
  dataflow.architecture @one {
    dataflow.tile @tile processor "p" wheel 8
  }
  dataflow.graph @work activity "worst" throughput 1/300 {
    dataflow.actor task @a on @tile time 16 : () -> ()
    dataflow.actor task @b on @tile time 16 : () -> ()
    dataflow.actor task @c on @tile time 16 : () -> ()
    dataflow.actor task @d on @tile time 16 : () -> ()
    dataflow.actor task @e on @tile time 16 : () -> ()
    dataflow.actor task @f on @tile time 16 : () -> ()
    dataflow.actor task @g on @tile time 16 : () -> ()
    dataflow.order @tile [@a, @b, @c, @d, @e, @f, @g]
  }
}
