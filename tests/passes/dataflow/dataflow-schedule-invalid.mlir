// RUN: snn-opt %s -p dataflow-schedule --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p 'dataflow-schedule{algorithm=slack}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=SLACK
// RUN: snn-opt %s -p 'dataflow-schedule{algorithm=fifo}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=FIFO

// List scheduling finds only that nothing starts; which actors wait for each other is said all the same, at one of them.
// SLACK: invalid.mlir:13:5: error: deadlock: each firing of the cycle {{a|b}}[0] -> {{a|b}}[0]
// SLACK-NEXT: fix: give a channel between the actors named more initial tokens, or more room
// FIFO: invalid.mlir:13:5: error: deadlock: each firing of the cycle {{a|b}}[0] -> {{a|b}}[0]

// CHECK: deadlock: @{{.*}} -> @{{.*}} wait for each other without an initial token
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %a = dataflow.actor slice @a on @c0 time 30 mean 30 reads(%b[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c0 time 20 mean 20 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
  }
}

// -----

// CHECK: this pass needs one dataflow.graph in the module and finds 0
builtin.module {
}

// -----

// CHECK: asap and pipelined orders are for graphs in which each actor fires once per iteration
builtin.module {
  dataflow.graph @multirate activity "worst" {
    %a = dataflow.actor task @a on @t time 1 makes(2) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 1 reads(%a[1]) : (!dataflow.token<1>) -> ()
  }
}
