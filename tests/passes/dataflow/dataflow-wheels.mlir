// RUN: snn-opt %s -p dataflow-analyze-throughput --split-input-file | filecheck %s
// RUN: snn-opt %s -p dataflow-size-buffers,dataflow-analyze-throughput --split-input-file | filecheck %s --check-prefix=SIZED
// RUN: snn-opt %s -p dataflow-simulate --split-input-file | filecheck %s --check-prefix=RAN

// Two tiles that work in 3 of every 8 units: 32 units of work take 256/3 on each, as there is room enough between them.
// Sizing keeps that, and not only the longer period of response times, 2 * 46; and the machine does as much.
// CHECK: period 256/3 latency 542/3
// SIZED: period 256/3 latency 542/3
// SIZED: @a {{.*}} capacity 5)
// SIZED: @b {{.*}} capacity 1)
// SIZED: @c {{.*}} capacity 2)
// SIZED: @d {{.*}} capacity 1)
// RAN:   simulated 256/3
builtin.module {
  dataflow.graph @ring activity "worst" {
    %a = dataflow.actor task @a on @t time 16 reads(%d[1] tokens 5 capacity 30) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor task @b on @t time 16 reads(%a[1] capacity 20) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %c = dataflow.actor task @c on @u time 16 reads(%b[1] capacity 20) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %d = dataflow.actor task @d on @u time 16 reads(%c[1] capacity 20) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.order @t [@a, @b] wheel 8 slice 3
    dataflow.order @u [@c, @d] wheel 8 slice 3
  }
}

// -----

// A unit of work on each side, one after the other: 2 * (1 + 4) by response times, while wheels that turn together do two
// rounds in each turn of 8 units.
// CHECK: period 10 latency 10
// SIZED: period 10
// RAN:   simulated 398/99
builtin.module {
  dataflow.graph @turns activity "worst" {
    %a = dataflow.actor task @a on @t time 1 reads(%b[1] tokens 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor task @b on @u time 1 reads(%a[1]) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.order @t [@a] wheel 8 slice 4
    dataflow.order @u [@b] wheel 8 slice 4
  }
}

// -----

// Orders with stages: the same loop over both tiles, @d two iterations behind @a.
// CHECK: period 256/3
// SIZED: period 256/3
// RAN:   simulated 256/3
builtin.module {
  dataflow.graph @behind activity "worst" {
    %a = dataflow.actor task @a on @t time 16 reads(%d[1] tokens 6) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor task @b on @u time 16 reads(%a[1] capacity 9) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %c = dataflow.actor task @c on @u time 16 reads(%b[1] capacity 9) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %d = dataflow.actor task @d on @t time 16 reads(%c[1] capacity 9) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.order @t [@a, @d stage 2] wheel 8 slice 3
    dataflow.order @u [@b, @c] wheel 8 slice 3
  }
}
