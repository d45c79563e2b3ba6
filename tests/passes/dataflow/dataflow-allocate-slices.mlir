// RUN: snn-opt %s -p dataflow-allocate-slices | filecheck %s
// RUN: snn-opt %s -p 'dataflow-allocate-slices{analysis=response}' | filecheck %s --check-prefix=RESPONSE
// RUN: snn-opt %s -p 'dataflow-allocate-slices{analysis=exact}' | filecheck %s
// RUN: snn-opt %s -p 'dataflow-allocate-slices{throughput=1/299}' | filecheck %s
// RUN: snn-opt %s -p dataflow-allocate-slices,dataflow-analyze-throughput | filecheck %s --check-prefix=AGAIN
// RUN: snn-opt %s -p 'dataflow-allocate-slices{share=1/4},dataflow-analyze-throughput' | filecheck %s --check-prefix=QUARTER
// RUN: snn-opt %s -p dataflow-allocate-slices,dataflow-simulate | filecheck %s --check-prefix=SIMULATED

// 112 units of work on one tile: 896/3 in 3 of 8. If every firing waits as long as it can, 16 + 6 * 5 units in 3 of 8, one
// pause more than it has to on average, half of the wheel is needed for one iteration in 300 units.
// CHECK:    period 896/3
// CHECK:    dataflow.order @tile [@a, @b, @c, @d, @e, @f, @g] wheel 8 slice 3
// RESPONSE: period 224
// RESPONSE: wheel 8 slice 4
// AGAIN:    period 896/3 latency 911/3
// QUARTER:  period 448
// QUARTER:  wheel 8 slice 2
// SIMULATED: simulated 896/3
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
