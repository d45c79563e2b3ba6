// RUN: snn-opt %s -p 'dataflow-size-buffers{period=5}' --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p 'dataflow-size-buffers{period=five}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=WORD
// RUN: snn-opt %s -p 'dataflow-size-buffers{throughput=1e99999999}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=DIGITS
// RUN: snn-opt %s -p 'dataflow-size-buffers{period=5 throughput=1/5}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=BOTH

// CHECK: an iteration takes at least 6 with unlimited buffers, more than 5
// WORD:  'five' is no number above 0
// A number of so many digits would take minutes to write down.
// DIGITS: '1e99999999' is no number above 0
// BOTH:  both a period and a throughput are given
builtin.module {
  dataflow.graph @pair activity "worst" {
    %a = dataflow.actor task @a time 1 makes(1) : () -> !dataflow.token<4>
    dataflow.actor task @b time 6 reads(%a[1]) : (!dataflow.token<4>) -> ()
  }
}

// -----

// Transport was analysed with space for 1 token: it gets no more, and with it no iteration is as short as 5.
// CHECK: no capacities within their limits reach a period of 5
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor slice @x on @c0 time 4 mean 4 makes(1) : () -> !dataflow.token<2>
    %t = dataflow.actor send @t time 3 mean 3 reads(%x[1]) makes(1) : (!dataflow.token<2>) -> !dataflow.token<2>
    dataflow.actor slice @y on @c1 time 4 mean 4 reads(%t[1] capacity 1) : (!dataflow.token<2>) -> ()
  }
}

// -----

// CHECK: this pass needs one dataflow.graph in the module and finds 0
builtin.module {
}
