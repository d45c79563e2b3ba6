// RUN: snn-opt %s -p dataflow-schedule --split-input-file | filecheck %s
// RUN: snn-opt %s -p dataflow-analyze-throughput,dataflow-schedule --split-input-file | filecheck %s --check-prefix=STALE
// RUN: snn-opt %s -p dataflow-schedule,dataflow-schedule --split-input-file | filecheck %s
// RUN: snn-opt %s -p "dataflow-schedule{algorithm=asap}" --split-input-file | filecheck %s --check-prefix=ASAP
// RUN: snn-opt %s -p dataflow-schedule,dataflow-analyze-throughput --split-input-file | filecheck %s --check-prefix=STAGE
// RUN: snn-opt %s -p "dataflow-schedule{algorithm=asap},dataflow-analyze-throughput" --split-input-file | filecheck %s --check-prefix=PLAIN

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

// -----

// Two ends of a path share a crossbar. One step after the other takes 10 + 30 + 10, while @between alone could do a step
// every 30: @last fires a step behind @first, whose next firing comes between.
// CHECK: dataflow.graph @path
// CHECK: dataflow.order @c0 [@first, @last stage 1]
// ASAP:  dataflow.order @c0 [@first, @last]
// STAGE: dataflow.graph @path activity "worst" period 30 latency 50 predicted 30
// PLAIN: dataflow.graph @path activity "worst" period 50 latency 50 predicted 50
builtin.module {
  dataflow.graph @path activity "worst" {
    %a = dataflow.actor task @first on @c0 time 10 makes(1) : () -> !dataflow.token<1>
    %b = dataflow.actor task @between on @c1 time 30 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor task @last on @c0 time 10 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// Nothing is gained by stages when one crossbar does all of the work: none are given.
// CHECK: dataflow.order @c0 [@one, @two]
// ASAP:  dataflow.order @c0 [@one, @two]
builtin.module {
  dataflow.graph @line activity "worst" {
    %a = dataflow.actor task @one on @c0 time 10 makes(1) : () -> !dataflow.token<1>
    dataflow.actor task @two on @c0 time 10 reads(%a[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}
