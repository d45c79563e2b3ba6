// RUN: snn-opt %s -p dataflow-schedule --split-input-file --verify-diagnostics | filecheck %s

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

// CHECK: the actors of this graph fire several times per iteration; asap orders graphs where each fires once
builtin.module {
  dataflow.graph @multirate activity "worst" {
    %a = dataflow.actor task @a on @t time 1 makes(2) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 1 reads(%a[1]) : (!dataflow.token<1>) -> ()
  }
}
