// RUN: snn-opt %s -p dataflow-analyze-throughput --split-input-file | filecheck %s
// RUN: snn-opt %s -p "dataflow-analyze-throughput{slack=false}" --split-input-file | filecheck %s --check-prefix=QUICK

// The loop of @a and @b takes 50 for one token: that is the period, and at mean times 30. Step 0 leaves @b at 50.
// @x may take 50 too before its own firings, one at a time, set the period.
// CHECK:      dataflow.graph of @toy unit "ns" activity "worst" period 50 latency 50 predicted 30 critical [@{{[ab]}}, @{{[ab]}}]
// CHECK:      @x time 0 mean 0 makes(1) start 0 slack 50
// CHECK:      @a on @c0 {{.*}} start 0 slack 0
// CHECK:      @b on @c1 {{.*}} start 30 slack 0
// CHECK:      @y {{.*}} start 50
// QUICK:      period 50 latency 50 predicted 30
// QUICK-NOT:  slack
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// With three tokens the loop would allow 50 / 3, and @a sets the period by itself: 30.
// CHECK:      period 30 latency 50 predicted 20 critical [@a]
// CHECK:      @a {{.*}} slack 0
// CHECK:      @b {{.*}} slack 10
// QUICK:      period 30 latency 50 predicted 20
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 3 capacity 5) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// Both on one crossbar, one after the other: 50 again, and the crossbar is never idle.
// CHECK:      period 50 latency 50 predicted 30
// CHECK:      dataflow.order @c0 [@a, @b] utilisation 1
// QUICK:      dataflow.order @c0 [@a, @b] utilisation 1
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 3 capacity 5) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c0 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
    dataflow.order @c0 [@a, @b]
  }
}

// -----

// Space for one token only: @a waits until @b is done with it.
// CHECK:      period 50 latency 50 predicted 30 critical [@a, @b]
// QUICK:      period 50 latency 50 predicted 30
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 3 capacity 5) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}
