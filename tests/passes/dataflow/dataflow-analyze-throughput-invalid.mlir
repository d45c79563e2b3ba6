// RUN: snn-opt %s -p dataflow-analyze-throughput --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p dataflow-simulate --split-input-file --verify-diagnostics | filecheck %s --check-prefix=SIMULATE

// The place is that of the first actor on the cycle.
// CHECK: invalid.mlir:11:5: error: deadlock: each firing of the cycle
// CHECK-NEXT: fix: give a channel between the actors named more initial tokens, or more room
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

// -----

// Rates that do not balance, and rates with which an iteration has more firings than can be examined.
// CHECK: the rates of channel 1 (a -> b, 2 produced, 1 consumed) do not balance
// CHECK-NEXT: fix: correct the rates of this channel, or of another one between the two actors
// SIMULATE: do not balance
builtin.module {
  dataflow.graph @unbalanced activity "worst" {
    %a, %c = dataflow.actor task @a time 3 makes(1, 2) : () -> (!dataflow.token<1>, !dataflow.token<1>)
    dataflow.actor task @b time 2 reads(%a[1], %c[1]) : (!dataflow.token<1>, !dataflow.token<1>) -> ()
  }
}

// -----

// SIMULATE: 200 iterations are 40000000200 firings, more than the limit of 10000000
// SIMULATE-NEXT: fix: simulate fewer iterations
builtin.module {
  dataflow.graph @long activity "worst" {
    %a = dataflow.actor task @a time 3 makes(200000000) : () -> !dataflow.token<1>
    dataflow.actor task @b time 2 reads(%a[1]) : (!dataflow.token<1>) -> ()
  }
}
