// RUN: snn-opt %s -p dataflow-allocate-slices --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p 'dataflow-allocate-slices{throughput=much}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=OPTION

// CHECK:  whole wheels give a throughput of 1/3, less than 1/2
// OPTION: 'much' is no number above 0
builtin.module {
  dataflow.architecture @one {
    dataflow.tile @t processor "p" wheel 4
  }
  dataflow.graph @g activity "worst" throughput 1/2 {
    dataflow.actor task @a on @t time 3 : () -> ()
    dataflow.order @t [@a]
  }
}

// -----

// CHECK: the graph does not say what throughput it needs
builtin.module {
  dataflow.architecture @one {
    dataflow.tile @t processor "p" wheel 4
  }
  dataflow.graph @g activity "worst" {
    dataflow.actor task @a on @t time 3 : () -> ()
    dataflow.order @t [@a]
  }
}

// -----

// CHECK: tile t has no order
builtin.module {
  dataflow.architecture @one {
    dataflow.tile @t processor "p" wheel 4
  }
  dataflow.graph @g activity "worst" throughput 1/2 {
    dataflow.actor task @a on @t time 3 : () -> ()
  }
}
