// RUN: snn-opt %s -p dataflow-analyze-throughput --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p dataflow-simulate --split-input-file --verify-diagnostics | filecheck %s --check-prefix=SIMULATE

// CHECK: deadlock: each firing of the cycle
// SIMULATE: deadlock
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 0 capacity 2) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// An order that contradicts the data.
// CHECK: deadlock: each firing of the cycle
// SIMULATE: deadlock
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c0 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
    dataflow.order @c0 [@b, @a]
  }
}

// -----

// How often an actor fires is known only here.
// CHECK: order 0 lists actor b 2 times, not 3 as in an iteration
// SIMULATE: order 0 lists actor b 2 times, not 3 as in an iteration
builtin.module {
  dataflow.graph @phases activity "worst" {
    %a = dataflow.actor task @a on @t time [3, 4] makes([2, 1]) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 2 reads(%a[1]) : (!dataflow.token<1>) -> ()
    dataflow.order @t [@a, @a, @b, @b]
  }
}
