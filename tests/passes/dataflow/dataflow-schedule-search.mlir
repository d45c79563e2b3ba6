// RUN: snn-opt %s -p 'dataflow-schedule{algorithm=critical}',dataflow-analyze-throughput --split-input-file | filecheck %s
// RUN: snn-opt %s -p 'dataflow-schedule{algorithm=slack}',dataflow-analyze-throughput --split-input-file | filecheck %s --check-prefix=SLACK
// RUN: snn-opt %s -p 'dataflow-schedule{algorithm=fifo}',dataflow-analyze-throughput --split-input-file | filecheck %s --check-prefix=FIFO

// @first feeds a long actor elsewhere and goes before @filler, though both are ready at once: 1 + 9 + 1, not 5 + 11.
// CHECK: dataflow.graph @loop activity "worst" period 11
// CHECK: dataflow.order @s
// SLACK: dataflow.graph @loop activity "worst" period 11
// FIFO:  dataflow.graph @loop activity "worst" period {{1[1-6]}}
builtin.module {
  dataflow.graph @loop activity "worst" {
    %f = dataflow.actor task @filler on @s time 5 reads(%f[1] tokens 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %a = dataflow.actor task @first on @s time 1 reads(%c[1] tokens 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor task @long on @t time 9 reads(%a[1]) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %c = dataflow.actor task @last on @s time 1 reads(%b[1]) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
  }
}

// -----

// Actors that fire several times per iteration have an entry for each firing.
// CHECK: dataflow.graph @multirate activity "worst" period 8
// CHECK: dataflow.order @t [@a, @b, @b]
// SLACK: dataflow.order @t
// FIFO:  dataflow.order @t [@a, @b, @b]
builtin.module {
  dataflow.graph @multirate activity "worst" {
    %a = dataflow.actor task @a on @t time 2 makes(2) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 3 reads(%a[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}
