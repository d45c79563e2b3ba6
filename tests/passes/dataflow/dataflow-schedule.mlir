// RUN: snn-opt %s -p dataflow-schedule --split-input-file | filecheck %s
// RUN: snn-opt %s -p dataflow-analyze-throughput,dataflow-schedule --split-input-file | filecheck %s --check-prefix=STALE
// RUN: snn-opt %s -p dataflow-schedule,dataflow-schedule --split-input-file | filecheck %s

// @late comes first in the text; it reads @early without a token, so it fires after it. @free reads @late a step late:
// it could start at once and goes first. An analysis from before the order would promise too much: it is taken away.
// CHECK:     dataflow.order @c0 [@free, @early, @late]
// CHECK-NOT: dataflow.order
// STALE-NOT: period
// STALE-NOT: start
// STALE:     dataflow.order @c0 [@free, @early, @late]
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %l = dataflow.actor slice @late on @c0 time 30 mean 30 reads(%e[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %x = dataflow.actor input @x time 5 mean 5 makes(1) : () -> !dataflow.token<1>
    %e = dataflow.actor slice @early on @c0 time 20 mean 20 reads(%x[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %f = dataflow.actor slice @free on @c0 time 10 mean 10 reads(%l[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
  }
}
